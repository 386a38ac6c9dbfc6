"""What one pass over the migrations of a project tells of its models, fields, tables and indexes, whatever the order.

`bystanders.py` and `foreign_keys.py` decide by it what no finding can come or go with, `unaffected.py` which edits are
such. A project may have ten thousands of operations: each is looked at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, TypeAlias

from lint_m2m.migration import (
    FOREIGN_KEY,
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterTogether,
    CodeFacts,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    Field,
    FieldKind,
    Maybe,
    Migration,
    ModelKey,
    ModelOptions,
    ModelRef,
    Operation,
    Project,
    Recognised,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.replay.models import reverse_name
from lint_m2m.values import NamedTuple

# App and name, in lower case.
Model: TypeAlias = tuple[str, str]
# A field: its model, and its name in lower case.
Key: TypeAlias = tuple[Model, str]

_COMPOSITE: Final = "CompositePrimaryKey"
_WORD: Final = re.compile(r"\w+")
# The end of a name that Django made for an index.
_AUTOMATIC: Final = re.compile(r"[0-9a-f]{8}(_[a-z]+)?$")
# Of such a name at least so many letters are the table's, and of a table's name that is cut (`Names`).
_LEAST: Final = 7
_LIMITS: Final = frozenset({30, 63, 64})
# Python 3.11 takes ten times as long to find them as attributes.
_COLUMN: Final = FieldKind.COLUMN
_FOREIGN_KEY: Final = FieldKind.FOREIGN_KEY
_MANY_TO_MANY: Final = FieldKind.MANY_TO_MANY
_HOLDERS: Final = frozenset({ConditionalOperations, RunSQL, SeparateDatabaseAndState})
_HEEDING: Final = _HOLDERS | {AlterModelTable, RenameField, RenameModel, UnknownOperation}


# The place of an operation: the numbers of its migration in the project, and of itself in that.
Place: TypeAlias = tuple[int, int]
# An operation about a plain column, or one that removes a field of any kind: with the field's name in lower case, and
# the operation's class.
OnField: TypeAlias = tuple[Place, Model, str, type[Operation]]
# One about the indexes of a model, or about options that make no table.
OnModel: TypeAlias = tuple[Place, Model, Operation]


class KeyChange(NamedTuple):
    """A foreign key is made or altered: by an operation of which class, and what it is then."""

    place: Place
    kind: type[Operation]
    name: str
    class_path: str
    to: Maybe[ModelRef]

    @property
    def makes(self) -> bool:
        return self.kind is not AlterField


class Said:
    """What is said of one model.

    `made` are the places that make it. `keys` are the changes of its plain foreign keys, by name in lower case, `gone`
    the places that remove a field of a name. `fields` are the names that all other fields and their columns ever have,
    `links` those of many-to-many fields and of what may be one. `altered` are columns that are altered; `keyed` is what
    becomes a primary key, with whether it is one in the most usual way. `targets` are the models that its foreign keys
    point at; `other_keys`: some of these are not plain, or may not be. `moves`: it is deleted, renamed, or in some way
    not what CreateModel and its fields say.
    """

    __slots__ = ("altered", "fields", "gone", "keyed", "keys", "links", "made", "moves", "other_keys", "targets")

    def __init__(self) -> None:
        self.made: list[tuple[Place, CreateModel]] = []
        self.keys: dict[str, list[KeyChange]] = {}
        self.gone: dict[str, list[Place]] = {}
        self.fields: set[str] = set()
        self.links: set[str] = set()
        self.altered: set[str] = set()
        self.keyed: list[tuple[str, bool]] = []
        self.other_keys = False
        self.targets: set[Model] = set()
        self.moves = False


class Survey:
    """What is said of all models of a project, and beside them of tables, indexes and code.

    `links` are the names, in lower case, of all models that have a link table or may come to one: by being one's
    `through`, by another name of such a model, as its base, by naming a table, by having one that something else names
    (another model, a field, SQL, or code), or by having been without one: not managed, or in the state or the database
    alone.

    `relations` are the names of all fields that are no mere column somewhere in an app, and of columns that are other
    than their field's; `covered`, by model, those of fields in indexes and unique sets; `named` counts the names of
    indexes. `untidy` are models with more than plain columns, relations that are added, and indexes, as far as one
    operation shows it.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.models: dict[Model, Said] = {}
        self.covered: dict[Model, set[str]] = {}
        self.named: Counter[str] = Counter()
        self.untidy: set[Model] = set()
        # How often something is said of the `index_together` of a model.
        self.index_together: Counter[Model] = Counter()
        # Top-level operations, by what they are about.
        self.on_fields: list[OnField] = []
        self.on_indexes: list[OnModel] = []
        self.on_options: list[OnModel] = []
        # Columns that may be made more than once.
        self.twice: set[Key] = set()
        # Places that may put off something until the migration ends, plain foreign keys aside, and those that heed
        # whether it is made yet: they may rename a table or a column, or take away a table or an index.
        self.putting_off: list[Place] = []
        self.heeding: list[Place] = []
        # Apps of which any model may be something else.
        self.dark: set[str] = set()
        # What is known of each piece of code; names in code that takes a model of which nobody knows which it is.
        self.code: list[CodeFacts] = []
        self.guessed: set[str] = set()
        # Words in code and in SQL, in lower case.
        self.words: set[str] = set()
        # What leads to links: names of many-to-many fields, also from the other side, of `through` models, and of
        # tables that somebody names.
        self.link_names: set[str] = set()
        self.throughs: set[str] = set()
        self.tables: set[str] = set()
        # How names of indexes begin that look as if Django made them, and tables of which SQL may have a short name.
        self.beginnings: set[str] = set()
        self.cut: tuple[str, ...] = ()
        # The fields that a foreign key points at by name.
        self.pointed_at: set[str] = set()
        self._relations: dict[str, set[str]] = {}
        self._linked: set[str] = set()
        self._renamed: list[tuple[str, str]] = []
        self._bases: dict[str, set[str]] = {}
        self._app = ""
        self._names: set[str] = set()
        self._place: Place = (0, 0)
        self._top = True
        for number, migration in enumerate(project.migrations):
            self._see(number, migration)
        if self.dark:
            self.untidy.update(self.covered)
        self.words |= self.tables
        self._look_at_names()
        self.links = self._linked_ones()
        everywhere = {"id", "pk", "_order"} | self.pointed_at
        self.relations = {app: frozenset(names | everywhere) for app, names in self._relations.items()}

    def shaky(self) -> set[Model]:
        """Models of which it may be somebody's business when SQLite makes their tables anew, as it does for most
        changes of a field.

        It looks then for the columns that all foreign keys of the table point at, and one may be gone. And since
        Django 5.1 an `index_together` is forgotten, which something later may look for.
        """
        found = {model for model, count in self.index_together.items() if count > 1}
        lost = {
            model for model, said in self.models.items() if (said.gone or said.keyed) and said.made and _loses_key(said)
        }
        if any(name in self.links for _, name in lost):
            # Another model may have the same table.
            lost.update(model for model in self.models if model[1] in self.links)
        if lost:
            found.update(model for model, said in self.models.items() if not said.targets.isdisjoint(lost))
        return found

    def confusing(self) -> set[str]:
        """Apps of which nothing is certain: a model may have the table that a field of another app has, or no key.

        The model `authors` of an app `library_book` has the table that a field `authors` of `library.Book` would have.
        Of a model whose key is removed Django's state has another that the table has not.
        """
        found = {app for app in self._relations for other in _beginnings(app) if other in self._relations}
        return found | {app for (app, _), said in self.models.items() if said.gone and _is_without_key(said)}

    @property
    def related(self) -> dict[str, frozenset[str]]:
        """Names, in lower case, of all fields that are no mere column somewhere in an app, or that anything points at:
        a relation, an index, a unique set."""
        found = {app: set(names) for app, names in self.relations.items()}
        for (app, _), names in self.covered.items():
            found[app] |= names
        return {app: frozenset(names) for app, names in found.items()}

    # -- one pass

    def _see(self, number: int, migration: Migration) -> None:
        self._app = migration.app_label
        self._names = self._relations.setdefault(self._app, set())
        handlers, heeding = _HANDLERS, _HEEDING
        for position, operation in enumerate(migration.operations):
            self._place = number, position
            kind = operation.__class__
            if kind in heeding:
                self.heeding.append(self._place)
                if kind in _HOLDERS:
                    self.putting_off.append(self._place)
                    self._see_holder(operation)
                    continue
            self._top = operation.class_path is None and not operation.overrides
            if not self._top:
                self._set_apart(operation)
            handler = handlers.get(kind)
            if handler is not None:
                handler(self, operation)
            else:
                self.untidy.add((self._app, model_of(operation)))

    def _see_holder(self, holder: Operation) -> None:
        """Operations of one side, or that may not run."""
        self._top = False
        for operation in every_operation((holder,)):
            if operation is not holder:
                self._set_apart(operation)
            handler = _HANDLERS.get(operation.__class__)
            if handler is not None:
                handler(self, operation)

    def _set_apart(self, operation: Operation) -> None:
        """Whatever it is about is not what it seems."""
        for model in _models_of(operation, self._app):
            self.untidy.add(model)
            self.models.setdefault(model, Said()).moves = True

    def _said(self, name: str) -> Said:
        """What is said of the model of that name, in lower case."""
        model = self._app, name
        said = self.models.get(model)
        if said is None:
            said = self.models[model] = Said()
        return said

    def _add_field(self, operation: AddField) -> None:
        self._field(operation.model_name.lower(), operation.name, operation.field, operation)

    def _alter_field(self, operation: AlterField) -> None:
        self._field(operation.model_name.lower(), operation.name, operation.field, operation)

    def _field(self, model: str, name: str, field: Field, operation: Operation) -> None:
        said = self._said(model)
        low = name.lower()
        if field.is_plain_column:
            self._column(said, model, low, operation.__class__)
            return
        if self._relation(said, name, field, operation):
            return
        self.putting_off.append(self._place)
        if field.kind is _MANY_TO_MANY and operation.__class__ is AlterField:
            self.heeding.append(self._place)
        if field.primary_key is not False:
            said.keyed.append((low, operation.__class__ is AlterField and _is_usual_key(field)))
        elif operation.__class__ is AlterField:
            said.altered.add(low)
        if operation.__class__ is AlterField:
            self.untidy.add((self._app, model))

    def _column(self, said: Said, model: str, low: str, kind: type[Operation]) -> None:
        """Note what an operation of class `kind` makes a plain column of."""
        if kind is AlterField:
            said.altered.add(low)
        elif low in said.fields:
            self.twice.add(((self._app, model), low))
        said.fields.add(low)
        if self._top:
            self.on_fields.append((self._place, (self._app, model), low, kind))

    def _relation(self, said: Said, name: str, field: Field, operation: Operation) -> bool:
        """Note a field that is more than a column; whether it is a plain foreign key."""
        low = name.lower()
        self._names |= {low, f"{low}_id"}
        if isinstance(field.db_column, str):
            self._names.add(field.db_column.strip('"').lower())
        relation = field.relation
        if relation is not None:
            if isinstance(relation.to_field, str):
                self.pointed_at.add(relation.to_field.lower())
            if field.kind is _FOREIGN_KEY:
                if isinstance(relation.to, ModelKey):
                    said.targets.add(relation.to)
            elif field.kind is _MANY_TO_MANY:
                if relation.through is not None and relation.through is not UNKNOWN:
                    self.throughs.add(str(relation.through).rpartition(".")[2].lower())
                self._link(name, relation.related_name, operation)
                self.tables.update(_words(relation.db_table))
        if self._top and relation is not None and field.is_plain_key:
            change = KeyChange(self._place, operation.__class__, name, field.class_path, relation.to)
            said.keys.setdefault(low, []).append(change)
            return True
        said.fields.add(low)
        if field.kind is not _COLUMN:
            said.fields.add(f"{low}_id")
            said.other_keys = said.other_keys or field.kind is not _MANY_TO_MANY
            if field.kind is not _FOREIGN_KEY:
                said.links.add(name)
        if isinstance(field.db_column, str):
            said.fields.add(field.db_column.strip('"').lower())
        return False

    def _link(self, name: str, related_name: Maybe[str | None], operation: Operation) -> None:
        """Note the names of a many-to-many on both sides."""
        owner = model_of(operation)
        self.link_names |= {name, name.lower(), owner, f"{owner}_set"}
        if isinstance(related_name, str):
            self.link_names.add(reverse_name(ModelKey(self._app, owner), related_name))

    def _remove_field(self, operation: RemoveField) -> None:
        model, low = operation.model_name.lower(), operation.name.lower()
        self._said(model).gone.setdefault(low, []).append(self._place)
        if self._top:
            self.on_fields.append((self._place, (self._app, model), low, RemoveField))

    def _rename_field(self, operation: RenameField) -> None:
        model = operation.model_name.lower()
        said = self._said(model)
        for name in (operation.old_name, operation.new_name):
            names = {name.lower(), f"{name.lower()}_id"}
            self._names |= names
            said.fields |= names
            said.links.add(name)
            self.link_names |= {name, name.lower()}
            said.altered.add(name.lower())
        self.untidy.add((self._app, model))

    def _create_model(self, operation: CreateModel) -> None:
        name, options = operation.name.lower(), operation.options
        said = self._said(name)
        said.made.append((self._place, operation))
        self.putting_off.append(self._place)
        for named in operation.fields:
            if named.field.is_plain_column:
                low = named.name.lower()
                if low in said.fields:
                    self.twice.add(((self._app, name), low))
                said.fields.add(low)
            else:
                self._relation(said, named.name, named.field, operation)
        if options.db_table is not None or options.managed is not True:
            self._linked.add(name)
            self.tables.update(_words(options.db_table))
        if options.bases is UNKNOWN:
            self._linked.add(name)
        elif options.bases:
            bases = {str(one).rpartition(".")[2] for one in options.bases}
            self._bases.setdefault(name, set()).update(bases)
            for base in bases:
                self._names |= {f"{base}_ptr", f"{base}_ptr_id"}
        self._options(name, options)

    def _options(self, model: str, options: ModelOptions) -> None:
        """The indexes that a model is made with."""
        if options.index_together is UNKNOWN or options.index_together:
            self.index_together[self._app, model] += 1
        for sets in (options.unique_together, options.index_together):
            if sets is not UNKNOWN and sets:
                self._together(model, sets)
        for some in (options.indexes, options.constraints):
            for one in () if some is UNKNOWN else some:
                self._covers(model, one.fields)
                if isinstance(one.name, str):
                    self.named[one.name.lower()] += 1

    def _together(self, model: str, sets: Collection[tuple[str, ...]]) -> None:
        for one in sets:
            self._covers(model, one)
            # A column may have an index of its own beside that of a set in which it is alone.
            if len(one) < 2:
                self.untidy.add((self._app, model))

    def _delete_model(self, operation: DeleteModel) -> None:
        self._said(operation.name.lower()).moves = True

    def _rename_model(self, operation: RenameModel) -> None:
        names = operation.old_name.lower(), operation.new_name.lower()
        self._renamed.append(names)
        for name in names:
            self._said(name).moves = True
            self.untidy.add((self._app, name))
            self.link_names |= {name, f"{name}_set"}

    def _alter_table(self, operation: AlterModelTable) -> None:
        name = operation.name.lower()
        self._said(name).moves = True
        self._linked.add(name)
        self.tables.update(_words(operation.table))
        self.untidy.add((self._app, name))

    def _alter_options(self, operation: AlterModelOptions) -> None:
        name = operation.name.lower()
        if operation.managed is not True:
            self._linked.add(name)
        elif self._top:
            self.on_options.append((self._place, (self._app, name), operation))

    def _add_index(self, operation: AddIndex) -> None:
        self._on_index(operation.model_name.lower(), operation, operation.index.name, operation.index.fields)

    def _add_constraint(self, operation: AddConstraint) -> None:
        constraint = operation.constraint
        self._on_index(operation.model_name.lower(), operation, constraint.name, constraint.fields)

    def _rename_index(self, operation: RenameIndex) -> None:
        if operation.old_fields is not None:
            self.index_together[self._app, operation.model_name.lower()] += 1
        self._on_index(operation.model_name.lower(), operation, operation.new_name, operation.old_fields)

    def _remove_index(self, operation: RemoveIndex | RemoveConstraint) -> None:
        self._on_index(operation.model_name.lower(), operation, None, None)

    def _alter_together(self, operation: AlterTogether) -> None:
        model = operation.name.lower()
        if operation.option_name == "index_together":
            self.index_together[self._app, model] += 1
        if operation.value is not UNKNOWN:
            self._together(model, operation.value)
        if self._top:
            self.on_indexes.append((self._place, (self._app, model), operation))

    def _on_index(
        self, model: str, operation: Operation, name: Maybe[str | None], fields: Maybe[tuple[str, ...] | None]
    ) -> None:
        """`name` is what the operation calls an index of `fields`."""
        if isinstance(name, str):
            self.named[name.lower()] += 1
        self._covers(model, fields)
        if self._top:
            self.on_indexes.append((self._place, (self._app, model), operation))

    def _covers(self, model: str, fields: Maybe[tuple[str, ...] | None]) -> None:
        if fields is not UNKNOWN and fields:
            key = self._app, model
            names = self.covered.get(key)
            if names is None:
                names = self.covered[key] = set()
            for name in fields:
                names.add(name.lower())

    def _recognised(self, operation: Recognised) -> None:
        """What the handlers of its class say of an operation that was not taken apart."""
        kind, name, low = operation.kind, operation.model_name.lower(), operation.name.lower()
        if kind is AlterModelOptions:
            self.on_options.append((self._place, (self._app, name), operation))
        elif kind is AlterTogether:
            if low == "index_together":
                self.index_together[self._app, name] += 1
            self._covers(name, operation.fields)
            self.on_indexes.append((self._place, (self._app, name), operation))
        elif kind is RemoveField:
            self._said(name).gone.setdefault(low, []).append(self._place)
            self.on_fields.append((self._place, (self._app, name), low, kind))
        elif kind is AddIndex or kind is AddConstraint:
            self._on_index(name, operation, operation.labels[0], operation.fields)
        elif operation.to is None:
            self._column(self._said(name), name, low, kind)
        else:
            said = self._said(name)
            self._names |= {low, f"{low}_id"}
            said.targets.add(operation.to)
            change = KeyChange(self._place, kind, operation.name, FOREIGN_KEY, operation.to)
            said.keys.setdefault(low, []).append(change)

    def _run_sql(self, operation: RunSQL) -> None:
        self._linked.update(_made_or_gone(operation.state_operations))
        for sql in (*operation.sql, *(operation.reverse_sql or ())):
            self.tables.update(_words(sql))

    def _separate(self, operation: SeparateDatabaseAndState) -> None:
        self._linked.update(_made_or_gone((*operation.database_operations, *operation.state_operations)))

    def _run_python(self, operation: RunPython) -> None:
        code = operation.code
        if code is None:
            return
        if code is UNKNOWN or code.uses_connection or code.sql:
            self.heeding.append(self._place)
        if code is UNKNOWN:
            return
        self.code.append(code)
        for text in (*code.names, *code.sql):
            self.words.update(_words(text))
        if code.settings:
            self.guessed |= code.names

    def _unknown(self, operation: UnknownOperation) -> None:
        if operation.models is UNKNOWN:
            self.dark.add(self._app)
        else:
            self._set_apart(operation)

    # -- when all is seen

    def _look_at_names(self) -> None:
        for name in (*self.named, *self.words):
            if "_" in name and len(name) > _LEAST and _AUTOMATIC.search(name) is not None:
                self.beginnings.add(name[:_LEAST])
        self.cut = tuple(name[:-4] for name in self.words if len(name) in _LIMITS)

    def _linked_ones(self) -> frozenset[str]:
        names = self._linked | self.throughs
        apps = {app.lower() for app in self._relations}
        for table in self.words:
            names.update(table[len(app) + 1 :] for app in _beginnings(table) if app in apps)
        before = -1
        while len(names) > before:
            before = len(names)
            for pair in self._renamed:
                if not names.isdisjoint(pair):
                    names.update(pair)
            for name in [*names]:
                names |= self._bases.get(name, set())
        for pair in self._renamed * 2:
            if not self.throughs.isdisjoint(pair):
                self.throughs.update(pair)
        return frozenset(names)


_HANDLERS: Final[dict[type[Operation], Callable[..., None]]] = {
    AddField: Survey._add_field,
    AlterField: Survey._alter_field,
    RemoveField: Survey._remove_field,
    RenameField: Survey._rename_field,
    CreateModel: Survey._create_model,
    DeleteModel: Survey._delete_model,
    RenameModel: Survey._rename_model,
    AlterModelTable: Survey._alter_table,
    AlterModelOptions: Survey._alter_options,
    RunSQL: Survey._run_sql,
    SeparateDatabaseAndState: Survey._separate,
    RunPython: Survey._run_python,
    UnknownOperation: Survey._unknown,
    AddIndex: Survey._add_index,
    AddConstraint: Survey._add_constraint,
    AlterTogether: Survey._alter_together,
    RemoveIndex: Survey._remove_index,
    RemoveConstraint: Survey._remove_index,
    RenameIndex: Survey._rename_index,
    Recognised: Survey._recognised,
}


def kind_of(operation: Operation) -> type[Operation]:
    """The class of an operation, also of one that is only `Recognised`."""
    return operation.kind if isinstance(operation, Recognised) else operation.__class__


def model_of(operation: Operation) -> str:
    """The name, in lower case, of the model that an operation is about; none where it is about no single one."""
    for attribute in ("model_name", "old_name", "name"):
        name = getattr(operation, attribute, None)
        if isinstance(name, str):
            return name.lower()
    return ""


def _models_of(operation: Operation, app_label: str) -> Iterable[Model]:
    """All that it is about."""
    if isinstance(operation, UnknownOperation):
        return () if operation.models is UNKNOWN else operation.models
    names = [model_of(operation)]
    if isinstance(operation, RenameModel):
        names.append(operation.new_name.lower())
    return [(app_label, name) for name in names]


def _is_usual_key(field: Field) -> bool:
    """Whether it is a primary key in a column of its own name."""
    return field.kind is _COLUMN and field.class_known and field.primary_key is True and field.db_column is None


def key_of(made: CreateModel) -> str | None:
    """The name, in lower case, of the primary key that a model is made with; ``None`` where it is not the usual one."""
    keys = [one for one in made.fields if one.field.primary_key is not False]
    if any(one.field.class_path.endswith(_COMPOSITE) for one in made.fields) or len(keys) > 1:
        return None
    if not keys:
        return "id"
    return keys[0].name.lower() if _is_usual_key(keys[0].field) else None


def _keys_of(said: Said) -> set[str]:
    """The names, in lower case, of the primary keys that a model is made with."""
    keys = {one.name.lower() for _, made in said.made for one in made.fields if one.field.primary_key is not False}
    return keys or {"id"}


def _is_without_key(said: Said) -> bool:
    return bool(said.made) and not _keys_of(said).isdisjoint(said.gone)


def _loses_key(said: Said) -> bool:
    """Whether the column of the primary key of a model, or of another field that is pointed at, may go."""
    keys = _keys_of(said)
    if len(keys) > 1 or any(name not in keys or not usual for name, usual in said.keyed):
        return True
    return not keys.isdisjoint(said.gone)


def _beginnings(name: str) -> Iterator[str]:
    """What stands before each underscore."""
    position = name.find("_")
    while position >= 0:
        yield name[:position]
        position = name.find("_", position + 1)


def every_operation(operations: Collection[Operation]) -> Collection[Operation]:
    """All operations, those within others too."""
    if _HOLDERS.isdisjoint(map(type, operations)):
        return operations
    found: list[Operation] = []
    for operation in operations:
        found.append(operation)
        match operation:
            case SeparateDatabaseAndState():
                found += every_operation(operation.database_operations)
                found += every_operation(operation.state_operations)
            case RunSQL():
                found += every_operation(operation.state_operations)
            case ConditionalOperations():
                for branch in operation.branches:
                    found += every_operation(branch)
    return found


def _made_or_gone(operations: Collection[Operation]) -> Iterator[str]:
    """The names, in lower case, of the models that operations of one side make, remove or rename."""
    for operation in every_operation(operations):
        match operation:
            case CreateModel() | DeleteModel():
                yield operation.name.lower()
            case RenameModel():
                yield operation.old_name.lower()
                yield operation.new_name.lower()


def _words(text: Maybe[str | None]) -> list[str]:
    """What may be the name of a table in SQL, or in the name of one with its schema."""
    return _WORD.findall(text.lower()) if isinstance(text, str) else []

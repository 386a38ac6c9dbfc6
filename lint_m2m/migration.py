"""The values a reader yields: migrations, their operations, and the fields in them.

Everything here is frozen and hashable, so that it can be compared, cached and sent between processes. There is no
behaviour beyond derived properties: what an operation *does* is the replay's business.

Three-valued throughout: a value, ``None`` (known to be absent), or `UNKNOWN` (cannot be told without running code).
Positions (`Span`) never take part in a comparison, because the static and the live reader must yield equal values.
"""

from __future__ import annotations

import enum
from typing import Final, Literal, TypeAlias, TypeVar

from lint_m2m.values import NamedTuple, declare, frozen


class Unknown(enum.Enum):
    """The type of `UNKNOWN`: "cannot be told without running code"."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false: compare with `is UNKNOWN`")


UNKNOWN: Final = Unknown.UNKNOWN

_T = TypeVar("_T")
Maybe: TypeAlias = _T | Literal[Unknown.UNKNOWN]


class Span(NamedTuple):
    """A piece of source text: 1-based lines, 1-based columns in characters, the end exclusive.

    A named tuple, not a dataclass: a large project has some hundred thousand of them.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Location(NamedTuple):
    """A span in a file. `path` is relative to the project's root, with forward slashes."""

    path: str
    span: Span


class ModelKey(NamedTuple):
    """A model as Django's state keys it: the app's label, and the model's name in lower case."""

    app_label: str
    name: str

    def __str__(self) -> str:
        return f"{self.app_label}.{self.name}"


class SwappableRef(NamedTuple):
    """A model named by a setting (``AUTH_USER_MODEL``) that nothing in the project resolves."""

    setting: str

    def __str__(self) -> str:
        return f"settings.{self.setting}"


ModelRef: TypeAlias = ModelKey | SwappableRef


class MigrationKey(NamedTuple):
    """A node of the graph. `name` may be ``__first__`` or ``__latest__`` in a dependency."""

    app_label: str
    name: str

    def __str__(self) -> str:
        return f"{self.app_label}.{self.name}"


class FieldKind(enum.Enum):
    """What a field is for the database."""

    COLUMN = "column"  # one column named `db_column` or the field's name
    FOREIGN_KEY = "foreign key"  # one column named `db_column` or `<name>_id`
    MANY_TO_MANY = "many-to-many"  # no column; a table of its own, or that of `through`
    VIRTUAL = "virtual"  # neither column nor table: GenericForeignKey, GenericRelation
    UNKNOWN = "unknown"  # a class nobody knows: may be any of these


# Python 3.11 takes ten times as long to find it as `FieldKind.MANY_TO_MANY`, and it is asked for very often.
_MANY_TO_MANY: Final = FieldKind.MANY_TO_MANY
_COLUMN: Final = FieldKind.COLUMN
_FOREIGN_KEY: Final = FieldKind.FOREIGN_KEY
# Django's own classes of foreign keys.
FOREIGN_KEY: Final = "django.db.models.ForeignKey"
_OWN_KEYS: Final = frozenset({FOREIGN_KEY, "django.db.models.OneToOneField"})


@frozen
class Relation:
    """The arguments of a foreign key or a many-to-many field that decide about tables, columns and names.

    `to` and `through` are resolved: ``"self"`` and a bare ``"Book"`` have become the key they stand for, and a
    setting the model it names where that is known. For a custom many-to-many class with a default through model
    (``TaggableManager``: ``taggit.TaggedItem``) `through` is that default when the argument is absent.
    """

    to: Maybe[ModelRef]
    through: Maybe[ModelRef | None] = None
    through_fields: Maybe[tuple[str, ...] | None] = None
    db_table: Maybe[str | None] = None
    db_constraint: Maybe[bool] = True
    symmetrical: Maybe[bool | None] = None
    related_name: Maybe[str | None] = None
    related_query_name: Maybe[str | None] = None
    to_field: Maybe[str | None] = None
    one_to_one: bool = False
    # Columns that a many-to-many class adds to the automatic table beside id and the two foreign keys
    # (SortedManyToManyField: ("sort_value",)); UNKNOWN for a class whose source nobody could read.
    auto_columns: Maybe[tuple[str, ...]] = ()
    # As the source spells them ("library.Authorship"), for messages; not part of what the field is.
    to_label: str | None = declare(default=None, compare=False)
    through_label: str | None = declare(default=None, compare=False)


@frozen
class Field:
    """A model field as a migration writes it (`Field.deconstruct()` read from source).

    `class_path` is the dotted path of the class as Django deconstructs it, for Django's own fields in the public
    form: ``django.db.models.ManyToManyField``. `options` holds every argument that is not an attribute here and that
    could be read, sorted by name; a value that could not be read is UNKNOWN. Arguments left out are their default.
    """

    class_path: str
    kind: FieldKind
    null: Maybe[bool] = False
    unique: Maybe[bool] = False
    primary_key: Maybe[bool] = False
    db_column: Maybe[str | None] = None
    db_index: Maybe[bool | None] = None
    has_default: Maybe[bool] = False
    has_db_default: Maybe[bool] = False
    auto_created: Maybe[bool] = False
    max_length: Maybe[int | None] = None
    relation: Relation | None = None
    options: tuple[tuple[str, object], ...] = ()
    # The class adds columns that no migration shows, or its database side is its own: only its name is certain.
    class_known: bool = True
    span: Span | None = declare(default=None, compare=False)
    # Spans of whole keyword arguments ("through='app.Model'"), for relations only: ("through", Span), …
    argument_spans: tuple[tuple[str, Span], ...] = declare(default=(), compare=False)

    @property
    def many_to_many(self) -> bool:
        return self.kind is _MANY_TO_MANY

    @property
    def is_plain_column(self) -> bool:
        """Whether it is a column of one of Django's own classes, under its own name, and neither a key nor indexed."""
        return (
            self.kind is _COLUMN
            # Their fields are columns whatever else is installed.
            and self.class_path.startswith("django.db.models.")
            and self.primary_key is False
            and self.db_column is None
            # An index has a name, and two of one name do not go together.
            and self.unique is False
            and self.db_index in (None, False)
            and not self.class_path.endswith(("SlugField", "CompositePrimaryKey"))
        )

    @property
    def is_plain_key(self) -> bool:
        """Whether it is a foreign key of one of Django's own classes, to a primary key, under its own name, indexed."""
        relation = self.relation
        return (
            self.kind is _FOREIGN_KEY
            and self.class_path in _OWN_KEYS
            and self.class_known
            and self.primary_key is False
            and self.db_column is None
            and self.unique is False
            and self.db_index in (None, True)
            and relation is not None
            and relation.to is not UNKNOWN
            and relation.to_field is None
            and relation.db_constraint is True
            and not (self.options and "parent_link" in dict(self.options))
        )

    def argument_span(self, name: str) -> Span | None:
        """The span of keyword argument `name`, if it was written."""
        return next((span for key, span in self.argument_spans if key == name), None)


class ReaderGap(NamedTuple):
    """Something a reader could not tell, and what is therefore not known."""

    reason: str  # "depends on a setting", "the operations come from a function that is not in the project"
    unchecked: str  # what is not checked because of it, for MTM902
    span: Span | None


@frozen
class Operation:
    """Base of all operations.

    `class_path` is set when the class is not Django's own but a subclass of it; `overrides` then holds the methods
    among ``state_forwards``, ``database_forwards``, ``database_backwards`` that the subclass replaces, so that what
    those do is unknown.
    """

    class_path: str | None = None
    overrides: frozenset[str] = frozenset()
    span: Span | None = declare(default=None, compare=False)


@frozen
class Recognised(Operation):
    """An operation that is told from others and not taken apart: where somebody asked to be brief, and only there.

    `kind` is its class: AddField or AlterField with a plain column or foreign key (`Field.is_plain_column`,
    `Field.is_plain_key`), RemoveField, AlterModelOptions of a managed model, or one about an index, a constraint or
    unique sets of more than one field. `name` is the field's or the option's, and `to` what a foreign key (no
    OneToOneField) points at. `labels` are the names that it gives to indexes, `fields` those of the fields that they
    cover. It is what stands in the migration's `text` from `start` up to `end`.
    """

    kind: type[Operation]
    model_name: str
    name: str = ""
    to: ModelKey | None = None
    labels: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    start: int = 0
    end: int = 0


@frozen
class NamedField:
    """One pair of `CreateModel.fields`."""

    name: str
    field: Field
    span: Span | None = declare(default=None, compare=False)  # of the name's string and the call together


@frozen
class Constraint:
    """A constraint or an index: class path, name, the fields it covers in order, and whether it is a plain unique set.

    `plain_unique` is true for a UniqueConstraint of fields alone: no condition, expressions, deferrable, opclasses,
    include or nulls_distinct.
    """

    class_path: str
    name: Maybe[str | None] = None
    fields: Maybe[tuple[str, ...]] = ()
    plain_unique: bool = False
    span: Span | None = declare(default=None, compare=False)


@frozen
class ModelOptions:
    """What of a model's `options` and `bases` decides about tables; the rest is not kept."""

    db_table: Maybe[str | None] = None
    managed: Maybe[bool] = True
    proxy: Maybe[bool] = False
    swappable: Maybe[str | None] = None
    abstract: Maybe[bool] = False
    unique_together: Maybe[frozenset[tuple[str, ...]]] = frozenset()
    index_together: Maybe[frozenset[tuple[str, ...]]] = frozenset()
    constraints: Maybe[tuple[Constraint, ...]] = ()
    indexes: Maybe[tuple[Constraint, ...]] = ()
    order_with_respect_to: Maybe[str | None] = None
    # Models (not mixin classes) among the bases: ("library.base",) for multi-table inheritance.
    bases: Maybe[tuple[ModelRef, ...]] = ()
    # ("db_table", Span), ("unique_together", Span) … of the entries in the options dictionary.
    entry_spans: tuple[tuple[str, Span], ...] = declare(default=(), compare=False)

    def entry_span(self, name: str) -> Span | None:
        """The span of the options entry `name`, key and value, if it was written."""
        return next((span for key, span in self.entry_spans if key == name), None)


@frozen
class CreateModel(Operation):
    """`name` keeps its letter case; `fields` are in order. `fields_complete` is false when some could not be read.

    `links_complete` is false when one whose name, class or presence could not be told may be a many-to-many.
    """

    name: str
    fields: tuple[NamedField, ...] = ()
    fields_complete: bool = True
    links_complete: bool = True
    options: ModelOptions = ModelOptions()


@frozen
class DeleteModel(Operation):
    name: str


@frozen
class RenameModel(Operation):
    old_name: str
    new_name: str


@frozen
class AlterModelTable(Operation):
    name: str
    table: Maybe[str | None]


@frozen
class AlterTogether(Operation):
    """AlterUniqueTogether (`option_name` ``unique_together``) or AlterIndexTogether (``index_together``)."""

    name: str
    option_name: str
    value: Maybe[frozenset[tuple[str, ...]]]


@frozen
class AlterOrderWithRespectTo(Operation):
    name: str
    order_with_respect_to: Maybe[str | None]


@frozen
class AlterModelOptions(Operation):
    """`options` holds what of ALTER_OPTION_KEYS matters here: ``managed``, absent from the operation meaning True."""

    name: str
    managed: Maybe[bool] = True


@frozen
class NoDatabaseChange(Operation):
    """An operation that touches no table, column or constraint: AlterModelManagers, AlterModelTableComment,
    extensions, triggers of known packages. `name` is the model it is about, where it has one."""

    name: str | None = None


@frozen
class AddField(Operation):
    model_name: str
    name: str
    field: Field
    preserve_default: Maybe[bool] = True


@frozen
class RemoveField(Operation):
    model_name: str
    name: str


@frozen
class AlterField(Operation):
    model_name: str
    name: str
    field: Field
    preserve_default: Maybe[bool] = True


@frozen
class RenameField(Operation):
    model_name: str
    old_name: str
    new_name: str


@frozen
class AddConstraint(Operation):
    """Also the variants of django.contrib.postgres that add one (AddConstraintNotValid)."""

    model_name: str
    constraint: Constraint


@frozen
class RemoveConstraint(Operation):
    model_name: str
    name: Maybe[str]


@frozen
class AlterConstraint(Operation):
    """State only (Django 5.2+): the database is not touched."""

    model_name: str
    name: Maybe[str]
    constraint: Constraint


@frozen
class AddIndex(Operation):
    """Also AddIndexConcurrently."""

    model_name: str
    index: Constraint


@frozen
class RemoveIndex(Operation):
    """Also RemoveIndexConcurrently."""

    model_name: str
    name: Maybe[str]


@frozen
class RenameIndex(Operation):
    model_name: str
    new_name: Maybe[str]
    old_name: Maybe[str | None] = None
    old_fields: Maybe[tuple[str, ...] | None] = None


@frozen
class SeparateDatabaseAndState(Operation):
    database_operations: tuple[Operation, ...] = ()
    state_operations: tuple[Operation, ...] = ()


@frozen
class RunSQL(Operation):
    """`sql` and `reverse_sql` are the pieces in order, a lone string being one piece; a piece may hold several
    statements, and may be UNKNOWN (a string built at run time). ``RunSQL.noop`` is ``()``; no reverse is ``None``."""

    sql: tuple[Maybe[str], ...]
    reverse_sql: tuple[Maybe[str], ...] | None = None
    state_operations: tuple[Operation, ...] = ()


class Store(NamedTuple):
    """One place in code that stores rows: of one of `models`, else what one of the names in `words` leads to
    (``book.authors.add(…)``); nothing that matters when both are empty."""

    models: frozenset[ModelKey]
    words: frozenset[str]


@frozen
class CodeFacts:
    """What can be told of a RunPython function from its source, helpers in the project followed.

    `models` are the keys of literal ``apps.get_model`` calls (a model imported directly counts as well); `names` every
    attribute, keyword argument and identifier-like string in it, so that "does it mention this field" has an answer;
    `sql` the string constants that look like SQL. `uses_connection`: it executes SQL or uses the schema editor.
    `settings` are the settings that nothing in the project resolves and that name a model which the code takes.
    `stores` are the places where it stores rows, ``None`` when not all of them can be told. `opaque` says why a part
    could not be followed, ``None`` when all could.
    """

    name: str
    models: frozenset[ModelKey] = frozenset()
    settings: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    sql: tuple[str, ...] = ()
    uses_connection: bool = False
    stores: frozenset[Store] | None = None
    opaque: str | None = None


@frozen
class RunPython(Operation):
    """`code` is ``None`` for ``RunPython.noop``. `reversible` is false when there is no `reverse_code`."""

    code: Maybe[CodeFacts | None]
    reversible: Maybe[bool] = True


@frozen
class ConditionalOperations(Operation):
    """Operations that run or not by something only running code tells (a setting, the database's vendor).

    Each branch is one possibility (an empty branch where nothing may run). What they touch is unknown afterwards,
    unless all branches leave the same.
    """

    branches: tuple[tuple[Operation, ...], ...]
    reason: str


@frozen
class UnknownOperation(Operation):
    """An element of an operations list that could not be read, or an operation class nobody knows.

    `models` are the models it names (lower case; ``model_name=`` or ``name=`` of an unknown class) and `fields` the
    fields on them; both UNKNOWN when not even that can be told: then it may touch every model of the app.
    """

    reason: str
    models: Maybe[frozenset[ModelKey]] = UNKNOWN
    fields: Maybe[frozenset[str]] = UNKNOWN


@frozen
class Dependency:
    """`key.name` may be ``__first__`` or ``__latest__``. `swappable` is the setting of a swappable_dependency; `key` is
    ``None`` when that setting could not be resolved."""

    key: MigrationKey | None
    swappable: str | None = None
    span: Span | None = declare(default=None, compare=False)


@frozen
class Migration:
    """One migration file.

    `dependencies_complete` and `replaces_complete` are false when a part could not be read. `gaps` is what else could
    not be read, for MTM902. `text` is what the file holds, where some of the operations are only `Recognised`.
    """

    app_label: str
    name: str
    path: str
    dependencies: tuple[Dependency, ...] = ()
    run_before: tuple[MigrationKey, ...] = ()
    replaces: tuple[MigrationKey, ...] = ()
    initial: Maybe[bool | None] = None
    atomic: Maybe[bool] = True
    operations: tuple[Operation, ...] = ()
    dependencies_complete: bool = True
    replaces_complete: bool = True
    gaps: tuple[ReaderGap, ...] = declare(default=(), compare=False)
    text: str | None = declare(default=None, compare=False)

    @property
    def key(self) -> MigrationKey:
        return MigrationKey(self.app_label, self.name)


class UnreadFile(NamedTuple):
    """A file that should be a migration and could not be read at all (MTM901)."""

    path: str
    app_label: str
    name: str
    reason: str
    span: Span | None


@frozen
class App:
    """An app of the project that has migrations.

    `path` is its migrations folder. `default_auto_field` is the class of automatic primary keys of the models in
    models.py: the app configuration's, else the project's setting, else UNKNOWN. Tables are not made by it: see
    `Project.default_auto_field`.
    """

    label: str
    path: str
    default_auto_field: Maybe[str] = UNKNOWN


@frozen
class Project:
    """All that a reader yields. `root` is not in here: every path is relative to it.

    `swappable` maps settings to the models they name, as configured or found in the project's settings files.
    `vendor` is the database the settings name (postgresql, mysql, sqlite, oracle), UNKNOWN when they do not say.
    `default_auto_field` is the setting, and the class of every automatic primary key that migrations make, those of
    automatic link tables too: to them each app has a stub for its configuration (django/db/migrations/state.py,
    ``AppConfigStub``), so that what the real one says counts for makemigrations only.
    `silent` are the paths of files that certainly hold no comment for lint-m2m; nobody need look for one there.
    """

    apps: tuple[App, ...]
    migrations: tuple[Migration, ...]
    unread: tuple[UnreadFile, ...] = ()
    swappable: tuple[tuple[str, str], ...] = ()
    vendor: Maybe[str] = UNKNOWN
    default_auto_field: Maybe[str] = UNKNOWN
    silent: frozenset[str] = declare(default=frozenset(), compare=False)

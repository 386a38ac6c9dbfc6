"""The facts that the sequences for an added `through=` share, and whether the old table can be kept.

`Switch` compares the automatic table with the through model that the migration wants and says what of the model the
table already is (the state-only CreateModel) and what has to come after it (real operations).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    Constraint,
    CreateModel,
    FieldKind,
    ModelKey,
    NoDatabaseChange,
    Operation,
    RemoveField,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    UnknownOperation,
)
from lint_m2m.replay.models import FieldState
from lint_m2m.replay.names import Names
from lint_m2m.sequences.codegen import Writer, plain, renamed_call, with_argument, without_comments
from lint_m2m.sequences.filling import is_now, may_be_empty
from lint_m2m.sequences.layout import Bracket, Item, Node, text
from lint_m2m.sequences.situations import model_of
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import ChangeKind, Link, PlacedOperation, Situation, Through
from lint_m2m.values import declare, frozen, replace, slotted

# Classes of keys that the database counts, as an automatic table has one.
INTEGER_KEYS = frozenset({"AutoField", "BigAutoField", "SmallAutoField"})
# Options of a CreateModel that are about tables, constraints and indexes, and so are not simply taken over.
_OWN_OPTIONS = ("db_table", "unique_together", "constraints", "indexes", "order_with_respect_to", "db_table_comment")
_REFUSED_OPTIONS = ("index_together", "db_tablespace")


@frozen
class Extra:
    """A further field of the through model: `filled` says what rows that are there already get.

    "null": nothing, the column may be null; "database": the database's own default; "default": Django's default;
    "now" and "empty": what Django puts in for auto_now_add and for blank text; "own": only its author knows.
    """

    field: FieldState
    node: Bracket
    filled: str


@frozen
class Switch:
    """What becomes of the automatic table `link.table` when it is the table of `through`."""

    link: Link
    through: Through
    key: Item  # ("id", …) as the table has it
    key_after: Bracket | None  # as the user has it, where that is another class
    source: Bracket  # the foreign keys as the table has them
    target: Bracket
    # As the user wants them: the same, or what a real AlterField has to make of them.
    source_after: Bracket
    target_after: Bracket
    source_differs: bool  # in more than the column's name
    target_differs: bool
    source_pinned: bool  # the table's column is not the one that the user's definition has
    target_pinned: bool
    options: tuple[Item, ...]  # of the CreateModel, without those about the table
    unique: tuple[str, ...] | None  # the pair, as the user spells it
    unique_declared: bool  # by the user's model, as unique_together or as a constraint
    together: frozenset[tuple[str, ...]]  # unique_together in the end
    replaces_unique: bool  # the user has a named constraint for the pair
    extras: tuple[Extra, ...]
    later: tuple[Node, ...]  # constraints, indexes, order, comment: real operations after the fields
    moved: tuple[Node, ...]  # the user's own operations on the model that change only the state
    create_arguments: tuple[Item, ...]  # bases=, managers=
    wanted_table: str | None  # `db_table` of the user's model, if it has one
    named_alike: bool  # the table is called as that of a model of this name is
    gone: tuple[PlacedOperation, ...]  # what the new operations stand for
    place: PlacedOperation | None  # where the switch goes, and where the real operations go
    last: PlacedOperation | None


# The change itself, as it was written; other kinds are about what one has left.
WRITTEN = frozenset({ChangeKind.ADD_THROUGH, ChangeKind.RECREATED})


def adds_through(situation: Situation, kinds: Collection[ChangeKind] = WRITTEN) -> bool:
    """Whether the change is automatic -> custom, by AlterField or by removing and adding the field."""
    if situation.kind not in kinds or not written_once(situation):
        return False
    old, new = situation.old, situation.new
    if old is None or new is None or not (old.field.many_to_many and new.field.many_to_many):
        return False
    if old.field.relation is None or new.field.relation is None or old.uncertain or new.uncertain:
        return False
    if old.field.relation.through is not None or new.field.relation.through in (None, UNKNOWN):
        return False
    if old.field.relation.to != new.field.relation.to or old.field.relation.auto_columns != ():
        return False
    return situation.kind is not ChangeKind.RECREATED or situation.is_removed


def written_once(situation: Situation) -> bool:
    """Whether the migration writes the field once and renames nothing: then what was before the migration was so just
    before the operation, too."""
    key = situation.key
    written = removed = 0
    for one in situation.operations:
        match one.operation:
            case RenameModel():
                return False
            case RenameField(model_name=model, old_name=old, new_name=new):
                if model.lower() == key.model and key.name in (old, new):
                    return False
            case RemoveField(model_name=model, name=name):
                removed += (model.lower(), name) == (key.model, key.name)
            case AddField(model_name=model, name=name) | AlterField(model_name=model, name=name):
                written += (model.lower(), name) == (key.model, key.name)
            case _:
                pass
    return written <= 1 and removed <= 1


def ready_for(placed: PlacedOperation, through: Through) -> bool:
    """Whether the new through model is by then what it is after the migration."""
    limit = int(placed.address.partition(".")[0])
    return all(int(one.address.partition(".")[0]) <= limit for one in through.touching)


def untouched_until(placed: PlacedOperation, model: ModelKey, situation: Situation) -> bool:
    """Whether a model is by then still what it was before the migration."""
    migration, limit = situation.migration, int(placed.address.partition(".")[0])
    if migration is None or migration.app_label != model.app_label:
        return True
    return not any(
        model_of(one.operation) == model.name and int(one.address.partition(".")[0]) < limit
        for one in situation.operations
    )


def alteration(situation: Situation) -> PlacedOperation | None:
    """The AlterField (or AddField) that gives the field its `through=`."""
    wanted = situation.guilty
    if wanted is not None and _is_alteration(wanted.operation, situation):
        return wanted
    return next((one for one in situation.operations if _is_alteration(one.operation, situation)), None)


def _is_alteration(operation: Operation, situation: Situation) -> bool:
    kinds = (AlterField, AddField) if situation.kind is ChangeKind.RECREATED else (AlterField,)
    return (
        isinstance(operation, kinds)
        and operation.model_name.lower() == situation.key.model
        and operation.name == situation.key.name
    )


def alter_node(situation: Situation, writer: Writer) -> Bracket:
    """The AlterField of the change: the user's own, or made of their AddField; new when there is no migration."""
    placed = alteration(situation)
    if placed is None:
        if situation.kind is ChangeKind.TABLE_EXISTS and situation.old is not None and situation.through is not None:
            model = situation.through.model
            label = writer.literal(f"{model.key.app_label}.{model.name}")
            field = without_comments(writer.field(situation.old))
            assert isinstance(field, Bracket)
            # ManyToManyField.__init__ refuses `db_table` beside `through`.
            field = with_argument(field.without("db_table"), "through", label)
            return writer.alter_field(situation.key.model, situation.key.name, field)
        if situation.migration is not None or situation.new is None:
            raise Unwritable("the AlterField was not found")
        return writer.alter_field(situation.key.model, situation.key.name, writer.field(situation.new))
    node = writer.operation_at(placed.operation.span)
    if isinstance(placed.operation, AddField):
        node = renamed_call(node.without("preserve_default"), writer.migrations("AlterField"))
    return replace(node, exploded=True)


def keepable(situation: Situation, kinds: Collection[ChangeKind] = WRITTEN) -> bool:
    """Whether the automatic table can become the through model's: it exists, and the model has no table yet."""
    link, through = situation.link, situation.through
    if not adds_through(situation, kinds) or link is None or through is None or through.fact is not None:
        return False
    if situation.migration is not None and not through.in_migration:
        return False
    if through.source is None or through.target is None or through.model.uncertain is not None:
        return False
    options = through.model.options
    if options.managed is not True or options.proxy is not False or options.bases != ():
        return False
    if options.unique_together is UNKNOWN or options.constraints is UNKNOWN or options.indexes is UNKNOWN:
        return False
    if options.order_with_respect_to is UNKNOWN or options.db_table is UNKNOWN:
        return False
    if link.table.columns is not UNKNOWN and len(link.table.columns) != 3:
        return False
    key = through.primary_key
    if key is not None and (key.name != "id" or key.field.class_path.rpartition(".")[2] not in INTEGER_KEYS):
        return False
    if any(not is_link(one) for one in (through.source, through.target)):
        return False
    around = [one for one in situation.operations if _between(one, situation)]
    return not any(isinstance(one.operation, RunPython | RunSQL | UnknownOperation) for one in around)


def is_link(state: FieldState) -> bool:
    """Whether a foreign key can be one of an automatic table's."""
    relation = state.field.relation
    return (
        state.field.kind is FieldKind.FOREIGN_KEY
        and state.field.class_path == "django.db.models.ForeignKey"
        and relation is not None
        and not relation.one_to_one
        and relation.to_field is None
        and state.field.unique is False
    )


def _between(placed: PlacedOperation, situation: Situation) -> bool:
    """Whether an operation stands between the through model's CreateModel and the AlterField."""
    first = next((one for one in situation.through.touching), None) if situation.through else None
    last = alteration(situation)
    if first is None or last is None or "." in placed.address or "." in first.address or "." in last.address:
        return False
    return int(first.address) < int(placed.address) < int(last.address)


def switch(situation: Situation, writer: Writer, holder: PlacedOperation | None = None) -> Switch:
    """The facts of keeping the table; only for situations that are `keepable`."""
    return Reading(situation, writer, holder=holder).read()


def held(placed: PlacedOperation, holder: PlacedOperation) -> bool:
    """Whether an operation is one of the holder's state operations."""
    head, _, rest = placed.address.removeprefix(f"{holder.address}.state.").rpartition(".")
    return placed.address.startswith(f"{holder.address}.state.") and not head and rest.isdigit()


@slotted()
class Reading:
    """Reads what the migration says of the through model; `later` and `moved` fill as it goes on."""

    situation: Situation
    writer: Writer
    moved: list[Node] = declare(default_factory=list)
    later: list[Node] = declare(default_factory=list)
    constraints: list[Constraint] = declare(default_factory=list)
    # The state-only operation that has the CreateModel and the AlterField in it, where it is to be written anew.
    holder: PlacedOperation | None = None

    def read(self) -> Switch:
        link, through = self.situation.link, self.situation.through
        assert link is not None
        assert through is not None
        assert through.source is not None
        assert through.target is not None
        create = self.create_arguments(through)
        options = self.options(create)
        for placed in through.touching:
            self.touch(placed)
        source, source_after, source_differs, source_pinned = self._foreign_key(through.source, link.columns[0])
        target, target_after, target_differs, target_pinned = self._foreign_key(through.target, link.columns[1])
        key, key_after = self._key(through, link)
        together = through.model.options.unique_together
        assert together is not UNKNOWN
        pair = (through.source.name, through.target.name)
        declared = any(frozenset(one) == frozenset(pair) for one in together)
        named = [one for one in self.constraints if is_unique_of(one, pair)]
        # In the table's order: Django looks for the set to drop by its columns in order (`_constraint_names`).
        unique: tuple[str, ...] | None = pair
        if link.table.uniques is not UNKNOWN and not any(
            one.columns == frozenset(link.columns) for one in link.table.uniques
        ):
            unique = None
        elif not named and not declared:
            together = together | {pair}
        wanted = through.model.options.db_table
        gone = self._gone(through)
        place, last = self._places(through, gone)
        return Switch(
            link=link,
            through=through,
            key=key,
            key_after=key_after,
            source=source,
            target=target,
            source_after=source_after,
            target_after=target_after,
            source_differs=source_differs,
            target_differs=target_differs,
            source_pinned=source_pinned,
            target_pinned=target_pinned,
            options=options,
            unique=unique,
            unique_declared=declared or bool(named),
            together=frozenset(together),
            replaces_unique=bool(named),
            extras=tuple(self.extra(one) for one in through.extras),
            later=tuple(self.later),
            moved=tuple(self.moved),
            create_arguments=tuple(item for item in create.items if item.prefix in ("bases=", "managers=")),
            named_alike=Names(self.situation.vendor).default_table(*through.model.key) == link.table.name,
            wanted_table=None if wanted is UNKNOWN or not wanted else wanted,
            gone=gone,
            place=place,
            last=last,
        )

    # -- the CreateModel

    def create_arguments(self, through: Through) -> Bracket:
        """The model's CreateModel."""
        placed = next((one for one in through.touching if isinstance(one.operation, CreateModel)), None)
        if placed is None:
            return self.writer.operation("CreateModel", ("name", self.writer.literal(through.model.name)))
        migration = self.situation.migration
        assert migration is not None
        return self.writer.create_model_at(migration.path, placed.operation.span)

    def options(self, create: Bracket) -> tuple[Item, ...]:
        """The entries to take over; those about constraints and the like become operations."""
        item = create.item("options")
        if item is None:
            if any(one.prefix in ("", "**") for one in create.items):
                raise Unwritable("the arguments of the through model's CreateModel are not written one by one")
            return ()
        if not isinstance(item.value, Bracket) or item.value.opening != "{":
            raise Unwritable("the options of the through model are no plain dictionary")
        kept: list[Item] = []
        name = self.through_name
        for entry in item.value.items:
            option = entry.prefix.removesuffix(": ").strip("\"'")
            if option in _REFUSED_OPTIONS:
                raise Unwritable(f"nothing is known of what the option `{option}` of the through model comes to")
            if option not in _OWN_OPTIONS:
                kept.append(entry)
            elif option == "order_with_respect_to" and plain(entry.value) != "None":
                self.later.append(
                    self.writer.operation(
                        "AlterOrderWithRespectTo", ("name", name), ("order_with_respect_to", entry.value)
                    )
                )
            elif option == "db_table_comment":
                self.later.append(
                    self.writer.operation("AlterModelTableComment", ("name", name), ("table_comment", entry.value))
                )
        self._listed(item.value)
        return tuple(kept)

    def _listed(self, options: Bracket) -> None:
        """Constraints and indexes in the options: each an operation of its own."""
        create = next((one.operation for one in self.touching if isinstance(one.operation, CreateModel)), None)
        for option, operation, argument in (
            ("constraints", "AddConstraint", "constraint"),
            ("indexes", "AddIndex", "index"),
        ):
            entry = next((one for one in options.items if one.prefix.strip("\"': ") == option), None)
            if entry is None:
                continue
            if not isinstance(entry.value, Bracket) or entry.value.opening not in ("[", "("):
                raise Unwritable(f"the {option} of the through model are no plain list")
            for item in entry.value.items:
                self.later.append(
                    self.writer.operation(operation, ("model_name", self.through_name), (argument, item.value))
                )
            known = None if create is None else create.options.constraints
            if option == "constraints" and known is not None and known is not UNKNOWN:
                self.constraints += known

    @property
    def touching(self) -> tuple[PlacedOperation, ...]:
        return () if self.situation.through is None else self.situation.through.touching

    @property
    def through_name(self) -> Node:
        assert self.situation.through is not None
        return self.writer.literal(self.situation.through.model.key.name)

    def touch(self, placed: PlacedOperation) -> None:
        """What becomes of another operation of the migration that is about the through model."""
        operation = placed.operation
        if "." in placed.address and (self.holder is None or not held(placed, self.holder)):
            raise Unwritable("a part of another operation is about the through model")
        match operation:
            case CreateModel() | AddField() | AlterField() | AlterTogether(option_name="unique_together"):
                return  # what it comes to is in the model's state
            case AlterModelTable():
                return
            case AddConstraint():
                self.constraints.append(operation.constraint)
                self.later.append(self._verbatim(operation))
            case AddIndex() | AlterOrderWithRespectTo():
                self.later.append(self._verbatim(operation))
            case AlterModelOptions() | NoDatabaseChange():
                self.moved.append(self._verbatim(operation))
            case _:
                raise Unwritable(f"`{type(operation).__name__}` changes the through model in the same migration")

    def _verbatim(self, operation: Operation) -> Node:
        return replace(self.writer.operation_at(operation.span), exploded=True)

    # -- fields

    def _key(self, through: Through, link: Link) -> tuple[Item, Bracket | None]:
        writer = self.writer
        state = through.primary_key
        if state is None:
            return Item(value=named_field(writer, "id", writer_key(writer, link.key_type or "BigAutoField"))), None
        node = writer.field(state)
        own = state.field.class_path.rpartition(".")[2]
        if link.key_type in (None, own) or link.key_type not in INTEGER_KEYS:
            return Item(value=named_field(writer, "id", node)), None
        return Item(value=named_field(writer, "id", writer_key(writer, link.key_type))), node

    def _foreign_key(self, state: FieldState, column: str) -> tuple[Bracket, Bracket, bool, bool]:
        """The key as the table has it and as the user wants it; whether that differs, and whether its column does."""
        writer = self.writer
        wanted = writer.field(state)
        own = state.field
        relation = own.relation
        assert relation is not None
        was = self.situation.old.field.relation if self.situation.old else None
        there = wanted.without("null", "unique", "db_index", "db_column", "db_constraint")
        default = column == f"{state.name}_id"
        if not default:
            there = with_argument(there, "db_column", writer.literal(column))
        if was is not None and was.db_constraint is False:
            there = with_argument(there, "db_constraint", text("False"))
        on_delete = wanted.item("on_delete")
        in_database = on_delete is not None and plain(on_delete.value).rpartition(".")[2].startswith("DB_")
        if in_database:
            there = with_argument(there, "on_delete", text(writer.models("CASCADE")))
        own_column = own.db_column or f"{state.name}_id"
        differs = (
            own.null is not False
            or own.db_index is False
            or in_database
            or (was is not None and was.db_constraint != relation.db_constraint)
        )
        if not differs and own_column == column:
            return wanted, wanted, False, False
        return there, wanted, differs, own_column != column

    def extra(self, state: FieldState) -> Extra:
        """A further field, and what rows that are there already get."""
        own = state.field
        node = self.writer.field(state)
        if own.kind is FieldKind.UNKNOWN or own.null is UNKNOWN:
            raise Unwritable(f"nobody knows what kind of field `{state.name}` is")
        filled = "own"
        if own.kind is FieldKind.MANY_TO_MANY or own.null is True:
            filled = "null"
        elif own.has_db_default is True:
            filled = "database"
        elif own.unique is True or (own.relation is not None and own.relation.one_to_one):
            filled = "own"
        elif own.has_default is True:
            filled = "default"
        elif is_now(node):
            filled = "now"
        elif may_be_empty(node, state):
            filled = "empty"
        return Extra(field=state, node=node, filled=filled)

    # -- places

    def _gone(self, through: Through) -> tuple[PlacedOperation, ...]:
        situation = self.situation
        if situation.migration is None:
            return ()
        alter = alteration(situation)
        if alter is None and situation.kind is not ChangeKind.TABLE_EXISTS:
            raise Unwritable("the AlterField was not found")
        gone = [*through.touching, *([alter] if alter else []), *([situation.removal] if situation.removal else [])]
        if self.holder is not None:
            gone = [self.holder, *(one for one in gone if not held(one, self.holder))]
        if any("." in one.address or one.operation.span is None for one in gone):
            raise Unwritable("the operations do not stand in the migration's own list")
        unique = {one.address: one for one in gone}
        return tuple(sorted(unique.values(), key=lambda one: int(one.address)))

    def _places(
        self, through: Through, gone: tuple[PlacedOperation, ...]
    ) -> tuple[PlacedOperation | None, PlacedOperation | None]:
        """Where the switch goes: to the AlterField, unless something before that needs the through model."""
        if not gone:
            return None, None
        if self.holder is not None:
            return self.holder, gone[-1]
        alter = alteration(self.situation)
        if alter is None:
            return gone[0], gone[-1]
        taken = {one.address for one in gone}
        first = int(gone[0].address)
        before = [
            one
            for one in self.situation.operations
            if "." not in one.address and first < int(one.address) < int(alter.address) and one.address not in taken
        ]
        if any(through.model.key in set(referred(one.operation)) for one in before):
            return gone[0], gone[-1]
        return alter, max(gone, key=lambda one: int(one.address))


def columns_of(through: Through) -> tuple[str, str]:
    """The columns of the two foreign keys; only where both are known."""
    if through.source_column is None or through.target_column is None:
        raise Unwritable("the columns of the through model are not known")
    return through.source_column, through.target_column


def writer_key(writer: Writer, class_name: str) -> Bracket:
    """An automatic key that models.py names."""
    quiet = (("primary_key", text("True")), ("serialize", text("False")))
    return Bracket(
        opening=f"{writer.models(class_name)}(",
        items=tuple(Item(prefix=f"{name}=", value=value) for name, value in quiet),
        closing=")",
    )


def named_field(writer: Writer, name: str, node: Node) -> Bracket:
    """``("name", field)``, an element of `CreateModel.fields`."""
    return Bracket(opening="(", items=(Item(value=writer.literal(name)), Item(value=node)), closing=")")


def is_unique_of(constraint: Constraint, pair: Iterable[str]) -> bool:
    return (
        constraint.plain_unique and constraint.fields is not UNKNOWN and frozenset(constraint.fields) == frozenset(pair)
    )


def referred(operation: Operation) -> Iterator[ModelKey]:
    """The models that fields written by an operation point at."""
    match operation:
        case CreateModel():
            fields = [named.field for named in operation.fields]
        case AddField() | AlterField():
            fields = [operation.field]
        case _:
            return
    for one in fields:
        if one.relation is not None:
            for ref in (one.relation.to, one.relation.through):
                if isinstance(ref, ModelKey):
                    yield ref

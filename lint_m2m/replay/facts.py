"""What the replay says of one operation: the values that rules judge.

The replay computes them, because it needs them itself to go on (an operation that raises leaves other tables than one
that succeeds). Rules turn them into findings and decide what is worth saying. All values are frozen; tables are
described by snapshots (`TableFact`), because the ledger itself goes on changing.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from lint_m2m.finding import Certainty
from lint_m2m.migration import Location, Maybe, MigrationKey, ModelKey
from lint_m2m.values import NamedTuple, frozen


class FieldKey(NamedTuple):
    """A field: app label, model in lower case, field name. Its text is the ``field`` of the JSON form."""

    app_label: str
    model: str
    name: str

    @property
    def model_key(self) -> ModelKey:
        return ModelKey(self.app_label, self.model)

    def __str__(self) -> str:
        return f"{self.app_label}.{self.model}.{self.name}"


class Origin(NamedTuple):
    """Who wrote something: the migration, the operation's address in it ("3", "3.state.1"), and where that stands."""

    migration: MigrationKey
    address: str
    location: Location


def address_order(address: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts the addresses of one migration's operations as they run: the database side before the state."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in address.split("."))


class ColumnFact(NamedTuple):
    """A column. `type_name` is the field class that made it ("AutoField"), or SQL text; ``None``: not known."""

    name: str
    type_name: str | None = None
    not_null: Maybe[bool] = True
    primary_key: bool = False
    # The table a foreign key of this column points at, and the column there, as far as it is known.
    references: str | None = None
    target: str | None = None


@frozen
class UniqueFact:
    """A unique set that exists: its real name (``None`` when only the database knows it) and its columns.

    `constraint`: made as a table constraint (UniqueConstraint, unique_together), not as a bare unique index.
    """

    name: str | None
    columns: frozenset[str]
    constraint: bool = True


@frozen
class TableFact:
    """A table as it was at one moment.

    `uid` stays the same when the table is renamed. `auto_of` is the many-to-many field whose automatic table it was
    made as; `model` the model it was made for. `holds_rows`: it can have link rows at this moment (it was there before
    this migration, or rows were copied into it). `rows_from` are the uids of all tables whose link rows it holds or may
    hold. `columns` is UNKNOWN when something unread may have changed them.
    """

    uid: int
    name: str
    created: Origin | None
    auto_of: FieldKey | None = None
    model: ModelKey | None = None
    link: bool = False
    holds_rows: bool = False
    rows_from: frozenset[int] = frozenset()
    columns: Maybe[tuple[ColumnFact, ...]] = ()
    uniques: Maybe[tuple[UniqueFact, ...]] = ()


class FailureKind(enum.Enum):
    INCOMPATIBLE_FIELD = "incompatible field"  # AlterField: "they are not compatible types"
    TABLE_EXISTS = "table exists"
    COLUMN_EXISTS = "column exists"
    THROUGH_UNRESOLVED = "through unresolved"
    TARGET_UNRESOLVED = "target unresolved"  # `to` of a many-to-many names a model that is not there
    TARGET_GONE = "target gone"  # the same of a field that is altered, of whose model Django has no class any more
    KEY_LOST = "key lost"  # the same of a foreign key of a `through` model, which an operation needs the target of
    STATE_UNRENDERABLE = "state unrenderable"  # code renders the models, and a relation names one that is not there
    TABLE_MISSING = "table missing"
    COLUMN_MISSING = "column missing"
    CONSTRAINT_EXISTS = "constraint exists"
    CONSTRAINT_MISSING = "constraint missing"
    ROWS_VIOLATE = "rows violate"  # IntegrityError: the ids of the rows point at nothing
    TABLE_REFERENCED = "table referenced"  # a table that is dropped has foreign keys pointing at it


@frozen
class Failure:
    """An exception that the operation raises in `migrate`.

    `exception` is its type and text as the configured database words it ("ValueError: Cannot alter field …").
    `certainty` is CERTAIN only if everything it depends on is known; `reason` says what is not. `existing` is the table
    in the way, as it was (TABLE_EXISTS, CONSTRAINT_EXISTS); `dropped` who removed or renamed the missing one.
    """

    kind: FailureKind
    exception: str
    certainty: Certainty = Certainty.CERTAIN
    reason: str | None = None
    field: FieldKey | None = None
    model: ModelKey | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    existing: TableFact | None = None
    dropped: Origin | None = None
    # Further tables of the same statement, for the MySQL note: what this operation had already made before it failed.
    left_behind: tuple[str, ...] = ()


@frozen
class TableCreated:
    table: TableFact


@frozen
class TableDropped:
    """`table` as it was just before."""

    table: TableFact
    field: FieldKey | None = None


@frozen
class TableRenamed:
    """`table` as it is now; `old_name` what it was called."""

    old_name: str
    table: TableFact
    field: FieldKey | None = None


@frozen
class ColumnRenamed:
    table: TableFact
    old_name: str
    new_name: str


@frozen
class RowsCopied:
    """Rows went, or may have gone (`certain` false), from `sources` to `target`."""

    target: TableFact
    sources: tuple[TableFact, ...]
    certain: bool


Effect: TypeAlias = TableCreated | TableDropped | TableRenamed | ColumnRenamed | RowsCopied


@frozen
class DataOperation:
    """A RunPython, or a RunSQL that writes rows, at its place in the plan: what may have moved rows.

    `position` counts migrations in the plan. `models` and `tables` (folded names) are what it mentions; `fields` the
    many-to-many fields whose links it can reach (owner or target model and the field's name, or the through model, or
    the table). `links` are the uids of the tables it can read or write links in, whatever they were called then;
    `paired` those of them that it can copy to or from another one of them: those links went, or came, at once and not
    by a detour. `unread` says why a part of it could not be read, ``None`` when all of it was.
    """

    position: int
    origin: Origin
    models: frozenset[ModelKey] = frozenset()
    names: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    fields: frozenset[FieldKey] = frozenset()
    links: frozenset[int] = frozenset()
    paired: frozenset[int] = frozenset()
    unread: str | None = None

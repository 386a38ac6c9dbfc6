"""What one SQL statement does to tables, as values that the database ledger applies.

Names are spelled as Django spells them (see `lint_m2m.replay.sql`): without quotes, without schema, folded the way
the database folds them. Compare them through `comparable`, because databases differ in whether letter case counts.

Order matters: the effects of a text are in the order in which the ledger has to apply them.
"""

from __future__ import annotations

import enum

from lint_m2m.migration import Maybe
from lint_m2m.values import NamedTuple, frozen


@frozen
class SqlEffect:
    """Base of all effects.

    `schema` is the qualifier written before the (first) table's name. `if_table_exists` is true for ``ALTER TABLE IF
    EXISTS``: nothing happens when the table is not there. `conditional` is true when the statement runs only under a
    condition that the text itself makes (``IF`` in a ``DO`` block, a loop, a block with an exception handler):
    afterwards it is unknown whether it ran.
    """

    schema: str | None = None
    if_table_exists: bool = False
    conditional: bool = False


class SqlColumn(NamedTuple):
    """A column as SQL declares it. `type_text` is the type as written, ``None`` where the statement shows none.

    `references` is the table of a ``REFERENCES`` clause on the column.
    """

    name: str
    type_text: str | None = None
    not_null: bool = False
    primary_key: bool = False
    has_default: bool = False
    references: str | None = None


class SqlUnique(NamedTuple):
    """A unique set. `name` is ``None`` where the database chooses the name."""

    name: str | None
    columns: tuple[str, ...]


@frozen
class RenameTable(SqlEffect):
    """Table `old` is called `new` afterwards. `new_schema` is set when it also moves there.

    `statement`: by RENAME TABLE, not by ALTER TABLE.
    """

    old: str
    new: str
    new_schema: str | None = None
    statement: bool = False


@frozen
class CreateTable(SqlEffect):
    """A new table.

    `columns_complete` is false when it has more columns than could be told (``AS SELECT *``, ``LIKE``, ``INHERITS``).
    `sources` are the tables of ``AS SELECT`` (a `CopyRows` follows when rows arrive), `like` those whose columns alone
    are copied; `indexes` says that PostgreSQL copies their unique sets as well (``INCLUDING INDEXES``), as MySQL always
    does.
    """

    name: str
    columns: tuple[SqlColumn, ...] = ()
    columns_complete: bool = True
    primary_key: tuple[str, ...] = ()
    uniques: tuple[SqlUnique, ...] = ()
    sources: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    indexes: bool = False
    temporary: bool = False
    if_not_exists: bool = False


@frozen
class DropTable(SqlEffect):
    name: str
    if_exists: bool = False
    cascade: bool = False


@frozen
class AddColumn(SqlEffect):
    """A ``UNIQUE`` or ``REFERENCES`` on the column follows as an `AddConstraint` of its own."""

    table: str
    column: SqlColumn
    if_not_exists: bool = False


@frozen
class DropColumn(SqlEffect):
    table: str
    name: str
    if_exists: bool = False


@frozen
class RenameColumn(SqlEffect):
    table: str
    old: str
    new: str


@frozen
class AlterColumn(SqlEffect):
    """Type, default or nullability of a column that keeps its name."""

    table: str
    column: str


class ConstraintKind(enum.Enum):
    UNIQUE = "unique"
    PRIMARY_KEY = "primary key"
    FOREIGN_KEY = "foreign key"
    CHECK = "check"
    OTHER = "other"


@frozen
class AddConstraint(SqlEffect):
    """`columns` is UNKNOWN where an existing index (`using_index`) or an expression says them."""

    table: str
    name: str | None
    kind: ConstraintKind
    columns: Maybe[tuple[str, ...]] = ()
    references: str | None = None
    using_index: str | None = None
    if_not_exists: bool = False


@frozen
class DropConstraint(SqlEffect):
    """`name` is ``None`` where the statement names a kind or columns instead (``DROP PRIMARY KEY``, Oracle's
    ``DROP UNIQUE (a, b)``)."""

    table: str
    name: str | None
    if_exists: bool = False
    kind: ConstraintKind | None = None
    columns: tuple[str, ...] = ()


@frozen
class RenameConstraint(SqlEffect):
    """Of a constraint or an index (a unique constraint has the name of its index on PostgreSQL and MySQL).

    `table` is ``None`` for ``ALTER INDEX``.
    """

    table: str | None
    old: str
    new: str


@frozen
class CreateIndex(SqlEffect):
    """`columns` is UNKNOWN when `expression`: some part is not a plain column. `partial`: it has a WHERE clause."""

    table: str
    name: str | None
    columns: Maybe[tuple[str, ...]]
    unique: bool = False
    partial: bool = False
    expression: bool = False
    if_not_exists: bool = False


@frozen
class DropIndex(SqlEffect):
    """`table` where the statement says it (MySQL). On MySQL this is also how a unique constraint is dropped."""

    name: str
    table: str | None = None
    if_exists: bool = False


@frozen
class CopyRows(SqlEffect):
    """Rows of `sources` arrive in `target`.

    `columns` are the target's columns as listed, ``()`` when none are listed or some are put in at run time. `sources`
    are all tables the query reads, those the rows come from first, common table expressions and derived tables
    resolved; the target is among them only when there is no other. `whole` are the sources of which every row arrives:
    read without a join that drops rows, without WHERE, LIMIT or grouping. Conditions that drop no link are not counted
    as filters: ``column IS NOT NULL``, ``NOT EXISTS`` in the target, rows that are there already (``ON CONFLICT``,
    ``IGNORE``). `qualified` are the tables read that are named with a schema: they may be somebody else's.
    """

    target: str
    sources: tuple[str, ...]
    columns: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    qualified: frozenset[str] = frozenset()

    @property
    def full(self) -> bool:
        """Every row of the first source arrives."""
        return bool(self.sources) and self.sources[0] in self.whole


@frozen
class DeleteRows(SqlEffect):
    table: str
    all: bool


@frozen
class Truncate(SqlEffect):
    table: str
    cascade: bool = False


@frozen
class Harmless(SqlEffect):
    """Changes no table, column, constraint or index, and neither copies nor removes rows.

    `tables` are those it names, as far as that is told without parsing expressions; nothing may hang on it.
    """

    tables: tuple[str, ...] = ()


@frozen
class Unreadable(SqlEffect):
    """A statement that may do anything to the tables among `names` (lower case).

    `names` is every word in it, string constants included. `open` is true when it may touch tables it does not name:
    a table's name is a placeholder, or the statement is put together at run time.
    """

    text: str
    names: frozenset[str]
    reason: str
    open: bool = False


def comparable(name: str, vendor: Maybe[str]) -> str:
    """`name` in the form in which two names are the same to the database.

    PostgreSQL distinguishes ``"Book"`` from ``book``. SQLite never counts letter case; MySQL counts it for tables on
    some file systems only, and never for columns; Oracle's names are folded by `lint_m2m.replay.sql` already, while
    Django's may still have capitals; and of an unknown database the weaker comparison is the safe one.
    """
    return name if vendor == "postgresql" else name.lower()


def tables_of(effect: SqlEffect) -> frozenset[str]:
    """The tables that `effect` changes; for an `Unreadable` one every name in it, for a `Harmless` one none.

    For callers that make what a conditional or unreadable statement touches unknown. Tables that are only read are
    left out. A `DropIndex` without table has none.
    """
    match effect:
        case Harmless():
            return frozenset()
        case Unreadable(names=names):
            return names
        case RenameTable(old=old, new=new):
            return frozenset((old, new))
        case CreateTable(name=name) | DropTable(name=name):
            return frozenset((name,))
        case CopyRows(target=target):
            return frozenset((target,))
        case _:
            table = getattr(effect, "table", None)
            return frozenset() if table is None else frozenset((table,))

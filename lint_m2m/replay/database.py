"""The database ledger: the tables that exist, as `database_forwards` and raw SQL leave them.

`Database` is what a server's catalogue is: tables by name, columns, unique sets, indexes, and for each table who made
it and whose link rows it can hold. It changes only through the methods here, which neither judge nor raise; the schema
editors above do. What something unread may have changed is in doubt: a doubtful table is neither known to exist as it
is nor known to be gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lint_m2m.migration import UNKNOWN, Maybe, ModelKey
from lint_m2m.replay.facts import ColumnFact, FieldKey, Origin, TableFact, UniqueFact
from lint_m2m.replay.models import ModelState
from lint_m2m.replay.names import Names
from lint_m2m.values import NamedTuple, declare, frozen, replace, slotted

# The end of a name that Django made: a digest of eight digits, a suffix.
_LIKE_AUTOMATIC = re.compile(r"[0-9a-f]{8}(_[a-z]+)?$")


@frozen
class Index:
    """An index or a unique set that exists, or that is to be made when the migration ends (`pending`).

    Django names most of them by the table and the columns at that moment (`basis` and `suffix`); `name` is set for the
    others, and ``None`` with no basis where the database chose one. `columns` are in order.
    """

    columns: tuple[str, ...]
    unique: bool
    # A table constraint (UniqueConstraint, unique_together), not a bare index.
    constraint: bool
    # Part of the table's definition: nothing can drop it by itself on SQLite.
    inline: bool = False
    pending: bool = False
    name: str | None = None
    basis: str | None = None
    suffix: str = ""
    basis_columns: tuple[str, ...] = ()


@slotted()
class Table:
    """A table that exists. `uid` survives renames; `columns` by folded name.

    `shape_doubt` says why columns or unique sets may be others, `existence_doubt` why it may be gone or another table.
    `born` is the position of the migration that made it. `filled`: rows may have been copied in since it was made or
    emptied; `emptied` is the position of the migration that emptied it.
    """

    uid: int
    name: str
    created: Origin | None
    born: int
    auto_of: FieldKey | None = None
    model: ModelKey | None = None
    link: bool = False
    columns: dict[str, ColumnFact] = declare(default_factory=dict)
    # Columns with a foreign key that the database enforces, and what Django named the key by: (table, column, target),
    # or ``None`` while it is to be made when the migration ends.
    foreign_keys: dict[str, tuple[str, str, str] | None] = declare(default_factory=dict)
    # The tables that further foreign keys of those columns point at: one that Django did not know of stays when it
    # makes another.
    further_keys: dict[str, tuple[str, ...]] = declare(default_factory=dict)
    indexes: list[Index] = declare(default_factory=list)
    # Names of further constraints that raw SQL added (foreign keys, checks, a primary key), "" for one without.
    further_constraints: frozenset[str] = frozenset()
    rows_from: frozenset[int] = frozenset()
    filled: bool = False
    emptied: int = -1
    # The model whose state the table was made from, as long as nothing else has changed it (for SQLite).
    in_step_with: ModelState | None = None
    shape_doubt: str | None = None
    existence_doubt: str | None = None
    # Says whose table it is: a fork looks at those of others, and copies one before it hands it out.
    owner: object = declare(default=None, repr=False, compare=False)

    def copy(self, owner: object) -> Table:
        return Table(
            uid=self.uid,
            name=self.name,
            created=self.created,
            born=self.born,
            auto_of=self.auto_of,
            model=self.model,
            link=self.link,
            columns=self.columns.copy(),
            foreign_keys=self.foreign_keys.copy(),
            further_keys=self.further_keys.copy(),
            indexes=self.indexes.copy(),
            further_constraints=self.further_constraints,
            rows_from=self.rows_from,
            filled=self.filled,
            emptied=self.emptied,
            in_step_with=self.in_step_with,
            shape_doubt=self.shape_doubt,
            existence_doubt=self.existence_doubt,
            owner=owner,
        )


class Gone(NamedTuple):
    """A name that a table no longer has: who dropped or renamed it, and the table as it was."""

    origin: Origin
    table: TableFact
    renamed_to: str | None


class Database:
    """Tables by folded name, in the order they were made.

    A fork shares the tables of what it was forked from, which nobody changes while there are forks of it, and copies
    one when somebody asks for it: a branch or a look ahead costs what it touches.
    """

    __slots__ = (
        "_copies",
        "_incoming",
        "_like_automatic",
        "_named",
        "_next_uid",
        "_pending",
        "_renamed",
        "_tables",
        "_token",
        "doubt",
        "doubtful_names",
        "doubtful_prefixes",
        "foreign",
        "gone",
        "made",
        "names",
        "position",
        "stale",
    )

    def __init__(self, names: Names) -> None:
        self.names = names
        self.position = 0
        self._tables: dict[str, Table] = {}
        self._token = object()
        self._next_uid = 1
        # Tables with pending indexes; tables that once had a name; tables that have, or had, an index of a given name.
        self._pending: list[Table] = []
        self._renamed: dict[str, tuple[Table, ...]] = {}
        self._named: dict[str, tuple[Table, ...]] = {}
        # Whether one of those names could be one that Django made.
        self._like_automatic = False
        # Tables that have, or had, a foreign key to a table of that name.
        self._incoming: dict[str, tuple[Table, ...]] = {}
        # Of a fork: the tables of others that it has copied, by id, with the copy.
        self._copies: dict[int, tuple[Table, Table]] = {}
        # Tables made or renamed in this migration, in order.
        self.made: list[Table] = []
        # Tables for which something is to be made when the migration ends, under a name that raw SQL has taken away:
        # uid -> the name, and whether it is that of a foreign key's target.
        self.stale: dict[int, tuple[str, bool]] = {}
        self.gone: dict[str, Gone] = {}
        # Why a name without a table may have one: single names, names with a beginning, any name.
        self.doubtful_names: dict[str, str] = {}
        self.doubtful_prefixes: dict[str, str] = {}
        self.doubt: str | None = None
        # Names of tables that nobody here makes: of unmanaged and swapped-out models.
        self.foreign: set[str] = set()

    def fork(self) -> Database:
        """A database that starts as this one is now and goes its own way; tables keep their uid."""
        copy = Database(self.names)
        copy.position = self.position
        copy._tables = self._tables.copy()
        copy._copies = self._copies.copy()
        copy._pending = [copy.own(table) for table in self._pending if self._is(table)]
        copy.made = [copy.own(table) for table in self.made if self._is(table)]
        copy._renamed = self._renamed.copy()
        copy._named = self._named.copy()
        copy._like_automatic = self._like_automatic
        copy._incoming = self._incoming.copy()
        copy._next_uid = self._next_uid
        copy.gone = dict(self.gone)
        copy.doubtful_names = dict(self.doubtful_names)
        copy.doubtful_prefixes = dict(self.doubtful_prefixes)
        copy.doubt = self.doubt
        copy.foreign = set(self.foreign)
        copy.stale = dict(self.stale)
        return copy

    def own(self, table: Table) -> Table:
        """The table as one that may be changed here."""
        if table.owner is self._token:
            return table
        table = self._latest(table)
        if table.owner is self._token:
            return table
        own = table.copy(self._token)
        self._copies[id(table)] = (table, own)
        folded = self.names.fold_table(table.name)
        if self._tables.get(folded) is table:
            self._tables[folded] = own
        return own

    def _latest(self, table: Table) -> Table:
        """The copy of a table that counts here, or the table itself."""
        while table.owner is not self._token and (known := self._copies.get(id(table))) is not None:
            table = known[1]
        return table

    def adopt(self, table: Table) -> Table:
        """Take over a table of another branch."""
        own = table.copy(self._token)
        self._tables[self.names.fold_table(table.name)] = own
        if any(index.pending for index in own.indexes):
            self._pending.append(own)
        return own

    def take_doubts(self, other: Database) -> None:
        """Doubt what another branch doubts, and remember what it dropped; uids stay unique."""
        self._next_uid = max(self._next_uid, other._next_uid)
        for name, gone in other.gone.items():
            self.gone.setdefault(name, gone)
        for name, reason in other.doubtful_names.items():
            if name not in self._tables:
                self.doubtful_names.setdefault(name, reason)
        for prefix, reason in other.doubtful_prefixes.items():
            self.doubtful_prefixes.setdefault(prefix, reason)
        self.doubt = self.doubt or other.doubt

    # -- queries

    def by_uid(self, uid: int) -> Table | None:
        found = next((table for table in self._tables.values() if table.uid == uid), None)
        return None if found is None else self.own(found)

    def get(self, name: str) -> Table | None:
        table = self._tables.get(self.names.fold_table(name))
        return table if table is None or table.owner is self._token else self.own(table)

    def shown(self, folded: str) -> Table | None:
        """The table of that folded name, to look at; `get` gives one to change."""
        return self._tables.get(folded)

    def still_made(self) -> tuple[str, ...]:
        """The names of the tables that this migration has made and that are there."""
        tables, fold, token = self._tables, self.names.fold_table, self._token
        return tuple([made.name for made in self.made if made.owner is token and tables.get(fold(made.name)) is made])

    def tables(self) -> Iterator[Table]:
        """All tables, to look at; `own` makes one of them one to change."""
        return iter(tuple(self._tables.values()))

    def entries(self) -> Iterable[tuple[str, Table]]:
        """The same with their folded names."""
        return self._tables.items()

    def absence_doubt(self, name: str) -> str | None:
        """Why a table of that name in particular may exist although none is known (see also `doubt`)."""
        reason = self.doubtful_names.get(self.names.fold_table(name))
        if reason is None and self.doubtful_prefixes:
            low = name.lower()
            reason = next((why for prefix, why in self.doubtful_prefixes.items() if low.startswith(prefix)), None)
        return reason

    def holds_rows(self, table: Table) -> bool:
        """Whether the table can have rows now: it was there before this migration, or rows were copied in."""
        return table.filled or (table.born < self.position and table.emptied != self.position)

    def fact(self, table: Table) -> TableFact:
        """The table as it is now."""
        columns: Maybe[tuple[ColumnFact, ...]] = UNKNOWN
        uniques: Maybe[tuple[UniqueFact, ...]] = UNKNOWN
        if table.shape_doubt is None:
            columns = tuple(table.columns.values())
            uniques = tuple(
                [
                    UniqueFact(
                        name=self.index_name(index, table),
                        columns=frozenset(self.spelled(table, index.columns)),
                        constraint=index.constraint,
                    )
                    for index in table.indexes
                    if index.unique
                ]
            )
        return TableFact(
            uid=table.uid,
            name=table.name,
            created=table.created,
            auto_of=table.auto_of,
            model=table.model,
            link=table.link,
            holds_rows=self.holds_rows(table),
            rows_from=table.rows_from,
            columns=columns,
            uniques=uniques,
        )

    def index_name(self, index: Index, table: Table) -> str | None:
        """The real name; one that is still pending takes the table's and columns' names when it is made."""
        if index.name is not None:
            return index.name
        if index.basis is None:
            return None
        if index.pending:
            return self.names.index_name(table.name, self.spelled(table, index.columns), index.suffix)
        return self.names.index_name(index.basis, index.basis_columns, index.suffix)

    def spelled(self, table: Table, columns: Iterable[str]) -> tuple[str, ...]:
        """Columns as they were written, from their folded names."""
        known = table.columns
        return tuple([known[column].name if column in known else column for column in columns])

    # -- changes

    def create(
        self,
        name: str,
        *,
        created: Origin | None,
        auto_of: FieldKey | None = None,
        model: ModelKey | None = None,
        link: bool = False,
    ) -> Table:
        """A new, empty table; one of the same name is forgotten."""
        uid = self._next_uid
        self._next_uid += 1
        table = Table(
            uid=uid,
            name=name,
            created=created,
            born=self.position,
            auto_of=auto_of,
            model=model,
            link=link,
            rows_from=frozenset((uid,)),
            owner=self._token,
        )
        folded = self.names.fold_table(name)
        # At the end of the order, also when the name was in use.
        self._tables.pop(folded, None)
        self._tables[folded] = table
        self.doubtful_names.pop(folded, None)
        self.made.append(table)
        return table

    def drop(self, table: Table, origin: Origin) -> None:
        folded = self.names.fold_table(table.name)
        self.gone[folded] = Gone(origin, self.fact(table), None)
        self._tables.pop(folded, None)
        self.doubtful_names.pop(folded, None)

    def rename(self, table: Table, new_name: str, origin: Origin, *, follow: bool = True) -> None:
        """`follow`: foreign keys of others go with it (they do not where it is copied and dropped)."""
        old_name = table.name
        folded = self.names.fold_table(old_name)
        self.gone[folded] = Gone(origin, self.fact(table), new_name)
        self._tables.pop(folded, None)
        self.doubtful_names.pop(folded, None)
        table.name = new_name
        table.in_step_with = None
        new_folded = self.names.fold_table(new_name)
        self._tables.pop(new_folded, None)
        self._tables[new_folded] = table
        self.doubtful_names.pop(new_folded, None)
        self._renamed[folded] = (*self._renamed.get(folded, ()), table)
        self.made.append(table)
        referring = [self.own(other) for other in self._incoming.get(folded, ())] if follow else []
        for other in referring:
            for key, column in other.columns.items():
                if column.references == old_name:
                    other.columns[key] = column._replace(references=new_name)
            for key, tables in other.further_keys.items():
                other.further_keys[key] = tuple(new_name if one == old_name else one for one in tables)
        if referring:
            # Each once: a name may come back, and what is added to itself doubles every time.
            both = {id(other): other for other in (*map(self._latest, self._incoming.get(new_folded, ())), *referring)}
            self._incoming[new_folded] = tuple(both.values())

    def put_column(self, table: Table, column: ColumnFact) -> None:
        table.columns[self.names.fold(column.name)] = column
        if column.references is not None:
            folded = self.names.fold_table(column.references)
            incoming = self._incoming.get(folded, ())
            for known in incoming:  # there may be many, so nothing is called for most
                if known is table or (known.owner is not self._token and self._latest(known) is table):
                    return
            self._incoming[folded] = (*incoming, table)

    def referring(self, name: str) -> list[tuple[Table, str]]:
        """(table, folded column) of the foreign keys to a table of that name that the database enforces."""
        folded = self.names.fold_table(name)
        found: list[tuple[Table, str]] = []
        for table in map(self._latest, self._incoming.get(folded, ())):
            if not self._is(table):
                continue
            for key in table.foreign_keys:
                if folded not in map(self.names.fold_table, self.references(table, key)):
                    continue
                if not any(known is table and own == key for known, own in found):
                    found.append((table, key))
        found = [(self.own(table), key) for table, key in found]
        return sorted(found, key=lambda pair: (pair[0].uid, pair[1]))

    @staticmethod
    def references(table: Table, column: str) -> tuple[str, ...]:
        """The tables that the foreign keys of a folded column point at; mostly one."""
        fact = table.columns.get(column)
        if column not in table.foreign_keys or fact is None or fact.references is None:
            return ()
        return (fact.references, *table.further_keys.get(column, ()))

    def drop_foreign_key(self, table: Table, column: str, target: str) -> None:
        """The keys of a folded column that point at table `target` go, any others stay."""
        gone = self.names.fold_table(target)
        kept = [one for one in self.references(table, column) if self.names.fold_table(one) != gone]
        if not kept:
            table.foreign_keys.pop(column, None)
            table.further_keys.pop(column, None)
            return
        table.further_keys[column] = tuple(kept[1:])
        fact = table.columns[column]
        if fact.references != kept[0]:
            self.put_column(table, fact._replace(references=kept[0], target=None))
            table.foreign_keys[column] = self._key_name(table, column)

    def drop_column(self, table: Table, name: str) -> None:
        """The column, and every index and unique set that has it."""
        folded = self.names.fold(name)
        table.columns.pop(folded, None)
        table.foreign_keys.pop(folded, None)
        table.further_keys.pop(folded, None)
        table.indexes = [index for index in table.indexes if folded not in index.columns]

    def rename_column(self, table: Table, old_name: str, new_name: str) -> None:
        """The column keeps its place, its indexes keep their names."""
        old, new = self.names.fold(old_name), self.names.fold(new_name)
        table.in_step_with = None
        table.columns = {
            (new if key == old else key): (column._replace(name=new_name) if key == old else column)
            for key, column in table.columns.items()
        }
        if old in table.foreign_keys:
            table.foreign_keys[new] = table.foreign_keys.pop(old)
        if old in table.further_keys:
            table.further_keys[new] = table.further_keys.pop(old)
        table.indexes = [
            replace(index, columns=tuple(new if key == old else key for key in index.columns))
            if old in index.columns
            else index
            for index in table.indexes
        ]
        for other in map(self.own, self._incoming.get(self.names.fold_table(table.name), ())):
            for key, column in other.columns.items():
                if column.references == table.name and column.target == old_name:
                    other.columns[key] = column._replace(target=new_name)

    def begin_migration(self, position: int) -> None:
        self.position = position
        self.made = []
        self.stale = {}

    def add_foreign_key(self, table: Table, column: str, *, pending: bool = False) -> None:
        """A foreign key on a folded column, made now or when the migration ends."""
        if pending:
            table.foreign_keys[column] = None
            self._pending.append(table)
        else:
            table.foreign_keys[column] = self._key_name(table, column)

    def _key_name(self, table: Table, column: str) -> tuple[str, str, str]:
        fact = table.columns.get(column)
        return table.name, column if fact is None else fact.name, "" if fact is None else fact.references or ""

    def key_in_the_way(self, table: Table, column: str) -> tuple[Table, str] | None:
        """On MySQL the names of foreign keys are those of the whole database: one that a renamed table took along."""
        wanted = table.foreign_keys.get(column) or self._key_name(table, column)
        for other in map(self._latest, self._renamed.get(self.names.fold_table(table.name), ())):
            if other is table or not self._is(other):
                continue
            for key, name in other.foreign_keys.items():
                if name == wanted:
                    return self.own(other), key
        return None

    def add_index(self, table: Table, index: Index) -> None:
        table.indexes.append(index)
        if index.pending:
            self._pending.append(table)
        if index.name is not None:
            folded = self.names.fold(index.name)
            self._named[folded] = (*self._named.get(folded, ()), table)
            self._like_automatic = self._like_automatic or _LIKE_AUTOMATIC.search(folded) is not None

    @property
    def pending(self) -> tuple[Table, ...]:
        """The tables for which something is to be made when the migration ends, in the order it was asked for."""
        return tuple(self._pending)

    def taken_by_sql(self, table: Table) -> None:
        """Raw SQL renames or drops `table`; Django does not know, and what it has put off is still for the old name."""
        folded = self.names.fold_table(table.name)
        keys_wait = self.names.vendor != "sqlite"
        for waiting in self._pending:
            if waiting is table and (
                any(index.pending for index in table.indexes) or (keys_wait and None in table.foreign_keys.values())
            ):
                self.stale[table.uid] = (table.name, False)
            elif keys_wait and any(
                name is None and self.names.fold_table(waiting.columns[column].references or "") == folded
                for column, name in waiting.foreign_keys.items()
                if column in waiting.columns
            ):
                self.stale.setdefault(waiting.uid, (table.name, True))

    def settle(self) -> None:
        """End of a migration (or a rebuild on SQLite): what was pending is made, under the names as they are now."""
        for table in self._pending:
            for column, name in table.foreign_keys.items():
                if name is None:
                    table.foreign_keys[column] = self._key_name(table, column)
            if any(index.pending for index in table.indexes):
                table.indexes = [self._made(index, table) if index.pending else index for index in table.indexes]
        self._pending = []

    def _made(self, index: Index, table: Table) -> Index:
        """An index that was pending."""
        basis, basis_columns = index.basis, index.basis_columns
        if basis is not None:
            basis, basis_columns = table.name, self.spelled(table, index.columns)
        # Thousands of them, and `replace` takes three times as long.
        return Index(
            columns=index.columns,
            unique=index.unique,
            constraint=index.constraint,
            inline=index.inline,
            name=index.name,
            basis=basis,
            suffix=index.suffix,
            basis_columns=basis_columns,
        )

    def index_in_the_way(
        self, table: Table, *, name: str | None = None, columns: tuple[str, ...] = (), suffix: str = ""
    ) -> tuple[Table, Index] | None:
        """The existing index whose name a new one on `table` would take, by `name` or as Django names `columns`.

        PostgreSQL, SQLite and Oracle keep the names of indexes for all tables together, MySQL for each table.
        """
        alone = self.names.vendor == "mysql"
        if name is not None:
            folded = self.names.fold(name)
            for owner in (table,) if alone else map(self._latest, self._named.get(folded, ())):
                for index in owner.indexes:
                    if self._goes_by(index, folded) and self._is(owner):
                        return self.own(owner), index
            if not _LIKE_AUTOMATIC.search(name):
                return None
            for owner in (table,) if alone else self._tables.values():
                for index in owner.indexes:
                    if index.basis is not None and self.index_name(index, owner) == name:
                        return self.own(owner), index
            return None
        spelled = self.spelled(table, columns)
        owners = [table]
        if not alone:
            renamed = map(self._latest, self._renamed.get(self.names.fold_table(table.name), ()))
            owners += [other for other in renamed if other is not table]
        for owner in owners:
            if not self._is(owner):
                continue
            for index in owner.indexes:
                if index.basis is None or index.suffix != suffix:
                    continue
                basis = owner.name if index.pending else index.basis
                basis_columns = self.spelled(owner, index.columns) if index.pending else index.basis_columns
                if basis == table.name and basis_columns == spelled:
                    return self.own(owner), index
        if self._like_automatic:
            return self.index_in_the_way_by_text(table, self.names.index_name(table.name, spelled, suffix), alone)
        return None

    def index_in_the_way_by_text(self, table: Table, name: str, alone: bool) -> tuple[Table, Index] | None:
        """An index that was given, by hand, the name that Django would make."""
        folded = self.names.fold(name)
        for owner in map(self._latest, self._named.get(folded, ())):
            if self._is(owner) and (owner is table or not alone):
                for index in owner.indexes:
                    if self._goes_by(index, folded):
                        return self.own(owner), index
        return None

    def _goes_by(self, index: Index, folded: str) -> bool:
        """Whether no other may have this name: a constraint in the text of a SQLite table is no index of that name."""
        if index.name is None or (index.inline and self.names.vendor == "sqlite"):
            return False
        return self.names.fold(index.name) == folded

    def _is(self, table: Table) -> bool:
        """Whether the table still exists."""
        return self._tables.get(self.names.fold_table(table.name)) is self._latest(table)

    # -- doubts

    def doubt_table(self, name: str, reason: str) -> None:
        """The table of that name may have been made, changed, renamed or dropped."""
        table = self.get(name)
        if table is None:
            self.doubtful_names.setdefault(self.names.fold_table(name), reason)
            return
        self.doubt_shape(table, reason)
        table.existence_doubt = table.existence_doubt or reason

    def doubt_shape(self, table: Table, reason: str) -> None:
        """The table exists; its columns or unique sets may be others."""
        table.shape_doubt = table.shape_doubt or reason

    def doubt_prefix(self, prefix: str, reason: str) -> None:
        """Every table whose name begins so may have been made, changed, renamed or dropped."""
        low = prefix.lower()
        self.doubtful_prefixes.setdefault(low, reason)
        for table in self.tables():
            if table.name.lower().startswith(low):
                self.doubt_table(table.name, reason)

    def doubt_all(self, reason: str) -> None:
        """Any table may have been made or changed."""
        self.doubt = self.doubt or reason

    def copy_rows(self, target: Table, sources: Iterable[Table]) -> None:
        """Rows of `sources` arrived, or may have arrived, in `target`."""
        for source in sources:
            target.rows_from |= source.rows_from
        target.filled = True

    def empty(self, table: Table) -> None:
        """All rows were deleted. Later migrations find new ones."""
        table.filled = False
        table.emptied = self.position

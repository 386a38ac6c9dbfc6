"""What a database, or Django, looks at only when the migration ends: keys, unique sets and indexes of new tables."""

from __future__ import annotations

from collections.abc import Callable

from lint_m2m.replay.database import Database, Index, Table
from lint_m2m.replay.editor import Editor, Later, Raises
from lint_m2m.replay.facts import (
    ColumnFact,
    FailureKind,
)


class EndChecks(Editor):
    """Checks that wait for the end of the migration, as `later`."""

    def check_new_table(self, table: Table) -> None:
        """What is left to do for a table just made, when the migration ends: foreign keys, unique sets and indexes."""
        for column in [key for key in table.columns if key in table.foreign_keys]:
            self.check_target(table, column)
        if self.vendor == "mysql":
            for column in table.foreign_keys:
                self._check_key_name(table, column)
            return
        for index in table.indexes:
            self.check_new_index(table, index)

    def check_new_index(self, table: Table, index: Index) -> None:
        """No other table may have an index of that name."""
        if self.vendor == "mysql" or (index.name is None and index.basis is None) or (self.sqlite and index.inline):
            return
        found = self._in_the_way(self.db, table, index)
        if found is None:
            return
        name = self.db.index_name(found[1], found[0]) or ""
        failure = self.failure(
            FailureKind.CONSTRAINT_EXISTS,
            self.wording.index_exists(name),
            table=table.name,
            constraint=name,
            existing=found[0],
        )
        self.later.append(Later(failure, self._index_check(table.uid, index)))

    def sql_takes(self, table: Table) -> Later:
        """What is put off for `table` fails if raw SQL renames or drops it, or a key's target, before the end."""
        uid, words, name = table.uid, self.wording, table.name
        failure = self.failure(FailureKind.TABLE_MISSING, words.table_missing(name, indexing=True), table=name)

        def still(database: Database) -> str | None:
            taken = database.stale.get(uid)
            if taken is None:
                return None
            missing, target = taken
            now = database.by_uid(uid)
            if target:
                return words.target_missing(name if now is None else now.name, missing)
            return words.table_missing(missing, indexing=True)

        return Later(failure, still)

    def _check_key_name(self, table: Table, column: str) -> None:
        found = self.db.key_in_the_way(table, column)
        if found is None or found[0].existence_doubt is not None or found[0].shape_doubt is not None:
            return
        fact = table.columns.get(column)
        target = "" if fact is None else fact.references or ""
        name = self.key_name(table, column, target)
        failure = self.failure(
            FailureKind.CONSTRAINT_EXISTS,
            self.wording.key_exists(table.name, name),
            table=table.name,
            constraint=name,
            existing=found[0],
        )
        uid = table.uid

        def still(database: Database) -> str | None:
            now = database.by_uid(uid)
            if now is None or column not in now.foreign_keys or database.key_in_the_way(now, column) is None:
                return None
            return self.wording.key_exists(now.name, name)

        self.later.append(Later(failure, still))

    def key_name(self, table: Table, column: str, target: str) -> str:
        """The name Django gives a foreign key: `ForeignKeyName` of django/db/backends/ddl_references.py."""
        known = self.db.get(target)
        key = next((fact.name for fact in known.columns.values() if fact.primary_key), "id") if known else "id"
        return self.names.index_name(table.name, self.db.spelled(table, (column,)), f"_fk_{target}_{key}")

    def target_exists(self, table: Table, column: str) -> None:
        """The same for a foreign key that is made at once."""
        known = len(self.later)
        self.check_target(table, column)
        if len(self.later) > known:
            raise Raises(self.later.pop().failure)

    def check_target(self, table: Table, column: str) -> None:
        """The table and the column that a foreign key points at must exist when the key is made.

        SQLite looks at all keys when a migration ends, and only for the column if it finds the table.
        """
        fact = table.columns.get(column)
        target = None if fact is None else fact.references
        if fact is None or target is None:
            return
        uid, fold = table.uid, self.names.fold_table

        def still(database: Database) -> str | None:
            now = database.by_uid(uid)
            if now is None or not self._target_missing(database, target):
                return None
            keys = [now.columns[key].references or "" for key in now.foreign_keys if key in now.columns]
            if fold(target) not in map(fold, keys):
                return None
            return self.wording.target_missing(now.name, target)

        def still_without(database: Database) -> str | None:
            now = database.by_uid(uid)
            if now is None:
                return None
            for key in now.foreign_keys:
                own = now.columns.get(key)
                if own is not None and own.target == fact.target and self._target_column_missing(database, own):
                    return self.wording.target_column_missing(now.name, own.references or "", own.target or "")
            return None

        if not self.sqlite and self._target_missing(self.db, target):
            words = self.wording.target_missing(table.name, target)
            self.later.append(Later(self.failure(FailureKind.TABLE_MISSING, words, table=target), still))
        elif fact.target is not None and self._target_column_missing(self.db, fact):
            words = self.wording.target_column_missing(table.name, target, fact.target)
            failure = self.failure(FailureKind.COLUMN_MISSING, words, table=target, column=fact.target)
            self.later.append(Later(failure, still_without))

    @staticmethod
    def _target_column_missing(database: Database, fact: ColumnFact) -> bool:
        known = None if fact.references is None else database.get(fact.references)
        return (
            known is not None
            and fact.target is not None
            and known.shape_doubt is None
            and known.existence_doubt is None
            and database.names.fold(fact.target) not in known.columns
        )

    @staticmethod
    def _target_missing(database: Database, name: str) -> bool:
        return (
            database.get(name) is None
            and database.absence_doubt(name) is None
            and database.names.fold_table(name) not in database.foreign
        )

    def _index_check(self, uid: int, index: Index) -> Callable[[Database], str | None]:
        key = (index.name, index.columns, index.suffix)

        def still(database: Database) -> str | None:
            table = database.by_uid(uid)
            if table is None:
                return None
            for own in table.indexes:
                if (own.name, own.columns, own.suffix) == key:
                    found = self._in_the_way(database, table, own)
                    if found is not None:
                        return self.wording.index_exists(database.index_name(found[1], found[0]) or "")
            return None

        return still

    @staticmethod
    def _in_the_way(database: Database, table: Table, index: Index) -> tuple[Table, Index] | None:
        """An index of another table that has the name."""
        own, table.indexes = table.indexes, []
        try:
            if index.name is not None:
                found = database.index_in_the_way(table, name=index.name)
            else:
                found = database.index_in_the_way(table, columns=index.columns, suffix=index.suffix)
        finally:
            table.indexes = own
        if found is not None and (found[0].existence_doubt is not None or found[0].shape_doubt is not None):
            return None
        return found

    def rows_violate(self, table: Table, column: str, target: str, *, value: str | None = None) -> None:
        """Rows of `table` point at nothing. SQLite looks when the migration ends, the others at once."""
        if not self.db.holds_rows(table) or table.existence_doubt is not None:
            return
        known = self.db.get(target)
        key = next((fact.name for fact in known.columns.values() if fact.primary_key), "id") if known else "id"
        constraint = "" if self.sqlite else self.key_name(table, self.names.fold(column), target)
        failure = self.failure(
            FailureKind.ROWS_VIOLATE,
            self.wording.rows_violate(table.name, column, target, key, constraint, value),
            table=table.name,
            column=column,
            existing=table,
        )
        if not self.sqlite:
            raise Raises(failure)
        uid = table.uid

        def still(database: Database) -> str | None:
            now = database.by_uid(uid)
            fact = None if now is None else now.columns.get(database.names.fold(column))
            if now is None or fact is None or fact.references is None or not database.holds_rows(now):
                return None
            if fact.references != target and not self._target_missing(database, fact.references):
                return None
            return self.wording.rows_violate(now.name, fact.name, fact.references, key, constraint, value)

        self.later.append(Later(failure, still))

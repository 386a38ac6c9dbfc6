"""What SQL statements do, applied to the database ledger."""

from __future__ import annotations

import re
from typing import NoReturn

from lint_m2m.migration import UNKNOWN
from lint_m2m.replay import sql_values as sql
from lint_m2m.replay.database import Index, Table
from lint_m2m.replay.facts import (
    ColumnFact,
    ColumnRenamed,
    FailureKind,
    RowsCopied,
    TableCreated,
    TableDropped,
    TableRenamed,
)
from lint_m2m.replay.schema import SchemaEditor
from lint_m2m.values import replace

# Constraints that are part of a table's shape here.
_SHAPING = (sql.ConstraintKind.UNIQUE, sql.ConstraintKind.PRIMARY_KEY)
# Words without which no statement about rows makes, changes or drops a table, and those of statements about rows.
_DEFINING = frozenset(("create", "alter", "drop", "rename", "exec", "execute", "call", "into"))
_ABOUT_ROWS = frozenset(("select", "insert", "update", "delete", "merge", "replace", "with", "values", "copy", "load"))
# Schemas that are the one Django's tables are in.
_OWN_SCHEMAS = frozenset(("public", "main", "dbo"))


# Names of foreign keys, primary keys, checks and NOT NULLs, as Django and the databases make them.
_OTHER_CONSTRAINT = re.compile(r"_fk_|_fkey|_ibfk_|_pkey|_pk$|^primary$|check|not_?null|^sys_c", re.IGNORECASE)


class SqlApplier:
    """Applies the effects of one operation, and remembers what they were about.

    `tables` (as SQL spells them) are all that statements about rows name, `moved` whether one moved or removed any;
    `unread` why a statement could not be read; `open` whether one may touch tables it does not name.
    """

    def __init__(self, editor: SchemaEditor) -> None:
        self._editor = editor
        self._db = editor.db
        self.tables: set[str] = set()
        self.moved = False
        self.unread: str | None = None
        self.open = False

    def apply(self, effect: sql.SqlEffect, reason: str, *, possible: bool, open_counts: bool = True) -> None:
        """Apply `effect`; when it is only `possible`, leave what it would change in doubt.

        Raises `Raises` where the database certainly would. `open_counts`: an unreadable statement without names makes
        every table doubtful (otherwise that is for the caller to decide, who sees `open`).
        """
        match effect:
            case sql.Harmless():
                self.tables.update(effect.tables)
                return
            case sql.Unreadable():
                self._unreadable(effect, f"{reason} ({effect.reason})", open_counts)
                return
            case sql.CopyRows():
                self._copy(effect, possible or effect.conditional)
                return
            case _:
                pass
        if effect.if_table_exists and self._gone(_subject(effect)):
            return
        if effect.schema is not None and effect.schema.lower() not in _OWN_SCHEMAS:
            self.doubt(effect, f"{reason} in schema `{effect.schema}`")
            return
        if possible or effect.conditional:
            self.doubt(effect, reason)
            return
        self._certain(effect, reason)

    def _unreadable(self, effect: sql.Unreadable, reason: str, open_counts: bool) -> None:
        """A statement that may do anything to what it names; without a word of it, it leaves the tables there are."""
        self.unread = effect.reason
        self.moved = True
        named = [table.name for table in self._db.tables() if table.name.lower() in effect.names]
        self.tables.update(named)
        if effect.names & _ABOUT_ROWS and not effect.names & _DEFINING:
            return
        for name in (*named, *(name for name in effect.names if "_" in name and self._db.get(name) is None)):
            self._db.doubt_table(name, reason)
        if effect.open:
            self.open = True
            if open_counts:
                self._db.doubt_all(reason)

    def doubt(self, effect: sql.SqlEffect, reason: str) -> None:
        """What `effect` would change is in doubt."""
        match effect:
            case sql.RenameTable() | sql.CreateTable() | sql.DropTable():
                for name in sql.tables_of(effect):
                    self._db.doubt_table(name, reason)
            case sql.DropIndex(table=None) | sql.RenameConstraint(table=None):
                self._doubt_owner(effect.name if isinstance(effect, sql.DropIndex) else effect.old, reason)
            case sql.DeleteRows(table=name) | sql.Truncate(table=name):
                self.tables.add(name)
                self.moved = True
            case sql.CopyRows():
                self._copy(effect, True)
            case sql.AlterColumn() | sql.CreateIndex(unique=False):
                pass
            case sql.AddConstraint(kind=kind) if kind not in (
                sql.ConstraintKind.UNIQUE,
                sql.ConstraintKind.PRIMARY_KEY,
            ):
                pass
            case _:
                for name in sql.tables_of(effect):
                    table = self._db.get(name)
                    if table is None:
                        self._db.doubt_table(name, reason)
                    else:
                        self._db.doubt_shape(table, reason)

    def _certain(self, effect: sql.SqlEffect, reason: str) -> None:
        match effect:
            case sql.RenameTable():
                self._rename_table(effect, reason)
            case sql.CreateTable():
                self._create_table(effect, reason)
            case sql.DropTable():
                self._drop_table(effect)
            case sql.AddColumn():
                self._add_column(effect, reason)
            case sql.DropColumn():
                table = self._table(effect.table, reason)
                if table is not None:
                    if not effect.if_exists and not self._editor.has_column(table, effect.name, "drop"):
                        return
                    self._db.drop_column(table, effect.name)
            case sql.RenameColumn():
                table = self._table(effect.table, reason)
                if table is not None and self._editor.has_column(table, effect.old, "rename"):
                    self._db.rename_column(table, effect.old, effect.new)
                    self._editor.effects.append(
                        ColumnRenamed(table=self._db.fact(table), old_name=effect.old, new_name=effect.new)
                    )
            case sql.AddConstraint():
                self._add_constraint(effect, reason)
            case sql.DropConstraint():
                self._drop_constraint(effect, reason)
            case sql.RenameConstraint():
                self._rename_constraint(effect, reason)
            case sql.CreateIndex():
                self._create_index(effect, reason)
            case sql.DropIndex():
                self._drop_index(effect, reason)
            case sql.DeleteRows(table=name, all=everything):
                self.tables.add(name)
                self.moved = True
                table = self._table(name, reason)
                if table is not None and everything:
                    self._db.empty(table)
            case sql.Truncate(table=name):
                self.tables.add(name)
                self.moved = True
                table = self._table(name, reason)
                if table is not None:
                    self._db.empty(table)
            case _:
                pass

    def _table(self, name: str, reason: str) -> Table | None:
        """The table; one that something else made is there, but not as far as anybody here knows."""
        table = self._get(name)
        if table is not None:
            table.in_step_with = None
            return table
        if self._gone(name):
            self._fail_missing(name)
        self._db.doubt_table(name, reason)
        return None

    def _get(self, name: str) -> Table | None:
        """The table that SQL calls so.

        Oracle keeps the letter case of a name in quotes, and Django's tables are in upper case there (here in lower).
        """
        table = self._db.get(name)
        if table is not None and self._editor.vendor == "oracle" and not name.islower() and table.name != name:
            return None
        return table

    def _gone(self, name: str) -> bool:
        """Whether a table of that name is known to be dropped or renamed, and nothing may have brought it back.

        PostgreSQL reads names without quotes in lower case and takes those in quotes as they are: a table's name in
        other letter case is no table's name.
        """
        db = self._db
        if self._get(name) is not None or db.absence_doubt(name) is not None or db.doubt is not None:
            return False
        return db.names.fold_table(name) in db.gone or self._spelled_otherwise(name)

    def _spelled_otherwise(self, name: str) -> bool:
        if self._editor.vendor == "oracle":
            return self._db.get(name) is not None
        low = name.lower()
        return self._editor.vendor == "postgresql" and any(table.name.lower() == low for table in self._db.tables())

    def _fail_missing(self, name: str, *, dropping: bool = False) -> NoReturn:
        editor = self._editor
        editor.fail(FailureKind.TABLE_MISSING, editor.wording.table_missing(name, dropping=dropping), table=name)

    # -- tables

    def _rename_table(self, effect: sql.RenameTable, reason: str) -> None:
        db, editor = self._db, self._editor
        if effect.new_schema is not None and effect.new_schema.lower() not in _OWN_SCHEMAS:
            self.doubt(effect, f"{reason} into schema `{effect.new_schema}`")
            return
        table = self._get(effect.old)
        if table is None:
            if self._gone(effect.old):
                self._fail_missing(effect.old)
            db.doubt_table(effect.new, reason)
            return
        if (
            not effect.statement
            and editor.vendor == "mysql"
            and db.names.fold_table(effect.old) == db.names.fold_table(effect.new)
        ):
            # MySQL and MariaDB have nothing to do; RENAME TABLE, and the other databases, find the name in use.
            return
        editor.vacant(effect.new, renaming=True)
        db.taken_by_sql(table)
        db.rename(table, effect.new, editor.origin)
        editor.effects.append(TableRenamed(old_name=effect.old, table=db.fact(table), field=table.auto_of))

    def _create_table(self, effect: sql.CreateTable, reason: str) -> None:
        db, editor = self._db, self._editor
        if effect.temporary:
            return
        existing = db.get(effect.name)
        if existing is not None and existing.existence_doubt is None:
            if effect.if_not_exists:
                return
            editor.fail(
                FailureKind.TABLE_EXISTS,
                editor.wording.table_exists(effect.name, quoted=False),
                table=effect.name,
                existing=existing,
            )
        unsure = effect.if_not_exists and db.absence_doubt(effect.name) is not None
        table = db.create(effect.name, created=editor.origin)
        key = {db.names.fold(name) for name in effect.primary_key}
        for column in effect.columns:
            db.put_column(
                table,
                ColumnFact(
                    name=column.name,
                    type_name=column.type_text,
                    not_null=column.not_null or column.primary_key,
                    primary_key=column.primary_key or db.names.fold(column.name) in key,
                    references=column.references,
                ),
            )
            if column.references is not None:
                db.add_foreign_key(table, db.names.fold(column.name))
        for name in effect.like:
            pattern = db.get(name)
            if pattern is not None and pattern.shape_doubt is None:
                for fact in pattern.columns.values():
                    db.put_column(table, fact)
                if effect.indexes or editor.vendor == "mysql":
                    self._copy_uniques(table, pattern)
            else:
                db.doubt_shape(table, reason)
        for unique in effect.uniques:
            db.add_index(table, self._index(unique.columns, unique=True, name=unique.name, inline=True))
        if unsure or (not effect.columns_complete and not effect.like):
            db.doubt_shape(table, f"{reason}: not all columns could be told")
        editor.effects.append(TableCreated(table=db.fact(table)))

    def _copy_uniques(self, table: Table, pattern: Table) -> None:
        """``LIKE`` with the unique sets: MySQL keeps their names, PostgreSQL gives each the name it would choose."""
        mysql = self._editor.vendor == "mysql"
        for index in pattern.indexes:
            if index.unique:
                name = self._db.index_name(index, pattern) if mysql else None
                copy = self._index(index.columns, unique=True, name=name, constraint=index.constraint)
                self._db.add_index(table, copy)

    def _drop_table(self, effect: sql.DropTable) -> None:
        db, editor = self._db, self._editor
        table = self._get(effect.name)
        if table is None:
            if not effect.if_exists and self._gone(effect.name):
                self._fail_missing(effect.name, dropping=True)
            db.doubtful_names.pop(db.names.fold_table(effect.name), None)
            return
        if not effect.cascade and not editor.sqlite and table.existence_doubt is None:
            for other, column in db.referring(table.name):
                if other is not table and other.existence_doubt is None and other.shape_doubt is None:
                    editor.fail(
                        FailureKind.TABLE_REFERENCED,
                        editor.wording.table_referenced(table.name),
                        table=table.name,
                        column=column,
                        existing=other,
                    )
        for other, column in db.referring(table.name):
            if not editor.sqlite:
                db.drop_foreign_key(other, column, table.name)
        self.tables.add(effect.name)
        self.moved = True
        editor.effects.append(TableDropped(table=db.fact(table), field=table.auto_of))
        db.taken_by_sql(table)
        db.drop(table, editor.origin)

    # -- columns, constraints, indexes

    def _add_column(self, effect: sql.AddColumn, reason: str) -> None:
        db, editor = self._db, self._editor
        table = self._table(effect.table, reason)
        if table is None:
            return
        column = effect.column
        if db.names.fold(column.name) in table.columns:
            if not effect.if_not_exists and table.shape_doubt is None and table.existence_doubt is None:
                editor.fail(
                    FailureKind.COLUMN_EXISTS,
                    editor.wording.column_exists(table.name, column.name),
                    table=table.name,
                    column=column.name,
                    existing=table,
                )
            return
        db.put_column(
            table,
            ColumnFact(
                name=column.name,
                type_name=column.type_text,
                not_null=column.not_null,
                primary_key=column.primary_key,
                references=column.references,
            ),
        )

    def _index(
        self,
        columns: tuple[str, ...],
        *,
        unique: bool,
        name: str | None,
        constraint: bool = True,
        inline: bool = False,
    ) -> Index:
        folded = tuple(self._db.names.fold(column) for column in columns)
        return Index(columns=folded, unique=unique, constraint=constraint and unique, inline=inline, name=name)

    def _add_constraint(self, effect: sql.AddConstraint, reason: str) -> None:
        table = self._table(effect.table, reason)
        if table is None:
            return
        kind = effect.kind
        if kind is not sql.ConstraintKind.UNIQUE:
            table.further_constraints |= {effect.name or ""}
        if kind is sql.ConstraintKind.UNIQUE:
            if effect.columns is UNKNOWN:
                known = None if effect.using_index is None else self._named(table, effect.using_index)
                if known is None:
                    self._db.doubt_shape(table, reason)
                    return
                made = replace(known, unique=True, constraint=True)
                if effect.name is None:
                    table.indexes[table.indexes.index(known)] = made
                else:
                    table.indexes.remove(known)
                    self._db.add_index(table, replace(made, name=effect.name, basis=None))
                return
            if effect.name is not None and not effect.if_not_exists:
                self._editor.index_free(table, name=effect.name)
            self._db.add_index(table, self._index(effect.columns, unique=True, name=effect.name))
        elif kind is sql.ConstraintKind.FOREIGN_KEY and effect.columns is not UNKNOWN:
            for column in effect.columns:
                self._db.add_foreign_key(table, self._db.names.fold(column))
        elif kind is sql.ConstraintKind.PRIMARY_KEY:
            self._db.doubt_shape(table, reason)

    def _drop_constraint(self, effect: sql.DropConstraint, reason: str) -> None:
        table = self._table(effect.table, reason)
        if table is None:
            return
        if effect.name is not None:
            index = self._named(table, effect.name)
            if index is not None:
                table.indexes.remove(index)
                return
            if not effect.if_exists and effect.kind is None and self._constraint_absent(table, effect.name):
                self._editor.fail(
                    FailureKind.CONSTRAINT_MISSING,
                    self._editor.wording.constraint_missing(table.name, effect.name, by_sql=True),
                    table=table.name,
                    constraint=effect.name,
                    existing=table,
                )
        if effect.columns:
            folded = {self._db.names.fold(column) for column in effect.columns}
            table.indexes = [index for index in table.indexes if not (index.unique and set(index.columns) == folded)]

    def _constraint_absent(self, table: Table, name: str) -> bool:
        """Whether an automatic table certainly has no constraint of that name: those of other tables are not all known.

        What looks like a name that the database or Django gives to another kind of constraint is left alone.
        """
        db = self._db
        if table.auto_of is None or table.further_constraints or self._editor.sqlite:
            return False
        if table.shape_doubt or table.existence_doubt or db.doubt or _OTHER_CONSTRAINT.search(name):
            return False
        return all(db.index_name(index, table) is not None for index in table.indexes)

    def _rename_constraint(self, effect: sql.RenameConstraint, reason: str) -> None:
        owners = [self._table(effect.table, reason)] if effect.table is not None else list(self._db.tables())
        for table in owners:
            index = None if table is None else self._named(table, effect.old)
            if table is not None and index is not None:
                table = self._db.own(table)
                table.in_step_with = None
                table.indexes.remove(index)
                self._db.add_index(table, replace(index, name=effect.new, basis=None, pending=False))
                return

    def _create_index(self, effect: sql.CreateIndex, reason: str) -> None:
        table = self._table(effect.table, reason)
        if table is None:
            return
        plain = not (effect.partial or effect.expression) and effect.columns is not UNKNOWN
        columns = effect.columns if effect.columns is not UNKNOWN and plain else ()
        self._db.add_index(
            table, self._index(columns, unique=effect.unique and plain, name=effect.name, constraint=False)
        )

    def _drop_index(self, effect: sql.DropIndex, reason: str) -> None:
        owners = [self._table(effect.table, reason)] if effect.table is not None else list(self._db.tables())
        for table in owners:
            index = None if table is None else self._named(table, effect.name)
            if table is not None and index is not None:
                table = self._db.own(table)
                table.in_step_with = None
                table.indexes.remove(index)
                return

    def _named(self, table: Table, name: str) -> Index | None:
        fold = self._db.names.fold
        for index in table.indexes:
            own = self._db.index_name(index, table)
            if own is not None and fold(own) == fold(name):
                return index
        return None

    def _doubt_owner(self, name: str, reason: str) -> None:
        for table in self._db.tables():
            if self._named(table, name) is not None:
                self._db.doubt_shape(self._db.own(table), reason)

    # -- rows

    def _copy(self, effect: sql.CopyRows, possible: bool) -> None:
        db, editor = self._db, self._editor
        self.moved = True
        self.tables.add(effect.target)
        self.tables.update(effect.sources)
        if not possible:
            for name in (effect.target, *effect.sources):
                if self._gone(name) and name not in effect.qualified and effect.schema is None:
                    self._fail_missing(name)
        target = db.get(effect.target)
        sources = [table for name in effect.sources if (table := db.get(name)) is not None and table is not target]
        if target is None or not sources:
            if target is not None:
                target.filled = True
            return
        certain = not possible and effect.full and db.get(effect.sources[0]) in sources
        facts = tuple(db.fact(table) for table in sources)
        db.copy_rows(target, sources)
        editor.effects.append(RowsCopied(target=db.fact(target), sources=facts, certain=certain))


def _subject(effect: sql.SqlEffect) -> str:
    """The table that an ALTER TABLE is about."""
    name = effect.old if isinstance(effect, sql.RenameTable) else getattr(effect, "table", None)
    return name or ""

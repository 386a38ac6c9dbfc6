"""A schema editor that writes into the ledger: what django/db/backends/*/schema.py does, statement by statement.

The methods raise `Raises` where the database, or Django itself, would raise. Where the outcome hangs on something
unread they go on in silence and leave the table in doubt. SQLite's editor differs most: it rebuilds tables from the
state, which hides a missing column (a double-quoted name that is no column is read as a string) and drops columns and
unique sets that the state does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lint_m2m.finding import Certainty
from lint_m2m.migration import UNKNOWN, Constraint, Maybe
from lint_m2m.replay.database import Index, Table
from lint_m2m.replay.editor import Raises
from lint_m2m.replay.ends import EndChecks
from lint_m2m.replay.facts import (
    ColumnFact,
    ColumnRenamed,
    FailureKind,
    FieldKey,
    TableCreated,
    TableDropped,
    TableRenamed,
)
from lint_m2m.replay.layout import Column, Columns, LinkTable
from lint_m2m.replay.models import ModelState, StateView
from lint_m2m.values import replace


class SchemaEditor(EndChecks):
    """The methods that operations call."""

    # -- whole tables

    def create_model(self, model: ModelState, view: StateView) -> None:
        """The model's own table. Its automatic link tables are the caller's."""
        name = self.layout.table(model, view)
        if name is UNKNOWN:
            return
        self.vacant(name)
        self.fill_model(self.db.create(name, created=self.origin, model=model.key), model, view)

    def fill_model(self, table: Table, model: ModelState, view: StateView) -> None:
        """Columns, keys and indexes of a table just made for `model`."""
        columns = self.layout.columns(model, view)
        self.define(table, columns, model)
        table.in_step_with = model
        self.effects.append(TableCreated(table=self.db.fact(table)))
        self.check_new_table(table)

    def create_link(self, link: LinkTable, view: StateView) -> None:
        """The automatic table of a many-to-many field."""
        if link.table is UNKNOWN:
            return
        self.about(link.key)
        self.target_resolved(link, view)
        self.vacant(link.table)
        table = self.db.create(link.table, created=self.origin, auto_of=link.key, link=True)
        self.fill_link(table, link, view)
        self.effects.append(TableCreated(table=self.db.fact(table)))
        self.check_new_table(table)

    def target_resolved(self, link: LinkTable, view: StateView) -> None:
        """`to` must be a model that is there."""
        if view.lookup(link.to) is None:
            self.fail(
                FailureKind.TARGET_UNRESOLVED,
                f"ValueError: Related model '{link.to}' cannot be resolved",
                field=link.key,
            )

    def fill_link(self, table: Table, link: LinkTable, view: StateView) -> None:
        """Columns, unique pair and indexes of an automatic table just made."""
        db = self.db
        key = self.layout.automatic_key()
        db.put_column(table, ColumnFact(name="id", type_name=key.type_name, primary_key=True))
        owner = view.get(link.key.model_key)
        owner_table = self.layout.table(owner, view) if owner is not None else UNKNOWN
        target_table = self.layout.reference_table(link.to, view)
        for column, references, to in (
            (link.source, owner_table, link.key.model_key),
            (link.target, target_table, link.to),
        ):
            if column is UNKNOWN:
                db.doubt_shape(table, f"`{link.key}` points at a model that is not known")
                continue
            db.put_column(
                table,
                ColumnFact(
                    name=column,
                    type_name="ForeignKey",
                    references=None if references is UNKNOWN else references,
                    target=self.layout.reference_column(to, view),
                ),
            )
            if link.constrained:
                db.add_foreign_key(table, self.names.fold(column), pending=True)
        if link.extra is UNKNOWN:
            db.doubt_shape(table, f"the class of `{link.key}` may add columns")
        else:
            for name in link.extra:
                db.put_column(table, ColumnFact(name=name))
        if link.target is not UNKNOWN:
            pair = (self.names.fold(link.source), self.names.fold(link.target))
            self._add_automatic(table, pair, "_uniq", unique=True)
            for column in pair:
                self._add_automatic(table, (column,), "")

    def define(self, table: Table, columns: Columns, model: ModelState, *, rebuilding: bool = False) -> None:
        """What CREATE TABLE and the statements after it make of a model."""
        fold, db = self.names.fold, self.db
        single: list[tuple[str, ...]] = []
        for item in columns.items:
            folded = fold(item.column)
            if folded in table.columns:
                self.fail(
                    FailureKind.COLUMN_EXISTS,
                    self.wording.column_twice(item.column),
                    table=table.name,
                    column=item.column,
                )
            db.put_column(table, column_fact(item))
            if item.constrained:
                db.add_foreign_key(table, folded, pending=True)
            if item.unique and not item.primary_key:
                table.indexes.append(Index(columns=(folded,), unique=True, constraint=True, inline=True))
            elif item.indexed and not item.primary_key and not (self.vendor == "mysql" and item.constrained):
                single.append((folded,))
        if columns.uncertain is not None:
            db.doubt_shape(table, columns.uncertain)
        options = model.options
        if options.unique_together is UNKNOWN or options.constraints is UNKNOWN:
            db.doubt_shape(table, "its unique sets could not be read")
        if options.unique_together is not UNKNOWN:
            for fields in sorted(options.unique_together):
                named = self._columns_of(columns, fields)
                if named is not None:
                    self._add_automatic(table, named, "_uniq", unique=True)
        if options.constraints is not UNKNOWN:
            for constraint in options.constraints:
                self._add_named_unique(table, constraint, columns, inline=True)
        for folded_columns in single:
            self._add_automatic(table, folded_columns, "")
        if options.indexes is not UNKNOWN:
            for constraint in options.indexes:
                self.add_named_index(table, constraint, columns, pending=True)
        if options.index_together is not UNKNOWN and not (rebuilding and self.django_version >= (5, 1)):
            for fields in sorted(options.index_together):
                named = self._columns_of(columns, fields)
                if named is not None:
                    # Since 5.1 CreateModel makes these by itself, and SQLite's rebuilding forgets them.
                    self._add_automatic(table, named, "_idx")

    def drop_table(
        self, name: Maybe[str], field: FieldKey | None = None, *, linking: Callable[[Table], bool] = lambda table: False
    ) -> None:
        """DROP TABLE: PostgreSQL and Oracle cascade, SQLite does not look, MySQL refuses when others refer to it.

        `linking` tells of a table whether it has links although it is no automatic one.
        """
        if name is UNKNOWN:
            return
        table = self.existing(name, dropping=True)
        if table is None:
            return
        for other, column in self.db.referring(table.name):
            if other is table:
                continue
            if self.vendor == "mysql" and other.foreign_keys[column] is not None:
                if other.existence_doubt is None and other.shape_doubt is None and table.existence_doubt is None:
                    self.fail(
                        FailureKind.TABLE_REFERENCED,
                        self.wording.table_referenced(table.name),
                        table=table.name,
                        column=column,
                        existing=other,
                    )
            elif self.sqlite:
                if (other.link or linking(other)) and other.shape_doubt is None:
                    self.rows_violate(other, other.columns[column].name, table.name)
            else:
                # A key that is still to be made Django forgets.
                self.db.drop_foreign_key(other, column, table.name)
        self.effects.append(TableDropped(table=self.db.fact(table), field=field or table.auto_of))
        self.db.drop(table, self.origin)

    def rename_table(
        self, old: Maybe[str], new: Maybe[str], field: FieldKey | None = None, *, follow: bool = True
    ) -> None:
        """`alter_db_table`: nothing when the name stays (`ignores_table_name_case`)."""
        if old is UNKNOWN or new is UNKNOWN:
            for name in (old, new):
                if name is not UNKNOWN:
                    self.db.doubt_table(name, "a table's name could not be told")
            return
        if old == new or self.names.fold_table(old) == self.names.fold_table(new):
            return
        table = self.existing(old)
        if table is None:
            self.db.doubt_table(new, self.db.absence_doubt(old) or "")
            return
        self.vacant(new, renaming=True)
        self.db.rename(table, new, self.origin, follow=follow)
        self.effects.append(TableRenamed(old_name=old, table=self.db.fact(table), field=field or table.auto_of))

    # -- columns

    def add_column(self, name: Maybe[str], item: Column) -> None:
        """ALTER TABLE … ADD COLUMN, on databases that do not rebuild."""
        if name is UNKNOWN:
            return
        table = self.existing(name)
        if table is None:
            return
        folded = self.names.fold(item.column)
        if folded in table.columns:
            if table.shape_doubt is None and table.existence_doubt is None:
                self.fail(
                    FailureKind.COLUMN_EXISTS,
                    self.wording.column_exists(table.name, item.column),
                    table=table.name,
                    column=item.column,
                    existing=table,
                )
            return
        self.db.put_column(table, column_fact(item))
        if item.constrained:
            self.db.add_foreign_key(table, folded)
            if self.sqlite:
                self.check_target(table, folded)
            else:
                self.target_exists(table, folded)
        index = self.index_column(table, item)
        if index is not None:
            self.check_new_index(table, index)

    def index_column(self, table: Table, item: Column) -> Index | None:
        """The unique set or the index of a single column; the one that Django has to name is returned."""
        folded = self.names.fold(item.column)
        if item.unique:
            table.indexes.append(Index(columns=(folded,), unique=True, constraint=True, inline=True))
        elif item.indexed and not (self.vendor == "mysql" and item.constrained):
            self._add_automatic(table, (folded,), "")
            return table.indexes[-1]
        return None

    def drop_column(self, name: Maybe[str], column: str) -> None:
        if name is UNKNOWN:
            return
        table = self.existing(name)
        if table is None or not self.has_column(table, column, "drop"):
            return
        if self.vendor == "mysql":
            self._in_no_unique_set(table, column)
        self.db.drop_column(table, column)

    def _in_no_unique_set(self, table: Table, column: str) -> None:
        """MariaDB drops no column of a unique set of several, where MySQL makes the set smaller."""
        folded = self.names.fold(column)
        for index in table.indexes:
            if index.unique and len(index.columns) > 1 and folded in index.columns and table.shape_doubt is None:
                failure = self.failure(
                    FailureKind.CONSTRAINT_EXISTS,
                    self.wording.column_missing(table.name, column, "key"),
                    table=table.name,
                    constraint=self.db.index_name(index, table),
                    existing=table,
                )
                reason = "MariaDB refuses; MySQL makes the unique set smaller, which the rows may not allow"
                raise Raises(replace(failure, certainty=Certainty.LIKELY, reason=failure.reason or reason))

    def rename_column(self, name: Maybe[str], old: str, new: str) -> None:
        if name is UNKNOWN:
            return
        table = self.existing(name)
        if table is None or not self.has_column(table, old, "rename"):
            return
        if self.names.fold(new) in table.columns and self.names.fold(new) != self.names.fold(old):
            if table.shape_doubt is None and table.existence_doubt is None:
                self.fail(
                    FailureKind.COLUMN_EXISTS,
                    self.wording.column_exists(table.name, new),
                    table=table.name,
                    column=new,
                    existing=table,
                )
            return
        self.db.rename_column(table, old, new)
        self.effects.append(ColumnRenamed(table=self.db.fact(table), old_name=old, new_name=new))

    def alter_key(
        self,
        table: Table,
        column: str,
        *,
        was: bool,
        now: bool,
        target: Maybe[str | None],
        target_column: str | None,
    ) -> None:
        """What `_alter_field` does with the foreign key of a folded column of a field that changed.

        An existing one is dropped if the old state has one (`was`), and one is made if the new state has one (`now`)
        and the old one was dropped or not in the old state. One that is still to be made is not found.
        """
        dropped = was and table.foreign_keys.get(column) is not None
        if dropped:
            del table.foreign_keys[column]
            table.further_keys.pop(column, None)
        made = now and (dropped or not was)
        fact = table.columns.get(column)
        if fact is not None and target is not UNKNOWN and (made or column not in table.foreign_keys):
            self.db.put_column(table, fact._replace(references=target, target=target_column))
        if not made:
            return
        if column in table.foreign_keys and fact is not None and target is not UNKNOWN and target is not None:
            name = (table.name, fact.name, target)
            if table.foreign_keys[column] in (None, name) and table.shape_doubt is None:
                words = self.wording.key_exists(table.name, self.key_name(table, column, target))
                self.fail(FailureKind.CONSTRAINT_EXISTS, words, table=table.name, existing=table)
            if fact.references is not None:
                table.further_keys[column] = (*table.further_keys.get(column, ()), fact.references)
        self.db.add_foreign_key(table, column)
        self.target_exists(table, column)

    # -- unique sets and indexes

    def _add_automatic(self, table: Table, columns: tuple[str, ...], suffix: str, *, unique: bool = False) -> None:
        """An index that Django names itself, made when the migration ends."""
        self.db.add_index(
            table,
            Index(columns=columns, unique=unique, constraint=unique, pending=True, basis=table.name, suffix=suffix),
        )

    def _add_named_unique(self, table: Table, constraint: Constraint, columns: Columns, *, inline: bool) -> None:
        if not is_unique_constraint(constraint) or constraint.name is None:
            return
        named = () if constraint.fields is UNKNOWN else self._columns_of(columns, constraint.fields)
        if constraint.name is UNKNOWN or named is None or constraint.fields is UNKNOWN:
            self.db.doubt_shape(table, "a constraint could not be read")
            return
        self.db.add_index(
            table,
            Index(
                columns=named,
                # A partial or deferrable set is not the set that a link table needs.
                unique=constraint.plain_unique,
                constraint=constraint.plain_unique,
                inline=inline and constraint.plain_unique,
                name=constraint.name,
                pending=inline and not constraint.plain_unique,
            ),
        )

    def add_named_index(self, table: Table, index: Constraint, columns: Columns, *, pending: bool) -> None:
        if index.name is UNKNOWN or index.name is None or index.fields is UNKNOWN:
            return
        named = self._columns_of(columns, tuple(field.removeprefix("-") for field in index.fields)) or ()
        self.db.add_index(table, Index(columns=named, unique=False, constraint=False, name=index.name, pending=pending))

    def _columns_of(self, columns: Columns, fields: Iterable[str]) -> tuple[str, ...] | None:
        """The folded columns of fields, in order; ``None`` when one is not there."""
        found: list[str] = []
        for name in fields:
            column = columns.by_field(name)
            if column is None:
                return None
            found.append(self.names.fold(column.column))
        return tuple(found)


def is_unique_constraint(constraint: Constraint) -> bool:
    return constraint.plain_unique or constraint.class_path.rpartition(".")[2] == "UniqueConstraint"


def column_fact(item: Column) -> ColumnFact:
    return ColumnFact(
        name=item.column,
        type_name=item.type_name,
        not_null=item.not_null,
        primary_key=item.primary_key,
        references=None if item.references is UNKNOWN else item.references,
        target=item.target,
    )

"""``database_forwards`` of the operations on unique sets, constraints and indexes."""

from __future__ import annotations

from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddIndex,
    AlterTogether,
    ModelKey,
    RemoveConstraint,
    RemoveIndex,
    RenameIndex,
)
from lint_m2m.replay import wording
from lint_m2m.replay.change import Change
from lint_m2m.replay.database import Index, Table
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.layout import Columns
from lint_m2m.replay.models import ModelState
from lint_m2m.replay.schema import is_unique_constraint
from lint_m2m.replay.side import DatabaseSide
from lint_m2m.values import replace


class KeySide(DatabaseSide):
    """The database side of operations on unique sets, constraints and indexes."""

    def alter_together(self, change: Change, operation: AlterTogether) -> None:
        key = ModelKey(change.app_label, operation.name.lower())
        old, new = change.before.get(key), change.after.get(key)
        if old is None or new is None or self.layout.runs(new) is not True:
            self._doubt_if_unsure(new, change.after)
            return
        unique = operation.option_name == "unique_together"
        was = old.options.unique_together if unique else old.options.index_together
        now = new.options.unique_together if unique else new.options.index_together
        name = self.layout.table(new, change.after)
        if name is UNKNOWN:
            return
        if was is UNKNOWN or now is UNKNOWN:
            self._doubt_shape(name, "a unique_together or index_together could not be read")
            return
        if was == now:
            return
        columns = self.layout.columns_of(new, {name for fields in was ^ now for name in fields}, change.after)
        for fields in sorted(was - now):
            self._delete_composed(name, columns, new, fields, unique)
        for fields in sorted(now - was):
            self._create_composed(name, columns, fields, unique)
        self._keep_step(name, old, new)

    def _delete_composed(
        self, name: str, columns: Columns, model: ModelState, fields: tuple[str, ...], unique: bool
    ) -> None:
        """`_delete_composed_index`: found by its columns in their order, not by its name."""
        wanted = self._spelled(columns, fields)
        if wanted is None:
            return
        database = self.editor.db
        table = database.get(name)
        if table is None:
            if database.absence_doubt(name) is not None:
                return
            if self.editor.vendor == "mysql":
                self.editor.existing(name)
            self.editor.fail(FailureKind.TABLE_MISSING, wording.wrong_number(0, name, wanted), table=name)
        if table.shape_doubt is not None or table.existence_doubt is not None:
            return
        folded = tuple(self.names.fold(column) for column in wanted)
        found = [index for index in table.indexes if index.columns == folded and index.unique == unique]
        pending = [index for index in found if index.pending]
        if unique and pending and self.django_version >= (6, 1):
            table.indexes.remove(pending[0])
            return
        meta = {
            constraint.name
            for option in (model.options.constraints, model.options.indexes)
            if option is not UNKNOWN
            for constraint in option
        }
        found = [index for index in found if not index.pending and (index.name is None or index.name not in meta)]
        if unique and len(found) > 1:
            default = self.names.unique_name(name, wanted)
            named = [index for index in found if database.index_name(index, table) == default]
            found = named or found
        if len(found) != 1:
            self.editor.fail(
                FailureKind.CONSTRAINT_MISSING,
                wording.wrong_number(len(found), name, wanted),
                table=name,
                constraint=self.names.unique_name(name, wanted) if unique else None,
                existing=table,
            )
        if self.sqlite and found[0].inline:
            self.editor.fail(
                FailureKind.CONSTRAINT_MISSING,
                self.editor.wording.index_missing(database.index_name(found[0], table) or ""),
                table=name,
                existing=table,
            )
        table.indexes.remove(found[0])

    def _create_composed(self, name: str, columns: Columns, fields: tuple[str, ...], unique: bool) -> None:
        wanted = self._spelled(columns, fields)
        if wanted is None:
            return
        editor = self.editor
        table = editor.existing(name, indexing=True)
        if table is None:
            return
        folded = tuple(self.names.fold(column) for column in wanted)
        suffix = "_uniq" if unique else "_idx"
        self._index_columns_exist(table, wanted, "key" if unique else "index")
        editor.index_free(table, columns=folded, suffix=suffix)
        # SQLite makes an index on a string of what is no column.
        real = table.shape_doubt is not None or all(column in table.columns for column in folded)
        editor.db.add_index(
            table,
            Index(
                columns=folded if real else (),
                unique=unique and real,
                constraint=unique,
                basis=table.name,
                basis_columns=wanted,
                suffix=suffix,
            ),
        )

    def add_constraint(self, change: Change, operation: AddConstraint) -> None:
        model = change.after.get(ModelKey(change.app_label, operation.model_name.lower()))
        if model is None or self.layout.runs(model) is not True:
            return
        constraint = operation.constraint
        name = self.layout.table(model, change.after)
        if name is UNKNOWN:
            return
        if self.sqlite and (constraint.plain_unique or not is_unique_constraint(constraint)):
            self._keys_lost(change, model, change.after, anew=True)
            self.editor.remake(name, None, model, change.after)
            return
        table = self.editor.existing(name, indexing=is_unique_constraint(constraint) and self.sqlite)
        if table is None or not is_unique_constraint(constraint):
            return
        if constraint.name is UNKNOWN or constraint.name is None or constraint.fields is UNKNOWN:
            self.editor.db.doubt_shape(table, "a constraint could not be read")
            return
        wanted = self._spelled(self.layout.columns_of(model, constraint.fields, change.after), constraint.fields)
        if wanted is None:
            return
        self._index_columns_exist(table, wanted, "key" if constraint.plain_unique else "index")
        self.editor.index_free(table, name=constraint.name)
        self.editor.db.add_index(
            table,
            Index(
                columns=tuple(self.names.fold(column) for column in wanted),
                unique=constraint.plain_unique,
                constraint=constraint.plain_unique,
                name=constraint.name,
            ),
        )

    def remove_constraint(self, change: Change, operation: RemoveConstraint) -> None:
        key = ModelKey(change.app_label, operation.model_name.lower())
        old, model = change.before.get(key), change.after.get(key)
        if old is None or model is None or self.layout.runs(model) is not True:
            return
        name = self.layout.table(model, change.after)
        constraints = old.options.constraints
        if name is UNKNOWN:
            return
        if operation.name is UNKNOWN or constraints is UNKNOWN:
            self._doubt_shape(name, "a constraint could not be read")
            return
        constraint = next((item for item in constraints if item.name == operation.name), None)
        if constraint is None:
            return
        if self.sqlite and (constraint.plain_unique or not is_unique_constraint(constraint)):
            self._keys_lost(change, model, change.after, anew=True)
            self.editor.remake(name, None, model, change.after)
            return
        if not constraint.plain_unique and is_unique_constraint(constraint):
            self._drop_index(name, operation.name)
            return
        table = self.editor.existing(name)
        if table is not None and is_unique_constraint(constraint):
            self._drop_named(table, operation.name)

    def _drop_named(self, table: Table, name: str) -> None:
        """ALTER TABLE … DROP CONSTRAINT."""
        index = self._find_named(table, name)
        if index is not None:
            table.indexes.remove(index)
        elif table.shape_doubt is None and table.existence_doubt is None:
            self.editor.fail(
                FailureKind.CONSTRAINT_MISSING,
                self.editor.wording.constraint_missing(table.name, name),
                table=table.name,
                constraint=name,
                existing=table,
            )

    def _drop_index(self, table_name: str, name: str) -> None:
        """DROP INDEX: MySQL's is of a table, the others' of the schema, PostgreSQL's with IF EXISTS."""
        editor, database = self.editor, self.editor.db
        tables = [editor.existing(table_name)] if editor.vendor == "mysql" else list(database.tables())
        unsure = False
        for table in tables:
            if table is None:
                return
            index = self._find_named(table, name)
            if index is not None:
                database.own(table).indexes.remove(index)
                return
            unsure = unsure or ((table.shape_doubt or table.existence_doubt) is not None and table.name == table_name)
        if editor.vendor == "postgresql" or unsure or database.absence_doubt(table_name) is not None:
            return
        editor.fail(
            FailureKind.CONSTRAINT_MISSING,
            editor.wording.index_missing(name),
            table=table_name,
            constraint=name,
            existing=database.get(table_name),
        )

    def _find_named(self, table: Table, name: str) -> Index | None:
        database, folded = self.editor.db, self.names.fold(name)
        for index in table.indexes:
            own = database.index_name(index, table)
            if own is not None and self.names.fold(own) == folded and not index.pending:
                return index
        return None

    def add_index(self, change: Change, operation: AddIndex) -> None:
        model = change.after.get(ModelKey(change.app_label, operation.model_name.lower()))
        if model is None or self.layout.runs(model) is not True:
            return
        name = self.layout.table(model, change.after)
        index = operation.index
        if name is UNKNOWN:
            return
        table = self.editor.existing(name, indexing=True)
        if table is None or index.name is UNKNOWN or index.name is None or index.fields is UNKNOWN:
            return
        fields = tuple([field.removeprefix("-") for field in index.fields])
        columns = self.layout.columns_of(model, fields, change.after)
        wanted = self._spelled(columns, fields)
        if wanted:
            self._index_columns_exist(table, wanted, "index")
        self.editor.index_free(table, name=index.name)
        self.editor.add_named_index(table, index, columns, pending=False)

    def remove_index(self, change: Change, operation: RemoveIndex) -> None:
        key = ModelKey(change.app_label, operation.model_name.lower())
        model = change.before.get(key)
        if model is None or self.layout.runs(model) is not True or operation.name is UNKNOWN:
            return
        name = self.layout.table(model, change.before)
        indexes = model.options.indexes
        if name is UNKNOWN or indexes is UNKNOWN:
            return
        index = next((item for item in indexes if item.name == operation.name), None)
        if index is None or index.fields is UNKNOWN:
            return
        self._drop_index(name, operation.name)

    def rename_index(self, change: Change, operation: RenameIndex) -> None:
        key = ModelKey(change.app_label, operation.model_name.lower())
        old, model = change.before.get(key), change.after.get(key)
        if old is None or model is None or self.layout.runs(model) is not True:
            return
        name = self.layout.table(model, change.after)
        old_name, new_name, old_fields = operation.old_name, operation.new_name, operation.old_fields
        if name is UNKNOWN or new_name is UNKNOWN or old_name is UNKNOWN or old_fields is UNKNOWN:
            return
        database = self.editor.db
        table = database.get(name)
        if table is None or table.shape_doubt is not None or table.existence_doubt is not None:
            return
        if old_fields is not None:
            wanted = self._spelled(self.layout.columns(old, change.before), old_fields)
            folded = tuple(self.names.fold(column) for column in wanted or ())
            found = [index for index in table.indexes if index.columns == folded and not index.unique]
            found = [index for index in found if not index.pending]
            if wanted is not None and len(found) != 1:
                self.editor.fail(
                    FailureKind.CONSTRAINT_MISSING,
                    wording.wrong_number_of_indexes(len(found), name, wanted),
                    table=name,
                    existing=table,
                )
        else:
            index = None if old_name is None else self._find_named(table, old_name)
            found = [] if index is None else [index]
            if index is None and old_name is not None:
                self.editor.fail(
                    FailureKind.CONSTRAINT_MISSING,
                    self.editor.wording.index_to_rename_missing(name, old_name),
                    table=name,
                    constraint=old_name,
                    existing=table,
                )
        for index in found[:1]:
            table.indexes.remove(index)
            self.editor.index_free(table, name=new_name)
            database.add_index(table, replace(index, basis=None, name=new_name))

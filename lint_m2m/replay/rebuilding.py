"""SQLite's way to change a table: make it anew from the state, and copy the rows.

`_remake_table` of django/db/backends/sqlite3/schema.py. What it makes is what the state says, whatever was there:
columns and unique sets that the state does not know are gone, and a missing column is read as a string, since its
double-quoted name is no column.
"""

from __future__ import annotations

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.database import Table
from lint_m2m.replay.layout import Columns, LinkTable
from lint_m2m.replay.models import ModelState, StateView
from lint_m2m.replay.schema import SchemaEditor, column_fact


class RebuildingEditor(SchemaEditor):
    """The schema editor, with what only SQLite needs."""

    def remake(
        self,
        name: Maybe[str],
        was: ModelState | None,
        model: ModelState,
        view: StateView,
        *,
        field: str | None = None,
        read: dict[str, str] | None = None,
        created: str | None = None,
    ) -> None:
        """The table of `was` is made anew as that of `model` in `view`, and filled from the old one.

        `field` is the only field in which the two differ, if there is one. `read` maps new columns to the old ones they
        are read from; `created` is a column that is new.
        """
        if name is UNKNOWN:
            return
        table = self.existing(name)
        if table is None:
            return
        in_step = was is not None and field is not None and table.in_step_with is was and table.shape_doubt is None
        if in_step and was is not None and field is not None and self._patched(table, was, model, view, field):
            self.db.settle()
        else:
            self.rebuild(table, self.layout.columns(model, view), model, read=read or {}, created=created)
        table.in_step_with = model

    def _patched(self, table: Table, was: ModelState, model: ModelState, view: StateView, name: str) -> bool:
        """Change the one column in which the table would differ; false when it takes more.

        Only for a table of which it is known that it is what the state says: rebuilding it changes nothing else.
        """
        old_state, new_state = was.fields.get(name), model.fields.get(name)
        for state in (old_state, new_state):
            if state is not None and (state.uncertain is not None or state.field.primary_key is not False):
                return False
        if was.options.index_together or model.uncertain is not None:
            return False
        old = None if old_state is None else self.layout.column(name, old_state.field)
        new = None if new_state is None else self.layout.field_column(name, new_state.field, view)
        if old is UNKNOWN or new is UNKNOWN:
            return False
        fold = self.names.fold
        if old is not None and new is not None and fold(old) != fold(new.column):
            return False
        if old is None and new is not None and fold(new.column) in table.columns:
            return False
        if old is not None and fold(old) not in table.columns:
            return False
        for state in was.fields.values():
            relation = state.field.relation
            if state is old_state or relation is None or state.field.many_to_many:
                continue
            column = self.layout.column(state.name, state.field)
            fact = None if column is None or column is UNKNOWN else table.columns.get(fold(column))
            if fact is None or fact.references != self.layout.reference_table(relation.to, view):
                return False
        if old is not None and new is None:
            self.db.drop_column(table, old)
        elif old is not None:
            folded = fold(old)
            table.foreign_keys.pop(folded, None)
            table.indexes = [
                index
                for index in table.indexes
                if index.columns != (folded,) or not (index.inline or (index.name is None and index.suffix == ""))
            ]
        if new is not None:
            self.db.put_column(table, column_fact(new))
            if new.constrained:
                self.db.add_foreign_key(table, fold(new.column), pending=True)
            index = self.index_column(table, new)
            if index is not None:
                self.check_new_index(table, index)
        return True

    def rebuild(
        self,
        table: Table,
        columns: Columns,
        model: ModelState | None,
        *,
        read: dict[str, str],
        created: str | None = None,
        link: LinkTable | None = None,
        view: StateView | None = None,
        settle: bool = True,
    ) -> None:
        """What a rebuilt table is: `columns` of `model`, or what `link` has. `settle`: pending indexes are made too."""
        old_columns = table.columns
        doubtful = table.shape_doubt is not None
        # Whatever it looked like, now it is what the state says.
        table.columns, table.foreign_keys, table.indexes, table.shape_doubt = {}, {}, [], None
        table.in_step_with = None
        if link is not None and view is not None:
            self.fill_link(table, link, view)
        elif model is not None:
            self.define(table, columns, model, rebuilding=True)
        if settle:
            self.db.settle()
        self.check_new_table(table)
        if doubtful:
            return
        for folded, fact in table.columns.items():
            source = self.names.fold(read.get(fact.name, fact.name))
            if source in old_columns or fact.name == created or fact.references is None:
                continue
            # The new column holds the name of the missing one as text.
            if folded in table.foreign_keys:
                old = read.get(fact.name, fact.name)
                self.rows_violate(table, fact.name, fact.references, value=old)

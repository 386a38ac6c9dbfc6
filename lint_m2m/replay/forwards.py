"""`database_forwards` of every operation that Django ships, on the ledger.

Each function does what the operation's method does (django/db/migrations/operations/models.py, fields.py), with the
state before and after it. `Forwards.run` yields what `migrate` raises and what happened to tables; after a failure the
operation counts as repaired: what the state wants exists, and is in doubt, so that nothing further follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lint_m2m.finding import Certainty
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    CreateModel,
    DeleteModel,
    ModelKey,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
)
from lint_m2m.replay.change import NOTHING, Change, Outcome, subject
from lint_m2m.replay.database import Database
from lint_m2m.replay.editor import Raises
from lint_m2m.replay.facts import Failure, FailureKind, FieldKey, Origin
from lint_m2m.replay.layout import related_fields
from lint_m2m.replay.models import ModelState, StateView
from lint_m2m.replay.side_keys import KeySide
from lint_m2m.replay.side_models import ModelSide


class Forwards(ModelSide, KeySide):
    """Runs the database side of operations, one at a time."""

    def run(self, change: Change, database: Database, origin: Origin) -> Outcome:
        """Do the database side of an operation on `database`."""
        handler = _HANDLERS.get(type(change.operation))
        if handler is None:
            return NOTHING
        model, field = subject(change.operation, change.app_label)
        editor = self.editor
        editor.begin(database, origin, model, field)
        try:
            handler(self, change, change.operation)
        except Raises as raised:
            self.repair(change, raised.failure, database, origin)
            return Outcome((raised.failure,), tuple(editor.effects))
        if not editor.effects and not editor.later:
            return NOTHING
        return Outcome((), tuple(editor.effects), tuple(editor.later))

    def repair(self, change: Change, failure: Failure, database: Database, origin: Origin) -> None:
        """Go on as if the operation had worked: its tables exist, and are in doubt."""
        where = f"operation {origin.address} of `{origin.migration}`"
        reason = f"{where} fails" if failure.certainty is Certainty.CERTAIN else f"{where} may fail"
        for name, created in self._tables_involved(change):
            table = database.get(name)
            if table is not None:
                database.doubt_shape(table, reason)
                if not (failure.kind is FailureKind.TABLE_EXISTS and failure.table == table.name):
                    table.existence_doubt = table.existence_doubt or reason
            elif created is None:
                database.doubtful_names.setdefault(self.names.fold_table(name), reason)
            else:
                made = database.create(name, created=origin, auto_of=created[1], model=created[0], link=created[2])
                made.shape_doubt = made.existence_doubt = reason

    def _tables_involved(
        self, change: Change
    ) -> Iterator[tuple[str, tuple[ModelKey | None, FieldKey | None, bool] | None]]:
        """Names of the tables that the operation is about; with what to make of one that the state wants."""
        operation = change.operation
        for view, wanted in ((change.before, False), (change.after, True)):
            for model, names, own in self._fields_involved(operation, change, view):
                if own:
                    table = self.layout.table(model, view)
                    if table is not UNKNOWN:
                        yield table, ((model.key, None, False) if wanted else None)
                for state in model.many_to_many():
                    if names is not None and state.name not in names:
                        continue
                    if self.layout.is_automatic(state.field) is True:
                        link = self.layout.link_table(model, state.name, state.field, view)
                        if link.table is not UNKNOWN:
                            yield link.table, ((None, link.key, True) if wanted else None)

    def _fields_involved(
        self, operation: Operation, change: Change, view: StateView
    ) -> Iterator[tuple[ModelState, frozenset[str] | None, bool]]:
        """Models with the fields of theirs that the operation is about (``None``: all), and whether their own table is
        involved."""
        key, field = subject(operation, change.app_label)
        if key is None:
            return
        names = None if field is None else frozenset((field.name,))
        keys = [key]
        if isinstance(operation, RenameModel):
            keys.append(ModelKey(change.app_label, operation.new_name.lower()))
        if isinstance(operation, RenameField):
            names = frozenset((operation.old_name, operation.new_name))
        for each in keys:
            model = view.get(each)
            if model is None:
                continue
            links = names is not None and any(
                name in model.fields and model.fields[name].field.many_to_many for name in names
            )
            yield model, names, not links
            if isinstance(operation, RenameModel):
                for other, state in related_fields(each, change.referrers(each), view):
                    if state.field.many_to_many:
                        yield other, frozenset((state.name,)), False


_HANDLERS: dict[type[Operation], Callable[..., None]] = {
    CreateModel: Forwards.create_model,
    DeleteModel: Forwards.delete_model,
    RenameModel: Forwards.rename_model,
    AlterModelTable: Forwards.alter_model_table,
    AlterTogether: Forwards.alter_together,
    AlterOrderWithRespectTo: Forwards.alter_order,
    AddField: Forwards.add_field,
    RemoveField: Forwards.remove_field,
    AlterField: Forwards.alter_field,
    RenameField: Forwards.rename_field,
    AddConstraint: Forwards.add_constraint,
    RemoveConstraint: Forwards.remove_constraint,
    AddIndex: Forwards.add_index,
    RemoveIndex: Forwards.remove_index,
    RenameIndex: Forwards.rename_index,
}

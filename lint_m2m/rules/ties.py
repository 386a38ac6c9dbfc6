"""Which many-to-many field a failing operation has to do with: shared by MTM104, MTM106 and MTM107.

A table matters when it holds links, and when its model takes part in a many-to-many, or did: as its through model, as
its owner or as its target.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import (
    UNKNOWN,
    AlterField,
    DeleteModel,
    Maybe,
    ModelKey,
    ModelRef,
    RemoveField,
    RenameModel,
)
from lint_m2m.replay.facts import Failure, FieldKey
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.describe import link_field_of, through_of


class Ties:
    """Remembers the many-to-many fields that are gone; a rule shows it every step."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._former: dict[ModelKey, FieldKey] = {}

    def see(self, step: Step) -> None:
        """Take note of the fields that `step` removes or changes."""
        if step is self._last:
            return
        self._last = step
        operation, app = step.operation, step.app_label
        if not step.on_state:
            return
        match operation:
            case RenameModel():
                old = ModelKey(app, operation.old_name.lower())
                if old in self._former:
                    self._former[ModelKey(app, operation.new_name.lower())] = self._former.pop(old)
            case DeleteModel():
                self._note(step.before, ModelKey(app, operation.name.lower()), None)
            case RemoveField() | AlterField():
                self._note(step.before, ModelKey(app, operation.model_name.lower()), operation.name)
            case _:
                return

    def _note(self, state: StateView, key: ModelKey, name: str | None) -> None:
        model = state.get(key)
        for field in () if model is None else model.many_to_many():
            if model is not None and name in (None, field.name):
                for tied in _partners(state, model, field):
                    self._former[tied] = model.field_key(field.name)

    def field_of(self, failure: Failure, state: StateView, replay: Replay) -> FieldKey | None:
        """The many-to-many that the failure is about, as `state` believes: the nearest one.

        A plain field where the failure is about one of a model that is no through model.
        """
        existing = failure.existing
        own = failure.field
        model = None if own is None else state.get(own.model_key)
        known = None if own is None or model is None else model.fields.get(own.name)
        if own is not None and (known is None or known.field.many_to_many):
            own_link = link_field_of(replay, state, None, failure.model) if known is None else None
            return own_link or own
        field = (
            link_field_of(replay, state, failure.table, failure.model)
            or (existing.auto_of if existing is not None else None)
            or own
        )
        if field is not None:
            return field
        about = (failure.model, None if existing is None else existing.model)
        models = {key for key in about if key is not None}
        # A table may have come to another model since it was made.
        tables = (failure.table, None if existing is None else existing.name)
        models.update(model.key for model in state.models() if replay.model_table(model, state) in tables)
        for owner in state.models():
            for link in owner.many_to_many():
                if not models.isdisjoint(_partners(state, owner, link)):
                    return owner.field_key(link.name)
        return next((self._former[key] for key in sorted(models & self._former.keys())), None)


def _partners(state: StateView, owner: ModelState, field: FieldState) -> Iterator[ModelKey]:
    """The models that take part in a many-to-many: its through model, its owner, its target."""
    relation = field.field.relation
    references: tuple[Maybe[ModelRef | None], ...] = (through_of(field.field), relation.to if relation else None)
    for reference in references:
        model = None if reference is None or reference is UNKNOWN else state.lookup(reference)
        if model is not None and model is not UNKNOWN:
            yield model.key
    yield owner.key

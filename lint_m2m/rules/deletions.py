"""Models that are deleted while a many-to-many field still names them, as `through=` or as `to=`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lint_m2m.migration import DeleteModel, Location, MigrationKey, ModelKey
from lint_m2m.replay.facts import FailureKind, FieldKey
from lint_m2m.replay.models import FieldState, StateView
from lint_m2m.replay.rendering import lazy_references
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.describe import model_label
from lint_m2m.values import slotted

# What an operation raises because a model is gone.
_BECAUSE_OF_IT = (FailureKind.THROUGH_UNRESOLVED, FailureKind.TARGET_GONE, FailureKind.STATE_UNRENDERABLE)


class Use(NamedTuple):
    """A field that names a model."""

    field: FieldKey
    model: ModelKey


@slotted()
class Deletion:
    """What deleted the model of a `Use`, and what has come of that.

    `argument` is the field's argument that names the model, `named` where that stands. `exception` is what the next
    `migrate` raises after a migration that ends like that; ``None`` while none has. `mended` is the migration that put
    it right.
    """

    step: Step
    use: Use
    label: str
    argument: str
    named: Location
    exception: str | None = None
    mended: MigrationKey | None = None


class Deletions:
    """Follows them through the replay."""

    def __init__(self) -> None:
        self._open: dict[Use, Deletion] = {}
        self._ended: dict[Use, Deletion] = {}
        self._last: tuple[int, MigrationKey] | None = None

    def see(self, step: Step) -> None:
        """Call for every step; `at_the_end` when there are no more."""
        if self._last is not None and step.position != self._last[0]:
            self._close(step.before)
        self._last = (step.position, step.migration.key)
        # An operation on the field that fails for a reason of its own says all: nothing follows from it.
        if step.failures and self._open:
            failing = {failure.field for failure in step.failures if failure.kind not in _BECAUSE_OF_IT}
            self._open = {use: one for use, one in self._open.items() if use.field not in failing}
        operation = step.operation
        if not isinstance(operation, DeleteModel) or not step.on_state or step.failures:
            return
        model = ModelKey(step.app_label, operation.name.lower())
        label = model_label(step.before, model)
        for owner in step.after.models():
            for field in owner.many_to_many():
                argument = _argument(field, model)
                if argument is not None and field.uncertain is None and step.after.lookup(model) is None:
                    use = Use(owner.field_key(field.name), model)
                    self._ended.pop(use, None)
                    self._open[use] = Deletion(step, use, label, argument, field.origin.location)

    def of(self, use: Use) -> Deletion | None:
        """What deleted the model that the field still names."""
        return self._open.get(use)

    def at_the_end(self, replay: Replay) -> Iterator[Deletion]:
        """All after which a migration ended with the field still naming the model."""
        self._close(replay.state)
        yield from (one for one in (*self._ended.values(), *self._open.values()) if one.exception is not None)

    def _close(self, state: StateView) -> None:
        """A migration has ended: with `state`."""
        for use, deletion in tuple(self._open.items()):
            model = state.get(use.field.model_key)
            field = None if model is None else model.fields.get(use.field.name)
            if field is None or _argument(field, use.model) is None or state.lookup(use.model) is not None:
                del self._open[use]
                assert self._last is not None
                deletion.mended = self._last[1]
                self._ended[use] = deletion
            elif deletion.exception is None:
                deletion.exception = lazy_references(state)


def _argument(field: FieldState, model: ModelKey) -> str | None:
    """The argument of a field by which it names `model`."""
    relation = field.field.relation
    if relation is None or model not in (relation.to, relation.through):
        return None
    return "through" if relation.through == model else "to"

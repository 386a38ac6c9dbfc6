"""Through models that are deleted and made anew while the field that goes through them stays: of MTM202 and MTM105.

Django runs a `DeleteModel` of the model that a field still names in `through=`, and a later `CreateModel` of the same
model, without a word: the field goes on holding the class (`lint_m2m.replay.rendering`) and finds the new one when it
is rendered again. The table is another one then, and empty. MTM202 shows every step to what follows them and says what
it finds; MTM105, which says what comes of a model that is gone, leaves those alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Certainty
from lint_m2m.migration import (
    UNKNOWN,
    CreateModel,
    DeleteModel,
    Maybe,
    MigrationKey,
    ModelKey,
    ModelRef,
    RenameModel,
)
from lint_m2m.replay.facts import Origin, TableDropped, TableFact
from lint_m2m.replay.models import FieldState
from lint_m2m.replay.rendering import lazy_references
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.deletions import Use
from lint_m2m.rules.describe import field_label, model_label, through_of
from lint_m2m.rules.loss import PAIR_WINDOW, Pursuer, Pursuit, Verdict, app_distance, judge
from lint_m2m.values import frozen, slotted


@frozen
class RemadeThrough:
    """A field whose links went with its through model, which there is again.

    `dropped` is what dropped the table, and `again` what gave the field a table anew: the model, or the field itself
    where `readded`. `exception` is what the next `migrate` raises once `deleted`, the migration that took the model out
    of the state, has run alone; ``None`` where nothing is amiss after it.
    """

    use: Use
    label: str
    model: str
    table: TableFact
    dropped: Origin
    deleted: MigrationKey
    again: Origin
    readded: bool
    exception: str | None
    verdict: Verdict


@slotted()
class _Followed:
    """A through model that is gone while a field names it, and what has come of the field since."""

    use: Use
    label: str
    model: str
    dropped: Origin
    deleted: MigrationKey
    conditional: str | None
    to: Maybe[ModelRef | None]
    position: int
    pursuit: Pursuit
    again: Origin | None = None
    exception: str | None = None
    removed: bool = False
    readded: bool = False


class Remade:
    """Follows them through the replay."""

    def __init__(self) -> None:
        self._pursuer = Pursuer()
        self._followed: list[_Followed] = []
        self._last: tuple[int, MigrationKey] | None = None
        self._at_end: tuple[RemadeThrough, ...] | None = None

    def see(self, step: Step, replay: Replay) -> None:
        """Call for every step."""
        if self._last is not None and step.position != self._last[0]:
            self._migration_ends(step)
        self._last = (step.position, step.migration.key)
        if self._followed and step.failures:
            self._followed = [one for one in self._followed if not _fails(step, one)]
        if step.on_state and not step.failures:
            made, gone = _made(step), _gone(step)
            # Links of models that are gone mean nothing.
            if gone is not None:
                ends = ((one, (one.to, one.pursuit.field.model_key)) for one in self._followed)
                self._followed = [one for one, models in ends if gone not in models]
            for one in self._followed:
                if isinstance(step.operation, RenameModel):
                    one.to = _renamed(one.to, step.operation, step.app_label)
                if one.again is None and made == one.use.model:
                    # However long it takes: nothing else can be done with the field in between.
                    one.again, one.pursuit.last = step.origin, step.position
            if gone is not None:
                self._deleted(step, gone, replay)
        self._pursuer.see(step, replay)
        for one in self._followed:
            # It is no model that nobody knows, only one that is not there.
            one.pursuit.outside.discard(one.use.model)
        if step.on_state and self._followed:
            self._followed = [one for one in self._followed if _goes_on(one, step, replay)]

    def _deleted(self, step: Step, key: ModelKey, replay: Replay) -> None:
        model = step.before.get(key)
        uses = [] if model is None or step.after.lookup(key) is not None else list(_uses(step, key, replay))
        if model is None or not uses:
            return
        name = replay.model_table(model, step.before)
        found = None if name is UNKNOWN else _dropped(step, name, replay)
        if found is None or not found[1].holds_rows:
            return
        dropped, table = found
        for use, field in uses:
            relation = field.field.relation
            self._followed.append(
                _Followed(
                    use=use,
                    label=field_label(step.after, use.field),
                    model=model_label(step.before, key),
                    dropped=dropped,
                    deleted=step.migration.key,
                    conditional=step.conditional,
                    to=None if relation is None else relation.to,
                    position=step.position,
                    pursuit=self._pursuer.follow(step, use.field, table),
                )
            )

    def _migration_ends(self, step: Step) -> None:
        for one in self._followed:
            if one.again is None and one.exception is None and not one.removed:
                one.exception = lazy_references(step.before)

    def at_end(self, replay: Replay) -> tuple[RemadeThrough, ...]:
        """Those whose links nothing has brought back, when the replay has come to its end."""
        if self._at_end is None:
            self._at_end = tuple(self._lost(replay))
        return self._at_end

    def _lost(self, replay: Replay) -> Iterator[RemadeThrough]:
        for one in self._followed:
            # Without a table of the field MTM301 says that there is none, or MTM105 that its model is gone.
            if one.removed or one.again is None or not one.pursuit.targets:
                continue
            verdict = judge(replay, self._pursuer, one.pursuit)
            if verdict.copied:
                continue
            if one.conditional is not None and verdict.certainty is Certainty.CERTAIN:
                reason = f"it may not run: {one.conditional}"
                verdict = Verdict(copied=False, certainty=Certainty.LIKELY, reason=reason, note=verdict.note)
            yield RemadeThrough(
                use=one.use,
                label=one.label,
                model=one.model,
                table=one.pursuit.source,
                dropped=one.dropped,
                deleted=one.deleted,
                again=one.again,
                readded=one.readded,
                exception=one.exception,
                verdict=verdict,
            )


def _uses(step: Step, model: ModelKey, replay: Replay) -> Iterator[tuple[Use, FieldState]]:
    """The fields that go through `model` before the step, and name it after it."""
    for key in replay.referrers(model):
        owner = step.after.get(key)
        for field in () if owner is None else owner.many_to_many():
            if owner is not None and through_of(field.field) == model and field.uncertain is None:
                yield Use(owner.field_key(field.name), model), field


def _dropped(step: Step, name: str, replay: Replay) -> tuple[Origin, TableFact] | None:
    """What dropped the table of that name: the step, or the other side of what the step is a part of."""
    for effect in step.effects:
        if isinstance(effect, TableDropped) and replay.same_name(effect.table.name, name):
            return step.origin, effect.table
    if step.on_database:
        return None
    gone = replay.gone(name)
    if gone is None or gone.renamed_to is not None or replay.table(name) is UNKNOWN:
        return None
    return gone.origin, gone.table


def _made(step: Step) -> ModelKey | None:
    """The model that the step makes, or gives its name."""
    match step.operation:
        case CreateModel(name=name) | RenameModel(new_name=name):
            return ModelKey(step.app_label, name.lower())
        case _:
            return None


def _gone(step: Step) -> ModelKey | None:
    """The model that the step deletes."""
    operation = step.operation
    return ModelKey(step.app_label, operation.name.lower()) if isinstance(operation, DeleteModel) else None


def _renamed(model: Maybe[ModelRef | None], operation: RenameModel, app_label: str) -> Maybe[ModelRef | None]:
    """What a model is called after the operation."""
    old, new = (ModelKey(app_label, name.lower()) for name in (operation.old_name, operation.new_name))
    return new if model == old else model


def _fails(step: Step, one: _Followed) -> bool:
    """Whether the step fails because the model is gone: one cause, one finding."""
    return one.again is None and any(failure.field == one.pursuit.field for failure in step.failures)


def _goes_on(one: _Followed, step: Step, replay: Replay) -> bool:
    """Whether `one` still is about links that the field has lost; notes whether the field is there."""
    if app_distance(replay, one.pursuit.field.app_label, one.position, step.position) > PAIR_WINDOW:
        return one.again is not None or not one.removed
    owner = replay.state.get(one.pursuit.field.model_key)
    field = None if owner is None else owner.fields.get(one.pursuit.field.name)
    if field is None:
        # Somebody may have wanted the loss.
        one.removed = True
        return True
    relation = field.field.relation
    if not field.field.many_to_many or relation is None:
        return False
    if one.removed:
        if relation.to != one.to:
            return False
        one.removed, one.readded = False, True
        one.again, one.pursuit.last = step.origin, step.position
    # One that goes another way is MTM201's, or MTM105's.
    return one.readded or one.again is not None or through_of(field.field) == one.use.model

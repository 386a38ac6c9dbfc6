"""Models that are deleted while a many-to-many field, as `through=` or `to=`, or a foreign key of its `through` model
still names them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lint_m2m.migration import DeleteModel, Location, MigrationKey, ModelKey, RenameField, RenameModel
from lint_m2m.replay.facts import FailureKind, FieldKey
from lint_m2m.replay.models import FieldState, StateView
from lint_m2m.replay.rendering import keys_to, lazy_references
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.describe import model_label
from lint_m2m.rules.loss import renamed
from lint_m2m.values import NamedTuple, slotted

# What an operation raises because a model is gone.
_BECAUSE_OF_IT = (
    FailureKind.THROUGH_UNRESOLVED,
    FailureKind.TARGET_GONE,
    FailureKind.KEY_LOST,
    FailureKind.STATE_UNRENDERABLE,
)


class Use(NamedTuple):
    """A many-to-many field that names a model, or whose `through` model has a foreign key to it."""

    field: FieldKey
    model: ModelKey


@slotted()
class Deletion:
    """What deleted the model of a `Use`, and what has come of that.

    `use` has the names of that time. `field` is the one that names the model, by `argument`, and `named` where that
    stands. `exception` is what the next `migrate` raises after a migration that ends like that; ``None`` while none
    has. `mended` is the migration that put it right.
    """

    step: Step
    use: Use
    label: str
    field: FieldKey
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
        # What the fields are called when the step seen last is over.
        self._renaming: tuple[RenameField | RenameModel, str] | None = None

    def see(self, step: Step, replay: Replay) -> None:
        """Call for every step, before `of`; `at_the_end` when there are no more."""
        self._rename()
        if self._last is None or step.position != self._last[0]:
            self._close(step.before)
            self._last = (step.position, step.migration.key)
        if self._open and step.on_state and isinstance(step.operation, RenameField | RenameModel):
            self._renaming = step.operation, step.app_label
        # An operation on the field that fails for a reason of its own says all: nothing follows from it.
        if step.failures and self._open:
            failing = {failure.field for failure in step.failures if failure.kind not in _BECAUSE_OF_IT}
            self._open = {use: one for use, one in self._open.items() if use.field not in failing}
        operation = step.operation
        if not isinstance(operation, DeleteModel) or not step.on_state or step.failures:
            return
        model = ModelKey(step.app_label, operation.name.lower())
        if step.after.lookup(model) is not None:
            return
        label = model_label(step.before, model)
        owners = {owner for key in (model, *replay.referrers(model)) for owner in replay.linkers(key)}
        for use, naming in _uses(model, owners, step.after) if owners else ():
            self._ended.pop(use, None)
            self._open[use] = Deletion(step, use, label, naming.key, naming.argument, naming.field.origin.location)

    def of(self, use: Use) -> Deletion | None:
        """What deleted the model that the field, called as before the step seen last, still names."""
        return self._open.get(use)

    def at_the_end(self, replay: Replay) -> Iterator[Deletion]:
        """All after which a migration ended with the field still naming the model."""
        self._rename()
        self._close(replay.state)
        yield from (one for one in (*self._ended.values(), *self._open.values()) if one.exception is not None)

    def _rename(self) -> None:
        if self._renaming is not None:
            operation, app_label = self._renaming
            self._renaming = None
            self._open = {
                use._replace(field=renamed(use.field, operation, app_label)): one for use, one in self._open.items()
            }

    def _close(self, state: StateView) -> None:
        """A migration has ended: with `state`."""
        for use, deletion in tuple(self._open.items()):
            if _naming(use, state) is None or state.lookup(use.model) is not None:
                del self._open[use]
                assert self._last is not None
                deletion.mended = self._last[1]
                self._ended[use] = deletion
            elif deletion.exception is None:
                deletion.exception = lazy_references(state)


class _Naming(NamedTuple):
    """What names a model: the field, and its argument."""

    key: FieldKey
    field: FieldState
    argument: str


def _uses(model: ModelKey, owners: Collection[ModelKey], state: StateView) -> Iterator[tuple[Use, _Naming]]:
    """The many-to-many fields of `owners` that have to do with a model; of those that share a `through` model with a
    foreign key to it, only the first."""
    seen: set[ModelKey] = set()
    for owner in state.models():
        for field in owner.many_to_many() if owner.key in owners else ():
            use = Use(owner.field_key(field.name), model)
            naming = None if field.uncertain is not None else _naming(use, state)
            if naming is None:
                continue
            if naming.key != use.field:
                if naming.key.model_key in seen:
                    continue
                seen.add(naming.key.model_key)
            yield use, naming


def _naming(use: Use, state: StateView) -> _Naming | None:
    """What names the model, ``None`` where nothing does any more."""
    owner = state.get(use.field.model_key)
    field = None if owner is None else owner.fields.get(use.field.name)
    relation = None if field is None else field.field.relation
    if field is None or relation is None:
        return None
    if use.model in (relation.to, relation.through):
        return _Naming(use.field, field, "through" if relation.through == use.model else "to")
    through = state.get(relation.through) if isinstance(relation.through, ModelKey) else None
    name = None if through is None else next(keys_to(through, use.model), None)
    if through is None or name is None or through.fields[name].uncertain is not None:
        return None
    return _Naming(through.field_key(name), through.fields[name], "to")

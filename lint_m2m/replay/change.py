"""What the database side of an operation is given, and what it yields."""

from __future__ import annotations

from collections.abc import Callable

from lint_m2m.migration import (
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
from lint_m2m.replay.editor import Later
from lint_m2m.replay.facts import Effect, Failure, FieldKey
from lint_m2m.replay.models import StateView
from lint_m2m.replay.rendering import Rendered
from lint_m2m.values import NamedTuple


class Outcome(NamedTuple):
    """What an operation raises and did; `later` is what may raise when the migration ends."""

    failures: tuple[Failure, ...] = ()
    effects: tuple[Effect, ...] = ()
    later: tuple[Later, ...] = ()


NOTHING = Outcome()


class Change(NamedTuple):
    """What a handler gets: the operation, where it belongs, and the state on both sides of it."""

    operation: Operation
    app_label: str
    before: StateView
    after: StateView
    # Models that may have a relation to a model, in either state; the classes that Django has before.
    referrers: Callable[[ModelKey], tuple[ModelKey, ...]]
    rendered: Rendered


def subject(operation: Operation, app_label: str) -> tuple[ModelKey | None, FieldKey | None]:
    """The model and the field that an operation is about, as the state before it calls them."""
    attributes = _SUBJECTS.get(type(operation))
    if attributes is None:
        return None, None
    model = getattr(operation, attributes[0]).lower()
    name = attributes[1]
    field = None if name is None else FieldKey(app_label, model, getattr(operation, name))
    return ModelKey(app_label, model), field


# The attributes that name the model and the field.
_SUBJECTS: dict[type[Operation], tuple[str, str | None]] = {
    CreateModel: ("name", None),
    DeleteModel: ("name", None),
    RenameModel: ("old_name", None),
    AlterModelTable: ("name", None),
    AlterTogether: ("name", None),
    AlterOrderWithRespectTo: ("name", None),
    AddField: ("model_name", "name"),
    RemoveField: ("model_name", "name"),
    AlterField: ("model_name", "name"),
    RenameField: ("model_name", "old_name"),
    AddConstraint: ("model_name", None),
    RemoveConstraint: ("model_name", None),
    AddIndex: ("model_name", None),
    RemoveIndex: ("model_name", None),
    RenameIndex: ("model_name", None),
}

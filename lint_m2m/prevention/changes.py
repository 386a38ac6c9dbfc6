"""Which many-to-many fields gain, lose or swap `through=` in what the autodetector has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connections, router
from django.db.migrations import Migration
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.state import ModelState, ProjectState

from lint_m2m.values import NamedTuple, frozen

# App label -> migrations, as the autodetector returns them.
Changes: TypeAlias = dict[str, list[Migration]]
# App label, model and field, as a state has them.
_Key: TypeAlias = tuple[str, str, str]


@frozen
class ThroughChange:
    """A field whose `through=` changes: `before` and `after` as the field says it ("app.Model"), ``None`` for none.

    `model` is the model's name as it is written. `idle`: nothing runs in any database, since the model is not managed,
    swapped out or a proxy, or no router wants it anywhere.
    """

    app_label: str
    model: str
    name: str
    before: str | None
    after: str | None
    idle: bool = False

    @property
    def key(self) -> str:
        """The field as findings name it."""
        return f"{self.app_label}.{self.model.lower()}.{self.name}"

    def __str__(self) -> str:
        field = f"`{self.app_label}.{self.model}.{self.name}`"
        if self.before is None:
            return f"{field} gains `through={self.after}`"
        if self.after is None:
            return f"{field} loses `through={self.before}`"
        return f"{field} swaps `through={self.before}` for `{self.after}`"


class _Links(NamedTuple):
    """What a many-to-many says of its links: the through model, and the model they lead to."""

    through: str | None
    to: str | None


def watching(autodetector: type[Any], note: Callable[[Any, Changes], None]) -> type[Any]:
    """The same autodetector, whose findings `note` is told of, with the autodetector itself."""

    class Watching(autodetector):  # type: ignore[misc]
        def changes(self, *args: Any, **kwargs: Any) -> Changes:
            found: Changes = super().changes(*args, **kwargs)
            note(self, found)
            return found

    return Watching


def through_changes(state: ProjectState, changes: Changes) -> tuple[ThroughChange, ...]:
    """The fields that `changes` would give another `through=`, seen from `state`, which stays as it is.

    A field that is removed and added again counts: that is how later releases of Django write some alterations.
    """
    state = state.clone()
    before: dict[_Key, _Links] = {}
    found: dict[_Key, ThroughChange] = {}
    for migration in in_order(changes):
        for operation in migration.operations:
            key = _field_of(operation, migration.app_label)
            old = None if key is None else _links(state, key)
            operation.state_forwards(migration.app_label, state)
            if key is None:
                continue
            if old is not None:
                before.setdefault(key, old)
            new = _links(state, key)
            if new is None or key not in before:
                continue
            was = before[key]
            found.pop(key, None)
            # Links to another model, in a field that is made anew, are other links.
            if not _same(was.through, new.through) and (old is not None or _same(was.to, new.to)):
                model = state.models[key[:2]]
                found[key] = ThroughChange(
                    app_label=key[0],
                    model=model.name,
                    name=key[2],
                    before=was.through,
                    after=new.through,
                    idle=_is_idle(model),
                )
    return tuple(found[key] for key in sorted(found))


def in_order(changes: Mapping[str, Sequence[Migration]]) -> Iterator[Migration]:
    """The migrations, each after those of `changes` that it depends on."""
    pending = {(migration.app_label, migration.name): migration for one in changes.values() for migration in one}
    while pending:
        ready = [key for key, one in pending.items() if not any(tuple(need) in pending for need in one.dependencies)]
        # A cycle is the loader's to report.
        for key in ready or list(pending):
            yield pending.pop(key)


def _field_of(operation: Any, app_label: str) -> _Key | None:
    if not isinstance(operation, FieldOperation):
        return None
    return app_label, operation.model_name_lower, operation.name


def _links(state: ProjectState, key: _Key) -> _Links | None:
    """What a many-to-many says in a state; ``None`` for any other field, and for none."""
    model = state.models.get(key[:2])
    field = None if model is None else model.fields.get(key[2])
    if field is None or not field.many_to_many:
        return None
    arguments = field.deconstruct()[3]
    return _Links(label_of(arguments.get("through")), label_of(arguments.get("to")))


def label_of(model: Any) -> str | None:
    """The name ("app.Model"), as a migration would say it."""
    return model if model is None or isinstance(model, str) else str(model._meta.label)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").lower() == (other or "").lower()


def _is_idle(model: ModelState) -> bool:
    options = model.options
    if options.get("managed") is False or options.get("proxy"):
        return True
    chosen = getattr(settings, options.get("swappable") or "", None)
    if chosen and not _same(chosen, f"{model.app_label}.{model.name}"):
        return True
    return not any(router.allow_migrate(alias, model.app_label, model_name=model.name_lower) for alias in connections)

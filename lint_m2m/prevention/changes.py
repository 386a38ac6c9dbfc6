"""Which many-to-many fields gain, lose or swap `through=` in what the autodetector has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db.migrations import Migration
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.state import ProjectState

# App label -> migrations, as the autodetector returns them.
Changes: TypeAlias = dict[str, list[Migration]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughChange:
    """A field whose `through=` changes: `before` and `after` as the field says it ("app.Model"), ``None`` for none.

    `model` is the model's name as it is written, `migration` the name of the new migration. `idle`: nothing runs in a
    database, since the model is not managed, or is swapped out or a proxy.
    """

    app_label: str
    model: str
    name: str
    before: str | None
    after: str | None
    migration: str
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
    before: dict[tuple[str, str, str], str | None] = {}
    found: dict[tuple[str, str, str], ThroughChange] = {}
    for migration in in_order(changes):
        for operation in migration.operations:
            key = _field_of(operation, migration.app_label)
            old = None if key is None else _many_to_many(state, key)
            operation.state_forwards(migration.app_label, state)
            if key is None:
                continue
            if old is not None:
                before.setdefault(key, _through(old))
            new = _many_to_many(state, key)
            if new is None or key not in before:
                continue
            after = _through(new)
            if (before[key] or "").lower() != (after or "").lower():
                model = state.models[key[:2]]
                found[key] = ThroughChange(
                    app_label=key[0],
                    model=model.name,
                    name=key[2],
                    before=before[key],
                    after=after,
                    migration=migration.name,
                    idle=_is_idle(model),
                )
            else:
                found.pop(key, None)
    return tuple(found[key] for key in sorted(found))


def in_order(changes: Mapping[str, Sequence[Migration]]) -> Iterator[Migration]:
    """The migrations, each after those of `changes` that it depends on."""
    pending = {(migration.app_label, migration.name): migration for one in changes.values() for migration in one}
    while pending:
        ready = [key for key, one in pending.items() if not any(tuple(need) in pending for need in one.dependencies)]
        # A cycle is the loader's to report.
        for key in ready or list(pending):
            yield pending.pop(key)


def _field_of(operation: Any, app_label: str) -> tuple[str, str, str] | None:
    if not isinstance(operation, FieldOperation):
        return None
    return app_label, operation.model_name_lower, operation.name


def _many_to_many(state: ProjectState, key: tuple[str, str, str]) -> Any | None:
    model = state.models.get(key[:2])
    field = None if model is None else model.fields.get(key[2])
    return field if getattr(field, "many_to_many", False) else None


def _through(field: Any) -> str | None:
    """What the field says, as a migration would: "app.Model", or ``None``."""
    through = field.deconstruct()[3].get("through")
    return through if through is None or isinstance(through, str) else through._meta.label


def _is_idle(model: Any) -> bool:
    options = model.options
    if options.get("managed") is False or options.get("proxy"):
        return True
    setting = options.get("swappable")
    if not setting:
        return False
    from django.conf import settings

    chosen = getattr(settings, setting, None)
    return bool(chosen) and str(chosen).lower() != f"{model.app_label}.{model.name}".lower()

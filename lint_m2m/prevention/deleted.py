"""Through models that a migration empties before it deletes them.

The autodetector removes the foreign keys and the unique sets of a model before the model itself, and Django's optimizer
takes these operations away again, but not past the deletion of another model (`DeleteModel.references_field`). They are
nothing beside the DeleteModel, and in the way of a sequence, which needs the columns when the field changes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db.migrations import Migration
from django.db.migrations import operations as django_operations
from django.db.migrations.state import ProjectState

from lint_m2m.prevention.changes import Changes, ThroughChange, label_of

# What takes a part of a model away; those with a value do so only when that is empty.
_PARTS: Final = (
    django_operations.RemoveField,
    django_operations.RemoveIndex,
    django_operations.RemoveConstraint,
    django_operations.AlterUniqueTogether,
    django_operations.AlterIndexTogether,
)


def deleted_whole(changes: Changes, through: Iterable[ThroughChange], state: ProjectState) -> Changes:
    """`changes`, in which the models that `through` leaves are deleted as they stand; the same object without any.

    `state` is what they start from. A model that needs another one that goes is left alone: its keys go first. A field
    changes where its model is deleted, unless something else lies in between, so that no two changes are interleaved.
    """
    wanted = {_key(one.before): one for one in through if one.before}
    gone = {(one.app_label, operation.name_lower) for one, operation in _deletions(changes)}
    whole = {key: wanted[key] for key in wanted if key in gone and not gone & (_needs(state, key) - {key})}
    lighter = {label: [_lighter(one, whole) for one in some] for label, some in changes.items()}
    same = all(one is other for label, some in changes.items() for one, other in zip(some, lighter[label], strict=True))
    return changes if same else lighter


def _deletions(changes: Changes) -> Iterator[tuple[Migration, Any]]:
    for migration in (one for some in changes.values() for one in some):
        for operation in migration.operations:
            if isinstance(operation, django_operations.DeleteModel):
                yield migration, operation


def _needs(state: ProjectState, key: tuple[str, str]) -> set[tuple[str, str]]:
    """The models that a model's fields lead to."""
    model = state.models.get(key)
    labels = [label_of(one.remote_field.model) for one in (model.fields.values() if model else ()) if one.remote_field]
    return {_key(one) for one in labels if one is not None}


def _key(label: str) -> tuple[str, str]:
    app_label, _, name = label.lower().partition(".")
    return app_label, name


def _lighter(migration: Migration, whole: Mapping[tuple[str, str], ThroughChange]) -> Migration:
    kept, deleted = [], set()
    for operation in reversed(migration.operations):
        if isinstance(operation, django_operations.DeleteModel):
            deleted.add(operation.name_lower)
        if _is_part(operation) and (name := _model(operation)) in deleted and (migration.app_label, name) in whole:
            continue
        kept.append(operation)
    operations = _untangled(migration.app_label, kept[::-1], whole)
    if operations == migration.operations:
        return migration
    lighter = copy.copy(migration)
    lighter.operations = operations
    return lighter


def _untangled(app_label: str, operations: list[Any], whole: Mapping[tuple[str, str], ThroughChange]) -> list[Any]:
    """Each change of a field next to the deletion of its model, past the changes of other fields and their models."""
    changing = {one.key for one in whole.values()}

    def deletes(operation: Any) -> bool:
        return isinstance(operation, django_operations.DeleteModel) and (app_label, operation.name_lower) in whole

    def is_one_of_them(operation: Any) -> bool:
        return deletes(operation) or _altered(operation, app_label) in changing

    result: list[Any] = []
    for operation in operations:
        if deletes(operation):
            change = whole[app_label, operation.name_lower]
            place = next((index for index, one in enumerate(result) if _altered(one, app_label) == change.key), None)
            if place is not None and all(is_one_of_them(one) for one in result[place:]):
                result.append(result.pop(place))
        result.append(operation)
    return result


def _altered(operation: Any, app_label: str) -> str | None:
    """The field that an AlterField is about, as `ThroughChange.key` has it."""
    if not isinstance(operation, django_operations.AlterField):
        return None
    return f"{app_label}.{operation.model_name_lower}.{operation.name}"


def _is_part(operation: Any) -> bool:
    return isinstance(operation, _PARTS) and not getattr(operation, "option_value", None)


def _model(operation: Any) -> str:
    return str(getattr(operation, "model_name", None) or operation.name).lower()

"""Operations that cannot have to do with links, as far as the operation itself shows."""

from __future__ import annotations

from typing import Final

from lint_m2m.migration import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterTogether,
    FieldKind,
    ModelKey,
    NoDatabaseChange,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameIndex,
)
from lint_m2m.replay.models import StateView

# Stands in a migration for an operation that is not to be replayed, so that the others keep their numbers.
LEFT_OUT: Final = NoDatabaseChange()

# About indexes, constraints and unique sets.
INDEXES: Final = frozenset({AddConstraint, AddIndex, AlterTogether, RemoveConstraint, RemoveIndex, RenameIndex})


def is_quiet(operation: Operation, before: StateView, app_label: str) -> bool:
    """Whether an operation of both sides is about a plain column, before and after, an index or a unique set."""
    kind = operation.__class__
    if kind in INDEXES:
        return True
    if isinstance(operation, AddField):
        return operation.field.kind is FieldKind.COLUMN
    if isinstance(operation, AlterField):
        if operation.field.kind is not FieldKind.COLUMN:
            return False
    elif not isinstance(operation, RemoveField):
        return False
    model = before.get(ModelKey(app_label, operation.model_name.lower()))
    field = None if model is None else model.fields.get(operation.name)
    return field is not None and field.uncertain is None and field.field.kind is FieldKind.COLUMN

"""What an operation touches, for operations of which it cannot be told what they do."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterConstraint,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    Maybe,
    ModelKey,
    NoDatabaseChange,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)

# A model and the fields of it that are touched; UNKNOWN fields: all of it. A key of ``None``: any model of the app.
Touched = tuple[ModelKey | None, Maybe[frozenset[str]]]


def touched(operation: Operation, app_label: str) -> Iterator[Touched]:
    """The models and fields that `operation` makes, changes or removes."""
    match operation:
        case AddField() | RemoveField() | AlterField():
            yield ModelKey(app_label, operation.model_name.lower()), frozenset((operation.name,))
        case RenameField():
            names = frozenset((operation.old_name, operation.new_name))
            yield ModelKey(app_label, operation.model_name.lower()), names
        case RenameModel():
            yield ModelKey(app_label, operation.old_name.lower()), UNKNOWN
            yield ModelKey(app_label, operation.new_name.lower()), UNKNOWN
        case (
            CreateModel()
            | DeleteModel()
            | AlterModelTable()
            | AlterTogether()
            | AlterOrderWithRespectTo()
            | AlterModelOptions()
        ):
            yield ModelKey(app_label, operation.name.lower()), UNKNOWN
        case AddConstraint() | RemoveConstraint() | AlterConstraint() | AddIndex() | RemoveIndex() | RenameIndex():
            yield ModelKey(app_label, operation.model_name.lower()), frozenset()
        case NoDatabaseChange():
            return
        case SeparateDatabaseAndState():
            for part in (*operation.database_operations, *operation.state_operations):
                yield from touched(part, app_label)
        case RunSQL():
            for part in operation.state_operations:
                yield from touched(part, app_label)
        case ConditionalOperations():
            for branch in operation.branches:
                for part in branch:
                    yield from touched(part, app_label)
        case UnknownOperation(models=models, fields=fields):
            if models is UNKNOWN:
                yield None, UNKNOWN
            else:
                for key in sorted(models):
                    yield key, fields
        case _:
            return

"""Which many-to-many fields an operation may change, for what cannot be read or may not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    AlterField,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    FieldKind,
    ModelKey,
    Operation,
    RemoveField,
    RenameField,
    RenameModel,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.replay.facts import FieldKey
from lint_m2m.replay.models import StateView
from lint_m2m.replay.step import Step
from lint_m2m.rules.describe import through_of


def _links(state: StateView, models: frozenset[ModelKey] | None, app_label: str) -> Iterator[FieldKey]:
    """The many-to-many fields on these models or through them; of all the app's models with ``None``."""
    for owner in state.models():
        for field in owner.many_to_many():
            through = through_of(field.field)
            if owner.key.app_label == app_label if models is None else (owner.key in models or through in models):
                yield owner.field_key(field.name)


def has_links(operations: Iterable[Operation]) -> bool:
    """Whether operations define a many-to-many field, or may."""
    for operation in operations:
        match operation:
            case SeparateDatabaseAndState():
                found = has_links(operation.database_operations + operation.state_operations)
            case ConditionalOperations():
                found = any(has_links(branch) for branch in operation.branches)
            case CreateModel():
                found = not operation.links_complete or any(named.field.many_to_many for named in operation.fields)
            case AddField() | AlterField():
                found = operation.field.kind in (FieldKind.MANY_TO_MANY, FieldKind.UNKNOWN)
            case _:
                found = isinstance(operation, UnknownOperation)
        if found:
            return True
    return False


def touched(operation: UnknownOperation, step: Step) -> list[FieldKey]:
    """The many-to-many fields that an operation nobody knows may change."""
    models = None if operation.models is UNKNOWN else operation.models
    links = sorted(set(_links(step.before, models, step.app_label)))
    if operation.fields is UNKNOWN or models is None:
        return links
    fields = operation.fields
    # A field of a through model matters to the many-to-many as well; a plain column of the owner does not.
    return [key for key in links if key.model_key not in models or key.name in fields]


def touched_by(operations: tuple[Operation, ...], step: Step, models: set[ModelKey]) -> Iterator[FieldKey]:
    """The many-to-many fields that any of `operations` may change; models with more of them are added to `models`."""
    for operation in operations:
        match operation:
            case SeparateDatabaseAndState():
                yield from touched_by(operation.database_operations + operation.state_operations, step, models)
            case ConditionalOperations():
                for branch in operation.branches:
                    yield from touched_by(branch, step, models)
            case UnknownOperation():
                yield from touched(operation, step)
            case CreateModel():
                owner = ModelKey(step.app_label, operation.name.lower())
                for named in operation.fields:
                    unknown = named.field.kind is FieldKind.UNKNOWN and not operation.links_complete
                    if named.field.many_to_many or unknown:
                        yield FieldKey(*owner, named.name)
                if not (operation.links_complete or operation.fields_complete):
                    models.add(owner)
            case AddField() | AlterField():
                key = FieldKey(step.app_label, operation.model_name.lower(), operation.name)
                if operation.field.kind in (FieldKind.MANY_TO_MANY, FieldKind.UNKNOWN):
                    yield key
                else:
                    yield from _through(step.before, key.model_key)
            case RemoveField():
                model = ModelKey(step.app_label, operation.model_name.lower())
                yield from _named(step.before, model, operation.name)
                yield from _through(step.before, model)
            case RenameField():
                model = ModelKey(step.app_label, operation.model_name.lower())
                yield from _named(step.before, model, operation.old_name)
                yield from _through(step.before, model)
            case DeleteModel():
                yield from _links(step.before, frozenset((ModelKey(step.app_label, operation.name.lower()),)), "")
            case RenameModel():
                yield from _links(step.before, frozenset((ModelKey(step.app_label, operation.old_name.lower()),)), "")
            case _:
                continue


def _named(state: StateView, key: ModelKey, name: str) -> Iterator[FieldKey]:
    model = state.get(key)
    field = model.fields.get(name) if model else None
    if model is not None and field is not None and field.field.many_to_many:
        yield model.field_key(name)


def _through(state: StateView, key: ModelKey) -> Iterator[FieldKey]:
    """The many-to-many fields that have `key` as their through model."""
    for owner in state.models():
        for field in owner.many_to_many():
            if through_of(field.field) == key:
                yield owner.field_key(field.name)

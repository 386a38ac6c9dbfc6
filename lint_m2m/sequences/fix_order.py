"""`fix-state` for a `through=` (or `to=`) that names a model which is not there yet (MTM105).

What: where the same migration creates the model further down, the field is added after that (a field that stands in a
CreateModel becomes an AddField). Where another app's migration creates it, that migration becomes a dependency.

When: the model is made somewhere, and depending on it makes no cycle. A name that is misspelt has no such place.

Downtime: none; nothing else runs than before. The order without a dependency may have been right by chance, so a
tool asks first.

Source: `StateApps` in django/db/migrations/state.py resolves relations when an operation needs them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Downtime
from lint_m2m.migration import AddField, CreateModel, Dependency, ModelKey, RunPython, RunSQL, UnknownOperation
from lint_m2m.sequences import caveats
from lint_m2m.sequences.applying import applicability
from lint_m2m.sequences.codegen import Writer, without_comments
from lint_m2m.sequences.fix_state import ID
from lint_m2m.sequences.rewrite_history import without_field
from lint_m2m.sequences.values import (
    ChangeKind,
    Code,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
    Where,
)


def propose(situation: Situation) -> Iterator[Proposal]:
    guilty, migration, new = situation.guilty, situation.migration, situation.new
    if situation.kind is not ChangeKind.THROUGH_UNRESOLVED or guilty is None or migration is None or new is None:
        return
    if "." in guilty.address or not isinstance(guilty.operation, AddField | CreateModel):
        return
    relation = new.field.relation
    named = () if relation is None else (relation.through, relation.to)
    models = [one for one in named if isinstance(one, ModelKey)]
    later = [one for one in situation.operations if _creates(one, situation, models, guilty)]
    if later:
        change = _moved(situation, guilty, later[-1])
        title = f"create the model before `{situation.key.name}` names it"
    else:
        made = {one: situation.makers[one] for one in models if one in situation.makers}
        known = {one.key for one in situation.before}
        missing = {one: maker for one, maker in made.items() if one not in known}
        if not missing:
            return
        change = ReplaceOperations(
            migration=migration.key,
            path=migration.path,
            replacements=(),
            dependencies=tuple(Dependency(key=maker) for maker in dict.fromkeys(missing.values())),
            title="add to `dependencies`",
        )
        title = f"let it depend on `{'`, `'.join(map(str, missing.values()))}`"
    if change is None:
        return
    yield Proposal(
        id=ID,
        title=title,
        why="Django then finds the model when the operation runs, in every database and every order",
        downtime=Downtime.NONE,
        applicability=applicability(situation),
        changes=(change,),
        recommended=True,
        verify=caveats.VERIFY,
    )


def _creates(placed: PlacedOperation, situation: Situation, models: list[ModelKey], guilty: PlacedOperation) -> bool:
    operation = placed.operation
    return (
        isinstance(operation, CreateModel)
        and situation.migration is not None
        and ModelKey(situation.migration.app_label, operation.name.lower()) in models
        and "." not in placed.address
        and int(placed.address) > int(guilty.address)
        and operation.span is not None
    )


def _moved(situation: Situation, guilty: PlacedOperation, after: PlacedOperation) -> ReplaceOperations | None:
    """The field is added behind `after`."""
    migration, new = situation.migration, situation.new
    assert migration is not None
    assert new is not None
    if guilty.operation.span is None or after.operation.span is None:
        return None
    between = [
        one
        for one in situation.operations
        if "." not in one.address and int(guilty.address) < int(one.address) <= int(after.address)
    ]
    if any(_needs(one, situation) for one in between):
        return None
    writer = Writer(situation, migration.path)
    first: tuple[Code, ...] = ()
    if isinstance(guilty.operation, CreateModel):
        create = without_field(writer.create_model_at(migration.path, guilty.operation.span), situation.key.name)
        first = (writer.code(create, indent=guilty.operation.span.column - 1),)
        field = without_comments(writer.field(new))
        node = writer.add_field(situation.key.model, situation.key.name, field)
    else:
        node = writer.operation_at(guilty.operation.span)
    return ReplaceOperations(
        migration=migration.key,
        path=migration.path,
        replacements=(
            Replacement(address=guilty.address, span=guilty.operation.span, operations=first),
            Replacement(
                address=after.address,
                span=after.operation.span,
                operations=(writer.code(node, indent=after.operation.span.column - 1),),
                where=Where.AFTER,
            ),
        ),
        title="add the field after the model",
    )


def _needs(placed: PlacedOperation, situation: Situation) -> bool:
    """Whether an operation may need the field that comes later now."""
    operation = placed.operation
    if isinstance(operation, RunPython | RunSQL | UnknownOperation):
        return True
    names = (getattr(operation, "name", None), getattr(operation, "old_name", None))
    return getattr(operation, "model_name", "").lower() == situation.key.model and situation.key.name in names

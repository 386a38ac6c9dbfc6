"""Code or SQL of the project that copies links when their table is gone already, and where it would find them.

Whether it would is not guessed: the history is replayed with the copy before the operation that drops the table.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Finding
from lint_m2m.graph import Plan, build
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    Operation,
    Project,
    RemoveField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from lint_m2m.replay.facts import FieldKey, RowsCopied, TableDropped
from lint_m2m.replay.walk import Replay
from lint_m2m.sequences.values import Before, LateCopy, PlacedOperation
from lint_m2m.values import replace

# Copies are looked for in so many migrations of the app after the one that drops the table.
_WINDOW = 3


def late_copy(replay: Replay, finding: Finding) -> LateCopy | None:
    """The copy that a finding about lost links, or about a table that is gone, would be cured by, in its new place.

    `replay` is of the history as it is; it is not moved.
    """
    if finding.code not in ("MTM106", "MTM202") or finding.field is None:
        return None
    label, model, name = finding.field.split(".", 2)
    key = FieldKey(label, model, name)
    dropping = _dropping(replay, key, finding)
    if dropping is None:
        return None
    for copy in _code_after(replay.project, replay.plan, dropping, finding):
        for target in _places(dropping, copy):
            late = LateCopy(dropping=dropping, copy=copy, target=target)
            if _helps(ordered(late, replay.project), replay, key, late):
                return late
    return None


def _dropping(replay: Replay, key: FieldKey, finding: Finding) -> Before | None:
    """The operation that drops the automatic table, the last one up to the finding's."""
    migrations = {one.key: one for one in replay.project.migrations}
    found: Before | None = None
    for step in Replay(replay.project, replay.graph, replay.plan, replay.settings).steps():
        own = (step.migration.app_label, step.migration.name) == (finding.app_label, finding.migration)
        index = step.address.partition(".")[0]
        if any(isinstance(one, TableDropped) and one.table.auto_of == key for one in step.effects):
            operation = migrations[step.migration.key].operations[int(index)]
            if step.migration.app_label == key.app_label and _drops(operation, key):
                placed = PlacedOperation(address=index, operation=operation)
                found = Before(migration=step.migration, placed=placed)
        if own and step.address == finding.operation:
            return found
    return None


def _drops(operation: Operation, key: FieldKey) -> bool:
    """Whether it is a RemoveField, by itself or beside a change of the state."""
    parts = operation.database_operations if isinstance(operation, SeparateDatabaseAndState) else (operation,)
    return operation.span is not None and any(
        isinstance(one, RemoveField) and (one.model_name.lower(), one.name) == (key.model, key.name) for one in parts
    )


def _code_after(project: Project, plan: Plan, dropping: Before, finding: Finding) -> Iterator[Before]:
    """Code and SQL of the app that runs after `dropping`; of MTM106 that which fails."""
    app = [one for one in project.migrations if one.app_label == dropping.migration.app_label]
    position = {key: number for number, key in enumerate(plan.order)}
    later = sorted(
        (one for one in app if position.get(one.key, -1) >= position[dropping.migration.key]),
        key=lambda one: position[one.key],
    )
    for migration in later[: _WINDOW + 1]:
        first = int(dropping.placed.address) + 1 if migration.key == dropping.migration.key else 0
        for index, operation in enumerate(migration.operations):
            if index < first or not isinstance(operation, RunPython | RunSQL) or operation.span is None:
                continue
            if finding.code == "MTM106" and (migration.name, str(index)) != (finding.migration, finding.operation):
                continue
            yield Before(migration=migration, placed=PlacedOperation(address=str(index), operation=operation))


def _places(dropping: Before, copy: Before) -> Iterator[int]:
    """Where the RemoveField may stand, as an index among the operations as they are: the copy comes just before it."""
    yield int(dropping.placed.address)
    removed = dropping.placed.operation
    if isinstance(removed, RemoveField) and copy.migration.key == dropping.migration.key:
        for index, one in enumerate(copy.migration.operations):
            if isinstance(one, AddField) and (one.model_name.lower(), one.name) == (
                removed.model_name.lower(),
                removed.name,
            ):
                yield index


def ordered(late: LateCopy, project: Project) -> Project:
    """The project with the copy before the operation that drops the table."""
    first, last = late.dropping.migration, late.copy.migration
    dropped, copied = int(late.dropping.placed.address), int(late.copy.placed.address)
    moved = (last.operations[copied], first.operations[dropped])
    operations: list[Operation] = []
    for index, one in enumerate(first.operations):
        if index == late.target:
            operations += moved
        if index != dropped and not (first.key == last.key and index == copied):
            operations.append(one)
    edited = {last.key: replace(last, operations=last.operations[:copied] + last.operations[copied + 1 :])}
    edited[first.key] = replace(first, operations=tuple(operations))
    return replace(project, migrations=tuple(edited.get(one.key, one) for one in project.migrations))


def _helps(project: Project, before: Replay, key: FieldKey, late: LateCopy) -> bool:
    """Whether the links reach the table that the field looks at in the end, and nothing raises on the way."""
    replay = Replay(project, build(project), before.plan, before.settings)
    edited = {late.dropping.migration.key, late.copy.migration.key}
    targets: set[int] = set()
    for step in replay.steps():
        if step.migration.key in edited and step.failures:
            return False
        if step.operation is late.copy.placed.operation and step.migration.key == late.dropping.migration.key:
            for effect in step.effects:
                if isinstance(effect, RowsCopied) and any(one.auto_of == key for one in effect.sources):
                    targets.add(effect.target.uid)
    model = replay.state.get(key.model_key)
    field = model.fields.get(key.name) if model else None
    if model is None or field is None or not field.field.many_to_many:
        return False
    name = replay.link_table(model, field)
    table = None if name is UNKNOWN or name is None else replay.table(name)
    return table is not None and table is not UNKNOWN and table.uid in targets

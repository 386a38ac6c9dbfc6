"""Code or SQL of the project that copies links when their table is gone already, and where it would find them.

Whether it would is not guessed: the history is replayed with the copy before the operation that drops the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from lint_m2m.finding import Finding
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    Migration,
    MigrationKey,
    Operation,
    RemoveField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from lint_m2m.replay.facts import FieldKey, RowsCopied, TableDropped
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.sequences.values import Before, LateCopy, PlacedOperation
from lint_m2m.values import replace

# Copies are looked for in so many migrations of the app after the one that drops the table.
_WINDOW = 3


def is_curable(finding: Finding) -> bool:
    """Whether a finding is about lost links, or a table that is gone: a copy of them may come too late."""
    return finding.code in ("MTM106", "MTM202") and finding.field is not None


class Drops:
    """The operations of a replay that drop automatic tables, as far as they were seen."""

    def __init__(self) -> None:
        self._dropped: list[tuple[FieldKey, Migration, int]] = []
        # Of the migration that is replayed, how many there were after each operation.
        self._position = -1
        self._after: dict[str, int] = {}

    def see(self, step: Step) -> None:
        for effect in step.effects:
            if isinstance(effect, TableDropped) and effect.table.auto_of is not None:
                index = int(step.address.partition(".")[0])
                self._dropped.append((effect.table.auto_of, step.migration, index))
        if step.position != self._position:
            self._position = step.position
            self._after.clear()
        self._after.setdefault(step.address, len(self._dropped))

    def last(self, key: FieldKey, address: str | None) -> Before | None:
        """The last that dropped the table of `key`, up to the operation at `address` of the migration seen last."""
        count = self._after.get(address, 0) if address is not None else 0
        for field, migration, index in reversed(self._dropped[:count]):
            operation = migration.operations[index]
            if field == key and migration.app_label == key.app_label and _drops(operation, key):
                placed = PlacedOperation(address=str(index), operation=operation)
                return Before(migration=migration, placed=placed)
        return None


def late_copy(replay: Replay, drops: Drops, finding: Finding) -> LateCopy | None:
    """The copy that a curable finding would be cured by, in its new place; ``None`` for others.

    `replay` is of the history as it is, and stands where the finding's migration ends; `drops` are those of it.
    """
    if finding.field is None or not is_curable(finding):
        return None
    label, model, name = finding.field.split(".", 2)
    key = FieldKey(label, model, name)
    dropping = drops.last(key, finding.operation)
    if dropping is None:
        return None
    for copy in _code_after(replay, dropping, finding):
        for target in _places(dropping, copy):
            late = LateCopy(dropping=dropping, copy=copy, target=target)
            if _helps(ordered(late), replay, key, late):
                return late
    return None


def _drops(operation: Operation, key: FieldKey) -> bool:
    """Whether it is a RemoveField, by itself or beside a change of the state."""
    parts = operation.database_operations if isinstance(operation, SeparateDatabaseAndState) else (operation,)
    return operation.span is not None and any(
        isinstance(one, RemoveField) and (one.model_name.lower(), one.name) == (key.model, key.name) for one in parts
    )


def _code_after(replay: Replay, dropping: Before, finding: Finding) -> Iterator[Before]:
    """Code and SQL of the app that runs after `dropping`; of MTM106 that which fails."""
    order, nodes, label = replay.plan.order, replay.graph.nodes, dropping.migration.app_label
    later = (nodes.get(key) for key in order[order.index(dropping.migration.key) :] if key.app_label == label)
    migrations = (node for node in later if isinstance(node, Migration))
    for migration in islice(migrations, _WINDOW + 1):
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


def ordered(late: LateCopy) -> Mapping[MigrationKey, Migration]:
    """The migrations as they are with the copy before the operation that drops the table."""
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
    return edited


def _helps(edited: Mapping[MigrationKey, Migration], before: Replay, key: FieldKey, late: LateCopy) -> bool:
    """Whether the links reach the table that the field looks at in the end, and nothing raises on the way."""
    replay = Replay(before.project, before.graph.with_edited(edited), before.plan, before.settings)
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

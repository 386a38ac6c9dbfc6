"""A many-to-many that one migration removes and a later one adds again: the two as one change.

The sequences for such a pair are those for a pair in one migration. They are made from the history as it would be
without the RemoveField, and taking that out is a change more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lint_m2m.finding import Finding
from lint_m2m.graph import Plan
from lint_m2m.migration import (
    AddField,
    Migration,
    Operation,
    Project,
    RemoveField,
    RunPython,
    RunSQL,
    UnknownOperation,
)
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import (
    Before,
    Change,
    Instruction,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
)


def removed_before(project: Project, plan: Plan, finding: Finding, migration: Migration) -> Before | None:
    """The RemoveField of MTM202 where it stands in a migration before the one that adds the field again.

    ``None`` for other findings, and where code that runs in between may count on the field being gone.
    """
    if finding.code != "MTM202" or finding.operation is None or not finding.operation.isdigit():
        return None
    if not isinstance(migration.operations[int(finding.operation)], AddField):
        return None
    places = [one.location for one in finding.related]
    _, model, name = (finding.field or "..").split(".")
    for earlier in project.migrations:
        if earlier.app_label != migration.app_label or earlier.key == migration.key or earlier.key not in plan.order:
            continue
        for index, operation in enumerate(earlier.operations):
            if not isinstance(operation, RemoveField) or (operation.model_name.lower(), operation.name) != (
                model,
                name,
            ):
                continue
            if not any((one.path, one.span) == (earlier.path, operation.span) for one in places):
                continue
            found = Before(migration=earlier, placed=PlacedOperation(address=str(index), operation=operation))
            between = _between(project, plan, found, migration)
            return None if any(isinstance(one, RunPython | RunSQL | UnknownOperation) for one in between) else found
    return None


def _between(project: Project, plan: Plan, removal: Before, migration: Migration) -> Iterator[Operation]:
    """The operations of the app that run after `removal` and before `migration`."""
    yield from removal.migration.operations[int(removal.placed.address) + 1 :]
    first, last = (plan.order.index(one.key) for one in (removal.migration, migration))
    keys = set(plan.order[first + 1 : last])
    for one in project.migrations:
        if one.key in keys and one.app_label == migration.app_label:
            yield from one.operations


def without(project: Project, removal: Before) -> Project:
    """The project with a history that has not `removal`."""
    index = int(removal.placed.address)
    operations = removal.migration.operations
    edited = replace(removal.migration, operations=(*operations[:index], *operations[index + 1 :]))
    return replace(project, migrations=tuple(edited if one.key == edited.key else one for one in project.migrations))


def with_removal(proposal: Proposal, situation: Situation) -> Proposal:
    """`proposal`, with the RemoveField in an earlier migration taken out where it edits the guilty one.

    Raises `Unwritable` where it edits that earlier migration, too.
    """
    removal, migration = situation.removed_before, situation.migration
    edited = {one.migration for one in proposal.changes if isinstance(one, ReplaceOperations)}
    if removal is None or migration is None or migration.key not in edited:
        return proposal
    span = removal.placed.operation.span
    if span is None or removal.migration.key in edited:
        raise Unwritable("the RemoveField cannot be taken out by itself")
    changes: list[Change] = [
        *_half_run(situation, removal, migration),
        ReplaceOperations(
            migration=removal.migration.key,
            path=removal.migration.path,
            replacements=(Replacement(address=removal.placed.address, span=span),),
            title=f"leave `{situation.key.name}` where it is",
        ),
        *proposal.changes,
    ]
    return replace(proposal, changes=tuple(changes))


def _half_run(situation: Situation, removal: Before, migration: Migration) -> Iterator[Instruction]:
    """For databases between the two: the field comes back first, as the migration makes it backward."""
    link, label = situation.link, migration.app_label
    own = [one.key for one in removal.migration.dependencies if one.key and one.key.app_label == label]
    empty = link is not None and link.through is None
    names = f"`{removal.migration.name}` has run and `{migration.name}` has not"
    then = f"; `{link.table.name}` comes back empty, and its rows only from a backup" if link and empty else ""
    yield Instruction(
        title=f"where {names}: undo it with the text that it had before{then}",
        language="console",
        code=f"python manage.py migrate {label} {own[0].name if own else 'zero'}",
    )

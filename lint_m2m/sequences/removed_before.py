"""A relation that one migration removes and a later one adds again, as what it was or as another kind: one change.

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
    ChangeKind,
    Instruction,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
)
from lint_m2m.values import frozen


@frozen
class Apart:
    """A RemoveField, and the AddField at `address` of the later migration that takes its place."""

    removal: Before
    migration: Migration
    address: str

    def together(self, project: Project) -> Project:
        """The project with a history in which both are in one migration.

        The removal goes without a trace where the new field has the old one's name, else it ends the migration.
        """
        index, removed = int(self.removal.placed.address), self.removal.placed.operation
        first, last = self.removal.migration, self.migration
        edited = {first.key: replace(first, operations=first.operations[:index] + first.operations[index + 1 :])}
        if getattr(last.operations[int(self.address)], "name", None) != getattr(removed, "name", None):
            edited[last.key] = replace(last, operations=(*last.operations, removed))
        return replace(project, migrations=tuple(edited.get(one.key, one) for one in project.migrations))


def apart(project: Project, plan: Plan, finding: Finding, migration: Migration) -> Apart | None:
    """The two operations of a finding in `migration`, MTM202 or MTM204, where they stand in two of the app's.

    ``None`` for others, where the field is added first, and where code that runs in between may count on the old one
    being gone.
    """
    if finding.code not in ("MTM202", "MTM204") or finding.operation is None or not finding.operation.isdigit():
        return None
    operation, address = migration.operations[int(finding.operation)], finding.operation
    for other in project.migrations:
        if other.app_label != migration.app_label or other.key == migration.key or other.key not in plan.order:
            continue
        for index, one in enumerate(other.operations):
            if not any(
                (place.location.path, place.location.span) == (other.path, one.span) for place in finding.related
            ):
                continue
            if finding.code == "MTM202":
                removed, added, first, last = one, operation, (other, str(index)), (migration, address)
            else:
                removed, added, first, last = operation, one, (migration, address), (other, str(index))
            if not isinstance(removed, RemoveField) or not isinstance(added, AddField):
                continue
            if removed.model_name.lower() != added.model_name.lower():
                continue
            if plan.order.index(first[0].key) > plan.order.index(last[0].key):
                continue
            removal = Before(migration=first[0], placed=PlacedOperation(address=first[1], operation=removed))
            between = _between(project, plan, removal, last[0])
            if any(isinstance(each, RunPython | RunSQL | UnknownOperation) for each in between):
                return None
            return Apart(removal=removal, migration=last[0], address=last[1])
    return None


def _between(project: Project, plan: Plan, removal: Before, migration: Migration) -> Iterator[Operation]:
    """The operations of the app that run after `removal` and before `migration`."""
    yield from removal.migration.operations[int(removal.placed.address) + 1 :]
    first, last = (plan.order.index(one.key) for one in (removal.migration, migration))
    keys = set(plan.order[first + 1 : last])
    for one in project.migrations:
        if one.key in keys and one.app_label == migration.app_label:
            yield from one.operations


def with_removal(proposal: Proposal, situation: Situation) -> Proposal:
    """`proposal`, with the RemoveField in an earlier migration taken out where it edits the guilty one.

    Raises `Unwritable` where it edits that earlier migration, too.
    """
    removal, migration = situation.removed_before, situation.migration
    edited = {one.migration for one in proposal.changes if isinstance(one, ReplaceOperations)}
    if removal is None or migration is None or migration.key not in edited:
        return proposal
    removed = removal.placed.operation
    if not isinstance(removed, RemoveField) or removed.span is None or removal.migration.key in edited:
        raise Unwritable("the RemoveField cannot be taken out by itself")
    changes: list[Change] = [
        *_half_run(situation, removal, migration),
        ReplaceOperations(
            migration=removal.migration.key,
            path=removal.migration.path,
            replacements=(Replacement(address=removal.placed.address, span=removed.span),),
            title=f"leave `{removed.name}` where it is",
        ),
        *proposal.changes,
    ]
    return replace(proposal, changes=tuple(changes))


def _half_run(situation: Situation, removal: Before, migration: Migration) -> Iterator[Instruction]:
    """For databases between the two: the field comes back first, as the migration makes it backward."""
    label = migration.app_label
    names = f"`{removal.migration.name}` has run and `{migration.name}` has not"
    if situation.kind is ChangeKind.FK_TO_M2M:
        # Backward a column that may not be null comes back only where there is no row.
        yield Instruction(
            title=f"where {names}: the values went with the column; begin with a backup from before it",
            language="console",
            code=f"python manage.py migrate {label}",
        )
        return
    link = situation.link
    own = [one.key for one in removal.migration.dependencies if one.key and one.key.app_label == label]
    empty = link is not None and link.through is None
    then = f"; `{link.table.name}` comes back empty, and its rows only from a backup" if link and empty else ""
    yield Instruction(
        title=f"where {names}: undo it with the text that it had before{then}",
        language="console",
        code=f"python manage.py migrate {label} {own[0].name if own else 'zero'}",
    )

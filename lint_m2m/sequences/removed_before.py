"""What one migration takes away and a later one puts something in the place of: one change, written in two.

That is a relation that is removed and added again, as what it was or as another kind, and a through model that is
deleted before the field goes another way. The sequences for it are those for one migration. They are made from the
history as it would be without the RemoveField, and with the DeleteModel behind the change of the field; taking both out
of where they are is a change more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lint_m2m.finding import Finding
from lint_m2m.graph import Graph, Plan
from lint_m2m.migration import (
    AddField,
    AlterField,
    CreateModel,
    DeleteModel,
    Field,
    Migration,
    MigrationKey,
    ModelKey,
    Operation,
    Project,
    RemoveField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.sequences.codegen import OPERATION_INDENT, Writer
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import (
    Before,
    Change,
    ChangeKind,
    Code,
    Instruction,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
    Where,
)
from lint_m2m.values import frozen, replace

# Findings about a field that had another through model, or any, before.
_THROUGH_LEFT = frozenset({"MTM102", "MTM105", "MTM201", "MTM202"})


@frozen
class Apart:
    """A RemoveField, or the DeleteModel of the old through model, or both, and the operation at `address` of the later
    `migration` that goes on from there."""

    removal: Before | None
    deletion: Before | None
    migration: Migration
    address: str

    def together(self) -> Mapping[MigrationKey, Migration]:
        """The migrations that are others in a history in which all of it is in one.

        The removal goes without a trace where the new field has the old one's name, else it ends the migration; the
        deletion comes behind the operation at `address`.
        """
        index, last = int(self.address), self.migration
        moved = [one for one in (self.removal, self.deletion) if one is not None]
        edited: dict[MigrationKey, Migration] = {}
        for one in moved:
            gone = {int(each.placed.address) for each in moved if each.migration.key == one.migration.key}
            kept = tuple(each for number, each in enumerate(one.migration.operations) if number not in gone)
            edited[one.migration.key] = replace(one.migration, operations=kept)
        operations = list(last.operations)
        if self.removal is not None:
            removed = self.removal.placed.operation
            if getattr(operations[index], "name", None) != getattr(removed, "name", None):
                operations.append(removed)
        if self.deletion is not None:
            operations.insert(index + 1, self.deletion.placed.operation)
        edited[last.key] = replace(last, operations=tuple(operations))
        return edited


def apart(project: Project, graph: Graph, plan: Plan, finding: Finding, migration: Migration) -> Apart | str | None:
    """What a finding in `migration` is about, where it stands in several migrations of the app.

    `graph` has the migrations with all of their operations; those of `project` may be read briefly. ``None`` for
    others, and where the field is added first. A text where there can be no sequence for it: why.
    """
    if finding.operation is None or not finding.operation.isdigit():
        return None
    two = _removed(project, graph, plan, finding, migration) if finding.code in ("MTM202", "MTM204") else None
    if isinstance(two, str):
        return two
    operation = migration.operations[int(finding.operation)]
    if finding.code == "MTM105" and isinstance(operation, DeleteModel):
        placed = PlacedOperation(address=finding.operation, operation=operation)
        return _goes_on(project, graph, plan, finding, Before(migration=migration, placed=placed))
    deletion = _deleted(project, graph, plan, finding, migration) if finding.code in _THROUGH_LEFT else None
    if isinstance(deletion, str):
        return deletion
    if deletion is None:
        return two
    removal = None if two is None else two.removal
    return Apart(removal=removal, deletion=deletion, migration=migration, address=finding.operation)


def _removed(project: Project, graph: Graph, plan: Plan, finding: Finding, migration: Migration) -> Apart | str | None:
    """The RemoveField of MTM202 or MTM204 and the AddField, where they stand in two migrations."""
    operation, address = migration.operations[int(finding.operation or 0)], finding.operation or "0"
    related = {place.location.path for place in finding.related}
    for brief in project.migrations:
        if brief.app_label != migration.app_label or brief.key == migration.key or brief.path not in related:
            continue
        other = graph.nodes.get(brief.key)
        if not isinstance(other, Migration) or other.key not in plan.order:
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
            if _counts_on(project, plan, removal, last[0]):
                return f"code that runs after `{first[0].name}` may count on `{removed.name}` being gone"
            return Apart(removal=removal, deletion=None, migration=last[0], address=last[1])
    return None


def _deleted(project: Project, graph: Graph, plan: Plan, finding: Finding, migration: Migration) -> Before | str | None:
    """The DeleteModel of the model that the field went through until then, in a migration before."""
    label, model, name = (finding.field or "").split(".", 2)
    through: ModelKey | None = None
    found: Before | None = None
    for key in plan.order[: plan.order.index(migration.key)]:
        if key.app_label != label and (through is None or key.app_label != through.app_label):
            continue
        one = graph.nodes[key]
        if not isinstance(one, Migration):
            continue
        for address, operation in _believed(one.operations):
            own = ModelKey(one.app_label, str(getattr(operation, "name", "")).lower())
            written = _written(operation, model, name) if one.app_label == label else None
            if written is not None:
                through, found = _through(written), None
            elif isinstance(operation, RenameModel) and ModelKey(one.app_label, operation.old_name.lower()) == through:
                through = ModelKey(one.app_label, operation.new_name.lower())
            elif isinstance(operation, CreateModel) and own == through:
                found = None
            elif isinstance(operation, DeleteModel) and own == through:
                found = Before(migration=one, placed=PlacedOperation(address=address, operation=operation))
    if found is None:
        return None
    gone = f"its through model `{getattr(found.placed.operation, 'name', '')}` is deleted in `{found.migration.key}`"
    if found.migration.app_label != migration.app_label:
        return f"{gone}, and what another app's migration does cannot be done here: take that out first"
    if not found.placed.address.isdigit():
        return f"{gone} by a part of another operation: take that out first"
    if _counts_on(project, plan, found, migration):
        return f"{gone}, and code that runs after that may count on it"
    return found


def _goes_on(project: Project, graph: Graph, plan: Plan, finding: Finding, deletion: Before) -> Apart | str | None:
    """The later migration in which a field goes another way than through the model that is deleted."""
    label, model, name = (finding.field or "").split(".", 2)
    for key in plan.order[plan.order.index(deletion.migration.key) + 1 :]:
        one = graph.nodes[key] if key.app_label == label else None
        if not isinstance(one, Migration):
            continue
        for index, operation in enumerate(one.operations):
            if not isinstance(operation, AlterField) or _written(operation, model, name) is None:
                continue
            if one.app_label != deletion.migration.app_label:
                return None
            if _counts_on(project, plan, deletion, one):
                return f"code that runs after `{deletion.migration.name}` may count on the model being gone"
            return Apart(removal=None, deletion=deletion, migration=one, address=str(index))
    return None


def _believed(operations: tuple[Operation, ...], prefix: str = "") -> Iterator[tuple[str, Operation]]:
    """The operations that change the state, with their addresses."""
    for index, operation in enumerate(operations):
        if isinstance(operation, SeparateDatabaseAndState | RunSQL):
            yield from _believed(operation.state_operations, f"{prefix}{index}.state.")
        else:
            yield f"{prefix}{index}", operation


def _written(operation: Operation, model: str, name: str) -> Field | None:
    """The field `name` of `model`, where an operation defines it."""
    if isinstance(operation, AddField | AlterField):
        return operation.field if (operation.model_name.lower(), operation.name) == (model, name) else None
    if isinstance(operation, CreateModel) and operation.name.lower() == model:
        return next((one.field for one in operation.fields if one.name == name), None)
    return None


def _through(field: Field) -> ModelKey | None:
    through = None if field.relation is None else field.relation.through
    return through if isinstance(through, ModelKey) else None


def _counts_on(project: Project, plan: Plan, gone: Before, migration: Migration) -> bool:
    """Whether code of the app runs after `gone` and before `migration`: it may count on that being gone."""
    return any(
        isinstance(one, RunPython | RunSQL | UnknownOperation) for one in _between(project, plan, gone, migration)
    )


def _between(project: Project, plan: Plan, removal: Before, migration: Migration) -> Iterator[Operation]:
    """The operations of the app that run after `removal` and before `migration`."""
    yield from removal.migration.operations[int(removal.placed.address) + 1 :]
    first, last = (plan.order.index(one.key) for one in (removal.migration, migration))
    keys = set(plan.order[first + 1 : last])
    for one in project.migrations:
        if one.key in keys and one.app_label == migration.app_label:
            yield from one.operations


def with_removal(proposal: Proposal, situation: Situation) -> Proposal:
    """`proposal`, with what stands in earlier migrations taken out where it edits the guilty one.

    Raises `Unwritable` where it edits such an earlier migration, too.
    """
    moved = situation.moved
    migration = situation.migration
    edited = {one.migration for one in proposal.changes if isinstance(one, ReplaceOperations)}
    if not moved or migration is None or migration.key not in edited:
        return proposal
    if any(one.placed.operation.span is None or one.migration.key in edited for one in moved):
        raise Unwritable("what an earlier migration takes away cannot be taken out by itself")
    changes: list[Change] = [*_half_run(situation, migration)]
    for key in dict.fromkeys(one.migration.key for one in moved):
        here = [one for one in moved if one.migration.key == key]
        names = [f"`{getattr(one.placed.operation, 'name', '')}`" for one in here]
        changes.append(
            ReplaceOperations(
                migration=key,
                path=here[0].migration.path,
                replacements=tuple(
                    Replacement(address=one.placed.address, span=one.placed.operation.span)
                    for one in here
                    if one.placed.operation.span is not None
                ),
                title=f"leave {' and '.join(names)} where {'it is' if len(here) == 1 else 'they are'}",
            )
        )
    for change in proposal.changes:
        if isinstance(change, ReplaceOperations) and change.migration == migration.key:
            change = _deleting(change, situation)
        changes.append(change)
    return replace(proposal, changes=tuple(changes))


def _deleting(change: ReplaceOperations, situation: Situation) -> ReplaceOperations:
    """`change` with what it puts in the place of the DeleteModel, or that itself, behind the guilty operation."""
    deletion, guilty = situation.deleted_before, situation.guilty
    if deletion is None or guilty is None:
        return change
    address = str(int(guilty.address) + 1)
    own = next((one for one in change.replacements if one.address == address), None)
    there = next((one for one in change.replacements if one.address == guilty.address), None)
    codes: tuple[Code, ...]
    if own is not None:
        codes = own.operations
    else:
        writer = Writer(situation, change.path)
        node = writer.own(deletion.migration.path, deletion.placed.operation.span)
        codes = (writer.code(node, indent=OPERATION_INDENT),)
    if guilty.operation.span is None or (there is not None and there.where is not Where.INSTEAD):
        raise Unwritable("the deletion of the old through model has no place behind the change")
    if there is None:
        there = Replacement(address=guilty.address, span=guilty.operation.span, where=Where.AFTER)
    others = tuple(one for one in change.replacements if one.address not in (address, guilty.address))
    return replace(change, replacements=(*others, replace(there, operations=(*there.operations, *codes))))


def _half_run(situation: Situation, migration: Migration) -> Iterator[Instruction]:
    """For databases between the migrations: what has gone comes back first."""
    label, deletion, removal, link = (
        migration.app_label,
        situation.deleted_before,
        situation.removed_before,
        situation.link,
    )
    if deletion is not None and link is not None:
        # Undone, the table would come back empty, or not at all: with the old text the state may have no such model.
        yield Instruction(
            title=f"where `{deletion.migration.name}` has run and `{migration.name}` has not: `{link.table.name}` went "
            "with all links; restore that table, rows and all, from a backup from before",
            language="console",
            code=f"python manage.py migrate {label}",
        )
        return
    if removal is None:
        return
    names = f"`{removal.migration.name}` has run and `{migration.name}` has not"
    if situation.kind is ChangeKind.FK_TO_M2M:
        # Backward a column that may not be null comes back only where there is no row.
        yield Instruction(
            title=f"where {names}: the values went with the column; begin with a backup from before it",
            language="console",
            code=f"python manage.py migrate {label}",
        )
        return
    own = [one.key for one in removal.migration.dependencies if one.key and one.key.app_label == label]
    empty = link is not None and link.through is None
    then = f"; `{link.table.name}` comes back empty, and its rows only from a backup" if link and empty else ""
    yield Instruction(
        title=f"where {names}: undo it with the text that it had before{then}",
        language="console",
        code=f"python manage.py migrate {label} {own[0].name if own else 'zero'}",
    )

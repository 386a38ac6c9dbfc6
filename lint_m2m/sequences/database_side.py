"""A field that is altered among `database_operations`: in a SeparateDatabaseAndState that fails as it does anywhere.

The sequences for it are those for the same operations by themselves. They are made from the history as it would be with
them, and what they write goes into the place of the whole SeparateDatabaseAndState.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Finding
from lint_m2m.migration import AlterField, Migration, Operation, RunPython, RunSQL, SeparateDatabaseAndState
from lint_m2m.sequences.codegen import OPERATION_INDENT, Writer
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import (
    Change,
    Code,
    DatabaseSide,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
    Where,
)
from lint_m2m.values import replace

# Rules about an AlterField that runs. MTM105: only `state_operations` have the through model.
_CODES = frozenset({"MTM101", "MTM102", "MTM103", "MTM105"})


def database_side(finding: Finding, migration: Migration) -> DatabaseSide | None:
    """The SeparateDatabaseAndState that a finding is in; ``None`` for others, and where its two lists disagree."""
    head, _, rest = (finding.operation or "").partition(".database.")
    if finding.code not in _CODES or not head.isdigit() or not rest.isdigit():
        return None
    holder = migration.operations[int(head)]
    if not isinstance(holder, SeparateDatabaseAndState) or holder.span is None:
        return None
    altered, on_database, in_state = (
        holder.database_operations[int(rest)],
        holder.database_operations,
        holder.state_operations,
    )
    if all(one in on_database for one in in_state):
        operations = on_database
    elif all(one in in_state for one in on_database):
        operations = in_state
    else:
        return None
    if not isinstance(altered, AlterField):
        return None
    return DatabaseSide(
        holder=PlacedOperation(address=head, operation=holder),
        operations=operations,
        address=str(int(head) + operations.index(altered)),
    )


def without_holder(side: DatabaseSide, migration: Migration) -> Migration:
    """The migration with the operations by themselves."""
    index = int(side.holder.address)
    operations = (*migration.operations[:index], *side.operations, *migration.operations[index + 1 :])
    return replace(migration, operations=operations)


def in_holder(proposal: Proposal, situation: Situation) -> Proposal:
    """`proposal`, written into the place of the SeparateDatabaseAndState.

    Raises `Unwritable` where an operation would be left over that only one of the two lists has: by itself it would do
    what it did not do before.
    """
    side, migration = situation.database_side, situation.migration
    if side is None or migration is None:
        return proposal
    changes: list[Change] = []
    for change in proposal.changes:
        if isinstance(change, ReplaceOperations) and change.migration == migration.key:
            change = replace(change, replacements=tuple(_replacements(change, side, situation)))
        changes.append(change)
    return replace(proposal, changes=tuple(changes))


def _replacements(change: ReplaceOperations, side: DatabaseSide, situation: Situation) -> Iterator[Replacement]:
    first = int(side.holder.address)
    inside = range(first, first + len(side.operations))
    span = side.holder.operation.span
    assert span is not None
    by_address = {one.address: one for one in change.replacements}
    writer = Writer(situation, change.path)
    codes: list[Code] = []
    for number, operation in zip(inside, side.operations, strict=True):
        replacement = by_address.pop(str(number), None)
        own: list[Code] = []
        if replacement is None or replacement.where is not Where.INSTEAD:
            if not _is_same_alone(operation, side):
                raise Unwritable(
                    f"`{type(operation).__name__}` is in one of `database_operations` and `state_operations` only"
                )
            own.append(writer.code(writer.operation_at(operation.span), indent=OPERATION_INDENT))
        new = () if replacement is None else replacement.operations
        before = replacement is not None and replacement.where is Where.BEFORE
        codes += [*new, *own] if before else [*own, *new]
    yield from by_address.values()
    yield Replacement(address=side.holder.address, span=span, operations=tuple(codes))


def _is_same_alone(operation: Operation, side: DatabaseSide) -> bool:
    """Whether an operation does by itself what it does in the SeparateDatabaseAndState."""
    holder = side.holder.operation
    assert isinstance(holder, SeparateDatabaseAndState)
    on_database, in_state = (operation in one for one in (holder.database_operations, holder.state_operations))
    if on_database and not in_state:
        return isinstance(operation, RunPython) or (isinstance(operation, RunSQL) and not operation.state_operations)
    return on_database

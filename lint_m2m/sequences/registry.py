"""The sequences, each in a module of its own; `SEQUENCES` is the one place that lists them.

To add a sequence: a module with its `ID`, its documentation as docstring (what, when, downtime, source) and a function
``propose(situation) -> Iterator[Proposal]`` that yields nothing where it would not work, and one line here.
Where several fit, the first that says it is recommended is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from lint_m2m.sequences import (
    copy_between_throughs,
    copy_rows,
    copy_then_remove,
    drop_through_keep_table,
    drop_through_rename_table,
    expand_contract,
    fake,
    fix_late_copy,
    fix_order,
    fix_state,
    fix_table,
    keep_table,
    rename_table,
    rename_through,
    rewrite_history,
    temporary_field,
)
from lint_m2m.sequences.values import Proposal, Situation

Proposer: TypeAlias = Callable[[Situation], Iterator[Proposal]]

# The id of each, and what makes it.
SEQUENCES: Final[tuple[tuple[str, Proposer], ...]] = (
    (keep_table.ID, keep_table.propose),
    (rename_table.ID, rename_table.propose),
    (drop_through_keep_table.ID, drop_through_keep_table.propose),
    (drop_through_rename_table.ID, drop_through_rename_table.propose),
    (rename_through.ID, rename_through.propose),
    (copy_between_throughs.ID, copy_between_throughs.propose),
    (copy_rows.ID, copy_rows.propose),
    (expand_contract.ID, expand_contract.propose),
    (temporary_field.ID, temporary_field.propose),
    (copy_then_remove.ID, copy_then_remove.propose),
    (fix_state.ID, fix_state.propose),
    (fix_state.ID, fix_order.propose),
    (fix_state.ID, fix_late_copy.propose),
    (fix_state.ID, fix_table.propose),
    (rewrite_history.ID, rewrite_history.propose),
    (fake.ID, fake.propose),
)

"""The rules, each in a module of its own; `RULES` is the one place that lists them.

To add a rule: a module ``mtmNNN_its_name.py`` with a `Rule` subclass and its documentation as docstring, and one line
here.
"""

from __future__ import annotations

from typing import Final

from lint_m2m.rules.base import Rule
from lint_m2m.rules.mtm101_through_added import ThroughAdded
from lint_m2m.rules.mtm102_through_removed import ThroughRemoved
from lint_m2m.rules.mtm103_m2m_retyped import ManyToManyRetyped
from lint_m2m.rules.mtm104_table_already_exists import TableAlreadyExists
from lint_m2m.rules.mtm105_through_unresolved import ThroughUnresolved
from lint_m2m.rules.mtm106_missing_table_touched import MissingTableTouched
from lint_m2m.rules.mtm107_constraint_already_exists import ConstraintAlreadyExists
from lint_m2m.rules.mtm201_through_swapped import ThroughSwapped
from lint_m2m.rules.mtm202_m2m_recreated import ManyToManyRecreated
from lint_m2m.rules.mtm203_m2m_retargeted import ManyToManyRetargeted
from lint_m2m.rules.mtm204_relation_replaced import RelationReplaced
from lint_m2m.rules.mtm205_m2m_class_changed import ManyToManyClassChanged
from lint_m2m.rules.mtm301_state_table_missing import StateTableMissing
from lint_m2m.rules.mtm302_state_column_missing import StateColumnMissing
from lint_m2m.rules.mtm303_state_unique_differs import StateUniqueDiffers
from lint_m2m.rules.mtm304_state_pk_differs import StatePkDiffers
from lint_m2m.rules.mtm305_links_orphaned import LinksOrphaned
from lint_m2m.rules.mtm401_renamed_under_traffic import RenamedUnderTraffic
from lint_m2m.rules.mtm402_irreversible_step import IrreversibleStep
from lint_m2m.rules.mtm403_reverse_name_changed import ReverseNameChanged
from lint_m2m.rules.mtm901_unreadable_migration import UnreadableMigration
from lint_m2m.rules.mtm902_dynamic_operations import DynamicOperations
from lint_m2m.rules.mtm903_broken_graph import BrokenGraph
from lint_m2m.rules.mtm904_unused_ignore import UnusedIgnore

RULES: Final[tuple[type[Rule], ...]] = (
    ThroughAdded,
    ThroughRemoved,
    ManyToManyRetyped,
    TableAlreadyExists,
    ThroughUnresolved,
    MissingTableTouched,
    ConstraintAlreadyExists,
    ThroughSwapped,
    ManyToManyRecreated,
    ManyToManyRetargeted,
    RelationReplaced,
    ManyToManyClassChanged,
    StateTableMissing,
    StateColumnMissing,
    StateUniqueDiffers,
    StatePkDiffers,
    LinksOrphaned,
    RenamedUnderTraffic,
    IrreversibleStep,
    ReverseNameChanged,
    UnreadableMigration,
    DynamicOperations,
    BrokenGraph,
    UnusedIgnore,
)

# Of every rule there is: the codes, and the names by them.
CODES: Final = tuple(rule.code for rule in RULES)
NAMES: Final = {rule.code: rule.name for rule in RULES}

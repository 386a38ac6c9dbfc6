"""Which findings may have a way out, and what each of them wants."""

from __future__ import annotations

from typing import Final

from lint_m2m.finding import Finding
from lint_m2m.sequences.values import ChangeKind

# What a finding wants or what is wrong with it; codes that are not here have no way out.
KINDS: Final = {
    "MTM101": ChangeKind.ADD_THROUGH,
    "MTM102": ChangeKind.REMOVE_THROUGH,
    "MTM103": ChangeKind.M2M_TO_FK,
    "MTM104": ChangeKind.TABLE_EXISTS,
    "MTM105": ChangeKind.THROUGH_UNRESOLVED,
    "MTM106": ChangeKind.MISSING_TOUCHED,
    "MTM107": ChangeKind.CONSTRAINT_EXISTS,
    "MTM201": ChangeKind.SWAP_THROUGH,
    "MTM202": ChangeKind.RECREATED,
    "MTM204": ChangeKind.FK_TO_M2M,
    "MTM301": ChangeKind.STATE_TABLE_MISSING,
    "MTM302": ChangeKind.STATE_COLUMN_MISSING,
    "MTM303": ChangeKind.STATE_UNIQUE_DIFFERS,
    "MTM304": ChangeKind.STATE_PK_DIFFERS,
    "MTM305": ChangeKind.LINKS_ORPHANED,
}


def has_way_out(finding: Finding) -> bool:
    """Whether any sequence may fit a finding of this code."""
    return finding.code in KINDS and finding.field is not None and finding.migration is not None

"""Whether a tool may apply a sequence to a migration, and what to do where that has run already."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Certainty
from lint_m2m.sequences.values import ChangeKind, Instruction, Situation

# Rules about operations that raise on every database: no database has got past them.
_FAILS_EVERYWHERE = frozenset({"MTM101", "MTM102", "MTM103", "MTM104"})


def applicability(situation: Situation) -> Applicability:
    """`SAFE` where no database can have run what a sequence edits, or there is nothing yet; else `REVIEW`."""
    if may_have_run(situation) or (situation.finding is not None and situation.deleted_before is not None):
        return Applicability.REVIEW
    return Applicability.SAFE


def may_have_run(situation: Situation) -> bool:
    """Whether a database may have run the guilty migration."""
    finding = situation.finding
    if finding is None:
        return False
    # Of those in `database_operations`, an AlterField whose model only the state has raises as well.
    fails = finding.code in _FAILS_EVERYWHERE or situation.database_side is not None
    # So does any whose old through model is gone; one that is not there yet may have been, by chance.
    fails = fails or (finding.code == "MTM105" and situation.kind is not ChangeKind.THROUGH_UNRESOLVED)
    # But for one that may run in one go with the migration that deletes the model, and is what the finding points at.
    if situation.migration is not None and finding.migration != situation.migration.name:
        return True
    return not (fails and finding.certainty is Certainty.CERTAIN)


def where_it_has_run(situation: Situation, title: str, language: str, code: str) -> Iterator[Instruction]:
    """A last step for databases that have run the migration as it was; nothing where none can have."""
    if may_have_run(situation):
        yield Instruction(title=f"where this migration has run already: {title}", language=language, code=code)


def run_again(situation: Situation) -> Iterator[Instruction]:
    """For databases that have run the migration: its record is taken back, and what is real in it runs."""
    migration = situation.migration
    if migration is None or not may_have_run(situation) or situation.leaf != migration.key:
        return
    own = [one.key for one in migration.dependencies if one.key and one.key.app_label == migration.app_label]
    before = own[0].name if own else "zero"
    yield Instruction(
        title="where this migration has run already: take back its record, and run it as it is now",
        language="console",
        code=f"python manage.py migrate {migration.app_label} {before} --fake\n"
        f"python manage.py migrate {migration.app_label}",
    )

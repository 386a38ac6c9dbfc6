"""`fake`: marking the migration as applied without running it. Shown with the reason not to do it.

What: ``migrate --fake``, after which Django believes what the migration says, and nothing of it is there.

When: never. It stands in many an answer to the ValueError, so what it breaks is said where somebody looks for a way.

Downtime: until somebody makes by hand, in every database, what the migration would have made.

Source: the keep-the-table guide mentions it as one of two ways past "already exists".
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.sequences.add_through import adds_through
from lint_m2m.sequences.values import ChangeKind, Instruction, Proposal, Situation

ID = "fake"


def propose(situation: Situation) -> Iterator[Proposal]:
    migration = situation.migration
    if migration is None or situation.kind is not ChangeKind.ADD_THROUGH or not adds_through(situation):
        return
    yield Proposal(
        id=ID,
        title="mark the migration as applied without running it",
        why="it makes the error go away in one database, and only the error",
        downtime=Downtime.BRIEF,
        applicability=Applicability.DISPLAY,
        changes=(
            Instruction(
                title="advised against",
                language="console",
                code=f"python manage.py migrate {migration.app_label} {migration.name} --fake",
            ),
        ),
        caveats=tuple(_what_breaks(situation)),
    )


def _what_breaks(situation: Situation) -> Iterator[str]:
    through, link = situation.through, situation.link
    yield "every new database still fails at this migration: the test database, a colleague's, the next server"
    if through is None or link is None or not through.in_migration:
        return
    if through.table != link.table.name:
        yield (
            f"`{through.table}` is never made: the first query raises `no such table`, and the links stay in "
            f"`{link.table.name}`"
        )
    missing = [one.name for one in through.extras]
    if missing:
        yield f"the columns for `{'`, `'.join(missing)}` are never made: the first query raises `no such column`"

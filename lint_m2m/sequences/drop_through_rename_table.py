"""`drop-through-rename-table`: the through model goes, its table becomes the automatic one, under the automatic name.

What: as `drop-through-keep-table`, with a real AlterModelTable before the switch: the model gets the name of the
automatic table while Django still knows it, so that nothing has to be said about the field. (Altering the field's table
after the switch would rename it as well, but on SQLite Django then copies it, and makes the unique pair too late for a
migration that is undone.)

When: as `drop-through-keep-table`, where the table is called otherwise than an automatic one; nothing has to be pinned
in models.py.

Downtime: brief. From the rename on, code of the release before asks for a table that is not there.

Source: DJANGO_FACTS.md ("removing", and AlterModelTable of a through model: portable and reversible).
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Downtime
from lint_m2m.sequences import caveats
from lint_m2m.sequences.applying import applicability, may_have_run
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.drop_through_keep_table import of_removal
from lint_m2m.sequences.remove_through import changes, removal_of
from lint_m2m.sequences.restoring import lost_links
from lint_m2m.sequences.values import Proposal, Situation

ID = "drop-through-rename-table"


def propose(situation: Situation) -> Iterator[Proposal]:
    removal = removal_of(situation)
    if removal is None or removal.lost or removal.link.table.name == removal.wanted:
        return
    writer = Writer(situation, None if situation.migration is None else situation.migration.path)
    yield Proposal(
        id=ID,
        title=f"keep the rows, give the table the name `{removal.wanted}`",
        why="the database looks as if the field had never had a through model, and models.py pins nothing",
        downtime=Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(
            *changes(situation, writer, removal, rename=True),
            *lost_links(situation, removal.wanted, removal.columns),
        ),
        recommended=may_have_run(situation),
        caveats=(
            f"code of the release before asks for `{removal.link.table.name}` and fails until it is replaced",
            *of_removal(removal),
            *caveats.without_through(situation),
        ),
        verify=caveats.VERIFY,
    )

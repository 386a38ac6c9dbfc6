"""`rename-table`: the automatic table becomes the through model's, under the model's own name.

What: as `keep-table`, and then a real AlterModelTable to the table the model would have anyway, AlterFields where its
columns are called otherwise, and the primary key's class if that differs. No raw SQL, so it is the same on every
database, and backwards.

When: as `keep-table`; nothing has to be pinned in models.py. Where the field was removed and added again, a database
may have run that: it has the through model's own table, as databases have after this sequence.

Downtime: brief. From the rename on, code of the release before asks for a table that is not there.

Source: Django's how-to on `through` does it with RunSQL; `AlterModelTable` of a model whose state-only CreateModel
names the old table comes to the same without (measured: DJANGO_FACTS.md, state-only recipes).
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Downtime
from lint_m2m.replay.names import Names
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import columns_of, keepable, switch
from lint_m2m.sequences.applying import applicability, may_have_run
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.restoring import lost_links
from lint_m2m.sequences.switching import Manner, changes
from lint_m2m.sequences.values import Proposal, Situation

ID = "rename-table"


def propose(situation: Situation) -> Iterator[Proposal]:
    if not keepable(situation):
        return
    writer = Writer(situation, None if situation.migration is None else situation.migration.path)
    facts = switch(situation, writer)
    default = Names(situation.vendor).default_table(*facts.through.model.key)
    wanted = facts.wanted_table or default
    if wanted == facts.link.table.name:
        return
    yield Proposal(
        id=ID,
        title=f"keep the rows, give the table the name `{wanted}`",
        why="the database looks as if the through model had been there from the start, and models.py pins nothing",
        downtime=Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(
            *changes(situation, writer, facts, Manner(rename=True, staged=False)),
            *lost_links(situation, wanted, columns_of(facts.through), facts.through),
        ),
        recommended=may_have_run(situation),
        caveats=(
            f"code of the release before asks for `{facts.link.table.name}` and fails until it is replaced",
            *caveats.of_through(situation),
            *caveats.of_failed_run(situation),
        ),
        verify=caveats.VERIFY,
    )

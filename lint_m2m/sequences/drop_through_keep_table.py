"""`drop-through-keep-table`: the through model goes, its table becomes the field's automatic one, as it is called.

What: where the table is not yet as Django makes automatic ones, real operations on the model first: further columns
go, the foreign keys get the automatic columns, of several rows for one pair the first stays, and the pair becomes
unique. Then a state-only AlterField with `db_table`, and a state-only DeleteModel; both run no SQL.

When: `through=` is removed and the migration deletes the model; the model's key is an integer that the database counts.
Columns beside the two foreign keys hold what no automatic table can: then it is refused, saying which, with what to do
for those who want the values and for those who do not.

Downtime: none where the table is ready as it stands; brief where columns or unique sets change.

Source: measured (DJANGO_FACTS.md, state-only recipes: "removing").
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import REFUSED, Applicability, Downtime
from lint_m2m.replay.models import ModelState
from lint_m2m.sequences import caveats
from lint_m2m.sequences.applying import applicability, may_have_run
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.remove_through import Removal, changes, is_ready, removal_of
from lint_m2m.sequences.switching import in_owner
from lint_m2m.sequences.values import Change, Instruction, Proposal, Situation

ID = "drop-through-keep-table"


def propose(situation: Situation) -> Iterator[Proposal]:
    removal = removal_of(situation)
    if removal is None:
        return
    if removal.lost:
        yield refusal(situation, removal.through.model, removal.lost, ID)
        return
    writer = Writer(situation, None if situation.migration is None else situation.migration.path)
    table = removal.link.table.name
    yield Proposal(
        id=ID,
        title=f"keep `{table}` as the automatic table, change only what Django believes"
        if is_ready(removal)
        else f"make `{table}` an automatic table, then drop only the model",
        why=f"every link stays where it is, and models.py says where: `db_table` on `{situation.key.name}`"
        if table != removal.wanted
        else "every link stays where it is",
        downtime=Downtime.NONE if is_ready(removal) else Downtime.BRIEF,
        applicability=applicability(situation),
        changes=changes(situation, writer, removal, rename=False),
        recommended=not may_have_run(situation),
        caveats=(*of_removal(removal), *_deployed(situation, removal), *caveats.without_through(situation)),
        verify=caveats.VERIFY,
    )


def refusal(situation: Situation, model: ModelState, columns: tuple[str, ...], name: str) -> Proposal:
    """Sequence `name` is refused: an automatic table has no place for columns that hold values; what to do instead."""
    lost = f"`{'`, `'.join(columns)}`"
    changes: list[Change] = []
    if situation.old is not None:
        writer = Writer(situation, None)
        changes.append(
            Instruction(
                title=f"to keep the values, keep the model: take the change of `{situation.key.name}` out of models.py"
                " and out of the migration",
                language="python",
                code=in_owner(situation, situation.key.name, writer.field(situation.old)),
                path=situation.models_path,
            )
        )
    changes.append(
        Instruction(
            title=f"where nobody wants them, take {lost} out of `{model.name}` first, in a release of its own; then"
            " drop the model",
            language="console",
            code=f"python manage.py makemigrations {model.key.app_label}\nlint-m2m",
        )
    )
    return Proposal(
        id=name,
        title=f"{REFUSED}an automatic table has no place for the values of {lost} of `{model.name}`",
        why="whether these values may go is not for a tool to say, and nothing brings them back",
        downtime=Downtime.NONE,
        applicability=Applicability.DISPLAY,
        changes=tuple(changes),
        recommended=True,
    )


def of_removal(removal: Removal) -> Iterator[str]:
    """What the links lose on the way."""
    name = removal.through.model.name
    if removal.duplicates:
        yield (
            f"nothing keeps `{name}` from having several rows for one pair: all but the first of them are deleted, and "
            "do not come back when the migration is undone"
        )


def _deployed(situation: Situation, removal: Removal) -> Iterator[str]:
    if may_have_run(situation) and removal.link.table.name != removal.wanted:
        yield (
            f"only where no database has run the migration as it was: such a one has the table `{removal.wanted}` "
            "instead, which `drop-through-rename-table` ends in as well"
        )

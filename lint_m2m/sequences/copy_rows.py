"""`copy-rows`: the through model has a table of its own; the links go there, then the automatic table goes.

What: RunPython copies every link into the through model's table, in batches; then one operation drops the automatic
table on the database's side and points `through=` at the model on Django's. Backward the automatic table comes back
with the links that the through model has.

When: the through model has a table already (an earlier migration made it, perhaps in another app), or the automatic
table cannot become its table: the model's key is no integer that the database counts, or it inherits from a model.

Downtime: as long as the copying takes. Code of the release before goes on writing to the automatic table, and fails
when that is gone; what it writes while the copying runs may be lost. `expand-contract` has none.

Source: measured forward and backward on SQLite, PostgreSQL and MariaDB (DJANGO_FACTS.md, "copy when AB already has a
table of its own").
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import alter_node, columns_of
from lint_m2m.sequences.applying import applicability, lost_links
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.copying import Copy, copy_of, functions, in_place
from lint_m2m.sequences.values import Proposal, ReplaceOperations, Situation

ID = "copy-rows"


def propose(situation: Situation) -> Iterator[Proposal]:
    copy = copy_of(situation)
    migration = situation.migration
    if copy is None or migration is None:
        return
    writer = Writer(situation, migration.path)
    made = functions(situation, writer, copy)
    key = situation.key
    removal = writer.remove_field(key.model, key.name)
    operations = [
        writer.code(writer.run_python(made.forward, made.backward)),
        writer.code(writer.state_only([alter_node(situation, writer)], [removal])),
    ]
    yield Proposal(
        id=ID,
        title=f"copy the links into `{copy.through.table}`, then drop `{copy.link.table.name}`",
        why=f"`{copy.through.model.name}` has a table of its own: every link gets its row there, in one migration",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY if copy.required else applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=in_place(copy, operations),
                functions=made.codes,
                title="copy, then switch",
            ),
            *lost_links(situation, copy.through.table, columns_of(copy.through)),
        ),
        recommended=True,
        caveats=(*of_copying(copy), *caveats.of_through(situation), *caveats.of_failed_run(situation)),
        verify=caveats.VERIFY,
    )


def of_copying(copy: Copy) -> Iterator[str]:
    """What to mind where links are copied into a table that others may use."""
    name = copy.through.model.name
    if copy.required:
        yield (
            f"`{name}` wants a value for `{'`, `'.join(copy.required)}`, which no link has: give it to "
            "`target.model(...)` in the function that copies"
        )
    if copy.through.fact is not None:
        yield f"rows that `{name}` has already become links of the field as well, and so they do backward"

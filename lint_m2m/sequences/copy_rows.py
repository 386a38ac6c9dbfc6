"""`copy-rows`: the through model has a table of its own; the links go there, then the automatic table goes.

What: RunPython copies every link into the through model's table, in batches; then one operation drops the automatic
table on the database's side and points `through=` at the model on Django's. Backward the automatic table comes back
with the links that the through model has.

When: the through model has a table already (an earlier migration made it, perhaps in another app), or the automatic
table cannot become its table: the model's key is no integer that the database counts, or it inherits from a model.

Also where the switch stands in the state already and nothing copies, and the other way: where `through=` is removed and
the model keeps its table, the field gets an automatic one and the links. So it does where the model goes and its table
cannot become the automatic one; where that has further columns it is refused, since their values would go with it.

Downtime: as long as the copying takes. Code of the release before goes on writing to the automatic table, and fails
when that is gone; what it writes while the copying runs may be lost. `expand-contract` has none.

Source: measured forward and backward on SQLite, PostgreSQL and MariaDB (DJANGO_FACTS.md, "copy when AB already has a
table of its own").
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.migration import (
    CreateModel,
    RemoveField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import alter_node, alteration, columns_of, held, untouched_until
from lint_m2m.sequences.applying import applicability, run_again
from lint_m2m.sequences.codegen import Writer, field_of
from lint_m2m.sequences.copying import Copy, copy_of, functions, in_place
from lint_m2m.sequences.drop_through_keep_table import refusal
from lint_m2m.sequences.filling import filled_by_itself
from lint_m2m.sequences.remove_through import further_columns, goes, removal_of, removes_through
from lint_m2m.sequences.restoring import lost_links
from lint_m2m.sequences.values import ChangeKind, Proposal, Replacement, ReplaceOperations, Situation
from lint_m2m.values import replace

ID = "copy-rows"


def propose(situation: Situation) -> Iterator[Proposal]:
    yield from _into_model(situation)
    yield from _beside_state(situation)
    yield from _into_automatic(situation)


def _into_model(situation: Situation) -> Iterator[Proposal]:
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
            *lost_links(situation, copy.through.table, columns_of(copy.through), copy.through),
        ),
        recommended=True,
        caveats=(*of_copying(copy), *caveats.of_through(situation), *caveats.of_failed_run(situation)),
        verify=caveats.VERIFY,
    )


def _beside_state(situation: Situation) -> Iterator[Proposal]:
    """The switch is made in the state already, and nothing copies."""
    migration = situation.migration
    if situation.kind not in (ChangeKind.LINKS_ORPHANED, ChangeKind.RECREATED) or migration is None:
        return
    copy = copy_of(replace(situation, kind=ChangeKind.ADD_THROUGH), nested=True)
    if copy is None or copy.alter is None:
        return
    holder = next((one for one in situation.operations if held(copy.alter, one)), None)
    if holder is None or not isinstance(holder.operation, SeparateDatabaseAndState) or holder.operation.span is None:
        return
    key, span = situation.key, holder.operation.span
    if len(holder.operation.state_operations) != 1 or not all(
        isinstance(one, RemoveField) and (one.model_name.lower(), one.name) == (key.model, key.name)
        for one in holder.operation.database_operations
    ):
        return
    others = [one for one in situation.operations if one is not holder and not one.address.startswith(holder.address)]
    if any(isinstance(one.operation, RunPython | RunSQL | UnknownOperation) for one in others):
        return
    created = [one for one in copy.through.touching if isinstance(one.operation, CreateModel)]
    if any("." in one.address or int(one.address) > int(holder.address) for one in created):
        return
    writer = Writer(situation, migration.path)
    made = functions(situation, writer, copy)
    alter = writer.operation_at(copy.alter.operation.span)
    switch = writer.state_only([alter], [writer.remove_field(key.model, key.name)])
    codes = tuple(
        writer.code(one, indent=span.column - 1) for one in (writer.run_python(made.forward, made.backward), switch)
    )
    kept = not holder.operation.database_operations
    yield Proposal(
        id=ID,
        title=f"copy the links into `{copy.through.table}` before the switch",
        why=f"`{copy.through.model.name}` has a table of its own, and nothing has put the links there",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY if copy.required else applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=(Replacement(address=holder.address, span=span, operations=codes),),
                functions=made.codes,
                title="copy, then switch",
            ),
            *(
                run_again(situation)
                if kept
                else lost_links(situation, copy.through.table, columns_of(copy.through), copy.through)
            ),
        ),
        recommended=True,
        caveats=(*of_copying(copy), *caveats.of_through(situation)),
        verify=caveats.VERIFY,
    )


def _into_automatic(situation: Situation) -> Iterator[Proposal]:
    """The through model loses the field, and stays, or its table cannot be the automatic one."""
    migration, link = situation.migration, situation.link
    if situation.kind is not ChangeKind.REMOVE_THROUGH or migration is None or link is None:
        return
    if not removes_through(situation) or removal_of(situation) is not None:
        return
    alter, through, columns = alteration(situation), link.through, situation.new_columns
    if alter is None or "." in alter.address or alter.operation.span is None or through is None or columns is None:
        return
    source, target = through.source, through.target
    if source is None or target is None or situation.new_table in (None, link.table.name):
        return
    if any(one.field.relation is None or one.field.relation.to_field is not None for one in (source, target)):
        return
    if not untouched_until(alter, through.model.key, situation):
        return
    model_goes, further = goes(situation, through), further_columns(through)
    if model_goes and further:
        yield refusal(situation, through.model, further, ID)
        return
    copy = Copy(
        link=replace(link, columns=columns),
        through=through,
        source=source,
        target=target,
        alter=alter,
        gone=(),
        required=tuple(one.name for one in through.extras if not filled_by_itself(situation, one)),
    )
    writer = Writer(situation, migration.path)
    made = functions(situation, writer, copy, names=("restore_links", "copy_links"))
    key = situation.key
    node = alter_node(situation, writer)
    switch = writer.state_only(
        [node], [writer.remove_field(key.model, key.name), writer.add_field(key.model, key.name, field_of(node))]
    )
    operations = [writer.code(switch), writer.code(writer.run_python(made.backward, made.forward))]
    kept = "`, `".join(further)
    yield Proposal(
        id=ID,
        title=f"make `{situation.new_table}` and copy the links of `{link.table.name}` into it",
        why=f"`{link.table.name}` goes with `{through.model.name}`, and cannot become the field's own table as it is"
        if model_goes
        else f"`{link.table.name}` stays the table of `{through.model.name}`, so the field gets one of its own",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY if copy.required else applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=in_place(copy, operations),
                functions=made.codes,
                title="switch, then copy",
            ),
        ),
        recommended=True,
        caveats=(
            *([f"the values of `{kept}` stay with `{through.model.name}`, as long as it stays"] if kept else []),
            *([f"undone, links made since want values for `{'`, `'.join(copy.required)}`"] if copy.required else []),
            *caveats.without_through(situation),
        ),
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

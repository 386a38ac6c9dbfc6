"""`fix-state` for a table that is made under a name that is taken (MTM104).

What: an automatic table gets another name, with `db_table`. A model that is made on the automatic table of a
many-to-many, with keys to both its ends, is that table: it is described in the state only, and the field goes through
it from the same step on.

When: the field whose table is in the way, or that makes it, is not changed in the same migration (where `through=` is
added there as well, `keep-table` fits).

Downtime: none; the migration fails on every database as it is.

Source: DJANGO_FACTS.md, "other operations" and the state-only recipes.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Downtime
from lint_m2m.migration import AddField
from lint_m2m.replay.names import Names
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import keepable, switch
from lint_m2m.sequences.applying import applicability
from lint_m2m.sequences.codegen import Writer, bare, field_of, plain, with_argument, with_field
from lint_m2m.sequences.fix_state import ID, argument_in_models
from lint_m2m.sequences.switching import Manner, can_stage, changes
from lint_m2m.sequences.values import (
    ChangeKind,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
)
from lint_m2m.values import replace


def propose(situation: Situation) -> Iterator[Proposal]:
    if situation.kind is not ChangeKind.TABLE_EXISTS or situation.migration is None:
        return
    yield from _another_name(situation)
    yield from _the_same_table(situation)


def _another_name(situation: Situation) -> Iterator[Proposal]:
    guilty, migration, table = situation.guilty, situation.migration, situation.new_table
    if guilty is None or migration is None or table is None or situation.new is None:
        return
    operation = guilty.operation
    if not isinstance(operation, AddField) or "." in guilty.address or operation.span is None:
        return
    if operation.name != situation.key.name or operation.model_name.lower() != situation.key.model:
        return
    names = Names(situation.vendor)
    taken = {names.fold(one) for one in situation.table_names}
    wanted = f"{situation.key.app_label}_{situation.key.model}_{situation.key.name}_links"
    if names.fold(wanted) in taken or (names.limit is not None and len(wanted) > names.limit):
        return
    writer = Writer(situation, migration.path)
    node = writer.operation_at(operation.span)
    literal = writer.literal(wanted)
    field = with_argument(field_of(node), "db_table", literal)
    code = writer.code(with_field(node, field), indent=operation.span.column - 1)
    yield Proposal(
        id=ID,
        title=f"give the links of `{situation.key.name}` the table `{wanted}`",
        why=f"`{table}` belongs to something else already",
        downtime=Downtime.NONE,
        applicability=applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=(Replacement(address=guilty.address, span=operation.span, operations=(code,)),),
                title="name another table",
            ),
            argument_in_models(situation, field, "db_table", plain(literal), "pin the table"),
        ),
        recommended=True,
        verify=caveats.VERIFY,
    )


def _the_same_table(situation: Situation) -> Iterator[Proposal]:
    migration, through, old = situation.migration, situation.through, situation.old
    if migration is None or through is None or old is None or not keepable(situation, {ChangeKind.TABLE_EXISTS}):
        return
    writer = Writer(situation, migration.path)
    facts = switch(situation, writer)
    manner = Manner(rename=False, staged=can_stage(situation))
    label = writer.literal(f"{through.model.key.app_label}.{through.model.name}")
    was = bare(writer.field(old))
    field = with_argument(was.without("db_table"), "through", label)
    change = argument_in_models(situation, field, "through", plain(label), "let the field go through the model")
    if was.item("db_table") is not None:
        change = replace(change, arguments=(*change.arguments, (situation.key.name, "db_table", None)))
    table = facts.link.table.name
    yield Proposal(
        id=ID,
        title=f"`{through.model.name}` is the table of `{situation.key.name}`: let the field go through it",
        why=f"`{table}` is there with every link; only what Django believes changes",
        downtime=Downtime.NONE,
        applicability=applicability(situation),
        changes=(
            *changes(situation, writer, facts, manner),
            change,
        ),
        recommended=True,
        caveats=tuple(caveats.of_through(situation)),
        verify=caveats.VERIFY,
    )

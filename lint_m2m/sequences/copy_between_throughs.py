"""`copy-between-throughs`: every row of the old through model gets one in the new model's table.

What: RunPython goes through the old table in batches by primary key and carries the two keys and every further field
that both models have; backward the same the other way. Where the old model stays, and the migration is the last one,
the copy is a migration of its own: then it is right for databases that have run the swap already, too. Where the old
model is deleted in the same migration, the copy stands before that: a DeleteModel that came before the change goes
behind it.

When: `through=` goes to a model that is not the old one renamed (`rename-through`). Fields that the new model has not,
of an old model that is deleted, or that it wants a value for which nobody has: then the sequence is shown, saying
which, and not applied.

Downtime: as long as the copying takes.

Source: Django's own AlterField is a no-op between two `through` models (ticket 37049); the copy is measured as that of
`copy-rows`.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.migration import CreateModel, FieldKind
from lint_m2m.replay.models import FieldState
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import alter_node, ready_for
from lint_m2m.sequences.applying import applicability
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.copying import in_quotes
from lint_m2m.sequences.layout import Node, call, items, lay_out, text
from lint_m2m.sequences.rename_through import is_rename
from lint_m2m.sequences.swap_through import Ends, Swap, lost_rows, swap_of
from lint_m2m.sequences.switching import can_stage, new_migration
from lint_m2m.sequences.values import Change, Code, Proposal, Replacement, ReplaceOperations, Situation

ID = "copy-between-throughs"

_ALL = '''\
def {copy}(source, source_fields, target, target_fields):
    """Copy rows in batches, which never fill the memory."""
    rows = source.order_by("pk").values_list("pk", *source_fields)
    batch = list(rows[:400])
    while batch:
        whole = [row[1:] for row in batch if None not in row[1:3]]
        values = [dict(zip(target_fields, row)) for row in whole]
{create}
        batch = list(rows.filter(pk__gt=batch[-1][0])[:400])
'''
_MISSING = '''\
def {copy}(source, source_fields, target, target_fields):
    """Copy rows in batches, which never fill the memory; a pair that is there stays as it is."""
    rows = source.order_by("pk").values_list("pk", *source_fields)
    one, other = target_fields[:2]
    batch = list(rows[:400])
    while batch:
        found = {{}}
        for row in batch:
            if None not in row[1:3]:
                found.setdefault(row[1:3], row[1:])
        known = target.filter(
            **{{
                f"{{one}}__in": {{pair[0] for pair in found}},
                f"{{other}}__in": {{pair[1] for pair in found}},
            }}
        )
        for pair in known.values_list(one, other):
            found.pop(pair, None)
        values = [dict(zip(target_fields, row)) for row in found.values()]
{create}
        batch = list(rows.filter(pk__gt=batch[-1][0])[:400])
'''
_IN_BULK = "        target.bulk_create(target.model(**one_row) for one_row in values)"
# bulk_create does not take models that inherit from another one's table.
_ONE_BY_ONE = "        for one_row in values:\n            target.create(**one_row)"


def propose(situation: Situation) -> Iterator[Proposal]:
    swap, migration = swap_of(situation), situation.migration
    if swap is None or migration is None or is_rename(situation, swap):
        return
    deletion = swap.deletion
    early = [one for one in swap.about_old if int(one.address) < int(swap.alter.address)]
    if any(one is not deletion or one.operation.span is None for one in early):
        return
    if not ready_for(swap.alter, swap.new.through):
        return
    created = [one for one in swap.new.through.touching if isinstance(one.operation, CreateModel)]
    if any("." in one.address or int(one.address) > int(swap.alter.address) for one in created):
        return
    apart = deletion is None and can_stage(situation)
    writer = Writer(situation, None if apart else migration.path)
    made = _functions(situation, writer, swap)
    run = writer.code(writer.run_python(made[1], made[2]))
    change: Change
    if apart:
        change = new_migration(
            situation,
            situation.key.app_label,
            f"copy_{swap.old.through.model.key.name}_to_{swap.new.through.model.key.name}",
            (run,),
            functions=made[0],
            title="copy the rows, also where the swap has run already",
        )
    else:
        altered = writer.code(alter_node(situation, writer))
        gone = [*early, *([] if swap.removal is None else [swap.removal])]
        deleted = [writer.code(writer.operation_at(one.operation.span)) for one in early]
        change = ReplaceOperations(
            migration=migration.key,
            path=migration.path,
            replacements=(
                *(Replacement(address=one.address, span=one.operation.span) for one in gone if one.operation.span),
                *(
                    Replacement(address=one.address, span=one.operation.span, operations=(run, altered, *deleted))
                    for one in [swap.alter]
                    if one.operation.span
                ),
            ),
            functions=made[0],
            title="copy before the switch",
        )
    old, new = swap.old.through.model.name, swap.new.through.model.name
    shown = bool(swap.required) or (deletion is not None and bool(swap.lost))
    yield Proposal(
        id=ID,
        title=f"copy the rows of `{swap.link.table.name}` into `{swap.new.through.table}`",
        why=f"`{new}` is another model than `{old}`: every link gets its row there",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY if shown else applicability(situation),
        changes=(
            change,
            *([] if apart else lost_rows(situation, swap)),
        ),
        recommended=True,
        caveats=(*_caveats(swap), *caveats.of_names(situation)),
        verify=caveats.VERIFY,
    )


def _caveats(swap: Swap) -> Iterator[str]:
    old, new = swap.old.through.model.name, swap.new.through.model.name
    if swap.required:
        yield (
            f"`{new}` wants a value for `{'`, `'.join(swap.required)}`, which no row of `{old}` has: give it to "
            "`target.model(...)` in the function that copies"
        )
    if swap.lost:
        fate = "they go with it" if swap.deletion is not None else "they stay there"
        yield f"`{new}` has no place for the values of `{'`, `'.join(swap.lost)}` of `{old}`: {fate}"
    if not swap.old.unique and not _all(swap):
        yield f"nothing keeps `{old}` from having several rows for one pair: the first of them is copied"
    if swap.new.through.fact is not None:
        yield f"rows that `{new}` has already become links of the field as well"


def _all(swap: Swap) -> bool:
    """Whether both tables are empty when rows come, so that none is there already."""
    new = swap.new.through
    return new.in_migration and swap.deletion is not None and (swap.old.unique or not swap.new.unique)


def _functions(situation: Situation, writer: Writer, swap: Swap) -> tuple[tuple[Code, ...], str, str]:
    helper, forward, backward = (writer.function_name(name) for name in ("copy_rows", "copy_over", "copy_back"))
    bulk = all(one.through.model.options.bases == () for one in (swap.old, swap.new))
    source = (_ALL if _all(swap) else _MISSING).format(copy=helper, create=_IN_BULK if bulk else _ONE_BY_ONE)
    limit = writer.style.line_length

    def body(name: str, words: str, one: Ends, other: Ends, fields: list[tuple[FieldState, FieldState]]) -> Code:
        lines = [
            f"def {name}(apps, schema_editor):",
            f'    """{words}"""',
            "    alias = schema_editor.connection.alias",
        ]
        for variable, ends in (("source", one), ("target", other)):
            key = ends.through.model.key
            model = call("apps.get_model", writer.literal(key.app_label), writer.literal(ends.through.model.name))
            lines.append(f"    {variable} = {lay_out(model, indent=4, limit=limit, before=len(variable) + 3)}")
        arguments: list[Node] = []
        for variable, number in (("source", 0), ("target", 1)):
            arguments.append(text(f"{variable}.objects.using(alias)"))
            arguments.append(items("(", [writer.literal(_attribute(pair[number])) for pair in fields], ")"))
        lines.append(f"    {lay_out(call(helper, *arguments, exploded=True), indent=4, limit=limit)}")
        return writer.function("\n".join(lines))

    there = [(swap.old.source, swap.new.source), (swap.old.target, swap.new.target), *swap.shared]
    back = [(new, old) for old, new in there]
    codes = (
        writer.function(in_quotes(source, writer)),
        body(forward, f"Every row of `{swap.old.through.model.name}` gets one here.", swap.old, swap.new, there),
        body(backward, f"And back to `{swap.old.through.model.name}`.", swap.new, swap.old, back),
    )
    return codes, forward, backward


def _attribute(state: FieldState) -> str:
    return f"{state.name}_id" if state.field.kind is FieldKind.FOREIGN_KEY else state.name

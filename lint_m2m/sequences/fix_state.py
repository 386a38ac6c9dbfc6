"""`fix-state`: the migration that made Django believe something else than there is says what there is.

What, by what is wrong:

- a state-only CreateModel of a through model on the automatic table that names no table or another, keys that the
  table does not have, further fields, another pair or key (MTM301 to MTM304, MTM106): it is written anew as the table
  is, with `db_table`, `db_column` and the pair; further fields become real AddFields after it;
- a state-only removal of a through model whose table is not an automatic one (MTM301 to MTM303): what makes it one
  stands before it, for real, and `db_table` says which it is;
- an operation on a unique set that the table has and the state does not know, or the reverse (MTM107): the state learns
  of it first, and nothing runs;
- an operation on a table that only the state knows (MTM106): the state learns the table's name first;
- a table that is renamed by SQL, or on the database's side alone (MTM301): the state learns the new name after it;
- a state-only removal that leaves a table behind (MTM305): it happens for real (shown, since the links are lost).

When: the table with the links is known. A migration of this kind may have run, so a tool asks first.

Downtime: none where nothing but the state changes, else brief.

Source: DJANGO_FACTS.md, the table of state-only recipes, and what goes wrong in each.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AlterModelTable,
    AlterTogether,
    DeleteModel,
    FieldKind,
    RemoveConstraint,
    RemoveField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.replay.models import FieldState, column_name
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import held, keepable, switch
from lint_m2m.sequences.applying import applicability, may_have_run, run_again
from lint_m2m.sequences.codegen import OPERATION_INDENT, Writer, bare, plain, with_argument
from lint_m2m.sequences.drop_through_keep_table import of_removal, refusal
from lint_m2m.sequences.layout import Bracket, Node
from lint_m2m.sequences.remove_through import changes as removing
from lint_m2m.sequences.remove_through import is_ready, removal_of
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.switching import Manner, can_stage, changes, in_owner, real_operations
from lint_m2m.sequences.values import (
    Change,
    ChangeKind,
    Code,
    ModelsChange,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
    Through,
    Where,
)

ID = "fix-state"

KINDS = frozenset(
    {
        ChangeKind.MISSING_TOUCHED,
        ChangeKind.STATE_TABLE_MISSING,
        ChangeKind.STATE_COLUMN_MISSING,
        ChangeKind.STATE_UNIQUE_DIFFERS,
        ChangeKind.STATE_PK_DIFFERS,
    }
)


def propose(situation: Situation) -> Iterator[Proposal]:
    if situation.migration is None:
        return
    for way in (_described, _removed, _declared, _claimed, _renamed, _dropped):
        found = list(way(situation))
        if found:
            yield from found
            return


def _holder(situation: Situation) -> PlacedOperation | None:
    """The state-only operation that has the change in it."""
    if any(isinstance(one.operation, RunPython | RunSQL | UnknownOperation) for one in situation.operations):
        return None  # what it leaves is not what it seems
    for one in situation.operations:
        operation = one.operation
        if (
            "." not in one.address
            and isinstance(operation, SeparateDatabaseAndState)
            and operation.class_path is None
            and not operation.database_operations
            and operation.span is not None
            and any(inner is situation.guilty or _is_change(inner, situation) for inner in _inside(situation, one))
        ):
            return one
    return None


def _inside(situation: Situation, holder: PlacedOperation) -> list[PlacedOperation]:
    return [one for one in situation.operations if held(one, holder)]


def _is_change(placed: PlacedOperation, situation: Situation) -> bool:
    operation = placed.operation
    return (
        getattr(operation, "model_name", "").lower() == situation.key.model
        and getattr(operation, "name", None) == situation.key.name
    )


# A through model that only the state knows


def _described(situation: Situation) -> Iterator[Proposal]:
    holder, through = _holder(situation), situation.through
    if holder is None or through is None or not keepable(situation, KINDS) or situation.link is None:
        return
    inside = _inside(situation, holder)
    known = {id(one) for one in through.touching}
    if any(id(one) not in known and not _is_change(one, situation) for one in inside):
        return
    nested = _only_believed(through, holder)
    codes = {one.code for one in situation.findings}
    if nested and not codes & {"MTM302", "MTM106"}:
        return  # the columns are there, whoever made them
    assert situation.migration is not None
    writer = Writer(situation, situation.migration.path)
    facts = switch(situation, writer, holder)
    rename = any(isinstance(one.operation, AlterModelTable) and "." not in one.address for one in through.touching)
    manner = Manner(rename=rename, staged=can_stage(situation))
    real = list(real_operations(Writer(situation, situation.migration.path), facts, manner))
    yield Proposal(
        id=ID,
        title=f"describe `{facts.link.table.name}` as it is",
        why=f"Django then believes what there is: {', '.join(_repairs(situation, through, nested))}",
        downtime=Downtime.BRIEF if real else Downtime.NONE,
        applicability=applicability(situation),
        changes=(*changes(situation, writer, facts, manner), *(run_again(situation) if real else ())),
        recommended=True,
        caveats=(*_as_it_ran(situation, nothing_runs=not real), *caveats.of_through(situation)),
        verify=caveats.VERIFY,
    )


def _only_believed(through: Through, holder: PlacedOperation) -> list[FieldState]:
    """The further fields that no real operation adds."""
    real = {getattr(one.operation, "name", None) for one in through.touching if not held(one, holder)}
    return [one for one in through.extras if one.name not in real]


def _repairs(situation: Situation, through: Through, nested: list[FieldState]) -> Iterator[str]:
    link = situation.link
    assert link is not None
    if through.table != link.table.name:
        yield f"its table is `{link.table.name}`"
    for state, column, real in zip(
        (through.source, through.target),
        (through.source_column, through.target_column),
        link.columns,
        strict=True,
    ):
        if state is not None and column != real:
            yield f"`{state.name}` has the column `{real}`"
    if nested:
        yield f"`{'`, `'.join(one.name for one in nested)}` comes for real"
    if ChangeKind.STATE_UNIQUE_DIFFERS is situation.kind:
        yield "each pair is there once"
    if ChangeKind.STATE_PK_DIFFERS is situation.kind:
        yield f"its key is a `{link.key_type}`"
    if through.table == link.table.name and not nested and situation.kind is ChangeKind.MISSING_TOUCHED:
        yield "what the next operation asks for"


def _as_it_ran(situation: Situation, *, nothing_runs: bool) -> Iterator[str]:
    if may_have_run(situation) and nothing_runs:
        yield "databases that have run the migration need nothing: only what Django believes is written anew"


# A through model that is gone from the state


def _removed(situation: Situation) -> Iterator[Proposal]:
    holder = _holder(situation)
    if holder is None:
        return
    removal = removal_of(situation, KINDS, holder)
    if removal is None or any(
        not _is_change(one, situation) and one not in removal.about for one in _inside(situation, holder)
    ):
        return
    if removal.lost:
        yield refusal(situation, removal.through.model, removal.lost, ID)
        return
    assert situation.migration is not None
    writer = Writer(situation, situation.migration.path)
    ready = is_ready(removal)
    yield Proposal(
        id=ID,
        title=f"say that the links are in `{removal.link.table.name}`"
        if ready
        else f"make `{removal.link.table.name}` an automatic table before Django takes it for one",
        why="Django then finds the table, its columns and its pair where it looks for them",
        downtime=Downtime.NONE if ready else Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(
            *removing(situation, writer, removal, rename=False),
            *(() if ready else run_again(situation)),
        ),
        recommended=True,
        caveats=(
            *_as_it_ran(situation, nothing_runs=ready),
            *of_removal(removal),
            *caveats.without_through(situation),
        ),
        verify=caveats.VERIFY,
    )


# A unique set that the state and the table do not share


def _declared(situation: Situation) -> Iterator[Proposal]:
    guilty, link, migration = situation.guilty, situation.link, situation.migration
    if situation.kind is not ChangeKind.CONSTRAINT_EXISTS or guilty is None or link is None or migration is None:
        return
    through = link.through
    if through is None or "." in guilty.address or guilty.operation.span is None or link.table.uniques is UNKNOWN:
        return
    together = through.model.options.unique_together
    if through.source is None or through.target is None or together is UNKNOWN:
        return
    pair = (through.source.name, through.target.name)
    held_pair = [one for one in link.table.uniques if one.columns == frozenset(link.columns)]
    if not held_pair:
        return
    writer = Writer(situation, migration.path)
    name = writer.literal(through.model.key.name)
    operation = guilty.operation
    own = writer.operation_at(operation.span)

    def sets(value: frozenset[tuple[str, ...]]) -> Node:
        return writer.operation(
            "AlterUniqueTogether", ("name", name), ("unique_together", writer.unique_together(value))
        )

    nodes: list[Node]
    match operation:
        case AlterTogether(option_name="unique_together", value=value) if value is not UNKNOWN:
            if not any(frozenset(one) == frozenset(pair) for one in value):
                return
            first = together | {pair}
            nodes = [writer.state_only([sets(first)]), *([sets(value)] if value != first else [])]
            words = "say that the pair is unique already"
        case AddConstraint(constraint=constraint) if constraint.plain_unique and any(
            one.name == constraint.name for one in held_pair
        ):
            if constraint.fields is UNKNOWN or frozenset(constraint.fields) != frozenset(pair):
                return
            nodes = [writer.state_only([own])]
            words = "say that the constraint is there already"
        case RemoveConstraint(name=gone):
            constraints = through.model.options.constraints
            if constraints is UNKNOWN:
                return
            believed = next((one for one in constraints if one.name == gone), None)
            if believed is None or believed.fields is UNKNOWN or frozenset(believed.fields) != frozenset(pair):
                return
            nodes = [writer.state_only([own, sets(together | {pair})]), sets(together)]
            words = f"remove the unique set that `{link.table.name}` has, in place of the one it never had"
        case _:
            return
    column = operation.span.column - 1 if operation.span is not None else OPERATION_INDENT
    codes = tuple(writer.code(one, indent=column) for one in nodes)
    assert operation.span is not None
    yield Proposal(
        id=ID,
        title=words,
        why="the state first learns what the table has had from its first day; no row is touched",
        downtime=Downtime.NONE if len(nodes) == 1 else Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=(Replacement(address=guilty.address, span=operation.span, operations=codes),),
                title="replace the operation",
            ),
        ),
        recommended=True,
        verify=caveats.VERIFY,
    )


# A table that only the state knows


def _claimed(situation: Situation) -> Iterator[Proposal]:
    guilty, kept, migration, new = situation.guilty, situation.kept, situation.migration, situation.new
    if situation.kind is not ChangeKind.MISSING_TOUCHED or guilty is None or kept is None or migration is None:
        return
    through = situation.through
    if through is None or through.fact is not None or through.in_migration or new is None:
        return
    if "." in guilty.address or guilty.operation.span is None or guilty not in through.touching:
        return
    earlier = next((one for one in situation.before if one.key == through.model.key), None)
    if earlier is None or earlier.options.db_table == kept.name or kept.columns is UNKNOWN:
        return
    if any(one.model is not None and one.name == kept.name for one in situation.tables):
        return
    columns = {one.name for one in kept.columns}
    believed = {column_name(one) for one in earlier.fields.values() if one.field.kind is not FieldKind.MANY_TO_MANY}
    if not believed - {None} <= columns:
        return
    believed_in = through.model.origin.migration
    soon = believed_in in (migration.key, *(dependency.key for dependency in migration.dependencies))
    writer = Writer(situation, migration.path)
    name = writer.literal(through.model.key.name)
    claim = writer.state_only(
        [writer.operation("AlterModelTable", ("name", name), ("table", writer.literal(kept.name)))]
    )
    code = writer.code(claim, indent=guilty.operation.span.column - 1)
    changed: list[Change] = [
        ReplaceOperations(
            migration=migration.key,
            path=migration.path,
            replacements=(
                Replacement(address=guilty.address, span=guilty.operation.span, operations=(code,), where=Where.BEFORE),
            ),
            title="say which table the model has",
        )
    ]
    renamed = isinstance(guilty.operation, AlterModelTable)
    if not renamed:
        changed.append(pinned(situation, through, kept.name))
    yield Proposal(
        id=ID,
        title=f"say first that `{through.model.name}` has the table `{kept.name}`",
        why="what comes after it then finds the table, with every link in it",
        downtime=Downtime.BRIEF,
        applicability=applicability(situation) if soon else Applicability.DISPLAY,
        changes=tuple(changed),
        recommended=True,
        caveats=() if soon else (_long_believed(through, kept.name),),
        verify=caveats.VERIFY,
    )


def _long_believed(through: Through, table: str) -> str:
    return (
        f"Django has believed in `{through.table}` since `{through.model.origin.migration}`: what reads the links "
        f"before this migration finds no table, so give `{table}` to the model there rather than here"
    )


# A table that got another name behind Django's back


def _renamed(situation: Situation) -> Iterator[Proposal]:
    guilty, link, taken, migration = situation.guilty, situation.link, situation.taken, situation.migration
    if guilty is None or link is None or taken is None or migration is None or situation.new is None:
        return
    through = situation.through
    if link.table.name != (situation.new_table if through is None else through.table):
        return
    if taken.renamed_to is None:
        raise Unwritable(f"`{link.table.name}` is dropped with every link: take that out, no table has them")
    head = guilty.address.partition(".")[0]
    place = next(one for one in situation.operations if one.address == head)
    span = place.operation.span
    if span is None:
        return
    writer = Writer(situation, migration.path)
    table = writer.literal(taken.renamed_to)
    if through is not None:
        node = writer.operation("AlterModelTable", ("name", writer.literal(through.model.key.name)), ("table", table))
        change = pinned(situation, through, taken.renamed_to)
    else:
        field = with_argument(bare(writer.field(situation.new)), "db_table", table)
        node = writer.alter_field(situation.key.model, situation.key.name, field)
        change = argument_in_models(situation, field, "db_table", plain(table), "pin the table")
    yield Proposal(
        id=ID,
        title=f"say that the links are in `{taken.renamed_to}`",
        why="Django then looks for them where they are; nothing runs that did not run before",
        downtime=Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=(
                    Replacement(
                        address=place.address,
                        span=span,
                        operations=(writer.code(writer.state_only([node]), indent=span.column - 1),),
                        where=Where.AFTER,
                    ),
                ),
                title="let the state know of the new name",
            ),
            change,
        ),
        recommended=True,
        caveats=(
            f"code of the release before asks for `{link.table.name}` and fails from the rename on",
            *_as_it_ran(situation, nothing_runs=True),
        ),
        verify=caveats.VERIFY,
    )


def argument_in_models(situation: Situation, field: Bracket, name: str, value: str, title: str) -> ModelsChange:
    """The field in models.py with one more argument."""
    return ModelsChange(
        model=situation.key.model_key,
        path=situation.models_path,
        code=Code(text=in_owner(situation, situation.key.name, field)),
        title=title,
        arguments=((situation.key.name, name, value),),
    )


def pinned(situation: Situation, through: Through, table: str) -> ModelsChange:
    """`db_table` in the Meta of a through model."""
    literal = Writer(situation, None).literal(table)
    return ModelsChange(
        model=through.model.key,
        path=situation.models_path,
        code=Code(
            text=f"class {through.model.name}(models.Model):\n    class Meta:\n        db_table = {plain(literal)}"
        ),
        title="pin the table",
        meta=(("db_table", plain(literal)),),
    )


# Links that nobody wants any more


def _dropped(situation: Situation) -> Iterator[Proposal]:
    holder, link, migration = _holder(situation), situation.link, situation.migration
    if situation.kind is not ChangeKind.LINKS_ORPHANED or holder is None or link is None or migration is None:
        return
    inside = _inside(situation, holder)
    if not all(isinstance(one.operation, RemoveField | DeleteModel) for one in inside):
        return
    span = holder.operation.span
    assert span is not None
    writer = Writer(situation, migration.path)
    codes = tuple(writer.code(writer.operation_at(one.operation.span), indent=span.column - 1) for one in inside)
    yield Proposal(
        id=ID,
        title=f"drop `{link.table.name}` as well",
        why="only where nobody wants the links any more: every one of them is lost, so no tool applies this",
        downtime=Downtime.BRIEF,
        applicability=Applicability.DISPLAY,
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=(Replacement(address=holder.address, span=span, operations=codes),),
                title="let it happen for real",
            ),
            *run_again(situation),
        ),
        caveats=(f"until no running release needs it, leave `{link.table.name}` where it is",),
        verify=caveats.VERIFY,
    )

"""`copy-then-remove`: a foreign key becomes a many-to-many, or the reverse, and the values go with it.

What: the new field is added beside the old one, RunPython copies in batches, then the old one is removed. Where both
have one name, the new one is added under a name of its own but with its final table or column, and gets its name in the
state only, so nothing is renamed. A foreign key that may not be null is made so first: undone, its column has to come
back before its values can.

When: the change is written as one AlterField (which fails), or as RemoveField and AddField (which loses every value),
in one migration or in two: where the field is removed first, that waits for the second; where it is added first, the
copy stands before the removal. A many-to-many may go through a model of its own, when Django or the database fills its
further fields; else the sequence is shown, saying which.
From a many-to-many to a foreign key an owner keeps one of its links; which one is the user's choice, at the place that
says so, and that sequence is shown, not applied.

Downtime: as long as the copying takes.

Source: the copy guide starts from such a pair, and loses the values there (DJANGO_FACTS.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.migration import (
    AddField,
    AlterField,
    FieldKind,
    ModelKey,
    RemoveField,
    RunPython,
    RunSQL,
    UnknownOperation,
)
from lint_m2m.replay.models import FieldState, ModelState, column_name
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import ready_for, written_once
from lint_m2m.sequences.applying import applicability, where_it_has_run
from lint_m2m.sequences.codegen import Writer, bare, plain, with_argument
from lint_m2m.sequences.copying import COPY, copy_function, in_quotes
from lint_m2m.sequences.filling import filled_by_itself
from lint_m2m.sequences.layout import Bracket, Node, call, items, lay_out, text
from lint_m2m.sequences.restoring import Restored, from_backup
from lint_m2m.sequences.switching import in_owner
from lint_m2m.sequences.values import (
    Change,
    ChangeKind,
    Code,
    Instruction,
    ModelsChange,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
)
from lint_m2m.values import frozen

ID = "copy-then-remove"

_ONE = '''\
def {name}(apps, schema_editor):
    """{words}"""
    alias = schema_editor.connection.alias
    owner = {owner}
    links = owner.{many}.through.objects.using(alias)
    owners = owner._base_manager.using(alias)
{hint}    survivor = links.filter({own}={outer}("pk")).order_by("pk")
    value = {subquery}(survivor.values("{other}")[:1])
    pks = owners.order_by("pk").values_list("pk", flat=True)
    batch = list(pks[:400])
    while batch:
        owners.filter(pk__in=batch).update({one}=value)
        batch = list(pks.filter(pk__gt=batch[-1])[:400])
'''
_CHECKED = """\
    # PostgreSQL alters no table with foreign keys that are still to be checked.
    schema_editor.connection.check_constraints(table_names=[owner._meta.db_table])
"""


@frozen
class Pair:
    """A foreign key and a many-to-many that take each other's place. `gone` are the operations that said so."""

    one: FieldState
    many: FieldState
    gone: tuple[PlacedOperation, ...]
    # The foreign keys of the table of links: fields of its model.
    own: str
    other: str
    # Whether the new field is there before the migration that removes the old one.
    there: bool = False


def propose(situation: Situation) -> Iterator[Proposal]:
    if situation.migration is None:
        return
    if situation.kind is ChangeKind.FK_TO_M2M:
        yield from _to_many(situation)
    elif situation.kind is ChangeKind.M2M_TO_FK:
        yield from _to_one(situation)


# Foreign key -> many-to-many


def _to_many(situation: Situation) -> Iterator[Proposal]:
    migration = situation.migration
    pair, target = _pair(situation), _links(situation)
    if pair is None or migration is None or target is None:
        return
    if situation.through is not None and not ready_for(pair.gone[-1], situation.through):
        return
    writer = Writer(situation, migration.path)
    model, one, many = situation.key.model, pair.one.name, pair.many.name
    same = one == many
    temporary = _free(situation, f"{many}_links") if same else many
    helper, forward, backward = (writer.function_name(name) for name in ("copy_missing", "copy_values", "keep_first"))
    nodes: list[Node] = []
    required = pair.one.field.null is False
    if required:
        nullable = with_argument(bare(writer.field(pair.one)), "null", text("True"))
        nodes.append(writer.alter_field(model, one, nullable))
    final = writer.field(pair.many)
    added = final
    if same:
        added = bare(final).without("related_query_name")
        added = with_argument(added, "related_name", writer.literal("+"))
        if situation.through is None:
            added = with_argument(added, "db_table", writer.literal(target[0]))
    if not pair.there:
        nodes.append(writer.add_field(model, temporary, added))
    nodes += [writer.run_python(forward, backward), writer.remove_field(model, one)]
    if same:
        nodes.append(writer.state_only([writer.remove_field(model, temporary), writer.add_field(model, many, final)]))
    functions = (
        writer.function(in_quotes(copy_function(helper, situation.through), writer)),
        _copied(situation, writer, pair, helper, forward, many=temporary),
        _kept(
            situation,
            writer,
            pair,
            backward,
            f"The first link of each becomes its `{one}` again.",
            one=one,
            many=temporary,
            checked=required,
        ),
    )
    through = situation.through
    extras = () if through is None else through.extras
    unfilled = [extra.name for extra in extras if not filled_by_itself(situation, extra)]
    title = f"add `{many}` beside `{one}`, copy every value, then remove `{one}`"
    if same:
        title = f"fill the table of the new `{many}` from the column of the old one, then drop the column"
    elif pair.there:
        title = f"copy every value of `{one}` into `{many}`, then remove `{one}`"
    yield Proposal(
        id=ID,
        title=title,
        why="every value becomes a link, and a first link becomes the value again when the migration is undone",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY if unfilled else applicability(situation),
        changes=(
            _edited(situation, writer, pair, nodes, functions),
            *where_it_has_run(
                situation,
                f"the values went with the column; restore `{situation.owner.name}` from a backup and copy them",
                *from_backup(situation, _values(situation, pair), *target, situation.through),
            ),
        ),
        recommended=True,
        caveats=(*_of_many(situation, pair), *_of_unfilled(situation, unfilled), *caveats.of_through(situation)),
        verify=caveats.VERIFY,
    )


def _values(situation: Situation, pair: Pair) -> Restored:
    column = _column(pair.one)
    return Restored(
        table=f"restored_{situation.key.model}",
        columns=(_key(situation), column),
        condition=f"{column} IS NOT NULL",
    )


def _links(situation: Situation) -> tuple[str, tuple[str, str]] | None:
    """The table of the links that the many-to-many has after the change, and its two columns."""
    through = situation.through
    if through is not None:
        if through.model.uncertain is not None or through.source_column is None or through.target_column is None:
            return None
        keys = [one.field.relation for one in (through.source, through.target) if one is not None]
        if any(one is None or one.to_field is not None for one in keys):
            return None
        return through.table, (through.source_column, through.target_column)
    if situation.new_table is None or situation.new_columns is None:
        return None
    return situation.new_table, situation.new_columns


def _of_unfilled(situation: Situation, unfilled: list[str]) -> Iterator[str]:
    if situation.through is not None and unfilled:
        yield (
            f"`{situation.through.model.name}` wants a value for `{'`, `'.join(unfilled)}`: give it to "
            "`target.model(...)` in the function that copies"
        )


def _of_many(situation: Situation, pair: Pair) -> Iterator[str]:
    one, many, owner = pair.one.name, pair.many.name, situation.owner.name.lower()
    yield (
        f"`{owner}.{many}` is a manager now: `{owner}.{many}.all()`, `.add()`, `.set()` in place of the assignment, "
        f"`prefetch_related` in place of `select_related`, and no `{one}_id`"
    )
    if pair.one.field.null is False:
        yield f"undone, the migration wants one link at least for each `{owner}`, as `{one}` does"


# Many-to-many -> foreign key


def _to_one(situation: Situation) -> Iterator[Proposal]:
    migration = situation.migration
    pair = _pair(situation)
    if pair is None or migration is None or situation.link is None:
        return
    writer = Writer(situation, migration.path)
    model, one, many = situation.key.model, pair.one.name, pair.many.name
    same = one == many
    temporary = _free(situation, f"{one}_one") if same else one
    helper, forward, backward = (writer.function_name(name) for name in ("copy_missing", "keep_one", "restore_links"))
    required = pair.one.field.null is False
    if required and pair.there:
        return  # every row has a value of its own, which no link can be asked for
    final = writer.field(pair.one).without("default") if required else writer.field(pair.one)
    final = with_argument(final, "null", text("True"))
    added = final
    if same:
        added = bare(final).without("related_query_name")
        added = with_argument(added, "related_name", writer.literal("+"))
        added = with_argument(added, "db_column", writer.literal(_column(pair.one)))
    nodes: list[Node] = [] if pair.there else [writer.add_field(model, temporary, added)]
    nodes += [writer.run_python(forward, backward), writer.remove_field(model, many)]
    if same:
        nodes.append(writer.state_only([writer.remove_field(model, temporary), writer.add_field(model, one, final)]))
    functions = (
        writer.function(in_quotes(COPY.format(copy=helper), writer)),
        _kept(
            situation,
            writer,
            pair,
            forward,
            f"Each keeps one link of `{many}`: which one, the ordering of `survivor` says.",
            one=temporary,
            many=many,
            hint="    # Yours to choose: here the first one made.\n",
        ),
        _copied(situation, writer, pair, helper, backward, many=many, one=temporary),
    )
    changes: list[Change] = [_edited(situation, writer, pair, nodes, functions)]
    if required:
        changes += _required_later(situation, pair, final)
    yield Proposal(
        id=ID,
        title=f"add the column of `{one}`, keep one link of each in it, then remove `{many}`",
        why="each keeps the link that you choose; all others are lost, so no tool applies this",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY,
        changes=tuple(changes),
        caveats=(
            f"yours to choose: the ordering of `survivor` in `{forward}` says which link of each survives",
            *([f"also for those whose `{one}` has a value already: filter `owners` to keep it"] if pair.there else []),
            f"`{situation.link.table.name}` is dropped with all other links"
            if situation.link.through is None
            else f"the other links stay in `{situation.link.table.name}`, where no field looks for them",
        ),
        verify=caveats.VERIFY,
    )


def _required_later(situation: Situation, pair: Pair, nullable: Bracket) -> Iterator[Change]:
    writer = Writer(situation, None)
    name = pair.one.name
    yield ModelsChange(
        model=situation.key.model_key,
        path=situation.models_path,
        code=Code(text=in_owner(situation, name, nullable)),
        title="say that it may be empty",
        arguments=((name, "null", "True"), (name, "default", None)),
    )
    final = writer.alter_field(situation.key.model, name, writer.field(pair.one))
    yield Instruction(
        title=f"later, in a migration of its own: give those without a `{name}` one, then drop `null=True`",
        language="python",
        code=plain(final),
        deploy_before=True,
    )


# What both share


def _pair(situation: Situation) -> Pair | None:
    before = next((one for one in situation.before if one.key == situation.key.model_key), None)
    after = next((one for one in situation.after if one.key == situation.key.model_key), None)
    guilty = situation.guilty
    if before is None or after is None or guilty is None or not written_once(situation):
        return None
    to_many, there = situation.kind is ChangeKind.FK_TO_M2M, False
    if isinstance(guilty.operation, AlterField):
        name = guilty.operation.name
        old, new = before.fields.get(name), after.fields.get(name)
        gone: tuple[PlacedOperation, ...] = (guilty,)
    elif isinstance(guilty.operation, RemoveField) and guilty.operation.model_name.lower() == situation.key.model:
        old = before.fields.get(guilty.operation.name)
        added = [one for one in situation.operations if _takes_its_place(one, situation, old)]
        if len(added) > 1:
            return None
        if added:
            assert isinstance(added[0].operation, AddField)
            new = after.fields.get(added[0].operation.name)
            gone = (guilty, added[0])
        else:
            new = _there_before(situation, before, after)
            gone, there = (guilty,), True
    elif isinstance(guilty.operation, AddField) and situation.removed_before is not None:
        removed = situation.removed_before.placed.operation
        assert isinstance(removed, RemoveField)
        old, new = before.fields.get(removed.name), after.fields.get(guilty.operation.name)
        gone = (guilty,)
    else:
        return None
    if old is None or new is None or old.uncertain or new.uncertain:
        return None
    one, many = (old, new) if to_many else (new, old)
    if not _is_plain(one, many) or any("." in placed.address or placed.operation.span is None for placed in gone):
        return None
    gone = tuple(sorted(gone, key=lambda placed: int(placed.address)))
    between = [
        placed
        for placed in situation.operations
        if "." not in placed.address and int(gone[0].address) < int(placed.address) < int(gone[-1].address)
    ]
    if any(isinstance(placed.operation, RunPython | RunSQL | UnknownOperation) for placed in between):
        return None
    names = _link_names(situation, to_many=to_many)
    return None if names is None else Pair(one=one, many=many, gone=gone, own=names[0], other=names[1], there=there)


def _there_before(situation: Situation, before: ModelState, after: ModelState) -> FieldState | None:
    """The field that the finding says has taken the old one's place, where an earlier migration added it."""
    places = [] if situation.finding is None else [one.location for one in situation.finding.related]
    for name, state in before.fields.items():
        if state.created.location in places and name in after.fields:
            return after.fields[name]
    return None


def _takes_its_place(placed: PlacedOperation, situation: Situation, old: FieldState | None) -> bool:
    operation = placed.operation
    if not isinstance(operation, AddField) or operation.model_name.lower() != situation.key.model or old is None:
        return False
    mine, theirs = old.field.relation, operation.field.relation
    return (
        mine is not None
        and theirs is not None
        and isinstance(mine.to, ModelKey)
        and mine.to == theirs.to
        and operation.field.many_to_many is not old.field.many_to_many
        and operation.field.kind in (FieldKind.MANY_TO_MANY, FieldKind.FOREIGN_KEY)
    )


def _is_plain(one: FieldState, many: FieldState) -> bool:
    """A foreign key to the primary key, and a many-to-many that has no columns of its class's own."""
    key, links = one.field.relation, many.field.relation
    return (
        key is not None
        and links is not None
        and one.field.kind is FieldKind.FOREIGN_KEY
        and many.field.many_to_many
        and not key.one_to_one
        and key.to_field is None
        and key.to == links.to
        and isinstance(one.field.null, bool)
        and one.field.primary_key is False
        and (one.field.db_column is None or isinstance(one.field.db_column, str))
        and links.auto_columns == ()
    )


def _link_names(situation: Situation, *, to_many: bool) -> tuple[str, str] | None:
    """The fields of the table of links, as queries call them."""
    if to_many:
        through = situation.through
        if through is not None:
            ends = through.source, through.target
            return None if ends[0] is None or ends[1] is None else (ends[0].name, ends[1].name)
        columns = situation.new_columns
    else:
        link = situation.link
        if link is None:
            return None
        if link.through is not None:
            source, target = link.through.source, link.through.target
            return None if source is None or target is None else (source.name, target.name)
        columns = link.columns
    return None if columns is None else (columns[0].removesuffix("_id"), columns[1].removesuffix("_id"))


def _column(state: FieldState) -> str:
    return column_name(state) or f"{state.name}_id"


def _key(situation: Situation) -> str:
    """The column of the owner's primary key."""
    key = next((one for one in situation.owner.fields.values() if one.field.primary_key is True), None)
    return "id" if key is None else column_name(key) or key.name


def _free(situation: Situation, name: str) -> str:
    while name in situation.owner.fields:
        name += "_new"
    return name


def _edited(
    situation: Situation, writer: Writer, pair: Pair, nodes: list[Node], functions: tuple[Code, ...]
) -> ReplaceOperations:
    migration = situation.migration
    assert migration is not None
    codes = tuple(writer.code(one) for one in nodes)
    return ReplaceOperations(
        migration=migration.key,
        path=migration.path,
        replacements=tuple(
            Replacement(address=one.address, span=one.operation.span, operations=codes if one is pair.gone[-1] else ())
            for one in pair.gone
            if one.operation.span is not None
        ),
        functions=functions,
        title="add, copy, remove",
    )


def _owner(situation: Situation, writer: Writer, before: int) -> str:
    node = call("apps.get_model", writer.literal(situation.key.app_label), writer.literal(situation.owner.name))
    return lay_out(node, indent=4, limit=writer.style.line_length, before=before)


def _copied(
    situation: Situation,
    writer: Writer,
    pair: Pair,
    helper: str,
    name: str,
    *,
    many: str,
    one: str | None = None,
) -> Code:
    """From the column to the table of links."""
    arguments = call(
        helper,
        text("owner._base_manager.using(alias)"),
        items("(", [writer.literal("pk"), writer.literal(f"{one or pair.one.name}_id")], ")"),
        text(f"owner.{many}.through.objects.using(alias)"),
        items("(", [writer.literal(f"{pair.own}_id"), writer.literal(f"{pair.other}_id")], ")"),
        exploded=True,
    )
    return writer.function(
        f"def {name}(apps, schema_editor):\n"
        f'    """Every value of `{pair.one.name}` becomes a link."""\n'
        f"    alias = schema_editor.connection.alias\n"
        f"    owner = {_owner(situation, writer, 8)}\n"
        f"    {lay_out(arguments, indent=4, limit=writer.style.line_length)}"
    )


def _kept(
    situation: Situation,
    writer: Writer,
    pair: Pair,
    name: str,
    words: str,
    *,
    one: str,
    many: str,
    hint: str = "",
    checked: bool = False,
) -> Code:
    """From the table of links to the column."""
    source = _ONE.format(
        name=name,
        words=words,
        owner=_owner(situation, writer, 8),
        many=many,
        own=pair.own,
        other=pair.other,
        one=one,
        outer=writer.models("OuterRef"),
        subquery=writer.models("Subquery"),
        hint=hint,
    )
    return writer.function(in_quotes(source + (_CHECKED if checked else ""), writer))

"""`rename-through`: the new through model is the old one under another name, so it is renamed.

What: RenameModel in the place of the new model's CreateModel; Django renames the table with it, and `through=` follows
by itself. What else is different comes after it: keys and fields renamed or altered, further fields added, sets,
constraints, indexes, options and the table's name as the new model has them. The old model's DeleteModel goes.

When: the migration makes the new model and deletes the old one, of the same app, and the new one has all fields of the
old one.

Downtime: brief. From the rename on, code of the release before asks for a table that is not there.

Source: DJANGO_FACTS.md ("RenameModel(AB): table renamed; `through=` in the state follows by itself").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lint_m2m.finding import Downtime
from lint_m2m.migration import UNKNOWN, AddField, CreateModel, RunPython, RunSQL, UnknownOperation
from lint_m2m.readers.source import expression_of
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import Extra, Reading, alter_node, referred
from lint_m2m.sequences.applying import applicability
from lint_m2m.sequences.codegen import Writer, field_of, plain
from lint_m2m.sequences.layout import Bracket, Item, Node, mapping, text
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.swap_through import Swap, lost_rows, swap_of
from lint_m2m.sequences.switching import Manner, first_form, in_models
from lint_m2m.sequences.values import (
    Change,
    Code,
    ModelsChange,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
)
from lint_m2m.values import replace

ID = "rename-through"


def propose(situation: Situation) -> Iterator[Proposal]:
    swap, migration = swap_of(situation), situation.migration
    if swap is None or migration is None or not is_rename(situation, swap):
        return
    writer = Writer(situation, migration.path)
    gone, place = _gone(swap), _place(swap)
    reading = Reading(situation, writer)
    kept = reading.options(reading.create_arguments(swap.new.through))
    for placed in swap.new.through.touching:
        reading.touch(placed)
    known = {one.name for one, _ in swap.shared}
    extras = [reading.extra(one) for one in swap.new.through.extras if one.name not in known]
    nodes = [
        *_renamed(writer, swap),
        *_fields(situation, writer, swap, extras),
        *_sets(writer, swap, reading),
        *_options(situation, writer, swap, kept),
        *reading.moved,
        *_altered(situation, writer, swap),
    ]
    codes = tuple(writer.code(one) for one in nodes)
    changes: list[Change] = [
        ReplaceOperations(
            migration=migration.key,
            path=migration.path,
            replacements=tuple(
                Replacement(address=one.address, span=one.operation.span, operations=codes if one is place else ())
                for one in gone
                if one.operation.span is not None
            ),
            title="replace `operations` with",
        )
    ]
    own = [one for one in extras if one.filled == "own"]
    if own:
        changes.append(_nullable(situation, swap, own))
    old, new = swap.old.through.model.name, swap.new.through.model.name
    yield Proposal(
        id=ID,
        title=f"rename `{old}` to `{new}`, with its table and every row",
        why=f"`{new}` has all that `{old}` has: nothing has to be copied, and nothing is lost",
        downtime=Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(*changes, *lost_rows(situation, swap)),
        recommended=True,
        caveats=(
            f"code of the release before asks for `{swap.link.table.name}` and fails until it is replaced",
            *_empty(own),
            *caveats.of_names(situation),
        ),
        verify=caveats.VERIFY,
    )


def is_rename(situation: Situation, swap: Swap) -> bool:
    """Whether the new model is the old one under another name, and the operations can say so."""
    old, new = swap.old.through, swap.new.through
    if swap.deletion is None or not new.in_migration or swap.lost or new.fact is not None:
        return False
    if old.model.key.app_label != new.model.key.app_label or (old.model.options.bases, new.model.options.bases) != (
        (),
        (),
    ):
        return False
    keys = [None if one.primary_key is None else one.primary_key.field for one in (old, new)]
    names = [None if one.primary_key is None else one.primary_key.name for one in (old, new)]
    if keys[0] != keys[1] or names[0] != names[1]:
        return False
    options = old.model.options
    if options.index_together != frozenset() or new.model.options.index_together != frozenset():
        return False
    if UNKNOWN in (options.db_table, options.order_with_respect_to, new.model.options.db_table):
        return False
    # A name that is free only after another rename would need a third one in between.
    for mine, theirs in zip(swap.old.pair, swap.new.pair, strict=True):
        if mine != theirs and theirs in old.model.fields:
            return False
    gone = _gone(swap)
    if any("." in one.address or one.operation.span is None for one in gone):
        return False
    first, last = int(gone[0].address), int(gone[-1].address)
    between = [one for one in situation.operations if "." not in one.address and first < int(one.address) < last]
    between = [one for one in between if one not in gone]
    return not any(
        isinstance(one.operation, RunPython | RunSQL | UnknownOperation)
        or old.model.key in set(referred(one.operation))
        for one in between
    )


def _gone(swap: Swap) -> tuple[PlacedOperation, ...]:
    found = [*swap.new.through.touching, *swap.about_old, swap.alter, *([swap.removal] if swap.removal else [])]
    unique = {one.address: one for one in found}
    return tuple(
        sorted(unique.values(), key=lambda one: [int(part) for part in one.address.split(".") if part.isdigit()])
    )


def _place(swap: Swap) -> PlacedOperation:
    """Where the new operations go: all that the new model needs is there when it was to be made."""
    return next(one for one in swap.new.through.touching if isinstance(one.operation, CreateModel))


def _renamed(writer: Writer, swap: Swap) -> Iterator[Node]:
    old, new = swap.old.through.model, swap.new.through.model
    yield writer.operation(
        "RenameModel", ("old_name", writer.literal(old.name)), ("new_name", writer.literal(new.name))
    )
    if (old.options.db_table or None) != (new.options.db_table or None):
        wanted = new.options.db_table
        table = text("None") if wanted is UNKNOWN or not wanted else writer.literal(wanted)
        yield writer.operation("AlterModelTable", ("name", writer.literal(new.key.name)), ("table", table))
    for mine, theirs in zip(swap.old.pair, swap.new.pair, strict=True):
        if mine != theirs:
            yield writer.operation(
                "RenameField",
                ("model_name", writer.literal(new.key.name)),
                ("old_name", writer.literal(mine)),
                ("new_name", writer.literal(theirs)),
            )


def _fields(situation: Situation, writer: Writer, swap: Swap, extras: list[Extra]) -> Iterator[Node]:
    model = swap.new.through.model.key.name
    pairs = [(swap.old.source, swap.new.source), (swap.old.target, swap.new.target), *swap.shared]
    for mine, theirs in pairs:
        node = writer.field(theirs)
        if not _same(node, Writer(situation, mine.origin.location.path).field(mine)):
            yield writer.alter_field(model, theirs.name, node)
    for extra in extras:
        yield writer.add_field(model, extra.field.name, first_form(extra, Manner(rename=True, staged=False)))


def _sets(writer: Writer, swap: Swap, reading: Reading) -> Iterator[Node]:
    """Unique sets, constraints, indexes and order, as far as the new model's differ."""
    old, new = swap.old.through.model.options, swap.new.through.model.options
    model = writer.literal(swap.new.through.model.key.name)
    if UNKNOWN in (old.unique_together, new.unique_together, old.constraints, old.indexes):
        raise Unwritable("the sets of the old or the new through model could not be read")
    assert old.unique_together is not UNKNOWN
    assert new.unique_together is not UNKNOWN
    assert old.constraints is not UNKNOWN
    assert old.indexes is not UNKNOWN
    names = dict(zip(swap.old.pair, swap.new.pair, strict=True))
    carried = frozenset(tuple(names.get(name, name) for name in one) for one in old.unique_together)
    if carried != new.unique_together:
        yield writer.operation(
            "AlterUniqueTogether",
            ("name", model),
            ("unique_together", writer.unique_together(new.unique_together)),
        )
    for operation, found in (("RemoveConstraint", old.constraints), ("RemoveIndex", old.indexes)):
        for one in found:
            if one.name is UNKNOWN or one.name is None:
                raise Unwritable("the name of a constraint or an index is not known")
            yield writer.operation(operation, ("model_name", model), ("name", writer.literal(one.name)))
    for node in reading.later:
        order = isinstance(node, Bracket) and node.item("order_with_respect_to") is not None
        if not (order and old.order_with_respect_to == new.order_with_respect_to):
            yield node
    if old.order_with_respect_to is not None and new.order_with_respect_to is None:
        yield writer.operation("AlterOrderWithRespectTo", ("name", model), ("order_with_respect_to", text("None")))


def _options(situation: Situation, writer: Writer, swap: Swap, kept: tuple[Item, ...]) -> Iterator[Node]:
    """The new model's further options, where the old one's are others or cannot be told."""
    origin = swap.old.through.model.origin
    own = ("db_table", "unique_together", "constraints", "indexes", "order_with_respect_to", "db_table_comment")
    try:
        path = origin.location.path
        create = Writer(situation, path).create_model_at(path, origin.location.span)
    except Unwritable:
        create = None
    before: list[Item] | None = None
    if create is not None and create.opening.rpartition(".")[2] == "CreateModel(":
        entry = create.item("options")
        value = None if entry is None else entry.value
        listed = value.items if isinstance(value, Bracket) else ()
        before = [one for one in listed if one.prefix.strip("\"': ") not in own]
    if before is not None and sorted(map(_entry, before)) == sorted(map(_entry, kept)):
        return
    options = mapping([(one.prefix.removesuffix(": "), one.value) for one in kept])
    yield writer.operation(
        "AlterModelOptions", ("name", writer.literal(swap.new.through.model.key.name)), ("options", options)
    )


def _entry(item: Item) -> str:
    return _normal(f"{{{item.prefix}{plain(item.value)}}}")


def _altered(situation: Situation, writer: Writer, swap: Swap) -> Iterator[Node]:
    """The field's own AlterField, where it says more than the new name."""
    assert situation.old is not None
    node = alter_node(situation, writer)
    before = Writer(situation, situation.old.origin.location.path).field(situation.old)
    if not _same(field_of(node).without("through"), before.without("through")) or isinstance(
        swap.alter.operation, AddField
    ):
        yield node


def _same(one: Bracket, other: Bracket) -> bool:
    """Whether two definitions say the same, quotes, lines and the order of keywords aside."""
    ordered = [replace(node, items=tuple(sorted(node.items, key=lambda item: item.prefix))) for node in (one, other)]
    return _normal(plain(ordered[0])) == _normal(plain(ordered[1]))


def _normal(source: str) -> str:
    try:
        return ast.dump(expression_of(source))
    except SyntaxError:
        return source


def _nullable(situation: Situation, swap: Swap, own: list[Extra]) -> ModelsChange:
    writer = Writer(situation, None)
    lines = [f"class {swap.new.through.model.name}(models.Model):"]
    for one in own:
        node = first_form(one, Manner(rename=True, staged=False))
        lines.append(f"    {one.field.name} = {in_models(situation, writer, node, 4)}")
    return ModelsChange(
        model=swap.new.through.model.key,
        path=situation.models_path,
        code=Code(text="\n".join(lines)),
        title="say what the table has",
        arguments=tuple((one.field.name, "null", "True") for one in own),
    )


def _empty(own: list[Extra]) -> Iterator[str]:
    if own:
        names = "`, `".join(one.field.name for one in own)
        yield (
            f"nobody but you knows what the rows get for `{names}`: the columns may be null until a migration of yours "
            "fills them"
        )

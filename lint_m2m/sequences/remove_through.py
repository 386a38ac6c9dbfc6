"""The facts that the sequences for a removed `through=` share: what makes the through model's table an automatic one.

`Removal` compares the table of the model that goes with the automatic table that Django makes for the field, and holds
the real operations that make the first into the second. They run while Django still knows the model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lint_m2m.migration import (
    UNKNOWN,
    Constraint,
    CreateModel,
    DeleteModel,
    RunPython,
    RunSQL,
    UnknownOperation,
)
from lint_m2m.replay.models import FieldState
from lint_m2m.sequences.add_through import (
    INTEGER_KEYS,
    alter_node,
    alteration,
    held,
    is_link,
    is_unique_of,
    written_once,
)
from lint_m2m.sequences.codegen import OPERATION_INDENT, Writer, field_of, plain, with_argument, with_field
from lint_m2m.sequences.copying import in_quotes
from lint_m2m.sequences.layout import Bracket, Node, text
from lint_m2m.sequences.situations import model_of
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.switching import in_owner, new_migration
from lint_m2m.sequences.values import (
    Change,
    ChangeKind,
    Code,
    Link,
    ModelsChange,
    PlacedOperation,
    Replacement,
    ReplaceOperations,
    Situation,
    Through,
)
from lint_m2m.values import frozen

_DUPLICATES = '''\
def {name}(apps, schema_editor):
    """The automatic table holds each pair once: of several rows the first one made stays."""
    alias = schema_editor.connection.alias
    links = apps.get_model("{app}", "{model}").objects.using(alias)
    repeated = (
        links.order_by()
        .values("{source}", "{target}")
        .annotate(first={min}("pk"), rows={count}("pk"))
        .filter(rows__gt=1)
    )
    while batch := list(repeated[:400]):
        for pair in batch:
            same = links.filter({source}=pair["{source}"], {target}=pair["{target}"])
            same.exclude(pk=pair["first"]).delete()
'''
_NULLS = '''\
def {name}(apps, schema_editor):
    """A row without one of its ends is no link, and the automatic table takes none."""
    alias = schema_editor.connection.alias
    links = apps.get_model("{app}", "{model}").objects.using(alias)
    links.filter({condition}).delete()
'''


@frozen
class Removal:
    """The table of `through`, as it becomes the automatic one of the field."""

    link: Link
    through: Through
    source: FieldState
    target: FieldState
    wanted: str  # the automatic table's own name
    columns: tuple[str, str]
    lost: tuple[str, ...]  # further columns, whose values go
    duplicates: bool  # a pair may have several rows
    gone: tuple[PlacedOperation, ...]
    last: PlacedOperation | None  # where the new operations go
    about: tuple[PlacedOperation, ...]  # all that the migration does to the model


# The change itself, as it was written; other kinds are about what one has left.
WRITTEN = frozenset({ChangeKind.REMOVE_THROUGH, ChangeKind.RECREATED})


def removes_through(situation: Situation, kinds: Collection[ChangeKind] = WRITTEN) -> bool:
    """Whether the change is custom -> automatic, by AlterField or by removing and adding the field."""
    if situation.kind not in kinds or not written_once(situation):
        return False
    old, new = situation.old, situation.new
    if old is None or new is None or not (old.field.many_to_many and new.field.many_to_many):
        return False
    if old.field.relation is None or new.field.relation is None or old.uncertain or new.uncertain:
        return False
    if old.field.relation.through in (None, UNKNOWN) or new.field.relation.through is not None:
        return False
    if old.field.relation.to != new.field.relation.to or new.field.relation.auto_columns != ():
        return False
    return situation.kind is not ChangeKind.RECREATED or situation.is_removed


def removal_of(
    situation: Situation, kinds: Collection[ChangeKind] = WRITTEN, holder: PlacedOperation | None = None
) -> Removal | None:
    """How the model's table becomes the automatic one; ``None`` where it cannot.

    `holder` is a state-only operation that has the AlterField and the DeleteModel in it, to be written anew.
    """
    link, through = situation.link, None if situation.link is None else situation.link.through
    if not removes_through(situation, kinds) or link is None or through is None:
        return None
    source, target, options = through.source, through.target, through.model.options
    if source is None or target is None or through.model.uncertain is not None:
        return None
    if situation.new_table is None or situation.new_columns is None:
        return None
    if options.managed is not True or options.proxy is not False or options.bases != ():
        return None
    if options.unique_together is UNKNOWN or options.constraints is UNKNOWN or options.indexes is UNKNOWN:
        return None
    if options.index_together != frozenset() or options.order_with_respect_to is UNKNOWN:
        return None
    key = through.primary_key
    if key is not None and (key.name != "id" or key.field.class_path.rpartition(".")[2] not in INTEGER_KEYS):
        return None
    if key is not None and key.field.db_column is not None:
        return None
    if any(not is_link(one) for one in (source, target)):
        return None
    pair = frozenset((source.name, target.name))
    unique = any(frozenset(one) == pair for one in options.unique_together)
    named = any(is_unique_of(one, pair) for one in options.constraints)
    gone = _gone(situation, through, holder)
    if gone is None:
        return None
    return Removal(
        link=link,
        through=through,
        source=source,
        target=target,
        wanted=situation.new_table,
        columns=situation.new_columns,
        lost=further_columns(through),
        duplicates=not (unique or named),
        gone=gone,
        last=gone[-1] if gone else None,
        about=_about(situation, through),
    )


def further_columns(through: Through) -> tuple[str, ...]:
    """What an automatic table has no place for."""
    ordered = through.model.options.order_with_respect_to is not None
    return *(one.name for one in through.extras), *(["_order"] if ordered else [])


def goes(situation: Situation, through: Through) -> bool:
    """Whether the migration deletes the through model."""
    return any(isinstance(one.operation, DeleteModel) for one in _about(situation, through))


def _gone(situation: Situation, through: Through, holder: PlacedOperation | None) -> tuple[PlacedOperation, ...] | None:
    """What the new operations stand for: the change of the field and all that is done to the model, which goes."""
    migration = situation.migration
    if migration is None:
        return ()
    alter = alteration(situation)
    about = _about(situation, through)
    if alter is None or not goes(situation, through):
        return None
    if any(isinstance(one.operation, CreateModel) for one in about):
        return None
    found = {one.address: one for one in (*about, alter, *([situation.removal] if situation.removal else []))}
    if holder is not None:
        found = {address: one for address, one in found.items() if not held(one, holder)} | {holder.address: holder}
    if any("." in address or one.operation.span is None for address, one in found.items()):
        return None
    ordered = tuple(sorted(found.values(), key=lambda one: int(one.address)))
    first, last = int(ordered[0].address), int(ordered[-1].address)
    between = [one for one in situation.operations if "." not in one.address and first < int(one.address) < last]
    if any(isinstance(one.operation, RunPython | RunSQL | UnknownOperation) for one in between):
        return None
    return ordered


def _about(situation: Situation, through: Through) -> tuple[PlacedOperation, ...]:
    migration, key = situation.migration, through.model.key
    if migration is None or migration.app_label != key.app_label:
        return ()
    return tuple(one for one in situation.operations if model_of(one.operation) == key.name)


def changes(situation: Situation, writer: Writer, removal: Removal, *, rename: bool) -> tuple[Change, ...]:
    """The migration, and what models.py pins."""
    column = OPERATION_INDENT
    if removal.last is not None and removal.last.operation.span is not None:
        column = removal.last.operation.span.column - 1
    functions: list[Code] = []
    nodes = list(_preparing(writer, removal, functions))
    final = alter_node(situation, writer)
    if rename:
        name, table = writer.literal(removal.through.model.key.name), writer.literal(removal.wanted)
        nodes.append(writer.operation("AlterModelTable", ("name", name), ("table", table)))
    nodes.append(_switch(writer, removal, final, pinned=not rename))
    codes = tuple(writer.code(one, indent=column) for one in nodes)
    if situation.migration is None:
        change: Change = new_migration(
            situation,
            situation.key.app_label,
            f"{situation.key.model}_{situation.key.name}_without_{removal.through.model.key.name}",
            codes,
            functions=tuple(functions),
        )
    else:
        change = ReplaceOperations(
            migration=situation.migration.key,
            path=situation.migration.path,
            replacements=tuple(
                Replacement(
                    address=one.address, span=one.operation.span, operations=codes if one is removal.last else ()
                )
                for one in removal.gone
                if one.operation.span is not None
            ),
            functions=tuple(functions),
            title="replace `operations` with",
        )
    if rename or removal.link.table.name == removal.wanted:
        return (change,)
    return change, _pinned(situation, removal, final)


def is_ready(removal: Removal) -> bool:
    """Whether the table is an automatic one as it stands, but for its name."""
    options = removal.through.model.options
    return (
        not removal.lost
        and not removal.duplicates
        and not options.constraints
        and not options.indexes
        and options.unique_together == frozenset({(removal.source.name, removal.target.name)})
        and not any(_differs(removal, state, number) for number, state in enumerate((removal.source, removal.target)))
    )


def _differs(removal: Removal, state: FieldState, number: int) -> bool:
    """Whether a foreign key is another than the automatic one."""
    own = state.field
    return (
        removal.link.columns[number] != removal.columns[number]
        or own.null is not False
        or own.db_index is False
        or (own.relation is not None and own.relation.db_constraint is not True)
    )


def _preparing(writer: Writer, removal: Removal, functions: list[Code]) -> Iterator[Node]:
    """The real operations on the model that is about to go."""
    through = removal.through
    options, key = through.model.options, through.model.key
    name = writer.literal(key.name)
    pair = (removal.source.name, removal.target.name)
    assert options.constraints is not UNKNOWN
    assert options.indexes is not UNKNOWN
    assert options.unique_together is not UNKNOWN
    if options.order_with_respect_to is not None:
        yield writer.operation("AlterOrderWithRespectTo", ("name", name), ("order_with_respect_to", text("None")))
    for one in options.indexes:
        yield writer.operation("RemoveIndex", ("model_name", name), ("name", writer.literal(_name_of(one))))
    for source, condition in _cleaning(writer, removal):
        function = writer.function_name(condition)
        functions.append(writer.function(in_quotes(source.replace("{name}", function, 1), writer)))
        yield writer.run_python(function)
    # In the automatic order: Django looks for the set to drop by its columns in order (`_constraint_names`).
    if options.unique_together != {pair}:
        yield writer.operation(
            "AlterUniqueTogether", ("name", name), ("unique_together", writer.unique_together([pair]))
        )
    for one in options.constraints:
        yield writer.operation("RemoveConstraint", ("model_name", name), ("name", writer.literal(_name_of(one))))
    for extra in through.extras:
        yield writer.remove_field(key.name, extra.name)
    for number, state in enumerate((removal.source, removal.target)):
        if _differs(removal, state, number):
            yield writer.alter_field(key.name, state.name, _automatic_key(writer, removal, state, number))


def _cleaning(writer: Writer, removal: Removal) -> Iterator[tuple[str, str]]:
    """Functions that delete what the automatic table does not take, and what to call them."""
    source, target, model = removal.source.name, removal.target.name, removal.through.model
    empty = [one.name for one in (removal.source, removal.target) if one.field.null is not False]
    if empty:
        q = writer.models("Q")
        condition = " | ".join(f"{q}({name}__isnull=True)" for name in empty)
        yield (
            _NULLS.replace("{app}", model.key.app_label)
            .replace("{model}", model.name)
            .replace("{condition}", condition if len(empty) > 1 else f"{empty[0]}__isnull=True"),
            "drop_half_links",
        )
    if removal.duplicates:
        yield (
            _DUPLICATES.replace("{app}", model.key.app_label)
            .replace("{model}", model.name)
            .replace("{source}", source)
            .replace("{target}", target)
            .replace("{min}", writer.models("Min"))
            .replace("{count}", writer.models("Count")),
            "drop_duplicates",
        )


def _automatic_key(writer: Writer, removal: Removal, state: FieldState, number: int) -> Bracket:
    """The foreign key as the automatic table has it."""
    node = writer.field(state).without("null", "blank", "unique", "db_index", "db_column", "db_constraint")
    on_delete = node.item("on_delete")
    if on_delete is not None and plain(on_delete.value).rpartition(".")[2] != "CASCADE":
        node = with_argument(node, "on_delete", text(writer.models("CASCADE")))
    if removal.columns[number] != f"{state.name}_id":
        node = with_argument(node, "db_column", writer.literal(removal.columns[number]))
    return node


def _name_of(one: Constraint) -> str:
    if one.name is UNKNOWN or one.name is None:
        raise Unwritable("the name of a constraint or an index is not known")
    return one.name


def _switch(writer: Writer, removal: Removal, final: Bracket, *, pinned: bool) -> Bracket:
    """The field takes the table, the model goes; nothing runs."""
    there = final
    if pinned and removal.link.table.name != removal.wanted:
        node = with_argument(field_of(final), "db_table", writer.literal(removal.link.table.name))
        there = with_field(final, node)
    delete = writer.operation("DeleteModel", ("name", writer.literal(removal.through.model.name)))
    return writer.state_only([there, delete])


def _pinned(situation: Situation, removal: Removal, final: Bracket) -> ModelsChange:
    writer = Writer(situation, None)
    table = writer.literal(removal.link.table.name)
    name = situation.key.name
    return ModelsChange(
        model=situation.key.model_key,
        path=situation.models_path,
        code=Code(text=in_owner(situation, name, with_argument(field_of(final), "db_table", table))),
        title="pin the table",
        arguments=((name, "db_table", plain(table)),),
    )

"""Copying links between two tables: when it has to be, and the functions that do it.

The functions go through both tables in batches by primary key, since a cursor over the whole table fills the memory
with some drivers (MySQL's fetches every row at once), and leave alone what is there already, so that they can run
again.
"""

from __future__ import annotations

from lint_m2m.migration import FieldKind
from lint_m2m.replay.models import FieldState
from lint_m2m.sequences.add_through import adds_through, alteration, keepable, ready_for
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.filling import filled_by_itself
from lint_m2m.sequences.layout import Node, call, items, lay_out, text
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import Code, Link, PlacedOperation, Replacement, Situation, Through, Where
from lint_m2m.values import frozen

COPY = '''\
def {copy}(source, source_fields, target, target_fields):
    """Copy pairs in batches, which never fill the memory; those that are there stay."""
    rows = source.order_by("pk").values_list("pk", *source_fields)
    one, other = target_fields
    batch = list(rows[:400])
    while batch:
        pairs = dict.fromkeys(row[1:] for row in batch if None not in row)
        known = target.filter(
            **{{
                f"{{one}}__in": {{pair[0] for pair in pairs}},
                f"{{other}}__in": {{pair[1] for pair in pairs}},
            }}
        )
        known = set(known.values_list(one, other))
        new = [{{one: pair[0], other: pair[1]}} for pair in pairs if pair not in known]
        target.bulk_create(target.model(**values) for values in new)
        batch = list(rows.filter(pk__gt=batch[-1][0])[:400])
'''


# bulk_create does not take models that inherit from another one's table.
_IN_BULK = "        target.bulk_create(target.model(**values) for values in new)\n"
_ONE_BY_ONE = "        for values in new:\n            target.create(**values)\n"


@frozen
class Copy:
    """Two tables of links: the automatic one and that of the through model, and what to do about the AlterField."""

    link: Link
    through: Through
    source: FieldState
    target: FieldState
    alter: PlacedOperation | None
    gone: tuple[PlacedOperation, ...]  # a RemoveField whose place the copy takes
    required: tuple[str, ...]  # fields of the through model that nobody but its author has a value for


def copy_of(situation: Situation, *, nested: bool = False) -> Copy | None:
    """What has to be copied; ``None`` where the table itself can be kept, or where copying would not work.

    `nested`: the AlterField stands in another operation.
    """
    link, through = situation.link, situation.through
    if not adds_through(situation) or (keepable(situation) and not nested) or link is None or through is None:
        return None
    source, target = through.source, through.target
    if source is None or target is None or through.model.uncertain is not None or link.through is not None:
        return None
    if through.model.options.managed is not True or through.table == link.table.name:
        return None
    if through.fact is None and not through.in_migration:
        return None
    for key in (source, target):
        relation = key.field.relation
        if key.field.kind is not FieldKind.FOREIGN_KEY or relation is None or relation.to_field is not None:
            return None
    alter = alteration(situation)
    if situation.migration is not None:
        if alter is None or ("." in alter.address) is not nested or alter.operation.span is None:
            return None
        if not ready_for(alter, through):
            return None
        removal = situation.removal
        if removal is not None and ("." in removal.address or removal.operation.span is None):
            return None
    return Copy(
        link=link,
        through=through,
        source=source,
        target=target,
        alter=alter,
        gone=() if situation.removal is None else (situation.removal,),
        required=tuple(one.name for one in through.extras if not filled_by_itself(situation, one)),
    )


@frozen
class Functions:
    """The functions of a migration file, and the names of the two that RunPython takes."""

    codes: tuple[Code, ...]
    forward: str
    backward: str


def functions(
    situation: Situation,
    writer: Writer,
    copy: Copy,
    *,
    emptied: bool = False,
    names: tuple[str, str] = ("copy_links", "restore_links"),
) -> Functions:
    """Forward: automatic table to through model; backward: the other way, into a table that is `emptied` first."""
    key, through = situation.key, copy.through.model
    helper = writer.function_name("copy_missing")
    forward, backward = (writer.function_name(name) for name in names)
    alias = "schema_editor.connection.alias"
    owner = call("apps.get_model", writer.literal(key.app_label), writer.literal(situation.owner.name))
    model = call("apps.get_model", writer.literal(through.key.app_label), writer.literal(through.name))
    old, new = "links.using(alias)", "through.objects.using(alias)"
    old_fields = items("(", [writer.literal(column) for column in copy.link.columns], ")")
    new_fields = items("(", [writer.literal(f"{one.name}_id") for one in (copy.source, copy.target)], ")")
    indent = 4
    limit = writer.style.line_length

    def body(name: str, words: str, *statements: str) -> Code:
        lines = [
            f"def {name}(apps, schema_editor):",
            f'    """{words}"""',
            f"    alias = {alias}",
            f"    owner = {lay_out(owner, indent=indent, limit=limit, before=8)}",
            f"    links = owner.{key.name}.through.objects",
            f"    through = {lay_out(model, indent=indent, limit=limit, before=10)}",
            *(f"    {statement}" for statement in statements),
        ]
        return writer.function("\n".join(lines))

    def copied(*arguments: Node) -> str:
        return lay_out(call(helper, *arguments, exploded=True), indent=indent, limit=limit)

    return Functions(
        codes=(
            writer.function(in_quotes(copy_function(helper, copy.through), writer)),
            body(
                forward,
                f"Every link of `{key.name}` gets its row in the through model's table.",
                copied(text(old), old_fields, text(new), new_fields),
            ),
            body(
                backward,
                "The automatic table gets every link.",
                *([f"{old}.delete()"] if emptied else []),
                copied(text(new), new_fields, text(old), old_fields),
            ),
        ),
        forward=forward,
        backward=backward,
    )


def copy_function(name: str, through: Through | None) -> str:
    """The function `name` that copies pairs, into an automatic table or into that of `through`."""
    source = COPY.format(copy=name)
    if through is not None and through.model.options.bases != ():
        return source.replace(_IN_BULK, _ONE_BY_ONE)
    return source


def in_quotes(source: str, writer: Writer) -> str:
    """Code written with double quotes, in the file's; docstrings keep theirs."""
    if writer.style.quote == '"':
        return source
    return source.replace('"""', "\0").replace('"', "'").replace("\0", '"""')


def in_place(copy: Copy, operations: list[Code]) -> tuple[Replacement, ...]:
    """`operations` in the place of the AlterField; a RemoveField before it goes."""
    if copy.alter is None or copy.alter.operation.span is None:
        raise Unwritable("there is no operation to replace")
    replacements = [
        Replacement(address=one.address, span=one.operation.span) for one in copy.gone if one.operation.span is not None
    ]
    replacements.append(
        Replacement(
            address=copy.alter.address,
            span=copy.alter.operation.span,
            operations=tuple(operations),
            where=Where.INSTEAD,
        )
    )
    return tuple(replacements)

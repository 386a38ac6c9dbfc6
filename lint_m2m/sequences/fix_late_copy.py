"""`fix-state` for links that are copied when their table is gone already (MTM202, MTM106): the copy comes first.

What: the project's own RunPython or RunSQL goes before the operation that drops the table; where the model that it
fills is made in between only, the RemoveField goes down to the AddField, and the copy before it.

When: replayed in that order it finds the links and brings them where the field looks for them, and nothing raises.
Undone, its own reverse is what brings the links back: where it has none that does anything, the sequence is shown.

Downtime: as long as the copying takes.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.sequences import caveats
from lint_m2m.sequences.codegen import OPERATION_INDENT, Writer, plain
from lint_m2m.sequences.fix_state import ID
from lint_m2m.sequences.layout import Bracket
from lint_m2m.sequences.restoring import Restored, from_backup
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import (
    ChangeKind,
    Code,
    Instruction,
    LateCopy,
    Link,
    PlacedOperation,
    Proposal,
    Replacement,
    ReplaceOperations,
    Situation,
    Where,
)


def propose(situation: Situation) -> Iterator[Proposal]:
    late, migration = situation.late_copy, situation.migration
    if situation.kind is not ChangeKind.COPIED_LATE or late is None or migration is None or situation.link is None:
        return
    writer = Writer(situation, late.dropping.migration.path)
    node = writer.own(late.copy.migration.path, late.copy.placed.operation.span)
    code = writer.code(node, indent=OPERATION_INDENT)
    kind = type(late.copy.placed.operation).__name__
    table = situation.link.table.name
    undone = _undoes(node)
    through = situation.through
    columns = situation.new_columns
    if through is not None and through.source_column is not None and through.target_column is not None:
        columns = through.source_column, through.target_column
    into = situation.new_table if through is None else through.table
    yield Proposal(
        id=ID,
        title=f"let `{kind}` copy the links before `{table}` is dropped",
        why=f"it is right as it is, and comes too late: `{table}` is gone by then, with every link",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.REVIEW if undone else Applicability.DISPLAY,
        changes=(
            *_edits(late, writer, code),
            *(() if columns is None or into is None else _lost(situation, situation.link, late, into, columns)),
        ),
        recommended=True,
        caveats=()
        if undone
        else (f"undone, `{table}` comes back empty: give `{kind}` a reverse that copies the links back",),
        verify=caveats.VERIFY,
    )


def _lost(
    situation: Situation, link: Link, late: LateCopy, table: str, columns: tuple[str, str]
) -> Iterator[Instruction]:
    old = link.table.name
    restored = Restored(table=f"restored_{old}", columns=link.columns)
    language, code = from_backup(situation, restored, table, columns, situation.through)
    yield Instruction(
        title=f"where `{late.dropping.migration.name}` has run already: the links went with `{old}`; restore that "
        "table from a backup under another name and copy them",
        language=language,
        code=code,
    )


def _edits(late: LateCopy, writer: Writer, code: Code) -> Iterator[ReplaceOperations]:
    first, last = late.dropping, late.copy
    if first.placed.operation.span is None or last.placed.operation.span is None:
        raise Unwritable("an operation has no place in its file")
    gone = Replacement(address=last.placed.address, span=last.placed.operation.span)
    codes = [code]
    place = PlacedOperation(address=str(late.target), operation=first.migration.operations[late.target])
    moved: list[Replacement] = []
    if place.address != first.placed.address:
        codes.append(
            writer.code(writer.own(first.migration.path, first.placed.operation.span), indent=OPERATION_INDENT)
        )
        moved.append(Replacement(address=first.placed.address, span=first.placed.operation.span))
    if place.operation.span is None:
        raise Unwritable("an operation has no place in its file")
    copied = Replacement(address=place.address, span=place.operation.span, operations=tuple(codes), where=Where.BEFORE)
    same = first.migration.key == last.migration.key
    yield ReplaceOperations(
        migration=first.migration.key,
        path=first.migration.path,
        replacements=(*moved, copied, *([gone] if same else [])),
        title="copy, then drop",
    )
    if not same:
        yield ReplaceOperations(
            migration=last.migration.key,
            path=last.migration.path,
            replacements=(gone,),
            title="where nothing is left to copy",
        )


def _undoes(node: object) -> bool:
    """Whether RunPython or RunSQL has a reverse that does anything."""
    if not isinstance(node, Bracket):
        return False
    named = node.item("reverse_code") or node.item("reverse_sql")
    positional = [one for one in node.items if not one.prefix]
    if named is None and len(positional) > 1:
        named = positional[1]
    return (
        named is not None
        and plain(named.value) not in ("None", "[]", '""', "''")
        and not plain(named.value).endswith("noop")
    )

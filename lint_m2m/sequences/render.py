"""A proposal as what a finding carries: steps with complete code to paste."""

from __future__ import annotations

import ast

from lint_m2m.finding import Sequence, SequenceStep
from lint_m2m.sequences.edit import edit_migration, write_migration
from lint_m2m.sequences.layout import Text, lay_out
from lint_m2m.sequences.source import SourceFile, Unwritable
from lint_m2m.sequences.values import (
    Change,
    Instruction,
    ModelsChange,
    NewMigration,
    Proposal,
    ReplaceOperations,
    Situation,
)


def render(proposal: Proposal, situation: Situation) -> Sequence:
    """`proposal` with its changes as steps. Raises `Unwritable` where an edit does not fit its file."""
    changes = proposal.changes
    following = [change.deploy_before for change in changes[1:]] + [False]
    return Sequence(
        id=proposal.id,
        title=proposal.title,
        why=proposal.why,
        downtime=proposal.downtime,
        applicability=proposal.applicability,
        recommended=proposal.recommended,
        steps=tuple(_step(change, situation, deploy) for change, deploy in zip(changes, following, strict=True)),
        caveats=proposal.caveats,
        verify=proposal.verify,
    )


def _step(change: Change, situation: Situation, deploy: bool) -> SequenceStep:
    path = change.path
    if isinstance(change, ModelsChange) and path is None:
        path = "models.py"
    return SequenceStep(
        title=change.title,
        path=path,
        language=change.language if isinstance(change, Instruction) else "python",
        code=_code(change, situation).replace("\r\n", "\n"),
        deploy_before_next=deploy,
    )


def _code(change: Change, situation: Situation) -> str:
    match change:
        case ReplaceOperations():
            return _edited(change, situation)
        case NewMigration():
            return write_migration(change).rstrip("\n")
        case ModelsChange():
            return change.code.text
        case Instruction():
            return change.code


def _edited(change: ReplaceOperations, situation: Situation) -> str:
    """The parts of the migration that are new: imports, functions, dependencies, and `operations` as a whole."""
    before = situation.sources.get(change.path)
    if before is None:
        raise Unwritable(f"`{change.path}` is not there")
    old, new = SourceFile(before), SourceFile(edit_migration(before, change))
    known = {old.segment(node) for node in old.tree.body}
    functions: list[str] = []
    assignments: list[str] = []
    imports: list[str] = []
    for node in new.tree.body:
        segment = new.segment(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += [segment] if segment not in known else []
        elif isinstance(node, ast.ClassDef) and node.name == "Migration":
            assignments += _assignments(old, new, node)
        elif segment not in known:
            functions.append(segment)
    parts = [*(["\n".join(imports)] if imports else []), *functions]
    return "\n\n\n".join([*parts, "\n\n".join(assignments)] if assignments else parts)


def _assignments(old: SourceFile, new: SourceFile, cls: ast.ClassDef) -> list[str]:
    before = {old.segment(node) for top in old.tree.body if isinstance(top, ast.ClassDef) for node in top.body}
    found = []
    for node in cls.body:
        segment = new.segment(node)
        if segment not in before:
            margin = new.column(new.bounds(node)[0])
            found.append(lay_out(Text(text=segment, margin=margin), indent=0, limit=None))
    return found

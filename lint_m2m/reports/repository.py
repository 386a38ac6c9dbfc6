"""Where a report's files lie in their repository.

A service knows a file by its path from the top of the repository; a project may lie in a folder of it.
"""

from __future__ import annotations

import os
from pathlib import Path

from lint_m2m.engine.moving import moved
from lint_m2m.finding import Report
from lint_m2m.reports.options import Edit, RenderOptions
from lint_m2m.values import replace


def from_the_top(report: Report, options: RenderOptions) -> tuple[Report, RenderOptions]:
    """Both with paths, and `root`, from the top of the repository; the same where the project is in none."""
    root = Path(os.path.abspath(report.root))
    top = top_of(root)
    prefix = "" if root == top else f"{root.relative_to(top).as_posix()}/"
    if not prefix:
        return report, options
    return (
        replace(report, root=top, findings=tuple(moved(finding, prefix) for finding in report.findings)),
        replace(options, edits=tuple(_moved(edit, prefix) for edit in options.edits)),
    )


def _moved(edit: Edit, prefix: str) -> Edit:
    return replace(
        edit,
        files=tuple(replace(file, path=prefix + file.path) for file in edit.files),
        left=tuple(step if step.path is None else replace(step, path=prefix + step.path) for step in edit.left),
    )


def top_of(root: Path) -> Path:
    """The nearest folder upward from `root` that holds .git (a file in a worktree), else `root`."""
    return next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), root)

"""Where a report's files lie in their repository.

A service knows a file by its path from the top of the repository; a project may lie in a folder of it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from lint_m2m.engine.moving import moved
from lint_m2m.finding import Report


def from_the_top(report: Report) -> Report:
    """The report with paths, and `root`, from the top of the repository; the same where it is in none."""
    root = Path(os.path.abspath(report.root))
    top = top_of(root)
    prefix = "" if root == top else f"{root.relative_to(top).as_posix()}/"
    if not prefix:
        return report
    return replace(report, root=top, findings=tuple(moved(finding, prefix) for finding in report.findings))


def top_of(root: Path) -> Path:
    """The nearest folder upward from `root` that holds .git (a file in a worktree), else `root`."""
    return next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), root)

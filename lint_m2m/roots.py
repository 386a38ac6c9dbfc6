"""Where a project begins: its root folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from lint_m2m import looks
from lint_m2m.readers.source import SourceError, read_source

_MARKERS: Final = ("manage.py", "pyproject.toml", ".git")


def find_root(path: Path) -> Path:
    """The nearest folder upward from `path` that holds manage.py, pyproject.toml or .git, else `path` itself.

    Of a file its folder, and of a migrations folder the app's. What is installed (below site-packages) belongs to
    nothing above it. The result is absolute.
    """
    start = _folder_of(path)
    return marked_root(start) or (start.parent if start.name == "migrations" else start)


def marked_root(path: Path) -> Path | None:
    """What `find_root` finds by one of those names; None where nothing upward has one."""
    start = _folder_of(path)
    for folder in (start, *start.parents):
        if folder.name in ("site-packages", "dist-packages"):
            break
        if any(_has_marker(folder, marker) for marker in _MARKERS):
            return folder
    return None


def _folder_of(path: Path) -> Path:
    start = Path(os.path.abspath(path))
    return start if os.path.isdir(start) else start.parent


def _has_marker(folder: Path, marker: str) -> bool:
    if marker == "manage.py":
        return looks.is_file(folder / marker) and starts_django(folder / marker)
    return looks.exists(folder / marker)


def starts_django(file: Path) -> bool:
    """Whether a manage.py is Django's: a module of some package may be called that too."""
    try:
        if b"django" in read_source(file).lower():
            return True
    except SourceError:
        pass
    return not looks.exists(file.parent / "__init__.py")

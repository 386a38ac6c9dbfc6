"""What the user asked to check: paths, the projects they lie in, and what of a project is below them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lint_m2m.errors import UsageError, reason_of
from lint_m2m.roots import find_root
from lint_m2m.values import NamedTuple

# Where findings may lie, relative to the root: "" is everything.
WHOLE_PROJECT = ""


class Target(NamedTuple):
    """A path that was given, and the same relative to its project's root: with links as given, and resolved."""

    given: Path
    names: tuple[str, ...]


class Scope:
    """Whether a path lies under any of the targets. There may be thousands of both (a hook names every file)."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._names = {name for target in targets for name in target.names}

    def __contains__(self, path: str) -> bool:
        return any(folder in self._names for folder in with_folders(path))


def with_folders(path: str) -> Iterator[str]:
    """The path itself, every folder above it, and the root ("")."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield WHOLE_PROJECT


def targets_by_root(paths: Sequence[Path]) -> dict[Path, tuple[Target, ...]]:
    """The paths, grouped by the root of their project, in the order given.

    A project within another one that is asked for as well is checked as a part of that: nothing is reported twice.
    Raises UsageError for a path that does not exist.
    """
    roots: dict[Path, Path] = {}
    for path in paths:
        try:
            os.stat(path)
        except FileNotFoundError:
            raise UsageError(f"there is no file or folder `{path}`") from None
        except OSError as error:
            raise UsageError(f"`{path}` cannot be opened: {reason_of(error)}") from None
        except ValueError as error:  # a NUL in it
            raise UsageError(f"`{path}` is no path: {error}") from None
        roots[path] = find_root(path)
    known = set(roots.values())
    groups: dict[Path, list[Target]] = {}
    for path, root in roots.items():
        outermost = next((above for above in reversed(root.parents) if above in known), root)
        groups.setdefault(outermost, []).append(Target(path, _names(path, outermost)))
    return {root: tuple(targets) for root, targets in groups.items()}


def common_root(roots: Iterable[Path]) -> Path:
    """The nearest folder that holds all roots: where the paths of a report over several projects start."""
    known = list(dict.fromkeys(roots))
    if len(known) == 1:
        return known[0]
    try:
        return Path(os.path.commonpath(known))
    except ValueError:  # different drives
        raise UsageError(f"`{known[0]}` and `{known[1]}` have nothing in common: check them one at a time") from None


def _names(path: Path, root: Path) -> tuple[str, ...]:
    found = []
    for shown in (os.path.abspath(path), os.path.realpath(path)):
        for base in (os.path.abspath(root), os.path.realpath(root)):
            relative = os.path.relpath(shown, base).replace(os.sep, "/")
            if relative == ".":
                found.append(WHOLE_PROJECT)
            elif relative != ".." and not relative.startswith("../"):
                found.append(relative)
    # A file outside its root cannot be: `find_root` goes upward from it.
    return tuple(dict.fromkeys(found))

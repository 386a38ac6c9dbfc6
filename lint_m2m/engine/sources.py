"""Where projects come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lint_m2m.values import NamedTuple

if TYPE_CHECKING:
    from lint_m2m.discovery import Layout
    from lint_m2m.migration import Migration, Project
    from lint_m2m.readers.options import ReadOptions


class TakesApart(Protocol):
    """Yields a migration with all of its operations, or with those of `numbers`, where some are only `Recognised`."""

    def __call__(self, migration: Migration, numbers: Iterable[int] | None = None) -> Migration: ...


def as_it_is(migration: Migration, numbers: Iterable[int] | None = None) -> Migration:
    """The migration itself: it was read whole."""
    return migration


class Readable(NamedTuple):
    """A project that can be read: what it consists of, and how.

    `whole` is for its migrations. Several are read by their reader at once.
    """

    layout: Layout
    read: Callable[[], Project]
    whole: TakesApart = as_it_is


class Reader(Protocol):
    """Where projects come from: their files, or Django.

    `overlay` holds files (absolute paths) whose bytes count instead of what is on disk; `processes` may work at a time.
    """

    @property
    def processes(self) -> int: ...

    @property
    def overlay(self) -> Mapping[Path, bytes]: ...

    def projects(self, root: Path, options: ReadOptions) -> Sequence[Readable]:
        """The projects in a root."""

    def read(self, readables: Sequence[Readable], options: ReadOptions) -> Sequence[Project]:
        """Some of those projects."""

    def reports_on(self, path: str) -> bool:
        """Whether findings in a file are for whoever works on the project."""


def _load_what_comes_next() -> None:
    from lint_m2m.engine import judging  # noqa: F401


class SourceReader:
    """Projects by their source, nothing of which runs; `jobs` processes work, one for each processor if ``None``."""

    def __init__(self, jobs: int | None = 1) -> None:
        self._jobs = jobs
        # What was read stays as long as the outcome of the check, which knows its reader: a process that ends then need
        # not take it apart.
        self._read: list[Project] = []

    @property
    def overlay(self) -> Mapping[Path, bytes]:
        return {}

    @property
    def processes(self) -> int:
        from lint_m2m.processes import usable_processes

        return usable_processes() if self._jobs is None else self._jobs

    def projects(self, root: Path, options: ReadOptions) -> Sequence[Readable]:
        # Not for those who remember what came of it the last time.
        from lint_m2m.discovery import discover_projects
        from lint_m2m.readers.whole import Whole

        def one(layout: Layout) -> Project:
            return self._of((layout,), options)[0]

        return [
            Readable(layout, partial(one, layout), Whole(layout, options))
            for layout in discover_projects(root, options)
        ]

    def read(self, readables: Sequence[Readable], options: ReadOptions) -> Sequence[Project]:
        return self._of([readable.layout for readable in readables], options)

    def _of(self, layouts: Sequence[Layout], options: ReadOptions) -> Sequence[Project]:
        from lint_m2m.readers.static import read_projects

        projects = read_projects(layouts, options, self.processes, brief=True, meanwhile=_load_what_comes_next)
        self._read += projects
        return projects

    def reports_on(self, path: str) -> bool:
        return True

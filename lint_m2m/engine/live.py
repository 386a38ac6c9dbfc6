"""Projects as Django has them, for the engine: which files, whose they are, and on which databases they run."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from lint_m2m.discovery import Layout, MigrationFile
from lint_m2m.engine.sources import Readable
from lint_m2m.migration import Project, UnreadFile
from lint_m2m.readers.live.loading import Loaded
from lint_m2m.readers.live.project import Facts, apps_at, read_project
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.project.migration_folders import is_migration_name
from lint_m2m.readers.project.patterns import Matcher, matcher
from lint_m2m.values import replace

# Folders of installed packages, wherever they are.
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


def spelled(file: Path, root: Path) -> str:
    """The path of a file relative to a root; one of them may have been reached through a link."""
    for one, other in ((file, root), (Path(os.path.realpath(file)), Path(os.path.realpath(root)))):
        relative = os.path.relpath(one, other).replace(os.sep, "/")
        if not relative.startswith("../"):
            return relative
    return os.path.relpath(file, root).replace(os.sep, "/")


def is_installed(path: str) -> bool:
    """Whether a path relative to the root is that of a package somebody installed, or lies outside of the project."""
    return path.startswith("../") or not _INSTALLED.isdisjoint(path.split("/"))


class LiveReader:
    """What Django has loaded, project by project: one for each database that routers treat as one of its own."""

    def __init__(
        self,
        loaded: Loaded,
        facts: Facts,
        *,
        all_apps: bool = False,
        overlay: Mapping[Path, bytes] | None = None,
        gone: Collection[Path] = (),
    ) -> None:
        self.overlay = overlay or {}
        # Django has connections, which no two processes can share.
        self.processes = 1
        # Files that are on disk and are to be taken for files that are not.
        self._gone = frozenset(gone)
        self._loaded = loaded
        self._facts = facts
        self._all_apps = all_apps
        # What the user has no say in, by path.
        self._foreign: set[str] = set()

    def reports_on(self, path: str) -> bool:
        return path not in self._foreign

    def projects(self, root: Path, options: ReadOptions) -> Sequence[Readable]:
        paths = {app.label: spelled(app.folder, root) for app in self._loaded.apps}
        by_file = {_at(root, spelled(one.file, root)): one for one in self._loaded.migrations}
        files = {
            file: MigrationFile(app_label=one.app_label, name=one.name, path=spelled(one.file, root), place=str(file))
            for file, one in by_file.items()
        }
        problems = tuple(
            UnreadFile(spelled(one.file, root), one.app_label, one.name, one.reason, one.span)
            for one in self._loaded.broken
        )
        known = {*files, *(_at(root, one.path) for one in problems)}
        files |= {one.file: one for one in self._new(root, paths, known, options)}
        excluded = matcher(options.exclude)
        for path in (*paths.values(), *(one.path for one in files.values()), *(one.path for one in problems)):
            if (is_installed(path) and not self._all_apps) or _is_excluded(path, excluded):
                self._foreign.add(path)
        layout = Layout(
            root=root,
            apps=apps_at(self._loaded.apps, paths),
            files=tuple(sorted(files.values(), key=lambda one: (one.app_label, one.name))),
            swappable=self._facts.swappable,
            default_auto_field=self._facts.default_auto_field,
            source_roots=self._facts.source_roots,
            problems=problems,
        )
        readables: list[Readable] = []
        for database in self._facts.databases:
            one = replace(layout, vendor=options.database or database.vendor)
            read = partial(read_project, one, options, by_file, self._loaded.apps, database.routers)
            readables.append(Readable(one, read))
        return readables

    def read(self, readables: Sequence[Readable], options: ReadOptions) -> Sequence[Project]:
        return [readable.read() for readable in readables]

    def _new(
        self, root: Path, paths: dict[str, str], known: set[Path], options: ReadOptions
    ) -> Iterator[MigrationFile]:
        """Migrations that were written, or thought of, since Django has looked."""
        for label, path in paths.items():
            if is_installed(path):
                continue
            folder = _at(root, path)
            there = folder.glob("*.py") if folder.is_dir() else ()
            laid_over = (file for file, _ in options.overlay if file.parent == folder)
            for file in sorted({*there, *laid_over} - known - self._gone):
                if is_migration_name(file.stem):
                    yield MigrationFile(app_label=label, name=file.stem, path=f"{path}/{file.name}", place=str(file))


def _at(root: Path, path: str) -> Path:
    return Path(os.path.normpath(root / path))


def _is_excluded(path: str, excluded: Matcher | None) -> bool:
    """Whether the path, or a folder that it lies in, is one that the configuration leaves out."""
    if excluded is None:
        return False
    parts = path.split("/")
    return excluded(path, False) or any(excluded("/".join(parts[:end]), True) for end in range(1, len(parts)))

"""Where the modules are that a file imports. Paths are strings: this runs some thousand times."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lint_m2m import looks


class Finder:
    """Finds modules in and around `root`.

    `importable` are folders where absolute imports may be resolved, besides the folders around the importing file.
    Everything is remembered: files do not come and go while a project is read.
    """

    def __init__(self, root: Path, importable: Iterable[Path] = ()) -> None:
        self.root = os.fspath(root)
        self._inside_root = self.root.rstrip(os.sep) + os.sep
        self._importable = tuple(os.fspath(folder) for folder in importable)
        self._real_paths = {folder: looks.real_path(folder) for folder in (self.root, *self._importable)}
        self._real_roots = tuple(real.rstrip(os.sep) + os.sep for real in self._real_paths.values())
        self._found: dict[tuple[str, str, int], str | None] = {}
        self._tops: dict[tuple[str, str], tuple[str, ...]] = {}
        self._search_paths: dict[str, tuple[str, ...]] = {}
        self._packages: dict[str, bool] = {}

    def find(self, module: str, importer: str, level: int = 0) -> str | None:
        """The file of a module as the file `importer` names it (`level` dots before it), if it is there."""
        folder = os.path.dirname(importer)
        key = (module, folder, level)
        try:
            return self._found[key]
        except KeyError:
            pass
        path = os.sep.join(part for part in module.split(".") if part)
        found = None
        if level:
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            found = _module_file(folder, path)
        elif path:
            for around in self._having(folder, path.partition(os.sep)[0]):
                if (found := _module_file(around, path)) is not None:
                    break
        self._found[key] = found
        return found

    def dotted_name(self, file: str) -> list[str]:
        """The parts of the name of the module in `file`, as far up as there are packages."""
        folder, name = os.path.split(file)
        parts = [] if name == "__init__.py" else [os.path.splitext(name)[0]]
        while self.is_package(folder) and os.path.dirname(folder) != folder:
            folder, name = os.path.split(folder)
            parts.append(name)
        return parts[::-1]

    def is_package(self, folder: str) -> bool:
        """Whether `folder` has an ``__init__.py``."""
        found = self._packages.get(folder)
        if found is None:
            found = self._packages[folder] = looks.is_file(f"{folder}{os.sep}__init__.py")
        return found

    def inside(self, file: str) -> bool:
        """Whether `file`, links followed, lies in the root or an importable folder."""
        return looks.real_file(file, self._real_paths).startswith(self._real_roots)

    def _having(self, folder: str, top: str) -> tuple[str, ...]:
        """The folders to search from `folder` that have something called `top`."""
        key = (folder, top)
        try:
            return self._tops[key]
        except KeyError:
            pass
        having = tuple(
            one
            for one in self._search_path(folder)
            if looks.is_folder(f"{one}{os.sep}{top}") or looks.is_file(f"{one}{os.sep}{top}.py")
        )
        self._tops[key] = having
        return having

    def _search_path(self, folder: str) -> tuple[str, ...]:
        """The folders around `folder`, nearest first, then `importable`; packages last, they rarely are on sys.path."""
        try:
            return self._search_paths[folder]
        except KeyError:
            pass
        around = []
        one = folder
        while one == self.root or one.startswith(self._inside_root):
            around.append(one)
            one = os.path.dirname(one)
        packages = [one for one in around if self.is_package(one)]
        path = (*(one for one in around if one not in packages), *self._importable, *packages)
        self._search_paths[folder] = path
        return path


def _module_file(folder: str, path: str) -> str | None:
    """The file of the module `path` (with slashes, "" for the package itself) below `folder`: a package comes first."""
    base = f"{folder}{os.sep}{path}" if path else folder
    try:
        if looks.is_file(f"{base}{os.sep}__init__.py"):
            return f"{base}{os.sep}__init__.py"
        return f"{base}.py" if path and looks.is_file(f"{base}.py") else None
    except ValueError:  # a NUL in a name
        return None

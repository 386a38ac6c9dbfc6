"""One walk over a project: which folders hold Python files.

Never follows a link to a folder (where it points within the project is walked anyway, where it points elsewhere is none
of the project's), except one that is called ``migrations``. So there are no loops, and nothing outside the root is
read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from lint_m2m import looks
from lint_m2m.errors import ReadError
from lint_m2m.readers.project.patterns import Matcher
from lint_m2m.values import NamedTuple, frozen, replace

_SKIPPED: Final = frozenset(
    {
        "LC_MESSAGES",
        "__pycache__",
        "__pypackages__",
        "bower_components",
        "conda-meta",
        "CVS",
        "dist-packages",
        "node_modules",
        "site-packages",
    }
)

# No package is nested so deep; a mount that contains itself, or a folder made to hurt, is.
_MAX_DEPTH: Final = 100


class Unread(NamedTuple):
    """A folder or file that was not looked into, and why. `path` is relative to the root."""

    path: str
    reason: str


@frozen
class Tree:
    """`folders` maps each folder that holds Python files to their names, sorted; "" is the root.

    `unread_folders` are those that could not be listed, or are links that leave the root; `unread_files` the Python
    files that are such links (they are not in `folders`).
    """

    root: Path
    folders: Mapping[str, tuple[str, ...]]
    unread_folders: tuple[Unread, ...] = ()
    unread_files: tuple[Unread, ...] = ()

    def has(self, folder: str, name: str) -> bool:
        """Whether the Python file `name` is in `folder`."""
        return name in self.folders.get(folder, ())

    def with_files(self, files: Iterable[Path]) -> Tree:
        """This tree with further Python files, in folders that it has; others are left out."""
        folders = dict(self.folders)
        for file in files:
            folder, _, name = os.path.relpath(file, self.root).replace(os.sep, "/").rpartition("/")
            if folder in folders and name not in folders[folder]:
                folders[folder] = tuple(sorted((*folders[folder], name)))
        return replace(self, folders=folders)

    def file(self, path: str) -> Path:
        """Where to open a relative path of this tree."""
        return Path(self.path(path))

    def path(self, path: str) -> str:
        """The same as a string."""
        return os.path.join(self.root, path if os.sep == "/" else path.replace("/", os.sep))


def joined(folder: str, name: str) -> str:
    """The relative path of `name` in `folder` ("" is the root)."""
    return f"{folder}/{name}" if folder else name


def parent_of(path: str) -> str:
    """The folder of a relative path."""
    return path.rpartition("/")[0]


def nearest(path: str, folders: Collection[str]) -> str | None:
    """Which of `folders` is `path`, or the one nearest above it; None where none is."""
    while path not in folders:
        if not path:
            return None
        path = parent_of(path)
    return path


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or in it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def walk(root: Path, excluded: Matcher | None = None) -> Tree:
    """Walk `root`. ReadError when the root itself is no folder that can be read.

    Left out: hidden folders, what is installed or built (virtual environments, site-packages, node_modules,
    setuptools' build/lib), and what `excluded` says. The root is walked whatever it is called or lies in.
    """
    walker = _Walker(root, excluded)
    walker.run()
    return Tree(
        root=root,
        folders=dict(sorted(walker.folders.items())),
        unread_folders=tuple(sorted(walker.unread_folders)),
        unread_files=tuple(sorted(walker.unread_files)),
    )


class _Walker:
    def __init__(self, root: Path, excluded: Matcher | None) -> None:
        self.root = os.fspath(root)
        self.real_root = looks.real_path(self.root)
        self.excluded = excluded
        self.folders: dict[str, tuple[str, ...]] = {}
        self.unread_folders: list[Unread] = []
        self.unread_files: list[Unread] = []

    def run(self) -> None:
        pending = [("", self.root, 0)]
        while pending:
            folder, path, depth = pending.pop()
            try:
                scanned = looks.scan(path)
            except OSError as error:
                if not folder:
                    raise ReadError(f"cannot be read: {_reason(error)}", path=self.root) from error
                if not isinstance(error, FileNotFoundError | NotADirectoryError):
                    self.unread_folders.append(Unread(folder, _reason(error)))
                continue
            self._scan(folder, scanned, depth, pending)

    def _scan(
        self,
        folder: str,
        scanned: AbstractContextManager[Iterator[os.DirEntry[str]]],
        depth: int,
        pending: list[tuple[str, str, int]],
    ) -> None:
        prefix = f"{folder}/" if folder else ""
        files: list[str] = []
        inner: list[tuple[str, str, int]] = []
        installed = False
        excluded = self.excluded
        try:
            with scanned as entries:
                for entry in entries:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if name == "conda-meta":
                            installed = True
                        if name[0] == "." or name in _SKIPPED or name.endswith((".egg-info", ".dist-info")):
                            continue
                        relative = prefix + name
                        if excluded is not None and excluded(relative, True):
                            continue
                        inner.append((relative, entry.path, depth + 1))
                    elif name.endswith(looks.MODULE_SUFFIXES):
                        if excluded is not None and excluded(prefix + name, False):
                            continue
                        if entry.is_symlink() and self._leaves(entry.path):
                            self.unread_files.append(Unread(prefix + name, "a link that leaves the project"))
                        else:
                            files.append(name)
                    elif name == "pyvenv.cfg":
                        installed = True
                    elif entry.is_symlink() and name[0] != ".":
                        self._linked_folder(prefix + name, entry)
        except OSError as error:
            self.unread_folders.append(Unread(folder, _reason(error)))
        if installed and folder:
            return
        if files:
            self.folders[folder] = tuple(sorted(files))
        if folder.endswith("build") and (folder == "build" or folder.endswith("/build")):
            # setuptools copies the packages to build/lib or build/lib.linux-x86_64-cpython-311.
            inner = [one for one in inner if not one[0].rpartition("/")[2].startswith(("bdist.", "lib."))]
            inner = [one for one in inner if not one[0].endswith("/lib")]
        if depth < _MAX_DEPTH:
            pending += inner
        else:
            self.unread_folders += [Unread(one[0], "nested too deep") for one in inner]

    def _linked_folder(self, relative: str, entry: os.DirEntry[str]) -> None:
        if entry.name == "migrations" and _loops(entry.path):
            looks.doubt()
            self.unread_folders.append(Unread(relative, "too many levels of symbolic links"))
            return
        if not looks.is_folder(entry.path) or (self.excluded is not None and self.excluded(relative, True)):
            return
        if self._leaves(entry.path):
            self.unread_folders.append(Unread(relative, "a link that leaves the project"))
        elif entry.name == "migrations":
            try:
                names = looks.names(entry.path)
            except OSError as error:
                self.unread_folders.append(Unread(relative, _reason(error)))
                return
            files: list[str] = []
            for name in names:
                path = os.path.join(entry.path, name)
                if name.endswith(looks.MODULE_SUFFIXES) and not looks.is_folder(path):
                    if self._leaves(path):
                        self.unread_files.append(Unread(f"{relative}/{name}", "a link that leaves the project"))
                    else:
                        files.append(name)
            if files:
                self.folders[relative] = tuple(files)

    def _leaves(self, path: str) -> bool:
        real = looks.real_path(path)
        return real != self.real_root and not real.startswith(self.real_root.rstrip(os.sep) + os.sep)


def _loops(path: str) -> bool:
    """Whether a link leads to itself."""
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

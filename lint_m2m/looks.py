"""What a check looks at on disk: noted down, so that a later check can tell whether it would see the same.

Everything below a project's root, and around it, that decides what is reported is opened, listed and asked for through
this module. Between `noting` and its end all of it is written down: of a file the digest of what was read, of a folder
that of its listing, of a question its answer. `Looks.changed` asks again.

A file that has the size, the times and the inode that it had is not read again, as git does it; unless it was so new
when it was noted that a change in the same tick of the clock might not show (git calls that "racily clean").
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Final, TypeAlias, TypeVar

from lint_m2m.digests import blake2b
from lint_m2m.values import NamedTuple

# Size, time of the last change of content and of anything, inode. The size alone where the times cannot be relied on.
Status: TypeAlias = tuple[int, ...]
# A status, and the digest of what was there.
Seen: TypeAlias = tuple[Status, str]
_Key = TypeVar("_Key")

# The coarsest clock of a file system that is still in use (FAT) counts two seconds.
_TICK: Final = 2_000_000_000
# What Python's import system takes for a module of some kind.
MODULE_SUFFIXES: Final = (".py", ".pyc", ".so", ".pyd")
# A larger file is not read, so a change need not be looked for in it.
_MOST_BYTES: Final = 8 * 1024 * 1024


class Looks:
    """What was looked at: `files` that were read and `folders` that were listed, by path, and `answers` by question.

    `sound` is false where something was seen that cannot be asked for again: what was noted is then of no use.
    `renewed`: something had other times than noted and was the same all the same; the times are noted now.
    """

    __slots__ = ("_settled", "answers", "files", "folders", "renewed", "sound")

    def __init__(self) -> None:
        self.files: dict[str, Seen] = {}
        self.folders: dict[tuple[str, str], Seen] = {}
        self.answers: dict[str, dict[str, object]] = {name: {} for name in _QUESTIONS}
        self.sound = True
        self.renewed = False
        # What is older than this cannot have changed unseen.
        self._settled = time.time_ns() - _TICK

    def file(self, path: str, status: os.stat_result, content: bytes) -> None:
        """Note that a file was read."""
        self._note(self.files, path, (self._reliable(status), digest(content)))

    def folder(self, kind: str, path: str, status: os.stat_result, listing: str) -> None:
        """Note that a folder was listed; `listing` is a digest."""
        self._note(self.folders, (kind, path), (self._reliable(status), listing))

    def answer(self, question: str, path: str, answer: object) -> None:
        """Note what one of `_QUESTIONS` had for an answer."""
        if self.answers[question].setdefault(path, answer) != answer or not os.path.isabs(path):
            self.sound = False

    def merge(self, other: Looks) -> None:
        """Add what another process has looked at."""
        self.sound = self.sound and other.sound
        for path, seen in other.files.items():
            self._note(self.files, path, seen)
        for place, seen in other.folders.items():
            self._note(self.folders, place, seen)
        for question, answers in other.answers.items():
            for path, answer in answers.items():
                self.answer(question, path, answer)

    def changed(self) -> Changed:
        """What is not as it was. `sound` looks alone can be asked."""
        files = self._differing(self.files, lambda path: path, _digest_of)
        folders = self._differing(self.folders, lambda place: place[1], lambda place: _LISTINGS[place[0]](place[1]))
        questions = [
            path
            for question, answers in self.answers.items()
            for path, answer in answers.items()
            if _QUESTIONS[question](path) != answer
        ]
        return Changed(files=files, folders=[path for _, path in folders], questions=questions)

    def _differing(
        self, seen: dict[_Key, Seen], path_of: Callable[[_Key], str], digest_of: Callable[[_Key], str]
    ) -> list[_Key]:
        """What is not as it was; what has another status and is the same all the same gets that status."""
        found: list[_Key] = []
        for key, (status, content) in seen.items():
            try:
                now = os.stat(path_of(key))
                if _status(now) == status:
                    continue
                if digest_of(key) != content:
                    found.append(key)
                    continue
            except (OSError, ValueError):
                found.append(key)
                continue
            seen[key] = (self._reliable(now), content)
            self.renewed = self.renewed or self._reliable(now) != status
        return found

    def asked(self, path: str) -> bool:
        """Whether any question was about `path`."""
        return any(path in answers for answers in self.answers.values())

    def more_in(self, path: str, content: bytes) -> bytes | None:
        """What `content` has after all that was in a file; None where it begins with something else."""
        (size, *_), known = self.files[path]
        return content[size:] if digest(content[:size]) == known else None

    def renew(self, files: Iterable[str], seen: Looks) -> None:
        """Take what was seen of some files for what they were."""
        for file in files:
            del self.files[file]
        self.merge(seen)
        self.renewed = True

    def as_json(self) -> dict[str, Any]:
        """The same in lists and dictionaries."""
        files: dict[str, dict[str, list[object]]] = {}
        for path, (status, content) in self.files.items():
            folder, name = os.path.split(path)
            files.setdefault(folder, {})[name] = [content, *status]
        folders: dict[str, dict[str, list[object]]] = {}
        for (kind, path), (status, listing) in self.folders.items():
            folders.setdefault(kind, {})[path] = [listing, *status]
        return {"files": files, "folders": folders, "answers": self.answers}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Looks:
        """What `as_json` has made; any of a few exceptions (KeyError, TypeError, …) for what it has not."""
        made = cls()
        for folder, names in value["files"].items():
            prefix = os.path.join(folder, "")
            for name, (content, *status) in names.items():
                made.files[prefix + name] = (tuple(status), content)
        for kind, paths in value["folders"].items():
            for path, (listing, *status) in paths.items():
                made.folders[kind, path] = (tuple(status), listing)
        made.answers = {name: value["answers"][name] for name in _QUESTIONS}
        return made

    def _note(self, seen: dict[Any, Seen], key: Any, new: Seen) -> None:
        old = seen.setdefault(key, new)
        # Another content the second time: nobody knows which of them decided what.
        if old[1] != new[1] or not os.path.isabs(key if isinstance(key, str) else key[1]):
            self.sound = False

    def _reliable(self, status: os.stat_result) -> Status:
        known = _status(status)
        return known if max(status.st_mtime_ns, status.st_ctime_ns) < self._settled else known[:1]


class Changed(NamedTuple):
    """Paths that are not as they were."""

    files: list[str]
    folders: list[str]
    questions: list[str]

    @property
    def nothing(self) -> bool:
        return not (self.files or self.folders or self.questions)


_noting: Looks | None = None


@contextmanager
def noting() -> Iterator[Looks]:
    """Note what is looked at until the end; what was noted around this does not get it."""
    global _noting
    outer, _noting = _noting, Looks()
    try:
        yield _noting
    finally:
        _noting = outer


def noted() -> Looks | None:
    """What has been noted so far, if anybody does."""
    return _noting


def doubt() -> None:
    """Something was seen that nobody can ask for again: an error that comes and goes, say."""
    if _noting is not None:
        _noting.sound = False


def read(path: str | os.PathLike[str], status: os.stat_result, content: bytes) -> None:
    """Note that `content` was read from an open file with that status."""
    if _noting is not None:
        _noting.file(os.fspath(path), status, content)


def is_file(path: str | os.PathLike[str]) -> bool:
    """`os.path.isfile`."""
    return bool(_ask("file", path))


def is_folder(path: str | os.PathLike[str]) -> bool:
    """`os.path.isdir`."""
    return bool(_ask("folder", path))


def exists(path: str | os.PathLike[str]) -> bool:
    """`os.path.exists`."""
    return bool(_ask("exists", path))


def is_open(path: str | os.PathLike[str]) -> bool:
    """Whether this process may list a folder and what is in it."""
    return bool(_ask("open", path))


def real_path(path: str | os.PathLike[str]) -> str:
    """`os.path.realpath`."""
    return str(_ask("real", path))


def real_file(path: str, folders: dict[str, str]) -> str:
    """`real_path` of a file, by the real paths of `folders`, which may get more: most files have neighbours."""
    answer = _real(path, folders)
    if _noting is not None:
        _noting.answer("real", path, answer)
    return answer


def names(path: str | os.PathLike[str]) -> list[str]:
    """`os.listdir`, sorted. OSError and ValueError as that raises them."""
    if _noting is None:
        return sorted(os.listdir(path))
    folder = os.fspath(path)
    try:
        status = os.stat(folder)
        found = sorted(os.listdir(folder))
    except (OSError, ValueError):
        doubt()
        raise
    _noting.folder("names", folder, status, _digest_of_names(found))
    return found


def scan(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    """`os.scandir` for modules and folders with modules: other files may come and go without being noticed.

    Raises OSError at once, and when the listing breaks off.
    """
    if _noting is None:
        return os.scandir(path)
    try:
        status = os.stat(path)
        entries = os.scandir(path)
    except OSError:
        doubt()
        raise
    return closing(_scanned(_noting, path, status, entries))


def _scanned(
    noting: Looks, path: str, status: os.stat_result, entries: AbstractContextManager[Iterator[os.DirEntry[str]]]
) -> Generator[os.DirEntry[str], None, None]:
    with entries as found:
        listed: list[os.DirEntry[str]] = []
        try:
            for entry in found:
                listed.append(entry)
                yield entry
            noting.folder("modules", path, status, _digest_of_entries(listed))
        except OSError:
            doubt()
            raise


def digest(content: bytes) -> str:
    """The digest that stands for `content`."""
    return blake2b(content, digest_size=16).hexdigest()


def _status(status: os.stat_result) -> Status:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _digest_of(path: str) -> str:
    """The digest of a file's content; "" for what is no file, or too large to have been read."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        readable = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES
        return digest(file.read(_MOST_BYTES)) if readable else ""


def _digest_of_names(found: list[str]) -> str:
    return digest("\0".join(found).encode("utf-8", "surrogateescape"))


def _digest_of_entries(entries: list[os.DirEntry[str]]) -> str:
    """Folders that are not hidden, modules, links, and what makes a folder a virtual environment."""
    lines = []
    for entry in entries:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            if name[0] != "." and name != "__pycache__":
                lines.append(f"{name}/")
        elif entry.is_symlink():
            lines.append(f"{name}@{os.readlink(entry.path)}")
        elif name.endswith(MODULE_SUFFIXES) or name == "pyvenv.cfg":
            lines.append(name)
    return _digest_of_names(sorted(lines))


def _ask(question: str, path: str | os.PathLike[str]) -> object:
    answer = _QUESTIONS[question](path)
    if _noting is not None:
        _noting.answer(question, os.fspath(path), answer)
    return answer


def _real(path: str, folders: dict[str, str]) -> str:
    """`os.path.realpath`, asking the system only of what is not in `folders` yet."""
    known = folders.get(path)
    if known is None:
        folder, name = os.path.split(path)
        if folder == path or name in ("", ".", "..") or os.path.islink(path):
            known = os.path.realpath(path)
        else:
            known = os.path.join(_real(folder, folders), name)
        folders[path] = known
    return known


def _is_open(path: str | os.PathLike[str]) -> bool:
    return os.access(path, os.R_OK | os.X_OK)


def _listed_names(path: str) -> str:
    return _digest_of_names(sorted(os.listdir(path)))


def _listed_entries(path: str) -> str:
    with os.scandir(path) as entries:
        return _digest_of_entries(list(entries))


_QUESTIONS: Final[Mapping[str, Callable[[Any], object]]] = {
    "file": os.path.isfile,
    "folder": os.path.isdir,
    "exists": os.path.exists,
    "open": _is_open,
    "real": os.path.realpath,
}
_LISTINGS: Final[Mapping[str, Callable[[str], str]]] = {"names": _listed_names, "modules": _listed_entries}

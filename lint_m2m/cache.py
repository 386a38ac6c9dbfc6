"""What is kept between runs: entries of bytes by name, in one folder.

An entry is only taken from here if this user's lint-m2m wrote it: each carries a keyed digest, and the key lies where a
repository cannot put one. So a damaged entry, one of another machine, and one that a stranger's repository brings along
to hide findings are all the same: not there. Nothing in an entry is ever run or unpickled.

Writing never gets in anybody's way: an entry is written whole or not at all, two runs at once do no harm, and where it
cannot be written it is left out. The folder ignores itself for git and for backups, and is bounded in size.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lint_m2m.digests import blake2b, same_digest

# In the root of a project.
FOLDER: Final = ".lint_m2m_cache"
# Of one entry, and of all of them together.
MOST_BYTES: Final = 32 * 1024 * 1024
MOST_BYTES_OF_ALL: Final = 64 * 1024 * 1024
MOST_ENTRIES: Final = 32

# Of what may be removed: nothing that is called so is anybody else's, whatever folder this is told to use.
_SUFFIX: Final = ".lint-m2m-entry"
_TEMPORARY: Final = ".lint-m2m.tmp"
# What a run that was killed has left behind.
_STALE: Final = 3600.0
_KEY_FILE: Final = "key"
_KEY_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
# See https://bford.info/cachedir/
_TAG: Final = """\
Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by lint-m2m.
# For information about cache directory tags see https://bford.info/cachedir/
"""


class Cache:
    """The entries in `folder`, which is made when the first is written. `key_folder` holds the key, away from there."""

    def __init__(self, folder: Path, key_folder: Path) -> None:
        self._folder = folder
        self._key_folder = key_folder

    def load(self, name: str) -> bytes | None:
        """The entry `name` as it was saved; None where there is none that can be trusted."""
        key = self._key()
        content = _content(self._folder / f"{name}{_SUFFIX}", MOST_BYTES) if key is not None else None
        if content is None or key is None:
            return None
        digest, entry = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return entry if same_digest(digest, _digest(key, name, entry)) else None

    def save(self, name: str, entry: bytes) -> None:
        """Keep an entry under `name` (letters and digits), unless it is too large or cannot be written."""
        if len(entry) > MOST_BYTES - _DIGEST_BYTES:
            return
        with contextlib.suppress(OSError):
            key = self._key() or self._new_key()
            self._prepare()
            _write(self._folder / f"{name}{_SUFFIX}", _digest(key, name, entry) + entry)
            self._bound()

    def _prepare(self) -> None:
        """Make the folder; OSError where something else is in its place, as a link to somebody's folder would be."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._folder)
        if not stat.S_ISDIR(os.lstat(self._folder).st_mode):
            raise NotADirectoryError(self._folder)
        known = {_KEY_FILE, ".gitignore", "CACHEDIR.TAG"}
        if not all(name in known or name.endswith((_SUFFIX, _TEMPORARY)) for name in os.listdir(self._folder)):
            return  # What somebody keeps there besides is to be seen by git and by backups.
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            with contextlib.suppress(FileExistsError), open(self._folder / name, "x", encoding="ascii") as file:
                file.write(text)

    def _bound(self) -> None:
        """Remove the oldest entries where there are too many, and what was never finished."""
        left, room = MOST_ENTRIES, MOST_BYTES_OF_ALL
        now = time.time()
        for path, status in sorted(self._files(), key=lambda one: one[1].st_mtime, reverse=True):
            if path.endswith(_TEMPORARY):
                gone = now - status.st_mtime > _STALE
            else:
                left, room = left - 1, room - status.st_size
                gone = left < 0 or room < 0
            if gone:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(self._folder) as found:
            for entry in found:
                if entry.name.endswith((_SUFFIX, _TEMPORARY)):
                    with contextlib.suppress(OSError):
                        yield entry.path, entry.stat(follow_symlinks=False)

    def _key(self) -> bytes | None:
        key = _content(self._key_folder / _KEY_FILE, _KEY_BYTES)
        return key if key is not None and len(key) == _KEY_BYTES else None

    def _new_key(self) -> bytes:
        os.makedirs(self._key_folder, mode=0o700, exist_ok=True)
        key = os.urandom(_KEY_BYTES)
        _write(self._key_folder / _KEY_FILE, key)
        # Of two runs at once the last one's counts.
        return self._key() or key


def _digest(key: bytes, name: str, entry: bytes) -> bytes:
    made = blake2b(name.encode(), key=key, digest_size=_DIGEST_BYTES)
    made.update(b"\0")
    made.update(entry)
    return made.digest()


def _content(path: Path, most: int) -> bytes | None:
    """The bytes of a regular file of at most `most` bytes; None for anything else. Never blocks."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        with open(os.open(path, flags), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > most:
                return None
            return file.read(status.st_size)
    except (OSError, ValueError):
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all; only this user may read it."""
    temporary = path.with_name(f"{os.urandom(8).hex()}{_TEMPORARY}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise

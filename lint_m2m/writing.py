"""How bytes get into a file: whoever reads it, or finds it after the machine stopped, has the old ones or the new ones.

Everything that lint-m2m writes goes through here: migrations, baselines, reports. The new bytes are written to a
temporary file beside the place, flushed to the disk and moved there in one step. That file's name begins with a dot and
ends in ``.tmp``: where a killed process leaves it behind, neither Django nor lint-m2m takes it for a migration.

Functions raise OSError, ValueError for a path with a NUL.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# How long another process may write before this one gives up, in seconds, and how often it looks.
PATIENCE: Final = 10.0
_PERIOD: Final = 0.01


def replace(place: Path, data: bytes) -> None:
    """Put `data` into the file `place`, new or not."""
    temporary = prepare(place, data)
    try:
        os.replace(temporary, place)
    except BaseException:
        discard(temporary)
        raise
    flush(place.parent)


def append(file: Path, data: bytes) -> None:
    """Add `data` to what others have written into a file, new or not; all of it or nothing."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        before = os.fstat(descriptor).st_size
        try:
            _write(descriptor, data)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def require_writable(place: Path) -> None:
    """PermissionError where a file says that it is not to be written.

    Moving another one into its place would need no permission to write to this one, and root needs none at all.
    """
    try:
        mode = os.stat(place).st_mode
    except FileNotFoundError:
        return
    if not stat.S_IMODE(mode) & 0o222:
        raise PermissionError(errno.EACCES, "it is read-only", str(place))
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))


def prepare(place: Path, data: bytes) -> Path:
    """A temporary file with `data`, on the disk for good, that only has to be moved to `place`.

    It has the mode of the file that is there and, as far as allowed, its owner and group; without one, those of any new
    file.
    """
    require_writable(place)
    temporary = _beside(place)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    # 0o666 is narrowed by the umask.
    descriptor = os.open(temporary, flags, 0o666)
    try:
        try:
            # Before there is anything in it that not everybody may read.
            with suppress(FileNotFoundError):
                _resemble(temporary, os.stat(place))
            _write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        discard(temporary)
        raise
    return temporary


def spare(place: Path, data: bytes) -> Path:
    """A temporary file that is what `place` is now, with `data` in it: to be moved back there.

    A second name for the same file where there can be one, so that it takes no room on the disk.
    """
    temporary = _beside(place)
    try:
        os.link(place, temporary)
    except (OSError, NotImplementedError):
        return prepare(place, data)
    return temporary


def move_new(temporary: Path, place: Path) -> None:
    """Move a prepared file to where there is none. FileExistsError where there is one by now."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # No file has two names there. What was looked for a moment ago has to do.
        if os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from None
        os.replace(temporary, place)
    else:
        discard(temporary)


def discard(temporary: Path) -> None:
    """Take a temporary file away, if it is there."""
    with suppress(OSError):
        os.unlink(temporary)


def flush(folder: Path) -> None:
    """Make sure that a folder's entries are on the disk, where a system can do that for folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this lasts, no other process is in here with the same folder. TimeoutError where one does not leave.

    The folder itself is locked, so that nothing is left behind. Where that cannot be done (Windows, some network disks)
    nobody waits: those who write compare what is there right before, anyway.
    """
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(errno.ETIMEDOUT, "another process is writing there", str(folder)) from None
                time.sleep(_PERIOD)
            except OSError:
                break
            else:
                break
        yield
    finally:
        os.close(descriptor)


def _beside(place: Path) -> Path:
    return place.with_name(f".lint-m2m.{os.getpid()}.{os.urandom(6).hex()}.tmp")


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _resemble(file: Path, status: os.stat_result) -> None:
    if hasattr(os, "chown"):
        # Whoever may not give a file away may still give it to a group of theirs.
        for user, group in ((-1, status.st_gid), (status.st_uid, -1)):
            with suppress(OSError):
                os.chown(file, user, group)
    os.chmod(file, stat.S_IMODE(status.st_mode))

"""Files before and after: how a text is encoded, and how new bytes get to disk whole or not at all."""

from __future__ import annotations

import os
import stat
import tokenize
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lint_m2m.errors import LintM2MError, reason_of
from lint_m2m.readers.source import SourceError, decode, read_source
from lint_m2m.sequences import Unwritable
from lint_m2m.values import frozen


class RewriteError(LintM2MError):
    """Files that cannot be written; none of them has changed, unless the message says otherwise."""


@frozen
class FileChange:
    """A file of the project in `root` and its bytes; `before` is ``None`` for one that is not there yet.

    `path` is how reports call it.
    """

    root: Path
    file: Path
    path: str
    before: bytes | None
    after: bytes
    encoding: str = "utf-8"


@frozen
class SourceText:
    """A source file's text, with what it takes to make its bytes again."""

    text: str
    encoding: str

    def encoded(self, text: str) -> bytes:
        """The bytes of another text for the same file. Unwritable where its encoding has no such characters."""
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            sign = text[error.start : error.start + 1]
            raise Unwritable(f"its encoding, {self.encoding}, has no {sign!a}") from None


def source_text(source: bytes) -> SourceText:
    """The text of a source file. Unwritable where its bytes do not come back from the text."""
    try:
        text = decode(source)
        lines = iter(source.split(b"\n", 2)[:2])
        encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
        same = text.encode(encoding) == source
    except (SourceError, SyntaxError, UnicodeError) as error:
        raise Unwritable(f"it cannot be decoded ({error})") from None
    if not same:
        raise Unwritable(f"its encoding, {encoding}, does not give the same bytes again")
    return SourceText(text=text, encoding=encoding)


def read(file: Path) -> bytes:
    """The bytes of a source file. Unwritable where it cannot be read."""
    try:
        return read_source(file)
    except SourceError as error:
        raise Unwritable(f"it cannot be read ({error})") from None


def place_of(file: Path, root: Path) -> Path:
    """Where a file really lies, links followed. RewriteError where that is not in the project."""
    real = Path(os.path.realpath(file))
    inside = Path(os.path.realpath(root))
    if not real.is_relative_to(inside):
        raise RewriteError("a link leads out of the project, so it is not written", path=str(file))
    return real


def write(changes: Sequence[FileChange]) -> None:
    """Write all files or none.

    Each is written beside its place, flushed to the disk and moved there in one step: a reader, or a machine that
    stops, sees the old file or the new one. The mode and, where allowed, the owner stay. When one of several cannot be
    moved, those that were are put back.

    Raises RewriteError: a file is no longer as it was read, a link leads out of the project, the disk refuses.
    """
    places = [*_places(changes)]
    for change, place in places:
        _require_unchanged(change, place)
    prepared: list[tuple[FileChange, Path, Path]] = []
    done: list[tuple[FileChange, Path]] = []
    try:
        for change, place in places:
            prepared.append((change, place, _beside(place, change.after)))
        # As late as can be: an editor may have saved in the meantime.
        for change, place in places:
            _require_unchanged(change, place)
        for change, place, temporary in prepared:
            done.append((change, place))
            os.replace(temporary, place)
    except BaseException as error:
        stranded = [*_restored(done)]
        for _, _, temporary in prepared:
            with suppress(OSError):
                os.unlink(temporary)
        if stranded:
            raise RewriteError(f"could not be put back after an error ({error})", path=", ".join(stranded)) from error
        if isinstance(error, OSError):
            named = error.filename if isinstance(error.filename, str) else None
            raise RewriteError(f"cannot be written: {reason_of(error)}; nothing has changed", path=named) from error
        raise
    for folder in {place.parent for _, place in places}:
        _flush(folder)


def _places(changes: Sequence[FileChange]) -> Iterator[tuple[FileChange, Path]]:
    """The changes and where their files really lie, each file once."""
    seen: dict[Path, FileChange] = {}
    for change in changes:
        place = place_of(change.file, change.root)
        known = seen.setdefault(place, change)
        if known is change:
            yield change, place
        elif known.after != change.after:
            raise RewriteError(f"is the same file as `{known.path}`, which changes otherwise", path=change.path)


def _require_unchanged(change: FileChange, place: Path) -> None:
    if change.before is None:
        if os.path.lexists(place):
            raise RewriteError("there is a file of that name by now; nothing has changed", path=change.path)
        return
    try:
        same = read_source(place) == change.before
    except SourceError as error:
        raise RewriteError(f"cannot be read any more: {error}; nothing has changed", path=change.path) from None
    if not same:
        raise RewriteError("has changed since it was read: run it again; nothing has changed", path=change.path)
    # Moving another file into its place would need no permission to write to this one.
    if not os.access(place, os.W_OK):
        raise RewriteError("is not to be written; nothing has changed", path=change.path)


def _beside(place: Path, data: bytes) -> Path:
    """A new file in the folder of `place` with its mode and owner, on the disk for good."""
    temporary = place.with_name(f".{place.name[:100]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    # 0o666 is narrowed by the umask, as for any new file.
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with open(descriptor, "wb") as stream:
            with suppress(FileNotFoundError):
                status = os.stat(place)
                if hasattr(os, "chown"):
                    with suppress(OSError):
                        os.chown(temporary, status.st_uid, status.st_gid)
                os.chmod(temporary, stat.S_IMODE(status.st_mode))
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary


def _restored(done: Sequence[tuple[FileChange, Path]]) -> Iterator[str]:
    """Put back what was moved, or may have been, and yield the paths where that failed."""
    for change, place in reversed(done):
        try:
            if change.before is None:
                if os.path.lexists(place) and read_source(place) == change.after:
                    os.unlink(place)
            elif read_source(place) != change.before:
                os.replace(_beside(place, change.before), place)
        except (OSError, SourceError):
            yield change.path


def _flush(folder: Path) -> None:
    """Make sure that the folder's entries are on the disk, where a system can do that for folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

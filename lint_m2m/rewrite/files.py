"""Files before and after: how a text is encoded, and how new bytes get to disk whole or not at all."""

from __future__ import annotations

import os
import tokenize
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from lint_m2m.errors import LintM2MError, reason_of
from lint_m2m.interrupts import interrupts_wait
from lint_m2m.readers.source import SourceError, decode, read_source
from lint_m2m.sequences.source import Unwritable
from lint_m2m.values import frozen
from lint_m2m.writing import alone, discard, move_new, prepare, require_writable, spare
from lint_m2m.writing import flush as flush_folder


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
    """Write all files or none, in the order given.

    Each is written beside its place, flushed to the disk and moved there in one step: a reader, or a machine that
    stops, sees the old file or the new one. The mode and, where allowed, the owner stay. When one of several cannot be
    moved, those that were are put back, which takes no room on the disk. A process that is killed in between leaves
    the first ones new and the others old: put first what the others count on. Ctrl-C waits until all is done. Of two
    processes that write into one project, one waits for the other, and then finds that it has changed.

    Raises RewriteError: a file is no longer as it was read, is read-only, a link leads out of the project, the disk
    refuses.
    """
    places = [*_places(changes)]
    for change, place in places:
        _require_unchanged(change, place)
    with ExitStack() as stack:
        for root in sorted({os.path.realpath(change.root) for change in changes}):
            try:
                stack.enter_context(alone(Path(root)))
            except TimeoutError as error:
                raise RewriteError(f"{reason_of(error)}; nothing has changed", path=root) from None
        with interrupts_wait():
            _write(places)


def _write(places: Sequence[tuple[FileChange, Path]]) -> None:
    new: list[Path] = []
    old: list[Path | None] = []
    begun = 0
    change = None
    try:
        for change, place in places:
            new.append(prepare(place, change.after))
        for change, place in places:
            # What would be put back if one after it could not be moved.
            last = place is places[-1][1]
            old.append(None if last or change.before is None else spare(place, change.before))
        for (change, place), temporary in zip(places, new, strict=True):
            # As late as can be: an editor may have saved in the meantime.
            _require_unchanged(change, place)
            if change.before is None:
                move_new(temporary, place)
            begun += 1
            if change.before is not None:
                os.replace(temporary, place)
    except BaseException as error:
        stranded = [*_restored(places[:begun], old)]
        if stranded:
            raise RewriteError(f"could not be put back after an error ({error})", path=", ".join(stranded)) from error
        if isinstance(error, OSError) and change is not None:
            reason = f"cannot be written: {reason_of(error)}; nothing has changed"
            raise RewriteError(reason, path=change.path) from error
        raise
    finally:
        for one in (*new, *old):
            if one is not None:
                discard(one)
    for folder in {place.parent for _, place in places}:
        flush_folder(folder)


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
    try:
        require_writable(place)
    except OSError as error:
        raise RewriteError(f"cannot be written: {reason_of(error)}; nothing has changed", path=change.path) from None


def _restored(moved: Sequence[tuple[FileChange, Path]], old: Sequence[Path | None]) -> Iterator[str]:
    """Put back what was moved, or may have been, last first, and yield the paths where that failed.

    What somebody has written since is theirs.
    """
    for (change, place), spared in zip(reversed(moved), reversed(old[: len(moved)]), strict=True):
        try:
            if change.before is None:
                if os.path.lexists(place) and read_source(place) == change.after:
                    os.unlink(place)
            elif read_source(place) == change.after:
                os.replace(spared or prepare(place, change.before), place)
        except (OSError, SourceError):
            yield change.path

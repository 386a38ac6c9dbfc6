"""What would change, as unified diffs that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from lint_m2m.rewrite.files import FileChange

_NO_NEWLINE = b"\\ No newline at end of file\n"


def diff(changes: Iterable[FileChange]) -> bytes:
    """The unified diffs of all changes, by path. Each line is in its file's own encoding."""
    return b"".join(_diff(change) for change in sorted(changes, key=lambda change: change.path))


def _diff(change: FileChange) -> bytes:
    if change.before == change.after:
        return b""
    old, new = _name(f"a/{change.path}"), _name(f"b/{change.path}")
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        [] if change.before is None else _lines(change.before),
        _lines(change.after),
        old if change.before is not None else b"/dev/null",
        new,
    )
    head = b"" if change.before is not None else b"diff --git " + old + b" " + new + b"\nnew file mode 100644\n"
    return head + b"".join(_whole(lines))


def _name(path: str) -> bytes:
    """A file's name as git writes it: in quotes where it has signs that a line of a diff cannot have."""
    raw = path.encode("utf-8", "surrogateescape")
    if not any(byte < 32 or byte in b'"\\\x7f' for byte in raw):
        return raw
    return b'"' + b"".join(b"\\%03o" % byte if byte < 32 or byte in b'"\\\x7f' else b"%c" % byte for byte in raw) + b'"'


def _lines(source: bytes) -> list[bytes]:
    """Lines with their ends; as for diff itself, a line ends at a line feed and nowhere else."""
    pieces = source.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.endswith(b"\n"):
            yield line
        else:
            yield line + b"\n"
            yield _NO_NEWLINE

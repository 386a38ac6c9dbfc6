"""The files that findings point at, read once for all who ask for their lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lint_m2m.readers.source import SourceError, decode, read_source, split_lines


class Files:
    """Source by path relative to `root`. A file that cannot be read is ``None``: a finding has said so already.

    `overlay` holds bytes that count instead of what is on disk, by absolute path.
    """

    def __init__(self, root: Path, overlay: Mapping[Path, bytes] | None = None) -> None:
        self._root = root
        self._prefix = os.path.join(root, "")
        self._overlay = overlay
        self._lines: dict[str, Sequence[str] | None] = {}

    def source(self, path: str) -> bytes | None:
        """The bytes of a file; not kept."""
        try:
            if self._overlay:
                return read_source(self._root / path, self._overlay)
            return read_source(f"{self._prefix}{path}")
        except SourceError:
            return None

    def lines(self, path: str) -> Sequence[str] | None:
        """The lines of a file without their ends, counted as Python's parser counts."""
        if path not in self._lines:
            source = self.source(path)
            self._lines[path] = (
                None if source is None else [line.rstrip("\r\n") for line in split_lines(text_of(source))]
            )
        return self._lines[path]


def text_of(source: bytes) -> str:
    """The text of a source file; where its encoding is broken, what can be told of it."""
    try:
        return decode(source)
    except SourceError:
        return source.decode("utf-8", "backslashreplace")

"""Migrations that were read briefly, read whole: for whoever needs the operations that are only `Recognised`."""

from __future__ import annotations

from functools import cached_property

from lint_m2m.migration import Migration
from lint_m2m.readers.context import FileLike, LayoutLike, ReadContext
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.plain import read_plain


class Whole:
    """Reads migrations of one project again."""

    def __init__(self, layout: LayoutLike, options: ReadOptions) -> None:
        self._layout = layout
        self._options = options

    @cached_property
    def _files(self) -> dict[str, FileLike]:
        return {file.path: file for file in self._layout.files}

    @cached_property
    def _context(self) -> ReadContext:
        return ReadContext(self._layout, self._options)

    def __call__(self, migration: Migration) -> Migration:
        """The migration with all of its operations; the same where it has them already."""
        if migration.text is None:
            return migration
        read = read_plain(self._files[migration.path], migration.text, self._context)
        assert read is not None  # what is recognised is plain
        return read

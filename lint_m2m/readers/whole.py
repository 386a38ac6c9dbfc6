"""Migrations that were read briefly: the rest of them, for whoever needs operations that are only `Recognised`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from lint_m2m.migration import Migration
from lint_m2m.readers.context import FileLike, LayoutLike, ReadContext
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.plain import take_apart


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

    def __call__(self, migration: Migration, numbers: Iterable[int] | None = None) -> Migration:
        """The migration with all of its operations, or with those of `numbers` at least; the same if it has them."""
        if migration.text is None:
            return migration
        if numbers is None:
            numbers = range(len(migration.operations))
        return take_apart(self._files[migration.path], migration, numbers, self._context)

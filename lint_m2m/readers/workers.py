"""Reading spread over processes: the files are cut into pieces, and who is free reads the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final, TypeVar

from lint_m2m.processes import spread

_File = TypeVar("_File")
_Result = TypeVar("_Result")

# For fewer files a process is not worth it: what it reads has to be carried over.
FEWEST: Final = 60
# The first pieces are large, since each costs something, and the last so small that all processes end at about the
# same time: of what is left for each process, a piece is one of so many parts, but for so many files at least, and so
# much of all.
_PARTS: Final = 3
_SMALLEST: Final = 10
_MOST: Final = 500


def read_all(
    files: Sequence[_File],
    read: Callable[[_File], _Result],
    jobs: int,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[_Result]:
    """What `read` makes of each file, in their order, by at most `jobs` processes; `meanwhile`: see `spread`."""
    parts = min(jobs, len(files) // FEWEST)
    if parts < 2:
        return [read(file) for file in files]
    pieces = list(_pieces(files, parts * _PARTS))

    def read_piece(number: int) -> list[_Result]:
        return [read(file) for file in pieces[number]]

    return list(chain.from_iterable(spread(len(pieces), read_piece, parts, meanwhile)))


def _pieces(files: Sequence[_File], parts: int) -> Iterator[Sequence[_File]]:
    """The files, cut so that each piece is one of `parts` parts of what is left."""
    start, least = 0, max(_SMALLEST, len(files) // _MOST)
    while start < len(files):
        end = start + max(least, (len(files) - start) // parts)
        yield files[start:end]
        start = end

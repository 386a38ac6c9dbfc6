"""Reading spread over processes: the files are cut into pieces, and who is free reads the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final, TypeVar

from lint_m2m.processes import MOST_PIECES, spread

_File = TypeVar("_File")
_Result = TypeVar("_Result")

# For fewer files a process is not worth it: what it reads has to be carried over.
FEWEST: Final = 60
# Pieces for each process: as many as it takes for all to end at about the same time.
_PIECES: Final = 8


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
    size = -(-len(files) // min(parts * _PIECES, MOST_PIECES))
    pieces = [files[start : start + size] for start in range(0, len(files), size)]

    def read_piece(number: int) -> list[_Result]:
        return [read(file) for file in pieces[number]]

    return list(chain.from_iterable(spread(len(pieces), read_piece, parts, meanwhile)))

"""On which line of a TOML file a key stands: `tomllib` does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED: Final = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER: Final = rf"\s*\[\s*({_DOTTED})\s*\]"
_ENTRY: Final = rf"\s*({_DOTTED})\s*=\s*(.*)"
_LONG_STRING: Final = '"""|' + "'''"

Path = tuple[str, ...]


def line_of(text: str, path: Path) -> int | None:
    """The line where `path` (("tool", "lint-m2m", "select")) is set, else that of the nearest table around it.

    Good enough to help the eye: a key inside an inline table is found at that table.
    """
    found = _lines(text)
    while path:
        if path in found:
            return found[path]
        path = path[:-1]
    return None


@lru_cache(maxsize=2)
def _lines(text: str) -> dict[Path, int]:
    return dict(reversed([*_keys(text)]))  # the first one wins


def _keys(text: str) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    inside: str | None = None  # the quotes of a string over several lines
    for number, line in enumerate(text.split("\n"), start=1):
        if inside is not None:
            inside = None if inside in line else inside
            continue
        if header := re.match(_HEADER, line):
            table = _parts(header[1])
            yield table, number
        elif entry := re.match(_ENTRY, line):
            yield (*table, *_parts(entry[1])), number
            opened = re.match(_LONG_STRING, entry[2])
            if opened and entry[2].count(opened[0]) == 1:
                inside = opened[0]


def _parts(dotted: str) -> Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_KEY, dotted))

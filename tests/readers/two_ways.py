"""Plain migrations are read from their text; what comes out must be what their tree says, to the last span."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import zip_longest

from lint_m2m.readers.context import FileLike
from lint_m2m.readers.plain import read_plain
from lint_m2m.readers.source import SourceError, decode
from lint_m2m.readers.static import ReadContext, read_tree


def assert_same_in_both_ways(file: FileLike, data: bytes, context: Callable[[], ReadContext]) -> bool:
    """Fails if the text and the tree of `data` say different things; returns whether the text is plain."""
    try:
        text = decode(data)
    except SourceError:
        return False
    plain = read_plain(file, text, context())
    if plain is None:
        return False
    try:
        tree: object = read_tree(file, text, context())
    except SourceError as error:
        tree = error
    found = list(differences(plain, tree))
    assert not found, found[:3]
    return True


def differences(one: object, other: object, where: str = "migration") -> Iterator[str]:
    """Where two values differ, positions included: those take no part in ``==``."""
    if type(one) is not type(other):
        yield f"{where}: {one!r} is not {other!r}"
    elif dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            yield from differences(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    elif isinstance(one, tuple) and isinstance(other, tuple):
        for index, (left, right) in enumerate(zip_longest(one, other)):
            yield from differences(left, right, f"{where}[{index}]")
    elif one != other:
        yield f"{where}: {one!r} is not {other!r}"

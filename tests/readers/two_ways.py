"""Plain migrations are read from their text; what comes out must be what their tree says, to the last span."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest

from lint_m2m.migration import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterTogether,
    Field,
    Migration,
    Operation,
    Recognised,
    RemoveField,
)
from lint_m2m.readers.context import FileLike
from lint_m2m.readers.plain import read_plain, take_apart
from lint_m2m.readers.plain.grammar import Source
from lint_m2m.readers.source import SourceError, decode
from lint_m2m.readers.static import ReadContext, read_tree


def assert_same_in_both_ways(file: FileLike, data: bytes, context: Callable[[], ReadContext]) -> bool:
    """Fails if the text and the tree of `data` say different things; returns whether the text is plain.

    So does what is only recognised of it where somebody asks to be brief.
    """
    try:
        text = decode(data)
    except SourceError:
        return False
    plain = read_plain(file, text, context())
    brief = read_plain(file, text, context(), brief=True)
    assert (plain is None) == (brief is None)
    if plain is None or brief is None:
        return False
    found = list(mistaken(plain, brief, text))
    found += differences(plain, take_apart(file, brief, range(len(brief.operations)), context()))
    assert not found, found[:3]
    try:
        tree: object = read_tree(file, text, context())
    except SourceError as error:
        tree = error
    found = list(differences(plain, tree))
    assert not found, found[:3]
    return True


def mistaken(whole: Migration, brief: Migration, text: str) -> Iterator[str]:
    """Where a migration that was read briefly says something else than the same one read whole."""
    yield from differences(replace(whole, operations=()), replace(brief, operations=(), text=None))
    assert brief.text == (text if any(isinstance(one, Recognised) for one in brief.operations) else None)
    for index, (one, other) in enumerate(zip(brief.operations, whole.operations, strict=True)):
        if not isinstance(one, Recognised):
            yield from differences(one, other, f"operations[{index}]")
        elif told(other) != (one.kind, one.model_name, one.name, one.to, one.labels, sorted(one.fields)):
            yield f"operations[{index}]: {one!r} is not {other!r}"
        elif other.span != Source(text).span(one.start, one.end):
            yield f"operations[{index}]: it is elsewhere, at {other.span}"
        elif isinstance(other, AddField | AlterField) and not (other.field.is_plain_column or other.field.is_plain_key):
            yield f"operations[{index}]: {other.field!r} is not plain"


def told(operation: Operation) -> tuple[object, ...] | None:
    """What a `Recognised` operation says; None for what none says."""
    match operation:
        case AddField() | AlterField() | RemoveField():
            return type(operation), operation.model_name, operation.name, to_of(operation), (), []
        case AlterModelOptions(managed=True):
            return type(operation), operation.name, "", None, (), []
        case AlterTogether(value=frozenset()) if all(len(one) > 1 for one in operation.value):
            names = sorted(name for some in operation.value for name in some)
            return type(operation), operation.name, operation.option_name, None, (), names
        case AddIndex(index=made) | AddConstraint(constraint=made):
            return type(operation), operation.model_name, "", None, (made.name,), sorted(made.fields)
    return None


def to_of(operation: Operation) -> object:
    field = getattr(operation, "field", None)
    return field.relation.to if isinstance(field, Field) and field.relation is not None else None


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

"""Where in the source the operations that Django has stand: where the static reader found the same ones.

What Django has decides about values, the source about places. An operation that the source does not show (it comes out
of a loop over something only running tells) has the place of the operations list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

from lint_m2m.migration import ConditionalOperations, Migration, NamedField, Operation, ReaderGap, Span

# The operations in an operation.
_INNER: Final = ("database_operations", "state_operations")


def placed(live: Migration, static: Migration, fallback: Span | None) -> Migration:
    """`live` with the places of `static`; `fallback` for operations that have none."""
    operations = _aligned(live.operations, static.operations, fallback)
    same = len(live.dependencies) == len(static.dependencies)
    return replace(
        live,
        operations=operations,
        dependencies=_located(live.dependencies, static.dependencies) if same else live.dependencies,
        gaps=tuple(
            gap if gap.span is not None else ReaderGap(gap.reason, gap.unchecked, fallback) for gap in live.gaps
        ),
    )


def _aligned(live: Sequence[Operation], static: Iterable[Operation], fallback: Span | None) -> tuple[Operation, ...]:
    shown = list(_flat(static))
    matcher = SequenceMatcher(None, [*map(_subject, live)], [*map(_subject, shown)], autojunk=False)
    found: list[Operation] = []
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        mine, theirs = live[start:end], shown[other_start:other_end]
        if tag == "equal":
            found += [_operation(one, other, fallback) for one, other in zip(mine, theirs, strict=True)]
            continue
        # One thing in the source that nobody could read, and what it turned out to be.
        spans = [other.span for other in theirs] if len(theirs) == len(mine) else [None] * len(mine)
        if len(theirs) == 1:
            spans = [theirs[0].span] * len(mine)
        found += [_lost(one, span or fallback) for one, span in zip(mine, spans, strict=True)]
    return tuple(found)


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The operations, of all branches where there are several."""
    for operation in operations:
        if isinstance(operation, ConditionalOperations):
            for branch in operation.branches:
                yield from _flat(branch)
        else:
            yield operation


def _subject(operation: Operation) -> tuple[object, ...]:
    """What an operation is about: its class and the names in it."""
    names = ("model_name", "name", "old_name", "new_name", "option_name", "sql")
    return type(operation), *(getattr(operation, name, None) for name in names)


def _operation(live: Operation, static: Operation, fallback: Span | None) -> Operation:
    found: Operation = _located(live, static)
    inner: dict[str, Any] = {
        name: _aligned(getattr(live, name), getattr(static, name), found.span or fallback)
        for name in _INNER
        if hasattr(live, name)
    }
    return replace(found, **inner) if inner else found


def _lost(operation: Operation, span: Span | None) -> Operation:
    inner: dict[str, Any] = {
        name: tuple(_lost(each, span) for each in getattr(operation, name))
        for name in _INNER
        if hasattr(operation, name)
    }
    return replace(operation, span=span, **inner)


def _located(live: Any, static: Any) -> Any:
    """`live` with all that does not take part in comparisons from `static`, where that is the same kind of value."""
    if live == static:
        return static
    if isinstance(live, tuple) and isinstance(static, tuple) and not hasattr(live, "_fields"):
        if live and all(isinstance(each, NamedField) for each in (*live, *static)):
            by_name = {each.name: each for each in static}
            return tuple(_located(each, by_name.get(each.name)) for each in live)
        if len(live) == len(static):
            return tuple(_located(one, other) for one, other in zip(live, static, strict=True))
    if type(live) is not type(static) or not is_dataclass(live) or isinstance(live, type):
        return live
    changed: dict[str, Any] = {}
    for name, compared in _attributes(live.__class__):
        mine, other = getattr(live, name), getattr(static, name)
        changed[name] = _located(mine, other) if compared else other
    return replace(live, **changed)


@cache
def _attributes(cls: type) -> tuple[tuple[str, bool], ...]:
    return tuple((field.name, field.compare) for field in fields(cls))

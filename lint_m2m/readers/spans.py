"""Positions: `ast` counts columns in UTF-8 bytes from 0, a `Span` in characters from 1."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from lint_m2m.migration import Span
from lint_m2m.readers.modules import Module

if TYPE_CHECKING:
    from collections.abc import Callable

# What `Span(…)` does, without the Python function in between: five spans for each operation are the rule.
_span: Callable[[tuple[int, int, int, int]], Span] = partial(tuple.__new__, Span)


def span_of(node: ast.expr | ast.keyword | ast.stmt, module: Module) -> Span:
    """Where `node` of `module` stands."""
    if module.ascii:
        return _span((node.lineno, node.col_offset + 1, node.end_lineno or 0, (node.end_col_offset or 0) + 1))
    return span_between(node, node, module)


def span_between(
    first: ast.expr | ast.keyword | ast.stmt, last: ast.expr | ast.keyword | ast.stmt, module: Module
) -> Span:
    """From the beginning of `first` to the end of `last`."""
    line, end_line = first.lineno, last.end_lineno or last.lineno
    column, end_column = first.col_offset, last.end_col_offset or last.col_offset
    if module.ascii:
        return Span(line, column + 1, end_line, end_column + 1)
    return Span(line, _characters(module, line, column) + 1, end_line, _characters(module, end_line, end_column) + 1)


def argument_spans(call: ast.Call, parameters: tuple[str, ...], module: Module) -> tuple[tuple[str, Span], ...]:
    """The spans of the arguments of `call`, positional ones named by `parameters`."""
    if call.args:
        spans = [(name, span_of(node, module)) for node, name in zip(call.args, parameters, strict=False)]
    else:
        spans = []
    if module.ascii:
        spans += [
            (word.arg, _span((word.lineno, word.col_offset + 1, word.end_lineno or 0, (word.end_col_offset or 0) + 1)))
            for word in call.keywords
            if word.arg is not None
        ]
    else:
        spans += [(word.arg, span_between(word, word, module)) for word in call.keywords if word.arg is not None]
    return tuple(spans)


def _characters(module: Module, line: int, offset: int) -> int:
    """How many characters the first `offset` bytes of a line are."""
    text = module.lines[line - 1] if line <= len(module.lines) else ""
    return offset if text.isascii() else len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))

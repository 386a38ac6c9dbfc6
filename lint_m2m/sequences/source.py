"""The user's own files as a source of code: slices, imports, names that are taken, and how the file is written."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache

from lint_m2m.migration import Span
from lint_m2m.readers.source import SourceError, parse_tolerant, split_lines
from lint_m2m.sequences.values import Style
from lint_m2m.values import NamedTuple

_LIMITS = (88, 100, 120)
_STRING = re.compile(r"""(?<![\w"'])[A-Za-z]{0,2}(["'])(?!\1\1)""")


class Unwritable(Exception):
    """Code for this situation cannot be written, and why: the sequence is not proposed."""


class Comment(NamedTuple):
    """A comment, where it begins in the text, and whether it has its line to itself."""

    start: int
    text: str
    alone: bool


class SourceFile:
    """A file's text, parsed once. Positions are offsets in `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = split_lines(text)
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        self._starts = starts

    @cached_property
    def tree(self) -> ast.Module:
        """Unwritable for what cannot be parsed."""
        try:
            return parse_tolerant(self.text).tree
        except SourceError as error:
            raise Unwritable(str(error)) from None

    def offset(self, line: int, column: int) -> int:
        """The offset of a position as a `Span` counts: both from 1, in characters."""
        return self._starts[min(line, len(self._starts)) - 1] + column - 1

    def range(self, span: Span) -> tuple[int, int]:
        return self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)

    def slice(self, span: Span) -> str:
        start, end = self.range(span)
        return self.text[start:end]

    def bounds(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """Where a node begins and ends; `ast` counts columns in bytes."""
        return (
            self._byte_offset(node.lineno, node.col_offset),
            self._byte_offset(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def segment(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        start, end = self.bounds(node)
        return self.text[start:end]

    def node_at(self, span: Span) -> ast.expr:
        """The expression that stands exactly at `span`."""
        wanted = self.range(span)
        node = self._expressions.get(wanted)
        if node is None:
            raise Unwritable("the definition was not found in its file")
        return node

    @cached_property
    def _expressions(self) -> dict[tuple[int, int], ast.expr]:
        found: dict[tuple[int, int], ast.expr] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.expr):
                found.setdefault(self.bounds(node), node)
        return found

    def _byte_offset(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if text.isascii():
            return start + column
        return start + len(text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    def column(self, offset: int) -> int:
        """How many characters stand before `offset` in its line."""
        return offset - self._starts[bisect_right(self._starts, offset) - 1]

    def line_start(self, offset: int) -> int:
        return offset - self.column(offset)

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        found: list[Comment] = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(self._plain_ends, newline="").readline):
                if token.type == tokenize.COMMENT:
                    line, column = token.start
                    start = self._starts[line - 1] + column
                    alone = not self.lines[line - 1][:column].strip()
                    found.append(Comment(start, token.string.rstrip(), alone))
        except (tokenize.TokenError, SyntaxError):
            raise Unwritable("the tokens of its file cannot be told apart") from None
        return tuple(found)

    @cached_property
    def _plain_ends(self) -> str:
        return "".join(line.rstrip("\r\n") + "\n" for line in self.lines)

    # -- names

    @cached_property
    def imports(self) -> dict[str, str]:
        """Name in the file -> the statement that binds it alone ("from django.db import models")."""
        found: dict[str, str] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    statement = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                    # `import django.db.models.deletion` and `import django.utils.timezone` bind one name.
                    found[bound] = f"{found[bound]}\n{statement}" if bound in found else statement
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    renamed = f" as {alias.asname}" if alias.asname else ""
                    found[alias.asname or alias.name] = f"from {module} import {alias.name}{renamed}"
        return found

    @cached_property
    def top_names(self) -> frozenset[str]:
        """Every name that the file's top level binds."""
        found = set(self.imports)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
        return frozenset(found)

    def local_name(self, module: str, name: str) -> str | None:
        """What the file calls `name` of `module`, if it imports it."""
        for bound, statement in self.imports.items():
            if statement in (f"from {module} import {name}", f"from {module} import {name} as {bound}"):
                return bound
        return None


@lru_cache(maxsize=64)
def source_file(text: str) -> SourceFile:
    """The parsed form of a text, made once."""
    return SourceFile(text)


def names_in(node: ast.AST) -> Iterator[str]:
    """The names that an expression reads."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id


@lru_cache(maxsize=64)
def style_of(text: str) -> Style:
    """How a file is written: its quotes, the line length it keeps, its line ends."""
    lines = split_lines(text)
    # What makemigrations writes keeps no limit, and nobody has formatted it where the quotes are still Python's own.
    raw = text.startswith("# Generated by Django")
    longest = max((len(line.rstrip("\r\n").expandtabs()) for line in lines), default=0)
    quotes = Counter(_STRING.findall("\n".join(line.partition("#")[0] for line in lines)))
    ends = Counter(line[len(line.rstrip("\r\n")) :] for line in lines if line.endswith(("\r", "\n")))
    quote = "'" if quotes["'"] > quotes['"'] else '"'
    return Style(
        quote=quote,
        line_length=None if raw and quote == "'" else next((limit for limit in _LIMITS if longest <= limit), None),
        line_end=ends.most_common(1)[0][0] if ends else "\n",
    )

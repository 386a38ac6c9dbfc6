"""Expressions laid out as black and ruff lay them out: one line where it fits, else one element a line.

`Node` is an expression to be laid out: a bracket with its items, or text that stays as it is. `parse_node` makes one of
the user's own source, quotes and comments kept; `call`, `items` and `text` make new ones. What is broken into lines
always ends in a comma, so it is stable under formatters whatever their line length.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable
from typing import Final, TypeAlias

from lint_m2m.sequences.source import Comment, SourceFile
from lint_m2m.values import frozen, replace

INDENT: Final = 4


@frozen
class Text:
    """Source that is not taken apart. Further lines are moved with the first; `margin` is where that stood."""

    text: str
    margin: int = 0


@frozen
class Item:
    """An element of a bracket. `prefix` is ``name=`` or ``"key": ``; `above` and `beside` are comments."""

    value: Node
    prefix: str = ""
    above: tuple[str, ...] = ()
    beside: str = ""

    @property
    def name(self) -> str:
        """The keyword, or the key's text, of this item; empty for a plain one."""
        return self.prefix.removesuffix("=").removesuffix(": ")


@frozen
class Bracket:
    """``opening item, item, closing``; `opening` includes what is called. `exploded`: one item a line in any case."""

    opening: str
    items: tuple[Item, ...]
    closing: str
    exploded: bool = False
    beside: str = ""  # a comment behind the opening bracket
    below: tuple[str, ...] = ()  # comments after the last item

    def item(self, name: str) -> Item | None:
        """The item with that keyword."""
        return next((one for one in self.items if one.prefix == f"{name}="), None)

    def with_item(self, item: Item) -> Bracket:
        """With the keyword `item`: in the place of the old one, else where the alphabet puts it."""
        if any(one.prefix == item.prefix for one in self.items):
            return replace(self, items=tuple(item if one.prefix == item.prefix else one for one in self.items))
        place = next(
            (index for index, one in enumerate(self.items) if one.prefix.endswith("=") and one.prefix > item.prefix),
            len(self.items),
        )
        return replace(self, items=(*self.items[:place], item, *self.items[place:]))

    def without(self, *names: str) -> Bracket:
        """Without those keywords."""
        gone = {f"{name}=" for name in names}
        return replace(self, items=tuple(one for one in self.items if one.prefix not in gone))


Node: TypeAlias = Text | Bracket


def text(source: str) -> Text:
    """A name, a constant, or whatever else is one piece."""
    return Text(text=source)


def call(function: str, *arguments: tuple[str, Node] | Node, exploded: bool = False) -> Bracket:
    """``function(value, name=value)``."""
    return Bracket(
        opening=f"{function}(",
        items=tuple(
            Item(prefix=f"{one[0]}=", value=one[1]) if isinstance(one, tuple) else Item(value=one) for one in arguments
        ),
        closing=")",
        exploded=exploded,
    )


def items(opening: str, values: Iterable[Node], closing: str, *, exploded: bool = False) -> Bracket:
    """A list, tuple or set."""
    return Bracket(
        opening=opening, items=tuple(Item(value=value) for value in values), closing=closing, exploded=exploded
    )


def mapping(pairs: Iterable[tuple[str, Node]], *, exploded: bool = False) -> Bracket:
    """A dictionary; keys as they are written."""
    return Bracket(
        opening="{",
        items=tuple(Item(prefix=f"{key}: ", value=value) for key, value in pairs),
        closing="}",
        exploded=exploded,
    )


def lay_out(node: Node, *, indent: int, limit: int | None, before: int = 0, after: int = 0) -> str:
    """The text of `node` where lines are indented by `indent`; the first one is not.

    `before` is how much stands in front of it on its first line beyond the indentation, `after` what follows its last.
    """
    flat = _flat(node)
    if flat is not None and (limit is None or indent + before + len(flat) + after <= limit):
        return flat
    if isinstance(node, Text):
        return _moved(node, indent)
    if not node.items and not node.below and not node.beside:
        return f"{node.opening}{node.closing}"
    inner = " " * (indent + INDENT)
    lines = [f"{node.opening}  {node.beside}" if node.beside else node.opening]
    for item in node.items:
        lines += [inner + comment for comment in item.above]
        value = lay_out(item.value, indent=indent + INDENT, limit=limit, before=len(item.prefix), after=1)
        beside = f"  {item.beside}" if item.beside else ""
        lines.append(f"{inner}{item.prefix}{value},{beside}")
    lines += [inner + comment for comment in node.below]
    lines.append(" " * indent + node.closing)
    return "\n".join(lines)


def _flat(node: Node) -> str | None:
    """The text on one line; ``None`` where it cannot be."""
    if isinstance(node, Text):
        return None if "\n" in node.text or "\r" in node.text else node.text
    if node.exploded and node.items:
        return None
    if node.below or node.beside:
        return None
    parts = []
    for item in node.items:
        value = _flat(item.value)
        if value is None or item.above or item.beside:
            return None
        parts.append(item.prefix + value)
    single = "," if node.opening == "(" and len(parts) == 1 else ""
    return f"{node.opening}{', '.join(parts)}{single}{node.closing}"


def _moved(node: Text, indent: int) -> str:
    lines = node.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = inside_strings(node.text)
    moved = [lines[0]]
    for number, line in enumerate(lines[1:], start=2):
        if number in kept or not line.strip():
            moved.append(line)
            continue
        own = len(line) - len(line.lstrip(" "))
        moved.append(" " * max(own - node.margin + indent, 0) + line.lstrip(" "))
    return "\n".join(moved)


def inside_strings(source: str) -> set[int]:
    """The lines (from 1) that begin inside a string: their blanks are data."""
    found: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(f"({source}\n)").readline):
            if token.type == tokenize.STRING or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
                found.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return set()
    return found


# The user's own source.


def parse_node(source: SourceFile, node: ast.expr, *, keep_lines: bool = False) -> Node:
    """`node` of `source` to be laid out anew. `keep_lines`: what has several lines keeps having them."""
    return _Reader(source, keep_lines).read(node)


class _Reader:
    def __init__(self, source: SourceFile, keep_lines: bool) -> None:
        self._source = source
        self._keep_lines = keep_lines

    def read(self, node: ast.expr) -> Node:
        start, end = self._source.bounds(node)
        text = self._source.text
        match node:
            case ast.Call():
                opening = text.index("(", self._source.bounds(node.func)[1])
                head = text[start:opening]
                if "\n" in head or "\r" in head:
                    return self._text(start, end)
                parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
                parts.sort(key=lambda part: (part.lineno, part.col_offset))
                return self._bracket(head + "(", opening + 1, end, [self._argument(part) for part in parts])
            case ast.List() | ast.Set():
                return self._bracket(text[start], start + 1, end, [("", element) for element in node.elts])
            case ast.Tuple() if text[start] == "(" and text[end - 1] == ")" and node.elts:
                return self._bracket("(", start + 1, end, [("", element) for element in node.elts])
            case ast.Dict() if all(isinstance(key, ast.Constant) for key in node.keys):
                pairs = [
                    (f"{self._source.segment(key)}: ", value)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if key is not None
                ]
                if all("\n" not in prefix for prefix, _ in pairs):
                    return self._bracket("{", start + 1, end, pairs)
            case _:
                pass
        return self._text(start, end)

    @staticmethod
    def _argument(part: ast.expr | ast.keyword) -> tuple[str, ast.expr]:
        if isinstance(part, ast.keyword):
            return (f"{part.arg}=" if part.arg else "**", part.value)
        return "", part

    def _text(self, start: int, end: int) -> Text:
        line = self._source.line_start(start)
        content = self._source.text[line:start]
        return Text(text=self._source.text[start:end], margin=len(content) - len(content.lstrip(" ")))

    def _bracket(self, opening: str, start: int, end: int, parts: list[tuple[str, ast.expr]]) -> Node:
        """`start` is just inside the bracket, `end` just behind it."""
        source = self._source
        bounds = [source.bounds(value) for _, value in parts]
        comments = [one for one in source.comments if start <= one.start < end]
        comments = [one for one in comments if not any(first <= one.start < last for first, last in bounds)]
        found: list[Item] = []
        beside = next((one for one in comments if not source.text[start : one.start].strip(" \t")), None)
        comments = [one for one in comments if one is not beside]
        before = start
        for (prefix, value), (first, last) in zip(parts, bounds, strict=True):
            above = [one for one in comments if before <= one.start < first]
            behind = self._beside(comments, last, end)
            comments = [one for one in comments if one not in above and one is not behind]
            found.append(
                Item(
                    prefix=prefix,
                    value=self.read(value),
                    above=tuple(one.text for one in above),
                    beside="" if behind is None else behind.text,
                )
            )
            before = last
        inside = source.text[start : end - 1]
        comma = bool(parts) and source.text[bounds[-1][1] : end - 1].lstrip(" \t\r\n)").startswith(",")
        several = "\n" in inside or "\r" in inside
        # The comma of a tuple of one is no sign that it is to stay on several lines.
        single = opening == "(" and len(parts) == 1
        return Bracket(
            opening=opening,
            items=tuple(found),
            closing=source.text[end - 1],
            exploded=(several and (comma or self._keep_lines)) and not single,
            beside="" if beside is None else beside.text,
            below=tuple(one.text for one in comments),
        )

    def _beside(self, comments: list[Comment], last: int, end: int) -> Comment | None:
        """The comment behind an item on the line where it ends."""
        text = self._source.text
        for one in comments:
            if one.start >= last and not one.alone and text[last : one.start].strip(" \t,") == "":
                return one
        return None

"""A module of which only some definitions are wanted: the bodies of its functions and classes are parsed on request.

Migrations take single fields, validators and helpers from modules of thousands of lines. `Outline` parses such a text
with the body of each top-level function and class left out; `fill` parses one of them, in the same node.

Where a top-level statement begins is told by its first character: one in the first column, outside strings, that opens
a definition (brackets cannot enclose ``def`` or ``class``) or closes the one before. Whatever does not come out as
expected, above all what the parser refuses, is left to `source.parse_tolerant`: the caller parses the whole text then.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from lint_m2m.readers.source import SourceError, parse, refuse_too_long

# A shorter text is parsed in less time than it takes to look at it here.
_MIN_TEXT: Final = 3_000
# How much of a text has to be left out, in characters.
_MIN_SAVED: Final = 2_000
_DEFINITION: Final = re.compile(r"(?P<kind>(?:async[ ]+)?def|class)[ ]+(?P<name>[A-Za-z_]\w*+)", re.ASCII)
# Up to the end of the last line before one that has its first character in the first column. Possessive: linear.
_UP_TO_NEXT: Final = re.compile(
    r'''
    (?: [^"'\#\n\\]++
      | \n (?= [ \t\n\#)\]}] | \Z )
      | """ (?: [^"\\]++ | \\. | "(?!"") )*+ """
      | \'\'\' (?: [^'\\]++ | \\. | '(?!'') )*+ \'\'\'
      | (?!""") " (?: [^"\\\n]++ | \\. )*+ "
      | (?!\'\'\') ' (?: [^'\\\n]++ | \\. )*+ '
      | \#[^\n]*+
      | \\.
    )*+
    ''',
    re.VERBOSE | re.DOTALL,
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Outline:
    """The top-level statements of a text, `body`; those that `fill` has not seen are definitions without content."""

    __slots__ = ("_left", "_text", "body")

    def __init__(self, text: str, body: list[ast.stmt], left: dict[ast.stmt, tuple[int, int]]) -> None:
        self.body = body
        self._text = text
        # Where in the text the definitions stand that are not parsed yet.
        self._left = left

    def fill(self, statement: ast.stmt) -> bool:
        """Parse `statement` of `body`, if that has not been done. False where it does not parse."""
        place = self._left.get(statement)
        if place is None:
            return True
        try:
            found = parse("\n" * (statement.lineno - 1) + self._text[slice(*place)]).body
        except SourceError:
            return False
        if len(found) != 1 or found[0].__class__ is not statement.__class__:
            return False
        del found[0].decorator_list  # type: ignore[attr-defined]  # those of `statement` are parsed already
        vars(statement).update(vars(found[0]))
        del self._left[statement]
        return True

    def fill_all(self) -> bool:
        """The same for every statement."""
        return all(map(self.fill, tuple(self._left)))


def outline(text: str) -> Outline | None:
    """The outline of `text`; None where the whole of it has to be parsed, or may as well be."""
    # Line ends and bytes that Python has its own ideas about are not for here.
    if len(text) < _MIN_TEXT or "\r" in text or "\f" in text or "\0" in text:
        return None
    pieces: list[str] = []
    places: dict[int, tuple[int, int]] = {}
    position, line, saved = 0, 1, 0
    size = len(text)
    while position < size:
        end = _UP_TO_NEXT.match(text, position).end()  # type: ignore[union-attr]  # it may be empty
        if end < size:
            if text[end] != "\n":
                return None  # a quote that does not match
            end += 1
        lines = text.count("\n", position, end)
        definition = _DEFINITION.match(text, position)
        if definition is None:
            pieces.append(text[position:end])
        else:
            places[line] = (position, end)
            arguments = "" if definition["kind"] == "class" else "()"
            pieces.append(f"{definition.group()}{arguments}:0" + "\n" * lines)
            saved += end - position
        position = end
        line += lines
    if saved < _MIN_SAVED:
        return None
    try:
        refuse_too_long(text)
        body = parse("".join(pieces)).body
    except SourceError:
        return None
    left: dict[ast.stmt, tuple[int, int]] = {
        statement: places[statement.lineno]
        for statement in body
        if isinstance(statement, Definition) and statement.lineno in places
    }
    return Outline(text, body, left) if len(left) == len(places) else None

"""The subset of Python's expressions that makemigrations writes, as regular expressions over the text of a file.

It is a strict subset: whatever is accepted here is an expression that Python's parser accepts too, with the same
meaning. Everything else raises `NotPlain`. Values that nobody asks for (choices, help texts, validators) are skipped,
not built, but not taken on trust either.
"""

from __future__ import annotations

import ast
import keyword
import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cache, partial
from itertools import accumulate, count
from operator import add
from sys import intern
from typing import Final, TypeAlias

from lint_m2m.migration import Span
from lint_m2m.values import NamedTuple

# How deep brackets may be nested; what is nested deeper is left to the parser.
MAX_DEPTH: Final = 40

# Blanks, line ends and comments. Tabs and form feeds are left to the parser.
_BLANK: Final = r"[ \n]*+(?:\#[^\n]*+[ \n]*+)*+"
# Escapes that are errors when they are not complete; ``\N{…}`` is left to the parser.
_ESCAPE: Final = r"\\(?:[^\nxuUN]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5})"
_TEXT: Final = rf"""(?:'(?!'')[^'\\\n]*+(?:{_ESCAPE}[^'\\\n]*+)*+'|"(?!"")[^"\\\n]*+(?:{_ESCAPE}[^"\\\n]*+)*+")"""
# Strings of other kinds: nobody asks for their value.
_PREFIXED: Final = (
    r"[rRuU](?!'''|\"{3})(?:'(?:[^'\\\n]++|\\[^\nxuUN])*+'|\"(?:[^\"\\\n]++|\\[^\nxuUN])*+\")"
    r"|[bB](?!'''|\"{3})(?:'(?:[\x20-\x26\x28-\x5b\x5d-\x7e]++|\\[\x20-\x77\x79-\x7e])*+'"
    r"|\"(?:[\x20\x21\x23-\x5b\x5d-\x7e]++|\\[\x20-\x77\x79-\x7e])*+\")"
)
_BYTES: Final = r"""[bB](?:'[\x20-\x26\x28-\x5b\x5d-\x7e]*+'(?!')|"[\x20\x21\x23-\x5b\x5d-\x7e]*+"(?!"))"""
_NUMBER: Final = r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?![\w.])"
_DOTTED: Final = r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+"
_ATOM: Final = rf"(?:(?P<text>{_TEXT})|(?P<number>{_NUMBER})|(?P<dotted>{_DOTTED}))"

# What most lists hold: strings without escapes, numbers, and tuples of those; without comments between them.
GAP: Final = r"[ \n]*+"
SHORT: Final = r"""(?:'[^'\\\n]*+'(?!')|"[^"\\\n]*+"(?!"))"""
_CONSTANT: Final = rf"(?:{SHORT}|{_NUMBER}|True|False|None)(?!\w)"
_CONSTANTS_IN_BRACKETS: Final = rf"\({GAP}(?:{_CONSTANT}{GAP}(?:,{GAP}|(?=\))))*+\)"
_ITEM: Final = rf"(?:{_CONSTANT}|{_CONSTANTS_IN_BRACKETS})"
_LIST: Final = rf"(?:\[{GAP}(?:{_ITEM}{GAP}(?:,{GAP}|(?=\])))*+\]|{_CONSTANTS_IN_BRACKETS})"
# The arguments of a foreign key to a primary key that is named by a string.
KEY_ARGUMENTS: Final = (
    rf"{GAP}(?:(?:to=(?P<to>{SHORT})|on_delete=(?P<rule>{_DOTTED})"
    rf"|(?:blank|default|editable|help_text|null|related_name|related_query_name|serialize|verbose_name)={_CONSTANT})"
    rf"{GAP}(?:,{GAP}|\Z))++"
)
# A dictionary of such.
_ENTRY: Final = rf"{SHORT}{GAP}:{GAP}(?:{_CONSTANT}|{_LIST}){GAP}"
SHORT_DICT: Final = rf"\{{{GAP}(?:{_ENTRY}(?:,{GAP}|(?=\}})))*+\}}"

BLANK: Final = re.compile(_BLANK, re.ASCII)
# ``name=value,`` with a value of one token.
_ARGUMENT: Final = re.compile(rf"{_BLANK}(?:(?P<name>[A-Za-z_]\w*+)=)?+{_ATOM}{_BLANK}(?P<end>[,)])", re.ASCII)
_NAMED: Final = re.compile(rf"{_BLANK}(?:([A-Za-z_]\w*+)=(?!=))?+", re.ASCII)
_END: Final = re.compile(rf"{_BLANK}([,)\]}}:])", re.ASCII)
_CLOSED: Final = re.compile(rf"{_BLANK}\)", re.ASCII)
_TRAILER: Final = re.compile(r"\(|\.[A-Za-z_]\w*+", re.ASCII)
# A call with arguments of one token each, or such lists, all by name: recognised at one stroke, and taken apart if
# somebody asks.
_WORD: Final = rf"[A-Za-z_]\w*+=(?:{_TEXT}|{_DOTTED}|{_NUMBER}|{_LIST})"
FLAT_CALL: Final = re.compile(
    rf"(?P<callee>{_DOTTED})\((?P<arguments>{_BLANK}(?:{_WORD}{_BLANK}(?:,{_BLANK}|(?=\))))*+)\)", re.ASCII
)
# One of those arguments, or a value within brackets, and what follows it.
_FLAT: Final = re.compile(
    rf"{_BLANK}(?:([A-Za-z_]\w*+)=)?+(?:({_TEXT})|({_NUMBER})|({_DOTTED})|({_LIST})){_BLANK}[,)\]}}]?+", re.ASCII
)
CALL: Final = re.compile(rf"{_BLANK}(?P<callee>{_DOTTED})\(", re.ASCII)
_KEY: Final = re.compile(rf"{_BLANK}(?P<key>{_TEXT}){_BLANK}:{_BLANK}", re.ASCII)
_PAIR: Final = re.compile(rf"{_BLANK}\({_BLANK}(?P<name>{_TEXT}){_BLANK},{_BLANK}", re.ASCII)
_PAIR_END: Final = re.compile(rf"{_BLANK},?+{_BLANK}\){_BLANK}(?P<end>[,\]])", re.ASCII)
ELEMENT_END: Final = re.compile(rf"{_BLANK}([,\]])", re.ASCII)
LIST_END: Final = re.compile(rf"{_BLANK}\]", re.ASCII)

_KEYWORDS: Final = frozenset(keyword.kwlist)
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_CONSTANTS: Final = {"True": True, "False": False, "None": None}

# What begins and ends the arguments of operations.
NAME: Final = rf"{GAP}name=({SHORT})"
MODEL_NAME: Final = rf"{GAP}model_name=({SHORT})"
NEXT: Final = rf"{GAP},{GAP}"
LAST: Final = rf"{GAP},?+{GAP}\)"

# For so many places all lines are not worth it.
_MOST_COUNTED: Final = 4

# How a value is written, by the group of `_FLAT` that it is in.
_KINDS: Final = ("", "", "text", "number", "dotted", "")


@cache
def _operand() -> re.Pattern[str]:
    return re.compile(
        rf"(?P<text>{_TEXT}(?:{_BLANK}{_TEXT})*+)|(?P<prefixed>{_PREFIXED})|(?P<number>{_NUMBER})|(?P<dotted>{_DOTTED})"
        r"|(?P<open>[(\[{])",
        re.ASCII,
    )


@cache
def _flat_elements() -> re.Pattern[str]:
    """Elements of a display that are constants, and tuples and lists of such: skipped at one stroke."""
    constant = rf"(?:{_TEXT}|{_BYTES}|{_NUMBER}|True|False|None)(?!\w)"
    inside = rf"{GAP}(?:{constant}{GAP}(?:,{GAP}|(?=[)\]])))*+"
    return re.compile(rf"(?:{GAP}(?:{constant}|\({inside}\)|\[{inside}\]){GAP},)*+", re.ASCII)


@cache
def _brackets() -> re.Pattern[str]:
    """What decides where a bracket is closed, whatever is between: strings of any kind, comments, brackets."""
    return re.compile(
        r'''
          \#[^\n]*+
        | """ (?: [^"\\]++ | \\. | "(?!"") )*+ """
        | \'\'\' (?: [^'\\]++ | \\. | '(?!'') )*+ \'\'\'
        | (?!""") " (?: [^"\\\n]++ | \\. )*+ "
        | (?!\'\'\') ' (?: [^'\\\n]++ | \\. )*+ '
        | (?P<open> [(\[{] )
        | (?P<close> [)\]}] )
        | (?P<bad> ["'] )
        ''',
        re.VERBOSE | re.DOTALL,
    )


class NotPlain(Exception):
    """This is not written as makemigrations writes it."""


class Argument(NamedTuple):
    """An argument of a call. `kind` is how its value is written: "text", "number", "dotted" or "" for anything else."""

    name: str | None
    kind: str
    start: int
    value_start: int
    end: int


# What `Span(…)` and `Argument(…)` do, without the Python function in between.
_span: Callable[[tuple[int, int, int, int]], Span] = partial(tuple.__new__, Span)
_argument: Callable[[tuple[str | None, str, int, int, int]], Argument] = partial(tuple.__new__, Argument)

Special: TypeAlias = Callable[[str | None, int, list[Argument]], int | None]


def refuse_keywords(dotted: str) -> None:
    """NotPlain for a dotted name that is none, as ``lambda`` and ``a.if``."""
    if dotted not in _CONSTANTS and not _KEYWORDS.isdisjoint(dotted.split(".")):
        raise NotPlain


def flat_arguments(text: str, start: int = 0, end: int | None = None) -> list[Argument]:
    """The arguments in `text` of a `FLAT_CALL`, of which `text` from `start` to `end` is the inside of the brackets."""
    found: list[Argument] = []
    end = len(text) if end is None else end
    # Each follows the one before: after the last there may be comments, with whatever in them.
    while (match := _FLAT.match(text, start, end)) is not None:
        group: int = match.lastindex  # type: ignore[assignment]  # one of them
        name = match[1]
        if group == 4:
            refuse_keywords(match[4])
        if name in _KEYWORDS:
            raise NotPlain
        found.append(_argument((name, _KINDS[group], match.start(1), *match.span(group))))
        start = match.end()
    if len({one[0] for one in found}) < len(found):
        raise NotPlain  # one is named twice: the parser takes that, and Python's compiler does not
    return found


def constant(kind: str, written: str) -> object:
    """The constant that is written so; NotPlain when it is a name."""
    if kind == "text":
        if "\\" in written or written.count(written[0]) > 2:
            return ast.literal_eval(f"({written})")
        # The same names come again and again.
        return intern(written[1:-1])
    if kind == "number":
        return float(written) if "." in written else int(written)
    if kind == "dotted" and written in _CONSTANTS:
        return _CONSTANTS[written]
    raise NotPlain


class Source:
    """The text of a migration with the positions of its lines."""

    __slots__ = ("_asked", "_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: list[int] | None = None
        self._asked = 0

    def span(self, start: int, end: int) -> Span:
        """The place from offset `start` up to `end`."""
        starts = self._starts
        if starts is None:
            self._asked += 1
            if self._asked < _MOST_COUNTED:
                return self._counted(start, end)
            starts = self._starts = self._lines()
        first = bisect_right(starts, start)
        begin = starts[first - 1]
        # Most places are within one line; after the last one there is a start that nothing reaches.
        if end < starts[first]:
            return _span((first, start - begin + 1, first, end - begin + 1))
        last = bisect_right(starts, end, first)
        return _span((first, start - begin + 1, last, end - starts[last - 1] + 1))

    def _counted(self, start: int, end: int) -> Span:
        """The same without the positions of all lines: for few places, and early ones, that takes less."""
        text = self.text
        first = text.count("\n", 0, start) + 1
        more = text.count("\n", start, end)
        column = start - text.rfind("\n", 0, start)
        return _span((first, column, first + more, end - text.rfind("\n", 0, end) if more else column + end - start))

    def _lines(self) -> list[int]:
        # The length of each line, and one for its end.
        starts = list(map(add, accumulate(map(len, self.text.split("\n")), initial=0), count()))
        starts[-1] = len(self.text) + 2
        return starts

    def flat_arguments(self, call: re.Match[str]) -> list[Argument]:
        """The arguments of a `FLAT_CALL`."""
        return flat_arguments(self.text, *call.span("arguments"))

    def arguments(self, position: int, special: Special | None = None) -> tuple[list[Argument], int]:
        """The arguments of the call whose opening bracket ends at `position`, and where the call ends.

        `special` reads the value of an argument that has to be looked into, and returns where it ends; it is given the
        argument's name, where the value begins and the arguments before it, and returns None where it is to be skipped.
        """
        found: list[Argument] = []
        text = self.text
        match_argument = _ARGUMENT.match
        names: set[str] = set()
        end: int | None
        while True:
            match = match_argument(text, position)
            if match is not None:
                name, written, _, dotted, ending = match.groups()
                position = match.end()
                if written is not None:
                    kind = "text"
                    start, end = match.span(2)
                elif dotted is not None:
                    kind = "dotted"
                    start, end = match.span(4)
                    refuse_keywords(dotted)
                else:
                    kind = "number"
                    start, end = match.span(3)
            else:
                match = _CLOSED.match(text, position)
                if match is not None:
                    return found, match.end()
                match = _NAMED.match(text, position)
                if match is None:
                    raise NotPlain
                name, kind, start = match[1], "", match.end()
                end = None if special is None else special(name, start, found)
                if end is None:
                    end = self.skip(start)
                closing = _END.match(text, end)
                if closing is None:
                    raise NotPlain
                ending = closing[1]
                position = closing.end()
            if name is not None:
                if name in _KEYWORDS or name in names:
                    raise NotPlain
                names.add(name)
                found.append(_argument((name, kind, start - len(name) - 1, start, end)))
            elif names:
                raise NotPlain
            else:
                found.append(_argument((None, kind, start, start, end)))
            if ending == ")":
                return found, position
            if ending != ",":
                raise NotPlain

    def written(self, argument: Argument) -> str:
        """The source of an argument's value."""
        return self.text[argument.value_start : argument.end]

    def is_none(self, argument: Argument) -> bool:
        """Whether an argument is ``None``."""
        return self.written(argument) == "None"

    def value(self, argument: Argument) -> object:
        """The constant that an argument is; NotPlain when it is none, or none of one token."""
        return self.constant(argument.kind, argument.value_start, argument.end)

    def constant(self, kind: str, start: int, end: int) -> object:
        """The constant at a place."""
        return constant(kind, self.text[start:end])

    def skip(self, position: int, depth: int = 0) -> int:
        """Where the expression that begins at `position` ends."""
        match = _operand().match(self.text, position)
        if match is None or depth > MAX_DEPTH:
            raise NotPlain
        position = match.end()
        kind = match.lastgroup
        if kind == "dotted":
            if match[0] in _CONSTANTS:
                return position
            refuse_keywords(match[0])
            while (trailer := _TRAILER.match(self.text, position)) is not None:
                position = trailer.end()
                if trailer[0] != "(":
                    refuse_keywords(trailer[0][1:])
                else:
                    position = self.arguments(position)[1]
        elif kind == "open":
            return self._skip_display(position, match[0], depth)
        return position

    def _skip_display(self, position: int, bracket: str, depth: int) -> int:
        close = _CLOSING[bracket]
        text = self.text
        pairs: bool | None = None if bracket == "{" else False
        while True:
            flat = _flat_elements().match(text, position) if pairs is False else None
            if flat is not None:
                position = flat.end()
            position = BLANK.match(text, position).end()  # type: ignore[union-attr]  # it may be empty
            if text.startswith(close, position):
                return position + 1
            position = self.skip(position, depth + 1)
            end = _END.match(text, position)
            if end is None:
                raise NotPlain
            if pairs is None:
                pairs = end[1] == ":"
            if pairs:
                if end[1] != ":":
                    raise NotPlain
                position = self.skip(BLANK.match(text, end.end()).end(), depth + 1)  # type: ignore[union-attr]
                end = _END.match(text, position)
                if end is None:
                    raise NotPlain
            position = end.end()
            if end[1] == close:
                return position
            if end[1] != ",":
                raise NotPlain

    def entries(self, position: int) -> tuple[list[tuple[str, int, Argument]], int]:
        """The entries of the dictionary that begins at `position`: key, where it stands, and its value."""
        text = self.text
        if not text.startswith("{", position):
            raise NotPlain
        position += 1
        found: list[tuple[str, int, Argument]] = []
        while True:
            match = _KEY.match(text, position)
            if match is None:
                position = BLANK.match(text, position).end()  # type: ignore[union-attr]
                if text.startswith("}", position):
                    return found, position + 1
                raise NotPlain
            key = str(self.constant("text", *match.span("key")))
            value, ending, position = self._value(match.end())
            found.append((key, match.start("key"), value))
            if ending == "}":
                return found, position
            if ending != ",":
                raise NotPlain

    def _value(self, position: int) -> tuple[Argument, str, int]:
        """A value within brackets, the sign after it, and where what follows begins."""
        flat = _FLAT.match(self.text, position)
        if flat is not None and flat[1] is None:
            group: int = flat.lastindex  # type: ignore[assignment]  # one of them
            start, end = flat.span(group)
            sign = flat[0][-1]
            if flat.end() > end and sign in ",)]}":
                if group == 4:
                    refuse_keywords(flat[4])
                return _argument((None, _KINDS[group], start, start, end)), sign, flat.end()
        start = BLANK.match(self.text, position).end()  # type: ignore[union-attr]
        end = self.skip(start)
        ending = _END.match(self.text, end)
        if ending is None:
            raise NotPlain
        return Argument(None, self._kind(start, end), start, start, end), ending[1], ending.end()

    def _kind(self, start: int, end: int) -> str:
        match = _operand().match(self.text, start)
        kind = match.lastgroup if match is not None and match.end() == end else None
        return kind if kind == "text" or kind == "number" or kind == "dotted" else ""

    def elements(self, display: Argument, brackets: str) -> list[Argument]:
        """The elements of a list, tuple or set; NotPlain for anything else than what opens with one of `brackets`."""
        text = self.text
        bracket = text[display.value_start]
        if display.kind or bracket not in brackets:
            raise NotPlain
        found: list[Argument] = []
        closing = _CLOSING[bracket]
        position = display.value_start + 1
        while True:
            position = BLANK.match(text, position).end()  # type: ignore[union-attr]
            if text.startswith(closing, position):
                return found
            value, ending, position = self._value(position)
            found.append(value)
            if ending == closing:
                if bracket == "(" and len(found) == 1:
                    raise NotPlain  # brackets around a value
                return found
            if ending != ",":
                raise NotPlain

    def pair(self, position: int) -> tuple[str, int, int] | None:
        """``("name", ``: the name, where it begins and where what follows begins; None where no such pair is."""
        match = _PAIR.match(self.text, position)
        if match is None:
            return None
        return str(self.constant("text", *match.span("name"))), match.start("name"), match.end()

    def pair_end(self, position: int) -> tuple[bool, int]:
        """The end of a pair in a list: whether the list ends as well, and where what follows begins."""
        match = _PAIR_END.match(self.text, position)
        if match is None:
            raise NotPlain
        return match["end"] == "]", match.end()

    def closing(self, position: int) -> int:
        """Where the bracket that ends at `position` is closed, whatever stands between."""
        depth = 1
        for match in _brackets().finditer(self.text, position):
            kind = match.lastgroup
            if kind == "open":
                depth += 1
            elif kind == "close":
                depth -= 1
                if not depth:
                    return match.end()
            elif kind == "bad":
                break
        raise NotPlain

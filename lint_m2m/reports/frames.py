"""Source frames: the guilty lines with a gutter, carets below them, and the few lines above that say where one is.

Columns are counted in characters in a `Span` and in cells on the screen: tabs, escapes and wide characters are turned
into cells here, once for the line and its marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from lint_m2m.migration import Location, Span
from lint_m2m.reports.text import escape, escape_character, prose, sign, width, wrap
from lint_m2m.values import NamedTuple, frozen

# (text, style); the style names are those of `style.STYLES`, "" for none. Texts are escaped.
Piece: TypeAlias = tuple[str, str]
Line: TypeAlias = list[Piece]

TAB: Final = 4
# How far apart two places in one file may be to share a frame.
NEAR: Final = 8
# A span of more lines is shown with its middle left out.
SPAN_LINES: Final = 8
SPAN_HEAD: Final = 5
# Between the line that opens a call and the guilty one: so many lines are shown, more are left out.
CONTEXT_LINES: Final = 5
# How far up to look for the line that opens the call.
SEARCH_LINES: Final = 400
# What stays of a line around the guilty part before its cells are counted: a line may have megabytes.
KEEP_BEFORE: Final = 400
KEEP_AFTER: Final = 2000
# Cells kept to the left of the carets when the line is clipped to make room for the label.
LEFT_MARGIN: Final = 12

# `migrations.AlterField(`, `field=models.ForeignKey(`: the line that opens a call of a class.
_OPENER: Final = re.compile(r"\s*(?P<keyword>\w+\s*=\s*)?(?:[^\W\d]\w*\.)*[A-Z]\w*\($")


@frozen
class Mark:
    """A place to point at: the finding's own (`primary`, carets) or another one (dashes)."""

    location: Location
    label: str
    primary: bool
    style: str


@frozen
class Block:
    """The marks of one file that are shown in one frame, the lines to show, and the source they come from."""

    head: Mark
    marks: tuple[Mark, ...]
    shown: tuple[int, ...]
    source: Sequence[str] | None

    @property
    def last_line(self) -> int:
        return self.shown[-1] if self.shown else 0


def points_nowhere(span: Span) -> bool:
    """Whether a span says "this file", not a place in it."""
    return span == (1, 1, 1, 1)


def blocks(marks: Sequence[Mark], sources: dict[str, Sequence[str] | None]) -> list[Block]:
    """The frames for `marks`, the first of which is the primary one: its frame comes first, the others in their order.

    Marks in the same file that are near each other share a frame.
    """
    groups: list[list[Mark]] = []
    for mark in marks:
        for group in groups:
            if any(_near(mark, other) for other in group) and not any(_entangled(mark, other) for other in group):
                group.append(mark)
                break
        else:
            groups.append([mark])
    return [_block(group, sources.get(group[0].location.path)) for group in groups]


def draw(block: Block, gutter: int, columns: int, encoding: str) -> Iterator[Line]:
    """The lines of a frame. `gutter` is the width of line numbers, `columns` that of the screen."""
    arrow = "-->" if block.head.primary else ":::"
    path, span = block.head.location
    # A mark at the first character of a file stands for the file.
    place = escape(path, encoding) if points_nowhere(span) else f"{escape(path, encoding)}:{span.line}:{span.column}"
    yield [(" " * gutter, ""), (arrow, "gutter"), (" ", ""), (place, "place")]
    if block.source is None or not block.shown:
        for mark in block.marks:
            yield from _unframed(mark, gutter, columns, encoding)
        return
    margin = (f"{'':>{gutter}} |", "gutter")
    yield [margin]
    bars = any(_spreads(mark.location.span) for mark in block.marks)
    room = max(columns - gutter - 3 - (2 if bars else 0), 20)
    previous: int | None = None
    for number in block.shown:
        over = next((mark for mark in block.marks if _spreads(mark.location.span) and _covers(mark, number)), None)
        if previous is not None and number > previous + 1:
            inside = over is not None and over.location.span.line <= previous
            yield [(f"{'...':<{gutter + 3}}", "gutter"), ("|" if inside and over else "", over.style if over else "")]
        previous = number
        lines = _draw_line(block.source[number - 1], number, block.marks, over, room, encoding)
        for index, pieces in enumerate(lines):
            head = (f"{number:>{gutter}} |", "gutter") if index == 0 else margin
            yield [head, (" ", ""), *(pieces if bars else pieces[1:])]


def _spreads(span: Span) -> bool:
    return span.end_line > span.line


def _covers(mark: Mark, number: int) -> bool:
    return mark.location.span.line <= number <= max(mark.location.span.end_line, mark.location.span.line)


def _near(mark: Mark, other: Mark) -> bool:
    one, two = mark.location, other.location
    if one.path != two.path or points_nowhere(one.span) or points_nowhere(two.span):
        return False
    return one.span.line <= two.span.end_line + NEAR and two.span.line <= one.span.end_line + NEAR


def _entangled(mark: Mark, other: Mark) -> bool:
    """Whether both spread over lines, and share one: a frame has room for one bar."""
    one, two = mark.location.span, other.location.span
    return _spreads(one) and _spreads(two) and one.line <= two.end_line and two.line <= one.end_line


def _block(marks: Sequence[Mark], source: Sequence[str] | None) -> Block:
    shown: set[int] = set()
    if source is not None:
        for mark in marks:
            span = mark.location.span
            if points_nowhere(span) or span.line > len(source):
                continue
            shown.update(number for number in _shown_of(span) if number <= len(source))
            if mark.primary:
                shown.update(_context(source, span.line))
        # A gap of one line costs as much as the line.
        shown.update([number for number in range(2, len(source)) if number - 1 in shown and number + 1 in shown])
    return Block(head=marks[0], marks=tuple(marks), shown=tuple(sorted(shown)), source=source)


def _shown_of(span: Span) -> Sequence[int]:
    """The lines of a span that are shown."""
    lines = range(span.line, max(span.end_line, span.line) + 1)
    return lines if len(lines) <= SPAN_LINES else (*lines[:SPAN_HEAD], lines[-1])


def _context(source: Sequence[str], guilty: int) -> Iterator[int]:
    """The lines above the guilty one that open the calls it stands in, up to the operation, and what is between."""
    limit = _indentation(source[guilty - 1])
    openers: list[int] = []
    for number in range(guilty - 1, max(guilty - SEARCH_LINES, 0), -1):
        line = source[number - 1]
        if len(line) > KEEP_AFTER or not line.strip() or (indentation := _indentation(line)) >= limit:
            continue
        limit = indentation
        if match := _OPENER.match(line):
            openers.append(number)
            if not match["keyword"]:
                break
    if not openers:
        return
    below = guilty
    for number in openers:
        yield from range(number, below) if below - number <= CONTEXT_LINES else (number,)
        below = number


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _draw_line(
    text: str, number: int, marks: Sequence[Mark], over: Mark | None, room: int, encoding: str
) -> Iterator[Line]:
    """A source line, then the lines of marks below it. The first piece of each is the two cells of the bar.

    `over` is the mark that spreads over this line and others.
    """
    inline = [mark for mark in marks if not _spreads(mark.location.span) and mark.location.span.line == number]
    labels = [prose(mark.label, encoding) for mark in inline]
    begins = over is not None and over.location.span.line == number
    ends = over is not None and over.location.span.end_line == number
    focus, label_width = (0, 0), 0
    if inline:
        focus, label_width = _range_of(inline[0].location.span), width(labels[0])
    elif over is not None and begins:
        focus = (over.location.span.column - 1,) * 2
    drawn = _Drawn(text, focus, label_width, room, encoding)

    bar: Piece = ("  ", "")
    if over is not None and begins and over.location.span.column - 1 <= _indentation(text):
        bar = ("/ ", over.style)
    elif over is not None and not begins:
        bar = ("| ", over.style)
    yield [bar, *drawn.pieces]
    if bar[0] == "/ ":
        bar = ("| ", bar[1])
    for mark, label in zip(inline, labels, strict=True):
        begin, finish = _range_of(mark.location.span)
        at = drawn.cell(begin)
        for line in _draw_mark(mark, at, max(drawn.cell(finish) - at, 1), label, room):
            yield [bar, *line]
    if over is None:
        return
    point = "^" if over.primary else "-"
    if begins and bar[0] == "  ":
        yield [(" _", over.style), ("_" * drawn.cell(over.location.span.column - 1) + point, over.style)]
    if ends:
        at = max(drawn.cell(over.location.span.end_column - 1) - 1, 0)
        first, *rest = _beside(prose(over.label, encoding), at, at + 1, room)
        yield [("|_", over.style), ("_" * at + point + (f" {first}" if first else ""), over.style)]
        for below in rest:
            yield [("  ", ""), (below, over.style)]


class _Drawn:
    """A source line in cells, clipped to `room` around `focus` (0-based characters) and the label beside it."""

    pieces: Line

    def __init__(self, text: str, focus: tuple[int, int], label_width: int, room: int, encoding: str) -> None:
        text = text.rstrip()
        self._from = max(focus[0] - KEEP_BEFORE, 0)
        kept = text[self._from : focus[0] + KEEP_AFTER]
        shown: list[str] = []
        self._offsets = [0]
        for character in kept:
            cell = " " * (TAB - self._offsets[-1] % TAB) if character == "\t" else escape_character(character, encoding)
            shown.append(cell)
            self._offsets.append(self._offsets[-1] + width(cell))
        more = sign("…", encoding)
        start, end = self._offset(focus[0]), self._offset(focus[1])
        window = _window(self._offsets, start, end, label_width, room, width(more))
        cut_left = bool(window.first or self._from)
        cut_right = window.last < len(shown) or self._from + len(kept) < len(text)
        self._visible = self._offsets[window.first], self._offsets[window.last]
        self._left = width(more) if cut_left else 0
        self.pieces = [("".join(shown[window.first : window.last]), "source")] if kept else []
        if cut_left:
            self.pieces.insert(0, (more, "gutter"))
        if cut_right:
            self.pieces.append((more, "gutter"))

    def _offset(self, character: int) -> int:
        return self._offsets[min(max(character - self._from, 0), len(self._offsets) - 1)]

    def cell(self, character: int) -> int:
        """Where a character is on the screen, or the nearest place that is shown."""
        first, last = self._visible
        return min(max(self._offset(character), first), last) - first + self._left


class _Window(NamedTuple):
    """What of a line is shown: indexes of its characters, the last exclusive."""

    first: int
    last: int


def _window(offsets: Sequence[int], start: int, end: int, label: int, room: int, more: int) -> _Window:
    """The part of a line that fits: all of it, else its beginning, else the part around the carets with their label.

    `more` is the width of the sign that stands for what is left out.
    """
    count = len(offsets) - 1
    if offsets[-1] <= room:
        return _Window(0, count)
    with_label = end + (label + 1 if label else 0)
    first_cell = 0
    if with_label + more > room:
        # As far to the left as the label needs, but no further than leaves a margin before the carets.
        first_cell = min(with_label + 2 * more - room, max(start - LEFT_MARGIN, 0))
    first = next(index for index in range(count + 1) if offsets[index] >= first_cell)
    left = more if first else 0
    if offsets[-1] - offsets[first] + left <= room:
        return _Window(first, count)
    last = first
    while last < count and offsets[last + 1] - offsets[first] + left + more <= room:
        last += 1
    return _Window(first, last)


def _range_of(span: Span) -> tuple[int, int]:
    """The characters that a span within one line covers, 0-based, the end exclusive."""
    return span.column - 1, max(span.end_column - 1, span.column - 1)


def _draw_mark(mark: Mark, at: int, length: int, label: str, room: int) -> Iterator[Line]:
    first, *rest = _beside(label, at, at + length, room)
    signs = ("^" if mark.primary else "-") * length
    yield [(" " * at, ""), (signs + (f" {first}" if first else ""), mark.style)]
    for line in rest:
        yield [(line, mark.style)]


def _beside(label: str, start: int, end: int, room: int) -> list[str]:
    """The label beside the marks from cell `start` to `end`, or (the first line being empty then) below them."""
    if not label or end + 1 + width(label) <= room:
        return [label]
    indent = max(min(start, room - width(label)), 0)
    return ["", *(" " * indent + line for line in wrap(label, room - indent))]


def _unframed(mark: Mark, gutter: int, columns: int, encoding: str) -> Iterator[Line]:
    """A label whose source cannot be shown."""
    if mark.label:
        for line in wrap(prose(mark.label, encoding), columns - gutter - 4):
            yield [(" " * (gutter + 4), ""), (line, mark.style)]

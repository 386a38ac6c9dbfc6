"""Python source from a stranger: open it, decode it, parse it, with every failure a `SourceError`.

Nothing is compiled or run; `ast.parse` builds a tree and no more.
"""

from __future__ import annotations

import ast
import codecs
import os
import re
import stat
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from lint_m2m import looks
from lint_m2m.migration import Span
from lint_m2m.values import NamedTuple

# The largest migration in the public projects that were looked at has 0.6 MB.
MAX_SOURCE_BYTES: Final = 2 * 1024 * 1024

# `ast` needs up to 900 bytes for a word or sign ("x\nx\nx\n…"): this keeps a hostile file below some 150 MB. The
# migration that has most of them in those projects has 71,000.
MAX_TOKENS: Final = 120_000

# Python 3.11 takes for the fields of one f-string the square of their number.
MAX_FIELDS: Final = 20_000

# Text encodings that Python takes for source and that decode in quadratic time.
_REFUSED_ENCODINGS: Final = frozenset({"idna", "punycode"})


# As bytes, and without waiting for anybody, where a system has such things.
_READING: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class SourceError(Exception):
    """A file that cannot be opened, decoded or parsed; `span` is where, if that is known. Picklable."""

    def __init__(self, reason: str, span: Span | None = None) -> None:
        super().__init__(reason, span)
        self.reason = reason
        self.span = span

    def __str__(self) -> str:
        return self.reason


class RepeatedKeywordError(SourceError):
    """What the parser takes and the compiler refuses, that of every Python: an argument that is named twice."""


class LostLines(NamedTuple):
    """A top-level statement that this interpreter cannot parse: its first and last line (1-based), and why."""

    first: int
    last: int
    reason: str


class ParsedSource(NamedTuple):
    """`text` is the decoded file, line endings as they are; the positions in `tree` count in it."""

    text: str
    tree: ast.Module
    lost: tuple[LostLines, ...] = ()


def read_source(path: Path | str, overlay: Mapping[Path, bytes] | None = None) -> bytes:
    """The bytes of a regular file of at most `MAX_SOURCE_BYTES`; SourceError otherwise.

    `overlay` holds bytes that count instead of what is on disk. Never blocks: a FIFO or a device is refused, not read.
    """
    if overlay and (laid_over := overlay.get(Path(path))) is not None:
        return laid_over
    try:
        return read_regular(path, MAX_SOURCE_BYTES)
    except OSError as error:
        if not isinstance(error, FileNotFoundError) or looks.exists(path):
            looks.doubt()
        raise SourceError(_os_reason(error)) from None
    except ValueError:  # a NUL in the path
        raise SourceError("not a valid path") from None


def read_regular(path: Path | str, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit`. OSError, ValueError where it cannot be opened.

    SourceError for what is no regular file, or larger; never blocks.
    """
    descriptor = os.open(path, _READING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            looks.doubt()
            raise SourceError("not a regular file")
        if status.st_size > limit:
            looks.doubt()
            raise SourceError(f"larger than {_size(limit)} ({status.st_size:,} bytes)")
        pieces = []
        left = limit + 1
        while left > 0 and (piece := os.read(descriptor, min(left, max(status.st_size + 1, 65536)))):
            pieces.append(piece)
            left -= len(piece)
            if len(piece) == status.st_size:
                break  # one byte more was asked for: there is none
    finally:
        os.close(descriptor)
    if left <= 0:
        looks.doubt()
        raise SourceError(f"larger than {_size(limit)}")
    content = b"".join(pieces)
    looks.read(path, status, content)
    return content


def _size(limit: int) -> str:
    return f"{limit >> 20} MB" if limit >> 20 else f"{limit >> 10} KB"


def decode(source: bytes) -> str:
    """The text of a source file by Python's own rules: byte order mark, else coding comment, else UTF-8."""
    try:
        # A coding comment stands in the first two lines; without the word there is nothing to look for.
        if source.startswith(codecs.BOM_UTF8) or b"coding" in source:
            from tokenize import detect_encoding

            lines = iter(source.split(b"\n", 2)[:2])
            encoding, _ = detect_encoding(lambda: next(lines, b""))
            if codecs.lookup(encoding).name in _REFUSED_ENCODINGS:
                raise SourceError(f"encoding {encoding} is not read")
            return source.decode(encoding)
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise SourceError(f"not valid {error.encoding}", Span(line, 1, line, 1)) from None
    except SyntaxError as error:
        raise SourceError(error.msg, Span(1, 1, 1, 1)) from None
    except (UnicodeError, LookupError, ValueError, OverflowError):
        raise SourceError("its encoding comment cannot be followed", Span(1, 1, 1, 1)) from None


def speaks_of_us(source: bytes) -> bool:
    """The cheap test: whether a file can hold a comment for lint-m2m."""
    # Asked of every file, so not by a generator.
    return b"MTM" in source or b"lint-m2m:" in source or b"lint-m2m :" in source


def refuse_too_long(text: str) -> None:
    """SourceError for a text of more than `MAX_TOKENS` words, signs and lines: it would take too much memory."""
    if text.count("{") > MAX_FIELDS and _has_formatted(text):
        raise SourceError(f"f-strings, and more than {MAX_FIELDS:,} opening braces")
    # A token has one character at least, so nearly every file is not looked at.
    if len(text) <= MAX_TOKENS or most_tokens(text) <= MAX_TOKENS:
        return
    counted = _WORD if _has_formatted(text) else _WORD_OUTSIDE
    if sum(token.lastgroup is None for token in re.finditer(counted, text)) > MAX_TOKENS:
        raise SourceError(f"more than {MAX_TOKENS:,} words, signs and line ends")


def most_tokens(text: str) -> int:
    """`text` has no more words, signs and lines, those in strings and comments included; hardly fewer if it is ASCII.

    An expression that finds them one by one takes ten times as long.
    """
    source = text.encode("utf-8", "surrogatepass")
    ends = source.translate(bytes(_IN_WORD if each in _WORD_BYTES else _BETWEEN for each in range(256)))
    return len(source.translate(None, _WORD_BYTES + b" \t\f")) + ends.count(bytes((_IN_WORD, _BETWEEN))) + 1


@lru_cache(maxsize=4)
def _has_formatted(text: str) -> bool:
    """Whether there may be an f-string in a text: a long one, which is asked about each time that it is parsed."""
    # Most long texts hold nothing like one: that is told much sooner without an expression.
    return any(one in text for one in _FORMATTED_BEGINNINGS) and re.search(_FORMATTED, text) is not None


def parse(text: str) -> ast.Module:
    """The tree of `text`, or SourceError: a syntax error, a NUL byte, nesting that the parser cannot follow.

    So for what is too long (`refuse_too_long`), and for arguments that are named twice (`refuse_repeated`).
    """
    refuse_too_long(text)
    try:
        tree = module_of(text)
    except SyntaxError as error:
        raise SourceError(error.msg, _span_of(error)) from None
    except (RecursionError, MemoryError):
        raise SourceError("nested too deep to parse") from None
    except (ValueError, OverflowError) as error:
        raise SourceError(str(error)) from None
    refuse_repeated(text, tree)
    return tree


def module_of(text: str) -> ast.Module:
    """`ast.parse`, with its errors and without its warnings.

    The parser warns about invalid escapes; that is not our subject, and under ``-W error`` it would raise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def expression_of(text: str) -> ast.expr:
    """The same for the text of an expression."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


def refuse_repeated(text: str, tree: ast.AST) -> None:
    """RepeatedKeywordError where a call in `tree`, the tree of `text`, has two arguments of one name.

    Python's parser takes that, and its compiler does not.
    """
    # To look at each node takes a tenth of the time of parsing; in most pieces of code no name comes twice.
    names = re.findall(_ARGUMENT_NAME, text)
    if len(set(names)) == len(names) and "" not in names and "".join(names).isascii():
        return
    found: list[ast.keyword] = []
    pending: list[ast.AST] = [tree]
    inner = _INNER
    while pending:
        node = pending.pop()
        kind = node.__class__
        if (kind is ast.Call or kind is ast.ClassDef) and len(node.keywords) > 1:  # type: ignore[attr-defined]
            seen: set[str] = set()
            for each in node.keywords:  # type: ignore[attr-defined]
                if each.arg in seen:
                    found.append(each)
                elif each.arg is not None:
                    seen.add(each.arg)
        for name in inner[kind]:
            value = getattr(node, name)
            if value.__class__ is list:
                pending += value
            elif value is not None:
                pending.append(value)
    if found:
        first = min(found, key=lambda one: (one.lineno, one.col_offset))
        lines = split_lines(text)
        line, end_line = first.lineno, first.end_lineno or first.lineno
        column, end_column = _column(lines, line, first.col_offset), _column(lines, end_line, first.end_col_offset or 0)
        span = Span(line, column, end_line, end_column)
        raise RepeatedKeywordError(f"keyword argument repeated: {first.arg}", span)


def _moved(span: Span | None, lines: int) -> Span | None:
    """A place so many lines further down."""
    return None if span is None else span._replace(line=span.line + lines, end_line=span.end_line + lines)


def _column(lines: list[str], line: int, offset: int) -> int:
    """The column, from 1, of what begins so many bytes into a line."""
    known = lines[line - 1] if line <= len(lines) else ""
    return len(known.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")) + 1


def parse_tolerant(text: str) -> ParsedSource:
    """Like `parse`, but a top-level statement that does not parse is left out and named in `lost`.

    So that syntax newer than this interpreter (3.14's ``except A, B:``) in a helper does not cost the class beside it.
    All other statements keep their lines. SourceError where that is no help: quotes or brackets that do not match,
    conflict markers, nothing left to parse, or what no Python takes (`refuse_repeated`).
    """
    try:
        return ParsedSource(text, parse(text))
    except RepeatedKeywordError:
        raise
    except SourceError as error:
        first_error = error
    if "\0" in text or re.search(_CONFLICT, text):
        raise first_error
    # The parser takes every line end for "\n"; a lone "\r" before an emptied line must not become "\r\n".
    lines = [line.rstrip("\r\n") + "\n" for line in split_lines(text)]
    lost: list[LostLines] = []
    kept = 0
    for first, last in _top_level_statements(text):
        try:
            kept += bool(parse("".join(lines[first - 1 : last])).body)
        except RepeatedKeywordError as error:
            raise RepeatedKeywordError(error.reason, _moved(error.span, first - 1)) from None
        except SourceError as error:
            lost.append(LostLines(first, last, error.reason))
            lines[first - 1 : last] = ["\n"] * (last - first + 1)
    if not lost or not kept:
        raise first_error
    try:
        return ParsedSource(text, parse("".join(lines)), tuple(lost))
    except SourceError:
        raise first_error from None


def split_lines(text: str) -> list[str]:
    r"""The lines of `text` with their ends, as Python's parser counts them: "\n", "\r\n" and "\r" end a line.

    `str.splitlines` would also split at form feeds and Unicode separators.
    """
    return re.findall(_LINE, text)


# Not compiled before they are used: most runs meet no file that is long or broken.

# What is counted, each line's end as well. Code may stand in an f-string, and hide in one that looks like several:
# where there are any, what is in strings and comments counts, too.
_WORD: Final = r"(?P<blanks>[ \t\f]++)|\w++|[^\w \t\f]"
_WORD_OUTSIDE: Final = r'''(?xs)
      (?P<blanks>[ \t\f]++)
    | \#[^\r\n]*+
    | """ (?: [^"\\]++ | \\. | "(?!"") )*+ (?:"""|\Z)
    | \'\'\' (?: [^'\\]++ | \\. | '(?!\'\') )*+ (?:\'\'\'|\Z)
    | (?!""") " (?: [^"\\\r\n]++ | \\(?:\r\n|.) )*+ "?
    | (?!\'\'\') ' (?: [^'\\\r\n]++ | \\(?:\r\n|.) )*+ '?
    | \w++
    | [^\w \t\f]
'''
_WORD_BYTES: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_IN_WORD: Final = ord("a")
_BETWEEN: Final = ord(" ")
_FORMATTED: Final = r"""\b(?:[rR]?[fFtT]|[fFtT][rR])["']"""
_FORMATTED_BEGINNINGS: Final = tuple(
    f"{kind}{raw}{quote}" for kind in "fFtT" for raw in ("", "r", "R") for quote in "\"'"
)

# What may name an argument: before it come a sign or a line's end. Nothing where the "=" has a line of its own.
_ARGUMENT_NAME: Final = r"[,(\n\r][ \t\f]*+(\w*+)[ \t\f]*+=(?!=)"
# Of nodes: names, numbers, signs and what becomes of a name.
_WITHOUT_CALLS: Final = frozenset(
    {"arg", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "module", "names", "op", "ops", "simple"}
)


class _Inner(dict[type, tuple[str, ...]]):
    """The fields that may hold a call, or what has one in it, by the class of the node; none of what is no node."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        # By its fields, not by all attributes: pyflakes tells each node its parent.
        fields = getattr(kind, "_fields", ())
        self[kind] = names = tuple(name for name in fields if name not in _WITHOUT_CALLS)
        return names


_INNER: Final = _Inner({ast.Constant: ()})

_LINE: Final = r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+"
_CONFLICT: Final = r"(?m)^(?:<{7}|>{7}|\|{7})(?: |$)"

# What decides where a logical line ends. Possessive quantifiers: linear on whatever comes.
_TOKEN: Final = r'''(?xs)
      (?P<comment> \#[^\r\n]*+ )
    | (?P<string> """ (?: [^"\\]++ | \\. | "(?!"") )*+ """
                | \'\'\' (?: [^'\\]++ | \\. | '(?!'') )*+ \'\'\'
                | (?!""") " (?: [^"\\\r\n]++ | \\(?:\r\n|.) )*+ "
                | (?!\'\'\') ' (?: [^'\\\r\n]++ | \\(?:\r\n|.) )*+ ' )
    | (?P<quote> ["'] )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | (?P<joined> \\(?:\r\n|\r|\n) )
    | (?P<newline> \r\n|\r|\n )
    | [^\#"'()\[\]{}\\\r\n]++
    | \\
'''
_CONTINUES: Final = r"(?:else|elif|except|finally)\b"


def _top_level_statements(text: str) -> Iterator[tuple[int, int]]:
    """First and last line of each top-level statement with its decorators, and what follows up to the next.

    Yields nothing when quotes or brackets do not match.
    """
    starts: list[int] = []
    depth = 0
    line = 1
    fresh = True  # at the start of a logical line
    decorated = False
    for token in re.finditer(_TOKEN, text):
        kind = token.lastgroup
        if fresh:
            fresh = False
            piece = token.group()
            if kind != "comment" and kind != "newline" and not piece.startswith((" ", "\t", "\f")):
                if not decorated and not re.match(_CONTINUES, piece):
                    starts.append(line)
                decorated = piece.startswith("@")
        if kind == "newline":
            line += 1
            fresh = depth == 0
        elif kind == "joined":
            line += 1
        elif kind == "string":
            line += _count_lines(token.group())
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
            if depth < 0:
                return
        elif kind == "quote":
            return
    if depth or not starts:
        return
    last_line = line
    for first, following in zip(starts, [*starts[1:], last_line + 1], strict=True):
        yield first, following - 1


def _count_lines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _span_of(error: SyntaxError) -> Span | None:
    if not error.lineno:
        return None
    line, column = error.lineno, max(error.offset or 1, 1)
    end_line, end_column = error.end_lineno or line, max(error.end_offset or 0, 1)
    if (end_line, end_column) < (line, column):
        end_line, end_column = line, column
    return Span(line, column, end_line, end_column)


def _os_reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()

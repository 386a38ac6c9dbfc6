"""Comments that silence findings, and those that silence nothing.

``# lint-m2m: ignore[MTM101, MTM202] reason`` on the operation's first line or on a guilty line,
``# lint-m2m: ignore-file[MTM101] reason`` anywhere in the file, and ``# noqa: MTM101`` on the same lines as the first.
In brackets a rule goes by its name as well: ``ignore[through-added]``.

A comment has to say what it silences. One without codes silences nothing and is reported (as ruff does with its own
comments, RUF103); a bare ``# noqa`` was written for some other linter, most often for a long line, and is left alone:
neither may hide a loss of rows that nobody had in mind.

Comments are found with `tokenize`, so that a string that looks like one is none; a file without the words is not
looked at. `UnusedIgnore` are the facts behind MTM904; `finding_of` makes the finding.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import (
    ConditionalOperations,
    Location,
    Migration,
    Operation,
    RunSQL,
    SeparateDatabaseAndState,
    Span,
)
from lint_m2m.values import NamedTuple, frozen

UNUSED_CODE: Final = "MTM904"

_OWN: Final = r"(?ai)#\s*lint[-_]m2m\s*:\s*(?P<word>[\w-]*)(?P<bracket>\s*\[(?P<codes>[^\]#]*)(?P<closed>\])?)?"
# flake8's own form: codes separated by commas or blanks; what is no code ends the list.
_NOQA: Final = r"(?ai)#\s*noqa\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*)"
_CODE: Final = r"[^\s,]+"


class Code(NamedTuple):
    """A rule's code in a comment, and where it stands."""

    code: str
    span: Span


@frozen
class Ignore:
    """One comment. `whole_file`: it is about the file, not the line. `own`: it is in our words, not ``noqa``.

    It is about the lines from `first_line` to its own: a string over several lines, and lines that a backslash joins,
    have no other place for one. flake8 takes ``noqa`` so, too.

    `trouble` says what is wrong with a comment that cannot be followed; it has no codes then.
    """

    line: int
    span: Span
    codes: tuple[Code, ...]
    first_line: int
    whole_file: bool = False
    own: bool = True
    trouble: str | None = None


@frozen
class UnusedIgnore:
    """A comment, or one code in it, that silences nothing: the facts of MTM904."""

    location: Location
    message: str
    label: str
    notes: tuple[str, ...] = ()


def ignores(text: str, names: Mapping[str, str] = MappingProxyType({})) -> tuple[Ignore, ...]:
    """The comments in a file's text, in order. In a file that is no Python, those before its first broken token.

    `names` are the codes of the rules by their names.
    """
    return tuple(
        ignore
        for comment, first_line, line, column in _comments(text)
        for ignore in (*_own(comment, first_line, line, column, names), *_noqa(comment, first_line, line, column))
    )


def _comments(text: str) -> Iterator[tuple[str, int, int, int]]:
    """(text, first line that it is joined with, its own line, 0-based column) of each comment; lines count from 1."""
    # Python's parser takes "\r" for a line's end, `io` with universal newlines does so too.
    reader = io.StringIO(text, newline=None).readline
    first_line = 0
    try:
        for token in tokenize.generate_tokens(reader):
            first_line = first_line or token.start[0]
            if token.type == tokenize.COMMENT:
                yield token.string, first_line, *token.start
            elif token.type in (tokenize.NL, tokenize.NEWLINE):
                first_line = 0
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _own(comment: str, first_line: int, line: int, column: int, names: Mapping[str, str]) -> Iterator[Ignore]:
    for match in re.finditer(_OWN, comment):
        span = Span(line, column + match.start() + 1, line, column + match.end() + 1)
        word = match["word"].lower()
        codes = _codes(match, line, column, names) if match["bracket"] else ()
        trouble = None
        if word not in ("ignore", "ignore-file"):
            near = _nearest(word, ("ignore-file",) if "file" in word else ("ignore",))
            trouble = f"`lint-m2m: {word}` is neither `ignore` nor `ignore-file`{near}"
        elif match["bracket"] and not match["closed"]:
            trouble = f"`{word}` has no closing bracket"
        elif not codes:
            trouble = f"`{word}` names no rule, so it silences nothing"
        yield Ignore(
            line=line,
            span=span,
            codes=() if trouble else codes,
            first_line=first_line,
            whole_file=word == "ignore-file",
            trouble=trouble,
        )


def _noqa(comment: str, first_line: int, line: int, column: int) -> Iterator[Ignore]:
    for match in re.finditer(_NOQA, comment):
        codes = _codes(match, line, column, {})
        if any(code.code.startswith("MTM") for code in codes):
            span = Span(line, column + match.start() + 1, line, column + match.end() + 1)
            yield Ignore(line=line, span=span, codes=codes, first_line=first_line, own=False)


def _codes(match: re.Match[str], line: int, column: int, names: Mapping[str, str]) -> tuple[Code, ...]:
    start = column + match.start("codes") + 1
    found: dict[str, Code] = {}
    for code in re.finditer(_CODE, match["codes"]):
        name = names.get(code.group().lower(), code.group().upper())
        found.setdefault(name, Code(name, Span(line, start + code.start(), line, start + code.end())))
    return tuple(found.values())


def first_lines(migration: Migration, address: str) -> frozenset[int]:
    """The first lines of the operation at `address` ("3.state.1") and of those around it."""
    lines = set()
    operations: Sequence[Operation] = migration.operations
    parts = iter(address.split("."))
    for position in parts:
        if not position.isdecimal() or int(position) >= len(operations):
            break
        operation = operations[int(position)]
        if operation.span is not None:
            lines.add(operation.span.line)
        operations = _inner(operation, parts)
    return frozenset(lines)


def _inner(operation: Operation, parts: Iterator[str]) -> Sequence[Operation]:
    """The operations that the next of `parts` speak of: ``database``, ``state``, or ``branch`` and its number."""
    match operation, next(parts, None):
        case SeparateDatabaseAndState(), "database":
            return operation.database_operations
        case ((SeparateDatabaseAndState() | RunSQL()), "state"):
            return operation.state_operations
        case ConditionalOperations(), "branch":
            number = next(parts, "")
            known = number.isdecimal() and int(number) < len(operation.branches)
            return operation.branches[int(number)] if known else ()
        case _:
            return ()


class Suppressions:
    """The comments of the files that were looked at, and which of their codes have silenced something."""

    def __init__(self, comments: Mapping[str, tuple[Ignore, ...]]) -> None:
        self._by_line: dict[tuple[str, int], list[Ignore]] = {}
        # A line -> the one below where the comment that is about it as well stands.
        self._joined: dict[tuple[str, int], int] = {}
        self._by_file: dict[str, list[Ignore]] = {}
        self._comments = comments
        self._used: set[tuple[str, Span]] = set()
        for path, found in comments.items():
            for ignore in found:
                if ignore.whole_file:
                    self._by_file.setdefault(path, []).append(ignore)
                else:
                    if (path, ignore.line) not in self._by_line:
                        above = range(ignore.first_line, ignore.line)
                        self._joined.update(((path, line), ignore.line) for line in above)
                    self._by_line.setdefault((path, ignore.line), []).append(ignore)

    def silences(self, finding: Finding, operation_lines: Iterable[int] = ()) -> bool:
        """Whether a comment is about this finding; every one that is counts as used.

        `operation_lines` are the first lines of its operation (`first_lines`).
        """
        path, span = finding.location
        lines = {*range(span.line, span.end_line + 1), *operation_lines}
        lines |= {self._joined[path, line] for line in lines if (path, line) in self._joined}
        about = [*self._by_file.get(path, ())]
        if self._by_line:
            about += [ignore for line in sorted(lines) for ignore in self._by_line.get((path, line), ())]
        hits = [code for ignore in about for code in ignore.codes if _names(code, ignore, finding.code)]
        self._used.update((path, code.span) for code in hits)
        return bool(hits)

    def unused(
        self, known: Collection[str], applies: Callable[[str, str], bool], names: Collection[str] = ()
    ) -> Iterator[UnusedIgnore]:
        """What has silenced nothing so far, by file and place.

        `known` are the codes of all rules, `names` their names. `applies(code, path)`: a rule that is off is not the
        comment's fault. A ``noqa`` with other linters' codes is theirs to judge. `UNUSED_CODE` itself is judged apart:
        see `unused_own`.
        """
        for path in sorted(self._comments):
            for ignore in self._comments[path]:
                if ignore.trouble is not None:
                    yield UnusedIgnore(
                        location=Location(path, ignore.span),
                        message=ignore.trouble,
                        label="not followed",
                        notes=("write `# lint-m2m: ignore[CODE] reason` on the operation's first line",),
                    )
                yield from self._unused_codes(path, ignore, known, applies, names)

    def unused_own(self, applies: Callable[[str, str], bool]) -> Iterator[UnusedIgnore]:
        """Comments against `UNUSED_CODE` that have silenced nothing: asked after all other findings are judged."""
        for path in sorted(self._comments):
            if not applies(UNUSED_CODE, path):
                continue
            for ignore in self._comments[path]:
                for code in ignore.codes:
                    if code.code == UNUSED_CODE and (path, code.span) not in self._used:
                        yield _unused(path, code, ignore)

    def _unused_codes(
        self,
        path: str,
        ignore: Ignore,
        known: Collection[str],
        applies: Callable[[str, str], bool],
        names: Collection[str],
    ) -> Iterator[UnusedIgnore]:
        if not ignore.own and not all(code.code in known for code in ignore.codes):
            return
        for code in ignore.codes:
            if code.code not in known:
                named, others = (code.code.lower(), names) if "-" in code.code else (code.code, known)
                near = _nearest(named, sorted(others))
                yield UnusedIgnore(
                    location=Location(path, code.span),
                    message=f"the ignore comment names `{named}`, and there is no such rule{near}",
                    label="no rule",
                )
            elif code.code != UNUSED_CODE and (path, code.span) not in self._used and applies(code.code, path):
                yield _unused(path, code, ignore)


def _names(code: Code, ignore: Ignore, wanted: str) -> bool:
    """Whether a code in a comment stands for the rule `wanted`; in a ``noqa`` it may be a beginning, as in flake8."""
    return code.code == wanted or (not ignore.own and wanted.startswith(code.code))


def _nearest(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; nearest: `{close[0]}`" if close else ""


def _unused(path: str, code: Code, ignore: Ignore) -> UnusedIgnore:
    word = "noqa" if not ignore.own else "ignore-file" if ignore.whole_file else "ignore"
    where = "in this file" if ignore.whole_file else "here"
    return UnusedIgnore(
        location=Location(path, code.span),
        message=f"the `{word}` comment for `{code.code}` silences nothing",
        label=f"no {code.code} {where}",
    )


def finding_of(unused: UnusedIgnore, migration: Migration | None, name: str, severity: Severity) -> Finding:
    """The finding for an `UnusedIgnore`; `name` and `severity` are those of the rule `UNUSED_CODE`."""
    return Finding(
        code=UNUSED_CODE,
        name=name,
        severity=severity,
        message=unused.message,
        label=unused.label,
        location=unused.location,
        app_label=None if migration is None else migration.app_label,
        migration=None if migration is None else migration.name,
        notes=unused.notes,
    )

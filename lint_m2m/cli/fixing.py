"""``lint-m2m check --fix`` and ``--diff``: what is said about files that change, and what is left to the user."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lint_m2m.cli.streams import complain, encoding_of, say, say_raw, wants_colour, width_of
from lint_m2m.config import Config, listed, nearest
from lint_m2m.errors import UsageError
from lint_m2m.reports.frames import Line
from lint_m2m.reports.style import coloured, plain
from lint_m2m.reports.text import counted, escape, prose, wrap

if TYPE_CHECKING:
    from typing import TextIO

    from lint_m2m.finding import Finding, SequenceStep
    from lint_m2m.rewrite import FileChange, Fix, Rewriting

_DIFF_STYLES: Final = (
    (("--- ", "+++ ", "diff ", "new file "), "key"),
    (("@@",), "code"),
    (("+",), "help"),
    (("-",), "error"),
    (("\\",), "dim"),
)


def require_sequence(name: str) -> None:
    """UsageError for an id that no sequence has."""
    from lint_m2m.sequences.offers import sequence_ids

    ids = sequence_ids()
    if name not in ids:
        near = nearest(name.lower(), ids)
        raise UsageError(f"there is no sequence `{name}`" + (near or f"; there are {listed(ids)}"))


def show_diff(changes: Sequence[FileChange], config: Config) -> None:
    """The unified diffs to stdout: byte for byte for a pipe, escaped and perhaps coloured for people."""
    from lint_m2m.cli.streams import is_terminal
    from lint_m2m.rewrite import diff

    colour = wants_colour(config.color, sys.stdout)
    if not colour and not is_terminal(sys.stdout):
        say_raw(diff(changes))
        return
    lines: list[Line] = []
    for change in sorted(changes, key=lambda change: change.path):
        for line in diff([change]).decode(change.encoding, "backslashreplace").rstrip("\n").split("\n"):
            shown = "\t".join(escape(piece, encoding_of(sys.stdout)) for piece in line.removesuffix("\r").split("\t"))
            lines.append([(shown, _diff_style(shown))])
    say(coloured(lines) if colour else plain(lines))


def _diff_style(line: str) -> str:
    return next((style for heads, style in _DIFF_STYLES if line.startswith(heads)), "")


def tell(rewriting: Rewriting, config: Config, *, written: bool, on_stdout: bool) -> None:
    """What was fixed, or would be, and what is left to the user; then what is not fixed, and why.

    On stderr where stdout carries something else. `--quiet` leaves only what has to be done.
    """
    stream = sys.stdout if on_stdout else sys.stderr
    # A program may have been started without one of them.
    if rewriting.fixes and stream is not None:
        text = _rendered(rewriting.fixes, config, stream, written=written)
        if on_stdout:
            say(text)
        else:
            with suppress(OSError, ValueError):
                stream.write(text)
                stream.flush()
    if config.quiet:
        return
    for declined in rewriting.declined:
        complain(f"not fixed: {_named(declined.finding)}: {declined.reason}")


def _rendered(fixes: Sequence[Fix], config: Config, stream: TextIO, *, written: bool) -> str:
    lines: list[Line] = []
    encoding, width = encoding_of(stream), width_of(stream)
    for fix in fixes:
        told = list(_fix(fix, encoding, width, written=written, quiet=config.quiet))
        lines += told
        if told and told[-1]:
            lines.append([])
    return coloured(lines) if wants_colour(config.color, stream) else plain(lines)


def _fix(fix: Fix, encoding: str, width: int, *, written: bool, quiet: bool) -> Iterator[Line]:
    if not quiet:
        names = "; with it " + ", ".join(_named(one) for one in fix.also) if fix.also else ""
        head = "fixed" if written else "would fix"
        text = f"{head} {_named(fix.finding)} with {fix.sequence}: {fix.title}{names}"
        first, *rest = wrap(prose(text, encoding), width, hanging=2)
        yield [(head, "help"), (first[len(head) :], "message")]
        yield from ([(f"  {line}", "message")] for line in rest)
        for path in fix.paths:
            word = "new" if path in fix.new else "changed"
            later = " (deploy what comes before it first)" if path in fix.later else ""
            yield [("  ", ""), (f"{word:<8} ", "key"), (f"{escape(path, encoding)}{later}", "")]
        for lost in fix.lost:
            where = f"{escape(lost.path, encoding)}:{lost.line}"
            yield [("  ", ""), ("comment  ", "key"), (f"{where}: gone with its operation: ", "")]
            yield [("           ", ""), (escape(lost.text, encoding), "code")]
    for step in fix.left:
        yield []
        yield from _step(step, encoding, width)
    if quiet:
        return
    if fix.left:
        yield []
    for caveat in fix.caveats:
        yield from _paragraph("mind", prose(caveat, encoding), width)
    if fix.verify:
        yield [("  ", ""), ("verify: ", "key"), (escape(fix.verify, encoding), "command")]


def _step(step: SequenceStep, encoding: str, width: int) -> Iterator[Line]:
    where = "" if step.path is None else f"{escape(step.path, encoding)}: "
    first, *rest = wrap(f"left to you: {where}{prose(step.title, encoding)}", width - 2, hanging=2)
    yield [("  ", ""), (first, "step")]
    yield from ([(f"    {line}", "step")] for line in rest)
    yield []
    for code in step.code.rstrip("\n").split("\n"):
        shown = "\t".join(escape(piece, encoding) for piece in code.removesuffix("\r").split("\t"))
        yield [("    ", ""), (shown, "code")] if code.strip() else []


def _paragraph(key: str, text: str, width: int) -> Iterator[Line]:
    head = f"  {key}: "
    for index, piece in enumerate(wrap(text, max(width - len(head), 20))):
        yield [(head, "key") if index == 0 else (" " * len(head), ""), (piece, "")]


def _named(finding: Finding) -> str:
    return f"{finding.path}:{finding.span.line}: {finding.code}"


def summary(rewriting: Rewriting, *, written: bool) -> str:
    """One line: "fixed 2 findings in 3 files"."""
    findings = sum(1 + len(fix.also) for fix in rewriting.fixes)
    if not findings:
        return "nothing fixed" if written else "nothing would change"
    head = "fixed" if written else "would fix"
    return f"{head} {counted(findings, 'finding')} in {counted(len(rewriting.changes), 'file')}"

"""The terminal report: source frames of every file that takes part, what `migrate` does, and the safe sequences.

The layout is STYLE.md's, "The terminal report". Plain characters only, apart from two typographic signs that have a
plain form; code to paste has no gutter and is never cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lint_m2m.finding import Applicability, Finding, Report, Sequence, SequenceStep
from lint_m2m.readers.files import Files
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.style import coloured, plain
from lint_m2m.reports.text import escape, pasteable, prose, sign, width, wrap
from lint_m2m.reports.wording import best_first, closing_line, facts, remark

if TYPE_CHECKING:
    from lint_m2m.reports.frames import Line


def render(report: Report, options: RenderOptions) -> str:
    """Every finding in full, a blank line between them, and one closing line that says what was checked."""
    lines = list(_report(report, options))
    return coloured(lines) if options.color else plain(lines)


def render_sequences(sequences: tuple[Sequence, ...], options: RenderOptions) -> str:
    """Sequences as a finding shows them: the recommended one, and with `verbose` the others."""
    lines: list[Line] = []
    for number, sequence in enumerate(sequences):
        if number and options.verbose:
            lines.append([])
        if options.verbose or not number:
            lines += _sequence("or" if number else "help", sequence, options)
    if len(sequences) > 1 and not options.verbose:
        lines.append([])
        lines += _other_ways(list(sequences[1:]), options, "--verbose")
    return coloured(lines) if options.color else plain(lines)


def _report(report: Report, options: RenderOptions) -> Iterator[Line]:
    files = Files(report.root, dict(options.overlay))
    for index, finding in enumerate(report.findings):
        if index:
            yield []
        yield from _finding(finding, files, options)
    if options.quiet:
        return
    if report.findings:
        yield []
        if options.statistics:
            from lint_m2m.reports.statistics import statistics

            yield from ([(line, "")] for line in statistics(report))
            yield []
    yield from ([(line, "message")] for line in wrap(closing_line(report.summary), options.width))


def _finding(finding: Finding, files: Files, options: RenderOptions) -> Iterator[Line]:
    # Loaded when there is something to show.
    from lint_m2m.reports.frames import Mark, blocks, draw

    severity = finding.severity.value
    yield from _headline(finding, options)
    marks = [Mark(location=finding.location, label=finding.label, primary=True, style=severity)]
    marks += [
        Mark(location=related.location, label=related.message, primary=False, style="secondary")
        for related in finding.related
    ]
    frames = blocks(marks, {mark.location.path: files.lines(mark.location.path) for mark in marks})
    gutter = len(str(max(frame.last_line for frame in frames)))
    for frame in frames:
        yield from draw(frame, gutter, options.width, options.encoding)
    known = list(facts(finding))
    if not finding.sequences:
        known.append(("explain", f"lint-m2m explain {finding.code}"))
    if known:
        yield [(" " * (gutter + 1), ""), ("|", "gutter")]
    for key, text in known:
        yield from _fact(key, text, gutter, options)
    if finding.sequences:
        yield from _sequences(finding, options)


def _headline(finding: Finding, options: RenderOptions) -> Iterator[Line]:
    severity = finding.severity.value
    head = f"{severity}[{finding.code}]"
    first, *rest = wrap(f"{head}: {prose(finding.message, options.encoding)}", options.width, hanging=4)
    yield [(head, severity), (first[len(head) :], "message")]
    for line in rest:
        yield [(f"    {line}", "message")]


def _fact(key: str, text: str, gutter: int, options: RenderOptions) -> Iterator[Line]:
    head = f"{key}: "
    indent = gutter + 3 + len(head)
    pieces = [piece for line in text.split("\n") for piece in _wrapped(line, options.width - indent, options)]
    yield [(" " * (gutter + 1), ""), ("=", "gutter"), (" ", ""), (head, "key"), (pieces[0], "")]
    for piece in pieces[1:]:
        yield [(" " * indent, ""), (piece, "")]


def _sequences(finding: Finding, options: RenderOptions) -> Iterator[Line]:
    first, *others = best_first(finding)
    yield []
    yield from _sequence("help", first, options)
    if options.verbose:
        for other in others:
            yield []
            yield from _sequence("or", other, options)
    yield []
    if others and not options.verbose:
        yield from _other_ways(others, options)
    yield from _footer(finding, options)


def _sequence(head: str, sequence: Sequence, options: RenderOptions) -> Iterator[Line]:
    title = f"{prose(sequence.title, options.encoding)} ({remark(sequence)})"
    first, *rest = wrap(f"{head}: {title}", options.width, hanging=2)
    yield [(head, "help"), (first[len(head) :], "message")]
    for line in rest:
        yield [(f"  {line}", "message")]
    if options.verbose and sequence.why:
        yield from _paragraph("why", sequence.why, options)
    for number, step in enumerate(sequence.steps, start=1):
        yield []
        yield from _step(number, step, last=number == len(sequence.steps), options=options)
    if sequence.caveats or sequence.verify:
        yield []
    for caveat in sequence.caveats:
        yield from _paragraph("mind", caveat, options)
    if sequence.verify:
        yield [("  ", ""), ("verify: ", "key"), (escape(sequence.verify, options.encoding), "command")]


def _step(number: int, step: SequenceStep, *, last: bool, options: RenderOptions) -> Iterator[Line]:
    dot = sign("·", options.encoding)
    where = "" if step.path is None else f"{escape(step.path, options.encoding)}: "
    first, *rest = wrap(
        f"step {number} {dot} {where}{prose(step.title, options.encoding)}", options.width - 2, hanging=2
    )
    yield [("  ", ""), (first, "step")]
    for line in rest:
        yield [(f"    {line}", "step")]
    yield []
    for line in step.code.rstrip("\n").split("\n"):
        yield [("    ", ""), (pasteable(line, options.encoding), "code")] if line.strip() else []
    if step.deploy_before_next and not last:
        yield []
        yield [("  deploy this before the next step", "key")]


def _other_ways(
    others: list[Sequence], options: RenderOptions, command: str = "lint-m2m check --verbose"
) -> Iterator[Line]:
    ways = "other ways: " + ", ".join(f"{escape(other.id, options.encoding)} ({remark(other)})" for other in others)
    lines = wrap(ways, options.width - 2)
    for line in lines[:-1]:
        yield [(f"  {line}", "")]
    if width(lines[-1]) + 5 + len(command) <= options.width:
        yield [(f"  {lines[-1]}   ", ""), (command, "command")]
    else:
        yield [(f"  {lines[-1]}", "")]
        yield [("    ", ""), (command, "command")]


def _footer(finding: Finding, options: RenderOptions) -> Iterator[Line]:
    """The commands that go on from here, of those that this program has."""
    kinds = {sequence.applicability for sequence in finding.sequences}
    offers: list[tuple[str, str]] = []
    if "check --fix" in options.commands and Applicability.SAFE in kinds:
        offers.append(("apply", "lint-m2m check --fix"))
    elif "check --unsafe-fixes" in options.commands and Applicability.REVIEW in kinds:
        offers.append(("apply", "lint-m2m check --fix --unsafe-fixes"))
    if "prove" in options.commands:
        offers.append(("prove", "lint-m2m prove"))
    offers.append(("explain", f"lint-m2m explain {finding.code}"))
    line: Line = []
    used = 0
    for key, command in offers:
        size = len(key) + 2 + len(command)
        if line and used + 4 + size > options.width:
            yield line
            line, used = [], 0
        line += [("    " if line else "  ", ""), (f"{key}: ", "key"), (command, "command")]
        used += size + (4 if used else 2)
    yield line


def _paragraph(key: str, text: str, options: RenderOptions) -> Iterator[Line]:
    head = f"  {key}: "
    pieces = [piece for line in text.split("\n") for piece in _wrapped(line, options.width - len(head), options)]
    for index, piece in enumerate(pieces):
        yield [(head, "key") if index == 0 else (" " * len(head), ""), (piece, "")]


def _wrapped(text: str, columns: int, options: RenderOptions) -> list[str]:
    return wrap(prose(text, options.encoding), max(columns, 20))

"""A comment on a pull request, in the Markdown that GitHub, GitLab and others share.

A name in a file must not become a link, a mention or markup: what stands between backticks goes into a code span, where
nothing has a meaning, and everything else is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from lint_m2m.finding import Finding, Report, Sequence, SequenceStep
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.text import counted, escape, pasteable, prose
from lint_m2m.reports.wording import best_first, closing_line, facts, remark

# By this, whoever posts the comment finds the one of the last run.
MARKER: Final = "<!-- lint-m2m -->"
# GitHub takes comments of 65,536 characters.
LIMIT: Final = 60_000

_LEFT_OUT: Final = "\nThe safe sequences are too long for this page: `lint-m2m check --verbose` shows them.\n"

_CODE: Final = re.compile(r"`([^`]*[^`\s][^`]*)`")
_REFERENCE: Final = re.compile(r"@|#(?=\d)")
_MARKUP: Final = re.compile(r"[\\`*_\[\]<>&|~$]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def render(report: Report, options: RenderOptions) -> str:
    """Every finding, its sequences folded away; where that is too long, sequences are left out, then findings."""
    head = f"{MARKER}\n### lint-m2m: {closing_line(report.summary)}\n"
    left = LIMIT - len(head)
    shown: list[str] = []
    for finding in report.findings:
        short = "".join(f"{line}\n" for line in _short(finding))
        left -= len(short) + (len(_LEFT_OUT) if finding.sequences else 0)
        if left < 0:
            break
        shown.append(short)
    more = len(report.findings) - len(shown)
    parts = [head]
    for short, finding in zip(shown, report.findings, strict=False):
        folded = _folded(finding)
        if finding.sequences:
            more_room = len(folded) - len(_LEFT_OUT)
            folded, left = (folded, left - more_room) if more_room <= left else (_LEFT_OUT, left)
        parts += [short, folded]
    if more:
        parts.append(f"\n…and {counted(more, 'finding')} more.\n")
    return "".join(parts)


def inline(text: str) -> str:
    """A text on one line, as it is read; what stands between backticks is code."""
    return "".join(
        f"`{piece}`" if number % 2 else _escaped(piece) for number, piece in enumerate(_CODE.split(prose(text)))
    )


def code_span(text: str) -> str:
    """A text on one line that is code from end to end."""
    shown = escape(text)
    ticks = "`" * (_longest_run(shown) + 1)
    # A blank at each end goes with the backticks.
    blank = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") else ""
    return f"{ticks}{blank}{shown}{blank}{ticks}" if shown.strip() else "` `"


def _escaped(text: str) -> str:
    return _apart(_MARKUP.sub(lambda sign: f"\\{sign.group()}", text))


def _apart(text: str) -> str:
    """Mentions and numbers of issues are looked for when the markup is gone, so a backslash would not do."""
    return _REFERENCE.sub(lambda sign: f"{sign.group()}<!-- -->", text)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _folded(finding: Finding) -> str:
    return "".join(
        f"\n{block}" for number, sequence in enumerate(best_first(finding)) for block in _sequence(sequence, number)
    )


def _short(finding: Finding) -> Iterator[str]:
    span = finding.span
    place = code_span(f"{finding.path}:{span.line}:{span.column}")
    yield ""
    yield f"#### {finding.severity.value}: {finding.code} {inline(finding.name)}"
    yield ""
    yield f"{place}: {inline(finding.message)}"
    yield ""
    for key, text in facts(finding):
        yield f"- {key}: {inline(text)}"
    for related in finding.related:
        location = related.location
        where = code_span(f"{location.path}:{location.span.line}:{location.span.column}")
        yield f"- see {where}: {inline(related.message)}"
    yield f"- explain: `lint-m2m explain {finding.code}`"


def _sequence(sequence: Sequence, number: int) -> Iterator[str]:
    head = "Another way" if number else "Safe sequence"
    summary = f"{head}: {_in_html(sequence.title)} ({remark(sequence)})"
    yield f"<details><summary>{summary}</summary>\n"
    if sequence.why:
        yield f"Why: {inline(sequence.why)}\n"
    for count, step in enumerate(sequence.steps, start=1):
        yield from _step(count, step, last=count == len(sequence.steps))
    closing = [f"- mind: {inline(caveat)}\n" for caveat in sequence.caveats]
    if sequence.verify:
        closing.append(f"- verify: {code_span(sequence.verify)}\n")
    if closing:
        yield "".join(closing)
    yield "</details>\n"


def _step(number: int, step: SequenceStep, *, last: bool) -> Iterator[str]:
    where = "" if step.path is None else f"{code_span(step.path)}: "
    yield f"**Step {number}** · {where}{inline(step.title)}\n"
    yield fenced(step.code, step.language)
    if step.deploy_before_next and not last:
        yield "Deploy this before the next step.\n"


def fenced(code: str, language: str) -> str:
    """A block of code that no line of it can end."""
    lines = [pasteable(line) for line in code.rstrip("\n").split("\n")]
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join([f"{fence}{language}", *lines, fence]) + "\n"


def _in_html(text: str) -> str:
    """Like `inline`, where Markdown does not reach."""
    pieces = _CODE.split(prose(text))
    return "".join(
        f"<code>{html.escape(piece)}</code>" if number % 2 else _apart(html.escape(piece, quote=False))
        for number, piece in enumerate(pieces)
    )

"""One page that needs nothing else: no script, no picture, no font, no network.

What is shown comes from strangers' files: every text goes through `_text` or `_code`, and the page's own policy forbids
whatever might get past them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape as in_html
from typing import Final

from lint_m2m.finding import Finding, Report, SequenceStep, Severity
from lint_m2m.finding import Sequence as SafeSequence
from lint_m2m.migration import Location
from lint_m2m.readers.files import Files
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.text import escape, pasteable, prose
from lint_m2m.reports.wording import best_first, closing_line, facts, remark
from lint_m2m.rules import RULES
from lint_m2m.rules.base import documentation

# Lines shown around the guilty ones, how many of those at most, and how many characters of one.
CONTEXT: Final = 2
MOST_LINES: Final = 24
MOST_CHARACTERS: Final = 400

_BACKTICKS: Final = re.compile(r"`([^`]+)`")
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --error: #c22; --warning: #b60; --info: #27a; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 0.875em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); padding: 0.5rem; overflow-x: auto; }
pre.document { white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--line); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
section { border-top: 1px solid var(--line); margin-top: 2rem; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); }
.number { opacity: 0.6; user-select: none; }
mark { background: #fc06; color: inherit; }
"""


def render(report: Report, options: RenderOptions) -> str:
    """The whole document: a table of the findings, each of them with its source and its sequences, the rules."""
    return "\n".join(_page(report, options)) + "\n"


def _page(report: Report, options: RenderOptions) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<title>lint-m2m</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield "<h1>lint-m2m</h1>"
    yield f"<p>{_text(closing_line(report.summary))}</p>"
    if report.findings:
        yield from _table(report.findings)
        files = Files(report.root, dict(options.overlay))
        for number, finding in enumerate(report.findings, start=1):
            yield from _finding(number, finding, files)
        yield from _rules({finding.code for finding in report.findings})
    yield "</body>"
    yield "</html>"


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    yield "<table>"
    yield "<tr><th>severity</th><th>rule</th><th>place</th><th>finding</th></tr>"
    for number, finding in enumerate(findings, start=1):
        yield (
            f"<tr><td>{_severity(finding.severity)}</td>"
            f'<td><a href="#finding-{number}">{_text(finding.code)}</a></td>'
            f"<td>{_place(finding.location)}</td><td>{_text(finding.message)}</td></tr>"
        )
    yield "</table>"


def _finding(number: int, finding: Finding, files: Files) -> Iterator[str]:
    yield f'<section id="finding-{number}">'
    yield f"<h2>{_severity(finding.severity)} {_text(finding.code)} {_text(finding.name)}</h2>"
    yield f"<p>{_text(finding.message)}</p>"
    label = f": {_text(finding.label)}" if finding.label else ""
    yield f"<p>{_place(finding.location)}{label}</p>"
    yield from _source(finding.location, files)
    for related in finding.related:
        yield f"<p>{_place(related.location)}: {_text(related.message)}</p>"
        yield from _source(related.location, files)
    known = [*facts(finding)]
    if known:
        yield "<ul>"
        yield from (f"<li>{key}: {_text(text)}</li>" for key, text in known)
        yield "</ul>"
    for count, sequence in enumerate(best_first(finding)):
        yield from _sequence(count, sequence)
    if any(rule.code == finding.code for rule in RULES):
        yield f'<p><a href="#{finding.code}">What {finding.code} is about</a></p>'
    yield "</section>"


def _sequence(number: int, sequence: SafeSequence) -> Iterator[str]:
    head = "Another way" if number else "Safe sequence"
    yield f"<details{'' if number else ' open'}>"
    yield f"<summary>{head}: {_text(sequence.title)} ({remark(sequence)})</summary>"
    if sequence.why:
        yield f"<p>Why: {_text(sequence.why)}</p>"
    yield "<ol>"
    for count, step in enumerate(sequence.steps, start=1):
        yield from _step(step, last=count == len(sequence.steps))
    yield "</ol>"
    if sequence.caveats or sequence.verify:
        yield "<ul>"
        yield from (f"<li>mind: {_text(caveat)}</li>" for caveat in sequence.caveats)
        if sequence.verify:
            yield f"<li>verify: <code>{in_html(escape(sequence.verify))}</code></li>"
        yield "</ul>"
    yield "</details>"


def _step(step: SequenceStep, *, last: bool) -> Iterator[str]:
    where = "" if step.path is None else f"<code>{in_html(escape(step.path))}</code>: "
    yield f"<li><p>{where}{_text(step.title)}</p>"
    yield f"<pre>{_code(step.code)}</pre>"
    if step.deploy_before_next and not last:
        yield "<p>Deploy this before the next step.</p>"
    yield "</li>"


def _rules(codes: set[str]) -> Iterator[str]:
    for rule in RULES:
        if rule.code in codes:
            yield f'<section id="{rule.code}">'
            yield f"<h2>{rule.code} {rule.name}</h2>"
            yield f'<pre class="document">{_code(documentation(rule))}</pre>'
            yield "</section>"


def _source(location: Location, files: Files) -> Iterator[str]:
    """The guilty text with what stands around it; nothing for a file as a whole, or one that cannot be read."""
    span = location.span
    lines = files.lines(location.path)
    whole = (span.line, span.column) == (span.end_line, span.end_column)
    if lines is None or whole or span.line > len(lines):
        return
    first = max(span.line - CONTEXT, 1)
    last = min(span.end_line + CONTEXT, len(lines), first + MOST_LINES - 1)
    shown = []
    for number in range(first, last + 1):
        line = lines[number - 1]
        start = end = 0
        if span.line <= number <= span.end_line:
            start = span.column - 1 if number == span.line else len(line) - len(line.lstrip())
            end = span.end_column - 1 if number == span.end_line else len(line)
        marked = _cut(line[start:end])
        text = _code(_cut(line[:start])) + (f"<mark>{_code(marked)}</mark>" if marked else "") + _code(_cut(line[end:]))
        shown.append(f'<span class="number">{number:>{len(str(last))}}</span>  {text}')
    if last < min(span.end_line, len(lines)):
        shown.append("…")
    yield "<pre>" + "\n".join(shown) + "</pre>"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def _place(location: Location) -> str:
    return f"<code>{in_html(escape(location.path))}:{location.span.line}:{location.span.column}</code>"


def _severity(severity: Severity) -> str:
    return f'<strong class="{severity.value}">{severity.value}</strong>'


def _text(text: str) -> str:
    """A text on one line; what stands between backticks is code."""
    return _BACKTICKS.sub(r"<code>\1</code>", in_html(prose(text)))


def _code(text: str) -> str:
    """Lines of code, or one of them, as they are."""
    return in_html("\n".join(pasteable(line) for line in text.rstrip("\n").split("\n")))

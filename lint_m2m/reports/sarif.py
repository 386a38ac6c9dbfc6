"""SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), which GitHub's code scanning and editors read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from lint_m2m import __version__
from lint_m2m.finding import Finding, Related, Report, Severity
from lint_m2m.migration import Location, Span
from lint_m2m.readers.source import split_lines
from lint_m2m.reports.json import document_text
from lint_m2m.reports.options import Edit, EditedFile, RenderOptions
from lint_m2m.reports.text import escape, prose
from lint_m2m.reports.wording import details
from lint_m2m.rules import RULES
from lint_m2m.rules.base import Rule, documentation

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Where files are, for a program that knows: GitHub and editors take it as the top of the repository.
BASE: Final = "%SRCROOT%"
# The key says how the value is made, so that another way of making it is not compared with this one.
FINGERPRINT: Final = "lintM2m/v1"

# Beyond, a change is one replacement: to compare lines takes a time that grows with the square of their number.
MOST_COMPARED: Final = 2_000

_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# GitHub's own word for the same.
_PROBLEMS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_INDEX: Final = {rule.code: number for number, rule in enumerate(RULES)}
_SECTION: Final = re.compile(r"^## What it does\n+(.*?)(?=\n## |\Z)", re.DOTALL | re.MULTILINE)


def render(report: Report, options: RenderOptions) -> str:
    """One run, with every rule there is, whether it spoke or not."""
    edits = {edit.fingerprint: edit for edit in options.edits}
    run = {
        "tool": {
            "driver": {
                "name": "lint-m2m",
                "semanticVersion": __version__,
                "version": __version__,
                "rules": [_rule(rule) for rule in RULES],
            }
        },
        # As the places were counted: in characters, and lines as Python has them.
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": [_result(finding, edits.get(finding.fingerprint)) for finding in report.findings],
    }
    return document_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: type[Rule]) -> dict[str, object]:
    text = documentation(rule)
    section = _SECTION.search(text)
    headline = text.partition("\n\n")[0].replace("\n", " ")
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": headline},
        "fullDescription": {"text": " ".join(section[1].split()) if section else headline},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["django", "migrations"], "problem.severity": _PROBLEMS[rule.severity]},
    }


def _result(finding: Finding, edit: Edit | None) -> dict[str, object]:
    result: dict[str, object] = {"ruleId": finding.code}
    # A finding of no rule of this release cannot be, but an index that is wrong would be worse than none.
    if finding.code in _INDEX:
        result["ruleIndex"] = _INDEX[finding.code]
    result |= {
        "level": _LEVELS[finding.severity],
        "message": {"text": _message("\n".join([prose(finding.message), *(prose(line) for line in details(finding))]))},
        "locations": [_location(finding)],
    }
    if finding.related:
        result["relatedLocations"] = [_related(number, each) for number, each in enumerate(finding.related)]
    result["partialFingerprints"] = {FINGERPRINT: finding.fingerprint}
    if edit is not None:
        result["fixes"] = [_fix(edit)]
    result["properties"] = {
        "certainty": finding.certainty.value,
        "migration": _shown(finding.migration),
        "operation": finding.operation,
        "sequences": [sequence.id for sequence in finding.sequences],
    }
    return result


def _location(finding: Finding) -> dict[str, object]:
    location: dict[str, object] = {"physicalLocation": _place(finding.location)}
    if finding.field:
        location["logicalLocations"] = [{"fullyQualifiedName": escape(finding.field), "kind": "member"}]
    return location


def _related(number: int, related: Related) -> dict[str, object]:
    return {
        "id": number,
        "physicalLocation": _place(related.location),
        "message": {"text": _message(prose(related.message))},
    }


def _place(location: Location) -> dict[str, object]:
    return {"artifactLocation": _artifact(location.path), "region": _region(location.span)}


def _artifact(path: str) -> dict[str, object]:
    return {"uri": _uri(path), "uriBaseId": BASE}


def _uri(path: str) -> str:
    """The path as a relative reference: the bytes that the file system has, whatever they mean."""
    from urllib.parse import quote

    try:
        name = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        name = path.encode("utf-8", "surrogatepass")
    return quote(name, safe="/")


def _region(span: Span) -> dict[str, object]:
    if span.line == span.end_line and span.column == span.end_column:
        return {"startLine": span.line}
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(edit: Edit) -> dict[str, object]:
    lines = [f"{edit.title} ({edit.sequence}, {edit.remark})"]
    lines += [f"then: {f'{step.path}: ' if step.path else ''}{step.title}" for step in edit.left]
    return {
        "description": {"text": _message("\n".join(map(prose, lines)))},
        "artifactChanges": [
            {"artifactLocation": _artifact(file.path), "replacements": [*_replacements(file)]} for file in edit.files
        ],
    }


def _replacements(file: EditedFile) -> Iterator[dict[str, object]]:
    """What makes the old text the new one, in whole lines where that is possible."""
    before, after = split_lines(file.before), split_lines(file.after)
    for first, end, new in _changes(before, after):
        replacement: dict[str, object] = {"deletedRegion": _between(_start_of(before, first), _start_of(before, end))}
        if new:
            replacement["insertedContent"] = {"text": "".join(new)}
        yield replacement


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, Sequence[str]]]:
    """Which lines of `before` (indexes, the last exclusive) become which."""
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if len(old) + len(new) > MOST_COMPARED:
        yield head, head + len(old), new
        return
    for kind, first, end, new_first, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield head + first, head + end, new[new_first:new_end]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """With how many equal lines both begin."""
    return next(
        (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _start_of(lines: Sequence[str], number: int) -> tuple[int, int]:
    """Line and column of the line with this index; for the one after the last, the end of the text."""
    if number < len(lines) or not lines:
        return number + 1, 1
    last = lines[-1]
    return (len(lines) + 1, 1) if last.endswith(("\n", "\r")) else (len(lines), len(last) + 1)


def _between(start: tuple[int, int], end: tuple[int, int]) -> dict[str, object]:
    return {"startLine": start[0], "startColumn": start[1], "endLine": end[0], "endColumn": end[1]}


def _message(text: str) -> str:
    """A plain text in which nothing is a link (3.11.6) or the place of an argument (3.11.5)."""
    return re.sub(r"\{(\d+)\}", r"{{\1}}", text.replace("](", "\\]("))


def _shown(text: str | None) -> str | None:
    return None if text is None else escape(text)

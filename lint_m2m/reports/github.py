"""Annotations of a GitHub workflow: one workflow command for each finding.

The form and its escapes are those of github.com/actions/toolkit, packages/core/src/command.ts. A command ends with its
line, so nothing that a file says can begin another one.
"""

from __future__ import annotations

from typing import Final

from lint_m2m.finding import Finding, Report, Severity
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.text import escape, prose
from lint_m2m.reports.wording import details

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, options: RenderOptions) -> str:
    """One line a finding; nothing at all when there is none."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    span = finding.span
    # GitHub takes columns only for a piece of one line.
    columns = {"col": span.column, "endColumn": span.end_column} if span.line == span.end_line else {}
    properties = {
        "title": f"{finding.code} {finding.name}",
        "file": escape(finding.path),
        "line": span.line,
        "endLine": span.end_line,
        **columns,
    }
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    message = "\n".join([prose(finding.message), *(prose(line) for line in details(finding))])
    return f"::{_COMMANDS[finding.severity]} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

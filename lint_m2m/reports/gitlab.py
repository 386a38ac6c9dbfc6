"""GitLab's Code Quality report: docs.gitlab.com/ci/testing/code_quality, "Code Quality report format"."""

from __future__ import annotations

from typing import Final

from lint_m2m.finding import Finding, Report, Severity
from lint_m2m.reports.json import document_text
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.text import escape, prose
from lint_m2m.reports.wording import details

_SEVERITIES: Final = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(report: Report, options: RenderOptions) -> str:
    """A list with an element for each finding; an empty one tells GitLab that the branch is clean."""
    return document_text([_element(finding) for finding in report.findings])


def _element(finding: Finding) -> dict[str, object]:
    span = finding.span
    return {
        "type": "issue",
        "check_name": finding.code,
        "categories": ["Bug Risk"],
        "description": f"{finding.code} {prose(finding.message)}",
        "content": {"body": "\n".join(prose(line) for line in details(finding))},
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": escape(finding.path), "lines": {"begin": span.line, "end": span.end_line}},
    }

"""``path:line:col: CODE message``: one line for each finding, as editors and grep want it."""

from __future__ import annotations

from lint_m2m.finding import Report
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.text import escape, prose


def render(report: Report, options: RenderOptions) -> str:
    """One line a finding; nothing at all when there is none."""
    encoding = options.encoding
    return "".join(
        f"{escape(finding.path, encoding)}:{finding.span.line}:{finding.span.column}: "
        f"{finding.code} {prose(finding.message, encoding)}\n"
        for finding in report.findings
    )

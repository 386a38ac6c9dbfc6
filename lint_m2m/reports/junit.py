"""Test results as JUnit's XML has them: a test case for each finding.

There is no standard; this is what Jenkins, GitLab, GitHub's actions and Azure all take. A finding of severity `info` is
a case that passes and says something.
"""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

from lint_m2m.finding import Finding, Report, Severity
from lint_m2m.reports.options import RenderOptions
from lint_m2m.reports.text import escape, prose
from lint_m2m.reports.wording import closing_line, details


def render(report: Report, options: RenderOptions) -> str:
    """One suite; without findings it has one case that passes, since an empty one is an error for some services."""
    failures = str(report.summary.error + report.summary.warning)
    counts = {"tests": str(len(report.findings) or 1), "failures": failures, "errors": "0"}
    suites = ElementTree.Element("testsuites", {"name": "lint-m2m", **counts})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "lint-m2m", **counts, "skipped": "0"})
    seen: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        _case(suite, finding, seen)
    if not report.findings:
        case = ElementTree.SubElement(suite, "testcase", {"name": "migrations", "classname": "lint-m2m"})
        ElementTree.SubElement(case, "system-out").text = closing_line(report.summary)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, finding: Finding, seen: Counter[tuple[str, str]]) -> None:
    """The name and the class are what services compare two runs by, so no line is in them."""
    migration = ".".join(part for part in (finding.app_label, finding.migration) if part)
    classname = escape(migration or finding.path)
    name = " ".join(part for part in (finding.code, finding.name, escape(finding.field or "")) if part)
    seen[classname, name] += 1
    if seen[classname, name] > 1:
        name += f" ({seen[classname, name]})"
    place = {"file": escape(finding.path), "line": str(finding.span.line)}
    case = ElementTree.SubElement(suite, "testcase", {"name": name, "classname": classname, **place})
    where = f"{escape(finding.path)}:{finding.span.line}:{finding.span.column}"
    text = "\n".join([f"{where}: {prose(finding.message)}", *(prose(line) for line in details(finding))])
    if finding.severity is Severity.INFO:
        ElementTree.SubElement(case, "system-out").text = text
    else:
        failure = {"type": f"{finding.severity.value} {finding.code}", "message": prose(finding.message)}
        ElementTree.SubElement(case, "failure", failure).text = text

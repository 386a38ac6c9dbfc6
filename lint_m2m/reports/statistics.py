"""How often each rule spoke."""

from __future__ import annotations

from collections import Counter

from lint_m2m.finding import Report


def statistics(report: Report) -> list[str]:
    """One line for each rule that has findings, the most frequent first: count, code, name."""
    counts = Counter((finding.code, finding.name) for finding in report.findings)
    size = len(str(max(counts.values(), default=0)))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [f"{number:>{size}}  {code}  {name}" for (code, name), number in ordered]

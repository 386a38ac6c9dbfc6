"""How many inputs were run, at the end of a run of this folder."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    counts = [value for report in reports for name, value in getattr(report, "user_properties", []) if name == "inputs"]
    if counts:
        terminalreporter.write_line(f"fuzz: {sum(counts):,} inputs")

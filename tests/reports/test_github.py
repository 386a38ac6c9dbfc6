"""Workflow commands, read back as GitHub's runner reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lint_m2m.finding import Severity
from lint_m2m.migration import Location, Span
from lint_m2m.reports import render
from tests.reports.examples import AUTHORSHIP, LIKELY, THROUGH_ADDED, WITH_SEQUENCES, report
from tests.reports.hostile import ALL, hostile_report


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Command, properties, message: what github.com/actions/runner, ActionCommand.cs, makes of a line."""
    match = re.fullmatch(r"::([a-z-]+) (.*?)::(.*)", line)
    assert match is not None, line
    properties = dict(pair.split("=", 1) for pair in match[2].split(","))
    for escaped, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        properties = {key: value.replace(escaped, sign) for key, value in properties.items()}
    message = match[3].replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    return match[1], properties, message


def test_a_finding_with_everything(tmp_path: Path) -> None:
    assert read(render(report(tmp_path, WITH_SEQUENCES), "github").rstrip("\n")) == (
        "error",
        {
            "title": "MTM101 through-added",
            "file": AUTHORSHIP,
            "line": "21",
            "endLine": "21",
            "col": "64",
            "endColumn": "92",
        },
        f"""\
{THROUGH_ADDED.message}
migrate: {THROUGH_ADDED.runtime_error}
note: {THROUGH_ADDED.notes[0]}
see library/migrations/0001_initial.py:11:29: created without `through=`, in table `library_book_authors`
help: keep the table, change only what Django believes (no downtime)
or: rename the table to the through model's own name (brief downtime)
or: edit the initial migration (unreleased only)
explain: lint-m2m explain MTM101""",
    )


@pytest.mark.parametrize(
    ("severity", "command"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "notice")]
)
def test_severities(tmp_path: Path, severity: Severity, command: str) -> None:
    assert read(render(report(tmp_path, replace(LIKELY, severity=severity)), "github").rstrip("\n"))[0] == command


def test_columns_only_within_a_line(tmp_path: Path) -> None:
    """GitHub refuses an annotation over several lines that has columns."""
    finding = replace(THROUGH_ADDED, location=Location(AUTHORSHIP, Span(18, 9, 22, 10)))
    properties = read(render(report(tmp_path, finding), "github").rstrip("\n"))[1]
    assert (properties["line"], properties["endLine"]) == ("18", "22")
    assert not {"col", "endColumn"} & properties.keys()


def test_nothing_for_no_finding(tmp_path: Path) -> None:
    assert render(report(tmp_path), "github") == ""


def test_escapes(tmp_path: Path) -> None:
    finding = replace(THROUGH_ADDED, message="100%: a,b%0A", location=Location("a,b:c%3A=d.py", Span(1, 1, 1, 1)))
    line = render(report(tmp_path, finding), "github").rstrip("\n")
    assert "file=a%2Cb%3Ac%253A=d.py," in line
    assert "::100%25: a,b%250A%0A" in line
    assert read(line)[1]["file"] == "a,b:c%3A=d.py"


@pytest.mark.parametrize("text", ALL)
def test_hostile_names_make_no_command(tmp_path: Path, text: str) -> None:
    rendered = render(hostile_report(tmp_path, text), "github")
    lines = rendered.splitlines()
    assert len(lines) == 2, rendered
    for line in lines:
        assert line.isprintable()
        command, properties, _ = read(line)
        assert command == "error"
        assert properties["line"] == "21"

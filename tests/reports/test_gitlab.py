"""GitLab's Code Quality, as docs.gitlab.com/ci/testing/code_quality describes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from lint_m2m.finding import Severity
from lint_m2m.reports import render
from tests.reports.examples import AUTHORSHIP, LIKELY, THROUGH_ADDED, WITH_SEQUENCES, report
from tests.reports.hostile import ALL, hostile_report

# What GitLab requires of an element, and what it knows.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "type": {"const": "issue"},
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "content": {"type": "object", "properties": {"body": {"type": "string"}}},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!/|\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer"}, "end": {"type": "integer"}},
                    },
                },
            },
        },
    },
}


def test_a_finding_with_everything(tmp_path: Path) -> None:
    (element,) = json.loads(render(report(tmp_path, WITH_SEQUENCES), "gitlab"))
    body = element.pop("content")["body"]
    assert "\nhelp: keep the table, change only what Django believes (no downtime)\n" in body
    assert element == {
        "type": "issue",
        "check_name": "MTM101",
        "categories": ["Bug Risk"],
        "description": f"MTM101 {THROUGH_ADDED.message}",
        "fingerprint": "5" * 64,
        "severity": "critical",
        "location": {"path": AUTHORSHIP, "lines": {"begin": 21, "end": 21}},
    }


def test_severities(tmp_path: Path) -> None:
    findings = [replace(LIKELY, severity=severity) for severity in Severity]
    document = json.loads(render(report(tmp_path, *findings), "gitlab"))
    jsonschema.validate(document, SCHEMA)
    assert [element["severity"] for element in document] == ["critical", "major", "info"]


def test_nothing_found_is_a_report_too(tmp_path: Path) -> None:
    """Without it GitLab would compare with the last one there was."""
    assert render(report(tmp_path), "gitlab") == "[]\n"


@pytest.mark.parametrize("text", ALL)
def test_hostile_names(tmp_path: Path, text: str) -> None:
    rendered = render(hostile_report(tmp_path, text), "gitlab")
    rendered.encode("utf-8")
    document = json.loads(rendered)
    jsonschema.validate(document, SCHEMA)
    assert len(document) == 2
    for element in document:
        texts = [element["description"], element["location"]["path"], *element["content"]["body"].split("\n")]
        assert all(shown.isprintable() for shown in texts)

"""JUnit's XML, read by a parser that takes nothing that is not well-formed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lint_m2m.finding import Severity
from lint_m2m.reports import render
from tests.reports.examples import AUTHORSHIP, LIKELY, THROUGH_ADDED, WITH_SEQUENCES, report
from tests.reports.hostile import ALL, hostile_report


def suite_of(text: str) -> ElementTree.Element:
    """The only suite; its counts, and those of the whole, are right."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    suites = ElementTree.fromstring(text.encode("utf-8"))
    assert suites.tag == "testsuites"
    (suite,) = suites
    for element in (suites, suite):
        assert element.attrib["tests"] == str(len(suite))
        assert element.attrib["failures"] == str(len(suite.findall("testcase/failure")))
        assert element.attrib["errors"] == "0"
        assert not {"time", "timestamp", "hostname"} & element.attrib.keys()
    return suite


def test_a_finding_with_everything(tmp_path: Path) -> None:
    (case,) = suite_of(render(report(tmp_path, WITH_SEQUENCES), "junit"))
    assert case.attrib == {
        "name": "MTM101 through-added library.book.authors",
        "classname": "library.0002_authorship",
        "file": AUTHORSHIP,
        "line": "21",
    }
    (failure,) = case
    assert failure.attrib == {"type": "error MTM101", "message": THROUGH_ADDED.message}
    assert failure.text is not None
    assert failure.text.startswith(f"{AUTHORSHIP}:21:64: {THROUGH_ADDED.message}\nmigrate: ValueError: ")
    assert failure.text.endswith("\nexplain: lint-m2m explain MTM101")


def test_severities(tmp_path: Path) -> None:
    """What is worth knowing is no failure."""
    findings = [replace(LIKELY, severity=severity) for severity in Severity]
    suite = suite_of(render(report(tmp_path, *findings), "junit"))
    assert [[child.tag for child in case] for case in suite] == [["failure"], ["failure"], ["system-out"]]


def test_names_differ(tmp_path: Path) -> None:
    suite = suite_of(render(report(tmp_path, LIKELY, LIKELY, replace(LIKELY, field=None, migration=None)), "junit"))
    assert [(case.attrib["classname"], case.attrib["name"]) for case in suite] == [
        ("library.0002_authorship", "MTM101 through-added library.book.authors"),
        ("library.0002_authorship", "MTM101 through-added library.book.authors (2)"),
        ("library", "MTM101 through-added"),
    ]


def test_nothing_found_is_a_test_that_passes(tmp_path: Path) -> None:
    (case,) = suite_of(render(report(tmp_path), "junit"))
    assert [child.tag for child in case] == ["system-out"]
    assert case[0].text == "no findings in 9 migrations of 2 apps, everything read"


@pytest.mark.parametrize("text", ALL)
def test_hostile_names(tmp_path: Path, text: str) -> None:
    suite = suite_of(render(hostile_report(tmp_path, text), "junit"))
    assert [[child.tag for child in case] for case in suite] == [["failure"], ["failure"]]
    for element in suite.iter():
        texts = [*element.attrib.values(), *(element.text or "").split("\n")]
        assert all(shown.isprintable() for shown in texts), texts

"""A rule's module docstring is its documentation: headings, an example that is found, a safe form that is not."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest

from lint_m2m.engine import check
from lint_m2m.reports import render
from lint_m2m.rules import RULES
from lint_m2m.rules.base import Rule
from tests.support import documented

HEADINGS = ["What it does", "Why it breaks", "Example", "Safe sequence", "When it stays silent", "References"]

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def documentation(rule: type[Rule]) -> str:
    text = sys.modules[rule.__module__].__doc__
    assert text is not None
    return text


@each_rule
def test_headings(rule: type[Rule]) -> None:
    text = documentation(rule)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert section.strip()
    summary = text.splitlines()[0]
    assert summary.endswith(".")
    assert len(summary) <= 110


@each_rule
def test_example_is_found(rule: type[Rule], tmp_path: Path) -> None:
    report = check(documented.write(tmp_path, documented.block(documentation(rule), "Example")))
    assert rule.code in {finding.code for finding in report.findings}, render(report, "full")


@each_rule
def test_safe_sequence_is_silent(rule: type[Rule], tmp_path: Path) -> None:
    report = check(documented.write(tmp_path, documented.block(documentation(rule), "Safe sequence")))
    assert not report.findings, render(report, "full")


def test_one_file_and_one_registry_line_a_rule() -> None:
    folder = Path(inspect.getfile(Rule)).parent
    modules = sorted(path.stem for path in folder.glob("mtm*.py"))
    assert modules == [f"{rule.code.lower()}_{rule.name.replace('-', '_')}" for rule in RULES]
    assert [rule.code for rule in RULES] == sorted({rule.code for rule in RULES})
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.__module__.rpartition(".")[2].startswith(rule.code.lower())

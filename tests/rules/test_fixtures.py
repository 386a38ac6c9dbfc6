"""Every fixture project gives exactly the findings its `# expect:` comments promise."""

from __future__ import annotations

import pytest

from lint_m2m.engine import check
from lint_m2m.reports import render
from lint_m2m.rules import RULES
from tests.support.rule_projects import GUIDE_FIXTURES, RULE_FIXTURES, Expected, RuleProject, projects

ALL = projects() + projects(GUIDE_FIXTURES)


@pytest.mark.parametrize("project", ALL, ids=lambda project: project.id)
def test_findings_are_those_expected(project: RuleProject) -> None:
    report = check(project.path)
    found = sorted(Expected(finding.path, finding.span.line, finding.code) for finding in report.findings)
    assert found == project.expected(), render(report, "full")


@pytest.mark.parametrize("project", [p for p in ALL if p.bad and p.group.startswith("MTM")], ids=lambda p: p.id)
def test_a_bad_fixture_shows_its_rule(project: RuleProject) -> None:
    assert project.group in {expected.code for expected in project.expected()}


@pytest.mark.parametrize("project", [p for p in ALL if p.name.startswith("good")], ids=lambda p: p.id)
def test_a_good_fixture_is_silent_on_its_rule(project: RuleProject) -> None:
    assert project.group not in {expected.code for expected in project.expected()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_has_bad_good_and_unknown_cases(rule: type) -> None:
    names = [folder.name for folder in (RULE_FIXTURES / rule.code).iterdir() if folder.is_dir()]  # type: ignore[attr-defined]
    assert any(name.startswith("bad") for name in names), names
    assert sum(name.startswith("good") for name in names) >= 2, names
    assert any("unknown" in name for name in names), names

"""The fixture projects are run with real Django, operation by operation: it has to do what the findings say."""

from __future__ import annotations

from dataclasses import replace

import django
import pytest

from lint_m2m import config
from lint_m2m.engine import check
from lint_m2m.reports import render
from tests import judge
from tests.support.agreement import disagreements
from tests.support.rule_projects import GUIDE_FIXTURES, RuleProject, projects

# Django cannot load these at all: `test_what_django_refuses_to_load` has them.
REFUSED = ("MTM901", "MTM903")
# Their findings are silenced on purpose.
SILENCED = "MTM904"

ALL = projects() + projects(GUIDE_FIXTURES)
RUNNABLE = [p for p in ALL if p.group != SILENCED and not (p.group in REFUSED and p.bad)]


def compare(project: RuleProject, database: str, vendor: str) -> None:
    try:
        outcome = judge.run(project.path, database=database)
    except judge.JudgeError as error:
        if not (project.unknown or project.group == "MTM902"):
            raise AssertionError(f"Django cannot load it: {error}") from error
        pytest.skip("made to be unreadable: it imports what is nowhere")
    configured = replace(config.load(project.path), database=vendor, django_version=django.VERSION[:2])
    report = check(project.path, configured)
    found = disagreements(report, outcome, claims_only=project.unknown or project.group == "MTM902")
    assert not found, "\n".join([*found, render(report, "full")])


@pytest.mark.parametrize("project", RUNNABLE, ids=lambda project: project.id)
def test_django_does_what_the_findings_say(project: RuleProject) -> None:
    compare(project, judge.SQLITE, "sqlite")


@pytest.mark.parametrize("project", RUNNABLE, ids=lambda project: project.id)
def test_django_does_it_on_servers(project: RuleProject, database_url: str) -> None:
    vendor = database_url.partition(":")[0]
    compare(project, database_url, vendor)


@pytest.mark.parametrize(
    "project", [p for p in ALL if p.group in REFUSED and p.bad and p.name != "bad_two_leaves"], ids=lambda p: p.id
)
def test_what_django_refuses_to_load(project: RuleProject) -> None:
    with pytest.raises(judge.JudgeError):
        judge.run(project.path)

"""The fixtures of the rules and of the guides, fixed: real Django runs what is left, with rows in every table."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import django
import pytest

from lint_m2m import rewrite
from lint_m2m.config import Config, load
from lint_m2m.engine import Outcome, run
from lint_m2m.finding import Applicability
from lint_m2m.reports import render
from tests import judge
from tests.support.agreement import disagreements
from tests.support.rule_projects import GUIDE_FIXTURES, RuleProject, projects

BAD = [project for project in projects() + projects(GUIDE_FIXTURES) if project.bad]
# What `--fix` alone makes good, to the last finding.
SAFE = {
    "MTM101-bad_cross_app",
    "MTM101-bad_makemigrations",
    "MTM101-bad_self_referential",
    "MTM101-bad_swappable_user",
    "MTM102-bad_through_dropped",
    "MTM103-bad_from_foreign_key",
    "MTM105-bad_deleted_then_created",
    "copy-bad_clean_up_in_one_run",
    "keep_the_table-bad_pinned_table",
}
# MTM105: an AlterField whose old through model the same migration has deleted before it.
FAILS_EVERYWHERE = {"MTM101", "MTM102", "MTM103", "MTM104", "MTM105"}


def configure(root: Path) -> Config:
    return replace(load(root), database="sqlite", django_version=django.VERSION[:2])


def fixed(project: Path, *, unsafe: bool) -> tuple[rewrite.Rewriting, Outcome]:
    """What was written into a project, and the check of it afterwards."""
    rewriting = rewrite.plan(run([project], configure), configure, rewrite.Choice(unsafe=unsafe))
    rewrite.write(rewriting.changes)
    after = run([project], configure)
    assert rewrite.plan(after, configure, rewrite.Choice(unsafe=unsafe)).changes == ()
    return rewriting, after


def shown(rewriting: rewrite.Rewriting, after: Outcome) -> str:
    return rewrite.diff(rewriting.changes).decode() + render(after.report, "full")


@pytest.mark.parametrize("project", BAD, ids=lambda project: project.id)
def test_django_agrees_with_what_is_left(project: RuleProject, tmp_path: Path) -> None:
    copy = shutil.copytree(project.path, tmp_path / "project")
    rewriting, after = fixed(copy, unsafe=True)
    if not rewriting.fixes:
        return
    gone = {(fix.finding.code, fix.finding.field) for fix in rewriting.fixes}
    assert not gone & {(one.code, one.field) for one in after.report.findings}, shown(rewriting, after)
    assert disagreements(after.report, judge.run(copy)) == [], shown(rewriting, after)


@pytest.mark.parametrize("project", BAD, ids=lambda project: project.id)
def test_safe_fixes(project: RuleProject, tmp_path: Path) -> None:
    copy = shutil.copytree(project.path, tmp_path / "project")
    rewriting, after = fixed(copy, unsafe=False)
    assert {fix.finding.code for fix in rewriting.fixes} <= FAILS_EVERYWHERE
    if project.id not in SAFE:
        return
    assert after.report.findings == (), shown(rewriting, after)
    outcome = judge.run(copy)
    assert (outcome.raised, [loss for loss in outcome.losses if loss.healed is None]) == (None, []), shown(
        rewriting, after
    )


def test_only_what_fails_everywhere_is_safe() -> None:
    for project in BAD:
        for finding in run([project.path], configure).report.findings:
            for sequence in finding.sequences:
                if sequence.applicability is Applicability.SAFE:
                    assert finding.code in FAILS_EVERYWHERE, (project.id, finding.code, sequence.id)

"""What a report may offer to change for single findings: each by itself, and checked as `--fix` is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m import rewrite
from lint_m2m.finding import Applicability
from lint_m2m.rewrite import planning
from tests.cli.projects import INITIAL, THROUGH, library, write
from tests.rewrite.test_plan import PATH, RATED, Config, check, plan, spoiled


def edits(*roots: Path) -> tuple[rewrite.Edit, ...]:
    return rewrite.edits(check(*roots), lambda _: Config())


def test_the_edit_is_what_fix_writes(tmp_path: Path) -> None:
    root = library(tmp_path)
    (edit,) = edits(root)
    (finding,) = check(root).report.findings
    assert edit.fingerprint == finding.fingerprint
    assert (edit.sequence, edit.applicability) == ("keep-table", Applicability.SAFE)
    assert edit.changes == plan(root).changes
    assert [step.path for step in edit.left] == ["library/models.py"]
    assert (root / PATH).read_text() == THROUGH


def test_new_migrations_are_left(tmp_path: Path) -> None:
    """A tool can replace text in files that are there."""
    root = write(library(tmp_path), {PATH: RATED})
    (edit,) = edits(root)
    assert [change.path for change in edit.changes] == [PATH]
    new = {change.path for change in plan(root).changes} - {PATH}
    assert len(new) == 1
    assert new < {step.path for step in edit.left}


def test_each_finding_by_itself(tmp_path: Path) -> None:
    """Both fields of one migration: an edit leaves the other finding alone."""
    both = THROUGH.replace("Authorship", "Editorship").replace('"authors"', '"editors"').replace("books", "edited")
    link = '                ("authors", models.ManyToManyField(related_name="books", to="library.author")),\n'
    second = link.replace("authors", "editors").replace("books", "edited")
    operations = both.partition("operations = [\n")[2]
    root = write(
        library(tmp_path),
        {
            "library/migrations/0001_initial.py": INITIAL.replace(link, link + second),
            PATH: THROUGH.removesuffix("    ]\n") + operations,
        },
    )
    made = {edit.fingerprint: edit for edit in edits(root)}
    findings = check(root).report.findings
    assert [finding.field for finding in findings] == ["library.book.authors", "library.book.editors"]
    assert set(made) == {finding.fingerprint for finding in findings}
    for finding, other in zip(findings, reversed(findings), strict=True):
        (change,) = made[finding.fingerprint].changes
        (root / PATH).write_bytes(change.after)
        assert [one.field for one in check(root).report.findings] == [other.field]


def test_several_projects(tmp_path: Path) -> None:
    """Equal findings in two projects have fingerprints and paths of their own."""
    roots = [library(tmp_path / name) for name in ("one", "two")]
    made = edits(*roots)
    findings = check(*roots).report.findings
    assert [edit.fingerprint for edit in made] == [finding.fingerprint for finding in findings]
    assert [edit.changes[0].path for edit in made] == [f"one/{PATH}", f"two/{PATH}"]
    assert [edit.left[0].path for edit in made] == ["one/library/models.py", "two/library/models.py"]


def test_nothing_is_offered_that_does_not_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path)
    spoiled(monkeypatch, lambda text: text.replace("SeparateDatabaseAndState", "RunPython"))
    assert edits(root) == ()


def test_nothing_is_tried_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = check(write(library(tmp_path), {PATH: THROUGH.partition("        migrations.AlterField")[0] + "    ]\n"}))
    monkeypatch.setattr(planning.engine, "run", None)
    assert rewrite.edits(outcome, lambda _: Config()) == ()

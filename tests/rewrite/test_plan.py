"""What is refused, and why: a fix counts only when its finding is gone and nothing new has appeared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lint_m2m import rewrite
from lint_m2m.config import Config
from lint_m2m.engine import Outcome, run
from lint_m2m.rewrite import planning
from lint_m2m.sequences.values import Proposal
from tests.cli.projects import INITIAL, THROUGH, library, write

PATH = "library/migrations/0002_authorship.py"
RATED = THROUGH.replace(
    '                ("book",', '                ("rank", models.IntegerField(default=0)),\n                ("book",', 1
)


def check(*roots: Path, **options: Any) -> Outcome:
    return run(list(roots), lambda _: Config(**options))


def plan(*roots: Path, id: str | None = None, unsafe: bool = False, **options: Any) -> rewrite.Rewriting:
    choice = rewrite.Choice(id=id, unsafe=unsafe)
    return rewrite.plan(check(*roots, **options), lambda _: Config(**options), choice)


def reasons(rewriting: rewrite.Rewriting) -> list[str]:
    assert (rewriting.changes, rewriting.fixes) == ((), ())
    return [declined.reason for declined in rewriting.declined]


def spoiled(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    """Every text that a sequence makes is spoiled."""
    real = planning.apply_changes

    def apply_changes(texts: Mapping[str, str], proposal: Proposal) -> dict[str, str]:
        return {path: change(text) for path, text in real(texts, proposal).items()}

    monkeypatch.setattr(planning, "apply_changes", apply_changes)


def test_nothing_to_fix(tmp_path: Path) -> None:
    write(library(tmp_path), {PATH: THROUGH.partition("        migrations.AlterField")[0] + "    ]\n"})
    assert plan(tmp_path) == rewrite.Rewriting()


def test_the_finding_would_still_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    spoiled(monkeypatch, lambda text: THROUGH)
    assert reasons(plan(tmp_path)) == ["`keep-table` is not written: the finding would still be there"]


def test_something_new_would_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    spoiled(monkeypatch, lambda text: text.replace('"db_table": "library_book_authors"', '"db_table": "elsewhere"'))
    (reason,) = reasons(plan(tmp_path))
    assert reason.startswith(f"`keep-table` is not written: it would bring MTM301 at {PATH}:"), reason


def test_a_rule_that_was_not_selected_is_asked_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    spoiled(monkeypatch, lambda text: text.replace('"db_table": "library_book_authors"', '"db_table": "elsewhere"'))
    (reason,) = reasons(plan(tmp_path, select=("MTM101",)))
    assert "MTM301" in reason


def test_a_rule_that_is_switched_off_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    spoiled(monkeypatch, lambda text: text.replace('"db_table": "library_book_authors"', '"db_table": "elsewhere"'))
    assert plan(tmp_path, ignore=("MTM30",)).fixes != ()


def test_a_text_that_is_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    spoiled(monkeypatch, lambda text: text + "\nclass:\n")
    (reason,) = reasons(plan(tmp_path))
    assert reason.startswith("`keep-table` is not written: "), reason


def test_a_part_that_can_no_longer_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path)
    spoiled(
        monkeypatch,
        lambda text: text.replace("operations = [\n", "operations = [\n        *unheard_of(),\n", 1),
    )
    (reason,) = reasons(plan(tmp_path))
    assert "MTM902" in reason or f"`{PATH}` could not be read whole afterwards" in reason, reason


def test_what_moves_with_its_operation_is_nothing_new(tmp_path: Path) -> None:
    """MTM403 is about the AlterField, which `expand-contract` puts into a migration of its own."""
    model, field = THROUGH.split("        migrations.AlterField(\n")
    renamed = "        migrations.AlterField(\n" + field.replace('"books"', '"tomes"')
    head = THROUGH.partition("        migrations.CreateModel(\n")[0].replace("0001_initial", "0002_authorship")
    write(library(tmp_path), {PATH: model + "    ]\n", "library/migrations/0003_through.py": head + renamed})
    assert [one.code for one in check(tmp_path).report.findings] == ["MTM403", "MTM101"]
    rewriting = plan(tmp_path, id="expand-contract", unsafe=True)
    assert [fix.finding.code for fix in rewriting.fixes] == ["MTM101"], rewriting.declined
    assert rewriting.fixes[0].also == ()
    assert rewriting.fixes[0].later
    rewrite.write(rewriting.changes)
    assert [one.code for one in check(tmp_path).report.findings] == ["MTM403"]


def test_a_name_that_is_taken_by_what_is_no_migration(tmp_path: Path) -> None:
    library(tmp_path)
    write(tmp_path, {PATH: RATED})
    taken = tmp_path / "library/migrations/0003_authorship_rank_not_null.py"
    taken.symlink_to(tmp_path / "library/nowhere.py")
    findings = check(tmp_path).report.findings
    rewriting = plan(tmp_path)
    if rewriting.changes:
        assert taken not in [change.file for change in rewriting.changes]
    else:
        assert "there is a `library/migrations/0003_authorship_rank_not_null.py` already" in reasons(rewriting)[0]
    assert findings
    assert taken.is_symlink()


@pytest.mark.parametrize("name", ["../../../../evil", "/etc/evil", "a/b", "a\\\\b", "a.b", "a b", "é"])
def test_a_model_s_name_is_no_path(tmp_path: Path, name: str) -> None:
    root = library(tmp_path / "deep" / "down" / "site")
    write(root, {PATH: RATED.replace("Authorship", name)})
    for change in plan(root).changes:
        assert change.file.parent == root / "library/migrations"
        assert change.file.name.isidentifier() or change.file.stem[4:].replace("_", "").isalnum()


def test_two_projects_in_one_run(tmp_path: Path) -> None:
    one, other = library(tmp_path / "one"), library(tmp_path / "other")
    write(other, {PATH: RATED})
    rewriting = plan(one, other)
    assert [change.path for change in rewriting.changes] == [
        f"one/{PATH}",
        f"other/{PATH}",
        "other/library/migrations/0003_authorship_rank_not_null.py",
    ]
    assert [fix.finding.path for fix in rewriting.fixes] == [f"one/{PATH}", f"other/{PATH}"]
    assert [step.path for fix in rewriting.fixes for step in fix.left] == [
        "one/library/models.py",
        "other/library/models.py",
    ]
    rewrite.write(rewriting.changes)
    assert check(one, other).report.findings == ()


def test_only_what_was_asked_for_is_fixed(tmp_path: Path) -> None:
    root = library(tmp_path)
    press = {
        path.replace("library", "press"): text.replace("library", "press")
        for path, text in {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": INITIAL,
            PATH: THROUGH,
        }.items()
    }
    write(root, press)
    outcome = run([root / "press"], lambda _: Config())
    rewriting = rewrite.plan(outcome, lambda _: Config())
    assert [change.path for change in rewriting.changes] == [PATH.replace("library", "press")]


def test_what_comes_after_a_failing_operation(tmp_path: Path) -> None:
    """It is judged as if that had run, so nothing new comes up with the fix."""
    back = THROUGH.partition("        migrations.CreateModel(\n")[0].replace("0001_initial", "0002_authorship")
    back += (
        "        migrations.AlterField(\n"
        '            model_name="book",\n'
        '            name="authors",\n'
        '            field=models.ManyToManyField(related_name="books", to="library.author"),\n'
        "        ),\n    ]\n"
    )
    write(library(tmp_path), {"library/migrations/0003_back.py": back})
    before = [one.code for one in check(tmp_path).report.findings]
    rewriting = plan(tmp_path)
    rewrite.write(rewriting.changes)
    after = [one.code for one in check(tmp_path).report.findings]
    assert (before, after) == (["MTM101", "MTM102"], ["MTM102"])
    assert plan(tmp_path).changes == ()


REMOVED = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0002_authorship")]
    operations = [
        {before}migrations.AlterField(
            "book", "editors", models.ManyToManyField(to="library.author", related_name="edited")
        ),
    ]
"""


@pytest.mark.parametrize(
    ("before", "sequences"),
    [
        ("", True),
        ('migrations.RenameField("authorship", "book", "work"),\n        ', False),
        ('migrations.AlterModelTable("authorship", "elsewhere"),\n        ', False),
        ('migrations.RenameModel("author", "person"),\n        ', False),
        ('migrations.AddField("author", "age", models.IntegerField(null=True)),\n        ', True),
    ],
    ids=["alone", "renamed key", "renamed table", "renamed model", "something else"],
)
def test_what_changes_in_the_same_migration_before(tmp_path: Path, before: str, sequences: bool) -> None:
    """The state before the migration would tell the wrong names."""
    added = THROUGH.replace("migrations.AlterField(", "migrations.AddField(").replace('"authors"', '"editors"')
    added = added.replace('related_name="books"', 'related_name="edited"')
    write(
        library(tmp_path),
        {PATH: added, "library/migrations/0003_plain.py": REMOVED.replace("{before}", before)},
    )
    (finding,) = [one for one in check(tmp_path).report.findings if one.code == "MTM102"]
    assert bool(finding.sequences) is sequences

"""``check --baseline`` and ``--write-baseline``: what is known is not told again, and what is gone is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m.cache import FOLDER
from tests.cli.conftest import Run
from tests.cli.projects import FINDING, INITIAL, THROUGH, library, write

Lint = Callable[..., Run]

MIGRATION = "library/migrations/0002_authorship.py"
ENTRY = """\

[[finding]]
code = "MTM101"
app = "library"
migration = "0002_authorship"
field = "library.book.authors"
"""
# A third migration of the app that has a finding of its own: a dependency that is not there.
LOST = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0002_authorship"), ("shop", "0009_gone")]
    operations = []
"""


def files_of(project: Path) -> dict[Path, bytes]:
    """What is in the project, but for what lint-m2m keeps."""
    files = (path for path in project.rglob("*") if path.is_file() and path.parent.name != FOLDER)
    return {path: path.read_bytes() for path in files}


@pytest.fixture
def known(project: Path, lint: Lint) -> Path:
    """The library project with a baseline that its configuration names."""
    write(project, {"pyproject.toml": '[tool.lint-m2m]\nbaseline = "known.toml"\n'})
    assert lint("--write-baseline") == Run(0, "", "lint-m2m: written: known.toml: 1 finding\n")
    return project / "known.toml"


def test_what_is_known_is_not_told_again(known: Path, lint: Lint) -> None:
    assert known.read_text().endswith(f"schema = 1\n{ENTRY}")
    assert lint("--format", "concise") == Run(0, "", "")
    run = lint()
    assert (run.status, run.err) == (0, "")
    assert run.out.replace("\n", " ") == (
        "no findings in 3 migrations of 2 apps, everything read; not shown: 1 in the baseline "
    )
    assert lint("--no-baseline", "--format", "concise") == Run(1, FINDING, "")
    assert lint_m2m.check(".").findings == ()


@pytest.mark.parametrize("format", ["json", "github", "gitlab", "sarif", "junit", "markdown", "html"])
def test_no_form_of_the_report_has_it(known: Path, lint: Lint, format: str) -> None:
    run = lint("--format", format, "--fail-on", "info", "--statistics")
    assert run.status == 0
    # The documentation of the rules, which SARIF carries, has a migration of this name, too.
    found = run.out.partition('"results"')[2] if format == "sarif" else run.out
    assert "0002_authorship" not in found
    assert run.err == ""


def test_it_survives_moved_lines_and_other_words(known: Path, lint: Lint) -> None:
    text = THROUGH.replace("class Migration", "# moved\n\n\nclass Migration").replace('"books"', '"works"')
    write(Path(), {MIGRATION: text})
    assert lint("--format", "concise", "--select", "MTM1") == Run(0, "", "")


def test_another_field_is_another_finding(known: Path, lint: Lint) -> None:
    editors = '                ("editors", models.ManyToManyField(related_name="edited", to="library.author")),\n'
    alter = THROUGH[THROUGH.index("        migrations.AlterField") : THROUGH.rindex("    ]")]
    write(
        Path(),
        {
            "library/migrations/0001_initial.py": INITIAL.replace(
                "            ],\n        ),\n    ]", f"{editors}            ],\n        ),\n    ]"
            ),
            MIGRATION: THROUGH.replace(
                "    ]\n", alter.replace("authors", "editors").replace("books", "edited") + "    ]\n"
            ),
        },
    )
    run = lint("--format", "json", "--select", "MTM101")
    assert [finding["field"] for finding in json.loads(run.out)["findings"]] == ["library.book.editors"]
    assert run.err == ""


def test_more_than_the_baseline_counts_are_told(project: Path, lint: Lint) -> None:
    comments = "# lint-m2m: ignore[MTM202]\n# lint-m2m: ignore[MTM202]\n"
    write(
        project,
        {"shop/migrations/0001_initial.py": comments + (project / "shop/migrations/0001_initial.py").read_text()},
    )
    lint("--baseline", "known.toml", "--write-baseline")
    assert "count = 2\n" in Path("known.toml").read_text()
    assert lint("--baseline", "known.toml", "--format", "concise") == Run(0, "", "")
    file = project / "shop/migrations/0001_initial.py"
    file.write_text("# lint-m2m: ignore[MTM203]\n" + file.read_text())
    (finding,) = json.loads(lint("--baseline", "known.toml", "--format", "json").out)["findings"]
    assert finding["line"] == 3
    assert finding["notes"] == ["the baseline has 2 of 3 like this here; which of them is new it cannot tell"]


def test_what_is_gone_is_said_and_taken_out(known: Path, lint: Lint) -> None:
    write(Path(), {MIGRATION: THROUGH.partition("        migrations.AlterField")[0] + "    ]\n"})
    told = (
        "lint-m2m: warning: known.toml:5: not found any more: MTM101 in library.0002_authorship about "
        "library.book.authors\n"
        "lint-m2m: warning: known.toml: `lint-m2m check --baseline known.toml --write-baseline` takes out what is not "
        "found any more\n"
    )
    assert lint("--format", "concise") == Run(0, "", told)
    assert lint("--format", "concise", "--quiet") == Run(0, "", "")
    assert lint("--write-baseline").err == "lint-m2m: written: known.toml: 0 findings, 1 other taken out\n"
    assert "[[finding]]" not in known.read_text()
    assert lint("--format", "concise") == Run(0, "", "")


def test_a_migration_that_is_gone_is_said(known: Path, lint: Lint) -> None:
    Path(MIGRATION).unlink()
    assert "not found any more: MTM101 in library.0002_authorship" in lint("library").err
    # Of another app nothing can be told from here.
    assert lint("shop").err == ""
    assert lint("shop", "--write-baseline").status == 0
    assert known.read_text().endswith(ENTRY)
    assert lint("--write-baseline").status == 0
    assert "[[finding]]" not in known.read_text()


def test_what_a_check_does_not_judge_is_neither_gone_nor_lost(known: Path, lint: Lint) -> None:
    known.write_text(f'{known.read_text()}reason = "it never ran anywhere"\n')
    before = known.read_text()
    for arguments in (["shop"], ["--select", "MTM2"], ["--ignore", "MTM101"], ["library/migrations/0001_initial.py"]):
        assert lint("--format", "concise", *arguments) == Run(0, "", ""), arguments
        assert lint("--write-baseline", *arguments).err == "lint-m2m: written: known.toml: 1 finding\n", arguments
        assert known.read_text() == before, arguments
    table = '[tool.lint-m2m.per-file-ignores]\n"library/" = ["ALL"]\n'
    write(Path(), {"pyproject.toml": f'[tool.lint-m2m]\nbaseline = "known.toml"\n{table}'})
    assert lint("--format", "concise") == Run(0, "", "")
    lint("--write-baseline")
    assert known.read_text() == before
    # An ignore comment has said it: the baseline need not.
    write(Path(), {"pyproject.toml": '[tool.lint-m2m]\nbaseline = "known.toml"\n'})
    write(Path(), {MIGRATION: f"# lint-m2m: ignore-file[MTM101]\n{THROUGH}"})
    assert "not found any more" in lint("--format", "concise").err


def test_writing_again_adds_what_is_new_and_keeps_reasons(known: Path, lint: Lint) -> None:
    known.write_text(f'{known.read_text()}reason = "it never ran anywhere"  # a comment\n')
    write(Path(), {"library/migrations/0003_lost.py": LOST})
    assert lint("--format", "concise").status == 1
    run = lint("--write-baseline", "library/migrations/0003_lost.py")
    assert run.err.startswith(
        "lint-m2m: written: known.toml: 2 findings\n"
        "lint-m2m: warning: MTM903 is among them (library/migrations/0003_lost.py:5): as long as it is there"
    )
    tail = '\n[[finding]]\ncode = "MTM903"\napp = "library"\nmigration = "0003_lost"\n'
    assert known.read_text().endswith(f'{ENTRY}reason = "it never ran anywhere"\n{tail}')
    assert lint("--format", "concise") == Run(0, "", "")


def test_entries_of_two_branches_add_up(known: Path, lint: Lint) -> None:
    known.write_text(known.read_text() + ENTRY + 'reason = "second"\n' + ENTRY.replace("MTM101", "MTM999"))
    run = lint("--format", "concise")
    assert run.status == 0
    # The rule of the last one is not there any more; of the first two one is enough.
    assert [line.partition(" in ")[0] for line in run.err.splitlines()[:2]] == [
        "lint-m2m: warning: known.toml:11: not found any more: MTM101",
        "lint-m2m: warning: known.toml:18: not found any more: MTM999",
    ]
    lint("--write-baseline")
    assert known.read_text().endswith(f'schema = 1\n{ENTRY}reason = "second"\n')


def test_a_long_list_is_cut(known: Path, lint: Lint) -> None:
    known.write_text(known.read_text() + "".join(ENTRY.replace("0002", f"{number:04}") for number in range(10, 25)))
    lines = lint("--format", "concise").err.splitlines()
    assert len(lines) == 12
    assert lines[10] == "lint-m2m: warning: known.toml: and 5 entries more that are not found any more"


def test_same_bytes_from_everywhere(known: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    before = known.read_bytes()
    root = Path.cwd()
    monkeypatch.chdir(root.parent)
    assert lint("--format", "concise", "site").status == 0
    assert lint("--write-baseline", "site").err == "lint-m2m: written: site/known.toml: 1 finding\n"
    assert known.read_bytes() == before
    monkeypatch.chdir(root / "library" / "migrations")
    assert lint("--baseline", "../../known.toml", "--format", "concise").status == 0
    assert lint("--baseline", "other.toml", "--write-baseline").status == 0
    assert Path("other.toml").read_bytes() == before


def test_several_projects_share_one_or_have_their_own(
    tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        library(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert lint("one", "two", "--baseline", "known.toml", "--write-baseline").status == 0
    assert Path("known.toml").read_text().endswith(f"{ENTRY}count = 2\n")
    assert lint("one", "two", "--baseline", "known.toml", "--format", "concise") == Run(0, "", "")
    for name in ("one", "two"):
        write(tmp_path / name, {"pyproject.toml": '[tool.lint-m2m]\nbaseline = "own.toml"\n'})
    assert lint("one", "two", "--write-baseline").err.count("written: ") == 2
    assert lint("one", "two", "--format", "concise") == Run(0, "", "")
    assert Path("two/own.toml").read_text().endswith(ENTRY)


def test_fixes_leave_alone_what_is_known(known: Path, lint: Lint) -> None:
    before = Path(MIGRATION).read_text()
    assert lint("--fix").status == 0
    assert Path(MIGRATION).read_text() == before
    assert lint("--fix", "--no-baseline").status == 0
    assert Path(MIGRATION).read_text() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--write-baseline"], "`--write-baseline` has no file: say `--baseline FILE`"),
        (["--baseline", "none.toml"], "none.toml: there is no such baseline; `--write-baseline` makes one"),
        (["--baseline", "manage.py"], "manage.py:1: not valid TOML"),
        (["--baseline", "a", "--no-baseline"], "`--baseline` and `--no-baseline` exclude each other"),
        (["--baseline", ""], "`--baseline` is an empty string, but has to be a string"),
        (["--baseline", "no/folder.toml", "--write-baseline"], "`"),
        (["--baseline", "manage.py", "--write-baseline"], "manage.py:1: not valid TOML"),
        *(
            (["--baseline", "a", "--write-baseline", *more], f"`--write-baseline` and `{more[0]}` exclude each other")
            for more in (
                ["--since", "HEAD"],
                ["--staged"],
                ["--fix"],
                ["--diff"],
                ["--format", "json"],
                ["--output", "x"],
            )
        ),
    ],
)
def test_what_makes_no_sense(project: Path, lint: Lint, arguments: list[str], message: str) -> None:
    before = files_of(project)
    run = lint(*arguments)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"lint-m2m: error: {message}"), run.err
    assert files_of(project) == before

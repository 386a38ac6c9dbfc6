"""``lint-m2m check --fix`` and ``--diff``: what is written, what is said where, and the exit status."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m import rewrite
from lint_m2m.sequences.offers import sequence_ids
from tests.cli.conftest import Run
from tests.cli.projects import FINDING, THROUGH, write

Lint = Callable[..., Run]
PATH = "library/migrations/0002_authorship.py"
# The same through model with a further field: its column is made NOT NULL in a migration of its own.
RATED = THROUGH.replace(
    '                ("book",', '                ("rank", models.IntegerField(default=0)),\n                ("book",', 1
)
LATER = "library/migrations/0003_authorship_rank_not_null.py"
# RemoveField and AddField: a database may have run that.
RECREATED = THROUGH.replace(
    "        migrations.AlterField(\n",
    '        migrations.RemoveField("book", "authors"),\n        migrations.AddField(\n',
)


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.py"))}


def test_fix(project: Path, lint: Lint) -> None:
    before = files(project)
    run = lint("--fix")
    assert (run.status, run.err) == (0, "lint-m2m: fixed 1 finding in 1 file\n"), run
    assert run.out.startswith(
        f"fixed {PATH}:18: MTM101 with keep-table: keep the\n  table, change only what Django believes\n"
        f"  changed  {PATH}\n\n"
    ), run.out
    assert (
        "\n  left to you: library/models.py: pin the table\n\n"
        '    class Authorship(models.Model):\n        class Meta:\n            db_table = "library_book_authors"\n'
    ) in run.out
    assert run.out.endswith("\n\nno findings in 3 migrations of 2 apps, everything read\n"), run.out
    after = files(project)
    assert [path for path in after if after[path] != before.get(path)] == [PATH]
    assert b"migrations.SeparateDatabaseAndState(" in after[PATH]


def test_exit_status_for_hooks(project: Path, lint: Lint) -> None:
    """pre-commit sees changes of files that git knows, and no new files."""
    run = lint("--fix", "--exit-non-zero-on-fix")
    assert (run.status, run.err) == (1, "lint-m2m: fixed 1 finding in 1 file\n")
    assert run.out.endswith("\nno findings in 3 migrations of 2 apps, everything read\n")
    assert lint("--fix", "--exit-non-zero-on-fix").status == 0
    run = lint("--diff", "--exit-non-zero-on-fix")
    assert (run.status, run.err.splitlines()[0]) == (
        2,
        "lint-m2m: error: `--exit-non-zero-on-fix` is about what was written: it goes with `--fix`",
    )


def test_fixing_twice_changes_nothing(project: Path, lint: Lint) -> None:
    lint("--fix")
    once = files(project)
    assert lint("--fix") == Run(
        0, "no findings in 3 migrations of 2 apps, everything read\n", "lint-m2m: nothing fixed\n"
    )
    assert lint("--diff") == Run(0, "", "lint-m2m: nothing would change\n")
    assert files(project) == once


def test_a_further_migration(project: Path, lint: Lint) -> None:
    write(project, {PATH: RATED})
    run = lint("--fix")
    assert run.status == 0, run
    assert f"  changed  {PATH}\n  new      {LATER} (deploy what comes before it first)\n" in run.out
    text = (project / LATER).read_text()
    assert '("library", "0002_authorship"),' in text
    assert "migrations.AlterField(" in text


def test_diff_writes_nothing_and_is_what_fix_writes(project: Path, lint: Lint, tmp_path: Path) -> None:
    write(project, {PATH: RATED})
    before = files(project)
    run = lint("--diff")
    assert run.status == 1
    assert run.err.endswith("lint-m2m: would fix 1 finding in 2 files\n"), run.err
    assert run.err.startswith(f"would fix {PATH}:19: MTM101 with keep-table"), run.err
    assert files(project) == before
    assert lint("--fix", "--diff") == run
    lint("--fix")
    after = files(project)
    for path, source in before.items():
        (project / path).write_bytes(source)
    (project / LATER).unlink()
    subprocess.run(["git", "apply", "-"], input=run.out.encode(), check=True, cwd=project)
    assert files(project) == after


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: ("# coding: latin-1\n# é\n" + text.replace('"books"', '"books", help_text="ü"')).encode("latin-1"),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
    ],
    ids=["crlf", "no newline", "latin-1", "byte order mark"],
)
def test_git_applies_the_diff_of_any_file(project: Path, encode: Callable[[str], bytes]) -> None:
    (project / PATH).write_bytes(encode(THROUGH))
    command = [sys.executable, "-m", "lint_m2m", "check"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, "--diff"], cwd=project, capture_output=True, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    before = files(project)
    subprocess.run([*command, "--fix", "-q"], cwd=project, check=True, env=environment, capture_output=True)
    after = files(project)
    (project / PATH).write_bytes(before[PATH])
    subprocess.run(["git", "apply", "-"], input=done.stdout, check=True, cwd=project)
    assert files(project) == after


def test_json_stays_pure_and_is_about_what_is_left(project: Path, lint: Lint) -> None:
    run = lint("--fix", "--format", "json")
    assert run.status == 0
    assert json.loads(run.out)["findings"] == []
    assert run.err.startswith(f"fixed {PATH}:18: MTM101 with keep-table"), run.err
    assert 'db_table = "library_book_authors"' in run.err
    assert lint("--format", "json").out == run.out


def test_concise_and_output(project: Path, lint: Lint, tmp_path: Path) -> None:
    run = lint("--fix", "--output", str(tmp_path / "report.txt"))
    assert (run.status, run.out) == (0, "")
    assert run.err.startswith("fixed "), run.err
    assert (tmp_path / "report.txt").read_text() == "no findings in 3 migrations of 2 apps, everything read\n"


def test_quiet_says_only_what_has_to_be_done(project: Path, lint: Lint) -> None:
    run = lint("--fix", "--quiet")
    assert (run.status, run.out) == (0, "")
    assert run.err.split("\n")[:3] == ["", "  left to you: library/models.py: pin the table", ""], run.err
    assert "mind:" not in run.err


def test_another_sequence(project: Path, lint: Lint) -> None:
    run = lint("--fix", "--sequence", "rename-table")
    assert "migrations.AlterModelTable(" in (project / PATH).read_text()
    assert f"fixed {PATH}:18: MTM101 with rename-table" in run.out
    # It says itself that there is a downtime, so MTM401 is nothing new; an info does not fail.
    assert run.status == 0
    assert "info[MTM401]" in run.out
    assert "db_table" not in run.out


def test_a_sequence_that_does_not_fit(project: Path, lint: Lint) -> None:
    before = files(project)
    run = lint("--fix", "--sequence", "rename-through", "--format", "concise")
    assert (run.status, run.out) == (1, FINDING)
    assert run.err.startswith(
        f"lint-m2m: not fixed: {PATH}:18: MTM101: `rename-through` does not fit it; those that do: `keep-table`, "
    ), run.err
    assert run.err.endswith("lint-m2m: nothing fixed\n")
    assert files(project) == before


def test_a_sequence_that_is_only_shown(project: Path, lint: Lint) -> None:
    run = lint("--fix", "--unsafe-fixes", "--sequence", "fake", "--format", "concise")
    assert (run.status, run.out) == (1, FINDING)
    assert f"not fixed: {PATH}:18: MTM101: `fake` is shown only, it is never written" in run.err


@pytest.mark.parametrize("name", ["keep", "keep_table", "KEEP-TABLE", "nonsense", ""])
def test_a_sequence_that_is_not_there(project: Path, lint: Lint, name: str) -> None:
    run = lint("--fix", "--sequence", name)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"lint-m2m: error: there is no sequence `{name}`; "), run.err
    expected = "nearest: `keep-table`" if name.lower().startswith("keep") else f"`{sequence_ids()[-1]}`"
    assert expected in run.err, run.err


def test_what_wants_a_review(project: Path, lint: Lint) -> None:
    write(project, {PATH: RECREATED})
    before = files(project)
    run = lint("--fix", "--format", "concise")
    assert run.status == 1
    assert [line.split()[1] for line in run.out.splitlines()] == ["MTM202"]
    assert "MTM202: `" in run.err
    assert "` wants a review: `--unsafe-fixes` writes it" in run.err
    assert files(project) == before
    unsafe = lint("--fix", "--unsafe-fixes", "--format", "concise")
    assert (unsafe.status, "MTM202" in unsafe.out) == (0, False), unsafe
    assert files(project) != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--unsafe-fixes"], "`--unsafe-fixes` says what to write: it goes with `--fix` or `--diff`"),
        (["--sequence", "keep-table"], "`--sequence` says what to write: it goes with `--fix` or `--diff`"),
        (["--diff", "--format", "json"], "`--diff` prints a diff instead of a report: `--format` does not go with it"),
        (["--diff", "--output", "x"], "`--diff` prints a diff instead of a report: `--output` does not go with it"),
    ],
)
def test_wrong_usage(project: Path, lint: Lint, arguments: list[str], message: str) -> None:
    assert lint(*arguments) == Run(2, "", f"lint-m2m: error: {message}\n  try `lint-m2m check --help`\n")


def test_what_lies_elsewhere_is_not_fixed(project: Path, lint: Lint) -> None:
    before = files(project)
    assert lint("--fix", "shop").status == 0
    assert lint("--fix", "--ignore", "MTM101").status == 0
    assert files(project) == before
    assert lint("--fix", "--select", "MTM101", PATH).status == 0
    assert files(project) != before


def test_an_ignored_finding_is_not_fixed(project: Path, lint: Lint) -> None:
    text = THROUGH.replace("migrations.AlterField(", "migrations.AlterField(  # lint-m2m: ignore[MTM101] known")
    write(project, {PATH: text})
    assert lint("--fix").err == "lint-m2m: nothing fixed\n"
    assert (project / PATH).read_text() == text


def test_several_migrations_in_one_run(project: Path, lint: Lint) -> None:
    other = THROUGH.replace("library", "press").replace("0002_authorship", "0002")
    initial = (project / "library/migrations/0001_initial.py").read_text().replace("library", "press")
    write(
        project,
        {
            "press/__init__.py": "",
            "press/migrations/__init__.py": "",
            "press/migrations/0001_initial.py": initial,
            "press/migrations/0002_authorship.py": other,
        },
    )
    run = lint("--fix")
    assert (run.status, run.err) == (0, "lint-m2m: fixed 2 findings in 2 files\n"), run
    assert run.out.count("left to you: ") == 2


def test_two_findings_in_one_migration(project: Path, lint: Lint) -> None:
    more = "        migrations.CreateModel(" + THROUGH.split("        migrations.CreateModel(")[1].replace(
        "Authorship", "Edit"
    ).replace('"authors"', '"editors"').replace('"books"', '"edited"')
    initial = (project / "library/migrations/0001_initial.py").read_text()
    write(
        project,
        {
            "library/migrations/0001_initial.py": initial.replace(
                '                ("authors"',
                '                ("editors", models.ManyToManyField(related_name="edited", to="library.author")),\n'
                '                ("authors"',
            ),
            PATH: THROUGH.removesuffix("    ]\n") + more,
        },
    )
    assert [line.split()[1] for line in lint("--format", "concise").out.splitlines()] == ["MTM101", "MTM101"]
    run = lint("--fix")
    assert (run.status, run.err) == (0, "lint-m2m: fixed 2 findings in 1 file\n"), run
    assert (project / PATH).read_text().count("SeparateDatabaseAndState(") == 2


def test_exit_zero(project: Path, lint: Lint) -> None:
    assert lint("--diff", "--exit-zero").status == 0


def test_diff_for_a_terminal_is_escaped_and_coloured(project: Path, lint: Lint) -> None:
    write(
        project, {PATH: THROUGH.replace('"books"', '"books\x1b[2J"').replace("class Mig", "# \x1b]0;x\x07\nclass Mig")}
    )
    run = lint("--diff", "--color", "always")
    assert run.status == 1, run
    assert "\x1b[1;32m+" in run.out
    assert "\x1b[2J" not in run.out
    assert "\x1b]0;" not in run.out
    assert "\\x1b[2J" in run.out


def test_a_file_that_changes_meanwhile(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rewrite.plan

    def plan(*arguments: object, **named: object) -> rewrite.Rewriting:
        result = real(*arguments, **named)  # type: ignore[arg-type]
        (project / PATH).write_text("# edited\n" + THROUGH)
        return result

    monkeypatch.setattr(rewrite, "plan", plan)
    run = lint("--fix")
    assert (run.status, run.out) == (2, "")
    assert run.err == (
        f"lint-m2m: error: {PATH}: has changed since it was read: run it again; nothing has changed\n"
    ), run.err
    assert (project / PATH).read_text() == "# edited\n" + THROUGH


def test_a_folder_that_cannot_be_written(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(project)

    def replace(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(os, "replace", replace)
    run = lint("--fix")
    assert (run.status, run.out) == (2, "")
    assert "cannot be written: permission denied; nothing has changed" in run.err
    assert files(project) == before


def test_a_closed_pipe(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr("lint_m2m.cli.streams.abandon_stdout", lambda: None)
    assert lint("--diff").status == 1


def test_an_ascii_stream(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {PATH: THROUGH.replace("Authorship", "Autorschaftür")})
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    lint("--fix")
    stream.flush()
    out = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert "class Autorschaft\\xfcr(models.Model):" in out, out


def test_a_project_behind_a_link(project: Path, lint: Lint, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    assert lint("--fix", str(link)).status == 0
    assert "SeparateDatabaseAndState" in (project / PATH).read_text()

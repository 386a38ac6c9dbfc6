"""``lint-m2m check``: what it prints where, and the status it ends with."""

from __future__ import annotations

import argparse
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lint_m2m import engine
from lint_m2m.cache import FOLDER
from lint_m2m.cli.check import add_arguments
from lint_m2m.config import OPTIONS, listed
from lint_m2m.config.options import COMMAND_LINE_ONLY
from lint_m2m.reports import FORMATS
from tests.cli.conftest import Run
from tests.cli.projects import FINDING, INITIAL, THROUGH, library, write

Lint = Callable[..., Run]


def concise(lint: Lint, *arguments: str) -> list[str]:
    """The places and codes that are reported."""
    run = lint("--format", "concise", *arguments)
    assert run.status in (0, 1), run
    return [line.partition(" `")[0] for line in run.out.splitlines()]


def test_default_is_check_here_in_full(project: Path, lint: Lint) -> None:
    run = lint()
    assert (run.status, run.err) == (1, ""), run
    assert run.out.startswith("error[MTM101]: `AlterField` adds `through=`"), run.out
    assert run.out.endswith("\n1 error in 3 migrations of 2 apps, everything read\n"), run.out
    assert lint("check") == run
    assert lint("check", ".") == run
    assert lint(str(project)) == run


def test_concise_and_json(project: Path, lint: Lint) -> None:
    assert lint("--format", "concise") == Run(1, FINDING, "")
    run = lint("--format=json")
    assert (run.status, run.err) == (1, "")
    document = json.loads(run.out)
    assert [finding["code"] for finding in document["findings"]] == ["MTM101"]
    assert document["summary"] == {"apps": 2, "migrations": 3, "unread": 0, "error": 1, "warning": 0, "info": 0}


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["."], True),
        (["library"], True),
        (["library/"], True),
        (["library/migrations"], True),
        (["library/migrations/0002_authorship.py"], True),
        (["./shop/../library/migrations/0002_authorship.py"], True),
        (["shop", "library"], True),
        (["shop/migrations/0001_initial.py", "library/migrations/0002_authorship.py"], True),
        (["shop"], False),
        (["library/migrations/0001_initial.py"], False),
        (["library/migrations/__init__.py"], False),
        (["shop", "library/migrations/0001_initial.py"], False),
    ],
)
def test_report_holds_what_lies_under_the_paths(project: Path, lint: Lint, paths: list[str], found: bool) -> None:
    expected = Run(1, FINDING, "") if found else Run(0, "", "")
    assert lint("--format", "concise", *paths) == expected


def test_same_bytes_from_everywhere(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    for format in FORMATS:
        here = lint("--format", format)
        monkeypatch.chdir(project.parent)
        assert lint("--format", format, "site") == here
        monkeypatch.chdir(project / "library" / "migrations")
        assert lint("--format", format, "../..") == here
        monkeypatch.chdir(project)
        assert lint("--format", format) == here


def test_what_follows_two_dashes_is_a_path(project: Path, lint: Lint) -> None:
    assert lint("--format", "concise", "--", "library", "shop") == Run(1, FINDING, "")
    (project / "library").rename(project / "--exit-zero")
    assert lint("--format", "concise", "--", "--exit-zero").status == 1
    assert lint("--format", "concise", "--").status == 1


def test_link_to_a_folder(project: Path, lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project, target_is_directory=True)
    assert lint("--format", "concise", str(tmp_path / "link" / "library")) == Run(1, FINDING, "")


def test_several_projects_share_a_report(tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        library(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    run = lint("--format", "json", "two/library", "one")
    findings = json.loads(run.out)["findings"]
    assert [finding["path"] for finding in findings] == [
        "one/library/migrations/0002_authorship.py",
        "two/library/migrations/0002_authorship.py",
    ]
    assert findings[0]["related"][0]["path"] == "one/library/migrations/0001_initial.py"
    assert json.loads(run.out)["summary"]["migrations"] == 6
    assert len({finding["fingerprint"] for finding in findings}) == 2
    assert "  ::: two/library/migrations/0001_initial.py:16:29\n" in lint("one", "two").out


def test_project_inside_another_is_reported_once(project: Path, lint: Lint) -> None:
    library(project / "examples")
    assert concise(lint, ".", "examples") == [
        "examples/library/migrations/0002_authorship.py:18:64: MTM101",
        "library/migrations/0002_authorship.py:18:64: MTM101",
    ]
    assert concise(lint, "examples") == ["library/migrations/0002_authorship.py:18:64: MTM101"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "error: there is no file or folder `nowhere`\n"),
        (["shop", "explane"], "error: there is no file or folder `explane`; nearest command: `explain`\n"),
        (["--quiet", "explain"], "error: there is no file or folder `explain`; a command has to come first\n"),
        (["--selct", "MTM1"], "error: unknown option `--selct`; nearest: `--select`\n"),
        (["--selct=MTM1"], "error: unknown option `--selct=MTM1`; nearest: `--select`\n"),
        (["--sel", "MTM1"], "error: unknown option `--sel`; nearest: `--select`\n"),
        (["-x"], "error: unknown option `-x`"),
        (["--select"], "error: argument --select: expected one argument\n"),
        (["--select", "MTM7"], "error: `--select` names `MTM7`, and no rule`s code begins so"),
        (["--ignore", "E501"], "error: `--ignore` names `E501`, which is no rule: "),
        (
            ["--fail-on", "eror"],
            "error: `--fail-on` is `eror`, but has to be one of `error`, `warning`, `info`; nearest",
        ),
        (
            ["--format", "jsn"],
            f"error: `--format` is `jsn`, but has to be one of {listed(FORMATS)}; nearest: `json`",
        ),
        (["--color", "blue"], "error: `--color` is `blue`, but has to be one of `auto`, `always`, `never`"),
        (["--isolated", "--config", "x"], "error: `--config` and `--isolated` exclude each other"),
        (["--quiet", "--verbose"], "error: `--quiet` and `--verbose` exclude each other"),
        (["--output", "no/such/folder/x"], "error: `no/such/folder/x` cannot be written: no such file or directory"),
    ],
)
def test_wrong_usage(project: Path, lint: Lint, arguments: list[str], message: str) -> None:
    run = lint(*arguments)
    assert (run.status, run.out) == (2, ""), run
    assert run.err.startswith(f"lint-m2m: {message}".replace("rule`s", "rule's")), run.err
    assert run.err.endswith("\n  try `lint-m2m check --help`\n"), run.err


def test_nothing_to_check(tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"docs/index.md": "", "setup.py": "", ".git/HEAD": ""})
    assert lint() == Run(2, "", "lint-m2m: error: there are no migrations in `.`\n")
    assert lint("docs", "setup.py") == Run(2, "", "lint-m2m: error: there are no migrations in `docs` or `setup.py`\n")
    assert lint("--allow-no-migrations") == Run(
        0,
        "no findings in 0 migrations of 0 apps, everything read\n",
        "lint-m2m: warning: there are no migrations in `.`\n",
    )


def test_one_path_of_several_without_migrations_is_a_warning(project: Path, lint: Lint) -> None:
    write(project, {"docs/index.md": ""})
    assert lint("docs").status == 2
    run = lint("--format", "concise", "docs", "library")
    assert run == Run(1, FINDING, "lint-m2m: warning: there are no migrations in `docs`\n")
    assert lint("--format", "concise", "--quiet", "docs", "library") == Run(1, FINDING, "")


def test_excluded_file_that_is_named_is_no_error(project: Path, lint: Lint) -> None:
    """A pre-commit hook names every changed file."""
    write(project, {"pyproject.toml": '[tool.lint-m2m]\nexclude = ["library/"]\n'})
    assert lint("--format", "concise", "library/migrations/0002_authorship.py") == Run(0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 1),
        (["--fail-on", "error"], 1),
        (["--fail-on", "info"], 1),
        (["--exit-zero"], 0),
        (["--ignore", "MTM101"], 0),
        (["--ignore", "mtm1"], 0),
        (["--select", "MTM2,MTM3"], 0),
        (["--select", "MTM2", "--select", "MTM101"], 1),
        (["--select", "MTM2", "--extend-select", "MTM101"], 1),
    ],
)
def test_status(project: Path, lint: Lint, arguments: list[str], status: int) -> None:
    assert lint(*arguments).status == status


def test_status_of_findings_below_the_limit(project: Path, lint: Lint) -> None:
    """An ignore comment that silences nothing is a warning."""
    write(
        project,
        {
            "library/migrations/0002_authorship.py": INITIAL.replace('"Book"', '"Copy"')
            .replace("dependencies = []", 'dependencies = [("library", "0001_initial")]  # lint-m2m: ignore[MTM101]')
            .replace('"Author"', '"Writer"')
            .replace("books", "copies")
        },
    )
    assert concise(lint) == ["library/migrations/0002_authorship.py:6:70: MTM904 the"]
    assert lint().status == 1
    assert lint("--fail-on", "warning").status == 1
    assert lint("--fail-on", "error").status == 0


def test_configuration_file(project: Path, lint: Lint) -> None:
    write(project, {"pyproject.toml": '[tool.lint-m2m]\nformat = "concise"\nignore = ["MTM2"]\n'})
    assert lint() == Run(1, FINDING, "")
    assert lint("--ignore", "MTM101") == Run(0, "", "")
    assert lint("--isolated").out.startswith("error[MTM101]")
    write(project, {"other.toml": "[tool.lint-m2m]\nexit-zero = true\n"})
    assert lint("--config", "other.toml", "--format", "concise") == Run(0, FINDING, "")
    write(project, {"pyproject.toml": '[tool.lint-m2m]\n\nfromat = "concise"\n'})
    message = "unknown key `fromat` in `[tool.lint-m2m]`; the nearest known one is `format`"
    assert lint() == Run(2, "", f"lint-m2m: error: pyproject.toml:3: {message}\n")
    write(project, {"pyproject.toml": '[tool.lint-m2m]\nformat = "qqq"\n'})
    message = f"`format` is `qqq`, but has to be one of {listed(FORMATS)}"
    assert lint() == Run(2, "", f"lint-m2m: error: pyproject.toml:2: {message}\n")


def test_per_file_ignores_and_comments(project: Path, lint: Lint) -> None:
    write(project, {"pyproject.toml": '[tool.lint-m2m.per-file-ignores]\n"library/migrations/0002_*" = ["MTM1"]\n'})
    assert lint("--format", "concise") == Run(0, "", "")
    for place in ("migrations.AlterField(", 'to="library.author"),'):
        text = THROUGH.replace(place, f"{place}  # lint-m2m: ignore[MTM101] the table is empty everywhere")
        write(project, {"pyproject.toml": "", "library/migrations/0002_authorship.py": text})
        assert lint("--format", "concise") == Run(0, "", ""), place
        assert lint("--format", "concise", "--ignore", "MTM101") == Run(0, "", ""), place


def test_output_goes_to_a_file(project: Path, lint: Lint) -> None:
    assert lint("--format", "concise", "--output", "report.txt") == Run(1, "", "")
    assert (project / "report.txt").read_text() == FINDING
    assert lint("--format", "concise", "--output", "-") == Run(1, FINDING, "")
    assert lint("--color", "auto", "--output", "report.txt").out == ""
    assert "\x1b" not in (project / "report.txt").read_text()
    assert lint("--color", "always", "--output", "report.txt").out == ""
    assert "\x1b" in (project / "report.txt").read_text()
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == [FOLDER]


def test_output_keeps_mode_and_link(project: Path, lint: Lint) -> None:
    target = project / "kept.json"
    target.write_text("old")
    target.chmod(0o640)
    (project / "link.json").symlink_to(target)
    lint("--format", "json", "--output", "link.json")
    assert (project / "link.json").is_symlink()
    assert json.loads(target.read_text())["schema"] == 1
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_new_output_follows_the_umask(project: Path, lint: Lint) -> None:
    before = os.umask(0o027)
    try:
        lint("--output", "report.txt")
    finally:
        os.umask(before)
    assert stat.S_IMODE((project / "report.txt").stat().st_mode) == 0o640


def test_output_into_a_pipe(project: Path, lint: Lint) -> None:
    os.mkfifo(project / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((project / "pipe").read_text()), daemon=True)
    reader.start()
    assert lint("--format", "concise", "--output", "pipe").status == 1
    reader.join(timeout=10)
    assert read == [FINDING]
    assert stat.S_ISFIFO((project / "pipe").stat().st_mode)


def test_output_is_left_alone_when_the_check_fails(project: Path, lint: Lint) -> None:
    (project / "report.txt").write_text("old")
    assert lint("--output", "report.txt", "--select", "MTM7").status == 2
    assert (project / "report.txt").read_text() == "old"


def test_statistics(project: Path, lint: Lint) -> None:
    assert "\n\n1  MTM101  through-added\n\n1 error in" in lint("--statistics").out
    for format in ("concise", "json"):
        plain = lint("--format", format)
        run = lint("--format", format, "--statistics")
        assert run.out == plain.out
        assert run.err == "lint-m2m: findings of each rule\n  1  MTM101  through-added\n"


def test_quiet_and_verbose(project: Path, lint: Lint) -> None:
    quiet = lint("--quiet")
    assert quiet.err == ""
    assert quiet.out.endswith("  explain: lint-m2m explain MTM101\n"), quiet.out
    assert lint("-q", "shop") == Run(0, "", "")
    verbose = lint("-v", "--no-cache")
    shown = lint().out
    assert "other ways: rename-table" in shown
    assert "or: keep the rows, give the table the name" in verbose.out
    stages = [piece.rpartition(" ")[0].rpartition(" ")[0] for piece in verbose.err.rstrip().split(", ")]
    assert stages == ["lint-m2m: discovery", "reading", "graph", "replay and rules", "comments", "sequences"], (
        verbose.err
    )


def test_verbose_says_what_was_not_read(project: Path, lint: Lint) -> None:
    write(
        project,
        {
            "shop/migrations/0002_dynamic.py": "from nowhere import operations as found\n"
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("shop", "0001_initial")]\n    operations = found\n'
        },
    )
    run = lint("--verbose", "--format", "json", "shop")
    assert json.loads(run.out)["summary"]["unread"] == 1, run
    assert run.err.startswith("lint-m2m: not read: shop/migrations/0002_dynamic.py:"), run.err
    assert "1 part not read" in lint("shop").out


def test_verbose_says_what_was_left_out(project: Path, lint: Lint) -> None:
    write(project, {"assets/migrations/0001_notes.py": "steps = []\n", "assets/migrations/__init__.py": ""})
    assert "lint-m2m: left out: assets/migrations: no file in it defines a migration\n" in lint("--verbose").err


def test_nothing_on_stderr_is_a_command_for_github(project: Path, lint: Lint) -> None:
    """A file may be called whatever its author likes."""
    folder = "a\n::stop-commands::x\n ##[error]y/migrations"
    write(project, {f"{folder}/0001_notes.py": "steps = []\n", f"{folder}/__init__.py": ""})
    lines = lint("--verbose", "--format", "github").err.splitlines()
    assert [line for line in lines if "stop-commands" in line] == ["  \\::stop-commands::x"]
    assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_folder_that_cannot_be_read_is_counted(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    """`root` may read everything, so the folder is closed by hand."""
    real = os.scandir

    def scandir(path: Any = ".") -> Any:
        if os.fspath(path).endswith("vault"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    write(project, {"vault/__init__.py": ""})
    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, mode: not os.fspath(path).endswith("vault"))
    run = lint("--verbose", "shop")
    assert run.out == "no findings in 3 migrations of 2 apps, 1 part not read\n"
    assert run.err.startswith("lint-m2m: not read: vault: permission denied; not checked: what is in it\n"), run.err


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_color(
    project: Path,
    lint: Lint,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    colored: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in lint(*arguments).out) is colored
    assert "\x1b" not in lint(*arguments, "--format", "json").out
    assert "\x1b" not in lint(*arguments, "--format", "concise").out


def test_columns_is_heard_in_a_pipe(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    def widest(text: str) -> int:
        # What is there to be pasted is never cut: code, and the command that verifies it.
        pasted = ("        ", "  verify: ")
        return max(len(line) for line in text.splitlines() if not line.startswith(pasted))

    usual = lint().out
    assert widest(usual) <= 80
    for nonsense in ("", "many", "0", "-5", "9" * 50):
        monkeypatch.setenv("COLUMNS", nonsense)
        assert lint().out == usual
    monkeypatch.setenv("COLUMNS", "50")
    assert widest(lint().out) <= 50


def test_hostile_file_is_a_finding(project: Path, lint: Lint) -> None:
    """Nothing below the root ends in a traceback, and nothing is passed over in silence."""
    folder = project / "library/migrations"
    (folder / "0003_nul.py").write_bytes(b"x = '\0'\n")
    (folder / "0004_encoding.py").write_bytes(b"# coding: latin-1000\n")
    (folder / "0005_deep.py").write_text("x = " + "(" * 10_000 + "\n")
    (folder / "0006_folder.py").mkdir()
    (folder / "0007_loop.py").symlink_to("0007_loop.py")
    (folder / "0008_empty.py").write_text("")
    places = concise(lint, "--select", "MTM901")
    assert [place.partition(":")[0] for place in places] == [
        f"library/migrations/{name}.py"
        for name in ("0003_nul", "0004_encoding", "0005_deep", "0007_loop", "0008_empty")
    ]


def test_control_characters_in_errors(project: Path, lint: Lint) -> None:
    run = lint("a\x1b[2Jb")
    assert run.status == 2
    assert run.err.startswith("lint-m2m: error: there is no file or folder `a\\x1b[2Jb`"), run.err
    assert lint("a\0b").status == 2
    assert lint("--config", "a\0b").status == 2
    assert lint("--output", "a\0b").status == 2


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*arguments: object, **options: object) -> None:
        raise error

    return run


def test_interrupt(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "run", raising(KeyboardInterrupt()))
    assert lint() == Run(130, "", "")


@pytest.mark.parametrize("error", [ZeroDivisionError("x\x1b"), RecursionError("deep"), MemoryError()])
def test_internal_error(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(engine, "run", raising(error))
    run = lint()
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"lint-m2m: internal error: {type(error).__name__}"), run.err
    assert "\x1b" not in run.err
    assert "Traceback" not in run.err
    assert "Traceback" in lint("--verbose").err


def test_a_configuration_below_the_root_is_not_passed_by_in_silence(
    tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository of several projects, checked from its top."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    library(tmp_path / "backend")
    write(tmp_path, {"backend/pyproject.toml": '[project]\nname = "b"\n\n[tool.lint-m2m]\nignore = ["MTM1"]\n'})
    run = lint("--format", "concise")
    assert (run.status, run.out) == (1, f"backend/{FINDING}")
    assert run.err == (
        "lint-m2m: warning: backend/pyproject.toml:4: this `[tool.lint-m2m]` does not count in a check that begins "
        "above it; in `lint-m2m backend` it does\n"
    )
    assert lint("--format", "concise", "backend") == Run(0, "", "")
    for silent in (["--quiet"], ["--isolated"], ["--config", "backend/pyproject.toml"]):
        assert lint("--format", "concise", *silent).err == "", silent


def test_quiet_and_verbose_in_the_file(project: Path, lint: Lint) -> None:
    write(project, {"pyproject.toml": "[tool.lint-m2m]\nquiet = true\n"})
    run = lint("--verbose", "--format", "concise")
    assert (run.status, run.out) == (1, FINDING)
    assert "discovery" in run.err
    write(project, {"pyproject.toml": "[tool.lint-m2m]\nquiet = true\nverbose = true\n"})
    assert lint() == Run(2, "", "lint-m2m: error: pyproject.toml:3: `quiet` and `verbose` exclude each other\n")
    assert lint("--verbose").status == 1


def test_every_option_is_a_key_or_known_to_be_none() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = {
        name.removeprefix("--") for action in parser._actions for name in action.option_strings if name[1] == "-"
    }
    assert options - {"help"} - OPTIONS.keys() == set(COMMAND_LINE_ONLY)

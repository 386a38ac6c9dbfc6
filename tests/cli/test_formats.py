"""``check --format``: several forms of the report, each with its place, and the summary of a GitHub job."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.reports import FORMATS
from tests.cli.conftest import Run
from tests.cli.projects import FINDING, library, write
from tests.reports.test_sarif import applied, valid

Lint = Callable[..., Run]


def test_several_formats_at_once(project: Path, lint: Lint) -> None:
    run = lint("--format", "json:report.json", "--format", "concise", "--format", "markdown:report.md")
    assert run == Run(1, FINDING, "")
    assert (project / "report.json").read_text() == lint("--format", "json").out
    assert (project / "report.md").read_text() == lint("--format", "markdown:-").out


def test_every_format_in_one_run(project: Path, lint: Lint) -> None:
    """What a form writes does not depend on the others."""
    arguments = [part for name in FORMATS for part in ("--format", f"{name}:all.{name}")]
    assert lint(*arguments) == Run(1, "", "")
    for name in FORMATS:
        lint("--format", f"{name}:one")
        assert (project / f"all.{name}").read_bytes() == (project / "one").read_bytes(), name


def test_output_takes_the_format_without_a_file(project: Path, lint: Lint) -> None:
    run = lint("--format", "json:report.json", "--format", "concise", "--output", "report.txt")
    assert run == Run(1, "", "")
    assert (project / "report.txt").read_text() == FINDING


def test_formats_of_the_configuration(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"pyproject.toml": '[tool.lint-m2m]\nformat = ["json:report.json", "concise"]\n'})
    monkeypatch.chdir(project / "library")
    assert lint() == Run(1, FINDING, "")
    assert json.loads((project / "report.json").read_text())["summary"]["error"] == 1
    (project / "report.json").unlink()
    assert lint("--format", "concise") == Run(1, FINDING, "")
    assert not (project / "report.json").exists()


def test_output_of_the_configuration_is_for_formats_without_a_file(project: Path, lint: Lint) -> None:
    write(project, {"pyproject.toml": '[tool.lint-m2m]\noutput = "report.txt"\n'})
    assert lint("--format", "json:report.json") == Run(1, "", "")
    assert not (project / "report.txt").exists()
    assert lint("--format", "concise") == Run(1, "", "")
    assert (project / "report.txt").read_text() == FINDING


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "json", "--format", "github"],
            "`--format` sends `json` and `github` to standard output; give all but one a file: `FORMAT:FILE`",
        ),
        (["--format", "json:a", "--format", "github:./a"], "`--format` sends `json` and `github` to one file"),
        (["--format", "json:a", "--format", "github", "--output", "a"], "`json` and `github` to one file"),
        (["--format", "json:"], "`--format` is `json:`, which names no file after the colon"),
        (["--format", "jsn:a"], "`--format` is `jsn`, but has to be one of"),
        (
            ["--format", "json:a", "--output", "b"],
            "`--output` has no report to take: every `format` has a file of its own",
        ),
        (["--format", "json:no/such/a", "--format", "concise"], "`no/such/a` cannot be written"),
    ],
)
def test_wrong_usage(project: Path, lint: Lint, arguments: list[str], message: str) -> None:
    run = lint(*arguments)
    assert (run.status, run.out) == (2, ""), run
    assert message in run.err


def test_configuration_that_cannot_be_followed(project: Path, lint: Lint) -> None:
    write(project, {"pyproject.toml": '[tool.lint-m2m]\nformat = ["json", "concise"]\n'})
    run = lint()
    assert (run.status, run.out) == (2, "")
    assert "pyproject.toml:2: `format` sends `json` and `concise` to standard output" in run.err


def test_what_is_fixed_is_said_on_stderr_beside_a_machine_format(project: Path, lint: Lint) -> None:
    run = lint("--fix", "--format", "github", "--format", "full:report.txt")
    assert (run.status, run.out) == (0, "")
    assert "fixed library/migrations/0002_authorship.py:18: MTM101" in run.err


def test_statistics_are_in_the_full_report_wherever_it_goes(project: Path, lint: Lint) -> None:
    assert lint("--statistics", "--format", "full:report.txt", "--format", "github").err == ""
    assert "1  MTM101  through-added" in (project / "report.txt").read_text()


def test_job_summary(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes after what the steps before have left there."""
    summary = project / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    comment = lint("--format", "markdown").out
    assert summary.read_text() == "before\n"
    alone = lint("--format", "github")
    assert summary.read_text() == "before\n" + comment
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert lint("--format", "github") == alone


def test_job_summary_that_cannot_be_written(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/such/file")
    run = lint("--format", "github")
    assert run.status == 1
    assert run.out.startswith("::error ")
    assert "`GITHUB_STEP_SUMMARY` is `no/such/file`, which cannot be written: no such file or directory" in run.err


def test_sarif_carries_what_fix_would_write(project: Path, lint: Lint) -> None:
    lint("--format", "sarif:report.sarif")
    (result,) = valid((project / "report.sarif").read_text())["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    path = project / change["artifactLocation"]["uri"]
    fixed = applied(path.read_text(), change["replacements"])
    assert fixed != path.read_text()
    assert lint("--fix").status == 0
    assert path.read_text() == fixed


@pytest.mark.parametrize("mark", ["folder", "file"])
def test_paths_for_services_start_at_the_top_of_the_repository(
    tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """In a worktree, .git is a file."""
    repository = tmp_path / "repository"
    site = library(repository / "backend" / "site")
    if mark == "folder":
        subprocess.run(["git", "init", "-q", str(repository)], check=True)
    else:
        (repository / ".git").write_text("gitdir: /elsewhere\n")
    monkeypatch.chdir(site)
    path = "library/migrations/0002_authorship.py"
    assert f"file=backend/site/{path},line=18" in lint("--format", "github").out
    assert f"see backend/site/{path.replace('0002_authorship', '0001_initial')}:" in lint("--format", "github").out
    assert f"`backend/site/{path}`: replace" in lint("--format", "markdown").out
    assert json.loads(lint("--format", "json").out)["findings"][0]["path"] == path

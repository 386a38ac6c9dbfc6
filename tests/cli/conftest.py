"""Running the command line inside the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lint_m2m.cli import main
from tests.cli.projects import library


class Run(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the outside says about terminals and environments is not the test's."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "VIRTUAL_ENV", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library project, in a folder that is the current one."""
    root = library(tmp_path / "site")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """``lint("--select", "MTM1")``: what the command line does with these arguments."""

    def run(*arguments: str) -> Run:
        status = main(list(arguments))
        return Run(status, *capsys.readouterr())

    return run

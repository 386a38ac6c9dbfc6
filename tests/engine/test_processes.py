"""Several processes find what one finds."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from lint_m2m.config import Config
from lint_m2m.engine import judge
from lint_m2m.engine.running import run
from lint_m2m.engine.sources import SourceReader
from lint_m2m.finding import Report
from tests.engine.test_plans import _CLAIMED, _LINKED, project

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "rules"

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked on Linux only"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that are made."""
    monkeypatch.setattr(judge, "FEWEST", 1)
    # Test runners have threads of their own.
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    made: list[int] = []
    fork = os.fork

    def counting() -> int:
        made.append(fork())
        return made[-1]

    monkeypatch.setattr(os, "fork", counting)
    return made


def found(root: Path, processes: int) -> Report:
    return run([root], lambda root: Config(), reader=SourceReader(processes)).report


@pytest.mark.parametrize("rule", sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir()))
def test_many_projects(rule: str, forks: list[int]) -> None:
    alone = found(FIXTURES / rule, 1)
    assert forks == []
    assert found(FIXTURES / rule, 2) == alone
    assert forks


def test_plans_of_one_project(tmp_path: Path, forks: list[int]) -> None:
    """What they say together is put together in their order: only some databases have it."""
    root = project(tmp_path, _LINKED, _CLAIMED)
    alone = found(root, 1)
    assert any(finding.notes for finding in alone.findings)
    assert found(root, 2) == alone
    assert len(forks) == 1

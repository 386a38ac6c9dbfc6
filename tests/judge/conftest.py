"""Fixtures of the judge's own tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from tests.judge import Outcome, run
from tests.judge.writing import write_linear


class Judge(Protocol):
    def __call__(
        self,
        *migrations: str | Sequence[str],
        functions: Sequence[str] = (),
        database: str = "sqlite",
        fresh_process: bool = False,
        retry: bool = False,
    ) -> Outcome: ...


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Run one app named ``app``; each argument is a migration: its operations, or its only one."""

    def call(
        *migrations: str | Sequence[str],
        functions: Sequence[str] = (),
        database: str = "sqlite",
        fresh_process: bool = False,
        retry: bool = False,
    ) -> Outcome:
        lists = [[one] if isinstance(one, str) else list(one) for one in migrations]
        write_linear(tmp_path, "app", lists, functions)
        return run(tmp_path, database=database, fresh_process=fresh_process, retry=retry)

    return call

"""Random failing histories and `--fix`: real Django then runs them with every row kept.

Of each history with a finding that has a safe sequence the files are fixed; the fixed history goes to real Django, one
operation at a time with rows in every table, and to lint-m2m once more, and the two have to agree as on any other
(`tests/support/agreement.py`): what was fixed is no finding any more, so it must neither raise nor lose a row nor leave
Django and the database apart; and the same with the unsafe fixes, for some. ``LINT_M2M_FIXES`` histories on SQLite (60)
that try what fails everywhere, ``LINT_M2M_DATABASE_FIXES`` on each server (12); the seeds are fixed.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import count, islice
from pathlib import Path

import django
import pytest

from lint_m2m import rewrite
from lint_m2m.config import load
from lint_m2m.engine import run
from lint_m2m.reports import render
from tests import judge
from tests.judge.histories import generate
from tests.support.agreement import disagreements

ON_SQLITE = int(os.environ.get("LINT_M2M_FIXES", "60"))
ON_SERVERS = int(os.environ.get("LINT_M2M_DATABASE_FIXES", "12"))
CHUNK = 12
SAFE, UNSAFE = rewrite.Choice(), rewrite.Choice(unsafe=True)
# Histories in which only what wants a review can be fixed, or more of them than is safe: those that once went wrong.
UNSAFE_SEEDS = (56, 211, 233, 1035, 1156, 1284, *range(1, 21))
# What the generator calls the ways to an operation that fails on every database and that a sequence can stand for.
FAILING = {"through_added", "through_removed", "pinned", "temporary_field_in_one_run", "taken_table", "retyped"}


@cache
def seeds(number: int) -> tuple[int, ...]:
    """The first seeds whose histories fail in one of those ways."""
    return tuple(islice((seed for seed in count(1) if FAILING & set(generate(seed).recipes)), number))


def chunks(number: int) -> list[range]:
    """Positions among `seeds`."""
    return [range(first, min(first + CHUNK, number)) for first in range(0, number, CHUNK)]


def trouble(seed: int, folder: Path, database: str, choice: rewrite.Choice = SAFE) -> str | None:
    """What is wrong after the fixes, with all that is needed to see why; empty when nothing is, ``None`` unfixed."""
    history = generate(seed)
    project = folder / str(seed)
    history.write(project)
    vendor, release = database.partition(":")[0], ".".join(map(str, django.VERSION[:2]))
    (project / "pyproject.toml").write_text(
        f'[tool.lint-m2m]\ndatabase = "{vendor}"\ndjango-version = "{release}"\n', encoding="utf-8"
    )
    rewriting = rewrite.plan(run([project], load), load, choice)
    if not rewriting.fixes:
        return None
    rewrite.write(rewriting.changes)
    after = run([project], load)
    fixed = {fix.finding.fingerprint for fix in rewriting.fixes}
    found = [f"still there: {one.code}" for one in after.report.findings if one.fingerprint in fixed]
    found += [f"the second time: {change.path}" for change in rewrite.plan(after, load, choice).changes]
    found += disagreements(after.report, judge.run(project, database=database))
    if not found:
        return ""
    shown = [rewrite.diff(rewriting.changes).decode(), render(after.report, "full"), str(history)]
    return "\n".join([f"seed {seed}:", *found, *shown])


def fix(chunk: range, number: int, folder: Path, database: str) -> int:
    """How many of the histories were fixed."""
    results = [trouble(seeds(number)[position], folder, database) for position in chunk]
    found = [result for result in results if result]
    assert not found, "\n\n".join([f"{len(found)} of {len(chunk)} histories", *found])
    return sum(result is not None for result in results)


@pytest.mark.parametrize("chunk", chunks(ON_SQLITE), ids=lambda chunk: f"{chunk[0] + 1}-{chunk[-1] + 1}")
def test_fixes_on_sqlite(chunk: range, tmp_path: Path) -> None:
    fixed = fix(chunk, ON_SQLITE, tmp_path, judge.SQLITE)
    # About half of them: the others lack what a sequence needs, or something else is wrong with that field before.
    assert fixed or len(chunk) < CHUNK


def test_unsafe_fixes_on_sqlite(tmp_path: Path) -> None:
    results = [trouble(seed, tmp_path, judge.SQLITE, UNSAFE) for seed in dict.fromkeys(UNSAFE_SEEDS)]
    assert [result for result in results if result] == []
    assert results.count("") > 5


@pytest.mark.parametrize("chunk", chunks(ON_SERVERS), ids=lambda chunk: f"{chunk[0] + 1}-{chunk[-1] + 1}")
def test_fixes_on_servers(chunk: range, tmp_path: Path, database_url: str) -> None:
    fix(chunk, ON_SERVERS, tmp_path, database_url)

"""Random histories: real Django runs them one operation at a time, and lint-m2m has to have said what happens.

Of each history the first operation that raises (with its exception), every field that loses its rows before that, and
every table, column and unique set of a many-to-many that is missing at the end; nothing more, nothing less
(`tests/support/agreement.py`). Where a `through` model is deleted too early, also with each migration run apart. The
seeds are fixed: 1 to ``LINT_M2M_HISTORIES`` on SQLite (200), 1 to ``LINT_M2M_DATABASE_HISTORIES`` on each server (40).
"""

from __future__ import annotations

import os
from pathlib import Path

import django
import pytest

from lint_m2m.engine import check
from lint_m2m.reports import render
from tests import judge
from tests.judge.histories import generate
from tests.support.agreement import disagreements, disagreements_apart

ON_SQLITE = int(os.environ.get("LINT_M2M_HISTORIES", "200"))
ON_SERVERS = int(os.environ.get("LINT_M2M_DATABASE_HISTORIES", "40"))
# So many seeds are one test: enough of them for several processes to share, few enough to see which failed.
CHUNK = 20


def chunks(count: int) -> list[range]:
    """Seeds 1 to `count`, in ranges."""
    return [range(first, min(first + CHUNK, count + 1)) for first in range(1, count + 1, CHUNK)]


def disagreement(seed: int, folder: Path, database: str) -> str | None:
    """What parts lint-m2m and Django on the history of `seed`, with all that is needed to see why; else ``None``."""
    history = generate(seed)
    project = folder / str(seed)
    history.write(project)
    vendor = database.partition(":")[0]
    release = ".".join(map(str, django.VERSION[:2]))
    (project / "pyproject.toml").write_text(
        f'[tool.lint-m2m]\ndatabase = "{vendor}"\ndjango-version = "{release}"\n', encoding="utf-8"
    )
    outcome = judge.run(project, database=database)
    report = check(project)
    found = disagreements(report, outcome)
    if any(name.startswith("deleted_") for name in history.recipes):
        found += disagreements_apart(report, judge.run(project, database=database, fresh_process=True))
    return "\n".join([f"seed {seed}:", *found, str(history), render(report, "full")]) if found else None


def compare(seeds: range, folder: Path, database: str) -> None:
    found = [text for seed in seeds if (text := disagreement(seed, folder, database)) is not None]
    assert not found, "\n\n".join([f"{len(found)} of {len(seeds)} histories", *found])


@pytest.mark.parametrize("seeds", chunks(ON_SQLITE), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_histories_on_sqlite(seeds: range, tmp_path: Path) -> None:
    compare(seeds, tmp_path, judge.SQLITE)


@pytest.mark.parametrize("seeds", chunks(ON_SERVERS), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_histories_on_servers(seeds: range, tmp_path: Path, database_url: str) -> None:
    compare(seeds, tmp_path, database_url)

"""What every test shares: where the repository is, which database servers there are, and a fixed course for hypothesis.

The environment decides how much runs:

- ``LINT_M2M_DATABASES``: database URLs separated by blanks ("postgresql://postgres@127.0.0.1:5432/test
  mysql://root@127.0.0.1:3306/test"). A test that takes the fixture `database_url` is marked ``database`` and runs once
  for each of them; it is skipped, and pytest says so, when there is none. The user must be allowed to create databases.
- ``LINT_M2M_HISTORIES``: how many random histories run on SQLite.
- ``LINT_M2M_DATABASE_HISTORIES``: how many random histories run on each server.
- ``LINT_M2M_FUZZ``: how many damaged inputs there are.
- ``LINT_M2M_HOOK``: a git repository with this tree, for the tests marked ``hook``: pre-commit installs from there.
- ``LINT_M2M_FIXES``, ``LINT_M2M_DATABASE_FIXES``: how many failing ones are fixed, there and there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent

# The same examples on every machine, however slow; nothing is kept between runs.
settings.register_profile("lint-m2m", derandomize=True, deadline=None, database=None)
settings.load_profile("lint-m2m")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The key of lint-m2m's cache is not that of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def database_urls() -> list[str]:
    """The servers to test on, in the order given."""
    return os.environ.get("LINT_M2M_DATABASES", "").split()


def pytest_report_header() -> str:
    import django

    servers = " ".join(url.partition(":")[0] for url in database_urls())
    return f"Django {django.get_version()}; database servers: {servers or 'none (LINT_M2M_DATABASES is not set)'}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" not in metafunc.fixturenames:
        return
    servers = [(url.partition(":")[0], url) for url in database_urls()] or [("none", None)]
    metafunc.parametrize(
        "database_url",
        [pytest.param(url, id=name, marks=pytest.mark.database) for name, url in servers],
        scope="session",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a server or a driver nothing that needs one runs, and the report says so."""
    missing = {}
    if not database_urls():
        missing["database"] = "LINT_M2M_DATABASES names no database server"
    if find_spec("psycopg") is None:
        missing["drivers"] = "psycopg is not installed (extra `databases`)"
    if not os.environ.get("LINT_M2M_HOOK"):
        missing["hook"] = "LINT_M2M_HOOK names no repository to install from"
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this repository."""
    return REPOSITORY


@pytest.fixture
def example(repository: Path, tmp_path: Path) -> Path:
    """A copy of the example project, so that its database is not made in the repository."""
    return shutil.copytree(
        repository / "examples" / "course-tags",
        tmp_path / "course-tags",
        ignore=shutil.ignore_patterns("db.sqlite3", "__pycache__"),
    )

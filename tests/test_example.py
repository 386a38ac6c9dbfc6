"""The example project is what its README says: nothing to see for Django's checks, and a migration that cannot run."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.example import REFUSAL, SIX_LINKS, manage


def test_django_s_own_checks_are_silent(example: Path) -> None:
    check = manage(example, "check", "--fail-level", "DEBUG")
    assert check.returncode == 0, check.stderr
    drift = manage(example, "makemigrations", "--check", "--dry-run")
    assert (drift.returncode, drift.stdout, drift.stderr) == (0, "No changes detected\n", "")


def test_migrate_fails_on_a_fresh_database(example: Path) -> None:
    migrate = manage(example, "migrate", "--no-color")
    assert migrate.returncode == 1
    assert migrate.stderr.splitlines()[-1] == f"ValueError: {REFUSAL}"
    assert "Applying courses.0003_coursetag_alter_course_tags..." in migrate.stdout


def test_migrate_fails_on_a_released_database_and_loses_nothing(example: Path) -> None:
    released = manage(example, "migrate", "courses", "0002")
    assert released.returncode == 0, released.stderr
    assert manage(example, "migrate", "auth").returncode == 0
    rows = manage(example, "shell", standard_input=SIX_LINKS)
    assert rows.returncode == 0, rows.stderr

    migrate = manage(example, "migrate", "--no-color")

    assert migrate.stderr.splitlines()[-1] == f"ValueError: {REFUSAL}"
    with closing(sqlite3.connect(example / "db.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM courses_course_tags").fetchall() == [(6,)]
        assert database.execute("SELECT name FROM sqlite_master WHERE name = 'courses_coursetag'").fetchall() == []


def test_lint_m2m_predicts_that_exception(repository: Path) -> None:
    check = subprocess.run(
        [sys.executable, "-m", "lint_m2m", "check", "--format", "json", "examples/course-tags"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 1, check.stderr
    report = json.loads(check.stdout)
    assert [
        (finding["code"], finding["path"], finding["operation"], finding["field"], finding["runtime_error"])
        for finding in report["findings"]
    ] == [
        (
            "MTM101",
            "courses/migrations/0003_coursetag_alter_course_tags.py",
            "1",
            "courses.course.tags",
            f"ValueError: {REFUSAL}",
        )
    ]
    assert report["summary"]["migrations"] == 3

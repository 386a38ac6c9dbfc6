"""README.md is true: its generated parts are what the program prints, its examples do what it says they do."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.example import REFUSAL, SIX_LINKS, manage

MIGRATION = "courses/migrations/0003_coursetag_alter_course_tags.py"


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def block(readme: str, name: str) -> str:
    """The code under ``<!-- example: NAME -->``."""
    (code,) = re.findall(rf"^<!-- example: {name} -->\n```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return code


def replace_operations(example: Path, code: str) -> None:
    """Put the README's operations in the place of those in 0003."""
    path = example / MIGRATION
    head = path.read_text().split("    operations = [")[0]
    comment, _, operations = code.partition("\n")
    assert comment == f"# {MIGRATION}"
    path.write_text(head + "".join(f"    {line}\n" if line else "\n" for line in operations.splitlines()))


def count(example: Path, table: str) -> int:
    with closing(sqlite3.connect(example / "db.sqlite3")) as database:
        (number,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(number)


def lint(example: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lint_m2m", "check", "--format", "concise", str(example)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_generated_parts_are_up_to_date(repository: Path) -> None:
    check = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, f"run `python docs/generate.py`\n{check.stdout}{check.stderr}"


def test_links_lead_somewhere(repository: Path, readme: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", readme)
    local = [target for target in targets if "://" not in target]
    assert local
    assert [target for target in local if not (repository / target).exists()] == []


def test_bad_is_what_makemigrations_wrote(repository: Path, example: Path, readme: str) -> None:
    replace_operations(example, block(readme, "bad"))
    assert (example / MIGRATION).read_text() == (repository / "examples" / "course-tags" / MIGRATION).read_text()
    migrate = manage(example, "migrate")
    assert migrate.stderr.splitlines()[-1] == f"ValueError: {REFUSAL}"


def test_good_keeps_every_row_forward_and_backward(example: Path, readme: str) -> None:
    assert manage(example, "migrate", "courses", "0002").returncode == 0
    assert manage(example, "migrate", "auth").returncode == 0
    assert manage(example, "shell", standard_input=SIX_LINKS).returncode == 0
    replace_operations(example, block(readme, "good"))
    models = example / "courses" / "models.py"
    meta = "        ordering = ['position']\n"
    assert meta in models.read_text()
    models.write_text(models.read_text().replace(meta, f"        db_table = 'courses_course_tags'\n{meta}"))

    forward = manage(example, "migrate")
    assert forward.returncode == 0, forward.stderr
    drift = manage(example, "makemigrations", "--check", "--dry-run")
    assert (drift.returncode, drift.stdout) == (0, "No changes detected\n")
    seen = manage(
        example,
        "shell",
        standard_input="from courses.models import Course, CourseTag\n"
        "print('seen', CourseTag.objects.filter(position=0).count(), Course.objects.get(id=1).tags.count())\n",
    )
    assert "seen 6 3" in seen.stdout

    backward = manage(example, "migrate", "courses", "0002")
    assert backward.returncode == 0, backward.stderr
    assert count(example, "courses_course_tags") == 6
    again = manage(example, "migrate")
    assert again.returncode == 0, again.stderr
    assert count(example, "courses_course_tags") == 6


def test_bad_is_reported_and_good_is_not(example: Path, readme: str) -> None:
    bad = lint(example)
    assert bad.returncode == 1, bad.stderr
    assert [line.split()[1] for line in bad.stdout.splitlines()] == ["MTM101"]
    replace_operations(example, block(readme, "good"))
    good = lint(example)
    assert (good.returncode, good.stdout) == (0, ""), good.stderr

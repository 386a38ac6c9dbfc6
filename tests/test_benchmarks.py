"""The benchmark: it runs, and what it measures is a project that Django takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BENCHMARK = [sys.executable, str(REPOSITORY / "benchmarks" / "check.py")]
MADE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from made import write_project
write_project(Path(sys.argv[2]), 2, 40, [])
"""


def made(folder: Path) -> Path:
    subprocess.run([sys.executable, "-c", MADE, str(REPOSITORY / "benchmarks"), str(folder)], check=True)
    return folder


def test_models_fit_the_made_migrations(tmp_path: Path) -> None:
    project = made(tmp_path / "project")
    command = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("No changes detected\n", "", 0)


def test_the_made_project_has_nothing_to_report(tmp_path: Path) -> None:
    project = made(tmp_path / "project")
    command = [sys.executable, "-m", "lint_m2m", "check", "--isolated", "--no-cache", str(project)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_each_table(tmp_path: Path) -> None:
    project = made(tmp_path / "project")
    before = {path: path.read_bytes() for path in project.rglob("*.py")}
    for arguments, rows in (
        (
            ("--apps", "2", "--migrations", "10", "--only-lint-m2m"),
            [
                "(the floor)",
                "warm, a column added",
                "warm, a many-to-many added",
                "warm, an operation that has all checked",
            ],
        ),
        (("--growth", "--sizes", "40", "80"), ["| 40 ", "| 80 ", "lint-m2m, cold, one core\n"]),
        (("--real", str(project)), ["| project |         80 |"]),
    ):
        done = subprocess.run([*BENCHMARK, *arguments, "--runs", "1"], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert "failed" not in done.stdout
        assert [row for row in rows if row not in done.stdout] == []
    assert {path: path.read_bytes() for path in project.rglob("*.py")} == before

"""Whatever is written: with each system call that writes going wrong, every file is the old one or the new one."""

from __future__ import annotations

import json
import pkgutil
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lint_m2m import check
from lint_m2m.config import Config
from tests.cli.projects import library
from tests.support.rule_projects import RULE_FIXTURES

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPORARY = re.compile(r"(.*/)?\.lint-m2m\.\d+\.[0-9a-f]{12}\.tmp")
# Where these fail, everything goes on: a file may keep its new owner, and what is in place needs no second name.
FORGIVEN = {"chown", "link", "unlink"}


@dataclass(frozen=True)
class Case:
    """A command line that writes; `order` are the files in the order in which they have to come."""

    name: str
    arguments: tuple[str, ...]
    status: int
    order: tuple[str, ...]
    project: str | None = None
    present: dict[str, str] = field(default_factory=dict)
    absent: str | None = None
    # All of the files or none: reports are written one after the other, each of them whole.
    together: bool = True

    def write(self, root: Path) -> Path:
        if self.project is None:
            library(root)
        else:
            kept = shutil.ignore_patterns("__pycache__", ".lint_m2m_cache")
            shutil.copytree(RULE_FIXTURES / self.project, root, ignore=kept)
        for name, text in self.present.items():
            (root / name).write_text(text)
        if self.absent is not None:
            (root / self.absent).unlink()
        return root


BASELINE = """\
schema = 1

[[finding]]
code = "MTM305"
app = "library"
migration = "0007_drop_tags"
field = "library.book.tags"
reason = "the table is archived"
"""
CASES = [
    Case(
        "fix",
        ("check", "--isolated", "--no-cache", "--fix", "--sequence", "rename-table"),
        0,
        ("library/migrations/0002_authorship.py",),
    ),
    Case(
        "fix with new migrations",
        ("check", "--isolated", "--no-cache", "--fix", "--unsafe-fixes", "--sequence", "expand-contract"),
        0,
        (
            "teams/migrations/0002_through_membership.py",
            "teams/migrations/0003_team_members_through.py",
            "teams/migrations/0004_drop_team_members_old.py",
        ),
        project="MTM101/bad_cross_app",
    ),
    Case(
        "fix of two migrations",
        ("check", "--isolated", "--no-cache", "--fix", "--unsafe-fixes"),
        0,
        ("library/migrations/0002_remove.py", "library/migrations/0003_add.py"),
        project="MTM202/bad_over_two_migrations",
    ),
    Case(
        "plan",
        ("plan", "library.Book.authors", "--through", "library.Writing", "--write", "--isolated"),
        0,
        ("library/migrations/0002_book_authors_through_writing.py",),
        absent="library/migrations/0002_authorship.py",
    ),
    Case(
        "baseline",
        ("check", "--isolated", "--no-cache", "--write-baseline", "--baseline", "known.toml"),
        0,
        ("known.toml",),
        present={"known.toml": BASELINE},
    ),
    Case(
        "new baseline",
        ("check", "--isolated", "--no-cache", "--write-baseline", "--baseline", "known.toml"),
        0,
        ("known.toml",),
    ),
    Case(
        "reports",
        (
            "check",
            "--isolated",
            "--no-cache",
            "--format",
            "json:a.json",
            "--format",
            "sarif:b.sarif",
            "--format",
            "html:c.html",
        ),
        1,
        ("a.json", "b.sarif", "c.html"),
        present={"a.json": "an older report", "b.sarif": "an older report"},
        together=False,
    ),
]


def outcomes(case: Case, fault: str, tmp_path: Path) -> list[dict[str, Any]]:
    template = case.write(tmp_path / "template")
    work = tmp_path / "work"
    command = ["-P", "-m", "tests.faults.injected", str(template), str(work), fault, "--", *case.arguments]
    done = subprocess.run([sys.executable, *command], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def states(case: Case, found: dict[str, str], old: dict[str, str], new: dict[str, str]) -> list[bool]:
    """For each file that the case writes, whether it is the new one. Nothing else may have changed."""
    written = [found.get(name) == new[name] for name in case.order]
    torn = [
        name for name, done in zip(case.order, written, strict=True) if not done and found.get(name) != old.get(name)
    ]
    assert torn == []
    rest = {name: text for name, text in found.items() if name not in case.order and not TEMPORARY.fullmatch(name)}
    assert rest == {name: text for name, text in old.items() if name not in case.order}
    return written


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("fault", ["error", "kill"])
def test_every_call_that_writes(case: Case, fault: str, tmp_path: Path) -> None:
    runs = outcomes(case, fault, tmp_path)
    template = tmp_path / "template"
    old = {path.relative_to(template).as_posix(): path.read_text() for path in template.rglob("*") if path.is_file()}
    *faulty, undisturbed = runs
    new = undisturbed["files"]
    assert (undisturbed["status"], undisturbed["call"]) == (case.status, "")
    assert states(case, new, old, new) == [True] * len(case.order)
    assert len(faulty) >= 4 * len(case.order)
    assert {"open", "write", "fsync"} <= {run["call"] for run in faulty}
    for run in faulty:
        written = states(case, run["files"], old, new)
        strays = [name for name in run["files"] if TEMPORARY.fullmatch(name)]
        where = f"call {run['number']}, {run['call']}: {run['said']}"
        if fault == "kill":
            assert run["status"] == -9, where
            assert written == sorted(written, reverse=True), where
            continue
        assert strays == [] or run["call"] == "unlink", where
        if run["status"] == case.status:
            assert all(written), where
        else:
            assert run["status"] == 2, where
            assert run["call"] not in FORGIVEN, where
            assert "Traceback" not in run["said"], where
            assert "cannot be written" in run["said"], where
            assert not all(written), where
            assert not any(written) or not case.together, where
    if fault == "kill":
        seen = {tuple(states(case, run["files"], old, new)) for run in faulty}
        assert len(seen) == len(case.order) + 1, "every state in between"


def test_what_a_killed_process_leaves_is_no_migration(tmp_path: Path) -> None:
    case = CASES[0]
    leaving = [run for run in outcomes(case, "kill", tmp_path) if any(map(TEMPORARY.fullmatch, run["files"]))]
    assert leaving
    folder = tmp_path / "work" / str(leaving[-1]["number"])
    assert {name for _, name, _ in pkgutil.iter_modules([str(folder / "library" / "migrations")])} == {
        "0001_initial",
        "0002_authorship",
    }
    assert check(folder, Config()).summary.migrations == 3

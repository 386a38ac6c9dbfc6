"""The published pre-commit hooks, by pre-commit itself: commits in a repository of their own, installed from this one.

pre-commit makes an environment from the package index, so they run only where ``LINT_M2M_HOOK`` names a git repository
that holds this tree (``.ci/run hook`` makes one).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.projects import THROUGH, library, write

pytestmark = pytest.mark.hook

BAD = "library/migrations/0002_authorship.py"
# A field of the through model's own: its column is made NOT NULL in a migration that --fix adds.
RATED = THROUGH.replace(
    '                ("book",', '                ("rank", models.IntegerField(default=0)),\n                ("book",', 1
)
RETARGETED = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial"), ("shop", "0001_initial")]
    operations = [migrations.AlterField("book", "authors", models.ManyToManyField(to="shop.item"))]
"""


class Site:
    """A git repository with the library project and the hook `hook`."""

    def __init__(self, root: Path, hook: str, home: Path) -> None:
        self.root = root
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self.environment |= {
            "PRE_COMMIT_HOME": str(home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            **{f"GIT_{who}_NAME": "lint-m2m" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "lint-m2m@localhost" for who in ("AUTHOR", "COMMITTER")},
        }
        source = os.environ["LINT_M2M_HOOK"]
        revision = self.run("git", "-C", source, "rev-parse", "HEAD", cwd=Path(source)).stdout.strip()
        library(root)
        (root / BAD).unlink()
        config = f"repos:\n- repo: {source}\n  rev: {revision}\n  hooks:\n  - id: {hook}\n"
        write(root, {".pre-commit-config.yaml": config})
        self.run("git", "init", "--quiet")
        self.run(sys.executable, "-m", "pre_commit", "install")

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        done = self.attempt(*command, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def attempt(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=cwd or self.root, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )

    def commit(self, files: dict[str, str] | None = None) -> tuple[bool, str]:
        """Write files and commit everything: whether there is a new commit, and what was printed."""
        write(self.root, files or {})
        self.run("git", "add", "--all")
        before = self.attempt("git", "rev-parse", "--verify", "--quiet", "HEAD").stdout
        done = self.attempt("git", "commit", "--quiet", "--message", "a change")
        after = self.attempt("git", "rev-parse", "--verify", "--quiet", "HEAD").stdout
        assert (done.returncode == 0) == (before != after), done.stdout + done.stderr
        return before != after, done.stdout + done.stderr

    def status(self) -> list[str]:
        return self.run("git", "status", "--porcelain").stdout.splitlines()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pre-commit's environments, made once."""
    return tmp_path_factory.mktemp("pre-commit")


def test_a_bad_migration_is_stopped_and_the_fixed_one_passes(tmp_path: Path, home: Path) -> None:
    site = Site(tmp_path / "site", "lint-m2m", home)
    passed, output = site.commit()
    assert passed, output
    assert "Passed" in output

    passed, output = site.commit({BAD: THROUGH})
    assert not passed
    assert "- hook id: lint-m2m\n- exit code: 1\n" in output
    assert "error[MTM101]: `AlterField` adds `through=`" in output
    assert "help: keep the table, change only what Django believes" in output
    assert site.status() == [f"A  {BAD}"]

    passed, output = site.commit({BAD: THROUGH.replace(', through="library.Authorship"', "")})
    assert passed, output

    passed, output = site.commit({"README.md": "Books.\n", "library/views.py": ""})
    assert passed
    assert "Skipped" in output


def test_the_whole_project_counts(tmp_path: Path, home: Path) -> None:
    """What lies in a file that did not change is reported when one with models does."""
    site = Site(tmp_path / "site", "lint-m2m", home)
    write(site.root, {BAD: THROUGH})
    site.run("git", "add", "--all")
    site.run("git", "commit", "--quiet", "--no-verify", "--message", "in a hurry")
    assert site.commit({"library/views.py": "# nothing\n"})[0]
    passed, output = site.commit({"shop/models.py": "# nothing\n"})
    assert not passed
    assert f"--> {BAD}:18:64" in output


def test_no_migrations_yet(tmp_path: Path, home: Path) -> None:
    site = Site(tmp_path / "site", "lint-m2m", home)
    for app in ("library", "shop"):
        (site.root / app / "migrations" / "0001_initial.py").unlink()
    passed, output = site.commit()
    assert passed, output
    assert "Passed" in output


@pytest.mark.parametrize("through", [THROUGH, RATED], ids=["changed", "with a new file"])
def test_the_fix_is_written_and_wants_to_be_looked_at(tmp_path: Path, home: Path, through: str) -> None:
    site = Site(tmp_path / "site", "lint-m2m-fix", home)
    passed, output = site.commit()
    assert passed, output
    passed, output = site.commit({BAD: through})
    assert not passed
    assert "- exit code: 1\n" in output
    assert f"fixed {BAD}:" in output
    assert "left to you: library/models.py: pin the table" in output
    assert "SeparateDatabaseAndState" in (site.root / BAD).read_text()
    assert f"AM {BAD}" in site.status()
    passed, output = site.commit()
    assert passed, output
    assert site.status() == []


def test_what_cannot_be_fixed_is_stopped(tmp_path: Path, home: Path) -> None:
    site = Site(tmp_path / "site", "lint-m2m-fix", home)
    passed, output = site.commit({BAD: RETARGETED})
    assert not passed
    assert "error[MTM203]" in output
    assert "files were modified" not in output
    assert (site.root / BAD).read_text() == RETARGETED

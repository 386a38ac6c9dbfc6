"""What is no ordinary file: links, pipes, devices, what may not be read, what goes away meanwhile."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.projects import library
from tests.hostile.command import lint

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such links nor pipes")

MIGRATIONS = "library/migrations"
BAD = f"{MIGRATIONS}/0002_authorship.py"
MTM101 = f"{BAD}:18:64: MTM101 "


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return library(tmp_path / "site")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("migrations", f"{MIGRATIONS}:1:1: MTM901 cannot be read: too many levels of symbolic links\n"),
        ("/", f"{MIGRATIONS}:1:1: MTM901 cannot be read: a link that leaves the project\n"),
        ("../../elsewhere", f"{MIGRATIONS}:1:1: MTM901 cannot be read: a link that leaves the project\n"),
    ],
    ids=["itself", "/", "outside"],
)
def test_a_migrations_folder_that_is_a_link(root: Path, target: str, expected: str) -> None:
    shutil.move(root / MIGRATIONS, root.parent / "elsewhere")
    os.symlink(target, root / MIGRATIONS)
    done = lint(root, "--format", "concise")
    assert (done.status, done.out) == (1, expected)


def test_a_migrations_folder_that_is_the_project(root: Path) -> None:
    shutil.rmtree(root / MIGRATIONS)
    os.symlink("..", root / MIGRATIONS)
    done = lint(root, "--verbose", "--format", "concise")
    assert done.status == 0
    assert f"{MIGRATIONS}: no file in it defines a migration" in done.err


def test_folders_that_contain_themselves(root: Path) -> None:
    for name in ("one", "two", "three"):
        os.symlink("..", root / "library" / name)
    assert lint(root, "--format", "concise").out.startswith(MTM101)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("0002_authorship.py", "too many levels of symbolic links"),
        ("nothing.py", "no such file or directory"),
        ("/dev/zero", "a link that leaves the project"),
        ("/proc/self/mem", "a link that leaves the project"),
        ("/etc/passwd", "a link that leaves the project"),
    ],
)
def test_a_migration_that_is_a_link(root: Path, target: str, reason: str) -> None:
    (root / BAD).unlink()
    os.symlink(target, root / BAD)
    done = lint(root, "--format", "concise")
    assert (done.status, done.out) == (1, f"{BAD}:1:1: MTM901 cannot be read: {reason}\n")


@pytest.mark.parametrize("name", [BAD, "manage.py", "library/models.py", "library/apps.py", "conf/settings.py"])
def test_a_pipe_nobody_writes_to(root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).unlink(missing_ok=True)
    os.mkfifo(root / name)
    done = lint(root, "--format", "concise")
    pipe = f"{BAD}:1:1: MTM901 cannot be read: not a regular file\n"
    assert (done.status, done.out) == (1, pipe) if name == BAD else done.out.startswith(MTM101)


# For the superuser as well: the command runs without the right to pass over modes.
@pytest.mark.parametrize("name", [BAD, f"{MIGRATIONS}/0001_initial.py", MIGRATIONS, "shop"])
def test_what_may_not_be_read(root: Path, name: str) -> None:
    place = root / name
    before = place.stat().st_mode
    place.chmod(0)
    try:
        done = lint(root, "--format", "concise", powerless=True)
    finally:
        place.chmod(before)
    assert done.status == 1
    if name == "shop":
        # Whether it was an app nobody can tell; that it was not looked into is said.
        assert done.out.startswith(MTM101)
        assert "shop" in lint_verbose_of(root, place)
    else:
        assert f"{name}:1:1: MTM901 cannot be read: permission denied\n" in done.out


def lint_verbose_of(root: Path, place: Path) -> str:
    before = place.stat().st_mode
    place.chmod(0)
    try:
        return lint(root, "--verbose", "--format", "concise", powerless=True).err
    finally:
        place.chmod(before)


@pytest.mark.parametrize("name", ["pyproject.toml", "known.toml"])
def test_a_configuration_that_may_not_be_read(root: Path, name: str) -> None:
    (root / "pyproject.toml").write_text('[tool.lint-m2m]\nbaseline = "known.toml"\n', encoding="utf-8")
    (root / "known.toml").write_text("schema = 1\n", encoding="utf-8")
    (root / name).chmod(0)
    done = lint(root, powerless=True)
    assert done.status == 2
    assert f"lint-m2m: error: {name}: " in done.err
    assert "cannot be read: permission denied" in done.err


def test_a_root_that_may_not_be_read(root: Path) -> None:
    (root / "closed").mkdir(mode=0)
    done = lint(root, "closed", powerless=True)
    assert done.status == 2
    assert "closed" in done.err


# Runs the command line; before the file `argv[1]` is opened for the `argv[2]`th time, it is taken away.
VANISHES = """
import os, shutil, sys
name, time = sys.argv[1], int(sys.argv[2])
del sys.argv[1:3]
real, seen = os.open, []

def opened(path, *arguments, **keywords):
    if os.fspath(path).endswith(name):
        seen.append(path)
        if len(seen) == time:
            print("gone", file=sys.stderr)
            os.unlink(path)
    return real(path, *arguments, **keywords)

os.open = opened
from lint_m2m.__main__ import run
run()
"""


@pytest.mark.parametrize(
    ("name", "time"),
    [*((BAD, time) for time in "123"), *((name, "1") for name in ("0001_initial.py", "manage.py", "pyproject.toml"))],
)
def test_a_file_that_vanishes_meanwhile(root: Path, name: str, time: str) -> None:
    (root / "pyproject.toml").write_text("[tool.lint-m2m]\nfail-on = 'info'\n", encoding="utf-8")
    done = lint(root, name, time, "--format", "full", python=("-P", "-c", VANISHES))
    assert done.status == 1
    if "gone" not in done.err:
        assert int(time) > 1
    elif name == BAD and time == "1":
        assert f"--> {BAD}\n" in done.out
        assert "error[MTM901]: cannot be read: no such file or directory" in done.out


def test_a_migrations_folder_that_vanishes_meanwhile(root: Path) -> None:
    code = VANISHES.replace("os.unlink(path)", "shutil.rmtree(os.path.dirname(path))")
    done = lint(root, "0001_initial.py", "1", "--format", "concise", python=("-P", "-c", code))
    assert "gone" in done.err
    assert done.status == 1
    assert ": MTM901 cannot be read: no such file or directory" in done.out

"""Configurations and baselines made to hurt: each ends at once, with a word about the file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.projects import library
from tests.hostile.command import lint

OURS = "[tool.lint-m2m]\n"
LARGE = 500_000

CONFIGURATIONS = {
    "keys": OURS + "".join(f"x{number} = 1\n" for number in range(LARGE // 12)),
    "other keys": "[tool.other]\n" + "".join(f"x{number} = 1\n" for number in range(LARGE // 12)) + OURS,
    "comments": OURS + "#\n" * (LARGE // 2),
    "codes": OURS + "select = [" + '"MTM1",' * (LARGE // 7) + "]\n",
    "tables": "".join(f"[a.b{number}]\n" for number in range(LARGE // 12)) + OURS,
    "tables in an array": "[[a]]\n" * (LARGE // 6) + OURS,
    "dots": f"{OURS}{'a.' * (LARGE // 2 - 100)}b = 1\n",
    "quoted dots": OURS + '"a" . ' * (LARGE // 6 - 100) + "b = 1\n",
    "no dots": f"{OURS}{'a' * (LARGE - 100)}\n",
    "lists": f"{OURS}select = {'[' * 10_000}{']' * 10_000}\n",
    "inline tables": f"{OURS}x = {'{a=' * 10_000}1{'}' * 10_000}\n",
    "a number": f"{OURS}select = {'9' * (LARGE - 100)}\n",
    "a hexadecimal number": f"{OURS}select = 0x{'f' * (LARGE - 100)}\n",
    "an unknown key": f"{OURS}{'a' * (LARGE - 100)} = 1\n",
    "an unknown code": f'{OURS}select = ["{"a" * (LARGE - 100)}"]\n',
    "an unknown colour": f'{OURS}color = "{"a" * (LARGE - 100)}"\n',
    "stars": f'{OURS}exclude = ["{"*" * 10_000}a"]\n',
    "folders": f'{OURS}exclude = ["{"**/*" * 50}/x"]\n',
    "globs": OURS + "exclude = [" + '"**/*a*b*c*d",' * (LARGE // 16) + "]\n",
    "globs that silence": f'{OURS}[tool.lint-m2m.per-file-ignores]\n"{"*" * 60}x" = ["MTM1"]\n',
    "nul": "\0" * 1000,
    "not TOML": f"{OURS}{'[' * LARGE}"[:LARGE],
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration(tmp_path: Path, name: str) -> None:
    root = library(tmp_path / "site", **{"pyproject.toml": CONFIGURATIONS[name]})
    done = lint(root, "--format", "concise")
    assert "pyproject.toml" in done.err if done.status == 2 else "MTM101" in done.out
    assert len(done.err) < 4000


def test_a_pyproject_of_10_mb(tmp_path: Path) -> None:
    root = library(tmp_path / "site", **{"pyproject.toml": OURS + "# comment\n" * 1_000_000})
    done = lint(root)
    assert done.status == 2
    assert done.err == "lint-m2m: error: pyproject.toml: cannot be read: larger than 512 KB (10,000,016 bytes)\n"
    below = library(tmp_path / "below", **{"library/pyproject.toml": OURS + "# comment\n" * 1_000_000})
    assert "MTM101" in lint(below, "--format", "concise").out


def test_a_baseline_of_10_mb(tmp_path: Path) -> None:
    root = library(tmp_path / "site", **{"known.toml": "schema = 1\n" + "# comment\n" * 1_000_000})
    done = lint(root, "--baseline", "known.toml")
    assert done.status == 2
    assert "known.toml: the baseline cannot be read: larger than 2 MB" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize("folder", ["", "library/"])
@pytest.mark.parametrize("target", ["", "/dev/zero", "pyproject.toml", "/proc/self/mem"])
def test_a_pyproject_that_is_no_file(tmp_path: Path, folder: str, target: str) -> None:
    root = library(tmp_path / "site")
    file = root / f"{folder}pyproject.toml"
    if target:
        os.symlink(target, file)
    else:
        os.mkfifo(file)
    done = lint(root, "--format", "concise")
    if done.status == 2:
        assert "pyproject.toml: cannot be read: " in done.err
    else:
        assert "MTM101" in done.out
        assert folder or "no configuration is taken from it" in done.err or target == "pyproject.toml"


@pytest.mark.parametrize("columns", ["9" * 100, "²"])
def test_an_odd_width(tmp_path: Path, columns: str) -> None:
    assert lint(library(tmp_path / "site"), given={"COLUMNS": columns}).status == 1

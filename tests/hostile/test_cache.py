"""A cache that a repository brings along, or that was damaged: the report is as if there were none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.cache import FOLDER
from tests.cli.projects import library
from tests.hostile.command import lint

POISON: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda entry: b"",
    "cut": lambda entry: entry[: len(entry) // 2],
    "one bit": lambda entry: entry[:100] + bytes([entry[100] ^ 1]) + entry[101:],
    "one bit of the digest": lambda entry: bytes([entry[0] ^ 1]) + entry[1:],
    "no findings": lambda entry: entry[:32] + b'{"looks": {}, "checked": []}',
    "a pickle": lambda entry: b"cos\nsystem\n(S'touch pickled'\ntR.",
    "deep": lambda entry: entry[:32] + b"[" * 1_000_000,
}


def entries(root: Path) -> list[Path]:
    return sorted((root / FOLDER).glob("*.lint-m2m-entry"))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A user without a cache of their own."""
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home" / "cache")}


def test_a_poisoned_entry_is_not_believed(tmp_path: Path, home: dict[str, str]) -> None:
    root = library(tmp_path / "site")
    first = lint(root, given=home)
    assert "MTM101" in first.out
    (entry,) = entries(root)
    kept = entry.read_bytes()
    for name, poison in POISON.items():
        entry.write_bytes(poison(kept))
        again = lint(root, given=home)
        assert (again.status, again.out, again.err) == (first.status, first.out, first.err), name
    assert not (root / "pickled").exists()


def test_an_entry_of_somebody_else_is_not_believed(tmp_path: Path, home: dict[str, str]) -> None:
    """A repository's own cache, made elsewhere from files without a finding."""
    root = library(tmp_path / "site")
    bad = root / "library" / "migrations" / "0002_authorship.py"
    source = bad.read_bytes()
    bad.write_bytes(source.replace(b'through="library.Authorship", ', b""))
    stranger = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "stranger")}
    assert lint(root, given=stranger).status == 0
    (entry,) = entries(root)
    kept = entry.read_bytes()
    bad.write_bytes(source)
    assert "MTM101" in lint(root, given=home).out
    for one in entries(root):
        one.write_bytes(kept)
    assert "MTM101" in lint(root, given=home).out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such links nor pipes")
@pytest.mark.parametrize("kind", ["file", "pipe", "zero", "itself", "outside", "entry is a pipe", "entry is endless"])
def test_a_cache_that_is_no_folder(tmp_path: Path, home: dict[str, str], kind: str) -> None:
    root = library(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    folder = root / FOLDER
    if kind.startswith("entry"):
        lint(root, given=home)
        (entry,) = entries(root)
        entry.unlink()
        if kind == "entry is a pipe":
            os.mkfifo(entry)
        else:
            os.symlink("/dev/zero", entry)
    elif kind == "file":
        folder.write_text("")
    elif kind == "pipe":
        os.mkfifo(folder)
    else:
        os.symlink({"zero": "/dev/zero", "itself": FOLDER, "outside": "../elsewhere"}[kind], folder)
    done = lint(root, given=home)
    assert done.status == 1
    assert "MTM101" in done.out


def test_a_key_in_the_repository_around_the_project_is_not_believed(tmp_path: Path, home: dict[str, str]) -> None:
    """The command line puts the cache beside the project, in a folder that the repository brings along."""
    top = tmp_path / "repository"
    root = library(top / "site")
    bad = root / "library" / "migrations" / "0002_authorship.py"
    source = bad.read_bytes()
    bad.write_bytes(source.replace(b'through="library.Authorship", ', b""))
    brought = ("--cache-dir", str(top / "cache"))
    assert lint(root, *brought, given=home).status == 0
    # Outside of any repository it is the user's: the key is there as well.
    assert (top / "cache" / "key").is_file()
    (top / ".git").mkdir()
    bad.write_bytes(source)
    (top / "cache" / "key").write_bytes(b"k" * 32)
    assert lint(root, *brought, given=home).status == 1
    assert (top / "cache" / "key").read_bytes() == b"k" * 32
    assert (tmp_path / "home" / "cache" / "lint-m2m" / "key").is_file()

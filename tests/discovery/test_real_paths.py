"""Where files really lie, told with and without what is known of their folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lint_m2m import looks
from lint_m2m.readers.project.toplevel import Modules


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Files behind links of all kinds."""
    (tmp_path / "root/app/inner").mkdir(parents=True)
    (tmp_path / "outside/inner").mkdir(parents=True)
    for name in ("root/a.py", "root/app/a.py", "root/app/inner/a.py", "outside/a.py", "outside/inner/a.py"):
        (tmp_path / name).write_text("A = 1\n")
    (tmp_path / "root/link.py").symlink_to("app/a.py")
    (tmp_path / "root/leaving.py").symlink_to(tmp_path / "outside/a.py")
    (tmp_path / "root/broken.py").symlink_to("nothing.py")
    (tmp_path / "root/loop.py").symlink_to("loop.py")
    (tmp_path / "root/again").symlink_to("app")
    (tmp_path / "root/away").symlink_to(tmp_path / "outside")
    return tmp_path


NAMES = [
    "a.py",
    "app/a.py",
    "app/inner/a.py",
    "app/../a.py",
    "app/./a.py",
    "link.py",
    "leaving.py",
    "broken.py",
    "loop.py",
    "again/a.py",
    "again/inner/a.py",
    "away/a.py",
    "away/inner/a.py",
    "away/../a.py",
    "none/a.py",
    "",
]


def test_real_files_are_those_of_the_system(folders: Path) -> None:
    paths = [os.path.join(folders, "root", name) for name in NAMES]
    known: dict[str, str] = {}
    with looks.noting() as noted:
        assert [looks.real_file(path, known) for path in paths] == [os.path.realpath(path) for path in paths]
    # All of it is asked for again, by whoever wants to know whether it would be the same.
    assert noted.answers["real"] == {path: os.path.realpath(path) for path in paths}
    assert noted.sound
    assert noted.changed().nothing
    (folders / "root/app/inner/a.py").unlink()
    (folders / "root/app/inner/a.py").symlink_to(folders / "outside/a.py")
    assert noted.changed().questions == [paths[2], paths[10]]


def test_what_is_inside(folders: Path) -> None:
    modules = Modules(folders / "root")
    inside = [name for name in NAMES if name and modules.inside(os.path.join(folders, "root", name))]
    assert inside == [name for name in NAMES if name and name != "leaving.py" and not name.startswith("away/")]

"""The walk-throughs in docs/ are followed, command by command, with real Django."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.walk_through import matches, play

PAGES = ("walk-through-course-tags.md", "walk-through-post-categories.md")
# A page of its own, with a walk-through in it.
OTHERS = ("makemigrations.md",)


@pytest.mark.parametrize("name", [*PAGES, *OTHERS])
def test_walk_through(repository: Path, tmp_path: Path, name: str) -> None:
    assert play(repository / "docs" / name, tmp_path / "project") > 10


def test_every_walk_through_is_followed(repository: Path) -> None:
    assert sorted(path.name for path in (repository / "docs").glob("walk-through-*.md")) == sorted(PAGES)


def test_what_stands_for_anything() -> None:
    assert matches("a\n…\nz\n", "a\nz\n")
    assert matches("a\n…\nz\n", "a \nb\nc\nz\n")
    assert not matches("a\n…\nz\n", "a\nb\n")
    assert not matches("a\n", "a\nb\n")
    assert not matches("a.\n", "ab\n")

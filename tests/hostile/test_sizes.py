"""Repositories that are large in one way. Here the limits are higher, and stated: they are many inputs in one."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.projects import SHOP, library, write
from tests.hostile.command import lint

# Measured: 3 s and 90 MB for the cycles, 4 s and 80 MB for the apps.
SECONDS = 15.0

LINK = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{}]
    operations = []
"""


def cycles(root: Path, *steps: int, count: int = 10_000) -> Path:
    """An app of `count` migrations, each of which depends on those so many steps further, around."""
    folder = root / "shop" / "migrations"
    shutil.rmtree(folder)
    others = [[f'("shop", "m{(number + step) % count}")' for step in steps] for number in range(count)]
    files = {f"m{number}.py": LINK.format(", ".join(on)) for number, on in enumerate(others)}
    return write(folder, {"__init__.py": "", **files}).parent.parent


def test_a_cycle_of_10_000_migrations(tmp_path: Path) -> None:
    root = cycles(library(tmp_path / "site"), 1)
    done = lint(root, "--format", "concise", seconds=SECONDS)
    assert done.status == 1
    assert ": MTM903 circular dependency: `shop.m1` → `shop.m2` → " in done.out
    assert "9989 more" in done.out


def test_10_000_migrations_that_are_all_in_cycles(tmp_path: Path) -> None:
    root = cycles(library(tmp_path / "site"), 1, 7, 31)
    done = lint(root, "--format", "concise", seconds=SECONDS)
    assert done.status == 1
    assert ": MTM903 circular dependency: " in done.out


def test_5_000_apps(tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    for number in range(5_000):
        write(root / f"app{number}" / "migrations", {"__init__.py": "", "0001_initial.py": SHOP})
    done = lint(root, "--format", "concise", seconds=SECONDS)
    assert done.status == 1
    assert len(done.out.splitlines()) == 1
    done = lint(root, "--format", "full", seconds=SECONDS)
    assert "1 error in 5,003 migrations of 5,002 apps" in done.out

"""Where a project starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.roots import find_root

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that nothing above makes part of a project."""
    assert find_root(tmp_path) == tmp_path, "the temporary folder lies in a project"
    return tmp_path


def make(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("marker", ["manage.py", "pyproject.toml", ".git"])
def test_markers(root: Path, marker: str) -> None:
    make(root / "site" / marker, MANAGE)
    file = make(root / "site" / "shop" / "migrations" / "0001_initial.py")
    assert find_root(file) == root / "site"
    assert find_root(file.parent) == root / "site"
    assert find_root(root / "site") == root / "site"


def test_nearest_wins(root: Path) -> None:
    (root / ".git").mkdir()
    make(root / "backend" / "manage.py", MANAGE)
    assert find_root(make(root / "backend" / "shop" / "models.py")) == root / "backend"
    assert find_root(make(root / "frontend" / "x.py")) == root


def test_a_module_called_manage_is_no_marker(root: Path) -> None:
    make(root / "pyproject.toml")
    make(root / "events" / "__init__.py")
    make(root / "events" / "manage.py", "def manage(event): ...\n")
    assert find_root(root / "events") == root


def test_a_wrapper_called_manage_is_one(root: Path) -> None:
    make(root / "pyproject.toml")
    make(root / "backend" / "manage.py", "from project.cli import main\nmain()\n")
    assert find_root(root / "backend") == root / "backend"


def test_manage_in_a_package(root: Path) -> None:
    make(root / "project" / "__init__.py")
    make(root / "project" / "manage.py", "from django.core.management import execute_from_command_line\n")
    assert find_root(root / "project") == root / "project"


def test_no_marker(root: Path) -> None:
    file = make(root / "shop" / "migrations" / "0001_initial.py")
    assert find_root(root / "shop") == root / "shop"
    assert find_root(file.parent) == root / "shop"
    assert find_root(file) == root / "shop"
    assert find_root(make(root / "shop" / "models.py")) == root / "shop"


def test_what_is_installed_belongs_to_no_project_above(root: Path) -> None:
    make(root / "pyproject.toml")
    package = root / ".venv" / "lib" / "python3.11" / "site-packages" / "wagtail"
    file = make(package / "admin" / "migrations" / "0001_initial.py")
    assert find_root(package) == package
    assert find_root(file) == package / "admin"
    assert find_root(package.parent) == package.parent


def test_relative_and_missing_paths(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(root / "manage.py", MANAGE)
    make(root / "shop" / "models.py")
    monkeypatch.chdir(root / "shop")
    assert find_root(Path()) == root
    assert find_root(Path("models.py")) == root
    assert find_root(Path("gone") / "migrations" / "0001.py") == root

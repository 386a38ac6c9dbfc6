"""What is published: the wheel's content, the version in its places, the pinned tools, the hook."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml

import lint_m2m
from lint_m2m import cli


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree, made by the declared build backend without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """The `[project]` table of pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


def test_wheel_holds_the_package_and_nothing_else(repository: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.startswith("lint_m2m-")]
    source = [
        path.relative_to(repository).as_posix()
        for path in (repository / "lint_m2m").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sorted(names) == sorted(source)
    assert "lint_m2m/py.typed" in names


def test_every_package_has_an_init(repository: Path) -> None:
    """A folder without one would be importable from a checkout and is a trap for tools that look for packages."""
    folders = {path.parent for path in (repository / "lint_m2m").rglob("*.py")}
    assert sorted(str(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_wheel_s_metadata(wheel: Path, project: dict[str, Any]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"lint_m2m-{lint_m2m.__version__}.dist-info"
        metadata = Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
        entry_points = archive.read(f"{folder}/entry_points.txt").decode()
        assert f"{folder}/licenses/LICENSE" in archive.namelist()
    assert metadata["Name"] == "lint-m2m"
    assert metadata["Version"] == lint_m2m.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "lint-m2m = lint_m2m.__main__:run" in entry_points.splitlines()
    required = [name for name in metadata.get_all("Requires-Dist") or [] if "extra ==" not in name]
    assert sorted(required) == sorted(project["dependencies"])


def test_version_is_a_literal(repository: Path) -> None:
    """The build reads it without importing the package."""
    source = (repository / "lint_m2m" / "__init__.py").read_text()
    assert re.findall(r'^__version__(?:: Final)? = "([^"]+)"$', source, re.MULTILINE) == [lint_m2m.__version__]


def test_changelog_starts_with_this_version(repository: Path) -> None:
    headings = re.findall(r"^## (\S+)", (repository / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == lint_m2m.__version__
    assert len(set(headings)) == len(headings)


def test_console_script_and_module_print_the_version() -> None:
    module = subprocess.run(
        [sys.executable, "-m", "lint_m2m", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert module == f"lint-m2m {lint_m2m.__version__}\n"


def test_ruff_is_the_same_everywhere(repository: Path, project: dict[str, Any]) -> None:
    pinned = {
        requirement.removeprefix("ruff==")
        for requirements in project["optional-dependencies"].values()
        for requirement in requirements
        if requirement.startswith("ruff")
    }
    assert len(pinned) == 1
    hooks = (repository / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"ruff-pre-commit\n +rev: v(\S+)", hooks) == [*pinned]


def test_own_hook_installs_what_the_package_needs(repository: Path, project: dict[str, Any]) -> None:
    hooks = (repository / ".pre-commit-config.yaml").read_text()
    (listed,) = re.findall(r"additional_dependencies: \[(.+)\]", hooks)
    assert re.findall(r'"([^"]+)"', listed) == project["dependencies"]


@pytest.mark.parametrize("number", [0, 1])
def test_published_hooks(repository: Path, number: int) -> None:
    """They look at the whole project, when a migration or a file with models has changed."""
    hook = yaml.safe_load((repository / ".pre-commit-hooks.yaml").read_text())[number]
    assert hook["id"] == hook["name"] == ["lint-m2m", "lint-m2m-fix"][number]
    assert hook["pass_filenames"] is False
    program, name, *options = hook["entry"].split()
    assert (program, name) == ("lint-m2m", "check")
    parsed = cli.parser(name).parse_args(options)
    assert (parsed.paths, parsed.fix, parsed.exit_non_zero_on_fix) == ([], bool(number), bool(number))
    selected = [
        path
        for path in (
            "library/migrations/0001_initial.py",
            "migrations/0002_tags.py",
            "src/apps/library/migrations/more/0003_copy.py",
            "library/migrations/__init__.py",
            "library/models.py",
            "models.py",
            "library/models/book.py",
            "library/old_models.py",
            "library/views.py",
            "library/immigrations/0001_initial.py",
            "library/migrations/README.md",
        )
        if re.search(hook["files"], path)
    ]
    assert selected == [
        "library/migrations/0001_initial.py",
        "migrations/0002_tags.py",
        "src/apps/library/migrations/more/0003_copy.py",
        "library/migrations/__init__.py",
        "library/models.py",
        "models.py",
        "library/models/book.py",
    ]

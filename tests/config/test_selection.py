"""Which rules are on, where, and what a glob means."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lint_m2m.config import Config, load, matches, override, read_options, select
from lint_m2m.errors import ConfigurationError, UsageError

CODES = {
    "MTM101": "through-added",
    "MTM102": "through-removed",
    "MTM201": "through-swapped",
    "MTM202": "m2m-recreated",
    "MTM904": "unused-ignore",
}
ROOT = Path("/project")


def enabled(**options: tuple[str, ...]) -> list[str]:
    return sorted(select(Config(**options), CODES, ROOT).enabled)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, list(CODES)),
        ({"select": ("MTM1",)}, ["MTM101", "MTM102"]),
        ({"select": ()}, []),
        ({"ignore": ("MTM",)}, []),
        ({"ignore": ("MTM2", "MTM904")}, ["MTM101", "MTM102"]),
        ({"select": ("MTM2",), "ignore": ("MTM202",)}, ["MTM201"]),
        ({"select": ("MTM202",), "ignore": ("MTM2",)}, ["MTM202"]),
        ({"select": ("MTM202",), "ignore": ("MTM202",)}, []),
        ({"select": ("m2m-recreated", "MTM1"), "ignore": ("through-added",)}, ["MTM102", "MTM202"]),
        (
            {"select": ("MTM2",), "extend_select": ("unused-ignore",), "ignore": ("MTM",)},
            ["MTM201", "MTM202", "MTM904"],
        ),
        ({"select": ("MTM1",), "extend_select": ("MTM904",)}, ["MTM101", "MTM102", "MTM904"]),
        ({"extend_select": ("MTM201",), "ignore": ("MTM2",)}, ["MTM101", "MTM102", "MTM201", "MTM904"]),
    ],
)
def test_longer_code_wins(options: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    assert enabled(**options) == expected


def test_per_file_ignores() -> None:
    config = Config(
        select=("MTM1", "MTM2"),
        per_file_ignores=(("legacy/", ("MTM",)), ("0001_*.py", ("MTM2",)), ("/library/**/0002.py", ("MTM101",))),
    )
    selection = select(config, CODES, ROOT)
    assert not selection.applies("MTM101", "legacy/migrations/0001_initial.py")
    assert not selection.applies("MTM904", "library/migrations/0003.py")
    assert not selection.applies("MTM202", "library/migrations/0001_initial.py")
    assert selection.applies("MTM101", "library/migrations/0001_initial.py")
    assert not selection.applies("MTM101", "library/migrations/0002.py")
    assert selection.applies("MTM102", "library/migrations/0002.py")
    assert selection.applies("MTM101", "other/library/migrations/0002.py")


def test_all_and_everything_but(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lint-m2m]\nselect = ["all"]\nignore = ["MTM904"]\n'
        '[tool.lint-m2m.per-file-ignores]\n"vendored/" = ["ALL"]\n"!/site/library/" = ["MTM2"]\n'
    )
    (tmp_path / "site").mkdir()
    selection = select(load(tmp_path / "site"), CODES, tmp_path / "site")
    assert sorted(selection.enabled) == sorted(CODES)[:-1]
    assert not selection.applies("MTM101", "vendored/migrations/0001.py")
    assert selection.applies("MTM201", "library/migrations/0001.py")
    assert not selection.applies("MTM201", "shop/migrations/0001.py")
    assert selection.applies("MTM101", "shop/migrations/0001.py")


def test_unknown_code_is_named_where_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.lint-m2m]\n\nignore = ["MTM209"]\n')
    with pytest.raises(
        ConfigurationError,
        match=r"^pyproject.toml:3: `ignore` names `MTM209`, and no rule's code begins so; nearest: `MTM20[12]`$",
    ):
        select(load(tmp_path), CODES, tmp_path)
    with pytest.raises(UsageError, match=r"^`--select` names `MTM7`, and no rule's code begins so"):
        select(override(Config(), {"select": ["MTM7"]}), CODES, tmp_path)
    with pytest.raises(ConfigurationError, match=r"^`per-file-ignores` names `MTM3`"):
        select(Config(per_file_ignores=(("a", ("MTM3",)),)), CODES, tmp_path)
    with pytest.raises(
        UsageError, match=r"^`--ignore` names `through-aded`, and no rule is called so; nearest: `through-added`$"
    ):
        select(override(Config(), {"ignore": ["Through-Aded"]}), CODES, tmp_path)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("library", "library/migrations/0001.py", True),
        ("migrations", "library/migrations/0001.py", True),
        ("0001.py", "library/migrations/0001.py", True),
        ("library/", "library/migrations/0001.py", True),
        ("0001.py/", "library/migrations/0001.py", False),
        ("/migrations", "library/migrations/0001.py", False),
        ("library/migrations", "library/migrations/0001.py", True),
        ("migrations/0001.py", "library/migrations/0001.py", False),
        ("**/migrations/0001.py", "library/migrations/0001.py", True),
        ("**/migrations/0001.py", "migrations/0001.py", True),
        ("library/**", "library/migrations/0001.py", True),
        ("library/**/0001.py", "library/0001.py", True),
        ("library/**/0001.py", "library/a/b/0001.py", True),
        ("library/*", "library/migrations/0001.py", True),
        ("*/0001.py", "library/migrations/0001.py", False),
        ("lib*", "library/migrations/0001.py", True),
        ("000?.py", "library/migrations/0001.py", True),
        ("000[1-3].py", "library/migrations/0001.py", True),
        ("000[!1].py", "library/migrations/0001.py", False),
        ("LIBRARY", "library/migrations/0001.py", False),
        ("a.b", "axb", False),
        ("", "library/migrations/0001.py", True),
        ("./library/", "library/migrations/0001.py", True),
        ("./migrations", "library/migrations/0001.py", False),
        ("**", "library/migrations/0001.py", True),
        ("library/**/", "library/migrations/0001.py", True),
        ("library/migrations/**/", "library/migrations/0001.py", False),
        (r"000\1.py", "library/migrations/0001.py", True),
        ("# library", "# library", False),
        ("!library", "library/migrations/0001.py", False),
    ],
)
def test_globs(glob: str, path: str, expected: bool) -> None:
    assert matches(glob, path) is expected


def test_globs_of_a_stranger_take_no_time() -> None:
    start = time.perf_counter()
    for glob in ("*a" * 500 + "b", "**/" * 500 + "b", "**/a/" * 500 + "b", "[" * 1000, "[z-a]", "/" * 1000):
        matches(glob, "a" * 500 + "/a" * 500)
    assert time.perf_counter() - start < 2


def test_globs_relative_to_a_file_above_the_root(tmp_path: Path) -> None:
    """In a repository of several services, the one configuration speaks of `backend/library`."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lint-m2m]\nexclude = ["backend/legacy", "frontend/x"]\n'
        '[tool.lint-m2m.per-file-ignores]\n"backend/library/*" = ["MTM101"]\n"./backend/shop/" = ["MTM102"]\n'
    )
    root = tmp_path / "backend"
    config = load(root)
    assert not select(config, CODES, root).applies("MTM101", "library/migrations/0001.py")
    assert not select(config, CODES, root).applies("MTM102", "shop/migrations/0001.py")
    assert not select(config, CODES, tmp_path).applies("MTM102", "backend/shop/migrations/0001.py")
    assert read_options(config, root).exclude == ("backend/legacy", "/legacy", "frontend/x")
    assert read_options(config, tmp_path).exclude == ("backend/legacy", "frontend/x")


def test_read_options(tmp_path: Path) -> None:
    config = Config(
        migration_modules=(("a", ""),),
        app_labels=(("a", "b"),),
        swappable=(("X", "a.B"),),
        many_to_many_fields=(("a.B", "auto"),),
        operations=(("a.B", "AddField"),),
        database="oracle",
    )
    environment = tmp_path / ".venv"
    packages = environment / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    (environment / "pyvenv.cfg").touch()
    options = read_options(config, tmp_path)
    assert options.source_paths[0] == packages
    assert all(path.is_dir() for path in options.source_paths)
    assert (options.migration_modules, options.app_labels, options.swappable) == (
        config.migration_modules,
        config.app_labels,
        config.swappable,
    )
    assert (options.many_to_many_fields, options.operations, options.database) == (
        config.many_to_many_fields,
        config.operations,
        "oracle",
    )

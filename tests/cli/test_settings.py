"""``lint-m2m check --show-config``: what is in force, and who said so."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.config import OPTIONS, Config, load
from tests.cli.conftest import Run
from tests.cli.projects import library, write

Lint = Callable[..., Run]


def line(output: str, option: str) -> str:
    """The one line about an option."""
    (found,) = [
        one
        for one in output.splitlines()
        if one.startswith((f"{option} = ", f"# {option}:", f"[tool.lint-m2m.{option}]"))
    ]
    return found


def test_defaults(project: Path, lint: Lint) -> None:
    run = lint("--show-config")
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("# 24 of 24 rules run\n[tool.lint-m2m]\n")
    for option in OPTIONS:
        assert line(run.out, option).endswith(("# default", "(default)", "# default: the newest")), option
    assert line(run.out, "select") == 'select = ["MTM"]  # default'
    assert line(run.out, "fail-on") == 'fail-on = "warning"  # default'
    assert line(run.out, "output") == "# output: not set (default)"
    assert line(run.out, "swappable") == "# swappable: empty (default)"
    assert line(run.out, "django-version") == 'django-version = "6.1"  # default: the newest'


def test_where_values_come_from(project: Path, lint: Lint) -> None:
    write(
        project,
        {
            "pyproject.toml": """\
[tool.lint-m2m]
extend-select = ["MTM904"]
ignore = ["MTM402", "MTM2"]
fail-on = "error"
format = ["concise", "json:out/report.json"]

[tool.lint-m2m.swappable]
AUTH_USER_MODEL = "accounts.User"
"""
        },
    )
    run = lint("check", "--show-config", "--fail-on", "info", "--extend-select", "MTM201", "library")
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("# 19 of 24 rules run; not MTM202, MTM203, MTM204, MTM205, MTM402\n")
    assert line(run.out, "ignore") == 'ignore = ["MTM402", "MTM2"]  # pyproject.toml:3'
    assert line(run.out, "fail-on") == 'fail-on = "info"  # command line'
    assert line(run.out, "extend-select") == 'extend-select = ["MTM904", "MTM201"]  # pyproject.toml:2, command line'
    assert line(run.out, "format") == 'format = ["concise", "json:out/report.json"]  # pyproject.toml:5'
    assert '\n[tool.lint-m2m.swappable]  # pyproject.toml:7\nAUTH_USER_MODEL = "accounts.User"\n' in run.out
    assert not (project / "out").exists()
    assert line(lint("--show-config", "--isolated").out, "ignore") == "ignore = []  # default"
    named = write(project, {"other.toml": "[tool.lint-m2m]\nquiet = true\n"}) / "other.toml"
    assert line(lint("--show-config", "--config", str(named)).out, "quiet") == "quiet = true  # other.toml:2"


def test_the_database_of_the_settings(project: Path, lint: Lint) -> None:
    write(
        project,
        {
            "site/settings.py": 'ROOT_URLCONF = "site.urls"\nINSTALLED_APPS = ["library", "shop"]\n'
            'DATABASES = {"default": {"ENGINE": "django.db.backends.mysql"}}\n'
        },
    )
    assert line(lint("--show-config").out, "database") == 'database = "mysql"  # the project\'s settings'
    write(project, {"pyproject.toml": '[tool.lint-m2m]\ndatabase = "sqlite"\n'})
    assert line(lint("--show-config").out, "database") == 'database = "sqlite"  # pyproject.toml:2'


def test_what_is_shown_is_a_configuration(repository: Path, project: Path, lint: Lint) -> None:
    """Every key, and odd characters: what is printed says the same again."""
    page = (repository / "docs" / "configuration.md").read_text()
    table = page.partition("```toml\n")[2].partition("```")[0]
    table = table.replace('"legacy/*"', '"legacy/*", "a\\"b\\\\c\\u007f\\té"').replace(
        "exit-zero = false", "exit-zero = true"
    )
    write(project, {"pyproject.toml": table})
    expected = load(project)
    run = lint("--show-config")
    assert set(tomllib.loads(run.out)["tool"]["lint-m2m"]) == set(OPTIONS)
    write(project, {"pyproject.toml": run.out})
    assert load(project) == expected
    assert expected != Config()


def test_several_projects(tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        library(tmp_path / name)
    (tmp_path / "two" / "pyproject.toml").write_text("[tool.lint-m2m]\nquiet = true\n")
    run = lint("--show-config", "one", "two")
    assert [one for one in run.out.splitlines() if one.startswith(("# the ", "quiet"))] == [
        "# the report over all projects in .",
        "quiet = false  # default",
        "# the project in one",
        "quiet = false  # default",
        "# the project in two",
        "quiet = true  # two/pyproject.toml:2",
    ]


def test_what_has_no_meaning_is_an_error_here_too(project: Path, lint: Lint) -> None:
    for content, problem in (
        (
            'ignore = ["MTM999"]',
            "pyproject.toml:2: `ignore` names `MTM999`, and no rule's code begins so; nearest: `MTM",
        ),
        ('format = "jsn"', "pyproject.toml:2: `format` is `jsn`, but has to be one of"),
    ):
        write(project, {"pyproject.toml": f"[tool.lint-m2m]\n{content}\n"})
        run = lint("--show-config")
        assert (run.status, run.out) == (2, "")
        assert run.err.startswith(f"lint-m2m: error: {problem}")


@pytest.mark.parametrize("arguments", [[], ["--show-config"], ["--format", "json"]])
def test_a_broken_file_is_a_warning(project: Path, lint: Lint, arguments: list[str]) -> None:
    write(project, {"pyproject.toml": "[project\n"})
    run = lint(*arguments)
    assert run.status == (0 if "--show-config" in arguments else 1)
    assert run.err.startswith("lint-m2m: warning: pyproject.toml:1: not valid TOML: ")
    assert run.err.endswith("; no configuration is taken from it\n")
    assert run.err.count("\n") == 1

"""docs/ says what there is: every option of the command line and of the configuration, and no other."""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

import pytest
from django.core.management.base import BaseCommand

from lint_m2m import cli, config, reports
from lint_m2m.management.commands.lint_m2m import Command
from lint_m2m.rules import RULES

# Options that the program reads before any command's parser.
BEFORE_A_COMMAND = {"--version", "-V", "--help", "-h", "--print-completion"}


@pytest.fixture(scope="module")
def configuration(repository: Path) -> str:
    return (repository / "docs" / "configuration.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def table(configuration: str) -> str:
    """The example table of pyproject.toml."""
    (text,) = re.findall(r"^```toml\n(.*?)^```$", configuration, re.MULTILINE | re.DOTALL)
    return text


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def parser_options() -> set[str]:
    return BEFORE_A_COMMAND.union(*(options_of(cli.parser(name)) for name in cli.COMMANDS))


def management_options() -> set[str]:
    """Those of ``manage.py lint_m2m``, Django's own among them."""
    return options_of(Command().create_parser("manage.py", "lint_m2m"))


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w/.=-])--?[a-zA-Z][a-z-]*(?![\w'])", "\n".join(re.findall(r"`[^`\n]+`", text))))


def test_every_option_is_documented_and_no_other(configuration: str) -> None:
    assert options_in(configuration) == parser_options()


@pytest.mark.parametrize("name", ["docs/api.md", "CHANGELOG.md", ".pre-commit-hooks.yaml"])
def test_no_other_page_names_an_option_that_is_not_there(repository: Path, name: str) -> None:
    known = parser_options() | management_options()
    assert options_in((repository / name).read_text(encoding="utf-8")) - known == set()


def test_the_management_command_has_the_options_of_check_and_those_documented(repository: Path) -> None:
    django = options_of(BaseCommand().create_parser("manage.py", "other"))
    check = options_of(cli.parser("check"))
    assert check - management_options() == set()
    text = (repository / "docs" / "django.md").read_text(encoding="utf-8")
    assert options_in(text) - parser_options() - management_options() == set()
    assert management_options() - check - django - {"-v"} <= options_in(text)


def test_every_command_is_documented_and_no_other(configuration: str) -> None:
    commands = re.findall(r"^    lint-m2m \[?(\w+)\]?", configuration, re.MULTILINE)
    assert commands == list(cli.COMMANDS)


def test_every_format_is_documented_and_no_other(configuration: str) -> None:
    (row,) = re.findall(r"^\| `--format FORMAT` .*$", configuration, re.MULTILINE)
    assert re.findall(r"`(\w+)`:", row) == list(reports.FORMATS)


def test_the_example_table_is_valid_and_has_every_key(table: str, tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(table)
    read = config.read(file)
    assert {name for name, _ in read.origins} == set(config.OPTIONS)
    assert read.django_version == (5, 2)
    assert list(tomllib.loads(table)["tool"]) == ["lint-m2m"]


def test_every_rule_code_that_is_mentioned_exists(repository: Path) -> None:
    codes = {rule.code for rule in RULES}
    pages = [repository / "README.md", repository / "CHANGELOG.md", *(repository / "docs").glob("*.md")]
    unknown = {
        f"{page.name}: {code}"
        for page in pages
        for code in re.findall(r"\bMTM\d{3}\b", page.read_text(encoding="utf-8"))
        if code not in codes
    }
    assert unknown == set()

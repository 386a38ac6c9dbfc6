"""``lint-m2m explain [CODE]``: a rule's documentation, which is its module's docstring; without CODE the list."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from lint_m2m.cli.streams import encoding_of, say, wants_colour, width_of
from lint_m2m.config import COLORS, require_one_of
from lint_m2m.errors import UsageError
from lint_m2m.reports.text import escape, prose

if TYPE_CHECKING:
    from lint_m2m.rules.base import Rule


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", nargs="?", help="a rule's code or name (default: the list of rules)")
    parser.add_argument("--color", metavar="WHEN", default="auto", help="auto (default), always or never")


def run(arguments: argparse.Namespace) -> int:
    """Print the text and return 0. UsageError for a code that is none."""
    from lint_m2m.rules import RULES

    require_one_of("color", arguments.color, COLORS)
    colour = wants_colour(arguments.color, sys.stdout)
    if arguments.code is None:
        say(_list(RULES))
    else:
        say(_document(_rule(arguments.code, RULES), colour))
    return 0


def _rule(wanted: str, rules: tuple[type[Rule], ...]) -> type[Rule]:
    for rule in rules:
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return rule
    from difflib import get_close_matches

    names = [rule.code for rule in rules] + [rule.name for rule in rules]
    close = get_close_matches(wanted.upper(), names, n=1) or get_close_matches(wanted.lower(), names, n=1)
    hint = f"; nearest: `{close[0]}`" if close else "; `lint-m2m explain` lists them"
    raise UsageError(f"there is no rule `{wanted}`{hint}")


def _list(rules: tuple[type[Rule], ...]) -> str:
    """A table: code, name, severity, and the first line of the documentation."""
    from lint_m2m.rules.base import documentation

    rows = [(rule.code, rule.name, rule.severity.value, documentation(rule).partition("\n")[0]) for rule in rules]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    encoding = encoding_of(sys.stdout)
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), prose(row[3], encoding)])
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


def _document(rule: type[Rule], colour: bool) -> str:
    from lint_m2m.rules.base import documentation

    text = documentation(rule)
    encoding = encoding_of(sys.stdout)
    # Markdown has bullets and lines; a stream that cannot carry them gets the text as it is.
    if colour and escape("•─", encoding) == "•─":
        from lint_m2m.reports.style import markdown

        return markdown(f"# {rule.code} {rule.name} ({rule.severity.value})\n\n{text}", width_of(sys.stdout))
    lines = [f"{rule.code} {rule.name} ({rule.severity.value})", "", *text.split("\n")]
    return "".join(f"{prose(line, encoding)}\n" for line in lines)

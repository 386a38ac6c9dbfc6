"""``lint-m2m --print-completion SHELL``: a script that lets a shell complete lint-m2m's command line.

shtab writes it from the argument parsers. What an argument may be is told from the word that its help shows for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import Final

from lint_m2m.cli import COMMANDS, check, parser
from lint_m2m.cli.streams import say_bytes
from lint_m2m.config import COLORS, listed, nearest
from lint_m2m.errors import LintM2MError, UsageError
from lint_m2m.finding import Severity

OPTION: Final = "--print-completion"
SHELLS: Final = ("bash", "zsh", "fish")


def run(arguments: Sequence[str]) -> int:
    """Print the script for the shell that `arguments` name and return 0.

    Raises UsageError for another one, LintM2MError without the library.
    """
    name, separator, value = " ".join(arguments).partition("=" if "=" in arguments[0] else " ")
    assert name == OPTION
    if not separator or not value:
        raise UsageError(f"`{OPTION}` wants a shell: {listed(SHELLS)}")
    if value not in SHELLS:
        raise UsageError(f"`{OPTION}` is `{value}`, but has to be one of {listed(SHELLS)}{nearest(value, SHELLS)}")
    say_bytes(script(value))
    return 0


def script(shell: str) -> str:
    """What `shell`, one of `SHELLS`, has to read."""
    try:
        import shtab
    except ImportError:
        raise LintM2MError(f"`{OPTION}` needs the package shtab: pip install 'lint-m2m[completion]'") from None
    text = shtab.complete(_parser(), shell)
    # The default command takes a path where a command may stand.
    if shell == "bash":
        return text.replace("complete -o bashdefault -F", "complete -o bashdefault -o default -F")
    if shell == "zsh":
        commands = "  _describe 'lint-m2m commands' _commands\n"
        return text.replace(commands, f"{commands}  _files\n")
    return f"{text}\ncomplete -c lint-m2m -n __fish_use_subcommand -ka '(__fish_complete_path (commandline -ct))'\n"


def _parser() -> argparse.ArgumentParser:
    """All commands in one parser; the options of the default one stand without it, too."""
    made = argparse.ArgumentParser(prog="lint-m2m", add_help=False)
    made.add_argument("-h", "--help", action="store_true", help="show the commands")
    made.add_argument("-V", "--version", action="store_true", help="show the version")
    made.add_argument(OPTION, choices=SHELLS, help="print a script that completes the command line")
    check.add_options(made, verbose=("-v", "--verbose"))
    _describe(made, "check")
    commands = made.add_subparsers(metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        command = parser(name)
        _describe(command, name)
        commands.add_parser(name, help=purpose, parents=[command], add_help=False)
    return made


def _describe(made: argparse.ArgumentParser, command: str) -> None:
    """Say what the arguments may be: for the script, not for parsing."""
    import shtab

    for action in made._actions:
        word = action.metavar if isinstance(action.metavar, str) else ""
        if word in ("FILE", "PATH"):
            vars(action)["complete"] = shtab.FILE
        elif word == "DIR":
            vars(action)["complete"] = shtab.DIRECTORY
        elif word in WORDS and action.choices is None:
            action.choices = list(WORDS[word](command))


def _codes(_: str) -> Collection[str]:
    from lint_m2m.rules import RULES

    return [rule.code for rule in RULES]


def _formats(command: str) -> Collection[str]:
    from lint_m2m import reports

    found: Collection[str] = getattr(import_module(f"lint_m2m.cli.{command}"), "FORMATS", reports.FORMATS)
    return found


def _sequences(_: str) -> Collection[str]:
    from lint_m2m.sequences.offers import sequence_ids

    return sequence_ids()


# Not git's names: bash and zsh expand what they complete from, and a stranger's branch may be called anything.
# The word in the help -> what may stand there, for a command.
WORDS: Final[dict[str, Callable[[str], Collection[str]]]] = {
    "CODE": _codes,
    "CODES": _codes,
    "FORMAT": _formats,
    "ID": _sequences,
    "SEVERITY": lambda _: [severity.value for severity in Severity],
    "WHEN": lambda _: COLORS,
}

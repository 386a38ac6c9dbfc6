"""The command line: which command, and what happens to its errors.

A command is a module of this package with ``add_arguments(parser)`` and ``run(arguments) -> int``, and one line in
`COMMANDS`. Everything is imported when it is needed: ``--version`` loads next to nothing.
"""

from __future__ import annotations

import sys

from lint_m2m import __version__

# Not typing's: importing that would double what ``--version`` costs. Type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import NoReturn

EXIT_CANNOT = 2
EXIT_INTERRUPTED = 130

# Name (of the module, too) -> what it is for. The first one runs when none is named.
COMMANDS: dict[str, str] = {
    "check": "report many-to-many changes that fail, lose rows or disagree (the default)",
    "plan": "show the safe sequences for a many-to-many change that nobody has made yet",
    "prove": "run the proposed sequences with real Django, in a database of their own",
    "explain": "print a rule's documentation, or the list of rules",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default: `sys.argv`) and return its exit status.

    0: nothing to complain of; 1: findings; 2: could not check, the reason is on stderr; 130: interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments in (["--version"], ["-V"]):
            print(f"lint-m2m {__version__}", flush=True)  # noqa: T201
            return 0
        return _without_collector(arguments)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        from lint_m2m.cli.streams import abandon_stdout

        abandon_stdout()
        return 0


def _without_collector(arguments: list[str]) -> int:
    """`_run` while Python's collector of cycles rests.

    It would go through everything that was read again and again, and find little: nearly all of it stays until the end,
    or goes without the collector's help.
    """
    import gc

    collecting = gc.isenabled()
    gc.disable()
    try:
        return _run(arguments)
    finally:
        if collecting:
            gc.enable()


def _run(arguments: list[str]) -> int:
    from lint_m2m.cli.streams import complain
    from lint_m2m.errors import LintM2MError, UsageError

    name, parsed = next(iter(COMMANDS)), None
    try:
        if arguments and arguments[0] in ("-h", "--help"):
            from lint_m2m.cli.streams import say

            say(_overview())
            return 0
        if arguments and arguments[0].partition("=")[0] == "--print-completion":
            from lint_m2m.cli import completion

            name = ""
            return completion.run(arguments)
        if arguments and arguments[0] in COMMANDS:
            name = arguments.pop(0)
        from importlib import import_module

        command = import_module(f"{__name__}.{name}")
        parsed = _parse(parser(name), arguments)
        if parsed is None:
            return 0
        status: int = command.run(parsed)
        return status
    except UsageError as error:
        complain(f"error: {error}\ntry `{' '.join(filter(None, ('lint-m2m', name, '--help')))}`")
        return EXIT_CANNOT
    except LintM2MError as error:
        complain(f"error: {error}")
        return EXIT_CANNOT
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and _is_of_the_system(error):
            from lint_m2m.errors import reason_of

            complain(f"error: {f'{error.filename}: ' if error.filename else ''}{reason_of(error)}")
            return EXIT_CANNOT
        if getattr(parsed, "verbose", False):
            import traceback

            complain(traceback.format_exc())
        complain(
            f"internal error: {type(error).__name__}: {error}\nplease report it; `--verbose` shows where it came from"
        )
        return EXIT_CANNOT


def _is_of_the_system(error: OSError) -> bool:
    """Whether the system has run out of something, or breaks down: nobody has to be told of that but the user."""
    import errno

    wanting = (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EIO,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
    )
    return error.errno in wanting


def parser(name: str) -> argparse.ArgumentParser:
    """The argument parser of one command."""
    import argparse
    from functools import partial
    from importlib import import_module

    from lint_m2m.errors import UsageError

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(message.replace("'", "`"))

    made = Parser(prog=f"lint-m2m {name}", description=_sentence(COMMANDS[name]), add_help=False, allow_abbrev=False)
    # argparse tries how each argument would look in a help text, and would ask for the terminal's width each time.
    made.formatter_class = partial(argparse.HelpFormatter, width=80)
    made.add_argument("-h", "--help", action="store_true", help="show this help")
    import_module(f"{__name__}.{name}").add_arguments(made)
    made.formatter_class = argparse.HelpFormatter
    return made


def available() -> frozenset[str]:
    """Commands ("explain") and options ("check --verbose") that there are, for texts that refer to them."""
    options = {
        f"{name} {option}" for name in COMMANDS for action in parser(name)._actions for option in action.option_strings
    }
    return frozenset(COMMANDS) | options


def _parse(made: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace | None:
    """The parsed arguments; ``None`` when help was asked for, and given. Raises UsageError."""
    from lint_m2m.cli.streams import say
    from lint_m2m.errors import UsageError

    # Options and paths may come in any order; argparse alone takes paths in one place only.
    if any(argument in ("-h", "--help") for argument in arguments[: _end_of_options(arguments)]):
        say(made.format_help())
        return None
    end = _end_of_options(arguments)
    # That method of argparse takes what follows "--" for options all the same.
    paths = [f"./{argument}" if argument.startswith("-") else argument for argument in arguments[end + 1 :]]
    # It would be written out for errors, and ours do not have it.
    made.usage = made.prog
    parsed, unknown = made.parse_known_intermixed_args([*arguments[:end], *paths])
    if unknown:
        from difflib import get_close_matches

        known = [option for action in made._actions for option in action.option_strings]
        close = get_close_matches(unknown[0].partition("=")[0], known, n=1)
        what = "unknown option" if unknown[0].startswith("-") else "one argument too many:"
        raise UsageError(f"{what} `{unknown[0]}`" + (f"; nearest: `{close[0]}`" if close else ""))
    return parsed


def _end_of_options(arguments: list[str]) -> int:
    return arguments.index("--") if "--" in arguments else len(arguments)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {purpose}" for name, purpose in COMMANDS.items())
    return f"""usage: lint-m2m [check] [PATH ...] [options]
       lint-m2m COMMAND [options]

Finds the Django migrations that fail, lose link rows or part from the database when a many-to-many field changes.

commands:
{lines}

`lint-m2m COMMAND --help` describes a command's options; `lint-m2m --version` prints the version;
`lint-m2m --print-completion SHELL` prints what bash, zsh or fish need to complete the command line.
Exit status: 0 nothing found, 1 findings, 2 could not check, 130 interrupted.
"""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."

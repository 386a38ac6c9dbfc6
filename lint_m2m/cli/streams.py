"""stdout, stderr and output files: what a stream can carry, and how a text gets there whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from lint_m2m.errors import LintM2MError, UsageError, reason_of
from lint_m2m.interrupts import interrupts_wait, interrupts_wait_a_moment

DEFAULT_WIDTH = 80
# Below, frames cannot be drawn; above, nobody reads prose.
MIN_WIDTH, MAX_WIDTH = 40, 140


def encoding_of(stream: TextIO) -> str:
    """What characters the stream can carry."""
    return getattr(stream, "encoding", None) or "utf-8"


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no file, or a closed one
        return False


def width_of(stream: TextIO) -> int:
    """Columns: of the terminal, else of the variable COLUMNS, else 80: a pipe gets the same bytes everywhere."""
    if is_terminal(stream):
        from shutil import get_terminal_size

        columns = get_terminal_size((DEFAULT_WIDTH, 24)).columns
    else:
        given = os.environ.get("COLUMNS", "")
        columns = int(given) if given.isdecimal() and len(given) < 6 and int(given) else DEFAULT_WIDTH
    return min(max(columns, MIN_WIDTH), MAX_WIDTH)


def wants_colour(choice: str, stream: TextIO | None) -> bool:
    """Whether to use colours: `choice` is "always", "never" or "auto"; `stream` is ``None`` for a file.

    "auto" follows NO_COLOR (no-color.org), then FORCE_COLOR (force-color.org), then whether it is a terminal.
    """
    if choice != "auto":
        return choice == "always"
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb" and _understands_colours()


def _understands_colours() -> bool:
    if os.name != "nt":
        return True
    from lint_m2m.reports.style import windows_terminal_has_colours

    return windows_terminal_has_colours()


def say(text: str) -> None:
    """A text that is already fit for the stream, to stdout. Whoever closed it, or the pipe, wants no more: no error."""
    if sys.stdout is None:
        return
    if hasattr(sys.stdout, "buffer") and os.linesep == "\n":
        say_raw(text.encode(encoding_of(sys.stdout), getattr(sys.stdout, "errors", None) or "strict"))
        return
    with _written_whole():
        sys.stdout.write(text)
        sys.stdout.flush()


def say_bytes(text: str) -> None:
    """A machine format to stdout: UTF-8 and "\n" whatever the locale."""
    say_raw(text.encode("utf-8"))


def say_raw(data: bytes) -> None:
    """Bytes to stdout as they are."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        say(data.decode("utf-8", "backslashreplace"))
        return
    with _written_whole():
        sys.stdout.flush()
        left = memoryview(data)
        while left:
            # A signal within makes it take a part of large data, and say how much.
            left = left[buffer.write(left) :]
        buffer.flush()


@contextmanager
def _written_whole() -> Iterator[None]:
    """While stdout is written to: Ctrl-C waits a moment for it, a pipe that nobody reads is left alone."""
    try:
        with interrupts_wait_a_moment():
            yield
    except BrokenPipeError:
        abandon_stdout()
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> LintM2MError:
    """A full disk behind stdout, say; what could not be written must not be tried again at the interpreter's end."""
    abandon_stdout()
    return LintM2MError(f"the report cannot be written: {reason_of(error)}")


def complain(text: str) -> None:
    """Lines for people, to stderr. Text from files may be in them, so they are escaped."""
    from lint_m2m.reports.text import prose

    stream = sys.stderr
    # A program may have been started without a stderr, or it may be closed by now.
    with suppress(OSError, ValueError, AttributeError):
        encoding = encoding_of(stream)
        for number, line in enumerate(text.rstrip("\n").split("\n")):
            stream.write(f"{'lint-m2m: ' if number == 0 else '  '}{_no_command(prose(line, encoding))}\n")
        stream.flush()


def _no_command(line: str) -> str:
    """A line that GitHub's runner, which reads stderr as well, takes for no command.

    It looks for "::" at the start, blanks apart, and for "##[" anywhere (actions/runner, ActionCommand.cs).
    """
    shown = line.replace("##[", "##\\[")
    return f"\\{shown}" if shown.lstrip().startswith("::") else shown


def abandon_stdout() -> None:
    """After a closed pipe: keep the interpreter from complaining when it flushes stdout at its end."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(path: str, text: str) -> None:
    """Put UTF-8 text into a file: a reader sees the old content or the new one, never a part.

    Links are followed, the mode of an existing file is kept, and one that is read-only stays as it is; a device or a
    pipe is written to as it is. UsageError if it cannot be written.
    """
    from lint_m2m.writing import replace

    data = text.encode("utf-8")
    try:
        # Not by the real path: "/dev/stdout" leads to what only looks like one.
        if _is_stream(path):
            with suppress(BrokenPipeError), open(path, "wb") as stream:
                stream.write(data)
        else:
            with interrupts_wait():
                replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {reason_of(error)}") from None
    except ValueError as error:  # a NUL in the name
        raise UsageError(f"`{path}` cannot be written: {error}") from None


def _is_stream(path: str) -> bool:
    """Whether there is something that is no file, but can be written to."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)

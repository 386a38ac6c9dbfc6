"""Errors that mean "could not check" (exit status 2). They are raised anywhere and caught once, at the entry points."""

from __future__ import annotations

from pathlib import Path


class LintM2MError(Exception):
    """Base of all of them: a message for the user, and where it happened if that is known.

    Picklable: worker processes raise it too.
    """

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None) -> None:
        super().__init__(message, path, line)
        self.message = message
        self.path = path
        self.line = line

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.path, self.line)

    def __str__(self) -> str:
        if self.path is None:
            return self.message
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.message}"


class UsageError(LintM2MError):
    """A command line, or an argument of the Python API, that cannot be followed."""


class ConfigurationError(LintM2MError):
    """A configuration file that cannot be read, or says something that has no meaning."""


class NoMigrationsError(LintM2MError):
    """There is nothing to check below the paths given."""


class ReadError(LintM2MError):
    """A folder or file that has to be read cannot be (a migration file that cannot be read is a finding instead)."""


class ChangesError(LintM2MError):
    """What has changed cannot be told: no git, no repository, no such commit, or not enough of its history."""


def shown_path(file: Path) -> str:
    """The path of an error, as somebody in the current folder would write it."""
    try:
        return file.absolute().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return str(file)


def reason_of(error: OSError | ValueError) -> str:
    """Why a file cannot be used, in the words of the system or of Python, as the end of a message."""
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or str(error)).lower()


def _rebuild(kind: type[LintM2MError], message: str, path: str | None, line: int | None) -> LintM2MError:
    return kind(message, path=path, line=line)

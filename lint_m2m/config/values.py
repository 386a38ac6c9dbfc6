"""The configuration as a value."""

from __future__ import annotations

import enum
from pathlib import Path

from lint_m2m.finding import Severity
from lint_m2m.values import NamedTuple, declare, frozen


class Source(enum.Enum):
    """Who set an option."""

    DEFAULT = "default"
    FILE = "file"
    COMMAND_LINE = "command line"


class Origin(NamedTuple):
    """Who set an option, and for a file where: `path` as the user would write it, the 1-based line if it was found.

    The command line with a `path` has added to what the file says.
    """

    source: Source
    path: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.path is None:
            return self.source.value
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return place if self.source is Source.FILE else f"{place}, {self.source.value}"


_DEFAULT = Origin(Source.DEFAULT)


@frozen
class Config:
    """Everything that can be configured; an attribute is the option's name with underscores.

    `select`, `extend_select` and `ignore` are codes or their beginnings ("MTM101", "MTM1"); the longer one wins, and
    `ignore` wins over `select` of the same length. `format` holds names of formats, each perhaps with the file it goes
    to ("sarif:report.sarif"). Tables are pairs, sorted, so that the value hashes. `folder` is that of the configuration
    file: globs, `output`, `baseline`, `cache_dir` and the files of `format` may be relative to it. `searched`: the
    file was to be the nearest one, whichever that is. `warnings` are about files that might have been meant to say
    something.
    """

    select: tuple[str, ...] = ("MTM",)
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    baseline: str | None = None
    cache_dir: str | None = None
    no_cache: bool = False
    fail_on: Severity = Severity.WARNING
    exit_zero: bool = False
    format: tuple[str, ...] = ("full",)
    output: str | None = None
    statistics: bool = False
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    exclude: tuple[str, ...] = ()
    migration_modules: tuple[tuple[str, str], ...] = ()
    app_labels: tuple[tuple[str, str], ...] = ()
    swappable: tuple[tuple[str, str], ...] = ()
    many_to_many_fields: tuple[tuple[str, str], ...] = ()
    operations: tuple[tuple[str, str], ...] = ()
    # What the project runs on; None: the newest Django, and the database that the project's settings name.
    django_version: tuple[int, int] | None = None
    database: str | None = None
    folder: Path | None = None
    searched: bool = declare(default=False, compare=False)
    origins: tuple[tuple[str, Origin], ...] = declare(default=(), compare=False)
    warnings: tuple[str, ...] = declare(default=(), compare=False)

    def origin(self, option: str) -> Origin:
        """Who set `option` (its name with dashes)."""
        return next((origin for name, origin in self.origins if name == option), _DEFAULT)


def attribute_of(option: str) -> str:
    """The attribute of `Config` for an option's name."""
    return option.replace("-", "_")

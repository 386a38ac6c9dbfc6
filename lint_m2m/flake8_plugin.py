"""The flake8 plugin: the findings of the file that flake8 hands over, among flake8's own.

flake8 calls it for each file. What cannot be a migration is told from its folder's name and its top level, and nothing
of lint-m2m is imported for it. For the first file that can be one, the whole project is checked, once a process; its
findings then come file by file. Everything that means "could not check" becomes flake8's own `ExecutionError`, which it
prints and ends with, also out of a worker process.

The interface is that of flake8 6 and 7: https://flake8.pycqa.org/en/latest/plugin-development/
"""

from __future__ import annotations

import ast
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from lint_m2m import __version__

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flake8.exceptions import ExecutionError
    from flake8.options.manager import OptionManager

    from lint_m2m.config import Config
    from lint_m2m.finding import Finding

MIGRATIONS: Final = "migrations"
# What every migration module defines, wherever MIGRATION_MODULES has put it.
_CLASS: Final = "Migration"
_PREFIX: Final = "lint-m2m-"
# Option of the configuration, and its help here; `min-severity` is flake8's alone and takes what `fail-on` takes.
_VALUES: Final = {
    "django-version": "the project's Django, such as 5.2 (default: the configuration's, else the newest)",
    "database": "the project's database: postgresql, mysql, sqlite or oracle (default: the configuration's)",
}
_MIN_SEVERITY: Final = "min-severity"


class Settings(NamedTuple):
    """What flake8's options say. `values` are those of our configuration's options that were given."""

    config: str | None = None
    isolated: bool = False
    values: tuple[tuple[str, str], ...] = ()
    min_severity: str = "info"
    noqa: bool = True
    stdin: str | None = None  # the name that the text on standard input goes by


class Plugin:
    """What flake8 makes for each file."""

    name: ClassVar[str] = "lint-m2m"
    version: ClassVar[str] = __version__
    settings: ClassVar[Settings] = Settings()

    def __init__(self, tree: ast.Module, filename: str, lines: Sequence[str]) -> None:
        self._tree = tree
        self._filename = filename
        self._lines = lines

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Our options, on the command line and in setup.cfg, tox.ini and .flake8."""
        manager.add_option(
            f"--{_PREFIX}config",
            metavar="FILE",
            parse_from_config=True,
            normalize_paths=True,
            help="read [tool.lint-m2m] from this file (default: the nearest pyproject.toml that has it)",
        )
        manager.add_option(
            f"--{_PREFIX}isolated",
            action="store_true",
            parse_from_config=True,
            help="read no [tool.lint-m2m] at all (flake8 does not tell its plugins of its own --isolated)",
        )
        for option, text in _VALUES.items():
            manager.add_option(
                f"--{_PREFIX}{option}", metavar=option.rpartition("-")[2].upper(), parse_from_config=True, help=text
            )
        manager.add_option(
            f"--{_PREFIX}{_MIN_SEVERITY}",
            metavar="SEVERITY",
            default="info",
            parse_from_config=True,
            help="leave out findings below this severity: info (default), warning, error",
        )

    @classmethod
    def parse_options(cls, manager: OptionManager, options: argparse.Namespace, arguments: Sequence[str]) -> None:
        """Take note of the options: once a run, and once more in a worker process that did not inherit them.

        Raises ExecutionError for a value that has no meaning.
        """
        given = vars(options)
        values = {option: given[f"{_PREFIX}{option}".replace("-", "_")] for option in _VALUES}
        cls.settings = Settings(
            config=given["lint_m2m_config"],
            isolated=given["lint_m2m_isolated"],
            values=tuple((option, value) for option, value in values.items() if value is not None),
            min_severity=given["lint_m2m_min_severity"],
            noqa=not options.disable_noqa,
            stdin=options.stdin_display_name if "-" in options.filenames else None,
        )
        if cls.settings.config is not None and cls.settings.isolated:
            raise _failure(f"`--{_PREFIX}config` and `--{_PREFIX}isolated` exclude each other")
        for option, value in (*cls.settings.values, (_MIN_SEVERITY, cls.settings.min_severity)):
            if value != "info":
                _parsed(option, value)
        # One process may run flake8 more than once, and files change in between.
        _PROJECTS.clear()

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """(1-based line, 0-based column, "CODE message", this class) for each finding of the file."""
        if not (self._filename.endswith(".py") and may_be_migration(self._filename, self._tree)):
            return
        settings = type(self).settings
        text = "".join(self._lines) if self._filename == settings.stdin else None
        for line, column, message in _found(os.path.abspath(self._filename), text, settings):
            yield line, column, message, type(self)


def may_be_migration(filename: str, tree: ast.Module) -> bool:
    """Whether there may be findings in a file: it lies in a folder called migrations, or defines a `Migration`."""
    return os.path.basename(os.path.dirname(os.path.abspath(filename))) == MIGRATIONS or _defines(tree.body)


def _defines(body: Iterable[ast.stmt]) -> bool:
    for statement in body:
        match statement:
            case ast.ClassDef(name=name):
                found = name == _CLASS
            case ast.ImportFrom(names=names):
                found = any((alias.asname or alias.name) == _CLASS for alias in names)
            case ast.Assign(targets=targets):
                found = any(isinstance(target, ast.Name) and target.id == _CLASS for target in targets)
            case ast.If(body=inner, orelse=other):
                found = _defines(inner) or _defines(other)
            case ast.Try(body=inner, handlers=handlers):
                found = _defines(inner) or any(_defines(handler.body) for handler in handlers)
            case _:
                found = False
        if found:
            return True
    return False


class _Line(NamedTuple):
    line: int
    column: int
    message: str


# Path relative to the root -> what flake8 is told about that file.
_Lines = dict[str, list[_Line]]
# By root, and the file whose text is not that on disk; as long as the settings are the same.
_PROJECTS: Final[dict[tuple[Path, tuple[str, str] | None], _Lines]] = {}


def _found(file: str, text: str | None, settings: Settings) -> Sequence[_Line]:
    """What to say of a file (an absolute path). `text` counts instead of what it holds on disk."""
    from lint_m2m.errors import LintM2MError

    try:
        root = _root(Path(file))
        key = root, None if text is None else (file, text)
        if key not in _PROJECTS:
            _PROJECTS[key] = _checked(root, settings, {} if text is None else {file: text})
        lines = _PROJECTS[key]
    except LintM2MError as error:
        raise _failure(str(error)) from None
    except Exception as error:
        raise _failure(f"internal error: {type(error).__name__}: {error}; please report it") from error
    names = dict.fromkeys(
        os.path.relpath(shown, base).replace(os.sep, "/")
        for shown, base in ((file, root), (os.path.realpath(file), os.path.realpath(root)))
    )
    return [line for name in names for line in lines.get(name, ())]


def _root(file: Path) -> Path:
    """The root of the project that a file belongs to.

    Where it lies below the current folder that is the root that ``lint-m2m`` has there; only in a folder that is in no
    project, such as one that holds several, the file's own comes first.
    """
    from lint_m2m.roots import find_root, marked_root

    here = Path.cwd()
    if not file.is_relative_to(here):
        return find_root(file.parent)
    return marked_root(here) or marked_root(file.parent) or here


def _configured(root: Path, settings: Settings) -> Config:
    """The configuration of a project, flake8's options above it. Raises ConfigurationError, ExecutionError."""
    from lint_m2m.config import attribute_of, load
    from lint_m2m.values import replace

    config = load(root, file=None if settings.config is None else Path(settings.config), isolated=settings.isolated)
    given: dict[str, Any] = {attribute_of(option): _parsed(option, value) for option, value in settings.values}
    return replace(config, **given)


def _parsed(option: str, value: str) -> object:
    """A value of one of our options; ExecutionError for one that has no meaning."""
    from lint_m2m.config import OPTIONS, Mismatch

    try:
        return OPTIONS["fail-on" if option == _MIN_SEVERITY else option].parse(value)
    except Mismatch as mismatch:
        raise _failure(f"`--{_PREFIX}{option}` {mismatch.problem}") from None


def _checked(root: Path, settings: Settings, texts: dict[str, str]) -> _Lines:
    """The check of a whole project; `texts` count instead of files. Raises LintM2MError, ExecutionError."""
    from lint_m2m import engine
    from lint_m2m.cli.streams import complain
    from lint_m2m.errors import NoMigrationsError
    from lint_m2m.finding import Severity

    config = _configured(root, settings)
    overlay = {Path(file): _encoded(text) for file, text in texts.items() if os.path.isdir(os.path.dirname(file))}
    try:
        outcome = engine.run([root], lambda _: config, overlay=overlay, noqa=settings.noqa)
    except NoMigrationsError:  # a folder called migrations may be somebody else's
        return {}
    for warning in outcome.report.warnings:
        complain(f"warning: {warning}")
    least = Severity(settings.min_severity)
    found: _Lines = {}
    asked = cache(lambda path: _parses(outcome.report.root / path, overlay))
    for finding in outcome.report.findings:
        if finding.severity.rank >= least.rank:
            path, line = _placed(finding, outcome.migrations, asked)
            found.setdefault(path, []).append(line)
    return found


def _placed(finding: Finding, migrations: Iterable[str], asked: Callable[[str], bool]) -> tuple[str, _Line]:
    """The file where flake8 is told of a finding, and what.

    That is the finding's own, unless flake8 does not ask us about that one: it is no file, or does not parse. Then it
    is the nearest of `migrations` that flake8 does ask about (`asked`), the first one in its folder.
    """
    from posixpath import commonpath

    from lint_m2m.reports.text import prose

    span, message = finding.span, prose(finding.message)
    if asked(finding.path):
        return finding.path, _Line(span.line, span.column - 1, f"{finding.code} {message}")

    def far(path: str) -> tuple[int, str]:
        return -len(commonpath([finding.path, path])), path

    near = next(filter(asked, sorted(migrations, key=far)), finding.path)
    return near, _Line(1, 0, f"{finding.code} {prose(finding.path)}:{span.line}:{span.column}: {message}")


def _parses(file: Path, overlay: dict[Path, bytes]) -> bool:
    """Whether flake8 gets as far as its plugins with a file, and whether we then look at it."""
    from lint_m2m.readers.files import text_of
    from lint_m2m.readers.source import SourceError, parse, read_source

    try:
        tree = parse(text_of(read_source(file, overlay)))
    except SourceError:
        return False
    return file.suffix == ".py" and may_be_migration(str(file), tree)


def _encoded(text: str) -> bytes:
    """The bytes of a file that holds `text`, by its own encoding comment."""
    from tokenize import detect_encoding

    lines = iter(text.encode("utf-8", "surrogateescape").splitlines(keepends=True))
    try:
        encoding, _ = detect_encoding(lambda: next(lines, b""))
        return text.encode(encoding)
    except (SyntaxError, LookupError, ValueError):
        return text.encode("utf-8", "surrogateescape")


def _failure(message: str) -> ExecutionError:
    from flake8.exceptions import ExecutionError

    return ExecutionError(f"lint-m2m: {message}")

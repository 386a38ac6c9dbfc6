"""From pyproject.toml and the command line to a `Config`; the command line wins, then the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from lint_m2m.config.options import COMMAND_LINE_ONLY, OPTIONS, Mismatch, listed, nearest, shortened
from lint_m2m.config.values import Config, Origin, Source, attribute_of
from lint_m2m.errors import ConfigurationError, UsageError, reason_of, shown_path
from lint_m2m.readers.source import SourceError, read_regular
from lint_m2m.values import replace

FILE_NAME: Final = "pyproject.toml"
TABLE: Final = ("tool", "lint-m2m")
# A configuration has a few kilobytes; a parser is not for what somebody put there instead.
MAX_BYTES: Final = 512 * 1024
# What `tomllib` makes of a key with so many dots takes the square of their number.
MAX_PARTS: Final = 100
# Beyond, a list helps nobody.
MOST_NAMED: Final = 3


def load(
    root: Path,
    *,
    file: Path | None = None,
    isolated: bool = False,
    command_line: Mapping[str, object] | None = None,
) -> Config:
    """The configuration for a project.

    `file` is what ``--config`` names; without it, the nearest pyproject.toml from `root` upward that has a
    ``[tool.lint-m2m]`` table counts, up to the repository's top; one that is no TOML and does not speak of lint-m2m is
    passed by with a warning. `isolated`: no file at all. `command_line` has raw values by option name (strings, lists
    of strings, true).

    Raises ConfigurationError for a file that cannot be read or says something that has no meaning, UsageError for the
    same on the command line.
    """
    if file is not None and isolated:
        raise UsageError("`--config` and `--isolated` exclude each other")
    config = Config()
    if file is not None:
        config = read(file)
    elif not isolated:
        config = _found(root)
    return override(config, command_line or {})


def read(file: Path) -> Config:
    """The configuration of one file that has to have the table."""
    config = _read(file, required=True, warnings=[])
    assert config is not None
    return config


def override(config: Config, values: Mapping[str, object]) -> Config:
    """`config` with raw values from the command line.

    ``--extend-select`` adds to what the file says, and ``--select`` sets it aside as a whole, `extend-select` included;
    of ``--quiet`` and ``--verbose``, which exclude each other, one sets the other aside.
    Raises UsageError.
    """
    origin = Origin(Source.COMMAND_LINE)
    parsed: dict[str, Any] = {}
    for option, value in values.items():
        try:
            parsed[option] = OPTIONS[option].parse(value)
        except Mismatch as mismatch:
            raise UsageError(f"`--{option}` {mismatch.problem}") from None
    origins = dict(config.origins)
    if "select" in parsed:
        config = replace(config, extend_select=())
        origins.pop("extend-select", None)
    earlier = origins.get("extend-select")
    origins |= dict.fromkeys(parsed, origin)
    for option, opposite in (("quiet", "verbose"), ("verbose", "quiet")):
        if parsed.get(option) and opposite not in parsed and getattr(config, opposite):
            parsed[opposite] = False
            origins[opposite] = origin
    if "extend-select" in parsed:
        parsed["extend-select"] = (*config.extend_select, *parsed["extend-select"])
        origins["extend-select"] = (earlier or origin)._replace(source=Source.COMMAND_LINE)
    return _with(config, parsed, origins)


def _found(root: Path) -> Config:
    warnings: list[str] = []
    found = None
    for folder in (root, *root.parents):
        found = _read(folder / FILE_NAME, required=False, warnings=warnings)
        if found is not None or os.path.exists(folder / ".git"):
            break
    return replace(found or Config(), searched=True, warnings=tuple(warnings))


def passed_by(root: Path, files: Iterable[str]) -> list[str]:
    """Warnings about configurations between `root` and `files` (relative to it): a search upward does not meet them."""
    folders: set[str] = set()
    for folder in {file.rpartition("/")[0] for file in files}:
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    found = [
        (root / folder, place)
        for folder in sorted(folders, key=lambda folder: folder.split("/"))
        if (place := _place_of_table(os.path.join(root, folder, FILE_NAME))) is not None
    ]
    warnings = [
        f"{place}: this `[{'.'.join(TABLE)}]` does not count in a check that begins above it; in "
        f"`lint-m2m {shown_path(folder)}` it does"
        for folder, place in found[:MOST_NAMED]
    ]
    if len(found) > MOST_NAMED:
        warnings.append(f"{len(found) - MOST_NAMED} more files below the root have such a table")
    return warnings


def _place_of_table(file: str) -> str | None:
    """Where our table begins in a file that nobody has asked for; None where there is none that can be read."""
    try:
        data = read_regular(file, MAX_BYTES)
        text, document = parse_document(data, FILE_NAME) if TABLE[1].encode() in data else ("", {})
    except (OSError, SourceError, ConfigurationError):
        return None
    tool = document.get(TABLE[0])
    return f"{shown_path(Path(file))}:{line_of(text, TABLE)}" if isinstance(tool, dict) and TABLE[1] in tool else None


def _read(file: Path, *, required: bool, warnings: list[str]) -> Config | None:
    """`required` false: ``None`` for a file that is not there or does not speak of this program.

    Whether it would have, nobody can tell of one that is no TOML: that goes to `warnings`.
    """
    shown = shown_path(file)
    try:
        # What the user names may be a pipe: `--config <(…)`.
        data = _read_at_most(file, MAX_BYTES + 1) if required else read_regular(file, MAX_BYTES)
    except SourceError as error:
        if os.path.isfile(file):
            raise ConfigurationError(f"cannot be read: {error.reason}", path=shown) from None
        warnings.append(f"{shown}: {error.reason}; no configuration is taken from it")
        return None
    except FileNotFoundError:
        if required:
            raise ConfigurationError("no such file", path=shown) from None
        return None
    except (OSError, ValueError) as error:
        if not required and not os.path.isfile(file):
            return None
        raise ConfigurationError(f"cannot be read: {reason_of(error)}", path=shown) from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError("too large for a configuration file", path=shown)
    try:
        text, document = parse_document(data, shown)
    except ConfigurationError as error:
        # Somebody else's file is none of our business.
        if required or TABLE[1].encode() in data:
            raise
        warnings.append(f"{error}; no configuration is taken from it")
        return None
    _named_right(document, text, shown)
    table: object = document
    for index, part in enumerate(TABLE):
        table = table.get(part) if isinstance(table, dict) else None
        if table is not None and not isinstance(table, dict):
            where = ".".join(TABLE[: index + 1])
            raise ConfigurationError(f"`{where}` has to be a table", path=shown, line=line_of(text, TABLE[: index + 1]))
    if not isinstance(table, dict):
        if required:
            raise ConfigurationError(f"there is no `[{'.'.join(TABLE)}]` table in it", path=shown)
        return None
    return _configured(table, text, shown, file.absolute().parent)


def _named_right(document: Mapping[str, object], text: str, shown: str) -> None:
    """ConfigurationError for a table that can only be meant as ours, under another name."""
    tool = document.get(TABLE[0])
    wanted = f"[{'.'.join(TABLE)}]"
    below = tool if isinstance(tool, dict) else {}
    for path in (*((name,) for name in document), *((TABLE[0], name) for name in below)):
        if path != TABLE and re.sub("[-_. ]", "", path[-1].lower()) == "lintm2m":
            problem = f"unknown table `[{'.'.join(path)}]`; it has to be `{wanted}`"
            raise ConfigurationError(problem, path=shown, line=line_of(text, path))


def parse_document(data: bytes, shown: str) -> tuple[str, dict[str, Any]]:
    """The text and the content of a TOML file; ConfigurationError says what is wrong with it, and where."""
    import tomllib

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("not valid UTF-8", path=shown, line=line) from None
    # Editors on Windows put a mark before the text.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if re.search(_LONG_KEY, text):
        raise ConfigurationError(f"a key has more than {MAX_PARTS} parts", path=shown)
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Python 3.14 has these as attributes.
        problem, _, place = str(error).partition(" (at ")
        at = re.match(r"line (\d+)", place)
        line = int(at[1]) if at else text.count("\n") + 1
        raise ConfigurationError(f"not valid TOML: {problem}", path=shown, line=line) from None
    except RecursionError:
        raise ConfigurationError("not valid TOML: nested too deep", path=shown) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise ConfigurationError("not valid TOML: a number that is too long", path=shown) from None


_LONG_KEY: Final = rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}"""


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """`positions.line_of`: asked where a file says something."""
    from lint_m2m.config import positions

    return positions.line_of(text, path)


def _read_at_most(file: Path, size: int) -> bytes:
    with open(file, "rb") as stream:
        return stream.read(size)


def _configured(table: Mapping[str, object], text: str, shown: str, folder: Path) -> Config:
    parsed: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for option, value in table.items():
        line = line_of(text, (*TABLE, option))
        if option not in OPTIONS:
            if option in COMMAND_LINE_ONLY:
                problem = f"`{option}` is an option of the command line alone, and no key of `[{'.'.join(TABLE)}]`"
                raise ConfigurationError(problem, path=shown, line=line)
            hint = nearest(option, OPTIONS, "the nearest known one is {}") or f"; known are {listed(OPTIONS)}"
            raise ConfigurationError(
                f"unknown key `{shortened(option)}` in `[{'.'.join(TABLE)}]`{hint}", path=shown, line=line
            )
        try:
            parsed[option] = OPTIONS[option].parse(value)
        except Mismatch as mismatch:
            if mismatch.entry is not None:
                line = line_of(text, (*TABLE, option, mismatch.entry)) or line
            raise ConfigurationError(f"`{option}` {shortened(mismatch.problem)}", path=shown, line=line) from None
        origins[option] = Origin(Source.FILE, shown, line)
    for option in ("output", "baseline", "cache-dir"):
        if isinstance(named := parsed.get(option), str):
            parsed[option] = str(folder / named)
    if (cache := parsed.get("cache-dir")) is not None and not _is_below(str(cache), folder):
        problem = f"`cache-dir` has to be a folder below {shown_path(folder)}; `--cache-dir` may name any"
        raise ConfigurationError(problem, path=shown, line=line_of(text, (*TABLE, "cache-dir")))
    if isinstance(formats := parsed.get("format"), tuple):
        parsed["format"] = tuple(_placed(form, folder) for form in formats)
    return replace(_with(Config(), parsed, origins), folder=folder)


def _is_below(path: str, folder: Path) -> bool:
    """Whether a project's own file names a folder of the project; links followed."""
    real, above = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return real != above and real.is_relative_to(above)


def _placed(form: str, folder: Path) -> str:
    """A form of the report with its file, if it has one, as an absolute path ("-" is standard output)."""
    name, colon, file = form.partition(":")
    return f"{name}:{folder / file}" if colon and file not in ("", "-") else form


def _with(config: Config, parsed: Mapping[str, Any], origins: Mapping[str, Origin]) -> Config:
    values = {attribute_of(option): value for option, value in parsed.items()}
    return replace(config, **values, origins=_sorted(origins.items()))


def _sorted(origins: Iterable[tuple[str, Origin]]) -> tuple[tuple[str, Origin], ...]:
    return tuple(sorted(origins, key=lambda item: item[0]))

"""``lint-m2m check --show-config``: the configuration in force, as TOML, and where each value came from."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lint_m2m.cli import reporting
from lint_m2m.cli.streams import complain, encoding_of, say
from lint_m2m.config import OPTIONS, Config, Source, attribute_of, read_options, select
from lint_m2m.errors import shown_path
from lint_m2m.finding import Severity
from lint_m2m.migration import UNKNOWN
from lint_m2m.reports.text import escape

if TYPE_CHECKING:
    from lint_m2m.engine import Reader

_TABLE: Final = "tool.lint-m2m"


def show(paths: Sequence[Path], configure: Callable[[Path], Config], reader: Reader | None = None) -> None:
    """Print what counts for each project that `paths` lie in. Raises LintM2MError for what has no meaning.

    `reader` is where projects come from, by default their files.
    """
    from lint_m2m import engine

    roots = engine.roots_of(paths)
    common = engine.root_of(paths)
    lines: list[str] = []
    for root in dict.fromkeys((common, *roots)):
        config = configure(root)
        reporting.destinations(config)
        for warning in config.warnings:
            complain(f"warning: {warning}")
        if lines:
            lines.append("")
        if len(roots) > 1:
            what = "the report over all projects" if root == common and root not in roots else "the project"
            lines.append(f"# {what} in {_shown(root)}")
        lines += _lines(config, root, _vendor(config, root, reader) if root in roots else None)
    encoding = encoding_of(sys.stdout)
    say("".join(f"{escape(line, encoding)}\n" for line in lines))


def _lines(config: Config, root: Path, vendor: str | None) -> Iterator[str]:
    from lint_m2m.rules import CODES, NAMES

    enabled = select(config, NAMES, root).enabled
    off = [code for code in CODES if code not in enabled]
    yield f"# {len(enabled)} of {len(CODES)} rules run" + (f"; not {', '.join(off)}" if off else "")
    yield f"[{_TABLE}]"
    tables = {name: getattr(config, attribute_of(name)) for name, option in OPTIONS.items() if option.table}
    for name in OPTIONS:
        if name not in tables:
            yield _line(name, config, vendor)
    for name, entries in tables.items():
        if not entries:
            yield f"# {name}: empty ({config.origin(name)})"
    for name, entries in tables.items():
        if entries:
            yield ""
            yield f"[{_TABLE}.{name}]  # {config.origin(name)}"
            yield from (f"{_key(key)} = {_value(entry)}" for key, entry in entries)


def _line(name: str, config: Config, vendor: str | None) -> str:
    """One option; `vendor` is the database that the project's settings name."""
    value, origin = getattr(config, attribute_of(name)), config.origin(name)
    shown = str(origin)
    if name == "django-version" and value is None:
        from lint_m2m.replay.walk import ReplaySettings

        value, shown = ReplaySettings().django_version, "default: the newest"
    elif name == "django-version" and origin.source is Source.DEFAULT:
        shown = "the one that runs"
    elif name == "database" and value is None and vendor is not None:
        value, shown = vendor, "the project's settings"
    if value is None:
        return f"# {name}: not set ({shown})"
    if name in ("output", "baseline", "cache-dir"):
        value = _shown(Path(value))
    elif name == "format" and origin.source is Source.FILE:
        value = tuple(_form(form) for form in value)
    return f"{name} = {_value(value)}  # {shown}"


def _vendor(config: Config, root: Path, reader: Reader | None) -> str | None:
    """The database that the project's settings name, if they do, and no other."""
    from lint_m2m.engine import SourceReader

    if config.database is not None:
        return None
    projects = (reader or SourceReader()).projects(root, read_options(config, root))
    vendors = {project.layout.vendor for project in projects}
    vendor = vendors.pop() if len(vendors) == 1 else UNKNOWN
    return None if vendor is UNKNOWN else vendor


def _form(form: str) -> str:
    name, colon, file = form.partition(":")
    return f"{name}:{_shown(Path(file))}" if colon and file != "-" else form


def _shown(path: Path) -> str:
    """A path as somebody in the current folder would write it, where it lies below that."""
    return shown_path(Path(os.path.abspath(path)))


def _value(value: object) -> str:
    """A value in TOML."""
    match value:
        case bool():
            return str(value).lower()
        case Severity():
            return _text(value.value)
        case (int(), int()):
            return _text(".".join(map(str, value)))
        case tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return _text(str(value))


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _text(name)


def _text(value: str) -> str:
    # JSON's strings are TOML's, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

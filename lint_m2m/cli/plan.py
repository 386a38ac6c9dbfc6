"""``lint-m2m plan APP.MODEL.FIELD --through APP.MODEL``: sequences before any migration exists."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lint_m2m import __version__
from lint_m2m.cli.streams import complain, encoding_of, say, say_bytes, wants_colour, width_of
from lint_m2m.config import COLORS, listed, load, nearest, require_one_of
from lint_m2m.errors import UsageError

if TYPE_CHECKING:
    from lint_m2m.plan import Plan, Way

EXIT_NO_PLAN: Final = 1
FORMATS: Final = ("full", "json")
SCHEMA: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("field", metavar="APP.MODEL.FIELD", help="the many-to-many field")
    parser.add_argument("path", metavar="PATH", nargs="?", help="the project (default: here)")
    parser.add_argument(
        "--through", metavar="APP.MODEL", help="its new through model; made by the plan where it does not exist"
    )
    parser.add_argument("--no-through", action="store_true", help="no through model any more")
    parser.add_argument(
        "--extra",
        metavar="NAME:FIELD",
        action="append",
        default=[],
        help='a further field of the new through model, as "note:CharField(max_length=40)"; repeatable',
    )
    parser.add_argument("--sequence", metavar="ID", help="this sequence, not the recommended one")
    parser.add_argument("--write", action="store_true", help="write the new migrations")
    parser.add_argument("--format", metavar="FORMAT", default="full", help="full (default) or json")
    parser.add_argument("--color", metavar="WHEN", default="auto", help="auto (default), always or never")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every sequence")
    parser.add_argument("--config", metavar="FILE", help="read [tool.lint-m2m] from this file")
    parser.add_argument("--isolated", action="store_true", help="read no configuration file")


def run(arguments: argparse.Namespace) -> int:
    """Show the plan, or write it; 0, or 1 where no sequence fits. LintM2MError for what cannot be planned."""
    from lint_m2m.plan import NoPlan, Wanted, plan
    from lint_m2m.roots import find_root

    if arguments.no_through is (arguments.through is not None):
        raise UsageError("say either `--through APP.MODEL` or `--no-through`")
    require_one_of("format", arguments.format, FORMATS)
    require_one_of("color", arguments.color, COLORS)
    if arguments.sequence is not None:
        from lint_m2m.cli.fixing import require_sequence

        require_sequence(arguments.sequence)
    path = Path(arguments.path or ".")
    if not path.exists():
        raise UsageError(f"there is no file or folder `{path}`")
    root = find_root(path)
    file = None if arguments.config is None else Path(arguments.config)
    config = load(root, file=file, isolated=arguments.isolated)
    for warning in config.warnings:
        complain(f"warning: {warning}")
    wanted = Wanted(field=arguments.field, through=arguments.through, extras=tuple(arguments.extra))
    try:
        found = plan(root, wanted, config)
    except NoPlan as reason:
        complain(str(reason))
        return EXIT_NO_PLAN
    ways = _chosen(found, arguments.sequence)
    if arguments.write:
        _write(found, ways[0])
    if arguments.format == "json":
        say_bytes(_json(found, ways))
    else:
        _print(ways[:1] if arguments.write else ways, arguments)
    return 0


def _chosen(found: Plan, wanted: str | None) -> tuple[Way, ...]:
    if wanted is None:
        return found.ways
    ways = tuple(way for way in found.ways if way.sequence.id == wanted)
    if not ways:
        ids = [way.sequence.id for way in found.ways]
        near = nearest(wanted, ids)
        raise UsageError(f"the sequence `{wanted}` does not fit here{near or f'; there are {listed(ids)}'}")
    return ways


def _write(found: Plan, way: Way) -> None:
    """All files or none, and no file that is there."""
    from lint_m2m.finding import Applicability
    from lint_m2m.rewrite import FileChange, write

    if way.sequence.applicability is Applicability.DISPLAY:
        raise UsageError(f"the sequence `{way.sequence.id}` is to be read, not written: it leaves a choice to you")
    write(
        [
            FileChange(root=found.root, file=found.root / path, path=path, before=None, after=text.encode("utf-8"))
            for path, text in way.files
        ]
    )
    for path, _ in way.files:
        complain(f"written: {path}")


def _print(ways: tuple[Way, ...], arguments: argparse.Namespace) -> None:
    from lint_m2m.reports.full import render_sequences
    from lint_m2m.reports.options import RenderOptions

    options = RenderOptions(
        verbose=arguments.verbose,
        color=wants_colour(arguments.color, sys.stdout),
        encoding=encoding_of(sys.stdout),
        width=width_of(sys.stdout),
    )
    say(render_sequences(tuple(way.sequence for way in ways), options))


def _json(found: Plan, ways: tuple[Way, ...]) -> str:
    from lint_m2m.reports.json import sequence_as_json

    document = {
        "schema": SCHEMA,
        "tool": {"name": "lint-m2m", "version": __version__},
        "field": found.field,
        "through": found.through,
        "sequences": [
            {**sequence_as_json(way.sequence), "files": [{"path": path, "text": text} for path, text in way.files]}
            for way in ways
        ],
    }
    return json.dumps(document, indent=2) + "\n"

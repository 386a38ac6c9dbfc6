"""``lint-m2m prove [PATH …]``: run the proposed sequences with real Django."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lint_m2m.cli.streams import complain, encoding_of, is_terminal, say, say_bytes, wants_colour, width_of
from lint_m2m.config import COLORS, Config, load, read_options, require_one_of
from lint_m2m.errors import UsageError
from lint_m2m.progress import Progress

if TYPE_CHECKING:
    from lint_m2m.prove.values import Task

EXIT_NOT_PROVED: Final = 1
FORMATS: Final = ("full", "json")
DEFAULT_ROWS: Final = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="a project, an app, a migrations folder or files (default: here)"
    )
    parser.add_argument("--sequence", metavar="ID", action="append", help="prove this sequence only; repeatable")
    parser.add_argument(
        "--database",
        metavar="URL",
        action="append",
        help="postgresql://USER:PASSWORD@HOST:PORT/DATABASE or mysql://…: prove in a scratch database that is created "
        "on that server and dropped again; repeatable (default: sqlite)",
    )
    parser.add_argument(
        "--rows", metavar="N", default=str(DEFAULT_ROWS), help=f"links to insert (default: {DEFAULT_ROWS})"
    )
    parser.add_argument("--format", metavar="FORMAT", default="full", help="full (default) or json")
    parser.add_argument("--color", metavar="WHEN", default="auto", help="auto (default), always or never")
    parser.add_argument("--config", metavar="FILE", help="read [tool.lint-m2m] from this file")
    parser.add_argument("--isolated", action="store_true", help="read no configuration file")


def run(arguments: argparse.Namespace) -> int:
    """Prove, report, and return the exit status: 0 all proved, 1 something not. LintM2MError where it could not run."""
    from lint_m2m import engine
    from lint_m2m.prove import SQLITE, parse_url, prove, tasks
    from lint_m2m.prove.report import as_json
    from lint_m2m.prove.run import django_version
    from lint_m2m.readers.options import ReadOptions

    require_one_of("format", arguments.format, FORMATS)
    require_one_of("color", arguments.color, COLORS)
    rows = _rows(arguments.rows)
    databases = [parse_url(url) for url in arguments.database or ()] or [SQLITE]
    paths = existing(arguments.paths)
    # Before anything else is done: without it there is nothing to do.
    version = django_version()
    file = None if arguments.config is None else Path(arguments.config)

    def configure(root: Path) -> Config:
        return load(root, file=file, isolated=arguments.isolated)

    def options(root: Path) -> ReadOptions:
        return read_options(configure(root), root)

    with Progress(sys.stderr, enabled=is_terminal(sys.stderr)) as progress:
        outcome = engine.run(paths, configure, progress=progress)
        everything = tasks(outcome.report.findings, outcome.ways_out)
        chosen = _chosen([task for _, task in everything], arguments.sequence)
        report = prove(
            [(root, task) for root, task in everything if task in chosen],
            databases,
            rows=rows,
            options=options,
            progress=progress,
        )
    for warning in outcome.report.warnings:
        complain(f"warning: {warning}")
    if arguments.format == "json":
        say_bytes(as_json(report))
    else:
        from lint_m2m.prove.text import render

        say(
            render(
                report,
                encoding=encoding_of(sys.stdout),
                width=width_of(sys.stdout),
                colour=wants_colour(arguments.color, sys.stdout),
                findings=len(outcome.report.findings),
            )
        )
    del version
    return 0 if report.proved else EXIT_NOT_PROVED


def existing(given: list[str]) -> list[Path]:
    """The paths of a command line. UsageError for one that is not there."""
    import os

    for path in given:
        if not os.path.lexists(path):
            raise UsageError(f"there is no file or folder `{path}`")
    return [Path(path) for path in given or ["."]]


def _rows(text: str) -> int:
    if not text.replace("_", "").isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise UsageError("`--rows` has to be a number from 1 to 10,000,000")
    return int(text)


def _chosen(everything: list[Task], wanted: list[str] | None) -> list[Task]:
    if not wanted:
        return everything
    from lint_m2m.config import nearest

    known = sorted({task.proposal.id for task in everything})
    for one in wanted:
        if one not in known:
            listed = f"; there are {', '.join(f'`{name}`' for name in known)}" if known else "; there is none"
            raise UsageError(f"no sequence `{one}` is proposed here{nearest(one, known) or listed}")
    return [task for task in everything if task.proposal.id in wanted]

"""``lint-m2m [check] [PATH …]``: the main job."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lint_m2m import reports
from lint_m2m.cli import old_code, reporting
from lint_m2m.cli.caching import cache_of
from lint_m2m.cli.streams import complain, is_terminal
from lint_m2m.config import Config, load, nearest
from lint_m2m.errors import ConfigurationError, UsageError
from lint_m2m.finding import Report
from lint_m2m.progress import Progress
from lint_m2m.values import replace

if TYPE_CHECKING:
    from lint_m2m.engine import Outcome, Reader
    from lint_m2m.rewrite import Rewriting

EXIT_FINDINGS: Final = 1
# Options that are the configuration's, by kind of argument.
_FLAGS: Final = ("exit-zero", "no-cache", "statistics", "quiet", "verbose")
_CODES: Final = ("select", "extend-select", "ignore")
_TEXTS: Final = ("baseline", "cache-dir", "format", "output", "fail-on", "color")
# What came of the last check: a process that ends at once (`__main__.run`) need not take it apart.
_last: Final[list[Outcome]] = []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every option whose value is not given stays out of the namespace's way: ``None``."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="a project, an app, a migrations folder or files (default: here)"
    )
    add_options(parser, verbose=("-v", "--verbose"))


def add_options(parser: argparse.ArgumentParser, *, verbose: Sequence[str]) -> None:
    """All but the paths; `verbose` are the names of that option, of which another program may have one already."""
    rules = parser.add_argument_group("rules")
    for name, text in (
        ("select", "run these rules only: codes, their beginnings, or names, separated by commas (MTM1,m2m-recreated)"),
        ("extend-select", "run these rules beside those selected"),
        ("ignore", "do not run these rules"),
    ):
        rules.add_argument(f"--{name}", metavar="CODES", action="append", help=text)
    rules.add_argument("--fail-on", metavar="SEVERITY", help="exit with 1 from here on: error, warning (default), info")
    rules.add_argument("--exit-zero", action="store_true", default=None, help="exit with 0 whatever is found")
    rules.add_argument(
        "--allow-no-migrations",
        action="store_true",
        help="a PATH without any migrations is nothing to complain of",
    )
    old = parser.add_argument_group("old code")
    old.add_argument("--baseline", metavar="FILE", help="leave out the findings that this file knows")
    old.add_argument("--no-baseline", action="store_true", help="leave nothing out, whatever the configuration says")
    old.add_argument(
        "--write-baseline", action="store_true", help="write all findings into the baseline, and report none"
    )
    old.add_argument(
        "--since",
        metavar="GITREF",
        help="report what has changed since the merge base with this commit: findings in files added or edited, and "
        "those that the change brings elsewhere",
    )
    old.add_argument(
        "--staged",
        action="store_true",
        help="check what is staged for the next commit instead of the files on disk, and report what it changes",
    )
    output = parser.add_argument_group("report")
    formats = ", ".join(reports.FORMATS)
    output.add_argument(
        "--format",
        metavar="FORMAT",
        action="append",
        help=f"one of {formats} (default: {next(iter(reports.FORMATS))}); FORMAT:FILE writes it to a file, and several "
        "may be given",
    )
    output.add_argument("--output", metavar="FILE", help="write the report to a file instead of stdout")
    output.add_argument("--statistics", action="store_true", default=None, help="count the findings of each rule")
    output.add_argument("--color", metavar="WHEN", help="auto (default), always or never")
    output.add_argument("-q", "--quiet", action="store_true", default=None, help="nothing but findings")
    output.add_argument(
        *verbose, action="store_true", default=None, help="every sequence, what was not read, and timings"
    )
    fixes = parser.add_argument_group(
        "fixes",
        "Write a finding's safe sequence into its migration. The exit status is then about what is left; with "
        "--diff it is 1 when something would change, else 0.",
    )
    fixes.add_argument("--fix", action="store_true", help="write the recommended safe sequence of each finding")
    fixes.add_argument(
        "--unsafe-fixes",
        action="store_true",
        help="also those that want a review: where a database may have applied the migration",
    )
    fixes.add_argument("--sequence", metavar="ID", help="write this sequence instead of the recommended one")
    fixes.add_argument(
        "--exit-non-zero-on-fix",
        action="store_true",
        help="exit with 1 when --fix has written something, whatever is left",
    )
    fixes.add_argument("--diff", action="store_true", help="show what --fix would change, and write nothing")
    parser.add_argument("--jobs", metavar="N", type=_jobs, help="work with N processes (default: one a processor)")
    cache = parser.add_argument_group("cache")
    cache.add_argument("--cache-dir", metavar="DIR", help="keep what was found here (default: .lint_m2m_cache)")
    cache.add_argument("--no-cache", action="store_true", default=None, help="keep nothing, and use nothing kept")
    configuration = parser.add_argument_group("configuration")
    configuration.add_argument("--config", metavar="FILE", help="read [tool.lint-m2m] from this file")
    configuration.add_argument("--isolated", action="store_true", help="read no configuration file")
    configuration.add_argument(
        "--show-config", action="store_true", help="show what is in force and where each value came from; check nothing"
    )


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of processes")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Check, report, and return the exit status. Raises LintM2MError where it could not check."""
    _exist(arguments.paths)
    return run_on([Path(path) for path in arguments.paths or ["."]], arguments)


def run_on(
    paths: Sequence[Path],
    arguments: argparse.Namespace,
    *,
    reader: Reader | None = None,
    django_version: tuple[int, int] | None = None,
) -> int:
    """`run` on paths that exist. `reader` is where projects come from, `django_version` what they run on if known."""
    from lint_m2m import engine

    given = _given(arguments)
    old_code.make_sense(arguments, loaded=reader is not None)
    comparison = old_code.comparison(arguments)
    file = Path(arguments.config) if arguments.config is not None else None

    def configure(root: Path) -> Config:
        read = load(root, file=file, isolated=arguments.isolated, command_line=given)
        if arguments.no_baseline:
            read = old_code.without_baseline(read)
        return replace(read, django_version=read.django_version or django_version)

    if arguments.show_config:
        from lint_m2m.cli import settings

        settings.show(paths, configure, reader)
        return 0
    root = engine.root_of(paths)
    config = configure(root)
    destinations = reporting.destinations(config)
    _fixes_make_sense(arguments)
    if config.quiet and config.verbose:
        origin = config.origin("verbose")
        if origin.path is not None:
            raise ConfigurationError("`quiet` and `verbose` exclude each other", path=origin.path, line=origin.line)
        raise UsageError("`--quiet` and `--verbose` exclude each other")
    cache = None
    if reader is None:
        reader = engine.SourceReader(arguments.jobs)
        # What writes needs more than what was found.
        if not (arguments.fix or arguments.diff or reporting.carries_edits(destinations)):
            cache = cache_of(arguments, config, root)
    elif arguments.cache_dir is not None:
        raise UsageError("`--cache-dir` is for a check of files: Django loads a project anew each time")
    with Progress(sys.stderr, enabled=is_terminal(sys.stderr) and not config.quiet) as progress:
        outcome = engine.run(
            paths,
            configure,
            progress=progress,
            required=not arguments.allow_no_migrations,
            comparison=comparison,
            reader=reader,
            renew=arguments.write_baseline,
            cache=cache,
        )
        rewriting = None
        if arguments.fix or arguments.diff:
            from lint_m2m import rewrite

            choice = rewrite.Choice(id=arguments.sequence, unsafe=arguments.unsafe_fixes)
            rewriting = rewrite.plan(outcome, configure, choice, progress=progress)
            if rewriting.changes and not arguments.diff:
                rewrite.write(rewriting.changes)
                outcome = engine.run(paths, configure, progress=progress, reader=reader, comparison=comparison)
        edits = []
        if reporting.carries_edits(destinations) and outcome.ways_out and not arguments.diff:
            from lint_m2m import rewrite

            edits = [reporting.as_edit(edit) for edit in rewrite.edits(outcome, configure, progress=progress)]
    if arguments.write_baseline:
        return old_code.write(outcome, config)
    if rewriting is not None and arguments.diff:
        return _shown(rewriting, outcome, config)
    if rewriting is not None:
        _told(rewriting, config, on_stdout=reporting.for_people(destinations))
    _last[:] = [outcome]
    overlay = {**outcome.reader.overlay, **dict(outcome.sources)}
    reporting.publish(outcome.report, destinations, config, edits, overlay)
    if not config.quiet:
        _remarks(outcome, config, counted=any(one.format == "full" for one in destinations))
    if arguments.exit_non_zero_on_fix and rewriting is not None and rewriting.changes:
        return EXIT_FINDINGS
    return _status(outcome.report, config)


def _fixes_make_sense(arguments: argparse.Namespace) -> None:
    for option, given in (("--unsafe-fixes", arguments.unsafe_fixes), ("--sequence", arguments.sequence is not None)):
        if given and not (arguments.fix or arguments.diff):
            raise UsageError(f"`{option}` says what to write: it goes with `--fix` or `--diff`")
    if arguments.exit_non_zero_on_fix and not arguments.fix:
        raise UsageError("`--exit-non-zero-on-fix` is about what was written: it goes with `--fix`")
    for option, given in (("--format", arguments.format), ("--output", arguments.output)):
        if given is not None and arguments.diff:
            raise UsageError(f"`--diff` prints a diff instead of a report: `{option}` does not go with it")
    if arguments.sequence is not None:
        from lint_m2m.cli.fixing import require_sequence

        require_sequence(arguments.sequence)


def _shown(rewriting: Rewriting, outcome: Outcome, config: Config) -> int:
    """The end of `--diff`."""
    from lint_m2m.cli import fixing

    fixing.show_diff(rewriting.changes, config)
    fixing.tell(rewriting, config, written=False, on_stdout=False)
    if not config.quiet:
        for warning in outcome.report.warnings:
            complain(f"warning: {warning}")
        complain(fixing.summary(rewriting, written=False))
    return EXIT_FINDINGS if rewriting.changes and not config.exit_zero else 0


def _told(rewriting: Rewriting, config: Config, *, on_stdout: bool) -> None:
    """What `--fix` did: before the report where that is for people to read, else on stderr."""
    from lint_m2m.cli import fixing

    fixing.tell(rewriting, config, written=True, on_stdout=on_stdout and not config.quiet)
    if not config.quiet:
        complain(fixing.summary(rewriting, written=True))


def _exist(paths: Sequence[str]) -> None:
    from lint_m2m.cli import COMMANDS

    for path in paths:
        if os.path.lexists(path):
            continue
        hint = "; a command has to come first" if path in COMMANDS else nearest(path, COMMANDS, "nearest command: {}")
        raise UsageError(f"there is no file or folder `{path}`{hint}")


def _given(arguments: argparse.Namespace) -> dict[str, object]:
    """The options that were given, raw, by their names."""
    given: dict[str, object] = {}
    for name in (*_FLAGS, *_CODES, *_TEXTS):
        value = getattr(arguments, name.replace("-", "_"))
        if value is None:
            continue
        if name in _CODES:
            value = [code for piece in value for code in piece.replace(",", " ").split()]
        given[name] = value
    return given


def _remarks(outcome: Outcome, config: Config, *, counted: bool) -> None:
    """What stdout must not carry; `counted`: the statistics are in the report."""
    for warning in outcome.report.warnings:
        complain(f"warning: {warning}")
    if config.statistics and not counted and outcome.report.findings:
        from lint_m2m.reports.statistics import statistics

        complain("\n".join(["findings of each rule", *statistics(outcome.report)]))
    if config.verbose:
        for part in outcome.unread:
            line = f":{part.line}" if part.line else ""
            complain(f"not read: {part.path}{line}: {part.reason}; not checked: {part.unchecked}")
        for left in outcome.left_out:
            complain(f"left out: {left.path}: {left.reason}")
        complain(", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in outcome.timings))


def _status(report: Report, config: Config) -> int:
    failing = any(finding.severity.rank >= config.fail_on.rank for finding in report.findings)
    return EXIT_FINDINGS if failing and not config.exit_zero else 0

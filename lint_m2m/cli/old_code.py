"""``lint-m2m check`` on old code: `--baseline`, `--write-baseline`, `--since` and `--staged`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from lint_m2m.cli.streams import complain, write_file
from lint_m2m.config import Config, Origin, Source
from lint_m2m.errors import ConfigurationError, UsageError, reason_of
from lint_m2m.values import replace

if TYPE_CHECKING:
    from lint_m2m.changes import Comparison
    from lint_m2m.engine import Outcome

# Where these speak, what depends on what they name is not judged, or in the wrong order.
_UNCERTAIN: Final = ("MTM901", "MTM903")


def make_sense(arguments: argparse.Namespace, *, loaded: bool) -> None:
    """UsageError for options that exclude each other; `loaded`: Django has loaded what is to be checked."""
    if arguments.no_baseline and arguments.baseline is not None:
        raise UsageError("`--baseline` and `--no-baseline` exclude each other")
    if arguments.write_baseline:
        for option, given, reason in (
            ("--no-baseline", arguments.no_baseline, "it would write none"),
            ("--since", arguments.since is not None, "a baseline has all findings"),
            ("--staged", arguments.staged, "a baseline has all findings"),
            ("--fix", arguments.fix, "do one after the other"),
            ("--diff", arguments.diff, "do one after the other"),
            ("--format", arguments.format is not None, "it prints no report"),
            ("--output", arguments.output is not None, "it prints no report"),
        ):
            if given:
                raise UsageError(f"`--write-baseline` and `{option}` exclude each other: {reason}")
    if arguments.staged and loaded:
        raise UsageError(
            "`--staged` looks at what is staged, and Django has loaded the files on disk: use `lint-m2m --staged`"
        )
    if arguments.staged:
        for option, given in (("--fix", arguments.fix), ("--diff", arguments.diff)):
            if given:
                raise UsageError(
                    f"`--staged` and `{option}` exclude each other: it is the files on disk that are fixed"
                )


def without_baseline(config: Config) -> Config:
    """`config` after `--no-baseline`."""
    others = tuple(origin for origin in config.origins if origin[0] != "baseline")
    return replace(config, baseline=None, origins=(("baseline", Origin(Source.COMMAND_LINE)), *others))


def comparison(arguments: argparse.Namespace) -> Comparison | None:
    """What the report is to be compared with."""
    if arguments.since is None and not arguments.staged:
        return None
    from lint_m2m.changes import Comparison

    return Comparison(since=arguments.since, staged=arguments.staged)


def write(outcome: Outcome, config: Config) -> int:
    """Write the baselines of a check that was run for it; 0. UsageError where none is named or can be written."""
    from lint_m2m.baseline import render, require_unchanged
    from lint_m2m.reports.text import counted
    from lint_m2m.writing import alone

    if not outcome.baselines:
        raise UsageError(
            '`--write-baseline` has no file: say `--baseline FILE`, or `baseline = "FILE"` in `[tool.lint-m2m]`'
        )
    for baseline, gone in outcome.baselines:
        try:
            with alone(baseline.file.parent):
                require_unchanged(baseline)
                write_file(str(baseline.file), render(baseline))
        except TimeoutError as error:
            raise ConfigurationError(reason_of(error), path=baseline.shown) from None
        if not config.quiet:
            removed = f", {counted(gone, 'other')} taken out" if gone else ""
            complain(f"written: {baseline.shown}: {counted(sum(baseline.counts.values()), 'finding')}{removed}")
    if config.quiet:
        return 0
    for warning in outcome.report.warnings:
        complain(f"warning: {warning}")
    uncertain = [finding for finding in outcome.report.findings if finding.code in _UNCERTAIN]
    for finding in uncertain[:1]:
        complain(
            f"warning: {finding.code} is among them ({finding.path}:{finding.span.line}): as long as it is there, "
            "others may be wrong or missing"
        )
    return 0

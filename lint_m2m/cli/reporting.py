"""Where the forms of a report go: which ones, into which files, and what a CI system takes beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lint_m2m import reports
from lint_m2m.cli.streams import complain, encoding_of, say, say_bytes, wants_colour, width_of, write_file
from lint_m2m.config import Config, Source, listed, nearest
from lint_m2m.errors import ConfigurationError, LintM2MError, UsageError, reason_of
from lint_m2m.finding import Report
from lint_m2m.values import NamedTuple, replace

if TYPE_CHECKING:
    from lint_m2m.rewrite import Edit as Written

_OF_FILES: Final = frozenset({"check --fix", "prove"})
# Where a step of a GitHub workflow may leave Markdown for the page of the run.
SUMMARY: Final = "GITHUB_STEP_SUMMARY"


class Destination(NamedTuple):
    """A form of the report and the file it goes to; ``None`` is stdout."""

    format: str
    file: str | None


def destinations(config: Config) -> tuple[Destination, ...]:
    """Where the report goes, in the order given; `output` takes the form that names no file of its own.

    Raises UsageError, or ConfigurationError by where it was said: a form that there is not, two of them for one place,
    an `output` that no form is left for.
    """
    found = [_destination(form, config) for form in config.format]
    if config.output is not None:
        file = None if config.output == "-" else config.output
        bare = [number for number, form in enumerate(config.format) if ":" not in form]
        found = [one._replace(file=file) if number in bare else one for number, one in enumerate(found)]
        if not bare and config.origin("output").source is config.origin("format").source:
            raise _wrong(config, "output", "has no report to take: every `format` has a file of its own")
    places: dict[str | None, list[str]] = {}
    for one in found:
        places.setdefault(None if one.file is None else os.path.realpath(one.file), []).append(one.format)
    for place, formats in places.items():
        if len(formats) > 1:
            where = "standard output" if place is None else "one file"
            hint = "; give all but one a file: `FORMAT:FILE`" if place is None else ""
            raise _wrong(config, "format", f"sends {' and '.join(f'`{name}`' for name in formats)} to {where}{hint}")
    return tuple(found)


def for_people(chosen: Iterable[Destination]) -> bool:
    """Whether stdout carries the report that people read."""
    return Destination("full", None) in chosen


def carries_edits(chosen: Iterable[Destination]) -> bool:
    """Whether one of the forms has a place for what a tool could do about a finding."""
    return any(reports.FORMATS[one.format].carries_edits for one in chosen)


def as_edit(edit: Written) -> reports.Edit:
    """What would be written for a finding, in the reports' terms."""
    return reports.Edit(
        fingerprint=edit.fingerprint,
        sequence=edit.sequence,
        title=edit.title,
        remark=edit.applicability.value,
        files=tuple(
            reports.EditedFile(
                path=change.path,
                before=(change.before or b"").decode(change.encoding),
                after=change.after.decode(change.encoding),
            )
            for change in edit.changes
        ),
        left=edit.left,
    )


def publish(
    report: Report,
    chosen: Sequence[Destination],
    config: Config,
    edits: Sequence[reports.Edit] = (),
    overlay: Mapping[Path, bytes] | None = None,
) -> None:
    """Render every form, then write them. Raises UsageError for a file that cannot be written.

    `overlay` holds the files of the report that are not on disk.
    """
    thought_of = tuple((overlay or {}).items())
    texts = [
        (one, reports.render(report, one.format, _options(report, one, config, edits, thought_of))) for one in chosen
    ]
    for destination, text in texts:
        if destination.file is not None:
            write_file(destination.file, text)
        elif reports.FORMATS[destination.format].machine:
            say_bytes(text)
        else:
            say(text)
    if any(one.format == "github" for one in chosen) and (summary := os.environ.get(SUMMARY)):
        _summarise(report, summary)


def _options(
    report: Report,
    destination: Destination,
    config: Config,
    edits: Sequence[reports.Edit],
    overlay: tuple[tuple[Path, bytes], ...],
) -> reports.RenderOptions:
    full = destination.format == "full"
    there: frozenset[str] = frozenset()
    if full and report.findings:
        from lint_m2m.cli import available

        # What is in no file yet can be neither fixed there nor run.
        there = available() - (_OF_FILES if overlay else frozenset())
    options = reports.RenderOptions(
        verbose=config.verbose,
        quiet=config.quiet,
        statistics=config.statistics and full,
        commands=there,
        edits=tuple(edits),
        overlay=overlay,
    )
    if reports.FORMATS[destination.format].machine:
        return options
    stream = None if destination.file is not None else sys.stdout
    return replace(
        options,
        color=wants_colour(config.color, stream),
        encoding="utf-8" if stream is None else encoding_of(stream),
        width=width_of(sys.stdout) if stream is not None else 80,
    )


def _summarise(report: Report, file: str) -> None:
    """Add the report to what the steps before have left. The check does not fail by a page that cannot be written."""
    from lint_m2m.writing import append

    try:
        append(Path(file), reports.render(report, "markdown").encode("utf-8"))
    except (OSError, ValueError) as error:
        complain(f"warning: `{SUMMARY}` is `{file}`, which cannot be written: {reason_of(error)}")


def _destination(form: str, config: Config) -> Destination:
    name, colon, file = form.partition(":")
    if name not in reports.FORMATS:
        problem = f"is `{name}`, but has to be one of {listed(reports.FORMATS)}"
        raise _wrong(config, "format", problem + nearest(name, reports.FORMATS))
    if colon and not file:
        raise _wrong(config, "format", f"is `{form}`, which names no file after the colon")
    return Destination(name, None if file in ("", "-") else file)


def _wrong(config: Config, option: str, problem: str) -> LintM2MError:
    origin = config.origin(option)
    if origin.source is Source.FILE:
        return ConfigurationError(f"`{option}` {problem}", path=origin.path, line=origin.line)
    return UsageError(f"`--{option}` {problem}")

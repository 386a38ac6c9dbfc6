"""What every form of the report says of a finding, before it is laid out or escaped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lint_m2m.finding import Certainty, Downtime, Finding, Sequence, Summary
from lint_m2m.reports.text import counted

_DOWNTIME: Final = {
    Downtime.NONE: "no downtime",
    Downtime.BRIEF: "brief downtime",
    Downtime.COPY_TIME: "downtime while rows are copied",
}
# What somebody who picks another way has to know before anything else.
_REMARKS: Final = {"rewrite-history": "unreleased only", "fake": "advised against"}


def closing_line(summary: Summary) -> str:
    """What was found, and in what: "1 error, 2 warnings in 9 migrations of 2 apps, 1 part not read"."""
    counts = (
        (summary.error, "error", None),
        (summary.warning, "warning", None),
        (summary.info, "info", "infos"),
    )
    found = ", ".join(counted(number, one, many) for number, one, many in counts if number) or "no findings"
    read = "everything read" if not summary.unread else f"{counted(summary.unread, 'part')} not read"
    where = f"{counted(summary.migrations, 'migration')} of {counted(summary.apps, 'app')}"
    return f"{found} in {where}, {read}{_left_out(summary)}"


def _left_out(summary: Summary) -> str:
    """What was found and is not in the report: "; not shown: 3 in the baseline, 2 older"."""
    parts = [
        f"{number:,} {where}"
        for number, where in ((summary.known, "in the baseline"), (summary.older, "older than the change"))
        if number
    ]
    return f"; not shown: {', '.join(parts)}" if parts else ""


def facts(finding: Finding) -> Iterator[tuple[str, str]]:
    """What a finding says beside its headline, each with its key ("note"), in the order that helps most."""
    if finding.certainty is not Certainty.CERTAIN:
        yield finding.certainty.value, finding.reason or "what was read does not decide it"
    if finding.runtime_error:
        yield "migrate", finding.runtime_error
    for note in finding.notes:
        yield "note", note


def best_first(finding: Finding) -> list[Sequence]:
    """The sequences, the recommended one before the others."""
    return sorted(finding.sequences, key=lambda sequence: not sequence.recommended)


def remark(sequence: Sequence) -> str:
    """What somebody has to know of a sequence before anything else: "no downtime"."""
    if sequence.refused:
        return "yours to decide"
    return _REMARKS.get(sequence.id) or _DOWNTIME[sequence.downtime]


def details(finding: Finding) -> Iterator[str]:
    """Everything beside the headline in lines of plain text: facts, other places, ways out, where to read on."""
    for key, text in facts(finding):
        yield f"{key}: {text}"
    for related in finding.related:
        location = related.location
        yield f"see {location.path}:{location.span.line}:{location.span.column}: {related.message}"
    for number, sequence in enumerate(best_first(finding)):
        yield f"{'or' if number else 'help'}: {sequence.title} ({remark(sequence)})"
    yield f"explain: lint-m2m explain {finding.code}"

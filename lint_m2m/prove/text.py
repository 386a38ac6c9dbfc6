"""Proofs for a terminal, laid out as the full report is: a headline, then what is known, one key a line."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.prove.report import facts
from lint_m2m.prove.values import Proof, ProofReport, Status, Task
from lint_m2m.reports.frames import Line
from lint_m2m.reports.style import coloured, plain
from lint_m2m.reports.text import counted, prose, wrap

_STYLES = {Status.PROVED: "help", Status.FAILED: "error", Status.NOT_PROVABLE: "warning"}


def render(report: ProofReport, *, encoding: str, width: int, colour: bool, findings: int) -> str:
    """The whole text. `findings` is how many the check found, with a sequence or without."""
    lines = list(_report(report, encoding, width, findings))
    return coloured(lines) if colour else plain(lines)


def _report(report: ProofReport, encoding: str, width: int, findings: int) -> Iterator[Line]:
    last: Task | None = None
    for proof in report.proofs:
        if proof.task != last:
            yield from _task(proof.task, encoding, width)
            last = proof.task
        yield from _proof(proof, encoding, width)
        yield []
    for task in report.shown_only:
        yield from _task(task, encoding, width)
        yield from _fact(
            "not run", "it is shown, and nobody is to apply it without their own judgement", encoding, width
        )
        yield []
    for line in wrap(_closing(report, findings), width):
        yield [(line, "message")]


def _task(task: Task, encoding: str, width: int) -> Iterator[Line]:
    head = f"{task.proposal.id}"
    title = f"{head}: `{task.label}`, {task.proposal.title}"
    first, *rest = wrap(prose(title, encoding), width, hanging=4)
    yield [(first, "message")]
    for line in rest:
        yield [(f"    {line}", "message")]
    for finding in task.findings:
        place = f"{finding.location.path}:{finding.location.span.line}:{finding.location.span.column}"
        yield [("  --> ", "gutter"), (prose(f"{place}: {finding.code}", encoding), "place")]


def _proof(proof: Proof, encoding: str, width: int) -> Iterator[Line]:
    where = proof.database if proof.server is None else f"{proof.database} ({proof.server}, Django {proof.django})"
    yield []
    yield [("  ", ""), (proof.status.value, _STYLES[proof.status]), (prose(f" on {where}", encoding), "message")]
    for key, text in facts(proof):
        yield from _fact(key, text, encoding, width)


def _fact(key: str, text: str, encoding: str, width: int) -> Iterator[Line]:
    head = f"    = {key}: "
    pieces = [one for line in text.split("\n") for one in wrap(prose(line, encoding), max(width - len(head), 20))]
    yield [("    ", ""), ("=", "gutter"), (f" {key}: ", "key"), (pieces[0], "")]
    for piece in pieces[1:]:
        yield [(" " * len(head), ""), (piece, "")]


def _closing(report: ProofReport, findings: int) -> str:
    if not report.proofs:
        found = f"{counted(findings, 'finding')}, none with a sequence to run" if findings else "no findings"
        return f"nothing to prove: {found}"
    states = [proof.status for proof in report.proofs]
    parts = [
        f"{states.count(status)} {status.value}"
        for status in (Status.PROVED, Status.FAILED, Status.NOT_PROVABLE)
        if status in states
    ]
    shown = f", {len(report.shown_only)} not run" if report.shown_only else ""
    return f"{', '.join(parts)} of {counted(len(states), 'proof')}{shown}"

"""Proofs as text for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from lint_m2m import __version__
from lint_m2m.prove.values import Proof, ProofReport, Status, Task

SCHEMA: Final = 1


def as_json(report: ProofReport) -> str:
    """One document; ASCII, so that nothing in it needs another escape."""
    states = [proof.status for proof in report.proofs]
    document = {
        "schema": SCHEMA,
        "tool": {"name": "lint-m2m", "version": __version__},
        "summary": {
            "proofs": len(states),
            "proved": states.count(Status.PROVED),
            "failed": states.count(Status.FAILED),
            "not_provable": states.count(Status.NOT_PROVABLE),
            "shown_only": len(report.shown_only),
        },
        "proofs": [_proof(proof) for proof in report.proofs],
        "shown_only": [_task(task) for task in report.shown_only],
    }
    return json.dumps(document, indent=2) + "\n"


def _task(task: Task) -> dict[str, object]:
    return {
        "sequence": task.proposal.id,
        "title": task.proposal.title,
        "applicability": task.proposal.applicability.value,
        "downtime": task.proposal.downtime.value,
        "field": str(task.situation.key),
        "findings": [
            {
                "code": finding.code,
                "path": finding.location.path,
                "line": finding.location.span.line,
                "column": finding.location.span.column,
                "fingerprint": finding.fingerprint,
            }
            for finding in task.findings
        ],
    }


def _proof(proof: Proof) -> dict[str, object]:
    return {
        **_task(proof.task),
        "database": proof.database,
        "server": proof.server,
        "django": proof.django,
        "status": proof.status.value,
        "reason": proof.reason,
        "rows": proof.rows,
        "duplicates": proof.duplicates,
        "rows_forward": proof.rows_forward,
        "rows_backward": proof.rows_backward,
        "rows_again": proof.rows_again,
        "schema_equal": proof.schema_equal,
        "differences": list(proof.differences),
        "no_changes": proof.no_changes,
        "old_code": proof.old_code,
        "new_code": proof.new_code,
        "reversible": proof.reversible,
        "seconds": dict(proof.seconds),
        "migrations": [
            {
                "migration": one.migration,
                "seconds": one.seconds,
                "locks": None if one.locks is None else dict(one.locks),
            }
            for one in proof.migrations
        ],
        "problems": list(proof.problems),
        "notes": list(proof.notes),
    }


# Text: (head, what it says, style) — the layout is the report's, so it stands in `lint_m2m.reports.proofs`.


def facts(proof: Proof) -> Iterator[tuple[str, str]]:
    """The lines below a proof's headline, each with its key."""
    if proof.reason is not None:
        yield "reason", proof.reason
    if proof.rows is not None:
        yield "rows", _rows(proof)
    if proof.schema_equal is not None:
        yield "schema", "as in a fresh database" if proof.schema_equal else "not as in a fresh database"
    code = [
        text
        for value, text in (
            (proof.no_changes, "`makemigrations --check` finds nothing"),
            (proof.old_code, "the release before goes on working after the first migration"),
            (proof.new_code, "new links can be made"),
        )
        if value
    ]
    if code:
        yield "code", ", ".join(code)
    if proof.seconds:
        yield "time", ", ".join(f"{moment} {_seconds(value)}" for moment, value in proof.seconds.items())
    for one in proof.migrations:
        if one.locks:
            listed = ", ".join(f"{mode} on `{table}`" for table, mode in one.locks.items())
            yield "locks", f"`{one.migration}` ({_seconds(one.seconds)}): {listed}"
    for problem in proof.problems:
        yield "wrong", problem
    for note in proof.notes:
        yield "note", note


def _rows(proof: Proof) -> str:
    double = f", {proof.duplicates:,} of them twice" if proof.duplicates else ""
    kept = [
        f"{number:,} {moment}"
        for number, moment in (
            (proof.rows_forward, "forward"),
            (proof.rows_backward, "backward"),
            (proof.rows_again, "forward again"),
        )
        if number is not None
    ]
    return f"{proof.rows:,} inserted{double}" + (f"; kept {', '.join(kept)}" if kept else "")


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 100 else f"{value:,.0f} s"

"""Sequences run with real Django, in a minimal project that lint-m2m writes itself.

`tasks` finds what there is to prove, `prove` proves it. Nothing of the checked project is imported or run: what goes
into the minimal project is written from the values that the readers made of it (`project`, `fields`, `operations`).
Django is imported by the process that `run` starts, and by nothing else (`worker`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from lint_m2m.engine.ways_out import WayOut
from lint_m2m.finding import Applicability, Finding
from lint_m2m.prove.project import build
from lint_m2m.prove.reading import Reading
from lint_m2m.prove.run import CannotProve, django_version, run_proof
from lint_m2m.prove.urls import SQLITE, Database, parse_url
from lint_m2m.prove.values import NotProvable, Proof, ProofReport, Status, Task
from lint_m2m.readers.options import ReadOptions
from lint_m2m.sequences.values import Change

__all__ = ["SQLITE", "CannotProve", "Database", "Proof", "ProofReport", "Status", "Task", "parse_url", "prove", "tasks"]

# What is being done, how much of it is done, and how much there is.
Progress: TypeAlias = Callable[[str, int, int | None], None]


def tasks(
    findings: Iterable[Finding], ways: Iterable[WayOut], sequences: Collection[str] = ()
) -> list[tuple[Path, Task]]:
    """Each sequence once, with its root: of the given ids, or all; in the order of the findings."""
    by_fingerprint = {way.fingerprint: way for way in ways}
    found: dict[tuple[Path, str, tuple[Change, ...]], tuple[Path, Task]] = {}
    for finding in findings:
        way = by_fingerprint.get(finding.fingerprint)
        for proposal in () if way is None else way.proposals:
            assert way is not None
            if sequences and proposal.id not in sequences:
                continue
            key = (way.root, proposal.id, proposal.changes)
            known = found.get(key)
            before = () if known is None else known[1].findings
            task = Task(findings=(*before, finding), situation=way.situation, proposal=proposal)
            found[key] = (way.root, task)
    return list(found.values())


def prove(
    some: Sequence[tuple[Path, Task]],
    databases: Sequence[Database],
    *,
    rows: int,
    options: Callable[[Path], ReadOptions],
    progress: Progress = lambda stage, done, total: None,
) -> ProofReport:
    """Prove each task on each database. CannotProve where Django or a database cannot be used."""
    version = django_version()
    readings: dict[Path, Reading] = {}
    proofs: list[Proof] = []
    shown: list[Task] = []
    for root, task in some:
        if task.proposal.applicability is Applicability.DISPLAY:
            shown.append(task)
            continue
        try:
            if root not in readings:
                readings[root] = Reading(root, options(root))
            project = build(task.situation, task.proposal, readings[root], version)
        except NotProvable as reason:
            proofs += [
                Proof(task=task, database=one.label, status=Status.NOT_PROVABLE, reason=str(reason))
                for one in databases
            ]
            continue
        for database in databases:
            name = f"{task.proposal.id} of {task.label} on {database.vendor}"

            def stage(text: str, done: int, total: int | None, name: str = name) -> None:
                progress(f"{name}: {text}", done, total)

            proofs.append(run_proof(task, project, database, rows, stage))
    return ProofReport(proofs=tuple(proofs), shown_only=tuple(shown))

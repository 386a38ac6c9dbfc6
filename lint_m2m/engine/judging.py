"""What becomes of a project that was read: order, replay, rules, comments, sequences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from lint_m2m.config import Config
from lint_m2m.engine.comments import unsilenced
from lint_m2m.engine.judge import Case, Identity, Judged, judge_all, merge
from lint_m2m.engine.sources import TakesApart
from lint_m2m.engine.targets import Scope
from lint_m2m.engine.values import place
from lint_m2m.engine.ways_out import Context, WayOut, ways_out, with_sequences
from lint_m2m.finding import Finding
from lint_m2m.graph import build
from lint_m2m.migration import UNKNOWN, Migration, Project
from lint_m2m.processes import is_worker
from lint_m2m.readers.files import Files
from lint_m2m.replay.walk import ReplaySettings

if TYPE_CHECKING:
    from lint_m2m.engine.project import Job

Found: TypeAlias = dict[Identity, list[Finding]]

__all__ = ["judged", "merge", "replay_settings", "wanted", "with_ways_out"]


def judged(projects: Sequence[tuple[Project, TakesApart]], job: Job) -> list[tuple[Context, Found]]:
    """What the rules say of each project, which comes with what takes its migrations apart."""
    job.progress("ordering migrations")
    cases = [Case(project, build(project), replay_settings(project, job.config), whole) for project, whole in projects]
    job.clock.lap("graph")

    def replayed(done: int, total: int) -> None:
        # Two processes would draw one bar.
        if not is_worker():
            job.progress("replaying migrations", done, total)

    found = judge_all(cases, job.selection().enabled, replayed, job.reader.processes)
    job.clock.lap("replay and rules")
    return [(_context(case, one, job), one.found) for case, one in zip(cases, found, strict=True)]


def _context(case: Case, judged: Judged, job: Job) -> Context:
    return Context(
        root=job.root,
        project=case.project,
        graph=case.graph,
        settings=case.settings,
        found=frozenset(judged.found),
        by_columns=judged.by_columns,
        whole=case.whole,
        overlay=dict(job.options.overlay),
    )


def wanted(
    findings: Sequence[Finding], migrations: Mapping[str, Migration], paths: Collection[str], job: Job
) -> list[Finding]:
    """The findings that the report is to show, with their fingerprints."""
    job.progress("reading comments")
    files = Files(job.root, dict(job.options.overlay))

    def identified(some: Iterable[Finding]) -> list[Finding]:
        return job.fingerprints.given(some, files.lines)

    scope, own = Scope(job.targets), job.reader.reports_on
    # Numbered before any is silenced, so that a comment does not change the others' identity.
    wanted = identified(
        sorted((finding for finding in findings if finding.path in scope and own(finding.path)), key=place)
    )
    commented = [path for path in paths if path in scope]
    wanted = unsilenced(wanted, commented, migrations, files, job.selection(), identified, noqa=job.noqa)
    job.clock.lap("comments")
    return [finding for finding in wanted if job.selection().applies(finding.code, finding.path)]


def replay_settings(project: Project, config: Config) -> ReplaySettings:
    """The database and the Django that a project is replayed for."""
    vendor = config.database or (None if project.vendor is UNKNOWN else project.vendor)
    likeliest = ReplaySettings()
    return ReplaySettings(
        vendor=vendor or likeliest.vendor,
        vendor_known=vendor is not None,
        django_version=config.django_version or likeliest.django_version,
    )


def with_ways_out(findings: Sequence[Finding], contexts: Sequence[Context]) -> tuple[list[WayOut], list[Finding]]:
    """The ways out of `findings`, and the findings with their sequences."""
    if not findings:
        return [], []
    ways, notes = ways_out(findings, contexts)
    return ways, with_sequences(findings, ways, notes)

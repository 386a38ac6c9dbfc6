"""The check of what lies in one root, from its files to findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lint_m2m import config as configuration
from lint_m2m import looks
from lint_m2m.config import Config, Selection
from lint_m2m.discovery import Layout
from lint_m2m.engine.comments import unsilenced
from lint_m2m.engine.fingerprints import Fingerprints
from lint_m2m.engine.judge import Identity, judge, merge
from lint_m2m.engine.sources import Reader
from lint_m2m.engine.targets import Scope, Target, with_folders
from lint_m2m.engine.values import Checked, Clock, LeftOut, Stages, UnreadPart, place
from lint_m2m.engine.ways_out import Context, WayOut, ways_out, with_sequences
from lint_m2m.finding import Finding
from lint_m2m.graph import build
from lint_m2m.migration import UNKNOWN, Migration, Project
from lint_m2m.readers.files import Files
from lint_m2m.readers.options import ReadOptions
from lint_m2m.replay.walk import ReplaySettings
from lint_m2m.values import frozen

if TYPE_CHECKING:
    from lint_m2m.engine.unaffected import Unaffected


@frozen
class Job:
    """What to check for in the projects of one root, and who is to be told of it.

    `noqa`: such comments count. `proposes`: safe sequences are wanted as well.
    """

    root: Path
    targets: Sequence[Target]
    config: Config
    selection: Selection
    options: ReadOptions
    reader: Reader
    fingerprints: Fingerprints
    progress: Stages
    clock: Clock
    noqa: bool = True
    proposes: bool = True


def check_root(job: Job) -> Checked:
    """Check the projects of a root: one, or several whose app labels clash.

    An app that stands beside the projects belongs to each of them, so a file may be judged more than once; what one
    project has shown of it, the next does not show again. Comments are asked when all have spoken.
    """
    job.progress("looking for migrations")
    readables = job.reader.projects(job.root, job.options)
    job.clock.lap("discovery")
    found: dict[Identity, list[Finding]] = {}
    migrations: dict[str, Migration] = {}
    apps: set[str] = set()
    files: set[str] = set()
    places: dict[tuple[str, str], set[str]] = {}
    unread: dict[UnreadPart, None] = {}
    covered: dict[Target, None] = {}
    contexts: list[Context] = []
    left_out = {LeftOut(*one) for layout, _ in readables for one in layout.left_out}
    closed = {one for one in left_out if _is_closed(job.root / one.path)}
    unread |= {
        UnreadPart(path=one.path, line=None, reason=one.reason, unchecked="what is in it"): None
        for one in sorted(closed)
    }
    for layout, read in readables:
        targets = _concerned(job, layout)
        if not targets:
            continue
        covered |= dict.fromkeys(targets)
        job.progress(f"reading {len(layout.files):,} migrations")
        project = read()
        job.clock.lap("reading")
        context, judged = _judged(project, job)
        contexts.append(context)
        merge(found, judged)
        migrations |= {migration.path: migration for migration in project.migrations}
        own = job.reader.reports_on
        apps |= {app.path for app in project.apps if own(app.path)}
        files |= {file.path for file in layout.files if own(file.path)}
        unread |= dict.fromkeys(part for part in _unread(project) if own(part.path))
        named = [(one.app_label, one.name, one.path) for one in project.migrations]
        named += [(one.app_label, one.name, one.path) for one in project.unread]
        for app_label, name, path in named:
            if own(path):
                places.setdefault((app_label, name), set()).add(path)
    # Whoever has read a file knows whether there is something to look for.
    talking = files.difference(*[context.project.silent for context in contexts])
    findings = _wanted([finding for same in found.values() for finding in same], migrations, talking, job)
    ways: list[WayOut] = []
    if job.proposes:
        job.progress("looking for safe sequences")
        ways, notes = ways_out(findings, contexts)
        findings = with_sequences(findings, ways, notes)
        job.clock.lap("sequences")
    return Checked(
        findings=findings,
        ways_out=ways,
        unread=tuple(unread),
        left_out=left_out - closed,
        apps=apps,
        places={key: frozenset(places[key]) for key in _in_order(places, contexts)},
        covered=tuple(covered),
        unaffected=_unaffected(job, contexts, found, findings) if looks.noted() is not None else None,
    )


def _in_order(keys: Collection[tuple[str, str]], contexts: Sequence[Context]) -> Iterator[tuple[str, str]]:
    """Migrations, each after those that it depends on."""
    plans = (plan for context in contexts for plan in context.graph.plans)
    planned = dict.fromkeys(key for plan in plans for key in plan.order if key in keys)
    yield from planned
    yield from sorted(key for key in keys if key not in planned)


def _unaffected(
    job: Job, contexts: Sequence[Context], found: Mapping[Identity, list[Finding]], reported: Sequence[Finding]
) -> Unaffected | None:
    """What can be edited without changing anything; for several projects in one root nobody can tell.

    Nor where plain columns have a part in what was found.
    """
    if len(contexts) != 1 or contexts[0].by_columns:
        return None
    from lint_m2m.engine.unaffected import unaffected

    made = unaffected(contexts[0].project, [one for same in found.values() for one in same], reported)
    job.clock.lap("cache")
    return made


def _is_closed(path: Path) -> bool:
    """Whether a folder may hold anything, and nobody can tell."""
    return looks.is_folder(path) and not looks.is_open(path)


def _concerned(job: Job, layout: Layout) -> list[Target]:
    """The targets that have to do with a project: those that hold some of its migrations, or lie beside them.

    A file that the configuration excludes was not forgotten: somebody names all changed files, this one among them.
    """
    own = job.reader.reports_on
    everything = [file.path for file in layout.files] + [problem.path for problem in layout.problems]
    paths = [path for path in everything if own(path)]
    if not paths:
        return []
    holding = {folder for path in paths for folder in with_folders(path)}
    folders = {app.path for app in layout.apps if own(app.path)}

    def concerned(name: str) -> bool:
        return (
            name in holding
            or any(folder in folders for folder in with_folders(name))
            or any(configuration.matches(glob, name) for glob in job.config.exclude)
        )

    return [target for target in job.targets if any(concerned(name) for name in target.names)]


def _judged(project: Project, job: Job) -> tuple[Context, dict[Identity, list[Finding]]]:
    job.progress("ordering migrations")
    graph = build(project)
    job.clock.lap("graph")

    def replayed(done: int, total: int) -> None:
        job.progress("replaying migrations", done, total)

    settings = replay_settings(project, job.config)
    found, by_columns = judge(project, graph, settings, job.selection.enabled, replayed)
    job.clock.lap("replay and rules")
    context = Context(
        root=job.root,
        project=project,
        graph=graph,
        settings=settings,
        found=frozenset(found),
        by_columns=by_columns,
        overlay=dict(job.options.overlay),
    )
    return context, found


def _wanted(
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
    wanted = unsilenced(wanted, commented, migrations, files, job.selection, identified, noqa=job.noqa)
    job.clock.lap("comments")
    return [finding for finding in wanted if job.selection.applies(finding.code, finding.path)]


def replay_settings(project: Project, config: Config) -> ReplaySettings:
    """The database and the Django that a project is replayed for."""
    vendor = config.database or (None if project.vendor is UNKNOWN else project.vendor)
    likeliest = ReplaySettings()
    return ReplaySettings(
        vendor=vendor or likeliest.vendor,
        vendor_known=vendor is not None,
        django_version=config.django_version or likeliest.django_version,
    )


def _unread(project: Project) -> Iterator[UnreadPart]:
    for file in project.unread:
        line = file.span.line if file.span else None
        yield UnreadPart(path=file.path, line=line, reason=file.reason, unchecked="the whole file")
    for migration in project.migrations:
        for gap in migration.gaps:
            line = gap.span.line if gap.span else None
            yield UnreadPart(path=migration.path, line=line, reason=gap.reason, unchecked=gap.unchecked)

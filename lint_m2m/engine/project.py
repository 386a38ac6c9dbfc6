"""The check of what lies in one root, from its files to findings.

What comes after the reading (`judging.py`) is loaded when the reading is under way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lint_m2m import config as configuration
from lint_m2m import looks
from lint_m2m.config import Config, Selection
from lint_m2m.engine.fingerprints import Fingerprints
from lint_m2m.engine.sources import Readable, Reader
from lint_m2m.engine.targets import Target, with_folders
from lint_m2m.engine.values import Checked, Clock, LeftOut, Stages, UnreadPart
from lint_m2m.finding import Finding
from lint_m2m.migration import Migration, Project
from lint_m2m.readers.options import ReadOptions
from lint_m2m.values import frozen

if TYPE_CHECKING:
    from lint_m2m.discovery import Layout
    from lint_m2m.engine.judge import Identity
    from lint_m2m.engine.unaffected import Unaffected
    from lint_m2m.engine.ways_out import Context, WayOut


@frozen
class Job:
    """What to check for in the projects of one root, and who is to be told of it.

    `selection` yields the rules that count; it raises ConfigurationError. `noqa`: such comments count. `proposes`: safe
    sequences are wanted as well.
    """

    root: Path
    targets: Sequence[Target]
    config: Config
    selection: Callable[[], Selection]
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
    left_out = {LeftOut(*one) for readable in readables for one in readable.layout.left_out}
    closed = {one for one in left_out if _is_closed(job.root / one.path)}
    unread |= {
        UnreadPart(path=one.path, line=None, reason=one.reason, unchecked="what is in it"): None
        for one in sorted(closed)
    }
    wanted: list[Readable] = []
    for readable in readables:
        targets = _concerned(job, readable.layout)
        if targets:
            covered |= dict.fromkeys(targets)
            wanted.append(readable)
    if wanted:
        job.progress(f"reading {sum(len(readable.layout.files) for readable in wanted):,} migrations")
    projects = list(zip(wanted, job.reader.read(wanted, job.options), strict=True))
    job.clock.lap("reading")
    from lint_m2m.engine import judging

    all_judged = judging.judged([(project, readable.whole) for readable, project in projects], job)
    for (readable, project), (context, judged) in zip(projects, all_judged, strict=True):
        contexts.append(context)
        judging.merge(found, judged)
        migrations |= {migration.path: migration for migration in project.migrations}
        own = job.reader.reports_on
        apps |= {app.path for app in project.apps if own(app.path)}
        files |= {file.path for file in readable.layout.files if own(file.path)}
        unread |= dict.fromkeys(part for part in _unread(project) if own(part.path))
        named = [(one.app_label, one.name, one.path) for one in project.migrations]
        named += [(one.app_label, one.name, one.path) for one in project.unread]
        for app_label, name, path in named:
            if own(path):
                places.setdefault((app_label, name), set()).add(path)
    # Whoever has read a file knows whether there is something to look for.
    talking = files.difference(*[context.project.silent for context in contexts])
    findings = judging.wanted([finding for same in found.values() for finding in same], migrations, talking, job)
    ways: list[WayOut] = []
    if job.proposes:
        job.progress("looking for safe sequences")
        ways, findings = judging.with_ways_out(findings, contexts)
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

    every = [one for same in found.values() for one in same]
    made = unaffected(contexts[0].project, contexts[0].graph, every, reported)
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


def _unread(project: Project) -> Iterator[UnreadPart]:
    for file in project.unread:
        line = file.span.line if file.span else None
        yield UnreadPart(path=file.path, line=line, reason=file.reason, unchecked="the whole file")
    for migration in project.migrations:
        for gap in migration.gaps:
            line = gap.span.line if gap.span else None
            yield UnreadPart(path=migration.path, line=line, reason=gap.reason, unchecked=gap.unchecked)

"""One run: the projects that paths lie in, checked or remembered, compared with what is known, and put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache as remembering
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lint_m2m import config as configuration
from lint_m2m import looks
from lint_m2m.config import Config, Selection
from lint_m2m.engine.fingerprints import Fingerprints
from lint_m2m.engine.sources import Reader, SourceReader
from lint_m2m.engine.targets import common_root, targets_by_root
from lint_m2m.engine.values import Checked, Clock, LeftOut, Outcome, Stages, place
from lint_m2m.errors import NoMigrationsError
from lint_m2m.finding import Report, Severity, Summary
from lint_m2m.values import replace

if TYPE_CHECKING:
    from lint_m2m.baseline import Baseline
    from lint_m2m.cache import Cache
    from lint_m2m.changes import Changes, Comparison
    from lint_m2m.engine.project import Job

AnyPath: TypeAlias = str | os.PathLike[str]


def check(path: AnyPath | Iterable[AnyPath] = ".", config: Config | None = None) -> Report:
    """Check what lies under `path`, or under several paths, and return everything that was found.

    A path is a project, an app, a migrations folder or a migration file; the migration graph is always the whole
    project's. `config` replaces the configuration file; without it, ``[tool.lint-m2m]`` of the nearest pyproject.toml
    counts, as on the command line.

    Raises `lint_m2m.LintM2MError` where it could not check: UsageError for a path that does not exist,
    ConfigurationError, NoMigrationsError when there is nothing to check, ReadError for a folder that cannot be read.
    """
    given = [path] if isinstance(path, str | os.PathLike) else list(path)

    def configure(root: Path) -> Config:
        return configuration.load(root) if config is None else config

    return run([Path(each) for each in given], configure).report


def root_of(paths: Sequence[Path]) -> Path:
    """Where the paths of a report about `paths` start: the root of their project, or of all their projects."""
    return common_root(targets_by_root(paths))


def roots_of(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The root of each project that `paths` lie in, in their order."""
    return tuple(targets_by_root(paths))


def run(
    paths: Sequence[Path],
    configure: Callable[[Path], Config],
    *,
    progress: Stages = lambda stage, done=0, total=None: None,
    overlay: Mapping[Path, bytes] | None = None,
    noqa: bool = True,
    required: bool = True,
    reader: Reader | None = None,
    comparison: Comparison | None = None,
    renew: bool = False,
    cache: Cache | None = None,
) -> Outcome:
    """Like `check`; `configure` yields the configuration for the root of a project.

    `overlay` holds files (absolute paths, in folders that are there) whose bytes count instead of what is on disk.
    Without `noqa`, comments of that kind are as if they were not there. Not `required`: that there are no migrations is
    a warning in the report. With `comparison` the report holds what a change has to do with. `renew`: the baselines are
    about to be written, so they need not be there, and what they know is reported. Raises ChangesError besides.
    `reader` is where the projects come from, their source if none is given. What `cache` remembers of the same files is
    not worked out again; the findings are the same, and `ways_out` is empty then.
    """
    reader = reader or SourceReader()
    groups = targets_by_root(paths)
    base = common_root(groups)
    clock, fingerprints = Clock(), Fingerprints()
    laid_over = tuple(sorted({**reader.overlay, **(overlay or {})}.items()))
    configs = {root: configure(root) for root in groups}

    @remembering
    def job(root: Path) -> Job:
        from lint_m2m.engine.project import Job

        config = configs[root]

        @remembering
        def selection() -> Selection:
            from lint_m2m.rules import NAMES

            return configuration.select(config, NAMES, root)

        return Job(
            root=root,
            targets=groups[root],
            config=config,
            selection=selection,
            options=replace(configuration.read_options(config, root), overlay=laid_over),
            reader=reader,
            fingerprints=fingerprints,
            progress=progress,
            clock=clock,
            noqa=noqa,
        )

    memory = None
    if cache is not None and comparison is None and not laid_over and isinstance(reader, SourceReader):
        from lint_m2m.engine.memory import Memory

        memory = Memory(cache, groups, configs, noqa=noqa)
    sources: dict[Path, bytes] = {}
    changes: dict[Path, Changes] = {}
    done = None
    if memory is not None:
        done = memory.recall()
        clock.lap("cache")
    if done is None:
        done = {}
        with nullcontext() if memory is None else looks.noting() as looked_at:
            for root in groups:
                done[root] = _checked(job, root, comparison, changes, sources)
        if memory is not None and looked_at is not None:
            memory.keep(done, looked_at)
            clock.lap("cache")
    warnings = [warning for config in configs.values() for warning in config.warnings]
    for root, config in configs.items():
        if config.searched:
            warnings += configuration.passed_by(root, done[root].migrations)
    covered = {target for checked in done.values() for target in checked.covered}
    if required and not covered:
        where = " or ".join(f"`{path}`" for path in paths)
        staged_only = ", as far as git has them" if comparison is not None and comparison.staged else ""
        raise NoMigrationsError(f"there are no migrations in {where}{staged_only}")
    warnings += [
        f"there are no migrations in `{target.given}`"
        for targets in groups.values()
        for target in targets
        if target not in covered
    ]
    known, older = 0, 0
    baselines: tuple[tuple[Baseline, int], ...] = ()
    if renew or any(config.baseline is not None for config in configs.values()):
        from lint_m2m.engine.known import Part, without_known

        compared = without_known(
            [Part(root=root, job=job(root), checked=checked) for root, checked in done.items()], renew=renew
        )
        done = {part.root: part.checked for part in compared.parts}
        known, baselines = compared.count, tuple(compared.baselines)
        warnings += compared.warnings
    for root, changed in changes.items():
        from lint_m2m.engine.compared import of_change

        done[root], more, told = of_change(job(root), done[root], changed)
        older += more
        warnings += told
    shown = [_below(root, base, checked) for root, checked in done.items()]
    findings = sorted((finding for checked in shown for finding in checked.findings), key=place)
    reported = {finding.fingerprint for finding in findings}
    migrations = tuple(dict.fromkeys(path for one in shown for path in one.migrations))
    return Outcome(
        report=Report(
            root=base,
            summary=replace(_summary(shown, len(migrations)), known=known, older=older),
            findings=tuple(findings),
            warnings=tuple(dict.fromkeys(warnings)),
        ),
        unread=tuple(
            sorted((unread for one in shown for unread in one.unread), key=lambda part: (part.path, part.line or 0))
        ),
        left_out=tuple(sorted({left for one in shown for left in one.left_out})),
        timings=clock.laps(),
        ways_out=tuple(way for one in shown for way in one.ways_out if way.fingerprint in reported),
        migrations=migrations,
        sources=tuple(sorted(sources.items())),
        baselines=baselines,
        reader=reader,
    )


def _checked(
    job: Callable[[Path], Job],
    root: Path,
    comparison: Comparison | None,
    changes: dict[Path, Changes],
    sources: dict[Path, bytes],
) -> Checked:
    """The check of one root; what git says of it goes to `changes`, the files that are only staged to `sources`."""
    from lint_m2m.engine.project import check_root

    if comparison is not None:
        # What runs git is loaded by those who ask for it.
        from lint_m2m.changes import find
        from lint_m2m.engine.compared import check_index

        asked = job(root)
        asked.progress("asking git")
        changes[root] = find(root, comparison)
        asked.clock.lap("git")
        if comparison.staged:
            checked, staged = check_index(asked, changes[root])
            sources |= staged
            return checked
    return check_root(job(root))


def _below(root: Path, base: Path, checked: Checked) -> Checked:
    """The same, with paths relative to `base`, which is `root` or a folder above it."""
    if root == base:
        return checked
    from lint_m2m.engine.moving import moved

    prefix = Path(os.path.relpath(root, base)).as_posix() + "/"
    return replace(
        checked,
        findings=[moved(finding, prefix) for finding in checked.findings],
        unread=[replace(part, path=prefix + part.path) for part in checked.unread],
        left_out={LeftOut(prefix + left.path, left.reason) for left in checked.left_out},
        apps={prefix + path for path in checked.apps},
        places={key: frozenset(prefix + path for path in paths) for key, paths in checked.places.items()},
    )


def _summary(parts: Sequence[Checked], migrations: int) -> Summary:
    severities = [finding.severity for part in parts for finding in part.findings]
    return Summary(
        # One root may lie in another.
        apps=len({path for part in parts for path in part.apps}),
        migrations=migrations,
        unread=len({unread for part in parts for unread in part.unread}),
        error=severities.count(Severity.ERROR),
        warning=severities.count(Severity.WARNING),
        info=severities.count(Severity.INFO),
    )

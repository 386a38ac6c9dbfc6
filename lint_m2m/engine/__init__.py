"""The whole check: load, graph, replay, rules, comments, configuration, sort.

`check` is the Python API; `run` is the same with what an entry point wants to know besides.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from lint_m2m import config as configuration
from lint_m2m.baseline import Baseline
from lint_m2m.config import Config
from lint_m2m.engine.fingerprints import Fingerprints
from lint_m2m.engine.known import Part, without_known
from lint_m2m.engine.moving import moved
from lint_m2m.engine.project import (
    Checked,
    Clock,
    Job,
    LeftOut,
    Reader,
    SourceReader,
    Stages,
    UnreadPart,
    check_root,
    place,
)
from lint_m2m.engine.targets import common_root, targets_by_root
from lint_m2m.engine.ways_out import WayOut
from lint_m2m.errors import NoMigrationsError
from lint_m2m.finding import Report, Severity, Summary
from lint_m2m.rules import RULES
from lint_m2m.values import frozen

if TYPE_CHECKING:
    from lint_m2m.changes import Changes, Comparison

__all__ = [
    "CODES",
    "NAMES",
    "LeftOut",
    "Outcome",
    "Reader",
    "SourceReader",
    "Stages",
    "UnreadPart",
    "WayOut",
    "check",
    "root_of",
    "roots_of",
    "run",
]

# Of every rule there is: the codes, and the names by them.
CODES: Final = tuple(rule.code for rule in RULES)
NAMES: Final = {rule.code: rule.name for rule in RULES}

AnyPath: TypeAlias = str | os.PathLike[str]


@frozen
class Outcome:
    """A report, what was not read or left out of it, and how many seconds each stage took.

    `ways_out` holds the proposals behind the findings' sequences, for what writes or runs them; a finding's has its
    fingerprint. `migrations` are the paths of all migration files that were met, relative to the report's root.
    `reader` is where the projects came from, for those who check them again. `sources` are the files
    that findings point at, by absolute path, where they are not what is on disk. `baselines` are those to write, where
    that was asked for, each with the number of findings that are gone.
    """

    report: Report
    unread: tuple[UnreadPart, ...]
    left_out: tuple[LeftOut, ...]
    timings: tuple[tuple[str, float], ...]
    ways_out: tuple[WayOut, ...]
    migrations: tuple[str, ...]
    reader: Reader
    sources: tuple[tuple[Path, bytes], ...] = ()
    baselines: tuple[tuple[Baseline, int], ...] = ()


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
) -> Outcome:
    """Like `check`; `configure` yields the configuration for the root of a project.

    `overlay` holds files (absolute paths, in folders that are there) whose bytes count instead of what is on disk.
    Without `noqa`, comments of that kind are as if they were not there. Not `required`: that there are no migrations is
    a warning in the report. With `comparison` the report holds what a change has to do with. `renew`: the baselines are
    about to be written, so they need not be there, and what they know is reported. Raises ChangesError besides.
    `reader` is where the projects come from, their source if none is given.
    """
    reader = reader or SourceReader()
    groups = targets_by_root(paths)
    base = common_root(groups)
    clock, fingerprints = Clock(), Fingerprints()
    laid_over = tuple(sorted({**reader.overlay, **(overlay or {})}.items()))
    parts: list[Part] = []
    changes: dict[Path, Changes] = {}
    sources: dict[Path, bytes] = {}
    warnings: list[str] = []
    for root, targets in groups.items():
        config = configure(root)
        warnings += config.warnings
        job = Job(
            root=root,
            targets=targets,
            config=config,
            selection=configuration.select(config, NAMES, root),
            options=replace(configuration.read_options(config, root), overlay=laid_over),
            reader=reader,
            fingerprints=fingerprints,
            progress=progress,
            clock=clock,
            noqa=noqa,
        )
        checked = None
        if comparison is not None:
            # What runs git is loaded by those who ask for it.
            from lint_m2m.changes import find
            from lint_m2m.engine.compared import check_index

            progress("asking git")
            changes[root] = find(root, comparison)
            clock.lap("git")
            if comparison.staged:
                checked, staged = check_index(job, changes[root])
                sources |= staged
        checked = checked or check_root(job)
        if config.searched:
            warnings += configuration.passed_by(root, checked.migrations)
        parts.append(Part(root=root, job=job, checked=checked))
    covered = {target for part in parts for target in part.checked.covered}
    if required and not covered:
        where = " or ".join(f"`{path}`" for path in paths)
        staged_only = ", as far as git has them" if comparison is not None and comparison.staged else ""
        raise NoMigrationsError(f"there are no migrations in {where}{staged_only}")
    known = without_known(parts, renew=renew)
    warnings += [
        f"there are no migrations in `{target.given}`"
        for targets in groups.values()
        for target in targets
        if target not in covered
    ]
    warnings += known.warnings
    parts, older = [*known.parts], 0
    for number, part in enumerate(parts):
        if part.root in changes:
            from lint_m2m.engine.compared import of_change

            parts[number], more, told = of_change(part, changes[part.root])
            older += more
            warnings += told
    done = [_below(part.root, base, part.checked) for part in parts]
    findings = sorted((finding for part in done for finding in part.findings), key=place)
    reported = {finding.fingerprint for finding in findings}
    return Outcome(
        report=Report(
            root=base,
            summary=replace(_summary(done), known=known.count, older=older),
            findings=tuple(findings),
            warnings=tuple(dict.fromkeys(warnings)),
        ),
        unread=tuple(
            sorted((unread for part in done for unread in part.unread), key=lambda part: (part.path, part.line or 0))
        ),
        left_out=tuple(sorted({left for part in done for left in part.left_out})),
        timings=clock.laps(),
        ways_out=tuple(way for part in done for way in part.ways_out if way.fingerprint in reported),
        migrations=tuple(sorted({path for part in done for path in part.migrations})),
        sources=tuple(sorted(sources.items())),
        baselines=tuple(known.baselines),
        reader=reader,
    )


def _below(root: Path, base: Path, checked: Checked) -> Checked:
    """The same, with paths relative to `base`, which is `root` or a folder above it."""
    if root == base:
        return checked
    prefix = Path(os.path.relpath(root, base)).as_posix() + "/"
    return replace(
        checked,
        findings=[moved(finding, prefix) for finding in checked.findings],
        unread=[replace(part, path=prefix + part.path) for part in checked.unread],
        left_out={LeftOut(prefix + left.path, left.reason) for left in checked.left_out},
        apps={prefix + path for path in checked.apps},
        migrations={prefix + path for path in checked.migrations},
    )


def _summary(parts: Sequence[Checked]) -> Summary:
    severities = [finding.severity for part in parts for finding in part.findings]
    return Summary(
        # One root may lie in another.
        apps=len({path for part in parts for path in part.apps}),
        migrations=len({path for part in parts for path in part.migrations}),
        unread=len({unread for part in parts for unread in part.unread}),
        error=severities.count(Severity.ERROR),
        warning=severities.count(Severity.WARNING),
        info=severities.count(Severity.INFO),
    )

"""What the engine hands to its callers: what came out of a check, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lint_m2m.engine.targets import Target
from lint_m2m.finding import Finding, Report
from lint_m2m.migration import Span
from lint_m2m.values import NamedTuple, frozen

if TYPE_CHECKING:
    from lint_m2m.baseline import Baseline
    from lint_m2m.engine.sources import Reader
    from lint_m2m.engine.unaffected import Unaffected
    from lint_m2m.engine.ways_out import WayOut


class Stages(Protocol):
    """Is told what is being done, how much of it is done, and how much there is (``None``: not known)."""

    def __call__(self, stage: str, done: int = 0, total: int | None = None) -> None: ...


class Clock:
    """How many seconds each stage took."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """The time since the last lap went into `stage`."""
        now = time.perf_counter()
        self._laps[stage] = self._laps.get(stage, 0.0) + now - self._last
        self._last = now

    def laps(self) -> tuple[tuple[str, float], ...]:
        return tuple(self._laps.items())


@frozen
class UnreadPart:
    """Something that was not read: a file, or a part of one, and what is not checked because of it."""

    path: str
    line: int | None
    reason: str
    unchecked: str


class LeftOut(NamedTuple):
    """Something that was met and is no part of the check, with the reason."""

    path: str
    reason: str


@frozen
class Checked:
    """What came out of one root.

    `apps` are paths; `places` those of the migrations, by app label and name, in the order in which they run, those
    that never do last; `covered` the targets that have to do with it. `unaffected` is there for those who remember it.
    """

    findings: Sequence[Finding]
    ways_out: Sequence[WayOut]
    unread: Collection[UnreadPart]
    left_out: Collection[LeftOut]
    apps: Collection[str]
    places: Mapping[tuple[str, str], frozenset[str]]
    covered: Collection[Target]
    unaffected: Unaffected | None = None

    @property
    def migrations(self) -> tuple[str, ...]:
        """The paths of the migrations, in the order of `places`."""
        found: dict[str, None] = {}
        for paths in self.places.values():
            found |= dict.fromkeys(paths if len(paths) == 1 else sorted(paths))
        return tuple(found)


@frozen
class Outcome:
    """A report, what was not read or left out of it, and how many seconds each stage took.

    `ways_out` holds the proposals behind the findings' sequences, for what writes or runs them; a finding's has its
    fingerprint. `migrations` are the paths of all migration files that were met, relative to the report's root,
    those of a project in the order in which they run.
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


def place(finding: Finding) -> tuple[str, Span, str, str, str, str]:
    """The order of a report: by file and place; the rest decides between findings at one place."""
    return (
        finding.path,
        finding.span,
        finding.code,
        finding.operation or "",
        finding.field or "",
        finding.message,
    )

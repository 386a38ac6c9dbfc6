"""The values that leave the engine: findings, the sequences they carry, and the report of one run.

Analysis returns these; only `reports` turns them into text. The JSON form (DESIGN.md section 7) has the same names.
"""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Final

from lint_m2m.migration import Location, Span
from lint_m2m.values import declare, frozen


class Severity(enum.Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return {"error": 2, "warning": 1, "info": 0}[self.value]


class Certainty(enum.Enum):
    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Downtime(enum.Enum):
    NONE = "none"
    BRIEF = "brief"
    COPY_TIME = "copy-time"


class Applicability(enum.Enum):
    SAFE = "safe"  # a tool may apply it
    REVIEW = "review"  # a tool may apply it when the user asked for unsafe fixes
    DISPLAY = "display"  # shown, never applied


# How the title of a sequence begins that is refused.
REFUSED: Final = "refused: "


@frozen
class SequenceStep:
    """One thing to do: complete, pasteable code for `path` (relative to the root; ``None`` for a shell command)."""

    title: str
    path: str | None
    language: str  # "python", "sql", "console"
    code: str
    deploy_before_next: bool = False


@frozen
class Sequence:
    """A safe way to the state that the guilty operation wanted."""

    id: str
    title: str
    why: str
    downtime: Downtime
    applicability: Applicability
    recommended: bool = False
    steps: tuple[SequenceStep, ...] = ()
    caveats: tuple[str, ...] = ()
    verify: str | None = None

    @property
    def refused(self) -> bool:
        """Whether the title says why there is none, and the steps what to do instead."""
        return self.title.startswith(REFUSED)


@frozen
class Related:
    """Another place that has to do with a finding, with what it has to do with it."""

    location: Location
    message: str


@frozen
class Finding:
    """One thing that is wrong.

    `label` is the few words beside the carets ("added here"); `message` the headline. `operation` is the address
    ("3", "3.database.0"), ``None`` for a file; `field` is ``app_label.model_name.field_name``; `runtime_error` the
    exception `migrate` raises (type and text), ``None`` when it raises none. `reason` says why a finding is not
    certain. `fingerprint` survives line moves and reformatting; the engine fills it in.
    """

    code: str
    name: str
    severity: Severity
    message: str
    location: Location
    certainty: Certainty = Certainty.CERTAIN
    reason: str | None = None
    label: str = ""
    app_label: str | None = None
    migration: str | None = None
    operation: str | None = None
    field: str | None = None
    runtime_error: str | None = None
    related: tuple[Related, ...] = ()
    notes: tuple[str, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    fingerprint: str = ""

    @property
    def path(self) -> str:
        return self.location.path

    @property
    def span(self) -> Span:
        return self.location.span


@frozen
class Summary:
    """Counts for the closing line: what was read (the whole graph), what was found (in the report).

    Not in the report, because it was asked for so: `known` findings of a baseline, `older` ones than a change.
    """

    apps: int
    migrations: int
    unread: int
    error: int
    warning: int
    info: int
    known: int = 0
    older: int = 0


@frozen
class Report:
    """What one check found. `root` is where the findings' paths start; it is in no machine format."""

    root: Path
    summary: Summary
    findings: tuple[Finding, ...]
    # Things to say on stderr that are no finding: an option that has no effect, a baseline entry that matches nothing.
    warnings: tuple[str, ...] = declare(default=())

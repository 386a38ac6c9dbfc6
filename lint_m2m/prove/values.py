"""What a proof is made from (`ProofProject`) and what it comes to (`Proof`)."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from lint_m2m.finding import Applicability, Downtime, Finding
from lint_m2m.replay.facts import FieldKey
from lint_m2m.sequences.values import Proposal, Situation
from lint_m2m.values import declare, frozen


class NotProvable(Exception):
    """A sequence for which no project can be made, and why."""


@frozen
class ProofProject:
    """A minimal project, as text.

    `files` maps paths in the folder to text. `labels` are its apps, in order; `before` is the migration of each at
    which the sequence begins (``None``: none); `was` is the field's name there. `first` is the sequence's first
    migration, after which code of the release before has to go on working where `old_code` says so. `notes` say what
    was left out or stands in.
    """

    files: Mapping[str, str]
    package: str
    labels: tuple[str, ...]
    field: FieldKey
    was: str
    before: Mapping[str, str | None]
    first: tuple[str, str]
    old_code: bool
    default_auto_field: str
    link_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@frozen
class Task:
    """One sequence to prove, and the findings that carry it."""

    findings: tuple[Finding, ...]
    situation: Situation
    proposal: Proposal

    @property
    def label(self) -> str:
        return self.situation.field_label


class Status(enum.Enum):
    PROVED = "proved"
    FAILED = "failed"  # it ran, and something is not as the sequence says
    NOT_PROVABLE = "not provable"  # no project could be made for it


@frozen
class Ran:
    """One migration of a sequence: how long it took, and the strongest lock on each table at its end.

    `locks` is ``None`` where the database does not tell.
    """

    migration: str
    seconds: float
    locks: Mapping[str, str] | None = None


@frozen
class Proof:
    """One sequence on one database.

    Counts are ``None`` for what was not reached. `server` is the database's name and version as Django reads it.
    `problems` say what is wrong, nothing when it is proved; `notes` what to know about how it was proved.
    """

    task: Task
    database: str
    status: Status
    reason: str | None = None
    server: str | None = None
    django: str | None = None
    rows: int | None = None
    duplicates: int | None = None
    rows_forward: int | None = None
    rows_backward: int | None = None
    rows_again: int | None = None
    schema_equal: bool | None = None
    differences: tuple[str, ...] = ()
    no_changes: bool | None = None
    old_code: bool | None = None
    new_code: bool | None = None
    reversible: bool | None = None
    seconds: Mapping[str, float] = declare(default_factory=dict)
    migrations: tuple[Ran, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def downtime(self) -> Downtime:
        return self.task.proposal.downtime

    @property
    def applicability(self) -> Applicability:
        return self.task.proposal.applicability


@frozen
class ProofReport:
    """All proofs, and the sequences that were not run because nobody may apply them."""

    proofs: tuple[Proof, ...]
    shown_only: tuple[Task, ...] = ()

    @property
    def proved(self) -> bool:
        return all(proof.status is Status.PROVED for proof in self.proofs)

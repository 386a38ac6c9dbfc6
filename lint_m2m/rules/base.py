"""What a rule is, and how it makes findings.

A rule is a class in a module of its own (``mtm101_through_added.py``), listed once in `lint_m2m.rules.RULES`. One
instance serves one replay, so it may remember what it saw. The module's docstring is its documentation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Certainty, Finding, Related, Severity
from lint_m2m.graph import Graph
from lint_m2m.migration import Location, Operation, Project, Span
from lint_m2m.replay.facts import FieldKey, Origin
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay

# Where a finding points that is about a file as a whole.
WHOLE_FILE = Span(1, 1, 1, 1)


class Rule:
    """Base of all rules: metadata as class attributes, two hooks, and helpers that fill a finding's places."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    # Which steps `check` is called for: those of these operations (None: all), and only those that fail.
    operations: ClassVar[frozenset[type[Operation]] | None] = None
    only_failing: ClassVar[bool] = False

    def check_project(self, project: Project, graph: Graph) -> Iterator[Finding]:
        """Judge what was read, before any replay. Called once for a run."""
        return iter(())

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        """Judge one operation. Called for every step in order that `operations` and `only_failing` leave; `replay` is
        at the moment just after it."""
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        """Judge the end of the history, where what Django believes and what exists are final."""
        return iter(())

    def finding_at(
        self,
        step: Step,
        message: str,
        *,
        span: Span | None = None,
        label: str = "",
        field: FieldKey | None = None,
        certainty: Certainty = Certainty.CERTAIN,
        reason: str | None = None,
        runtime_error: str | None = None,
        related: tuple[Related, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Finding:
        """A finding at `step`: at `span`, else at the whole operation.

        Of an operation that may not run at all nothing is certain.
        """
        if step.conditional is not None and certainty is Certainty.CERTAIN:
            certainty, reason = Certainty.LIKELY, f"it may not run: {step.conditional}"
        where = span or step.origin.location.span
        return self.finding(
            Origin(step.migration.key, step.address, Location(step.migration.path, where)),
            message,
            label=label,
            field=field,
            certainty=certainty,
            reason=reason,
            runtime_error=runtime_error,
            related=related,
            notes=notes,
        )

    def finding(
        self,
        origin: Origin,
        message: str,
        *,
        label: str = "",
        field: FieldKey | None = None,
        certainty: Certainty = Certainty.CERTAIN,
        reason: str | None = None,
        runtime_error: str | None = None,
        related: tuple[Related, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Finding:
        """A finding at the operation or definition that `origin` names."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=self.severity,
            message=message,
            location=origin.location,
            certainty=certainty,
            reason=reason,
            label=label,
            app_label=origin.migration.app_label,
            migration=origin.migration.name,
            operation=origin.address,
            field=None if field is None else str(field),
            runtime_error=runtime_error,
            related=related,
            notes=notes,
        )


def documentation(rule: type[Rule]) -> str:
    """The docstring of the rule's module, as Markdown."""
    return (sys.modules[rule.__module__].__doc__ or "This installation was stripped of its documentation.").strip()

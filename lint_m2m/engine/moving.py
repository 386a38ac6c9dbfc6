"""Findings seen from another folder."""

from __future__ import annotations

from lint_m2m.finding import Finding, Related
from lint_m2m.migration import Location
from lint_m2m.values import replace


def moved(finding: Finding, prefix: str) -> Finding:
    """The finding with every path in it behind `prefix` (empty, or ending with "/")."""
    if not prefix:
        return finding

    def placed(location: Location) -> Location:
        return Location(prefix + location.path, location.span)

    return replace(
        finding,
        location=placed(finding.location),
        related=tuple(Related(location=placed(each.location), message=each.message) for each in finding.related),
        sequences=tuple(
            replace(
                sequence,
                steps=tuple(
                    step if step.path is None else replace(step, path=prefix + step.path) for step in sequence.steps
                ),
            )
            for sequence in finding.sequences
        ),
    )

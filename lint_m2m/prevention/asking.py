"""Which sequence to write: the questioner's prompt where there is somebody to answer, else the recommended one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

from django.db.migrations.questioner import InteractiveMigrationQuestioner

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.prevention.changes import ThroughChange
from lint_m2m.sequences.values import Proposal

_DOWNTIMES: Final = {
    Downtime.NONE: "no downtime",
    Downtime.BRIEF: "brief downtime",
    Downtime.COPY_TIME: "down while rows are copied",
}
# What Django's own questions end with.
_QUIT_STATUS: Final = 3


class Chooser:
    """The choice for each change, made once. As `safe.Choose` wants it."""

    def __init__(self, questioner: Any, *, dry_run: bool) -> None:
        asks = isinstance(questioner, InteractiveMigrationQuestioner) and not dry_run
        self._questioner = questioner if asks else None
        self._made: dict[str, str | None] = {}

    def __call__(self, change: ThroughChange, proposals: Sequence[Proposal]) -> Proposal | str:
        if change.key not in self._made:
            self._made[change.key] = self._ask(change, proposals)
        chosen = self._made[change.key]
        if chosen is None:
            return "you have chosen so"
        return next((one for one in proposals if one.id == chosen), proposals[0])

    def _ask(self, change: ThroughChange, proposals: Sequence[Proposal]) -> str | None:
        """The id of a sequence, or ``None`` for none of them."""
        recommended = proposals[0].id
        if self._questioner is None:
            return recommended
        choices = [*(_shown(one) for one in proposals), "As Django writes it", "Quit and write nothing"]
        try:
            answer = self._questioner._choice_input(
                f"{change}. As Django writes it, `migrate` would fail or lose the links. Please select a way:", choices
            )
        except EOFError:
            self._questioner.prompt_output.write(f"\nNobody answers: {recommended}, the recommended one.")
            return recommended
        if answer == len(choices):
            sys.exit(_QUIT_STATUS)
        return proposals[answer - 1].id if answer <= len(proposals) else None


def _shown(proposal: Proposal) -> str:
    notes = [_DOWNTIMES[proposal.downtime]]
    if proposal.recommended:
        notes.append("recommended")
    if proposal.applicability is Applicability.REVIEW:
        notes.append("to be reviewed")
    return f"{proposal.id}: {proposal.title} ({', '.join(notes)})"

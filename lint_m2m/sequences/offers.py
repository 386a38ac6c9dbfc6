"""What there is for a situation: every sequence is asked whether it fits.

The sequences are loaded by the first situation that none of them is refused for.
"""

from __future__ import annotations

from lint_m2m.finding import Applicability, Sequence
from lint_m2m.sequences.database_side import in_holder
from lint_m2m.sequences.removed_before import with_removal
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import Instruction, Proposal, Situation
from lint_m2m.values import frozen, replace


def sequence_ids() -> tuple[str, ...]:
    """The ids of all sequences that there are."""
    from lint_m2m.sequences.registry import SEQUENCES

    return tuple(dict.fromkeys(name for name, _ in SEQUENCES))


def is_refusal(proposal: Proposal) -> bool:
    """Whether its title says why there is no sequence, and its steps what to do instead."""
    from lint_m2m.sequences import fake

    return proposal.id != fake.ID and all(isinstance(change, Instruction) for change in proposal.changes)


@frozen
class Offer:
    """What there is for a situation: `proposals`, and `notes` on why others are not among them.

    `sequences` are the proposals as a finding carries them.
    """

    proposals: tuple[Proposal, ...]
    sequences: tuple[Sequence, ...] = ()
    notes: tuple[str, ...] = ()


def propose(situation: Situation) -> tuple[Proposal, ...]:
    """The proposals of `offer`."""
    return offer(situation).proposals


def offer(situation: Situation) -> Offer:
    """All sequences that fit, the recommended one first; exactly one is recommended unless all are for display.

    A sequence whose code cannot be written from what is known, or not into its file, is left out, and why is said: of
    `rewrite-history`, which is shown only, where nothing else is found.
    """
    if situation.refused is not None:
        return Offer(proposals=(), notes=(f"no sequence fits it: {situation.refused}",))
    from lint_m2m.sequences import fake, rewrite_history
    from lint_m2m.sequences.registry import SEQUENCES
    from lint_m2m.sequences.render import render

    found: list[tuple[Proposal, Sequence]] = []
    unwritten: dict[str, list[str]] = {}
    for name, sequence in SEQUENCES:
        try:
            proposals = [in_holder(with_removal(one, situation), situation) for one in sequence(situation)]
            rendered = [(one, render(one, situation)) for one in proposals]
        except Unwritable as reason:
            unwritten.setdefault(str(reason), []).append(name)
        except RecursionError:
            unwritten.setdefault("its code is nested too deeply", []).append(name)
        else:
            found += rendered
    if all(one.id == fake.ID for one, _ in found):
        found = []  # advice against it helps nobody who is not offered something better
    else:
        unwritten = {reason: ids for reason, ids in unwritten.items() if ids != [rewrite_history.ID]}
    usable = [one for one, _ in found if one.applicability is not Applicability.DISPLAY]
    wanted = usable or [one for one, _ in found]
    chosen = next((one for one in wanted if one.recommended), next(iter(usable), None))
    ordered = sorted(found, key=lambda one: one[0] is not chosen)
    return Offer(
        proposals=tuple(replace(one, recommended=one is chosen) for one, _ in ordered),
        sequences=tuple(replace(shown, recommended=one is chosen) for one, shown in ordered),
        notes=tuple(f"`{'`, `'.join(ids)}` cannot be written for it: {why}" for why, ids in unwritten.items()),
    )

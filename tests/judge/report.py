"""An outcome as text, for people."""

from __future__ import annotations

from collections.abc import Iterator

from .outcome import FieldKey, Outcome, Step, View


def render(outcome: Outcome, *, steps: bool = True) -> str:
    """The table of operations, then what went wrong."""
    return "\n".join(_lines(outcome, steps)) + "\n"


def _lines(outcome: Outcome, steps: bool) -> Iterator[str]:
    yield f"Django {outcome.django}, {outcome.vendor}, {outcome.variant}"
    if steps:
        for step in outcome.steps:
            yield f"{step.place!s:40} {_names(step)}{' (rolled back)' if step.rolled_back else ''}"
            before = {dict(step.moved).get(key, key): view for key, view in step.before}
            for key, view in step.after:
                if view != before.get(key):
                    yield f"    {key}: {_view(before.get(key))} -> {_view(view)}"
            for key in sorted(before.keys() - dict(step.after).keys()):
                yield f"    {key}: {_view(before[key])} -> removed"
    if outcome.raised is not None:
        yield f"raised at {outcome.raised.place} ({outcome.raised.phase}): {outcome.raised}"
        if outcome.left_behind:
            yield f"left behind: {', '.join(sorted(outcome.left_behind))}"
        if outcome.retried is not None:
            yield f"second time, at {outcome.retried.place}: {outcome.retried}"
    for loss in outcome.losses:
        yield f"loss: {loss}{' (rolled back)' if loss.rolled_back else ''}"
    for drift in outcome.drifts:
        yield f"drift: {drift}{_of(drift.fields)}"
    for note in outcome.unseeded:
        yield f"not seeded: {note}"
    if outcome.not_run:
        yield f"not run: {', '.join(map(str, outcome.not_run))}"
    if outcome.raised is None and not outcome.losses and not outcome.drifts:
        yield "nothing to complain about"


def _names(step: Step) -> str:
    inner = [change.operation for change in step.changes if change.place != step.place]
    return step.operation + (f"[{', '.join(inner)}]" if inner else "")


def _view(view: View | None) -> str:
    if view is None:
        return "new"
    if view.kind == "foreign key":
        return f"foreign key to {view.to}, {view.rows} set"
    table = view.table or "unresolved"
    return f"{table}{'' if view.exists else ' (missing)'} {'?' if view.pairs is None else len(view.pairs)} links"


def _of(fields: tuple[FieldKey, ...]) -> str:
    return f" (of {', '.join(map(str, fields))})" if fields else ""

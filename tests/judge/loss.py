"""When a field has lost its rows: the definition, as a function of the recorded steps.

The rows of a many-to-many field are the pairs of ids that are visible through it. A field is followed through
RenameField and RenameModel. It *loses its rows* at an operation when the pairs visible before that operation are not
all visible after it, where

- "the operation" is one of the migration's own list, a SeparateDatabaseAndState as a whole;
- a field that RemoveField takes and AddField brings back on the same model, with the same target, within the same or
  the next two migrations of its app is the same field: the loss is at the AddField ("recreated"). If another field is
  renamed to its name within that time, that one is its successor ("replaced");
- a foreign key that is removed, and a many-to-many of the same model to the same target that is added within that time
  before or after, are one relation ("retyped"); so are a many-to-many removed and a foreign key added, of which no
  more than one pair an object can survive: there the loss is that *no* pair is left;
- a field that is removed and does not come back, or goes with its model, has lost nothing: somebody wanted that.

A loss is *healed* at the first later operation of the same or the next two migrations of the app (counted from the
migration of the loss, or from the one that brings the field back, where it was away in between) after which all the
lost pairs are visible: RunPython or RunSQL copied them, or a table was put in its place. A copy made before the loss
means that there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .outcome import FieldKey, Loss, LossHow, Pair, Place, Step, View

# How many further migrations of an app belong together.
WINDOW = 2


@dataclass(slots=True)
class _Gone:
    """A field that was removed, until it comes back or the time is over."""

    key: FieldKey
    view: View
    pairs: frozenset[Pair]
    step: int
    to: str

    def follow(self, renamed: Iterable[tuple[str, str]]) -> None:
        """Its model or its target has another name now."""
        for old, new in renamed:
            if f"{self.key.app_label}.{self.key.model}" == old:
                self.key = self.key._replace(model=new.partition(".")[2])
            if self.to == old:
                self.to = new


def losses(steps: tuple[Step, ...], plan: tuple[tuple[str, str], ...]) -> tuple[Loss, ...]:
    """All losses in `steps`, in the order they happened. `plan` has every migration, those that never ran too."""
    return tuple(_Search(steps, plan).find())


class _Search:
    def __init__(self, steps: tuple[Step, ...], plan: tuple[tuple[str, str], ...]) -> None:
        self.steps = steps
        self.plan = plan
        self._rank: dict[tuple[str, str], int] = {}
        counts: dict[str, int] = {}
        for app_label, name in plan:
            self._rank[app_label, name] = counts[app_label] = counts.get(app_label, -1) + 1
        self._last = counts

    def find(self) -> Iterator[Loss]:
        waiting: list[_Gone] = []
        for index, step in enumerate(self.steps):
            before, after, moved = dict(step.before), dict(step.after), dict(step.moved)
            arrived = set(after) - {moved.get(key, key) for key in before}
            for key, view in before.items():
                now = after.get(moved.get(key, key))
                if now is not None and now.kind == view.kind == "many-to-many":
                    yield from self._kept(index, moved.get(key, key), view, now)
                elif now is not None and now.kind != view.kind:
                    yield from self._retyped(index, index, _gone(key, view, index), key, now)
                elif now is None and view.pairs:
                    gone = _gone(key, view, index)
                    gone.follow(step.renamed)
                    if f"{gone.key.app_label}.{gone.key.model}" not in step.models:
                        continue  # it went with its model
                    earlier = list(self._added_before(gone))
                    if earlier:
                        # The new relation was there first; the copy too, if there was any.
                        for name in earlier:
                            if name in after:
                                yield from self._retyped(index, index, gone, name, after[name])
                    else:
                        waiting.append(gone)
            for gone in list(waiting):
                if not self._together(gone.step, index):
                    waiting.remove(gone)
                    continue
                if gone.step != index:
                    gone.follow(step.renamed)
                successor = after.get(gone.key)
                if successor is not None and successor.kind == gone.view.kind and successor.to == gone.to:
                    waiting.remove(gone)
                    if successor.kind == "many-to-many":
                        how: LossHow = "recreated" if gone.key in arrived else "replaced"
                        yield from self._returned(index, gone, how, successor)
                    continue
                for name in sorted(arrived):
                    relation = after[name]
                    same_place = name[:2] == gone.key[:2] and relation.to == gone.to and relation.kind != gone.view.kind
                    if same_place:
                        waiting.remove(gone)
                        yield from self._retyped(index, gone.step, gone, name, relation)
                        break

    # Kinds of loss

    def _kept(self, index: int, key: FieldKey, before: View, after: View) -> Iterator[Loss]:
        lost = (before.pairs or frozenset()) - (after.pairs or frozenset())
        if not lost:
            return
        step = self.steps[index]
        how: LossHow
        if step.data and after.pairs is not None and before.table == after.table:
            how = "data"
        elif after.pairs is None and (after.table != before.table or after.exists):
            how = "unreadable"
        elif before.table in step.tables and before.table != after.table:
            how = "stranded"
        else:
            how = "gone"
        place = step.place
        for change in step.changes:
            dropped = before.table in change.tables_gone or before.table in change.rows_gone
            if key in change.views_changed if how in ("stranded", "unreadable") else dropped:
                place = change.place
                break
        dropped_at = self._dropped(index, before.table) if how in ("stranded", "unreadable") else None
        yield self._loss(index, key, how, place, None, lost, len(before.pairs or ()), dropped_at)

    def _returned(self, index: int, gone: _Gone, how: LossHow, successor: View) -> Iterator[Loss]:
        lost = gone.pairs - (successor.pairs or frozenset())
        if lost:
            place, removed = self._brought(index, gone.key), self._took(gone)
            yield self._loss(index, gone.key, how, place, removed, lost, len(gone.pairs), None)

    def _retyped(self, index: int, removed: int, gone: _Gone, key: FieldKey, new: View) -> Iterator[Loss]:
        visible = new.pairs or frozenset()
        lost = gone.pairs - visible
        if new.kind == "foreign key" and lost != gone.pairs:
            return
        if lost:
            took = self._took(gone)
            place = took if removed == index else self._brought(index, key)
            yield self._loss(index, key, "retyped", place, took, lost, len(gone.pairs), None)

    def _loss(
        self,
        index: int,
        key: FieldKey,
        how: LossHow,
        place: Place,
        removed: Place | None,
        lost: frozenset[Pair],
        all_pairs: int,
        dropped: Place | None,
    ) -> Loss:
        healed = self._healed(index, key, lost)
        return Loss(
            field=key,
            how=how,
            place=place,
            removed=removed,
            lost=len(lost),
            kept=all_pairs - len(lost),
            healed=healed,
            open_end=healed is None and self._cut_short(index),
            dropped=dropped,
            ended=self._ended(index, key),
            rolled_back=self.steps[index].rolled_back,
        )

    # Where and when

    def _took(self, gone: _Gone) -> Place:
        step = self.steps[gone.step]
        return next((one.place for one in step.changes if gone.key in one.views_changed), step.place)

    def _brought(self, index: int, key: FieldKey) -> Place:
        step = self.steps[index]
        return next((one.place for one in step.changes if key in one.views_changed), step.place)

    def _dropped(self, index: int, table: str | None) -> Place | None:
        for step in self.steps[index:]:
            for change in step.changes:
                if table in change.tables_gone and not change.tables_new:
                    return change.place
        return None

    def _healed(self, index: int, key: FieldKey, lost: frozenset[Pair]) -> Place | None:
        away = False
        for later in range(index + 1, len(self.steps)):
            step = self.steps[later]
            if not self._together(index, later):
                break
            key = dict(step.moved).get(key, key)
            # A field may be away in between, and come back.
            view = dict(step.after).get(key)
            if away and view is not None:
                index = later
            away = view is None
            if view is not None and view.pairs is not None and lost <= view.pairs:
                return step.place
        return None

    def _ended(self, index: int, key: FieldKey) -> Place | None:
        """Where the field was removed in the window and did not come back."""
        ended = None
        for later in range(index + 1, len(self.steps)):
            step = self.steps[later]
            if not self._together(index, later):
                break
            moved, models = dict(step.moved), dict(step.renamed)
            model = f"{key.app_label}.{key.model}"
            key = moved.get(key) or key._replace(model=models.get(model, model).partition(".")[2])
            ended = None if key in dict(step.after) else ended or step.place
        return ended

    def _together(self, first: int, second: int) -> bool:
        """Is the second step in the window of the first? Steps of other apps are while the app's own next ones are."""
        label = self.steps[first].place.app_label
        own = [step for step in self.steps[: second + 1] if step.place.app_label == label]
        return self._number(own[-1].place) - self._number(self.steps[first].place) <= WINDOW

    def _number(self, place: Place) -> int:
        return self._rank[place.app_label, place.migration]

    def _cut_short(self, index: int) -> bool:
        """Did the run end before the window of this step was over?"""
        label = self.steps[index].place.app_label
        until = min(self._number(self.steps[index].place) + WINDOW, self._last[label])
        ran = {(step.place.app_label, step.place.migration) for step in self.steps if not step.rolled_back}
        return any(
            (app_label, name) not in ran
            for app_label, name in self.plan
            if app_label == label and self._rank[app_label, name] <= until
        )

    def _added_before(self, gone: _Gone) -> Iterator[FieldKey]:
        """Relations of another kind, on the same model to the same target, that were added in the window before."""
        for index in range(gone.step):
            if not self._together(index, gone.step):
                continue
            step = self.steps[index]
            if step.place.app_label != self.steps[gone.step].place.app_label:
                continue
            before, moved = dict(step.before), dict(step.moved)
            for key, view in step.after:
                is_new = key not in before and key not in moved.values()
                same_place = key[:2] == gone.key[:2] and view.to == gone.to and view.kind != gone.view.kind
                # A model that is created with both has two relations, not one that changed its type.
                if is_new and same_place and f"{key.app_label}.{key.model}" in self._models_before(index):
                    yield key

    def _models_before(self, index: int) -> frozenset[str]:
        return self.steps[index - 1].models if index else frozenset()


def _gone(key: FieldKey, view: View, index: int) -> _Gone:
    return _Gone(key, view, view.pairs or frozenset(), index, view.to)

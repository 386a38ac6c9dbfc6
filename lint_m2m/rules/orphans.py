"""Link tables that a state change has left behind: shared by MTM301 (as a note) and MTM305."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import UNKNOWN, MigrationKey
from lint_m2m.replay.facts import FieldKey, Origin, TableFact
from lint_m2m.replay.models import ModelState
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.describe import through_of
from lint_m2m.rules.drift import touched_models
from lint_m2m.values import frozen


@frozen
class AbandonedTable:
    """A link table without a model, the field that used it last, and the operation that took it away."""

    table: TableFact
    field: FieldKey
    origin: Origin


class Abandoned:
    """Remembers who used each link table last, so that at the end a table nobody uses has somebody to blame."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._left: dict[int, tuple[FieldKey, Origin, MigrationKey]] = {}
        self._at_end: tuple[AbandonedTable, ...] | None = None

    def see(self, step: Step, replay: Replay) -> None:
        """Take note of the tables that the models touched by `step` used just before it."""
        if step is self._last:
            return
        self._last = step
        if not step.on_state:
            return
        for key in touched_models(step):
            model = step.before.get(key)
            if model is not None:
                self._note(model, step, replay)

    def _note(self, model: ModelState, step: Step, replay: Replay) -> None:
        after = step.after.get(model.key)
        stays = after is not None and after.options == model.options
        for field in model.many_to_many():
            if stays and after is not None and after.fields.get(field.name) is field:
                continue
            name = replay.link_table(model, field, step.before)
            table = None if name is UNKNOWN or name is None else _found(name, replay)
            if table is not None:
                self._leave(table.uid, model.field_key(field.name), step)
        # A through model that goes after its field: now nobody is left who knows the table.
        name = replay.model_table(model)
        own = None if name is UNKNOWN else replay.table_uid(name)
        if own is None:
            return
        if own in self._left:
            self._left[own] = (self._left[own][0], step.origin, step.migration.key)
        # The links of a through model that goes are those of the field that uses it, wherever that is.
        for key in replay.referrers(model.key):
            owner = step.before.get(key)
            for field in () if owner is None else owner.many_to_many():
                if owner is not None and through_of(field.field) == model.key:
                    self._leave(own, owner.field_key(field.name), step)

    def _leave(self, uid: int, field: FieldKey, step: Step) -> None:
        """Note that `field` reads a table until `step`: it is the last one that it has read so far."""
        self._left.pop(uid, None)
        self._left[uid] = (field, step.origin, step.migration.key)

    def at_end(self, replay: Replay) -> tuple[AbandonedTable, ...]:
        """The link tables that hold rows and that nothing in the state uses, when the replay has come to its end.

        In the order in which their fields have left them.
        """
        if self._at_end is None:
            self._at_end = tuple(self._abandoned(replay))
        return self._at_end

    def _abandoned(self, replay: Replay) -> Iterator[AbandonedTable]:
        used = _used_tables(replay)
        for uid, note in self._left.items():
            table = replay.table_by_uid(uid)
            if table is None or uid in used or replay.unread_database_reason(table.name) is not None:
                continue
            if table.created is None or table.created.migration == note[2]:
                continue
            yield AbandonedTable(table=table, field=note[0], origin=note[1])


def left_last(replay: Replay, field: FieldKey) -> TableFact | None:
    """Of the tables that a field has left behind, the one that it read last."""
    left = [one.table for one in replay.shared(Abandoned).at_end(replay) if one.field == field]
    return left[-1] if left else None


def _found(name: str, replay: Replay) -> TableFact | None:
    """The table of that name, or the one that had it until it was renamed: SQL may run before the state follows."""
    table = replay.table(name)
    if table is None:
        gone = replay.gone(name)
        return None if gone is None else replay.table_by_uid(gone.table.uid)
    return None if table is UNKNOWN else table


def _used_tables(replay: Replay) -> frozenset[int]:
    """The tables that the state's models and fields use."""
    used: set[int] = set()
    for model in replay.state.models():
        names = [replay.model_table(model), *(replay.link_table(model, field) for field in model.many_to_many())]
        for name in names:
            table = None if name is UNKNOWN or name is None else replay.table(name)
            if table is not None and table is not UNKNOWN:
                used.add(table.uid)
    return frozenset(used)

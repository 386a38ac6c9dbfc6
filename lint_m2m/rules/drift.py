"""Where belief and existence part, at the end of a history: shared by the MTM3xx rules.

A recipe may take several operations, migrations and even apps to come together, so nothing is judged before the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    AlterField,
    AlterModelTable,
    AlterTogether,
    CreateModel,
    DeleteModel,
    Location,
    ModelKey,
    Operation,
    RemoveField,
    RenameField,
    RenameModel,
    Span,
)
from lint_m2m.replay.database import Gone
from lint_m2m.replay.facts import FieldKey, Origin, TableFact, address_order
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.describe import through_of
from lint_m2m.values import frozen


@frozen
class LinkStore:
    """A many-to-many field at the end of the history and the table it believes in.

    `through` is the through model, ``None`` for an automatic table. `table` is ``None`` when it certainly is
    not there.
    """

    owner: ModelState
    field: FieldState
    through: ModelState | None
    table_name: str
    table: TableFact | None

    @property
    def key(self) -> FieldKey:
        return self.owner.field_key(self.field.name)


def link_stores(replay: Replay) -> tuple[LinkStore, ...]:
    """The many-to-many fields whose table is known to exist or known to be absent when all has run; each through model
    once."""
    return replay.at_end(_link_stores)


def _link_stores(replay: Replay) -> tuple[LinkStore, ...]:
    return tuple(_each_link_store(replay))


def _each_link_store(replay: Replay) -> Iterator[LinkStore]:
    seen: set[ModelKey] = set()
    for owner in replay.state.models():
        if owner.uncertain is not None or replay.runs(owner) is not True:
            continue
        for field in owner.many_to_many():
            if field.uncertain is not None:
                continue
            through = replay.state.lookup(through_of(field.field)) if through_of(field.field) is not None else None
            if through is UNKNOWN or (through is None and through_of(field.field) is not None):
                continue
            if through is not None:
                if through.key in seen or through.uncertain is not None or replay.runs(through) is not True:
                    continue
                seen.add(through.key)
            name = replay.link_table(owner, field)
            if name is UNKNOWN or name is None:
                continue
            table = replay.table(name)
            if table is not UNKNOWN:
                yield LinkStore(owner=owner, field=field, through=through, table_name=name, table=table)


class StateOnly:
    """Remembers which operations changed only what Django believes, by the model and the field they are about."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._models: dict[ModelKey, Origin] = {}
        self._fields: dict[FieldKey, Origin] = {}

    def see(self, step: Step, replay: Replay) -> None:
        """Take note of `step`. Renames in the state carry the notes along."""
        if step is self._last:
            return
        self._last = step
        operation = step.operation
        if not step.on_state:
            return
        if isinstance(operation, RenameModel):
            self._rename(ModelKey(step.app_label, operation.old_name.lower()), operation.new_name.lower())
            self._renamed_proxy(step, operation, replay)
        if step.on_database:
            return
        for model, field in _subjects(step.app_label, operation):
            self._models[model] = step.origin
            if field is not None:
                self._fields[FieldKey(model.app_label, model.name, field)] = step.origin

    def _rename(self, old: ModelKey, new_name: str) -> None:
        if old in self._models:
            self._models[ModelKey(old.app_label, new_name)] = self._models.pop(old)
        for key in [key for key in self._fields if key.model_key == old]:
            self._fields[FieldKey(key.app_label, new_name, key.name)] = self._fields.pop(key)

    def _renamed_proxy(self, step: Step, operation: RenameModel, replay: Replay) -> None:
        """RenameModel of a proxy does nothing in the database, not even to the columns of links that point at it."""
        key = ModelKey(step.app_label, operation.new_name.lower())
        model = step.after.get(key)
        if model is None or replay.runs(model) is not False:
            return
        for owner in step.after.models():
            for field in owner.many_to_many():
                if field.field.relation is not None and field.field.relation.to == key:
                    self._fields[owner.field_key(field.name)] = step.origin

    def of_model(self, key: ModelKey) -> Origin | None:
        """The last state-only operation on a model."""
        return self._models.get(key)

    def of_field(self, key: FieldKey) -> Origin | None:
        """The last state-only operation on a field."""
        return self._fields.get(key)

    def blame(self, store: LinkStore) -> Origin:
        """The operation that made Django believe in `store.table_name`: state-only if there is one.

        Else the one that created the field of an automatic table: altering or renaming it in earnest renames the table
        too, or leaves its name alone.
        """
        if store.through is not None:
            blamed = self.of_model(store.through.key) or self.of_field(store.key)
            return blamed or store.through.origin
        return self.of_field(store.key) or self.of_model(store.owner.key) or store.field.created


def taken_later(store: LinkStore, blamed: Origin, replay: Replay) -> Gone | None:
    """Who took the table of `store` away, if that was after `blamed`, where Django began to believe in it."""
    gone = replay.gone(store.table_name)
    if gone is None:
        return None
    rank = {key: index for index, key in enumerate(replay.plan.order)}
    before, after = (
        (rank.get(origin.migration, -1), address_order(origin.address)) for origin in (blamed, gone.origin)
    )
    return gone if before < after else None


def narrowed(origin: Origin, definition: Origin, span: Span | None) -> Origin:
    """`origin` with its place narrowed to `span`, if the text at `span` was written by the same operation."""
    if span is None or (definition.migration, definition.address) != (origin.migration, origin.address):
        return origin
    return Origin(origin.migration, origin.address, Location(origin.location.path, span))


def _subjects(app_label: str, operation: Operation) -> Iterator[tuple[ModelKey, str | None]]:
    match operation:
        case CreateModel():
            key = ModelKey(app_label, operation.name.lower())
            yield key, None
            for named in operation.fields:
                yield key, named.name
        case DeleteModel() | AlterModelTable() | AlterTogether():
            yield ModelKey(app_label, operation.name.lower()), None
        case RenameModel():
            yield ModelKey(app_label, operation.new_name.lower()), None
        case AddField() | AlterField() | RemoveField():
            yield ModelKey(app_label, operation.model_name.lower()), operation.name
        case RenameField():
            yield ModelKey(app_label, operation.model_name.lower()), operation.new_name
        case _:
            return


def touched_models(step: Step) -> Iterator[ModelKey]:
    """The models, by their names before it, whose links this operation may move or take away."""
    operation, app = step.operation, step.app_label
    match operation:
        case RenameModel():
            yield ModelKey(app, operation.old_name.lower())
        case DeleteModel() | AlterModelTable():
            yield ModelKey(app, operation.name.lower())
        case AlterField() | RemoveField() | RenameField():
            yield ModelKey(app, operation.model_name.lower())
        case _:
            return

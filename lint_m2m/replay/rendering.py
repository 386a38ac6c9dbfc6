"""What Django has rendered, and what not since: the classes that the operations of one `migrate` work on.

`migrate` renders the models once and keeps the classes. Removing a model takes its class out of the registry and
renders nothing: a many-to-many field goes on holding the class of its `through` model, and every operation on it works,
until an operation on a model related to the field's own renders that one again. From then on `through` is a string, and
``through._meta`` raises. So it is with the target of an automatic table: altering the field asks for the name of the
foreign key to it (``m2m_reverse_field_name``), which it has only while that is a class. And so with the target of a
foreign key of a `through` model: altering or removing the key, or having SQLite make its table anew, asks for the
column that it points at. Code (`RunPython`) renders everything anew when anything was put off before (`delayed`), which
raises while any relation names a model that is not there; so does the next `migrate`, always.

Source: `ProjectState.remove_model`, `reload_model`, `_find_reload_model`, `clear_delayed_apps_cache` and
`get_related_models_recursive` in ``django/db/migrations/state.py``. Measured alike on Django 4.2, 5.2 and 6.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from lint_m2m.finding import Certainty
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterConstraint,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    CreateModel,
    DeleteModel,
    FieldKind,
    Maybe,
    ModelKey,
    ModelRef,
    NoDatabaseChange,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
)
from lint_m2m.replay import wording
from lint_m2m.replay.facts import Failure, FailureKind, FieldKey
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.names import link_field_names
from lint_m2m.values import frozen

# Models that may have a relation to a model (to be checked: some had one once).
Referrers: TypeAlias = Callable[[ModelKey], tuple[ModelKey, ...]]


@frozen
class Rendered:
    """`held` are the many-to-many fields that still hold the class of a model which is gone, their `through` or the
    target of their automatic table, and the foreign keys of `through` models that still hold their target; of those in
    `maybe` it cannot be told. `delayed`: something was rendered without all that is related to it. `keys_lost`: some
    foreign key of a `through` model has lost its target."""

    held: frozenset[FieldKey] = frozenset()
    maybe: frozenset[FieldKey] = frozenset()
    delayed: Maybe[bool] = False
    keys_lost: bool = False

    def holds(self, key: FieldKey) -> Maybe[bool]:
        """Whether the field has hold of its `through` model, or its target, which is not in the state."""
        return UNKNOWN if key in self.maybe else key in self.held

    def doubted(self) -> Rendered:
        """After something of which it cannot be told what it renders."""
        delayed = True if self.delayed is True else UNKNOWN
        return Rendered(maybe=self.held | self.maybe, delayed=delayed, keys_lost=self.keys_lost)

    def follow(
        self, operation: Operation, app_label: str, before: StateView, after: StateView, referrers: Referrers
    ) -> Rendered:
        """What holds after the state side of `operation`."""
        if isinstance(operation, DeleteModel):
            return self._without(ModelKey(app_label, operation.name.lower()), before, after, referrers)
        if self.delayed is True and not self.held and not self.maybe:
            return self
        graph = _Relations(before, after, referrers)
        delayed, held, maybe = self.delayed, self.held, self.maybe
        for key, late in graph.reloads(operation, app_label):
            if delayed is not True and late is not False:
                delayed = late
            if held or maybe:
                certain, possible = graph.reached(key, late)
                unsure = frozenset(one for one in held if one.model_key in possible)
                held = frozenset(one for one in held - unsure if one.model_key not in certain)
                maybe = frozenset(one for one in maybe | unsure if one.model_key not in certain)
        return Rendered(held=held, maybe=maybe, delayed=delayed, keys_lost=self.keys_lost)

    def _without(self, model: ModelKey, before: StateView, after: StateView, referrers: Referrers) -> Rendered:
        """A model is removed: the fields through it, those with automatic tables to it, and the foreign keys to it of
        `through` models go on holding it."""
        known = before.get(model) is not None
        holding, keys_lost = set(), self.keys_lost
        for owner in referrers(model):
            state = after.get(owner)
            for field in () if state is None else state.many_to_many():
                relation = field.field.relation
                if relation is not None and (relation.to if relation.through is None else relation.through) == model:
                    holding.add(FieldKey(*owner, field.name))
            keys = () if state is None else tuple(keys_to(state, model))
            if keys and is_through(owner, after, referrers):
                keys_lost = True
                holding.update(FieldKey(*owner, name) for name in keys)
        held = frozenset(one for one in self.held if one.model_key != model)
        maybe = frozenset(one for one in self.maybe if one.model_key != model)
        if known:
            held, maybe = held | holding, maybe - holding
        else:
            maybe = maybe | (holding - held)
        return Rendered(held=held, maybe=maybe, delayed=self.delayed, keys_lost=keys_lost)


def agreed(branches: Iterable[Rendered]) -> Rendered:
    """What holds after one of several branches ran."""
    each = tuple(branches)
    held = frozenset.intersection(*(one.held for one in each))
    delayed = each[0].delayed
    return Rendered(
        held=held,
        maybe=frozenset().union(*(one.held | one.maybe for one in each)) - held,
        delayed=delayed if all(one.delayed is delayed for one in each) else UNKNOWN,
        keys_lost=any(one.keys_lost for one in each),
    )


def is_through(key: ModelKey, state: StateView, referrers: Referrers) -> bool:
    """Whether the model is the `through` of a many-to-many field."""
    return any(
        field.field.relation is not None and field.field.relation.through == key
        for owner in referrers(key)
        if (model := state.get(owner)) is not None
        for field in model.many_to_many()
    )


def keys_to(model: ModelState, target: ModelKey) -> Iterator[str]:
    """The names of the foreign keys of a model to another one."""
    for field in model.fields.values():
        relation = field.field.relation
        if field.field.kind is FieldKind.FOREIGN_KEY and relation is not None and relation.to == target:
            yield field.name


def unresolved(state: StateView) -> Iterator[tuple[FieldKey, ModelKey]]:
    """The many-to-many fields that name a model which is certainly not there, and that model; so the foreign keys of
    their `through` models."""
    throughs: dict[ModelKey, None] = {}
    for model in state.models():
        yield from _missing_links(model, state)
        throughs |= dict.fromkeys(_throughs(model))
    for key in throughs:
        yield from _missing_targets(key, state)


def is_unresolved(model: ModelState, state: StateView) -> bool:
    """Whether a many-to-many field of a model is among them, or a foreign key of the `through` model of one."""
    return any(_missing_links(model, state)) or any(any(_missing_targets(key, state)) for key in _throughs(model))


def _throughs(model: ModelState) -> Iterator[ModelKey]:
    for field in model.many_to_many():
        relation = field.field.relation
        if relation is not None and field.uncertain is None and isinstance(relation.through, ModelKey):
            yield relation.through


def _missing_links(model: ModelState, state: StateView) -> Iterator[tuple[FieldKey, ModelKey]]:
    for field in model.many_to_many():
        relation = field.field.relation
        if relation is None or field.uncertain is not None:
            continue
        for ref in (relation.to, relation.through):
            if isinstance(ref, ModelKey) and state.lookup(ref) is None:
                yield model.field_key(field.name), ref


def _missing_targets(key: ModelKey, state: StateView) -> Iterator[tuple[FieldKey, ModelKey]]:
    through = state.get(key)
    for field in () if through is None else through.fields.values():
        target = lost_target(field, state)
        if through is not None and target is not None and field.uncertain is None:
            yield through.field_key(field.name), target


def lost_target(field: FieldState, state: StateView) -> ModelKey | None:
    """The model that a foreign key points at, if it is certainly not there."""
    relation = field.field.relation
    if field.field.kind is not FieldKind.FOREIGN_KEY or relation is None or not isinstance(relation.to, ModelKey):
        return None
    return relation.to if state.lookup(relation.to) is None else None


def unrenderable(state: StateView, delayed: Maybe[bool]) -> tuple[Failure, ...]:
    """What code raises when Django renders the models for it: one failure for each of `unresolved`.

    `delayed` UNKNOWN: it may not render them.
    """
    found = tuple(unresolved(state))
    if not found:
        return ()
    exception = lazy_references(state)
    return tuple(
        Failure(
            kind=FailureKind.STATE_UNRENDERABLE,
            exception=exception,
            certainty=Certainty.CERTAIN if delayed is True else Certainty.LIKELY,
            reason=None if delayed is True else "it cannot be told whether Django renders the models again here",
            field=key,
            model=model,
        )
        for key, model in found
    )


def lazy_references(state: StateView) -> str:
    """What rendering the models raises, where a relation names one that is not there.

    Source: `_check_lazy_references` in ``django/core/checks/model_checks.py``.
    """
    return wording.unrenderable(_lazy_references(state))


def _lazy_references(state: StateView) -> Iterator[str]:
    for model in state.models():
        label = f"{model.key.app_label}.{model.name}"
        for name, field in model.fields.items():
            relation = field.field.relation
            if relation is None:
                continue
            to = relation.to
            if isinstance(to, ModelKey) and state.lookup(to) is None:
                yield wording.lazy_target(f"{label}.{name}", to)
                if field.field.many_to_many and relation.through is None:
                    target = link_field_names(model.key.name, to.name)[1]
                    yield wording.lazy_target(f"{label}_{name}.{target}", to)
            if isinstance(relation.through, ModelKey) and state.lookup(relation.through) is None:
                yield wording.lazy_through(relation.through)


class _Relations:
    """Which models are related, as their classes show it before an operation."""

    def __init__(self, before: StateView, after: StateView, referrers: Referrers) -> None:
        self._before = before
        self._after = after
        self._referrers = referrers
        self._children: dict[ModelRef, list[ModelKey]] | None = None

    # -- what an operation renders

    def reloads(self, operation: Operation, app_label: str) -> Iterator[tuple[ModelKey, Maybe[bool]]]:
        """The models that it reloads, each with whether that is delayed (`reload_model`)."""
        match operation:
            case CreateModel():
                yield ModelKey(app_label, operation.name.lower()), False
            case AddField():
                yield ModelKey(app_label, operation.model_name.lower()), _plain(operation.field.kind)
            case RemoveField():
                key = ModelKey(app_label, operation.model_name.lower())
                field = self._field(key, operation.name)
                yield key, UNKNOWN if field is None else _plain(field.field.kind)
            case AlterField():
                key = ModelKey(app_label, operation.model_name.lower())
                plain = _plain(operation.field.kind)
                yield key, self._unreferenced(key, operation.name) if plain is True else plain
            case RenameField():
                key = ModelKey(app_label, operation.model_name.lower())
                yield key, self._unreferenced(key, operation.old_name)
            case RenameModel():
                old = ModelKey(app_label, operation.old_name.lower())
                for referrer in self._referrers(old):
                    if any(old in _names(field) for field in self._fields(referrer)):
                        yield referrer, True
                yield old, True
                yield ModelKey(app_label, operation.new_name.lower()), True
            case AlterModelTable() | AlterTogether() | AlterOrderWithRespectTo() | AlterModelOptions():
                yield ModelKey(app_label, operation.name.lower()), True
            case AddConstraint() | RemoveConstraint() | AlterConstraint() | AddIndex() | RemoveIndex() | RenameIndex():
                yield ModelKey(app_label, operation.model_name.lower()), True
            case NoDatabaseChange(name=str(name)):
                yield ModelKey(app_label, name.lower()), True
            case _:
                return

    def _unreferenced(self, key: ModelKey, name: str) -> Maybe[bool]:
        """Whether no relation refers to that field (`field_is_referenced`).

        One without `to_field` refers to the primary key, a many-to-many to all fields of its target and its through.
        """
        own = self._field(key, name)
        primary = None if own is None else own.field.primary_key
        result: Maybe[bool] = True
        for referrer in self._referrers(key):
            for field in self._fields(referrer):
                relation = field.field.relation
                if relation is None:
                    continue
                if relation.through == key:
                    among = relation.through_fields
                    if among is None or (among is not UNKNOWN and name in among):
                        return False
                    result = UNKNOWN if among is UNKNOWN else result
                if relation.to == key:
                    if field.field.many_to_many or relation.to_field == name:
                        return False
                    if relation.to_field is None and primary is True:
                        return False
                    if relation.to_field is UNKNOWN or (relation.to_field is None and primary is UNKNOWN):
                        result = UNKNOWN
        return result

    # -- what is rendered with a model

    def reached(self, key: ModelKey, late: Maybe[bool]) -> tuple[set[ModelRef], set[ModelRef]]:
        """The models that are rendered when `key` is, and those of which it cannot be told."""
        start = self._starts(key)
        if late is True:
            return {key, *start, *(near for one in start for near in self._near(one))}, set()
        found = {key, *self._closure(start)}
        if late is UNKNOWN:
            return {key, *start}, found - {key, *start}
        outside = any(self._outside(one) for one in found)
        return found, self._tied_outside() - found if outside else set()

    def _starts(self, key: ModelKey) -> set[ModelRef]:
        """`key`, if it has been rendered before, and what it points at now."""
        model = self._after.get(key)
        start: set[ModelRef] = set()
        for field in () if model is None else model.fields.values():
            relation = field.field.relation
            if relation is not None and relation.to is not UNKNOWN:
                start.add(relation.to)
        if self._before.get(key) is not None:
            start.add(key)
        return start

    def _closure(self, start: Iterable[ModelRef]) -> set[ModelRef]:
        seen: set[ModelRef] = set()
        queue = list(start)
        while queue:
            one = queue.pop()
            if one not in seen:
                seen.add(one)
                queue.extend(self._near(one))
        return seen

    def _tied_outside(self) -> set[ModelRef]:
        """Models related to one that is not in the project: what those have to do with each other is not known."""
        tied = {
            relation.to
            for model in self._before.models()
            for field in model.fields.values()
            if (relation := field.field.relation) is not None
            and relation.to is not UNKNOWN
            and self._outside(relation.to)
        }
        return self._closure(tied)

    def _outside(self, ref: ModelRef) -> bool:
        return self._before.lookup(ref) is UNKNOWN and (not isinstance(ref, ModelKey) or self._before.get(ref) is None)

    def _near(self, ref: ModelRef) -> Iterator[ModelRef]:
        """The models directly related to one: by a field of either, as parent or child. None of one that is gone."""
        if self._before.lookup(ref) is None:
            return
        if isinstance(ref, ModelKey):
            model = self._before.get(ref)
            for field in self._fields(ref):
                relation = field.field.relation
                if relation is not None and relation.to is not UNKNOWN:
                    yield relation.to
            if model is not None and model.options.bases is not UNKNOWN:
                yield from model.options.bases
            for referrer in self._referrers(ref):
                if any(
                    field.field.relation is not None and field.field.relation.to == ref
                    for field in self._fields(referrer)
                ):
                    yield referrer
        yield from self._heirs().get(ref, ())

    def _heirs(self) -> dict[ModelRef, list[ModelKey]]:
        """Models by their bases, and those that name a model by a setting."""
        if self._children is None:
            self._children = {}
            for model in self._before.models():
                bases = () if model.options.bases is UNKNOWN else model.options.bases
                settings = [
                    to for field in model.fields.values() for to in _names(field) if not isinstance(to, ModelKey)
                ]
                for base in (*bases, *settings):
                    self._children.setdefault(base, []).append(model.key)
        return self._children

    def _field(self, key: ModelKey, name: str) -> FieldState | None:
        model = self._before.get(key)
        return None if model is None else model.fields.get(name)

    def _fields(self, key: ModelKey) -> Iterable[FieldState]:
        model = self._before.get(key)
        return () if model is None else model.fields.values()


def _names(field: FieldState) -> tuple[ModelRef, ...]:
    """The models that a relation names."""
    relation = field.field.relation
    if relation is None:
        return ()
    return tuple(one for one in (relation.to, relation.through) if one is not None and one is not UNKNOWN)


def _plain(kind: FieldKind) -> Maybe[bool]:
    """Whether a field of that kind is no relation."""
    if kind in (FieldKind.UNKNOWN, FieldKind.VIRTUAL):
        return UNKNOWN
    return kind is FieldKind.COLUMN

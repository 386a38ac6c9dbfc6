"""The state ledger: models, fields and options as `state_forwards` leaves them.

`StateLedger.apply` does what ``ProjectState`` does for one operation (django/db/migrations/state.py) and returns what
the touched models were before, so that the state from before an operation is a view, not a copy. What an operation
changes although it could not be read is marked uncertain, never guessed away.

An operation on a model or field that is not there raises in Django (KeyError, FieldDoesNotExist); here it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

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
    Constraint,
    CreateModel,
    DeleteModel,
    Field,
    Location,
    Maybe,
    ModelKey,
    ModelOptions,
    ModelRef,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
)
from lint_m2m.replay.facts import Origin
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.rendering import Rendered, is_unresolved
from lint_m2m.values import replace

Undo = dict[ModelKey, ModelState | None]


class StateLedger:
    """Models by key, in the order they came in. It is its own `StateView`."""

    __slots__ = (
        "_doubtful_apps",
        "_doubtful_models",
        "_known_apps",
        "_linkers",
        "_models",
        "_referrers",
        "_suspects",
        "_to_field_users",
        "rendered",
    )

    def __init__(self, known_apps: Iterable[str]) -> None:
        self._models: dict[ModelKey, ModelState] = {}
        self._known_apps = frozenset(known_apps)
        # Apps in which an unread operation may have made or removed any model, and single models of that kind.
        self._doubtful_apps: dict[str, str] = {}
        self._doubtful_models: dict[ModelKey, str] = {}
        # Which models have, or once had, a relation to a model. Grows only, so that copies can share it.
        self._referrers: dict[ModelKey, dict[ModelKey, None]] = {}
        self._to_field_users: dict[ModelKey, None] = {}
        # Those of the referrers that have, or had, a many-to-many field to the model or through it; grows only, too.
        self._linkers: dict[ModelKey, dict[ModelKey, None]] = {}
        # Models with a many-to-many field that was written since `renders` was asked last, or whose target went, or a
        # foreign key of whose `through` model was or did, and those of which it said no.
        self._suspects: set[ModelKey] = set()
        # The classes that Django has of these models.
        self.rendered = Rendered()

    def fork(self) -> StateLedger:
        """A ledger that starts as this one is now and goes its own way."""
        copy = StateLedger(self._known_apps)
        copy._models = dict(self._models)
        copy._doubtful_apps = dict(self._doubtful_apps)
        copy._doubtful_models = dict(self._doubtful_models)
        copy._referrers = self._referrers
        copy._to_field_users = self._to_field_users
        copy._linkers = self._linkers
        copy._suspects = self._suspects.copy()
        copy.rendered = self.rendered
        return copy

    # -- StateView

    def get(self, key: ModelKey) -> ModelState | None:
        return self._models.get(key)

    def lookup(self, ref: Maybe[ModelRef | None]) -> Maybe[ModelState | None]:
        if ref is None:
            return None
        if not isinstance(ref, ModelKey):
            return UNKNOWN
        if ref in self._doubtful_models:
            return UNKNOWN
        model = self._models.get(ref)
        return self.absent(ref) if model is None else model

    def models(self) -> Iterator[ModelState]:
        return iter(tuple(self._models.values()))

    # -- queries

    def absent(self, key: ModelKey) -> Maybe[None]:
        """What it means that `key` is not there: certainly absent, or UNKNOWN."""
        if key.app_label not in self._known_apps or key.app_label in self._doubtful_apps:
            return UNKNOWN
        return UNKNOWN if key in self._doubtful_models else None

    def referrers(self, key: ModelKey) -> tuple[ModelKey, ...]:
        """Models that may have a relation to `key` (to check: some had one once)."""
        return tuple(self._referrers.get(key, ()))

    def linkers(self, key: ModelKey) -> tuple[ModelKey, ...]:
        """Those of the `referrers` that may have a many-to-many field to `key` or through it."""
        return tuple(self._linkers.get(key, ()))

    def renders(self) -> bool:
        """Whether nothing names a model that is certainly not there and that matters (`rendering.unresolved` has none).

        Only what has changed since the last time is looked at.
        """
        if self._suspects:
            self._suspects = {
                key for key in self._suspects if (model := self._models.get(key)) and is_unresolved(model, self)
            }
        return not self._suspects

    def _suspect(self, gone: ModelKey) -> None:
        """A model goes: what names it may be lost, by itself or in a `through` model."""
        self._suspects.update(self.linkers(gone))
        for key in self.referrers(gone):
            self._suspects.update(self.linkers(key))

    def doubt_app(self, app_label: str, reason: str) -> Undo:
        """Any model of the app may have been made, changed or removed."""
        self._doubtful_apps.setdefault(app_label, reason)
        undo: Undo = {}
        for key in [key for key in self._models if key.app_label == app_label]:
            undo.update(self.doubt_model(key, reason, exists=True))
        return undo

    def doubt_model(
        self, key: ModelKey, reason: str, *, fields: Maybe[Iterable[str]] = UNKNOWN, exists: bool = True
    ) -> Undo:
        """`key`, or only its `fields`, may be other than it was; `exists` false: may also be there or not."""
        model = self._models.get(key)
        if model is None or not exists:
            self._doubtful_models.setdefault(key, reason)
        if model is None:
            return {}
        changed = dict(model.fields)
        for name in model.fields if fields is UNKNOWN else fields:
            if name in changed and changed[name].uncertain is None:
                changed[name] = replace(changed[name], uncertain=reason)
        others = fields is UNKNOWN or any(name not in model.fields for name in fields)
        uncertain = reason if others and model.uncertain is None else None
        self._models[key] = _changed(model, fields=changed, uncertain=uncertain)
        return {key: model}

    def put(self, model: ModelState) -> None:
        """Set a model as a whole, for merging what branches left."""
        self._models[model.key] = model
        for field in model.fields.values():
            self._note_relation(model.key, field.field)

    def remove(self, key: ModelKey) -> None:
        self._models.pop(key, None)
        self._suspect(key)

    def take_doubts(self, other: StateLedger) -> None:
        """Doubt whatever another branch doubts."""
        for app_label, reason in other._doubtful_apps.items():
            self._doubtful_apps.setdefault(app_label, reason)
        for key, reason in other._doubtful_models.items():
            self._doubtful_models.setdefault(key, reason)

    # -- operations

    def apply(self, operation: Operation, app_label: str, origin: Origin) -> Undo:
        """Change the state as `operation` does; the result is what the touched models were before (``None``: absent).

        Operations that hold others, and those nobody knows, are the walk's business.
        """
        handler = HANDLERS.get(type(operation))
        undo: Undo = {} if handler is None else handler(self, operation, app_label, origin)
        self.rendered = self.rendered.follow(operation, app_label, view_before(self, undo), self, self.referrers)
        return undo

    def _create_model(self, operation: CreateModel, app_label: str, origin: Origin) -> Undo:
        key = ModelKey(app_label, operation.name.lower())
        fields: dict[str, FieldState] = {}
        for named in operation.fields:
            where = origin if named.span is None else _at(origin, named.span)
            fields[named.name] = FieldState(name=named.name, field=named.field, origin=where, created=where)
            if named.field.relation is not None:
                self._note_relation(key, named.field)
        uncertain = None if operation.fields_complete else "its list of fields could not be read whole"
        old = self._models.get(key)
        self._models[key] = ModelState(
            key=key, name=operation.name, fields=fields, options=operation.options, origin=origin, uncertain=uncertain
        )
        self._doubtful_models.pop(key, None)
        return {key: old}

    def _delete_model(self, operation: DeleteModel, app_label: str, origin: Origin) -> Undo:
        key = ModelKey(app_label, operation.name.lower())
        self._doubtful_models.pop(key, None)
        old = self._models.pop(key, None)
        self._suspect(key)
        return {} if old is None else {key: old}

    def _rename_model(self, operation: RenameModel, app_label: str, origin: Origin) -> Undo:
        """`ProjectState.rename_model`: the model moves to the end, and what points at it follows.

        ``bases`` of other models are not rewritten by Django either: rendering the children then fails there. They
        follow here, since nothing else can be meant.
        """
        old_key = ModelKey(app_label, operation.old_name.lower())
        new_key = ModelKey(app_label, operation.new_name.lower())
        model = self._models.get(old_key)
        if model is None:
            return {}
        undo: Undo = {}
        for key in (*self.referrers(old_key), old_key):
            referrer = self._models.get(key)
            if referrer is None or key in undo:
                continue
            repointed = _repointed(referrer, old_key, new_key)
            if repointed is not referrer:
                undo[key] = referrer
                self._models[key] = repointed
        undo[old_key] = model
        if new_key != old_key:
            undo[new_key] = self._models.get(new_key)
        renamed = self._models.pop(old_key)
        self._models[new_key] = ModelState(
            key=new_key,
            name=operation.new_name,
            fields=renamed.fields,
            options=renamed.options,
            origin=renamed.origin,
            uncertain=renamed.uncertain,
        )
        # The old name may come back for another model, the sets may only grow: both names know all referrers.
        for index in (self._referrers, self._linkers):
            known = index.setdefault(new_key, {})
            for key in tuple(index.get(old_key, ())):
                known[new_key if key == old_key else key] = None
            for others in index.values():
                if old_key in others:
                    others[new_key] = None
        self._suspects.add(new_key)
        self._suspect(old_key)
        if old_key in self._to_field_users:
            self._to_field_users[new_key] = None
        return undo

    def _add_field(self, operation: AddField, app_label: str, origin: Origin) -> Undo:
        key = ModelKey(app_label, operation.model_name.lower())
        model = self._models.get(key)
        if model is None:
            return {}
        field = operation.field
        fields = dict(model.fields)
        fields[operation.name] = FieldState(name=operation.name, field=field, origin=origin, created=origin)
        self._models[key] = _changed(model, fields=fields)
        if field.relation is not None:
            self._note_relation(key, field)
        return {key: model}

    def _remove_field(self, operation: RemoveField, app_label: str, origin: Origin) -> Undo:
        key = ModelKey(app_label, operation.model_name.lower())
        model = self._models.get(key)
        if model is None or operation.name not in model.fields:
            return {}
        fields = dict(model.fields)
        del fields[operation.name]
        self._models[key] = _changed(model, fields=fields)
        return {key: model}

    def _alter_field(self, operation: AlterField, app_label: str, origin: Origin) -> Undo:
        key = ModelKey(app_label, operation.model_name.lower())
        model = self._models.get(key)
        if model is None:
            return {}
        old = model.fields.get(operation.name)
        if old is None and model.uncertain is None:
            return {}
        field = operation.field
        fields = dict(model.fields)
        fields[operation.name] = FieldState(
            name=operation.name, field=field, origin=origin, created=origin if old is None else old.created
        )
        self._models[key] = _changed(model, fields=fields)
        if field.relation is not None:
            self._note_relation(key, field)
        return {key: model}

    def _rename_field(self, operation: RenameField, app_label: str, origin: Origin) -> Undo:
        """`ProjectState.rename_field`: the field moves to the end; together options, `to_field` and
        `order_with_respect_to` follow, `through_fields` of others does not (Django leaves it as it is)."""
        key = ModelKey(app_label, operation.model_name.lower())
        model = self._models.get(key)
        old_name, new_name = operation.old_name, operation.new_name
        if model is None or old_name not in model.fields:
            return {}
        undo: Undo = {key: model}
        fields = dict(model.fields)
        found = fields.pop(old_name)
        fields[new_name] = FieldState(
            name=new_name, field=found.field, origin=found.origin, created=found.created, uncertain=found.uncertain
        )
        options = model.options
        together = {
            name: frozenset(tuple(new_name if part == old_name else part for part in parts) for parts in value)
            for name, value in (
                ("unique_together", options.unique_together),
                ("index_together", options.index_together),
            )
            if value is not UNKNOWN and any(old_name in parts for parts in value)
        }
        if together:
            options = replace(options, **together)  # type: ignore[arg-type]
        self._models[key] = _changed(model, fields=fields, options=options)
        for user in tuple(self._to_field_users):
            referrer = self._models.get(user)
            if referrer is None:
                continue
            changed = _to_fields_renamed(referrer, key, old_name, new_name)
            if changed is not referrer:
                undo.setdefault(user, referrer)
                self._models[user] = changed
        return undo

    def _alter_model_table(self, operation: AlterModelTable, app_label: str, origin: Origin) -> Undo:
        return self._options(app_label, operation.name, lambda options: replace(options, db_table=operation.table))

    def _alter_together(self, operation: AlterTogether, app_label: str, origin: Origin) -> Undo:
        value = operation.value
        if operation.option_name == "unique_together":
            return self._options(app_label, operation.name, lambda options: replace(options, unique_together=value))
        return self._options(app_label, operation.name, lambda options: replace(options, index_together=value))

    def _alter_order(self, operation: AlterOrderWithRespectTo, app_label: str, origin: Origin) -> Undo:
        value = operation.order_with_respect_to
        return self._options(app_label, operation.name, lambda options: replace(options, order_with_respect_to=value))

    def _alter_model_options(self, operation: AlterModelOptions, app_label: str, origin: Origin) -> Undo:
        key = ModelKey(app_label, operation.name.lower())
        model = self._models.get(key)
        if model is None or model.options.managed is operation.managed:
            return {}
        return self._options(app_label, operation.name, lambda options: replace(options, managed=operation.managed))

    def _add_constraint(self, operation: AddConstraint, app_label: str, origin: Origin) -> Undo:
        return self._list_option(
            app_label, operation.model_name, "constraints", lambda items: (*items, operation.constraint)
        )

    def _remove_constraint(self, operation: RemoveConstraint, app_label: str, origin: Origin) -> Undo:
        name = operation.name
        return self._list_option(
            app_label,
            operation.model_name,
            "constraints",
            None if name is UNKNOWN else lambda items: _without(items, name),
        )

    def _alter_constraint(self, operation: AlterConstraint, app_label: str, origin: Origin) -> Undo:
        name = operation.name
        if name is UNKNOWN:
            return self._list_option(app_label, operation.model_name, "constraints", None)
        return self._list_option(
            app_label,
            operation.model_name,
            "constraints",
            lambda items: tuple(operation.constraint if item.name == name else item for item in items),
        )

    def _add_index(self, operation: AddIndex, app_label: str, origin: Origin) -> Undo:
        return self._list_option(app_label, operation.model_name, "indexes", lambda items: (*items, operation.index))

    def _remove_index(self, operation: RemoveIndex, app_label: str, origin: Origin) -> Undo:
        name = operation.name
        return self._list_option(
            app_label, operation.model_name, "indexes", None if name is UNKNOWN else lambda items: _without(items, name)
        )

    def _rename_index(self, operation: RenameIndex, app_label: str, origin: Origin) -> Undo:
        old_name, new_name, old_fields = operation.old_name, operation.new_name, operation.old_fields
        if old_name is UNKNOWN or old_fields is UNKNOWN or new_name is UNKNOWN:
            return self._list_option(app_label, operation.model_name, "indexes", None)
        if old_fields is None:
            return self._list_option(
                app_label,
                operation.model_name,
                "indexes",
                lambda items: tuple(replace(item, name=new_name) if item.name == old_name else item for item in items),
            )
        index = Constraint(class_path="django.db.models.Index", name=new_name, fields=old_fields)

        def change(options: ModelOptions) -> ModelOptions:
            together = options.index_together
            return replace(
                options,
                indexes=UNKNOWN if options.indexes is UNKNOWN else (*options.indexes, index),
                index_together=UNKNOWN if together is UNKNOWN else together - {old_fields},
            )

        return self._options(app_label, operation.model_name, change)

    # -- helpers

    def _options(self, app_label: str, name: str, change: Callable[[ModelOptions], ModelOptions]) -> Undo:
        key = ModelKey(app_label, name.lower())
        model = self._models.get(key)
        if model is None:
            return {}
        self._models[key] = _changed(model, options=change(model.options))
        return {key: model}

    def _list_option(
        self,
        app_label: str,
        name: str,
        option: str,
        change: Callable[[tuple[Constraint, ...]], tuple[Constraint, ...]] | None,
    ) -> Undo:
        """Change a list among the options; `change` is ``None`` when it cannot be told how."""
        key = ModelKey(app_label, name.lower())
        model = self._models.get(key)
        if model is None:
            return {}
        options = model.options
        items = options.constraints if option == "constraints" else options.indexes
        changed: Maybe[tuple[Constraint, ...]] = UNKNOWN if change is None or items is UNKNOWN else change(items)
        options = (
            replace(options, constraints=changed) if option == "constraints" else replace(options, indexes=changed)
        )
        self._models[key] = _changed(model, options=options)
        return {key: model}

    def _note_relation(self, key: ModelKey, field: Field) -> None:
        relation = field.relation
        if relation is None:
            return
        links = field.many_to_many
        self._suspects.update((key,) if links else self.linkers(key))
        for target in (relation.to, relation.through):
            if isinstance(target, ModelKey):
                self._referrers.setdefault(target, {})[key] = None
                if links:
                    self._linkers.setdefault(target, {})[key] = None
        if relation.to_field is not None:
            self._to_field_users[key] = None


class BeforeView:
    """The state from before an operation: the ledger as it is now, with what the operation changed taken back."""

    __slots__ = ("_ledger", "_undo")

    def __init__(self, ledger: StateLedger, undo: Mapping[ModelKey, ModelState | None]) -> None:
        self._ledger = ledger
        self._undo = undo

    def get(self, key: ModelKey) -> ModelState | None:
        if key in self._undo:
            return self._undo[key]
        return self._ledger.get(key)

    def lookup(self, ref: Maybe[ModelRef | None]) -> Maybe[ModelState | None]:
        if isinstance(ref, ModelKey) and ref in self._undo:
            model = self._undo[ref]
            return self._ledger.absent(ref) if model is None else model
        return self._ledger.lookup(ref)

    def models(self) -> Iterator[ModelState]:
        seen = set()
        for model in self._ledger.models():
            key = model.key
            seen.add(key)
            old = self._undo.get(key, model)
            if old is not None:
                yield old
        for key, old in self._undo.items():
            if key not in seen and old is not None:
                yield old


def view_before(ledger: StateLedger, undo: Undo) -> StateView:
    """The state from before the operation that yielded `undo`."""
    return BeforeView(ledger, undo) if undo else ledger


def _at(origin: Origin, span: object) -> Origin:
    return Origin(origin.migration, origin.address, Location(origin.location.path, span))  # type: ignore[arg-type]


def _changed(
    model: ModelState,
    *,
    fields: Mapping[str, FieldState] | None = None,
    options: ModelOptions | None = None,
    uncertain: str | None = None,
) -> ModelState:
    """`dataclasses.replace` for the walk's most frequent operation, several times faster."""
    return ModelState(
        key=model.key,
        name=model.name,
        fields=model.fields if fields is None else fields,
        options=model.options if options is None else options,
        origin=model.origin,
        uncertain=model.uncertain if uncertain is None else uncertain,
    )


def _without(items: tuple[Constraint, ...], name: str) -> tuple[Constraint, ...]:
    return tuple(item for item in items if item.name != name)


def _repointed(model: ModelState, old: ModelKey, new: ModelKey) -> ModelState:
    """`model` with every reference to `old` turned to `new`; the same object when there is none."""
    changed: dict[str, FieldState] = {}
    for name, state in model.fields.items():
        relation = state.field.relation
        if relation is None or (relation.to != old and relation.through != old):
            continue
        relation = replace(
            relation,
            to=new if relation.to == old else relation.to,
            through=new if relation.through == old else relation.through,
        )
        changed[name] = replace(state, field=replace(state.field, relation=relation))
    options = model.options
    if options.bases is not UNKNOWN and old in options.bases:
        options = replace(options, bases=tuple(new if base == old else base for base in options.bases))
    if not changed and options is model.options:
        return model
    return _changed(model, fields={**model.fields, **changed}, options=options)


def _to_fields_renamed(model: ModelState, target: ModelKey, old: str, new: str) -> ModelState:
    """`model` with every ``to_field=old`` of a foreign key to `target` renamed; the same object when there is none."""
    changed: dict[str, FieldState] = {}
    for name, state in model.fields.items():
        relation = state.field.relation
        if relation is not None and relation.to == target and relation.to_field == old:
            changed[name] = replace(state, field=replace(state.field, relation=replace(relation, to_field=new)))
    return _changed(model, fields={**model.fields, **changed}) if changed else model


HANDLERS: dict[type[Operation], Callable[..., Undo]] = {
    CreateModel: StateLedger._create_model,
    DeleteModel: StateLedger._delete_model,
    RenameModel: StateLedger._rename_model,
    AddField: StateLedger._add_field,
    RemoveField: StateLedger._remove_field,
    AlterField: StateLedger._alter_field,
    RenameField: StateLedger._rename_field,
    AlterModelTable: StateLedger._alter_model_table,
    AlterTogether: StateLedger._alter_together,
    AlterOrderWithRespectTo: StateLedger._alter_order,
    AlterModelOptions: StateLedger._alter_model_options,
    AddConstraint: StateLedger._add_constraint,
    RemoveConstraint: StateLedger._remove_constraint,
    AlterConstraint: StateLedger._alter_constraint,
    AddIndex: StateLedger._add_index,
    RemoveIndex: StateLedger._remove_index,
    RenameIndex: StateLedger._rename_index,
}
__all__ = ["HANDLERS", "BeforeView", "StateLedger", "Undo", "view_before"]

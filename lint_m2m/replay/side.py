"""The base of all database sides: where things are, and what is left in doubt when it cannot be told."""

from __future__ import annotations

from lint_m2m.migration import (
    UNKNOWN,
    FieldKind,
    Maybe,
    ModelKey,
)
from lint_m2m.replay import wording
from lint_m2m.replay.change import Change
from lint_m2m.replay.database import Table
from lint_m2m.replay.facts import FailureKind, FieldKey
from lint_m2m.replay.layout import Columns, Layout
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.rebuilding import RebuildingEditor
from lint_m2m.replay.rendering import is_through, lost_target


class DatabaseSide:
    """What the database sides of all operations share."""

    def __init__(self, layout: Layout, editor: RebuildingEditor, django_version: tuple[int, int]) -> None:
        self.layout = layout
        self.editor = editor
        self.names = layout.names
        self.sqlite = editor.sqlite
        self.old_django = django_version < (5, 0)
        self.django_version = django_version

    # -- many-to-many fields

    def _automatic(
        self,
        change: Change,
        model: ModelState,
        state: FieldState,
        view: StateView,
        *,
        held: bool = False,
        was: FieldKey | None = None,
    ) -> bool:
        """Whether the field has an automatic table to work on; raises where `through` names no model, which a field
        that was rendered before (`held`) may still have. `was` is the field before, if it is called otherwise now."""
        if state.uncertain is not None:
            self._doubt_field(model, state, view)
            return False
        automatic = self.layout.is_automatic(state.field)
        if automatic is UNKNOWN:
            self._doubt_field(model, state, view)
            return False
        if automatic:
            return True
        self._resolved(change, was or model.field_key(state.name), state, view, held=held)
        return False

    def _resolved(
        self, change: Change, key: FieldKey, state: FieldState, view: StateView, *, held: bool = False
    ) -> None:
        """Raise where `through` of the field, before the operation called `key`, is a string.

        `held`: the field was rendered before this operation. Then it may still have hold of the class of a model that
        an earlier operation removed, and Django goes on with that.
        """
        relation = state.field.relation
        if relation is None or relation.through is None or view.lookup(relation.through) is not None:
            return
        holds = change.rendered.holds(key) if held else False
        if holds is not True:
            self.editor.about(key)
            doubt = None if holds is False else unsure_of(key)
            self.editor.fail(FailureKind.THROUGH_UNRESOLVED, wording.through_unresolved(), doubt=doubt)

    # -- foreign keys of `through` models

    def _key_lost(
        self, change: Change, model: ModelState, state: FieldState, view: StateView, *, wanted: FieldState | None = None
    ) -> None:
        """Raise where the target of a foreign key that the operation alters or removes is gone, and a string in `view`.

        `wanted` is what it is altered to, whose target may be one as well. Django 5.0 and later compare the tables of
        both targets first.
        """
        if not change.rendered.keys_lost or lost_target(state, view) is None:
            return
        old = self._string(change, model, state, view)
        now = None if wanted is None else lost_target(wanted, change.after)
        key = model.field_key(state.name)
        if (old is None and now is None) or not is_through(model.key, view, change.referrers):
            return
        compared = not self.old_django and wanted is not None and wanted.field.relation is not None
        doubt = None if now is not None or change.rendered.holds(key) is False else unsure_of(key)
        exception = wording.through_unresolved() if compared else wording.related_unresolved(str(old or now))
        self.editor.fail(FailureKind.KEY_LOST, exception, field=key, doubt=doubt)

    def _keys_lost(
        self, change: Change, model: ModelState, view: StateView, *, but: str | None = None, anew: bool = False
    ) -> None:
        """Raise where SQLite makes the table of `model` anew and the target of one of its foreign keys is a string.

        `but` is the field that the operation is about; `anew`: the operation takes the class that it has rendered.
        """
        if not change.rendered.keys_lost or not is_through(model.key, view, change.referrers):
            return
        for state in model.fields.values():
            target = None if state.name == but else self._string(change, model, state, view, anew=anew)
            if target is not None:
                key = model.field_key(state.name)
                sure = anew or change.rendered.holds(key) is False
                exception = wording.related_unresolved(str(target))
                self.editor.fail(FailureKind.KEY_LOST, exception, field=key, doubt=None if sure else unsure_of(key))

    @staticmethod
    def _string(
        change: Change, model: ModelState, state: FieldState, view: StateView, *, anew: bool = False
    ) -> ModelKey | None:
        """The model that a foreign key names by a string: one that is gone, and that it has no hold of any more."""
        target = lost_target(state, view)
        held = target is not None and not anew and change.rendered.holds(model.field_key(state.name)) is True
        return None if held else target

    # -- columns and indexes by field names

    def _spelled(self, columns: Columns, fields: tuple[str, ...]) -> tuple[str, ...] | None:
        found = [columns.by_field(name) for name in fields]
        if any(column is None for column in found):
            return None
        return tuple(column.column for column in found if column is not None)

    def _index_columns_exist(self, table: Table, columns: tuple[str, ...], doing: str) -> None:
        """An index needs its columns; SQLite reads a missing one as a string."""
        if self.sqlite:
            return
        for column in columns:
            self.editor.has_column(table, column, doing)

    def _keep_step(self, name: Maybe[str], old: ModelState, new: ModelState) -> None:
        """The operation made of the table exactly what it made of the model."""
        table = None if name is UNKNOWN else self.editor.db.get(name)
        if table is not None and table.in_step_with is old:
            table.in_step_with = new

    # -- what cannot be told

    def _doubt_field(self, model: ModelState, state: FieldState, view: StateView) -> None:
        """What a field of unknown kind or definition may have: a column, or a table of its own."""
        key = model.field_key(state.name)
        reason = state.uncertain or f"the definition of `{key}` could not be read"
        table = self.layout.table(model, view)
        if table is UNKNOWN:
            return
        if not state.field.many_to_many:
            self._doubt_shape(table, reason)
        name = self.layout.link_table(model, state.name, state.field, view).table
        if name is not UNKNOWN and (state.field.many_to_many or state.field.kind is FieldKind.UNKNOWN):
            self.editor.db.doubt_table(name, reason)

    def _doubt_if_unsure(
        self, model: ModelState | None, view: StateView, field: str | None = None, *, always: bool = False
    ) -> None:
        """An operation of which it cannot be told whether it runs leaves its tables in doubt; the table of a model that
        is not migrated is somebody else's."""
        if model is None:
            return
        if self.layout.runs(model) is False:
            table = self.layout.table(model, view)
            if field is None and table is not UNKNOWN and model.options.proxy is False:
                self.editor.db.foreign.add(self.names.fold_table(table))
            return
        if self.layout.runs(model) is UNKNOWN:
            reason = f"it cannot be told whether `{model.key}` is migrated"
        elif (always or field is not None) and model.uncertain is not None and self.layout.runs(model) is True:
            reason = model.uncertain
        else:
            return
        if field is None:
            for state in model.many_to_many():
                self._doubt_field(model, state, view)
        elif field in model.fields:
            self._doubt_field(model, model.fields[field], view)
        table = self.layout.table(model, view)
        if table is UNKNOWN:
            return
        if field is None:
            self.editor.db.doubt_table(table, reason)
        else:
            self._doubt_shape(table, reason)
            self.editor.db.doubt_table(self.names.link_table(table, field), reason)

    def _doubt_shape(self, name: Maybe[str], reason: str) -> None:
        table = None if name is UNKNOWN else self.editor.db.get(name)
        if table is not None:
            self.editor.db.doubt_shape(table, reason)


def unsure_of(key: FieldKey) -> str:
    """Why it is not known what a field has hold of."""
    return f"it cannot be told whether Django has rendered `{key.model_key}` again by then"

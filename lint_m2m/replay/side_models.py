"""``database_forwards`` of the operations on models."""

from __future__ import annotations

from lint_m2m.migration import (
    UNKNOWN,
    AlterModelTable,
    AlterOrderWithRespectTo,
    CreateModel,
    DeleteModel,
    ModelKey,
    RenameModel,
)
from lint_m2m.replay.change import Change
from lint_m2m.replay.layout import order_column, related_fields
from lint_m2m.replay.rendering import is_through
from lint_m2m.replay.side_fields import FieldSide


class ModelSide(FieldSide):
    """The database side of operations on models."""

    def create_model(self, change: Change, operation: CreateModel) -> None:
        model = change.after.get(ModelKey(change.app_label, operation.name.lower()))
        if model is None or self.layout.runs(model) is not True:
            self._doubt_if_unsure(model, change.after)
            return
        self.editor.create_model(model, change.after)
        for state in model.many_to_many():
            if self._automatic(change, model, state, change.after):
                self.editor.create_link(
                    self.layout.link_table(model, state.name, state.field, change.after), change.after
                )

    def delete_model(self, change: Change, operation: DeleteModel) -> None:
        model = change.before.get(ModelKey(change.app_label, operation.name.lower()))
        if model is None or self.layout.runs(model) is not True:
            self._doubt_if_unsure(model, change.before)
            return
        for state in model.many_to_many():
            if self._automatic(change, model, state, change.before, held=True):
                link = self.layout.link_table(model, state.name, state.field, change.before)
                self.editor.about(link.key)
                self.editor.drop_table(link.table, link.key)
        self.editor.about(None)
        self.editor.drop_table(
            self.layout.table(model, change.before),
            linking=lambda table: table.model is not None and is_through(table.model, change.before, change.referrers),
        )

    def rename_model(self, change: Change, operation: RenameModel) -> None:
        before, after = change.before, change.after
        old = before.get(ModelKey(change.app_label, operation.old_name.lower()))
        new = after.get(ModelKey(change.app_label, operation.new_name.lower()))
        if old is None or new is None or self.layout.runs(new) is not True:
            self._doubt_if_unsure(old, before)
            self._doubt_if_unsure(new, after)
            return
        self.editor.rename_table(self.layout.table(old, before), self.layout.table(new, after))
        for model, state in related_fields(old.key, change.referrers(old.key), before):
            related_name = state.field.relation.related_name if state.field.relation is not None else None
            hidden = isinstance(related_name, str) and related_name.endswith("+")
            if hidden and not state.field.many_to_many:
                continue
            own = model.key == old.key
            now = new if own else after.get(model.key)
            if now is None or state.name not in now.fields or self.layout.runs(now) is not True:
                continue
            self.editor.about(model.field_key(state.name))
            self._alter_field(change, model, state, now, now.fields[state.name])
        pairs = zip(old.many_to_many(), new.many_to_many(), strict=False)
        for old_state, new_state in pairs:
            relation = new_state.field.relation
            was = old.field_key(old_state.name)
            if relation is not None and relation.to == new.key:
                continue
            if not self._automatic(change, new, new_state, after, was=was):
                continue
            self.editor.about(new.field_key(new_state.name))
            old_link = self.layout.link_table(old, old_state.name, old_state.field, before)
            new_link = self.layout.link_table(new, new_state.name, new_state.field, after)
            self._targets_resolved(change, old_link, new_link)
            self._alter_links(old_link, new_link, change, retargeted=False)

    def alter_model_table(self, change: Change, operation: AlterModelTable) -> None:
        key = ModelKey(change.app_label, operation.name.lower())
        old, new = change.before.get(key), change.after.get(key)
        if old is None or new is None or self.layout.runs(new) is not True:
            self._doubt_if_unsure(old, change.before)
            self._doubt_if_unsure(new, change.after)
            return
        self.editor.rename_table(self.layout.table(old, change.before), self.layout.table(new, change.after))
        for old_state, new_state in zip(old.many_to_many(), new.many_to_many(), strict=False):
            if self._automatic(change, new, new_state, change.after):
                before = self.layout.link_table(old, old_state.name, old_state.field, change.before)
                after = self.layout.link_table(new, new_state.name, new_state.field, change.after)
                self.editor.about(after.key)
                self.editor.rename_table(before.table, after.table, after.key)

    def alter_order(self, change: Change, operation: AlterOrderWithRespectTo) -> None:
        key = ModelKey(change.app_label, operation.name.lower())
        old, new = change.before.get(key), change.after.get(key)
        if old is None or new is None or self.layout.runs(new) is not True:
            return
        was, now = old.options.order_with_respect_to, new.options.order_with_respect_to
        name = self.layout.table(old, change.before)
        if was is UNKNOWN or now is UNKNOWN or name is UNKNOWN:
            if name is not UNKNOWN:
                self._doubt_shape(name, "an order_with_respect_to could not be read")
            return
        if was and not now:
            self.editor.drop_column(name, "_order")
        elif now and not was:
            if self.sqlite:
                self._keys_lost(change, old, change.before)
                self.editor.remake(name, None, new, change.after, created="_order")
            else:
                self.editor.add_column(name, order_column())

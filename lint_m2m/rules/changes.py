"""Which migrations change the `through=` of a many-to-many: shared by the rules on how that is carried out."""

from __future__ import annotations

from lint_m2m.migration import AddField, MigrationKey, ModelKey, RemoveField
from lint_m2m.replay.facts import FieldKey
from lint_m2m.replay.step import Step
from lint_m2m.rules.describe import altered_fields, through_of


class ThroughChanges:
    """Remembers, step by step, the fields that gain, lose or swap `through=`, or are removed and added again."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._by_migration: dict[MigrationKey, set[FieldKey]] = {}
        self._removed: dict[MigrationKey, set[FieldKey]] = {}

    def see(self, step: Step) -> None:
        """Take note of `step`: once, however many rules show it."""
        if step is self._last:
            return
        self._last = step
        operation = step.operation
        if not step.on_state and not step.on_database:
            return
        fields = altered_fields(step)
        if fields is not None:
            model, old, new = fields
            if old.field.many_to_many and new.field.many_to_many and through_of(old.field) != through_of(new.field):
                self._by_migration.setdefault(step.migration.key, set()).add(model.field_key(new.name))
        elif isinstance(operation, RemoveField):
            model_before = step.before.get(ModelKey(step.app_label, operation.model_name.lower()))
            field = model_before.fields.get(operation.name) if model_before else None
            if model_before is not None and field is not None and field.field.many_to_many:
                self._removed.setdefault(step.migration.key, set()).add(model_before.field_key(field.name))
        elif isinstance(operation, AddField) and operation.field.many_to_many:
            key = FieldKey(step.app_label, operation.model_name.lower(), operation.name)
            if key in self._removed.get(step.migration.key, ()):
                self._by_migration.setdefault(step.migration.key, set()).add(key)

    def in_migration(self, key: MigrationKey) -> frozenset[FieldKey]:
        """The fields whose `through=` migration `key` changes (so far)."""
        return frozenset(self._by_migration.get(key, ()))

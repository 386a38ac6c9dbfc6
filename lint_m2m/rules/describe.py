"""Words that several rules share: how a field, a table and a place are called in messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lint_m2m.finding import Certainty, Related
from lint_m2m.migration import (
    UNKNOWN,
    AlterField,
    AlterTogether,
    Field,
    Location,
    Maybe,
    ModelKey,
    ModelRef,
    Operation,
)
from lint_m2m.replay.facts import FieldKey, Origin, TableFact
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay

# Of the package django-sortedm2m: its links have a place among those of the same object.
_SORTED: Final = "sortedm2m.fields.SortedManyToManyField"
# What a failed run leaves behind is named up to here.
MOST_TABLES: Final = 50


def model_label(state: StateView, key: Maybe[ModelRef | None]) -> str:
    """``library.Book``: the model as its author wrote it, else its key."""
    if key is UNKNOWN:
        return "an unknown model"
    if isinstance(key, ModelKey):
        model = state.get(key)
        return f"{key.app_label}.{model.name}" if model else str(key)
    return str(key)


def operation_name(operation: Operation) -> str:
    """The operation's class as the migration writes it."""
    if operation.class_path is not None:
        return operation.class_path.rpartition(".")[2]
    if isinstance(operation, AlterTogether):
        return "AlterUniqueTogether" if operation.option_name == "unique_together" else "AlterIndexTogether"
    return type(operation).__name__


def field_label(state: StateView, key: FieldKey) -> str:
    """``library.Book.authors``."""
    return f"{model_label(state, key.model_key)}.{key.name}"


def altered_fields(step: Step) -> tuple[ModelState, FieldState, FieldState] | None:
    """For an AlterField whose field is known before and after: its model before, the field before and after."""
    operation = step.operation
    if not isinstance(operation, AlterField):
        return None
    key = ModelKey(step.app_label, operation.model_name.lower())
    before, after = step.before.get(key), step.after.get(key)
    if before is None or after is None:
        return None
    old, new = before.fields.get(operation.name), after.fields.get(operation.name)
    if old is None or new is None or old.uncertain is not None or new.uncertain is not None:
        return None
    return before, old, new


def retargeted(step: Step) -> tuple[ModelState, FieldState, FieldState] | None:
    """What `altered_fields` says of an AlterField that gives the relation another target."""
    fields = altered_fields(step)
    if fields is None:
        return None
    was, now = fields[1].field.relation, fields[2].field.relation
    return fields if was is not None and now is not None and was.to != now.to else None


def through_of(field: Field) -> Maybe[ModelRef | None]:
    """The `through` model of a many-to-many: ``None`` for an automatic table."""
    return None if field.relation is None else field.relation.through


def sorting(old: Field, new: Field) -> tuple[str, ...]:
    """A note for whoever makes a sorted many-to-many of a plain one, or the reverse: there is an operation for it.

    See ``sortedm2m/operations.py``; that the links stay, both ways, was measured on SQLite, PostgreSQL and MariaDB. It
    makes or drops the column for the order, in a table that keeps its name.
    """
    was, now = old.relation, new.relation
    if was is None or now is None or (old.class_path == _SORTED) is (new.class_path == _SORTED):
        return ()
    if was.through is not None or now.through is not None or UNKNOWN in (was.db_table, now.db_table):
        return ()
    if was.auto_columns is UNKNOWN or now.auto_columns is UNKNOWN:
        return ()
    if was.db_table != now.db_table or set(was.auto_columns) == set(now.auto_columns):
        return ()
    return ("`AlterSortedManyToManyField` (`sortedm2m.operations`) changes the table instead, and keeps every link",)


def link_owner(state: StateView, key: ModelKey | None) -> FieldKey | None:
    """The first many-to-many field that goes through a model."""
    if key is None:
        return None
    fields = (
        owner.field_key(field.name)
        for owner in state.models()
        for field in owner.many_to_many()
        if through_of(field.field) == key
    )
    return next(fields, None)


def field_place(field: FieldState, origin: Origin) -> Location:
    """Where `origin` wrote the field: its call if the definition is still that one, else the operation."""
    if field.origin == origin and field.field.span is not None:
        return Location(origin.location.path, field.field.span)
    return origin.location


def creation(field: FieldState, message: str) -> Related:
    """The place where the field was added."""
    return Related(location=field_place(field, field.created), message=message)


def table_place(table: TableFact | None, message: str) -> tuple[Related, ...]:
    """The place that made the table, if a migration did."""
    if table is None or table.created is None:
        return ()
    return (Related(location=table.created.location, message=message),)


def weakest(*certainties: Certainty) -> Certainty:
    """The least certain of them."""
    order = (Certainty.POSSIBLE, Certainty.LIKELY, Certainty.CERTAIN)
    return min(certainties, key=order.index)


def quoted(names: object) -> str:
    """``a``, ``b`` and ``c`` in backticks, sorted."""
    assert isinstance(names, (list, tuple, set, frozenset))
    return enumeration([f"`{name}`" for name in sorted(str(name) for name in names)])


def enumeration(parts: Sequence[str]) -> str:
    """a, b and c."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def left_behind(step: Step, replay: Replay) -> tuple[str, ...]:
    """The MySQL note of an operation that fails: MySQL and MariaDB do not roll DDL back."""
    if replay.settings.vendor_known and replay.settings.vendor == "postgresql":
        return ()
    tables = [
        table.name
        for table in replay.tables()
        if table.created is not None and table.created.migration == step.migration.key and table.created != step.origin
    ]
    if not tables:
        return ()
    word, them = ("table", "it") if len(tables) == 1 else ("tables", "them")
    named = [f"`{name}`" for name in sorted(tables)]
    if len(named) > MOST_TABLES:
        named[MOST_TABLES:] = [f"{len(named) - MOST_TABLES} more that it has made"]
    return (f"on MySQL the failed run leaves {word} {enumeration(named)} behind; drop {them} before the next try",)


def link_field_of(replay: Replay, state: StateView, table: str | None, model: ModelKey | None) -> FieldKey | None:
    """The many-to-many field whose links are in `table` or in the table of `model`, as `state` believes."""
    for owner in state.models():
        for field in owner.many_to_many():
            if model is not None and through_of(field.field) == model:
                return owner.field_key(field.name)
            if table is not None and replay.link_table(owner, field, state) == table:
                return owner.field_key(field.name)
    return None

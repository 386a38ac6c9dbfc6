"""What operations that cannot be read leave in doubt, in both ledgers."""

from __future__ import annotations

from lint_m2m.migration import UNKNOWN, Maybe, Operation
from lint_m2m.replay.database import Database
from lint_m2m.replay.layout import Layout
from lint_m2m.replay.models import ModelState, StateView
from lint_m2m.replay.state import StateLedger, Undo
from lint_m2m.replay.touched import touched


def doubt_state(state: StateLedger, operation: Operation, app_label: str, reason: str) -> Undo:
    """The models and fields that `operation` touches may be others, there or not."""
    undo: Undo = {}
    for key, fields in touched(operation, app_label):
        if key is None:
            changed = state.doubt_app(app_label, reason)
        else:
            there = fields is not UNKNOWN or state.get(key) is not None
            changed = state.doubt_model(key, reason, fields=fields, exists=there)
        for each, was in changed.items():
            undo.setdefault(each, was)
        state.rendered = state.rendered.doubted()
    return undo


def doubt_database(
    database: Database, layout: Layout, operation: Operation, app_label: str, reason: str, view: StateView
) -> None:
    """The tables of the models and fields that `operation` touches, as `view` knows them, may be others."""
    for key, fields in touched(operation, app_label):
        if key is None:
            database.doubt_prefix(f"{app_label}_", reason)
            for model in view.models():
                if model.key.app_label == app_label:
                    _doubt_tables(database, layout, model, UNKNOWN, reason, view)
            continue
        known = view.get(key)
        if known is None:
            database.doubt_table(layout.names.default_table(*key), reason)
            continue
        _doubt_tables(database, layout, known, fields, reason, view)
        table = layout.table(known, view)
        if fields is not UNKNOWN and table is not UNKNOWN:
            for name in fields:
                if name not in known.fields:
                    database.doubt_table(layout.names.link_table(table, name), reason)


def _doubt_tables(
    database: Database, layout: Layout, model: ModelState, fields: Maybe[frozenset[str]], reason: str, view: StateView
) -> None:
    """The tables of a model, or of some of its fields: then the model's own stays where it is."""
    name = layout.table(model, view)
    if name is not UNKNOWN:
        table = database.get(name)
        if fields is UNKNOWN or table is None:
            database.doubt_table(name, reason)
        else:
            database.doubt_shape(table, reason)
    for state in model.many_to_many():
        if fields is not UNKNOWN and state.name not in fields:
            continue
        if layout.is_automatic(state.field) is True:
            link = layout.link_table(model, state.name, state.field, view)
            if link.table is not UNKNOWN:
                database.doubt_table(link.table, reason)

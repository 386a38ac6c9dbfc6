"""What Django believes: tables, columns and unique sets that the rendered project state wants, and its relations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .catalog import Catalog, Table
from .outcome import FieldKey, View


@dataclass(slots=True)
class WantedTable:
    """One table that the state wants. `uniques` maps columns to the name they would be removed by, ``None`` for any."""

    model: str
    name: str
    columns: frozenset[str]
    uniques: dict[tuple[str, ...], str | None]
    primary_key: tuple[str, str] | None  # column, and its type without auto-increment
    link: bool = False  # a many-to-many field looks at it
    fields: tuple[FieldKey, ...] = ()


@dataclass(slots=True)
class Relation:
    """A relation field of the rendered state, without anything of the database."""

    key: FieldKey
    kind: str
    to: str
    table: str | None
    through: str | None
    columns: tuple[str, str] | None
    managed: bool
    source_table: str
    target_table: str | None


@dataclass(slots=True)
class Belief:
    """What the state of one moment wants; `links` are the tables that its many-to-many fields look at."""

    tables: dict[str, WantedTable]
    relations: dict[FieldKey, Relation]
    models: frozenset[str]

    @property
    def links(self) -> frozenset[str]:
        return frozenset(name for name, table in self.tables.items() if table.link)


class Believer:
    """Reads project states of one run. What a model class wants is kept: Django renders a changed model anew."""

    def __init__(self, connection: Any, labels: Collection[str]) -> None:
        self.connection = connection
        self.labels = frozenset(labels)
        self._wanted: dict[type, WantedTable] = {}

    def read(self, state: Any) -> Belief:
        """The belief of a state whose `apps` are rendered (they are: `migrate` renders them at its start)."""
        tables: dict[str, WantedTable] = {}
        relations: dict[FieldKey, Relation] = {}
        models: set[str] = set()
        for app_label, name in state.models:
            if app_label not in self.labels:
                continue
            model = state.apps.all_models[app_label].get(name)
            if model is None:
                continue
            models.add(f"{app_label}.{name}")
            managed = bool(model._meta.can_migrate(self.connection))
            if managed:
                wanted = self._want(model)
                # Not the kept one: what looks at it belongs to this state.
                known = tables.get(wanted.name)
                tables[wanted.name] = WantedTable(
                    wanted.model, wanted.name, wanted.columns, wanted.uniques, wanted.primary_key
                )
                if known is not None:
                    tables[wanted.name].fields = known.fields
                    tables[wanted.name].link = known.link
            for relation in self._relations(state, model, app_label, name, managed):
                relations[relation.key] = relation
        for relation in relations.values():
            if relation.kind == "many-to-many" and relation.table is not None:
                self._link(state, relation, tables)
        return Belief(tables, relations, frozenset(models))

    def _link(self, state: Any, relation: Relation, tables: dict[str, WantedTable]) -> None:
        if relation.table not in tables and relation.through is None and relation.managed:
            owner = state.apps.all_models[relation.key.app_label][relation.key.model]
            through = owner._meta.get_field(relation.key.name).remote_field.through
            wanted = self._want(_current(state, through))
            tables[wanted.name] = WantedTable(
                wanted.model, wanted.name, wanted.columns, wanted.uniques, wanted.primary_key
            )
        table = tables.get(relation.table or "")
        if table is not None:
            table.link = True
            table.fields = (*table.fields, relation.key)

    def _want(self, model: Any) -> WantedTable:
        found = self._wanted.get(model)
        if found is None:
            found = self._wanted[model] = _wanted(model, self.connection)
        return found

    def _relations(self, state: Any, model: Any, app_label: str, name: str, managed: bool) -> Iterator[Relation]:
        meta = model._meta
        for field in meta.local_many_to_many:
            to = field.remote_field.model
            through = field.remote_field.through
            resolved = not isinstance(through, str) and through is not None
            if resolved:
                through = _current(state, through)
            yield Relation(
                key=FieldKey(app_label, name, field.name),
                kind="many-to-many",
                to=_label(to),
                table=through._meta.db_table if resolved else None,
                through=through._meta.label_lower if resolved and not through._meta.auto_created else None,
                columns=_link_columns(field, through) if resolved else None,
                managed=managed,
                source_table=meta.db_table,
                target_table=None if isinstance(to, str) else to._meta.db_table,
            )
        for field in meta.local_fields:
            if field.remote_field is None or field.primary_key:
                continue
            to = field.remote_field.model
            if isinstance(to, str):
                continue
            yield Relation(
                key=FieldKey(app_label, name, field.name),
                kind="foreign key",
                to=to._meta.label_lower,
                table=meta.db_table,
                through=None,
                columns=(meta.pk.column, field.column),
                managed=managed,
                source_table=meta.db_table,
                target_table=to._meta.db_table,
            )


def _current(state: Any, model: Any) -> Any:
    """The class that the state has now under this name: fields may still refer to one rendered earlier."""
    return state.apps.all_models[model._meta.app_label].get(model._meta.model_name, model)


def _link_columns(field: Any, through: Any) -> tuple[str, str] | None:
    """What ``m2m_column_name()`` and ``m2m_reverse_name()`` say in a freshly rendered state, told by names."""
    names = getattr(field.remote_field, "through_fields", None)
    keys = [one for one in through._meta.local_fields if one.remote_field is not None]
    if names:
        named = {one.name: one.column for one in keys}
        return (named[names[0]], named[names[1]]) if set(names[:2]) <= named.keys() else None
    source, target = field.model._meta.label_lower, _label(field.remote_field.model)
    sources = [one.column for one in keys if _label(one.remote_field.model) == source]
    targets = [one.column for one in keys if _label(one.remote_field.model) == target]
    if source == target:
        return (sources[0], sources[1]) if len(sources) > 1 else None
    if not sources and any(one.column == "object_id" for one in through._meta.local_fields):
        sources = ["object_id"]  # a generic foreign key, as taggit's default through model has it
    return (sources[0], targets[0]) if sources and targets else None


def _label(model: Any) -> str:
    return model.lower() if isinstance(model, str) else str(model._meta.label_lower)


def _wanted(model: Any, connection: Any) -> WantedTable:
    meta = model._meta
    columns = []
    for field in meta.local_fields:
        # A field without a type has no column; that of a foreign key is not asked for, its target may be missing.
        if field.column is not None and (field.remote_field is not None or field.db_type(connection) is not None):
            columns.append(field.column)
    uniques: dict[tuple[str, ...], str | None] = {}
    for group in meta.unique_together:
        uniques[tuple(meta.get_field(name).column for name in group)] = None
    for constraint in meta.constraints:
        plain = type(constraint).__name__ == "UniqueConstraint" and not (
            constraint.condition or constraint.expressions or constraint.opclasses or constraint.include
        )
        if plain and constraint.fields:
            uniques[tuple(meta.get_field(name).column for name in constraint.fields)] = constraint.name
    pk = meta.pk
    primary_key = None
    if pk is not None and pk.remote_field is None:
        kind = pk.rel_db_type(connection)
        primary_key = (pk.column, str(kind).lower()) if kind else None
    return WantedTable(meta.label_lower, meta.db_table, frozenset(columns), uniques, primary_key)


def view(relation: Relation, catalog: Catalog, tables: Mapping[str, Table]) -> View:
    """What `relation` shows of the database. Never asks for a column that does not exist (SQLite would answer)."""
    table = tables.get(relation.table) if relation.table is not None else None
    rows = pairs = None
    if table is not None:
        if relation.columns is not None and all(column in table.columns for column in relation.columns):
            rows, pairs = catalog.pairs(table.name, *relation.columns)
            if relation.kind == "many-to-many" and relation.source_table == relation.target_table:
                pairs = frozenset((min(pair), max(pair)) for pair in pairs)
        elif relation.kind == "many-to-many":
            rows = catalog.count(table.name)
        if relation.kind == "foreign key" and pairs is not None:
            rows = len(pairs)
    return View(
        kind="many-to-many" if relation.kind == "many-to-many" else "foreign key",
        to=relation.to,
        table=relation.table,
        through=relation.through,
        columns=relation.columns,
        managed=relation.managed,
        exists=table is not None,
        rows=rows,
        pairs=pairs,
    )

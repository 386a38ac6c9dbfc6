"""Rows for every link table, before every migration: what an application in use would have written by then.

Everything is raw SQL over the columns that exist, so that it works for any model and however far Django's belief is
off. Each seeded object has an id that no other row of any table has (a counter through the whole run), so that

- an id of one target table is never an id of another: retargeting shows;
- two tables never hold the same pair by chance: a pair that turns up elsewhere was copied;
- rows copied with their id collide with nothing.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from typing import Any

from .believed import Belief, Relation
from .catalog import Catalog, Column, Table

_FIRST_ID = 1001


class Unseedable(Exception):
    """A row that cannot be made, and why."""


class Seeder:
    """Fills the tables of one database. `notes` tells what could not be filled, and why."""

    def __init__(self, connection: Any, catalog: Catalog) -> None:
        self.connection = connection
        self.catalog = catalog
        self.notes: list[str] = []
        self._ids = itertools.count(_FIRST_ID)
        self._tables: Mapping[str, Table] = {}
        self._foreign_keys: Mapping[str, Mapping[str, tuple[str, str]]] = {}

    def seed(self, belief: Belief) -> None:
        """Six links between three and three new objects for an empty link table, three rows for unused foreign keys."""
        self._tables = self.catalog.tables()
        self._foreign_keys = self.catalog.foreign_keys()
        relations = [belief.relations[key] for key in sorted(belief.relations)]
        for relation in relations:
            if relation.kind == "many-to-many":
                self._attempt(str(relation.key), self._links, relation)
        for relation in relations:
            if relation.kind == "foreign key":
                self._attempt(str(relation.key), self._owners, relation)

    def _attempt(self, what: str, fill: Any, relation: Relation) -> None:
        from django.db import DatabaseError, transaction

        try:
            with transaction.atomic():
                fill(relation)
        except (Unseedable, DatabaseError) as error:
            self.notes.append(f"{what}: {' '.join(str(error).split())}")

    def _links(self, relation: Relation) -> None:
        table = self._tables.get(relation.table or "")
        if table is None or relation.columns is None or not set(relation.columns) <= set(table.columns):
            return  # nothing that an application could write to either; the drift is on record
        if self.catalog.count(table.name):
            return
        source, target = relation.columns
        if relation.target_table is None:
            raise Unseedable("its target is not in the state")
        real = self._foreign_keys.get(table.name, {})
        for column, wanted in ((source, relation.source_table), (target, relation.target_table)):
            if column in real and real[column][0] != wanted:
                raise Unseedable(f"{table.name}.{column} points to {real[column][0]}, not to {wanted}")
        left = [self._row(relation.source_table) for _ in range(3)]
        right = [self._row(relation.target_table) for _ in range(3)]
        for a, b in ((0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)):
            self._row(table.name, {source: left[a], target: right[b]})

    def _owners(self, relation: Relation) -> None:
        table = self._tables.get(relation.source_table)
        target = relation.target_table
        if table is None or relation.columns is None or not set(relation.columns) <= set(table.columns):
            return
        if target is None or target not in self._tables or self.catalog.pairs(table.name, *relation.columns)[1]:
            return
        for _ in range(3):
            self._row(table.name, {relation.columns[1]: self._row(target)})

    def _row(self, name: str, given: Mapping[str, object] | None = None, depth: int = 0) -> object:
        """Insert a row, make the rows that it has to point to, and return its primary key."""
        table = self._tables.get(name)
        if table is None:
            raise Unseedable(f"there is no table {name}")
        key = table.primary_key
        if key is None:
            raise Unseedable(f"{name} has no single primary key")
        if depth > 6:
            raise Unseedable(f"{name}: foreign keys in a circle")
        values = dict(given or {})
        unique = {column for _, columns in table.uniques for column in columns}
        for column in table.columns.values():
            if column.name in values:
                continue
            points_to = self._foreign_keys.get(name, {}).get(column.name)
            if points_to is not None:
                if points_to[0] == name or (column.nullable and (depth > 0 or self._in_use(name, column.name))):
                    if not column.nullable:
                        raise Unseedable(f"{name}.{column.name} has to point to its own table")
                    continue
                values[column.name] = self._row(points_to[0], depth=depth + 1)
            elif column is key:
                self._skip_used(table, key)
                values[column.name] = self._value(column, distinct=True)
            elif not column.nullable and not column.has_default:
                values[column.name] = self._value(column, distinct=column.name in unique)
        names = list(values)
        quote = self.catalog.quote
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quote(name)} ({', '.join(map(quote, names))}) VALUES ({', '.join(['%s'] * len(names))})",
                [values[column] for column in names],
            )
        return values[key.name]

    def _in_use(self, table: str, column: str) -> bool:
        """Is a value in it already? Then it gets no more: they may have been copied, and new ones would be missed."""
        quote = self.catalog.quote
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {quote(table)} WHERE {quote(column)} IS NOT NULL LIMIT 1")
            return cursor.fetchone() is not None

    def _skip_used(self, table: Table, key: Column) -> None:
        """The database numbers the rows that migrations copy, and goes on from the highest number it has."""
        if "int" not in key.type and "serial" not in key.type:
            return
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT MAX({self.catalog.quote(key.name)}) FROM {self.catalog.quote(table.name)}")
            highest = cursor.fetchone()[0]
        following = next(self._ids)
        self._ids = itertools.count(max(following, (highest or 0) + 1))

    def _value(self, column: Column, *, distinct: bool) -> object:
        number = next(self._ids) if distinct else 1
        kind = column.type
        if "uuid" in kind or (kind in ("char(32)", "character(32)") and distinct):
            return str(uuid.UUID(int=number)) if "uuid" in kind else uuid.UUID(int=number).hex
        if "bool" in kind or kind.startswith("tinyint(1)"):
            return False
        if kind.startswith("interval"):
            return "0"
        if any(word in kind for word in ("int", "serial", "numeric", "decimal", "real", "double", "float")):
            return number
        if "timestamp" in kind or "datetime" in kind:
            return "2020-01-01 00:00:00"
        if kind.startswith("date"):
            return "2020-01-01"
        if kind.startswith("time"):
            return "00:00:00"
        if "json" in kind:
            return "{}"
        if any(word in kind for word in ("blob", "bytea", "binary")):
            return b""
        if kind.endswith("[]"):
            return "{}"
        if kind in ("inet", "cidr"):
            return "127.0.0.1"
        if column.length is None or "text" in kind:
            return str(number)  # which is JSON, too: SQLite and MariaDB keep that in a text column
        return (f"v{number}" if distinct else "v")[-column.length :]

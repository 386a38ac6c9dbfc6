"""What exists: tables, columns, unique sets and foreign keys, read from the database's own catalogue.

Not through ``connection.introspection``: that needs several queries a table, and this runs after every operation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

# Django's own bookkeeping is no part of any project.
BOOKKEEPING = frozenset({"django_migrations", "sqlite_sequence"})

_NAMED_UNIQUE = re.compile(r'CONSTRAINT\s+"([^"]+)"\s+UNIQUE\s*\(([^)]*)\)', re.IGNORECASE)


@dataclass(slots=True)
class Column:
    name: str
    type: str  # lower case, as the catalogue spells it
    nullable: bool
    has_default: bool  # or fills itself in: serial, identity, auto_increment, SQLite's integer primary key
    primary_key: bool
    length: int | None = None


@dataclass(slots=True)
class Table:
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    uniques: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)  # (name, columns), without the primary key

    @property
    def primary_key(self) -> Column | None:
        """The column that is the primary key; ``None`` when there is none, or it has several."""
        columns = [column for column in self.columns.values() if column.primary_key]
        return columns[0] if len(columns) == 1 else None


class Catalog:
    """The tables of one connection's database, read again only after something may have changed them."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._version: object = None
        self._tables: dict[str, Table] = {}
        self._foreign_keys: dict[str, dict[str, tuple[str, str]]] | None = None
        self._stale = True

    def changed(self) -> None:
        """Something may have changed: an operation has run. (SQLite tells by itself.)"""
        self._stale = True

    def rolled_back(self) -> None:
        """Forget what was read: SQLite's version of the schema may come again with another content."""
        self._stale = True
        self._version = None

    def tables(self) -> Mapping[str, Table]:
        """All tables by name. The answer is not to be changed, and stays as it is when the database changes."""
        vendor = self.connection.vendor
        with self._cursor() as cursor:
            if vendor == "sqlite":
                # Changes with every change of the schema, inside transactions too; a roll-back sets it back.
                version = cursor.execute("PRAGMA schema_version").fetchone()[0]
                if version == self._version:
                    return self._tables
                self._version = version
                self._tables = _sqlite(cursor)
            elif self._stale:
                self._tables = _postgresql(cursor) if vendor == "postgresql" else _mysql(cursor)
        self._stale = False
        self._foreign_keys = None
        return self._tables

    def foreign_keys(self) -> Mapping[str, Mapping[str, tuple[str, str]]]:
        """Of each table its columns with a foreign key in the database: (table, column) it points to."""
        self.tables()
        if self._foreign_keys is None:
            with self._cursor() as cursor:
                cursor.execute(_FOREIGN_KEYS[self.connection.vendor])
                found: dict[str, dict[str, tuple[str, str]]] = {}
                for table, column, to_table, to_column in cursor.fetchall():
                    found.setdefault(table, {})[column] = (to_table, to_column)
            self._foreign_keys = found
        return self._foreign_keys

    def count(self, table: str) -> int:
        """The rows of an existing table."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {self.quote(table)}")
            return int(cursor.fetchone()[0])

    def pairs(self, table: str, source: str, target: str) -> tuple[int, frozenset[tuple[str, str]]]:
        """How many rows an existing table has, and two of its columns, as text, rows with a NULL left out."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT {self.quote(source)}, {self.quote(target)} FROM {self.quote(table)}")
            rows = cursor.fetchall()
        return len(rows), frozenset((str(a), str(b)) for a, b in rows if a is not None and b is not None)

    def quote(self, name: str) -> str:
        return str(self.connection.ops.quote_name(name))

    def _cursor(self) -> Any:
        """The driver's own: these are many small queries, and none of them is the project's."""
        self.connection.ensure_connection()
        return closing(self.connection.connection.cursor())


def _sqlite(cursor: Any) -> dict[str, Table]:
    cursor.execute(
        'SELECT m.name, p.name, p.type, p."notnull", p.dflt_value IS NOT NULL, p.pk '
        "FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
    )
    tables: dict[str, Table] = {}
    for table, name, kind, not_null, default, pk in cursor.fetchall():
        if table in BOOKKEEPING:
            continue
        kind = kind.lower()
        length = re.search(r"char\((\d+)\)", kind)
        tables.setdefault(table, Table(table)).columns[name] = Column(
            name,
            kind,
            nullable=not not_null and not pk,
            has_default=bool(default) or bool(pk and kind == "integer"),
            primary_key=bool(pk),
            length=int(length[1]) if length else None,
        )
    cursor.execute(
        "SELECT m.name, m.sql, l.name, l.origin, i.name "
        "FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i "
        "WHERE m.type = 'table' AND l.\"unique\" AND NOT l.partial AND l.origin <> 'pk' ORDER BY l.name, i.seqno"
    )
    sets: dict[tuple[str, str], list[str]] = {}
    sources: dict[str, str] = {}
    declared: set[tuple[str, str]] = set()
    for table, sql, name, origin, column in cursor.fetchall():
        if table in tables and column is not None:
            sets.setdefault((table, name), []).append(column)
            sources[table] = sql
            if origin == "u":
                declared.add((table, name))
    # A UNIQUE in CREATE TABLE has an index with a made-up name; the constraint's own name is in the text alone.
    named = {
        table: {tuple(re.findall(r'"([^"]+)"', columns)): name for name, columns in _NAMED_UNIQUE.findall(sql)}
        for table, sql in sources.items()
    }
    for (table, name), columns in sets.items():
        found = tuple(columns)
        own = named[table].get(found, "") if (table, name) in declared else name
        tables[table].uniques.add((own, found))
    return tables


def _postgresql(cursor: Any) -> dict[str, Table]:
    cursor.execute(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
        "a.atthasdef OR a.attidentity <> '', "
        "EXISTS (SELECT FROM pg_constraint k "
        "        WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum"
    )
    tables: dict[str, Table] = {}
    for table, name, kind, not_null, default, pk in cursor.fetchall():
        if table in BOOKKEEPING:
            continue
        length = re.search(r"character(?: varying)?\((\d+)\)", kind)
        tables.setdefault(table, Table(table)).columns[name] = Column(
            name, kind, not not_null, bool(default), bool(pk), int(length[1]) if length else None
        )
    cursor.execute(
        "SELECT c.relname, x.relname, array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum)) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) "
        "WHERE i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL "
        "AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname, x.relname"
    )
    for table, name, columns in cursor.fetchall():
        if table in tables:
            tables[table].uniques.add((name, tuple(columns)))
    return tables


def _mysql(cursor: Any) -> dict[str, Table]:
    cursor.execute(
        "SELECT table_name, column_name, column_type, is_nullable = 'YES', "
        "column_default IS NOT NULL OR extra LIKE '%auto_increment%', column_key = 'PRI', character_maximum_length "
        "FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
    )
    tables: dict[str, Table] = {}
    for table, name, kind, nullable, default, pk, length in cursor.fetchall():
        if table in BOOKKEEPING:
            continue
        tables.setdefault(table, Table(table)).columns[name] = Column(
            name, str(kind).lower(), bool(nullable), bool(default), bool(pk), length
        )
    cursor.execute(
        "SELECT table_name, index_name, column_name FROM information_schema.statistics "
        "WHERE table_schema = DATABASE() AND non_unique = 0 AND index_name <> 'PRIMARY' "
        "ORDER BY table_name, index_name, seq_in_index"
    )
    sets: dict[tuple[str, str], list[str]] = {}
    for table, name, column in cursor.fetchall():
        sets.setdefault((table, name), []).append(column)
    for (table, name), columns in sets.items():
        if table in tables:
            tables[table].uniques.add((name, tuple(columns)))
    return tables


_FOREIGN_KEYS = {
    "sqlite": (
        'SELECT m.name, f."from", f."table", f."to" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f '
        "WHERE m.type = 'table'"
    ),
    "postgresql": (
        "SELECT c.relname, a.attname, t.relname, b.attname FROM pg_constraint k "
        "JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] "
        "JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = k.confkey[1] "
        "WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace"
    ),
    "mysql": (
        "SELECT table_name, column_name, referenced_table_name, referenced_column_name "
        "FROM information_schema.key_column_usage "
        "WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL"
    ),
}

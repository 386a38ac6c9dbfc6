"""What real Django does with a list of operations: exceptions, and the catalogue after each migration.

Runs in this process, on an in-memory SQLite or on a scratch database of a server. The project's judge (tests/judge)
runs whole projects and knows about rows; this one is for many small histories, and for columns, keys and unique sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import django
from django.conf import settings
from django.db import connections
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from django.db.utils import Error

from tests.judge.databases import SQLITE_SETTINGS, DatabaseUrl, drivers, empty, scratch


@dataclass(frozen=True)
class TableSeen:
    """`uniques`: (name or None, columns in order) of unique sets other than the primary key."""

    columns: frozenset[str]
    uniques: frozenset[tuple[str, ...]]
    unique_names: frozenset[str] = frozenset()
    foreign_keys: frozenset[tuple[str, str]] = frozenset()


@dataclass
class Seen:
    """After one migration. `failed` is the index of the operation that raised, -1 for the end; `error` what it said."""

    tables: dict[str, TableSeen] = field(default_factory=dict)
    failed: int | None = None
    error: str | None = None
    left: frozenset[str] = frozenset()


@contextmanager
def database(url: str | None = None) -> Iterator[None]:
    """Configure Django, once in a process, for SQLite in memory or a scratch database on the server of `url`."""
    if url is None:
        _configure(dict(SQLITE_SETTINGS))
        yield
        return
    server = DatabaseUrl.parse(url)
    drivers(server.vendor)
    with scratch(server) as name:
        _configure(server.settings(name))
        try:
            yield
        finally:
            connections["default"].close()


def _configure(settings_of_database: dict[str, object]) -> None:
    settings.configure(
        DATABASES={"default": settings_of_database},
        INSTALLED_APPS=[],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()


@contextmanager
def clean() -> Iterator[None]:
    """No tables before and after."""
    _drop_all()
    try:
        yield
    finally:
        _drop_all()


def _drop_all() -> None:
    connection = connections["default"]
    if connection.vendor != "sqlite":
        empty(connection)
        return
    # Django keeps a database in memory open, and shares it.
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA writable_schema = 1")
        cursor.execute("DELETE FROM sqlite_master")
        cursor.execute("PRAGMA writable_schema = 0")
        cursor.execute("VACUUM")


def catalogue() -> dict[str, TableSeen]:
    connection = connections["default"]
    found: dict[str, TableSeen] = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            columns = frozenset(column.name for column in connection.introspection.get_table_description(cursor, name))
            constraints = connection.introspection.get_constraints(cursor, name)
            uniques, names, keys = set(), set(), set()
            for own, info in constraints.items():
                # Neither a partial set nor one with an expression is one that a link table needs.
                if own.startswith("partial") or None in info["columns"]:
                    continue
                if info["unique"] and not info["primary_key"] and info["columns"]:
                    uniques.add(tuple(info["columns"]))
                    if len(info["columns"]) > 1 and not own.startswith("__unnamed"):
                        names.add(own)
                if info["foreign_key"] and len(info["columns"]) == 1:
                    keys.add((info["columns"][0], info["foreign_key"][0]))
            found[name] = TableSeen(columns, frozenset(uniques), frozenset(names), frozenset(keys))
    return found


class Runner:
    """One history, migration by migration."""

    def __init__(self) -> None:
        self.state = ProjectState()
        self.state.apps  # noqa: B018  rendered from the start, as `migrate` does
        self.number = 0

    def reload(self, state: ProjectState) -> None:
        """Go on from `state`, rendered anew."""
        self.state = state.clone()
        self.state.__dict__.pop("apps", None)
        self.state.apps  # noqa: B018

    def migrate(self, app_label: str, operations: Sequence[Any]) -> Seen:
        """Run one migration. After a failure the runner is of no more use."""
        connection = connections["default"]
        migration = Migration(f"m{self.number:04}", app_label)
        self.number += 1
        at = [-1]
        watched = []
        for index, operation in enumerate(operations):
            watched.append(_Watched(operation, index, at))
        migration.operations = watched
        before = frozenset(catalogue())
        try:
            with connection.schema_editor(atomic=True) as editor:
                self.state = migration.apply(self.state, editor)
                at[0] = -1
        except Exception as error:
            message = _text(error)
            _roll_back(connection)
            return Seen(failed=at[0], error=message, left=frozenset(catalogue()) - before)
        return Seen(tables=catalogue())


class _Watched:
    """An operation that notes when it runs."""

    def __init__(self, operation: Any, index: int, at: list[int]) -> None:
        self._operation, self._index, self._at = operation, index, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def state_forwards(self, *arguments: Any) -> None:
        self._at[0] = self._index
        self._operation.state_forwards(*arguments)

    def database_forwards(self, *arguments: Any) -> None:
        self._operation.database_forwards(*arguments)


def _text(error: Exception) -> str:
    text = " ".join(str(error).split())
    kind = type(error).__name__
    if isinstance(error, Error):
        text = text.replace(str(connections["default"].settings_dict["NAME"]), "<database>")
    return f"{kind}: {text}"


def _roll_back(connection: Any) -> None:
    if connection.connection is not None and not connection.get_autocommit():
        connection.connection.rollback()
    connection.in_atomic_block = False
    connection.savepoint_ids = []
    connection.needs_rollback = False
    connection.run_on_commit = []
    if hasattr(connection, "atomic_blocks"):
        connection.atomic_blocks = []
    connection.set_autocommit(True)
    if connection.vendor == "sqlite":
        connection.enable_constraint_checking()

"""The locks that a migration holds at its end, where the database tells: PostgreSQL's pg_locks, asked inside its
transaction.

Locks on tables are held until the transaction ends, so asking after each statement that can take a new one is enough.
A table that the migration itself makes is left out: nobody else can wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

# From the weakest to the strongest (PostgreSQL's documentation, "Table-Level Locks").
MODES: Final = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_TABLES: Final = """
    SELECT oid, relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND relname <> 'django_migrations'
"""
_HELD: Final = "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND pid = pg_backend_pid()"


class Locks:
    """Collects them for one migration after the other. `taken` is ``None`` on a database that does not tell."""

    def __init__(self) -> None:
        self._tables: dict[int, str] = {}
        self._modes: dict[str, str] | None = None
        self._seen: set[str] = set()

    @property
    def taken(self) -> dict[str, str] | None:
        """The strongest lock on each table."""
        return None if self._modes is None else dict(sorted(self._modes.items()))

    def begin(self, connection: Any) -> None:
        """A migration begins."""
        if connection.vendor != "postgresql":
            return
        self._modes = {}
        self._seen = set()
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)
            self._tables = dict(cursor.fetchall())

    @contextmanager
    def watching(self, connection: Any) -> Iterator[None]:
        """Ask after the statements that run in here."""
        if connection.vendor != "postgresql":
            yield
            return

        def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            result = execute(sql, params, many, context)
            # The second INSERT into a table takes no more locks than the first one.
            kind = sql if sql[:6].upper() in ("ALTER ", "CREATE", "DROP T") else sql[:80]
            if self._modes is not None and kind not in self._seen:
                self._seen.add(kind)
                self._ask(connection)
            return result

        with connection.execute_wrapper(wrapper):
            yield

    def _ask(self, connection: Any) -> None:
        """On a cursor of the driver's own: the wrapper is not to see it."""
        if not connection.in_atomic_block:
            return
        with connection.connection.cursor() as cursor:
            cursor.execute(_HELD)
            held = cursor.fetchall()
        assert self._modes is not None
        for oid, mode in held:
            table = self._tables.get(oid)
            if table is not None:
                known = self._modes.get(table)
                if known is None or MODES.index(mode) > MODES.index(known):
                    self._modes[table] = mode

"""Database URLs, and scratch databases on the servers they name.

A scratch database is called ``lint_m2m_judge_<process id>_<number>``. Only the process that made one empties or drops
it; nothing else on the server is touched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

PREFIX = "lint_m2m_judge_"
SQLITE = "sqlite"

_ENGINES = {"postgresql": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}
_SCHEMES = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    """A server: ``postgresql://user:password@host:port/database`` or ``mysql://…``.

    `name` is the database to connect to while making scratch ones; it is never written to.
    """

    vendor: str
    host: str
    port: int
    user: str
    password: str
    name: str

    @classmethod
    def parse(cls, url: str) -> DatabaseUrl:
        """ValueError for anything else than the two forms."""
        parts = urlsplit(url)
        vendor = _SCHEMES.get(parts.scheme)
        if vendor is None or not parts.hostname:
            raise ValueError(f"not a database URL: {url!r} (postgresql://USER@HOST:PORT/DATABASE or mysql://…)")
        return cls(
            vendor=vendor,
            host=parts.hostname,
            port=parts.port or {"postgresql": 5432, "mysql": 3306}[vendor],
            user=unquote(parts.username or {"postgresql": "postgres", "mysql": "root"}[vendor]),
            password=unquote(parts.password or ""),
            name=unquote(parts.path.lstrip("/")) or {"postgresql": "postgres", "mysql": ""}[vendor],
        )

    def settings(self, name: str) -> dict[str, object]:
        """Django's settings for the database `name` on this server."""
        return {
            "ENGINE": _ENGINES[self.vendor],
            "NAME": name,
            "HOST": self.host,
            "PORT": self.port,
            "USER": self.user,
            "PASSWORD": self.password,
        }


SQLITE_SETTINGS: dict[str, object] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


def drivers(vendor: str) -> None:
    """Make PyMySQL serve as Django's MySQL driver; the other drivers need nothing."""
    if vendor == "mysql":
        import pymysql  # type: ignore[import-untyped]

        # Django asks for a mysqlclient of at least a certain version; PyMySQL is tested with it here, not there.
        pymysql.version_info = (2, 2, 8, "final", 0)
        pymysql.install_as_MySQLdb()


@contextmanager
def scratch(url: DatabaseUrl, number: int = 0) -> Iterator[str]:
    """Make a database of this process's own, yield its name, and drop it at the end."""
    name = f"{PREFIX}{os.getpid()}_{number}"
    _execute(url, f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        _execute(url, f"DROP DATABASE {name}" + (" WITH (FORCE)" if url.vendor == "postgresql" else ""))


def empty(connection: Any) -> None:
    """Drop everything in the scratch database that Django's `connection` is connected to."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return  # in memory, and every process has its own
    if not re.fullmatch(PREFIX + r"\d+_\d+", name):
        raise ValueError(f"{name} is not a scratch database")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return
        tables = connection.introspection.table_names(cursor)
        cursor.execute("SET foreign_key_checks = 0")
        for table in tables:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}")
        cursor.execute("SET foreign_key_checks = 1")


def _execute(url: DatabaseUrl, sql: str) -> None:
    """One statement on a connection of its own: one that idles in between, a server may close."""
    if url.vendor == "postgresql":
        import psycopg

        with psycopg.connect(
            host=url.host, port=url.port, user=url.user, password=url.password, dbname=url.name, autocommit=True
        ) as postgresql:
            postgresql.execute(sql.encode())
        return
    import pymysql

    mysql = pymysql.connect(host=url.host, port=url.port, user=url.user, password=url.password)
    with closing(mysql), mysql.cursor() as cursor:
        cursor.execute(sql)

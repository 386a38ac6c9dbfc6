"""Scratch databases: made under a name of their own, dropped at the end, whatever that end is.

``CREATE DATABASE`` fails for a name that exists, and only what this module created does it drop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lint_m2m.interrupts import interrupts_wait

_PREFIX = "lint_m2m_prove_"


class CannotRun(Exception):
    """There is no database to run on, and why."""


def drivers(vendor: str) -> None:
    """Where mysqlclient is not installed, PyMySQL serves as Django's MySQL driver."""
    if "mysql" not in vendor:
        return
    try:
        import MySQLdb  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: F401
    except ImportError:
        try:
            import pymysql  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            raise CannotRun(
                "there is no driver for MySQL: `pip install mysqlclient` or `pip install PyMySQL`"
            ) from None
        # Django asks for a mysqlclient of at least a certain version.
        pymysql.version_info = (2, 2, 8, "final", 0)
        pymysql.install_as_MySQLdb()


@contextmanager
def scratch(database: Mapping[str, Any], name: str, say: Any) -> Iterator[dict[str, Any]]:
    """Django's settings for a database of that name, which is there as long as the context is.

    `say` is told when it is made and when it is dropped. CannotRun where it cannot be made.
    """
    if "sqlite" in database["ENGINE"]:
        yield {**database, "NAME": ":memory:"}
        return
    drivers(database["ENGINE"])
    made = False
    try:
        # A server makes what it was told to make, whether or not anybody waits.
        with interrupts_wait():
            _execute(database, f"CREATE DATABASE {_quoted(database, name)}")
            made = True
            say(event="created", database=name)
        yield {**database, "NAME": name}
    finally:
        if made:
            _undisturbed()
            drop(database, [name])
            say(event="dropped", database=name)


def drop(database: Mapping[str, Any], names: Sequence[str]) -> None:
    """Drop scratch databases that may be there."""
    drivers(database["ENGINE"])
    for name in names:
        if not name.startswith(_PREFIX):
            raise CannotRun(f"`{name}` is no database of a proof")
        force = " WITH (FORCE)" if "postgresql" in database["ENGINE"] else ""
        _execute(database, f"DROP DATABASE IF EXISTS {_quoted(database, name)}{force}")


def _undisturbed() -> None:
    """From here on Ctrl-C waits: half a clean-up is none."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _quoted(database: Mapping[str, Any], name: str) -> str:
    return f"`{name}`" if "mysql" in database["ENGINE"] else f'"{name}"'


def _execute(database: Mapping[str, Any], sql: str) -> None:
    """One statement on a connection of its own to the database that the URL names, outside any transaction."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError, NotSupportedError
    from django.db.utils import ConnectionHandler

    _settings()
    try:
        handler = ConnectionHandler({"default": {**database}})
        connection = handler["default"]
        connection.set_autocommit(True)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
        finally:
            connection.close()
    except (DatabaseError, NotSupportedError) as error:
        raise CannotRun(f"{database['ENGINE'].rpartition('.')[2]}: {' '.join(str(error).split())}") from None
    except ImproperlyConfigured as error:
        if "Error loading" in str(error):
            raise CannotRun("there is no driver for PostgreSQL: `pip install 'psycopg[binary]'`") from None
        raise CannotRun(" ".join(str(error).split())) from None


def _settings() -> None:
    """A connection reads a few settings (time zones) that have to be there."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_TZ=True)


def configure(databases: Sequence[Mapping[str, Any]], apps: Sequence[str], more: Mapping[str, object]) -> None:
    """Django for a proof: the first database is the one to prove on, the second has the schema to compare with."""
    import django
    from django.conf import settings

    values = {
        "DATABASES": {"default": dict(databases[0]), "fresh": dict(databases[1])},
        "INSTALLED_APPS": list(apps),
        "USE_TZ": True,
        "SILENCED_SYSTEM_CHECKS": ["models.W042"],
        **more,
    }
    if settings.configured:
        for name, value in values.items():
            setattr(settings, name, value)
    else:
        settings.configure(**values)
    django.setup()

"""URLs, and scratch databases that nobody else's data is near to."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.judge.databases import PREFIX, DatabaseUrl, empty, scratch


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://postgres@127.0.0.1:5432/test", ("postgresql", "127.0.0.1", 5432, "postgres", "", "test")),
        ("postgres://me:a%40b@host/", ("postgresql", "host", 5432, "me", "a@b", "postgres")),
        ("mysql://root@127.0.0.1:3307/test", ("mysql", "127.0.0.1", 3307, "root", "", "test")),
        ("mariadb://host", ("mysql", "host", 3306, "root", "", "")),
    ],
)
def test_urls(url: str, expected: tuple[object, ...]) -> None:
    parsed = DatabaseUrl.parse(url)
    assert (parsed.vendor, parsed.host, parsed.port, parsed.user, parsed.password, parsed.name) == expected


@pytest.mark.parametrize("url", ["sqlite", "sqlite:///db", "oracle://host/x", "postgresql:///x", ""])
def test_other_urls(url: str) -> None:
    with pytest.raises(ValueError, match="not a database URL"):
        DatabaseUrl.parse(url)


@pytest.mark.parametrize("name", ["test", "production", f"{PREFIX}1", f"{PREFIX}1_0_more", f"x{PREFIX}1_0"])
def test_only_scratch_databases_are_emptied(name: str) -> None:
    connection = SimpleNamespace(vendor="postgresql", settings_dict={"NAME": name})
    with pytest.raises(ValueError, match="not a scratch database"):
        empty(connection)


def test_a_scratch_database_is_there_and_gone(database_url: str) -> None:
    url = DatabaseUrl.parse(database_url)
    with scratch(url, 77) as name:
        assert name.startswith(PREFIX)
        assert name in _names(url)
    assert name not in _names(url)


def _names(url: DatabaseUrl) -> set[str]:
    if url.vendor == "postgresql":
        import psycopg

        with psycopg.connect(
            host=url.host, port=url.port, user=url.user, password=url.password, dbname=url.name
        ) as postgresql:
            return {name for (name,) in postgresql.execute("SELECT datname FROM pg_database").fetchall()}
    import pymysql  # type: ignore[import-untyped]

    mysql = pymysql.connect(host=url.host, port=url.port, user=url.user, password=url.password)
    with closing(mysql), mysql.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        return {name for (name,) in cursor.fetchall()}

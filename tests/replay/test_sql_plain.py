"""Queries that are read without a parser: the same answer as with it."""

from __future__ import annotations

import itertools
import random

import pytest

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay import sql
from lint_m2m.replay.sql_cursor import NotReadError, Rows
from lint_m2m.replay.sql_plain import plain_rows

VENDORS: list[Maybe[str]] = ["postgresql", "mysql", "sqlite", "oracle", UNKNOWN]
TABLES = ["library_book", "Library_Book_authors", '"library_Book"', '"book"', '"order"', "a_b"]
COLUMNS = ["id", "book_id", "Author_ID", '"sort_Value"', '"group"', "from_author_id"]
# Words with an underscore, or at the end of which stands id, that some database, or sqlglot, has an idea about.
OTHERS = [
    "current_date",
    "current_user",
    "session_user",
    "_utf8_id",
    "straight_join",
    "oid",
    "rowid",
    "uuid",
    "json_table",
    "level",
    "first",
    "*",
    "1",
    "x_id y",
    "count(id)",
    "last_insert_id()",
    "`id`",
    "'id'",
]


def by_parser(query: str, vendor: Maybe[str], monkeypatch: pytest.MonkeyPatch) -> Rows | None:
    with monkeypatch.context() as patch:
        patch.setattr(sql, "plain_rows", lambda *_: None)
        try:
            return sql._query(query, {}, "library_other", vendor)
        except NotReadError:
            return None


@pytest.mark.parametrize("vendor", VENDORS)
def test_plain_ones(vendor: Maybe[str], monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    for table, count in itertools.product(TABLES, [1, 2, 3]):
        columns = chance.choices(COLUMNS, k=count)
        if chance.random() < 0.3:
            columns[0] = f"{table}.{columns[0]}"
        query = f"SELECT {', '.join(columns)} FROM {table}"
        if chance.random() < 0.6:
            tested = chance.choices([*COLUMNS, f"{table}.id"], k=chance.choice([1, 1, 2]))
            query += " WHERE " + "\n AND ".join(f"{column} IS NOT NULL" for column in tested)
        found = plain_rows(query, {}, vendor)
        assert found == by_parser(query, vendor, monkeypatch) or (vendor == "mysql" and found is None), query
        assert found is not None or '"' in query, query


@pytest.mark.parametrize("vendor", VENDORS)
def test_other_words(vendor: Maybe[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for word in OTHERS:
        for query in (
            f"SELECT {word} FROM library_book",
            f"SELECT id, {word} FROM library_book WHERE id IS NOT NULL",
            f"SELECT id FROM library_book WHERE {word} IS NOT NULL",
            f"SELECT id FROM {word}",
        ):
            found = plain_rows(query, {}, vendor)
            assert found is None or found == by_parser(query, vendor, monkeypatch), query


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM library_book b",
        "SELECT id FROM library_book, library_author",
        "SELECT id FROM library_book LIMIT 3",
        "SELECT DISTINCT id FROM library_book",
        "SELECT id FROM public.library_book",
        "SELECT id FROM library_book()",
        "SELECT id FROM library_book WHERE book_id IS NULL",
        "SELECT id FROM library_book WHERE book_id IS NOT NULL OR id IS NOT NULL",
        "SELECT id FROM library_book WHERE library_author.id IS NOT NULL",
        "SELECT library_author.id FROM library_book",
        "SELECT id FROM library_book -- all of them",
        'SELECT id FROM "dual"',
        "SELECT id FROM library_lint_m2m_parameter",
        "SELECT id FROM known_rows",
        "SELECT id FROM library_book UNION SELECT id FROM library_author",
        "SELECT id FROM",
        "SELECT FROM library_book",
        "SELECT id, FROM library_book",
        "",
    ],
)
def test_left_to_the_parser(query: str) -> None:
    assert plain_rows(query, {"known_rows": Rows()}, UNKNOWN) is None


def test_names_are_folded() -> None:
    query = 'SELECT Book_ID, "Sort_Value" FROM Library_Book WHERE Library_Book.id IS NOT NULL'
    columns = {
        "postgresql": ("book_id", "Sort_Value"),
        "sqlite": ("Book_ID", "Sort_Value"),
        "oracle": ("book_id", "Sort_Value"),
    }
    assert {vendor: (plain_rows(query, {}, vendor) or Rows()).columns for vendor in columns} == columns
    assert plain_rows(query, {}, "mysql") is None

"""Where rows come from: sources in order, and those of which every row arrives."""

from __future__ import annotations

import logging

import pytest

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.sql import read_sql
from lint_m2m.replay.sql_values import CopyRows, CreateTable, DeleteRows, Harmless, SqlColumn

VENDORS: list[Maybe[str]] = ["postgresql", "mysql", "sqlite", "oracle", UNKNOWN]


def copy_of(sql: str, vendor: Maybe[str] = UNKNOWN) -> CopyRows:
    copies = [effect for effect in read_sql(sql, vendor) if isinstance(effect, CopyRows)]
    assert len(copies) == 1, read_sql(sql, vendor)
    return copies[0]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("query", "sources", "whole"),
    [
        ("SELECT x FROM a", "a", "a"),
        ("SELECT x FROM s.a", "a", "a"),
        ("SELECT DISTINCT x, y FROM a ORDER BY x", "a", "a"),
        ("SELECT x, row_number() OVER (ORDER BY x), sum(x) OVER (ORDER BY x) FROM a", "a", "a"),
        ("SELECT x, (SELECT max(id) FROM c) FROM a", "a c", "a"),
        ("SELECT CASE WHEN x = 1 THEN 2 ELSE x END, COALESCE(y, 0) FROM a", "a", "a"),
        # Every row of a side arrives.
        ("SELECT a.x FROM a LEFT JOIN c ON c.x = a.x", "a c", "a"),
        ("SELECT a.x FROM c RIGHT JOIN a ON c.x = a.x", "a c", "a"),
        ("SELECT a.x FROM a LEFT JOIN c ON c.x = a.x WHERE a.id IS NOT NULL", "a c", "a"),
        ("SELECT x FROM a UNION ALL SELECT y FROM c", "a c", "a c"),
        ("SELECT x FROM a UNION SELECT y FROM c WHERE y > 3", "a c", "a"),
        ("SELECT q.x FROM (SELECT x FROM a) q", "a", "a"),
        ("(SELECT x FROM a)", "a", "a"),
        # Conditions that drop no link.
        ("SELECT x FROM a WHERE x IS NOT NULL AND (y IS NOT NULL)", "a", "a"),
        ("SELECT x FROM a WHERE 1 = 1", "a", "a"),
        ("SELECT x FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.x = a.x)", "a", "a"),
        ("SELECT x FROM a WHERE (x, y) NOT IN (SELECT x, y FROM b)", "a", "a"),
        ("SELECT a.x FROM a LEFT JOIN b ON b.x = a.x WHERE b.x IS NULL", "a", "a"),
        # A part of the rows.
        ("SELECT x FROM a WHERE x > 1", "a", ""),
        ("SELECT x FROM a WHERE x IS NULL", "a", ""),
        ("SELECT x FROM a WHERE x IS NOT NULL OR y = 1", "a", ""),
        ("SELECT x FROM a WHERE x NOT IN (SELECT x FROM b)", "a", ""),
        ("SELECT x FROM a WHERE NOT EXISTS (SELECT 1 FROM c WHERE c.x = a.x)", "a c", ""),
        ("SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x)", "a", ""),
        ("SELECT a.x FROM a LEFT JOIN c ON c.x = a.x WHERE c.id IS NOT NULL", "a c", ""),
        ("SELECT a.x FROM a LEFT JOIN c ON c.x = a.x WHERE c.id IS NULL", "a c", ""),
        ("SELECT a.x FROM a JOIN c ON c.x = a.x", "a c", ""),
        ("SELECT a.x FROM a INNER JOIN c ON c.x = a.x LEFT JOIN d ON d.x = a.x", "a c d", ""),
        ("SELECT a.x FROM a, c", "a c", ""),
        ("SELECT a.x FROM a CROSS JOIN c", "a c", ""),
        ("SELECT x FROM a GROUP BY x", "a", ""),
        ("SELECT max(x), min(y) FROM a", "a", ""),
        ("SELECT q.x FROM (SELECT x FROM a WHERE x > 1) q", "a", ""),
        ("SELECT x FROM a UNION SELECT y FROM c ORDER BY 1", "a c", "a c"),
    ],
)
def test_sources(vendor: Maybe[str], query: str, sources: str, whole: str) -> None:
    copied = copy_of(f"INSERT INTO b (x) {query}", vendor)
    assert (copied.target, copied.columns) == ("b", ("x",))
    assert copied.sources == tuple(sources.split())
    assert copied.whole == tuple(whole.split())
    assert copied.full is (sources.split()[0] in whole.split())


@pytest.mark.parametrize(
    ("query", "sources", "whole"),
    [
        ("SELECT x FROM a LIMIT 1", "a", ""),
        ("SELECT x FROM a OFFSET 1", "a", ""),
        ("SELECT x FROM a ORDER BY x FETCH FIRST 1 ROWS ONLY", "a", ""),
        ("SELECT DISTINCT ON (x) x, y FROM a", "a", ""),
        ("SELECT x FROM a TABLESAMPLE BERNOULLI (10)", "a", ""),
        ("SELECT x FROM ONLY a", "a", "a"),
        ("SELECT x FROM a FOR UPDATE", "a", "a"),
        ("SELECT x::text, y AT TIME ZONE 'utc', z ->> 'k', w[1] FROM a", "a", "a"),
        ("SELECT a.x, t FROM a CROSS JOIN LATERAL unnest(a.tags) t", "a", ""),
        ("SELECT a.x, t FROM a, jsonb_array_elements_text(a.tags) t", "a", ""),
        ("SELECT x FROM a EXCEPT SELECT x FROM b", "a", "a"),
        ("SELECT x FROM a EXCEPT SELECT x FROM c", "a c", ""),
        ("SELECT x FROM a INTERSECT SELECT x FROM c", "a c", ""),
        ("(SELECT x FROM a LIMIT 1) UNION ALL SELECT x FROM c", "c a", "c"),
        ("SELECT a.x FROM a FULL JOIN c ON a.x = c.x", "a c", "a c"),
        ("WITH q AS (SELECT * FROM a) SELECT * FROM q", "a", "a"),
        ("WITH q (n) AS (SELECT x FROM a), r AS (SELECT * FROM q WHERE n > 1) SELECT * FROM r", "a", ""),
        ("WITH RECURSIVE q AS (SELECT x FROM a UNION ALL SELECT q.x + 1 FROM q) SELECT x FROM q", "a", "a"),
        ("SELECT * FROM (WITH q AS (SELECT * FROM a) SELECT * FROM q) AS r", "a", "a"),
        ("TABLE a", "a", "a"),
        ("SELECT x FROM a WHERE id = %s", "a", ""),
        ("SELECT %(value)s, x FROM a", "a", "a"),
        ("SELECT x FROM a WHERE y LIKE '%%z' OR x %% 2 = 1", "a", ""),
        ("SELECT x -- FROM c\n FROM /* d */ a", "a", "a"),
    ],
)
def test_sources_on_postgresql(query: str, sources: str, whole: str) -> None:
    copied = copy_of(f"INSERT INTO b {query} ON CONFLICT (x) DO UPDATE SET x = EXCLUDED.x RETURNING id", "postgresql")
    assert copied.sources == tuple(sources.split())
    assert copied.whole == tuple(whole.split())
    assert copy_of(f"INSERT INTO b {query}") == copied


@pytest.mark.parametrize(
    "query",
    ["SELECT 1, 2", "VALUES (1, 2)", "SELECT n FROM generate_series(1, 10) n", "WITH q AS (SELECT 1) SELECT * FROM q"],
)
def test_rows_from_no_table(query: str) -> None:
    assert read_sql(f"INSERT INTO b {query}", "postgresql") == (Harmless(tables=("b",)),)


def test_names_are_folded_in_queries_too() -> None:
    sql = 'INSERT INTO B SELECT "X", Y FROM A JOIN "C" ON TRUE'
    assert copy_of(sql, "postgresql").sources == ("a", "C")
    assert copy_of(sql, "oracle").sources == ("a", "c")
    assert copy_of(sql, "sqlite").sources == ("A", "C")
    assert copy_of(sql, "postgresql").target == "b"


def test_deleted_rows_arrive_before_they_are_gone() -> None:
    sql = "WITH gone AS (DELETE FROM a WHERE true RETURNING *) INSERT INTO b (x) SELECT x FROM gone"
    assert read_sql(sql, "postgresql") == (
        CopyRows(target="b", sources=("a",), columns=("x",), whole=("a",)),
        DeleteRows(table="a", all=True),
    )
    sql = "WITH gone AS (DELETE FROM a WHERE x = 1 RETURNING *) INSERT INTO b (x) SELECT x FROM gone"
    assert read_sql(sql, "postgresql") == (
        CopyRows(target="b", sources=("a",), columns=("x",)),
        DeleteRows(table="a", all=False),
    )


def test_inserting_with_clauses() -> None:
    sql = """
        WITH made AS (INSERT INTO c (x) SELECT x FROM a RETURNING id, x)
        INSERT INTO b (c_id, x) SELECT id, x FROM made
    """
    assert read_sql(sql, "postgresql") == (
        CopyRows(target="c", sources=("a",), columns=("x",), whole=("a",)),
        CopyRows(target="b", sources=("c", "a"), columns=("c_id", "x")),
    )


def test_merge() -> None:
    sql = "MERGE INTO b USING a ON (a.x = b.x) WHEN NOT MATCHED THEN INSERT (x) VALUES (a.x)"
    expected = CopyRows(target="b", sources=("a",), columns=("x",), whole=("a",))
    for vendor in ("postgresql", "oracle", UNKNOWN):
        assert read_sql(sql, vendor) == (expected,)
    sql = """
        MERGE INTO b t USING (SELECT x FROM a WHERE y = 1) s ON (s.x = t.x)
        WHEN MATCHED AND s.x > 3 THEN DELETE WHEN MATCHED THEN UPDATE SET x = s.x
        WHEN NOT MATCHED THEN INSERT (x) VALUES (s.x)
    """
    assert read_sql(sql, "postgresql") == (
        CopyRows(target="b", sources=("a",), columns=("x",)),
        DeleteRows(table="b", all=False),
    )
    assert read_sql("MERGE INTO b USING a ON (a.x = b.x) WHEN MATCHED THEN UPDATE SET y = a.y", "oracle") == (
        Harmless(tables=("b",)),
    )


def test_tables_made_from_queries() -> None:
    assert read_sql("CREATE TABLE b AS SELECT x, y AS n, x + 1 AS m FROM a", "postgresql") == (
        CreateTable(name="b", columns=(SqlColumn("x"), SqlColumn("n"), SqlColumn("m")), sources=("a",)),
        CopyRows(target="b", sources=("a",), columns=("x", "n", "m"), whole=("a",)),
    )
    assert read_sql("CREATE TABLE b AS SELECT x, y FROM a WITH NO DATA", "postgresql") == (
        CreateTable(name="b", columns=(SqlColumn("x"), SqlColumn("y")), sources=("a",)),
    )
    made = read_sql("SELECT a.*, 1 AS n INTO TEMP b FROM a", "postgresql")
    assert made == (
        CreateTable(name="b", columns_complete=False, sources=("a",), temporary=True),
        CopyRows(target="b", sources=("a",), whole=("a",)),
    )
    # Elsewhere INTO fills a variable.
    assert read_sql("SELECT max(x) INTO n FROM a", "mysql") == (Harmless(),)
    assert read_sql("SELECT max(x) INTO @n FROM a", UNKNOWN) == (Harmless(),)


def test_the_parser_says_nothing_and_its_logger_stays_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("sqlglot")
    assert not logger.disabled
    read_sql("INSERT INTO b SELECT x FROM a CONNECT BY PRIOR id = ) (", "oracle")
    read_sql("INSERT INTO b SELECT TOP 3 WITH TIES FROM a UNPIVOT MATCH", "postgresql")
    assert not logger.disabled
    assert capfd.readouterr() == ("", "")

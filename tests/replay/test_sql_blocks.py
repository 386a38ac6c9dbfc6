"""Procedural blocks: what is read of them, and what is conditional."""

from __future__ import annotations

import pytest

from lint_m2m.migration import UNKNOWN
from lint_m2m.replay.sql import read_sql
from lint_m2m.replay.sql_values import CopyRows, DeleteRows, DropTable, Harmless, RenameTable, Unreadable


def body(text: str) -> str:
    return f"DO $$\n{text}\n$$ LANGUAGE plpgsql"


RENAME = RenameTable(old="a", new="b")
MAYBE = RenameTable(old="a", new="b", conditional=True)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN ALTER TABLE a RENAME TO b; END",
        "BEGIN ALTER TABLE a RENAME TO b; END;",
        "<<block>> DECLARE x integer := 1; y text; BEGIN x := 2; ALTER TABLE a RENAME TO b; RAISE NOTICE 'x; y'; END",
        "BEGIN IF x THEN RAISE EXCEPTION 'x'; END IF; ALTER TABLE a RENAME TO b; RETURN; END",
        "BEGIN BEGIN ALTER TABLE a RENAME TO b; END; END",
        "BEGIN EXECUTE 'ALTER TABLE a RENAME TO b'; END",
        "BEGIN EXECUTE $q$ALTER TABLE a RENAME TO b$q$ USING 1; END",
        "BEGIN PERFORM setval('s', 1); SELECT count(*) INTO x FROM a; NULL; ALTER TABLE a RENAME TO b; RETURN; END",
    ],
)
def test_certain(text: str) -> None:
    assert read_sql(body(text), "postgresql") == (RENAME,)
    assert read_sql(body(text), UNKNOWN) == (RENAME,)
    # The configured database may be another one.
    assert read_sql(body(text), "sqlite") == (RENAME,)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN IF EXISTS (SELECT 1 FROM t WHERE n = 'a') THEN ALTER TABLE a RENAME TO b; END IF; END",
        "BEGIN IF x THEN NULL; ELSIF y THEN ALTER TABLE a RENAME TO b; ELSE NULL; END IF; END",
        "BEGIN IF x THEN NULL; ELSE ALTER TABLE a RENAME TO b; END IF; END",
        "BEGIN IF CASE WHEN x THEN y ELSE z END THEN ALTER TABLE a RENAME TO b; END IF; END",
        "BEGIN CASE x WHEN 1 THEN ALTER TABLE a RENAME TO b; END CASE; END",
        "BEGIN FOR i IN 1..3 LOOP ALTER TABLE a RENAME TO b; END LOOP; END",
        "BEGIN WHILE x LOOP ALTER TABLE a RENAME TO b; END LOOP; END",
        "BEGIN LOOP EXECUTE 'ALTER TABLE a RENAME TO b'; EXIT; END LOOP; END",
        "BEGIN ALTER TABLE a RENAME TO b; EXCEPTION WHEN undefined_table THEN NULL; END",
        "BEGIN IF NOT EXISTS (SELECT 1 FROM t) THEN RETURN; END IF; ALTER TABLE a RENAME TO b; END",
        "BEGIN DROP VIEW v; EXCEPTION WHEN OTHERS THEN ALTER TABLE a RENAME TO b; END",
    ],
)
def test_conditional(text: str) -> None:
    assert read_sql(body(text), "postgresql") == (MAYBE,)


def test_after_a_condition_it_is_certain_again() -> None:
    effects = read_sql(
        body("BEGIN IF x THEN DROP TABLE c; END IF; FOR r IN SELECT 1 LOOP NULL; END LOOP; DELETE FROM a; END"),
        "postgresql",
    )
    assert effects == (DropTable(name="c", conditional=True), DeleteRows(table="a", all=True))


def test_rows_copied_in_a_block() -> None:
    effects = read_sql(body("BEGIN IF x THEN INSERT INTO b SELECT * FROM a; END IF; END"), "postgresql")
    assert effects == (CopyRows(target="b", sources=("a",), whole=("a",), conditional=True),)
    # Row by row: not told, but both tables are among the names.
    loop = "BEGIN FOR r IN SELECT * FROM a LOOP INSERT INTO b (x) VALUES (r.x); END LOOP; END"
    (effect,) = read_sql(body(loop), "postgresql")
    assert isinstance(effect, Unreadable)
    assert {"a", "b"} <= effect.names
    assert not effect.open


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN EXECUTE format('ALTER TABLE %I RENAME TO %I', 'a', 'b'); END",
        "BEGIN EXECUTE 'ALTER TABLE ' || t || ' RENAME TO b'; END",
        "BEGIN EXECUTE statement; END",
        "BEGIN EXECUTE 'ALTER TABLE {} RENAME TO b'; END",
    ],
)
def test_sql_made_at_run_time(text: str) -> None:
    (effect,) = read_sql(body(text), "postgresql")
    assert isinstance(effect, Unreadable)
    assert effect.open


def test_an_unreadable_statement_does_not_hide_the_others() -> None:
    effects = read_sql(body("BEGIN FROBNICATE c; ALTER TABLE a RENAME TO b; END"), "postgresql")
    assert [type(effect) for effect in effects] == [Unreadable, RenameTable]


def test_oracle_and_mariadb_blocks() -> None:
    sql = """
        BEGIN
            EXECUTE IMMEDIATE 'ALTER TABLE A RENAME TO B';
            EXECUTE IMMEDIATE 'DROP TABLE "C"';
        END;
        /
        DROP TABLE d
    """
    assert read_sql(sql, "oracle") == (RENAME, DropTable(name="c"), DropTable(name="d"))
    sql = "DECLARE n NUMBER; BEGIN SELECT COUNT(*) INTO n FROM t; IF n > 0 THEN DELETE FROM a; END IF; END;\n/\n"
    assert read_sql(sql, "oracle") == (DeleteRows(table="a", all=True, conditional=True),)
    sql = "BEGIN NOT ATOMIC DELETE FROM a; IF x THEN DROP TABLE c; END IF; END; DROP TABLE d"
    assert read_sql(sql, "mysql") == (
        DeleteRows(table="a", all=True),
        DropTable(name="c", conditional=True),
        DropTable(name="d"),
    )


def test_a_function_that_is_made_and_called() -> None:
    made = "CREATE FUNCTION copy_links() RETURNS void AS $$ BEGIN DELETE FROM a; END $$ LANGUAGE plpgsql;"
    assert read_sql(made, "postgresql") == (Harmless(),)
    effects = read_sql(made + "SELECT copy_links(); DROP FUNCTION copy_links()", "postgresql")
    assert [type(effect) for effect in effects] == [Harmless, Unreadable, Harmless]
    assert isinstance(effects[1], Unreadable)
    assert "a" in effects[1].names
    effects = read_sql(made + body("BEGIN PERFORM copy_links(); END"), "postgresql")
    assert [type(effect) for effect in effects] == [Harmless, Unreadable]


def test_blocks_in_blocks_end_somewhere() -> None:
    sql = "DELETE FROM a"
    for depth in range(10):
        sql = f"DO $q{depth}$ BEGIN EXECUTE '{sql.replace(chr(39), chr(39) * 2)}'; END $q{depth}$"
    (effect,) = read_sql(sql, "postgresql")
    assert isinstance(effect, Unreadable)
    assert "a" in effect.names

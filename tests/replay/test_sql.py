"""Statements of each database and what is read of them, one line each.

test_sql_execution.py has databases confirm the reading; here is what no catalog shows (Oracle, SQL Server, schemas,
conditions, what cannot be read) and the values that are returned.
"""

from __future__ import annotations

import pytest

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.sql import hides_names, read_sql
from lint_m2m.replay.sql_values import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    ConstraintKind,
    CopyRows,
    CreateIndex,
    CreateTable,
    DeleteRows,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    Harmless,
    RenameColumn,
    RenameConstraint,
    RenameTable,
    SqlColumn,
    SqlEffect,
    SqlUnique,
    Truncate,
    Unreadable,
    comparable,
    tables_of,
)

P, M, S, O = "postgresql", "mysql", "sqlite", "oracle"  # noqa: E741


def one(sql: str, vendor: Maybe[str] = UNKNOWN) -> SqlEffect:
    effects = read_sql(sql, vendor)
    assert len(effects) == 1, effects
    return effects[0]


@pytest.mark.parametrize(
    ("vendor", "sql", "expected"),
    [
        # Names as the database stores them, in Django's spelling.
        (P, "ALTER TABLE App_A RENAME TO App_B", RenameTable(old="app_a", new="app_b")),
        (P, 'ALTER TABLE "App_A" RENAME TO App_B', RenameTable(old="App_A", new="app_b")),
        (P, "ALTER TABLE public.a RENAME TO b", RenameTable(schema="public", old="a", new="b")),
        (P, 'ALTER TABLE "s"."a" RENAME TO "b"', RenameTable(schema="s", old="a", new="b")),
        (P, 'ALTER TABLE U&"a" RENAME TO b', RenameTable(old="a", new="b")),
        (P, "ALTER TABLE a SET SCHEMA other", RenameTable(old="a", new="a", new_schema="other")),
        (P, "ALTER TABLE IF EXISTS a RENAME TO b", RenameTable(old="a", new="b", if_table_exists=True)),
        (M, "RENAME TABLE x.a TO y.b", RenameTable(schema="x", old="a", new="b", new_schema="y", statement=True)),
        (M, "ALTER TABLE App_A RENAME App_B", RenameTable(old="App_A", new="App_B")),
        (M, 'ALTER TABLE "a" RENAME TO "b"', RenameTable(old="a", new="b")),
        (O, "ALTER TABLE app_a RENAME TO app_b", RenameTable(old="app_a", new="app_b")),
        (O, 'ALTER TABLE "APP_A" RENAME TO "APP_B"', RenameTable(old="app_a", new="app_b")),
        (O, 'ALTER TABLE "app_a" RENAME TO "Odd"', RenameTable(old="APP_A", new="Odd")),
        (O, "RENAME app_a TO app_b", RenameTable(old="app_a", new="app_b", statement=True)),
        (O, 'RENAME "APP_A" TO "APP_B"', RenameTable(old="app_a", new="app_b", statement=True)),
        # SQL Server.
        (UNKNOWN, "exec sp_rename 'a', 'b'", RenameTable(old="a", new="b")),
        (UNKNOWN, "EXEC sp_rename N'dbo.a', N'b'", RenameTable(schema="dbo", old="a", new="b")),
        (UNKNOWN, "EXECUTE sys.sp_rename '[dbo].[a]', 'b', 'OBJECT'", RenameTable(schema="dbo", old="a", new="b")),
        (UNKNOWN, "EXEC sp_rename @objname = 'a', @newname = 'b'", RenameTable(old="a", new="b")),
        (UNKNOWN, "EXEC sp_rename 'a.x', 'y', 'COLUMN'", RenameColumn(table="a", old="x", new="y")),
        (UNKNOWN, "EXEC sp_rename 'a.i', 'j', N'INDEX'", RenameConstraint(table="a", old="i", new="j")),
        (UNKNOWN, "DROP INDEX [i] ON [a]", DropIndex(name="i", table="a")),
        (
            UNKNOWN,
            "ALTER TABLE [a] WITH CHECK ADD CONSTRAINT [u] UNIQUE ([x])",
            AddConstraint(table="a", name="u", kind=ConstraintKind.UNIQUE, columns=("x",)),
        ),
        # Oracle's columns and constraints.
        (O, "ALTER TABLE a MODIFY (x NUMBER NULL)", AlterColumn(table="a", column="x")),
        (O, "ALTER TABLE a DROP COLUMN x CASCADE CONSTRAINTS", DropColumn(table="a", name="x")),
        (O, "ALTER TABLE a SET UNUSED COLUMN x", DropColumn(table="a", name="x")),
        (
            O,
            "ALTER TABLE a DROP UNIQUE (x, y) CASCADE DROP INDEX",
            DropConstraint(table="a", name=None, kind=ConstraintKind.UNIQUE, columns=("x", "y")),
        ),
        (O, "DROP TABLE a CASCADE CONSTRAINTS PURGE", DropTable(name="a", cascade=True)),
        (O, "TRUNCATE TABLE a DROP STORAGE", Truncate(table="a")),
        (O, "DELETE a WHERE x = 1", DeleteRows(table="a", all=False)),
        (O, "DELETE a", DeleteRows(table="a", all=True)),
        # MySQL 8 only.
        (
            M,
            "ALTER TABLE a DROP CHECK c",
            DropConstraint(table="a", name="c", kind=ConstraintKind.CHECK),
        ),
        (M, "ALTER TABLE a ALTER INDEX i INVISIBLE", Harmless(tables=("a",))),
        (M, "INSERT INTO b TABLE a", CopyRows(target="b", sources=("a",), whole=("a",))),
        (
            P,
            "INSERT INTO b SELECT * FROM archive.a",
            CopyRows(target="b", sources=("a",), whole=("a",), qualified=frozenset({"a"})),
        ),
        # What a keyword means where a name may stand.
        (P, "ALTER TABLE a DROP key", DropColumn(table="a", name="key")),
        (P, "ALTER TABLE a DROP index CASCADE", DropColumn(table="a", name="index")),
        (P, "ALTER TABLE a RENAME key TO index", RenameColumn(table="a", old="key", new="index")),
        (P, 'ALTER TABLE "rename" RENAME "to" TO "to"', RenameColumn(table="rename", old="to", new="to")),
        (S, "ALTER TABLE a RENAME index TO i", RenameColumn(table="a", old="index", new="i")),
        (
            P,
            "ALTER TABLE a ADD key varchar (10)",
            AddColumn(table="a", column=SqlColumn("key", "varchar (10)")),
        ),
        (UNKNOWN, "ALTER TABLE a ADD key varchar(10)", AddColumn(table="a", column=SqlColumn("key", "varchar(10)"))),
        (UNKNOWN, "ALTER TABLE a ADD KEY k (x)", CreateIndex(table="a", name="k", columns=("x",))),
        # Columns in full.
        (
            P,
            "ALTER TABLE a ADD COLUMN IF NOT EXISTS x  double\n precision NOT NULL DEFAULT 1.5 CHECK (x > 0)",
            AddColumn(
                table="a",
                column=SqlColumn("x", "double precision", not_null=True, has_default=True),
                if_not_exists=True,
            ),
        ),
        (P, "ALTER TABLE a ADD x int DEFAULT NULL", AddColumn(table="a", column=SqlColumn("x", "int"))),
        (
            P,
            """CREATE TABLE s.a (
                id bigserial, x int REFERENCES parent (id) ON DELETE SET NULL, y int,
                CONSTRAINT pk PRIMARY KEY (id), FOREIGN KEY (y) REFERENCES q.other,
                CONSTRAINT u UNIQUE (x, y) DEFERRABLE
            ) WITH (fillfactor = 70)""",
            CreateTable(
                schema="s",
                name="a",
                columns=(
                    SqlColumn("id", "bigserial", not_null=True, primary_key=True, has_default=True),
                    SqlColumn("x", "int", references="parent"),
                    SqlColumn("y", "int", references="other"),
                ),
                primary_key=("id",),
                uniques=(SqlUnique("u", ("x", "y")),),
            ),
        ),
        (
            O,
            """CREATE TABLE "APP_AB" (
                "ID" NUMBER(11) GENERATED BY DEFAULT ON NULL AS IDENTITY PRIMARY KEY, x NUMBER(11) NOT NULL
            )""",
            CreateTable(
                name="app_ab",
                columns=(
                    SqlColumn("id", "NUMBER(11)", not_null=True, primary_key=True, has_default=True),
                    SqlColumn("x", "NUMBER(11)", not_null=True),
                ),
                primary_key=("id",),
            ),
        ),
        (S, "CREATE VIRTUAL TABLE f USING fts5(a, b)", CreateTable(name="f", columns_complete=False)),
        (
            P,
            "CREATE TABLE z PARTITION OF a FOR VALUES IN (1)",
            CreateTable(name="z", columns_complete=False, like=("a",)),
        ),
        (M, "CREATE TABLE z LIKE a", CreateTable(name="z", columns_complete=False, like=("a",))),
        # Indexes.
        (
            P,
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.a USING btree (x, lower(y)) WHERE x > 0",
            CreateIndex(
                schema="s",
                table="a",
                name="i",
                columns=UNKNOWN,
                unique=True,
                partial=True,
                expression=True,
                if_not_exists=True,
            ),
        ),
        (P, "DROP INDEX CONCURRENTLY IF EXISTS s.i", DropIndex(schema="s", name="i", if_exists=True)),
        (
            P,
            "ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX i",
            AddConstraint(table="a", name="u", kind=ConstraintKind.UNIQUE, columns=UNKNOWN, using_index="i"),
        ),
        (
            P,
            "ALTER TABLE a ADD CONSTRAINT e EXCLUDE USING gist (x WITH =)",
            AddConstraint(table="a", name="e", kind=ConstraintKind.OTHER),
        ),
        (
            M,
            "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY g (x) REFERENCES s.b (id)",
            AddConstraint(table="a", name="f", kind=ConstraintKind.FOREIGN_KEY, columns=("x",), references="b"),
        ),
        # Rows.
        (P, "DELETE FROM ONLY s.a", DeleteRows(schema="s", table="a", all=True)),
        (M, "DELETE t.* FROM a AS t, b WHERE t.x = b.x", DeleteRows(table="a", all=False)),
        (M, "DELETE FROM t USING a AS t WHERE t.x = 1", DeleteRows(table="a", all=False)),
        (M, "DELETE FROM a LIMIT 5", DeleteRows(table="a", all=False)),
        (
            O,
            "INSERT INTO b (x) SELECT x FROM a LOG ERRORS REJECT LIMIT UNLIMITED",
            CopyRows(target="b", sources=("a",), columns=("x",), whole=("a",)),
        ),
        (O, "INSERT INTO b t (x) SELECT x FROM a", CopyRows(target="b", sources=("a",), columns=("x",), whole=("a",))),
        (O, "INSERT INTO b SELECT 1 FROM DUAL", Harmless(tables=("b",))),
    ],
)
def test_reads(vendor: Maybe[str], sql: str, expected: SqlEffect) -> None:
    assert one(sql, vendor) == expected


def test_actions_in_one_statement() -> None:
    assert read_sql("ALTER TABLE a ADD COLUMN x int UNIQUE, DROP COLUMN IF EXISTS y, DROP CONSTRAINT c", P) == (
        AddColumn(table="a", column=SqlColumn("x", "int")),
        AddConstraint(table="a", name=None, kind=ConstraintKind.UNIQUE, columns=("x",)),
        DropColumn(table="a", name="y", if_exists=True),
        DropConstraint(table="a", name="c"),
    )
    # Oracle has no comma between them.
    assert read_sql("ALTER TABLE a ADD (x NUMBER(10), y VARCHAR2(10)) DROP (z) MODIFY (w NOT NULL)", O) == (
        AddColumn(table="a", column=SqlColumn("x", "NUMBER(10)")),
        AddColumn(table="a", column=SqlColumn("y", "VARCHAR2(10)")),
        DropColumn(table="a", name="z"),
        AlterColumn(table="a", column="w"),
    )
    assert read_sql("RENAME TABLE a TO b, c TO d", M) == (
        RenameTable(old="a", new="b", statement=True),
        RenameTable(old="c", new="d", statement=True),
    )
    assert read_sql("ALTER TABLE a CHANGE COLUMN x y int NOT NULL", M) == (
        RenameColumn(table="a", old="x", new="y"),
        AlterColumn(table="a", column="y"),
    )
    assert read_sql("DROP TABLE IF EXISTS a, s.b CASCADE", P) == (
        DropTable(name="a", if_exists=True, cascade=True),
        DropTable(schema="s", name="b", if_exists=True, cascade=True),
    )
    assert read_sql("INSERT ALL INTO b (x) VALUES (x) INTO c (y) VALUES (x) SELECT x FROM a", O) == (
        CopyRows(target="b", sources=("a",), columns=("x",), whole=("a",)),
        CopyRows(target="c", sources=("a",), columns=("y",), whole=("a",)),
    )


@pytest.mark.parametrize(
    "sql",
    [
        "",
        " \r\n\t ",
        ";;;",
        "-- only a comment",
        "/* only /* a */ comment */",
        "# only a comment",
        "-- one\n;\n/* two */;",
    ],
)
@pytest.mark.parametrize("vendor", [M, UNKNOWN])
def test_no_statement(sql: str, vendor: Maybe[str]) -> None:
    assert read_sql(sql, vendor) == () or (vendor == M and "/* a */ comment" in sql)  # MySQL's do not nest


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT * FROM a WHERE x = 'DROP TABLE a; DELETE FROM a'",
        "BEGIN",
        "BEGIN TRANSACTION",
        "START TRANSACTION",
        "COMMIT",
        "ROLLBACK TO SAVEPOINT s",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SET search_path TO a, public",
        "PRAGMA foreign_keys=OFF",
        "PRAGMA legacy_alter_table = ON",
        "VACUUM ANALYZE a",
        "LOCK TABLE a IN EXCLUSIVE MODE",
        "GRANT ALL ON a TO b",
        "COMMENT ON TABLE a IS 'DROP TABLE a'",
        "CREATE VIEW v AS SELECT * FROM a",
        "CREATE OR REPLACE VIEW v AS SELECT * FROM a",
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM a WITH NO DATA",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "CREATE EXTENSION IF NOT EXISTS hstore",
        "CREATE SEQUENCE a_id_seq OWNED BY a.id",
        "ALTER SEQUENCE a_id_seq RENAME TO b_id_seq",
        "ALTER VIEW a RENAME TO b",
        "ALTER TYPE a RENAME TO b",
        "ALTER TABLE a OWNER TO b",
        "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "ALTER TABLE a DISABLE TRIGGER ALL",
        "DROP FUNCTION IF EXISTS f(a) CASCADE",
        "DROP TRIGGER t ON a",
        "DROP MATERIALIZED VIEW v",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; UPDATE c SET x = CASE WHEN 1 THEN 2 END; END",
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN DELETE FROM a; RETURN NEW; END $$ LANGUAGE plpgsql",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE OR REPLACE FUNCTION f RETURN NUMBER IS v NUMBER; BEGIN DELETE FROM a; RETURN v; END;",
        "CREATE FUNCTION %(name)s() RETURNS int AS 'SELECT 1' LANGUAGE sql",
        "UPDATE a SET x = 1",
        "UPDATE {table} SET x = %s",
        "INSERT INTO {} (x) VALUES (%s)",
        "INSERT INTO a DEFAULT VALUES",
        "INSERT INTO a (x) VALUES (1), (2)",
        "INSERT INTO a () VALUES ()",
        "REPLACE INTO a VALUES (1)",
        "WITH q AS (SELECT 1) UPDATE a SET x = 1 FROM q",
        "DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  DELETE FROM a;\nEND//\nDELIMITER ;",
        "DECLARE c CURSOR FOR SELECT * FROM a",
    ],
)
def test_harmless(sql: str) -> None:
    assert isinstance(one(sql), Harmless)


@pytest.mark.parametrize(
    ("sql", "open_"),
    [
        ("ALTER TABLE %s RENAME TO %s", True),
        ('ALTER TABLE "%s" RENAME TO b', True),
        ("ALTER TABLE {} RENAME TO b", True),
        ("DROP TABLE %s_old", True),
        ("DROP TABLE old_{name}", True),
        ("DELETE FROM %(table)s", True),
        ("INSERT INTO b SELECT * FROM {source}", True),
        ("INSERT INTO {} SELECT * FROM a", True),
        ("CREATE TABLE a (LIKE {})", True),
        ("ALTER TABLE a ADD COLUMN {} int", False),
        ("ALTER TABLE a ADD CONSTRAINT %s UNIQUE (x)", False),
        ("ALTER TABLE a RENAME TO {}", True),
        ("CREATE INDEX {} ON a (x)", False),
        ("CALL p()", True),
        ("EXEC p 1", True),
        ("EXEC sp_rename @old, @new", True),
        ("EXECUTE prepared", True),
        ("PREPARE s FROM @sql", True),
        ("DROP SCHEMA s CASCADE", True),
        ("DROP OWNED BY somebody", True),
        ("DROP TYPE t CASCADE", True),
        ("DO LANGUAGE plpython3u $$ import os $$", True),
        ("COPY a FROM '/tmp/a'", False),
        ("LOAD DATA INFILE 'a' INTO TABLE a", False),
        ("ALTER TABLE a", False),
        ("ALTER TABLE a FROBNICATE", False),
        ("ALTER TABLE a RENAME TO b c", False),
        ("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b", False),
        ("ALTER TABLE a DROP PARTITION p", False),
        ("ALTER TABLE", False),
        ("CREATE TABLE a", False),
        ("CREATE", False),
        ("DROP TABLE a, ", False),
        ("DROP TABLE 'a'", False),
        ("FLASHBACK TABLE a TO BEFORE DROP", False),
        ("update the field of a", False),
        ("a is not SQL", False),
        ("INSERT INTO b SELECT FROM WHERE a", False),
        ("INSERT INTO b (x", False),
        ("TRUNCATE a b", False),
        (")", False),
        ("'", False),
    ],
)
def test_unreadable(sql: str, open_: bool) -> None:
    effect = one(sql)
    assert isinstance(effect, Unreadable)
    assert (effect.open, bool(effect.reason)) == (open_, True)
    assert effect.text == " ".join(sql.split())[: len(effect.text)]
    if " a" in sql:
        assert "a" in effect.names


def test_columns_that_are_put_in_at_run_time() -> None:
    assert one("INSERT INTO b ({}, x) SELECT {}, x FROM a", P) == CopyRows(target="b", sources=("a",), whole=("a",))


@pytest.mark.parametrize(
    ("sql", "hidden"),
    [
        ("ALTER TABLE a RENAME TO b", False),
        ("UPDATE a SET x = %s WHERE y = %s", False),
        ("SELECT x FROM a WHERE id = {}", False),
        ("DO $$ BEGIN EXECUTE 'x'; END $$", True),
        ("INSERT INTO %s SELECT 1", True),
        ('DELETE FROM "{}"', True),
        ("DELETE FROM" + "\n" * 50 + "%s", True),
        ("DROP TABLE old_%s", True),
        ("CALL p()", True),
    ],
)
def test_hides_names(sql: str, hidden: bool) -> None:
    assert hides_names(sql) is hidden


def test_one_bad_statement_does_not_hide_the_others() -> None:
    effects = read_sql("ALTER TABLE a RENAME TO b; FROBNICATE 'x;y' c; INSERT INTO d SELECT FROM; DROP TABLE e", P)
    assert [type(effect) for effect in effects] == [RenameTable, Unreadable, Unreadable, DropTable]
    assert isinstance(effects[1], Unreadable)
    assert effects[1].names == {"frobnicate", "x", "y", "c"}
    assert effects[1].text == "FROBNICATE 'x;y' c"


def test_names_of_an_unreadable_statement_are_those_in_its_strings_too() -> None:
    effect = one("""PREPARE s FROM 'ALTER TABLE "Library_Book" RENAME TO `my-table`'""", M)
    assert isinstance(effect, Unreadable)
    assert {"library_book", "my-table", "my", "table"} <= effect.names


def test_a_prepared_statement_gets_its_text_from_elsewhere() -> None:
    effects = read_sql("SET @sql = CONCAT('ALTER TABLE library_book ', @x); PREPARE s FROM @sql; EXECUTE s", M)
    assert [type(effect) for effect in effects] == [Harmless, Unreadable, Unreadable]
    assert "library_book" in tables_of(effects[1])


def test_vendors_that_are_not_djangos_count_as_unknown() -> None:
    assert read_sql("ALTER TABLE [a] RENAME TO B", "microsoft") == read_sql("ALTER TABLE [a] RENAME TO B", UNKNOWN)


def test_backslashes_of_an_unknown_database() -> None:
    # Both readings agree.
    assert read_sql(r"UPDATE a SET x = 'c:\d'; DROP TABLE b", UNKNOWN)[1:] == (DropTable(name="b"),)
    # Only one of them closes every string.
    assert read_sql(r"UPDATE a SET x = 'it\'s'; DROP TABLE b", UNKNOWN)[1:] == (DropTable(name="b"),)
    assert read_sql(r"UPDATE a SET x = 'c:\'; DROP TABLE b", UNKNOWN)[1:] == (DropTable(name="b"),)
    # They do not.
    both = r"UPDATE a SET x = '\'; DROP TABLE b; --'"
    assert read_sql(both, P)[1:] == (DropTable(name="b"),)
    assert read_sql(both, M)[1:] == ()
    effect = one(both)
    assert isinstance(effect, Unreadable)
    assert "b" in effect.names


def test_comparable() -> None:
    assert comparable("Book", P) != comparable("book", P)
    for vendor in (M, S, O, UNKNOWN):
        assert comparable("Book", vendor) == comparable("book", vendor)


def test_tables_of() -> None:
    assert tables_of(RenameTable(old="a", new="b")) == {"a", "b"}
    assert tables_of(CopyRows(target="b", sources=("a",))) == {"b"}
    assert tables_of(AddColumn(table="a", column=SqlColumn("x"))) == {"a"}
    assert tables_of(DropTable(name="a")) == {"a"}
    assert tables_of(DropIndex(name="i")) == frozenset()
    assert tables_of(RenameConstraint(table=None, old="i", new="j")) == frozenset()
    assert tables_of(Harmless(tables=("a",))) == frozenset()


def test_mysql_renames_a_table_last() -> None:
    """Every action of one ALTER TABLE names the table and its columns as they were."""
    assert read_sql("ALTER TABLE `a` RENAME AS `b`, CHANGE COLUMN `x` `y` bigint NOT NULL", M) == (
        RenameColumn(table="a", old="x", new="y"),
        AlterColumn(table="a", column="y"),
        RenameTable(old="a", new="b"),
    )

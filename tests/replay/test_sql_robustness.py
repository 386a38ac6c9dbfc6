"""No text raises, none takes long, and statements made of random names are read back exactly."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.sql import MAX_TEXT, hides_names, read_sql
from lint_m2m.replay.sql_lexer import MAX_TOKENS, VENDORS, fold, mentions
from lint_m2m.replay.sql_values import (
    AddConstraint,
    ConstraintKind,
    CopyRows,
    RenameColumn,
    RenameTable,
    SqlEffect,
    Unreadable,
    comparable,
)

vendors = st.sampled_from([*VENDORS, UNKNOWN])

# Pieces of SQL in any order reach further into the grammars than random characters.
WORDS = """
    ALTER TABLE a b RENAME TO COLUMN ADD DROP CONSTRAINT u UNIQUE ( x , y ) INDEX KEY PRIMARY FOREIGN REFERENCES CHECK
    CREATE IF NOT EXISTS AS SELECT * FROM WHERE INSERT INTO VALUES DELETE UPDATE SET MERGE USING ON WHEN MATCHED THEN
    WITH RECURSIVE UNION ALL JOIN LEFT NULL IS IN DO $$ BEGIN END ; LOOP FOR DECLARE EXECUTE 'a' "a" `a` [a] 1 -- /* */
    # \\ ' " %s {} %% ? :x . .. = <> || :: LIKE TRUNCATE CASCADE EXEC sp_rename CHANGE MODIFY LIMIT CASE EXCEPTION
"""
PIECES = [*WORDS.split(), "\n", "\r\n", "é", "\0"]
pieces = st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join)


@given(sql=st.text(max_size=200), vendor=vendors)
def test_never_raises_on_any_text(sql: str, vendor: Maybe[str]) -> None:
    assert all(isinstance(effect, SqlEffect) for effect in read_sql(sql, vendor))
    mentions(sql)


@given(sql=pieces, vendor=vendors)
@example(sql="INSERT INTO a SELECT FROM", vendor=UNKNOWN)
@example(sql="ALTER TABLE a ADD CONSTRAINT", vendor=UNKNOWN)
@example(sql="MERGE INTO a USING b WHEN INSERT", vendor=UNKNOWN)
@example(sql="DO $$ IF", vendor=UNKNOWN)
@example(sql="DELIMITER", vendor=UNKNOWN)
def test_never_raises_on_pieces_of_sql(sql: str, vendor: Maybe[str]) -> None:
    for effect in read_sql(sql, vendor):
        if isinstance(effect, Unreadable):
            assert effect.reason
            assert effect.names <= mentions(sql)


KEYWORDS = {piece for piece in PIECES if piece.isupper()} | {"ONLY", "WAIT", "NOWAIT", "DUAL"}
holes = st.lists(st.sampled_from([*PIECES, "%s", "{}", "{x}_y", "y_%s", '"%s"', "`{}`", "%(x)s"]), max_size=12)


@given(pieces=holes, vendor=vendors)
@example(pieces=["DROP", "TABLE", "a", ",", "{}"], vendor=UNKNOWN)
@example(pieces=["INSERT", "INTO", "a", "SELECT", "*", "FROM", "(", "b", "JOIN", "{x}_y", ")"], vendor=UNKNOWN)
@example(pieces=["ALTER", "TABLE", "a", "RENAME", "TO", "%s"], vendor=UNKNOWN)
def test_hidden_names_are_never_overlooked(pieces: list[str], vendor: Maybe[str]) -> None:
    sql = " ".join(pieces)
    if any(isinstance(effect, Unreadable) and effect.open for effect in read_sql(sql, vendor)):
        assert hides_names(sql)


bare = st.from_regex(re.compile(r"\A[A-Za-z_][A-Za-z0-9_]{0,20}\Z")).filter(lambda name: name.upper() not in KEYWORDS)
any_name = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=20).filter(
    lambda name: not set(name) & set("{}%")
)


@st.composite
def names(draw: st.DrawFn, vendor: Maybe[str]) -> tuple[str, str]:
    """As it is written, and as it has to be read."""
    quotes = {"postgresql": '"', "oracle": '"', "mysql": "`"}
    quote = draw(st.sampled_from(["", quotes.get(vendor, '"') if vendor is not UNKNOWN else '"']))
    if not quote:
        name = draw(bare)
        return name, fold(name, quoted=False, vendor=vendor)
    name = draw(any_name.filter(lambda name: "\\" not in name))
    return quote + name.replace(quote, quote * 2) + quote, fold(name, quoted=True, vendor=vendor)


space = st.sampled_from([" ", "  ", "\n", "\r\n\t", " /* ; */ ", " -- ;\n"])


@given(data=st.data(), vendor=vendors)
def test_renames_are_read_back(data: st.DataObject, vendor: Maybe[str]) -> None:
    (old, old_name), (new, new_name), gap = data.draw(names(vendor)), data.draw(names(vendor)), data.draw(space)
    expected = RenameTable(old=old_name, new=new_name)
    assert read_sql(gap.join(("ALTER", "TABLE", old, "RENAME", "TO", new)), vendor) == (expected,)
    assert read_sql(f"ALTER TABLE{gap}a RENAME COLUMN {old} TO {new};{gap}", vendor) == (
        RenameColumn(table="a", old=old_name, new=new_name),
    )
    expected = RenameTable(old=old_name, new=new_name, statement=True)
    if vendor in ("mysql", UNKNOWN):
        other = RenameTable(old="a", new="b", statement=True)
        assert read_sql(f"RENAME TABLE {old} TO{gap}{new}, a TO b", vendor) == (expected, other)
    if vendor in ("oracle", UNKNOWN):
        assert read_sql(f"RENAME {old}{gap}TO {new}", vendor) == (expected,)


@given(data=st.data(), vendor=vendors)
def test_constraints_are_read_back(data: st.DataObject, vendor: Maybe[str]) -> None:
    (name, read), gap = data.draw(names(vendor)), data.draw(space)
    columns = data.draw(st.lists(names(vendor), min_size=1, max_size=4))
    written = f",{gap}".join(column for column, _ in columns)
    assert read_sql(f"ALTER TABLE a ADD CONSTRAINT {name} UNIQUE{gap}({written})", vendor) == (
        AddConstraint(table="a", name=read, kind=ConstraintKind.UNIQUE, columns=tuple(column for _, column in columns)),
    )


@given(data=st.data(), vendor=vendors)
def test_copies_are_read_back(data: st.DataObject, vendor: Maybe[str]) -> None:
    (source, source_name), (target, target_name) = data.draw(names(vendor)), data.draw(names(vendor))
    columns = data.draw(st.lists(names(vendor), max_size=3))
    listed = f"({', '.join(column for column, _ in columns)})" if columns else ""
    (effect,) = read_sql(f"INSERT INTO {target} {listed} SELECT * FROM {source}", vendor)
    if isinstance(effect, Unreadable):  # a word that the parser's dialect does not take as a name
        assert not source.startswith(('"', "`"))
        return
    assert effect == CopyRows(
        target=target_name,
        sources=(source_name,),
        columns=tuple(column for _, column in columns),
        whole=(source_name,),
    )


@given(name=st.text(min_size=1, max_size=70), quoted=st.booleans())
def test_folding_twice_is_folding_once(name: str, quoted: bool) -> None:
    for vendor in ("postgresql", "mysql", "sqlite"):
        folded = fold(name, quoted=quoted, vendor=vendor)
        assert fold(folded, quoted=True, vendor=vendor) == folded
        assert comparable(comparable(folded, vendor), vendor) == comparable(folded, vendor)


SIZE = MAX_TEXT
HOSTILE = {
    "too long": "SELECT 1;" * (SIZE // 8),
    "too many tokens": "a " * (MAX_TOKENS + 10),
    "parentheses": f"INSERT INTO a SELECT {'(' * 10_000}1{')' * 10_000} FROM b",
    "never closed": "SELECT " + "(" * 140_000,
    "subqueries": f"INSERT INTO a {'SELECT * FROM (' * 3_000}SELECT 1 FROM b{') x' * 3_000}",
    "cases": f"INSERT INTO a SELECT {'CASE WHEN 1 THEN ' * 2_000}1{' END' * 2_000} FROM b",
    "not": f"INSERT INTO a SELECT 1 FROM b WHERE {'NOT ' * 4_500}x",
    "and": f"INSERT INTO a SELECT 1 FROM b WHERE {' AND '.join(['x = 1'] * 1_900)}",
    "union": f"INSERT INTO a {' UNION '.join(['SELECT 1 FROM b'] * 800)}",
    "casts": f"INSERT INTO a SELECT x{'::int' * 3_800} FROM b",
    "openings": "TO /*" * (SIZE // 5),
    "dashes": "TO --" * (SIZE // 5),
    "blanks": "TO" + " " * SIZE,
    "quotes": "'" * (SIZE - 1),
    "comments": "/*" * (SIZE // 2),
    "dollars": "".join(f"$a{number}$ " for number in range(50_000)),
    "brackets": "[" * SIZE,
    "prefixes": "_a " * (SIZE // 3),
    "routines": "CREATE FUNCTION f IS " * 20_000,
    "blocks": f"DO $$ BEGIN {'IF x THEN ' * 40_000}END $$",
    "actions": f"ALTER TABLE a {','.join(['ADD COLUMN x int'] * 25_000)}",
    "with": "WITH a AS (" * 40_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_end_soon(name: str) -> None:
    sql = HOSTILE[name][: SIZE if name != "too long" else None]
    start = time.process_time()
    effects = read_sql(sql, UNKNOWN)
    mentions(sql)
    hides_names(sql)
    assert time.process_time() - start < 8  # measured: below 3 s, most of them below 1
    if name in ("too long", "too many tokens", "parentheses", "subqueries", "cases"):
        (effect,) = effects
        assert isinstance(effect, Unreadable)
        assert {"a", "b"} & effect.names or name == "too long"


def test_a_parser_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlglot

    def endless(*arguments: object, **options: object) -> None:
        while True:
            try:
                len(arguments)
            except Exception:
                continue

    monkeypatch.setattr(sqlglot, "parse_one", endless)
    monkeypatch.setattr("lint_m2m.replay.sql.MAX_CALLS", 10_000)
    before = sys.getprofile()
    (effect,) = read_sql("INSERT INTO b SELECT * FROM a /* never ends */", UNKNOWN)
    assert isinstance(effect, Unreadable)
    assert {"a", "b"} <= effect.names
    assert sys.getprofile() is before


def test_most_texts_never_load_the_parser(repository: Path) -> None:
    code = """
import sys
from lint_m2m.migration import UNKNOWN
from lint_m2m.replay.sql import mentions, read_sql
for sql in (
    "ALTER TABLE a RENAME TO b", "CREATE TABLE a (id int)", "DROP TABLE a", "DELETE FROM a WHERE x IN (SELECT 1)",
    "UPDATE a SET x = 1", "INSERT INTO a VALUES (1)", "CREATE UNIQUE INDEX i ON a (x)", "SELECT * FROM a",
    "DO $$ BEGIN ALTER TABLE a ADD COLUMN x int; END $$", "CREATE VIEW v AS SELECT 1",
):
    read_sql(sql, UNKNOWN)
    mentions(sql)
assert "sqlglot" not in sys.modules
read_sql("INSERT INTO b SELECT * FROM a", UNKNOWN)
assert "sqlglot" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""Tokens, statements and identifiers, before any grammar."""

from __future__ import annotations

import pytest

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.sql_lexer import VENDORS, fold, lex, mentions, statements

P, M, S, O = VENDORS  # noqa: E741


def texts(sql: str, vendor: Maybe[str]) -> list[str]:
    found, _ = statements(sql, vendor)
    return [
        " ".join(statement.source[statement.tokens[0].start : statement.tokens[-1].end].split()) for statement in found
    ]


@pytest.mark.parametrize("vendor", [*VENDORS, UNKNOWN])
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a; b;; c", ["a", "b", "c"]),
        ("a 'x;y' b; c", ["a 'x;y' b", "c"]),
        ("a 'it''s; x'; b", ["a 'it''s; x'", "b"]),
        ("a -- x; y\nb; c", ["a -- x; y b", "c"]),
        ("a /* x; y */ b; c", ["a /* x; y */ b", "c"]),
        ('a "x;y"; b', ['a "x;y"', "b"]),
        ("a `x;y`; b", ["a `x;y`", "b"]),
        ("a (b; c) d; e", ["a (b; c) d", "e"]),
        ("a (b; c d; e", ["a (b", "c d", "e"]),  # never closed: parentheses are no help
        ("BEGIN; a; COMMIT", ["BEGIN", "a", "COMMIT"]),
        ("BEGIN a; b; END; c", ["BEGIN a; b; END", "c"]),
        ("CREATE TRIGGER t BEGIN a; SELECT CASE b WHEN 1 THEN 2 END; END; c", None),
        ("CREATE PROCEDURE p() BEGIN IF a THEN b; END IF; CASE c WHEN 1 THEN d; END CASE; END; e", None),
        ("a $$ b; c $$; d", ["a $$ b; c $$", "d"]),
        ("a $t$ b; $$ c $t$; d", ["a $t$ b; $$ c $t$", "d"]),
        ("a\r\n;\r\nb", ["a", "b"]),
        ("DELIMITER //\na; b//\nc//\nDELIMITER ;\nd; e", ["a; b", "c", "d", "e"]),
        ("a\nGO\nb", ["a", "b"]),
        ("DECLARE x int; BEGIN a; END;\n/\nb", ["DECLARE x int; BEGIN a; END", "b"]),
        ("CREATE PROCEDURE p IS x int; BEGIN a; END;\n/\nb", ["CREATE PROCEDURE p IS x int; BEGIN a; END", "b"]),
        ("DECLARE c CURSOR FOR a; b", ["DECLARE c CURSOR FOR a", "b"]),
    ],
)
def test_statements(vendor: Maybe[str], sql: str, expected: list[str] | None) -> None:
    if expected is None:  # a routine and what follows it
        head, _, tail = sql.rpartition("; ")
        expected = [head, tail]
    assert texts(sql, vendor) == expected


def test_backslashes() -> None:
    assert texts(r"a 'x\'; b'; c", M) == [r"a 'x\'; b'", "c"]
    assert texts(r"a 'x\'; b; c", S) == [r"a 'x\'", "b", "c"]
    assert texts(r"a E'x\'; b'; c", P) == [r"a E'x\'; b'", "c"]
    assert texts(r'a "x\"; b"; c', M) == [r'a "x\"; b"', "c"]


def test_comments() -> None:
    assert texts("a /* x /* y */ ; z */; b", P) == ["a", "b"]
    assert texts("a # x; y\nb; c", M) == ["a # x; y b", "c"]
    assert texts("a # x; y\nb; c", UNKNOWN) == ["a # x; y b", "c"]
    assert texts("a #> b; c #>> d; e #- f", UNKNOWN) == ["a #> b", "c #>> d", "e #- f"]
    assert texts("a --x; y\nb; c", M) == ["a --x", "y b", "c"]
    assert [token.word for token in lex("/*!40101 SET a */ b", M).tokens] == ["SET", "A", "B"]


def test_quotes() -> None:
    assert [token.value for token in lex("a [b c].[d] e[1] ARRAY[f]", UNKNOWN).tokens] == [
        *("a", "b c", ".", "d", "e", "[", "1", "]", "ARRAY", "[", "f", "]"),
    ]
    assert [token.value for token in lex("q'[it's; x]' N'y' \"a\"\"b\" `c``d`", O).tokens] == [
        *("it's; x", "y", 'a"b', "c`d"),
    ]


@pytest.mark.parametrize("sql", ["'a", '"a', "`a", "/* a", "$x$ a"])
def test_what_is_never_closed(sql: str) -> None:
    assert not lex(sql, UNKNOWN).complete
    assert lex(f"{sql[0]}b{sql[0]}" if sql[0] in "'\"`" else "b", UNKNOWN).complete


def test_mentions() -> None:
    found = mentions(
        """ALTER TABLE "App_A" RENAME TO `my-table`; -- app_c
        DO $$ BEGIN DELETE FROM app_d; END $$; SELECT 'app_e', $x$app_f$x$, [my table], naïve, v$x#y"""
    )
    assert {"app_a", "my-table", "app_c", "app_d", "app_e", "app_f", "my table", "naïve", "v$x#y", "v"} <= found
    assert "app_b" not in found
    assert "" not in found
    assert mentions("") == frozenset()


@pytest.mark.parametrize(
    ("vendor", "name", "quoted", "expected"),
    [
        (P, "Book", False, "book"),
        (P, "Book", True, "Book"),
        (P, "é" * 40, True, "é" * 31),
        (O, "Book", False, "book"),
        (O, "BOOK", True, "book"),
        (O, "book", True, "BOOK"),
        (O, "Book", True, "Book"),
        (M, "Book", False, "Book"),
        (S, "Book", True, "Book"),
        (UNKNOWN, "Book", False, "Book"),
    ],
)
def test_fold(vendor: Maybe[str], name: str, quoted: bool, expected: str) -> None:
    assert fold(name, quoted=quoted, vendor=vendor) == expected

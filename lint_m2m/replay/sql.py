"""SQL text in migrations: what its statements do to tables.

`read_sql` takes the text of a ``RunSQL`` piece, or a string that a ``RunPython`` function executes, and returns
effects (`lint_m2m.replay.sql_values`) for the database ledger. `mentions` tells cheaply which identifiers occur, so
that callers can leave alone what names no table that matters and `hides_names` none.

Division of labour. Statements are told apart by `sql_lexer`; everything about tables, columns, constraints and
indexes is read by the grammar in `sql_schema`, rows by `sql_rows`, procedural blocks by `sql_blocks`. Queries
(``INSERT … SELECT``, ``CREATE TABLE … AS``, ``MERGE … USING (…)``) are parsed by sqlglot, which is imported when the
first one comes that is not plain (`sql_plain`): it takes 0.15 s to import, and most texts in migrations never need it.
`sql_query` says what it found.

Names: PostgreSQL folds what is not quoted to lower case; Oracle to upper case, where Django quotes upper case, so
that both come out here as Django's name in lower case; SQLite and MySQL keep the spelling and do not count case.
Compare them with `sql_values.comparable`. Schema qualifiers are dropped from names and kept in `SqlEffect.schema`.

An unknown database: the forms of all databases are accepted (they do not contradict each other). Where only the
database tells what the text is (backslashes in strings), both readings have to say the same.

Nothing here raises, whatever the text.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from types import FrameType
from typing import Final

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.sql_blocks import excerpt, read_block, words_of
from lint_m2m.replay.sql_cursor import Context, Cursor, NotReadError, Rows, words
from lint_m2m.replay.sql_lexer import (
    MAX_TOKENS,
    VENDORS,
    Kind,
    Statement,
    TooLongError,
    ambiguous,
    hides_names,
    lex,
    mentions,
    statements,
)
from lint_m2m.replay.sql_plain import plain_rows
from lint_m2m.replay.sql_query import rows_of
from lint_m2m.replay.sql_rows import Scope, read_statement, read_with
from lint_m2m.replay.sql_schema import (
    read_alter,
    read_create,
    read_drop,
    read_execute,
    read_rename,
    read_truncate,
)
from lint_m2m.replay.sql_values import Harmless, SqlEffect, Unreadable

__all__ = ["hides_names", "mentions", "read_sql"]

# Beyond these a text is data, or an attack. Measured: sqlglot takes 0.3 s for 20 kB, counting its calls included.
MAX_TEXT: Final = 500_000
MAX_QUERY: Final = 20_000
MAX_DEPTH: Final = 60
MAX_CALLS: Final = 3_000_000  # by the parser, in all dialects together: 1 s; a query of 20 kB takes up to 1,700,000
MAX_BLOCKS: Final = 4  # blocks and dynamic SQL inside each other


@lru_cache(maxsize=256)
def read_sql(sql: str, vendor: Maybe[str]) -> tuple[SqlEffect, ...]:
    """What the statements in `sql` do, in order.

    `vendor` is Django's name of the database (postgresql, mysql, sqlite, oracle), or UNKNOWN; another one counts as
    unknown. Empty for a text without a statement. What cannot be read is in the result as `Unreadable`.
    """
    if vendor is not UNKNOWN and vendor not in VENDORS:
        vendor = UNKNOWN
    if len(sql) > MAX_TEXT:
        return (_unreadable_text(sql, f"more than {MAX_TEXT:,} characters"),)
    try:
        return _read_both(sql, vendor)
    except TooLongError:
        return (_unreadable_text(sql, f"more than {MAX_TOKENS:,} words and signs"),)


def _read_both(sql: str, vendor: Maybe[str]) -> tuple[SqlEffect, ...]:
    if not ambiguous(sql, vendor):
        effects, _ = _read_text(sql, vendor, 0)
        return tuple(effects)
    plain, plain_complete = _read_text(sql, vendor, 0, backslash=False)
    escaped, escaped_complete = _read_text(sql, vendor, 0, backslash=True)
    if plain == escaped or plain_complete > escaped_complete:
        return tuple(plain)
    if escaped_complete > plain_complete:
        return tuple(escaped)
    return (_unreadable_text(sql, "depends on whether a backslash escapes in strings"),)


def _unreadable_text(sql: str, reason: str) -> Unreadable:
    text = " ".join(sql[:400].split())
    return Unreadable(text=text if len(text) <= 120 else text[:119] + "…", names=mentions(sql), reason=reason)


def _read_text(
    sql: str, vendor: Maybe[str], depth: int, *, backslash: bool | None = None
) -> tuple[list[SqlEffect], bool]:
    """The effects, and whether every quote and comment is closed."""
    found, complete = statements(sql, vendor, backslash=backslash)
    context = Context(vendor, lambda text, scope, target: _query(text, scope, target, vendor))
    effects: list[SqlEffect] = []
    for statement in found:
        effects.extend(_Reader(statement, context, sql, depth).effects())
    return effects, complete


# First words of statements that change no table, column or row.
_HARMLESS: Final = words(
    "COMMENT GRANT REVOKE SET RESET SHOW ANALYZE ANALYSE VACUUM PRAGMA START COMMIT ROLLBACK END ABORT SAVEPOINT "
    "RELEASE LOCK UNLOCK FLUSH USE REINDEX CLUSTER REFRESH LISTEN UNLISTEN NOTIFY CHECKPOINT DISCARD OPTIMIZE "
    "REPAIR CHECK CHECKSUM EXPLAIN DESCRIBE DESC KILL DEALLOCATE CLOSE FETCH MOVE SECURITY HANDLER PRINT VALUES "
    "TABLE PURGE ATTACH DETACH SPOOL PROMPT WHENEVER REASSIGN LOAD_EXTENSION"
)


class _Reader:
    """Reads one statement."""

    def __init__(self, statement: Statement, context: Context, sql: str, depth: int) -> None:
        self.at = Cursor(statement.tokens, statement.source, context)
        self.context = context
        self.sql = sql
        self.depth = depth

    def effects(self) -> list[SqlEffect]:
        try:
            return self.statement(self.at)
        except NotReadError as error:
            return [self.unreadable(error.reason, open=error.open)]
        except RecursionError:
            return [self.unreadable("nested too deeply")]

    def unreadable(self, reason: str, *, open: bool = False, names: frozenset[str] = frozenset()) -> Unreadable:
        at = self.at.within(self.at.start, self.at.end)
        return Unreadable(text=excerpt(at), names=names | words_of(at), reason=reason, open=open)

    def statement(self, at: Cursor) -> list[SqlEffect]:
        match at.word():
            case "ALTER":
                at.position += 1
                return read_alter(at)
            case "CREATE":
                at.position += 1
                self.remember_routine(at)
                return read_create(at)
            case "DROP":
                at.position += 1
                return read_drop(at)
            case "TRUNCATE":
                at.position += 1
                return read_truncate(at)
            case "RENAME":
                at.position += 1
                return read_rename(at)
            case "WITH":
                at.position += 1
                return read_with(at)
            case "INSERT" | "UPDATE" | "DELETE" | "MERGE":
                return read_statement(at, {})
            case "REPLACE":
                return read_statement(at, {})
            case "SELECT" | "(":
                return self.calls(at) or read_statement(at, {})
            case "DO":
                return self.do(at)
            case "BEGIN" | "DECLARE" if self.is_block(at):
                return self.block(at)
            case "BEGIN" | "DECLARE":
                return [Harmless()]
            case "CALL":
                return self.calls(at) or self.call(at)
            case "EXEC" | "EXECUTE":
                # MySQL and PostgreSQL: a prepared statement, whose text may stand anywhere in this one.
                at.position += 1
                if at.is_name() and at.token(1) is None:
                    raise NotReadError("runs a prepared statement", open=True)
                return read_execute(at)
            case "PREPARE":
                return [self.unreadable("prepares a statement", open=True, names=mentions(self.sql))]
            case "COPY" | "LOAD":
                return self.load(at)
            case word if word in _HARMLESS:
                return [Harmless()]
        if at.done:
            return []
        raise NotReadError("a statement that is not known")

    def load(self, at: Cursor) -> list[SqlEffect]:
        """``COPY t FROM`` (PostgreSQL), ``LOAD DATA INTO TABLE t`` (MySQL): rows of unknown origin arrive."""
        if at.word() == "COPY" and at.find("FROM") is None:
            return [Harmless()]
        if at.word() == "LOAD" and at.find("TABLE") is None:
            return [Harmless()]
        raise NotReadError("loads rows from a file")

    def call(self, at: Cursor) -> list[SqlEffect]:
        raise NotReadError("calls a procedure", open=True)

    def remember_routine(self, at: Cursor) -> None:
        kind = at.find("FUNCTION", "PROCEDURE")
        if kind is None or kind > at.position + 12:
            return
        after = at.within(kind + 1, at.end)
        after.accept("IF", "NOT", "EXISTS")
        with suppress(NotReadError):  # its name is a placeholder
            self.context.routines[after.name().name.lower()] = words_of(at)

    def calls(self, at: Cursor) -> list[SqlEffect]:
        """Whether a function that the same text created is called."""
        if not self.context.routines:
            return []
        for index in range(at.position, at.end):
            body = self.context.routines.get(at.tokens[index].value.lower())
            if body is not None:
                return [self.unreadable("calls a function that is made in the same text", names=body)]
        return []

    def is_block(self, at: Cursor) -> bool:
        """A procedural block, not a transaction or a cursor: it has statements in it."""
        return at.find(";") is not None or at.word(1) == "NOT"

    def block(self, at: Cursor) -> list[SqlEffect]:
        if self.depth >= MAX_BLOCKS:
            raise NotReadError("nested too deeply")
        return read_block(at, self.statement, self.text) or [Harmless()]

    def text(self, sql: str) -> list[SqlEffect]:
        """Statements in a string that is executed."""
        if self.depth >= MAX_BLOCKS:
            raise NotReadError("nested too deeply")
        return _read_text(sql, self.context.vendor, self.depth + 1)[0]

    def do(self, at: Cursor) -> list[SqlEffect]:
        """PostgreSQL: ``DO [LANGUAGE name] 'body'``; MySQL: ``DO expression``, which changes nothing."""
        at.position += 1
        language = "PLPGSQL"
        if at.accept("LANGUAGE"):
            token = at.token()
            language = token.value.upper() if token is not None else ""
            at.position += 1
        token = at.token()
        if token is None or token.kind is not Kind.STRING:
            if self.context.vendor in ("mysql", UNKNOWN):
                return [Harmless()]
            raise NotReadError("a DO without a body")
        if at.word(1) == "LANGUAGE" and (named := at.token(2)) is not None:
            language = named.value.upper()
        if language != "PLPGSQL":
            raise NotReadError(f"a DO in {language.lower()}", open=True)
        if self.depth >= MAX_BLOCKS:
            raise NotReadError("nested too deeply")
        tokens = lex(token.value, self.context.vendor).tokens
        inner = Cursor(tokens, token.value, self.context)
        return read_block(inner, self.statement, self.text) or [Harmless()]


_DIALECTS: Final = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite", "oracle": "oracle"}


def _query(text: str, scope: Scope, target: str | None, vendor: Maybe[str]) -> Rows:
    """What the query `text` reads. Raises NotReadError when no dialect of sqlglot parses it.

    The configured database's dialect comes first, but the SQL may be for another one (a branch that a RunPython
    function takes): which tables a query reads does not depend on the dialect that can parse it.
    """
    if len(text) > MAX_QUERY:
        raise NotReadError(f"a query of more than {MAX_QUERY} characters")
    if _depth(text) > MAX_DEPTH:
        raise NotReadError("nested too deeply")
    plain = plain_rows(text, scope, vendor)
    if plain is not None:
        return plain
    import sqlglot

    order = list(_DIALECTS.values())
    if vendor is not UNKNOWN:
        order.sort(key=lambda dialect: dialect != _DIALECTS[vendor])
    elif "`" in text:
        order = ["mysql", "sqlite"]
    elif "[" in text:
        order = ["postgres", "sqlite"]
    try:
        with _silence(), _bounded():
            for dialect in order:
                try:
                    return rows_of(sqlglot.parse_one(text, read=dialect), scope, target, vendor)
                except NotReadError:
                    raise
                except Exception:  # whatever a parser does with text that it was not made for
                    continue
    except _EndlessError:
        raise NotReadError("a query that the parser does not get through") from None
    raise NotReadError("a query that does not parse")


def _depth(text: str) -> int:
    """How deep parentheses and CASE nest, roughly: strings are not looked at."""
    depth = deepest = 0
    for found in _NESTING.finditer(text):
        if found.group() in "([{" or found.group().upper() == "CASE":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


_NESTING: Final = re.compile(r"[()\[\]{}]|\bcase\b|\bend\b", re.IGNORECASE)


class _EndlessError(BaseException):
    """Not an Exception: the parser may catch those."""


@contextmanager
def _bounded() -> Iterator[None]:
    """Stops a parser that goes round in circles, as sqlglot 26 does on ``SELECT 1 WITH`` (Oracle).

    Counts calls instead of looking at the clock, so that the same text always gives the same answer. Under a profiler
    nothing is counted: its hook may be an object that cannot be set again from here (cProfile's).
    """
    if sys.getprofile() is not None:
        yield
        return
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1
        if calls > MAX_CALLS:
            raise _EndlessError

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def _silence() -> Iterator[None]:
    """Without sqlglot's warnings on stderr; the logger is the application's again afterwards."""
    logger = logging.getLogger("sqlglot")
    disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = disabled

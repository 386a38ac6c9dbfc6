"""Statements about rows: INSERT, REPLACE, MERGE, UPDATE, DELETE, SELECT … INTO, and WITH before any of them.

The statement around a query is read here, token by token, because there the databases differ (``INSERT IGNORE``, ``OR
IGNORE``, ``ON CONFLICT``, ``ON DUPLICATE KEY``, ``OVERRIDING``, ``RETURNING``, data-modifying WITH). The query itself,
where expressions nest without end, goes to a real parser through `Context.query`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from lint_m2m.migration import UNKNOWN
from lint_m2m.replay.sql_cursor import Cursor, Name, NotReadError, Rows, words
from lint_m2m.replay.sql_lexer import Kind
from lint_m2m.replay.sql_values import CopyRows, CreateTable, DeleteRows, Harmless, SqlColumn, SqlEffect

Scope = Mapping[str, Rows]

_QUERY_WORDS: Final = ("SELECT", "WITH", "TABLE", "VALUES", "(")


def read_query(at: Cursor, scope: Scope, target: str | None) -> tuple[Rows, list[SqlEffect]]:
    """What the query reads, and what data-modifying WITH clauses in it do."""
    effects: list[SqlEffect] = []
    if at.word() == "WITH":
        at.position += 1
        scope, effects = _with(at, scope)
    while at.word() == "(" and _closes_at_end(at):
        at = at.within(at.position + 1, at.end - 1)
        if at.word() == "WITH":
            rows, inner = read_query(at, scope, target)
            return rows, effects + inner
    if at.word() == "TABLE" and at.is_name(1):
        at.position += 1
        name = at.name()
        if at.done:
            return _relation(name, scope), effects
        at.fail("TABLE with further clauses")
    if at.word() not in ("SELECT", "VALUES", "("):
        at.fail("expected a query")
    return at.context.query(at.text(), scope, target), effects


def _closes_at_end(at: Cursor) -> bool:
    probe = at.rest()
    probe.skip()
    return probe.done


def _relation(name: Name, scope: Scope) -> Rows:
    if name.schema is None and name.name in scope:
        return scope[name.name]
    return Rows((name.name,), (name.name,), qualified=frozenset((name.name,) if name.schema is not None else ()))


def read_with(at: Cursor) -> list[SqlEffect]:
    """``WITH …`` before a statement, the keyword read."""
    scope, effects = _with(at, {})
    # Rows that the WITH clause removes arrive first: in the ledger, too, they have to be there to be copied.
    removed = [effect for effect in effects if isinstance(effect, DeleteRows)]
    before = [effect for effect in effects if not isinstance(effect, DeleteRows)]
    return [*before, *read_statement(at, scope), *removed]


def _with(at: Cursor, scope: Scope) -> tuple[dict[str, Rows], list[SqlEffect]]:
    at.accept("RECURSIVE")
    known = dict(scope)
    effects: list[SqlEffect] = []
    while True:
        name = at.name_part()
        columns = at.group().names() if at.word() == "(" else None
        at.expect("AS")
        at.accept("NOT")
        at.accept("MATERIALIZED")
        known[name] = Rows()  # in a recursive query it names itself
        rows, inner = _with_part(at.group(), known)
        known[name] = rows._replace(columns=columns or rows.columns)
        effects += inner
        while at.word() in ("SEARCH", "CYCLE"):  # PostgreSQL, Oracle: of a recursive query
            while not at.done and at.word() not in (
                ",",
                "SELECT",
                "INSERT",
                "UPDATE",
                "DELETE",
                "MERGE",
                "TABLE",
                "SET",
            ):
                at.position += 1
            if at.accept("SET"):
                at.skip()
        if not at.accept(","):
            return known, effects


def _with_part(at: Cursor, scope: Scope) -> tuple[Rows, list[SqlEffect]]:
    word = at.word()
    if word in ("INSERT", "UPDATE", "DELETE", "MERGE"):
        effects = read_statement(at, scope)
        tables: dict[str, None] = {}
        whole: tuple[str, ...] = ()
        for effect in effects:
            match effect:
                case CopyRows(target=target, sources=sources):
                    tables.update(dict.fromkeys((target, *sources)))
                case DeleteRows(table=table, all=everything):
                    tables[table] = None
                    whole = (table,) if everything else ()
                case Harmless(tables=named):
                    tables.update(dict.fromkeys(named))
        return Rows(tuple(tables), whole), effects
    return read_query(at, scope, None)


def read_statement(at: Cursor, scope: Scope) -> list[SqlEffect]:
    """One of the statements of this module, its keyword still to be read."""
    if at.accept("INSERT"):
        return read_insert(at, scope)
    if at.accept("REPLACE"):
        return read_insert(at, scope)
    if at.accept("DELETE"):
        return read_delete(at)
    if at.accept("UPDATE"):
        return read_update(at)
    if at.accept("MERGE"):
        return read_merge(at, scope)
    if at.word() == "SELECT":
        return read_select(at, scope)
    if at.word() in ("(", "VALUES", "TABLE"):
        return [Harmless()]
    if at.accept("WITH"):
        inner, effects = _with(at, scope)
        return [*effects, *read_statement(at, inner)]
    at.fail("a statement that is not known")


def read_insert(at: Cursor, scope: Scope) -> list[SqlEffect]:
    """``INSERT …`` or ``REPLACE …``, the keyword read."""
    if at.word() in ("ALL", "FIRST") or (at.word() == "WHEN" and at.is_name(1)):
        return _insert_all(at, scope)
    while at.accept_any("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"):
        pass
    if at.accept("OR"):
        at.skip()
    at.accept("INTO")
    if at.is_placeholder() and at.find("VALUES", "VALUE") is not None:
        return [Harmless()]
    table = at.name()
    if at.accept("PARTITION"):
        at.group()
    if at.accept("AS"):
        at.name_part()
    elif at.is_name() and at.word(1) in ("(", "SELECT", "VALUES") and at.word() not in _SOURCE_WORDS:
        at.name_part()  # Oracle: an alias without AS
    columns: tuple[str, ...] = ()
    if at.word() == "(" and at.word(1) not in _QUERY_WORDS:
        columns = _listed(at.group())
    if at.accept("OVERRIDING"):
        at.accept_any("SYSTEM", "USER")
        at.expect("VALUE")
    if at.word() in ("VALUES", "VALUE", "DEFAULT", "SET"):
        return [Harmless(schema=table.schema, tables=(table.name,))]
    if at.done:
        at.fail("an INSERT without rows")
    source = at.within(at.position, _end_of_source(at))
    rows, effects = read_query(source, scope, table.name)
    if not rows.tables:
        return [Harmless(schema=table.schema, tables=(table.name,)), *effects]
    return [_copy(table, rows, columns), *effects]


_SOURCE_WORDS: Final = ("SELECT", "WITH", "TABLE", "VALUES", "VALUE", "DEFAULT", "SET", "OVERRIDING", "EXEC", "EXECUTE")


def _copy(target: Name, rows: Rows, columns: tuple[str, ...]) -> CopyRows:
    """The target is no source of itself when it is read beside others: to leave out rows that it has."""
    others = tuple(table for table in rows.tables if table != target.name)
    return CopyRows(
        schema=target.schema,
        target=target.name,
        sources=others or rows.tables,
        columns=columns,
        whole=tuple(table for table in rows.whole if table in (others or rows.tables)),
        qualified=rows.qualified,
    )


def _listed(group: Cursor) -> tuple[str, ...]:
    """The columns in the list; none when one of them is a placeholder."""
    try:
        return () if group.done else group.names()
    except NotReadError as error:
        if error.open:
            return ()
        raise


def _end_of_source(at: Cursor) -> int:
    """Where ``ON CONFLICT``, ``ON DUPLICATE KEY``, ``RETURNING`` or ``LOG ERRORS`` begins."""
    for index in at.top_level():
        word = at.tokens[index].word
        following = at.tokens[index + 1].word if index + 1 < at.end else ""
        if (word == "ON" and following in ("CONFLICT", "DUPLICATE")) or (word == "LOG" and following == "ERRORS"):
            return index
        if word == "RETURNING" and index > at.position and at.tokens[index - 1].word != ".":
            return index
    return at.end


def _insert_all(at: Cursor, scope: Scope) -> list[SqlEffect]:
    """Oracle: ``INSERT ALL [WHEN … THEN] INTO a (…) VALUES (…) INTO b … SELECT …``."""
    filtered = False
    targets: list[tuple[Name, tuple[str, ...]]] = []
    while not at.done and at.word() not in ("SELECT", "WITH"):
        if at.accept("INTO"):
            name = at.name()
            columns: tuple[str, ...] = ()
            if at.word() == "(":
                columns = _listed(at.group())
            targets.append((name, columns))
            continue
        filtered = filtered or at.word() in ("WHEN", "ELSE", "FIRST")
        at.skip()
    rows, effects = read_query(at.rest(), scope, None)
    if filtered:
        rows = rows._replace(whole=())
    copies: list[SqlEffect] = [_copy(name, rows, columns) for name, columns in targets if rows.tables]
    return [*(copies or [Harmless(tables=tuple(name.name for name, _ in targets))]), *effects]


def read_merge(at: Cursor, scope: Scope) -> list[SqlEffect]:
    """``MERGE …``, the keyword read: rows of the source that match nothing are inserted."""
    at.accept("INTO")
    at.accept("ONLY")
    target = at.name()
    at.accept("AS")
    if at.is_name() and at.word() != "USING":
        at.name_part()
    at.expect("USING")
    at.accept("ONLY")
    effects: list[SqlEffect] = []
    if at.word() == "(":
        rows, effects = read_query(at.group(), scope, target.name)
    else:
        rows = _relation(at.name(), scope)
    inserts = deletes = filtered = False
    columns: tuple[str, ...] = ()
    clauses = [index for index in at.top_level() if at.tokens[index].word == "WHEN"]
    for start, end in pairwise([*clauses, at.end]):
        clause = at.within(start, end)
        words = [clause.tokens[index].word for index in clause.top_level()]
        if "INSERT" in words:
            inserts = True
            filtered = filtered or "AND" in words[: words.index("INSERT")] or "WHERE" in words
            clause.position = clause.find("INSERT") or start
            clause.position += 1
            if clause.word() == "(":
                columns = _listed(clause.group())
        deletes = deletes or "DELETE" in words
    result: list[SqlEffect] = list(effects)
    if inserts and rows.tables:
        result.append(_copy(target, rows._replace(whole=()) if filtered else rows, columns))
    if deletes:
        result.append(DeleteRows(schema=target.schema, table=target.name, all=False))
    return result or [Harmless(schema=target.schema, tables=(target.name,))]


def read_update(at: Cursor) -> list[SqlEffect]:
    """``UPDATE …``, the keyword read: rows stay, whatever their columns become."""
    if at.accept("OR"):
        at.skip()
    at.accept("LOW_PRIORITY")
    at.accept("IGNORE")
    at.accept("ONLY")
    if at.find("SET") is None:
        at.fail("an UPDATE without SET")
    if at.is_placeholder():
        return [Harmless()]
    table = at.name()
    return [Harmless(schema=table.schema, tables=(table.name,))]


_AFTER_TABLE: Final = words(
    "WHERE USING RETURNING ORDER LIMIT ON SET JOIN INNER LEFT RIGHT CROSS FULL NATURAL STRAIGHT_JOIN PARTITION "
    "USE FORCE IGNORE INDEXED NOT AS FROM LOG"
)


def read_delete(at: Cursor) -> list[SqlEffect]:
    """``DELETE …``, the keyword read. MySQL: ``DELETE a, b FROM …`` and ``DELETE FROM a, b USING …`` as well."""
    while at.accept_any("LOW_PRIORITY", "QUICK", "IGNORE"):
        pass
    first = at.accept("FROM")
    at.accept("ONLY")
    targets = [at.name()]
    at.accept("*")
    at.accept(".", "*")
    while at.accept(","):
        targets.append(at.name())
        at.accept(".", "*")
    if not first and at.accept("FROM"):
        aliases = _aliases(at)
        every = len(targets) == 1 and len(set(aliases.values())) == 1 and at.find("JOIN", "WHERE", "LIMIT", ",") is None
    else:
        using = at.find("USING")
        aliases = {}
        if using is not None:
            tail = at.within(using + 1, at.end)
            aliases = _aliases(tail)
        at.accept("AS")
        if at.is_name() and at.word() not in _AFTER_TABLE:
            at.name_part()
        every = using is None and len(targets) == 1 and _no_filter(at)
    return [
        DeleteRows(schema=real.schema, table=real.name, all=every)
        for real in (aliases.get(target.name, target) for target in targets)
    ]


def _no_filter(at: Cursor) -> bool:
    if at.accept("WHERE"):
        end = at.find("RETURNING") or at.end
        condition = [at.tokens[index] for index in range(at.position, end)]
        words = [token.word or token.value for token in condition]
        if words not in (["TRUE"], ["1"], ["1", "=", "1"]):
            return False
        at.position = end
    return at.done or at.word() == "RETURNING"


def _aliases(at: Cursor) -> dict[str, Name]:
    """The real table behind each name that a FROM clause introduces."""
    result: dict[str, Name] = {}
    probe = at.rest()
    expected = True
    while not probe.done:
        word = probe.word()
        if word in ("WHERE", "ORDER", "LIMIT", "RETURNING"):
            break
        if expected and probe.is_name() and word not in ("LATERAL", "ONLY", "SELECT"):
            name = probe.name()
            result[name.name] = name
            probe.accept("AS")
            if probe.is_name() and probe.word() not in _AFTER_TABLE:
                result[probe.name_part()] = name
            expected = False
            continue
        expected = word in ("JOIN", ",", "STRAIGHT_JOIN", "(") or (expected and word in ("LATERAL", "ONLY"))
        probe.position += 1
    return result


def read_select(at: Cursor, scope: Scope) -> list[SqlEffect]:
    """``SELECT …``: harmless unless PostgreSQL or SQL Server make a table of it (``SELECT … INTO b FROM a``).

    Functions that it calls are taken to change no table, except those that the same text creates.
    """
    into = at.find("INTO")
    vendor = at.context.vendor
    if into is None or vendor in ("mysql", "oracle", "sqlite"):
        return [Harmless()]
    clause = at.within(into + 1, at.end)
    temporary = bool(clause.accept_any("TEMPORARY", "TEMP"))
    clause.accept("UNLOGGED")
    clause.accept("TABLE")
    token = clause.token()
    if token is not None and (token.word in ("@", ":", "OUTFILE", "DUMPFILE", "STRICT") or token.kind is Kind.STRING):
        return [Harmless()]
    if vendor is UNKNOWN and at.find("FROM") is None:
        return [Harmless()]
    name = clause.name()
    tokens = (*at.tokens[at.position : into], *at.tokens[clause.position : clause.end])
    rows, _ = read_query(Cursor(tokens, at.source, at.context), scope, name.name)
    columns = tuple(SqlColumn(name=column) for column in rows.columns or ())
    created = CreateTable(
        schema=name.schema,
        name=name.name,
        columns=columns,
        columns_complete=rows.columns is not None,
        sources=rows.tables,
        temporary=temporary or name.name.startswith("#"),
    )
    if not rows.tables:
        return [created]
    copied = CopyRows(
        schema=name.schema,
        target=name.name,
        sources=rows.tables,
        columns=rows.columns or (),
        whole=rows.whole,
        qualified=rows.qualified,
    )
    return [created, copied]

"""Statements about tables, columns, constraints and indexes: ALTER, CREATE, DROP, RENAME, TRUNCATE.

A grammar of its own, because a general parser is of no help here: sqlglot leaves much of this unparsed (`exp.Command`:
RENAME TABLE, RENAME CONSTRAINT, comma lists of actions on some databases), and reads some of it as something else
(``ALTER TABLE a RENAME x TO y`` as renaming the table to x). The forms of all databases are accepted together, since no
two of them give the same words a different meaning; where one does, the comment says so. Tokens that are left over make
the statement unreadable, except behind what says all that matters (the storage options of a table, the collation of a
column, ``DEFERRABLE`` of a constraint).

Sources: the SQL command references of PostgreSQL 17, MySQL 8.4, MariaDB 11, SQLite and Oracle 23.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.replay.sql_cursor import Cursor, Name, NotReadError, words
from lint_m2m.replay.sql_lexer import Kind, fold, is_placeholder
from lint_m2m.replay.sql_rows import read_query
from lint_m2m.replay.sql_values import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    ConstraintKind,
    CopyRows,
    CreateIndex,
    CreateTable,
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
)
from lint_m2m.values import replace

# Objects that are neither tables nor parts of one.
_OTHER_OBJECTS: Final = words(
    "ACCESS AGGREGATE CAST COLLATION CONTEXT CONVERSION DEFAULT DIRECTORY DOMAIN EVENT EXTENSION FUNCTION GROUP "
    "LANGUAGE LARGE LIBRARY MATERIALIZED OPERATOR PACKAGE POLICY PROCEDURE PROFILE PUBLICATION ROLE ROUTINE RULE "
    "SEQUENCE SERVER STATISTICS SUBSCRIPTION SYNONYM SYSTEM SESSION TABLESPACE TEXT TRANSFORM TRIGGER TYPE USER "
    "VIEW PREPARE RESOURCE FULLTEXT INSTANCE LOGFILE OUTLINE PROCEDURAL TRUSTED"
)
# Dropping one of these drops tables that the statement does not name.
_CONTAINERS: Final = frozenset(("SCHEMA", "DATABASE", "OWNED", "TABLESPACE", "USER"))


def read_alter(at: Cursor) -> list[SqlEffect]:
    """``ALTER …``, the keyword read."""
    at.accept_any("ONLINE", "OFFLINE", "IGNORE", "FOREIGN")
    if at.accept("TABLE"):
        return list(_alter_table(at))
    if at.accept("INDEX"):
        at.accept("IF", "EXISTS")
        name = at.name()
        if at.accept("RENAME", "TO"):
            new = at.name_part()
            at.finish()
            return [RenameConstraint(schema=name.schema, table=None, old=name.name, new=new)]
        return [Harmless()]
    if at.word() in _OTHER_OBJECTS or at.word() in ("SCHEMA", "DATABASE"):
        return [Harmless()]
    at.fail("an ALTER of something unknown")


def _alter_table(at: Cursor) -> Iterator[SqlEffect]:
    if_exists = at.accept("IF", "EXISTS")
    at.accept("ONLY")
    table = at.name()
    at.accept("*")
    if at.accept("WAIT"):
        at.skip()
    at.accept("NOWAIT")
    if at.done:
        at.fail("an ALTER TABLE without an action")
    # MySQL allows several actions beside a RENAME, all of which name the columns of the table as it was called.
    last: list[SqlEffect] = []
    for action in _actions(at):
        try:
            effects = _Alteration(action, table).effects()
        except NotReadError as error:
            # The table is known; only a new name may be that of another one.
            raise NotReadError(error.reason, open=error.open and action.tokens[action.start].word == "RENAME") from None
        for effect in effects:
            told = replace(effect, if_table_exists=if_exists) if if_exists else effect
            if isinstance(told, RenameTable):
                last.append(told)
            else:
                yield told
    yield from last


def _actions(at: Cursor) -> Iterator[Cursor]:
    """The actions: separated by commas, on Oracle by nothing."""
    start = at.position
    for index in at.top_level():
        word = at.tokens[index].word
        if word == ",":
            yield at.within(start, index)
            start = index + 1
        elif (
            index > start
            and word in ("ADD", "DROP", "MODIFY")
            and at.context.vendor in ("oracle", UNKNOWN)
            and at.tokens[index - 1].word == ")"
        ):
            yield at.within(start, index)
            start = index
    yield at.within(start, at.end)


# First words of ALTER TABLE actions that change no column, constraint or name.
_HARMLESS_ACTIONS: Final = words(
    "OWNER ENABLE DISABLE ENGINE VALIDATE CLUSTER RESET REPLICA COMMENT AUTO_INCREMENT ROW_FORMAT DEFAULT "
    "CHARACTER CHARSET COLLATE CONVERT ORDER FORCE NO INHERIT ALGORITHM LOCK WITHOUT CACHE NOCACHE LOGGING "
    "NOLOGGING PARALLEL NOPARALLEL COMPRESS NOCOMPRESS PCTFREE PCTUSED INITRANS STORAGE MOVE SHRINK CHECKSUM "
    "KEY_BLOCK_SIZE STATS_PERSISTENT STATS_AUTO_RECALC STATS_SAMPLE_PAGES MAX_ROWS MIN_ROWS AVG_ROW_LENGTH "
    "PACK_KEYS DELAY_KEY_WRITE INSERT_METHOD TABLESPACE CHECK NOCHECK READ ROW REBUILD ALLOCATE DEALLOCATE "
    "TRANSACTIONAL PAGE_CHECKSUM"
)


class _Alteration:
    """One action of an ALTER TABLE."""

    def __init__(self, at: Cursor, table: Name) -> None:
        self.at = at
        self.schema = table.schema
        self.table = table.name

    def effects(self) -> list[SqlEffect]:
        at = self.at
        match at.word():
            case "RENAME":
                at.position += 1
                return [self.rename()]
            case "ADD":
                at.position += 1
                return self.add()
            case "DROP":
                at.position += 1
                return self.drop()
            case "CHANGE":
                at.position += 1
                return self.change()
            case "MODIFY":
                at.position += 1
                return self.modify()
            case "ALTER":
                at.position += 1
                return [self.alter()]
            case "SET":
                at.position += 1
                return self.set()
            case "WITH" if at.word(1) in ("CHECK", "NOCHECK") and at.word(2) == "ADD":  # SQL Server
                at.position += 3
                return self.add()
            case word if word in _HARMLESS_ACTIONS:
                return [self.nothing()]
        at.fail("an ALTER TABLE action that is not known")

    def set(self) -> list[SqlEffect]:
        at = self.at
        if at.accept("SCHEMA"):
            schema = at.name_part()
            at.finish()
            return [RenameTable(schema=self.schema, old=self.table, new=self.table, new_schema=schema)]
        if at.accept("UNUSED"):  # Oracle: gone for everybody, the space is freed later
            return self.drop()
        return [self.nothing()]

    def nothing(self) -> Harmless:
        return Harmless(schema=self.schema, tables=(self.table,))

    def rename(self) -> SqlEffect:
        """MySQL: ``RENAME [TO|AS|=] new``; PostgreSQL, SQLite: ``RENAME [COLUMN] old TO new``."""
        at = self.at
        if at.word() in ("CONSTRAINT", "INDEX", "KEY") and at.is_name(1) and at.word(1) != "TO":
            at.position += 1
            at.accept("IF", "EXISTS")
            old = at.name_part()
            at.expect("TO")
            new = at.name_part()
            at.finish()
            return RenameConstraint(schema=self.schema, table=self.table, old=old, new=new)
        if at.accept("COLUMN"):
            at.accept("IF", "EXISTS")
            return self.rename_column()
        if not at.accept_any("TO", "AS", "=") and at.is_name() and at.word(1) == "TO":
            return self.rename_column()
        new_name = at.name()
        at.finish()
        return RenameTable(schema=self.schema, old=self.table, new=new_name.name, new_schema=new_name.schema)

    def rename_column(self) -> RenameColumn:
        old = self.at.name_part()
        self.at.expect("TO")
        new = self.at.name_part()
        self.at.finish()
        return RenameColumn(schema=self.schema, table=self.table, old=old, new=new)

    def add(self) -> list[SqlEffect]:
        at = self.at
        constraint = read_constraint(at)
        if constraint is not None:
            return [replace(constraint, schema=self.schema, table=self.table)]
        index = _inline_index(at)
        if index is not None:
            return [replace(index, schema=self.schema, table=self.table)]
        if at.word() in ("PARTITION", "SUPPLEMENTAL", "PERIOD") and at.word(1) != "":
            at.fail(f"ADD {at.word()} is not followed")
        at.accept("COLUMN")
        if_not_exists = at.accept("IF", "NOT", "EXISTS")
        if at.word() == "(":
            group = at.group()
            result: list[SqlEffect] = []
            for part in group.split():
                element = read_constraint(part) or _inline_index(part)
                if element is not None:
                    result.append(replace(element, schema=self.schema, table=self.table))
                else:
                    result.extend(self.column(part, if_not_exists))
            return result
        return self.column(at, if_not_exists)

    def column(self, at: Cursor, if_not_exists: bool) -> list[SqlEffect]:
        column, constraints = read_column(at)
        added = AddColumn(schema=self.schema, table=self.table, column=column, if_not_exists=if_not_exists)
        return [added, *(replace(found, schema=self.schema, table=self.table) for found in constraints)]

    def drop(self) -> list[SqlEffect]:
        at = self.at
        if at.word() == "(":  # Oracle
            names = at.group().names()
            at.accept("CASCADE", "CONSTRAINTS")
            at.finish()
            return [DropColumn(schema=self.schema, table=self.table, name=name) for name in names]
        if at.accept("PRIMARY", "KEY"):
            return [self.drop_unnamed(ConstraintKind.PRIMARY_KEY)]
        if at.word() == "UNIQUE" and at.word(1) == "(":  # Oracle
            at.position += 1
            return [self.drop_unnamed(ConstraintKind.UNIQUE, at.group().names())]
        if at.word() == "PARTITION" and at.is_name(1):
            at.fail("DROP PARTITION drops rows")
        # Each of these words alone is a column of that name.
        if at.is_name(1) and at.word(1) not in ("CASCADE", "RESTRICT"):
            if at.accept("FOREIGN", "KEY"):
                return [self.drop_constraint(ConstraintKind.FOREIGN_KEY)]
            if at.accept_any("INDEX", "KEY"):
                if_exists = at.accept("IF", "EXISTS")
                name = at.name_part()
                at.finish()
                return [DropIndex(schema=self.schema, table=self.table, name=name, if_exists=if_exists)]
            if at.accept("CONSTRAINT"):
                return [self.drop_constraint(None)]
            if at.accept("CHECK"):
                return [self.drop_constraint(ConstraintKind.CHECK)]
        at.accept("COLUMN")
        if_exists = at.accept("IF", "EXISTS")
        names = at.group().names() if at.word() == "(" else (at.name_part(),)
        at.accept_any("CASCADE", "RESTRICT")
        at.accept("CONSTRAINTS")
        at.finish()
        return [DropColumn(schema=self.schema, table=self.table, name=name, if_exists=if_exists) for name in names]

    def drop_tail(self) -> None:
        at = self.at
        at.accept_any("CASCADE", "RESTRICT")
        if at.accept_any("KEEP", "DROP"):  # Oracle
            at.expect("INDEX")
        at.accept("ONLINE")
        at.finish()

    def drop_unnamed(self, kind: ConstraintKind, columns: tuple[str, ...] = ()) -> DropConstraint:
        self.drop_tail()
        return DropConstraint(schema=self.schema, table=self.table, name=None, kind=kind, columns=columns)

    def drop_constraint(self, kind: ConstraintKind | None) -> DropConstraint:
        at = self.at
        if_exists = at.accept("IF", "EXISTS")
        name = at.name_part()
        self.drop_tail()
        return DropConstraint(schema=self.schema, table=self.table, name=name, if_exists=if_exists, kind=kind)

    def change(self) -> list[SqlEffect]:
        """MySQL: ``CHANGE [COLUMN] old new definition``."""
        at = self.at
        at.accept("COLUMN")
        at.accept("IF", "EXISTS")
        old = at.name_part()
        column, constraints = read_column(at)
        result: list[SqlEffect] = []
        if old != column.name:
            result.append(RenameColumn(schema=self.schema, table=self.table, old=old, new=column.name))
        result.append(AlterColumn(schema=self.schema, table=self.table, column=column.name))
        result.extend(replace(found, schema=self.schema, table=self.table) for found in constraints)
        return result

    def modify(self) -> list[SqlEffect]:
        """MySQL: ``MODIFY [COLUMN] name definition``; Oracle: ``MODIFY [(]name definition, …[)]``."""
        at = self.at
        if at.word() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "PARTITION", "LOB", "NESTED") and at.is_name(1):
            return [self.nothing()]
        at.accept("COLUMN")
        at.accept("IF", "EXISTS")
        result: list[SqlEffect] = []
        for part in at.group().split() if at.word() == "(" else [at]:
            column, constraints = read_column(part)
            result.append(AlterColumn(schema=self.schema, table=self.table, column=column.name))
            result.extend(replace(found, schema=self.schema, table=self.table) for found in constraints)
        return result

    def alter(self) -> SqlEffect:
        at = self.at
        if (
            at.word() in ("CONSTRAINT", "INDEX", "CHECK")
            and at.is_name(1)
            and at.word(1) not in ("SET", "TYPE", "DROP")
        ):
            return self.nothing()
        at.accept("COLUMN")
        return AlterColumn(schema=self.schema, table=self.table, column=at.name_part())


# Words that end a column's type and begin what else is said of it.
_AFTER_TYPE: Final = words(
    "NOT NULL DEFAULT PRIMARY UNIQUE REFERENCES CHECK CONSTRAINT COLLATE GENERATED AUTO_INCREMENT AUTOINCREMENT "
    "COMMENT ON IDENTITY KEY FIRST AFTER STORAGE COMPRESSION AS DEFERRABLE INITIALLY ENABLE DISABLE VISIBLE "
    "INVISIBLE USING ENCRYPT SORT VIRTUAL PERSISTENT STORED"
)


def read_column(at: Cursor) -> tuple[SqlColumn, list[AddConstraint]]:
    """A column definition, to the end; its UNIQUE and REFERENCES also as constraints (`table` is left empty)."""
    name = at.name_part()
    begin = at.position
    while not at.done and at.word() not in _AFTER_TYPE:
        if at.word() == ";":
            at.fail("a column definition that does not end")
        at.skip()
    type_text = at.within(begin, at.position).plain_text() or None
    not_null = primary_key = has_default = False
    references: str | None = None
    constraints: list[AddConstraint] = []
    label: str | None = None
    if type_text is not None and type_text.upper() in ("SERIAL", "BIGSERIAL", "SMALLSERIAL"):
        has_default = not_null = True
    while not at.done:
        if at.accept("CONSTRAINT"):
            label = at.name_part()
            continue
        if at.accept("NOT", "NULL"):
            not_null = True
        elif at.accept("PRIMARY", "KEY") or at.accept("KEY"):
            primary_key = not_null = True
        elif at.accept("UNIQUE"):
            at.accept_any("KEY", "INDEX")
            constraints.append(AddConstraint(table="", name=label, kind=ConstraintKind.UNIQUE, columns=(name,)))
        elif at.accept("REFERENCES"):
            references = at.name().name
            constraints.append(
                AddConstraint(
                    table="", name=label, kind=ConstraintKind.FOREIGN_KEY, columns=(name,), references=references
                )
            )
        elif at.accept("DEFAULT"):
            has_default = at.word() != "NULL"
            at.skip()
            continue
        elif at.accept_any("GENERATED", "AUTO_INCREMENT", "AUTOINCREMENT", "IDENTITY"):
            has_default = True
        elif at.word() == ";":
            at.fail("a column definition that does not end")
        else:
            at.skip()
            continue
        label = None
    column = SqlColumn(
        name=name,
        type_text=type_text,
        not_null=not_null,
        primary_key=primary_key,
        has_default=has_default,
        references=references,
    )
    return column, constraints


def read_constraint(at: Cursor) -> AddConstraint | None:
    """A table constraint, to the end (`table` is left empty); ``None``, nothing read, when it is something else."""
    begin = at.position
    name: str | None = None
    if_not_exists = False
    if at.word() == "CONSTRAINT":
        at.position += 1
        if_not_exists = at.accept("IF", "NOT", "EXISTS")  # MariaDB
        # The name is optional on MySQL: ADD CONSTRAINT UNIQUE (a).
        if not (at.word() in ("UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "EXCLUDE") and at.word(1) in _AFTER_KIND):
            name = at.name().name
    constraint = _constraint_body(at, name)
    if constraint is None:
        if name is not None:
            at.fail("a constraint of a kind that is not known")
        at.position = begin
        return None
    return replace(constraint, if_not_exists=if_not_exists) if if_not_exists else constraint


_AFTER_KIND: Final = frozenset(("(", "KEY", "INDEX", "USING"))


def _constraint_body(at: Cursor, name: str | None) -> AddConstraint | None:
    columns: Maybe[tuple[str, ...]]
    match at.word():
        case "PRIMARY" if at.word(1) == "KEY":
            at.position += 2
            columns, _, using = _key(at)
            kind = ConstraintKind.PRIMARY_KEY
            return AddConstraint(table="", name=name, kind=kind, columns=columns, using_index=using)
        case "UNIQUE" if at.token(1) is not None:
            at.position += 1
            at.accept_any("KEY", "INDEX")
            if at.accept("NULLS"):
                at.accept("NOT")
                at.expect("DISTINCT")
            columns, own, using = _key(at)
            # MySQL: the index's name wins over the constraint's.
            kind = ConstraintKind.UNIQUE
            return AddConstraint(table="", name=own or name, kind=kind, columns=columns, using_index=using)
        case "FOREIGN" if at.word(1) == "KEY":
            at.position += 2
            at.accept("IF", "NOT", "EXISTS")
            if at.word() != "(":
                own_name = at.name_part()
                name = name or own_name
            columns = at.group().names()
            at.expect("REFERENCES")
            kind = ConstraintKind.FOREIGN_KEY
            return AddConstraint(table="", name=name, kind=kind, columns=columns, references=at.name().name)
        case "CHECK" if at.word(1) == "(":
            return AddConstraint(table="", name=name, kind=ConstraintKind.CHECK)
        case "EXCLUDE" if at.word(1) in ("USING", "("):
            return AddConstraint(table="", name=name, kind=ConstraintKind.OTHER)
        case "NOT" if at.word(1) == "NULL":  # PostgreSQL 18
            return AddConstraint(table="", name=name, kind=ConstraintKind.OTHER)
    return None


def _key(at: Cursor) -> tuple[Maybe[tuple[str, ...]], str | None, str | None]:
    """Columns, the index's own name and the existing index that is used."""
    if at.accept("USING", "INDEX"):
        return UNKNOWN, None, at.name().name
    at.accept("IF", "NOT", "EXISTS")
    own: str | None = None
    if at.word() not in ("(", "USING"):
        own = at.name_part()
    if at.accept("USING"):
        at.skip()
    columns, _ = _parts(at.group())
    return columns, own, None


def _parts(group: Cursor) -> tuple[Maybe[tuple[str, ...]], bool]:
    """The columns of an index or a key; UNKNOWN, and true, when a part is not a plain column."""
    columns: list[str] = []
    expression = False
    for part in group.split():
        if not part.is_name():
            expression = True
            continue
        name = part.name_part()
        # lower(a), a(10), a || b, a::text, s.f(a): not the column. Otherwise collation, operator class and order.
        while not part.done and part.is_name():
            part.position += 1
            if part.word() == ".":
                part.position += 1
        if not part.done:
            expression = True
        columns.append(name)
    return (UNKNOWN if expression else tuple(columns)), expression


def _inline_index(at: Cursor) -> CreateIndex | None:
    """MySQL: ``INDEX|KEY [name] (…)`` as an element of CREATE TABLE or ADD; nothing read when it is something else.

    Elsewhere ``key`` is a good name of a column, and ``key varchar (10)`` looks the same but for the number.
    """
    begin = at.position
    kind = at.accept_any("INDEX", "KEY", "FULLTEXT", "SPATIAL")
    if not kind:
        return None
    if kind in ("FULLTEXT", "SPATIAL"):
        at.accept_any("INDEX", "KEY")
    at.accept("IF", "NOT", "EXISTS")
    name = at.name_part() if at.word() not in ("(", "USING") and at.is_name() else None
    if at.accept("USING"):
        at.skip()
    first = at.token(1)
    if at.word() != "(" or first is None or first.kind is Kind.NUMBER or at.context.vendor not in ("mysql", UNKNOWN):
        at.position = begin
        return None
    columns, expression = _parts(at.group())
    return CreateIndex(table="", name=name, columns=columns, expression=expression)


def read_create(at: Cursor) -> list[SqlEffect]:
    """``CREATE …``, the keyword read. Routines and triggers are harmless until somebody calls them."""
    replaces = at.accept("OR", "REPLACE")
    unique = temporary = False
    for _ in range(12):
        word = at.word()
        if word == "TABLE":
            at.position += 1
            return _create_table(at, temporary=temporary, replaces=replaces)
        if word == "INDEX":
            at.position += 1
            return [_create_index(at, unique=unique)]
        if word in _OTHER_OBJECTS or word in ("SCHEMA", "DATABASE"):
            if word == "SCHEMA" and at.find("TABLE") is not None:
                at.fail("CREATE SCHEMA with elements")
            return [Harmless(tables=_after(at, "ON", "FROM", "JOIN"))]
        if word in ("TEMP", "TEMPORARY"):
            temporary = True
        elif word == "UNIQUE":
            unique = True
        elif at.done:
            break
        at.skip()
    at.fail("a CREATE of something unknown")


def _after(at: Cursor, *words: str) -> tuple[str, ...]:
    """Names that follow one of `words`: good enough for `Harmless`."""
    found: dict[str, None] = {}
    for index in range(at.position, at.end - 1):
        if at.tokens[index].word in words:
            token = at.tokens[index + 1]
            if token.kind in (Kind.WORD, Kind.QUOTED):
                found[fold(token.value, quoted=token.kind is Kind.QUOTED, vendor=at.context.vendor)] = None
    return tuple(found)


def _create_index(at: Cursor, *, unique: bool) -> CreateIndex:
    at.accept_any("CONCURRENTLY", "ONLINE", "ASYNC")
    if_not_exists = at.accept("IF", "NOT", "EXISTS")
    name: str | None = None
    if at.is_placeholder():
        at.fail("the index's name is a placeholder")
    if at.word() != "ON" or at.word(1) == "ON":
        name = at.name().name
    if at.accept("USING"):
        at.skip()
    at.expect("ON")
    at.accept("ONLY")
    table = at.name()
    if at.accept("USING"):
        at.skip()
    columns, expression = _parts(at.group())
    return CreateIndex(
        schema=table.schema,
        table=table.name,
        name=name,
        columns=columns,
        unique=unique,
        partial=at.find("WHERE") is not None,
        expression=expression,
        if_not_exists=if_not_exists,
    )


def _create_table(at: Cursor, *, temporary: bool, replaces: bool) -> list[SqlEffect]:
    if_not_exists = at.accept("IF", "NOT", "EXISTS")
    table = at.name()
    result: list[SqlEffect] = []
    if replaces:  # MariaDB
        result.append(DropTable(schema=table.schema, name=table.name, if_exists=True))
    created = CreateTable(
        schema=table.schema,
        name=table.name,
        temporary=temporary or table.name.startswith("#"),
        if_not_exists=if_not_exists,
    )
    if at.accept("LIKE"):
        source = at.name().name
        at.finish()
        return [*result, replace(created, like=(source,), columns_complete=False)]
    if at.accept("PARTITION", "OF") or at.accept("OF"):
        return [*result, replace(created, like=(at.name().name,), columns_complete=False)]
    if at.word() == "USING" and at.word(2) in ("(", ""):  # SQLite: CREATE VIRTUAL TABLE
        return [*result, replace(created, columns_complete=False)]
    named: tuple[str, ...] | None = None
    start = at.position
    if at.word() == "(" and at.word(1) not in ("SELECT", "WITH", "("):
        group = at.group()
        if _as_query(at) is not None and _only_names(group):
            named = group.names()
        else:
            created = _elements(group, created)
    query = _as_query(at)
    if query is None:
        if at.position == start:
            at.fail("a CREATE TABLE without columns")
        inherits = at.find("INHERITS")
        if inherits is not None:
            at.position = inherits + 1
            parents = tuple(part.name().name for part in at.group().split())
            created = replace(created, like=created.like + parents, columns_complete=False)
        return [*result, created]
    return [*result, *_from_query(query, created, named)]


def _only_names(group: Cursor) -> bool:
    return all(part.is_name() and part.end - part.position == 1 for part in group.split())


def _as_query(at: Cursor) -> Cursor | None:
    """The query of CREATE TABLE AS, with or without AS (MySQL), behind the table's options."""
    for index in at.top_level():
        word = at.tokens[index].word
        following = at.tokens[index + 1].word if index + 1 < at.end else ""
        if word == "AS":
            return at.within(index + 1, at.end)
        if word in ("SELECT", "TABLE", "VALUES") and at.tokens[index - 1].word != "=":
            return at.within(index, at.end)
        if word == "(" and following in ("SELECT", "WITH"):
            return at.within(index, at.end)
        if word == "WITH" and following not in ("(", "DATA", "NO", "OIDS", "SYSTEM", ""):
            return at.within(index, at.end)
    return None


def _from_query(query: Cursor, created: CreateTable, named: tuple[str, ...] | None) -> list[SqlEffect]:
    data = True
    end = query.end
    words = [query.tokens[index].word for index in range(max(query.position, end - 3), end)]
    if words[-3:] == ["WITH", "NO", "DATA"]:
        data, end = False, end - 3
    elif words[-2:] == ["WITH", "DATA"]:
        end -= 2
    if query.word() == "EXECUTE":
        query.fail("a table made from a prepared statement", open=True)
    rows, effects = read_query(query.within(query.position, end), {}, created.name)
    names = named if named is not None else rows.columns
    declared = {column.name for column in created.columns}
    columns = created.columns
    if names is not None:
        columns += tuple(SqlColumn(name=name) for name in names if name not in declared)
    created = replace(
        created,
        columns=columns,
        columns_complete=created.columns_complete and names is not None,
        sources=rows.tables,
    )
    result: list[SqlEffect] = [created]
    if data and rows.tables:
        result.append(
            CopyRows(
                schema=created.schema,
                target=created.name,
                sources=rows.tables,
                columns=tuple(column.name for column in columns),
                whole=rows.whole,
                qualified=rows.qualified,
            )
        )
    return [*result, *effects]


def _elements(group: Cursor, created: CreateTable) -> CreateTable:
    """What stands between the parentheses of CREATE TABLE."""
    columns: list[SqlColumn] = []
    uniques: list[SqlUnique] = []
    primary_key: tuple[str, ...] = ()
    like: list[str] = []
    indexes = False
    references: dict[str, str] = {}
    for part in group.split():
        if part.done:
            continue
        if part.word() == "LIKE" and part.token(1) is not None:
            part.position += 1
            like.append(part.name().name)
            indexes = indexes or _includes_indexes(part)
            continue
        if part.word() in ("PERIOD", "SUPPLEMENTAL") and part.word(1) in ("FOR", "LOG"):
            continue
        constraint = read_constraint(part)
        if constraint is not None:
            named = constraint.columns if constraint.columns is not UNKNOWN else ()
            if constraint.kind is ConstraintKind.UNIQUE and named:
                uniques.append(SqlUnique(constraint.name, named))
            elif constraint.kind is ConstraintKind.PRIMARY_KEY:
                primary_key = named
            elif constraint.kind is ConstraintKind.FOREIGN_KEY and len(named) == 1 and constraint.references:
                references[named[0]] = constraint.references
            continue
        if _inline_index(part) is not None:
            continue
        column, constraints = read_column(part)
        columns.append(column)
        if column.primary_key:
            primary_key = (column.name,)
        uniques.extend(
            SqlUnique(found.name, (column.name,)) for found in constraints if found.kind is ConstraintKind.UNIQUE
        )
    return replace(
        created,
        columns=tuple(
            column._replace(
                primary_key=column.name in primary_key,
                not_null=column.not_null or column.name in primary_key,
                references=column.references or references.get(column.name),
            )
            for column in columns
        ),
        columns_complete=not like,
        primary_key=primary_key,
        uniques=tuple(uniques),
        like=tuple(like),
        indexes=indexes,
    )


def _includes_indexes(part: Cursor) -> bool:
    """Behind ``LIKE table``: PostgreSQL's options, of which the last about indexes counts."""
    included = False
    while not part.done:
        if part.accept("INCLUDING", "ALL") or part.accept("INCLUDING", "INDEXES"):
            included = True
        elif part.accept("EXCLUDING", "ALL") or part.accept("EXCLUDING", "INDEXES"):
            included = False
        else:
            part.position += 1
    return included


def read_drop(at: Cursor) -> list[SqlEffect]:
    """``DROP …``, the keyword read."""
    at.accept_any("TEMPORARY", "FOREIGN")
    if at.accept("TABLE") or at.accept("TABLES"):
        if_exists = at.accept("IF", "EXISTS")
        return _drop_tables(at, if_exists)
    if at.accept("INDEX"):
        at.accept_any("CONCURRENTLY", "ONLINE")
        if_exists = at.accept("IF", "EXISTS")
        names = [at.name()]
        while at.accept(","):
            names.append(at.name())
        table = at.name() if at.accept("ON") else None
        at.accept_any("CASCADE", "RESTRICT")
        if at.word() not in ("ALGORITHM", "LOCK", "FORCE", "ONLINE", "WAIT", "NOWAIT"):
            at.finish()
        return [
            DropIndex(
                schema=table.schema if table else name.schema,
                name=name.name,
                table=table.name if table else None,
                if_exists=if_exists,
            )
            for name in names
        ]
    word = at.word()
    cascade = at.find("CASCADE") is not None
    if word in _CONTAINERS and (word != "USER" or cascade):
        at.fail(f"DROP {word} drops tables that it does not name", open=True)
    if word in ("TYPE", "DOMAIN", "EXTENSION") and cascade:
        at.fail(f"DROP {word} … CASCADE drops columns that it does not name", open=True)
    if word in _OTHER_OBJECTS or word == "USER":
        return [Harmless()]
    at.fail("a DROP of something unknown")


def _drop_tables(at: Cursor, if_exists: bool) -> list[SqlEffect]:
    names = [at.name()]
    while at.accept(","):
        names.append(at.name())
    cascade = at.accept_any("CASCADE", "RESTRICT") == "CASCADE"
    at.accept("CONSTRAINTS")
    at.accept("PURGE")
    if at.accept("WAIT"):
        at.skip()
    at.accept("NOWAIT")
    at.finish()
    return [DropTable(schema=name.schema, name=name.name, if_exists=if_exists, cascade=cascade) for name in names]


def read_truncate(at: Cursor) -> list[SqlEffect]:
    """``TRUNCATE …``, the keyword read."""
    at.accept("TABLE")
    at.accept("IF", "EXISTS")
    names: list[Name] = []
    while True:
        at.accept("ONLY")
        names.append(at.name())
        at.accept("*")
        if not at.accept(","):
            break
    if at.accept_any("RESTART", "CONTINUE"):
        at.expect("IDENTITY")
    cascade = at.accept_any("CASCADE", "RESTRICT") == "CASCADE"
    if at.accept_any("DROP", "REUSE"):  # Oracle
        at.accept("ALL")
        at.expect("STORAGE")
        cascade = at.accept("CASCADE") or cascade
    at.finish()
    return [Truncate(schema=name.schema, table=name.name, cascade=cascade) for name in names]


def read_rename(at: Cursor) -> list[SqlEffect]:
    """``RENAME …``, the keyword read. MySQL: ``TABLE a TO b, c TO d``; Oracle: ``a TO b``."""
    if at.word() in ("USER", "DATABASE") and at.is_name(1):
        return [Harmless()]
    if at.word() in ("TABLE", "TABLES") and at.word(1) != "TO":
        at.position += 1
    if_exists = at.accept("IF", "EXISTS")
    result: list[SqlEffect] = []
    for part in at.split():
        old = part.name()
        if part.accept("WAIT"):
            part.skip()
        part.accept("NOWAIT")
        part.expect("TO")
        new = part.name()
        part.finish()
        result.append(
            RenameTable(
                schema=old.schema,
                old=old.name,
                new=new.name,
                new_schema=new.schema,
                if_table_exists=if_exists,
                statement=True,
            )
        )
    return result


def read_execute(at: Cursor) -> list[SqlEffect]:
    """``EXEC sp_rename 'old', 'new'[, 'COLUMN'|'INDEX'|'OBJECT']`` (SQL Server), the keyword read."""
    name = at.name().name.lower()
    if name != "sp_rename":
        at.fail("calls a procedure", open=True)
    arguments: list[str] = []
    for part in at.split():
        while part.end - part.position > 1 and part.word() != "":
            part.position += 1  # @objname =, N'…' has its prefix in the token
        token = part.token()
        if token is None or token.kind is not Kind.STRING or is_placeholder(token.value):
            at.fail("arguments of sp_rename that are not plain strings", open=True)
        arguments.append(token.value)
    if len(arguments) not in (2, 3):
        at.fail("sp_rename without two names", open=True)
    path = [part.strip('[]"') for part in arguments[0].split(".")]
    new = arguments[1].strip('[]"')
    kind = arguments[2].upper() if len(arguments) == 3 else "OBJECT"
    if kind in ("COLUMN", "INDEX") and len(path) > 1:
        schema = path[-3] if len(path) > 2 else None
        if kind == "COLUMN":
            return [RenameColumn(schema=schema, table=path[-2], old=path[-1], new=new)]
        return [RenameConstraint(schema=schema, table=path[-2], old=path[-1], new=new)]
    if kind == "OBJECT":
        return [RenameTable(schema=path[-2] if len(path) > 1 else None, old=path[-1], new=new)]
    at.fail("sp_rename of something else than a table, column or index")

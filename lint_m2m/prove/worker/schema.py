"""What the tables of a database are like, as Django's introspection reads it, and how two databases differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias


class Column(NamedTuple):
    type: str
    null: bool


class Table(NamedTuple):
    """`uniques` and `checks` are the columns of each; `foreign_keys` maps a column to (table, column).

    Columns of unique sets are in order: Django looks for the one to drop by that.
    """

    columns: Mapping[str, Column]
    primary_key: frozenset[str]
    uniques: frozenset[tuple[str, ...]]
    foreign_keys: Mapping[str, tuple[str, str]]
    checks: tuple[tuple[str, ...], ...]
    indexes: frozenset[tuple[str, ...]]


Schema: TypeAlias = dict[str, Table]


def read_schema(connection: Any) -> Schema:
    """Every table but Django's own record of migrations."""
    introspection = connection.introspection
    found: Schema = {}
    with connection.cursor() as cursor:
        for name in introspection.table_names(cursor):
            if name != "django_migrations":
                found[name] = read_table(connection, cursor, name)
    return found


def read_table(connection: Any, cursor: Any, name: str) -> Table:
    introspection = connection.introspection
    columns = {
        one.name: Column(_type(connection, one), bool(one.null_ok))
        for one in introspection.get_table_description(cursor, name)
    }
    primary: frozenset[str] = frozenset()
    uniques: set[tuple[str, ...]] = set()
    foreign: dict[str, tuple[str, str]] = {}
    checks: list[tuple[str, ...]] = []
    indexes: set[tuple[str, ...]] = set()
    for one in introspection.get_constraints(cursor, name).values():
        on = tuple(one["columns"] or ())
        if one["primary_key"]:
            primary = frozenset(on)
        elif one["unique"]:
            uniques.add(on)
        if one["foreign_key"] and on:
            foreign[on[0]] = (one["foreign_key"][0], one["foreign_key"][1])
        # MariaDB drops the check that Django wrote with a column whenever an AlterField touches that column; the
        # type is unsigned all the same.
        if one["check"] and connection.vendor != "mysql":
            checks.append(tuple(sorted(on)))
        if one["index"] and not one["unique"] and not one["primary_key"]:
            indexes.add(on)
    if connection.vendor == "mysql":
        # The server makes and drops indexes of foreign keys by itself; one that begins another is redundant to it.
        indexes = {on for on in indexes if len(on) > 1 or on[0] not in foreign}
    return Table(columns, primary, frozenset(uniques), foreign, tuple(sorted(checks)), frozenset(indexes))


def _type(connection: Any, column: Any) -> str:
    kind = connection.introspection.get_field_type(column.type_code, column)
    text = (
        kind if isinstance(kind, str) else f"{kind[0]}({', '.join(f'{key}={kind[1][key]}' for key in sorted(kind[1]))})"
    )
    if text.startswith(("CharField", "DecimalField")) and "(" not in text:
        size = getattr(column, "display_size", None) or getattr(column, "internal_size", None)
        text = f"{text}({size})"
    return text


def differences(here: Schema, wanted: Schema) -> Iterator[str]:
    """What is not in `here` as in `wanted`, in words."""
    for name in sorted(here.keys() | wanted.keys()):
        if name not in wanted:
            yield f"table `{name}` is left over"
        elif name not in here:
            yield f"table `{name}` is missing"
        else:
            yield from _table_differences(name, here[name], wanted[name])


def _table_differences(name: str, here: Table, wanted: Table) -> Iterator[str]:
    for column in sorted(here.columns.keys() | wanted.columns.keys()):
        mine, theirs = here.columns.get(column), wanted.columns.get(column)
        if theirs is None:
            yield f"column `{name}.{column}` is left over"
        elif mine is None:
            yield f"column `{name}.{column}` is missing"
        else:
            if mine.type != theirs.type:
                yield f"column `{name}.{column}` is a {mine.type}, in a fresh database a {theirs.type}"
            if mine.null != theirs.null:
                yield f"column `{name}.{column}` is {_null(mine)}, in a fresh database {_null(theirs)}"
    for column in sorted(here.foreign_keys.keys() | wanted.foreign_keys.keys()):
        mine_key, theirs_key = here.foreign_keys.get(column), wanted.foreign_keys.get(column)
        if mine_key != theirs_key:
            yield f"`{name}.{column}` points at {_place(mine_key)}, in a fresh database at {_place(theirs_key)}"
    if here.primary_key != wanted.primary_key:
        mine_text, their_text = _set(sorted(here.primary_key)), _set(sorted(wanted.primary_key))
        yield f"the primary key of `{name}` is {mine_text}, in a fresh database {their_text}"
    for what, mine_sets, their_sets in (
        ("unique set", here.uniques, wanted.uniques),
        ("index", here.indexes, wanted.indexes),
    ):
        for one in sorted(mine_sets - their_sets):
            yield f"{what} {_set(one)} of `{name}` is left over"
        for one in sorted(their_sets - mine_sets):
            yield f"{what} {_set(one)} of `{name}` is missing"
    if here.checks != wanted.checks:
        yield f"the checks of `{name}` are on {here.checks}, in a fresh database on {wanted.checks}"


def _null(column: Column) -> str:
    return "NULL" if column.null else "NOT NULL"


def _place(key: tuple[str, str] | None) -> str:
    return "nothing" if key is None else f"`{key[0]}.{key[1]}`"


def _set(columns: Any) -> str:
    return "(" + ", ".join(f"`{one}`" for one in columns) + ")"

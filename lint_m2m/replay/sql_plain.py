"""Queries so plain that they need no parser: named columns of one table, those with NULL in a column left out.

That is how rows are copied from one table to another nearly always, and importing sqlglot takes longer than checking
a small project. Only names that are no words of any database's SQL are taken here (``id``, ``…_id``, or in quotes); a
test compares each answer with what sqlglot and `sql_query` say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lint_m2m.migration import Maybe
from lint_m2m.replay.sql_cursor import PARAMETER_NAME, Rows
from lint_m2m.replay.sql_lexer import fold

_B: Final = r"[ \t\r\n]"
_QUOTED: Final = '"[A-Za-z_][A-Za-z0-9_]*+"'
# Django names an app's table app_model. The exceptions are words, or functions, of some database.
_TABLE: Final = (
    rf"(?:{_QUOTED}|(?!(?:character|connect|current|high|json|local|low|match|session|sql|straight|system|utc|xml)_)"
    r"[A-Za-z][A-Za-z0-9]*+_[A-Za-z0-9_]++)"
)
_COLUMN: Final = rf"(?:{_TABLE}\.)?(?:{_QUOTED}|id\b|[A-Za-z][A-Za-z0-9_]*_id\b)"
_TESTED: Final = rf"{_COLUMN}{_B}++IS{_B}++NOT{_B}++NULL"
_PLAIN: Final = re.compile(
    rf"{_B}*+SELECT{_B}++(?P<columns>{_COLUMN}(?:{_B}*+,{_B}*+{_COLUMN})*+){_B}++FROM{_B}++(?P<table>{_TABLE})"
    rf"(?:{_B}++WHERE{_B}++(?P<condition>{_TESTED}(?:{_B}++AND{_B}++{_TESTED})*+))?+{_B}*+\Z",
    re.ASCII | re.IGNORECASE,
)
_EACH: Final = re.compile(rf"(?:(?P<owner>{_TABLE})\.)?(?P<name>{_QUOTED}|\w++)", re.ASCII | re.IGNORECASE)


def plain_rows(text: str, scope: Mapping[str, Rows], vendor: Maybe[str]) -> Rows | None:
    """What the query `text` reads; None where it is not plain. `scope` holds the common table expressions around it."""
    found = _PLAIN.match(text)
    # MySQL may take what is in double quotes for a string.
    if found is None or (vendor == "mysql" and '"' in text) or PARAMETER_NAME in text:
        return None
    table = found["table"]
    name = _folded(table, vendor)
    if name in scope or name.lower() == "dual":
        return None
    columns = list(_EACH.finditer(found["columns"]))
    tested = _EACH.finditer(_IS_NOT_NULL.sub(" ", found["condition"] or ""))
    if any(each["owner"] not in (None, table) for each in (*columns, *tested)):
        return None
    return Rows((name,), (name,), tuple(_folded(each["name"], vendor) for each in columns))


_IS_NOT_NULL: Final = re.compile(rf"{_B}IS{_B}++NOT{_B}++NULL(?:{_B}++AND{_B})?+", re.ASCII | re.IGNORECASE)


def _folded(name: str, vendor: Maybe[str]) -> str:
    quoted = name.startswith('"')
    return fold(name.strip('"'), quoted=quoted, vendor=vendor)

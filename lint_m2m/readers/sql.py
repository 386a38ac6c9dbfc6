"""SQL in migrations: the arguments of RunSQL, and which string constants of a function look like SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.readers.django_names import NOOPS
from lint_m2m.readers.values import Choice, Ref, Value, reason_of

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

# Comments may come before the first word. Possessive: linear on whatever comes. Compiled when it is used.
_SQL: Final = r"""(?xis)
    (?: \s++ | --[^\n]*+ | /\*(?:[^*]++|\*(?!/))*+\*/ | \( | \{[^}]*+\} )*+
    (?: alter \s++ (?:table|sequence|index|column|database|type|view|schema|foreign|materialized)
      | create \s++ (?:or \s++ replace|table|temp|unlogged|index|unique|view|materialized|trigger|function|extension
                       |schema|type|sequence|virtual|aggregate|domain|rule|user|role)
      | drop \s++ (?:table|index|view|materialized|trigger|function|extension|schema|type|sequence|constraint|aggregate
                     |domain|rule)
      | (?:insert|replace|merge) \s++ (?:ignore \s++ | or \s++ \w++ \s++)?+ into \b
      | update \s++ \S++ .* \b set \b
      | delete \s++ from | truncate \b | select \b | rename \s++ table | with \s++ \S++ .* \b as \b
      | exec(?:ute)?+ \s++ \S | comment \s++ on
      | set \s++ \S++ | begin \b | commit \b | lock \s++ table | do \s++ \$ | pragma \b
      | declare \b
    )
"""
# Prose that begins with one of those words has no place for this many in its few words.
_BOUND: Final = 20_000


def looks_like_sql(text: str) -> bool:
    """Whether a string is SQL, by its first words. A docstring "Set the owner" is not asked."""
    return " " in text.strip() and re.compile(_SQL).match(text, 0, _BOUND) is not None


def read_sql(session: Session, value: Value) -> tuple[Maybe[str], ...]:
    """The pieces that RunSQL runs for the value of its `sql` or `reverse_sql` (known to be given)."""
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, Ref) and value.path in NOOPS:
        return ()
    if isinstance(value, list | tuple):
        return tuple(_piece(session, element) for element in value)
    return (UNKNOWN,)


def _piece(session: Session, value: Value) -> Maybe[str]:
    """One element of a list: a statement, or a statement with its parameters."""
    value = session.interpreter.known(value)
    if isinstance(value, list | tuple) and len(value) == 2:
        value = session.interpreter.known(value[0])
    return value if isinstance(value, str) else UNKNOWN


def unknown_reason(value: Value) -> str:
    """Why the SQL is not known."""
    if isinstance(value, list | tuple):
        for element in value:
            inner = element[0] if isinstance(element, list | tuple) and element else element
            if not isinstance(inner, str):
                return reason_of(inner)
    return reason_of(value)


def is_choice(value: Value) -> bool:
    """Whether the SQL is one of several known ones."""
    return isinstance(value, Choice)

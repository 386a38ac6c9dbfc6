"""Constraints and indexes: the call in a migration (``models.UniqueConstraint(…)``) to a `Constraint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lint_m2m.migration import UNKNOWN, Constraint, Maybe
from lint_m2m.readers.arguments import ABSENT, bind_keywords
from lint_m2m.readers.fields import names_of
from lint_m2m.readers.values import Call, ClassValue, Conditional, Ref, Rest, Value

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

UNIQUE_CONSTRAINT: Final = "django.db.models.UniqueConstraint"
# What makes a UniqueConstraint more than a set of columns; a value of None or () is their absence.
CONDITIONS: Final = ("condition", "expressions", "deferrable", "opclasses", "include", "nulls_distinct")
_PUBLIC: Final = (
    ("django.db.models.constraints.", "django.db.models."),
    ("django.db.models.indexes.", "django.db.models."),
)


def read_constraint(session: Session, value: Value) -> Constraint | None:
    """The constraint or index that `value` is; None when that cannot be told."""
    if not isinstance(value, Call):
        return None
    path = class_path(value.callee)
    if path is None:
        return None
    # Positional arguments of constraints and indexes are expressions, all others are given by keyword.
    arguments = bind_keywords(session.interpreter, value)
    name = arguments.value("name")
    fields = arguments.value("fields")
    expressions = bool(value.node.args) or arguments.rest is not None
    return Constraint(
        class_path=path,
        name=None if name is ABSENT else name if name is None or isinstance(name, str) else UNKNOWN,
        fields=() if fields is ABSENT or fields is None else covered_fields(names_of(fields)),
        plain_unique=path == UNIQUE_CONSTRAINT
        and not expressions
        and all(arguments.value(condition) in (ABSENT, None, (), []) for condition in CONDITIONS),
        span=session.call_span(value),
    )


def read_constraints(session: Session, value: Value) -> Maybe[tuple[Constraint, ...]]:
    """A list of constraints or indexes; UNKNOWN when one of them cannot be read."""
    if not isinstance(value, list | tuple):
        return () if value is None else UNKNOWN
    constraints: list[Constraint] = []
    for element in value:
        constraint = None if isinstance(element, Rest | Conditional) else read_constraint(session, element)
        if constraint is None:
            return UNKNOWN
        constraints.append(constraint)
    return tuple(constraints)


def covered_fields(fields: Maybe[tuple[str, ...]]) -> Maybe[tuple[str, ...]]:
    """The fields of an index without the sign that means descending order."""
    return UNKNOWN if fields is UNKNOWN else tuple(name.removeprefix("-") for name in fields)


def class_path(callee: Value) -> str | None:
    """The dotted path of a class, in its public form; None when it is not known by name."""
    return public_path(callee.path) if isinstance(callee, Ref | ClassValue) else None


def public_path(path: str) -> str:
    """A class's path as `deconstruct` shortens it."""
    for private, public in _PUBLIC:
        if path.startswith(private):
            return public + path.removeprefix(private)
    return path

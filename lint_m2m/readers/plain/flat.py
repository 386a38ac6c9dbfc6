"""Operations of which all arguments are flat, as makemigrations writes most of them: recognised at a few strokes.

What is not here, or is written otherwise, is read argument by argument (`operations.py`), to the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from sys import intern
from typing import Final, NamedTuple, TypeAlias

from lint_m2m.migration import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterTogether,
    Constraint,
    Field,
    ModelKey,
    Operation,
    RemoveField,
)
from lint_m2m.readers.constraints import UNIQUE_CONSTRAINT, class_path, covered_fields
from lint_m2m.readers.plain.fields import flat_field, names_at
from lint_m2m.readers.plain.grammar import (
    FLAT_CALL,
    GAP,
    LAST,
    MODEL_NAME,
    NAME,
    NEXT,
    SHORT,
    Argument,
    NotPlain,
    Source,
)
from lint_m2m.readers.plain.header import Header

# Reads a field that is not plain: its start and its end in the text, its owner and its name.
OddField: TypeAlias = Callable[[int, int, ModelKey, str], Field]


class Place(NamedTuple):
    """A migration's text, what the names in it mean, and who reads the fields that are not plain."""

    source: Source
    header: Header
    app_label: str
    odd_field: OddField


# Reads an operation of Django's that begins at the first offset and whose arguments begin at the second, and says where
# it ends; None for what is not flat.
Flat: TypeAlias = Callable[[Place, int, int], tuple[Operation, int] | None]

_BOTH_NAMES: Final = MODEL_NAME + NEXT + NAME
_FIELD: Final = re.compile(rf"{_BOTH_NAMES}{NEXT}field=", re.ASCII)
_FIELD_END: Final = re.compile(rf"(?:{NEXT}preserve_default=(True|False))?+{LAST}", re.ASCII)
_REMOVED: Final = re.compile(rf"{_BOTH_NAMES}{LAST}", re.ASCII)
_INDEX: Final = re.compile(rf"{MODEL_NAME}{NEXT}(index|constraint)=", re.ASCII)
_INDEX_END: Final = re.compile(LAST, re.ASCII)
# Tuples of strings in brackets: whatever is in quotes is a string.
_TUPLE: Final = rf"\({GAP}(?:{SHORT}{GAP}(?:,{GAP}|(?=\))))++\)"
_TOGETHER: Final = re.compile(
    rf"{NAME}{NEXT}((?:unique|index)_together)="
    rf"(set\(\)|None|[\[{{]{GAP}(?:{_TUPLE}{GAP}(?:,{GAP}|(?=[\]}}])))*+[\]}}]){LAST}",
    re.ASCII,
)
_EACH_TUPLE: Final = re.compile(_TUPLE, re.ASCII)
_EACH_TEXT: Final = re.compile(SHORT, re.ASCII)
# The first and the last sign of a list, a set, ``set()`` and ``None``.
_BRACKETS: Final = ("[]", "{}", "s)", "Ne")


def _name(written: str) -> str:
    """What a `SHORT` string says; NotPlain where it is empty."""
    name = written[1:-1]
    if not name:
        raise NotPlain
    return intern(name)


def read_flat_field(place: Place, call: re.Match[str], owner: ModelKey, name: str) -> Field:
    """The field that a `FLAT_CALL` makes."""
    try:
        return flat_field(place.source, place.header, call, place.app_label, owner)
    except NotPlain:
        return place.odd_field(*call.span(), owner, name)


def _with_field(cls: type[AddField | AlterField]) -> Flat:
    def read(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
        source = place.source
        names = _FIELD.match(source.text, position)
        call = None if names is None else FLAT_CALL.match(source.text, names.end())
        end = None if call is None else _FIELD_END.match(source.text, call.end())
        if names is None or call is None or end is None:
            return None
        model_name, name = _name(names[1]), _name(names[2])
        operation = cls(
            model_name=model_name,
            name=name,
            field=read_flat_field(place, call, ModelKey(place.app_label, model_name.lower()), name),
            preserve_default=end[1] != "False",
            span=source.span(start, end.end()),
        )
        return operation, end.end()

    return read


def _remove_field(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
    match = _REMOVED.match(place.source.text, position)
    if match is None:
        return None
    span = place.source.span(start, match.end())
    return RemoveField(model_name=_name(match[1]), name=_name(match[2]), span=span), match.end()


def constraint_of(place: Place, callee: str, arguments: list[Argument], start: int, end: int) -> Constraint:
    """The constraint or index that a call of named arguments makes.

    Conditions and expressions are left to the evaluator: NotPlain.
    """
    path = class_path(place.header.value(callee))
    if path is None:
        raise NotPlain
    source = place.source
    label: str | None = None
    fields: tuple[str, ...] = ()
    for each in arguments:
        if each.name == "fields":
            fields = names_at(source, each)
        elif each.name == "name":
            value = source.value(each)
            if not isinstance(value, str | None):
                raise NotPlain
            label = value
        elif path == UNIQUE_CONSTRAINT or each.name is None:
            raise NotPlain
    return Constraint(
        class_path=path,
        name=label,
        fields=covered_fields(fields),
        plain_unique=path == UNIQUE_CONSTRAINT,
        span=source.span(start, end),
    )


def _constrained(place: Place, position: int, what: str) -> tuple[str, Constraint, int] | None:
    """The name of a model, what the argument `what` adds to it, and the end of the operation."""
    text = place.source.text
    name = _INDEX.match(text, position)
    if name is not None and name[2] != what:
        return None
    call = None if name is None else FLAT_CALL.match(text, name.end())
    end = None if call is None else _INDEX_END.match(text, call.end())
    if name is None or call is None or end is None:
        return None
    arguments = place.source.flat_arguments(call)
    return _name(name[1]), constraint_of(place, call["callee"], arguments, *call.span()), end.end()


def _add_index(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
    read = _constrained(place, position, "index")
    if read is None:
        return None
    model_name, index, end = read
    return AddIndex(model_name=model_name, index=index, span=place.source.span(start, end)), end


def _add_constraint(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
    read = _constrained(place, position, "constraint")
    if read is None:
        return None
    model_name, constraint, end = read
    return AddConstraint(model_name=model_name, constraint=constraint, span=place.source.span(start, end)), end


def _alter_together(option_name: str) -> Flat:
    def read(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
        match = _TOGETHER.match(place.source.text, position)
        if match is None or match[2] != option_name:
            return None
        written = match[3]
        tuples = [_EACH_TEXT.findall(each) for each in _EACH_TUPLE.findall(written)]
        # One in brackets may be no tuple.
        if written[0] + written[-1] not in _BRACKETS or any(len(texts) == 1 for texts in tuples):
            return None
        operation = AlterTogether(
            name=_name(match[1]),
            option_name=option_name,
            value=frozenset([tuple([intern(each[1:-1]) for each in texts]) for texts in tuples]),
            span=place.source.span(start, match.end()),
        )
        return operation, match.end()

    return read


# By the name of Django's class.
FLAT_OPERATIONS: Final[dict[str, Flat]] = {
    "AddConstraint": _add_constraint,
    "AddField": _with_field(AddField),
    "AddIndex": _add_index,
    "AlterField": _with_field(AlterField),
    "AlterIndexTogether": _alter_together("index_together"),
    "AlterUniqueTogether": _alter_together("unique_together"),
    "RemoveField": _remove_field,
}

"""Operations of which all arguments are flat, as makemigrations writes most of them: recognised at a few strokes.

What is not here, or is written otherwise, is read argument by argument (`operations.py`), to the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from sys import intern
from typing import Any, Final, TypeAlias

from lint_m2m.migration import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterTogether,
    Constraint,
    Field,
    ModelKey,
    Operation,
    Recognised,
    RemoveField,
)
from lint_m2m.readers.constraints import UNIQUE_CONSTRAINT, class_path, covered_fields
from lint_m2m.readers.plain.fields import flat_field, names_at, recognised_field
from lint_m2m.readers.plain.grammar import (
    FLAT_CALL,
    GAP,
    LAST,
    MODEL_NAME,
    NAME,
    NEXT,
    SHORT,
    SHORT_DICT,
    Argument,
    NotPlain,
    Source,
)
from lint_m2m.readers.plain.header import Header
from lint_m2m.values import NamedTuple

# Reads a field that is not plain: its start and its end in the text, its owner and its name.
OddField: TypeAlias = Callable[[int, int, ModelKey, str], Field]


class Place(NamedTuple):
    """A migration's text, what the names in it mean, and who reads the fields that are not plain.

    `brief`: what can be `Recognised` is not taken apart.
    """

    source: Source
    header: Header
    app_label: str
    odd_field: OddField
    brief: bool


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
_EACH_TUPLE: Final = re.compile(_TUPLE, re.ASCII)
_EACH_TEXT: Final = re.compile(SHORT, re.ASCII)
# The first and the last sign of a list, a set, ``set()`` and ``None``.
_BRACKETS: Final = ("[]", "{}", "s)", "Ne")


# What takes longest to compile is not compiled before it is used: in many projects there is no such operation.


@cache
def _options() -> re.Pattern[str]:
    return re.compile(rf"{NAME}{NEXT}options={SHORT_DICT}{LAST}", re.ASCII)


@cache
def _together() -> re.Pattern[str]:
    return re.compile(
        rf"{NAME}{NEXT}((?:unique|index)_together)="
        rf"(set\(\)|None|[\[{{]{GAP}(?:{_TUPLE}{GAP}(?:,{GAP}|(?=[\]}}])))*+[\]}}]){LAST}",
        re.ASCII,
    )


@cache
def _of_fields() -> re.Pattern[str]:
    """All that most indexes and unique sets are made of."""
    return re.compile(
        rf"{GAP}fields=(\[{GAP}(?:{SHORT}{GAP}(?:,{GAP}|(?=\])))*+\]"
        rf"|\({GAP}(?:{SHORT}{GAP},{GAP})++(?:{SHORT}{GAP})?+\)){NEXT}name=({SHORT}){GAP},?+{GAP}",
        re.ASCII,
    )


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
        model_name, name, last = _name(names[1]), _name(names[2]), end.end()
        if place.brief:
            recognised, to = recognised_field(place.header, call, place.app_label, model_name)
            if recognised:
                return Recognised(kind=cls, model_name=model_name, name=name, to=to, start=start, end=last), last
        operation = cls(
            model_name=model_name,
            name=name,
            field=read_flat_field(place, call, ModelKey(place.app_label, model_name.lower()), name),
            preserve_default=end[1] != "False",
            span=source.span(start, last),
        )
        return operation, last

    return read


def _remove_field(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
    match = _REMOVED.match(place.source.text, position)
    if match is None:
        return None
    model_name, name, end = _name(match[1]), _name(match[2]), match.end()
    if place.brief:
        return Recognised(kind=RemoveField, model_name=model_name, name=name, start=start, end=end), end
    return RemoveField(model_name=model_name, name=name, span=place.source.span(start, end)), end


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


def _constrained(cls: type[AddConstraint | AddIndex], what: str) -> Flat:
    """For an operation that adds what its argument `what` is."""

    def read(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
        source = place.source
        text = source.text
        name = _INDEX.match(text, position)
        if name is not None and name[2] != what:
            return None
        call = None if name is None else FLAT_CALL.match(text, name.end())
        last = None if call is None else _INDEX_END.match(text, call.end())
        if name is None or call is None or last is None:
            return None
        model_name, end = _name(name[1]), last.end()
        simple = _of_fields().fullmatch(call["arguments"]) if place.brief else None
        if simple is not None and class_path(place.header.value(call["callee"])) is not None:
            fields = tuple([intern(each[1:-1].removeprefix("-")) for each in _EACH_TEXT.findall(simple[1])])
            recognised = Recognised(
                kind=cls, model_name=model_name, labels=(simple[2][1:-1],), fields=fields, start=start, end=end
            )
            return recognised, end
        made = constraint_of(place, call["callee"], source.flat_arguments(call), *call.span())
        named: dict[str, Any] = {what: made}
        return cls(model_name=model_name, span=source.span(start, end), **named), end

    return read


def _alter_together(option_name: str) -> Flat:
    def read(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
        match = _together().match(place.source.text, position)
        if match is None or match[2] != option_name:
            return None
        written = match[3]
        tuples = [_EACH_TEXT.findall(each) for each in _EACH_TUPLE.findall(written)]
        # One in brackets may be no tuple.
        if written[0] + written[-1] not in _BRACKETS or any(len(texts) == 1 for texts in tuples):
            return None
        name, end = _name(match[1]), match.end()
        if place.brief and all(len(texts) > 1 for texts in tuples):
            fields = tuple([intern(each[1:-1]) for texts in tuples for each in texts])
            recognised = Recognised(
                kind=AlterTogether, model_name=name, name=option_name, fields=fields, start=start, end=end
            )
            return recognised, end
        operation = AlterTogether(
            name=name,
            option_name=option_name,
            value=frozenset([tuple([intern(each[1:-1]) for each in texts]) for texts in tuples]),
            span=place.source.span(start, end),
        )
        return operation, end

    return read


def _alter_model_options(place: Place, start: int, position: int) -> tuple[Operation, int] | None:
    match = _options().match(place.source.text, position)
    if match is None or "managed" in match[0]:
        return None
    name, end = _name(match[1]), match.end()
    if place.brief:
        return Recognised(kind=AlterModelOptions, model_name=name, start=start, end=end), end
    return AlterModelOptions(name=name, span=place.source.span(start, end)), end


# By the name of Django's class.
FLAT_OPERATIONS: Final[dict[str, Flat]] = {
    "AddConstraint": _constrained(AddConstraint, "constraint"),
    "AddField": _with_field(AddField),
    "AddIndex": _constrained(AddIndex, "index"),
    "AlterField": _with_field(AlterField),
    "AlterIndexTogether": _alter_together("index_together"),
    "AlterModelOptions": _alter_model_options,
    "AlterUniqueTogether": _alter_together("unique_together"),
    "RemoveField": _remove_field,
}

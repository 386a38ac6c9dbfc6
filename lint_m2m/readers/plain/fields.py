"""Fields in a plain migration: ``models.CharField(max_length=20)`` in its text to a `Field`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from lint_m2m.migration import FOREIGN_KEY, UNKNOWN, Field, FieldKind, ModelKey, Relation, SwappableRef
from lint_m2m.readers.django_names import KEPT_OPTIONS
from lint_m2m.readers.field_classes import FieldClass
from lint_m2m.readers.fields import ATTRIBUTES, NOT_PROVIDED, as_deconstructed
from lint_m2m.readers.plain.grammar import (
    KEY_ARGUMENTS,
    Argument,
    NotPlain,
    Source,
    constant,
    flat_arguments,
    refuse_keywords,
)
from lint_m2m.readers.plain.header import Header
from lint_m2m.readers.references import named_model
from lint_m2m.readers.values import Setting

_TEXTS: Final = frozenset({"db_table", "related_name", "related_query_name", "to_field"})
_NAMES: Final = re.compile(r"\b([a-z_]++)=", re.ASCII)
# Python 3.11 takes ten times as long to find it as an attribute.
_COLUMN: Final = FieldKind.COLUMN
_COLUMNS: Final = (FieldKind.COLUMN, FieldKind.VIRTUAL)


@cache
def _key_arguments() -> re.Pattern[str]:
    return re.compile(KEY_ARGUMENTS, re.ASCII)


def flat_field(source: Source, header: Header, call: re.Match[str], app_label: str, owner: ModelKey) -> Field:
    """The field that a `FLAT_CALL` makes. NotPlain for what only the evaluator can tell.

    The same plain columns come again and again: what their calls say is remembered.
    """
    cls = header.field(call["callee"])
    if cls is None:
        raise NotPlain
    start, end = call.start("callee"), call.end("arguments") + 1
    if cls.kind in _COLUMNS and cls.base is not None and cls.source is None:
        remembered = header.session.context.columns
        key = cls.path, call["arguments"]
        known = remembered.get(key)
        if known is None:
            known = remembered[key] = _column(cls, key[1])
        if known:
            return Field(span=source.span(start, end), **known)
    return _field(source, header, cls, start, (source.flat_arguments(call), end), app_label, owner)


def recognised_field(header: Header, call: re.Match[str], app_label: str, model: str) -> tuple[bool, ModelKey | None]:
    """Whether a `FLAT_CALL` certainly makes a plain column or a plain foreign key (`Field.is_plain_column`,
    `Field.is_plain_key`) of the model `model`, and what the foreign key points at."""
    cls = header.field(call[1])
    if cls is None or cls.base is None or cls.source is not None:
        return False, None
    if cls.kind is _COLUMN:
        return _is_plain_column(header, cls, call[2]), None
    to = _plain_key(call[2], app_label, model) if cls.path == FOREIGN_KEY and cls.known else None
    return to is not None, to


def _is_plain_column(header: Header, cls: FieldClass, arguments: str) -> bool:
    context = header.session.context
    key = cls.path, arguments
    known = context.plain_columns.get(key)
    if known is None:
        described = context.columns[key] = context.columns.get(key) or _column(cls, key[1])
        known = context.plain_columns[key] = bool(described) and Field(**described).is_plain_column
    return known


def _plain_key(written: str, app_label: str, model: str) -> ModelKey | None:
    arguments = _key_arguments().fullmatch(written)
    if arguments is None or arguments["to"] is None:
        return None
    names = _NAMES.findall(written)
    if len(set(names)) < len(names):
        return None  # one is named twice, or in a string
    if arguments["rule"] is not None:
        refuse_keywords(arguments["rule"])
    to = named_model(arguments["to"][1:-1], app_label, ModelKey(app_label, model.lower()))
    return to if isinstance(to, ModelKey) else None


def _column(cls: FieldClass, arguments: str) -> dict[str, Any]:
    """What all fields of class `cls` with these arguments have; nothing for what cannot be told."""
    try:
        found = flat_arguments(arguments)
        return _described(cls, [(str(one.name), one.kind, arguments[one.value_start : one.end]) for one in found])
    except NotPlain:
        return {}


def _described(cls: FieldClass, named: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """What a field is by its class and its arguments: name, how the value is written, and the value."""
    found = as_deconstructed(cls, _attributes(named))
    found.update(class_path=cls.path, kind=cls.kind)
    if not cls.known:
        found["class_known"] = False
    return found


def plain_field(
    source: Source, header: Header, callee: str, start: int, position: int, app_label: str, owner: ModelKey
) -> tuple[Field, int]:
    """The field of class `callee` that begins at `start` and whose arguments begin at `position`, and where it ends.

    NotPlain for what only the evaluator can tell.
    """
    cls = header.field(callee)
    if cls is None:
        raise NotPlain
    arguments = source.arguments(position)
    return _field(source, header, cls, start, arguments, app_label, owner), arguments[1]


def _field(
    source: Source,
    header: Header,
    cls: FieldClass,
    start: int,
    read: tuple[list[Argument], int],
    app_label: str,
    owner: ModelKey,
) -> Field:
    if cls.base is None or cls.constructors or cls.base.sort_column:
        raise NotPlain
    arguments, end = read
    named: list[tuple[str, Argument]] = []
    parameters = cls.base.parameters
    for index, argument in enumerate(arguments):
        if argument.name is not None:
            named.append((argument.name, argument))
        elif index < len(parameters):
            named.append((parameters[index], argument))
        else:
            raise NotPlain
    found = _described(cls, [(name, each.kind, source.written(each)) for name, each in named])
    if cls.kind not in _COLUMNS:
        found["relation"] = _relation(source, header, cls, named, app_label, owner)
        found["argument_spans"] = tuple([(name, source.span(each.start, each.end)) for name, each in named])
    return Field(span=source.span(start, end), **found)


def _attributes(named: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    options: list[tuple[str, object]] = []
    for name, kind, written in named:
        if name in ATTRIBUTES:
            found[name] = constant(kind, written)
        elif name == "default" or name == "db_default":
            found[f"has_{name}"] = kind != "dotted" or written.rpartition(".")[2] != NOT_PROVIDED
        elif name in KEPT_OPTIONS:
            options.append((name, constant(kind, written)))
    if options:
        options.sort()
        found["options"] = tuple(options)
    return found


def _relation(
    source: Source,
    header: Header,
    cls: FieldClass,
    named: list[tuple[str, Argument]],
    app_label: str,
    owner: ModelKey,
) -> Relation:
    base = cls.base
    if base is None or base.default_to is not None or base.default_through is not None:
        raise NotPlain
    found: dict[str, Any] = {"to": UNKNOWN}
    for name, argument in named:
        if name == "to":
            found["to"], found["to_label"] = _model(source, header, argument, app_label, owner)
        elif name == "through":
            if not source.is_none(argument):
                found["through"], found["through_label"] = _model(source, header, argument, app_label, owner)
        elif name == "through_fields":
            found["through_fields"] = None if source.is_none(argument) else names_at(source, argument)
        elif name in _TEXTS:
            found[name] = source.value(argument)
            if not isinstance(found[name], str | None):
                raise NotPlain
        elif name == "db_constraint" or name == "symmetrical":
            found[name] = source.value(argument)
            if not isinstance(found[name], bool) and (found[name] is not None or name == "db_constraint"):
                raise NotPlain
    if "symmetrical" in found and found["symmetrical"] == (found.get("to_label") == "self"):
        del found["symmetrical"]  # as it is without the argument
    if found["to"] is UNKNOWN or found.get("through") is UNKNOWN:
        raise NotPlain
    return Relation(one_to_one=base.one_to_one, auto_columns=cls.auto_columns, **found)


def _model(source: Source, header: Header, argument: Argument, app_label: str, owner: ModelKey) -> tuple[object, str]:
    """The model that an argument names, and how a message calls it."""
    value = header.value(source.written(argument)) if argument.kind == "dotted" else source.value(argument)
    if isinstance(value, str):
        return named_model(value, app_label, owner), value
    if isinstance(value, Setting):
        return SwappableRef(value.name), f"settings.{value.name}"
    raise NotPlain


def names_at(source: Source, argument: Argument) -> tuple[str, ...]:
    """A list or tuple of strings."""
    names = [source.value(element) for element in source.elements(argument, "[(")]
    if not all(isinstance(name, str) for name in names):
        raise NotPlain
    return tuple(map(str, names))

"""Fields: the call in a migration (``models.ManyToManyField(…)``) to a `Field`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from lint_m2m.migration import UNKNOWN, Field, FieldKind, Maybe, ModelKey, ModelRef, Relation, Span
from lint_m2m.readers.arguments import ABSENT, Arguments, Known, bind_call, bind_keywords
from lint_m2m.readers.django_names import FOREIGN_KEY_PARAMETERS, KEPT_OPTIONS
from lint_m2m.readers.field_classes import FieldClass, effective_arguments, field_class
from lint_m2m.readers.references import label_text, model_reference, named_model
from lint_m2m.readers.spans import argument_spans
from lint_m2m.readers.values import Call, Choice, ClassValue, Ref, Setting, Unreadable, Value, reason_of

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

# Arguments with an attribute of their own in `Field`.
ATTRIBUTES: Final = frozenset({"auto_created", "db_column", "db_index", "max_length", "null", "primary_key", "unique"})
# Where a class nobody knows has these, it has to do with other models.
_RELATION_LIKE: Final = frozenset({"to", "through", "on_delete"})
NOT_PROVIDED: Final = "NOT_PROVIDED"
# Arguments that are the class's default when they are this: `deconstruct` leaves them out (django/db/models/fields/).
_OWN_DEFAULTS: Final[dict[str, tuple[tuple[str, object], ...]]] = {
    "django.db.models.FileField": (("max_length", 100),),
    "django.db.models.FilePathField": (("max_length", 100),),
    "django.db.models.GenericIPAddressField": (("max_length", 39),),
    "django.db.models.ImageField": (("max_length", 100),),
    "django.db.models.SlugField": (("max_length", 50), ("db_index", True)),
    "django.db.models.URLField": (("max_length", 200),),
    "django.db.models.UUIDField": (("max_length", 32),),
}
# The only one that `deconstruct` has whether it was given or not.
_EMAIL: Final = "django.db.models.EmailField"
_EMAIL_LENGTH: Final = 254
_OF_FOREIGN_KEYS: Final = (("db_index", True),)
_OF_ONE_TO_ONE: Final = (("db_index", True), ("unique", True))


def read_field(session: Session, value: Value, owner: ModelKey | None, name: str | None) -> Field:
    """The field that `value` is, as field `name` of model `owner`; of kind UNKNOWN when that cannot be told."""
    if isinstance(value, Call):
        return _read_call(session, value, owner, name)
    if isinstance(value, Choice):
        branches = [read_field(session, branch, owner, name) for branch in value.branches]
        if all(branch == branches[0] for branch in branches):
            return branches[0]
    return unknown_field(session, reason_of(value), owner, name, None)


def unknown_field(session: Session, reason: str, owner: ModelKey | None, name: str | None, span: Span | None) -> Field:
    """A field of which nothing but its name is known."""
    session.gap(
        f"the field's class {reason}", f"what kind of field {_called(owner, name)} is", span or session.fallback
    )
    return Field(class_path="unknown", kind=FieldKind.UNKNOWN, class_known=False, span=span)


def _called(owner: ModelKey | None, name: str | None) -> str:
    return f"`{owner or '?'}.{name or '?'}`"


def _read_call(session: Session, call: Call, owner: ModelKey | None, name: str | None) -> Field:
    span = session.call_span(call)
    cls = field_class(session, call.callee)
    if cls is None:
        if isinstance(call.callee, Choice):
            branches = tuple(Call(branch, call.node, call.frame) for branch in call.callee.branches)
            return read_field(session, Choice(branches, call.callee.reason), owner, name)
        arguments = bind_call(session.interpreter, call, ())
        if arguments.value("primary_key") is True:
            # A computed class (oscar: that of DEFAULT_AUTO_FIELD) of a primary key: always a column.
            return Field(
                class_path="unknown",
                kind=FieldKind.COLUMN,
                class_known=False,
                span=span,
                **_attributes(session, arguments, owner, name),
            )
        return unknown_field(session, reason_of(call.callee), owner, name, span)
    kind, known = cls.kind, cls.known
    if kind is FieldKind.UNKNOWN:
        # Without its source nobody knows what a class does with arguments that have no name.
        arguments = bind_keywords(session.interpreter, call)
        kind = _guess_kind(session, call, arguments)
        if kind is FieldKind.FOREIGN_KEY:
            arguments = bind_call(session.interpreter, call, FOREIGN_KEY_PARAMETERS)
    else:
        arguments = effective_arguments(session, cls, call)
    if kind is FieldKind.COLUMN or kind is FieldKind.VIRTUAL:
        relation = None
    else:
        relation = _relation(session, cls, arguments, owner)
        _report(session, cls, kind, relation, arguments, _called(owner, name), span)
    return Field(
        class_path=cls.path,
        kind=kind,
        relation=relation,
        class_known=known,
        span=span,
        argument_spans=() if relation is None else call_spans(session, call, _parameters(cls)),
        **as_deconstructed(cls, _attributes(session, arguments, owner, name)),
    )


def _parameters(cls: FieldClass) -> tuple[str, ...]:
    """The names of the positional arguments in the migration itself."""
    return () if cls.base is None or cls.constructors else cls.base.parameters


def _attributes(session: Session, arguments: Arguments, owner: ModelKey | None, name: str | None) -> dict[str, Any]:
    """The attributes of the `Field` that differ from their default."""
    found: dict[str, Any] = {}
    options: list[tuple[str, object]] = []
    for argument, given in arguments.given.items():
        if argument in ATTRIBUTES:
            if given.__class__ is ast.Constant:
                found[argument] = given.value
                continue
            found[argument] = _scalar(arguments.value(argument))
        elif argument == "default" or argument == "db_default":
            found[f"has_{argument}"] = not _is_not_provided(given)
        elif argument in KEPT_OPTIONS:
            options.append((argument, _option(session, argument, arguments, owner, name)))
    if options:
        options.sort()
        found["options"] = tuple(options)
    if arguments.rest is not None:
        for argument in (*ATTRIBUTES, "has_default", "has_db_default"):
            found.setdefault(argument, UNKNOWN)
    return found


def as_deconstructed(cls: FieldClass, attributes: dict[str, Any]) -> dict[str, Any]:
    """`attributes` without those that say what the class does anyway, as `deconstruct` has them."""
    if cls.base is None:
        return attributes
    if cls.base.path == _EMAIL:
        attributes.setdefault("max_length", _EMAIL_LENGTH)
    if cls.kind is FieldKind.FOREIGN_KEY:
        defaults: tuple[tuple[str, object], ...] = _OF_ONE_TO_ONE if cls.base.one_to_one else _OF_FOREIGN_KEYS
    else:
        defaults = _OWN_DEFAULTS.get(cls.base.path, ())
    for name, default in defaults:
        if name in attributes and attributes[name] == default:
            del attributes[name]
    return attributes


def _scalar(value: Value) -> object:
    return value if isinstance(value, str | int | None) else UNKNOWN


def _option(session: Session, argument: str, arguments: Arguments, owner: ModelKey | None, name: str | None) -> object:
    """The value of a kept option, hashable: a constant, a field (``base_field=``), the path of a class, or UNKNOWN."""
    value = arguments.value(argument)
    if argument in ("base_field", "output_field"):
        return read_field(session, value, owner, name) if isinstance(value, Call) else UNKNOWN
    if isinstance(value, Ref | ClassValue):
        return value.path
    return value if isinstance(value, str | int | float | None) else UNKNOWN


def _is_not_provided(given: ast.expr | Known) -> bool:
    if isinstance(given, ast.Attribute):
        return given.attr == NOT_PROVIDED
    return isinstance(given, ast.Name) and given.id == NOT_PROVIDED


def _guess_kind(session: Session, call: Call, arguments: Arguments) -> FieldKind:
    """What a class without source is, as far as its arguments tell.

    Only foreign keys take ``on_delete``; a class that names another model may be anything; one that does not is a
    column in all cases that were ever seen (but its `class_known` stays false).
    """
    if "on_delete" in arguments:
        return FieldKind.FOREIGN_KEY
    if not _RELATION_LIKE.isdisjoint(arguments.given) or arguments.rest is not None:
        return FieldKind.UNKNOWN
    for node in call.node.args[:1]:
        value = session.interpreter.value(node, call.frame)
        if isinstance(value, str):
            label, dot, model = value.partition(".")
            if value == "self" or (dot and label.isidentifier() and model.isidentifier()):
                return FieldKind.UNKNOWN
        elif isinstance(value, Setting | Ref | ClassValue | Choice | Unreadable):
            return FieldKind.UNKNOWN
    return FieldKind.COLUMN


def _relation(session: Session, cls: FieldClass, arguments: Arguments, owner: ModelKey | None) -> Relation:
    base = cls.base
    to = arguments.value("to")
    through = arguments.value("through")
    target: Maybe[ModelRef]
    if to is ABSENT:
        default_to = None if base is None else base.default_to
        target = UNKNOWN if default_to is None else named_model(default_to, session.app_label, owner)
    else:
        target = model_reference(session, to, owner)
    table_model: Maybe[ModelRef | None]
    if through is ABSENT or through is None:
        table_model = None
        if base is None and cls.kind is not FieldKind.FOREIGN_KEY:
            table_model = UNKNOWN
        elif base is not None and base.default_through is not None:
            table_model = named_model(base.default_through, session.app_label, None)
    else:
        table_model = model_reference(session, through, owner)
    found: dict[str, Any] = {}
    for argument, read in _RELATION_ARGUMENTS:
        if argument in arguments.given:
            found[argument] = read(arguments.value(argument))
        elif arguments.rest is not None:
            found[argument] = UNKNOWN
    if found.get("symmetrical") == (to == "self"):
        del found["symmetrical"]  # as it is without the argument
    auto_columns = cls.auto_columns
    if base is not None and base.sort_column and auto_columns == ():
        auto_columns = _sort_columns(arguments)
    return Relation(
        to=target,
        through=table_model,
        one_to_one=base is not None and base.one_to_one,
        auto_columns=auto_columns,
        to_label=None if to is ABSENT else label_text(arguments.node("to"), to),
        through_label=None if through is ABSENT or through is None else label_text(arguments.node("through"), through),
        **found,
    )


def _text(value: Value) -> Maybe[str | None]:
    return value if value is None or isinstance(value, str) else UNKNOWN


def _flag(value: Value) -> Maybe[bool]:
    return value if isinstance(value, bool) else UNKNOWN


def _optional_flag(value: Value) -> Maybe[bool | None]:
    return value if value is None or isinstance(value, bool) else UNKNOWN


def names_of(value: Value) -> Maybe[tuple[str, ...]]:
    """A list or tuple of strings as a tuple; UNKNOWN for anything else."""
    if isinstance(value, list | tuple):
        names = tuple(name for name in value if isinstance(name, str))
        return names if len(names) == len(value) else UNKNOWN
    return UNKNOWN


def _optional_names(value: Value) -> Maybe[tuple[str, ...] | None]:
    return None if value is None else names_of(value)


_RELATION_ARGUMENTS: Final[tuple[tuple[str, Callable[[Value], object]], ...]] = (
    ("through_fields", _optional_names),
    ("db_table", _text),
    ("db_constraint", _flag),
    ("symmetrical", _optional_flag),
    ("related_name", _text),
    ("related_query_name", _text),
    ("to_field", _text),
)


def _sort_columns(arguments: Arguments) -> Maybe[tuple[str, ...]]:
    """The column for the order that sortedm2m adds to the automatic table."""
    in_order = arguments.value("sorted")
    if in_order is False:
        return ()
    base = arguments.value("base_class")
    name = arguments.value("sort_value_field_name")
    # A base class of the user's own may bring more columns.
    if (in_order is not ABSENT and in_order is not True) or (base is not ABSENT and base is not None):
        return UNKNOWN
    return ("sort_value",) if name is ABSENT else (name,) if isinstance(name, str) else UNKNOWN


def _report(
    session: Session,
    cls: FieldClass,
    kind: FieldKind,
    relation: Relation,
    arguments: Arguments,
    called: str,
    span: Span | None,
) -> None:
    """Note what of a relation could not be read."""
    if kind is FieldKind.UNKNOWN:
        reason = f"the source of `{cls.path}` is neither in the project nor installed"
        session.gap(reason, f"whether {called} is a many-to-many field", span)
        return
    if relation.to is UNKNOWN:
        session.gap(f"`to=` of {called} {arguments.reason('to')}", f"which model {called} points at", span)
    if relation.through is UNKNOWN and kind is FieldKind.MANY_TO_MANY:
        session.gap(f"`through=` of {called} {arguments.reason('through')}", f"which table {called} uses", span)


def call_spans(session: Session, call: Call, parameters: tuple[str, ...]) -> tuple[tuple[str, Span], ...]:
    """The spans of the arguments as the migration writes them; none if they stand in another file."""
    return argument_spans(call.node, parameters, session.module) if session.is_own(call.frame) else ()

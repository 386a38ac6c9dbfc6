"""Django's operation objects to `Operation` values.

A class that is not Django's own is what it inherits from, or what is known or configured of it; what a constructor did
with its arguments is in the object, so that nothing has to be followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterConstraint,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    Constraint,
    CreateModel,
    DeleteModel,
    Field,
    FieldKind,
    Maybe,
    ModelKey,
    ModelOptions,
    ModelRef,
    NamedField,
    NoDatabaseChange,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.readers.constraints import CONDITIONS, UNIQUE_CONSTRAINT, covered_fields, public_path
from lint_m2m.readers.django_names import DJANGO_OPERATIONS, KEPT_MODEL_OPTIONS
from lint_m2m.readers.live.classes import class_value, facts_of, path_of
from lint_m2m.readers.live.fields import read_field
from lint_m2m.readers.model_options import together
from lint_m2m.readers.operation_classes import DATABASE_GATES, METHODS, OperationClass, operation_class
from lint_m2m.readers.references import named_model, subject_of_unknown
from lint_m2m.readers.values import Ref

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session


class Routing(Protocol):
    """What the project's database routers make of operations."""

    def routed(self, operation: Operation, app_label: str, hints: dict[str, Any]) -> Operation:
        """The operation as it runs on the database that is checked."""


@dataclass(frozen=True, slots=True)
class _Given:
    """One operation object: the object, what class it is, and its attributes by the names of Django's arguments."""

    session: Session
    routing: Routing | None
    found: Any
    cls: OperationClass

    def __getitem__(self, name: str) -> Any:
        found = self.get(name, self)
        if found is self:
            raise _Missing(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        arguments = self._arguments()
        return arguments.get(name, default) if arguments is not None else getattr(self.found, name, default)

    def _arguments(self) -> dict[str, Any] | None:
        """The constructor's arguments, of a class that is not even a subclass of what it acts as."""
        assert self.cls.acts_as is not None
        for base in type(self.found).__mro__:
            known = DJANGO_OPERATIONS.get(path_of(base))
            if known is not None and known.name == self.cls.acts_as.name:
                return None
        positional, keywords = self.found._constructor_args
        return {**dict(zip(self.cls.acts_as.parameters, positional, strict=False)), **keywords}

    def text(self, name: str) -> str:
        """An argument without which the operation is about nothing."""
        value = self[name]
        if not isinstance(value, str) or not value:
            raise _Missing(name)
        return str(value)

    def owner(self, name: str) -> ModelKey:
        return ModelKey(self.session.app_label, self.text(name).lower())

    def inner(self, name: str) -> tuple[Operation, ...]:
        return read_operations(self.session, self.get(name) or (), self.routing)


class _Missing(Exception):
    """The operation has no such argument, or not of the kind that Django's has."""


def read_operations(session: Session, found: Iterable[Any], routing: Routing | None) -> tuple[Operation, ...]:
    """The operations of a list."""
    return tuple(_read(session, each, routing) for each in found)


def _read(session: Session, found: Any, routing: Routing | None) -> Operation:
    cls = _class_of(session, type(found))
    operation: Operation | None = None
    if cls.acts_as is None:
        if cls.own:
            operation = _own_operation(session, found, cls)
    else:
        given = _Given(session, routing, found, cls)
        try:
            operation = _BUILDERS[cls.acts_as.name](given)
        except _Missing:
            operation = None
        else:
            if cls.path is not None:
                operation = replace(operation, class_path=cls.path, overrides=cls.overrides)
    if operation is None:
        operation = _unknown(session, found, cls)
    return operation if routing is None else routing.routed(operation, session.app_label, _hints(found))


def _hints(found: Any) -> dict[str, Any]:
    hints = getattr(found, "hints", None)
    return dict(hints) if isinstance(hints, dict) else {}


def _class_of(session: Session, cls: type) -> OperationClass:
    found = operation_class(session, class_value(session, cls))
    assert found is not None
    if found.acts_as is not None or found.own:
        return found
    # Without source, or with bases that its source does not show: what Python knows of it.
    methods: set[str] = set()
    for base in cls.__mro__:
        known = operation_class(session, Ref(path_of(base)))
        if known is not None and known.acts_as is not None:
            overrides = known.overrides | (METHODS & methods)
            if not DATABASE_GATES.isdisjoint(methods):
                overrides |= {"database_forwards", "database_backwards"}
            return replace(known, path=path_of(cls), overrides=frozenset(overrides))
        if base.__module__.partition(".")[0] != "django":
            methods |= vars(base).keys()
    return replace(found, overrides=frozenset(METHODS & methods))


def _own_operation(session: Session, found: Any, cls: OperationClass) -> Operation | None:
    """A class straight from ``Operation``: nothing, code like RunPython's, or something unknown."""
    if not cls.overrides & {"state_forwards", "database_forwards"}:
        return NoDatabaseChange(class_path=cls.path)
    if "state_forwards" not in cls.overrides:
        return RunPython(
            code=facts_of(session, found.database_forwards),
            reversible="database_backwards" in cls.overrides,
            class_path=cls.path,
        )
    return None


def _unknown(session: Session, found: Any, cls: OperationClass) -> UnknownOperation:
    """What the arguments with names name, the operation touches."""
    keywords: dict[str, Any] = getattr(found, "_constructor_args", ((), {}))[1]
    texts = {name: value for name, value in keywords.items() if isinstance(value, str)}
    subject = subject_of_unknown(session.app_label, texts.get, on_a_model="model_name" in keywords)
    reason = f"`{type(found).__name__}` is an operation of its own kind"
    session.gap(reason, subject.unchecked, session.fallback)
    return UnknownOperation(
        reason=reason,
        models=subject.models,
        fields=subject.fields,
        class_path=cls.path,
        overrides=cls.overrides,
    )


# One function for each operation. The dictionary below names them.


def _create_model(given: _Given) -> Operation:
    owner = given.owner("name")
    named = tuple(
        NamedField(name=str(name), field=read_field(given.session, field, owner)) for name, field in given["fields"]
    )
    return CreateModel(
        name=given.text("name"),
        fields=named,
        links_complete=all(each.field.kind is not FieldKind.UNKNOWN for each in named),
        options=_model_options(given.get("options") or {}, given.get("bases") or (), given.session.app_label),
    )


def _model_options(options: dict[str, Any], bases: Sequence[Any], app_label: str) -> ModelOptions:
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name not in KEPT_MODEL_OPTIONS:
            continue
        if name in ("constraints", "indexes"):
            found[name] = tuple(map(_constraint, value or ()))
        elif name in ("unique_together", "index_together"):
            found[name] = together(value)
        elif name in ("managed", "proxy", "abstract"):
            found[name] = value if isinstance(value, bool) else UNKNOWN
        else:
            found[name] = None if value is None else str(value) if isinstance(value, str) else UNKNOWN
    models: list[ModelRef] = []
    for base in bases:
        model = _base(base, app_label)
        if model is UNKNOWN:
            return ModelOptions(**found, bases=UNKNOWN)
        if model is not None:
            models.append(model)
    return ModelOptions(**found, bases=tuple(models))


def _base(base: Any, app_label: str) -> Maybe[ModelRef | None]:
    """The model that a base is; None for a mixin, an abstract class, and ``models.Model``."""
    if isinstance(base, str):
        return named_model(str(base), app_label, None)
    meta = getattr(base, "_meta", None)
    return None if meta is None or meta.abstract else ModelKey(meta.app_label, meta.model_name)


def _constraint(found: Any) -> Constraint:
    path = public_path(path_of(type(found)))
    fields = getattr(found, "fields", None) or ()
    return Constraint(
        class_path=path,
        name=str(found.name) if found.name else None,
        fields=covered_fields(tuple(map(str, fields))),
        plain_unique=path == UNIQUE_CONSTRAINT
        and all(getattr(found, name, None) in (None, (), []) for name in CONDITIONS),
    )


def _field_operation(given: _Given) -> dict[str, Any]:
    field: Field = read_field(given.session, given["field"], given.owner("model_name"))
    return {
        "model_name": given.text("model_name"),
        "name": given.text("name"),
        "field": field,
        "preserve_default": bool(given.get("preserve_default", True)),
    }


def _together(option_name: str) -> Callable[[_Given], Operation]:
    def build(given: _Given) -> Operation:
        return AlterTogether(
            name=given.text("name"), option_name=option_name, value=together(given.get(option_name) or None)
        )

    return build


def _no_database_change(given: _Given) -> Operation:
    argument = None if given.cls.acts_as is None else given.cls.acts_as.model_argument
    name = None if argument is None else getattr(given.found, argument, None)
    return NoDatabaseChange(name=name if isinstance(name, str) else None)


def _optional(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else None


def _rename_index(given: _Given) -> Operation:
    fields = given.get("old_fields")
    return RenameIndex(
        model_name=given.text("model_name"),
        new_name=given.text("new_name"),
        old_name=_optional(given.get("old_name")),
        old_fields=None if fields is None else covered_fields(tuple(map(str, fields))),
    )


def _run_sql(given: _Given) -> Operation:
    reverse = given.get("reverse_sql")
    return RunSQL(
        sql=_pieces(given["sql"]),
        reverse_sql=None if reverse is None else _pieces(reverse),
        state_operations=given.inner("state_operations"),
    )


def _pieces(sql: Any) -> tuple[Maybe[str], ...]:
    if isinstance(sql, str):
        return (str(sql),) if sql else ()
    if not isinstance(sql, list | tuple):
        return (UNKNOWN,)
    pieces = (each[0] if isinstance(each, list | tuple) and each else each for each in sql)
    return tuple(str(piece) if isinstance(piece, str) else UNKNOWN for piece in pieces)


def _run_python(given: _Given) -> Operation:
    from django.db.migrations import RunPython as DjangoRunPython

    code = given["code"]
    return RunPython(
        code=None if code is DjangoRunPython.noop else facts_of(given.session, code),
        reversible=given.get("reverse_code") is not None,
    )


_BUILDERS: Final[dict[str, Callable[[_Given], Operation]]] = {
    "AddConstraint": lambda given: AddConstraint(
        model_name=given.text("model_name"), constraint=_constraint(given["constraint"])
    ),
    "AddField": lambda given: AddField(**_field_operation(given)),
    "AddIndex": lambda given: AddIndex(model_name=given.text("model_name"), index=_constraint(given["index"])),
    "AlterConstraint": lambda given: AlterConstraint(
        model_name=given.text("model_name"), name=given.text("name"), constraint=_constraint(given["constraint"])
    ),
    "AlterField": lambda given: AlterField(**_field_operation(given)),
    "AlterIndexTogether": _together("index_together"),
    "AlterModelOptions": lambda given: AlterModelOptions(
        name=given.text("name"), managed=bool((given.get("options") or {}).get("managed", True))
    ),
    "AlterModelTable": lambda given: AlterModelTable(name=given.text("name"), table=_optional(given["table"])),
    "AlterOrderWithRespectTo": lambda given: AlterOrderWithRespectTo(
        name=given.text("name"), order_with_respect_to=_optional(given["order_with_respect_to"])
    ),
    "AlterUniqueTogether": _together("unique_together"),
    "CreateModel": _create_model,
    "DeleteModel": lambda given: DeleteModel(name=given.text("name")),
    "NoDatabaseChange": _no_database_change,
    "RemoveConstraint": lambda given: RemoveConstraint(model_name=given.text("model_name"), name=given.text("name")),
    "RemoveField": lambda given: RemoveField(model_name=given.text("model_name"), name=given.text("name")),
    "RemoveIndex": lambda given: RemoveIndex(model_name=given.text("model_name"), name=given.text("name")),
    "RenameField": lambda given: RenameField(
        model_name=given.text("model_name"), old_name=given.text("old_name"), new_name=given.text("new_name")
    ),
    "RenameIndex": _rename_index,
    "RenameModel": lambda given: RenameModel(old_name=given.text("old_name"), new_name=given.text("new_name")),
    "RunPython": _run_python,
    "RunSQL": _run_sql,
    "SeparateDatabaseAndState": lambda given: SeparateDatabaseAndState(
        database_operations=given.inner("database_operations"), state_operations=given.inner("state_operations")
    ),
}

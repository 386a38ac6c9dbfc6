"""Operations: the elements of an `operations` list to `Operation` values.

Whatever cannot be read leaves an `UnknownOperation`, a `ConditionalOperations` or an UNKNOWN argument at exactly its
place, and a gap that says what is therefore not checked.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

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
    CodeFacts,
    ConditionalOperations,
    Constraint,
    CreateModel,
    DeleteModel,
    Field,
    FieldKind,
    Maybe,
    ModelKey,
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
    Span,
    UnknownOperation,
)
from lint_m2m.readers.arguments import ABSENT, Arguments, bind_call
from lint_m2m.readers.constraints import covered_fields, read_constraint
from lint_m2m.readers.evaluate import TooMuch
from lint_m2m.readers.fields import names_of, read_field
from lint_m2m.readers.model_options import read_model_options, together
from lint_m2m.readers.operation_classes import OperationClass, effective_arguments, operation_class
from lint_m2m.readers.references import subject_of_unknown
from lint_m2m.readers.spans import span_between
from lint_m2m.readers.sql import read_sql, unknown_reason
from lint_m2m.readers.values import (
    REST,
    Call,
    Choice,
    Conditional,
    Rest,
    Value,
    reason_of,
    shorten,
)

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session


# Of one migration, in all lists; the public project with the longest one has 128. What follows from an operation may
# cost as much as there are others.
MAX_OPERATIONS: Final = 1_000

# Of them, those of which it depends on something unknown whether they run: for each, both ledgers are copied. Further
# ones are as if nothing were known of them.
MAX_CONDITIONAL: Final = 64


class CannotRead(Exception):
    """An argument that decides what the operation is about cannot be told: the operation becomes unknown."""

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(argument, reason)
        self.argument = argument
        self.reason = reason


def read_operations(session: Session, value: Value) -> tuple[Operation, ...]:
    """The operations in `value`, the evaluated list."""
    if isinstance(value, Choice):
        return (_conditional(session, [_branch(branch) for branch in value.branches], value.reason),)
    if not isinstance(value, list | tuple):
        return (_unknown_part(session, reason_of(value)),)
    operations: list[Operation] = []
    for element in value:
        operations += _read_element(session, element)
    return tuple(operations)


def _branch(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (Rest(reason_of(value)),)


def _read_element(session: Session, element: Value) -> Iterable[Operation]:
    session.operations += 1
    if session.operations > MAX_OPERATIONS:
        raise TooMuch(f"it has more than {MAX_OPERATIONS:,} operations")
    if isinstance(element, Call):
        return (read_operation(session, element),)
    if isinstance(element, Conditional):
        return (_conditional(session, element.branches, element.reason),)
    if isinstance(element, Choice):
        return (_conditional(session, [(branch,) for branch in element.branches], element.reason),)
    return (_unknown_part(session, reason_of(element)),)


def _unknown_part(session: Session, reason: str) -> UnknownOperation:
    session.gap(f"a part of the operations {reason}", "what these operations change", session.fallback)
    return UnknownOperation(reason=reason, span=session.fallback)


def _conditional(session: Session, branches: Sequence[Sequence[Value]], reason: str) -> Operation:
    read = tuple(tuple(one for element in branch for one in _read_element(session, element)) for branch in branches)
    if all(branch == read[0] for branch in read) and len(read[0]) == 1:
        return read[0][0]
    span = next((operation.span for branch in read for operation in branch if operation.span), session.fallback)
    session.conditional += 1
    if session.conditional > MAX_CONDITIONAL:
        reason = f"stands behind {MAX_CONDITIONAL} others that depend on something"
        session.gap(f"which operations run {reason}", "what these operations change", span)
        return UnknownOperation(reason=reason, span=span)
    session.gap(f"which operations run {reason}", "what these operations leave behind", span)
    return ConditionalOperations(branches=read, reason=reason, span=span)


def read_operation(session: Session, call: Call) -> Operation:
    """The operation that `call` makes."""
    span = session.call_span(call)
    if isinstance(call.callee, Choice):
        ways = [(Call(callee, call.node, call.frame),) for callee in call.callee.branches]
        return _conditional(session, ways, call.callee.reason)
    cls = operation_class(session, call.callee)
    if cls is None:
        name = shorten(call.node.func)
        return _unknown(session, call, f"`{name}` {reason_of(call.callee)}", None, span)
    if cls.acts_as is None:
        if cls.own:
            return _own_operation(session, cls, call, span)
        name = shorten(call.node.func)
        reason = f"the source of `{cls.path or name}` is neither in the project nor installed"
        if cls.source is not None:
            reason = f"`{name}` comes from a class whose source is neither in the project nor installed"
        return _unknown(session, call, reason, cls, span)
    arguments = effective_arguments(session, cls, call)
    try:
        operation = _BUILDERS[cls.acts_as.name](session, cls, arguments, call)
    except CannotRead as error:
        reason = f"`{error.argument}=` of `{shorten(call.node.func)}` {error.reason}"
        return _unknown(session, call, reason, cls, span, arguments)
    return operation


def _common(session: Session, cls: OperationClass, call: Call) -> dict[str, Any]:
    """The arguments that all operations share."""
    common: dict[str, Any] = {"span": session.call_span(call)}
    if cls.path is not None:
        common["class_path"] = cls.path
        common["overrides"] = cls.overrides
    return common


def _unknown(
    session: Session,
    call: Call,
    reason: str,
    cls: OperationClass | None,
    span: Span | None,
    arguments: Arguments | None = None,
) -> UnknownOperation:
    """An operation whose class nobody knows, or whose subject cannot be told: what its arguments name, it touches."""
    if arguments is None:
        arguments = bind_call(session.interpreter, call, ())
    on_a_model = "model_name" in arguments
    text: Callable[[str], str | None] = arguments.text
    if call.node.args and not on_a_model:
        text = _nothing  # which of them is the model, nobody knows
    subject = subject_of_unknown(session.app_label, text, on_a_model=on_a_model)
    session.gap(reason, subject.unchecked, span)
    return UnknownOperation(
        reason=reason,
        models=subject.models,
        fields=subject.fields,
        class_path=None if cls is None else cls.path,
        overrides=frozenset() if cls is None else cls.overrides,
        span=span,
    )


def _nothing(name: str) -> None:
    return None


def _own_operation(session: Session, cls: OperationClass, call: Call, span: Span | None) -> Operation:
    """A class straight from ``Operation``, with its source: nothing, code like RunPython's, or something unknown."""
    if not cls.overrides & {"state_forwards", "database_forwards"}:
        return NoDatabaseChange(class_path=cls.path, span=span)
    forwards = cls.method("database_forwards")
    if "state_forwards" not in cls.overrides and forwards is not None and cls.source is not None:
        method = session.interpreter.method_of_call(forwards, cls.constructors, call, session.app_label)
        return RunPython(
            code=facts_of_code(session, method),
            reversible="database_backwards" in cls.overrides,
            class_path=cls.path,
            span=span,
        )
    return _unknown(session, call, f"`{shorten(call.node.func)}` is an operation of the project's own", cls, span)


# Arguments.


def _text(arguments: Arguments, name: str) -> str:
    """A string argument without which the operation is about nothing."""
    value = arguments.value(name)
    if isinstance(value, str) and value:
        return value
    raise CannotRead(name, arguments.reason(name))


def _optional_text(arguments: Arguments, name: str) -> Maybe[str | None]:
    value = arguments.value(name)
    if value is ABSENT or value is None:
        return None
    return value if isinstance(value, str) else UNKNOWN


def _maybe_text(arguments: Arguments, name: str) -> Maybe[str]:
    value = arguments.value(name)
    return value if isinstance(value, str) else UNKNOWN


def _given(arguments: Arguments, name: str) -> Value:
    value = arguments.value(name)
    if value is ABSENT:
        raise CannotRead(name, "is missing")
    return value


# One function for each operation. The dictionary below names them.


def _create_model(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    name = _text(arguments, "name")
    owner = ModelKey(session.app_label, name.lower())
    fields = _fields(session, arguments, owner)
    return CreateModel(
        name=name,
        fields=tuple(fields.known),
        fields_complete=fields.complete,
        links_complete=fields.links_complete,
        options=read_model_options(session, arguments, owner),
        **_common(session, cls, call),
    )


class _Fields:
    """The fields of a CreateModel: those that are known, whether they are all, and all that may be links."""

    __slots__ = ("complete", "known", "links_complete")

    def __init__(self) -> None:
        self.known: list[NamedField] = []
        self.complete = True
        self.links_complete = True

    def add(self, name: str, field: Field, span: Span | None) -> None:
        self.known.append(NamedField(name=name, field=field, span=span))
        if field.kind is FieldKind.UNKNOWN:
            self.links_complete = False

    def add_unknown(self, session: Session, pair: Value, owner: ModelKey) -> None:
        """An entry of which the name cannot be told, or not whether it is there at all."""
        name = _pair_name(pair)
        # The field of a name that depends on a setting is often plain: the pointer to a parent that can be swapped.
        field = None
        if isinstance(pair, list | tuple) and len(pair) == 2:
            field = read_field(session, pair[1], owner, name)
        if field is None or field.many_to_many or field.kind is FieldKind.UNKNOWN:
            self.links_complete = False
        if name is None:
            self.complete = False
        elif all(known.name != name for known in self.known):
            span = None if field is None else field.span
            unknown = Field(class_path="unknown", kind=FieldKind.UNKNOWN, class_known=False, span=span)
            self.known.append(NamedField(name=name, field=unknown, span=span))


def _fields(session: Session, arguments: Arguments, owner: ModelKey) -> _Fields:
    """The fields of a CreateModel."""
    node = arguments.node("fields")
    interpreter = session.interpreter
    frame = arguments.frame
    fields = _Fields()
    if isinstance(node, ast.List | ast.Tuple):
        own = session.is_own(frame)
        for pair in node.elts:
            if pair.__class__ is ast.Tuple and len(pair.elts) == 2:
                first, second = pair.elts
                name = first.value if first.__class__ is ast.Constant else interpreter.plain(first, frame)
                if isinstance(name, str):
                    field = read_field(session, interpreter.value(second, frame), owner, name)
                    fields.add(name, field, span_between(first, second, session.module) if own else field.span)
                    continue
            _more_fields(session, interpreter.elements([pair], frame), owner, fields)
        return fields
    value = _given(arguments, "fields")
    if isinstance(value, list | tuple):
        _more_fields(session, value, owner, fields)
    else:
        fields.complete = fields.links_complete = False
        session.gap(f"`fields=` of `{owner}` {reason_of(value)}", f"which fields `{owner}` has", session.fallback)
    return fields


def _more_fields(session: Session, elements: Iterable[Value], owner: ModelKey, fields: _Fields) -> None:
    """Add the fields in `elements`, evaluated pairs."""
    for element in elements:
        if isinstance(element, Conditional):
            # Which of them the model has is unknown; their names are not.
            for branch in element.branches:
                for pair in branch:
                    fields.add_unknown(session, pair, owner)
            what = f"which fields `{owner}` has {element.reason}"
        else:
            name = _pair_name(element)
            if name is not None and isinstance(element, list | tuple):
                field = read_field(session, element[1], owner, name)
                fields.add(name, field, field.span)
                continue
            fields.add_unknown(session, element, owner)
            part = element[0] if isinstance(element, list | tuple) and element else element
            what = f"the name of a field of `{owner}` {reason_of(part)}"
        session.gap(what, f"which fields `{owner}` has", session.fallback)


def _pair_name(pair: Value) -> str | None:
    if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str):
        return pair[0]
    return None


def _delete_model(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return DeleteModel(name=_text(arguments, "name"), **_common(session, cls, call))


def _rename_model(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return RenameModel(
        old_name=_text(arguments, "old_name"), new_name=_text(arguments, "new_name"), **_common(session, cls, call)
    )


def _alter_model_table(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    table = _optional_text(arguments, "table")
    name = _text(arguments, "name")
    _given(arguments, "table")
    if table is UNKNOWN:
        _note_argument(session, arguments, call, "table", f"which table `{name}` has")
    return AlterModelTable(name=name, table=table, **_common(session, cls, call))


def _alter_together(option_name: str) -> Builder:
    def build(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
        name = _text(arguments, "name")
        value = together(_given(arguments, option_name))
        if value is UNKNOWN:
            _note_argument(session, arguments, call, option_name, f"what is unique in `{name}`")
        return AlterTogether(name=name, option_name=option_name, value=value, **_common(session, cls, call))

    return build


def _alter_order(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return AlterOrderWithRespectTo(
        name=_text(arguments, "name"),
        order_with_respect_to=_optional_text(arguments, "order_with_respect_to"),
        **_common(session, cls, call),
    )


def _alter_model_options(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    managed: Maybe[bool] = True
    node = arguments.node("options")
    # Nearly always a display of texts, of which nothing needs to be evaluated.
    if not isinstance(node, ast.Dict) or not all(
        isinstance(key, ast.Constant) and key.value != "managed" for key in node.keys
    ):
        options = _given(arguments, "options")
        entry = options.get("managed", options.get(REST, True)) if isinstance(options, dict) else options
        managed = entry if isinstance(entry, bool) else UNKNOWN
        if managed is UNKNOWN:
            _note_argument(session, arguments, call, "options", "whether Django manages the table")
    return AlterModelOptions(name=_text(arguments, "name"), managed=managed, **_common(session, cls, call))


def _no_database_change(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    argument = None if cls.acts_as is None else cls.acts_as.model_argument
    name = None if argument is None else arguments.text(argument)
    return NoDatabaseChange(name=name, **_common(session, cls, call))


def _add_field(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return AddField(**_field_operation(session, arguments), **_common(session, cls, call))


def _alter_field(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return AlterField(**_field_operation(session, arguments), **_common(session, cls, call))


def _field_operation(session: Session, arguments: Arguments) -> dict[str, Any]:
    model_name = _text(arguments, "model_name")
    name = _text(arguments, "name")
    owner = ModelKey(session.app_label, model_name.lower())
    found: dict[str, Any] = {
        "model_name": model_name,
        "name": name,
        "field": read_field(session, _given(arguments, "field"), owner, name),
    }
    if "preserve_default" in arguments:
        value = arguments.value("preserve_default")
        found["preserve_default"] = value if isinstance(value, bool) else UNKNOWN
    return found


def _remove_field(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return RemoveField(
        model_name=_text(arguments, "model_name"), name=_text(arguments, "name"), **_common(session, cls, call)
    )


def _rename_field(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return RenameField(
        model_name=_text(arguments, "model_name"),
        old_name=_text(arguments, "old_name"),
        new_name=_text(arguments, "new_name"),
        **_common(session, cls, call),
    )


def _constraint(session: Session, arguments: Arguments, argument: str) -> Constraint:
    constraint = read_constraint(session, _given(arguments, argument))
    if constraint is None:
        raise CannotRead(argument, arguments.reason(argument))
    return constraint


def _add_constraint(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return AddConstraint(
        model_name=_text(arguments, "model_name"),
        constraint=_constraint(session, arguments, "constraint"),
        **_common(session, cls, call),
    )


def _remove_constraint(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return RemoveConstraint(
        model_name=_text(arguments, "model_name"), name=_maybe_text(arguments, "name"), **_common(session, cls, call)
    )


def _alter_constraint(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return AlterConstraint(
        model_name=_text(arguments, "model_name"),
        name=_maybe_text(arguments, "name"),
        constraint=_constraint(session, arguments, "constraint"),
        **_common(session, cls, call),
    )


def _add_index(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return AddIndex(
        model_name=_text(arguments, "model_name"),
        index=_constraint(session, arguments, "index"),
        **_common(session, cls, call),
    )


def _remove_index(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return RemoveIndex(
        model_name=_text(arguments, "model_name"), name=_maybe_text(arguments, "name"), **_common(session, cls, call)
    )


def _rename_index(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    old_fields = arguments.value("old_fields")
    return RenameIndex(
        model_name=_text(arguments, "model_name"),
        new_name=_maybe_text(arguments, "new_name"),
        old_name=_optional_text(arguments, "old_name"),
        old_fields=None if old_fields is ABSENT or old_fields is None else covered_fields(names_of(old_fields)),
        **_common(session, cls, call),
    )


def _separate(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    return SeparateDatabaseAndState(
        database_operations=_inner(session, arguments, "database_operations"),
        state_operations=_inner(session, arguments, "state_operations"),
        **_common(session, cls, call),
    )


def _inner(session: Session, arguments: Arguments, argument: str) -> tuple[Operation, ...]:
    """The operations in an argument; None and an empty list are the same to Django."""
    value = arguments.value(argument)
    return () if value is ABSENT or value is None else read_operations(session, value)


def _run_sql(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    sql = _given(arguments, "sql")
    reverse = arguments.value("reverse_sql")
    state_operations = _inner(session, arguments, "state_operations")
    common = _common(session, cls, call)

    def build(forwards: Value) -> RunSQL:
        pieces = read_sql(session, forwards)
        if UNKNOWN in pieces:
            session.gap(f"the SQL {unknown_reason(forwards)}", "what this SQL changes", common["span"])
        return RunSQL(
            sql=pieces,
            reverse_sql=None if reverse is ABSENT or reverse is None else read_sql(session, reverse),
            state_operations=state_operations,
            **common,
        )

    if isinstance(sql, Choice):
        branches = tuple((build(branch),) for branch in sql.branches)
        session.gap(f"which SQL runs {sql.reason}", "what this SQL leaves behind", common["span"])
        return ConditionalOperations(branches=branches, reason=sql.reason, span=common["span"])
    return build(sql)


def facts_of_code(session: Session, value: Value) -> CodeFacts | None:
    """What is known of the function `value` of a RunPython; None when it is a no-op."""
    # What reads functions is much, and many projects have none.
    from lint_m2m.readers.code import code_facts

    return code_facts(session, value)


def _run_python(session: Session, cls: OperationClass, arguments: Arguments, call: Call) -> Operation:
    reverse = arguments.value("reverse_code")
    return RunPython(
        code=facts_of_code(session, _given(arguments, "code")),
        reversible=UNKNOWN if arguments.rest is not None else reverse is not ABSENT and reverse is not None,
        **_common(session, cls, call),
    )


def _note_argument(session: Session, arguments: Arguments, call: Call, argument: str, unchecked: str) -> None:
    reason = f"`{argument}=` of `{shorten(call.node.func)}` {arguments.reason(argument)}"
    session.gap(reason, unchecked, session.call_span(call))


Builder = Callable[["Session", OperationClass, Arguments, Call], Operation]
_BUILDERS: Final[dict[str, Builder]] = {
    "AddConstraint": _add_constraint,
    "AddField": _add_field,
    "AddIndex": _add_index,
    "AlterConstraint": _alter_constraint,
    "AlterField": _alter_field,
    "AlterIndexTogether": _alter_together("index_together"),
    "AlterModelOptions": _alter_model_options,
    "AlterModelTable": _alter_model_table,
    "AlterOrderWithRespectTo": _alter_order,
    "AlterUniqueTogether": _alter_together("unique_together"),
    "CreateModel": _create_model,
    "DeleteModel": _delete_model,
    "NoDatabaseChange": _no_database_change,
    "RemoveConstraint": _remove_constraint,
    "RemoveField": _remove_field,
    "RemoveIndex": _remove_index,
    "RenameField": _rename_field,
    "RenameIndex": _rename_index,
    "RenameModel": _rename_model,
    "RunPython": _run_python,
    "RunSQL": _run_sql,
    "SeparateDatabaseAndState": _separate,
}

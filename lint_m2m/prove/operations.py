"""Operations as code that lint-m2m wrote, from values; what has nothing to do with the sequence is left out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

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
    Maybe,
    ModelKey,
    ModelOptions,
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
)
from lint_m2m.prove.fields import Hints, hints_at
from lint_m2m.prove.values import NotProvable
from lint_m2m.sequences.source import Unwritable, source_file
from lint_m2m.values import frozen

_T = TypeVar("_T")


@frozen
class Scope:
    """What belongs to the proof, and how its fields are written.

    `known` tells whether a model takes part, `has_field` whether that field of it does, `has_name` whether a constraint
    or index of that name does; `field` writes one (the owner, the field's name, the field, what its source says).
    """

    known: Callable[[ModelKey], bool]
    has_field: Callable[[ModelKey, str], bool]
    has_name: Callable[[ModelKey, str], bool]
    field: Callable[[ModelKey, str, Field, Hints], str]


class OperationWriter:
    """Writes the operations of one migration of `app_label`.

    `text` is its source; `functions` the names that RunPython may have; `original` the source before the sequence's
    edit, whose own SQL is not run. `notes` collects what was left out.
    """

    def __init__(
        self, scope: Scope, app_label: str, text: str, functions: frozenset[str], original: str | None
    ) -> None:
        self._scope = scope
        self._label = app_label
        self._text = text
        self._functions = functions
        self._original = original
        self.notes: list[str] = []

    def all(self, operations: Iterable[Operation]) -> Iterator[str]:
        """The code of each operation that takes part. NotProvable for one that does and cannot be written."""
        for operation in operations:
            code = self._one(operation)
            if code is not None:
                yield code

    def _key(self, name: str) -> ModelKey:
        return ModelKey(self._label, name.lower())

    def _one(self, operation: Operation) -> str | None:
        match operation:
            case SeparateDatabaseAndState():
                return self._separate(operation)
            case RunPython():
                return self._run_python(operation)
            case RunSQL():
                return self._run_sql(operation)
            case NoDatabaseChange():
                return None
            case _:
                pass
        if operation.overrides:
            raise NotProvable(f"`{operation.class_path}` does more than the operation it comes from")
        name = _model_name(operation)
        if name is None:
            raise NotProvable(
                f"an operation could not be read: {getattr(operation, 'reason', type(operation).__name__)}"
            )
        key = self._key(name)
        if not self._scope.known(key):
            return None
        return self._about(operation, key)

    def _about(self, operation: Operation, key: ModelKey) -> str | None:
        match operation:
            case CreateModel():
                return self.create_model(key, operation)
            case DeleteModel():
                return f"migrations.DeleteModel(name={operation.name!r})"
            case RenameModel():
                return f"migrations.RenameModel(old_name={operation.old_name!r}, new_name={operation.new_name!r})"
            case AlterModelTable(table=table):
                return f"migrations.AlterModelTable(name={operation.name!r}, table={_read(table, 'a table')!r})"
            case AlterTogether():
                return self._together(operation, key)
            case AlterOrderWithRespectTo(order_with_respect_to=order):
                if order is None or self._scope.has_field(key, _read(order, "an order")):
                    return (
                        f"migrations.AlterOrderWithRespectTo(name={operation.name!r}, order_with_respect_to={order!r})"
                    )
                return None
            case AlterModelOptions():
                if operation.managed is not True:
                    raise NotProvable("an operation makes a model unmanaged")
                return None
            case AddField() | AlterField():
                return self._with_field(operation, key)
            case RemoveField():
                if not self._scope.has_field(key, operation.name):
                    return None
                return f"migrations.RemoveField(model_name={operation.model_name!r}, name={operation.name!r})"
            case RenameField():
                if not self._scope.has_field(key, operation.new_name):
                    return None
                return (
                    f"migrations.RenameField(model_name={operation.model_name!r}, old_name={operation.old_name!r}, "
                    f"new_name={operation.new_name!r})"
                )
            case AddConstraint():
                code = self.constraint(key, operation.constraint)
                return code and f"migrations.AddConstraint(model_name={operation.model_name!r}, constraint={code})"
            case AddIndex():
                code = self.constraint(key, operation.index)
                return code and f"migrations.AddIndex(model_name={operation.model_name!r}, index={code})"
            case RemoveConstraint() | RemoveIndex():
                kind, wanted = type(operation).__name__, _read(operation.name, "a name")
                if not self._scope.has_name(key, wanted):
                    return None
                return f"migrations.{kind}(model_name={operation.model_name!r}, name={wanted!r})"
            case RenameIndex() | AlterConstraint() | _:
                raise NotProvable(f"a `{type(operation).__name__}` cannot be written from what is known of it")

    # -- parts

    def create_model(self, key: ModelKey, operation: CreateModel) -> str:
        fields = [
            f"({one.name!r}, {self.field(key, one.name, one.field)})"
            for one in operation.fields
            if self._scope.has_field(key, one.name)
        ]
        return create_model(
            operation.name, fields, self.options(key, operation.options), self._bases(operation.options)
        )

    def _bases(self, options: ModelOptions) -> tuple[str, ...]:
        bases = options.bases
        if bases is UNKNOWN or not all(isinstance(base, ModelKey) for base in bases):
            raise NotProvable("the bases of a model could not be read")
        return tuple(str(base) for base in bases)

    def options(self, key: ModelKey, options: ModelOptions) -> dict[str, str]:
        """The entries of ``options`` as code."""
        return model_options(self, key, options, self._scope.has_field)

    def constraint(self, key: ModelKey, constraint: Constraint) -> str | None:
        """A UniqueConstraint or an Index of plain fields; ``None`` for what is left out, with a note."""
        kind = constraint.class_path.rpartition(".")[2]
        fields = constraint.fields
        plain = constraint.plain_unique or (kind == "Index" and fields is not UNKNOWN and bool(fields))
        if not plain or fields is UNKNOWN or constraint.name is UNKNOWN:
            if constraint.name is not None and constraint.name is not UNKNOWN:
                self.notes.append(f"left out: `{constraint.name}`, which has more than fields")
            return None
        names = [one.lstrip("-") for one in fields]
        if not all(self._scope.has_field(key, one) for one in names):
            return None
        cls = "UniqueConstraint" if constraint.plain_unique else "Index"
        return f"models.{cls}(fields={list(fields)!r}, name={constraint.name!r})"

    def field(self, key: ModelKey, name: str, field: Field) -> str:
        return self._scope.field(key, name, field, hints_at(self._text, field))

    def _with_field(self, operation: AddField | AlterField, key: ModelKey) -> str | None:
        if not self._scope.has_field(key, operation.name):
            return None
        keep = "" if operation.preserve_default is not False else ", preserve_default=False"
        return (
            f"migrations.{type(operation).__name__}(model_name={operation.model_name!r}, name={operation.name!r}, "
            f"field={self.field(key, operation.name, operation.field)}{keep})"
        )

    def _together(self, operation: AlterTogether, key: ModelKey) -> str | None:
        if operation.option_name != "unique_together":
            return None
        sets = _read(operation.value, "unique_together")
        kept = {one for one in sets if all(self._scope.has_field(key, name) for name in one)}
        return f"migrations.AlterUniqueTogether(name={operation.name!r}, unique_together={_sets(kept)})"

    def _separate(self, operation: SeparateDatabaseAndState) -> str | None:
        if operation.overrides:
            raise NotProvable(f"`{operation.class_path}` does more than the operation it comes from")
        parts = {
            "database_operations": list(self.all(operation.database_operations)),
            "state_operations": list(self.all(operation.state_operations)),
        }
        if not any(parts.values()):
            return None
        arguments = [f"{name}=[{', '.join(codes)}]" for name, codes in parts.items() if codes]
        return f"migrations.SeparateDatabaseAndState({', '.join(arguments)})"

    def _run_python(self, operation: RunPython) -> str | None:
        """The names of both functions from the source: the value has but the first."""
        call = _call_at(self._text, operation.span)
        if call is None:
            raise NotProvable("a RunPython could not be read")
        given: dict[str | None, ast.expr] = {one.arg: one.value for one in call.keywords}
        nodes = [*call.args, given.get("code"), given.get("reverse_code")]
        names = [ast.unparse(node) for node in nodes if node is not None]
        own = [name for name in names if name in self._functions]
        if not own:
            if all(name.endswith("RunPython.noop") for name in names):
                return None
            self.notes.append(f"not run: the migration's own `{names[0] if names else 'RunPython'}`")
            return None
        codes = ["migrations.RunPython.noop" if name.endswith(".noop") else name for name in names]
        if not all(name in self._functions or name.endswith(".noop") for name in codes):
            raise NotProvable("a RunPython takes a function that lint-m2m did not write")
        return f"migrations.RunPython({', '.join(codes)})"

    def _run_sql(self, operation: RunSQL) -> str | None:
        pieces = [*operation.sql, *(operation.reverse_sql or ())]
        texts = [piece for piece in pieces if piece is not UNKNOWN]
        if len(texts) != len(pieces) or (self._original is not None and any(one in self._original for one in texts)):
            if operation.state_operations:
                raise NotProvable("the migration has SQL of its own, which a proof does not run")
            self.notes.append("not run: the migration's own SQL")
            return None
        state = list(self.all(operation.state_operations))
        reverse = "" if operation.reverse_sql is None else f", reverse_sql={list(operation.reverse_sql)!r}"
        return f"migrations.RunSQL(sql={list(operation.sql)!r}{reverse}, state_operations=[{', '.join(state)}])"


def create_model(name: str, fields: Iterable[str], options: dict[str, str], bases: tuple[str, ...]) -> str:
    """A CreateModel."""
    entries = ", ".join(f"{option!r}: {code}" for option, code in sorted(options.items()))
    inherited = f", bases=({', '.join(map(repr, bases))},)" if bases else ""
    return f"migrations.CreateModel(name={name!r}, fields=[{', '.join(fields)}], options={{{entries}}}{inherited})"


def model_options(
    writer: OperationWriter, key: ModelKey, options: ModelOptions, has_field: Callable[[ModelKey, str], bool]
) -> dict[str, str]:
    """Options as code, for a CreateModel and for a Meta alike."""
    found: dict[str, str] = {}
    if options.db_table is UNKNOWN:
        raise NotProvable(f"`db_table` of `{key}` could not be read")
    if options.db_table:
        found["db_table"] = repr(options.db_table)
    if options.proxy is True:
        found["proxy"] = "True"
    if options.unique_together is UNKNOWN:
        raise NotProvable(f"`unique_together` of `{key}` could not be read")
    sets = {one for one in options.unique_together if all(has_field(key, name) for name in one)}
    if sets:
        found["unique_together"] = _sets(sets)
    for name, listed in (("constraints", options.constraints), ("indexes", options.indexes)):
        if listed is UNKNOWN:
            raise NotProvable(f"the {name} of `{key}` could not be read")
        codes = [code for one in listed if (code := writer.constraint(key, one)) is not None]
        if codes:
            found[name] = f"[{', '.join(codes)}]"
    order = options.order_with_respect_to
    if order is not UNKNOWN and order is not None and has_field(key, order):
        found["order_with_respect_to"] = repr(order)
    return found


def _sets(sets: Iterable[tuple[str, ...]]) -> str:
    listed = sorted(sets)
    return "{" + ", ".join(map(repr, listed)) + "}" if listed else "set()"


def _read(value: Maybe[_T], what: str) -> _T:
    if value is UNKNOWN:
        raise NotProvable(f"{what} could not be read")
    return value


def _model_name(operation: Operation) -> str | None:
    for attribute in ("model_name", "old_name", "name"):
        name = getattr(operation, attribute, None)
        if isinstance(name, str):
            return name
    return None


def _call_at(text: str, span: Span | None) -> ast.Call | None:
    if span is None:
        return None
    try:
        node = source_file(text).node_at(span)
    except Unwritable:
        return None
    return node if isinstance(node, ast.Call) else None

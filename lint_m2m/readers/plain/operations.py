"""Operations in a plain migration: ``migrations.AddField(…)`` in its text to an `Operation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lint_m2m.migration import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterTogether,
    Constraint,
    CreateModel,
    DeleteModel,
    Field,
    FieldKind,
    ModelKey,
    ModelOptions,
    ModelRef,
    NamedField,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    Span,
)
from lint_m2m.readers.django_names import KEPT_MODEL_OPTIONS
from lint_m2m.readers.model_options import NO_OPTIONS
from lint_m2m.readers.plain.fields import names_at, plain_field
from lint_m2m.readers.plain.flat import FLAT_OPERATIONS, Flat, Place, constraint_of, read_flat_field
from lint_m2m.readers.plain.grammar import (
    CALL,
    FLAT_CALL,
    LIST_END,
    Argument,
    NotPlain,
    Source,
)
from lint_m2m.readers.plain.header import Header
from lint_m2m.readers.references import MODEL_CLASSES, named_model
from lint_m2m.readers.values import Ref


def plain_operation(place: Place, callee: str, start: int, position: int) -> tuple[Operation, int]:
    """The operation of class `callee` that begins at `start` and whose arguments begin at `position`, and its end."""
    flats = place.header.flats
    flat = flats[callee] if callee in flats else flats.setdefault(callee, _flat_reader(place.header, callee))
    if flat is not None:
        read: tuple[Operation, int] | None = flat(place, start, position)
        if read is not None:
            return read
    cls = place.header.operation(callee)
    if cls is None or cls.acts_as is None or cls.constructors:
        raise NotPlain
    kind = cls.acts_as.name
    build = _BUILDERS.get(kind)
    if build is None:
        raise NotPlain
    source = place.source
    given = _Given(place, cls.acts_as.parameters)
    arguments, end = source.arguments(position, given.special if kind in _LOOKED_INTO else None)
    given.name_all(arguments)
    given.common = {"span": source.span(start, end)}
    if cls.path is not None:
        given.common["class_path"] = cls.path
        given.common["overrides"] = cls.overrides
    return build(given), end


def _flat_reader(header: Header, callee: str) -> Flat | None:
    """What reads operations of class `callee` where their arguments are flat; ``None`` where it is not Django's own."""
    cls = header.operation(callee)
    if cls is None or cls.acts_as is None or cls.constructors or cls.path is not None:
        return None
    return FLAT_OPERATIONS.get(cls.acts_as.name)


class _Given:
    """The arguments of an operation by name, what was found in those that are looked into, and what all share."""

    __slots__ = ("arguments", "common", "entries", "field", "fields", "links_complete", "parameters", "place")

    def __init__(self, place: Place, parameters: tuple[str, ...]) -> None:
        self.place = place
        self.parameters = parameters
        self.arguments: dict[str, Argument] = {}
        self.common: dict[str, Any] = {}
        self.field: Field | None = None
        self.fields: list[NamedField] | None = None
        self.entries: list[tuple[str, int, Argument]] | None = None
        self.links_complete = True

    def name_all(self, arguments: list[Argument]) -> None:
        """Give each argument its name."""
        self.arguments = {}
        for index, argument in enumerate(arguments):
            name = argument.name
            if name is None:
                if index >= len(self.parameters):
                    raise NotPlain
                name = self.parameters[index]
            self.arguments[name] = argument
        if len(self.arguments) != len(arguments):
            raise NotPlain

    def text(self, name: str) -> str:
        """A string that is there and not empty."""
        value = self.constant(name)
        if isinstance(value, str) and value:
            return value
        raise NotPlain

    def constant(self, name: str) -> object:
        """A constant that is there."""
        argument = self.arguments.get(name)
        if argument is None:
            raise NotPlain
        return self.place.source.value(argument)

    def flag(self, name: str, absent: bool) -> bool:
        """A truth value."""
        value = self.constant(name) if name in self.arguments else absent
        if isinstance(value, bool):
            return value
        raise NotPlain

    def special(self, name: str | None, start: int, before: list[Argument]) -> int | None:
        """Read the fields of an operation, and skip everything else."""
        if name is None and len(before) < len(self.parameters):
            name = self.parameters[len(before)]
        if name == "field":
            self.name_all(before)
            owner = ModelKey(self.place.app_label, self.text("model_name").lower())
            self.field, end = self.read_field(start, owner, self.text("name"))
            return end
        if name == "fields":
            self.name_all(before)
            return self._read_fields(start, ModelKey(self.place.app_label, self.text("name").lower()))
        if name == "options":
            self.entries, end = self.place.source.entries(start)
            return end
        return None

    def read_field(self, start: int, owner: ModelKey, name: str) -> tuple[Field, int]:
        """The field that begins at `start`, and where it ends."""
        source = self.place.source
        flat = FLAT_CALL.match(source.text, start)
        if flat is not None:
            return read_flat_field(self.place, flat, owner, name), flat.end()
        call = CALL.match(source.text, start)
        if call is None or call.start("callee") != start:
            raise NotPlain
        try:
            return plain_field(
                source, self.place.header, call["callee"], start, call.end(), self.place.app_label, owner
            )
        except NotPlain:
            end = source.closing(call.end())
            return self.place.odd_field(start, end, owner, name), end

    def _read_fields(self, start: int, owner: ModelKey) -> int:
        source = self.place.source
        if not source.text.startswith("[", start):
            raise NotPlain
        fields: list[NamedField] = []
        position = start + 1
        while (pair := source.pair(position)) is not None:
            name, begin, position = pair
            field, end = self.read_field(position, owner, name)
            if field.kind is FieldKind.UNKNOWN:
                self.links_complete = False
            fields.append(NamedField(name=name, field=field, span=source.span(begin, end)))
            last, position = source.pair_end(end)
            if last:
                break
        else:
            closed = LIST_END.match(source.text, position)
            if closed is None:
                raise NotPlain
            position = closed.end()
        self.fields = fields
        return position


# One function for each operation. The dictionary below names them.


def _add_field(given: _Given) -> Operation:
    return AddField(**_field_operation(given))


def _alter_field(given: _Given) -> Operation:
    return AlterField(**_field_operation(given))


def _field_operation(given: _Given) -> dict[str, Any]:
    if given.field is None:
        raise NotPlain
    return {
        "model_name": given.text("model_name"),
        "name": given.text("name"),
        "field": given.field,
        "preserve_default": given.flag("preserve_default", True),
        **given.common,
    }


def _create_model(given: _Given) -> Operation:
    if given.fields is None:
        raise NotPlain
    return CreateModel(
        name=given.text("name"),
        fields=tuple(given.fields),
        links_complete=given.links_complete,
        options=_model_options(given),
        **given.common,
    )


def _model_options(given: _Given) -> ModelOptions:
    source = given.place.source
    found: dict[str, Any] = {}
    spans: list[tuple[str, Span]] = []
    if given.entries is not None:
        for key, start, value in given.entries:
            if key in KEPT_MODEL_OPTIONS:
                found[key] = _option(source, key, value)
                spans.append((key, source.span(start, value.end)))
    bases = given.arguments.get("bases")
    if bases is not None and (models := _bases(given, bases)):
        found["bases"] = models
    return ModelOptions(**found, entry_spans=tuple(spans)) if found else NO_OPTIONS


def _option(source: Source, key: str, argument: Argument) -> object:
    if key == "unique_together" or key == "index_together":
        return _together(source, argument)
    if key == "constraints" or key == "indexes":
        if source.written(argument) == "[]":
            return ()
        raise NotPlain
    value = source.value(argument)
    if isinstance(value, bool) if key in ("managed", "proxy", "abstract") else isinstance(value, str | None):
        return value
    raise NotPlain


def _together(source: Source, argument: Argument) -> frozenset[tuple[str, ...]]:
    return frozenset(names_at(source, element) for element in source.elements(argument, "{["))


def _bases(given: _Given, argument: Argument) -> tuple[ModelRef, ...]:
    """The models among the bases, as `model_options` tells them: what stands beside one is a mixin."""
    source = given.place.source
    elements = source.elements(argument, "(")
    models: list[ModelRef] = []
    told = not elements
    for element in elements:
        if element.kind == "text":
            key = named_model(str(source.value(element)), given.place.app_label, None)
            if not isinstance(key, ModelKey):
                raise NotPlain
            models.append(key)
            told = True
        else:
            name = source.written(element)
            if element.kind != "dotted" or "." not in name:
                raise NotPlain
            if name.endswith(".Model"):
                value = given.place.header.value(name)
                if not isinstance(value, Ref) or value.path not in MODEL_CLASSES:
                    raise NotPlain
                told = True
    if not told:
        raise NotPlain
    return tuple(models)


def _alter_model_options(given: _Given) -> Operation:
    if given.entries is None or any(key == "managed" for key, _, _ in given.entries):
        raise NotPlain
    return AlterModelOptions(name=given.text("name"), **given.common)


def _alter_model_table(given: _Given) -> Operation:
    table = given.constant("table")
    if not isinstance(table, str | None):
        raise NotPlain
    return AlterModelTable(name=given.text("name"), table=table, **given.common)


def _alter_together(option_name: str) -> Callable[[_Given], Operation]:
    def build(given: _Given) -> Operation:
        argument = given.arguments.get(option_name)
        if argument is None:
            raise NotPlain
        source = given.place.source
        value = frozenset() if source.written(argument) in ("None", "set()") else _together(source, argument)
        return AlterTogether(name=given.text("name"), option_name=option_name, value=value, **given.common)

    return build


def _delete_model(given: _Given) -> Operation:
    return DeleteModel(name=given.text("name"), **given.common)


def _rename_model(given: _Given) -> Operation:
    return RenameModel(old_name=given.text("old_name"), new_name=given.text("new_name"), **given.common)


def _remove_field(given: _Given) -> Operation:
    return RemoveField(model_name=given.text("model_name"), name=given.text("name"), **given.common)


def _rename_field(given: _Given) -> Operation:
    return RenameField(
        model_name=given.text("model_name"),
        old_name=given.text("old_name"),
        new_name=given.text("new_name"),
        **given.common,
    )


def _constraint(given: _Given, name: str) -> Constraint:
    """A constraint or an index of named arguments; conditions and expressions are left to the evaluator."""
    source = given.place.source
    argument = given.arguments.get(name)
    call = None if argument is None else CALL.match(source.text, argument.value_start)
    if argument is None or call is None:
        raise NotPlain
    arguments, end = source.arguments(call.end())
    if end != argument.end:
        raise NotPlain
    return constraint_of(given.place, call["callee"], arguments, argument.value_start, end)


def _add_constraint(given: _Given) -> Operation:
    return AddConstraint(
        model_name=given.text("model_name"), constraint=_constraint(given, "constraint"), **given.common
    )


def _remove_constraint(given: _Given) -> Operation:
    return RemoveConstraint(model_name=given.text("model_name"), name=given.text("name"), **given.common)


def _add_index(given: _Given) -> Operation:
    return AddIndex(model_name=given.text("model_name"), index=_constraint(given, "index"), **given.common)


def _remove_index(given: _Given) -> Operation:
    return RemoveIndex(model_name=given.text("model_name"), name=given.text("name"), **given.common)


def _rename_index(given: _Given) -> Operation:
    if "old_fields" in given.arguments:
        raise NotPlain
    return RenameIndex(
        model_name=given.text("model_name"),
        new_name=given.text("new_name"),
        old_name=given.text("old_name"),
        **given.common,
    )


_LOOKED_INTO: Final = frozenset({"AddField", "AlterField", "AlterModelOptions", "CreateModel"})
_BUILDERS: Final[dict[str, Callable[[_Given], Operation]]] = {
    "AddConstraint": _add_constraint,
    "AddField": _add_field,
    "AddIndex": _add_index,
    "AlterField": _alter_field,
    "AlterIndexTogether": _alter_together("index_together"),
    "AlterModelOptions": _alter_model_options,
    "AlterModelTable": _alter_model_table,
    "AlterUniqueTogether": _alter_together("unique_together"),
    "CreateModel": _create_model,
    "DeleteModel": _delete_model,
    "RemoveConstraint": _remove_constraint,
    "RemoveField": _remove_field,
    "RemoveIndex": _remove_index,
    "RenameField": _rename_field,
    "RenameIndex": _rename_index,
    "RenameModel": _rename_model,
}

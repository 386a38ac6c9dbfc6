"""Field classes: what one is for the database, by its path, by its source, by configuration, or by what is known.

A class with source is followed to the Django class (or the third-party class of `third_party`) that it comes from. What
its own methods mean for certainty:

- ``__init__`` is followed, so that ``kwargs.setdefault("to", …)`` counts; if it cannot be followed, the keyword
  arguments in the migration count as they stand, and what is absent is unknown.
- ``deconstruct`` decides what the migration says, nothing else.
- ``db_type`` of a column is its own affair, unless it returns nothing but None: then there is no column.
- ``get_attname_column`` and its like: the column's name is unknown (`known` is false).
- ``contribute_to_class`` may do what it likes as long as it calls ``super()``, adds no fields and leaves ``through``
  alone.
- A many-to-many class that makes its own table (there, or in ``_get_m2m_db_table``): `known` is false.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from lint_m2m.migration import UNKNOWN, FieldKind, Maybe
from lint_m2m.readers.arguments import Arguments
from lint_m2m.readers.constructors import arguments_of_base
from lint_m2m.readers.django_names import DJANGO_FIELDS, MANY_TO_MANY_PARAMETERS, KnownField
from lint_m2m.readers.third_party import THIRD_PARTY_FIELDS
from lint_m2m.readers.values import Call, ClassValue, FunctionValue, Ref, Value
from lint_m2m.values import declare, frozen, replace

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

# Names of columns.
_RENAMING: Final = frozenset({"get_attname", "get_attname_column", "set_attributes_from_name"})
# What a many-to-many class that makes its own table has to mention.
_TABLE_MAKING: Final = frozenset(
    {
        "_get_m2m_db_table",
        "add_to_class",
        "create_many_to_many_intermediary_model",
        "m2m_db_table",
        "through",
    }
)
# Base classes that have nothing to do with what a field is for the database.
_HARMLESS_BASES: Final = ("abc.", "builtins.", "django.", "typing.", "typing_extensions.")


@frozen
class FieldClass:
    """What a field class is. `base` is what its positional arguments and defaults come from, None when nobody knows."""

    path: str
    kind: FieldKind
    base: KnownField | None = None
    known: bool = True
    auto_columns: Maybe[tuple[str, ...]] = ()
    # The constructors between the class and `base`, outermost first.
    constructors: tuple[FunctionValue, ...] = ()
    source: ClassValue | None = declare(default=None, compare=False)

    @property
    def is_relation(self) -> bool:
        return self.kind is FieldKind.FOREIGN_KEY or self.kind is FieldKind.MANY_TO_MANY


def _of_known(known: KnownField) -> FieldClass:
    return FieldClass(path=known.path, kind=known.kind, base=known)


_DJANGO: Final = {path: _of_known(known) for path, known in DJANGO_FIELDS.items()}


def field_class(session: Session, callee: Value) -> FieldClass | None:
    """What class `callee` is; None when it is nothing that can be called by name (a computed class)."""
    if isinstance(callee, Ref):
        found = _DJANGO.get(callee.path)
        if found is not None:
            return found
        cached = session.context.field_classes.get(callee.path)
        if cached is None:
            cached = session.context.field_classes[callee.path] = _without_source(session, callee.path)
        return cached
    if isinstance(callee, ClassValue):
        if session.is_own(callee.frame):
            return _with_source(session, callee)
        cached = session.context.field_classes.get(callee.node)
        if cached is None:
            cached = session.context.field_classes[callee.node] = _with_source(session, callee)
        return cached
    return None


def effective_arguments(session: Session, cls: FieldClass, call: Call) -> Arguments:
    """The arguments that reach the base class: those of `call` after every constructor on the way has seen them."""
    parameters = () if cls.base is None else cls.base.parameters
    return arguments_of_base(session, cls.source, cls.constructors, parameters, call)


def _configured(session: Session, path: str) -> FieldClass | None:
    """What configuration says of the class, or what is known of it."""
    through = session.context.many_to_many_fields.get(path)
    known = THIRD_PARTY_FIELDS.get(path)
    if through is not None:
        base = known or KnownField(path=path, kind=FieldKind.MANY_TO_MANY, parameters=MANY_TO_MANY_PARAMETERS)
        default = None if through == "auto" else through
        base = replace(base, kind=FieldKind.MANY_TO_MANY, default_through=default)
        return FieldClass(path=path, kind=FieldKind.MANY_TO_MANY, base=base)
    return None if known is None else _of_known(known)


def _without_source(session: Session, path: str) -> FieldClass:
    """A class that is neither Django's nor in reach: its arguments will have to tell (`fields`)."""
    return _configured(session, path) or FieldClass(
        path=path, kind=FieldKind.UNKNOWN, known=False, auto_columns=UNKNOWN
    )


def _with_source(session: Session, cls: ClassValue) -> FieldClass:
    configured = _configured(session, cls.path)
    if configured is not None:
        return configured
    base: FieldClass | None = None
    strangers = False
    own: list[ClassValue] = []
    for ancestor in session.interpreter.ancestry(cls):
        found = None
        if isinstance(ancestor, ClassValue):
            found = None if ancestor.node is cls.node else _configured(session, ancestor.path)
            if found is None and base is None:
                own.append(ancestor)
        elif isinstance(ancestor, Ref):
            found = _DJANGO.get(ancestor.path) or _configured(session, ancestor.path)
            strangers |= found is None and not ancestor.path.startswith(_HARMLESS_BASES)
        else:
            strangers = True
        # ``models.Field`` itself may stand beside a more telling base.
        if found is not None and (base is None or base.path == "django.db.models.Field"):
            base = found
    if base is None:
        return FieldClass(path=cls.path, kind=FieldKind.UNKNOWN, known=False, auto_columns=UNKNOWN, source=cls)
    return _judge(cls, own, base, strangers)


def _judge(cls: ClassValue, own: list[ClassValue], base: FieldClass, strangers: bool) -> FieldClass:
    """The class `cls`, whose own code is in the classes `own`, on top of `base`."""
    methods: dict[str, FunctionValue] = {}
    constructors: list[FunctionValue] = []
    for owner in own:
        for statement in owner.node.body:
            if isinstance(statement, ast.FunctionDef):
                method = FunctionValue(statement, owner.frame, (), owner)
                methods.setdefault(statement.name, method)
                if statement.name == "__init__":
                    constructors.append(method)
    kind, known = base.kind, base.known and not strangers
    auto_columns = base.auto_columns
    contribute = methods.get("contribute_to_class")
    if kind is FieldKind.COLUMN:
        known = known and _RENAMING.isdisjoint(methods)
        if contribute is not None and _adds_fields(contribute):
            known = False
        if "db_type" in methods and _returns_only_none(methods["db_type"].node):
            kind = FieldKind.VIRTUAL
    elif kind is FieldKind.FOREIGN_KEY:
        known = known and _RENAMING.isdisjoint(methods)
    elif kind is FieldKind.MANY_TO_MANY:
        makes_table = contribute is not None and _makes_table(contribute)
        if strangers or makes_table or not _TABLE_MAKING.isdisjoint(methods):
            known, auto_columns = False, UNKNOWN
    return FieldClass(
        path=cls.path,
        kind=kind,
        base=base.base,
        known=known,
        auto_columns=auto_columns,
        constructors=(*constructors, *base.constructors),
        source=cls,
    )


def _returns_only_none(node: ast.AST) -> bool:
    """Whether a function returns None, however it ends."""
    returned = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return)]
    return all(value is None or (isinstance(value, ast.Constant) and value.value is None) for value in returned)


def _adds_fields(method: FunctionValue) -> bool:
    """Whether a ``contribute_to_class`` adds other fields: ``cls.add_to_class``, ``other.contribute_to_class``."""
    for inner in ast.walk(method.node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if inner.func.attr == "add_to_class":
                return True
            if inner.func.attr == "contribute_to_class" and not _is_super(inner.func.value, method):
                return True
    return False


def _makes_table(method: FunctionValue) -> bool:
    """Whether a many-to-many's ``contribute_to_class`` may make another table than Django's."""
    calls_super = False
    for inner in ast.walk(method.node):
        if isinstance(inner, ast.Attribute):
            if inner.attr == "contribute_to_class" and _is_super(inner.value, method):
                calls_super = True
            elif inner.attr in _TABLE_MAKING:
                return True
        elif isinstance(inner, ast.Name) and inner.id in _TABLE_MAKING:
            return True
    return not calls_super


def _is_super(node: ast.expr, method: FunctionValue) -> bool:
    """``super()`` or ``super(Own, self)``, but not ``super(Base, self)``: that skips what the base does."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"):
        return False
    if not node.args or method.owner is None:
        return not node.args
    first = node.args[0]
    return isinstance(first, ast.Name) and first.id == method.owner.node.name

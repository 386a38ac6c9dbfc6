"""Operation classes: which of Django's operations one acts as, and which of its methods are its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from lint_m2m.readers.arguments import Arguments, bind_call
from lint_m2m.readers.constructors import arguments_of_base
from lint_m2m.readers.django_names import DJANGO_OPERATIONS, OPERATION_BASES, OPERATIONS_BY_NAME, KnownOperation
from lint_m2m.readers.third_party import THIRD_PARTY_OPERATIONS
from lint_m2m.readers.values import Call, ClassValue, FunctionValue, Ref, Value
from lint_m2m.values import frozen, replace

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

# The methods that decide what an operation does; `allow_migrate_model` decides whether the database ones do anything.
METHODS: Final = frozenset({"state_forwards", "database_forwards", "database_backwards"})
DATABASE_GATES: Final = frozenset({"allow_migrate_model"})


@frozen
class OperationClass:
    """What an operation class is. `acts_as` is None for one that nobody knows, or that is all its own.

    `own` is true when the class comes straight from ``Operation``: then `overrides` are all the methods it has.
    """

    path: str | None
    acts_as: KnownOperation | None
    overrides: frozenset[str] = frozenset()
    constructors: tuple[FunctionValue, ...] = ()
    methods: tuple[tuple[str, FunctionValue], ...] = ()
    own: bool = False
    source: ClassValue | None = None

    def method(self, name: str) -> FunctionValue | None:
        """The method `name` of the class or its bases with source."""
        return dict(self.methods).get(name)


def _of_known(known: KnownOperation) -> OperationClass:
    return OperationClass(path=known.path, acts_as=known, overrides=known.overrides)


_DJANGO: Final = {path: _of_known(known) for path, known in DJANGO_OPERATIONS.items()}


def operation_class(session: Session, callee: Value) -> OperationClass | None:
    """What class `callee` is; None when it is nothing with a name."""
    if isinstance(callee, Ref):
        found = _DJANGO.get(callee.path)
        if found is not None:
            return found
        cached = session.context.operation_classes.get(callee.path)
        if cached is None:
            cached = _configured(session, callee.path) or OperationClass(path=callee.path, acts_as=None)
            session.context.operation_classes[callee.path] = cached
        return cached
    if isinstance(callee, ClassValue):
        if session.is_own(callee.frame):
            return _with_source(session, callee)
        cached = session.context.operation_classes.get(callee.node)
        if cached is None:
            cached = session.context.operation_classes[callee.node] = _with_source(session, callee)
        return cached
    return None


def effective_arguments(session: Session, cls: OperationClass, call: Call) -> Arguments:
    """The arguments that reach the operation that the class acts as; `rest` says if that cannot be told."""
    if cls.acts_as is None:
        return bind_call(session.interpreter, call, ())
    return arguments_of_base(session, cls.source, cls.constructors, cls.acts_as.parameters, call)


def _configured(session: Session, path: str) -> OperationClass | None:
    """What configuration says of the class, or what is known of it."""
    name = session.context.operations.get(path)
    if name is not None and name in OPERATIONS_BY_NAME:
        return _of_known(replace(OPERATIONS_BY_NAME[name], path=path))
    known = THIRD_PARTY_OPERATIONS.get(path)
    return None if known is None else _of_known(known)


def _with_source(session: Session, cls: ClassValue) -> OperationClass:
    configured = _configured(session, cls.path)
    if configured is not None:
        return configured
    base: OperationClass | None = None
    is_operation = strangers = False
    own: list[ClassValue] = []
    for ancestor in session.interpreter.ancestry(cls):
        if isinstance(ancestor, ClassValue):
            found = None if ancestor.node is cls.node else _configured(session, ancestor.path)
            if found is None and base is None:
                own.append(ancestor)
        elif isinstance(ancestor, Ref):
            found = _DJANGO.get(ancestor.path) or _configured(session, ancestor.path)
            is_operation |= ancestor.path in OPERATION_BASES
            strangers |= found is None and not ancestor.path.startswith(("django.", "builtins.", "abc."))
        else:
            found = None
            strangers = True
        base = base or found
    methods: dict[str, FunctionValue] = {}
    constructors: list[FunctionValue] = []
    for owner in own:
        for statement in owner.node.body:
            if isinstance(statement, ast.FunctionDef):
                method = FunctionValue(statement, owner.frame, (), owner)
                methods.setdefault(statement.name, method)
                if statement.name == "__init__":
                    constructors.append(method)
    overrides = frozenset(name for name in METHODS if name in methods and not does_nothing(methods[name].node))
    if base is not None:
        overrides = base.overrides | (METHODS & methods.keys())
        if strangers:
            overrides = METHODS
        if not DATABASE_GATES.isdisjoint(methods):
            overrides |= {"database_forwards", "database_backwards"}
    return OperationClass(
        path=cls.path,
        acts_as=None if base is None else base.acts_as,
        overrides=overrides,
        constructors=(*constructors, *(() if base is None else base.constructors)),
        methods=tuple(methods.items()),
        own=base is None and is_operation and not strangers,
        source=cls,
    )


def does_nothing(node: ast.AST) -> bool:
    """Whether the body of a function is empty: a docstring, ``pass``, ``return``."""
    body = getattr(node, "body", None)
    return isinstance(body, list) and all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        or (isinstance(statement, ast.Return) and statement.value is None)
        for statement in body
    )

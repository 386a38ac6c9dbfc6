"""The Migration class of one file to a `Migration` value."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from lint_m2m.migration import (
    UNKNOWN,
    ConditionalOperations,
    Dependency,
    Maybe,
    Migration,
    MigrationKey,
    Operation,
    Span,
    UnknownOperation,
)
from lint_m2m.readers.calls import KNOWN
from lint_m2m.readers.django_names import MIGRATION_CLASSES
from lint_m2m.readers.interpret import or_inherited
from lint_m2m.readers.operations import read_operations
from lint_m2m.readers.spans import span_of
from lint_m2m.readers.values import (
    Call,
    Choice,
    ClassValue,
    Conditional,
    FunctionValue,
    Instance,
    Ref,
    Rest,
    Setting,
    Value,
    reason_of,
    shorten,
)

if TYPE_CHECKING:
    from lint_m2m.readers.context import FileLike, Session

_SWAPPABLE_DEPENDENCY: Final = frozenset(
    {"django.db.migrations.swappable_dependency", "django.db.migrations.migration.swappable_dependency"}
)
_ATTRIBUTES: Final = ("operations", "dependencies", "replaces", "run_before")
# The methods of Migration that decide whether and how its operations run.
_RUNNING: Final = ("apply", "mutate_state")


def is_migration(session: Session, cls: ClassValue) -> bool:
    """Whether `cls` is a migration: it comes from Django's class, or from one without source and looks like one.

    (South's migrations come from a class without source as well; they have ``forwards`` instead of ``operations``.)
    """
    strangers = False
    for base in session.interpreter.ancestry(cls):
        if isinstance(base, Ref):
            if base.path in MIGRATION_CLASSES:
                return True
            if base.path.startswith("south."):
                return False
            strangers |= base.path != "builtins.object"
        elif not isinstance(base, ClassValue):
            strangers = True
    return strangers and any(
        session.interpreter.class_attribute(cls, name) is not None for name in (*_ATTRIBUTES, "initial")
    )


def read_class(session: Session, cls: ClassValue, file: FileLike) -> Migration:
    """The migration that `cls` is under the name and app of `file`."""
    interpreter = session.interpreter
    session.fallback = _place(session, cls, "operations")
    members = interpreter.members(cls)
    if not _strangers(session, cls):
        for name in _ATTRIBUTES:
            if name in members:
                members[name] = or_inherited(members[name], [])  # Django's own class has empty lists
    if "__init__" in members:
        members = _initialised(session, cls, file, members)
    operations = _operations(session, cls, members)
    dependencies, complete = _dependencies(session, cls, members.get("dependencies"))
    run_before, run_before_complete = _keys(session, cls, "run_before", members.get("run_before"))
    replaces, replaces_complete = _keys(session, cls, "replaces", members.get("replaces"))
    return Migration(
        app_label=file.app_label,
        name=file.name,
        path=file.path,
        dependencies=dependencies,
        run_before=run_before,
        replaces=replaces,
        initial=_flag(members.get("initial")),
        atomic=_atomic(members.get("atomic")),
        operations=operations,
        dependencies_complete=complete and run_before_complete,
        replaces_complete=replaces_complete,
        gaps=tuple(session.gaps),
    )


def either(session: Session, one: Migration, other: Migration, reason: str) -> Migration:
    """One of two classes for the same file: what both agree on, and the operations of both as branches."""
    same = one.operations == other.operations
    operations: tuple[Operation, ...] = one.operations
    if not same:
        operations = (
            ConditionalOperations(branches=(one.operations, other.operations), reason=reason, span=session.fallback),
        )
        session.gap(f"which Migration class counts {reason}", "what its operations leave behind", session.fallback)
    dependencies = tuple(each for each in one.dependencies if each in other.dependencies)
    return Migration(
        app_label=one.app_label,
        name=one.name,
        path=one.path,
        dependencies=dependencies,
        run_before=tuple(key for key in one.run_before if key in other.run_before),
        replaces=tuple(key for key in one.replaces if key in other.replaces),
        initial=one.initial if one.initial == other.initial else UNKNOWN,
        atomic=one.atomic if one.atomic == other.atomic else UNKNOWN,
        operations=operations,
        dependencies_complete=one.dependencies == other.dependencies and one.dependencies_complete,
        replaces_complete=one.replaces == other.replaces and one.replaces_complete,
        gaps=tuple(session.gaps),
    )


def _place(session: Session, cls: ClassValue, name: str) -> Span | None:
    """Where the class assigns `name`; else its first line, or what in the file leads to a class in another one."""
    if not session.is_own(cls.frame):
        statements = session.module.bindings.get("Migration", [])
        return span_of(statements[-1], session.module) if statements else None
    for statement in reversed(cls.node.body):
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in statement.targets
        ):
            return span_of(statement.value, session.module)
    first = cls.node.body[0]
    whole = span_of(cls.node, session.module)
    end = len(session.module.lines[whole.line - 1].rstrip()) + 1 if first.lineno > whole.line else whole.end_column
    return Span(whole.line, whole.column, whole.line, end)


def _initialised(session: Session, cls: ClassValue, file: FileLike, members: dict[str, Value]) -> dict[str, Value]:
    """The attributes after the class's own ``__init__``, which may change `operations`."""
    init = members["__init__"]
    if not isinstance(init, FunctionValue) or not init.node.args.args:
        return members
    # Migration.__init__ copies its lists before anything changes them.
    before: dict[str, Value] = {name: members.get(name, []) for name in _ATTRIBUTES}
    before = {name: list(value) if isinstance(value, list | tuple) else value for name, value in before.items()}
    names = session.interpreter.construction(init, Instance(cls), [file.name, file.app_label], {}, before)
    own = init.node.args.args[0].arg
    return {**members, **{name: names.get(f"{own}.{name}", value) for name, value in before.items()}}


def _operations(session: Session, cls: ClassValue, members: dict[str, Value]) -> tuple[Operation, ...]:
    value = members.get("operations")
    if value is None:
        if not _strangers(session, cls):
            return ()
        reason = "the operations come from a base class whose source is not in the project"
        session.gap(reason, "what this migration changes", session.fallback)
        return (UnknownOperation(reason=reason, span=session.fallback),)
    operations = read_operations(session, value)
    for name in _RUNNING:
        method = members.get(name)
        if isinstance(method, FunctionValue) and not always_calls_super(method.node, name):
            reason = f"its own `{name}()` decides whether these operations run"
            session.gap(reason, "what these operations leave behind", session.fallback)
            return (ConditionalOperations(branches=(operations, ()), reason=reason, span=session.fallback),)
    return operations


def _strangers(session: Session, cls: ClassValue) -> bool:
    """Whether the class inherits from one that is neither Django's nor in reach."""
    return any(not isinstance(base, ClassValue) and not _is_django(base) for base in session.interpreter.ancestry(cls))


def _is_django(base: Value) -> bool:
    return isinstance(base, Ref) and (base.path in MIGRATION_CLASSES or base.path == "builtins.object")


def always_calls_super(node: ast.AST, name: str) -> bool:
    """Whether the method calls ``super().name(…)`` on every way through it, as far as its top level shows."""
    for statement in getattr(node, "body", ()):
        inner = list(ast.walk(statement))
        plain = isinstance(statement, ast.Return | ast.Expr | ast.Assign | ast.AnnAssign | ast.With)
        if plain and any(_is_super_call(each, name) for each in inner):
            return True
        if any(isinstance(each, ast.Return) for each in inner):
            return False
    return False


def _is_super_call(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == "super"
    )


def _dependencies(session: Session, cls: ClassValue, value: Value | None) -> tuple[tuple[Dependency, ...], bool]:
    elements, complete = _elements(session, cls, "dependencies", value)
    dependencies: list[Dependency] = []
    for element, span in elements:
        dependency = read_dependency(session, element, span)
        if dependency is None:
            complete = False
            session.gap(f"a dependency {reason_of(element)}", "the order of migrations", span)
        else:
            dependencies.append(dependency)
    return tuple(dependencies), complete


def read_dependency(session: Session, value: Value, span: Span | None) -> Dependency | None:
    """The dependency that `value` is; None when that cannot be told."""
    key = _key(session, value)
    if key is not None:
        return Dependency(key=key, span=span)
    if not isinstance(value, Call) or not isinstance(value.callee, Ref):
        return None
    nodes = [*value.node.args, *(keyword.value for keyword in value.node.keywords)]
    if value.callee.path in _SWAPPABLE_DEPENDENCY and len(nodes) == 1:
        model = session.interpreter.value(nodes[0], value.frame)
    elif value.callee.path == "swapper.dependency" and len(nodes) >= 2:
        # The same for any model, by the setting that swapper derives from its name.
        parts = [session.interpreter.plain(node, value.frame) for node in nodes[:2]]
        model = KNOWN["swapper.get_model_name"](session.interpreter, parts, {})
    else:
        return None
    known = session.interpreter.known(model)
    setting = model.name if isinstance(model, Setting) else None
    if setting is None and not isinstance(known, str):
        return None
    if setting is None:
        # A model that is named itself: `setting` is the one that names it as well, if there is one.
        setting = next((name for name, named in session.context.swappable.items() if named == known), None)
    label = known.partition(".")[0] if isinstance(known, str) else None
    return Dependency(key=MigrationKey(label, "__first__") if label else None, swappable=setting, span=span)


def _keys(session: Session, cls: ClassValue, name: str, value: Value | None) -> tuple[tuple[MigrationKey, ...], bool]:
    elements, complete = _elements(session, cls, name, value)
    keys: list[MigrationKey] = []
    for element, span in elements:
        key = _key(session, element)
        if key is None:
            complete = False
            session.gap(f"a part of `{name}` {reason_of(element)}", "the order of migrations", span)
        else:
            keys.append(key)
    return tuple(keys), complete


def _key(session: Session, value: Value) -> MigrationKey | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    label, name = (session.interpreter.known(part) for part in value)
    return MigrationKey(label, name) if isinstance(label, str) and isinstance(name, str) else None


def _elements(
    session: Session, cls: ClassValue, name: str, value: Value | None
) -> tuple[Iterable[tuple[Value, Span | None]], bool]:
    """The elements of a list attribute with their places, and whether these are all."""
    if value is None:
        return (), True
    place = _place(session, cls, name)
    if not isinstance(value, list | tuple | set):
        session.gap(f"`{name}` {reason_of(value)}", "the order of migrations", place)
        return (), False
    nodes = _display(cls, name) if session.is_own(cls.frame) else []
    spans = [span_of(node, session.module) for node in nodes] if len(nodes) == len(value) else [place] * len(value)
    elements = list(zip(value, spans, strict=True))
    markers = [(element, span) for element, span in elements if isinstance(element, Rest | Conditional | Choice)]
    for marker, span in markers:
        session.gap(f"a part of `{name}` {reason_of(marker)}", "the order of migrations", span)
    return [pair for pair in elements if not isinstance(pair[0], Rest | Conditional | Choice)], not markers


def _display(cls: ClassValue, name: str) -> list[ast.expr]:
    """The elements of the list that the class body assigns to `name`, if that is all there is to it."""
    for statement in cls.node.body:
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.List | ast.Tuple)
            and any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
        ):
            return statement.value.elts
    return []


def _atomic(value: Value | None) -> Maybe[bool]:
    flag = _flag(value)
    return True if flag is None else flag


def _flag(value: Value | None) -> Maybe[bool | None]:
    return value if value is None or isinstance(value, bool) else UNKNOWN


def not_a_class(value: Value) -> str:
    """Why a file whose `Migration` is no class in reach cannot be read."""
    if isinstance(value, Ref):
        return f"its Migration class is `{value.path}`, whose source is not in the project"
    if isinstance(value, Call):
        return f"its Migration class is what `{shorten(value.node.func)}()` returns"
    return f"its Migration class {reason_of(value)}"

"""Real classes and functions to what the readers of source make of theirs: where they are written decides.

What a class is, its source says, and Python which source that is: nothing has to be guessed from imports.
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lint_m2m.migration import CodeFacts
from lint_m2m.readers.code import function_facts
from lint_m2m.readers.modules import Module
from lint_m2m.readers.values import ClassValue, Frame, FunctionValue, Ref, Unreadable, Value

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

# How deep values and functions that a function has from the one around it are followed.
_DEPTH: Final = 5


def path_of(cls: type) -> str:
    """``library.fields.Tags``."""
    return f"{cls.__module__}.{cls.__qualname__}"


def class_value(session: Session, cls: type) -> ClassValue | Ref:
    """The class by its source; by its path alone where there is none, and for Django's own."""
    path = path_of(cls)
    if cls.__module__.partition(".")[0] == "django":
        return Ref(path)
    module = _module(session, cls)
    if module is None:
        return Ref(path)
    first, *rest = cls.__qualname__.split(".")
    found = session.interpreter.module_attribute(module, first)
    for name in rest:
        found = session.interpreter.namespace(found).get(name) if isinstance(found, ClassValue) else None
    return found if isinstance(found, ClassValue) and found.path == path else Ref(path)


def _module(session: Session, item: Any) -> Module | None:
    """The module that a class or function stands in."""
    name = getattr(item, "__module__", None) or ""
    if name == session.module.name:
        return session.module
    try:
        file = inspect.getsourcefile(item)
    except (TypeError, OSError):
        file = None
    if file is None or not os.path.isfile(file):
        return None
    if os.path.realpath(file) == os.path.realpath(session.module.path):
        return session.module
    return session.context.modules.load(Path(file), name)


def facts_of(session: Session, function: Any) -> CodeFacts:
    """What is known of a function that Django will call."""
    values: dict[str, Value] = {}
    bound: tuple[Value, ...] = ()
    while isinstance(function, functools.partial):
        values = {**{name: plain(value) for name, value in function.keywords.items()}, **values}
        bound = (*(plain(value) for value in function.args), *bound)
        function = function.func
    return function_facts(session, _function_value(session, function, bound, 0), values)


def _function_value(session: Session, function: Any, bound: tuple[Value, ...], depth: int) -> Value:
    owner: ClassValue | None = None
    if inspect.ismethod(function):
        of = function.__self__ if isinstance(function.__self__, type) else type(function.__self__)
        value = class_value(session, of)
        owner = value if isinstance(value, ClassValue) else None
        function = function.__func__
    elif not inspect.isfunction(function) and not isinstance(function, type):
        call = vars(type(function)).get("__call__")
        if not inspect.isfunction(call):
            return Unreadable("is not written in Python")
        value = class_value(session, type(function))
        owner = value if isinstance(value, ClassValue) else None
        function = call
    try:
        function = inspect.unwrap(function)
    except ValueError:
        return Unreadable("wraps itself")
    module = _module(session, function) if inspect.isfunction(function) else None
    if module is None:
        return Unreadable("has no source")
    node = _node_at(module, function.__name__, function.__code__.co_firstlineno)
    if node is None:
        return Unreadable("is not where its source should be")
    return FunctionValue(node, Frame(module, _captured(session, function, depth)), bound, owner)


def _captured(session: Session, function: Any, depth: int) -> dict[str, Value]:
    """What a function has from the one around it, which may be itself."""
    found: dict[str, Value] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # nothing in it yet
            continue
        if inspect.isfunction(value):
            inner = depth < _DEPTH and value is not function
            found[name] = _function_value(session, value, (), depth + 1) if inner else Unreadable("is too deep")
        else:
            found[name] = plain(value)
    return found


def plain(value: Any, depth: int = 0) -> Value:
    """A value as the readers of source have it; what is no constant and no container of them is not followed."""
    if isinstance(value, str | bytes | int | float | None):
        return value
    if depth == _DEPTH:
        return Unreadable("is too deep")
    if isinstance(value, list | tuple):
        found = [plain(each, depth + 1) for each in value]
        return tuple(found) if isinstance(value, tuple) else found
    if isinstance(value, dict):
        return {key: plain(each, depth + 1) for key, each in value.items() if isinstance(key, str)}
    return Unreadable("is an object")


def _node_at(module: Module, name: str, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    """The function `name` whose source, decorators among it, begins in `line`."""
    for node in ast.walk(module.parsed.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if node.name == name and first == line:
                return node
        elif isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            return node
    return None

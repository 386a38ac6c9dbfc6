"""What the names of a module are after its top-level statements, as far as its text tells.

For modules that say things rather than do things: settings and application configurations. Statements are followed in
order; where running code would decide, a name becomes UNKNOWN; branches that agree leave what they agree on. Imports
are followed within the project. Nothing is imported or run. (Migrations are read otherwise: there positions matter.)
"""

from __future__ import annotations

import ast
import fnmatch
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from lint_m2m import looks
from lint_m2m.migration import UNKNOWN
from lint_m2m.readers.project.expressions import ExhaustedError, Expressions
from lint_m2m.readers.project.finder import Finder
from lint_m2m.readers.project.namespace import APP_CONFIG, ClassInfo, Imported, Scope, Value
from lint_m2m.readers.project.skeleton import without_bodies
from lint_m2m.readers.project.syntax import (
    arguments,
    bound_names,
    catches_imports,
    has_star_import,
    is_namespace_call,
    raises,
)
from lint_m2m.readers.source import SourceError, decode, parse, parse_tolerant, read_source, refuse_too_long

# Steps for one module; a statement is one, a copied container as many as it has elements. Real settings need some
# thousand; what needs more was made to hurt.
_BUDGET: Final = 2_000_000


class Modules(Finder):
    """Finds, reads and remembers modules of one project."""

    def __init__(self, root: Path, importable: Iterable[Path] = ()) -> None:
        super().__init__(root, importable)
        self._scopes: dict[str, Scope | None] = {}
        self._active: set[str] = set()
        # Files that could not be read or parsed, and why.
        self.failures: dict[str, str] = {}

    def scope(self, file: str, source: bytes | None = None) -> Scope | None:
        """What `file` binds; None when it cannot be read. A module that imports itself gets what it has so far.

        `source` is what is in the file, for those who have read it already.
        """
        if file in self._scopes:
            return self._scopes[file]
        body = self.statements(file, source)
        if body is None:
            self._scopes[file] = None
            return None
        scope = self._scopes[file] = Scope(file)
        self._active.add(file)
        _Follower(self, scope).run(body)
        self._active.discard(file)
        return scope

    def statements(self, file: str, source: bytes | None = None) -> list[ast.stmt] | None:
        """The top-level statements of `file`; None, and an entry in `failures`, when it cannot be read.

        Functions in it have no parameters and no content.
        """
        try:
            if not self.inside(file):
                raise SourceError("a link that leaves the project")
            return _statements(decode(read_source(file) if source is None else source))
        except SourceError as error:
            self.failures[file] = error.reason
            return None

    def is_active(self, file: str) -> bool:
        """Whether `file` is being followed right now: it imports itself, round some corners."""
        return file in self._active

    def value(self, imported: Imported) -> Value:
        """What an imported name is: an `Imported` without a name for a module, one with a name if it is not here.

        AppConfig itself stays an `Imported`: that Django's own source can be read changes nothing.
        """
        seen = set()
        while imported.name is not None and imported.path not in APP_CONFIG:
            if imported in seen:
                return UNKNOWN
            seen.add(imported)
            file = self.find(imported.module, imported.importer, imported.level)
            if file is not None:
                scope = self.scope(file)
                if scope is None:
                    return UNKNOWN
                if imported.name in scope.names:
                    found = scope.names[imported.name]
                    if not isinstance(found, Imported):
                        return found
                    imported = found
                    continue
            submodule = f"{imported.module}.{imported.name}"
            if self.find(submodule, imported.importer, imported.level) is not None:
                return Imported(submodule, None, imported.level, imported.importer)
            return imported if file is None else UNKNOWN
        return imported


def _statements(text: str) -> list[ast.stmt]:
    """The top-level statements of `text`; SourceError where it does not parse, with its functions or without them."""
    if not text.strip(" \n"):  # of all ``__init__.py`` the most
        return []
    skeleton = without_bodies(text)
    if skeleton is not None:
        try:
            refuse_too_long(text)
            return parse(skeleton).body
        except SourceError:
            pass
    return parse_tolerant(text).tree.body


class _Follower(Expressions):
    """Follows the statements of one module."""

    def __init__(self, modules: Modules, scope: Scope) -> None:
        super().__init__(_BUDGET)
        self.modules = modules
        self.scope = scope
        self.file = scope.file
        # Files that are being followed into this namespace, this one and those it includes.
        self.included = [scope.file]
        # Inside a `try` that expects an import to fail.
        self.may_fail = 0
        parts = modules.dotted_name(scope.file)
        is_package = os.path.basename(scope.file) == "__init__.py"
        self.names["__file__"] = scope.file
        self.names["__name__"] = ".".join(parts)
        self.names["__package__"] = ".".join(parts if is_package else parts[:-1])

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Follow the module."""
        try:
            self.block(body)
        except ExhaustedError:
            self.names = {}
            self.scope.complete = False
            self.modules.failures[self.scope.file] = "takes too long to follow"
        self.scope.names = self.names

    def resolve(self, value: Value) -> Value:
        return self.modules.value(value) if isinstance(value, Imported) else value

    def tampered(self) -> None:
        # locals().update(…), django_heroku.settings(locals()), exec(…): anything may have happened.
        self.scope.complete = False
        self.names["DATABASES"] = UNKNOWN

    def block(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.spend()
            try:
                self.statement(statement)
            except RecursionError:
                self.forget([statement])

    def statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign():
                value = self.value(statement.value)
                for target in statement.targets:
                    self.store(target, value)
            case ast.ImportFrom():
                self.import_from(statement)
            case ast.Expr():
                self.effect(statement.value)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.names[statement.name] = UNKNOWN
            case ast.AnnAssign():
                if statement.value is not None:
                    self.store(statement.target, self.value(statement.value))
            case ast.AugAssign():
                value = UNKNOWN
                if isinstance(statement.op, ast.Add | ast.BitOr):
                    value = self.add(self.value(statement.target), self.value(statement.value))
                self.store(statement.target, value)
            case ast.Import():
                for alias in statement.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    self.names[alias.asname or name] = Imported(name, None, 0, self.file)
            case ast.ClassDef():
                self.names[statement.name] = self.class_info(statement)
            case ast.If():
                self.branches(self.truth(statement.test), statement.body, statement.orelse)
            case ast.Try() | ast.TryStar():
                self.attempt(statement)
            case ast.With():
                for item in statement.items:
                    if item.optional_vars is not None:
                        self.store(item.optional_vars, UNKNOWN)
                self.block(statement.body)
            case ast.Delete():
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        self.names.pop(target.id, None)
                    else:
                        self.store(target, UNKNOWN)
            case ast.Assert() | ast.Pass() | ast.Raise() | ast.Global():
                pass
            case _:
                self.forget([statement])

    def import_from(self, statement: ast.ImportFrom) -> None:
        module = statement.module or ""
        for alias in statement.names:
            if alias.name == "*":
                self.import_star(module, self.modules.find(module, self.file, statement.level))
            else:
                self.names[alias.asname or alias.name] = Imported(module, alias.name, statement.level, self.file)

    def import_star(self, module: str, file: str | None) -> None:
        if file is None:
            # Django's defaults are what is absent anyway.
            if not self.may_fail and module != "django.conf.global_settings":
                self.scope.complete = False
            return
        if file in self.included:
            return
        if self.modules.is_active(file):
            self.scope.complete = False
            return
        scope = self.modules.scope(file)
        if scope is None:
            self.scope.complete = False
            return
        self.spend(len(scope.names))
        self.scope.parts |= {file, *scope.parts}
        self.scope.complete &= scope.complete
        self.names.update((name, value) for name, value in scope.names.items() if not name.startswith("_"))

    def class_info(self, statement: ast.ClassDef) -> ClassInfo:
        # Not followed before somebody asks: most classes are nobody's business.
        bases = tuple(
            self.names.get(base.id, UNKNOWN) if isinstance(base, ast.Name) else self.value(base)
            for base in statement.bases
        )
        outer, complete = self.names, self.scope.complete
        self.spend(len(outer))
        self.names = dict(outer)
        self.block(statement.body)
        own = {name: self.names[name] for name in bound_names(statement.body) if name in self.names}
        self.names, self.scope.complete = outer, complete
        return ClassInfo(statement.name, bases, own, self.file)

    def branches(self, truth: Value, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        if isinstance(truth, bool):
            self.block(body if truth else orelse)
            return
        before = self.names
        self.spend(2 * len(before))
        self.names = dict(before)
        self.block(body)
        one = self.names
        self.names = dict(before)
        self.block(orelse)
        if raises(orelse):
            self.names = one
        elif not raises(body):
            self.names = self.join_names(one, self.names)

    def attempt(self, statement: ast.Try | ast.TryStar) -> None:
        before = self.names
        self.spend(len(before))
        handled = any(catches_imports(handler) for handler in statement.handlers)
        self.names = dict(before)
        self.may_fail += handled
        self.block(statement.body)
        self.may_fail -= handled
        self.block(statement.orelse)
        joined = self.names
        for handler in statement.handlers:
            if raises(handler.body) or all(isinstance(inner, ast.Pass | ast.Expr) for inner in handler.body):
                continue
            self.names = dict(before)
            self.block(handler.body)
            joined = self.join_names(joined, self.names)
        self.names = joined
        self.block(statement.finalbody)

    def forget(self, statements: Sequence[ast.stmt]) -> None:
        """Whatever the statements may bind is UNKNOWN."""
        for name in bound_names(statements):
            self.names[name] = UNKNOWN
        if any(has_star_import(statement) for statement in statements):
            self.scope.complete = False

    def effect(self, expression: ast.expr) -> None:
        """An expression whose value is dropped: a call that may change something."""
        if not isinstance(expression, ast.Call):
            return
        function = expression.func
        if is_namespace_call(function) or any(is_namespace_call(argument) for argument in arguments(expression)):
            self.tampered()
        elif isinstance(function, ast.Name):
            target = self.names.get(function.id)
            if isinstance(target, Imported) and (target.module, target.name) == ("split_settings.tools", "include"):
                self.include(expression)
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name | ast.Subscript):
            self.method(function, expression)

    def include(self, call: ast.Call) -> None:
        """django-split-settings: ``include("components/*.py", optional("local.py"))``, run in this namespace."""
        patterns: list[str] = []
        for argument in call.args:
            if isinstance(argument, ast.Call) and argument.args:  # optional("local.py")
                argument = argument.args[0]
            value = self.value(argument.value if isinstance(argument, ast.Starred) else argument)
            for pattern in value if isinstance(value, tuple) else (value,):
                if isinstance(pattern, str):
                    patterns.append(pattern)
                else:
                    self.scope.complete = False
        for pattern in patterns:
            for file in self.matching_files(pattern):
                self.include_file(file)

    def include_file(self, file: str) -> None:
        if file in self.included:
            return
        self.spend(10_000)
        body = self.modules.statements(file)
        if body is None:
            self.scope.complete = False
            return
        outer = self.file
        self.scope.parts.add(file)
        self.included.append(file)
        self.file = file
        self.block(body)
        self.file = outer
        self.included.pop()

    def matching_files(self, pattern: str) -> list[str]:
        """The files beside this one that `pattern` matches; wildcards in the name only."""
        folder, _, name = pattern.rpartition("/")
        base = os.path.normpath(os.path.join(os.path.dirname(self.file), folder))
        try:
            names = looks.names(base)
        except (OSError, ValueError):
            return []
        return [os.path.join(base, found) for found in fnmatch.filter(names, name) if found.endswith(".py")]

    def method(self, function: ast.Attribute, call: ast.Call) -> None:
        target = function.value
        current = self.value(target)
        arguments = [self.value(argument) for argument in call.args]
        changed: Value = UNKNOWN
        match (function.attr, current, arguments):
            case ("append", tuple(), [element]):
                changed = self.add(current, (element,))
            case ("extend", tuple(), [elements]):
                changed = self.add(current, elements)
            case ("insert", tuple(), [_, element]):
                changed = self.add((element,), current)
            case ("remove", tuple(), [str() as element]):
                changed = tuple(one for one in current if one != element)
            case ("update", dict(), [dict() as more]):
                changed = self.merge(current, more)
            case ("update", dict(), []):
                changed = self.merge(dict(current), self.keywords(call))
            case ("setdefault", dict(), [str() as key, value]):
                changed = self.merge({key: value}, current)
            case ("pop", dict(), [str() as key, *_]):
                changed = {one: value for one, value in current.items() if one != key}
            case (_, str() | None | int() | float() | Imported() | ClassInfo(), _):
                return
        self.store(target, changed)

    def store(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name():
                self.names[target.id] = value
            case ast.Tuple() | ast.List():
                known = isinstance(value, tuple) and len(value) == len(target.elts) and UNKNOWN not in value
                for number, element in enumerate(target.elts):
                    self.store(element, value[number] if known and isinstance(value, tuple) else UNKNOWN)
            case ast.Starred():
                self.store(target.value, UNKNOWN)
            case ast.Subscript():
                if is_namespace_call(target.value):
                    self.scope.complete = False
                    return
                container, key = self.value(target.value), self.value(target.slice)
                if isinstance(container, dict):
                    entry: dict[Value, Value] = {key: value} if isinstance(key, str) else {UNKNOWN: UNKNOWN}
                    self.store(target.value, self.merge(container, entry))
                elif isinstance(container, tuple):
                    self.store(target.value, (UNKNOWN,))

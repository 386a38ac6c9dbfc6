"""Statements: bodies of modules, classes and functions, followed as far as that can be done without running them.

`Interpreter` is the `Evaluator` that knows statements. A condition that only running code can decide is followed both
ways, and what differs afterwards is marked; a loop over something unknown makes what it changes unknown.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Final

from lint_m2m.readers import operators
from lint_m2m.readers.evaluate import Evaluator, bind_method, has_decorator
from lint_m2m.readers.modules import Module, Modules, affected_names
from lint_m2m.readers.parameters import bind_parameters
from lint_m2m.readers.values import (
    Call,
    Choice,
    ClassValue,
    Conditional,
    Frame,
    FunctionValue,
    Instance,
    LazyImport,
    ModuleValue,
    OpenFile,
    Ref,
    Rest,
    Super,
    Unbound,
    Unreadable,
    Value,
    reason_of,
    shorten,
)

# How deep calls of helpers, and chains of names and base classes, are followed.
MAX_DEPTH: Final = 12


# A name bound to one of these in a ``try`` is taken as if nothing were raised.
_DEFINITIONS: Final = (Ref, ModuleValue, LazyImport, FunctionValue, ClassValue)


class _Return:
    """A body ended with ``return``; `value` is what it returned."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


class _Raise(_Return):
    """A body ended with ``raise``."""


class _Leave(_Return):
    """A round of a loop ended with ``break`` or ``continue``."""

    __slots__ = ("breaks",)

    def __init__(self, breaks: bool) -> None:
        super().__init__(None)
        self.breaks = breaks


class Interpreter(Evaluator):
    """Follows statements and calls of functions. One for each migration; what it caches depends on files alone."""

    def __init__(self, modules: Modules, main: Module, settings: Mapping[str, str]) -> None:
        super().__init__(modules, main, settings)
        self._globals: dict[tuple[Module, str], Value | None] = {}
        self._namespaces: dict[ast.ClassDef, dict[str, Value]] = {}
        self._ancestries: dict[ast.ClassDef, list[Value]] = {}
        self._depth = 0
        # The calls of ``super().__init__`` met while a constructor is followed, with the frame they stand in.
        self._constructed: list[list[tuple[Super, Call]]] = []
        self._yields: list[list[Value]] = []
        # How many conditions that nobody can decide enclose the current statement.
        self._undecided = 0

    # Names.

    def module_attribute(self, module: Module, name: str) -> Value | None:
        key = (module, name)
        try:
            return self._globals[key]
        except KeyError:
            pass
        # Whoever asks again while this is computed asks in a circle, or for what the name was before
        # (``from django.db.migrations import *``, ``class Migration(Migration)``).
        before = self._from_star(module, name) if module.stars and name in module.bindings else None
        self._globals[key] = before or Unreadable(f"defines `{name}` through itself")
        value = self._global(module, name)
        self._globals[key] = value
        return value

    def _global(self, module: Module, name: str) -> Value | None:
        statements = module.statements(name)
        if statements is None:
            return self._from_star(module, name)
        if len(statements) == 1 and isinstance(statements[0], ast.ImportFrom):
            return self.imported(statements[0], name, module)
        frame = Frame(module, {})
        if not module.changing:
            self.run(statements, frame)
        else:
            # Some names mean one thing here and another there: run all that matters, in order, in one frame.
            history, names = module.history(name)
            if names.isdisjoint(module.changing):
                history = statements
            for statement in history:
                self.run((statement,), frame)
                if isinstance(statement, ast.ClassDef) and isinstance(cls := frame.names[statement.name], ClassValue):
                    self.namespace(cls)
        if name not in frame.names:
            return Unreadable(f"needs `{name}`, which is not always defined")
        return self.resolved(frame.names[name])

    def _from_star(self, module: Module, name: str) -> Value | None:
        if name.startswith("_") or not module.stars:
            return None
        outside: Value | None = None
        for star in reversed(module.stars):
            source = self._source(star, module)
            if isinstance(source, Module):
                if source is not module and (found := self.module_attribute(source, name)) is not None:
                    return found
            elif outside is None:
                outside = Ref(f"{source}.{name}")
        return outside

    def _source(self, statement: ast.ImportFrom, module: Module) -> Module | str:
        """The module that ``from x import …`` reads, or its dotted name when it has no source here."""
        if statement.level:
            found = self.modules.relative(module, statement.level, statement.module or "")
            if found is not None:
                return found
            package = module.package.split(".")
            base = package[: len(package) - statement.level + 1]
            return ".".join([*base, *([statement.module] if statement.module else [])])
        name = statement.module or ""
        if name.startswith("django.") or not self.modules.knows(name):
            return name
        return self.modules.find(name) or name

    def imported(self, statement: ast.ImportFrom, bound: str, module: Module) -> Value:
        name = next((alias.name for alias in statement.names if (alias.asname or alias.name) == bound), bound)
        source = self._source(statement, module)
        if isinstance(source, str):
            # ``from django.conf import settings``, ``from package import module`` without package/__init__.py.
            return self.attribute(Ref(source), name)
        if source is module:
            return Ref(f"{module.name}.{name}")
        return self.attribute(ModuleValue(source), name)

    def class_attribute(self, owner: ClassValue, name: str) -> Value | None:
        for cls in self.ancestry(owner):
            if isinstance(cls, ClassValue):
                namespace = self.namespace(cls)
                if name in namespace:
                    value = self.resolved(namespace[name])
                    if (
                        isinstance(value, FunctionValue)
                        and value.owner is cls
                        and has_decorator_of(value, "classmethod")
                    ):
                        return bind_method(value, owner)
                    return value
        return None

    def members(self, owner: ClassValue) -> dict[str, Value]:
        """The names of `owner` and its known bases."""
        members: dict[str, Value] = {}
        for cls in reversed(self.ancestry(owner)):
            if isinstance(cls, ClassValue):
                for name, value in self.namespace(cls).items():
                    value = self.resolved(value)
                    members[name] = or_inherited(value, members[name]) if name in members else value
        return members

    def namespace(self, owner: ClassValue) -> dict[str, Value]:
        """The names that the body of `owner` binds."""
        known = self._namespaces.get(owner.node)
        if known is not None:
            return known
        frame = Frame(owner.frame.module, {}, owner.frame, owner.frame.site)
        self._namespaces[owner.node] = frame.names
        self.run(owner.node.body, frame)
        names = {
            name: FunctionValue(value.node, owner.frame, value.bound, owner)
            if isinstance(value, FunctionValue) and value.owner is None and value.node in owner.node.body
            else value
            for name, value in frame.names.items()
        }
        self._namespaces[owner.node] = names
        return names

    def ancestry(self, owner: ClassValue) -> list[Value]:
        """`owner` and all its known bases, nearest first: depth first, where Python has an order of its own."""
        known = self._ancestries.get(owner.node)
        if known is None:
            known = self._ancestries[owner.node] = self._ancestry(owner)
        return known

    def _ancestry(self, owner: Value) -> list[Value]:
        result: list[Value] = []
        pending: list[tuple[Value, int]] = [(owner, 0)]
        while pending:
            cls, depth = pending.pop(0)
            if isinstance(cls, ClassValue):
                if any(isinstance(other, ClassValue) and other.node is cls.node for other in result):
                    continue
                result.append(cls)
                if depth < MAX_DEPTH:
                    pending[:0] = [(base, depth + 1) for base in cls.bases]
            else:
                result.append(cls)
        return result

    # Calls.

    def follow(self, function: FunctionValue, call: ast.Call, frame: Frame) -> Value:
        if self._depth >= MAX_DEPTH:
            return Unreadable("calls functions that call functions, too deep to follow")
        if isinstance(function.node, ast.AsyncFunctionDef) or has_other_decorators(function.node):
            return Call(function, call, frame.snapshot())
        arguments = self.arguments(call, frame)
        if isinstance(arguments, Unreadable):
            return arguments
        inner = self._enter(function, *arguments)
        if isinstance(inner, Unreadable):
            return inner
        inner.site = call if frame.module is self.main else frame.site
        self._depth += 1
        try:
            if isinstance(function.node, ast.Lambda):
                return self.value(function.node.body, inner)
            if is_generator(function.node):
                self._yields.append([])
                try:
                    done = self.run(function.node.body, inner)
                finally:
                    produced = self._yields.pop()
                return produced if done is None or done.value is None else [Rest(reason_of(done.value))]
            done = self.run(function.node.body, inner)
            return None if done is None else done.value
        finally:
            self._depth -= 1

    def _enter(
        self, function: FunctionValue, positional: list[Value], keywords: dict[str, Value]
    ) -> Frame | Unreadable:
        """The frame of `function` called with these arguments."""
        names = bind_parameters(
            function.node.args,
            [*function.bound, *positional],
            keywords,
            lambda node: self.value(node, function.frame),
        )
        if isinstance(names, Unreadable):
            return names
        if function.owner is not None and function.bound:
            own = function.node.args.args[0].arg if function.node.args.args else "self"
            names["super()"] = Super(function.owner, own)
        return Frame(function.frame.module, names, function.frame)

    def construct(
        self, init: FunctionValue, instance: Instance, call: Call
    ) -> tuple[list[Value], dict[str, Value], Frame] | Unreadable:
        """Follow the constructor `init` for `call`: the arguments that it gives its base, and the frame it ended with.

        Unreadable when it gives none, or not always the same.
        """
        if self._depth >= MAX_DEPTH:
            return Unreadable("has a constructor that is too deep to follow")
        arguments = self.arguments(call.node, call.frame, lazy=True)
        if isinstance(arguments, Unreadable):
            return arguments
        return self.construct_with(
            init, instance, *arguments, site=call.node if call.frame.module is self.main else None
        )

    def construct_with(
        self,
        init: FunctionValue,
        instance: Instance,
        positional: list[Value],
        keywords: dict[str, Value],
        *,
        site: ast.expr | None,
    ) -> tuple[list[Value], dict[str, Value], Frame] | Unreadable:
        """Like `construct`, with evaluated arguments."""
        bound = FunctionValue(init.node, init.frame, (instance,), init.owner)
        inner = self._enter(bound, positional, keywords)
        if isinstance(inner, Unreadable) or isinstance(init.node, ast.Lambda):
            return inner if isinstance(inner, Unreadable) else Unreadable("has a lambda as constructor")
        inner.site = site
        self._depth += 1
        self._constructed.append([])
        try:
            self.run(init.node.body, inner)
        finally:
            self._depth -= 1
            met = self._constructed.pop()
        if len(met) != 1:
            return Unreadable("has a constructor that cannot be followed")
        passed = self.arguments(met[0][1].node, met[0][1].frame, lazy=True)
        return passed if isinstance(passed, Unreadable) else (*passed, inner)

    def constructed(self, owner: Super, call: ast.Call, frame: Frame) -> Value:
        if self._constructed:
            # The arguments are read later: dictionaries that the constructor goes on changing must not change them.
            names = {name: copy_container(value) for name, value in frame.names.items()}
            met = (owner, Call(owner, call, Frame(frame.module, names, frame.parent, frame.site)))
            # What happens only sometimes counts twice, so that nobody takes it for the one thing that happens.
            self._constructed[-1] += [met] * (2 if self._undecided else 1)
        return None

    def method_of_call(
        self, method: FunctionValue, constructors: Sequence[FunctionValue], call: Call, *leading: Value
    ) -> FunctionValue:
        """`method` of the object that `call` makes, called with `leading`; what its constructor set is known in it."""
        owner = call.callee if isinstance(call.callee, ClassValue) else method.owner
        if owner is None:
            return method
        instance = Instance(owner)
        names: dict[str, Value] = {}
        arguments = self.arguments(call.node, call.frame)
        if constructors and not isinstance(arguments, Unreadable):
            names = self.construction(constructors[0], instance, *arguments)
        frame = Frame(method.frame.module, {key: value for key, value in names.items() if "." in key}, method.frame)
        return FunctionValue(method.node, frame, (instance, *leading), owner)

    def construction(
        self,
        init: FunctionValue,
        instance: Instance,
        positional: list[Value],
        keywords: dict[str, Value],
        attributes: Mapping[str, Value] | None = None,
    ) -> dict[str, Value]:
        """The local names after the constructor `init` has run, attributes of the instance as ``self.name`` among them.

        `attributes` are those the instance has before.
        """
        inner = self._enter(FunctionValue(init.node, init.frame, (instance,), init.owner), positional, keywords)
        if isinstance(inner, Unreadable) or isinstance(init.node, ast.Lambda) or not init.node.args.args:
            return {}
        own = init.node.args.args[0].arg
        inner.names.update({f"{own}.{name}": value for name, value in (attributes or {}).items()})
        self._constructed.append([])
        self._depth += 1
        try:
            self.run(init.node.body, inner)
        finally:
            self._depth -= 1
            self._constructed.pop()
        return inner.names

    def set_class_attribute(self, owner: ClassValue, name: str, value: Value) -> None:
        self.namespace(owner)[name] = value

    # Statements.

    def run(self, body: Sequence[ast.stmt], frame: Frame) -> _Return | None:
        """Follow `body`; what it returned, or None when it ran to its end."""
        for index, statement in enumerate(body):
            self.spend()
            kind = statement.__class__
            if kind is ast.Assign:
                value = self.value(statement.value, frame)  # type: ignore[attr-defined]
                for target in statement.targets:  # type: ignore[attr-defined]
                    self.assign(target, value, frame)
                continue
            if kind is ast.If:
                holds = self.truth(statement.test, frame)  # type: ignore[attr-defined]
                if holds is None:
                    return self._either(statement, body[index + 1 :], frame)  # type: ignore[arg-type]
                done = self.run(statement.body if holds else statement.orelse, frame)  # type: ignore[attr-defined]
            else:
                done = self._statement(statement, frame)
            if done is not None:
                return done
        return None

    def _statement(self, statement: ast.stmt, frame: Frame) -> _Return | None:
        match statement:
            case ast.Expr():
                self._expression(statement.value, frame)
            case ast.AnnAssign() if statement.value is not None:
                self.assign(statement.target, self.value(statement.value, frame), frame)
            case ast.AugAssign():
                self._augmented(statement, frame)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                frame.bind(statement.name, FunctionValue(statement, frame.snapshot()))
            case ast.ClassDef():
                frame.bind(statement.name, self._class(statement, frame))
            case ast.Import():
                for alias in statement.names:
                    self._import(alias, frame)
            case ast.ImportFrom():
                for alias in statement.names:
                    if alias.name != "*":
                        bound = alias.asname or alias.name
                        frame.bind(bound, LazyImport(statement, bound, frame.module))
            case ast.For():
                return self._for(statement, frame)
            case ast.With():
                for item in statement.items:
                    value = self.value(item.context_expr, frame)
                    if item.optional_vars is not None:
                        entered = value if isinstance(value, OpenFile) else Unreadable(reason_of(value))
                        self.assign(item.optional_vars, entered, frame)
                return self.run(statement.body, frame)
            case ast.Try() | ast.TryStar():
                return self._try(statement, frame)
            case ast.Return():
                return _Return(None if statement.value is None else self.value(statement.value, frame))
            case ast.Raise():
                return _Raise(Unreadable("raises an exception"))
            case ast.Break() | ast.Continue():
                return _Leave(isinstance(statement, ast.Break))
            case ast.Delete():
                self._forget(statement, frame, "deletes it")
            case ast.While() | ast.AsyncFor() | ast.AsyncWith() | ast.Match():
                self._forget(statement, frame, f"is changed in a `{type(statement).__name__.lower()}` statement")
        return None

    def _expression(self, node: ast.expr, frame: Frame) -> None:
        if isinstance(node, ast.Yield | ast.YieldFrom) and self._yields:
            value = None if node.value is None else self.value(node.value, frame)
            self._yields[-1] += [value] if isinstance(node, ast.Yield) else operators.as_elements(value)
            return
        if not isinstance(node, ast.Call):
            return
        value = self.value(node, frame)
        if isinstance(value, Call) and not isinstance(value.callee, ClassValue):
            # A function that nobody can follow got a list: it may have changed it.
            for argument in node.args:
                if isinstance(argument, ast.Name):
                    held = self.name(argument.id, frame)
                    if isinstance(held, list):
                        held.append(Rest(f"may be changed by `{shorten(node.func)}()`"))

    def _augmented(self, statement: ast.AugAssign, frame: Frame) -> None:
        target = statement.target
        current = self.value(target, frame)
        right = self.plain(statement.value, frame)
        if isinstance(current, list) and isinstance(statement.op, ast.Add):
            current.extend(operators.as_elements(right))
            return
        self.assign(target, operators.binary(statement.op, current, right), frame)

    def _class(self, statement: ast.ClassDef, frame: Frame) -> ClassValue:
        # A class in a function is `function.<locals>.Name` for Python; its name is enough here.
        bases = tuple(self.value(base, frame) for base in statement.bases)
        return ClassValue(statement, frame.snapshot(), statement.name, bases)

    def _import(self, alias: ast.alias, frame: Frame) -> None:
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        known = not name.startswith("django") and self.modules.knows(name)
        module = self.modules.find(name) if known else None
        frame.bind(alias.asname or name, Ref(name) if module is None else ModuleValue(module))

    def _for(self, statement: ast.For, frame: Frame) -> _Return | None:
        elements = operators.iterate(self.plain(statement.iter, frame))
        for marker in elements:
            if isinstance(marker, Rest | Conditional):
                self._forget(statement, frame, marker.reason)
                return _Return(Unreadable(marker.reason)) if _contains(statement, ast.Return) else None
        for element in elements:
            self.spend()
            self.assign(statement.target, element, frame)
            done = self.run(statement.body, frame)
            if isinstance(done, _Leave):
                if done.breaks:
                    return None
            elif done is not None:
                return done
        return self.run(statement.orelse, frame)

    def _try(self, statement: ast.Try | ast.TryStar, frame: Frame) -> _Return | None:
        """The body, as if nothing were raised; except that a module without source may be absent."""
        done = self.run(statement.body, frame)
        if done is None:
            done = self.run(statement.orelse, frame)
        elif isinstance(done, _Raise):
            return done
        bound = frame.names
        for handler in statement.handlers:
            for name in dict.fromkeys(name for inner in handler.body for name in affected_names(inner)):
                if name not in bound and not isinstance(self.name(name, frame), Ref | ModuleValue | LazyImport):
                    frame.bind(name, Unreadable("depends on whether an exception is raised"))
                elif name in bound and not isinstance(bound[name], _DEFINITIONS):
                    other = Frame(frame.module, dict(frame.names), frame.parent, frame.site)
                    self.run(handler.body, other)
                    reason = "depends on whether an exception is raised"
                    frame.bind(name, operators.choice((bound[name], other.names.get(name)), reason))
        return self.run(statement.finalbody, frame) or done

    def _either(self, statement: ast.If, rest: Sequence[ast.stmt], frame: Frame) -> _Return | None:
        """A condition that cannot be decided: both ways, and what differs is marked."""
        reason = f"depends on `{shorten(statement.test)}`"
        if _contains(statement, ast.Break, ast.Continue):
            for skipped in (statement, *rest):
                self._forget(skipped, frame, reason)
            return None
        # Where a way returns, what comes after the statement belongs to the other.
        after = rest if _contains(statement, ast.Return) else ()
        # A way costs what is copied for it: a chain of such conditions has more ways than anyone can follow.
        self.spend(100 + sum(len(value) for value in frame.names.values() if isinstance(value, list | dict)))
        one, other = fork(frame), fork(frame)
        self._undecided += 1
        try:
            first = self.run([*statement.body, *after], one)
            second = self.run([*statement.orelse, *after], other)
        finally:
            self._undecided -= 1
        if isinstance(first, _Raise) and isinstance(second, _Raise):
            return first
        if isinstance(first, _Raise) or isinstance(second, _Raise):
            # This way ends in an exception: what comes after holds for the other.
            names, done = (other.names, second) if isinstance(first, _Raise) else (one.names, first)
            frame.replace(names)
        else:
            frame.replace(merge_names(one.names, other.names, reason))
            values = [None if way is None else way.value for way in (first, second)]
            done = _Return(operators.choice(values, reason)) if after or first or second else None
        return done if after or done is not None else self.run(rest, frame)

    def _forget(self, statement: ast.stmt, frame: Frame, reason: str) -> None:
        """What `statement` may change is unknown from here on."""
        for name in dict.fromkeys(affected_names(statement)):
            held = self.name(name, frame)
            if isinstance(held, list):
                # What a list had before is still there when nothing but additions can be seen.
                held[:] = [*(held if only_grows(name, statement) else ()), Rest(reason)]
            else:
                frame.bind(name, Unreadable(reason))


def only_grows(name: str, statement: ast.stmt) -> bool:
    """Whether all that `statement` does with the list `name` is to add elements at its end."""
    mentions = additions = 0
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id == name:
            mentions += 1
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            additions += isinstance(node.target, ast.Name) and node.target.id == name
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            additions += (
                isinstance(function, ast.Attribute)
                and function.attr in ("append", "extend")
                and isinstance(function.value, ast.Name)
                and function.value.id == name
            )
    return mentions == additions


def fork(frame: Frame) -> Frame:
    """A copy of `frame` whose lists and dictionaries change alone; names of enclosing frames are not copied."""
    seen: dict[int, Value] = {}
    names = {name: copy_container(value, seen) for name, value in frame.names.items()}
    return Frame(frame.module, names, frame.parent, frame.site)


def copy_container(value: Value, seen: dict[int, Value] | None = None) -> Value:
    """A copy of a list, dictionary or set (one level: what is in it is shared), any other value itself."""
    if not isinstance(value, list | dict | set):
        return value
    seen = {} if seen is None else seen
    if id(value) not in seen:
        seen[id(value)] = value.copy()
    return seen[id(value)]


def merge_names(one: dict[str, Value], other: dict[str, Value], reason: str) -> dict[str, Value]:
    """The names after either of two ways."""
    merged: dict[str, Value] = {}
    for name in dict.fromkeys((*one, *other)):
        if name in one and name in other:
            merged[name] = operators.choice((one[name], other[name]), reason)
        else:
            merged[name] = operators.choice((one.get(name, other.get(name)), Unbound(reason)), reason)
    return merged


def or_inherited(value: Value, inherited: Value) -> Value:
    """The attribute of a class whose body binds `value`, which may be on some ways only."""
    if isinstance(value, Choice) and any(isinstance(branch, Unbound) for branch in value.branches):
        branches = [inherited if isinstance(branch, Unbound) else branch for branch in value.branches]
        return operators.choice(branches, value.reason)
    return value


def has_decorator_of(function: FunctionValue, name: str) -> bool:
    """Whether `function` has the decorator `name`."""
    return not isinstance(function.node, ast.Lambda) and has_decorator(function.node, name)


def has_other_decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether a decorator that is not Python's own changes what calling `node` does."""
    return not isinstance(node, ast.Lambda) and any(
        not (isinstance(decorator, ast.Name) and decorator.id in ("staticmethod", "classmethod"))
        for decorator in node.decorator_list
    )


def is_generator(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether `node` itself (not a function in it) yields."""
    pending: list[ast.AST] = list(node.body)
    while pending:
        current = pending.pop()
        if isinstance(current, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(current))
    return False


def _contains(statement: ast.stmt, *kinds: type[ast.stmt]) -> bool:
    """Whether there is a statement of `kinds` in `statement`, functions in it aside."""
    pending: list[ast.AST] = [statement]
    while pending:
        current = pending.pop()
        if isinstance(current, kinds):
            return True
        if not isinstance(current, ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(current))
    return False

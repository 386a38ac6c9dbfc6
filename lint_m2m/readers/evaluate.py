"""What an expression's value is, told from its source.

`Evaluator.value` never runs anything of the project and never raises for what it meets: where only running code can
tell, it returns an `Unreadable` with the reason, a `Choice`, or a list with `Conditional` or `Rest` in it. Calls of
what is not a function with source are not judged here: they become `Call`s, and whoever wanted an operation or a field
reads them.

Everything is bounded (`MAX_STEPS`, and the limits in `operators`): the source may be hostile.
"""

from __future__ import annotations

import abc
import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from lint_m2m.readers import calls, operators
from lint_m2m.readers.modules import Module, Modules
from lint_m2m.readers.values import (
    REST,
    Call,
    Choice,
    ClassValue,
    Conditional,
    FilePath,
    Frame,
    FunctionValue,
    Instance,
    LazyImport,
    LazyValue,
    ModuleValue,
    Ref,
    Rest,
    Setting,
    Super,
    Unreadable,
    Value,
    reason_of,
    shorten,
)

# Expressions evaluated for one migration. The largest known one (3,000 lines of literals) needs 20,000.
MAX_STEPS: Final = 200_000

# Django's own default.
_USER: Final = "auth.User"
_ADD: Final = ast.Add()
_SETTINGS: Final = frozenset({"django.conf.settings", "django.conf.LazySettings"})


class TooMuch(Exception):
    """The evaluation of one migration took more than any real one does; the text says of what."""

    def __init__(self, reason: str = "it takes too many steps to evaluate") -> None:
        super().__init__(reason)
        self.reason = reason


class Evaluator(abc.ABC):
    """Evaluates expressions for one migration, whose file is `main`.

    `settings` are the settings whose value is known, swappable models first of all.
    """

    def __init__(self, modules: Modules, main: Module, settings: Mapping[str, str]) -> None:
        self.modules = modules
        self.main = main
        self.settings = settings
        self.steps = MAX_STEPS
        # ``models.CharField``: what a top-level name's attribute is, where that is a class without source.
        self._classes: dict[tuple[str, str], Ref] = {}

    # What needs statements: see `interpret`.

    @abc.abstractmethod
    def module_attribute(self, module: Module, name: str) -> Value | None:
        """What top-level `name` of `module` is bound to; None when nothing in it binds the name."""

    @abc.abstractmethod
    def imported(self, statement: ast.ImportFrom, bound: str, module: Module) -> Value:
        """What ``from x import …`` in `module` binds to the name `bound`."""

    @abc.abstractmethod
    def class_attribute(self, owner: ClassValue, name: str) -> Value | None:
        """What `name` is in the class `owner` or its bases; None when no known class has it."""

    @abc.abstractmethod
    def set_class_attribute(self, owner: ClassValue, name: str, value: Value) -> None:
        """``owner.name = value``."""

    @abc.abstractmethod
    def follow(self, function: FunctionValue, call: ast.Call, frame: Frame) -> Value:
        """What `function` returns for the arguments of `call`, which stands in `frame`."""

    @abc.abstractmethod
    def constructed(self, owner: Super, call: ast.Call, frame: Frame) -> Value:
        """Note the arguments of ``super().__init__()``; returns what that expression is worth (None)."""

    def spend(self, steps: int = 1) -> None:
        """Count steps."""
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch

    # Expressions.

    def value(self, node: ast.expr, frame: Frame) -> Value:
        """What `node` stands for. TooMuch and RecursionError are for `static` to catch."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMuch
        if node.__class__ is ast.Constant:
            return node.value
        handler = _HANDLERS.get(node.__class__)
        if handler is None:
            return Unreadable(f"needs `{shorten(node)}` to run")
        return handler(self, node, frame)

    def plain(self, node: ast.expr, frame: Frame) -> Value:
        """Like `value`, with a setting whose value is known replaced by it."""
        return self.known(self.value(node, frame))

    def known(self, value: Value) -> Value:
        """`value`, or what it is worth if it is a setting whose value is known."""
        if isinstance(value, LazyValue):
            value = self.value(value.node, value.frame)
        if isinstance(value, Setting):
            return self.settings.get(value.name, value)
        return value

    def resolved(self, value: Value) -> Value:
        """`value`, or what it imports."""
        if isinstance(value, LazyImport):
            return self.imported(value.statement, value.name, value.module)
        if isinstance(value, LazyValue):
            return self.value(value.node, value.frame)
        if isinstance(value, Choice):
            return operators.choice(tuple(map(self.resolved, value.branches)), value.reason)
        return value

    def name(self, name: str, frame: Frame) -> Value:
        """What `name` is bound to where `frame` is the innermost frame."""
        scope: Frame | None = frame
        while scope is not None:
            if name in scope.names:
                return self.resolved(scope.names[name])
            scope = scope.parent
        module = frame.module
        value = self.module_attribute(module, name)
        if value is not None:
            return value
        if name == "__file__":
            return FilePath(module.path)
        if name == "__name__":
            return module.name
        if name in calls.BUILTINS:
            return Ref(f"builtins.{name}")
        if module.lost:
            return Unreadable(f"uses `{name}`, which may be in a part of the file that cannot be parsed")
        return Unreadable(f"uses `{name}`, which the file does not define")

    def attribute(self, base: Value, name: str) -> Value:
        """What ``base.name`` is."""
        if isinstance(base, Ref):
            if base.path in _SETTINGS:
                return Setting(name, _USER if name == "AUTH_USER_MODEL" else None)
            return self.modules.references.get((base.path, name)) or self._reference(base, name)
        if isinstance(base, ModuleValue):
            return self._member(base.module, name)
        if isinstance(base, ClassValue | Instance):
            owner = base.of if isinstance(base, Instance) else base
            found = self.class_attribute(owner, name)
            if isinstance(found, FunctionValue) and isinstance(base, Instance):
                return bind_method(found, base)
            return Unreadable(f"needs `{owner.qualname}.{name}`") if found is None else found
        if isinstance(base, Call) and isinstance(base.callee, ClassValue):
            return self.attribute(Instance(base.callee), name)
        if isinstance(base, FilePath):
            return calls.path_attribute(base, name)
        if isinstance(base, Setting):
            return base
        if isinstance(base, Choice):
            return operators.choice(tuple(self.attribute(branch, name) for branch in base.branches), base.reason)
        if isinstance(base, Unreadable):
            return base
        return Unreadable(reason_of(base))

    def _reference(self, base: Ref, name: str) -> Value:
        """An attribute of something without source; a module of a namespace package has source nevertheless."""
        path = f"{base.path}.{name}"
        result: Ref | ModuleValue = Ref(path)
        if not path.startswith("django.") and self.modules.knows(path):
            module = self.modules.find(path)
            if module is not None:
                result = ModuleValue(module)
        self.modules.references[base.path, name] = result
        return result

    def _member(self, module: Module, name: str) -> Value:
        """A name in a module.

        ``import a.b.c`` makes a.b a module, whatever a/__init__.py binds (and need not be parsed for). A name that only
        a star import could bring is a submodule first: packages import their own parts.
        """
        if f"{module.name}.{name}" in self.main.packages or name not in module.bindings:
            submodule = self.modules.submodule(module, name)
            if submodule is not None:
                return ModuleValue(submodule)
        found = self.module_attribute(module, name)
        return Ref(f"{module.name}.{name}") if found is None else found

    def dotted(self, path: str) -> Value:
        """What the dotted `path` names: ``import_string(path)``."""
        first, *rest = path.split(".")
        module = self.modules.find(first) if self.modules.knows(first) else None
        value: Value = Ref(first) if module is None else ModuleValue(module)
        for name in rest:
            value = self.attribute(value, name)
        return value

    def truth(self, node: ast.expr, frame: Frame) -> bool | None:
        """Whether the condition `node` holds; None when only running code can tell."""
        if isinstance(node, ast.BoolOp):
            stop = isinstance(node.op, ast.Or)
            result: bool | None = not stop
            for operand in node.values:
                holds = self.truth(operand, frame)
                if holds is stop:
                    return stop
                if holds is None:
                    result = None
            return result
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            holds = self.truth(node.operand, frame)
            return None if holds is None else not holds
        return operators.truth(self.plain(node, frame))

    def elements(self, nodes: list[ast.expr], frame: Frame) -> list[Value]:
        """The elements of a list, tuple or set display; what cannot be read becomes `Unreadable` or `Rest` in it."""
        result: list[Value] = []
        for node in nodes:
            if node.__class__ is ast.Starred:
                result += operators.as_elements(self.plain(node.value, frame))
            else:
                result.append(self.value(node, frame))
        return result

    def arguments(
        self, node: ast.Call, frame: Frame, *, lazy: bool = False
    ) -> tuple[list[Value], dict[str, Value]] | Unreadable:
        """The arguments of a call; Unreadable when not even their number or names can be told.

        If `lazy`, whatever is no constant stays a `LazyValue` until somebody asks for it.
        """
        if lazy:
            frame = frame.snapshot()
            positional = []
            for argument in node.args:
                if isinstance(argument, ast.Starred | ast.Constant):
                    positional += self.elements([argument], frame)
                else:
                    positional.append(LazyValue(argument, frame))
        else:
            positional = self.elements(node.args, frame)
        for value in positional:
            if isinstance(value, Rest | Conditional):
                return Unreadable(value.reason)
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                if lazy and keyword.value.__class__ is not ast.Constant:
                    keywords[keyword.arg] = LazyValue(keyword.value, frame)
                else:
                    keywords[keyword.arg] = self.value(keyword.value, frame)
                continue
            more = self.value(keyword.value, frame)
            if not isinstance(more, dict) or REST in more or not all(isinstance(key, str) for key in more):
                return Unreadable(reason_of(more))
            keywords.update(more)
        return positional, keywords

    def _name(self, node: ast.Name, frame: Frame) -> Value:
        return self.name(node.id, frame)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        base = self.value(node.value, frame)
        if isinstance(base, Instance) and isinstance(node.value, ast.Name):
            key = f"{node.value.id}.{node.attr}"
            scope: Frame | None = frame
            while scope is not None:
                if key in scope.names:
                    return scope.names[key]
                scope = scope.parent
        return self.attribute(base, node.attr)

    def _call(self, node: ast.Call, frame: Frame) -> Value:
        function = node.func
        if isinstance(function, ast.Attribute):
            name = function.value.id if isinstance(function.value, ast.Name) else None
            if name is not None:
                cls = self._classes.get((name, function.attr))
                if cls is not None and frame.module is self.main and not frame.binds(name):
                    return Call(cls, node, frame.snapshot())
            base = self._method_base(function, frame)
            if isinstance(base, Super) and function.attr == "__init__":
                return self.constructed(base, node, frame)
            if calls.has_methods(base):
                arguments = self.arguments(node, frame)
                if isinstance(arguments, Unreadable):
                    calls.spoil(base, arguments.reason)
                    return arguments
                return calls.call_method(self, base, function.attr, *arguments)
            if isinstance(base, Unreadable):
                return Call(base, node, frame.snapshot())
            callee = (
                self._attribute(function, frame) if isinstance(base, Instance) else self.attribute(base, function.attr)
            )
        else:
            callee = self.value(function, frame)
        if isinstance(callee, Ref):
            known = calls.KNOWN.get(callee.path)
            if known is not None:
                if callee.path == "builtins.super":
                    return self._super(frame)
                arguments = self.arguments(node, frame)
                return arguments if isinstance(arguments, Unreadable) else known(self, *arguments)
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                name = function.value.id
                if frame.module is self.main and not frame.binds(name):
                    self._classes[name, function.attr] = callee
        elif isinstance(callee, FunctionValue):
            return self.follow(callee, node, frame)
        return Call(callee, node, frame.snapshot())

    def _method_base(self, function: ast.Attribute, frame: Frame) -> Value:
        base = self.value(function.value, frame)
        return self.known(base) if isinstance(base, Setting) else base

    def _super(self, frame: Frame) -> Value:
        """``super()`` as the method whose frame encloses `frame` means it."""
        scope: Frame | None = frame
        while scope is not None:
            current = scope.names.get("super()")
            if current is not None:
                return current
            scope = scope.parent
        return Unreadable("needs `super()`")

    def _list(self, node: ast.List, frame: Frame) -> Value:
        return self.elements(node.elts, frame)

    def _tuple(self, node: ast.Tuple, frame: Frame) -> Value:
        return tuple(self.elements(node.elts, frame))

    def _set(self, node: ast.Set, frame: Frame) -> Value:
        return operators.as_set(self.elements(node.elts, frame))

    def _dict(self, node: ast.Dict, frame: Frame) -> Value:
        result: dict[Value, Value] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            if key_node is None:
                operators.update_dict(result, self.value(value_node, frame))
                continue
            key = self.plain(key_node, frame)
            value = self.value(value_node, frame)
            if operators.is_plain(key) and operators.hashable(key):
                result[key] = value
            else:
                result[REST] = Unreadable(reason_of(key))
        return result

    def _binary(self, node: ast.BinOp, frame: Frame) -> Value:
        # A long concatenation nests to the left: walk down it instead of recursing.
        chain: list[ast.BinOp] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            chain.append(left)
            left = left.left
        value = self.plain(left, frame)
        for step in reversed(chain):
            self.steps -= 1
            value = operators.binary(step.op, value, self.plain(step.right, frame))
        return value

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Value:
        return operators.unary(node.op, self.plain(node.operand, frame))

    def _boolean(self, node: ast.BoolOp, frame: Frame) -> Value:
        """``a or b``: the first that counts as true; a value of which that cannot be told may be what comes out."""
        stop = isinstance(node.op, ast.Or)
        possible: list[Value] = []
        reason = ""
        for operand in node.values:
            value = self.plain(operand, frame)
            holds = operators.truth(value)
            if holds is stop or operand is node.values[-1]:
                possible.append(value)
                break
            if holds is None:
                possible.append(value)
                reason = reason or f"depends on `{shorten(operand)}`"
        return operators.choice(possible, reason)

    def _compare(self, node: ast.Compare, frame: Frame) -> Value:
        left = self.plain(node.left, frame)
        result: Value = True
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.plain(right_node, frame)
            result = operators.compare(operator, left, right)
            if result is not True:
                return result
            left = right
        return result

    def _conditional(self, node: ast.IfExp, frame: Frame) -> Value:
        holds = self.truth(node.test, frame)
        if holds is None:
            branches = (self.value(node.body, frame), self.value(node.orelse, frame))
            return operators.choice(branches, f"depends on `{shorten(node.test)}`")
        return self.value(node.body if holds else node.orelse, frame)

    def _joined(self, node: ast.JoinedStr, frame: Frame) -> Value:
        result: Value = ""
        for part in node.values:
            result = operators.binary(_ADD, result, self.plain(part, frame))
        return result

    def _formatted(self, node: ast.FormattedValue, frame: Frame) -> Value:
        value = self.plain(node.value, frame)
        spec = "" if node.format_spec is None else self.value(node.format_spec, frame)
        return operators.formatted(value, node.conversion, spec)

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        base = self.plain(node.value, frame)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                None if bound is None else self.plain(bound, frame)
                for bound in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return operators.slice_of(base, bounds)
        return operators.item(base, self.plain(node.slice, frame))

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, frame: Frame) -> Value:
        result: list[Value] = []
        self._generate(node.generators, 0, frame, lambda inner: result.append(self.value(node.elt, inner)), result)
        return operators.as_set(result) if isinstance(node, ast.SetComp) else result

    def _dict_comprehension(self, node: ast.DictComp, frame: Frame) -> Value:
        result: dict[Value, Value] = {}

        def add(inner: Frame) -> None:
            key = self.plain(node.key, inner)
            value = self.value(node.value, inner)
            if operators.is_plain(key) and operators.hashable(key):
                result[key] = value
            else:
                result[REST] = Unreadable(reason_of(key))

        gaps: list[Value] = []
        self._generate(node.generators, 0, frame, add, gaps)
        if gaps:
            result[REST] = Unreadable(reason_of(gaps[0]))
        return result

    def _generate(
        self,
        generators: list[ast.comprehension],
        index: int,
        frame: Frame,
        add: Callable[[Frame], None],
        result: list[Value],
    ) -> None:
        """Call `add` for each round of the comprehension; what cannot be told goes into `result` as a marker."""
        if index == len(generators):
            add(frame)
            return
        generator = generators[index]
        for element in operators.iterate(self.plain(generator.iter, frame)):
            if isinstance(element, Rest | Conditional):
                result.append(Rest(element.reason))
                continue
            inner = Frame(frame.module, {}, frame, frame.site)
            self.assign(generator.target, element, inner)
            verdict: bool | None = True
            for condition in generator.ifs:
                holds = self.truth(condition, inner)
                if holds is False:
                    verdict = False
                    break
                if holds is None:
                    verdict = None
            if verdict:
                self._generate(generators, index + 1, inner, add, result)
            elif verdict is None:
                result.append(Rest("depends on a condition that only running code can decide"))

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Bind the names of `target` in `frame`."""
        match target:
            case ast.Name():
                frame.bind(target.id, value)
            case ast.Tuple() | ast.List():
                parts = operators.unpack(value, target.elts)
                for element, part in zip(target.elts, parts, strict=True):
                    self.assign(element.value if isinstance(element, ast.Starred) else element, part, frame)
            case ast.Attribute(value=ast.Name() as base):
                holder = self.name(base.id, frame)
                if isinstance(holder, Instance):
                    frame.bind(f"{base.id}.{target.attr}", value)
                elif isinstance(holder, ClassValue):
                    self.set_class_attribute(holder, target.attr, value)
            case ast.Subscript():
                container = self.value(target.value, frame)
                key = self.plain(target.slice, frame) if not isinstance(target.slice, ast.Slice) else REST
                operators.set_item(container, key, value)
            case _:
                pass

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Value:
        return FunctionValue(node, frame.snapshot())

    def _walrus(self, node: ast.NamedExpr, frame: Frame) -> Value:
        value = self.value(node.value, frame)
        frame.bind(node.target.id, value)
        return value


def bind_method(function: FunctionValue, instance: Value) -> FunctionValue:
    """`function` looked up on an instance: it gets the instance first, unless it is a static method."""
    node = function.node
    if function.bound or isinstance(node, ast.Lambda) or has_decorator(node, "staticmethod"):
        return function
    return FunctionValue(node, function.frame, (instance,), function.owner)


def has_decorator(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str) -> bool:
    """Whether `node` has the decorator `name`."""
    return any(isinstance(decorator, ast.Name) and decorator.id == name for decorator in node.decorator_list)


# Dispatch by class: on the path of every expression of every migration.
_HANDLERS: Final[dict[type, Callable[[Evaluator, Any, Frame], Value]]] = {
    ast.Name: Evaluator._name,
    ast.Attribute: Evaluator._attribute,
    ast.Call: Evaluator._call,
    ast.List: Evaluator._list,
    ast.Tuple: Evaluator._tuple,
    ast.Set: Evaluator._set,
    ast.Dict: Evaluator._dict,
    ast.BinOp: Evaluator._binary,
    ast.UnaryOp: Evaluator._unary,
    ast.BoolOp: Evaluator._boolean,
    ast.Compare: Evaluator._compare,
    ast.IfExp: Evaluator._conditional,
    ast.JoinedStr: Evaluator._joined,
    ast.FormattedValue: Evaluator._formatted,
    ast.Subscript: Evaluator._subscript,
    ast.ListComp: Evaluator._comprehension,
    ast.GeneratorExp: Evaluator._comprehension,
    ast.SetComp: Evaluator._comprehension,
    ast.DictComp: Evaluator._dict_comprehension,
    ast.Lambda: Evaluator._lambda,
    ast.NamedExpr: Evaluator._walrus,
}

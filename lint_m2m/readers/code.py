"""What a RunPython function deals with, told from its source: `CodeFacts`.

The function is walked, not evaluated; helpers in the same module and in the project are walked with it (`MAX_DEPTH`,
`MAX_WALKS`). What matters is whether code may touch rows or tables that it does not show: a call of something
without source counts when it is given the registry, the schema editor, a model, a row or a queryset (`flow`), or when
it runs commands. What a class without source might do with a string or a number does not count.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from lint_m2m.migration import CodeFacts, ModelKey, Store
from lint_m2m.readers import operators
from lint_m2m.readers.calls import BUILTINS
from lint_m2m.readers.django_names import NOOPS
from lint_m2m.readers.flow import Flow, nodes_in, stored_names
from lint_m2m.readers.interpret import Interpreter
from lint_m2m.readers.references import label_of_module, model_of_class
from lint_m2m.readers.sql import looks_like_sql
from lint_m2m.readers.stores import WRITES, Models, Stores
from lint_m2m.readers.values import (
    Call,
    Choice,
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    LazyImport,
    ModuleValue,
    Ref,
    Setting,
    Unreadable,
    Value,
    reason_of,
    shorten,
)
from lint_m2m.values import declare, slotted

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

MAX_DEPTH: Final = 4
MAX_WALKS: Final = 120
# How many nodes a table of constants may have to be evaluated: names of models stand in short ones.
MAX_TABLE: Final = 200

_IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")
_EXECUTES: Final = frozenset(
    {"callproc", "cursor", "copy_expert", "copy_from", "execute", "executemany", "executescript"}
)
# What of the schema editor touches nothing.
_EDITOR_READS: Final = frozenset({"connection", "quote_name", "quote_value", "prepare_default"})
# Packages whose functions do nothing to the rows and models that they are given.
_HARMLESS: Final = frozenset({"builtins", "dateutil", "django", "pytz", "six", "tqdm", *sys.stdlib_module_names})
# Django functions that run whatever there is.
_COMMANDS: Final = (
    "django.core.management.call_command",
    "django.core.management.commands.",
    "django.core.serializers.",
)
_GET_USER_MODEL: Final = "django.contrib.auth.get_user_model"
_USER_SETTING: Final = "AUTH_USER_MODEL"
_USER_DEFAULT: Final = "auth.User"
_RUNNERS: Final = frozenset({"builtins.exec", "builtins.eval", "builtins.compile", "builtins.__import__"})


def code_facts(session: Session, value: Value) -> CodeFacts | None:
    """What is known of the function `value` of a RunPython; None when it is a no-op."""
    if isinstance(value, Ref) and value.path in NOOPS:
        return None
    return function_facts(session, value)


def function_facts(session: Session, value: Value, given: Mapping[str, Value] | None = None) -> CodeFacts:
    """What is known of the function `value`, which gets `given` beside the registry and the schema editor."""
    collector = _Collector(session)
    try:
        name = collector.start(value, dict(given or {}))
    except RecursionError:
        name, collector.opaque = "?", "it is nested too deep to follow"
    return CodeFacts(
        name=name,
        models=frozenset(collector.models),
        settings=frozenset(collector.settings),
        names=frozenset(collector.names),
        sql=tuple(dict.fromkeys(collector.sql)),
        uses_connection=collector.uses_connection,
        stores=None if collector.stores is None else frozenset(collector.stores),
        opaque=collector.opaque,
    )


@slotted()
class _Task:
    """A function to walk.

    `given` are the parameters that hold rows, models, the registry or the editor, `models` which models that is, where
    it is known; `values` what is known of the others.
    """

    function: FunctionValue
    given: frozenset[str]
    values: dict[str, Value]
    depth: int
    models: dict[str, Models] = declare(default_factory=dict)


@slotted()
class _Collector:
    session: Session
    models: set[ModelKey] = declare(default_factory=set)
    settings: set[str] = declare(default_factory=set)
    names: set[str] = declare(default_factory=set)
    sql: list[str] = declare(default_factory=list)
    uses_connection: bool = False
    stores: set[Store] | None = declare(default_factory=set)
    opaque: str | None = None
    _walks: int = 0
    _tasks: list[_Task] = declare(default_factory=list)
    _mentioned: list[_Task] = declare(default_factory=list)
    _seen: dict[ast.AST, _Task] = declare(default_factory=dict)

    def start(self, value: Value, given: dict[str, Value]) -> str:
        """Walk what `value` leads to, a function that gets `given` as well; returns what to call it."""
        for each in given.values():
            self._add_strings(each)
        name = self._enter(value, given)
        while self._tasks or self._mentioned:
            if self._tasks:
                self._walk(self._tasks.pop(0))
                continue
            # A function that is named, but not called in sight: it gets whatever its caller has.
            task = self._mentioned.pop(0)
            if task.function.node not in self._seen:
                self._add_task(task)
        return name

    def _enter(self, value: Value, values: dict[str, Value] | None = None) -> str:
        """Walk `value` as a function that gets the registry and the schema editor, and `values` beside them."""
        if isinstance(value, FunctionValue):
            arguments = value.node.args
            parameters = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
            own = 1 if value.owner is not None and not value.bound and parameters[:1] in (["self"], ["cls"]) else 0
            names = {*parameters[max(own, len(value.bound)) :]}
            names.update(rest.arg for rest in (arguments.vararg, arguments.kwarg) if rest is not None)
            self._add_task(_Task(value, frozenset(names - (values or {}).keys()), values or {}, 0))
            return value.name
        if isinstance(value, Call):
            return self._enter_call(value)
        if isinstance(value, Choice):
            return " or ".join(dict.fromkeys(self._enter(branch, values) for branch in value.branches))
        if isinstance(value, ClassValue):
            self._enter_class(value, 0)
            return value.qualname
        name = value.path.rpartition(".")[2] if isinstance(value, Ref) else "?"
        self._hide(f"`{name}` {reason_of(value)}" if name != "?" else f"the function {reason_of(value)}")
        return name

    def _enter_call(self, value: Call) -> str:
        """``partial(function, model_name="Book")``, an object with ``__call__``, what a decorated factory returns."""
        callee = value.callee
        if isinstance(callee, Ref) and callee.path in ("functools.partial", "functools.partialmethod"):
            return self._partial(value)
        if isinstance(callee, ClassValue):
            method = self.session.interpreter.class_attribute(callee, "__call__")
            if isinstance(method, FunctionValue):
                self._enter(method)
                return callee.qualname
        if isinstance(callee, FunctionValue):
            self._enter(callee)
        self._hide(f"what `{shorten(value.node.func)}()` returns cannot be followed")
        return shorten(value.node.func)

    def _partial(self, call: Call) -> str:
        interpreter = self.session.interpreter
        arguments = interpreter.arguments(call.node, call.frame)
        if isinstance(arguments, Unreadable) or not arguments[0]:
            self._hide("the arguments of `partial()` cannot be read")
            return "partial"
        (function, *positional), keywords = arguments
        for value in (*positional, *keywords.values()):
            self._add_strings(value)
        if isinstance(function, FunctionValue):
            bound = (*function.bound, *positional)
            function = FunctionValue(function.node, function.frame, bound, function.owner)
        return self._enter(function, keywords)

    def _enter_class(self, cls: ClassValue, depth: int) -> None:
        """Walk every method of a class that was given something: which of them run is not known."""
        for statement in cls.node.body:
            if isinstance(statement, ast.FunctionDef):
                method = FunctionValue(statement, cls.frame, (), cls)
                given = frozenset(argument.arg for argument in statement.args.args)
                self._add_task(_Task(method, given, {}, depth))

    def _add_task(self, task: _Task) -> None:
        """Walk a function, once more if it is called with more than before."""
        known = self._seen.get(task.function.node)
        if known is not None:
            given = task.given | known.given
            values = dict(known.values)
            for name, value in task.values.items():
                values[name] = operators.choice((values[name], value), "is an argument") if name in values else value
            models = _either(known.models, task.models)
            if (
                given == known.given
                and models == known.models
                and all(operators.same(value, known.values.get(name)) for name, value in values.items())
            ):
                return
            task = _Task(task.function, given, values, min(task.depth, known.depth), models)
        self._walks += 1
        if task.depth > MAX_DEPTH or self._walks > MAX_WALKS:
            if task.given:
                self._hide(f"`{task.function.name}()` is too deep to follow")
            return
        self._seen[task.function.node] = task
        self._tasks.append(task)

    def _hide(self, reason: str) -> None:
        """Something may do more than it shows. The first reason is enough."""
        if self.opaque is None:
            self.opaque = reason

    # One function.

    def _walk(self, task: _Task) -> None:
        flow = Flow(task.function.node, task.given)
        frame = self._frame(task, flow)
        for constant in dict.fromkeys(flow.constants):
            self._add_text(constant)
        for joined in flow.joined:
            self._add_joined(joined, frame)
        for name in {attribute.attr for attribute in flow.attributes} | flow.keywords:
            self._add_name(name)
        if not self.uses_connection:
            self.uses_connection = any(
                isinstance(attribute.value, ast.Name)
                and attribute.attr not in _EDITOR_READS
                and self._is_editor(attribute.value, task)
                for attribute in flow.attributes
            )
        for name in flow.free:
            self._free_name(name, frame, task)
        stores = Stores(task.function.node, flow.binders, task.models, lambda call: self._model_of_call(call, frame))
        self._add_stores(flow, stores)
        for call in flow.calls:
            self._call(call, frame, flow, task, stores)

    def _add_stores(self, flow: Flow, stores: Stores) -> None:
        """The places where the function stores rows."""
        if self.stores is None:
            return
        if not WRITES.isdisjoint(flow.constants):
            self.stores = None  # ``getattr(rows, "update")``
            return
        for attribute in flow.attributes:
            if attribute.attr in WRITES:
                store = stores.store(attribute)
                if store is None:
                    self.stores = None
                    return
                self.stores.add(store)

    def _model_of_call(self, call: ast.Call, frame: Frame) -> Models:
        """The models that a call of ``get_model`` looks up."""
        found = self._looked_up(call, frame)
        return None if found is None else frozenset(key for key, _ in found)

    def _frame(self, task: _Task, flow: Flow) -> Frame:
        """What is known of the function's local names: arguments, imports, constants, loops over literals."""
        interpreter = self.session.interpreter
        function = task.function
        frame = Frame(function.frame.module, dict.fromkeys(flow.local, _LOCAL), function.frame)
        if function.bound:
            parameters = function.node.args.args
            for parameter, value in zip(parameters, function.bound, strict=False):
                frame.names[parameter.arg] = value
        elif function.owner is not None and function.node.args.args:
            first = function.node.args.args[0].arg
            if first in ("self", "cls"):
                frame.names[first] = Instance(function.owner)
        if flow.imports:
            interpreter.run(flow.imports, frame)
            for bound, value in frame.names.items():
                if isinstance(value, LazyImport) and bound[:1].isupper():
                    self._imported_model(value.statement, bound, frame)
        possible: dict[str, list[Value]] = {
            name: [value] for name, value in {**_defaults(interpreter, function), **task.values}.items()
        }
        for name, node in flow.literals:
            known = self._is_own(node, frame)
            possible.setdefault(name, []).append(interpreter.value(node, frame) if known else _LOCAL)
        frame.names.update({name: _one_of(values) for name, values in possible.items()})
        for target, node in flow.loops:
            elements = interpreter.value(node, frame) if self._is_own(node, frame) else _LOCAL
            if not isinstance(elements, list | tuple) or not _bind_loop(target, list(elements), possible):
                for name in stored_names(target):
                    possible.setdefault(name, []).append(_LOCAL)
        for name in flow.computed & possible.keys():
            possible[name].append(_LOCAL)
        if flow.loops or flow.computed:
            frame.names.update({name: _one_of(values) for name, values in possible.items()})
        return frame

    def _is_own(self, node: ast.expr, frame: Frame) -> bool:
        """Whether `node` needs nothing from another module: parsing one for a table of constants is not worth it."""
        if isinstance(node, ast.Constant):
            return True
        if not isinstance(node, ast.Name | ast.List | ast.Tuple | ast.Set | ast.Dict | ast.JoinedStr | ast.Call):
            return False
        bindings = frame.module.bindings
        for count, inner in enumerate(nodes_in(node)):
            if count > MAX_TABLE:
                return False
            if isinstance(inner, ast.Name):
                bound = frame.names.get(inner.id)
                if isinstance(bound, LazyImport | Ref | ModuleValue):
                    return False
                if bound is None and any(map(_is_import, bindings.get(inner.id, ()))):
                    return False
        return True

    def _is_editor(self, node: ast.Name, task: _Task) -> bool:
        if node.id not in task.given:
            return False
        parameters = task.function.node.args.args
        return node.id == "schema_editor" or (
            task.depth == 0
            and len(parameters) > 1
            and parameters[-1].arg == node.id
            and node.id in ("schema", "editor")
        )

    def _free_name(self, name: str, frame: Frame, task: _Task) -> None:
        """A name that the function takes from its module, or from the function around it."""
        module = frame.module
        scope: Frame | None = frame.parent
        while scope is not None:
            if name in scope.names:
                self._captured(scope.names[name], task)
                return
            scope = scope.parent
        for statement in module.bindings.get(name, ()):
            match statement:
                case ast.FunctionDef():
                    value = self.session.interpreter.module_attribute(module, name)
                    if isinstance(value, FunctionValue):
                        self._mentioned.append(_Task(value, frozenset(), {}, task.depth + 1))
                case ast.Assign() | ast.AnnAssign() if statement.value is not None:
                    self._add_literals(statement.value)
                case ast.ImportFrom() if name[:1].isupper():
                    self._imported_model(statement, name, frame)

    def _captured(self, value: Value, task: _Task) -> None:
        """A value from the function around this one, or an argument of the factory that made it."""
        if isinstance(value, FunctionValue):
            self._mentioned.append(_Task(value, frozenset(), {}, task.depth + 1))
        else:
            self._add_strings(value)

    def _is_imported(self, name: str, frame: Frame) -> bool:
        """Whether `name` comes from another module of the project or its environment (Django's own is never read)."""
        bound = frame.names.get(name)
        if isinstance(bound, LazyImport):
            return not (bound.statement.module or "").startswith("django")
        return any(
            _is_import(each) and not (isinstance(each, ast.ImportFrom) and (each.module or "").startswith("django"))
            for each in frame.module.bindings.get(name, ())
        )

    def _is_imported_model(self, name: str, frame: Frame) -> bool:
        """Whether `name` is what ``from library.models import Book`` binds."""
        if not name[:1].isupper():
            return False
        bound = frame.names.get(name)
        statements: list[ast.stmt] = [bound.statement] if isinstance(bound, LazyImport) else []
        statements += frame.module.bindings.get(name, ())
        return any(
            isinstance(each, ast.ImportFrom) and "models" in (each.module or "").split(".") for each in statements
        )

    def _imported_model(self, statement: ast.ImportFrom, bound: str, frame: Frame) -> None:
        """``from library.models import Book``: the real model, not the historical one."""
        name = next((alias.name for alias in statement.names if (alias.asname or alias.name) == bound), bound)
        label = label_of_module(self.session, statement, frame.module)
        if label is not None:
            self.models.add(ModelKey(label, name.lower()))
            self.stores = None  # its methods and managers may store anything

    # Calls.

    def _call(self, call: ast.Call, frame: Frame, flow: Flow, task: _Task, stores: Stores) -> None:
        function = call.func
        attribute = function.attr if isinstance(function, ast.Attribute) else None
        if attribute == "get_models":
            self._hide("it goes through all models")
            return
        if attribute == "get_model" or (isinstance(function, ast.Name) and function.id == "get_model"):
            self._get_model(call, frame)
            return
        if attribute in _EXECUTES:
            self.uses_connection = True
        origin = _origin(function)
        if not isinstance(origin, ast.Name):
            return  # ``", ".join(…)``, ``[…].append(…)``
        if origin.id in flow.local:
            if not isinstance(frame.names.get(origin.id), _CALLABLE):
                return  # A method of an object at hand, or a call of what is at hand: the names are noted.
        elif origin is function and self._is_builtin(origin.id, frame):
            return
        if self._is_imported_model(origin.id, frame):
            return  # Real models: `_free_name` and `_frame` have noted which.
        given = any(flow.holds(argument) for argument in _arguments(call))
        if not given and (call.args or call.keywords) and self._is_imported(origin.id, frame):
            return  # A helper that gets texts and numbers only: reading its module is not worth it.
        self._judge(self.session.interpreter.value(function, frame), call, frame, flow, task, given, stores)

    @staticmethod
    def _is_builtin(name: str, frame: Frame) -> bool:
        """Whether `name` is Python's own and harmless, told without reading anything."""
        module = frame.module
        return (
            name in BUILTINS
            and f"builtins.{name}" not in _RUNNERS
            and name not in module.bindings
            and not module.stars
            and not frame.binds(name)
        )

    def _judge(
        self, callee: Value, call: ast.Call, frame: Frame, flow: Flow, task: _Task, given: bool, stores: Stores
    ) -> None:
        if isinstance(callee, FunctionValue):
            parameters = callee.node.args
            passed = flow.passed(call, parameters, len(callee.bound))
            values = self._values(call, callee, frame, passed)
            models = {name: stores.models(node) for name, node in _named(call, callee).items() if name in passed}
            self._add_task(_Task(callee, passed, values, task.depth + 1, models))
        elif isinstance(callee, ClassValue):
            if given:
                self._enter_class(callee, task.depth + 1)
        elif isinstance(callee, Ref) and callee.path == _GET_USER_MODEL:
            self._user_model()
        elif isinstance(callee, Ref):
            if callee.path.startswith(_COMMANDS) or callee.path in _RUNNERS:
                self._hide(f"`{shorten(call.func)}()` runs other code")
            elif given and not _is_harmless(callee.path):
                self._hide(f"`{shorten(call.func)}()` is not in the project")
        elif isinstance(callee, Choice):
            for branch in callee.branches:
                self._judge(branch, call, frame, flow, task, given, stores)
        elif given and isinstance(callee, Setting):
            self._hide(f"`{shorten(call.func)}()` is what a setting says")
        elif given and isinstance(callee, Unreadable | Call) and not self._is_method_of_known(call.func, frame):
            self._hide(f"`{shorten(call.func)}()` cannot be followed")

    def _values(self, call: ast.Call, callee: FunctionValue, frame: Frame, passed: frozenset[str]) -> dict[str, Value]:
        """The constants that a helper is called with."""
        interpreter = self.session.interpreter
        values: dict[str, Value] = {}
        for name, node in _named(call, callee).items():
            if name not in passed:
                value = interpreter.plain(node, frame)
                if operators.is_plain(value) or possible_texts(value) is not None:
                    values[name] = value
        return values

    def _is_method_of_known(self, function: ast.expr, frame: Frame) -> bool:
        """``Book.objects.filter(…).update``: a method of what a model, a logger, a function of Django's gives."""
        origin = _origin(function)
        if origin is function or not isinstance(origin, ast.Name):
            return False
        value = self.session.interpreter.value(origin, frame)
        if isinstance(value, Call):
            value = value.callee
        if isinstance(value, ClassValue):
            return model_of_class(self.session, value) is not None
        return isinstance(value, Ref) and _is_harmless(value.path)

    def _get_model(self, call: ast.Call, frame: Frame) -> None:
        found = self._looked_up(call, frame)
        if found is None:
            self._hide("a model is looked up by a computed name")
            return
        for key, name in found:
            self.models.add(key)
            self.names.add(name)

    def _looked_up(self, call: ast.Call, frame: Frame) -> list[tuple[ModelKey, str]] | None:
        """The models that a call of ``get_model`` may look up, each with the name it has there."""
        interpreter = self.session.interpreter
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        nodes = [*call.args, *(keywords[name] for name in ("app_label", "model_name") if name in keywords)][:2]
        values = [interpreter.plain(node, frame) for node in nodes if not isinstance(node, ast.Starred)]
        # Nothing in the project says otherwise than the setting's default, and nothing says that it stands.
        self.settings.update(value.name for value in values if isinstance(value, Setting))
        values = [value.default if isinstance(value, Setting) else value for value in values]
        texts = [possible_texts(value) for value in values]
        if not texts or len(texts) < len(nodes) or any(text is None for text in texts):
            return None
        known = [text for text in texts if text is not None]
        found = []
        for first in known[0]:
            for second in known[1] if len(known) > 1 else [""]:
                label, _, name = (first, ".", second) if second else first.partition(".")
                if label and name:
                    found.append((ModelKey(label, name.lower()), name))
        return found

    def _user_model(self) -> None:
        """``get_user_model()``: the real model of the setting."""
        user = self.session.context.swappable.get(_USER_SETTING)
        if user is None:
            self.settings.add(_USER_SETTING)
        label, _, name = (user or _USER_DEFAULT).partition(".")
        self.models.add(ModelKey(label, name.lower()))
        self.names.add(name)

    # Names and texts.

    def _add_name(self, name: str) -> None:
        self.names.add(name)
        if "__" in name:
            self.names.update(part for part in name.split("__") if part)

    def _add_text(self, text: str) -> None:
        if _IDENTIFIER.fullmatch(text):
            self._add_name(text)
        elif looks_like_sql(text):
            self.sql.append(text)

    def _add_joined(self, node: ast.JoinedStr, frame: Frame) -> None:
        """An f-string: its value if it is known, else its text with the unknown parts in braces."""
        value = self.session.interpreter.value(node, frame)
        if not isinstance(value, str):
            value = "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else _placeholder(part)
                for part in node.values
            )
        self._add_text(value)

    def _add_literals(self, node: ast.expr) -> None:
        for inner in _constants(node):
            self._add_text(inner)

    def _add_strings(self, value: Value) -> None:
        """The strings in `value`, however deep; each container once, whatever contains it."""
        pending: list[Value] = [value]
        seen: set[int] = set()
        while pending:
            current = pending.pop()
            if isinstance(current, str):
                self._add_text(current)
            elif isinstance(current, list | tuple | set | dict | Choice) and id(current) not in seen:
                seen.add(id(current))
                if isinstance(current, dict):
                    pending.extend((*current.keys(), *current.values()))
                else:
                    pending.extend(current.branches if isinstance(current, Choice) else current)


_LOCAL: Final = Unreadable("is computed")
# What a local name may be bound to that leads to code.
_CALLABLE: Final = (Ref, ModuleValue, LazyImport, FunctionValue, ClassValue, Instance)


def possible_texts(value: Value) -> list[str] | None:
    """The strings that `value` may be, None when not all of them are known."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Choice) and all(isinstance(branch, str) for branch in value.branches):
        return [str(branch) for branch in value.branches]
    return None


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _one_of(values: list[Value]) -> Value:
    return values[0] if len(values) == 1 else operators.choice(values, "is computed")


def _bind_loop(target: ast.expr, elements: list[Value], possible: dict[str, list[Value]]) -> bool:
    """Each name of the target may be any of the values that the loop gives it. False when they are not known."""
    if isinstance(target, ast.Name):
        possible.setdefault(target.id, []).extend(elements)
        return True
    if isinstance(target, ast.Tuple | ast.List):
        rows = [element for element in elements if isinstance(element, list | tuple)]
        if len(rows) == len(elements) and all(len(row) == len(target.elts) for row in rows):
            columns = [[row[index] for row in rows] for index in range(len(target.elts))]
            return all(_bind_loop(inner, column, possible) for inner, column in zip(target.elts, columns, strict=True))
    return False


def _is_harmless(path: str) -> bool:
    """Whether what has this path leaves alone what it is given; a class from a models module counts as a model."""
    if path.startswith(_COMMANDS):
        return False
    is_model = ".models." in path and path.rpartition(".")[2][:1].isupper()
    return is_model or path.partition(".")[0] in _HARMLESS


def _origin(node: ast.expr) -> ast.expr:
    """What a chain of attributes, calls and items starts with: Book in ``Book.objects.filter(…)[0].save``."""
    while True:
        match node:
            case ast.Attribute() | ast.Subscript():
                node = node.value
            case ast.Call():
                node = node.func
            case _:
                return node


def _defaults(interpreter: Interpreter, function: FunctionValue) -> dict[str, Value]:
    """What the function's parameters are when they are not given, where that is a constant."""
    arguments = function.node.args
    if not arguments.defaults and not arguments.kw_defaults:
        return {}
    plain = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(plain), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    values = {parameter.arg: interpreter.plain(node, function.frame) for parameter, node in pairs if node is not None}
    return {name: value for name, value in values.items() if operators.is_plain(value)}


def _named(call: ast.Call, callee: FunctionValue) -> dict[str, ast.expr]:
    """The arguments of a call by the names of the function's parameters."""
    parameters = [argument.arg for argument in (*callee.node.args.posonlyargs, *callee.node.args.args)]
    positional = takewhile(lambda node: not isinstance(node, ast.Starred), call.args)
    named = dict(zip(parameters[len(callee.bound) :], positional, strict=False))
    named.update({keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None})
    return named


def _either(one: dict[str, Models], other: dict[str, Models]) -> dict[str, Models]:
    """The models of each parameter of a function that is called in two ways."""
    models: dict[str, Models] = {}
    for name in one.keys() & other.keys():
        first, second = one[name], other[name]
        models[name] = None if first is None or second is None else first | second
    return models


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    for keyword in call.keywords:
        yield keyword.value


def _constants(node: ast.expr) -> Iterator[str]:
    """The strings in a literal; calls and comprehensions count as far as they show strings."""
    for inner in nodes_in(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _placeholder(part: ast.expr) -> str:
    return "{" + (shorten(part.value, 40) if isinstance(part, ast.FormattedValue) else "…") + "}"

"""What an expression of a settings module or an application configuration is worth, without running it."""

from __future__ import annotations

import ast
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from lint_m2m.migration import UNKNOWN
from lint_m2m.readers.project.namespace import ClassInfo, DatabaseUrl, EnvironmentText, Imported, Value
from lint_m2m.readers.project.syntax import last_name, reads_database_url

_MAX_STRING: Final = 20_000


class ExhaustedError(Exception):
    """The module takes more steps than any module should."""


class Expressions(ABC):
    """Evaluates expressions with the names bound so far."""

    def __init__(self, budget: int) -> None:
        self.names: dict[str, Value] = {}
        self.budget = budget

    @abstractmethod
    def resolve(self, value: Value) -> Value:
        """What an imported name is; any other value as it is."""

    def spend(self, steps: int = 1) -> None:
        """Count steps; ExhaustedError when there have been too many."""
        self.budget -= steps
        if self.budget < 0:
            raise ExhaustedError

    def value(self, node: ast.expr) -> Value:
        self.spend()
        match node:
            case ast.Constant(value=str() | bool() | int() | float() | None):
                return node.value
            case ast.Name():
                return self.resolve(self.names.get(node.id, UNKNOWN))
            case ast.Call():
                return self.call(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.List() | ast.Tuple() | ast.Set():
                result: Value = ()
                parts: list[Value] = []
                for element in node.elts:
                    if isinstance(element, ast.Starred):
                        result = self.add(self.add(result, tuple(parts)), self.value(element.value))
                        parts = []
                    else:
                        parts.append(self.value(element))
                return self.add(result, tuple(parts))
            case ast.Dict():
                entries: dict[Value, Value] = {}
                for key, item in zip(node.keys, node.values, strict=True):
                    value = self.value(item)
                    if key is None:
                        entries |= value if isinstance(value, dict) else {UNKNOWN: UNKNOWN}
                        self.spend(len(entries))
                    elif isinstance(name := self.value(key), str):
                        entries[name] = value
                    else:
                        entries[UNKNOWN] = UNKNOWN
                return entries
            case ast.BinOp(op=ast.Add()):
                return self.add(self.value(node.left), self.value(node.right))
            case ast.BinOp(op=ast.BitOr()):
                left, right = self.value(node.left), self.value(node.right)
                return self.merge(left, right) if isinstance(left, dict) and isinstance(right, dict) else UNKNOWN
            case ast.JoinedStr():
                text: Value = ""
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        plain = part.conversion == -1 and part.format_spec is None
                        text = self.add(text, self.value(part.value) if plain else UNKNOWN)
                    else:
                        text = self.add(text, self.value(part))
                return text if isinstance(text, str) else UNKNOWN
            case ast.IfExp():
                truth = self.truth(node.test)
                if isinstance(truth, bool):
                    return self.value(node.body if truth else node.orelse)
                return self.join(self.value(node.body), self.value(node.orelse))
            case ast.BoolOp(op=ast.Or()):
                values = [self.value(one) for one in node.values]
                last = values[-1]
                if all(one is UNKNOWN for one in values[:-1]) and isinstance(last, str):
                    return EnvironmentText(last)
                return values[0] if isinstance(values[0], str) and values[0] else UNKNOWN
            case ast.Subscript():
                return self.item(self.value(node.value), node.slice)
        return UNKNOWN

    def attribute(self, node: ast.Attribute) -> Value:
        owner = self.value(node.value)
        if isinstance(owner, Imported):
            module = owner.module if owner.name is None else f"{owner.module}.{owner.name}"
            return self.resolve(Imported(module, node.attr, owner.level, owner.importer))
        if isinstance(owner, ClassInfo):
            return self.resolve(owner.names.get(node.attr, UNKNOWN))
        return UNKNOWN

    def item(self, container: Value, index: ast.expr) -> Value:
        key = self.value(index)
        if isinstance(container, dict) and isinstance(key, str):
            return container.get(key, UNKNOWN)
        if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
            inner = self.value(index.operand)
            key = -inner if isinstance(inner, int) else UNKNOWN
        if isinstance(container, tuple) and isinstance(key, int) and UNKNOWN not in container:
            return container[key] if -len(container) <= key < len(container) else UNKNOWN
        return UNKNOWN

    def call(self, node: ast.Call) -> Value:
        function = node.func
        match function:
            case ast.Name(id="dict") if len(node.args) <= 1:
                first = self.value(node.args[0]) if node.args else {}
                base: dict[Value, Value] = {**first} if isinstance(first, dict) else {UNKNOWN: UNKNOWN}
                return self.merge(base, self.keywords(node))
            case ast.Name(id="list" | "tuple" | "set" | "frozenset" | "str") if len(node.args) == 1:
                return self.value(node.args[0])
            case ast.Attribute() if isinstance(owner := self.text_of(function.value), str):
                return self.text_method(owner, function.attr, [self.value(argument) for argument in node.args])
            case ast.Attribute(attr="basename" | "dirname" | "abspath" | "realpath") if len(node.args) == 1:
                path = self.value(node.args[0])
                if isinstance(path, str):
                    return {"basename": os.path.basename, "dirname": os.path.dirname}.get(function.attr, str)(path)
                return UNKNOWN
        return self.environment(node)

    def text_of(self, node: ast.expr) -> Value:
        """The value of what a method is called on, imports not followed: os, env and the like are modules."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, UNKNOWN)
        return UNKNOWN if isinstance(node, ast.Attribute) else self.value(node)

    def text_method(self, text: str, method: str, arguments: list[Value]) -> Value:
        methods: dict[str, Callable[..., object]] = {
            "lower": str.lower,
            "partition": str.partition,
            "removeprefix": str.removeprefix,
            "removesuffix": str.removesuffix,
            "replace": str.replace,
            "rpartition": str.rpartition,
            "rsplit": str.rsplit,
            "split": str.split,
            "strip": str.strip,
            "upper": str.upper,
        }
        if method not in methods or not all(isinstance(one, str | int) and one != "" for one in arguments):
            return UNKNOWN
        self.spend(len(text))
        try:
            result = methods[method](text, *arguments)
        except TypeError:
            return UNKNOWN
        if isinstance(result, list):
            return tuple(result)
        return UNKNOWN if isinstance(result, str) and len(result) > _MAX_STRING else result

    def environment(self, node: ast.Call) -> Value:
        """Calls that read the environment: their default, if they have one.

        Recognized by form (``default=``, ``fallback=``) or by name (os.environ.get, os.getenv, env of django-environ
        and environs, config of python-decouple): every project has helpers of its own besides.
        """
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        owner = function.value if isinstance(function, ast.Attribute) else None
        given: Value = None
        for keyword in node.keywords:
            if keyword.arg in ("default", "fallback"):
                given = self.value(keyword.value)
        if given is None and len(node.args) == 2:
            of_environment = isinstance(owner, ast.Name | ast.Attribute) and "env" in last_name(owner).lower()
            if "env" in name.lower() or name == "config" or of_environment:
                given = self.value(node.args[1])
        if reads_database_url(name, owner):
            if given is None and name == "parse" and node.args:
                given = self.value(node.args[0])
            return {"ENGINE": DatabaseUrl(given) if isinstance(given, str) else UNKNOWN, UNKNOWN: UNKNOWN}
        return EnvironmentText(given) if isinstance(given, str) else UNKNOWN

    def keywords(self, call: ast.Call) -> dict[Value, Value]:
        entries: dict[Value, Value] = {}
        for keyword in call.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                entries[keyword.arg] = value
            else:
                entries |= value if isinstance(value, dict) else {UNKNOWN: UNKNOWN}
                self.spend(len(entries))
        return entries

    def truth(self, test: ast.expr) -> Value:
        """Whether a condition holds, where that depends on nothing; DEBUG may have another value elsewhere."""
        match test:
            case ast.Constant():
                return bool(test.value)
            case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
                return False
        return UNKNOWN

    # Values

    def add(self, left: Value, right: Value) -> Value:
        if isinstance(left, str) and isinstance(right, str):
            self.spend((len(left) + len(right)) // 16)
            if len(left) + len(right) > _MAX_STRING:
                return UNKNOWN
            soft = isinstance(left, EnvironmentText) or isinstance(right, EnvironmentText)
            return EnvironmentText(str(left) + str(right)) if soft else left + right
        if isinstance(left, tuple) or isinstance(right, tuple):
            one = left if isinstance(left, tuple) else (UNKNOWN,)
            other = right if isinstance(right, tuple) else (UNKNOWN,)
            self.spend((len(one) + len(other)) // 8)
            return one + other
        if isinstance(left, dict) and isinstance(right, dict):
            return self.merge(left, right)
        return UNKNOWN

    def merge(self, left: dict[Value, Value], right: dict[Value, Value]) -> dict[Value, Value]:
        self.spend((len(left) + len(right)) // 8)
        return {**left, **right}

    def join(self, one: Value, other: Value) -> Value:
        """What is certain when either of two values may be it."""
        self.spend()
        return self._joined(one, other)

    def _joined(self, one: Value, other: Value) -> Value:
        if one is other:
            return one
        if isinstance(one, str) and isinstance(other, str) and one == other:
            return one if isinstance(one, EnvironmentText) else other
        if isinstance(one, tuple) and isinstance(other, tuple):
            common = 0
            for left, right in zip(one, other, strict=False):
                if not (left is right or (isinstance(left, str) and isinstance(right, str) and left == right)):
                    break
                common += 1
            self.spend(common // 8)
            return one if common == len(one) == len(other) else (*one[:common], UNKNOWN)
        if isinstance(one, dict) and isinstance(other, dict):
            return {
                key: self.join(one[key], other[key]) if key in one and key in other else UNKNOWN
                for key in dict.fromkeys([*one, *other])
            }
        if type(one) is type(other) and isinstance(one, int | float | Imported) and one == other:
            return one
        return UNKNOWN

    def join_names(self, one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
        self.spend(len(one) + len(other))
        absent = object()
        # Of hundreds of names a branch binds a few; the others are the same ones.
        joined = {
            name: value if (same := other.get(name, absent)) is value else self._joined(value, same)
            for name, value in one.items()
        }
        joined |= {name: self._joined(absent, value) for name, value in other.items() if name not in one}
        self.spend(len(joined))
        return joined

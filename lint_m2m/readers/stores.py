"""Where a function stores rows, told from its source: of which models, or by which names.

``Authorship.objects.bulk_create(rows)`` stores rows of a model, ``book.authors.add(author)`` by a name. A local name
is a model when each of its bindings is one, and so are the parameters of helpers that are given one. Where one such
place cannot be told, nothing is said of the function at all.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from lint_m2m.migration import ModelKey, Store
from lint_m2m.readers.flow import stored_names

# What code calls that stores rows.
WRITES: Final = frozenset(
    {
        "add",
        "aadd",
        "set",
        "aset",
        "create",
        "acreate",
        "bulk_create",
        "abulk_create",
        "get_or_create",
        "aget_or_create",
        "update_or_create",
        "aupdate_or_create",
        "save",
        "asave",
        "bulk_update",
        "abulk_update",
        "update",
        "aupdate",
        "execute",
        "executemany",
        "insert",
    }
)
_MANAGERS: Final = frozenset({"objects", "_default_manager", "_base_manager"})
# Methods of managers and querysets that give rows of the same model.
_SAME_MODEL: Final = frozenset(
    {
        "aiterator",
        "all",
        "annotate",
        "create",
        "defer",
        "distinct",
        "earliest",
        "exclude",
        "filter",
        "first",
        "get",
        "iterator",
        "last",
        "latest",
        "only",
        "order_by",
        "prefetch_related",
        "reverse",
        "select_for_update",
        "select_related",
        "using",
    }
)
_CONTAINERS: Final = frozenset({"set", "list", "dict", "defaultdict", "Counter", "OrderedDict"})

# The models that a name or an expression stands for (the class, its manager, a queryset, a row). None: not known.
Models: TypeAlias = frozenset[ModelKey] | None


class Stores:
    """The models that the local names of one function stand for.

    `binders` are the nodes in it that bind names, `given` says it of its parameters, `looked_up` of a call of
    ``get_model``.
    """

    def __init__(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        binders: Iterable[ast.AST],
        given: dict[str, Models],
        looked_up: Callable[[ast.Call], Models],
    ) -> None:
        self._node = node
        self._binders = binders
        self._given = given
        self._looked_up = looked_up
        # What each name is bound to, None among it: to something of which nothing is known. Found when first needed.
        self._bound: dict[str, list[ast.expr | None]] = {}
        self._known: dict[str, Models] = {}
        self._walked = False

    def _bindings(self, name: str) -> list[ast.expr | None]:
        if not self._walked:
            self._walked = True
            own = set(map(id, _parameters(self._node.args)))
            for inner in self._binders:
                self._bind(inner, own)
        return self._bound.get(name, [])

    def _bind(self, node: ast.AST, own: set[int]) -> None:
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._target(target, node.value)
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                self._target(node.target, node.iter)
            case ast.AnnAssign() | ast.NamedExpr() if node.value is not None:
                self._target(node.target, node.value)
            case ast.AugAssign():
                self._target(node.target, None)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self._target(item.optional_vars, None)
            case ast.arg():
                if id(node) not in own:
                    self._add(node.arg, None)  # of a function inside this one
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._add(node.name, None)
            case ast.ExceptHandler() if node.name:
                self._add(node.name, None)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    self._add(alias.asname or alias.name.partition(".")[0], None)
            case ast.MatchAs() | ast.MatchStar() if node.name:
                self._add(node.name, None)
            case ast.Global() | ast.Nonlocal():
                for name in node.names:
                    self._add(name, None)

    def _target(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._add(target.id, value)
        else:
            for name in stored_names(target):
                self._add(name, None)

    def _add(self, name: str, value: ast.expr | None) -> None:
        self._bound.setdefault(name, []).append(value)

    def models(self, node: ast.expr) -> Models:
        """The models that `node` stands for."""
        return self._models(node) or None

    def _models(self, node: ast.expr | None) -> Models:
        """The same; an empty set for a name that is being looked up already (``rows = rows[:5]``)."""
        match node:
            case ast.Name():
                return self._name(node.id)
            case ast.Call(func=ast.Attribute(attr="get_model") | ast.Name(id="get_model")):
                return self._looked_up(node)
            case ast.Call(func=ast.Attribute() as function):
                return self._models(function.value) if function.attr in _SAME_MODEL else None
            case ast.Call(func=ast.Name() as function):
                return self._models(function)
            case ast.Attribute():
                return self._models(node.value) if node.attr in _MANAGERS else None
            case ast.Subscript():
                return self._models(node.value)
            case ast.List() | ast.Tuple() if node.elts:
                return _union(map(self._models, node.elts))
            case ast.ListComp() | ast.GeneratorExp():
                return self._models(node.elt)
            case _:
                return None

    def _name(self, name: str) -> Models:
        if name not in self._known:
            self._known[name] = frozenset()
            found = [self._models(value) for value in self._bindings(name)]
            if name in self._given:
                found.append(self._given[name])
            self._known[name] = _union(found) if found else None
        return self._known[name]

    def store(self, method: ast.Attribute) -> Store | None:
        """What ``….save``, ``….create`` stores; an empty one when it is a container's method, None when it cannot be
        told."""
        models = self.models(method.value)
        if models:
            return Store(models, frozenset())
        words: set[str] = set()
        node: ast.expr = method.value
        while not isinstance(node, ast.Name):
            match node:
                case ast.Attribute():
                    if node.attr not in _MANAGERS:
                        words.add(node.attr)
                    node = node.value
                case ast.Call(func=ast.Attribute() as function):
                    node = function.value
                case ast.Subscript():
                    node = node.value
                case _:
                    return None
        if words:
            return Store(frozenset(), frozenset(words))
        values = self._bindings(node.id)
        if values and node is method.value and node.id not in self._given and all(map(_is_container, values)):
            return Store(frozenset(), frozenset())
        return None


def _union(found: Iterable[Models]) -> Models:
    """All of them; None when one of them is not known."""
    models: set[ModelKey] = set()
    for each in found:
        if each is None:
            return None
        models |= each
    return frozenset(models)


def _parameters(arguments: ast.arguments) -> Iterable[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (rest for rest in (arguments.vararg, arguments.kwarg) if rest is not None)


def _is_container(node: ast.expr | None) -> bool:
    """A new set, list or dict of Python's own."""
    match node:
        case ast.List() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _CONTAINERS
        case _:
            return False

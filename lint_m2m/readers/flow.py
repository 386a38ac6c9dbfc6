"""One walk over a function: what it mentions, and which of its names hold rows, models, the registry or the editor.

A name "holds" something when it is such a parameter or is assigned from an expression that does (``Book =
apps.get_model(…)``, ``for book in Book.objects.all()``). A plain attribute (``book.title``) or what a counting or
reading method returns (``.count()``, ``.values_list()``) holds nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

# Attributes of what holds something that hold something themselves; all others are taken for plain values.
_HOLDING: Final = frozenset({"apps", "connection", "objects", "_base_manager", "_default_manager"})
# Methods whose result is plain data, or nothing.
_PLAIN_METHODS: Final = frozenset(
    {
        "aggregate",
        "bulk_update",
        "count",
        "delete",
        "execute",
        "executemany",
        "exists",
        "fetchall",
        "fetchone",
        "quote_name",
        "refresh_from_db",
        "save",
        "update",
        "values",
        "values_list",
    }
)
_MAX_ROUNDS: Final = 8
# The nodes that bind names and have something to say of what they hold.
BINDING: Final = frozenset(
    {
        ast.AnnAssign,
        ast.Assign,
        ast.AsyncFor,
        ast.AsyncFunctionDef,
        ast.AsyncWith,
        ast.AugAssign,
        ast.ClassDef,
        ast.ExceptHandler,
        ast.For,
        ast.FunctionDef,
        ast.Import,
        ast.ImportFrom,
        ast.NamedExpr,
        ast.With,
        ast.comprehension,
    }
)
# And all others that bind names.
_BINDING_TOO: Final = frozenset({ast.Global, ast.MatchAs, ast.MatchStar, ast.Nonlocal, ast.arg})
# Global names are found several times as fast as those of a module.
_ATTRIBUTE: Final = ast.Attribute
_CALL: Final = ast.Call
_CONSTANT: Final = ast.Constant
_EXPRESSION: Final = ast.Expr
_JOINED: Final = ast.JoinedStr
_LOAD: Final = ast.Load
_NAME: Final = ast.Name
_LITERALS: Final = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.JoinedStr)

# The fields of each node class that hold nodes worth a visit, filled on first sight of the class.
_CHILDREN: Final[dict[type, tuple[str, ...]]] = {ast.Constant: (), ast.Name: ()}
# Operators, contexts, annotations, identifiers and numbers.
_NOTHING: Final = frozenset(
    {
        "annotation",
        "arg",
        "attr",
        "conversion",
        "ctx",
        "id",
        "is_async",
        "kind",
        "level",
        "op",
        "ops",
        "returns",
        "simple",
        "type_comment",
        "type_params",
    }
)


class Flow:
    """What the function `node` mentions. `given` are the parameters that hold something."""

    __slots__ = (
        "_bindings",
        "attributes",
        "binders",
        "calls",
        "computed",
        "constants",
        "free",
        "holding",
        "imports",
        "joined",
        "keywords",
        "literals",
        "local",
        "loops",
    )

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, given: frozenset[str]) -> None:
        self.constants: list[str] = []  # strings only, docstrings left out
        self.joined: list[ast.JoinedStr] = []
        self.attributes: list[ast.Attribute] = []
        self.keywords: set[str] = set()
        self.calls: list[ast.Call] = []
        self.imports: list[ast.stmt] = []
        # Every node that binds names.
        self.binders: list[ast.AST] = []
        # Names assigned from a literal, targets of loops, and names bound in any other way.
        self.literals: list[tuple[str, ast.expr]] = []
        self.loops: list[tuple[ast.expr, ast.expr]] = []
        self.computed: set[str] = set()
        self._bindings: list[tuple[ast.expr, ast.expr]] = []
        self.local: set[str] = set()
        loaded: set[str] = set()
        self._visit(node, loaded)
        self.free = sorted(loaded - self.local)
        self.holding = set(given)
        self._spread()

    def _visit(self, root: ast.AST, loaded: set[str]) -> None:
        pending: list[ast.AST] = [root]
        while pending:
            node = pending.pop()
            kind = node.__class__
            if kind is _NAME:
                if node.ctx.__class__ is _LOAD:  # type: ignore[attr-defined]
                    loaded.add(node.id)  # type: ignore[attr-defined]
                else:
                    self.local.add(node.id)  # type: ignore[attr-defined]
                continue
            if kind is _CONSTANT:
                if node.value.__class__ is str:  # type: ignore[attr-defined]
                    self.constants.append(node.value)  # type: ignore[attr-defined]
                continue
            if kind is _ATTRIBUTE:
                self.attributes.append(node)  # type: ignore[arg-type]
                pending.append(node.value)  # type: ignore[attr-defined]
                continue
            if kind is _CALL:
                self._note_call(node, pending)  # type: ignore[arg-type]
                continue
            if kind is _EXPRESSION:
                if node.value.__class__ is not _CONSTANT:  # type: ignore[attr-defined]
                    pending.append(node.value)  # type: ignore[attr-defined]
                continue
            if kind is _JOINED:
                self.joined.append(node)  # type: ignore[arg-type]
                pending += [part for part in node.values if part.__class__ is not _CONSTANT]  # type: ignore[attr-defined]
                continue
            if kind in BINDING:
                self.binders.append(node)
                self._note_binding(node)
            elif kind in _BINDING_TOO:
                self.binders.append(node)
                if kind is ast.arg:
                    self.local.add(node.arg)  # type: ignore[attr-defined]
            for name in _CHILDREN.get(kind) or _children(kind):
                value = getattr(node, name)
                if value.__class__ is list:
                    pending += value
                elif value is not None:
                    pending.append(value)

    def _note_call(self, node: ast.Call, pending: list[ast.AST]) -> None:
        """A call, and what is in it to look at."""
        self.calls.append(node)
        pending.append(node.func)
        pending += node.args
        for keyword in node.keywords:
            if keyword.arg is not None:
                self.keywords.add(keyword.arg)
            pending.append(keyword.value)

    def _note_binding(self, node: ast.AST) -> None:
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._bindings.append((target, node.value))
                    if isinstance(target, ast.Name) and isinstance(node.value, _LITERALS):
                        self.literals.append((target.id, node.value))
                    else:
                        self.computed.update(stored_names(target))
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                self._bindings.append((node.target, node.iter))
                self.loops.append((node.target, node.iter))
            case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() if node.value is not None:
                self._bindings.append((node.target, node.value))
                self.computed.update(stored_names(node.target))
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self._bindings.append((item.optional_vars, item.context_expr))
                        self.computed.update(stored_names(item.optional_vars))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.local.add(node.name)
            case ast.ExceptHandler() if node.name:
                self.local.add(node.name)
            case ast.Import() | ast.ImportFrom():
                self.imports.append(node)
                for alias in node.names:
                    self.local.add(alias.asname or alias.name.partition(".")[0])

    def _spread(self) -> None:
        """Every name that is bound to what holds something holds it, to any length of such a chain."""
        for _ in range(_MAX_ROUNDS):
            before = len(self.holding)
            left = []
            for binding in self._bindings:
                if self.holds(binding[1]):
                    self.holding.update(stored_names(binding[0]))
                else:
                    left.append(binding)
            self._bindings = left
            if len(self.holding) == before:
                return

    def holds(self, node: ast.expr) -> bool:
        """Whether the value of `node` is or contains a row, a model, a queryset, the registry or the editor."""
        kind = node.__class__
        if kind is ast.Name:
            return node.id in self.holding  # type: ignore[attr-defined]
        if kind is ast.Constant:
            return False
        return self._holds(node)

    def _holds(self, node: ast.expr) -> bool:
        match node:
            case ast.Attribute():
                return (node.attr in _HOLDING or node.attr.endswith("_set")) and self.holds(node.value)
            case ast.Call():
                function = node.func
                if isinstance(function, ast.Attribute) and self._method_of_held(function):
                    return function.attr not in _PLAIN_METHODS
                if isinstance(function, ast.Name) and function.id in self.holding:
                    return True
                return any(map(self.holds, node.args)) or any(self.holds(keyword.value) for keyword in node.keywords)
            case ast.Subscript() | ast.Starred() | ast.Await() | ast.NamedExpr() | ast.DictComp():
                return self.holds(node.value)
            case ast.List() | ast.Tuple() | ast.Set():
                return any(map(self.holds, node.elts))
            case ast.Dict() | ast.BoolOp():
                return any(map(self.holds, node.values))
            case ast.BinOp():
                return self.holds(node.left) or self.holds(node.right)
            case ast.IfExp():
                return self.holds(node.body) or self.holds(node.orelse)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.holds(node.elt)
            case _:
                return False

    def _method_of_held(self, function: ast.Attribute) -> bool:
        """``held.method``, also ``held.relation.method``: a related manager is reached by any attribute."""
        base = function.value
        while isinstance(base, ast.Attribute):
            base = base.value
        return self.holds(base)

    def passed(self, call: ast.Call, parameters: ast.arguments, bound: int) -> frozenset[str]:
        """The parameters of the function that `call` calls which get something held; `bound` it has got already."""
        names = [parameter.arg for parameter in (*parameters.posonlyargs, *parameters.args)][bound:]
        passed: set[str] = set()
        for index, argument in enumerate(call.args):
            if not self.holds(argument):
                continue
            if isinstance(argument, ast.Starred):
                passed.update(names[index:])
            elif index < len(names):
                passed.add(names[index])
            elif parameters.vararg is not None:
                passed.add(parameters.vararg.arg)
        for keyword in call.keywords:
            if self.holds(keyword.value):
                if keyword.arg is None:
                    passed.update(names)
                elif parameters.kwarg is not None and keyword.arg not in names:
                    passed.add(parameters.kwarg.arg)
                else:
                    passed.add(keyword.arg)
        return frozenset(passed)


def _children(kind: type) -> tuple[str, ...]:
    try:
        return _CHILDREN[kind]
    except KeyError:
        names = tuple(
            name for name in getattr(kind, "_fields", ()) if name not in _NOTHING and not _is_text(kind, name)
        )
        _CHILDREN[kind] = names
        return names


def _is_text(kind: type, name: str) -> bool:
    """Fields that hold identifiers: ``FunctionDef.name``, ``Import.names`` …"""
    return kind in (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal) or name in ("name", "rest", "kwd_attrs")


def nodes_in(root: ast.AST) -> Iterator[ast.AST]:
    """`root` and all nodes in it that carry something (no contexts, no operators): a faster `ast.walk`."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        for name in _children(node.__class__):
            value = getattr(node, name)
            if value.__class__ is list:
                pending.extend(each for each in value if each is not None)
            elif value is not None:
                pending.append(value)


def stored_names(target: ast.expr) -> list[str]:
    """The names that the target of an assignment binds."""
    match target:
        case ast.Name():
            return [target.id]
        case ast.Tuple() | ast.List() if all(element.__class__ is ast.Name for element in target.elts):
            return [element.id for element in target.elts]  # type: ignore[attr-defined]
        case ast.Attribute(value=ast.Name()) | ast.Subscript(value=ast.Name(), slice=ast.Name() | ast.Constant()):
            return []
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]

"""What an expression of a migration file stands for, as far as that can be told without running it.

Plain Python values stand for themselves: str, bytes, int, float, bool, None, tuple, list, dict, frozenset (a set). The
classes here stand for the rest. A list may hold `Conditional` and `Rest` between its elements.

None of them is a tuple or a named tuple, so that ``isinstance(value, tuple)`` means a tuple in the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from lint_m2m.values import declare, slotted

if TYPE_CHECKING:
    from lint_m2m.readers.modules import Module

# Any Python constant or container, or one of the classes below. There is nothing that all of them share.
Value: TypeAlias = object


@slotted()
class Frame:
    """Names that are bound while code is followed. `site` is where the main module called into this one.

    `names` is never changed under a reader that holds it: rebinding a name replaces the dictionary (`bind`).
    """

    module: Module
    names: dict[str, Value]
    parent: Frame | None = None
    site: ast.expr | None = None
    _shared: Frame | None = None

    def binds(self, name: str) -> bool:
        """Whether this frame or one around it has `name`; otherwise it is the module's."""
        return name in self.names or (self.parent is not None and self.parent.binds(name))

    def bind(self, name: str, value: Value) -> None:
        """Bind `name` from here on. Calls that were met before, and are read later, still see the old value."""
        if name in self.names:
            self.replace({**self.names, name: value})
        else:
            self.names[name] = value

    def replace(self, names: dict[str, Value]) -> None:
        """Bind `names` instead of all names from here on."""
        self.names = names
        self._shared = None

    def snapshot(self) -> Frame:
        """This frame as it is now."""
        if self._shared is None:
            self._shared = Frame(self.module, self.names, self.parent, self.site)
        return self._shared


@slotted(frozen=True)
class Unreadable:
    """A value that only running code can tell, and why."""

    reason: str


@slotted(frozen=True)
class Unbound(Unreadable):
    """What a name is on the way on which nothing binds it: in a class body, what its base classes have."""


@slotted(frozen=True)
class Choice:
    """One of several values; which one, only running code can tell."""

    branches: tuple[Value, ...]
    reason: str


@slotted(frozen=True)
class Conditional:
    """In a list: the elements of one of the branches stand here."""

    branches: tuple[tuple[Value, ...], ...]
    reason: str


@slotted(frozen=True)
class Rest:
    """In a list: any number of unknown elements stand here. In a dictionary (under the key `REST`): further entries."""

    reason: str


# The key of unknown further entries in a dictionary.
REST: Final = Rest("entries that could not be read")


# Of the classes from here on there are many: not frozen, because that would double what they cost.


@slotted()
class Ref:
    """Something outside the project, or not followed, by its dotted path."""

    path: str


@slotted(frozen=True)
class Setting:
    """``settings.NAME``, or ``getattr(settings, "NAME", default)``. `default` is None when there is none."""

    name: str
    default: Value = None


@slotted()
class ModuleValue:
    """A module whose source was found."""

    module: Module


@slotted()
class LazyImport:
    """A name bound by ``from x import name`` in a body; nobody may ever ask for it."""

    statement: ast.ImportFrom
    name: str
    module: Module


@slotted(eq=False)
class LazyValue:
    """An argument of a function that is followed; most are handed on and never looked at."""

    node: ast.expr
    frame: Frame


@slotted(eq=False)
class FunctionValue:
    """A function or lambda with its source. `bound` are the leading arguments that a method has already got."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Frame
    bound: tuple[Value, ...] = ()
    owner: ClassValue | None = None

    @property
    def name(self) -> str:
        return "<lambda>" if isinstance(self.node, ast.Lambda) else self.node.name


@slotted(eq=False)
class ClassValue:
    """A class with its source. `bases` are what its base classes were when it was defined."""

    node: ast.ClassDef
    frame: Frame
    qualname: str
    bases: tuple[Value, ...] = ()

    @property
    def path(self) -> str:
        """As Python would spell it: ``library.fields.Tags``."""
        return f"{self.frame.module.name}.{self.qualname}"


@slotted(frozen=True, eq=False)
class Instance:
    """``self`` in a method that is followed; its attributes are bound in the frame as ``self.name``."""

    of: ClassValue


@slotted(frozen=True, eq=False)
class Super:
    """``super()`` in a method of `owner`; `name` is how that method calls itself ("self")."""

    owner: ClassValue
    name: str


@slotted(eq=False)
class Call:
    """A call that is not followed but read by who asks: of an operation, a field, a constraint, something unknown."""

    callee: Value
    node: ast.Call
    frame: Frame


@slotted(frozen=True)
class FilePath:
    """A path computed from ``__file__``."""

    path: Path


@slotted(eq=False)
class OpenFile:
    """``open(path)``."""

    path: Path
    lines: list[str] = declare(default_factory=list)


def reason_of(value: Value) -> str:
    """Why `value` is not the plain value that was wanted: continues "cannot be read: it …"."""
    if isinstance(value, Unreadable | Rest | Choice | Conditional):
        return value.reason
    if isinstance(value, Setting):
        return f"depends on the setting {value.name}"
    if isinstance(value, Ref):
        if value.path.startswith(("django.db.connection", "django.db.connections")):
            return "depends on the database"
        return f"comes from `{value.path}`"
    if isinstance(value, list | tuple):
        return next(map(reason_of, _blamed(value)), "is not what belongs there")
    if isinstance(value, Call):
        return f"is what `{shorten(value.node.func)}()` returns"
    return f"is `{shorten(value.node)}`" if isinstance(value, FunctionValue | ClassValue) else "is not a literal"


def _blamed(value: list[Value] | tuple[Value, ...], depth: int = 1) -> Iterator[Value]:
    """What in a list is no constant and no class, and in lists in it. (A list may contain itself many times.)"""
    for element in value[:100]:
        if isinstance(element, list | tuple):
            if depth:
                yield from _blamed(element, depth - 1)
        elif not isinstance(element, str | int | float | None | Ref | ClassValue):
            yield element


# So many attributes are put together here; more are `ast.unparse`'s.
_LONGEST_CHAIN: Final = 20


def shorten(node: ast.AST, limit: int = 60) -> str:
    """The source of `node` in one line, for a message."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    try:
        text = _dotted(node) or " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        return "…"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _dotted(node: ast.AST) -> str | None:
    """The source of a name with attributes, which most are, ``None`` for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute) and len(names) < _LONGEST_CHAIN:
        names.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(names))) if isinstance(node, ast.Name) else None

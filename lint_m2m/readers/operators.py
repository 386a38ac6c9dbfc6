"""Operators, containers and conditions on values (`readers.values`): pure functions, all of them bounded.

None of them raises. What has no value that can be told gives `Unreadable`, with the reason of the operand to blame.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from lint_m2m.readers.values import (
    REST,
    Call,
    Choice,
    ClassValue,
    Conditional,
    FilePath,
    FunctionValue,
    ModuleValue,
    Ref,
    Rest,
    Setting,
    Unreadable,
    Value,
    reason_of,
)

# No text, number or container of a real migration comes near these.
MAX_TEXT: Final = 2_000_000
MAX_ELEMENTS: Final = 100_000
MAX_NUMBER: Final = 1 << 64
MAX_BRANCHES: Final = 16

_SCALARS: Final = (str, bytes, int, float, complex, bool, type(None), type(...))
# "%9999999d", "{:>9999999}": a few bytes that would become megabytes.
_WIDE_FORMAT: Final = re.compile(r"\d{4,}|\*")

# Django 4.2 and Python 3.8 are the oldest that anything here runs on; newer ones cannot be told apart.
_VERSIONS: Final = {"django.VERSION": (4, 2), "sys.version_info": (3, 8)}
_TRUTHS: Final = {"typing.TYPE_CHECKING": False, "typing_extensions.TYPE_CHECKING": False}


def is_plain(value: Value) -> bool:
    """Whether `value` is a constant, or a container of nothing but constants, of a size that can be worked with.

    (``x = [x, x]`` forty times is small, and has more elements than can be counted.)
    """
    if isinstance(value, _SCALARS):
        return True
    pending: list[Value] = [value]
    seen = 0
    while pending:
        current = pending.pop()
        if isinstance(current, _SCALARS):
            continue
        if isinstance(current, dict):
            pending.extend(current.keys())
            pending.extend(current.values())
        elif isinstance(current, list | tuple | set | frozenset):
            pending.extend(current)
        else:
            return False
        seen += 1
        if seen > MAX_ELEMENTS or len(pending) > MAX_ELEMENTS:
            return False
    return True


def hashable(value: Value) -> bool:
    """Whether a plain value can be a key."""
    if isinstance(value, tuple):
        return all(hashable(element) for element in value)
    return not isinstance(value, list | dict | set)


def truth(value: Value) -> bool | None:
    """Whether `value` counts as true; None when only running code can tell."""
    if isinstance(value, _SCALARS):
        return bool(value)
    if isinstance(value, list | tuple | set | frozenset):
        if any(not isinstance(element, Rest | Conditional) for element in value):
            return True
        return None if value else False
    if isinstance(value, dict):
        return None if value.keys() == {REST} else bool(value)
    if isinstance(value, ModuleValue | FunctionValue | ClassValue | FilePath):
        return True
    if isinstance(value, Ref):
        return _TRUTHS.get(value.path)
    if isinstance(value, Call):
        return True if _makes_object(value.callee) else None
    if isinstance(value, Choice):
        truths = {truth(branch) for branch in value.branches}
        return truths.pop() if len(truths) == 1 else None
    return None


def _makes_object(callee: Value) -> bool:
    """Whether a call makes an object that counts as true: a field, an operation, something else of a plain class."""
    if isinstance(callee, Ref):
        return callee.path.startswith("django.db.") and callee.path.rpartition(".")[2][:1].isupper()
    return isinstance(callee, ClassValue) and not any(
        isinstance(statement, ast.FunctionDef) and statement.name in ("__bool__", "__len__")
        for statement in callee.node.body
    )


def choice(branches: Sequence[Value], reason: str) -> Value:
    """One of `branches`: their common value if they are equal; of lists one list, with the part that differs marked."""
    flat: list[Value] = []
    for branch in branches:
        for value in branch.branches if isinstance(branch, Choice) else (branch,):
            if not any(same(value, other) for other in flat):
                flat.append(value)
    if len(flat) <= 1:
        return flat[0] if flat else Unreadable(reason)
    if all(isinstance(value, list) for value in flat):
        return merge_lists([value for value in flat if isinstance(value, list)], reason)
    if all(isinstance(value, dict) for value in flat):
        return merge_dicts([value for value in flat if isinstance(value, dict)], reason)
    if len(flat) > MAX_BRANCHES:
        return Unreadable(reason)
    return Choice(tuple(flat), reason)


def same(left: Value, right: Value) -> bool:
    """Whether two values are certainly the same. (1 == True is no equality here, and NaN is no stranger.)"""
    if left is right:
        return True
    if left.__class__ is not right.__class__:
        return False
    if isinstance(left, Call) and isinstance(right, Call):
        return left.node is right.node and left.frame.names is right.frame.names
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        # One level: what differs deeper down is taken for different, and never for equal.
        return len(left) == len(right) and all(
            one is other or (is_plain(one) and is_plain(other) and one == other)
            for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, dict | set) and not (is_plain(left) and is_plain(right)):
        return False
    return bool(left == right)


def merge_lists(lists: Sequence[list[Value]], reason: str) -> list[Value]:
    """One list for several possible ones: what all begin and end with, and the rest `Conditional`."""
    shortest = min(len(elements) for elements in lists)
    start = 0
    while start < shortest and all(same(elements[start], lists[0][start]) for elements in lists):
        start += 1
    end = 0
    while end < shortest - start and all(same(elements[-1 - end], lists[0][-1 - end]) for elements in lists):
        end += 1
    middles = [tuple(elements[start : len(elements) - end]) for elements in lists]
    first = lists[0]
    marked: list[Value] = [Conditional(tuple(middles), reason)] if any(middles) else []
    return [*first[:start], *marked, *first[len(first) - end :]]


def merge_dicts(dicts: Sequence[dict[Value, Value]], reason: str) -> dict[Value, Value]:
    """One dictionary for several possible ones; whether an entry is there at all may be unknown."""
    merged: dict[Value, Value] = {}
    for key in dict.fromkeys(key for each in dicts for key in each):
        values = [each[key] for each in dicts if key in each]
        merged[key] = choice(values, reason) if len(values) == len(dicts) else Unreadable(reason)
    return merged


def as_elements(value: Value) -> list[Value]:
    """The elements that ``*value`` or ``extend(value)`` gives."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, set | frozenset):
        return in_order(value)
    if isinstance(value, dict):
        return [Rest(reason_of(value[REST])) if key is REST else key for key in value]
    if isinstance(value, str):
        return list(value)
    if isinstance(value, Choice):
        lists = [as_elements(branch) for branch in value.branches]
        return merge_lists(lists, value.reason)
    return [Rest(reason_of(value))]


def iterate(value: Value) -> list[Value]:
    """The elements that a loop over `value` meets; unknown ones as markers."""
    return as_elements(value)


def in_order(elements: Iterable[Value]) -> list[Value]:
    """A set's elements in an order that is the same in every run."""
    return sorted(elements, key=lambda element: (element.__class__.__name__, repr(element)))


def as_set(elements: list[Value]) -> Value:
    """The set of `elements`; Unreadable when one of them is not a plain value."""
    for element in elements:
        if not is_plain(element) or not hashable(element):
            return Unreadable(reason_of(element))
    return set(elements)


def update_dict(target: dict[Value, Value], more: Value) -> None:
    """``target.update(more)``."""
    if isinstance(more, dict):
        target.update(more)
    elif isinstance(more, list | tuple) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in more):
        for key, value in more:
            set_item(target, key, value)
    else:
        target[REST] = Unreadable(reason_of(more))


def set_item(container: Value, key: Value, value: Value) -> None:
    """``container[key] = value``."""
    if isinstance(container, dict):
        if is_plain(key) and hashable(key):
            container[key] = value
        else:
            container[REST] = Unreadable(reason_of(key))
    elif isinstance(container, list):
        if isinstance(key, int) and -len(container) <= key < len(container) and not _marked(container):
            container[key] = value
        else:
            container[:] = [Rest("is changed in a way that cannot be followed")]


def unpack(value: Value, targets: Sequence[ast.expr]) -> list[Value]:
    """The values for each of the targets of ``a, *b = value``."""
    star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if isinstance(value, list | tuple) and not _marked(value):
        elements = list(value)
        if star is None and len(elements) == len(targets):
            return elements
        if star is not None and len(elements) >= len(targets) - 1:
            after = len(targets) - star - 1
            end = len(elements) - after
            return [*elements[:star], elements[star:end], *elements[end:]]
    reason = reason_of(value) if not isinstance(value, list | tuple) else "cannot be unpacked"
    return [Unreadable(reason)] * len(targets)


def binary(operator: ast.operator, left: Value, right: Value) -> Value:
    """``left operator right``."""
    if isinstance(left, Choice):
        return choice(tuple(binary(operator, branch, right) for branch in left.branches), left.reason)
    if isinstance(right, Choice) and not (isinstance(left, list) and isinstance(operator, ast.Add)):
        return choice(tuple(binary(operator, left, branch) for branch in right.branches), right.reason)
    match operator:
        case ast.Add():
            return _add(left, right)
        case ast.Mod() if isinstance(left, str):
            return _percent(left, right)
        case ast.Div() if isinstance(left, FilePath) and isinstance(right, str):
            return join_path(left, right)
        case ast.Mult():
            return _repeat(left, right)
        case ast.BitOr() if isinstance(left, dict) and isinstance(right, dict):
            return {**left, **right}
        case _:
            return _arithmetic(operator, left, right)


def _add(left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return limited([*left, *(right if isinstance(right, list) else as_elements(right))])
    if isinstance(right, list) and not isinstance(left, tuple):
        return limited([Rest(reason_of(left)), *right])
    if isinstance(left, tuple):
        more = right if isinstance(right, tuple) else tuple(as_elements(right))
        return limited((*left, *more))
    if isinstance(left, str) and isinstance(right, str):
        return limited(left + right)
    return _arithmetic(ast.Add(), left, right)


def _repeat(left: Value, right: Value) -> Value:
    if isinstance(left, int) and isinstance(right, str | list | tuple):
        left, right = right, left
    if isinstance(left, str | list | tuple) and isinstance(right, int):
        if len(left) * max(right, 0) > (MAX_TEXT if isinstance(left, str) else MAX_ELEMENTS):
            return Unreadable("is too long")
        return left * right
    return _arithmetic(ast.Mult(), left, right)


_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
    ast.BitOr: lambda left, right: left | right,
    ast.BitAnd: lambda left, right: left & right,
}


def _arithmetic(operator: ast.operator, left: Value, right: Value) -> Value:
    function = _ARITHMETIC.get(operator.__class__)
    if isinstance(left, int | float) and isinstance(right, int | float):
        if function is None or max(abs(left), abs(right)) > MAX_NUMBER:
            return Unreadable("is arithmetic that only running code can do")
        return attempt(lambda: function(left, right))
    if isinstance(left, set | frozenset) and isinstance(right, set | frozenset) and function is not None:
        return attempt(lambda: function(left, right))
    return Unreadable(reason_of(right if is_plain(left) else left))


def unary(operator: ast.unaryop, value: Value) -> Value:
    """``operator value``."""
    if isinstance(operator, ast.Not):
        holds = truth(value)
        return Unreadable(reason_of(value)) if holds is None else not holds
    if isinstance(value, int | float):
        match operator:
            case ast.USub():
                return -value
            case ast.UAdd():
                return +value
    return Unreadable(reason_of(value))


def compare(operator: ast.cmpop, left: Value, right: Value) -> Value:
    """``left operator right``: a bool, or Unreadable."""
    if isinstance(left, Ref) and left.path in _VERSIONS:
        return _compare_version(operator, left, right)
    if isinstance(operator, ast.Is | ast.IsNot):
        sides = (left, right)
        if None not in sides and not any(isinstance(side, bool) for side in sides):
            return Unreadable("compares identities")
        other = left if right is None else right
        if is_plain(other) or isinstance(other, list | dict | tuple | FunctionValue | ClassValue | ModuleValue):
            return (left is right) is isinstance(operator, ast.Is)
        return Unreadable(reason_of(other))
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, dict) and REST not in right and is_plain(left):
        return (hashable(left) and left in right) is isinstance(operator, ast.In)
    if not is_plain(left) or not is_plain(right):
        return Unreadable(reason_of(right if is_plain(left) else left))
    function = _COMPARISONS.get(operator.__class__)
    return Unreadable("is a comparison") if function is None else attempt(lambda: bool(function(left, right)))


_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def _compare_version(operator: ast.cmpop, left: Ref, right: Value) -> Value:
    """A test for a version older than all supported ones has one outcome; others depend on what is installed."""
    oldest = _VERSIONS[left.path]
    if isinstance(right, tuple) and right and all(isinstance(part, int) for part in right):
        wanted = tuple(part for part in right if isinstance(part, int))[:2]
        if wanted <= oldest and isinstance(operator, ast.GtE | ast.Lt):
            return isinstance(operator, ast.GtE)
        if wanted < oldest and isinstance(operator, ast.Gt | ast.LtE):
            return isinstance(operator, ast.Gt)
    return Unreadable(f"depends on `{left.path}`")


def item(base: Value, key: Value) -> Value:
    """``base[key]``."""
    if isinstance(base, Setting | Unreadable):
        return base
    if isinstance(base, Choice):
        return choice(tuple(item(branch, key) for branch in base.branches), base.reason)
    if isinstance(base, Ref) and base.path == "django.db.connections":
        return Ref("django.db.connection")
    if isinstance(base, dict):
        if not is_plain(key) or not hashable(key):
            return Unreadable(reason_of(key))
        return base[key] if key in base else Unreadable(f"needs the key {key!r:.40}, which is not there")
    if isinstance(base, list | tuple | str) and isinstance(key, int):
        if not isinstance(base, str) and _marked(base):
            return Unreadable("stands after elements that could not be read")
        return base[key] if -len(base) <= key < len(base) else Unreadable("is beyond the end of a list")
    if isinstance(base, FilePath) and isinstance(key, int):
        return Unreadable("is a part of a path")
    return Unreadable(reason_of(key if isinstance(base, list | tuple | str) else base))


def slice_of(base: Value, bounds: Sequence[Value]) -> Value:
    """``base[a:b:c]``."""
    if not isinstance(base, list | tuple | str) or (not isinstance(base, str) and _marked(base)):
        return Unreadable(reason_of(base))
    numbers = [bound for bound in bounds if bound is None or isinstance(bound, int)]
    if len(numbers) != len(bounds) or numbers[2] == 0:
        return Unreadable("is a slice with computed bounds")
    return base[slice(*numbers)]


def _percent(template: str, right: Value) -> Value:
    if not is_plain(right):
        return Unreadable(reason_of(right))
    size = sum(len(str(part)) for part in (right if isinstance(right, tuple | list) else [right]))
    if size * max(1, template.count("%(")) > MAX_TEXT:
        return Unreadable("is too long")
    if _WIDE_FORMAT.search("".join(re.findall(r"%(?:\([^)]*\))?([^a-zA-Z%]*)", template))):
        return Unreadable("is a format with a computed width")
    return attempt(lambda: limited(template % right))


def format_text(template: str, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``template.format(*positional, **keywords)`` of strings and numbers."""
    for value in [*positional, *keywords.values()]:
        if not isinstance(value, str | int | float | None):
            return Unreadable(reason_of(value))
    fields = re.findall(r"\{([^{}]*)\}", template.replace("{{", "").replace("}}", ""))
    size = sum(len(str(value)) for value in [*positional, *keywords.values()])
    if size * max(1, len(fields)) > MAX_TEXT:
        return Unreadable("is too long")
    # No attributes, no items, no nested or wide formats: names and numbers of arguments alone.
    if any(re.fullmatch(r"\w*(?:![rsa])?(?::[^\d.\[{]{0,2}\d{0,3}[a-z]?)?", each) is None for each in fields):
        return Unreadable("is a format that only running code can apply")
    return attempt(lambda: limited(template.format(*positional, **keywords)))


def formatted(value: Value, conversion: int, spec: Value) -> Value:
    """What ``{value!r:spec}`` in an f-string gives."""
    if isinstance(value, Choice):
        return choice([formatted(branch, conversion, spec) for branch in value.branches], value.reason)
    if not isinstance(value, str | int | float | None) or not isinstance(spec, str):
        return Unreadable(reason_of(value if isinstance(spec, str) else spec))
    if _WIDE_FORMAT.search(spec):
        return Unreadable("is a format with a computed width")
    shown = repr(value) if conversion == ord("r") else ascii(value) if conversion == ord("a") else value
    if conversion == ord("s"):
        shown = str(value)
    return attempt(lambda: format(shown, spec))


def limited(value: Value) -> Value:
    """`value`, unless it is longer than anything real."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return Unreadable("is too long")
    if isinstance(value, list | tuple) and len(value) > MAX_ELEMENTS:
        return Unreadable("is too long")
    return value


def attempt(function: Callable[[], Value]) -> Value:
    """What `function` returns; Unreadable when Python cannot do it (``"a" < 1``, ``"%d" % "x"``)."""
    try:
        return function()
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError):
        return Unreadable("would raise an exception")


def join_path(base: FilePath, *parts: str) -> Value:
    """A path below or beside `base`."""
    try:
        return FilePath(Path(base.path, *parts))
    except (TypeError, ValueError):
        return Unreadable("is not a path")


def _marked(elements: Iterable[Value]) -> bool:
    return any(isinstance(element, Rest | Conditional) for element in elements)

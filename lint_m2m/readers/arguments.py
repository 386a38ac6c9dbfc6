"""The arguments of one call, by the names of its parameters, each evaluated only when somebody asks for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lint_m2m.readers.values import REST, Call, Conditional, Frame, Rest, Unreadable, Value, reason_of

if TYPE_CHECKING:
    from lint_m2m.readers.evaluate import Evaluator


class Absent:
    """The type of `ABSENT`: an argument that was not given."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


class Known:
    """An argument that has been evaluated already."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


class Arguments:
    """`given` are the arguments by name. `rest` says why there may be more than these, None when there are not."""

    __slots__ = ("_evaluator", "frame", "given", "rest")

    def __init__(
        self, evaluator: Evaluator, frame: Frame, given: dict[str, ast.expr | Known], rest: str | None
    ) -> None:
        self._evaluator = evaluator
        self.frame = frame
        self.given = given
        self.rest = rest

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def value(self, name: str) -> Value:
        """What argument `name` stands for: ABSENT when it was not given, Unreadable when that cannot be told."""
        argument = self.given.get(name)
        if argument is None:
            return ABSENT if self.rest is None else Unreadable(self.rest)
        if argument.__class__ is ast.Constant:
            return argument.value
        if isinstance(argument, Known):
            return self._evaluator.known(argument.value)
        return self._evaluator.plain(argument, self.frame)

    def text(self, name: str) -> str | None:
        """Argument `name` if it is a known string, else None."""
        value = self.value(name)
        return value if isinstance(value, str) else None

    def node(self, name: str) -> ast.expr | None:
        """The expression of argument `name`, where it was written in this call."""
        argument = self.given.get(name)
        return None if isinstance(argument, Known) else argument

    def reason(self, name: str) -> str:
        """Why argument `name` is not the plain value that was wanted."""
        value = self.value(name)
        return "is missing" if value is ABSENT else reason_of(value)


def bind_call(evaluator: Evaluator, call: Call, parameters: tuple[str, ...]) -> Arguments:
    """The arguments of `call`, positional ones named by `parameters`."""
    node = call.node
    given: dict[str, ast.expr | Known] = {}
    rest: str | None = None
    for index, argument in enumerate(node.args):
        if argument.__class__ is ast.Starred or index >= len(parameters):
            return _bind_slowly(evaluator, call, parameters)
        given[parameters[index]] = argument
    for keyword in node.keywords:
        if keyword.arg is not None:
            given[keyword.arg] = keyword.value
            continue
        more = evaluator.value(keyword.value, call.frame)
        rest = _merge(given, more) or rest
    return Arguments(evaluator, call.frame, given, rest)


def bind_keywords(evaluator: Evaluator, call: Call) -> Arguments:
    """The keyword arguments of `call`."""
    bound = Arguments(evaluator, call.frame, {}, None)
    for keyword in call.node.keywords:
        if keyword.arg is not None:
            bound.given[keyword.arg] = keyword.value
        else:
            bound.rest = _merge(bound.given, evaluator.value(keyword.value, call.frame)) or bound.rest
    return bound


def bind_values(
    evaluator: Evaluator,
    frame: Frame,
    parameters: tuple[str, ...],
    positional: list[Value],
    keywords: dict[str, Value],
) -> Arguments:
    """The same for arguments that have been evaluated, by a constructor that was followed."""
    given: dict[str, ast.expr | Known] = {}
    rest: str | None = None
    for index, value in enumerate(positional):
        if index >= len(parameters) or isinstance(value, Rest | Conditional):
            rest = "is given by position"
            break
        given[parameters[index]] = Known(value)
    given.update({name: Known(value) for name, value in keywords.items()})
    return Arguments(evaluator, frame, given, rest)


def _bind_slowly(evaluator: Evaluator, call: Call, parameters: tuple[str, ...]) -> Arguments:
    """``f(*names, a, **options)``."""
    bound = bind_values(evaluator, call.frame, parameters, evaluator.elements(call.node.args, call.frame), {})
    words = bind_keywords(evaluator, call)
    bound.given.update(words.given)
    bound.rest = words.rest or bound.rest
    return bound


def _merge(given: dict[str, ast.expr | Known], more: Value) -> str | None:
    """Add the entries of ``**more``; why there may be others, if so."""
    if not isinstance(more, dict):
        return reason_of(more)
    for key, value in more.items():
        if isinstance(key, str):
            given[key] = Known(value)
    return reason_of(more[REST]) if REST in more else None

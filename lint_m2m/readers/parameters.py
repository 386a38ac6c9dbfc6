"""Which parameter of a function gets which argument."""

from __future__ import annotations

import ast
from collections.abc import Callable

from lint_m2m.readers.values import Unreadable, Value


def bind_parameters(
    parameters: ast.arguments,
    positional: list[Value],
    keywords: dict[str, Value],
    default: Callable[[ast.expr], Value],
) -> dict[str, Value] | Unreadable:
    """The local names of a call; Unreadable when the arguments do not fit (Python would raise a TypeError).

    `default` evaluates a default value.
    """
    mismatch = Unreadable("is called with arguments that do not fit")
    names: dict[str, Value] = {}
    plain = [*parameters.posonlyargs, *parameters.args]
    for parameter, value in zip(plain, positional, strict=False):
        names[parameter.arg] = value
    surplus = positional[len(plain) :]
    if parameters.vararg is not None:
        names[parameters.vararg.arg] = tuple(surplus)
    elif surplus:
        return mismatch
    by_keyword = {parameter.arg for parameter in (*parameters.args, *parameters.kwonlyargs)}
    extra: dict[Value, Value] = {}
    for name, value in keywords.items():
        if name in by_keyword:
            if name in names:
                return mismatch
            names[name] = value
        elif parameters.kwarg is None:
            return mismatch
        else:
            extra[name] = value
    if parameters.kwarg is not None:
        names[parameters.kwarg.arg] = extra
    defaults = zip(reversed(plain), reversed(parameters.defaults), strict=False)
    optional = [
        *((parameter.arg, node) for parameter, node in defaults),
        *(
            (parameter.arg, node)
            for parameter, node in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
            if node is not None
        ),
    ]
    for name, node in optional:
        if name not in names:
            names[name] = default(node)
    if any(parameter.arg not in names for parameter in (*plain, *parameters.kwonlyargs)):
        return mismatch
    return names

"""What reaches the class that a class of the project comes from, when the project's is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lint_m2m.readers.arguments import Arguments, bind_call, bind_values
from lint_m2m.readers.values import Call, ClassValue, FunctionValue, Instance, Unreadable

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session


def arguments_of_base(
    session: Session,
    source: ClassValue | None,
    constructors: Sequence[FunctionValue],
    parameters: tuple[str, ...],
    call: Call,
) -> Arguments:
    """The arguments of `call` by the `parameters` of the base, after every constructor on the way has seen them.

    `constructors` are those between class `source` and its base, outermost first. Where one cannot be followed, the
    keyword arguments count as they stand, and `rest` says why there may be others.
    """
    interpreter = session.interpreter
    if not constructors or source is None:
        return bind_call(interpreter, call, parameters)
    instance = Instance(source)
    step = interpreter.construct(constructors[0], instance, call)
    for init in constructors[1:]:
        if isinstance(step, Unreadable):
            break
        step = interpreter.construct_with(init, instance, step[0], step[1], site=call.node)
    if isinstance(step, Unreadable):
        arguments = bind_call(interpreter, call, ())
        arguments.rest = step.reason
        return arguments
    positional, keywords, frame = step
    return bind_values(interpreter, frame, parameters, positional, keywords)

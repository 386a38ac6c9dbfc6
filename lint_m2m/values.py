"""`frozen`: what ``@dataclass(frozen=True, slots=True, kw_only=True)`` does, at a fraction of the cost.

There are some hundred and forty such classes, and a check of a large project makes half a million instances of them.
`dataclasses` compiles six methods for each class when it is imported, and its frozen ``__init__`` goes through
``object.__setattr__`` for every field. Here the methods are shared, ``__init__`` is made when the first instance is,
and fields are set through their slots: start-up costs half as much, an instance two thirds.

The classes are dataclasses to whoever asks: `dataclasses.fields`, `replace` and `is_dataclass` work, `declare`
(``dataclasses.field``) says what it says there. They can be pickled and copied; there is no ``__post_init__``.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, TypeVar, dataclass_transform

_T = TypeVar("_T")
_MISSING: Final = dataclasses.MISSING
# What tells `dataclasses` that a field is one, and no ClassVar or InitVar.
_FIELD: Final = dataclasses._FIELD  # type: ignore[attr-defined]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[_T]) -> type[_T]:
    """A class of frozen values with slots: all arguments by name, compared and hashed by what is in them."""
    fields: dict[str, dataclasses.Field[Any]] = {}
    for base in cls.__mro__[-1:0:-1]:
        fields.update(base.__dict__.get("__dataclass_fields__", {}))
    inherited = set(fields)
    namespace = dict(cls.__dict__)
    for name, annotation in inspect.get_annotations(cls).items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        default = namespace.pop(name, _MISSING)
        declared: Any = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)
        declared.name, declared.type, declared.kw_only = name, annotation, True
        declared._field_type = _FIELD
        fields[name] = declared
    compared = [field.name for field in fields.values() if field.compare]
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    namespace["__slots__"] = tuple(name for name in fields if name not in inherited)
    namespace["__dataclass_fields__"] = fields
    namespace["__match_args__"] = ()
    namespace["_compared"] = staticmethod(attrgetter(*compared) if compared else type)
    for name, method in _SHARED.items():
        namespace.setdefault(name, method)
    if namespace["__hash__"] is None:
        namespace["__hash__"] = _hash
    meta: Any = type(cls)
    made = meta(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__

    def __init__(self: object, /, **given: object) -> None:
        made.__init__ = _initialiser(made)
        made.__init__(self, **given)

    made.__init__ = __init__
    return made  # type: ignore[no-any-return]


def _initialiser(cls: Any) -> Callable[..., None]:
    """The ``__init__`` of a class of values."""
    parameters: list[str] = []
    body: list[str] = []
    names: dict[str, object] = {}
    for field in dataclasses.fields(cls):
        name = field.name
        names[f"_set_{name}"] = getattr(cls, name).__set__
        default = f"_default_{name}"
        source = name
        if field.default is not _MISSING:
            names[default] = field.default
            parameter = f"{name}={default}"
            source = name if field.init else default
        elif field.default_factory is not _MISSING:
            names[f"_make_{name}"] = field.default_factory
            names[default] = _MISSING
            parameter = f"{name}={default}"
            source = f"_make_{name}() if {name} is {default} else {name}" if field.init else f"_make_{name}()"
        else:
            parameter = name
        if field.init:
            parameters.append(parameter)
        body.append(f"    _set_{name}(self, {source})\n")
    star = "*, " if parameters else ""
    exec(f"def __init__(self, {star}{', '.join(parameters)}):\n{''.join(body) or '    pass'}", names)
    made: Callable[..., None] = names["__init__"]  # type: ignore[assignment]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _equals(self: Any, other: Any) -> Any:
    if other is self:
        return True
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _no_change(self: object, name: str, *_: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _reduce(self: Any) -> tuple[Callable[..., object], tuple[object, ...]]:
    return _restored, (type(self), *(getattr(self, name) for name in self.__dataclass_fields__))


def _restored(cls: Any, *contents: object) -> object:
    made: object = object.__new__(cls)
    for name, content in zip(cls.__dataclass_fields__, contents, strict=True):
        object.__setattr__(made, name, content)
    return made


_SHARED: Final = {
    "__eq__": _equals,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _no_change,
    "__delattr__": _no_change,
    "__reduce__": _reduce,
}

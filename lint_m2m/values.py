"""`frozen`: what ``@dataclass(frozen=True, slots=True, kw_only=True)`` does, at a fraction of the cost; `slotted`: the
same for ``@dataclass(slots=True)``.

There are some hundred and forty such classes, and a check of a large project makes half a million instances of them.
`dataclasses` imports `inspect`, compiles six methods for each class, and its frozen ``__init__`` goes through
``object.__setattr__`` for every field. Here the methods are shared, ``__init__`` is made when there are some instances,
and fields are set through their slots: start-up costs half as much, an instance two thirds.

The classes are dataclasses to whoever asks: `dataclasses.fields`, `replace` and `is_dataclass` work. `declare` is
``dataclasses.field`` for them, and `replace` is ``dataclasses.replace``, at a third of its cost. They can be pickled
and copied; there is no ``__post_init__``.

`NamedTuple` is that of `typing`, which compiles the annotation of each field to see whether it may be one: that takes
twice as long as making the class.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, dataclass_transform

__all__ = ["NamedTuple", "declare", "frozen", "names_in", "replace", "slotted"]

_T = TypeVar("_T")
# So many instances of a class are made without compiling its ``__init__``: of many classes there are no more.
_FIRST_ONES: Final = 12
_MISSING: Final = object()


class _Declared:
    """A field of a class, as `declare` says it."""

    __slots__ = ("compare", "default", "default_factory", "init", "kw_only", "name", "repr", "type")

    def __init__(
        self,
        *,
        default: object = _MISSING,
        default_factory: Any = _MISSING,
        init: bool = True,
        repr: bool = True,
        compare: bool = True,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.compare = compare
        self.kw_only = False
        self.name = ""
        self.type: object = None


if TYPE_CHECKING:
    from dataclasses import field as declare
    from dataclasses import replace as replace
    from typing import NamedTuple as NamedTuple
else:
    declare = _Declared

    class _OfTuples(type):
        """Makes of a class with fields a class of tuples."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, object]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = list(namespace["__annotations__"])
            given = [field for field in fields if field in namespace]
            if bases != (NamedTuple,) or given != fields[len(fields) - len(given) :]:
                raise TypeError(f"{name}: fields with a default come last, and there is no other base")
            defaults = [namespace.pop(field) for field in given]
            made = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])
            for key, value in namespace.items():
                setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_OfTuples):
        """Base of the classes of tuples: their fields can be had by name, too."""

    def replace(value: _T, /, **others: object) -> _T:
        """Another value that is different in `others`. TypeError and ValueError as in `dataclasses`."""
        cls = value.__class__
        declared = cls.__dict__.get("__declared__", {})
        if len(declared) > 1 and others.keys() <= declared.keys() and all(each.init for each in declared.values()):
            contents = dict(zip(declared, cls._contents(value), strict=True))
            contents.update(others)
            return _restored(cls, contents.values())
        import dataclasses

        return dataclasses.replace(value, **others)


class _Fields:
    """What `dataclasses` calls the fields of a class: made when somebody asks."""

    def __get__(self, instance: object, owner: Any) -> dict[str, Any]:
        import dataclasses

        found: dict[str, Any] = {}
        for name, declared in owner.__declared__.items():
            given = {"default": declared.default, "default_factory": declared.default_factory}
            defaults: dict[str, Any] = {key: value for key, value in given.items() if value is not _MISSING}
            field: Any = dataclasses.field(**defaults, init=declared.init, repr=declared.repr, compare=declared.compare)
            field.name, field.type, field.kw_only = name, declared.type, declared.kw_only
            # What tells `dataclasses` that a field is one, and no ClassVar or InitVar.
            field._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
            found[name] = field
        owner.__dataclass_fields__ = found
        return found


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(declare,))
def frozen(cls: type[_T]) -> type[_T]:
    """A class of frozen values with slots: all arguments by name, compared and hashed by what is in them."""
    return _made(cls, fixed=True, by_name=True, compares=True)


@dataclass_transform(field_specifiers=(declare,))
def slotted(*, frozen: bool = False, eq: bool = True) -> Callable[[type[_T]], type[_T]]:
    """``@dataclass(slots=True)`` in the same way, for the few classes that take arguments by position or change."""
    return lambda cls: _made(cls, fixed=frozen, by_name=False, compares=eq)


def names_in(cls: type) -> tuple[str, ...]:
    """The names of the fields of such a class."""
    return tuple(cls.__declared__)  # type: ignore[attr-defined]


def _made(cls: type[_T], *, fixed: bool, by_name: bool, compares: bool) -> type[_T]:
    """The class that stands for `cls`. `fixed`: its instances do not change."""
    fields: dict[str, _Declared] = {}
    for base in cls.__mro__[-1:0:-1]:
        fields.update(base.__dict__.get("__declared__", {}))
    inherited = set(fields)
    namespace = dict(cls.__dict__)
    for name, annotation in namespace.get("__annotations__", {}).items():
        if str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        default = namespace.pop(name, _MISSING)
        if type(default).__module__ == "dataclasses":
            raise TypeError(f"{cls.__qualname__}.{name}: `declare` it, not with `dataclasses.field`")
        declared = default if isinstance(default, _Declared) else _Declared(default=default)
        declared.name, declared.type, declared.kw_only = name, annotation, by_name
        fields[name] = declared
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    namespace["__slots__"] = tuple(name for name in fields if name not in inherited)
    namespace["__declared__"] = fields
    namespace["__dataclass_fields__"] = _Fields()
    namespace["__match_args__"] = () if by_name else tuple(name for name, field in fields.items() if field.init)
    namespace["_contents"] = staticmethod(attrgetter(*fields) if fields else type)
    methods = dict(_SHARED)
    if fixed:
        methods |= _FIXED
    if compares:
        compared = [field.name for field in fields.values() if field.compare]
        namespace["_compared"] = staticmethod(attrgetter(*compared) if compared else type)
        methods["__eq__"] = _equals
        methods["__hash__"] = _hash if fixed else None
    for name, method in methods.items():
        namespace.setdefault(name, method)
    if fixed and compares and namespace["__hash__"] is None:
        namespace["__hash__"] = _hash
    meta: Any = type(cls)
    made = meta(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__

    left = _FIRST_ONES

    def __init__(self: object, /, *given: object, **named: object) -> None:
        nonlocal left
        left -= 1
        if left < 0 or given or not _filled(self, fields, named):
            made.__init__ = _initialiser(made)
            made.__init__(self, *given, **named)

    made.__init__ = __init__
    return made  # type: ignore[no-any-return]


def _filled(value: object, fields: dict[str, _Declared], named: dict[str, object]) -> bool:
    """Do what ``__init__`` does with arguments that are given by name; False where they are not as they should be."""
    used = 0
    cls: Any = value.__class__
    for name, field in fields.items():
        if field.init and name in named:
            used += 1
            content = named[name]
        elif field.default is not _MISSING:
            content = field.default
        elif field.default_factory is not _MISSING:
            content = field.default_factory()
        else:
            return False
        getattr(cls, name).__set__(value, content)
    return used == len(named)


def _initialiser(cls: Any) -> Callable[..., None]:
    """The ``__init__`` of a class of values."""
    fixed = cls.__setattr__ is _no_change
    by_name = False
    parameters: list[str] = []
    body: list[str] = []
    names: dict[str, object] = {}
    for name, field in cls.__declared__.items():
        names[f"_set_{name}"] = getattr(cls, name).__set__
        by_name = field.kw_only is True
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
        body.append(f"    _set_{name}(self, {source})\n" if fixed else f"    self.{name} = {source}\n")
    star = "*, " if parameters and by_name else ""
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
    shown = (f"{name}={getattr(self, name)!r}" for name, field in self.__declared__.items() if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _no_change(self: object, name: str, *_: object) -> NoReturn:
    import dataclasses

    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _reduce(self: Any) -> tuple[Callable[..., object], tuple[object, ...]]:
    cls = self.__class__
    return _restored, (cls, cls._contents(self))


def _restored(cls: Any, contents: object) -> object:
    restore = cls.__dict__.get("_restore")
    if restore is None:
        restore = cls._restore = _restorer(cls)
    return restore(contents)


def _restorer(cls: Any) -> Callable[[object], object]:
    """A function that makes an instance of a class of what `_contents` tells of one."""
    fields = list(cls.__declared__)
    names: dict[str, object] = {"cls": cls, "new": object.__new__}
    names |= {f"_set_{name}": getattr(cls, name).__set__ for name in fields}
    lines = [f"    _set_{name}(made, value_{number})\n" for number, name in enumerate(fields)]
    values = [f"value_{number}" for number in range(len(fields))]
    told = f"    {', '.join(values)} = contents\n" if values else ""
    exec(f"def restore(contents):\n    made = new(cls)\n{told}{''.join(lines)}    return made", names)
    return staticmethod(names["restore"])  # type: ignore[return-value, arg-type]


_SHARED: Final[dict[str, object]] = {"__repr__": _repr, "__reduce__": _reduce}
_FIXED: Final[dict[str, object]] = {"__setattr__": _no_change, "__delattr__": _no_change}

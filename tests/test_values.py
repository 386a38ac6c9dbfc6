"""Classes of frozen values are what `dataclasses` would make of them, as far as anybody asks."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import ClassVar

import pytest

from lint_m2m.values import frozen


@frozen
class Base:
    name: str
    tags: tuple[str, ...] = ()
    note: str | None = dataclasses.field(default=None, compare=False)


@frozen
class Derived(Base):
    kind: ClassVar[str] = "derived"
    size: int = 1
    items: list[int] = dataclasses.field(default_factory=list, compare=False, repr=False)
    hidden: int | None = dataclasses.field(default=None, init=False, compare=False, repr=False)


@frozen
class Empty:
    pass


def test_holds_what_it_is_given_and_defaults() -> None:
    one, other = Derived(name="a", size=2), Derived(name="a", size=2)
    assert (one.name, one.tags, one.size, one.items, one.hidden) == ("a", (), 2, [], None)
    assert one.items is not other.items
    assert Derived.kind == "derived"


def test_is_compared_and_hashed_by_what_is_in_it() -> None:
    assert Base(name="a", note="x") == Base(name="a", note="y")
    assert hash(Base(name="a", note="x")) == hash(Base(name="a"))
    assert Base(name="a") != Base(name="b")
    assert Base(name="a") != Derived(name="a")
    assert Empty() == Empty()
    assert len({Empty(), Empty()}) == 1


def test_cannot_be_changed() -> None:
    one = Base(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.name
    with pytest.raises(AttributeError):
        object.__setattr__(one, "other", 1)


@pytest.mark.parametrize("given", [{}, {"name": "a", "other": 1}, {"name": "a", "hidden": 1}])
def test_refuses_other_arguments(given: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Derived(**given)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Derived("a")  # type: ignore[misc]


def test_is_a_dataclass_to_whoever_asks() -> None:
    one = Derived(name="a", tags=("x",))
    assert [field.name for field in dataclasses.fields(one)] == ["name", "tags", "note", "size", "items", "hidden"]
    assert dataclasses.replace(one, size=3) == Derived(name="a", tags=("x",), size=3)
    assert dataclasses.is_dataclass(one)
    assert repr(one) == "Derived(name='a', tags=('x',), note=None, size=1)"


def test_can_be_pickled_and_copied() -> None:
    one = Derived(name="a", note="n", items=[1])
    for twin in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert (twin, twin.note, twin.items, twin.hidden) == (one, "n", [1], None)

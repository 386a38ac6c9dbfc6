"""Classes of frozen values are what `dataclasses` would make of them, as far as anybody asks."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import ClassVar

import pytest

from lint_m2m.values import NamedTuple, declare, frozen, replace, slotted


@frozen
class Base:
    name: str
    tags: tuple[str, ...] = ()
    note: str | None = declare(default=None, compare=False)


@frozen
class Derived(Base):
    kind: ClassVar[str] = "derived"
    size: int = 1
    items: list[int] = declare(default_factory=list, compare=False, repr=False)
    hidden: int | None = declare(default=None, init=False, compare=False, repr=False)


@frozen
class Empty:
    pass


class Pair(NamedTuple):
    """Two of them."""

    one: int
    other: str = "x"

    @property
    def both(self) -> str:
        return f"{self.one}{self.other}"


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


@slotted()
class Open:
    name: str
    items: list[int] = declare(default_factory=list)
    note: str | None = None


@slotted(frozen=True)
class Closed:
    name: str
    size: int = 0


@slotted(frozen=True)
class More(Closed):
    pass


@slotted(eq=False)
class Single:
    name: str


def test_another_is_made_by_what_is_different() -> None:
    one = Derived(name="a", tags=("x",), items=[1])
    other = replace(one, size=3, note="n")
    assert (other.name, other.tags, other.size, other.note) == ("a", ("x",), 3, "n")
    assert other.items is one.items
    assert (one.size, one.note) == (1, None)


def test_slotted_classes_take_arguments_by_position() -> None:
    one = Open("a", note="n")
    assert (one.name, one.items, one.note) == ("a", [], "n")
    assert repr(Closed("a", 1)) == "Closed(name='a', size=1)"
    assert [field.name for field in dataclasses.fields(Closed)] == ["name", "size"]
    assert dataclasses.replace(Closed("a", 1), size=2) == Closed("a", 2)
    match Closed("a", 1):
        case Closed(name, size):
            assert (name, size) == ("a", 1)
    with pytest.raises(TypeError):
        Closed("a", 1, 2)  # type: ignore[call-arg]


def test_slotted_classes_change_unless_they_are_frozen() -> None:
    one = Open("a")
    one.name = "b"
    assert one == Open("b") != Open("c")
    with pytest.raises(TypeError):
        hash(one)
    with pytest.raises(AttributeError):
        one.other = 1  # type: ignore[attr-defined]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Closed("a").name = "b"  # type: ignore[misc]


def test_slotted_classes_are_compared_unless_they_are_one_of_a_kind() -> None:
    assert len({Closed("a"), Closed("a"), Closed("b"), More("a")}) == 3
    assert len({Single("a"), Single("a")}) == 2
    single = Single("a")
    assert single != Single("a")
    assert single in [single]


def test_slotted_values_can_be_pickled_and_copied() -> None:
    one = Open("a", [1], "n")
    for twin in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert twin == one
        assert twin.items is not one.items


def test_a_class_of_tuples_is_what_typing_makes_of_it() -> None:
    assert (Pair.__name__, Pair.__qualname__, Pair.__module__) == ("Pair", "Pair", __name__)
    assert (Pair.__doc__, Pair.__bases__, Pair._fields) == ("Two of them.", (tuple,), ("one", "other"))
    assert Pair._field_defaults == {"other": "x"}
    assert Pair.__annotations__ == {"one": "int", "other": "str"}
    assert not hasattr(Pair(1), "__dict__")


def test_a_tuple_has_fields_defaults_and_what_is_defined_beside_them() -> None:
    pair = Pair(1)
    assert pair == (1, "x") == Pair(one=1, other="x")
    assert (pair.one, pair.other, pair.both) == (1, "x", "1x")
    assert pair._replace(one=2) == Pair(2, "x")
    assert repr(pair) == "Pair(one=1, other='x')"
    assert pickle.loads(pickle.dumps(pair)) == copy.copy(pair) == pair
    with pytest.raises(TypeError):
        Pair()  # type: ignore[call-arg]


def test_a_class_of_tuples_has_defaults_last_and_no_other_base() -> None:
    with pytest.raises(TypeError, match="Odd"):
        type(NamedTuple)("Odd", (NamedTuple,), {"__annotations__": {"a": "int", "b": "int"}, "a": 1})
    with pytest.raises(TypeError, match="Odd"):
        type(NamedTuple)("Odd", (NamedTuple, Open), {"__annotations__": {"a": "int"}})

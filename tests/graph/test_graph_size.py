"""A stranger's project may be built to hurt: no recursion, and time in proportion to size."""

from __future__ import annotations

import time

import pytest

from lint_m2m.graph import build
from tests.graph.cases import Case, File, file, key, project

SECONDS = 30  # each takes about one on an idle machine; what grows with the square takes minutes


def chain(size: int) -> dict[str, File]:
    return {f"{number:05}": file(*([f"a.{number - 1:05}"] if number else [])) for number in range(size)}


def ring(size: int) -> dict[str, File]:
    return {f"{number:05}": file(f"a.{(number - 1) % size:05}") for number in range(size)}


CASES: dict[str, tuple[Case, int]] = {
    "chain": ({"a": chain(20_000)}, 0),
    "cycle": ({"a": ring(10_000)}, 1),
    "cycles": (
        {
            "a": {f"{number:05}": file(f"b.{number:05}") for number in range(5_000)},
            "b": {f"{number:05}": file(f"a.{number:05}") for number in range(5_000)},
        },
        5_000,
    ),
    "missing": ({"a": {f"{number:05}": file(f"a.x{number}") for number in range(20_000)}}, 20_000),
    "leaves": ({f"a{number}": {"1": file(), "2": file()} for number in range(10_000)}, 10_000),
    "unread": ({"a": {f"{number:05}_squashed_": file(unread=True) for number in range(20_000)}}, 0),
    "squash": ({"a": {**chain(20_000), "s": file(replaces=[f"a.{number:05}" for number in range(20_000)])}}, 0),
    "squashes in squashes": (
        {"a": {f"{number:05}": file(replaces=[f"a.{number - 1:05}"] if number else []) for number in range(10_000)}},
        0,
    ),
    "squashes in a circle": (
        {"a": {f"{number:05}": file(replaces=[f"a.{(number - 1) % 10_000:05}"]) for number in range(10_000)}},
        1,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_large_graphs(name: str) -> None:
    content, problems = CASES[name]
    given = project(content)
    start = time.perf_counter()
    built = build(given)
    assert time.perf_counter() - start < SECONDS
    assert len(built.problems) == problems
    assert all(len(problem.message) < 1_000 and len(problem.related) <= 10 for problem in built.problems)


def test_everything_depends_on_everything() -> None:
    names = [f"a.{number:03}" for number in range(250)]
    start = time.perf_counter()
    built = build(project({"a": {name[2:]: file(*names) for name in names}}))
    assert time.perf_counter() - start < SECONDS
    assert built.problems
    assert len(built.plans[0].order) == 250


def test_questions_about_a_long_line() -> None:
    built = build(project({"a": chain(20_000)}))
    first, last = key("a.00000"), key("a.19999")
    assert built.is_ancestor(first, last)
    assert not built.is_ancestor(last, first)
    assert len(built.ancestors(last)) == 19_999
    start = time.perf_counter()
    for number in range(1, 20_000):
        assert built.is_ancestor(key(f"a.{number - 1:05}"), key(f"a.{number:05}"))
    assert time.perf_counter() - start < SECONDS

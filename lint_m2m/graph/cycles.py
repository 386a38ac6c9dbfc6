"""Cycles: which there are, and at which edge to break each so that the rest can still be put in order.

Everything here is iterative and linear in the number of edges: a stranger's project may be one cycle of ten thousand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from lint_m2m.graph.links import Links
from lint_m2m.migration import MigrationKey
from lint_m2m.values import NamedTuple

# How many cycles of one knot are sought out one by one, and how many edges are looked at for that in the project: of
# each knot at least one cycle is found, what is left then is cut without a word.
MAX_ROUNDS = 32
MAX_EDGES = 200_000

Ways: TypeAlias = Mapping[MigrationKey, Collection[MigrationKey]]


class Cycle(NamedTuple):
    """`members` each depend on the one before, the first on the last; it was broken where `child` needs `parent`."""

    child: MigrationKey
    parent: MigrationKey
    members: tuple[MigrationKey, ...]


def break_cycles(
    links: Links, weight: Callable[[MigrationKey, MigrationKey], tuple[object, ...]]
) -> tuple[list[Cycle], set[MigrationKey]]:
    """Cut edges out of `links` until there is no cycle left; of each cycle, the one with the least `weight`.

    Returns the cycles, and all migrations that were on any.
    """
    found: list[Cycle] = []
    pending = [(knot, MAX_ROUNDS) for knot in knots(links.parents, links.children)]
    touched = {key for knot, _ in pending for key in knot}
    budget = MAX_EDGES
    while pending:
        knot, rounds = pending.pop()
        inside = set(knot)
        if not rounds or (budget < 0 and rounds < MAX_ROUNDS):
            _cut_back_edges(links, inside)
            continue
        edges = [(child, parent) for child in knot for parent in links.parents[child] if parent in inside]
        budget -= len(edges)
        child, parent = min(edges, key=lambda edge: weight(*edge))
        found.append(Cycle(child, parent, _shortest_path(child, parent, links.children, inside)))
        links.cut(child, parent)
        pending.extend((part, rounds - 1) for part in _components(inside, links.parents))
    return found, touched


def knots(parents: Ways, children: Ways) -> list[list[MigrationKey]]:
    """The strongly connected components that hold a cycle, in a defined order."""
    degree = {key: len(needed) for key, needed in parents.items()}
    ready = [key for key, number in degree.items() if not number]
    for key in ready:
        for child in children[key]:
            degree[child] -= 1
            if not degree[child]:
                ready.append(child)
    return _components({key for key, number in degree.items() if number}, parents)


def _components(inside: Collection[MigrationKey], parents: Ways) -> list[list[MigrationKey]]:
    """Tarjan's algorithm on the nodes `inside`, without recursion; components without a cycle are left out."""
    found: list[list[MigrationKey]] = []
    number: dict[MigrationKey, int] = {}
    low: dict[MigrationKey, int] = {}
    closed: set[MigrationKey] = set()
    path: list[MigrationKey] = []
    calls: list[tuple[MigrationKey, Iterator[MigrationKey]]] = []

    def enter(key: MigrationKey) -> None:
        number[key] = low[key] = len(number)
        path.append(key)
        calls.append((key, iter(sorted(parent for parent in parents[key] if parent in inside))))

    for start in sorted(inside):
        if start not in number:
            enter(start)
        while calls:
            key, rest = calls[-1]
            for parent in rest:
                if parent not in number:
                    enter(parent)
                    break
                if parent not in closed:
                    low[key] = min(low[key], number[parent])
            else:
                calls.pop()
                if calls:
                    caller = calls[-1][0]
                    low[caller] = min(low[caller], low[key])
                if low[key] == number[key]:
                    component = [path.pop()]
                    while component[-1] != key:
                        component.append(path.pop())
                    closed.update(component)
                    if len(component) > 1 or key in parents[key]:
                        found.append(sorted(component))
    return found


def _shortest_path(
    start: MigrationKey, end: MigrationKey, children: Ways, inside: Collection[MigrationKey]
) -> tuple[MigrationKey, ...]:
    """From `start` to `end`, each depending on the one before; both lie in one strongly connected component."""
    before: dict[MigrationKey, MigrationKey | None] = {start: None}
    todo = deque([start])
    while end not in before:
        key = todo.popleft()
        for child in sorted(child for child in children[key] if child in inside and child not in before):
            before[child] = key
            todo.append(child)
    path = []
    step: MigrationKey | None = end
    while step is not None:
        path.append(step)
        step = before[step]
    return tuple(reversed(path))


def _cut_back_edges(links: Links, inside: Collection[MigrationKey]) -> None:
    """Make the nodes `inside` acyclic: a depth-first search, cutting each edge that leads back onto its own path."""
    done: set[MigrationKey] = set()
    on_path: set[MigrationKey] = set()
    for start in sorted(inside):
        stack = [start]
        while stack:
            key = stack[-1]
            if key in on_path or key in done:
                stack.pop()
                on_path.discard(key)
                done.add(key)
                continue
            on_path.add(key)
            for parent in sorted(links.parents[key]):
                if parent in on_path:
                    links.cut(key, parent)
                elif parent in inside and parent not in done:
                    stack.append(parent)

"""The order in which `migrate` runs an acyclic graph: ``MigrationExecutor.migration_plan(graph.leaf_nodes())``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from lint_m2m.graph.cycles import Ways, knots
from lint_m2m.graph.links import Links
from lint_m2m.graph.values import Node
from lint_m2m.migration import Migration, MigrationKey


def run_order(leaves: Iterable[MigrationKey], parents: Ways) -> list[MigrationKey]:
    """The leaves in the order given, each after all it depends on.

    ``MigrationGraph.iterative_dfs`` for each leaf, with one memory for all: Django walks again what it has already
    planned and drops it, which comes to the same.
    """
    order: list[MigrationKey] = []
    begun: set[MigrationKey] = set()
    for leaf in leaves:
        stack = [(leaf, False)]
        while stack:
            key, ready = stack.pop()
            if ready:
                order.append(key)
            elif key not in begun:
                begun.add(key)
                stack.append((key, True))
                needed = parents[key]
                stack.extend((parent, False) for parent in (sorted(needed) if len(needed) > 1 else needed))
    return order


def leaves_of(nodes: Iterable[MigrationKey], children: Ways) -> list[MigrationKey]:
    """The nodes that nothing of their own app depends on, sorted: ``MigrationGraph.leaf_nodes``."""
    return sorted(key for key in nodes if all(child.app_label != key.app_label for child in children[key]))


def roots_of(nodes: Iterable[MigrationKey], parents: Ways) -> dict[str, MigrationKey]:
    """For each app its first migration: ``MigrationGraph.root_nodes(app)[0]``."""
    first: dict[str, MigrationKey] = {}
    for key in nodes:
        if all(parent.app_label != key.app_label for parent in parents[key]):
            first[key.app_label] = min(first.get(key.app_label, key), key)
    return first


def add_assumed(links: Links, nodes: Mapping[MigrationKey, Node], orphans: Collection[MigrationKey]) -> Links:
    """`links` with a place for each migration whose dependencies could not be read, and for `orphans`, which depend on
    one of their app that does not exist: after the one named before it.

    Only to put them in order: nobody knows that it is so. Where it would close a cycle, it is not assumed. Returns
    `links` itself when there is nothing to assume.
    """
    placeless = {key for key in links.parents if key in nodes and (key in orphans or dependencies_unread(nodes[key]))}
    if not placeless:
        return links
    guesses: list[tuple[MigrationKey, MigrationKey]] = []
    before: MigrationKey | None = None
    for key in sorted(key for key in links.parents if key in nodes):
        follows = before if before is not None and before.app_label == key.app_label else None
        # One known parent in its app is place enough.
        if follows and key in placeless and all(parent.app_label != key.app_label for parent in links.parents[key]):
            guesses.append((key, follows))
        before = key
    extended = _with(links, guesses)
    wrong = {key: number for number, knot in enumerate(knots(extended.parents, extended.children)) for key in knot}
    if not wrong:
        return extended
    return _with(links, [(key, follows) for key, follows in guesses if wrong.get(key, -1) != wrong.get(follows, -2)])


def dependencies_unread(node: Node) -> bool:
    """Whether a file may depend on migrations that it is not known to depend on."""
    return not isinstance(node, Migration) or not node.dependencies_complete


def _with(links: Links, edges: Collection[tuple[MigrationKey, MigrationKey]]) -> Links:
    extended = links.copy()
    for child, parent in edges:
        extended.add(child, parent)
    return extended

"""The mutable graph: nodes, edges in both directions, and the two ways in which Django carries out `replaces`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lint_m2m.migration import MigrationKey


class Links:
    """A directed graph of migrations. Every key of one mapping is a key of the other."""

    __slots__ = ("children", "parents")

    def __init__(self, nodes: Iterable[MigrationKey] = ()) -> None:
        self.parents: dict[MigrationKey, set[MigrationKey]] = {key: set() for key in nodes}
        self.children: dict[MigrationKey, set[MigrationKey]] = {key: set() for key in self.parents}

    def copy(self) -> Links:
        twin = Links()
        twin.parents = {key: set(parents) for key, parents in self.parents.items()}
        twin.children = {key: set(children) for key, children in self.children.items()}
        return twin

    def add_node(self, key: MigrationKey) -> None:
        self.parents[key] = set()
        self.children[key] = set()

    def add(self, child: MigrationKey, parent: MigrationKey) -> None:
        """Let `child` depend on `parent`; both are nodes already."""
        self.parents[child].add(parent)
        self.children[parent].add(child)

    def cut(self, child: MigrationKey, parent: MigrationKey) -> None:
        self.parents[child].discard(parent)
        self.children[parent].discard(child)

    def remove(self, key: MigrationKey) -> tuple[set[MigrationKey], set[MigrationKey]]:
        """Take a node out; returns the parents and the children it had, without itself."""
        parents = self.parents.pop(key)
        children = self.children.pop(key)
        parents.discard(key)
        children.discard(key)
        for parent in parents:
            self.children[parent].discard(key)
        for child in children:
            self.parents[child].discard(key)
        return parents, children

    def use_squash(self, squash: MigrationKey, replaced: Iterable[MigrationKey]) -> tuple[MigrationKey, ...]:
        """Let `squash` take the place of `replaced`: ``MigrationGraph.remove_replaced_nodes``. Returns those removed.

        A squash that depends on what it replaces thereby comes to depend on itself, as in Django.
        """
        inside = set(replaced)
        gone = tuple(key for key in dict.fromkeys(replaced) if key in self.parents)
        for key in gone:
            parents, children = self.remove(key)
            for child in children - inside:
                self.add(child, squash)
            for parent in parents - inside:
                self.add(squash, parent)
        return gone

    def undo_squash(self, squash: MigrationKey, replaced: Collection[MigrationKey]) -> None:
        """Let the last of `replaced` take the place of `squash`: ``MigrationGraph.remove_replacement_node``."""
        _, children = self.remove(squash)
        present = {key for key in replaced if key in self.parents}
        for key in tuple(present):
            present -= self.parents[key]
        for child in children:
            for last in present:
                self.add(child, last)

"""From migration files to edges: what `dependencies` and `run_before` mean before any squash is looked at.

This is ``MigrationLoader.add_internal_dependencies``, ``add_external_dependencies`` and ``check_key``. Django lets a
missing node stand in until squashes are carried out, since one may replace it; so does this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from heapq import heappop, heappush

from lint_m2m.graph.links import Links
from lint_m2m.graph.values import Node
from lint_m2m.migration import Migration, MigrationKey, Span
from lint_m2m.values import NamedTuple

FIRST = "__first__"
LATEST = "__latest__"


class Edge(NamedTuple):
    """`child` depends on `parent`, because `origin` says so; with `run_before`, `origin` is the parent."""

    child: MigrationKey
    parent: MigrationKey
    origin: MigrationKey
    span: Span | None
    run_before: bool = False


class Wires:
    """All edges as written.

    `edges` are in the order in which Django adds them. `links` has besides the files a node for each migration that
    is missing (`missing`, with the edges that name it), and for each one of another app that a `run_before` names: two
    migrations of the project can be ordered by it. `endless` are dependencies on the first or last migration of an app
    that has none, or only such as depend on each other.
    """

    __slots__ = ("_between", "_ends", "_labels", "edges", "endless", "external_apps", "links", "missing")

    def __init__(self, nodes: Mapping[MigrationKey, Node], labels: Collection[str]) -> None:
        migrations = [node for node in nodes.values() if isinstance(node, Migration)]
        self.links = Links(nodes)
        self.edges: list[Edge] = []
        self.missing: dict[MigrationKey, list[Edge]] = {}
        self.endless: list[Edge] = []
        self.external_apps: set[str] = set()
        self._labels = labels
        self._between = {key for migration in migrations for key in migration.run_before if key.app_label not in labels}
        self._ends = _Ends(nodes)
        # All edges within apps come first: what __first__ means depends on them.
        for migration in migrations:
            self._add_internal(migration)
        for migration in migrations:
            self._add_external(migration)

    def _add_internal(self, migration: Migration) -> None:
        me = migration.key
        for dependency in migration.dependencies:
            parent = dependency.key
            # __first__ of one's own app is ignored (ticket 22325); __latest__ is taken for a file's name.
            if parent is not None and parent.app_label == me.app_label and parent.name != FIRST:
                self._add(Edge(me, parent, me, dependency.span), parent)

    def _add_external(self, migration: Migration) -> None:
        me = migration.key
        for dependency in migration.dependencies:
            key = dependency.key
            if key is None or key.app_label == me.app_label:
                continue
            parent = self._resolve(key, me)
            if parent is not None:
                self._add(Edge(me, parent, me, dependency.span), parent)
            elif key.app_label in self._labels:
                self.endless.append(Edge(me, key, me, dependency.span))
        for key in migration.run_before:
            child = self._resolve(key, me)
            if child is not None:
                self._add(Edge(child, me, me, None, run_before=True), child)
            elif key.app_label in self._labels and key.app_label != me.app_label:
                self.endless.append(Edge(key, me, me, None, run_before=True))

    def _resolve(self, key: MigrationKey, origin: MigrationKey) -> MigrationKey | None:
        """The node that `key` means (``check_key``), ``None`` for one that does not exist or orders nothing here."""
        if key.app_label not in self._labels:
            self.external_apps.add(key.app_label)
            return key if key in self._between else None
        if key.name not in (FIRST, LATEST) or key in self.links.parents:
            return key
        if key.app_label == origin.app_label:
            return None
        return self._ends.first(key.app_label) if key.name == FIRST else self._ends.latest(key.app_label)

    def _add(self, edge: Edge, other: MigrationKey) -> None:
        """Add an edge to or from `other`, the end that the origin names and that need not exist."""
        if other not in self.links.parents:
            self.links.add_node(other)
            if other.app_label in self._labels:
                self.missing[other] = []
                self._ends.add_node(other)
        if other in self.missing:
            self.missing[other].append(edge)
        self.links.add(edge.child, edge.parent)
        self._ends.add_edge(edge.child, edge.parent)
        self.edges.append(edge)


class _Ends:
    """The first root and the first leaf of each app while edges are being added: edges only ever end candidacies."""

    __slots__ = ("_leaves", "_roots", "_with_child", "_with_parent")

    def __init__(self, nodes: Collection[MigrationKey]) -> None:
        self._roots: dict[str, list[MigrationKey]] = {}
        self._leaves: dict[str, list[MigrationKey]] = {}
        self._with_parent: set[MigrationKey] = set()
        self._with_child: set[MigrationKey] = set()
        for key in nodes:
            self.add_node(key)

    def add_node(self, key: MigrationKey) -> None:
        heappush(self._roots.setdefault(key.app_label, []), key)
        heappush(self._leaves.setdefault(key.app_label, []), key)

    def add_edge(self, child: MigrationKey, parent: MigrationKey) -> None:
        if child.app_label == parent.app_label:
            self._with_parent.add(child)
            self._with_child.add(parent)

    def first(self, app_label: str) -> MigrationKey | None:
        return _smallest(self._roots.get(app_label, []), self._with_parent)

    def latest(self, app_label: str) -> MigrationKey | None:
        # Django's leaf_nodes(app)[0]: with an unreplaced squash beside its successors that is not the latest.
        return _smallest(self._leaves.get(app_label, []), self._with_child)


def _smallest(heap: list[MigrationKey], ruled_out: Collection[MigrationKey]) -> MigrationKey | None:
    while heap and heap[0] in ruled_out:
        heappop(heap)
    return heap[0] if heap else None

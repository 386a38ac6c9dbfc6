"""What the graph hands to the layers above: problems, plans, and questions about order."""

from __future__ import annotations

import enum
from collections import ChainMap
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from lint_m2m.finding import Certainty
from lint_m2m.migration import Migration, MigrationKey, Span, UnreadFile
from lint_m2m.values import NamedTuple, frozen

Node: TypeAlias = Migration | UnreadFile


class ProblemKind(enum.Enum):
    MISSING_DEPENDENCY = "missing dependency"
    CYCLE = "cycle"
    SEVERAL_LEAVES = "several leaves"
    INCONSISTENT_REPLACES = "inconsistent replaces"
    DUPLICATE_MIGRATION = "duplicate migration"


class RelatedMigration(NamedTuple):
    """Another migration that has to do with a problem; without a span, its file as a whole."""

    migration: MigrationKey
    span: Span | None
    message: str


@frozen
class GraphProblem:
    """Something that Django's loader, or `migrate` before its first operation, refuses.

    `migration` is the guilty file and `span` the guilty entry of its dependencies, where known; `label` the few words
    beside it. `runtime_error` is the type and text of Django's exception; of a cycle Django names the members starting
    anywhere. `reason` says why a problem is not certain.
    """

    kind: ProblemKind
    message: str
    migration: MigrationKey
    span: Span | None = None
    label: str = ""
    related: tuple[RelatedMigration, ...] = ()
    runtime_error: str | None = None
    certainty: Certainty = Certainty.CERTAIN
    reason: str | None = None


class PlanKind(enum.Enum):
    FRESH = "fresh"  # what `migrate` runs on an empty database
    REPLACED = "replaced"  # what ran where the database is older than a squash


@frozen
class Plan:
    """Migrations in the order in which `migrate` runs them, files that could not be read included.

    `level` counts how many layers of squashes are undone: 0 for the fresh plan, 1 where the replaced migrations ran,
    2 where what those replaced ran (a squash of squashes).
    """

    kind: PlanKind
    level: int
    order: tuple[MigrationKey, ...]


Ways: TypeAlias = Mapping[MigrationKey, AbstractSet[MigrationKey]]
_NOTHING: frozenset[MigrationKey] = frozenset()


class Wiring(NamedTuple):
    """The edges of one plan, after squashes and without those of cycles. Other apps' migrations may be keys too."""

    parents: Ways
    children: Ways
    place: Mapping[MigrationKey, int]  # in the plan's order


class Graph:
    """All migrations of a project and how they depend on each other.

    `nodes` holds every file, the replaced and the replacing ones, sorted by key; `plans` the fresh plan first.
    `problems` are in the order in which Django would come upon them. `external_apps` are the apps that dependencies
    name and that are not in the project: nothing is known of their migrations.
    """

    __slots__ = ("_leaves", "_roots", "_wirings", "external_apps", "nodes", "plans", "problems")

    def __init__(
        self,
        *,
        nodes: Mapping[MigrationKey, Node],
        plans: tuple[Plan, ...],
        problems: tuple[GraphProblem, ...],
        external_apps: frozenset[str],
        wirings: Mapping[int, Wiring],
        leaves: Mapping[str, tuple[MigrationKey, ...]],
        roots: Mapping[str, MigrationKey],
    ) -> None:
        self.nodes = nodes
        self.plans = plans
        self.problems = problems
        self.external_apps = external_apps
        self._wirings = wirings
        self._leaves = leaves
        self._roots = roots

    def with_nodes(self, nodes: Mapping[MigrationKey, Node]) -> Graph:
        """The same with other nodes of the same keys."""
        return Graph(
            nodes=nodes,
            plans=self.plans,
            problems=self.problems,
            external_apps=self.external_apps,
            wirings=self._wirings,
            leaves=self._leaves,
            roots=self._roots,
        )

    def with_edited(self, edited: Mapping[MigrationKey, Node]) -> Graph:
        """The same with `edited` in the place of the nodes of those keys; of the others none is asked for."""
        return self.with_nodes(ChainMap(dict(edited), self.nodes))  # type: ignore[arg-type]  # nobody writes to it

    @property
    def unplanned(self) -> tuple[MigrationKey, ...]:
        """Files in no plan: replaced ones that cannot run any more since others of their squash are deleted, and
        squashes of which it cannot be told what they replace."""
        planned = {key for plan in self.plans for key in plan.order}
        return tuple(key for key in self.nodes if key not in planned)

    def leaves(self, app_label: str) -> tuple[MigrationKey, ...]:
        """The migrations of an app that no other of the app depends on, in the fresh plan, sorted."""
        return self._leaves.get(app_label, ())

    def root(self, app_label: str) -> MigrationKey | None:
        """The app's first migration in the fresh plan, as ``__first__`` means it; ``None`` without any."""
        return self._roots.get(app_label)

    def parents(self, key: MigrationKey, plan: Plan | None = None) -> tuple[MigrationKey, ...]:
        """What `key` directly depends on in `plan` (default: the first plan that has it), sorted."""
        return self._neighbours(key, plan, parents=True)

    def children(self, key: MigrationKey, plan: Plan | None = None) -> tuple[MigrationKey, ...]:
        """What directly depends on `key` in `plan` (default: the first plan that has it), sorted."""
        return self._neighbours(key, plan, parents=False)

    def ancestors(self, key: MigrationKey, plan: Plan | None = None) -> frozenset[MigrationKey]:
        """All that is certain to run before `key` in `plan` (default: the first plan that has it)."""
        wiring = self._wiring_of(key, plan)
        if wiring is None:
            return _NOTHING
        seen: set[MigrationKey] = set()
        todo = list(wiring.parents[key])
        while todo:
            parent = todo.pop()
            if parent not in seen:
                seen.add(parent)
                todo.extend(wiring.parents[parent])
        return frozenset(parent for parent in seen if parent in wiring.place)

    def is_ancestor(self, first: MigrationKey, then: MigrationKey, plan: Plan | None = None) -> bool:
        """Whether `first` is certain to run before `then` in `plan` (default: in every plan that has both).

        Dependencies decide, not the order of the plan: where nothing but the alphabet puts `first` before `then`,
        the answer is no.
        """
        wirings = self._wirings.values() if plan is None else (self._wirings[plan.level],)
        shared = [wiring for wiring in wirings if first in wiring.place and then in wiring.place]
        return bool(shared) and all(_reaches(wiring, first, then) for wiring in shared)

    def _neighbours(self, key: MigrationKey, plan: Plan | None, *, parents: bool) -> tuple[MigrationKey, ...]:
        wiring = self._wiring_of(key, plan)
        if wiring is None:
            return ()
        found = wiring.parents[key] if parents else wiring.children[key]
        return tuple(sorted(other for other in found if other in wiring.place))

    def _wiring_of(self, key: MigrationKey, plan: Plan | None) -> Wiring | None:
        wirings = self._wirings.values() if plan is None else (self._wirings[plan.level],)
        return next((wiring for wiring in wirings if key in wiring.place), None)


def _reaches(wiring: Wiring, first: MigrationKey, then: MigrationKey) -> bool:
    """Search upward from `then`, never past the place of `first`: what runs earlier cannot depend on it."""
    limit = wiring.place[first]
    if wiring.place[then] <= limit:
        return False
    seen: set[MigrationKey] = set()
    todo = [then]
    while todo:
        for parent in wiring.parents[todo.pop()]:
            if parent == first:
                return True
            if parent not in seen and wiring.place.get(parent, limit + 1) > limit:
                seen.add(parent)
                todo.append(parent)
    return False

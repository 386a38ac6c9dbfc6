"""Puts the graph together: nodes, edges, squashes, what is wrong, and the plans."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain

from lint_m2m.graph import problems
from lint_m2m.graph.cycles import break_cycles
from lint_m2m.graph.hints import Hints
from lint_m2m.graph.links import Links
from lint_m2m.graph.order import add_assumed, dependencies_unread, leaves_of, roots_of, run_order
from lint_m2m.graph.squashes import levels, read_squashes, replaces_unread, withdraw_doubtful
from lint_m2m.graph.values import Graph, GraphProblem, Node, Plan, PlanKind, Wiring
from lint_m2m.graph.wiring import Edge, Wires
from lint_m2m.migration import Migration, MigrationKey, Project


def build(project: Project) -> Graph:
    """The graph of a project's migrations. Never fails: what Django refuses to load is in `Graph.problems`.

    A broken graph is still put in order: missing parents are ignored, a cycle is broken at its least plausible edge.
    """
    nodes, found = _nodes(project)
    wires = Wires(nodes, {app.label for app in project.apps} | {key.app_label for key in nodes})
    squashes = read_squashes(nodes, withdraw_doubtful(wires.links, nodes))
    limits = squashes.undone_from(nodes)
    later = levels(limits)

    fresh = wires.links.copy() if later else wires.links
    became = squashes.apply(fresh, 0, limits)
    missing = [(key, edges) for key, edges in wires.missing.items() if key in fresh.parents]
    _without_missing(fresh, wires)
    weight = _weight(nodes, wires)
    cycles, in_knots = break_cycles(fresh, weight)
    knotted = {key.app_label for key in in_knots}
    orphans = {edge.origin for key, edges in missing for edge in edges if key.app_label == edge.origin.app_label}

    apps = {key.app_label for key in nodes}
    for edge in wires.endless:
        if (app := problems.named(edge).app_label) not in knotted:
            found.append(problems.endless_app(edge, app in apps))
    found += [problems.circular_squash(key, named_by) for key, named_by in squashes.circular]
    found += _missing(missing, nodes)
    if cycles:
        reason = _reasons(wires.edges, became, nodes)
        endless = {problems.named(edge).app_label for edge in wires.endless}
        found += [problems.cycle(cycle, reason, endless) for cycle in sorted(cycles)]

    plan, wiring, ordered = _plan(fresh, nodes, orphans, 0)
    leaves: dict[str, list[MigrationKey]] = {}
    for leaf in leaves_of(plan.order, ordered.children):
        leaves.setdefault(leaf.app_label, []).append(leaf)
    # One cause, one problem: what hangs on a missing migration, or on a cycle, is no second leaf.
    torn = knotted | {key.app_label for key in orphans}
    found += _several_leaves({app: ends for app, ends in leaves.items() if app not in torn}, nodes)

    plans, wirings = [plan], {0: wiring}
    for level in later:
        links = wires.links.copy()
        squashes.apply(links, level, limits)
        _without_missing(links, wires)
        break_cycles(links, weight)
        plan, wirings[level], _ = _plan(links, nodes, orphans, level)
        plans.append(plan)
    return Graph(
        nodes=nodes,
        plans=tuple(plans),
        problems=tuple(found),
        external_apps=frozenset(wires.external_apps),
        wirings=wirings,
        leaves={app: tuple(ends) for app, ends in leaves.items()},
        roots=roots_of(plans[0].order, ordered.parents),
    )


def _nodes(project: Project) -> tuple[dict[MigrationKey, Node], list[GraphProblem]]:
    """All files by key, sorted. Where two apps have one label and the same names in them, the first app's."""
    nodes: dict[MigrationKey, Node] = {}
    clashes: dict[str, tuple[Node, list[Node]]] = {}
    files: Iterable[Node] = chain(project.migrations, project.unread)
    for node in files:
        key = MigrationKey(node.app_label, node.name)
        kept = nodes.setdefault(key, node)
        if kept is not node:
            clashes.setdefault(key.app_label, (kept, []))[1].append(node)
    for app, (kept, _) in clashes.items():
        # Their other files are no branch of the first app either.
        home = _folder(kept)
        strangers = [key for key, node in nodes.items() if key.app_label == app and _folder(node) != home]
        clashes[app][1].extend(nodes.pop(key) for key in strangers)
    return (
        {key: nodes[key] for key in sorted(nodes)},
        [problems.duplicate(kept, sorted(clashes[app][1], key=_path)) for app, (kept, _) in sorted(clashes.items())],
    )


def _folder(node: Node) -> str:
    return node.path.rpartition("/")[0]


def _path(node: Node) -> str:
    return node.path


def _without_missing(links: Links, wires: Wires) -> None:
    for key in wires.missing:
        if key in links.parents:
            links.remove(key)


def _missing(
    missing: Collection[tuple[MigrationKey, list[Edge]]], nodes: Mapping[MigrationKey, Node]
) -> list[GraphProblem]:
    if not missing:
        return []
    found = []
    hints = Hints(nodes)
    unread = {
        key.app_label: key for key, node in nodes.items() if not isinstance(node, Migration) or replaces_unread(node)
    }
    for key, edges in missing:
        squash = unread.get(key.app_label)
        reason = None if squash is None else f"what `{squash}` replaces could not be read"
        found.append(problems.missing(key, edges, hints, reason))
    return found


def _several_leaves(leaves: Mapping[str, list[MigrationKey]], nodes: Mapping[MigrationKey, Node]) -> list[GraphProblem]:
    """``MigrationLoader.detect_conflicts``. A file whose dependencies are unread may be the merge of the others."""
    if all(len(ends) == 1 for ends in leaves.values()):
        return []
    unread = {key.app_label: key for key, node in nodes.items() if dependencies_unread(node) or replaces_unread(node)}
    conflicts: dict[str, list[MigrationKey]] = {}
    reasons: dict[str, str] = {}
    for app, ends in leaves.items():
        if app in unread:
            ends = [key for key in ends if not (dependencies_unread(nodes[key]) or replaces_unread(nodes[key]))]
            reasons[app] = f"the dependencies of `{unread[app]}` could not be read"
        if len(ends) > 1:
            conflicts[app] = ends
    return problems.several_leaves(conflicts, reasons)


def _weight(
    nodes: Collection[MigrationKey], wires: Wires
) -> Callable[[MigrationKey, MigrationKey], tuple[object, ...]]:
    """How plausible it is that one migration really depends on another; the least plausible edge of a cycle is cut.

    Within an app names are numbered, so a lower one does not depend on a higher one; a `run_before` is what people
    add by hand; between apps it is the early migration that should not depend on the late one.
    """
    place: dict[MigrationKey, int] = {}
    previous, number = None, 0
    for key in nodes:
        number = number + 1 if key.app_label == previous else 0
        place[key] = number
        previous = key.app_label
    turned = {(edge.child, edge.parent) for edge in wires.edges if edge.run_before}

    def weigh(child: MigrationKey, parent: MigrationKey) -> tuple[object, ...]:
        if child == parent:
            rank = 0
        elif child.app_label == parent.app_label:
            rank = 1 if child < parent else 4
        else:
            rank = 2 if (child, parent) in turned else 3
        return rank, place.get(child, 0) - place.get(parent, 0), child, parent

    return weigh


def _reasons(
    edges: Iterable[Edge], became: Mapping[MigrationKey, MigrationKey], nodes: Collection[MigrationKey]
) -> Callable[[MigrationKey, MigrationKey], Edge]:
    """Finds for an edge of the graph with squashes the edge as somebody wrote it."""
    now: dict[MigrationKey, MigrationKey] = {}
    for gone, squash in reversed(tuple(became.items())):  # outer squashes are carried out last
        now[gone] = now.get(squash, squash)
    written: dict[tuple[MigrationKey, MigrationKey], Edge] = {}
    for edge in edges:
        child, parent = now.get(edge.child, edge.child), now.get(edge.parent, edge.parent)
        # Edges between two migrations of one squash are gone; only its own to itself stays.
        if child != parent or edge.child == child or edge.parent == parent:
            written.setdefault((child, parent), edge)

    def reason(child: MigrationKey, parent: MigrationKey) -> Edge:
        origin = child if child in nodes else parent
        return written.get((child, parent), Edge(child, parent, origin, None))

    return reason


def _plan(
    links: Links, nodes: Mapping[MigrationKey, Node], orphans: Collection[MigrationKey], level: int
) -> tuple[Plan, Wiring, Links]:
    ordered = add_assumed(links, nodes, orphans)
    inside = [key for key in links.parents if key in nodes]
    keys = run_order(leaves_of(inside, ordered.children), ordered.parents)
    order = tuple(key for key in keys if key in nodes)
    plan = Plan(kind=PlanKind.REPLACED if level else PlanKind.FRESH, level=level, order=order)
    return plan, Wiring(links.parents, links.children, {key: place for place, key in enumerate(order)}), ordered

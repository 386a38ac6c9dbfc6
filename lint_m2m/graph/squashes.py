"""Squash migrations: what replaces what, in which order to carry it out, and which older histories can still run.

A fresh install runs the squash. A database that is older ran what it replaces; that is a plan of its own as long as
all the replaced files are there. This is ``MigrationLoader.replace_migration`` of Django 6.0 and later, where a squash
may replace squashes.
"""

from __future__ import annotations

from collections.abc import Mapping

from lint_m2m.graph.links import Links
from lint_m2m.graph.values import Node
from lint_m2m.migration import Migration, MigrationKey, UnreadFile
from lint_m2m.values import slotted

# Squashes of squashes of squashes have not been seen; a stranger's project may nest them ten thousand deep.
MAX_LEVELS = 3
# A squash whose `replaces` cannot be read costs a walk through its app.
MAX_DOUBTFUL = 20


@slotted(frozen=True)
class Squashes:
    """`replaces` of every squash, without the entries that close a circle; inner squashes before those that replace
    them. `circular` are the entries left out: (the squash where Django notices, the squash that names it)."""

    replaces: dict[MigrationKey, tuple[MigrationKey, ...]]
    circular: tuple[tuple[MigrationKey, MigrationKey], ...]

    def apply(self, links: Links, level: int, limits: Mapping[MigrationKey, int]) -> dict[MigrationKey, MigrationKey]:
        """Carry out all squashes but those undone at `level` (see `undone_from`).

        Returns what each removed node has become (a removed squash is not in it: several may take its place).
        """
        became: dict[MigrationKey, MigrationKey] = {}
        used = []
        for squash in reversed(self.replaces):
            if limits.get(squash, level + 1) <= level:
                links.undo_squash(squash, self.replaces[squash])
            else:
                used.append(squash)
        for squash in reversed(used):
            # Two squashes may claim the same migration: the first one gets it, and a squash may be gone already.
            if squash in links.parents:
                for gone in links.use_squash(squash, self.replaces[squash]):
                    became[gone] = squash
        return became

    def undone_from(self, nodes: Mapping[MigrationKey, Node]) -> dict[MigrationKey, int]:
        """For each squash whose replaced files are all there, the level of the first plan that runs those instead.

        Level 1 undoes the outermost squashes, level 2 those that they replaced, and so on; a squash inside one that
        cannot be undone stays as it is.
        """
        limits: dict[MigrationKey, int] = {}
        depth: dict[MigrationKey, int] = {}
        stuck: set[MigrationKey] = set()
        for squash, replaced in reversed(self.replaces.items()):
            own = depth.get(squash, 0)
            if replaced and squash not in stuck and all(key in nodes for key in replaced):
                limits[squash] = own + 1
            else:
                stuck.update(replaced)
            for key in replaced:
                depth[key] = max(depth.get(key, 0), own + 1)
        return limits


def levels(limits: Mapping[MigrationKey, int]) -> tuple[int, ...]:
    """The levels at which plans differ, from 1; of very many the outermost and the last."""
    found = sorted(set(limits.values()))
    return tuple(found if len(found) <= MAX_LEVELS else [*found[: MAX_LEVELS - 1], found[-1]])


def read_squashes(nodes: Mapping[MigrationKey, Node], left_out: frozenset[MigrationKey]) -> Squashes:
    """All squashes among `nodes` but `left_out`, in the order in which Django's recursion finishes them."""
    written = {
        key: node.replaces
        for key, node in nodes.items()
        if isinstance(node, Migration) and node.replaces and key not in left_out
    }
    finished: dict[MigrationKey, tuple[MigrationKey, ...]] = {}
    circular: dict[tuple[MigrationKey, MigrationKey], None] = {}
    for start in written:
        if start in finished:
            continue
        under_way = {start: iter(written[start])}  # insertion order is the order of the recursion
        while under_way:
            squash, rest = next(reversed(under_way.items()))
            for key in rest:
                if key in under_way:
                    circular[key, squash] = None
                elif key in written and key not in finished:
                    under_way[key] = iter(written[key])
                    break
            else:
                del under_way[squash]
                finished[squash] = tuple(key for key in written[squash] if (key, squash) not in circular)
    return Squashes(finished, tuple(circular))


def withdraw_doubtful(links: Links, nodes: Mapping[MigrationKey, Node]) -> frozenset[MigrationKey]:
    """Take out squashes of which it cannot be told what they replace, where their app has a line beside them.

    To run both lines would be wrong for certain; the older one is the one that can be checked. What hangs on a file
    that is gone is no such line: the squash probably replaces that file. Returns those taken out.
    """
    doubtful = [key for key, node in nodes.items() if replaces_unread(node)]
    if not doubtful or len(doubtful) > MAX_DOUBTFUL:
        return frozenset()
    covered = {key for node in nodes.values() if isinstance(node, Migration) for key in node.replaces}
    gone = set()
    for squash in doubtful:
        if squash in covered:
            continue
        own = [key for key in links.parents if key.app_label == squash.app_label]
        gone_files = [key for key in own if key not in nodes]
        related = _reachable([squash], links.parents) | _reachable([squash, *gone_files], links.children)
        beside = [key for key in own if key not in related and key not in doubtful]
        if beside:
            links.undo_squash(squash, beside)
            gone.add(squash)
    return frozenset(gone)


def replaces_unread(node: Node) -> bool:
    """Whether a file replaces migrations that it is not known to replace."""
    if isinstance(node, UnreadFile):
        return "_squashed_" in node.name  # squashmigrations names them so
    return not node.replaces_complete


def _reachable(starts: list[MigrationKey], ways: Mapping[MigrationKey, set[MigrationKey]]) -> set[MigrationKey]:
    """What can be reached from `starts` without leaving their app; they are included."""
    seen = set(starts)
    todo = list(starts)
    while todo:
        for key in ways[todo.pop()]:
            if key not in seen and key.app_label == starts[0].app_label:
                seen.add(key)
                todo.append(key)
    return seen

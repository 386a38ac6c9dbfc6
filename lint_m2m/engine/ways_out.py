"""The sequences of findings: made from a second replay, only where a finding has a way out.

The imports of the sequences stand in the functions: a check that finds nothing never loads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from lint_m2m.engine.judge import Identity, identity
from lint_m2m.engine.sources import TakesApart, as_it_is
from lint_m2m.finding import Finding
from lint_m2m.finding import Sequence as SafeSequence
from lint_m2m.graph import Graph, Node
from lint_m2m.migration import Migration, MigrationKey, Project
from lint_m2m.readers.files import Files
from lint_m2m.replay.walk import ReplaySettings
from lint_m2m.values import declare, frozen, replace

if TYPE_CHECKING:
    from lint_m2m.sequences.values import Proposal, Situation


Notes: TypeAlias = tuple[str, ...]


@frozen
class Context:
    """What one project was judged by, and what was found: on another database it may be something else.

    `by_columns`: operations on plain columns have a part in it.
    """

    root: Path
    project: Project
    graph: Graph
    settings: ReplaySettings
    found: Collection[Identity]
    by_columns: bool = False
    whole: TakesApart = as_it_is
    overlay: Mapping[Path, bytes] = declare(default_factory=dict)

    def whole_graph(self) -> Graph:
        """The graph with all operations of each migration that somebody asks for."""
        return self.graph.with_nodes(_WholeNodes(self.graph.nodes, self.whole))


class _WholeNodes(Mapping[MigrationKey, Node]):
    """The nodes of a graph, each migration taken apart when it is asked for."""

    def __init__(self, nodes: Mapping[MigrationKey, Node], whole: TakesApart) -> None:
        self._nodes = nodes
        self._whole = whole
        self._taken_apart: dict[MigrationKey, Node] = {}

    def __getitem__(self, key: MigrationKey) -> Node:
        node = self._taken_apart.get(key)
        if node is None:
            node = self._nodes[key]
            if isinstance(node, Migration):
                node = self._whole(node)
            self._taken_apart[key] = node
        return node

    def __contains__(self, key: object) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[MigrationKey]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


@frozen
class WayOut:
    """A finding's proposals, with what they were made from, and as `sequences`; paths in them start at `root`."""

    fingerprint: str
    root: Path
    situation: Situation
    proposals: tuple[Proposal, ...]
    sequences: tuple[SafeSequence, ...]


# Each sequence looks at the whole migration: of one migration, so many findings have some.
MOST_IN_MIGRATION: Final = 100


def ways_out(findings: Sequence[Finding], contexts: Iterable[Context]) -> tuple[list[WayOut], dict[str, Notes]]:
    """The proposals for each of `findings` that has some, and by fingerprint why sequences are not among them.

    They are from the first project that shows it, and the first plan there that has its migration.
    """
    found: list[WayOut] = []
    notes: dict[str, Notes] = {}
    if not findings:
        return found, notes
    from lint_m2m.sequences.kinds import has_way_out

    left: dict[str, Finding] = {}
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for finding in filter(has_way_out, findings):
        counted[finding.app_label, finding.migration] += 1
        if counted[finding.app_label, finding.migration] <= MOST_IN_MIGRATION:
            left[finding.fingerprint] = finding
        else:
            notes[finding.fingerprint] = (f"no sequence: {MOST_IN_MIGRATION} findings of this migration come first",)
    if not left:
        return found, notes
    from lint_m2m.sequences.offers import offer
    from lint_m2m.sequences.situations import situations

    for context in contexts:
        graph, files = context.whole_graph(), Files(context.root, context.overlay)
        for plan in graph.plans:
            shown = tuple(one for one in left.values() if identity(one) in context.found)
            if not shown:
                break
            for situation in situations(context.project, graph, plan, context.settings, shown, files):
                assert situation.finding is not None
                fingerprint = situation.finding.fingerprint
                left.pop(fingerprint, None)
                offered = offer(situation)
                notes[fingerprint] = offered.notes
                if offered.proposals:
                    found.append(
                        WayOut(
                            fingerprint=fingerprint,
                            root=context.root,
                            situation=situation,
                            proposals=offered.proposals,
                            sequences=offered.sequences,
                        )
                    )
    return found, notes


def with_sequences(findings: Sequence[Finding], ways: Iterable[WayOut], notes: Mapping[str, Notes]) -> list[Finding]:
    """`findings` with the sequences that `ways` has for them, and with `notes` on those that they do not carry."""
    by_fingerprint = {way.fingerprint: way for way in ways}
    if not by_fingerprint and not notes:
        return list(findings)
    filled: list[Finding] = []
    for finding in findings:
        finding = replace(finding, notes=(*finding.notes, *notes.get(finding.fingerprint, ())))
        way = by_fingerprint.get(finding.fingerprint)
        if way is not None:
            finding = replace(finding, sequences=way.sequences)
        filled.append(finding)
    return filled

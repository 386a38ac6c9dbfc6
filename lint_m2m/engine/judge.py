"""The replay of every plan, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from lint_m2m.engine.bystanders import without_bystanders
from lint_m2m.engine.sources import TakesApart, as_it_is
from lint_m2m.finding import Certainty, Finding
from lint_m2m.graph import Graph, Plan, PlanKind
from lint_m2m.migration import Location, Migration, MigrationKey, Operation, Project
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay, ReplaySettings
from lint_m2m.rules import RULES
from lint_m2m.rules.base import Rule
from lint_m2m.values import replace

# What makes two findings the same one, seen in two plans.
Identity: TypeAlias = tuple[str, Location, str | None, str | None]
_FRESH = "only on databases that run the squash itself, as a new one does"
_REPLACED = "only on databases where the migrations that a squash replaces ran one by one"


class Judged(NamedTuple):
    """What the rules say, each thing once, and whether operations on plain columns have a part in it."""

    found: dict[Identity, list[Finding]]
    by_columns: bool


Check: TypeAlias = Callable[[Step, Replay], Iterator[Finding]]
_CERTAINTIES = (Certainty.POSSIBLE, Certainty.LIKELY, Certainty.CERTAIN)


def judge(
    project: Project,
    graph: Graph,
    settings: ReplaySettings,
    codes: Collection[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
    whole: TakesApart = as_it_is,
) -> Judged:
    """What the rules `codes` say of a project.

    A fresh install and an old one may run different plans (squashes). What one plan has shown, a later one only makes
    more certain.

    Most operations have nothing to do with a many-to-many: what is found does not depend on them, and they are not
    replayed unless it shows that they matter.
    """
    rules = [rule for rule in RULES if rule.code in codes]
    of_project = _grouped(_project_findings(rules, project, graph))
    rest = without_bystanders(project, graph, whole)
    judged = _replayed(rules, project, rest, settings, progress)
    if judged.by_columns and rest is not graph:
        judged = _replayed(rules, project, wholly(graph, whole), settings, progress)
    merge(of_project, judged.found)
    return Judged(of_project, judged.by_columns)


def wholly(graph: Graph, whole: Callable[[Migration], Migration]) -> Graph:
    """The graph with all operations of each migration."""
    nodes = {key: whole(node) if isinstance(node, Migration) else node for key, node in graph.nodes.items()}
    return graph.with_nodes(nodes)


def _replayed(
    rules: Sequence[type[Rule]],
    project: Project,
    graph: Graph,
    settings: ReplaySettings,
    progress: Callable[[int, int], None],
) -> Judged:
    """What `rules` say of the replay of every plan."""
    found: dict[Identity, list[Finding]] = {}
    total = sum(len(plan.order) for plan in graph.plans)
    done = 0
    shown: list[Collection[Identity]] = []
    by_columns = False
    for plan in graph.plans:
        replay = Replay(project, graph, plan, settings)
        more = _grouped(_plan_findings(rules, replay, plan, progress, done, total))
        merge(found, more)
        shown.append(frozenset(more))
        by_columns |= replay.rendering_matters
        done += len(plan.order)
    if len(graph.plans) > 1:
        _say_where(found, graph.plans, shown)
    return Judged(found, by_columns)


def _say_where(
    found: dict[Identity, list[Finding]], plans: Sequence[Plan], shown: Sequence[Collection[Identity]]
) -> None:
    """Note what happens on some databases only: where a squash ran, or where what it replaces did."""
    orders = [frozenset(plan.order) for plan in plans]
    for same, findings in found.items():
        seen = [plan for plan, some in zip(plans, shown, strict=True) if same in some]
        finding = findings[0]
        if not seen or finding.app_label is None or finding.migration is None:
            continue
        key = MigrationKey(finding.app_label, finding.migration)
        if len(seen) == sum(key in order for order in orders):
            continue
        where = _FRESH if any(plan.kind is PlanKind.FRESH for plan in seen) else _REPLACED
        found[same] = [replace(each, notes=(*each.notes, where)) for each in findings]


def merge(found: dict[Identity, list[Finding]], more: dict[Identity, list[Finding]]) -> None:
    """Add `more` to `found`: what is there already stays, unless the new one is more certain."""
    for same, findings in more.items():
        known = found.get(same)
        if known is None or _certainty(findings) > _certainty(known):
            found[same] = findings


def _project_findings(rules: Sequence[type[Rule]], project: Project, graph: Graph) -> Iterator[Finding]:
    for rule in rules:
        yield from rule().check_project(project, graph)


def _plan_findings(
    rules: Sequence[type[Rule]],
    replay: Replay,
    plan: Plan,
    progress: Callable[[int, int], None],
    done: int,
    total: int,
) -> Iterator[Finding]:
    instances = [rule() for rule in rules]
    # Most rules have one hook; the empty ones are not called a hundred thousand times.
    checking = [rule for rule in instances if type(rule).check is not Rule.check]
    checks: dict[tuple[type[Operation], bool], list[Check]] = {}
    position = -1
    for step in replay.steps():
        if step.position != position:
            position = step.position
            progress(done + position, total)
        if step.quiet:
            continue
        kind = step.operation.__class__, bool(step.failures)
        if kind not in checks:
            checks[kind] = [rule.check for rule in checking if _looks_at(rule, *kind)]
        for check in checks[kind]:
            yield from check(step, replay)
    progress(done + len(plan.order), total)
    for rule in instances:
        yield from rule.finish(replay)


def _looks_at(rule: Rule, operation: type[Operation], fails: bool) -> bool:
    return (fails or not rule.only_failing) and (rule.operations is None or operation in rule.operations)


def identity(finding: Finding) -> Identity:
    """What it has in common with the same finding in another plan or on another database."""
    return finding.code, finding.location, finding.operation, finding.field


def _grouped(findings: Iterable[Finding]) -> dict[Identity, list[Finding]]:
    groups: dict[Identity, list[Finding]] = {}
    for finding in dict.fromkeys(findings):
        groups.setdefault(identity(finding), []).append(finding)
    return groups


def _certainty(findings: Iterable[Finding]) -> int:
    return max(_CERTAINTIES.index(finding.certainty) for finding in findings)

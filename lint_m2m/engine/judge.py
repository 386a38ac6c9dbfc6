"""The replay of every plan, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, TypeAlias

from lint_m2m.engine.bystanders import without_bystanders
from lint_m2m.engine.sources import TakesApart, as_it_is
from lint_m2m.finding import Certainty, Finding
from lint_m2m.graph import Graph, Plan, PlanKind
from lint_m2m.migration import Location, Migration, MigrationKey, Operation, Project
from lint_m2m.processes import spread
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay, ReplaySettings
from lint_m2m.rules import RULES
from lint_m2m.rules.base import Rule
from lint_m2m.values import NamedTuple, replace

# What makes two findings the same one, seen in two plans.
Identity: TypeAlias = tuple[str, Location, str | None, str | None]
_FRESH = "only on databases that run the squash itself, as a new one does"
_REPLACED = "only on databases where the migrations that a squash replaces ran one by one"


class Judged(NamedTuple):
    """What the rules say, each thing once, and whether operations on plain columns have a part in it."""

    found: dict[Identity, list[Finding]]
    by_columns: bool


Check: TypeAlias = Callable[[Step, Replay], Iterator[Finding]]
# How many migrations are replayed, of how many.
Progress: TypeAlias = Callable[[int, int], None]
_CERTAINTIES = (Certainty.POSSIBLE, Certainty.LIKELY, Certainty.CERTAIN)


class Case(NamedTuple):
    """A project that is to be judged, in order, and what it is replayed for; `whole` is for its migrations."""

    project: Project
    graph: Graph
    settings: ReplaySettings
    whole: TakesApart = as_it_is


# How many migrations others have to replay for that to be worth a process.
FEWEST: Final = 150


def judge(
    project: Project,
    graph: Graph,
    settings: ReplaySettings,
    codes: Collection[str],
    progress: Progress = lambda done, total: None,
    whole: TakesApart = as_it_is,
) -> Judged:
    """What the rules `codes` say of a project; see `judge_all`."""
    return judge_all([Case(project, graph, settings, whole)], codes, progress)[0]


def judge_all(
    cases: Sequence[Case],
    codes: Collection[str],
    progress: Progress = lambda done, total: None,
    processes: int = 1,
) -> list[Judged]:
    """What the rules `codes` say of each project, by at most so many processes.

    A fresh install and an old one may run different plans (squashes). What one plan has shown, a later one only makes
    more certain.

    Most operations have nothing to do with a many-to-many: what is found does not depend on them, and they are not
    replayed unless it shows that they matter.
    """
    rules = [rule for rule in RULES if rule.code in codes]
    # The longest first, so that all processes end at about the same time.
    plans = [(number, plan) for number, case in enumerate(cases) for plan in case.graph.plans]
    plans.sort(key=lambda one: len(one[1].order), reverse=True)
    lengths = [len(plan.order) for _, plan in plans]
    rest: dict[int, Graph] = {}
    done = 0

    def of_plan(piece: int) -> _Shown:
        nonlocal done
        number, plan = plans[piece]
        case = cases[number]
        if number not in rest:
            rest[number] = without_bystanders(case.project, case.graph, case.whole)
        before = done
        done += len(plan.order)
        return _shown(rules, case, rest[number], plan, partial(_further, progress, before, sum(lengths)))

    shown = spread(len(plans), of_plan, processes if sum(lengths[1:]) >= FEWEST else 1)
    by_plan = {(number, plan.level): one for (number, plan), one in zip(plans, shown, strict=True)}
    judged: list[Judged] = []
    for number, case in enumerate(cases):
        together = _together(case.graph.plans, [by_plan[number, plan.level] for plan in case.graph.plans])
        if together.by_columns:
            together = replayed(rules, case, wholly(case.graph, case.whole), progress)
        found = _grouped(_project_findings(rules, case.project, case.graph))
        merge(found, together.found)
        judged.append(Judged(found, together.by_columns))
    return judged


def replayed(
    rules: Sequence[type[Rule]], case: Case, graph: Graph, progress: Progress = lambda done, total: None
) -> Judged:
    """What `rules` say of the replay of every plan, in which migrations are as `graph` has them."""
    total = sum(len(plan.order) for plan in graph.plans)
    shown: list[_Shown] = []
    done = 0
    for plan in graph.plans:
        shown.append(_shown(rules, case, graph, plan, partial(_further, progress, done, total)))
        done += len(plan.order)
    return _together(graph.plans, shown)


def _further(progress: Progress, before: int, total: int, position: int) -> None:
    progress(before + position, total)


def wholly(graph: Graph, whole: Callable[[Migration], Migration]) -> Graph:
    """The graph with all operations of each migration."""
    nodes = {key: whole(node) if isinstance(node, Migration) else node for key, node in graph.nodes.items()}
    return graph.with_nodes(nodes)


class _Shown(NamedTuple):
    """What the replay of one plan has shown, and whether operations on plain columns have a part in it."""

    found: dict[Identity, list[Finding]]
    by_columns: bool


def _shown(
    rules: Sequence[type[Rule]], case: Case, graph: Graph, plan: Plan, progress: Callable[[int], None]
) -> _Shown:
    """What `rules` say of the replay of `plan`, in which migrations are as `graph` has them."""
    replay = Replay(case.project, graph, plan, case.settings)
    found = _grouped(_plan_findings(rules, replay, plan, progress))
    return _Shown(found, replay.rendering_matters)


def _together(plans: Sequence[Plan], shown: Sequence[_Shown]) -> Judged:
    """What several plans have shown, in their order."""
    found: dict[Identity, list[Finding]] = {}
    for one in shown:
        merge(found, one.found)
    if len(plans) > 1:
        _say_where(found, plans, [one.found for one in shown])
    return Judged(found, any(one.by_columns for one in shown))


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
    progress: Callable[[int], None],
) -> Iterator[Finding]:
    instances = [rule() for rule in rules]
    # Most rules have one hook; the empty ones are not called a hundred thousand times.
    checking = [rule for rule in instances if type(rule).check is not Rule.check]
    checks: dict[tuple[type[Operation], bool], list[Check]] = {}
    position = -1
    for step in replay.steps():
        if step.position != position:
            position = step.position
            progress(position)
        if step.quiet:
            continue
        kind = step.operation.__class__, bool(step.failures)
        if kind not in checks:
            checks[kind] = [rule.check for rule in checking if _looks_at(rule, *kind)]
        for check in checks[kind]:
            yield from check(step, replay)
    progress(len(plan.order))
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

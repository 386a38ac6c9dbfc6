"""Random projects, loaded from real files by Django's MigrationLoader, must give what `build` gives.

LINT_M2M_GRAPH_CASES sets how many (default 250).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import django
import pytest

from lint_m2m.graph import Graph, ProblemKind, build
from lint_m2m.migration import MigrationKey
from tests.graph import django_loader
from tests.graph.cases import Case, case, file, project, show, write
from tests.graph.random_cases import nested, random_case

CASES = int(os.environ.get("LINT_M2M_GRAPH_CASES", "250"))
DEFINED_NESTING = django.VERSION >= (6, 0)

Verdict = dict[str, Any]

# What random cases come upon too seldom.
RARE = (
    # The replaced and deleted b.0002 is the first leaf for one who has heard of it: __latest__ is the squash.
    {
        "a.0001": "b.0002",
        "b.0001_s": file(replaces=["b.0002"]),
        "b.0003": "b.0001_s",
        "c.0001": "b.__latest__",
    },
    # The same asked before: then __latest__ is b.0003.
    {
        "a.0001": "b.__latest__",
        "b.0001_s": file(replaces=["b.0002"]),
        "b.0003": "b.0001_s",
        "c.0001": "b.0002",
    },
    # A run_before within the app makes another migration its first while dependencies are still being resolved.
    {
        "a.0001": "b.__first__",
        "b.0001": None,
        "b.0002": file(run_before=["b.0001"]),
        "c.0001": "b.__first__",
    },
    {"a.0001": None, "a.0002": file("a.0001", "a.__latest__"), "b.0001": "a.__latest__"},
    {"a": None, "b.0001": "a.__first__"},
    {"a.0001": "a.0002", "a.0002": "a.0001", "b.0001": "a.__first__", "c.s": file(replaces=["a.0001", "a.0002"])},
)


def ask_django(folder: Path, cases: list[tuple[Case, list[MigrationKey]]]) -> list[Verdict]:
    """What Django makes of each case, with the migrations given recorded as applied."""
    task = {"folder": str(folder), "cases": []}
    for number, (content, applied) in enumerate(cases):
        package = f"case_{number}"
        write(content, folder / package)
        task["cases"].append({"package": package, "apps": list(content), "applied": applied})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", django_loader.__file__],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_keys(pairs: list[list[str]]) -> list[MigrationKey]:
    return [MigrationKey(*pair) for pair in pairs]


def edges_of(graph: Graph) -> list[tuple[MigrationKey, MigrationKey]]:
    fresh = graph.plans[0]
    return sorted((key, parent) for key in fresh.order for parent in graph.parents(key, fresh))


def cycle_pairs(text: str) -> list[tuple[str, str]]:
    """(child, parent) of each edge in the text of a CircularDependencyError."""
    members = text.removeprefix("CircularDependencyError: ").split(", ")
    return list(zip(members, [members[-1], *members[:-1]], strict=True))


def compare(graph: Graph, verdict: Verdict) -> None:
    """Assert that Django said what the graph says."""
    fatal = [problem for problem in graph.problems if problem.kind is not ProblemKind.SEVERAL_LEAVES]
    conflicts = [problem for problem in graph.problems if problem.kind is ProblemKind.SEVERAL_LEAVES]
    error = verdict["error"]
    if error is None:
        assert fatal == []
        assert edges_of(graph) == [tuple(as_keys(pair)) for pair in verdict["edges"]]
        assert list(graph.plans[0].order) == as_keys(verdict["order"])
        assert sorted(key for app in verdict["roots"] for key in graph.leaves(app)) == as_keys(verdict["leaves"])
        for app, roots in verdict["roots"].items():
            assert graph.root(app) == next(iter(as_keys(roots)), None)
        named = {problem.migration.app_label: sorted(key.name for key in members(problem)) for problem in conflicts}
        assert named == verdict["conflicts"]
    elif error.startswith("CircularDependencyError"):
        assert {problem.kind for problem in fatal} == {ProblemKind.CYCLE}
        ours = {pair for problem in fatal for pair in cycle_pairs(str(problem.runtime_error))}
        theirs = {(str(MigrationKey(*child)), str(MigrationKey(*parent))) for child, parent in verdict["edges"]}
        through_sites = {pair for pair in ours if pair[0].startswith("sites.") or pair[1].startswith("sites.")}
        assert ours - through_sites <= theirs, "a cycle that is none"
        assert through_sites or ours & set(cycle_pairs(error)), "Django's cycle is not among ours"
        place = {str(key): number for number, key in enumerate(graph.plans[0].order)}
        broken = [pair for pair in theirs if place[pair[0]] <= place[pair[1]]]
        assert len(broken) <= len(fatal), "more edges broken than cycles reported"
    else:
        assert fatal, error
        # An app whose every migration is on a cycle has no first one: Django says that, and before all else.
        circular = [problem for problem in fatal if problem.kind is ProblemKind.CYCLE]
        first = circular if error.startswith("ValueError") and error != fatal[0].runtime_error else fatal[:1]
        assert error in [problem.runtime_error for problem in first]
        if error.startswith("NodeNotFoundError"):
            wanted = {str(MigrationKey(*pair)) for pair in verdict["missing"]}
            lost = [problem for problem in fatal if problem.kind is ProblemKind.MISSING_DEPENDENCY]
            assert {problem.message.split("`")[3] for problem in lost} == wanted


def members(problem: Any) -> list[MigrationKey]:
    return [problem.migration, *(related.migration for related in problem.related)]


@pytest.fixture(scope="module")
def contents() -> list[Case]:
    found = [*map(case, RARE), *map(random_case, range(CASES))]
    return [content for content in found if DEFINED_NESTING or not nested(content)]


def test_fresh_plan_and_problems_are_djangos(contents: list[Case], tmp_path: Path) -> None:
    verdicts = ask_django(tmp_path, [(content, []) for content in contents])
    outcomes = {str(verdict["error"]).partition(":")[0] for verdict in verdicts}
    assert {"None", "NodeNotFoundError", "CircularDependencyError"} <= outcomes, "the cases do not try everything"
    assert any(verdict.get("conflicts") for verdict in verdicts)
    for content, verdict in zip(contents, verdicts, strict=True):
        try:
            compare(build(project(content)), verdict)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\nDjango: {verdict}\n{show(content)}") from failure


def test_replaced_plan_is_djangos_where_squashes_are_half_applied(contents: list[Case], tmp_path: Path) -> None:
    """Django undoes a squash when some of what it replaces is applied: one such migration makes the other plan."""
    tried = []
    for content in contents:
        graph = build(project(content))
        applied = half_applied(content)
        if len(graph.plans) == 2 and not nested(content) and applied:
            tried.append((content, applied, graph))
    verdicts = ask_django(tmp_path, [(content, applied) for content, applied, _ in tried])
    compared = 0
    for (content, _, graph), verdict in zip(tried, verdicts, strict=True):
        if verdict["error"] is None:
            compared += 1
            expected = as_keys(verdict["order"])
            assert list(graph.plans[1].order) == expected, f"Django: {expected}\n{show(content)}"
    assert compared >= CASES // 12


def half_applied(content: Case) -> list[MigrationKey]:
    """One migration of each squash that can be undone, ``[]`` when that would touch another squash."""
    exists = {(app, name) for app, files in content.items() for name in files}
    squashes = [what.replaces for files in content.values() for what in files.values() if what.replaces]
    undone = [replaces for replaces in squashes if exists.issuperset(replaces)]
    applied = {replaces[0] for replaces in undone}
    for replaces in squashes:
        done = [pair in applied for pair in replaces]
        if replaces in undone and all(done):
            return []
        if replaces not in undone and any(done):
            return []
    return [MigrationKey(*pair) for pair in sorted(applied)]

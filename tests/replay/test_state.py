"""What the state ledger keeps to be asked quickly, beside what going through all models says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.discovery import discover
from lint_m2m.graph import build
from lint_m2m.migration import DeleteModel, Project
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.static import read_project
from lint_m2m.replay.facts import Origin
from lint_m2m.replay.merge import merge_states
from lint_m2m.replay.rendering import unresolved
from lint_m2m.replay.state import StateLedger
from lint_m2m.replay.walk import Replay, ReplaySettings
from tests.judge.histories import generate
from tests.judge.writing import write_linear
from tests.replay.test_rendering import CASES, START, TARGETS, A, B, C

MADE = [*((START, *rest) for rest, _, _ in CASES.values()), *(((B, C, A), *rest) for rest in TARGETS.values())]


def read(folder: Path) -> Project:
    options = ReadOptions()
    return read_project(discover(folder, options), options, 1)


def compare(project: Project, every: int) -> int:
    """Ask the ledger after every so many steps; how often it said that something does not render."""
    broken = 0
    graph = build(project)
    for plan in graph.plans:
        replay = Replay(project, graph, plan, ReplaySettings(vendor="sqlite"))
        for number, step in enumerate(replay.steps()):
            state = replay.state
            assert isinstance(state, StateLedger)
            if number % every == 0:
                found = list(unresolved(state))
                assert state.renders() == (not found), (step.migration.key, step.address, found)
                broken += bool(found)
            for model in state.models():
                for field in model.many_to_many():
                    relation = field.field.relation
                    for target in () if relation is None else (relation.to, relation.through):
                        owner = state.get(target)  # type: ignore[arg-type]
                        assert owner is None or model.key in state.linkers(owner.key), (step.address, field.name)
    return broken


@pytest.mark.parametrize("every", [1, 3])
def test_ledgers_know_whether_models_render(every: int, tmp_path: Path) -> None:
    broken = 0
    for number, migrations in enumerate(MADE):
        broken += compare(read(write_linear(tmp_path / str(number), "app", migrations)), every)
    assert broken > 20


@pytest.mark.parametrize("every", [1, 4])
def test_ledgers_of_random_histories_know_it(every: int, tmp_path: Path) -> None:
    for seed in range(1, 61):
        folder = tmp_path / str(seed)
        generate(seed).write(folder)
        compare(read(folder), every)


def test_a_model_that_all_branches_delete(tmp_path: Path) -> None:
    project = read(write_linear(tmp_path, "app", [START]))
    replay = Replay(project, graph := build(project), graph.plans[0], ReplaySettings(vendor="sqlite"))
    last = list(replay.steps())[-1]
    state = replay.state
    assert isinstance(state, StateLedger)
    assert state.renders()
    branches = [state.fork(), state.fork()]
    for branch in branches:
        branch.apply(DeleteModel(name="AB"), "app", Origin(last.migration.key, "0", last.origin.location))
        assert not branch.renders()
    assert state.renders()
    merge_states(state, branches, "a condition")
    assert not state.renders()

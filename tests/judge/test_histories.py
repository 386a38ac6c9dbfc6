"""The generator: the same bytes everywhere, well-formed, and each recipe doing what it is named after.

If a change to the generator is meant to change the histories, `DIGEST` changes with it. Nothing else may change it: not
the Python version, not the hash seed, not the machine.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.judge import Outcome, run
from tests.judge.histories import History, generate
from tests.judge.histories.builder import Recipe
from tests.judge.histories.plain import PLAIN
from tests.judge.histories.recipes import RIGHT
from tests.judge.histories.wrong import AT_THE_END, DRIFTING, FOLLOWING, LOSING, RAISING
from tests.judge.report import render

DIGEST = "8074b63e1760720c47b0be22d5f51dc5cbc090d22d5438a3fdd09c54dfe3d658"

# What Django raises for a migration that refers to something that is not there.
NONSENSE = {
    "FieldDoesNotExist",
    "FieldError",
    "ImproperlyConfigured",
    "InvalidBasesError",
    "KeyError",
    "LookupError",
    "NameError",
    "TypeError",
}


def digest() -> str:
    found = hashlib.sha256()
    for seed in range(100):
        history = generate(seed)
        found.update(str(history).encode())
        for migration in history.migrations:
            found.update(migration.source.encode())
    return found.hexdigest()


def test_the_same_bytes_everywhere() -> None:
    assert digest() == DIGEST


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_not_by_the_order_of_a_set(hash_seed: str, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tests.judge.test_histories import digest; print(digest())"],
        cwd=repository,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == DIGEST


def test_what_is_written_is_what_was_made(tmp_path: Path) -> None:
    history = generate(3)
    history.write(tmp_path)
    for migration in history.migrations:
        path = tmp_path / migration.app_label / "migrations" / f"{migration.name}.py"
        assert path.read_bytes() == migration.source.encode()
        compile(migration.source, str(path), "exec")
    assert sorted(one.name for one in tmp_path.iterdir()) == list(history.apps)


def test_variety() -> None:
    """Every recipe is used; about a third of the histories is correct; most have several apps."""
    histories = [_generated(seed) for seed in range(1500)]
    used = Counter(name for history in histories for name in history.recipes)
    every = {
        recipe.__name__
        for table in (PLAIN, RIGHT, RAISING, LOSING, AT_THE_END, DRIFTING, FOLLOWING)
        for _, recipe in table
    }
    assert used.keys() == every
    correct = sum(history.mood == "correct" for history in histories)
    assert 0.28 < correct / len(histories) < 0.40
    assert sum(len(history.apps) > 1 for history in histories) > len(histories) / 3
    sizes = [sum(len(migration.operations) for migration in history.migrations) for history in histories]
    assert max(sizes) <= 40
    assert 10 <= sum(sizes) / len(sizes) <= 20


def test_correct_histories_are_correct(tmp_path: Path) -> None:
    seeds = [seed for seed in range(90) if generate(seed).mood == "correct"]
    assert len(seeds) > 20
    for seed in seeds:
        history = generate(seed)
        outcome = run(history.write(tmp_path / str(seed)))
        told = f"{history}\n{render(outcome)}"
        assert outcome.raised is None, told
        assert outcome.lasting_losses == (), told
        assert outcome.drift_at_end == (), told


@pytest.mark.database
def test_correct_histories_are_correct_on_servers(tmp_path: Path, database_url: str) -> None:
    seeds = [seed for seed in range(60) if generate(seed).mood == "correct"]
    for seed in seeds:
        history = generate(seed)
        outcome = run(history.write(tmp_path / str(seed)), database=database_url)
        told = f"{history}\n{render(outcome)}"
        assert outcome.raised is None, told
        assert outcome.lasting_losses == (), told
        assert outcome.drift_at_end == (), told


WRONG = {recipe.__name__ for table in (RAISING, LOSING, AT_THE_END, DRIFTING, FOLLOWING) for _, recipe in table}


_generated = functools.cache(generate)


def first_with(name: str) -> History:
    """The first history in which this recipe is the first thing that goes wrong (or follows what it needs)."""
    needs = {recipe.__name__ for _, recipe in DRIFTING} if name in {r.__name__ for _, r in FOLLOWING} else set()
    for seed in range(5000):
        history = _generated(seed)
        wrong = [one for one in history.recipes if one in WRONG and one not in needs]
        if wrong[:1] == [name]:
            return history
    raise AssertionError(f"{name} is never the first thing that goes wrong")


def recipes(*tables: tuple[tuple[int, Recipe], ...]) -> list[str]:
    return sorted(recipe.__name__ for table in tables for _, recipe in table)


def judged(history: History, folder: Path) -> tuple[Outcome, str]:
    outcome = run(history.write(folder))
    told = f"{history}\n{render(outcome)}"
    assert outcome.raised is None or outcome.raised.type not in NONSENSE, told
    return outcome, told


@pytest.mark.parametrize("name", recipes(RAISING, FOLLOWING))
def test_recipes_that_raise(name: str, tmp_path: Path) -> None:
    history = first_with(name)
    outcome, told = judged(history, tmp_path)
    # SQLite copies the table, and does not look for the constraint.
    assert (outcome.raised is not None) == (name != "drop_misnamed"), told


@pytest.mark.parametrize("name", recipes(LOSING, AT_THE_END))
def test_recipes_that_lose(name: str, tmp_path: Path) -> None:
    outcome, told = judged(first_with(name), tmp_path)
    assert outcome.losses, told


@pytest.mark.parametrize("name", recipes(DRIFTING))
def test_recipes_that_drift(name: str, tmp_path: Path) -> None:
    outcome, told = judged(first_with(name), tmp_path)
    assert outcome.drifts, told


def test_command_line(tmp_path: Path, repository: Path) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tests.judge", *arguments],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
        )

    written = command("history", "3", "--write", str(tmp_path / "three"))
    assert written.returncode == 0
    assert written.stdout == str(generate(3))
    outcome = run(tmp_path / "three")
    judged_by_command = command("run", str(tmp_path / "three"))
    assert judged_by_command.stdout == render(outcome)
    good = not (outcome.raised or outcome.lasting_losses or outcome.drift_at_end)
    assert judged_by_command.returncode == (0 if good else 1)
    nothing = command("run", str(tmp_path / "nothing"))
    assert nothing.returncode == 2
    assert "no app with migrations" in nothing.stderr

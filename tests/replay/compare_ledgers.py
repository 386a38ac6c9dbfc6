"""The ledger's answer beside reality's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import django

from lint_m2m.finding import Certainty
from lint_m2m.graph import Graph, Plan
from lint_m2m.migration import UNKNOWN, App, Migration, Project
from lint_m2m.replay.facts import Failure, FailureKind
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay, ReplaySettings
from tests.replay.convert import operation
from tests.replay.random_operations import Generator
from tests.replay.reality import Runner, Seen

History = Sequence[tuple[str, Sequence[Any]]]
VERSION = cast(tuple[int, int], django.VERSION[:2])


def replay_of(migrations: Sequence[Migration], vendor: str, version: tuple[int, int] = VERSION) -> Replay:
    """A replay of migrations in the order given, all apps having BigAutoField."""
    labels = sorted({migration.app_label for migration in migrations})
    apps = tuple(App(label=label, path=f"{label}/migrations") for label in labels)
    project = Project(apps=apps, migrations=tuple(migrations), default_auto_field="django.db.models.BigAutoField")
    nodes = {migration.key: migration for migration in migrations}
    plan = SimpleNamespace(order=tuple(nodes), level=0)
    graph = SimpleNamespace(nodes=nodes, plans=(plan,))
    settings = ReplaySettings(vendor=vendor, django_version=version)
    return Replay(project, cast(Graph, graph), cast(Plan, plan), settings)


def values(history: History) -> list[Migration]:
    return [
        Migration(
            app_label=app_label,
            name=f"m{number:04}",
            path=f"{app_label}/migrations/m{number:04}.py",
            operations=tuple(operation(item, app_label) for item in operations),
        )
        for number, (app_label, operations) in enumerate(history)
    ]


def explore(seed: int, length: int, vendor: str, *, stats: Counter[str] | None = None) -> tuple[History, list[str]]:
    """Make a random history with reality at hand, and compare the ledger after each migration.

    A migration that fails is compared too and then left out, most of the time, so that histories get long; where DDL
    cannot be rolled back it ends the history.
    """
    generator, runner = Generator(seed), Runner()
    history: list[tuple[str, list[Any]]] = []
    results: list[Seen] = []
    for number in range(length):
        kept = generator.state.clone()
        generator.tables = sorted(results[-1].tables) if results else []
        app_label, operations = generator.migration(number)
        if vendor == "mysql" and generator.rng.random() < 0.9:
            # What is left of a failure there spoils the rest: let most of those that the ledger expects not happen.
            tried = [*history, (app_label, operations)]
            replay = replay_of(values(tried), vendor)
            if any(step.failures for step in replay.steps() if step.position == len(history)):
                generator.state = kept
                continue
        seen = runner.migrate(app_label, operations)
        history.append((app_label, operations))
        results.append(seen)
        if seen.error is None:
            continue
        found = compare(history, results, vendor, stats=stats, only_last=True)
        if found or vendor == "mysql" or generator.rng.random() < 0.05:
            return history, found
        del history[-1], results[-1]
        generator.state = kept
        # The state may have been changed half-way, fields included: what operations hold is made for one use.
        runner.reload(kept)
    return history, compare(history, results, vendor, stats=stats)


def differences(history: History, vendor: str) -> list[str]:
    """Run a given history and compare; an empty list when both agree."""
    runner = Runner()
    results: list[Seen] = []
    for app_label, operations in history:
        results.append(runner.migrate(app_label, operations))
        if results[-1].error is not None:
            break
    return compare(history[: len(results)], results, vendor)


def compare(
    history: History,
    results: Sequence[Seen],
    vendor: str,
    *,
    stats: Counter[str] | None = None,
    only_last: bool = False,
) -> list[str]:
    """Where the ledger and reality part, as lines of text.

    Reality has no rows here, so that a predicted IntegrityError ends the comparison. `stats` counts what was compared.
    """
    stats = Counter() if stats is None else stats
    replay = replay_of(values(history), vendor)
    steps = replay.steps()
    pending: Step | None = next(steps, None)
    for number, ((app_label, operations), seen) in enumerate(zip(history, results, strict=True)):
        failures: list[tuple[str, Failure]] = []
        while pending is not None and pending.position == number:
            failures += [(pending.address, failure) for failure in pending.failures]
            if pending.address == str(len(operations) - 1):
                break
            pending = next(steps, None)
        found = list(_compare_migration(replay, f"migration {number} ({app_label})", failures, seen, stats, only_last))
        if found or failures or seen.error is not None:
            return found
        pending = next(steps, None)
    return []


def _compare_migration(
    replay: Replay,
    where: str,
    failures: Sequence[tuple[str, Failure]],
    seen: Seen,
    stats: Counter[str],
    only_last: bool,
) -> Iterator[str]:
    first = failures[0] if failures else None
    if not only_last or seen.error is not None:
        stats["failures" if seen.error is not None else "migrations"] += 1
        if first is not None:
            stats[first[1].kind.value] += 1
    if first is not None and first[1].kind is FailureKind.ROWS_VIOLATE:
        return
    if (
        seen.error is not None
        and first is None
        and replay._database.foreign
        and re.search("not exist|errno: 150", seen.error)
    ):
        # A table of an unmanaged model: nobody knows whether it is there.
        return
    if seen.error is not None and "error in index" in seen.error:
        # SQLite: an index on a string, taken for a column, breaks any later ALTER TABLE.
        return
    if (first is None) != (seen.error is None):
        said = None if first is None else f"[{first[0]}] {first[1].exception}"
        yield f"{where}: ledger {said!r}, reality [{seen.failed}] {seen.error!r}"
        return
    if first is not None and seen.error is not None:
        address, failure = first
        if failure.certainty is not Certainty.CERTAIN and "MariaDB" not in (failure.reason or ""):
            yield f"{where}: not certain: {failure}"
        if not same_text(failure.exception, seen.error):
            yield f"{where}: ledger {failure.exception!r}, reality {seen.error!r}"
        if seen.failed != -1 and int(address.partition(".")[0]) != seen.failed:
            yield f"{where}: ledger at {address}, reality at {seen.failed}"
        return
    replay._database.settle()
    for line in _tables_differ(replay, seen.tables):
        yield f"{where}: {line}"


def _tables_differ(replay: Replay, real: dict[str, Any]) -> Iterator[str]:
    known = {table.name: table for table in replay.tables()}
    for name in sorted(known.keys() | real.keys()):
        if name not in real:
            yield f"table {name} is only in the ledger"
        elif name not in known:
            yield f"table {name} is only in the database"
        else:
            table, seen = known[name], real[name]
            if table.columns is UNKNOWN or table.uniques is UNKNOWN:
                yield f"table {name} is in doubt: {replay.unread_database_reason(name)}"
                continue
            columns = frozenset(column.name for column in table.columns)
            if columns != seen.columns:
                yield f"columns of {name}: ledger {sorted(columns)}, reality {sorted(seen.columns)}"
            own = {frozenset(unique.columns) for unique in table.uniques}
            real_sets = {frozenset(unique) for unique in seen.uniques}
            if own != real_sets:
                yield f"unique sets of {name}: ledger {_sets(own)}, reality {_sets(real_sets)}"
            names = {unique.name for unique in table.uniques if len(unique.columns) > 1}
            if names != set(seen.unique_names):
                yield f"unique names of {name}: ledger {names}, reality {set(seen.unique_names)}"
            keys = {
                (table_column.name, target)
                for table_column in table.columns
                for target in replay._database.references(
                    replay._database.get(name),  # type: ignore[arg-type]
                    replay._names.fold(table_column.name),
                )
            }
            if keys != set(seen.foreign_keys):
                yield f"foreign keys of {name}: ledger {sorted(keys)}, reality {sorted(seen.foreign_keys)}"


def _sets(sets: set[frozenset[str]]) -> list[list[str]]:
    return sorted(sorted(map(str, one)) for one in sets)


def same_text(predicted: str, real: str) -> bool:
    """Values of rows and names of temporary tables are placeholders in the prediction."""
    pattern = re.escape(predicted).replace("…", ".*")
    return re.match(pattern, real) is not None

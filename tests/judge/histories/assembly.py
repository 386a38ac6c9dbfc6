"""Put operations, one after the other, into migrations of several apps with the dependencies they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.judge.writing import migration_source, write_app

from .world import Key, World

_WORDS = ("initial", "more", "step", "change", "auto", "rework", "links", "cleanup")


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFile:
    """One file of a history."""

    app_label: str
    name: str
    dependencies: tuple[tuple[str, str], ...]
    operations: tuple[str, ...]
    functions: tuple[str, ...]

    @property
    def source(self) -> str:
        return migration_source(self.operations, dependencies=self.dependencies, functions=self.functions)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A project of nothing but migrations.

    `mood` is "correct" when nothing in it is meant to go wrong, else "wrong". `recipes` are the names of what it is
    made of, in order, for statistics and for finding a seed that has something.
    """

    seed: int
    mood: str
    migrations: tuple[MigrationFile, ...]
    recipes: tuple[str, ...]

    @property
    def apps(self) -> tuple[str, ...]:
        return tuple(sorted({migration.app_label for migration in self.migrations}))

    def write(self, folder: Path) -> Path:
        """Write the project below `folder` (an app a folder, the label its name) and return `folder`."""
        for app in self.apps:
            files = {one.name: one.source for one in self.migrations if one.app_label == app}
            write_app(folder, app, files)
        return folder

    def __str__(self) -> str:
        lines = [f"history {self.seed} ({self.mood}): {', '.join(self.recipes)}"]
        for migration in self.migrations:
            needs = ", ".join(f"{app}.{name}" for app, name in migration.dependencies)
            lines.append(f"{migration.app_label}.{migration.name}" + (f" after {needs}" if needs else ""))
            for function in migration.functions:
                lines += [f"      {line}" for line in function.strip().splitlines()]
            lines += [f"  {index:2}  {operation}" for index, operation in enumerate(migration.operations)]
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Open:
    app: str
    name: str
    dependencies: set[tuple[str, str]] = field(default_factory=set)
    operations: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)


class Assembly:
    """Collects operations. Two migrations that have to do with a common app are always ordered by dependencies; others
    may run in any order, and it makes no difference."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.count = 0  # operations
        self._migrations: list[_Open] = []
        self._numbers: dict[str, int] = {}
        self._touched: dict[str, tuple[str, str]] = {}  # app: the last migration that has to do with it
        self._split = True
        self.split_chance = 0.4

    def split(self) -> None:
        """What comes next is in a new migration."""
        self._split = True

    def number(self, app: str) -> int:
        """How many migrations `app` has."""
        return self._numbers.get(app, 0)

    def emit(
        self,
        app: str,
        operation: str,
        about: Iterable[Key],
        *,
        function: str | None = None,
        together: bool = False,
        after: Iterable[str] = (),
    ) -> None:
        """Append an operation. `about` are models it has to do with, `after` apps beside theirs; `together` keeps it in
        the current migration."""
        last = self._migrations[-1] if self._migrations else None
        by_chance = self.rng.random() < self.split_chance
        if together:
            assert last is not None
            assert last.app == app
        elif last is None or self._split or last.app != app or by_chance:
            last = self._begin(app)
        self._split = False
        last.operations.append(operation)
        if function is not None:
            last.functions.append(function)
        self.count += 1
        key = (last.app, last.name)
        apps = {app, *after} | {one[0] for model in sorted(about) for one in self.world.neighbours(model)}
        for other in sorted(apps):
            before = self._touched.get(other)
            if before is not None and before != key:
                last.dependencies.add(before)
            self._touched[other] = key

    def finish(self) -> tuple[MigrationFile, ...]:
        return tuple(
            MigrationFile(
                app_label=one.app,
                name=one.name,
                dependencies=tuple(sorted(one.dependencies)),
                operations=tuple(one.operations),
                functions=tuple(one.functions),
            )
            for one in self._migrations
        )

    def _begin(self, app: str) -> _Open:
        number = self._numbers[app] = self._numbers.get(app, 0) + 1
        word = "initial" if number == 1 else self.rng.choice(_WORDS[1:])
        new = _Open(app, f"{number:04}_{word}")
        if number > 1:
            previous = next(one for one in reversed(self._migrations) if one.app == app)
            new.dependencies.add((app, previous.name))
        self._migrations.append(new)
        return new

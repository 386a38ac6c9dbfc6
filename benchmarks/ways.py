"""What is measured: lint-m2m, and what it is compared with."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from measure import Way, environment

# The paths come from a file, not from a search: the floor has nothing to find.
FLOOR = """
import ast, sys
with open(sys.argv[1], encoding="utf-8") as names:
    paths = names.read().split("\\0")
for path in paths:
    with open(path, "rb") as file:
        ast.parse(file.read())
"""
STATE = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
from django.db.migrations.loader import MigrationLoader
MigrationLoader(None).project_state()
"""
LINTER = "django_migration_linter"


def migrations_of(project: Path) -> list[Path]:
    return sorted(path for path in project.rglob("migrations/*.py") if path.name != "__init__.py")


def installed() -> list[str]:
    """The apps that the made project needs for what is there to be measured."""
    return [LINTER] if find_spec("django") and find_spec(LINTER) else []


def has_cache() -> bool:
    command = [sys.executable, "-m", "lint_m2m", "check", "--help"]
    return "--cache-dir" in subprocess.run(command, env=environment(), capture_output=True, text=True).stdout


def floor(project: Path, work: Path) -> Way:
    names = work / f"{project.name}.names"
    names.write_text("\0".join(map(str, migrations_of(project))), encoding="utf-8")
    return Way("read and `ast.parse` the same files (the floor)", [sys.executable, "-c", FLOOR, str(names)], work)


def check(name: str, project: Path, *options: str, before: Callable[[], None] = lambda: None) -> Way:
    command = [sys.executable, "-m", "lint_m2m", "check", "--isolated", "--format", "concise", *options, str(project)]
    return Way(name, command, project, statuses=(0, 1), before=before)


def cold(project: Path) -> Way:
    return check("lint-m2m, cold", project, *(["--no-cache"] if has_cache() else []))


def cold_on_one_core(project: Path) -> Way:
    return check("lint-m2m, cold, one core", project, "--jobs", "1", *(["--no-cache"] if has_cache() else []))


def lint_m2m(project: Path, work: Path) -> Iterator[Way]:
    """Without a cache, and with one where there is one: `--cache-dir` outside of the project."""
    yield cold(project)
    yield cold_on_one_core(project)
    yield warm(project, work)
    # Projects of their own: the others find theirs as it was.
    for folder, what, operation in (
        ("column", "a column added", 'AddField("customer", "extra_{number}", models.IntegerField(null=True))'),
        ("link", "a many-to-many added", 'AddField("customer", "more_{number}", models.ManyToManyField("{app}.team"))'),
        ("code", "an operation that has all checked again", 'RunSQL("ANALYZE -- {number}", "")'),
    ):
        edited = work / folder
        shutil.copytree(project, edited)
        yield _warm(f"lint-m2m, warm, {what}", edited, work, before=_change(migrations_of(edited), operation))


def warm(project: Path, work: Path) -> Way:
    return _warm("lint-m2m, warm", project, work)


def _warm(name: str, project: Path, work: Path, before: Callable[[], None] = lambda: None) -> Way:
    cache = ["--cache-dir", str(work / f"cache of {project.name}")] if has_cache() else []
    return check(name, project, *cache, before=before)


def _change(files: Sequence[Path], operation: str) -> Callable[[], None]:
    """Adds an operation to another migration each time; it has a number, and may name the app."""
    numbers = itertools.count(1)

    def change() -> None:
        number = next(numbers)
        file = files[number * 7919 % len(files)]
        begun, head, operations = file.read_bytes().partition(b"    operations = [\n")
        added = f"        migrations.{operation.format(app=file.parts[-3], number=number)},\n"
        file.write_bytes(begun + head + added.encode() + operations)

    return change


def others(project: Path, work: Path) -> Iterator[Way | tuple[str, str]]:
    """What people run today; (name, reason) for what is not there."""
    manage = [sys.executable, "manage.py"]
    rows = [
        ("Django: load all migrations, build the project's state", [sys.executable, "-c", STATE], "django"),
        ("Django: makemigrations --check --dry-run", [*manage, "makemigrations", "--check", "--dry-run"], "django"),
        ("django-migration-linter", [*manage, "lintmigrations", "--no-cache"], LINTER),
        (
            "django-migration-linter, its cache",
            [*manage, "lintmigrations", "--cache-path", str(work / "linter")],
            LINTER,
        ),
    ]
    for name, command, package in rows:
        if find_spec("django") is None or find_spec(package) is None:
            yield name, "not installed"
        else:
            # Its status is 1 where it has something to say.
            yield Way(name, command, project, statuses=(0, 1) if package == LINTER else (0,))

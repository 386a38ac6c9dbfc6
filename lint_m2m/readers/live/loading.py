"""What Django's MigrationLoader imports, and what of it cannot be imported. No database is asked."""

from __future__ import annotations

import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from weakref import WeakKeyDictionary

from lint_m2m.errors import ReadError
from lint_m2m.migration import Span
from lint_m2m.readers.source import SourceError, read_source
from lint_m2m.values import frozen

# What modules were imported from. Python imports them once, and a file may be another when somebody asks again.
_SOURCES: Final[WeakKeyDictionary[ModuleType, bytes | None]] = WeakKeyDictionary()


@frozen
class LoadedMigration:
    """A migration as Django has it. `source` are the bytes of `file` then, None where only bytecode is there."""

    app_label: str
    name: str
    file: Path
    source: bytes | None
    migration: Any


@frozen
class BrokenMigration:
    """A file that Django cannot import, or that has no Migration class: then no migration command works."""

    app_label: str
    name: str
    file: Path
    reason: str
    span: Span | None


@frozen
class LoadedApp:
    """An installed app with migrations, and the folder that these are in."""

    label: str
    folder: Path
    app_folder: Path
    default_auto_field: str


@frozen
class Loaded:
    """The migrations of all installed apps, in the order of their labels and names."""

    apps: tuple[LoadedApp, ...]
    migrations: tuple[LoadedMigration, ...]
    broken: tuple[BrokenMigration, ...]


def load() -> Loaded:
    """Import the migrations of all installed apps, those that MIGRATION_MODULES places elsewhere among them.

    ReadError where Django refuses them, and none of them is to blame.
    """
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, load=False)
    broken: list[BrokenMigration] = []
    try:
        loader.load_disk()
        found = dict(loader.disk_migrations)
    except (Exception, SystemExit) as error:
        # One file is enough to stop Django; the others are looked at all the same.
        found = dict(_one_by_one(broken))
        if not broken:
            raise ReadError(f"Django cannot load the migrations: {type(error).__name__}: {error}") from error
    modules = {label: loader.migrations_module(label)[0] for label, _ in found}
    modules |= {one.app_label: loader.migrations_module(one.app_label)[0] for one in broken}
    migrations = [
        _loaded(label, name, migration, sys.modules[f"{modules[label]}.{name}"])
        for (label, name), migration in sorted(found.items())
    ]
    folders = {one.app_label: one.file.parent for one in broken} | {
        one.app_label: one.file.parent for one in migrations
    }
    return Loaded(
        apps=tuple(
            LoadedApp(
                label=label,
                folder=folders[label],
                app_folder=Path(apps.get_app_config(label).path),
                default_auto_field=apps.get_app_config(label).default_auto_field,
            )
            for label in sorted(folders)
        ),
        migrations=tuple(migrations),
        broken=tuple(sorted(broken, key=lambda one: (one.app_label, one.name))),
    )


def _loaded(label: str, name: str, migration: Any, module: ModuleType) -> LoadedMigration:
    file = Path(os.path.abspath(module.__file__ or ""))
    if module not in _SOURCES:
        _SOURCES[module] = _source(file)
    source = _SOURCES[module]
    return LoadedMigration(app_label=label, name=name, file=file, source=source, migration=migration)


def _source(file: Path) -> bytes | None:
    if file.suffix != ".py":
        return None
    try:
        return read_source(file)
    except SourceError:
        return None


def _one_by_one(broken: list[BrokenMigration]) -> Iterator[tuple[tuple[str, str], Any]]:
    """What ``MigrationLoader.load_disk`` does, file by file; what it would raise goes to `broken`."""
    from django.apps import apps
    from django.db.migrations.exceptions import BadMigrationError
    from django.db.migrations.loader import MigrationLoader

    for config in apps.get_app_configs():
        package, explicit = MigrationLoader.migrations_module(config.label)
        if package is None:
            continue
        try:
            module = import_module(package)
        except ModuleNotFoundError as error:
            if explicit or "migrations" not in (error.name or "").split("."):
                broken.append(_failed(config.label, "__init__", _folder(package, config.path), error))
            continue
        except (Exception, SystemExit) as error:
            broken.append(_failed(config.label, "__init__", _folder(package, config.path), error))
            continue
        paths = getattr(module, "__path__", None)
        if paths is None or (getattr(module, "__file__", None) is None and not isinstance(paths, list)):
            continue
        for info in sorted(pkgutil.iter_modules(paths), key=lambda each: each.name):
            if info.ispkg or info.name[0] in "_~":
                continue
            folder = getattr(info.module_finder, "path", None) or next(iter(paths))
            try:
                imported = import_module(f"{package}.{info.name}")
                if not hasattr(imported, "Migration"):
                    raise BadMigrationError
                yield (config.label, info.name), imported.Migration(info.name, config.label)
            except (Exception, SystemExit) as error:
                broken.append(_failed(config.label, info.name, Path(folder), error))


def _folder(package: str, app_folder: str) -> Path:
    last = package.rpartition(".")[2]
    return Path(app_folder) / last


def _failed(label: str, name: str, folder: Path, error: BaseException) -> BrokenMigration:
    from django.db.migrations.exceptions import BadMigrationError

    file = Path(os.path.abspath(folder)) / f"{name}.py"
    if isinstance(error, BadMigrationError):
        reason = "it has no Migration class, so Django refuses to load any migration (BadMigrationError)"
        return BrokenMigration(app_label=label, name=name, file=file, reason=reason, span=None)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    reason = f"Django cannot import it: {type(error).__name__}: {text}".removesuffix(": ")
    return BrokenMigration(app_label=label, name=name, file=file, reason=reason, span=_span(error, file))


def _span(error: BaseException, file: Path) -> Span | None:
    """The line of the file that the exception came through."""
    if isinstance(error, SyntaxError) and error.filename and os.path.realpath(error.filename) == os.path.realpath(file):
        line, column = error.lineno or 1, error.offset or 1
        return Span(line, max(column, 1), line, max(column, 1) + 1)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.lineno is not None and os.path.realpath(frame.filename) == os.path.realpath(file):
            return Span(frame.lineno, 1, frame.lineno, 1 + len(frame.line or ""))
    return None

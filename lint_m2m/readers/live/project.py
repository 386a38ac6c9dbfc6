"""All that Django knows of a project's migrations, as the values that the static reader yields."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lint_m2m.migration import UNKNOWN, App, CreateModel, Maybe, Migration, Operation, Project, UnreadFile
from lint_m2m.readers.context import FileLike, LayoutLike, ReadContext
from lint_m2m.readers.live.loading import LoadedApp, LoadedMigration
from lint_m2m.readers.live.reading import read_migration
from lint_m2m.readers.live.routing import Routers, databases, routers_of
from lint_m2m.readers.modules import installed_source_paths
from lint_m2m.readers.project.settings import vendor_of_engine
from lint_m2m.readers.source import SourceError, read_source
from lint_m2m.readers.static import read_migration as read_source_of
from lint_m2m.values import frozen

if TYPE_CHECKING:
    from lint_m2m.readers.options import ReadOptions

_VENDORS: Final = frozenset({"mysql", "oracle", "postgresql", "sqlite"})


@dataclass(frozen=True, slots=True)
class Database:
    """A database that migrations run on: its vendor, UNKNOWN for one that is none of Django's, and its routers."""

    alias: str
    vendor: Maybe[str]
    routers: Routers | None


@frozen
class Facts:
    """What the settings in force say."""

    swappable: tuple[tuple[str, str], ...]
    default_auto_field: str
    source_roots: tuple[Path, ...]
    databases: tuple[Database, ...]


def facts(database: str | None = None) -> Facts:
    """What Django's settings say. `database` is the one to ask about, else all that routers tell apart."""
    from django.conf import settings

    return Facts(
        swappable=tuple(sorted(_swappable_models().items())),
        default_auto_field=str(settings.DEFAULT_AUTO_FIELD),
        source_roots=_source_roots(),
        databases=tuple(
            Database(alias, _vendor_of(alias), routers_of(alias))
            for alias in (databases() if database is None else (database,))
        ),
    )


def _vendor_of(alias: str) -> Maybe[str]:
    """The database behind an alias, as Django's backend calls it. Nothing is connected to."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    try:
        vendor = connections[alias].vendor
    except (ImportError, ImproperlyConfigured):
        # Its driver is not installed, which takes nothing from the migrations.
        return vendor_of_engine(str(connections.settings[alias]["ENGINE"]))
    return vendor if vendor in _VENDORS else UNKNOWN


def _swappable_models() -> dict[str, str]:
    """Setting -> the model it names, for all that installed models can be swapped by."""
    from django.apps import apps
    from django.conf import settings

    found = {"AUTH_USER_MODEL": str(settings.AUTH_USER_MODEL)}
    for model in apps.get_models(include_swapped=True):
        setting = model._meta.swappable
        if setting:
            found[setting] = str(getattr(settings, setting, None) or model._meta.label)
    return found


def _source_roots() -> tuple[Path, ...]:
    """Where Python's imports resolve, the deepest folders first."""
    roots = dict.fromkeys(Path(os.path.abspath(folder)) for folder in installed_source_paths())
    roots |= dict.fromkeys([Path.cwd()] if "" in sys.path else [])
    return tuple(sorted(roots, key=lambda folder: -len(folder.parts)))


def apps_at(apps: Iterable[LoadedApp], paths: Mapping[str, str]) -> tuple[App, ...]:
    """`apps` as values; `paths` are their migrations folders, by label."""
    return tuple(App(label=app.label, path=paths[app.label], default_auto_field=app.default_auto_field) for app in apps)


def read_project(
    layout: LayoutLike,
    options: ReadOptions,
    loaded: Mapping[Path, LoadedMigration],
    apps: Sequence[LoadedApp],
    routers: Routers | None = None,
) -> Project:
    """The project of `layout`, whose files Django has imported as `loaded`.

    A file that Django has not imported, or whose bytes are others by now, is read from its source.
    """
    context = ReadContext(layout, options)
    context.labels |= {app.app_folder: app.label for app in apps}
    overlay = dict(options.overlay)
    migrations: list[Migration] = []
    unread: list[UnreadFile] = list(layout.problems)
    for file in layout.files:
        found = _read(file, loaded.get(file.file), overlay, context, routers)
        if isinstance(found, UnreadFile):
            unread.append(found)
        elif found is not None:
            migrations.append(found)
    swappable = dict(layout.swappable)
    for migration in migrations:
        swappable |= _swappable_in(migration, swappable)
    return Project(
        apps=tuple(layout.apps),
        migrations=tuple(migrations),
        unread=tuple(sorted(unread, key=lambda file: file.path)),
        swappable=tuple(sorted(swappable.items())),
        vendor=layout.vendor,
        default_auto_field=layout.default_auto_field,
    )


def _read(
    file: FileLike,
    loaded: LoadedMigration | None,
    overlay: Mapping[Path, bytes],
    context: ReadContext,
    routers: Routers | None,
) -> Migration | UnreadFile | None:
    source: bytes | None = None
    if loaded is None or loaded.source is not None:
        try:
            source = read_source(file.place, overlay)
        except SourceError as error:
            return UnreadFile(file.path, file.app_label, file.name, error.reason, error.span)
    if loaded is not None and source == loaded.source:
        return read_migration(loaded.migration, file, source, context, routers)
    assert source is not None
    found = read_source_of(file, source, context)
    if routers is not None and isinstance(found, Migration):
        return replace(found, operations=routers.all_routed(found.operations, found.app_label))
    return found


def _swappable_in(migration: Migration, known: Mapping[str, str]) -> dict[str, str]:
    """The settings of models that can be swapped and are in the migrations alone."""
    from django.conf import settings

    return {
        setting: str(getattr(settings, setting, None) or f"{migration.app_label}.{operation.name}")
        for operation in _all(migration.operations)
        if isinstance(operation, CreateModel)
        and isinstance(setting := operation.options.swappable, str)
        and setting not in known
    }


def _all(operations: Iterable[Operation]) -> Iterable[Operation]:
    for operation in operations:
        yield operation
        for name in ("database_operations", "state_operations"):
            yield from _all(getattr(operation, name, ()))

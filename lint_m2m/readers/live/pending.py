"""The migrations that makemigrations would write now, without writing them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lint_m2m.errors import LintM2MError
from lint_m2m.readers.live.loading import Loaded, LoadedApp, LoadedMigration
from lint_m2m.values import frozen, replace


@frozen
class Pending:
    """Migrations that are not there yet, and what makemigrations would have asked: how that was answered for it.

    `state` is the project's that they start from, as Django's autodetector had it.
    """

    migrations: tuple[LoadedMigration, ...]
    assumed: tuple[str, ...] = ()
    state: Any = None

    @property
    def overlay(self) -> Mapping[Path, bytes]:
        return {one.file: one.source for one in self.migrations if one.source is not None}


def pending() -> Pending:
    """What Django's autodetector finds between the migrations and the models of all apps.

    LintM2MError where makemigrations could not write either: migrations that do not load, or have several ends.
    """
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState
    from django.utils.translation import override

    assumed: list[str] = []
    try:
        # Names and labels are written down: in no language, as in makemigrations.
        with override(None):
            loader = MigrationLoader(None, ignore_no_migrations=True)
            conflicts = loader.detect_conflicts()
            if conflicts:
                label, names = min(conflicts.items())
                raise LintM2MError(
                    f"makemigrations writes nothing while `{label}` has several leaf migrations, "
                    f"{' and '.join(f'`{name}`' for name in sorted(names))}: merge them first "
                    "(`makemigrations --merge`)"
                )
            state = loader.project_state()
            detector = MigrationAutodetector(state, ProjectState.from_apps(apps), _questioner(assumed))
            changes = detector.changes(graph=loader.graph)
            found = [_written(migration) for label in sorted(changes) for migration in changes[label]]
    except LintM2MError:
        raise
    except (Exception, SystemExit) as error:
        raise LintM2MError(
            f"makemigrations cannot tell what to write, because Django raises {type(error).__name__}: {error}"
        ) from error
    return Pending(migrations=tuple(found), assumed=tuple(dict.fromkeys(assumed)), state=state)


def with_pending(loaded: Loaded, pending: Pending) -> Loaded:
    """`loaded` as it would be with the pending migrations in their folders."""
    from django.apps import apps

    known = {app.label for app in loaded.apps}
    new = {one.app_label: one.file.parent for one in pending.migrations if one.app_label not in known}
    more = (
        LoadedApp(
            label=label,
            folder=folder,
            app_folder=Path(apps.get_app_config(label).path),
            default_auto_field=apps.get_app_config(label).default_auto_field,
        )
        for label, folder in new.items()
    )
    return replace(
        loaded,
        apps=tuple(sorted((*loaded.apps, *more), key=lambda app: app.label)),
        migrations=(*loaded.migrations, *pending.migrations),
    )


def _written(migration: Any) -> LoadedMigration:
    from django.db.migrations.writer import MigrationWriter

    # The header has the time in it.
    writer = MigrationWriter(migration, include_header=False)
    return LoadedMigration(
        app_label=migration.app_label,
        name=migration.name,
        file=Path(os.path.abspath(writer.path)),
        source=writer.as_string().encode("utf-8"),
        migration=migration,
    )


def _questioner(assumed: list[str]) -> Any:
    """Answers what makemigrations would ask at a terminal, and notes that in `assumed`."""
    from django.db.migrations.questioner import MigrationQuestioner
    from django.utils import timezone

    class Assuming(MigrationQuestioner):  # type: ignore[misc]
        def ask_not_null_addition(self, field_name: str, model_name: str) -> None:
            field = f"{model_name}.{field_name}"
            assumed.append(f"`{field}` is new and not null: `default=None` stands for the value that old rows get")

        def ask_not_null_alteration(self, field_name: str, model_name: str) -> Any:
            from django.db.models import NOT_PROVIDED

            assumed.append(f"`{model_name}.{field_name}` becomes not null: no old row is taken to have a null")
            return NOT_PROVIDED

        def ask_auto_now_add_addition(self, field_name: str, model_name: str) -> Any:
            assumed.append(f"`{model_name}.{field_name}` is new: old rows get the present time")
            return timezone.now

        def ask_unique_callable_default_addition(self, field_name: str, model_name: str) -> None:
            assumed.append(
                f"`{model_name}.{field_name}` is new and unique: rows that are there get values of their own"
            )

        def ask_rename(self, model_name: str, old_name: str, new_name: str, field_instance: Any) -> bool:
            assumed.append(f"`{model_name}.{old_name}` is removed and `{new_name}` is new: it is not renamed")
            return False

        def ask_rename_model(self, old_model_state: Any, new_model_state: Any) -> bool:
            label, old, new = old_model_state.app_label, old_model_state.name, new_model_state.name
            assumed.append(f"`{label}.{old}` is deleted and `{new}` is new: it is not renamed")
            return False

    return Assuming()

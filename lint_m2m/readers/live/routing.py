"""Database routers: what of a migration runs on one database.

Django asks the routers in each operation's database side, never in its state side (``Operation.allow_migrate_model``,
``RunPython.database_forwards``, ``RunSQL.database_forwards``). A model that a database does not take is to that
database what an unmanaged one is: ``allow_migrate_model`` asks ``can_migrate`` and the routers in one breath.
"""

from __future__ import annotations

from typing import Any

from lint_m2m.errors import LintM2MError
from lint_m2m.migration import (
    AlterModelOptions,
    CreateModel,
    NoDatabaseChange,
    Operation,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from lint_m2m.values import replace


def databases() -> tuple[str, ...]:
    """The databases that migrations may differ on: without routers all get the same, so that one stands for them."""
    from django.conf import settings
    from django.db import DEFAULT_DB_ALIAS, connections

    return tuple(connections) if settings.DATABASE_ROUTERS else (DEFAULT_DB_ALIAS,)


def routers_of(alias: str) -> Routers | None:
    """The routers' word on a database; None where there are none."""
    from django.conf import settings

    return Routers(alias) if settings.DATABASE_ROUTERS else None


class Routers:
    """What the project's routers let run on the database `alias`."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._models: dict[tuple[str, str], bool] = {}

    def routed(self, operation: Operation, app_label: str, hints: dict[str, Any]) -> Operation:
        """`operation` as it runs on the database; those in it are routed already."""
        match operation:
            case CreateModel() if not self._takes_model(app_label, operation.name):
                return replace(operation, options=replace(operation.options, managed=False))
            case AlterModelOptions() if not self._takes_model(app_label, operation.name):
                return replace(operation, managed=False)
            case RunPython() if not self._takes(app_label, hints):
                return NoDatabaseChange(span=operation.span)
            case RunSQL() if not self._takes(app_label, hints):
                return SeparateDatabaseAndState(state_operations=operation.state_operations, span=operation.span)
        return operation

    def all_routed(self, operations: tuple[Operation, ...], app_label: str) -> tuple[Operation, ...]:
        """Operations of which only the source is known, those in them as well: they have no hints."""
        routed = []
        for operation in operations:
            inner: dict[str, Any] = {
                name: self.all_routed(getattr(operation, name), app_label)
                for name in ("database_operations", "state_operations")
                if hasattr(operation, name)
            }
            routed.append(self.routed(replace(operation, **inner) if inner else operation, app_label, {}))
        return tuple(routed)

    def _takes_model(self, app_label: str, name: str) -> bool:
        key = app_label, name.lower()
        if key not in self._models:
            self._models[key] = self._takes(app_label, {"model_name": name.lower(), "model": _model(app_label, name)})
        return self._models[key]

    def _takes(self, app_label: str, hints: dict[str, Any]) -> bool:
        from django.db import router

        try:
            return bool(router.allow_migrate(self.alias, app_label, **hints))
        except Exception as error:
            what = f"{app_label}.{hints['model_name']}" if "model_name" in hints else app_label
            raise LintM2MError(
                f"a database router raises {type(error).__name__} when it is asked about `{what}` on `{self.alias}`: "
                f"{error}"
            ) from error


def _model(app_label: str, name: str) -> Any:
    """The model for a router that looks at more than its name; one that is gone from models.py is a bare class."""
    from django.apps import apps
    from django.apps.registry import Apps
    from django.db import models

    try:
        return apps.get_model(app_label, name)
    except LookupError:
        meta = type("Meta", (), {"app_label": app_label, "apps": Apps()})
        return type(name, (models.Model,), {"__module__": f"{app_label}.models", "Meta": meta})

"""The Django app: ``"lint_m2m"`` in INSTALLED_APPS brings the management commands, and system checks."""

from __future__ import annotations

import sys
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

TAG: Final = "lint_m2m"


class LintM2MConfig(AppConfig):  # type: ignore[misc]
    """It has no models, and loads nothing of the checker before somebody asks for it."""

    name = "lint_m2m"
    verbose_name = "lint-m2m"

    def ready(self) -> None:
        register(check_settings, TAG)
        register(check_pending, TAG)


def check_settings(**_: Any) -> list[CheckMessage]:
    """What keeps `makemigrations` from writing the safe form though it is meant to."""
    from lint_m2m.prevention.checks import settings_and_command

    return settings_and_command()


def check_pending(**_: Any) -> list[CheckMessage]:
    """The fields whose `through=` differs between models and migrations; nothing unless the tag is asked for.

    It loads all migrations, so it is not for every command. Django lets a check be off only until ``--deploy``, and
    does not tell it for which tags it runs: `run_checks`, which calls it, knows them.
    """
    if TAG not in (sys._getframe(1).f_locals.get("tags") or ()):
        return []
    from lint_m2m.prevention.checks import pending_changes

    return pending_changes()

"""System checks: about the settings, about who provides `makemigrations`, and whether a through change is pending."""

from __future__ import annotations

from typing import Any, Final

from django.core.checks import CheckMessage, Error, Warning
from django.core.management import get_commands, load_command_class

from lint_m2m.prevention.options import makemigrations_is_safe, problems

COMMAND: Final = "makemigrations"


def settings_and_command() -> list[CheckMessage]:
    """Cheap, and always on: what keeps `makemigrations` from being safe though it is meant to be."""
    found: list[CheckMessage] = [Error(problem, id="lint_m2m.E001") for problem in problems()]
    provider = get_commands()[COMMAND]
    if makemigrations_is_safe() and provider != "lint_m2m" and not getattr(_command(), "writes_safe_m2m", False):
        found.append(
            Warning(
                f"`makemigrations` is `{provider}`'s, so it does not write the safe form of many-to-many changes.",
                hint=f"Put `lint_m2m` before `{provider}` in INSTALLED_APPS: it builds on the command of that. Or set "
                '`LINT_M2M = {"MAKEMIGRATIONS": False}`.',
                id="lint_m2m.W002",
            )
        )
    return found


def pending_changes() -> list[CheckMessage]:
    """A warning for each field whose `through=` differs between models and migrations."""
    from lint_m2m.errors import LintM2MError
    from lint_m2m.prevention.changes import Changes, through_changes
    from lint_m2m.readers.live.pending import pending

    try:
        found = pending()
    except LintM2MError as error:
        return [Warning(f"Models and migrations cannot be compared: {error}", id="lint_m2m.W003")]
    changes: Changes = {}
    for one in found.migrations:
        changes.setdefault(one.app_label, []).append(one.migration)
    return [
        Warning(
            f"{change}, and no migration says so.",
            hint="`makemigrations` writes a migration for it that keeps the links."
            if makemigrations_is_safe()
            else "Not every migration for it keeps the links: `lint-m2m plan` shows those that do.",
            obj=f"{change.app_label}.{change.model}.{change.name}",
            id="lint_m2m.W001",
        )
        for change in through_changes(found.state, changes)
    ]


def _command() -> Any:
    return load_command_class(get_commands()[COMMAND], COMMAND)

"""The Django app: ``"lint_m2m"`` in INSTALLED_APPS brings the management command, and nothing else at start-up."""

from __future__ import annotations

from django.apps import AppConfig


class LintM2MConfig(AppConfig):  # type: ignore[misc]
    """It has no models, and loads nothing of the checker before somebody asks for it."""

    name = "lint_m2m"
    verbose_name = "lint-m2m"

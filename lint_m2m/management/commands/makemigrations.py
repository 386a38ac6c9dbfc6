"""``manage.py makemigrations``: where a field gains, loses or swaps `through=`, the migration is safe.

It is built on the command that would be in force without this app, so that other packages' keep working; for that,
``lint_m2m`` stands before them in INSTALLED_APPS.
"""

from __future__ import annotations

from lint_m2m.prevention.command import SafeThroughMixin, base_command


class Command(SafeThroughMixin, base_command()):  # type: ignore[misc]
    pass

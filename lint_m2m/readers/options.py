"""What a user may tell the readers; `config` produces it from ``[tool.lint-m2m]``."""

from __future__ import annotations

from pathlib import Path

from lint_m2m.values import frozen


@frozen
class ReadOptions:
    """Everything a reader may be told. Whatever is said here wins over what the project's own files say.

    Pairs, not dictionaries, so that the value hashes and travels between processes.
    """

    # Globs as in .gitignore, relative to the root: "build/", "/vendor", "**/old_*", "!vendor/keep".
    exclude: tuple[str, ...] = ()
    # Label -> dotted module of the migrations package, as in MIGRATION_MODULES; "" or "None" means: no migrations.
    migration_modules: tuple[tuple[str, str], ...] = ()
    # Folder of the app (relative to the root, forward slashes) or its dotted package name -> label.
    app_labels: tuple[tuple[str, str], ...] = ()
    # Setting -> model: ("AUTH_USER_MODEL", "accounts.User").
    swappable: tuple[tuple[str, str], ...] = ()
    # Dotted class -> "auto", or "app.Model" for a class whose default through model that is.
    many_to_many_fields: tuple[tuple[str, str], ...] = ()
    # Dotted class -> name of the Django operation that it is ("AlterField").
    operations: tuple[tuple[str, str], ...] = ()
    # postgresql, mysql, sqlite or oracle; None: what the project's settings say.
    database: str | None = None
    # Further folders where absolute imports may be resolved: the site-packages of the installed environment.
    source_paths: tuple[Path, ...] = ()
    # File (absolute) -> bytes that count instead of what is on disk, or in the place of a file that is not there yet.
    overlay: tuple[tuple[Path, bytes], ...] = ()

"""What of the configuration the readers are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lint_m2m.config.selection import relative_globs
from lint_m2m.config.values import Config
from lint_m2m.readers.options import ReadOptions


def read_options(config: Config, root: Path) -> ReadOptions:
    """`config` in the readers' terms, with the folders where the project's installed packages may lie."""
    return ReadOptions(
        exclude=tuple(relative_globs(config.exclude, config, root)),
        migration_modules=config.migration_modules,
        app_labels=config.app_labels,
        swappable=config.swappable,
        many_to_many_fields=config.many_to_many_fields,
        operations=config.operations,
        database=config.database,
        source_paths=installed_packages(root),
    )


def installed_packages(root: Path) -> tuple[Path, ...]:
    """The site-packages of the project's virtual environment, of the active one, and of this interpreter.

    They are only ever read: the sources of third-party fields and operations say what those are.
    """
    found: list[Path] = []
    for environment in (root / ".venv", root / "venv", Path(os.environ.get("VIRTUAL_ENV", ""))):
        if environment == Path() or not os.path.isfile(environment / "pyvenv.cfg"):
            continue
        found += sorted(environment.glob("lib/python*/site-packages"))
        found += [environment / "Lib" / "site-packages"]
    found += [Path(entry) for entry in sys.path if os.path.basename(entry) in ("site-packages", "dist-packages")]
    # pathlib raises where a folder above may not be entered.
    return tuple(dict.fromkeys(path for path in found if os.path.isdir(path)))

"""Where `check` keeps what it found: `--cache-dir`, `--no-cache`, and the folders that are taken without them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lint_m2m.config import Config, Source
from lint_m2m.errors import UsageError
from lint_m2m.roots import marked_root

if TYPE_CHECKING:
    from lint_m2m.cache import Cache


def cache_of(arguments: argparse.Namespace, config: Config, root: Path) -> Cache | None:
    """The cache for a check of `root`; None where none is wanted, or there is no place for one.

    Its key lies where the project's files cannot bring one along: in the user's own folder for such things, or beside
    the entries where the command line puts them outside of the project, and of any repository: a project may be a
    folder of one that has more in it.
    """
    if arguments.no_cache and arguments.cache_dir is not None:
        raise UsageError("`--cache-dir` and `--no-cache` exclude each other")
    if config.no_cache and arguments.cache_dir is None:
        return None
    from lint_m2m.cache import FOLDER, Cache

    if config.cache_dir is None:
        # A folder that nobody calls a project is not written to.
        return _own(root / FOLDER) if marked_root(root) == root else None
    folder = Path(os.path.abspath(config.cache_dir))
    if config.origin("cache-dir").source is Source.COMMAND_LINE and not _may_be_brought(folder, root):
        return Cache(folder, folder)
    return _own(folder)


def _own(folder: Path) -> Cache:
    from platformdirs import user_cache_path

    from lint_m2m.cache import Cache

    return Cache(folder, user_cache_path("lint-m2m", appauthor=False))


def _may_be_brought(folder: Path, root: Path) -> bool:
    """Whether what is in `folder` may have come with the project's files."""
    real = Path(os.path.realpath(folder))
    around = (real, *real.parents)
    return Path(os.path.realpath(root)) in around or any(os.path.lexists(one / ".git") for one in around)

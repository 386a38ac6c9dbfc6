"""``manage.py lint_m2m``: the check of ``lint-m2m check``, of the migrations as Django itself loads them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lint_m2m.cli import check
from lint_m2m.cli.streams import complain
from lint_m2m.engine.live import LiveReader, is_installed, spelled
from lint_m2m.errors import LintM2MError, NoMigrationsError, UsageError
from lint_m2m.readers.live.loading import Loaded, load
from lint_m2m.readers.live.pending import Pending, pending, with_pending
from lint_m2m.readers.live.project import facts
from lint_m2m.roots import find_root, marked_root

EXIT_CANNOT = 2


class Command(BaseCommand):  # type: ignore[misc]
    """Exit status 0: nothing to complain of; 1: findings (SystemExit); 2: could not check (CommandError)."""

    help = "Reports many-to-many changes in migrations that fail, lose rows or disagree with the database."
    # What a check could find is no reason not to look at the migrations.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths",
            metavar="APP_OR_PATH",
            nargs="*",
            help="an app's label, an app, a migrations folder or files (default: the whole project)",
        )
        loading = parser.add_argument_group("migrations")
        loading.add_argument("--pending", action="store_true", help="also check what makemigrations would write now")
        loading.add_argument(
            "--all-apps", action="store_true", help="also report on installed packages, which are only read otherwise"
        )
        loading.add_argument(
            "--database", metavar="ALIAS", help="the database to check for (default: all that routers tell apart)"
        )
        # `-v` is Django's: 0 is `--quiet`, and from 2 on it is `--verbose`.
        check.add_options(parser, verbose=("--verbose",))

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = _arguments(options)
        # The streams that `call_command` was given, without what Django adds: colours and line ends.
        with redirect_stdout(self.stdout._out), redirect_stderr(self.stderr._out):
            try:
                status = _run(arguments)
            except LintM2MError as error:
                raise CommandError(str(error), returncode=EXIT_CANNOT) from error
            except Exception as error:
                if options["traceback"]:
                    raise
                raise CommandError(
                    f"internal error: {type(error).__name__}: {error}; please report it, `--traceback` shows where it "
                    "came from",
                    returncode=EXIT_CANNOT,
                ) from error
        if status:
            sys.exit(status)


def _arguments(options: dict[str, Any]) -> argparse.Namespace:
    """The options, Django's own in terms of lint-m2m's."""
    arguments = argparse.Namespace(**options)
    verbosity = options["verbosity"]
    arguments.quiet = arguments.quiet or (verbosity == 0 and not arguments.verbose) or None
    arguments.verbose = arguments.verbose or (verbosity > 1 and not arguments.quiet) or None
    if options["no_color"]:
        arguments.color = arguments.color or "never"
    elif options["force_color"]:
        arguments.color = arguments.color or "always"
    return arguments


def _run(arguments: argparse.Namespace) -> int:
    from django.db import connections

    if arguments.database is not None and arguments.database not in connections:
        names = ", ".join(f"`{alias}`" for alias in connections)
        raise UsageError(f"there is no database `{arguments.database}` in DATABASES, only {names}")
    if arguments.pending and (arguments.fix or arguments.diff):
        raise UsageError("`--fix` and `--diff` change files, and what `--pending` looks at is in none yet")
    thought_of = Pending(migrations=(), assumed=())
    loaded = load()
    if arguments.pending:
        if loaded.broken:
            broken = loaded.broken[0]
            raise LintM2MError(
                f"`--pending` needs migrations that Django can import: `{broken.app_label}.{broken.name}`: "
                f"{broken.reason}"
            )
        thought_of = pending()
        loaded = with_pending(loaded, thought_of)
    root = _root(loaded, all_apps=arguments.all_apps)
    reader = LiveReader(
        loaded,
        facts(arguments.database),
        all_apps=arguments.all_apps,
        overlay=thought_of.overlay,
    )
    if arguments.pending and not arguments.quiet:
        _tell(thought_of, root)
    paths = _paths(arguments.paths, root, loaded, all_apps=arguments.all_apps)
    return check.run_on(paths, arguments, reader=reader, django_version=django.VERSION[:2])


def _tell(thought_of: Pending, root: Path) -> None:
    """What is checked that nobody sees."""
    own = [path for one in thought_of.migrations if not is_installed(path := spelled(one.file, root))]
    complain(f"makemigrations would write {', '.join(own) or 'nothing'}")
    for answer in thought_of.assumed if own else ():
        complain(f"where it would ask: {answer}")


def _root(loaded: Loaded, *, all_apps: bool) -> Path:
    """The project's root: that of the current folder, if the project's own apps are in it, else that of the apps.

    NoMigrationsError when no app is the project's own, and nobody asks for those of others.
    """
    here = marked_root(Path.cwd())
    folders = [app.folder for app in loaded.apps]
    if here is not None and any(not is_installed(spelled(folder, here)) for folder in folders):
        return here
    own = [folder for folder in folders if not is_installed(folder.as_posix())]
    if own:
        return find_root(Path(os.path.commonpath(own)))
    if all_apps and folders:
        return here or Path.cwd()
    hint = "; `--all-apps` reports on installed packages as well" if folders else ""
    raise NoMigrationsError(f"no app of the project has migrations{hint}")


def _paths(given: Iterable[str], root: Path, loaded: Loaded, *, all_apps: bool) -> list[Path]:
    """What to report on: paths, or apps by their labels."""
    from django.apps import apps

    folders = {app.label: app.folder for app in loaded.apps}
    paths: list[Path] = []
    for name in given:
        if os.path.lexists(name):
            paths.append(Path(name))
        elif name in folders:
            if is_installed(spelled(folders[name], root)) and not all_apps:
                raise UsageError(f"`{name}` is an installed package: `--all-apps` reports on those as well")
            paths.append(folders[name])
        elif name in apps.app_configs:
            raise NoMigrationsError(f"the app `{name}` has no migrations")
        else:
            raise UsageError(f"there is no app `{name}`, and no file or folder of that name")
    return paths or [root]

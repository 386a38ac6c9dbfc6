"""What `makemigrations` does more than the command that it is built on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.management import find_commands
from django.core.management.commands import makemigrations

from lint_m2m.prevention.changes import Changes, ThroughChange, through_changes, watching
from lint_m2m.prevention.options import makemigrations_is_safe

if TYPE_CHECKING:
    from lint_m2m.prevention.safe import Mended

NAME = "makemigrations"
APP = "lint_m2m"


def base_command() -> type[Any]:
    """The command that would be `makemigrations` without this app: of the first app after it that has one, or Django's.

    An app that stands before this one has its own way: its command is in force, not this one.
    """
    names = [one.name for one in apps.get_app_configs()] if apps.apps_ready else []
    for config in list(apps.get_app_configs())[names.index(APP) + 1 :] if APP in names else []:
        if NAME in find_commands(str(Path(config.path) / "management")):
            found: type[Any] = import_module(f"{config.name}.management.commands.{NAME}").Command
            return found
    return makemigrations.Command  # type: ignore[no-any-return]


class SafeThroughMixin:
    """Makes a `makemigrations` command write the safe form of what changes a field's `through=`."""

    # How the system check knows that whatever command is in force is built on this.
    writes_safe_m2m = True

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)  # type: ignore[misc]
        parser.add_argument(
            "--no-safe-m2m",
            action="store_false",
            dest="safe_m2m",
            help="Write migrations that add, remove or swap through= as Django does.",
        )

    def handle(self, *app_labels: str, **options: Any) -> Any:
        self._through: tuple[ThroughChange, ...] = ()
        self._autodetector: Any = None
        if not (options.pop("safe_m2m", True) and makemigrations_is_safe()):
            return super().handle(*app_labels, **options)  # type: ignore[misc]
        with self._watched():
            return super().handle(*app_labels, **options)  # type: ignore[misc]

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Take note of what the autodetector finds."""

        command: Any = self

        def note(autodetector: Any, changes: Changes) -> None:
            self._autodetector = autodetector
            try:
                self._through = through_changes(autodetector.from_state, changes)
            except Exception as error:
                # Whatever is wrong here, Django's own command goes on working.
                reason = f"{type(error).__name__}: {error}"
                command.stderr.write(f"lint-m2m: an internal error, please report it: {reason}", command.style.WARNING)

        if hasattr(command, "autodetector"):
            command.autodetector = watching(command.autodetector, note)
            yield
            return
        # Before Django 5.2 a command cannot say which one it wants.
        theirs = makemigrations.MigrationAutodetector
        makemigrations.MigrationAutodetector = watching(theirs, note)
        try:
            yield
        finally:
            makemigrations.MigrationAutodetector = theirs

    def write_migration_files(self, changes: Changes, *rest: Any, **named: Any) -> None:
        """Write the safe form of `changes`, which hold it afterwards: others look there for what was written."""
        write: Any = super().write_migration_files  # type: ignore[misc]
        if not self._through:
            write(changes, *rest, **named)
            return
        # The checker is loaded when there is something for it to do, which is seldom.
        from lint_m2m.prevention.texts import writing

        replaced: dict[str, str] | None = rest[0] if rest else named.get("update_previous_migration_paths")
        mended = self._mended(dict(changes), replaced)
        changes.clear()
        changes.update(mended.changes)
        with writing(mended.texts):
            if replaced:
                # Each file would take the place of the one that is updated: only the first one does.
                first = {label: some[:1] for label, some in changes.items() if label in replaced}
                write(first, *rest, **named)
                further = {label: some[len(first.get(label, ())) :] for label, some in changes.items()}
                if any(further.values()):
                    write({label: some for label, some in further.items() if some})
            else:
                write(changes, *rest, **named)
        self._tell(mended)

    def _mended(self, changes: Changes, replaced: dict[str, str] | None) -> Mended:
        from lint_m2m.prevention.asking import Chooser
        from lint_m2m.prevention.safe import mend

        command: Any = self
        state = self._autodetector.from_state
        if replaced:
            from django.db.migrations.loader import MigrationLoader

            # What is on disk last is merged into the new migration: it starts from what was before.
            nodes = [(label, Path(path).stem) for label, path in replaced.items()]
            state = MigrationLoader(None, ignore_no_migrations=True).project_state(nodes, at_end=False)
        return mend(
            changes,
            self._through,
            state,
            Chooser(self._autodetector.questioner, dry_run=command.dry_run),
            include_header=command.include_header,
            replaced=replaced,
        )

    def _tell(self, mended: Mended) -> None:
        from lint_m2m.prevention.telling import told, warned

        command: Any = self
        encoding = getattr(command.log_output, "encoding", None) or "utf-8"
        if command.verbosity >= 1:
            for line in told(mended, encoding, dry_run=command.dry_run):
                command.log(line)
        for line in warned(mended, getattr(command.stderr, "encoding", None) or "utf-8"):
            command.stderr.write(line, command.style.WARNING)

"""The static reader: migration files to `Migration` values, without running or importing anything.

`read_projects` is all that the engine needs. `read_migration` is a function of one file's bytes and of the context
(layout, options, and the other files of the project), so that caches and processes can be put around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, TypeAlias

from lint_m2m.migration import Migration, Project, ReaderGap, Span, UnreadFile
from lint_m2m.readers.context import FileLike, LayoutLike, ReadContext, Session, session_of
from lint_m2m.readers.django_names import MIGRATION_CLASSES
from lint_m2m.readers.evaluate import TooMuch
from lint_m2m.readers.migrations import either, is_migration, not_a_class, read_class
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.plain import read_plain
from lint_m2m.readers.source import SourceError, decode, parse_tolerant, read_source, refuse_too_long, speaks_of_us
from lint_m2m.readers.values import Choice, ClassValue, Ref
from lint_m2m.readers.workers import read_all

__all__ = ["ReadContext", "read_migration", "read_project", "read_projects", "read_tree"]

# What is in a file, and whether it may speak of lint-m2m.
_Found: TypeAlias = tuple[Migration | UnreadFile | None, bool]

# ``from django.db.migrations import Migration`` and no class: Django takes that for an empty migration.
ONLY_IMPORTED: Final = ReaderGap("it imports Django's Migration class and has none itself", "whether it is one", None)


def read_project(
    layout: LayoutLike,
    options: ReadOptions,
    jobs: int = 1,
    *,
    brief: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> Project:
    """Every migration of the project, in the order of `layout.files`; see `read_projects`."""
    return read_projects((layout,), options, jobs, brief=brief, meanwhile=meanwhile)[0]


def read_projects(
    layouts: Sequence[LayoutLike],
    options: ReadOptions,
    jobs: int = 1,
    *,
    brief: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Project]:
    """The projects that are laid out so, read together. Never raises for what is in the files.

    `jobs` is how many processes may read at the same time. `brief`: many operations of files without comments for
    lint-m2m are only `Recognised`; `whole.Whole` reads the rest. `meanwhile`: see `read_all`.

    A file that Django's loader would import and refuse is among `Project.unread`: one that cannot be parsed, and one
    without a Migration class beside others that have one (BadMigrationError). An app none of whose files has one is no
    app with migrations (Alembic's or South's folders are called the same) and is left out.
    """
    contexts = [ReadContext(layout, options) for layout in layouts]
    overlay = dict(options.overlay)

    def read(place: tuple[ReadContext, FileLike]) -> _Found:
        context, file = place
        try:
            source = read_source(file.place, overlay)
        except SourceError as error:
            return UnreadFile(file.path, file.app_label, file.name, error.reason, error.span), True
        speaks = speaks_of_us(source)
        # Comments may be about any operation.
        return read_migration(file, source, context, brief=brief and not speaks), speaks

    projects = list(zip(contexts, layouts, strict=True))
    places = [(context, file) for context, layout in projects for file in layout.files]
    found = iter(read_all(places, read, jobs, meanwhile))
    return [_project(context, layout, islice(found, len(layout.files))) for context, layout in projects]


def _project(context: ReadContext, layout: LayoutLike, found: Iterable[_Found]) -> Project:
    """The project that the files of `layout` are, where `found` is what is in each."""
    migrations: list[Migration] = []
    unread: list[UnreadFile] = list(layout.problems)
    empty: list[FileLike] = []
    silent: list[str] = []
    for file, (result, speaks) in zip(layout.files, found, strict=True):
        if not speaks:
            silent.append(file.path)
        if result is None:
            empty.append(file)
        elif isinstance(result, UnreadFile):
            unread.append(result)
        else:
            migrations.append(result)
    labels = {migration.app_label for migration in migrations if migration.gaps != (ONLY_IMPORTED,)}
    migrations = [migration for migration in migrations if migration.app_label in labels]
    reason = "it has no Migration class, so Django refuses to load any migration (BadMigrationError)"
    unread += [
        UnreadFile(file.path, file.app_label, file.name, reason, None) for file in empty if file.app_label in labels
    ]
    labels |= {file.app_label for file in unread}
    return Project(
        apps=tuple(app for app in layout.apps if app.label in labels),
        migrations=tuple(migrations),
        unread=tuple(sorted(unread, key=lambda file: file.path)),
        swappable=tuple(sorted(context.swappable.items())),
        silent=frozenset(silent),
        vendor=layout.vendor,
        default_auto_field=layout.default_auto_field,
    )


def read_migration(
    file: FileLike, source: bytes, context: ReadContext, *, brief: bool = False
) -> Migration | UnreadFile | None:
    """The migration in `source`, the bytes of `file`; None when it has no Migration class."""
    try:
        text = decode(source)
        refuse_too_long(text)
        return read_plain(file, text, context, brief=brief) or read_tree(file, text, context)
    except SourceError as error:
        return UnreadFile(file.path, file.app_label, file.name, error.reason, error.span)


def read_tree(file: FileLike, text: str, context: ReadContext) -> Migration | UnreadFile | None:
    """The same from the tree of `text`, whatever is written there; SourceError where it cannot be parsed."""
    return read_in(session_in(file, text, context), file)


def open_session(file: FileLike, source: bytes, context: ReadContext) -> Session | UnreadFile:
    """What it takes to read `source`, the bytes of `file`: its parsed module, and room for what cannot be read."""
    try:
        return session_in(file, decode(source), context)
    except SourceError as error:
        return UnreadFile(file.path, file.app_label, file.name, error.reason, error.span)


def session_in(file: FileLike, text: str, context: ReadContext) -> Session:
    """A session in the module that `text` is, the text of `file`; SourceError where it cannot be parsed."""
    parsed = parse_tolerant(text)
    session = session_of(file, parsed, context)
    for lost in parsed.lost:
        session.gap(
            f"lines {lost.first} to {lost.last} are not Python that this interpreter knows ({lost.reason})",
            "what is defined there",
            None,
        )
    return session


def read_in(session: Session, file: FileLike) -> Migration | UnreadFile | None:
    """The migration in the module of `session`; None when it has no Migration class."""
    try:
        return _read(session, file)
    except TooMuch as error:
        return UnreadFile(file.path, file.app_label, file.name, error.reason, None)
    except RecursionError:
        return UnreadFile(file.path, file.app_label, file.name, "it is nested too deep to follow", None)


def _read(session: Session, file: FileLike) -> Migration | UnreadFile | None:
    value = session.interpreter.module_attribute(session.module, "Migration")
    if value is None:
        return _lost(session, file)
    if isinstance(value, ClassValue):
        return read_class(session, value, file) if is_migration(session, value) else None
    if isinstance(value, Ref) and value.path in MIGRATION_CLASSES:
        return Migration(app_label=file.app_label, name=file.name, path=file.path, gaps=(ONLY_IMPORTED,))
    if isinstance(value, Choice):
        classes = [branch for branch in value.branches if isinstance(branch, ClassValue)]
        if classes and len(classes) == len(value.branches) and all(is_migration(session, cls) for cls in classes):
            migration = read_class(session, classes[0], file)
            for cls in classes[1:]:
                migration = either(session, migration, read_class(session, cls, file), value.reason)
            return migration
    return UnreadFile(file.path, file.app_label, file.name, not_a_class(value), None)


def _lost(session: Session, file: FileLike) -> UnreadFile | None:
    """What is said of a module without a Migration class: nothing, unless a part of it could not be parsed."""
    lost = session.module.parsed.lost
    if not lost:
        return None
    span = Span(lost[0].first, 1, lost[0].first, 1)
    return UnreadFile(file.path, file.app_label, file.name, lost[0].reason, span)

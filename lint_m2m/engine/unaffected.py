"""Edits of migrations that no finding can come or go with: of plain columns, of comments, of the layout of the text.

Most edits are such. Where nothing else is different in the files that have changed since a check, what came out of it
still holds. What counts as plain is drawn tight: a column of one of Django's own classes, on a model that cannot have
to do with a link table, under a name that no relation of the app has ever had.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from lint_m2m.finding import Finding
from lint_m2m.looks import digest
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterTogether,
    App,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    Field,
    FieldKind,
    Maybe,
    Migration,
    Operation,
    Project,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnreadFile,
)
from lint_m2m.readers.options import ReadOptions

# Operations of which everything is in their values; code and SQL are not among them.
_TOLD: Final = frozenset(
    {AddConstraint, AddField, AddIndex, AlterField, AlterModelOptions, AlterModelTable, AlterTogether, CreateModel}
    | {DeleteModel, RemoveConstraint, RemoveField, RemoveIndex, RenameField, RenameIndex, RenameModel}
)
# Values that say themselves.
_SIMPLE: Final = frozenset({bool, int, str, type(None)})
# Their fields are columns whatever else is installed.
_OWN_FIELDS: Final = "django.db.models."
_WORD: Final = re.compile(r"\w+")


class _File(NamedTuple):
    app_label: str
    name: str
    path: str
    file: Path


class _Layout(NamedTuple):
    """As much of a layout as it takes to read plain columns."""

    root: Path
    swappable: tuple[tuple[str, str], ...]
    apps: tuple[App, ...] = ()
    files: tuple[_File, ...] = ()
    vendor: Maybe[str] = UNKNOWN
    default_auto_field: Maybe[str] = UNKNOWN
    source_roots: tuple[Path, ...] = ()
    problems: tuple[UnreadFile, ...] = ()


class Unaffected(NamedTuple):
    """What to hold an edit against; `as_json` and `from_json` are each other's reverse.

    `files` are migrations that no finding has to do with: path below the root -> app label, and a digest of what
    findings may depend on.
    `links` are the names of models that may have a link table, `related` those of fields that were ever anything but a
    column, by app label. `swappable` are the project's, by setting.
    """

    files: Mapping[str, tuple[str, str]]
    links: frozenset[str]
    related: Mapping[str, frozenset[str]]
    swappable: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "links": sorted(self.links),
            "related": {app: sorted(names) for app, names in self.related.items()},
            "swappable": self.swappable,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unaffected:
        return cls(
            files=value["files"],
            links=frozenset(value["links"]),
            related={app: frozenset(names) for app, names in value["related"].items()},
            swappable=tuple((setting, model) for setting, model in value["swappable"]),
        )

    def by(self, file: str, source: bytes, root: Path, options: ReadOptions) -> bool:
        """Whether nothing that was found depends on the difference between what `file` was and `source`."""
        path = os.path.relpath(file, root).replace(os.sep, "/")
        known = self.files.get(path)
        if known is None:
            return False
        from lint_m2m.readers.context import ReadContext
        from lint_m2m.readers.plain import read_plain
        from lint_m2m.readers.source import SourceError, decode
        from lint_m2m.suppression import speaks_of_us

        app_label, substance = known
        name = path.rpartition("/")[2].removesuffix(".py")
        try:
            text = decode(source)
        except SourceError:
            return False
        layout = _Layout(root=root, swappable=self.swappable)
        migration = _File(app_label=app_label, name=name, path=path, file=Path(file))
        read = read_plain(migration, text, ReadContext(layout, options))
        if read is None or speaks_of_us(source):
            return False
        return _substance(read, self.links, self.related.get(app_label, frozenset())) == substance


def unaffected(project: Project, found: Collection[Finding], reported: Collection[Finding]) -> Unaffected | None:
    """The migrations of a project that no finding has to do with; None where a way out may show any of its models.

    `found` is what the rules said, `reported` what is left of it when comments and configuration have spoken.
    """
    if any(finding.sequences for finding in reported):
        return None
    concerned = {
        location.path
        for findings in (found, reported)
        for finding in findings
        for location in (finding.location, *(related.location for related in finding.related))
    }
    links, related = _links(project), _related(project)
    # The model `authors` of an app `library_book` has the table that a field `authors` of `library.Book` would have.
    confusing = {app for app in related for other in related if app.startswith(f"{other}_")}
    files: dict[str, tuple[str, str]] = {}
    for one in project.migrations:
        if one.path not in concerned and one.app_label not in confusing:
            substance = _substance(one, links, related.get(one.app_label, frozenset()))
            if substance is not None:
                files[one.path] = one.app_label, substance
    return Unaffected(files=files, links=links, related=related, swappable=project.swappable)


def _substance(migration: Migration, links: Collection[str], related: Collection[str]) -> str | None:
    """A digest of all that findings may depend on: everything but operations about plain columns.

    None for a migration with parts that cannot be read, that run code, or whose classes are not Django's.
    """
    if migration.gaps or not migration.dependencies_complete or not migration.replaces_complete:
        return None
    operations = [one for one in migration.operations if not _is_quiet(one, links, related)]
    if not all(one.__class__ in _TOLD and one.class_path is None and not one.overrides for one in operations):
        return None
    dependencies = [(one.key, one.swappable) for one in migration.dependencies]
    place = dependencies, migration.run_before, migration.replaces, migration.initial, migration.atomic
    kinds = [one.__class__.__name__ for one in operations]
    return digest(repr((place, kinds, _said(tuple(operations)))).encode("utf-8", "surrogatepass"))


def _said(value: object) -> object:
    """A value without the places where it stands."""
    compared = getattr(value.__class__, "_compared", None)
    if compared is not None:
        value = compared(value)
        if value.__class__ is not tuple:  # of a single field
            value = (value,)
    if isinstance(value, tuple):
        return [one if one.__class__ in _SIMPLE else _said(one) for one in value]
    if isinstance(value, frozenset):
        return sorted([repr(_said(one)) for one in value])
    return value.value if isinstance(value, FieldKind) else value


def _is_quiet(operation: Operation, links: Collection[str], related: Collection[str]) -> bool:
    if operation.class_path is not None or operation.overrides:
        return False
    match operation:
        case AlterModelOptions():
            # Whatever they say, they say that the model is managed.
            return operation.managed is True and operation.name.lower() not in links
        case AddField() | AlterField():
            if not _is_column(operation.field):
                return False
        case RemoveField():
            pass
        case _:
            return False
    model = operation.model_name.lower()
    return model not in links and "_" not in model and operation.name.lower() not in related


def _is_column(field: Field) -> bool:
    return (
        field.kind is FieldKind.COLUMN
        and field.class_path.startswith(_OWN_FIELDS)
        and field.primary_key is False
        and field.db_column is None
        # An index has a name, and two of one name do not go together.
        and field.unique is False
        and field.db_index in (None, False)
        and not field.class_path.endswith("SlugField")
    )


def _operations(operations: Iterable[Operation]) -> Iterator[Operation]:
    """All operations, those within others too."""
    for operation in operations:
        yield operation
        match operation:
            case SeparateDatabaseAndState():
                yield from _operations(operation.database_operations)
                yield from _operations(operation.state_operations)
            case RunSQL():
                yield from _operations(operation.state_operations)
            case ConditionalOperations():
                for branch in operation.branches:
                    yield from _operations(branch)


def _links(project: Project) -> frozenset[str]:
    """Names, in lower case, of all models that have a link table or may come to one.

    By being one's `through`, by another name of such a model, as its base, by naming a table, by having one that
    something else names (another model, a field, SQL, or code), or by having been without one: not managed,
    or in the state or the database alone.
    """
    names: set[str] = set()
    renamed: list[tuple[str, str]] = []
    bases: dict[str, set[str]] = {}
    tables: set[str] = set()
    for migration in project.migrations:
        for operation in _operations(migration.operations):
            match operation:
                case RenameModel():
                    renamed.append((operation.old_name.lower(), operation.new_name.lower()))
                case AlterModelTable():
                    names.add(operation.name.lower())
                    tables.update(_words(operation.table))
                case AlterModelOptions() if operation.managed is not True:
                    names.add(operation.name.lower())
                case RunSQL():
                    names.update(_made_or_gone(operation.state_operations))
                    for sql in (*operation.sql, *(operation.reverse_sql or ())):
                        tables.update(_words(sql))
                case SeparateDatabaseAndState():
                    names.update(_made_or_gone((*operation.database_operations, *operation.state_operations)))
                case RunPython() if operation.code is not None and operation.code is not UNKNOWN:
                    for text in (*operation.code.names, *operation.code.sql):
                        tables.update(_words(text))
                case CreateModel():
                    name = operation.name.lower()
                    if operation.options.db_table is not None or operation.options.managed is not True:
                        names.add(name)
                        tables.update(_words(operation.options.db_table))
                    if operation.options.bases is UNKNOWN:
                        names.add(name)
                    else:
                        models = {str(one).rpartition(".")[2] for one in operation.options.bases}
                        bases.setdefault(name, set()).update(models)
            for field in _fields(operation):
                relation = field.relation
                if field.kind is not FieldKind.MANY_TO_MANY or relation is None:
                    continue
                if relation.through is not None and relation.through is not UNKNOWN:
                    names.add(str(relation.through).rpartition(".")[2].lower())
                tables.update(_words(relation.db_table))
    for prefix in {f"{migration.app_label}_".lower() for migration in project.migrations}:
        names.update(table.removeprefix(prefix) for table in tables if table.startswith(prefix))
    before = -1
    while len(names) > before:
        before = len(names)
        for pair in renamed:
            if not names.isdisjoint(pair):
                names.update(pair)
        for name in [*names]:
            names |= bases.get(name, set())
    return frozenset(names)


def _made_or_gone(operations: Iterable[Operation]) -> Iterator[str]:
    """The names, in lower case, of the models that operations of one side make, remove or rename."""
    for operation in _operations(operations):
        match operation:
            case CreateModel() | DeleteModel():
                yield operation.name.lower()
            case RenameModel():
                yield operation.old_name.lower()
                yield operation.new_name.lower()


def _words(text: Maybe[str | None]) -> list[str]:
    """What may be the name of a table in SQL, or in the name of one with its schema."""
    return _WORD.findall(text.lower()) if isinstance(text, str) else []


def _related(project: Project) -> dict[str, frozenset[str]]:
    """Names, in lower case, of all fields that are no mere column somewhere in an app, or that a relation points at."""
    found: dict[str, set[str]] = {}
    everywhere = {"id", "pk"}
    for migration in project.migrations:
        names = found.setdefault(migration.app_label, set())
        for operation in _operations(migration.operations):
            if isinstance(operation, RenameField):
                names |= {operation.old_name.lower(), operation.new_name.lower()}
            for name, field in _named_fields(operation):
                if not _is_column(field):
                    names.add(name.lower())
                if field.relation is not None and isinstance(field.relation.to_field, str):
                    everywhere.add(field.relation.to_field.lower())
    return {app: frozenset(names | everywhere) for app, names in found.items()}


def _fields(operation: Operation) -> Iterator[Field]:
    return (field for _, field in _named_fields(operation))


def _named_fields(operation: Operation) -> Iterator[tuple[str, Field]]:
    match operation:
        case AddField() | AlterField():
            yield operation.name, operation.field
        case CreateModel():
            for named in operation.fields:
                yield named.name, named.field

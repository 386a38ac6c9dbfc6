"""Edits of migrations that no finding can come or go with: of plain columns, of comments, of the layout of the text.

Most edits are such. Where nothing else is different in the files that have changed since a check, what came out of it
still holds. What counts as plain is drawn tight: a column of one of Django's own classes, on a model that cannot have
to do with a link table, under a name that no relation of the app has ever had. Relations that nothing knows may come as
well (`newcomers.py`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from lint_m2m.engine.bystanders import is_apart, is_bystander
from lint_m2m.engine.newcomers import Places, Room, room
from lint_m2m.engine.survey import Survey, every_operation, kind_of
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
    CreateModel,
    DeleteModel,
    FieldKind,
    Maybe,
    Migration,
    Operation,
    Project,
    Recognised,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunSQL,
    UnreadFile,
)
from lint_m2m.readers.options import ReadOptions
from lint_m2m.values import NamedTuple, replace

if TYPE_CHECKING:
    from lint_m2m.graph import Graph

# Operations of which everything is in their values; code and SQL are not among them.
_TOLD: Final = frozenset(
    {AddConstraint, AddField, AddIndex, AlterField, AlterModelOptions, AlterModelTable, AlterTogether, CreateModel}
    | {DeleteModel, RemoveConstraint, RemoveField, RemoveIndex, RenameField, RenameIndex, RenameModel}
)
# What may rename a table or a column, or take an index away.
_HEEDING: Final = frozenset(
    {AlterModelTable, AlterTogether, RemoveConstraint, RemoveIndex, RenameField, RenameIndex, RenameModel}
)
# Below what was a module's end: lines without code.
_COMMENTS: Final = re.compile(rb"(?:[ ]*+(?:#[ -~]{0,200}+)?+\n){0,50}+")
# Values that say themselves.
_SIMPLE: Final = frozenset({bool, int, str, type(None)})


class _File(NamedTuple):
    app_label: str
    name: str
    path: str
    place: str

    @property
    def file(self) -> Path:
        return Path(self.place)


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

    `files` are migrations that no finding has to do with: path below the root -> app label, a digest of what findings
    may depend on, and its places in the plans, -1 for none.
    `links` are the names of models that may have a link table, or of which even columns matter. By app label, `related`
    are those of fields that were ever anything but a column, or that an index covers, and `relations` those of which it
    matters what columns they are. `swappable` are the project's, by setting. `room` is what there is room for besides
    (`Room.as_json`): few ask for it.
    """

    files: Mapping[str, tuple[str, str, Places]]
    links: frozenset[str]
    related: Mapping[str, frozenset[str]]
    relations: Mapping[str, frozenset[str]]
    swappable: tuple[tuple[str, str], ...]
    room: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "links": sorted(self.links),
            "related": {app: sorted(names) for app, names in self.related.items()},
            "relations": {app: sorted(names) for app, names in self.relations.items()},
            "swappable": self.swappable,
            "room": self.room,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unaffected:
        return cls(
            files=value["files"],
            links=frozenset(value["links"]),
            related={app: frozenset(names) for app, names in value["related"].items()},
            relations={app: frozenset(names) for app, names in value["relations"].items()},
            swappable=tuple((setting, model) for setting, model in value["swappable"]),
            room=value["room"],
        )

    def after(self, path: str, source: bytes, root: Path, options: ReadOptions) -> Unaffected | None:
        """What to hold the next edit against; None if something may depend on what `source` has made of the file at
        `path`, below the root."""
        known = self.files.get(path)
        if known is None:
            return None
        from lint_m2m.readers.context import ReadContext
        from lint_m2m.readers.plain import read_plain
        from lint_m2m.readers.source import SourceError, decode, speaks_of_us

        app_label, substance, places = known
        name = path.rpartition("/")[2].removesuffix(".py")
        try:
            text = decode(source)
        except SourceError:
            return None
        layout = _Layout(root=root, swappable=self.swappable)
        migration = _File(app_label=app_label, name=name, path=path, place=os.path.join(root, path))
        read = read_plain(migration, text, ReadContext(layout, options), brief=True)
        if read is None or speaks_of_us(source):
            return None
        if self._substance(read) == substance:
            return self
        if self.room is None:
            return None
        # What has come may be somebody's business the next time.
        related = self.related.get(app_label, frozenset())
        room, names, newcomers = Room.from_json(self.room), set[str](), []
        for number, one in enumerate(read.operations):
            if isinstance(one, RunSQL) and _changes_relations(read, related):
                break
            more = room.with_newcomer(app_label, one, places)
            if more is not None:
                room = more
                names.update(_names_of(one))
                newcomers.append(number)
        if not newcomers or self._substance(read, newcomers) != substance:
            return None
        relations = self.relations.get(app_label, frozenset())
        return self._replace(
            related={**self.related, app_label: related | names},
            relations={**self.relations, app_label: relations | names},
            room=room.as_json(),
        )

    def _substance(self, migration: Migration, without: Collection[int] = ()) -> str | None:
        app = migration.app_label
        related, relations = (one.get(app, frozenset()) for one in (self.related, self.relations))
        return _substance(migration, self.links, related, relations, without)


def says_no_more(source: bytes, more: bytes) -> bool:
    """Whether `more`, the end of a migration's `source`, has comments and empty lines alone, none of them for
    lint-m2m."""
    from lint_m2m.readers.source import MAX_FIELDS, MAX_TOKENS, speaks_of_us

    before = source[: len(source) - len(more)]
    return (
        _COMMENTS.fullmatch(more) is not None
        and before.endswith(b"\n")
        # A line that goes on, and another encoding: nobody knows then what it is.
        and not before.endswith(b"\\\n")
        and b"coding" not in b"".join(source.split(b"\n", 2)[:2])
        # In what is long, words and braces are counted, wherever they stand.
        and len(source) <= MAX_TOKENS
        and source.count(b"{") <= MAX_FIELDS
        and not speaks_of_us(more)
    )


def unaffected(
    project: Project, graph: Graph, found: Collection[Finding], reported: Collection[Finding]
) -> Unaffected | None:
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
    survey = Survey(project)
    links, confusing = survey.links | {name for _, name in survey.shaky()}, survey.confusing()
    altered = _altered_in_haste(project.migrations)
    related, relations = (
        {app: names | altered.get(app, frozenset()) for app, names in by_app.items()}
        for by_app in (survey.related, survey.relations)
    )
    files: dict[str, tuple[str, str, Places]] = {}
    orders = [{key: place for place, key in enumerate(plan.order)} for plan in graph.plans]
    for one in project.migrations:
        if one.path not in concerned and one.app_label not in confusing:
            substance = _substance(one, links, related[one.app_label], relations[one.app_label])
            if substance is not None:
                files[one.path] = one.app_label, substance, [order.get(one.key, -1) for order in orders]
    left = room(survey, graph)
    return Unaffected(
        files=files,
        links=links,
        related=related,
        relations=relations,
        swappable=project.swappable,
        room=None if left is None else left.as_json(),
    )


def _altered_in_haste(migrations: Iterable[Migration]) -> dict[str, frozenset[str]]:
    """By app, the columns that are altered where it is somebody's business whether SQLite makes a table anew.

    An AlterField has it do that only if the column was another one before. In migrations with more than `_TOLD` tells,
    any place may be such.
    """
    found: dict[str, set[str]] = {}
    for one in migrations:
        told = all(kind_of(each) in _TOLD for each in one.operations)
        numbers = _heeding_order(dict(enumerate(one.operations))) if told else range(len(one.operations))
        for operation in every_operation([one.operations[number] for number in numbers]):
            if isinstance(operation, AlterField | Recognised) and kind_of(operation) is AlterField:
                found.setdefault(one.app_label, set()).add(operation.name.lower())
    return {app: frozenset(names) for app, names in found.items()}


def _substance(
    migration: Migration,
    links: Collection[str],
    related: Collection[str],
    relations: Collection[str],
    without: Collection[int] = (),
) -> str | None:
    """A digest of all that findings may depend on: everything but operations about plain columns, and those `without`
    which it is to be.

    None for a migration with parts that cannot be read, that run code, or whose classes are not Django's.
    """
    if migration.gaps or not migration.dependencies_complete or not migration.replaces_complete:
        return None
    left = {number: one for number, one in enumerate(migration.operations) if number not in without}
    order = _heeding_order(left)
    if any(number in order for number in without):
        return None
    operations = {
        number: one for number, one in left.items() if number in order or not is_bystander(one, links, related)
    }
    if not all(kind_of(one) in _TOLD and one.class_path is None and not one.overrides for one in operations.values()):
        return None
    dependencies = [(one.key, one.swappable) for one in migration.dependencies]
    place = dependencies, migration.run_before, migration.replaces, migration.initial, migration.atomic
    kinds = [one.__class__.__name__ for one in operations.values()]
    text = migration.text or ""
    said: list[object] = []
    for number, one in operations.items():
        if number not in order and _adds_column(one, links, relations):
            said.append((one.model_name, one.name))
        elif isinstance(one, Recognised):
            said.append(text[one.start : one.end])
        else:
            said.append(_said_of(one, links, relations))
    return digest(repr((place, kinds, said)).encode("utf-8", "surrogatepass"))


def _heeding_order(operations: Mapping[int, Operation]) -> range:
    """The numbers of the operations between one that puts something off until the migration ends and one that heeds
    whether it is made: what SQLite does for a column there decides (`_Bystanders`)."""
    first = next((number for number, one in operations.items() if _puts_off(one)), max(operations, default=-1))
    last = max((number for number, one in operations.items() if _heeds(one)), default=-1)
    return range(first + 1, last)


def _changes_relations(migration: Migration, related: Collection[str]) -> bool:
    """Whether a many-to-many may be altered, or a relation removed, in a migration: SQL beside that is MTM402's."""
    return any(
        one.field.many_to_many if isinstance(one, AlterField) else one.name.lower() in related
        for one in migration.operations
        if isinstance(one, AlterField | RemoveField) or (isinstance(one, Recognised) and one.kind is RemoveField)
    )


def _names_of(operation: Operation) -> tuple[str, ...]:
    """The names, in lower case, that a relation which is added takes in its app."""
    if isinstance(operation, AddField | Recognised):
        return operation.name.lower(), f"{operation.name.lower()}_id"
    return ()


def _puts_off(operation: Operation) -> bool:
    if isinstance(operation, AddField | AlterField):
        return operation.field.relation is not None
    return isinstance(operation, CreateModel) or (isinstance(operation, Recognised) and operation.to is not None)


def _heeds(operation: Operation) -> bool:
    if isinstance(operation, AddField | AlterField):
        return operation.field.many_to_many
    return kind_of(operation) in _HEEDING


def _adds_column(
    operation: Operation, links: Collection[str], relations: Collection[str]
) -> TypeGuard[AddField | Recognised]:
    """Whether it adds a column of which the name alone counts."""
    return (
        isinstance(operation, AddField | Recognised)
        and kind_of(operation) is AddField
        and is_bystander(operation, links, relations)
    )


def _said_of(operation: Operation, links: Collection[str], relations: Collection[str]) -> object:
    """An operation without the places where it stands; of the plain columns of a model that it makes, the names."""
    if not isinstance(operation, CreateModel):
        return _said(operation)
    model = operation.name.lower()
    others = [
        one
        for one in operation.fields
        if not (one.field.is_plain_column and is_apart(model, one.name.lower(), links, relations))
    ]
    return [one.name for one in operation.fields], _said(replace(operation, fields=tuple(others)))


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

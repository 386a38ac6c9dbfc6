"""Operations about plain columns and indexes that no finding can come or go with.

Most operations of a project are such. What counts as one is drawn tight: a column of one of Django's own classes, or an
index under a name that nothing else has, on a model that cannot have to do with a link table, under a name that no
relation of the app has ever had. The replay can do without them (`judge.py`), and so can what remembers a check
(`unaffected.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from lint_m2m.engine.sources import TakesApart, as_it_is
from lint_m2m.graph import Graph
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterTogether,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    Field,
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
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
)
from lint_m2m.replay.quiet import INDEXES, LEFT_OUT

# App and name, in lower case.
_Model: TypeAlias = tuple[str, str]

_WORD: Final = re.compile(r"\w+")
_HOLDERS: Final = frozenset({ConditionalOperations, RunSQL, SeparateDatabaseAndState})
_WITH_FIELDS: Final = frozenset({AddField, AlterField, CreateModel})
# They say nothing of which models have links.
_SILENT: Final = INDEXES | {Recognised, RemoveField, RenameField}


def without_bystanders(project: Project, graph: Graph, whole: TakesApart = as_it_is) -> Graph:
    """The graph of a project, with `LEFT_OUT` for each operation that no finding can come or go with.

    The same graph where there is none, and all is read.
    """
    links, relations, covered = links_of(project), _relations_of(project), _covered_of(project)
    confusing = confusing_apps(relations)
    untidy = _untidy_of(project, links, relations, covered)
    # Columns stay for the indexes that stay.
    related = {app: set(names) for app, names in relations.items()}
    for model in untidy.intersection(covered):
        related[model[0]] |= covered[model]
    nodes, changed = dict(graph.nodes), False
    for key, node in graph.nodes.items():
        if not isinstance(node, Migration):
            continue
        if node.app_label in confusing:
            if node.text is not None:
                nodes[key], changed = whole(node), True
            continue
        app = node.app_label
        names = related[app]
        out = [
            is_bystander(one, links, names) or (kind_of(one) in INDEXES and (app, _model_of(one)) not in untidy)
            for one in node.operations
        ]
        wanted = [
            number for number, one in enumerate(node.operations) if one.__class__ is Recognised and not out[number]
        ]
        if wanted:
            node = nodes[key] = whole(node, wanted)
            changed = True
        if True in out:
            operations = zip(node.operations, out, strict=True)
            nodes[key] = replace(node, operations=tuple([LEFT_OUT if left else one for one, left in operations]))
            changed = True
    return graph.with_nodes(nodes) if changed else graph


def confusing_apps(labels: Iterable[str]) -> frozenset[str]:
    """Apps of which a model may have the table that a field of another app has.

    The model `authors` of an app `library_book` has the one that a field `authors` of `library.Book` would have.
    """
    known = set(labels)
    return frozenset(app for app in known for other in _beginnings(app) if other in known)


def _beginnings(label: str) -> Iterator[str]:
    """What stands before each underscore."""
    position = label.find("_")
    while position >= 0:
        yield label[:position]
        position = label.find("_", position + 1)


def _untidy_of(
    project: Project,
    links: Collection[str],
    relations: Mapping[str, Collection[str]],
    covered: Mapping[_Model, set[str]],
) -> set[_Model]:
    """Models whose indexes and unique sets may be somebody's business.

    Those that may have a link table, and those with more than plain columns, relations that are added, and indexes of
    names that no others in the project have: what becomes of a relation, or of a name, may depend on its indexes.
    """
    named = Counter(_index_names(project))
    untidy: set[_Model] = set()
    for migration in project.migrations:
        app = migration.app_label
        for operation in migration.operations:
            kind = kind_of(operation)
            if kind in _HOLDERS:
                inner = every_operation((operation,))
                untidy.update((app, _model_of(one)) for one in inner if one is not operation)
                untidy.update((app, one.new_name.lower()) for one in inner if isinstance(one, RenameModel))
                continue
            model = app, _model_of(operation)
            if operation.class_path is not None or operation.overrides:
                untidy.add(model)
            elif kind in INDEXES:
                if "_" in model[1] or model[1] in links or not _names_are_its_own(operation, named):
                    untidy.add(model)
            elif kind is CreateModel or kind is AddField or kind is AlterModelOptions or kind is DeleteModel:
                continue
            elif isinstance(operation, UnknownOperation):
                untidy.update(covered if operation.models is UNKNOWN else operation.models)
            elif isinstance(operation, RenameModel):
                untidy |= {model, (app, operation.new_name.lower())}
            elif not is_bystander(operation, links, relations[app]):
                untidy.add(model)
    return untidy


def kind_of(operation: Operation) -> type[Operation]:
    """The class of an operation, also of one that is only `Recognised`."""
    return operation.kind if operation.__class__ is Recognised else operation.__class__


def _model_of(operation: Operation) -> str:
    """The name, in lower case, of the model that an operation is about; none where it is about no single one."""
    for attribute in ("model_name", "old_name", "name"):
        name = getattr(operation, attribute, None)
        if isinstance(name, str):
            return name.lower()
    return ""


def _names_are_its_own(operation: Operation, named: Counter[str]) -> bool:
    """Whether no other index in the project has a name that an operation about indexes names."""
    names = _names_given(operation)
    match operation:
        case RemoveIndex() | RemoveConstraint():
            names = (operation.name,)
        case RenameIndex():
            if operation.old_fields is not None:
                return False
            names = (operation.old_name, *names)
        case AlterTogether():
            return operation.value is not UNKNOWN
    return all(isinstance(name, str) and named[name.lower()] == 1 for name in names)


def _names_given(operation: Operation) -> tuple[Maybe[str | None], ...]:
    """The names that an operation gives to indexes and constraints."""
    match operation:
        case Recognised():
            return operation.labels
        case AddIndex():
            return (operation.index.name,)
        case AddConstraint():
            return (operation.constraint.name,)
        case RenameIndex():
            return (operation.new_name,)
        case CreateModel(options=options):
            return tuple(
                one.name for some in (options.indexes, options.constraints) if some is not UNKNOWN for one in some
            )
    return ()


def _covered_of(project: Project) -> dict[_Model, set[str]]:
    """The names, in lower case, of the fields that indexes and unique sets cover, by model."""
    found: dict[_Model, set[str]] = {}
    for migration in project.migrations:
        for operation in every_operation(migration.operations):
            fields: list[Maybe[tuple[str, ...] | None]] = []
            match operation:
                case Recognised():
                    if operation.fields:
                        fields = [operation.fields]
                case AddIndex():
                    fields = [operation.index.fields]
                case AddConstraint():
                    fields = [operation.constraint.fields]
                case RenameIndex():
                    fields = [operation.old_fields]
                case AlterTogether() if operation.value is not UNKNOWN:
                    fields = [*operation.value]
                case CreateModel(options=options):
                    for sets in (options.unique_together, options.index_together):
                        fields += [] if sets is UNKNOWN else sets
                    for some in (options.indexes, options.constraints):
                        fields += [] if some is UNKNOWN else [one.fields for one in some]
            if fields:
                names = found.setdefault((migration.app_label, _model_of(operation)), set())
                names.update(name.lower() for each in fields if each is not UNKNOWN for name in each or ())
    return found


def _index_names(project: Project) -> Iterator[str]:
    """The names, in lower case, that operations give to indexes and constraints."""
    for migration in project.migrations:
        for operation in every_operation(migration.operations):
            for name in _names_given(operation):
                if isinstance(name, str):
                    yield name.lower()


def is_bystander(operation: Operation, links: Collection[str], related: Collection[str]) -> bool:
    """Whether it is about a plain column, or says of a model what no table is made by.

    `links` are those of the project (`links_of`), `related` those of the app (`related_of`).
    """
    if operation.class_path is not None or operation.overrides:
        return False
    match operation:
        case Recognised(kind=kind):
            if kind in INDEXES or operation.to is not None:
                return False
            if kind is AlterModelOptions:
                return operation.model_name.lower() not in links
        case AlterModelOptions():
            # Whatever they say, they say that the model is managed.
            return operation.managed is True and operation.name.lower() not in links
        case AddField() | AlterField():
            if not operation.field.is_plain_column:
                return False
        case RemoveField():
            pass
        case _:
            return False
    model = operation.model_name.lower()
    return model not in links and "_" not in model and operation.name.lower() not in related


def every_operation(operations: Collection[Operation]) -> Collection[Operation]:
    """All operations, those within others too."""
    if _HOLDERS.isdisjoint(map(type, operations)):
        return operations
    found: list[Operation] = []
    for operation in operations:
        found.append(operation)
        match operation:
            case SeparateDatabaseAndState():
                found += every_operation(operation.database_operations)
                found += every_operation(operation.state_operations)
            case RunSQL():
                found += every_operation(operation.state_operations)
            case ConditionalOperations():
                for branch in operation.branches:
                    found += every_operation(branch)
    return found


def links_of(project: Project) -> frozenset[str]:
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
        for operation in every_operation(migration.operations):
            if operation.__class__ in _SILENT:
                continue
            for _, field in _named_fields(operation):
                relation = field.relation
                if relation is None or field.kind is not FieldKind.MANY_TO_MANY:
                    continue
                if relation.through is not None and relation.through is not UNKNOWN:
                    names.add(str(relation.through).rpartition(".")[2].lower())
                tables.update(_words(relation.db_table))
            match operation:
                case AddField() | AlterField():
                    pass
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


def _made_or_gone(operations: Collection[Operation]) -> Iterator[str]:
    """The names, in lower case, of the models that operations of one side make, remove or rename."""
    for operation in every_operation(operations):
        match operation:
            case CreateModel() | DeleteModel():
                yield operation.name.lower()
            case RenameModel():
                yield operation.old_name.lower()
                yield operation.new_name.lower()


def _words(text: Maybe[str | None]) -> list[str]:
    """What may be the name of a table in SQL, or in the name of one with its schema."""
    return _WORD.findall(text.lower()) if isinstance(text, str) else []


def related_of(project: Project) -> dict[str, frozenset[str]]:
    """Names, in lower case, of all fields that are no mere column somewhere in an app, or that anything points at: a
    relation, an index, a unique set."""
    found = _relations_of(project)
    for (app, _), names in _covered_of(project).items():
        found[app] |= names
    return found


def _relations_of(project: Project) -> dict[str, frozenset[str]]:
    """The same without indexes and unique sets. Also names of columns that are other than their field's."""
    found: dict[str, set[str]] = {}
    everywhere = {"id", "pk"}
    for migration in project.migrations:
        names = found.setdefault(migration.app_label, set())
        for operation in every_operation(migration.operations):
            if operation.__class__ not in _WITH_FIELDS:
                if isinstance(operation, RenameField):
                    for name in (operation.old_name, operation.new_name):
                        names |= {name.lower(), f"{name.lower()}_id"}
                elif isinstance(operation, Recognised) and operation.to is not None:
                    names |= {operation.name.lower(), f"{operation.name.lower()}_id"}
                continue
            for name, field in _named_fields(operation):
                if field.is_plain_column:
                    continue
                names |= {name.lower(), f"{name.lower()}_id"}
                if isinstance(field.db_column, str):
                    names.add(field.db_column.strip('"').lower())
                if field.relation is not None and isinstance(field.relation.to_field, str):
                    everywhere.add(field.relation.to_field.lower())
    return {app: frozenset(names | everywhere) for app, names in found.items()}


def _named_fields(operation: Operation) -> Iterable[tuple[str, Field]]:
    if isinstance(operation, AddField | AlterField):
        return ((operation.name, operation.field),)
    if isinstance(operation, CreateModel):
        return [(named.name, named.field) for named in operation.fields]
    return ()

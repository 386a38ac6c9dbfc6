"""Operations about plain columns, foreign keys and indexes that no finding can come or go with.

Most operations of a project are such. What counts as one is drawn tight: a column of one of Django's own classes, or an
index under a name that nothing else has, on a model that cannot have to do with a link table, under a name that no
relation of the app has ever had; a foreign key as `foreign_keys.py` says. The replay can do without them (`judge.py`),
and without the columns so can what remembers a check (`unaffected.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from lint_m2m.engine.sources import TakesApart, as_it_is
from lint_m2m.engine.survey import Key, Model, Place, Survey, kind_of
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterTogether,
    CreateModel,
    Maybe,
    MigrationKey,
    Operation,
    Project,
    Recognised,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameIndex,
)
from lint_m2m.replay.quiet import LEFT_OUT
from lint_m2m.values import replace

if TYPE_CHECKING:
    from lint_m2m.graph import Graph

# What takes an index away, or needs one that is there.
_TAKING: Final = frozenset({AlterTogether, RemoveConstraint, RemoveIndex, RenameIndex})
_OF_FIELDS: Final = frozenset({AddField, AlterField, RemoveField})
# For which SQLite makes a table anew.
_REBUILDING: Final = frozenset({AddConstraint, RemoveConstraint})


def without_bystanders(project: Project, graph: Graph, whole: TakesApart = as_it_is) -> Graph:
    """The graph of a project, with `LEFT_OUT` for each operation that no finding can come or go with.

    The same graph where there is none, and all is read.
    """
    survey = Survey(project)
    places = _Bystanders(survey, graph).places()
    nodes, is_other = dict(graph.nodes), False
    for number, migration in enumerate(project.migrations):
        out = places.get(number, ())
        if (migration.text is None and not out) or graph.nodes.get(migration.key) is not migration:
            continue
        operations = list(migration.operations)
        for position in out:
            operations[position] = LEFT_OUT
        left = [position for position, one in enumerate(operations) if one.__class__ is Recognised]
        if left:
            read = whole(migration, left).operations
            for position in left:
                operations[position] = read[position]
        nodes[migration.key] = replace(migration, operations=tuple(operations), text=None)
        is_other = True
    return graph.with_nodes(nodes) if is_other else graph


class _Bystanders:
    """Those of one project.

    `keys` are the foreign keys among them; `untidy` are the models whose indexes and unique sets may be somebody's
    business: those that may have a link table, and those with more than plain columns, relations that are added or that
    are in `keys`, and indexes of names that no others in the project have. What becomes of a relation, or of a name,
    may depend on a model's indexes. `kept` are names of columns that are to stay all the same, by app.
    """

    def __init__(self, survey: Survey, graph: Graph) -> None:
        # It imports the rules: not for those who only ask for columns.
        from lint_m2m.engine.foreign_keys import steady_keys

        self._survey = survey
        self._confusing = survey.confusing()
        self._shaky = survey.shaky()
        self._keys: set[Key] = steady_keys(survey, graph, self._confusing, self._shaky)
        self._untidy = survey.untidy | self._shaky
        self._kept: dict[str, set[str]] = {}
        self._keep_what_is_made_twice(graph)
        self._untidy |= set(self._with_indexes_of_others())
        self._untidy |= set(self._with_fields_of_others())
        self._keep_what_hastens()
        for model in self._untidy:
            # Columns stay for the indexes that stay.
            if model in survey.covered:
                self._kept.setdefault(model[0], set()).update(survey.covered[model])

    def places(self) -> dict[int, list[int]]:
        """By the number of each migration that has some, their numbers in it."""
        found: dict[int, list[int]] = {}
        for migration, position in self._each():
            found.setdefault(migration, []).append(position)
        return found

    def _each(self) -> Iterator[Place]:
        survey, links = self._survey, self._survey.links
        for place, (app, name), _ in survey.on_options:
            # Whatever they say, they say that the model is managed.
            if name not in links and app not in self._confusing:
                yield place
        untidy, confusing = self._untidy, self._confusing
        for place, model, _ in survey.on_indexes:
            if model not in untidy and model[0] not in confusing:
                yield place
        is_out = self._is_out
        for place, model, field, _ in survey.on_fields:
            if is_out(model, field):
                yield place
        for model, field in self._keys:
            if self._is_free(model, field):
                for change in survey.models[model].keys[field]:
                    if change.kind is not CreateModel:
                        yield change.place

    def _is_out(self, model: Model, field: str) -> bool:
        """Whether an operation about a column, or one that removes a field, can be left out."""
        if (model, field) in self._keys:
            return self._is_free(model, field)
        app, name = model
        if app in self._confusing or model in self._shaky or field in self._kept.get(app, ()):
            return False
        return is_apart(name, field, self._survey.links, self._survey.relations[app])

    def _is_free(self, model: Model, field: str) -> bool:
        """Whether no index that stays needs a foreign key."""
        return model not in self._untidy or field not in self._survey.covered.get(model, ())

    # -- what is somebody's business

    def _with_indexes_of_others(self) -> Iterator[Model]:
        """Models with an index of a name that another has, or one that is taken away in the migration that makes it."""
        survey, links, untidy = self._survey, self._survey.links, self._untidy
        together: Counter[tuple[int, Model, str]] = Counter()
        for (migration, _), model, operation in survey.on_indexes:
            if model in untidy:
                continue
            if "_" in model[1] or model[1] in links or not self._is_private(operation, model):
                yield model
            elif kind_of(operation) in _TAKING:
                said = survey.models.get(model)
                makes = () if said is None else said.made
                made = next((one for (number, _), one in makes if number == migration), None)
                if made is None:
                    continue
                option = _option_of(operation)
                if option is not None:
                    same = migration, model, option
                    together[same] += 1
                    if together[same] == 1 and not _together(made, option):
                        continue
                yield model

    def _is_private(self, operation: Operation, model: Model) -> bool:
        """Whether an operation about indexes names none of others, and no fields that are not there: a unique set of
        such leaves the table in doubt."""
        if not _names_are_its_own(operation, self._survey.named):
            return False
        match operation:
            case AddConstraint():
                return self._has_fields(model, operation.constraint.fields)
            case Recognised(kind=kind):
                return kind is not AddConstraint or self._has_fields(model, operation.fields)
        return True

    def _has_fields(self, model: Model, fields: Maybe[tuple[str, ...]]) -> bool:
        said = self._survey.models.get(model)
        if said is None or fields is UNKNOWN:
            return False
        names = map(str.lower, fields)
        return all(name in said.fields or name in said.keys or name == "id" for name in names)

    def _with_fields_of_others(self) -> Iterator[Model]:
        survey = self._survey
        for _, model, field, kind in survey.on_fields:
            if kind is AddField:
                continue
            # MySQL removes no column of a unique set of several.
            gone = kind is RemoveField and field in survey.covered.get(model, ())
            if gone or ((model, field) not in self._keys and not self._is_out(model, field)):
                yield model
        for model, said in survey.models.items():
            for field, changes in said.keys.items():
                if (model, field) not in self._keys and not all(one.makes for one in changes):
                    yield model

    def _keep_what_is_made_twice(self, graph: Graph) -> None:
        """A column cannot be added where there is one of its name: what becomes of the table then is anybody's guess.

        A squash makes what those that it replaces make, but no plan has both.
        """
        survey = self._survey
        if not survey.twice:
            return
        migrations = survey.project.migrations
        places: dict[Key, list[MigrationKey]] = {}
        for (number, _), model, field, kind in survey.on_fields:
            if kind is AddField and (model, field) in survey.twice:
                places.setdefault((model, field), []).append(migrations[number].key)
        for model, field in survey.twice:
            made = places.setdefault((model, field), [])
            made += [migrations[number].key for (number, _), _ in survey.models[model].made]
        orders = [frozenset(plan.order) for plan in graph.plans]
        for (model, field), keys in places.items():
            if any(sum(key in order for key in keys) > 1 for order in orders):
                self._keep(model, field)

    def _keep_what_hastens(self) -> None:
        """Keep what comes between something that is put off until the migration ends and what heeds whether it is made.

        Indexes and keys are made when a migration ends, or as soon as SQLite makes any table anew, as it does for most
        changes of a field: `_remake_table` in ``django/db/backends/sqlite3/schema.py`` runs the deferred SQL.
        """
        survey = self._survey
        last = self._heeded()
        first = self._put_off() if last else {}
        if first.keys().isdisjoint(last):
            return

        def hastens(place: Place) -> bool:
            migration, position = place
            return migration in first and first[migration] < position < last.get(migration, -1)

        for place, model, field, _ in survey.on_fields:
            if hastens(place) and self._is_out(model, field):
                self._keep(model, field)
        for model, field in tuple(self._keys):
            if any(hastens(change.place) for change in survey.models[model].keys[field]):
                self._keep(model, field)
        for place, model, operation in survey.on_indexes:
            if kind_of(operation) in _REBUILDING and hastens(place):
                self._untidy.add(model)

    def _put_off(self) -> dict[int, int]:
        """By migration, the first place that may put something off."""
        survey = self._survey
        first: dict[int, int] = {}
        others = (
            change.place
            for model, said in survey.models.items()
            for field, changes in said.keys.items()
            if (model, field) not in self._keys
            for change in changes
        )
        for migration, position in chain(survey.putting_off, others):
            first[migration] = min(position, first.get(migration, position))
        return first

    def _heeded(self) -> dict[int, int]:
        """By migration, the last place that heeds whether it is made."""
        survey = self._survey
        last: dict[int, int] = {}
        taking = (
            place
            for place, model, operation in survey.on_indexes
            if kind_of(operation) in _TAKING and (model in self._untidy or model[0] in self._confusing)
        )
        for migration, position in chain(survey.heeding, taking):
            last[migration] = max(position, last.get(migration, -1))
        return last

    def _keep(self, model: Model, field: str) -> None:
        if (model, field) in self._keys:
            self._keys.discard((model, field))
            # What becomes of it may depend on the model's indexes.
            self._untidy.add(model)
        else:
            self._kept.setdefault(model[0], set()).add(field)


def _option_of(operation: Operation) -> str | None:
    """The option that an AlterTogether sets; ``None`` for other operations."""
    if isinstance(operation, Recognised):
        return operation.name if operation.kind is AlterTogether else None
    return operation.option_name if isinstance(operation, AlterTogether) else None


def _together(made: CreateModel, option: str) -> bool:
    """Whether a model is made with sets of that kind."""
    sets = made.options.unique_together if option == "unique_together" else made.options.index_together
    return sets is UNKNOWN or bool(sets)


def _names_are_its_own(operation: Operation, named: Counter[str]) -> bool:
    """Whether no other index in the project has a name that an operation about indexes names."""
    match operation:
        case Recognised():
            return all(_is_its_own(name, named) for name in operation.labels)
        case AlterTogether():
            return operation.value is not UNKNOWN
        case AddIndex():
            return _is_its_own(operation.index.name, named)
        case AddConstraint():
            return _is_its_own(operation.constraint.name, named)
        case RemoveIndex() | RemoveConstraint():
            return _is_its_own(operation.name, named)
        case RenameIndex(old_fields=None):
            return _is_its_own(operation.old_name, named) and _is_its_own(operation.new_name, named)
        case _:
            return False


def _is_its_own(name: Maybe[str | None], named: Counter[str]) -> bool:
    return isinstance(name, str) and named[name.lower()] == 1


def is_bystander(operation: Operation, links: Collection[str], related: Collection[str]) -> bool:
    """Whether it is about a plain column, or says of a model what no table is made by.

    `links` are those of the project (`Survey.links`), `related` those of the app (`Survey.related`).
    """
    if operation.class_path is not None or operation.overrides:
        return False
    match operation:
        case Recognised(kind=kind):
            if kind is AlterModelOptions:
                return operation.model_name.lower() not in links
            if operation.to is not None or kind not in _OF_FIELDS:
                return False
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
    return is_apart(operation.model_name.lower(), operation.name.lower(), links, related)


def is_apart(model: str, field: str, links: Collection[str], related: Collection[str]) -> bool:
    """Whether a column of that name has nothing to do with a link table."""
    return model not in links and "_" not in model and field not in related

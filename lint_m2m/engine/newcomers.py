"""What an edit may add to a project without anything coming or going of what was found, columns aside.

A new foreign key or many-to-many field is in nobody's way between models that stay what they are, under a name and
with a table that nothing in the project knows: the rules look at relations that change, at tables that are there
already or not yet, and at what code and SQL name. SQL that only asks for rows, or changes some, changes no table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lint_m2m.engine.survey import Model, Said, Survey
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    Field,
    FieldKind,
    ModelKey,
    ModelRef,
    Operation,
    Recognised,
    RunSQL,
)
from lint_m2m.replay.models import reverse_name
from lint_m2m.values import NamedTuple

if TYPE_CHECKING:
    from lint_m2m.graph import Graph

_OWN_CLASS: Final = "django.db.models.ManyToManyField"
_WORD: Final = re.compile(r"\w+")
# One statement about rows: none within another, no comment, nothing that rows are put into.
_ABOUT_ROWS: Final = re.compile(
    r"""(?is)\s*+(?:select\b(?!.*\binto\b)|update\b(?!.*\b(?:from|select|with)\b))"""
    r"""(?:[^;'"`$\\/\#-]|'[^'\\]*'|"[^"\\]*"|-(?!-)|/(?!\*))*+;?+\s*+"""
)

# The places of a migration in the plans, -1 for none.
Places: TypeAlias = Sequence[int]


class Steady(NamedTuple):
    """A model that stays what CreateModel makes of it: where that is, and the names of its fields in lower case."""

    places: Places
    names: frozenset[str]


class Room(NamedTuple):
    """For what there is room; `as_json` and `from_json` are each other's reverse.

    `models` are by ``app_label.name``. `taken` are all words in code and SQL, and the names of all tables, in lower
    case; `cut` is how long names of tables begin in SQL. `coded` are the models that code takes, `apps` the project's.
    """

    models: Mapping[str, Steady]
    taken: frozenset[str]
    cut: tuple[str, ...]
    coded: frozenset[str]
    apps: frozenset[str]

    def as_json(self) -> dict[str, Any]:
        return {
            "models": {name: [list(one.places), sorted(one.names)] for name, one in self.models.items()},
            "taken": sorted(self.taken),
            "cut": self.cut,
            "coded": sorted(self.coded),
            "apps": sorted(self.apps),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Room:
        return cls(
            models={name: Steady(tuple(places), frozenset(names)) for name, (places, names) in value["models"].items()},
            taken=frozenset(value["taken"]),
            cut=tuple(value["cut"]),
            coded=frozenset(value["coded"]),
            apps=frozenset(value["apps"]),
        )

    def with_newcomer(self, app_label: str, operation: Operation, places: Places) -> Room | None:
        """The room that is left when `operation` has come to a migration of an app; None where there is none for it."""
        match operation:
            case RunSQL():
                return self._with_sql(operation)
            case AddField():
                return self._with_field(app_label, operation.model_name, operation.name, operation.field, places)
            case Recognised(kind=kind, to=ModelKey() as to) if kind is AddField:
                return self._with_key(app_label, operation.model_name, operation.name, to, places)
            case _:
                return None

    def _with_sql(self, operation: RunSQL) -> Room | None:
        if not is_about_rows(operation):
            return None
        words = {word for piece in operation.sql for word in _WORD.findall(str(piece).lower())}
        return self._replace(taken=self.taken | words)

    def _with_field(self, app_label: str, model: str, name: str, field: Field, places: Places) -> Room | None:
        relation = field.relation
        if relation is None or relation.to is UNKNOWN:
            return None
        if field.is_plain_key:
            return self._with_key(app_label, model, name, relation.to, places)
        plain = (
            field.kind is FieldKind.MANY_TO_MANY
            and field.class_path == _OWN_CLASS
            and field.class_known
            and relation.through is None
            and relation.through_fields is None
            and relation.db_table is None
            and relation.db_constraint is True
            and relation.auto_columns == ()
        )
        if not plain or relation.related_name is UNKNOWN:
            return None
        owner = ModelKey(app_label, model.lower())
        table = f"{app_label}_{owner.name}_{name}".lower()
        reverse = {owner.name, f"{owner.name}_set"}
        if isinstance(relation.related_name, str):
            reverse = {reverse_name(owner, relation.related_name).lower()}
        if not self.taken.isdisjoint(reverse) or table.startswith(self.cut):
            return None
        return self._with_relation(owner, name, relation.to, places, frozenset({table}))

    def _with_key(self, app_label: str, model: str, name: str, to: ModelRef, places: Places) -> Room | None:
        owner = ModelKey(app_label, model.lower())
        # Code that reaches tables with two foreign keys each may copy links between them.
        return None if str(owner) in self.coded else self._with_relation(owner, name, to, places, frozenset())

    def _with_relation(
        self, owner: ModelKey, name: str, to: ModelRef, places: Places, tables: frozenset[str]
    ) -> Room | None:
        """With a relation between models that are there by then, of a name and with tables that nothing knows."""
        if not self._is_there(owner, places) or not (self._is_foreign(to) or self._is_there(to, places)):
            return None
        known = self.models[str(owner)]
        names = {name.lower(), f"{name.lower()}_id"}
        if not known.names.isdisjoint(names) or not self.taken.isdisjoint(names | tables):
            return None
        models = {**self.models, str(owner): known._replace(names=known.names | names)}
        return self._replace(models=models, taken=self.taken | tables)

    def _is_foreign(self, model: ModelRef) -> bool:
        """Whether nothing is known here of a model."""
        return not isinstance(model, ModelKey) or model.app_label not in self.apps

    def _is_there(self, model: ModelRef, places: Places) -> bool:
        known = self.models.get(str(model))
        return known is not None and all(
            -1 < born < place for born, place in zip(known.places, places, strict=True) if place >= 0
        )


def is_about_rows(operation: Operation) -> bool:
    """Whether it is SQL of statements that change no table: whatever they name, no finding comes or goes with them."""
    return (
        isinstance(operation, RunSQL)
        and not operation.state_operations
        and all(isinstance(piece, str) and _ABOUT_ROWS.fullmatch(piece) is not None for piece in operation.sql)
    )


def room(survey: Survey, graph: Graph) -> Room | None:
    """For what there is room in a project; None where a file could not be read."""
    project = survey.project
    if project.unread:
        return None
    # It imports the rules: not for those who ask whether there is room.
    from lint_m2m.engine.foreign_keys import Steadiness

    confusing, shaky = survey.confusing(), survey.shaky()
    steadiness = Steadiness(survey, graph, confusing)
    # What points at a model that goes or comes back may be made anew beside it.
    restless: set[Model] = set()
    for model, said in survey.models.items():
        if said.moves:
            restless |= {model, *said.targets}
        restless |= _bases(said)
    models: dict[str, Steady] = {}
    for model, said in survey.models.items():
        if model in shaky or model in restless or _loses_relations(said):
            continue
        places = steadiness.places(model, said)
        if places is not None:
            names = said.fields | said.keys.keys() | said.gone.keys() | {name.lower() for name in said.links}
            models[str(ModelKey(*model))] = Steady(places, frozenset(names | {f"{name}_id" for name in names}))
    return Room(
        models=models,
        taken=frozenset(_taken(survey)),
        cut=survey.cut,
        coded=frozenset(str(key) for code in survey.code for key in code.models),
        apps=frozenset({app.label for app in project.apps} | survey.relations.keys()),
    )


def _bases(said: Said) -> set[Model]:
    """The models that a model comes from."""
    found: set[Model] = set()
    for _, made in said.made:
        if made.options.bases is not UNKNOWN:
            found.update(one for one in made.options.bases if isinstance(one, ModelKey))
    return found


def _loses_relations(said: Said) -> bool:
    """Whether a field may go that is more than a column: what comes then may take its place."""
    relations = said.keys.keys() | {name.lower() for name in said.links}
    return any(name in relations or f"{name}_id" in said.fields or name not in said.fields for name in said.gone)


def _taken(survey: Survey) -> set[str]:
    """All words in code and SQL, and the names of tables."""
    words = {word.lower() for code in survey.code for word in code.names} | survey.words | survey.pointed_at
    for (app, name), said in survey.models.items():
        words.add(f"{app}_{name}".lower())
        words.update(f"{app}_{name}_{link}".lower() for link in said.links)
    return words

"""Foreign keys that no finding can come or go with.

A foreign key is more than its column. It can fail, where its target is not there or moves, and what fails in a
migration decides about the rest of it; a table with two of them can hold links, to code that copies rows (`_two_keys`
in ``replay/data.py``); one that makes room for a many-to-many of like name is MTM204's; and a table at which others
point is not dropped on MySQL. So what counts here is drawn tight: keys that stay foreign keys, on models that stay what
they are and by which no code can carry links (`carriers.py`), to models that are there before them and stay where they
are, or of which nothing is known. Those cannot fail, and nothing asks for them: rules look at many-to-many fields, at
the models that have links, and at what fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from lint_m2m.engine.carriers import carriers
from lint_m2m.engine.survey import Key, KeyChange, Model, Place, Said, Survey, key_of
from lint_m2m.graph import Graph
from lint_m2m.migration import CreateModel, Maybe, ModelKey, ModelRef
from lint_m2m.rules.mtm204_relation_replaced import stem

# An operation in the order of a plan.
_Moment: TypeAlias = tuple[int, int]


def steady_keys(survey: Survey, graph: Graph, confusing: Collection[str], shaky: Collection[Model]) -> set[Key]:
    """The foreign keys that are there for no finding, as long as the indexes of their models are nobody's business.

    None of `shaky` models (`Survey.shaky`), and none of a project of which a file could not be read.
    """
    if survey.project.unread:
        return set()
    found = Steadiness(survey, graph, confusing)
    return {
        (model, name)
        for model, said in survey.models.items()
        if said.keys and model not in shaky and found.may_hold(model, said)
        for name, changes in said.keys.items()
        if found.is_steady(model, said, name, changes)
    }


class Steadiness:
    """Which models and foreign keys of a project stay what they are."""

    def __init__(self, survey: Survey, graph: Graph, confusing: Collection[str]) -> None:
        self._survey = survey
        self._confusing = confusing
        self._apps = {app.label for app in survey.project.apps} | survey.relations.keys()
        # For each plan, the place of each migration in it, -1 for none.
        self._orders: list[list[int]] = []
        for plan in graph.plans:
            places = {key: place for place, key in enumerate(plan.order)}
            self._orders.append([places.get(migration.key, -1) for migration in survey.project.migrations])
        self._carriers = carriers(survey)
        self._born: dict[Model, list[_Moment | None] | None] = {}
        self._like: dict[Model, frozenset[str]] = {}
        self._targets: dict[Model, bool] = {}

    def may_hold(self, model: Model, said: Said) -> bool:
        """Whether foreign keys of the model can be such: it stays what it is, and has and carries no links."""
        if not self._stays(model, said) or any(one.options.swappable is not None for _, one in said.made):
            return False
        table = f"{model[0]}_{model[1]}".lower()[:7]
        if any(beginning.startswith(table) for beginning in self._survey.beginnings):
            return False
        return model not in self._carriers or (len(said.keys) < 2 and not said.other_keys)

    def places(self, model: Model, said: Said) -> tuple[int, ...] | None:
        """The places in the plans, -1 for none, of the migration that makes a model whose foreign keys can be such, and
        that keeps its own key; None for another model."""
        if not (self.may_hold(model, said) and _keeps_its_key(said)):
            return None
        found: list[int] = []
        for plan in range(len(self._orders)):
            born = self._birth(model, plan)
            if born is None and any(self._moment(plan, place) is not None for place, _ in said.made):
                return None
            found.append(-1 if born is None else born[0])
        return tuple(found)

    def is_steady(self, model: Model, said: Said, name: str, changes: Sequence[KeyChange]) -> bool:
        """Whether a name is only ever that of one foreign key, which is made, altered and removed where it can be."""
        if name in said.fields or f"{name}_id" in said.fields or name in self._survey.pointed_at:
            return False
        # A OneToOneField has a unique set where a ForeignKey has an index, whose name may be taken.
        spelled, kind = changes[0].name, changes[0].class_path
        for one in changes:
            if one.name != spelled or one.class_path != kind:
                return False
        if spelled in self._survey.guessed or (said.links and stem(spelled) in self._stems(model, said)):
            return False
        gone = said.gone.get(name, ())
        # What becomes of one that is altered or removed may depend on the unique sets that it is in.
        if (gone or not all(one.makes for one in changes)) and name in self._survey.covered.get(model, ()):
            return False
        return all(self._runs(plan, model, changes, gone) for plan in range(len(self._orders)))

    def _stems(self, model: Model, said: Said) -> frozenset[str]:
        """What MTM204 takes the names of a model's many-to-many fields for."""
        found = self._like.get(model)
        if found is None:
            found = self._like[model] = frozenset(map(stem, said.links))
        return found

    def _runs(self, plan: int, model: Model, changes: Iterable[KeyChange], gone: Iterable[Place]) -> bool:
        """Whether none of the operations on a foreign key can fail in a plan."""
        order = self._orders[plan]
        life: list[tuple[_Moment, KeyChange | None]] = []
        for change in changes:
            number, position = change.place
            if order[number] >= 0:
                life.append(((order[number], position), change))
        for number, position in gone:
            if order[number] >= 0:
                life.append(((order[number], position), None))
        if len(life) > 1:
            life.sort(key=_when)
        born = self._birth(model, plan) if life else None
        for number, (moment, event) in enumerate(life):
            if born is None or moment < born:
                return False
            if event is None:
                # Nothing comes after it, and something before.
                return 0 < number == len(life) - 1
            if event.makes is not (number == 0) or not self._is_target(event.to, plan, moment):
                return False
        return True

    def _is_target(self, to: Maybe[ModelRef], plan: int, moment: _Moment) -> bool:
        """Whether the target is there at that moment and stays, or is nothing that is known here."""
        if not isinstance(to, ModelKey) or to.app_label not in self._apps:
            return True
        if to not in self._targets:
            said = self._survey.models.get(to)
            self._targets[to] = said is not None and self._stays(to, said) and _keeps_its_key(said)
        born = self._birth(to, plan) if self._targets[to] else None
        return born is not None and born <= moment

    def _stays(self, model: Model, said: Said) -> bool:
        """Whether a model is in all plans what CreateModel makes of it, with a table that nothing else has a name for.

        A model that has links may be one of those that are remade, or in the state alone.
        """
        app, name = model
        survey = self._survey
        return not (
            said.moves
            or name in survey.links
            or "_" in name
            or app in self._confusing
            or app in survey.dark
            or not all(_is_plain(made) for _, made in said.made)
            or (survey.cut and f"{app}_{name}".lower().startswith(survey.cut))
        )

    def _birth(self, model: Model, plan: int) -> _Moment | None:
        """When a plan makes the model: ``None`` where that is not once."""
        if model not in self._born:
            made = self._survey.models[model].made
            self._born[model] = [self._once(number, made) for number in range(len(self._orders))]
        born = self._born[model]
        return None if born is None else born[plan]

    def _once(self, plan: int, made: Iterable[tuple[Place, CreateModel]]) -> _Moment | None:
        moments = [moment for place, _ in made if (moment := self._moment(plan, place)) is not None]
        return moments[0] if len(moments) == 1 else None

    def _moment(self, plan: int, place: Place) -> _Moment | None:
        position = self._orders[plan][place[0]]
        return None if position < 0 else (position, place[1])


def _when(event: tuple[_Moment, KeyChange | None]) -> _Moment:
    return event[0]


def _is_plain(made: CreateModel) -> bool:
    options = made.options
    return (
        made.fields_complete
        and options.bases == ()
        and options.proxy is False
        and options.abstract is False
        and options.managed is True
        and options.db_table is None
    )


def _keeps_its_key(said: Said) -> bool:
    """Whether the primary key of a model stays in the column that it is made in."""
    keys = {key_of(made) for _, made in said.made}
    if len(keys) != 1:
        return False
    key = keys.pop()
    if key is None or key in said.gone or key in said.altered:
        return False
    implied = not any(named.name.lower() == key for _, made in said.made for named in made.fields)
    if implied and key in said.fields:
        return False
    return all(name == key and usual for name, usual in said.keyed)

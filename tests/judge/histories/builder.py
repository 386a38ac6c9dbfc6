"""What every recipe works with: the world, the assembly, and small things that many of them do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import TypeAlias

from . import text
from .assembly import Assembly
from .world import COLUMNS, LINKS, THROUGHS, Column, Key, Link, Model, World


class Builder:
    """One history in the making. `raised` is set by a recipe whose last operation cannot run."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.world = World(self.rng)
        self.out = Assembly(self.world, self.rng)
        self.raised = False
        self._related = 0

    # Chance

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, options: Iterable[tuple[Model, Link]]) -> tuple[Model, Link] | None:
        """One of them, or nothing when there is none."""
        found = list(options)
        return self.rng.choice(found) if found else None

    def pick_model(self, options: Iterable[Model]) -> Model | None:
        found = list(options)
        return self.rng.choice(found) if found else None

    def related(self) -> str:
        """A reverse name that nothing else has: two relations between the same models need different ones."""
        self._related += 1
        return f"rel{self._related}"

    # Looking around

    def auto_links(self, *, plain_names: bool = False) -> list[tuple[Model, Link]]:
        """Automatic many-to-manys of managed models, that are as the state says."""
        return [
            (model, link)
            for model, link in self.world.links()
            if link.through is None
            and link.sound
            and model.managed
            and not model.untouchable
            and not self.world.models[link.to].untouchable
            and not (plain_names and len(self.world.link_table(model, link)) > 60)
        ]

    def custom_links(self) -> list[tuple[Model, Link]]:
        """Many-to-manys through a model that is as the state says."""
        return [
            (model, link)
            for model, link in self.world.links()
            if link.through is not None
            and link.sound
            and model.managed
            and not model.untouchable
            and not self.world.models[link.through].locked
        ]

    def is_through(self, model: Model) -> bool:
        return any(link.through == model.key for _, link in self.world.links())

    def users(self, through: Model) -> list[tuple[Model, Link]]:
        return [(model, link) for model, link in self.world.links() if link.through == through.key]

    # Making things

    def new_model(self, app: str, name: str) -> Model:
        """A model with nothing but a column or two; not yet in the world."""
        model = Model(app, name)
        for _ in range(self.rng.randint(0, 2)):
            column = self.new_column(model)
            model.columns[column.name] = column
        return model

    def new_column(self, model: Model, *, simple: bool = False) -> Column:
        """A plain column. `simple`: one that is added without copying the table."""
        name = self.world.field_name(model, COLUMNS)
        kind = self.rng.choice(("int", "int", "char"))
        if simple or self.chance(0.5):
            return Column(name, kind, null=True)
        return Column(name, kind, default=True)

    def new_through(
        self,
        app: str,
        owner: Model,
        to: Key,
        *,
        fields: tuple[str, str] | None = None,
        name: str | None = None,
        extras: bool = True,
    ) -> Model:
        """A model with a foreign key to each side; not yet in the world. `fields` are the keys' names."""
        model = Model(app, name or self.world.model_name(app, THROUGHS))
        if fields is None:
            fields = self.other_names(owner, to) if self.chance(0.4) else self.world.auto_fields(owner, Link("", to))
        same = owner.key == to
        for field, target in zip(fields, (owner.key, to), strict=True):
            model.columns[field] = Column(field, "fk", to=target, related=self.related() if same else None)
        if extras and self.chance(0.4):
            column = self.new_column(model)
            model.columns[column.name] = column
        return model

    def other_names(self, owner: Model, to: Key) -> tuple[str, str]:
        """Names for the two foreign keys that the automatic table does not have."""
        pairs = [("owner", "item"), ("source", "target"), ("holder", "entry")]
        if owner.key != to and to[1] != owner.name.lower():
            pairs.append((owner.name.lower(), "thing"))
            pairs.append(("whose", to[1]))
        return self.rng.choice(pairs)

    def new_link(self, model: Model, to: Key, *, through: Key | None = None, name: str | None = None) -> Link:
        link = Link(name or self.world.field_name(model, LINKS), to, through=through, related=self.related())
        if through is None and self.chance(0.2):
            link.db_table = self.world.table_name("links")
        link.blank = self.chance(0.2)
        return link

    # Saying things

    def create(self, model: Model, *, links: bool = True, about: Iterable[Key] = ()) -> None:
        """A real CreateModel."""
        self.world.models[model.key] = model
        self.out.emit(model.app, text.create_model(self.world, model, self.rng, links=links), {model.key, *about})

    def operation(
        self, model: Model, operation: str, *about: Key, function: str | None = None, together: bool = False
    ) -> None:
        """An operation in the app of `model`."""
        self.out.emit(model.app, operation, {model.key, *about}, function=function, together=together)

    def wrapped(self, database: list[str], state: list[str]) -> str:
        """A SeparateDatabaseAndState, sometimes inside another one."""
        if self.chance(0.15):
            if not database:
                return text.separate([], [text.separate([], state)])
            if not state:
                return text.separate([text.separate(database, [])], [])
        return text.separate(database, state)

    def settle(self) -> None:
        """What comes next finds link rows in what there is now: they come between migrations."""
        self.out.split()


Recipe: TypeAlias = Callable[[Builder], bool]

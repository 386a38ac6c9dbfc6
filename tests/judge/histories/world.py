"""The generator's own idea of a project: what the state has, and where the database is known to differ.

Not a replay: recipes say themselves what they leave wrong (`missing_table`, `Column.missing`, `undeclared` …), so that
later operations can avoid what only means something on one database, or go for it on purpose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

Key: TypeAlias = tuple[str, str]  # app label, model name in lower case

APPS = ("library", "shop", "people")
# Letter case matters: tables, columns and references are lower case, classes are not.
MODELS = (
    "Book",
    "Author",
    "Tag",
    "Course",
    "BookClub",
    "Member",
    "OrderItem",
    "XRay",
    "Genre",
    "Venue",
    "PhDThesis",
    "Team",
)
LINKS = ("authors", "tags", "members", "related", "parts", "venues", "reviewers", "itemList", "genres", "team_set2")
COLUMNS = ("note", "rank", "weight", "label", "level", "colour", "remark", "score")
THROUGHS = ("Authorship", "Tagging", "Membership", "BookLink", "Assignment", "Pairing", "LineUp", "Rating")
# Longer than PostgreSQL and MySQL allow a name to be, once model and field are put together.
LONG_MODEL = "InternationalStandardSerialNumberRegistration"
LONG_LINK = "contributing_international_editors"


@dataclass(slots=True)
class Column:
    """A field with a column."""

    name: str
    kind: str  # "int", "char", "fk"
    null: bool = False
    default: bool = False
    to: Key | None = None
    db_column: str | None = None
    related: str | None = None
    missing: bool = False  # the state has it, the table has not

    @property
    def column(self) -> str:
        return self.db_column or (f"{self.name}_id" if self.kind == "fk" else self.name)


@dataclass(slots=True)
class Link:
    """A many-to-many field."""

    name: str
    to: Key
    through: Key | None = None
    through_fields: tuple[str, str] | None = None
    db_table: str | None = None
    related: str | None = None
    blank: bool = False
    sound: bool = True  # the table that it looks at exists, with the right columns
    lost: bool = False  # its rows are, and that is not to be hidden by removing it
    pristine: bool = True  # automatic: the table has the name, and its columns have the names, it was made with


@dataclass(slots=True)
class Model:
    app: str
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    db_table: str | None = None
    together: tuple[str, str] | None = None
    constraints: dict[str, tuple[str, str]] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    managed: bool = True
    proxy: Key | None = None
    # What is wrong with it.
    missing_table: bool = False
    undeclared: tuple[str, str] | None = None  # a unique pair of fields that the table has and the state has not
    undeclared_clashes: bool = False  # … and whose name a later AlterUniqueTogether would use again
    false_together: bool = False  # the state's unique pair is not there
    misnamed: str | None = None  # a constraint that the table has under another name
    untouchable: bool = False  # an operation on it raised: what it is now is nobody's business

    @property
    def key(self) -> Key:
        return self.app, self.name.lower()

    @property
    def table(self) -> str:
        return self.db_table or f"{self.app}_{self.name.lower()}"

    @property
    def locked(self) -> bool:
        """Something of it is not as the state says."""
        return (
            self.missing_table
            or self.undeclared is not None
            or self.false_together
            or self.misnamed is not None
            or self.untouchable
            or any(column.missing for column in self.columns.values())
        )

    def foreign_keys(self, to: Key) -> list[Column]:
        return [column for column in self.columns.values() if column.kind == "fk" and column.to == to]


class World:
    """All models, in the order they came into being, and names that are free."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.models: dict[Key, Model] = {}
        self.retired: set[tuple[Key, str]] = (
            set()
        )  # fields that were removed; their names are not given again by chance
        self.retired_targets: set[tuple[Key, Key]] = set()  # (model, target) of relations that were removed
        self.pinned: set[Key] = set()  # models that rows in an orphaned table point to
        self.orphans: list[str] = []
        self.used_names: set[str] = set()

    # Names

    def fresh(self, pool: tuple[str, ...], taken: set[str]) -> str:
        """A name out of `pool`, numbered when all are taken. `taken` is in lower case."""
        names = [name for name in pool if name.lower() not in taken]
        if names:
            return self.rng.choice(names)
        number = 2
        while f"{pool[0]}{number}".lower() in taken:
            number += 1
        return f"{pool[0]}{number}"

    def model_name(self, app: str, pool: tuple[str, ...] = MODELS) -> str:
        """A model name whose default table is free as well; two apps may have models of one name."""
        taken = {name for label, name in self.models if label == app}
        taken |= {name for name in self.used_names if name.startswith(f"{app}.")}
        name = self.fresh(pool, {one.rpartition(".")[2] for one in taken})
        self.used_names.add(f"{app}.{name.lower()}")
        return name

    def field_name(self, model: Model, pool: tuple[str, ...]) -> str:
        taken = {name.lower() for name in (*model.columns, *model.links)}
        taken |= {name.lower() for key, name in self.retired if key == model.key}
        return self.fresh(pool, taken)

    def table_name(self, stem: str) -> str:
        taken = self.used_names
        number = 1
        while f"tbl_{stem}{number}" in taken:
            number += 1
        taken.add(f"tbl_{stem}{number}")
        return f"tbl_{stem}{number}"

    # Looking around

    def links(self) -> Iterator[tuple[Model, Link]]:
        for model in self.models.values():
            for link in model.links.values():
                yield model, link

    def link_table(self, model: Model, link: Link) -> str:
        """The table that the state means. A field's name keeps its letter case in it, a model's does not."""
        if link.through is not None:
            return self.models[link.through].table
        return link.db_table or f"{model.table}_{link.name}"

    def auto_fields(self, model: Model, link: Link) -> tuple[str, str]:
        """The foreign keys of an automatic through model, from the owner and to the target."""
        source, target = model.name.lower(), link.to[1]
        return (f"from_{source}", f"to_{target}") if source == target else (source, target)

    def through_fields(self, model: Model, link: Link) -> tuple[Column, Column]:
        """The two foreign keys of a custom through model that `link` follows: the first of each kind."""
        assert link.through is not None
        through = self.models[link.through]
        if link.through_fields is not None:
            return through.columns[link.through_fields[0]], through.columns[link.through_fields[1]]
        sources, targets = through.foreign_keys(model.key), through.foreign_keys(link.to)
        if model.key == link.to:
            return sources[0], sources[1]
        return sources[0], targets[0]

    def pointing_at(self, key: Key) -> list[Model]:
        """Models with a relation to `key`, its own excepted; proxies of it too."""
        return [
            model
            for model in self.models.values()
            if model.key != key
            and (
                model.proxy == key
                or any(column.to == key for column in model.columns.values())
                or any(key in (link.to, link.through) for link in model.links.values())
            )
        ]

    def references(self, key: Key) -> int:
        """How many fields and proxies refer to `key`."""
        return sum(
            (model.proxy == key)
            + sum(column.to == key for column in model.columns.values())
            + sum((link.to == key) + (link.through == key) for link in model.links.values())
            for model in self.models.values()
        )

    def neighbours(self, key: Key) -> set[Key]:
        """`key`, what it refers to and what refers to it."""
        found = {key, *(model.key for model in self.pointing_at(key))}
        model = self.models.get(key)
        if model is not None:
            found |= {column.to for column in model.columns.values() if column.to is not None}
            for link in model.links.values():
                found |= {link.to} | ({link.through} if link.through is not None else set())
            if model.proxy is not None:
                found.add(model.proxy)
        return found

    def movable(self, model: Model) -> bool:
        """May it be renamed or given another table? Django then rewrites every table with a foreign key to it, which
        SQLite does by copying (see `generator`), so none of them may be at odds with the state."""
        if model.locked or not model.managed or model.proxy is not None:
            return False
        if not all(link.sound for link in model.links.values()):
            return False
        for other in self.pointing_at(model.key):
            # Django alters the foreign keys of unmanaged models, too; their tables do not exist here.
            if other.proxy == model.key or other.untouchable or not other.managed:
                return False
            if other.locked and any(column.to == model.key for column in other.columns.values()):
                return False
            if any(link.to == model.key and not link.sound for link in other.links.values()):
                return False
        return True

    def automatic_name_taken(self, model: Model, link: Link) -> bool:
        """Whether a model has the name of the link's automatic model: Django then takes one for the other."""
        return (model.app, f"{model.name}_{link.name}".lower()) in self.models

    def rename_model(self, model: Model, name: str) -> None:
        """Every reference follows, as it does in Django's state."""
        old = model.key
        was_table = model.table
        model.name = name
        new = model.key
        self.models = {(new if key == old else key): value for key, value in self.models.items()}
        for other in self.models.values():
            for column in other.columns.values():
                if column.to == old:
                    column.to = new
            for link in other.links.values():
                if link.to == old:
                    link.to = new
                    link.pristine = link.pristine and link.through is not None
                if link.through == old:
                    link.through = new
            if other.proxy == old:
                other.proxy = new
        for link in model.links.values():
            link.pristine = link.pristine and link.through is not None
        self.retired = {(new if key == old else key, field) for key, field in self.retired}
        self.retired_targets = {(new if a == old else a, new if b == old else b) for a, b in self.retired_targets}
        self.pinned = {new if key == old else key for key in self.pinned}
        if model.table != was_table:
            model.undeclared_clashes = False

    def remove_link(self, model: Model, link: Link) -> None:
        del model.links[link.name]
        self.retired.add((model.key, link.name))
        self.retired_targets.add((model.key, link.to))


def unique_name(table: str, columns: tuple[str, str]) -> str:
    """The name Django gives the index of a unique_together, as long as nothing has to be cut."""
    digest = hashlib.md5("".join((table, *columns)).encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{table}_{'_'.join(columns)}_{digest}_uniq"


def raw(*names: str) -> bool:
    """May these names stand unquoted in SQL for any database?"""
    return all(name == name.lower() and len(name) <= 60 for name in names)

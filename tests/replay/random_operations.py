"""Random histories of Django operations, right and wrong ones, small enough to read when they fail.

Every history is valid for the project state (fields and models that operations name are there); what the database makes
of it is the question. State-only and database-only halves, wrong table names and wrong recipes are part of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from django.db import migrations as m
from django.db import models
from django.db.migrations.state import ProjectState

MODELS = ("A", "B", "C", "AB", "D")
FIELDS = ("x", "y", "z", "a", "b", "c", "f", "g")


def _is_label(base: Any) -> bool:
    return isinstance(base, str)


class ExtraColumnField(models.ManyToManyField):
    """Like SortedManyToManyField: its automatic table would have one more column (never made here)."""


class Generator:
    """Makes one migration after the other, each fitting the project state that the ones before it left."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.state = ProjectState()
        self.app = "app"
        self.counter = 0
        # What exists, for raw SQL; whoever runs the history keeps it up to date.
        self.tables: list[str] = []

    def migration(self, number: int) -> tuple[str, list[Any]]:
        """The next migration: (app label, operations)."""
        self.app = "app" if self.rng.random() < 0.85 else "other"
        operations: list[Any] = []
        wanted = 1 if self.rng.random() < 0.7 else self.rng.randint(2, 4)
        while len(operations) < wanted:
            operation = self.start() if number < 3 else self.any()
            if operation is not None:
                operations.append(operation)
        return self.app, operations

    def apply(self, operation: Any) -> Any:
        operation.state_forwards(self.app, self.state)
        return operation

    # -- choosing

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def models(self) -> list[Any]:
        """The app's models, without proxies and mostly without unmanaged ones: nobody knows what those have."""
        unmanaged = self.chance(0.05)
        return [
            model
            for key, model in self.state.models.items()
            if key[0] == self.app
            and not model.options.get("proxy")
            and (model.options.get("managed", True) or unmanaged)
        ]

    def everywhere(self) -> list[Any]:
        """Models to point at: an unmanaged one may have no table, and nobody knows."""
        return [
            model
            for model in self.state.models.values()
            if not model.options.get("proxy") and model.options.get("managed", True)
        ]

    def label(self, model: Any) -> str:
        return f"{model.app_label}.{model.name}"

    def free_field(self, model: Any) -> str | None:
        taken = {name for one in self.family(model) for name in one.fields}
        names = [name for name in FIELDS if name not in taken]
        return self.rng.choice(names) if names else None

    def family(self, model: Any) -> list[Any]:
        """The model, those it inherits from and those that inherit from it: no two may have a field of one name."""
        found = [model]
        for one in found:
            bases = {base.lower() for base in one.bases if isinstance(base, str)}
            own = self.label(one).lower()
            found += [
                other
                for other in self.state.models.values()
                if other not in found
                and (self.label(other).lower() in bases or own in map(str.lower, filter(_is_label, other.bases)))
            ]
        return found

    def free_model(self) -> str | None:
        names = [name for name in MODELS if (self.app, name.lower()) not in self.state.models]
        return self.rng.choice(names) if names else None

    def throughs(self) -> list[tuple[Any, Any, Any]]:
        """(owner, target, model) of models that could be used as `through`."""
        found = []
        for model in self.everywhere():
            keys = [
                field
                for field in model.fields.values()
                if isinstance(field, models.ForeignKey) and not isinstance(field, models.OneToOneField)
            ]
            if len(keys) != 2:
                continue
            ends = [self.state.models.get(self.target(field, model)) for field in keys]
            if all(end is not None for end in ends):
                found.append((ends[0], ends[1], model))
        return found

    @staticmethod
    def target(field: Any, model: Any) -> tuple[str, str]:
        label = field.remote_field.model
        if label == "self":
            return model.app_label, model.name_lower
        app, _, name = label.rpartition(".")
        return (app or model.app_label), name.lower()

    def link_names(self) -> list[str]:
        """Names of automatic tables, as far as easily told, and of models."""
        found = []
        for model in self.everywhere():
            table = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
            found.append(table)
            for name, field in model.fields.items():
                if field.many_to_many and not field.remote_field.through:
                    found.append(field.db_table or f"{table}_{name}")
        return found

    # -- fields

    def pk(self) -> tuple[str, Any]:
        return "id", models.BigAutoField(primary_key=True)

    def column(self) -> Any:
        return self.rng.choice(
            [
                lambda: models.IntegerField(null=True),
                lambda: models.IntegerField(default=0),
                lambda: models.BigIntegerField(null=True),
                lambda: models.CharField(max_length=20, null=True),
                lambda: models.CharField(max_length=20, default="", db_index=True),
                lambda: models.IntegerField(null=True, unique=True),
                lambda: models.IntegerField(null=True, db_column=f"col_{self.rng.choice(FIELDS)}"),
            ]
        )()

    def foreign_key(self, to: Any, *, null: bool = True) -> Any:
        options: dict[str, Any] = {"null": null, "related_name": "+" if self.chance(0.5) else f"r{self.count()}"}
        if self.chance(0.15):
            options["db_constraint"] = False
        if self.chance(0.1):
            options["db_index"] = False
        if self.chance(0.1):
            return models.OneToOneField(self.label(to), models.CASCADE, **options)
        return models.ForeignKey(self.label(to), models.CASCADE, **options)

    def count(self) -> int:
        self.counter += 1
        return self.counter

    def many_to_many(self, owner: Any = None) -> Any | None:
        options: dict[str, Any] = {"related_name": f"r{self.count()}"}
        targets = self.everywhere()
        if not targets:
            return None
        if owner is not None and self.chance(0.4):
            fitting = [(end, through) for start, end, through in self.throughs() if start is owner]
            if fitting:
                end, through = self.rng.choice(fitting)
                return models.ManyToManyField(self.label(end), through=self.label(through), **options)
        if owner is not None and self.chance(0.15):
            return models.ManyToManyField("self", symmetrical=False, **options)
        if self.chance(0.15):
            options["db_table"] = self.rng.choice(["zz", "yy", *self.link_names()])
        if self.chance(0.1):
            options["db_constraint"] = False
        cls = ExtraColumnField if self.chance(0.05) else models.ManyToManyField
        return cls(self.label(self.rng.choice(targets)), **options)

    # -- operations

    def start(self) -> Any:
        return self.create_model() or self.any()

    def any(self) -> Any | None:
        choices: list[tuple[Callable[[], Any | None], int]] = [
            (self.create_model, 3),
            (self.create_through, 5),
            (self.delete_model, 3),
            (self.rename_model, 5),
            (self.alter_table, 5),
            (self.add_column, 5),
            (self.add_m2m, 9),
            (self.remove_field, 6),
            (self.alter_column, 6),
            (self.alter_m2m, 9),
            (self.rename_field, 8),
            (self.unique_together, 6),
            (self.index_together, 2),
            (self.add_constraint, 3),
            (self.remove_constraint, 3),
            (self.add_index, 2),
            (self.remove_index, 2),
            (self.rename_index, 1),
            (self.order, 1),
            (self.managed, 1),
            (self.keep_table, 5),
            (self.raw, 2),
        ]
        functions, weights = zip(*choices, strict=True)
        function = self.rng.choices(functions, weights)[0]
        style = self.rng.random()
        if function in (self.keep_table, self.raw) or style < 0.8:
            return self.plain(function)
        if style < 0.9:
            operation = self.plain(function)
            return None if operation is None else m.SeparateDatabaseAndState(state_operations=[operation])
        if style < 0.95:
            # The database side alone, seen from a state that goes no further.
            kept = self.state.clone()
            operation = self.plain(function)
            self.state = kept
            return None if operation is None else m.SeparateDatabaseAndState(database_operations=[operation])
        kept = self.state.clone()
        first = self.plain(function)
        second = self.plain(function) if first is not None else None
        self.state = kept
        if first is None or second is None:
            return None
        state_part = self.plain(function)
        return m.SeparateDatabaseAndState(
            database_operations=[
                m.SeparateDatabaseAndState(database_operations=[first, second]),
            ],
            state_operations=[] if state_part is None else [state_part],
        )

    def plain(self, function: Callable[[], Any | None]) -> Any | None:
        try:
            operation = function()
        except IndexError:  # nothing to choose from
            return None
        return None if operation is None else self.apply(operation)

    def create_model(self) -> Any | None:
        name = self.free_model()
        if name is None:
            return None
        bases: tuple[Any, ...] = (models.Model,)
        fields = [self.pk()]
        options: dict[str, Any] = {}
        parents = self.models()
        parents = [parent for parent in parents if parent.options.get("managed", True)]
        if parents and self.chance(0.06):
            parent = self.rng.choice(parents)
            if "id" in parent.fields:
                if self.chance(0.5):
                    return self._in_place(m.CreateModel(name, [], {"proxy": True}, (self.label(parent),)))
                link = models.OneToOneField(
                    self.label(parent), models.CASCADE, parent_link=True, primary_key=True, auto_created=True
                )
                pointer = f"{parent.name_lower}_ptr"
                return m.CreateModel(name, [(pointer, link)], {}, (self.label(parent).lower(),))
        elif self.chance(0.5):
            fields.append((self.rng.choice(FIELDS[:3]), self.column()))
        if self.chance(0.3) and self.everywhere():
            field = self.many_to_many()
            if field is not None:
                fields.append(("f", field))
        if self.chance(0.12):
            options["db_table"] = self.rng.choice(["zz", *self.link_names(), "yy"])
        if self.chance(0.05) and len(fields) == 1:
            options["managed"] = False
        return m.CreateModel(name, fields, options, bases)

    @staticmethod
    def _in_place(operation: Any) -> Any:
        return operation

    def create_through(self) -> Any | None:
        name = self.free_model()
        ends = self.everywhere()
        if name is None or len(ends) < 2:
            return None
        first, second = self.rng.choice(ends), self.rng.choice(ends)
        fields = [self.pk()]
        left = first.name_lower if self.chance(0.7) else "left"
        right = second.name_lower if self.chance(0.7) and second.name_lower != left else "right"
        fields.append((left, self.foreign_key(first, null=False)))
        fields.append((right, self.foreign_key(second, null=False)))
        if self.chance(0.3):
            fields.append(("x", self.column()))
        options: dict[str, Any] = {}
        if self.chance(0.4):
            options["unique_together"] = {(left, right)}
        elif self.chance(0.2):
            options["constraints"] = [models.UniqueConstraint(fields=[left, right], name=f"u{self.count()}")]
        if self.chance(0.15):
            options["db_table"] = self.rng.choice(self.link_names())
        return m.CreateModel(name, fields, options)

    def referenced(self, model: Any) -> bool:
        key = (model.app_label, model.name_lower)
        for other in self.state.models.values():
            if other is model:
                continue
            if any(isinstance(base, str) and base.lower() == f"{key[0]}.{key[1]}" for base in other.bases):
                return True
            for field in other.fields.values():
                if field.is_relation and self.target(field, other) == key:
                    return True
                through = getattr(field.remote_field, "through", None) if field.is_relation else None
                if through and through.lower() == f"{key[0]}.{key[1]}":
                    return True
        return False

    def delete_model(self) -> Any | None:
        free = [model for model in self.models() if not self.referenced(model)]
        return m.DeleteModel(self.rng.choice(free).name) if free else None

    def has_children(self, model: Any) -> bool:
        label = self.label(model).lower()
        return any(
            isinstance(base, str) and base.lower() == label
            for other in self.state.models.values()
            for base in other.bases
        )

    def rename_model(self) -> Any | None:
        # Django cannot render the children of a renamed model (ticket 23521 and its kind).
        own = [model for model in self.models() if not self.has_children(model)]
        name = self.free_model()
        return m.RenameModel(self.rng.choice(own).name, name) if own and name else None

    def alter_table(self) -> Any | None:
        own = self.models()
        if not own:
            return None
        table = self.rng.choice([None, None, "zz", "yy", "xx", self.rng.choice(self.link_names())])
        return m.AlterModelTable(self.rng.choice(own).name, table)

    def add_column(self) -> Any | None:
        own = self.models()
        if not own:
            return None
        model = self.rng.choice(own)
        name = self.free_field(model)
        if name is None:
            return None
        if self.chance(0.3):
            return m.AddField(model.name, name, self.foreign_key(self.rng.choice(self.everywhere())))
        return m.AddField(model.name, name, self.column())

    def add_m2m(self) -> Any | None:
        own = self.models()
        if not own:
            return None
        model = self.rng.choice(own)
        name = self.free_field(model)
        field = self.many_to_many(model)
        return None if name is None or field is None else m.AddField(model.name, name, field)

    def own_fields(self, wanted: Callable[[Any], bool]) -> list[tuple[Any, str, Any]]:
        return [
            (model, name, field)
            for model in self.models()
            for name, field in model.fields.items()
            if wanted(field) and not field.primary_key and not getattr(field.remote_field, "parent_link", False)
        ]

    def in_options(self, model: Any, name: str) -> bool:
        options = model.options
        listed = [*options.get("unique_together", ()), *options.get("index_together", ())]
        listed += [tuple(item.fields) for item in (*options.get("constraints", ()), *options.get("indexes", ()))]
        return options.get("order_with_respect_to") == name or any(name in fields for fields in listed)

    def is_through(self, model: Any) -> bool:
        label = self.label(model).lower()
        return any(
            field.many_to_many and str(field.remote_field.through or "").lower() == label
            for other in self.state.models.values()
            for field in other.fields.values()
        )

    def remove_field(self) -> Any | None:
        found = [
            (model, name)
            for model, name, field in self.own_fields(lambda field: True)
            if not self.in_options(model, name) and not (field.is_relation and self.is_through(model))
        ]
        if not found:
            return None
        model, name = self.rng.choice(found)
        return m.RemoveField(model.name, name)

    def rename_field(self) -> Any | None:
        found = [
            (model, name)
            for model, name, _ in self.own_fields(lambda field: True)
            if not any(name in item.fields for item in (*model.options["constraints"], *model.options["indexes"]))
            and model.options.get("order_with_respect_to") != name
        ]
        if not found:
            return None
        model, name = self.rng.choice(found)
        new = self.free_field(model)
        return m.RenameField(model.name, name, new) if new else None

    def alter_column(self) -> Any | None:
        found = self.own_fields(lambda field: not field.many_to_many)
        if not found:
            return None
        model, name, old = self.rng.choice(found)
        if old.is_relation:
            if self.is_through(model):
                return None
            to = self.state.models.get(self.target(old, model))
            if to is None or self.chance(0.2):
                to = self.rng.choice(self.everywhere())
            return m.AlterField(model.name, name, self.foreign_key(to, null=old.null))
        return m.AlterField(model.name, name, self.column())

    def alter_m2m(self) -> Any | None:
        found = self.own_fields(lambda field: field.many_to_many)
        if not found:
            return None
        model, name, old = self.rng.choice(found)
        to = self.state.models.get(self.target(old, model))
        roll = self.rng.random()
        field: Any
        if roll < 0.25 and to is not None and not old.remote_field.through:
            field = models.ManyToManyField(self.label(to), related_name=f"r{self.count()}", db_table=old.db_table)
        elif roll < 0.4 and to is not None and not old.remote_field.through:
            field = models.ManyToManyField(self.label(to), related_name=f"r{self.count()}", db_table="ww")
        elif roll < 0.5:
            field = self.column()
        else:
            field = self.many_to_many(model)
        return None if field is None else m.AlterField(model.name, name, field)

    def columns_for_options(self, model: Any) -> list[str]:
        return [name for name, field in model.fields.items() if not field.many_to_many and not field.primary_key]

    def unique_together(self) -> Any | None:
        own = [model for model in self.models() if len(self.columns_for_options(model)) >= 2]
        if not own:
            return None
        model = self.rng.choice(own)
        value: set[tuple[str, ...]] = set()
        if not model.options.get("unique_together") or self.chance(0.3):
            value = {tuple(self.rng.sample(self.columns_for_options(model), 2))}
        return m.AlterUniqueTogether(model.name, value)

    def index_together(self) -> Any | None:
        own = [model for model in self.models() if len(self.columns_for_options(model)) >= 2]
        if not own:
            return None
        model = self.rng.choice(own)
        value: set[tuple[str, ...]] = set()
        if not model.options.get("index_together"):
            value = {tuple(self.rng.sample(self.columns_for_options(model), 2))}
        return m.AlterIndexTogether(model.name, value)

    def add_constraint(self) -> Any | None:
        own = [model for model in self.models() if len(self.columns_for_options(model)) >= 2]
        if not own:
            return None
        model = self.rng.choice(own)
        fields = self.rng.sample(self.columns_for_options(model), 2)
        if self.chance(0.2):
            constraint = models.UniqueConstraint(
                fields=fields, name=f"partial{self.count()}", condition=models.Q(id__gt=3)
            )
        else:
            constraint = models.UniqueConstraint(fields=fields, name=f"u{self.count()}")
        return m.AddConstraint(model.name, constraint)

    def remove_constraint(self) -> Any | None:
        own = [model for model in self.models() if model.options["constraints"]]
        if not own:
            return None
        model = self.rng.choice(own)
        return m.RemoveConstraint(model.name, model.options["constraints"][0].name)

    def add_index(self) -> Any | None:
        own = [model for model in self.models() if self.columns_for_options(model)]
        if not own:
            return None
        model = self.rng.choice(own)
        fields = self.rng.sample(self.columns_for_options(model), 1)
        return m.AddIndex(model.name, models.Index(fields=fields, name=f"i{self.rng.randint(1, 6)}_{self.count()}"))

    def remove_index(self) -> Any | None:
        own = [model for model in self.models() if model.options["indexes"]]
        if not own:
            return None
        model = self.rng.choice(own)
        return m.RemoveIndex(model.name, model.options["indexes"][0].name)

    def rename_index(self) -> Any | None:
        own = [model for model in self.models() if model.options["indexes"]]
        if not own:
            return None
        model = self.rng.choice(own)
        return m.RenameIndex(model.name, f"n{self.count()}", model.options["indexes"][0].name)

    def order(self) -> Any | None:
        found = self.own_fields(lambda field: field.is_relation and not field.many_to_many)
        if not found:
            return None
        model, name, _ = self.rng.choice(found)
        value = None if model.options.get("order_with_respect_to") else name
        return m.AlterOrderWithRespectTo(model.name, value)

    def managed(self) -> Any | None:
        own = [model for key, model in self.state.models.items() if key[0] == self.app]
        own = [model for model in own if not model.options.get("proxy")]
        return m.AlterModelOptions(self.rng.choice(own).name, {"managed": self.chance(0.6)})

    def keep_table(self) -> Any | None:
        """The state-only switch to `through`, in a right or a wrong form; or the way back."""
        found = self.own_fields(lambda field: field.many_to_many)
        if not found:
            return None
        model, name, old = self.rng.choice(found)
        to = self.state.models.get(self.target(old, model))
        if to is None:
            return None
        through = old.remote_field.through
        if through:
            owner = self.state.models.get(tuple(through.lower().split(".")))  # type: ignore[arg-type]
            if owner is None:
                return None
            table = owner.options.get("db_table") or f"{owner.app_label}_{owner.name_lower}"
            back = models.ManyToManyField(self.label(to), related_name=f"r{self.count()}", db_table=table)
            operations: list[Any] = [m.AlterField(model.name, name, back)]
            if owner.app_label == self.app and not self.referenced_but(owner, model, name):
                operations.append(m.DeleteModel(owner.name))
            return m.SeparateDatabaseAndState(state_operations=operations)
        new = self.free_model()
        if new is None:
            return None
        owner_table = model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"
        link = old.db_table or f"{owner_table}_{name}"
        source, target = model.name_lower, to.name_lower
        if source == target:
            source, target = f"from_{source}", f"to_{target}"
        if self.chance(0.2):
            source = "owner"
        options: dict[str, Any] = {}
        if self.chance(0.75):
            options["db_table"] = link
        if self.chance(0.7):
            options["unique_together"] = {(source, target)}
        elif self.chance(0.3):
            options["constraints"] = [models.UniqueConstraint(fields=[source, target], name=f"u{self.count()}")]
        fields = [
            self.pk(),
            (source, models.ForeignKey(self.label(model), models.CASCADE, related_name=f"r{self.count()}")),
            (target, models.ForeignKey(self.label(to), models.CASCADE, related_name=f"r{self.count()}")),
        ]
        if self.chance(0.1):
            fields.append(("x", models.IntegerField(default=0)))
        switched = models.ManyToManyField(self.label(to), through=f"{self.app}.{new}", related_name=f"r{self.count()}")
        return m.SeparateDatabaseAndState(
            state_operations=[m.CreateModel(new, fields, options), m.AlterField(model.name, name, switched)]
        )

    def referenced_but(self, through: Any, owner: Any, name: str) -> bool:
        """Whether anything else than one field uses the through model."""
        key = (through.app_label, through.name_lower)
        for other in self.state.models.values():
            if other is through:
                continue
            for field_name, field in other.fields.items():
                if other is owner and field_name == name:
                    continue
                if field.is_relation and self.target(field, other) == key:
                    return True
                used = getattr(field.remote_field, "through", None) if field.is_relation else None
                if used and used.lower() == f"{key[0]}.{key[1]}":
                    return True
            if any(isinstance(base, str) and base.lower() == f"{key[0]}.{key[1]}" for base in other.bases):
                return True
        return False

    def raw(self) -> Any | None:
        names = self.link_names()
        if not names or not self.tables:
            return None
        one = self.rng.choice(self.tables)
        other = self.rng.choice(["raw_one", "raw_two", self.rng.choice(names)])
        statement = self.rng.choice(
            [
                f"CREATE TABLE {other} (id bigint PRIMARY KEY)",
                f"DROP TABLE IF EXISTS {other}",
                f"ALTER TABLE {one} RENAME TO {other}",
                f"ALTER TABLE {one} ADD COLUMN extra_{self.rng.choice(FIELDS)} integer",
            ]
        )
        return m.RunSQL(statement)

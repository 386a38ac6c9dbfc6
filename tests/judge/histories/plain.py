"""Single operations that are right: they keep every row, or drop what somebody wanted to drop."""

from __future__ import annotations

from . import text
from .builder import Builder, Recipe
from .world import LINKS, LONG_LINK, LONG_MODEL, THROUGHS, Column, Key, Model


def start(b: Builder) -> None:
    """The initial set-up: one to three apps, two to five models, one to three many-to-manys."""
    apps = b.rng.sample(("library", "shop", "people"), b.rng.choice((1, 1, 2, 2, 3)))
    b.out.split_chance = 0.2
    for number in range(b.rng.randint(2, 5)):
        app = apps[number] if number < len(apps) else b.rng.choice(apps)
        long = b.chance(0.04)
        name = LONG_MODEL if long and (app, LONG_MODEL.lower()) not in b.world.models else b.world.model_name(app)
        model = b.new_model(app, name)
        if b.chance(0.15):
            model.db_table = b.world.table_name("model")
        targets = [key for key, one in b.world.models.items() if one.managed and one.proxy is None]
        if targets and b.chance(0.35):
            to = b.rng.choice(targets)
            foreign_key = Column(f"main_{to[1][:12]}", "fk", null=True, to=to, related=b.related())
            model.columns[foreign_key.name] = foreign_key
        if targets and b.chance(0.6):
            _inside(b, model, b.rng.choice([*targets, model.key] if b.chance(0.3) else targets))
        if b.chance(0.05):
            model.managed = False
        b.create(model)
        if model.managed and not model.links and b.chance(0.1):
            proxy = Model(app, b.world.model_name(app), proxy=model.key)
            b.create(proxy, about=(model.key,))
    for _ in range(b.rng.randint(0 if any(b.world.links()) else 1, 2)):
        add_custom(b) if b.chance(0.45) else add_automatic(b)
    b.out.split_chance = 0.4
    b.settle()


def _inside(b: Builder, model: Model, to: Key) -> None:
    """A many-to-many in the CreateModel itself."""
    b.world.models[model.key] = model  # for a link to itself
    link = b.new_link(model, to, name=LONG_LINK if model.name == LONG_MODEL else None)
    model.links[link.name] = link
    del b.world.models[model.key]


def _owners(b: Builder) -> list[Model]:
    """Models that a many-to-many may be added to, or point to."""
    return [
        model
        for model in b.world.models.values()
        if model.managed and model.proxy is None and not model.untouchable and not b.is_through(model)
    ]


def add_automatic(b: Builder) -> bool:
    models = [model for model in _owners(b) if not model.locked]
    if not models:
        return False
    model = b.rng.choice(models)
    targets = [
        one.key
        for one in b.world.models.values()
        if one.managed
        and not one.untouchable
        and (model.key, one.key) not in b.world.retired_targets
        and not any(column.to == one.key for column in model.columns.values())
    ]
    if not targets:
        return False
    link = b.new_link(model, b.rng.choice(targets))
    model.links[link.name] = link
    b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
    return True


def add_custom(b: Builder) -> bool:
    """CreateModel of the through model, then the field."""
    models = [model for model in _owners(b) if not model.locked]
    if not models:
        return False
    model = b.rng.choice(models)
    targets = [
        one.key
        for one in _owners(b)
        if not one.locked
        and (model.key, one.key) not in b.world.retired_targets
        and not any(column.to == one.key for column in model.columns.values())
    ]
    if not targets:
        return False
    to = b.rng.choice(targets)
    app = model.app if b.chance(0.8) else b.world.models[to].app
    through = b.new_through(app, model, to)
    if b.chance(0.5):
        through.together = _pair(through)
    elif b.chance(0.3):
        through.constraints[f"uniq_{through.name.lower()}"] = _pair(through)
    if b.chance(0.2):
        through.db_table = b.world.table_name("through")
    b.create(through, about=(model.key, to))
    link = b.new_link(model, to, through=through.key)
    if model.key != to and b.chance(0.2):
        link.through_fields = _pair(through)
    model.links[link.name] = link
    b.operation(model, text.add_link(b.world, model, link, b.rng), to, through.key)
    return True


def _pair(through: Model) -> tuple[str, str]:
    first, second = list(through.columns)[:2]
    return first, second


def other_options(b: Builder) -> bool:
    """AlterField that changes nothing of the database."""
    found = b.pick(b.auto_links() + b.custom_links())
    if found is None:
        return False
    model, link = found
    what = b.rng.choice(("blank", "related", "fields"))
    if what == "fields" and link.through is not None and model.key != link.to and link.through_fields is None:
        link.through_fields = (
            b.world.through_fields(model, link)[0].name,
            b.world.through_fields(model, link)[1].name,
        )
    elif what == "related":
        link.related = b.related()
    else:
        link.blank = not link.blank
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
    return True


def other_table(b: Builder) -> bool:
    """AlterField of an automatic many-to-many with another db_table."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    link.db_table = None if link.db_table is not None and b.chance(0.5) else b.world.table_name("links")
    link.pristine = False
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
    return True


def rename_link(b: Builder) -> bool:
    found = b.pick(b.auto_links() + b.custom_links())
    if found is None:
        return False
    model, link = found
    name = b.world.field_name(model, LINKS)
    operation = text.rename_field(model, link.name, name)
    b.world.retired.add((model.key, link.name))
    model.links = {(name if key == link.name else key): value for key, value in model.links.items()}
    link.name = name
    link.pristine = link.pristine and (link.db_table is not None or link.through is not None)
    b.operation(model, operation, link.to)
    return True


def rename_model(b: Builder) -> bool:
    model = b.pick_model(model for model in b.world.models.values() if b.world.movable(model))
    if model is None:
        return False
    about = b.world.neighbours(model.key)
    name = b.world.model_name(model.app, THROUGHS if b.is_through(model) else ("Entry", "Record", "Piece", "Asset"))
    operation = f'migrations.RenameModel(old_name="{model.name}", new_name="{name}")'
    b.world.rename_model(model, name)
    b.out.emit(model.app, operation, {model.key, *(key for key in about if key in b.world.models)})
    return True


def alter_model_table(b: Builder) -> bool:
    # Renaming one table copies nothing, so a missing column does not matter; a missing table does.
    model = b.pick_model(
        model
        for model in b.world.models.values()
        if model.managed
        and model.proxy is None
        and not model.missing_table
        and not model.untouchable
        and not model.misnamed
        and all(link.sound for link in model.links.values())
    )
    if model is None:
        return False
    model.db_table = None if model.db_table is not None and b.chance(0.6) else b.world.table_name("model")
    for link in model.links.values():
        link.pristine = link.pristine and (link.db_table is not None or link.through is not None)
    model.undeclared_clashes = False
    b.operation(model, text.alter_table(model, model.db_table))
    return True


def add_column(b: Builder) -> bool:
    model = b.pick_model(_editable(b, simple=True))
    if model is None:
        return False
    if not model.locked and b.chance(0.15):
        targets = [
            one.key
            for one in _owners(b)
            if (model.key, one.key) not in b.world.retired_targets
            and one.key != model.key
            and not any(link.to == one.key for link in model.links.values())
            and not any(column.to == one.key for column in model.columns.values())
        ]
        if targets and not b.is_through(model):
            to = b.rng.choice(targets)
            foreign_key = Column(b.world.field_name(model, ("origin", "parent", "see")), "fk", True, to=to)
            foreign_key.related = b.related()
            model.columns[foreign_key.name] = foreign_key
            b.operation(model, text.add_column(b.world, model, foreign_key, b.rng), to)
            return True
    column = b.new_column(model, simple=model.locked)
    model.columns[column.name] = column
    b.operation(model, text.add_column(b.world, model, column, b.rng))
    return True


def remove_column(b: Builder) -> bool:
    model = b.pick_model(_editable(b))
    columns = [] if model is None else [c for c in model.columns.values() if c.kind != "fk" and not indexed(model, c)]
    if model is None or not columns:
        return False
    column = b.rng.choice(columns)
    del model.columns[column.name]
    b.world.retired.add((model.key, column.name))
    b.operation(model, text.remove_field(model, column.name))
    return True


def rename_column(b: Builder) -> bool:
    """A plain column, or a foreign key of a through model."""
    model = b.pick_model(_editable(b))
    if model is None:
        return False
    # through_fields would keep the old name: Django does not follow it.
    held = {name for _, link in b.users(model) if link.through_fields for name in link.through_fields}
    # Constraints and indexes would as well: makemigrations removes and adds those, and so do other recipes.
    held |= {name for pair in model.constraints.values() for name in pair} | set(model.indexes.values())
    columns = [column for column in model.columns.values() if column.name not in held]
    if not columns:
        return False
    column = b.rng.choice(columns)
    name = b.world.field_name(model, ("former", "renamed", "other", "newer"))
    operation = text.rename_field(model, column.name, name)
    rename_in(model, column.name, name)
    b.operation(model, operation, *([] if column.to is None else [column.to]))
    return True


def rename_in(model: Model, old: str, new: str) -> None:
    """RenameField of a column, with what names it."""
    model.columns = {(new if key == old else key): value for key, value in model.columns.items()}
    model.columns[new].name = new

    def follow(pair: tuple[str, str]) -> tuple[str, str]:
        return (new if pair[0] == old else pair[0], new if pair[1] == old else pair[1])

    model.together = None if model.together is None else follow(model.together)


def change_together(b: Builder) -> bool:
    """AlterUniqueTogether: the pair of a through model, on or off."""
    model = b.pick_model(_throughs(b))
    if model is None or model.constraints:
        return False
    model.together = _pair(model) if model.together is None else None
    b.operation(model, text.alter_together(model, model.together, b.rng))
    return True


def change_constraint(b: Builder) -> bool:
    """AddConstraint or RemoveConstraint on a through model."""
    model = b.pick_model(_throughs(b))
    if model is None or model.together is not None:
        return False
    if model.constraints:
        name = b.rng.choice(sorted(model.constraints))
        del model.constraints[name]
        b.operation(model, f'migrations.RemoveConstraint(model_name="{model.name.lower()}", name="{name}")')
        return True
    name = f"uniq_{model.name.lower()}_{b.out.count}"
    model.constraints[name] = _pair(model)
    constraint = text.constraint(name, model.constraints[name])
    b.operation(model, f'migrations.AddConstraint(model_name="{model.name.lower()}", constraint={constraint})')
    return True


def change_index(b: Builder) -> bool:
    model = b.pick_model(model for model in _editable(b) if model.columns)
    if model is None:
        return False
    if model.indexes:
        name = b.rng.choice(sorted(model.indexes))
        del model.indexes[name]
        b.operation(model, f'migrations.RemoveIndex(model_name="{model.name.lower()}", name="{name}")')
        return True
    name, field = f"idx{b.out.count}_{model.name.lower()[:12]}", b.rng.choice(list(model.columns))
    model.indexes[name] = field
    index = f'models.Index(fields=["{field}"], name="{name}")'
    b.operation(model, f'migrations.AddIndex(model_name="{model.name.lower()}", index={index})')
    return True


def new_model(b: Builder) -> bool:
    app = b.rng.choice(sorted({model.app for model in b.world.models.values()}))
    model = b.new_model(app, b.world.model_name(app))
    targets = [one.key for one in _owners(b)]
    if targets and b.chance(0.4):
        _inside(b, model, b.rng.choice(targets))
    b.create(model)
    return True


def drop_link(b: Builder) -> bool:
    """RemoveField for good, sometimes with its through model."""
    found = b.pick((model, link) for model, link in b.auto_links() + b.custom_links() if not link.lost)
    if found is None:
        return False
    model, link = found
    about = b.world.neighbours(model.key)
    b.world.remove_link(model, link)
    b.out.emit(model.app, text.remove_field(model, link.name), about)
    if link.through is not None and b.chance(0.6):
        drop_model(b, b.world.models[link.through])
    return True


def drop_model(b: Builder, model: Model | None = None) -> bool:
    """DeleteModel of a model that nothing refers to."""
    options = [
        one
        for one in b.world.models.values()
        if not b.world.pointing_at(one.key)
        and one.key not in b.world.pinned
        and not one.missing_table
        and not one.untouchable
        and all(link.sound for link in one.links.values())
    ]
    if model is None:
        model = b.pick_model(options) if len(b.world.models) > 3 else None
    if model is None or model not in options:
        return False
    about = b.world.neighbours(model.key)
    del b.world.models[model.key]
    b.out.emit(model.app, text.delete_model(model), {key for key in about if key in b.world.models})
    return True


def far_apart(b: Builder) -> bool:
    """A field removed, and one of that name added so much later that it is another one."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    b.world.remove_link(model, link)
    b.operation(model, text.remove_field(model, link.name), link.to)
    for _ in range(3):
        b.settle()
        column = b.new_column(model, simple=True)
        model.columns[column.name] = column
        b.operation(model, text.add_column(b.world, model, column, b.rng))
    b.settle()
    link.pristine = True
    model.links[link.name] = link
    b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
    return True


def model_options(b: Builder) -> bool:
    model = b.pick_model(one for one in b.world.models.values() if not one.untouchable)
    if model is None:
        return False
    options = '{"verbose_name": "thing"}' if model.managed else '{"verbose_name": "thing", "managed": False}'
    b.operation(model, f'migrations.AlterModelOptions(name="{model.name.lower()}", options={options})')
    return True


def unrelated_code(b: Builder) -> bool:
    """RunPython or RunSQL that touches no link."""
    model = b.pick_model(
        one for one in _editable(b) if not b.is_through(one) and any(c.kind != "fk" for c in one.columns.values())
    )
    if model is None:
        return False
    column = next(column for column in model.columns.values() if column.kind != "fk")
    value = "''" if column.kind == "char" else "0"
    if b.chance(0.4) and model.table == model.table.lower() and len(model.table) <= 60:
        sql = f"UPDATE {model.table} SET {column.column} = {value} WHERE {column.column} IS NULL"
        b.operation(model, text.run_sql(sql, b.rng.choice((None, ""))))
    else:
        name = f"fill_{column.name}{b.out.count}"
        function = (
            f"def {name}(apps, schema_editor):\n"
            f'    {model.name} = apps.get_model("{model.app}", "{model.name}")\n'
            f"    {model.name}.objects.filter({column.name}=None).update({column.name}={value})\n"
        )
        b.operation(model, f"migrations.RunPython({name}, migrations.RunPython.noop)", function=function)
    b.settle()
    return True


def unmanaged_change(b: Builder) -> bool:
    """`through=` added on a model that Django runs nothing for."""
    owners = [model for model in b.world.models.values() if not model.managed and model.proxy is None]
    targets = [model.key for model in _owners(b)]
    if not owners or not targets:
        return False
    model = b.rng.choice(owners)
    links = [link for link in model.links.values() if link.through is None]
    if links:
        link = b.rng.choice(links)
    else:
        link = b.new_link(model, b.rng.choice(targets))
        model.links[link.name] = link
        b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
    through = b.new_through(model.app, model, link.to)
    through.managed = False
    b.create(through, about=(model.key, link.to))
    link.through, link.db_table = through.key, None
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to, through.key)
    return True


def to_proxy(b: Builder) -> bool:
    """Another `to`, which is a proxy of the old one or the model of the old proxy: the same table."""
    proxies = {model.proxy: model.key for model in b.world.models.values() if model.proxy is not None}
    options = [(model, link) for model, link in b.auto_links() if link.to in proxies]
    found = b.pick(options)
    if found is None:
        return False
    model, link = found
    # The column is named after the model that the field points to.
    link.to = proxies[link.to]
    link.pristine = False
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
    return True


def _editable(b: Builder, *, simple: bool = False) -> list[Model]:
    """Models whose columns may change. `simple`: also those with a missing column, which SQLite must not copy."""
    return [
        model
        for model in b.world.models.values()
        if model.managed
        and model.proxy is None
        and not model.untouchable
        and not model.missing_table
        and (simple or not model.locked)
    ]


def _throughs(b: Builder) -> list[Model]:
    """Through models of fields that are as the state says, or that will be."""
    return [model for model in _editable(b) if b.is_through(model)]


def indexed(model: Model, column: Column) -> bool:
    names = {name for pair in (model.together, *model.constraints.values()) if pair for name in pair}
    return column.name in names or column.name in model.indexes.values()


PLAIN: tuple[tuple[int, Recipe], ...] = (
    (5, other_options),
    (4, other_table),
    (5, rename_link),
    (6, rename_model),
    (5, alter_model_table),
    (5, add_column),
    (3, remove_column),
    (5, rename_column),
    (4, change_together),
    (4, change_constraint),
    (2, change_index),
    (2, new_model),
    (3, add_automatic),
    (3, add_custom),
    (3, drop_link),
    (2, drop_model),
    (2, far_apart),
    (1, model_options),
    (3, unrelated_code),
    (2, unmanaged_change),
    (2, to_proxy),
)

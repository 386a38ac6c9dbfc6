"""Changes of `through=` and what goes with them: state-only recipes, copies, swaps, moves. All of them right."""

from __future__ import annotations

from . import text
from .builder import Builder, Recipe
from .copies import automatic, copy, custom
from .plain import indexed, rename_in
from .world import Link, Model, raw, unique_name


def switch(
    b: Builder,
    model: Model,
    link: Link,
    through: Model,
    *,
    database: list[str] | None = None,
    sql: tuple[str, str | None] | None = None,
    columns: dict[str, str] | None = None,
) -> None:
    """Emit the state-only CreateModel and AlterField, in one of the shapes that mean the same.

    `database` operations go with them, or `sql` with its reverse. `columns` gives foreign keys a db_column.
    """
    for name, column in (columns or {}).items():
        through.columns[name].db_column = column
    world = b.world
    world.models[through.key] = through
    link.through, link.db_table, link.through_fields = through.key, None, None
    create = text.create_model(world, through, b.rng)
    alter = text.alter_link(world, model, link, b.rng)
    about = {model.key, link.to, through.key}
    if sql is not None and b.chance(0.4):
        b.out.emit(through.app, text.run_sql(sql[0], sql[1], [create, alter]), about)
        return
    database = ([text.run_sql(*sql)] if sql is not None else []) + (database or [])
    if not database and b.chance(0.2):
        b.out.emit(through.app, b.wrapped([], [create]), about)
        b.out.emit(through.app, b.wrapped([], [alter]), about)
        return
    # The reference is resolved as soon as the model comes, in the same operation.
    state = [alter, create] if b.chance(0.1) else [create, alter]
    b.out.emit(through.app, b.wrapped(database, state), about)


def like_the_automatic(b: Builder, model: Model, link: Link, *, name: str | None = None) -> Model:
    """A through model with the automatic table's columns; not yet in the world. Its app is the owner's: both halves of
    the switch are operations of one app."""
    return b.new_through(model.app, model, link.to, fields=b.world.auto_fields(model, link), extras=False, name=name)


def keep_table(b: Builder) -> bool:
    """The state-only model sits on the automatic table."""
    found = b.pick(b.auto_links(plain_names=True))
    if found is None:
        return False
    model, link = found
    table = b.world.link_table(model, link)
    through = like_the_automatic(b, model, link)
    first, second = through.columns
    through.db_table = table
    pair = (first, second)
    historical = unique_name(table, (f"{first}_id", f"{second}_id"))
    if link.pristine and len(historical) <= 60 and b.chance(0.3):
        through.constraints[historical] = pair
    else:
        through.together = pair
    if not through.constraints and b.chance(0.35):
        names = b.other_names(model, link.to)
        rename_in(through, first, names[0])
        rename_in(through, second, names[1])
        switch(b, model, link, through, columns={names[0]: f"{first}_id", names[1]: f"{second}_id"})
    else:
        switch(b, model, link, through)
        name = b.other_names(model, link.to)[0]
        if name not in through.columns and not through.constraints and b.chance(0.3):
            operation = text.rename_field(through, first, name)
            rename_in(through, first, name)
            b.operation(through, operation, model.key)
    if b.chance(0.4):
        through.db_table = None if b.chance(0.8) else b.world.table_name("through")
        b.operation(through, text.alter_table(through, through.db_table))
    if b.chance(0.4):
        column = b.new_column(through)
        through.columns[column.name] = column
        b.operation(through, text.add_column(b.world, through, column, b.rng))
    return True


def named_after_the_table(b: Builder) -> bool:
    """State-only with neither db_table nor rename, and right: the model's default table is the automatic table."""
    found = b.pick(
        (model, link)
        for model, link in b.auto_links(plain_names=True)
        if model.db_table is None
        and link.db_table is None
        and link.name == link.name.lower()
        and not b.world.automatic_name_taken(model, link)
    )
    if found is None:
        return False
    model, link = found
    through = like_the_automatic(b, model, link, name=f"{model.name}_{link.name}")
    first, second = through.columns
    through.together = (first, second)
    switch(b, model, link, through)
    return True


def rename_table(b: Builder) -> bool:
    """The automatic table gets the model's name, by SQL or by the field's own db_table."""
    found = b.pick(b.auto_links(plain_names=True))
    if found is None:
        return False
    model, link = found
    table = b.world.link_table(model, link)
    through = like_the_automatic(b, model, link)
    first, second = through.columns
    through.together = (first, second)
    b.settle()  # what Django still has to create for a new table, it creates under the old name
    if not raw(table, through.table) or b.chance(0.3):
        there = Link(link.name, link.to, db_table=through.table, related=link.related, blank=link.blank)
        switch(b, model, link, through, database=[text.alter_link(b.world, model, there, b.rng)])
    else:
        sql, reverse = text.rename_table(table, through.table)
        switch(b, model, link, through, sql=(sql, reverse if b.chance(0.8) else None))
    return True


def removable(b: Builder, *, right: bool = True) -> list[tuple[Model, Link]]:
    """Custom many-to-manys whose through model nothing else uses. `right`: its table could be an automatic one."""
    found = []
    for model, link in b.custom_links():
        assert link.through is not None
        through = b.world.models[link.through]
        if b.world.references(through.key) != 1 or through.links:
            continue
        if b.world.automatic_name_taken(model, link) and through.name.lower() != f"{model.name}_{link.name}".lower():
            continue  # by another model than the one that goes
        if through.app != model.app:
            continue  # one state operation list cannot delete the model of another app
        if right != fits_automatic(b, model, link, through):
            continue
        found.append((model, link))
    return found


def fits_automatic(b: Builder, model: Model, link: Link, through: Model) -> bool:
    fields = b.world.auto_fields(model, link)
    columns = [column.column for column in b.world.through_fields(model, link)]
    pairs = [through.together, *through.constraints.values()]
    names = {column.name for column in b.world.through_fields(model, link)}
    return (
        columns == [f"{field}_id" for field in fields]
        and any(pair is not None and set(pair) == names for pair in pairs)
        and all(column.null or column.name in names for column in through.columns.values())
    )


def remove_through(b: Builder) -> bool:
    """The other direction: the automatic many-to-many sits on the through model's table, or the table moves."""
    found = b.pick(removable(b))
    if found is None:
        return False
    model, link = found
    assert link.through is not None
    through = b.world.models[link.through]
    link.through, link.through_fields, link.pristine = None, None, False
    database = []
    table = b.world.link_table(model, link)
    if b.chance(0.3) and len(table) <= 60 and table not in b.world.orphans:
        database = [text.alter_table(through, table)]
    elif table != through.table:
        link.db_table = through.table
    alter = text.alter_link(b.world, model, link, b.rng)
    operation = b.wrapped(database, [alter, text.delete_model(through)])
    b.operation(model, operation, link.to, through.key)
    del b.world.models[through.key]
    return True


def fresh_through(b: Builder, model: Model, link: Link, app: str) -> Model:
    """A real, new through model for `link`, created."""
    through = b.new_through(app, model, link.to)
    first, second = list(through.columns)[:2]
    if b.chance(0.6):
        through.together = (first, second)
    b.create(through, about=(model.key, link.to))
    return through


def ends(through: Model) -> tuple[str, str]:
    first, second = list(through.columns)[:2]
    return first, second


def copy_then_switch(b: Builder) -> bool:
    """A model with a table of its own, a copy, and then the old table goes with the state's change."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    b.settle()
    through = fresh_through(b, model, link, model.app)
    about = {model.key, link.to, through.key}
    app = model.app if b.chance(0.8) else b.world.models[link.to].app
    copy(b, app, model, link, automatic(b, model, link), custom(b, through, ends(through)), about)
    old = b.world.link_table(model, link)
    remove = text.remove_field(model, link.name)
    if raw(old) and b.chance(0.2):
        remove = text.run_sql(f"DROP TABLE {old}", "")
    link.through, link.db_table = through.key, None
    b.out.emit(model.app, b.wrapped([remove], [text.alter_link(b.world, model, link, b.rng)]), about)
    return True


def swap(b: Builder) -> bool:
    """Another through model, after a copy into its table."""
    found = b.pick(b.custom_links())
    if found is None:
        return False
    model, link = found
    assert link.through is not None
    old = b.world.models[link.through]
    fields = tuple(column.name for column in b.world.through_fields(model, link))
    b.settle()
    new = fresh_through(b, model, link, model.app if b.chance(0.7) else old.app)
    about = {model.key, link.to, old.key, new.key}
    copy(b, new.app, model, link, custom(b, old, (fields[0], fields[1])), custom(b, new, ends(new)), about)
    link.through, link.through_fields = new.key, None
    b.operation(model, text.alter_link(b.world, model, link, b.rng), *sorted(about))
    drop_unused(b, old)
    return True


def drop_unused(b: Builder, through: Model, probability: float = 0.5) -> None:
    """DeleteModel of a through model that nothing uses any more, sometimes."""
    if not b.world.pointing_at(through.key) and b.chance(probability) and through.key not in b.world.pinned:
        about = {key for key in b.world.neighbours(through.key) if key != through.key}
        del b.world.models[through.key]
        b.out.emit(through.app, text.delete_model(through), about)


def copy_then_recreate(b: Builder) -> bool:
    """RemoveField and AddField with `through=`, but the rows were copied before."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    b.settle()
    through = fresh_through(b, model, link, model.app)
    about = {model.key, link.to, through.key}
    copy(b, model.app, model, link, automatic(b, model, link), custom(b, through, ends(through)), about)
    b.operation(model, text.remove_field(model, link.name), link.to)
    link.through, link.db_table = through.key, None
    b.operation(model, text.add_link(b.world, model, link, b.rng), link.to, through.key)
    return True


def same_through_again(b: Builder) -> bool:
    """RemoveField and AddField of a custom many-to-many through the same model: nothing happens to the rows."""
    found = b.pick(b.custom_links())
    if found is None:
        return False
    model, link = found
    b.operation(model, text.remove_field(model, link.name), link.to)
    b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
    return True


def temporary_field(b: Builder) -> bool:
    """A second many-to-many through the new model, a copy, the old field away, the new one renamed. In two runs."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    b.settle()
    through = fresh_through(b, model, link, model.app)
    about = {model.key, link.to, through.key}
    name = b.world.field_name(model, (f"new_{link.name}",))
    new = Link(name, link.to, through=through.key, related=b.related())
    model.links[name] = new
    b.operation(model, text.add_link(b.world, model, new, b.rng), link.to, through.key)
    copy(b, model.app, model, link, automatic(b, model, link), custom(b, through, ends(through)), about)
    b.operation(model, text.remove_field(model, link.name), link.to)
    operation = text.rename_field(model, name, link.name)
    del model.links[name]
    new.name = link.name
    model.links[link.name] = new
    b.operation(model, operation, link.to)
    return True


def foreign_key_to_many(b: Builder) -> bool:
    """A foreign key becomes a many-to-many: added beside it, filled, and only then the foreign key goes."""
    options = [
        (model, column)
        for model in b.world.models.values()
        for column in model.columns.values()
        if model.managed
        and not model.locked
        and model.proxy is None
        and not b.is_through(model)
        and column.kind == "fk"
        and column.to is not None
        and column.to != model.key
        and not b.world.models[column.to].untouchable
        and not any(link.to == column.to for link in model.links.values())
        and not indexed(model, column)
        and (model.key, column.to) not in b.world.retired_targets
    ]
    if not options:
        return False
    model, column = b.rng.choice(options)
    assert column.to is not None
    b.settle()
    link = b.new_link(model, column.to)
    model.links[link.name] = link
    b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
    name = f"spread_{column.name}{b.out.count}"
    add = f"one.{link.name}.add(one.{column.name})"
    function = (
        f"def {name}(apps, schema_editor):\n"
        f'    {model.name} = apps.get_model("{model.app}", "{model.name}")\n'
        f"    for one in {model.name}.objects.exclude({column.name}=None):\n        {add}\n"
    )
    b.operation(model, f"migrations.RunPython({name}, migrations.RunPython.noop)", link.to, function=function)
    b.settle()
    del model.columns[column.name]
    b.world.retired.add((model.key, column.name))
    b.world.retired_targets.add((model.key, link.to))
    b.operation(model, text.remove_field(model, column.name), link.to)
    return True


def move_model(b: Builder) -> bool:
    """A model moves to another app with its tables: state-only there, and here only the tables are renamed."""
    apps = sorted({model.app for model in b.world.models.values()})
    options = [
        model
        for model in b.world.models.values()
        if len(apps) > 1
        and b.world.movable(model)
        and not b.world.pointing_at(model.key)
        and model.key not in b.world.pinned
        and not model.indexes
        and not model.constraints
        and not any(relation.to == model.key for relation in (*model.links.values(), *model.columns.values()))
    ]
    model = b.pick_model(options)
    if model is None:
        return False
    app = b.rng.choice([app for app in apps if app != model.app])
    if (app, model.name.lower()) in b.world.models or f"{app}.{model.name.lower()}" in b.world.used_names:
        return False
    b.world.used_names.add(f"{app}.{model.name.lower()}")
    moved(b, model, app, rename=True)
    return True


def moved(b: Builder, model: Model, app: str, *, rename: bool) -> None:
    """Emit the move. Without `rename` the tables stay where the new state does not look."""
    old_key, old_app = model.key, model.app
    neighbours = b.world.neighbours(model.key) - {old_key}
    here = Model(model.app, model.name, db_table=model.db_table)
    table = model.db_table
    if rename and table is None:
        table = f"{app}_{model.name.lower()}"
    database = [text.alter_table(here, table)] if rename and model.db_table is None else []
    delete = text.delete_model(model)
    if database and b.chance(0.5):
        b.out.emit(old_app, text.separate(database, []), {old_key})
        b.out.emit(old_app, text.separate([], [delete]), {old_key}, together=True)
    else:
        b.out.emit(old_app, b.wrapped(database, [delete]), {old_key})
    del b.world.models[old_key]
    model.app = app
    b.world.models[model.key] = model
    for link in model.links.values():
        link.pristine = False
    create = text.create_model(b.world, model, b.rng)
    b.out.emit(app, b.wrapped([], [create]), {model.key, *neighbours}, after=(old_app,))


def flip(b: Builder) -> bool:
    """The field moves to the other model; its table goes with it."""
    found = b.pick(flippable(b))
    if found is None:
        return False
    flipped(b, *found, keep=True)
    return True


def flippable(b: Builder) -> list[tuple[Model, Link]]:
    return [
        (model, link)
        for model, link in b.auto_links(plain_names=True)
        if model.key != link.to
        and b.world.models[link.to].app == model.app
        and b.world.models[link.to].proxy is None
        and not b.world.models[link.to].locked
        and (link.to, model.key) not in b.world.retired_targets
        and not any(column.to == model.key for column in b.world.models[link.to].columns.values())
        # Both directions have the same columns only when the names tell the sides apart.
        and model.name.lower() != link.to[1]
    ]


def flipped(b: Builder, model: Model, link: Link, *, keep: bool) -> None:
    """`keep`: the new field finds the old table."""
    b.settle()
    table = b.world.link_table(model, link)
    other = b.world.models[link.to]
    new = Link(b.world.field_name(other, ("books", "holders", "origins", "sides")), model.key, related=b.related())
    database = []
    if keep:
        if raw(table, f"{other.table}_{new.name}") and b.chance(0.5):
            sql, reverse = text.rename_table(table, f"{other.table}_{new.name}")
            database = [text.run_sql(sql, reverse)]
        else:
            new.db_table = table
    new.pristine = False
    other.links[new.name] = new
    remove = text.remove_field(model, link.name)
    state = [remove, text.add_link(b.world, other, new, b.rng)]
    b.operation(model, b.wrapped(database, state), other.key)
    b.world.remove_link(model, link)


RIGHT: tuple[tuple[int, Recipe], ...] = (
    (8, keep_table),
    (3, named_after_the_table),
    (5, rename_table),
    (5, remove_through),
    (5, copy_then_switch),
    (5, swap),
    (4, copy_then_recreate),
    (3, same_through_again),
    (4, temporary_field),
    (4, foreign_key_to_many),
    (3, move_model),
    (3, flip),
)

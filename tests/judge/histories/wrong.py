"""What goes wrong: operations that cannot run, rows that are lost, belief and database that part.

A recipe that ends with an operation which raises sets `Builder.raised`; Django runs nothing after that. One that loses
rows or leaves a difference writes into the world what is now wrong, for the recipes in `FOLLOWING` and for everything
else to keep clear of.
"""

from __future__ import annotations

from dataclasses import replace

from . import text
from .builder import Builder, Recipe
from .copies import copy, custom
from .plain import (
    add_automatic,
    add_column,
    add_custom,
    indexed,
    new_model,
    other_options,
    rename_in,
    unrelated_code,
)
from .recipes import drop_unused, ends, flippable, flipped, fresh_through, like_the_automatic, moved, removable, switch
from .world import Column, Link, Model, raw

# Operations that raise


def raises(b: Builder, *models: Model) -> bool:
    b.raised = True
    for model in models:
        model.untouchable = True
    return True


def through_added(b: Builder) -> bool:
    """AlterField from automatic to custom, as makemigrations writes it."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    through = fresh_through(b, model, link, model.app)
    if b.chance(0.3):
        b.settle()
    link.through, link.db_table = through.key, None
    alter = text.alter_link(b.world, model, link, b.rng)
    if b.chance(0.2):
        alter = b.wrapped([alter], [alter] if b.chance(0.5) else [])
    b.operation(model, alter, link.to, through.key)
    return raises(b, model, through)


def through_removed(b: Builder) -> bool:
    found = b.pick(b.custom_links())
    if found is None:
        return False
    model, link = found
    link.through, link.through_fields = None, None
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
    return raises(b, model)


def retyped(b: Builder) -> bool:
    """AlterField between a many-to-many and a field with a column."""
    if b.chance(0.6):
        found = b.pick(b.auto_links() + b.custom_links())
        if found is None:
            return False
        model, link = found
        column = Column(link.name, b.rng.choice(("fk", "char", "int")), null=True, related=None)
        if column.kind == "fk":
            column.to, column.related = link.to, b.related()
        field = text.column_field(b.world, model, column, b.rng)
        to = link.to
    else:
        options = [
            (model, column)
            for model in b.world.models.values()
            if model.managed and not model.locked and model.proxy is None and not b.is_through(model)
            for column in model.columns.values()
            if not indexed(model, column)
        ]
        targets = [model.key for model in b.world.models.values() if model.managed and not model.untouchable]
        if not options or not targets:
            return False
        model, column = b.rng.choice(options)
        to = column.to or b.rng.choice(targets)
        link = Link(column.name, to, related=b.related())
        field = text.link_field(b.world, model, link, b.rng)
    operation = f'migrations.AlterField(model_name="{model.name.lower()}", name="{link.name}", field={field})'
    b.operation(model, operation, to)
    return raises(b, model)


def pinned(b: Builder) -> bool:
    """A real CreateModel on the automatic table's name, with the AlterField beside it."""
    found = b.pick(b.auto_links(plain_names=True))
    if found is None:
        return False
    model, link = found
    b.settle()
    through = like_the_automatic(b, model, link)
    through.db_table = b.world.link_table(model, link)
    if b.chance(0.5):
        through.together = ends(through)
    b.create(through, about=(model.key, link.to))
    link.through, link.db_table = through.key, None
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to, through.key)
    return raises(b, model, through)


def taken_table(b: Builder) -> bool:
    """A table's name is given a second time."""
    tables = [
        model.table
        for model in b.world.models.values()
        if model.managed and model.proxy is None and not model.missing_table
    ] + [b.world.link_table(model, link) for model, link in b.auto_links(plain_names=True)]
    b.settle()
    way = b.rng.choice(("add", "alter", "model"))
    if way == "add":
        models = [m for m in b.world.models.values() if m.managed and not m.locked and m.proxy is None]
        if not models or not tables:
            return False
        model, to = b.rng.choice(models), b.rng.choice(models).key
        link = b.new_link(model, to)
        link.db_table = b.rng.choice(tables)
        model.links[link.name] = link
        b.operation(model, text.add_link(b.world, model, link, b.rng), to)
        return raises(b, model)
    if way == "alter":
        found = b.pick(b.auto_links())
        if found is None:
            return False
        model, link = found
        tables = [table for table in tables if table != b.world.link_table(model, link)]
        if not tables:
            return False
        link.db_table = b.rng.choice(tables)
        b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
        return raises(b, model)
    # Two models without any many-to-many are none of lint-m2m's business.
    tied = {key for model in b.world.models.values() for link in model.links.values() for key in (model.key, link.to)}
    options = [m for m in b.world.models.values() if b.world.movable(m) and m.key in tied]
    tables = [table for table in tables if all(table != model.table for model in options)] or tables
    one = b.pick_model(model for model in options if model.table not in tables[:1])
    if one is None:
        return False
    one.db_table = tables[0]
    b.operation(one, text.alter_table(one, one.db_table))
    return raises(b, one)


def unresolved(b: Builder) -> bool:
    """`through=` names a model that is created only afterwards."""
    models = [m for m in b.world.models.values() if m.managed and not m.locked and m.proxy is None]
    models = [m for m in models if not b.is_through(m)]
    if not models:
        return False
    target = b.rng.choice(models)
    way = b.rng.choice(("create", "add", "alter"))
    if way == "create":
        model = b.new_model(target.app, b.world.model_name(target.app))
        link = b.new_link(model, target.key)
    elif way == "add":
        model = b.rng.choice(models)
        link = b.new_link(model, target.key)
        model.links[link.name] = link
    else:
        found = b.pick(b.auto_links())
        if found is None:
            return False
        model, link = found
    app = model.app if b.chance(0.7) else b.world.models[link.to].app
    if way == "create":
        b.world.models[model.key] = model  # so that the through model can be thought of
    through = b.new_through(app, model, link.to)
    link.through, link.db_table = through.key, None
    b.world.models[through.key] = through
    if way == "create":
        model.links[link.name] = link
        operation = text.create_model(b.world, model, b.rng)
    elif way == "add":
        operation = text.add_link(b.world, model, link, b.rng)
    else:
        operation = text.alter_link(b.world, model, link, b.rng)
    # The through model is no neighbour yet: no dependency on what comes later.
    del b.world.models[through.key]
    b.operation(model, operation, link.to)
    b.create(through, about=(model.key, link.to))
    return raises(b, model, through)


def retargeted(b: Builder) -> bool:
    """AlterField of an automatic many-to-many with rows to another model."""
    b.settle()
    options = []
    for model, link in b.auto_links():
        others = [
            one.key
            for one in b.world.models.values()
            if one.managed
            and one.key != link.to
            and one.proxy is None
            and not one.locked
            and b.world.models[link.to].proxy is None
            and link.to != model.key
            and one.key != model.key
            and not b.is_through(one)
        ]
        if others:
            options.append((model, link, others))
    if not options:
        return False
    model, link, others = b.rng.choice(options)
    link.to = b.rng.choice(others)
    b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
    return raises(b, model)


def temporary_field_in_one_run(b: Builder) -> bool:
    """What makemigrations writes when the old field goes and the temporary one is renamed at once."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    through = fresh_through(b, model, link, model.app)
    new = Link(b.world.field_name(model, (f"new_{link.name}",)), link.to, through=through.key, related=b.related())
    model.links[new.name] = new
    b.operation(model, text.add_link(b.world, model, new, b.rng), link.to, through.key)
    if b.chance(0.6):
        source = b.world.auto_fields(model, link)
        name = f"copy_{link.name.lower()}{b.out.count}"
        first, second = ends(through)
        function = (
            f"def {name}(apps, schema_editor):\n"
            f'    {model.name} = apps.get_model("{model.app}", "{model.name}")\n'
            f'    {through.name} = apps.get_model("{through.app}", "{through.name}")\n'
            f"    for row in {model.name}.{link.name}.through.objects.all():\n"
            f"        {through.name}.objects.create({first}_id=row.{source[0]}_id, {second}_id=row.{source[1]}_id)\n"
        )
        b.operation(model, f"migrations.RunPython({name})", link.to, through.key, function=function)
        b.settle()
    link.through, link.db_table, link.related = through.key, None, new.related
    alter = text.alter_link(b.world, model, link, b.rng)
    b.operation(model, alter, link.to, through.key)
    b.operation(model, text.remove_field(model, new.name), link.to)
    del model.links[new.name]
    return raises(b, model, through)


def deleted_then_rendered(b: Builder) -> bool:
    """The through model goes before the field that names it, and Django renders the field's model again in between."""
    return _deleted_early(b, rendered=True)


# Rows that are lost


def deleted_early(b: Builder) -> bool:
    """The through model goes before the field that names it, with anything in between or nothing: some of these raise,
    some only where the migrations run apart."""
    return _deleted_early(b, rendered=False)


def _deleted_early(b: Builder, *, rendered: bool) -> bool:
    found = b.pick(
        (model, link)
        for model, link in b.custom_links()
        if link.through is not None
        and b.world.pointing_at(b.world.models[link.through].key) == [model]
        and b.users(b.world.models[link.through]) == [(model, link)]
        and b.world.models[link.through].managed
        and link.through not in b.world.pinned
    )
    if found is None:
        return False
    model, link = found
    assert link.through is not None
    ways = ["remove", "remove", "switch", "switch", "switch", "rename", "table"]
    if not rendered:
        ways += ["nothing", *(["drop"] if not b.world.pointing_at(model.key) else [])]
    way, early = b.rng.choice(ways), b.chance(0.5)
    b.settle()
    new = fresh_through(b, model, link, model.app) if way == "switch" and early else None
    old = b.world.models.pop(link.through)
    b.out.emit(old.app, text.delete_model(old), {old.key, model.key, link.to})
    del model.links[link.name]
    b.world.retired_targets.add((model.key, link.to))
    b.world.retired.add((model.key, link.name))
    between = [add_column, add_column, new_model, add_automatic, add_custom, other_options, unrelated_code, _code]
    for _ in range(b.rng.choice((0, 0, 1, 1, 2))):
        b.rng.choice(between)(b)
    if rendered:
        column = b.new_column(model, simple=True)
        model.columns[column.name] = column
        b.operation(model, text.add_column(b.world, model, column, b.rng))
    if way == "switch" and new is None:
        new = fresh_through(b, model, link, model.app)
    about = {old.key, link.to}
    if way == "remove":
        b.operation(model, text.remove_field(model, link.name), *about)
    elif way == "rename":
        b.operation(
            model, text.rename_field(model, link.name, b.world.field_name(model, (f"new_{link.name}",))), *about
        )
    elif way == "table":
        model.db_table = b.world.table_name("model")
        b.operation(model, text.alter_table(model, model.db_table), *about)
    elif way == "drop":
        del b.world.models[model.key]
        b.out.emit(model.app, text.delete_model(model), {model.key, *about})
    elif new is not None:
        link.through, link.through_fields = new.key, None
        model.links[link.name] = link
        b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to, new.key)
    return raises(b, model)


def _code(b: Builder) -> bool:
    """Code that does nothing: Django may render the models for it."""
    model = b.rng.choice([one for one in b.world.models.values() if one.proxy is None])
    b.operation(model, "migrations.RunPython(migrations.RunPython.noop)")
    return True


def deleted_and_remade(b: Builder) -> bool:
    """The through model goes and comes back, as it was or not, and the field stays: Django says nothing unless the
    field's model is rendered in between and then worked on. Sometimes the rows are kept elsewhere and come back."""
    found = b.pick(
        (model, link)
        for model, link in b.custom_links()
        if link.through is not None
        and b.world.pointing_at(b.world.models[link.through].key) == [model]
        and b.users(b.world.models[link.through]) == [(model, link)]
        and b.world.models[link.through].managed
        and link.through not in b.world.pinned
    )
    if found is None:
        return False
    model, link = found
    assert link.through is not None
    b.settle()
    old = b.world.models[link.through]
    kept = None
    about = {old.key, model.key, link.to}
    first, second = (column.name for column in b.world.through_fields(model, link))
    if b.chance(0.3):
        kept = b.new_through(model.app, model, link.to, extras=False)
        b.create(kept, about=about)
        copy(
            b, model.app, model, link, custom(b, old, (first, second)), custom(b, kept, ends(kept)), about | {kept.key}
        )
        b.settle()
    del b.world.models[old.key]
    del model.links[link.name]
    b.world.retired_targets.add((model.key, link.to))
    b.world.retired.add((model.key, link.name))
    delete = text.delete_model(old)
    b.out.emit(old.app, b.wrapped([delete], [delete]) if b.chance(0.15) else delete, about)
    for _ in range(b.rng.choice((0, 0, 1, 2))):
        b.rng.choice((add_column, new_model, add_automatic, unrelated_code, _code))(b)
    if b.chance(0.4):
        b.settle()
    again = b.chance(0.15)
    if again:
        b.operation(model, text.remove_field(model, link.name), *about)
    new, names = _made_again(b, old, (first, second), fixed=link.through_fields is not None)
    if b.chance(0.2):
        # Under another name first.
        name = new.name
        new.name = b.world.model_name(new.app, ("Entry", "Record", "Piece", "Asset"))
        b.create(new, about=about)
        b.out.emit(new.app, f'migrations.RenameModel(old_name="{new.name}", new_name="{name}")', about | {new.key})
        b.world.rename_model(new, name)
    else:
        b.create(new, about=about)
    model.links[link.name] = link
    if again:
        b.operation(model, text.add_link(b.world, model, link, b.rng), *about)
    if kept is not None:
        b.settle()
        copy(b, model.app, model, link, custom(b, kept, ends(kept)), custom(b, new, names), about | {kept.key})
    link.lost = kept is None
    return True


def _made_again(b: Builder, old: Model, names: tuple[str, str], *, fixed: bool) -> tuple[Model, tuple[str, str]]:
    """The model once more, with something of it changed or nothing, not yet in the world; and what its foreign keys
    are called now. `fixed`: as they were."""
    new = Model(old.app, old.name, columns=dict(old.columns), db_table=old.db_table, together=old.together)
    new.constraints, new.indexes = dict(old.constraints), dict(old.indexes)
    what = b.rng.choice(("same", "more", "less", "names", "table", "together"))
    if what == "more":
        column = b.new_column(new)
        new.columns[column.name] = column
    elif what == "less":
        new.columns = {
            name: column
            for name, column in new.columns.items()
            if column.kind == "fk" or indexed(new, column) or name in names
        }
    elif (
        what == "names"
        and not fixed
        and not new.constraints
        and not new.indexes
        and not {"left", "right"} & new.columns.keys()
    ):
        new.columns = {name: replace(column) for name, column in new.columns.items()}
        for name, other in zip(names, ("left", "right"), strict=True):
            rename_in(new, name, other)
        names = ("left", "right")
    elif what == "table":
        new.db_table = None if new.db_table is not None and b.chance(0.5) else b.world.table_name("through")
    elif what == "together" and not new.constraints:
        new.together = None if new.together is not None else names
    return new, names


def swap_without_copy(b: Builder) -> bool:
    """Another through model: the rows stay in the old one's table. Sometimes they are copied only afterwards."""
    found = b.pick(b.custom_links())
    if found is None:
        return False
    model, link = found
    assert link.through is not None
    old = b.world.models[link.through]
    fields = tuple(column.name for column in b.world.through_fields(model, link))
    new = fresh_through(b, model, link, model.app)
    b.settle()
    link.through, link.through_fields, link.lost = new.key, None, True
    alter = text.alter_link(b.world, model, link, b.rng)
    b.operation(model, alter if b.chance(0.8) else b.wrapped([], [alter]), link.to, old.key, new.key)
    if b.chance(0.3):
        about = {model.key, link.to, old.key, new.key}
        copy(b, model.app, model, link, custom(b, old, (fields[0], fields[1])), custom(b, new, ends(new)), about)
        link.lost = False
    drop_unused(b, old)
    return True


def recreated(b: Builder) -> bool:
    """RemoveField and AddField of a field, and nothing copied: at once, in the next migration, or the one after."""
    found = b.pick(b.auto_links() + b.custom_links())
    if found is None:
        return False
    model, link = found
    b.settle()
    was_custom = link.through
    through = None
    if b.chance(0.5):
        through = fresh_through(b, model, link, model.app)
        b.settle()
    elif was_custom is not None and (b.chance(0.3) or b.world.automatic_name_taken(model, link)):
        return False
    b.operation(model, text.remove_field(model, link.name), link.to)
    gap = b.rng.choice((0, 0, 0, 1, 2))
    if gap == 2:
        b.settle()
        column = b.new_column(model, simple=True)
        model.columns[column.name] = column
        b.operation(model, text.add_column(b.world, model, column, b.rng))
    if gap:
        b.settle()
    link.through = None if through is None else through.key
    link.db_table, link.through_fields, link.pristine, link.lost = None, None, True, True
    if was_custom is not None and through is None:
        # Under the default name it might meet an index that a renamed table has kept (see `generator`).
        link.db_table = b.world.table_name("links")
    b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
    return True


def replaced(b: Builder) -> bool:
    """The temporary field, but nothing was copied into it."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    through = fresh_through(b, model, link, model.app)
    new = Link(b.world.field_name(model, (f"new_{link.name}",)), link.to, through=through.key, related=b.related())
    b.operation(model, text.add_link(b.world, model, new, b.rng), link.to, through.key)
    b.settle()
    model.links[new.name] = new
    b.operation(model, text.remove_field(model, link.name), link.to)
    operation = text.rename_field(model, new.name, link.name)
    del model.links[new.name]
    new.name, new.lost = link.name, True
    model.links[link.name] = new
    b.operation(model, operation, link.to)
    return True


def dropped_by_recipe(b: Builder) -> bool:
    """The old table goes in the database, the state changes to the new model, and nobody copied."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    through = fresh_through(b, model, link, model.app)
    b.settle()
    remove = text.remove_field(model, link.name)
    link.through, link.db_table, link.lost = through.key, None, True
    alter = text.alter_link(b.world, model, link, b.rng)
    b.operation(model, b.wrapped([remove], [alter]), link.to, through.key)
    return True


def foreign_key_replaced(b: Builder) -> bool:
    """A foreign key goes and a many-to-many to the same model comes, or the reverse, with nothing copied."""
    b.settle()
    if b.chance(0.5):
        options = [
            (model, column)
            for model in b.world.models.values()
            if model.managed and not model.locked and model.proxy is None and not b.is_through(model)
            for column in model.columns.values()
            if column.kind == "fk"
            and column.to is not None
            and not b.world.models[column.to].untouchable
            and not indexed(model, column)
            and not any(link.to == column.to for link in model.links.values())
            and (model.key, column.to) not in b.world.retired_targets
        ]
        if not options:
            return False
        model, column = b.rng.choice(options)
        assert column.to is not None
        link = b.new_link(model, column.to, name=column.name if b.chance(0.6) else None)
        link.lost = True
        del model.columns[column.name]
        b.operation(model, text.remove_field(model, column.name), column.to)
        model.links[link.name] = link
        b.world.retired_targets.add((model.key, column.to))
        b.operation(model, text.add_link(b.world, model, link, b.rng), link.to)
        return True
    found = b.pick(
        (model, link)
        for model, link in b.auto_links() + b.custom_links()
        if not any(column.to == link.to for column in model.columns.values())
        and sum(other.to == link.to for other in model.links.values()) == 1
        and (model.key, link.to) not in b.world.retired_targets
    )
    if found is None:
        return False
    model, link = found
    column = Column(link.name, "fk", null=True, to=link.to, related=b.related())
    about = b.world.neighbours(model.key)
    b.world.remove_link(model, link)
    b.out.emit(model.app, text.remove_field(model, link.name), about)
    model.columns[column.name] = column
    b.operation(model, text.add_column(b.world, model, column, b.rng), link.to)
    return True


# Belief and database part


def orphaned(b: Builder, model: Model, link: Link, table: str) -> None:
    b.world.orphans.append(table)
    b.world.pinned |= {model.key, link.to}


def wrong_keep(b: Builder) -> bool:
    """The state-only recipes, each with one thing forgotten."""
    found = b.pick(b.auto_links(plain_names=True))
    if found is None:
        return False
    b.settle()
    model, link = found
    table, pristine = b.world.link_table(model, link), link.pristine
    through = like_the_automatic(b, model, link)
    first, second = ends(through)
    through.together = (first, second)
    through.db_table = table
    wrong = b.rng.choice(
        ("names", "name", "table", "table", "typo", "extra", "extra", "unique", "unique", "constraint")
    )
    if wrong in ("names", "name"):
        names = zip((first, second), b.other_names(model, link.to), strict=True)
        for old, new in [(old, new) for old, new in names if old != new][: 1 if wrong == "name" else 2]:
            rename_in(through, old, new)
            through.columns[new].missing = True
        link.sound = False
        switch(b, model, link, through)
    elif wrong in ("table", "typo"):
        through.db_table = None if b.chance(0.7) else b.world.table_name("nowhere")
        through.missing_table, link.sound = True, False
        other = b.world.table_name("typo")
        if wrong == "typo" and raw(table):
            sql, reverse = text.rename_table(table, other)
            switch(b, model, link, through, sql=(sql, reverse))
            orphaned(b, model, link, other)
        else:
            switch(b, model, link, through)
            orphaned(b, model, link, table)
    elif wrong == "extra":
        column = b.new_column(through)
        column.missing = True
        through.columns[column.name] = column
        switch(b, model, link, through)
    elif wrong == "unique":
        through.together = None
        through.undeclared, through.undeclared_clashes = (first, second), pristine
        switch(b, model, link, through)
    else:
        name = f"uniq_{through.name.lower()}"
        through.together = None
        through.constraints[name] = (first, second)
        through.misnamed = name
        switch(b, model, link, through)
    b.settle()
    return True


def wrong_remove(b: Builder) -> bool:
    """The state goes back to an automatic table that is not there, or is not like one."""
    if b.chance(0.5):
        found = b.pick(removable(b))
        if found is None:
            return False
        model, link = found
        assert link.through is not None
        through = b.world.models[link.through]
        link.through, link.through_fields, link.db_table = None, None, None
        if b.world.link_table(model, link) == through.table:
            link.db_table = b.world.table_name("nowhere")
        orphaned(b, model, link, through.table)
    else:
        found = b.pick(removable(b, right=False))
        if found is None:
            return False
        model, link = found
        assert link.through is not None
        through = b.world.models[link.through]
        link.through, link.through_fields, link.db_table = None, None, through.table
    b.settle()
    link.sound, link.pristine = False, False
    operation = b.wrapped([], [text.alter_link(b.world, model, link, b.rng), text.delete_model(through)])
    b.operation(model, operation, link.to, through.key)
    del b.world.models[through.key]
    b.settle()
    return True


def copied_but_left(b: Builder) -> bool:
    """Copied and switched in the state, and the old table forgotten. Right but for the orphan."""
    from .copies import automatic

    found = b.pick(b.auto_links())
    if found is None:
        return False
    model, link = found
    table = b.world.link_table(model, link)
    b.settle()
    through = fresh_through(b, model, link, model.app)
    about = {model.key, link.to, through.key}
    copy(b, model.app, model, link, automatic(b, model, link), custom(b, through, ends(through)), about)
    link.through, link.db_table = through.key, None
    b.out.emit(model.app, b.wrapped([], [text.alter_link(b.world, model, link, b.rng)]), about)
    if raw(table) and b.chance(0.4):
        # One release later.
        b.settle()
        b.out.emit(model.app, text.run_sql(f"DROP TABLE {table}", ""), about)
    else:
        orphaned(b, model, link, table)
    return True


def state_only_table(b: Builder) -> bool:
    """Another db_table of an automatic many-to-many, only said."""
    found = b.pick(b.auto_links())
    if found is None:
        return False
    b.settle()
    model, link = found
    orphaned(b, model, link, b.world.link_table(model, link))
    link.db_table = b.world.table_name("nowhere")
    link.sound, link.pristine = False, False
    b.operation(model, b.wrapped([], [text.alter_link(b.world, model, link, b.rng)]), link.to)
    b.settle()
    return True


def false_unique(b: Builder) -> bool:
    """A unique pair that only the state gets."""
    options = [
        one
        for one in b.world.models.values()
        if b.is_through(one) and one.managed and not one.locked and one.together is None and not one.constraints
    ]
    model = b.pick_model(options)
    if model is None:
        return False
    model.together = ends(model)
    model.false_together = True
    b.operation(model, b.wrapped([], [text.alter_together(model, model.together, b.rng)]))
    b.settle()
    return True


def wrong_move(b: Builder) -> bool:
    """A model moves to another app in the state, and its tables stay."""
    apps = sorted({model.app for model in b.world.models.values()})
    model = b.pick_model(
        model
        for model in b.world.models.values()
        if len(apps) > 1
        and b.world.movable(model)
        and not b.world.pointing_at(model.key)
        and model.db_table is None
        and model.key not in b.world.pinned
        and any(link.through is None for link in model.links.values())
        and not any(link.to == model.key for link in model.links.values())
    )
    if model is None:
        return False
    app = b.rng.choice([app for app in apps if app != model.app])
    if (app, model.name.lower()) in b.world.models or f"{app}.{model.name.lower()}" in b.world.used_names:
        return False
    b.world.used_names.add(f"{app}.{model.name.lower()}")
    b.settle()
    for link in model.links.values():
        if link.through is None and link.db_table is None:
            orphaned(b, model, link, b.world.link_table(model, link))
            link.sound = False
    moved(b, model, app, rename=False)
    model.missing_table = True
    b.settle()
    return True


def wrong_flip(b: Builder) -> bool:
    """The field moves to the other model in the state, and the table stays."""
    found = b.pick(flippable(b))
    if found is None:
        return False
    b.settle()
    model, link = found
    orphaned(b, model, link, b.world.link_table(model, link))
    other = b.world.models[link.to]
    flipped(b, model, link, keep=False)
    list(other.links.values())[-1].sound = False
    b.settle()
    return True


# What runs into a difference left by one of the above


def touch_missing_table(b: Builder) -> bool:
    """An operation of a model whose table is not there."""
    model = b.pick_model(m for m in b.world.models.values() if m.missing_table and not m.untouchable)
    if model is None:
        return False
    ways = ["table", "rename", "add", "field", "together", "constraint", "index", "column"]
    way = b.rng.choice(ways)
    name = model.name.lower()
    columns = [column for column in model.columns.values() if column.kind != "fk"]
    if way == "table":
        model.db_table = b.world.table_name("model")
        b.operation(model, text.alter_table(model, model.db_table))
    elif way == "rename" and model.db_table is None:
        about = b.world.neighbours(model.key) - {model.key}
        new = b.world.model_name(model.app, ("Entry", "Record", "Piece", "Asset"))
        operation = f'migrations.RenameModel(old_name="{model.name}", new_name="{new}")'
        b.world.rename_model(model, new)
        b.operation(model, operation, *sorted(about))
    elif way == "field" and any(column.kind == "fk" for column in model.columns.values()):
        column = next(column for column in model.columns.values() if column.kind == "fk")
        new = b.world.field_name(model, ("former", "renamed"))
        operation = text.rename_field(model, column.name, new)
        rename_in(model, column.name, new)
        b.operation(model, operation)
    elif way == "together" and len(model.columns) >= 2 and not model.constraints:
        model.together = ends(model) if model.together is None else None
        b.operation(model, text.alter_together(model, model.together, b.rng))
    elif way == "constraint" and len(model.columns) >= 2:
        one = text.constraint(f"late_{name}", ends(model))
        b.operation(model, f'migrations.AddConstraint(model_name="{name}", constraint={one})')
    elif way == "index" and model.columns:
        index = f'models.Index(fields=["{next(iter(model.columns))}"], name="late_{name[:20]}")'
        b.operation(model, f'migrations.AddIndex(model_name="{name}", index={index})')
    elif way == "column" and columns:
        del model.columns[columns[0].name]
        b.operation(model, text.remove_field(model, columns[0].name))
    else:
        column = b.new_column(model)
        model.columns[column.name] = column
        b.operation(model, text.add_column(b.world, model, column, b.rng))
    return raises(b, model)


def delete_missing_table(b: Builder) -> bool:
    """The field goes, and then its through model whose table is not there."""
    found = b.pick(
        (model, link)
        for model, link in b.world.links()
        if link.through is not None
        and b.world.models[link.through].missing_table
        and not model.untouchable
        and len(b.users(b.world.models[link.through])) == 1
    )
    if found is None:
        return False
    model, link = found
    assert link.through is not None
    through = b.world.models[link.through]
    about = {model.key, link.to, through.key}
    b.world.remove_link(model, link)
    b.out.emit(model.app, text.remove_field(model, link.name), about)
    b.out.emit(through.app, text.delete_model(through), about)
    del b.world.models[through.key]
    return raises(b, model)


def touch_missing_link(b: Builder) -> bool:
    """An operation of an automatic many-to-many whose table is not there."""
    found = b.pick(
        (model, link)
        for model, link in b.world.links()
        if link.through is None
        and not link.sound
        and model.managed
        and not model.untouchable
        and b.world.link_table(model, link) not in b.world.orphans
        and not _table_is_there(b, model, link)
    )
    if found is None:
        return False
    model, link = found
    if b.chance(0.5):
        b.operation(model, text.remove_field(model, link.name), link.to)
        del model.links[link.name]
    elif link.db_table is None and b.chance(0.5):
        b.operation(model, text.rename_field(model, link.name, "late_name"), link.to)
    else:
        link.db_table = b.world.table_name("late")
        b.operation(model, text.alter_link(b.world, model, link, b.rng), link.to)
    return raises(b, model)


def _table_is_there(b: Builder, model: Model, link: Link) -> bool:
    """An automatic many-to-many can be unsound only for its columns (`wrong_remove`)."""
    return (link.db_table is not None and link.db_table.startswith(("tbl_through", "tbl_model"))) or not (
        link.db_table is None or link.db_table.startswith("tbl_nowhere")
    )


def touch_missing_column(b: Builder) -> bool:
    """RemoveField or RenameField of a plain column that only the state has. (For foreign keys see `generator`.)"""
    options = [
        (model, column)
        for model in b.world.models.values()
        if not model.untouchable and not model.missing_table
        for column in model.columns.values()
        if column.missing and column.kind != "fk"
    ]
    if not options:
        return False
    model, column = b.rng.choice(options)
    if b.chance(0.5):
        b.operation(model, text.remove_field(model, column.name))
        del model.columns[column.name]
    else:
        b.operation(model, text.rename_field(model, column.name, f"{column.name}_late"))
        rename_in(model, column.name, f"{column.name}_late")
    return raises(b, model)


def declare_twice(b: Builder) -> bool:
    """AlterUniqueTogether of the pair that the old table brought along."""
    model = b.pick_model(
        m for m in b.world.models.values() if m.undeclared is not None and not m.untouchable and not m.missing_table
    )
    if model is None or model.undeclared is None:
        return False
    if model.undeclared_clashes:
        model.together = model.undeclared
        b.operation(model, text.alter_together(model, model.together, b.rng))
        return raises(b, model)
    return False


def drop_misnamed(b: Builder) -> bool:
    """RemoveConstraint of the constraint that has another name. SQLite copies the table and does not mind."""
    model = b.pick_model(m for m in b.world.models.values() if m.misnamed is not None and not m.untouchable)
    if model is None or model.misnamed is None:
        return False
    name = model.misnamed
    del model.constraints[name]
    b.operation(model, f'migrations.RemoveConstraint(model_name="{model.name.lower()}", name="{name}")')
    return raises(b, model)


def drop_false_unique(b: Builder) -> bool:
    """AlterUniqueTogether without the pair that was never there."""
    model = b.pick_model(m for m in b.world.models.values() if m.false_together and not m.untouchable)
    if model is None:
        return False
    model.together = None
    b.operation(model, text.alter_together(model, None, b.rng))
    return raises(b, model)


RAISING: tuple[tuple[int, Recipe], ...] = (
    (6, through_added),
    (5, through_removed),
    (5, retyped),
    (4, pinned),
    (3, taken_table),
    (4, unresolved),
    (4, retargeted),
    (2, temporary_field_in_one_run),
    (3, deleted_then_rendered),
)

LOSING: tuple[tuple[int, Recipe], ...] = (
    (6, swap_without_copy),
    (7, recreated),
    (3, replaced),
    (4, dropped_by_recipe),
    (4, foreign_key_replaced),
    (3, deleted_early),
)

# At the end of some histories, by a chance of its own: in the others nothing changes for it.
AT_THE_END: tuple[tuple[int, Recipe], ...] = ((1, deleted_and_remade),)

DRIFTING: tuple[tuple[int, Recipe], ...] = (
    (12, wrong_keep),
    (5, wrong_remove),
    (4, copied_but_left),
    (3, state_only_table),
    (3, false_unique),
    (2, wrong_move),
    (3, wrong_flip),
)

FOLLOWING: tuple[tuple[int, Recipe], ...] = (
    (4, touch_missing_table),
    (2, delete_missing_table),
    (3, touch_missing_link),
    (3, touch_missing_column),
    (5, declare_twice),
    (4, drop_misnamed),
    (4, drop_false_unique),
)

"""Source text of fields and operations, the way Django writes migrations and people do."""

from __future__ import annotations

from random import Random

from .world import Column, Key, Link, Model, World


def reference(world: World, key: Key, app: str, rng: Random) -> str:
    """A model in quotes: in lower case as Django writes it, or as people do."""
    name = world.models[key].name if key in world.models else key[1].capitalize()
    if key[0] == app and rng.random() < 0.05:
        return f'"{name}"'
    return f'"{key[0]}.{name.lower() if rng.random() < 0.7 else name}"'


def link_field(world: World, model: Model, link: Link, rng: Random) -> str:
    """``models.ManyToManyField(…)``. A through model that is not in the world is written as it is."""
    if link.to == model.key and rng.random() < 0.3:
        arguments = ['"self"']
    else:
        arguments = [("to=" if rng.random() < 0.8 else "") + reference(world, link.to, model.app, rng)]
    if link.through is not None:
        arguments.append(f"through={reference(world, link.through, model.app, rng)}")
    if link.through_fields is not None:
        arguments.append(f"through_fields={link.through_fields!r}".replace("'", '"'))
    if link.db_table is not None:
        arguments.append(f'db_table="{link.db_table}"')
    if link.related is not None:
        arguments.append(f'related_name="{link.related}"')
    if link.blank:
        arguments.append("blank=True")
    if link.to == model.key and link.through is None:
        arguments.append("symmetrical=False")
    return f"models.ManyToManyField({', '.join(arguments)})"


def column_field(world: World, model: Model, column: Column, rng: Random) -> str:
    arguments: list[str] = []
    if column.kind == "fk":
        assert column.to is not None
        arguments.append(("to=" if rng.random() < 0.7 else "") + reference(world, column.to, model.app, rng))
        arguments.append("on_delete=django.db.models.deletion.CASCADE")
    if column.null:
        arguments.append("null=True")
    if column.default:
        arguments.append('default=""' if column.kind == "char" else "default=0")
    if column.db_column is not None:
        arguments.append(f'db_column="{column.db_column}"')
    if column.related is not None:
        arguments.append(f'related_name="{column.related}"')
    kind = {"int": "IntegerField", "char": "CharField", "fk": "ForeignKey"}[column.kind]
    if column.kind == "char":
        arguments.insert(0, "max_length=40")
    return f"models.{kind}({', '.join(arguments)})"


def create_model(world: World, model: Model, rng: Random, *, links: bool = True, pk: str = "BigAutoField") -> str:
    """``migrations.CreateModel(…)`` with all that the model has now."""
    if model.proxy is not None:
        return (
            f'migrations.CreateModel(name="{model.name}", fields=[], options={{"proxy": True, "indexes": []}}, '
            f'bases=("{model.proxy[0]}.{model.proxy[1]}",))'
        )
    fields = [f'("id", models.{pk}(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))']
    fields += [f'("{column.name}", {column_field(world, model, column, rng)})' for column in model.columns.values()]
    if links:
        fields += [f'("{link.name}", {link_field(world, model, link, rng)})' for link in model.links.values()]
    options: list[str] = []
    if model.db_table is not None:
        options.append(f'"db_table": "{model.db_table}"')
    if model.together is not None:
        options.append(f'"unique_together": {together(model.together, rng)}')
    if model.constraints:
        texts = ", ".join(constraint(name, pair) for name, pair in model.constraints.items())
        options.append(f'"constraints": [{texts}]')
    if not model.managed:
        options.append('"managed": False')
    text = f'migrations.CreateModel(name="{model.name}", fields=[{", ".join(fields)}]'
    return text + (f", options={{{', '.join(options)}}})" if options else ")")


def together(pair: tuple[str, str] | None, rng: Random) -> str:
    if pair is None:
        return "set()"
    inner = f'("{pair[0]}", "{pair[1]}")'
    return rng.choice((f"{{{inner}}}", f"[{inner}]", f"{{{inner}}}"))


def constraint(name: str, pair: tuple[str, str]) -> str:
    return f'models.UniqueConstraint(fields=["{pair[0]}", "{pair[1]}"], name="{name}")'


def alter_link(world: World, model: Model, link: Link, rng: Random) -> str:
    name = model.name.lower() if rng.random() < 0.8 else model.name
    return (
        f'migrations.AlterField(model_name="{name}", name="{link.name}", field={link_field(world, model, link, rng)})'
    )


def add_link(world: World, model: Model, link: Link, rng: Random) -> str:
    return (
        f'migrations.AddField(model_name="{model.name.lower()}", name="{link.name}", '
        f"field={link_field(world, model, link, rng)})"
    )


def add_column(world: World, model: Model, column: Column, rng: Random) -> str:
    return (
        f'migrations.AddField(model_name="{model.name.lower()}", name="{column.name}", '
        f"field={column_field(world, model, column, rng)})"
    )


def remove_field(model: Model, name: str) -> str:
    return f'migrations.RemoveField(model_name="{model.name.lower()}", name="{name}")'


def rename_field(model: Model, old: str, new: str) -> str:
    return f'migrations.RenameField(model_name="{model.name.lower()}", old_name="{old}", new_name="{new}")'


def delete_model(model: Model) -> str:
    return f'migrations.DeleteModel(name="{model.name}")'


def alter_table(model: Model, table: str | None) -> str:
    return f'migrations.AlterModelTable(name="{model.name.lower()}", table={_quoted(table)})'


def alter_together(model: Model, pair: tuple[str, str] | None, rng: Random) -> str:
    return f'migrations.AlterUniqueTogether(name="{model.name.lower()}", unique_together={together(pair, rng)})'


def run_sql(sql: str, reverse: str | None = None, state: list[str] | None = None) -> str:
    arguments = [_quoted(sql)]
    if reverse is not None:
        arguments.append(f"reverse_sql={_quoted(reverse)}")
    if state:
        arguments.append(f"state_operations=[{', '.join(state)}]")
    return f"migrations.RunSQL({', '.join(arguments)})"


def rename_table(old: str, new: str) -> tuple[str, str]:
    """The SQL and its reverse; all databases spell it like this."""
    return f"ALTER TABLE {old} RENAME TO {new}", f"ALTER TABLE {new} RENAME TO {old}"


def separate(database: list[str], state: list[str]) -> str:
    arguments = []
    if database:
        arguments.append(f"database_operations=[{', '.join(database)}]")
    if state:
        arguments.append(f"state_operations=[{', '.join(state)}]")
    return f"migrations.SeparateDatabaseAndState({', '.join(arguments)})"


def _quoted(text: str | None) -> str:
    return "None" if text is None else '"' + text.replace('"', '\\"') + '"'

"""RunPython and RunSQL that copy links, in the forms in which people write them."""

from __future__ import annotations

from dataclasses import dataclass

from . import text
from .builder import Builder
from .world import Key, Link, Model, raw


@dataclass(slots=True)
class Ends:
    """One side of a copy: a link table seen through its model, or only as a table."""

    table: str
    columns: tuple[str, str]
    fields: tuple[str, str]  # foreign keys of its model
    model: tuple[str, str] | None  # (app, class name) of a custom through model; None for an automatic one
    # Columns beside the two that have no default in the database, with an SQL value for each.
    others: tuple[tuple[str, str], ...] = ()


def automatic(b: Builder, model: Model, link: Link) -> Ends:
    fields = b.world.auto_fields(model, link)
    return Ends(b.world.link_table(model, link), (f"{fields[0]}_id", f"{fields[1]}_id"), fields, None)


def custom(b: Builder, through: Model, fields: tuple[str, str]) -> Ends:
    others = tuple(
        (column.column, "''" if column.kind == "char" else "0")
        for column in through.columns.values()
        if column.name not in fields and not column.null
    )
    columns = through.columns[fields[0]].column, through.columns[fields[1]].column
    return Ends(through.table, columns, fields, (through.app, through.name), others)


def copy(b: Builder, app: str, owner: Model, link: Link, source: Ends, target: Ends, about: set[Key]) -> None:
    """Emit an operation of `app` that copies every link of `link` from `source` to `target` (a model's table).

    What comes next is in a new migration: PostgreSQL refuses to alter a table with rows that are not checked yet.
    """
    assert target.model is not None
    forms = ["bulk_create", "get_or_create"]
    others_need_values = [column for column, _ in target.others]
    if raw(source.table, target.table, *source.columns, *target.columns, *others_need_values):
        forms += ["run_sql", "cursor", "schema_editor"]
    if source.model is None and owner.key != link.to:
        forms += ["loop", "loop", "helper"]
    if source.model is not None:
        forms += ["rows", "values_list"]
    form = b.rng.choice(forms)
    columns = ", ".join((*target.columns, *(column for column, _ in target.others)))
    values = ", ".join((*source.columns, *(value for _, value in target.others)))
    insert = f"INSERT INTO {target.table} ({columns}) SELECT {values} FROM {source.table}"
    if form == "run_sql":
        reverse = b.rng.choice((None, f"DELETE FROM {target.table}", ""))
        b.out.emit(app, text.run_sql(insert, reverse), about)
    else:
        name = f"copy_{link.name.lower()}{b.out.count}"
        function = _function(form, name, owner, link, source, target, insert)
        backward = b.rng.choice(("", ", migrations.RunPython.noop", ", reverse_code=migrations.RunPython.noop"))
        b.out.emit(app, f"migrations.RunPython({name}{backward})", about, function=function)
    b.out.split()


def _function(form: str, name: str, owner: Model, link: Link, source: Ends, target: Ends, insert: str) -> str:
    assert target.model is not None
    get_owner = f'{owner.name} = apps.get_model("{owner.app}", "{owner.name}")'
    get_target = f'{target.model[1]} = apps.get_model("{target.model[0]}", "{target.model[1]}")'
    if source.model is None:
        get_source = f"{get_owner}\n    rows = {owner.name}.{link.name}.through.objects.all()"
    else:
        get_source = (
            f'{source.model[1]} = apps.get_model("{source.model[0]}", "{source.model[1]}")\n'
            f"    rows = {source.model[1]}.objects.all()"
        )
    (a, b), (x, y), through = source.fields, target.fields, target.model[1]
    if form == "loop":
        return (
            f"def {name}(apps, schema_editor):\n    {get_owner}\n    {get_target}\n"
            f"    for one in {owner.name}.objects.all():\n        for other in one.{link.name}.all():\n"
            f"            {through}.objects.create({x}=one, {y}=other)\n"
        )
    if form == "helper":
        return (
            f"def {name}_one(one, {through}):\n"
            f"    rows = [{through}({x}=one, {y}=other) for other in one.{link.name}.all()]\n"
            f"    {through}.objects.bulk_create(rows)\n\n\n"
            f"def {name}(apps, schema_editor):\n    {get_owner}\n    {get_target}\n"
            f"    alias = schema_editor.connection.alias\n"
            f'    for one in {owner.name}.objects.using(alias).prefetch_related("{link.name}"):\n'
            f"        {name}_one(one, {through})\n"
        )
    if form == "bulk_create":
        return (
            f"def {name}(apps, schema_editor):\n    {get_source}\n    {get_target}\n"
            f"    {through}.objects.bulk_create(\n"
            f"        [{through}({x}_id=row.{a}_id, {y}_id=row.{b}_id) for row in rows]\n    )\n"
        )
    if form == "get_or_create":
        return (
            f"def {name}(apps, schema_editor):\n    {get_source}\n    {get_target}\n"
            f"    for row in rows.iterator():\n"
            f"        {through}.objects.get_or_create({x}_id=row.{a}_id, {y}_id=row.{b}_id)\n"
        )
    if form == "rows":
        return (
            f"def {name}(apps, schema_editor):\n    {get_source}\n    {get_target}\n"
            f"    for row in rows:\n        {through}({x}=row.{a}, {y}=row.{b}).save()\n"
        )
    if form == "values_list":
        return (
            f"def {name}(apps, schema_editor):\n    {get_source}\n    {get_target}\n"
            f'    for one, other in rows.values_list("{a}", "{b}"):\n'
            f"        {through}.objects.create({x}_id=one, {y}_id=other)\n"
        )
    if form == "cursor":
        return (
            f"def {name}(apps, schema_editor):\n    with connection.cursor() as cursor:\n"
            f'        cursor.execute("{insert}")\n'
        )
    return (
        f"def {name}(apps, schema_editor):\n    cursor = schema_editor.connection.cursor()\n"
        f'    cursor.execute("{insert}")\n'
    )

"""The reader's judge is Django: the same migrations, imported by it, come to the same.

`django_side.py` imports them in a process of its own. Spans aside, everything the two can both say is compared.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lint_m2m.discovery import Layout, MigrationFile
from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    App,
    Constraint,
    CreateModel,
    DeleteModel,
    Field,
    Migration,
    ModelOptions,
    NoDatabaseChange,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.static import ReadContext, read_migration

INSTALLED = ("django.contrib", "taggit", "sortedm2m")
SETTINGS = {
    "INSTALLED_APPS": [
        *(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "flatpages", "redirects", "sessions")),
        "django.contrib.sites",
        "taggit",
    ],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "USE_TZ": True,
}


def django_says(folder: Path, modules: list[tuple[str, str]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("django_side.py"))],
        input=json.dumps({"folder": str(folder), "settings": SETTINGS, "modules": modules}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def reader_says(root: Path, files: list[MigrationFile]) -> list[dict[str, Any]]:
    apps = tuple(
        {file.app_label: App(label=file.app_label, path=str(Path(file.path).parent)) for file in files}.values()
    )
    layout = Layout(root=root, apps=apps, files=tuple(files), source_roots=(root,))
    context = ReadContext(layout, ReadOptions(swappable=(("AUTH_USER_MODEL", "auth.User"),)))
    found = []
    for file in files:
        migration = read_migration(file, file.file.read_bytes(), context)
        assert isinstance(migration, Migration), migration
        assert migration.gaps == ()
        found.append(describe(migration))
    return found


def describe(migration: Migration) -> dict[str, Any]:
    assert migration.dependencies_complete
    assert migration.replaces_complete
    return {
        "dependencies": [list(each.key or ()) for each in migration.dependencies],
        "run_before": [list(key) for key in migration.run_before],
        "replaces": [list(key) for key in migration.replaces],
        "initial": migration.initial,
        "atomic": migration.atomic,
        "operations": [operation(each) for each in migration.operations],
    }


def operation(found: Operation) -> dict[str, Any]:
    name = type(found).__name__
    match found:
        case CreateModel():
            assert found.fields_complete
            fields = [[each.name, field(each.field)] for each in found.fields]
            return {"is": name, "name": found.name, "fields": fields, "options": options(found.options)}
        case AddField() | AlterField():
            return {
                "is": name,
                "name": [found.model_name, found.name],
                "field": field(found.field),
                "preserve_default": found.preserve_default,
            }
        case RemoveField() | RemoveIndex() | RemoveConstraint():
            return {"is": name, "name": [found.model_name, found.name]}
        case RenameField():
            return {"is": name, "name": [found.model_name, found.old_name, found.new_name]}
        case DeleteModel() | NoDatabaseChange():
            return {"is": name, "name": found.name}
        case RenameModel():
            return {"is": name, "name": [found.old_name, found.new_name]}
        case AlterModelTable():
            return {"is": name, "name": found.name, "value": found.table}
        case AlterTogether():
            assert found.value is not UNKNOWN
            return {
                "is": name,
                "name": found.name,
                "option": found.option_name,
                "value": sorted(map(list, found.value)),
            }
        case AlterOrderWithRespectTo():
            return {"is": name, "name": found.name, "value": found.order_with_respect_to}
        case AlterModelOptions():
            return {"is": name, "name": found.name, "managed": found.managed}
        case AddIndex():
            return {"is": name, "name": found.model_name, "value": constraint(found.index)}
        case AddConstraint():
            return {"is": name, "name": found.model_name, "value": constraint(found.constraint)}
        case RenameIndex():
            old = list(found.old_fields) if isinstance(found.old_fields, tuple) else found.old_fields
            return {"is": name, "name": [found.model_name, found.new_name, found.old_name, old]}
        case SeparateDatabaseAndState():
            return {
                "is": name,
                "database": [operation(each) for each in found.database_operations],
                "state": [operation(each) for each in found.state_operations],
            }
        case RunSQL():
            return {
                "is": name,
                "sql": list(found.sql),
                "reverse_sql": None if found.reverse_sql is None else list(found.reverse_sql),
                "state": [operation(each) for each in found.state_operations],
            }
        case RunPython():
            return {"is": name, "noop": found.code is None, "reversible": found.reversible}
        case _:
            raise TypeError(found)


def field(found: Field) -> dict[str, Any]:
    assert found.class_known
    names = ("null", "unique", "primary_key", "db_column", "max_length")
    result = {
        "path": found.class_path,
        "kind": found.kind.value,
        **{name: getattr(found, name) or None for name in names},
        "default": found.has_default,
    }
    if found.relation is not None:
        relation = found.relation
        result["to"] = list(relation.to)
        result["through"] = relation.through and list(relation.through)
        result["db_table"] = relation.db_table
        result["one_to_one"] = relation.one_to_one
    return result


def options(found: ModelOptions) -> dict[str, Any]:
    return {
        "db_table": found.db_table or None,
        "managed": found.managed,
        "proxy": found.proxy,
        "swappable": found.swappable,
        "order_with_respect_to": found.order_with_respect_to,
        "unique_together": sorted(map(list, found.unique_together)),
        "index_together": sorted(map(list, found.index_together)),
        "constraints": [constraint(each) for each in found.constraints],
        "indexes": [constraint(each) for each in found.indexes],
        "bases": [list(base) for base in found.bases],
    }


def constraint(found: Constraint) -> dict[str, Any]:
    return {
        "path": found.class_path,
        "name": found.name,
        "fields": list(found.fields),
        "plain": found.plain_unique,
    }


def compare(mine: list[dict[str, Any]], django: list[dict[str, Any]], modules: list[tuple[str, str]]) -> None:
    assert len(mine) == len(django) == len(modules)
    for one, other, (module, _) in zip(mine, django, modules, strict=True):
        for key, value in other.items():
            if key != "operations":
                assert one[key] == value, module
        assert len(one["operations"]) == len(other["operations"]), module
        for index, (left, right) in enumerate(zip(one["operations"], other["operations"], strict=True)):
            assert left == right, f"{module}: operation {index}"


def test_installed_packages() -> None:
    """Everything that Django itself ships, and two packages with classes of their own."""
    files: list[MigrationFile] = []
    modules: list[tuple[str, str]] = []
    root = Path()
    for package in INSTALLED:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        folder = Path(next(iter(spec.submodule_search_locations)))
        root = folder.parents[package.count(".")]
        for path in sorted(folder.rglob("migrations/*.py")):
            if path.name != "__init__.py":
                label = path.parent.parent.name
                relative = path.relative_to(root)
                files.append(MigrationFile(app_label=label, name=path.stem, path=relative.as_posix(), place=str(path)))
                modules.append((".".join(relative.with_suffix("").parts), label))
    assert len(files) > 20
    compare(reader_says(root, files), django_says(root, modules), modules)


FIELDS = """
    from django.conf import settings
    from django.db import models

    class Links(models.ManyToManyField):
        def __init__(self, *args, **kwargs):
            kwargs.setdefault("to", "shop.Tag")
            super().__init__(*args, **kwargs)

    class Owner(models.ForeignKey):
        def __init__(self, on_delete=models.CASCADE, **kwargs):
            kwargs["to"] = settings.AUTH_USER_MODEL
            super().__init__(on_delete=on_delete, **kwargs)

    class Code(models.CharField):
        def __init__(self, length=8, **options):
            options["max_length"] = length
            options.update(unique=True)
            super().__init__(**options)
"""

HELPERS = """
    from django.db import migrations, models

    NAMES = ["a", "b"]
    NAMES += [name.upper() for name in NAMES if name != "b"]

    def add(model, *names, field=None, **options):
        for name in names:
            yield migrations.AddField(model_name=model, name=name, field=field or models.TextField(**options))

    def table(model, suffix=""):
        return "shop_%s%s" % (model.lower(), suffix and f"_{suffix}")

    class Remove(migrations.RemoveField):
        def __init__(self, path):
            model_name, _, name = path.partition(".")
            super().__init__(model_name, name)

    class Base(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        atomic = False
"""

PROJECT = {
    "shop/__init__.py": "",
    "shop/fields.py": FIELDS,
    "shop/migrations/__init__.py": "",
    "shop/helpers.py": HELPERS,
    "shop/migrations/m0001_lists.py": """
        from django.conf import settings
        from django.db import migrations, models
        import django.db.models.deletion
        from shop import fields, helpers
        from ..helpers import NAMES, add, table

        class Migration(migrations.Migration):
            initial = True
            dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), *[("a", n) for n in NAMES]]
            run_before = (("z", "0001_initial"),)
            more = []
            for index, model in enumerate(["Book", "Page"]):
                if index:
                    more.append(migrations.AlterModelTable(model, table(model, "old")))
                else:
                    more.insert(0, migrations.AlterModelTable(name=model, table=table(model)))
            operations = [
                migrations.CreateModel(
                    name="Tag",
                    fields=[("id", models.BigAutoField(primary_key=True)), ("code", fields.Code())],
                    options={"db_table": table("Tag"), "unique_together": {("id", "code")}},
                ),
                migrations.CreateModel(
                    "Book",
                    [
                        ("tag_ptr", models.OneToOneField("Tag", models.CASCADE, parent_link=True, primary_key=True)),
                        ("owner", fields.Owner(null=True)),
                        ("tags", fields.Links(related_name="+", through="shop.BookTag")),
                        ("seen", models.ManyToManyField(settings.AUTH_USER_MODEL, "books", db_table="seen")),
                        ("next", models.ForeignKey("self", on_delete=django.db.models.deletion.SET_NULL, null=True)),
                        *[(name, models.IntegerField(default=index)) for index, name in enumerate(NAMES)],
                    ],
                    bases=("shop.tag",),
                ),
                *more,
                *add("Book", "x", "y", null=True, blank=True),
                *[op for op in add("Page", "z", field=fields.Code(length=3))],
                helpers.Remove("Book.x"),
            ] + list(migrations.RemoveField("Book", name) for name in NAMES[1:])
            operations += [migrations.DeleteModel("Page")]
    """,
    "shop/migrations/m0002_base.py": """
        from django.db import migrations, models
        from shop.helpers import Base as Parent

        INDEXES = {"i": ["a"], "j": ("a", "-b")}
        STATE = [migrations.AlterUniqueTogether("book", [("a", "b")])]
        SQL = '''
            UPDATE {table} SET a = 1;
        '''

        def forwards(apps, schema_editor):
            pass

        class Migration(Parent):
            dependencies = Parent.dependencies + [("shop", "__first__")]
            replaces = [("shop", f"000{n}_x") for n in range(1, 3)]
            operations = [
                migrations.SeparateDatabaseAndState(
                    state_operations=[*STATE, migrations.AlterIndexTogether(name="book", index_together=None)],
                    database_operations=[
                        migrations.RunSQL(SQL.format(table="t"), migrations.RunSQL.noop),
                        migrations.RunSQL([("SELECT %s", [1]), "SELECT 2"], state_operations=STATE),
                        migrations.RunSQL(
                            sql="; ".join("DROP TABLE " + name for name in ("a", "b")),
                            reverse_sql="",
                        ),
                    ],
                ),
                *[migrations.AddIndex("Book", models.Index(fields=f, name=n)) for n, f in INDEXES.items()],
                migrations.AddConstraint("Book", models.UniqueConstraint(fields=["a", "b"], name="u")),
                migrations.AddConstraint(
                    "Book", models.UniqueConstraint(name="v", fields=["a"], condition=models.Q(a=1))
                ),
                migrations.RemoveConstraint(name="u", model_name="Book"),
                migrations.RemoveIndex("Book", "i"),
                migrations.RenameIndex("Book", old_fields=["a", "b"], new_name="k"),
                migrations.RunPython(forwards),
                migrations.RunPython(migrations.RunPython.noop, reverse_code=forwards),
                migrations.AlterModelOptions("Book", {"managed": 1 > 2, "ordering": ["a"]}),
                migrations.AlterModelManagers("Book", []),
                migrations.AlterOrderWithRespectTo("Book", "next" if INDEXES else None),
                migrations.RenameModel(**{"old_name": "Book", "new_name": "Volume"}),
                migrations.RenameField("Volume", *("a", "b")),
            ]
    """,
}


def test_a_project_with_every_shape(tmp_path: Path) -> None:
    import textwrap

    files = []
    modules = []
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        if "/migrations/m" in name:
            files.append(MigrationFile(app_label="shop", name=path.stem, path=name, place=str(path)))
            modules.append((".".join(Path(name).with_suffix("").parts), "shop"))
    compare(reader_says(tmp_path, files), django_says(tmp_path, modules), modules)

"""Run by the tests in a process of its own: imports migrations and prints, as JSON, what Django says they are.

Input, as JSON on stdin: {"folder": …, "settings": {…}, "modules": [[dotted module, app label], …]}. Output: a JSON
object for each module: its attributes and its operations, in the form that test_against_django.py brings the reader's
values to.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import django
from django.conf import settings


def describe(migration: Any) -> dict[str, Any]:
    label = migration.app_label
    return {
        "dependencies": [list(each) for each in migration.dependencies],
        "run_before": [list(each) for each in migration.run_before],
        "replaces": [list(each) for each in migration.replaces],
        "initial": migration.initial,
        "atomic": migration.atomic,
        "operations": [operation(each, label) for each in migration.operations],
    }


def _only_for_postgresql(found: Any) -> bool:
    """An operation of django.contrib.postgres that is a class of its own: to import it takes a driver."""
    names = {(cls.__module__, cls.__name__) for cls in type(found).__mro__}
    return not names.isdisjoint(
        ("django.contrib.postgres.operations", name) for name in ("CreateExtension", "CollationOperation")
    )


def operation(found: Any, label: str) -> dict[str, Any]:
    from django.db import migrations

    def inner(operations: Any) -> list[dict[str, Any]]:
        return [operation(each, label) for each in operations or ()]

    match found:
        case migrations.CreateModel():
            return {
                "is": "CreateModel",
                "name": found.name,
                "fields": [[name, field(each, label, found.name)] for name, each in found.fields],
                "options": options(found),
            }
        case migrations.AddField() | migrations.AlterField():
            return {
                "is": "AddField" if isinstance(found, migrations.AddField) else "AlterField",
                "name": [found.model_name, found.name],
                "field": field(found.field, label, found.model_name),
                "preserve_default": found.preserve_default,
            }
        case migrations.RemoveField():
            return {"is": "RemoveField", "name": [found.model_name, found.name]}
        case migrations.RenameField():
            return {"is": "RenameField", "name": [found.model_name, found.old_name, found.new_name]}
        case migrations.DeleteModel():
            return {"is": "DeleteModel", "name": found.name}
        case migrations.RenameModel():
            return {"is": "RenameModel", "name": [found.old_name, found.new_name]}
        case migrations.AlterModelTable():
            return {"is": "AlterModelTable", "name": found.name, "value": found.table}
        case migrations.AlterUniqueTogether() | migrations.AlterIndexTogether():
            value = sorted(map(list, getattr(found, found.option_name) or ()))
            return {"is": "AlterTogether", "name": found.name, "option": found.option_name, "value": value}
        case migrations.AlterOrderWithRespectTo():
            return {"is": "AlterOrderWithRespectTo", "name": found.name, "value": found.order_with_respect_to}
        case migrations.AlterModelOptions():
            return {"is": "AlterModelOptions", "name": found.name, "managed": found.options.get("managed", True)}
        case migrations.AddIndex():
            return {"is": "AddIndex", "name": found.model_name, "value": constraint(found.index)}
        case migrations.RemoveIndex():
            return {"is": "RemoveIndex", "name": [found.model_name, found.name]}
        case migrations.RenameIndex():
            old = found.old_fields and list(found.old_fields)
            return {"is": "RenameIndex", "name": [found.model_name, found.new_name, found.old_name, old]}
        case migrations.AddConstraint():
            return {"is": "AddConstraint", "name": found.model_name, "value": constraint(found.constraint)}
        case migrations.RemoveConstraint():
            return {"is": "RemoveConstraint", "name": [found.model_name, found.name]}
        case migrations.SeparateDatabaseAndState():
            return {
                "is": "SeparateDatabaseAndState",
                "database": inner(found.database_operations),
                "state": inner(found.state_operations),
            }
        case migrations.RunSQL():
            return {
                "is": "RunSQL",
                "sql": pieces(found.sql),
                "reverse_sql": None if found.reverse_sql is None else pieces(found.reverse_sql),
                "state": inner(found.state_operations),
            }
        case migrations.RunPython():
            return {"is": "RunPython", "noop": found.code is migrations.RunPython.noop, "reversible": found.reversible}
        case migrations.AlterModelManagers() | migrations.AlterModelTableComment():
            return {"is": "NoDatabaseChange", "name": found.name}
        case _ if _only_for_postgresql(found):
            return {"is": "NoDatabaseChange", "name": None}
        case _:
            raise TypeError(found)


def field(found: Any, label: str, model: str) -> dict[str, Any]:
    from django.db import models

    _, path, _, arguments = found.deconstruct()
    if found.many_to_many:
        kind = "many-to-many"
    elif isinstance(found, models.ForeignKey):
        kind = "foreign key"
    elif isinstance(found, (models.ForeignObject, getattr(models, "CompositePrimaryKey", models.ForeignObject))):
        kind = "virtual"
    else:
        kind = "column"
    names = ("null", "unique", "primary_key", "db_column", "max_length")
    result = {
        "path": path,
        "kind": kind,
        **{name: arguments.get(name) or None for name in names},
        "default": "default" in arguments,
    }
    if found.many_to_many:
        # A manager of tags is always null, and does not say so.
        result["null"] = None if path == "taggit.managers.TaggableManager" else result["null"]
    if kind in ("many-to-many", "foreign key"):
        result["to"] = reference(arguments["to"], label, model)
        result["through"] = reference(arguments.get("through"), label, model)
        result["db_table"] = arguments.get("db_table")
        result["one_to_one"] = bool(found.one_to_one)
    return result


def reference(value: Any, label: str, model: str) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return [value._meta.app_label, value._meta.model_name]
    if value == "self":
        return [label, model.lower()]
    app, dot, name = value.partition(".")
    return [app, name.lower()] if dot else [label, value.lower()]


def options(found: Any) -> dict[str, Any]:
    from django.db.models.options import normalize_together

    given = found.options
    return {
        "db_table": given.get("db_table") or None,
        "managed": given.get("managed", True),
        "proxy": given.get("proxy", False),
        "swappable": given.get("swappable"),
        "order_with_respect_to": given.get("order_with_respect_to"),
        "unique_together": sorted(map(list, normalize_together(given.get("unique_together")))),
        "index_together": sorted(map(list, normalize_together(given.get("index_together")))),
        "constraints": [constraint(each) for each in given.get("constraints", ())],
        "indexes": [constraint(each) for each in given.get("indexes", ())],
        "bases": [base.lower().split(".") for base in found.bases if isinstance(base, str)],
    }


def constraint(found: Any) -> dict[str, Any]:
    from django.db import models

    _, _, arguments = found.deconstruct()
    plain = (
        isinstance(found, models.UniqueConstraint)
        and not (arguments.keys() - {"fields", "name"})
        and bool(found.fields)
    )
    return {
        "path": found.deconstruct()[0],
        "name": found.name,
        "fields": [name.removeprefix("-") for name in getattr(found, "fields", ())],
        "plain": plain,
    }


def pieces(sql: Any) -> list[str]:
    if isinstance(sql, str):
        return [sql] if sql else []
    return [each[0] if isinstance(each, list | tuple) else each for each in sql]


def main() -> None:
    task = json.load(sys.stdin)
    sys.path.insert(0, task["folder"])
    settings.configure(**task["settings"])
    django.setup()
    for module, label in task["modules"]:
        found = importlib.import_module(module)
        sys.stdout.write(json.dumps(describe(found.Migration(module.rpartition(".")[2], label))) + "\n")


if __name__ == "__main__":
    main()

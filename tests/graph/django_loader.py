"""Run by the tests in a process of its own: loads packages of migrations with Django and prints what came of it.

Input, as JSON on stdin: {"folder": …, "cases": [{"package": …, "apps": [labels], "applied": [[app, name]] or null}]}.
Output: one JSON object for each case.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations import executor, loader, recorder
from django.db.migrations.graph import DummyNode


class SortedLoader(loader.MigrationLoader):  # type: ignore[misc]
    """Django before 6.1 keeps the names in a set: sorted, its answers are the same each time."""

    def load_disk(self) -> None:
        super().load_disk()
        self.disk_migrations = dict(sorted(self.disk_migrations.items()))


def load(case: dict[str, Any]) -> dict[str, Any]:
    apps.set_installed_apps(["django.contrib.sites", *(f"{case['package']}.{label}" for label in case["apps"])])
    applied = {tuple(key): None for key in case["applied"]}
    recorder.MigrationRecorder.applied_migrations = lambda self: dict(applied)
    found = SortedLoader(connection, load=False)
    result: dict[str, Any] = {"error": None}
    try:
        found.build_graph()
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"
    graph = found.graph
    labels = set(case["apps"])
    result["edges"] = sorted(
        (node.key, parent.key)
        for node in graph.node_map.values()
        for parent in node.parents
        if node.key[0] in labels and parent.key[0] in labels
    )
    result["missing"] = sorted(key for key, node in graph.node_map.items() if isinstance(node, DummyNode))
    if result["error"] is None:
        result["leaves"] = [key for key in graph.leaf_nodes() if key[0] in labels]
        result["roots"] = {label: list(graph.root_nodes(label)[:1]) for label in case["apps"]}
        result["conflicts"] = found.detect_conflicts()
        runner = executor.MigrationExecutor(connection)
        plan = runner.migration_plan(runner.loader.graph.leaf_nodes(), clean_start=True)
        result["order"] = [(step.app_label, step.name) for step, _ in plan if step.app_label in labels]
    return result


def main() -> None:
    task = json.load(sys.stdin)
    sys.path.insert(0, task["folder"])
    sys.dont_write_bytecode = True
    settings.configure(
        INSTALLED_APPS=[],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    executor.MigrationLoader = SortedLoader
    for case in task["cases"]:
        sys.stdout.write(json.dumps(load(case)) + "\n")


if __name__ == "__main__":
    main()

"""Run by the tests in a process of its own: imports Django once, then serves each request in a process forked for it.

Requests come as JSON on standard input, a list; the answers go to standard output, a JSON object a line. A request is
{"folder": …, "settings": {…}} and {"compare": true}, or {"commands": [[argument, …], …]}. Without settings, those of
the folder count, as the judge finds them.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# What needs no settings, before the forks.
import django.core.management
import django.db.backends.sqlite3.base
import django.db.migrations.loader

from lint_m2m import config
from lint_m2m.cli import check  # noqa: F401
from lint_m2m.discovery import Layout
from lint_m2m.engine.live import LiveReader
from lint_m2m.migration import UNKNOWN, CodeFacts, CreateModel, Migration, Project, RunPython
from lint_m2m.readers.live.loading import load
from lint_m2m.readers.live.pending import pending  # noqa: F401
from lint_m2m.readers.live.project import facts
from lint_m2m.readers.static import read_project
from lint_m2m.rules import CODES
from tests.judge.databases import SQLITE_SETTINGS
from tests.judge.project import configure


def answer(request: dict[str, Any]) -> dict[str, Any]:
    folder = Path(request["folder"])
    os.chdir(folder)
    if "settings" in request:
        from django.conf import settings

        sys.path.insert(0, str(folder))
        settings.configure(**request["settings"])
        django.setup()
    else:
        configure(folder, dict(SQLITE_SETTINGS))
    if "commands" in request:
        return {"runs": [run(arguments) for arguments in request["commands"]]}
    return compare(folder)


def run(arguments: list[str]) -> dict[str, Any]:
    from django.core.management import call_command
    from django.core.management.base import CommandError

    out, err = io.StringIO(), io.StringIO()
    status = 0
    # Nothing may get past the streams that the command is given.
    with redirect_stdout(leaked := io.StringIO()), redirect_stderr(leaked):
        try:
            call_command(*arguments, stdout=out, stderr=err)
        except CommandError as error:
            err.write(f"CommandError: {error}\n")
            status = error.returncode
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except Exception as error:
            if arguments[0] == "lint_m2m":
                raise
            err.write(f"{type(error).__name__}: {error}\n")
            status = 1
    return {"status": status, "out": out.getvalue(), "err": err.getvalue(), "leaked": leaked.getvalue()}


def compare(folder: Path) -> dict[str, Any]:
    """The same files by both readers."""
    configured = config.load(folder)
    options = config.read_options(configured, folder)
    [(layout, read, _)] = LiveReader(load(), facts(), all_apps=True).projects(folder, options)
    live: Project = read()
    assert isinstance(layout, Layout)
    static = read_project(layout, options)
    by_key = {migration.key: migration for migration in live.migrations}
    compared, strict, found = 0, 0, []
    for migration in static.migrations:
        if migration.key not in by_key:
            continue  # Django cannot import it
        compared += 1
        strict += by_key[migration.key] == migration
        found += [
            f"{migration.key}{path}" for path in differences(migration, by_key[migration.key], bool(migration.gaps))
        ]
    gaps = [f"{migration.key}: {gap.reason}" for migration in live.migrations for gap in migration.gaps]
    return {
        "compared": compared,
        "equal": strict,
        "differences": found,
        "gaps": gaps,
        "broken": [f"{file.name}: {file.reason}" for file in live.unread],
        "facts": [live.vendor == static.vendor, live.default_auto_field == static.default_auto_field],
        "unplaced": [str(one.key) for one in live.migrations if any(each.span is None for each in one.operations)],
        "kinds": [type(each).__name__ for one in live.migrations for each in one.operations],
        "code": [
            [each.code.name, sorted(map(str, each.code.models)), each.code.opaque]
            for one in live.migrations
            for each in one.operations
            if isinstance(each, RunPython) and isinstance(each.code, CodeFacts)
        ],
        "links": [
            [
                f"{one.app_label}.{each.name.lower()}.{named.name}",
                named.field.class_known,
                None if named.field.relation.auto_columns is UNKNOWN else list(named.field.relation.auto_columns),
            ]
            for one in live.migrations
            for each in one.operations
            if isinstance(each, CreateModel)
            for named in each.fields
            if named.field.many_to_many and named.field.relation is not None
        ],
    }


def differences(static: Any, live: Any, partial: bool, path: str = "") -> list[str]:
    """Where the readers part; what the static one does not know, and says so, is no difference."""
    if static is UNKNOWN or static == live:
        return []
    if partial and isinstance(static, Migration):
        # Which of its operations could not be read is not written down; all else is.
        names = ("dependencies", "run_before", "initial", "atomic") if static.dependencies_complete else ("initial",)
    elif type(static) is type(live) and is_dataclass(static):
        names = tuple(field.name for field in fields(static) if field.compare)
    elif isinstance(static, tuple) and isinstance(live, tuple) and len(static) == len(live):
        pairs = enumerate(zip(static, live, strict=True))
        return [text for at, (one, other) in pairs for text in differences(one, other, partial, f"{path}[{at}]")]
    else:
        return [f"{path}: static {static!r}, live {live!r}"]
    return [
        text
        for name in names
        for text in differences(getattr(static, name), getattr(live, name), partial, f"{path}.{name}")
    ]


def main() -> None:
    sys.dont_write_bytecode = True
    requests = json.load(sys.stdin)
    assert CODES
    gc.collect()
    gc.freeze()
    for request in requests:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            gc.disable()
            try:
                answered = answer(request)
            except BaseException:
                answered = {"failed": traceback.format_exc()}
            sys.__stdout__.write(json.dumps(answered) + "\n")
            sys.__stdout__.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()

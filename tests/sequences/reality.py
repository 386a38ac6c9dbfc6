"""Real Django for the tests of sequences: makes a project's migrations, and proves a sequence as `prove` does.

`Server` starts one process for each database that has Django loaded; each request runs in a process forked for it.
Run as a module it is that process. Requests and answers are lines of JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SQLITE = "sqlite"
# What requests need, before a process is forked for each of them.
_LOADED_ONCE = (
    "django.core.management.commands.makemigrations",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "lint_m2m.prove.worker.proof",
    "tests.judge.databases",
)


class Server:
    """Asks real Django. `database` is "sqlite" or a URL; `modules` are loaded once for all requests."""

    def __init__(self, database: str = SQLITE, modules: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sequences.reality", database, *modules],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str, folder: Path, **request: object) -> dict[str, Any]:
        """The answer; AssertionError with the traceback where Django raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, "folder": str(folder), **request}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the process has ended"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


# The process itself.


def main(database: str, *modules: str) -> None:
    from tests.judge.databases import SQLITE_SETTINGS, DatabaseUrl, drivers, scratch

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.dont_write_bytecode = True
    for module in (*_LOADED_ONCE, *modules):
        importlib.import_module(module)
    url = None if database == SQLITE else DatabaseUrl.parse(database)
    if url is not None:
        drivers(url.vendor)
    with ExitStack() as stack:
        databases = [
            SQLITE_SETTINGS if url is None else url.settings(stack.enter_context(scratch(url, number)))
            for number in range(2)
        ]
        for line in sys.stdin:
            answers.write(json.dumps(_forked(json.loads(line), databases)) + "\n")
            answers.flush()


def _forked(request: dict[str, Any], databases: list[dict[str, object]]) -> dict[str, Any]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with os.fdopen(write, "w") as stream:
            try:
                answer = _REQUESTS[request.pop("what")](_configured(request, databases), **request)
            except BaseException:
                answer = {"error": traceback.format_exc()}
            json.dump(answer, stream)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    answer = json.loads(text or '{"error": "the child died"}')
    assert isinstance(answer, dict)
    return answer


def _configured(request: dict[str, Any], databases: list[dict[str, object]]) -> None:
    import django
    from django.conf import settings

    from tests.judge.databases import empty

    folder = Path(request.pop("folder"))
    sys.path.insert(0, str(folder))
    # An app stands in the folder itself, or in a package of the folder.
    apps = sorted(".".join(path.parent.relative_to(folder).parts) for path in folder.glob("**/models.py"))
    settings.configure(
        **{
            "DATABASES": {"default": databases[0], "fresh": databases[1]},
            "INSTALLED_APPS": apps,
            "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
            "USE_TZ": True,
            "SILENCED_SYSTEM_CHECKS": ["models.W042"],
            **request.pop("settings", {}),
        }
    )
    django.setup()
    # No content types and permissions: what `migrate` announces at its end takes longer than the migrations.
    from django.db import connections

    for connection in connections.all():
        empty(connection)


def _make(_: None, *, names: dict[str, str]) -> dict[str, Any]:
    """makemigrations, one app after the other, or all at once under the name of "*"."""
    from django.core.management import call_command

    text = io.StringIO()
    if "*" in names:
        call_command("makemigrations", name=names["*"], verbosity=1, interactive=False, stdout=text)
    for app, name in names.items():
        if app != "*":
            call_command("makemigrations", app, name=name, verbosity=1, interactive=False, stdout=text)
    return {"text": text.getvalue()}


def _manage(_: None, *, arguments: list[str], answers: str = "") -> dict[str, Any]:
    """``manage.py ARGUMENTS`` with somebody who types `answers`."""
    from django.core.management import execute_from_command_line

    out, err = io.StringIO(), io.StringIO()
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"  # django-migration-linter asks for it
    os.chdir(sys.path[0])
    sys.stdin = io.StringIO(answers)
    status: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as stop:
            status = stop.code
    return {"out": out.getvalue(), "err": err.getvalue(), "status": status or 0}


def _prove(_: None, **request: Any) -> dict[str, Any]:
    """The whole proof; `wrong` is empty, or says what is wrong."""
    from lint_m2m.prove.worker.proof import Request, prove

    result = prove(Request.of(request))
    problems = [*result["problems"], *([result["reason"]] if result["reason"] else [])]
    return {**result, "wrong": problems}


_REQUESTS = {"make": _make, "manage": _manage, "prove": _prove}


if __name__ == "__main__":
    main(*sys.argv[1:])

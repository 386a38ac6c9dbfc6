"""The fork server: imports Django once, then runs each project in a process forked for it.

`client` starts it. Requests come on standard input, answers go to what was standard output (which is then turned into
standard error, so that a project's ``print`` cannot break an answer). A closed standard input ends the worker, and with
it its scratch database.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

from .databases import SQLITE, SQLITE_SETTINGS, DatabaseUrl, drivers, empty, scratch
from .outcome import JudgeError, Outcome
from .protocol import Request, receive, send


def main(database: str) -> None:
    """Serve until standard input is closed."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.dont_write_bytecode = True
    url = None if database == SQLITE else DatabaseUrl.parse(database)
    if url is not None:
        drivers(url.vendor)
    _preload("sqlite" if url is None else url.vendor)
    with nullcontext("") if url is None else scratch(url) as name:
        settings = SQLITE_SETTINGS if url is None else url.settings(name)
        gc.collect()
        gc.freeze()
        while True:
            try:
                request = receive(requests)
            except EOFError:
                return
            assert isinstance(request, Request)
            send(answers, _fork(request, settings))


def _preload(vendor: str) -> None:
    """Import what every project needs, before the forks: modules that define no model."""
    import django.core.checks.registry
    import django.db.backends.sqlite3.base
    import django.db.migrations.executor
    import django.urls
    import django.utils.log

    from . import executor, project  # noqa: F401

    if vendor == "postgresql":
        import django.db.backends.postgresql.base
    elif vendor == "mysql":
        import django.db.backends.mysql.base  # noqa: F401


def _fork(request: Request, settings: dict[str, object]) -> Outcome | JudgeError:
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(read)
        status = 1
        try:
            signal.alarm(request.timeout)
            gc.disable()
            with os.fdopen(write, "wb") as stream:
                send(stream, _child(request, settings))
            status = 0
        finally:
            # Nothing of the worker's own is cleaned up here: not its streams, not its scratch database.
            sys.stderr.flush()
            os._exit(status)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as stream:
            answer = receive(stream)
    except EOFError:
        answer = None
    _, status = os.waitpid(child, 0)
    if isinstance(answer, Outcome | JudgeError):
        return answer
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return JudgeError(f"{request.project_dir}: still running after {request.timeout} s")
    return JudgeError(f"{request.project_dir}: the process ended with status {status}")


def _child(request: Request, settings: dict[str, object]) -> Outcome | JudgeError:
    from .executor import Run
    from .project import configure

    try:
        labels = configure(Path(request.project_dir), settings)
        from django.db import connection

        empty(connection)
        run = Run(connection, labels, plan=request.plan, fresh_process=request.fresh_process, retry=request.retry)
        outcome = run.outcome()
        connection.close()
        return outcome
    except JudgeError as error:
        return error
    except Exception:
        return JudgeError(f"{request.project_dir}: {traceback.format_exc()}")

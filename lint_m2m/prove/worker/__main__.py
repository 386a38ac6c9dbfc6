"""The protocol: one request in, events out.

Request: ``folder``, ``package``, ``labels``, ``default_auto_field``, ``database`` (Django's settings), ``scratch`` (the
name of the database to make; the one for the schema to compare with gets ``_fresh`` behind it), and what
`lint_m2m.prove.worker.proof.Request` has.

Events: ``{"event": "created", "database"}``, ``{"event": "dropped", "database"}``, ``{"event": "stage", "stage",
"done", "total"}``, and last ``{"event": "result", …}`` or ``{"event": "error", "message"}`` (it could not run).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from typing import Any

from lint_m2m.prove.worker.database import CannotRun, configure, drop, scratch
from lint_m2m.prove.worker.proof import Request, prove


def main() -> int:
    # Whatever else prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.dont_write_bytecode = True

    def say(**event: object) -> None:
        # Whoever asked may be gone; what was made is dropped all the same.
        with suppress(BrokenPipeError):
            answers.write(json.dumps(event) + "\n")
            answers.flush()

    request: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, daemon=True).start()
    try:
        _run(request, say)
    except CannotRun as error:
        say(event="error", message=str(error))
    except KeyboardInterrupt:
        return 130
    return 0


def _watch() -> None:
    """Nobody waits for the answer any more: stop, and clean up."""
    # Not sys.stdin: a thread that waits with its lock held keeps the interpreter from ending.
    while os.read(0, 4096):
        pass
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()


def _run(request: dict[str, Any], say: Any) -> None:
    database = request["database"]
    name = request["scratch"]
    if request.get("what") == "drop":
        drop(database, [name, f"{name}_fresh"])
        return
    sys.path.insert(0, request["folder"])
    with ExitStack() as stack:
        names = []
        for one in (name, f"{name}_fresh"):
            names.append(stack.enter_context(scratch(database, one, say)))
        apps = [f"{request['package']}.{label}" for label in request["labels"]]
        configure(names, apps, {"DEFAULT_AUTO_FIELD": request["default_auto_field"]})

        def stage(text: str, done: int = 0, total: int | None = None) -> None:
            say(event="stage", stage=text, done=done, total=total)

        result = prove(Request.of(request), stage)
        _close()
        say(event="result", **result)


def _close() -> None:
    from django.db import connections

    connections.close_all()


if __name__ == "__main__":
    sys.exit(main())

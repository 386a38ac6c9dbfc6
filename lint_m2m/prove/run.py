"""Proofs one after the other: a folder with the project's text, a process that has Django, an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from lint_m2m.errors import LintM2MError
from lint_m2m.prove.urls import Database
from lint_m2m.prove.values import Proof, ProofProject, Ran, Status, Task
from lint_m2m.values import slotted

Stage: TypeAlias = Callable[[str, int, int | None], None]

# How long a process that was told to stop may take to drop its databases, in seconds.
_PATIENCE: Final = 60
# How long whoever pressed Ctrl-C waits for that. It goes on by itself.
_MOMENT: Final = 0.6


class CannotProve(LintM2MError):
    """Nothing could be run: no Django, no driver, no server."""


def django_version() -> tuple[int, int]:
    """The version of the Django that proofs run with, without importing it. CannotProve where there is none."""
    if find_spec("django") is None:
        raise CannotProve(
            "`prove` runs the sequences with Django, which is not installed beside lint-m2m: "
            "`pip install 'lint-m2m[prove]'`"
        )
    from importlib.metadata import PackageNotFoundError, version

    try:
        major, minor, *_ = version("Django").split(".")
        return int(major), int("".join(one for one in minor if one.isdigit()) or 0)
    except (PackageNotFoundError, ValueError):
        return (6, 1)


def run_proof(task: Task, project: ProofProject, database: Database, rows: int, stage: Stage) -> Proof:
    """Prove one sequence on one database. CannotProve where the database cannot be used."""
    with tempfile.TemporaryDirectory(prefix="lint-m2m-") as folder:
        for path, text in project.files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
        request = {
            "folder": folder,
            "package": project.package,
            "labels": project.labels,
            "default_auto_field": project.default_auto_field,
            "database": dict(database.settings),
            "scratch": f"lint_m2m_prove_{os.getpid()}_{os.urandom(4).hex()}",
            "field": list(project.field),
            "was": project.was,
            "before": dict(project.before),
            "first": list(project.first),
            "old_code": project.old_code,
            "link_columns": list(project.link_columns),
            "rows": rows,
        }
        answer = _Process(request, database).answer(stage)
    return _proof(task, project, database, answer)


def _proof(task: Task, project: ProofProject, database: Database, answer: Mapping[str, Any]) -> Proof:
    hidden = _hiding(database.secrets)
    problems = tuple(hidden(one) for one in answer["problems"])
    reason = answer["reason"]
    status = Status.NOT_PROVABLE if reason else Status.FAILED if problems else Status.PROVED
    return Proof(
        task=task,
        database=database.label,
        status=status,
        reason=None if reason is None else hidden(reason),
        migrations=tuple(
            Ran(migration=one["migration"], seconds=one["seconds"], locks=one["locks"]) for one in answer["migrations"]
        ),
        problems=problems,
        differences=tuple(answer["differences"]),
        notes=project.notes,
        **{
            name: answer[name]
            for name in (
                "server",
                "django",
                "rows",
                "duplicates",
                "rows_forward",
                "rows_backward",
                "rows_again",
                "schema_equal",
                "no_changes",
                "old_code",
                "new_code",
                "reversible",
                "seconds",
            )
        },
    )


def _hiding(secrets: Sequence[str]) -> Callable[[str], str]:
    def hidden(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return hidden


@slotted()
class _Process:
    """The process of one proof, and the scratch databases that it says it has made."""

    request: Mapping[str, Any]
    database: Database

    def answer(self, stage: Stage) -> dict[str, Any]:
        """The result. Whatever happens, no scratch database is left behind.

        After Ctrl-C the process may still be at it, in a session of its own, when this one has ended.
        """
        left: set[str] = set()
        goes_on = False
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as errors:
            process = self._start(errors)
            try:
                found = self._listen(process, left, stage)
            except BaseException as error:
                # The end of its stdin tells the process to stop and to drop what it made.
                if isinstance(error, KeyboardInterrupt) and os.name == "posix" and not self._stops_soon(process):
                    goes_on = True
                    raise
                self._stop(process)
                for line in process.stdout or ():
                    self._noted(json.loads(line), left)
                raise
            finally:
                if not goes_on:
                    self._stop(process)
                if process.stdout is not None:
                    process.stdout.close()
                if left and not goes_on:
                    self._drop()
            if found is not None:
                return found
            errors.seek(0)
            tail = errors.read()[-2000:].strip().splitlines()
        said = f": {tail[-1]}" if tail else ""
        raise CannotProve(_hiding(self.database.secrets)(f"the process that runs the proof ended early{said}"))

    def _start(self, errors: IO[str]) -> subprocess.Popen[str]:
        # Where lint_m2m is imported from, and no folder that a project may stand in (-P).
        own = str(Path(__file__).resolve().parents[2])
        paths = [own, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUTF8": "1"}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lint_m2m.prove.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=self.request["folder"],
            env=environment,
            text=True,
            encoding="utf-8",
            # Ctrl-C in the terminal is for the parent, which then stops the child in order.
            start_new_session=os.name == "posix",
        )
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.write(json.dumps(self.request) + "\n")
            process.stdin.flush()
        return process

    def _listen(self, process: subprocess.Popen[str], left: set[str], stage: Stage) -> dict[str, Any] | None:
        found: dict[str, Any] | None = None
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            self._noted(event, left)
            if event["event"] == "stage":
                stage(event["stage"], event["done"], event["total"])
            elif event["event"] == "error":
                raise CannotProve(_hiding(self.database.secrets)(f"{self.database.label}: {event['message']}"))
            elif event["event"] == "result":
                found = event
        return found

    def _noted(self, event: Mapping[str, Any], left: set[str]) -> None:
        if event["event"] == "created":
            left.add(event["database"])
        elif event["event"] == "dropped":
            left.discard(event["database"])

    def _stops_soon(self, process: subprocess.Popen[str]) -> bool:
        """Tell the process to stop; whether it has, in a moment. A server may take seconds to drop a database."""
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_MOMENT)
            return True
        return False

    def _stop(self, process: subprocess.Popen[str]) -> None:
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _drop(self) -> None:
        """The process ended without dropping what it made: another one does."""
        with tempfile.TemporaryFile(mode="w+") as errors:
            request = {**self.request, "what": "drop"}
            process = _Process(request, self.database)._start(errors)
            process.communicate(timeout=_PATIENCE)

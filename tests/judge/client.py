"""`run`: what real Django does with a project. One worker process for each database, for the life of this process."""

from __future__ import annotations

import atexit
import subprocess
import sys
from pathlib import Path

from .databases import SQLITE
from .outcome import JudgeError, Outcome
from .protocol import Plan, Request, receive, send

REPOSITORY = Path(__file__).resolve().parent.parent.parent


class Worker:
    """A fork server, and the two pipes to it."""

    def __init__(self, database: str) -> None:
        self.database = database
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from tests.judge.worker import main; main(sys.argv[1])", database],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, request: Request) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            send(self._process.stdin, request)
            answer = receive(self._process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise JudgeError(f"the worker for {self.database} has ended: see its traceback above") from error
        if isinstance(answer, JudgeError):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    def close(self) -> None:
        """Let it drop its scratch database, and wait for that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


_workers: dict[str, Worker] = {}


def run(
    project_dir: Path,
    *,
    database: str = SQLITE,
    plan: Plan = "fresh",
    fresh_process: bool = False,
    retry: bool = False,
    timeout: int = 120,
) -> Outcome:
    """Migrate the project in `project_dir` from nothing, with link rows in every link table before each migration.

    `database` is "sqlite" (in memory) or a URL, on whose server a scratch database is used. `plan` "fresh" runs
    squashed migrations, "replaced" those that they replace, as an older installation did. `fresh_process` renders the
    state anew before each migration, as when each is deployed on its own. `retry` runs a failed migration a second
    time, for what databases without transactional DDL say then. JudgeError when the project cannot be loaded, or takes
    longer than `timeout` seconds.
    """
    worker = _workers.get(database)
    if worker is None:
        worker = _workers[database] = Worker(database)
    return worker.ask(Request(str(Path(project_dir).resolve()), plan, fresh_process, retry, timeout))


@atexit.register
def close() -> None:
    """End the workers; their scratch databases go with them."""
    while _workers:
        _, worker = _workers.popitem()
        worker.close()

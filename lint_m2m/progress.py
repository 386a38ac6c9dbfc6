"""A progress bar for people who wait: on stderr, when it is a terminal, and only after a second."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

DELAY: Final = 1.0


class Progress:
    """Call it with what is being done, how much of it is done and how much there is.

    rich is imported by a timer, so a run that ends before it pays nothing.
    """

    def __init__(self, stream: TextIO, *, enabled: bool, delay: float = DELAY) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._state: tuple[str, int, int | None] = ("starting", 0, None)
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._over = False
        self._timer = threading.Timer(delay, self._start) if enabled else None
        if self._timer is not None:
            self._timer.daemon = True

    def __enter__(self) -> Progress:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is None:
            return
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def __call__(self, stage: str, done: int = 0, total: int | None = None) -> None:
        self._state = (stage, done, total)
        if self._bar is not None:
            with self._lock:
                self._show()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        with self._lock:
            if self._over:
                return
            self._task = bar.add_task(self._state[0], total=None)
            self._bar = bar
            self._show()
            bar.start()

    def _show(self) -> None:
        if self._bar is not None and self._task is not None:
            stage, done, total = self._state
            self._bar.update(self._task, description=stage, completed=done, total=total)

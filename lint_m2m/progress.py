"""A progress bar for people who wait: on stderr, when it is a terminal, and only after a second."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

DELAY: Final = 1.0
# How often it is drawn again, in seconds.
_PERIOD: Final = 0.1


class Progress:
    """Call it with what is being done, how much of it is done and how much there is.

    It is drawn when it is called, by no thread of its own: files may be read by forks of this process. rich is imported
    when there is something to draw, so a run that ends before pays nothing.
    """

    def __init__(self, stream: TextIO, *, enabled: bool, delay: float = DELAY) -> None:
        self._stream = stream
        self._next = time.monotonic() + delay if enabled else float("inf")
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._next = float("inf")

    def __call__(self, stage: str, done: int = 0, total: int | None = None) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _PERIOD
        if self._bar is None or self._task is None:
            self._bar, self._task = self._started()
        self._bar.update(self._task, description=stage, completed=done, total=total)
        self._bar.refresh()

    def _started(self) -> tuple[Bar, TaskID]:
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
            auto_refresh=False,
        )
        task = bar.add_task("", total=None)
        bar.start()
        return bar, task

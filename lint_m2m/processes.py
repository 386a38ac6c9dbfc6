"""Work spread over processes: each does some of the pieces and hands the values back.

The processes are forks of this one, so that they have everything that it has. Who is free takes the next piece, this
process too. What the others have made of a piece they put into memory that both share, pickled: they run the same code
on the same values, and nobody else can write there. A pipe tells how much it is, so that this process can take it while
they do the next. Where there is no ``fork`` that can be trusted (Windows, macOS, a process with threads), and when a
process comes to grief, the pieces are done here. What comes out is the same in all cases.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Final, Generic, NoReturn, TypeVar

from lint_m2m import looks
from lint_m2m.interrupts import interrupts_wait
from lint_m2m.looks import Looks

_Result = TypeVar("_Result")

# The bytes of a piece's number, and how many numbers a pipe takes at once.
_NUMBER: Final = 2
MOST_PIECES: Final = 2_048
# How many bytes tell the size of what a piece has become: few enough to be written and read at once.
_SIZE: Final = 8

_is_worker = False


def usable_processes() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))  # type: ignore[attr-defined,unused-ignore]  # not on macOS and Windows
    except AttributeError:
        return os.cpu_count() or 1


def is_worker() -> bool:
    """Whether this process works for another, which alone speaks to whoever waits."""
    return _is_worker


def spread(
    pieces: int, work: Callable[[int], _Result], processes: int, meanwhile: Callable[[], None] = lambda: None
) -> list[_Result]:
    """What `work` makes of the numbers of all `pieces`, in their order, by at most so many processes.

    `meanwhile` is something else that this process has to do: where others work, while they do.
    """
    processes = min(processes, pieces)
    if processes < 2 or pieces > MOST_PIECES or not sys.platform.startswith("linux") or _has_threads():
        return [work(number) for number in range(pieces)]
    try:
        queue, feed = os.pipe()
    except OSError:
        return [work(number) for number in range(pieces)]
    # Each number is taken by one process only.
    os.write(feed, b"".join(number.to_bytes(_NUMBER, "big") for number in range(pieces)))
    os.close(feed)
    workers: list[_Worker[_Result]] = []
    try:
        # Ctrl-C right after a fork would come out in both.
        with interrupts_wait():
            workers += [_Worker(queue, work) for _ in range(processes - 1)]
        meanwhile()
        done: dict[int, _Result] = {}
        for number, result in _taken(queue, work):
            done[number] = result
            for worker in workers:
                worker.take()
        for worker in workers:
            pieces_done, looked_at = worker.results()
            done.update(pieces_done)
            if (looking := looks.noted()) is not None and looked_at is not None:
                looking.merge(looked_at)
    finally:
        os.close(queue)
        for worker in workers:
            worker.stop()
    # What a process took and did not bring back.
    return [done[number] if number in done else work(number) for number in range(pieces)]


def _has_threads() -> bool:
    """Whether this process has others than the main one: a fork would have one alone, and their locks."""
    # Who has started one has loaded it, and it knows of no others.
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _taken(queue: int, work: Callable[[int], _Result]) -> Iterator[tuple[int, _Result]]:
    while taken := os.read(queue, _NUMBER):
        number = int.from_bytes(taken, "big")
        yield number, work(number)


class _Worker(Generic[_Result]):
    """A process that does pieces."""

    def __init__(self, queue: int, work: Callable[[int], _Result]) -> None:
        self._pid: int | None = None
        self._open: list[int] = []
        # What has come so far, and how many bytes of the memory that was.
        self._found: dict[int, _Result] = {}
        self._looked_at: Looks | None = None
        self._position = 0
        try:
            self._memory = os.memfd_create("lint-m2m")  # type: ignore[attr-defined,unused-ignore]  # Linux alone has it
            self._open.append(self._memory)
            self._pipe, writing = os.pipe()
            self._open.append(self._pipe)
        except OSError:
            return
        parent = os.getpid()
        try:
            self._pid = os.fork()
        except OSError:
            os.close(writing)
            return
        if self._pid == 0:
            _work(queue, writing, self._memory, work, parent)
        os.close(writing)

    def take(self) -> None:
        """Take what the process has done by now: it goes on meanwhile."""
        if self._pid is not None:
            os.set_blocking(self._pipe, False)
            with suppress(BlockingIOError):
                self._take_all()

    def results(self) -> tuple[dict[int, _Result], Looks | None]:
        """The pieces that the process has done, and what it looked at; none if it has not come to its end."""
        if self._pid is None:
            return {}, None
        os.set_blocking(self._pipe, True)
        self._take_all()
        pid, self._pid = self._pid, None
        return (self._found, self._looked_at) if os.waitpid(pid, 0)[1] == 0 else ({}, None)

    def _take_all(self) -> None:
        """Take what the process does, until it has come to its end; BlockingIOError where nothing has come."""
        import pickle

        while told := os.read(self._pipe, _SIZE):
            data = os.pread(self._memory, int.from_bytes(told, "big"), self._position)
            self._position += len(data)
            number, result = pickle.loads(data)
            if number is None:
                self._looked_at = result
            else:
                self._found[number] = result

    def stop(self) -> None:
        """End the process if it still runs, and forget it."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None
        while self._open:
            os.close(self._open.pop())


def _work(queue: int, pipe: int, memory: int, work: Callable[[int], _Result], parent: int) -> NoReturn:
    """In the new process: never returns, and leaves everything that it shares with its parent alone.

    Ctrl-C ends it without a word. So does the end of the parent, whatever that was.
    """
    global _is_worker
    _is_worker = True
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        import pickle

        def for_parent(number: int) -> _Result:
            if os.getppid() != parent:
                os._exit(1)
            return work(number)

        def bring(number: int | None, result: object) -> None:
            data = memoryview(pickle.dumps((number, result), protocol=5))
            size = len(data)
            while data:
                data = data[os.write(memory, data) :]
            os.write(pipe, size.to_bytes(_SIZE, "big"))

        with looks.noting() if looks.noted() is not None else nullcontext() as looked_at:
            for number, result in _taken(queue, for_parent):
                bring(number, result)
        bring(None, looked_at)
        status = 0
    finally:
        os._exit(status)

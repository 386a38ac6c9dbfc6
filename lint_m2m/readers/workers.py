"""Reading spread over processes: each reads some of the files and hands the values back.

The processes are forks of this one, so that they have everything that it has. The files are cut into pieces; who is
free takes the next, this process too. What the others have read of a piece they put into memory that both share,
pickled: they run the same code on the same files, and nobody else can write there. A pipe tells how much it is, so
that this process can take it while they read the next. Where there is no ``fork`` that can be trusted (Windows, macOS,
a process with threads), for a small project, and when a process comes to grief, the files are read here. What comes
out is the same in all cases.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Final, Generic, NoReturn, TypeVar

from lint_m2m import looks
from lint_m2m.interrupts import interrupts_wait
from lint_m2m.looks import Looks

_File = TypeVar("_File")
_Result = TypeVar("_Result")

# For fewer files a process is not worth it: what it reads has to be carried over.
FEWEST: Final = 60
# Pieces for each process: as many as it takes for all to end at about the same time. A piece's number is one byte.
_PIECES: Final = 8
_MOST_PIECES: Final = 256
# How many bytes tell the size of what a piece has become: few enough to be written and read at once.
_SIZE: Final = 8


def usable_processes() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))  # type: ignore[attr-defined,unused-ignore]  # not on macOS and Windows
    except AttributeError:
        return os.cpu_count() or 1


def read_all(
    files: Sequence[_File],
    read: Callable[[_File], _Result],
    jobs: int,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[_Result]:
    """What `read` makes of each file, in their order, by at most `jobs` processes.

    `meanwhile` is something else that this process has to do: where others read, while they do.
    """
    parts = min(jobs, len(files) // FEWEST)
    if parts < 2 or not sys.platform.startswith("linux") or _has_threads():
        return [read(file) for file in files]
    size = -(-len(files) // min(parts * _PIECES, _MOST_PIECES))
    pieces = [files[start : start + size] for start in range(0, len(files), size)]

    def read_piece(number: int) -> list[_Result]:
        return [read(file) for file in pieces[number]]

    try:
        queue, feed = os.pipe()
    except OSError:
        return [read(file) for file in files]
    # Each byte is taken by one process only.
    os.write(feed, bytes(range(len(pieces))))
    os.close(feed)
    workers: list[_Worker[_Result]] = []
    try:
        # Ctrl-C right after a fork would come out in both.
        with interrupts_wait():
            workers += [_Worker(queue, read_piece) for _ in range(parts - 1)]
        meanwhile()
        done = dict(_taken(queue, read_piece))
        for worker in workers:
            pieces_read, looked_at = worker.results()
            done.update(pieces_read)
            if (looking := looks.noted()) is not None and looked_at is not None:
                looking.merge(looked_at)
    finally:
        os.close(queue)
        for worker in workers:
            worker.stop()
    # What a process took and did not bring back.
    return [one for number in range(len(pieces)) for one in done.get(number) or read_piece(number)]


def _has_threads() -> bool:
    """Whether this process has others than the main one: a fork would have one alone, and their locks."""
    import threading

    return threading.active_count() > 1


def _taken(queue: int, read_piece: Callable[[int], list[_Result]]) -> Iterator[tuple[int, list[_Result]]]:
    while number := os.read(queue, 1):
        yield number[0], read_piece(number[0])


class _Worker(Generic[_Result]):
    """A process that reads pieces."""

    def __init__(self, queue: int, read_piece: Callable[[int], list[_Result]]) -> None:
        self._pid: int | None = None
        self._open: list[int] = []
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
            _work(queue, writing, self._memory, read_piece, parent)
        os.close(writing)

    def results(self) -> tuple[dict[int, list[_Result]], Looks | None]:
        """The pieces that the process has read, and what it looked at; none if it has not come to its end."""
        if self._pid is None:
            return {}, None
        import pickle

        found: dict[int, list[_Result]] = {}
        looked_at: Looks | None = None
        position = 0
        while told := os.read(self._pipe, _SIZE):
            data = os.pread(self._memory, int.from_bytes(told, "big"), position)
            position += len(data)
            number, result = pickle.loads(data)
            if number is None:
                looked_at = result
            else:
                found[number] = result
        pid, self._pid = self._pid, None
        return (found, looked_at) if os.waitpid(pid, 0)[1] == 0 else ({}, None)

    def stop(self) -> None:
        """End the process if it still runs, and forget it."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None
        while self._open:
            os.close(self._open.pop())


def _work(queue: int, pipe: int, memory: int, read_piece: Callable[[int], list[_Result]], parent: int) -> NoReturn:
    """In the new process: never returns, and leaves everything that it shares with its parent alone.

    Ctrl-C ends it without a word. So does the end of the parent, whatever that was.
    """
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        import pickle

        def read_for_parent(number: int) -> list[_Result]:
            if os.getppid() != parent:
                os._exit(1)
            return read_piece(number)

        def bring(number: int | None, result: object) -> None:
            data = memoryview(pickle.dumps((number, result), protocol=5))
            size = len(data)
            while data:
                data = data[os.write(memory, data) :]
            os.write(pipe, size.to_bytes(_SIZE, "big"))

        with looks.noting() if looks.noted() is not None else nullcontext() as looked_at:
            for number, result in _taken(queue, read_for_parent):
                bring(number, result)
        bring(None, looked_at)
        status = 0
    finally:
        os._exit(status)

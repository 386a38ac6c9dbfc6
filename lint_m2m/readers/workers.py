"""Reading spread over processes: each reads a run of the files and hands the values back.

The processes are forks of this one, so that they have everything that it has, and write to a pipe what they read,
pickled: they run the same code on the same files, and nobody else can write there. Where there is no ``fork`` that can
be trusted (Windows, macOS, a process with threads), for a small project, and when a process comes to grief, the files
are read here. What comes out is the same in all cases.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

_File = TypeVar("_File")
_Result = TypeVar("_Result")

# A process costs what reading some thirty migrations costs.
FEWEST: Final = 60


def usable_processes() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))  # type: ignore[attr-defined,unused-ignore]  # not on macOS and Windows
    except AttributeError:
        return os.cpu_count() or 1


def read_all(
    files: Sequence[_File], read: Callable[[_File], _Result], size: Callable[[_File], int], jobs: int
) -> list[_Result]:
    """What `read` makes of each file, in their order, by at most `jobs` processes; `size` is what a file weighs."""
    parts = min(jobs, len(files) // FEWEST)
    if parts < 2 or not sys.platform.startswith("linux") or threading.active_count() > 1:
        return [read(file) for file in files]
    runs = _runs(files, size, parts)
    workers = [_Worker(read, run) for run in runs[1:]]
    try:
        results = [read(file) for file in runs[0]]
        for worker in workers:
            results += worker.results()
    finally:
        for worker in workers:
            worker.stop()
    return results


def _runs(files: Sequence[_File], size: Callable[[_File], int], parts: int) -> list[Sequence[_File]]:
    """The files cut into runs of about the same weight."""
    sizes = [size(file) + 1 for file in files]
    each = sum(sizes) / parts
    runs: list[Sequence[_File]] = []
    start = weight = 0
    for index, one in enumerate(sizes):
        weight += one
        if weight >= each * (len(runs) + 1) and len(runs) < parts - 1:
            runs.append(files[start : index + 1])
            start = index + 1
    return [*runs, files[start:]]


class _Worker(Generic[_File, _Result]):
    """A process that reads some files."""

    def __init__(self, read: Callable[[_File], _Result], files: Sequence[_File]) -> None:
        self._read = read
        self._files = files
        self._pid: int | None = None
        self._pipe: int | None = None
        try:
            self._pipe, writing = os.pipe()
        except OSError:
            return
        try:
            self._pid = os.fork()
        except OSError:
            os.close(writing)
            return
        if self._pid == 0:
            self._work(writing)
        os.close(writing)

    def _work(self, pipe: int) -> None:
        """In the new process: never returns, and leaves everything that it shares with its parent alone."""
        status = 1
        try:
            data = memoryview(pickle.dumps([self._read(file) for file in self._files], protocol=5))
            while data:
                data = data[os.write(pipe, data) :]
            status = 0
        finally:
            os._exit(status)

    def results(self) -> list[_Result]:
        """What the process has read; read here if it has not come to its end."""
        data = self._data()
        if data is None:
            return [self._read(file) for file in self._files]
        found: list[_Result] = pickle.loads(data)
        return found

    def _data(self) -> bytes | None:
        if self._pid is None or self._pipe is None:
            return None
        pieces: list[bytes] = []
        while piece := os.read(self._pipe, 1 << 20):
            pieces.append(piece)
        pid, self._pid = self._pid, None
        return b"".join(pieces) if os.waitpid(pid, 0)[1] == 0 else None

    def stop(self) -> None:
        """End the process if it still runs, and forget it."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

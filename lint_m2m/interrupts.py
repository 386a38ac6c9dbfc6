"""Ctrl-C at a bad moment waits for a better one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# Whoever presses Ctrl-C waits no longer than this for somebody who reads slowly.
MOMENT: Final = 0.5


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """An interrupt within comes out at the end: for what must not be left half done, and takes no time.

    Python hands signals to its main thread: in another one there is nothing to hold back.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: waiting.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            before(*waiting[0])


@contextmanager
def interrupts_wait_a_moment() -> Iterator[None]:
    """The same for what may take long, since it depends on others: an interrupt comes out at the end, or in a moment.

    Where there are no timers (Windows), and where somebody else uses them, it comes out at once.
    """
    before = signal.getsignal(signal.SIGINT)
    if (
        threading.current_thread() is not threading.main_thread()
        or not callable(before)
        or not hasattr(signal, "setitimer")
        or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
    ):
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []

    def wait(number: int, frame: FrameType | None) -> None:
        if not waiting:
            signal.setitimer(signal.ITIMER_REAL, MOMENT)
        waiting.append((number, frame))

    def no_longer(_: int, frame: FrameType | None) -> None:
        waiting.clear()
        before(signal.SIGINT, frame)

    signal.signal(signal.SIGALRM, no_longer)
    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if waiting:
            before(*waiting[0])

"""Ctrl-C at a bad moment waits for a better one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
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
    waiting: list[tuple[int, FrameType | None]] = []
    if not callable(before) or not _set(signal.SIGINT, lambda number, frame: waiting.append((number, frame))):
        yield
        return
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
        not callable(before)
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

    if not _set(signal.SIGALRM, no_longer):
        yield
        return
    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if waiting:
            before(*waiting[0])


def _set(number: int, handler: Callable[[int, FrameType | None], object]) -> bool:
    """Whether that signal goes to `handler` now: only in the main thread can it."""
    try:
        signal.signal(number, handler)
    except ValueError:
        return False
    return True

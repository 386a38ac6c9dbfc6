"""Ctrl-C reaches the processes that these tests start, whoever has started the tests."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """A process in the background of a shell without job control ignores SIGINT, and all that it starts do as well."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

"""The progress bar: only on a terminal, only after a while, and gone without a trace of it in the report."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import pytest

from lint_m2m.progress import Progress


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_bar_on_a_terminal() -> None:
    import pty

    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        with Progress(stream, enabled=True, delay=0.0) as progress:
            deadline = time.monotonic() + 20
            seen = b""
            os.set_blocking(master, False)
            while b"replaying [bold]migrations" not in seen and time.monotonic() < deadline:
                progress("replaying [bold]migrations", 3, 9)
                time.sleep(0.02)
                try:
                    seen += os.read(master, 65536)
                except BlockingIOError:
                    continue
        time.sleep(0.05)
        seen += os.read(master, 65536)
    os.close(master)
    assert b"replaying [bold]migrations" in seen, seen
    assert b"3/9" in seen, seen
    # The cursor is shown again, and the line is cleared.
    assert b"\x1b[?25h" in seen, seen
    assert b"\x1b[2K" in seen, seen


def test_nothing_before_the_delay() -> None:
    stream = io.StringIO()
    with Progress(stream, enabled=True, delay=60) as progress:
        progress("reading", 1, 2)
    assert stream.getvalue() == ""


def test_nothing_when_it_is_off() -> None:
    stream = io.StringIO()
    with Progress(stream, enabled=False, delay=0) as progress:
        progress("reading", 1, 2)
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_error_inside_leaves_the_bar_stopped(tmp_path: Path) -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), Progress(stream, enabled=True, delay=0):
        raise KeyboardInterrupt

"""The real command line on a hostile project, in a process of its own that is measured.

`lint` demands of every run what docs/security.md promises: an exit status of the contract, no traceback, and no more
than so much processor time and memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.speed import slowness

REPOSITORY: Final = Path(__file__).resolve().parents[2]
SITTER: Final = Path(__file__).with_name("sitter.py")

# What one input may take: processor time, since other processes take the clock's, and the most memory at any moment. On
# a machine that is slower than usual it is as much longer (`slowness`).
SECONDS: Final = 2.0
MEGABYTES: Final = 200.0
# By then it hangs, on a slow machine as well.
HANGS: Final = 60
# What it may map at most. Far above the limit, which is measured: this is to save the machine.
MAPPED: Final = 2048


class Done(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str
    seconds: float
    megabytes: float

    @property
    def said(self) -> str:
        return self.out + self.err


def environment(**more: str) -> dict[str, str]:
    """The variables of a run: this repository's lint_m2m, and nothing that the outside says about terminals."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    # Where the key of the cache lies: nothing of a test goes into the user's own.
    kept["XDG_CACHE_HOME"] = os.path.join(tempfile.gettempdir(), "lint-m2m-hostile-cache")
    return kept | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"} | more


def run(
    folder: Path | str,
    *command: str,
    given: Mapping[str, str] | None = None,
    hangs: int = HANGS,
    python: Sequence[str] = ("-P", "-m", "lint_m2m"),
    powerless: bool = False,
) -> Done:
    """``python -m lint_m2m`` with these arguments in `folder`, whatever comes of it.

    `python` is what the interpreter is given instead; `powerless`: the superuser, too, has to keep to files' modes.
    """
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result"
        done = subprocess.run(
            [
                *(sys.executable, "-I", "-S", str(SITTER), str(result), str(hangs), str(MAPPED), str(int(powerless))),
                *(sys.executable, *python, *command),
            ],
            cwd=folder,
            env=environment(**(given or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        status, seconds, megabytes = result.read_text(encoding="utf-8").split()
    return Done(
        int(status),
        done.stdout.decode("utf-8", "backslashreplace"),
        done.stderr.decode("utf-8", "backslashreplace"),
        float(seconds),
        float(megabytes),
    )


def lint(
    folder: Path | str,
    *command: str,
    seconds: float = SECONDS,
    megabytes: float = MEGABYTES,
    given: Mapping[str, str] | None = None,
    python: Sequence[str] = ("-P", "-m", "lint_m2m"),
    powerless: bool = False,
) -> Done:
    """The same, with all that every run has to keep."""
    hangs = max(HANGS, int(10 * seconds))
    done = run(folder, *command, given=given, hangs=hangs, python=python, powerless=powerless)
    shown = f"status {done.status}, {done.seconds:.2f} s, {done.megabytes:.0f} MB\n{done.out[-4000:]}\n"
    shown += done.err[-4000:]
    assert done.status in (0, 1, 2), shown
    assert not any(word in done.said for word in ("Traceback", "internal error")), shown
    assert done.status != 2 or done.err, shown
    assert done.seconds <= seconds or done.seconds <= seconds * slowness(), shown
    assert done.megabytes <= megabytes, shown
    return done

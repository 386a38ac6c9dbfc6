"""Whole processes, measured: how long, how much processor time, how much memory; in turns, and their medians."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What the process that measures was told by its own environment would slow others down, or choose for them.
_NOT_THEIRS = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "DJANGO_SETTINGS_MODULE", "PYTHONDEVMODE")


@dataclass(frozen=True)
class Run:
    """One process: the seconds that passed, processor seconds of it and its children, and the most memory, in bytes,
    that one of them had."""

    seconds: float
    processors: float
    memory: int


@dataclass(frozen=True)
class Way:
    """Something to be measured. `before` is done before each run, and not counted; `statuses` are those of success."""

    name: str
    command: Sequence[str]
    folder: Path
    statuses: Sequence[int] = (0,)
    before: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Result:
    """The runs of a way; without any, `reason` says why."""

    runs: tuple[Run, ...] = ()
    reason: str = ""

    def median(self, what: Callable[[Run], float]) -> float:
        return statistics.median(what(run) for run in self.runs)


def environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_THEIRS}
    # This repository's lint-m2m, and no other one.
    return {**kept, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def measured(way: Way, limit: float) -> Run | str:
    """One run of a way, or why there is none: it was stopped after `limit` seconds, or did not end well."""
    way.before()
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            way.command,
            cwd=way.folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == -signal.SIGKILL and seconds >= limit:
            return f"stopped after {limit:.0f} s"
        if process.returncode not in way.statuses:
            errors.seek(0)
            sys.stderr.write(errors.read().decode(errors="replace")[-2000:])
            return f"failed with status {process.returncode}"
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds=seconds, processors=used.ru_utime + used.ru_stime, memory=used.ru_maxrss * unit)


def in_turns(ways: Sequence[Way], runs: int, limit: float) -> dict[str, Result]:
    """Every way once for nothing, so that compiled files and caches are there, then all of them in turns.

    One that takes too long, or fails, is not run again.
    """
    results = {way.name: Result() for way in ways}
    for number in range(runs + 1):
        for way in ways:
            if results[way.name].reason:
                continue
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{number}/{runs} {way.name:65}")
            run = measured(way, limit)
            if isinstance(run, str):
                results[way.name] = Result(reason=run)
            elif number:
                results[way.name] = Result(runs=(*results[way.name].runs, run))
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{'':70}\r")
    return results

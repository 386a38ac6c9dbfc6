"""Runs one command line again and again, each time with one system call that writes going wrong.

    python -P -m tests.faults.injected TEMPLATE WORK FAULT -- ARGUMENTS

FAULT is "error" (the call fails, of the disk being full or another reason in turn) or "kill" (the process is killed
there); a call that writes bytes gets half of them through. In run number n, in a copy of the folder TEMPLATE, it is
call number n that goes wrong; it ends with the run that does not get that far. A line of JSON for each: the call, how
the process ended, what it said, and every file that is there afterwards.

Runs are forks of a process that has done the same once, so that nothing has to be loaded any more.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from lint_m2m.cli import main

CALLS = ("write", "fsync", "chmod", "chown", "link", "symlink", "replace", "rename", "unlink", "truncate", "ftruncate")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)


class Faults:
    """Counts the calls; `told` is where it says which one went wrong."""

    def __init__(self, kind: str, number: int, told: int) -> None:
        self._kind, self._number, self._told = kind, number, told
        self._write = os.write
        self._done = 0

    def install(self) -> None:
        for name in CALLS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        real = os.open
        creating = self._wrapped("open", real)
        os.open = lambda path, flags, *rest, **named: (  # type: ignore[assignment]
            creating if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) else real
        )(path, flags, *rest, **named)

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._done += 1
            if self._done != self._number:
                return real(*arguments, **named)
            self._write(self._told, name.encode())
            if name == "write":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if self._kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            code = ERRORS[self._number % len(ERRORS)]
            raise OSError(code, os.strerror(code))

        return call


def quietly(folder: Path, arguments: list[str]) -> tuple[int, str]:
    """The exit status, and what stderr got."""
    os.chdir(folder)
    heard = io.StringIO()
    with redirect_stderr(heard), redirect_stdout(io.StringIO()):
        return main(arguments), heard.getvalue()


def run(folder: Path, kind: str, number: int, arguments: list[str]) -> dict[str, Any]:
    """Run number `number`, in `folder`."""
    reading, told = os.pipe()
    saying, said = os.pipe()
    child = os.fork()
    if child == 0:
        write = os.write
        Faults(kind, number, told).install()
        status, heard = quietly(folder, arguments)
        write(said, heard.encode())
        os._exit(status)
    os.close(told)
    os.close(said)
    with open(saying, encoding="utf-8") as stream:
        words = stream.read()
    with open(reading, encoding="utf-8") as stream:
        call = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    return {"number": number, "call": call, "status": status, "said": words, "files": files}


def run_all(template: Path, work: Path, kind: str, arguments: list[str]) -> None:
    number = 0
    while True:
        folder = work / str(number)
        shutil.copytree(template, folder)
        if not number:
            quietly(folder, arguments)
            number += 1
            continue
        outcome = run(folder, kind, number, arguments)
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()
        if not outcome["call"]:
            return
        number += 1


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[5:])

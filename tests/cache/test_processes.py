"""Several runs at once with one cache, and runs that are killed at any moment: the next one is as without them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from lint_m2m.cache import FOLDER
from tests.cli.projects import INITIAL, library, write


def start(root: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lint_m2m", "check", "--format", "json", *options, str(root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def told(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def project(folder: Path) -> Path:
    root = library(folder)
    for number in range(8):
        write(root, {f"app{number}/migrations/__init__.py": ""})
        write(root, {f"app{number}/migrations/0001_initial.py": INITIAL.replace("library", f"app{number}")})
    return root


def test_several_at_once(tmp_path: Path) -> None:
    root = project(tmp_path / "site")
    for round_ in range(2):
        expected = told(start(root, "--no-cache"))
        assert expected[0] == 1, expected
        for running in ([start(root) for _ in range(4)], [start(root) for _ in range(4)]):
            assert [told(one) for one in running] == [expected] * 4
        write(root, {"library/migrations/0003_more.py": f"# {round_}\n" + INITIAL.replace('"Book"', f'"More{round_}"')})
    left = sorted(path.suffix for path in (root / FOLDER).iterdir())
    assert left == ["", ".TAG", ".lint-m2m-entry"]


def test_killed_at_any_moment(tmp_path: Path) -> None:
    root = project(tmp_path / "site")
    expected = told(start(root, "--no-cache"))
    choose = random.Random(1)
    began = time.perf_counter()
    assert told(start(root)) == expected
    whole = time.perf_counter() - began
    for _ in range(6):
        for entry in (root / FOLDER).glob("*.lint-m2m-entry"):
            if choose.random() < 0.7:
                entry.unlink()
        process = start(root, "--jobs", "1")
        time.sleep(choose.uniform(0.5, 1.1) * whole)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert told(start(root)) == expected
    assert told(start(root)) == expected
    # What they left behind has a name that nobody takes for an entry.
    assert {path.suffix for path in (root / FOLDER).iterdir()} <= {"", ".TAG", ".lint-m2m-entry", ".tmp"}


def test_interrupted_while_writing(tmp_path: Path) -> None:
    """The entry is whole, or the old one, when the process dies between any two system calls of writing it."""
    root = project(tmp_path / "site")
    expected = told(start(root, "--no-cache"))
    code = """
import os, signal, sys
from lint_m2m import cache
name, left = sys.argv[1], int(sys.argv[2])
original = getattr(os, name)

def dies(*arguments, **options):
    global left
    left -= 1
    if left == 0 and any(".lint_m2m_cache" in str(one) for one in arguments):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)

class Os:
    def __getattr__(self, wanted):
        return dies if wanted == name else getattr(os, wanted)

cache.os = Os()
from lint_m2m.cli import main
sys.exit(main(["check", "--format", "json", sys.argv[3]]))
"""
    for name in ("mkdir", "open", "replace", "lstat", "scandir", "unlink"):
        for nth in (1, 2):
            for entry in (root / FOLDER).glob("*.lint-m2m-entry"):
                entry.unlink()
            done = subprocess.run(
                [sys.executable, "-c", code, name, str(nth), str(root)], capture_output=True, check=False
            )
            assert done.returncode in (1, -signal.SIGKILL), done.stderr
            assert told(start(root)) == expected, (name, nth)
    assert os.listdir(root / FOLDER)

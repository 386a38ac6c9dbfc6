"""How the process ends: at once, with everything written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "course-tags"
MODULE = [sys.executable, "-m", "lint_m2m"]


def test_status_and_output_of_the_process() -> None:
    done = subprocess.run([*MODULE, "check", "--format", "json", str(EXAMPLE)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("}\n")
    wrong = subprocess.run([*MODULE, "check", "--no-such-option"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "--no-such-option" in wrong.stderr


def test_closed_streams_are_no_error() -> None:
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'lint_m2m', *sys.argv[1:]])"
    done = subprocess.run([sys.executable, "-c", code, "explain", "MTM101"], capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_whoever_watches_gets_to_the_end() -> None:
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('at the end'))\n"
        "sys.setprofile(lambda *_: None)\n"
        "sys.argv = ['lint-m2m', '--version']\n"
        "runpy.run_module('lint_m2m', run_name='__main__', alter_sys=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "at the end")

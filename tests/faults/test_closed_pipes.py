"""Nobody reads any more: quiet, no half of an error, and the exit status is that of what was found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.reports import FORMATS
from tests.cli.projects import library

REPOSITORY = Path(__file__).resolve().parents[2]
LINT = [sys.executable, "-P", "-m", "lint_m2m"]
CHECK = ("check", "--isolated", "--no-cache")
COMMANDS = [
    *(((*CHECK, "--format", name), 1) for name in FORMATS),
    ((*CHECK, "--diff"), 1),
    ((*CHECK, "--statistics", "--verbose"), 1),
    ((*CHECK, "--output", "-"), 1),
    ((*CHECK, "--show-config"), 0),
    ((*CHECK, "--fix"), 0),
    ((*CHECK, "--write-baseline", "--baseline", "known.toml"), 0),
    (("check", "--no-such-option"), 2),
    (("check", "--help"), 0),
    (("explain",), 0),
    (("explain", "MTM101"), 0),
    (("plan", "library.Book.authors", "--no-through", "--isolated"), 0),
    (("plan", "library.Book.authors", "--no-through", "--isolated", "--format", "json"), 0),
    (("prove", "--isolated", "--sequence", "keep-table", "--rows", "2"), 0),
    (("--help",), 0),
    (("--version",), 0),
    (("--print-completion", "bash"), 0),
]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes streams of a process that starts")


def run(root: Path, arguments: tuple[str, ...], before: Callable[[], None]) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*LINT, *arguments], cwd=root, env=environment, capture_output=True, preexec_fn=before)


def hang_up(stream: int) -> None:
    """Whatever is written to that stream is written to a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, stream)


@pytest.mark.parametrize(("arguments", "status"), COMMANDS, ids=[" ".join(arguments) for arguments, _ in COMMANDS])
def test_nobody_reads(arguments: tuple[str, ...], status: int, tmp_path: Path) -> None:
    def hung_up() -> None:
        hang_up(1)

    def closed() -> None:
        os.closerange(0, 3)

    done = run(library(tmp_path / "one"), arguments, hung_up)
    assert (done.returncode, done.stdout) == (status, b"")
    assert b"Traceback" not in done.stderr
    assert b"roken pipe" not in done.stderr
    assert (b"error" in done.stderr) is (status == 2)
    done = run(library(tmp_path / "other"), arguments, closed)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")
    written = {path.relative_to(tmp_path / "one"): path.read_bytes() for path in (tmp_path / "one").rglob("*.*")}
    assert written == {
        path.relative_to(tmp_path / "other"): path.read_bytes() for path in (tmp_path / "other").rglob("*.*")
    }


def test_nobody_hears(tmp_path: Path) -> None:
    """The report is whole, whoever closed stderr."""
    root = library(tmp_path / "site")
    arguments = (*CHECK, "--verbose", "--format", "json")
    expected = run(root, arguments, lambda: None)
    assert expected.stderr
    for before in (lambda: hang_up(2), lambda: os.close(2)):
        done = run(root, arguments, before)
        assert (done.returncode, done.stdout, done.stderr) == (1, expected.stdout, b"")


def test_one_line_is_enough(tmp_path: Path) -> None:
    """``| head -1`` of a report that is larger than a pipe."""
    process = subprocess.Popen(
        [*LINT, *CHECK, "--format", "sarif", str(library(tmp_path / "site"))],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"{\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def test_a_report_for_a_pipe_by_its_name(tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    plain = run(root, (*CHECK, "--format", "json"), lambda: None)
    if not os.path.exists("/dev/stdout"):
        pytest.skip("there is no /dev/stdout")
    for arguments in (("--format", "json:/dev/stdout"), ("--format", "json", "--output", "/dev/stdout")):
        done = run(root, (*CHECK, *arguments), lambda: None)
        assert (done.returncode, done.stdout, done.stderr) == (1, plain.stdout, plain.stderr)
        done = run(root, (*CHECK, *arguments), lambda: hang_up(1))
        assert (done.returncode, done.stdout, done.stderr) == (1, b"", plain.stderr)

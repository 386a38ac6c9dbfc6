"""Ctrl-C: exit status 130 within a second, nothing said, nothing torn, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.projects import INITIAL, library, write

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = [sys.executable, "-P"]
MIGRATION = "library/migrations/0002_authorship.py"
CHECK = ("check", "--isolated", "--no-cache")
A_SECOND = 1.0

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals to processes")

# Ctrl-C when a function is called for the n-th time: for the whole group, as a terminal does, or for the parent alone.
# What starts after that has to be interrupted, not to come to an end by itself: so there is a pause.
INTERRUPTED = """
import importlib, os, signal, sys, time
from lint_m2m import __main__
name, number, whom, *arguments = sys.argv[1:]
module, function = name.rsplit(".", 1)
module, parent, calls = importlib.import_module(module), os.getpid(), iter(range(1, 10**9))
real = getattr(module, function)
def call(*given, **named):
    if next(calls) == int(number):
        if whom == "group":
            os.killpg(0, signal.SIGINT)
        else:
            os.kill(parent, signal.SIGINT)
        if os.getpid() != parent:
            time.sleep(60)
    return real(*given, **named)
setattr(module, function, call)
sys.argv[1:] = arguments
__main__.run()
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}


def start(command: list[str], root: Path) -> subprocess.Popen[bytes]:
    """A process with a group of its own, as one that a terminal starts."""
    return subprocess.Popen(
        [*PYTHON, *command],
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def require_nobody_left(group: int) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a process is left")


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.*")) if path.is_file()
    }


MORE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [migrations.AddField("book", "title", models.TextField(default=""))]
"""


def many(root: Path) -> Path:
    """A project that is read by several processes, with one finding."""
    files = {}
    for app in (f"app{number:02}" for number in range(65)):
        files |= {f"{app}/__init__.py": "", f"{app}/migrations/__init__.py": ""}
        files[f"{app}/migrations/0001_initial.py"] = INITIAL.replace("library", app)
        files[f"{app}/migrations/0002_more.py"] = MORE.replace("library", app)
    return write(library(root), files)


PHASES = [
    ("start", "lint_m2m.cli.check.add_arguments", 1, ()),
    ("configuration", "lint_m2m.cli.check.load", 1, ()),
    ("discovery", "lint_m2m.discovery.discover_projects", 1, ()),
    ("reading", "lint_m2m.processes._taken", 1, ()),
    ("graph", "lint_m2m.engine.judging.build", 1, ()),
    ("replay", "lint_m2m.engine.judging.judge_all", 1, ()),
    ("sequences", "lint_m2m.engine.judging.ways_out", 1, ()),
    ("comments", "lint_m2m.engine.judging.unsilenced", 1, ()),
    ("report", "lint_m2m.reports.render", 1, ()),
    ("reports", "lint_m2m.reports.render", 2, ("--format", "json:a.json", "--format", "sarif:b.sarif")),
    ("fix", "lint_m2m.rewrite.plan", 1, ("--fix",)),
    ("second check of a fix", "lint_m2m.engine.judging.build", 2, ("--fix",)),
    ("git", "lint_m2m.changes.find", 1, ("--since", "HEAD")),
]


# Where other processes are at work, it matters who is told.
WHOM = [(phase, "group") for phase in PHASES] + [
    (phase, "parent") for phase in PHASES if phase[0] in ("reading", "git")
]


@pytest.mark.parametrize(
    ("function", "number", "more", "whom"),
    [(*phase[1:], whom) for phase, whom in WHOM],
    ids=[f"{phase[0]}, {whom}" for phase, whom in WHOM],
)
def test_each_phase(function: str, number: int, more: tuple[str, ...], whom: str, tmp_path: Path) -> None:
    root = many(tmp_path / "site")
    before = contents(root)
    process = start(["-c", INTERRUPTED, function, str(number), whom, *CHECK, "--jobs", "2", *more], root)
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (130, b"", b"")
    assert contents(root) == before
    require_nobody_left(process.pid)


@pytest.mark.parametrize("whom", ["group", "parent"])
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("lint_m2m.rewrite.files._require_unchanged", 1),
        ("lint_m2m.rewrite.files.prepare", 1),
        ("lint_m2m.rewrite.files._require_unchanged", 2),
        ("lint_m2m.rewrite.files.flush_folder", 1),
    ],
)
def test_a_fix_that_has_begun_to_write_ends(function: str, number: int, whom: str, tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    before = contents(root)
    process = start(["-c", INTERRUPTED, function, str(number), whom, *CHECK, "--fix"], root)
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (130, b"", b"")
    changed = {name for name, text in contents(root).items() if text != before.get(name)}
    # Asked for the first time before anything is written, it stops there.
    assert changed == (set() if (function, number) == ("lint_m2m.rewrite.files._require_unchanged", 1) else {MIGRATION})


def test_a_report_in_a_file_is_whole(tmp_path: Path) -> None:
    """Ctrl-C while the first of two is written: that one is there, the other one is not."""
    root = library(tmp_path / "site")
    more = ("--format", "json:a.json", "--format", "sarif:b.sarif")
    process = start(["-c", INTERRUPTED, "lint_m2m.writing.prepare", "1", "group", *CHECK, *more], root)
    assert (*process.communicate(timeout=30), process.returncode) == (b"", b"", 130)
    assert (root / "a.json").read_bytes().endswith(b"}\n")
    assert not (root / "b.sarif").exists()
    assert not list(root.rglob("*.tmp"))


def test_a_report_that_is_being_read_is_read_to_its_end(tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    whole = subprocess.run(
        [*PYTHON, "-m", "lint_m2m", *CHECK, "--format", "sarif"], cwd=root, env=environment(), capture_output=True
    ).stdout
    process = start(["-m", "lint_m2m", *CHECK, "--format", "sarif"], root)
    assert process.stdout is not None
    first = os.read(process.stdout.fileno(), 1)
    os.kill(process.pid, signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert first + rest == whole


def test_a_report_that_nobody_goes_on_reading(tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    process = start(["-m", "lint_m2m", *CHECK, "--format", "sarif"], root)
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 1) == b"{"
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert time.monotonic() - began < A_SECOND
    process.communicate()


@pytest.mark.parametrize("interrupt", [os.killpg, os.kill])
def test_any_moment(interrupt: Callable[[int, int], None], tmp_path: Path) -> None:
    """From outside, at whatever moment: a large project, two processes, two reports in files."""
    root = many(tmp_path / "site")
    before = contents(root)
    moment = 0.05
    while True:
        process = start(
            ["-m", "lint_m2m", *CHECK, "--jobs", "2", "--format", "json:a.json", "--format", "html:b.html"], root
        )
        time.sleep(moment)
        began = time.monotonic()
        interrupt(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        took = time.monotonic() - began
        require_nobody_left(process.pid)
        now = contents(root)
        for name in ("a.json", "b.html"):
            assert now.pop(name, b"}\n").rstrip().endswith((b"}", b"</html>"))
        assert now == before
        if process.returncode == 1:
            break
        if process.returncode == -2 or b"<frozen" in errors:
            # Python itself was still starting.
            moment += 0.02
            continue
        assert (process.returncode, out, errors) == (130, b"", b"")
        assert took < A_SECOND
        moment *= 1.4


def test_nothing_is_searched_for_what_could_be_freed(tmp_path: Path) -> None:
    """In a large project that takes seconds, and the process ends anyway."""
    root = library(tmp_path / "site")
    code = (
        "import gc, os, signal, sys\n"
        "from lint_m2m import __main__, reports\n"
        "gc.collect()\n"
        "gc.callbacks.append(lambda phase, info: sys.stderr.write('collected'))\n"
        "if sys.argv.pop(1) == 'interrupted':\n"
        "    reports.render = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "__main__.run()\n"
    )
    for how, status in (("interrupted", 130), ("undisturbed", 1)):
        process = start(["-c", code, how, *CHECK, "--format", "concise"], root)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (status, b"")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes read together on Linux only")
def test_readers_end_with_their_parent(tmp_path: Path) -> None:
    """Killed by whatever cannot be caught, too."""
    root = many(tmp_path / "site")
    code = (
        "import os, signal, sys, time\n"
        "from lint_m2m import processes\n"
        "real, parent = processes._taken, os.getpid()\n"
        "def taken(queue, read):\n"
        "    if os.getpid() == parent:\n"
        "        os.kill(parent, signal.SIGKILL)\n"
        "    time.sleep(0.3)\n"
        "    return real(queue, lambda number: (read(number), time.sleep(60)))\n"
        "processes._taken = taken\n"
        "from lint_m2m.cli import main\n"
        "main(['check', '--isolated', '--no-cache', '--jobs', '2'])\n"
    )
    process = start(["-c", code], root)
    assert process.wait(timeout=30) == -9
    require_nobody_left(process.pid)
    process.communicate()


@pytest.mark.parametrize("whom", [os.killpg, os.kill])
def test_a_proof(whom: Callable[[int, int], None], tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    process = start(["-m", "lint_m2m", "prove", "--isolated", "--sequence", "keep-table", "--rows", "100000"], root)
    time.sleep(1.5)
    began = time.monotonic()
    whom(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    took = time.monotonic() - began
    assert (process.returncode, out, errors) == (130, b"", b"")
    assert took < A_SECOND


def test_scratch_databases_are_dropped(database_url: str, tmp_path: Path) -> None:
    """Whoever waits gets away in a second; the server may take longer, and is told all the same."""
    root = library(tmp_path / "site")
    names: set[str] = set()
    for moment in (0.7, 1.4):
        process = start(
            ["-m", "lint_m2m", "prove", "--isolated", "--sequence", "keep-table", "--database", database_url], root
        )
        time.sleep(moment)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        took = time.monotonic() - began
        assert (process.returncode, out, errors) == (130, b"", b"")
        assert took < A_SECOND
        until = time.monotonic() + 20
        while (names := scratch_databases(database_url, process.pid)) and time.monotonic() < until:
            time.sleep(0.1)
        assert names == set()


def scratch_databases(url: str, pid: int) -> set[str]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(url) as connection:
            names = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
    else:
        import pymysql

        server = pymysql.connect(
            host=parts.hostname, port=parts.port or 3306, user=parts.username, password=parts.password or ""
        )
        with server, server.cursor() as cursor:
            cursor.execute("SHOW DATABASES")
            names = [name for (name,) in cursor.fetchall()]
    return {name for name in names if name.startswith(f"lint_m2m_prove_{pid}_")}

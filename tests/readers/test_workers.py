"""Several processes read what one reads."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lint_m2m.discovery import discover_projects
from lint_m2m.readers import workers
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.static import read_project
from tests.readers.two_ways import differences

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "rules"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked on Linux only")


@pytest.fixture(autouse=True)
def few_files_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FEWEST", 2)
    # Test runners have threads of their own.
    monkeypatch.setattr(threading, "active_count", lambda: 1)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("jobs", [2, 3])
def test_reads_the_same_projects(jobs: int) -> None:
    layouts = [layout for layout in discover_projects(FIXTURES, ReadOptions()) if len(layout.files) >= 4]
    assert layouts
    for layout in layouts[:20]:
        alone = read_project(layout, ReadOptions())
        together = read_project(layout, ReadOptions(), jobs)
        assert list(differences(alone.migrations, together.migrations)) == []
        assert replace(alone, migrations=()) == replace(together, migrations=())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
class TestReadAll:
    def test_keeps_the_order(self) -> None:
        files = list(range(50))
        assert workers.read_all(files, lambda file: file * file, 4) == [n * n for n in files]

    def test_does_the_work_of_a_process_that_died(self) -> None:
        parent = os.getpid()

        def read(file: int) -> int:
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.01)  # so that the other one takes some
            return file

        assert workers.read_all(list(range(50)), read, 2) == list(range(50))

    def test_an_error_is_the_same_as_without(self, capfd: pytest.CaptureFixture[str]) -> None:
        def read(file: int) -> int:
            return 1 // (file - 9)

        with pytest.raises(ZeroDivisionError):
            workers.read_all(list(range(50)), read, 2)
        assert capfd.readouterr() == ("", "")

    def test_leaves_no_process_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[int] = []
        fork = os.fork

        def counting() -> int:
            made.append(fork())
            return made[-1]

        monkeypatch.setattr(os, "fork", counting)

        parent = os.getpid()

        def read(file: int) -> int:
            if os.getpid() == parent:
                raise KeyboardInterrupt
            signal.pause()
            return file

        with pytest.raises(KeyboardInterrupt):
            workers.read_all(list(range(50)), read, 2)
        with pytest.raises(ProcessLookupError):
            os.kill(made[0], 0)

    def test_reads_alone_where_no_process_can_be_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fork() -> int:
            raise OSError("no more processes")

        monkeypatch.setattr(os, "fork", fork)
        assert workers.read_all(list(range(50)), str, 2) == list(map(str, range(50)))

    def test_reads_alone_beside_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threading, "active_count", lambda: 2)
        monkeypatch.setattr(os, "fork", None)
        assert workers.read_all(list(range(50)), str, 2) == list(map(str, range(50)))

"""What is fuzzed: functions of bytes that may end in any way but a traceback, and the limits that each input has."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from lint_m2m import engine
from lint_m2m.config import load, select
from lint_m2m.discovery import Layout, MigrationFile
from lint_m2m.errors import LintM2MError
from lint_m2m.migration import UNKNOWN, Migration, UnreadFile
from lint_m2m.readers.files import text_of
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.static import ReadContext, read_migration
from lint_m2m.replay.sql import hides_names, read_sql
from lint_m2m.replay.sql_lexer import VENDORS, mentions
from lint_m2m.replay.sql_values import SqlEffect
from lint_m2m.reports import FORMATS, render
from lint_m2m.rules import NAMES
from lint_m2m.suppression import ignores
from tests.cli.projects import library
from tests.readers.two_ways import mistaken
from tests.support.speed import slowness

SECONDS: Final = 2.0
MEGABYTES: Final = 200


class TooLong(BaseException):
    """An input took more processor time than it may; no handler of errors takes this for one."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong(f"more than {SECONDS} s")


@cache
def _seconds() -> float:
    """What an input may take on this machine."""
    return SECONDS * slowness()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)


@contextmanager
def bounded() -> Iterator[None]:
    """What is done in it takes so much processor time and memory at most."""
    before, handler = _peak(), signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, _seconds())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
    assert _peak() - before <= MEGABYTES


class Targets:
    """All of them, with a project on disk to put the bytes into: `folder` has to be empty."""

    def __init__(self, folder: Path) -> None:
        self.root = library(folder / "site")
        self.file = self.root / "library" / "migrations" / "0002_authorship.py"
        (folder / "configured").mkdir()
        self.configured = folder / "configured" / "pyproject.toml"

    def reader(self, source: bytes) -> None:
        """The reading of a migration."""
        file = MigrationFile(
            app_label="library", name="0002_x", path="library/migrations/0002_x.py", place=str(self.file)
        )
        layout = Layout(root=self.root, apps=(), files=(file,), source_roots=(self.root,))
        read = read_migration(file, source, ReadContext(layout, ReadOptions()))
        assert read is None or isinstance(read, Migration | UnreadFile)
        hash(read)
        brief = read_migration(file, source, ReadContext(layout, ReadOptions()), brief=True)
        if isinstance(read, Migration) and isinstance(brief, Migration) and brief.text is not None:
            assert not list(mistaken(read, brief, brief.text))
        else:
            assert brief == read

    def project(self, source: bytes) -> None:
        """The whole check: reader, graph, replay, rules, comments, sequences, and each form of the report in turn."""
        form = tuple(FORMATS)[len(source) % len(FORMATS)]
        try:
            report = engine.run([self.root], load, overlay={self.file: source}).report
        except LintM2MError:
            return
        assert render(report, form) or not report.findings

    def sql(self, source: bytes) -> None:
        """The reading of raw SQL, for each database and for none."""
        text = source.decode("utf-8", "surrogateescape")
        vendor = (*VENDORS, UNKNOWN)[len(text) % (len(VENDORS) + 1)]
        assert all(isinstance(effect, SqlEffect) for effect in read_sql(text, vendor))
        mentions(text)
        hides_names(text)

    def configuration(self, source: bytes) -> None:
        """The reading of pyproject.toml, where no file but that one is wrong."""
        self.configured.write_bytes(source)
        with suppress(LintM2MError):
            select(load(self.configured.parent), NAMES, self.configured.parent)

    def comments(self, source: bytes) -> None:
        """The reading of ignore comments."""
        for ignore in ignores(text_of(source)):
            hash(ignore)

    @property
    def all(self) -> tuple[Callable[[bytes], None], ...]:
        return self.reader, self.project, self.sql, self.configuration, self.comments

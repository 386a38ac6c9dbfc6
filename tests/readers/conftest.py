"""A project in a temporary folder, and one migration of it read."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lint_m2m.discovery import Layout, MigrationFile
from lint_m2m.migration import App, Migration, Operation
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.static import ReadContext, read_migration
from tests.readers.two_ways import assert_same_in_both_ways

HEAD = """\
from django.conf import settings
from django.db import migrations, models
import django.db.models.deletion
"""


class Reader:
    """Reads `source` as library/migrations/0002_test.py of a project that has `files` beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")

    def __call__(self, source: str | bytes, files: dict[str, str] | None = None, **options: Any) -> Migration:
        """The migration; `options` are those of ReadOptions, and `swappable`."""
        result = self.result(source, files, **options)
        assert isinstance(result, Migration), result
        return result

    def result(self, source: str | bytes, files: dict[str, str] | None = None, **options: Any) -> object:
        self.write({"library/__init__.py": "", "library/migrations/__init__.py": "", **(files or {})})
        text = textwrap.dedent(source) if isinstance(source, str) else source
        data = text.encode() if isinstance(text, str) else text
        path = "library/migrations/0002_test.py"
        (self.root / path).write_bytes(data)
        file = MigrationFile(app_label="library", name="0002_test", path=path, place=str(self.root / path))
        layout = Layout(
            root=self.root,
            apps=(App(label="library", path="library/migrations"), App(label="members", path="people/migrations")),
            files=(file,),
            source_roots=(self.root,),
        )
        options_read = ReadOptions(**options)
        result = read_migration(file, data, ReadContext(layout, options_read))
        # Whatever a test reads is read in both ways.
        assert_same_in_both_ways(file, data, lambda: ReadContext(layout, options_read))
        return result

    def body(self, body: str, files: dict[str, str] | None = None, *, head: str = "", **options: Any) -> Migration:
        """The migration whose class has `body`."""
        source = f"{HEAD}{textwrap.dedent(head)}\n\nclass Migration(migrations.Migration):\n"
        return self(source + textwrap.indent(textwrap.dedent(body), "    "), files, **options)

    def operations(self, text: str, files: dict[str, str] | None = None, **options: Any) -> tuple[Operation, ...]:
        """The operations of the migration with ``operations = `` `text`."""
        return self.body(f"operations = {textwrap.dedent(text).strip()}\n", files, **options).operations

    def operation(self, text: str, files: dict[str, str] | None = None, **options: Any) -> Any:
        """The one operation `text`."""
        [operation] = self.operations(f"[{textwrap.dedent(text).strip()}]", files, **options)
        return operation

    def field(self, text: str, files: dict[str, str] | None = None, **options: Any) -> Any:
        """The field `text`, of model library.book."""
        return self.operation(
            f"migrations.AddField('Book', 'name', {textwrap.dedent(text).strip()})", files, **options
        ).field


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Reads one migration of a project below `tmp_path`."""
    return Reader(tmp_path)


@pytest.fixture
def expect() -> Callable[[object, object], None]:
    """Compares two values and shows both in full."""

    def compare(got: object, wanted: object) -> None:
        assert got == wanted, f"\n   got {got!r}\nwanted {wanted!r}"

    return compare

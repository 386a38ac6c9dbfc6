"""What a sequence says of links that are lost already: run after the loss, with real Django, it brings them back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sequences.cases import PLAIN, after, in_two, recreated, removed_first, through, via
from tests.sequences.projects import Case, check
from tests.sequences.reality import Server

KEYS = """
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    author = models.ForeignKey(Author, on_delete=models.PROTECT)
"""
FILLED = """
    position = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=80, blank=True)
    since = models.DateField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    languages = models.JSONField(default=dict)
    share = models.IntegerField(null=True)
"""
OF_THE_BOOK = '\n    class Meta:\n        order_with_respect_to = "book"\n'
NOTE = "    note = models.CharField(max_length=20)\n"
_SCRIPT = """
import json, pathlib, sys
import django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    INSTALLED_APPS=["library"], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
)
django.setup()
from django.apps import apps
from django.core.management import call_command
from django.db import connection
call_command("migrate", "library", "0001", verbosity=0)
table, insert, language, code = json.load(sys.stdin)
cursor = connection.cursor()
for number in range(1, 6):
    cursor.execute("INSERT INTO library_author (id, name) VALUES (%s, 'a')", [number])
    cursor.execute("INSERT INTO library_book (id, title) VALUES (%s, 'b')", [number])
for book in range(1, 6):
    for author in range(1, book + 1):
        cursor.execute(insert, [book, author])
cursor.execute(f"CREATE TABLE restored_{table} AS SELECT * FROM {table}")
call_command("migrate", "library", verbosity=0)
Book = apps.get_model("library", "Book")
counts = [[book.authors.count() for book in Book.objects.order_by("pk")]]
cursor.execute(code) if language == "sql" else exec(code)
counts.append([book.authors.count() for book in Book.objects.order_by("pk")])
print(json.dumps(counts))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.mark.parametrize(
    ("case", "language"),
    [
        (Case("plain", PLAIN, after(), patch=recreated), "sql"),
        (
            Case("may be null", PLAIN, after(KEYS + "    share = models.IntegerField(null=True)\n"), patch=recreated),
            "sql",
        ),
        (Case("filled by Django", PLAIN, after(KEYS + FILLED), patch=recreated), "python"),
        (Case("own order", PLAIN, after(KEYS, OF_THE_BOOK), patch=recreated), "python"),
        (
            Case(
                "key that Python makes",
                PLAIN,
                after("    id = models.UUIDField(primary_key=True, default=uuid.uuid4)\n" + KEYS),
                patch=recreated,
            ),
            "python",
        ),
        (Case("value that nobody has", PLAIN, after(KEYS + NOTE), patch=recreated), "python"),
        (
            Case(
                "swapped",
                via("Authorship", through("Authorship", KEYS + NOTE)),
                via("Writing", through("Writing", KEYS + NOTE)),
                patch=in_two("RemoveField", "DeleteModel", patched=removed_first),
            ),
            "sql",
        ),
    ],
    ids=lambda one: one.name if isinstance(one, Case) else one,
)
def test_links_come_back(case: Case, language: str, server: Server, tmp_path: Path) -> None:
    folder = case.build(tmp_path / "project", server)
    (finding,) = [one for one in check(folder)[0] if one.code == "MTM202"]
    steps = {(step.language, step.code) for one in finding.sequences for step in one.steps if "backup" in step.title}
    ((found, code), *_) = sorted(one for one in steps if "INSERT" in one[1] or "cursor" in one[1])
    assert found == language
    if "yours to say" in code:
        assert "note=None,  # yours to say" in code
        code = code.replace("note=None", "note='old'")
    table, columns, values = "library_book_authors", "book_id, author_id", "%s, %s"
    if case.name == "swapped":
        table, columns, values = "library_authorship", f"{columns}, note", f"{values}, 'x'"
    insert = f"INSERT INTO {table} ({columns}) VALUES ({values})"
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=folder,
        input=json.dumps([table, insert, language, code]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    assert json.loads(done.stdout) == [[0, 0, 0, 0, 0], [1, 2, 3, 4, 5]]

"""`makemigrations` with the app installed, and what it writes: run by real Django with rows in the tables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import django
import pytest
from django.db.migrations.state import ProjectState

from lint_m2m.prevention import safe
from lint_m2m.prevention.changes import ThroughChange
from tests.prevention.conftest import Changing
from tests.sequences.projects import AUTHOR, BOOK
from tests.sequences.reality import REPOSITORY

THROUGH = BOOK.replace('"library.Author"', '"library.Author", through="{}"')
MODEL = """
class {}(models.Model):
    book = models.ForeignKey("library.Book", models.CASCADE, related_name="+")
    author = models.ForeignKey("library.Author", models.CASCADE, related_name="+")
"""
NOTE = '    note = models.CharField(max_length=9, blank=True, default="…")\n'
META = """
    class Meta:
        db_table = "{}"
        unique_together = [("book", "author")]
"""
PLAIN = {"library": AUTHOR + BOOK}
CHANGED = {"library": AUTHOR + THROUGH.format("library.Authorship") + MODEL.format("Authorship")}
CLUB = """
class Club(models.Model):
    members = models.ManyToManyField(settings.AUTH_USER_MODEL{})
"""
MEMBER = """
from django.contrib.auth.base_user import AbstractBaseUser

class Member(AbstractBaseUser):
    name = models.CharField(max_length=40, unique=True)
    USERNAME_FIELD = "name"
"""
MEMBERSHIP = """
class Membership(models.Model):
    club = models.ForeignKey(Club, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE{})
"""
FIELD = ("library", "book", "authors")
EDITORS = '    editors = models.ManyToManyField("library.Author", related_name="+"{})\n'
TWO = (
    AUTHOR
    + THROUGH.format("library.Authorship")
    + EDITORS.format(', through="library.Edit"')
    + MODEL.format("Authorship")
    + NOTE
    + "{}"
    + MODEL.format("Edit")
    + NOTE
    + "{}"
)


@dataclass(frozen=True)
class Change:
    """Models before and after, and `done`: after what is left to do. `fields` are proved; `files` are written."""

    name: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    sequences: tuple[str, ...]
    files: tuple[str, ...]
    done: Mapping[str, str] | None = None
    fields: tuple[tuple[str, str, str], ...] = (FIELD,)
    user: str = "auth.User"


CHANGES = (
    Change(
        name="gains one, in two files, beside something else",
        before=PLAIN,
        after={
            "library": AUTHOR
            + THROUGH.format("library.Authorship")
            + "    pages = models.IntegerField(null=True)\n"
            + MODEL.format("Authorship")
            + NOTE
        },
        done={
            "library": AUTHOR
            + THROUGH.format("library.Authorship")
            + "    pages = models.IntegerField(null=True)\n"
            + MODEL.format("Authorship")
            + NOTE
            + META.format("library_book_authors")
        },
        sequences=("keep-table",),
        files=(
            "library/migrations/0002_change.py",
            "library/migrations/0003_authorship_note_not_null.py",
        ),
    ),
    Change(
        name="gains one with a life of its own",
        before={"library": AUTHOR + BOOK + MODEL.format("Authorship")},
        after=CHANGED,
        sequences=("copy-rows",),
        files=("library/migrations/0002_change.py",),
    ),
    Change(
        name="gains one in an app without migrations",
        before=PLAIN,
        after={"library": AUTHOR + THROUGH.format("links.Authorship"), "links": MODEL.format("Authorship")},
        sequences=("copy-rows",),
        files=("library/migrations/0002_change.py",),
    ),
    Change(
        name="loses one",
        before={"library": AUTHOR + THROUGH.format("library.Authorship") + MODEL.format("Authorship")},
        after=PLAIN,
        done={"library": AUTHOR + BOOK.replace('"library.Author"', '"library.Author", db_table="library_authorship"')},
        sequences=("drop-through-keep-table",),
        files=("library/migrations/0002_change.py",),
    ),
    Change(
        name="loses two, and another model goes with them",
        before={
            "library": AUTHOR
            + THROUGH.format("library.Authorship")
            + EDITORS.format(', through="library.Edit"')
            + MODEL.format("Authorship")
            + MODEL.format("Edit")
            + "class Shelf(models.Model):\n    first = models.ForeignKey(Book, models.CASCADE)\n"
        },
        after={"library": AUTHOR + BOOK + EDITORS.format("")},
        done={
            "library": AUTHOR
            + BOOK.replace('"library.Author"', '"library.Author", db_table="library_authorship"')
            + EDITORS.format(', db_table="library_edit"')
        },
        sequences=("drop-through-keep-table", "drop-through-keep-table"),
        files=("library/migrations/0002_change.py",),
        fields=(FIELD, ("library", "book", "editors")),
    ),
    Change(
        name="swaps one",
        before={"library": AUTHOR + THROUGH.format("library.Writing") + MODEL.format("Writing")},
        after={
            "library": AUTHOR
            + THROUGH.format("library.Authorship")
            + MODEL.format("Writing")
            + MODEL.format("Authorship")
        },
        sequences=("copy-between-throughs",),
        files=(
            "library/migrations/0002_change.py",
            "library/migrations/0003_copy_writing_to_authorship.py",
        ),
    ),
    Change(
        name="two fields of one model gain one, each in two files",
        before={"library": AUTHOR + BOOK + EDITORS.format("")},
        after={"library": TWO.format("", "")},
        done={"library": TWO.format(META.format("library_book_authors"), META.format("library_book_editors"))},
        sequences=("keep-table", "keep-table"),
        files=(
            "library/migrations/0002_change.py",
            "library/migrations/0003_authorship_note_not_null.py",
            "library/migrations/0004_edit_note_not_null.py",
        ),
        fields=(FIELD, ("library", "book", "editors")),
    ),
    Change(
        name="two apps, a user of their own",
        before={"accounts": MEMBER, "club": CLUB.format(""), **PLAIN},
        after={"accounts": MEMBER, "club": CLUB.format(', through="Membership"') + MEMBERSHIP.format(""), **CHANGED},
        done={
            "accounts": MEMBER,
            "club": CLUB.format(', through="Membership"')
            + MEMBERSHIP.format(', db_column="member_id"')
            + META.format("club_club_members").replace('"book", "author"', '"club", "user"'),
            "library": CHANGED["library"] + META.format("library_book_authors"),
        },
        sequences=("keep-table", "keep-table"),
        files=(
            "club/migrations/0002_change.py",
            "library/migrations/0002_change.py",
        ),
        fields=(("club", "club", "members"), FIELD),
        user="accounts.Member",
    ),
)

LOADED = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "makemigrations", "--dry-run"])
print([name for name in sys.modules if name.startswith(("lint_m2m.engine", "lint_m2m.rules", "rich", "sqlglot"))])
"""


def changed(change: Change, project: Changing) -> Changing:
    project.settings = {"AUTH_USER_MODEL": change.user}
    project.start(change.before)
    project.models(change.after)
    return project


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_is_written_keeps_all_rows(change: Change, changing: Changing) -> None:
    project = changed(change, changing)
    answer = project.manage("makemigrations", "--no-input", "--name", "change", *change.after)
    shown = f"{answer['out']}\n{answer['err']}"
    assert answer["status"] == 0, shown
    assert answer["err"] == "", shown
    assert (
        tuple(re.findall(r"^lint-m2m: .*?: written\s+as\s+([a-z-]+):", _joined(answer["out"]), re.M))
        == change.sequences
    )
    assert _unordered(project.files()) == _unordered(change.files), shown
    assert ("left to you: library/models.py" in shown) is (change.done is not None), shown
    project.models(change.done or change.after)
    for field in change.fields:
        proof = project.prove(field, "0002_change")
        assert proof["wrong"] == [], shown + "".join(project.files().values())
        assert proof["rows_again"] >= 10
    quiet = project.manage("makemigrations", "--check", "--no-input")
    assert (quiet["status"], quiet["out"]) == (0, "No changes detected\n")
    assert project.manage("check", "--tag", "lint_m2m")["err"] == ""


def _unordered(paths: Iterable[str]) -> list[str]:
    """Django 4.2 has the new models of one migration in no particular order: further files follow that."""
    return sorted(re.sub(r"\d{4}_", "", path) for path in paths)


def _joined(text: str) -> str:
    """Continued lines at the end of those that they continue."""
    return re.sub(r"\n  (?=\S)", " ", text)


@pytest.fixture
def library(changing: Changing) -> Changing:
    """`library.Book.authors` has gained `through=`."""
    changing.start(PLAIN)
    changing.models(CHANGED)
    return changing


NAME = "library/migrations/0002_authorship_alter_book_authors.py"
CREATE = "+ Create model Authorship" if django.VERSION >= (5, 2) else "- Create model Authorship"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("--dry-run",), 0), (("--dry-run", "-v", "3"), 0), (("--check",), 1), (("--check", "-v", "0"), 1)],
)
def test_nothing_is_written(arguments: tuple[str, ...], status: int, library: Changing) -> None:
    answer = library.manage("makemigrations", *arguments, answers="")
    assert answer["status"] == status
    assert library.files() == {}
    assert ("would be written as keep-table" in answer["out"]) is ("0" not in arguments)
    assert ("migrations.SeparateDatabaseAndState(" in answer["out"]) is ("3" in arguments)
    assert CREATE not in answer["out"]
    assert answer["err"] == ""


def test_switched_off(library: Changing) -> None:
    plain = library.manage("makemigrations", "--dry-run", "--no-safe-m2m")
    assert CREATE in plain["out"]
    library.settings = {"LINT_M2M": {"MAKEMIGRATIONS": False}}
    assert library.manage("makemigrations", "--dry-run") == plain


def test_paths_alone_on_stdout(library: Changing) -> None:
    answer = library.manage("makemigrations", "library", "--no-input", "--scriptable", "--name", "with_through")
    (path,) = library.files()
    assert path == "library/migrations/0002_with_through.py"
    assert answer["out"] == f"{path}\n"
    assert "written as keep-table" in answer["err"]


@pytest.mark.parametrize("arguments", [(), ("--no-header",)])
def test_header(arguments: tuple[str, ...], library: Changing) -> None:
    library.manage("makemigrations", "--no-input", *arguments)
    head = next(iter(library.files().values())).split("\n")[:2]
    if arguments:
        assert head[0].startswith(("import", "from"))
    else:
        assert head[0].startswith(f"# Generated by Django {django.get_version()} on ")
        assert head[1].startswith("# `library.Book.authors` gains `through=library.Authorship`: keep-table, ")


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ("1\n", 0, "written as keep-table"),
        ("2\n", 0, "written as rename-table"),
        ("3\n", 0, "you have chosen so"),
        ("4\n", 3, "Please select a way"),
        ("", 0, "Nobody answers: keep-table, the recommended one"),
    ],
)
def test_question(answer: str, status: int, said: str, library: Changing) -> None:
    given = library.manage("makemigrations", answers=answer)
    assert "1) keep-table: keep the table, change only what Django believes (no downtime, recommended)" in given["out"]
    assert "2) rename-table: " in given["out"]
    assert said in given["out"] + given["err"]
    assert given["status"] == status
    assert bool(library.files()) is (status == 0)
    assert ("`migrate` will fail" in given["err"]) is (answer == "3\n")


def test_update(changing: Changing) -> None:
    """The last migration grows by the change, and into two files."""
    changing.start(PLAIN)
    pages = "    pages = models.IntegerField(null=True)\n"
    changing.models({"library": AUTHOR + BOOK + pages})
    changing.manage("makemigrations", "--no-input")
    assert tuple(changing.files()) == ("library/migrations/0002_book_pages.py",)
    changing.models(CHANGES[0].after)
    answer = changing.manage("makemigrations", "--no-input", "--update", "--name", "change")
    assert answer["status"] == 0, answer["err"]
    assert tuple(changing.files()) == CHANGES[0].files
    changing.models(CHANGES[0].done or {})
    assert changing.prove(FIELD, "0002_change")["wrong"] == []


def test_other_ways_to_write_migrations(library: Changing) -> None:
    assert library.manage("makemigrations", "library", "--empty", "--name", "nothing")["status"] == 0
    (text,) = library.files().values()
    assert "SeparateDatabaseAndState" not in text
    other = library.folder / "library" / "migrations" / "0002_other.py"
    other.write_text(text)
    merged = library.manage("makemigrations", "--merge", "--no-input")
    assert merged["status"] == 0, merged["err"]
    assert "library/migrations/0003_merge_0002_nothing_0002_other.py" in library.files()


def test_no_sequence_that_a_tool_may_write(changing: Changing) -> None:
    required = {"library": MODEL.format("Authorship") + "    since = models.DateField()\n"}
    changing.start({"library": AUTHOR + BOOK + required["library"]})
    changing.models({"library": AUTHOR + THROUGH.format("library.Authorship") + required["library"]})
    answer = changing.manage("makemigrations", "--no-input")
    assert answer["status"] == 0
    said = " ".join(answer["err"].split())
    assert "written as Django writes it, since of its sequences, `copy-rows`, " in said
    assert "`migrate` will fail: MTM101 through-added: `AlterField` adds `through=`" in said
    assert "migrate: ValueError: Cannot alter field library.Book.authors" in said
    assert "SeparateDatabaseAndState" not in next(iter(changing.files().values()))


def test_a_sequence_that_is_refused(changing: Changing) -> None:
    """It is said why, and what to do; its operations are Django's, whatever else is written."""
    models = MODEL.format("Authorship") + MODEL.format("Edit") + NOTE
    fields = THROUGH.format("library.Authorship") + EDITORS.format(', through="library.Edit"')
    changing.start({"library": AUTHOR + fields + models})
    changing.models({"library": AUTHOR + BOOK + EDITORS.format("")})
    answer = changing.manage("makemigrations", "--no-input")
    said = " ".join(answer["err"].split())
    assert "`library.Book.editors` loses `through=library.Edit`: written as Django writes it, since an " in said
    assert "automatic table has no place for the values of `note` of `Edit`; to keep the values, keep " in said
    assert "first, in a release of its own; then drop the model. `migrate` will fail: MTM102" in said
    assert "`library.Book.authors` loses `through=library.Authorship`: written as" in " ".join(answer["out"].split())
    text = next(iter(changing.files().values()))
    assert re.search(r"RemoveField\(\s+model_name='edit'", text), text
    assert "model_name='authorship'" not in text


def test_configuration_that_cannot_be_read(library: Changing) -> None:
    """It is said, and Django's form is written."""
    (library.folder / "pyproject.toml").write_text("[tool.lint-m2m]\nignroe = []\n")
    answer = library.manage("makemigrations", "--no-input")
    assert "unknown key `ignroe`" in answer["err"]
    assert tuple(library.files()) == (NAME,)
    assert CREATE in answer["out"]


def test_codes_that_are_ignored_are_no_reason_to_lose_links(library: Changing) -> None:
    (library.folder / "pyproject.toml").write_text('[tool.lint-m2m]\nignore = ["MTM1"]\n')
    assert "written as keep-table" in library.manage("makemigrations", "--no-input")["out"]


OTHER = '    editors = models.ManyToManyField("library.Author", through="library.Authorship", related_name="edited")\n'
ROUTER = "class Router:\n    def allow_migrate(self, db, app_label, **hints):\n        return app_label != 'library'\n"


@pytest.mark.parametrize(
    ("after", "settings"),
    [
        pytest.param(AUTHOR + BOOK.replace('="books"', '="works"') + OTHER + MODEL.format("Authorship"), {}, id="new"),
        pytest.param(CHANGED["library"], {"DATABASE_ROUTERS": ["routers.Router"]}, id="no database has it"),
        pytest.param(CHANGED["library"].replace("authors =", "writers ="), {}, id="another field"),
    ],
)
def test_what_needs_no_sequence(after: str, settings: dict[str, object], changing: Changing) -> None:
    """Not a word, and what Django writes."""
    changing.start(PLAIN)
    (changing.folder / "routers.py").write_text(ROUTER)
    changing.settings = settings
    changing.models({"library": after})
    answer = changing.manage("makemigrations", "--no-input")
    assert answer["err"] == ""
    assert "lint-m2m" not in answer["out"]
    assert CREATE in answer["out"]


def test_a_bug_of_ours_is_no_reason_to_write_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(safe, "_mended", broken)
    changes: Any = {"library": []}
    through = ThroughChange(app_label="library", model="Book", name="authors", before=None, after="library.Authorship")
    mended = safe.mend(changes, [through], ProjectState(), lambda change, proposals: proposals[0])
    assert mended.changes is changes
    assert [one.reason for one in mended.left] == [
        "there was an internal error, please report it: RuntimeError: no such thing"
    ]


def test_the_checker_is_not_loaded_for_other_changes(changing: Changing) -> None:
    changing.start(PLAIN)
    changing.models({"library": AUTHOR + BOOK + "    pages = models.IntegerField(null=True)\n"})
    (changing.folder / "settings.py").write_text(
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
        "INSTALLED_APPS = ['lint_m2m', 'library']\n"
        "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=changing.folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "DJANGO_SETTINGS_MODULE": "settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Add field pages to book" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_wants_a_review_says_so_in_its_file(changing: Changing) -> None:
    change = CHANGES[1]
    changing.start(change.before)
    changing.models(change.after)
    answer = changing.manage("makemigrations", "--no-header", answers="2\n")
    assert "2) expand-contract: " in answer["out"]
    assert "to be reviewed)" in answer["out"]
    assert "written as expand-contract" in answer["out"]
    assert len(changing.files()) > 1
    for path, text in changing.files().items():
        assert "# REVIEW: Look at this migration before it runs.\n" in text, path

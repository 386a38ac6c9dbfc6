"""`lint-m2m plan`: a change that nobody has made yet, written, and proved with real Django."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lint_m2m.config import Config
from lint_m2m.errors import UsageError
from lint_m2m.finding import Applicability
from lint_m2m.plan import NoPlan, Plan, Wanted, Way, plan
from tests.sequences.projects import AUTHOR, BOOK, HEAD, formatted
from tests.sequences.reality import Server

_AUTHORSHIP = """
class Authorship(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    author = models.ForeignKey(Author, on_delete=models.PROTECT)
    class Meta:
        unique_together = [("book", "author")]
"""
_THROUGH = BOOK.replace('"library.Author"', '"library.Author", through="library.Authorship"')
_PERSON = """
class Person(models.Model):
    name = models.CharField(max_length=40)
    friends = models.ManyToManyField("self")
"""


@dataclass(frozen=True)
class Ask:
    """`models` is what there is, `wanted` what is asked for, `sequences` what is offered, the recommended one first."""

    name: str
    models: Mapping[str, str]
    wanted: Wanted
    field: tuple[str, str, str]
    sequences: tuple[str, ...]


KEEP = ("keep-table", "rename-table")
FIELD = ("library", "book", "authors")
ASKS = (
    Ask(
        "new through",
        {"library": AUTHOR + BOOK},
        Wanted(field="library.Book.authors", through="library.Authorship"),
        FIELD,
        KEEP,
    ),
    Ask(
        "new through with further fields",
        {"library": AUTHOR + BOOK},
        Wanted(
            field="Book.authors",
            through="Authorship",
            extras=(
                "position:IntegerField(default=0)",
                "note: models.CharField(max_length=40, blank=True)",
                "role:CharField(max_length=9)",
            ),
        ),
        FIELD,
        KEEP,
    ),
    Ask(
        "self",
        {"people": _PERSON},
        Wanted(field="people.Person.friends", through="people.Friendship"),
        ("people", "person", "friends"),
        KEEP,
    ),
    Ask(
        "other app",
        {"a_shelf": BOOK, "library": AUTHOR},
        Wanted(field="a_shelf.Book.authors", through="a_shelf.Authorship"),
        ("a_shelf", "book", "authors"),
        KEEP,
    ),
    Ask(
        "through that is there",
        {"library": AUTHOR + BOOK + _AUTHORSHIP},
        Wanted(field="library.Book.authors", through="library.Authorship"),
        FIELD,
        ("copy-rows", "expand-contract", "temporary-field"),
    ),
    Ask(
        "new through in another app",
        {"library": AUTHOR + BOOK, "staff": _PERSON.replace("friends", "peers")},
        Wanted(field="library.Book.authors", through="staff.Authorship", extras=("note:TextField(blank=True)",)),
        FIELD,
        ("copy-rows", "expand-contract", "temporary-field"),
    ),
    Ask(
        "new through in an app that the field's depends on",
        {"a_staff": AUTHOR, "library": BOOK.replace("library.Author", "a_staff.Author")},
        Wanted(field="library.Book.authors", through="a_staff.Authorship"),
        FIELD,
        ("copy-rows", "expand-contract", "temporary-field"),
    ),
    Ask(
        "no through",
        {"library": AUTHOR + _THROUGH + _AUTHORSHIP},
        Wanted(field="library.Book.authors", through=None),
        FIELD,
        ("drop-through-keep-table", "drop-through-rename-table"),
    ),
    Ask(
        "another through",
        {"library": AUTHOR + _THROUGH + _AUTHORSHIP},
        Wanted(field="library.Book.authors", through="library.Writing"),
        FIELD,
        ("copy-between-throughs",),
    ),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def project(folder: Path, models: Mapping[str, str], server: Server) -> Path:
    """A project with its first migrations."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    for app, source in models.items():
        (folder / app / "migrations").mkdir(parents=True)
        (folder / app / "__init__.py").write_text("")
        (folder / app / "migrations" / "__init__.py").write_text("")
        (folder / app / "models.py").write_text(HEAD + textwrap.dedent(source))
    server.ask("make", folder, names={"*": "initial"})
    return folder


def planned(folder: Path, wanted: Wanted) -> Plan:
    import django

    return plan(folder, wanted, Config(django_version=django.VERSION[:2], database="sqlite"))


def with_models(folder: Path, app: str, way: Way, wanted: Wanted) -> None:
    """models.py as the plan says: its classes replace fields of those that are there, or are new."""
    for step in way.sequence.steps:
        if step.title.startswith("add `") and step.path is not None:
            (folder / step.path).write_text((folder / step.path).read_text() + "\n\n" + step.code + "\n")
    path = folder / app / "models.py"
    tree = ast.parse(path.read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    steps = [step for step in way.sequence.steps if "`through=`" in step.title and step.path == f"{app}/models.py"]
    for node in ast.parse(steps[0].code).body:
        assert isinstance(node, ast.ClassDef)
        known = classes.get(node.name)
        if known is None:
            tree.body.append(node)
            continue
        new = {ast.unparse(one.targets[0]): one for one in node.body if isinstance(one, ast.Assign)}
        known.body = [
            new.get(ast.unparse(one.targets[0]), one) if isinstance(one, ast.Assign) else one for one in known.body
        ]
    if wanted.through is None:
        tree.body = [node for node in tree.body if getattr(node, "name", "") != "Authorship"]
    path.write_text(ast.unparse(tree) + "\n")


PROOFS = [pytest.param(ask, name, id=f"{ask.name}-{name}") for ask in ASKS for name in ask.sequences]


@pytest.mark.parametrize(("ask", "name"), PROOFS)
def test_written_plan_is_proved(ask: Ask, name: str, server: Server, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", ask.models, server)
    found = planned(folder, ask.wanted)
    offered = [way.sequence for way in found.ways if way.sequence.applicability is not Applicability.DISPLAY]
    assert tuple(one.id for one in offered) == ask.sequences
    shown_code = "".join(
        step.code for one in found.ways for step in one.sequence.steps if step.path == "library/models.py"
    )
    assert "unique_together = {" not in shown_code, "models.E010: it has to be a list or a tuple"
    assert [way.sequence.recommended for way in found.ways] == [True, *[False] * (len(found.ways) - 1)]
    way = next(one for one in found.ways if one.sequence.id == name)
    before = dict.fromkeys(ask.models, "")
    for app in ask.models:
        names = sorted(path.stem for path in (folder / app / "migrations").glob("0*.py"))
        before[app] = names[-1]
    for path, text in way.files:
        assert not (folder / path).exists()
        (folder / path).write_text(text)
    app = ask.field[0]
    with_models(folder, app, way, ask.wanted)
    answer = server.ask(
        "prove",
        folder,
        field=list(ask.field),
        before=before,
        first=[app, next(Path(path).stem for path, _ in way.files if path.startswith(f"{app}/"))],
        old_code=way.sequence.downtime.value == "none",
        twice=False,
        rows=10,
    )
    shown = "\n\n".join(f"# {path}\n{text}" for path, text in way.files) + (folder / app / "models.py").read_text()
    assert answer["wrong"] == [], shown
    assert answer["rows_again"] >= 10


@pytest.mark.parametrize(
    ("field", "through", "message"),
    [
        ("library.Book.author", "library.Authorship", "`Book` has no field `author`; nearest: `authors`"),
        ("library.Bok.authors", "library.Authorship", "there is no model `library.Bok`; nearest: `Book`"),
        ("libary.Book.authors", "library.Authorship", "there is no app `libary` with models; nearest: `library`"),
        ("library.Book.title", "library.Authorship", "`Book.title` is no many-to-many field; it has `authors`"),
        ("Book.authors", "library.Authorship", "`Book.authors` may be `library.Book.authors`, `shop.Book.authors`"),
        ("authors", "library.Authorship", "`authors` is no field: write APP.MODEL.FIELD"),
        ("library.Book.authors", "libary.Authorship", "there is no app `libary` with migrations; nearest: `library`"),
        ("library.Book.authors", None, "`Book.authors` has no through model"),
        ("library.Tale.authors", "library.Telling", 'has `through="library.Telling"` already'),
    ],
)
def test_what_cannot_be_planned(
    field: str, through: str | None, message: str, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "wrong"
    tale = """
class Tale(models.Model):
    authors = models.ManyToManyField(Author, through="library.Telling", related_name="tales")

class Telling(models.Model):
    tale = models.ForeignKey(Tale, on_delete=models.CASCADE)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
    if not folder.exists():
        shop = BOOK.replace('related_name="books"', 'related_name="+"')
        project(folder, {"library": AUTHOR + BOOK + tale, "shop": shop}, server)
    with pytest.raises(UsageError) as raised:
        planned(folder, Wanted(field=field, through=through))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("note", "takes NAME:FIELD"),
        ("note:CharFeld()", "nearest: `CharField`"),
        ("note:max_length", "is no call"),
        ("note:CharField(", "is no Python"),
        ("note:CharField(default=settings.X)", "`settings` would have to be imported"),
        ("book:CharField()", "has a `book` already"),
        ("others:ManyToManyField('self')", "are columns"),
    ],
)
def test_further_fields_that_are_none(extra: str, message: str, example: Path) -> None:
    for path in (example / "courses" / "migrations").glob("0003*"):
        path.unlink()
    wanted = Wanted(field="courses.Course.tags", through="courses.Tagging", extras=(extra.replace("book:", "course:"),))
    with pytest.raises(UsageError) as raised:
        planned(example, wanted)
    assert message.replace("`book`", "`course`") in str(raised.value)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lint_m2m", "plan", *arguments, str(folder)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def course(example: Path) -> Path:
    """The example before anybody has asked for a through model."""
    for path in (example / "courses" / "migrations").glob("0003*"):
        path.unlink()
    return example


def test_write_and_refuse_to_overwrite(course: Path) -> None:
    ask = ("courses.Course.tags", "--through", "courses.CourseTag", "--extra", "position:IntegerField(default=0)")
    shown = run(course, *ask)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "step 2 · courses/models.py" in shown.stdout
    assert not list((course / "courses" / "migrations").glob("0003*"))
    written = run(course, *ask, "--write", "--sequence", "rename-table", "--format", "json")
    assert written.returncode == 0, written.stderr
    files = sorted(path.name for path in (course / "courses" / "migrations").glob("000[34]*"))
    assert [f"written: courses/migrations/{name}" in written.stderr for name in files] == [True] * len(files)
    document = json.loads(written.stdout)
    assert document["through"] == "courses.CourseTag"
    assert [one["id"] for one in document["sequences"]] == ["rename-table"]
    (first, *_) = document["sequences"][0]["files"]
    assert (course / first["path"]).read_text() == first["text"]
    again = run(course, *ask, "--write")
    assert again.returncode == 2
    assert "already" in again.stderr


def test_usage(course: Path) -> None:
    for arguments, message in (
        (("courses.Course.tags",), "either `--through APP.MODEL` or `--no-through`"),
        (("courses.Course.tags", "--through", "A", "--no-through"), "either"),
        (("courses.Course.tags", "--through", "A", "--sequence", "keep-tabel"), "nearest: `keep-table`"),
        (("courses.Course.tags", "--through", "A", "--sequence", "copy-rows"), "does not fit here"),
        (("courses.Course.tags", "--through", "A", "--format", "xml"), "`--format`"),
    ):
        done = run(course, *arguments)
        assert done.returncode == 2
        assert message in done.stderr
    shutil.copy(
        course / "courses" / "migrations" / "0002_course_level_and_publishing.py",
        course / "courses" / "migrations" / "0002_other.py",
    )
    done = run(course, "courses.Course.tags", "--through", "A")
    assert "several leaf migrations" in done.stderr


def test_no_sequence_fits(server: Server, tmp_path: Path) -> None:
    """A through model that wants a value which no link has is shown what there is, never written."""
    needs = _AUTHORSHIP.replace("    class Meta", "    role = models.IntegerField()\n    class Meta")
    folder = project(tmp_path / "project", {"library": AUTHOR + BOOK + needs}, server)
    wanted = Wanted(field="library.Book.authors", through="library.Authorship")
    try:
        found = planned(folder, wanted)
    except NoPlan:
        return
    assert {way.sequence.applicability.value for way in found.ways} == {"display"}
    done = run(folder, "library.Book.authors", "--through", "library.Authorship", "--write")
    assert done.returncode == 2
    assert "leaves a choice to you" in done.stderr


def test_history_may_be_rewritten_where_it_is_young(server: Server, tmp_path: Path) -> None:
    """The edit of the older migration is shown; nothing is left to add, and no file that is there is written."""
    folder = project(tmp_path / "project", {"library": AUTHOR + BOOK}, server)
    found = planned(folder, Wanted(field="library.Book.authors", through="library.Authorship"))
    [way] = [way for way in found.ways if way.sequence.id == "rewrite-history"]
    edit, model = way.sequence.steps
    assert edit.path == "library/migrations/0001_initial.py"
    assert "through='library.Authorship'" in edit.code
    assert model.path == "library/models.py"
    assert way.files == ()
    done = run(folder, "library.Book.authors", "--through", "Authorship", "--sequence", "rewrite-history", "--write")
    assert done.returncode == 2
    assert "to be read, not written" in done.stderr


def test_values_of_a_through_model_are_not_dropped(server: Server, tmp_path: Path) -> None:
    noted = _AUTHORSHIP.replace("    class Meta", "    note = models.CharField(max_length=20)\n    class Meta")
    book = BOOK.replace('related_name="books"', 'related_name="books", through="library.Authorship"')
    folder = project(tmp_path / "project", {"library": AUTHOR + book + noted}, server)
    with pytest.raises(NoPlan, match=r"^refused: .* no place for the values of `note` of `Authorship`; whether"):
        planned(folder, Wanted(field="library.Book.authors", through=None))


def test_style_of_a_formatted_project(server: Server, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", {"library": AUTHOR + BOOK}, server)
    files = [str(path) for path in folder.rglob("migrations/0*.py")]
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "-q", *files], check=True)
    for way in planned(folder, Wanted(field="library.Book.authors", through="library.Authorship")).ways:
        for path, text in way.files:
            (folder / path).write_text(text)
            assert formatted(folder / path) == ""
            (folder / path).unlink()

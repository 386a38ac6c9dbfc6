"""Projects that get a through model, as makemigrations writes them, and the sequences for them.

A `Case` is the models before and after; real Django makes the migrations. `proposals` is what lint-m2m says of them,
`written` the project after one of its sequences, with models.py as the sequence says.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as declare
from pathlib import Path

from lint_m2m.config import Config
from lint_m2m.engine import run
from lint_m2m.engine.ways_out import WayOut
from lint_m2m.finding import Finding
from lint_m2m.sequences.edit import apply_changes
from lint_m2m.sequences.values import ModelsChange, NewMigration, Proposal
from tests.sequences.reality import Server

HEAD = "import uuid\n\nfrom django.conf import settings\nfrom django.db import models\n\n\n"
AUTHOR = """
class Author(models.Model):
    name = models.CharField(max_length=40)
"""
BOOK = """
class Book(models.Model):
    title = models.CharField(max_length=40)
    authors = models.ManyToManyField("library.Author", related_name="books")
"""


@dataclass(frozen=True)
class Case:
    """`before` and `after` are the models of each app ("library" -> source without imports).

    `field` is the many-to-many; `sequences` the ids that are proposed, the recommended one first. `patch` changes the
    migrations that makemigrations wrote. `shown` are sequences that are for display only, and would work all the same.
    """

    name: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    field: tuple[str, str, str] = ("library", "book", "authors")
    sequences: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    settings: Mapping[str, object] = declare(default_factory=dict)
    first_settings: Mapping[str, object] = declare(default_factory=dict)
    patch: Callable[[Path], None] | None = None
    formatted: bool = False
    # Sequences after which lint-m2m still says something, and what.
    remaining: Mapping[str, frozenset[str]] = declare(default_factory=dict)
    # The table before may hold a pair several times, and does.
    twice: bool = False
    # The field's name before, where that is another.
    was: str | None = None
    # The field that the finding names, where that is another.
    reported: str | None = None
    # Each owner has one link at most.
    single: bool = False
    # Why `lint-m2m prove` cannot prove it in a project of its own: a part of the reason.
    not_provable: str | None = None

    def build(self, folder: Path, server: Server) -> Path:
        """The project with its migrations before and after, models.py as after."""
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text("[tool.lint-m2m]\n")
        if self.settings:
            lines = [f"{name} = {value!r}" for name, value in self.settings.items()]
            (folder / "settings.py").write_text("\n".join(lines) + "\n")
        for app in sorted({*self.before, *self.after}):
            (folder / app / "migrations").mkdir(parents=True)
            (folder / app / "__init__.py").write_text("")
            (folder / app / "migrations" / "__init__.py").write_text("")
            (folder / app / "models.py").write_text(HEAD + textwrap.dedent(self.before.get(app, "")))
        server.ask("make", folder, names={"*": "initial"}, settings={**self.settings, **self.first_settings})
        for app, source in self.after.items():
            (folder / app / "models.py").write_text(HEAD + textwrap.dedent(source))
        server.ask("make", folder, names={"*": "change"}, settings=dict(self.settings))
        if self.patch is not None:
            self.patch(folder)
        if self.formatted:
            _format(folder)
        return folder


def _format(folder: Path) -> None:
    files = [str(path) for path in folder.rglob("migrations/*.py")]
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "-q", *files], check=True)


def formatted(*paths: Path) -> str:
    """What ``ruff format --check`` says of the files on default settings; empty when they are as it wants them."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", *map(str, paths)],
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout if done.returncode else ""


def check(folder: Path, database: str = "sqlite") -> tuple[tuple[Finding, ...], tuple[WayOut, ...]]:
    outcome = run([folder], lambda root: Config(django_version=_version(), database=database))
    return outcome.report.findings, outcome.ways_out


def _version() -> tuple[int, int]:
    import django

    return django.VERSION[:2]


def written(proposal: Proposal, folder: Path, to: Path) -> Path:
    """A copy of the project with the proposal's files, and models.py as it says."""
    shutil.copytree(folder, to)
    texts = {path.relative_to(to).as_posix(): path.read_text() for path in to.rglob("*.py")}
    for path, text in apply_changes(texts, proposal).items():
        (to / path).write_text(text)
    for change in proposal.changes:
        if isinstance(change, ModelsChange):
            assert change.path is not None
            file = to / change.path
            file.write_text(adjusted(file.read_text(), change))
    return to


def adjusted(source: str, change: ModelsChange) -> str:
    """models.py with what a person would do by hand, from the machine's form of it."""
    tree = ast.parse(source)
    cls = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.lower() == change.model.name)
    for name, argument, value in change.arguments:
        assignment = next(
            (
                node
                for node in cls.body
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
            ),
            None,
        )
        if assignment is None:
            assert value is not None
            cls.body.insert(0, ast.parse(f"{name} = {value}").body[0])
            continue
        if not argument:
            assert value is not None
            assignment.value = ast.parse(value, mode="eval").body
            continue
        call = assignment.value
        assert isinstance(call, ast.Call)
        call.keywords = [one for one in call.keywords if one.arg != argument]
        if value is not None:
            call.keywords.append(ast.keyword(arg=argument, value=ast.parse(value, mode="eval").body))
    if change.meta:
        meta = next((node for node in cls.body if isinstance(node, ast.ClassDef) and node.name == "Meta"), None)
        if meta is None:
            meta = ast.ClassDef(name="Meta", bases=[], keywords=[], body=[], decorator_list=[])
            if sys.version_info >= (3, 12):
                meta.type_params = []
            cls.body.append(meta)
        for name, value in change.meta:
            meta.body = [
                node
                for node in meta.body
                if not (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name)
            ]
            if value is not None:
                meta.body.append(ast.parse(f"{name} = {value}").body[0])
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def new_files(proposal: Proposal) -> list[str]:
    return [change.path for change in proposal.changes if isinstance(change, NewMigration)]

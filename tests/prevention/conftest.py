"""Projects whose models change, and `manage.py` for them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.sequences.projects import HEAD
from tests.sequences.reality import Server


@dataclass
class Changing:
    """A Django project with `lint_m2m` among its apps. `settings` are Django's; "INSTALLED_APPS" the further apps."""

    folder: Path
    server: Server
    apps: tuple[str, ...] = ()
    others: tuple[str, ...] = ("lint_m2m",)
    settings: dict[str, object] = field(default_factory=dict)
    started: tuple[str, ...] = ()

    def models(self, sources: Mapping[str, str]) -> None:
        for app, source in sources.items():
            (self.folder / app).mkdir(exist_ok=True)
            (self.folder / app / "__init__.py").write_text("")
            (self.folder / app / "models.py").write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
        self.apps = tuple(sorted({*self.apps, *sources}))

    def start(self, sources: Mapping[str, str]) -> Changing:
        """Models, and their first migrations."""
        self.folder.mkdir()
        (self.folder / "pyproject.toml").write_text("[tool.lint-m2m]\n")
        self.models(sources)
        self.started = tuple(sources)
        for app in sources:
            (self.folder / app / "migrations").mkdir()
            (self.folder / app / "migrations" / "__init__.py").write_text("")
        self.server.ask("make", self.folder, names={"*": "initial"}, settings=self.all_settings)
        return self

    def manage(self, *arguments: str, answers: str = "") -> dict[str, Any]:
        """What `manage.py` prints (`out`, `err`), and its exit `status`."""
        return self.server.ask(
            "manage", self.folder, arguments=list(arguments), answers=answers, settings=self.all_settings
        )

    @property
    def all_settings(self) -> dict[str, object]:
        return {**self.settings, "INSTALLED_APPS": [*self.others, *self.apps]}

    def files(self) -> dict[str, str]:
        """The text of every migration but the first ones, by path."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(self.folder.glob("*/migrations/0*.py"))
            if "0001" not in path.name
        }

    def prove(self, name: tuple[str, str, str], first: str, **request: object) -> dict[str, Any]:
        """Forward from the first migrations with rows, backward, forward again; `wrong` is empty where all is kept."""
        before = {app: "0001_initial" if app in self.started else None for app in self.apps}
        return self.server.ask(
            "prove",
            self.folder,
            field=list(name),
            before=before,
            first=[name[0], first],
            settings=self.all_settings,
            **{"old_code": False, "twice": False, "rows": 10, **request},
        )


# What `makemigrations` loads, but for the command: that is built on whatever apps there are.
MODULES = (
    "django.db.backends.sqlite3.base",
    "django.views.debug",
    "django.core.mail",
    "lint_m2m.prevention.asking",
    "lint_m2m.prevention.checks",
    "lint_m2m.prevention.safe",
    "lint_m2m.prevention.telling",
    "lint_m2m.prove.worker.proof",
)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    started = Server(modules=MODULES)
    yield started
    started.close()


@pytest.fixture
def changing(server: Server, tmp_path: Path) -> Changing:
    return Changing(tmp_path / "project", server)

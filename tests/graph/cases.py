"""A migration graph as a table of names, and from it both a `Project` and real files for Django to load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lint_m2m.migration import App, Dependency, Migration, MigrationKey, Project, Span, UnreadFile

Pair = tuple[str, str]


@dataclass
class File:
    """What of a migration the graph looks at. Each dependency gets its place in the list as its line."""

    dependencies: list[Pair]
    run_before: list[Pair]
    replaces: list[Pair]
    dependencies_complete: bool = True
    replaces_complete: bool = True
    unread: bool = False


Case = dict[str, dict[str, File]]


def key(dotted: str) -> MigrationKey:
    """`a.0001_initial` as a key."""
    return MigrationKey(*dotted.split("."))


def keys(*dotted: str) -> tuple[MigrationKey, ...]:
    return tuple(key(one) for one in dotted)


def file(*dependencies: str, run_before: Iterable[str] = (), replaces: Iterable[str] = (), **flags: bool) -> File:
    return File(_pairs(dependencies), _pairs(run_before), _pairs(replaces), **flags)


def case(table: Mapping[str, File | str | None]) -> Case:
    """`{"a.0001": None, "a.0002": "a.0001"}`; `{"a": None}` is an app without migrations."""
    found: Case = {}
    for dotted, content in table.items():
        app, _, name = dotted.partition(".")
        found.setdefault(app, {})
        if name:
            found[app][name] = content if isinstance(content, File) else file(*([content] if content else []))
    return found


def chain(app: str, *names: str) -> dict[str, File | str | None]:
    """A line of migrations, each depending on the one before."""
    dotted = [f"{app}.{name}" for name in names]
    return dict(zip(dotted, [None, *dotted], strict=False))


def project(content: Case) -> Project:
    migrations = []
    unread = []
    for app, files in content.items():
        for name, what in files.items():
            path = f"{app}/migrations/{name}.py"
            if what.unread:
                unread.append(UnreadFile(path, app, name, "invalid syntax", None))
                continue
            migrations.append(
                Migration(
                    app_label=app,
                    name=name,
                    path=path,
                    dependencies=tuple(
                        Dependency(key=MigrationKey(*pair), span=span(line))
                        for line, pair in enumerate(what.dependencies, 1)
                    ),
                    run_before=tuple(MigrationKey(*pair) for pair in what.run_before),
                    replaces=tuple(MigrationKey(*pair) for pair in what.replaces),
                    dependencies_complete=what.dependencies_complete,
                    replaces_complete=what.replaces_complete,
                )
            )
    return Project(
        apps=tuple(App(label=app, path=f"{app}/migrations") for app in content),
        migrations=tuple(migrations),
        unread=tuple(unread),
    )


def span(line: int) -> Span:
    """What `project` gives the dependency number `line`, from 1."""
    return Span(line, 1, line, 9)


def write(content: Case, folder: Path) -> None:
    """The same as importable packages below `folder`."""
    folder.mkdir()
    (folder / "__init__.py").touch()
    for app, files in content.items():
        package = folder / app / "migrations"
        package.mkdir(parents=True)
        (package.parent / "__init__.py").touch()
        (package / "__init__.py").touch()
        for name, what in files.items():
            (package / f"{name}.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                f"    dependencies = {what.dependencies!r}\n"
                f"    run_before = {what.run_before!r}\n"
                f"    replaces = {what.replaces!r}\n",
                encoding="utf-8",
            )


def show(content: Case) -> str:
    """For a failure: the case as one can paste it into a test."""
    lines = []
    for app, files in content.items():
        if not files:
            lines.append(f"{app!r}: None,")
        for name, what in files.items():
            arguments = [repr(".".join(pair)) for pair in what.dependencies]
            for option in ("run_before", "replaces"):
                if pairs := getattr(what, option):
                    arguments.append(f"{option}={['.'.join(pair) for pair in pairs]!r}")
            lines.append(f'"{app}.{name}": file({", ".join(arguments)}),')
    return "\n".join(lines)


def _pairs(dotted: Iterable[str]) -> list[Pair]:
    found = []
    for one in dotted:
        app, _, name = one.partition(".")
        found.append((app, name))
    return found

"""Write migrations to disk from the source of their operations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_TEMPLATE = """\
{imports}


{functions}class Migration(migrations.Migration):
    dependencies = [{dependencies}]

    operations = [
{operations}    ]
"""


def migration_source(
    operations: Iterable[str],
    *,
    dependencies: Iterable[tuple[str, str]] = (),
    functions: Iterable[str] = (),
    imports: Iterable[str] = (),
) -> str:
    """The text of a migration file. Each operation and function is source, of one line or more, not indented."""
    lines = ["import django.db.models.deletion", *imports, "from django.db import connection, migrations, models"]
    return _TEMPLATE.format(
        imports="\n".join(lines),
        functions="".join(f"{function.strip()}\n\n\n" for function in functions),
        dependencies=", ".join(f'("{app}", "{name}")' for app, name in dependencies),
        operations="".join(textwrap.indent(f"{operation.strip()},\n", " " * 8) for operation in operations),
    )


def write_app(root: Path, app: str, migrations: Mapping[str, str]) -> None:
    """An app of nothing but migrations; `migrations` maps names to the text of the files."""
    folder = root / app / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    (root / app / "__init__.py").touch()
    (folder / "__init__.py").touch()
    for name, source in migrations.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8", newline="\n")


def write_linear(root: Path, app: str, migrations: Sequence[Sequence[str]], functions: Iterable[str] = ()) -> Path:
    """One app whose migrations follow each other: ``0001_step``, ``0002_step`` and so on. Returns `root`."""
    functions = tuple(functions)
    write_app(
        root,
        app,
        {
            f"{number:04}_step": migration_source(
                operations,
                dependencies=[(app, f"{number - 1:04}_step")] if number > 1 else [],
                functions=functions,
            )
            for number, operations in enumerate(migrations, 1)
        },
    )
    return root

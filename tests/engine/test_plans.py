"""What happens on some databases only: those that ran a squash, or those that ran what it replaces."""

from __future__ import annotations

from pathlib import Path

from lint_m2m import check

_ID = '("id", models.BigAutoField(primary_key=True))'
_AUTHOR = f'migrations.CreateModel(name="Author", fields=[{_ID}])'
_LINKED = f"""{_AUTHOR},
        migrations.CreateModel(name="Book", fields=[{_ID}, ("authors", models.ManyToManyField(to="library.author"))])"""
_CLAIMED = f"""{_AUTHOR},
        migrations.CreateModel(name="Book", fields=[{_ID}]),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField("book", "authors", models.ManyToManyField(to="library.author")),
            ],
        )"""


def write(folder: Path, name: str, operations: str, dependencies: str = "", replaces: str = "") -> None:
    (folder / f"{name}.py").write_text(
        f"""from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    replaces = [{replaces}]
    operations = [
        {operations},
    ]
""",
        encoding="utf-8",
    )


def project(root: Path, old: str, squashed: str) -> Path:
    folder = root / "library" / "migrations"
    folder.mkdir(parents=True)
    for place in (folder.parent, folder):
        (place / "__init__.py").touch()
    (root / "pyproject.toml").touch()
    note = 'migrations.AddField("book", "note", models.TextField(default=""))'
    write(folder, "0001_initial", old)
    write(folder, "0002_note", note, '("library", "0001_initial")')
    both = '("library", "0001_initial"), ("library", "0002_note")'
    write(folder, "0001_squashed_0002_note", f"{squashed},\n        {note}", replaces=both)
    altered = 'migrations.AlterField("book", "authors", models.ManyToManyField(to="library.author", db_table="links"))'
    write(folder, "0003_links", altered, '("library", "0001_squashed_0002_note")')
    return root


def notes(root: Path) -> list[tuple[str, str | None, bool, bool]]:
    return [
        (
            finding.code,
            finding.migration,
            any("a new one" in note for note in finding.notes),
            any("one by one" in note for note in finding.notes),
        )
        for finding in check(root).findings
    ]


def test_only_where_the_squash_ran(tmp_path: Path) -> None:
    assert notes(project(tmp_path, old=_LINKED, squashed=_CLAIMED)) == [("MTM106", "0003_links", True, False)]


def test_only_where_the_replaced_migrations_ran(tmp_path: Path) -> None:
    assert notes(project(tmp_path, old=_CLAIMED, squashed=_LINKED)) == [("MTM106", "0003_links", False, True)]


def test_on_every_database(tmp_path: Path) -> None:
    assert notes(project(tmp_path, old=_CLAIMED, squashed=_CLAIMED)) == [("MTM106", "0003_links", False, False)]

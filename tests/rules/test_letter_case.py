"""Tables whose names differ in letter case only: one table on SQLite, two on PostgreSQL and (on Linux) MySQL."""

from __future__ import annotations

from pathlib import Path

import django
import pytest

from lint_m2m import Config, check
from tests import judge
from tests.support.agreement import disagreements

_ID = '("id", models.BigAutoField(primary_key=True))'
_MIGRATIONS = {
    "0001_initial": f"""
        migrations.CreateModel(name="Author", fields=[{_ID}]),
        migrations.CreateModel(name="Book", fields=[{_ID}, ("authors", models.ManyToManyField(to="library.author"))]),
    """,
    "0002_authorship": f"""
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Authorship",
                    fields=[
                        {_ID},
                        ("book", models.ForeignKey("library.book", models.CASCADE)),
                        ("author", models.ForeignKey("library.author", models.CASCADE)),
                    ],
                    options={{"db_table": "Library_Book_Authors", "unique_together": {{("book", "author")}}}},
                ),
                migrations.AlterField(
                    "book", "authors", models.ManyToManyField(to="library.author", through="library.authorship")
                ),
            ],
        ),
    """,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "library" / "migrations"
    folder.mkdir(parents=True)
    for place in (folder.parent, folder):
        (place / "__init__.py").touch()
    (tmp_path / "pyproject.toml").touch()
    dependencies = "[]"
    for name, operations in _MIGRATIONS.items():
        text = (
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = {dependencies}\n    operations = [{operations}]\n"
        )
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        dependencies = f'[("library", "{name}")]'
    return tmp_path


@pytest.mark.parametrize(("vendor", "codes"), [("sqlite", []), ("mysql", ["MTM301"]), ("postgresql", ["MTM301"])])
def test_one_table_or_two(project: Path, vendor: str, codes: list[str]) -> None:
    report = check(project, Config(database=vendor))
    assert [finding.code for finding in report.findings] == codes


def test_servers_agree(project: Path, database_url: str) -> None:
    outcome = judge.run(project, database=database_url)
    report = check(project, Config(database=database_url.partition(":")[0], django_version=django.VERSION[:2]))
    assert not disagreements(report, outcome)

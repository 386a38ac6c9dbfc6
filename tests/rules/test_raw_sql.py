"""Raw SQL that only one database understands, and what the rules make of it there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lint_m2m import config
from lint_m2m.engine import check
from lint_m2m.finding import Certainty
from tests import judge
from tests.support.agreement import disagreements

_INITIAL = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel("Author", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Book",
            [("id", models.BigAutoField(primary_key=True)), ("authors", models.ManyToManyField("library.Author"))],
            options={"db_table": "Library_Book"},
        ),
    ]
"""
_SWITCH = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(%r, "")],
            state_operations=[
                migrations.CreateModel(
                    "Authorship",
                    [
                        ("id", models.BigAutoField(primary_key=True)),
                        ("book", models.ForeignKey("library.Book", models.CASCADE)),
                        ("writer", models.ForeignKey("library.Author", models.CASCADE)),
                    ],
                    options={"unique_together": {("book", "writer")}},
                ),
                migrations.AlterField(
                    "book", "authors", models.ManyToManyField("library.Author", through="library.Authorship")
                ),
            ],
        ),
    ]
"""

_RENAMES = {
    "postgresql": (
        'ALTER TABLE "Library_Book_authors" RENAME TO library_authorship;'
        "ALTER TABLE library_authorship RENAME author_id TO writer_id;"
        'ALTER TABLE IF EXISTS "Library_Book_authors" RENAME TO spare'
    ),
    "mysql": "ALTER TABLE `Library_Book_authors` RENAME AS `library_authorship`, "
    "CHANGE COLUMN `author_id` `writer_id` bigint NOT NULL",
}
_COPIES = {
    "postgresql": 'CREATE TABLE library_authorship (LIKE "Library_Book_authors" INCLUDING ALL);'
    'INSERT INTO library_authorship SELECT * FROM "Library_Book_authors";'
    "ALTER TABLE library_authorship RENAME author_id TO writer_id;"
    'DROP TABLE "Library_Book_authors"',
    "mysql": "CREATE TABLE library_authorship LIKE `Library_Book_authors`;"
    "INSERT INTO library_authorship SELECT * FROM `Library_Book_authors`;"
    "ALTER TABLE library_authorship CHANGE COLUMN author_id writer_id bigint NOT NULL;"
    "DROP TABLE `Library_Book_authors`",
}
_UNQUOTED = "ALTER TABLE Library_Book_authors RENAME TO library_authorship"


def _project(folder: Path, sql: str) -> Path:
    migrations = folder / "library" / "migrations"
    migrations.mkdir(parents=True)
    for package in (migrations.parent, migrations):
        (package / "__init__.py").write_text("")
    (migrations / "0001_initial.py").write_text(_INITIAL)
    (migrations / "0002_switch.py").write_text(_SWITCH % sql)
    (folder / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    return folder


def _codes(folder: Path, vendor: str) -> list[tuple[str, str | None]]:
    report = check(folder, replace(config.load(folder), database=vendor, ignore=("MTM4",)))
    return [(finding.code, finding.runtime_error) for finding in report.findings]


@pytest.mark.parametrize("vendor", sorted(_RENAMES))
def test_a_rename_of_table_and_column(vendor: str, tmp_path: Path) -> None:
    assert _codes(_project(tmp_path, _RENAMES[vendor]), vendor) == []


def test_postgresql_folds_names_without_quotes(tmp_path: Path) -> None:
    codes = _codes(_project(tmp_path, _UNQUOTED), "postgresql")
    assert codes[0] == ("MTM106", 'ProgrammingError: relation "library_book_authors" does not exist')


def test_servers_agree(database_url: str, tmp_path: Path) -> None:
    vendor = database_url.partition(":")[0]
    for number, sql in enumerate((_RENAMES[vendor], _COPIES[vendor], _UNQUOTED)):
        folder = _project(tmp_path / str(number), sql)
        report = check(folder, replace(config.load(folder), database=vendor))
        assert disagreements(report, judge.run(folder, database=database_url)) == []


@pytest.mark.parametrize("vendor", list(_COPIES))
def test_like_copies_the_unique_pair(tmp_path: Path, vendor: str) -> None:
    """What `SHOW CREATE TABLE` and `pg_constraint` show of the copy."""
    report = check(_project(tmp_path, _COPIES[vendor]), replace(config.load(tmp_path), database=vendor))
    assert "MTM303" not in [finding.code for finding in report.findings]


def test_like_without_indexes_copies_columns_alone(tmp_path: Path) -> None:
    sql = _COPIES["postgresql"].replace("INCLUDING ALL", "INCLUDING ALL EXCLUDING INDEXES")
    report = check(_project(tmp_path, sql), replace(config.load(tmp_path), database="postgresql"))
    assert "MTM303" in [finding.code for finding in report.findings]


def _runs(folder: Path, sql: str) -> Path:
    """The initial migration and a RunSQL."""
    project = _project(folder, sql)
    text = (
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("library", "0001_initial")]\n    operations = [migrations.RunSQL({sql!r}, "")]\n'
    )
    (project / "library" / "migrations" / "0002_switch.py").write_text(text)
    return project


_QUOTED = 'ALTER TABLE "Library_Book_Authors" RENAME TO library_authorship'
_NO_SUCH_CONSTRAINT = {
    "postgresql": 'ALTER TABLE "Library_Book_authors" DROP CONSTRAINT nope',
    "mysql": "ALTER TABLE `Library_Book_authors` DROP CONSTRAINT nope",
}


def test_a_quoted_name_keeps_its_letter_case(tmp_path: Path) -> None:
    codes = _codes(_runs(tmp_path, _QUOTED), "postgresql")
    assert codes == [("MTM106", 'ProgrammingError: relation "Library_Book_Authors" does not exist')]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ('"library_book_authors"', ["MTM106"]),
        ('"Library_Book_Authors"', ["MTM106"]),
        ('"LIBRARY_BOOK_AUTHORS"', []),
        ("library_Book_authors", []),
    ],
)
def test_oracle_keeps_the_letter_case_of_quoted_names(name: str, found: list[str], tmp_path: Path) -> None:
    project = _runs(tmp_path, f"DELETE FROM {name}")
    initial = project / "library" / "migrations" / "0001_initial.py"
    initial.write_text(initial.read_text().replace('options={"db_table": "Library_Book"},', ""))
    assert [code for code, _ in _codes(project, "oracle")] == found


@pytest.mark.parametrize("vendor", sorted(_NO_SUCH_CONSTRAINT))
def test_a_constraint_that_is_not_there(vendor: str, tmp_path: Path) -> None:
    [(code, error)] = _codes(_runs(tmp_path, _NO_SUCH_CONSTRAINT[vendor]), vendor)
    assert code == "MTM107"
    assert error is not None
    assert "nope" in error


@pytest.mark.parametrize(
    "statements",
    [
        "DROP CONSTRAINT IF EXISTS nope",
        'ADD CONSTRAINT nope CHECK (id > 0); ALTER TABLE "Library_Book_authors" DROP CONSTRAINT nope',
        'DROP CONSTRAINT "Library_Book_authors_author_id_1_fk_library_author_id"',
        'DROP CONSTRAINT "Library_Book_authors_book_id_author_id_53f5a70b_uniq"',
    ],
)
def test_a_constraint_that_may_be_there(statements: str, tmp_path: Path) -> None:
    found = _codes(_runs(tmp_path, f'ALTER TABLE "Library_Book_authors" {statements}'), "postgresql")
    assert [code for code, _ in found if code == "MTM107"] == []


def test_servers_agree_on_what_is_not_there(database_url: str, tmp_path: Path) -> None:
    vendor = database_url.partition(":")[0]
    texts = [_NO_SUCH_CONSTRAINT[vendor], *([_QUOTED] if vendor == "postgresql" else [])]
    for number, sql in enumerate(texts):
        folder = _runs(tmp_path / str(number), sql)
        report = check(folder, replace(config.load(folder), database=vendor))
        assert disagreements(report, judge.run(folder, database=database_url)) == []


@pytest.mark.parametrize(
    "sql", ['ALTER TABLE "Library_Book_authors" FROBNICATE', "FROBNICATE Library_Book_authors", "CALL move('x')"]
)
def test_unreadable_sql_may_have_renamed_the_table(sql: str, tmp_path: Path) -> None:
    project = _project(tmp_path, sql)
    report = check(project, replace(config.load(project), database="postgresql"))
    found = {finding.code: finding for finding in report.findings}
    if "authors" not in sql:  # it names no table: then it may have made any
        assert found == {}
        return
    assert set(found) == {"MTM301", "MTM902"}
    assert found["MTM301"].certainty is Certainty.LIKELY
    assert found["MTM902"].field == "library.book.authors"


def test_an_unknown_operation_may_have_renamed_the_table(tmp_path: Path) -> None:
    project = _project(tmp_path, "")
    switch = project / "library" / "migrations" / "0002_switch.py"
    text = switch.read_text().replace("from django", "from elsewhere import Swap\nfrom django", 1)
    switch.write_text(text.replace("operations = [", "operations = [\n        Swap('book', name='authors'),", 1))
    certainties = {finding.code: finding.certainty for finding in check(project).findings}
    assert certainties == {"MTM902": Certainty.CERTAIN}  # which model that is, nobody knows: any of them
    switch.write_text(switch.read_text().replace("Swap('book'", "Swap(model_name='book'"))
    certainties = {finding.code: finding.certainty for finding in check(project).findings}
    assert certainties == {"MTM902": Certainty.CERTAIN, "MTM301": Certainty.LIKELY}

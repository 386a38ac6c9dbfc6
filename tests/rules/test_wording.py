"""What messages call things: as the user wrote them."""

from __future__ import annotations

import pytest

from lint_m2m.engine import check
from lint_m2m.migration import AlterTogether, NoDatabaseChange, Operation, RunSQL
from lint_m2m.replay.wording import Wording
from lint_m2m.rules.describe import operation_name
from tests.support.rule_projects import RULE_FIXTURES


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (RunSQL(sql=()), "RunSQL"),
        (AlterTogether(name="a", option_name="unique_together", value=frozenset()), "AlterUniqueTogether"),
        (AlterTogether(name="a", option_name="index_together", value=frozenset()), "AlterIndexTogether"),
        (NoDatabaseChange(class_path="shop.operations.Nothing"), "Nothing"),
    ],
)
def test_operations(operation: Operation, name: str) -> None:
    assert operation_name(operation) == name


def test_names_longer_than_the_database_allows() -> None:
    """PostgreSQL cuts them, MySQL refuses them: measured on PostgreSQL 15 and MariaDB 10.11."""
    table = "a" * 65
    assert Wording("postgresql").table_missing(table) == f'ProgrammingError: relation "{"a" * 63}" does not exist'
    assert Wording("mysql").table_missing(table) == f"""ProgrammingError: (1103, "Incorrect table name '{table}'")"""


@pytest.mark.parametrize(
    ("fixture", "noted"),
    [
        ("MTM202/bad_comes_back_sorted", True),
        ("MTM202/bad_same_migration", False),
        ("MTM205/bad_plain_to_sorted", True),
        ("MTM205/bad_sorted_to_plain", True),
    ],
)
def test_there_is_an_operation_for_sorted_fields(fixture: str, noted: bool) -> None:
    [finding] = [one for one in check(RULE_FIXTURES / fixture).findings if one.code == fixture[:6]]
    assert any("AlterSortedManyToManyField" in note for note in finding.notes) is noted


def test_where_django_came_to_believe_in_a_missing_table() -> None:
    project = RULE_FIXTURES / "MTM106" / "bad_alter_table_of_claimed_model"
    [finding] = [finding for finding in check(project).findings if finding.code == "MTM106"]
    [related] = finding.related
    assert related.message == "Django believes in `library_authorship` since here"
    assert (related.location.path, related.location.span.line) == ("library/migrations/0002_authorship.py", 10)

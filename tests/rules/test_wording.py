"""What messages call things: as the user wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from lint_m2m.engine import check
from lint_m2m.migration import (
    UNKNOWN,
    AlterTogether,
    Field,
    FieldKind,
    ModelKey,
    NoDatabaseChange,
    Operation,
    Relation,
    RunSQL,
)
from lint_m2m.replay.wording import Wording
from lint_m2m.rules.describe import operation_name, sorting
from lint_m2m.values import replace
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


SORTED = Field(
    kind=FieldKind.MANY_TO_MANY,
    class_path="sortedm2m.fields.SortedManyToManyField",
    relation=Relation(to=ModelKey("a", "b"), auto_columns=("sort_value",)),
)
PLAIN = Field(
    kind=FieldKind.MANY_TO_MANY,
    class_path="django.db.models.ManyToManyField",
    relation=Relation(to=ModelKey("a", "b")),
)


def of_relation(field: Field, **others: Any) -> Field:
    assert field.relation is not None
    return replace(field, relation=replace(field.relation, **others))


@pytest.mark.parametrize(
    ("old", "new", "noted"),
    [
        (PLAIN, SORTED, True),
        (SORTED, PLAIN, True),
        (PLAIN, PLAIN, False),
        (SORTED, SORTED, False),
        # The operation renames no table (measured: `no such table`), and takes no field that is not sorted (TypeError).
        (PLAIN, of_relation(SORTED, db_table="x"), False),
        (of_relation(SORTED, db_table="x"), PLAIN, False),
        (of_relation(PLAIN, db_table="x"), of_relation(SORTED, db_table="x"), True),
        (PLAIN, of_relation(SORTED, auto_columns=()), False),
        (PLAIN, of_relation(SORTED, auto_columns=UNKNOWN), False),
        (PLAIN, of_relation(SORTED, db_table=UNKNOWN), False),
        (PLAIN, of_relation(SORTED, through=ModelKey("a", "c")), False),
    ],
)
def test_when_there_is_one(old: Field, new: Field, noted: bool) -> None:
    assert bool(sorting(old, new)) is noted


def test_where_django_came_to_believe_in_a_missing_table() -> None:
    project = RULE_FIXTURES / "MTM106" / "bad_alter_table_of_claimed_model"
    [finding] = [finding for finding in check(project).findings if finding.code == "MTM106"]
    [related] = finding.related
    assert related.message == "Django believes in `library_authorship` since here"
    assert (related.location.path, related.location.span.line) == ("library/migrations/0002_authorship.py", 10)

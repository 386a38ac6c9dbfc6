"""What DJANGO_FACTS says of Django, measured again: on SQLite, and on every server that LINT_M2M_DATABASES names.

A row of the table is the migrations before, the guilty operation, and what it does. The exception's class depends on
the database (`EXISTS`, `MISSING`); its text is compared where Django writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import django
import pytest

from tests.judge import Outcome, Place, run
from tests.judge.conftest import Judge
from tests.judge.report import render
from tests.judge.short import (
    A_CUSTOM,
    A_PLAIN,
    AB,
    COPY,
    CUSTOM,
    KEEP,
    ON_TABLE,
    A,
    B,
    C,
    add,
    alter,
    constrained,
    create,
    database,
    delete,
    foreign_key,
    key,
    many,
    pair,
    remove,
    rename_field,
    rename_model,
    separate,
    sql,
    state,
    table,
    through,
    unique,
)
from tests.judge.writing import migration_source, write_app

REFUSAL = (
    "ValueError: Cannot alter field app.A.f into app.A.f - they are not compatible types "
    "(you cannot alter to or from M2M fields, or add or remove through= on M2M fields)"
)
UNRESOLVED = "AttributeError: 'str' object has no attribute '_meta'"
NO_UNIQUE = "ValueError: Found wrong number (0) of constraints for app_ab(a_id, b_id)"
# Of the exception's class, by vendor.
EXISTS = {"sqlite": "OperationalError", "postgresql": "ProgrammingError", "mysql": "OperationalError"}
MISSING = {"sqlite": "OperationalError", "postgresql": "ProgrammingError", "mysql": "ProgrammingError"}
INTEGRITY = {"sqlite": "IntegrityError", "postgresql": "IntegrityError", "mysql": "IntegrityError"}

KEPT: Literal["kept"] = "kept"
LOST: Literal["lost"] = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raises:
    """The last migration raises, at this operation: a whole text, or a class by vendor and a part of the text."""

    at: str = "0"
    text: str | None = None
    types: dict[str, str] | None = None
    part: str = ""
    only: tuple[str, ...] = ("sqlite", "postgresql", "mysql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts:
    """The last migration is green and leaves exactly this: kinds of drift, and whether the field's rows still show."""

    kinds: tuple[str, ...]
    rows: Literal["kept", "lost"] = KEPT


What = Literal["kept", "lost"] | Raises | Drifts

FK_NULL = foreign_key("app.B", null=True)
LINKS = (B, A)
SWAPPED = (*A_CUSTOM, through("XY"))

ALTER_FIELD: dict[str, tuple[Sequence[str | Sequence[str]], What]] = {
    "automatic to custom": ((*LINKS, (AB, alter(CUSTOM))), Raises(at="1", text=REFUSAL)),
    "custom to automatic": ((*A_CUSTOM, alter(many())), Raises(text=REFUSAL)),
    "custom to another custom": ((*SWAPPED, alter(many(through="app.XY"))), LOST),
    "custom, blank": ((*A_CUSTOM, alter(many(through="app.AB", blank=True))), KEPT),
    "custom, related_name": ((*A_CUSTOM, alter(many(through="app.AB", related_name="x"))), KEPT),
    "custom, through_fields": ((*A_CUSTOM, alter(many(through="app.AB", through_fields=("a", "b")))), KEPT),
    "automatic, blank": ((*LINKS, alter(many(blank=True))), KEPT),
    "automatic, related_name": ((*LINKS, alter(many(related_name="x"))), KEPT),
    "automatic, help_text": ((*LINKS, alter(many(help_text="x"))), KEPT),
    "automatic, db_constraint": ((*LINKS, alter(many(db_constraint=False))), KEPT),
    "automatic, db_table": ((*LINKS, alter(many(db_table="zz"))), KEPT),
    "automatic, to": ((*LINKS, C, alter(many("app.C"))), Raises(types=INTEGRITY)),
    "automatic to foreign key": ((*LINKS, alter(FK_NULL)), Raises(text=REFUSAL)),
    "custom to foreign key": ((*A_CUSTOM, alter(FK_NULL)), Raises(text=REFUSAL)),
    "automatic to text": ((*LINKS, alter("models.TextField(default='')")), Raises(text=REFUSAL)),
    "foreign key to automatic": ((B, create("A", pair("f", FK_NULL)), alter(many())), Raises(text=REFUSAL)),
    "foreign key to custom": ((B, create("A", pair("f", FK_NULL)), AB, alter(CUSTOM)), Raises(text=REFUSAL)),
    "text to automatic": (
        (B, create("A", pair("f", "models.TextField(default='')")), alter(many())),
        Raises(text=REFUSAL),
    ),
    "automatic to unresolved": ((*LINKS, alter(CUSTOM)), Raises(text=UNRESOLVED)),
    "custom to unresolved": ((*A_CUSTOM, alter(many(through="app.Nowhere"))), Raises(text=UNRESOLVED)),
    "added unresolved": ((B, A_PLAIN, (add(CUSTOM), AB)), Raises(text=UNRESOLVED)),
    "created unresolved": ((B, (create("A", pair("f", CUSTOM)), AB)), Raises(text=UNRESOLVED)),
    "through unmanaged": ((*LINKS, (through(managed=False), alter(CUSTOM))), Raises(at="1", text=REFUSAL)),
    "in database_operations": ((*LINKS, AB, database(alter(CUSTOM))), Raises(at="0.database.0", text=REFUSAL)),
    "in state_operations": ((*LINKS, KEEP), KEPT),
    "in RunSQL": ((*LINKS, sql("SELECT 1", ON_TABLE, alter(CUSTOM))), KEPT),
}

OTHER: dict[str, tuple[Sequence[str | Sequence[str]], What]] = {
    "through model on the automatic table": (
        (*LINKS, (through(db_table="app_a_f"), alter(CUSTOM))),
        Raises(types=EXISTS, part="app_a_f"),
    ),
    "automatic table on a model's": ((*LINKS, C, add(many("app.A", db_table="app_c"), "g", "b")), Raises(types=EXISTS)),
    "removed and added with through": ((*LINKS, AB, (remove(), add(CUSTOM))), LOST),
    "removed and added again": ((*LINKS, (remove(), add(many()))), LOST),
    "removed and added through the same model": ((*A_CUSTOM, (remove(), add(CUSTOM))), KEPT),
    "RenameField, automatic": ((*LINKS, rename_field("f", "g")), KEPT),
    "RenameField, custom": ((*A_CUSTOM, rename_field("f", "g")), KEPT),
    "RenameModel, owner": ((*LINKS, rename_model("A", "Z")), KEPT),
    "RenameModel, owner with db_table": (
        (B, create("A", pair("f", many()), db_table="aa"), rename_model("A", "Z")),
        KEPT,
    ),
    "RenameModel, target": ((*LINKS, rename_model("B", "Z")), KEPT),
    "RenameModel, owner, custom": ((*A_CUSTOM, rename_model("A", "Z")), KEPT),
    "RenameModel, through": ((*A_CUSTOM, rename_model("AB", "Z")), KEPT),
    "RenameModel, to itself": ((create("A", pair("f", many("app.A"))), rename_model("A", "Z")), KEPT),
    "AlterModelTable, owner": ((*LINKS, table("A", "zz")), KEPT),
    "AlterModelTable, owner, db_table": ((B, create("A", pair("f", many(db_table="ff"))), table("A", "zz")), KEPT),
    "AlterModelTable, through": ((*A_CUSTOM, table("AB", "zz")), KEPT),
    "unmanaged owner": (
        (B, create("A", pair("f", many()), managed=False), through(managed=False), alter(CUSTOM)),
        KEPT,
    ),
}

RECIPES: dict[str, tuple[Sequence[str | Sequence[str]], What]] = {
    "keep the table": ((*LINKS, KEEP), KEPT),
    "keep the table, then AddField": ((*LINKS, KEEP, add("models.IntegerField(default=0)", "n", "ab")), KEPT),
    "keep the table, then its default name": ((*LINKS, KEEP, table("AB", None)), KEPT),
    "keep the table, later not unique": ((*LINKS, KEEP, unique("ab")), KEPT),
    "renamed by SQL": (
        (
            *LINKS,
            separate(
                (sql("ALTER TABLE app_a_f RENAME TO app_ab"),),
                (through(unique_together={("a", "b")}), alter(CUSTOM)),
            ),
        ),
        KEPT,
    ),
    "renamed by the field": (
        (
            *LINKS,
            separate(
                (alter(many(db_table="app_ab")),),
                (through(unique_together={("a", "b")}), alter(CUSTOM)),
            ),
        ),
        KEPT,
    ),
    "other names of foreign keys": (
        (*LINKS, state(through("AB", "owner", "b", db_table="app_a_f"), alter(CUSTOM))),
        Drifts(kinds=("column-undeclared", "missing-column", "unique-undeclared"), rows=LOST),
    ),
    "other names, with db_column": (
        (
            *LINKS,
            state(
                create(
                    "AB",
                    key("owner", "app.A", db_column="a_id"),
                    key("b", "app.B"),
                    db_table="app_a_f",
                    unique_together={("owner", "b")},
                ),
                alter(CUSTOM),
            ),
        ),
        KEPT,
    ),
    "other names, by RenameField": ((*LINKS, KEEP, rename_field("a", "owner", "ab")), KEPT),
    "neither db_table nor rename": (
        (*LINKS, state(through(unique_together={("a", "b")}), alter(CUSTOM))),
        Drifts(kinds=("missing-table", "orphan-table"), rows=LOST),
    ),
    "named after the table": (
        (*LINKS, state(through("A_f", unique_together={("a", "b")}), alter(many(through="app.A_f")))),
        KEPT,
    ),
    "a field too many": (
        (
            *LINKS,
            state(
                through("AB", "a", "b", pair("n", "models.IntegerField(default=0)"), db_table="app_a_f"),
                alter(CUSTOM),
            ),
        ),
        Drifts(kinds=("missing-column", "unique-undeclared")),
    ),
    "no unique pair": (
        (*LINKS, state(through(db_table="app_a_f"), alter(CUSTOM))),
        Drifts(kinds=("unique-undeclared",)),
    ),
    "no unique pair, declared later": (
        (*LINKS, state(through(db_table="app_a_f"), alter(CUSTOM)), unique("ab", ("a", "b"))),
        Raises(types=EXISTS),
    ),
    "a unique pair that is not there": (
        (*A_CUSTOM, state(unique("ab", ("a", "b")))),
        Drifts(kinds=("unique-missing",)),
    ),
    "a unique pair that is not there, removed": (
        (*A_CUSTOM, state(unique("ab", ("a", "b"))), unique("ab")),
        Raises(text=NO_UNIQUE),
    ),
    "a constraint of another name": (
        (*LINKS, state(constrained("ab_u", db_table="app_a_f"), alter(CUSTOM))),
        Drifts(kinds=("unique-misnamed",)),
    ),
    "a constraint of another name, removed": (
        (
            *LINKS,
            state(constrained("ab_u", db_table="app_a_f"), alter(CUSTOM)),
            'migrations.RemoveConstraint("ab", "ab_u")',
        ),
        Raises(types=MISSING | {"mysql": "OperationalError"}, part="ab_u", only=("postgresql", "mysql")),
    ),
    "a constraint of the historical name": (
        (*LINKS, state(constrained("app_a_f_a_id_b_id_db48c177_uniq", db_table="app_a_f"), alter(CUSTOM))),
        KEPT,
    ),
    "a constraint of the historical name, removed": (
        (
            *LINKS,
            state(constrained("app_a_f_a_id_b_id_db48c177_uniq", db_table="app_a_f"), alter(CUSTOM)),
            'migrations.RemoveConstraint("ab", "app_a_f_a_id_b_id_db48c177_uniq")',
        ),
        KEPT,
    ),
    "back to automatic": (
        (
            B,
            A_PLAIN,
            through(unique_together={("a", "b")}),
            add(CUSTOM),
            state(alter(many(db_table="app_ab")), delete("AB")),
        ),
        KEPT,
    ),
    "back to automatic, without db_table": (
        (B, A_PLAIN, through(unique_together={("a", "b")}), add(CUSTOM), state(alter(many()), delete("AB"))),
        Drifts(kinds=("missing-table", "orphan-table"), rows=LOST),
    ),
    "back to automatic, other names": (
        (
            B,
            A_PLAIN,
            through("AB", "owner", "b", unique_together={("owner", "b")}),
            add(CUSTOM),
            state(alter(many(db_table="app_ab")), delete("AB")),
        ),
        Drifts(kinds=("column-undeclared", "missing-column", "unique-missing", "unique-undeclared"), rows=LOST),
    ),
    "back to automatic, an extra column": (
        (
            B,
            A_PLAIN,
            through("AB", "a", "b", pair("n", "models.IntegerField()"), unique_together={("a", "b")}),
            add(CUSTOM),
            state(alter(many(db_table="app_ab")), delete("AB")),
        ),
        Drifts(kinds=("column-undeclared",)),
    ),
    "back to automatic, not unique": (
        (*A_CUSTOM, state(alter(many(db_table="app_ab")), delete("AB"))),
        Drifts(kinds=("unique-missing",)),
    ),
    "copy, then drop": ((*LINKS, AB, sql(COPY), separate((remove(),), (alter(CUSTOM),))), KEPT),
    "drop without a copy": ((*LINKS, AB, separate((remove(),), (alter(CUSTOM),))), LOST),
    "copy, and the old table forgotten": (
        (*LINKS, AB, sql(COPY), state(alter(CUSTOM))),
        Drifts(kinds=("orphan-table",)),
    ),
    "temporary field, in one run": (
        (*LINKS, AB, (add(many(through="app.AB", related_name="+"), "g"), sql(COPY)), (alter(CUSTOM), remove("g"))),
        Raises(text=REFUSAL),
    ),
    "temporary field, in two": (
        (
            *LINKS,
            AB,
            (add(many(through="app.AB", related_name="+"), "g"), sql(COPY)),
            remove(),
            rename_field("g", "f"),
        ),
        KEPT,
    ),
    "foreign key to many-to-many": ((B, create("A", pair("f", FK_NULL)), (remove(), add(many()))), LOST),
}


CASES = [
    pytest.param(migrations, what, id=f"{group}: {name}")
    for group, rows in (("AlterField", ALTER_FIELD), ("other", OTHER), ("recipe", RECIPES))
    for name, (migrations, what) in rows.items()
]


@pytest.mark.parametrize(("migrations", "what"), CASES)
def test_on_sqlite(judge: Judge, migrations: Sequence[str | Sequence[str]], what: What) -> None:
    examine(judge(*migrations), what)


@pytest.mark.parametrize(("migrations", "what"), CASES)
def test_on_a_server(judge: Judge, migrations: Sequence[str | Sequence[str]], what: What, database_url: str) -> None:
    examine(judge(*migrations, database=database_url), what)


def examine(outcome: Outcome, what: What) -> None:
    __tracebackhide__ = True
    report = render(outcome)
    if isinstance(what, Raises) and outcome.vendor in what.only:
        assert outcome.raised is not None, report
        last = outcome.plan[-1]
        assert outcome.raised.place == Place(*last, what.at), report
        if what.text is not None:
            assert str(outcome.raised) == what.text, report
        if what.types is not None:
            assert outcome.raised.type == what.types[outcome.vendor], report
        assert what.part in outcome.raised.text, report
        return
    assert outcome.raised is None, report
    kinds = what.kinds if isinstance(what, Drifts) else ()
    assert sorted({drift.kind for drift in outcome.drift_at_end}) == sorted(kinds), report
    rows = what.rows if isinstance(what, Drifts) else what
    if rows == LOST:
        assert len(outcome.lasting_losses) == 1, report
        assert outcome.lasting_losses[0].lost >= 3, report
        assert outcome.lasting_losses[0].kept == 0, report
    else:
        assert outcome.lasting_losses == (), report
        views = [view for _, view in outcome.steps[-1].after if view.kind == "many-to-many" and view.managed]
        assert all(view.pairs for view in views), report


def test_mysql_leaves_the_table_behind(judge: Judge, database_url: str) -> None:
    """The failed migration cannot roll back, and the next `migrate` dies earlier."""
    outcome = judge(*LINKS, (AB, alter(CUSTOM)), database=database_url, retry=True)
    assert outcome.raised is not None
    assert outcome.retried is not None
    if outcome.vendor == "mysql":
        assert outcome.left_behind == {"app_ab"}
        assert outcome.retried.place.operation == "0"
        assert str(outcome.retried) == "OperationalError: (1050, \"Table 'app_ab' already exists\")"
    else:
        assert outcome.left_behind == frozenset()
        assert outcome.retried == outcome.raised


def test_names_of_automatic_tables_are_cut(judge: Judge, database_url: str) -> None:
    """PostgreSQL at 63, MySQL at 64; SQLite not at all."""
    migrations = (B, create("A" * 40, pair("f" * 40, many())))
    whole = f"app_{'a' * 40}_{'f' * 40}"
    (view,) = dict(judge(*migrations).steps[-1].after).values()
    assert view.table == whole
    (view,) = dict(judge(*migrations, database=database_url).steps[-1].after).values()
    assert view.exists
    assert view.table is not None
    assert len(view.table) == (63 if database_url.startswith("postgres") else 64)


def test_columns_of_automatic_tables(judge: Judge) -> None:
    outcome = judge(B, create("A", pair("f", many()), pair("g", many("app.A"))))
    views = {str(field): view.columns for field, view in outcome.steps[-1].after}
    assert views == {"app.a.f": ("a_id", "b_id"), "app.a.g": ("from_a_id", "to_a_id")}


def test_columns_when_two_apps_have_models_of_one_name(tmp_path: Path) -> None:
    write_app(tmp_path, "one", {"0001": migration_source([create("Tag")])})
    write_app(
        tmp_path,
        "two",
        {
            "0001": migration_source([create("Tag", pair("f", many("one.Tag")))], dependencies=[("one", "0001")]),
            "0002": migration_source([rename_model("Tag", "Label")], dependencies=[("two", "0001")]),
        },
    )
    outcome = run(tmp_path)
    assert [dict(step.after) and next(iter(dict(step.after).values())).columns for step in outcome.steps[1:]] == [
        ("from_tag_id", "to_tag_id"),
        ("label_id", "tag_id"),
    ]
    assert outcome.losses == ()


def test_an_index_keeps_its_name_when_its_table_is_renamed(judge: Judge) -> None:
    """So that a new automatic table under the old name cannot have its own."""
    outcome = judge(*LINKS, KEEP, table("AB", None), remove(), add(many()))
    assert outcome.raised is not None
    assert outcome.raised.phase == "deferred"
    assert outcome.raised.text == "index app_a_f_a_id_b_id_db48c177_uniq already exists"


def test_sqlite_reads_a_missing_column_as_its_name(judge: Judge) -> None:
    """A table is copied when a column with a default comes: the foreign key is then there, and nonsense."""
    outcome = judge(
        *LINKS,
        state(through("AB", "owner", "b", db_table="app_a_f"), alter(CUSTOM)),
        add("models.IntegerField(default=0)", "n", "ab"),
    )
    assert outcome.raised is not None
    assert outcome.raised.phase == "check"
    assert "app_a_f.owner_id contains a value 'owner_id'" in outcome.raised.text


def test_rename_model_with_two_foreign_keys_to_it(judge: Judge) -> None:
    """Django 4.2 on SQLite copies the table once for each, and the second copy points to the old name again."""
    first, second = key("x", "app.A", related_name="first"), key("y", "app.A", related_name="second")
    outcome = judge(A_PLAIN, create("AA", first, second), rename_model("A", "Z"))
    assert (outcome.raised is not None) == (django.VERSION < (5,)), render(outcome)
    if outcome.raised is not None:
        assert (outcome.raised.type, outcome.raised.phase) == ("IntegrityError", "check")
        assert "does not have a corresponding value in app_a.id" in outcome.raised.text


@pytest.mark.parametrize(
    "unlucky", [pytest.param((6, 0, 0), id="Django 6.0.0, and only that, renames the field and not its table")]
)
def test_rename_field(judge: Judge, unlucky: tuple[int, int, int]) -> None:
    outcome = judge(*LINKS, rename_field("f", "g"))
    assert (django.VERSION[:3] == unlucky) == bool(outcome.drift_at_end)

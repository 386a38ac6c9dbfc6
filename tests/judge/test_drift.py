"""Where belief and database part: what is reported, where it began, and how it is followed."""

from __future__ import annotations

from tests.judge import FieldKey, Place
from tests.judge.conftest import Judge
from tests.judge.short import (
    A_CUSTOM,
    AB,
    CUSTOM,
    KEEP,
    A,
    B,
    add,
    alter,
    create,
    database,
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
)

NOT_THERE = state(AB, alter(CUSTOM))
EXTRA = through("AB", "a", "b", pair("n", "models.IntegerField()"), db_table="app_a_f", unique_together={("a", "b")})


def place(migration: int, operation: str) -> Place:
    return Place("app", f"{migration:04}_step", operation)


def test_missing_table_and_orphan(judge: Judge) -> None:
    missing, orphan = judge(B, A, NOT_THERE).drifts
    assert (missing.kind, missing.table, missing.model, missing.began, missing.ended) == (
        "missing-table",
        "app_ab",
        "app.ab",
        place(3, "0.state.0"),
        None,
    )
    assert missing.fields == (FieldKey("app", "a", "f"),)
    assert (orphan.kind, orphan.table, orphan.model, orphan.began) == (
        "orphan-table",
        "app_a_f",
        None,
        place(3, "0.state.1"),
    )


def test_an_empty_table_is_no_orphan(judge: Judge) -> None:
    assert [drift.kind for drift in judge((B, A, NOT_THERE)).drifts] == ["missing-table"]


def test_put_right_later(judge: Judge) -> None:
    outcome = judge(B, A, NOT_THERE, sql("ALTER TABLE app_a_f RENAME TO app_ab"))
    assert outcome.drift_at_end == tuple(drift for drift in outcome.drifts if drift.kind == "unique-undeclared")
    assert {drift.ended for drift in outcome.drifts if drift.kind != "unique-undeclared"} == {place(4, "0")}


def test_the_database_half_is_to_blame(judge: Judge) -> None:
    (drift,) = judge(*A_CUSTOM, separate((sql("SELECT 1"), sql("ALTER TABLE app_ab RENAME TO links")), ())).drifts
    assert (drift.kind, drift.table, drift.began) == ("missing-table", "app_ab", place(5, "0.database.1"))


def test_a_missing_column(judge: Judge) -> None:
    (drift,) = judge(B, A, state(EXTRA, alter(CUSTOM))).drifts
    assert (drift.kind, drift.table, drift.detail, drift.began) == (
        "missing-column",
        "app_a_f",
        "n",
        place(3, "0.state.0"),
    )


def test_a_missing_column_that_is_added(judge: Judge) -> None:
    outcome = judge(B, A, state(EXTRA, alter(CUSTOM)), sql("ALTER TABLE app_a_f ADD COLUMN n integer"))
    assert outcome.drift_at_end == ()
    assert outcome.drifts[0].ended == place(4, "0")


def test_followed_when_the_table_is_renamed(judge: Judge) -> None:
    outcome = judge(B, A, state(EXTRA, alter(CUSTOM)), table("AB", None))
    (drift,) = outcome.drifts
    assert (drift.table, drift.detail, drift.began, drift.ended) == ("app_ab", "n", place(3, "0.state.0"), None)


def test_followed_when_the_model_is_renamed(judge: Judge) -> None:
    outcome = judge(B, A, state(EXTRA, alter(CUSTOM)), rename_model("AB", "XY"))
    (drift,) = outcome.drifts
    assert (drift.model, drift.began) == ("app.xy", place(3, "0.state.0"))


def test_followed_when_the_column_is_renamed_in_the_state(judge: Judge) -> None:
    outcome = judge(B, A, state(EXTRA, alter(CUSTOM)), state(rename_field("n", "m", "ab")))
    (drift,) = outcome.drifts
    assert (drift.detail, drift.began) == ("m", place(3, "0.state.0"))


def test_an_automatic_table_that_only_the_state_renames(judge: Judge) -> None:
    outcome = judge(B, A, state(alter(many(db_table="links"))))
    assert [(drift.kind, drift.table) for drift in outcome.drifts] == [
        ("missing-table", "links"),
        ("orphan-table", "app_a_f"),
    ]


def test_a_field_that_only_the_database_loses(judge: Judge) -> None:
    (drift,) = judge(B, A, database(remove())).drifts
    assert (drift.kind, drift.table, drift.began) == ("missing-table", "app_a_f", place(3, "0.database.0"))


def test_an_orphan_that_is_dropped_later(judge: Judge) -> None:
    outcome = judge(B, A, AB, state(alter(CUSTOM)), sql("DROP TABLE app_a_f"))
    (drift,) = outcome.drifts
    assert (drift.kind, drift.began, drift.ended) == ("orphan-table", place(4, "0.state.0"), place(5, "0"))


def test_an_index_that_comes_at_the_end_of_the_migration_is_not_missing(judge: Judge) -> None:
    assert judge((B, A, table("A", "zz"))).drifts == ()


def test_primary_keys_of_another_type(judge: Judge, database_url: str) -> None:
    """SQLite has one integer type, so it cannot tell."""
    other = KEEP.replace("BigAutoField", "AutoField")
    (drift,) = judge(B, A, other, database=database_url).drifts
    assert (drift.kind, drift.table, drift.began) == ("pk-type", "app_a_f", place(3, "0.state.0"))
    assert drift.detail.split("/")[1] == "bigint"
    assert judge(B, A, other).drifts == ()


def test_columns_of_any_model_count(judge: Judge) -> None:
    (drift,) = judge(B, state(add("models.IntegerField(null=True)", "n", "b"))).drifts
    assert (drift.kind, drift.table, drift.detail, drift.fields) == ("missing-column", "app_b", "n", ())


def test_unmanaged_models_want_nothing(judge: Judge) -> None:
    assert judge(create("Q", managed=False), state(create("R", managed=False))).drifts == ()

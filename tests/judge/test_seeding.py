"""Rows for any model: whatever its columns are, link tables get links."""

from __future__ import annotations

from tests.judge import FieldKey, Outcome
from tests.judge.conftest import Judge
from tests.judge.report import render
from tests.judge.short import A, B, add, alter, create, foreign_key, key, many, pair, sql, table

FIELD = FieldKey("app", "a", "f")

# Everything NOT NULL and without a default in the database, some of it unique.
ALL_KINDS = create(
    "B",
    pair("big", "models.BigIntegerField()"),
    pair("binary", "models.BinaryField()"),
    pair("boolean", "models.BooleanField()"),
    pair("date", "models.DateField()"),
    pair("datetime", "models.DateTimeField()"),
    pair("decimal", "models.DecimalField(max_digits=4, decimal_places=2)"),
    pair("duration", "models.DurationField()"),
    pair("file", "models.FileField()"),
    pair("float", "models.FloatField()"),
    pair("ip", "models.GenericIPAddressField()"),
    pair("json", "models.JSONField()"),
    pair("positive", "models.PositiveSmallIntegerField()"),
    pair("slug", "models.SlugField(unique=True)"),
    pair("text", "models.TextField()"),
    pair("time", "models.TimeField()"),
    pair("one", "models.CharField(max_length=1)"),
    pair("code", "models.CharField(max_length=8, unique=True)"),
    pair("uuid", "models.UUIDField(unique=True)"),
    pair("both", "models.IntegerField()"),
    unique_together={("both", "big")},
)


def six(outcome: Outcome, field: FieldKey = FIELD) -> None:
    __tracebackhide__ = True
    assert outcome.unseeded == (), render(outcome)
    assert outcome.raised is None, render(outcome)
    assert dict(outcome.steps[-1].before)[field].rows == 6, render(outcome)


def test_every_kind_of_column(judge: Judge) -> None:
    six(judge(ALL_KINDS, A, table("A", "zz")))


def test_every_kind_of_column_on_a_server(judge: Judge, database_url: str) -> None:
    six(judge(ALL_KINDS, A, table("A", "zz"), database=database_url))


def _primary_key(field: str) -> str:
    return f'migrations.CreateModel("B", [("key", models.{field})])'


def test_other_primary_keys(judge: Judge) -> None:
    for field in (
        "UUIDField(primary_key=True)",
        "CharField(max_length=8, primary_key=True)",
        "SmallAutoField(primary_key=True)",
        "PositiveIntegerField(primary_key=True)",
    ):
        six(judge(_primary_key(field), A, table("A", "zz")))


def test_other_primary_keys_on_a_server(judge: Judge, database_url: str) -> None:
    for field in ("UUIDField(primary_key=True)", "CharField(max_length=8, primary_key=True)"):
        six(judge(_primary_key(field), A, table("A", "zz"), database=database_url))


def test_multi_table_inheritance(judge: Judge) -> None:
    parent = foreign_key("app.B", parent_link=True, primary_key=True).replace("ForeignKey", "OneToOneField")
    child = f'migrations.CreateModel("Child", [("b_ptr", {parent})], bases=("app.b",))'
    field = FieldKey("app", "child", "f")
    six(
        judge(B, child, add(many("app.Child"), "f", "child"), alter(many("app.Child", blank=True), "f", "child")), field
    )


def test_foreign_keys_that_must_point_somewhere(judge: Judge) -> None:
    owner = create("A", key("c", "app.C"), pair("f", many()))
    six(judge(B, create("C", key("d", "app.D")).replace("app.D", "app.B"), owner, table("A", "zz")))


def test_a_through_model_with_more_columns(judge: Judge) -> None:
    through = create(
        "AB", key("a", "app.A"), key("b", "app.B"), pair("at", "models.DateTimeField()"), key("by", "app.C")
    )
    six(judge(B, create("C"), (create("A"), through, add(many(through="app.AB"))), table("AB", "zz")))


def test_a_foreign_key_that_may_be_null_is_filled(judge: Judge) -> None:
    with_key = create("A", pair("g", foreign_key("app.B", null=True)))
    outcome = judge(B, with_key, table("A", "zz"))
    assert dict(outcome.steps[-1].before)[FieldKey("app", "a", "g")].rows == 3


def test_a_foreign_key_to_its_own_table(judge: Judge) -> None:
    tree = create("A", pair("parent", foreign_key("app.A", null=True)), pair("f", many()))
    six(judge(B, tree, table("A", "zz")))


def test_what_cannot_be_seeded_is_told(judge: Judge) -> None:
    """A foreign key to its own table that may not be NULL: no first row."""
    chicken = create("A", key("egg", "app.A"), pair("f", many()))
    outcome = judge(B, chicken, table("A", "zz"))
    assert outcome.raised is None
    assert any("app.a.f: app_a.egg_id has to point to its own table" in note for note in outcome.unseeded)


def test_copied_rows_do_not_get_in_the_way(judge: Judge) -> None:
    """The database numbers them from the highest id on, where the next seeded row would be."""
    copied = create("AB", key("a", "app.A"), key("b", "app.B"))
    copy = sql("INSERT INTO app_ab (a_id, b_id) SELECT a_id, b_id FROM app_a_f")
    late = (create("D"), add(many("app.D", related_name="+"), "g"), add(many(through="app.AB", related_name="+"), "h"))
    outcome = judge(B, A, copied, (copy, sql("DELETE FROM app_a_f")), late, table("A", "zz"))
    assert outcome.unseeded == ()

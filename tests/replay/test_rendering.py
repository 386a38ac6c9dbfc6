"""What comes of a `through` model that is deleted while a field names it, in one `migrate` and in several, and of the
targets of a many-to-many and of its `through` model's foreign keys.

Each case is what follows the models A and B, C beside them, and `A.f` through AB; one tuple is one migration.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import django
import pytest

from lint_m2m import config
from lint_m2m.engine import check
from lint_m2m.reports import render
from tests import judge
from tests.judge.short import (
    A_PLAIN,
    AB,
    CUSTOM,
    A,
    B,
    C,
    add,
    alter,
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
    sql,
    state,
    table,
    through,
)
from tests.judge.writing import write_linear
from tests.support.agreement import disagreements, disagreements_apart

START = (B, C, A_PLAIN, AB, add(CUSTOM))
GONE = delete("AB")
Y = create("Y", key("a", "app.A"), key("b", "app.B"))
TO_Y = alter(many(through="app.Y"))
CODE = "migrations.RunPython(migrations.RunPython.noop)"
NUMBER = "models.IntegerField(null=True)"
NOT_THERE = "AttributeError"
LAZY = "ValueError"

Case = tuple[tuple[str, ...], ...]
# What `migrate` raises in one go, and whether it cannot go on where the migrations run apart.
CASES: dict[str, tuple[Case, str | None, bool]] = {
    "switched later, to a new model": (((GONE,), (Y, TO_Y)), NOT_THERE, True),
    "switched later, to one that was there": (((Y,), (GONE,), (TO_Y,)), None, True),
    "switched later, something else rendered": (((Y,), (GONE,), (add(NUMBER, "n", "c"), TO_Y)), None, True),
    "switched later, its model rendered": (((Y,), (GONE,), (add(NUMBER, "n"),), (TO_Y,)), NOT_THERE, True),
    "switched at once, the new model after": (((GONE, Y, TO_Y),), NOT_THERE, False),
    "switched at once, the new model before": (((Y, GONE, TO_Y),), None, False),
    "code, with nothing altered before": (((Y, GONE, CODE, TO_Y),), None, False),
    "code, with something altered before": (((Y, add(NUMBER, "n", "c"), GONE, CODE, TO_Y),), LAZY, False),
    "code, with something altered in another migration": (((add(NUMBER, "n"),), (GONE, CODE, remove())), LAZY, False),
    "code, with the primary key of a target altered": (
        ((alter("models.AutoField(primary_key=True)", "id", "b"), GONE, CODE, remove()),),
        None,
        False,
    ),
    "SQL": (((Y, GONE, sql("SELECT 1"), TO_Y),), None, False),
    "removed later": (((GONE,), (remove(),)), None, True),
    "removed at once": (((GONE, remove()),), None, False),
    "removed, the target rendered": (((GONE, add(NUMBER, "n", "b"), remove()),), NOT_THERE, False),
    "removed, something else rendered": (((GONE, add(NUMBER, "n", "c"), remove()),), None, False),
    "removed, a key to the target": (
        ((GONE, add(foreign_key("app.B", null=True), "k", "c"), remove()),),
        NOT_THERE,
        False,
    ),
    "its model deleted": (((GONE, delete("A")),), None, False),
    "its model rendered and deleted": (((GONE, add(NUMBER, "n"), delete("A")),), NOT_THERE, False),
    "its model deleted later": (((GONE,), (delete("A"),)), None, True),
    "its model renamed": (((GONE, rename_model("A", "A2")),), NOT_THERE, False),
    "the target renamed": (((GONE, rename_model("B", "B2")),), NOT_THERE, False),
    "its model's table renamed": (((GONE, table("a", "other")),), NOT_THERE, False),
    "the target's table renamed": (((GONE, table("b", "other")),), None, False),
    "other options": (((GONE, alter(many(through="app.AB", blank=True))),), None, False),
    "the field renamed": (((GONE, rename_field("f", "g")),), NOT_THERE, False),
    "back again": (((GONE, AB, remove()),), None, False),
    "back again later": (((GONE,), (AB,), (remove(),)), None, True),
    "renamed first": (((rename_model("AB", "AX"), remove()),), None, False),
    "renamed, and deleted": (((rename_model("AB", "AX"),), (delete("AX"),), (remove(),)), None, True),
    "only in the state": (((state(GONE),), (Y, TO_Y)), NOT_THERE, True),
    "only in the database": (((database(GONE),), (Y, TO_Y, state(GONE))), None, False),
    "turned in the state later": (((Y, GONE), (state(TO_Y),)), None, True),
    "made automatic": (((GONE, Y, alter(many())),), NOT_THERE, False),
    "made automatic later": (((GONE,), (alter(many()),)), LAZY, True),
    "never put right": (((GONE,), (add(NUMBER, "n", "c"),)), None, True),
    "the end": (((GONE,),), None, False),
}
# Nothing is left to run that would notice.
NAMED_AT_THE_END = ("the end", "other options", "the target's table renamed")
# It fails for another reason, which another rule names.
NOT_NAMED = ("made automatic later",)


@pytest.mark.parametrize("case", CASES)
def test_a_through_model_deleted_too_early(case: str, tmp_path: Path) -> None:
    rest, exception, stuck = CASES[case]
    project = write_linear(tmp_path, "app", [START, *rest])
    (project / "pyproject.toml").write_text('[tool.lint-m2m]\ndatabase = "sqlite"\n', encoding="utf-8")
    at_once, apart = judge.run(project), judge.run(project, fresh_process=True)
    assert (None if at_once.raised is None else at_once.raised.type) == exception
    assert (apart.raised is not None and apart.raised.phase == "render") == stuck
    report = check(project)
    found = [*disagreements(report, at_once), *disagreements_apart(report, apart)]
    assert not found, "\n".join([*found, render(report, "full")])
    named = [finding for finding in report.findings if finding.code == "MTM105"]
    assert len(named) == ((exception is not None or stuck or case in NAMED_AT_THE_END) and case not in NOT_NAMED)
    assert [finding.runtime_error is None for finding in named] == [exception is None] * len(named)


# The same of the target of an automatic table: what follows the models A, B and C, and `A.f` to B.
TO_C = alter(many("app.C"))
TARGETS: dict[str, Case] = {
    "turned at once": ((delete("B"), TO_C),),
    "turned later": ((delete("B"),), (TO_C,)),
    "turned, its model rendered": ((delete("B"), add(NUMBER, "n"), TO_C),),
    "turned later, its model rendered": ((delete("B"), add(NUMBER, "n")), (TO_C,)),
    "turned, something else rendered": ((delete("B"), add(NUMBER, "n", "c"), TO_C),),
    "turned, a key to its model": ((delete("B"), create("Q", key("a", "app.A")), TO_C),),
    "turned, with another table": ((delete("B"), add(NUMBER, "n"), alter(many("app.C", db_table="other"))),),
    "turned, code": ((delete("B"), CODE, TO_C),),
    "another table": ((delete("B"), alter(many(db_table="other"))),),
    "another table, its model rendered": ((delete("B"), add(NUMBER, "n"), alter(many(db_table="other"))),),
    "other options": ((delete("B"), add(NUMBER, "n"), alter(many(blank=True))),),
    "renamed": ((delete("B"), rename_field("f", "g")),),
    "its model renamed": ((delete("B"), rename_model("A", "A2")),),
    "its model's table renamed": ((delete("B"), add(NUMBER, "n"), table("a", "other")),),
    "removed": ((delete("B"), add(NUMBER, "n"), remove()),),
    "its model deleted": ((delete("B"), add(NUMBER, "n"), delete("A")),),
    "back again": ((delete("B"), add(NUMBER, "n"), B, remove()),),
    "no rows": (
        (
            create("D"),
            add(many("app.D"), "i"),
            delete("D"),
            add(NUMBER, "n"),
            alter(many("app.A", related_name="+"), "i"),
        ),
    ),
}


# And of the target of a further foreign key of a `through` model: `AB.d` to D, which no rows stop from being deleted.
D = create("D")
TO_D = foreign_key("app.D", null=True, db_constraint=False)
LINKED = (B, C, D, A_PLAIN, through("AB", "a", "b", pair("d", TO_D), pair("n", NUMBER)), add(CUSTOM))
BROAD = "models.BigIntegerField(default=0)"
PAIR = 'migrations.AddConstraint("ab", models.UniqueConstraint(fields=["a", "b"], name="ab_pair"))'
KEYS: dict[str, Case] = {
    "the end": ((delete("D"),),),
    "renamed": ((delete("D"), rename_field("d", "e", "ab")),),
    "renamed later": ((delete("D"),), (rename_field("d", "e", "ab"),)),
    "removed": ((delete("D"), remove("d", "ab")),),
    "removed later": ((delete("D"),), (remove("d", "ab"),)),
    "removed, its model rendered": ((delete("D"), add(NUMBER, "m", "ab"), remove("d", "ab")),),
    "removed, something else rendered": ((delete("D"), add(NUMBER, "m", "c"), remove("d", "ab")),),
    "a number": ((delete("D"), alter(NUMBER, "d", "ab")),),
    "a number, its model rendered": ((delete("D"), add(NUMBER, "m", "ab"), alter(NUMBER, "d", "ab")),),
    "turned, its model rendered": (
        (delete("D"), add(NUMBER, "m", "ab"), alter(foreign_key("app.C", null=True, db_constraint=False), "d", "ab")),
    ),
    "other options": (
        (delete("D"), alter(foreign_key("app.D", null=True, db_constraint=False, help_text="x"), "d", "ab")),
    ),
    "must not be null": ((delete("D"), alter(foreign_key("app.D", default=1, db_constraint=False), "d", "ab")),),
    "another column": ((delete("D"), alter(BROAD, "n", "ab")),),
    "another column, its model rendered": ((delete("D"), add(NUMBER, "m", "ab"), alter(BROAD, "n", "ab")),),
    "a column more, its model rendered": ((delete("D"), add(NUMBER, "m", "ab"), add(BROAD, "k", "ab")),),
    "a key renamed, its model rendered": ((delete("D"), add(NUMBER, "m", "ab"), rename_field("a", "o", "ab")),),
    "a constraint": ((delete("D"), PAIR),),
    "its model renamed": ((delete("D"), rename_model("AB", "AX")), (add(BROAD, "k", "ax"),)),
    "the owner renamed": ((delete("D"), rename_model("A", "A2")),),
    "the table renamed": ((delete("D"), table("ab", "other")), (add(NUMBER, "m", "c"),)),
    "code": ((delete("D"), CODE, remove("d", "ab")),),
    "code, something rendered": ((delete("D"), add(NUMBER, "m", "c"), CODE, remove("d", "ab")),),
    "back again": ((delete("D"), add(NUMBER, "m", "ab"), D, add(BROAD, "k", "ab")),),
    "its model deleted": ((delete("D"), add(NUMBER, "m", "ab"), remove(), delete("AB")),),
    "in the state alone": ((state(delete("D")), rename_field("d", "e", "ab")),),
    "renamed in the state alone": ((delete("D"), state(rename_field("d", "e", "ab"))), (add(NUMBER, "m", "c"),)),
    "the field renamed": ((delete("D"), rename_field("f", "g")), (add(NUMBER, "m", "c"),)),
    "another key removed": ((delete("D"), remove("n", "ab"), add(foreign_key("app.C", null=True), "c", "ab")),),
    "of one of the pair": ((state(delete("B")), rename_field("b", "c", "ab")),),
}


def deleted_target(history: Case, folder: Path, url: str) -> None:
    project = write_linear(folder, "app", history)
    configured = replace(config.load(project), database=url.partition(":")[0], django_version=django.VERSION[:2])
    report = check(project, configured)
    found = disagreements(report, judge.run(project, database=url))
    found += disagreements_apart(report, judge.run(project, database=url, fresh_process=True))
    assert not found, "\n".join([*found, render(report, "full")])


@pytest.mark.parametrize("case", TARGETS)
def test_a_target_deleted_too_early(case: str, tmp_path: Path) -> None:
    deleted_target(((B, C, A), *TARGETS[case]), tmp_path, judge.SQLITE)


@pytest.mark.parametrize("case", TARGETS)
def test_a_target_deleted_too_early_on_servers(case: str, tmp_path: Path, database_url: str) -> None:
    deleted_target(((B, C, A), *TARGETS[case]), tmp_path, database_url)


@pytest.mark.parametrize("case", KEYS)
def test_the_target_of_a_key_deleted_too_early(case: str, tmp_path: Path) -> None:
    deleted_target((LINKED, *KEYS[case]), tmp_path, judge.SQLITE)


@pytest.mark.parametrize("case", KEYS)
def test_the_target_of_a_key_deleted_too_early_on_servers(case: str, tmp_path: Path, database_url: str) -> None:
    deleted_target((LINKED, *KEYS[case]), tmp_path, database_url)


def test_nothing_is_said_of_a_key_that_goes_with_its_target(tmp_path: Path) -> None:
    project = write_linear(tmp_path, "app", [LINKED, *KEYS["removed"]])
    assert not check(project, replace(config.load(project), database="postgresql")).findings


def test_the_finding_names_the_target_that_is_gone(tmp_path: Path) -> None:
    project = write_linear(tmp_path, "app", [(B, C, A), *TARGETS["turned, its model rendered"]])
    report = check(project, replace(config.load(project), database="postgresql"))
    assert [(one.code, one.operation, one.message) for one in report.findings] == [
        ("MTM105", "2", "`AlterField` works on `app.A.f`, whose `to=` names `app.B`, which is not in the state here")
    ]


def test_the_finding_names_the_key_whose_target_is_gone(tmp_path: Path) -> None:
    project = write_linear(tmp_path, "app", [LINKED, *KEYS["a column more, its model rendered"]])
    report = check(project, replace(config.load(project), database="sqlite"))
    message = (
        "`AddField` has Django make the table of `app.AB` anew, and `to=` of `app.AB.d` names `app.D`, which is not in"
        " the state here"
    )
    found = [(one.code, one.operation, one.field, one.message) for one in report.findings]
    assert found == [("MTM105", "2", "app.a.f", message)]

"""What comes of a `through` model that is deleted while a field names it, in one `migrate` and in several.

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
    remove,
    rename_field,
    rename_model,
    sql,
    state,
    table,
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


def deleted_target(case: str, folder: Path, url: str) -> None:
    project = write_linear(folder, "app", [(B, C, A), *TARGETS[case]])
    configured = replace(config.load(project), database=url.partition(":")[0], django_version=django.VERSION[:2])
    report = check(project, configured)
    found = disagreements(report, judge.run(project, database=url))
    found += disagreements_apart(report, judge.run(project, database=url, fresh_process=True))
    assert not found, "\n".join([*found, render(report, "full")])


@pytest.mark.parametrize("case", TARGETS)
def test_a_target_deleted_too_early(case: str, tmp_path: Path) -> None:
    deleted_target(case, tmp_path, judge.SQLITE)


@pytest.mark.parametrize("case", TARGETS)
def test_a_target_deleted_too_early_on_servers(case: str, tmp_path: Path, database_url: str) -> None:
    deleted_target(case, tmp_path, database_url)


def test_the_finding_names_the_target_that_is_gone(tmp_path: Path) -> None:
    project = write_linear(tmp_path, "app", [(B, C, A), *TARGETS["turned, its model rendered"]])
    report = check(project, replace(config.load(project), database="postgresql"))
    assert [(one.code, one.operation, one.message) for one in report.findings] == [
        ("MTM105", "2", "`AlterField` works on `app.A.f`, whose `to=` names `app.B`, which is not in the state here")
    ]

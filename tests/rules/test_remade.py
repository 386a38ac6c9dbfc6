"""A `through` model that is deleted and made anew while the field that names it stays: what Django does and loses.

Each case is what follows the models A and B, C beside them, and `A.f` through AB; one tuple is one migration. What the
findings say is compared with real Django, in one `migrate` and in several.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import django
import pytest

from lint_m2m import config
from lint_m2m.engine import check
from lint_m2m.finding import Certainty, Report
from lint_m2m.reports import render
from tests import judge
from tests.judge.short import (
    A_PLAIN,
    AB,
    CUSTOM,
    B,
    C,
    add,
    alter,
    create,
    database,
    delete,
    key,
    many,
    remove,
    rename_field,
    rename_model,
    separate,
    sql,
    state,
    table,
    through,
)
from tests.judge.writing import write_linear
from tests.support.agreement import disagreements, disagreements_apart

START = (B, C, A_PLAIN, AB, add(CUSTOM))
GONE = delete("AB")
BACK = add(CUSTOM)
XY = through("XY")
CODE = "migrations.RunPython(migrations.RunPython.noop)"
NUMBER = "models.IntegerField(null=True)"
OUT = sql("CREATE TABLE kept AS SELECT a_id, b_id FROM app_ab")
IN = sql("INSERT INTO app_ab (a_id, b_id) SELECT a_id, b_id FROM kept")
OTHER = add(many(related_name="+"), "g")
TO_G = sql("INSERT INTO app_a_g (a_id, b_id) SELECT a_id, b_id FROM app_ab")
FROM_G = sql("INSERT INTO app_ab (a_id, b_id) SELECT a_id, b_id FROM app_a_g")

Case = tuple[tuple[str, ...], ...]
# Django runs them, in one `migrate`, and the findings of MTM202 stand at these operations.
LOST: dict[str, tuple[Case, str]] = {
    "at once": (((GONE, AB),), "0002[0]"),
    "in the next migration": (((GONE,), (AB,)), "0002[0]"),
    "much later": (((GONE,), (create("Q"),), (create("R"),), (create("S"),), (AB,)), "0002[0]"),
    "something else rendered in between": (((GONE, add(NUMBER, "n", "c"), AB),), "0002[0]"),
    "its model rendered in between": (((GONE, add(NUMBER, "n"), AB),), "0002[0]"),
    "its target rendered in between, later": (((GONE,), (add(NUMBER, "n", "b"),), (AB,)), "0002[0]"),
    "code in between": (((GONE, CODE, AB),), "0002[0]"),
    "altered in between": (((GONE, alter(many(through="app.AB", blank=True)), AB),), "0002[0]"),
    "with other columns": (((GONE, through("AB", "x", "y")),), "0002[0]"),
    "with another table": (((GONE, through("AB", db_table="other")),), "0002[0]"),
    "under another name first": (((GONE, XY, rename_model("XY", "AB")),), "0002[0]"),
    "in another letter case": (((delete("ab"), AB),), "0002[0]"),
    "twice": (((GONE, AB), (GONE, AB)), "0002[0] 0003[0]"),
    "the field renamed afterwards": (((GONE, AB), (rename_field("f", "g"),)), "0002[0]"),
    "its model renamed afterwards": (((GONE, AB), (rename_model("A", "Z"),)), "0002[0]"),
    "its target renamed afterwards": (((GONE, AB), (rename_model("B", "Z"),)), "0002[0]"),
    "two fields": (((add(many(through="app.AB", related_name="+"), "g"),), (GONE, AB)), "0003[0] 0003[0]"),
    "dropped by SQL": (((sql("DROP TABLE app_ab", GONE), AB),), "0002[0]"),
    "the table renamed first": (
        ((sql("ALTER TABLE app_ab RENAME TO kept", table("AB", "kept")), GONE, AB),),
        "0002[1]",
    ),
    "on both sides apart": (((separate((GONE,), (GONE,)), separate((AB,), (AB,))),), "0002[0.database.0]"),
    "on both sides apart, later": (
        ((separate((GONE,), (GONE,)),), (separate((AB,), (AB,)),)),
        "0002[0.database.0]",
    ),
    "on both sides, in one": (((separate((GONE, AB), (GONE, AB)),),), "0002[0.database.0]"),
    "in the database only": (((database(GONE, AB),),), "0002[0.database.0]"),
    "in the database first": (((database(GONE),), (state(GONE),), (AB,)), "0002[0.database.0]"),
    "the state later": (((GONE, database(AB)), (state(AB),)), "0002[0]"),
    "the field removed and added": (((GONE, remove(), AB, BACK),), "0002[0]"),
    "the field removed and added later": (((GONE,), (remove(), AB, BACK)), "0002[0]"),
    "the field added automatic": (((GONE, remove(), add(many())),), "0002[0]"),
    "the field added through another": (((GONE, remove(), XY, add(many(through="app.XY"))),), "0002[0]"),
    "copied out, and never back": (((OUT,), (GONE, AB)), "0003[0]"),
}
# Nothing for MTM202: nothing is lost, or another rule says what is.
SILENT: dict[str, Case] = {
    "copied by SQL": ((OUT,), (GONE, AB), (IN,)),
    "copied over another field": ((OTHER,), (TO_G,), (GONE, AB), (FROM_G,)),
    "the field away, and copied back": ((OTHER,), (TO_G,), (GONE, remove(), AB), (BACK,), (FROM_G,)),
    "no rows yet": ((XY, add(many(through="app.XY", related_name="+"), "g"), delete("XY"), XY),),
    "in the state only": ((state(GONE), state(AB)),),
    "deleted in the state only": ((state(GONE), AB),),
    "made in the state only": ((GONE, state(AB)),),
    "the field removed for good": ((GONE, AB, remove()),),
    "the field removed for good, later": ((GONE, AB), (remove(),)),
    "code that renders": ((add(NUMBER, "n", "c"), GONE, CODE, AB),),
    "the field renamed in between": ((GONE, rename_field("f", "g"), AB),),
    "its model renamed in between": (
        (GONE, rename_model("A", "Z"), create("AB", key("a", "app.Z"), key("b", "app.B"))),
    ),
    "swapped on the same table": ((GONE, through("XY", db_table="app_ab"), alter(many(through="app.XY"))),),
    "swapped in the state, the model after": (
        (GONE, state(alter(many(through="app.XY"))), through("XY", db_table="app_ab")),
    ),
    "swapped in the state, the model before": (
        (GONE, through("XY", db_table="app_ab"), state(alter(many(through="app.XY")))),
    ),
    "swapped in the state, later": (
        (GONE,),
        (through("XY", db_table="app_ab"), state(alter(many(through="app.XY")))),
    ),
    "the table renamed by SQL": ((sql("ALTER TABLE app_ab RENAME TO kept", GONE), AB),),
}


def judged(case: Case, folder: Path, url: str) -> Report:
    """What lint-m2m says of a case, after real Django has agreed."""
    project = write_linear(folder, "app", [START, *case])
    configured = replace(config.load(project), database=url.partition(":")[0], django_version=django.VERSION[:2])
    report = check(project, configured)
    found = disagreements(report, judge.run(project, database=url))
    found += disagreements_apart(report, judge.run(project, database=url, fresh_process=True))
    assert not found, "\n".join([*found, render(report, "full")])
    return report


def lost(case: str, folder: Path, url: str) -> None:
    rest, places = LOST[case]
    report = judged(rest, folder, url)
    assert {finding.code for finding in report.findings} == {"MTM202"}, render(report, "full")
    assert {finding.certainty for finding in report.findings} == {Certainty.CERTAIN}
    found = [f"{str(finding.migration)[:4]}[{finding.operation}]" for finding in report.findings]
    assert " ".join(found) == places


def silent(case: str, folder: Path, url: str) -> None:
    report = judged(SILENT[case], folder, url)
    assert "MTM202" not in {finding.code for finding in report.findings}, render(report, "full")


@pytest.mark.parametrize("case", LOST)
def test_the_links_are_lost(case: str, tmp_path: Path) -> None:
    lost(case, tmp_path, judge.SQLITE)


@pytest.mark.parametrize("case", LOST)
def test_the_links_are_lost_on_servers(case: str, tmp_path: Path, database_url: str) -> None:
    lost(case, tmp_path, database_url)


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_lost_or_another_rule_says_so(case: str, tmp_path: Path) -> None:
    silent(case, tmp_path, judge.SQLITE)


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_lost_on_servers(case: str, tmp_path: Path, database_url: str) -> None:
    silent(case, tmp_path, database_url)


def test_a_migration_that_runs_alone(tmp_path: Path) -> None:
    """One finding says both: the links go, and the next `migrate` fails."""
    (finding,) = judged(((GONE,), (AB,)), tmp_path, judge.SQLITE).findings
    assert any(
        note.startswith("when `app.0002_step` has run alone, the next `migrate` raises") for note in finding.notes
    )
    (finding,) = check(tmp_path, replace(config.load(tmp_path), select=("MTM105",))).findings
    assert finding.code == "MTM105"


@pytest.mark.parametrize("gone", ["A", "B"])
def test_links_of_a_model_that_is_gone(gone: str, tmp_path: Path) -> None:
    made = {"A": A_PLAIN, "B": B}[gone]
    field = (remove(),) if gone == "B" else ()
    project = write_linear(tmp_path, "app", [START, (GONE, *field, delete(gone), made, AB, BACK)])
    assert check(project).findings == ()


def test_a_deletion_that_may_not_run(tmp_path: Path) -> None:
    project = write_linear(tmp_path, "app", [START, ()])
    source = project / "app" / "migrations" / "0002_step.py"
    text = source.read_text(encoding="utf-8").replace(
        "class Migration", "from elsewhere import ANEW\n\n\nclass Migration"
    )
    source.write_text(f"{text}\n    if ANEW:\n        operations += [{GONE}, {AB}]\n", encoding="utf-8")
    found = [finding for finding in check(project).findings if finding.code != "MTM902"]
    assert [(finding.code, finding.certainty) for finding in found] == [("MTM202", Certainty.LIKELY)]

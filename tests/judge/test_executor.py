"""The executor: addresses, the place to blame, variants, and that one project never sees another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judge import FieldKey, JudgeError, Place, run
from tests.judge.conftest import Judge
from tests.judge.report import render
from tests.judge.short import (
    A_CUSTOM,
    A_PLAIN,
    AB,
    CUSTOM,
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
    sql,
    state,
    table,
    through,
)
from tests.judge.writing import migration_source, write_app, write_linear

FIELD = FieldKey("app", "a", "f")


def test_one_step_for_each_operation_in_the_order_of_the_plan(judge: Judge) -> None:
    outcome = judge((B, A), (AB, add("models.IntegerField(null=True)", "n", "ab")))
    assert [(str(step.place), step.operation) for step in outcome.steps] == [
        ("app.0001_step[0]", "CreateModel"),
        ("app.0001_step[1]", "CreateModel"),
        ("app.0002_step[0]", "CreateModel"),
        ("app.0002_step[1]", "AddField"),
    ]
    assert outcome.plan == (("app", "0001_step"), ("app", "0002_step"))
    assert outcome.raised is None
    assert outcome.not_run == ()


def test_six_links_before_each_migration(judge: Judge) -> None:
    outcome = judge((B, A), alter(many(blank=True)))
    before = dict(outcome.steps[2].before)[FIELD]
    assert before.rows == 6
    assert before.pairs is not None
    assert len(before.pairs) == 6
    assert len({a for a, _ in before.pairs}) == len({b for _, b in before.pairs}) == 3
    assert before.columns == ("a_id", "b_id")
    assert not {a for a, _ in before.pairs} & {b for _, b in before.pairs}


def test_an_exception_ends_the_run(judge: Judge) -> None:
    outcome = judge(B, A, (AB, alter(CUSTOM), remove()), table("A", "zz"))
    assert outcome.raised is not None
    assert outcome.raised.place == Place("app", "0003_step", "1")
    assert outcome.not_run == (
        Place("app", "0003_step", "1"),
        Place("app", "0003_step", "2"),
        Place("app", "0004_step", "0"),
    )
    assert [step.rolled_back for step in outcome.steps] == [False, False, True]
    assert outcome.left_behind == frozenset()


@pytest.mark.parametrize(
    ("operation", "address"),
    [
        (database(alter(CUSTOM)), "0.database.0"),
        (database(sql("SELECT 1"), alter(CUSTOM)), "0.database.1"),
        (database(database(alter(many(blank=True)), alter(CUSTOM))), "0.database.0.database.1"),
        (state(remove("no_such_field")), "0.state.0"),
        (sql("SELECT 1", remove("no_such_field")), "0.state.0"),
        (database(state(remove("no_such_field"))), "0.database.0.state.0"),
    ],
)
def test_addresses_of_operations_inside_others(judge: Judge, operation: str, address: str) -> None:
    outcome = judge(B, A, AB, operation)
    assert outcome.raised is not None, render(outcome)
    assert outcome.raised.place == Place("app", "0004_step", address), render(outcome)


def test_a_list_that_both_halves_share(judge: Judge) -> None:
    """Each half has its own address for the same object."""
    both = "BOTH = [migrations.AlterModelTable('A', 'zz')]"
    outcome = judge(B, A, "migrations.SeparateDatabaseAndState(BOTH, BOTH)", functions=[both])
    assert [str(change.place) for change in outcome.steps[-1].changes] == [
        "app.0003_step[0.state.0]",
        "app.0003_step[0.database.0]",
    ]
    by_state, by_database = outcome.steps[-1].changes
    assert by_state.views_changed == {FIELD}
    assert by_state.tables_gone == frozenset()
    assert by_database.tables_gone == {"app_a", "app_a_f"}
    assert by_database.tables_new == {"zz", "zz_f"}
    assert outcome.drifts == ()


def test_a_subclass_decides_what_runs(judge: Judge) -> None:
    """The inner operations of a subclass run when, and only when, it runs them."""
    subclass = (
        "class NotInTheDatabase(migrations.SeparateDatabaseAndState):\n"
        "    def database_forwards(self, app_label, schema_editor, from_state, to_state):\n"
        "        pass"
    )
    outcome = judge(B, A, AB, f"NotInTheDatabase(database_operations=[{alter(CUSTOM)}])", functions=[subclass])
    assert outcome.raised is None
    assert outcome.steps[-1].operation == "NotInTheDatabase"


def test_dangling_rows_are_the_fault_of_the_operation_that_made_them(judge: Judge) -> None:
    """SQLite looks at them when the migration ends."""
    insert = sql("INSERT INTO app_a_f (a_id, b_id) VALUES (77, 78)")
    outcome = judge(B, A, (table("B", "bb"), insert, table("A", "zz")))
    assert outcome.raised is not None
    assert outcome.raised.type == "IntegrityError"
    assert outcome.raised.phase == "check"
    assert outcome.raised.place == Place("app", "0003_step", "1")
    assert [step.place.operation for step in outcome.steps[2:]] == ["0", "1", "2"]


def test_dangling_rows_that_are_gone_in_time(judge: Judge) -> None:
    insert = sql("INSERT INTO app_a_f (a_id, b_id) VALUES (77, 78)")
    outcome = judge(B, A, (insert, sql("DELETE FROM app_a_f WHERE a_id = 77")))
    assert outcome.raised is None


def test_sql_left_for_the_end_is_the_fault_of_the_operation_that_left_it(judge: Judge) -> None:
    """The unique index of a new table, after the table was renamed behind Django's back."""
    outcome = judge(B, (A_PLAIN, add(many()), sql("ALTER TABLE app_a_f RENAME TO elsewhere")))
    assert outcome.raised is not None
    assert outcome.raised.phase == "deferred"
    assert outcome.raised.place == Place("app", "0002_step", "1")


def test_deferred_foreign_keys_fail_at_commit(judge: Judge, database_url: str) -> None:
    """PostgreSQL; the last statement that names the table is to blame. MySQL checks at once."""
    insert = sql("INSERT INTO app_a_f (a_id, b_id) VALUES (77, 78)")
    outcome = judge(B, A, (table("B", "bb"), insert, create("Q")), database=database_url)
    assert outcome.raised is not None
    assert outcome.raised.type == "IntegrityError"
    assert outcome.raised.place == Place("app", "0003_step", "1")


def test_a_fresh_process_renders_the_state_anew(judge: Judge) -> None:
    """A lazy reference that nothing resolves stays unnoticed as long as one `migrate` runs all."""
    migrations = (B, A, state(alter(CUSTOM)), create("Q"))
    assert judge(*migrations).raised is None
    outcome = judge(*migrations, fresh_process=True)
    assert outcome.variant == "fresh process"
    assert outcome.raised is not None
    assert outcome.raised.place == Place("app", "0004_step", None)
    assert outcome.raised.phase == "render"
    assert outcome.raised.type == "ValueError"
    assert "lazy reference to app.ab" in outcome.raised.text
    assert " at 0x" not in outcome.raised.text


def test_squashed_migrations_or_the_replaced_ones(tmp_path: Path) -> None:
    squash = migration_source([B, A, AB, add(CUSTOM, "g")]).replace(
        "dependencies =", 'replaces = [("app", "0001_one"), ("app", "0002_two")]\n    dependencies ='
    )
    write_app(
        tmp_path,
        "app",
        {
            "0001_one": migration_source([B, A]),
            "0002_two": migration_source([AB, add(CUSTOM, "g")], dependencies=[("app", "0001_one")]),
            "0001_squashed": squash,
            "0003_after": migration_source([table("AB", "links")], dependencies=[("app", "0001_squashed")]),
        },
    )
    fresh = run(tmp_path)
    assert [name for _, name in fresh.plan] == ["0001_squashed", "0003_after"]
    replaced = run(tmp_path, plan="replaced")
    assert [name for _, name in replaced.plan] == ["0001_one", "0002_two", "0003_after"]
    assert dict(fresh.steps[-1].after).keys() == dict(replaced.steps[-1].after).keys()


def test_a_project_with_settings(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(
        'INSTALLED_APPS = ["accounts", "shop.apps.ShopConfig"]\nAUTH_USER_MODEL = "accounts.Person"\n'
        'DATABASES = {"default": {"ENGINE": "nowhere"}}\nDEFAULT_AUTO_FIELD = "django.db.models.AutoField"\n'
    )
    write_app(tmp_path, "accounts", {"0001_initial": migration_source([create("Person")])})
    (tmp_path / "accounts" / "models.py").write_text(
        "from django.db import models\n\n\nclass Person(models.Model):\n    pass\n"
    )
    migration = migration_source(
        [create("Order", pair("buyers", "models.ManyToManyField(settings.AUTH_USER_MODEL)"))],
        imports=["from django.conf import settings"],
    ).replace("dependencies = []", "dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]")
    write_app(tmp_path, "shop", {"0001_initial": migration})
    (tmp_path / "shop" / "apps.py").write_text(
        "from django.apps import AppConfig\n\n\nclass ShopConfig(AppConfig):\n    name = 'shop'\n    label = 'till'\n"
    )
    outcome = run(tmp_path)
    assert outcome.plan == (("accounts", "0001_initial"), ("till", "0001_initial"))
    (view,) = dict(outcome.steps[-1].after).values()
    assert view.table == "till_order_buyers"
    assert view.columns == ("order_id", "person_id")


def test_apps_of_others_are_migrated_and_not_judged(tmp_path: Path) -> None:
    field = pair("groups", many("auth.Group"))
    initial = migration_source([create("Team", field)], dependencies=[("auth", "0001_initial")])
    later = migration_source([table("Team", "zz")], dependencies=[("app", "0001")])
    write_app(tmp_path, "app", {"0001": initial, "0002": later})
    outcome = run(tmp_path)
    assert outcome.plan == (("app", "0001"), ("app", "0002"))
    (before,) = dict(outcome.steps[1].before).values()
    assert before.rows == 6
    assert outcome.losses == ()
    assert outcome.unseeded == ()


def test_sorted_many_to_many(judge: Judge) -> None:
    """The automatic table of another class has another column, which AlterField does not make."""
    pytest.importorskip("sortedm2m")
    imported = "from sortedm2m.fields import SortedManyToManyField"
    outcome = judge(B, A, alter("SortedManyToManyField('app.B')"), functions=[imported])
    assert outcome.raised is None
    assert [(drift.kind, drift.table, drift.detail) for drift in outcome.drift_at_end] == [
        ("missing-column", "app_a_f", "sort_value")
    ]
    assert outcome.losses == ()


def test_taggable_manager(tmp_path: Path) -> None:
    """Its default through model is a real one: another `through=` is a swap."""
    pytest.importorskip("taggit")
    imports = ["import taggit.managers"]
    tagged = create(
        "Tagged",
        pair("content_object", "models.ForeignKey('app.A', models.CASCADE)"),
        pair("tag", "models.ForeignKey('taggit.Tag', models.CASCADE, related_name='+')"),
    )
    manager = "taggit.managers.TaggableManager(to='taggit.Tag', through='{}')"
    write_app(
        tmp_path,
        "app",
        {
            "0001": migration_source(
                [create("A", pair("f", manager.format("taggit.TaggedItem"))), tagged],
                dependencies=[("taggit", "0001_initial")],
                imports=imports,
            ),
            "0002": migration_source(
                [alter(manager.format("app.Tagged"))], dependencies=[("app", "0001")], imports=imports
            ),
        },
    )
    outcome = run(tmp_path)
    assert outcome.raised is None, render(outcome)
    before, after = dict(outcome.steps[-1].before)[FIELD], dict(outcome.steps[-1].after)[FIELD]
    assert (before.table, after.table) == ("taggit_taggeditem", "app_tagged")
    assert before.through == "taggit.taggeditem"
    assert [loss.how for loss in outcome.losses] == ["stranded"], render(outcome)


def test_what_a_migration_prints_is_nobody_s_answer(judge: Judge, capfd: pytest.CaptureFixture[str]) -> None:
    loud = "def loud(apps, schema_editor):\n    print('x' * 100_000, flush=True)\n    input()\n"
    outcome = judge(B, "migrations.RunPython(loud)", functions=[loud])
    assert outcome.raised is not None
    assert outcome.raised.type == "EOFError"
    assert capfd.readouterr().out == ""


def test_a_migration_that_never_ends(tmp_path: Path) -> None:
    write_linear(tmp_path, "app", [["migrations.RunPython(stuck)"]], ["def stuck(*_):\n    while True:\n        pass"])
    with pytest.raises(JudgeError, match="still running after 1 s"):
        run(tmp_path, timeout=1)


def test_a_migration_that_ends_the_process(tmp_path: Path) -> None:
    write_linear(tmp_path, "app", [["migrations.RunPython(leave)"]], ["def leave(*_):\n    import os; os._exit(3)"])
    with pytest.raises(JudgeError, match="the process ended"):
        run(tmp_path)


@pytest.mark.parametrize("source", ["def", "import no_such_module"])
def test_a_project_that_cannot_be_loaded(tmp_path: Path, source: str) -> None:
    write_app(tmp_path, "app", {"0001": source})
    with pytest.raises(JudgeError, match=r"SyntaxError|ModuleNotFoundError"):
        run(tmp_path)


def test_a_folder_without_migrations(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="no app with migrations"):
        run(tmp_path)


def test_nothing_is_left_in_the_project(tmp_path: Path) -> None:
    write_linear(tmp_path, "app", [[B], [A]])
    before = sorted(tmp_path.rglob("*"))
    run(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_projects_do_not_see_each_other(tmp_path: Path) -> None:
    one = write_linear(tmp_path / "one", "app", [[B], [A]])
    two = write_linear(tmp_path / "two", "app", [[create("Other")]])
    first = run(one)
    assert [step.tables for step in run(two).steps] == [{"app_other"}]
    assert run(one) == first


def test_projects_do_not_see_each_other_on_a_server(tmp_path: Path, database_url: str) -> None:
    one = write_linear(tmp_path / "one", "app", [[B], [A]])
    two = write_linear(tmp_path / "two", "app", [[create("Other")]])
    first = run(one, database=database_url)
    assert [step.tables for step in run(two, database=database_url).steps] == [{"app_other"}]
    assert run(one, database=database_url) == first


def test_renames_are_on_record(judge: Judge) -> None:
    outcome = judge(B, A, (rename_field("f", "g"), rename_model("A", "Z"), state(rename_field("g", "h", "z"))))
    *_, field, model, both = outcome.steps
    assert field.moved == ((FIELD, FieldKey("app", "a", "g")),)
    assert model.moved == ((FieldKey("app", "a", "g"), FieldKey("app", "z", "g")),)
    assert model.renamed == (("app.a", "app.z"),)
    assert both.moved == ((FieldKey("app", "z", "g"), FieldKey("app", "z", "h")),)


def test_foreign_keys_are_relations_too(judge: Judge) -> None:
    outcome = judge(*A_CUSTOM, table("AB", "links"))
    views = {str(key): view.kind for key, view in outcome.steps[-1].after}
    assert views == {"app.a.f": "many-to-many", "app.ab.a": "foreign key", "app.ab.b": "foreign key"}


def test_a_model_that_is_not_managed_wants_nothing(judge: Judge) -> None:
    outcome = judge(B, create("A", pair("f", many()), managed=False), through(managed=False), alter(CUSTOM))
    assert outcome.drifts == ()
    assert [view.managed for key, view in outcome.steps[-1].after if key == FIELD] == [False]

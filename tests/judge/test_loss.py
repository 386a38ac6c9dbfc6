"""The definition of a loss, case by case."""

from __future__ import annotations

import pytest

from tests.judge import FieldKey, Loss, Outcome, Place
from tests.judge.conftest import Judge
from tests.judge.report import render
from tests.judge.short import (
    A_CUSTOM,
    A_PLAIN,
    AB,
    COPY,
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

FIELD = FieldKey("app", "a", "f")
XY = through("XY")
SWAP = alter(many(through="app.XY"))
COPY_XY = "INSERT INTO app_xy (a_id, b_id) SELECT a_id, b_id FROM app_ab"


def only(outcome: Outcome) -> Loss:
    __tracebackhide__ = True
    assert outcome.raised is None, render(outcome)
    assert len(outcome.losses) == 1, render(outcome)
    return outcome.losses[0]


def place(migration: int, operation: str) -> Place:
    return Place("app", f"{migration:04}_step", operation)


def test_stranded(judge: Judge) -> None:
    loss = only(judge(*A_CUSTOM, XY, SWAP))
    assert (loss.field, loss.how, loss.place, loss.healed) == (FIELD, "stranded", place(6, "0"), None)
    assert loss.lost >= 3
    assert loss.kept == 0
    assert not loss.open_end
    assert loss.dropped is None


def test_stranded_and_then_dropped(judge: Judge) -> None:
    assert only(judge(*A_CUSTOM, XY, SWAP, delete("AB"))).dropped == place(7, "0")


def test_stranded_in_the_state_only(judge: Judge) -> None:
    assert only(judge(*A_CUSTOM, XY, state(SWAP))).place == place(6, "0.state.0")


def test_unreadable(judge: Judge) -> None:
    loss = only(judge(B, A, state(AB, alter(CUSTOM))))
    assert (loss.how, loss.place) == ("unreadable", place(3, "0.state.1"))


def test_unreadable_for_other_columns(judge: Judge) -> None:
    loss = only(judge(B, A, state(through("AB", "owner", "b", db_table="app_a_f"), alter(CUSTOM))))
    assert (loss.how, loss.place) == ("unreadable", place(3, "0.state.1"))


def test_gone(judge: Judge) -> None:
    """The table is dropped under the field."""
    loss = only(judge(B, A, database(remove())))
    assert (loss.how, loss.place) == ("gone", place(3, "0.database.0"))


def test_dropped_by_half_of_a_recipe(judge: Judge) -> None:
    loss = only(judge(B, A, AB, separate((remove(),), (alter(CUSTOM),))))
    assert loss.how == "gone"
    assert loss.place == place(4, "0.database.0")


def test_deleted_by_code(judge: Judge) -> None:
    loss = only(judge(B, A, sql("DELETE FROM app_a_f WHERE id > (SELECT MIN(id) FROM app_a_f)")))
    assert (loss.how, loss.lost, loss.kept) == ("data", 5, 1)


@pytest.mark.parametrize(
    ("between", "lost"),
    [
        pytest.param((), True, id="next migration"),
        pytest.param((create("Q"),), True, id="the one after"),
        pytest.param((create("Q"), create("R")), False, id="later"),
    ],
)
def test_recreated_within_two_migrations(judge: Judge, between: tuple[str, ...], lost: bool) -> None:
    outcome = judge(B, A, remove(), *between, add(many()))
    if not lost:
        assert outcome.losses == ()
        return
    loss = only(outcome)
    assert loss.how == "recreated"
    assert loss.removed == place(3, "0")
    assert loss.place == place(4 + len(between), "0")


def test_recreated_for_another_target_is_another_field(judge: Judge) -> None:
    assert judge(B, A, C, (remove(), add(many("app.C")))).losses == ()


def test_recreated_after_its_model_and_its_target_were_renamed(judge: Judge) -> None:
    loss = only(judge(B, A, remove(), (rename_model("A", "Z"), rename_model("B", "Y")), add(many("app.Y"), "f", "z")))
    assert loss.how == "recreated"
    assert loss.field == FieldKey("app", "z", "f")


def test_recreated_inside_one_recipe(judge: Judge) -> None:
    """State and database both see RemoveField and AddField: the field is never away."""
    both = (remove(), add(CUSTOM))
    loss = only(judge(B, A, AB, separate(both, both)))
    assert loss.how == "gone"
    assert loss.place == place(4, "0.database.0")


def test_removed_for_good_is_no_loss(judge: Judge) -> None:
    assert judge(B, A, remove(), create("Q")).losses == ()


def test_deleted_with_its_model_is_no_loss(judge: Judge) -> None:
    assert judge(B, A, delete("A"), A).losses == ()


def test_replaced_by_a_renamed_field(judge: Judge) -> None:
    new = add(many(through="app.AB", related_name="+"), "g")
    loss = only(judge(B, A, (AB, new), remove(), rename_field("g", "f")))
    assert (loss.how, loss.removed, loss.place) == ("replaced", place(4, "0"), place(5, "0"))


def test_replaced_by_a_renamed_field_that_has_the_rows(judge: Judge) -> None:
    new = add(many(through="app.AB", related_name="+"), "g")
    assert judge(B, A, (AB, new, sql(COPY)), remove(), rename_field("g", "f")).losses == ()


def test_a_copy_before_the_swap(judge: Judge) -> None:
    assert judge(*A_CUSTOM, XY, sql(COPY_XY), SWAP).losses == ()


@pytest.mark.parametrize("later", [1, 2, 3])
def test_a_copy_after_the_swap_heals_for_two_migrations(judge: Judge, later: int) -> None:
    between = [create(name) for name in ("Q", "R")[: later - 1]]
    outcome = judge(*A_CUSTOM, XY, SWAP, *between, sql(COPY_XY))
    loss = only(outcome)
    assert loss.healed == (place(6 + later, "0") if later <= 2 else None)
    assert bool(outcome.lasting_losses) == (later > 2)


def test_a_copy_in_the_same_migration_heals(judge: Judge) -> None:
    assert only(judge(*A_CUSTOM, XY, (SWAP, sql(COPY_XY)))).healed == place(6, "1")


@pytest.mark.parametrize("later", [1, 2, 3])
def test_a_copy_heals_for_two_migrations_after_the_field_has_come_back(judge: Judge, later: int) -> None:
    remade = (AB, add(CUSTOM))
    between = [create(name) for name in ("Q", "R")[: later - 1]]
    copies = (XY, sql(COPY_XY)), (delete("AB"), remove()), create("P"), remade, *between
    loss = only(judge(*A_CUSTOM, *copies, sql("INSERT INTO app_ab (a_id, b_id) SELECT a_id, b_id FROM app_xy")))
    assert (loss.how, loss.place) == ("gone", place(6, "0"))
    assert loss.healed == (place(8 + later, "0") if later <= 2 else None)


def test_part_of_a_copy_does_not_heal(judge: Judge) -> None:
    loss = only(judge(*A_CUSTOM, XY, (SWAP, sql(COPY_XY + " WHERE id > (SELECT MIN(id) FROM app_ab)"))))
    assert loss.healed is None


def test_a_run_that_fails_too_early_to_know(judge: Judge) -> None:
    outcome = judge(*A_CUSTOM, XY, SWAP, alter(many()))
    assert outcome.raised is not None
    (loss,) = outcome.losses
    assert loss.open_end
    assert not loss.rolled_back


def test_a_loss_in_the_migration_that_fails_is_rolled_back(judge: Judge) -> None:
    outcome = judge(*A_CUSTOM, XY, (SWAP, alter(many())))
    assert [loss.rolled_back for loss in outcome.losses] == [True]


def test_a_field_that_is_removed_after_its_loss(judge: Judge) -> None:
    outcome = judge(*A_CUSTOM, (delete("AB"), remove()))
    assert only(outcome).ended == place(5, "1")
    assert outcome.lasting_losses == ()


@pytest.mark.parametrize("name", ["f", "g"])
def test_foreign_key_to_many_to_many(judge: Judge, name: str) -> None:
    loss = only(judge(B, create("A", pair("f", foreign_key("app.B", null=True))), (remove(), add(many(), name))))
    assert (loss.how, loss.field, loss.lost) == ("retyped", FieldKey("app", "a", name), 3)
    assert (loss.removed, loss.place) == (place(3, "0"), place(3, "1"))


def test_foreign_key_to_many_to_many_with_the_rows(judge: Judge) -> None:
    copied = sql("INSERT INTO app_a_g (a_id, b_id) SELECT id, f_id FROM app_a WHERE f_id IS NOT NULL")
    with_key = create("A", pair("f", foreign_key("app.B", null=True)))
    added = add(many(related_name="+"), "g")
    assert judge(B, with_key, (added, copied), remove()).losses == ()
    loss = only(judge(B, with_key, added, remove()))
    assert (loss.how, loss.place, loss.removed) == ("retyped", place(4, "0"), place(4, "0"))


def test_a_foreign_key_and_a_many_to_many_that_came_together(judge: Judge) -> None:
    """Two relations from the start: removing one of them loses what somebody wanted to lose."""
    both = create("A", pair("f", foreign_key("app.B", null=True, related_name="+")), pair("g", many()))
    assert judge(B, both, remove()).losses == ()


def test_many_to_many_to_foreign_key(judge: Judge) -> None:
    key = foreign_key("app.B", null=True, related_name="+")
    loss = only(judge(B, A, (remove(), add(key))))
    assert (loss.how, loss.place) == ("retyped", place(3, "1"))
    first = sql("UPDATE app_a SET g_id = (SELECT MIN(b_id) FROM app_a_f WHERE a_id = app_a.id)")
    assert judge(B, A, (add(key, "g"), first), remove()).losses == ()


def test_followed_through_renames(judge: Judge) -> None:
    outcome = judge(
        *A_CUSTOM,
        XY,
        rename_model("A", "Z"),
        rename_field("f", "g", "z"),
        table("AB", "links"),
        state(alter(many(through="app.XY"), "g", "z")),
    )
    loss = only(outcome)
    assert loss.field == FieldKey("app", "z", "g")


def test_a_link_to_itself_that_the_state_turns_round(judge: Judge) -> None:
    """RenameField puts the foreign key last, and the first one is the source: nothing that the project's models see."""
    both = (pair("x", foreign_key("app.A", related_name="+")), pair("y", foreign_key("app.A", related_name="+")))
    through_itself = create("AA", *both)
    outcome = judge(A_PLAIN, through_itself, add(many("app.A", through="app.AA")), rename_field("x", "z", "aa"))
    assert outcome.losses == ()
    assert dict(outcome.steps[-1].before)[FIELD].columns == ("x_id", "y_id")
    assert dict(outcome.steps[-1].after)[FIELD].columns == ("y_id", "z_id")

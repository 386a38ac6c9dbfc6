"""`replaces`: a fresh install runs the squash, an old one ran what it replaces, and both are plans."""

from __future__ import annotations

from lint_m2m.graph import Graph, PlanKind, ProblemKind, build
from tests.graph.cases import File, case, chain, file, key, keys, project


def graph(table: dict[str, File | str | None]) -> Graph:
    return build(project(case(table)))


def test_both_histories_are_plans() -> None:
    built = graph(
        {
            **chain("a", "0001", "0002"),
            "a.0001_squashed_0002": file(replaces=["a.0001", "a.0002"]),
            "a.0003": "a.0002",
            "a.0004": file("a.0003", "a.0001_squashed_0002"),
        }
    )
    assert built.problems == ()
    assert [(plan.kind, plan.level) for plan in built.plans] == [(PlanKind.FRESH, 0), (PlanKind.REPLACED, 1)]
    assert built.plans[0].order == keys("a.0001_squashed_0002", "a.0003", "a.0004")
    assert built.plans[1].order == keys("a.0001", "a.0002", "a.0003", "a.0004")
    assert built.leaves("a") == keys("a.0004")
    assert built.root("a") == key("a.0001_squashed_0002")
    assert built.unplanned == ()


def test_dependencies_on_what_is_replaced_and_on_the_squash_mean_the_same() -> None:
    built = graph(
        {
            "a.0001": "b.0001",
            "a.0002": "a.0001",
            "a.s": file("b.0001", replaces=["a.0001", "a.0002"]),
            "b.0001": None,
            "b.0002": file("b.0001", "a.0001"),
            "b.0003": file("b.0002", "a.s"),
        }
    )
    fresh, replaced = built.plans
    assert fresh.order == keys("b.0001", "a.s", "b.0002", "b.0003")
    assert replaced.order == keys("b.0001", "a.0001", "a.0002", "b.0002", "b.0003")
    assert built.parents(key("b.0003"), replaced) == keys("a.0002", "b.0002")
    assert built.parents(key("b.0002"), fresh) == keys("a.s", "b.0001")
    # Asked without a plan: in every plan that has both.
    assert built.is_ancestor(key("a.0001"), key("b.0002"))
    assert not built.is_ancestor(key("a.0002"), key("b.0002"))
    assert built.is_ancestor(key("b.0001"), key("b.0003"))
    assert not built.is_ancestor(key("a.s"), key("a.0002")), "no plan has both"
    # The first plan that has it: the fresh one lacks what is replaced.
    assert built.children(key("a.0001")) == keys("a.0002", "b.0002")


def test_replaced_files_already_deleted() -> None:
    built = graph(
        {
            "a.s": file(replaces=["a.0001", "a.0002"]),
            "a.0003": "a.0002",
            "b.0001": "a.0001",
        }
    )
    assert built.problems == ()
    assert [plan.order for plan in built.plans] == [keys("a.s", "a.0003", "b.0001")]


def test_replaced_files_partly_deleted() -> None:
    """Nothing can run the old history any more; what is left of it is in no plan."""
    built = graph({"a.0002": "a.0001", "a.s": file(replaces=["a.0001", "a.0002"]), "a.0003": "a.0002"})
    assert built.problems == ()
    assert [plan.order for plan in built.plans] == [keys("a.s", "a.0003")]
    assert built.unplanned == keys("a.0002")
    assert built.parents(key("a.0002")) == ()


def test_squash_of_squashes() -> None:
    built = graph(
        {
            **chain("a", "0001", "0002", "0003"),
            "a.0001_squashed_0002": file(replaces=["a.0001", "a.0002"]),
            "a.0001_squashed_0003": file(replaces=["a.0001_squashed_0002", "a.0003"]),
            "a.0004": "a.0003",
            "b.0001": "a.0001_squashed_0002",
        }
    )
    assert built.problems == ()
    assert [(plan.level, plan.order) for plan in built.plans] == [
        (0, keys("a.0001_squashed_0003", "a.0004", "b.0001")),
        (1, keys("a.0001_squashed_0002", "a.0003", "a.0004", "b.0001")),
        (2, keys("a.0001", "a.0002", "a.0003", "a.0004", "b.0001")),
    ]


def test_squash_inside_one_that_cannot_be_undone_stays() -> None:
    built = graph(
        {
            **chain("a", "0001", "0002"),
            "a.inner": file(replaces=["a.0001", "a.0002"]),
            "a.outer": file(replaces=["a.inner", "a.0003_deleted"]),
        }
    )
    assert [plan.order for plan in built.plans] == [keys("a.outer")]


def test_squash_whose_inner_squash_lost_its_files() -> None:
    built = graph(
        {
            "a.inner": file(replaces=["a.0001", "a.0002"]),
            "a.0003": "a.0002",
            "a.outer": file(replaces=["a.inner", "a.0003"]),
        }
    )
    assert [plan.order for plan in built.plans] == [keys("a.outer"), keys("a.inner", "a.0003")]


def test_very_deep_nesting_keeps_the_outermost_and_the_innermost_plan() -> None:
    built = graph({"a.0": None, **{f"a.{n}": file(replaces=[f"a.{n - 1}"]) for n in range(1, 10)}})
    assert [plan.order for plan in built.plans] == [keys(f"a.{n}") for n in (9, 8, 7, 0)]


def test_squash_across_apps() -> None:
    built = graph({"a.0001": None, "b.0001": "a.0001", "b.s": file(replaces=["a.0001", "b.0001"])})
    assert [plan.order for plan in built.plans] == [keys("b.s"), keys("a.0001", "b.0001")]


def test_squashes_that_claim_the_same_migration_both_run() -> None:
    """As Django has it, however wrong that is for the project."""
    built = graph(
        {
            **chain("a", "0001", "0002", "0003"),
            "a.0001_squashed_0002": file(replaces=["a.0001", "a.0002"]),
            "a.0001_squashed_0003": file(replaces=["a.0001", "a.0002", "a.0003"]),
        }
    )
    assert built.plans[0].order == keys("a.0001_squashed_0002", "a.0001_squashed_0003")
    assert built.plans[1].order == keys("a.0001", "a.0002", "a.0003")


def test_latest_takes_an_unreplaced_squash_for_the_leaf() -> None:
    """Django resolves it before it carries out squashes, and sorts the leaves."""
    built = graph(
        {
            **chain("a", "0001", "0002", "0003"),
            "a.0001_squashed_0002": file(replaces=["a.0001", "a.0002"]),
            "b.0001": "a.__latest__",
        }
    )
    assert built.parents(key("b.0001")) == keys("a.0001_squashed_0002")


def test_squashes_in_a_circle() -> None:
    built = graph({"a.0001": None, "a.s": file(replaces=["a.0001", "a.t"]), "a.t": file(replaces=["a.s"])})
    (problem,) = built.problems
    assert problem.kind is ProblemKind.INCONSISTENT_REPLACES
    assert problem.migration == key("a.t")
    assert problem.message == "`a.t` replaces `a.s`, by which it is itself replaced"
    assert problem.runtime_error == "CommandError: Cyclical squash replacement found, starting at ('a', 's')"
    assert [(related.migration, related.message) for related in problem.related] == [
        (key("a.s"), "replaces `a.t` in turn")
    ]
    assert built.plans[0].order == keys("a.s")


def test_squash_that_replaces_itself() -> None:
    built = graph({"a.0001": None, "a.s": file(replaces=["a.0001", "a.s"])})
    (problem,) = built.problems
    assert problem.message == "`a.s` replaces itself"
    assert [plan.order for plan in built.plans] == [keys("a.s"), keys("a.0001")]
    built = graph({**chain("a", "0001", "0002"), "a.0002": file("a.0001", replaces=["a.0002"]), "a.0003": "a.0002"})
    assert [plan.order for plan in built.plans] == [keys("a.0001", "a.0002", "a.0003")]


def test_squash_that_depends_on_what_it_replaces() -> None:
    built = graph({**chain("a", "0001", "0002"), "a.s": file("a.0001", replaces=["a.0001", "a.0002"])})
    (problem,) = built.problems
    assert problem.kind is ProblemKind.CYCLE
    assert problem.message == "`a.s` depends on `a.0001`, which it replaces"
    assert problem.runtime_error == "CircularDependencyError: a.s"
    assert problem.span is not None
    assert built.plans[0].order == keys("a.s")

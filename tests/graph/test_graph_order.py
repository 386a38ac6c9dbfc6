"""The plan of a sound project, and the questions that rules ask about it."""

from __future__ import annotations

import pickle
from random import Random

import pytest

from lint_m2m.graph import Graph, PlanKind, build
from lint_m2m.migration import App, Dependency, Migration, MigrationKey, Project
from tests.graph.cases import case, chain, file, key, keys, project


def graph(table: dict[str, object]) -> Graph:
    built = build(project(case(table)))  # type: ignore[arg-type]
    assert built.problems == ()
    return built


def test_nothing_at_all() -> None:
    empty = build(Project(apps=(), migrations=()))
    assert [plan.order for plan in empty.plans] == [()]
    assert (empty.problems, empty.leaves("a"), empty.root("a"), empty.unplanned) == ((), (), None, ())


def test_order_is_leaf_by_leaf_and_greatest_parent_first() -> None:
    built = graph(
        {
            "a.0001": None,
            "a.0002": file("a.0001", "b.0001", "c.0001"),
            "b.0001": None,
            "b.0002": "b.0001",
            "c.0001": None,
        }
    )
    assert built.plans[0].order == keys("c.0001", "b.0001", "a.0001", "a.0002", "b.0002")
    assert built.plans[0].kind is PlanKind.FRESH
    assert len(built.plans) == 1


def test_order_of_input_is_of_no_account() -> None:
    content = case(
        {
            **chain("b", "0001", "0002", "0003"),
            **chain("a", "0001", "0002"),
            "a.0003": file("a.0002", "b.__latest__", run_before=["c.0001"]),
            "c.0001": "b.__first__",
            "c.0002": file("c.0001", "a.0003"),
        }
    )
    expected = build(project(content))
    for seed in range(20):
        given = project(content)
        migrations, apps = list(given.migrations), list(given.apps)
        Random(seed).shuffle(migrations)
        Random(seed).shuffle(apps)
        shuffled = build(Project(apps=tuple(apps), migrations=tuple(migrations)))
        assert shuffled.plans == expected.plans
        assert shuffled.problems == expected.problems


def test_run_before_turns_an_edge_round() -> None:
    built = graph({"a.0001": None, "b.0001": file(run_before=["a.0001"])})
    assert built.plans[0].order == keys("b.0001", "a.0001")
    assert built.is_ancestor(key("b.0001"), key("a.0001"))


def test_first_is_the_root_and_latest_the_leaf() -> None:
    built = graph(
        {
            **chain("b", "0001", "0002", "0003"),
            "a.0001": "b.__first__",
            "a.0002": file("a.0001", "b.__latest__"),
        }
    )
    assert built.parents(key("a.0001")) == keys("b.0001")
    assert built.parents(key("a.0002")) == keys("a.0001", "b.0003")


def test_first_follows_dependencies_not_names() -> None:
    built = graph({"b.0002_start": None, "b.0001_end": "b.0002_start", "a.0001": "b.__first__"})
    assert built.parents(key("a.0001")) == keys("b.0002_start")


def test_first_of_ones_own_app_is_ignored() -> None:
    """Django ticket 22325."""
    built = graph({"a.0001": "a.__first__", "a.0002": file("a.0001", "a.__first__", run_before=["a.__first__"])})
    assert built.plans[0].order == keys("a.0001", "a.0002")


@pytest.mark.parametrize("name", ["0001_initial", "__first__", "__latest__"])
def test_apps_outside_the_project_are_external(name: str) -> None:
    built = graph({"a.0001": f"auth.{name}", "a.0002": file("a.0001", run_before=["admin.0001_initial"])})
    assert built.external_apps == {"auth", "admin"}
    assert built.plans[0].order == keys("a.0001", "a.0002")
    assert built.parents(key("a.0001")) == ()
    assert built.children(key("a.0002")) == ()


def test_a_migration_of_another_app_orders_two_of_the_project() -> None:
    built = graph({"a.0001": "auth.0001", "b.0001": file(run_before=["auth.0001"])})
    assert built.plans[0].order == keys("b.0001", "a.0001")
    assert built.is_ancestor(key("b.0001"), key("a.0001"))
    assert built.ancestors(key("a.0001")) == {key("b.0001")}
    assert built.parents(key("a.0001")) == ()


def test_swappable_dependencies() -> None:
    def migration(app: str, dependency: Dependency) -> Migration:
        return Migration(app_label=app, name="0001", path=f"{app}/migrations/0001.py", dependencies=(dependency,))

    built = build(
        Project(
            apps=tuple(App(label=label, path=f"{label}/migrations") for label in ("a", "b", "users")),
            migrations=(
                migration("a", Dependency(key=MigrationKey("users", "__first__"), swappable="AUTH_USER_MODEL")),
                migration("b", Dependency(key=None, swappable="SOME_MODEL")),
                migration("users", Dependency(key=MigrationKey("users", "__first__"), swappable="AUTH_USER_MODEL")),
            ),
        )
    )
    assert built.problems == ()
    assert built.plans[0].order == keys("users.0001", "a.0001", "b.0001")


def test_leaves_and_roots_are_those_of_the_app() -> None:
    built = graph(
        {
            **chain("a", "0001", "0002"),
            "b.0001": "a.0002",
            "b.0002": file("b.0001", run_before=["c.0001"]),
            "c.0001": None,
        }
    )
    assert built.leaves("a") == keys("a.0002")
    assert built.leaves("b") == keys("b.0002")
    assert built.root("b") == key("b.0001")
    assert built.leaves("nowhere") == ()
    assert built.root("nowhere") is None


def test_only_dependencies_make_an_order_certain() -> None:
    built = graph({**chain("a", "0001", "0002"), "b.0001": "a.0001", "c.0001": None})
    assert built.plans[0].order == keys("a.0001", "a.0002", "b.0001", "c.0001")
    assert built.is_ancestor(key("a.0001"), key("b.0001"))
    assert not built.is_ancestor(key("a.0002"), key("b.0001")), "it runs before, by the alphabet alone"
    assert not built.is_ancestor(key("b.0001"), key("a.0001"))
    assert not built.is_ancestor(key("a.0001"), key("a.0001"))
    assert not built.is_ancestor(key("a.0001"), key("z.0001"))
    assert built.ancestors(key("b.0001")) == {key("a.0001")}
    assert built.ancestors(key("z.0001")) == frozenset()
    assert built.children(key("a.0001")) == keys("a.0002", "b.0001")
    assert built.parents(key("z.0001")) == built.children(key("z.0001")) == ()


def test_a_graph_travels_between_processes() -> None:
    built = graph({**chain("a", "0001", "0002"), "a.0001_squashed_0002": file(replaces=["a.0001", "a.0002"])})
    twin = pickle.loads(pickle.dumps(built))
    assert (twin.plans, twin.nodes, twin.leaves("a")) == (built.plans, built.nodes, built.leaves("a"))

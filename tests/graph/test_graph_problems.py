"""What Django refuses: the words, the place, and the order that is still found."""

from __future__ import annotations

import pytest

from lint_m2m.finding import Certainty
from lint_m2m.graph import Graph, GraphProblem, ProblemKind, build
from lint_m2m.migration import App, Migration, Project, UnreadFile
from tests.graph.cases import File, case, chain, file, key, keys, project, span


def graph(table: dict[str, File | str | None]) -> Graph:
    return build(project(case(table)))


def only(built: Graph) -> GraphProblem:
    assert len(built.problems) == 1, built.problems
    return built.problems[0]


def related(problem: GraphProblem) -> list[tuple[str, int | None, str]]:
    return [(str(other.migration), other.span and other.span.line, other.message) for other in problem.related]


# -- missing


def test_missing_parent() -> None:
    built = graph(
        {
            **chain("a", "0001_initial"),
            "b.0001": file("a.0001_initial", "a.0002_gone"),
            "b.0002": file("b.0001", "a.0002_gone"),
        }
    )
    problem = only(built)
    assert problem.kind is ProblemKind.MISSING_DEPENDENCY
    assert problem.message == "`b.0001` depends on `a.0002_gone`, which does not exist"
    assert (problem.migration, problem.span) == (key("b.0001"), span(2))
    assert related(problem) == [("b.0002", 2, "needs it as well")]
    assert problem.runtime_error == (
        "NodeNotFoundError: Migration b.0001 dependencies reference nonexistent parent node ('a', '0002_gone')"
    )
    assert (problem.certainty, problem.reason) == (Certainty.CERTAIN, None)
    assert built.plans[0].order == keys("a.0001_initial", "b.0001", "b.0002")


def test_missing_child() -> None:
    problem = only(graph({"a.0001": None, "b.0001": file(run_before=["a.0002_gone"])}))
    assert problem.message == "`b.0001` is to run before `a.0002_gone`, which does not exist"
    assert problem.runtime_error == (
        "NodeNotFoundError: Migration b.0001 dependencies reference nonexistent child node ('a', '0002_gone')"
    )


def test_latest_of_ones_own_app_is_a_name_to_django() -> None:
    problem = only(graph({"a.0001": None, "a.0002": file("a.0001", "a.__latest__"), "b.0001": "a.__latest__"}))
    assert problem.message == "`a.0002` depends on `a.__latest__`, which does not exist"
    assert related(problem) == [("b.0001", 1, "needs it as well")]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("0002_authors", "0002_author_books"),  # renamed
        ("0007_rating", "0003_rating"),  # renumbered
        ("0001_inital", "0001_initial"),
        ("squshed", "squashed"),
        ("0004_colour", "0004_color"),  # two of that number
        ("0009_something_else", None),
        ("0005_auto_20160816_0646", None),  # nothing but the same pattern
    ],
)
def test_what_was_probably_meant(wanted: str, hint: str | None) -> None:
    names = (
        "0001_initial",
        "0002_author_books",
        "0003_rating",
        "0004_color",
        "0004_zebra",
        "0006_auto_20160816_0648",
        "squashed",
    )
    problem = only(graph({**chain("a", *names), "b.0001": f"a.{wanted}"}))
    question = "" if hint is None else f"; did you mean `{hint}`?"
    assert problem.message == f"`b.0001` depends on `a.{wanted}`, which does not exist{question}"


def test_what_was_meant_is_not_the_migration_itself() -> None:
    problem = only(graph({"a.0001": None, "a.0002_later": "a.0002_earlier"}))
    assert problem.message == "`a.0002_later` depends on `a.0002_earlier`, which does not exist"


@pytest.mark.parametrize("name", ["__first__", "__latest__"])
def test_app_without_migrations(name: str) -> None:
    problem = only(graph({"a": None, "b.0001": f"a.{name}"}))
    assert problem.kind is ProblemKind.MISSING_DEPENDENCY
    assert problem.message == f"`b.0001` depends on `a.{name}`, but app `a` has no migrations"
    assert problem.runtime_error == "ValueError: Dependency on app with no migrations: a"
    assert problem.span == span(1)


def test_run_before_app_without_migrations() -> None:
    problem = only(graph({"a": None, "b.0001": file(run_before=["a.__first__"])}))
    assert problem.message == "`b.0001` is to run before `a.__first__`, but app `a` has no migrations"


def test_missing_in_its_own_app_is_not_also_a_second_leaf() -> None:
    problem = only(graph({**chain("a", "0001", "0002_author"), "a.0003": "a.0002_writer"}))
    assert problem.message == "`a.0003` depends on `a.0002_writer`, which does not exist; did you mean `0002_author`?"


def test_what_lost_its_parent_runs_after_the_one_named_before_it() -> None:
    built = graph({**chain("b", "0001", "0002_author"), "b.0003": "b.0002_writer", "a.0001": "b.0003"})
    assert built.plans[0].order == keys("b.0001", "b.0002_author", "b.0003", "a.0001")
    assert not built.is_ancestor(key("b.0001"), key("a.0001"))


# -- cycles


def test_cycle_within_an_app_is_broken_where_a_lower_number_needs_a_higher() -> None:
    built = graph({"a.0001": "a.0003", "a.0002": "a.0001", "a.0003": "a.0002"})
    problem = only(built)
    assert problem.kind is ProblemKind.CYCLE
    assert problem.message == "circular dependency: `a.0001` → `a.0003` → `a.0002` → `a.0001`"
    assert (problem.migration, problem.span) == (key("a.0001"), span(1))
    assert related(problem) == [("a.0003", 1, "depends on `a.0002`"), ("a.0002", 1, "depends on `a.0001`")]
    assert problem.runtime_error == "CircularDependencyError: a.0001, a.0002, a.0003"
    assert built.plans[0].order == keys("a.0001", "a.0002", "a.0003")


def test_cycle_between_apps_is_broken_where_an_early_one_needs_a_late_one() -> None:
    built = graph(
        {
            **chain("a", "0001", "0002", "0003"),
            "a.0004": file("a.0003", "b.0002"),
            "b.0001": "a.0004",
            "b.0002": "b.0001",
        }
    )
    problem = only(built)
    assert problem.message == "circular dependency: `b.0001` → `a.0004` → `b.0002` → `b.0001`"
    assert problem.migration == key("b.0001")
    assert built.plans[0].order == keys("b.0001", "b.0002", "a.0001", "a.0002", "a.0003", "a.0004")
    assert not built.is_ancestor(key("a.0004"), key("b.0001"))


def test_cycle_by_run_before_is_broken_there() -> None:
    built = graph({"a.0001": None, "b.0001": "a.0001", "b.0002": file("b.0001", run_before=["a.0001"])})
    problem = only(built)
    assert problem.message == "circular dependency: `a.0001` → `b.0002` → `b.0001` → `a.0001`"
    assert (problem.migration, problem.span) == (key("b.0002"), None)
    assert related(problem) == [("b.0002", 1, "depends on `b.0001`"), ("b.0001", 1, "depends on `a.0001`")]


def test_a_lower_number_that_needs_a_higher_is_the_likeliest_mistake() -> None:
    problem = only(graph({"a.0001": "a.0002", "a.0002": "b.0001", "b.0001": "c.0002", "c.0002": "a.0001"}))
    assert problem.migration == key("a.0001")


def test_a_run_before_is_likelier_a_mistake_than_a_dependency_between_apps() -> None:
    table = {**chain("c", "0001", "0002", "0003"), "a.0001": None, "c.0001": "a.0001"}
    problem = only(graph({**table, "b.0001": file("c.0003", run_before=["a.0001"])}))
    assert (problem.migration, problem.span) == (key("b.0001"), None)
    problem = only(graph({**table, "b.0001": "c.0003", "a.0001": "b.0001"}))
    assert (problem.migration, problem.span) == (key("b.0001"), span(1))


def test_cycle_through_another_app() -> None:
    problem = only(graph({"a.0001": file("auth.0001", run_before=["auth.0001"])}))
    assert problem.runtime_error == "CircularDependencyError: a.0001, auth.0001"
    assert problem.migration == key("a.0001")


def test_dependency_on_itself() -> None:
    built = graph({"a.0001": None, "a.0002": file("a.0001", "a.0002")})
    problem = only(built)
    assert problem.message == "`a.0002` depends on itself"
    assert problem.span == span(2)
    assert problem.runtime_error == "CircularDependencyError: a.0002"
    assert built.plans[0].order == keys("a.0001", "a.0002")


def test_every_cycle_is_reported_once() -> None:
    built = graph(
        {
            "a.0001": file("b.0001", "c.0001"),
            "b.0001": "a.0001",
            "c.0001": "a.0001",
            "d.0001": "e.0001",
            "e.0001": "d.0001",
        }
    )
    assert [problem.runtime_error for problem in built.problems] == [
        "CircularDependencyError: a.0001, b.0001",
        "CircularDependencyError: a.0001, c.0001",
        "CircularDependencyError: d.0001, e.0001",
    ]


def test_cycle_between_squashes_names_what_is_written() -> None:
    """A squash in each of two apps that depend on each other by turns: the reason why squashing fails in practice."""
    built = graph(
        {
            "a.0001": None,
            "a.0002": file("a.0001", "b.0001"),
            "a.s": file(replaces=["a.0001", "a.0002"]),
            "b.0001": "a.0001",
            "b.s": file("a.0001", replaces=["b.0001"]),
        }
    )
    problem = only(built)
    assert problem.kind is ProblemKind.CYCLE
    assert problem.runtime_error == "CircularDependencyError: a.s, b.s"
    places = {str(problem.migration), *(str(other.migration) for other in problem.related)}
    assert places == {"a.0002", "b.0001"}
    assert "`b.0001`" in related(problem)[0][2] or "`a.0001`" in related(problem)[0][2]
    assert built.plans[1].order == keys("a.0001", "b.0001", "a.0002")


def test_app_that_goes_in_a_circle_has_no_first_migration() -> None:
    """Django looks for the first migration before it looks for cycles."""
    problem = only(graph({"a.0001": "a.0002", "a.0002": "a.0001", "b.0001": "a.__first__"}))
    assert problem.kind is ProblemKind.CYCLE
    assert problem.runtime_error == "ValueError: Dependency on app with no migrations: a"


def test_circle_that_a_squash_replaces_still_has_no_first_migration() -> None:
    built = graph(
        {
            "a.0001": "a.0002",
            "a.0002": "a.0001",
            "b.0001": "a.__first__",
            "c.s": file(replaces=["a.0001", "a.0002"]),
        }
    )
    problem = only(built)
    assert problem.message == "`b.0001` depends on `a.__first__`, but app `a` goes in a circle"
    assert problem.runtime_error == "ValueError: Dependency on app with no migrations: a"


# -- leaves


def test_several_leaves() -> None:
    built = graph({**chain("a", "0001", "0002_x"), "a.0002_y": "a.0001", **chain("b", "1"), "b.2": None})
    first, second = built.problems
    assert first.kind is second.kind is ProblemKind.SEVERAL_LEAVES
    assert first.message == "app `a` has 2 last migrations: `0002_x`, `0002_y`"
    assert first.migration == key("a.0002_y")
    assert related(first) == [("a.0002_x", None, "nor on this one")]
    assert first.runtime_error == second.runtime_error
    assert first.runtime_error == (
        "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph: "
        "(0002_x, 0002_y in a; 1, 2 in b).\nTo fix them run 'python manage.py makemigrations --merge'"
    )
    assert built.leaves("a") == keys("a.0002_x", "a.0002_y")


def test_a_squash_beside_what_it_replaces_is_no_second_leaf() -> None:
    assert graph({**chain("a", "0001", "0002"), "a.s": file(replaces=["a.0001", "a.0002"])}).problems == ()


def test_a_migration_without_dependencies_is_a_second_leaf() -> None:
    problem = only(graph({**chain("a", "0001", "0002"), "a.0000": None}))
    assert problem.message == "app `a` has 2 last migrations: `0000`, `0002`"


def test_a_leaf_of_a_cycle_is_not_reported_as_well() -> None:
    assert only(graph({"a.0001": "a.0002", "a.0002": "a.0001", "a.0003": None})).kind is ProblemKind.CYCLE


# -- two apps of one label


def test_two_apps_of_one_label() -> None:
    def migration(folder: str, name: str) -> Migration:
        return Migration(app_label="a", name=name, path=f"{folder}/migrations/{name}.py")

    built = build(
        Project(
            apps=(App(label="a", path="one/migrations"), App(label="a", path="two/migrations")),
            migrations=(migration("one", "0001"), migration("two", "0001"), migration("two", "0002")),
        )
    )
    problem = only(built)
    assert problem.kind is ProblemKind.DUPLICATE_MIGRATION
    assert problem.certainty is Certainty.POSSIBLE
    assert problem.message == (
        "app label `a` is used twice: `one/migrations/0001.py` is checked, "
        "`two/migrations/0001.py`, `two/migrations/0002.py` are not"
    )
    assert built.plans[0].order == keys("a.0001")


# -- what could not be read


def test_an_unread_file_exists() -> None:
    built = graph({"a.0001": None, "a.0002": file(unread=True), "a.0003": "a.0002", "b.0001": "a.0002"})
    assert built.problems == ()
    assert isinstance(built.nodes[key("a.0002")], UnreadFile)
    assert built.plans[0].order == keys("a.0001", "a.0002", "a.0003", "b.0001")


@pytest.mark.parametrize("how", [file(unread=True), file(dependencies_complete=False)])
def test_what_is_unread_runs_after_the_one_named_before_it_but_nobody_knows(how: File) -> None:
    built = graph({"b.0001": None, "b.0002": how, "a.0001": "b.0002", "b.0003": "b.0002"})
    assert built.problems == ()
    assert built.plans[0].order == keys("b.0001", "b.0002", "a.0001", "b.0003")
    assert built.leaves("b") == keys("b.0003")
    assert not built.is_ancestor(key("b.0001"), key("a.0001"))
    assert built.is_ancestor(key("b.0002"), key("a.0001"))


def test_a_guess_gives_way_to_what_is_written() -> None:
    built = graph({"a.0001": "a.0002", "a.0002": file(dependencies_complete=False), "a.0003": "a.0001"})
    assert built.problems == ()
    assert built.plans[0].order == keys("a.0002", "a.0001", "a.0003")
    built = graph({"a.0001": "a.0002", "a.0002": file(dependencies_complete=False)})
    assert built.leaves("a") == keys("a.0001")
    assert built.plans[0].order == keys("a.0002", "a.0001")


def test_unread_dependencies_may_be_a_merge() -> None:
    branches: dict[str, File | str | None] = {"a.0001": None, **{f"a.0002_{one}": "a.0001" for one in "xyz"}}
    assert only(graph(branches)).certainty is Certainty.CERTAIN
    problem = only(graph({**branches, "a.0003": file(dependencies_complete=False)}))
    assert problem.certainty is Certainty.POSSIBLE
    assert problem.reason == "the dependencies of `a.0003` could not be read"
    assert problem.message == "app `a` has 2 last migrations: `0002_x`, `0002_y`"
    assert graph({**chain("a", "1", "2"), "a.2_other": "a.1", "a.3": file(unread=True)}).problems == ()


def test_an_unread_branch_is_no_second_leaf() -> None:
    assert graph({**chain("a", "0001", "0002"), "a.0000": file(dependencies_complete=False)}).problems == ()


def test_a_missing_migration_may_be_replaced_by_what_is_unread() -> None:
    built = graph({"a.0001_squashed_0005": file(unread=True), "a.0006": "a.0005_gone"})
    problem = only(built)
    assert problem.kind is ProblemKind.MISSING_DEPENDENCY
    assert problem.certainty is Certainty.POSSIBLE
    assert problem.reason == "what `a.0001_squashed_0005` replaces could not be read"


@pytest.mark.parametrize(
    "how", [file(unread=True), file(replaces_complete=False), file(replaces=["a.0001"], replaces_complete=False)]
)
def test_a_squash_of_unread_extent_gives_way_to_what_can_be_checked(how: File) -> None:
    built = graph({**chain("a", "0001", "0002"), "a.0001_squashed_0002": how, "a.0003": "a.0001_squashed_0002"})
    assert built.problems == ()
    assert [plan.order for plan in built.plans] == [keys("a.0001", "a.0002", "a.0003")]
    assert built.unplanned == keys("a.0001_squashed_0002")


def test_a_squash_of_unread_extent_runs_where_there_is_nothing_beside_it() -> None:
    squash = file("b.0001", replaces=["a.0001"], replaces_complete=False)
    built = graph({"a.0001_squashed_0002": squash, "a.0003": "a.0001", "b.0001": None})
    assert built.problems == ()
    assert built.plans[0].order == keys("b.0001", "a.0001_squashed_0002", "a.0003")

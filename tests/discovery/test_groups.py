"""Several projects below one root: labels are unique within each, and what belongs together stays together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.discovery import Layout, discover, discover_projects
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.project.groups import Group, Place, group

from .conftest import Write

AppFiles = Callable[..., dict[str, str]]


def grouped(folders: list[str], entries: list[str], **labels: str) -> dict[str, list[str]]:
    """Group folder -> app folders. An app's label is the last part of its folder."""
    places = [Place(folder=folder, label=labels.get(folder, folder.rpartition("/")[2])) for folder in folders]
    groups = group(places, frozenset(entries), lambda entry, place: True)
    for one in groups:
        repeated = [label for label, times in Counter(place.label for place in one.places).items() if times > 1]
        assert repeated == []
    assert {place for one in groups for place in one.places} == set(places)
    assert len({one.folder for one in groups}) == len(groups)
    return {one.folder: sorted(place.folder for place in one.places) for one in groups}


@pytest.mark.parametrize(
    ("folders", "entries", "expected"),
    [
        (["shop", "cart"], [], {"": ["cart", "shop"]}),
        # Nothing clashes: one project, however many manage.py there are.
        (["a/shop", "b/cart"], ["a", "b"], {"": ["a/shop", "b/cart"]}),
        # A monorepo.
        (["a/core", "b/core"], ["a", "b"], {"a": ["a/core"], "b": ["b/core"]}),
        (["a/core", "b/core", "c/other"], ["a", "b", "c"], {"": ["c/other"], "a": ["a/core"], "b": ["b/core"]}),
        # … with an app that both use.
        (
            ["a/core", "b/core", "lib/users"],
            ["a", "b"],
            {"a": ["a/core", "lib/users"], "b": ["b/core", "lib/users"]},
        ),
        # … or one that one of them replaces.
        (
            ["a/core", "a/users", "b/core", "lib/users"],
            ["a", "b"],
            {"a": ["a/core", "a/users"], "b": ["b/core", "lib/users"]},
        ),
        # The root is a project, with a demo in it.
        (["core", "shop", "demo/core"], ["", "demo"], {"": ["core", "shop"], "demo": ["demo/core"]}),
        # A demo that has no app of the same label stays.
        (["core", "demo/shop"], ["", "demo"], {"": ["core", "demo/shop"]}),
        # No manage.py anywhere.
        (
            ["src/core", "src/shop", "examples/core", "examples/x"],
            [],
            {"": ["src/core", "src/shop"], "examples": ["examples/core", "examples/x"]},
        ),
        (
            ["core", "tests/a/core", "tests/b/core"],
            [],
            {"": ["core"], "tests/a": ["tests/a/core"], "tests/b": ["tests/b/core"]},
        ),
        (["core", "core/tests/core"], [], {"": ["core"], "core/tests": ["core/tests/core"]}),
        (["shop", "vendor/shop"], [], {"": ["shop"], "vendor": ["vendor/shop"]}),
        (
            ["one/core", "one/x", "two/core", "three/y"],
            [],
            {"": ["three/y"], "one": ["one/core", "one/x"], "two": ["two/core"]},
        ),
        # Both at once: a project of which one copy lies in a test.
        (
            ["a/core", "a/tests/core", "b/core"],
            ["a", "b"],
            {"a": ["a/core"], "a/tests": ["a/tests/core"], "b": ["b/core"]},
        ),
    ],
)
def test_groups(folders: list[str], entries: list[str], expected: dict[str, list[str]]) -> None:
    assert grouped(folders, entries) == expected


def test_nothing() -> None:
    assert group([], frozenset(), lambda entry, place: True) == (Group(folder="", places=()),)


def test_the_order_of_folders_does_not_matter() -> None:
    folders = ["a/core", "b/core", "lib/users", "lib/x", "b/tests/core", "a/shop"]
    expected = grouped(folders, ["a", "b"])
    for turn in range(len(folders)):
        assert grouped(folders[turn:] + folders[:turn], ["b", "a"]) == expected


def test_many_projects_take_no_long_time() -> None:
    started = time.process_time()
    found = grouped([f"p{number}/deep/core" for number in range(3_000)], [])
    assert len(found) == 3_000
    nested = "/".join(["core"] * 80)
    assert len(grouped([nested[: 5 * depth - 1] for depth in range(1, 80)], [])) == 79
    assert time.process_time() - started < 10


MANAGE = 'import os\nimport django\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'


def by_project(layouts: tuple[Layout, ...]) -> dict[str, list[str]]:
    return {layout.project: [app.path for app in layout.apps] for layout in layouts}


def test_each_project_has_its_own_settings(write: Write, app: AppFiles) -> None:
    files: dict[str, str] = {}
    for name, model in (("one", "core.Member"), ("two", "core.Person")):
        files |= app(f"{name}/core")
        files[f"{name}/manage.py"] = MANAGE
        files[f"{name}/settings.py"] = f"INSTALLED_APPS = ['core']\nAUTH_USER_MODEL = '{model}'\n"
    root = write(files)
    layouts = discover_projects(root, ReadOptions())
    assert by_project(layouts) == {"one": ["one/core/migrations"], "two": ["two/core/migrations"]}
    assert [layout.swappable for layout in layouts] == [
        (("AUTH_USER_MODEL", "core.Member"),),
        (("AUTH_USER_MODEL", "core.Person"),),
    ]
    assert [layout.source_roots[0] for layout in layouts] == [root / "one", root / "two"]
    assert all(layout.root == root for layout in layouts)
    assert discover(root, ReadOptions()) == layouts[0]


def test_a_shared_app_is_in_the_projects_that_install_it(write: Write, app: AppFiles) -> None:
    files = app("one/core") | app("two/core") | app("libs/common/users") | app("libs/common/extra")
    files |= {"libs/common/__init__.py": ""}
    for name in ("one", "two"):
        files[f"{name}/manage.py"] = MANAGE
    files["one/settings.py"] = "INSTALLED_APPS = ['core', 'common.users']\n"
    files["two/settings.py"] = "INSTALLED_APPS = ['core', 'common.users.apps.UsersConfig']\n"
    assert by_project(discover_projects(write(files), ReadOptions())) == {
        "": ["libs/common/extra/migrations", "libs/common/users/migrations"],
        "one": ["one/core/migrations", "libs/common/users/migrations"],
        "two": ["two/core/migrations", "libs/common/users/migrations"],
    }


def test_the_settings_of_an_inner_project_are_not_the_outer_ones(write: Write, app: AppFiles) -> None:
    files = app("core") | app("demo/core")
    files |= {"manage.py": MANAGE, "settings.py": "INSTALLED_APPS = ['core']\nAUTH_USER_MODEL = 'core.Member'\n"}
    files |= {"demo/manage.py": MANAGE, "demo/settings.py": "INSTALLED_APPS = ['core']\nAUTH_USER_MODEL = 'core.X'\n"}
    layouts = discover_projects(write(files), ReadOptions())
    assert [(layout.project, layout.swappable) for layout in layouts] == [
        ("", (("AUTH_USER_MODEL", "core.Member"),)),
        ("demo", (("AUTH_USER_MODEL", "core.X"),)),
    ]


def test_what_belongs_to_no_project_is_not_silent(write: Write, app: AppFiles, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    root = write(app("one/core") | app("two/core") | {"one/manage.py": MANAGE, "two/manage.py": MANAGE, "x/y.py": ""})
    (root / "x" / "migrations").symlink_to(tmp_path / "outside")
    layouts = discover_projects(root, ReadOptions())
    assert [layout.project for layout in layouts] == ["one", "two"]
    assert [[one.path for one in layout.problems] for layout in layouts] == [["x/migrations"], []]


def test_an_exclude_makes_it_one_project_again(write: Write, app: AppFiles) -> None:
    root = write(app("shop") | app("vendor/shop"))
    assert len(discover_projects(root, ReadOptions())) == 2
    assert by_project(discover_projects(root, ReadOptions(exclude=("/vendor",)))) == {"": ["shop/migrations"]}


def test_a_label_of_its_own_makes_it_one_project_again(write: Write, app: AppFiles) -> None:
    root = write(app("shop") | app("vendor/shop"))
    options = ReadOptions(app_labels=(("vendor/shop", "vendored"),))
    assert by_project(discover_projects(root, options)) == {"": ["shop/migrations", "vendor/shop/migrations"]}

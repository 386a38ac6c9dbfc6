"""The layout as a whole: what is in it, what is not and why, and that the same project gives the same layout."""

from __future__ import annotations

import os
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lint_m2m.discovery import Layout, MigrationFile, discover, discover_projects
from lint_m2m.errors import ReadError
from lint_m2m.migration import UNKNOWN, App, UnreadFile
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.project.tree import Unread

from .conftest import Write, migration

AppFiles = Callable[..., dict[str, str]]

OUTSIDE = "a link that leaves the project"


def keys(layout: Layout) -> list[tuple[str, str]]:
    return [(one.app_label, one.name) for one in layout.files]


def test_a_whole_layout(write: Write, app: AppFiles) -> None:
    root = write(app("shop") | app("blog/posts") | {"blog/__init__.py": ""})
    assert discover(root, ReadOptions()) == Layout(
        root=root,
        apps=(
            App(label="posts", path="blog/posts/migrations", default_auto_field=UNKNOWN),
            App(label="shop", path="shop/migrations", default_auto_field=UNKNOWN),
        ),
        files=tuple(
            MigrationFile(
                app_label=label, name=name, path=f"{folder}/{name}.py", place=str(root / folder / f"{name}.py")
            )
            for label, folder in (("posts", "blog/posts/migrations"), ("shop", "shop/migrations"))
            for name in ("0001_initial", "0002_more")
        ),
        swappable=(),
        vendor=UNKNOWN,
        source_roots=(root,),
        problems=(),
        project="",
        left_out=(),
    )


def test_nothing(tmp_path: Path) -> None:
    assert discover_projects(tmp_path, ReadOptions()) == (
        Layout(root=tmp_path, apps=(), files=(), source_roots=(tmp_path,)),
    )


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        discover(tmp_path / "gone", ReadOptions())


def test_a_relative_root(write: Write, app: AppFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(app("shop"))
    monkeypatch.chdir(root)
    assert discover(Path(), ReadOptions()) == discover(root, ReadOptions())


def test_the_order_of_the_file_system_does_not_matter(
    write: Write, app: AppFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = app("shop") | app("a/core") | app("b/core") | app("lib/x", config="broken(")
    files |= {"a/settings.py": "INSTALLED_APPS = ['core']\n", "b/settings.py": "X = ("}
    root = write(files)
    expected = discover_projects(root, ReadOptions())
    real = os.scandir

    class Shuffled:
        def __init__(self, path: str) -> None:
            with real(path) as entries:
                self.entries = list(entries)
            random.Random(path).shuffle(self.entries)

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self.entries)

        def __enter__(self) -> Shuffled:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Shuffled)
    assert discover_projects(root, ReadOptions()) == expected


def test_layouts_travel_between_processes(write: Write, app: AppFiles) -> None:
    layout = discover(write(app("shop")), ReadOptions())
    assert pickle.loads(pickle.dumps(layout)) == layout
    assert hash(layout) == hash(pickle.loads(pickle.dumps(layout)))


def test_without(write: Write, app: AppFiles) -> None:
    layout = discover(write(app("shop") | app("blog")), ReadOptions())
    less = layout.without(["blog/migrations/0001_initial.py", "blog/migrations/0002_more.py", "not/there.py"])
    assert [one.label for one in less.apps] == ["shop"]
    assert keys(less) == [("shop", "0001_initial"), ("shop", "0002_more")]
    assert keys(layout.without(["shop/migrations/0002_more.py"])) == [
        ("blog", "0001_initial"),
        ("blog", "0002_more"),
        ("shop", "0001_initial"),
    ]


class TestFoldersThatAreNoMigrations:
    @pytest.mark.parametrize(
        "text",
        [
            "revision = '1'\n\n\ndef upgrade():\n    pass\n",
            "class TestMigration:\n    pass\n",
            "class Migration:\n    pass\n",
            "from django.db.migrations import RunPython\n\n\nclass Rename(RunPython): ...\n",
            "",
        ],
    )
    def test_left_out(self, write: Write, text: str) -> None:
        root = write({"db/__init__.py": "", "db/migrations/__init__.py": "", "db/migrations/env.py": text})
        layout = discover(root, ReadOptions())
        assert (layout.apps, layout.files, layout.problems) == ((), (), ())
        assert layout.left_out == (Unread("db/migrations", "no file in it defines a migration"),)

    def test_south(self, write: Write) -> None:
        text = "from south.v2 import SchemaMigration\n\n\nclass Migration(SchemaMigration): ...\n"
        root = write({"db/__init__.py": "", "db/migrations/__init__.py": "", "db/migrations/0001_initial.py": text})
        layout = discover(root, ReadOptions())
        assert (layout.apps, layout.files) == ((), ())
        assert layout.left_out == (Unread("db/migrations", "migrations of South, not of Django"),)

    def test_a_package_without_a_file(self, write: Write) -> None:
        layout = discover(write({"db/__init__.py": "", "db/migrations/__init__.py": ""}), ReadOptions())
        assert (layout.apps, layout.left_out) == ((), ())

    @pytest.mark.parametrize(
        "text",
        [
            "from base import Base\n\n\nclass Migration(Base): ...\n",
            "class Migration(\n    migrations.Migration,\n): ...\n",
            "try:\n    import x\nexcept ImportError:\n    pass\nelse:\n    class Migration(m.Migration): ...\n",
            "from other.migrations.initial import Migration\n",
            "from other.migrations.initial import *\n",
            "Migration = make()\n",
        ],
    )
    def test_one_file_is_enough(self, write: Write, text: str) -> None:
        root = write(
            {
                "db/__init__.py": "",
                "db/migrations/__init__.py": "",
                "db/migrations/0002_it.py": text,
                "db/migrations/0001_helpers.py": "def helper(): ...\n",
            }
        )
        # The reader decides for each file; Django raises BadMigrationError for the other one.
        assert keys(discover(root, ReadOptions())) == [("db", "0001_helpers"), ("db", "0002_it")]

    def test_an_unreadable_file_may_be_one(self, write: Write) -> None:
        root = write({"db/__init__.py": "", "db/migrations/__init__.py": ""})
        (root / "db" / "migrations" / "0001_initial.py").symlink_to("0001_initial.py")
        assert keys(discover(root, ReadOptions())) == [("db", "0001_initial")]


class TestMigrationModules:
    def files(self, app: AppFiles) -> dict[str, str]:
        return app("shop") | {
            "schema/__init__.py": "",
            "schema/shop/__init__.py": "",
            "schema/shop/0001_other.py": migration(),
        }

    def read(self, write: Write, files: dict[str, str], **modules: str) -> Layout:
        return discover(write(files), ReadOptions(migration_modules=tuple(modules.items())))

    def test_moved_by_option(self, write: Write, app: AppFiles) -> None:
        layout = self.read(write, self.files(app), shop="schema.shop")
        assert [(one.label, one.path) for one in layout.apps] == [("shop", "schema/shop")]
        assert keys(layout) == [("shop", "0001_other")]

    @pytest.mark.parametrize("nothing", ["", "None"])
    def test_switched_off_by_option(self, write: Write, app: AppFiles, nothing: str) -> None:
        layout = self.read(write, self.files(app) | app("blog"), shop=nothing)
        assert [one.label for one in layout.apps] == ["blog"]
        assert layout.left_out == (Unread("shop/migrations", "MIGRATION_MODULES switches shop off"),)

    def test_not_found(self, write: Write, app: AppFiles) -> None:
        assert keys(self.read(write, self.files(app), shop="elsewhere.migrations")) == [
            ("shop", "0001_initial"),
            ("shop", "0002_more"),
        ]

    def test_of_an_app_that_is_not_here(self, write: Write, app: AppFiles) -> None:
        layout = self.read(write, self.files(app), flatpages="schema.shop")
        assert [(one.label, one.path) for one in layout.apps] == [
            ("flatpages", "schema/shop"),
            ("shop", "shop/migrations"),
        ]

    def test_a_folder_that_looks_like_an_apps(self, write: Write, app: AppFiles) -> None:
        files = app("shop") | {
            "schema/__init__.py": "",
            "schema/migrations/__init__.py": "",
            "schema/migrations/0001_other.py": migration(),
        }
        layout = self.read(write, files, shop="schema.migrations")
        assert [(one.label, one.path) for one in layout.apps] == [("shop", "schema/migrations")]

    def test_by_settings(self, write: Write, app: AppFiles) -> None:
        files = self.files(app) | {
            "backend/settings.py": "INSTALLED_APPS = ['shop']\nMIGRATION_MODULES = {'shop': 'schema.shop'}\n"
        }
        assert keys(discover(write(files), ReadOptions())) == [("shop", "0001_other")]
        assert keys(self.read(write, files, shop="shop.migrations")) == [
            ("shop", "0001_initial"),
            ("shop", "0002_more"),
        ]

    @pytest.mark.parametrize(
        "value",
        [
            "{'shop': compute()}",
            "DisableMigrations()",
            "{'shop': None} if TESTING else {}",
            "{label: None for label in APPS}",
            "'shop'",
        ],
    )
    def test_unknown_in_settings(self, write: Write, app: AppFiles, value: str) -> None:
        files = app("shop") | {"settings.py": f"INSTALLED_APPS = ['shop']\nMIGRATION_MODULES = {value}\n"}
        assert len(discover(write(files), ReadOptions()).files) == 2

    @pytest.mark.parametrize("path", ["tests/settings.py", "settings/test.py"])
    def test_tests_switch_them_off_to_be_fast(self, write: Write, app: AppFiles, path: str) -> None:
        files = app("shop") | {path: "INSTALLED_APPS = ['shop']\nMIGRATION_MODULES = {'shop': None}\n"}
        files["manage.py"] = (
            "import django\nimport os\n"
            f"os.environ['DJANGO_SETTINGS_MODULE'] = '{path.removesuffix('.py').replace('/', '.')}'\n"
        )
        assert len(discover(write(files), ReadOptions()).files) == 2


class TestSourceRoots:
    def test_src_layout(self, write: Write, app: AppFiles) -> None:
        root = write(app("src/shop/cart") | {"src/shop/__init__.py": "", "tests/helpers/__init__.py": ""})
        assert discover(root, ReadOptions()).source_roots == (root / "src", root / "tests", root)

    def test_manage_first(self, write: Write, app: AppFiles) -> None:
        root = write(app("backend/apps/shop") | {"backend/manage.py": "import django\n"})
        assert discover(root, ReadOptions()).source_roots == (root / "backend", root / "backend" / "apps", root)

    def test_the_name_that_a_configuration_gives(self, write: Write, app: AppFiles) -> None:
        """Namespace packages have no __init__.py that would tell."""
        config = "from django.apps import AppConfig\n\n\nclass C(AppConfig):\n    name = 'company.shop'\n"
        root = write(app("lib/company/shop", config=config))
        assert discover(root, ReadOptions()).source_roots[0] == root / "lib"

    def test_a_root_inside_a_package(self, write: Write, app: AppFiles) -> None:
        root = write(app("site/project/shop") | {"site/project/__init__.py": ""})
        layout = discover(root / "site" / "project", ReadOptions())
        assert layout.source_roots[0] == root / "site"
        assert [one.path for one in layout.apps] == ["shop/migrations"]


class TestWhatCannotBeRead:
    @pytest.fixture
    def outside(self, tmp_path: Path) -> Path:
        folder = tmp_path / "outside"
        (folder / "migrations").mkdir(parents=True)
        for name in ("__init__.py", "migrations/__init__.py"):
            (folder / name).touch()
        (folder / "migrations" / "0001_initial.py").write_text(migration())
        return folder

    def test_a_file_that_leads_out(self, write: Write, app: AppFiles, outside: Path) -> None:
        root = write(app("shop"))
        (root / "shop/migrations/0003_out.py").symlink_to(outside / "migrations/0001_initial.py")
        (root / "shop/migrations/_helper.py").symlink_to(outside / "migrations/0001_initial.py")
        layout = discover(root, ReadOptions())
        assert keys(layout) == [("shop", "0001_initial"), ("shop", "0002_more")]
        assert layout.problems == (UnreadFile("shop/migrations/0003_out.py", "shop", "0003_out", OUTSIDE, None),)

    def test_all_files_lead_out(self, write: Write, outside: Path) -> None:
        root = write({"shop/__init__.py": ""})
        (root / "shop/migrations").mkdir()
        for name in ("__init__.py", "0001_initial.py"):
            (root / "shop/migrations" / name).symlink_to(outside / "migrations" / name)
        layout = discover(root, ReadOptions())
        assert layout.apps == ()
        assert layout.problems == (
            UnreadFile("shop/migrations/0001_initial.py", "shop", "0001_initial", OUTSIDE, None),
        )

    def test_the_folder_leads_out(self, write: Write, outside: Path) -> None:
        root = write({"shop/__init__.py": ""})
        (root / "shop/migrations").symlink_to(outside / "migrations")
        layout = discover(root, ReadOptions())
        assert layout.problems == (UnreadFile("shop/migrations", "shop", "", OUTSIDE, None),)
        assert layout.left_out == (Unread("shop/migrations", OUTSIDE),)

    def test_the_app_leads_out(self, write: Write, outside: Path) -> None:
        root = write({"a.py": ""})
        (root / "shop").symlink_to(outside)
        (root / "pictures").symlink_to(outside / "migrations")
        layout = discover(root, ReadOptions())
        assert layout.problems == (UnreadFile("shop", "shop", "", OUTSIDE, None),)

    def test_a_folder_that_cannot_be_listed(self, write: Write, app: AppFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        root = write(app("shop") | {"data/x.py": ""})
        real = os.scandir

        def scandir(path: str) -> object:
            if path.endswith(("migrations", "data")):
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        layout = discover(root, ReadOptions())
        # A database's data folder is no problem, a migrations folder is.
        assert layout.problems == (UnreadFile("shop/migrations", "shop", "", "permission denied", None),)
        assert layout.left_out == (
            Unread("data", "permission denied"),
            Unread("shop/migrations", "permission denied"),
        )

    def test_migrations_linked_within_the_root(self, write: Write, app: AppFiles) -> None:
        files = app("shop")
        moved = {name.replace("shop/migrations", "schema/shop_1"): text for name, text in files.items()}
        root = write({**moved, "shop/__init__.py": ""})
        (root / "shop/migrations").symlink_to("../schema/shop_1")
        layout = discover(root, ReadOptions())
        assert [one.path for one in layout.files] == [
            "shop/migrations/0001_initial.py",
            "shop/migrations/0002_more.py",
        ]
        assert layout.problems == ()

    def test_names_that_are_no_text(self, write: Write, app: AppFiles) -> None:
        root = write(app("shop"))
        name = os.fsdecode(b"0003_caf\xe9.py")
        try:
            (root / "shop/migrations" / name).write_text(migration())
        except OSError:
            pytest.skip("this file system wants text")
        last = discover(root, ReadOptions()).files[-1]
        assert (last.name, last.path) == ("0003_caf\ufffd", "shop/migrations/0003_caf\ufffd.py")
        assert last.file.read_text() == migration()

    @pytest.mark.parametrize("name", ["apps.py", "settings.py", "manage.py", "__init__.py"])
    @pytest.mark.parametrize(
        "content",
        [
            b"X = (",
            b"X = '\0'",
            b"\xff\xfe",
            b"# coding: nonsense\n",
            b"X = " + b"-" * 50_000 + b"1\n",
            b"from . import *\nfrom .apps import *\nfrom settings import *\nINSTALLED_APPS = []\n",
            b"class A(A): name = A\nclass B(A, B): label = B.label\ndefault_app_config = 'shop.apps.B'\n",
        ],
        ids=lambda content: repr(content[:12]),
    )
    def test_hostile_neighbours(self, write: Write, app: AppFiles, name: str, content: bytes) -> None:
        root = write(app("shop"))
        (root / "shop" / name).write_bytes(content)
        (root / name).write_bytes(content)
        layout = discover(root, ReadOptions())
        assert keys(layout) == [("shop", "0001_initial"), ("shop", "0002_more")]

    def test_what_was_not_understood_is_named(self, write: Write, app: AppFiles) -> None:
        root = write(app("shop", config="X = (") | {"settings.py": "INSTALLED_APPS = ("})
        assert [one.path for one in discover(root, ReadOptions()).left_out] == ["settings.py", "shop/apps.py"]


def test_an_installed_package(tmp_path: Path, app: AppFiles) -> None:
    packages = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    for name, text in app("shop").items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text)
    assert discover(tmp_path, ReadOptions()).apps == ()
    assert len(discover(packages, ReadOptions()).files) == 2
    assert len(discover(packages / "shop", ReadOptions()).files) == 2


def test_excluded_files_and_folders(write: Write, app: AppFiles) -> None:
    root = write(app("shop") | app("old/blog"))
    layout = discover(root, ReadOptions(exclude=("/old/", "0002_*.py")))
    assert keys(layout) == [("shop", "0001_initial")]

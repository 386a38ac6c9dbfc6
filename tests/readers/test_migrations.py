"""The Migration class itself: what counts as one, its attributes, its bases, its own methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.discovery import Layout, MigrationFile
from lint_m2m.migration import (
    UNKNOWN,
    App,
    ConditionalOperations,
    DeleteModel,
    Migration,
    MigrationKey,
    UnknownOperation,
    UnreadFile,
)
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.static import read_project

A = DeleteModel(name="A")
B = DeleteModel(name="B")


def keys(migration: Migration) -> list[tuple[str | None, str | None]]:
    return [(None if each.key is None else str(each.key), each.swappable) for each in migration.dependencies]


DEPENDENCIES = {
    "list": (
        "[('auth', '0001_initial'), ('library', '__first__')]",
        [("auth.0001_initial", None), ("library.__first__", None)],
    ),
    "tuple of lists": ("(['auth', '0001_initial'],)", [("auth.0001_initial", None)]),
    "names and concatenation": ("[('auth', FIRST)] + MORE", [("auth.0001_initial", None), ("a.b", None)]),
    "unpacking": ("[*MORE, ('auth', '__latest__')]", [("a.b", None), ("auth.__latest__", None)]),
    "swappable": ("[migrations.swappable_dependency(settings.AUTH_USER_MODEL)]", [(None, "AUTH_USER_MODEL")]),
    "swappable by keyword": ("[migrations.swappable_dependency(value=settings.X_MODEL)]", [(None, "X_MODEL")]),
    "swappable by name": ("[USER]", [(None, "AUTH_USER_MODEL")]),
    "swappable literal": ("[migrations.swappable_dependency('auth.User')]", [("auth.__first__", None)]),
    "comprehension": (
        "[(app, '0001_initial') for app in ('a', 'b')]",
        [("a.0001_initial", None), ("b.0001_initial", None)],
    ),
}


@pytest.mark.parametrize(("text", "wanted"), DEPENDENCIES.values(), ids=DEPENDENCIES)
def test_dependencies(reader, text: str, wanted: list[object]) -> None:
    head = (
        "FIRST = '0001_initial'\nMORE = [('a', 'b')]\nUSER = migrations.swappable_dependency(settings.AUTH_USER_MODEL)"
    )
    migration = reader.body(f"dependencies = {text}\n", head=head)
    assert keys(migration) == wanted
    assert migration.dependencies_complete
    assert migration.gaps == ()


def test_swappable_dependencies_of_known_models(reader) -> None:
    migration = reader.body(
        "dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]\n",
        swappable=(("AUTH_USER_MODEL", "members.Person"),),
    )
    assert keys(migration) == [("members.__first__", "AUTH_USER_MODEL")]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("dependencies = [('a', 'b'), outside.dependency()]", ["a.b"]),
        ("dependencies = [('a', 'b'), (outside.LABEL, '0001_initial')]", ["a.b"]),
        ("dependencies = [('a', 'b'), *outside.MORE]", ["a.b"]),
        ("dependencies = [('a', 'b')] + outside.MORE", ["a.b"]),
        ("dependencies = [('a', 'b')]\nif settings.X:\n    dependencies.append(('c', 'd'))", ["a.b"]),
        ("dependencies = [('a', 'b') if settings.X else ('c', 'd')]", []),
        ("dependencies = outside.ALL", []),
        ("dependencies = [('a', 'b'), ('a', 'b', 'c')]", ["a.b"]),
        ("dependencies = [('a', 'b')]\nrun_before = [outside.X]", ["a.b"]),
    ],
)
def test_incomplete_dependencies(reader, body: str, left: list[str]) -> None:
    migration = reader.body(f"{body}\n", head="import outside")
    assert [str(each.key) for each in migration.dependencies] == left
    assert not migration.dependencies_complete
    assert migration.gaps[0].unchecked == "the order of migrations"
    assert migration.gaps[0].span is not None


def test_other_attributes(reader) -> None:
    migration = reader.body(
        """
        initial = True
        atomic = False
        run_before = [("a", "0001_initial")]
        replaces = [("library", "0001_initial"), ("library", "0002_more")]
        operations = []
        """
    )
    assert migration.initial is True
    assert migration.atomic is False
    assert migration.run_before == (MigrationKey("a", "0001_initial"),)
    assert migration.replaces == (MigrationKey("library", "0001_initial"), MigrationKey("library", "0002_more"))
    assert migration.replaces_complete
    migration = reader.body("pass\n")
    assert (migration.initial, migration.atomic, migration.replaces, migration.run_before) == (None, True, (), ())
    assert (migration.operations, migration.dependencies, migration.dependencies_complete) == ((), (), True)
    migration = reader.body("initial = settings.X\natomic = settings.Y\nreplaces = [('a', 'b'), *settings.Z]\n")
    assert (migration.initial, migration.atomic, migration.replaces_complete) == (UNKNOWN, UNKNOWN, False)
    assert migration.replaces == (MigrationKey("a", "b"),)


# What counts as a migration.


MIGRATIONS = {
    "plain": """
        from django.db import migrations
        class Migration(migrations.Migration):
            operations = [migrations.DeleteModel("A")]
    """,
    "renamed import": """
        from django.db.migrations import DeleteModel, Migration as M
        class Migration(M):
            operations = [DeleteModel("A")]
    """,
    "named like its base": """
        from django.db.migrations import DeleteModel
        from django.db.migrations.migration import Migration
        class Migration(Migration):
            operations = [DeleteModel("A")]
    """,
    "base in the file": """
        from django.db import migrations as m
        class Base(m.Migration):
            operations = [m.DeleteModel("A")]
        class Migration(Base):
            pass
    """,
    "mixin": """
        from django.db import migrations as m
        class Mixin:
            operations = [m.DeleteModel("A")]
        class Migration(Mixin, m.Migration):
            pass
    """,
    "other name": """
        from django.db import migrations as m
        class Other(m.Migration):
            operations = [m.DeleteModel("A")]
        Migration = Other
    """,
    "made by a function": """
        from django.db import migrations as m
        def make(name):
            class Migration(m.Migration):
                operations = [m.DeleteModel(name)]
            return Migration
        Migration = make("A")
    """,
    "base without source": """
        from django.db import migrations
        from outside import CheckedMigration
        class Migration(CheckedMigration):
            operations = [migrations.DeleteModel("A")]
    """,
    "by version": """
        import django
        from django.db import migrations as m
        if django.VERSION >= (2, 0):
            class Migration(m.Migration):
                operations = [m.DeleteModel("A")]
        else:
            class Migration(m.Migration):
                pass
    """,
}


@pytest.mark.parametrize("source", MIGRATIONS.values(), ids=MIGRATIONS)
def test_migrations(reader, source: str) -> None:
    migration = reader(source)
    assert migration.operations == (A,)
    assert migration.gaps == ()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "from django.db import migrations\nclass Other(migrations.Migration): pass",
        "def forwards(apps, schema_editor): pass",
        "class Migration: operations = []",
        "class Migration(object): dependencies = []",
        (
            "from south.v2 import SchemaMigration\n"
            "class Migration(SchemaMigration):\n"
            "    depends_on = ()\n"
            "    def forwards(self, orm): pass"
        ),
        (
            "from south.db import db\n"
            "from outside import DataMigration\n"
            "class Migration(DataMigration):\n"
            "    def forwards(self, orm): pass"
        ),
    ],
)
def test_no_migrations(reader, source: str) -> None:
    assert reader.result(source) is None


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "from outside import Migration",
            "its Migration class is `outside.Migration`, whose source is not in the project",
        ),
        ("import outside\nMigration = outside.make()", "its Migration class is what `outside.make()` returns"),
        ("class Migration(:\n  pass", "invalid syntax"),
        ("import a\nb = a.c(d=1, e=a.c(d=1), d=2)", "keyword argument repeated: d"),
        ("import a\nclass b(a.c, d=1, d=2): pass", "keyword argument repeated: d"),
        ("import a\ndef b():\n  f g\ndef c():\n  a(d\n=1, d=2)", "keyword argument repeated: d"),
        (b"# coding: utf-8\n'\xff'", "not valid utf-8"),
        (b"# coding: klingon\n", "unknown encoding: klingon"),
        (b"a = '\x00'", None),
        ("x = " + "(" * 5000 + ")" * 5000, None),
        ("x = " + "-" * 100_000 + "1", None),
        ("x = " + "a." * 100_000 + "b", None),
    ],
)
def test_unreadable_files(reader, source: str | bytes, reason: str | None) -> None:
    result = reader.result(source)
    assert isinstance(result, UnreadFile) or (result is None and reason is None)
    if reason is not None:
        assert result == UnreadFile(
            "library/migrations/0002_test.py", "library", "0002_test", result.reason, result.span
        )
        assert result.reason == reason


def test_a_migration_of_another_file(reader) -> None:
    files = {
        "library/migrations/base.py": """
            from django.db import migrations
            class Base(migrations.Migration):
                dependencies = [("library", "0001_initial")]
                operations = [migrations.DeleteModel("A")]
            class Migration(Base):
                operations = Base.operations + [migrations.DeleteModel("B")]
        """
    }
    migration = reader("from .base import Migration", files)
    assert migration.operations == (A, B)
    assert keys(migration) == [("library.0001_initial", None)]
    assert (migration.name, migration.path) == ("0002_test", "library/migrations/0002_test.py")
    migration = reader("from .base import Base\nclass Migration(Base):\n    initial = True", files)
    assert migration.operations == (A,)
    assert migration.initial is True


def test_operations_of_a_base_without_source(reader) -> None:
    migration = reader("from outside import Base\nclass Migration(Base):\n    dependencies = [('a', 'b')]")
    [operation] = migration.operations
    assert isinstance(operation, UnknownOperation)
    assert operation.reason == "the operations come from a base class whose source is not in the project"


def test_one_of_two_classes(reader) -> None:
    migration = reader(
        """
        from django.conf import settings
        from django.db import migrations
        if settings.X:
            class Migration(migrations.Migration):
                dependencies = [("a", "b"), ("c", "d")]
                operations = [migrations.DeleteModel("A")]
        else:
            class Migration(migrations.Migration):
                dependencies = [("a", "b")]
                operations = []
        """
    )
    [operation] = migration.operations
    assert isinstance(operation, ConditionalOperations)
    assert operation.branches == ((A,), ())
    assert keys(migration) == [("a.b", None)]
    assert not migration.dependencies_complete


# Methods of its own.


def test_its_own_constructor(reader) -> None:
    migration = reader.body(
        """
        operations = [migrations.DeleteModel("A")]

        def __init__(self, name, app_label):
            super().__init__(name, app_label)
            self.operations.append(migrations.DeleteModel(name="B"))
            self.dependencies = [(app_label, "0001_initial")]
        """
    )
    assert migration.operations == (A, B)
    assert keys(migration) == [("library.0001_initial", None)]
    migration = reader.body(
        """
        operations = []

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            if settings.X:
                self.operations = [migrations.DeleteModel("A")]
        """
    )
    [operation] = migration.operations
    assert isinstance(operation, ConditionalOperations)
    assert operation.branches == ((A,), ())


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("return super().apply(state, editor, collect)", True),
        ("state = super().apply(state, editor, collect)\n    return state", True),
        ("print('x')\n    with lock():\n        return super().apply(state, editor, collect)", True),
        ("check(state)\n    return super(Migration, self).apply(state, editor)", True),
        ("if settings.X:\n        return super().apply(state, editor)\n    return state", False),
        ("if settings.X:\n        return state\n    return super().apply(state, editor)", False),
        ("return state", False),
        ("for operation in self.operations:\n        operation.state_forwards('x', state)\n    return state", False),
    ],
)
def test_its_own_apply(reader, body: str, certain: bool) -> None:
    migration = reader.body(
        f"operations = [migrations.DeleteModel('A')]\n\ndef apply(self, state, editor, collect=False):\n    {body}\n"
    )
    if certain:
        assert migration.operations == (A,)
    else:
        [operation] = migration.operations
        assert isinstance(operation, ConditionalOperations)
        assert operation.branches == ((A,), ())
        assert migration.gaps[0].reason == "its own `apply()` decides whether these operations run"


def test_newer_syntax_in_a_helper(reader) -> None:
    """The class is read, though a function beside it is not Python for this interpreter."""
    migration = reader(
        """
        from django.db import migrations

        def forwards(apps, schema_editor):
            match = = 1

        class Migration(migrations.Migration):
            operations = [migrations.DeleteModel("A"), migrations.RunPython(forwards)]
        """
    )
    first, second = migration.operations
    assert first == A
    assert second.code.opaque is not None
    assert "lines 4 to 6" in migration.gaps[0].reason or "lines 4 to 5" in migration.gaps[0].reason


# Whole projects.


def project(root: Path, files: dict[str, str]) -> Layout:
    found = []
    for path, text in sorted(files.items()):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        if "/migrations/" in path and not path.endswith("__init__.py"):
            app, _, name = path.partition("/migrations/")
            found.append(MigrationFile(app_label=app, name=name.removesuffix(".py"), path=path, place=str(root / path)))
    labels = sorted({file.app_label for file in found})
    apps = tuple(App(label=label, path=f"{label}/migrations") for label in labels)
    return Layout(root=root, apps=apps, files=tuple(found), source_roots=(root,), vendor="sqlite")


EMPTY = "from django.db import migrations\nclass Migration(migrations.Migration):\n    operations = []\n"


def test_a_project(tmp_path: Path) -> None:
    layout = project(
        tmp_path,
        {
            "library/migrations/0001_initial.py": EMPTY,
            "library/migrations/0002_broken.py": "class Migration(",
            "library/migrations/helpers.py": "def forwards(apps, schema_editor): pass",
            "versions/migrations/env.py": "from alembic import context",
            "old/migrations/0001_initial.py": (
                "from south.v2 import SchemaMigration\nclass Migration(SchemaMigration): pass"
            ),
        },
    )
    read = read_project(layout, ReadOptions(swappable=(("AUTH_USER_MODEL", "a.B"),)))
    assert [str(migration.key) for migration in read.migrations] == ["library.0001_initial"]
    assert [(file.name, file.reason) for file in read.unread] == [
        ("0002_broken", "'(' was never closed"),
        ("helpers", "it has no Migration class, so Django refuses to load any migration (BadMigrationError)"),
    ]
    assert [app.label for app in read.apps] == ["library"]
    assert read.swappable == (("AUTH_USER_MODEL", "a.B"),)
    assert read.vendor == "sqlite"


def test_a_folder_that_only_imports_the_class_is_no_app(tmp_path: Path) -> None:
    layout = project(tmp_path, {"db/migrations/loader.py": "from django.db.migrations import Migration"})
    read = read_project(layout, ReadOptions())
    assert (read.migrations, read.unread, read.apps) == ((), (), ())


def test_the_order_of_files_makes_no_difference(tmp_path: Path) -> None:
    files = {
        "library/fields.py": "from django.db import models\nclass Links(models.ManyToManyField): pass",
        "library/migrations/shared.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]\n" + EMPTY,
    }
    for number in range(4):
        files[f"library/migrations/000{number}_x.py"] = (
            "from django.db import migrations as m\nfrom library.fields import Links\nfrom .shared import OPS\n"
            "class Migration(m.Migration):\n    operations = OPS\n"
            f"    operations.append(m.AddField('Book', 'x{number}', Links('Tag')))\n"
        )
    layout = project(tmp_path, files)
    forwards = read_project(layout, ReadOptions()).migrations
    turned = Layout(root=layout.root, apps=layout.apps, files=layout.files[::-1], source_roots=layout.source_roots)
    assert forwards == read_project(turned, ReadOptions()).migrations[::-1]
    assert [len(migration.operations) for migration in forwards] == [2, 2, 2, 2, 0]

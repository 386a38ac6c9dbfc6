"""Operations that are left out of the replay: nothing that is found depends on them."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest

from lint_m2m import Config
from lint_m2m import config as configuration
from lint_m2m.engine.bystanders import without_bystanders
from lint_m2m.engine.judge import Case, replayed, wholly
from lint_m2m.engine.judging import replay_settings
from lint_m2m.engine.sources import SourceReader, TakesApart
from lint_m2m.errors import LintM2MError
from lint_m2m.graph import Graph, build
from lint_m2m.migration import Migration, MigrationKey, Operation, Project
from lint_m2m.replay.quiet import LEFT_OUT
from lint_m2m.replay.walk import ReplaySettings
from lint_m2m.rules import RULES
from tests.cache.test_unaffected import NAMES, edited, project_of
from tests.support.rule_projects import RULE_FIXTURES, projects

VENDORS = ("sqlite", "postgresql", "mysql")
IMPORTS = "from django.conf import settings\nfrom django.db import migrations, models\n\n\n"
HEAD = f"{IMPORTS}class Migration(migrations.Migration):\n"


class Read(NamedTuple):
    """A project read briefly, its graph, and how its migrations are read whole."""

    project: Project
    graph: Graph
    settings: ReplaySettings
    whole: TakesApart

    def rest(self) -> Graph:
        return without_bystanders(self.project, self.graph, self.whole)


def read(root: Path) -> Iterator[Read]:
    """Each project below `root`, and what it takes to replay it for each database."""
    config = Config()
    for readable in SourceReader().projects(root, configuration.read_options(config, root)):
        project = readable.read()
        for vendor in VENDORS:
            settings = replace(replay_settings(project, config), vendor=vendor, vendor_known=True)
            yield Read(project, build(project), settings, readable.whole)


def differences(root: Path) -> Iterator[str]:
    for one in read(root):
        case = Case(one.project, one.graph, one.settings, one.whole)
        try:
            whole = replayed(RULES, case, wholly(one.graph, one.whole))
        except LintM2MError:
            continue
        graph = one.rest()
        if operations_of(graph) != operations_of(read_whole(one)):
            yield f"{root}: briefly read, other operations are left out"
        rest = replayed(RULES, case, graph)
        if not rest.by_columns and rest.found != whole.found:
            yield f"{root} on {one.settings.vendor}: {rest.found} instead of {whole.found}"


def operations_of(graph: Graph) -> dict[MigrationKey, tuple[Operation, ...]]:
    return {key: node.operations for key, node in graph.nodes.items() if isinstance(node, Migration)}


def read_whole(one: Read) -> Graph:
    """What is left of the graph where all operations of the project were read before anything is left out."""
    project = replace(one.project, migrations=tuple(map(one.whole, one.project.migrations)))
    return without_bystanders(project, build(project))


def left_out(root: Path) -> dict[str, list[int]]:
    """The numbers of the operations that are left out, by the names of the migrations."""
    nodes = [node for node in next(read(root)).rest().nodes.values() if isinstance(node, Migration)]
    return {
        node.name: [number for number, operation in enumerate(node.operations) if operation is LEFT_OUT]
        for node in nodes
    }


@pytest.mark.parametrize("fixture", projects(RULE_FIXTURES), ids=lambda fixture: str(fixture.path.name))
def test_fixtures(fixture: object) -> None:
    assert not list(differences(fixture.path))  # type: ignore[attr-defined]


@pytest.mark.parametrize("seeds", [range(first, first + 15) for first in range(0, 60, 15)], ids=str)
def test_random_edits_of_random_histories(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        choose = random.Random(seed)
        root = project_of(seed, choose, tmp_path / str(seed))
        files = sorted(file for file in root.rglob("migrations/*.py") if file.name != "__init__.py" and file.is_file())
        for _ in range(4 if files else 0):
            file = choose.choice(files)
            try:
                text = file.read_text(encoding="utf-8")
            except (UnicodeDecodeError, PermissionError):
                continue
            names = sorted({one for pair in NAMES.findall(text) for one in pair if one}) or ["book"]
            file.write_text(edited(text, choose, names), encoding="utf-8")
        assert not list(differences(root))


TEXT = "'text', models.TextField()"
TO_TAG = "'tag', models.ForeignKey('shop.Tag', models.CASCADE)"
TO_ITEM = "'item', models.ForeignKey('shop.Item', models.CASCADE)"
OWNING = """migrations.CreateModel("Owning", [
            ("id", models.AutoField(primary_key=True)),
            ("shelf", models.ForeignKey("shop.Shelf", models.CASCADE)),
            ("tag", models.ForeignKey("shop.Tag", models.CASCADE)),
        ], options={"index_together": {("shelf", "tag")}})"""
SHELVES = """migrations.CreateModel("Shelf", [
            ("id", models.AutoField(primary_key=True)),
            ("owners", models.ManyToManyField("shop.Tag", through="shop.Owning")),
        ])"""


class _Named(ast.NodeTransformer):
    """Gives the arguments of calls the names that makemigrations gives them."""

    NAMES: ClassVar[dict[str, tuple[str, ...]]] = {
        "AddConstraint": ("model_name", "constraint"),
        "AddField": ("model_name", "name", "field"),
        "AddIndex": ("model_name", "index"),
        "AlterField": ("model_name", "name", "field"),
        "AlterIndexTogether": ("name", "index_together"),
        "AlterModelOptions": ("name", "options"),
        "AlterUniqueTogether": ("name", "unique_together"),
        "ForeignKey": ("to", "on_delete"),
        "OneToOneField": ("to", "on_delete"),
        "RemoveField": ("model_name", "name"),
    }

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        names = self.NAMES.get(node.func.attr, ()) if isinstance(node.func, ast.Attribute) else ()
        given = [ast.keyword(arg=name, value=value) for name, value in zip(names, node.args, strict=False)]
        return ast.Call(node.func, node.args[len(given) :], [*given, *node.keywords])


def as_written(*operations: str) -> list[str]:
    """The same operations in the form in which they are recognised without being taken apart."""
    return [ast.unparse(_Named().visit(ast.parse(operation.strip(), mode="eval"))) for operation in operations]


def project_with(root: Path, *operations: str) -> Path:
    """A shop with a model that has links and one that has none, and `operations` in a second migration."""
    first = """\
    operations = [
        migrations.CreateModel("Tag", [("id", models.AutoField(primary_key=True))]),
        migrations.CreateModel(
            "Item", [("id", models.AutoField(primary_key=True)), ("tags", models.ManyToManyField(to="shop.Tag"))]
        ),
        migrations.CreateModel("Owned", [("id", models.AutoField(primary_key=True)), ("rank", models.IntegerField())]),
        migrations.CreateModel("Note", [("id", models.AutoField(primary_key=True)), ("rank", models.IntegerField())]),
        migrations.AddField("Item", "owned", models.ManyToManyField(to="shop.Tag", through="shop.Owned")),
    ]
"""
    second = "".join(f"        {operation},\n" for operation in operations)
    folder = root / "shop" / "migrations"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder.parent / "__init__.py").touch()
    (folder / "0001_initial.py").write_text(HEAD + first)
    dependencies = '    dependencies = [("shop", "0001_initial")]\n'
    (folder / "0002_more.py").write_text(f"{HEAD}{dependencies}    operations = [\n{second}    ]\n")
    (root / "pyproject.toml").touch()
    return root


@pytest.mark.parametrize(
    ("operation", "out"),
    [
        ("migrations.AddField('note', 'text', models.TextField())", True),
        ("migrations.AddField('tag', 'text', models.TextField())", True),
        ("migrations.AlterField('note', 'rank', models.TextField())", True),
        ("migrations.RemoveField('note', 'rank')", True),
        ("migrations.AlterModelOptions('note', {'ordering': ['rank']})", True),
        ("migrations.AddIndex('note', models.Index(fields=['rank'], name='of_rank'))", True),
        ("migrations.AlterUniqueTogether('note', {('rank', 'id')})", True),
        ("migrations.AddField('owned', 'text', models.TextField())", False),
        ("migrations.AddIndex('owned', models.Index(fields=['rank'], name='of_rank'))", False),
        ("migrations.AlterUniqueTogether('owned', {('rank', 'id')})", False),
        ("migrations.RemoveField('item', 'tags')", False),
        ("migrations.AddField('note', 'tags', models.TextField())", False),
        ("migrations.AddField('note', 'text', models.TextField(db_column='tag'))", False),
        ("migrations.AddField('note', 'text', models.TextField(db_index=True))", False),
        ("migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))", True),
        ("migrations.AddField('tag', 'note', models.OneToOneField('shop.Note', models.CASCADE, null=True))", True),
        ("migrations.AddField('note', 'parent', models.ForeignKey('self', models.CASCADE, null=True))", True),
        ("migrations.AddField('note', 'user', models.ForeignKey('auth.User', models.CASCADE))", True),
        ("migrations.AddField('note', 'user', models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE))", True),
        ("migrations.AddField('item', 'note', models.ForeignKey('shop.Note', models.CASCADE))", True),
        ("migrations.AddField('item', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))", False),
        ("migrations.AddField('item', 'tags', models.ForeignKey('shop.Tag', models.CASCADE))", False),
        ("migrations.AddField('owned', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))", False),
        ("migrations.AddField('note', 'owned', models.ForeignKey('shop.Owned', models.CASCADE))", False),
        ("migrations.AddField('note', 'lost', models.ForeignKey('shop.Lost', models.CASCADE))", False),
        ("migrations.AddField('lost', 'note', models.ForeignKey('shop.Note', models.CASCADE))", False),
        ("migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE, db_column='t'))", False),
        ("migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE, to_field='id'))", False),
        ("migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE, db_index=False))", False),
        ("migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE, unique=True))", False),
        (
            "migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE, db_constraint=False))",
            False,
        ),
        (
            "migrations.AddField('note', 'tag', models.OneToOneField('shop.Tag', models.CASCADE, parent_link=True))",
            False,
        ),
        ("migrations.AlterField('note', 'rank', models.ForeignKey('shop.Tag', models.CASCADE))", False),
        ("migrations.AlterModelOptions('note', {'managed': False})", False),
        ("migrations.RenameModel('Note', 'Page')", False),
        ("migrations.RunSQL('SELECT 1')", False),
    ],
)
def test_what_is_left_out(operation: str, out: bool, tmp_path: Path) -> None:
    for way, written in {"short": [operation], "written": as_written(operation)}.items():
        root = project_with(tmp_path / way, *written)
        assert left_out(root)["0002_more"] == ([0] if out else [])


def test_with_an_index_of_a_name_that_another_has_all_of_the_model_stay(tmp_path: Path) -> None:
    index = "migrations.AddIndex('{}', models.Index(fields=['rank'], name='{}'))"
    root = project_with(
        tmp_path,
        index.format("note", "of_rank"),
        index.format("owned", "OF_RANK"),
        index.format("note", "alone"),
        "migrations.RemoveIndex('note', 'alone')",
        "migrations.RemoveIndex('note', 'of_rank')",
    )
    assert left_out(root)["0002_more"] == []


@pytest.mark.parametrize(
    ("operations", "out"),
    [
        # What was made by one operation is looked for by another.
        (
            (
                "migrations.AddField('note', 'text', models.TextField())",
                "migrations.AlterIndexTogether('note', {('rank', 'text')})",
                "migrations.RenameIndex('note', new_name='of_rank', old_fields=('rank', 'text'))",
            ),
            [],
        ),
        # Another column than its name says.
        (
            (
                "migrations.AddField('note', 'tag_id', models.IntegerField())",
                "migrations.RemoveField('note', 'tag_id')",
                "migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))",
            ),
            [],
        ),
        (
            (
                "migrations.AddField('note', 'text', models.TextField())",
                "migrations.AddField('note', 'other', models.TextField(db_column='text'))",
            ),
            [],
        ),
        # What becomes of a relation may depend on the unique set that it is in.
        (
            (
                "migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))",
                "migrations.AlterUniqueTogether('note', {('rank', 'tag')})",
                "migrations.AlterUniqueTogether('note', set())",
                "migrations.RemoveField('note', 'tag')",
            ),
            [],
        ),
        # One that is made for good does not.
        (
            (
                "migrations.AddField('note', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))",
                "migrations.AddField('note', 'text', models.TextField())",
                "migrations.AlterUniqueTogether('note', {('rank', 'tag'), ('text', 'rank')})",
            ),
            [0, 1, 2],
        ),
        # MariaDB removes no column of a unique set of several.
        (
            (
                "migrations.AddField('tag', 'text', models.TextField())",
                "migrations.AddField('tag', 'rank', models.IntegerField())",
                "migrations.AlterUniqueTogether('tag', {('rank', 'text')})",
                "migrations.RemoveField('tag', 'text')",
            ),
            [],
        ),
        # There is no second column of a name.
        (
            (
                "migrations.AddField('tag', 'text', models.TextField())",
                "migrations.AddField('tag', 'text', models.IntegerField())",
                "migrations.AddField('tag', 'rank', models.IntegerField())",
            ),
            [2],
        ),
        # SQLite forgets what is in `index_together` when it makes a table anew.
        (
            (
                "migrations.AlterIndexTogether('tag', {('id', 'rank')})",
                "migrations.AddField('tag', 'rank', models.TextField())",
                "migrations.RenameIndex('tag', new_name='of_rank', old_fields=('id', 'rank'))",
            ),
            [],
        ),
        # It makes indexes that are put off when it makes any table anew.
        (
            (SHELVES, OWNING, "migrations.AlterIndexTogether('owning', set())"),
            [],
        ),
        (
            (SHELVES, OWNING, f"migrations.AddField('note', {TEXT})", "migrations.AlterIndexTogether('owning', set())"),
            [],
        ),
        (
            (SHELVES, OWNING, f"migrations.AddField('note', {TEXT})", f"migrations.AddField('note', {TO_TAG})"),
            [2, 3],
        ),
        (
            (SHELVES, OWNING, f"migrations.AddField('note', {TO_TAG})", "migrations.RenameModel('Owning', 'Other')"),
            [],
        ),
        (
            (
                "migrations.AlterUniqueTogether('note', {('rank', 'id')})",
                "migrations.SeparateDatabaseAndState([migrations.AlterUniqueTogether('note', set())], [])",
            ),
            [],
        ),
    ],
)
def test_what_goes_together_stays_together(operations: tuple[str, ...], out: list[int], tmp_path: Path) -> None:
    for way, written in {"short": operations, "written": as_written(*operations)}.items():
        root = project_with(tmp_path / way, *written)
        assert left_out(root)["0002_more"] == out
        assert not list(differences(root))


def test_nothing_is_left_out_where_a_key_is_removed(tmp_path: Path) -> None:
    """Django's state has another one then, and the table has none."""
    root = project_with(tmp_path, f"migrations.AddField('note', {TEXT})", "migrations.RemoveField('tag', 'id')")
    assert left_out(root)["0002_more"] == []
    assert not list(differences(root))


@pytest.mark.parametrize(
    ("operations", "out"),
    [
        # The life of a key: made, altered, removed.
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AlterField('note', 'tag', models.ForeignKey('shop.Item', models.CASCADE, null=True))",
                "migrations.RemoveField('note', 'tag')",
            ),
            [0, 1, 2],
        ),
        (("migrations.RemoveField('note', 'tag')", f"migrations.AddField('note', {TO_TAG})"), []),
        ((f"migrations.AddField('note', {TO_TAG})", f"migrations.AddField('note', {TO_TAG})"), []),
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AlterField('note', 'tag', models.OneToOneField('shop.Tag', models.CASCADE))",
            ),
            [],
        ),
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AlterField('note', 'tag', models.ManyToManyField('shop.Tag'))",
            ),
            [],
        ),
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.RenameField('note', 'tag', 'label')",
            ),
            [],
        ),
        # Replaced by a many-to-many, or the reverse.
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.RemoveField('note', 'tag')",
                "migrations.AddField('note', 'tags', models.ManyToManyField('shop.Tag'))",
            ),
            [],
        ),
        (
            (
                "migrations.RemoveField('item', 'tags')",
                "migrations.AddField('item', 'tag', models.ForeignKey('shop.Tag', models.CASCADE))",
            ),
            [],
        ),
        # The target does not stay.
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.DeleteModel('Tag')"), []),
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.RenameModel('Tag', 'Label')"), []),
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.AlterModelTable('tag', 'labels')"), []),
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.RemoveField('tag', 'id')"), []),
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.RunSQL('DROP TABLE shop_tag')"), []),
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AlterField('tag', 'id', models.UUIDField(db_column='key', primary_key=True))",
            ),
            [],
        ),
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AlterField('tag', 'id', models.BigAutoField(primary_key=True))",
            ),
            [0],
        ),
        # It is there only later.
        (
            (
                "migrations.AddField('note', 'late', models.ForeignKey('shop.Late', models.CASCADE))",
                "migrations.CreateModel('Late', [('id', models.AutoField(primary_key=True))])",
            ),
            [],
        ),
        (
            (
                "migrations.CreateModel('Late', [('id', models.AutoField(primary_key=True))])",
                "migrations.AddField('note', 'late', models.ForeignKey('shop.Late', models.CASCADE))",
            ),
            [1],
        ),
        # Nor does the model itself.
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.DeleteModel('Note')"), []),
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.RenameModel('Note', 'Page')"), []),
        ((f"migrations.AddField('note', {TO_TAG})", "migrations.RunSQL('UPDATE shop_note SET tag_id = 1')"), []),
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.SeparateDatabaseAndState([], [migrations.RemoveField('note', 'tag')])",
            ),
            [],
        ),
        # It comes to be one that has links.
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AddField('item', 'noted', models.ManyToManyField('shop.Tag', through='shop.Note'))",
            ),
            [],
        ),
        # An index that stays needs it.
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AddIndex('note', models.Index(fields=['tag'], name='of_tag'))",
                "migrations.AddIndex('item', models.Index(fields=['id'], name='of_tag'))",
            ),
            [],
        ),
        # One that is named as Django names that of the key.
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AddIndex('item', models.Index(fields=['id'], name='shop_note_tag_id_0a1b2c3d'))",
            ),
            [1],
        ),
        # What SQLite makes anew must find the columns that all keys point at: nothing of the app is left out.
        (
            (
                f"migrations.AddField('note', {TO_TAG})",
                "migrations.AddField('tag', 'item', models.ForeignKey('shop.Item', models.CASCADE, null=True))",
                "migrations.RemoveField('item', 'id')",
                "migrations.AddField('tag', 'text', models.TextField())",
            ),
            [],
        ),
    ],
)
def test_foreign_keys(operations: tuple[str, ...], out: list[int], tmp_path: Path) -> None:
    for way, written in {"short": operations, "written": as_written(*operations)}.items():
        root = project_with(tmp_path / way, *written)
        assert left_out(root)["0002_more"] == out
        assert not list(differences(root))


@pytest.mark.parametrize(
    ("code", "out"),
    [
        ("one.save()", [0, 1]),
        ("print(one.tags.all())", [0, 1]),
        ("one.tags.add(1)", []),
        ("Owned = apps.get_model('shop', 'Owned'); Owned.objects.create(rank=1)", []),
        ("schema_editor.execute('SELECT 1')", []),
    ],
)
def test_foreign_keys_of_a_model_that_code_takes(code: str, out: list[int], tmp_path: Path) -> None:
    """With two of them its rows may be links that the code copies."""
    two = (f"migrations.AddField('note', {TO_TAG})", f"migrations.AddField('note', {TO_ITEM})")
    root = project_with(tmp_path, *two)
    file = root / "shop" / "migrations" / "0003_data.py"
    copy = (
        "def copy(apps, schema_editor):\n    Note = apps.get_model('shop', 'Note')\n"
        f"    for one in Note.objects.all():\n        {code}\n\n\n"
    )
    run = '    dependencies = [("shop", "0002_more")]\n    operations = [migrations.RunPython(copy)]\n'
    file.write_text(f"{IMPORTS}{copy}class Migration(migrations.Migration):\n{run}")
    assert left_out(root)["0002_more"] == out
    assert not list(differences(root))


def test_foreign_keys_of_a_squash_and_of_what_it_replaces(tmp_path: Path) -> None:
    root = project_with(tmp_path, f"migrations.AddField('note', {TO_TAG})")
    folder = root / "shop" / "migrations"
    first = (folder / "0001_initial.py").read_text()
    replaces = '    replaces = [("shop", "0001_initial"), ("shop", "0002_more")]\n    operations = [\n'
    last = f"        migrations.AddField('note', {TO_TAG}),\n    ]\n"
    (folder / "0001_squashed.py").write_text(
        first.replace("    operations = [\n", replaces).removesuffix("    ]\n") + last
    )
    assert left_out(root) == {"0001_initial": [], "0001_squashed": [5], "0002_more": [0]}
    assert not list(differences(root))


def test_no_foreign_key_is_left_out_where_a_file_cannot_be_read(tmp_path: Path) -> None:
    root = project_with(tmp_path, f"migrations.AddField('note', {TO_TAG})")
    (root / "shop" / "migrations" / "0003_broken.py").write_text("class Migration(:\n")
    assert left_out(root)["0002_more"] == []


def test_numbers_and_findings_stay(tmp_path: Path) -> None:
    root = project_with(
        tmp_path,
        "migrations.AddField('note', 'text', models.TextField())",
        "migrations.AlterField('item', 'tags', models.ManyToManyField(to='shop.Tag', through='shop.Owned'))",
    )
    assert left_out(root)["0002_more"] == [0]
    for one in read(root):
        rest = replayed(RULES, Case(one.project, one.graph, one.settings, one.whole), one.rest())
        assert ("MTM101", "1") in [(each.code, each.operation) for same in rest.found.values() for each in same]

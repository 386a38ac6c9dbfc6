"""Edits of plain columns: what is remembered still holds, and no edit that is more than that is taken for one."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.cache import Cache
from lint_m2m.engine import memory
from lint_m2m.engine.newcomers import is_about_rows
from lint_m2m.migration import RunSQL
from lint_m2m.readers.source import MAX_FIELDS, MAX_TOKENS
from lint_m2m.replay.sql import read_sql
from lint_m2m.replay.sql_values import Harmless
from tests.cache.test_memory import check, recalled, told
from tests.cli.projects import INITIAL, library, write
from tests.judge.histories import generate
from tests.support.rule_projects import RULE_FIXTURES, projects

FIXTURES = projects(RULE_FIXTURES)
SEEDS = 60
EDITS = 6
NAMES = re.compile(r"""(?:name|model_name)=["'](\w+)["']|^ +\(["'](\w+)["'], models""", re.MULTILINE)
OPERATION = re.compile(r"^( +)(migrations\.(?:AddField|RemoveField|AlterField)\()", re.MULTILINE)

COLUMNS = (
    "models.CharField(max_length=20)",
    "models.IntegerField(null=True)",
    "models.TextField(default='', db_index=True)",
    "models.BigAutoField(primary_key=True)",
    "models.CharField(max_length=20, db_column='book_id')",
    "models.ForeignKey(on_delete=models.CASCADE, to='library.book')",
    "models.ForeignKey({other!r}, models.CASCADE)",
    "models.ForeignKey({other!r}, models.SET_NULL, null=True, related_name='+')",
    "models.OneToOneField('self', models.CASCADE, null=True)",
)
OPERATIONS = (
    "migrations.AddField(model_name={model!r}, name={name!r}, field={field})",
    "migrations.AlterField(model_name={model!r}, name={name!r}, field={field})",
    "migrations.AddField({model!r}, {name!r}, {field})",
    "migrations.RemoveField(model_name={model!r}, name={name!r})",
    "migrations.AddIndex(model_name={model!r}, index=models.Index(fields=[{name!r}], name='some_index'))",
    "migrations.RemoveIndex(model_name={model!r}, name='some_index')",
    "migrations.AlterModelOptions(name={model!r}, options={{'verbose_name': {name!r}}})",
    "migrations.AlterUniqueTogether(name={model!r}, unique_together={{({name!r},)}})",
    "migrations.AddConstraint({model!r}, models.UniqueConstraint(fields=[{name!r}], name='pair'))",
    "migrations.AddIndex({model!r}, models.Index(fields=[{name!r}, 'note'], name='{model}_{name}'))",
    "migrations.AlterIndexTogether({model!r}, {{({name!r}, 'note')}})",
    "migrations.AlterIndexTogether({model!r}, set())",
    "migrations.RenameIndex({model!r}, new_name='{model}_other', old_fields=({name!r}, 'note'))",
    "migrations.RenameIndex({model!r}, new_name='{model}_other', old_name='{model}_{name}')",
    "migrations.AlterUniqueTogether({model!r}, {{({name!r}, 'note'), ('note', 'text')}})",
    "migrations.AddField({model!r}, '{name}_id', models.IntegerField(null=True))",
    "migrations.RemoveField({model!r}, '{name}_id')",
    "migrations.AddField({model!r}, 'note', models.IntegerField(null=True))",
    "migrations.AlterField({model!r}, 'note', models.TextField(default=''))",
    "migrations.RemoveField({model!r}, 'note')",
    "migrations.RenameField(model_name={model!r}, old_name={name!r}, new_name='other')",
    "migrations.RenameModel({model!r}, 'Other')",
    "migrations.DeleteModel({model!r})",
    "migrations.AddField({model!r}, 'reader', models.ForeignKey({other!r}, models.CASCADE, null=True))",
    "migrations.AddField({model!r}, 'reader', models.ForeignKey({other!r}, models.CASCADE))",
    "migrations.AlterField({model!r}, 'reader', models.ForeignKey({other!r}, models.CASCADE, default=1))",
    "migrations.RemoveField({model!r}, 'reader')",
    "migrations.AddField({model!r}, 'readers', models.ManyToManyField({other!r}))",
    "migrations.AlterUniqueTogether({model!r}, {{('reader', 'note')}})",
    "migrations.RunSQL('UPDATE library_{model} SET reader_id = 1')",
    "migrations.RunSQL('SELECT 1')",
    "migrations.RunSQL('DELETE FROM library_{model}')",
    "migrations.AddField({model!r}, '{fresh}', models.ManyToManyField({other!r}))",
    "migrations.AddField({model!r}, '{fresh}', models.ManyToManyField({other!r}, related_name='{fresh}_of'))",
    "migrations.AddField({model!r}, '{fresh}', models.ManyToManyField({other!r}, db_table='links'))",
    "migrations.AddField({model!r}, '{fresh}', models.ManyToManyField({other!r}, through='{fresh}'))",
    "migrations.AddField({model!r}, '{fresh}', models.ForeignKey({other!r}, models.CASCADE, null=True))",
    "migrations.AddField({model!r}, '{fresh}', models.OneToOneField({other!r}, models.CASCADE, null=True))",
    "migrations.AlterField({model!r}, '{fresh}', models.ManyToManyField({other!r}, through='{fresh}'))",
    "migrations.RemoveField({model!r}, '{fresh}')",
    "migrations.CreateModel('{fresh}', [('id', models.BigAutoField(primary_key=True))])",
    "migrations.RenameField({model!r}, '{fresh}', 'readers')",
)
FRESH = ("fresh", "fresher", "freshs", "fresh_one")


def on_both_sides(operation: str) -> str:
    return f"migrations.SeparateDatabaseAndState([{operation}], [{operation}])"


def perhaps_within(operation: str, choose: random.Random) -> str:
    return on_both_sides(operation) if choose.random() < 0.15 else operation


def configured(root: Path, choose: random.Random) -> None:
    """For SQLite, on which it counts when a table is made anew, or for any database."""
    text = '[tool.lint-m2m]\ndatabase = "sqlite"\n' if choose.random() < 0.5 else ""
    (root / "pyproject.toml").write_text(text, encoding="utf-8")


def edited(text: str, choose: random.Random, names: list[str]) -> str:
    """`text` with one more operation, one less, another comment, or another column."""
    kind = choose.randrange(5)
    if kind == 0:
        return text + choose.choice(
            ["\n# seen\n", "\n\n", "\nHELPER = 1\n", "\n# lint-m2m: ignore-file[MTM101] all is well\n"]
        )
    if kind == 1:
        return re.sub(r"max_length=\d+", f"max_length={choose.randrange(10, 99)}", text)
    if kind == 2:
        return re.sub(
            r"^( +)(migrations\.(?:AddField|RemoveField|AlterField)\()", r"\1# moved\n\1\2", text, flags=re.MULTILINE
        )
    other = choose.choice(names)
    operation = choose.choice(OPERATIONS).format(
        model=choose.choice(names),
        name=choose.choice([*names, "note", "text"]),
        field=choose.choice(COLUMNS).format(other=other),
        other=other,
        fresh=choose.choice(FRESH),
    )
    operation = perhaps_within(operation, choose)
    start = text.find("operations = [")
    if start < 0:
        return text
    if kind == 3:
        at = start + len("operations = [")
        return f"{text[:at]}\n        {operation},\n{text[at:]}"
    end = text.rfind("]")
    return f"{text[:end]}    {operation},\n    {text[end:]}"


CALM = """\
from django.db import migrations, models


def tidy(apps, schema_editor):
    apps.get_model({app!r}, {model!r}).objects.filter(note="").update(note="-")


class Migration(migrations.Migration):
    dependencies = {dependencies!r}
    operations = [
{operations}    ]
"""
CALM_MODELS = ("Book", "Author", "Shelf", "Item")
CALM_OPERATIONS = (
    "migrations.AddField({model!r}, '{name}', models.ForeignKey('{target}', models.CASCADE, null=True))",
    "migrations.AddField({model!r}, '{name}s', models.ManyToManyField('{target}'))",
    "migrations.AddField({model!r}, '{name}s', models.ManyToManyField('{target}', related_name='of_{name}'))",
    "migrations.AddField({model!r}, 'text', models.TextField(default=''))",
    "migrations.AlterField({model!r}, 'note', models.TextField(default=''))",
    "migrations.AddIndex({model!r}, models.Index(fields=['note'], name='{model}_note'))",
    "migrations.RunPython(tidy, migrations.RunPython.noop)",
)
# What leaves no room for much.
LESS_CALM = (
    "migrations.RemoveField({model!r}, '{name}s')",
    "migrations.RemoveField({model!r}, '{name}')",
    "migrations.AlterField({model!r}, '{name}s', models.ManyToManyField('{target}', db_table='links'))",
    "migrations.RenameModel({model!r}, 'Other')",
    "migrations.DeleteModel({model!r})",
    "migrations.RenameField({model!r}, '{name}s', 'fresh')",
    "migrations.RunSQL('SELECT 1')",
    "migrations.RunSQL('ALTER TABLE library_{model} RENAME TO elsewhere')",
)


def calm(choose: random.Random, root: Path) -> None:
    """Two apps of which most is as makemigrations writes it, and little of it goes wrong."""
    root.mkdir()
    configured(root, choose)
    last: dict[str, str] = {}
    for number in range(1, choose.randrange(3, 6)):
        for app, other in (("library", "shop"), ("shop", "library")):
            if number == 1:
                operations = [
                    f"migrations.CreateModel({name!r}, [('id', models.BigAutoField(primary_key=True)), "
                    f"('note', models.CharField(max_length=20))])"
                    for name in CALM_MODELS
                ]
            else:
                operations = [
                    choose.choice(LESS_CALM if choose.random() < 0.07 else CALM_OPERATIONS).format(
                        model=choose.choice(CALM_MODELS),
                        name=choose.choice(("reader", "writer", "keeper")),
                        target=f"{choose.choice((app, app, other))}.{choose.choice(CALM_MODELS)}",
                    )
                    for _ in range(choose.randrange(1, 4))
                ]
            name = f"{number:04}_step"
            operations = [perhaps_within(one, choose) if number > 1 else one for one in operations]
            text = CALM.format(
                app=app,
                model=choose.choice(CALM_MODELS),
                dependencies=[*((one, last[one]) for one in (app, other) if one in last)],
                operations="".join(f"        {one},\n" for one in operations),
            )
            write(root, {f"{app}/__init__.py": "", f"{app}/migrations/__init__.py": ""})
            write(root, {f"{app}/migrations/{name}.py": text})
            last[app] = name


def project_of(seed: int, choose: random.Random, root: Path) -> Path:
    if seed % 3 == 2:
        calm(choose, root)
        return root
    if seed % 2:
        history = generate(seed)
        history.write(root)
        configured(root, choose)
        return root
    return shutil.copytree(choose.choice(FIXTURES).path, root)


def disagreement(seed: int, folder: Path, cache: Cache) -> str | None:
    """What a remembered check says other than one that is not, after random edits of a random project."""
    choose = random.Random(seed)
    root = project_of(seed, choose, folder)
    check(root, cache)
    for _ in range(EDITS):
        files = sorted(path for path in root.rglob("migrations/*.py") if path.name != "__init__.py" and path.is_file())
        if not files:
            break
        file = choose.choice(files)
        try:
            before = file.read_text(encoding="utf-8")
        except (UnicodeDecodeError, PermissionError):
            continue
        names = sorted({one for pair in NAMES.findall(before) for one in pair if one}) or ["book"]
        after = edited(before, choose, names)
        file.write_text(after, encoding="utf-8")
        if told(check(root, cache)) != told(check(root)):
            return f"seed {seed}: {file.relative_to(folder)}\n{before}\n->\n{after}"
    return None


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(0, SEEDS, 20)], ids=str)
def test_no_edit_is_taken_for_less_than_it_is(seeds: range, tmp_path: Path) -> None:
    found = [
        text
        for seed in seeds
        if (text := disagreement(seed, tmp_path / str(seed), Cache(tmp_path / f"entries{seed}", tmp_path / "key")))
    ]
    assert not found, "\n\n".join(found)


PLAIN = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AddField("item", "note", models.CharField(max_length=20)),
        migrations.AlterModelOptions(name="item", options={"ordering": ["note"]}),
        migrations.CreateModel("Label", [("text", models.CharField(max_length=7)), ("code", models.TextField())]),
        migrations.AddField("label", "size", models.IntegerField()),
        migrations.AddIndex("label", models.Index(fields=["text", "size"], name="label_size")),
    ]
"""


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def before_all(operation: str) -> Callable[[str], str]:
    return replaced("operations = [\n", f"operations = [\n        {operation},\n")


@pytest.mark.parametrize(
    ("edit", "holds"),
    [
        (lambda text: text + "# a comment\n", True),
        (replaced('"', "'"), True),
        (replaced("CharField(max_length=20)", "TextField()"), True),
        (before_all('migrations.RemoveField("item", "x")'), True),
        (replaced("max_length=7", "max_length=8, help_text='on paper'"), True),
        (replaced("models.IntegerField()", "models.BigIntegerField(null=True)"), True),
        (replaced("models.IntegerField()", "models.IntegerField(unique=True)"), False),
        (replaced('"label", "size", ', '"label", "sizes", '), False),
        (replaced("max_length=7", "max_length=7, db_column='code'"), False),
        (replaced("max_length=7", "max_length=7, db_index=True"), False),
        (replaced('("text", models.CharField(max_length=7)), ', ""), False),
        (replaced('"text"', '"word"'), False),
        (before_all('migrations.AddIndex("item", models.Index(fields=["note"], name="i"))'), False),
        (replaced("max_length=20", "max_length=20, unique=True"), False),
        (replaced("operations = [", "atomic = False\n    operations = ["), False),
        (replaced('"0001_initial"', '"0001_gone"'), False),
        (replaced("max_length=20", "max_length=20, primary_key=True"), False),
        (replaced("models.CharField(max_length=20)", "models.ManyToManyField(to='shop.item')"), False),
        (replaced('"item", "note"', '"item", "id"'), False),
        (replaced('"item", "note"', '"authorship", "note"'), False),
        (before_all('migrations.RunSQL("DROP TABLE x")'), False),
        (lambda text: text + "# lint-m2m: ignore-file[MTM101] none\n", False),
        (lambda text: text + "        )\n", False),
    ],
)
def test_which_edits_change_nothing(
    edit: Callable[[str], str], holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    through = INITIAL.replace('to="', 'through="library.Authorship", to="')
    initial = INITIAL.replace("library", "shop").replace("Book", "Item")
    plain = "shop/migrations/0002_plain.py"
    write(
        root,
        {
            "library/migrations/0001_initial.py": through,
            "shop/migrations/0001_initial.py": initial,
            plain: PLAIN,
        },
    )
    check(root, cache)
    assert edit(PLAIN) != PLAIN
    write(root, {plain: edit(PLAIN)})
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
        # And what is remembered now is the edited file.
        check(root, cache)
        assert was == [holds, True]


CODE = """\
from django.db import migrations


def tidy(apps, schema_editor):
    apps.get_model("library", "Book").authors.through.objects.filter(pk=1).delete()


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [migrations.RunPython(tidy)]
"""


@pytest.mark.parametrize(
    ("code", "more", "holds"),
    [
        (CODE, "# seen\n", True),
        (CODE, "\n   # seen\n\n# twice\n", True),
        (CODE, "\nSEEN = 1\n", False),
        (CODE, "# seen", False),
        (CODE, "# lint-m2m: ignore-file[MTM101] none\n", False),
        (CODE, "# s\u00e9en\n", False),
        (CODE.rstrip("\n"), "# seen\n", False),
        (CODE + "# here and there \\\n", "# seen\n", False),
        ("# coding: latin-1\n" + CODE, "# seen\n", False),
        (f"# {'-' * 2_000}\n# coding: utf-7\n{CODE}", "# +AAo-SEEN = 1\n", False),
        (CODE + "# " + "-" * MAX_TOKENS + "\n", "# not f'seen'\n", False),
        (f"BRACES = '{'{' * MAX_FIELDS}{{'\n" + CODE, "# not f'seen'\n", False),
        (CODE + '"""\n', "# seen\n", False),
    ],
)
def test_comments_below_code(
    code: str, more: str, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    write(root, {"library/migrations/0002_tidy.py": code})
    check(root, cache)
    write(root, {"library/migrations/0002_tidy.py": code + more})
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
        check(root, cache)
        assert was == [holds, True]


@pytest.mark.parametrize(
    ("operation", "holds"),
    [
        ('migrations.AddField("item", "books", models.ManyToManyField("library.book"))', True),
        ('migrations.AddField("item", "books", models.ManyToManyField("library.book", related_name="of_item"))', True),
        ('migrations.AddField("item", "others", models.ManyToManyField("self"))', True),
        ('migrations.AddField("item", "readers", models.ManyToManyField("auth.user"))', True),
        ('migrations.AddField("item", "books", models.ManyToManyField("library.book", db_table="x"))', False),
        ('migrations.AddField("item", "books", models.ManyToManyField("library.book", through="x.y"))', False),
        ('migrations.AddField("item", "books", models.ManyToManyField("library.missing"))', False),
        ('migrations.AddField("missing", "books", models.ManyToManyField("library.book"))', False),
        # Names that something knows: a column, code, SQL, a table.
        ('migrations.AddField("item", "note", models.ManyToManyField("library.book"))', False),
        ('migrations.AddField("item", "told", models.ManyToManyField("library.book"))', False),
        ('migrations.AddField("item", "books", models.ManyToManyField("library.book", related_name="told"))', False),
        ('migrations.AddField("item", "written", models.ManyToManyField("library.book"))', False),
        ('migrations.AddField("item", "kept", models.ManyToManyField("library.book"))', False),
        # Removed before: one of like name may be what it has become.
        ('migrations.AddField("page", "marks", models.ManyToManyField("shop.item"))', False),
        ('migrations.AddField("item", "book", models.ForeignKey("library.book", models.CASCADE, null=True))', True),
        ('migrations.AddField("item", "book", models.OneToOneField("library.book", models.CASCADE, null=True))', True),
        (
            'migrations.AddField("item", "book", models.ForeignKey("library.book", models.CASCADE, db_column="x"))',
            False,
        ),
        # Code that takes a model with two foreign keys may copy links.
        ('migrations.AddField("page", "book", models.ForeignKey("library.book", models.CASCADE, null=True))', False),
        ("migrations.RunSQL(\"SELECT count(*) FROM shop_item WHERE note = ';'\")", True),
        ('migrations.RunSQL(["UPDATE shop_item SET note = 1;", "UPDATE library_book_authors SET book_id = 1"])', True),
        ('migrations.RunSQL("SELECT * INTO shop_item_books FROM shop_item")', False),
        ('migrations.RunSQL("DELETE FROM library_book_authors")', False),
        ('migrations.RunSQL("UPDATE shop_item SET note = 1; DROP TABLE shop_item")', False),
    ],
)
def test_what_may_come(operation: str, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    plain = "shop/migrations/0003_plain.py"
    made = (
        f'migrations.CreateModel("Item", [{KEY}])',
        f'migrations.CreateModel("Page", [{KEY}, ("marks", models.ManyToManyField("shop.item"))])',
        f'migrations.CreateModel("Keeper", [{KEY}], options={{"db_table": "shop_item_kept"}})',
        'migrations.RunSQL("CREATE INDEX i ON shop_item_written (id)", migrations.RunSQL.noop)',
        'migrations.RemoveField("page", "marks")',
    )
    head = (
        'def code(apps, editor):\n    apps.get_model("shop", "Page").objects.filter(told=1).update(told=2)\n\n\nclass '
    )
    code = migration([("shop", "0001_initial")], "migrations.RunPython(code)").replace("class ", head)
    write(
        root,
        {
            "library/migrations/0001_initial.py": INITIAL,
            "shop/migrations/0001_initial.py": migration([("library", "0001_initial")], *made),
            "shop/migrations/0002_code.py": code,
            plain: PLAIN.replace("0001_initial", "0002_code"),
        },
    )
    check(root, cache)
    write(root, {plain: before_all(operation)(PLAIN.replace("0001_initial", "0002_code"))})
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
        check(root, cache)
    assert was == [holds, True]


@pytest.mark.parametrize("vendor", ["postgresql", "mysql", "sqlite", "oracle"])
@pytest.mark.parametrize(
    ("sql", "is_so"),
    [
        ("SELECT 1", True),
        ("select setval('shop_item_id_seq', 7);", True),
        ("SELECT a.id FROM shop_item a JOIN shop_item_books b ON a.id = b.item_id WHERE x IN (SELECT y FROM z)", True),
        ("UPDATE \"shop_item\" SET note = 'DROP TABLE x' WHERE id - 1 > 2 / 3", True),
        ("UPDATE library_book_authors SET book_id = 1", True),
        ("UPDATE shop_item SET note = 1 FROM shop_other", False),
        ("UPDATE shop_item SET note = (SELECT 1)", False),
        ("SELECT * INTO shop_more FROM shop_item", False),
        ("SELECT 1; DROP TABLE shop_item", False),
        ("SELECT 1 -- one", False),
        ("INSERT INTO shop_item VALUES (1)", False),
        ("DELETE FROM shop_item", False),
        ("DO $$ BEGIN UPDATE shop_item SET note = 1; END $$", False),
    ],
)
def test_sql_about_rows(sql: str, is_so: bool, vendor: str) -> None:
    assert is_about_rows(RunSQL(sql=(sql,))) is is_so
    if is_so:
        assert all(isinstance(effect, Harmless) for effect in read_sql(sql, vendor))


def test_what_has_come_is_known_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    books = 'migrations.AddField("item", "books", models.ManyToManyField("library.book"))'
    first, second = "shop/migrations/0002_first.py", "shop/migrations/0003_second.py"
    write(
        root,
        {
            "library/migrations/0001_initial.py": INITIAL,
            "shop/migrations/0001_initial.py": INITIAL.replace("library", "shop").replace("Book", "Item"),
            first: migration([("shop", "0001_initial"), ("library", "0001_initial")]),
            second: migration([("shop", "0002_first")]),
        },
    )
    check(root, cache)
    with recalled(monkeypatch) as was:
        write(root, {first: migration([("shop", "0001_initial"), ("library", "0001_initial")], books)})
        check(root, cache)
        for operation in ('migrations.RemoveField("item", "books")', books):
            write(root, {second: migration([("shop", "0002_first")], operation)})
            assert told(check(root, cache)) == told(check(root))
    assert was == [True, False, False]


EARLY = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.DeleteModel("Authorship"),
        migrations.RemoveField("book", "authors"),
    ]
"""


def test_a_column_that_has_a_model_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A through model that is deleted before its field: what comes in between decides."""
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    field = '                ("authors", models.ManyToManyField(related_name="books", to="library.author")),\n'
    through = (
        '        migrations.CreateModel(name="Authorship", fields=['
        '("id", models.BigAutoField(primary_key=True)), ("book", models.ForeignKey("library.Book", models.CASCADE)), '
        '("author", models.ForeignKey("library.Author", models.CASCADE))]),\n'
        '        migrations.AddField("book", "authors", '
        'models.ManyToManyField(through="library.Authorship", to="library.author")),\n    ]\n'
    )
    assert field in INITIAL
    initial = through.join(INITIAL.replace(field, "").rsplit("    ]\n", 1))
    write(root, {"library/migrations/0001_initial.py": initial, "library/migrations/0002_early.py": EARLY})
    column = '        migrations.AddField("book", "note", models.IntegerField(null=True)),\n'
    check(root, cache)
    write(
        root,
        {
            "library/migrations/0002_early.py": EARLY.replace(
                "        migrations.Rem", f"{column}        migrations.Rem"
            )
        },
    )
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
    assert was == [False]
    assert [finding.code for finding in check(root).report.findings] == ["MTM105"]


def test_what_others_import_is_more_than_a_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    first = PLAIN.replace("shop", "library").replace("from django", "WHEN = True\nfrom django", 1)
    second = (
        PLAIN.replace('"shop", "0001_initial"', '"library", "0002_first"')
        .replace("from django", "from importlib import import_module\nfrom django", 1)
        .replace("operations", 'initial = import_module("library.migrations.0002_first").WHEN\n    operations')
    )
    write(root, {"library/migrations/0002_first.py": first, "library/migrations/0003_second.py": second})
    check(root, cache)
    file = root / "library/migrations/0002_first.py"
    file.write_text(file.read_text().replace("True", "False"))
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
    assert was == [False]


MADE = "migrations.CreateModel('Shelf', [('id', models.BigAutoField(primary_key=True))])"


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        # SQLite makes what is put off when it makes any table anew.
        (MADE, "migrations.AlterIndexTogether('shelf', set())", False),
        (MADE, "migrations.RenameModel('Shelf', 'Other')", False),
        (MADE, "migrations.AlterModelOptions('shelf', {})", True),
        # Since Django 5.1 it forgets an `index_together` then.
        (
            "migrations.AlterIndexTogether('item', {('id', 'note')})",
            "migrations.RenameIndex('item', new_name='i', old_fields=('id', 'note'))",
            False,
        ),
        (
            "migrations.AddIndex('item', models.Index(fields=['id'], name='i'))",
            "migrations.RemoveIndex('item', 'i')",
            True,
        ),
    ],
)
def test_a_column_for_which_sqlite_makes_a_table_anew(
    before: str, after: str, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    initial = INITIAL.replace("library", "shop").replace("Book", "Item")
    column = "migrations.AddField('item', 'text', models.TextField())"
    first, second = (
        migration([("shop", "0001_initial")], *each) for each in ((before, after), (before, column, after))
    )
    write(root, {"shop/migrations/0001_initial.py": initial, "shop/migrations/0002_more.py": first})
    check(root, cache)
    write(root, {"shop/migrations/0002_more.py": second})
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
    assert was == [holds]


ALTERED = "migrations.AlterField('item', 'text', models.TextField())"
RENAMED = "migrations.RenameModel('Shelf', 'Other')"


@pytest.mark.parametrize(
    ("then", "holds"),
    [
        ((MADE, RENAMED), True),
        ((MADE, ALTERED, RENAMED), False),
        ((on_both_sides(MADE), ALTERED, RENAMED), False),
        ((MADE, on_both_sides(ALTERED), RENAMED), False),
        ((MADE, on_both_sides(f"{ALTERED}, {RENAMED}")), False),
        ((MADE, ALTERED, "migrations.RunSQL('ALTER TABLE shop_shelf RENAME TO y')"), False),
    ],
)
def test_a_column_that_sqlite_may_have_to_alter(
    then: tuple[str, ...], holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    initial = INITIAL.replace("library", "shop").replace("Book", "Item")
    last = migration([("shop", "0002_text")], *then)
    write(root, {"shop/migrations/0001_initial.py": initial, "shop/migrations/0003_more.py": last})
    for number, column in enumerate(("models.TextField()", "models.TextField(null=True)")):
        text = migration([("shop", "0001_initial")], f"migrations.AddField('item', 'text', {column})")
        write(root, {"shop/migrations/0002_text.py": text})
        with recalled(monkeypatch) as was:
            assert told(check(root, cache)) == told(check(root))
        assert was == [bool(number) and holds]


def test_a_column_before_a_table_that_sql_renames(tmp_path: Path) -> None:
    """What SQLite puts off is made early only where it makes the other table anew: MTM106 comes and goes with that."""
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    write(root, {"pyproject.toml": '[tool.lint-m2m]\ndatabase = "sqlite"\n'})
    found = []
    for column in ("models.IntegerField()", "models.TextField()"):
        first = [f"migrations.CreateModel({name!r}, [('id', models.BigAutoField(primary_key=True))])" for name in "ab"]
        first.append(MADE.replace("Shelf", "Item").replace("[(", f"[('text', {column}), ("))
        second = [
            "migrations.AddField('a', 'links', models.ManyToManyField('shop.b'))",
            ALTERED,
            "migrations.RunSQL('ALTER TABLE shop_a_links RENAME TO y')",
        ]
        write(root, {"shop/migrations/0001_initial.py": migration([], *first)})
        write(root, {"shop/migrations/0002_more.py": migration([("shop", "0001_initial")], *second)})
        assert told(check(root, cache)) == told(check(root))
        found.append([finding.code for finding in check(root).report.findings])
    assert found[0] != found[1]


@pytest.mark.parametrize("place", [0, 2])
def test_a_column_before_or_after_all_that_waits(place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    initial = INITIAL.replace("library", "shop").replace("Book", "Item")
    operations = [MADE, "migrations.AlterIndexTogether('shelf', set())"]
    write(root, {"shop/migrations/0001_initial.py": initial})
    write(root, {"shop/migrations/0002_more.py": migration([("shop", "0001_initial")], *operations)})
    check(root, cache)
    operations.insert(place, "migrations.AddField('item', 'text', models.TextField())")
    write(root, {"shop/migrations/0002_more.py": migration([("shop", "0001_initial")], *operations)})
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == told(check(root))
    assert was == [True]


def test_many_edits_are_a_check_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    monkeypatch.setattr(memory, "_MOST_EDITED", 1)
    files = sorted(root.rglob("migrations/0001_initial.py"))
    check(root, cache)
    with recalled(monkeypatch) as was:
        for file in files[:1]:
            file.write_text(file.read_text() + "# one\n")
        check(root, cache)
        for file in files[:2]:
            file.write_text(file.read_text() + "# two\n")
        check(root, cache)
    assert was == [True, False]


KEY = '("id", models.BigAutoField(primary_key=True))'
ENDS = ", ".join(f'("{end}", models.ForeignKey("library.{end}", models.CASCADE))' for end in ("book", "author"))
HEAD = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"


def migration(dependencies: list[tuple[str, str]], *operations: str) -> str:
    lines = "".join(f"        {one},\n" for one in operations)
    return f"{HEAD}    dependencies = {dependencies!r}\n    operations = [\n{lines}    ]\n"


def in_state(*operations: str) -> str:
    return f"migrations.SeparateDatabaseAndState(state_operations=[{', '.join(operations)}])"


THROUGH_FIELD = (
    'migrations.AddField("book", "authors", models.ManyToManyField("library.Author", through="library.Authorship"))'
)


def authorship(options: str = "{}") -> str:
    return f'migrations.CreateModel("Authorship", [{KEY}, {ENDS}], options={options})'


@pytest.mark.parametrize(
    ("app", "model", "link"),
    [
        ("shop", "Item", [in_state(authorship('{"db_table": "shop_item"}'), THROUGH_FIELD)]),
        (
            "shop",
            "Item",
            [in_state(authorship(), 'migrations.AlterModelTable("Authorship", "shop_item")', THROUGH_FIELD)],
        ),
        (
            "shop",
            "Item",
            [
                'migrations.RunSQL("ALTER TABLE shop_item RENAME TO library_authorship", migrations.RunSQL.noop)',
                in_state(authorship(), THROUGH_FIELD),
            ],
        ),
        (
            "library_book",
            "Authors",
            [in_state('migrations.AddField("book", "authors", models.ManyToManyField("library.Author"))')],
        ),
    ],
    ids=["db_table", "AlterModelTable", "SQL", "another app's table"],
)
def test_a_plain_model_whose_table_is_that_of_a_link(
    app: str, model: str, link: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    plain = f"{app}/migrations/0002_plain.py"
    column = f'migrations.AddField("{model}", "%s", models.IntegerField(null=True))'
    before = migration([(app, "0001_initial")], column % "pages")
    after = migration([(app, "0001_initial")], column % "pages", column % "book_id", column % "author_id")
    write(
        root,
        {
            "library/migrations/0001_initial.py": migration(
                [], *(f'migrations.CreateModel("{name}", [{KEY}])' for name in ("Author", "Book"))
            ),
            f"{app}/__init__.py": "",
            f"{app}/migrations/__init__.py": "",
            f"{app}/migrations/0001_initial.py": migration([], f'migrations.CreateModel("{model}", [{KEY}])'),
            plain: before,
            "library/migrations/0002_link.py": migration([("library", "0001_initial"), (app, "0002_plain")], *link),
        },
    )
    expected = told(check(root, cache))
    write(root, {plain: after})
    with recalled(monkeypatch) as was:
        now = told(check(root, cache))
    assert now == told(check(root)) != expected
    assert was == [False]


def test_options_of_a_model_that_was_not_managed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    options = 'migrations.AlterModelOptions("book", {"verbose_name": "book"})'
    unmanaged = f'migrations.CreateModel("Book", [{KEY}], options={{"managed": False}})'
    field = 'migrations.AddField("book", "authors", models.ManyToManyField("library.Author"))'
    write(
        root,
        {
            "library/migrations/0001_initial.py": migration(
                [], f'migrations.CreateModel("Author", [{KEY}])', unmanaged, field
            ),
            "library/migrations/0002_options.py": migration([("library", "0001_initial")], options),
        },
    )
    expected = told(check(root, cache))
    write(root, {"library/migrations/0002_options.py": migration([("library", "0001_initial")])})
    with recalled(monkeypatch) as was:
        now = told(check(root, cache))
    assert now == told(check(root)) != expected
    assert was == [False]


def test_columns_of_a_model_that_the_state_alone_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    cache = Cache(tmp_path / "entries", tmp_path / "key")
    (root / "library/migrations/0002_authorship.py").unlink()
    links = '("authors", models.ManyToManyField("library.Author", db_table="written"))'
    only = in_state(f'migrations.CreateModel("Book", [{KEY}, {links}])')
    column = 'migrations.AddField("book", "pages", models.IntegerField(null=True))'
    write(
        root,
        {
            "library/migrations/0001_initial.py": migration([], f'migrations.CreateModel("Author", [{KEY}])', only),
            "library/migrations/0002_column.py": migration([("library", "0001_initial")]),
        },
    )
    expected = told(check(root, cache))
    write(root, {"library/migrations/0002_column.py": migration([("library", "0001_initial")], column)})
    with recalled(monkeypatch) as was:
        now = told(check(root, cache))
    assert now == told(check(root)) != expected
    assert was == [False]

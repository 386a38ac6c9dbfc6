"""Situations in which a many-to-many gets a through model."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import django

from tests.sequences.projects import AUTHOR, BOOK, Case

KEEP = ("keep-table", "rename-table")

_THROUGH = BOOK.replace('"library.Author"', '"library.Author", through="library.Authorship"')
_KEYS = """
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    author = models.ForeignKey(Author, on_delete=models.PROTECT)
"""
_MODEL = "\nclass Authorship(models.Model):\n"
_PAIR = "\n    class Meta:\n        unique_together = [('book', 'author')]\n"
PLAIN = {"library": AUTHOR + BOOK}


def after(fields: str = _KEYS, rest: str = _PAIR, through: str = _THROUGH) -> dict[str, str]:
    return {"library": AUTHOR + through + _MODEL + fields + rest}


def _comments(folder: Path) -> None:
    """Comments in the user's migration, and an operation of another model in between."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    text = text.replace("    operations = [\n", "    # What we want.\n    operations = [\n")
    text = text.replace(
        "        migrations.AlterField(\n",
        "        # Longer names.\n"
        "        migrations.AlterField(model_name='author', name='name', field=models.CharField(max_length=40)),\n"
        "        migrations.AlterField(\n",
        1,
    )
    path.write_text(text)


def _by_position(folder: Path) -> None:
    """Every argument of a migration's operations by position, as far as it can be."""
    for path in folder.glob("library/migrations/0*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                order = _POSITIONS.get(node.func.attr, ())
                named = {one.arg: one for one in node.keywords}
                leading = list(takewhile(named.__contains__, order))
                node.args += [named[name].value for name in leading]
                node.keywords = [one for one in node.keywords if one.arg not in leading]
        path.write_text(ast.unparse(tree) + "\n")


_POSITIONS = {
    "AddField": ("model_name", "name", "field"),
    "AlterField": ("model_name", "name", "field"),
    "CreateModel": ("name", "fields", "options", "bases"),
    "DeleteModel": ("name",),
    "ForeignKey": ("to", "on_delete", "related_name"),
    "ManyToManyField": ("to", "related_name"),
    "RemoveField": ("model_name", "name"),
}


def on_database(
    *, all_of_it: bool = False, state: bool = True, model: bool = True, first: Callable[[Path], None] | None = None
) -> Callable[[Path], None]:
    """The AlterField, or all of the migration, in `database_operations`, and the same in `state_operations`.

    Without `model` the real ones are the AlterField alone.
    """

    def patch(folder: Path) -> None:
        if first is not None:
            first(folder)
        path = next((folder / "library" / "migrations").glob("0002_*.py"))
        tree = ast.parse(path.read_text())
        operations = next(node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _is_list(node)).value
        assert isinstance(operations, ast.List)
        wrapped = [one for one in operations.elts if all_of_it or "AlterField(" in ast.unparse(one)]
        listed = f"[{', '.join(map(ast.unparse, wrapped))}]"
        real = [one for one in wrapped if model or "AlterField(" in ast.unparse(one)]
        both = f"[{', '.join(map(ast.unparse, real))}]" + (f", {listed}" if state else "")
        holder = ast.parse(f"migrations.SeparateDatabaseAndState({both})", mode="eval").body
        place = operations.elts.index(wrapped[0])
        operations.elts = [one for one in operations.elts if one not in wrapped]
        operations.elts.insert(place, holder)
        path.write_text(ast.unparse(tree) + "\n")

    return patch


def _is_list(node: ast.Assign) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "operations"


def in_two(*first: str, patched: Callable[[Path], None] | None = None) -> Callable[[Path], None]:
    """The operations of some kinds in a migration, those of other kinds in the next one."""

    def patch(folder: Path) -> None:
        if patched is not None:
            patched(folder)
        path = next(folder.glob("*/migrations/0002_*.py"))
        head, _, rest = path.read_text().partition("    operations = [\n")
        operations = [f"        migrations.{one}" for one in rest.split("        migrations.")[1:]]
        operations[-1] = operations[-1].removesuffix("    ]\n")
        moved = [one for one in operations if one.strip().startswith(tuple(f"migrations.{kind}(" for kind in first))]
        kept = "".join(one for one in operations if one not in moved)
        assert moved
        assert kept
        path.with_name("0002_first_change.py").write_text(f"{head}    operations = [\n{''.join(moved)}    ]\n")
        head = head.replace("0001_initial", "0002_first_change")
        path.with_name("0003_second_change.py").write_text(f"{head}    operations = [\n{kept}    ]\n")
        path.unlink()

    return patch


def _split(folder: Path) -> None:
    """The extra field, the pair and a key in operations of their own, as makemigrations does with cycles."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    path.write_text(
        """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Authorship",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("author", models.ForeignKey(on_delete=models.PROTECT, to="library.author")),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("about", models.ForeignKey(on_delete=models.CASCADE, to="library.authorship")),
            ],
        ),
        migrations.AddField("authorship", "book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
        migrations.AlterField(
            model_name="book",
            name="authors",
            field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
        ),
        migrations.AddField("authorship", "share", models.IntegerField(null=True)),
        migrations.AlterUniqueTogether(name="authorship", unique_together={("book", "author")}),
        migrations.AddIndex(model_name="authorship", index=models.Index(fields=["share"], name="share_index")),
    ]
"""
    )


def recreated(folder: Path) -> None:
    """RemoveField + AddField by hand, the way people get rid of the error."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    text = text.replace("migrations.AlterField(", "migrations.AddField(")
    text = text.replace(
        "        migrations.AddField(\n",
        "        migrations.RemoveField(model_name='book', name='authors'),\n        migrations.AddField(\n",
        1,
    )
    path.write_text(text)


def _apart(folder: Path) -> None:
    """RemoveField in a migration, all the rest in the next one."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text().replace("migrations.AlterField(", "migrations.AddField(")
    head = text[: text.index("    operations")]
    removal = "migrations.RemoveField(model_name='book', name='authors')"
    path.with_name("0002_gone_change.py").write_text(f"{head}    operations = [\n        {removal},\n    ]\n")
    path.with_name("0003_back_change.py").write_text(text.replace("0001_initial", "0002_gone_change"))
    path.unlink()


def _made_first(folder: Path) -> None:
    """The through model before the RemoveField, the AddField in the migration after that."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text().replace("migrations.AlterField(", "migrations.AddField(")
    first, last = text.index("        migrations.AddField("), text.rindex("    ]")
    removal = "        migrations.RemoveField(model_name='book', name='authors'),\n"
    path.with_name("0002_gone_change.py").write_text(text[:first] + removal + text[last:])
    head = text[: text.index("        migrations.CreateModel(")].replace("0001_initial", "0002_gone_change")
    path.with_name("0003_back_change.py").write_text(head + text[first:])
    path.unlink()


LONG = "field_whose_name_is_so_long_that_table_names_are_cut"
PERSON = """
class Person(models.Model):
    name = models.CharField(max_length=40)
    friends = models.ManyToManyField("self"{})
"""

CHECK = "check" if django.VERSION < (5, 1) else "condition"
MEMBER = """
from django.contrib.auth.base_user import AbstractBaseUser

class Member(AbstractBaseUser):
    name = models.CharField(max_length=40, unique=True)
    USERNAME_FIELD = "name"
"""
MEMBERSHIP = """
class Membership(models.Model):
    club = models.ForeignKey(Club, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
"""


def _club(arguments: str) -> str:
    return f"""
class Club(models.Model):
    name = models.CharField(max_length=40)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL{arguments})
"""


KEPT = (
    Case("plain", PLAIN, after(), sequences=KEEP),
    Case("formatted", PLAIN, after(), shown=("rewrite-history",), sequences=KEEP, formatted=True),
    Case(
        "arguments by position",
        PLAIN,
        after(
            _KEYS.replace("PROTECT)", "PROTECT, related_name='+', null=True)")
            + "    note = models.TextField('n', null=True)\n",
            """
    class Meta:
        ordering = ["book"]
        indexes = [models.Index(fields=["note"], name="note_index")]
""",
        ),
        shown=("rewrite-history",),
        sequences=KEEP,
        patch=_by_position,
    ),
    Case("on the database", PLAIN, after(), sequences=KEEP, patch=on_database(), shown=("rewrite-history",)),
    Case("on the database alone", PLAIN, after(), sequences=KEEP, patch=on_database(state=False)),
    Case(
        "all on the database",
        PLAIN,
        after(_KEYS + "    share = models.IntegerField(null=True)\n"),
        sequences=KEEP,
        patch=on_database(all_of_it=True),
        formatted=True,
    ),
    Case(
        "model in the state, alteration on the database",
        PLAIN,
        after(),
        sequences=KEEP,
        patch=on_database(all_of_it=True, model=False),
    ),
    Case(
        "others on the database as well",
        PLAIN,
        after(),
        sequences=KEEP,
        patch=on_database(all_of_it=True, first=_comments),
    ),
    Case("no pair declared", PLAIN, after(rest=""), sequences=KEEP, formatted=True),
    Case(
        "named constraint",
        PLAIN,
        after(
            rest="""
    class Meta:
        ordering = ["book"]
        constraints = [models.UniqueConstraint(fields=["book", "author"], name="one_author_once")]
"""
        ),
        shown=("rewrite-history",),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "extra fields of all kinds",
        PLAIN,
        after(
            _KEYS
            + """
    position = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=80, blank=True)
    share = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    since = models.DateField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    editor = models.ForeignKey(Author, null=True, on_delete=models.SET_NULL, related_name="edited")
    languages = models.JSONField(default=dict)
"""
        ),
        shown=("rewrite-history",),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "required field",
        PLAIN,
        after(_KEYS + "    role = models.CharField(max_length=20)\n    weight = models.IntegerField()\n"),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "other names of keys",
        PLAIN,
        after(
            """
    work = models.ForeignKey(Book, on_delete=models.CASCADE)
    writer = models.ForeignKey(Author, on_delete=models.CASCADE)
""",
            "\n    class Meta:\n        unique_together = [('writer', 'work')]\n",
        ),
        shown=("rewrite-history",),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "columns of their own",
        PLAIN,
        after(
            """
    book = models.ForeignKey(Book, on_delete=models.CASCADE, db_column="work", db_index=False)
    author = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True)
"""
        ),
        shown=("rewrite-history",),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "wanted table",
        PLAIN,
        after(
            rest="\n    class Meta:\n        db_table = 'who_wrote'\n        unique_together = [('book', 'author')]\n"
        ),
        sequences=KEEP,
    ),
    Case(
        "table pinned already",
        PLAIN,
        after(rest=_PAIR + "        db_table = 'library_book_authors'\n"),
        sequences=("keep-table",),
    ),
    Case(
        "table has the right name by itself",
        PLAIN,
        {
            "library": AUTHOR
            + _THROUGH.replace("library.Authorship", "library.Book_Authors")
            + "\nclass Book_Authors(models.Model):\n"
            + _KEYS
            + _PAIR
        },
        sequences=("keep-table",),
    ),
    Case(
        "more sets and indexes",
        PLAIN,
        after(
            _KEYS + "    position = models.IntegerField(null=True)\n",
            """
    class Meta:
        verbose_name = "authorship"
        unique_together = [("book", "author"), ("book", "position")]
        indexes = [models.Index(fields=["position"], name="position_index")]
        order_with_respect_to = "book"
""",
        ),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "self",
        {"people": PERSON.format("")},
        {
            "people": PERSON.format(', through="people.Friendship"')
            + """
class Friendship(models.Model):
    one = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    since = models.IntegerField(null=True)
"""
        },
        ("people", "person", "friends"),
        shown=("rewrite-history",),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "through fields",
        PLAIN,
        after(
            """
    editor = models.ForeignKey(Author, null=True, on_delete=models.SET_NULL, related_name="edited")
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
""",
            through=_THROUGH.replace('Authorship"', "Authorship\", through_fields=('book', 'author')"),
        ),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "swapped user",
        {
            "accounts": MEMBER,
            "clubs": _club(""),
        },
        {
            "clubs": """
class Club(models.Model):
    name = models.CharField(max_length=40)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="clubs.Membership")

class Membership(models.Model):
    club = models.ForeignKey(Club, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    rank = models.IntegerField(default=1)
""",
        },
        ("clubs", "club", "members"),
        shown=("rewrite-history",),
        sequences=KEEP,
        settings={"AUTH_USER_MODEL": "accounts.Member"},
        formatted=True,
    ),
    Case(
        "models of one name",
        {
            "shop": "class Item(models.Model):\n    name = models.CharField(max_length=9)\n",
            "store": (
                "class Item(models.Model):\n    name = models.CharField(max_length=9)\n"
                '    same = models.ManyToManyField("shop.Item")\n'
            ),
        },
        {
            "store": (
                "class Item(models.Model):\n    name = models.CharField(max_length=9)\n"
                '    same = models.ManyToManyField("shop.Item", through="Same")\n\n'
                "class Same(models.Model):\n    mine = models.ForeignKey(Item, on_delete=models.CASCADE)\n"
                '    theirs = models.ForeignKey("shop.Item", on_delete=models.CASCADE)\n'
            ),
        },
        ("store", "item", "same"),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "long names",
        {"library": AUTHOR + BOOK.replace("authors = ", f"{LONG} = ")},
        after(through=_THROUGH.replace("authors = ", f"{LONG} = ")),
        ("library", "book", LONG),
        shown=("rewrite-history",),
        sequences=KEEP,
        formatted=True,
    ),
    Case(
        "mixed case",
        {"library": (AUTHOR + BOOK.replace("authors = ", "theAuthors = ")).replace("class Book", "class bOOk")},
        {
            app: source.replace("class Book", "class bOOk").replace("ForeignKey(Book", "ForeignKey(bOOk")
            for app, source in after(through=_THROUGH.replace("authors = ", "theAuthors = ")).items()
        },
        ("library", "book", "theAuthors"),
        shown=("rewrite-history",),
        sequences=KEEP,
    ),
    Case(
        "key of another size",
        PLAIN,
        after("    id = models.BigAutoField(primary_key=True)\n" + _KEYS),
        sequences=KEEP,
        settings={"INSTALLED_APPS": ["library"], "DEFAULT_AUTO_FIELD": "django.db.models.AutoField"},
    ),
    Case("comments and others' operations", PLAIN, after(), sequences=KEEP, patch=_comments),
    Case(
        "split operations",
        PLAIN,
        {
            "library": AUTHOR
            + _THROUGH
            + _MODEL
            + _KEYS
            + "    share = models.IntegerField(null=True)\n"
            + _PAIR
            + "        indexes = [models.Index(fields=['share'], name='share_index')]\n"
            + "\nclass Note(models.Model):\n    about = models.ForeignKey(Authorship, on_delete=models.CASCADE)\n"
        },
        sequences=KEEP,
        patch=_split,
    ),
    Case(
        "recreated without a through model",
        PLAIN,
        {"library": AUTHOR + BOOK.replace('"books"', '"books", blank=True, db_table="writers"')},
        sequences=KEEP[:1],
        patch=recreated,
        formatted=True,
    ),
    Case("recreated", PLAIN, after(), sequences=KEEP[::-1], patch=recreated),
    Case("recreated later", PLAIN, after(), sequences=KEEP[::-1], patch=_apart, formatted=True),
    Case(
        "recreated later without a through model",
        PLAIN,
        {"library": AUTHOR + BOOK.replace('"books"', '"books", blank=True, db_table="writers"')},
        sequences=KEEP[:1],
        patch=_apart,
    ),
    Case(
        "table of the field's own",
        {"library": AUTHOR + BOOK.replace('"books"', '"books", db_table="writers"')},
        after(),
        shown=("rewrite-history",),
        sequences=KEEP,
    ),
    Case(
        "reverse name changes",
        PLAIN,
        after(through=_THROUGH.replace('"books"', '"works"')),
        sequences=KEEP,
        remaining=dict.fromkeys(KEEP, frozenset({"MTM403"})),
    ),
)


COPIED = ("copy-rows", "expand-contract", "temporary-field")


_ENTRY = """
class Entry(models.Model):
    made = models.DateTimeField(auto_now_add=True)
"""


def own_life(fields: str = "", rest: str = "", field: str = "") -> dict[str, dict[str, str]]:
    """Models before and after, with a through model that is there before."""
    before = AUTHOR + BOOK.replace("authors = ", f"{field or 'authors'} = ")
    after = AUTHOR + _THROUGH.replace("authors = ", f"{field or 'authors'} = ")
    model = _MODEL + _KEYS + fields + rest
    return {"before": {"library": before + model}, "after": {"library": after + model}}


def _in_another_app(app: str) -> dict[str, dict[str, str]]:
    model = """
class Authorship(models.Model):
    book = models.ForeignKey("library.Book", on_delete=models.CASCADE)
    author = models.ForeignKey("library.Author", on_delete=models.CASCADE)
"""
    through = _THROUGH.replace("library.Authorship", f"{app}.Authorship")
    return {"before": {"library": AUTHOR + BOOK, app: model}, "after": {"library": AUTHOR + through}}


COPYING = (
    Case("own life", **own_life(), sequences=COPIED),
    Case("own life on the database", **own_life(), sequences=COPIED, patch=on_database(), formatted=True),
    Case("own life by position", **own_life(), sequences=COPIED, patch=_by_position),
    Case("own life formatted", **own_life(), sequences=COPIED, formatted=True),
    Case(
        "own life with more fields",
        **own_life(
            """
    position = models.IntegerField(default=0)
    note = models.CharField(max_length=20, blank=True)
    since = models.DateTimeField(auto_now_add=True)
    editor = models.ForeignKey(Author, null=True, on_delete=models.SET_NULL, related_name="edited")
""",
            """
    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["book", "author"], name="one_author_once")]
""",
        ),
        sequences=COPIED,
        formatted=True,
    ),
    Case("own life in another app", **_in_another_app("staff"), sequences=COPIED, formatted=True),
    Case("own life in an app before", **_in_another_app("a_staff"), sequences=COPIED, formatted=True),
    Case("own life recreated", **own_life(), sequences=COPIED, patch=recreated),
    Case("own life recreated later", **own_life(), sequences=COPIED, patch=_apart),
    Case("through model made, then recreated", PLAIN, after(), sequences=COPIED, patch=_made_first, formatted=True),
    Case(
        "own life long names", **own_life(field=LONG), field=("library", "book", LONG), sequences=COPIED, formatted=True
    ),
    Case("required field of its own", **own_life("    role = models.IntegerField()\n"), sequences=()),
    Case(
        "own life self",
        before={
            "people": PERSON.format("")
            + """
class Friendship(models.Model):
    one = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_column="first")
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", null=True)
"""
        },
        after={
            "people": PERSON.format(', through="people.Friendship"')
            + """
class Friendship(models.Model):
    one = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_column="first")
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", null=True)
"""
        },
        field=("people", "person", "friends"),
        sequences=COPIED,
        formatted=True,
    ),
    Case(
        "key is a UUID",
        PLAIN,
        after("    id = models.UUIDField(primary_key=True, default=uuid.uuid4)\n" + _KEYS),
        sequences=COPIED,
        formatted=True,
    ),
    Case(
        "inherits from a model",
        {
            "library": AUTHOR
            + BOOK
            + "\nclass Entry(models.Model):\n    made = models.DateTimeField(auto_now_add=True)\n"
        },
        {"library": AUTHOR + _THROUGH + _ENTRY + "\nclass Authorship(Entry):\n" + _KEYS},
        sequences=COPIED,
    ),
)


DROPPED = ("drop-through-keep-table", "drop-through-rename-table")


def _deleted_between(folder: Path) -> None:
    """RemoveField, DeleteModel, AddField."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    head = path.read_text().partition("    operations = [\n")[0]
    path.write_text(
        f"{head}    operations = [\n"
        "        migrations.RemoveField(model_name='book', name='authors'),\n"
        "        migrations.DeleteModel(name='Authorship'),\n"
        "        migrations.AddField(\n"
        "            model_name='book',\n"
        "            name='authors',\n"
        "            field=models.ManyToManyField(related_name='books', to='library.author'),\n"
        "        ),\n    ]\n"
    )


REMOVED = (
    Case("removed", after(), PLAIN, sequences=DROPPED),
    Case("removed on the database", after(), PLAIN, sequences=DROPPED, patch=on_database()),
    Case("all removed on the database", after(), PLAIN, sequences=DROPPED, patch=on_database(all_of_it=True)),
    Case("removed by position", after(), PLAIN, sequences=DROPPED, patch=_by_position),
    Case("removed formatted", after(), PLAIN, sequences=DROPPED, formatted=True),
    Case("removed without a pair", after(rest=""), PLAIN, sequences=DROPPED, formatted=True, twice=True),
    Case("removed and added", after(), PLAIN, sequences=DROPPED[::-1], patch=recreated),
    Case("removed, deleted and added", after(), PLAIN, sequences=DROPPED[::-1], patch=_deleted_between, formatted=True),
    Case("deleted, then removed", after(), PLAIN, sequences=DROPPED, patch=in_two("DeleteModel"), formatted=True),
    Case(
        "removed and deleted, added later",
        after(),
        PLAIN,
        sequences=DROPPED[::-1],
        patch=in_two("RemoveField", "DeleteModel", patched=recreated),
        formatted=True,
    ),
    Case("removed and added later", after(), PLAIN, sequences=DROPPED[::-1], patch=_apart, formatted=True),
    Case(
        "removed with a named constraint",
        after(
            rest="""
    class Meta:
        ordering = ["book"]
        constraints = [models.UniqueConstraint(fields=["book", "author"], name="one_author_once")]
"""
        ),
        PLAIN,
        sequences=DROPPED,
        formatted=True,
    ),
    Case(
        "removed with other keys",
        after(
            """
    writer = models.ForeignKey(Author, on_delete=models.SET_NULL, null=True, db_index=False)
    work = models.ForeignKey(Book, on_delete=models.CASCADE, db_column="opus", db_constraint=False)
""",
            "\n    class Meta:\n        unique_together = [('writer', 'work')]\n",
        ),
        PLAIN,
        sequences=DROPPED,
        formatted=True,
    ),
    Case(
        "removed table has the automatic name",
        after(rest=_PAIR + "        db_table = 'library_book_authors'\n"),
        PLAIN,
        sequences=DROPPED[:1],
    ),
    Case(
        "removed with a table of the field's own",
        after(),
        {"library": AUTHOR + BOOK.replace('"books"', '"books", db_table="writers"')},
        sequences=DROPPED,
    ),
    Case(
        "removed with more fields",
        after(
            _KEYS
            + """
    note = models.CharField(max_length=20, default="x")
    editor = models.ForeignKey(Author, null=True, on_delete=models.SET_NULL, related_name="edited")
""",
            """
    class Meta:
        unique_together = [("book", "author"), ("book", "author", "note")]
        indexes = [models.Index(fields=["note"], name="note_index")]
        constraints = [models.CheckConstraint(CHECK=models.Q(note__gt=""), name="has_note")]
        order_with_respect_to = "book"
""".replace("CHECK", CHECK),
        ),
        PLAIN,
        formatted=True,
    ),
    Case(
        "removed self",
        {
            "people": PERSON.format(', through="people.Friendship"')
            + """
class Friendship(models.Model):
    one = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
"""
        },
        {"people": PERSON.format("")},
        ("people", "person", "friends"),
        sequences=DROPPED,
        formatted=True,
    ),
    Case(
        "removed swapped user",
        {"accounts": MEMBER, "clubs": _club(', through="clubs.Membership"') + MEMBERSHIP},
        {"clubs": _club("")},
        ("clubs", "club", "members"),
        sequences=DROPPED,
        settings={"AUTH_USER_MODEL": "accounts.Member"},
        formatted=True,
    ),
    Case(
        "removed long names",
        after(through=_THROUGH.replace("authors = ", f"{LONG} = ")),
        {"library": AUTHOR + BOOK.replace("authors = ", f"{LONG} = ")},
        ("library", "book", LONG),
        sequences=DROPPED,
        formatted=True,
    ),
)


def through(name: str, fields: str = _KEYS, rest: str = _PAIR) -> str:
    return _MODEL.replace("Authorship", name) + fields + rest


def via(name: str, *models: str, arguments: str = "") -> dict[str, str]:
    """The library with `authors` through the model of that name, and these models."""
    field = _THROUGH.replace('Authorship"', f'{name}"{arguments}')
    return {"library": AUTHOR + field + "".join(models)}


_NOTE = "    note = models.CharField(max_length=20, default='x')\n"
_AGAIN = "\n    class Meta:\n        db_table = 'who_wrote'\n        ordering = ['pk']\n"
_NAMED = """
    class Meta:
        constraints = [models.UniqueConstraint(fields=["work", "writer"], name="once")]
        indexes = [models.Index(fields=["note"], name="note_index")]
"""
_OTHER_KEYS = """
    work = models.ForeignKey(Book, on_delete=models.CASCADE)
    writer = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="+")
"""
_OTHER_PAIR = "\n    class Meta:\n        unique_together = [('work', 'writer')]\n"


def _deleted_last(folder: Path) -> None:
    """Django 4.2 deletes the old model first, later versions do it like this."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    deletion = "        migrations.DeleteModel(\n            name='Authorship',\n        ),\n"
    if deletion in text:
        path.write_text(text.replace(deletion, "").removesuffix("    ]\n") + deletion + "    ]\n")


def _deleted_first(folder: Path) -> None:
    """The deletion of the old model before all else, as Django 4.2 may write it."""
    _deleted_last(folder)
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    start = text.index("        migrations.DeleteModel(")
    head, rest = text[:start].split("    operations = [\n")
    deletion = "        migrations.DeleteModel(\n            name='Authorship',\n        ),\n"
    assert text[start:] == f"{deletion}    ]\n"
    path.write_text(f"{head}    operations = [\n{deletion}{rest}    ]\n")


def _removed_and_deleted_first(folder: Path) -> None:
    """RemoveField and DeleteModel, then all the rest."""
    _deleted_first(folder)
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text().replace("migrations.AlterField(", "migrations.AddField(")
    removal = "        migrations.RemoveField(model_name='book', name='authors'),\n"
    path.write_text(text.replace("    operations = [\n", f"    operations = [\n{removal}"))


def _deleted_last_by_position(folder: Path) -> None:
    _deleted_last(folder)
    _by_position(folder)


def removed_first(folder: Path) -> None:
    """RemoveField and AddField in the place of the AlterField."""
    _deleted_last(folder)
    recreated(folder)


def _removed_long_before(folder: Path) -> None:
    _deleted_last(folder)
    _apart(folder)


RENAMED = ("rename-through",)
BETWEEN = ("copy-between-throughs",)


def _to_one_of_old(name: str, patch: Callable[[Path], None]) -> Case:
    """To a model that is there already, of another shape; either may hold a pair several times."""
    return Case(
        name,
        via("Authorship", through("Authorship", rest=""), through("Writing", _OTHER_KEYS + _NOTE, "")),
        via("Writing", through("Writing", _OTHER_KEYS + _NOTE, "")),
        sequences=BETWEEN,
        patch=patch,
        formatted=True,
        twice=True,
    )


SWAPPED = (
    Case(
        "swapped",
        via("Authorship", through("Authorship")),
        via("Writing", through("Writing")),
        sequences=RENAMED,
        patch=_deleted_last,
    ),
    Case(
        "swapped by position",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via("Writing", through("Writing", _OTHER_KEYS + _NOTE, _OTHER_PAIR)),
        sequences=RENAMED,
        patch=_deleted_last_by_position,
    ),
    Case(
        "swapped and removed first",
        via("Authorship", through("Authorship")),
        via("Writing", through("Writing")),
        sequences=RENAMED,
        patch=removed_first,
    ),
    Case(
        "swapped, removed long before",
        via("Authorship", through("Authorship")),
        via("Writing", through("Writing")),
        sequences=RENAMED,
        patch=_removed_long_before,
    ),
    Case(
        "swapped, removed and deleted long before",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via("Writing", through("Writing", _OTHER_KEYS + _NOTE, _OTHER_PAIR)),
        sequences=RENAMED,
        patch=in_two("RemoveField", "DeleteModel", patched=removed_first),
        formatted=True,
    ),
    Case(
        "swapped, deleted long before",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via("Writing", through("Writing", _OTHER_KEYS + _NOTE, _OTHER_PAIR)),
        sequences=RENAMED,
        patch=in_two("DeleteModel"),
    ),
    Case(
        "swapped a migration after the new model",
        via("Authorship", through("Authorship", rest="")),
        via("Writing", through("Writing", _OTHER_KEYS + _NOTE, "")),
        sequences=BETWEEN,
        patch=in_two("CreateModel", "DeleteModel"),
        twice=True,
    ),
    _to_one_of_old(
        "copied, removed and deleted long before", in_two("RemoveField", "DeleteModel", patched=removed_first)
    ),
    Case(
        "swapped after the deletion",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via("Writing", through("Writing", _OTHER_KEYS + _NOTE, _OTHER_PAIR)),
        sequences=RENAMED,
        patch=_deleted_first,
        formatted=True,
    ),
    Case(
        "swapped, removed and deleted first",
        via("Authorship", through("Authorship")),
        via("Writing", through("Writing")),
        sequences=RENAMED,
        patch=_removed_and_deleted_first,
    ),
    _to_one_of_old("copied before the deletion", _deleted_first),
    Case(
        "swapped with changes",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via(
            "Writing",
            through(
                "Writing",
                _OTHER_KEYS + _NOTE.replace("20", "40") + "    rank = models.IntegerField(default=1)\n",
                _NAMED,
            ),
            arguments=', through_fields=("work", "writer")',
        ),
        sequences=RENAMED,
        patch=_deleted_last,
        formatted=True,
    ),
    Case(
        "swapped with a table of its own",
        via("Authorship", through("Authorship", rest=_AGAIN)),
        via("Writing", through("Writing", _KEYS + "    role = models.CharField(max_length=9)\n")),
        sequences=RENAMED,
        patch=_deleted_last,
        formatted=True,
    ),
    Case(
        "swapped to a table of its own",
        via("Authorship", through("Authorship")),
        via("Writing", through("Writing", rest=_AGAIN)),
        sequences=RENAMED,
        patch=_deleted_last,
        formatted=True,
    ),
    Case(
        "swapped and kept",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via("Writing", through("Authorship", _KEYS + _NOTE), through("Writing", _KEYS + _NOTE)),
        sequences=BETWEEN,
        patch=_deleted_last,
        formatted=True,
    ),
    Case(
        "swapped to one of old",
        via("Authorship", through("Authorship"), through("Writing", _OTHER_KEYS + _NOTE, "")),
        via("Writing", through("Authorship"), through("Writing", _OTHER_KEYS + _NOTE, "")),
        sequences=BETWEEN,
        patch=_deleted_last,
    ),
    _to_one_of_old("swapped to one of old and dropped", _deleted_last),
    Case(
        "swapped and another key",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via(
            "Writing",
            through("Writing", "    id = models.UUIDField(primary_key=True, default=uuid.uuid4)\n" + _KEYS + _NOTE),
        ),
        sequences=BETWEEN,
        patch=_deleted_last,
        formatted=True,
    ),
    Case(
        "swapped and losing",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        via("Writing", through("Writing")),
        shown=BETWEEN,
        patch=_deleted_last,
    ),
)


CATEGORY = "class Category(models.Model):\n    name = models.CharField(max_length=9)\n"


def post(field: str) -> dict[str, str]:
    return {"blog": f"{CATEGORY}\nclass Post(models.Model):\n    title = models.CharField(max_length=9)\n    {field}\n"}


def _by_alter_field(folder: Path) -> None:
    """One AlterField, as people write it who shorten what makemigrations wrote."""
    path = next((folder / "blog" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    start = text.index("        migrations.RemoveField(")
    text = text[:start] + text[text.index("        migrations.AddField(") :]
    path.write_text(text.replace("AddField", "AlterField"))


_REMOVED_THEN_ADDED = in_two("RemoveField")
_ADDED_THEN_REMOVED = in_two("AddField")
_FILED = "category = models.ManyToManyField(Category, through='blog.Filing', related_name='posts')"
_FILING = """
class Filing(models.Model):
    post = models.ForeignKey(Post, on_delete=models.CASCADE, db_column="what")
    category = models.ForeignKey(Category, on_delete=models.CASCADE)
"""


def filed(fields: str, field: str = "") -> dict[str, str]:
    """Posts whose categories go through a model with further fields."""
    return {"blog": post(field or _FILED)["blog"] + _FILING + fields}


_KEY = "category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name='posts')"
_NULLABLE = "category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, db_column='cat')"
_MANY = "category = models.ManyToManyField(Category, related_name='posts')"
_MANIES = "categories = models.ManyToManyField(Category)"
_POST = ("blog", "post", "category")
THEN = ("copy-then-remove",)

REPLACED = (
    Case("key to many", post(_KEY), post(_MANY), _POST, sequences=THEN, single=True),
    Case("key to many formatted", post(_KEY), post(_MANY), _POST, sequences=THEN, formatted=True, single=True),
    Case(
        "key to many of another name",
        post(_KEY),
        post(_MANIES),
        ("blog", "post", "categories"),
        sequences=THEN,
        formatted=True,
        was="category",
        single=True,
    ),
    Case("key that may be null to many", post(_NULLABLE), post(_MANY), _POST, sequences=THEN, single=True),
    Case("key altered to many", post(_KEY), post(_MANY), _POST, sequences=THEN, patch=_by_alter_field, single=True),
    Case(
        "key to many later",
        post(_KEY),
        post(_MANY),
        _POST,
        sequences=THEN,
        patch=_REMOVED_THEN_ADDED,
        formatted=True,
        single=True,
    ),
    Case(
        "key to many of another name later",
        post(_NULLABLE),
        post(_MANIES),
        ("blog", "post", "categories"),
        sequences=THEN,
        patch=_REMOVED_THEN_ADDED,
        was="category",
        single=True,
    ),
    Case(
        "many beside key, which goes later",
        post(_KEY),
        post(_MANIES),
        ("blog", "post", "categories"),
        sequences=THEN,
        patch=_ADDED_THEN_REMOVED,
        formatted=True,
        was="category",
        single=True,
    ),
    Case("key to many through", post(_KEY), filed(_NOTE), _POST, sequences=THEN, formatted=True, single=True),
    Case(
        "key to many through later",
        post(_NULLABLE),
        filed("", _FILED.replace("category =", "categories =")),
        ("blog", "post", "categories"),
        sequences=THEN,
        patch=_REMOVED_THEN_ADDED,
        was="category",
        single=True,
    ),
    Case("key to many through, value wanted", post(_KEY), filed("    rank = models.IntegerField()\n"), _POST),
    Case(
        "many to key later",
        post(_MANY),
        post(_NULLABLE),
        _POST,
        shown=THEN,
        patch=_REMOVED_THEN_ADDED,
        single=True,
    ),
    Case(
        "key beside many, which goes later",
        post(_MANIES),
        post(_NULLABLE),
        _POST,
        shown=THEN,
        patch=_ADDED_THEN_REMOVED,
        was="categories",
        reported="categories",
        single=True,
    ),
    Case("many to key", post(_MANY), post(_NULLABLE), _POST, shown=THEN, single=True),
    Case("many to key altered", post(_MANY), post(_NULLABLE), _POST, shown=THEN, patch=_by_alter_field, single=True),
    Case(
        "many to key of another name",
        post(_MANIES),
        post(_NULLABLE),
        _POST,
        shown=THEN,
        formatted=True,
        was="categories",
        reported="categories",
        single=True,
    ),
)


FIX = ("fix-state",)
_RECIPE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Authorship",
                    fields=[
                        ("id", models.KEY(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        FIELDS
                    ],
                    options={OPTIONS},
                ),
                migrations.AlterField(
                    model_name="book",
                    name="authors",
                    field=models.ManyToManyField(
                        related_name="books", through="library.Authorship", to="library.author"
                    ),
                ),
            ],
        ),
        REAL
    ]
"""
_BOOK_KEY = '("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),'
_AUTHOR_KEY = '("author", models.ForeignKey(on_delete=models.PROTECT, to="library.author")),'
_SHARE = "    share = models.IntegerField(null=True)\n"
_TABLE = '"db_table": "library_book_authors"'
_UNIQUE = '"unique_together": {("book", "author")}'


_KEPT_TABLE = "        db_table = 'library_book_authors'\n"


def recipe(
    options: str, fields: str = _BOOK_KEY + _AUTHOR_KEY, real: str = "", key: str = "BigAutoField", later: str = ""
) -> Callable[[Path], None]:
    """The second migration as a state-only recipe, and perhaps a third one."""

    def patch(folder: Path) -> None:
        path = next((folder / "library" / "migrations").glob("0002_*.py"))
        text = _RECIPE.replace("OPTIONS", options).replace("FIELDS", fields).replace("KEY", key)
        path.write_text(text.replace("        REAL\n", real))
        if later:
            head = text[: text.index("    operations")].replace("0001_initial", path.stem)
            path.with_name("0003_later_change.py").write_text(f"{head}    operations = [{later}]\n")

    return patch


def _plain_recipe(table: str, real: str = "") -> Callable[[Path], None]:
    """The through model taken away in the state only."""

    def patch(folder: Path) -> None:
        path = next((folder / "library" / "migrations").glob("0002_*.py"))
        path.write_text(
            f"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "book", "authors", models.ManyToManyField({table}related_name="books", to="library.author")
                ),
                migrations.DeleteModel("Authorship"),
            ],
        ),
        {real}
    ]
"""
        )

    return patch


BELIEVED = (
    Case("believed without a table", PLAIN, after(), sequences=FIX, patch=recipe(_UNIQUE), formatted=True),
    Case(
        "believed in another table",
        PLAIN,
        after(rest=_PAIR + "        db_table = 'who_wrote'\n"),
        sequences=FIX,
        patch=recipe('"db_table": "who_wrote"'),
    ),
    Case(
        "believed field",
        PLAIN,
        after(_KEYS + "    share = models.IntegerField(default=0)\n", _PAIR + _KEPT_TABLE),
        sequences=FIX,
        patch=recipe(f"{_TABLE}, {_UNIQUE}", _BOOK_KEY + _AUTHOR_KEY + '("share", models.IntegerField(default=0)),'),
        formatted=True,
    ),
    Case(
        "believed names of keys",
        PLAIN,
        after(_OTHER_KEYS, "\n    class Meta:\n" + _KEPT_TABLE),
        sequences=FIX,
        patch=recipe(
            _TABLE,
            '("work", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),'
            '("writer", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="library.author")),',
        ),
        formatted=True,
    ),
    Case(
        "believed order",
        PLAIN,
        after(rest=_PAIR + _KEPT_TABLE + "        order_with_respect_to = 'book'\n"),
        sequences=FIX,
        patch=recipe(f'{_TABLE}, {_UNIQUE}, "order_with_respect_to": "book"'),
    ),
    Case(
        "believed without a pair",
        PLAIN,
        after(rest="\n    class Meta:\n" + _KEPT_TABLE),
        sequences=FIX,
        patch=recipe(_TABLE),
        formatted=True,
    ),
    Case(
        "believed constraint",
        PLAIN,
        after(
            rest="\n    class Meta:\n        db_table = 'library_book_authors'\n        constraints = ["
            'models.UniqueConstraint(fields=["book", "author"], name="once")]\n'
        ),
        sequences=FIX,
        patch=recipe(f'{_TABLE}, "constraints": [models.UniqueConstraint(fields=["book", "author"], name="once")]'),
        formatted=True,
    ),
    Case(
        "believed key",
        PLAIN,
        after(rest=_PAIR + _KEPT_TABLE),
        settings={"INSTALLED_APPS": ["library"], "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField"},
        sequences=FIX,
        patch=recipe(f"{_TABLE}, {_UNIQUE}", key="AutoField"),
    ),
    Case(
        "believed, then a field",
        PLAIN,
        after(_KEYS + _SHARE),
        sequences=FIX,
        patch=recipe(
            _UNIQUE,
            real='        migrations.AddField("authorship", "share", models.IntegerField(null=True)),\n',
        ),
        formatted=True,
    ),
    Case(
        "believed, then another table",
        PLAIN,
        after(rest=_PAIR + "        db_table = 'who_wrote'\n"),
        sequences=FIX,
        patch=recipe(_UNIQUE, real='        migrations.AlterModelTable("authorship", "who_wrote"),\n'),
        remaining={"fix-state": frozenset({"MTM401"})},
    ),
    Case(
        "believed, then another table later",
        PLAIN,
        after(rest=_PAIR + "        db_table = 'who_wrote'\n"),
        sequences=FIX,
        patch=recipe(_UNIQUE, later='migrations.AlterModelTable("authorship", "who_wrote")'),
        remaining={"fix-state": frozenset({"MTM401"})},
        not_provable="before the sequence",
    ),
    Case(
        "believed, then a field later",
        PLAIN,
        after(_KEYS + _SHARE),
        sequences=FIX,
        patch=recipe(_UNIQUE, later='migrations.AddField("authorship", "share", models.IntegerField(null=True))'),
        not_provable="before the sequence",
    ),
    Case(
        "believed, then a pair later",
        PLAIN,
        after(rest=_PAIR + "        db_table = 'library_book_authors'\n"),
        sequences=FIX,
        patch=recipe(_TABLE, later='migrations.AlterUniqueTogether("authorship", {("book", "author")})'),
        not_provable="before the sequence",
    ),
    Case(
        "believed gone",
        after(),
        PLAIN,
        sequences=FIX,
        patch=_plain_recipe(""),
        formatted=True,
    ),
    Case(
        "believed gone with other columns",
        after(_OTHER_KEYS, ""),
        {"library": AUTHOR + BOOK.replace('"books"', '"books", db_table="library_authorship"')},
        sequences=FIX,
        patch=_plain_recipe('db_table="library_authorship", '),
        twice=True,
    ),
)


def _renamed(operation: str) -> Callable[[Path], None]:
    """A migration that gives the table another name, of which Django learns nothing."""

    def patch(folder: Path) -> None:
        (folder / "library" / "migrations" / "0002_rename_change.py").write_text(
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            f'    dependencies = [("library", "0001_initial")]\n\n    operations = [\n        {operation},\n    ]\n'
        )

    return patch


_RENAME = 'migrations.RunSQL(\n            "ALTER TABLE {0} RENAME TO {1}", "ALTER TABLE {1} RENAME TO {0}"\n        )'
RENAMED_AWAY = tuple(
    Case(
        name,
        models,
        models,
        sequences=FIX,
        patch=_renamed(operation),
        remaining={"fix-state": frozenset({"MTM401"})},
        not_provable="renamed by",
    )
    for name, models, operation in (
        ("through table renamed by SQL", after(), _RENAME.format("library_authorship", "who_wrote")),
        ("automatic table renamed by SQL", PLAIN, _RENAME.format("library_book_authors", "who_wrote")),
        (
            "through table renamed on the database alone",
            after(),
            "migrations.SeparateDatabaseAndState([migrations.AlterModelTable('authorship', 'who_wrote')])",
        ),
    )
)


REVIEWERS = '    reviewers = models.ManyToManyField("library.Author", through="REVIEW", related_name="reviewed")\n'
_REVIEW = """
class Review(models.Model):
    book = models.ForeignKey("library.Book", on_delete=models.CASCADE)
    reviewer = models.ForeignKey("library.Author", on_delete=models.CASCADE)
"""
LINKS = AUTHOR + BOOK + "    TWO = models.ManyToManyField(Author, related_name='edited'ARGUMENT)\n"


def _field_first(folder: Path) -> None:
    """The field before the model that it goes through."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    start, middle = text.index("        migrations.CreateModel("), text.index("        migrations.AddField(")
    end = text.rindex("    ]")
    path.write_text(text[:start] + text[middle:end] + text[start:middle] + text[end:])


def _independent(folder: Path) -> None:
    """Without the dependency on the other app."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "'staff'" not in line))


def _model_alone(folder: Path) -> None:
    """The model on the automatic table, and a field that knows nothing of it."""
    path = next((folder / "library" / "migrations").glob("0002_*.py"))
    text = path.read_text()
    path.write_text(text[: text.index("        migrations.AlterField(")] + "    ]\n")
    models = folder / "library" / "models.py"
    models.write_text(models.read_text().replace(', through="library.Authorship"', ""))


_STAFF = """
class Staff(models.Model):
    name = models.CharField(max_length=9)

    class Meta:
        db_table = "library_book_editors"
"""

RIGHTED = (
    Case(
        "field before its model",
        PLAIN,
        {"library": AUTHOR + BOOK + REVIEWERS.replace("REVIEW", "library.Review") + _REVIEW},
        sequences=FIX,
        not_provable="were before",
        patch=_field_first,
        reported="reviewers",
        formatted=True,
    ),
    Case(
        "model of another app",
        {**PLAIN, "staff": ""},
        {"library": AUTHOR + BOOK + REVIEWERS.replace("REVIEW", "staff.Review"), "staff": _REVIEW},
        sequences=FIX,
        not_provable="were before",
        patch=_independent,
        reported="reviewers",
    ),
    Case(
        "table of another field",
        {"library": AUTHOR + BOOK.replace('"books"', '"books", db_table="links"')},
        {
            "library": LINKS.replace('"books"', '"books", db_table="links"')
            .replace("TWO", "editors")
            .replace("ARGUMENT", ", db_table='links'")
        },
        sequences=FIX,
        not_provable="were before",
        reported="editors",
        formatted=True,
    ),
    Case(
        "table of a model",
        {"library": AUTHOR + BOOK + _STAFF},
        {"library": LINKS.replace("TWO", "editors").replace("ARGUMENT", "") + _STAFF},
        sequences=FIX,
        not_provable="were before",
        reported="editors",
    ),
    Case(
        "model on the automatic table",
        PLAIN,
        after(_KEYS + _SHARE, _PAIR + _KEPT_TABLE),
        sequences=FIX,
        not_provable="in models.py",
        patch=_model_alone,
        formatted=True,
    ),
)


def _switched_in_state(database: str) -> Callable[[Path], None]:
    """The AlterField in the state alone, without a copy."""

    def patch(folder: Path) -> None:
        path = next((folder / "library" / "migrations").glob("0002_*.py"))
        text = path.read_text()
        start, end = text.index("        migrations.AlterField("), text.rindex("    ]")
        alter = "".join(f"        {line}\n" for line in text[start:end].splitlines())
        path.write_text(
            f"{text[:start]}        migrations.SeparateDatabaseAndState(\n"
            f"            database_operations=[{database}],\n"
            f"            state_operations=[\n{alter}            ],\n        ),\n    ]\n"
        )

    return patch


_INSERT = '"INSERT INTO {0} (book_id, author_id) SELECT book_id, author_id FROM {1}"'
_TABLES = ("library_authorship", "library_book_authors")
_COPY_SQL = f"migrations.RunSQL({_INSERT.format(*_TABLES)}, {_INSERT.format(*_TABLES[::-1])}),"
_COPY_CODE = """
def copy(apps, schema_editor):
    alias = schema_editor.connection.alias
    Authorship = apps.get_model("library", "Authorship")
    for book in apps.get_model("library", "Book").objects.using(alias).all():
        for author in book.authors.all():
            Authorship.objects.using(alias).create(book=book, author=author)


def back(apps, schema_editor):
    alias = schema_editor.connection.alias
    Book = apps.get_model("library", "Book")
    for link in apps.get_model("library", "Authorship").objects.using(alias).all():
        Book.objects.using(alias).get(pk=link.book_id).authors.add(link.author_id)


class Migration("""


def copied_late(*order: str, copy: str = _COPY_SQL) -> Callable[[Path], None]:
    """The operations in that order, the AlterField as two; "" begins the next migration."""

    def patch(folder: Path) -> None:
        path = next((folder / "library" / "migrations").glob("0002_*.py"))
        text = path.read_text()
        head, _, rest = text.partition("    operations = [\n")
        head = head.replace("class Migration(", _COPY_CODE.lstrip() if "copy" in copy else "class Migration(")
        create, alter = rest.removesuffix("    ]\n").split("        migrations.AlterField(")
        removal = "migrations.RemoveField('book', 'authors'),\n"
        parts = {
            "create": create,
            "remove": f"        {removal}",
            "add": f"        migrations.AddField({alter}",
            "switch": "        migrations.SeparateDatabaseAndState(\n"
            f"            [{removal}],\n            [migrations.AlterField({alter}],\n        ),\n",
            "copy": f"        {copy}\n",
            "": "    ]\n\0    operations = [\n",
        }
        files = f"    operations = [\n{''.join(parts[one] for one in order)}    ]\n".split("\0")
        before = "0001_initial"
        path.unlink()
        for number, operations in enumerate(files, 2):
            path.with_name(f"{number:04}_part_change.py").write_text(head.replace("0001_initial", before) + operations)
            before = f"{number:04}_part_change"

    return patch


def _late(name: str, *order: str, sequences: tuple[str, ...] = FIX, copy: str = _COPY_SQL) -> Case:
    return Case(
        name, PLAIN, after(), sequences=sequences, patch=copied_late(*order, copy=copy), not_provable="project's own"
    )


LATE = (
    _late("copied after the removal", "create", "remove", "copy", "add"),
    _late("copied after the field is back", "create", "remove", "add", "copy"),
    _late("copied after the removal, model between", "remove", "create", "add", "copy"),
    _late("copied by code after the switch", "create", "switch", "copy", copy="migrations.RunPython(copy, back),"),
    _late("copied a migration after the removal", "create", "remove", "", "add", "copy"),
    _late("copied a migration after the switch", "create", "switch", "", "copy"),
    # Undone, the links would not come back.
    _late(
        "copied too late, and not back",
        *("create", "switch", "copy"),
        sequences=(),
        copy="migrations.RunPython(copy, migrations.RunPython.noop),",
    ),
)


UNCOPIED = (
    Case(
        "switched in the state",
        **own_life(),
        sequences=("copy-rows",),
        patch=_switched_in_state(""),
        formatted=True,
    ),
    Case(
        "switched in the state and dropped",
        **own_life(),
        sequences=("copy-rows",),
        patch=_switched_in_state("migrations.RemoveField('book', 'authors')"),
    ),
    Case(
        "made and switched in the state",
        PLAIN,
        after(),
        sequences=("copy-rows",),
        patch=_switched_in_state("migrations.RemoveField('book', 'authors')"),
        formatted=True,
    ),
    Case(
        "through model lost and kept",
        via("Authorship", through("Authorship", _KEYS + _NOTE)),
        {"library": AUTHOR + BOOK + through("Authorship", _KEYS + _NOTE)},
        sequences=("copy-rows",),
        formatted=True,
    ),
    Case(
        "through model of another key lost with its values",
        via(
            "Authorship",
            through("Authorship", "    id = models.UUIDField(primary_key=True, default=uuid.uuid4)\n" + _KEYS + _NOTE),
        ),
        PLAIN,
    ),
    Case(
        "through model of another key lost",
        via(
            "Authorship",
            through("Authorship", "    id = models.UUIDField(primary_key=True, default=uuid.uuid4)\n" + _KEYS),
        ),
        PLAIN,
        sequences=("copy-rows",),
        formatted=True,
    ),
    Case(
        "through model of another key deleted before",
        via(
            "Authorship",
            through("Authorship", "    id = models.UUIDField(primary_key=True, default=uuid.uuid4)\n" + _KEYS),
        ),
        PLAIN,
        sequences=("copy-rows",),
        patch=in_two("DeleteModel"),
        formatted=True,
    ),
)


CASES = (*KEPT, *COPYING, *REMOVED, *SWAPPED, *REPLACED, *BELIEVED, *RENAMED_AWAY, *RIGHTED, *LATE, *UNCOPIED)

"""What is told of RunPython functions: models, names, SQL, and what could not be followed."""

from __future__ import annotations

import pytest

from lint_m2m.migration import CodeFacts, ModelKey, Store

BOOK = ModelKey("library", "book")
TAG = ModelKey("library", "tag")


def facts(
    reader, code: str, run: str = "forwards", files: dict[str, str] | None = None, **options: object
) -> CodeFacts:
    migration = reader.body(f"operations = [migrations.RunPython({run})]\n", files, head=code, **options)
    found = migration.operations[0].code
    assert isinstance(found, CodeFacts)
    return found


@pytest.mark.parametrize(
    ("arguments", "code_is_none", "reversible"),
    [
        ("forwards", False, False),
        ("forwards, None", False, False),
        ("forwards, forwards", False, True),
        ("forwards, migrations.RunPython.noop", False, True),
        ("code=forwards, reverse_code=lambda a, s: None", False, True),
        ("migrations.RunPython.noop", True, False),
        ("reverse_code=forwards, code=migrations.RunPython.noop", True, True),
    ],
)
def test_both_directions(reader, arguments: str, code_is_none: bool, reversible: bool) -> None:
    migration = reader.body(
        f"operations = [migrations.RunPython({arguments}, atomic=False, elidable=True)]\n",
        head="def forwards(apps, schema_editor):\n    pass",
    )
    [operation] = migration.operations
    assert (operation.code is None) is code_is_none
    assert operation.reversible is reversible


def test_a_plain_function(reader) -> None:
    found = facts(
        reader,
        """
        def forwards(apps, schema_editor):
            '''Docstrings say: DELETE FROM nothing.'''
            Book = apps.get_model("library", "Book")
            BookTag = apps.get_model("library.BookTag")
            Tag = apps.get_model(app_label="library", model_name="TAG")
            db = schema_editor.connection.alias
            BookTag.objects.using(db).bulk_create(
                [BookTag(book_id=b, tag_id=t) for b, t in Book.tags.through.objects.values_list("book_id", "tag__name")]
            )
            for book in Book.objects.filter(tags__isnull=False).iterator():
                setattr(book, "owner", getattr(book, "author"))
                book.save(update_fields=["owner"])
        """,
    )
    assert found.name == "forwards"
    assert found.models == {BOOK, TAG, ModelKey("library", "booktag")}
    assert {"tags", "through", "book_id", "tag_id", "tag", "owner", "author", "bulk_create", "isnull"} <= found.names
    assert found.sql == ()
    assert found.uses_connection is False
    assert found.opaque is None


def test_sql_and_the_connection(reader) -> None:
    found = facts(
        reader,
        """
        def forwards(apps, schema_editor):
            with schema_editor.connection.cursor() as cursor:
                cursor.execute("INSERT INTO t (a) SELECT a FROM u")
                cursor.execute(f"UPDATE {apps.table} SET a = 1")
                cursor.execute("INSERT INTO %s VALUES (1)" % name)
        """,
    )
    assert found.uses_connection is True
    assert set(found.sql) == {
        "INSERT INTO t (a) SELECT a FROM u",
        "INSERT INTO %s VALUES (1)",
        "UPDATE {apps.table} SET a = 1",
    }


@pytest.mark.parametrize(
    ("statement", "uses"),
    [
        ("schema_editor.execute('DROP TABLE t')", True),
        ("schema_editor.alter_field(Book, old, new)", True),
        ("schema_editor.connection.vendor", False),
        ("schema_editor.quote_name('x')", False),
        ("from django.db import connection\n    connection.cursor().execute('SELECT 1')", True),
        ("from django.db import connections\n    c = connections['x']\n    c.cursor()", True),
        ("print(schema_editor.connection.alias)", False),
    ],
)
def test_who_uses_the_connection(reader, statement: str, uses: bool) -> None:
    assert facts(reader, f"def forwards(apps, schema_editor):\n    {statement}\n").uses_connection is uses


NAMED_MODELS = {
    "constant": "NAME = 'Book'\ndef forwards(apps, schema_editor):\n    apps.get_model('library', NAME)",
    "local": "def forwards(apps, schema_editor):\n    label = 'library'\n    apps.get_model(label, 'Book')",
    "loop": "def forwards(apps, schema_editor):\n    for n in ('Book',):\n        apps.get_model('library', n)",
    "loop over pairs": (
        "def forwards(apps, schema_editor):\n    for a, m in [('library', 'Book')]:\n        apps.get_model(a, m)"
    ),
    "format": "def forwards(apps, schema_editor):\n    for n in ['Book']:\n        apps.get_model(f'library.{n}')",
    "argument": (
        "def go(apps, name):\n"
        "    apps.get_model('library', name)\n"
        "def forwards(apps, schema_editor):\n"
        "    go(apps, 'Book')"
    ),
    "keyword": (
        "def go(apps, *, name='X'):\n"
        "    apps.get_model('library', name)\n"
        "def forwards(apps, s):\n"
        "    go(apps, name='Book')"
    ),
    "alias": "def forwards(apps, schema_editor):\n    get_model = apps.get_model\n    get_model('library', 'Book')",
    "split": "def forwards(apps, schema_editor):\n    apps.get_model(*['library', 'Book'])",
    "imported": "from library.models import Book\ndef forwards(apps, schema_editor):\n    Book.objects.update(x=1)",
    "imported inside": (
        "def forwards(apps, schema_editor):\n    from ..models import Book\n    Book.objects.update(x=1)"
    ),
}


@pytest.mark.parametrize("code", NAMED_MODELS.values(), ids=NAMED_MODELS)
def test_how_models_are_named(reader, code: str) -> None:
    found = facts(reader, code)
    if code == NAMED_MODELS["split"]:
        assert found.opaque == "a model is looked up by a computed name"
        return
    assert BOOK in found.models
    assert found.opaque is None


@pytest.mark.parametrize(
    "body",
    [
        "apps.get_model(settings.AUTH_USER_MODEL).objects.all()",
        "from django.contrib.auth import get_user_model\n    User = get_user_model()\n    User.objects.all()",
        "from django.contrib import auth\n    auth.get_user_model().objects.all()",
    ],
)
def test_the_user_model(reader, body: str) -> None:
    code = f"def forwards(apps, schema_editor):\n    {body}"
    unresolved = facts(reader, code)
    assert unresolved.models == {ModelKey("auth", "user")}
    assert unresolved.settings == {"AUTH_USER_MODEL"}
    resolved = facts(reader, code, swappable=(("AUTH_USER_MODEL", "members.Person"),))
    assert resolved.models == {ModelKey("members", "person")}
    assert resolved.settings == set()


@pytest.mark.parametrize(
    "body",
    [
        "apps.get_model(name, 'Book')",
        "apps.get_model(ct.app_label, ct.model)",
        "apps.get_model('library', NAMES[0] + input())",
        "for n in outside():\n        apps.get_model('library', n)",
        "n = 'Book'\n    n = n + input()\n    apps.get_model('library', n)",
    ],
)
def test_computed_models_are_opaque(reader, body: str) -> None:
    assert (
        facts(reader, f"def forwards(apps, schema_editor):\n    {body}").opaque
        == "a model is looked up by a computed name"
    )


HELPERS = {
    "function": (
        "def help(apps):\n    apps.get_model('library', 'Book')\ndef forwards(apps, s):\n    help(apps)",
        "forwards",
    ),
    "nested": (
        "def forwards(apps, s):\n    def go():\n        apps.get_model('library', 'Book')\n    go()",
        "forwards",
    ),
    "lambda": ("", "lambda apps, s: apps.get_model('library', 'Book').objects.all().delete()"),
    "lambda calling": ("def go(apps):\n    apps.get_model('library', 'Book')", "lambda apps, s: go(apps)"),
    "partial": (
        "from functools import partial\ndef go(apps, s, name=None):\n    apps.get_model('library', name)",
        "partial(go, name='Book')",
    ),
    "partial by position": (
        "import functools\ndef go(name, apps, s):\n    apps.get_model('library', name)",
        "functools.partial(go, 'Book')",
    ),
    "factory": (
        "def make(name):\n    def inner(apps, s):\n        apps.get_model('library', name)\n    return inner",
        "make('Book')",
    ),
    "static method": (
        "class Do:\n    @staticmethod\n    def it(apps, s):\n        apps.get_model('library', 'Book')",
        "Do.it",
    ),
    "method": (
        (
            "class Do:\n"
            "    def it(self, apps, s):\n"
            "        self.go(apps)\n"
            "    def go(self, apps):\n"
            "        apps.get_model('library', 'Book')"
        ),
        "Do().it",
    ),
    "callable object": (
        "class Do:\n    def __call__(self, apps, s):\n        apps.get_model('library', 'Book')",
        "Do()",
    ),
    "decorated": (
        (
            "from django.db import transaction\n"
            "@transaction.atomic\n"
            "def forwards(apps, s):\n"
            "    apps.get_model('library', 'Book')"
        ),
        "forwards",
    ),
    "passed as a value": (
        (
            "def one(book):\n"
            "    book.x = 'tags'\n"
            "def forwards(apps, s):\n"
            "    list(map(one, apps.get_model('library', 'Book').objects.all()))"
        ),
        "forwards",
    ),
    "class with what it was given": (
        (
            "class Mover:\n"
            "    def __init__(self, apps):\n"
            "        self.book = apps.get_model('library', 'Book')\n"
            "def forwards(apps, s):\n"
            "    Mover(apps)"
        ),
        "forwards",
    ),
    "recursion": ("def forwards(apps, s):\n    apps.get_model('library', 'Book')\n    forwards(apps, s)", "forwards"),
}


@pytest.mark.parametrize(("code", "run"), HELPERS.values(), ids=HELPERS)
def test_helpers_are_followed(reader, code: str, run: str) -> None:
    found = facts(reader, code, run)
    assert BOOK in found.models
    assert found.opaque is None


PROJECT = {
    "library/utils.py": """
        def copy(apps, name):
            apps.get_model("library", name)
            deeper(apps)

        def deeper(apps):
            apps.get_model("library", "Tag")

        def slug(text):
            return apps.get_model("library", "Never")

        def everything():
            from library.models import Shelf
            Shelf.objects.update(tags=1)

        class Forwards:
            @classmethod
            def run(cls, apps, schema_editor):
                apps.get_model("library", "Book")
    """,
    "library/migrations/0001_initial.py": """
        def forwards(apps, schema_editor):
            apps.get_model("library", "Book")
    """,
    "library/migration_utils.py": "from library.utils import *",
}


@pytest.mark.parametrize(
    ("head", "run"),
    [
        ("from library.utils import copy\ndef forwards(apps, s):\n    copy(apps, 'Book')", "forwards"),
        ("from library import utils\ndef forwards(apps, s):\n    utils.copy(apps, name='Book')", "forwards"),
        ("def forwards(apps, s):\n    from ..utils import copy as c\n    c(apps, 'Book')", "forwards"),
        ("from library.migration_utils import copy\ndef forwards(apps, s):\n    copy(apps, 'Book')", "forwards"),
        ("import importlib\ninitial = importlib.import_module('library.migrations.0001_initial')", "initial.forwards"),
        ("from library.utils import Forwards", "Forwards.run"),
    ],
)
def test_helpers_of_the_project_are_followed(reader, head: str, run: str) -> None:
    found = facts(reader, head, run, PROJECT)
    assert BOOK in found.models
    assert found.opaque is None
    if "copy" in head:
        assert TAG in found.models


def test_helpers_that_get_nothing(reader) -> None:
    head = "from library.utils import slug, everything\ndef forwards(apps, s):\n    slug('x')\n    everything()"
    found = facts(reader, head, "forwards", PROJECT)
    # `slug` gets a text: nobody reads its module for that. `everything` may do everything.
    assert found.models == {ModelKey("library", "shelf")}
    assert found.opaque is None


@pytest.mark.parametrize(
    ("body", "opaque"),
    [
        # A call of code that nobody can follow, with something that it could change.
        ("outside.convert(apps)", "`outside.convert()` is not in the project"),
        ("outside.convert(apps.get_model('library', 'Book'))", "`outside.convert()` is not in the project"),
        (
            "for b in apps.get_model('library', 'Book').objects.all():\n        outside.convert(b)",
            "`outside.convert()` is not in the project",
        ),
        ("outside.Converter(schema_editor=s).run()", "`outside.Converter()` is not in the project"),
        ("from outside.parts import convert\n    convert(rows=[apps])", "`convert()` is not in the project"),
        ("nobody(apps)", "`nobody()` cannot be followed"),
        ("settings.FUNCTION(apps)", "`settings.FUNCTION()` is what a setting says"),
        (
            "from django.core.management import call_command\n    call_command('loaddata', 'x')",
            "`call_command()` runs other code",
        ),
        ("exec('x')", "`exec()` runs other code"),
        ("[m.objects.all() for m in apps.get_models()]", "it goes through all models"),
        # The same with texts and numbers, and what is known to change nothing.
        ("outside.convert('x', 1)", None),
        ("outside.log.info(apps.get_model('library', 'Book').objects.count())", None),
        ("for b in apps.get_model('library', 'Book').objects.all():\n        outside.convert(b.title)", None),
        ("print(apps, len(apps.x), list(apps.get_model('library', 'Book').objects.all()))", None),
        ("import logging\n    logging.getLogger('x').warning('%s', apps)", None),
        (
            (
                "from django.db.models import OuterRef, Subquery\n"
                "    Subquery(apps.get_model('library', 'Tag').objects.all())"
            ),
            None,
        ),
        ("import uuid\n    b = apps.get_model('library', 'Book')(id=uuid.uuid4())\n    b.save()", None),
        ("rows = []\n    rows.append(apps.get_model('library', 'Book')())", None),
        ("', '.join(str(b) for b in apps.get_model('library', 'Book').objects.all())", None),
        (
            (
                "from library.models import Book\n"
                "    Book.objects.filter(x__in=apps.get_model('library', 'Tag').objects.all())"
            ),
            None,
        ),
    ],
)
def test_what_cannot_be_followed(reader, body: str, opaque: str | None) -> None:
    assert facts(reader, f"import outside\ndef forwards(apps, s):\n    {body}\n").opaque == opaque


@pytest.mark.parametrize(
    ("run", "opaque"),
    [
        ("outside.forwards", "`forwards` comes from `outside.forwards`"),
        ("outside.make('x')", "what `outside.make()` returns cannot be followed"),
        ("settings.X", "the function depends on the setting X"),
        ("nobody", "the function uses `nobody`, which the file does not define"),
    ],
)
def test_functions_that_are_not_here(reader, run: str, opaque: str) -> None:
    assert facts(reader, "import outside", run).opaque == opaque


def test_one_of_two_functions(reader) -> None:
    found = facts(
        reader,
        "def a(apps, s):\n    apps.get_model('library', 'Book')\ndef b(apps, s):\n    apps.get_model('library', 'Tag')",
        "a if settings.X else b",
    )
    assert found.models == {BOOK, TAG}


def test_names_from_around_the_function(reader) -> None:
    found = facts(
        reader,
        """
        FIELDS = ["authors", ("tags", "editors")]
        TABLE = "INSERT INTO library_book_tags SELECT 1"
        OTHER = ["unused"]

        def make(through):
            columns = {"from": "book_id"}
            def inner(apps, schema_editor):
                for name in FIELDS:
                    move(through, columns, TABLE)
            return inner

        def move(*args):
            pass
        """,
        "make('booktag')",
    )
    assert {"authors", "tags", "editors", "booktag", "book_id"} <= found.names
    assert "unused" not in found.names
    assert found.sql == ("INSERT INTO library_book_tags SELECT 1",)


def test_helpers_that_never_end_are_not_followed_for_ever(reader) -> None:
    functions = "\n".join(f"def f{n}(apps):\n    f{n + 1}(apps)" for n in range(400))
    found = facts(reader, f"{functions}\ndef forwards(apps, s):\n    f0(apps)")
    assert found.opaque is not None
    assert "too deep to follow" in found.opaque


AUTHORSHIP = ModelKey("library", "authorship")
LOOK_UP = """
        def forwards(apps, schema_editor):
            Book = apps.get_model("library", "Book")
            Authorship = apps.get_model("library", "Authorship")
"""
OF_AUTHORSHIP = frozenset({Store(frozenset({AUTHORSHIP}), frozenset())})
STORES = [
    ("Authorship.objects.using('x').bulk_create([])", OF_AUTHORSHIP),
    ("Authorship(book=Book.objects.get()).save()", OF_AUTHORSHIP),
    ("for row in Authorship.objects.filter(x=1)[:5]: row.save()", OF_AUTHORSHIP),
    ("rows = Authorship.objects.all(); rows = rows.filter(x=1); rows.update(x=2)", OF_AUTHORSHIP),
    ("either = Authorship if Book else None; either.objects.create()", None),
    (
        "rows = Authorship; rows = Book; rows.objects.create()",
        frozenset({Store(frozenset({AUTHORSHIP, BOOK}), frozenset())}),
    ),
    ("for book in Book.objects.all(): book.authors.add(1)", frozenset({Store(frozenset(), frozenset({"authors"}))})),
    (
        "Book.authors.through.objects.bulk_create([])",
        frozenset({Store(frozenset(), frozenset({"authors", "through"}))}),
    ),
    ("seen = set(); seen.add(Book)", frozenset({Store(frozenset(), frozenset())})),
    ("rows = []; rows.append(Book()); [row.save() for row in rows]", None),
    ("create = Authorship.objects.create; create(x=1)", OF_AUTHORSHIP),
    ("getattr(Authorship.objects, 'create')(x=1)", None),
    ("a, b = Authorship, Book; a.objects.create()", None),
    ("with Book as Authorship: Authorship.objects.create()", None),
    ("Book.objects.count()", frozenset()),
]


@pytest.mark.parametrize(("statements", "stores"), STORES, ids=[statements for statements, _ in STORES])
def test_where_rows_are_stored(reader, statements: str, stores: frozenset[Store] | None) -> None:
    code = "\n".join(f"            {statement}" for statement in statements.split("; "))
    assert facts(reader, LOOK_UP + code + "\n").stores == stores


def test_a_helper_stores_rows_of_what_it_is_given(reader) -> None:
    helper = "def go(model, *rows):\n    model.objects.bulk_create(rows)\n"
    body = "def forwards(apps, schema_editor):\n    Authorship = apps.get_model('library', 'Authorship')\n    {}\n"
    assert facts(reader, helper + body.format("go(Authorship, 1)")).stores == OF_AUTHORSHIP
    assert facts(reader, helper + body.format("go(Authorship); go(apps)")).stores is None
    assert facts(reader, helper + body.format("go(model=Authorship); [go(x) for x in [Authorship]]")).stores == (
        OF_AUTHORSHIP
    )
    assert facts(reader, helper + body.format("go(*[Authorship])")).stores is None


def test_the_real_models_may_store_anything(reader) -> None:
    code = """
        from library.models import Book
        def forwards(apps, schema_editor):
            apps.get_model("library", "Authorship").objects.create()
            Book.objects.copy()
        """
    assert facts(reader, code).stores is None

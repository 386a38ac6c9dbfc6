"""What `operations` can be besides a list of calls: everything real migrations do, and where reading ends."""

from __future__ import annotations

import pytest

from lint_m2m.migration import (
    UNKNOWN,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    FieldKind,
    ModelKey,
    Operation,
    SeparateDatabaseAndState,
    UnknownOperation,
)

A = DeleteModel(name="A")
B = DeleteModel(name="B")
C = DeleteModel(name="C")

# Each leaves operations A, B, C; `_` is DeleteModel.
READ_IN_FULL = {
    "list": "operations = [_('A'), _('B'), _('C')]",
    "tuple": "operations = (_('A'), _('B'), _('C'))",
    "annotated": "operations: list = [_('A'), _('B'), _('C')]",
    "concatenation": "operations = [_('A')] + [_('B'), _('C')]",
    "concatenation of tuples": "operations = (_('A'),) + (_('B'), _('C'))",
    "names": "first = [_('A'), _('B')]\noperations = first + [_('C')]",
    "unpacking": "middle = [_('B')]\noperations = [_('A'), *middle, _('C')]",
    "unpacking a tuple": "operations = [*(_('A'), _('B')), _('C')]",
    "augmented": "operations = [_('A')]\noperations += [_('B'), _('C')]",
    "append and extend": "operations = [_('A')]\noperations.append(_('B'))\noperations.extend((_('C'),))",
    "insert": "operations = [_('C')]\noperations.insert(0, _('A'))\noperations.insert(1, _('B'))",
    "two names, one list": "operations = rest = [_('A')]\nrest.append(_('B'))\nrest.append(_('C'))",
    "comprehension": "operations = [_(name) for name in ('A', 'B', 'C')]",
    "comprehension with a condition": "operations = [_(name) for name in ('A', 'X', 'B', 'C') if name != 'X']",
    "comprehension over pairs": "operations = [_(n) for n, keep in [('A', 1), ('X', 0), ('B', 1), ('C', 1)] if keep]",
    "nested comprehension": "operations = [_(name) for row in ('AB', 'C') for name in row]",
    "generator": "operations = list(_(name) for name in ('A', 'B', 'C'))",
    "loop": "operations = []\nfor name in ['A', 'B', 'C']:\n    operations.append(_(name))",
    "loop with enumerate": "operations = []\nfor i, name in enumerate('ABC'):\n    operations.insert(i, _(name))",
    "loop over a dictionary": (
        "operations = []\nfor name, _x in {'A': 1, 'B': 2, 'C': 3}.items():\n    operations += [_(name)]"
    ),
    "loop with continue": (
        "operations = []\nfor n in 'ABXC':\n    if n == 'X':\n        continue\n    operations.append(_(n))"
    ),
    "loop with break": (
        "operations = []\nfor n in 'ABCX':\n    if n == 'X':\n        break\n    operations.append(_(n))"
    ),
    "text": "operations = [_(f'{\"A\"}'), _('%s' % 'B'), _('{}'.format('C'))]",
    "text methods": "operations = [_('a'.upper()), _('xB'[1:]), _('-'.join(['C']))]",
    "dictionary": "names = {'first': 'A'}\noperations = [_(names['first']), _(names.get('second', 'B')), _('C')]",
    "keyword arguments": "options = {'name': 'B'}\noperations = [_(name='A'), _(**options), _(*('C',))]",
    "decided conditional expression": "operations = [_('A'), _('B' if 1 < 2 else '')] + ([_('C')] if 'x' else [])",
    "condition that is decided": (
        "operations = [_('A')]\nif not 0 and (1 or unknown):\n    operations += [_('B'), _('C')]"
    ),
    "old versions": (
        "import django\noperations = [_('A'), _('B')]\nif django.VERSION >= (1, 9):\n    operations.append(_('C'))"
    ),
    "rebinding later": "name = 'A'\noperations = [_(name), _('B'), _('C')]\nname = 'X'",
    "swapped names": "x, y = 'B', 'A'\noperations = [_(y), _(x), _('C')]",
    "sorted": "operations = [_(name) for name in sorted({'C', 'A', 'B'})]",
    "sum and chain": "import itertools\noperations = sum([[_('A')], [_('B')]], []) + list(itertools.chain([_('C')]))",
    "try": "try:\n    operations = [_('A'), _('B'), _('C')]\nexcept ImportError:\n    pass",
}


@pytest.mark.parametrize("body", READ_IN_FULL.values(), ids=READ_IN_FULL)
def test_read_in_full(reader, body: str) -> None:
    migration = reader.body(f"_ = migrations.DeleteModel\n{body}\n")
    assert migration.operations == (A, B, C)
    assert migration.gaps == ()


def test_the_same_operation_either_way_is_certain(reader) -> None:
    migration = reader.body(
        """
        if unknown():
            operations = [migrations.DeleteModel("A")]
        else:
            operations = [migrations.DeleteModel(name="A")]
        """
    )
    assert migration.operations == (A,)


FUNCTIONS = {
    "function": ("def make(*names):\n    return [migrations.DeleteModel(n) for n in names]", "make('A', 'B', 'C')"),
    "keywords and defaults": (
        (
            "def make(first, *, second='B', **more):\n"
            "    return [migrations.DeleteModel(n) for n in (first, second, more['third'])]"
        ),
        "make('A', third='C')",
    ),
    "building a list": (
        (
            "def make():\n"
            "    found = []\n"
            "    for n in 'ABC':\n"
            "        found.append(migrations.DeleteModel(n))\n"
            "    return found"
        ),
        "make()",
    ),
    "generator": (
        (
            "def make():\n"
            "    for n in 'AB':\n"
            "        yield migrations.DeleteModel(n)\n"
            "    yield from [migrations.DeleteModel('C')]"
        ),
        "list(make())",
    ),
    "function of functions": (
        "def one(n):\n    return migrations.DeleteModel(n)\ndef make(names):\n    return list([one(n) for n in names])",
        "make('ABC')",
    ),
    "early return": (
        (
            "def make(n):\n"
            "    if n == 'B':\n"
            "        return migrations.DeleteModel('B')\n"
            "    return migrations.DeleteModel(n)"
        ),
        "[make('A'), make('B'), make('C')]",
    ),
    "lambda": ("make = lambda n: migrations.DeleteModel(n)", "[make('A'), make('B'), make('C')]"),
    "static method": (
        "class Make:\n    @staticmethod\n    def one(n):\n        return migrations.DeleteModel(n)",
        "[Make.one('A'), Make.one('B'), Make.one('C')]",
    ),
    "class attribute": ("class Names:\n    ALL = ['A', 'B', 'C']", "[migrations.DeleteModel(n) for n in Names.ALL]"),
    "module variable": (
        "NAMES = ['A']\nNAMES += ['B']\nNAMES.append('C')",
        "[migrations.DeleteModel(n) for n in NAMES]",
    ),
    "appending to an argument": (
        (
            "def add(found):\n"
            "    found.append(migrations.DeleteModel('C'))\n"
            "OPS = [migrations.DeleteModel('A'), migrations.DeleteModel('B')]\n"
            "add(OPS)"
        ),
        "OPS",
    ),
    "aliased import": ("from django.db.migrations import DeleteModel as D", "[D('A'), D('B'), D('C')]"),
    "deep import": (
        "import django.db.migrations.operations.models as o",
        "[o.DeleteModel('A'), o.DeleteModel('B'), o.DeleteModel('C')]",
    ),
}


@pytest.mark.parametrize(("head", "value"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_helpers_in_the_file(reader, head: str, value: str) -> None:
    migration = reader.body(f"operations = {value}\n", head=head)
    assert migration.operations == (A, B, C)
    assert migration.gaps == ()


IMPORTS = {
    "relative module": (
        "from .parts import OPS",
        {"library/migrations/parts.py": "from django.db import migrations\nOPS = [migrations.DeleteModel('A')]"},
    ),
    "parent package": (
        "from ..ops import OPS",
        {"library/ops.py": "from django.db.migrations import DeleteModel\nOPS = (DeleteModel('A'),)"},
    ),
    "absolute": (
        "from library.ops import OPS",
        {"library/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]"},
    ),
    "absolute module": (
        "import library.ops\nOPS = library.ops.OPS",
        {"library/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]"},
    ),
    "renamed module": (
        "import library.ops as o\nOPS = o.make()",
        {"library/ops.py": "from django.db import migrations as m\ndef make():\n    return [m.DeleteModel('A')]"},
    ),
    "star": (
        "from library.ops import *",
        {"library/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]"},
    ),
    "re-exported": (
        "from library import OPS",
        {
            "library/__init__.py": "from .ops import OPS",
            "library/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]",
        },
    ),
    "re-exported by a star": (
        "from library import OPS",
        {
            "library/__init__.py": "from .ops import *",
            "library/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]",
        },
    ),
    "another migration": (
        "import importlib\nOPS = importlib.import_module('library.migrations.0001_initial').Migration.operations",
        {
            "library/migrations/0001_initial.py": (
                "from django.db import migrations as m\n"
                "class Migration(m.Migration):\n"
                "    operations = [m.DeleteModel('A')]"
            )
        },
    ),
    "namespace package": (
        "from shared.ops import OPS",
        {"shared/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]"},
    ),
    "the first of two that exists": (
        "try:\n    from library.ops import OPS\nexcept ImportError:\n    OPS = []",
        {"library/ops.py": "from django.db import migrations as m\nOPS = [m.DeleteModel('A')]"},
    ),
}


@pytest.mark.parametrize(("head", "files"), IMPORTS.values(), ids=IMPORTS)
def test_lists_from_the_project(reader, head: str, files: dict[str, str]) -> None:
    migration = reader.body("operations = OPS\n", files, head=head)
    assert migration.operations == (A,)
    assert migration.gaps == ()
    # The call stands in another file: what can be pointed at is the text in this one that leads there.
    assert migration.operations[0].span is not None


def test_star_import_of_django(reader) -> None:
    migration = reader(
        "from django.db.migrations import *\nclass Migration(Migration):\n    operations = [DeleteModel('A')]"
    )
    assert migration.operations == (A,)


def test_inner_lists_of_separate_database_and_state(reader) -> None:
    body = """
        state = [migrations.DeleteModel("A")]
        operations = [
            migrations.SeparateDatabaseAndState(
                state_operations=state + STATE,
                database_operations=None,
            ),
            migrations.SeparateDatabaseAndState([migrations.DeleteModel("B")], [migrations.DeleteModel("C")]),
        ]
    """
    migration = reader.body(body, head="STATE = [migrations.DeleteModel('B')]")
    assert migration.operations == (
        SeparateDatabaseAndState(state_operations=(A, B)),
        SeparateDatabaseAndState(database_operations=(B,), state_operations=(C,)),
    )


# Where only running code can tell: (body, operations).
DEPENDS = {
    "setting": (
        "operations = [_('A')]\nif settings.TEAMS:\n    operations.append(_('B'))\noperations.append(_('C'))",
        [A, [[B], []], C],
    ),
    "database": (
        (
            "from django.db import connection\n"
            "if connection.vendor == 'mysql':\n"
            "    operations = [_('A')]\n"
            "else:\n"
            "    operations = [_('B')]"
        ),
        [[[A], [B]]],
    ),
    "default of a setting": ("operations = [_('A')] if getattr(settings, 'X', True) else []", [[[A], []]]),
    "in a setting": ("operations = [_('A'), *([_('B')] if 'x' in settings.INSTALLED_APPS else [])]", [A, [[B], []]]),
    "one element": ("operations = [_('A') if settings.X else _('B')]", [[[A], [B]]]),
    "inserted": ("operations = [_('C')]\nif settings.X:\n    operations.insert(0, _('A'))", [[[A], []], C]),
    "twice": (
        "operations = []\nif settings.X:\n    operations += [_('A')]\nif settings.Y:\n    operations += [_('B')]",
        [[[A], []], [[B], []]],
    ),
    "elif": (
        (
            "if settings.X:\n"
            "    operations = [_('A')]\n"
            "elif settings.Y:\n"
            "    operations = [_('B')]\n"
            "else:\n"
            "    operations = []"
        ),
        # Either A, or what the inner condition leaves.
        [[[A], [[[B], []]]]],
    ),
    # What the body does not bind, the base class has: no operations.
    "nothing otherwise": ("if settings.X:\n    operations = [_('A')]\n", [[[A], []]]),
    "nothing in one of three": (
        "if settings.X:\n    operations = [_('A')]\nelif settings.Y:\n    operations = [_('B')]\n",
        [[[A], [B], []]],
    ),
    "raising otherwise": ("operations = [_('A')]\nif not settings.X:\n    raise RuntimeError\n", [A]),
}


def shape(operations: tuple[Operation, ...]) -> list[object]:
    return [
        [shape(branch) for branch in operation.branches] if isinstance(operation, ConditionalOperations) else operation
        for operation in operations
    ]


@pytest.mark.parametrize(("body", "wanted"), DEPENDS.values(), ids=DEPENDS)
def test_conditions_that_nobody_can_decide(reader, body: str, wanted: list[object]) -> None:
    migration = reader.body(f"_ = migrations.DeleteModel\n{body}\n")
    assert shape(migration.operations) == wanted
    assert bool(migration.gaps) == (wanted != [A])
    assert all("depends on" in gap.reason for gap in migration.gaps)


def test_what_a_condition_leaves_unbound_is_inherited(reader) -> None:
    migration = reader(
        """
        from django.conf import settings
        from django.db import migrations


        class Base(migrations.Migration):
            operations = [migrations.DeleteModel("B")]


        class Migration(Base):
            if settings.X:
                operations = [migrations.DeleteModel("A")]
        """
    )
    assert shape(migration.operations) == [[[A], [B]]]


def test_a_conditional_says_on_what_it_depends(reader) -> None:
    [operation] = reader.operations("[migrations.DeleteModel('A')] if settings.TEAMS else []")
    assert operation.reason == "depends on `settings.TEAMS`"
    assert operation.span.line == 7


# What stays unknown, and only that: (body, where A, B … are).
UNKNOWN_PARTS = {
    "unknown list": ("operations = [_('A'), *outside.OPS, _('B')]", [A, None, B]),
    "concatenated": ("operations = [_('A')] + outside.make() + [_('B')]", [A, None, B]),
    "unknown element": ("operations = [_('A'), outside.make(), _('B')]", [A, None, B]),
    "all of it": ("operations = outside.make()", [None]),
    "unknown loop": ("operations = [_('A')]\nfor n in outside.NAMES:\n    operations.append(_(n))", [A, None]),
    "comprehension": ("operations = [_(n) for n in outside.NAMES]", [None]),
    "while": ("operations = [_('A')]\nwhile outside.more():\n    operations.append(_('B'))", [A, None]),
    "passed on": ("operations = [_('A')]\noutside.add(operations)\noperations.append(_('B'))", [A, None, B]),
    "a name that is not there": ("operations = [_('A'), nobody]", [A, None]),
    "computed name": ("operations = [_(outside.NAME), _('B')]", [None, B]),
    "a number": ("operations = [_('A'), 1]", [A, None]),
}


@pytest.mark.parametrize(("body", "wanted"), UNKNOWN_PARTS.values(), ids=UNKNOWN_PARTS)
def test_unknown_parts_stay_in_their_place(reader, body: str, wanted: list[Operation | None]) -> None:
    migration = reader.body(f"_ = migrations.DeleteModel\n{body}\n", head="import outside")
    assert len(migration.operations) == len(wanted), migration.operations
    for got, want in zip(migration.operations, wanted, strict=True):
        if want is None:
            assert isinstance(got, UnknownOperation), got
            assert got.reason
            assert got.span is not None
        else:
            assert got == want
    assert len(migration.gaps) == 1
    assert migration.gaps[0].unchecked


def test_an_unknown_class_is_about_what_its_arguments_name(reader) -> None:
    migration = reader.body(
        """
        operations = [
            outside.AlterThing(model_name="Book", name="authors", field=models.TextField()),
            outside.AlterModel("Book"),
            outside.AlterModel(name="Book"),
            migrations.RemoveField(model_name=outside.MODEL, name="tags"),
            migrations.RemoveField(model_name="Book", name=outside.FIELD),
        ]
        """,
        head="import outside",
    )
    book = frozenset({ModelKey("library", "book")})
    assert [(each.models, each.fields) for each in migration.operations] == [
        (book, frozenset({"authors"})),
        (UNKNOWN, UNKNOWN),
        (book, UNKNOWN),
        (UNKNOWN, frozenset({"tags"})),
        (book, UNKNOWN),
    ]
    assert migration.operations[0].class_path == "outside.AlterThing"


def test_fields_that_depend_on_a_condition_are_unknown_by_name(reader) -> None:
    migration = reader.body(
        """
        fields = [("id", models.AutoField(primary_key=True))]
        if settings.TAGGING:
            fields.append(("tags", models.ManyToManyField("library.Tag")))
        operations = [migrations.CreateModel("Book", fields)]
        """
    )
    [create] = migration.operations
    assert isinstance(create, CreateModel)
    assert create.fields_complete
    assert [(each.name, each.field.kind) for each in create.fields] == [
        ("id", FieldKind.COLUMN),
        ("tags", FieldKind.UNKNOWN),
    ]


def test_fields_from_elsewhere(reader) -> None:
    migration = reader.body(
        """
        operations = [
            migrations.CreateModel(name="Book", fields=[*BASE, ("title", models.TextField())]),
            migrations.CreateModel(name="Page", fields=BASE + outside.FIELDS),
            migrations.CreateModel(name="Leaf", fields=[(outside.NAME, models.TextField()), ("n", models.TextField())]),
        ]
        """,
        head="import outside\nBASE = [('id', models.AutoField(primary_key=True))]",
    )
    book, page, leaf = migration.operations
    assert [each.name for each in book.fields] == ["id", "title"]
    assert book.fields_complete
    assert [each.name for each in page.fields] == ["id"]
    assert not page.fields_complete
    assert [each.name for each in leaf.fields] == ["n"]
    assert not leaf.fields_complete


def test_changes_after_the_class(reader) -> None:
    migration = reader(
        """
        from django.db import migrations

        class Migration(migrations.Migration):
            operations = [migrations.DeleteModel("A")]

        Migration.operations.append(migrations.DeleteModel("B"))
        Migration.operations += [migrations.DeleteModel("C")]
        Migration.dependencies = [("library", "0001_initial")]
        """
    )
    assert migration.operations == (A, B, C)
    assert [str(each.key) for each in migration.dependencies] == ["library.0001_initial"]


PLAIN = "models.OneToOneField(to='library.Page', on_delete=models.CASCADE, parent_link=True)"
LINKS = "models.ManyToManyField(to='library.Page')"
FIELDS = {
    "a plain field of a computed name": (f"[(outside.NAME, {PLAIN})]", False, True),
    "links of a computed name": (f"[(outside.NAME, {LINKS})]", False, False),
    "an unknown class of a computed name": ("[(outside.NAME, outside.Field(to='library.Page'))]", False, False),
    "a computed field": ("[('name', outside.FIELDS[0])]", True, False),
    "a computed entry": ("[outside.make()]", False, False),
    "all of them computed": ("outside.make()", False, False),
    "a plain field that may be missing": (f"[*([('page', {PLAIN})] if settings.PAGES else [])]", True, True),
    "links that may be missing": (f"[*([('page', {LINKS})] if settings.PAGES else [])]", True, False),
    "links": (f"[('page', {LINKS})]", True, True),
}


@pytest.mark.parametrize(("fields", "complete", "links_complete"), FIELDS.values(), ids=FIELDS)
def test_what_of_a_models_fields_may_be_links(reader, fields: str, complete: bool, links_complete: bool) -> None:
    migration = reader.body(f"operations = [migrations.CreateModel('Leaf', {fields})]\n", head="import outside")
    [create] = migration.operations
    assert (create.fields_complete, create.links_complete) == (complete, links_complete)
    assert bool(migration.gaps) == (fields != FIELDS["links"][0])

"""Both readers yield the same: of every fixture, of installed packages, and of what only Django can tell.

The static reader may know less, and says so (UNKNOWN, a gap); what it does know has to be what Django has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from tests.live.conftest import in_django
from tests.readers.test_against_django import PROJECT
from tests.support.rule_projects import GUIDE_FIXTURES, projects

Write = Callable[[dict[str, str]], Path]
INSTALLED = [
    *(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "flatpages", "redirects", "sessions")),
    "django.contrib.sites",
    "modelcluster",
    "sortedm2m",
    "taggit",
]


def settings(*apps: str, **more: Any) -> dict[str, Any]:
    return {
        "INSTALLED_APPS": ["lint_m2m", *apps],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "SITE_ID": 1,
        **more,
    }


def agreed(answer: dict[str, Any]) -> dict[str, Any]:
    assert not answer["differences"], "\n".join(answer["differences"])
    assert all(answer["facts"])
    return answer


def test_every_fixture() -> None:
    fixtures = projects() + projects(GUIDE_FIXTURES)
    answers = in_django([{"folder": str(one.path)} for one in fixtures])
    differences = [
        f"{one.id}: {text}" for one, answer in zip(fixtures, answers, strict=True) for text in answer["differences"]
    ]
    assert not differences, "\n".join(differences)
    compared = sum(answer["compared"] for answer in answers)
    assert compared > 400
    # Those made to be unreadable apart.
    assert sum(answer["equal"] for answer in answers) > 0.95 * compared
    # The source shows where everything stands, and Django tells what the source does not.
    assert [text for answer in answers for text in answer["unplaced"]] == []
    assert [text for answer in answers for text in answer["gaps"]] == []


def test_installed_packages(tmp_path: Path) -> None:
    """What Django itself ships with migrations, and the packages that have classes of their own."""
    [answer] = in_django([{"folder": str(tmp_path), "settings": settings(*INSTALLED)}])
    agreed(answer)
    assert answer["compared"] == answer["equal"] > 20
    assert answer["broken"] == answer["gaps"] == answer["unplaced"] == []


CLASSES = """
    from django.db import migrations, models
    from sortedm2m.fields import SortedManyToManyField
    from sortedm2m.operations import AlterSortedManyToManyField
    from modelcluster.fields import ParentalKey, ParentalManyToManyField
    from shop import fields


    class Nothing(migrations.operations.base.Operation):
        def state_forwards(self, app_label, state):
            pass

        def database_forwards(self, app_label, schema_editor, from_state, to_state):
            pass


    class Touch(migrations.operations.base.Operation):
        def __init__(self, model):
            self.model = model

        def state_forwards(self, app_label, state):
            pass

        def database_forwards(self, app_label, schema_editor, from_state, to_state):
            from_state.apps.get_model("shop", "Book").objects.update(code="x")


    class Loud(migrations.AlterField):
        def database_forwards(self, *args):
            print("altering")
            super().database_forwards(*args)


    def forwards(apps, schema_editor):
        Book = apps.get_model("shop", "Book")
        for book in Book.objects.all():
            book.tags.add(*book.old_tags.all())


    class Migration(migrations.Migration):
        dependencies = [("shop", "m0001_lists"), migrations.swappable_dependency("auth.User")]
        operations = [
            migrations.CreateModel(
                "Plain",
                [
                    ("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False)),
                    ("slug", models.SlugField(max_length=50, db_index=True)),
                    ("mail", models.EmailField(max_length=254, unique=True, null=False, db_column=None)),
                    ("site", models.URLField(max_length=200)),
                    ("when", models.DateTimeField(auto_now_add=True)),
                    ("key", models.UUIDField(default=None, editable=False)),
                    ("price", models.DecimalField("price", None, 8, 2)),
                    ("one", models.OneToOneField("shop.Tag", models.CASCADE, unique=True, to_field="code")),
                    ("many", models.ForeignKey("shop.Tag", models.CASCADE, db_index=True, db_constraint=True)),
                    ("bare", models.ForeignKey(to="Tag", on_delete=models.CASCADE, db_index=False, related_name="+")),
                    ("self", models.ManyToManyField("self", symmetrical=True)),
                    ("other", models.ManyToManyField("self", symmetrical=False, related_query_name="o")),
                    ("more", models.ManyToManyField("shop.Tag", symmetrical=False, db_constraint=False)),
                    ("via", models.ManyToManyField("shop.Tag", through="Via", through_fields=("plain", "tag"))),
                    ("sorted", SortedManyToManyField("shop.Tag", sort_value_field_name="rank")),
                    ("unsorted", SortedManyToManyField("shop.Tag", sorted=False)),
                    ("owner", ParentalKey("shop.Tag", related_name="owned", on_delete=models.CASCADE)),
                    ("owned", ParentalManyToManyField("shop.Tag", blank=True)),
                    ("keeper", fields.Owner(db_column="who")),
                    ("silent", fields.Silent()),
                    ("nothing", models.EmailField()),
                    ("links", fields.Links(blank=True)),
                    ("file", models.FileField(max_length=100)),
                    ("image", models.ImageField(upload_to="x")),
                    ("small", models.PositiveSmallIntegerField(default=0, null=True)),
                ],
                options={
                    "db_table": "plain",
                    "managed": True,
                    "unique_together": ("slug", "mail"),
                    "indexes": [models.Index("slug", name="i"), models.Index(fields=["-site", "mail"], name="j")],
                    "constraints": [
                        models.CheckConstraint(name="c", **{CHECK: models.Q(small__gt=0)}),
                        models.UniqueConstraint("slug", name="u"),
                        models.UniqueConstraint(fields=["slug"], name="v", deferrable=models.Deferrable.DEFERRED),
                    ],
                    "order_with_respect_to": "many",
                    "swappable": "SHOP_PLAIN_MODEL",
                },
                bases=(fields.Mixin, models.Model),
            ),
            AlterSortedManyToManyField("plain", "sorted", SortedManyToManyField("shop.Tag", related_name="s")),
            Loud("plain", "self", models.ManyToManyField("self", blank=True)),
            Nothing(),
            Touch("book"),
            migrations.RunPython(forwards, elidable=True),
            migrations.RunPython(code=forwards, reverse_code=migrations.RunPython.noop),
            migrations.RunSQL(migrations.RunSQL.noop, reverse_sql=["SELECT 1", ("SELECT %s", ["a"])]),
            migrations.SeparateDatabaseAndState(),
            migrations.AlterModelOptions("plain", {}),
            migrations.AlterModelTable("plain", None),
            migrations.AlterUniqueTogether("plain", None),
        ]
"""


MORE_FIELDS = """
    class Mixin:
        pass

    class Silent(models.CharField):
        def __init__(self, *args, **kwargs):
            kwargs.update(max_length=8, null=True, default="x", db_index=True)
            super().__init__(*args, **kwargs)

        def deconstruct(self):
            name, path, args, kwargs = super().deconstruct()
            return name, path, [], {}
"""


def test_every_shape(write: Write) -> None:
    """All ways to write an operation, a field and a class of one's own."""

    check = "check" if django.VERSION < (5, 1) else "condition"
    head, rest = CLASSES.split("class Nothing", 1)
    head = f"{head}CHECK = '{check}'\n\n\n    class Nothing"
    folder = write(
        {
            **PROJECT,
            "shop/migrations/m0003_classes.py": head + rest,
            "shop/fields.py": PROJECT["shop/fields.py"] + MORE_FIELDS,
        }
    )
    project = settings("django.contrib.contenttypes", "django.contrib.auth", "shop")
    [answer] = in_django([{"folder": str(folder), "settings": project}])
    agreed(answer)
    assert answer["broken"] == answer["unplaced"] == []
    assert "UnknownOperation" not in answer["kinds"]


DYNAMIC = """
    from functools import partial

    from django.apps import apps
    from django.conf import settings
    from django.db import connection, migrations, models
    from django.utils.module_loading import import_string


    def rename(old, new, apps, schema_editor):
        apps.get_model("shop", "Book").objects.filter(**{old: None}).update(**{new: 1})


    def copier(source, target):
        def copy(apps, schema_editor):
            model = apps.get_model(source)
            if not schema_editor:
                copy(apps, later)
            for each in model.objects.all():
                getattr(each, target).add(1)

        if source == "never":
            later = None
        return copy


    class Copy:
        def __call__(self, apps, schema_editor):
            apps.get_model("shop", "Tag").objects.all().delete()


    def fields():
        for name in settings.SHOP_FIELDS:
            yield name, import_string(settings.SHOP_CLASS)("shop.Tag")


    Added = type("Added", (migrations.AddField,), {})

    class Migration(migrations.Migration):
        dependencies = [("shop", name) for name in settings.SHOP_AFTER]
        operations = [migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))])]
        for label in sorted(config.label for config in apps.get_app_configs() if config.name == "shop"):
            key = import_string(settings.SHOP_KEY)(primary_key=True)
            operations.append(migrations.CreateModel("Book", [("id", key), *fields()]))
        if connection.vendor == "sqlite":
            operations += [Added("book", "code", models.TextField())]
        operations += [
            migrations.RunPython(partial(rename, "code", new="title")),
            migrations.RunPython(copier("shop.book", "tags")),
            migrations.RunPython(Copy()),
            migrations.RunPython(lambda apps, editor: apps.get_model("shop", "book").objects.all().delete()),
        ]
"""


def test_what_only_running_tells(write: Write) -> None:
    """Settings, installed apps and the database decide: nothing of it is left unread, and all of it has a place."""
    folder = write(
        {
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/m0001_dynamic.py": DYNAMIC,
        }
    )
    project = settings(
        "shop",
        SHOP_FIELDS=["tags"],
        SHOP_CLASS="django.db.models.ManyToManyField",
        SHOP_KEY="django.db.models.BigAutoField",
        SHOP_AFTER=[],
    )
    [answer] = in_django([{"folder": str(folder), "settings": project}])
    agreed(answer)
    assert answer["broken"] == answer["gaps"] == answer["unplaced"] == []
    assert answer["kinds"] == ["CreateModel", "CreateModel", "AddField", *["RunPython"] * 4]
    assert answer["code"] == [
        ["rename", ["shop.book"], None],
        ["copy", ["shop.book"], None],
        ["__call__", ["shop.tag"], None],
        ["<lambda>", ["shop.book"], None],
    ]
    assert answer["links"] == [["shop.book.tags", True, []]]


TABLES = """
    from django.db import migrations, models


    class Ranked(models.ManyToManyField):
        def contribute_to_class(self, cls, name, **kwargs):
            super().contribute_to_class(cls, name, **kwargs)
            if self.remote_field.through._meta.auto_created:
                self.remote_field.through.add_to_class("rank", models.IntegerField(db_column="place", default=0))


    class Elsewhere(models.ManyToManyField):
        def contribute_to_class(self, cls, name, **kwargs):
            super().contribute_to_class(cls, name, **kwargs)
            self.remote_field.through._meta.db_table = "somewhere"


    class Failing(models.ManyToManyField):
        def contribute_to_class(self, cls, name, **kwargs):
            raise RuntimeError("not without the rest of the project")


    class Migration(migrations.Migration):
        operations = [
            migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),
            migrations.CreateModel(
                "Book",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("ranked", Ranked("Tag", related_name="+")),
                    ("own", Ranked("self")),
                    ("pinned", Ranked("shop.Tag", db_table="pinned")),
                    ("elsewhere", Elsewhere("Tag", related_name="+")),
                    ("failing", Failing("Tag", related_name="+")),
                ],
            ),
        ]
"""


def test_tables_that_a_class_makes(write: Write) -> None:
    """What a field's class adds to its table is seen where Django makes it; what it does not show stays unknown."""
    folder = write(
        {
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": TABLES,
        }
    )
    [answer] = in_django([{"folder": str(folder), "settings": settings("shop")}])
    assert answer["links"] == [
        ["shop.book.ranked", True, ["place"]],
        ["shop.book.own", True, ["place"]],
        ["shop.book.pinned", True, ["place"]],
        ["shop.book.elsewhere", False, None],
        ["shop.book.failing", False, None],
    ]

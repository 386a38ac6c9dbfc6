"""Fields: kinds by class, the arguments that matter, classes from the project, its environment and configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.migration import UNKNOWN, AddField, FieldKind, ModelKey, SwappableRef

TAG = ModelKey("library", "tag")
BOOK = ModelKey("library", "book")


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        ("models.CharField(max_length=10)", "django.db.models.CharField", FieldKind.COLUMN),
        ("models.fields.CharField()", "django.db.models.CharField", FieldKind.COLUMN),
        ("django.db.models.BigAutoField()", "django.db.models.BigAutoField", FieldKind.COLUMN),
        ("models.GeneratedField(expression=1, db_persist=True)", "django.db.models.GeneratedField", FieldKind.COLUMN),
        ("models.NullBooleanField()", "django.db.models.NullBooleanField", FieldKind.COLUMN),
        ("models.CompositePrimaryKey('a', 'b')", "django.db.models.CompositePrimaryKey", FieldKind.VIRTUAL),
        ("models.ForeignKey('Tag', models.CASCADE)", "django.db.models.ForeignKey", FieldKind.FOREIGN_KEY),
        ("models.OneToOneField('Tag', models.CASCADE)", "django.db.models.OneToOneField", FieldKind.FOREIGN_KEY),
        ("models.fields.related.ManyToManyField('Tag')", "django.db.models.ManyToManyField", FieldKind.MANY_TO_MANY),
        ("models.ForeignObject('Tag', models.CASCADE)", "django.db.models.ForeignObject", FieldKind.VIRTUAL),
    ],
)
def test_django_fields(reader, text: str, path: str, kind: FieldKind) -> None:
    field = reader.field(text)
    assert (field.class_path, field.kind, field.class_known) == (path, kind, True)


@pytest.mark.parametrize(
    ("head", "text", "path", "kind"),
    [
        ("from django.db import models as m", "m.TextField()", "django.db.models.TextField", FieldKind.COLUMN),
        (
            "from django.db.models import ManyToManyField as M",
            "M('Tag')",
            "django.db.models.ManyToManyField",
            FieldKind.MANY_TO_MANY,
        ),
        (
            "from django.contrib.gis.db import models as gis",
            "gis.PointField(srid=4326)",
            "django.contrib.gis.db.models.fields.PointField",
            FieldKind.COLUMN,
        ),
        (
            "import django.contrib.gis.db.models.fields",
            "django.contrib.gis.db.models.fields.PointField()",
            "django.contrib.gis.db.models.fields.PointField",
            FieldKind.COLUMN,
        ),
        (
            "from django.contrib.gis.db import models as gis",
            "gis.ManyToManyField('Tag')",
            "django.db.models.ManyToManyField",
            FieldKind.MANY_TO_MANY,
        ),
        (
            "import django.contrib.postgres.fields.array",
            "django.contrib.postgres.fields.array.ArrayField(models.TextField())",
            "django.contrib.postgres.fields.ArrayField",
            FieldKind.COLUMN,
        ),
        (
            "import django.contrib.postgres.fields",
            "django.contrib.postgres.fields.IntegerRangeField()",
            "django.contrib.postgres.fields.ranges.IntegerRangeField",
            FieldKind.COLUMN,
        ),
        (
            "from django.contrib.contenttypes.fields import GenericForeignKey",
            "GenericForeignKey('type', 'pk')",
            "django.contrib.contenttypes.fields.GenericForeignKey",
            FieldKind.VIRTUAL,
        ),
    ],
)
def test_however_they_are_imported(reader, head: str, text: str, path: str, kind: FieldKind) -> None:
    migration = reader.body(f"operations = [migrations.AddField('Book', 'name', {text})]\n", head=head)
    [operation] = migration.operations
    assert isinstance(operation, AddField)
    assert (operation.field.class_path, operation.field.kind, operation.field.class_known) == (path, kind, True)
    assert migration.gaps == ()


def test_arguments_of_columns(reader) -> None:
    field = reader.field(
        """
        models.CharField("verbose", max_length=200, null=True, unique=True, db_column="col", db_index=False,
                         default=unknown(), help_text=unknown(), validators=[unknown], choices=X, db_collation="C")
        """
    )
    assert (field.max_length, field.null, field.unique, field.db_column, field.db_index) == (
        200,
        True,
        True,
        "col",
        False,
    )
    assert (field.has_default, field.has_db_default, field.primary_key, field.auto_created) == (
        True,
        False,
        False,
        False,
    )
    assert field.options == (("db_collation", "C"),)
    assert field.relation is None
    assert field.argument_spans == ()


def test_defaults_that_are_none_at_all(reader) -> None:
    assert reader.field("models.TextField(default=models.NOT_PROVIDED)").has_default is False
    assert reader.field("models.TextField(default=None)").has_default is True
    assert reader.field("models.TextField(db_default='x')").has_db_default is True


def test_an_argument_that_cannot_be_told_is_unknown_and_no_other(reader) -> None:
    field = reader.field("models.CharField(max_length=settings.LENGTH, null=bool(settings.N), unique=True)")
    assert (field.max_length, field.null, field.unique) == (UNKNOWN, UNKNOWN, True)
    field = reader.field("models.CharField(max_length=5, **settings.MORE)")
    assert (field.max_length, field.null, field.db_column) == (5, UNKNOWN, UNKNOWN)
    field = reader.field("models.CharField(**{'max_length': 5, 'null': True})")
    assert (field.max_length, field.null, field.db_column) == (5, True, None)


def test_options_hold_fields(reader) -> None:
    field = reader.field("django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(null=True), size=3)")
    (_, base), (_, size) = field.options
    assert base.class_path == "django.db.models.IntegerField"
    assert base.null is True
    assert size == 3
    assert hash(field)


# Relations.


@pytest.mark.parametrize(
    ("to", "wanted", "label"),
    [
        ("'library.Tag'", TAG, "library.Tag"),
        ("'Library.TAG'", ModelKey("Library", "tag"), "Library.TAG"),
        ("'Tag'", TAG, "Tag"),
        ("'self'", BOOK, "self"),
        ("settings.AUTH_USER_MODEL", SwappableRef("AUTH_USER_MODEL"), "settings.AUTH_USER_MODEL"),
        ("getattr(settings, 'TAG_MODEL', 'library.Tag')", SwappableRef("TAG_MODEL"), "settings.TAG_MODEL"),
        ("settings.TAG_MODEL", SwappableRef("TAG_MODEL"), "settings.TAG_MODEL"),
        ("'%s.%s' % ('library', 'Tag')", TAG, "library.Tag"),
        ("'a.b.C'", UNKNOWN, "a.b.C"),
        ("''", UNKNOWN, ""),
        ("unknown()", UNKNOWN, "unknown()"),
        ("None", UNKNOWN, "None"),
        ("'library.Tag' if settings.X else 'Other'", UNKNOWN, "'library.Tag' if settings.X else 'Other'"),
    ],
)
@pytest.mark.parametrize("argument", ["to", "through"])
def test_models_that_relations_name(reader, argument: str, to: str, wanted: object, label: str) -> None:
    other = "through='library.T'" if argument == "to" else "to='library.T'"
    relation = reader.field(f"models.ManyToManyField({argument}={to}, {other})").relation
    if argument == "through" and to == "None":
        wanted, label = None, None  # no through= at all
    assert getattr(relation, argument) == wanted
    assert getattr(relation, f"{argument}_label") == label


def test_settings_with_a_known_value(reader) -> None:
    swappable = (("AUTH_USER_MODEL", "members.Person"),)
    for to in ("settings.AUTH_USER_MODEL", "get_user_model()", "AUTH_USER_MODEL"):
        migration = reader.body(
            f"operations = [migrations.AddField('Book', 'x', models.ManyToManyField({to}))]\n",
            head="from django.contrib.auth import get_user_model\nAUTH_USER_MODEL = settings.AUTH_USER_MODEL",
            swappable=swappable,
        )
        assert migration.operations[0].field.relation.to == ModelKey("members", "person"), to
    field = reader.field("models.ForeignKey(settings.AUTH_USER_MODEL.lower(), 1)", swappable=swappable)
    assert field.relation.to == ModelKey("members", "person")


def test_swapper(reader) -> None:
    migration = reader.body(
        """
        dependencies = [swapper.dependency("shelf", "Case")]
        operations = [
            migrations.AddField("Book", "x", models.ForeignKey(swapper.get_model_name("shelf", "Case"), models.CASCADE))
        ]
        """,
        head="import swapper",
    )
    assert migration.operations[0].field.relation.to == SwappableRef("SHELF_CASE_MODEL")
    assert [(each.key, each.swappable) for each in migration.dependencies] == [(None, "SHELF_CASE_MODEL")]
    assert migration.gaps == ()


MODELS = {
    "library/models.py": """
        from django.db import models
        class Tag(models.Model):
            pass
        class Base(models.Model):
            class Meta:
                abstract = True
        class Elsewhere(Base):
            class Meta:
                app_label = "members"
        class Mixin:
            pass
    """,
    "people/__init__.py": "",
    "people/migrations/__init__.py": "",
    "people/models/__init__.py": "from .person import Person",
    "people/models/person.py": "from django.db.models import Model\nclass Person(Model):\n    pass",
}


@pytest.mark.parametrize(
    ("head", "to", "wanted"),
    [
        ("from library.models import Tag", "Tag", TAG),
        ("import library.models", "library.models.Tag", TAG),
        ("from ..models import Tag as T", "T", TAG),
        # The label is the app's, not the folder's.
        ("from people.models import Person", "Person", ModelKey("members", "person")),
        ("from library.models import Elsewhere", "Elsewhere", ModelKey("members", "elsewhere")),
        ("from library.models import Base", "Base", UNKNOWN),
        ("from library.models import Mixin", "Mixin", UNKNOWN),
        ("from django.contrib.auth.models import User", "User", ModelKey("auth", "user")),
        ("import taggit.models", "taggit.models.Tag", ModelKey("taggit", "tag")),
    ],
)
def test_models_by_their_class(reader, head: str, to: str, wanted: object) -> None:
    migration = reader.body(
        f"operations = [migrations.AddField('Book', 'x', models.ForeignKey({to}, models.CASCADE))]\n", MODELS, head=head
    )
    assert migration.operations[0].field.relation.to == wanted


def test_all_arguments_of_a_many_to_many(reader) -> None:
    relation = reader.field(
        """
        models.ManyToManyField("Tag", "books", "book", None, False, "library.BookTag", ["book", "tag"], False, "t")
        """
    ).relation
    assert relation.to == TAG
    assert relation.through == ModelKey("library", "booktag")
    # Not symmetrical is what a many-to-many to another model is anyway.
    assert (relation.related_name, relation.related_query_name, relation.symmetrical) == ("books", "book", None)
    assert (relation.through_fields, relation.db_constraint, relation.db_table) == (("book", "tag"), False, "t")
    relation = reader.field("models.ManyToManyField(to='Tag')").relation
    assert relation.through is None
    assert (relation.related_name, relation.through_fields, relation.db_constraint, relation.db_table) == (
        None,
        None,
        True,
        None,
    )
    relation = reader.field("models.ManyToManyField(to='Tag', db_table=settings.T, through_fields=unknown)").relation
    assert (relation.db_table, relation.through_fields) == (UNKNOWN, UNKNOWN)


def test_one_to_one(reader) -> None:
    assert reader.field("models.OneToOneField('Tag', models.CASCADE, to_field='x')").relation.one_to_one is True
    assert reader.field("models.ForeignKey('Tag', models.CASCADE, to_field='x')").relation.one_to_one is False


def test_what_a_relation_does_not_say_is_reported(reader) -> None:
    migration = reader.body(
        "operations = [migrations.AddField('Book', 'tags', models.ManyToManyField('T', through=settings.THROUGH()))]\n"
    )
    [gap] = migration.gaps
    assert gap.reason == "`through=` of `library.book.tags` is what `settings.THROUGH()` returns"
    assert gap.unchecked == "which table `library.book.tags` uses"


# Classes that are not Django's.


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("outside.fields.MoneyField(max_digits=10)", FieldKind.COLUMN),
        ("outside.fields.MoneyField('Price', default=0)", FieldKind.COLUMN),
        ("outside.fields.LinkField(to='library.Tag')", FieldKind.UNKNOWN),
        ("outside.fields.LinkField('library.Tag')", FieldKind.UNKNOWN),
        ("outside.fields.LinkField(settings.AUTH_USER_MODEL)", FieldKind.UNKNOWN),
        ("outside.fields.LinkField(through='library.T')", FieldKind.UNKNOWN),
        ("outside.fields.LinkField(**settings.X)", FieldKind.UNKNOWN),
        # Only a foreign key has on_delete.
        ("outside.fields.LinkField(on_delete=models.CASCADE, to='library.Tag')", FieldKind.FOREIGN_KEY),
        ("outside.fields.LinkField('library.Tag', on_delete=models.CASCADE)", FieldKind.FOREIGN_KEY),
    ],
)
def test_classes_without_source(reader, call: str, kind: FieldKind) -> None:
    migration = reader.body(
        f"operations = [migrations.AddField('Book', 'x', {call})]\n", head="import outside.fields\nimport outside"
    )
    field = migration.operations[0].field
    assert (field.kind, field.class_known) == (kind, False)
    assert field.class_path == call.partition("(")[0]
    assert bool(migration.gaps) == (kind is FieldKind.UNKNOWN)


@pytest.mark.parametrize(
    "field",
    [
        "models.ManyToManyField('Tag') if settings.X else models.TextField()",
        "unknown()",
        "outside.CLASSES['x']('Tag')",
        "None",
        "make()",
    ],
)
def test_fields_that_nobody_can_tell(reader, field: str) -> None:
    migration = reader.body(
        f"operations = [migrations.AddField('Book', 'x', {field})]\n", head="import outside\ndef make():\n    return 1"
    )
    assert migration.operations[0].field.kind is FieldKind.UNKNOWN
    assert migration.gaps[0].unchecked == "what kind of field `library.book.x` is"


def test_a_choice_of_equal_fields_is_none(reader) -> None:
    field = reader.field(
        "models.ManyToManyField('Tag') if settings.X else models.ManyToManyField(to='Tag', blank=True)"
    )
    assert field.kind is FieldKind.MANY_TO_MANY


def test_a_computed_primary_key_is_a_column(reader) -> None:
    migration = reader.body(
        "operations = [migrations.AddField('Book', 'id', AutoField(primary_key=True))]\n",
        head="from django.utils.module_loading import import_string\n"
        "AutoField = import_string(settings.DEFAULT_AUTO_FIELD)",
    )
    field = migration.operations[0].field
    assert (field.kind, field.primary_key, field.class_known) == (FieldKind.COLUMN, True, False)


def test_taggit(reader) -> None:
    migration = reader.body(
        """
        operations = [
            migrations.AddField("Book", "tags", taggit.managers.TaggableManager()),
            migrations.AddField("Book", "tags", taggit.managers.TaggableManager(through=None, to="library.Tag")),
            migrations.AddField("Book", "tags", taggit.managers.TaggableManager("Tags", "", "library.TaggedBook")),
        ]
        """,
        head="import taggit.managers",
    )
    relations = [each.field.relation for each in migration.operations]
    assert all(each.field.kind is FieldKind.MANY_TO_MANY for each in migration.operations)
    item = ModelKey("taggit", "taggeditem")
    assert [each.through for each in relations] == [item, item, ModelKey("library", "taggedbook")]
    assert [each.to for each in relations] == [ModelKey("taggit", "tag"), TAG, ModelKey("taggit", "tag")]


@pytest.mark.parametrize(
    ("arguments", "columns"),
    [
        ("", ("sort_value",)),
        (", sort_value_field_name='position'", ("position",)),
        (", sorted=False", ()),
        (", False", ()),
        (", sorted=settings.SORTED", UNKNOWN),
        (", base_class=outside.Base", UNKNOWN),
    ],
)
def test_sortedm2m(reader, arguments: str, columns: object) -> None:
    migration = reader.body(
        f"operations = [migrations.AddField('Book', 'x', SortedManyToManyField('Tag'{arguments}))]\n",
        head="from sortedm2m.fields import SortedManyToManyField\nimport outside",
    )
    field = migration.operations[0].field
    assert field.kind is FieldKind.MANY_TO_MANY
    assert field.class_known
    assert field.relation.auto_columns == columns
    assert field.relation.to == TAG


PROJECT_FIELDS = {
    "library/fields.py": """
        from django.conf import settings
        from django.db import models
        from django.utils.translation import gettext_lazy as _
        import taggit.managers
        import outside

        class Plain(models.ManyToManyField):
            def formfield(self, **kwargs):
                return None

        class Indirect(Plain):
            pass

        class Defaulted(models.ManyToManyField):
            def __init__(self, *args, **kwargs):
                kwargs.setdefault("to", "library.Tag")
                kwargs["through"] = "library.BookTag"
                super().__init__(*args, **kwargs)

        class Shuffled(models.ManyToManyField):
            def __init__(self, table, to="library.Tag", **kwargs):
                if kwargs.get("blank"):
                    kwargs["null"] = True
                super(Shuffled, self).__init__(to=to, db_table=table, **kwargs)

        class Unfollowable(models.ManyToManyField):
            def __init__(self, *args, **kwargs):
                outside.prepare(self, kwargs)
                if settings.X:
                    super().__init__(*args, **kwargs)
                else:
                    super().__init__("library.Tag")

        class OwnTable(models.ManyToManyField):
            def contribute_to_class(self, cls, name, **kwargs):
                self.remote_field.through = make(cls)
                super().contribute_to_class(cls, name, **kwargs)

        class Descriptor(models.ManyToManyField):
            def contribute_to_class(self, cls, name, **kwargs):
                super().contribute_to_class(cls, name, **kwargs)
                setattr(cls, name, 1)

        class Tags(taggit.managers.TaggableManager):
            pass

        class Owner(models.ForeignKey):
            def __init__(self, **kwargs):
                kwargs.setdefault("to", settings.AUTH_USER_MODEL)
                kwargs.setdefault("on_delete", models.CASCADE)
                super().__init__(**kwargs)

        class Amount(models.DecimalField):
            def __init__(self, *args, **kwargs):
                kwargs["max_digits"] = 13
                super().__init__(*args, **kwargs)

        class Money(models.DecimalField):
            def contribute_to_class(self, cls, name):
                cls.add_to_class(name + "_currency", models.CharField())
                super().contribute_to_class(cls, name)

        class Renamed(models.IntegerField):
            def get_attname_column(self):
                return self.name, "x_" + self.name

        class Nothing(models.Field):
            def db_type(self, connection):
                return None

        class Mixed(outside.Mixin, models.ManyToManyField):
            pass

        class Harmless(outside.Mixin, models.TextField):
            pass

        class Stranger(outside.Field):
            pass
    """,
}


@pytest.mark.parametrize(
    ("call", "kind", "known"),
    [
        ("Plain('Tag')", FieldKind.MANY_TO_MANY, True),
        ("Indirect('Tag')", FieldKind.MANY_TO_MANY, True),
        ("Descriptor('Tag')", FieldKind.MANY_TO_MANY, True),
        ("OwnTable('Tag')", FieldKind.MANY_TO_MANY, False),
        ("Mixed('Tag')", FieldKind.MANY_TO_MANY, False),
        ("Tags()", FieldKind.MANY_TO_MANY, True),
        ("Owner()", FieldKind.FOREIGN_KEY, True),
        ("Amount()", FieldKind.COLUMN, True),
        ("Money()", FieldKind.COLUMN, False),
        ("Renamed()", FieldKind.COLUMN, False),
        ("Harmless()", FieldKind.COLUMN, False),
        ("Nothing()", FieldKind.VIRTUAL, True),
        ("Stranger()", FieldKind.COLUMN, False),
        ("Stranger('library.Tag')", FieldKind.UNKNOWN, False),
    ],
)
def test_classes_of_the_project(reader, call: str, kind: FieldKind, known: bool) -> None:
    migration = reader.body(
        f"operations = [migrations.AddField('Book', 'x', library.fields.{call})]\n",
        PROJECT_FIELDS,
        head="import library.fields",
    )
    field = migration.operations[0].field
    assert (field.kind, field.class_known) == (kind, known)
    assert field.class_path == f"library.fields.{call.partition('(')[0]}"


def test_their_constructors(reader) -> None:
    migration = reader.body(
        """
        operations = [
            migrations.AddField("Book", "x", fields.Defaulted()),
            migrations.AddField("Book", "x", fields.Defaulted(to="library.Author")),
            migrations.AddField("Book", "x", fields.Shuffled("links", blank=True)),
            migrations.AddField("Book", "x", fields.Unfollowable("library.Tag", blank=True)),
            migrations.AddField("Book", "x", fields.Unfollowable(to="library.Tag")),
            migrations.AddField("Book", "x", fields.Owner(null=True)),
            migrations.AddField("Book", "x", fields.Amount(decimal_places=2)),
            migrations.AddField("Book", "x", fields.Tags(through="library.TaggedBook")),
        ]
        """,
        PROJECT_FIELDS,
        head="from library import fields",
        swappable=(("AUTH_USER_MODEL", "members.Person"),),
    )
    first, second, shuffled, position, keyword, owner, amount, tags = (each.field for each in migration.operations)
    booktag = ModelKey("library", "booktag")
    assert (first.relation.to, first.relation.through) == (TAG, booktag)
    assert (second.relation.to, second.relation.through) == (ModelKey("library", "author"), booktag)
    assert (shuffled.relation.to, shuffled.relation.through, shuffled.relation.db_table) == (TAG, None, "links")
    assert shuffled.null is True
    # What the constructor makes of its arguments is unknown, except what the migration says itself.
    assert (position.relation.to, position.relation.through) == (UNKNOWN, UNKNOWN)
    assert (keyword.relation.to, keyword.relation.through) == (TAG, UNKNOWN)
    assert owner.relation.to == ModelKey("members", "person")
    assert owner.null is True
    assert amount.options == (("decimal_places", 2), ("max_digits", 13))
    assert tags.relation.through == ModelKey("library", "taggedbook")


def test_auto_columns_of_classes_that_make_their_own_table(reader) -> None:
    for call, columns in (("Plain", ()), ("OwnTable", UNKNOWN), ("Mixed", UNKNOWN)):
        migration = reader.body(
            f"operations = [migrations.AddField('Book', 'x', library.fields.{call}('Tag'))]\n",
            PROJECT_FIELDS,
            head="import library.fields",
        )
        assert migration.operations[0].field.relation.auto_columns == columns, call


def test_the_class_is_where_it_is_defined(reader) -> None:
    """Moving a class and importing it from the old place does not change the field."""
    paths = set()
    for module in ("library.fields", "library.old", "library"):
        files = {
            "library/__init__.py": "from .old import *",
            "library/old.py": "from library.fields import Plain",
            **PROJECT_FIELDS,
        }
        migration = reader.body(
            f"operations = [migrations.AddField('Book', 'x', {module}.Plain('Tag'))]\n", files, head=f"import {module}"
        )
        paths.add(migration.operations[0].field.class_path)
    assert paths == {"library.fields.Plain"}


def test_a_class_in_the_migration(reader) -> None:
    migration = reader.body(
        "operations = [migrations.AddField('Book', 'x', Own('Tag'))]\n",
        head="class Own(models.ManyToManyField):\n    pass",
    )
    field = migration.operations[0].field
    assert (field.kind, field.class_path) == (FieldKind.MANY_TO_MANY, "library.migrations.0002_test.Own")


def test_installed_source(reader, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "outside.py").write_text(
        "from django.db.models import ManyToManyField\nclass Links(ManyToManyField): ..."
    )
    body = "operations = [migrations.AddField('Book', 'x', outside.Links('library.Tag'))]\n"
    assert reader.body(body, head="import outside").operations[0].field.kind is FieldKind.UNKNOWN
    found = reader.body(body, head="import outside", source_paths=(installed,)).operations[0].field
    assert (found.kind, found.class_known) == (FieldKind.MANY_TO_MANY, True)


def test_configuration_wins(reader) -> None:
    body = "operations = [migrations.AddField('Book', 'x', outside.Links('library.Tag'))]\n"
    auto = (
        reader.body(body, head="import outside", many_to_many_fields=(("outside.Links", "auto"),)).operations[0].field
    )
    assert (auto.kind, auto.relation.to, auto.relation.through) == (FieldKind.MANY_TO_MANY, TAG, None)
    through = (
        reader.body(body, head="import outside", many_to_many_fields=(("outside.Links", "library.Link"),))
        .operations[0]
        .field
    )
    assert through.relation.through == ModelKey("library", "link")
    own = "operations = [migrations.AddField('Book', 'x', library.fields.Stranger(to='library.Tag'))]\n"
    field = (
        reader.body(
            own,
            PROJECT_FIELDS,
            head="import library.fields",
            many_to_many_fields=(("library.fields.Stranger", "auto"),),
        )
        .operations[0]
        .field
    )
    assert (field.kind, field.relation.through, field.class_known) == (FieldKind.MANY_TO_MANY, None, True)

"""Every operation class: its arguments by name and by position, its subclasses, and what other packages have."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.migration import (
    UNKNOWN,
    AddConstraint,
    AddField,
    AddIndex,
    AlterConstraint,
    AlterField,
    AlterModelOptions,
    AlterModelTable,
    AlterOrderWithRespectTo,
    AlterTogether,
    CodeFacts,
    ConditionalOperations,
    Constraint,
    CreateModel,
    DeleteModel,
    Field,
    FieldKind,
    ModelKey,
    ModelOptions,
    NamedField,
    NoDatabaseChange,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunPython,
    RunSQL,
    UnknownOperation,
)

TEXT = Field(class_path="django.db.models.TextField", kind=FieldKind.COLUMN)
PAIR = frozenset({("a", "b")})
UNIQUE = Constraint(class_path="django.db.models.UniqueConstraint", name="u", fields=("a", "b"), plain_unique=True)
INDEX = Constraint(class_path="django.db.models.Index", name="i", fields=("a", "b"))
UNIQUE_TEXT = "models.UniqueConstraint(fields=['a', 'b'], name='u')"
INDEX_TEXT = "models.Index(fields=['a', '-b'], name='i')"

# By position, by name in another order, and what both are.
OPERATIONS = {
    "CreateModel": (
        "'Book', [('t', models.TextField())], {'db_table': 'b'}, ('library.Base',), [('objects', x())]",
        "bases=('library.Base',), options={'db_table': 'b'}, fields=[('t', models.TextField())], name='Book'",
        CreateModel(
            name="Book",
            fields=(NamedField(name="t", field=TEXT),),
            options=ModelOptions(db_table="b", bases=(ModelKey("library", "base"),)),
        ),
    ),
    "DeleteModel": ("'Book'", "name='Book'", DeleteModel(name="Book")),
    "RenameModel": (
        "'Book', 'Volume'",
        "new_name='Volume', old_name='Book'",
        RenameModel(old_name="Book", new_name="Volume"),
    ),
    "AlterModelTable": ("'Book', 'b'", "table='b', name='Book'", AlterModelTable(name="Book", table="b")),
    "AlterModelTableComment": ("'Book', 'c'", "table_comment='c', name='Book'", NoDatabaseChange(name="Book")),
    "AlterUniqueTogether": (
        "'Book', {('a', 'b')}",
        "unique_together=[['a', 'b']], name='Book'",
        AlterTogether(name="Book", option_name="unique_together", value=PAIR),
    ),
    "AlterIndexTogether": (
        "'Book', ('a', 'b')",
        "index_together=set([('a', 'b')]), name='Book'",
        AlterTogether(name="Book", option_name="index_together", value=PAIR),
    ),
    "AlterOrderWithRespectTo": (
        "'Book', 'shelf'",
        "order_with_respect_to='shelf', name='Book'",
        AlterOrderWithRespectTo(name="Book", order_with_respect_to="shelf"),
    ),
    "AlterModelOptions": (
        "'Book', {'managed': False, 'verbose_name': x()}",
        "options={'managed': False}, name='Book'",
        AlterModelOptions(name="Book", managed=False),
    ),
    "AlterModelManagers": ("'Book', []", "managers=[('o', x())], name='Book'", NoDatabaseChange(name="Book")),
    "AddField": (
        "'Book', 't', models.TextField(), False",
        "preserve_default=False, field=models.TextField(), name='t', model_name='Book'",
        AddField(model_name="Book", name="t", field=TEXT, preserve_default=False),
    ),
    "AlterField": (
        "'Book', 't', models.TextField()",
        "field=models.TextField(), name='t', model_name='Book'",
        AlterField(model_name="Book", name="t", field=TEXT),
    ),
    "RemoveField": ("'Book', 't'", "name='t', model_name='Book'", RemoveField(model_name="Book", name="t")),
    "RenameField": (
        "'Book', 't', 'u'",
        "new_name='u', old_name='t', model_name='Book'",
        RenameField(model_name="Book", old_name="t", new_name="u"),
    ),
    "AddConstraint": (
        f"'Book', {UNIQUE_TEXT}",
        f"constraint={UNIQUE_TEXT}, model_name='Book'",
        AddConstraint(model_name="Book", constraint=UNIQUE),
    ),
    "RemoveConstraint": ("'Book', 'u'", "name='u', model_name='Book'", RemoveConstraint(model_name="Book", name="u")),
    "AlterConstraint": (
        f"'Book', 'u', {UNIQUE_TEXT}",
        f"constraint={UNIQUE_TEXT}, name='u', model_name='Book'",
        AlterConstraint(model_name="Book", name="u", constraint=UNIQUE),
    ),
    "AddIndex": (
        f"'Book', {INDEX_TEXT}",
        f"index={INDEX_TEXT}, model_name='Book'",
        AddIndex(model_name="Book", index=INDEX),
    ),
    "RemoveIndex": ("'Book', 'i'", "name='i', model_name='Book'", RemoveIndex(model_name="Book", name="i")),
    "RenameIndex": (
        "'Book', 'j', None, ('a', 'b')",
        "old_fields=['a', 'b'], new_name='j', model_name='Book'",
        RenameIndex(model_name="Book", new_name="j", old_fields=("a", "b")),
    ),
    "RunSQL": (
        "'SELECT 1', 'SELECT 2', [migrations.DeleteModel('Book')]",
        "state_operations=[migrations.DeleteModel('Book')], reverse_sql='SELECT 2', sql='SELECT 1'",
        RunSQL(sql=("SELECT 1",), reverse_sql=("SELECT 2",), state_operations=(DeleteModel(name="Book"),)),
    ),
    "RunPython": (
        "migrations.RunPython.noop, migrations.RunPython.noop",
        "reverse_code=migrations.RunPython.noop, code=migrations.RunPython.noop",
        RunPython(code=None, reversible=True),
    ),
}


@pytest.mark.parametrize(("positional", "named", "wanted"), OPERATIONS.values(), ids=OPERATIONS)
def test_arguments_in_any_order(reader, positional: str, named: str, wanted: Operation) -> None:
    name = next(key for key, value in OPERATIONS.items() if value[0] == positional and value[2] == wanted)
    migration = reader.body(
        f"operations = [migrations.{name}({positional}), migrations.{name}({named}), "
        f"migrations.operations.{name}(**dict({named}))]\n"
    )
    assert migration.operations == (wanted, wanted, wanted)
    assert migration.gaps == ()


def test_every_operation_django_exports_is_known(reader) -> None:
    """Whatever Django version runs the tests: nothing in django.db.migrations is a stranger."""
    from django.db.migrations import operations

    from lint_m2m.readers.django_names import DJANGO_OPERATIONS

    for name in operations.__all__:
        assert f"django.db.migrations.{name}" in DJANGO_OPERATIONS


@pytest.mark.drivers
def test_every_operation_for_postgresql_is_known() -> None:
    from django.contrib.postgres import operations as postgres

    from lint_m2m.readers.django_names import DJANGO_OPERATIONS

    for name, value in vars(postgres).items():
        if (
            isinstance(value, type)
            and value.__module__ == postgres.__name__
            and not name.endswith(("Mixin", "Operation"))
        ):
            assert f"django.contrib.postgres.operations.{name}" in DJANGO_OPERATIONS, name


def test_parameters_are_those_of_django() -> None:
    import inspect

    from django.db.migrations import operations

    from lint_m2m.readers.django_names import DJANGO_OPERATIONS

    for name in operations.__all__:
        parameters = tuple(inspect.signature(getattr(operations, name)).parameters)
        assert DJANGO_OPERATIONS[f"django.db.migrations.{name}"].parameters == parameters, name


@pytest.mark.parametrize(
    "package", ["django.db.models", pytest.param("django.contrib.postgres.fields", marks=pytest.mark.drivers)]
)
def test_every_field_django_exports_is_known(package: str) -> None:
    from importlib import import_module

    from django.db import models

    from lint_m2m.readers.django_names import DJANGO_FIELDS

    fields = {
        name: cls
        for name, cls in vars(import_module(package)).items()
        if isinstance(cls, type) and issubclass(cls, models.Field)
    }
    assert fields
    for name, cls in fields.items():
        known = DJANGO_FIELDS[f"{package}.{name}"]
        assert DJANGO_FIELDS[f"{cls.__module__}.{cls.__name__}"] is known
        if name not in ("ForeignKey", "OneToOneField", "ManyToManyField", "ForeignObject", "OrderWrt"):
            made = cls(models.TextField()) if name == "ArrayField" else None
            path = (
                known.path if name in ("GeneratedField", "CompositePrimaryKey") else ((made or cls()).deconstruct()[1])
            )
            assert known.path == path


def test_positional_parameters_of_relations_are_those_of_django() -> None:
    import inspect

    from django.db import models

    from lint_m2m.readers.django_names import DJANGO_FIELDS

    for name in ("ForeignKey", "OneToOneField", "ManyToManyField"):
        signature = inspect.signature(getattr(models, name).__init__)
        plain = [each.name for each in signature.parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
        assert [*DJANGO_FIELDS[f"django.db.models.{name}"].parameters] == plain[1 : len(plain)]


# Subclasses.

OPS = {
    "library/ops.py": """
        from django.contrib.postgres.operations import AddIndexConcurrently
        from django.db import migrations
        from django.db.migrations import RunPython
        from django.db.migrations.operations.base import Operation
        from django.db.migrations.operations.fields import AlterField
        import outside

        class Logged(migrations.AddField):
            def describe(self):
                return "x"

        class SafeAlter(AlterField):
            def database_forwards(self, app_label, schema_editor, from_state, to_state):
                pass

        class Gated(SafeAlter):
            def allow_migrate_model(self, alias, model):
                return False

        class Mixed(outside.Mixin, AlterField):
            pass

        class Remove(migrations.RemoveField):
            def __init__(self, path):
                model_name, name = path.split(".")
                super().__init__(model_name=model_name, name=name)

        class Lock(migrations.RunSQL):
            def __init__(self, table, **kwargs):
                super().__init__(sql=f"LOCK TABLE {table}", reverse_sql="", **kwargs)

        class Fill(RunPython):
            def __init__(self, model, field):
                def forwards(apps, schema_editor):
                    apps.get_model("library", model).objects.update(**{field: 1})
                super().__init__(forwards, RunPython.noop)

        class Opaque(migrations.RemoveField):
            def __init__(self, *args):
                outside.init(self, args)

        class Nothing(Operation):
            def state_forwards(self, app_label, state):
                pass
            def database_forwards(self, app_label, schema_editor, from_state, to_state):
                '''Nothing either.'''

        class Check(Operation):
            def __init__(self, model_name):
                self.model_name = model_name
            def state_forwards(self, app_label, state):
                pass
            def database_forwards(self, app_label, schema_editor, from_state, to_state):
                from_state.apps.get_model(app_label, self.model_name).objects.all().delete()

        class Own(Operation):
            def __init__(self, model_name, name):
                pass
            def state_forwards(self, app_label, state):
                state.remove_model(app_label, "x")

        class Fast(AddIndexConcurrently):
            pass

        class Stranger(outside.SomeOperation):
            pass
    """
}


def read(reader, text: str, **options: object) -> Operation:
    [operation] = reader.body(
        f"operations = [{text}]\n", OPS, head="from library import ops\nimport outside", **options
    ).operations
    return operation


def test_subclasses_act_as_what_they_come_from(reader) -> None:
    logged = read(reader, "ops.Logged('Book', 't', models.TextField())")
    assert logged == AddField(model_name="Book", name="t", field=TEXT, class_path="library.ops.Logged")
    safe = read(reader, "ops.SafeAlter('Book', 't', models.TextField())")
    assert isinstance(safe, AlterField)
    assert safe.overrides == {"database_forwards"}
    gated = read(reader, "ops.Gated('Book', 't', models.TextField())")
    assert gated.overrides == {"database_forwards", "database_backwards"}
    mixed = read(reader, "ops.Mixed('Book', 't', models.TextField())")
    assert isinstance(mixed, AlterField)
    assert mixed.overrides == {"state_forwards", "database_forwards", "database_backwards"}
    assert read(reader, "ops.Fast('Book', models.Index(fields=['a', 'b'], name='i'))") == AddIndex(
        model_name="Book", index=INDEX, class_path="library.ops.Fast"
    )


def test_constructors_of_subclasses(reader) -> None:
    assert read(reader, "ops.Remove('Book.tags')") == RemoveField(
        model_name="Book", name="tags", class_path="library.ops.Remove"
    )
    assert read(reader, "ops.Lock('t', state_operations=[migrations.DeleteModel('A')])") == RunSQL(
        sql=("LOCK TABLE t",),
        reverse_sql=(),
        state_operations=(DeleteModel(name="A"),),
        class_path="library.ops.Lock",
    )
    fill = read(reader, "ops.Fill('Book', field='owner')")
    assert isinstance(fill, RunPython)
    assert isinstance(fill.code, CodeFacts)
    assert fill.code.models == {ModelKey("library", "book")}
    assert "owner" in fill.code.names
    assert fill.code.opaque is None
    assert fill.reversible is True
    opaque = read(reader, "ops.Opaque('Book', 'tags')")
    assert isinstance(opaque, UnknownOperation)
    assert opaque.class_path == "library.ops.Opaque"


def test_operations_of_the_projects_own(reader) -> None:
    assert read(reader, "ops.Nothing()") == NoDatabaseChange(class_path="library.ops.Nothing")
    check = read(reader, "ops.Check('Book')")
    assert isinstance(check, RunPython)
    assert isinstance(check.code, CodeFacts)
    assert check.code.models == {ModelKey("library", "book")}
    assert check.code.opaque is None
    assert check.reversible is False
    own = read(reader, "ops.Own(model_name='Book', name='tags')")
    assert isinstance(own, UnknownOperation)
    assert own.overrides == {"state_forwards"}
    assert (own.models, own.fields) == (frozenset({ModelKey("library", "book")}), frozenset({"tags"}))
    stranger = read(reader, "ops.Stranger(model_name='Book')")
    assert isinstance(stranger, UnknownOperation)
    assert stranger.models == {ModelKey("library", "book")}


def test_a_class_in_the_migration(reader) -> None:
    migration = reader.body(
        "operations = [Quiet('Book', 't', models.TextField())]\n",
        head="class Quiet(migrations.AlterField):\n    def state_forwards(self, app_label, state):\n        pass",
    )
    [operation] = migration.operations
    assert operation.overrides == {"state_forwards"}
    assert operation.class_path == "library.migrations.0002_test.Quiet"


def test_one_of_two_classes_that_do_the_same(reader) -> None:
    """``from … import AddIndex`` or AddIndexConcurrently, by the database: the same for us."""
    head = """
        if settings.SQLITE:
            from django.db.migrations import AddIndex, AddField as Change
        else:
            from django.contrib.postgres.operations import AddIndexConcurrently as AddIndex
            from django.db.migrations import AlterField as Change
    """
    migration = reader.body(f"operations = [AddIndex('Book', {INDEX_TEXT})]\n", head=head)
    assert migration.operations == (AddIndex(model_name="Book", index=INDEX),)
    assert migration.gaps == ()
    migration = reader.body("operations = [Change('Book', 't', models.TextField())]\n", head=head)
    [operation] = migration.operations
    assert isinstance(operation, ConditionalOperations)
    assert [type(branch[0]) for branch in operation.branches] == [AddField, AlterField]


@pytest.mark.parametrize(
    ("head", "text", "wanted"),
    [
        (
            "from django.contrib.postgres.operations import AddIndexConcurrently",
            f"AddIndexConcurrently('Book', {INDEX_TEXT})",
            AddIndex(model_name="Book", index=INDEX),
        ),
        (
            "import django.contrib.postgres.operations as o",
            "o.RemoveIndexConcurrently('Book', 'i')",
            RemoveIndex(model_name="Book", name="i"),
        ),
        (
            "import django.contrib.postgres.operations as o",
            f"o.AddConstraintNotValid('Book', {UNIQUE_TEXT})",
            AddConstraint(model_name="Book", constraint=UNIQUE),
        ),
        (
            "import django.contrib.postgres.operations as o",
            "o.ValidateConstraint('Book', 'u')",
            NoDatabaseChange(name="Book"),
        ),
        ("import django.contrib.postgres.operations as o", "o.TrigramExtension()", NoDatabaseChange()),
        ("import django.contrib.postgres.operations as o", "o.CreateExtension('x')", NoDatabaseChange()),
        ("import django.contrib.postgres.operations as o", "o.CreateCollation('a', 'b')", NoDatabaseChange()),
        (
            "import sortedm2m.operations as s",
            "s.AlterSortedManyToManyField('Book', 't', models.TextField())",
            AlterField(
                model_name="Book",
                name="t",
                field=TEXT,
                class_path="sortedm2m.operations.AlterSortedManyToManyField",
                overrides=frozenset({"database_forwards", "database_backwards"}),
            ),
        ),
        (
            "import pgtrigger.migrations",
            "pgtrigger.migrations.AddTrigger(model_name='Book', trigger=x())",
            NoDatabaseChange(name="Book", class_path="pgtrigger.migrations.AddTrigger"),
        ),
        (
            "from hierarkey.utils import CleanHierarkeyDuplicates",
            "CleanHierarkeyDuplicates('Shop_Settings')",
            NoDatabaseChange(name="Shop_Settings", class_path="hierarkey.utils.CleanHierarkeyDuplicates"),
        ),
        (
            "from pulpcore.plugin.migrations import RequireVersion",
            "RequireVersion('rpm', '3.37')",
            NoDatabaseChange(class_path="pulpcore.plugin.migrations.RequireVersion"),
        ),
        (
            "import django_migrate_sql.operations as o",
            "o.AlterSQL(name='f', sql='CREATE FUNCTION', reverse_sql='DROP FUNCTION')",
            RunSQL(
                sql=("CREATE FUNCTION",),
                reverse_sql=("DROP FUNCTION",),
                class_path="django_migrate_sql.operations.AlterSQL",
            ),
        ),
    ],
)
def test_operations_of_other_packages(reader, head: str, text: str, wanted: Operation) -> None:
    migration = reader.body(f"operations = [{text}]\n", head=head)
    assert migration.operations == (wanted,)
    assert migration.gaps == ()


def test_configured_operations(reader) -> None:
    operation = read(
        reader,
        "outside.SafeAlter('Book', 't', models.TextField())",
        operations=(("outside.SafeAlter", "AlterField"),),
    )
    assert operation == AlterField(model_name="Book", name="t", field=TEXT, class_path="outside.SafeAlter")
    operation = read(reader, "ops.Stranger()", operations=(("library.ops.Stranger", "NoDatabaseChange"),))
    assert operation == NoDatabaseChange(class_path="library.ops.Stranger")


def test_installed_operations(reader, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages" / "outside"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("from .ops import *")
    (installed / "ops.py").write_text("from django.db.migrations import DeleteModel\nclass Gone(DeleteModel): ...")
    operation = read(reader, "outside.Gone('Book')", source_paths=(tmp_path / "site-packages",))
    assert operation == DeleteModel(name="Book", class_path="outside.ops.Gone")


# Model options and constraints.


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("options=None", {}),
        ("options={}", {}),
        ("options={'db_table': 't', 'managed': False}", {"db_table": "t", "managed": False}),
        (
            "options={'proxy': True, 'swappable': 'X_MODEL', 'abstract': True}",
            {"proxy": True, "swappable": "X_MODEL", "abstract": True},
        ),
        ("options={'verbose_name': _('x'), 'ordering': ['a'], 'permissions': x()}", {}),
        ("options={'unique_together': {('a', 'b')}}", {"unique_together": PAIR}),
        ("options={'unique_together': ('a', 'b')}", {"unique_together": PAIR}),
        ("options={'unique_together': [['a', 'b']]}", {"unique_together": PAIR}),
        ("options={'unique_together': set()}", {"unique_together": frozenset()}),
        ("options={'unique_together': None, 'index_together': []}", {}),
        ("options={'unique_together': {}}", {"unique_together": frozenset()}),
        ("options={'index_together': {('a', 'b')}}", {"index_together": PAIR}),
        ("options={'order_with_respect_to': 'shelf'}", {"order_with_respect_to": "shelf"}),
        (
            "options={'constraints': [" + UNIQUE_TEXT + "], 'indexes': [" + INDEX_TEXT + "]}",
            {"constraints": (UNIQUE,), "indexes": (INDEX,)},
        ),
        ("options={'db_table': settings.T}", {"db_table": UNKNOWN}),
        ("options={'unique_together': x()}", {"unique_together": UNKNOWN}),
        ("options={'constraints': [x()]}", {"constraints": UNKNOWN}),
        ("options={'db_' + 'table': 't'}", {"db_table": "t"}),
        ("options={**{'db_table': 't'}, 'managed': True}", {"db_table": "t"}),
        ("options=dict(db_table='t')", {"db_table": "t"}),
    ],
)
def test_model_options(reader, options: str, wanted: dict[str, object]) -> None:
    assert reader.operation(f"migrations.CreateModel('Book', [], {options})").options == ModelOptions(**wanted)


def test_options_that_nobody_can_tell(reader) -> None:
    migration = reader.body("operations = [migrations.CreateModel('Book', [], {'proxy': False, **settings.X})]\n")
    options = migration.operations[0].options
    assert options.proxy is False
    assert (options.db_table, options.managed, options.unique_together) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert migration.gaps[0].unchecked == "which table `library.book` has"


@pytest.mark.parametrize(
    ("bases", "wanted"),
    [
        ("('library.Base',)", (ModelKey("library", "base"),)),
        ("('Base', 'other.Thing')", (ModelKey("library", "base"), ModelKey("other", "thing"))),
        ("(models.Model,)", ()),
        ("(library.mixins.Mixin, models.Model)", ()),
        ("(library.mixins.Mixin, 'library.base')", (ModelKey("library", "base"),)),
        ("(library.models.Book,)", (ModelKey("library", "book"),)),
        ("(library.models.Abstract,)", ()),
        ("(outside.Mixin,)", ()),
        ("(object, models.Model)", ()),
        ("(make(),)", UNKNOWN),
        ("make()", UNKNOWN),
    ],
)
def test_bases(reader, bases: str, wanted: object) -> None:
    files = {
        "library/mixins.py": "class Mixin: pass",
        "library/models.py": """
            from django.db import models
            class Book(models.Model): pass
            class Abstract(models.Model):
                class Meta:
                    abstract = True
        """,
    }
    head = "import library.mixins, library.models, outside"
    migration = reader.body(f"operations = [migrations.CreateModel('Sub', [], bases={bases})]\n", files, head=head)
    assert migration.operations[0].options.bases == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (UNIQUE_TEXT, UNIQUE),
        ("models.constraints.UniqueConstraint(name='u', fields=('a', 'b'))", UNIQUE),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', condition=None, deferrable=None, include=())", UNIQUE),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', condition=models.Q(a=1))", False),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', deferrable=models.Deferrable.DEFERRED)", False),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', include=['c'])", False),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', opclasses=['x', 'y'])", False),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', nulls_distinct=False)", False),
        ("models.UniqueConstraint(fields=['a', 'b'], name='u', violation_error_message='x')", UNIQUE),
    ],
)
def test_plain_unique_constraints(reader, text: str, wanted: Constraint | bool) -> None:
    constraint = reader.operation(f"migrations.AddConstraint('Book', {text})").constraint
    if isinstance(wanted, Constraint):
        assert constraint == wanted
    else:
        assert constraint.plain_unique is wanted
        assert constraint.fields == ("a", "b")


def test_other_constraints_and_indexes(reader) -> None:
    check = reader.operation("migrations.AddConstraint('Book', models.CheckConstraint(check=models.Q(a=1), name='c'))")
    assert check.constraint == Constraint(class_path="django.db.models.CheckConstraint", name="c")
    lower = reader.operation("migrations.AddConstraint('Book', models.UniqueConstraint(Lower('a'), name='l'))")
    assert lower.constraint == Constraint(class_path="django.db.models.UniqueConstraint", name="l")
    gin = reader.operation(
        "migrations.AddIndex('Book', django.contrib.postgres.indexes.GinIndex(fields=['a'], name='g'))"
    )
    assert gin.index.class_path == "django.contrib.postgres.indexes.GinIndex"
    unknown = reader.operation("migrations.AddIndex('Book', models.Index(fields=FIELDS, name=settings.X))")
    assert (unknown.index.name, unknown.index.fields) == (UNKNOWN, UNKNOWN)
    assert isinstance(reader.operation("migrations.AddIndex('Book', make)"), UnknownOperation)


def test_values_that_cannot_be_told(reader) -> None:
    migration = reader.body(
        """
        operations = [
            migrations.AlterModelTable("Book", settings.TABLE),
            migrations.AlterUniqueTogether("Book", settings.TOGETHER),
            migrations.AlterModelOptions("Book", settings.OPTIONS),
            migrations.AlterModelOptions("Book", {"managed": settings.MANAGED}),
            migrations.RemoveConstraint("Book", settings.NAME),
            migrations.RenameIndex("Book", settings.NEW, settings.OLD),
        ]
        """
    )
    table, together, options, managed, constraint, index = migration.operations
    assert table == AlterModelTable(name="Book", table=UNKNOWN)
    assert together == AlterTogether(name="Book", option_name="unique_together", value=UNKNOWN)
    assert options == managed == AlterModelOptions(name="Book", managed=UNKNOWN)
    assert constraint == RemoveConstraint(model_name="Book", name=UNKNOWN)
    assert index == RenameIndex(model_name="Book", new_name=UNKNOWN, old_name=UNKNOWN)
    assert [gap.unchecked for gap in migration.gaps] == [
        "which table `Book` has",
        "what is unique in `Book`",
        "whether Django manages the table",
        "whether Django manages the table",
    ]


def test_none_is_a_value(reader) -> None:
    assert reader.operation("migrations.AlterModelTable('Book', None)") == AlterModelTable(name="Book", table=None)
    assert reader.operation("migrations.AlterUniqueTogether('Book', None)").value == frozenset()
    assert isinstance(reader.operation("migrations.AlterModelTable('Book')"), UnknownOperation)
    assert isinstance(reader.operation("migrations.DeleteModel()"), UnknownOperation)
    assert isinstance(reader.operation("migrations.DeleteModel('')"), UnknownOperation)

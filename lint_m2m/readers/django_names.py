"""Django's own field and operation classes by every dotted path they can be imported from, and what is known of them.

Both readers use these tables. Measured with Django 4.2 to 6.1; what older versions had and migrations still name
(NullBooleanField, contrib.postgres' JSONField) is in them as well.
"""

from __future__ import annotations

from typing import Final

from lint_m2m.migration import FieldKind
from lint_m2m.values import frozen

# What of a field's arguments goes into `Field.options`: what decides about the column's type or, for third-party
# classes, about the automatic table. The others (help_text, choices, validators …) are not read.
KEPT_OPTIONS: Final = frozenset(
    {
        "base_class",  # sortedm2m: base of the automatic through model
        "base_field",
        "db_collation",
        "decimal_places",
        "dim",
        "geography",
        "max_digits",
        "output_field",
        "parent_link",
        "size",
        "sort_value_field_name",
        "sorted",
        "srid",
    }
)

# What of a model's options `ModelOptions` keeps.
KEPT_MODEL_OPTIONS: Final = frozenset(
    {
        "abstract",
        "constraints",
        "db_table",
        "index_together",
        "indexes",
        "managed",
        "order_with_respect_to",
        "proxy",
        "swappable",
        "unique_together",
    }
)

_FIELD: Final = (
    "verbose_name",
    "name",
    "primary_key",
    "max_length",
    "unique",
    "blank",
    "null",
    "db_index",
    "rel",
    "default",
    "editable",
    "serialize",
    "unique_for_date",
    "unique_for_month",
    "unique_for_year",
    "choices",
    "help_text",
    "db_column",
    "db_tablespace",
    "auto_created",
    "validators",
    "error_messages",
    "db_comment",
    "db_default",
)
MANY_TO_MANY_PARAMETERS: Final = (
    "to",
    "related_name",
    "related_query_name",
    "limit_choices_to",
    "symmetrical",
    "through",
    "through_fields",
    "db_constraint",
    "db_table",
    "swappable",
)
FOREIGN_KEY_PARAMETERS: Final = (
    "to",
    "on_delete",
    "related_name",
    "related_query_name",
    "limit_choices_to",
    "parent_link",
    "to_field",
    "db_constraint",
)


@frozen
class KnownField:
    """A field class: its path as Django deconstructs it, and the names of its positional arguments in order."""

    path: str
    kind: FieldKind
    parameters: tuple[str, ...] = _FIELD
    one_to_one: bool = False
    # The models that absent `to` and `through` stand for.
    default_to: str | None = None
    default_through: str | None = None
    # The automatic table has a column for the order unless ``sorted=False`` (sortedm2m).
    sort_column: bool = False


_COLUMNS: Final = """
AutoField BigAutoField BigIntegerField BinaryField BooleanField CharField CommaSeparatedIntegerField DateField
DateTimeField DecimalField DurationField EmailField Field FileField FilePathField FloatField GeneratedField
GenericIPAddressField IPAddressField ImageField IntegerField JSONField NullBooleanField OrderWrt PositiveBigIntegerField
PositiveIntegerField PositiveSmallIntegerField SlugField SmallAutoField SmallIntegerField TextField TimeField URLField
UUIDField XMLField
"""

_PARAMETERS: Final = {
    "DecimalField": ("verbose_name", "name", "max_digits", "decimal_places"),
    "FileField": ("verbose_name", "name", "upload_to", "storage"),
    "ImageField": ("verbose_name", "name", "width_field", "height_field"),
    "DateField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "DateTimeField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "TimeField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "FilePathField": ("verbose_name", "name", "path", "match", "recursive", "allow_files", "allow_folders"),
    "GenericIPAddressField": ("verbose_name", "name", "protocol", "unpack_ipv4"),
    "UUIDField": ("verbose_name",),
    "JSONField": ("verbose_name", "name", "encoder", "decoder"),
    "GeneratedField": (),
    "ForeignKey": FOREIGN_KEY_PARAMETERS,
    "OneToOneField": ("to", "on_delete", "to_field"),
    "ManyToManyField": MANY_TO_MANY_PARAMETERS,
    "ForeignObject": ("to", "on_delete", "from_fields", "to_fields", "rel", "related_name", "related_query_name"),
    "CompositePrimaryKey": (),
}
_KINDS: Final = {
    "ForeignKey": FieldKind.FOREIGN_KEY,
    "OneToOneField": FieldKind.FOREIGN_KEY,
    "ManyToManyField": FieldKind.MANY_TO_MANY,
    "ForeignObject": FieldKind.VIRTUAL,
    "CompositePrimaryKey": FieldKind.VIRTUAL,
}
# The modules that Django's core fields are also found in.
_CORE_MODULES: Final = (
    "django.db.models",
    "django.db.models.fields",
    "django.db.models.fields.composite",
    "django.db.models.fields.files",
    "django.db.models.fields.generated",
    "django.db.models.fields.json",
    "django.db.models.fields.proxy",
    "django.db.models.fields.related",
    "django.contrib.gis.db.models",
)
_GIS: Final = """
GeometryCollectionField GeometryField LineStringField MultiLineStringField MultiPointField MultiPolygonField PointField
PolygonField RasterField
"""
_POSTGRES: Final = {
    "array": ("ArrayField",),
    "citext": ("CICharField", "CIEmailField", "CITextField"),
    "hstore": ("HStoreField",),
    "jsonb": ("JSONField",),
    "ranges": (
        "BigIntegerRangeField",
        "DateRangeField",
        "DateTimeRangeField",
        "DecimalRangeField",
        "FloatRangeField",
        "IntegerRangeField",
        "RangeField",
    ),
}


def _django_fields() -> dict[str, KnownField]:
    fields: dict[str, KnownField] = {}
    for name in (*_COLUMNS.split(), *_KINDS):
        known = KnownField(
            path=f"django.db.models.{name}",
            kind=_KINDS.get(name, FieldKind.COLUMN),
            parameters=_PARAMETERS.get(name, _FIELD),
            one_to_one=name == "OneToOneField",
        )
        for module in _CORE_MODULES:
            fields[f"{module}.{name}"] = known
    for name in _GIS.split():
        known = KnownField(
            path=f"django.contrib.gis.db.models.fields.{name}",
            kind=FieldKind.COLUMN,
            parameters=("verbose_name", "dim", "geography") if name != "RasterField" else ("verbose_name",),
        )
        fields[f"django.contrib.gis.db.models.{name}"] = fields[known.path] = known
    postgres = "django.contrib.postgres.fields"
    for module, names in _POSTGRES.items():
        for name in names:
            # ArrayField shortens its path when it is deconstructed, the others do not.
            short = name == "ArrayField"
            known = KnownField(
                path=f"{postgres}.{name}" if short else f"{postgres}.{module}.{name}",
                kind=FieldKind.COLUMN,
                parameters=("base_field", "size") if name == "ArrayField" else _PARAMETERS.get(name, _FIELD),
            )
            fields[f"{postgres}.{name}"] = fields[f"{postgres}.{module}.{name}"] = known
    for name in ("SearchQueryField", "SearchVectorField"):
        path = f"django.contrib.postgres.search.{name}"
        fields[path] = KnownField(path=path, kind=FieldKind.COLUMN)
    for name in ("GenericForeignKey", "GenericRelation"):
        path = f"django.contrib.contenttypes.fields.{name}"
        fields[path] = KnownField(path=path, kind=FieldKind.VIRTUAL)
        fields[f"django.contrib.contenttypes.generic.{name}"] = fields[path]
    return fields


DJANGO_FIELDS: Final = _django_fields()


@frozen
class KnownOperation:
    """An operation class: the Django operation that it acts as, and the names of its positional arguments in order."""

    name: str
    parameters: tuple[str, ...]
    # Set for classes that are not Django's.
    path: str | None = None
    overrides: frozenset[str] = frozenset()
    # For `NoDatabaseChange`: the argument that names the model, if any.
    model_argument: str | None = None


_OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "AddConstraint": ("model_name", "constraint"),
    "AddField": ("model_name", "name", "field", "preserve_default"),
    "AddIndex": ("model_name", "index"),
    "AlterConstraint": ("model_name", "name", "constraint"),
    "AlterField": ("model_name", "name", "field", "preserve_default"),
    "AlterIndexTogether": ("name", "index_together"),
    "AlterModelManagers": ("name", "managers"),
    "AlterModelOptions": ("name", "options"),
    "AlterModelTable": ("name", "table"),
    "AlterModelTableComment": ("name", "table_comment"),
    "AlterOrderWithRespectTo": ("name", "order_with_respect_to"),
    "AlterUniqueTogether": ("name", "unique_together"),
    "CreateModel": ("name", "fields", "options", "bases", "managers"),
    "DeleteModel": ("name",),
    "RemoveConstraint": ("model_name", "name"),
    "RemoveField": ("model_name", "name", "field"),
    "RemoveIndex": ("model_name", "name"),
    "RenameField": ("model_name", "old_name", "new_name"),
    "RenameIndex": ("model_name", "new_name", "old_name", "old_fields"),
    "RenameModel": ("old_name", "new_name"),
    "RunPython": ("code", "reverse_code", "atomic", "hints", "elidable"),
    "RunSQL": ("sql", "reverse_sql", "state_operations", "hints", "elidable"),
    "SeparateDatabaseAndState": ("database_operations", "state_operations"),
}
# Operations that change no table, column or constraint, and the argument with the model they are about.
_NO_CHANGE: Final = {"AlterModelManagers": "name", "AlterModelTableComment": "name"}
_POSTGRES_OPERATIONS: Final[dict[str, tuple[str, str | None]]] = {
    "AddConstraintNotValid": ("AddConstraint", None),
    "AddIndexConcurrently": ("AddIndex", None),
    "RemoveIndexConcurrently": ("RemoveIndex", None),
    "ValidateConstraint": ("NoDatabaseChange", "model_name"),
    "BloomExtension": ("NoDatabaseChange", None),
    "BtreeGinExtension": ("NoDatabaseChange", None),
    "BtreeGistExtension": ("NoDatabaseChange", None),
    "CITextExtension": ("NoDatabaseChange", None),
    "CreateCollation": ("NoDatabaseChange", None),
    "CreateExtension": ("NoDatabaseChange", None),
    "CryptoExtension": ("NoDatabaseChange", None),
    "HStoreExtension": ("NoDatabaseChange", None),
    "RemoveCollation": ("NoDatabaseChange", None),
    "TrigramExtension": ("NoDatabaseChange", None),
    "UnaccentExtension": ("NoDatabaseChange", None),
}
_OPERATION_MODULES: Final = (
    "django.db.migrations",
    "django.db.migrations.operations",
    "django.db.migrations.operations.fields",
    "django.db.migrations.operations.models",
    "django.db.migrations.operations.special",
    "django.contrib.gis.db.migrations",
)


def _django_operations() -> dict[str, KnownOperation]:
    operations: dict[str, KnownOperation] = {}
    for name, parameters in _OPERATIONS.items():
        model_argument = _NO_CHANGE.get(name)
        acts_as = name if model_argument is None else "NoDatabaseChange"
        known = KnownOperation(name=acts_as, parameters=parameters, model_argument=model_argument)
        for module in _OPERATION_MODULES:
            operations[f"{module}.{name}"] = known
    for name, (acts_as, model_argument) in _POSTGRES_OPERATIONS.items():
        parameters = ("model_name", "name") if name == "ValidateConstraint" else _OPERATIONS.get(acts_as, ())
        known = KnownOperation(name=acts_as, parameters=parameters, model_argument=model_argument)
        operations[f"django.contrib.postgres.operations.{name}"] = known
    return operations


DJANGO_OPERATIONS: Final = _django_operations()
# Django's operations by bare name, for configuration ("my.ops.SafeAlterField" = "AlterField").
OPERATIONS_BY_NAME: Final = {
    **{name: DJANGO_OPERATIONS[f"django.db.migrations.{name}"] for name in _OPERATIONS},
    **{name: DJANGO_OPERATIONS[f"django.contrib.postgres.operations.{name}"] for name in _POSTGRES_OPERATIONS},
    "NoDatabaseChange": KnownOperation(name="NoDatabaseChange", parameters=()),
}
OPERATION_BASES: Final = frozenset(
    {
        "django.db.migrations.operations.base.Operation",
        "django.db.migrations.operations.Operation",
        "django.db.migrations.operations.models.ModelOperation",
        "django.db.migrations.operations.models.IndexOperation",
        "django.db.migrations.operations.models.ModelOptionOperation",
        "django.db.migrations.operations.models.AlterTogetherOptionOperation",
        "django.db.migrations.operations.fields.FieldOperation",
        "django.contrib.postgres.operations.Operation",
    }
)
MIGRATION_CLASSES: Final = frozenset({"django.db.migrations.Migration", "django.db.migrations.migration.Migration"})
NOOPS: Final = frozenset(
    {
        *(f"{module}.RunPython.noop" for module in _OPERATION_MODULES),
        *(f"{module}.RunSQL.noop" for module in _OPERATION_MODULES),
    }
)

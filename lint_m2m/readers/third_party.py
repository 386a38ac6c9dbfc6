"""What is known of other packages' field and operation classes without having their source.

Read from the packages' own source. A class is only listed where nothing in the migration says what it does to tables: a
third-party class that is a plain column needs no entry.
"""

from __future__ import annotations

from typing import Final

from lint_m2m.migration import FieldKind
from lint_m2m.readers.django_names import (
    FOREIGN_KEY_PARAMETERS,
    MANY_TO_MANY_PARAMETERS,
    OPERATIONS_BY_NAME,
    KnownField,
    KnownOperation,
)

# TaggableManager without `through=` uses a real model, so a change of `through=` is a swap, not an addition.
_TAGGABLE: Final = ("verbose_name", "help_text", "through", "blank", "related_name", "to", "ordering", "manager")


def _taggable(path: str) -> KnownField:
    return KnownField(
        path=path,
        kind=FieldKind.MANY_TO_MANY,
        parameters=_TAGGABLE,
        default_to="taggit.Tag",
        default_through="taggit.TaggedItem",
    )


def _foreign_key(path: str, *, default_to: str | None = None, one_to_one: bool = False) -> KnownField:
    return KnownField(
        path=path,
        kind=FieldKind.FOREIGN_KEY,
        parameters=FOREIGN_KEY_PARAMETERS,
        default_to=default_to,
        one_to_one=one_to_one,
    )


def _many_to_many(path: str) -> KnownField:
    return KnownField(path=path, kind=FieldKind.MANY_TO_MANY, parameters=MANY_TO_MANY_PARAMETERS)


_FIELDS: Final = (
    _taggable("taggit.managers.TaggableManager"),
    _taggable("modelcluster.contrib.taggit.ClusterTaggableManager"),
    _taggable("taggit_autosuggest.managers.TaggableManager"),
    _taggable("taggit_labels.managers.TaggableManager"),
    _taggable("taggit_selectize.managers.TaggableManager"),
    KnownField(
        path="sortedm2m.fields.SortedManyToManyField",
        kind=FieldKind.MANY_TO_MANY,
        parameters=("to", "sorted", "base_class"),
        sort_column=True,
    ),
    _many_to_many("modelcluster.fields.ParentalManyToManyField"),
    _many_to_many("mptt.fields.TreeManyToManyField"),
    _many_to_many("smart_selects.db_fields.ChainedManyToManyField"),
    _many_to_many("parler.fields.TranslatedManyToManyField"),
    _foreign_key("modelcluster.fields.ParentalKey"),
    _foreign_key("mptt.fields.TreeForeignKey"),
    _foreign_key("mptt.fields.TreeOneToOneField", one_to_one=True),
    _foreign_key("parler.fields.TranslationsForeignKey"),
    _foreign_key("polymorphic_tree.models.PolymorphicTreeForeignKey"),
    _foreign_key("annoying.fields.AutoOneToOneField", one_to_one=True),
    _foreign_key("smart_selects.db_fields.ChainedForeignKey"),
    _foreign_key("smart_selects.db_fields.GroupedForeignKey"),
    _foreign_key("adminsortable.fields.SortableForeignKey"),
    _foreign_key("django_fsm.FSMKeyField"),
    _foreign_key("filer.fields.file.FilerFileField", default_to="filer.File"),
    _foreign_key("filer.fields.image.FilerImageField", default_to="filer.Image"),
    _foreign_key("filer.fields.folder.FilerFolderField", default_to="filer.Folder"),
    _foreign_key("cms.models.fields.PageField", default_to="cms.Page"),
    _foreign_key("cms.models.fields.PlaceholderField", default_to="cms.Placeholder"),
    _foreign_key("djangocms_text_ckeditor.fields.PlaceholderField", default_to="cms.Placeholder"),
)
THIRD_PARTY_FIELDS: Final = {known.path: known for known in _FIELDS}

_SQL: Final = ("name", "sql", "reverse_sql", "state_operations", "hints")


def _harmless(path: str, model_argument: str | None = None) -> KnownOperation:
    """Triggers, views, functions, extensions, comments: no table, column or constraint."""
    return KnownOperation(
        name="NoDatabaseChange",
        parameters=(model_argument,) if model_argument else (),
        path=path,
        model_argument=model_argument,
    )


def _acts_as(path: str, name: str, overrides: tuple[str, ...] = (), parameters: tuple[str, ...] = ()) -> KnownOperation:
    return KnownOperation(
        name=name,
        parameters=parameters or OPERATIONS_BY_NAME[name].parameters,
        path=path,
        overrides=frozenset(overrides),
    )


_PSQLEXTRA: Final = "psqlextra.backend.migrations.operations"
_OPERATIONS: Final = (
    # Creates or drops the `sort_value` column beside what AlterField does to the state.
    _acts_as(
        "sortedm2m.operations.AlterSortedManyToManyField", "AlterField", ("database_forwards", "database_backwards")
    ),
    _harmless("pgtrigger.migrations.AddTrigger", "model_name"),
    _harmless("pgtrigger.migrations.RemoveTrigger", "model_name"),
    _harmless("pgtrigger.migrations.DisableTrigger", "model_name"),
    _harmless("pgtrigger.migrations.EnableTrigger", "model_name"),
    _harmless("django_migration_linter.IgnoreMigration"),
    _harmless("django_migration_linter.operations.IgnoreMigration"),
    _harmless("django_add_default_value.AddDefaultValue", "model_name"),
    _harmless("django_add_default_value.add_default_value.AddDefaultValue", "model_name"),
    _harmless("pgvector.django.VectorExtension"),
    _harmless("pgvector.django.extensions.VectorExtension"),
    _harmless("pgvector.django.HalfVectorExtension"),
    _harmless("django_pg_rrule.operations.RruleExtension"),
    _harmless("django_pg_rrule.operations.RruleLegacyExtension"),
    # Deletes duplicate rows of a settings table.
    _harmless("hierarkey.utils.CleanHierarkeyDuplicates", "model_name"),
    # Compares versions of running workers, and raises.
    _harmless("pulpcore.migrations.RequireVersion"),
    _harmless("pulpcore.plugin.migrations.RequireVersion"),
    _harmless("django_mysql.operations.InstallPlugin"),
    _harmless("django_mysql.operations.InstallSOName"),
    _harmless("django_mysql.operations.AlterStorageEngine", "name"),
    _harmless("django_multitenant.db.migrations.Distribute", "model_name"),
    _harmless("django_db_views.operations.ViewRunPython"),
    # django-migrate-sql: statements of its own for functions and views, with a name before RunSQL's arguments.
    *(
        _acts_as(f"{package}.operations.{name}", "RunSQL", parameters=_SQL)
        for package in ("migrate_sql", "django_migrate_sql")
        for name in ("CreateSQL", "AlterSQL", "ReverseAlterSQL", "DeleteSQL")
    ),
    *(
        _harmless(f"{package}.operations.{name}")
        for package in ("migrate_sql", "django_migrate_sql")
        for name in ("AlterSQLState",)
    ),
    _acts_as(
        f"{_PSQLEXTRA}.PostgresCreatePartitionedModel",
        "CreateModel",
        ("database_forwards", "database_backwards"),
        ("name", "fields", "options", "partitioning_options", "bases", "managers"),
    ),
    _acts_as(f"{_PSQLEXTRA}.PostgresDeletePartitionedModel", "DeleteModel"),
    *(
        _harmless(f"{_PSQLEXTRA}.{name}", "model_name")
        for name in (
            "PostgresAddDefaultPartition",
            "PostgresAddHashPartition",
            "PostgresAddListPartition",
            "PostgresAddRangePartition",
            "PostgresDeleteDefaultPartition",
            "PostgresDeleteHashPartition",
            "PostgresDeleteListPartition",
            "PostgresDeleteRangePartition",
        )
    ),
    *(
        _harmless(f"{_PSQLEXTRA}.{name}")
        for name in ("ApplyState", "PostgresCreateMaterializedViewModel", "PostgresCreateViewModel")
    ),
)
THIRD_PARTY_OPERATIONS: Final = {known.path: known for known in _OPERATIONS if known.path is not None}

"""Django's own operations, fields and constraints to lint-m2m's values: enough for the ledger's tests.

Independent of both readers, so that a mistake of theirs cannot hide one of the replay's.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.migrations import operations as django_operations
from django.db.models.fields import NOT_PROVIDED

from lint_m2m import migration as values
from lint_m2m.migration import FieldKind, ModelKey, Relation

_NAMES_OF_RELATIONS = ("related_name", "related_query_name", "to_field")
_RELATION_ARGUMENTS = frozenset(
    ("to", "through", "through_fields", "db_table", "db_constraint", "symmetrical", *_NAMES_OF_RELATIONS)
)
_FIELD_ARGUMENTS = frozenset(
    ["null", "unique", "primary_key", "db_column", "db_index", "default", "db_default", "auto_created", "max_length"]
)


def key(label: str, app_label: str, model: str) -> ModelKey:
    if label == "self":
        return ModelKey(app_label, model.lower())
    app, _, name = label.rpartition(".")
    return ModelKey(app or app_label, name.lower())


def field(value: Any, app_label: str, model: str) -> values.Field:
    _, path, _, kwargs = value.deconstruct()
    path = path.replace("django.db.models.fields.related.", "django.db.models.")
    relation = None
    if isinstance(value, models.ManyToManyField):
        kind = FieldKind.MANY_TO_MANY
    elif isinstance(value, models.ForeignKey):
        kind = FieldKind.FOREIGN_KEY
    else:
        kind = FieldKind.COLUMN
    if kind is not FieldKind.COLUMN:
        through = kwargs.get("through")
        relation = Relation(
            to=key(str(kwargs["to"]), app_label, model),
            through=None if through is None else key(str(through), app_label, model),
            through_fields=kwargs.get("through_fields") and tuple(kwargs["through_fields"]),
            db_table=kwargs.get("db_table"),
            db_constraint=kwargs.get("db_constraint", True),
            related_name=kwargs.get("related_name"),
            to_field=kwargs.get("to_field"),
            one_to_one=isinstance(value, models.OneToOneField),
            auto_columns=tuple(getattr(value, "extra_columns", ())),
        )
    return values.Field(
        class_path=path,
        kind=kind,
        null=kwargs.get("null", False),
        unique=kwargs.get("unique", False),
        primary_key=kwargs.get("primary_key", False),
        db_column=kwargs.get("db_column"),
        db_index=kwargs.get("db_index"),
        has_default=kwargs.get("default", NOT_PROVIDED) is not NOT_PROVIDED,
        has_db_default=kwargs.get("db_default", NOT_PROVIDED) is not NOT_PROVIDED,
        max_length=kwargs.get("max_length"),
        relation=relation,
        options=tuple(
            sorted(
                (name, repr(option))
                for name, option in kwargs.items()
                if name not in _RELATION_ARGUMENTS | _FIELD_ARGUMENTS
            )
        ),
    )


def together(value: Any) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(fields) for fields in value or ())


def constraint(value: Any) -> values.Constraint:
    path, _, kwargs = value.deconstruct()
    plain = isinstance(value, models.UniqueConstraint) and set(kwargs) <= {"fields", "name"}
    return values.Constraint(
        class_path=path, name=value.name, fields=tuple(kwargs.get("fields", ())), plain_unique=plain
    )


def options(value: dict[str, Any], bases: tuple[Any, ...], app_label: str, model: str) -> values.ModelOptions:
    return values.ModelOptions(
        db_table=value.get("db_table"),
        managed=value.get("managed", True),
        proxy=value.get("proxy", False),
        swappable=value.get("swappable"),
        unique_together=together(value.get("unique_together")),
        index_together=together(value.get("index_together")),
        constraints=tuple(constraint(item) for item in value.get("constraints", ())),
        indexes=tuple(constraint(item) for item in value.get("indexes", ())),
        order_with_respect_to=value.get("order_with_respect_to"),
        bases=tuple(key(base, app_label, model) for base in bases if isinstance(base, str)),
    )


def operation(value: Any, app_label: str) -> values.Operation:
    """One operation. A plain ``TypeError`` for a kind that the tests do not use."""
    match value:
        case django_operations.CreateModel():
            return values.CreateModel(
                name=value.name,
                fields=tuple(
                    values.NamedField(name=name, field=field(item, app_label, value.name))
                    for name, item in value.fields
                ),
                options=options(value.options, value.bases, app_label, value.name),
            )
        case django_operations.DeleteModel():
            return values.DeleteModel(name=value.name)
        case django_operations.RenameModel():
            return values.RenameModel(old_name=value.old_name, new_name=value.new_name)
        case django_operations.AlterModelTable():
            return values.AlterModelTable(name=value.name, table=value.table)
        case django_operations.AlterUniqueTogether() | django_operations.AlterIndexTogether():
            return values.AlterTogether(
                name=value.name, option_name=value.option_name, value=together(value.option_value)
            )
        case django_operations.AlterOrderWithRespectTo():
            return values.AlterOrderWithRespectTo(name=value.name, order_with_respect_to=value.order_with_respect_to)
        case django_operations.AlterModelOptions():
            return values.AlterModelOptions(name=value.name, managed=value.options.get("managed", True))
        case django_operations.AddField():
            item = field(value.field, app_label, value.model_name)
            return values.AddField(
                model_name=value.model_name, name=value.name, field=item, preserve_default=value.preserve_default
            )
        case django_operations.RemoveField():
            return values.RemoveField(model_name=value.model_name, name=value.name)
        case django_operations.AlterField():
            item = field(value.field, app_label, value.model_name)
            return values.AlterField(
                model_name=value.model_name, name=value.name, field=item, preserve_default=value.preserve_default
            )
        case django_operations.RenameField():
            return values.RenameField(model_name=value.model_name, old_name=value.old_name, new_name=value.new_name)
        case django_operations.AddConstraint():
            return values.AddConstraint(model_name=value.model_name, constraint=constraint(value.constraint))
        case django_operations.RemoveConstraint():
            return values.RemoveConstraint(model_name=value.model_name, name=value.name)
        case django_operations.AddIndex():
            return values.AddIndex(model_name=value.model_name, index=constraint(value.index))
        case django_operations.RemoveIndex():
            return values.RemoveIndex(model_name=value.model_name, name=value.name)
        case django_operations.RenameIndex():
            return values.RenameIndex(
                model_name=value.model_name,
                new_name=value.new_name,
                old_name=value.old_name,
                old_fields=value.old_fields and tuple(value.old_fields),
            )
        case django_operations.SeparateDatabaseAndState():
            return values.SeparateDatabaseAndState(
                database_operations=tuple(operation(item, app_label) for item in value.database_operations),
                state_operations=tuple(operation(item, app_label) for item in value.state_operations),
            )
        case django_operations.RunSQL():
            pieces = (value.sql,) if isinstance(value.sql, str) else tuple(value.sql)
            return values.RunSQL(
                sql=pieces,
                state_operations=tuple(operation(item, app_label) for item in value.state_operations),
            )
        case _:
            raise TypeError(type(value).__name__)

"""What changing a field's definition means for the database: is it altered at all, and does its column feel it.

`fields_differ` is ``BaseDatabaseSchemaEditor._field_should_be_altered``, `column_touched` the part of ``_alter_field``
that runs SQL on the column. Both answer UNKNOWN where a value could not be read.
"""

from __future__ import annotations

from lint_m2m.migration import UNKNOWN, Field, FieldKind, Maybe, ModelKey
from lint_m2m.replay.layout import Layout
from lint_m2m.replay.models import StateView

# Field.non_db_attrs, arguments that deconstruct() leaves out, and those that are attributes of `Field`.
_NOT_FOR_THE_DATABASE = frozenset(
    [
        "blank",
        "choices",
        "db_column",
        "editable",
        "error_messages",
        "help_text",
        "limit_choices_to",
        "on_delete",
        "related_name",
        "related_query_name",
        "validators",
        "verbose_name",
        "swappable",
        "symmetrical",
    ]
)
# Database-level on_delete is part of the column since Django 6.1.
_DATABASE_ON_DELETE = ("DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT")

_TYPES = {
    "AutoField": "integer",
    "BigAutoField": "bigint",
    "SmallAutoField": "smallint",
    "IntegerField": "integer",
    "PositiveIntegerField": "integer",
    "BigIntegerField": "bigint",
    "PositiveBigIntegerField": "bigint",
    "SmallIntegerField": "smallint",
    "PositiveSmallIntegerField": "smallint",
    "BooleanField": "boolean",
    "CharField": "varchar",
    "SlugField": "varchar",
    "EmailField": "varchar",
    "URLField": "varchar",
    "FileField": "varchar",
    "ImageField": "varchar",
    "FilePathField": "varchar",
    "TextField": "text",
    "DateField": "date",
    "DateTimeField": "datetime",
    "TimeField": "time",
    "DurationField": "interval",
    "DecimalField": "decimal",
    "FloatField": "float",
    "BinaryField": "binary",
    "UUIDField": "uuid",
    "JSONField": "json",
    "GenericIPAddressField": "inet",
}


def _path(field: Field) -> str:
    """The class as deconstruct() names it. NullBooleanField and the like are their own."""
    return field.class_path


def _is_foreign(field: Field) -> bool:
    return field.kind is FieldKind.FOREIGN_KEY


def index_wanted(field: Field) -> Maybe[bool]:
    """``field.db_index``: a foreign key's default is True."""
    if field.db_index is None:
        return _is_foreign(field)
    return field.db_index


def is_unique(field: Field) -> bool:
    """``field.unique``: a one-to-one field always is."""
    return field.unique is True or (field.relation is not None and field.relation.one_to_one)


def fields_differ(
    old: Field, new: Field, layout: Layout, before: StateView, after: StateView, *, old_django: bool = False
) -> Maybe[bool]:
    """Whether two definitions differ in anything that a schema editor looks at, names and columns aside.

    `old_django`: before 5.0 a foreign key's `to` counts although the table is the same.
    """
    unsure = False
    for left, right in (
        (_path(old), _path(new)),
        (old.null, new.null),
        (old.unique, new.unique) if UNKNOWN in (old.unique, new.unique) else (is_unique(old), is_unique(new)),
        (old.primary_key, new.primary_key),
        (index_wanted(old), index_wanted(new)),
        (old.has_default, new.has_default),
        (old.has_db_default, new.has_db_default),
        (old.max_length, new.max_length),
        (old.auto_created, new.auto_created),
    ):
        if left is UNKNOWN or right is UNKNOWN:
            unsure = unsure or left is not right or left is UNKNOWN
        elif left != right:
            return True
    if old.options != new.options:
        left_options = {name: value for name, value in old.options if name not in _NOT_FOR_THE_DATABASE}
        right_options = {name: value for name, value in new.options if name not in _NOT_FOR_THE_DATABASE}
        for name in left_options.keys() | right_options.keys():
            one, other = left_options.get(name), right_options.get(name)
            if one is UNKNOWN or other is UNKNOWN:
                unsure = True
            elif one != other:
                return True
    related = _relations_differ(old, new, layout, before, after, old_django)
    if related is True:
        return True
    return UNKNOWN if unsure or related is UNKNOWN else False


def _relations_differ(
    old: Field, new: Field, layout: Layout, before: StateView, after: StateView, old_django: bool
) -> Maybe[bool]:
    left, right = old.relation, new.relation
    if left is None or right is None:
        return left is not right
    unsure = False
    pairs: list[tuple[object, object]] = [
        (left.db_constraint, right.db_constraint),
        (left.to_field, right.to_field),
        (left.db_table, right.db_table),
        (left.through, right.through),
        (left.through_fields, right.through_fields),
    ]
    if left.to != right.to or left.to is UNKNOWN:
        same_table = False
        if not new.many_to_many and not old_django and isinstance(left.to, ModelKey) and isinstance(right.to, ModelKey):
            tables = layout.reference_table(left.to, before), layout.reference_table(right.to, after)
            same_table = tables[0] is not UNKNOWN and tables[0] == tables[1]
        if not same_table:
            pairs.append((left.to, right.to))
    for one, other in pairs:
        if one is UNKNOWN or other is UNKNOWN:
            unsure = True
        elif one != other:
            return True
    return UNKNOWN if unsure else False


def database_type(field: Field, layout: Layout, view: StateView) -> str | None:
    """The kind of column type, the same word for types that need no ALTER between them; ``None`` if not known."""
    if _is_foreign(field) and field.relation is not None:
        target = view.lookup(field.relation.to)
        if target is UNKNOWN or target is None:
            return None
        if field.relation.to_field is UNKNOWN:
            return None
        if field.relation.to_field is not None:
            state = target.fields.get(field.relation.to_field)
            return None if state is None or _is_foreign(state.field) else database_type(state.field, layout, view)
        key = layout.primary_key(target, view)
        if key is UNKNOWN:
            return None
        if key.field is not None and _is_foreign(key.field):
            relation = key.field.relation
            if relation is None or relation.to == target.key:
                return None
            return database_type(key.field, layout, view)
        return None if key.type_name is None else _TYPES.get(key.type_name)
    if not field.class_path.startswith("django.db.models."):
        return None
    return _TYPES.get(field.class_path.rpartition(".")[2])


def column_touched(old: Field, new: Field, layout: Layout, before: StateView, after: StateView) -> tuple[bool, str]:
    """Whether SQL certainly names the column (a rename aside), and in which way ("cast", "alter", "key")."""
    old_type, new_type = database_type(old, layout, before), database_type(new, layout, after)
    if old_type is not None and new_type is not None and old_type != new_type:
        return True, "cast"
    if old.max_length != new.max_length and old_type == new_type == "varchar":
        return True, "alter"
    for left, right in ((old.null, new.null), (old.has_db_default, new.has_db_default)):
        if left is not UNKNOWN and right is not UNKNOWN and left != right:
            return True, "alter"
    if not is_unique(old) and is_unique(new) and new.primary_key is False and old.unique is not UNKNOWN:
        return True, "key"
    if index_wanted(old) is False and index_wanted(new) is True and not is_unique(new):
        return True, "index"
    if _is_foreign(new) and new.relation is not None and new.relation.db_constraint is True:
        was_free = not _is_foreign(old) or (old.relation is not None and old.relation.db_constraint is False)
        if was_free:
            return True, "reference"
    return False, ""

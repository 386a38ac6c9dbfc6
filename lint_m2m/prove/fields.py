"""A field as code that lint-m2m wrote: from the value that the reader made of it, never from its source as it stands.

Of the source only arguments of a known, harmless form are taken over (`Hints`): constants, `on_delete`, and defaults
that are constants or one of a few functions. Any other default is replaced by a constant of the field's kind.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from lint_m2m.migration import UNKNOWN, Field, FieldKind, Maybe, ModelKey, ModelRef, Relation
from lint_m2m.prove.values import NotProvable
from lint_m2m.readers.django_names import DJANGO_FIELDS
from lint_m2m.sequences.source import Unwritable, source_file
from lint_m2m.values import frozen

_MODELS: Final = "django.db.models."
# Django's own classes that take no more than what a `Field` knows. GeneratedField has an expression.
_COLUMNS: Final = frozenset(
    {
        "AutoField",
        "BigAutoField",
        "BigIntegerField",
        "BinaryField",
        "BooleanField",
        "CharField",
        "DateField",
        "DateTimeField",
        "DecimalField",
        "DurationField",
        "EmailField",
        "FileField",
        "FloatField",
        "GenericIPAddressField",
        "IntegerField",
        "JSONField",
        "PositiveBigIntegerField",
        "PositiveIntegerField",
        "PositiveSmallIntegerField",
        "SlugField",
        "SmallAutoField",
        "SmallIntegerField",
        "TextField",
        "TimeField",
        "URLField",
        "UUIDField",
    }
)
# Where the class itself has to be imported from elsewhere or needs a library, another one has the same column.
_SAME_COLUMN: Final = {
    "ImageField": "FileField",
    "FilePathField": "CharField",
    "CommaSeparatedIntegerField": "CharField",
    "NullBooleanField": "BooleanField",
    "IPAddressField": "GenericIPAddressField",
}
_RELATIONS: Final = frozenset({"ForeignKey", "OneToOneField", "ManyToManyField"})
_ON_DELETE: Final = frozenset(
    {
        "CASCADE",
        "DB_CASCADE",
        "DB_SET_DEFAULT",
        "DB_SET_NULL",
        "DO_NOTHING",
        "PROTECT",
        "RESTRICT",
        "SET_DEFAULT",
        "SET_NULL",
    }
)
# Callables that may be a default: as the source has them -> as the proof's files have them.
_CALLABLES: Final = {
    "dict": "dict",
    "list": "list",
    "uuid.uuid4": "uuid.uuid4",
    "uuid4": "uuid.uuid4",
    "timezone.now": "django.utils.timezone.now",
    "django.utils.timezone.now": "django.utils.timezone.now",
    "datetime.datetime.now": "datetime.datetime.now",
    "datetime.date.today": "datetime.date.today",
}
_STAND_INS: Final = {
    "BooleanField": "False",
    "CharField": "'-'",
    "DateField": "datetime.date(2000, 1, 1)",
    "DateTimeField": "datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)",
    "DurationField": "datetime.timedelta(0)",
    "EmailField": "'-'",
    "FileField": "'-'",
    "GenericIPAddressField": "'127.0.0.1'",
    "JSONField": "dict",
    "SlugField": "'-'",
    "TextField": "'-'",
    "TimeField": "datetime.time(0)",
    "URLField": "'-'",
    "UUIDField": "uuid.uuid4",
    "BinaryField": "b''",
}
# What of a class's options the reader keeps and these classes take.
_OPTIONS: Final = ("db_collation", "decimal_places", "max_digits")

# Every file of a proof begins with these.
IMPORTS: Final = (
    "import datetime\n"
    "import decimal\n"
    "import uuid\n"
    "\n"
    "import django.utils.timezone\n"
    "from django.db import migrations, models\n"
)


@frozen
class Hints:
    """Arguments of a field's call that a `Field` does not keep, as code; ``None``: not given."""

    default: str | None = None
    db_default: str | None = None
    on_delete: str | None = None
    flags: tuple[str, ...] = ()  # of blank, auto_now, auto_now_add, those that are True


def hints_at(source: str | None, field: Field) -> Hints:
    """What the call of `field` in a file says in a form that can be taken over; nothing where it cannot be found."""
    if source is None or field.span is None:
        return Hints()
    try:
        node = source_file(source).node_at(field.span)
    except Unwritable:
        return Hints()
    if not isinstance(node, ast.Call):
        return Hints()
    known = DJANGO_FIELDS.get(field.class_path)
    given = {} if known is None else dict(zip(known.parameters, node.args, strict=False))
    given |= {one.arg: one.value for one in node.keywords if one.arg is not None}
    on_delete = given.get("on_delete")
    name = None if on_delete is None else ast.unparse(on_delete).rpartition(".")[2]
    return Hints(
        default=_harmless(given.get("default")),
        db_default=_harmless(given.get("db_default")),
        on_delete=name if name in _ON_DELETE else None,
        flags=tuple(
            flag
            for flag in ("auto_now", "auto_now_add", "blank")
            if isinstance(value := given.get(flag), ast.Constant) and value.value is True
        ),
    )


def _harmless(node: ast.expr | None) -> str | None:
    """A constant, written anew, or a callable of the short list."""
    if node is None:
        return None
    called = ast.unparse(node)
    if called in _CALLABLES:
        return _CALLABLES[called]
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return repr(value) if len(called) < 500 else None


class FieldWriter:
    """Writes fields. `bases` maps custom classes to the Django class each comes from (``None``: it is not known).

    `substituted` collects what was written in another class's name, for the notes.
    """

    def __init__(self, bases: Mapping[str, str | None], django_version: tuple[int, int]) -> None:
        self._bases = bases
        self._version = django_version
        self.substituted: dict[str, str] = {}

    def class_name(self, field: Field) -> str:
        """The class of `django.db.models` that has the same column. NotProvable where nobody knows one."""
        path = field.class_path
        if not path.startswith(_MODELS):
            base = self._bases.get(path)
            if base is None or not base.startswith(_MODELS):
                raise NotProvable(f"what `{path}` is on the database can only be told by running its code")
        else:
            base = path
        name = base.removeprefix(_MODELS)
        name = _SAME_COLUMN.get(name, name)
        if name not in _COLUMNS and name not in _RELATIONS:
            raise NotProvable(f"a `{name}` cannot be written from what is known of it")
        if base != path or name != base.removeprefix(_MODELS):
            self.substituted[path] = name
        return name

    def text(self, field: Field, hints: Hints, *, target: str | None = None, through: str | None = None) -> str:
        """The call that makes the field. `target` and `through` are labels ("library.book") for relations.

        NotProvable where something that decides about its column could not be read.
        """
        if field.kind in (FieldKind.UNKNOWN, FieldKind.VIRTUAL):
            raise NotProvable(f"nobody knows what kind of field a `{field.class_path}` is")
        name = self.class_name(field)
        arguments: list[str] = []
        if target is not None:
            arguments.append(f"to={target!r}")
        if field.many_to_many:
            arguments += self._many_to_many(field.relation, through)
            return f"models.ManyToManyField({', '.join(arguments)})"
        relation = field.relation
        if relation is not None:
            arguments += self._foreign_key(relation, field, hints)
        arguments += self._column(field, name)
        arguments += [f"{flag}=True" for flag in hints.flags]
        arguments += self._defaults(field, hints, name)
        return f"models.{name}({', '.join(arguments)})"

    def _many_to_many(self, relation: Relation | None, through: str | None) -> list[str]:
        if relation is None or relation.auto_columns != ():
            raise NotProvable("the many-to-many class adds columns of its own to its table")
        arguments = _given(relation, ("related_name", "related_query_name"))
        if through is None:
            if relation.db_table is UNKNOWN:
                raise NotProvable("`db_table` of the many-to-many could not be read")
            arguments += _given(relation, ("db_table",))
        else:
            arguments.append(f"through={through!r}")
            arguments += _given(relation, ("through_fields",))
        if isinstance(relation.symmetrical, bool):
            arguments.append(f"symmetrical={relation.symmetrical!r}")
        if relation.db_constraint is False:
            arguments.append("db_constraint=False")
        return arguments

    def _foreign_key(self, relation: Relation, field: Field, hints: Hints) -> list[str]:
        on_delete = hints.on_delete or ("SET_NULL" if field.null is True else "CASCADE")
        if on_delete.startswith("DB_") and self._version < (6, 1):
            on_delete = on_delete.removeprefix("DB_")
        arguments = [f"on_delete=models.{on_delete}"]
        arguments += _given(relation, ("related_name", "related_query_name", "to_field"))
        if relation.db_constraint is False:
            arguments.append("db_constraint=False")
        if dict(field.options).get("parent_link") is True:
            arguments.append("parent_link=True")
        return arguments

    def _column(self, field: Field, name: str) -> list[str]:
        arguments: list[str] = []
        for attribute, default in (
            ("null", False),
            ("unique", False),
            ("primary_key", False),
            ("db_column", None),
            ("db_index", None),
            ("max_length", None),
        ):
            value = getattr(field, attribute)
            if value is UNKNOWN:
                raise NotProvable(f"`{attribute}` of a field could not be read")
            if value != default:
                arguments.append(f"{attribute}={value!r}")
        options = dict(field.options)
        for option in _OPTIONS:
            if option in options:
                value = options[option]
                if not isinstance(value, str | int | None):
                    raise NotProvable(f"`{option}` of a field could not be read")
                arguments.append(f"{option}={value!r}")
        if name == "DecimalField" and not {"decimal_places", "max_digits"} <= options.keys():
            arguments += [
                f"{one}={size}" for one, size in (("decimal_places", 2), ("max_digits", 12)) if one not in options
            ]
        if name in ("CharField",) and field.max_length is None:
            # Custom classes set it in their constructor; without one SQLite and MySQL refuse the table.
            arguments.append("max_length=200")
        if field.primary_key is True:
            arguments.append("serialize=False")
        if field.auto_created is True:
            arguments += ["auto_created=True", "verbose_name='ID'"]
        return arguments

    def _defaults(self, field: Field, hints: Hints, name: str) -> list[str]:
        arguments: list[str] = []
        stand_in = _STAND_INS.get(name, "0")
        if field.relation is not None:
            stand_in = "None"
        if field.has_default is True or (field.has_default is UNKNOWN and hints.default):
            arguments.append(f"default={hints.default or stand_in}")
        if field.has_db_default is True:
            value = hints.db_default or stand_in
            if value in ("uuid.uuid4", "dict", "list"):
                raise NotProvable("the database's own default of a field could not be read")
            arguments.append(f"db_default={value}")
        return arguments


def _given(relation: Relation, names: tuple[str, ...]) -> list[str]:
    """The arguments of a relation that were given and could be read."""
    found: list[str] = []
    for name in names:
        value = getattr(relation, name)
        if value is not None and value is not UNKNOWN:
            found.append(f"{name}={value!r}")
    return found


def key_of(ref: Maybe[ModelRef | None], swappable: Mapping[str, str]) -> ModelKey | None:
    """The model that a reference means; ``None`` where it cannot be told."""
    if ref is None or ref is UNKNOWN:
        return None
    if isinstance(ref, ModelKey):
        return ref
    named = swappable.get(ref.setting) or {"AUTH_USER_MODEL": "auth.User"}.get(ref.setting)
    if named is None:
        return None
    label, _, name = named.partition(".")
    return ModelKey(label, name.lower())

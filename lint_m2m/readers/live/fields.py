"""Django's field objects to `Field` values, by what they deconstruct to: that is what a migration's source says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lint_m2m.migration import UNKNOWN, Field, FieldKind, Maybe, ModelKey, ModelRef, Relation
from lint_m2m.readers.django_names import KEPT_OPTIONS
from lint_m2m.readers.field_classes import FieldClass, field_class
from lint_m2m.readers.fields import ATTRIBUTES, as_deconstructed
from lint_m2m.readers.live.classes import class_value, path_of
from lint_m2m.readers.live.tables import further_columns
from lint_m2m.readers.references import named_model
from lint_m2m.readers.values import Ref
from lint_m2m.values import replace

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

_RELATIONS: Final = (FieldKind.FOREIGN_KEY, FieldKind.MANY_TO_MANY)
# Arguments that constructors set, the attributes of Django's fields that have them, and what they are when not given.
_SET: Final[tuple[tuple[str, str, object], ...]] = (
    ("db_column", "db_column", None),
    ("db_index", "db_index", False),
    ("max_length", "max_length", None),
    ("null", "null", False),
    ("primary_key", "primary_key", False),
    ("unique", "_unique", False),
)


def read_field(session: Session, field: Any, owner: ModelKey | None) -> Field:
    """The field as one of model `owner`."""
    try:
        _, _, _, arguments = field.deconstruct()
    except Exception as error:  # a stranger's method: whatever it raises, the field is not known
        name = path_of(type(field))
        session.gap(f"`{name}.deconstruct()` raises {type(error).__name__}", f"what `{name}` is", session.fallback)
        return Field(class_path=name, kind=FieldKind.UNKNOWN, class_known=False)
    cls = _class_of(session, type(field))
    kind = _kind(field, cls)
    if kind is FieldKind.MANY_TO_MANY and cls.auto_columns is UNKNOWN:
        cls = _with_table(cls, field, arguments, owner)
    known = cls.known and cls.kind is kind
    return Field(
        class_path=cls.path,
        kind=kind,
        class_known=known or (kind is FieldKind.COLUMN and cls.kind is FieldKind.UNKNOWN and _is_plain(field)),
        relation=_relation(field, cls, arguments, owner) if kind in _RELATIONS else None,
        options=tuple(
            sorted((name, _option(session, value, owner)) for name, value in arguments.items() if name in KEPT_OPTIONS)
        ),
        **as_deconstructed(cls, _attributes(field, kind, arguments)),
    )


def _attributes(field: Any, kind: FieldKind, arguments: dict[str, Any]) -> dict[str, Any]:
    """The attributes of the `Field` that differ from their default."""
    found = {name: _scalar(arguments[name]) for name in ATTRIBUTES if name in arguments}
    found["has_default"] = "default" in arguments
    found["has_db_default"] = "db_default" in arguments
    if kind in (FieldKind.COLUMN, FieldKind.FOREIGN_KEY) and not _is_django_s(type(field)):
        # What a constructor sets, the class's own `deconstruct` need not say.
        for name, attribute, default in _SET:
            value = getattr(field, attribute, default)
            if name not in found and value != default:
                found[name] = _scalar(value)
        found["has_default"] = found["has_default"] or bool(field.has_default())
    return found


def _is_django_s(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "django"


def _class_of(session: Session, cls: type) -> FieldClass:
    found = field_class(session, class_value(session, cls))
    if found is None or found.kind is not FieldKind.UNKNOWN:
        assert found is not None
        return found
    # No source: what it inherits is still known, if not what it adds.
    for base in cls.__mro__[1:]:
        inherited = field_class(session, Ref(path_of(base)))
        if inherited is not None and inherited.kind is not FieldKind.UNKNOWN:
            return FieldClass(
                path=path_of(cls),
                kind=inherited.kind,
                base=inherited.base,
                known=False,
                auto_columns=UNKNOWN if inherited.kind is FieldKind.MANY_TO_MANY else (),
            )
    return found


def _with_table(cls: FieldClass, field: Any, arguments: dict[str, Any], owner: ModelKey | None) -> FieldClass:
    """The class of a many-to-many, which makes a table of its own, with what that table is."""
    target = _model(arguments.get("to", field.remote_field.model), owner)
    if owner is None or not isinstance(target, ModelKey) or arguments.get("through") is not None:
        return cls
    columns = further_columns(field, owner, target)
    return cls if columns is None else replace(cls, kind=FieldKind.MANY_TO_MANY, known=True, auto_columns=columns)


def _kind(field: Any, cls: FieldClass) -> FieldKind:
    from django.db import models

    if getattr(field, "many_to_many", False):
        return FieldKind.MANY_TO_MANY
    if isinstance(field, models.ForeignKey):
        return FieldKind.FOREIGN_KEY
    if isinstance(field, models.ForeignObject) or cls.kind is FieldKind.VIRTUAL:
        return FieldKind.VIRTUAL
    return FieldKind.COLUMN if isinstance(field, models.Field) else cls.kind


def _is_plain(field: Any) -> bool:
    """Whether a column's class leaves alone what decides about columns."""
    from django.db import models

    names = ("contribute_to_class", "db_type", "get_attname", "get_attname_column", "set_attributes_from_name")
    return all(getattr(type(field), name, None) is getattr(models.Field, name) for name in names)


def _scalar(value: Any) -> Any:
    return value if isinstance(value, str | int | None) else UNKNOWN


def _option(session: Session, value: Any, owner: ModelKey | None) -> object:
    if hasattr(value, "deconstruct"):
        return read_field(session, value, owner)
    if isinstance(value, type):
        return path_of(value)
    return value if isinstance(value, str | int | float | None) else UNKNOWN


def _relation(field: Any, cls: FieldClass, arguments: dict[str, Any], owner: ModelKey | None) -> Relation:
    remote = field.remote_field
    through = arguments.get("through", _given_through(remote))
    fields = getattr(remote, "through_fields", None)
    return Relation(
        to=_model(arguments.get("to", remote.model), owner),
        through=None if through is None else _model(through, owner),
        through_fields=None if fields is None else tuple(map(str, fields)),
        db_table=_text(arguments.get("db_table")),
        db_constraint=bool(arguments.get("db_constraint", True)),
        symmetrical=_symmetrical(field, arguments),
        related_name=_text(arguments.get("related_name")),
        related_query_name=_text(arguments.get("related_query_name")),
        to_field=_text(arguments.get("to_field")),
        one_to_one=bool(field.one_to_one),
        auto_columns=_auto_columns(cls, field),
        to_label=_label(remote.model),
        through_label=_label(through),
    )


def _given_through(remote: Any) -> Any:
    """A through model that the class itself brings."""
    through = getattr(remote, "through", None)
    return None if through is None or getattr(getattr(through, "_meta", None), "auto_created", False) else through


def _symmetrical(field: Any, arguments: dict[str, Any]) -> bool | None:
    """What differs from the default: symmetrical to itself, else not."""
    from django.db import models

    if not isinstance(field, models.ManyToManyField):
        return None
    given = bool(field.remote_field.symmetrical)
    return None if given is (arguments.get("to") == "self") else given


def _auto_columns(cls: FieldClass, field: Any) -> Maybe[tuple[str, ...]]:
    if cls.base is None or not cls.base.sort_column or cls.auto_columns != ():
        return cls.auto_columns
    # sortedm2m's: a base class of the user's own may bring more columns.
    if getattr(field, "base_class", None) is not None:
        return UNKNOWN
    return (str(field.sort_value_field_name),) if field.sorted else ()


def _model(value: Any, owner: ModelKey | None) -> Maybe[ModelRef]:
    """A model named by a string, or given itself."""
    if isinstance(value, str):
        # A bare name in a migration is one of its own app's.
        return named_model(str(value), "" if owner is None else owner.app_label, owner)
    meta = getattr(value, "_meta", None)
    return UNKNOWN if meta is None else ModelKey(meta.app_label, meta.model_name)


def _label(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else getattr(getattr(value, "_meta", None), "label", None)


def _text(value: Any) -> Maybe[str | None]:
    return None if value is None else str(value) if isinstance(value, str) else UNKNOWN

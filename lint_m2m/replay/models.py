"""Models and fields as the state ledger holds them: frozen values, replaced as a whole when one changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from lint_m2m.migration import UNKNOWN, Field, FieldKind, Maybe, ModelKey, ModelOptions, ModelRef
from lint_m2m.replay.facts import FieldKey, Origin
from lint_m2m.values import declare, frozen

_MANY_TO_MANY: Final = FieldKind.MANY_TO_MANY


@frozen
class FieldState:
    """A field of a model at one moment.

    `origin` wrote the definition as it is now, `created` brought the field in (they differ after an AlterField; a
    rename changes neither). `uncertain` says why the definition may be another one, ``None`` when it is known.
    """

    name: str
    field: Field
    origin: Origin
    created: Origin
    uncertain: str | None = None


def column_name(field: FieldState) -> str | None:
    """The column of a field, ``None`` when it has none or that is not known."""
    definition = field.field
    if definition.kind not in (FieldKind.COLUMN, FieldKind.FOREIGN_KEY) or definition.db_column is UNKNOWN:
        return None
    return definition.db_column or (f"{field.name}_id" if definition.kind is FieldKind.FOREIGN_KEY else field.name)


@frozen
class ModelState:
    """A model at one moment. `fields` are in order and never changed in place.

    `uncertain` says why fields or options may be others than these (an unknown operation, an unreadable list).
    """

    key: ModelKey
    name: str
    fields: Mapping[str, FieldState]
    options: ModelOptions
    origin: Origin
    uncertain: str | None = None
    # Filled by the first who asks.
    _links: tuple[FieldState, ...] | None = declare(default=None, init=False, repr=False, compare=False)

    def field_key(self, name: str) -> FieldKey:
        return FieldKey(self.key.app_label, self.key.name, name)

    def many_to_many(self) -> tuple[FieldState, ...]:
        """The many-to-many fields, in order."""
        links = self._links
        if links is None:
            links = tuple([field for field in self.fields.values() if field.field.kind is _MANY_TO_MANY])
            object.__setattr__(self, "_links", links)
        return links


def reverse_name(owner: ModelKey, name: str) -> str:
    """A `related_name` or `related_query_name` of a field of `owner` as Django has it, with ``%(class)s`` filled in.

    Source: `RelatedField.contribute_to_class` in ``django/db/models/fields/related.py``.
    """
    for pattern, value in (("class", owner.name), ("model_name", owner.name), ("app_label", owner.app_label.lower())):
        name = name.replace(f"%({pattern})s", value)
    return name


class StateView(Protocol):
    """What Django believes at one moment; rules get one from before the operation and one from after it."""

    def get(self, key: ModelKey) -> ModelState | None:
        """The model, ``None`` when it is not there (or not in the project)."""

    def lookup(self, ref: Maybe[ModelRef | None]) -> Maybe[ModelState | None]:
        """The model; ``None`` when it is certainly not there; UNKNOWN for external apps, unresolved settings and
        whatever an unread operation may have made or removed."""

    def models(self) -> Iterator[ModelState]:
        """All models, in the order they came in."""

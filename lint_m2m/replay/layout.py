"""Where Django believes things are: tables, columns and automatic link tables of a model in a given state.

What rendering a ``ModelState`` into a class decides (django/db/models/base.py, options.py, fields/related.py), computed
from the values themselves. Unknown stays unknown; a model marked uncertain is answered for as it is known, its mark
being the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from lint_m2m.migration import UNKNOWN, Field, FieldKind, Maybe, ModelKey, ModelRef, Relation
from lint_m2m.replay.facts import FieldKey
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.names import Names, link_field_names
from lint_m2m.values import NamedTuple

_COMPOSITE_PRIMARY_KEY = "django.db.models.CompositePrimaryKey"
# Global names are found several times as fast as members of an enum.
_COLUMN: Final = FieldKind.COLUMN
_FOREIGN_KEY: Final = FieldKind.FOREIGN_KEY
_MANY_TO_MANY: Final = FieldKind.MANY_TO_MANY
_VIRTUAL: Final = FieldKind.VIRTUAL


class Column(NamedTuple):
    """A column that a model's state says exists. `field` is ``None`` for one that Django adds by itself."""

    name: str  # the field's name
    column: str
    type_name: str | None
    not_null: Maybe[bool]
    primary_key: bool
    unique: bool
    # It gets an index of its own (``db_index``; a foreign key has one by default).
    indexed: bool
    # The table a foreign key points at, and whether the database enforces it.
    references: Maybe[str | None]
    constrained: bool
    field: Field | None
    # The column a foreign key points at, as far as it is known.
    target: str | None = None


class Columns(NamedTuple):
    """The columns of a model's own table, in order. `uncertain` says why there may be others, ``None`` if not."""

    items: tuple[Column, ...]
    uncertain: str | None

    def by_field(self, name: str) -> Column | None:
        return next((column for column in self.items if column.name == name), None)


class LinkTable(NamedTuple):
    """The automatic table of a many-to-many field: its name and its two foreign keys.

    `source` and `target` are the keys' columns; `extra` what the field's class adds. UNKNOWN where `to` is not known.
    """

    key: FieldKey
    table: Maybe[str]
    source: str
    target: Maybe[str]
    extra: Maybe[tuple[str, ...]]
    constrained: bool
    to: Maybe[ModelRef]


class Layout:
    """Answers for one database and one project."""

    __slots__ = ("_auto_field", "_swappable", "names")

    def __init__(self, names: Names, swappable: Mapping[str, str], auto_field: Maybe[str]) -> None:
        self.names = names
        self._swappable = {setting: model.lower() for setting, model in swappable.items()}
        self._auto_field = auto_field

    # -- models

    def table(self, model: ModelState, view: StateView) -> Maybe[str]:
        """The model's table; a proxy's is that of the model it stands for."""
        options = model.options
        if options.proxy is not False:
            if options.proxy is UNKNOWN:
                return UNKNOWN
            concrete = self.concrete(model, view)
            return UNKNOWN if concrete is UNKNOWN else self.table(concrete, view)
        table = options.db_table
        if table is UNKNOWN:
            return UNKNOWN
        return table or self.names.default_table(*model.key)

    def concrete(self, model: ModelState, view: StateView) -> Maybe[ModelState]:
        """The model whose table `model` uses: itself, or the first model among a proxy's bases."""
        seen: set[ModelKey] = set()
        while model.options.proxy is not False:
            bases = model.options.bases
            if model.options.proxy is UNKNOWN or bases is UNKNOWN or not bases or model.key in seen:
                return UNKNOWN
            seen.add(model.key)
            base = view.lookup(bases[0])
            if base is UNKNOWN or base is None:
                return UNKNOWN
            model = base
        return model

    def reference_table(self, ref: Maybe[ModelRef], view: StateView) -> Maybe[str]:
        """The table of the model that a relation names."""
        model = view.lookup(ref)
        return UNKNOWN if model is UNKNOWN or model is None else self.table(model, view)

    def reference_column(self, ref: Maybe[ModelRef], view: StateView, to_field: Maybe[str | None] = None) -> str | None:
        """The column of `reference_table` that a foreign key points at; ``None`` when it cannot be told."""
        model = view.lookup(ref)
        if model is UNKNOWN or model is None or to_field is UNKNOWN:
            return None
        concrete = self.concrete(model, view)
        if concrete is UNKNOWN or concrete.uncertain is not None:
            return None
        keys = [
            state
            for state in concrete.fields.values()
            if (state.field.primary_key is not False if to_field is None else state.name == to_field)
        ]
        if not keys and to_field is None:
            implied, doubt = self._implied_key(concrete, view)
            return implied[0].column if doubt is None else None
        if (
            len(keys) != 1
            or keys[0].uncertain is not None
            or (to_field is None and keys[0].field.primary_key is UNKNOWN)
        ):
            return None
        column = self.column(keys[0].name, keys[0].field)
        return None if column is UNKNOWN else column

    def runs(self, model: ModelState) -> Maybe[bool]:
        """`Options.can_migrate`: not for proxy, swapped-out and unmanaged models."""
        options = model.options
        swapped = self.swapped(model)
        if options.proxy is True or options.managed is False or options.abstract is True or swapped is True:
            return False
        if options.proxy is UNKNOWN or options.managed is UNKNOWN or options.abstract is UNKNOWN or swapped is UNKNOWN:
            return UNKNOWN
        return True

    def swapped(self, model: ModelState) -> Maybe[bool]:
        """`Options.swapped`: the setting names another model. A setting that is not set swaps nothing."""
        setting = model.options.swappable
        if setting is None:
            return False
        if setting is UNKNOWN or setting not in self._swappable:
            return UNKNOWN
        return self._swappable[setting] != f"{model.key.app_label}.{model.key.name}".lower()

    # -- columns

    def column(self, name: str, field: Field) -> Maybe[str | None]:
        """The field's column; ``None`` when it has none."""
        if field.kind is _COLUMN:
            column = field.db_column
            return UNKNOWN if column is UNKNOWN else column or name
        if field.kind is _FOREIGN_KEY:
            column = field.db_column
            return UNKNOWN if column is UNKNOWN else column or f"{name}_id"
        return UNKNOWN if field.kind is FieldKind.UNKNOWN else None

    def columns(self, model: ModelState, view: StateView) -> Columns:
        """The columns of the model's own table: an automatic `id` first, a parent's link, then the fields."""
        items: list[Column] = []
        uncertain = model.uncertain
        has_key: Maybe[bool] = False
        for state in model.fields.values():
            field = state.field
            if state.uncertain is not None:
                uncertain = uncertain or state.uncertain
            kind = field.kind
            if kind is _MANY_TO_MANY:
                continue
            if field.primary_key is True or field.class_path == _COMPOSITE_PRIMARY_KEY:
                has_key = True
            elif field.primary_key is UNKNOWN and has_key is False:
                has_key = UNKNOWN
            if kind is _VIRTUAL:
                continue
            item = self.field_column(state.name, field, view)
            if item is UNKNOWN:
                uncertain = uncertain or f"the column of field `{state.name}` could not be told"
            elif item is not None:
                # A class that nobody knows has, in all cases ever seen, the column that its name says.
                items.append(item)
        if has_key is not True:
            implied, doubt = self._implied_key(model, view)
            uncertain = uncertain or doubt
            if has_key is UNKNOWN:
                uncertain = uncertain or "its primary key could not be told"
            elif not (uncertain is not None and model.uncertain is not None and not model.fields):
                items[:0] = implied
        order = model.options.order_with_respect_to
        if order is UNKNOWN:
            uncertain = uncertain or "its order_with_respect_to could not be told"
        elif order is not None:
            items.append(order_column())
        return Columns(tuple(items), uncertain)

    def columns_of(self, model: ModelState, fields: Iterable[str], view: StateView) -> Columns:
        """Like `columns`, for those who ask for these fields only."""
        states = [model.fields.get(name) for name in fields]
        found: list[Column] = []
        for state in states:
            if state is None:
                return self.columns(model, view)
            if state.field.kind is FieldKind.MANY_TO_MANY or state.field.kind is FieldKind.VIRTUAL:
                continue
            column = self.field_column(state.name, state.field, view)
            if column is not UNKNOWN and column is not None:
                found.append(column)
        return Columns(tuple(found), None)

    def field_column(self, name: str, field: Field, view: StateView) -> Maybe[Column | None]:
        """The column that a field makes; ``None`` for none, UNKNOWN when its name cannot be told."""
        column = self.column(name, field)
        if column is UNKNOWN or column is None:
            return column
        null = field.null
        not_null = null if null is UNKNOWN else not null
        type_name = field.class_path.rpartition(".")[2]
        unique = field.unique is True
        relation = field.relation
        if relation is None or field.kind is _COLUMN:
            indexed = field.db_index is True and not unique
            key = field.primary_key is True
            return Column(name, column, type_name, not_null, key, unique, indexed, None, False, field)
        unique = unique or relation.one_to_one
        return Column(
            name,
            column,
            type_name,
            not_null,
            field.primary_key is True,
            unique,
            # A unique column has the index of its unique set.
            field.db_index is not False and not unique,
            self.reference_table(relation.to, view),
            relation.db_constraint is True,
            field,
            self.reference_column(relation.to, view, relation.to_field),
        )

    def primary_key(self, model: ModelState, view: StateView) -> Maybe[Column]:
        """The column of the primary key."""
        # The first of `columns` that is one: all others need not be told.
        unsure = False
        for state in model.fields.values():
            field = state.field
            if field.kind is _MANY_TO_MANY:
                continue
            if field.primary_key is True and field.kind is not _VIRTUAL:
                column = self.field_column(state.name, field, view)
                if column is not None and column is not UNKNOWN:
                    return column
            if field.primary_key in (True, UNKNOWN) or field.class_path == _COMPOSITE_PRIMARY_KEY:
                unsure = True
        if unsure or (model.uncertain is not None and not model.fields):
            return UNKNOWN
        return next((column for column in self._implied_key(model, view)[0] if column.primary_key), UNKNOWN)

    def _implied_key(self, model: ModelState, view: StateView) -> tuple[list[Column], str | None]:
        """The key Django adds by itself: `id`, or the links to the parents of multi-table inheritance."""
        bases = model.options.bases
        if bases is UNKNOWN:
            return [], "its bases could not be told"
        parents: list[Column] = []
        for ref in bases:
            if model.options.proxy is True:
                continue
            base = view.lookup(ref)
            if base is UNKNOWN or base is None:
                return [], f"its base `{ref}` is not in the project"
            concrete = self.concrete(base, view)
            if concrete is UNKNOWN:
                return [], f"its base `{ref}` could not be told"
            name = f"{concrete.key.name}_ptr"
            if name in model.fields:
                continue
            table = self.table(concrete, view)
            parents.append(
                Column(name, f"{name}_id", "OneToOneField", True, not parents, bool(parents), False, table, True, None)
            )
        if parents:
            return parents, None
        return [self.automatic_key()], None

    def automatic_key(self) -> Column:
        """The `id` that Django adds to a model in a migration, of the class that the setting names."""
        path = self._auto_field
        type_name = None if path is UNKNOWN else path.rpartition(".")[2]
        return Column("id", "id", type_name, True, True, False, False, None, False, None)

    # -- many-to-many

    def is_automatic(self, field: Field) -> Maybe[bool]:
        """Whether a many-to-many field has no `through`."""
        relation = field.relation
        if relation is None or relation.through is UNKNOWN:
            return UNKNOWN
        return relation.through is None

    def link_table(self, model: ModelState, name: str, field: Field, view: StateView) -> LinkTable:
        """The automatic table of a many-to-many field without `through`."""
        relation = _relation(field)
        table = self.link_name(model, name, relation, view)
        to = relation.to
        if isinstance(to, ModelKey):
            source, target = link_field_names(model.key.name, to.name)
            columns: tuple[str, Maybe[str]] = (f"{source}_id", f"{target}_id")
        else:
            columns = (f"{model.key.name}_id", UNKNOWN)
        return LinkTable(
            model.field_key(name),
            table,
            *columns,
            relation.auto_columns,
            relation.db_constraint is not False,
            to,
        )

    def link_name(self, model: ModelState, name: str, relation: Relation, view: StateView) -> Maybe[str]:
        """The name of that table alone."""
        if relation.db_table is UNKNOWN:
            return UNKNOWN
        if relation.db_table:
            return relation.db_table
        owner = self.table(model, view)
        return UNKNOWN if owner is UNKNOWN else self.names.link_table(owner, name)

    def through_columns(self, model: ModelState, field: Field, view: StateView) -> Maybe[tuple[str, str]]:
        """The columns of the two foreign keys that a `through` field reads (`_get_m2m_attr`, its reverse)."""
        relation = _relation(field)
        through = view.lookup(relation.through)
        named = relation.through_fields
        if through is UNKNOWN or through is None or through.uncertain is not None:
            return UNKNOWN
        if named is UNKNOWN or not isinstance(relation.to, ModelKey):
            return UNKNOWN
        if named is not None and len(named) >= 2:
            pair = [self._through_column(through, name) for name in named[:2]]
        else:
            keys = [state for state in through.fields.values() if state.field.kind is FieldKind.FOREIGN_KEY]
            sources = [state for state in keys if state.field.relation and state.field.relation.to == model.key]
            if relation.to == model.key:
                targets = sources[1:]
            else:
                targets = [state for state in keys if state.field.relation and state.field.relation.to == relation.to]
            if not sources or not targets:
                return UNKNOWN
            pair = [self._through_column(through, sources[0].name), self._through_column(through, targets[0].name)]
        source, target = pair
        return UNKNOWN if source is None or target is None else (source, target)

    def _through_column(self, through: ModelState, name: str) -> str | None:
        state = through.fields.get(name)
        if state is None or state.uncertain is not None:
            return None
        column = self.column(name, state.field)
        return None if column is UNKNOWN else column


def order_column() -> Column:
    """The column that `order_with_respect_to` adds."""
    return Column("_order", "_order", "OrderWrt", True, False, False, False, None, False, None)


def related_fields(
    key: ModelKey, referrers: tuple[ModelKey, ...], view: StateView
) -> list[tuple[ModelState, FieldState]]:
    """All fields whose `to` is `key`, of the models among `referrers` that `view` has."""
    found: list[tuple[ModelState, FieldState]] = []
    for referrer in referrers:
        model = view.get(referrer)
        if model is None:
            continue
        for state in model.fields.values():
            relation = state.field.relation
            if relation is not None and relation.to == key:
                found.append((model, state))
    return found


def _relation(field: Field) -> Relation:
    return field.relation if field.relation is not None else Relation(to=UNKNOWN)


__all__ = [
    "Column",
    "Columns",
    "Layout",
    "LinkTable",
    "order_column",
    "related_fields",
]

"""Rows: made for any model from its fields, and read back in a form that survives a change of tables."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

BATCH = 2000
Stage: TypeAlias = Callable[..., None]
# (owner's key, target's key, values of the columns that both models have)
Link: TypeAlias = tuple[Any, ...]


class Unseedable(Exception):
    """Rows that cannot be made, and why."""


class Rows:
    """Makes rows through historical models. `alias` is the database."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pools: dict[tuple[str, int], list[Any]] = {}
        self._numbers = 0

    def make(self, model: Any, count: int, depth: int = 0) -> list[Any]:
        """`count` new rows of `model`, with what they have to point at. Unseedable for models in a circle."""
        if depth > 8:
            raise Unseedable(f"the models that `{model.__name__}` needs stand in a circle")
        needed: dict[Any, list[Any]] = {}
        parents = set(model._meta.parents.values())
        for field in model._meta.concrete_fields:
            if field in parents or not field.is_relation or field.null or (field.primary_key and field in parents):
                continue
            if field.remote_field.model._meta.concrete_model is model._meta.concrete_model:
                raise Unseedable(f"`{model.__name__}.{field.name}` has to point at its own table")
            own = field.unique
            needed[field] = self.make(field.related_model, count, depth + 1) if own else self._one(field, depth)
        rows: list[Any] = []
        for index in range(count):
            self._numbers += 1
            values = self.values(model, self._numbers)
            for field, pool in needed.items():
                values[field.name] = pool[index % len(pool)]
            rows.append(model(**values))
        self.insert(model, rows)
        return rows

    def _one(self, field: Any, depth: int) -> list[Any]:
        key = (field.related_model._meta.label_lower, 1)
        if key not in self._pools:
            self._pools[key] = self.make(field.related_model, 1, depth + 1)
        return self._pools[key]

    def insert(self, model: Any, rows: Sequence[Any], text: str | None = None) -> None:
        """Into the table, in batches; a model with a parent's table takes them one by one."""
        plain = not model._meta.parents
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            if plain:
                model._base_manager.bulk_create(batch)
            else:
                for one in batch:
                    one.save()
            if text is not None:
                self._stage(text, start + len(batch), len(rows))
        if plain and rows and any(one.pk is None for one in rows):
            # A database that does not say which keys it gave (MySQL): they are the newest.
            keys = list(model._base_manager.order_by("-pk").values_list("pk", flat=True)[: len(rows)])
            for one, key in zip(reversed(rows), keys, strict=True):
                one.pk = key

    def values(self, model: Any, number: int, without: Sequence[Any] = ()) -> dict[str, Any]:
        """Something for each field that has to have it, another thing for each number."""
        found: dict[str, Any] = {}
        for field in model._meta.concrete_fields:
            if field in without or field.is_relation or field.null or field.name == "_order":
                continue
            if field.primary_key:
                if field.get_internal_type() not in ("AutoField", "BigAutoField", "SmallAutoField", "UUIDField"):
                    found[field.name] = self.value(field, number)
                continue
            if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
                continue
            if (field.has_default() or field.blank) and not field.unique:
                continue
            found[field.name] = self.value(field, number)
        if "_order" in {field.name for field in model._meta.concrete_fields}:
            found["_order"] = number
        return found

    def value(self, field: Any, number: int) -> Any:
        """A value of the field's kind."""
        kind = field.get_internal_type()
        if kind in ("CharField", "SlugField", "TextField", "FileField", "FilePathField"):
            text = f"n{number}"
            return text if field.max_length is None else text[-field.max_length :]
        if kind == "BooleanField":
            return False
        if kind == "DateField":
            return datetime.date(2000, 1, 1) + datetime.timedelta(days=number % 30000)
        if kind == "DateTimeField":
            return datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(minutes=number)
        if kind == "TimeField":
            return datetime.time(number % 24, number // 24 % 60)
        if kind == "DurationField":
            return datetime.timedelta(seconds=number)
        if kind == "DecimalField":
            return decimal.Decimal(number % 10)
        if kind == "UUIDField":
            return uuid.UUID(int=number)
        if kind == "JSONField":
            return {"n": number}
        if kind == "BinaryField":
            return str(number).encode()
        if kind == "GenericIPAddressField":
            return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return number % 32000 if "Small" in kind else number


class Links:
    """The links of one relation at one moment: a many-to-many with any table, or a foreign key."""

    def __init__(self, apps: Any, field: Sequence[str]) -> None:
        self.owner = apps.get_model(field[0], field[1])
        self.field = self.owner._meta.get_field(field[2])
        self.target = self.field.related_model
        self.many = bool(self.field.many_to_many)

    @property
    def through(self) -> Any:
        return self.field.remote_field.through

    @property
    def source(self) -> Any:
        return self.through._meta.get_field(self.field.m2m_field_name())

    @property
    def sink(self) -> Any:
        return self.through._meta.get_field(self.field.m2m_reverse_field_name())

    def extras(self) -> dict[str, Any]:
        """The further columns of the table of links."""
        if not self.many:
            return {}
        keys = (self.source, self.sink)
        return {
            field.name: field
            for field in self.through._meta.concrete_fields
            if field not in keys and not field.primary_key and field.name != "_order"
        }

    def rows(self, names: Sequence[str] = ()) -> list[Link]:
        """Every link, with the values of the columns `names`, sorted."""
        if self.many:
            attributes = [self.through._meta.get_field(name).attname for name in names]
            found = self.through._base_manager.values_list(self.source.attname, self.sink.attname, *attributes)
        else:
            found = self.owner._base_manager.exclude(**{f"{self.field.name}__isnull": True}).values_list(
                "pk", self.field.attname
            )
        return sorted((row for row in found if None not in row[:2]), key=repr if names else None)

    def seen(self) -> list[Link]:
        """The links as a query over the field sees them."""
        path = f"{self.field.name}__pk"
        found = self.owner._base_manager.filter(**{f"{self.field.name}__isnull": False}).values_list("pk", path)
        return sorted(found)

    def managed(self) -> Iterator[tuple[Any, list[Any]]]:
        """What the manager of the field has, for the first few owners."""
        if not self.many or getattr(self.field.remote_field, "symmetrical", False):
            return
        for one in self.owner._base_manager.order_by("pk")[:20]:
            yield one.pk, sorted(getattr(one, self.field.name).values_list("pk", flat=True))

    def enforced(self) -> bool:
        """Whether the database holds each pair once."""
        from django.db import connection

        if not self.many:
            return True
        pair = {self.source.column, self.sink.column}
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, self.through._meta.db_table).values()
        return any(one["unique"] and set(one["columns"] or ()) <= pair and one["columns"] for one in constraints)

    def columns(self) -> set[str]:
        """The two columns of the table of links."""
        return {self.source.column, self.sink.column} if self.many else set()


def insert_links(rows: Rows, links: Links, count: int, *, twice: bool = True, single: bool = False) -> int:
    """`count` links between new rows, some of them `twice` where the database allows it; how many are double.

    `single`: none of the owners has more than one.
    """
    one_each = single or (links.many and (links.source.unique or links.sink.unique))
    side = max(count if one_each else math.isqrt(2 * count) + 2, 3)
    owners = rows.make(links.owner, side if links.many else count)
    itself = links.target._meta.concrete_model is links.owner._meta.concrete_model
    targets = owners if itself else rows.make(links.target, side)
    if not links.many:
        for number, owner in enumerate(owners):
            setattr(owner, links.field.attname, targets[number % len(targets)].pk)
        links.owner._base_manager.bulk_update(owners, [links.field.name], batch_size=200)
        return 0
    pairs = list(_pairs([one.pk for one in owners], [one.pk for one in targets], count, one_each))
    double = [] if one_each or not twice or links.enforced() else pairs[: max(2, count // 50)]
    made: list[Any] = []
    for number, (one, other) in enumerate([*pairs, *double]):
        made.append(link_of(rows, links, one, other, number + 1))
    rows.insert(links.through, made, "inserting links")
    return len(double)


def link_of(rows: Rows, links: Links, one: object, other: object, number: int) -> Any:
    """A link that is not saved yet."""
    keys = (links.source, links.sink)
    values = rows.values(links.through, number, without=keys)
    for name, field in links.extras().items():
        # What may be empty is not: a value that gets lost must show.
        if name not in values and not field.is_relation and not getattr(field, "auto_now_add", False):
            values[name] = rows.value(field, number)
        elif field.is_relation and not field.null:
            values[name] = rows.make(field.related_model, 1)[0]
    return links.through(**{links.source.attname: one, links.sink.attname: other}, **values)


def _pairs(owners: Sequence[Any], targets: Sequence[Any], count: int, one_each: bool) -> Iterator[tuple[Any, Any]]:
    if one_each:
        yield from zip(owners, targets, strict=False)
        return
    found = 0
    for i, one in enumerate(owners):
        for j, other in enumerate(targets):
            if (i + 2 * j) % 3:
                yield one, other
                found += 1
                if found == count:
                    return

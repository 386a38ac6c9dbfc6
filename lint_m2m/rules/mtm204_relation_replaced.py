"""Relation replaced by another of the same models without copying the values.

## What it does

Finds a foreign key removed and a many-to-many field to the same model added under the same or nearly the same name
(`author`, `authors`), or the reverse, in one migration or in neighbouring ones, when nothing copied the values. So is a
many-to-many that moves to the other model: `Book.authors` removed, `Author.books` added.

## Why it breaks

`migrate` succeeds. The column goes with every value in it and the new table is empty (or the table goes with every
link and the new column is empty). It is what `makemigrations` writes when a field changes from one kind to the other.

## Example

```python
# library/migrations/0001_initial.py
operations = [
    migrations.CreateModel(name="Category", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        name="Post",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("category", models.ForeignKey(on_delete=models.CASCADE, to="library.category")),
        ],
    ),
]
# library/migrations/0002_many_categories.py
operations = [
    migrations.RemoveField(model_name="post", name="category"),
    migrations.AddField(model_name="post", name="category", field=models.ManyToManyField(to="library.category")),
]
```

## Safe sequence

Add the new field first, copy, then remove the old one.

```python
# library/migrations/0001_initial.py
operations = [
    migrations.CreateModel(name="Category", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        name="Post",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("category", models.ForeignKey(on_delete=models.CASCADE, to="library.category")),
        ],
    ),
]
# library/migrations/0002_many_categories.py
def copy_values(apps, schema_editor):
    Post = apps.get_model("library", "Post")
    alias = schema_editor.connection.alias
    links = Post.categories.through
    posts = Post.objects.using(alias).values_list("pk", "category_id").iterator()
    links.objects.using(alias).bulk_create(links(post_id=post, category_id=category) for post, category in posts)


operations = [
    migrations.AddField(
        model_name="post", name="categories", field=models.ManyToManyField(related_name="+", to="library.category")
    ),
    migrations.RunPython(copy_values, migrations.RunPython.noop),
    migrations.RemoveField(model_name="post", name="category"),
]
```

## When it stays silent

When the names have nothing in common (for a many-to-many on the other model: the names on both sides), when the model
was made in the same migration (it has no rows yet), and when a data operation near by touches the old field.

## References

- Django's autodetector, `generate_altered_fields` in `django/db/migrations/autodetector.py`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import ClassVar

from lint_m2m.finding import Certainty, Finding, Related, Severity
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    Field,
    FieldKind,
    Maybe,
    ModelKey,
    ModelRef,
    RemoveField,
    RenameField,
    RenameModel,
)
from lint_m2m.replay.facts import DataOperation, FieldKey, Origin, TableFact
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import field_label
from lint_m2m.rules.loss import (
    COPY_WINDOW,
    PAIR_WINDOW,
    Verdict,
    app_distance,
    claim,
    data_place,
    links_before,
    renamed,
    seen_table,
    writes,
)
from lint_m2m.values import slotted

_WORDS = {FieldKind.FOREIGN_KEY: "foreign key", FieldKind.MANY_TO_MANY: "many-to-many"}
_KINDS = tuple(_WORDS)


@slotted()
class _Relation:
    """A relation that comes or goes. `key` is its name now, `told` its name then.

    `links` is the table of a many-to-many, `owner` that of the model. `data` counts the data operations before it.
    `reverse` is what the other side calls it: `related_name`, else the model.
    """

    key: FieldKey
    told: FieldKey
    to: Maybe[ModelRef | None]
    reverse: str
    kind: FieldKind
    position: int
    origin: Origin
    label: str
    links: TableFact | None
    owner: str | None
    data: int


class _Relations:
    """Relations by the model they are on now: one is only ever compared with those of two models."""

    def __init__(self) -> None:
        # Each with the number of those that came before it.
        self._on: dict[ModelKey, list[tuple[int, _Relation]]] = {}
        self._count = 0

    def add(self, relation: _Relation) -> None:
        self._on.setdefault(relation.key.model_key, []).append((self._count, relation))
        self._count += 1

    def near(self, relation: _Relation) -> list[_Relation]:
        """Those on its model and on its target, in the order they were added."""
        model, to = relation.key.model_key, relation.to
        found = self._on.get(model, [])
        if isinstance(to, ModelKey) and to != model and to in self._on:
            found = sorted([*found, *self._on[to]], key=itemgetter(0))
        return [each for _, each in found]

    def remove(self, key: FieldKey, kind: FieldKind | None = None) -> None:
        """Leave out what has that key, all of it or only what is of one kind."""
        found = self._on.get(key.model_key)
        if found:
            self._on[key.model_key] = [one for one in found if one[1].key != key or kind not in (None, one[1].kind)]

    def discard(self, relation: _Relation) -> None:
        model = relation.key.model_key
        self._on[model] = [one for one in self._on[model] if one[1] is not relation]

    def rename(self, operation: RenameField | RenameModel, app_label: str) -> None:
        """What the keys and targets are called after the operation."""
        if isinstance(operation, RenameField):
            for _, relation in self._on.get(ModelKey(app_label, operation.model_name.lower()), ()):
                relation.key = renamed(relation.key, operation, app_label)
            return
        old, new = (ModelKey(app_label, name.lower()) for name in (operation.old_name, operation.new_name))
        for relations in self._on.values():
            for _, relation in relations:
                if relation.to == old:
                    relation.to = new
        moved = self._on.pop(old, [])
        for _, relation in moved:
            relation.key = renamed(relation.key, operation, app_label)
        if moved:
            self._on[new] = sorted([*self._on.get(new, []), *moved], key=itemgetter(0))


class RelationReplaced(Rule):
    code: ClassVar[str] = "MTM204"
    name: ClassVar[str] = "relation-replaced"
    severity: ClassVar[Severity] = Severity.WARNING
    operations = frozenset({AddField, RemoveField, RenameField, RenameModel})

    def __init__(self) -> None:
        self._added = _Relations()
        self._removed = _Relations()  # that nothing has taken the place of yet
        self._pairs: list[tuple[_Relation, _Relation]] = []

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        operation = step.operation
        if not step.on_state:
            return iter(())
        match operation:
            case RenameField() | RenameModel():
                for relations in (self._added, self._removed):
                    relations.rename(operation, step.app_label)
                if isinstance(operation, RenameField):
                    self._comes(step, operation.model_name, operation.new_name, replay)
            case AddField() if operation.field.kind in _KINDS and not step.failures:
                self._comes(step, operation.model_name, operation.name, replay)
            case RemoveField() if step.on_database and not step.failures:
                self._goes(step, operation, replay)
            case _:
                pass
        return iter(())

    def _comes(self, step: Step, model_name: str, name: str, replay: Replay) -> None:
        """A relation is added, or gets this name: it may be what a removed one has become."""
        key = FieldKey(step.app_label, model_name.lower(), name)
        model = step.after.get(key.model_key)
        field = model.fields.get(name) if model else None
        if model is None or field is None or field.field.kind not in _KINDS:
            return
        relation = _relation(key, field.field, step, replay, links=seen_table(replay, key))
        self._removed.remove(key, relation.kind)
        if not isinstance(step.operation, AddField) or not step.on_database:
            return
        self._added.add(relation)
        for gone in self._removed.near(relation):
            if _replaces(gone, relation, replay):
                self._removed.discard(gone)
                self._pairs.append((gone, relation))

    def _goes(self, step: Step, operation: RemoveField, replay: Replay) -> None:
        model = step.before.get(ModelKey(step.app_label, operation.model_name.lower()))
        field = model.fields.get(operation.name) if model else None
        if model is None or field is None or field.field.kind not in _KINDS:
            return
        key = model.field_key(field.name)
        # A field of the same migration can have no values yet.
        if field.created.migration != step.migration.key:
            links = links_before(step, model, field, replay)
            gone = _relation(key, field.field, step, replay, links=links)
            earlier = [added for added in self._added.near(gone) if _replaces(gone, added, replay)]
            if earlier:
                self._pairs += [(gone, added) for added in earlier]
            else:
                self._removed.add(gone)
        self._added.remove(key)

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for removed, added in self._pairs:
            yield from self._judge(removed, added, replay)

    def _judge(self, removed: _Relation, added: _Relation, replay: Replay) -> Iterator[Finding]:
        first, last = sorted((removed.position, added.position))
        near = [
            (number, operation)
            for number, operation in enumerate(replay.data_operations())
            if first - COPY_WINDOW <= operation.position <= last + COPY_WINDOW
        ]
        readers = [(number, op) for number, op in near if number < removed.data and _touches(op, removed)]
        if any(_fills(number, op, added, readers) for number, op in near):
            return
        old, new = _WORDS[removed.kind], _WORDS[added.kind]
        finding = self.finding(
            removed.origin,
            f"the {old} `{removed.label}` is removed for the {new} `{added.label}`, and nothing copies its values",
            label="the values go here",
            field=added.told if added.kind is FieldKind.MANY_TO_MANY else removed.told,
            related=(Related(location=added.origin.location, message="the new field is added here, empty"),),
        )
        unread = next((op for _, op in near if op.unread is not None), None)
        stored = next((op for _, op in readers if writes(op)), None)
        reason = None
        if unread is not None:
            reason = f"{data_place(unread)} could not be read whole: {unread.unread}"
        elif stored is not None:
            reason = f"{data_place(stored)} reads the old field and may have stored its values elsewhere"
        elif removed.kind is added.kind:
            reason = "the new one links the same models the other way round"
        elif removed.told.name != added.told.name:
            reason = "the names are alike, not equal"
        certainty = Certainty.CERTAIN if reason is None else Certainty.LIKELY
        yield claim(finding, Verdict(copied=False, certainty=certainty, reason=reason))


def _relation(key: FieldKey, field: Field, step: Step, replay: Replay, *, links: Maybe[TableFact | None]) -> _Relation:
    model = step.after.get(key.model_key)
    owner = UNKNOWN if model is None else replay.model_table(model, step.after)
    return _Relation(
        key=key,
        told=key,
        to=None if field.relation is None else field.relation.to,
        reverse=_reverse(key, field),
        kind=field.kind,
        position=step.position,
        origin=step.origin,
        label=field_label(step.after, key),
        links=None if links is UNKNOWN else links,
        owner=None if owner is UNKNOWN else owner.lower(),
        data=replay.data_count,
    )


def _replaces(removed: _Relation, added: _Relation, replay: Replay) -> bool:
    """Whether `added` takes the place of `removed`, near by."""
    if removed.key.model != added.key.model and removed.kind is not added.kind:  # most, where there are many
        return False
    if removed.to is UNKNOWN or not (_other_kind(removed, added) or _turned_round(removed, added)):
        return False
    first, last = sorted((removed.position, added.position))
    return app_distance(replay, added.key.app_label, first, last) <= PAIR_WINDOW


def _other_kind(removed: _Relation, added: _Relation) -> bool:
    """Same model, same target, like name, and another kind of field."""
    return (
        removed.kind is not added.kind
        and removed.key.model_key == added.key.model_key
        and removed.to == added.to
        and alike(removed.key.name, added.key.name)
    )


def _turned_round(removed: _Relation, added: _Relation) -> bool:
    """The same many-to-many, declared on the other model: both names fit."""
    return (
        removed.kind is added.kind is FieldKind.MANY_TO_MANY
        and removed.key.model_key == added.to
        and removed.to == added.key.model_key
        and removed.key.model_key != added.key.model_key
        and alike(added.key.name, removed.reverse)
        and alike(removed.key.name, added.reverse)
    )


def _reverse(key: FieldKey, field: Field) -> str:
    name = None if field.relation is None else field.relation.related_name
    return name if isinstance(name, str) and not name.endswith("+") else key.model


def alike(one: str, other: str) -> bool:
    """The same name, but for an English plural: ``tag``/``tags``, ``category``/``categories``."""
    return stem(one) == stem(other)


def stem(name: str) -> str:
    """What is `alike` has in common."""
    for suffix, singular in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            return name.removesuffix(suffix) + singular
    return name


def _touches(operation: DataOperation, relation: _Relation) -> bool:
    """Whether a data operation can read or write the relation: its links, or its column."""
    if relation.kind is FieldKind.MANY_TO_MANY:
        return relation.links is not None and relation.links.uid in operation.links
    if relation.owner is not None and relation.owner in operation.tables:
        return True
    names = {relation.told.name, f"{relation.told.name}_id"}
    return relation.told.model_key in operation.models and bool(operation.names & names)


def _fills(
    number: int, operation: DataOperation, added: _Relation, readers: Iterable[tuple[int, DataOperation]]
) -> bool:
    """Whether it writes to the new relation what it, or one before it, has read of the old one."""
    return (
        number >= added.data
        and writes(operation)
        and _touches(operation, added)
        and any(earlier <= number for earlier, _ in readers)
    )

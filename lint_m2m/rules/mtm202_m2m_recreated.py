"""Many-to-many field, or its `through` model, removed and made again.

## What it does

Finds the links of a many-to-many field dropped while the field lives on: `RemoveField` and `AddField` of the same
field to the same model (in one migration or in neighbouring ones), `DeleteModel` of its `through` model and a later
`CreateModel` of it, or its table dropped under a state-only change.

## Why it breaks

`migrate` succeeds. `RemoveField` drops the automatic table with every link in it; `AddField` makes a new, empty table
or points at an empty `through` model. With a `through` model on the old side the rows stay in its table, where the
field no longer looks. It is what most people do after the `ValueError` of MTM101, and it cannot be undone without a
backup.

`DeleteModel` of a model that a field names in `through=` drops the table with every link as well. Nothing complains
when the model is made anew, on any database: the field goes on holding the old class until Django renders it again.
Only where the two are released one after the other does the second `migrate` raise `ValueError: <function
ManyToManyField...> contains a lazy reference to ...`, when the links are gone already; a note says so.

## Example

```python
# library/migrations/0002_authorship.py
operations = [
    migrations.CreateModel(
        name="Authorship",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
    migrations.RemoveField(model_name="book", name="authors"),
    migrations.AddField(
        model_name="book",
        name="authors",
        field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
    ),
]
```

## Safe sequence

Keep the table and change only what Django believes (MTM101). A `through` model that should have other fields or
another table is changed as it is: `AddField`, `AlterField`, `RemoveField`, `RenameField` and `AlterModelTable` keep its
rows. Or copy the rows before the old table goes:

```python
# library/migrations/0002_authorship.py
def copy_links(apps, schema_editor):
    Book = apps.get_model("library", "Book")
    Authorship = apps.get_model("library", "Authorship")
    alias = schema_editor.connection.alias
    links = Book.authors.through.objects.using(alias).values_list("book_id", "author_id").iterator()
    Authorship.objects.using(alias).bulk_create(Authorship(book_id=book, author_id=author) for book, author in links)


operations = [
    migrations.CreateModel(
        name="Authorship",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
    migrations.RunPython(copy_links, migrations.RunPython.noop),
    migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RemoveField(model_name="book", name="authors")],
        state_operations=[
            migrations.AlterField(
                model_name="book",
                name="authors",
                field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
            ),
        ],
    ),
]
```

## When it stays silent

When the table cannot have rows yet (made in the same migration), when something may have copied the rows (the finding
says where it looked, and is only `likely` when a data operation near by could not be read), when the field comes back
with another target model (its links would mean nothing), and when it comes back more than two migrations of its app
later; a `through` model is the same however much later it comes back. Where that is deleted or made anew in the state
alone, MTM104, MTM301 or MTM305 say what is amiss. A field that goes through another model afterwards is MTM105's or
MTM201's, and what is in the table of an unmanaged model is not for migrations to say.

## References

- Django, `BaseDatabaseSchemaEditor.remove_field` in `django/db/backends/base/schema.py`
- Django, `ProjectState.remove_model` in `django/db/migrations/state.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Related, Severity
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    AlterField,
    Field,
    Maybe,
    ModelKey,
    ModelRef,
    RemoveField,
    RenameField,
    RenameModel,
)
from lint_m2m.replay.facts import FieldKey, Origin, TableDropped, TableFact
from lint_m2m.replay.models import FieldState
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, field_label, link_field_of, sorting, through_of
from lint_m2m.rules.loss import PAIR_WINDOW, Pursuer, Pursuit, app_distance, claim, judge, links_before
from lint_m2m.rules.remade import Remade, RemadeThrough
from lint_m2m.values import frozen, replace


@frozen
class _Removal:
    """A field whose links went out of its reach, with the table they were in."""

    field: FieldKey
    was: Field
    to: Maybe[ModelRef | None]
    table: TableFact
    position: int
    origin: Origin


@frozen
class _Pair:
    pursuit: Pursuit
    finding: Finding


@frozen
class _Turn:
    """A field that a change of the state turned away from its table."""

    label: str
    field: FieldKey
    pursuit: Pursuit


@frozen
class _Drop:
    """A table with the links of a field that is dropped while the field stays."""

    label: str
    field: FieldKey
    origin: Origin
    pursuit: Pursuit


class ManyToManyRecreated(Rule):
    code: ClassVar[str] = "MTM202"
    name: ClassVar[str] = "m2m-recreated"
    severity: ClassVar[Severity] = Severity.ERROR

    def __init__(self) -> None:
        self._removed: dict[FieldKey, _Removal] = {}
        self._pairs: list[_Pair] = []
        # The table went, the field stayed: it looked at it until then, or a change of the state had turned it away.
        self._dropped: list[_Drop] = []
        self._turned: list[_Turn] = []
        self._drops: dict[int, Origin] = {}
        self._pursuer = Pursuer()

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(Remade).see(step, replay)
        operation = step.operation
        if isinstance(operation, RenameModel) and step.on_state:
            self._rename(ModelKey(step.app_label, operation.old_name.lower()), operation.new_name.lower())
        elif isinstance(operation, AddField) and step.on_state:
            key = FieldKey(step.app_label, operation.model_name.lower(), operation.name)
            self._comes_back(step, key, operation.field, replay, "added again")
        elif isinstance(operation, RenameField) and step.on_state:
            key = FieldKey(step.app_label, operation.model_name.lower(), operation.new_name)
            model = step.after.get(key.model_key)
            field = model.fields.get(key.name) if model else None
            if field is not None:
                old = key._replace(name=operation.old_name)
                self._comes_back(step, key, field.field, replay, f"`{operation.old_name}` takes its name", old)
        elif isinstance(operation, RemoveField) and step.on_state:
            self._remove(step, operation, replay)
        elif isinstance(operation, AlterField) and step.on_state and not step.on_database:
            self._turn(step, replay)
        if step.on_database:
            self._see_drops(step, replay)
        self._pursuer.see(step, replay)
        return iter(())

    def _remove(self, step: Step, operation: RemoveField, replay: Replay) -> None:
        model = step.before.get(ModelKey(step.app_label, operation.model_name.lower()))
        field = model.fields.get(operation.name) if model else None
        if model is None or field is None or not field.field.many_to_many:
            return
        key = model.field_key(field.name)
        table = links_before(step, model, field, replay)
        if table is not None and table.holds_rows:
            self._removed[key] = _Removal(
                field=key,
                was=field.field,
                to=_target(field),
                table=table,
                position=step.position,
                origin=step.origin,
            )

    def _comes_back(
        self, step: Step, key: FieldKey, new: Field, replay: Replay, how: str, alias: FieldKey | None = None
    ) -> None:
        """A field of that name is there again; `how` says by what, `alias` what it was called before."""
        removal = self._removed.pop(key, None)
        if removal is None or step.failures or not new.many_to_many or new.relation is None:
            return
        if removal.to != new.relation.to:
            return
        if app_distance(replay, key.app_label, removal.position, step.position) > PAIR_WINDOW:
            return
        label = field_label(step.after, key)
        kept = replay.table_by_uid(removal.table.uid) is not None
        fate = f"its links stay in `{removal.table.name}`" if kept else "its links are gone"
        finding = self.finding_at(
            step,
            f"`{label}` is removed and {how}: {fate}",
            label="comes back empty",
            field=key,
            related=(Related(location=removal.origin.location, message=self._fate(removal, kept)),),
            # A field that takes the name of another brings a table of its own.
            notes=() if alias is not None else sorting(removal.was, new),
        )
        aliases = frozenset() if alias is None else frozenset((alias,))
        pursuit = self._pursuer.follow(step, key, removal.table, first=removal.position, aliases=aliases)
        self._pairs.append(_Pair(pursuit=pursuit, finding=finding))

    @staticmethod
    def _fate(removal: _Removal, kept: bool) -> str:
        return (
            f"removed here, with its links in `{removal.table.name}`"
            if kept
            else (f"removed here: `{removal.table.name}` is dropped with every link in it")
        )

    def _turn(self, step: Step, replay: Replay) -> None:
        """A field gets or loses `through=` in the state alone, and looks at another table from there on."""
        fields = altered_fields(step)
        if fields is None:
            return
        model, old, new = fields
        if not (old.field.many_to_many and new.field.many_to_many):
            return
        if (through_of(old.field) is None) is (through_of(new.field) is None):
            return
        name = replay.link_table(model, old, step.before)
        table = None if name is UNKNOWN or name is None else replay.table(name)
        if table is not None and table is not UNKNOWN and table.holds_rows:
            key = model.field_key(new.name)
            label = field_label(step.after, key)
            self._turned.append(_Turn(label=label, field=key, pursuit=self._pursuer.follow(step, key, table)))

    def _see_drops(self, step: Step, replay: Replay) -> None:
        """Tables dropped; on the database side alone, while a field goes on under another `through=`."""
        for effect in step.effects:
            if not isinstance(effect, TableDropped) or not effect.table.holds_rows:
                continue
            self._drops[effect.table.uid] = step.origin
            if step.on_state:
                continue
            key = link_field_of(replay, step.before, effect.table.name, None)
            if key is not None:
                label = field_label(step.before, key)
                pursuit = self._pursuer.follow(step, key, effect.table)
                self._dropped.append(_Drop(label=label, field=key, origin=step.origin, pursuit=pursuit))

    def _rename(self, old: ModelKey, new_name: str) -> None:
        """Follow a renamed model, so that its fields are still known by their names."""
        new = ModelKey(old.app_label, new_name)
        for key, removal in list(self._removed.items()):
            removal = replace(removal, to=new if removal.to == old else removal.to)
            if key.model_key == old:
                del self._removed[key]
                key = FieldKey(key.app_label, new_name, key.name)
                removal = replace(removal, field=key)
            self._removed[key] = removal

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for pair in self._pairs:
            verdict = judge(replay, self._pursuer, pair.pursuit)
            if not verdict.copied and not pair.pursuit.unreadable:
                yield claim(pair.finding, verdict)
        said = set()
        for remade in replay.shared(Remade).at_end(replay):
            said.add((remade.dropped, remade.use.field))
            yield self._remade(remade)
        for drop in self._dropped:
            if (drop.origin, drop.field) not in said:
                yield from self._judge_dropped(replay, drop)
        for turn in self._turned:
            origin = self._drops.get(turn.pursuit.source.uid)
            if origin is not None:  # else the table is still there, and MTM305 speaks of it
                drop = _Drop(label=turn.label, field=turn.field, origin=origin, pursuit=turn.pursuit)
                yield from self._judge_dropped(replay, drop)

    def _judge_dropped(self, replay: Replay, drop: _Drop) -> Iterator[Finding]:
        pursuit = drop.pursuit
        if not pursuit.targets:
            return  # the field is gone as well, or MTM301 says that its table is missing
        verdict = judge(replay, self._pursuer, pursuit)
        if verdict.copied:
            return
        yield claim(
            self.finding(
                drop.origin,
                f"drops `{pursuit.source.name}` with every link of `{drop.label}`,"
                f" which goes on in `{next(iter(pursuit.targets.values()))}`",
                label="the links go here",
                field=drop.field,
            ),
            verdict,
        )

    def _remade(self, remade: RemadeThrough) -> Finding:
        """The links went with a through model that is made anew."""
        field, model = remade.label, remade.model
        comes_back = "which comes back empty" if remade.readded else f"and `{model}` comes back empty"
        notes = []
        if not remade.readded:
            notes.append(f"AddField, AlterField, RemoveField and AlterModelTable change `{model}` and keep its rows")
        if remade.exception is not None:
            notes.append(f"when `{remade.deleted}` has run alone, the next `migrate` raises {remade.exception}")
        made = f"`{field}` is added again here" if remade.readded else f"`{model}` is made anew here"
        return claim(
            self.finding(
                remade.dropped,
                f"drops `{remade.table.name}` with every link of `{field}`, {comes_back}",
                label="the links go here",
                field=remade.use.field,
                related=(Related(location=remade.again.location, message=made),),
                notes=tuple(notes),
            ),
            remade.verdict,
        )


def _target(field: FieldState) -> Maybe[ModelRef | None]:
    return None if field.field.relation is None else field.field.relation.to

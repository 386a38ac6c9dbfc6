"""`through=` changed from one model to another.

## What it does

Finds an `AlterField` that gives a many-to-many field with a `through=` model another `through=` model with another
table.

## Why it breaks

`migrate` succeeds and does nothing: for Django both sides have tables of their own, so there is nothing to alter. The
links stay in the old model's table, the ORM reads the new, empty one, and every page that shows the relation shows
nothing. When the old model is deleted later, the links are deleted with it. No database and no Django version warns.

## Example

```python
# library/migrations/0001_initial.py
operations = [
    migrations.CreateModel(name="Author", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(name="Book", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        name="Authorship",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
    migrations.AddField("book", "authors", models.ManyToManyField(through="library.Authorship", to="library.author")),
]
# library/migrations/0002_contribution.py
operations = [
    migrations.CreateModel(
        name="Contribution",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
    migrations.AlterField(
        model_name="book",
        name="authors",
        field=models.ManyToManyField(through="library.Contribution", to="library.author"),
    ),
]
```

## Safe sequence

When the new model is the old one under another name, rename it: the table is renamed with it and `through=` follows.

```python
# library/migrations/0001_initial.py
operations = [
    migrations.CreateModel(name="Author", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(name="Book", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        name="Authorship",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
    migrations.AddField("book", "authors", models.ManyToManyField(through="library.Authorship", to="library.author")),
]
# library/migrations/0002_contribution.py
operations = [
    migrations.RenameModel(old_name="Authorship", new_name="Contribution"),
]
```

Otherwise copy the rows with `RunPython` before the `AlterField`.

## When it stays silent

When both models have the same table, when the old table cannot have rows yet (made in the same migration), and when
something may have copied the rows: the finding says where it looked, and is only `likely` when a data operation near
by could not be read.

## References

- Django ticket 37049; `BaseDatabaseSchemaEditor.alter_field`: "Both sides have through models; this is a no-op."
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Certainty, Finding, Related, Severity
from lint_m2m.migration import UNKNOWN, DeleteModel, ModelKey
from lint_m2m.replay.facts import Origin, TableDropped, TableFact
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, field_label, model_label, through_of
from lint_m2m.rules.loss import Pursuer, Pursuit, Verdict, claim, judge
from lint_m2m.values import frozen


@frozen
class _Swap:
    old: str
    # None: nobody here makes the old model's table.
    pursuit: Pursuit | None
    finding: Finding


class ThroughSwapped(Rule):
    code: ClassVar[str] = "MTM201"
    name: ClassVar[str] = "through-swapped"
    severity: ClassVar[Severity] = Severity.ERROR

    def __init__(self) -> None:
        self._swaps: list[_Swap] = []
        self._pursuer = Pursuer()
        self._drops: dict[int, Origin] = {}
        # The tables of models that are gone, and what the models were called.
        self._deleted: dict[ModelKey, tuple[TableFact, str]] = {}

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        for effect in step.effects:
            if isinstance(effect, TableDropped):
                self._drops[effect.table.uid] = step.origin
                if isinstance(step.operation, DeleteModel):
                    key = ModelKey(step.app_label, step.operation.name.lower())
                    self._deleted[key] = (effect.table, model_label(step.before, key))
        fields = altered_fields(step)
        if fields is not None and step.on_state and not step.failures:
            self._note(step, replay, *fields)
        self._pursuer.see(step, replay)
        return iter(())

    def _note(self, step: Step, replay: Replay, model: ModelState, old: FieldState, new: FieldState) -> None:
        before, after = through_of(old.field), through_of(new.field)
        if not (old.field.many_to_many and new.field.many_to_many) or before == after:
            return
        if before is None or after is None or before is UNKNOWN or after is UNKNOWN:
            return
        old_name = replay.link_table(model, old, step.before)
        new_name = replay.link_table(model, new, step.after)
        if old_name == new_name and old_name is not UNKNOWN and old_name is not None:
            return
        source = None if old_name is UNKNOWN or old_name is None else replay.table(old_name)
        names = (model_label(step.before, before), model_label(step.after, after))
        if old_name is None and isinstance(before, ModelKey) and before in self._deleted:
            # The same migration deletes the old model first, as makemigrations may write it.
            table, label = self._deleted[before]
            if self._drops[table.uid].migration == step.migration.key:
                source, names = table, (label, names[1])
        if source is None and old_name is not UNKNOWN:
            return  # the old table is gone or renamed: what the field reads now is judged by MTM301 and MTM305
        if source is not None and source is not UNKNOWN and not source.holds_rows:
            return
        key = model.field_key(new.name)
        in_table = f", table `{old_name}`" if old_name is not UNKNOWN and old_name is not None else ""
        fate = "go with" if old_name is None else "stay behind in"
        finding = self.finding_at(
            step,
            f"`AlterField` swaps the `through=` model of `{field_label(step.after, key)}`"
            f" from `{names[0]}` to `{names[1]}`: the rows {fate} `{names[0]}`",
            span=new.field.argument_span("through") or new.field.span,
            label="reads another table from here on",
            field=key,
            related=(
                Related(location=old.origin.location, message=f"its rows are written through `{names[0]}`{in_table}"),
            ),
        )
        pursuit = None if source is None or source is UNKNOWN else self._pursuer.follow(step, key, source)
        self._swaps.append(_Swap(old=names[0], pursuit=pursuit, finding=finding))

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for swap in self._swaps:
            yield from self._judge(replay, swap)

    def _judge(self, replay: Replay, swap: _Swap) -> Iterator[Finding]:
        if swap.pursuit is None:
            yield claim(
                swap.finding,
                Verdict(
                    copied=False, certainty=Certainty.LIKELY, reason="the old model's table is not in this project"
                ),
            )
            return
        verdict = judge(replay, self._pursuer, swap.pursuit)
        if verdict.copied or swap.pursuit.unreadable:
            return
        drop = self._drops.get(swap.pursuit.source.uid)
        related = (
            ()
            if drop is None
            else (Related(location=drop.location, message=f"`{swap.old}` and its rows are dropped here"),)
        )
        yield claim(swap.finding, verdict, related)

"""Table with links left without a model.

## What it does

Finds a table that holds the links of a many-to-many and that no model and no field uses at the end of the history,
because the field or the through model was taken away in the state only.

## Why it breaks

`migrate` succeeds and the rows are all there, but nothing shows them, nothing deletes them (foreign keys of the
forgotten table can make deletes of books fail), and `makemigrations` will never drop the table.

## Example

```python
# library/migrations/0002_no_authors.py
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.RemoveField(model_name="book", name="authors"),
        ],
    ),
]
```

## Safe sequence

Drop the table as well, once no running release needs it, or give it a model.

```python
# library/migrations/0002_no_authors.py
operations = [
    migrations.RemoveField(model_name="book", name="authors"),
]
```

## When it stays silent

When a later migration drops the table or gives it to a model, when its rows were (or may have been) copied to another
table, when it is the last one that the field had before its new one, which is missing as a whole (MTM301 says that the
links stay behind there), and for tables that cannot have rows.

## References

- https://docs.djangoproject.com/en/stable/ref/migration-operations/#separatedatabaseandstate
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import MigrationKey
from lint_m2m.replay.facts import FieldKey, TableFact
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import field_label, table_place
from lint_m2m.rules.drift import StateOnly, link_stores, taken_later
from lint_m2m.rules.loss import Pursuer, Pursuit, claim, final_table, searched
from lint_m2m.rules.orphans import Abandoned, left_last


class LinksOrphaned(Rule):
    code: ClassVar[str] = "MTM305"
    name: ClassVar[str] = "links-orphaned"
    severity: ClassVar[Severity] = Severity.WARNING

    def __init__(self) -> None:
        self._pursuer = Pursuer()
        self._positions: dict[MigrationKey, int] = {}

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(StateOnly).see(step, replay)
        replay.shared(Abandoned).see(step, replay)
        self._pursuer.see(step, replay)
        self._positions.setdefault(step.migration.key, step.position)
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        named = dict(_named_elsewhere(replay))
        for orphan in replay.shared(Abandoned).at_end(replay):
            target = final_table(replay, orphan.field)
            if target is None and orphan.field in named:
                target = named[orphan.field]
                if target is not None and target.uid == orphan.table.uid:
                    continue
            elif target is None and _lives(replay, orphan.field):
                continue  # the field's table is not known, or its `through` is missing: MTM105 or MTM106 says so
            if self._pursuer.copied_anywhere(orphan.table):
                continue  # it only waits to be dropped
            position = self._positions[orphan.origin.migration]
            pursuit = Pursuit(field=orphan.field, source=orphan.table, first=position, last=position)
            if target is not None:
                pursuit.targets[target.uid] = target.name
            verdict = searched(replay, pursuit)
            if verdict.copied:
                continue
            yield claim(
                self.finding(
                    orphan.origin,
                    f"table `{orphan.table.name}` keeps the links of `{field_label(replay.state, orphan.field)}`,"
                    " but no model uses it any more",
                    label="leaves the table behind",
                    field=orphan.field,
                    related=table_place(orphan.table, f"`{orphan.table.name}` was made here"),
                ),
                verdict,
            )


def _named_elsewhere(replay: Replay) -> Iterator[tuple[FieldKey, TableFact | None]]:
    """The fields whose table is missing, each with the one of which MTM301 says that the links are or were in it."""
    for store in link_stores(replay):
        if store.table is None:
            taken = taken_later(store, replay.shared(StateOnly).blame(store), replay)
            yield store.key, left_last(replay, store.key) if taken is None else taken.table


def _lives(replay: Replay, key: FieldKey) -> bool:
    """Whether the field is still a many-to-many in the state."""
    model = replay.state.get(key.model_key)
    field = model.fields.get(key.name) if model else None
    return field is not None and field.field.many_to_many

"""State-only change that claims a table which does not exist.

## What it does

Finds a many-to-many field whose table does not exist at the end of the history, although Django believes in it: after
a state-only `CreateModel` or `AlterField` without `db_table` and without a rename of the table that is there.

## Why it breaks

`migrate` succeeds, because nothing runs. The first query fails with `no such table`, `relation ... does not exist`.
The old table and its rows stay behind, unseen.

## Example

```python
# library/migrations/0002_authorship.py
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.CreateModel(
                name="Authorship",
                fields=[
                    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                    ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
                    ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
                ],
                options={"unique_together": {("book", "author")}},
            ),
            migrations.AlterField(
                model_name="book",
                name="authors",
                field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
            ),
        ],
    ),
]
```

## Safe sequence

Say which table the model has: the one that is there. (Renaming the table in `database_operations` is right as well.)

```python
# library/migrations/0002_authorship.py
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.CreateModel(
                name="Authorship",
                fields=[
                    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                    ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
                    ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
                ],
                options={"db_table": "library_book_authors", "unique_together": {("book", "author")}},
            ),
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

When a later operation, migration or app renames or makes the table, when the through model's default table is the
automatic table by its name, and when SQL or code that could not be read may have made it. It is likely, not certain,
when an operation or SQL that could not be read may have renamed the table with the links.

## References

- https://docs.djangoproject.com/en/stable/ref/migration-operations/#separatedatabaseandstate
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Certainty, Finding, Related, Severity
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import field_label, model_label, table_place
from lint_m2m.rules.drift import LinkStore, StateOnly, link_stores, taken_later
from lint_m2m.rules.orphans import Abandoned, left_last


class StateTableMissing(Rule):
    code: ClassVar[str] = "MTM301"
    name: ClassVar[str] = "state-table-missing"
    severity: ClassVar[Severity] = Severity.ERROR

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(StateOnly).see(step, replay)
        replay.shared(Abandoned).see(step, replay)
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for store in link_stores(replay):
            if store.table is None:
                yield self._missing(store, replay)

    def _missing(self, store: LinkStore, replay: Replay) -> Finding:
        label = field_label(replay.state, store.key)
        if store.through is not None:
            subject = f"the through model `{model_label(replay.state, store.through.key)}` of `{label}`"
        else:
            subject = f"the automatic table of `{label}`"
        blamed = replay.shared(StateOnly).blame(store)
        taken = taken_later(store, blamed, replay)
        if taken is not None:
            fate = "dropped" if taken.renamed_to is None else f"renamed to `{taken.renamed_to}`"
            table = f"the table of {subject}" if store.through is not None else subject
            believed = Related(location=blamed.location, message=f"Django believes in `{store.table_name}` since here")
            return self.finding(
                taken.origin,
                f"{table}, `{store.table_name}`, is {fate}, and Django goes on believing in it",
                label=f"{fate} here",
                field=store.key,
                related=(believed,),
                notes=(f"the first query fails: no such table `{store.table_name}`",),
            )
        unread = replay.astray(store.key, store.table_name)
        left = left_last(replay, store.key)
        notes = () if left is None else (f"the links stay behind in `{left.name}`",)
        return self.finding(
            blamed,
            f"the table of {subject}, `{store.table_name}`, does not exist"
            if store.through is not None
            else f"{subject}, `{store.table_name}`, does not exist",
            label="only the state knows this table",
            field=store.key,
            certainty=Certainty.CERTAIN if unread is None else Certainty.LIKELY,
            reason=None if unread is None else f"something unread may have given a table this name: {unread}",
            related=table_place(left, "the table that is there was made here"),
            notes=(f"the first query fails: no such table `{store.table_name}`", *notes),
        )

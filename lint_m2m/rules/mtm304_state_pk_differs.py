"""Primary key type of a reused table that differs from the state's.

## What it does

Finds a state-only through model whose primary key is of another class than the one the automatic table was made with:
`BigAutoField` in the state, `AutoField` in the table.

## Why it breaks

Nothing breaks until the ids run out: the column stays as small as it was made, and Django will never alter it,
because it believes that it is big already.

## Example

```python
# library/migrations/0002_authorship.py
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.CreateModel(
                name="Authorship",
                fields=[
                    ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
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

## Safe sequence

Declare the class that the table has; widen it with a real `AlterField` afterwards if you want.

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

When the class of automatic keys is not known: no settings file says `DEFAULT_AUTO_FIELD`. What an app configuration
says does not count here: makemigrations writes it, but the automatic tables that migrations make have the setting's.

## References

- Django ticket 32674
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import UNKNOWN
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import model_label, table_place
from lint_m2m.rules.drift import StateOnly, link_stores, narrowed


class StatePkDiffers(Rule):
    code: ClassVar[str] = "MTM304"
    name: ClassVar[str] = "state-pk-differs"
    severity: ClassVar[Severity] = Severity.INFO

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(StateOnly).see(step, replay)
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for store in link_stores(replay):
            table, through = store.table, store.through
            if table is None or table.columns is UNKNOWN or through is None or table.auto_of is None:
                continue
            key = next((f for f in through.fields.values() if f.field.primary_key is True), None)
            column = next((column for column in table.columns if column.primary_key), None)
            if key is None or column is None or column.type_name is None or not key.field.class_known:
                continue
            believed, real = (path.rpartition(".")[2] for path in (key.field.class_path, column.type_name))
            origin = replay.shared(StateOnly).of_field(through.field_key(key.name))
            if believed == real or origin is None:
                continue
            yield self.finding(
                narrowed(origin, key.origin, key.field.span),
                f"the primary key of `{model_label(replay.state, through.key)}` is `{believed}` in the state,"
                f" but table `{table.name}` was made with `{real}`",
                label=f"`{real}` in the table",
                field=store.key,
                related=table_place(table, f"`{table.name}` was made here"),
            )

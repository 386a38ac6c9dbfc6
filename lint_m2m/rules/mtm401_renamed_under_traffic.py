"""Link table renamed while the running release uses the old name.

## What it does

Finds an operation that renames a table holding the links of a many-to-many as part of a change of `through=`.

## Why it breaks

The migration is right and every row is kept. But migrations run before the new release takes over: from the rename
until the last old process is gone, every query of the old release fails, because it asks for the old name.

## Example

```python
# library/migrations/0002_authorship.py
operations = [
    migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                "ALTER TABLE library_book_authors RENAME TO library_authorship",
                "ALTER TABLE library_authorship RENAME TO library_book_authors",
            ),
        ],
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

Leave the table where it is, with `db_table`; rename it later, or never.

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

For tables made in the same migration, and for renames that have nothing to do with `through=`: `RenameField`,
`RenameModel` and `db_table` changes in a migration that leaves every `through=` as it is.

## References

- https://docs.djangoproject.com/en/stable/howto/writing-migrations/#changing-a-manytomanyfield-to-use-a-through-model
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.replay.facts import FieldKey, TableRenamed
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.changes import ThroughChanges
from lint_m2m.rules.describe import link_field_of, table_place


class RenamedUnderTraffic(Rule):
    code: ClassVar[str] = "MTM401"
    name: ClassVar[str] = "renamed-under-traffic"
    severity: ClassVar[Severity] = Severity.INFO

    def __init__(self) -> None:
        self._renames: list[tuple[Step, TableRenamed, FieldKey]] = []

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(ThroughChanges).see(step)
        for effect in step.effects:
            if not isinstance(effect, TableRenamed) or not effect.table.holds_rows:
                continue
            created = effect.table.created
            if created is not None and created.migration == step.migration.key:
                continue  # It may hold rows that were copied into it; no release reads them yet.
            field = effect.field or effect.table.auto_of or link_field_of(replay, step.before, effect.old_name, None)
            if field is not None:
                self._renames.append((step, effect, field))
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for step, effect, field in self._renames:
            if not replay.shared(ThroughChanges).in_migration(step.migration.key):
                continue
            yield self.finding_at(
                step,
                f"link table `{effect.old_name}` is renamed to `{effect.table.name}`"
                " while the running release still uses the old name",
                label="renamed here",
                field=field,
                related=table_place(effect.table, f"`{effect.old_name}` was made here"),
            )

"""Data step of a `through=` change that cannot be undone.

## What it does

Finds a `RunPython` without `reverse_code` or a `RunSQL` without `reverse_sql` in a migration that changes the
`through=` of a many-to-many.

## Why it breaks

Going forward nothing breaks. Going back does: `migrate app 0001` raises `IrreversibleError` before it undoes
anything, just when a release with a changed relation has to be taken back.

## Example

```python
# library/migrations/0002_authorship.py
operations = [
    migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL("ALTER TABLE library_book_authors RENAME TO library_authorship"),
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

Give the step a reverse, or use operations that have one, like `AlterModelTable` after a state-only switch.

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

In migrations that leave every `through=` as it is, and when it could not be read whether there is a reverse. A
migration is reported once: the whole of it cannot be undone, whichever of its steps has no reverse.

## References

- https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Related, Severity
from lint_m2m.migration import MigrationKey, Operation, RunPython, RunSQL
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.changes import ThroughChanges
from lint_m2m.rules.describe import field_label, operation_name


class IrreversibleStep(Rule):
    code: ClassVar[str] = "MTM402"
    name: ClassVar[str] = "irreversible-step"
    severity: ClassVar[Severity] = Severity.INFO

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(ThroughChanges).see(step)
        if step.on_database and _irreversible(step.operation):
            self._steps.append(step)
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        by_migration: dict[MigrationKey, list[Step]] = {}
        for step in self._steps:
            by_migration.setdefault(step.migration.key, []).append(step)
        for key, (step, *others) in by_migration.items():
            for field in sorted(replay.shared(ThroughChanges).in_migration(key))[:1]:
                kind = operation_name(step.operation)
                missing = "reverse_code" if isinstance(step.operation, RunPython) else "reverse_sql"
                yield self.finding_at(
                    step,
                    f"`{kind}` beside the `through=` change of `{field_label(replay.state, field)}` has no `{missing}`",
                    label="cannot be undone",
                    field=field,
                    related=tuple(Related(location=each.origin.location, message="nor can this") for each in others),
                )


def _irreversible(operation: Operation) -> bool:
    match operation:
        case RunPython():
            return operation.reversible is False
        case RunSQL():
            return operation.reverse_sql is None and bool(operation.sql)
        case _:
            return False

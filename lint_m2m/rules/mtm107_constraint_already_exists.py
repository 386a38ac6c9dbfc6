"""Unique constraint added that the reused table already has, or removed though it has none of that name.

## What it does

Finds `AlterUniqueTogether`, `AddConstraint` and `RemoveConstraint` on the model of a many-to-many's table that do not
fit the unique sets the table really has, and tables made with the name of a link table that has been renamed, of which
the indexes or foreign keys would get the names that the renamed one has kept.

## Why it breaks

An automatic table is made with a unique set on its two foreign keys, and Django derives the set's name from the table
and the columns. A state-only `CreateModel` that does not declare the pair leaves the set in place; adding it later
makes the same name a second time: `relation ... already exists`, `index ... already exists`, `Duplicate key name`. A
`UniqueConstraint` that was declared only in the state has a name no database knows: removing it fails on PostgreSQL
and MySQL (SQLite rebuilds the table and passes).

`RenameModel` and `AlterModelTable` rename a table, not its indexes; nor, on MySQL, its foreign keys. Their names were
made of the table's old name and the columns': another model of that name, with a foreign key of that name, makes them a
second time.

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
                options={"db_table": "library_book_authors"},
            ),
            migrations.AlterField(
                model_name="book",
                name="authors",
                field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
            ),
        ],
    ),
]
# library/migrations/0003_unique.py
operations = [
    migrations.AlterUniqueTogether(name="authorship", unique_together={("book", "author")}),
]
```

## Safe sequence

Say in the state what the table has had from its first day.

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

For tables of models that never had to do with a many-to-many, on SQLite where the operation rebuilds the table, and
where the table's unique sets may have been changed by something that could not be read.

## References

- Django, `BaseDatabaseSchemaEditor._create_index_name` in `django/db/backends/base/schema.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import left_behind, operation_name, table_place
from lint_m2m.rules.ties import Ties


class ConstraintAlreadyExists(Rule):
    code: ClassVar[str] = "MTM107"
    name: ClassVar[str] = "constraint-already-exists"
    severity: ClassVar[Severity] = Severity.ERROR

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(Ties).see(step)
        for failure in step.failures:
            if failure.kind not in (FailureKind.CONSTRAINT_EXISTS, FailureKind.CONSTRAINT_MISSING):
                continue
            field = replay.shared(Ties).field_of(failure, step.before, replay)
            if field is None:
                continue
            named = f" `{failure.constraint}`" if failure.constraint else ""
            existing, made = failure.existing, failure.table
            if failure.kind is FailureKind.CONSTRAINT_EXISTS and existing is not None and existing.name != made:
                made = existing.name
                message, label = (
                    f"adds the index or key{named} to `{failure.table}`, which renamed table `{made}` has kept",
                    "the name is taken",
                )
            elif failure.kind is FailureKind.CONSTRAINT_EXISTS:
                message, label = (
                    f"adds the unique set or index{named}, which table `{failure.table}` already has",
                    "exists already",
                )
            else:
                message, label = (
                    f"removes the unique set or index{named}, which table `{failure.table}` does not have",
                    "not there",
                )
            yield self.finding_at(
                step,
                f"`{operation_name(step.operation)}` {message}",
                label=label,
                field=field,
                certainty=failure.certainty,
                reason=failure.reason,
                runtime_error=failure.exception,
                related=table_place(existing, f"`{made}` was made here"),
                notes=left_behind(step, replay),
            )

"""Table created that already exists.

## What it does

Finds an operation that runs on the database and creates a table whose name is taken: a `through` model on the
automatic table's name, or an automatic table on a model's.

## Why it breaks

`migrate` stops with "table ... already exists" (`ProgrammingError` on PostgreSQL, `OperationalError` on SQLite and
MySQL). This is what `makemigrations` writes for somebody who points `db_table` of a new `through` model at the table
of the many-to-many that is there.

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
        options={"db_table": "library_book_authors"},
    ),
]
```

## Safe sequence

The table is there: create the model in the state only, and let the field use it in the same step.

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

When neither model ever had to do with a many-to-many, and when something that could not be read (SQL, an operation
nobody knows) may have removed or renamed the table in the way.

## References

- Django, `BaseDatabaseSchemaEditor.create_model` in `django/db/backends/base/schema.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import CreateModel
from lint_m2m.replay.facts import Failure, FailureKind
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import field_label, left_behind, model_label, operation_name, table_place
from lint_m2m.rules.ties import Ties


class TableAlreadyExists(Rule):
    code: ClassVar[str] = "MTM104"
    name: ClassVar[str] = "table-already-exists"
    severity: ClassVar[Severity] = Severity.ERROR

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(Ties).see(step)
        for failure in step.failures:
            if failure.kind is FailureKind.TABLE_EXISTS:
                yield from self._judge(step, replay, failure)

    def _judge(self, step: Step, replay: Replay, failure: Failure) -> Iterator[Finding]:
        existing = failure.existing
        ties = replay.shared(Ties)
        field = ties.field_of(failure, step.before, replay) or ties.field_of(failure, step.after, replay)
        if field is None and not (existing is not None and existing.link):
            return
        if failure.field is not None:
            subject = f"the automatic table of `{field_label(step.after, failure.field)}`"
        elif failure.model is not None:
            subject = f"the table of `{model_label(step.after, failure.model)}`"
        else:
            subject = "a table"
        holder = ""
        if existing is not None and existing.auto_of is not None:
            holder = f", the automatic table of `{field_label(step.before, existing.auto_of)}`"
        elif existing is not None and existing.model is not None:
            holder = f", the table of `{model_label(step.before, existing.model)}`"
        operation = step.operation
        span = operation.options.entry_span("db_table") if isinstance(operation, CreateModel) else None
        yield self.finding_at(
            step,
            f"`{operation_name(operation)}` creates {subject} under a name that is taken: `{failure.table}`",
            span=span if failure.field is None else None,
            label="exists already",
            field=field,
            certainty=failure.certainty,
            reason=failure.reason,
            runtime_error=failure.exception,
            related=table_place(existing, f"`{failure.table}`{holder} was made here"),
            notes=left_behind(step, replay),
        )

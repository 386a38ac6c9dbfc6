"""`through=` added to an existing many-to-many field.

## What it does

Finds an `AlterField` that runs on the database and gives a many-to-many field with an automatic table a `through=`
model.

## Why it breaks

`migrate` raises `ValueError: Cannot alter field ... into ... - they are not compatible types (you cannot alter to or
from M2M fields, or add or remove through= on M2M fields)`, on every database and with every Django version, whether
the table has rows or not. `makemigrations` writes this operation all the same. PostgreSQL and SQLite roll the
migration back. MySQL and MariaDB do not: the table of a `CreateModel` that stands before the `AlterField` stays
behind, and the next `migrate` fails earlier, with "table already exists", until somebody drops it.

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
    migrations.AlterField(
        model_name="book",
        name="authors",
        field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
    ),
]
```

## Safe sequence

Keep the table that is there and change only what Django believes: no row is touched.

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

State-only changes (in `state_operations`) run nothing and are judged by MTM301 to MTM305. An unmanaged, proxy or
swapped-out model runs nothing either. A field whose earlier definition could not be read is not judged; MTM902 says
so.

## References

- Django, `BaseDatabaseSchemaEditor.alter_field` in `django/db/backends/base/schema.py`
- https://docs.djangoproject.com/en/stable/howto/writing-migrations/#changing-a-manytomanyfield-to-use-a-through-model
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import UNKNOWN, AlterField
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, creation, field_label, left_behind, through_of


class ThroughAdded(Rule):
    code: ClassVar[str] = "MTM101"
    name: ClassVar[str] = "through-added"
    severity: ClassVar[Severity] = Severity.ERROR
    operations = frozenset({AlterField})
    only_failing = True

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        failure = next((f for f in step.failures if f.kind is FailureKind.INCOMPATIBLE_FIELD), None)
        fields = altered_fields(step)
        if failure is None or fields is None:
            return
        model, old, new = fields
        if not (old.field.many_to_many and new.field.many_to_many) or through_of(old.field) is not None:
            return
        key = model.field_key(new.name)
        table = replay.link_table(model, old, step.before)
        where = f", in table `{table}`" if table is not UNKNOWN and table is not None else ""
        yield self.finding_at(
            step,
            f"`AlterField` adds `through=` to the existing many-to-many `{field_label(step.after, key)}`",
            span=new.field.argument_span("through") or new.field.span,
            label="added here",
            field=key,
            certainty=failure.certainty,
            reason=failure.reason,
            runtime_error=failure.exception,
            related=(creation(old, f"created without `through=`{where}"),),
            notes=left_behind(step, replay),
        )

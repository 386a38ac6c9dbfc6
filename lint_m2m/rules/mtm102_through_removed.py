"""`through=` removed from a many-to-many field.

## What it does

Finds an `AlterField` that runs on the database and takes the `through=` model away from a many-to-many field.

## Why it breaks

`migrate` raises `ValueError: Cannot alter field ... into ... - they are not compatible types (you cannot alter to or
from M2M fields, or add or remove through= on M2M fields)`, on every database. The links stay in the through model's
table; no automatic table is made. PostgreSQL and SQLite roll the migration back, MySQL and MariaDB keep what ran
before it.

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
        options={"unique_together": {("book", "author")}},
    ),
    migrations.AddField("book", "authors", models.ManyToManyField(through="library.Authorship", to="library.author")),
]
# library/migrations/0002_plain_authors.py
operations = [
    migrations.AlterField(
        model_name="book",
        name="authors",
        field=models.ManyToManyField(to="library.author"),
    ),
    migrations.DeleteModel(name="Authorship"),
]
```

## Safe sequence

Keep the table, tell Django that it is the automatic one. This fits when the through model has no column of its own
beside the two foreign keys, they have the automatic names, and the pair is unique.

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
        options={"unique_together": {("book", "author")}},
    ),
    migrations.AddField("book", "authors", models.ManyToManyField(through="library.Authorship", to="library.author")),
]
# library/migrations/0002_plain_authors.py
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.AlterField(
                model_name="book",
                name="authors",
                field=models.ManyToManyField(db_table="library_authorship", to="library.author"),
            ),
            migrations.DeleteModel(name="Authorship"),
        ],
    ),
]
```

## When it stays silent

State-only changes run nothing and are judged by MTM301 to MTM305. A field whose earlier definition could not be read
is not judged; MTM902 says so.

## References

- Django, `BaseDatabaseSchemaEditor.alter_field` in `django/db/backends/base/schema.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Related, Severity
from lint_m2m.migration import UNKNOWN, AlterField, Location
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, field_label, left_behind, model_label, through_of


class ThroughRemoved(Rule):
    code: ClassVar[str] = "MTM102"
    name: ClassVar[str] = "through-removed"
    severity: ClassVar[Severity] = Severity.ERROR
    operations = frozenset({AlterField})
    only_failing = True

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        failure = next((f for f in step.failures if f.kind is FailureKind.INCOMPATIBLE_FIELD), None)
        fields = altered_fields(step)
        if failure is None or fields is None:
            return
        model, old, new = fields
        through = through_of(old.field)
        if not (old.field.many_to_many and new.field.many_to_many) or through_of(new.field) is not None:
            return
        key = model.field_key(new.name)
        table = replay.link_table(model, old, step.before)
        where = f", in table `{table}`" if table is not UNKNOWN and table is not None else ""
        written = old.field.argument_span("through") or old.field.span or old.origin.location.span
        yield self.finding_at(
            step,
            f"`AlterField` removes `through=` from the many-to-many `{field_label(step.after, key)}`",
            span=new.field.span,
            label="no `through=` here",
            field=key,
            certainty=failure.certainty,
            reason=failure.reason,
            runtime_error=failure.exception,
            related=(
                Related(
                    location=Location(old.origin.location.path, written),
                    message=f"links through `{model_label(step.before, through)}`{where}",
                ),
            ),
            notes=left_behind(step, replay),
        )

"""Reverse name lost or changed together with `through=`.

## What it does

Finds an `AlterField` that changes the `through=` of a many-to-many and, in the same breath, its `related_name` or
`related_query_name`.

## Why it breaks

No database is touched and `migrate` says nothing. But every use of the old name fails at run time: `author.books`
raises `AttributeError`, `Author.objects.filter(books=book)` raises `FieldError`. It usually happens by accident, when
the field is typed anew with `through=` and the other arguments are left out.

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
                options={"db_table": "library_book_authors", "unique_together": {("book", "author")}},
            ),
            migrations.AlterField(
                model_name="book",
                name="authors",
                field=models.ManyToManyField(through="library.Authorship", to="library.author"),
            ),
        ],
    ),
]
```

## Safe sequence

Keep the name the field has.

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

When `through=` stays as it is: renaming a reverse name by itself is a decision, not an accident. When only the spelling
changes: `"library_book"` and `"%(app_label)s_%(class)s"` are one name.

## References

- https://docs.djangoproject.com/en/stable/ref/models/fields/#django.db.models.ManyToManyField.related_name
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import UNKNOWN, AlterField, Maybe
from lint_m2m.replay.models import ModelState, reverse_name
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, creation, field_label, through_of


class ReverseNameChanged(Rule):
    code: ClassVar[str] = "MTM403"
    name: ClassVar[str] = "reverse-name-changed"
    severity: ClassVar[Severity] = Severity.WARNING
    operations = frozenset({AlterField})

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        fields = altered_fields(step)
        # Of a SeparateDatabaseAndState the state side is the one that code sees.
        if fields is None or not step.on_state:
            return
        model, old, new = fields
        before, after = old.field.relation, new.field.relation
        if before is None or after is None or not (old.field.many_to_many and new.field.many_to_many):
            return
        if through_of(old.field) == through_of(new.field):
            return
        for name, was, becomes in (
            ("related_name", before.related_name, after.related_name),
            ("related_query_name", before.related_query_name, after.related_query_name),
        ):
            if was is UNKNOWN or becomes is UNKNOWN or _in_force(model, was) == _in_force(model, becomes):
                continue
            key = model.field_key(new.name)
            yield self.finding_at(
                step,
                f"`{name}` of `{field_label(step.after, key)}` changes with `through=`,"
                f" from {_shown(was)} to {_shown(becomes)}",
                span=new.field.argument_span(name) or new.field.span,
                label="queries by the old name break",
                field=key,
                related=(creation(old, f"{_shown(was)} comes from here"),),
            )
            return


def _in_force(owner: ModelState, name: str | None) -> str | None:
    return None if name is None else reverse_name(owner.key, name)


def _shown(name: Maybe[str | None]) -> str:
    return "the default" if name is None else f"`{name}`"

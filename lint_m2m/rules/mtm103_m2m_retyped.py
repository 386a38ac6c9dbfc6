"""Many-to-many field altered to another kind of field, or another kind to a many-to-many.

## What it does

Finds an `AlterField` that runs on the database and turns a many-to-many field into a foreign key or another column,
or the reverse.

## Why it breaks

`migrate` raises `ValueError: Cannot alter field ... into ... - they are not compatible types (you cannot alter to or
from M2M fields, or add or remove through= on M2M fields)`: links live in a table of their own, a column lives in the
model's table, and Django does not carry values from one to the other. This holds for automatic tables and for
`through=` alike.

## Example

```python
# library/migrations/0002_one_author.py
operations = [
    migrations.AlterField(
        model_name="book",
        name="authors",
        field=models.ForeignKey(null=True, on_delete=models.SET_NULL, to="library.author"),
    ),
]
```

## Safe sequence

Add the new field beside the old one, copy the values, then remove the old one.

```python
# library/migrations/0002_one_author.py
def copy_links(apps, schema_editor):
    Book = apps.get_model("library", "Book")
    alias = schema_editor.connection.alias
    for book in Book.objects.using(alias).iterator():
        book.author = book.authors.using(alias).first()
        book.save(update_fields=["author"])


operations = [
    migrations.AddField(
        model_name="book",
        name="author",
        field=models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to="library.author"),
    ),
    migrations.RunPython(copy_links, migrations.RunPython.noop),
    migrations.RemoveField(model_name="book", name="authors"),
]
```

## When it stays silent

State-only changes run nothing. A field of a class that nobody knows may be any kind of field and is not judged.

## References

- Django, `BaseDatabaseSchemaEditor.alter_field` in `django/db/backends/base/schema.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import AlterField
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, creation, field_label, left_behind


class ManyToManyRetyped(Rule):
    code: ClassVar[str] = "MTM103"
    name: ClassVar[str] = "m2m-retyped"
    severity: ClassVar[Severity] = Severity.ERROR
    operations = frozenset({AlterField})
    only_failing = True

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        failure = next((f for f in step.failures if f.kind is FailureKind.INCOMPATIBLE_FIELD), None)
        fields = altered_fields(step)
        if failure is None or fields is None:
            return
        model, old, new = fields
        if old.field.many_to_many is new.field.many_to_many:
            return
        key = model.field_key(new.name)
        old_class, new_class = (field.field.class_path.rpartition(".")[2] for field in (old, new))
        yield self.finding_at(
            step,
            f"`AlterField` turns `{field_label(step.after, key)}` from `{old_class}` into `{new_class}`",
            span=new.field.span,
            label=f"`{new_class}` here",
            field=key,
            certainty=failure.certainty,
            reason=failure.reason,
            runtime_error=failure.exception,
            related=(creation(old, f"created as `{old_class}`"),),
            notes=left_behind(step, replay),
        )

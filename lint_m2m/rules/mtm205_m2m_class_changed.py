"""Many-to-many field changed to a class whose table has other columns.

## What it does

Finds an `AlterField` between many-to-many classes whose automatic tables differ: a plain `ManyToManyField` and
`SortedManyToManyField`, for instance.

## Why it breaks

`migrate` succeeds, because both are many-to-many fields with automatic tables. The columns that the new class adds
(`sort_value`) are not made, and the first query that orders by them fails; the columns that only the old class had
stay behind and, being NOT NULL, make every insert fail.

## Example

```python
# library/migrations/0002_sorted.py
import sortedm2m.fields

operations = [
    migrations.AlterField(
        model_name="book",
        name="authors",
        field=sortedm2m.fields.SortedManyToManyField(related_name="books", to="library.author"),
    ),
]
```

## Safe sequence

Use the operation that the package has for it; it adds and removes the column.

```python
# library/migrations/0002_sorted.py
import sortedm2m.fields
from sortedm2m.operations import AlterSortedManyToManyField

operations = [
    AlterSortedManyToManyField(
        model_name="book",
        name="authors",
        field=sortedm2m.fields.SortedManyToManyField(related_name="books", to="library.author"),
    ),
]
```

## When it stays silent

When both classes add the same columns, when one of the classes is not known (configure `many-to-many-fields`), for
fields with `through=`, and for operations that bring their own database side.

## References

- https://github.com/jazzband/django-sortedm2m#migrating-a-manytomanyfield-to-be-a-sortedmanytomanyfield
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import UNKNOWN, AlterField
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import altered_fields, creation, field_label, quoted, sorting, through_of


class ManyToManyClassChanged(Rule):
    code: ClassVar[str] = "MTM205"
    name: ClassVar[str] = "m2m-class-changed"
    severity: ClassVar[Severity] = Severity.WARNING
    operations = frozenset({AlterField})

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        fields = altered_fields(step)
        if fields is None or not (step.on_state and step.on_database) or step.failures:
            return
        model, old, new = fields
        if "database_forwards" in step.operation.overrides or replay.runs(model) is not True:
            return
        if not (old.field.many_to_many and new.field.many_to_many):
            return
        before, after = old.field.relation, new.field.relation
        if before is None or after is None or through_of(old.field) is not None or through_of(new.field) is not None:
            return
        had, wants = before.auto_columns, after.auto_columns
        if had is UNKNOWN or wants is UNKNOWN or set(had) == set(wants):
            return
        key = model.field_key(new.name)
        old_class, new_class = (field.field.class_path.rpartition(".")[2] for field in (old, new))
        missing, extra = set(wants) - set(had), set(had) - set(wants)
        parts = []
        if missing:
            parts.append(f"{quoted(missing)} is not made")
        if extra:
            parts.append(f"{quoted(extra)} stays behind")
        yield self.finding_at(
            step,
            f"`AlterField` changes `{field_label(step.after, key)}` from `{old_class}` to `{new_class}`:"
            f" column {' and column '.join(parts)}",
            span=new.field.span,
            label="another table layout",
            field=key,
            related=(creation(old, f"created as `{old_class}`"),),
            notes=sorting(old.field, new.field),
        )

"""Many-to-many field pointed at another model.

## What it does

Finds an `AlterField` that runs on the database and gives a many-to-many field with an automatic table another `to`
model.

## Why it breaks

The rows are kept, but the ids in them are ids of the old model: with rows in the table `migrate` raises
`IntegrityError`, because they point at nothing in the new one. Where an id happens to exist there, it is worse: the
link silently means something else. Since Django 6.1 `makemigrations` writes `RemoveField` and `AddField` here, older
versions an `AlterField`.

## Example

```python
# library/migrations/0001_initial.py
operations = [
    migrations.CreateModel(name="Author", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(name="Person", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        name="Book",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("authors", models.ManyToManyField(to="library.author")),
        ],
    ),
]
# library/migrations/0002_persons.py
operations = [
    migrations.AlterField(model_name="book", name="authors", field=models.ManyToManyField(to="library.person")),
]
```

## Safe sequence

Add a field for the new model, copy with the translation of ids that only you know, then remove the old one.

```python
# library/migrations/0001_initial.py
operations = [
    migrations.CreateModel(name="Author", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(name="Person", fields=[("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        name="Book",
        fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("authors", models.ManyToManyField(to="library.author")),
        ],
    ),
]
# library/migrations/0002_persons.py
def copy_links(apps, schema_editor):
    Book = apps.get_model("library", "Book")
    Person = apps.get_model("library", "Person")
    alias = schema_editor.connection.alias
    for book in Book.objects.using(alias).iterator():
        names = book.authors.using(alias).values_list("pk", flat=True)
        book.persons.set(Person.objects.using(alias).filter(pk__in=names))


operations = [
    migrations.AddField(model_name="book", name="persons", field=models.ManyToManyField(to="library.person")),
    migrations.RunPython(copy_links, migrations.RunPython.noop),
    migrations.RemoveField(model_name="book", name="authors"),
]
```

## When it stays silent

When the table cannot have rows yet (made in the same migration), when the new target is the old one renamed or its
proxy, when one of the two is a setting that nothing resolves, and with `db_constraint=False`, where nothing checks the
ids.

## References

- Django, `BaseDatabaseSchemaEditor._alter_many_to_many` in `django/db/backends/base/schema.py`
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
from lint_m2m.rules.describe import creation, field_label, model_label, retargeted


class ManyToManyRetargeted(Rule):
    code: ClassVar[str] = "MTM203"
    name: ClassVar[str] = "m2m-retargeted"
    severity: ClassVar[Severity] = Severity.ERROR
    operations = frozenset({AlterField})
    only_failing = True

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        failure = next((f for f in step.failures if f.kind is FailureKind.ROWS_VIOLATE), None)
        fields = retargeted(step)
        if failure is None or fields is None:
            return
        model, old, new = fields
        assert old.field.relation is not None
        assert new.field.relation is not None
        key = model.field_key(new.name)
        was, becomes = model_label(step.before, old.field.relation.to), model_label(step.after, new.field.relation.to)
        yield self.finding_at(
            step,
            f"`AlterField` points `{field_label(step.after, key)}` at `{becomes}` instead of `{was}`:"
            f" its links hold ids of `{was}`",
            span=new.field.argument_span("to") or new.field.span,
            label="another model here",
            field=key,
            certainty=failure.certainty,
            reason=failure.reason,
            runtime_error=failure.exception,
            related=(creation(old, f"created as a relation to `{was}`"),),
        )

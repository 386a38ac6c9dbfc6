"""Table or column touched that does not exist.

## What it does

Finds an operation that runs on the database and renames, alters or drops a many-to-many table, the table of a
`through` model, or a column of one, or points a foreign key at one, where the history never made it: usually after a
state-only recipe that did not fit. And a `DeleteModel` that drops the table at which links still point.

## Why it breaks

The recipe itself runs without a word, because it changes only what Django believes. The next real operation on the
table or the column fails: `no such table`, `relation ... does not exist`, `no such column`, `Unknown column`. On
SQLite some of them pass instead and write the column's name into every row, because SQLite reads an unknown quoted
name as text; a foreign key filled like that fails the check at the migration's end. So does, on SQLite before Django
5.1, a `RenameModel` of a model to which a `through` model has two foreign keys: all but the last go on pointing at the
old table. So do links to a model that is deleted before them: MySQL does not drop its table at all, PostgreSQL drops
the foreign key with it and goes on.

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
                options={"unique_together": {("book", "author")}},
            ),
            migrations.AlterField(
                model_name="book",
                name="authors",
                field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
            ),
        ],
    ),
    migrations.AlterModelTable(name="authorship", table="authorship"),
]
```

## Safe sequence

Describe the table as it is; then everything that follows finds it.

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

For tables of models that never had to do with a many-to-many, for models of apps outside the project, and where SQL or
code that could not be read may have made what is missing.

## References

- Django, `django/db/backends/base/schema.py` and ticket 34881; https://www.sqlite.org/quirks.html#double_quoted_string_literals_are_accepted
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Related, Severity
from lint_m2m.migration import UNKNOWN, DeleteModel
from lint_m2m.replay.facts import Failure, FailureKind, FieldKey
from lint_m2m.replay.models import column_name
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import left_behind, link_owner, operation_name, retargeted, through_of
from lint_m2m.rules.drift import StateOnly, narrowed
from lint_m2m.rules.ties import Ties


class MissingTableTouched(Rule):
    code: ClassVar[str] = "MTM106"
    name: ClassVar[str] = "missing-table-touched"
    severity: ClassVar[Severity] = Severity.ERROR

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(Ties).see(step)
        replay.shared(StateOnly).see(step, replay)
        yield from self._referenced(step)
        for failure in step.failures:
            dangling = failure.kind is FailureKind.ROWS_VIOLATE and retargeted(step) is None
            if failure.kind not in (FailureKind.TABLE_MISSING, FailureKind.COLUMN_MISSING) and not dangling:
                continue
            field = replay.shared(Ties).field_of(failure, step.before, replay)
            notes: tuple[str, ...] = ()
            if field is None and failure.table is not None:
                field, notes = _field_of_missing(failure.table, replay)
            if field is None:
                continue
            what = f"table `{failure.table}`"
            if failure.kind is FailureKind.COLUMN_MISSING:
                what = f"column `{failure.column}` of table `{failure.table}`"
            name = operation_name(step.operation)
            message, label = f"`{name}` touches {what}, which does not exist", "does not exist"
            if dangling:
                message = (
                    f"after `{name}`, `{failure.column}` of table `{failure.table}` points at rows that do not exist"
                )
                label = "leaves them pointing at nothing"
            gone = failure.dropped
            removed = None if gone is None else Related(location=gone.location, message="removed or renamed here")
            related = removed or _believed(failure, field, step, replay)
            yield self.finding_at(
                step,
                message,
                label=label,
                field=field,
                certainty=failure.certainty,
                reason=failure.reason,
                runtime_error=failure.exception,
                related=() if related is None else (related,),
                notes=(*notes, *left_behind(step, replay)),
            )

    def _referenced(self, step: Step) -> Iterator[Finding]:
        """MySQL drops no table at which others point; of those that do, link tables are meant here."""
        for failure in step.failures:
            existing = failure.existing
            if failure.kind is not FailureKind.TABLE_REFERENCED or existing is None:
                continue
            field = existing.auto_of or link_owner(step.before, existing.model)
            if field is None or not isinstance(step.operation, DeleteModel):
                continue
            yield self.finding_at(
                step,
                f"`DeleteModel` drops table `{failure.table}`, at which `{failure.column}` of table `{existing.name}`"
                " points",
                label="still pointed at",
                field=field,
                certainty=failure.certainty,
                reason=failure.reason,
                runtime_error=failure.exception,
            )


def _believed(failure: Failure, key: FieldKey, step: Step, replay: Replay) -> Related | None:
    """Where Django came to believe in the table or the column, if that was without the database."""
    owner = step.before.get(key.model_key)
    field = owner.fields.get(key.name) if owner else None
    through = None if field is None else through_of(field.field)
    model = step.before.lookup(through) if through is not None else None
    state_only = replay.shared(StateOnly)
    if model is None or model is UNKNOWN:
        origin, what = state_only.of_field(key), failure.table
    elif failure.kind is FailureKind.TABLE_MISSING:
        origin, what = state_only.of_model(model.key) or state_only.of_field(key), failure.table
    else:
        column = next((one for one in model.fields.values() if column_name(one) == failure.column), None)
        origin, what = state_only.of_model(model.key), failure.column
        if column is not None:
            origin = state_only.of_field(model.field_key(column.name)) or origin
            origin = None if origin is None else narrowed(origin, column.origin, column.field.span)
    if origin is None or (origin.migration, origin.address) == (step.migration.key, step.address):
        return None
    return Related(location=origin.location, message=f"Django believes in `{what}` since here")


def _field_of_missing(name: str, replay: Replay) -> tuple[FieldKey | None, tuple[str, ...]]:
    """The field whose links were in the table of that name, or are in one in other letter case (PostgreSQL, Oracle)."""
    gone = replay.gone(name)
    if gone is not None:
        return gone.table.auto_of, ()
    for table in replay.link_tables():
        if table.name.lower() == name.lower():
            if replay.settings.vendor == "oracle":
                stored = table.name.upper()
                return table.auto_of, (f"the table is `{stored}`: a name in double quotes keeps its letter case",)
            if table.name.islower():
                return table.auto_of, (f"the table is `{table.name}`: a name in double quotes keeps its letter case",)
            return table.auto_of, (f"the table is `{table.name}`: SQL has to put its name in double quotes",)
    return None, ()

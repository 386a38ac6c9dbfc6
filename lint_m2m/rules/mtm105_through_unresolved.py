"""`through=` names a model that is not there yet.

## What it does

Finds a many-to-many field whose `through=` model is not in the project state when the operation runs: created later,
created in a migration that nothing orders before this one, deleted, or misspelt. The same of the model that `to=`
names, where the operation makes an automatic table.

## Why it breaks

On the database side `migrate` raises `AttributeError: 'str' object has no attribute '_meta'` (for `to=`: `ValueError:
Related model '...' cannot be resolved`). In `state_operations`
nothing runs, but the next time Django renders the models from the migrations (the next `migrate` or `makemigrations`)
it raises `ValueError: The field ... was declared with a lazy reference to ...`.

## Example

```python
# library/migrations/0002_reviewers.py
operations = [
    migrations.AddField(
        model_name="book",
        name="reviewers",
        field=models.ManyToManyField(related_name="+", through="library.Review", to="library.author"),
    ),
    migrations.CreateModel(
        name="Review",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("reviewer", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
]
```

## Safe sequence

Create the model first; when another app's migration creates it, name that migration in `dependencies`.

```python
# library/migrations/0002_reviewers.py
operations = [
    migrations.CreateModel(
        name="Review",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
            ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
            ("reviewer", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
        ],
    ),
    migrations.AddField(
        model_name="book",
        name="reviewers",
        field=models.ManyToManyField(related_name="+", through="library.Review", to="library.author"),
    ),
]
```

## When it stays silent

For models of apps outside the project, for a setting that nothing resolves, and when an operation that could not be
read may have created the model. Within `state_operations` the order does not matter as long as the model is there at
the end of the migration.

## References

- Django, `StateApps.__init__` in `django/db/migrations/state.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import AddField, AlterField, CreateModel, Field, ModelKey
from lint_m2m.replay.facts import FailureKind, FieldKey
from lint_m2m.replay.models import StateView
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import field_label


class ThroughUnresolved(Rule):
    code: ClassVar[str] = "MTM105"
    name: ClassVar[str] = "through-unresolved"
    severity: ClassVar[Severity] = Severity.ERROR

    def __init__(self) -> None:
        # State-only uses of a model that is not there, until their migration ends.
        self._open: list[tuple[int, ModelKey, Finding]] = []

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        yield from self._close(step.before, before=step.position)
        yield from self._targets(step)
        failures = [f for f in step.failures if f.kind is FailureKind.THROUGH_UNRESOLVED]
        for key, field in _written_fields(step):
            relation = field.relation
            if relation is None or not isinstance(relation.through, ModelKey):
                continue
            label = relation.through_label or str(relation.through)
            failure = next((f for f in failures if f.field in (key, None)), None)
            if failure is None and (step.on_database or step.after.lookup(relation.through) is not None):
                continue
            finding = self.finding_at(
                step,
                f"`through=` of `{field_label(step.after, key)}` names `{label}`, which is not in the state here",
                span=field.argument_span("through") or field.span,
                label="not created yet",
                field=key,
            )
            if failure is None:
                self._open.append((step.position, relation.through, finding))
                continue
            yield self.finding_at(
                step,
                finding.message,
                span=finding.span,
                label=finding.label,
                field=key,
                certainty=failure.certainty,
                reason=failure.reason,
                runtime_error=failure.exception,
            )

    def _targets(self, step: Step) -> Iterator[Finding]:
        """`to=` fails alike, on the database side."""
        for failure in step.failures:
            if failure.kind is not FailureKind.TARGET_UNRESOLVED or failure.field is None:
                continue
            field = next((field for key, field in _written_fields(step) if key == failure.field), None)
            relation = None if field is None else field.relation
            label = "a model" if relation is None else f"`{relation.to_label or relation.to}`"
            yield self.finding_at(
                step,
                f"`to=` of `{field_label(step.after, failure.field)}` names {label}, which is not in the state here",
                span=None if field is None else field.argument_span("to") or field.span,
                label="not created yet",
                field=failure.field,
                certainty=failure.certainty,
                reason=failure.reason,
                runtime_error=failure.exception,
            )

    def finish(self, replay: Replay) -> Iterator[Finding]:
        yield from self._close(replay.state, before=None)

    def _close(self, state: StateView, before: int | None) -> Iterator[Finding]:
        """Judge the uses of migrations that have ended: those before position `before`, all if ``None``."""
        ended = [entry for entry in self._open if before is None or entry[0] < before]
        self._open = self._open[len(ended) :]
        for _, through, finding in ended:
            if state.lookup(through) is None:
                yield finding


def _written_fields(step: Step) -> Iterator[tuple[FieldKey, Field]]:
    """The fields whose definition this operation writes."""
    operation, app = step.operation, step.app_label
    match operation:
        case AddField() | AlterField():
            yield FieldKey(app, operation.model_name.lower(), operation.name), operation.field
        case CreateModel():
            for named in operation.fields:
                yield FieldKey(app, operation.name.lower(), named.name), named.field
        case _:
            return

"""`through=` names a model that is not there.

## What it does

Finds a many-to-many field whose `through=` model is not in the project state when the operation runs: created later,
created in a migration that nothing orders before this one, or misspelt. The same of the model that `to=` names, where
the operation makes an automatic table. And it finds what comes of a `DeleteModel` while a field still names the model:
the operation that fails because of it, or else the `DeleteModel` after which every later `migrate` fails.

## Why it breaks

On the database side `migrate` raises `AttributeError: 'str' object has no attribute '_meta'` (for `to=`: `ValueError:
Related model '...' cannot be resolved`). In `state_operations`
nothing runs, but the next time Django renders the models from the migrations (the next `migrate` or `makemigrations`)
it raises `ValueError: The field ... was declared with a lazy reference to ...`.

After a `DeleteModel` the field goes on holding the class of its `through` model, and operations on it work, until an
operation on a related model has Django render its own model again: a new `through` model does, with its foreign keys.
Then altering, renaming or removing the field raises the `AttributeError`. A `RunPython` raises `ValueError: <function
ManyToManyField...> contains a lazy reference to ...`, unless nothing was altered before. So does the next `migrate`
once the migration with the `DeleteModel` has run: it works where both run at once, on a new database, and fails where
they are released one after the other.

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
the end of the migration. A `DeleteModel` before the operation that removes or alters the field, in one migration, is
right while Django renders nothing in between; where only models outside the project can tell, the finding is `likely`.
It is `likely` as well where a later migration puts right what a `DeleteModel` left; where that makes the model anew
and the links are lost, MTM202 says both.

## References

- Django, `StateApps.__init__`, `ProjectState.remove_model` and `ProjectState.reload_model` in
  `django/db/migrations/state.py`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from lint_m2m.finding import Certainty, Finding, Related, Severity
from lint_m2m.migration import AddField, AlterField, CreateModel, Field, ModelKey
from lint_m2m.replay.facts import Failure, FailureKind, FieldKey
from lint_m2m.replay.models import StateView
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.deletions import Deletions, Use
from lint_m2m.rules.describe import field_label, operation_name
from lint_m2m.rules.remade import Remade


class ThroughUnresolved(Rule):
    code: ClassVar[str] = "MTM105"
    name: ClassVar[str] = "through-unresolved"
    severity: ClassVar[Severity] = Severity.ERROR

    def __init__(self) -> None:
        # State-only uses of a model that is not there, until their migration ends.
        self._open: list[tuple[int, Use, Finding]] = []
        self._deletions = Deletions()
        # Reported where something raises because of it.
        self._said: set[Use] = set()

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        yield from self._close(step.before, before=step.position)
        self._deletions.see(step)
        yield from self._targets(step)
        failures = {f.field: f for f in step.failures if f.kind is FailureKind.THROUGH_UNRESOLVED}
        for key, field in _written_fields(step, relations=True):
            relation = field.relation
            if relation is None or not isinstance(relation.through, ModelKey):
                continue
            if step.after.lookup(relation.through) is not None:
                continue
            failure = failures.pop(key, None) or failures.pop(None, None)
            if failure is None and step.on_database:
                continue
            use = Use(key, relation.through)
            finding = self.finding_at(
                step,
                f"`through=` of `{field_label(step.after, key)}` names `{relation.through_label or relation.through}`,"
                " which is not in the state here",
                span=field.argument_span("through") or field.span,
                label="not created yet" if self._deletions.of(use) is None else "deleted before",
                field=key,
                certainty=Certainty.CERTAIN if failure is None else failure.certainty,
                reason=None if failure is None else failure.reason,
                runtime_error=None if failure is None else failure.exception,
            )
            if failure is None:
                self._open.append((step.position, use, finding))
            elif use not in self._said:
                self._said.add(use)
                yield finding
        targets = (failure for failure in step.failures if failure.kind is FailureKind.TARGET_GONE)
        yield from self._gone(step, [*failures.values(), *targets])

    def _gone(self, step: Step, failures: Iterable[Failure]) -> Iterator[Finding]:
        """What fails because of a model that a field named before, and that is not there any more."""
        rendered = [failure for failure in step.failures if failure.kind is FailureKind.STATE_UNRENDERABLE]
        for failure in (*failures, *rendered):
            use = _use(failure, step.before)
            if use is None or use in self._said:
                continue
            self._said.add(use)
            deletion = self._deletions.of(use)
            argument = "to" if failure.kind is FailureKind.TARGET_GONE else "through"
            argument = argument if deletion is None else deletion.argument
            label = str(use.model) if deletion is None else deletion.label
            field = field_label(step.before, use.field)
            name = operation_name(step.operation)
            message = (
                f"`{name}` works on `{field}`, whose `{argument}=` names `{label}`, which is not in the state here"
            )
            if failure in rendered:
                message = (
                    f"`{name}` has Django render the models, and `{argument}=` of `{field}` names `{label}`, which is"
                    " not in the state here"
                )
            related: tuple[Related, ...] = ()
            notes: tuple[str, ...] = ()
            if deletion is not None:
                where = deletion.step.origin
                related = (Related(location=where.location, message="deleted here"),)
                if deletion.exception is not None:
                    notes = (f"when `{where.migration}` has run alone, the next `migrate` raises {deletion.exception}",)
            yield self.finding_at(
                step,
                message,
                label="not there any more",
                field=use.field,
                certainty=failure.certainty,
                reason=failure.reason,
                runtime_error=failure.exception,
                related=related,
                notes=notes,
            )

    def _targets(self, step: Step) -> Iterator[Finding]:
        """`to=` fails alike, on the database side."""
        for failure in step.failures:
            if failure.kind is not FailureKind.TARGET_UNRESOLVED or failure.field is None:
                continue
            field = next((field for key, field in _written_fields(step) if key == failure.field), None)
            model = step.after.get(failure.field.model_key)
            known = None if model is None else model.fields.get(failure.field.name)
            written = field or (None if known is None else known.field)
            relation = None if written is None else written.relation
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
        # Where the model comes back MTM202 says that the links are gone, and this as well.
        self._said.update(remade.use for remade in replay.shared(Remade).at_end(replay) if remade.exception)
        for deletion in self._deletions.at_the_end(replay):
            field = deletion.use.field
            if deletion.use in self._said or any(use.field == field for use in self._said):
                continue
            self._said.add(deletion.use)
            mended = deletion.mended
            yield self.finding_at(
                deletion.step,
                f"`DeleteModel` removes `{deletion.label}`, which `{deletion.argument}=` of `{field}` still names",
                label="still named",
                field=field,
                certainty=Certainty.CERTAIN if mended is None else Certainty.LIKELY,
                reason=None if mended is None else f"a `migrate` that runs `{mended}` as well does not notice",
                related=(Related(location=deletion.named, message="named here"),),
                notes=(f"the next `migrate` raises {deletion.exception}",),
            )

    def _close(self, state: StateView, before: int | None) -> Iterator[Finding]:
        """Judge the uses of migrations that have ended: those before position `before`, all if ``None``."""
        ended = [entry for entry in self._open if before is None or entry[0] < before]
        self._open = self._open[len(ended) :]
        for _, use, finding in ended:
            if state.lookup(use.model) is None and use not in self._said:
                self._said.add(use)
                yield finding


def _use(failure: Failure, state: StateView) -> Use | None:
    """The field that is to blame, and the model that it names."""
    if failure.field is None:
        return None
    if failure.kind is FailureKind.STATE_UNRENDERABLE:
        return None if failure.model is None else Use(failure.field, failure.model)
    model = state.get(failure.field.model_key)
    field = None if model is None else model.fields.get(failure.field.name)
    relation = None if field is None else field.field.relation
    if relation is None:
        return None
    named = relation.to if failure.kind is FailureKind.TARGET_GONE else relation.through
    return Use(failure.field, named) if isinstance(named, ModelKey) else None


def _written_fields(step: Step, *, relations: bool = False) -> Iterator[tuple[FieldKey, Field]]:
    """The fields whose definition this operation writes; only the relations among them if so asked."""
    operation, app = step.operation, step.app_label
    match operation:
        case AddField() | AlterField():
            yield FieldKey(app, operation.model_name.lower(), operation.name), operation.field
        case CreateModel():
            for named in operation.fields:
                if relations and named.field.relation is None:
                    continue
                yield FieldKey(app, operation.name.lower(), named.name), named.field
        case _:
            return

"""`through=` names a model that is not there.

## What it does

Finds a many-to-many field whose `through=` model is not in the project state when the operation runs: created later,
created in a migration that nothing orders before this one, or misspelt. The same of the model that `to=` names, where
the operation makes an automatic table. And it finds what comes of a `DeleteModel` while a field still names the model:
the operation that fails because of it, or else the `DeleteModel` after which every later `migrate` fails. The same
where a foreign key of the `through` model names the model that is deleted.

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

So it is with a foreign key of a `through` model whose target is deleted: altering or renaming it raises the
`AttributeError` (before Django 5.0 `ValueError: Related model '...' cannot be resolved`), removing it works until its
model is rendered again, and raises that `ValueError` from then on; so does what has SQLite make the table anew.

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
from lint_m2m.replay.change import subject
from lint_m2m.replay.facts import Failure, FailureKind, FieldKey
from lint_m2m.replay.models import StateView
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.deletions import Deletions, Use
from lint_m2m.rules.describe import field_label, link_owner, model_label, operation_name, through_of
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
        if self._open:
            yield from self._close(step.before, before=step.position)
        self._deletions.see(step, replay)
        if step.failures:
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
        if step.failures:
            kinds = (FailureKind.TARGET_GONE, FailureKind.KEY_LOST)
            gone = (failure for failure in step.failures if failure.kind in kinds)
            yield from self._gone(step, [*failures.values(), *gone])

    def _gone(self, step: Step, failures: Iterable[Failure]) -> Iterator[Finding]:
        """What fails because of a model that a field named before, and that is not there any more."""
        rendered = [failure for failure in step.failures if failure.kind is FailureKind.STATE_UNRENDERABLE]
        for failure in (*failures, *rendered):
            use = _use(failure, step.before)
            deletion = None if use is None else self._deletions.of(use)
            if use is None or (use if deletion is None else deletion.use) in self._said:
                continue
            self._said.add(use if deletion is None else deletion.use)
            named = failure.field or use.field
            argument = "through" if failure.kind is FailureKind.THROUGH_UNRESOLVED else _argument(named, use, step)
            label = str(use.model) if deletion is None else deletion.label
            field = field_label(step.before, named)
            name = operation_name(step.operation)
            if failure in rendered:
                message = (
                    f"`{name}` has Django render the models, and `{argument}=` of `{field}` names `{label}`, which is"
                    " not in the state here"
                )
            elif failure.kind is FailureKind.KEY_LOST and subject(step.operation, step.app_label)[1] != named:
                message = (
                    f"`{name}` has Django make the table of `{model_label(step.before, named.model_key)}` anew, and"
                    f" `{argument}=` of `{field}` names `{label}`, which is not in the state here"
                )
            else:
                message = (
                    f"`{name}` works on `{field}`, whose `{argument}=` names `{label}`, which is not in the state here"
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
            field, naming = deletion.use.field, deletion.field
            if deletion.use in self._said or any(use.field == field for use in self._said):
                continue
            self._said.add(deletion.use)
            mended = deletion.mended
            yield self.finding_at(
                deletion.step,
                f"`DeleteModel` removes `{deletion.label}`, which `{deletion.argument}=` of `{naming}` still names",
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
    """The many-to-many field that is to blame, or whose `through` model is, and the model that is named."""
    if failure.field is None:
        return None
    model = state.get(failure.field.model_key)
    field = None if model is None else model.fields.get(failure.field.name)
    relation = None if field is None else field.field.relation
    if field is None or relation is None:
        return None
    named: object = failure.model
    if failure.kind is not FailureKind.STATE_UNRENDERABLE:
        named = relation.through if failure.kind is FailureKind.THROUGH_UNRESOLVED else relation.to
    if not isinstance(named, ModelKey):
        return None
    if field.field.many_to_many:
        return Use(failure.field, named)
    owner = link_owner(state, failure.field.model_key)
    return None if owner is None else Use(owner, named)


def _argument(key: FieldKey, use: Use, step: Step) -> str:
    """The argument of a field that names the model."""
    model = step.before.get(key.model_key)
    field = None if model is None else model.fields.get(key.name)
    return "to" if field is None or through_of(field.field) != use.model else "through"


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

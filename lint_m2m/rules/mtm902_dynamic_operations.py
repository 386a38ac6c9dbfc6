"""Part of a migration that cannot be read without running it.

## What it does

Says which operations or fields could not be read from the source, and which many-to-many fields are therefore not
checked from there on. Only parts that can matter to a many-to-many are reported.

## Why it breaks

Nothing breaks: this is a limit of reading without running. An operation class nobody knows, a list built by a
function of another package, an `if` on a setting may change a many-to-many in any way, so what follows is not judged
rather than judged wrongly.

## Example

```python
# library/migrations/0002_dynamic.py
from somewhere_else import make_operations

operations = make_operations("book")
```

## Safe sequence

Write the operations down, or tell lint-m2m what a class is (`operations` and `many-to-many-fields` in
`[tool.lint-m2m]`).

```python
# library/migrations/0002_dynamic.py
operations = [
    migrations.AddField("book", "note", models.CharField(default="", max_length=40)),
]
```

## When it stays silent

For operation classes of third-party packages that lint-m2m knows, when what could not be read names models that own no
many-to-many field and are the `through` model of none, and when a field of which only the name or the presence is
unknown is of a class that is no many-to-many. What makes one migration unreadable for one reason is reported once, with
every place. Raw SQL that could not be read is reported where it names a table with links; elsewhere it is counted among
the parts not read (`--verbose` lists them): it makes the rules careful, but says nothing of a many-to-many.

## References

- `docs/configuration.md`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Related, Severity
from lint_m2m.graph import Graph
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    AlterField,
    ConditionalOperations,
    CreateModel,
    Field,
    FieldKind,
    Location,
    Migration,
    MigrationKey,
    ModelKey,
    Project,
    RunSQL,
    Span,
    UnknownOperation,
)
from lint_m2m.readers.third_party import THIRD_PARTY_OPERATIONS
from lint_m2m.replay.facts import FieldKey
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import WHOLE_FILE, Rule
from lint_m2m.rules.describe import enumeration
from lint_m2m.rules.reach import has_links, touched, touched_by
from lint_m2m.values import frozen, replace


@frozen
class _Part:
    """A part that could not be read: where, and which many-to-many fields, known by name or not, that concerns."""

    finding: Finding
    fields: frozenset[FieldKey]
    models: frozenset[ModelKey] = frozenset()


class DynamicOperations(Rule):
    code: ClassVar[str] = "MTM902"
    name: ClassVar[str] = "dynamic-operations"
    severity: ClassVar[Severity] = Severity.INFO

    def __init__(self) -> None:
        # The parts of one migration that could not be read for one reason.
        self._parts: dict[tuple[MigrationKey, str], list[_Part]] = {}

    def check_project(self, project: Project, graph: Graph) -> Iterator[Finding]:
        for key in graph.unplanned:
            node = graph.nodes[key]
            if isinstance(node, Migration) and not node.replaces_complete and has_links(node.operations):
                yield Finding(
                    code=self.code,
                    name=self.name,
                    severity=self.severity,
                    message=f"what `{key}` replaces cannot be read",
                    location=Location(node.path, WHOLE_FILE),
                    label="`replaces` is put together at run time",
                    app_label=key.app_label,
                    migration=key.name,
                    notes=("not checked: its operations, which a fresh install runs",),
                )

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        if step.conditional is None:  # else it is a part of operations that are reported as a whole
            for message, fields, models, span in (*_unread(step), *_unread_sql(step, replay)):
                finding = self.finding_at(step, message, span=span, label="not read")
                part = _Part(finding=finding, fields=frozenset(fields), models=frozenset(models))
                self._parts.setdefault((step.migration.key, message), []).append(part)
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for parts in self._parts.values():
            fields = frozenset[FieldKey]().union(*(part.fields for part in parts))
            names = [f"`{key}`" for key in sorted(fields)]
            models = frozenset[ModelKey]().union(*(part.models for part in parts))
            names += [f"whatever else of `{key}` is a many-to-many" for key in sorted(models)]
            yield replace(
                parts[0].finding,
                field=str(next(iter(fields))) if len(names) == len(fields) == 1 else None,
                related=tuple(Related(location=part.finding.location, message="nor this") for part in parts[1:]),
                notes=(f"not checked from here on: {enumeration(names)}",),
            )


def _unread(step: Step) -> Iterator[tuple[str, Iterable[FieldKey], Iterable[ModelKey], Span | None]]:
    """What of an operation could not be read and matters: the message, the fields, further models, and where."""
    operation = step.operation
    yield from _unread_methods(step)
    match operation:
        case UnknownOperation():
            fields = touched(operation, step)
            if fields:
                yield f"an operation cannot be read: {operation.reason}", fields, (), None
        case ConditionalOperations():
            models: set[ModelKey] = set()
            changed = {key for branch in operation.branches for key in touched_by(branch, step, models)}
            if changed or models:
                reason = f"operations run or not by what only running tells: {operation.reason}"
                yield reason, changed, models, None
        case CreateModel():
            owner = ModelKey(step.app_label, operation.name.lower())
            for named in operation.fields:
                if named.field.many_to_many or not operation.links_complete:
                    yield from _unread_field(step, FieldKey(*owner, named.name), named.field, named.span)
            if not (operation.links_complete or operation.fields_complete):
                yield f"the fields of `{step.app_label}.{operation.name}` cannot be read whole", (), (owner,), None
        case AddField() | AlterField():
            key = FieldKey(step.app_label, operation.model_name.lower(), operation.name)
            yield from _unread_field(step, key, operation.field, operation.field.span)
        case _:
            return


def _unread_sql(
    step: Step, replay: Replay
) -> Iterator[tuple[str, Iterable[FieldKey], Iterable[ModelKey], Span | None]]:
    """A statement that cannot be read and names a table with links."""
    if not isinstance(step.operation, RunSQL) or not step.on_database or not replay.data_count:
        return
    last = replay.data_operations()[-1]
    if last.origin == step.origin and last.unread is not None and last.fields:
        yield f"raw SQL cannot be read: {last.unread}", last.fields, (), None


def _unread_methods(step: Step) -> Iterator[tuple[str, Iterable[FieldKey], Iterable[ModelKey], Span | None]]:
    """A subclass of an operation that does something of its own, to many-to-many fields."""
    operation = step.operation
    own = sorted(operation.overrides & {"database_forwards", "state_forwards"})
    if not own or operation.class_path in THIRD_PARTY_OPERATIONS:
        return
    models: set[ModelKey] = set()
    fields = set(touched_by((operation,), step, models))
    links = {key for key in fields if _is_link(step, key)}
    if links or models:
        name = (operation.class_path or "").rpartition(".")[2]
        methods = enumeration([f"`{method}`" for method in own])
        yield f"`{name}` has {methods} of its own, and what that does is not known", links, models, None


def _is_link(step: Step, key: FieldKey) -> bool:
    """Whether the field is, was or may be a many-to-many."""
    for state in (step.before, step.after):
        model = state.get(key.model_key)
        field = model.fields.get(key.name) if model else None
        if field is not None and field.field.kind in (FieldKind.MANY_TO_MANY, FieldKind.UNKNOWN):
            return True
    return False


def _unread_field(
    step: Step, key: FieldKey, field: Field, span: Span | None
) -> Iterator[tuple[str, Iterable[FieldKey], Iterable[ModelKey], Span | None]]:
    if field.kind is FieldKind.UNKNOWN:
        message = (
            f"the field class `{field.class_path}` is not known: it may be a many-to-many"
            if "." in field.class_path
            else f"the field `{key}` cannot be read: {_reason(step, key)}"
        )
        yield message, (key,), (), span
    elif field.many_to_many and field.relation is not None:
        for name, value in (("to", field.relation.to), ("through", field.relation.through)):
            if value is UNKNOWN:
                where = field.argument_span(name) or span
                yield f"`{name}=` of the many-to-many `{key}` cannot be read", (key,), (), where


def _reason(step: Step, key: FieldKey) -> str:
    """Why the reader could not tell what the field is, or whether it is there."""
    for name in (f"`{key}`", f"`{key.model_key}`"):
        for gap in step.migration.gaps:
            if name in gap.unchecked:
                return gap.reason
    return "it depends on running code"

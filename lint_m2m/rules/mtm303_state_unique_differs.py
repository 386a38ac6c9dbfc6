"""Unique pair of a reused table that the state does not declare, or declares otherwise.

## What it does

Finds the unique sets of a many-to-many's table and of its model in disagreement at the end of the history: the
automatic table's unique pair not declared, declared as a constraint of another name, or declared (or implied by an
automatic table) where the table has none.

## Why it breaks

`migrate` succeeds. The database goes on to refuse duplicates Django knows nothing of, so `Authorship.objects.create`
raises `IntegrityError` out of nowhere; a later `AlterUniqueTogether` fails because the name exists (MTM107), and a
later `RemoveConstraint` because it does not. Django's own how-to shows the named constraint.

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
                options={"db_table": "library_book_authors"},
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

## Safe sequence

Declare the pair as `unique_together`: it gets the very name the automatic table's set has.

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

When the pair is declared as `unique_together`, or as a `UniqueConstraint` that bears the name the database has; when
the table's unique sets are not known; when its columns already differ (MTM302).

## References

- https://docs.djangoproject.com/en/stable/howto/writing-migrations/#changing-a-manytomanyfield-to-use-a-through-model
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import UNKNOWN, AddConstraint, Constraint, ModelKey, Span
from lint_m2m.replay.facts import Origin, TableFact, UniqueFact
from lint_m2m.replay.models import ModelState, column_name
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import field_label, model_label, quoted, table_place
from lint_m2m.rules.drift import LinkStore, StateOnly, link_stores, narrowed


class StateUniqueDiffers(Rule):
    code: ClassVar[str] = "MTM303"
    name: ClassVar[str] = "state-unique-differs"
    severity: ClassVar[Severity] = Severity.WARNING

    def __init__(self) -> None:
        # The last operation that declared a constraint of that name, if it changed only the state.
        self._added: dict[tuple[ModelKey, str], Origin] = {}

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(StateOnly).see(step, replay)
        operation = step.operation
        if isinstance(operation, AddConstraint) and step.on_state and isinstance(operation.constraint.name, str):
            key = (ModelKey(step.app_label, operation.model_name.lower()), operation.constraint.name)
            if step.on_database:
                self._added.pop(key, None)
            else:
                self._added[key] = step.origin
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for store in link_stores(replay):
            table = store.table
            if table is None or table.uniques is UNKNOWN or table.columns is UNKNOWN:
                continue
            columns = replay.link_columns(store.owner, store.field)
            if columns is UNKNOWN or not set(columns) <= {column.name for column in table.columns}:
                continue
            pair = frozenset(columns)
            held = [unique for unique in table.uniques if unique.columns == pair]
            message, declared = (
                (_implied(store, held, table), None)
                if store.through is None
                else _declared(store.through, held, pair, table)
            )
            if message is None or not _parted_by_state(store, replay.shared(StateOnly)):
                continue
            yield self.finding(
                self._place(replay.shared(StateOnly).blame(store), store, declared),
                message.format(
                    label=field_label(replay.state, store.key),
                    model=model_label(replay.state, store.through.key) if store.through else "",
                    pair=quoted(pair),
                ),
                label="differs from the table",
                field=store.key,
                related=table_place(table, f"`{table.name}` was made here"),
            )

    def _place(self, blamed: Origin, store: LinkStore, declared: Constraint | Span | None) -> Origin:
        """Where the unique set is declared, if the operation to blame does it; else that operation."""
        through = store.through
        if through is None or declared is None:
            return blamed
        if isinstance(declared, Constraint):
            added = self._added.get((through.key, str(declared.name)))
            if added is not None:
                return narrowed(added, added, declared.span)
            declared = declared.span
        return narrowed(blamed, through.origin, declared)


def _parted_by_state(store: LinkStore, state_only: StateOnly) -> bool:
    """Whether an operation that changed only the state is behind it: otherwise it was somebody's free choice."""
    key = store.through.key if store.through is not None else None
    return state_only.of_field(store.key) is not None or (key is not None and state_only.of_model(key) is not None)


def _implied(store: LinkStore, held: list[UniqueFact], table: TableFact) -> str | None:
    if held:
        return None
    return f"`{{label}}` becomes automatic on `{table.name}`, which has no unique set on {{pair}}"


def _declared(
    through: ModelState, held: list[UniqueFact], pair: frozenset[str], table: TableFact
) -> tuple[str | None, Constraint | Span | None]:
    """What is wrong with how `through` declares the pair of its table, ``None`` if nothing; and where it does that."""
    options = through.options
    if options.unique_together is UNKNOWN or options.constraints is UNKNOWN:
        return None, None
    columns = {field.name: column_name(field) for field in through.fields.values()}

    def covers(names: tuple[str, ...]) -> bool:
        return frozenset(columns.get(name) for name in names) == pair

    together = any(covers(names) for names in options.unique_together)
    constraints = [
        constraint
        for constraint in options.constraints
        if constraint.plain_unique and constraint.fields is not UNKNOWN and covers(constraint.fields)
    ]
    if together:
        message = f"`{{model}}` declares {{pair}} unique, but table `{table.name}` has no such unique set"
        return (None if held else message), options.entry_span("unique_together")
    if constraints:
        name = constraints[0].name
        if name is UNKNOWN or any(unique.name in (name, None) for unique in held):
            return None, None
        real = next((f"`{unique.name}`" for unique in held), "no unique set on that pair")
        return f"`{{model}}` declares the constraint `{name}`, but table `{table.name}` has {real}", constraints[0]
    if held:
        return f"table `{table.name}` has a unique set on {{pair}} that `{{model}}` does not declare", None
    return None, None

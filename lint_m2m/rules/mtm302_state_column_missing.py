"""State-only change that claims a column which does not exist.

## What it does

Finds columns of a many-to-many's table that Django believes in and that do not exist at the end of the history:
foreign keys named differently from the automatic columns, and extra fields inside a state-only `CreateModel`.

## Why it breaks

`migrate` succeeds, because nothing runs. The first query fails with `no such column`, `column ... does not exist`. On
SQLite a later operation that rebuilds the table is worse: it reads the unknown quoted name as text and writes that
into every row.

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
                    ("writer", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
                ],
                options={"db_table": "library_book_authors", "unique_together": {("book", "writer")}},
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

Name the column of the foreign key. An extra field belongs into a real `AddField` after the switch.

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
                    ("writer", models.ForeignKey(db_column="author_id", on_delete=models.CASCADE, to="library.author")),
                ],
                options={"db_table": "library_book_authors", "unique_together": {("book", "writer")}},
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

When a later operation makes or renames the column, when the table itself is missing (MTM301), and when SQL or code
that could not be read may have changed the table.

## References

- https://www.sqlite.org/quirks.html#double_quoted_string_literals_are_accepted
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import UNKNOWN, FieldKind
from lint_m2m.replay.facts import ColumnFact, Origin, TableFact
from lint_m2m.replay.models import FieldState, ModelState, column_name
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.rules.base import Rule
from lint_m2m.rules.describe import model_label, quoted, table_place
from lint_m2m.rules.drift import LinkStore, StateOnly, link_stores, narrowed


class StateColumnMissing(Rule):
    code: ClassVar[str] = "MTM302"
    name: ClassVar[str] = "state-column-missing"
    severity: ClassVar[Severity] = Severity.ERROR

    def check(self, step: Step, replay: Replay) -> Iterator[Finding]:
        replay.shared(StateOnly).see(step, replay)
        return iter(())

    def finish(self, replay: Replay) -> Iterator[Finding]:
        for store in link_stores(replay):
            if store.table is None or store.table.columns is UNKNOWN:
                continue
            if store.through is not None:
                yield from self._of_model(store, store.through, store.table, store.table.columns, replay)
            else:
                yield from self._of_auto(store, store.table, store.table.columns, replay)

    def _of_model(
        self,
        store: LinkStore,
        through: ModelState,
        table: TableFact,
        columns: tuple[ColumnFact, ...],
        replay: Replay,
    ) -> Iterator[Finding]:
        wanted = {field.name: column_name(field) for field in through.fields.values()}
        spare = {column.name for column in columns} - set(wanted.values())
        for field in through.fields.values():
            column = wanted[field.name]
            if column is None or field.uncertain is not None or _has(columns, column, replay):
                continue
            origin = replay.shared(StateOnly).of_field(through.field_key(field.name)) or field.origin
            what = "foreign key" if field.field.kind is FieldKind.FOREIGN_KEY else "field"
            yield self.finding(
                narrowed(origin, field.origin, field.field.span),
                f"column `{column}` of the {what} `{model_label(replay.state, through.key)}.{field.name}`"
                f" does not exist in table `{table.name}`",
                label="only the state knows this column",
                field=store.key,
                related=table_place(table, f"`{table.name}` was made here, without it"),
                notes=_cure(field, spare),
            )

        order = through.options.order_with_respect_to
        if order is not None and order is not UNKNOWN and not _has(columns, "_order", replay):
            label = model_label(replay.state, through.key)
            yield self.finding(
                replay.shared(StateOnly).of_model(through.key) or through.origin,
                f"column `_order`, which `order_with_respect_to` of `{label}` asks for,"
                f" does not exist in table `{table.name}`",
                label="only the state knows this column",
                field=store.key,
                related=table_place(table, f"`{table.name}` was made here, without it"),
                notes=("set it with a real `AlterOrderWithRespectTo` after the switch",),
            )

    def _of_auto(
        self, store: LinkStore, table: TableFact, columns: tuple[ColumnFact, ...], replay: Replay
    ) -> Iterator[Finding]:
        wanted = replay.link_columns(store.owner, store.field)
        if wanted is UNKNOWN:
            return
        missing = [column for column in wanted if not _has(columns, column, replay)]
        if not missing:
            return
        origin: Origin = replay.shared(StateOnly).blame(store)
        word = "column" if len(missing) == 1 else "columns"
        has = quoted([column.name for column in columns if not column.primary_key])
        yield self.finding(
            narrowed(origin, store.field.origin, store.field.field.span),
            f"{word} {quoted(missing)} of the automatic table of `{model_label(replay.state, store.owner.key)}"
            f".{store.field.name}` {'does' if len(missing) == 1 else 'do'} not exist in table `{table.name}`",
            label="only the state knows these columns",
            field=store.key,
            related=table_place(table, f"`{table.name}` was made here"),
            notes=(f"the table has {has}",) if has else (),
        )


def _has(columns: tuple[ColumnFact, ...], name: str, replay: Replay) -> bool:
    """Whether the column is there; only PostgreSQL tells letter case apart."""
    if replay.settings.vendor == "postgresql":
        return any(column.name == name for column in columns)
    return any(column.name.lower() == name.lower() for column in columns)


def _cure(field: FieldState, spare: set[str]) -> tuple[str, ...]:
    keys = sorted(name for name in spare if name.endswith("_id"))
    if field.field.kind is FieldKind.FOREIGN_KEY and keys:
        return (f"the table has {quoted(keys)}: name it with `db_column`, or rename the field after the switch",)
    return ("add the field with a real `AddField` after the switch",)

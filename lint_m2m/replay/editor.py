"""The base of the schema editor: one operation's context, and what it takes to raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from lint_m2m.finding import Certainty
from lint_m2m.migration import ModelKey
from lint_m2m.replay.database import Database, Table
from lint_m2m.replay.facts import (
    Effect,
    Failure,
    FailureKind,
    FieldKey,
    Origin,
)
from lint_m2m.replay.layout import Layout
from lint_m2m.replay.wording import Wording
from lint_m2m.values import NamedTuple


class Later(NamedTuple):
    """Something that raises when the migration ends, unless a later operation of it puts it right.

    `still` looks at a database at the end of the migration: the exception as it is then worded, or ``None``.
    """

    failure: Failure
    still: Callable[[Database], str | None]


class Raises(Exception):
    """The operation raises in `migrate`; what it had done before stays in the ledger."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.exception)
        self.failure = failure


class Editor:
    """Serves one operation at a time: `begin`, then the methods, then `effects` and `later`.

    Where the outcome hangs on something unread the methods go on in silence.
    """

    def __init__(self, layout: Layout, wording: Wording, database: Database, django_version: tuple[int, int]) -> None:
        self.layout = layout
        self.names = layout.names
        self.wording = wording
        self.vendor = layout.names.vendor
        self.sqlite = self.vendor == "sqlite"
        self.django_version = django_version
        self.db = database
        self.effects: list[Effect] = []
        self.later: list[Later] = []
        self._origin: Origin | None = None
        self._model: ModelKey | None = None
        self._field: FieldKey | None = None

    def begin(self, database: Database, origin: Origin, model: ModelKey | None, field: FieldKey | None) -> None:
        """An operation starts: on `database`, at `origin`, about `model` and `field`."""
        self.db = database
        self.effects = []
        self.later = []
        self._origin = origin
        self._model = model
        self._field = field

    @property
    def origin(self) -> Origin:
        assert self._origin is not None
        return self._origin

    def about(self, field: FieldKey | None) -> None:
        """What follows is about `field`, for the failures."""
        self._field = field

    def fail(
        self,
        kind: FailureKind,
        exception: str,
        *,
        table: str | None = None,
        column: str | None = None,
        constraint: str | None = None,
        existing: Table | None = None,
        field: FieldKey | None = None,
        doubt: str | None = None,
    ) -> NoReturn:
        raise Raises(
            self.failure(
                kind,
                exception,
                table=table,
                column=column,
                constraint=constraint,
                existing=existing,
                field=field,
                doubt=doubt,
            )
        )

    def failure(
        self,
        kind: FailureKind,
        exception: str,
        *,
        table: str | None = None,
        column: str | None = None,
        constraint: str | None = None,
        existing: Table | None = None,
        field: FieldKey | None = None,
        doubt: str | None = None,
    ) -> Failure:
        """What `migrate` raises; `doubt` says why that is not certain."""
        doubt = doubt or (self.db.doubt if table is not None else None)
        gone = self.db.gone.get(self.names.fold_table(table)) if table is not None else None
        return Failure(
            kind=kind,
            exception=exception,
            certainty=Certainty.CERTAIN if doubt is None else Certainty.LIKELY,
            reason=doubt,
            field=field or self._field,
            model=self._model,
            table=table,
            column=column,
            constraint=constraint,
            existing=None if existing is None else self.db.fact(existing),
            dropped=gone.origin if gone is not None and kind is FailureKind.TABLE_MISSING else None,
            left_behind=self.db.still_made(),
        )

    def existing(self, name: str, *, dropping: bool = False, indexing: bool = False) -> Table | None:
        """The table; ``None`` when it cannot be told whether it exists."""
        table = self.db.get(name)
        if table is not None:
            return table
        if self.db.absence_doubt(name) is not None:
            return None
        self.fail(
            FailureKind.TABLE_MISSING,
            self.wording.table_missing(name, dropping=dropping, indexing=indexing),
            table=name,
        )

    def vacant(self, name: str, *, renaming: bool = False) -> None:
        """Nothing with that name may exist."""
        table = self.db.get(name)
        if table is None or table.existence_doubt is not None:
            return
        self.fail(
            FailureKind.TABLE_EXISTS,
            self.wording.table_exists(name, renaming=renaming),
            table=name,
            existing=table,
        )

    def has_column(self, table: Table, name: str, doing: str) -> bool:
        """Whether the column is known to be there; raises if it is known not to be."""
        if self.names.fold(name) in table.columns:
            return True
        if table.shape_doubt is not None or table.existence_doubt is not None:
            return False
        self.fail(
            FailureKind.COLUMN_MISSING,
            self.wording.column_missing(table.name, name, doing),
            table=table.name,
            column=name,
            existing=table,
        )

    def index_free(self, table: Table, **key: object) -> None:
        """No index of the name may exist. Of an index that has it the table is known; its doubts count."""
        found = self.db.index_in_the_way(table, **key)  # type: ignore[arg-type]
        if found is None or found[0].existence_doubt is not None or found[0].shape_doubt is not None:
            return
        name = self.db.index_name(found[1], found[0]) or ""
        self.fail(
            FailureKind.CONSTRAINT_EXISTS,
            self.wording.index_exists(name),
            table=table.name,
            constraint=name,
            existing=found[0],
        )

"""Indexes that are put off until the migration ends."""

from __future__ import annotations

from lint_m2m.replay.database import Database, Index
from lint_m2m.replay.names import Names
from lint_m2m.values import names_in, replace


def test_one_that_is_made_is_the_same_but_for_its_name() -> None:
    database = Database(Names("postgresql"))
    table = database.create("library_book", created=None)
    put_off = Index(
        columns=("author_id",),
        unique=True,
        constraint=True,
        inline=True,
        pending=True,
        name="given",
        basis="library_old",
        suffix="_uniq",
        basis_columns=("old_id",),
    )
    # All that an index is, none of it as it is by default.
    assert all(getattr(put_off, name) not in (None, False, "", ()) for name in names_in(Index))
    database.add_index(table, put_off)
    database.settle()
    assert table.indexes == [
        replace(put_off, pending=False, basis="library_book", basis_columns=database.spelled(table, ("author_id",)))
    ]

"""One operation at its place in the replay: what rules look at."""

from __future__ import annotations

from lint_m2m.migration import Location, Migration, Operation, Span
from lint_m2m.replay.facts import Effect, Failure, Origin
from lint_m2m.replay.models import StateView
from lint_m2m.values import frozen


@frozen
class Step:
    """An operation just replayed.

    The parts of a SeparateDatabaseAndState, of RunSQL's `state_operations` and of conditional branches are steps of
    their own (first the database side, then the state side), then the whole is one with neither side set.
    `before` and `after` are the project state on this side: the parts of `database_operations` see the intermediate
    states that Django gives them. They are valid only while the step is judged; take what you need.
    `failures` is what `migrate` raises here; after one the replay goes on as if the operation had been repaired.
    """

    migration: Migration
    position: int  # of the migration in the plan
    operation: Operation
    address: str
    on_state: bool  # it changes what Django believes
    on_database: bool  # it changes what exists
    before: StateView
    after: StateView
    failures: tuple[Failure, ...] = ()
    effects: tuple[Effect, ...] = ()
    # Set inside ConditionalOperations: it may not run at all.
    conditional: str | None = None
    # It went well and is about a plain column, an index or a unique set: no link, and nothing that leads to one, has
    # changed. Most operations of a history are quiet.
    quiet: bool = False

    @property
    def app_label(self) -> str:
        return self.migration.app_label

    @property
    def origin(self) -> Origin:
        """Where this operation stands; a file without positions counts from its first character."""
        return origin_of(self.migration, self.address, self.operation)


def origin_of(migration: Migration, address: str, operation: Operation) -> Origin:
    """The origin of `operation`, which is at `address` in `migration`."""
    return Origin(migration.key, address, Location(migration.path, operation.span or Span(1, 1, 1, 1)))

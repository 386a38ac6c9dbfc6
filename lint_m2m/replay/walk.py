"""Walks a plan and keeps both ledgers: `Replay` is what rules see beside the step itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, TypeVar

from lint_m2m.errors import ReadError
from lint_m2m.graph import Graph, Plan
from lint_m2m.migration import (
    UNKNOWN,
    AlterModelTable,
    ConditionalOperations,
    Migration,
    NoDatabaseChange,
    Operation,
    Project,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    UnknownOperation,
    UnreadFile,
)
from lint_m2m.replay.change import NOTHING, Change, Outcome
from lint_m2m.replay.database import Table
from lint_m2m.replay.editor import Later
from lint_m2m.replay.facts import Effect, Failure, FailureKind, Origin
from lint_m2m.replay.merge import merge_databases, merge_states
from lint_m2m.replay.models import StateView
from lint_m2m.replay.queries import Queries, ReplaySettings
from lint_m2m.replay.quiet import LEFT_OUT, is_quiet
from lint_m2m.replay.rendering import Rendered, unrenderable
from lint_m2m.replay.state import HANDLERS as STATE_HANDLERS
from lint_m2m.replay.state import StateLedger, Undo, view_before
from lint_m2m.replay.step import Step, origin_of
from lint_m2m.replay.unread import doubt_database, doubt_state
from lint_m2m.values import replace

# A SeparateDatabaseAndState that runs, the index of the database operation in it, and the state after that.
_Part: TypeAlias = tuple[SeparateDatabaseAndState, int, StateLedger]

_T = TypeVar("_T")

# So many operations of a migration are replayed on copies of the ledgers, to see what raises only when it ends.
MAX_AHEAD: Final = 2_000

# The operations of one migration may change so many models, and so many more for each of them: a rename changes all
# that refer to the model.
MAX_CHANGES: Final = 3_000
MORE_CHANGES: Final = 10


class Replay(Queries):
    """The replay of one plan: iterate `steps()`; between two steps the queries below answer for that moment.

    Rules use these queries and the step; they never reach into the ledgers.
    """

    def __init__(self, project: Project, graph: Graph, plan: Plan, settings: ReplaySettings) -> None:
        super().__init__(project, graph, plan, settings)
        # The migration and the operation of it that runs, with the parts around it; and whether this is a look ahead.
        self._rest: tuple[Migration | None, int, list[_Part]] = (None, 0, [])
        self._looking_ahead = False
        # What the operations looked at ahead leave for the end.
        self._put_off: list[Later] = []
        # Whether it has made a difference so far, or may have, which models Django has rendered again: then operations
        # on plain columns matter as well.
        self.rendering_matters = False
        self._ahead, self._changes = MAX_AHEAD, MAX_CHANGES
        # Of a migration, the last operation with raw SQL that may take tables away, and all such SQL of it.
        self._taking: tuple[Migration | None, int, str] = (None, -1, "")
        self._at_end: dict[object, object] = {}

    def at_end(self, ask: Callable[[Replay], _T]) -> _T:
        """What `ask` makes of the end of the plan, where several rules ask the same: worked out once."""
        if ask not in self._at_end:
            self._at_end[ask] = ask(self)
        return self._at_end[ask]  # type: ignore[return-value]

    def steps(self) -> Iterator[Step]:
        """Replay the plan, yielding each operation with what it did. ReadError where that would take far too long."""
        for position, key in enumerate(self.plan.order):
            node = self.graph.nodes.get(key)
            if node is None:
                continue
            self._position = position
            self._database.begin_migration(position)
            if isinstance(node, UnreadFile):
                reason = f"`{node.path}` could not be read"
                self._state.doubt_app(node.app_label, reason)
                self._database.doubt_prefix(f"{node.app_label}_", reason)
                continue
            self._ahead = MAX_AHEAD
            self._changes = MAX_CHANGES + MORE_CHANGES * len(node.operations)
            for index, operation in enumerate(node.operations):
                if operation is LEFT_OUT:
                    continue
                self._rest = (node, index, [])
                if type(operation) in STATE_HANDLERS:
                    yield self._plain(node, operation, str(index), None)
                else:
                    yield from self._both(node, operation, str(index), None)
            self._rest = (None, 0, [])
            self._database.settle()

    # -- one operation, on both sides

    def _both(
        self, migration: Migration, operation: Operation, address: str, conditional: str | None
    ) -> Iterator[Step]:
        match operation:
            case SeparateDatabaseAndState():
                yield from self._separate(migration, operation, address, conditional)
            case RunSQL():
                outcome = self._run_sql(migration, operation, address, self._state, conditional)
                for index, part in enumerate(operation.state_operations):
                    yield from self._on_state(migration, part, f"{address}.state.{index}", conditional)
                yield self._step(migration, operation, address, conditional, database=True, outcome=outcome)
            case RunPython():
                outcome = self._run_python(migration, operation, address, self._state)
                yield self._step(migration, operation, address, conditional, database=True, outcome=outcome)
            case ConditionalOperations():
                yield from self._branches(migration, operation, address, conditional)
            case UnknownOperation():
                undo = doubt_state(self._state, operation, migration.app_label, operation.reason)
                doubt_database(
                    self._database, self._layout, operation, migration.app_label, operation.reason, self._state
                )
                yield self._step(migration, operation, address, conditional, state=True, database=True, undo=undo)
            case NoDatabaseChange() if not operation.overrides:
                self._apply(migration, operation, origin_of(migration, address, operation), self._state)
                yield self._step(migration, operation, address, conditional, state=True, database=True)
            case _:
                yield self._plain(migration, operation, address, conditional)

    def _plain(self, migration: Migration, operation: Operation, address: str, conditional: str | None) -> Step:
        """An operation without others inside, first on the state, then on the database."""
        origin = origin_of(migration, address, operation)
        after = self._state
        rendered = after.rendered
        undo = self._apply(migration, operation, origin, after)
        before = view_before(after, undo)
        outcome = self._run(migration, operation, origin, before, after, rendered)
        return Step(
            migration=migration,
            position=self._position,
            operation=operation,
            address=address,
            on_state=True,
            on_database=True,
            before=before,
            after=after,
            failures=outcome.failures,
            effects=outcome.effects,
            conditional=conditional,
            quiet=outcome is NOTHING and not operation.overrides and is_quiet(operation, before, migration.app_label),
        )

    def _separate(
        self, migration: Migration, operation: SeparateDatabaseAndState, address: str, conditional: str | None
    ) -> Iterator[Step]:
        yield from self._database_parts(migration, operation, address, conditional, self._state)
        for index, part in enumerate(operation.state_operations):
            yield from self._on_state(migration, part, f"{address}.state.{index}", conditional)
        self._overridden(operation, migration.app_label, self._state)
        yield self._step(migration, operation, address, conditional)

    def _overridden(self, operation: Operation, app_label: str, state: StateLedger) -> Undo:
        """A subclass does something of its own on one side or both: what it is about is in doubt there."""
        overrides = operation.overrides
        if not overrides:
            return {}
        reason = f"`{operation.class_path}` replaces {' and '.join(sorted(overrides))}"
        if "database_forwards" in overrides:
            doubt_database(self._database, self._layout, operation, app_label, reason, state)
        if "state_forwards" in overrides:
            return doubt_state(state, operation, app_label, reason)
        return {}

    def _apply(self, migration: Migration, operation: Operation, origin: Origin, state: StateLedger) -> Undo:
        undo = state.apply(operation, migration.app_label, origin)
        self.rendering_matters |= bool(state.rendered.held or state.rendered.maybe)
        self._changes -= len(undo)
        if self._changes < 0:
            raise ReadError("its operations change more models than can be followed", path=migration.path)
        if "state_forwards" in operation.overrides:
            reason = f"`{operation.class_path}` replaces state_forwards"
            for key, was in doubt_state(state, operation, migration.app_label, reason).items():
                undo.setdefault(key, was)
        return undo

    def _run(
        self,
        migration: Migration,
        operation: Operation,
        origin: Origin,
        before: StateView,
        after: StateLedger,
        rendered: Rendered,
    ) -> Outcome:
        if "database_forwards" in operation.overrides:
            reason = f"`{operation.class_path}` replaces database_forwards"
            for view in (before, after):
                doubt_database(self._database, self._layout, operation, migration.app_label, reason, view)
            return NOTHING
        change = Change(operation, migration.app_label, before, after, after.referrers, rendered)
        waiting = len(self._database.pending)
        outcome = self._forwards.run(change, self._database, origin)
        if outcome.later:
            outcome = self._settled(change, outcome, origin)
        if not outcome.failures and not self._looking_ahead and len(self._database.pending) > waiting:
            outcome = self._before_sql(change, outcome, origin, waiting)
        return outcome

    # -- what raises only when the migration ends

    def _settled(self, change: Change, outcome: Outcome, origin: Origin) -> Outcome:
        """`outcome` with the failures that no later operation of the migration prevents, as failures of this one."""
        if self._looking_ahead:
            self._put_off.extend(outcome.later)
            return outcome
        for later in outcome.later:
            if later.still(self._database) is None:
                continue
            exception = self._at_the_end(later)
            if exception is not None:
                failure = replace(later.failure, exception=exception)
                self._forwards.repair(change, failure, self._database, origin)
                return Outcome((failure,), outcome.effects)
        return outcome

    def _before_sql(self, change: Change, outcome: Outcome, origin: Origin, waiting: int) -> Outcome:
        """`outcome` with the failure that raw SQL, later in the migration, makes of what was put off here."""
        migration, index, _ = self._rest
        if migration is None:
            return outcome
        if self._taking[0] is not migration:
            self._taking = migration, *_all_taking(migration)
        _, last, sql = self._taking
        if last <= index:
            return outcome
        for table in dict.fromkeys(table.uid for table in self._database.pending[waiting:]):
            made = self._database.by_uid(table)
            if made is not None and not _may_name(sql, made):
                continue
            later = None if made is None else self._forwards.editor.sql_takes(made)
            exception = None if later is None else self._at_the_end(later)
            if later is not None and exception is not None:
                failure = replace(later.failure, exception=exception)
                self._forwards.repair(change, failure, self._database, origin)
                return Outcome((failure,), outcome.effects)
        return outcome

    def _at_the_end(self, later: Later) -> str | None:
        """Replay the rest of the migration on copies of both ledgers, and ask again: the exception, if there is one.

        Where a later operation raises, the migration never gets to its end; SQLite looks for rows that point at nothing
        all the same (`DatabaseSchemaEditor.__exit__` in ``django/db/backends/sqlite3/schema.py``).

        Where more was looked at than any migration of people takes, nothing is said.
        """
        migration, index, parts = self._rest
        if migration is None:
            return later.failure.exception
        if self._ahead < 0:
            return None
        state, database, known = self._state, self._database, len(self._data.operations)
        self._state, self._database, self._looking_ahead = state.fork(), database.fork(), True
        self._put_off = []
        try:
            for operation, number, after in reversed(parts):
                view = after
                for part in operation.database_operations[number + 1 :]:
                    then = view.fork()
                    for step in self._on_database(migration, part, "", None, view, then):
                        if step.failures:
                            return self._at_a_stop(later)
                    view = then
            if parts:
                for part in parts[0][0].state_operations:
                    for _ in self._on_state(migration, part, "", None):
                        pass
            for operation_after in migration.operations[index + 1 :]:
                if operation_after is LEFT_OUT:
                    continue
                self._ahead -= 1
                for step in self._both(migration, operation_after, "", None):
                    if step.failures:
                        return self._at_a_stop(later)
            self._database.settle()
            return self._still(later)
        finally:
            self._state, self._database, self._looking_ahead = state, database, False
            del self._data.operations[known:]

    def _at_a_stop(self, later: Later) -> str | None:
        """What `later` raises where an operation raises before the end."""
        return self._still(later) if later.failure.kind is FailureKind.ROWS_VIOLATE else None

    def _still(self, later: Later) -> str | None:
        """What `later` raises at this moment. Rows that point at nothing do so no less when their column is pointed
        elsewhere, where they fit as little."""
        exception = later.still(self._database)
        table = later.failure.existing
        if exception is not None or later.failure.kind is not FailureKind.ROWS_VIOLATE or table is None:
            return exception
        columns = () if table.columns is UNKNOWN else table.columns
        for other in self._put_off:
            there = other.failure.existing
            if other.failure.kind is FailureKind.ROWS_VIOLATE and there is not None and there.uid == table.uid:
                column = other.failure.column
                known = column != later.failure.column and any(one.name == column for one in columns)
                if not known:
                    exception = exception or other.still(self._database)
        return exception

    # -- the database side alone, with intermediate states of its own

    def _database_parts(
        self,
        migration: Migration,
        operation: SeparateDatabaseAndState,
        address: str,
        conditional: str | None,
        start: StateLedger,
    ) -> Iterator[Step]:
        """`SeparateDatabaseAndState.database_forwards`: each part sees the state that the parts before it leave."""
        state = start
        for index, part in enumerate(operation.database_operations):
            after = state.fork()
            rest = self._rest
            self._rest = (rest[0], rest[1], [*rest[2], (operation, index, after)])
            yield from self._on_database(migration, part, f"{address}.database.{index}", conditional, state, after)
            self._rest = rest
            state = after

    def _on_database(
        self,
        migration: Migration,
        operation: Operation,
        address: str,
        conditional: str | None,
        before: StateLedger,
        after: StateLedger,
    ) -> Iterator[Step]:
        """The database side of a part; `after` is a copy of `before` that gets the part's state side."""
        match operation:
            case SeparateDatabaseAndState():
                self._apply_parts(migration, operation.state_operations, address, after)
                yield from self._database_parts(migration, operation, address, conditional, before)
                self._overridden(operation, migration.app_label, after)
                yield self._step(migration, operation, address, conditional, views=(before, after))
            case RunSQL():
                self._apply_parts(migration, operation.state_operations, address, after)
                outcome = self._run_sql(migration, operation, address, before, conditional)
                yield self._step(
                    migration, operation, address, conditional, database=True, outcome=outcome, views=(before, after)
                )
            case RunPython():
                outcome = self._run_python(migration, operation, address, before)
                yield self._step(
                    migration, operation, address, conditional, database=True, outcome=outcome, views=(before, after)
                )
            case ConditionalOperations():
                start, states, databases = self._database, [], []
                for number, branch in enumerate(operation.branches):
                    self._database = start.fork()
                    state = before.fork()
                    for index, part in enumerate(branch):
                        place = f"{address}.branch.{number}.{index}"
                        inner = state.fork()
                        yield from self._on_database(migration, part, place, operation.reason, state, inner)
                        state = inner
                    states.append(state)
                    databases.append(self._database)
                self._database = merge_databases(start, databases, operation.reason)
                merge_states(after, states, operation.reason)
                yield self._step(migration, operation, address, conditional, views=(before, after))
            case UnknownOperation():
                doubt_state(after, operation, migration.app_label, operation.reason)
                doubt_database(self._database, self._layout, operation, migration.app_label, operation.reason, before)
                yield self._step(migration, operation, address, conditional, database=True, views=(before, after))
            case _:
                origin = origin_of(migration, address, operation)
                self._apply(migration, operation, origin, after)
                outcome = self._run(migration, operation, origin, before, after, before.rendered)
                yield self._step(
                    migration, operation, address, conditional, database=True, outcome=outcome, views=(before, after)
                )

    def _apply_parts(
        self, migration: Migration, operations: tuple[Operation, ...], address: str, state: StateLedger
    ) -> None:
        """The state side of parts that only an intermediate state sees: no steps, what Django believes stays."""
        for index, part in enumerate(operations):
            place = f"{address}.state.{index}"
            match part:
                case SeparateDatabaseAndState() | RunSQL():
                    self._apply_parts(migration, part.state_operations, place, state)
                case ConditionalOperations():
                    states = []
                    for number, branch in enumerate(part.branches):
                        state_of_branch = state.fork()
                        self._apply_parts(migration, branch, f"{place}.branch.{number}", state_of_branch)
                        states.append(state_of_branch)
                    merge_states(state, states, part.reason)
                case UnknownOperation():
                    doubt_state(state, part, migration.app_label, part.reason)
                case _:
                    self._apply(migration, part, origin_of(migration, place, part), state)

    # -- the state side alone

    def _on_state(
        self, migration: Migration, operation: Operation, address: str, conditional: str | None
    ) -> Iterator[Step]:
        match operation:
            case SeparateDatabaseAndState() | RunSQL():
                for index, part in enumerate(operation.state_operations):
                    yield from self._on_state(migration, part, f"{address}.state.{index}", conditional)
                yield self._step(migration, operation, address, conditional)
            case RunPython():
                yield self._step(migration, operation, address, conditional)
            case ConditionalOperations():
                start, states = self._state, []
                for number, branch in enumerate(operation.branches):
                    self._state = start.fork()
                    for index, part in enumerate(branch):
                        place = f"{address}.branch.{number}.{index}"
                        yield from self._on_state(migration, part, place, operation.reason)
                    states.append(self._state)
                self._state = start
                merge_states(start, states, operation.reason)
                yield self._step(migration, operation, address, conditional)
            case UnknownOperation():
                undo = doubt_state(self._state, operation, migration.app_label, operation.reason)
                yield self._step(migration, operation, address, conditional, state=True, undo=undo)
            case _:
                undo = self._apply(migration, operation, origin_of(migration, address, operation), self._state)
                yield self._step(migration, operation, address, conditional, state=True, undo=undo)

    # -- either or

    def _branches(
        self, migration: Migration, operation: ConditionalOperations, address: str, conditional: str | None
    ) -> Iterator[Step]:
        """Each branch on copies of both ledgers; what they do not agree on is in doubt afterwards."""
        state, database = self._state, self._database
        states, databases = [], []
        for number, branch in enumerate(operation.branches):
            self._state, self._database = state.fork(), database.fork()
            for index, part in enumerate(branch):
                yield from self._both(migration, part, f"{address}.branch.{number}.{index}", operation.reason)
            states.append(self._state)
            databases.append(self._database)
        self._state = state
        merge_states(state, states, operation.reason)
        self._database = merge_databases(database, databases, operation.reason)
        yield self._step(migration, operation, address, conditional)

    # -- what cannot be read

    # -- data

    def _run_sql(
        self, migration: Migration, operation: RunSQL, address: str, state: StateLedger, conditional: str | None
    ) -> Outcome:
        return self._data.run_sql(
            operation,
            self._database,
            state,
            self._position,
            origin_of(migration, address, operation),
            conditional=conditional is not None,
        )

    def _run_python(self, migration: Migration, operation: RunPython, address: str, state: StateLedger) -> Outcome:
        outcome = self._data.run_python(
            operation, self._database, state, self._position, origin_of(migration, address, operation)
        )
        if state.renders():
            return outcome
        self.rendering_matters = True
        if state.rendered.delayed is False:
            return outcome
        return Outcome(unrenderable(state, state.rendered.delayed), outcome.effects)

    def _step(
        self,
        migration: Migration,
        operation: Operation,
        address: str,
        conditional: str | None,
        *,
        state: bool = False,
        database: bool = False,
        undo: Undo | None = None,
        outcome: Outcome | None = None,
        views: tuple[StateView, StateView] | None = None,
    ) -> Step:
        if views is not None:
            before, after = views
        else:
            after = self._state
            before = view_before(self._state, undo) if undo else after
        failures: tuple[Failure, ...] = ()
        effects: tuple[Effect, ...] = ()
        if outcome is not None:
            failures, effects = outcome.failures, outcome.effects
        return Step(
            migration=migration,
            position=self._position,
            operation=operation,
            address=address,
            on_state=state,
            on_database=database,
            before=before,
            after=after,
            failures=failures,
            effects=effects,
            conditional=conditional,
        )


# Every statement that renames, moves or drops a table has one of these in it (`sql_schema`), and most SQL has none.
_TAKING = re.compile("drop|rename|replace|schema", re.IGNORECASE)


# What names tables anew: raw SQL that comes later may go by the new name.
_RENAMING = (RenameModel, AlterModelTable)


def _all_taking(migration: Migration) -> tuple[int, str]:
    """The last operation of `migration` with raw SQL that may take tables away, -1 for none; the text of all of them.

    The text is empty where it does not tell which tables those are.
    """
    last, texts, tells = -1, [], True
    for number, operation in enumerate(migration.operations):
        inner = operation.database_operations if isinstance(operation, SeparateDatabaseAndState) else (operation,)
        tells = tells and not any(isinstance(one, (*_RENAMING, SeparateDatabaseAndState)) for one in inner)
        if _takes_tables(operation):
            last = number
            texts += [piece for one in inner if isinstance(one, RunSQL) for piece in one.sql if piece is not UNKNOWN]
    return last, "\n".join(texts).lower() if tells else ""


def _may_name(sql: str, table: Table) -> bool:
    """Whether `sql`, of `_all_taking`, may be about `table` or one that it refers to."""
    names = {table.name, *(column.references for column in table.columns.values() if column.references)}
    names.update(*table.further_keys.values())
    # A long name is shortened by the database; its beginning stays.
    return not sql or any(name.strip('"').rpartition('."')[2].lower()[:24] in sql for name in names)


def _takes_tables(operation: Operation) -> bool:
    """Whether raw SQL runs in it that may rename or drop a table."""
    match operation:
        case RunSQL():
            return any(piece is not UNKNOWN and _TAKING.search(piece) is not None for piece in operation.sql)
        case SeparateDatabaseAndState(database_operations=parts):
            return any(map(_takes_tables, parts))
        case _:
            return False


__all__ = ["Replay", "ReplaySettings"]

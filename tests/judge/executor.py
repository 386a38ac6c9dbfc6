"""Run a project's migrations with Django, one operation at a time, and write down what each one did.

This module runs in a process of its own for each project (see `worker.py`): Django is configured in it, and nothing is
put back. The operations are not re-implemented: each is replaced by a copy whose ``state_forwards`` and
``database_forwards`` are wrapped, inside SeparateDatabaseAndState and RunSQL too, and `Migration.apply` and the schema
editor do the rest as they do for `migrate`. What a subclass does with its inner operations therefore counts as well.
"""

from __future__ import annotations

import copy
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import django
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RenameField, RenameModel, RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.state import ProjectState
from django.db.utils import IntegrityError

from .believed import Belief, Believer, view
from .catalog import Catalog, Table
from .loss import losses
from .outcome import Change, Drift, FieldKey, JudgeError, Outcome, Phase, Place, Raised, Step, View
from .protocol import Plan
from .seeding import Seeder

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_SCRATCH = re.compile(r"lint_m2m_judge_\d+_\d+")
_TEMPORARY = re.compile(r"#sql-[\w-]+")


@dataclass(slots=True)
class _Leaf:
    """One operation that has no others inside, or the RunSQL around its state operations."""

    place: Place
    operation: Any
    belief: Belief | None = None  # after its state half; None when that was not the project's state
    tables: Mapping[str, Table] | None = None  # after its database half; None when that did not run
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Moment:
    """Both ledgers at one time."""

    belief: Belief
    tables: Mapping[str, Table]
    views: dict[FieldKey, View]


@dataclass(slots=True)
class _Renames:
    """What one step renamed: fields, and models as "app.model"."""

    fields: dict[FieldKey, FieldKey]
    models: dict[str, str]

    def follows(self, old: Drift, new: Drift) -> bool:
        """Is `new` what is left of `old`, under other names?"""
        if old.kind != new.kind or old.model is None or new.model is None:
            return False
        model = self.models.get(old.model, old.model) == new.model
        fields = old.fields and {self.fields.get(key, key) for key in old.fields} == set(new.fields)
        return bool(model or fields) and (old.detail == new.detail or old.table == new.table)


@contextmanager
def _measuring() -> Iterator[None]:
    """What goes wrong in here is the judge's fault, not the project's."""
    try:
        yield
    except Exception as error:
        raise JudgeError(f"the judge itself failed: {traceback.format_exc()}") from error


class Run:
    """One project, once. `labels` are the apps to judge; the others are only migrated."""

    def __init__(
        self, connection: Any, labels: frozenset[str], *, plan: Plan, fresh_process: bool, retry: bool
    ) -> None:
        self.connection = connection
        self.labels = labels
        self.plan: Plan = plan
        self.fresh_process = fresh_process
        self.retry = retry
        self.catalog = Catalog(connection)
        self.believer = Believer(connection, labels)
        self.seeder = Seeder(connection, self.catalog)
        self.steps: list[Step] = []
        self.raised: Raised | None = None
        self.not_run: list[Place] = []
        self.drifts: list[Drift] = []
        self._open: dict[tuple[str, str, str], Drift] = {}
        self._ever_links: set[str] = set()
        # Of the operation that runs now, or of the migration.
        self._leaves: list[_Leaf] = []
        self._place: Place | None = None
        self._code = False
        self._deferred: dict[int, tuple[Any, Place]] = {}
        self._dangling: Raised | None = None
        self._statements: list[tuple[Place, str]] = []
        self._moment: _Moment | None = None
        self._belief: Belief
        self._last_deferred: Any = None
        self._editor: Any = None

    # The whole run

    def outcome(self) -> Outcome:
        loader, migrations = self._load()
        plan = [migration for migration in migrations if migration.app_label in self.labels]
        state = ProjectState(real_apps=loader.unmigrated_apps)
        left_behind: frozenset[str] = frozenset()
        retried = None
        for position, migration in enumerate(migrations):
            if migration.app_label not in self.labels:
                state = self._plain(migration, state)
                continue
            before = None
            if self.retry:
                before = state.clone()
                before.__dict__.pop("apps", None)
            state, tables = self._migration(migration, state)
            if self.raised is not None:
                after = frozenset(self.catalog.tables())
                left_behind = after - tables if self.raised.place.operation is not None else frozenset()
                self._note_not_run(migrations[position:])
                if before is not None:
                    retried = self._again(migration, before)
                break
        return Outcome(
            django=django.get_version(),
            vendor=self.connection.vendor,
            variant="fresh process" if self.fresh_process else "one process",
            plan=tuple((migration.app_label, migration.name) for migration in plan),
            steps=tuple(self.steps),
            raised=self.raised,
            retried=retried,
            not_run=tuple(self.not_run),
            losses=losses(tuple(self.steps), tuple((m.app_label, m.name) for m in plan)),
            drifts=(*self.drifts, *self._open.values()),
            left_behind=left_behind,
            unseeded=tuple(dict.fromkeys(self.seeder.notes)),
        )

    def _load(self) -> tuple[Any, list[Any]]:
        loader = MigrationLoader(None, replace_migrations=self.plan == "fresh")
        if self.plan == "replaced":
            # An installation from before the squash: what Django does when some of the replaced ones are applied.
            for key, migration in loader.replacements.items():
                if all(tuple(old) in loader.graph.nodes for old in migration.replaces):
                    loader.graph.remove_replacement_node(key, migration.replaces)
        missing = self.labels - {app_label for app_label, _ in loader.disk_migrations}
        if missing:
            raise JudgeError(f"Django finds no migrations in {', '.join(sorted(missing))}")
        order: dict[tuple[str, str], Any] = {}
        for leaf in loader.graph.leaf_nodes():
            for key in loader.graph.forwards_plan(leaf):
                order.setdefault(key, loader.graph.nodes[key])
        return loader, list(order.values())

    def _plain(self, migration: Any, state: Any) -> Any:
        state.apps  # noqa: B018  as `migrate` renders it
        with self.connection.schema_editor(atomic=migration.atomic) as editor:
            return migration.apply(state, editor)

    def _note_not_run(self, migrations: list[Any]) -> None:
        ran = {step.place for step in self.steps}
        for migration in migrations:
            if migration.app_label in self.labels:
                places = (
                    Place(migration.app_label, migration.name, str(index)) for index in range(len(migration.operations))
                )
                self.not_run.extend(place for place in places if place not in ran)

    def _again(self, migration: Any, state: Any) -> Raised | None:
        """The same `migrate` once more, in a fresh process, as after a failure."""
        migration = type(migration)(migration.name, migration.app_label)
        seen: list[Place] = []
        migration.operations = [
            self._watch(operation, Place(migration.app_label, migration.name, str(index)), seen.append)
            for index, operation in enumerate(migration.operations)
        ]
        try:
            state.apps  # noqa: B018
            with self.connection.schema_editor(atomic=migration.atomic) as editor:
                migration.apply(state, editor)
        except Exception as error:
            place = seen[-1] if seen else Place(migration.app_label, migration.name, None)
            return _raised(error, place, "operation")
        return None

    def _watch(self, operation: Any, place: Place, note: Callable[[Place], None]) -> Any:
        """A copy of `operation` that says so before it starts, as do those inside it."""
        operation = copy.copy(operation)

        def watched(method: Any) -> Any:
            def call(*arguments: Any) -> Any:
                note(place)
                return method(*arguments)

            return call

        self._inside(operation, place, lambda inner, address: self._watch(inner, address, note))
        operation.state_forwards = watched(operation.state_forwards)
        operation.database_forwards = watched(operation.database_forwards)
        return operation

    @staticmethod
    def _inside(operation: Any, place: Place, wrap: Callable[[Any, Place], Any]) -> None:
        """Replace the operations inside `operation` (lists that operations may share, so never in place)."""
        for attribute, word in (("database_operations", "database"), ("state_operations", "state")):
            inner = getattr(operation, attribute, None)
            if inner and isinstance(operation, SeparateDatabaseAndState | RunSQL):
                setattr(
                    operation,
                    attribute,
                    [
                        wrap(one, place._replace(operation=f"{place.operation}.{word}.{index}"))
                        for index, one in enumerate(inner)
                    ],
                )

    # One migration

    def _migration(self, migration: Any, state: Any) -> tuple[Any, frozenset[str]]:
        """Run one migration. Returns the state after it and the tables before it; `raised` is set when it failed."""
        whole = Place(migration.app_label, migration.name, None)
        if self.fresh_process:
            state = state.clone()
            state.__dict__.pop("apps", None)
        try:
            state.apps  # noqa: B018  as `migrate` renders it
        except Exception as error:
            self.raised = _raised(error, whole, "render")
            return state, frozenset(self.catalog.tables())
        self.catalog.changed()
        with _measuring():
            belief = self.believer.read(state)
            self.seeder.seed(belief)
        before = frozenset(self.catalog.tables())
        first_step = len(self.steps)
        self._deferred.clear()
        self._last_deferred = None
        self._statements.clear()
        self._dangling = None
        self._moment = None
        self._belief = belief
        # Not the loader's own instance: `_again` wants it as it was.
        running = copy.copy(migration)
        running.operations = [
            self._top(operation, Place(migration.app_label, migration.name, str(index)))
            for index, operation in enumerate(migration.operations)
        ]
        try:
            with (
                self.connection.execute_wrapper(self._log),
                self.connection.schema_editor(atomic=migration.atomic) as editor,
            ):
                self._follow_deferred(editor)
                state = running.apply(state, editor)
                self._place = None
        except JudgeError:
            raise
        except Exception as error:
            self._failed(error, whole)
            self._roll_back()
            if self.connection.features.can_rollback_ddl and migration.atomic:
                self.steps[first_step:] = [replace(step, rolled_back=True) for step in self.steps[first_step:]]
        finally:
            self._editor = None
            self.catalog.changed()
        return state, before

    def _log(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._place is not None:
            self._statements.append((self._place, sql))
        return execute(sql, params, many, context)

    def _follow_deferred(self, editor: Any) -> None:
        """Keep an eye on what the schema editor executes when it closes."""
        execute = editor.execute

        def followed(sql: Any, params: Any = ()) -> Any:
            self._last_deferred = sql if id(sql) in self._deferred else None
            execute(sql, params)
            self._last_deferred = None

        editor.execute = followed
        self._editor = editor

    def _failed(self, error: Exception, whole: Place) -> None:
        """Find the operation to blame for what came out of the schema editor."""
        if self._dangling is not None and isinstance(error, IntegrityError):
            self.raised = self._dangling
        elif self._last_deferred is not None:
            # At the end, or earlier: SQLite executes it whenever it copies a table.
            self.raised = _raised(error, self._deferred[id(self._last_deferred)][1], "deferred")
        elif self._place is not None:
            self.raised = _raised(error, self._place, "code" if self._code else "operation")
        else:
            # Deferred foreign keys (PostgreSQL), at commit: the last statement that names the table they are on.
            place = whole
            table = getattr(getattr(error.__cause__, "diag", None), "table_name", None)
            for where, sql in self._statements:
                if table is None or re.search(rf"(?<!\w){re.escape(table)}(?!\w)", sql):
                    place = where
            self.raised = _raised(error, place, "check")

    def _roll_back(self) -> None:
        """Leave whatever transaction the failure left open (SQLite's schema editor raises before it closes its own)."""
        connection = self.connection
        if connection.connection is not None and not connection.get_autocommit():
            connection.connection.rollback()
        connection.in_atomic_block = False
        connection.savepoint_ids = []
        connection.needs_rollback = False
        connection.run_on_commit = []
        if hasattr(connection, "atomic_blocks"):
            connection.atomic_blocks = []
        connection.set_autocommit(True)
        if connection.vendor == "sqlite":
            connection.connection.rollback()
            connection.enable_constraint_checking()
        self.catalog.rolled_back()

    # One operation

    def _top(self, operation: Any, place: Place) -> Any:
        """A copy of `operation` that records a `Step` when it has run."""
        wrapped = self._leaf(operation, place)
        state_forwards = wrapped.state_forwards
        database_forwards = wrapped.database_forwards
        moments: list[_Moment] = []

        def state_half(app_label: str, state: Any) -> None:
            # `Migration.apply` is about to change `state`: take both ledgers as they are.
            self._place = place
            with _measuring():
                moments[:] = [self._moment or self._now(self._belief)]
            self._leaves = []
            state_forwards(app_label, state)

        def database_half(app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
            database_forwards(app_label, editor, from_state, to_state)
            self._place = place
            with _measuring():
                self._belief = self._last_belief(wrapped) or self.believer.read(to_state)
                self._moment = after = self._now(self._belief)
                self._record(operation, place, moments[0], after)
            self._place = None

        wrapped.state_forwards = state_half
        wrapped.database_forwards = database_half
        return wrapped

    def _last_belief(self, operation: Any) -> Belief | None:
        """What the last leaf left in the state; ``None`` when an operation may have done something after it."""
        beliefs = [leaf.belief for leaf in self._leaves if leaf.belief is not None]
        plain = len(self._leaves) == 1 and self._leaves[0].place == self._place
        own = type(operation).state_forwards is SeparateDatabaseAndState.state_forwards
        return beliefs[-1] if beliefs and (plain or own) else None

    def _leaf(self, operation: Any, place: Place) -> Any:
        """A copy of `operation` which, or whose inner operations, append to `_leaves` what they did."""
        wrapped = copy.copy(operation)
        self._inside(wrapped, place, self._leaf)
        assert place.operation is not None
        project_state = ".database." not in f"{place.operation}."
        state_forwards, database_forwards = wrapped.state_forwards, wrapped.database_forwards
        container = isinstance(operation, SeparateDatabaseAndState)

        def state_half(app_label: str, state: Any) -> None:
            self._place = place
            state_forwards(app_label, state)
            if not container and project_state:
                with _measuring():
                    self._leaves.append(_Leaf(place, operation, belief=self.believer.read(state)))

        def database_half(app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
            self._place = place
            self._code = isinstance(operation, RunPython)
            database_forwards(app_label, editor, from_state, to_state)
            self._place = place
            self._code = False
            with _measuring():
                self._after_leaf(place, operation, editor, container)

        wrapped.state_forwards = state_half
        wrapped.database_forwards = database_half
        return wrapped

    def _after_leaf(self, place: Place, operation: Any, editor: Any, container: bool) -> None:
        """The database half of `operation` has run."""
        self.catalog.changed()
        for sql in editor.deferred_sql:
            self._deferred.setdefault(id(sql), (sql, place))
        self._check_foreign_keys(place)
        if container:
            return
        leaf = self._leaves[-1] if self._leaves and self._leaves[-1].place == place else None
        if leaf is None:
            leaf = _Leaf(place, operation)
            self._leaves.append(leaf)
        leaf.tables = self._tables()
        leaf.rows = {name: self.catalog.count(name) for name in self._ever_links if name in leaf.tables}

    def _check_foreign_keys(self, place: Place) -> None:
        """SQLite checks once, when the migration ends: find out after which operation it would first have failed."""
        if self.connection.vendor != "sqlite":
            return
        try:
            self.connection.check_constraints()
        except IntegrityError as error:
            if self._dangling is None:
                self._dangling = _raised(error, place, "check")
        else:
            self._dangling = None

    def _tables(self) -> Mapping[str, Table]:
        """The tables, with the unique sets that Django creates when the migration ends."""
        tables = self.catalog.tables()
        pending: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
        for sql in self._editor.deferred_sql:
            parts = getattr(sql, "parts", {})
            if "UNIQUE" in getattr(sql, "template", "") and hasattr(parts.get("columns"), "columns"):
                found = str(parts["name"]).strip('"`'), tuple(parts["columns"].columns)
                pending.setdefault(parts["table"].table, set()).add(found)
        if not pending:
            return tables
        return {
            name: replace(table, uniques=table.uniques | pending[name]) if name in pending else table
            for name, table in tables.items()
        }

    def _now(self, belief: Belief) -> _Moment:
        tables = self._tables()
        views = {key: view(relation, self.catalog, tables) for key, relation in belief.relations.items()}
        self._ever_links |= belief.links
        return _Moment(belief, tables, views)

    def _record(self, operation: Any, place: Place, before: _Moment, after: _Moment) -> None:
        leaves = self._leaves or [_Leaf(place, operation, belief=after.belief, tables=after.tables)]
        renames = _Renames(dict(_moved(leaves, before.belief)), dict(_renamed(leaves)))
        self._follow_drift(place, leaves, before, after, renames)
        self.steps.append(
            Step(
                place=place,
                operation=type(operation).__name__,
                data=isinstance(operation, RunPython | RunSQL),
                before=tuple(sorted(before.views.items())),
                after=tuple(sorted(after.views.items())),
                moved=tuple(renames.fields.items()),
                renamed=tuple(renames.models.items()),
                changes=tuple(self._changes(leaves, before)),
                models=after.belief.models,
                tables=frozenset(after.tables),
            )
        )

    def _changes(self, leaves: list[_Leaf], before: _Moment) -> Iterator[Change]:
        tables, belief = before.tables, before.belief
        rows = {one.table: one.rows for one in before.views.values() if one.table is not None and one.rows is not None}
        for leaf in leaves:
            gone = new = fewer = frozenset[str]()
            views = frozenset[FieldKey]()
            if leaf.tables is not None:
                gone, new = frozenset(tables) - frozenset(leaf.tables), frozenset(leaf.tables) - frozenset(tables)
                fewer = frozenset(name for name, count in leaf.rows.items() if count < rows.get(name, 0))
                tables, rows = leaf.tables, {**rows, **leaf.rows}
            if leaf.belief is not None:
                old, now = belief.relations, leaf.belief.relations
                views = frozenset(
                    key
                    for key in old.keys() | now.keys()
                    if key not in old
                    or key not in now
                    or (old[key].table, old[key].columns) != (now[key].table, now[key].columns)
                )
                belief = leaf.belief
            yield Change(
                place=leaf.place,
                operation=type(leaf.operation).__name__,
                tables_gone=gone,
                tables_new=new,
                rows_gone=fewer,
                views_changed=views,
            )

    # Drift

    def _follow_drift(self, place: Place, leaves: list[_Leaf], before: _Moment, after: _Moment, step: _Renames) -> None:
        now = {(drift.kind, drift.table, drift.detail): drift for drift in self._drift(place, after)}
        ended = {key: self._open.pop(key) for key in list(self._open) if key not in now}
        for key, drift in now.items():
            # A table or column that was wrong and was renamed is wrong since before.
            renamed = next((old for old in ended if step.follows(ended[old], drift)), None)
            if key in self._open:
                began = self._open[key].began
            elif renamed is not None:
                began = ended.pop(renamed).began
            else:
                began = self._began(drift, leaves, before) or place
            self._open[key] = replace(drift, began=began)
        self.drifts.extend(replace(drift, ended=place) for drift in ended.values())

    def _drift(self, place: Place, moment: _Moment) -> Iterator[Drift]:
        believed, actual = moment.belief, moment.tables
        for name, wanted in believed.tables.items():
            table = actual.get(name)

            def drift(kind: Any, detail: str = "", wanted: Any = wanted) -> Drift:
                return Drift(
                    kind=kind, table=wanted.name, detail=detail, model=wanted.model, fields=wanted.fields, began=place
                )

            if table is None:
                yield drift("missing-table")
                continue
            for column in sorted(wanted.columns - table.columns.keys()):
                yield drift("missing-column", column)
            if not wanted.link:
                continue
            for real in table.columns.values():
                if real.name not in wanted.columns and not real.nullable and not real.has_default:
                    yield drift("column-undeclared", real.name)
            existing = {frozenset(columns): own for own, columns in sorted(table.uniques) if len(columns) > 1}
            declared = {frozenset(columns): own for columns, own in wanted.uniques.items() if len(columns) > 1}
            for columns in sorted(map(sorted, existing.keys() - declared.keys())):
                yield drift("unique-undeclared", ",".join(columns))
            for columns in sorted(map(sorted, declared.keys() - existing.keys())):
                yield drift("unique-missing", ",".join(columns))
            for both in sorted(map(sorted, declared.keys() & existing.keys())):
                own = declared[frozenset(both)]
                # A unique_together is removed by its columns, a constraint by its name.
                if own is not None and own not in {n for n, c in table.uniques if frozenset(c) == frozenset(both)}:
                    yield drift("unique-misnamed", ",".join(both))
            if wanted.primary_key is not None and self.connection.vendor != "sqlite":
                column, kind = wanted.primary_key
                key = table.columns.get(column)
                if key is not None and _plain_type(key.type) != _plain_type(kind):
                    yield drift("pk-type", f"{_plain_type(kind)}/{_plain_type(key.type)}")
        for name in sorted(self._ever_links & actual.keys() - believed.tables.keys()):
            # Tables of unmanaged and external models are in use without being wanted.
            if self.catalog.count(name) and not any(one.table == name for one in believed.relations.values()):
                yield Drift(kind="orphan-table", table=name, began=place)

    def _began(self, drift: Drift, leaves: list[_Leaf], before: _Moment) -> Place | None:
        """The innermost operation that made this drift, going through what each of them left."""
        belief, tables = before.belief, before.tables
        by_state = by_database = None
        for leaf in leaves:
            if leaf.belief is not None:
                if _wants(leaf.belief, drift) != _wants(belief, drift):
                    by_state = leaf.place
                belief = leaf.belief
            if leaf.tables is not None:
                if _has(leaf.tables, drift) != _has(tables, drift):
                    by_database = leaf.place
                tables = leaf.tables
        return by_state or by_database


def _wants(belief: Belief, drift: Drift) -> object:
    table = belief.tables.get(drift.table)
    if table is None or drift.kind in ("missing-table", "orphan-table"):
        return table is not None
    if drift.kind in ("missing-column", "column-undeclared"):
        return table.link, drift.detail in table.columns
    if drift.kind == "pk-type":
        return table.primary_key
    wanted = [name for columns, name in table.uniques.items() if sorted(columns) == drift.detail.split(",")]
    return table.link, wanted


def _has(tables: Mapping[str, Table], drift: Drift) -> object:
    table = tables.get(drift.table)
    if table is None or drift.kind in ("missing-table", "orphan-table"):
        return table is not None
    if drift.kind in ("missing-column", "column-undeclared"):
        return drift.detail in table.columns
    if drift.kind == "pk-type":
        return True
    return [name for name, columns in table.uniques if sorted(columns) == drift.detail.split(",")]


def _moved(leaves: list[_Leaf], belief: Belief) -> Iterator[tuple[FieldKey, FieldKey]]:
    """The fields that this step gave another key: those of `belief` through all renames in it."""
    now = {key: key for key in belief.relations}
    for leaf in leaves:
        operation = leaf.operation
        if leaf.belief is None:
            continue
        label = leaf.place.app_label
        for first, key in now.items():
            if key.app_label != label:
                continue
            if isinstance(operation, RenameField):
                if key.model == operation.model_name.lower() and key.name == operation.old_name:
                    now[first] = key._replace(name=operation.new_name)
            elif isinstance(operation, RenameModel) and key.model == operation.old_name.lower():
                now[first] = key._replace(model=operation.new_name.lower())
    return ((old, new) for old, new in now.items() if old != new)


def _renamed(leaves: list[_Leaf]) -> Iterator[tuple[str, str]]:
    for leaf in leaves:
        if leaf.belief is not None and isinstance(leaf.operation, RenameModel):
            label = leaf.place.app_label
            yield f"{label}.{leaf.operation.old_name.lower()}", f"{label}.{leaf.operation.new_name.lower()}"


def _plain_type(kind: str) -> str:
    kind = kind.lower().removesuffix(" unsigned").strip()
    kind = re.sub(r"^(big|small|)(?:serial|int(?:eger)?)(?:\(\d+\))?$", r"\1int", kind)
    return kind


def _raised(error: Exception, place: Place, phase: Phase) -> Raised:
    text = " ".join(str(error).split())
    text = _TEMPORARY.sub("#sql", _SCRATCH.sub("DATABASE", _ADDRESS.sub("", text)))
    return Raised(place=place, type=type(error).__name__, text=text, phase=phase)

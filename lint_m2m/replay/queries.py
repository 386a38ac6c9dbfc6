"""What rules may ask between two steps: both ledgers as they are at that moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lint_m2m.graph import Graph, Plan
from lint_m2m.migration import (
    UNKNOWN,
    Maybe,
    ModelKey,
    Project,
)
from lint_m2m.replay.data import DataReader
from lint_m2m.replay.database import Database, Gone
from lint_m2m.replay.facts import DataOperation, FieldKey, TableFact
from lint_m2m.replay.forwards import Forwards
from lint_m2m.replay.layout import Layout
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.names import Names
from lint_m2m.replay.rebuilding import RebuildingEditor
from lint_m2m.replay.state import StateLedger
from lint_m2m.replay.wording import Wording
from lint_m2m.values import frozen

_T = TypeVar("_T")


@frozen
class ReplaySettings:
    """What the replay must be told: the database's kind decides names and exceptions, the version some details."""

    vendor: str = "postgresql"  # postgresql, mysql, sqlite, oracle
    # False when nobody said which database it is, so that `vendor` is only the most usual one.
    vendor_known: bool = True
    django_version: tuple[int, int] = (6, 1)


class Queries:
    """The ledgers of one replay, and the questions about them. `lint_m2m.replay.walk.Replay` keeps them up to date."""

    def __init__(self, project: Project, graph: Graph, plan: Plan, settings: ReplaySettings) -> None:
        self.project = project
        self.graph = graph
        self.plan = plan
        self.settings = settings
        names = Names(settings.vendor)
        self._names = names
        self._layout = Layout(names, dict(project.swappable), project.default_auto_field)
        self._state = StateLedger(app.label for app in project.apps)
        self._database = Database(names)
        editor = RebuildingEditor(self._layout, Wording(settings.vendor), self._database, settings.django_version)
        self._forwards = Forwards(self._layout, editor, settings.django_version)
        self._data = DataReader(self._layout, settings.vendor, editor)
        self._position = 0
        self._shared: dict[Callable[[], Any], Any] = {}
        self._positions: dict[str, list[int]] = {}
        for position, key in enumerate(plan.order):
            self._positions.setdefault(key.app_label, []).append(position)
        for unread in project.unread:
            # Where in the plan it stands does not matter: what it may have made cannot be told apart from what is
            # certainly absent.
            self._state.doubt_app(unread.app_label, f"`{unread.path}` could not be read")

    def shared(self, kind: Callable[[], _T]) -> _T:
        """What several rules take note of in the same way: one of each kind, made for the first who asks."""
        if kind not in self._shared:
            self._shared[kind] = kind()
        found: _T = self._shared[kind]
        return found

    def positions(self, app_label: str) -> Sequence[int]:
        """The positions in the plan of an app's migrations, in order."""
        return self._positions.get(app_label, ())

    # -- what Django believes, now

    @property
    def state(self) -> StateView:
        return self._state

    def referrers(self, key: ModelKey) -> tuple[ModelKey, ...]:
        """Models that may have a relation to `key`, or had one before: to be checked in the state that matters."""
        return self._state.referrers(key)

    def linkers(self, key: ModelKey) -> tuple[ModelKey, ...]:
        """Those of them that may have, or had, a many-to-many field to `key` or through it."""
        return self._state.linkers(key)

    # -- what exists, now

    def table(self, name: str) -> Maybe[TableFact | None]:
        """The table of that name; ``None``: certainly absent; UNKNOWN: something unread may have made it."""
        table = self._database.get(name)
        if table is not None:
            return UNKNOWN if table.existence_doubt is not None else self._database.fact(table)
        if self._database.absence_doubt(name) is not None or self._database.doubt is not None:
            return UNKNOWN
        return None

    def table_uid(self, name: str) -> int | None:
        """The uid of `table`, where there is one for certain."""
        table = self._database.get(name)
        return None if table is None or table.existence_doubt is not None else table.uid

    def tables(self) -> tuple[TableFact, ...]:
        """All tables known to exist, in the order they were made."""
        database = self._database
        return tuple(database.fact(table) for table in database.tables() if table.existence_doubt is None)

    def link_tables(self) -> tuple[TableFact, ...]:
        """The tables of `tables()` that were made as automatic tables of many-to-many fields."""
        database = self._database
        return tuple(
            database.fact(table) for table in database.tables() if table.link and table.existence_doubt is None
        )

    def table_by_uid(self, uid: int) -> TableFact | None:
        """The table of that identity as it is now, whatever it is called; ``None`` when it is gone or in doubt."""
        table = self._database.by_uid(uid)
        return None if table is None or table.existence_doubt is not None else self._database.fact(table)

    def unread_database_reason(self, name: str) -> str | None:
        """Why the existence or shape of table `name` is not certain ("RunPython `f` executes SQL …"), else ``None``."""
        table = self._database.get(name)
        if table is not None:
            return table.existence_doubt or table.shape_doubt or self._database.doubt
        return self._database.absence_doubt(name) or self._database.doubt

    def gone(self, name: str) -> Gone | None:
        """Who last dropped or renamed a table of that name, while none has it; ``None`` when nobody did."""
        return None if self._database.get(name) is not None else self._database.gone.get(self._names.fold_table(name))

    def astray(self, key: FieldKey, name: str) -> str | None:
        """Why table `name`, which is absent, may be one with the links of a field that something unread has renamed:
        its reason, or ``None``."""
        ends = self._ends(key)
        for table in self._database.tables():
            if table.existence_doubt is None or self.same_name(table.name, name):
                continue
            targets = {column.references for column in table.columns.values()}
            if table.auto_of == key or (ends is not None and ends <= targets and (table.link or len(targets) > 2)):
                return table.existence_doubt
        return None

    def _ends(self, key: FieldKey) -> frozenset[str] | None:
        """The tables of the two models that a many-to-many field links, when both are known."""
        model = self._state.get(key.model_key)
        field = model.fields.get(key.name) if model else None
        relation = None if field is None else field.field.relation
        target = None if relation is None or relation.to is UNKNOWN else self._state.lookup(relation.to)
        if model is None or target is None or target is UNKNOWN:
            return None
        tables = (self.model_table(model), self.model_table(target))
        return frozenset(table for table in tables if table is not UNKNOWN) if UNKNOWN not in tables else None

    # -- where Django believes things are (names as `settings.vendor` limits and folds them)

    def model_table(self, model: ModelState, state: StateView | None = None) -> Maybe[str]:
        """The model's table; UNKNOWN when its options could not be read."""
        return self._layout.table(model, state or self._state)

    def link_table(self, model: ModelState, field: FieldState, state: StateView | None = None) -> Maybe[str | None]:
        """The table that holds the links of a many-to-many field, as `state` (default: now) believes; ``None`` when it
        has none (`through` unresolved)."""
        view = state or self._state
        relation = field.field.relation
        if not field.field.many_to_many:
            return None
        if relation is None or relation.through is UNKNOWN:
            return UNKNOWN
        if relation.through is None:
            return self._layout.link_name(model, field.name, relation, view)
        through = view.lookup(relation.through)
        if through is UNKNOWN or through is None:
            return through
        return self._layout.table(through, view)

    def link_columns(
        self, model: ModelState, field: FieldState, state: StateView | None = None
    ) -> Maybe[tuple[str, str]]:
        """(source, target) columns of the automatic table; for `through=`, those of its two foreign keys."""
        view = state or self._state
        automatic = self._layout.is_automatic(field.field)
        if not field.field.many_to_many or automatic is UNKNOWN:
            return UNKNOWN
        if not automatic:
            return self._layout.through_columns(model, field.field, view)
        link = self._layout.link_table(model, field.name, field.field, view)
        return UNKNOWN if link.target is UNKNOWN else (link.source, link.target)

    def column(self, name: str, field: FieldState) -> Maybe[str | None]:
        """The column that a field called `name` has; ``None`` when it has none."""
        return self._layout.column(name, field.field)

    def columns(self, model: ModelState, state: StateView | None = None) -> Maybe[tuple[tuple[str, str], ...]]:
        """(field name, column) of every column of the model's own table that the state wants, Django's own included;
        UNKNOWN when there may be others."""
        columns = self._layout.columns(model, state or self._state)
        if columns.uncertain is not None:
            return UNKNOWN
        return tuple((item.name, item.column) for item in columns.items)

    def unique_name(self, table: str, columns: Sequence[str]) -> str:
        """The name Django gives a unique set (``_uniq`` suffix and digest)."""
        return self._names.unique_name(table, columns)

    def same_name(self, one: str, other: str) -> bool:
        """Whether the database takes two names of tables for the same."""
        return self._names.fold_table(one) == self._names.fold_table(other)

    def runs(self, model: ModelState) -> Maybe[bool]:
        """Whether database operations on this model run: not for unmanaged, proxy and swapped-out models."""
        return self._layout.runs(model)

    # -- what may have moved rows

    def data_operations(self) -> tuple[DataOperation, ...]:
        """All seen so far (at the end: all), in order."""
        return tuple(self._data.operations)

    @property
    def data_count(self) -> int:
        """How many `data_operations` there are so far: those from that number on come later."""
        return len(self._data.operations)

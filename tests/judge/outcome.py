"""What real Django did with a project: frozen values, no Django import, so that they travel between processes.

Addresses are those of lint-m2m's findings: "3" is the fourth operation of a migration, "3.database.0" and "3.state.1"
are operations inside a SeparateDatabaseAndState (or inside ``RunSQL(state_operations=…)``), to any depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias


class JudgeError(Exception):
    """The judge itself could not do its work: a project that cannot be loaded, a worker that died, a time-out."""


class Place(NamedTuple):
    """Where something happened. `operation` is ``None`` for the migration as a whole (rendering the state for it)."""

    app_label: str
    migration: str
    operation: str | None

    def __str__(self) -> str:
        return f"{self.app_label}.{self.migration}" + ("" if self.operation is None else f"[{self.operation}]")

    @property
    def top(self) -> Place:
        """The operation in the migration's own list that this one is, or lies in."""
        return self if self.operation is None else self._replace(operation=self.operation.partition(".")[0])


class FieldKey(NamedTuple):
    """A field as findings spell it: app label, model name and field name, the model in lower case."""

    app_label: str
    model: str
    name: str

    def __str__(self) -> str:
        return f"{self.app_label}.{self.model}.{self.name}"


# When an exception came: from an operation itself; from the function of a RunPython; from SQL that an operation left
# for the end of its migration; from the check of foreign keys at the end of a migration; from rendering the state
# before a migration in a fresh process.
Phase: TypeAlias = Literal["operation", "code", "deferred", "check", "render"]

# (id of the object that has the field, id of the object it points to), as text: ids may be numbers, text or UUIDs.
Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The exception that ended the run: the class's name as Django raises it, and its text.

    Of the text, line breaks are blanks, memory addresses are cut, the scratch database's name is ``DATABASE``, and
    MySQL's temporary tables are ``#sql``. `place` is the operation to blame. `migrate` itself stops at the end of the
    migration when `phase` is "deferred" or "check"; the operations between are in `Outcome.steps` all the same.
    """

    place: Place
    type: str
    text: str
    phase: Phase = "operation"

    def __str__(self) -> str:
        return f"{self.type}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One relation field as the project state sees it, and what that shows of the database.

    `table` is the through model's table of a many-to-many field and the owner's table of a foreign key; ``None`` when
    `through=` is unresolved. `columns` are (source, target), ``None`` when the through model has no fitting foreign
    keys. `exists`: the table does. `rows`: counted with SQL, ``None`` without a table. `pairs`: the links, a foreign
    key's being (owner, target); ``None`` when they cannot be read, because the table or a column does not exist. The
    ids of a link from a model to itself are sorted: RenameField puts a foreign key of the through model last in the
    state, which turns such a relation round there, and nowhere else.
    """

    kind: Literal["many-to-many", "foreign key"]
    to: str  # "app.model", the model in lower case
    table: str | None
    through: str | None  # "app.model" of a custom through model; None for an automatic one and for foreign keys
    columns: tuple[str, str] | None
    managed: bool  # False when the owner is unmanaged, a proxy or swapped out: then Django runs nothing for it
    exists: bool
    rows: int | None
    pairs: frozenset[Pair] | None


DriftKind: TypeAlias = Literal[
    "missing-table",  # a managed model's table, or an automatic link table, that is not there
    "missing-column",  # of a table that is there
    "column-undeclared",  # of a link table, NOT NULL, without a default, unknown to the model: no INSERT works
    "orphan-table",  # a table that once was a many-to-many's, has rows, and belongs to no model
    "unique-undeclared",  # a link table's set of unique columns that the state does not know
    "unique-missing",  # one that the state declares and the table does not have
    "unique-misnamed",  # the table has the set, but not under the name by which the state's constraint would be removed
    "pk-type",  # PostgreSQL and MySQL only: SQLite has one integer type
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A place where what Django believes and what exists have parted.

    A drift is followed through renames: `table` and `detail` are what they were last. `detail` is the column; for
    unique sets the columns joined by commas; for pk-type "wanted/actual". `fields` are the many-to-many fields that
    view the table. `began` is the innermost operation that made the difference: the state operation when the state
    began to want it (or ceased to), the database operation when the database lost or got it. `ended` is where it was
    put right again, ``None`` at the end of the run.
    """

    kind: DriftKind
    table: str
    detail: str = ""
    model: str | None = None  # "app.model" that wants the table; None for orphans
    fields: tuple[FieldKey, ...] = ()
    began: Place
    ended: Place | None = None

    def __str__(self) -> str:
        what = f"{self.kind} {self.table}" + (f".{self.detail}" if self.detail else "")
        return f"{what} since {self.began}" + (f", right again at {self.ended}" if self.ended else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one operation inside a SeparateDatabaseAndState, or one plain operation, changed by itself.

    For a plain operation both halves are given. `tables_gone` and `tables_new` are of the database.
    """

    place: Place
    operation: str  # class name
    tables_gone: frozenset[str] = frozenset()
    tables_new: frozenset[str] = frozenset()
    rows_gone: frozenset[str] = frozenset()  # viewed tables that have fewer rows than before
    views_changed: frozenset[FieldKey] = frozenset()  # fields that look at another table or columns, or are new or gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation of a migration's own list, after it ran. What it does is in `changes`, one for each innermost one.

    `before` and `after` have the relation fields of the project's models, `before` having the rows seeded since the
    step before. `moved` maps fields' old keys to new ones (RenameField, RenameModel), `renamed` models' ("app.model").
    `data`: RunPython or RunSQL.
    """

    place: Place
    operation: str  # class name
    data: bool
    before: tuple[tuple[FieldKey, View], ...]
    after: tuple[tuple[FieldKey, View], ...]
    moved: tuple[tuple[FieldKey, FieldKey], ...]
    renamed: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    models: frozenset[str]  # "app.model" in the state afterwards
    tables: frozenset[str]  # in the database afterwards
    rolled_back: bool = False  # its migration failed later on, and the database can roll back


# How rows came to be invisible. "stranded": the field looks at another table, the rows are where they were; "gone":
# deleted, or dropped with their table; "unreadable": the field looks at a table or column that does not exist (and the
# rows, wherever they are, do not show); "recreated": RemoveField and AddField; "replaced": RemoveField and then
# RenameField of another one to that name; "retyped": a foreign key removed and a many-to-many to the same model added,
# or the reverse; "data": RunPython or RunSQL deleted them.
LossHow: TypeAlias = Literal["stranded", "gone", "unreadable", "recreated", "replaced", "retyped", "data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A field that lost its rows (see `loss.py` for the definition).

    `field` is its key after the operation at `place`, which is the innermost one to blame; for "recreated", "replaced"
    and "retyped" that is the operation which brought the field back, and `removed` the RemoveField. `healed` is the
    later operation after which all the lost rows were visible; `open_end` is true when there is none but the run ended
    before the time for it was over. `dropped` is where the table with the stranded rows was dropped; `ended` is where
    the field went for good within that time, so that somebody may have wanted the loss.
    """

    field: FieldKey
    how: LossHow
    place: Place
    removed: Place | None = None
    lost: int
    kept: int
    healed: Place | None = None
    open_end: bool = False
    dropped: Place | None = None
    ended: Place | None = None
    rolled_back: bool = False

    def __str__(self) -> str:
        text = f"{self.field} loses {self.lost} of {self.lost + self.kept} rows ({self.how}) at {self.place}"
        if self.removed is not None:
            text += f", removed at {self.removed}"
        if self.healed is not None:
            text += f", healed at {self.healed}"
        if self.dropped is not None:
            text += f", table dropped at {self.dropped}"
        if self.ended is not None:
            text += f", field removed at {self.ended}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that happened. `variant`: "one process" (as one `migrate` runs) or "fresh process" before each migration."""

    django: str
    vendor: str
    variant: Literal["one process", "fresh process"]
    plan: tuple[tuple[str, str], ...]  # of the project's own apps, in the order they ran
    steps: tuple[Step, ...]
    raised: Raised | None = None
    retried: Raised | None = None  # what a second `migrate` raises; only when asked for, and after a failure
    not_run: tuple[Place, ...] = ()
    losses: tuple[Loss, ...] = ()
    drifts: tuple[Drift, ...] = ()
    left_behind: frozenset[str] = frozenset()  # tables of the failed migration that exist after its roll-back
    unseeded: tuple[str, ...] = ()  # link tables that could not be given rows, and why

    @property
    def drift_at_end(self) -> tuple[Drift, ...]:
        """What is still wrong at the end, or was when the run failed (before its migration was rolled back)."""
        return tuple(drift for drift in self.drifts if drift.ended is None)

    @property
    def lasting_losses(self) -> tuple[Loss, ...]:
        """The losses that nothing heals, of fields that are still there some time later."""
        return tuple(loss for loss in self.losses if loss.healed is None and loss.ended is None)

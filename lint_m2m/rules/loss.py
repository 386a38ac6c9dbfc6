"""Could the links of one table have reached another? Shared by the rules that claim a loss.

A loss claim needs two things: the links were in a table that the field no longer reads, and nothing that ran could have
carried them over. The ledger knows the copies from table to table (`TableFact.rows_from`): code that reaches both and
writes something counts, because people copy in many ways. Beside those there are detours, over another model, a file or
a variable: code that reaches the old links, and later code that reaches the new ones and writes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal

from lint_m2m.finding import Certainty, Finding, Related
from lint_m2m.migration import UNKNOWN, Maybe, ModelKey, RenameField, RenameModel
from lint_m2m.readers.stores import WRITES
from lint_m2m.replay.facts import DataOperation, FieldKey, RowsCopied, TableDropped, TableFact
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.replay.step import Step
from lint_m2m.replay.walk import Replay
from lint_m2m.values import declare, frozen, replace, slotted

# A field that comes back within so many migrations of its app is the same field: people split such a change over two or
# three and one that comes back 100 migrations later is another field.
PAIR_WINDOW = 2
# Copies are looked for from so many migrations of the plan before the change on; public projects have them up to three
# migrations before.
COPY_WINDOW = 3

# What code that stores something calls, in tables or on a detour over a file or a variable. Code that only reads
# (checks, counts, prints) has carried nothing over.
_WRITES = WRITES | {"append", "dump", "dumps", "setattr", "write", "writerow"}


@frozen
class Verdict:
    """Whether the links may have been carried over, and if not, how sure that is and where it was looked."""

    copied: bool
    certainty: Certainty = Certainty.CERTAIN
    reason: str | None = None
    note: str = ""


@slotted()
class Pursuit:
    """Links that a field no longer sees: the table they were in, and the tables that the field looked at since.

    `field` is its name now; the change spans positions `first` to `last` of the plan. `missing`: the table that the
    field looks at now certainly does not exist. `outside`: the through models it looked at since whose tables nobody
    knows (taggit's, say, when taggit is not in the project); `aliases` are names it had before it took this one.
    """

    field: FieldKey
    source: TableFact
    first: int
    last: int
    targets: dict[int, str] = declare(default_factory=dict)  # uid: name
    outside: set[ModelKey] = declare(default_factory=set)
    aliases: frozenset[FieldKey] = frozenset()
    missing: bool = False

    @property
    def unreadable(self) -> bool:
        """The field never saw a table again: MTM301 says so, and MTM105."""
        return self.missing and not self.targets


class Pursuer:
    """Follows fields after a loss, and remembers whose rows were copied where. A rule shows it every step."""

    def __init__(self) -> None:
        self._pursuits: list[Pursuit] = []
        self._lineage: dict[int, frozenset[int]] = {}

    def follow(
        self,
        step: Step,
        field: FieldKey,
        source: TableFact,
        *,
        first: int | None = None,
        aliases: frozenset[FieldKey] = frozenset(),
    ) -> Pursuit:
        """Begin to follow `field`, whose links are or were in `source`; the change began at position `first`."""
        pursuit = Pursuit(
            field=field,
            source=source,
            first=step.position if first is None else first,
            last=step.position,
            aliases=aliases,
        )
        self._pursuits.append(pursuit)
        return pursuit

    def see(self, step: Step, replay: Replay) -> None:
        """Take note of `step`: to be called for every one, after what it begins to follow."""
        for effect in step.effects:
            if isinstance(effect, RowsCopied):
                known = self._lineage.get(effect.target.uid, frozenset())
                self._lineage[effect.target.uid] = known | effect.target.rows_from
        if not self._pursuits or not (step.on_state or step.on_database):
            return
        operation = step.operation
        for pursuit in self._pursuits:
            if step.on_state and isinstance(operation, RenameField | RenameModel):
                pursuit.field = renamed(pursuit.field, operation, step.app_label)
            if app_distance(replay, pursuit.field.app_label, pursuit.last, step.position) <= PAIR_WINDOW:
                table = seen_table(replay, pursuit.field)
                pursuit.missing = table is None
                if table is UNKNOWN:
                    pursuit.outside.update(_through_model(replay, pursuit.field))
                elif table is not None:
                    pursuit.targets[table.uid] = table.name

    def has_copy(self, pursuit: Pursuit) -> bool:
        """Whether a table that the field looked at since is the old one, or got rows from it."""
        source = pursuit.source.uid
        return any(uid == source or source in self._lineage.get(uid, ()) for uid in pursuit.targets)

    def copied_anywhere(self, source: TableFact) -> bool:
        """Whether any other table got rows from it."""
        return any(source.uid in sources for uid, sources in self._lineage.items() if uid != source.uid)


def renamed(field: FieldKey, operation: RenameField | RenameModel, app_label: str) -> FieldKey:
    """The field's key after an operation of `app_label` in the state."""
    if field.app_label != app_label:
        return field
    if isinstance(operation, RenameModel):
        same = field.model == operation.old_name.lower()
        return field._replace(model=operation.new_name.lower()) if same else field
    same = field.model == operation.model_name.lower() and field.name == operation.old_name
    return field._replace(name=operation.new_name) if same else field


def app_distance(replay: Replay, app_label: str, first: int, last: int) -> int:
    """How many migrations of the app lie between two positions of the plan: 0 within one migration."""
    positions = replay.positions(app_label)
    return bisect_right(positions, last) - bisect_right(positions, first) if first < last else 0


def writes(operation: DataOperation) -> bool:
    """Whether a data operation stores anything, as far as can be told."""
    return operation.unread is not None or bool(operation.names & _WRITES) or bool(operation.tables)


def judge(replay: Replay, pursuer: Pursuer, pursuit: Pursuit) -> Verdict:
    """Could the links have reached a table that the field looked at since?

    To be called at the end of the history, when all copies are known.
    """
    if pursuer.has_copy(pursuit):
        return Verdict(copied=True)
    return searched(replay, pursuit)


def searched(replay: Replay, pursuit: Pursuit) -> Verdict:
    """What a search for detours says, when there is no copy from table to table."""
    start = max(0, pursuit.first - COPY_WINDOW)
    near = [op for op in replay.data_operations() if start <= op.position <= pursuit.last + COPY_WINDOW]
    reader = _detour(near, pursuit)
    if reader is True or any(_copies_outside(operation, pursuit) for operation in near):
        return Verdict(copied=True)
    since = replay.plan.order[start]
    note = (
        f"searched for a copy in every RunPython and RunSQL from `{since}` on"
        if start
        else "searched for a copy in every RunPython and RunSQL of the history so far"
    )
    unread = next((op for op in near if op.unread is not None), None)
    if unread is not None:
        reason = f"{data_place(unread)} could not be read whole: {unread.unread}"
        return Verdict(copied=False, certainty=Certainty.LIKELY, reason=reason, note=note)
    if reader is not None and writes(reader):
        reason = f"{data_place(reader)} reads the links and may have stored them elsewhere"
        return Verdict(copied=False, certainty=Certainty.LIKELY, reason=reason, note=note)
    return Verdict(copied=False, note=note)


def _detour(near: Iterable[DataOperation], pursuit: Pursuit) -> DataOperation | Literal[True] | None:
    """True: one reaches the old links, a later one the new ones, none of them both; else the first that reaches the old
    ones, if any."""
    reader: DataOperation | None = None
    for operation in near:
        apart = operation.links - operation.paired
        if pursuit.source.uid in apart:
            reader = reader or operation
        if reader is not None and writes(operation) and any(uid in apart for uid in pursuit.targets):
            return True
    return reader


def _copies_outside(operation: DataOperation, pursuit: Pursuit) -> bool:
    """Whether it reaches the old links and the field's new through model, of which only the name is known."""
    return (
        bool(pursuit.outside)
        and pursuit.source.uid in operation.links
        and writes(operation)
        and not (pursuit.outside.isdisjoint(operation.models) and pursuit.aliases.isdisjoint(operation.fields))
    )


def data_place(operation: DataOperation) -> str:
    """How a data operation is called in messages."""
    return f"`{operation.origin.migration}` operation {operation.origin.address}"


def links_before(step: Step, model: ModelState, field: FieldState, replay: Replay) -> TableFact | None:
    """The table with the links of a many-to-many of `model` just before `step`, which may have dropped it."""
    if not field.field.many_to_many:
        return None
    key = model.field_key(field.name)
    dropped = next((e.table for e in step.effects if isinstance(e, TableDropped) and e.field in (key, None)), None)
    if dropped is not None:
        return dropped
    name = replay.link_table(model, field, step.before)
    table = None if name is UNKNOWN or name is None else replay.table(name)
    return None if table is UNKNOWN else table


def seen_table(replay: Replay, key: FieldKey) -> Maybe[TableFact | None]:
    """The table the field reads at this moment.

    ``None`` when it certainly does not exist; UNKNOWN also when there is no such field.
    """
    model = replay.state.get(key.model_key)
    field = model.fields.get(key.name) if model else None
    if model is None or field is None or not field.field.many_to_many:
        return UNKNOWN
    name = replay.link_table(model, field)
    return UNKNOWN if name is UNKNOWN or name is None else replay.table(name)


def _through_model(replay: Replay, key: FieldKey) -> tuple[ModelKey, ...]:
    """The model that `through=` of a field names, if it says."""
    model = replay.state.get(key.model_key)
    field = model.fields.get(key.name) if model else None
    relation = None if field is None else field.field.relation
    through = None if relation is None else relation.through
    return (through,) if isinstance(through, ModelKey) else ()


def final_table(replay: Replay, key: FieldKey) -> TableFact | None:
    """The table the field reads at this moment, if it is known and exists."""
    table = seen_table(replay, key)
    return None if table is UNKNOWN else table


def claim(finding: Finding, verdict: Verdict, related: tuple[Related, ...] = ()) -> Finding:
    """`finding` with what the verdict says of it: how sure, why, and where it was looked for a copy."""
    return replace(
        finding,
        certainty=verdict.certainty,
        reason=verdict.reason,
        related=finding.related + related,
        notes=finding.notes + ((verdict.note,) if verdict.note else ()),
    )

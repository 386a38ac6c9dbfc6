"""From findings to `Situation` values: a second replay that stops where findings are.

Findings are made while the first replay goes on, some only at its end; what a sequence needs is the state before and
after the guilty migration as a whole. So the plan is replayed once more, and only when a finding has a way out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from lint_m2m.finding import Finding
from lint_m2m.graph import Graph, Plan
from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    AlterField,
    AlterModelTable,
    ConditionalOperations,
    CreateModel,
    DeleteModel,
    FieldKind,
    Maybe,
    Migration,
    MigrationKey,
    ModelKey,
    ModelRef,
    Operation,
    Project,
    RemoveField,
    RenameField,
    RenameModel,
    RunSQL,
    SeparateDatabaseAndState,
)
from lint_m2m.readers.files import Files, text_of
from lint_m2m.replay.facts import FieldKey, TableFact
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.replay.state import StateLedger
from lint_m2m.replay.walk import Replay, ReplaySettings
from lint_m2m.sequences.database_side import database_side, without_holder
from lint_m2m.sequences.kinds import KINDS, has_way_out
from lint_m2m.sequences.late_copy import Drops, is_curable, late_copy
from lint_m2m.sequences.removed_before import Apart, apart
from lint_m2m.sequences.source import style_of
from lint_m2m.sequences.values import (
    Before,
    ChangeKind,
    DatabaseSide,
    LateCopy,
    Link,
    PlacedOperation,
    Situation,
    Style,
    Through,
)
from lint_m2m.values import frozen, replace

# Those of a field that was something else before.
_CHANGES: Final = frozenset({"MTM101", "MTM102", "MTM103", "MTM201", "MTM202"})
# Those whose sequences delete the old through model anew, after the change, wherever it was deleted.
_DELETING: Final = frozenset({"MTM102", "MTM201", "MTM202"})
# What makes a model another one for the code that reads its rows.
_CHANGING: Final = (AlterField, AlterModelTable, DeleteModel, RemoveField, RenameField)


@frozen
class Moment:
    """Both ledgers around one migration: what Django believes before and after it, and what exists before it."""

    migration: Migration
    before: StateView
    after: StateView
    tables: tuple[TableFact, ...]


def situations(
    project: Project,
    graph: Graph,
    plan: Plan,
    settings: ReplaySettings,
    findings: Iterable[Finding],
    files: Files,
) -> Iterator[Situation]:
    """The situation of each of `findings` that has a way out and whose migration is in `plan`, in the plan's order.

    `graph` has the migrations with all of their operations, and is asked for no more of them than it takes; those of
    `project` may be read briefly. `files` opens the project's sources. Without such a finding nothing is replayed.
    """
    placed = set(plan.order)
    wanted: dict[MigrationKey, list[Finding]] = {}
    for finding in findings:
        if has_way_out(finding):
            key = MigrationKey(finding.app_label or "", finding.migration or "")
            if key in placed:
                wanted.setdefault(key, []).append(finding)
    cases: dict[MigrationKey, list[_Case]] = {}
    for key in plan.order:
        migration = graph.nodes.get(key) if key in wanted else None
        if isinstance(migration, Migration) and migration.operations:
            cases[key] = [_case(project, graph, plan, finding, migration) for finding in wanted[key]]
    if not cases:
        return
    replay = Replay(project, graph, plan, settings)
    gatherer = Gatherer(project, graph, replay, files)
    drops = Drops() if any(is_curable(case.finding) for some in cases.values() for case in some) else None
    needed = {key for key, some in cases.items() if not all(_is_elsewhere(case) for case in some)}
    moments = _moments(replay, needed, drops)
    for key, some in cases.items():
        moment = next(moments, None) if key in needed else None
        together = tuple(wanted[key])
        for case in some:
            situation = None
            late = None if drops is None or moment is None else late_copy(replay, drops, case.finding)
            if moment is not None and late is not None:
                around = _before_drop(replay, moment, late)
                situation = None if around is None else gatherer.situation(around, case.finding, together, late=late)
            elif case.edited:
                situation = _situation_elsewhere(replay, case, together, files)
            elif moment is not None:
                refused = case.two if isinstance(case.two, str) else None
                situation = gatherer.situation(moment, case.finding, together, refused=refused)
            if situation is not None:
                yield situation


@frozen
class _Case:
    """A finding whose sequences are made from a history of their own, or from the one that there is.

    `edited` are the migrations that are others in that history, and `key` is the one to look at.
    """

    finding: Finding
    key: MigrationKey
    two: Apart | str | None
    side: DatabaseSide | None
    edited: Mapping[MigrationKey, Migration]


def _case(project: Project, graph: Graph, plan: Plan, finding: Finding, migration: Migration) -> _Case:
    two = apart(project, graph, plan, finding, migration)
    side = database_side(finding, migration)
    key, edited = migration.key, dict[MigrationKey, Migration]()
    if isinstance(two, Apart):
        key, edited = two.migration.key, dict(two.together())
    elif side is not None:
        edited = {key: without_holder(side, migration)}
    return _Case(finding=finding, key=key, two=two, side=side, edited=edited)


def _is_elsewhere(case: _Case) -> bool:
    """Whether nobody has to look at the history as it is."""
    return bool(case.edited) and not is_curable(case.finding)


def _situation_elsewhere(replay: Replay, case: _Case, together: tuple[Finding, ...], files: Files) -> Situation | None:
    """The situation of a case in its own history; `replay` is of the one that there is."""
    graph = replay.graph.with_edited(case.edited)
    again = Replay(replay.project, graph, replay.plan, replay.settings)
    around = next(_moments(again, {case.key}), None)
    if around is None:
        return None
    two = case.two if isinstance(case.two, Apart) else None
    return Gatherer(replay.project, graph, again, files).situation(around, case.finding, together, two, case.side)


def _before_drop(replay: Replay, moment: Moment, late: LateCopy) -> Moment | None:
    """The moment of a copy that comes too late: before the table is dropped, and after the guilty migration."""
    dropping = late.dropping.migration.key
    if dropping == moment.migration.key:
        return moment
    again = Replay(replay.project, replay.graph, replay.plan, replay.settings)
    first = next(_moments(again, {dropping}), None)
    return None if first is None else replace(moment, before=first.before, tables=first.tables)


def _moments(replay: Replay, wanted: Collection[MigrationKey], drops: Drops | None = None) -> Iterator[Moment]:
    """The moments around the migrations `wanted`, each as soon as its migration is replayed; no further than needed.

    `drops` are told of each step.
    """
    left = {key for key in replay.plan.order if key in wanted}
    # What believed and existed before a wanted migration is taken after the last operation of the one before it.
    taken: dict[MigrationKey, tuple[StateView, tuple[TableFact, ...]]] = {}
    following: dict[MigrationKey, list[MigrationKey]] = {}
    last: MigrationKey | None = None
    for key in _up_to(replay.plan, left):
        if key in wanted and last is None:
            taken[key] = _view(replay), ()
        elif key in wanted and last is not None:
            following.setdefault(last, []).append(key)
        node = replay.graph.nodes.get(key)
        if isinstance(node, Migration) and node.operations:
            last = key
    if not left:
        return
    for step in replay.steps():
        if drops is not None:
            drops.see(step)
        operations = step.migration.operations
        if step.operation is not operations[-1] or step.address != str(len(operations) - 1):
            continue
        key = step.migration.key
        if key in wanted:
            before, tables = taken.pop(key)
            yield Moment(migration=step.migration, before=before, after=_view(replay), tables=tables)
            left.remove(key)
            if not left:
                return
        for later in following.get(key, ()):
            taken[later] = _view(replay), replay.tables()


def _up_to(plan: Plan, keys: Collection[MigrationKey]) -> Sequence[MigrationKey]:
    """The order of a plan up to the last of `keys`."""
    last = max((number for number, key in enumerate(plan.order) if key in keys), default=-1)
    return plan.order[: last + 1]


def _view(replay: Replay) -> StateView:
    """What Django believes now, to keep."""
    state = replay.state
    assert isinstance(state, StateLedger)
    return state.fork()


class Gatherer:
    """Makes situations out of moments; also for `plan`, whose change is in no migration yet."""

    def __init__(self, project: Project, graph: Graph, replay: Replay, files: Files) -> None:
        self._project = project
        self._graph = graph
        self._replay = replay
        self._files = files
        self._apps = {app.label: app for app in project.apps}

    def situation(
        self,
        moment: Moment,
        finding: Finding,
        together: tuple[Finding, ...],
        two: Apart | None = None,
        side: DatabaseSide | None = None,
        late: LateCopy | None = None,
        refused: str | None = None,
    ) -> Situation | None:
        """The situation of one finding; ``None`` when its model or field is not known there.

        `two`: what `moment` has in one migration, and the project in two. `side`: what it has by itself, and the
        project in a SeparateDatabaseAndState. `late`: its copy, which comes too late. `refused`: why there can be no
        sequence.
        """
        migration = moment.migration
        label, _, rest = (finding.field or "").partition(".")
        model_name, _, name = rest.rpartition(".")
        key = FieldKey(label, model_name, name)
        owner = moment.after.get(key.model_key) or moment.before.get(key.model_key)
        if owner is None:
            return None
        earlier = moment.before.get(key.model_key)
        old = earlier.fields.get(name) if earlier else None
        new = owner.fields.get(name)
        operations = tuple(placed_operations(migration.operations))
        elsewhere = two or side
        address = finding.operation if elsewhere is None else elsewhere.address
        guilty = next((one for one in operations if one.address == address), None)
        code = _change(finding, old, new, guilty)
        if (
            late is None
            and code in _CHANGES
            and _changed_before(key, old, migration, guilty, deleting=code in _DELETING)
        ):
            refused = "the same migration changes the field, or a model that it goes through, before this operation"
        if finding.code == "MTM104" and guilty is not None:
            new = _with_through(new, guilty.operation, migration)
        return self.assemble(
            kind=ChangeKind.COPIED_LATE
            if late is not None
            else _kind(code, old, new, altered=_has_through(owner.fields.get(name)), on_database=side is not None),
            finding=finding,
            key=key,
            owner=owner,
            old=old,
            new=new,
            before=moment.before,
            after=moment.after,
            tables=moment.tables,
            migration=migration,
            guilty=guilty,
            operations=operations,
            findings=together,
            removed_before=None if two is None else two.removal,
            deleted_before=None if two is None else two.deletion,
            database_side=side,
            late_copy=late,
            refused=refused or _refused(finding, guilty),
        )

    def assemble(
        self,
        *,
        kind: ChangeKind,
        finding: Finding | None,
        key: FieldKey,
        owner: ModelState,
        old: FieldState | None,
        new: FieldState | None,
        before: StateView,
        after: StateView,
        tables: tuple[TableFact, ...],
        migration: Migration | None = None,
        guilty: PlacedOperation | None = None,
        operations: tuple[PlacedOperation, ...] = (),
        findings: tuple[Finding, ...] = (),
        removed_before: Before | None = None,
        deleted_before: Before | None = None,
        database_side: DatabaseSide | None = None,
        late_copy: LateCopy | None = None,
        refused: str | None = None,
    ) -> Situation:
        """A situation from the two states, with all that follows from them."""
        target_key = _target(new) or _target(old)
        target = None if target_key is None else after.get(target_key) or before.get(target_key)
        link = self._link(before, key, old, tables)
        through = None if new is None else self._through(before, after, owner, new, tables, migration, operations)
        involved = [owner.key, *([target_key] if target_key else [])]
        # A through model of either side may be there on both.
        involved += _models(link, through)
        believed = (*_snapshot(after, involved),)
        # What the models after it need may have been there before.
        known = (*_snapshot(before, [*involved, *(model.key for model in believed)]),)
        new_table, new_columns = self._automatic(after, owner, new)
        edited = [] if migration is None else [migration]
        edited += [] if late_copy is None else [late_copy.dropping.migration, late_copy.copy.migration]
        edited += [one.migration for one in (removed_before, deleted_before) if one is not None]
        sources = self._sources(edited, (*known, *believed))
        text = sources.get(migration.path) if migration is not None else None
        app = self._apps.get(key.app_label if migration is None else migration.app_label)
        label = key.app_label if migration is None else migration.app_label
        names = {model.name for model in believed}
        return Situation(
            kind=kind,
            finding=finding,
            key=key,
            owner=owner,
            old=old,
            new=new,
            target_key=target_key,
            target=target,
            link=link,
            through=through,
            migration=migration,
            guilty=guilty,
            removal=_removal(key, guilty, operations),
            removed_before=removed_before,
            deleted_before=deleted_before,
            database_side=database_side,
            late_copy=late_copy,
            refused=refused,
            taken=None
            if link is None or kind is not ChangeKind.STATE_TABLE_MISSING
            else self._replay.gone(link.table.name),
            kept=next((table for table in tables if table.auto_of == key), None),
            makers=self._makers(kind, new, migration),
            new_table=new_table,
            new_columns=new_columns,
            operations=operations,
            findings=findings,
            before=known,
            after=believed,
            tables=_tables_of(tables, known, link, through),
            table_names=frozenset(table.name for table in tables),
            sources=sources,
            style=Style() if text is None else style_of(text),
            app_path=None if app is None else app.path,
            leaf=next(iter(self._graph.leaves(label)), None),
            next_number=self._next_number(label),
            models_path=self._models_path(None if app is None else app.path, names),
            leaves={one: keys[-1] for one in self._apps if (keys := self._graph.leaves(one))},
            swappable=dict(self._project.swappable),
            default_auto_field=UNKNOWN if app is None else app.default_auto_field,
            vendor=self._replay.settings.vendor,
            vendor_known=self._replay.settings.vendor_known,
            django_version=self._replay.settings.django_version,
        )

    def _makers(
        self, kind: ChangeKind, new: FieldState | None, migration: Migration | None
    ) -> dict[ModelKey, MigrationKey]:
        """The migrations that create the models of an unresolved field, where depending on them makes no cycle."""
        relation = None if new is None else new.field.relation
        if kind is not ChangeKind.THROUGH_UNRESOLVED or relation is None or migration is None:
            return {}
        wanted = {ref for ref in (relation.through, relation.to) if isinstance(ref, ModelKey)}
        order = {key: number for number, key in enumerate(self._replay.plan.order)}
        found: dict[ModelKey, MigrationKey] = {}
        for one in sorted(self._project.migrations, key=lambda one: order.get(one.key, -1)):
            for placed in placed_operations(one.operations):
                operation = placed.operation
                key = ModelKey(one.app_label, model_of(operation) or "")
                if isinstance(operation, CreateModel) and key in wanted and one.key in order:
                    found.setdefault(key, one.key)
        later = self._graph.is_ancestor
        return {
            key: maker for key, maker in found.items() if maker != migration.key and not later(migration.key, maker)
        }

    # -- parts

    def _link(
        self, before: StateView, key: FieldKey, old: FieldState | None, tables: tuple[TableFact, ...]
    ) -> Link | None:
        """Where the links are before; ``None`` when that cannot be told."""
        model = before.get(key.model_key)
        if model is None or old is None or not old.field.many_to_many or old.uncertain is not None:
            return None
        name = self._replay.link_table(model, old, before)
        columns = self._replay.link_columns(model, old, before)
        if name is UNKNOWN or name is None or columns is UNKNOWN:
            return None
        fact = self._table(name, tables)
        if fact is None:
            return None
        through = None
        if old.field.relation is not None and old.field.relation.through is not None:
            through = self._through(before, before, model, old, tables, None, ())
        return Link(table=fact, columns=columns, key_type=_key_type(fact), through=through)

    def _automatic(
        self, after: StateView, owner: ModelState, new: FieldState | None
    ) -> tuple[str | None, tuple[str, str] | None]:
        """The automatic table that a field asks for and its columns; ``None`` where it asks for none."""
        relation = None if new is None else new.field.relation
        if new is None or relation is None or not new.field.many_to_many or relation.through is not None:
            return None, None
        table = self._replay.link_table(owner, new, after)
        columns = self._replay.link_columns(owner, new, after)
        return None if table is UNKNOWN else table, None if columns is UNKNOWN else columns

    def _through(
        self,
        before: StateView,
        after: StateView,
        owner: ModelState,
        field: FieldState,
        tables: tuple[TableFact, ...],
        migration: Migration | None,
        operations: tuple[PlacedOperation, ...],
    ) -> Through | None:
        """The through model of `field` in `after`; ``None`` without one, or where it is not known."""
        relation = field.field.relation
        model = after.lookup(relation.through) if relation is not None and relation.through is not None else None
        if model is None or model is UNKNOWN or relation is None:
            return None
        table = self._replay.model_table(model, after)
        if table is UNKNOWN:
            return None
        source, target = link_fields(model, owner.key, field)
        key = next((one for one in model.fields.values() if one.field.primary_key is True), None)
        earlier = before.get(model.key)
        fact = None
        if earlier is not None:
            name = self._replay.model_table(earlier, before)
            fact = None if name is UNKNOWN else self._table(name, tables)
        touching = tuple(
            one for one in operations if migration is not None and _is_about(one.operation, migration, model.key)
        )
        return Through(
            model=model,
            table=table,
            source=source,
            target=target,
            source_column=self._column(source),
            target_column=self._column(target),
            primary_key=key,
            extras=tuple(
                one
                for one in model.fields.values()
                if one.field.kind is not FieldKind.VIRTUAL and not any(one is own for own in (source, target, key))
            ),
            fact=fact,
            in_migration=any(isinstance(one.operation, CreateModel) for one in touching),
            touching=touching,
        )

    def _column(self, field: FieldState | None) -> str | None:
        if field is None:
            return None
        column = self._replay.column(field.name, field)
        return None if column is UNKNOWN else column

    def _table(self, name: str, tables: Iterable[TableFact]) -> TableFact | None:
        return next((table for table in tables if self._replay.same_name(table.name, name)), None)

    # -- files

    def _sources(self, edited: Iterable[Migration], models: Iterable[ModelState]) -> dict[str, str]:
        paths = [one.path for one in edited]
        for model in models:
            paths.append(model.origin.location.path)
            paths += [field.origin.location.path for field in model.fields.values()]
        texts: dict[str, str] = {}
        for path in dict.fromkeys(paths):
            source = self._files.source(path)
            if source is not None:
                texts[path] = text_of(source)
        return texts

    def _models_path(self, migrations: str | None, names: Iterable[str]) -> str | None:
        if migrations is None or "/" not in migrations:
            return None
        app = migrations.rpartition("/")[0]
        single = f"{app}/models.py"
        if self._files.source(single) is not None:
            return single
        for name in sorted(names):
            own = f"{app}/models/{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).lower()}.py"
            if self._files.source(own) is not None:
                return own
        package = f"{app}/models/__init__.py"
        return package if self._files.source(package) is not None else None

    def _next_number(self, app_label: str) -> int:
        """One more than the highest number that a file of the app has; a squash counts by its last number."""
        numbers = [0]
        for key in self._graph.nodes:
            if key.app_label == app_label:
                found = re.match(r"(\d+)(?:_squashed_(\d+))?", key.name)
                numbers += [int(one) for one in found.groups() if one] if found else []
        return max(numbers) + 1


def placed_operations(operations: Sequence[Operation], prefix: str = "") -> Iterator[PlacedOperation]:
    """All operations with their addresses, those that hold others before what they hold."""
    for index, operation in enumerate(operations):
        address = f"{prefix}{index}"
        yield PlacedOperation(address=address, operation=operation)
        match operation:
            case SeparateDatabaseAndState():
                yield from placed_operations(operation.database_operations, f"{address}.database.")
                yield from placed_operations(operation.state_operations, f"{address}.state.")
            case RunSQL():
                yield from placed_operations(operation.state_operations, f"{address}.state.")
            case ConditionalOperations():
                for number, branch in enumerate(operation.branches):
                    yield from placed_operations(branch, f"{address}.branch.{number}.")
            case _:
                pass


def link_fields(through: ModelState, owner: ModelKey, field: FieldState) -> tuple[FieldState | None, FieldState | None]:
    """The two foreign keys of `through` that Django takes for `field` (`ManyToManyField._get_m2m_attr`)."""
    relation = field.field.relation
    if relation is None:
        return None, None
    named = relation.through_fields
    if named is UNKNOWN:
        return None, None
    if named is not None and len(named) >= 2:
        return through.fields.get(named[0]), through.fields.get(named[1])
    keys = [one for one in through.fields.values() if one.field.kind is FieldKind.FOREIGN_KEY]
    sources = [one for one in keys if one.field.relation and one.field.relation.to == owner]
    if relation.to == owner:
        targets = sources[1:]
    else:
        targets = [one for one in keys if one.field.relation and one.field.relation.to == relation.to]
    return next(iter(sources), None), next(iter(targets), None)


def model_of(operation: Operation) -> str | None:
    """The name of the model that an operation is about, in lower case; ``None`` for those about no single one."""
    name = getattr(operation, "model_name", None) or getattr(operation, "name", None)
    old = getattr(operation, "old_name", None)
    if name is None and old is not None:
        name = old
    return name.lower() if isinstance(name, str) else None


def _is_about(operation: Operation, migration: Migration, key: ModelKey) -> bool:
    return migration.app_label == key.app_label and model_of(operation) == key.name


def _with_through(new: FieldState | None, operation: Operation, migration: Migration) -> FieldState | None:
    """The field as it has to be when a model is made on its automatic table: through that model."""
    relation = None if new is None else new.field.relation
    if new is None or relation is None or not new.field.many_to_many or not isinstance(operation, CreateModel):
        return new
    if relation.through is not None:
        return new
    through = ModelKey(migration.app_label, operation.name.lower())
    return replace(new, field=replace(new.field, relation=replace(relation, through=through)))


def _change(finding: Finding, old: FieldState | None, new: FieldState | None, guilty: PlacedOperation | None) -> str:
    """The code of the rule whose change it is.

    An AlterField that fails because the old through model was deleted before (MTM105) wants what MTM201 or MTM102 say.
    """
    if finding.code != "MTM105" or guilty is None or not isinstance(guilty.operation, AlterField):
        return finding.code
    was, now = (None if one is None or one.field.relation is None else one.field.relation.through for one in (old, new))
    if not isinstance(was, ModelKey) or was == now or now is UNKNOWN:
        return finding.code
    return "MTM102" if now is None else "MTM201"


def _kind(code: str, old: FieldState | None, new: FieldState | None, *, altered: bool, on_database: bool) -> ChangeKind:
    kind = KINDS[code]
    was = old is not None and old.field.many_to_many
    is_now = new is not None and new.field.many_to_many
    if kind is ChangeKind.TABLE_EXISTS and was and is_now and not _has_through(old) and altered:
        # `db_table` pinned to the automatic table and `through=` added in one migration: one change.
        return ChangeKind.ADD_THROUGH
    if kind is ChangeKind.THROUGH_UNRESOLVED and on_database and was and not _has_through(old):
        return ChangeKind.ADD_THROUGH  # what it is as soon as the model is there
    if kind in (ChangeKind.M2M_TO_FK, ChangeKind.FK_TO_M2M):
        return ChangeKind.FK_TO_M2M if is_now else ChangeKind.M2M_TO_FK
    return kind


def _has_through(field: FieldState | None) -> bool:
    return field is not None and field.field.relation is not None and field.field.relation.through is not None


def _target(field: FieldState | None) -> ModelKey | None:
    to: Maybe[ModelRef | None] = None if field is None or field.field.relation is None else field.field.relation.to
    return to if isinstance(to, ModelKey) else None


def _key_type(table: TableFact) -> str | None:
    if table.columns is UNKNOWN:
        return None
    return next((column.type_name for column in table.columns if column.primary_key), None)


def _refused(finding: Finding, guilty: PlacedOperation | None) -> str | None:
    """Why no sequence can be made of an operation that stands in another one."""
    if finding.code not in ("MTM101", "MTM102", "MTM103") or guilty is None or "." not in guilty.address:
        return None
    if ".branch." in guilty.address:
        return "it runs under a condition, and no sequence can tell when"
    if guilty.address.count(".") > 2:
        return "it stands in an operation that stands in another one itself"
    return (
        "its `database_operations` and its `state_operations` each have something that the other has not: "
        "write the operations by themselves, and there will be one"
    )


def _changed_before(
    key: FieldKey, old: FieldState | None, migration: Migration, guilty: PlacedOperation | None, *, deleting: bool
) -> bool:
    """Whether the migration changes the field, or the model it goes through, before its guilty operation.

    Then the state before the migration does not tell what that operation meets, and code for it would name what is no
    longer there. `deleting`: a DeleteModel of that model, in the migration's own list, does not count.
    """
    if guilty is None:
        return False
    relation = None if old is None else old.field.relation
    through = None if relation is None else relation.through
    for one in placed_operations(migration.operations):
        if one.address.partition(".")[0] == guilty.address.partition(".")[0]:
            return False
        operation = one.operation
        if deleting and isinstance(operation, DeleteModel) and "." not in one.address:
            continue
        if isinstance(operation, RenameModel):
            return True
        if isinstance(operation, AddField | AlterField) and (
            _is_about(operation, migration, key.model_key) and operation.name == key.name
        ):
            return True
        if isinstance(operation, _CHANGING) and (
            isinstance(through, ModelKey) and _is_about(operation, migration, through)
        ):
            return True
    return False


def _removal(
    key: FieldKey, guilty: PlacedOperation | None, operations: tuple[PlacedOperation, ...]
) -> PlacedOperation | None:
    """The RemoveField of the same field before the guilty operation."""
    if guilty is None or not isinstance(guilty.operation, AddField | AlterField):
        return None
    found = None
    for one in operations:
        if one.address == guilty.address:
            break
        if (
            isinstance(one.operation, RemoveField)
            and one.operation.model_name.lower() == key.model
            and one.operation.name == key.name
        ):
            found = one
    return found


def _models(link: Link | None, through: Through | None) -> list[ModelKey]:
    found = [through.model.key] if through is not None else []
    return found + ([link.through.model.key] if link is not None and link.through is not None else [])


def _snapshot(view: StateView, keys: Iterable[ModelKey]) -> Iterator[ModelState]:
    """The models `keys` of `view` and what they need through foreign keys and bases, each after what it needs.

    Models that need each other come in the order they are met; what is not in the project is left out.
    """
    done: set[ModelKey] = set()

    def visit(key: ModelKey) -> Iterator[ModelState]:
        if key in done:
            return
        done.add(key)
        model = view.get(key)
        if model is None:
            return
        bases = model.options.bases
        for ref in () if bases is UNKNOWN else bases:
            if isinstance(ref, ModelKey):
                yield from visit(ref)
        for field in model.fields.values():
            relation = field.field.relation
            if field.field.kind is FieldKind.FOREIGN_KEY and relation is not None and isinstance(relation.to, ModelKey):
                yield from visit(relation.to)
        yield model

    for key in keys:
        yield from visit(key)


def _tables_of(
    tables: tuple[TableFact, ...], models: Sequence[ModelState], link: Link | None, through: Through | None
) -> tuple[TableFact, ...]:
    keys = {model.key for model in models}
    uids = {fact.uid for fact in (link.table if link else None, through.fact if through else None) if fact is not None}
    return tuple(table for table in tables if table.model in keys or table.uid in uids)

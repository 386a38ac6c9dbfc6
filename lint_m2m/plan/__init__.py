"""Sequences for a change that nobody has made yet.

The change is written down as makemigrations would write it, in a migration that is only thought of, on top of the
project's current state; what `check` would propose for that migration is the plan. So a plan knows no other sequences
than a finding does, and none of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lint_m2m.config import Config, listed, read_options
from lint_m2m.discovery import Layout, MigrationFile, discover_projects
from lint_m2m.engine.judge import judge
from lint_m2m.engine.judging import replay_settings
from lint_m2m.errors import LintM2MError, NoMigrationsError, UsageError
from lint_m2m.finding import Sequence, SequenceStep
from lint_m2m.graph import Graph, build
from lint_m2m.migration import UNKNOWN, Maybe, Migration, MigrationKey, ModelKey, Project
from lint_m2m.plan.models import model_step, models_step
from lint_m2m.plan.names import Extra, find_field, find_through, parse_extras
from lint_m2m.plan.virtual import Change, virtual_migration, virtual_model
from lint_m2m.readers.files import Files, text_of
from lint_m2m.readers.static import ReadContext, read_migration, read_project
from lint_m2m.replay.facts import FieldKey
from lint_m2m.replay.walk import Replay, ReplaySettings
from lint_m2m.rules import CODES
from lint_m2m.sequences import fake, rewrite_history
from lint_m2m.sequences.edit import apply_changes
from lint_m2m.sequences.offers import is_refusal, offer
from lint_m2m.sequences.render import render
from lint_m2m.sequences.situations import situations
from lint_m2m.sequences.source import style_of
from lint_m2m.sequences.values import NewMigration, Proposal, ReplaceOperations, Situation, Style
from lint_m2m.values import frozen, replace

__all__ = ["NoPlan", "Plan", "Wanted", "Way", "plan"]


class NoPlan(LintM2MError):
    """No sequence fits the change, and why."""


@frozen
class Wanted:
    """What somebody asks for: the field as they wrote it, its through model (``None``: none any more), and further
    fields for one that is to be made."""

    field: str
    through: str | None
    extras: tuple[str, ...] = ()


@frozen
class Way:
    """One sequence of a plan: as a report shows it, and the new files by path."""

    sequence: Sequence
    files: tuple[tuple[str, str], ...]


@frozen
class Plan:
    """The sequences for a change, the recommended one first. Paths start at `root`."""

    root: Path
    field: str
    through: str | None
    ways: tuple[Way, ...]


class _Overlay(Files):
    """The project's files, and those that are only thought of."""

    def __init__(self, root: Path, texts: Mapping[str, str]) -> None:
        super().__init__(root)
        self._texts = texts

    def source(self, path: str) -> bytes | None:
        return self._texts[path].encode("utf-8") if path in self._texts else super().source(path)


def plan(root: Path, wanted: Wanted, config: Config) -> Plan:
    """The plan for a change of the project in `root`.

    UsageError for a field or model that is not there, for a change that is none, for several leaf migrations; NoPlan
    where no sequence fits; NoMigrationsError.
    """
    options = read_options(config, root)
    layouts = [one for one in discover_projects(root, options) if one.files]
    if not layouts:
        raise NoMigrationsError(f"there are no migrations in `{root}`")
    label = wanted.field.split(".")[0]
    fitting = [one for one in layouts if any(app.label == label for app in one.apps)] or layouts
    if len(fitting) > 1:
        places = listed(sorted({one.project or "." for one in fitting}))
        raise UsageError(f"there are several projects here, in {places}: give the folder of one")
    layout = fitting[0]
    project = read_project(layout, options)
    graph = build(project)
    settings = replay_settings(project, config)
    change = _change(project, graph, settings, layout, wanted)
    context = ReadContext(layout, options)
    texts: dict[str, str] = {}
    made: Migration | None = None
    if change.made_path is not None:
        made = _made_elsewhere(change, layout, project, graph, context, texts)
        change = replace(change, depends=made.key)
    migration, field_code = _thought_of(change, layout, project, graph, context, texts)
    everything = replace(project, migrations=(*project.migrations, *([made] if made else []), migration))
    situation = _situation(everything, settings, migration, change, _Overlay(layout.root, texts))
    if situation is None:
        raise NoPlan(
            f"`{change.label}` can be changed as makemigrations writes it: no sequence is needed, or none fits"
        )
    offered = offer(replace(situation, finding=None, findings=()))
    for proposal in offered.proposals:
        if is_refusal(proposal):
            raise NoPlan("; ".join((proposal.title, proposal.why, *(one.title for one in proposal.changes))))
    before = [] if made is None else _model_first(layout.root, change, made.path, texts[made.path])
    ways = [
        _way(proposal, situation, change, field_code, before)
        for proposal in offered.proposals
        if proposal.id != fake.ID and (proposal.id == rewrite_history.ID or _only_adds(proposal, migration.key))
    ]
    if not ways:
        what = "drops its through model" if wanted.through is None else f"takes `{wanted.through}` as its through model"
        raise NoPlan("; ".join((f"no sequence fits where `{change.label}` {what}", *offered.notes)))
    return Plan(root=layout.root, field=change.label, through=change.through_label, ways=tuple(ways))


def _change(project: Project, graph: Graph, settings: ReplaySettings, layout: Layout, wanted: Wanted) -> Change:
    """The change against the state after the last migration."""
    if not graph.plans:
        raise UsageError("the migrations have no order: `lint-m2m check` says why")
    replay = Replay(project, graph, graph.plans[0], settings)
    for _ in replay.steps():
        pass
    state = replay.state
    owner, old = find_field(wanted.field, state)
    label = owner.key.app_label
    leaves = graph.leaves(label)
    if len(leaves) > 1:
        raise _several(label, leaves)
    relation = old.field.relation
    assert relation is not None
    columns = replay.link_columns(owner, old)
    now = state.lookup(relation.through) if relation.through is not None else None
    app = next(one for one in layout.apps if one.label == label)
    change = Change(
        owner=owner,
        old=old,
        app_path=app.path,
        leaf=next(iter(leaves), None),
        key_class=_key_class(app.default_auto_field),
    )
    if wanted.through is None:
        if wanted.extras:
            raise UsageError("`--extra` goes with `--through`")
        if relation.through is None:
            raise UsageError(f"`{owner.name}.{old.name}` has no through model")
        if now is UNKNOWN or now is None:
            raise UsageError(f"the through model of `{owner.name}.{old.name}` is not in the project")
        return replace(change, removed=now)
    apps = {one.label: one for one in layout.apps}
    name, key, model = find_through(wanted.through, owner.key, state, apps)
    if relation.through == key:
        raise UsageError(f'`{owner.name}.{old.name}` has `through="{key.app_label}.{name}"` already')
    if model is not None:
        if wanted.extras:
            raise UsageError(f"`--extra` is for a through model that is to be made; `{wanted.through}` is there")
        leaf = next(iter(graph.leaves(key.app_label)), None)
        return replace(change, through=key, through_name=name, depends=leaf if key.app_label != label else None)
    keys = _key_names(columns)
    extras: tuple[Extra, ...] = parse_extras(wanted.extras, ("id", *keys))
    target = relation.to
    if not isinstance(target, ModelKey):
        raise UsageError(f"nobody knows which model `{owner.name}.{old.name}` points at")
    named = state.get(target)
    target_leaf = next(iter(graph.leaves(target.app_label)), None) if target.app_label != label else None
    if key.app_label != label:
        app = apps[key.app_label]
        leaves = graph.leaves(key.app_label)
        if len(leaves) > 1:
            raise _several(key.app_label, leaves)
        change = replace(
            change,
            made_path=app.path,
            made_after=next(iter(leaves), None),
            key_class=_key_class(app.default_auto_field),
        )
    return replace(
        change,
        through=key,
        through_name=name,
        made=True,
        keys=keys,
        target=target,
        target_name=target.name if named is None else named.name,
        extras=extras,
        swappable=dict(project.swappable),
        depends=target_leaf,
    )


def _several(label: str, leaves: Iterable[MigrationKey]) -> UsageError:
    names = listed(key.name for key in leaves)
    return UsageError(f"`{label}` has several leaf migrations, {names}: merge them first (`makemigrations --merge`)")


def _key_class(default: Maybe[str]) -> str:
    return "BigAutoField" if default is UNKNOWN else default.rpartition(".")[2]


def _key_names(columns: object) -> tuple[str, str]:
    """The foreign keys of a new through model: named so that their columns are those that the table has."""
    if not isinstance(columns, tuple):
        raise UsageError("the columns of the table with the links are not known")
    one, other = (str(column).removesuffix("_id") for column in columns)
    return one, other


def _thought_of(
    change: Change, layout: Layout, project: Project, graph: Graph, context: ReadContext, texts: dict[str, str]
) -> tuple[Migration, str]:
    """The migration that makemigrations would write, and the field as it is then; its text goes to `texts`."""
    files = Files(layout.root)
    name = _next_name(graph, change.app_label, change.slug)
    path = f"{change.app_path}/{name}.py"
    texts[path], field_code = virtual_migration(change, name, path, _style(project, change.leaf, files), files)
    return _read_back(change, MigrationKey(change.app_label, name), path, layout, context, texts), field_code


def _made_elsewhere(
    change: Change, layout: Layout, project: Project, graph: Graph, context: ReadContext, texts: dict[str, str]
) -> Migration:
    """The migration that makes the through model in another app; its text goes to `texts`."""
    assert change.through is not None
    files = Files(layout.root)
    name = _next_name(graph, change.through.app_label, change.through.name)
    path = f"{change.made_path}/{name}.py"
    texts[path] = virtual_model(change, name, path, _style(project, change.made_after, files), files)
    return _read_back(change, MigrationKey(change.through.app_label, name), path, layout, context, texts)


def _next_name(graph: Graph, label: str, slug: str) -> str:
    numbers = [int(found) for key in graph.nodes if key.app_label == label and (found := _number(key.name))]
    return f"{max(numbers, default=0) + 1:04d}_{slug}"[:100]


def _style(project: Project, leaf: MigrationKey | None, files: Files) -> Style:
    """As the app's last migration is written."""
    path = next((one.path for one in project.migrations if one.key == leaf), None)
    source = None if path is None else files.source(path)
    return Style() if source is None else style_of(text_of(source))


def _read_back(
    change: Change, key: MigrationKey, path: str, layout: Layout, context: ReadContext, texts: Mapping[str, str]
) -> Migration:
    file = MigrationFile(app_label=key.app_label, name=key.name, path=path, place=str(layout.root / path))
    migration = read_migration(file, texts[path].encode("utf-8"), context)
    if not isinstance(migration, Migration):
        raise NoPlan(f"the change of `{change.label}` cannot be written down")
    return migration


def _number(name: str) -> str:
    """The number that a migration's name begins with; of a squash the last one."""
    head, _, rest = name.partition("_squashed_")
    digits = (rest or head).partition("_")[0]
    return digits if digits.isdecimal() else head.partition("_")[0] if head.partition("_")[0].isdecimal() else ""


def _situation(
    project: Project, settings: ReplaySettings, migration: Migration, change: Change, files: Files
) -> Situation | None:
    graph = build(project)
    found = judge(project, graph, settings, CODES).found
    key = str(FieldKey(change.app_label, change.owner.key.name, change.old.name))
    findings = [
        finding
        for same in found.values()
        for finding in same
        if finding.app_label == migration.app_label and finding.migration == migration.name and finding.field == key
    ]
    for plan_ in graph.plans:
        for situation in situations(project, graph, plan_, settings, findings, files):
            return situation
    return None


def _only_adds(proposal: Proposal, own: MigrationKey) -> bool:
    """Whether it edits no migration but the one that is only thought of."""
    return all(one.migration == own for one in proposal.changes if isinstance(one, ReplaceOperations))


def _model_first(root: Path, change: Change, path: str, text: str) -> list[SequenceStep]:
    """The migration that makes the through model in another app, and its class."""
    step = SequenceStep(title="make the through model", path=path, language="python", code=text.rstrip("\n"))
    return [step, model_step(root, change)]


def _way(proposal: Proposal, situation: Situation, change: Change, field_code: str, before: list[SequenceStep]) -> Way:
    """`before`: the steps that make the through model in another app, the migration first."""
    migration = situation.migration
    assert migration is not None
    texts = apply_changes(situation.sources, proposal)
    if migration.path not in texts:
        # It stays as makemigrations writes it; the sequence comes after it.
        texts = {migration.path: situation.sources[migration.path], **texts}
    shown = render(proposal, situation)
    steps: list[SequenceStep] = []
    for one, step in zip(proposal.changes, shown.steps, strict=True):
        if isinstance(one, ReplaceOperations) and one.migration == migration.key:
            if proposal.id == rewrite_history.ID and not any(part.operations for part in one.replacements):
                del texts[one.path]  # the older migration does it all
                continue
            step = replace(step, title="add a migration", code=texts[one.path].rstrip("\n").replace("\r\n", "\n"))
        steps.append(step)
    if not any(isinstance(one, ReplaceOperations) for one in proposal.changes):
        steps.insert(
            0,
            SequenceStep(
                title="add a migration", path=migration.path, language="python", code=texts[migration.path].rstrip("\n")
            ),
        )
    made = {one.path: f"{one.code}\n" for one in before[:1] if one.path is not None}
    texts = {**texts, **made}
    # What is edited is there already: it is shown, and nobody writes it.
    own = {
        migration.path,
        *made,
        *(one.path for one in proposal.changes if isinstance(one, NewMigration)),
    }
    files = tuple(sorted((path, text) for path, text in texts.items() if path in own))
    own_steps = models_step(tuple(steps), proposal, situation, change, field_code)
    sequence = replace(shown, steps=(*before, *own_steps))
    return Way(sequence=sequence, files=files)

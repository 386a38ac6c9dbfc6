"""The safe form of what the autodetector has found: the mended texts, and what is said about them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import django
from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from lint_m2m import config as configuration
from lint_m2m import engine, rewrite
from lint_m2m.config import Config, listed
from lint_m2m.config.options import DJANGO_VERSIONS
from lint_m2m.engine import Outcome
from lint_m2m.engine.live import LiveReader
from lint_m2m.engine.ways_out import WayOut
from lint_m2m.errors import LintM2MError
from lint_m2m.finding import REFUSED, Applicability, Finding, Severity
from lint_m2m.prevention.changes import Changes, ThroughChange, in_order
from lint_m2m.prevention.deleted import deleted_whole
from lint_m2m.prevention.texts import header, loaded, with_comment, written
from lint_m2m.readers.live.loading import LoadedMigration, load
from lint_m2m.readers.live.pending import Pending, with_pending
from lint_m2m.readers.live.project import facts
from lint_m2m.rewrite import Fix
from lint_m2m.rules import NAMES
from lint_m2m.sequences import fake
from lint_m2m.sequences.offers import is_refusal, propose
from lint_m2m.sequences.values import NewMigration, Proposal, ReplaceOperations
from lint_m2m.values import declare, frozen, replace, slotted

# Of several sequences for a change, the recommended one first, the one to write; a text says why none is.
Choose: TypeAlias = Callable[[ThroughChange, Sequence[Proposal]], Proposal | str]
_COMMENT_WIDTH: Final = 100


@frozen
class Left:
    """A change that is written as Django writes it, why, and what the checker says of that."""

    change: ThroughChange
    reason: str
    finding: Finding | None = None


@frozen
class Mended:
    """What is to be written. `texts` has the text of each migration in `changes` that is not Django's own, by identity.

    `fixes` are the sequences written, `root` where the paths in them start; `others` are findings in the new migrations
    that are about something else.
    """

    changes: Changes
    texts: Mapping[int, str] = declare(default_factory=dict)
    fixes: tuple[tuple[ThroughChange, Fix], ...] = ()
    root: Path = Path()
    left: tuple[Left, ...] = ()
    others: tuple[Finding, ...] = ()


class Refused(Exception):
    """Nothing can be mended, and why."""


def mend(
    changes: Changes,
    through: Sequence[ThroughChange],
    state: ProjectState,
    choose: Choose,
    *,
    include_header: bool = True,
    replaced: Mapping[str, str] | None = None,
) -> Mended:
    """The safe form of `changes`, which holds the changes `through`; `state` is what they start from.

    `replaced` are the files that the new ones take the place of, by app label (``--update``).
    """
    gone = [*(replaced or {}).values()]
    try:
        lighter = deleted_whole(changes, through, state)
        mended = _mended(lighter, through, state, choose, include_header, gone)
        if lighter is changes or not mended.left:
            return mended
        # What stays as Django writes it stays so in all its operations.
        lighter = deleted_whole(changes, [change for change, _ in mended.fixes], state)
        again = _mended(lighter, through, state, choose, include_header, gone)
        reasons = {one.change: one.reason for one in mended.left}
        return replace(
            again, left=tuple(replace(one, reason=reasons.get(one.change, one.reason)) for one in again.left)
        )
    except (Refused, LintM2MError) as error:
        reason = str(error)
    except Exception as error:
        # Whatever is wrong here, Django's own command goes on working.
        reason = f"there was an internal error, please report it: {type(error).__name__}: {error}"
    return Mended(changes=changes, left=tuple(Left(change=one, reason=reason) for one in through))


def _mended(
    changes: Changes,
    through: Sequence[ThroughChange],
    state: ProjectState,
    choose: Choose,
    include_header: bool,
    replaced: Sequence[str],
) -> Mended:
    try:
        plain = written(changes, include_header)
    except ValueError as error:
        # Django raises it once more, when it writes.
        raise Refused(str(error)) from error
    overlay = {path: text.encode() for path, (_, text) in plain.items()}
    reader = _reader(plain, replaced)
    places = sorted({_existing(path) for path in overlay})
    outcome = engine.run(places, _configure, overlay=overlay, reader=reader)
    root = outcome.report.root
    mending = _Mending(root, {one.key: one for one in through}, overlay, choose)
    while True:
        rewriting = rewrite.plan(mending.asked_for(outcome), _configure, mending.chosen, overlay=overlay)
        mending.declined |= {
            one.finding.field: one.reason for one in rewriting.declined if one.finding.field is not None
        }
        if not rewriting.fixes:
            break
        mending.fixes += [(mending.through[one.finding.field or ""], one) for one in rewriting.fixes]
        # Each project that is mended has the others' files as they were.
        overlay |= {one.file: one.after for one in rewriting.changes if overlay.get(one.file) != one.after}
        outcome = engine.run(places, _configure, overlay=overlay, reader=reader)
    texts = mending.commented(plain, include_header)
    result, by_identity = _as_migrations(changes, plain, texts)
    _require_states(result, state)
    remaining = [one for one in outcome.report.findings if root / one.path in overlay]
    return Mended(
        changes=result,
        texts=by_identity,
        fixes=tuple(mending.fixes),
        root=root,
        left=tuple(mending.left(remaining)),
        others=_wanted(mending.others(remaining), root),
    )


@slotted()
class _Mending:
    """What is known while one sequence after the other is laid over the project."""

    root: Path
    through: Mapping[str, ThroughChange]  # by `ThroughChange.key`
    overlay: Mapping[Path, bytes]  # the files that are not on disk yet; it grows with each sequence
    choose: Choose
    fixes: list[tuple[ThroughChange, Fix]] = declare(default_factory=list)
    declined: dict[str, str] = declare(default_factory=dict)

    def is_about(self, finding: Finding) -> bool:
        return finding.field in self.through

    def asked_for(self, outcome: Outcome) -> Outcome:
        """`outcome` with what is found about the changes in the new files, and nothing else."""
        report = outcome.report
        wanted = tuple(one for one in report.findings if self.root / one.path in self.overlay and self.is_about(one))
        return replace(outcome, report=replace(report, findings=wanted), ways_out=_of(outcome, wanted))

    def chosen(self, way: WayOut) -> Proposal | str:
        finding = way.situation.finding
        change = None if finding is None or finding.field is None else self.through.get(finding.field)
        if change is None:
            return "it is about something else"
        # No database can have run what is not written yet; what comes after it is not written either.
        fresh = replace(way.situation, finding=None, findings=(), unwritten=True)
        fitting = [one for one in propose(fresh) if self._may_write(one, way.root)]
        if not fitting:
            refusal = next((one for one in way.proposals if is_refusal(one)), None)
            if refusal is not None:
                return "; ".join((refusal.title.removeprefix(REFUSED), *(one.title for one in refusal.changes)))
            shown = listed(one.id for one in way.proposals if one.id != fake.ID)
            return f"of its sequences, {shown}, none can be written without you: `lint-m2m check` shows them"
        return self.choose(change, fitting)

    def _may_write(self, proposal: Proposal, root: Path) -> bool:
        """Whether a tool may apply it, and it touches no migration that is there already."""
        edits = [one for one in proposal.changes if isinstance(one, ReplaceOperations | NewMigration)]
        return (
            bool(edits)
            and proposal.applicability is not Applicability.DISPLAY
            and all(root / one.path in self.overlay for one in edits if isinstance(one, ReplaceOperations))
        )

    def left(self, remaining: Sequence[Finding]) -> Iterator[Left]:
        """The changes that are written as Django writes them, and are no good so."""
        mended = self._mended()
        for change in self.through.values():
            if change.key in mended:
                continue
            findings = [one for one in remaining if one.field == change.key and one.severity is not Severity.INFO]
            if findings:
                worst = max(findings, key=lambda one: one.severity.rank)
                reason = self.declined.get(change.key, "there is no sequence for it")
                yield Left(change=change, reason=reason, finding=worst)
            elif not change.idle:
                yield Left(change=change, reason="what the field was could not be read")

    def others(self, remaining: Sequence[Finding]) -> Iterator[Finding]:
        """What else is found in the new files."""
        mended = self._mended()
        for finding in remaining:
            if finding.severity is not Severity.INFO and (not self.is_about(finding) or finding.field in mended):
                yield finding

    def _mended(self) -> set[str]:
        return {change.key for change, _ in self.fixes}

    def commented(self, plain: Collection[Path], include_header: bool) -> dict[Path, str]:
        """The texts, with what was done on top of those that are mended."""
        texts = {path: source.decode() for path, source in self.overlay.items()}
        for path in texts:
            lines = [line for change, fix in self.fixes for line in self._comment(change, fix, path, include_header)]
            if not lines:
                continue
            if path not in plain and include_header:
                texts[path] = header() + texts[path]
            texts[path] = with_comment(texts[path], lines)
        return texts

    def _comment(self, change: ThroughChange, fix: Fix, path: Path, include_header: bool) -> Iterator[str]:
        shown = next((one for one in fix.paths if self.root / one == path), None)
        if shown is None:
            return
        review = fix.applicability is Applicability.REVIEW
        if include_header or review:
            yield from _wrapped(f"{change}: {fix.sequence}, {fix.title} (lint-m2m)")
        if shown in fix.later:
            yield from _wrapped("Deploy what comes before this migration first.")
        if review:
            for caveat in ("Look at this migration before it runs.", *fix.caveats):
                yield from _wrapped(f"REVIEW: {caveat}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _COMMENT_WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _of(outcome: Outcome, findings: Sequence[Finding]) -> tuple[WayOut, ...]:
    known = {one.fingerprint for one in findings}
    return tuple(way for way in outcome.ways_out if way.fingerprint in known)


def _reader(plain: Mapping[Path, tuple[Migration, str]], replaced: Sequence[str]) -> LiveReader:
    """The project as Django has it, with the new migrations and without those that they take the place of."""
    loaded = load()
    gone = {Path(one).absolute() for one in replaced}
    new = tuple(
        LoadedMigration(
            app_label=migration.app_label, name=migration.name, file=path, source=text.encode(), migration=migration
        )
        for path, (migration, text) in plain.items()
    )
    known = replace(loaded, migrations=tuple(one for one in loaded.migrations if one.file not in gone))
    return LiveReader(with_pending(known, Pending(migrations=new)), facts(), all_apps=True, gone=gone)


def _configure(root: Path) -> Config:
    config = configuration.load(root)
    oldest, newest = DJANGO_VERSIONS
    running = min(max(django.VERSION[:2], oldest), newest)
    # What the user does not want to hear of may lose links all the same.
    return replace(
        config, django_version=config.django_version or running, select=("MTM",), ignore=(), per_file_ignores=()
    )


def _wanted(findings: Iterable[Finding], root: Path) -> tuple[Finding, ...]:
    """Those that the user wants to hear of."""
    found = tuple(findings)
    if not found:
        return ()
    selection = configuration.select(configuration.load(root), NAMES, root)
    return tuple(one for one in found if selection.applies(one.code, one.path))


def _existing(path: Path) -> Path:
    """The nearest folder above a file that is there already."""
    return next(folder for folder in path.parents if folder.is_dir())


def _as_migrations(
    changes: Changes, plain: Mapping[Path, tuple[Migration, str]], texts: Mapping[Path, str]
) -> tuple[Changes, dict[int, str]]:
    """What is to be written: Django's own migration where its text has stayed, else what is in the new text."""
    result: Changes = {}
    by_identity: dict[int, str] = {}

    def add(app_label: str, name: str, text: str) -> None:
        try:
            migration = loaded(app_label, name, text)
        except Exception as error:
            raise Refused(f"`{name}` would not load: {type(error).__name__}: {error}") from error
        result.setdefault(app_label, []).append(migration)
        by_identity[id(migration)] = text

    for path, (migration, text) in plain.items():
        if texts[path] == text:
            result.setdefault(migration.app_label, []).append(migration)
        else:
            add(migration.app_label, migration.name, texts[path])
    folders = {path.parent: migration.app_label for path, (migration, _) in plain.items()}
    for path, text in texts.items():
        if path not in plain:
            add(folders.get(path.parent) or _app_of(path.parent), path.stem, text)
    return {label: result[label] for label in (*changes, *result) if label in result}, by_identity


def _app_of(folder: Path) -> str:
    """The app whose migrations are in `folder`."""
    for label in (one.label for one in apps.get_app_configs()):
        if MigrationLoader.migrations_module(label)[0] is not None and _folder_of(label) == folder:
            return str(label)
    raise Refused(f"`{folder}` holds the migrations of no installed app")


def _folder_of(label: str) -> Path:
    return Path(MigrationWriter(Migration("", label)).path).absolute().parent


def _require_states(changes: Changes, state: ProjectState) -> None:
    """Refused unless Django can follow the migrations from `state` on."""
    try:
        state = state.clone()
        for migration in in_order(changes):
            state = migration.mutate_state(state, preserve=False)
    except Exception as error:
        raise Refused(f"Django cannot follow the mended migrations: {type(error).__name__}: {error}") from error

"""Which sequences to write for a report's findings, into which files, and whether the result is right.

One finding is fixed after the other, each on the project with the files of those before it laid over what is on disk.
The whole project is then read, replayed and judged again, by every rule that the user has not switched off: a fix
counts only when its finding is gone and nothing new has appeared. Nothing is written here.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from lint_m2m import engine
from lint_m2m.config import Config
from lint_m2m.engine import Outcome, Reader, Stages
from lint_m2m.engine.ways_out import WayOut
from lint_m2m.finding import Applicability, Downtime, Finding, SequenceStep
from lint_m2m.migration import Span
from lint_m2m.rewrite.files import FileChange, RewriteError, SourceText, place_of, read, source_text
from lint_m2m.sequences.edit import apply_changes
from lint_m2m.sequences.offers import is_refusal
from lint_m2m.sequences.render import render
from lint_m2m.sequences.source import SourceFile, Unwritable
from lint_m2m.sequences.values import NewMigration, Proposal, ReplaceOperations
from lint_m2m.values import frozen, replace

# An ignore comment that has nothing to silence any more is said, and left to whoever wrote it.
_TOLD: Final = frozenset({"MTM904"})
# Of a sequence with a downtime: it has said so itself.
_OF_DOWNTIME: Final = frozenset({"MTM401"})
# A file name that the sequences may give a migration: it is made of the project's names, and those are a stranger's.
_MODULE: Final = re.compile(r"\d+_\w+\.py")

# What makes a finding that of the user's report: its place in the file, and the text there, may change meanwhile.
_Key: TypeAlias = tuple[Path, str, str | None]
# What makes it so while nothing has changed.
_Place: TypeAlias = tuple[Path, str, Span]
# Which of a finding's sequences to write, or why none.
Chooser: TypeAlias = Callable[[WayOut], Proposal | str]


@frozen
class Choice:
    """What may be written: the sequence `id` (``None``: the recommended one), `unsafe`: those for review as well."""

    id: str | None = None
    unsafe: bool = False


@frozen
class Lost:
    """A comment that stood in a replaced operation and is not in the new one."""

    path: str
    line: int
    text: str


@frozen
class Fix:
    """One finding and the sequence written for it.

    `also` are the findings that went with it. `paths` are the files that it changes, `new` those of them that it makes,
    `later` those of them that belong to a later deployment. `left` is what remains for the user to do.
    """

    finding: Finding
    also: tuple[Finding, ...]
    sequence: str
    title: str
    applicability: Applicability
    paths: tuple[str, ...]
    new: frozenset[str]
    later: frozenset[str]
    left: tuple[SequenceStep, ...]
    lost: tuple[Lost, ...]
    caveats: tuple[str, ...]
    verify: str | None


@frozen
class Declined:
    """A finding that has a sequence and is not fixed, with the reason."""

    finding: Finding
    reason: str


@frozen
class Rewriting:
    """What is to be written, for which findings, and what is not; nothing of it is on disk yet."""

    changes: tuple[FileChange, ...] = ()
    fixes: tuple[Fix, ...] = ()
    declined: tuple[Declined, ...] = ()


@frozen
class Edit:
    """What `plan` would write for one finding alone, as far as it lies in files that are there.

    `fingerprint` is the finding's; `left` are the steps in other files, in migrations that would be new, and without
    a file.
    """

    fingerprint: str
    sequence: str
    title: str
    applicability: Applicability
    changes: tuple[FileChange, ...]
    left: tuple[SequenceStep, ...]


def edits(
    outcome: Outcome,
    configure: Callable[[Path], Config],
    *,
    progress: Stages = lambda stage, done=0, total=None: None,
) -> tuple[Edit, ...]:
    """For each finding of `outcome` the edit that makes it go and brings nothing new, where there is one.

    Of the sequences that `plan` may write, those for review among them, it is the one that `plan` would choose. Raises
    what `engine.run` raises.
    """
    base = outcome.report.root
    chooser = partial(_choose, choice=Choice(unsafe=True))
    wanted = {_place(base, finding): finding.fingerprint for finding in outcome.report.findings}
    found: list[Edit] = []
    for root in sorted({way.root for way in outcome.ways_out}):
        if _declined(outcome, root, chooser) is None:
            found += _Project(root, base, configure(root), chooser, progress, outcome.reader).edits(wanted)
    return tuple(found)


def plan(
    outcome: Outcome,
    configure: Callable[[Path], Config],
    choice: Choice | Chooser | None = None,
    *,
    progress: Stages = lambda stage, done=0, total=None: None,
    overlay: Mapping[Path, bytes] | None = None,
) -> Rewriting:
    """Work out the fixes for the findings of `outcome`, a check that was run with `configure`.

    A `Chooser` is asked for each finding, and again when a fix of another one has changed what is there. `overlay`
    holds the files that `outcome` was checked with and that are not on disk; their changes have no `before`.

    Raises what `engine.run` raises.
    """
    base = outcome.report.root
    chooser = choice if callable(choice) else partial(_choose, choice=choice or Choice())
    wanted = {_key(base, finding) for finding in outcome.report.findings}
    parts: list[Rewriting] = []
    for root in sorted({way.root for way in outcome.ways_out}):
        declined = _declined(outcome, root, chooser)
        if declined is not None:
            # Nothing can come of it: what the check has found out is enough to say why.
            parts.append(Rewriting(declined=declined))
            continue
        project = _Project(root, base, configure(root), chooser, progress, outcome.reader, overlay)
        parts.append(project.fix(wanted))
    return Rewriting(
        changes=tuple(change for part in parts for change in part.changes),
        fixes=tuple(fix for part in parts for fix in part.fixes),
        declined=tuple(one for part in parts for one in part.declined),
    )


def _declined(outcome: Outcome, root: Path, chooser: Chooser) -> tuple[Declined, ...] | None:
    """Why no finding of a project can be fixed; ``None`` as soon as there is one that may be."""
    reasons: list[tuple[WayOut, str]] = []
    for way in outcome.ways_out:
        if way.root != root:
            continue
        reason = chooser(way)
        if isinstance(reason, Proposal):
            return None
        reasons.append((way, reason))
    findings = {finding.fingerprint: finding for finding in outcome.report.findings}
    return tuple(Declined(finding=findings[way.fingerprint], reason=reason) for way, reason in reasons)


# Which sequence.


def _choose(way: WayOut, choice: Choice) -> Proposal | str:
    """The proposal to write, or why there is none."""
    fitting = [one for one in way.proposals if choice.id in (None, one.id)]
    if not fitting:
        return f"`{choice.id}` does not fit it; {_those(one.id for one in way.proposals)}"
    allowed = [_allowed(one, choice) for one in fitting]
    return next((one for one in allowed if isinstance(one, Proposal)), allowed[0])


def _allowed(proposal: Proposal, choice: Choice) -> Proposal | str:
    """The proposal, or why it is not written."""
    if is_refusal(proposal):
        return proposal.title  # why it is refused
    if proposal.applicability is Applicability.DISPLAY:
        return f"`{proposal.id}` is shown only, it is never written"
    if proposal.applicability is Applicability.REVIEW and not choice.unsafe:
        return f"`{proposal.id}` wants a review: `--unsafe-fixes` writes it"
    if not any(isinstance(change, ReplaceOperations | NewMigration) for change in proposal.changes):
        return f"all of `{proposal.id}` is left to you"
    return proposal


def _those(ids: Iterator[str]) -> str:
    listed = ", ".join(f"`{one}`" for one in ids)
    return f"those that do: {listed}"


# One project.


class _Project:
    """The fixes of the project in `root`; reports call files by their path from `base`."""

    def __init__(
        self,
        root: Path,
        base: Path,
        config: Config,
        chooser: Chooser,
        progress: Stages,
        reader: Reader,
        overlay: Mapping[Path, bytes] | None = None,
    ) -> None:
        self._root = root
        self._base = base
        # `--select` and `--baseline` are about the report. What a fix must not bring is another matter.
        self._config = replace(config, select=("MTM", *config.select), baseline=None)
        self._chooser = chooser
        self._progress = progress
        self._reader = reader
        self._originals: dict[Path, bytes] = {}
        self._overlay: dict[Path, bytes] = dict(overlay or {})
        self._encodings: dict[Path, str] = dict.fromkeys(self._overlay, "utf-8")

    def fix(self, wanted: Collection[_Key]) -> Rewriting:
        fixes: list[Fix] = []
        declined: dict[str, Declined] = {}
        current = self._check(self._overlay)
        while (found := self._next(current, wanted, declined)) is not None:
            way, finding = found
            proposal = self._chooser(way)
            if isinstance(proposal, str):
                declined[finding.fingerprint] = Declined(finding=self._shown(finding), reason=proposal)
                continue
            try:
                trial, lost = self._written(proposal, way)
                after = self._check({**self._overlay, **trial})
                self._require_better(current, after, finding, proposal)
            except Unwritable as reason:
                declined[finding.fingerprint] = Declined(
                    finding=self._shown(finding), reason=f"`{proposal.id}` is not written: {reason}"
                )
                continue
            fixes.append(self._done(way, proposal, finding, current, after, trial, lost))
            self._overlay |= trial
            current = after
            # What could not be fixed before this may be so now; otherwise a second run would change something.
            declined.clear()
        return Rewriting(
            changes=tuple(self._changes(current.migrations)), fixes=tuple(fixes), declined=tuple(declined.values())
        )

    def edits(self, wanted: Mapping[_Place, str]) -> Iterator[Edit]:
        """The edits for the findings in `wanted`, which has their fingerprints, each of them without the others."""
        current = self._check({})
        findings = {finding.fingerprint: finding for finding in current.report.findings}
        for way in current.ways_out:
            finding = findings.get(way.fingerprint)
            proposal = self._chooser(way)
            if finding is None or isinstance(proposal, str):
                continue
            fingerprint = wanted.get(_place(self._root, finding))
            if fingerprint is None:
                continue
            try:
                written, _ = self._written(proposal, way)
                trial = {file: source for file, source in written.items() if file in self._originals}
                self._require_better(current, self._check(trial), finding, proposal)
            except Unwritable:
                continue
            steps = zip(proposal.changes, render(proposal, way.situation).steps, strict=True)
            yield Edit(
                fingerprint=fingerprint,
                sequence=proposal.id,
                title=proposal.title,
                applicability=proposal.applicability,
                changes=tuple(self._change(file, after) for file, after in sorted(trial.items())),
                left=self._left(step for change, step in steps if not isinstance(change, ReplaceOperations)),
            )

    def _check(self, overlay: Mapping[Path, bytes]) -> Outcome:
        return engine.run(
            [self._root], lambda _: self._config, progress=self._progress, overlay=overlay, reader=self._reader
        )

    def _next(
        self, current: Outcome, wanted: Collection[_Key], declined: Collection[str]
    ) -> tuple[WayOut, Finding] | None:
        """The first finding, in the order in which migrations run, that is wanted and was not tried."""
        findings = {finding.fingerprint: finding for finding in current.report.findings}
        for way in current.ways_out:
            finding = findings.get(way.fingerprint)
            if finding is not None and way.fingerprint not in declined and _key(self._root, finding) in wanted:
                return way, finding
        return None

    # -- texts

    def _written(self, proposal: Proposal, way: WayOut) -> tuple[dict[Path, bytes], tuple[Lost, ...]]:
        """The bytes of the files that a proposal changes. Unwritable where one of them is not fit for it."""
        texts: dict[str, SourceText] = {}
        for change in proposal.changes:
            if isinstance(change, ReplaceOperations):
                texts[change.path] = self._text(change.path, way)
            elif isinstance(change, NewMigration):
                self._require_free(change)
        trial: dict[Path, bytes] = {}
        lost: list[Lost] = []
        for path, text in apply_changes({path: one.text for path, one in texts.items()}, proposal).items():
            file = self._root / path
            known = texts.get(path)
            trial[file] = text.encode() if known is None else known.encoded(text)
            self._encodings[file] = "utf-8" if known is None else known.encoding
            if known is not None:
                lost += self._lost(path, known.text, text)
        return trial, tuple(lost)

    def _text(self, path: str, way: WayOut) -> SourceText:
        file = self._root / path
        self._require_inside(file)
        source = self._overlay.get(file)
        if source is None:
            source = self._originals[file] = read(file)
        text = source_text(source)
        if way.situation.sources.get(path, text.text) != text.text:
            raise Unwritable(f"`{path}` has changed while it was read")
        return text

    def _require_free(self, change: NewMigration) -> None:
        file = self._root / change.path
        if not _MODULE.fullmatch(file.name) or ".." in file.parts:
            raise Unwritable(f"{change.path!a} is no name for a migration")
        self._require_inside(file)
        if not file.parent.is_dir() and not any(one.parent == file.parent for one in self._overlay):
            raise Unwritable(f"there is no folder `{os.path.dirname(change.path)}`")
        if file in self._overlay or os.path.lexists(file):
            raise Unwritable(f"there is a `{change.path}` already")

    def _require_inside(self, file: Path) -> None:
        try:
            place_of(file, self._root)
        except RewriteError as error:
            raise Unwritable(error.message) from None

    def _lost(self, path: str, before: str, after: str) -> Iterator[Lost]:
        """The comments that are no longer there."""
        old, new = SourceFile(before), SourceFile(after)
        kept = Counter(comment.text for comment in new.comments)
        for comment in old.comments:
            if kept[comment.text]:
                kept[comment.text] -= 1
            else:
                line = len(re.findall(r"\r\n|\r|\n", before[: comment.start])) + 1
                yield Lost(path=self._path(self._root / path), line=line, text=comment.text)

    def _changes(self, order: Sequence[str]) -> Iterator[FileChange]:
        """What is to be written, each migration after those that it depends on: see `rewrite.write`."""
        places = {self._root / path: place for place, path in enumerate(order)}
        for file, after in sorted(self._overlay.items(), key=lambda item: (places.get(item[0], len(places)), item[0])):
            yield self._change(file, after)

    def _change(self, file: Path, after: bytes) -> FileChange:
        return FileChange(
            root=self._root,
            file=file,
            path=self._path(file),
            before=self._originals.get(file),
            after=after,
            encoding=self._encodings[file],
        )

    # -- the result

    def _require_better(self, before: Outcome, after: Outcome, finding: Finding, proposal: Proposal) -> None:
        """Unwritable unless `finding` is gone and nothing new has appeared."""
        was, now = (Counter(_about(one) for one in each.report.findings) for each in (before, after))
        if now[_about(finding)] >= was[_about(finding)]:
            raise Unwritable("the finding would still be there")
        known = _TOLD | (_OF_DOWNTIME if proposal.downtime is not Downtime.NONE else frozenset())
        for one in after.report.findings:
            if one.code not in known and now[_about(one)] > was[_about(one)]:
                raise Unwritable(f"it would bring {one.code} at {self._shown(one).path}:{one.span.line}: {one.message}")
        unread = Counter((part.path, part.reason) for part in before.unread)
        for part in after.unread:
            if not unread[part.path, part.reason]:
                raise Unwritable(f"`{part.path}` could not be read whole afterwards: {part.reason}")

    def _done(
        self,
        way: WayOut,
        proposal: Proposal,
        finding: Finding,
        before: Outcome,
        after: Outcome,
        trial: Mapping[Path, bytes],
        lost: tuple[Lost, ...],
    ) -> Fix:
        remaining = Counter(_about(one) for one in after.report.findings)
        gone = []
        for one in before.report.findings:
            if remaining[_about(one)]:
                remaining[_about(one)] -= 1
            elif one is not finding:
                gone.append(self._shown(one))
        steps = zip(proposal.changes, render(proposal, way.situation).steps, strict=True)
        later: set[str] = set()
        deployed = False
        for change in proposal.changes:
            deployed = deployed or change.deploy_before
            if deployed and isinstance(change, ReplaceOperations | NewMigration):
                later.add(self._path(self._root / change.path))
        return Fix(
            finding=self._shown(finding),
            also=tuple(gone),
            sequence=proposal.id,
            title=proposal.title,
            applicability=proposal.applicability,
            paths=tuple(self._path(file) for file in trial),
            new=frozenset(self._path(file) for file in trial if file not in self._originals),
            later=frozenset(later),
            left=self._left(step for change, step in steps if not isinstance(change, ReplaceOperations | NewMigration)),
            lost=lost,
            caveats=proposal.caveats,
            verify=proposal.verify,
        )

    def _left(self, steps: Iterable[SequenceStep]) -> tuple[SequenceStep, ...]:
        """The steps with their paths as reports have them."""
        return tuple(
            step if step.path is None else replace(step, path=self._path(self._root / step.path)) for step in steps
        )

    def _path(self, file: Path) -> str:
        return Path(os.path.relpath(file, self._base)).as_posix()

    def _shown(self, finding: Finding) -> Finding:
        """The finding with its path as reports have it."""
        return replace(finding, location=finding.location._replace(path=self._path(self._root / finding.path)))


def _about(finding: Finding) -> tuple[str, str]:
    """What makes two findings the same before and after a fix: an operation may move to another migration."""
    return finding.code, finding.field or finding.path


def _place(root: Path, finding: Finding) -> _Place:
    return root / finding.path, finding.code, finding.span


def _key(root: Path, finding: Finding) -> _Key:
    return root / finding.path, finding.code, finding.field

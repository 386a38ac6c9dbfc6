"""The findings that a change has to do with: of files that it added or edited, and those elsewhere that it brought."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from lint_m2m.changes import Changes
from lint_m2m.engine.fingerprints import Fingerprints
from lint_m2m.engine.project import Job, check_root
from lint_m2m.engine.sources import SourceReader
from lint_m2m.engine.values import Checked
from lint_m2m.errors import ChangesError
from lint_m2m.finding import Finding
from lint_m2m.migration import Span
from lint_m2m.readers.files import Files
from lint_m2m.values import NamedTuple, replace

# What makes a finding in a file that has not changed the same one before and after.
_Place: TypeAlias = tuple[str, Span, str, str | None, str | None]
_TEMPORARY = "lint-m2m-"


class OfChange(NamedTuple):
    """A check with the findings of the change, how many others there are, and what could not be told."""

    checked: Checked
    older: int
    warnings: tuple[str, ...] = ()


def check_index(job: Job, changes: Changes) -> tuple[Checked, dict[Path, bytes]]:
    """Like `check_root`, of what is staged; and the sources of the findings' files, by their paths in the work tree.

    Nothing can be written into the files that it is about, so there are no ways out.
    """
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY) as folder:
        root = changes.copy_of_index(Path(folder))
        checked = check_root(replace(job, root=root))
        files = Files(root)
        sources = {job.root / path: files.source(path) for path in _paths(checked.findings)}
    found = {path: source for path, source in sources.items() if source is not None}
    return replace(checked, ways_out=()), found


def of_change(job: Job, checked: Checked, changes: Changes) -> OfChange:
    """Leave out of a check's findings those that were there before, in files that are as they were.

    What lies elsewhere is compared with a check of what was there before: an edited, added or deleted file may bring a
    finding in one that depends on it.
    """
    findings = checked.findings
    kept = {finding.fingerprint: finding for finding in findings if changes.touches(finding.path)}
    rest = [finding for finding in findings if finding.fingerprint not in kept]
    warnings: tuple[str, ...] = ()
    if rest and changes.any_read:
        since = changes.comparison.since
        note = f"this file has not changed: a change elsewhere since {f'`{since}`' if since else 'HEAD'} brings it"
        try:
            if not isinstance(job.reader, SourceReader):
                raise ChangesError("Django loads what is there now, not what was there before")
            before = _before(job, changes)
        except ChangesError as error:
            brought = [one for one in rest if any(changes.touches(path) for path in _paths([one]))]
            note = "this file has not changed, and what it points at has: whether that brings it cannot be told"
            warnings = (
                f"{error}; findings in files that have not changed are only reported where they point at one that has",
            )
        else:
            brought = [one for one in rest if _place(one) not in before]
        kept |= {one.fingerprint: replace(one, notes=(*one.notes, note)) for one in brought}
    reported = [kept[one.fingerprint] for one in findings if one.fingerprint in kept]
    return OfChange(
        checked=replace(checked, findings=reported),
        older=len(findings) - len(reported),
        warnings=warnings,
    )


def _before(job: Job, changes: Changes) -> frozenset[_Place]:
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY) as folder:
        root = changes.copy_of_base(Path(folder))
        options = replace(job.options, overlay=())
        before = replace(job, root=root, options=options, fingerprints=Fingerprints(), proposes=False)
        return frozenset(_place(finding) for finding in check_root(before).findings)


def _place(finding: Finding) -> _Place:
    return finding.path, finding.span, finding.code, finding.operation, finding.field


def _paths(findings: Iterable[Finding]) -> set[str]:
    """The files that findings point at."""
    return {
        location.path
        for finding in findings
        for location in (finding.location, *(related.location for related in finding.related))
    }

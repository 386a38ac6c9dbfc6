"""Ignore comments applied to findings, and the findings for comments that silence nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lint_m2m.config import Selection
from lint_m2m.finding import Finding
from lint_m2m.migration import Migration
from lint_m2m.readers.files import Files, text_of
from lint_m2m.readers.source import speaks_of_us
from lint_m2m.rules import RULES

if TYPE_CHECKING:
    from lint_m2m.suppression import Ignore


def unsilenced(
    findings: Sequence[Finding],
    paths: Iterable[str],
    migrations: Mapping[str, Migration],
    files: Files,
    selection: Selection,
    identified: Callable[[list[Finding]], list[Finding]],
    *,
    noqa: bool = True,
) -> list[Finding]:
    """The findings that no comment silences, and those of MTM904.

    `paths` are all files to look at for comments; `migrations` the migrations by path; `identified` gives findings
    their fingerprints; without `noqa`, comments of that kind are not looked at.
    """
    comments = _comments(sorted({*paths, *(finding.path for finding in findings)}), files, noqa)
    if not comments:
        return list(findings)
    from lint_m2m.suppression import UNUSED_CODE, Suppressions, finding_of, first_lines

    suppressions = Suppressions(comments)

    def silenced(finding: Finding) -> bool:
        migration = migrations.get(finding.path)
        lines = first_lines(migration, finding.operation) if migration and finding.operation else ()
        return suppressions.silences(finding, lines)

    kept = [finding for finding in findings if not silenced(finding)]
    rule = next(rule for rule in RULES if rule.code == UNUSED_CODE)
    if UNUSED_CODE not in selection.enabled:
        return kept
    codes = [rule.code for rule in RULES]
    names = [rule.name for rule in RULES]
    # First what the other rules left, then what is left of the comments on that.
    for facts in (suppressions.unused(codes, selection.applies, names), suppressions.unused_own(selection.applies)):
        unused = [finding_of(fact, migrations.get(fact.location.path), rule.name, rule.severity) for fact in facts]
        kept += [finding for finding in identified(unused) if not silenced(finding)]
    return kept


def _comments(paths: Iterable[str], files: Files, noqa: bool) -> dict[str, tuple[Ignore, ...]]:
    comments = {}
    names = {rule.name: rule.code for rule in RULES}
    for path in paths:
        source = files.source(path)
        if source is None or not speaks_of_us(source):
            continue
        # Few projects have any.
        from lint_m2m.suppression import ignores

        if found := tuple(ignore for ignore in ignores(text_of(source), names) if noqa or ignore.own):
            comments[path] = found
    return comments

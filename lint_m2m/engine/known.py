"""Baselines applied to findings: what is known is left out, what is gone is said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lint_m2m.baseline import Baseline, Entry, Key, compare, empty, key_of, plain, read, renewed
from lint_m2m.engine.project import Job
from lint_m2m.engine.targets import WHOLE_PROJECT, Scope
from lint_m2m.engine.values import Checked
from lint_m2m.rules import RULES
from lint_m2m.values import frozen, replace

# Beyond, a list helps nobody.
MOST_NAMED: Final = 10


@frozen
class Part:
    """The check of one root: what it was told, and what came out."""

    root: Path
    job: Job
    checked: Checked


@frozen
class Known:
    """The parts without what their baselines know, and how much that was.

    `baselines` are the files to write, if they are renewed, each with the number of findings that are gone.
    """

    parts: Sequence[Part]
    count: int
    warnings: Sequence[str]
    baselines: Sequence[tuple[Baseline, int]]


def without_known(parts: Sequence[Part], *, renew: bool) -> Known:
    """Apply the baseline that each part's configuration names; several may share one.

    `renew`: they are about to be written, so none has to be there, and nothing is left out. Raises ConfigurationError.
    """
    sharing: dict[Path, list[int]] = {}
    for number, part in enumerate(parts):
        if part.job.config.baseline is not None:
            sharing.setdefault(Path(os.path.abspath(part.job.config.baseline)), []).append(number)
    result = list(parts)
    count = 0
    warnings: list[str] = []
    baselines: list[tuple[Baseline, int]] = []
    for file, numbers in sharing.items():
        baseline = empty(file) if renew and not os.path.lexists(file) else read(file)
        scopes = [_Judge(parts[number], file) for number in numbers]

        def judged(key: Key, scopes: Sequence[_Judge] = scopes) -> bool:
            return any(scope.judges(key) for scope in scopes)

        keyed = [
            (key_of(finding, _relative(part.root / finding.path, file.parent)), finding)
            for part in (parts[number] for number in numbers)
            for finding in part.checked.findings
        ]
        compared = compare(baseline, keyed, judged)
        if renew:
            gone = sum(entry.count for entry in compared.gone)
            baselines.append((renewed(baseline, [key for key, _ in keyed], judged), gone))
            continue
        count += compared.known
        warnings += _told(baseline, compared.gone)
        left = {finding.fingerprint: finding for finding in compared.new}
        for number in numbers:
            part = parts[number]
            kept = [left[one.fingerprint] for one in part.checked.findings if one.fingerprint in left]
            result[number] = replace(part, checked=replace(part.checked, findings=kept))
    return Known(parts=result, count=count, warnings=warnings, baselines=baselines)


class _Judge:
    """Whether the check of a part would have found what a key of the baseline `file` is about."""

    def __init__(self, part: Part, file: Path) -> None:
        self._root = part.root
        self._selection = part.job.selection()
        self._scope = Scope(part.job.targets)
        self._folder = file.parent
        self._places = {(plain(app), plain(name)): paths for (app, name), paths in part.checked.places.items()}
        self._folders: dict[str, set[str]] = {}
        for (app, _), paths in self._places.items():
            self._folders.setdefault(app, set()).update(path.rpartition("/")[0] for path in paths)
        whole = any(WHOLE_PROJECT in target.names for target in part.job.targets)
        self._whole = whole and Path(os.path.realpath(file)).is_relative_to(os.path.realpath(part.root))

    def judges(self, key: Key) -> bool:
        if key.code not in self._selection.enabled:
            # A code that no rule has any more is nobody's.
            return all(rule.code != key.code for rule in RULES)
        if key.path:
            return self._concerned(_relative(self._folder / key.path, self._root), key)
        paths = self._places.get((key.app, key.migration))
        if paths is not None:
            return any(self._concerned(path, key) for path in paths)
        # The migration is gone: of a whole app, or of a project that nobody else shares the file with, that is certain.
        return self._whole or any(folder in self._scope for folder in self._folders.get(key.app, ()))

    def _concerned(self, path: str, key: Key) -> bool:
        return path in self._scope and self._selection.applies(key.code, path)


def _told(baseline: Baseline, gone: Sequence[Entry]) -> Iterator[str]:
    for entry in gone[:MOST_NAMED]:
        times = f" {entry.count} times" if entry.count > 1 else ""
        line = f":{entry.line}" if entry.line else ""
        yield f"{baseline.shown}{line}: not found any more{times}: {entry.key}"
    if len(gone) > MOST_NAMED:
        yield f"{baseline.shown}: and {len(gone) - MOST_NAMED} entries more that are not found any more"
    if gone:
        command = f"lint-m2m check --baseline {baseline.shown} --write-baseline"
        yield f"{baseline.shown}: `{command}` takes out what is not found any more"


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/")

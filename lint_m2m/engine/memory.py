"""A whole check remembered: what came of it the last time, as long as everything it looked at is as it was.

The name of an entry is a digest of all that was asked: the paths, what of the configuration decides findings, the
version of this program and of what it reads with. The entry is JSON, and holds what was looked at on disk
(`lint_m2m.looks`) and what came out.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lint_m2m import __version__
from lint_m2m.cache import Cache
from lint_m2m.config import Config, read_options
from lint_m2m.digests import blake2b
from lint_m2m.engine.targets import Target
from lint_m2m.engine.values import Checked, LeftOut, UnreadPart
from lint_m2m.finding import (
    Applicability,
    Certainty,
    Downtime,
    Finding,
    Related,
    SequenceStep,
    Severity,
)
from lint_m2m.finding import (
    Sequence as SafeSequence,
)
from lint_m2m.looks import Looks, noting
from lint_m2m.migration import Location, Span
from lint_m2m.values import names_in

# What of the configuration is applied to findings afterwards, or is about the report.
_AFTERWARDS: Final = frozenset(
    ("baseline", "cache_dir", "color", "exit_zero", "fail_on", "format", "no_cache", "origins", "output", "quiet")
) | {"searched", "statistics", "verbose", "warnings"}
_MOST_EDITED: Final = 20
# Packages that decide what is read, beside this one.
_PARSERS: Final = ("sqlglot",)


class Memory:
    """What `cache` has of a check of `groups` (targets by root) with these configurations."""

    def __init__(
        self, cache: Cache, groups: Mapping[Path, Sequence[Target]], configs: Mapping[Path, Config], *, noqa: bool
    ) -> None:
        self._cache = cache
        self._groups = groups
        self._configs = configs
        asked = [
            [os.fspath(root), [list(target.names) for target in targets], _deciding(configs[root], root)]
            for root, targets in groups.items()
        ]
        self._name = blake2b(repr([asked, noqa, *_program()]).encode(), digest_size=16).hexdigest()

    def recall(self) -> dict[Path, Checked] | None:
        """What came of it, by root, without ways out; None where something has changed since, or it was never asked."""
        entry = self._cache.load(self._name)
        if entry is None:
            return None
        try:
            value = json.loads(entry)
            looked_at = Looks.from_json(value["looks"])
            if not self._same(looked_at, value):
                return None
            found = {
                root: _checked(one, targets)
                for (root, targets), one in zip(self._groups.items(), value["checked"], strict=True)
            }
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
            return None
        if looked_at.renewed:
            value["looks"] = looked_at.as_json()
            self._save(value)
        return found

    def _same(self, looked_at: Looks, value: Mapping[str, Any]) -> bool:
        """Whether what came out still holds; what has changed without doing anything to it is noted in both."""
        changed = looked_at.changed()
        if changed.nothing:
            return True
        # A file or two are edited; reading many is the whole check's work.
        if changed.folders or changed.questions or len(changed.files) > _MOST_EDITED or len(self._groups) > 1:
            return False
        ((root, _),), (checked,) = self._groups.items(), value["checked"]
        from lint_m2m.engine.unaffected import Unaffected, says_no_more
        from lint_m2m.readers.source import SourceError, read_source

        unaffected = known = None if checked["unaffected"] is None else Unaffected.from_json(checked["unaffected"])
        migrations = _unreported(checked)
        options = read_options(self._configs[root], root)
        try:
            with noting() as looked_again:
                for file in changed.files:
                    source = read_source(file)
                    path = os.path.relpath(file, root).replace(os.sep, "/")
                    more = looked_at.more_in(file, source)
                    if more is not None and path in migrations and says_no_more(source, more):
                        continue
                    # What another file imports is more than a migration.
                    if unaffected is None or looked_at.asked(file):
                        return False
                    unaffected = unaffected.after(path, source, root, options)
                    if unaffected is None:
                        return False
        except SourceError:
            return False
        if unaffected is not None and unaffected is not known:
            checked["unaffected"] = unaffected.as_json()
        looked_at.renew(changed.files, looked_again)
        return looked_at.sound

    def keep(self, done: Mapping[Path, Checked], looked_at: Looks) -> None:
        """Remember what came of it."""
        if looked_at.sound:
            checked = [_as_json(done[root], targets) for root, targets in self._groups.items()]
            self._save({"looks": looked_at.as_json(), "checked": checked})

    def _save(self, value: dict[str, Any]) -> None:
        self._cache.save(self._name, json.dumps(value, separators=(",", ":")).encode())


def _deciding(config: Config, root: Path) -> list[object]:
    """What of the configuration, and of the installed environment, decides what is found."""
    return [
        {name: getattr(config, name) for name in names_in(type(config)) if name not in _AFTERWARDS},
        read_options(config, root),
    ]


def _program() -> Iterator[object]:
    """What decides besides: this program, to the file as long as somebody works on it, and the parsers."""
    yield __version__
    yield sys.version
    yield sorted(_modules(os.path.dirname(os.path.dirname(__file__))))
    for name in _PARSERS:
        for folder in sys.path:
            try:
                status = os.stat(os.path.join(folder, name, "__init__.py"))
            except (OSError, ValueError):
                continue
            yield [folder, status.st_size, status.st_mtime_ns]
            break


def _modules(folder: str) -> Iterator[tuple[str, int, int]]:
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    yield entry.path, status.st_size, status.st_mtime_ns
                elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)


def _unreported(checked: Mapping[str, Any]) -> set[str]:
    """The migrations, below the root, of which nothing is said, where no sequence can show what is in them."""
    if any(finding["sequences"] for finding in checked["findings"]):
        return set()
    found = {path for _, _, *paths in checked["places"] for path in paths}
    for finding in checked["findings"]:
        found -= {finding["location"][0], *(at[0] for at, _ in finding["related"])}
    return found - {path for path, *_ in checked["unread"]}


def _as_json(checked: Checked, targets: Sequence[Target]) -> dict[str, Any]:
    return {
        "findings": [_finding_as_json(finding) for finding in checked.findings],
        "unread": [[one.path, one.line, one.reason, one.unchecked] for one in checked.unread],
        "left_out": [list(one) for one in checked.left_out],
        "apps": list(checked.apps),
        "places": [[app, name, *sorted(paths)] for (app, name), paths in checked.places.items()],
        "covered": [targets.index(target) for target in checked.covered],
        "unaffected": None if checked.unaffected is None else checked.unaffected.as_json(),
    }


def _checked(value: Mapping[str, Any], targets: Sequence[Target]) -> Checked:
    places = {(app, name): frozenset(paths) for app, name, *paths in value["places"]}
    return Checked(
        findings=[_finding(one) for one in value["findings"]],
        ways_out=(),
        unread=tuple(
            UnreadPart(path=path, line=line, reason=reason, unchecked=unchecked)
            for path, line, reason, unchecked in value["unread"]
        ),
        left_out={LeftOut(*one) for one in value["left_out"]},
        apps=set(value["apps"]),
        places=places,
        covered=tuple(targets[number] for number in value["covered"]),
    )


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    value: dict[str, Any] = {name: getattr(finding, name) for name in names_in(type(finding))}
    value["severity"] = finding.severity.value
    value["certainty"] = finding.certainty.value
    value["related"] = [[one.location, one.message] for one in finding.related]
    value["sequences"] = [_sequence_as_json(one) for one in finding.sequences]
    return value


def _finding(value: dict[str, Any]) -> Finding:
    return Finding(
        **value
        | {
            "severity": Severity(value["severity"]),
            "certainty": Certainty(value["certainty"]),
            "location": _location(value["location"]),
            "related": tuple(Related(location=_location(at), message=message) for at, message in value["related"]),
            "notes": tuple(value["notes"]),
            "sequences": tuple(_sequence(one) for one in value["sequences"]),
        }
    )


def _location(value: Sequence[Any]) -> Location:
    path, span = value
    return Location(path, Span(*span))


def _sequence_as_json(sequence: SafeSequence) -> dict[str, Any]:
    value: dict[str, Any] = {name: getattr(sequence, name) for name in names_in(type(sequence))}
    value["downtime"] = sequence.downtime.value
    value["applicability"] = sequence.applicability.value
    value["steps"] = [{name: getattr(step, name) for name in names_in(type(step))} for step in sequence.steps]
    return value


def _sequence(value: dict[str, Any]) -> SafeSequence:
    return SafeSequence(
        **value
        | {
            "downtime": Downtime(value["downtime"]),
            "applicability": Applicability(value["applicability"]),
            "steps": tuple(SequenceStep(**step) for step in value["steps"]),
            "caveats": tuple(value["caveats"]),
        }
    )

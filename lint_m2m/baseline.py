"""The baseline: findings that a project knows of and is not told again.

It is a TOML file, one table for all findings of a rule in one migration about one field, so that lines may move:

    schema = 1

    [[finding]]
    code = "MTM305"
    app = "library"
    migration = "0007_drop_tags"
    field = "library.book.tags"
    count = 2                         # only where there are several
    reason = "the table is archived"  # whatever the project writes; kept

Only where a finding has no app or no migration does `path` stand for them, relative to the file's own folder. `read`
and `render` are the file, `compare` and `renewed` what it means. Sorted, one key a line: the same bytes on every
machine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lint_m2m.config.load import parse_document
from lint_m2m.errors import ConfigurationError, reason_of, shown_path
from lint_m2m.finding import Finding
from lint_m2m.readers.source import SourceError, read_regular
from lint_m2m.values import NamedTuple, frozen

SCHEMA: Final = 1
# Some ten thousand findings.
MAX_BYTES: Final = 2 * 1024 * 1024

_HEADER: Final = """\
# Findings that lint-m2m knows of and does not report. `lint-m2m check --write-baseline` writes this file anew; each
# `reason` is kept.
schema = 1
"""
_TABLE: Final = "finding"
_TEXTS: Final = ("code", "app", "migration", "field", "path", "reason")
_START: Final = re.compile(rf"\s*\[\[\s*[\"']?{_TABLE}[\"']?\s*\]\]")


class Key(NamedTuple):
    """What makes findings the same one for a baseline."""

    app: str
    migration: str
    code: str
    field: str
    path: str

    def __str__(self) -> str:
        where = self.path or f"{self.app}.{self.migration}"
        return f"{self.code} in {where}" + (f" about {self.field}" if self.field else "")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """How many findings of a kind there are, why, and the line of the file where that is said (0: in none yet)."""

    key: Key
    count: int = 1
    reason: str = ""
    line: int = 0


@frozen
class Baseline:
    """What a file says; `shown` is its path as a user would write it, `source` its bytes, ``None`` if it has none."""

    file: Path
    shown: str
    entries: tuple[Entry, ...] = ()
    source: bytes | None = None

    @property
    def counts(self) -> Counter[Key]:
        """How many findings of each kind are known."""
        counts: Counter[Key] = Counter()
        for entry in self.entries:
            counts[entry.key] += entry.count
        return counts


@frozen
class Compared:
    """Findings beside a baseline: those it does not have, how many it has, and its entries that match too few."""

    new: tuple[Finding, ...]
    known: int
    gone: tuple[Entry, ...]


def key_of(finding: Finding, path: str) -> Key:
    """The key of a finding; `path` is that of its file, relative to the baseline's folder."""
    named = finding.app_label is not None and finding.migration is not None
    return Key(
        app=plain(finding.app_label or "") if named else "",
        migration=plain(finding.migration or "") if named else "",
        code=finding.code,
        field=plain(finding.field or ""),
        path="" if named else plain(path),
    )


def compare(baseline: Baseline, findings: Sequence[tuple[Key, Finding]], judged: Callable[[Key], bool]) -> Compared:
    """Take from `findings`, in their order, what `baseline` knows.

    Of more findings than an entry counts, the last ones are new, and say that it is not certain which are. `judged`
    tells whether this check would have found what a key is about: an entry of another app is not gone because only one
    app was checked.
    """
    found = Counter(key for key, _ in findings)
    left = baseline.counts
    counted = Counter(left)
    new: list[Finding] = []
    for key, finding in findings:
        if left[key] > 0:
            left[key] -= 1
        elif counted[key]:
            note = (
                f"the baseline has {counted[key]} of {found[key]} like this here; which of them is new it cannot tell"
            )
            new.append(replace(finding, notes=(*finding.notes, note)))
        else:
            new.append(finding)
    gone: list[Entry] = []
    for entry in reversed(baseline.entries):
        missing = min(left[entry.key], entry.count)
        left[entry.key] -= missing
        if missing and judged(entry.key):
            gone.append(replace(entry, count=missing))
    return Compared(new=tuple(new), known=len(findings) - len(new), gone=tuple(reversed(gone)))


def renewed(baseline: Baseline, keys: Iterable[Key], judged: Callable[[Key], bool]) -> Baseline:
    """`baseline` with the findings of `keys`; what this check has not `judged` stays, and so do reasons."""
    found = Counter(keys)
    reasons: dict[Key, str] = {}
    for entry in baseline.entries:
        if entry.reason:
            known = reasons.get(entry.key)
            reasons[entry.key] = entry.reason if known in (None, entry.reason) else f"{known}; {entry.reason}"
    for key, count in baseline.counts.items():
        if key not in found and not judged(key):
            found[key] = count
    entries = (Entry(key, count, reasons.get(key, "")) for key, count in sorted(found.items()))
    return replace(baseline, entries=tuple(entries))


# The file.


def read(file: Path) -> Baseline:
    """The baseline in `file`. Raises ConfigurationError, with the line, for what is none."""
    shown = shown_path(file)
    data = _bytes(file, shown)
    if data is None:
        hint = "`--write-baseline` makes one of all findings that there are"
        raise ConfigurationError(f"there is no such baseline; {hint}", path=shown)
    text, document = parse_document(data, shown)
    schema, tables = document.get("schema"), document.get(_TABLE, [])
    if type(schema) is not int or not isinstance(tables, list) or document.keys() - {"schema", _TABLE}:
        raise ConfigurationError("this is no baseline of lint-m2m", path=shown, line=1)
    if schema != SCHEMA:
        raise ConfigurationError(
            f"the baseline has schema {schema}, and this lint-m2m knows {SCHEMA}: it is another release's", path=shown
        )
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if _START.match(line)]
    lines += [0] * (len(tables) - len(lines))
    entries = [_entry(table, shown, line) for table, line in zip(tables, lines, strict=False)]
    return Baseline(file=file, shown=shown, entries=tuple(entries), source=data)


def require_unchanged(baseline: Baseline) -> None:
    """ConfigurationError where the file is no longer what `baseline` was read from: what it has by now is not lost."""
    if _bytes(baseline.file, baseline.shown) != baseline.source:
        raise ConfigurationError("the baseline has changed since it was read: run it again", path=baseline.shown)


def _bytes(file: Path, shown: str) -> bytes | None:
    """What is in a file; ``None`` where there is none. ConfigurationError where that can be no baseline."""
    try:
        return read_regular(file, MAX_BYTES)
    except SourceError as error:
        raise ConfigurationError(f"the baseline cannot be read: {error.reason}", path=shown) from None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the baseline cannot be read: {reason_of(error)}", path=shown) from None


def empty(file: Path) -> Baseline:
    """The baseline that `file` will be."""
    return Baseline(file=file, shown=shown_path(file))


def render(baseline: Baseline) -> str:
    """The text of its file."""
    return "\n".join([_HEADER, *(_table(entry) for entry in sorted(baseline.entries))])


def _table(entry: Entry) -> str:
    values: Mapping[str, str] = {**entry.key._asdict(), "reason": entry.reason}
    lines = [f"[[{_TABLE}]]", *(f"{name} = {_quoted(values[name])}" for name in _TEXTS[:-1] if values[name])]
    if entry.count > 1:
        lines.append(f"count = {entry.count}")
    if entry.reason:
        lines.append(f"reason = {_quoted(entry.reason)}")
    return "".join(f"{line}\n" for line in lines)


def _quoted(text: str) -> str:
    """A basic string of TOML, on one line, with everything invisible as an escape."""
    return f'"{"".join(_signs(text))}"'


def _signs(text: str) -> Iterator[str]:
    for sign in text:
        if sign in '"\\':
            yield f"\\{sign}"
        elif sign.isprintable():
            yield sign
        else:
            yield f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"


def plain(text: str) -> str:
    """Without what no text file can hold: the odd bytes of a file name."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _entry(table: object, shown: str, line: int) -> Entry:
    def wrong(problem: str) -> ConfigurationError:
        return ConfigurationError(f"an entry of the baseline {problem}", path=shown, line=line or None)

    if not isinstance(table, dict):
        raise wrong("is no table")
    unknown = sorted(table.keys() - {*_TEXTS, "count"})
    if unknown:
        raise wrong(f"has a key `{unknown[0]}`, which lint-m2m does not know")
    for name in _TEXTS:
        if not isinstance(table.get(name, ""), str):
            raise wrong(f"has a `{name}` that is no string")
    texts = {name: table.get(name, "") for name in _TEXTS}
    count = table.get("count", 1)
    if type(count) is not int or count < 1:
        raise wrong("has a `count` that is no number of findings")
    if not re.fullmatch(r"MTM\d{3}", texts["code"], re.ASCII):
        raise wrong("has no `code` of a rule")
    if not texts["path"] and not (texts["app"] and texts["migration"]):
        raise wrong("names neither `app` and `migration` nor a `path`")
    key = Key(**{name: texts[name] for name in Key._fields})
    return Entry(key, count, texts["reason"], line)

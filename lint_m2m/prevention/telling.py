"""What `makemigrations` says of the safe form: what was written, what is left to do, and what would fail."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

from lint_m2m.finding import Finding, SequenceStep
from lint_m2m.prevention.safe import Left, Mended
from lint_m2m.reports.text import escape, pasteable, prose

_WIDTH = 100


def told(mended: Mended, encoding: str, *, dry_run: bool) -> Iterator[str]:
    """Lines about what is written."""
    for change, fix in mended.fixes:
        head = "would be written" if dry_run else "written"
        yield from _wrapped(f"lint-m2m: {change}: {head} as {fix.sequence}: {fix.title}", encoding, indent="")
        for path in fix.paths:
            note = " (deploy what comes before it first)" if path in fix.later else ""
            # A linter of migrations may take away what it does not like.
            if not dry_run and not (mended.root / path).exists():
                note = " (removed again while this command ran)"
            yield f"  in {escape(_from_here(mended.root / path), encoding)}{note}"
        for step in fix.left:
            yield from _step(step, mended.root, encoding)
        for caveat in fix.caveats:
            yield from _wrapped(f"mind: {caveat}", encoding)
        if fix.verify:
            yield f"  verify: {escape(fix.verify, encoding)}"


def warned(mended: Mended, encoding: str) -> Iterator[str]:
    """Lines about what is not as it should be."""
    for left in mended.left:
        yield from _left(left, encoding)
    for finding in mended.others:
        yield from _wrapped("lint-m2m: the new migrations hold something else:", encoding, indent="")
        yield from _finding(finding, encoding)


def _from_here(file: Path) -> str:
    """A path as Django's own command shows it: relative if it is below the current folder."""
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive
        return str(file)
    return str(file) if relative.startswith("..") else relative


def _step(step: SequenceStep, root: Path, encoding: str) -> Iterator[str]:
    where = "" if step.path is None else f"{_from_here(root / step.path)}: "
    yield from _wrapped(f"left to you: {where}{step.title}", encoding)
    yield ""
    for line in step.code.rstrip("\n").split("\n"):
        yield f"      {pasteable(line, encoding)}".rstrip()
    yield ""


def _left(left: Left, encoding: str) -> Iterator[str]:
    yield from _wrapped(
        f"lint-m2m: {left.change}: written as Django writes it, since {left.reason}.", encoding, indent=""
    )
    if left.finding is None:
        yield from _wrapped("`migrate` will fail, or lose the links, unless you change it by hand.", encoding)
    elif left.finding.runtime_error is not None:
        yield from _wrapped("`migrate` will fail:", encoding)
    else:
        yield from _wrapped("`migrate` will not do what you want:", encoding)
    if left.finding is not None:
        yield from _finding(left.finding, encoding)


def _finding(finding: Finding, encoding: str) -> Iterator[str]:
    yield from _wrapped(f"{finding.code} {finding.name}: {finding.message}", encoding)
    if finding.runtime_error is not None:
        yield from _wrapped(f"migrate: {finding.runtime_error}", encoding, indent="    ")
    for note in finding.notes:
        yield from _wrapped(f"note: {note}", encoding, indent="    ")
    yield from _wrapped(f"explain: lint-m2m explain {finding.code}", encoding, indent="    ")


def _wrapped(text: str, encoding: str, *, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        prose(text, encoding),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )

"""A finding's identity, for baselines and for services that compare two reports.

It survives what does not change the guilty operation: moved lines, other quotes, other line breaks, trailing commas,
comments. It changes with the migration, the field, and the guilty text itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from lint_m2m.finding import Finding
from lint_m2m.migration import Span
from lint_m2m.values import replace

# Lines of a file, as the parser counts them; None for a file that cannot be read.
Lines = Callable[[str], Sequence[str] | None]

# Enough to tell one operation from another, and nothing that takes long to go through.
MAX_LENGTH: Final = 4_000

# Strings (prefix, quotes, body), comments, blanks, joined lines. Written here rather than left to `tokenize`, whose
# tokens for f-strings depend on the Python that runs it.
_PIECE: Final = (
    r"""(?s)(?P<string>(?P<prefix>[A-Za-z]{0,2})(?P<quotes>'''|\"\"\"|'|")(?P<body>(?:[^\\]|\\.)*?)(?P=quotes))"""
    r"""|\#[^\r\n]*|\\\r?\n|\s+|(?P<comma>,)(?=(?:\s|\#[^\r\n]*)*[)\]}])"""
)


class Fingerprints:
    """Gives findings their fingerprints; equal ones are numbered in the order in which they come."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, ...]] = Counter()

    def given(self, findings: Iterable[Finding], lines: Lines) -> list[Finding]:
        """The findings, in the same order, each with its fingerprint."""
        return [replace(finding, fingerprint=self._of(finding, lines)) for finding in findings]

    def _of(self, finding: Finding, lines: Lines) -> str:
        key = (
            finding.code,
            finding.app_label or "",
            finding.migration or "",
            finding.field or "",
            normalised(guilty_text(lines(finding.path), finding.span)),
        )
        number = self._seen[key]
        self._seen[key] += 1
        # Loading it costs as much as many a check without findings.
        import hashlib

        # NUL cannot be in Python source, so nothing can be moved across the borders.
        return hashlib.sha256("\0".join((*key, str(number))).encode("utf-8", "surrogatepass")).hexdigest()


def guilty_text(lines: Sequence[str] | None, span: Span) -> str:
    """The source that the span covers; empty for a file that cannot be read, or when the file as a whole is meant."""
    if lines is None or span.line > len(lines):
        return ""
    piece = list(lines[span.line - 1 : span.end_line])
    if not piece:
        return ""
    if span.end_line <= len(lines):
        piece[-1] = piece[-1][: span.end_column - 1]
    piece[0] = piece[0][span.column - 1 :]
    return "\n".join(piece)[:MAX_LENGTH]


def normalised(text: str) -> str:
    """`text` without blanks, comments and trailing commas, its strings in one kind of quotes."""
    return re.sub(_PIECE, _normalised_piece, text)


def _normalised_piece(match: re.Match[str]) -> str:
    if match["string"] is None:
        return ""
    body = match["body"]
    if "r" not in match["prefix"].lower():
        body = body.replace("\\'", "'").replace('\\"', '"')
    return f'{match["prefix"].lower()}"{body}"'

"""What a renderer is told beside the report."""

from __future__ import annotations

from pathlib import Path

from lint_m2m.finding import SequenceStep
from lint_m2m.values import frozen


@frozen
class EditedFile:
    """A file's text before and after."""

    path: str
    before: str
    after: str


@frozen
class Edit:
    """A sequence written into a finding's files; `remark` tells whether a tool may do that by itself.

    `fingerprint` is the finding's; `left` is what remains to be done.
    """

    fingerprint: str
    sequence: str
    title: str
    remark: str
    files: tuple[EditedFile, ...]
    left: tuple[SequenceStep, ...] = ()


@frozen
class RenderOptions:
    """For the formats that people read; the machine formats are the same bytes whatever is said here, `edits` apart.

    `encoding` is what the stream can carry: characters it cannot are escaped. `width` is in terminal cells. `commands`
    are the commands and options that this program has ("prove", "check --fix"), so that a footer promises no other.
    `edits` are for a format that `carries_edits`: what a tool could do about single findings. `overlay` holds files
    (absolute paths) whose bytes are to be shown instead of what is on disk.
    """

    color: bool = False
    encoding: str = "utf-8"
    width: int = 80
    verbose: bool = False
    quiet: bool = False
    statistics: bool = False
    commands: frozenset[str] = frozenset()
    edits: tuple[Edit, ...] = ()
    overlay: tuple[tuple[Path, bytes], ...] = ()

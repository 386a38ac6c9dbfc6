"""What a renderer is told beside the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """For the formats that people read; the machine formats are the same bytes whatever is said here.

    `encoding` is what the stream can carry: characters it cannot are escaped. `width` is in terminal cells. `commands`
    are the commands and options that this program has ("prove", "check --fix"), so that a footer promises no other.
    """

    color: bool = False
    encoding: str = "utf-8"
    width: int = 80
    verbose: bool = False
    quiet: bool = False
    statistics: bool = False
    commands: frozenset[str] = frozenset()

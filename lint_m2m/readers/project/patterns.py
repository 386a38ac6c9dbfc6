"""Globs as .gitignore has them, for `exclude` and `per-file-ignores`.

The rules are git's (gitignore(5)): the last pattern that matches decides, ``!`` takes back, a slash at the start or in
the middle ties a pattern to the root, a slash at the end means folders only, ``**`` spans folders. Matching takes time
proportional to path and pattern whatever the pattern is: patterns too come from a stranger's repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from lint_m2m.values import slotted

# (path relative to the root with forward slashes, whether it is a folder) -> excluded
Matcher = Callable[[str, bool], bool]


@slotted(frozen=True)
class Pattern:
    """One glob. `excludes` is false for one that begins with ``!``."""

    excludes: bool
    folders_only: bool
    # One expression a folder of the path, None for "**"; a single one without `anchored` is for the last alone.
    segments: tuple[re.Pattern[str] | None, ...]
    anchored: bool

    def matches(self, parts: Sequence[str], is_folder: bool) -> bool:
        """Whether it means the path of these names itself."""
        if self.folders_only and not is_folder:
            return False
        return len(parts) in self._ends(parts) if self.anchored else self._names(parts[-1])

    def covers(self, path: str) -> bool:
        """Whether it means the file `path`, or a folder that it lies in."""
        parts = path.split("/")
        folders = parts[:-1] if self.folders_only else parts
        if not self.anchored:
            return any(map(self._names, folders))
        return min(self._ends(parts), default=len(parts) + 1) <= len(folders)

    def _names(self, name: str) -> bool:
        only = self.segments[0]
        return only is not None and only.fullmatch(name) is not None

    def _ends(self, parts: Sequence[str]) -> set[int]:
        """The positions in `parts` where the segments may end."""
        ends = {0}
        for number, segment in enumerate(self.segments):
            if segment is None:
                # At the end it stands for what is inside: one more folder at least.
                least = min(ends) + (number == len(self.segments) - 1)
                ends = set(range(least, len(parts) + 1))
            else:
                ends = {end + 1 for end in ends if end < len(parts) and segment.fullmatch(parts[end])}
            if not ends:
                break
        return ends


def matcher(patterns: Sequence[str]) -> Matcher | None:
    """A function that tells whether a path is excluded; None when no pattern excludes anything.

    It judges the path itself: a walk that does not enter excluded folders need not ask for what is in them.
    """
    rules = [rule for text in patterns if (rule := pattern(text)) is not None]
    if not any(rule.excludes for rule in rules):
        return None
    rules.reverse()

    def excluded(path: str, is_folder: bool) -> bool:
        parts = path.split("/")
        for rule in rules:
            if rule.matches(parts, is_folder):
                return rule.excludes
        return False

    return excluded


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern | None:
    """The pattern that a line is; ``None`` for a comment, and for one that means nothing."""
    text = text.rstrip("\r\n")
    while text.endswith(" ") and not text.endswith("\\ "):
        text = text[:-1]
    if not text or text.startswith("#"):
        return None
    excludes = not text.startswith("!")
    text = text.removeprefix("!")
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    anchored = "/" in text
    # Git knows no "./"; people write it for the root.
    names = [name for name in text.split("/") if name not in ("", ".")]
    if not names:
        return None
    # "**" is special only beside a slash: alone it is a "*".
    segments = tuple(None if name == "**" and anchored else _expression(name) for name in names)
    return Pattern(excludes, folders_only, segments, anchored)


def _expression(glob: str) -> re.Pattern[str]:
    """The expression for one name. Atomic groups: a star takes the first fit of what follows, which is always right."""
    fixed = [""]
    position = 0
    while position < len(glob):
        character = glob[position]
        position += 1
        if character == "*":
            if fixed[-1] or len(fixed) == 1:
                fixed.append("")
        elif character == "?":
            fixed[-1] += "."
        elif character == "[" and (found := _character_class(glob, position)) is not None:
            fixed[-1] += found[0]
            position = found[1]
        else:
            if character == "\\" and position < len(glob):
                character = glob[position]
                position += 1
            fixed[-1] += re.escape(character)
    if len(fixed) == 1:
        return re.compile(fixed[0], re.DOTALL)
    first, *middle, last = fixed
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle) + f".*{last}", re.DOTALL)


def _character_class(glob: str, start: int) -> tuple[str, int] | None:
    """The expression for the "[…]" that opens before `start`, and where it ends; None when it is none."""
    negated = glob[start : start + 1] in ("!", "^")
    begin = start + negated
    end = glob.find("]", begin + 1)
    if end < 0:
        return None
    inside = re.sub(r"([\\\[\]^&|~])", r"\\\1", glob[begin:end])
    expression = f"[{'^' if negated else ''}{inside}]"
    try:
        re.compile(expression)
    except re.error:  # "[z-a]"
        return None
    return expression, end + 1

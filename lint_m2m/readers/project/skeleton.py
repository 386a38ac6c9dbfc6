"""A module's text without what its functions do: who asks what its names are does not ask for that.

The methods of application configurations, and the helpers beside settings, are a third of what discovery would parse.
"""

from __future__ import annotations

from typing import Final

# The parser has its own ideas about these, where lines begin and how deep they are.
_UNUSUAL: Final = ("\t", "\r", "\f", "\0")
# A line that begins so goes on with what is above it, however deep it is.
_GOES_ON: Final = (")", "]", "}", "#")


def without_bodies(text: str) -> str | None:
    """`text` with the parameters and the body of each function left out; None where that is not to be had.

    What Python parses comes out as what it parses to the same statements, on other lines, or does not parse at all:
    then the caller has to take `text`. Where a function ends is told by indentation, and a quote or a bracket that is
    lost with it leaves another alone. What looks like a function in a string of several lines is left out, too.
    """
    at = text.find("def ")
    if at < 0 or any(one in text for one in _UNUSUAL):
        return None
    pieces: list[str] = []
    position = 0
    while at >= 0:
        first = text.rfind("\n", position, at) + 1 or position
        before = text[first:at].removesuffix("async ")
        if before.strip(" "):
            line_end = text.find("\n", at)
            at = text.find("def ", line_end) if line_end >= 0 else -1
            continue
        end = _end(text, at, len(before))
        name = text[at + 4 : text.find("(", at)]
        left_out = text[at:end]
        if not name.isidentifier() or left_out.endswith("\\\n") or _opens_string(left_out):
            return None
        pieces.append(f"{text[position:at]}def {name}():0\n")
        position = end
        at = text.find("def ", end)
    pieces.append(text[position:])
    return "".join(pieces) if len(pieces) > 1 else None


def _end(text: str, start: int, depth: int) -> int:
    """Where the first line after `start` begins that is no deeper than `depth`, and neither blank nor a comment."""
    deeper = " " * (depth + 1)
    line = text.find("\n", start) + 1
    while line:
        following = text.find("\n", line) + 1
        if not text.startswith(deeper, line):
            content = text[line : following or len(text)].strip(" \n")
            if content and not content.startswith(_GOES_ON):
                return line
        line = following
    return len(text)


def _opens_string(text: str) -> bool:
    """Whether a string of several lines may begin in `text` and end behind it."""
    return text.count('"""') % 2 == 1 or text.count("'''") % 2 == 1

"""Text for terminals: escaped, measured in cells, wrapped.

What comes from files is hostile: a control sequence in a model's name must not reach the terminal, and what the stream
cannot carry must not end in a traceback.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# What is printable for Python and yet changes how its neighbours look: variation selectors.
_SELECTORS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# The program's own typographic signs on a stream that cannot carry them.
_PLAIN: Final = {
    "…": "...",
    "·": "-",
    "→": "->",
    "←": "<-",
    "↔": "<->",
    "–": "-",
    "—": "--",
    "×": "x",
    "≥": ">=",
    "≤": "<=",
}
_QUOTES: Final = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})
_SIGNS: Final = "[…·→←–—×≥≤‘’“”]"


def escape(text: str, encoding: str = "utf-8") -> str:
    """`text` on one line, with everything visible as itself or as a backslash escape (as Python would write it)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(escape_character(character, encoding) for character in text)


def prose(text: str, encoding: str = "utf-8") -> str:
    """Like `escape`, for sentences of our own: their typographic signs have a plain form for a poor stream."""
    if not text.isascii():
        text = re.sub(_SIGNS, lambda sign: _plain_sign(sign.group(), encoding), text)
    return escape(text, encoding)


def pasteable(line: str, encoding: str = "utf-8") -> str:
    """A line of code: nothing is cut; tabs stay tabs."""
    return "\t".join(escape(piece, encoding) for piece in line.removesuffix("\r").split("\t"))


def sign(character: str, encoding: str) -> str:
    """A typographic sign, or its plain form."""
    return character if _carries(character, encoding) else _plain_sign(character, encoding)


@lru_cache(maxsize=1024)
def escape_character(character: str, encoding: str) -> str:
    """One character as the terminal may show it.

    Python's idea of printable leaves out controls (C0, C1, DEL), direction marks, zero-width joiners, line separators,
    exotic blanks, private and unassigned code points, and lone surrogates.
    """
    if character.isprintable() and character not in _SELECTORS and _carries(character, encoding):
        return character
    if character in _NAMED:
        return _NAMED[character]
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def width(text: str) -> int:
    """How many terminal cells an escaped text takes."""
    if text.isascii():
        return len(text)
    from lint_m2m.reports.style import cells

    return cells(text)


def wrap(text: str, columns: int, hanging: int = 0) -> list[str]:
    """`text` in lines of at most `columns` cells, broken at blanks only; a longer word has a line of its own.

    The lines after the first leave room for an indentation of `hanging` cells.
    """
    lines: list[str] = []
    current, used = "", 0
    for word in text.split(" "):
        size = width(word)
        if current and used + 1 + size > columns - (hanging if lines else 0):
            lines.append(current)
            current, used = word, size
        elif current:
            current, used = f"{current} {word}", used + 1 + size
        else:
            current, used = word, size
    lines.append(current)
    return lines


def counted(number: int, one: str, many: str | None = None) -> str:
    """ "1 migration", "1,204 migrations"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _plain_sign(character: str, encoding: str) -> str:
    if _carries(character, encoding):
        return character
    return _PLAIN.get(character) or character.translate(_QUOTES)


def _carries(character: str, encoding: str) -> bool:
    if character.isascii():
        return True
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True

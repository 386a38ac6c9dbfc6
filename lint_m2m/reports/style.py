"""All that is rich: colours, the width of wide characters, and a rule's documentation on a terminal.

Colours repeat what the text says; nothing is said by colour alone. rich is imported when something needs it: a plain
ASCII report does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lint_m2m.reports.frames import Line

STYLES: Final = {
    "error": "bold red",
    "warning": "bold yellow",
    "info": "bold cyan",
    "message": "bold",
    "place": "",
    "gutter": "blue",
    "source": "",
    "secondary": "blue",
    "key": "bold",
    "help": "bold green",
    "step": "bold",
    "code": "cyan",
    "command": "cyan",
    "dim": "dim",
}


def plain(lines: Iterable[Line]) -> str:
    """The text alone, no blanks at the end of a line."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def coloured(lines: Iterable[Line]) -> str:
    """The same text with the sixteen colours that every terminal has."""
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(definition) for name, definition in STYLES.items() if definition}
    result = []
    for line in lines:
        for text, name in _trimmed(line):
            style = styles.get(name)
            result.append(style.render(text, color_system=ColorSystem.STANDARD) if style else text)
        result.append("\n")
    return "".join(result)


def cells(text: str) -> int:
    """How many terminal cells a text takes: East Asian wide characters take two, combining ones none."""
    from rich.cells import cell_len

    return cell_len(text)


def windows_terminal_has_colours() -> bool:
    """Whether a Windows console understands colour sequences (those before Windows 10 do not)."""
    from rich.console import get_windows_console_features

    features = get_windows_console_features()
    return features.vt


def markdown(text: str, columns: int) -> str:
    """Markdown (headings, lists, code blocks) for a coloured terminal."""
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    stream = StringIO()
    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        width=columns,
        legacy_windows=False,
        # rich's own style has a black background, which is a hole in a light terminal.
        theme=Theme({"markdown.code": "cyan"}),
    )
    console.print(Markdown(text, code_theme="ansi_light", hyperlinks=False))
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())


def _trimmed(line: Line) -> Line:
    while line and not line[-1][0].rstrip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else line

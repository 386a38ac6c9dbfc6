"""Documentation that is run: the commands of a page, in a folder of its own, and what they print.

A page's blocks with a mark above them are followed in order; the rest is prose.

- ``<!-- file: PATH -->``: the block is that file.
- ``<!-- edit: PATH -->``: a diff without line numbers; what it takes out has to be there once.
- ``<!-- run -->``, ``<!-- run: 1 -->``: commands behind ``$`` and what they print on stdout and stderr together; the
  last one's exit status. A line ``…`` stands for any number of lines; blanks at a line's end do not count.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
ANYTHING = "…"
_BLOCK = re.compile(
    r"^<!-- (?P<kind>file|edit|run)(?:: (?P<argument>\S+))? -->\n```\w+\n(?P<body>.*?)^```$", re.M | re.S
)
_COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.M)


class Step(NamedTuple):
    """A command, the line of the page that it stands in, and what it should do."""

    line: int
    command: str
    output: str
    status: int


def play(page: Path, folder: Path) -> int:
    """Follow a page in `folder` and return how many commands that took. AssertionError where it is not true."""
    text = page.read_text(encoding="utf-8")
    count = 0
    for block in _BLOCK.finditer(text):
        path = folder / (block["argument"] or "")
        if block["kind"] == "file":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"], encoding="utf-8")
        elif block["kind"] == "edit":
            path.write_text(_edited(path.read_text(encoding="utf-8"), block["body"]), encoding="utf-8")
        else:
            for step in _steps(block, text):
                _run(step, page, folder)
                count += 1
    return count


def _steps(block: re.Match[str], text: str) -> Iterator[Step]:
    commands = list(_COMMAND.finditer(block["body"]))
    for command in commands:
        line = text.count("\n", 0, block.start("body") + command.start()) + 1
        status = int(block["argument"] or 0) if command is commands[-1] else 0
        yield Step(line, command["command"], command["output"], status)


def _edited(source: str, diff: str) -> str:
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
    return source.replace(old, new)


def _run(step: Step, page: Path, folder: Path) -> None:
    words = shlex.split(step.command)
    program = {"python": [sys.executable], "lint-m2m": [sys.executable, "-m", "lint_m2m"]}.get(words[0], words[:1])
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR"}}
    done = subprocess.run(
        [*program, *words[1:]],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    where = f"{page.name}:{step.line}: $ {step.command}"
    assert done.returncode == step.status, f"{where}\nends with {done.returncode}\n{done.stdout}"
    assert matches(step.output, done.stdout), f"{where}\nprints\n{done.stdout}"


def matches(expected: str, output: str) -> bool:
    """Whether `output` is `expected`, where lines of ``…`` stand for anything."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == ANYTHING else re.escape(line.rstrip()) + r"[ \t]*\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, output if output.endswith("\n") or not output else output + "\n") is not None

"""The fixture projects of the rules, and what their `# expect:` comments promise.

``tests/fixtures/rules/MTM101/bad_cross_app/`` is a whole small Django project: apps with migrations, a
``pyproject.toml`` that makes it a root of its own, sometimes settings. A finding is expected on each line that ends in
``# expect: MTM101`` (several codes separated by commas); ``# expect-file: MTM901`` expects it on the file's first line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

RULE_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "rules"
GUIDE_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "guides"

_EXPECT = re.compile(rb"#\s*expect(?P<file>-file)?:\s*(?P<codes>[A-Z0-9, ]+)")


class Expected(NamedTuple):
    path: str
    line: int
    code: str


@dataclass(frozen=True, slots=True)
class RuleProject:
    """One fixture: `group` is the rule's code or the guide's name, `name` the folder's ("bad_cross_app")."""

    group: str
    name: str
    path: Path

    @property
    def id(self) -> str:
        return f"{self.group}-{self.name}"

    @property
    def bad(self) -> bool:
        return self.name.startswith("bad")

    @property
    def unknown(self) -> bool:
        return "unknown" in self.name

    def expected(self) -> list[Expected]:
        """All that its comments promise, sorted."""
        found = []
        for file in sorted(self.path.rglob("*.py")):
            relative = file.relative_to(self.path).as_posix()
            for number, line in enumerate(file.read_bytes().splitlines(), 1):
                for match in _EXPECT.finditer(line):
                    codes = match["codes"].decode().replace(",", " ").split()
                    found.extend(Expected(relative, 1 if match["file"] else number, code) for code in codes)
        return sorted(found)


def projects(folder: Path = RULE_FIXTURES) -> list[RuleProject]:
    """All fixtures of a folder, sorted."""
    return [
        RuleProject(group.name, project.name, project)
        for group in sorted(folder.iterdir())
        if group.is_dir()
        for project in sorted(group.iterdir())
        if project.is_dir()
    ]

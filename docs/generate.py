"""Write the generated parts of README.md: the report of the example project, and the rule table.

    python docs/generate.py            bring README.md up to date
    python docs/generate.py --check    print what is out of date; the exit status is 1 if anything is

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end: NAME -->``.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
EXAMPLE = "examples/course-tags"


def example_report() -> str:
    """What the README's first command prints at its end."""
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR"}}
    done = subprocess.run(
        [sys.executable, "-m", "lint_m2m", EXAMPLE],
        cwd=REPOSITORY,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 1 or done.stderr:
        raise SystemExit(f"the example was expected to have findings:\n{done.stdout}{done.stderr}")
    return f"```console\n$ lint-m2m {EXAMPLE}\n{done.stdout}```"


def rule_table() -> str:
    """One row a rule: the code, linked to the module whose docstring is the rule's documentation."""
    from lint_m2m.rules import RULES

    rows = ["| code | name | severity | what it finds |", "|---|---|---|---|"]
    for rule in RULES:
        path = Path(inspect.getfile(rule)).relative_to(REPOSITORY).as_posix()
        documentation = sys.modules[rule.__module__].__doc__ or ""
        headline = documentation.split("\n\n", 1)[0].replace("\n", " ").removesuffix(".")
        rows.append(f"| [{rule.code}]({path}) | `{rule.name}` | {rule.severity.value} | {headline} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {"report": example_report, "rules": rule_table}


def generated(text: str) -> str:
    """`text` with every part as it should be. Raises ValueError for a mark that is missing or unknown."""
    marks = re.findall(r"^<!-- generated: (\S+) -->$", text, re.MULTILINE)
    if sorted(marks) != sorted(PARTS):
        raise ValueError(f"README.md has the parts {sorted(marks)}, not {sorted(PARTS)}")
    for name, part in PARTS.items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->\n"
        head, rest = text.split(begin)
        _, tail = rest.split(end)
        text = f"{head}{begin}{part()}\n{end}{tail}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated parts of README.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a part is out of date")
    check = parser.parse_args().check
    before = README.read_text(encoding="utf-8")
    after = generated(before)
    if before == after:
        return 0
    if not check:
        README.write_text(after, encoding="utf-8")
        return 0
    difference = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), "README.md", "README.md as generated"
    )
    sys.stdout.writelines(difference)
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""`exclude` has git's rules, so git is the judge."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from lint_m2m.readers.project.patterns import Matcher, matcher


def excludes(patterns: list[str], path: str, *, folder: bool = False) -> bool:
    """Whether a walk leaves `path` out: because of itself or of a folder above it."""
    judge = matcher(patterns)
    return judge is not None and _walked(judge, path, folder)


def _walked(judge: Matcher, path: str, folder: bool) -> bool:
    parts = path.split("/")
    return any(judge("/".join(parts[:depth]), True) for depth in range(1, len(parts))) or judge(path, folder)


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (["build"], "build", True),
        (["build"], "src/build/lib/a.py", True),
        (["build/"], "src/build", False),
        (["/build"], "src/build", False),
        (["/build"], "build/a.py", True),
        (["./build"], "build/a.py", True),
        (["./build"], "src/build/a.py", False),
        (["src/build"], "other/src/build", False),
        (["**/migrations/old"], "a/b/migrations/old/x.py", True),
        (["vendor/**"], "vendor/x/a.py", True),
        (["a/**/b"], "a/b", True),
        (["a/**/b"], "a/x/y/b", True),
        (["*.py"], "a/b.py", True),
        (["a*c.py"], "a/c.py", False),
        (["000?_*.py"], "m/0001_x.py", True),
        (["[!a]*.py"], "a.py", False),
        (["[!a]*.py"], "b.py", True),
        (["[z-a].py"], "[z-a].py", True),
        (["*.py", "!keep.py"], "keep.py", False),
        (["!keep.py", "*.py"], "keep.py", True),
        (["# comment", "", "   "], "# comment", False),
        ([r"\#x"], "#x", True),
        (["/"], "a", False),
    ],
)
def test_examples(patterns: list[str], path: str, expected: bool) -> None:
    assert excludes(patterns, path) is expected


def test_nothing_to_exclude() -> None:
    assert matcher([]) is None
    assert matcher(["# only a comment", "!negated"]) is None


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_agrees(tmp_path: Path) -> None:
    chosen = random.Random(20)
    names = ["a", "b", "ab", "abc", "a.py", "b.py", "0001_x.py", "build", "x y", "[z", "a*"]
    # Not "***", which git takes for more than its documentation says.
    atoms = ["a", "b", "*", "**", "?", "[ab]", "[!a]", "a*", "*.py", "build", "a?c", "*b*", "[z-a]", r"\[z", r"a\*"]
    atoms += ["**.py", "[a-c]*", "[]a]", "0*_x.py"]
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for _ in range(40):
        file = tmp_path.joinpath(*chosen.choices(names[:6], k=chosen.randint(1, 3)), chosen.choice(names))
        if not any(folder.is_file() for folder in file.parents) and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    paths = [path for path in sorted(tmp_path.rglob("*")) if ".git" not in path.parts]
    relative = {path.relative_to(tmp_path).as_posix(): path.is_dir() for path in paths}
    wrong = []
    for _ in range(60):
        patterns = []
        for _ in range(chosen.randint(1, 3)):
            pattern = "/".join(chosen.choices(atoms, k=chosen.randint(1, 4)))
            pattern = "/" * (chosen.random() < 0.3) + pattern + "/" * (chosen.random() < 0.3)
            patterns.append("!" * (chosen.random() < 0.2) + pattern)
        (tmp_path / ".gitignore").write_text("\n".join(patterns) + "\n")
        asked = subprocess.run(
            ["git", "-C", str(tmp_path), "check-ignore", "-z", "--stdin", "--no-index"],
            input="\0".join(relative),
            capture_output=True,
            text=True,
            check=False,
        )
        ignored = set(asked.stdout.split("\0"))
        wrong += [
            (patterns, path)
            for path, is_folder in relative.items()
            if path != ".gitignore" and excludes(patterns, path, folder=is_folder) != (path in ignored)
        ]
    assert wrong == []


@pytest.mark.parametrize("pattern", ["*a" * 200 + "b", "**/" * 200 + "b", "/".join(["*a*a*a*"] * 50), "[" * 5000])
def test_takes_no_long_time(pattern: str) -> None:
    judge = matcher([pattern])
    assert judge is not None
    started = time.process_time()
    judge("/".join(["a" * 250] * 50), False)
    assert time.process_time() - started < 2

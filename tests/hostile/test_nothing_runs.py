"""Nothing of the linted project runs: code stands wherever something might load it, and would leave a trace.

The commands run in the project's own folder as the installed ``lint-m2m`` does, which is ``python -P -m lint_m2m``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.projects import INITIAL, THROUGH, library, write
from tests.hostile.command import environment, lint

TRACE = """\
import os
with open(os.environ["LINT_M2M_TRACE"], "a") as trace:
    trace.write(__file__ + "\\n")
"""
# What Python, its tools, Django and this program import by themselves, or might: in the current folder each of them
# would hide the real one.
SHADOWS = (
    *("__future__", "argparse", "ast", "codecs", "contextlib", "dataclasses", "difflib", "enum", "functools", "gc"),
    *("importlib", "json", "os", "pathlib", "re", "signal", "stat", "string", "subprocess", "tokenize", "tomllib"),
    *("traceback", "types", "typing", "warnings", "rich", "sqlglot", "django", "flake8", "shtab", "pre_commit"),
)
MODULES = (
    *("settings.py", "conf/settings.py", "conf/__init__.py", "conf/urls.py", "conftest.py", "setup.py", "noxfile.py"),
    *("sitecustomize.py", "usercustomize.py", "tasks.py", "library/apps.py", "library/models.py", "library/fields.py"),
    *("library/admin.py", "library/conftest.py", "library/management/__init__.py", "shop/apps.py", "shop/models.py"),
    *("library/management/commands/__init__.py", "library/management/commands/lint_m2m.py", "lint_m2m_plugins.py"),
)
FIELD = f"""{TRACE}
from django.db import models


class Tags(models.ManyToManyField):
    def __init__(self, *args, **kwargs):
        open(os.environ["LINT_M2M_TRACE"], "a").write("a field was made")
        super().__init__(*args, **kwargs)
"""
MIGRATION = f"""{TRACE}
from library.fields import Tags

{THROUGH.replace("models.ManyToManyField(", "Tags(")}
    operations += [migrations.RunPython(lambda apps, editor: open(os.environ["LINT_M2M_TRACE"], "a").write("ran"))]
"""
CONFIGURATION = """\
[build-system]
requires = []
build-backend = "setup"
backend-path = ["."]

[project.entry-points."lint_m2m"]
plugin = "lint_m2m_plugins"

[tool.pytest.ini_options]
addopts = "-p conftest"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in which everything that can be loaded writes to a file."""
    settings = f'{TRACE}INSTALLED_APPS = ["library.apps.LibraryConfig", "shop"]\nAUTH_USER_MODEL = "library.Author"\n'
    root = library(tmp_path / "site")
    files = {f"{name}.py": TRACE for name in SHADOWS} | dict.fromkeys(MODULES, TRACE)
    files |= {f"{name}/__init__.py": TRACE for name in ("library", "shop", "library/migrations", "shop/migrations")}
    files |= {
        "settings.py": settings,
        "conf/settings.py": settings,
        "manage.py": f'{TRACE}os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")  # django\n',
        "library/fields.py": FIELD,
        "library/migrations/0001_initial.py": f"{TRACE}\n{INITIAL}",
        "library/migrations/0002_authorship.py": MIGRATION,
        "pyproject.toml": CONFIGURATION,
        "site.pth": f"import os; exec({TRACE!r})\n",
        ".venv/pyvenv.cfg": "home = /nowhere\n",
        ".venv/lib/python3.11/site-packages/evil.pth": f"import os; exec({TRACE!r})\n",
        ".venv/lib/python3.11/site-packages/sitecustomize.py": TRACE,
        ".venv/lib/python3.11/site-packages/taggit/__init__.py": TRACE,
    }
    return write(root, files)


def traced(root: Path) -> dict[str, str]:
    return {"LINT_M2M_TRACE": str(root.parent / "trace"), "VIRTUAL_ENV": str(root / ".venv")}


def traces(root: Path) -> str:
    trace = root.parent / "trace"
    return trace.read_text(encoding="utf-8") if trace.exists() else ""


COMMANDS = (
    (),
    ("check", "--format", "json"),
    ("check", "--verbose", "--statistics", "--color", "always"),
    ("check", "--fix", "--diff"),
    ("check", "--fix", "--unsafe-fixes"),
    ("check", "--show-config"),
    ("check", "library/migrations/0002_authorship.py", "--format", "sarif"),
    ("explain", "MTM101"),
    ("plan", "library.Book.authors", "--through", "library.Authorship"),
    ("--version",),
    ("--help",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_static_command_runs_anything(root: Path, command: tuple[str, ...]) -> None:
    done = lint(root, *command, given=traced(root))
    assert traces(root) == ""
    # It got as far as the project.
    if command[:1] in ((), ("check",)) and "--show-config" not in command and "--fix" not in command:
        assert "MTM101" in done.out


def test_python_m_takes_the_current_folder_off_the_path(root: Path) -> None:
    """``python -m`` (without -P) looks for modules in the current folder first: what Python itself imports before our
    first line comes from there, and docs/security.md says so; nothing that we import does.
    """
    code = "import runpy, sys; print(*sys.modules)"
    before = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    for name in {*before, "lint_m2m"} & {*SHADOWS, "lint_m2m"}:
        (root / f"{name}.py").unlink(missing_ok=True)
    assert (root / "json.py").exists()
    assert (root / "rich.py").exists()
    done = lint(root, "--format", "full", "--color", "always", given=traced(root), python=("-m", "lint_m2m"))
    assert "MTM101" in done.out
    assert traces(root) == ""


def test_the_traps_work(root: Path) -> None:
    """Code that is run does leave a trace, or these tests would show nothing."""
    command = [sys.executable, "-c", "import library.fields"]
    subprocess.run(command, cwd=root, env=environment(**traced(root)), capture_output=True, check=False)
    found = traces(root)
    assert f"library{os.sep}__init__.py" in found

"""The architecture as a test: who may import whom, what start-up never loads, what the static reader never does.

A module imports lower layers (`LAYERS`) or its own package; a module that is not in the table fails. Imports for type
checkers and imports inside functions count like any other.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from lint_m2m.reports import FORMATS

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "lint_m2m"

# What lies directly in lint_m2m/, module or package, and its layer.
LAYERS = {
    # 0: values
    "migration": 0,
    "finding": 0,
    "errors": 0,
    "values": -2,  # what a frozen class is, and one of tuples, for all of them
    "digests": -2,
    "looks": -1,  # what was looked at on disk
    "interrupts": -1,
    "processes": 0,  # work spread over several
    "writing": 0,  # bytes, and how they get into a file
    # 1: bytes, or Django's loader, to Migration values
    "discovery": 1,
    "roots": 1,
    "readers": 1,
    "cache": 1,
    # 2: order
    "graph": 2,
    # 3: the two ledgers
    "replay": 3,
    # 4: facts to safe operation sequences
    "sequences": 4,
    # 5: one module per rule
    "rules": 5,
    # 6: what the user and the repository say
    "config": 6,
    "suppression": 6,
    "baseline": 6,
    "changes": 6,
    # 7: load, graph, replay, rules, suppress, sort
    "engine": 7,
    # 8: Report to text; edit files; run a sequence
    "reports": 8,
    "rewrite": 8,
    "plan": 8,
    "prove": 8,
    "progress": 8,
    # 9: entry points
    "cli": 9,
    "flake8_plugin": 9,
    "apps": 9,
    "prevention": 9,
    "management": 9,
    "__main__": 9,
    "__init__": 9,  # the Python API
}

# Imports between neighbours in one layer, each with a direction that must not turn round.
NEIGHBOURS = {
    ("finding", "migration"),  # a finding has a location
    ("baseline", "config"),  # is a TOML file, too
    ("discovery", "readers"),  # takes the readers' options
    ("discovery", "roots"),
    ("roots", "readers"),  # opens a manage.py as any source
    ("prove", "reports"),  # a proof is shown as a finding is
    ("__main__", "cli"),
    ("flake8_plugin", "cli"),  # says its warnings as the command line does
    ("management", "cli"),  # the same options, report and exit status
    ("apps", "prevention"),  # the system checks
    ("management", "prevention"),  # what makemigrations does more than Django's
}

# Names of lint_m2m/__init__.py that are constants, not the API: every layer may have them.
CONSTANTS = {"__version__"}

# Third-party packages, and the only places (path prefixes below lint_m2m/) that import them.
THIRD_PARTY = {
    # prevention/ is a part of the makemigrations command, and of the system checks.
    "django": ("readers/live/", "prove/worker/", "management/", "prevention/", "apps.py"),
    "MySQLdb": ("prove/worker/database.py",),
    "pymysql": ("prove/worker/database.py",),
    "platformdirs": ("cli/caching.py",),
    "rich": ("reports/style.py", "progress.py"),
    "sqlglot": ("replay/sql.py",),
    "flake8": ("flake8_plugin.py",),
    "shtab": ("cli/completion.py",),
}
# Those of them that cost start-up time are imported inside the function that needs them, everywhere.
LAZY = {"platformdirs", "rich", "shtab", "sqlglot"}

# Everything that reads a stranger's project without running it.
STATIC_READER = ("discovery.py", "readers/", "cache.py")
RUNS_CODE = {"exec", "eval", "compile", "__import__", "import_module", "exec_module", "load_module"}
RUNNERS = {"imp", "importlib", "pkgutil", "runpy", "zipimport"}
# Formats that run code when they are read: what comes from a file is data.
UNSAFE_FORMATS = {"dill", "marshal", "pickle", "shelve"}


@dataclass(frozen=True)
class Import:
    """`target` in `file`: a module's dotted name, or "lint_m2m:name" for a name that lint_m2m/__init__.py defines."""

    file: str
    line: int
    target: str
    at_start: bool

    @property
    def package(self) -> str:
        return self.target.partition(":")[0].partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: imports {self.target}"


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the package, by its path below lint_m2m/."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_bytes(), str(path))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def imports_of(file: str, tree: ast.Module) -> Iterator[Import]:
    package = ["lint_m2m", *file.split("/")[:-1]]

    def visit(node: ast.AST, at_start: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name, at_start)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(file, node.lineno, target_of(module, alias.name), at_start)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from visit(child, False)
            for child in node.orelse:
                yield from visit(child, at_start)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from visit(child, at_start and not inside)

    yield from visit(tree, True)


def target_of(module: str, name: str) -> str:
    """The module that ``from module import name`` reads."""
    if module != "lint_m2m":
        return module
    is_module = (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()
    return f"lint_m2m.{name}" if is_module else f"lint_m2m:{name}"


def unit_of(file: str) -> str:
    """What `LAYERS` lists: the module or package directly in lint_m2m/."""
    return file.partition("/")[0].removesuffix(".py")


@cache
def all_imports() -> list[Import]:
    return [found for file, tree in sources().items() for found in imports_of(file, tree)]


def test_every_module_has_a_layer() -> None:
    unlisted = sorted({unit_of(file) for file in sources()} - LAYERS.keys())
    assert unlisted == [], "give each a layer in tests/test_layers.py, or move it into a package that has one"


def test_modules_import_lower_layers_or_their_own_package() -> None:
    upward = []
    for found in all_imports():
        if found.package != "lint_m2m":
            continue
        module, _, constant = found.target.partition(":")
        if constant in CONSTANTS:
            continue
        source = unit_of(found.file)
        target = module.split(".")[1] if "." in module else "__init__"
        if source == target or (source, target) in NEIGHBOURS:
            continue
        if LAYERS[target] >= LAYERS[source]:
            upward.append(f"{found} (layer {LAYERS[source]} imports layer {LAYERS[target]})")
    assert upward == []


def test_neighbours_are_in_use_and_one_way() -> None:
    used = {
        (unit_of(found.file), found.target.split(".")[1])
        for found in all_imports()
        if found.target.startswith("lint_m2m.")
    }
    assert {pair for pair in NEIGHBOURS if LAYERS[pair[0]] != LAYERS[pair[1]]} == set()
    assert {pair for pair in NEIGHBOURS if pair[::-1] in NEIGHBOURS} == set()
    assert NEIGHBOURS - used == set(), "nobody imports this any more: remove it from the table"


def test_third_party_packages_stay_in_their_places() -> None:
    strays = []
    for found in all_imports():
        if found.package in sys.stdlib_module_names or found.package in ("lint_m2m", "__future__"):
            continue
        if not found.file.startswith(THIRD_PARTY.get(found.package, ())):
            strays.append(str(found))
    assert strays == []


def test_heavy_packages_are_imported_when_needed() -> None:
    early = [str(found) for found in all_imports() if found.package in LAZY and found.at_start]
    assert early == [], "import it inside the function that needs it"


def test_static_reader_runs_no_code() -> None:
    runs = []
    for file, tree in sources().items():
        if not file.startswith(STATIC_READER) or file.startswith("readers/live/"):
            continue
        runs += [str(found) for found in imports_of(file, tree) if found.package in RUNNERS]
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in RUNS_CODE:
                runs.append(f"{file}:{node.lineno}: {node.id}")
            elif isinstance(node, ast.Attribute) and node.attr in RUNS_CODE and ast.unparse(node) != "re.compile":
                runs.append(f"{file}:{node.lineno}: {ast.unparse(node)}")
    assert runs == []


def test_no_format_that_runs_code() -> None:
    # Processes of one run hand each other what they make; nothing else is unpickled, no file above all.
    found = [one for one in all_imports() if one.package in UNSAFE_FORMATS and one.file != "processes.py"]
    assert [str(one) for one in found] == []


RUN = """
import json, sys
sys.argv = ["lint-m2m", *json.loads(sys.argv[1])]
from lint_m2m.__main__ import main
try:
    status = main()
except SystemExit as done:
    status = done.code or 0
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"status": status, "loaded": loaded}), file=sys.stderr)
"""


EXAMPLE = "examples/course-tags"
SILENT = "tests/fixtures/rules/MTM101/good_state_only"
HEAVY = {"django", "rich", "sqlglot"}
# Of Python's own, what is only for findings, for what is kept between runs, or for several processes.
SELDOM = {"hmac", "pickle", "textwrap"}
# What a format may load of what others must not.
NEEDED = {"junit": {"xml"}}


@pytest.mark.parametrize(
    ("arguments", "status", "absent"),
    [
        pytest.param(["--version"], 0, HEAVY, id="version"),
        pytest.param(["--help"], 0, HEAVY, id="help"),
        *(
            pytest.param(["check", "--format", name, EXAMPLE], 1, HEAVY | ({"xml"} - NEEDED.get(name, set())), id=name)
            for name in FORMATS
            if name != "full"
        ),
        pytest.param(["check", EXAMPLE], 1, {"django", "sqlglot"}, id="full"),
        pytest.param(["check", "--no-cache", "--format", "concise", SILENT], 0, HEAVY | SELDOM, id="silent"),
    ],
)
def test_start_up_loads_nothing_it_does_not_need(arguments: list[str], status: int, absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(arguments)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip(), done.stdout
    result = json.loads(done.stderr.splitlines()[-1])
    assert result["status"] == status, done.stdout + done.stderr
    assert absent & set(result["loaded"]) == set()

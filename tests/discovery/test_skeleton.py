"""Modules without what their functions do: the same statements otherwise, and broken ones as they are."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m.readers.project.skeleton import without_bodies
from lint_m2m.readers.project.toplevel import Modules
from tests.discovery.conftest import Write

SOURCES = sorted(Path(lint_m2m.__file__).parent.rglob("*.py")) + sorted(Path(ast.__file__).parent.glob("*.py"))


class _Emptied(ast.NodeTransformer):
    """Leaves of a function its kind, its name and its decorators, and of a string that may hold one nothing."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        kind = type(node).__name__
        return ast.Expr(ast.List([ast.Constant(kind), ast.Constant(node.name), *node.decorator_list]))

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) and "def " in node.value else node


def emptied(text: str) -> str:
    return ast.dump(_Emptied().visit(ast.parse(text)))


def test_statements_of_real_modules_are_the_same() -> None:
    left_out = 0
    for path in SOURCES:
        text = path.read_text(encoding="utf-8", errors="replace")
        found = without_bodies(text)
        if found is not None:
            left_out += len(text) - len(found)
            assert emptied(found) == emptied(text), path
    assert left_out > 1_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A = 1\n", None),
        ("def f(a, b=2):\n    return a\n\n\nB = 1\n", "def f():0\nB = 1\n"),
        ("@g\nasync def f():\n    pass\nB = 1", "@g\nasync def f():0\nB = 1"),
        (
            "class A:\n    x = 1\n\n    def f(self): return 1\n    y = 2\n",
            "class A:\n    x = 1\n\n    def f():0\n    y = 2\n",
        ),
        ("def f(\n    a,\n) -> int:\n    x = [\n]\n# said\n    return x\nB = 1\n", "def f():0\nB = 1\n"),
        (
            "if a:\n    def f():\n        pass\nelse:\n    def f():\n        1\n",
            "if a:\n    def f():0\nelse:\n    def f():0\n",
        ),
        ("x = 'def f():' # def g(): def h():\ndef f():\n    1", "x = 'def f():' # def g(): def h():\ndef f():0\n"),
        ("undef = 1\n", None),
        # A string that ends in the first column, or may.
        ('def f():\n    x = """\ny\n"""\n    return x\nB = 1\n', None),
        ("def f():\n    return 1 + \\\nb\n", None),
        ("def f():\n\treturn 1\n", None),
        ("def f():\r\n    return 1\r\n", None),
        ("def f[T](x: T):\n    return x\n", None),
        ("def \n", None),
    ],
)
def test_what_is_left(text: str, expected: str | None) -> None:
    assert without_bodies(text) == expected


@pytest.mark.parametrize(
    "function",
    [
        "def f():\n    return g(\n1)\n",
        "def f():\n    x = [\n1,\n    2,\n]\n    return x\n",
        "def f():\n    '''\n'''\n    return 1\n",
        'def f():\n    """\n    def g():\n    """\n    return 1\n',
    ],
)
def test_lines_that_are_less_deep_than_their_function(write: Write, function: str) -> None:
    root = write({"settings.py": f"A = 'a'\n{function}B = 'b'\n"})
    scope = Modules(root).scope(str(root / "settings.py"))
    assert scope is not None
    assert {"A", "B", "f"} <= scope.names.keys()
    assert "g" not in scope.names


def test_a_syntax_error_elsewhere_is_still_one(write: Write) -> None:
    root = write({"settings.py": "def f():\n    return 1\n\nA = (\n"})
    modules = Modules(root)
    file = str(root / "settings.py")
    assert modules.scope(file) is None
    assert modules.failures == {file: "'(' was never closed"}


@pytest.mark.parametrize("text", ["def " * 400_000, "def f():\n" * 200_000, "def (" * 300_000, " " * 999_999 + "def "])
def test_time_is_proportional_to_the_text(text: str) -> None:
    before = time.process_time()
    without_bodies(text)
    assert time.process_time() - before < 2

"""Modules whose functions and classes are parsed on request: no difference from parsing the whole text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m.readers.modules import Module
from lint_m2m.readers.outline import outline
from lint_m2m.readers.source import parse

SOURCES = sorted(Path(lint_m2m.__file__).parent.rglob("*.py"))
FILLER = "".join(
    f"def filler_{index}(value):\n    '''Nothing.'''\n    return value + {index}\n\n\n" for index in range(60)
)


def dumped(body: list[ast.stmt]) -> str:
    return ast.dump(ast.Module(body=body, type_ignores=[]), include_attributes=True)


def test_own_sources() -> None:
    found = 0
    for path in SOURCES:
        text = path.read_text()
        own = outline(text)
        if own is not None:
            found += 1
            assert own.fill_all()
            assert dumped(own.body) == dumped(parse(text).body), path
    assert found > len(SOURCES) // 3


@pytest.mark.parametrize(
    "code",
    [
        'TEXT = """\ndef inner():\n    pass\n"""\n',
        "TEXT = r'''\\\nclass Inner:\n    \"\"\"\n'''\n",
        'def f():\n    """\nclass Inner:\n    pass\n"""\n    return "\\"\\\n"\n',
        "@decorated(\n    1,\n)\n@again\nclass Book(\n    Base,\n    key=1,\n):\n    name = 'x'  # it's\n",
        "async def f(a, /, b: int = 2, *c, d, **e) -> int:\n    return 1\n",
        "async  def f(): pass\nclass A: x = 1; y = 2\n",
        "if True:\n    def f():\n        return 1\nelse:\n    def f():\n        return 2\n",
        "try:\n    from a import b\nexcept ImportError:\n# here\n    b = None\nfinally:\n    pass\n",
        "define = 1\nclassic = [\n    2,\n]\ndefine += 1\n",
        "x = f'{1}{\"a\"}' + b'\\'' + u\"''\"\n",
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_no_difference(code: str, before: bool) -> None:
    text = code + FILLER if before else FILLER + code
    found = outline(text)
    assert found is not None
    assert found.fill_all()
    assert dumped(found.body) == dumped(parse(text).body)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        FILLER + "x = '''\n",
        FILLER + "x = 'a\n",
        FILLER + "x = 1\r\n",
        FILLER + "\f\nx = 1\n",
        FILLER + "x = (1\n",
        FILLER + "class A:\n    x = (\n1,\n2)\ny = 1\n",
        FILLER + "<<<<<<< HEAD\n",
        FILLER + "def f(:\n    pass\nelse: x\n",
    ],
)
def test_left_to_the_parser(text: str) -> None:
    assert outline(text) is None


def test_what_does_not_parse_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "helpers.py"
    path.write_text(FILLER + "def broken():\n    except A, B:\n        pass\n\n\ndef last(value):\n    return value\n")
    assert outline(path.read_text()) is not None
    module = Module(path, "helpers")
    (last,) = module.statements("last") or ()
    assert ast.unparse(last) == "def last(value):\n    return value"
    assert module.statements("broken") is None
    assert [(lost.first, lost.last) for lost in module.lost] == [(301, 305)]
    assert module.statements("filler_1") is not None


def test_only_what_is_wanted_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "helpers.py"
    path.write_text(FILLER)
    module = Module(path, "helpers")
    (wanted,) = module.statements("filler_7") or ()
    (other,) = module.bindings["filler_8"]
    assert isinstance(wanted, ast.FunctionDef)
    assert isinstance(other, ast.FunctionDef)
    assert (len(wanted.body), len(other.body)) == (2, 1)
    assert module.parsed.tree.body == module.body
    assert (wanted in module.body, other in module.body, len(other.body)) == (True, True, 2)
    assert module.lost == ()

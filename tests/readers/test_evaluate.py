"""Expressions: what Python says they are worth is what the evaluator says, or it says that it cannot tell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint_m2m.readers.interpret import Interpreter
from lint_m2m.readers.modules import Module, Modules
from lint_m2m.readers.operators import is_plain
from lint_m2m.readers.source import ParsedSource, parse
from lint_m2m.readers.values import Frame, Unreadable, reason_of


def value_of(text: str, module: str = "") -> object:
    """The value of the expression `text` in a module with the source `module`."""
    main = Module(Path("main.py"), "main", ParsedSource(module, parse(module)))
    node = ast.parse(text, mode="eval").body
    return Interpreter(Modules([]), main, {}).value(node, Frame(main, {}))


# What Python makes of these, the evaluator makes as well.
KNOWN = """
1 + 2 * 3 - 4 // 3 % 2
-(1) + +2
"a" "b" + 'c'
"x" * 3
[1] * 2 + [2, 3]
(1, 2) + (3,)
[*[1, 2], *(3, 4), *"ab"]
{**{"a": 1}, "b": 2}
{1, 2} | {3}
{"a": 1} | {"b": 2}
not []
not "x"
1 < 2 < 3
1 < 2 > 3
"a" in "abc"
1 in [1, 2] and 2 not in (3,)
None is None
[] is not None
0 or "" or "c"
1 and "b"
1 and 0 and unknown
1 or unknown
"x" if 0 else "y"
[1, 2, 3][0]
[1, 2, 3][-1]
"abcdef"[1:4]
[1, 2, 3, 4][::2]
(1, 2, 3)[1:]
{"a": {"b": 1}}["a"]["b"]
f"{1}-{'a'!r}-{2:>4}-{'b':{5}}"
"%s %d %%" % ("a", 2)
"%(x)s" % {"x": 1}
"{} {} {a}".format(1, "b", a=2)
"{0!r:>5}{{}}".format("x")
"-".join(["a", "b"])
"a,b".split(",")
"Abc".lower() + "abc".upper() + "  x ".strip() + "xa".removeprefix("x")
"abc".replace("b", "xx").startswith("ax")
"a.b.c".rsplit(".", 1)[0].partition(".")
[x for x in range(5) if x % 2]
[(x, y) for x in (1, 2) for y in "ab" if x]
{x: y for x, y in [("a", 1)]}
{x for x in (1, 1, 2)}
list(x for x in (1, 2))
[[y for y in range(x)] for x in range(3)]
list((1, 2)), tuple([1]), dict(a=1), dict([("b", 2)]), set([1]), str(1), int("2"), bool([]), len("abc")
sorted([3, 1, 2]), list(reversed([1, 2])), list(enumerate("ab", 1)), list(zip([1, 2], "ab"))
sum([[1], [2]], [])
{"a": 1}.get("b", 2), {"a": 1}.get("a"), list({"a": 1}.items()), list({"a": 1}.keys()), list({"a": 1}.values())
(lambda x, y=2: [x, y])(1)
(lambda *a, **k: (a, k))(1, 2, b=3)
[y := 1, y + 1]
...
b"x"
1.5
"""


@pytest.mark.parametrize("text", KNOWN.strip().splitlines())
def test_what_python_says(text: str) -> None:
    wanted = eval(text, {"unknown": None})
    assert value_of(text) == wanted
    assert type(value_of(text)) is type(wanted)


# What would raise, what is not here, and what is too large to try.
UNREADABLE = """
unknown
unknown.attribute
unknown["x"]
1 / 0
1 // 0
"a" + 1
"%d" % "x"
"%s %s" % (1,)
"{} {}".format(1)
"{0.__class__}".format("x")
"{0[0]}".format("x")
"%9999999999d" % 1
"{:9999999999}".format(1)
"{:{}}".format(1, 9999999)
f"{1:9999999999}"
"%*d" % (999999999, 1)
"x" * 10**9
[0] * 10**9
10**10**10
1 << 10**9
2 ** 3
range(10**12)
[1][5]
{}["x"]
{"a": 1}.missing()
"abc".encode("x")
"a".zfill(10**9)
"a".center(10**9)
open("/etc/passwd").read()
__import__("os").getcwd()
await_ ()
[x for x in unknown][0]
max(1, 2)
{unknown: 1}["x"]
int("x")
str(unknown)
"".join([unknown])
getattr("x", "upper")()
"x".__class__
().__class__.__bases__
"""


@pytest.mark.parametrize("text", UNREADABLE.strip().splitlines())
def test_what_cannot_be_told(text: str) -> None:
    value = value_of(text)
    assert not isinstance(value, str | int | float | list | tuple | dict | set | None), value
    assert reason_of(value)


@pytest.mark.parametrize(
    "module",
    [
        # Small programs with results that do not fit into any machine.
        "x = [0]\n" + "x = [x, x]\n" * 60,
        "x = 'ab'\n" + "x = x + x\n" * 60,
        "x = ['ab'] * 1000\n" + "x = x + x\n" * 60,
        "x = ('a',)\n" + "x = (x, x)\n" * 60 + "x = {x: 1}\n",
        "x = {'a': 'ab'}\n" + "x = {'a': x, 'b': x}\n" * 60 + "x = str(x)\n",
        "x = 'a' * 1000000\nx = ('%s' * 1000) % tuple([x] * 1000)\n",
        "x = 'a' * 1000000\nx = ('{0}' * 1000000).format(x)\n",
        "x = 'a' * 1000000\nx = x.replace('a', x)\n",
        "x = 'a' * 1000000\nx = x.join([x] * 1000)\n",
        "x = 'a' * 1000000\nx = '%(a)s' * 1000 % {'a': x}\n",
        "x = 2\n" + "x = x * x\n" * 100,
        "x = 'a'\nfor i in range(1000):\n    x = f'{x}{x}'\n",
        "x = []\nfor i in range(1000):\n    x.append(x)\nx = repr(x)\n",
        "x = []\nx.append(x)\nx = x == [x]\n",
        "def x(): return x()\nx = x()\n",
        "def f(n): return f(n + 1)\nx = f(0)\n",
        "x = x\n",
        "x = y\ny = x\n",
        "class A(B): pass\nclass B(A): pass\nx = A.name\n",
        "x = [*[*[*[1] * 1000] * 1000] * 1000]\n",
        "x = sorted({(1, 'a'), (2, 3)})\n",
        "x = [[1, 2], [3]]\nx.sort()\nx = x[0]\n",
    ],
)
def test_nothing_runs_away(module: str) -> None:
    value_of("x", module)


def test_loops_have_an_end() -> None:
    from lint_m2m.readers.evaluate import TooMuch

    endless = (
        "x = 1\nfor i in range(9999):\n    for j in range(9999):\n        for k in range(9999):\n            x = 2\n"
    )
    with pytest.raises(TooMuch):
        value_of("x", endless)
    with pytest.raises(TooMuch):
        value_of("[1 for i in range(9999) for j in range(9999) for k in range(9999)]")


literals = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False, width=16),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(literals)
def test_literals_are_themselves(literal: object) -> None:
    assert value_of(repr(literal)) == literal


@given(
    literals,
    literals,
    st.sampled_from(["+", "*", "%", "-", "//", "|", "==", "<", "in", "and", "or", "is", "if 1 else"]),
)
def test_operators_agree_with_python_or_give_up(left: object, right: object, operator: str) -> None:
    text = f"({left!r}) {operator} ({right!r})"
    value = value_of(text)
    if isinstance(value, Unreadable):
        return
    try:
        wanted = eval(text)
    except Exception:
        # Lists with parts that could not be read are values as well: [1] + 2 is one.
        assert isinstance(value, list | tuple | bool), text
        return
    assert value == wanted


statements = st.sampled_from(
    [
        "x = 1",
        "x = [1, 2]",
        "x += [3]",
        "x = x + [4] if x else [5]",
        "y = [x]",
        "x.append(6)",
        "y.append(x)",
        "x = y = []",
        "x, y = y, x",
        "for i in (1, 2): x = [i]",
        "for i in range(3):\n    if i == 1:\n        continue\n    x = [x, i]",
        "if y: x = 7",
        "if not x:\n    x = 8\nelse:\n    y = [9]",
        "del_ = x",
        "def f(a, b=2, *c): return [a, b, c]",
        "x = f(1)",
        "x = f(1, 2, 3)",
        "x = [f(i) for i in (1, 2)]",
        "x = {'a': x}",
        "x = dict(x=1)",
        "x['b'] = 1",
        "x = f'{x}'",
        "while y: y.pop()",
        "try:\n    x = 10\nfinally:\n    y = [11]",
    ]
)


@given(st.lists(statements, max_size=8))
def test_programs_agree_with_python_or_give_up(program: list[str]) -> None:
    """Whatever the evaluator says for certain is what Python does."""
    source = "\n".join(["x = [0]", "y = []", "def f(*a): return list(a)", *program])
    names: dict[str, object] = {}
    try:
        exec(source, names)
    except Exception:
        return
    for name in "xy":
        value = value_of(name, source)
        if is_plain(value):
            assert value == names[name], source

"""What names are after a module's top-level statements: known, or UNKNOWN, and never wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.migration import UNKNOWN
from lint_m2m.readers.project.namespace import ClassInfo, DatabaseUrl, EnvironmentText, Imported, Scope, Value
from lint_m2m.readers.project.toplevel import Modules

from .conftest import Write

Follow = Callable[..., Scope]


@pytest.fixture
def follow(write: Write) -> Follow:
    """Write a module (and others beside it) and follow it."""

    def run(text: str, **others: str) -> Scope:
        root = write({"module.py": text, **{name.replace("__", "/") + ".py": other for name, other in others.items()}})
        scope = Modules(root).scope(str(root / "module.py"))
        assert scope is not None
        return scope

    return run


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X = 'a'", "a"),
        ("X: str = 'a'", "a"),
        ("X = 'a' + 'b' 'c'", "abc"),
        ("A = 'a'\nX = f'{A}.b'", "a.b"),
        ("A = X = 'a'", "a"),
        ("A, X = 'a', 'b'", "b"),
        ("[A, (B, X)] = [1, ('a', 'b')]", "b"),
        ("A, *X = 'a', 'b'", UNKNOWN),
        ("X = ('a', *['b', 'c'], 'd')", ("a", "b", "c", "d")),
        ("A = ['a']\nX = A + ['b']", ("a", "b")),
        ("X = ['a']\nX += ('b',)", ("a", "b")),
        ("X = ['a']\nX.append('b')\nX.extend(['c'])\nX.insert(0, 'z')", ("z", "a", "b", "c")),
        ("X = ['a', 'b']\nX.remove('a')", ("b",)),
        ("X = ['a']\nX.sort()", UNKNOWN),
        ("X = ['a'] + other()", ("a", UNKNOWN)),
        ("X = other() + ['a']", (UNKNOWN, "a")),
        ("X = {'a': 1, **{'b': 2}}", {"a": 1, "b": 2}),
        ("X = {'a': 1} | {'a': 2}", {"a": 2}),
        ("X = {'a': 1}\nX |= {'b': 2}", {"a": 1, "b": 2}),
        ("X = {}\nX['a'] = {}\nX['a']['b'] = 1", {"a": {"b": 1}}),
        ("X = {'a': {}}\nX['a'].update({'b': 1})", {"a": {"b": 1}}),
        ("X = {'a': 1}\nX.update(b=2)\nX.setdefault('a', 3)\nX.setdefault('c', 3)", {"a": 1, "b": 2, "c": 3}),
        ("X = {'a': 1, 'b': 2}\nX.pop('a', None)", {"b": 2}),
        ("X = {'a': 1}\nX[other] = 2", {"a": 1, UNKNOWN: UNKNOWN}),
        ("X = dict(a=1, **{'b': 2})", {"a": 1, "b": 2}),
        ("X = dict({'a': 1}, b=2)", {"a": 1, "b": 2}),
        ("A = {'a': ['x', 'y']}\nX = A['a'][-1]", "y"),
        ("X = ('a', 'b')[1]", "b"),
        ("X = ('a', 'b')[2]", UNKNOWN),
        ("X = tuple(['a'])", ("a",)),
        ("X = 'a' if other else 'a'", "a"),
        ("X = 'a' if other else 'b'", UNKNOWN),
        ("X = 'a' if True else 'b'", "a"),
        ("X = 'a.b.c'.rsplit('.', 1)[0]", "a.b"),
        ("X = 'a.b.c'.rpartition('.')[2]", "c"),
        ("X = 'a'.join(other)", UNKNOWN),
        ("X = 'a' * 3", UNKNOWN),
        ("X = other()", UNKNOWN),
        ("X = lambda: 1", UNKNOWN),
        ("X = [a for a in b]", UNKNOWN),
        ("X = 'a'\nX = undefined", UNKNOWN),
        ("X = __name__", "module"),
        ("class A:\n    B = 'a'\nX = A.B", "a"),
        ("import os\nX = os.path.basename(os.path.dirname(__file__))", "checkout"),
        ("def X(): pass", UNKNOWN),
        ("X = 'a'\nfor X in other: pass", UNKNOWN),
        ("X = {'a': 1}\nfor key in other:\n    X[key] = 2", UNKNOWN),
        ("X = ['a']\nwhile other:\n    X.append('b')", UNKNOWN),
        ("X = 'a'\nmatch other:\n    case 1:\n        X = 'b'", UNKNOWN),
        ("with other as X: pass", UNKNOWN),
        ("with other:\n    X = 'a'", "a"),
        ("X = 1 + 1", UNKNOWN),
        ("X = -1", UNKNOWN),
        ("X = None", None),
        ("X = b'a'", UNKNOWN),
    ],
)
def test_values(follow: Follow, text: str, value: Value) -> None:
    assert follow(text).names["X"] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("if other:\n    X = 'b'", UNKNOWN),
        ("if other:\n    X = 'a'", "a"),
        ("if other:\n    X = 'b'\nelse:\n    X = 'b'", "b"),
        ("if True:\n    X = 'b'", "b"),
        ("if False:\n    X = 'b'", "a"),
        ("if TYPE_CHECKING:\n    X = 'b'", "a"),
        ("DEBUG = False\nif DEBUG:\n    X = 'b'", UNKNOWN),
        ("if other:\n    X = 'b'\nelif more:\n    raise ValueError\nelse:\n    raise ValueError", "b"),
        ("if not other:\n    raise ValueError", "a"),
        ("try:\n    X = 'b'\nexcept KeyError:\n    pass", "b"),
        ("try:\n    X = 'b'\nexcept KeyError:\n    raise", "b"),
        ("try:\n    X = 'b'\nexcept KeyError:\n    X = 'c'", UNKNOWN),
        ("try:\n    import y\nexcept ImportError:\n    X = 'a'", "a"),
        ("try:\n    pass\nfinally:\n    X = 'b'", "b"),
        ("del X", "gone"),
    ],
)
def test_ways_that_running_code_would_choose(follow: Follow, text: str, value: Value) -> None:
    assert follow(f"X = 'a'\n{text}\n").names.get("X", "gone") == value


def test_branches_that_differ_in_a_part(follow: Follow) -> None:
    names = follow("X = ['a']\nY = {'a': 1, 'b': 2}\nif other:\n    X += ['b']\n    Y['b'] = 3\n    Z = 1\n").names
    assert names["X"] == ("a", UNKNOWN)
    assert names["Y"] == {"a": 1, "b": UNKNOWN}
    assert names["Z"] is UNKNOWN


@pytest.mark.parametrize(
    "call",
    [
        "os.environ.get('X', 'a')",
        "os.getenv('X', 'a')",
        "environ.get('X', default='a')",
        "env('X', default='a')",
        "env.str('X', 'a')",
        "config('X', default='a')",
        "config('X', cast=str, default='a')",
        "get_env_str('X', 'a')",
        "parser.get('section', 'option', fallback='a')",
        "os.environ.get('X') or 'a'",
        "os.environ['X'] or 'a'",
    ],
)
def test_defaults_of_the_environment(follow: Follow, call: str) -> None:
    value = follow(f"X = {call}").names["X"]
    assert value == "a"
    assert isinstance(value, EnvironmentText)


def test_what_contains_a_default_is_no_more_certain(follow: Follow) -> None:
    value = follow("import os\nX = 'django.db.backends.' + os.getenv('X', 'sqlite3')").names["X"]
    assert value == "django.db.backends.sqlite3"
    assert isinstance(value, EnvironmentText)
    assert isinstance(follow("import os\nA = os.getenv('X', 'b')\nX = f'a.{A}'").names["X"], EnvironmentText)


@pytest.mark.parametrize(
    "call",
    ["os.environ.get('X')", "env('X')", "parser.get('section', 'option')", "mapping.get('X', 'a')", "f('a', 'b')"],
)
def test_no_default(follow: Follow, call: str) -> None:
    assert follow(f"X = {call}").names["X"] is UNKNOWN


@pytest.mark.parametrize(
    "call",
    [
        "dj_database_url.config(default='postgres://u@h/d')",
        "dj_database_url.config('NAME', default='postgres://u@h/d', conn_max_age=600)",
        "dj_database_url.parse('postgres://u@h/d')",
        "env.db(default='postgres://u@h/d')",
        "env.db('NAME', 'postgres://u@h/d')",
        "env.db_url('NAME', default='postgres://u@h/d')",
    ],
)
def test_database_urls(follow: Follow, call: str) -> None:
    value = follow(f"X = {{'default': {call}}}").names["X"]
    assert isinstance(value, dict)
    assert value["default"]["ENGINE"] == "postgres://u@h/d"
    assert isinstance(value["default"]["ENGINE"], DatabaseUrl)


class TestImports:
    def test_names(self, follow: Follow) -> None:
        scope = follow("from other import A as B\nX = B + 'c'", other="A = 'a'")
        assert scope.names["X"] == "ac"

    def test_attributes_of_modules(self, follow: Follow) -> None:
        scope = follow(
            "import pack.other\nfrom pack import other\nX = pack.other.A\nY = other.A",
            pack____init__="",
            pack__other="A = 'a'",
        )
        assert (scope.names["X"], scope.names["Y"]) == ("a", "a")

    def test_relative(self, write: Write) -> None:
        root = write(
            {
                "pack/__init__.py": "",
                "pack/base.py": "A = 'a'",
                "pack/sub/__init__.py": "",
                "pack/sub/module.py": "from ..base import A\nfrom . import near\nX = A + near.B",
                "pack/sub/near.py": "B = 'b'",
            }
        )
        scope = Modules(root).scope(str(root / "pack/sub/module.py"))
        assert scope is not None
        assert scope.names["X"] == "ab"

    def test_star(self, follow: Follow) -> None:
        scope = follow("from other import *\nX = A + 'b'", other="A = 'a'\n_hidden = 1")
        assert scope.names["X"] == "ab"
        assert "_hidden" not in scope.names
        assert scope.complete

    def test_star_of_what_is_not_here(self, follow: Follow) -> None:
        assert not follow("from elsewhere.settings import *\nX = 'a'").complete
        assert not follow("if other:\n    from elsewhere.settings import *\nX = 'a'").complete
        assert follow("from django.conf.global_settings import *\nX = 'a'").complete

    def test_star_that_may_fail(self, follow: Follow) -> None:
        assert follow("try:\n    from .local import *\nexcept ImportError:\n    pass").complete
        assert follow("try:\n    from .local import *\nexcept (KeyError, ModuleNotFoundError):\n    pass").complete
        assert not follow("try:\n    from .local import *\nexcept KeyError:\n    pass").complete

    def test_star_that_may_fail_and_does_not(self, follow: Follow) -> None:
        scope = follow("X = 'a'\ntry:\n    from local import *\nexcept ImportError:\n    pass", local="X = 'b'")
        assert scope.names["X"] == "b"

    def test_incomplete_is_inherited(self, follow: Follow) -> None:
        assert not follow("from other import *", other="from elsewhere import *").complete

    def test_circles(self, follow: Follow) -> None:
        scope = follow("from other import *\nX = 'a'", other="from module import *\nY = 'b'")
        assert (scope.names["X"], scope.names["Y"]) == ("a", "b")
        assert not scope.complete
        assert follow("from module import X\nY = X").names["Y"] is UNKNOWN
        assert follow("from other import X\nY = X", other="from module import X").names["Y"] is UNKNOWN

    def test_what_is_not_here_keeps_its_name(self, follow: Follow) -> None:
        scope = follow("from django.apps import AppConfig\nclass A(AppConfig): pass")
        info = scope.names["A"]
        assert isinstance(info, ClassInfo)
        base = info.bases[0]
        assert isinstance(base, Imported)
        assert base.path == "django.apps.AppConfig"

    def test_nearest_first(self, write: Write) -> None:
        root = write(
            {
                "other.py": "A = 'root'",
                "site/manage.py": "",
                "site/other.py": "A = 'site'",
                "site/pack/__init__.py": "",
                "site/pack/module.py": "from other import A\nX = A",
                "site/pack/other.py": "A = 'package'",
            }
        )
        scope = Modules(root).scope(str(root / "site/pack/module.py"))
        assert scope is not None
        assert scope.names["X"] == "site"

    def test_importable_folders(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "installed").mkdir()
        (tmp_path / "installed" / "base.py").write_text("A = 'a'")
        root = write({"module.py": "from base import A\nX = A"})
        scope = Modules(root, [tmp_path / "installed"]).scope(str(root / "module.py"))
        assert scope is not None
        assert scope.names["X"] == "a"

    def test_a_link_that_leaves_the_root_is_not_read(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "secret.py").write_text("A = 'a'")
        root = write({"module.py": "from linked import A\nX = A"})
        (root / "linked.py").symlink_to(tmp_path / "secret.py")
        modules = Modules(root)
        scope = modules.scope(str(root / "module.py"))
        assert scope is not None
        assert scope.names["X"] is UNKNOWN
        assert modules.failures == {str(root / "linked.py"): "a link that leaves the project"}


class TestSplitSettings:
    def test_include(self, write: Write) -> None:
        root = write(
            {
                "module.py": "from split_settings.tools import include, optional\n"
                "A = 'a'\n"
                "include('parts/*.py', optional('missing.py'))\n",
                "parts/one.py": "B = A + 'b'",
                "parts/two.py": "from .names import C\nX = B + C",
                "parts/names.py": "C = 'c'",
                "parts/note.txt": "",
            }
        )
        scope = Modules(root).scope(str(root / "module.py"))
        assert scope is not None
        assert scope.names["X"] == "abc"
        assert scope.complete

    def test_includes_itself(self, follow: Follow) -> None:
        text = "from split_settings.tools import include\ninclude('*.py')\nX = 'a'\n"
        assert follow(text, other=text).names["X"] == "a"

    def test_unknown_pattern(self, follow: Follow) -> None:
        assert not follow("from split_settings.tools import include\ninclude(f'{ENV}.py')").complete


@pytest.mark.parametrize(
    "statement",
    [
        "globals().update(other)",
        "locals()['X'] = 1",
        "vars().update(a=1)",
        "exec(open('local.py').read())",
        "django_heroku.settings(locals())",
        "configure(namespace=globals())",
    ],
)
def test_tampering_with_the_namespace(follow: Follow, statement: str) -> None:
    assert not follow(f"X = 'a'\n{statement}\n").complete


class TestHostile:
    @pytest.mark.parametrize(
        "text",
        [
            "X = " + "-" * 100_000 + "1\n",
            "X = " + "(" * 150 + ")" * 150 + "\n",
            "X = a" + ".b" * 900 + "\n",
            "X = 'a'" + " + 'a'" * 900 + "\n",
            "class A:\n"
            + "".join(" " * (level + 1) + f"class A{level}:\n" for level in range(90))
            + " " * 92
            + "X = 1\n",
        ],
        ids=lambda text: repr(text[:12]),
    )
    def test_deep(self, follow: Follow, text: str) -> None:
        assert follow(f"A = 'a'\n{text}Y = 'b'\n").names["Y"] == "b"

    @pytest.mark.parametrize(
        "text",
        [
            "X = 'a' * 10\n" + "X = X + X\n" * 60,
            "X = 'abcdefghij'\n" + "X = X + X\n" * 60,
            "X = ['a']\n" + "X = X + X\n" * 60,
            "X = ['a']\n" + "X = [*X, *X]\n" * 60,
            "X = {'a': 1}\n" + "X = {'a': X, 'b': X, **X}\n" * 200,
            "X = {}\n" + "".join(f"X['{number}'] = {number}\n" for number in range(10_000)),
            "X = []\n" + "X += ['a']\n" * 15_000,
            "".join(f"A{number} = 1\n" for number in range(5_000)) + "if a:\n    pass\n" * 10_000,
            "X = {'a': 1}\n" + "if a:\n    X = {'a': X, 'b': X}\nelse:\n    X = {'a': X, 'b': X}\n" * 60,
        ],
        ids=lambda text: repr(text[:24]),
    )
    def test_growth(self, follow: Follow, text: str) -> None:
        started = time.process_time()
        follow(text)
        assert time.process_time() - started < 10

    def test_a_module_that_takes_too_long_says_nothing(self, write: Write) -> None:
        root = write({"module.py": "X = ['a']\n" + "X = X + X\n" * 60})
        modules = Modules(root)
        scope = modules.scope(str(root / "module.py"))
        assert scope is not None
        assert (scope.names, scope.complete) == ({}, False)
        assert modules.failures == {str(root / "module.py"): "takes too long to follow"}

    def test_a_long_chain_of_imports(self, write: Write) -> None:
        files = {f"m{number}.py": f"from m{number + 1} import *\nX{number} = 1\n" for number in range(1_500)}
        root = write(files)
        assert Modules(root).scope(str(root / "m0.py")) is not None

    @pytest.mark.parametrize("text", ["X = (", "X = 1\0", "\ufeff\ufeffX = 1"])
    def test_no_python(self, write: Write, text: str) -> None:
        root = write({"module.py": text})
        modules = Modules(root)
        assert modules.scope(str(root / "module.py")) is None
        assert list(modules.failures) == [str(root / "module.py")]
        assert modules.scope(str(root / "module.py")) is None

    def test_missing(self, tmp_path: Path) -> None:
        assert Modules(tmp_path).scope(str(tmp_path / "gone.py")) is None

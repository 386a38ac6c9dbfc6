"""From pyproject.toml and the command line to a `Config`, and every way in which that goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.config import OPTIONS, Config, Source, load, override, passed_by, read
from lint_m2m.config.values import attribute_of
from lint_m2m.errors import ConfigurationError, UsageError
from lint_m2m.finding import Severity

EVERYTHING = """\
[project]
name = "library"

[tool.lint-m2m]
select = ["MTM1", "mtm202"]
extend-select = ["MTM904"]
ignore = ["MTM104"]
fail-on = "error"
exit-zero = true
format = "json"
output = "reports/lint.json"
statistics = true
color = "never"
quiet = false
verbose = true
exclude = ["legacy/", "**/old_*"]
django-version = "5.2.19"
database = "mariadb"
baseline = "known.toml"
cache-dir = ".cache/lint"
no-cache = true

[tool.lint-m2m.per-file-ignores]
"library/migrations/*" = ["MTM303"]

[tool.lint-m2m.migration-modules]
library = "config.migrations.library"
nothing = ""

[tool.lint-m2m.app-labels]
"src/books" = "library"

[tool.lint-m2m.swappable]
AUTH_USER_MODEL = "accounts.User"

[tool.lint-m2m.many-to-many-fields]
"taggit.managers.TaggableManager" = "taggit.TaggedItem"
"my.Field" = "auto"

[tool.lint-m2m.operations]
"my.ops.SafeAlterField" = "AlterField"
"""


def write(folder: Path, text: str | bytes, name: str = "pyproject.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def table(*lines: str) -> str:
    return "\n".join(["[tool.lint-m2m]", *lines, ""])


def test_every_option(tmp_path: Path) -> None:
    file = write(tmp_path, EVERYTHING)
    config = load(tmp_path)
    assert config == Config(
        select=("MTM1", "MTM202"),
        extend_select=("MTM904",),
        ignore=("MTM104",),
        fail_on=Severity.ERROR,
        exit_zero=True,
        format=("json",),
        output=str(tmp_path / "reports/lint.json"),
        statistics=True,
        color="never",
        verbose=True,
        exclude=("legacy/", "**/old_*"),
        django_version=(5, 2),
        database="mysql",
        baseline=str(tmp_path / "known.toml"),
        cache_dir=str(tmp_path / ".cache/lint"),
        no_cache=True,
        per_file_ignores=(("library/migrations/*", ("MTM303",)),),
        migration_modules=(("library", "config.migrations.library"), ("nothing", "")),
        app_labels=(("src/books", "library"),),
        swappable=(("AUTH_USER_MODEL", "accounts.User"),),
        many_to_many_fields=(("my.Field", "auto"), ("taggit.managers.TaggableManager", "taggit.TaggedItem")),
        operations=(("my.ops.SafeAlterField", "AlterField"),),
        folder=tmp_path,
    )
    assert read(file) == config
    assert hash(config) == hash(read(file))
    assert {name for name, _ in config.origins} == set(OPTIONS)


def test_files_of_formats_lie_beside_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, table('format = ["sarif:out/report.sarif", "json:/elsewhere.json", "github:-", "full"]'))
    assert load(tmp_path).format == (f"sarif:{tmp_path}/out/report.sarif", "json:/elsewhere.json", "github:-", "full")


@pytest.mark.parametrize("folder", ["..", ".", "/tmp", "../elsewhere", "link/cache"])
def test_a_project_cannot_have_the_cache_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """What is checked may be a stranger's repository: it does not say where this user's files go."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside").mkdir()
    project = tmp_path / "project"
    write(project, table(f'cache-dir = "{folder}"'))
    (project / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigurationError) as caught:
        load(project)
    problem = "`cache-dir` has to be a folder below project; `--cache-dir` may name any"
    assert str(caught.value) == f"project/pyproject.toml:2: {problem}"


def test_every_option_is_an_attribute() -> None:
    """The names of the file, of the command line and of the API differ in dashes only."""
    assert {attribute_of(option) for option in OPTIONS} == set(Config.__dataclass_fields__) - {
        "folder",
        "origins",
        "searched",
        "warnings",
    }


def test_who_set_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "project", EVERYTHING)
    config = load(tmp_path / "project", command_line={"format": ["concise"]})
    assert config.origin("fail-on") == (Source.FILE, "project/pyproject.toml", 8)
    assert config.origin("per-file-ignores") == (Source.FILE, "project/pyproject.toml", 23)
    assert config.origin("format") == (Source.COMMAND_LINE, None, None)
    assert load(tmp_path).origin("format") == (Source.DEFAULT, None, None)
    assert [str(config.origin(name)) for name in ("fail-on", "format")] == ["project/pyproject.toml:8", "command line"]


def test_nothing_configured(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert load(tmp_path) == Config()
    write(tmp_path, "[tool.black]\n")
    assert load(tmp_path) == Config()
    assert load(tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[project]\nname = \n", "pyproject.toml:2: not valid TOML: Invalid value"),
        (b"name = '\xff'\n", "pyproject.toml:1: not valid UTF-8"),
        (b"x = " + b"[" * 100_000, "pyproject.toml: not valid TOML: nested too deep"),
    ],
    ids=["syntax", "encoding", "deep"],
)
def test_a_broken_file_that_says_nothing_of_us_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, problem: str
) -> None:
    """It may have been meant to; the next one upward counts."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, content)
    (tmp_path / ".git").mkdir()
    assert load(tmp_path) == Config()
    assert load(tmp_path).warnings == (f"{problem}; no configuration is taken from it",)
    assert load(tmp_path, isolated=True).warnings == ()
    write(tmp_path / "inner", "[project\n")
    write(tmp_path, table('format = "json"'))
    config = load(tmp_path / "inner")
    assert config.format == ("json",)
    (warning,) = config.warnings
    assert warning.startswith("inner/pyproject.toml:1: not valid TOML: ")


@pytest.mark.parametrize("header", ["tool.lint_m2m", "tool.lintm2m", 'tool."Lint M2M"', "lint-m2m"])
def test_our_table_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, f'[project]\nname = "lint-m2m-user"\n[{header}]\nformat = "json"\n')
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path)
    shown = header.replace('"', "")
    assert str(caught.value) == f"pyproject.toml:3: unknown table `[{shown}]`; it has to be `[tool.lint-m2m]`"


def test_nearest_table_upward_up_to_the_repository_s_top(tmp_path: Path) -> None:
    write(tmp_path, table('format = "json"'))
    write(tmp_path / "repository", table('format = "concise"'))
    write(tmp_path / "repository" / "service", "[tool.ruff]\n")
    assert load(tmp_path / "repository" / "service" / "src").format == ("concise",)
    (tmp_path / "repository" / "service" / ".git").mkdir()
    assert load(tmp_path / "repository" / "service" / "src") == Config()


def test_config_names_another_file(tmp_path: Path) -> None:
    write(tmp_path, table('format = "json"'))
    other = write(tmp_path / "elsewhere", table('format = "concise"', 'output = "x.txt"'), "other.toml")
    config = load(tmp_path, file=other)
    assert (config.format, config.output) == (("concise",), str(tmp_path / "elsewhere" / "x.txt"))


def test_isolated(tmp_path: Path) -> None:
    file = write(tmp_path, table('format = "json"'))
    assert load(tmp_path, isolated=True) == Config()
    with pytest.raises(UsageError, match="`--config` and `--isolated` exclude each other"):
        load(tmp_path, file=file, isolated=True)


def test_quiet_and_verbose_set_each_other_aside(tmp_path: Path) -> None:
    write(tmp_path, table("quiet = true"))
    config = load(tmp_path, command_line={"verbose": True})
    assert (config.quiet, config.verbose) == (False, True)
    assert config.origin("quiet").source is Source.COMMAND_LINE
    write(tmp_path, table("verbose = true"))
    config = load(tmp_path, command_line={"quiet": True})
    assert (config.quiet, config.verbose) == (True, False)
    config = load(tmp_path, command_line={"quiet": True, "verbose": True})
    assert (config.quiet, config.verbose) == (True, True)


def test_configurations_that_the_search_does_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "backend", table('ignore = ["MTM4"]'))
    write(tmp_path / "portal", "[project]\n# lint-m2m\n")
    write(tmp_path / "broken", "[tool.lint-m2m\n")
    write(tmp_path / "other", table('ignore = ["MTM4"]'))
    files = [f"{folder}/shop/migrations/0001_initial.py" for folder in ("backend", "portal", "broken")]
    assert passed_by(tmp_path, [*files, "backend/shop/migrations/0002_tags.py", "manage.py"]) == [
        (
            "backend/pyproject.toml:1: this `[tool.lint-m2m]` does not count in a check that begins above it; in "
            "`lint-m2m backend` it does"
        )
    ]
    assert passed_by(tmp_path / "backend", ["shop/migrations/0001_initial.py"]) == []
    for number in range(5):
        write(tmp_path / f"example{number}", table())
    examples = passed_by(tmp_path, [f"example{number}/shop/migrations/0001_initial.py" for number in range(5)])
    assert len(examples) == 4
    assert examples[-1] == "2 more files below the root have such a table"


def test_command_line_wins(tmp_path: Path) -> None:
    write(tmp_path, table('select = ["MTM1"]', 'extend-select = ["MTM904"]', 'ignore = ["MTM104"]', "exit-zero = true"))
    config = load(tmp_path, command_line={"ignore": ["MTM103"], "fail-on": "info"})
    assert (config.select, config.ignore, config.fail_on) == (("MTM1",), ("MTM103",), Severity.INFO)
    assert config.exit_zero
    assert load(tmp_path, command_line={"extend-select": ["MTM2"]}).extend_select == ("MTM904", "MTM2")
    both = load(tmp_path, command_line={"extend-select": ["MTM2"]}).origin("extend-select")
    assert str(both) == f"{tmp_path}/pyproject.toml:3, command line"
    only = load(tmp_path, command_line={"select": ["MTM202"]})
    assert (only.select, only.extend_select, only.ignore) == (("MTM202",), (), ("MTM104",))
    assert only.origin("extend-select").source is Source.DEFAULT


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['selct = ["MTM1"]'], ":2: unknown key `selct` in `[tool.lint-m2m]`; the nearest known one is `select`"),
        (
            ["", 'per-file-ignore = { "a" = ["MTM1"] }'],
            ":3: unknown key `per-file-ignore` in `[tool.lint-m2m]`; the nearest known one is `per-file-ignores`",
        ),
        (["fail_on = 'error'"], ":2: unknown key `fail_on` in `[tool.lint-m2m]`; the nearest known one is `fail-on`"),
        (
            ["[tool.lint-m2m.swapable]", "X = 'a.B'"],
            ":2: unknown key `swapable` in `[tool.lint-m2m]`; the nearest known one is `swappable`",
        ),
        (
            ["quiet = true", 'since = "main"'],
            ":3: `since` is an option of the command line alone, and no key of `[tool.lint-m2m]`",
        ),
        (['baseline = ""'], ":2: `baseline` is an empty string, but has to be a string that is not empty"),
        (['select = "MTM1"'], ":2: `select` is the string `MTM1`, but has to be a list of strings"),
        (["select = [1]"], ":2: `select` holds the number `1`, but has to be a list of strings"),
        (
            ['select = ["E501"]'],
            (
                ":2: `select` names `E501`, which is no rule: a rule goes by its code, `MTM` and three digits (or the "
                "beginning of that, or `ALL`), or by its name"
            ),
        ),
        (
            ['ignore = ["MTM1O1"]'],
            (
                ":2: `ignore` names `MTM1O1`, which is no rule: a rule goes by its code, `MTM` and three digits (or "
                "the beginning of that, or `ALL`), or by its name; nearest: `MTM101`"
            ),
        ),
        (
            ['per-file-ignores = { "a" = ["recreated"] }'],
            (
                ":2: `per-file-ignores` for `a` names `recreated`, which is no rule: a rule goes by its code, `MTM` "
                "and three digits (or the beginning of that, or `ALL`), or by its name; nearest: `m2m-recreated`"
            ),
        ),
        (["exit-zero = 1"], ":2: `exit-zero` is the number `1`, but has to be `true` or `false`"),
        (['exit-zero = "yes"'], ":2: `exit-zero` is the string `yes`, but has to be `true` or `false`"),
        (
            ['fail-on = "erorr"'],
            ":2: `fail-on` is `erorr`, but has to be one of `error`, `warning`, `info`; nearest: `error`",
        ),
        (["fail-on = true"], ":2: `fail-on` is `true`, but has to be one of `error`, `warning`, `info`"),
        (
            ['color = "alway"'],
            ":2: `color` is `alway`, but has to be one of `auto`, `always`, `never`; nearest: `always`",
        ),
        (["format = {}"], ":2: `format` is a table, but has to be a string or a list of strings"),
        (["format = []"], ":2: `format` is an empty list, but has to be a string or a list of strings"),
        (['format = ["json", 1]'], ":2: `format` holds the number `1`, but has to be a string or a list of strings"),
        (['format = ""'], ":2: `format` is an empty string, but has to be a string or a list of strings"),
        (
            ['database = "postgres"'],
            (
                ":2: `database` is `postgres`, but has to be one of `postgresql`, `mysql`, `sqlite`, `oracle`; "
                "nearest: `postgresql`"
            ),
        ),
        (["django-version = 5.2"], ':2: `django-version` is the number `5.2`, but has to be a string such as "6.1"'),
        (['django-version = "3.2"'], ":2: `django-version` is `3.2`; versions 4.2 to 6.1 are known"),
        (
            ["per-file-ignores = []"],
            ":2: `per-file-ignores` is a list, but has to be a table of globs and lists of rule codes",
        ),
        (
            ["[tool.lint-m2m.per-file-ignores]", "", '"a/*" = "MTM1"'],
            ":4: `per-file-ignores` for `a/*` is the string `MTM1`, but has to be a list of strings",
        ),
        (
            ["[tool.lint-m2m.swappable]", "AUTH_USER_MODEL = 'User'"],
            (
                ":3: `swappable` for `AUTH_USER_MODEL` is the string `User`, but has to be a model such as "
                '`"accounts.User"`'
            ),
        ),
        (
            ["[tool.lint-m2m.swappable]", "'not a setting' = 'a.B'"],
            ":3: `swappable` for `not a setting` is no name of a setting",
        ),
        (
            ["[tool.lint-m2m.many-to-many-fields]", "'my.F' = 'automatic'"],
            (
                ":3: `many-to-many-fields` for `my.F` is the string `automatic`, but has to be a model such as "
                '`"accounts.User"` or `"auto"`'
            ),
        ),
        (
            ["[tool.lint-m2m.many-to-many-fields]", "F = 'auto'"],
            ":3: `many-to-many-fields` for `F` is no dotted path of a class",
        ),
        (
            ["[tool.lint-m2m.operations]", "'my.Op' = 'AlterFeild'"],
            (
                ":3: `operations` for `my.Op` is `AlterFeild`, but has to be the name of an operation of Django; "
                "nearest: `AlterField`"
            ),
        ),
        (
            ["[tool.lint-m2m.migration-modules]", "a = false"],
            ":3: `migration-modules` for `a` is `false`, but has to be a dotted module name (empty: the app has none)",
        ),
        (
            ["[tool.lint-m2m.app-labels]", "'a/b' = 'no label'"],
            ":3: `app-labels` for `a/b` is the string `no label`, but has to be an app label",
        ),
    ],
)
def test_what_makes_no_sense_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, table(*lines))
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"pyproject.toml{message}"


def test_unlike_anything_known_lists_what_is_known(tmp_path: Path) -> None:
    write(tmp_path, table("zzzz = 1"))
    with pytest.raises(ConfigurationError, match=r"unknown key `zzzz`.*; known are `select`, `extend-select`, "):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[tool.lint-m2m]\nselect = [\n\n", "pyproject.toml:4: not valid TOML: Invalid value"),
        (b"[tool.lint-m2m]\nselect = select\n", "pyproject.toml:2: not valid TOML: Invalid value$"),
        (b"[tool.lint-m2m]\nformat = 'a\xff'\n", "pyproject.toml:2: not valid UTF-8"),
        (b"tool = 3 # lint-m2m", "pyproject.toml:1: `tool` has to be a table"),
        (b"[tool]\n\nlint-m2m = 'x'\n", "pyproject.toml:3: `tool.lint-m2m` has to be a table"),
        (b"[[tool.lint-m2m]]\nformat = 'x'\n", "pyproject.toml: `tool.lint-m2m` has to be a table"),
        (b"x = " + b"[" * 100_000 + b"# lint-m2m", "pyproject.toml: not valid TOML: nested too deep"),
        (b"# lint-m2m" * 1_000_000, "pyproject.toml: cannot be read: larger than 512 KB"),
    ],
    ids=["end", "syntax", "encoding", "no table", "no table below", "array", "deep", "large"],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, content)
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path)


def test_named_file_has_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"^gone\.toml: no such file$"):
        load(tmp_path, file=Path("gone.toml"))
    write(tmp_path, "[project]\n")
    with pytest.raises(ConfigurationError, match=r"^pyproject\.toml: there is no `\[tool\.lint-m2m\]` table in it$"):
        load(tmp_path, file=Path("pyproject.toml"))
    with pytest.raises(ConfigurationError, match=r"cannot be read"):
        load(tmp_path, file=tmp_path)


def test_folder_named_like_the_file_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    (tmp_path / ".git").mkdir()
    assert load(tmp_path) == Config()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fail-on": "fatal"}, "`--fail-on` is `fatal`, but has to be one of `error`, `warning`, `info`"),
        ({"select": ["MTM1", "X"]}, "`--select` names `X`, which is no rule: "),
    ],
)
def test_command_line_that_makes_no_sense(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(Config(), values)
    assert str(caught.value).startswith(message)


def test_windows_line_endings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, b"[tool.lint-m2m]\r\nformat = 'json'\r\nwrong = 1\r\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml:3: unknown key `wrong`"):
        load(tmp_path)


def test_a_mark_before_the_text(tmp_path: Path) -> None:
    """Windows' editors write one."""
    write(tmp_path, b"\xef\xbb\xbf[tool.lint-m2m]\nignore = ['MTM4']\n")
    assert load(tmp_path).ignore == ("MTM4",)

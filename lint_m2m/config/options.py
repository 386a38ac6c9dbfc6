"""Every option by name, and what a value for it has to be.

The names are those of ``[tool.lint-m2m]`` and of the command line; both come through the same parsers here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeAlias

from lint_m2m.errors import UsageError
from lint_m2m.finding import Severity
from lint_m2m.values import NamedTuple

Parser: TypeAlias = Callable[[object], object]

COLORS: Final = ("auto", "always", "never")
DATABASES: Final = ("postgresql", "mysql", "sqlite", "oracle")
# Oldest and newest release that the replay knows.
DJANGO_VERSIONS: Final = ((4, 2), (6, 1))
# Longer words are nobody's slip of the finger; what is longer is shown in part.
MAX_WORD: Final = 100
MAX_TEXT: Final = 600


class Mismatch(Exception):
    """A value that cannot be used: `problem` completes the sentence that begins with the option's name."""

    def __init__(self, problem: str, entry: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.entry = entry  # the key within a table that is at fault


class Option(NamedTuple):
    """What its value may be, what it is for, and whether it is a table of its own in the file."""

    parse: Parser
    help: str
    table: bool = False


def nearest(word: str, known: Collection[str], sentence: str = "nearest: {}") -> str:
    """ "; nearest: `select`", or an empty text when nothing is near."""
    from difflib import get_close_matches

    if len(word) > MAX_WORD:
        return ""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; {sentence.format(f'`{close[0]}`')}" if close else ""


def shortened(text: str) -> str:
    """`text` as it is shown in a message: of a very long one the beginning and the end."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT // 2]}…{text[-MAX_TEXT // 2 :]}"


def listed(words: Iterable[str]) -> str:
    """`a`, `b`, `c`"""
    return ", ".join(f"`{word}`" for word in words)


def require_one_of(option: str, value: str, words: Collection[str]) -> None:
    """For options of a command alone: UsageError for a value that is none of `words`."""
    if value not in words:
        raise UsageError(f"`--{option}` is `{value}`, but has to be one of {listed(words)}{nearest(value, words)}")


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch(f"is {_described(value)}, but has to be `true` or `false`")


def _text(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise Mismatch(f"is {_described(value)}, but has to be a string{'' if value != '' else ' that is not empty'}")


def _texts(value: object, wanted: str = "a list of strings") -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise Mismatch(f"is {_described(value)}, but has to be {wanted}")
    for element in value:
        if not isinstance(element, str) or not element:
            raise Mismatch(f"holds {_described(element)}, but has to be {wanted}")
    return tuple(value)


def _formats(value: object) -> tuple[str, ...]:
    """One form of the report or several; whether there are such forms is for the entry point to say."""
    wanted = "a string or a list of strings"
    found = (value,) if isinstance(value, str) and value else _texts(value, wanted)
    if not found:
        raise Mismatch(f"is an empty list, but has to be {wanted}")
    return found


def _codes(value: object) -> tuple[str, ...]:
    """Rule codes or their beginnings, and names of rules; whether there are such rules is for `select` to say.

    ALL is every rule.
    """
    codes = []
    for given in _texts(value):
        text = given.strip()
        if text.upper() == "ALL":
            codes.append("MTM")
        elif re.fullmatch(r"MTM\d{0,3}", text, re.ASCII | re.IGNORECASE):
            codes.append(text.upper())
        elif re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", text, re.ASCII | re.IGNORECASE):
            codes.append(text.lower())
        else:
            raise Mismatch(
                f"names `{given}`, which is no rule: a rule goes by its code, `MTM` and three digits (or the beginning "
                f"of that, or `ALL`), or by its name{_nearest_rule(text)}"
            )
    return tuple(codes)


def _nearest_rule(word: str) -> str:
    """The rule that is meant, by its code or its name."""
    from lint_m2m.rules import RULES

    return nearest(word.upper(), [rule.code for rule in RULES]) or nearest(word.lower(), [rule.name for rule in RULES])


def _choice(*words: str) -> Parser:
    def parse(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        shown = f"`{value}`" if isinstance(value, str) else _described(value)
        near = nearest(value, words) if isinstance(value, str) else ""
        raise Mismatch(f"is {shown}, but has to be one of {listed(words)}{near}")

    return parse


def _severity(value: object) -> Severity:
    parse = _choice(*(severity.value for severity in Severity))
    return Severity(parse(value))


def _database(value: object) -> object:
    # MariaDB has the same names, limits and exceptions.
    return "mysql" if value == "mariadb" else _choice(*DATABASES)(value)


def _django_version(value: object) -> tuple[int, int]:
    oldest, newest = (".".join(map(str, version)) for version in DJANGO_VERSIONS)
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?", value) if isinstance(value, str) else None
    if match is None:
        raise Mismatch(f'is {_described(value)}, but has to be a string such as "{newest}"')
    version = int(match[1]), int(match[2])
    if not DJANGO_VERSIONS[0] <= version <= DJANGO_VERSIONS[1]:
        raise Mismatch(f"is `{value}`; versions {oldest} to {newest} are known")
    return version


def _table(value: object, parse_entry: Callable[[str, object], object], what: str) -> tuple[tuple[str, object], ...]:
    if not isinstance(value, dict):
        raise Mismatch(f"is {_described(value)}, but has to be a table of {what}")
    result = []
    for key, entry in sorted(value.items()):
        try:
            result.append((key, parse_entry(key, entry)))
        except Mismatch as mismatch:
            raise Mismatch(f"for `{key}` {mismatch.problem}", key) from None
    return tuple(result)


def _per_file_ignores(value: object) -> object:
    return _table(value, lambda _, entry: _codes(entry), "globs and lists of rule codes")


def _migration_modules(value: object) -> object:
    def entry(_: str, module: object) -> str:
        # As in Django's MIGRATION_MODULES, where None says that the app has none; TOML has no None.
        if module == "" or (isinstance(module, str) and re.fullmatch(_DOTTED, module)):
            return str(module)
        raise Mismatch(f"is {_described(module)}, but has to be a dotted module name (empty: the app has none)")

    return _table(value, entry, "app labels and dotted module names")


def _app_labels(value: object) -> object:
    def entry(_: str, label: object) -> str:
        if isinstance(label, str) and label.isidentifier():
            return label
        raise Mismatch(f"is {_described(label)}, but has to be an app label")

    return _table(value, entry, "app folders or packages and app labels")


def _swappable(value: object) -> object:
    def entry(setting: str, model: object) -> str:
        if not setting.isidentifier():
            raise Mismatch("is no name of a setting")
        return _model(model)

    return _table(value, entry, 'settings and models (`AUTH_USER_MODEL = "accounts.User"`)')


def _many_to_many_fields(value: object) -> object:
    def entry(path: str, model: object) -> str:
        _class_path(path)
        return model if model == "auto" and isinstance(model, str) else _model(model, or_else=' or `"auto"`')

    return _table(value, entry, 'dotted class paths and `"auto"` or the default through model')


def _operations(value: object) -> object:
    from lint_m2m.readers.django_names import OPERATIONS_BY_NAME

    def entry(path: str, operation: object) -> object:
        _class_path(path)
        if isinstance(operation, str) and operation in OPERATIONS_BY_NAME:
            return operation
        shown = f"`{operation}`" if isinstance(operation, str) else _described(operation)
        near = nearest(operation, OPERATIONS_BY_NAME) if isinstance(operation, str) else ""
        raise Mismatch(f"is {shown}, but has to be the name of an operation of Django{near}")

    return _table(value, entry, 'dotted class paths and operations (`"my.ops.SafeAlterField" = "AlterField"`)')


_DOTTED: Final = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_MODEL: Final = r"[^\W\d]\w*\.[^\W\d]\w*"


def _model(value: object, or_else: str = "") -> str:
    if isinstance(value, str) and re.fullmatch(_MODEL, value):
        return value
    raise Mismatch(f'is {_described(value)}, but has to be a model such as `"accounts.User"`{or_else}')


def _class_path(path: str) -> None:
    if not re.fullmatch(_DOTTED, path) or "." not in path:
        raise Mismatch("is no dotted path of a class")


def _described(value: object) -> str:
    """A value of the wrong kind, in the words of TOML."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f"the string `{value}`" if value else "an empty string"
        case int() if value.bit_length() > 64:
            return "a number of more than 64 bits"
        case int() | float():
            return f"the number `{value}`"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"`{value}`"


OPTIONS: Final[dict[str, Option]] = {
    "select": Option(_codes, "rules to run"),
    "extend-select": Option(_codes, "rules to run beside those selected"),
    "ignore": Option(_codes, "rules not to run"),
    "per-file-ignores": Option(_per_file_ignores, "rules that do not apply to some files", table=True),
    "baseline": Option(_text, "file with the findings that are known"),
    "cache-dir": Option(_text, "folder for what is kept between runs"),
    "no-cache": Option(_boolean, "keep nothing between runs"),
    "fail-on": Option(_severity, "exit with 1 from this severity on"),
    "exit-zero": Option(_boolean, "exit with 0 whatever is found"),
    "format": Option(_formats, "form of the report, or several, each perhaps with a file"),
    "output": Option(_text, "file to write the report to"),
    "statistics": Option(_boolean, "count the findings of each rule"),
    "color": Option(_choice(*COLORS), "when to use colours"),
    "quiet": Option(_boolean, "nothing but findings"),
    "verbose": Option(_boolean, "every sequence, and what was not read"),
    "exclude": Option(_texts, "globs of files and folders that are not read"),
    "migration-modules": Option(_migration_modules, "as Django's MIGRATION_MODULES", table=True),
    "app-labels": Option(_app_labels, "labels of apps that cannot be told from their files", table=True),
    "swappable": Option(_swappable, "models that settings name", table=True),
    "many-to-many-fields": Option(_many_to_many_fields, "field classes that are many-to-many", table=True),
    "operations": Option(_operations, "operation classes that are like one of Django's", table=True),
    "django-version": Option(_django_version, "the project's Django"),
    "database": Option(_database, "the project's database"),
}
# Those of `check` that are about one run.
COMMAND_LINE_ONLY: Final = (
    *("allow-no-migrations", "config", "diff", "exit-non-zero-on-fix", "fix", "isolated", "jobs", "no-baseline"),
    *("sequence", "show-config", "since", "staged", "unsafe-fixes", "write-baseline"),
)

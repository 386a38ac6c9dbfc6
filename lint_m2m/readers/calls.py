"""Calls of built-in functions and of methods of known values: the few that migrations build their values with.

`KNOWN` are functions by dotted path; `call_method` the methods of strings, lists, dictionaries, sets, paths and open
files. All are bounded and free of side effects, except that lists, dictionaries and sets change in place as they do in
Python. Files are only read below the project's own folders.
"""

from __future__ import annotations

import builtins
import os.path
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from lint_m2m import looks
from lint_m2m.readers import operators
from lint_m2m.readers.operators import MAX_ELEMENTS, MAX_TEXT, attempt, is_plain, limited
from lint_m2m.readers.source import SourceError, decode, read_source
from lint_m2m.readers.values import (
    REST,
    Conditional,
    FilePath,
    ModuleValue,
    OpenFile,
    Ref,
    Rest,
    Setting,
    Unreadable,
    Value,
    reason_of,
)

if TYPE_CHECKING:
    from lint_m2m.readers.evaluate import Evaluator

Function: TypeAlias = "Callable[[Evaluator, list[Value], dict[str, Value]], Value]"

BUILTINS: Final = frozenset(name for name in dir(builtins) if not name.startswith("_"))

_TEXT_METHODS: Final = """
capitalize casefold count endswith find index isdigit isidentifier lower lstrip partition removeprefix removesuffix
rfind rpartition rsplit rstrip split splitlines startswith strip title upper
"""
_TEXT_METHOD_NAMES: Final = frozenset(_TEXT_METHODS.split())
_MAX_RANGE: Final = 10_000


def has_methods(value: Value) -> bool:
    """Whether `call_method` is to be asked for the methods of `value`."""
    return isinstance(value, str | list | dict | tuple | set | FilePath | OpenFile)


def spoil(base: Value, reason: str) -> None:
    """A method with unknown arguments was called on `base`: what it holds now is unknown."""
    if isinstance(base, list):
        base.append(Rest(reason))
    elif isinstance(base, dict):
        base[REST] = Unreadable(reason)


def call_method(
    evaluator: Evaluator, base: Value, name: str, positional: list[Value], keywords: dict[str, Value]
) -> Value:
    """``base.name(*positional, **keywords)``."""
    positional = [evaluator.known(value) for value in positional]
    if isinstance(base, str):
        return _text_method(base, name, positional, keywords)
    if isinstance(base, list):
        return _list_method(base, name, positional)
    if isinstance(base, dict):
        return _dict_method(base, name, positional, keywords)
    if isinstance(base, set):
        return _set_method(base, name, positional)
    if isinstance(base, FilePath):
        return _path_method(evaluator, base, name, positional)
    if isinstance(base, OpenFile):
        return _read_text(evaluator, base.path) if name == "read" else None if name == "close" else _no(name)
    return (
        attempt(lambda: getattr(base, name)(*positional))
        if name in ("index", "count") and is_plain(base)
        else _no(name)
    )


def _no(name: str) -> Unreadable:
    return Unreadable(f"needs `.{name}()` to run")


def _text_method(base: str, name: str, positional: list[Value], keywords: dict[str, Value]) -> Value:
    if name == "format":
        return operators.format_text(base, positional, keywords)
    if name == "join" and len(positional) == 1:
        parts = operators.as_elements(positional[0])
        if not all(isinstance(part, str) for part in parts):
            return Unreadable(reason_of(next(part for part in parts if not isinstance(part, str))))
        if sum(len(str(part)) + len(base) for part in parts) > MAX_TEXT:
            return Unreadable("is too long")
        return base.join(str(part) for part in parts)
    if keywords or not all(is_plain(value) for value in positional):
        return Unreadable(next((reason_of(value) for value in positional if not is_plain(value)), f"calls `.{name}()`"))
    if name == "replace" and len(positional) == 2 and isinstance(positional[1], str):
        if (len(base) + 1) * max(1, len(positional[1])) > MAX_TEXT:
            return Unreadable("is too long")
        return attempt(lambda: getattr(base, name)(*positional))
    if name in _TEXT_METHOD_NAMES:
        return attempt(lambda: limited(getattr(base, name)(*positional)))
    return _no(name)


def _list_method(base: list[Value], name: str, positional: list[Value]) -> Value:
    if len(base) > MAX_ELEMENTS:
        return Unreadable("is too long")
    match name, positional:
        case "append", [value]:
            base.append(value)
        case "extend", [values]:
            base.extend(operators.as_elements(values))
        case "insert", [0, value]:
            base.insert(0, value)
        case "copy", []:
            return list(base)
        case "clear", []:
            base.clear()
        case "insert", [int(index), value] if not _marked(base):
            base.insert(index, value)
        case "reverse", []:
            base.reverse()
        case "pop", [] if base and not isinstance(base[-1], Rest | Conditional):
            return base.pop()
        case "pop", [int(index)] if not _marked(base) and -len(base) <= index < len(base):
            return base.pop(index)
        case "index" | "count", [value] if is_plain(base) and is_plain(value):
            return attempt(lambda: getattr(base, name)(value))
        case "remove", [value] if is_plain(base) and value in base:
            base.remove(value)
        case "index" | "count", _:
            return _no(name)
        case _:
            base[:] = [Rest(f"is changed by `.{name}()` in a way that cannot be followed")]
    return None


def _dict_method(base: dict[Value, Value], name: str, positional: list[Value], keywords: dict[str, Value]) -> Value:
    match name, positional:
        case "update", _ if len(positional) <= 1:
            for more in positional:
                operators.update_dict(base, more)
            base.update(keywords)
            return None
        case "items", [] if REST not in base:
            return list(base.items())
        case "keys", []:
            return operators.as_elements(base)
        case "values", [] if REST not in base:
            return list(base.values())
        case "copy", []:
            return dict(base)
        case "get" | "pop" | "setdefault", [key, *default] if is_plain(key) and operators.hashable(key):
            if key in base:
                return base.pop(key) if name == "pop" else base[key]
            if REST in base:
                return base[REST]
            if name == "setdefault":
                base[key] = default[0] if default else None
                return base[key]
            return default[0] if default else None if name == "get" else Unreadable(f"needs the key {key!r:.40}")
        case "get" | "keys" | "values" | "items", _:
            return _no(name)
        case _:
            base[REST] = Unreadable(f"is changed by `.{name}()` in a way that cannot be followed")
            return _no(name)


def _set_method(base: set[Value], name: str, positional: list[Value]) -> Value:
    if name in ("add", "update", "discard", "union", "difference", "intersection") and is_plain(positional):
        return attempt(lambda: getattr(base, name)(*positional))
    return _no(name)


def path_attribute(base: FilePath, name: str) -> Value:
    """``base.name`` of a pathlib path."""
    match name:
        case "parent":
            return FilePath(base.path.parent)
        case "name" | "stem" | "suffix":
            return str(getattr(base.path, name))
        case "parents":
            return [FilePath(parent) for parent in base.path.parents]
        case _:
            return Unreadable(f"is `.{name}` of a path")


def _path_method(evaluator: Evaluator, base: FilePath, name: str, positional: list[Value]) -> Value:
    texts = [value for value in positional if isinstance(value, str)]
    match name:
        case "resolve" | "absolute" | "expanduser":
            return base
        case "joinpath" | "with_name" | "with_suffix" if len(texts) == len(positional):
            return attempt(lambda: FilePath(getattr(base.path, name)(*texts)))
        case "read_text":
            return _read_text(evaluator, base.path)
        case "open":
            return OpenFile(base.path)
        case "as_posix" | "__str__":
            return base
        case _:
            return _no(name)


def _read_text(evaluator: Evaluator, path: Path) -> Value:
    """The text of a file of the project; nothing outside its folders is read."""
    try:
        real = Path(looks.real_path(path))
    except (OSError, ValueError):
        return Unreadable("is the text of a file that cannot be opened")
    if not any(real.is_relative_to(looks.real_path(root)) for root in evaluator.modules.roots):
        return Unreadable("is the text of a file outside the project")
    try:
        return limited(decode(read_source(real)).replace("\r\n", "\n"))
    except SourceError as error:
        return Unreadable(f"is the text of `{path.name}`, which cannot be read: {error.reason}")


# Functions. Each takes the evaluator, the positional and the keyword arguments.


def _known_container(make: Callable[[list[Value]], Value]) -> Function:
    def function(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
        if keywords or len(positional) > 1:
            return Unreadable("is built in a way that cannot be followed")
        return make(operators.as_elements(evaluator.known(positional[0])) if positional else [])

    return function


def _dict(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    result: dict[Value, Value] = {}
    for more in positional:
        operators.update_dict(result, evaluator.known(more))
    result.update(keywords)
    return result


def _scalar(convert: Callable[..., Value]) -> Function:
    def function(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
        values = [evaluator.known(value) for value in positional]
        if len(values) == 1 and isinstance(values[0], FilePath) and convert is str:
            return values[0]
        if keywords or len(values) > 1 or not is_plain(values):
            return Unreadable(next((reason_of(value) for value in values if not is_plain(value)), "is computed"))
        return attempt(lambda: limited(convert(*values)))

    return function


def _length(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    value = positional[0] if positional else None
    if isinstance(value, str | list | tuple | dict | set) and not (isinstance(value, list | tuple) and _marked(value)):
        return len(value)
    return Unreadable(reason_of(value))


def _range(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    numbers = [value for value in positional if isinstance(value, int)]
    if len(numbers) != len(positional) or not 1 <= len(numbers) <= 3 or (len(numbers) == 3 and numbers[2] == 0):
        return Unreadable("is a range with computed bounds")
    result = range(*numbers)
    return Unreadable("is too long") if len(result) > _MAX_RANGE else list(result)


def _sorted(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    elements = operators.as_elements(positional[0]) if len(positional) == 1 else []
    if keywords or len(positional) != 1 or not is_plain(elements):
        return Unreadable("is sorted in a way that cannot be followed")
    return attempt(lambda: sorted(elements))  # type: ignore[type-var]  # a TypeError is attempt's business


def _reversed(elements: list[Value]) -> Value:
    return elements[::-1]


def _enumerate(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    start = keywords.get("start", positional[1] if len(positional) > 1 else 0)
    elements = operators.as_elements(positional[0]) if positional else []
    if not isinstance(start, int) or _marked(elements):
        return Unreadable("counts elements that cannot be read")
    return list(enumerate(elements, start))


def _zip(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    lists = [operators.as_elements(value) for value in positional]
    if any(_marked(elements) for elements in lists):
        return Unreadable("pairs elements that cannot be read")
    return [tuple(group) for group in zip(*lists, strict=False)]


def _chain(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    return limited([element for value in positional for element in operators.as_elements(evaluator.known(value))])


def _sum(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``sum(lists, [])``."""
    if len(positional) == 2 and positional[1] == []:
        return _flatten(evaluator, positional[:1], keywords)
    return Unreadable("is a sum")


def _flatten(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``itertools.chain.from_iterable(lists)``."""
    lists = operators.as_elements(positional[0]) if len(positional) == 1 else []
    return limited([element for value in lists for element in operators.as_elements(value)])


def _getattr(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``getattr(settings, "NAME", default)``, above all."""
    if len(positional) >= 2 and isinstance(positional[1], str):
        value = evaluator.attribute(positional[0], positional[1])
        if isinstance(value, Setting) and len(positional) == 3:
            return Setting(value.name, positional[2])
        if isinstance(value, Unreadable) and len(positional) == 3:
            return operators.choice((value, positional[2]), value.reason)
        return value
    return Unreadable("gets an attribute by a computed name")


def _dedent(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    import textwrap

    value = evaluator.known(positional[0]) if positional else keywords.get("text")
    return textwrap.dedent(value) if isinstance(value, str) else Unreadable(reason_of(value))


def _clean_text(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """A function whose result is its argument for our purposes: ``str.strip``-like helpers, translations."""
    value = evaluator.known(positional[0]) if len(positional) == 1 else None
    return value if isinstance(value, str) else Unreadable(reason_of(value))


def _path(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``Path(…)``, ``os.path.join(…)``: only what starts from ``__file__`` is a place in the project."""
    if positional and isinstance(positional[0], FilePath):
        texts = [value for value in positional[1:] if isinstance(value, str)]
        if len(texts) == len(positional) - 1:
            return operators.join_path(positional[0], *texts)
    if positional and is_plain(positional):
        texts = [value for value in positional if isinstance(value, str)]
        return attempt(lambda: os.path.join(*texts)) if len(texts) == len(positional) else Unreadable("is not a path")
    return Unreadable(next((reason_of(value) for value in positional if not isinstance(value, str)), "is a path"))


def _same_path(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    value = positional[0] if len(positional) == 1 else None
    return FilePath(Path(os.path.normpath(value.path))) if isinstance(value, FilePath) else Unreadable(reason_of(value))


def _dirname(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    value = positional[0] if len(positional) == 1 else None
    return FilePath(value.path.parent) if isinstance(value, FilePath) else Unreadable(reason_of(value))


def _open(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    value = positional[0] if positional else keywords.get("file")
    mode = keywords.get("mode", positional[1] if len(positional) > 1 else "r")
    if isinstance(value, FilePath) and mode in ("r", "rt"):
        return OpenFile(value.path)
    return Unreadable("reads a file" if isinstance(value, str) else reason_of(value))


def _module(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``importlib.import_module("app.migrations.0001_initial")``: the way to a module named with a digit first."""
    name = positional[0] if len(positional) == 1 and not keywords else None
    if isinstance(name, str) and all(part.isalnum() or "_" in part for part in name.split(".")):
        module = evaluator.modules.find(name)
        return Ref(name) if module is None else ModuleValue(module)
    return Unreadable("imports a module by a computed name")


def _import_string(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``import_string("package.module.Name")``."""
    path = evaluator.known(positional[0]) if len(positional) == 1 else None
    if isinstance(path, str) and path:
        return evaluator.dotted(path)
    return Unreadable(reason_of(path))


def _swapped_model(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    """``swapper.get_model_name("config", "Device")``: the setting CONFIG_DEVICE_MODEL, or the model itself."""
    if len(positional) == 2 and all(isinstance(part, str) for part in positional):
        label, name = (str(part) for part in positional)
        return Setting(f"{label.upper()}_{name.upper()}_MODEL", f"{label}.{name}")
    return Unreadable("is a model that swapper looks up by a computed name")


def _never(evaluator: Evaluator, positional: list[Value], keywords: dict[str, Value]) -> Value:
    return Unreadable("is judged by the evaluator itself")


def _marked(elements: list[Value] | tuple[Value, ...]) -> bool:
    return any(isinstance(element, Rest | Conditional) for element in elements)


KNOWN: Final[dict[str, Function]] = {
    "builtins.super": _never,
    "builtins.list": _known_container(lambda elements: elements),
    "builtins.tuple": _known_container(tuple),
    "builtins.set": _known_container(operators.as_set),
    "builtins.frozenset": _known_container(operators.as_set),
    "builtins.reversed": _known_container(_reversed),
    "builtins.dict": _dict,
    "builtins.str": _scalar(str),
    "builtins.int": _scalar(int),
    "builtins.bool": _scalar(bool),
    "builtins.repr": _scalar(repr),
    "builtins.len": _length,
    "builtins.range": _range,
    "builtins.sorted": _sorted,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.sum": _sum,
    "builtins.getattr": _getattr,
    "builtins.open": _open,
    "io.open": _open,
    "codecs.open": _open,
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": _flatten,
    "collections.OrderedDict": _dict,
    "textwrap.dedent": _dedent,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "os.path.join": _path,
    "os.path.dirname": _dirname,
    "os.path.abspath": _same_path,
    "os.path.realpath": _same_path,
    "os.path.normpath": _same_path,
    "importlib.import_module": _module,
    "django.utils.encoding.force_str": _clean_text,
    "django.utils.module_loading.import_string": _import_string,
    "swapper.get_model_name": _swapped_model,
}

"""The project's settings files: which there are, and what they say about models, keys and databases.

`find_settings` yields every settings file of a tree; `facts_of` says what those that belong together say. What they do
not agree on is not said, except where one of them is plainly the one in use.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Sequence
from typing import Final

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.readers.project.namespace import ClassInfo, DatabaseUrl, EnvironmentText, Imported, Scope, Value
from lint_m2m.readers.project.toplevel import Modules
from lint_m2m.readers.project.tree import Tree, joined
from lint_m2m.readers.source import SourceError, decode, parse_tolerant, read_source
from lint_m2m.values import frozen

# Where a file names the settings module to use, the first being the one that `migrate` is run with.
_ENTRY_POINTS: Final = (("manage.py",), ("wsgi.py", "asgi.py"), ("__main__.py", "celery.py", "celery_app.py"))
_ALL_ENTRY_POINTS: Final = frozenset(name for names in _ENTRY_POINTS for name in names)

# A module that has none of these is no settings module, whatever it is called (apps have a settings.py of their own).
_MARKS: Final = ("INSTALLED_APPS", "ROOT_URLCONF", "DATABASES", "MIDDLEWARE", "MIDDLEWARE_CLASSES", "AUTH_USER_MODEL")
_MARKS_IN_SOURCE: Final = tuple(mark.encode() for mark in _MARKS)
# One of them is set, or may be set elsewhere: lines that say so.
_SETS_MARK: Final = rb"(?:INSTALLED_APPS|ROOT_URLCONF|DATABASES|MIDDLEWARE|MIDDLEWARE_CLASSES|AUTH_USER_MODEL)\b[^=]*="
_IMPORTS_ALL: Final = rb"from\b.*\bimport[ \t]*\(?[ \t]*\*"

_TEST_PARTS: Final = r"(?:^|[_.-])(?:tests?|testing|testutils|testproject|testsettings|ci|travis)(?:$|[_.-])|^test"

_CONFIG_CLASS: Final = rb"""["']((?:[A-Za-z_]\w*\.)+(?:apps\.[A-Z]\w*|[A-Z]\w*(?:Config|App)))["']"""

_USER: Final = "AUTH_USER_MODEL"
_MODEL: Final = r"[A-Za-z_]\w*\.[A-Za-z_]\w*"


@frozen
class SettingsFile:
    """A settings module. `rank` says how it is named: 0 by a manage.py, 1 by wsgi.py, 2 elsewhere, 3 not at all.

    `entry` is the folder of the file that names it, "" also for none. `for_tests` is judged by its path.
    `config_classes` are the dotted names of application configurations in its text, wherever: INSTALLED_APPS is put
    together in too many ways.
    """

    path: str
    scope: Scope
    rank: int
    entry: str
    for_tests: bool
    config_classes: tuple[str, ...]

    @property
    def names(self) -> dict[str, Value]:
        return self.scope.names


@frozen
class SettingsFacts:
    """What the settings say. UNKNOWN: they disagree, or only running code tells, or there are none."""

    swappable: tuple[tuple[str, str], ...] = ()
    default_auto_field: Maybe[str] = UNKNOWN
    vendor: Maybe[str] = UNKNOWN
    # Label -> dotted module, or None for "this app has no migrations".
    migration_modules: tuple[tuple[str, str | None], ...] = ()


def find_settings(tree: Tree, modules: Modules) -> tuple[SettingsFile, ...]:
    """Every settings file of the tree, sorted by path."""
    named: dict[str, tuple[int, str]] = {}
    with_entry_points = [one for one in tree.folders.items() if not _ALL_ENTRY_POINTS.isdisjoint(one[1])]
    for rank, names in enumerate(_ENTRY_POINTS):
        for folder, files in with_entry_points:
            for name in names:
                if name in files:
                    for file in _named_in(tree, modules, folder, name):
                        named.setdefault(file, (rank, folder))
    found: dict[str, SettingsFile] = {}
    for path, is_called_so in _candidates(tree, {os.path.basename(file) for file in named}):
        file = tree.path(path)
        entry = named.get(file)
        if is_called_so or entry is not None:
            one = _read(modules, file, path, entry)
            if one is not None:
                found[path] = one
    return tuple(found[path] for path in sorted(found))


def facts_of(settings: Sequence[SettingsFile], modules: Modules) -> SettingsFacts:
    """What the settings of one project say together."""
    chosen = _in_use(settings)
    deciding = [chosen] if chosen is not None else [one for one in settings if not one.for_tests]
    # What others take over as a whole is not meant to be used alone.
    parts = {part for one in deciding for part in one.scope.parts if part != one.scope.file}
    deciding = [one for one in deciding if one.scope.file not in parts] or deciding
    if not deciding:
        return SettingsFacts()
    swappable: dict[str, str] = {}
    names = {name for one in deciding for name, value in one.names.items() if _names_model(name, value)}
    for name in sorted({_USER, *names}):
        model = _agreed(deciding, name, modules)
        if isinstance(model, str) and re.fullmatch(_MODEL, model):
            swappable[name] = str(model)
    auto_field = _agreed(deciding, "DEFAULT_AUTO_FIELD", modules)
    return SettingsFacts(
        swappable=tuple(sorted(swappable.items())),
        # What Django takes when it is absent depends on Django's version: AutoField before 6.0, BigAutoField since.
        default_auto_field=str(auto_field) if isinstance(auto_field, str) else UNKNOWN,
        vendor=_vendor(settings, chosen, modules),
        migration_modules=_migration_modules(deciding, modules),
    )


# Which files


def _candidates(tree: Tree, names: set[str]) -> Iterator[tuple[str, bool]]:
    """The Python files that are called like settings (those come with True), or have one of `names`."""
    for folder, files in tree.folders.items():
        in_settings = folder.endswith(("settings", "setting")) and folder.rpartition("/")[2] in ("settings", "setting")
        # Few folders have one: that is told without looking at the files one by one.
        if in_settings or not names.isdisjoint(files) or "settings" in "/".join(files):
            for name in files:
                is_called_so = in_settings or "settings" in name
                if (is_called_so or name in names) and name.endswith(".py"):
                    yield joined(folder, name), is_called_so


def _named_in(tree: Tree, modules: Modules, folder: str, name: str) -> list[str]:
    """The settings files that manage.py or the like names; only the one when all but one are for tests."""
    file = tree.path(joined(folder, name))
    try:
        source = read_source(file)
        if b"DJANGO_SETTINGS_MODULE" not in source:
            return []
        module = parse_tolerant(decode(source)).tree
    except SourceError:
        return []
    names = list(dict.fromkeys(_settings_names(module)))
    real = [one for one in names if not _for_tests(one.replace(".", "/"))]
    files = [modules.find(one, file) for one in (real or names)]
    return [one for one in files if one is not None]


def _settings_names(module: ast.Module) -> list[str]:
    """Dotted names that the module gives to DJANGO_SETTINGS_MODULE."""
    found: list[ast.expr] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            if len(arguments) >= 2 and _is_variable(arguments[0]):
                found.append(arguments[1])
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Subscript) and _is_variable(target.slice) for target in node.targets
        ):
            found.append(node.value)
        elif isinstance(node, ast.Dict):
            found += [
                value
                for key, value in zip(node.keys, node.values, strict=True)
                if key is not None and _is_variable(key)
            ]
    names = []
    for value in found:
        # os.environ.get("X", "project.settings") and the like: the default stands last.
        while isinstance(value, ast.Call) and (value.args or value.keywords):
            value = value.keywords[-1].value if value.keywords else value.args[-1]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            names.append(value.value)
    return names


def _is_variable(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == "DJANGO_SETTINGS_MODULE"


def _for_tests(path: str) -> bool:
    return any(re.search(_TEST_PARTS, part) for part in path.removesuffix(".py").split("/"))


def _read(modules: Modules, file: str, path: str, entry: tuple[int, str] | None) -> SettingsFile | None:
    """The settings file at `path`, which `entry` names; None when it is none."""
    try:
        source = read_source(file)
    except SourceError:
        return None
    if entry is None and not _worth_reading(source):
        return None
    scope = modules.scope(file, source)
    if scope is None:
        return None
    if not any(mark in scope.names for mark in _MARKS):
        scope = _from_classes(modules, scope)
        if entry is None and not any(mark in scope.names for mark in _MARKS):
            return None
    rank, folder = entry or (len(_ENTRY_POINTS), "")
    configs = tuple(dict.fromkeys(one.decode() for one in re.findall(_CONFIG_CLASS, source)))
    return SettingsFile(
        path=path, scope=scope, rank=rank, entry=folder, for_tests=_for_tests(path), config_classes=configs
    )


def _worth_reading(source: bytes) -> bool:
    """Whether a module that is called like settings may be some, as far as its bytes tell."""
    if b"split_settings" in source and re.search(rb"\bsplit_settings\b", source):
        return True
    imports = b"*" in source and b"import" in source
    if not imports and not any(mark in source for mark in _MARKS_IN_SOURCE):
        return False
    beginnings = (*_MARKS_IN_SOURCE, b"from")
    for line in source.split(b"\n"):
        line = line.lstrip(b" \t")
        if line.startswith(beginnings) and re.match(_IMPORTS_ALL if line[0] == ord("f") else _SETS_MARK, line):
            return True
    return False


def _from_classes(modules: Modules, scope: Scope) -> Scope:
    """django-configurations: settings as class attributes. What all classes of the module agree on."""
    merged: list[dict[str, Value]] = []
    for info in scope.names.values():
        if isinstance(info, ClassInfo):
            names: dict[str, Value] = {}
            _inherit(modules, info, names, 0)
            if any(mark in names for mark in _MARKS):
                merged.append(names)
    if not merged:
        return scope
    agreed = dict(merged[0])
    for names in merged[1:]:
        for name in [*agreed, *names]:
            if name not in agreed or name not in names or not _same(agreed[name], names[name]):
                agreed[name] = UNKNOWN
    return Scope(scope.file, {**scope.names, **agreed}, scope.complete)


def _inherit(modules: Modules, info: ClassInfo, names: dict[str, Value], depth: int) -> None:
    if depth < 20:
        for base in reversed(info.bases):
            found = modules.value(base) if isinstance(base, Imported) else base
            if isinstance(found, ClassInfo):
                _inherit(modules, found, names, depth + 1)
    names.update(info.names)


def _in_use(settings: Sequence[SettingsFile]) -> SettingsFile | None:
    """The settings that are plainly in use: what the outermost manage.py names, else wsgi.py and so on."""
    for rank in range(len(_ENTRY_POINTS)):
        named = [one for one in settings if one.rank == rank]
        real = [one for one in named if not one.for_tests] or (named if rank == 0 else [])
        if real:
            outermost = min(one.entry.count("/") + bool(one.entry) for one in real)
            real = [one for one in real if one.entry.count("/") + bool(one.entry) == outermost]
            return real[0] if len(real) == 1 else None
    return None


# What they say


def _agreed(settings: Sequence[SettingsFile], name: str, modules: Modules) -> Value:
    """The value of a setting that every file which has it sets to the same; UNKNOWN else, and when none has it."""
    values: list[Value] = []
    for one in settings:
        if name in one.names:
            value = one.names[name]
            values.append(modules.value(value) if isinstance(value, Imported) else value)
        elif name == _USER and _has_default_users(one):
            # A file that plainly leaves it at Django's default says something too.
            values.append("auth.User")
    return values[0] if values and all(_same(value, values[0]) for value in values) else UNKNOWN


def _same(one: Value, other: Value) -> bool:
    if one is other:
        return True
    return isinstance(one, str) and isinstance(other, str) and one == other


def _has_default_users(settings: SettingsFile) -> bool:
    """Whether the file does not set AUTH_USER_MODEL, and nothing that could not be read may: auth.User is in force.

    A file with a part of the settings alone is no evidence, and neither is a project without users.
    """
    return settings.scope.complete and _USER not in settings.names and _has_users(settings.names.get("INSTALLED_APPS"))


def _has_users(installed_apps: Value) -> bool:
    if not isinstance(installed_apps, tuple):
        return installed_apps is UNKNOWN
    return UNKNOWN in installed_apps or any(
        isinstance(app, str) and app.startswith("django.contrib.auth") for app in installed_apps
    )


def _names_model(name: str, value: Value) -> bool:
    """AUTH_USER_MODEL, WAGTAILIMAGES_IMAGE_MODEL, and any other constant whose value looks like "app.Model"."""
    if not name.isupper():
        return False
    if name.endswith("_MODEL"):
        return True
    return isinstance(value, str) and re.fullmatch(_MODEL, value) is not None and value.rpartition(".")[2][0].isupper()


def _migration_modules(settings: Sequence[SettingsFile], modules: Modules) -> tuple[tuple[str, str | None], ...]:
    tables = []
    for one in settings:
        value = one.names.get("MIGRATION_MODULES")
        if isinstance(value, Imported):
            value = modules.value(value)
        if isinstance(value, dict):
            # Tests switch migrations off to be fast; that says nothing about the migrations.
            entries = {key: module for key, module in value.items() if not (one.for_tests and module is None)}
            tables.append(entries)
    merged: dict[str, str | None] = {}
    for table in tables:
        for key, module in table.items():
            agreed = all(key not in other or other[key] == module for other in tables)
            if isinstance(key, str) and agreed and (module is None or isinstance(module, str)):
                merged[key] = module
    return tuple(sorted(merged.items()))


# Databases

# The first that is in the engine's dotted name; those who wrap a backend keep its name in theirs
# (django.contrib.gis.db.backends.postgis, django_prometheus.db.backends.mysql, psqlextra.backend).
_ENGINES: Final = (
    ("cockroach", None),
    ("redshift", None),
    ("postg", "postgresql"),
    ("psql", "postgresql"),
    ("timescale", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
    ("sqlite", "sqlite"),
    ("spatialite", "sqlite"),
    ("oracle", "oracle"),
)


def installed_apps(settings: Sequence[SettingsFile]) -> frozenset[str] | None:
    """The elements of INSTALLED_APPS that can be told; None when there are no settings that tell any."""
    found = [one.names.get("INSTALLED_APPS") for one in settings]
    known = [apps for apps in found if isinstance(apps, tuple)]
    return frozenset(str(app) for apps in known for app in apps if isinstance(app, str)) if known else None


def _vendor(settings: Sequence[SettingsFile], chosen: SettingsFile | None, modules: Modules) -> Maybe[str]:
    """The database of the settings in use, else the one all settings agree on.

    SQLite is what people develop and test with: a file with another database beside it, or a default that the
    environment replaces, makes it no more than a guess.
    """
    others = {vendor for one in settings if not one.for_tests and (vendor := _vendor_of(one, modules)) is not None}
    if chosen is not None:
        vendor = _vendor_of(chosen, modules)
        if vendor is None or vendor is UNKNOWN:
            return UNKNOWN
        return UNKNOWN if vendor == "sqlite" and others - {"sqlite"} else vendor
    return others.pop() if len(others) == 1 else UNKNOWN


def _vendor_of(settings: SettingsFile, modules: Modules) -> Maybe[str | None]:
    """The vendor of the default database; None when the file says nothing about databases."""
    if "DATABASES" not in settings.names:
        return None
    databases = settings.names["DATABASES"]
    for key in ("default", "ENGINE"):
        if isinstance(databases, Imported):
            databases = modules.value(databases)
        databases = databases.get(key, UNKNOWN) if isinstance(databases, dict) else UNKNOWN
    if not isinstance(databases, str):
        return UNKNOWN
    name = databases.partition(":")[0] if isinstance(databases, DatabaseUrl) else databases
    found = vendor_of_engine(name)
    if found == "sqlite" and isinstance(databases, EnvironmentText):
        return UNKNOWN
    if found is UNKNOWN and isinstance(databases, DatabaseUrl) and name.lower() == "pgsql":
        return "postgresql"
    return found


def vendor_of_engine(name: str) -> Maybe[str]:
    """What database an ENGINE is for, by its name; UNKNOWN for one that behaves like none of Django's."""
    for part, vendor in _ENGINES:
        if part in name.lower():
            return UNKNOWN if vendor is None else vendor
    return UNKNOWN

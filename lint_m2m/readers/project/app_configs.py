"""App labels: which label Django gives to the app in a folder, and what primary keys its models get.

The rules are those of ``django.apps.AppConfig.create`` (4.2 to 6.1): an entry of INSTALLED_APPS that names a class uses
it; one that names a package uses the only application configuration in its ``apps`` module (those with ``default =
False`` do not count), else the only one with ``default = True``, else none. Without a configuration the label is the
last part of the package's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.readers.project.namespace import APP_CONFIG, ClassInfo, Imported, Scope, Value
from lint_m2m.readers.project.toplevel import Modules
from lint_m2m.readers.project.tree import Tree, joined, parent_of
from lint_m2m.readers.source import SourceError, read_source
from lint_m2m.values import frozen


class _Missing:
    """The type of `_MISSING`: no class in sight has the attribute."""


_MISSING: Final = _Missing()


@frozen
class AppFacts:
    """What is known of the app in a folder.

    `name` is the dotted package name its configuration gives, if it gives one. `default_auto_field` is None when the
    configuration does not set it (the project's setting then decides).
    """

    label: str
    name: str | None = None
    default_auto_field: Maybe[str | None] = None


def installed_configs(modules: Modules, entries: Iterable[tuple[str, str]]) -> Iterator[ClassInfo]:
    """The application configurations that settings name as classes.

    `entries` are dotted names with the settings file that has them.
    """
    for entry, settings in entries:
        module, _, name = entry.rpartition(".")
        value = modules.value(Imported(module, name, 0, settings))
        if isinstance(value, ClassInfo):
            yield value


class Apps:
    """Answers for one tree. `installed` are the configurations, `packages` the packages that INSTALLED_APPS names."""

    def __init__(
        self,
        tree: Tree,
        modules: Modules,
        installed: Iterable[ClassInfo] = (),
        packages: Iterable[str] = (),
    ) -> None:
        self._packages = frozenset(tuple(name.split(".")) for name in packages)
        self._tree = tree
        self._modules = modules
        self._root_parts = tree.root.resolve().parts
        # Of classes, all of whose modules have been followed: nothing changes any more.
        self._known_bases: dict[ClassInfo, list[Value]] = {}
        # Last part of the package's name -> name, configuration.
        self._installed: dict[str, dict[tuple[tuple[str, ...], ClassInfo], None]] = {}
        for config in installed:
            name = self._attribute(config, "name")
            if isinstance(name, str):
                parts = tuple(name.split("."))
                self._installed.setdefault(parts[-1], {})[parts, config] = None

    def facts(self, folder: str, migrations: Sequence[str]) -> AppFacts:
        """What is known of the app in `folder` (relative). `migrations` are paths of its migration files."""
        own_name = self._parts(folder)[-1]
        config = self._config(folder)
        if config is None:
            return AppFacts(label=self.label_in_use(own_name, migrations))
        name = self._attribute(config, "name")
        label = self._attribute(config, "label")
        if isinstance(label, _Missing) and isinstance(name, str):
            label = name.rpartition(".")[2]
        if not isinstance(label, str) or not label:
            label = self.label_in_use(own_name, migrations)
        default = self._attribute(config, "default_auto_field")
        default_auto_field: Maybe[str | None] = UNKNOWN
        if isinstance(default, _Missing):
            default_auto_field = None
        elif isinstance(default, str):
            default_auto_field = str(default)
        return AppFacts(
            label=str(label), name=str(name) if isinstance(name, str) else None, default_auto_field=default_auto_field
        )

    def _config(self, folder: str) -> ClassInfo | None:
        parts = self._parts(folder)
        named = [config for name, config in self._installed.get(parts[-1], ()) if name == parts[-len(name) :]]
        if len(named) == 1:
            return named[0]
        found = list(self._configs_in(folder, "apps.py"))
        config = self._default(found)
        if config is not None and self._is_for(config, folder):
            return config
        if found and any(parts[at:] in self._packages for at in range(len(parts))):
            return None
        # Several, of which some are imported base classes, or none: then a class that says it is for this package,
        # which something that this tree does not show must install.
        usable = [config for config in found if self._attribute(config, "default") is not False]
        return self._agreed(usable, folder) or self._by_package(folder)

    def _by_package(self, folder: str) -> ClassInfo | None:
        """The configuration that ``__init__.py`` names (Django up to 4.0) or defines."""
        package = self._scope(folder, "__init__.py")
        if package is not None and isinstance(entry := package.names.get("default_app_config"), str):
            named = list(installed_configs(self._modules, [(entry, package.file)]))
            if named:
                return named[0]
        return self._agreed(list(self._configs_in(folder, "__init__.py")), folder)

    def _agreed(self, configs: Sequence[ClassInfo], folder: str) -> ClassInfo | None:
        """One of those that are for `folder`, if they give the same label."""
        own = [config for config in configs if self._names_folder(config, folder)]
        labels = [self._attribute(config, "label") for config in own]
        return own[0] if own and all(label == labels[0] for label in labels) else None

    def _default(self, configs: Sequence[ClassInfo]) -> ClassInfo | None:
        """The one that Django takes when INSTALLED_APPS names the package."""
        usable = [config for config in configs if self._attribute(config, "default") is not False]
        if len(usable) != 1:
            usable = [config for config in configs if self._attribute(config, "default") is True]
        return usable[0] if len(usable) == 1 else None

    def _is_for(self, config: ClassInfo, folder: str) -> bool:
        """Whether the only configuration beside a package is for it, and not for another package of the project."""
        name = self._attribute(config, "name")
        if not isinstance(name, str) or not folder or self._names_folder(config, folder):
            return True
        if name.rpartition(".")[2] == self._parts(folder)[-1]:
            return True
        path = name.replace(".", "/")
        return not any(other == path or other.endswith(f"/{path}") for other in self._tree.folders)

    def _names_folder(self, config: ClassInfo, folder: str) -> bool:
        name = self._attribute(config, "name")
        return isinstance(name, str) and tuple(name.split(".")) == self._parts(folder)[-name.count(".") - 1 :]

    def _parts(self, folder: str) -> tuple[str, ...]:
        return (*self._root_parts, *(folder.split("/") if folder else ()))

    def _scope(self, folder: str, name: str) -> Scope | None:
        if not self._tree.has(folder, name):
            return None
        return self._modules.scope(self._tree.path(joined(folder, name)))

    def _configs_in(self, folder: str, name: str) -> Iterator[ClassInfo]:
        scope = self._scope(folder, name)
        if scope is None:
            return
        seen: list[ClassInfo] = []
        # Following every import would be slow: only of what may be a configuration.
        bases = {
            base
            for value in scope.names.values()
            if isinstance(value, ClassInfo)
            for base in value.bases
            if isinstance(base, Imported)
        }
        for value in scope.names.values():
            if isinstance(value, Imported) and (value in bases or (value.name or "").endswith("Config")):
                value = self._modules.value(value)
            if isinstance(value, ClassInfo) and value not in seen and self._is_config(value):
                seen.append(value)
                yield value

    def _is_config(self, info: ClassInfo) -> bool:
        """Whether it inherits from AppConfig: certainly, or from a class that is not here and called like one."""
        outside = [base for one in self._mro(info) for base in self._bases(one) if isinstance(base, Imported)]
        return any(base.path in APP_CONFIG or (base.name or "").endswith("Config") for base in outside)

    def _attribute(self, info: ClassInfo, name: str) -> Value:
        """The value of a class attribute, `_MISSING`, or UNKNOWN also when a base that is not here may have it."""
        outside = False
        for one in self._mro(info):
            if name in one.names:
                value = one.names[name]
                return self._modules.value(value) if isinstance(value, Imported) else value
            outside |= any(not isinstance(base, ClassInfo) and not _is_django(base) for base in self._bases(one))
        return UNKNOWN if outside and name in ("label", "default_auto_field") else _MISSING

    def _mro(self, info: ClassInfo) -> list[ClassInfo]:
        """The class and its bases that are in the project, left to right; diamonds do not matter here."""
        order: list[ClassInfo] = []
        pending = [info]
        while pending:
            one = pending.pop()
            if one not in order:
                order.append(one)
                pending.extend(base for base in reversed(self._bases(one)) if isinstance(base, ClassInfo))
        return order

    def _bases(self, info: ClassInfo) -> list[Value]:
        known = self._known_bases.get(info)
        if known is None:
            known = [self._modules.value(base) if isinstance(base, Imported) else base for base in info.bases]
            self._known_bases[info] = known
        return known

    def label_in_use(self, own_name: str, migrations: Sequence[str]) -> str:
        """The label that the migrations themselves use for their app, `own_name` if they do not contradict it.

        For what no file of this tree says: a configuration that another distribution's settings name, or that inherits
        its label from a class that is not here.
        """
        paths = frozenset(migrations)
        folder = parent_of(migrations[0]) if migrations else ""
        uses: Counter[str] = Counter()
        step = max(1, len(migrations) // 5)
        sample = [*migrations[1::step][:5], *migrations[-1:]]
        for path in dict.fromkeys(sample):
            try:
                source = read_source(self._tree.path(path))
            except SourceError:
                continue
            written = {(one.decode(), two.decode()) for one, two in re.findall(_DEPENDENCY, source)}
            found = [(label, name) for label, name in written if joined(folder, f"{name}.py") in paths]
            labels = {label for label, _ in found}
            if own_name in labels:
                return own_name
            # "0001_initial" is the name of some migration in every app.
            uses.update({label for label, name in found if name != "0001_initial"})
        best = uses.most_common(2)
        if best and best[0][1] >= 2 and (len(best) == 1 or best[1][1] < best[0][1]):
            return best[0][0]
        return own_name


_DEPENDENCY: Final = rb"""\(\s*["'](\w+)["']\s*,\s*["']([\w.-]+)["']\s*,?\s*\)"""


def _is_django(base: Value) -> bool:
    return isinstance(base, Imported) and (base.path in APP_CONFIG or base.path.startswith("django."))

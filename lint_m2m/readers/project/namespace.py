"""Values that the names of a settings module or an application configuration may have.

str, int, float, bool and None stand for themselves; a list, a tuple or a set is a tuple, in which UNKNOWN stands for
any number of elements; a dictionary is a dictionary, in which the key UNKNOWN stands for further entries. The classes
here stand for the rest.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from lint_m2m.values import declare, slotted

Value: TypeAlias = object

# Django's own base class of application configurations, as it may be imported.
APP_CONFIG: Final = frozenset({"django.apps.AppConfig", "django.apps.config.AppConfig"})


class EnvironmentText(str):
    """The default of ``os.environ.get("NAME", default)`` and its many relatives."""

    __slots__ = ()


class DatabaseUrl(EnvironmentText):
    """What stands for the ENGINE of a database that a URL describes: the URL."""

    __slots__ = ()


@slotted(frozen=True)
class Imported:
    """A name bound by an import in `importer`, not followed yet; `name` is None for a module itself."""

    module: str
    name: str | None
    level: int
    importer: str

    @property
    def path(self) -> str:
        """The dotted path, "" for what a relative import names."""
        if self.level:
            return ""
        return self.module if self.name is None else f"{self.module}.{self.name}"


@slotted(frozen=True, eq=False)
class ClassInfo:
    """A class statement: its bases, not followed if they are imported, and the names of its body."""

    name: str
    bases: tuple[Value, ...]
    names: dict[str, Value]
    file: str


@slotted()
class Scope:
    """A module's names. Not `complete`: it may have more names, or other values, than can be seen.

    `parts` are the files whose names it takes over as a whole.
    """

    file: str
    names: dict[str, Value] = declare(default_factory=dict)
    complete: bool = True
    parts: set[str] = declare(default_factory=set)

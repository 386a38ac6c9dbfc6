"""Which files of a migrations package Django's loader imports, and whether they are Django's migrations at all.

The rule is that of ``MigrationLoader.load_disk`` (4.2 to 6.1): every module that ``pkgutil.iter_modules`` finds in the
package, packages excepted, and those whose name starts with "_" or "~". A package without ``__init__.py`` is a
namespace package; Django takes its app for one without migrations, and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lint_m2m.readers.project.tree import Tree, Unread, joined, parent_of
from lint_m2m.readers.source import SourceError, read_source
from lint_m2m.values import frozen

# Not compiled before they are used: most projects need none of them.

# A class called Migration that inherits from something, or the name bound otherwise. (django/db/migrations is itself a
# folder called migrations, with a class Migration that inherits from nothing.)
_DEFINES: Final = rb"(?m)^[ \t]*class[ \t]+Migration[ \t]*\(|^Migration[ \t]*[:=]"
_DEFINES_PLAINLY: Final = b"\nclass Migration("
# "from other.migrations.m0001_initial import Migration", or "import *": only believed of a numbered file.
_REEXPORTS: Final = rb"(?m)^from\b[^\n]*\bimport\b[^\n]*(?:\bMigration\b|\*)"
# The migrations of South, which Django has replaced since 1.7.
_SOUTH: Final = rb"(?m)^[ \t]*(?:from|import)[ \t]+south\b"


@frozen
class MigrationsFolder:
    """A migrations package. `names` are its migrations, `compiled` those of which only the compiled form is there."""

    folder: str
    names: tuple[str, ...]
    compiled: tuple[tuple[str, str], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The migration files, relative to the root."""
        prefix = joined(self.folder, "")
        return tuple([f"{prefix}{name}.py" for name in self.names])


def migrations_folders(tree: Tree) -> Iterator[MigrationsFolder | Unread]:
    """Every folder called ``migrations`` that holds Django's migrations; an `Unread` for one that nearly does."""
    for folder in tree.folders:
        if folder.rpartition("/")[2] == "migrations" or (not folder and tree.root.name == "migrations"):
            found = read_folder(tree, folder)
            if found is not None:
                yield found


def read_folder(tree: Tree, folder: str) -> MigrationsFolder | Unread | None:
    """The migrations in `folder`, which may have any name; None when there is nothing in it."""
    names, compiled = _module_names(tree, folder)
    if not names and not compiled:
        return None
    kind = _kind(tree, folder, names)
    if kind == "" and not (compiled and not names and tree.has(folder, "__init__.py")):
        return Unread(folder, "no file in it defines a migration")
    if kind == "south":
        return Unread(folder, "migrations of South, not of Django")
    # An __init__.py that is a link out of the project makes it a package all the same.
    if not tree.has(folder, "__init__.py") and not any(
        one.path == joined(folder, "__init__.py") for one in tree.unread_files
    ):
        return Unread(folder, "it has no __init__.py, so Django takes its app for one without migrations")
    return MigrationsFolder(folder=folder, names=names, compiled=compiled)


def is_migration_name(name: str) -> bool:
    """Whether Django would take a module of this name for a migration."""
    return bool(name) and name[0] not in "_~" and "." not in name


def _module_names(tree: Tree, folder: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Names of the modules that have a source, and (name, file name) of those that have none."""
    names: set[str] = set()
    compiled: dict[str, str] = {}
    folders = tree.folders
    prefix = joined(folder, "")
    for file in folders.get(folder, ()):
        stem, _, suffix = file.rpartition(".")
        # 0001_initial.cpython-311-x86_64-linux-gnu.so
        name = stem if suffix in ("py", "pyc") else stem.partition(".")[0]
        # A package of the same name hides the module.
        if not is_migration_name(name) or (prefix + name in folders and tree.has(prefix + name, "__init__.py")):
            continue
        if suffix == "py":
            names.add(name)
        else:
            compiled.setdefault(name, file)
    # Files that are links out of the project are reported, one by one, by who asks for the tree's.
    linked = {
        one.path.rpartition("/")[2].removesuffix(".py") for one in tree.unread_files if parent_of(one.path) == folder
    }
    return (
        tuple(sorted(names)),
        tuple(sorted((name, file) for name, file in compiled.items() if name not in names | linked)),
    )


def _kind(tree: Tree, folder: str, names: tuple[str, ...]) -> str:
    """ "django", "south", or "" for something else. Reads until the first file that tells, nearly always one."""
    south = False
    for name in names:
        try:
            source = read_source(tree.path(joined(folder, f"{name}.py")))
        except SourceError:
            if name[0].isdigit():
                return "django"
            continue
        # What begins with a line is slow to search for.
        if b"south" in source and re.search(_SOUTH, source):
            south = True
        elif _defines_migration(name, source):
            return "django"
    return "south" if south else ""


def _defines_migration(name: str, source: bytes) -> bool:
    """Whether a module of this name has a class Migration of Django's kind."""
    if _DEFINES_PLAINLY in source or re.search(_DEFINES, source):
        return True
    return name[0].isdigit() and re.search(_REEXPORTS, source) is not None

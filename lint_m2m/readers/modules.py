"""Modules of the project and of the installed environment, found and parsed without importing them.

`Modules` turns dotted names into `Module`s by looking for files below given folders; a `Module` is a parsed file with
an index of which top-level statements bind or change which name. What those statements *mean* is not asked here.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lint_m2m import looks
from lint_m2m.readers.outline import Outline, outline
from lint_m2m.readers.source import (
    LostLines,
    ParsedSource,
    SourceError,
    decode,
    parse_tolerant,
    read_source,
    split_lines,
)
from lint_m2m.readers.values import ModuleValue, Ref

# Statements that give a name one meaning for good; a second one of them replaces it.
_DEFINING: Final = (ast.Import, ast.ImportFrom)
# A part of a dotted name; migrations begin with a digit. Nothing else may become a part of a path.
_NAME: Final = re.compile(r"\w+")
# Folders of sys.path that hold the standard library's modules are not where a project's fields come from.
_STANDARD_LIBRARY = Path(ast.__file__).parent


class Module:
    """A file, parsed when somebody asks what is in it. `name` is its dotted name, the ``__module__`` of its classes.

    A file that cannot be read or parsed is an empty module. Functions and classes in `bindings` may be without content:
    `statements` has it.
    """

    __slots__ = (
        "_bindings",
        "_changing",
        "_lines",
        "_outline",
        "_packages",
        "_parsed",
        "_stars",
        "_text",
        "ascii",
        "is_package",
        "name",
        "path",
    )

    def __init__(self, path: Path, name: str, parsed: ParsedSource | None = None) -> None:
        self.path = path
        self.name = name
        self.is_package = path.name == "__init__.py"
        self._parsed = parsed
        # Of a module that is not parsed yet, or not in full.
        self._text: str | None = None
        self._outline: Outline | None = None
        self.ascii = parsed is not None and parsed.text.isascii()
        self._lines: list[str] | None = None
        self._bindings: dict[str, list[ast.stmt]] | None = None
        self._stars: list[ast.ImportFrom] = []
        self._packages: frozenset[str] | None = None
        self._changing: frozenset[str] | None = None

    @property
    def parsed(self) -> ParsedSource:
        """The module's source."""
        if self._parsed is None:
            known = self._outline
            if known is not None and self._text is not None and known.fill_all():
                self._parsed = ParsedSource(self._text, ast.Module(body=known.body, type_ignores=[]))
            else:
                self._parse()
        return self._parsed  # type: ignore[return-value]  # `_parse` has set it

    def _parse(self) -> None:
        """Parse all of the text; what is known of an outline of it is forgotten."""
        try:
            if self._text is None:
                self._text = decode(read_source(self.path))
            self._parsed = parse_tolerant(self._text)
        except SourceError:
            self._parsed = ParsedSource("", ast.Module(body=[], type_ignores=[]))
        if self._outline is not None:
            self._outline = self._bindings = self._changing = self._packages = None
            self._stars = []

    @property
    def body(self) -> list[ast.stmt]:
        """The top-level statements; functions and classes may be without content."""
        if self._parsed is None and self._outline is None:
            with suppress(SourceError):
                self._text = decode(read_source(self.path))
                self._outline = outline(self._text)
        return self.parsed.tree.body if self._outline is None else self._outline.body

    def statements(self, name: str) -> list[ast.stmt] | None:
        """The statements in `bindings` for `name`, with their content."""
        found = self.bindings.get(name)
        if found is None or self._outline is None or all(map(self._outline.fill, found)):
            return found
        self._parse()
        return self.bindings.get(name)

    @property
    def lost(self) -> tuple[LostLines, ...]:
        """What this interpreter cannot parse of it."""
        return self.parsed.lost

    @property
    def packages(self) -> frozenset[str]:
        """The dotted names that its ``import a.b.c`` make modules: a, a.b, a.b.c."""
        if self._packages is None:
            names: set[str] = set()
            for statement in self.body:
                if statement.__class__ is ast.Import:
                    for alias in statement.names:
                        parts = alias.name.split(".")
                        names.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
            self._packages = frozenset(names)
        return self._packages

    @property
    def package(self) -> str:
        """The dotted name that relative imports in it start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def lines(self) -> list[str]:
        """The source's lines, as the parser counts them."""
        if self._lines is None:
            self._lines = split_lines(self.parsed.text)
        return self._lines

    @property
    def bindings(self) -> dict[str, list[ast.stmt]]:
        """Name -> the top-level statements, in order, that bind it or may change what it is bound to."""
        if self._bindings is None:
            body = self.body
            self._bindings = {}
            for statement in body:
                for name in affected_names(statement):
                    statements = self._bindings.setdefault(name, [])
                    if not statements or statements[-1] is not statement:
                        statements.append(statement)
                self._stars.extend(_star_imports(statement))
        return self._bindings

    @property
    def changing(self) -> frozenset[str]:
        """The names that more than one statement binds or changes: what they are depends on when one asks."""
        if self._changing is None:
            self._changing = frozenset(
                name
                for name, statements in self.bindings.items()
                if len(statements) > 1 and not all(isinstance(each, _DEFINING) for each in statements)
            )
        return self._changing

    def history(self, name: str) -> tuple[list[ast.stmt], set[str]]:
        """All statements, in order, that what `name` ends up as may depend on, and the names that these bind."""
        names = {name}
        pending = [name]
        while pending:
            before = self._outline
            statements = self.statements(pending.pop()) or ()
            if before is not self._outline:  # it is parsed anew
                return self.history(name)
            for statement in statements:
                for other in (*affected_names(statement), *_loaded_names(statement)):
                    if other not in names and other in self.bindings:
                        names.add(other)
                        pending.append(other)
        wanted = {id(statement) for each in names for statement in self.bindings.get(each, ())}
        return [statement for statement in self.body if id(statement) in wanted], names

    @property
    def stars(self) -> list[ast.ImportFrom]:
        """The ``from x import *`` of the module, in order."""
        if self._bindings is None:
            _ = self.bindings
        return self._stars


class Modules:
    """Finds modules below `roots` (the project's source roots, most specific first) and `installed` folders.

    Everything found, and everything not found, is remembered: files do not change while a project is read. `overlay`
    holds bytes that count instead of what is on disk.
    """

    def __init__(
        self, roots: Sequence[Path], installed: Sequence[Path] = (), overlay: Mapping[Path, bytes] | None = None
    ) -> None:
        self._overlay = overlay or {}
        self.roots = tuple(roots)
        self._folders = (*self.roots, *(folder for folder in installed if folder not in self.roots))
        self._by_path: dict[Path, Module] = {}
        # What an attribute of something without source is: the same for every migration.
        self.references: dict[tuple[str, str], Ref | ModuleValue] = {}
        self._by_name: dict[str, Module | None] = {}
        self._submodules: dict[tuple[Module, str], Module | None] = {}
        self._relatives: dict[tuple[Path, str, int, str], Module | None] = {}
        self._tops: dict[str, tuple[Path, ...]] = {}
        self._root_texts = sorted((os.path.join(root, "") for root in self.roots), key=len, reverse=True)

    def find(self, name: str) -> Module | None:
        """The module of dotted `name`, or None when no folder has its source."""
        try:
            return self._by_name[name]
        except KeyError:
            pass
        module = None
        parts = name.split(".") if all(map(_NAME.fullmatch, name.split("."))) else [""]
        for folder in self._having(parts[0]):
            path = _module_file(folder.joinpath(*parts))
            if path is not None:
                module = self.load(path, name)
                break
        self._by_name[name] = module
        return module

    def knows(self, name: str) -> bool:
        """Whether some folder has the top-level package of dotted `name`."""
        return bool(self._having(name.partition(".")[0]))

    def relative(self, module: Module, level: int, name: str) -> Module | None:
        """The module that ``from ..name import`` (`level` dots) in `module` names, looked up beside it."""
        key = (module.path.parent, module.package, level, name)
        try:
            return self._relatives[key]
        except KeyError:
            found = self._relatives[key] = self._relative(module, level, name)
            return found

    def _relative(self, module: Module, level: int, name: str) -> Module | None:
        folder = module.path.parent
        for _ in range(level - 1):
            folder = folder.parent
        if not any(folder.is_relative_to(root) for root in self._folders):
            return None
        path = _module_file(folder.joinpath(*name.split("."))) if name else _init_file(folder)
        if path is None:
            return None
        return self.load(path, absolute_name(module, level, name))

    def submodule(self, package: Module, name: str) -> Module | None:
        """The module `name` in `package`."""
        if not package.is_package:
            return None
        key = (package, name)
        try:
            return self._submodules[key]
        except KeyError:
            pass
        path = _module_file(package.path.parent / name) if _NAME.fullmatch(name) else None
        found = self._submodules[key] = None if path is None else self.load(path, f"{package.name}.{name}")
        return found

    def load(self, path: Path, name: str) -> Module:
        """The module in the file `path`."""
        try:
            return self._by_path[path]
        except KeyError:
            pass
        parsed = None
        if path in self._overlay:
            with suppress(SourceError):
                parsed = parse_tolerant(decode(self._overlay[path]))
        module = self._by_path[path] = Module(path, name, parsed)
        return module

    def name_of(self, path: Path) -> str:
        """The dotted name of the file `path`: relative to the most specific root that contains it."""
        text = str(path)
        for root in self._root_texts:
            if text.startswith(root):
                parts = text[len(root) :].removesuffix(".py").split(os.sep)
                return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return path.stem

    def _having(self, top: str) -> tuple[Path, ...]:
        """The folders with a top-level package or module `top`."""
        try:
            return self._tops[top]
        except KeyError:
            pass
        if not _NAME.fullmatch(top):
            return ()
        found = []
        for folder in self._folders:
            path = os.path.join(folder, top)
            if looks.is_folder(path) or looks.is_file(f"{path}.py"):
                found.append(folder)
        self._tops[top] = tuple(found)
        return self._tops[top]


def installed_source_paths() -> tuple[Path, ...]:
    """Where this interpreter's installed packages have their source; the standard library is left out."""
    folders = (Path(entry) for entry in sys.path if entry)
    return tuple(
        folder
        for folder in folders
        if folder.is_dir() and folder != _STANDARD_LIBRARY and folder.parent != _STANDARD_LIBRARY.parent / "lib-dynload"
    )


def absolute_name(module: Module, level: int, name: str) -> str:
    """The dotted name that ``from ..name import`` (`level` dots) in `module` means."""
    if level == 0:
        return name
    parts = module.package.split(".")
    base = parts[: len(parts) - level + 1] if level > 1 else parts
    return ".".join([*base, *([name] if name else [])])


def affected_names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds, or whose value it may change in place."""
    match statement:
        case ast.Import():
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0]
        case ast.ImportFrom():
            for alias in statement.names:
                if alias.name != "*":
                    yield alias.asname or alias.name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign():
            for target in statement.targets:
                yield from _target_names(target)
        case ast.AnnAssign():
            if statement.value is not None:
                yield from _target_names(statement.target)
        case ast.AugAssign():
            yield from _target_names(statement.target)
        case ast.Delete():
            for target in statement.targets:
                yield from _target_names(target)
        case ast.Expr(value=ast.Call() as call):
            if isinstance(call.func, ast.Attribute):
                yield from _target_names(call.func)
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                if isinstance(argument, ast.Name):
                    yield argument.id
        case ast.If() | ast.While():
            yield from _names_in([*statement.body, *statement.orelse])
        case ast.For() | ast.AsyncFor():
            yield from _target_names(statement.target)
            yield from _names_in([*statement.body, *statement.orelse])
        case ast.With() | ast.AsyncWith():
            for item in statement.items:
                if item.optional_vars is not None:
                    yield from _target_names(item.optional_vars)
            yield from _names_in(statement.body)
        case ast.Try() | ast.TryStar():
            yield from _names_in([*statement.body, *statement.orelse, *statement.finalbody])
            for handler in statement.handlers:
                if handler.name:
                    yield handler.name
                yield from _names_in(handler.body)
        case ast.Match():
            for case in statement.cases:
                yield from _names_in(case.body)


def _loaded_names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement reads when it runs: not those in the bodies of functions."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += [*node.decorator_list, *node.args.defaults, *(each for each in node.args.kw_defaults if each)]
        else:
            pending.extend(ast.iter_child_nodes(node))


def _names_in(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        yield from affected_names(statement)


def _target_names(target: ast.expr) -> Iterator[str]:
    """The names of an assignment's target; of ``a.b`` and ``a[b]``: a."""
    match target:
        case ast.Name():
            yield target.id
        case ast.Tuple() | ast.List():
            for element in target.elts:
                yield from _target_names(element)
        case ast.Starred() | ast.Attribute() | ast.Subscript():
            yield from _target_names(target.value)


def _star_imports(statement: ast.stmt) -> Iterator[ast.ImportFrom]:
    match statement:
        case ast.ImportFrom():
            if statement.names[0].name == "*":
                yield statement
        case ast.If() | ast.Try() | ast.TryStar():
            for inner in [*statement.body, *statement.orelse]:
                yield from _star_imports(inner)


def _module_file(base: Path) -> Path | None:
    """The file of the module whose path without suffix is `base`: a package wins, as it does for Python."""
    return _init_file(base) or _regular(base.with_name(f"{base.name}.py"))


def _init_file(folder: Path) -> Path | None:
    return _regular(folder / "__init__.py")


def _regular(path: Path) -> Path | None:
    return path if looks.is_file(path) else None

"""What the names in a plain migration mean: the imports, and whatever else stands above its class."""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from lint_m2m.migration import Dependency, Field
from lint_m2m.readers.context import FileLike, ReadContext, Session, session_of
from lint_m2m.readers.field_classes import FieldClass, field_class
from lint_m2m.readers.operation_classes import OperationClass, operation_class
from lint_m2m.readers.plain.grammar import refuse_keywords
from lint_m2m.readers.source import ParsedSource, parse
from lint_m2m.readers.values import Frame, Ref, Value

_NAME: Final = r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+"
_ALIASED: Final = rf"{_NAME}(?: as [A-Za-z_]\w*+)?+"
_LIST: Final = rf"{_ALIASED}(?:, {_ALIASED})*+"
# Nothing but imports: what a name means does not depend on where in the file they stand.
_IMPORTS: Final = re.compile(
    rf"(?:(?:import {_LIST}|from \.*+(?:{_NAME})?+ import (?:{_LIST}|\((?:\n|[ ]|,|{_ALIASED})*+\)))?+\n)*+", re.ASCII
)
_COMMENT_LINES: Final = re.compile(r"^[ ]*(?:#[^\n]*)?\n", re.MULTILINE)


class Header:
    """The names above the class of one file, or of all files that import the same."""

    __slots__ = (
        "_fields",
        "_frame",
        "_operations",
        "_values",
        "dependencies",
        "flats",
        "odd_fields",
        "session",
        "tree",
    )

    def __init__(self, session: Session, tree: ast.Module) -> None:
        self.session = session
        self.tree = tree
        self._frame = Frame(session.module, {})
        self._values: dict[str, Value] = {}
        self._operations: dict[str, OperationClass | None] = {}
        self._fields: dict[str, FieldClass | None] = {}
        # What reads operations whose arguments are flat, by the name of their class (`operations.py`).
        self.flats: dict[str, Any] = {}
        # Dependencies that are calls, by their source.
        self.dependencies: dict[str, Dependency] = {}
        # Fields that the evaluator has read, by the app's label and their source.
        self.odd_fields: dict[tuple[str, str], Field] = {}

    def value(self, name: str) -> Value:
        """What the dotted `name` stands for. NotPlain where it is no name."""
        try:
            return self._values[name]
        except KeyError:
            refuse_keywords(name)
        value = self._values[name] = self._of_django(name) or self._evaluated(name)
        return value

    def _of_django(self, name: str) -> Ref | None:
        """What the evaluator would say of ``models.CharField`` below ``from django.db import models``."""
        first, _, rest = name.partition(".")
        statements = self.session.module.bindings.get(first, ())
        if not rest or len(statements) != 1:
            return None
        statement = statements[0]
        if not isinstance(statement, ast.ImportFrom) or statement.level or statement.module != "django.db":
            return None
        own = next((alias.name for alias in statement.names if (alias.asname or alias.name) == first), None)
        return None if own is None else Ref(f"django.db.{own}.{rest}")

    def _evaluated(self, name: str) -> Value:
        return self.session.interpreter.plain(ast.parse(name, mode="eval").body, self._frame)

    def operation(self, name: str) -> OperationClass | None:
        """The operation class that the dotted `name` stands for."""
        try:
            return self._operations[name]
        except KeyError:
            pass
        found = self._operations[name] = operation_class(self.session, self.value(name))
        return found

    def field(self, name: str) -> FieldClass | None:
        """The field class that the dotted `name` stands for."""
        try:
            return self._fields[name]
        except KeyError:
            pass
        found = self._fields[name] = field_class(self.session, self.value(name))
        return found


def header_of(text: str, file: FileLike, context: ReadContext) -> Header:
    """The header in `text`, everything above the class in `file`. SourceError where it cannot be parsed."""
    # The first line tells when the file was written; most files have the same below it.
    start = text.find("\n") + 1 if text.startswith("#") else 0
    written = (text[start:], "")
    known = context.headers.get(written)
    if known is not None:
        return known
    short = _COMMENT_LINES.sub("", text)
    if _IMPORTS.fullmatch(short) is None:
        return _own(text, file, context)
    key = (short, str(file.file.parent) if "from ." in short else "")
    known = context.headers.get(key)
    if known is None:
        known = context.headers[key] = _own(short, file, context)
    if not key[1]:
        context.headers[written] = known
    return known


def imports_in(text: str, file: FileLike, context: ReadContext) -> Header:
    """The imports at the beginning of the header in `text`: what all other names in it mean is not looked at."""
    imports = _IMPORTS.match(_COMMENT_LINES.sub("", text))
    return header_of(imports[0] if imports else "", file, context)


def _own(text: str, file: FileLike, context: ReadContext) -> Header:
    tree = parse(text)
    return Header(session_of(file, ParsedSource(text, tree), context), tree)

"""What all migrations of one project share while they are read, and what one migration has while it is read."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lint_m2m.migration import App, Maybe, ReaderGap, Span, UnreadFile
from lint_m2m.readers.evaluate import MAX_STEPS
from lint_m2m.readers.field_classes import FieldClass
from lint_m2m.readers.interpret import Interpreter
from lint_m2m.readers.modules import Module, Modules
from lint_m2m.readers.operation_classes import OperationClass
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.source import ParsedSource
from lint_m2m.readers.spans import span_of
from lint_m2m.readers.values import Call, Frame

if TYPE_CHECKING:
    from lint_m2m.readers.plain.header import Header


class FileLike(Protocol):
    """`discovery.MigrationFile`, which is above this package's reach."""

    @property
    def app_label(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def file(self) -> Path: ...


class LayoutLike(Protocol):
    """`discovery.Layout`."""

    @property
    def root(self) -> Path: ...
    @property
    def apps(self) -> tuple[App, ...]: ...
    @property
    def files(self) -> Sequence[FileLike]: ...
    @property
    def swappable(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def vendor(self) -> Maybe[str]: ...
    @property
    def default_auto_field(self) -> Maybe[str]: ...
    @property
    def source_roots(self) -> tuple[Path, ...]: ...
    @property
    def problems(self) -> tuple[UnreadFile, ...]: ...


class ReadContext:
    """What reading one project's migrations needs beside each file: its layout, options and parsed modules.

    What it remembers depends on files alone, so the order in which migrations are read makes no difference.
    """

    def __init__(self, layout: LayoutLike, options: ReadOptions) -> None:
        self.options = options
        self.swappable = {**dict(layout.swappable), **dict(options.swappable)}
        roots = tuple(layout.source_roots) or (layout.root,)
        self.modules = Modules(roots, options.source_paths, dict(options.overlay))
        self.many_to_many_fields = dict(options.many_to_many_fields)
        self.operations = dict(options.operations)
        # App label by folder, for the models that migrations import.
        self.labels = {(layout.root / app.path).parent: app.label for app in layout.apps}
        # Classes whose source is not in the migration that uses them, by path or by their class statement.
        self.field_classes: dict[str | ast.ClassDef, FieldClass] = {}
        self.operation_classes: dict[str | ast.ClassDef, OperationClass] = {}
        # What names mean in plain migrations: by the imports, and by the folder that relative ones start from.
        self.headers: dict[tuple[str, str], Header] = {}
        # What calls of Django's field classes say, by class and arguments (`plain.fields.flat_column`).
        self.columns: dict[tuple[str, str], dict[str, Any]] = {}
        # Whether the same calls make plain columns.
        self.plain_columns: dict[tuple[str, str], bool] = {}


class Session:
    """The reading of one migration: its module, its interpreter, and what could not be read."""

    def __init__(self, context: ReadContext, module: Module, app_label: str) -> None:
        self.context = context
        self.module = module
        self.app_label = app_label
        self.interpreter = Interpreter(context.modules, module, context.swappable)
        # Its keys, in their order: there may be very many.
        self.gaps: dict[ReaderGap, None] = {}
        # How many operations were read, and how many of them depend on something unknown.
        self.operations = self.conditional = 0
        # Where the migration names what comes from another file and has no position of its own here.
        self.fallback: Span | None = None

    def span(self, node: ast.expr | ast.keyword | ast.stmt, frame: Frame) -> Span | None:
        """Where `node` stands in the migration's file; if it stands in another one, what in this file leads there."""
        module = self.module
        if frame.module is module:
            return span_of(node, module)
        scope: Frame | None = frame
        while scope is not None:
            if scope.site is not None:
                return span_of(scope.site, module)
            scope = scope.parent
        return self.fallback

    def call_span(self, call: Call) -> Span | None:
        """Where `call` stands."""
        return self.span(call.node, call.frame)

    def begin_again(self) -> None:
        """Forget what could not be read, and give the interpreter all its steps: the file is read in another way."""
        self.gaps = {}
        self.operations = self.conditional = 0
        self.interpreter.steps = MAX_STEPS

    def gap(self, reason: str, unchecked: str, span: Span | None) -> None:
        """Note that something could not be read, and what is therefore not checked."""
        self.gaps.setdefault(ReaderGap(reason, unchecked, span))

    def is_own(self, frame: Frame) -> bool:
        """Whether `frame` belongs to the migration's own file."""
        return frame.module is self.module


def session_of(file: FileLike, parsed: ParsedSource, context: ReadContext) -> Session:
    """The session in which `file` is read, of which `parsed` is known."""
    path = file.file
    module = Module(path, context.modules.name_of(path), parsed)
    return Session(context, module, file.app_label)

"""A migration file that is plain, or of which only single operations are not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Final

from lint_m2m.migration import (
    Dependency,
    Field,
    Migration,
    MigrationKey,
    ModelKey,
    Operation,
    Recognised,
    RunPython,
    Span,
)
from lint_m2m.readers.context import FileLike, ReadContext, Session, session_of
from lint_m2m.readers.django_names import MIGRATION_CLASSES, NOOPS
from lint_m2m.readers.evaluate import TooMuch
from lint_m2m.readers.fields import read_field
from lint_m2m.readers.migrations import read_dependency
from lint_m2m.readers.operations import MAX_OPERATIONS, facts_of_code, read_operation
from lint_m2m.readers.plain.flat import Place
from lint_m2m.readers.plain.grammar import BLANK, CALL, ELEMENT_END, GAP, LIST_END, NotPlain, Source
from lint_m2m.readers.plain.header import Header, header_of, imports_in
from lint_m2m.readers.plain.operations import plain_operation
from lint_m2m.readers.source import ParsedSource, SourceError, expression_of, refuse_repeated
from lint_m2m.readers.values import Call, Frame, FunctionValue, Ref, Value
from lint_m2m.values import replace

_CLASS: Final = re.compile(r"class Migration\((?P<base>[A-Za-z_][\w.]*+)\):[ ]*+(?:#[^\n]*+)?+\n", re.ASCII)
# At the end of an attribute: what may follow it on its line, empty lines and comments.
_NEXT: Final = re.compile(r"(?:[ ]*+(?:#[^\n]*+)?+\n)*+(?:    (?P<name>[a-z_]++) = |[ ]*+(?:#[^\n]*+)?+\Z)")
_FLAG: Final = re.compile(r"(True|False)(?=[ ]*+(?:#|\n|\Z))")
_REST: Final = re.compile(r"[ ]*+(?:#[^\n]*+)?+(?:\n|\Z)")
# Formatters break long ones into lines.
_KEY: Final = re.compile(rf"""\({GAP}(["'])([^"'\\\n]*+)\1{GAP},{GAP}(["'])([^"'\\\n]*+)\3{GAP}(?:,{GAP})?+\)""")
# A function and the reverse one by their names.
_RUN_PYTHON: Final = re.compile(
    rf"(?P<callee>[A-Za-z_][\w.]*+)\({GAP}(?P<by_name>code=)?+(?P<code>[A-Za-z_]\w*+){GAP}"
    rf"(?:,{GAP}(?(by_name)reverse_code=|(?:reverse_code=)?+)(?P<reverse>[A-Za-z_][\w.]*+){GAP})?+(?:,{GAP})?+\)",
    re.ASCII,
)
_LISTS: Final = frozenset({"dependencies", "operations", "replaces", "run_before"})
# Line ends and bytes that Python has its own ideas about.
_ODD: Final = "\r\0\f"


def read_plain(file: FileLike, text: str, context: ReadContext, *, brief: bool = False) -> Migration | None:
    """The migration in `text`, the text of `file`; None where it has to be parsed as a whole.

    `brief`: what can be `Recognised` is not taken apart.
    """
    for sign in _ODD:
        if sign in text:
            return None
    match = _CLASS.match(text, text.find("\nclass Migration(") + 1)
    if match is None:
        return None
    try:
        header = header_of(text[: match.start()], file, context)
        base = header.value(match["base"])
        if not isinstance(base, Ref) or base.path not in MIGRATION_CLASSES:
            return None
        reading = _Reading(file, text, context, header, brief)
        try:
            return reading.migration(match.end())
        finally:
            # It leads back to the reading, and the text would stay until somebody collects such circles.
            del reading.place
    except (NotPlain, SourceError, SyntaxError, ValueError, MemoryError, RecursionError, TooMuch):
        return None


def take_apart(file: FileLike, migration: Migration, numbers: Iterable[int], context: ReadContext) -> Migration:
    """The migration with those of its operations taken apart that are only `Recognised` among `numbers`."""
    text = migration.text
    if text is None:
        return migration
    operations = list(migration.operations)
    header = imports_in(text[: text.find("\nclass Migration(") + 1], file, context)
    reading = _Reading(file, text, context, header, brief=False)
    try:
        for number in numbers:
            one = operations[number]
            if isinstance(one, Recognised):
                operations[number] = reading.recognised(one)
    except NotPlain:
        # The names in it have their meaning from something else than its imports.
        whole = read_plain(file, text, context)
        assert whole is not None  # what is recognised is plain
        return whole
    finally:
        del reading.place
    return replace(migration, operations=tuple(operations), text=text if Recognised in map(type, operations) else None)


class _Reading:
    """The reading of one file."""

    def __init__(self, file: FileLike, text: str, context: ReadContext, header: Header, brief: bool) -> None:
        self.file = file
        self.text = text
        self.context = context
        self.header = header
        self.source = Source(text)
        self.place = Place(self.source, header, file.app_label, self.odd_field, brief)
        self._session: Session | None = None
        # Of the list of operations.
        self._start = self._end = 0

    def migration(self, position: int) -> Migration:
        """The migration whose class body begins at `position`."""
        lists: dict[str, tuple[MigrationKey, ...]] = {}
        flags: dict[str, bool] = {}
        dependencies: tuple[Dependency, ...] = ()
        operations: tuple[Operation, ...] = ()
        text = self.text
        seen: set[str] = set()
        while True:
            match = _NEXT.match(text, position)
            if match is None:
                raise NotPlain
            name = match["name"]
            if name is None:
                break
            if name in seen:
                raise NotPlain
            seen.add(name)
            position = match.end()
            if name in _LISTS:
                if not text.startswith("[", position):
                    raise NotPlain
                self._start = position
                position += 1
                if name == "operations":
                    operations, position = self.operations(position)
                elif name == "dependencies":
                    dependencies, position = self.dependencies(position)
                else:
                    found, position = self.dependencies(position)
                    if any(each.key is None or each.swappable is not None for each in found):
                        raise NotPlain
                    lists[name] = tuple(each.key for each in found if each.key is not None)
            elif name in ("initial", "atomic"):
                flag = _FLAG.match(text, position)
                if flag is None:
                    raise NotPlain
                flags[name] = flag[1] == "True"
                position = flag.end()
            else:
                raise NotPlain
            rest = _REST.match(text, position)
            if rest is None:
                raise NotPlain
            position = rest.end()
        if not seen:
            raise NotPlain
        return Migration(
            app_label=self.file.app_label,
            name=self.file.name,
            path=self.file.path,
            dependencies=dependencies,
            run_before=lists.get("run_before", ()),
            replaces=lists.get("replaces", ()),
            initial=flags.get("initial"),
            atomic=flags.get("atomic", True),
            operations=operations,
            gaps=() if self._session is None else tuple(self._session.gaps),
            text=text if Recognised in map(type, operations) else None,
        )

    def dependencies(self, position: int) -> tuple[tuple[Dependency, ...], int]:
        """The dependencies in the list that begins before `position`, and where it ends."""
        text, source = self.text, self.source
        found: list[Dependency] = []
        while True:
            position = BLANK.match(text, position).end()  # type: ignore[union-attr]  # it may be empty
            if text.startswith("]", position):
                return tuple(found), position + 1
            key = _KEY.match(text, position)
            if key is not None:
                end = key.end()
                found.append(Dependency(key=MigrationKey(key[2], key[4]), span=source.span(position, end)))
            else:
                call = CALL.match(text, position)
                if call is None:
                    raise NotPlain
                end = source.arguments(call.end())[1]
                found.append(self._odd_dependency(position, end))
            ending = ELEMENT_END.match(text, end)
            if ending is None:
                raise NotPlain
            position = ending.end()
            if ending[1] == "]":
                return tuple(found), position

    def _odd_dependency(self, start: int, end: int) -> Dependency:
        span = self.source.span(start, end)
        written = self.text[start:end]
        known = self.header.dependencies.get(written)
        if known is None:
            session = self.header.session
            value = session.interpreter.value(expression_of(written), Frame(session.module, {}))
            known = read_dependency(session, value, None)
            if known is None:
                raise NotPlain
            self.header.dependencies[written] = known
        return Dependency(key=known.key, swappable=known.swappable, span=span)

    def operations(self, position: int) -> tuple[tuple[Operation, ...], int]:
        """The operations in the list that begins before `position`, and where it ends."""
        text = self.text
        found: list[Operation] = []
        while (call := CALL.match(text, position)) is not None:
            start = call.start("callee")
            gaps = 0 if self._session is None else len(self._session.gaps)
            try:
                operation, end = plain_operation(self.place, call["callee"], start, call.end())
            except NotPlain:
                if self._session is not None:
                    for gap in [*self._session.gaps][gaps:]:  # of a field that has turned out to be another one
                        del self._session.gaps[gap]
                end = self.source.closing(call.end())
                operation = self.odd_operation(start, end)
            found.append(operation)
            if len(found) > MAX_OPERATIONS:
                raise NotPlain
            ending = ELEMENT_END.match(text, end)
            if ending is None:
                raise NotPlain
            position = ending.end()
            if ending[1] == "]":
                return self._read(found, position)
        closed = LIST_END.match(text, position)
        if closed is None:
            raise NotPlain
        return self._read(found, closed.end())

    def recognised(self, operation: Recognised) -> Operation:
        """All of an operation that was recognised; NotPlain where it is another one by this header."""
        call = CALL.match(self.text, operation.start)
        if call is None:
            raise NotPlain
        read, end = plain_operation(self.place, call["callee"], operation.start, call.end())
        if read.__class__ is not operation.kind or end != operation.end:
            raise NotPlain
        return read

    def _read(self, found: list[Operation], position: int) -> tuple[tuple[Operation, ...], int]:
        if self._session is not None and position != self._end:
            raise NotPlain
        return tuple(found), position

    def session(self) -> Session:
        """For what the evaluator has to read."""
        session = self._session
        if session is None:
            session = self._session = session_of(self.file, ParsedSource(self.text, self.header.tree), self.context)
            # Where things are put that come from elsewhere: at the list of operations, which ends before the next line
            # at the class's depth (`operations` makes sure of it).
            self._end = self.text.find("\n    ]", self._start) + 6
            session.fallback = self.source.span(self._start, self._end)
        return session

    def odd_operation(self, start: int, end: int) -> Operation:
        """An operation that is not plain."""
        function = self._run_python(start, end)
        if function is not None:
            return function
        session = self.session()
        value = session.interpreter.value(self._tree(start, end), Frame(session.module, {}))
        if not isinstance(value, Call):
            raise NotPlain
        return read_operation(session, value)

    def _run_python(self, start: int, end: int) -> RunPython | None:
        """Django's own RunPython of a function that is named, which needs no tree; None for all others."""
        match = _RUN_PYTHON.fullmatch(self.text, start, end)
        if match is None:
            return None
        cls = self.header.operation(match["callee"])
        if cls is None or cls.acts_as is None or cls.acts_as.name != "RunPython" or cls.path is not None:
            return None
        code, reverse = self._named(match["code"]), match["reverse"]
        if not isinstance(code, FunctionValue):
            return None
        if reverse is not None:
            backwards = self.header.value(reverse) if "." in reverse else self._named(reverse)
            is_noop = isinstance(backwards, Ref) and backwards.path in NOOPS
            if not is_noop and not isinstance(backwards, FunctionValue):
                return None
        return RunPython(
            code=facts_of_code(self.session(), code),
            reversible=reverse is not None,
            span=self.source.span(start, end),
        )

    def _named(self, name: str) -> Value | None:
        """What the module binds to `name`."""
        session = self.session()
        return session.interpreter.module_attribute(session.module, name)

    def odd_field(self, start: int, end: int, owner: ModelKey, name: str) -> Field:
        """A field that is not plain. The same calls come again below the same imports: what they make is remembered."""
        place = self.source.span(start, end)
        written = self.text[start:end]
        # "self" and names without an app mean something else in each app.
        key = self.file.app_label, written
        known = self.header.odd_fields.get(key)
        if known is not None:
            return _moved(known, place)
        session = self.session()
        gaps = len(session.gaps)
        value = session.interpreter.value(self._tree(start, end), Frame(session.module, {}))
        field = read_field(session, value, owner, name)
        if len(session.gaps) == gaps and field.span == place and "self" not in written and _can_move(field, place):
            self.header.odd_fields[key] = field
        return field

    def _tree(self, start: int, end: int) -> ast.expr:
        """The tree of a part of the text, each node at its place in the file."""
        before = self.text.rfind("\n", 0, start) + 1
        column = len(self.text[before:start].encode("utf-8", "surrogatepass"))
        lines = self.source.span(start, start).line - 2
        written = self.text[start:end]
        tree = expression_of("\n" * lines + "(\n" + " " * column + written + "\n)")
        refuse_repeated(written, tree)
        return tree


def _can_move(field: Field, place: Span) -> bool:
    """Whether all places that `field` knows of are in `place`, and its own."""
    first, last = (place.line, place.column), (place.end_line, place.end_column)
    return not any(isinstance(value, Field) for _, value in field.options) and all(
        first <= (span.line, span.column) and (span.end_line, span.end_column) <= last
        for _, span in field.argument_spans
    )


def _moved(field: Field, place: Span) -> Field:
    """The field that the same text makes at another place."""
    was = field.span
    if was is None:
        raise NotPlain
    lines, columns = place.line - was.line, place.column - was.column

    def there(span: Span) -> Span:
        return Span(
            span.line + lines,
            span.column + (columns if span.line == was.line else 0),
            span.end_line + lines,
            span.end_column + (columns if span.end_line == was.line else 0),
        )

    return replace(
        field, span=place, argument_spans=tuple([(name, there(span)) for name, span in field.argument_spans])
    )

"""Code in the user's own words: their source for fields and options, their names for imports, their quotes.

A `Writer` writes for one file. Nodes that it hands out are laid out by `code`, which also says what they need imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from lint_m2m.migration import UNKNOWN, Field, FieldKind, ModelKey, Span
from lint_m2m.readers.django_names import DJANGO_FIELDS, OPERATIONS_BY_NAME
from lint_m2m.replay.models import FieldState
from lint_m2m.sequences.layout import Bracket, Item, Node, Text, call, items, lay_out, parse_node, text
from lint_m2m.sequences.source import SourceFile, Unwritable, source_file
from lint_m2m.sequences.values import Code, Situation, Style
from lint_m2m.values import replace

# How deep an element of `operations` stands in a Migration class.
OPERATION_INDENT = 8


class Writer:
    """Writes for the file at `path` of the situation's sources, or for a new one (``None``)."""

    def __init__(self, situation: Situation, path: str | None) -> None:
        self._situation = situation
        source = None if path is None else situation.sources.get(path)
        self.file: SourceFile | None = None if source is None else source_file(source)
        self.style: Style = situation.style
        self._imports: dict[str, None] = {}
        self._functions: list[str] = []

    # -- names and constants

    def string(self, value: str) -> str:
        """`value` as a literal in the file's quotes."""
        quote = self.style.quote
        if value.isprintable() and quote not in value and "\\" not in value:
            return f"{quote}{value}{quote}"
        return repr(value)

    def literal(self, value: str) -> Text:
        return text(self.string(value))

    def name(self, module: str, name: str) -> str:
        """What the file calls `name` of `module`; imported if it is not."""
        local = None if self.file is None else self.file.local_name(module, name)
        if local is not None:
            return local
        if self.file is not None and name in self.file.top_names:
            raise Unwritable(f"`{name}` means something else in the file")
        self._imports[f"from {module} import {name}"] = None
        return name

    def migrations(self, operation: str) -> str:
        """``migrations.AddField`` as the file writes it."""
        own = None if self.file is None else self.file.local_name("django.db.migrations", operation)
        return own or f"{self.name('django.db', 'migrations')}.{operation}"

    def models(self, name: str) -> str:
        """``models.ForeignKey`` as the file writes it."""
        own = None if self.file is None else self.file.local_name("django.db.models", name)
        return own or f"{self.name('django.db', 'models')}.{name}"

    def function_name(self, wanted: str) -> str:
        """A name for a function that nothing in the file has."""
        taken = set(self._functions) | (set() if self.file is None else self.file.top_names)
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        self._functions.append(name)
        return name

    # -- the user's own source

    def own(self, path: str, span: Span | None) -> Node:
        """The expression that stands at `span` of a file, with what it needs imported."""
        source = self._situation.sources.get(path)
        if source is None or span is None:
            raise Unwritable(f"`{path}` cannot be read")
        file = source_file(source)
        node = file.node_at(span)
        self.need(file, node)
        return parse_node(file, node, keep_lines=self.style.line_length is None)

    def need(self, file: SourceFile, node: ast.AST) -> None:
        """Import what an expression of `file` reads."""
        if file is self.file:
            return
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        chains = {ast.unparse(part) for part in ast.walk(node) if isinstance(part, ast.Attribute)}
        for name in sorted(used):
            statement = file.imports.get(name)
            if statement is None:
                if name in file.top_names:
                    raise Unwritable(f"`{name}` is defined in another migration")
                continue  # a builtin
            if statement.startswith("from ."):
                raise Unwritable(f"`{name}` is imported relative to another file")
            mine = None if self.file is None else self.file.imports.get(name)
            lines = [line for line in statement.split("\n") if _serves(line, chains)]
            if mine is not None and statement.startswith("from ") and mine != statement:
                raise Unwritable(f"`{name}` means something else in the file")
            for line in lines:
                self._imports[line] = None

    def field(self, state: FieldState) -> Bracket:
        """The call that defines a field, as its author wrote it, else made from what is known of it."""
        span = state.field.span
        path = state.origin.location.path
        if span is None or path not in self._situation.sources:
            return self.made_field(state.field)
        node = self.own(path, span)
        if not isinstance(node, Bracket):
            raise Unwritable(f"the definition of `{state.name}` is no plain call")
        known = DJANGO_FIELDS.get(state.field.class_path)
        # The first one stays: a label, or the model that a relation points at.
        node = node if known is None else named_arguments(node, known.parameters, first=1)
        return self._by_present_names(node, state.field)

    def _by_present_names(self, node: Bracket, field: Field) -> Bracket:
        """The field with models that were renamed since it was written by their names of today."""
        relation = field.relation
        for name, ref in (("to", relation.to), ("through", relation.through)) if relation is not None else ():
            if not isinstance(ref, ModelKey):
                continue
            item = node.item(name) or (
                node.items[0] if name == "to" and node.items and not node.items[0].prefix else None
            )
            written = "" if item is None else plain(item.value)
            if item is None or written[:1] not in ("'", '"'):
                continue
            named = written.strip("'\"").rpartition(".")[2].lower()
            if named not in (ref.name, "self"):
                place = node.items.index(item)
                renamed = replace(item, value=self.reference(ref))
                node = replace(node, items=(*node.items[:place], renamed, *node.items[place + 1 :]))
        return node

    def made_field(self, field: Field) -> Bracket:
        """The call for a field of which there is no source. Defaults, validators and the like are not known then."""
        if field.has_default is not False or field.has_db_default is not False or not field.class_known:
            raise Unwritable("the definition of a field is in no file")
        module, _, cls = field.class_path.rpartition(".")
        function = self.models(cls) if module == "django.db.models" else self.name(module, cls)
        arguments: list[tuple[str, Node]] = []
        relation = field.relation
        for name, value, default in (
            ("auto_created", field.auto_created, False),
            ("db_column", field.db_column, None),
            ("db_index", field.db_index, None),
            ("max_length", field.max_length, None),
            ("null", field.null, False),
            ("primary_key", field.primary_key, False),
            ("unique", field.unique, False),
            *((name, value, None) for name, value in field.options),
        ):
            if value is UNKNOWN:
                raise Unwritable("the definition of a field could not be read")
            if value != default:
                arguments.append((name, text(self.string(value) if isinstance(value, str) else repr(value))))
        if relation is not None:
            if field.kind is FieldKind.FOREIGN_KEY:
                arguments.append(("on_delete", text(self.models("CASCADE"))))
            arguments.append(("to", self.reference(relation.to if isinstance(relation.to, ModelKey) else None)))
        return call(function, *sorted(arguments, key=lambda pair: pair[0]))

    def reference(self, key: ModelKey | None) -> Text:
        """``"app.model"``, or the setting that names the model."""
        if key is None:
            raise Unwritable("a model that is not known")
        for setting, model in self._situation.swappable.items():
            if model.lower() == str(key):
                return text(f"{self.name('django.conf', 'settings')}.{setting}")
        return self.literal(str(key))

    # -- operations

    def operation(self, name: str, *arguments: tuple[str, Node]) -> Bracket:
        """A call of one of Django's operations, one argument a line."""
        return call(self.migrations(name), *arguments, exploded=True)

    def operation_at(self, span: Span | None) -> Bracket:
        """An operation of the guilty migration as it is written."""
        migration = self._situation.migration
        if migration is None:
            raise Unwritable("there is no migration yet")
        node = self.own(migration.path, span)
        if not isinstance(node, Bracket):
            raise Unwritable("an operation is no plain call")
        return node

    def create_model_at(self, path: str, span: Span | None) -> Bracket:
        """A CreateModel of the file at `path` as it is written, each argument by its name."""
        node = self.own(path, span)
        if not isinstance(node, Bracket):
            raise Unwritable("an operation is no plain call")
        return named_arguments(node, OPERATIONS_BY_NAME["CreateModel"].parameters)

    def alter_field(self, model_name: str, name: str, field: Node) -> Bracket:
        return self.operation(
            "AlterField", ("model_name", self.literal(model_name)), ("name", self.literal(name)), ("field", field)
        )

    def add_field(self, model_name: str, name: str, field: Node) -> Bracket:
        return self.operation(
            "AddField", ("model_name", self.literal(model_name)), ("name", self.literal(name)), ("field", field)
        )

    def remove_field(self, model_name: str, name: str) -> Bracket:
        return self.operation("RemoveField", ("model_name", self.literal(model_name)), ("name", self.literal(name)))

    def state_only(self, operations: Iterable[Node], database: Iterable[Node] = ()) -> Bracket:
        """SeparateDatabaseAndState."""
        parts: list[tuple[str, Node]] = []
        on_database = tuple(database)
        if on_database:
            parts.append(("database_operations", items("[", on_database, "]", exploded=True)))
        parts.append(("state_operations", items("[", operations, "]", exploded=True)))
        return self.operation("SeparateDatabaseAndState", *parts)

    def run_python(self, forward: str | None, backward: str | None = None) -> Bracket:
        """RunPython with the functions of these names; ``None`` does nothing."""
        noop = f"{self.migrations('RunPython')}.noop"
        return call(self.migrations("RunPython"), text(forward or noop), text(backward or noop))

    def unique_together(self, sets: Iterable[tuple[str, ...]], *, in_models: bool = False) -> Node:
        """The value of ``unique_together``: a set in a migration, a list in models.py (models.E010)."""
        pairs = [items("(", [self.literal(name) for name in one], ")") for one in sorted(sets)]
        if in_models:
            return items("[", pairs, "]")
        return items("{", pairs, "}") if pairs else text("set()")

    # -- to text

    def code(self, node: Node, indent: int = OPERATION_INDENT) -> Code:
        """`node` laid out for a line that is indented by `indent`, and a comma behind it."""
        laid_out = lay_out(node, indent=indent, limit=self.style.line_length, after=1)
        return Code(text=_outdented(laid_out, indent), imports=self.taken_imports())

    def function(self, source: str, imports: Iterable[str] = ()) -> Code:
        """A function as it is."""
        return Code(text=source.rstrip("\n"), imports=(*imports, *self.taken_imports()))

    def taken_imports(self) -> tuple[str, ...]:
        """What was asked for since the last time."""
        found = tuple(self._imports)
        self._imports = {}
        return found


def _serves(statement: str, chains: set[str]) -> bool:
    """Whether ``import a.b.c`` is what one of the dotted names used needs."""
    if not statement.startswith("import "):
        return True
    module = statement.split()[1]
    return " as " in statement or any(chain == module or chain.startswith(module + ".") for chain in chains)


def _outdented(source: str, indent: int) -> str:
    """`source`, whose further lines are indented by `indent`, without that."""
    if "\n" not in source:
        return source
    return lay_out(Text(text=source, margin=indent), indent=0, limit=None)


def with_argument(node: Bracket, name: str, value: Node) -> Bracket:
    """`node` with the keyword argument `name`, in its place by the alphabet."""
    return node.with_item(Item(prefix=f"{name}=", value=value))


def named_arguments(node: Bracket, parameters: tuple[str, ...], *, first: int = 0) -> Bracket:
    """`node` with its positional arguments from number `first` on by their names.

    As it is where one has no name: where there are more of them than `parameters`, or one stands for several.
    """
    positional = [one for one in node.items if not one.prefix]
    if len(positional) > len(parameters) or any(plain(one.value).startswith("*") for one in positional):
        return node
    names = {id(one): f"{name}=" for one, name in zip(positional[first:], parameters[first:], strict=False)}
    return replace(node, items=tuple(replace(one, prefix=names.get(id(one), one.prefix)) for one in node.items))


def field_of(node: Bracket) -> Bracket:
    """The field of an AddField or AlterField: the keyword, or the third argument."""
    value = node.items[_field_index(node)].value
    if not isinstance(value, Bracket):
        raise Unwritable("a field is no plain call")
    return value


def with_field(node: Bracket, field: Node) -> Bracket:
    """An AddField or AlterField with another field."""
    index = _field_index(node)
    item = replace(node.items[index], value=field)
    return replace(node, items=(*node.items[:index], item, *node.items[index + 1 :]))


def _field_index(node: Bracket) -> int:
    for index, item in enumerate(node.items):
        if item.prefix == "field=" or (index == 2 and not item.prefix):
            return index
    raise Unwritable("the field of an operation was not found")


def without_comments(node: Node) -> Node:
    """`node` for another place than the one that its comments speak of."""
    if isinstance(node, Text):
        return node
    inner = tuple(Item(prefix=one.prefix, value=without_comments(one.value)) for one in node.items)
    return replace(node, items=inner, beside="", below=())


def bare(node: Node) -> Bracket:
    """A call for another place than the one that its comments speak of."""
    found = without_comments(node)
    if not isinstance(found, Bracket):
        raise Unwritable("a definition is no plain call")
    return found


def renamed_call(node: Bracket, function: str) -> Bracket:
    """`node` calling something else."""
    return replace(node, opening=f"{function}(")


def plain(node: Node) -> str:
    """The text of a node on one line where it has one, for looking at it."""
    return lay_out(node, indent=0, limit=None)

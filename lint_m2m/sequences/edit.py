"""A proposal's changes as text: migrations edited in place, and further ones written.

`apply_changes` is pure: texts in, texts out. What it does not have to touch stays as it is, character for character.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from lint_m2m.migration import Dependency
from lint_m2m.sequences.layout import INDENT, Bracket, Item, Node, inside_strings, items, lay_out, parse_node, text
from lint_m2m.sequences.source import SourceFile, Unwritable, style_of
from lint_m2m.sequences.values import Code, NewMigration, Proposal, Replacement, ReplaceOperations, Style, Where
from lint_m2m.values import replace


def apply_changes(texts: Mapping[str, str], proposal: Proposal) -> dict[str, str]:
    """The texts of the files that `proposal` writes, by path; `texts` has those that it edits.

    Left out are models.py and whatever else is for the user. Raises `Unwritable` where an edit does not fit its file.
    """
    changed: dict[str, str] = {}
    for change in proposal.changes:
        if isinstance(change, ReplaceOperations):
            current = changed.get(change.path, texts.get(change.path))
            if current is None:
                raise Unwritable(f"`{change.path}` is not there")
            changed[change.path] = edit_migration(current, change)
        elif isinstance(change, NewMigration):
            changed[change.path] = write_migration(change)
    return changed


def edit_migration(source: str, change: ReplaceOperations) -> str:
    """The text of a migration after `change`. Spans are those of `source`."""
    file = SourceFile(source)
    style = style_of(source)
    edits: list[tuple[int, int, str]] = []
    inline: list[Replacement] = []
    for replacement in change.replacements:
        start, end = file.range(replacement.span)
        line = file.line_start(start)
        if source[line:start].strip(" \t") == "" and _ends_its_line(source, end):
            edits.append(_replaced(source, line, start, end, replacement))
        else:
            inline.append(replacement)
    if inline:
        edits = [_rewritten_list(file, change.replacements, style)]
    elif change.replacements:
        _require_elements(file, change.replacements)
        edits = _emptied(file, change.replacements) or edits
    if change.dependencies:
        edits += _with_dependencies(file, change.dependencies, style)
    if change.functions:
        edits.append(_functions(file, change.functions))
    codes = [code for replacement in change.replacements for code in replacement.operations]
    wanted = [statement for code in (*codes, *change.functions) for statement in code.imports]
    wanted += _dependency_imports(change.dependencies)
    edits += _import_edits(file, wanted)
    result = source
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
        result = result[:start] + new.replace("\n", style.line_end) + result[end:]
    return result


def _require_elements(file: SourceFile, replacements: Iterable[Replacement]) -> None:
    """Each operation is written down in a list: one that a comprehension makes has no place of its own."""
    lists = [node for node in ast.walk(file.tree) if isinstance(node, ast.List)]
    starts = {file.bounds(element)[0] for node in lists for element in node.elts}
    if any(file.range(one.span)[0] not in starts for one in replacements):
        raise Unwritable("an operation to replace is not an element of a list")


def _emptied(file: SourceFile, replacements: Iterable[Replacement]) -> list[tuple[int, int, str]]:
    """The edit for a list that loses all its elements, and has no comment to keep."""
    gone = {file.range(one.span)[0] for one in replacements if not one.operations and one.where is Where.INSTEAD}
    for node in ast.walk(file.tree):
        if isinstance(node, ast.List) and node.elts and {file.bounds(one)[0] for one in node.elts} == gone:
            start, end = file.bounds(node)
            if not any(start <= one.start < end for one in file.comments):
                return [(start, end, "[]")]
    return []


def _ends_its_line(source: str, end: int) -> bool:
    rest = source[end:].partition("\n")[0].strip(" \t\r,")
    return rest == "" or rest.startswith("#")


def _replaced(source: str, line: int, start: int, end: int, replacement: Replacement) -> tuple[int, int, str]:
    """The edit for an operation that has its lines to itself."""
    indent = source[line:start]
    codes = [indented(code.text, indent) for code in replacement.operations]
    if replacement.where is Where.BEFORE:
        return start, start, "".join(f"{code},\n{indent}" for code in codes)
    comma = source[end:].lstrip(" \t").startswith(",")
    if replacement.where is Where.AFTER:
        return end, end, "".join(f",\n{indent}{code}" for code in codes) + ("" if comma else ",")
    if codes:
        return start, end, f",\n{indent}".join(codes) + ("" if comma else ",")
    # With its line ends, and with the comment behind it.
    stop = source.find("\n", end)
    return line, len(source) if stop < 0 else stop + 1, ""


def _rewritten_list(file: SourceFile, replacements: Iterable[Replacement], style: Style) -> tuple[int, int, str]:
    """The whole list of operations anew, where operations share lines."""
    by_start = {file.range(one.span)[0]: one for one in replacements}
    for node in ast.walk(file.tree):
        if isinstance(node, ast.List) and by_start.keys() <= {file.bounds(element)[0] for element in node.elts}:
            break
    else:
        raise Unwritable("the operations to replace are not elements of one list")
    start, end = file.bounds(node)
    indent = _indent_of(file, start)
    found: list[Item] = []
    bracket = parse_node(file, node)
    assert isinstance(bracket, Bracket)
    for element, item in zip(node.elts, bracket.items, strict=True):
        replacement = by_start.get(file.bounds(element)[0])
        if replacement is None:
            found.append(item)
            continue
        new = [Item(value=text(code.text)) for code in replacement.operations]
        if replacement.where is Where.BEFORE:
            found += [*new, item]
        elif replacement.where is Where.AFTER:
            found += [item, *new]
        else:
            found += new
    rewritten = replace(bracket, items=tuple(found), exploded=True)
    return start, end, lay_out(rewritten, indent=indent, limit=style.line_length)


def _indent_of(file: SourceFile, offset: int) -> int:
    line = file.text[file.line_start(offset) : offset]
    return len(line) - len(line.lstrip(" "))


def indented(code: str, indent: str) -> str:
    """`code` with `indent` before each line but the first; the inside of strings stays."""
    if "\n" not in code:
        return code
    if "\t" not in indent:
        return lay_out(text(code), indent=len(indent), limit=None)
    # In a file that is indented with tabs, a level is a tab.
    lines, kept = lay_out(text(code), indent=0, limit=None).split("\n"), inside_strings(code)
    for number, line in enumerate(lines[1:], start=2):
        if number not in kept and line.strip():
            levels, rest = divmod(len(line) - len(line.lstrip(" ")), INDENT)
            lines[number - 1] = indent + "\t" * levels + " " * rest + line.lstrip(" ")
    return "\n".join(lines)


# Dependencies.


def _migration_class(file: SourceFile) -> ast.ClassDef:
    for node in file.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            return node
    raise Unwritable("the Migration class is not at the top level of its file")


def _assigned(cls: ast.ClassDef, name: str) -> ast.expr | None:
    for node in cls.body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return node.value
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return node.value
    return None


def _with_dependencies(
    file: SourceFile, dependencies: Iterable[Dependency], style: Style
) -> list[tuple[int, int, str]]:
    cls = _migration_class(file)
    node = _assigned(cls, "dependencies")
    new = [Item(value=dependency_node(one, style.quote)) for one in dependencies]
    if node is None:
        operations = _assigned(cls, "operations")
        if operations is None:
            raise Unwritable("the migration has neither dependencies nor operations")
        line = file.line_start(file.bounds(operations)[0])
        indent = " " * _indent_of(file, file.bounds(operations)[0])
        bracket = Bracket(opening="[", items=tuple(new), closing="]", exploded=True)
        return [(line, line, f"{indent}dependencies = {lay_out(bracket, indent=len(indent), limit=None)}\n\n")]
    bracket_or_text = parse_node(file, node)
    if not isinstance(node, ast.List) or not isinstance(bracket_or_text, Bracket):
        raise Unwritable("the migration's dependencies are no plain list")
    start, end = file.bounds(node)
    known = {lay_out(item.value, indent=0, limit=None).replace("'", '"') for item in bracket_or_text.items}
    new = [item for item in new if lay_out(item.value, indent=0, limit=None).replace("'", '"') not in known]
    if not new:
        return []
    bracket = replace(bracket_or_text, items=(*bracket_or_text.items, *new))
    indent_width = _indent_of(file, start)
    before = file.column(start) - indent_width
    return [(start, end, lay_out(bracket, indent=indent_width, limit=style.line_length, before=before))]


def dependency_node(dependency: Dependency, quote: str) -> Node:
    """An element of `dependencies`."""
    if dependency.swappable is not None:
        return text(f"migrations.swappable_dependency(settings.{dependency.swappable})")
    if dependency.key is None:
        raise Unwritable("a dependency on nothing")
    return items("(", [text(f"{quote}{name}{quote}") for name in dependency.key], ")")


def _dependency_imports(dependencies: Iterable[Dependency]) -> list[str]:
    return ["from django.conf import settings" for one in dependencies if one.swappable is not None]


# Functions and imports.


def _functions(file: SourceFile, functions: Iterable[Code]) -> tuple[int, int, str]:
    """Above the Migration class, its decorators and the comments that belong to it, two blank lines around each."""
    cls = _migration_class(file)
    first = min([cls.lineno, *(one.lineno for one in cls.decorator_list)])
    while first > 1 and file.lines[first - 2].startswith("#"):
        first -= 1
    start = file.offset(first, 1)
    return start, start, "".join(f"{code.text}\n\n\n" for code in functions)


def _import_key(statement: str) -> tuple[bool, str]:
    module = statement.split()[1]
    return module != "__future__", module


def _import_edits(file: SourceFile, wanted: Iterable[str]) -> list[tuple[int, int, str]]:
    """The edits that make the file import what `wanted` statements do and it does not yet."""
    missing = sorted({one for statement in wanted for one in _single_imports(statement) if not _has(file, one)})
    edits: list[tuple[int, int, str]] = []
    nodes = [node for node in file.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    grown: dict[int, tuple[ast.ImportFrom, list[str]]] = {}
    fresh: dict[str, list[str]] = {}
    for statement in missing:
        if statement.startswith("import "):
            fresh[statement] = []
            continue
        module, _, name = statement.removeprefix("from ").partition(" import ")
        node = next(
            (one for one in nodes if isinstance(one, ast.ImportFrom) and _module(one) == module and _plain(file, one)),
            None,
        )
        if node is None:
            fresh.setdefault(f"from {module} import ", []).append(name)
        else:
            grown.setdefault(id(node), (node, []))[1].append(name)
    for node, names in grown.values():
        start, end = file.bounds(node)
        kept = [alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in node.names]
        edits.append((start, end, f"from {_module(node)} import {', '.join(sorted([*kept, *names]))}"))
    lines: dict[int, list[str]] = {}
    for statement, names in sorted(fresh.items(), key=lambda pair: _import_key(pair[0])):
        later = next((node for node in nodes if _import_key(file.segment(node)) > _import_key(statement)), None)
        if later is not None:
            place = file.offset(later.lineno, 1)
        elif nodes:
            place = file.offset((nodes[-1].end_lineno or nodes[-1].lineno) + 1, 1)
        else:
            place = _after_docstring(file)
        lines.setdefault(place, []).append(statement + ", ".join(sorted(names)) + "\n")
    return edits + [(place, place, "".join(new)) for place, new in lines.items()]


def _single_imports(statement: str) -> list[str]:
    """One statement for each name."""
    found = []
    for line in statement.split("\n"):
        if line.startswith("import "):
            found.append(line)
        else:
            head, _, names = line.partition(" import ")
            found += [f"{head} import {name.strip()}" for name in names.split(",")]
    return found


def _has(file: SourceFile, statement: str) -> bool:
    return any(statement in known.split("\n") for known in file.imports.values())


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _plain(file: SourceFile, node: ast.ImportFrom) -> bool:
    """On one line, without brackets."""
    segment = file.segment(node)
    return "\n" not in segment and "(" not in segment and node.names[0].name != "*"


def _after_docstring(file: SourceFile) -> int:
    body = file.tree.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return file.offset((body[0].end_lineno or 1) + 1, 1)
    return 0


# A file of its own.


def write_migration(change: NewMigration) -> str:
    """The text of a new migration file."""
    style = change.style
    quote = style.quote
    imports = ["from django.db import migrations", *_dependency_imports(change.dependencies)]
    imports += [statement for code in (*change.operations, *change.functions) for statement in code.imports]
    lines = [*_import_block(imports), "", ""]
    for function in change.functions:
        lines += [function.text, "", ""]
    lines.append("class Migration(migrations.Migration):")
    if not change.atomic:
        lines += ["    atomic = False", ""]
    dependencies = Bracket(
        opening="[",
        items=tuple(Item(value=dependency_node(one, quote)) for one in change.dependencies),
        closing="]",
        exploded=True,
    )
    operations = Bracket(
        opening="[",
        items=tuple(Item(value=text(code.text)) for code in change.operations),
        closing="]",
        exploded=True,
    )
    lines += [
        f"    dependencies = {lay_out(dependencies, indent=4, limit=style.line_length)}",
        "",
        f"    operations = {lay_out(operations, indent=4, limit=style.line_length)}",
    ]
    return ("\n".join(lines) + "\n").replace("\n", style.line_end)


def _import_block(statements: Iterable[str]) -> list[str]:
    """Import statements, names of one module together, sorted as isort does it with `force_sort_within_sections`."""
    single = {one for statement in statements for one in _single_imports(statement)}
    grouped: dict[str, list[str]] = {}
    for statement in single:
        head, found, name = statement.partition(" import ")
        if found:
            grouped.setdefault(f"{head} import ", []).append(name)
        else:
            grouped.setdefault(statement, [])
    plain = sorted(head for head in grouped if head.startswith("import "))
    return [*_blocks(plain, grouped)]


def _blocks(plain: list[str], grouped: Mapping[str, list[str]]) -> Iterable[str]:
    """The standard library first, then what is Django's and others'."""
    import sys

    def standard(statement: str) -> bool:
        return statement.split()[1].partition(".")[0] in sys.stdlib_module_names

    ordered = [*plain, *sorted((head for head in grouped if head not in plain), key=_import_key)]
    first = [head for head in ordered if standard(head)]
    rest = [head for head in ordered if not standard(head)]
    for block in (first, rest):
        for head in block:
            yield head + ", ".join(sorted(grouped[head]))
        if block is first and first and rest:
            yield ""

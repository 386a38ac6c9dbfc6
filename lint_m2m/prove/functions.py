"""Functions of a proposed migration: those that lint-m2m wrote may run, and only when they look like it.

A proposal's functions come from templates, but names and, one day, slices of the user's own code go into them. So
each is looked at before it is written into a proof: it must be a plain function that uses the historical models, names
of its own, a few builtins and modules, and nothing that begins with an underscore.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Final

from lint_m2m.prove.values import NotProvable
from lint_m2m.readers.source import module_of
from lint_m2m.sequences.values import Code

_BUILTINS: Final = frozenset(
    {
        "ValueError",
        "all",
        "any",
        "bool",
        "dict",
        "enumerate",
        "filter",
        "frozenset",
        "int",
        "len",
        "list",
        "map",
        "max",
        "min",
        "next",
        "range",
        "reversed",
        "set",
        "sorted",
        "str",
        "sum",
        "tuple",
        "zip",
    }
)
_MODULES: Final = frozenset({"datetime", "django.db", "django.db.models", "django.utils", "itertools", "uuid"})
_NAMES: Final = frozenset({"datetime", "itertools", "migrations", "models", "timezone", "transaction", "uuid"}) | {
    # from django.db.models
    *["Count", "Exists", "F", "Max", "Min", "OuterRef", "Q", "Subquery", "Value"]
}

_PRIVATE: Final = frozenset({"_base_manager", "_default_manager", "_meta"})
_REFUSED: Final = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.ClassDef, ast.AsyncFunctionDef)


def vetted(functions: Sequence[Code]) -> tuple[list[str], str, frozenset[str]]:
    """The import statements that the functions need, their text, and their names. NotProvable for any other code."""
    texts = [function.text for function in functions]
    statements = [statement for function in functions for statement in function.imports]
    # What is not in the list stays out; a function that uses it is refused below.
    imports = sorted({line for statement in statements for line in statement.split("\n") if _may_import(line)})
    names: set[str] = set()
    for text in texts:
        try:
            tree = module_of(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise NotProvable("a function of the sequence cannot be parsed") from None
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or node.decorator_list:
                raise NotProvable("the sequence has code beside functions")
            names.add(node.name)
        if len(tree.body) != 1 and not all(isinstance(node, ast.FunctionDef) for node in tree.body):
            raise NotProvable("the sequence has code beside functions")
    for text in texts:
        _look_at(module_of(text), names)
    return imports, "\n\n\n".join(texts), frozenset(names)


def _may_import(line: str) -> bool:
    parts = line.split()
    return len(parts) >= 2 and parts[0] in ("import", "from") and parts[1] in _MODULES


def _look_at(tree: ast.Module, functions: Iterable[str]) -> None:
    bound = set(functions) | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.ClassDef | ast.AsyncFunctionDef
        ):
            raise NotProvable(f"a function of the sequence has a `{type(node).__name__}`")
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr not in _PRIVATE:
            raise NotProvable(f"a function of the sequence reads `{node.attr}`")
        if isinstance(node, ast.Name) and node.id not in bound | _BUILTINS | _NAMES:
            raise NotProvable(f"a function of the sequence uses `{node.id}`, which lint-m2m did not write")

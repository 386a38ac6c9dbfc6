"""Questions about statements and expressions that need no values."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def bound_names(statements: Sequence[ast.stmt]) -> list[str]:
    """Every name that the statements bind or change in place, whatever way they go."""
    names: dict[str, None] = {}
    pending: list[ast.AST] = list(reversed(statements))
    while pending:
        node = pending.pop()
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                names[node.id] = None
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                owner: ast.expr = node
                while isinstance(owner, ast.Subscript | ast.Attribute):
                    owner = owner.value
                if isinstance(owner, ast.Name):
                    names[owner.id] = None
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names[node.name] = None
            case ast.Import() | ast.ImportFrom():
                names.update((alias.asname or alias.name.partition(".")[0], None) for alias in node.names)
            case ast.Assign(targets=targets):
                pending.extend(targets)
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
                pending.append(target)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
                names[name] = None
            case ast.expr() if not isinstance(node, ast.Tuple | ast.List | ast.Starred):
                pass
            case _:
                pending.extend(reversed(list(ast.iter_child_nodes(node))))
    names.pop("*", None)
    return list(names)


def has_star_import(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(statement))


def raises(body: Sequence[ast.stmt]) -> bool:
    """Whether the statements end in an exception, whatever way they go."""
    if not body:
        return False
    last = body[-1]
    return isinstance(last, ast.Raise) or (isinstance(last, ast.If) and raises(last.body) and raises(last.orelse))


def catches_imports(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in ("ImportError", "ModuleNotFoundError", "Exception") for kind in kinds)


def arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def is_namespace_call(node: ast.expr) -> bool:
    """``globals()``, ``locals()``, ``vars()``, their methods, and the builtins that run text."""
    if isinstance(node, ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        return node.id in ("exec", "execfile", "eval")
    return isinstance(node, ast.Call) and last_name(node.func) in ("globals", "locals", "vars")


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def reads_database_url(name: str, owner: ast.expr | None) -> bool:
    """dj_database_url.config/parse, env.db and env.db_url of django-environ, env.dj_db_url of environs."""
    if owner is None:
        return False
    owner_name = last_name(owner).lower()
    if "database_url" in owner_name:
        return name in ("config", "parse")
    return "env" in owner_name and name in ("db", "db_url", "dj_db_url", "db_url_config")

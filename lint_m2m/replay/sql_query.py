"""What a query reads, from the tree that sqlglot makes of it.

Nothing is imported from sqlglot here: nodes are told apart by their `key` ("select", "table", …), and arguments are
asked for under the names of old and new releases, so that a range of sqlglot releases will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lint_m2m.migration import Maybe
from lint_m2m.replay.sql_cursor import PARAMETER_NAME, NotReadError, Rows, words
from lint_m2m.replay.sql_lexer import fold, is_placeholder


def rows_of(query: Any, scope: Mapping[str, Rows], target: str | None, vendor: Maybe[str]) -> Rows:
    """What `query`, an expression of sqlglot, reads.

    `scope` holds common table expressions around it, `target` is the table that the rows go into. Raises NotReadError
    for a table whose name is put in at run time, and whatever sqlglot's trees provoke.
    """
    return _Analysis(scope, target, vendor).query(query)


class _Analysis:
    def __init__(self, scope: Mapping[str, Rows], target: str | None, vendor: Maybe[str]) -> None:
        self.scope = dict(scope)
        self.target = target
        self.vendor = vendor

    def query(self, node: Any) -> Rows:
        outer = self.scope
        self.scope = dict(outer)
        try:
            self.common_tables(node)
            match node.key:
                case "select":
                    return self.select(node)
                case "union":
                    return self.union(node)
                case "except":
                    left, right = self.query(node.this), self.query(node.expression)
                    keeps = self.only_target(right.tables) and _keeps_rows(node)
                    return self.joined(left if keeps else left._replace(whole=()), right._replace(whole=()))
                case "intersect":
                    left, right = self.query(node.this), self.query(node.expression)
                    return self.joined(left, right)._replace(whole=())
                case "subquery" | "paren":
                    rows = self.relation(node.this) if node.this.key == "table" else self.query(node.this)
                    rows = self.with_joins(rows, node)
                    return rows if _keeps_rows(node) else rows._replace(whole=())
                case "values" | "tuple":
                    return self.others(node, Rows())
            raise NotReadError(f"a query of a kind that is not known ({node.key})")
        finally:
            self.scope = outer

    def common_tables(self, node: Any) -> None:
        clause = _argument(node, "with")
        if clause is None:
            return
        for common in clause.expressions:
            name = self.fold_node(common.args["alias"].this)
            self.scope[name] = Rows()  # in a recursive query it names itself
            rows = self.query(common.this)
            self.scope[name] = rows._replace(whole=()) if clause.args.get("recursive") else rows

    def union(self, node: Any) -> Rows:
        # Left-deep, and long ones are common: not by recursion.
        branches = [node.expression]
        left = node.this
        while left.key == "union" and _argument(left, "with") is None and _keeps_rows(left):
            branches.append(left.expression)
            left = left.this
        rows = self.query(left)
        columns = rows.columns
        for branch in reversed(branches):
            rows = self.joined(rows, self.query(branch))
        return rows._replace(whole=rows.whole if _keeps_rows(node) else (), columns=columns)

    def joined(self, left: Rows, right: Rows) -> Rows:
        """Both together. What one of them reads in part only is whole when the other reads it wholly."""
        tables = dict.fromkeys((*left.whole, *right.whole, *left.tables, *right.tables))
        whole = dict.fromkeys((*left.whole, *right.whole))
        return Rows(tuple(tables), tuple(whole), left.columns, left.qualified | right.qualified)

    def select(self, node: Any) -> Rows:
        clause = _argument(node, "from")
        rows = Rows() if clause is None else self.relation(clause.this)
        rows = self.with_joins(rows, node)
        where = node.args.get("where")
        if (where is not None and not self.drops_nothing(where.this, node)) or not _keeps_rows(node):
            rows = rows._replace(whole=())
        return self.others(node, rows._replace(columns=self.columns(node)))

    def columns(self, node: Any) -> tuple[str, ...] | None:
        names: list[str] = []
        for item in node.expressions:
            if item.is_star:
                return None
            named = item.args.get("alias") if item.key == "alias" else item.this if item.key == "column" else None
            names.append(self.fold_node(named) if named is not None else item.alias_or_name)
        return tuple(names) if all(names) else None

    def with_joins(self, rows: Rows, node: Any) -> Rows:
        """`rows` joined with the node's joins: an outer join keeps the rows of its side, any other may drop some."""
        for join in node.args.get("joins") or ():
            side = str(join.args.get("side") or "").upper()
            if not _keeps_rows(join) or str(join.args.get("kind") or "").upper() not in ("", "OUTER"):
                side = ""
            other = self.relation(join.this)
            rows = self.joined(
                rows if side in ("LEFT", "FULL") else rows._replace(whole=()),
                other if side in ("RIGHT", "FULL") else other._replace(whole=()),
            )
        for lateral in node.args.get("laterals") or ():
            rows = self.others(lateral, rows._replace(whole=()))
        return rows

    def relation(self, node: Any) -> Rows:
        """What stands behind FROM or JOIN."""
        match node.key:
            case "table":
                rows = self.table(node)
                if not _keeps_rows(node):
                    rows = rows._replace(whole=())
                return self.with_joins(rows, node)
            case "subquery" | "paren" | "select" | "union" | "except" | "intersect" | "values":
                return self.query(node)._replace(columns=None)
        return self.others(node, Rows())

    def table(self, node: Any) -> Rows:
        if node.this is None or node.this.key != "identifier":  # a function
            return self.others(node, Rows())
        name = self.fold_node(node.this)
        if PARAMETER_NAME in name or is_placeholder(name):
            raise NotReadError("a table's name is a placeholder", open=True)
        if not node.args.get("db"):
            if name in self.scope:
                return self.scope[name]
            if name.lower() == "dual":
                return Rows()
            return Rows((name,), (name,))
        return Rows((name,), (name,), qualified=frozenset((name,)))

    def others(self, node: Any, rows: Rows) -> Rows:
        """`rows` and, behind them, every other table anywhere in `node` (subqueries in expressions)."""
        tables = dict.fromkeys(rows.tables)
        qualified = rows.qualified
        inner = {self.fold_node(common.args["alias"].this) for common in _all(node, "cte")}
        for table in _all(node, "table"):
            if table is node or table.this is None or table.this.key != "identifier":
                continue
            if not table.args.get("db") and self.fold_node(table.this) in inner:
                continue
            found = self.table(table)
            tables.update(dict.fromkeys(found.tables))
            qualified |= found.qualified
        return rows._replace(tables=tuple(tables), qualified=qualified)

    def drops_nothing(self, condition: Any, select: Any) -> bool:
        """Whether rows that the condition drops are no links, or are in the target already."""
        pending = [condition]
        while pending:
            part = pending.pop()
            if part.key == "paren":
                pending.append(part.this)
            elif part.key == "and":
                pending += [part.this, part.expression]
            elif not (_always(part) or self.not_null(part, select) or self.not_there_yet(part, select)):
                return False
        return True

    def not_null(self, part: Any, select: Any) -> bool:
        """``column IS NOT NULL``, of the table the rows come from."""
        column = _tested(part, negated=True)
        if column is None:
            return False
        if not select.args.get("joins"):
            return True
        clause = _argument(select, "from")
        return bool(column.table) and clause is not None and column.table == clause.this.alias_or_name

    def not_there_yet(self, part: Any, select: Any) -> bool:
        """``NOT EXISTS (SELECT … FROM target …)``; ``target.id IS NULL`` behind a LEFT JOIN; ``(a, b) NOT IN (…)``."""
        if self.target is None:
            return False
        if part.key == "not":
            inner = part.this
            while inner.key == "paren":
                inner = inner.this
            if inner.key == "exists" or (inner.key == "in" and inner.this.key == "tuple"):
                tables = [self.fold_node(found.this) for found in _all(inner, "table")]
                return self.only_target(tables)
            return False
        column = _tested(part, negated=False)
        if column is None or not column.table:
            return False
        return any(
            str(join.args.get("side") or "").upper() == "LEFT"
            and join.this.alias_or_name == column.table
            and join.this.key == "table"
            and self.only_target([self.fold_node(join.this.this)])
            for join in select.args.get("joins") or ()
        )

    def only_target(self, tables: Iterable[str]) -> bool:
        found = set(tables)
        return self.target is not None and found == {self.target}

    def fold_node(self, identifier: Any) -> str:
        return fold(identifier.name, quoted=bool(identifier.args.get("quoted")), vendor=self.vendor)


def _all(node: Any, key: str) -> Iterator[Any]:
    return (found for found in node.walk() if found.key == key)


def _argument(node: Any, name: str) -> Any:
    """An argument whose name is a Python keyword: newer releases of sqlglot write it with an underscore."""
    return node.args.get(name + "_") or node.args.get(name)


# Arguments under which every row still arrives. A list of these, not of the others: what a release of sqlglot calls by
# a new name must not turn a part into the whole.
_KEEPING: Final = {
    "select": words(
        "expressions from from_ hint distinct into joins kind laterals locks operation_modifiers options order where "
        "windows with with_"
    ),
    "table": words("this db catalog alias joins laterals hints only"),
    "subquery": words("this alias joins laterals with with_ order"),
    "paren": words("this"),
    "setoperation": words("this expression distinct by_name order with with_"),
    "join": words("this on using side kind method hint"),
}


def _keeps_rows(node: Any) -> bool:
    """Whether nothing but WHERE and joins can leave out rows: no LIMIT, no grouping, no aggregate, no sample."""
    key = "setoperation" if node.key in ("union", "except", "intersect") else node.key
    allowed = _KEEPING[key]
    if any(value not in (None, False, []) and name not in allowed for name, value in node.args.items()):
        return False
    if key != "select":
        return True
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        return False
    return not any(_is_aggregate(part) for item in node.expressions for part in item.walk(prune=_is_query))


def _is_query(node: Any) -> bool:
    return node.key in ("subquery", "select", "window")


def _is_aggregate(node: Any) -> bool:
    return any(base.__name__ == "AggFunc" for base in type(node).__mro__)


def _always(part: Any) -> bool:
    """TRUE, 1, 1 = 1."""
    if part.key == "eq":
        return bool(part.this.key == "literal" and part.this == part.expression)
    return (part.key == "boolean" and bool(part.this)) or (part.key == "literal" and part.name == "1")


def _tested(part: Any, *, negated: bool) -> Any:
    """The column of ``column IS NULL``, or of ``column IS NOT NULL`` when `negated`; ``None`` for anything else.

    Releases of sqlglot differ: ``NOT (x IS NULL)``, ``x IS (NOT NULL)``, or an argument `negate`.
    """
    found = False
    while part.key in ("not", "paren"):
        found ^= part.key == "not"
        part = part.this
    if part.key != "is" or part.this.key != "column":
        return None
    found ^= bool(part.args.get("negate"))
    value = part.expression
    if value.key == "not":
        found = not found
        value = value.this
    return part.this if value.key == "null" and found is negated else None

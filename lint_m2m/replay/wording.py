"""Exceptions as `migrate` prints them: type and text, by database.

Measured on SQLite 3, PostgreSQL 15 with psycopg 3, and MariaDB 10.11 (MySQL words a few of these differently). What
only a running database knows is written as a placeholder: `DATABASE` for MySQL's database name, `VALUE` for the value
of a row. Oracle's texts are its message catalogue's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lint_m2m.migration import ModelKey
from lint_m2m.replay.names import cut_as_postgresql

DATABASE = "<database>"
VALUE = "…"


def incompatible(old: str, new: str) -> str:
    return (
        f"ValueError: Cannot alter field {old} into {new} - they are not compatible types "
        "(you cannot alter to or from M2M fields, or add or remove through= on M2M fields)"
    )


def no_db_type(old: str, new: str) -> str:
    return (
        f"ValueError: Cannot alter field {old} into {new} - they do not properly define db_type "
        "(are you using a badly-written custom field?)"
    )


def through_unresolved() -> str:
    return "AttributeError: 'str' object has no attribute '_meta'"


def target_unresolved(attribute: str) -> str:
    """Altering an automatic many-to-many whose target is a string: it has no names of columns."""
    return f"AttributeError: 'ManyToManyField' object has no attribute '{attribute}'"


def lazy_through(model: ModelKey) -> str:
    """A line of the ValueError that rendering the models raises, for a `through` that is not there."""
    return (
        "<function ManyToManyField.contribute_to_class.<locals>.resolve_through_model> contains a lazy reference to "
        f"{model}, but app '{model.app_label}' doesn't provide model '{model.name}'."
    )


def lazy_target(field: str, model: ModelKey) -> str:
    """The same for a `to`; `field` is ``app.Model.field``."""
    return (
        f"The field {field} was declared with a lazy reference to '{model}', but app '{model.app_label}' doesn't "
        f"provide model '{model.name}'."
    )


def unrenderable(lines: Iterable[str]) -> str:
    """Rendering the models; the text has a line for each relation."""
    return f"ValueError: {' '.join(sorted(lines))}"


def related_unresolved(model: str) -> str:
    return f"ValueError: Related model '{model}' cannot be resolved"


def wrong_number(count: int, table: str, columns: Sequence[str]) -> str:
    return f"ValueError: Found wrong number ({count}) of constraints for {table}({', '.join(columns)})"


def wrong_number_of_indexes(count: int, table: str, columns: Sequence[str]) -> str:
    return f"ValueError: Found wrong number ({count}) of indexes for {table}({', '.join(columns)})."


class Wording:
    """The texts of one database."""

    __slots__ = ("vendor",)

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor

    def table_exists(self, table: str, *, renaming: bool = False, quoted: bool = True) -> str:
        match self.vendor:
            case "sqlite" if renaming:
                return f"OperationalError: there is already another table or index with this name: {table}"
            case "sqlite":
                name = f'"{table}"' if quoted else table
                return f"OperationalError: table {name} already exists"
            case "mysql":
                return f"""OperationalError: (1050, "Table '{table}' already exists")"""
            case "oracle":
                return "DatabaseError: ORA-00955: name is already used by an existing object"
            case _:
                return f'ProgrammingError: relation "{cut_as_postgresql(table)}" already exists'

    def table_missing(self, table: str, *, dropping: bool = False, indexing: bool = False) -> str:
        match self.vendor:
            case "sqlite":
                return f"OperationalError: no such table: {'main.' if indexing else ''}{table}"
            case "mysql" if len(table) > 64:
                return f"""ProgrammingError: (1103, "Incorrect table name '{table}'")"""
            case "mysql" if dropping:
                return f"""OperationalError: (1051, "Unknown table '{DATABASE}.{table}'")"""
            case "mysql":
                return f"""ProgrammingError: (1146, "Table '{DATABASE}.{table}' doesn't exist")"""
            case "oracle":
                return "DatabaseError: ORA-00942: table or view does not exist"
            case _:
                kind = "table" if dropping else "relation"
                return f'ProgrammingError: {kind} "{cut_as_postgresql(table)}" does not exist'

    def column_exists(self, table: str, column: str) -> str:
        match self.vendor:
            case "sqlite":
                return f"OperationalError: duplicate column name: {column}"
            case "mysql":
                return f"""OperationalError: (1060, "Duplicate column name '{column}'")"""
            case "oracle":
                return "DatabaseError: ORA-01430: column being added already exists in table"
            case _:
                return f'ProgrammingError: column "{column}" of relation "{table}" already exists'

    def column_twice(self, column: str) -> str:
        """CREATE TABLE with two columns of one name."""
        match self.vendor:
            case "sqlite":
                return f"OperationalError: duplicate column name: {column}"
            case "mysql":
                return f"""OperationalError: (1060, "Duplicate column name '{column}'")"""
            case "oracle":
                return "DatabaseError: ORA-00957: duplicate column name"
            case _:
                return f'ProgrammingError: column "{column}" specified more than once'

    def column_missing(self, table: str, column: str, doing: str) -> str:
        """`doing` is ``drop``, ``rename``, ``cast`` (a type change with USING), ``key`` (in a constraint), ``index``,
        ``reference`` (in a foreign key), ``read`` (SQLite's copy of a link table, unquoted) or ``alter``."""
        match self.vendor, doing:
            case "sqlite", "read":
                return f"OperationalError: no such column: {column}"
            case "sqlite", _:
                return f'OperationalError: no such column: ""{column}""'
            case "mysql", "drop":
                return f"""OperationalError: (1091, "Can't DROP COLUMN `{column}`; check that it exists")"""
            case "mysql", "key" | "index" | "reference":
                return f"""OperationalError: (1072, "Key column '{column}' doesn't exist in table")"""
            case "mysql", _:
                return f"""OperationalError: (1054, "Unknown column '{column}' in '{table}'")"""
            case "oracle", _:
                return f'DatabaseError: ORA-00904: "{column.upper()}": invalid identifier'
            case _, "key":
                return f'ProgrammingError: column "{column}" named in key does not exist'
            case _, "reference":
                return f'ProgrammingError: column "{column}" referenced in foreign key constraint does not exist'
            case _, "index":
                return f'ProgrammingError: column "{column}" does not exist'
            case _, "rename" | "cast":
                return f'ProgrammingError: column "{column}" does not exist'
            case _:
                return f'ProgrammingError: column "{column}" of relation "{table}" does not exist'

    def index_exists(self, name: str) -> str:
        match self.vendor:
            case "sqlite":
                return f"OperationalError: index {name} already exists"
            case "mysql":
                return f"""OperationalError: (1061, "Duplicate key name '{name}'")"""
            case "oracle":
                return "DatabaseError: ORA-00955: name is already used by an existing object"
            case _:
                return f'ProgrammingError: relation "{name}" already exists'

    def constraint_missing(self, table: str, name: str, *, by_sql: bool = False) -> str:
        """`by_sql`: by ``DROP CONSTRAINT``; Django drops an index on MySQL."""
        match self.vendor:
            case "mysql" if by_sql:
                return f"""OperationalError: (1091, "Can't DROP CONSTRAINT `{name}`; check that it exists")"""
            case "mysql":
                return f"""OperationalError: (1091, "Can't DROP INDEX `{name}`; check that it exists")"""
            case "sqlite":
                return f"OperationalError: no such index: {name}"
            case "oracle":
                return "DatabaseError: ORA-02443: Cannot drop constraint  - nonexistent constraint"
            case _:
                return f'ProgrammingError: constraint "{name}" of relation "{table}" does not exist'

    def index_missing(self, name: str) -> str:
        match self.vendor:
            case "mysql":
                return f"""OperationalError: (1091, "Can't DROP INDEX `{name}`; check that it exists")"""
            case "sqlite":
                return f"OperationalError: no such index: {name}"
            case "oracle":
                return "DatabaseError: ORA-01418: specified index does not exist"
            case _:
                return f'ProgrammingError: relation "{name}" does not exist'

    def index_to_rename_missing(self, table: str, name: str) -> str:
        if self.vendor == "mysql":
            return f"""OperationalError: (1176, "Key '{name}' doesn't exist in table '{table}'")"""
        return self.index_missing(name)

    def rows_violate(
        self, table: str, column: str, target_table: str, target_column: str, constraint: str, value: str | None = None
    ) -> str:
        """Rows of `table` whose `column` has no partner in the target."""
        match self.vendor:
            case "sqlite":
                return (
                    f"IntegrityError: The row in table '{table}' with primary key '{VALUE}' has an invalid foreign "
                    f"key: {table}.{column} contains a value '{value or VALUE}' that does not have a corresponding "
                    f"value in {target_table}.{target_column}."
                )
            case "mysql":
                return (
                    "IntegrityError: (1452, 'Cannot add or update a child row: a foreign key constraint fails "
                    f"(`{DATABASE}`.`{VALUE}`, CONSTRAINT `{constraint}` FOREIGN KEY (`{column}`) "
                    f"REFERENCES `{target_table}` (`{target_column}`))')"
                )
            case "oracle":
                return f"IntegrityError: ORA-02298: cannot validate ({constraint.upper()}) - parent keys not found"
            case _:
                return (
                    f'IntegrityError: insert or update on table "{table}" violates foreign key constraint '
                    f'"{constraint}" DETAIL: Key ({column})=({value or VALUE}) is not present in table '
                    f'"{target_table}".'
                )

    def table_referenced(self, table: str) -> str:
        """A table that others refer to is dropped (MySQL, or raw SQL without CASCADE)."""
        match self.vendor:
            case "mysql":
                return "IntegrityError: (1451, 'Cannot delete or update a parent row: a foreign key constraint fails')"
            case "oracle":
                return "DatabaseError: ORA-02449: unique/primary keys in table referenced by foreign keys"
            case _:
                return f"InternalError: cannot drop table {table} because other objects depend on it"

    def key_exists(self, table: str, name: str) -> str:
        """A foreign key whose name another one has: of the table on PostgreSQL, of the database on MySQL."""
        if self.vendor == "oracle":
            return "DatabaseError: ORA-02264: name already used by an existing constraint"
        if self.vendor != "mysql":
            return f'ProgrammingError: constraint "{name}" for relation "{table}" already exists'
        return (
            f"""OperationalError: (1005, 'Can\\'t create table `{DATABASE}`.`{table}` """
            """(errno: 121 "Duplicate key on write or update")')"""
        )

    def target_column_missing(self, table: str, target: str, column: str) -> str:
        """A foreign key of `table` points at a column that table `target` does not have."""
        match self.vendor:
            case "sqlite":
                return f'OperationalError: foreign key mismatch - "{table}" referencing "{target}"'
            case "mysql":
                return self.target_missing(table, target)
            case "oracle":
                return f'DatabaseError: ORA-00904: "{column.upper()}": invalid identifier'
            case _:
                return f'ProgrammingError: column "{column}" referenced in foreign key constraint does not exist'

    def target_missing(self, table: str, target: str) -> str:
        """A foreign key of `table` points at a table that does not exist."""
        match self.vendor:
            case "mysql":
                return (
                    f"""OperationalError: (1005, 'Can\\'t create table `{DATABASE}`.`{table}` """
                    """(errno: 150 "Foreign key constraint is incorrectly formed")')"""
                )
            case "oracle":
                return "DatabaseError: ORA-00942: table or view does not exist"
            case _:
                return f'ProgrammingError: relation "{target}" does not exist'

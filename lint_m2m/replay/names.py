"""Names of tables, columns and constraints as Django makes them and as the database compares them.

Sources: django/db/backends/utils.py (`truncate_name`, `names_digest`, `split_identifier`), `_create_index_name` of
django/db/backends/base/schema.py, `ManyToManyField._get_m2m_db_table` and `create_many_to_many_intermediary_model` of
django/db/models/fields/related.py, `max_name_length` of the four backends; equal in Django 4.2 to 6.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from lint_m2m.digests import md5

# DatabaseOperations.max_name_length(); SQLite has none.
MAX_NAME_LENGTH = {"postgresql": 63, "mysql": 64, "oracle": 30, "sqlite": None}


def strip_namespace(identifier: str) -> tuple[str, str]:
    """`split_identifier`: the namespace ('' without one) and the name of ``schema"."table``."""
    parts = identifier.split('"."')
    namespace, name = parts if len(parts) == 2 else ("", identifier)
    return namespace.strip('"'), name.strip('"')


def names_digest(*parts: str, length: int) -> str:
    """The first `length` hexadecimal digits of the MD5 of all parts."""
    digest = md5(usedforsecurity=False)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass"))
    return str(digest.hexdigest()[:length])


def truncate_name(identifier: str, length: int | None) -> str:
    """`identifier` cut to `length`, its end replaced by four digits of its digest."""
    namespace, name = strip_namespace(identifier)
    if length is None or len(name) <= length:
        return identifier
    prefix = f'{namespace}"."' if namespace else ""
    return f"{prefix}{name[: length - 4]}{names_digest(name, length=4)}"


@lru_cache(maxsize=4096)
def _index_name(table: str, columns: tuple[str, ...], suffix: str, limit: int) -> str:
    _, table = strip_namespace(table)
    ending = names_digest(table, *columns, length=8) + suffix
    joined = "_".join(columns)
    name = f"{table}_{joined}_{ending}"
    if len(name) <= limit:
        return name
    if len(ending) > limit / 3:
        ending = ending[: limit // 3]
    rest = (limit - len(ending)) // 2 - 1
    name = f"{table[:rest]}_{joined[:rest]}_{ending}"
    # Oracle allows neither at the start of a name.
    if name[0] == "_" or name[0].isdigit():
        name = f"D{name[:-1]}"
    return name


@lru_cache(maxsize=16384)
def cut_as_postgresql(name: str) -> str:
    """PostgreSQL keeps the first 63 bytes of a longer name, with a notice that nobody sees."""
    if name.isascii():
        return name[:63]
    return name.encode("utf-8", "surrogatepass")[:63].decode("utf-8", "ignore")


class Names:
    """The naming rules of one database."""

    __slots__ = ("_defaults", "fold", "fold_table", "limit", "vendor")

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.limit = MAX_NAME_LENGTH.get(vendor)
        self._defaults: dict[tuple[str, str], str] = {}
        # `fold` brings a name to the form in which two names are the same to the database. PostgreSQL alone compares
        # letter by letter (Django quotes every name), up to the length that it keeps.
        self.fold: Callable[[str], str] = cut_as_postgresql if vendor == "postgresql" else str.lower
        # MySQL's tables are files: `Book` and `book` are one only where file names have no letter case
        # (lower_case_table_names; not by default on Linux). Columns and indexes have none anywhere.
        self.fold_table: Callable[[str], str] = str if vendor == "mysql" else self.fold

    def default_table(self, app_label: str, model_name: str) -> str:
        """The table of a model without `db_table`; `model_name` in lower case."""
        key = (app_label, model_name)
        table = self._defaults.get(key)
        if table is None:
            table = self._defaults[key] = truncate_name(f"{app_label}_{model_name}", self.limit)
        return table

    def link_table(self, owner_table: str, field_name: str) -> str:
        """The automatic table of a many-to-many field without `db_table`."""
        return truncate_name(f"{owner_table.strip(chr(34))}_{field_name}", self.limit)

    def index_name(self, table: str, columns: Sequence[str], suffix: str = "") -> str:
        """The name Django gives an index or a unique set of `columns`: table, columns, digest and suffix."""
        return _index_name(table, tuple(columns), suffix, self.limit or 200)

    def unique_name(self, table: str, columns: Sequence[str]) -> str:
        return _index_name(table, tuple(columns), "_uniq", self.limit or 200)


def link_field_names(source_model: str, target_model: str) -> tuple[str, str]:
    """The two foreign keys of an automatic table, by the models' names in lower case.

    They get a prefix whenever the names are equal, also for models of different apps.
    """
    if source_model == target_model:
        return f"from_{source_model}", f"to_{target_model}"
    return source_model, target_model

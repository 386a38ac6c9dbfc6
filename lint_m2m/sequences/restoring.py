"""What to do where links are lost already: they come back from a table that was restored under another name.

Where the through model has further columns that the database does not fill, SQL would fail: Django's defaults are not
the database's. Then it is Python for `manage.py shell`, in which the model fills them itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import FieldKind
from lint_m2m.replay.models import FieldState, column_name
from lint_m2m.sequences.add_through import INTEGER_KEYS
from lint_m2m.sequences.applying import where_it_has_run
from lint_m2m.sequences.filling import filled_by_itself
from lint_m2m.sequences.values import Instruction, Situation, Through
from lint_m2m.values import frozen


@frozen
class Restored:
    """The table that was restored, and how to read it: its name, the columns of the links, a condition.

    `shared` are further columns of it, each with the field of the through model that takes its value.
    """

    table: str
    columns: tuple[str, str]
    condition: str = ""
    shared: tuple[tuple[str, FieldState], ...] = ()


def lost_links(
    situation: Situation,
    table: str,
    columns: tuple[str, str],
    through: Through | None = None,
    shared: tuple[tuple[FieldState, FieldState], ...] = (),
) -> Iterator[Instruction]:
    """The old table went with the links, where the migration has run: they come back from a backup only.

    `table` and `columns` are where they go, and `through` its model; `shared` the fields that both models have.
    """
    link = situation.link
    if link is not None:
        more = tuple((column, new) for old, new in shared if (column := column_name(old)) is not None)
        old = Restored(table=f"restored_{link.table.name}", columns=link.columns, shared=more)
        title = f"the links went with `{link.table.name}`; restore that table from a backup under another name and copy"
        yield from where_it_has_run(situation, f"{title} them", *from_backup(situation, old, table, columns, through))


def from_backup(
    situation: Situation, old: Restored, table: str, columns: tuple[str, str], through: Through | None
) -> tuple[str, str]:
    """The language and the code that copies links from a restored table."""
    wanted = [*old.columns, *(column for column, _ in old.shared)]
    query = f"SELECT {', '.join(wanted)} FROM {old.table}"
    query += f"\nWHERE {old.condition}" if old.condition else ""
    if through is None or _fills(through, old):
        names = [*columns, *(column_name(field) or field.name for _, field in old.shared)]
        return "sql", f"INSERT INTO {table} ({', '.join(names)})\n{query};"
    assert through.source is not None
    assert through.target is not None
    fields = [through.source, through.target, *(field for _, field in old.shared)]
    given = [f"{_attribute(field)}=row[{number}]" for number, field in enumerate(fields)]
    known = {field.name for field in fields}
    unfilled = [one.name for one in through.extras if one.name not in known and not filled_by_itself(situation, one)]
    lines = [*(f"{one}," for one in given), *(f"{one}=None,  # yours to say" for one in unfilled)]
    listed = "\n".join(f"            {line}" for line in lines)
    model = f'apps.get_model("{through.model.key.app_label}", "{through.model.name}")'
    flat = query.replace("\n", " ")
    code = (
        "from django.apps import apps\n"
        "from django.db import connection\n\n"
        f"links = {model}.objects\n"
        "with connection.cursor() as cursor:\n"
        f'    cursor.execute("{flat}")\n'
        "    for row in cursor.fetchall():\n"
        f"        links.create(\n{listed}\n        )"
    )
    return "python", code


def _fills(through: Through, old: Restored) -> bool:
    """Whether the database has a value for all that a row of links has not."""
    options, key = through.model.options, through.primary_key
    if options.bases != () or options.order_with_respect_to is not None:
        return False
    if key is not None and key.field.class_path.rpartition(".")[2] not in INTEGER_KEYS:
        return False
    known = {field.name for _, field in old.shared}
    return all(
        one.name in known
        or one.field.kind is FieldKind.MANY_TO_MANY
        or one.field.null is True
        or one.field.has_db_default is True
        for one in through.extras
    )


def _attribute(field: FieldState) -> str:
    return f"{field.name}_id" if field.field.kind is FieldKind.FOREIGN_KEY else field.name

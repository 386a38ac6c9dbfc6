"""RunSQL and RunPython on the database ledger, and the record of what may have moved rows.

SQL that was read is applied as it stands. What runs under a condition, what code executes and what could not be read
leaves the tables it names in doubt; only where not even a name can be told, every table.

A RunPython counts as having copied rows from one link table to another when it reaches both of them and stores
something: people copy in too many ways to ask for more. It counts in both directions, unless each place that stores
something says of which model or by the name of which field it does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lint_m2m.migration import UNKNOWN, CodeFacts, Maybe, ModelKey, RunPython, RunSQL, SwappableRef
from lint_m2m.readers.stores import WRITES
from lint_m2m.replay.change import NOTHING, Outcome
from lint_m2m.replay.database import Database, Table
from lint_m2m.replay.editor import Raises
from lint_m2m.replay.facts import DataOperation, Effect, FieldKey, Origin, RowsCopied
from lint_m2m.replay.layout import Layout
from lint_m2m.replay.models import FieldState, ModelState, reverse_name
from lint_m2m.replay.schema import SchemaEditor
from lint_m2m.replay.state import StateLedger

if TYPE_CHECKING:
    from lint_m2m.replay.sql_values import SqlEffect
    from lint_m2m.replay.sqleffects import SqlApplier

_COPIES = re.compile(r"\b(insert|replace|merge)\b.*\bselect\b", re.IGNORECASE | re.DOTALL)
_DEFINES = re.compile(r"\b(alter|create|drop|rename|truncate|delete)\b", re.IGNORECASE)
# Methods of the schema editor that change tables.
_SCHEMA_METHODS = frozenset(
    [
        "create_model",
        "delete_model",
        "alter_db_table",
        "add_field",
        "remove_field",
        "alter_field",
        "alter_unique_together",
        "alter_index_together",
        "add_constraint",
        "remove_constraint",
        "add_index",
        "remove_index",
    ]
)


class DataReader:
    """Applies data operations, and keeps the list of them."""

    def __init__(self, layout: Layout, vendor: str, editor: SchemaEditor) -> None:
        self.operations: list[DataOperation] = []
        self._layout = layout
        self._vendor = vendor
        self._editor = editor

    def _read(self, text: str, database: Database, state: StateLedger, vendor: Maybe[str]) -> tuple[SqlEffect, ...]:
        """The effects of SQL; none of a copy between tables that cannot have links: parsing queries is expensive."""
        from lint_m2m.replay.sql import mentions, read_sql

        if _COPIES.search(text) and not _DEFINES.search(text):
            named = map(database.names.fold_table, mentions(text))
            if not any(self._held_links(name, database, state) for name in named):
                return ()
        return read_sql(text, vendor)

    def _held_links(self, name: str, database: Database, state: StateLedger) -> bool:
        """Whether a table of that folded name can have links, or one that is gone could."""
        gone = database.gone.get(name)
        if gone is not None and gone.table.link:
            return True
        table = database.shown(name)
        return table is not None and self._may_hold_links(table, state)

    def _may_hold_links(self, table: Table, state: StateLedger) -> bool:
        """Also of a through model before or after a field uses it."""
        return _two_keys(table) or table.link or table.model is None or self._is_through(table.model, state)

    # -- RunSQL

    def run_sql(
        self,
        operation: RunSQL,
        database: Database,
        state: StateLedger,
        position: int,
        origin: Origin,
        *,
        conditional: bool = False,
    ) -> Outcome:
        """Apply the SQL. Under a condition it may be another database's, so it proves no failure."""
        from lint_m2m.replay.sqleffects import SqlApplier

        vendor: Maybe[str] = UNKNOWN if conditional else self._vendor
        editor = self._editor
        editor.begin(database, origin, None, None)
        applier = SqlApplier(editor)
        where = f"operation {origin.address} of `{origin.migration}`"
        failures: list[Raises] = []
        unread: str | None = None
        for piece in operation.sql:
            if piece is UNKNOWN:
                unread = "SQL that is put together at run time"
                database.doubt_all(f"{where} runs {unread}")
                continue
            for effect in self._read(piece, database, state, vendor):
                try:
                    applier.apply(effect, where, possible=bool(failures))
                except Raises as raised:
                    if not conditional:
                        failures.append(raised)
                    applier.doubt(effect, f"{where} fails")
        if unread is not None or applier.moved or applier.unread is not None:
            tables = frozenset(applier.tables)
            self.operations.append(
                DataOperation(
                    position=position,
                    origin=origin,
                    tables=tables,
                    names=tables,
                    fields=frozenset(self._fields_of_tables(tables, database, state)),
                    links=frozenset(table.uid for name in tables if (table := database.get(name)) is not None),
                    paired=_paired(editor.effects),
                    unread=unread or applier.unread,
                )
            )
        return Outcome(tuple(raised.failure for raised in failures), tuple(editor.effects))

    # -- RunPython

    def run_python(
        self, operation: RunPython, database: Database, state: StateLedger, position: int, origin: Origin
    ) -> Outcome:
        editor = self._editor
        editor.begin(database, origin, None, None)
        code = operation.code
        if code is None:
            return NOTHING
        if code is UNKNOWN:
            self.operations.append(
                DataOperation(position=position, origin=origin, unread="its function could not be read")
            )
            return NOTHING
        from lint_m2m.replay.sqleffects import SqlApplier

        applier = SqlApplier(editor)
        self._schema_changes(code, applier, database, state)
        possible = _possible_owners(code, state)
        fields = self._fields_reached(code, possible, state)
        fields.update(self._fields_of_tables(applier.tables, database, state))
        links = self._links_reached(code, fields, applier, database, state)
        if code.names & WRITES or applier.moved:
            self._possible_copies(links, self._stored(code, fields, links, applier, database, state), database)
        self.operations.append(
            DataOperation(
                position=position,
                origin=origin,
                models=code.models.union(model.key for model in possible),
                names=code.names,
                tables=frozenset(applier.tables),
                fields=frozenset(fields),
                links=frozenset(table.uid for table in links),
                paired=_paired(editor.effects),
                unread=code.opaque or applier.unread,
            )
        )
        return Outcome((), tuple(editor.effects))

    def _schema_changes(self, code: CodeFacts, applier: SqlApplier, database: Database, state: StateLedger) -> None:
        """What code may have done to tables: those it names, and when it names none, any."""
        reason = f"RunPython `{code.name}` executes SQL"
        told = False
        if code.sql:
            for text in code.sql:
                for effect in self._read(text, database, state, self._vendor):
                    applier.apply(effect, reason, possible=True, open_counts=False)
                    told = True
        if not code.uses_connection:
            return
        executes = bool(code.names & {"execute", "executemany", "executescript"})
        edits = bool(code.names & _SCHEMA_METHODS)
        if edits:
            reason = f"RunPython `{code.name}` uses the schema editor"
        if (executes and (not code.sql or applier.open)) or edits:
            for name in code.names:
                if "_" in name:
                    told = told or database.get(name) is not None
                    database.doubt_table(name, reason)  # of a name that is not there: it may be now
            for key in code.models:
                model = state.get(key)
                if model is not None:
                    self._doubt_model(model, state, database, reason)
                    told = True
        if not told or (applier.open and not code.models):
            database.doubt_all(f"{reason}, and it cannot be told on which tables")

    def _doubt_model(self, model: ModelState, state: StateLedger, database: Database, reason: str) -> None:
        table = self._layout.table(model, state)
        if table is not UNKNOWN:
            database.doubt_table(table, reason)
        for field in model.many_to_many():
            if self._layout.is_automatic(field.field) is True:
                link = self._layout.link_table(model, field.name, field.field, state)
                if link.table is not UNKNOWN:
                    database.doubt_table(link.table, reason)

    def _links_reached(
        self,
        code: CodeFacts,
        fields: dict[FieldKey, tuple[ModelState, FieldState]],
        applier: SqlApplier,
        database: Database,
        state: StateLedger,
    ) -> list[Table]:
        """The tables in which the code can read or write links, in the order they were made."""
        found: dict[int, Table] = {}
        for model, field in fields.values():
            name = self._link_table(model, field, state)
            table = None if name is None or name is UNKNOWN else database.get(name)
            if table is not None:
                found[table.uid] = table
        for key in code.models:
            own = state.get(key)
            name = None if own is None else self._layout.table(own, state)
            table = None if name is None or name is UNKNOWN else database.get(name)
            if table is not None and self._may_hold_links(table, state):
                found[table.uid] = table
        for word in (*applier.tables, *(word for word in code.names if "_" in word)):
            table = database.get(word)
            if table is not None and self._may_hold_links(table, state):
                found[table.uid] = table
        return [found[uid] for uid in sorted(found)]

    def _stored(
        self,
        code: CodeFacts,
        fields: dict[FieldKey, tuple[ModelState, FieldState]],
        links: list[Table],
        applier: SqlApplier,
        database: Database,
        state: StateLedger,
    ) -> list[Table]:
        """Those of `links` in which the code may store rows: all of them, unless it is plain where it stores."""
        plain = not (code.settings or code.opaque or code.uses_connection or applier.tables)
        if code.stores is None or not plain:
            return links
        by_word: dict[str, set[int]] = {}
        by_model: dict[ModelKey, int] = {}
        for model, field in fields.values():
            name = self._link_table(model, field, state)
            table = None if name is None or name is UNKNOWN else database.get(name)
            relation = field.field.relation
            if table is None or relation is None:
                return links
            for word in {field.name} | _reverse_names(model, relation.related_name):
                by_word.setdefault(word, set()).add(table.uid)
        for key in {key for store in code.stores for key in store.models}:
            own = state.get(key)
            name = None if own is None else self._layout.table(own, state)
            if name is UNKNOWN:
                return links
            table = None if name is None else database.get(name)
            if table is not None:
                by_model[key] = table.uid
        stored: set[int] = set()
        for store in code.stores:
            stored.update(by_model[key] for key in store.models if key in by_model)
            found = [by_word[word] for word in store.words if word in by_word]
            if store.words and not found:
                return links  # a name of something else, which may lead to any of them
            stored.update(*found)
        return [table for table in links if table.uid in stored]

    def _possible_copies(self, tables: list[Table], stored: list[Table], database: Database) -> None:
        """Code that reaches two tables may have copied from either to one in which it stores rows, if they link the
        same models."""
        pairs = _alike(tables, stored) if len(tables) > 1 else []
        if not pairs:
            return
        facts = {table.uid: database.fact(table) for table in tables}
        origins = {table.uid: table.rows_from for table in tables}
        for target, others in pairs:
            for other in others:
                target.rows_from |= origins[other.uid]
            target.filled = True
            self._editor.effects.append(
                RowsCopied(
                    target=database.fact(target), sources=tuple(facts[other.uid] for other in others), certain=False
                )
            )

    # -- which fields

    def _fields_reached(
        self, code: CodeFacts, possible: Iterable[ModelState], state: StateLedger
    ) -> dict[FieldKey, tuple[ModelState, FieldState]]:
        """The many-to-many fields whose links the code can reach through the models and names in it.

        `possible` are the models that one named by an unresolved setting may be.
        """
        found: dict[FieldKey, tuple[ModelState, FieldState]] = {}
        names = code.names
        for model in possible:
            for field in model.many_to_many():
                if field.name in names:
                    found[model.field_key(field.name)] = (model, field)
        if code.settings:
            targets = {SwappableRef(setting) for setting in code.settings}
            for model in state.models():
                for field in model.many_to_many():
                    relation = field.field.relation
                    reverse = relation is not None and relation.to in targets
                    if relation is not None and reverse and names & _reverse_names(model, relation.related_name):
                        found[model.field_key(field.name)] = (model, field)
        for key in sorted(code.models):
            own = state.get(key)
            if own is not None:
                for model in (own, *self._parents(own, state)):
                    for field in model.many_to_many():
                        if field.name in names:
                            found[model.field_key(field.name)] = (model, field)
            for linker in state.linkers(key):
                other = state.get(linker)
                if other is None:
                    continue
                for field in other.many_to_many():
                    relation = field.field.relation
                    if relation is None:
                        continue
                    reverse = relation.to == key and bool(names & _reverse_names(other, relation.related_name))
                    if reverse or relation.through == key:
                        found[other.field_key(field.name)] = (other, field)
        return found

    def _parents(self, model: ModelState, state: StateLedger) -> list[ModelState]:
        """The models that `model` inherits from, or is a proxy of."""
        found: list[ModelState] = []
        todo = [model]
        while todo:
            bases = todo.pop().options.bases
            if bases is UNKNOWN:
                continue
            for ref in bases:
                base = state.get(ref) if isinstance(ref, ModelKey) else None
                if base is not None and base not in found:
                    found.append(base)
                    todo.append(base)
        return found

    def _fields_of_tables(
        self, tables: Iterable[str], database: Database, state: StateLedger
    ) -> dict[FieldKey, tuple[ModelState, FieldState]]:
        """The many-to-many fields that use one of the tables, or whose automatic table it once was."""
        fold = database.names.fold_table
        wanted = {fold(name) for name in tables}
        found: dict[FieldKey, tuple[ModelState, FieldState]] = {}
        if not wanted:
            return found
        tables_there = [table for name in wanted if (table := database.shown(name)) is not None]
        origins = {table.auto_of for table in tables_there if table.auto_of is not None}
        for model in state.models():
            for field in model.many_to_many():
                name = self._link_table(model, field, state)
                uses = name is not UNKNOWN and name is not None and fold(name) in wanted
                if uses or (origins and model.field_key(field.name) in origins):
                    found[model.field_key(field.name)] = (model, field)
        return found

    def _link_table(self, model: ModelState, field: FieldState, state: StateLedger) -> Maybe[str | None]:
        relation = field.field.relation
        if relation is None or relation.through is UNKNOWN:
            return UNKNOWN
        if relation.through is None:
            return self._layout.link_name(model, field.name, relation, state)
        through = state.lookup(relation.through)
        return through if through is UNKNOWN or through is None else self._layout.table(through, state)

    @staticmethod
    def _is_through(key: ModelKey, state: StateLedger) -> bool:
        for linker in state.linkers(key):
            model = state.get(linker)
            if model is None:
                continue
            for field in model.many_to_many():
                if field.field.relation is not None and field.field.relation.through == key:
                    return True
        return False


def _possible_owners(code: CodeFacts, state: StateLedger) -> list[ModelState]:
    """The models that one named by an unresolved setting may be: those with a relation that the code names."""
    if not code.settings:
        return []
    return [
        model
        for model in state.models()
        if any(model.fields[name].field.relation is not None for name in model.fields.keys() & code.names)
    ]


def _paired(effects: Iterable[Effect]) -> frozenset[int]:
    """The tables that rows were, or may have been, copied between."""
    copies = [effect for effect in effects if isinstance(effect, RowsCopied)]
    return frozenset(table.uid for copy in copies for table in (copy.target, *copy.sources))


def _two_keys(table: Table) -> bool:
    """Whether its rows can be links: it has two foreign keys."""
    keys = {name for name, column in table.columns.items() if column.references is not None}
    return len(keys | set(table.foreign_keys)) >= 2


def _alike(tables: list[Table], targets: list[Table]) -> list[tuple[Table, list[Table]]]:
    """Those of `targets` that ids from others of `tables` can stand in, each with these."""
    pointed = {table.uid: _pointed_at(table) for table in tables}
    found = []
    for target in targets:
        mine = pointed[target.uid]
        others = [table for table in tables if table is not target and _link_alike(pointed[table.uid], mine)]
        if others:
            found.append((target, others))
    return found


def _pointed_at(table: Table) -> list[str] | None:
    """The tables that its foreign keys point at, in order; ``None`` where that is in doubt."""
    if table.shape_doubt is not None:
        return None
    return sorted([column.references for column in table.columns.values() if column.references is not None])


def _link_alike(one: list[str] | None, other: list[str] | None) -> bool:
    """Whether ids of one table can stand in the other: as far as is known, they point at the same tables."""
    if one is None or other is None or one == other:
        return True
    if len(one) == len(other):
        return False
    fewer, more = sorted((one, other), key=len)
    return Counter(fewer) <= Counter(more)


def _reverse_names(owner: ModelState, related_name: Maybe[str | None]) -> frozenset[str]:
    """The names under which the target reaches the links of a field."""
    if isinstance(related_name, str) and related_name:
        return frozenset((reverse_name(owner.key, related_name),))
    return frozenset((owner.key.name, f"{owner.key.name}_set"))

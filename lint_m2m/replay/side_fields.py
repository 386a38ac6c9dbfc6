"""``database_forwards`` of AddField, RemoveField, AlterField and RenameField, and ``schema_editor.alter_field``."""

from __future__ import annotations

from lint_m2m.migration import (
    UNKNOWN,
    AddField,
    AlterField,
    Field,
    FieldKind,
    Maybe,
    ModelKey,
    RemoveField,
    RenameField,
    RenameModel,
)
from lint_m2m.replay import wording
from lint_m2m.replay.change import Change
from lint_m2m.replay.compare import column_touched, fields_differ, index_wanted, is_unique
from lint_m2m.replay.database import Index, Table
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.layout import LinkTable
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.replay.schema import column_fact
from lint_m2m.replay.side_links import LinkSide


class FieldSide(LinkSide):
    """The database side of operations on fields."""

    def add_field(self, change: Change, operation: AddField) -> None:
        key = ModelKey(change.app_label, operation.model_name.lower())
        old, new = change.before.get(key), change.after.get(key)
        state = None if new is None else new.fields.get(operation.name)
        if old is None or new is None or state is None or self.layout.runs(new) is not True:
            self._doubt_if_unsure(new, change.after, operation.name)
            return
        field = state.field
        if field.kind is FieldKind.UNKNOWN:
            self._doubt_field(new, state, change.after)
            return
        table = self.layout.table(old, change.before)
        if field.many_to_many:
            if self._automatic(change, new, state, change.after):
                link = self.layout.link_table(new, state.name, field, change.after)
                self.editor.create_link(link, change.after)
            elif self.sqlite and self.layout.is_automatic(field) is False:
                # SQLite rebuilds for every field that is not null, and a many-to-many field never is.
                self.editor.remake(table, old, new, change.after, field=state.name)
            return
        item = self.layout.field_column(state.name, field, change.after)
        if item is None:
            return
        if item is UNKNOWN:
            self._doubt_shape(table, f"the column of `{new.field_key(state.name)}` could not be told")
            return
        if self.sqlite and self._rebuilds_to_add(field, item.unique):
            self._keys_lost(change, old, change.before)
            self.editor.remake(table, old, new, change.after, field=state.name, created=item.column)
        else:
            self.editor.add_column(table, item)
            self._keep_step(table, old, new)

    @staticmethod
    def _rebuilds_to_add(field: Field, unique: bool) -> bool:
        """Whether SQLite's `add_field` rebuilds the table."""
        return (
            field.primary_key is True
            or unique
            or field.null is not True
            or field.has_default is not False
            or (
                dict(field.options).get("blank") is True
                and field.class_path.rpartition(".")[2] in ("CharField", "TextField")
                and field.null is not True
            )
        )

    def remove_field(self, change: Change, operation: RemoveField) -> None:
        key = ModelKey(change.app_label, operation.model_name.lower())
        model = change.before.get(key)
        state = None if model is None else model.fields.get(operation.name)
        if model is None or state is None or self.layout.runs(model) is not True:
            self._doubt_if_unsure(model, change.before, operation.name)
            return
        field = state.field
        if field.kind is FieldKind.UNKNOWN or state.uncertain is not None:
            self._doubt_field(model, state, change.before)
            return
        if field.many_to_many:
            if self._automatic(change, model, state, change.before, held=True):
                link = self.layout.link_table(model, state.name, field, change.before)
                self.editor.drop_table(link.table, link.key)
            return
        self._key_lost(change, model, state, change.before)
        table = self.layout.table(model, change.before)
        column = self.layout.column(state.name, field)
        if column is None or table is UNKNOWN:
            return
        if column is UNKNOWN:
            self._doubt_shape(table, f"the column of `{model.field_key(state.name)}` could not be told")
            return
        relation = field.relation
        indexed = field.db_index is True or (field.kind is FieldKind.FOREIGN_KEY and field.db_index is not False)
        unique = field.unique is not False or is_unique(field)
        constrained = relation is not None and relation.db_constraint is not False
        if self.sqlite and (field.primary_key is not False or unique or indexed or constrained):
            after = change.after.get(key)
            if after is not None:
                self._keys_lost(change, model, change.before, but=state.name)
                self.editor.remake(table, model, after, change.after, field=state.name)
                remade = self.editor.db.get(table)
                if column == "id" and remade is not None and field.primary_key is True and not self.old_django:
                    # Django would add it again by itself; since 5.0 it does not (ticket 29790).
                    self.editor.db.drop_column(remade, column)
        else:
            self.editor.drop_column(table, column)
            after = change.after.get(key)
            if after is not None:
                self._keep_step(table, model, after)

    def alter_field(self, change: Change, operation: AlterField) -> None:
        self._alter_named(change, operation.model_name, operation.name, operation.name)

    def rename_field(self, change: Change, operation: RenameField) -> None:
        self._alter_named(change, operation.model_name, operation.old_name, operation.new_name)

    def _alter_named(self, change: Change, model_name: str, old_name: str, new_name: str) -> None:
        key = ModelKey(change.app_label, model_name.lower())
        old, new = change.before.get(key), change.after.get(key)
        if old is None or new is None or self.layout.runs(new) is not True:
            self._doubt_if_unsure(old, change.before, old_name)
            self._doubt_if_unsure(new, change.after, new_name)
            return
        old_state, new_state = old.fields.get(old_name), new.fields.get(new_name)
        if old_state is None or new_state is None:
            self._doubt_if_unsure(old, change.before, old_name, always=True)
            self._doubt_if_unsure(new, change.after, new_name, always=True)
            return
        if (
            old_state.uncertain is not None
            or new_state.uncertain is not None
            or old_state.field.kind is FieldKind.UNKNOWN
            or new_state.field.kind is FieldKind.UNKNOWN
        ):
            self._doubt_field(old, old_state, change.before)
            self._doubt_field(new, new_state, change.after)
            return
        self._alter_field(change, old, old_state, new, new_state)

    def _alter_field(
        self, change: Change, old: ModelState, old_state: FieldState, new: ModelState, new_state: FieldState
    ) -> None:
        """``schema_editor.alter_field``, for every pair of kinds."""
        before, after = change.before, change.after
        old_field, new_field = old_state.field, new_state.field
        if old_field.kind is FieldKind.VIRTUAL and new_field.kind is FieldKind.VIRTUAL:
            return
        if not old_field.many_to_many and not new_field.many_to_many:
            if old_state.name == new_state.name and old_field == new_field and _is_plain_column(new_field):
                return  # other choices, another help text
            self._alter_column(change, old, old_state, new, new_state)
            return
        old_name, new_name = _field_text(old, old_state), _field_text(new, new_state)
        if not (old_field.many_to_many and new_field.many_to_many):
            if FieldKind.VIRTUAL in (old_field.kind, new_field.kind) and (
                old_field.relation is None or new_field.relation is None
            ):
                self.editor.fail(FailureKind.INCOMPATIBLE_FIELD, wording.no_db_type(old_name, new_name))
            self.editor.fail(FailureKind.INCOMPATIBLE_FIELD, wording.incompatible(old_name, new_name))
        differ = fields_differ(old_field, new_field, self.layout, before, after)
        if differ is False:
            if old_state.name == new_state.name or (self.django_version == (6, 0) and self._broken_rename):
                return
        elif differ is UNKNOWN:
            self._doubt_field(old, old_state, before)
            self._doubt_field(new, new_state, after)
            return
        key = old.field_key(old_state.name)
        self._resolved(change, key, old_state, before, held=True)
        self._resolved(change, key, new_state, after)
        was, now = self.layout.is_automatic(old_field), self.layout.is_automatic(new_field)
        if was is UNKNOWN or now is UNKNOWN:
            self._doubt_field(old, old_state, before)
            self._doubt_field(new, new_state, after)
            return
        if was != now:
            self.editor.fail(FailureKind.INCOMPATIBLE_FIELD, wording.incompatible(old_name, new_name))
        if was is True:
            old_link = self.layout.link_table(old, old_state.name, old_field, before)
            new_link = self.layout.link_table(new, new_state.name, new_field, after)
            self._targets_resolved(change, old_link, new_link)
            self._alter_links(old_link, new_link, change, retargeted=_retargeted(change, old_link, new_link))

    # Only Django 6.0.0 is broken (RenameField of a many-to-many field does nothing); patch versions are not told.
    _broken_rename = False

    def _alter_column(
        self, change: Change, old: ModelState, old_state: FieldState, new: ModelState, new_state: FieldState
    ) -> None:
        """`_alter_field` for fields with a column."""
        before, after, editor = change.before, change.after, self.editor
        renaming_model = isinstance(change.operation, RenameModel)
        table_name = self.layout.table(new if renaming_model else old, after if renaming_model else before)
        if table_name is UNKNOWN:
            return
        old_column = self.layout.column(old_state.name, old_state.field)
        new_item = self.layout.field_column(new_state.name, new_state.field, after)
        if old_column is UNKNOWN or new_item is UNKNOWN:
            self._doubt_shape(table_name, f"the column of `{new.field_key(new_state.name)}` could not be told")
            return
        if old_column is None or new_item is None:
            return
        old_field, new_field = old_state.field, new_state.field
        differ = fields_differ(old_field, new_field, self.layout, before, after, old_django=self.old_django)
        renamed = self._quoted(old_column) != self._quoted(new_item.column)
        if self.old_django and not renamed and differ is False:
            return
        self._key_lost(change, old, old_state, before, wanted=new_state)
        if not renamed and differ is False:
            return
        if self.sqlite:
            same = old_state.name == new_state.name and old.key == new.key
            field = new_state.name if same else None
            self._alter_column_sqlite(
                change, table_name, old_column, old, old_state, new, new_state, differ, renamed, field
            )
            return
        touched, how = column_touched(old_field, new_field, self.layout, before, after)
        if renamed:
            editor.rename_column(table_name, old_column, new_item.column)
        database = editor.db
        table = database.get(table_name)
        if table is None:
            if touched or (differ is True and self._introspects(old_field)):
                editor.existing(table_name, indexing=how == "index")
            return
        if touched and not editor.has_column(table, new_item.column, how):
            return
        folded = self.names.fold(new_item.column)
        if folded not in table.columns:
            return
        was_constrained, known = folded in table.foreign_keys, table.columns[folded]
        database.put_column(table, column_fact(new_item)._replace(references=known.references, target=known.target))
        single = [index for index in table.indexes if index.columns == (folded,) and index.unique]
        if is_unique(old_field) and not new_item.unique:
            for index in single:
                table.indexes.remove(index)
        elif new_item.unique and not single and not new_item.primary_key:
            database.add_index(
                table,
                Index(
                    columns=(folded,),
                    unique=True,
                    constraint=True,
                    basis=table.name,
                    basis_columns=(new_item.column,),
                    suffix="_uniq",
                ),
            )
        self._alter_index(table, folded, old, old_field, new_field)
        editor.alter_key(
            table,
            folded,
            was=_was_constrained(old_field),
            now=new_item.constrained,
            target=new_item.references,
            target_column=new_item.target,
        )
        self._retarget_column(change, table, old_field, new_field, new_item.column, was_constrained)

    def _alter_index(self, table: Table, column: str, model: ModelState, old: Field, new: Field) -> None:
        """The index of ``db_index`` on a folded column. Every index of that column goes that no Meta.indexes of `model`
        names, but not one that is still to be made."""
        was, now = _has_index(old), _has_index(new)
        if was and not now:
            options = model.options.indexes
            named = frozenset() if options is UNKNOWN else frozenset(index.name for index in options)
            table.indexes = [
                index
                for index in table.indexes
                if index.columns != (column,) or index.unique or index.pending or index.name in named
            ]
        elif now and not was:
            if index_wanted(old) is UNKNOWN:
                table.indexes = [index for index in table.indexes if index.columns != (column,) or index.unique]
            else:
                self.editor.index_free(table, columns=(column,))
            self.editor.db.add_index(
                table,
                Index(
                    columns=(column,),
                    unique=False,
                    constraint=False,
                    basis=table.name,
                    basis_columns=self.editor.db.spelled(table, (column,)),
                ),
            )

    def _alter_column_sqlite(
        self,
        change: Change,
        table_name: str,
        old_column: str,
        was: ModelState,
        old_state: FieldState,
        new: ModelState,
        new_state: FieldState,
        differ: Maybe[bool],
        renamed: bool,
        field: str | None,
    ) -> None:
        """`field` is its name, if the operation changes nothing else of the model."""
        editor = self.editor
        new_field = new_state.field
        item = self.layout.field_column(new_state.name, new_field, change.after)
        assert item is not None
        assert item is not UNKNOWN
        if renamed and differ is False and not item.constrained:
            editor.rename_column(table_name, old_column, item.column)
            return
        if differ is UNKNOWN and not renamed:
            table = editor.db.get(table_name)
            if table is None:
                return
        if isinstance(change.operation, RenameModel) and self.django_version >= (5, 1):
            self._keys_lost(change, new, change.after, but=new_state.name, anew=True)
        else:
            self._keys_lost(change, was, change.before, but=old_state.name)
        old_references = None
        table = editor.db.get(table_name)
        if table is not None:
            known = table.columns.get(self.names.fold(old_column))
            old_references = None if known is None else known.references
        editor.remake(table_name, was, new, change.after, field=field, read={item.column: old_column})
        if table is None:
            return
        if isinstance(change.operation, RenameModel):
            if self.django_version < (5, 1):
                self._forget_other_keys(change, table, new, new_state)
            return
        now = table.columns.get(self.names.fold(item.column))
        if now is not None and now.references is not None and old_references not in (None, now.references):
            self._column_rows_must_fit(table, item.column, now.references)

    def _forget_other_keys(self, change: Change, table: Table, model: ModelState, altered: FieldState) -> None:
        """Before 5.1 RenameModel rebuilt a table from the old state for each foreign key to the renamed model, so that
        all but the last one point at the old table again (ticket 34881)."""
        operation = change.operation
        assert isinstance(operation, RenameModel)
        was = change.before.get(ModelKey(change.app_label, operation.old_name.lower()))
        old_table = UNKNOWN if was is None else self.layout.table(was, change.before)
        now = altered.field.relation
        if old_table is UNKNOWN or now is None or self.editor.db.get(old_table) is not None:
            return
        for state in model.fields.values():
            relation = state.field.relation
            if state is altered or state.field.kind is not FieldKind.FOREIGN_KEY or relation is None:
                continue
            column = self.layout.column(state.name, state.field)
            fact = None if column is None or column is UNKNOWN else table.columns.get(self.names.fold(column))
            if relation.to == now.to and fact is not None:
                self.editor.db.put_column(table, fact._replace(references=old_table))
                if self.names.fold(fact.name) in table.foreign_keys:
                    self.editor.rows_violate(table, fact.name, old_table)

    def _retarget_column(
        self, change: Change, table: Table, old: Field, new: Field, column: str, was_constrained: bool
    ) -> None:
        """A foreign key of a link table that points at another model now: its rows do not."""
        if isinstance(change.operation, RenameModel) or old.relation is None or new.relation is None:
            return
        if not was_constrained or new.relation.db_constraint is not True:
            return
        was = self.layout.reference_table(old.relation.to, change.before)
        now = self.layout.reference_table(new.relation.to, change.after)
        if was is UNKNOWN or now is UNKNOWN or was == now:
            return
        self._column_rows_must_fit(table, column, now)

    def _column_rows_must_fit(self, table: Table, column: str, target: str) -> None:
        if table.link and table.shape_doubt is None:
            self.editor.rows_violate(table, column, target)

    def _introspects(self, old: Field) -> bool:
        """MySQL fails when it looks for the constraints of a table that is not there."""
        if self.editor.vendor != "mysql":
            return False
        return _was_constrained(old) or is_unique(old) or old.db_index is True

    def _quoted(self, name: str) -> str:
        return name.upper() if self.editor.vendor == "oracle" else name


def _field_text(model: ModelState, state: FieldState) -> str:
    """``str(field)``: the model with its letter case."""
    return f"{model.key.app_label}.{model.name}.{state.name}"


def _retargeted(change: Change, old: LinkTable, new: LinkTable) -> bool:
    """Whether the target is another model, not the same one renamed."""
    return not isinstance(change.operation, RenameModel) and old.to != new.to


def _has_index(field: Field) -> bool:
    """Whether ``db_index`` makes an index: a unique column has that of its unique set."""
    return index_wanted(field) is True and not is_unique(field) and field.primary_key is not True


def _was_constrained(field: Field) -> bool:
    return field.kind is FieldKind.FOREIGN_KEY and field.relation is not None and field.relation.db_constraint is True


def _is_plain_column(field: Field) -> bool:
    """Whether a field is a column of which nothing but the field itself decides what it is called."""
    return field.kind is FieldKind.COLUMN and field.class_known and field.db_column is not UNKNOWN

"""Automatic tables of many-to-many fields that are altered, on databases that rename and on SQLite, which rebuilds."""

from __future__ import annotations

from lint_m2m.migration import UNKNOWN
from lint_m2m.replay import wording
from lint_m2m.replay.change import Change
from lint_m2m.replay.database import Table
from lint_m2m.replay.facts import FailureKind
from lint_m2m.replay.layout import Columns, LinkTable
from lint_m2m.replay.side import DatabaseSide, unsure_of


class LinkSide(DatabaseSide):
    """``_alter_many_to_many``."""

    def _alter_links(self, old: LinkTable, new: LinkTable, change: Change, *, retargeted: bool) -> None:
        """`_alter_many_to_many`: the table and its columns follow, and the foreign key may point elsewhere."""
        editor, database = self.editor, self.editor.db
        if old.table is UNKNOWN or new.table is UNKNOWN or old.target is UNKNOWN or new.target is UNKNOWN:
            for link in (old, new):
                if link.table is not UNKNOWN:
                    database.doubt_table(link.table, f"the table of `{link.key}` could not be told")
            return
        if self.sqlite:
            table = self._alter_links_sqlite(old, new, change, old.table, new.table)
        else:
            editor.rename_table(old.table, new.table, new.key)
            table = database.get(new.table)
            for was, now in ((old.target, new.target), (old.source, new.source)):
                if was != now:
                    editor.rename_column(new.table, was, now)
            self._refer(change, table, new.table, old, new)
        if table is None:
            return
        table.auto_of = new.key
        if retargeted and new.constrained:
            self._rows_must_fit(table, old, new, change)

    def _targets_resolved(self, change: Change, old: LinkTable, new: LinkTable) -> None:
        """Raise where the field's target, before the operation or after it, is a string.

        The old one may still have hold of the class of a model that an earlier operation removed. SQLite makes a new
        table first where it gets another name.
        """
        attribute = "m2m_reverse_field_name"
        if self.sqlite and old.table != new.table:
            self.editor.target_resolved(new, change.after)
            attribute = "m2m_column_name"
        holds = change.rendered.holds(old.key)
        if change.before.lookup(old.to) is None and holds is not True:
            self.editor.fail(
                FailureKind.TARGET_GONE,
                wording.target_unresolved(attribute),
                doubt=None if holds is False else unsure_of(old.key),
                field=old.key,
            )
        if change.after.lookup(new.to) is None:
            self.editor.fail(FailureKind.TARGET_UNRESOLVED, wording.target_unresolved(attribute), field=new.key)

    def _alter_links_sqlite(
        self, old: LinkTable, new: LinkTable, change: Change, old_name: str, new_name: str
    ) -> Table | None:
        """SQLite rebuilds the table, or makes a new one, copies id and the two keys, and drops the old one."""
        editor, database = self.editor, self.editor.db
        assert old.target is not UNKNOWN
        assert new.target is not UNKNOWN
        same = old_name == new_name
        table = None
        if same:
            table = editor.existing(old_name)
        else:
            existing = database.get(old_name)
            editor.vacant(new_name)
            if existing is None:
                editor.existing(old_name)
                database.doubt_table(new_name, database.absence_doubt(old_name) or "")
            else:
                for column in ("id", old.source, old.target):
                    editor.has_column(existing, column, "read")
                editor.rename_table(old_name, new_name, new.key, follow=False)
                table = existing
        if table is None:
            return None
        # Rebuilt, it keeps the columns that its old class added; made anew, it gets those of the new class.
        extra = old.extra if same else new.extra
        editor.rebuild(
            table,
            Columns((), None),
            None,
            read={new.source: old.source, new.target: old.target},
            link=new._replace(extra=extra),
            view=change.after,
            settle=same,
        )
        return table

    def _refer(self, change: Change, table: Table | None, name: str, old: LinkTable, new: LinkTable) -> None:
        """The two foreign keys of link table `name`, of which each is altered if anything about it changed.

        Without the table (`table`) MySQL fails as soon as it looks there for the key to drop, PostgreSQL and Oracle
        find none and fail only where one is made.
        """
        before, after = change.before, change.after
        owners = change.before.get(old.key.model_key), change.after.get(new.key.model_key)
        sources = [
            UNKNOWN if owner is None else self.layout.table(owner, view)
            for owner, view in zip(owners, (before, after), strict=True)
        ]
        targets = [self.layout.reference_table(old.to, before), self.layout.reference_table(new.to, after)]
        models = {old.target: (old.to, new.to), old.source: (old.key.model_key, new.key.model_key)}
        for was, now, (was_table, now_table) in ((old.target, new.target, targets), (old.source, new.source, sources)):
            if now is UNKNOWN:
                continue
            was_model, now_model = models[was]
            same = was_table == now_table and not (self.old_django and was_model != now_model)
            if was == now and same and old.constrained == new.constrained:
                continue
            if table is None:
                if (old.constrained and self.editor.vendor == "mysql") or (new.constrained and not old.constrained):
                    self.editor.existing(name)
                continue
            folded = self.names.fold(now)
            self.editor.alter_key(
                table,
                folded,
                was=old.constrained,
                now=new.constrained,
                target=now_table,
                target_column=self.layout.reference_column(now_model, after),
            )

    def _rows_must_fit(self, table: Table, old: LinkTable, new: LinkTable, change: Change) -> None:
        """Link rows that point at one model do not point at another one, unless the two share their table (a proxy).

        Where the old foreign key is gone (PostgreSQL drops it with its target), none is made that would check them.
        """
        was = self.layout.reference_table(old.to, change.before)
        now = self.layout.reference_table(new.to, change.after)
        checked = self.sqlite or (new.target is not UNKNOWN and self.names.fold(new.target) in table.foreign_keys)
        if new.target is not UNKNOWN and now is not UNKNOWN and was != now and checked:
            self.editor.rows_violate(table, new.target, now)

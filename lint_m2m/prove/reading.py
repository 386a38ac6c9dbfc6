"""The migrations of a sequence read back: from the text that the sequence would write to `Migration` values.

So a proof runs what a reader of the file understands, and no text of the project's own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from lint_m2m.discovery import Layout, MigrationFile, discover_projects
from lint_m2m.graph import build
from lint_m2m.migration import Migration, ModelKey
from lint_m2m.prove.values import NotProvable
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.source import SourceError, read_source
from lint_m2m.readers.static import ReadContext, read_migration, read_project
from lint_m2m.sequences.edit import edit_migration, write_migration
from lint_m2m.sequences.situations import model_of, placed_operations
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import Code, NewMigration, Proposal, ReplaceOperations, Situation
from lint_m2m.values import frozen, replace


@frozen
class Written:
    """A migration that a sequence edits or leaves (`original` is it before) or adds, its text, and its functions."""

    migration: Migration
    text: str
    functions: tuple[Code, ...]
    original: Migration | None


class Reading:
    """Reads for one project of a root."""

    def __init__(self, root: Path, options: ReadOptions) -> None:
        self._options = options
        self._layouts = discover_projects(root, options)
        self._contexts: dict[int, ReadContext] = {}

    def written(self, situation: Situation, proposal: Proposal) -> tuple[Written, ...]:
        """What the sequence writes, in order. NotProvable where that cannot be read back."""
        found: list[Written] = []
        removed_in = {one.migration.key for one in situation.moved}
        for change in proposal.changes:
            if isinstance(change, ReplaceOperations) and change.migration in removed_in:
                continue  # a proof begins after it, with the states that it comes to
            if isinstance(change, ReplaceOperations):
                found.append(self._edited(situation, change))
            elif isinstance(change, NewMigration):
                text = write_migration(change)
                migration = self._read(situation, change.app_label, change.name, change.path, text)
                found.append(Written(migration=migration, text=text, functions=change.functions, original=None))
        if not found:
            raise NotProvable("the sequence writes no migration")
        guilty = situation.migration
        if guilty is not None and all(one.original is None for one in found):
            # It stays as it is, and what the sequence adds comes after it.
            text = situation.sources.get(guilty.path, "")
            found.insert(0, Written(migration=guilty, text=text, functions=(), original=guilty))
        return tuple(found)

    def _edited(self, situation: Situation, change: ReplaceOperations) -> Written:
        original = situation.migration
        if original is None or original.key != change.migration:
            raise NotProvable(f"the sequence edits `{change.path}`, which stands before the point it starts at")
        try:
            text = edit_migration(situation.sources.get(change.path, ""), change)
        except Unwritable as error:
            raise NotProvable(str(error)) from None
        migration = self._read(situation, original.app_label, original.name, change.path, text)
        return Written(migration=migration, text=text, functions=change.functions, original=original)

    def _read(self, situation: Situation, label: str, name: str, path: str, text: str) -> Migration:
        layout = self._layout(situation)
        file = MigrationFile(app_label=label, name=name, path=path, place=str(layout.root / path))
        result = read_migration(file, text.encode("utf-8", "surrogatepass"), self._context(layout))
        if not isinstance(result, Migration):
            raise NotProvable(f"`{path}` could not be read back")
        return result

    def bases(self, situation: Situation, paths: Iterable[str]) -> dict[str, str | None]:
        """Dotted path of each custom field class -> the Django class that it comes from, ``None`` where its column may
        be another one's. `paths` are the migrations that use them."""
        layout = self._layout(situation)
        context = self._context(layout)
        by_path = {file.path: file for file in layout.files}
        for path in paths:
            if path in by_path:
                try:
                    read_migration(by_path[path], read_source(by_path[path].place), context)
                except SourceError:
                    continue
        found: dict[str, str | None] = {}
        for cls in context.field_classes.values():
            own_column = cls.source is not None and any(
                isinstance(node, ast.FunctionDef) and node.name in ("db_type", "get_internal_type", "db_parameters")
                for node in ast.walk(cls.source.node)
            )
            found[cls.path] = None if cls.base is None or own_column or not cls.known else cls.base.path
        return found

    def later(self, situation: Situation) -> str | None:
        """The first migration after the guilty one that goes on with the field or a through model of it, if any."""
        guilty = situation.migration
        if guilty is None or situation.leaf == guilty.key:
            return None
        layout = self._layout(situation)
        project = read_project(layout, self._options)
        plan = next((one for one in build(project).plans if guilty.key in one.order), None)
        if plan is None:
            return None
        following = plan.order[plan.order.index(guilty.key) + 1 :]
        old = None if situation.link is None else situation.link.through
        models = {one.model.key for one in (situation.through, old) if one is not None}
        by_key = {migration.key: migration for migration in project.migrations}
        for key in following:
            migration = by_key.get(key)
            for placed in () if migration is None else placed_operations(migration.operations):
                model = ModelKey(key.app_label, model_of(placed.operation) or "")
                own = model == situation.key.model_key and getattr(placed.operation, "name", "") == situation.key.name
                if own or model in models:
                    return str(key)
        return None

    def _layout(self, situation: Situation) -> Layout:
        wanted = None if situation.migration is None else situation.migration.path
        for layout in self._layouts:
            if wanted is None or any(file.path == wanted for file in layout.files):
                return layout
        raise NotProvable("its migration is no longer where it was")

    def _context(self, layout: Layout) -> ReadContext:
        key = self._layouts.index(layout)
        if key not in self._contexts:
            self._contexts[key] = ReadContext(layout, replace(self._options))
        return self._contexts[key]

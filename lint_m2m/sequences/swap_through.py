"""The facts that the sequences for a swapped `through=` share: the old through model, the new one, what has both."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import UNKNOWN, CreateModel, DeleteModel, FieldKind
from lint_m2m.replay.models import FieldState
from lint_m2m.sequences.add_through import alteration, columns_of, is_unique_of, written_once
from lint_m2m.sequences.filling import filled_by_itself
from lint_m2m.sequences.restoring import lost_links
from lint_m2m.sequences.situations import model_of
from lint_m2m.sequences.values import ChangeKind, Instruction, Link, PlacedOperation, Situation, Through
from lint_m2m.values import frozen


@frozen
class Ends:
    """A through model and its two foreign keys, which are there."""

    through: Through
    source: FieldState
    target: FieldState

    @property
    def pair(self) -> tuple[str, str]:
        return self.source.name, self.target.name

    @property
    def unique(self) -> bool:
        """Whether each pair has one row at most."""
        options = self.through.model.options
        together = () if options.unique_together is UNKNOWN else options.unique_together
        constraints = () if options.constraints is UNKNOWN else options.constraints
        return any(frozenset(one) == frozenset(self.pair) for one in together) or any(
            is_unique_of(one, self.pair) for one in constraints
        )


@frozen
class Swap:
    """The change from one through model to another; `about_old`: the migration's operations on the old model."""

    link: Link
    old: Ends
    new: Ends
    alter: PlacedOperation
    removal: PlacedOperation | None
    about_old: tuple[PlacedOperation, ...]
    shared: tuple[tuple[FieldState, FieldState], ...]  # further fields of both, under one name
    lost: tuple[str, ...]  # further fields of the old model alone
    required: tuple[str, ...]  # further fields of the new model alone that nobody but its author has a value for

    @property
    def deletion(self) -> PlacedOperation | None:
        """The DeleteModel of the old model."""
        return next((one for one in self.about_old if isinstance(one.operation, DeleteModel)), None)


def swap_of(situation: Situation) -> Swap | None:
    """The swap; ``None`` for other changes, and where the operations are not in the migration's own list."""
    link, through, migration = situation.link, situation.through, situation.migration
    if situation.kind not in (ChangeKind.SWAP_THROUGH, ChangeKind.RECREATED) or migration is None:
        return None
    if not written_once(situation):
        return None
    if link is None or through is None or link.through is None or situation.old is None or situation.new is None:
        return None
    before, after = situation.old.field.relation, situation.new.field.relation
    if before is None or after is None or before.to != after.to or before.through == after.through:
        return None
    old, new = _ends(link.through), _ends(through)
    alter = alteration(situation)
    if old is None or new is None or alter is None or through.table == link.table.name:
        return None
    if situation.kind is ChangeKind.RECREATED and not situation.is_removed:
        return None
    written = [alter, *([situation.removal] if situation.removal else [])]
    if any("." in one.address or one.operation.span is None for one in written):
        return None
    about = tuple(
        one
        for one in situation.operations
        if migration.app_label == old.through.model.key.app_label
        and model_of(one.operation) == old.through.model.key.name
    )
    if any("." in one.address or isinstance(one.operation, CreateModel) for one in about):
        return None
    mine = {one.name: one for one in old.through.extras}
    theirs = {one.name: one for one in new.through.extras}
    shared = tuple((mine[name], theirs[name]) for name in mine if name in theirs and _alike(mine[name], theirs[name]))
    kept = {one.name for one, _ in shared}
    return Swap(
        link=link,
        old=old,
        new=new,
        alter=alter,
        removal=situation.removal,
        about_old=about,
        shared=shared,
        lost=tuple(name for name in mine if name not in kept),
        required=tuple(
            one.name for one in theirs.values() if one.name not in kept and not filled_by_itself(situation, one)
        ),
    )


def _ends(through: Through) -> Ends | None:
    source, target, options = through.source, through.target, through.model.options
    if source is None or target is None or through.model.uncertain is not None:
        return None
    if options.managed is not True or options.proxy is not False or options.bases is UNKNOWN:
        return None
    for key in (source, target):
        relation = key.field.relation
        if key.field.kind is not FieldKind.FOREIGN_KEY or relation is None or relation.to_field is not None:
            return None
    return Ends(through=through, source=source, target=target)


def _alike(one: FieldState, other: FieldState) -> bool:
    """Whether values of one field fit the other."""
    if one.field.kind is not other.field.kind or one.field.kind is FieldKind.MANY_TO_MANY:
        return False
    if one.field.kind is FieldKind.FOREIGN_KEY:
        mine, theirs = one.field.relation, other.field.relation
        return mine is not None and theirs is not None and (mine.to, mine.to_field) == (theirs.to, theirs.to_field)
    return one.field.class_path == other.field.class_path


def lost_rows(situation: Situation, swap: Swap) -> Iterator[Instruction]:
    """Where the swap has run and the old model's table is gone: its rows come back from a backup only."""
    new = swap.new.through
    yield from lost_links(situation, new.table, columns_of(new), new, swap.shared)

"""One ledger from those that alternative branches left: what they do not agree on is in doubt."""

from __future__ import annotations

from collections.abc import Sequence

from lint_m2m.migration import ModelKey
from lint_m2m.replay.database import Database, Table
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.replay.rendering import agreed
from lint_m2m.replay.state import StateLedger
from lint_m2m.values import replace


def merge_states(target: StateLedger, branches: Sequence[StateLedger], reason: str) -> None:
    """Make `target`, from which the branches were forked, what they agree on.

    A model or a field that only some branches have stays, marked uncertain; equal definitions agree although different
    operations wrote them.
    """
    keys: dict[ModelKey, None] = {}
    for branch in (target, *branches):
        for model in branch.models():
            keys[model.key] = None
    for key in keys:
        versions = [branch.get(key) for branch in branches]
        present = [model for model in versions if model is not None]
        if not present:
            target.remove(key)
            continue
        if len(present) == len(versions) and all(model is target.get(key) for model in present):
            continue
        merged = _merged_model(present, reason)
        target.put(merged)
        if len(present) < len(versions):
            target.doubt_model(key, reason, exists=False)
    for branch in branches:
        target.take_doubts(branch)
    target.rendered = agreed(branch.rendered for branch in (branches or (target,)))


def _merged_model(versions: Sequence[ModelState], reason: str) -> ModelState:
    last = versions[-1]
    if all(model is last for model in versions):
        return last
    uncertain = next((model.uncertain for model in versions if model.uncertain is not None), None)
    if any(model.options != last.options or model.name != last.name for model in versions):
        uncertain = uncertain or reason
    names: dict[str, None] = {}
    for model in versions:
        names.update(dict.fromkeys(model.fields))
    fields: dict[str, FieldState] = {}
    for name in names:
        states = [model.fields.get(name) for model in versions]
        present = [state for state in states if state is not None]
        state = present[-1]
        if len(present) < len(states) or any(
            other.field != state.field or other.uncertain != state.uncertain for other in present
        ):
            state = replace(state, uncertain=state.uncertain or reason)
        fields[name] = state
    return replace(last, fields=fields, uncertain=uncertain)


def merge_databases(base: Database, branches: Sequence[Database], reason: str) -> Database:
    """What the branches, forked from `base`, agree on; a table that only some have, or that differs, is in doubt."""
    if not branches:
        return base
    result = branches[-1]
    names: dict[str, None] = {}
    held = [dict(branch.entries()) for branch in branches]
    for tables in held:
        for folded, known in tables.items():
            # What no branch has touched is still one table.
            if any(others.get(folded) is not known for others in held):
                names[known.name] = None
    for name in names:
        versions = [branch.get(name) for branch in branches]
        table = result.get(name)
        if table is None:
            table = result.adopt(next(version for version in versions if version is not None))
            table.existence_doubt = table.existence_doubt or reason
        if any(version is None for version in versions):
            table.existence_doubt = table.existence_doubt or reason
            result.doubt_shape(table, reason)
        else:
            for version in versions:
                assert version is not None
                if version is not table and not _same_shape(version, table):
                    result.doubt_shape(table, reason)
                table.rows_from |= version.rows_from
                table.filled = table.filled or version.filled
                table.existence_doubt = table.existence_doubt or version.existence_doubt
                table.shape_doubt = table.shape_doubt or version.shape_doubt
    for branch in branches:
        result.take_doubts(branch)
    return result


def _same_shape(one: Table, other: Table) -> bool:
    return (
        one.columns == other.columns
        and one.foreign_keys == other.foreign_keys
        and one.further_keys == other.further_keys
        and one.indexes == other.indexes
        and (one.uid == other.uid or one.auto_of == other.auto_of)
    )

"""What a new row has in a field to which nobody gives a value."""

from __future__ import annotations

from typing import Final

from lint_m2m.migration import FieldKind
from lint_m2m.replay.models import FieldState
from lint_m2m.sequences.codegen import Writer, plain
from lint_m2m.sequences.layout import Bracket
from lint_m2m.sequences.values import Situation

# Those with `empty_strings_allowed`, whose `get_default` is the empty text (django/db/models/fields/__init__.py).
_TEXT_CLASSES: Final = frozenset(
    {"CharField", "EmailField", "FileField", "FilePathField", "ImageField", "SlugField", "TextField", "URLField"}
)


def filled_by_itself(situation: Situation, state: FieldState) -> bool:
    """Whether a new row has a value for the field although nobody gives one."""
    own = state.field
    if own.kind is FieldKind.MANY_TO_MANY or True in (own.null, own.has_default, own.has_db_default):
        return True
    node = Writer(situation, state.origin.location.path).field(state)
    return is_now(node) or may_be_empty(node, state)


def is_now(node: Bracket) -> bool:
    """Whether a field is filled with the time."""
    return _says(node, "auto_now_add") or _says(node, "auto_now")


def may_be_empty(node: Bracket, state: FieldState) -> bool:
    """Whether a field takes an empty text for a value."""
    return _says(node, "blank") and state.field.class_path.rpartition(".")[2] in _TEXT_CLASSES


def _says(node: Bracket, name: str) -> bool:
    item = node.item(name)
    return item is not None and plain(item.value) == "True"

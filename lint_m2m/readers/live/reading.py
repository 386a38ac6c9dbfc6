"""One Migration object of Django's to a `Migration` value, with the places that the static reader finds in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lint_m2m.migration import (
    UNKNOWN,
    ConditionalOperations,
    Dependency,
    Migration,
    MigrationKey,
    Operation,
    UnknownOperation,
)
from lint_m2m.readers.context import FileLike, ReadContext, Session
from lint_m2m.readers.evaluate import TooMuch
from lint_m2m.readers.live.classes import class_value
from lint_m2m.readers.live.operations import Routing, read_operations
from lint_m2m.readers.live.places import placed
from lint_m2m.readers.migrations import always_calls_super
from lint_m2m.readers.modules import Module
from lint_m2m.readers.source import parse_tolerant
from lint_m2m.readers.static import open_session, read_in
from lint_m2m.readers.values import ClassValue, FunctionValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The methods of Migration that decide whether and how its operations run.
_RUNNING: Final = ("apply", "mutate_state")


def read_migration(
    found: Any, file: FileLike, source: bytes | None, context: ReadContext, routing: Routing | None = None
) -> Migration:
    """The migration `found`, which Django imported from `file`; `source` are the file's bytes, None where it has none.

    With a `routing`, its operations are those that run on one database of several.
    """
    opened = None if source is None else open_session(file, source, context)
    if isinstance(opened, Session):
        session = opened
        shown = read_in(session, file)
        fallback = session.fallback
        session.begin_again()
    else:
        session = Session(context, Module(file.file, found.__module__, parse_tolerant("")), file.app_label)
        shown = fallback = None
    live = Migration(
        app_label=file.app_label,
        name=file.name,
        path=file.path,
        dependencies=tuple(_dependency(each, context.swappable) for each in found.dependencies),
        run_before=_keys(found.run_before),
        replaces=_keys(found.replaces),
        initial=found.initial if found.initial is None or isinstance(found.initial, bool) else UNKNOWN,
        atomic=found.atomic if isinstance(found.atomic, bool) else UNKNOWN,
        operations=_operations(session, found, routing),
        gaps=tuple(session.gaps),
    )
    return placed(live, shown, fallback) if isinstance(shown, Migration) else live


def _operations(session: Session, found: Any, routing: Routing | None) -> tuple[Operation, ...]:
    from django.db.migrations import Migration as DjangoMigration

    try:
        operations = read_operations(session, found.operations, routing)
    except TooMuch:
        reason = "it takes too many steps to follow what the operations run"
        session.gap(reason, "what this migration changes", session.fallback)
        return (UnknownOperation(reason=reason, span=session.fallback),)
    for name in _RUNNING:
        if getattr(type(found), name) is getattr(DjangoMigration, name) or _calls_super(session, found, name):
            continue
        reason = f"its own `{name}()` decides whether these operations run"
        session.gap(reason, "what these operations leave behind", session.fallback)
        return (ConditionalOperations(branches=(operations, ()), reason=reason, span=session.fallback),)
    return operations


def _calls_super(session: Session, found: Any, name: str) -> bool:
    for cls in type(found).__mro__:
        if name in vars(cls):
            value = class_value(session, cls)
            method = session.interpreter.class_attribute(value, name) if isinstance(value, ClassValue) else None
            return isinstance(method, FunctionValue) and always_calls_super(method.node, name)
    return False


def _dependency(found: Any, swappable: Mapping[str, str]) -> Dependency:
    label, name = found
    if label == "__setting__":  # as the autodetector has it, before it is written down
        model = swappable.get(str(name))
        key = None if model is None else MigrationKey(model.partition(".")[0], "__first__")
        return Dependency(key=key, swappable=str(name))
    model = getattr(found, "setting", None)
    setting = next((each for each, named in swappable.items() if named == model), None)
    return Dependency(key=MigrationKey(str(label), str(name)), swappable=setting)


def _keys(found: Iterable[Any]) -> tuple[MigrationKey, ...]:
    return tuple(MigrationKey(str(label), str(name)) for label, name in found)

"""The `options` and `bases` of CreateModel, and the values of the operations that alter one option."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from lint_m2m.migration import UNKNOWN, Maybe, ModelKey, ModelOptions, ModelRef, Span
from lint_m2m.readers.arguments import ABSENT, Arguments
from lint_m2m.readers.constraints import read_constraints
from lint_m2m.readers.django_names import KEPT_MODEL_OPTIONS
from lint_m2m.readers.fields import names_of
from lint_m2m.readers.references import MODEL_CLASSES, model_of_class, model_reference
from lint_m2m.readers.spans import span_between
from lint_m2m.readers.values import REST, ClassValue, Ref, Setting, Value, reason_of

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

_TEXTS: Final = frozenset({"db_table", "swappable", "order_with_respect_to"})
_FLAGS: Final = frozenset({"managed", "proxy", "abstract"})
_TOGETHER: Final = frozenset({"unique_together", "index_together"})


def read_model_options(session: Session, arguments: Arguments, owner: ModelKey) -> ModelOptions:
    """What the arguments of a CreateModel say about its table."""
    found: dict[str, Any] = {}
    spans: list[tuple[str, Span]] = []
    node = arguments.node("options")
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        own = session.is_own(arguments.frame)
        for key, entry in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in KEPT_MODEL_OPTIONS:
                value = session.interpreter.plain(entry, arguments.frame)
                found[key.value] = _option(session, key.value, value)
                if own:
                    spans.append((key.value, span_between(key, entry, session.module)))
    else:
        _evaluated_options(session, arguments, found, owner)
    bases = _bases(session, arguments)
    if bases is not ABSENT and bases is not None:
        read = read_bases(session, bases)
        if read != ():
            found["bases"] = read
            if read is UNKNOWN:
                session.gap(f"`bases=` of `{owner}` {reason_of(bases)}", f"what `{owner}` inherits", session.fallback)
    if not found:
        return NO_OPTIONS
    return ModelOptions(**found, entry_spans=tuple(spans))


def _bases(session: Session, arguments: Arguments) -> Value:
    """The value of `bases`, without the mixins if that can be told without reading their modules.

    makemigrations names models by strings. Beside ``models.Model`` or a string, a class by its dotted name is a mixin.
    """
    node = arguments.node("bases")
    if isinstance(node, ast.Tuple | ast.List):
        told = [each for each in node.elts if not isinstance(each, ast.Attribute) or each.attr == "Model"]
        if told and not any(isinstance(each, ast.Starred) for each in told):
            return tuple(session.interpreter.elements(told, arguments.frame))
    return arguments.value("bases")


NO_OPTIONS: Final = ModelOptions()


def _evaluated_options(session: Session, arguments: Arguments, found: dict[str, Any], owner: ModelKey) -> None:
    options = arguments.value("options")
    if options is ABSENT or options is None:
        return
    entries: dict[Value, Value] = options if isinstance(options, dict) else {REST: options}
    for name, value in entries.items():
        if isinstance(name, str) and name in KEPT_MODEL_OPTIONS:
            found[name] = _option(session, name, session.interpreter.known(value))
    if REST in entries:
        for name in KEPT_MODEL_OPTIONS:
            found.setdefault(name, UNKNOWN)
        reason = f"`options=` of `{owner}` {reason_of(entries[REST])}"
        session.gap(reason, f"which table `{owner}` has", session.fallback)


def _option(session: Session, name: str, value: Value) -> object:
    if name in _TEXTS:
        return value if value is None or isinstance(value, str) else UNKNOWN
    if name in _FLAGS:
        return value if isinstance(value, bool) else UNKNOWN
    if name in _TOGETHER:
        return together(value)
    return read_constraints(session, value)


def together(value: Value) -> Maybe[frozenset[tuple[str, ...]]]:
    """The value of ``unique_together`` or ``index_together``, as Django's `normalize_together` makes it."""
    if value is None or value == {}:
        return frozenset()
    if not isinstance(value, list | tuple | set | frozenset):
        return UNKNOWN
    if value and all(isinstance(element, str) for element in value) and isinstance(value, list | tuple):
        one = names_of(value)
        return UNKNOWN if one is UNKNOWN else frozenset({one})
    groups = [names_of(group) for group in value]
    known = [group for group in groups if group is not UNKNOWN]
    return frozenset(known) if len(known) == len(groups) else UNKNOWN


def read_bases(session: Session, value: Value) -> Maybe[tuple[ModelRef, ...]]:
    """The models among the bases. Mixins and ``models.Model`` are none; a base that nobody can tell: UNKNOWN."""
    if not isinstance(value, list | tuple):
        return UNKNOWN
    models: list[ModelRef] = []
    for base in value:
        if isinstance(base, str | Setting):
            model = model_reference(session, base, None)
            if model is UNKNOWN:
                return UNKNOWN
            models.append(model)
        elif isinstance(base, ClassValue):
            key = model_of_class(session, base)
            if key is not None:
                models.append(key)
        elif not isinstance(base, Ref):
            return UNKNOWN
        elif base.path not in MODEL_CLASSES and ".models." in base.path and base.path.startswith("django.contrib."):
            # A model of Django's own, named by its class: makemigrations writes "app.model" for those.
            return UNKNOWN
    return tuple(models)

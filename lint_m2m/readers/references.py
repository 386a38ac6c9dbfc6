"""Which model an expression of a migration names: "self", "Book", "library.Book", a setting, or the class itself.

And which one an operation is about of which only the arguments are known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lint_m2m.migration import UNKNOWN, Maybe, ModelKey, ModelRef, SwappableRef
from lint_m2m.readers.modules import Module, absolute_name
from lint_m2m.readers.values import Call, ClassValue, Ref, Setting, Value, shorten
from lint_m2m.values import NamedTuple

if TYPE_CHECKING:
    from lint_m2m.readers.context import Session

_USER_MODEL: Final = frozenset({"django.contrib.auth.get_user_model"})
MODEL_CLASSES: Final = frozenset(
    {"django.db.models.Model", "django.db.models.base.Model", "django.contrib.gis.db.models.Model"}
)


def model_reference(session: Session, value: Value, owner: ModelKey | None) -> Maybe[ModelRef]:
    """The model that `value` names in a field of model `owner`; UNKNOWN when nobody can tell."""
    if isinstance(value, str):
        return named_model(value, session.app_label, owner)
    if isinstance(value, Setting):
        return SwappableRef(value.name)
    if isinstance(value, Call) and isinstance(value.callee, Ref) and value.callee.path in _USER_MODEL:
        user = session.context.swappable.get("AUTH_USER_MODEL")
        return SwappableRef("AUTH_USER_MODEL") if user is None else named_model(user, session.app_label, None)
    if isinstance(value, ClassValue):
        return model_of_class(session, value) or UNKNOWN
    if isinstance(value, Ref):
        return _model_of_path(value.path) or UNKNOWN
    return UNKNOWN


def named_model(name: str, app_label: str, owner: ModelKey | None) -> Maybe[ModelRef]:
    """What a string stands for, as Django's `resolve_relation` has it."""
    if name == "self":
        return UNKNOWN if owner is None else owner
    label, dot, model = name.partition(".")
    if not dot:
        return ModelKey(app_label, name.lower()) if name else UNKNOWN
    return ModelKey(label, model.lower()) if label and model and "." not in model else UNKNOWN


class Subject(NamedTuple):
    """The models and fields that an operation nobody knows touches, and what is not checked because of it."""

    models: Maybe[frozenset[ModelKey]]
    fields: Maybe[frozenset[str]]
    unchecked: str


def subject_of_unknown(app_label: str, text: Callable[[str], str | None], *, on_a_model: bool) -> Subject:
    """What the arguments of an operation that nobody knows name: that it touches.

    `text` gives an argument that is a string, else ``None``. `on_a_model`: it has ``model_name``, so that ``name`` is a
    field, as with Django's own.
    """
    if on_a_model:
        model, field = text("model_name"), text("name") or text("field_name")
    else:
        model, field = text("name") or text("model"), text("field_name")
    fields = frozenset({field}) if field else UNKNOWN
    if not model:
        return Subject(UNKNOWN, fields, "what it changes")
    label, dot, name = model.partition(".")
    key = ModelKey(label, name.lower()) if dot else ModelKey(app_label, model.lower())
    return Subject(frozenset({key}), fields, f"what it does to `{model}`")


def model_of_class(session: Session, cls: ClassValue) -> ModelKey | None:
    """The model that class `cls` is, None when it is none (a mixin, an abstract base)."""
    interpreter = session.interpreter
    ancestry = interpreter.ancestry(cls)
    if not any(isinstance(base, Ref) and _is_model_path(base.path) for base in ancestry):
        return None
    meta = interpreter.namespace(cls).get("Meta")
    names = interpreter.namespace(meta) if isinstance(meta, ClassValue) else {}
    if names.get("abstract") is True:
        return None
    label = names.get("app_label")
    if not isinstance(label, str):
        label = _label_of(session, cls)
    return None if label is None else ModelKey(label, cls.node.name.lower())


def _label_of(session: Session, cls: ClassValue) -> str | None:
    """The label of the app whose folder has the class."""
    labels = session.context.labels
    for folder in cls.frame.module.path.parents:
        if folder in labels:
            return labels[folder]
    return _label_of_path(cls.path)


def _is_model_path(path: str) -> bool:
    """Whether a class without source is a model, or a base of models: it comes from a module called models."""
    return path in MODEL_CLASSES or (".models." in path and not path.startswith("django.db."))


def _model_of_path(path: str) -> ModelKey | None:
    """``django.contrib.auth.models.User``: by Django's convention for labels, the last part of the app's package."""
    label = _label_of_path(path)
    name = path.rpartition(".")[2]
    return None if label is None or not name[:1].isupper() else ModelKey(label, name.lower())


def _label_of_path(path: str) -> str | None:
    parts = path.split(".")
    if "models" not in parts[1:]:
        return None
    return parts[parts.index("models", 1) - 1]


def label_text(node: ast.expr | None, value: Value) -> str | None:
    """How a message calls the model: the string itself, else the source."""
    if isinstance(value, str):
        return value
    if isinstance(value, Setting):
        return f"settings.{value.name}"
    if isinstance(value, ClassValue | Ref):
        return value.path.rpartition(".")[2]
    return None if node is None else shorten(node)


def label_of_module(session: Session, statement: ast.ImportFrom, module: Module) -> str | None:
    """The app whose models module ``from x.models import …`` in `module` reads, None when it reads another module."""
    name = absolute_name(module, statement.level, statement.module or "")
    parts = name.split(".")
    if "models" not in parts:
        return None
    package = parts[: parts.index("models")]
    for root in session.context.modules.roots:
        label = session.context.labels.get(root.joinpath(*package))
        if label is not None:
            return label
    return package[-1] if package else None

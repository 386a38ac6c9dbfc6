"""What a command line names: a field, a model, further fields; each error names the nearest there is."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable

from lint_m2m.config import listed, nearest
from lint_m2m.errors import UsageError
from lint_m2m.migration import ModelKey
from lint_m2m.readers.django_names import DJANGO_FIELDS
from lint_m2m.readers.source import expression_of
from lint_m2m.replay.models import FieldState, ModelState, StateView
from lint_m2m.values import NamedTuple


class Extra(NamedTuple):
    """A further field of a through model: its name, and its definition (``models.CharField(max_length=40)``)."""

    name: str
    code: str


def find_field(text: str, state: StateView) -> tuple[ModelState, FieldState]:
    """The many-to-many that ``app.Model.field`` or ``Model.field`` names. UsageError for none, or for several."""
    parts = text.split(".")
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(f"`{text}` is no field: write APP.MODEL.FIELD, as `library.Book.authors`")
    model_name, name = parts[-2].lower(), parts[-1]
    models = [one for one in state.models() if len(parts) == 2 or one.key.app_label == parts[0]]
    if not models:
        labels = sorted({one.key.app_label for one in state.models()})
        raise UsageError(f"there is no app `{parts[0]}` with models{nearest(parts[0], labels)}")
    named = [one for one in models if one.key.name == model_name]
    if not named:
        raise UsageError(f"there is no model `{'.'.join(parts[:-1])}`{_near(parts[-2], [one.name for one in models])}")
    having = [one for one in named if name in one.fields]
    if not having:
        fields = [field.name for one in named for field in one.many_to_many()]
        raise UsageError(f"`{named[0].name}` has no field `{name}`{_near(name, fields)}")
    if len(having) > 1:
        labels = [f"{one.key.app_label}.{one.name}.{name}" for one in having]
        raise UsageError(f"`{text}` may be {listed(labels)}: name the app")
    owner = having[0]
    field = owner.fields[name]
    if not field.field.many_to_many:
        links = [one.name for one in owner.many_to_many()]
        more = f"; it has {listed(links)}" if links else ""
        raise UsageError(f"`{owner.name}.{name}` is no many-to-many field{more}")
    if field.uncertain is not None or owner.uncertain is not None:
        raise UsageError(f"what `{owner.name}.{name}` is cannot be told: {field.uncertain or owner.uncertain}")
    return owner, field


def _near(word: str, known: Collection[str]) -> str:
    by_fold = {one.lower(): one for one in known}
    near = nearest(word.lower(), sorted(by_fold))
    for folded, name in by_fold.items():
        near = near.replace(f"`{folded}`", f"`{name}`")
    return near


def find_through(
    text: str, owner: ModelKey, state: StateView, labels: Collection[str]
) -> tuple[str, ModelKey, ModelState | None]:
    """The name in its letter case, the key, and the model if it is there; `labels` are those of the project's apps.

    UsageError for what is no label.
    """
    label, dot, name = text.rpartition(".")
    if not dot:
        label = owner.app_label
    if not name.isidentifier() or not label.isidentifier():
        raise UsageError(f"`--through` takes APP.MODEL, not `{text}`")
    key = ModelKey(label, name.lower())
    model = state.get(key)
    if model is not None:
        return model.name, key, model
    if label not in labels:
        raise UsageError(f"there is no app `{label}` with migrations{nearest(label, sorted(labels))}")
    return name, key, None


def parse_extras(texts: Iterable[str], taken: Collection[str]) -> tuple[Extra, ...]:
    """``note:CharField(max_length=40)`` each. UsageError for what is no field of Django's."""
    found: list[Extra] = []
    for text in texts:
        name, colon, code = text.partition(":")
        name = name.strip()
        if not colon or not name.isidentifier():
            raise UsageError(f"`--extra` takes NAME:FIELD, as `note:CharField(max_length=40)`, not `{text}`")
        if name in taken or any(name == one.name for one in found):
            raise UsageError(f"`--extra`: the through model has a `{name}` already")
        found.append(Extra(name, _definition(text, code)))
    return tuple(found)


def _definition(text: str, code: str) -> str:
    try:
        call = expression_of(code.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f"`--extra {text}` is no Python after the colon") from None
    if not isinstance(call, ast.Call):
        raise UsageError(f"`--extra {text}` is no call: `CharField(max_length=40)`")
    cls = ast.unparse(call.func).removeprefix("models.")
    fields = {path.removeprefix("django.db.models.") for path in DJANGO_FIELDS if path.count(".") == 3}
    fields = {name for name in fields if "." not in name}
    if cls not in fields:
        raise UsageError(f"`--extra {text}`: `{cls}` is no field of `django.db.models`{nearest(cls, sorted(fields))}")
    if cls == "ManyToManyField":
        raise UsageError(f"`--extra {text}`: a through model's further fields are columns")
    for node in ast.walk(call):
        if isinstance(node, ast.Name) and node.id not in ("models", cls) and not hasattr(builtins, node.id):
            raise UsageError(f"`--extra {text}`: `{node.id}` would have to be imported; add it by hand afterwards")
    call.func = ast.parse(f"models.{cls}", mode="eval").body
    return ast.unparse(call)

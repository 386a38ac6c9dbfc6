"""The models.py part of a plan: the through model as a class, as the sequence wants it, and the field."""

from __future__ import annotations

import ast
from pathlib import Path

from lint_m2m.finding import SequenceStep
from lint_m2m.plan.virtual import Change
from lint_m2m.readers.source import expression_of
from lint_m2m.sequences.values import ModelsChange, Proposal, Situation
from lint_m2m.values import replace


def models_step(
    steps: tuple[SequenceStep, ...], proposal: Proposal, situation: Situation, change: Change, field_code: str
) -> tuple[SequenceStep, ...]:
    """`steps` with what models.py has to say, behind the migration that switches, in the place of what is pinned there.

    `field_code` is the field's definition as the change wants it.
    """
    pinned = [one for one in proposal.changes if isinstance(one, ModelsChange)]
    titles = {one.title for one in pinned}
    path = situation.models_path or "models.py"
    kept = [step for step in steps if step.path != path or step.title not in titles]
    place = _switch(kept, change)
    before, others = kept[: place + 1], kept[place + 1 :]
    step = SequenceStep(
        title=_title(change),
        path=path,
        language="python",
        code=_code(change, pinned, field_code),
        deploy_before_next=bool(others),
    )
    return (*before[:-1], replace(before[-1], deploy_before_next=False), step, *others)


def _switch(steps: list[SequenceStep], change: Change) -> int:
    """Which step changes the field: the first migration that says `through=`, or the first one at all."""
    own = [number for number, step in enumerate(steps) if (step.path or "").startswith(f"{change.app_path}/")]
    saying = [number for number in own if "through=" in steps[number].code]
    return next(iter(saying if change.through is not None and saying else own), 0)


def _title(change: Change) -> str:
    name = change.old.name
    if change.through is None:
        removed = change.removed
        return f"take `through=` out of `{name}`" + (f", and the class `{removed.name}` away" if removed else "")
    added = f", and add `{change.through_name}`" if change.made and change.made_path is None else ""
    return f"give `{name}` its `through=`{added}"


def _code(change: Change, pinned: list[ModelsChange], field_code: str) -> str:
    """The field in its class, and the class of a through model that is new."""
    own = [one for one in pinned if one.model == change.owner.key]
    for one in own:
        for name, argument, value in one.arguments:
            if name == change.old.name and value is not None and f"{argument}=" not in field_code:
                field_code = f"{field_code.removesuffix(')').rstrip().rstrip(',')}, {argument}={value})"
    code = f"class {change.owner.name}(models.Model):\n    {change.old.name} = " + field_code.replace("\n", "\n    ")
    return f"{code}\n\n\n{_class(change, pinned)}" if change.made and change.made_path is None else code


def model_step(root: Path, change: Change) -> SequenceStep:
    """The class of a through model in the models.py of another app."""
    app = (change.made_path or "").rpartition("/")[0]
    places = (f"{app}/{name}".removeprefix("/") for name in ("models.py", "models/__init__.py"))
    return SequenceStep(
        title=f"add `{change.through_name}`",
        path=next((one for one in places if (root / one).is_file()), f"{app}/models.py".removeprefix("/")),
        language="python",
        code=_class(change, []),
    )


def _class(change: Change, pinned: list[ModelsChange]) -> str:
    alike = ', related_name="+"' if change.target == change.owner.key else ""
    labels = (
        f"{change.app_label}.{change.owner.name}",
        f"{change.target and change.target.app_label}.{change.target_name}",
    )
    lines = {
        name: f'models.ForeignKey("{label}", on_delete=models.CASCADE{alike})'
        for name, label in zip(change.keys, labels, strict=True)
    }
    lines |= {one.name: one.code for one in change.extras}
    meta = {"unique_together": '[("' + '", "'.join(change.keys) + '")]'}
    for one in pinned:
        if one.model != change.through:
            continue
        for name, argument, value in one.arguments:
            if not argument:
                lines = {name: value or "", **lines}
            elif argument == "default" and value is None and name in lines:
                lines[name] = _without(lines[name], "default")
            elif value is not None and name in lines:
                lines[name] = f"{lines[name].removesuffix(')')}, {argument}={value})".replace("(, ", "(")
        for name, value in one.meta:
            if value is None:
                meta.pop(name, None)
            else:
                meta[name] = value
    body = [f"class {change.through_name}(models.Model):"]
    body += [f"    {name} = {code}" for name, code in lines.items()]
    body += ["", "    class Meta:", *(f"        {name} = {value}" for name, value in sorted(meta.items()))]
    return "\n".join(body)


def _without(code: str, argument: str) -> str:
    """A call of ours without one of its keyword arguments."""
    call = expression_of(code)
    assert isinstance(call, ast.Call)
    call.keywords = [one for one in call.keywords if one.arg != argument]
    return ast.unparse(call)

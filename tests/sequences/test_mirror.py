"""The receiver of `expand-contract`: whatever Django does to the field, the through model has the same links."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lint_m2m

MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = [
        {operations},
    ]
"""
KEY = '("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID"))'

# Runs the receiver with the models that it is about: $MODELS, then $CODE.
WORKER = """
import random, sys, types
import django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["library"], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
library = types.ModuleType("library")
library.__path__ = [sys.argv[3]]
library.__file__ = sys.argv[3]
sys.modules["library"] = library
django.setup()
source, code = open(sys.argv[1]).read(), open(sys.argv[2]).read()
models = types.ModuleType("library.models")
sys.modules["library.models"] = models
exec(source + code, models.__dict__)
from django.db import connection
with connection.schema_editor() as editor:
    for model in dict.fromkeys([models.Owner, models.Target, models.Through]):
        editor.create_model(model)
owner, target, through, field = models.Owner, models.Target, models.Through, models.FIELD
automatic = getattr(owner, field).through
columns = [one.attname for one in automatic._meta.fields if one.is_relation]
mirrored = [one.attname for one in through._meta.fields if one.is_relation]
owners = [owner.objects.create() for _ in range(5)]
targets = owners if owner is target else [target.objects.create() for _ in range(5)]
choose = random.Random(int(sys.argv[4]))
back = getattr(owner, field).field.remote_field.get_accessor_name()
for number in range(120):
    forward = choose.random() < 0.6 or models.SYMMETRICAL
    one, others, name = (choose.choice(owners), targets, field) if forward else (choose.choice(targets), owners, back)
    manager = getattr(one, name)
    some = choose.sample(others, choose.randrange(4))
    action = choose.choice(["add", "add", "add", "remove", "set", "clear", "replace"])
    if action == "clear":
        manager.clear()
    elif action == "replace":
        manager.set(some, clear=True)
    elif action == "set":
        manager.set([other.pk for other in some])
    else:
        getattr(manager, action)(*some)
    want = sorted(automatic.objects.values_list(*columns))
    have = sorted(through.objects.values_list(*mirrored))
    assert have == want, (number, action, name, one.pk, [other.pk for other in some], have, want)
    assert want or action in ("clear", "remove", "set", "replace", "add")
print("same", number + 1)
"""


def history(folder: Path, owner: str, target: str, field: str, ends: tuple[str, str], arguments: str) -> str:
    """The code of the first step of `expand-contract` for a through model that is there already."""
    app = folder / "library" / "migrations"
    app.mkdir(parents=True)
    for file in (folder / "pyproject.toml", app.parent / "__init__.py", app / "__init__.py"):
        file.touch()
    link = f'to="library.{target.lower()}"'
    after = f'{arguments}through="library.Link", {link}'
    ends_written = ", ".join(
        f'("{end}", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="library.{model.lower()}"))'
        for end, model in zip(ends, (owner, target), strict=True)
    )
    steps = [
        [f'migrations.CreateModel(name="{name}", fields=[{KEY}])' for name in dict.fromkeys([owner, target])]
        + [f'migrations.AddField("{owner}", "{field}", models.ManyToManyField({arguments}{link}))'],
        [f'migrations.CreateModel(name="Link", fields=[{KEY}, {ends_written}])'],
        [f'migrations.AlterField("{owner}", "{field}", models.ManyToManyField({after}))'],
    ]
    for number, operations in enumerate(steps, 1):
        before = f'("library", "{number - 1:04}_step")' if number > 1 else ""
        text = MIGRATION.format(after=before, operations=",\n        ".join(operations))
        (app / f"{number:04}_step.py").write_text(text, encoding="utf-8")
    (finding,) = lint_m2m.check(folder).findings
    (sequence,) = [one for one in finding.sequences if one.id == "expand-contract"]
    return sequence.steps[0].code


@pytest.mark.parametrize(
    ("owner", "target", "arguments"),
    [("Book", "Author", ""), ("Person", "Person", "symmetrical=False, "), ("Person", "Person", "")],
    ids=["two models", "one model", "symmetrical"],
)
def test_both_tables_have_the_same_links(owner: str, target: str, arguments: str, tmp_path: Path) -> None:
    ends = ("book", "author") if owner != target else ("from_person", "to_person")
    code = history(tmp_path / "project", owner, target, "links", ends, arguments)
    symmetrical = owner == target and not arguments
    to = "self" if symmetrical else f"library.{target}"
    models = "from django.db import models\n\n\n"
    for name in dict.fromkeys([target, owner]):
        fields = f'    links = models.ManyToManyField({arguments}to="{to}")\n' if name == owner else ""
        models += f"class {name}(models.Model):\n    class Meta:\n        app_label = 'library'\n{fields}\n\n"
    models += "class Link(models.Model):\n    class Meta:\n        app_label = 'library'\n"
    for end, model in zip(ends, (owner, target), strict=True):
        models += f'    {end} = models.ForeignKey("library.{model}", on_delete=models.CASCADE, related_name="+")\n'
    models += f"\n\nOwner, Target, Through, FIELD = {owner}, {target}, Link, 'links'\nSYMMETRICAL = {symmetrical}\n\n\n"
    (tmp_path / "models.txt").write_text(models, encoding="utf-8")
    (tmp_path / "code.txt").write_text(code, encoding="utf-8")
    for seed in range(3):
        done = subprocess.run(
            [
                *(sys.executable, "-c", WORKER, str(tmp_path / "models.txt"), str(tmp_path / "code.txt")),
                *(str(tmp_path), str(seed)),
            ],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (0, "same 120\n"), done.stderr

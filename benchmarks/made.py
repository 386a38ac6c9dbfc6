"""The project that is measured: made, so that nothing has to be downloaded, and complete, so that Django takes it.

Migrations as makemigrations writes them, a tenth of them about many-to-many fields, and models that fit them, so that
`makemigrations --check` finds nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HEAD = """\
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
{dependencies}    ]

    operations = [
{operations}    ]
"""

PERSON = """\
        migrations.CreateModel(
            name='{name}',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='As it is shown in lists and on labels.', max_length=200)),
                ('slug', models.SlugField(unique=True, verbose_name='short name')),
                ('created', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('open', 'Open'), ('closed', 'Closed')],
                                           default='draft', max_length=10)),
                ('notes', models.TextField(blank=True, default='')),
            ],
            options={{
                'ordering': ['name'],
            }},
        ),
"""

# What the migrations after the first do, in turn.
PLAIN = (
    """\
        migrations.AddField(
            model_name='{model}',
            name='amount_{n}',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, verbose_name='amount'),
        ),
        migrations.AddIndex(
            model_name='{model}',
            index=models.Index(fields=['name', 'amount_{n}'], name='{app}_idx_{n}'),
        ),
""",
    """\
        migrations.AlterField(
            model_name='{model}',
            name='state',
            field=models.CharField(
                choices=[
                    ('draft', 'Draft, nobody else sees it'),
                    ('open', 'Open, everybody sees it'),
                    ('closed', 'Closed, nobody changes it any more'),
                    ('state{n}', 'As it was since number {n}'),
                ],
                default='draft',
                help_text='Where it stands: what is closed can be opened again by those who may do so.',
                max_length={width},
                verbose_name='state',
            ),
        ),
        migrations.AlterModelOptions(
            name='{model}',
            options={{'ordering': ['-created'], 'verbose_name_plural': 'all of them'}},
        ),
""",
    """\
        migrations.AddField(
            model_name='{model}',
            name='parent_{n}',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL,
                                    related_name='children_{n}', to='{app}.{other}'),
        ),
        migrations.AlterUniqueTogether(
            name='{model}',
            unique_together={{('name', 'slug')}},
        ),
""",
)
LINKS = (
    """\
        migrations.AddField(
            model_name='{model}',
            name='links_{n}',
            field=models.ManyToManyField(blank=True, related_name='linked_{n}', to='{app}.{other}'),
        ),
""",
    """\
        migrations.CreateModel(
            name='Through{n}',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rank', models.PositiveIntegerField(default=0)),
                ('one', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='{app}.{model}')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='{app}.{other}')),
            ],
            options={{'unique_together': {{('one', 'other')}}}},
        ),
        migrations.AddField(
            model_name='{model}',
            name='ranked_{n}',
            field=models.ManyToManyField(related_name='+', through='{app}.Through{n}', to='{app}.{other}'),
        ),
""",
)
MODELS_HEAD = """\
import django.db.models.deletion
from django.db import models
"""
SETTINGS = """\
INSTALLED_APPS = {apps}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "not one"
USE_TZ = True
"""
MANAGE = """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""
MODELS = ("Customer", "Invoice", "Project", "Team")


@dataclass
class Model:
    """What models.py says of a model after the migrations so far."""

    fields: dict[str, str]
    options: dict[str, str] = field(default_factory=dict)
    indexes: list[str] = field(default_factory=list)

    def source(self, name: str) -> str:
        options = dict(self.options)
        if self.indexes:
            options["indexes"] = f"[{', '.join(self.indexes)}]"
        lines = [f"class {name}(models.Model):", *(f"    {key} = {value}" for key, value in self.fields.items())]
        if options:
            lines += ["    class Meta:", *(f"        {key} = {value}" for key, value in options.items())]
        return "\n".join(lines) + "\n"


def write_project(root: Path, apps: int, migrations: int, installed: list[str]) -> None:
    """`apps` x `migrations` migrations, with settings in which `installed` are further apps."""
    names = [f"app{number:03}" for number in range(apps)]
    root.mkdir(parents=True, exist_ok=True)
    (root / "manage.py").write_text(MANAGE, encoding="utf-8")
    (root / "settings.py").write_text(SETTINGS.format(apps=[*names, *installed]), encoding="utf-8")
    for app in names:
        folder = root / app / "migrations"
        folder.mkdir(parents=True)
        for package in (folder, folder.parent):
            (package / "__init__.py").touch()
        models: dict[str, Model] = {}
        before = None
        for n in range(1, migrations + 1):
            name = f"{n:04}_{'initial' if n == 1 else 'change'}"
            dependencies = "" if before is None else f"        ('{app}', '{before}'),\n"
            text = HEAD.format(dependencies=dependencies, operations=_operations(app, n, models))
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
            before = name
        sources = [MODELS_HEAD, *(model.source(name) for name, model in models.items())]
        (folder.parent / "models.py").write_text("\n\n".join(sources), encoding="utf-8")


def _operations(app: str, n: int, models: dict[str, Model]) -> str:
    """The operations of migration number `n`; `models` are as they leave them."""
    if n == 1:
        models |= {name: _person() for name in MODELS}
        return "".join(PERSON.format(name=name) for name in MODELS)
    chosen = [LINKS[n // 10 % 2]] if n % 10 == 0 else [PLAIN[n % 3], PLAIN[(n + 1) % 3]]
    model, other = MODELS[n % 4], MODELS[(n + 1) % 4]
    found = []
    for place, each in enumerate(chosen):
        values = {"app": app, "n": f"{n}_{place}", "width": 10 + n, "model": model.lower(), "other": other.lower()}
        found.append(each.format(**values))
        _follow(each, models, model, values)
    return "".join(found)


def _person() -> Model:
    return Model(
        fields={
            "name": "models.CharField(help_text='As it is shown in lists and on labels.', max_length=200)",
            "slug": "models.SlugField(unique=True, verbose_name='short name')",
            "created": "models.DateTimeField(auto_now_add=True, db_index=True)",
            "state": "models.CharField(choices=[('draft', 'Draft'), ('open', 'Open'), ('closed', 'Closed')], "
            "default='draft', max_length=10)",
            "notes": "models.TextField(blank=True, default='')",
        },
        options={"ordering": "['name']"},
    )


def _follow(operation: str, models: dict[str, Model], name: str, values: dict[str, object]) -> None:
    """What an operation comes to in models.py."""
    model, n, text = models[name], values["n"], operation.format(**values)
    code = "".join(line.strip() for line in text.split("field=", 1)[1].splitlines()) if "field=" in text else ""
    code = code[: _end_of_call(code)]
    if operation is PLAIN[0]:
        model.fields[f"amount_{n}"] = code
        model.indexes.append(f"models.Index(fields=['name', 'amount_{n}'], name='{values['app']}_idx_{n}')")
    elif operation is PLAIN[1]:
        model.fields["state"] = code
        model.options |= {"ordering": "['-created']", "verbose_name_plural": "'all of them'"}
    elif operation is PLAIN[2]:
        model.fields[f"parent_{n}"] = code
        model.options["unique_together"] = "[('name', 'slug')]"
    elif operation is LINKS[0]:
        model.fields[f"links_{n}"] = code
    else:
        key = "models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='{}')"
        models[f"Through{n}"] = Model(
            fields={
                "rank": "models.PositiveIntegerField(default=0)",
                "one": key.format(f"{values['app']}.{values['model']}"),
                "other": key.format(f"{values['app']}.{values['other']}"),
            },
            options={"unique_together": "[('one', 'other')]"},
        )
        model.fields[f"ranked_{n}"] = code


def _end_of_call(code: str) -> int:
    depth = 0
    for place, sign in enumerate(code):
        depth += (sign in "([{") - (sign in ")]}")
        if sign in ")]}" and depth == 0:
            return place + 1
    return 0

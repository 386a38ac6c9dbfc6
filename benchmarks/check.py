"""How long `lint-m2m check` takes, as a multiple of what reading the same files with `ast` takes.

    python benchmarks/check.py [--apps 50] [--migrations 40] [--runs 5] [PROJECT ...]

Writes a project into a temporary folder, or takes those that are named, and runs in turns, each in a process of its
own: the floor (find, read and `ast.parse` every migration; the start of the interpreter is not counted), the check as
it is, and the check on one processor (``--jobs 1``; both whole, start and imports counted). What is printed is the time
that passes, and the processor time of all processes beside it, the least of the runs. Needs nothing but lint-m2m.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

FLOOR = """
import ast, pathlib, sys, time
began, used = time.perf_counter(), time.process_time()
for root in sys.argv[1:]:
    for path in pathlib.Path(root).rglob("migrations/*.py"):
        ast.parse(path.read_bytes())
print(time.perf_counter() - began, time.process_time() - used)
"""

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
                'verbose_name': '{name}',
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
MODELS = ("Customer", "Invoice", "Project", "Team")


def write_project(root: Path, apps: int, migrations: int) -> None:
    """`apps` x `migrations` migrations as makemigrations writes them, a tenth of them about many-to-many fields."""
    for number in range(apps):
        app = f"app{number:03}"
        folder = root / app / "migrations"
        folder.mkdir(parents=True)
        for package in (folder, folder.parent):
            (package / "__init__.py").touch()
        before = None
        for n, operations in enumerate(_migrations(app, migrations), 1):
            name = f"{n:04}_{'initial' if n == 1 else 'change'}"
            dependencies = "" if before is None else f"        ('{app}', '{before}'),\n"
            text = HEAD.format(dependencies=dependencies, operations=operations)
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
            before = name


def _migrations(app: str, count: int) -> Iterator[str]:
    yield "".join(PERSON.format(name=name) for name in MODELS)
    for n in range(2, count + 1):
        chosen = [LINKS[n // 10 % 2]] if n % 10 == 0 else [PLAIN[n % 3], PLAIN[(n + 1) % 3]]
        model, other = MODELS[n % 4], MODELS[(n + 1) % 4]
        yield "".join(
            each.format(app=app, n=f"{n}_{place}", width=10 + n, model=model.lower(), other=other.lower())
            for place, each in enumerate(chosen)
        )


def floor(roots: list[str]) -> tuple[float, float]:
    """The time and the processor time of parsing all migrations, in seconds."""
    done = subprocess.run([sys.executable, "-c", FLOOR, *roots], check=True, capture_output=True, text=True)
    passed, used = done.stdout.split()
    return float(passed), float(used)


def check(roots: list[str], *options: str) -> tuple[float, float]:
    """The time and the processor time of the whole process that checks `roots`, in seconds."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-m", "lint_m2m", "check", "--isolated", "--format", "concise", *options, *roots],
        capture_output=True,
        text=True,
    )
    passed, after = time.perf_counter() - began, os.times()
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return passed, used


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare lint-m2m check with parsing the same migrations.")
    parser.add_argument("projects", metavar="PROJECT", nargs="*", help="check these instead of a made one")
    parser.add_argument("--apps", type=int, default=50, help="apps of the project that is made (50)")
    parser.add_argument("--migrations", type=int, default=40, help="migrations of each app (40)")
    parser.add_argument("--runs", type=int, default=5, help="how often each is run (5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        roots = options.projects
        if not roots:
            write_project(Path(temporary), options.apps, options.migrations)
            roots = [temporary]
        files = [path for root in roots for path in Path(root).rglob("migrations/*.py") if path.name != "__init__.py"]
        size = sum(path.stat().st_size for path in files)
        check(roots)  # Python writes its .pyc files
        ways = {
            "floor": partial(floor, roots),
            "check": partial(check, roots),
            "check --jobs 1": partial(check, roots, "--jobs", "1"),
        }
        runs = [{name: way() for name, way in ways.items()} for _ in range(options.runs)]
    print(f"{len(files):,} migrations, {size / 1e6:.1f} MB")  # noqa: T201
    least = {name: tuple(min(run[name][which] for run in runs) for which in (0, 1)) for name in ways}
    for name, (passed, used) in least.items():
        ratios = f"{passed / least['floor'][0]:5.2f} {used / least['floor'][1]:5.2f}"
        print(f"{name:15} {passed:6.2f} s {used:6.2f} s of processors   {ratios}")  # noqa: T201


if __name__ == "__main__":
    main()

"""A small Django project on disk, with one finding of each kind that the command line tests need."""

from __future__ import annotations

from pathlib import Path

MANAGE = """\
import os
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
execute_from_command_line()
"""

INITIAL = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Author",
            fields=[("id", models.BigAutoField(primary_key=True))],
        ),
        migrations.CreateModel(
            name="Book",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("authors", models.ManyToManyField(related_name="books", to="library.author")),
            ],
        ),
    ]
"""

THROUGH = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Authorship",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("book", models.ForeignKey(on_delete=models.CASCADE, to="library.book")),
                ("author", models.ForeignKey(on_delete=models.CASCADE, to="library.author")),
            ],
        ),
        migrations.AlterField(
            model_name="book",
            name="authors",
            field=models.ManyToManyField(related_name="books", through="library.Authorship", to="library.author"),
        ),
    ]
"""

# What `check --format concise` says of it.
FINDING = (
    "library/migrations/0002_authorship.py:18:64: MTM101 `AlterField` adds `through=` to the existing many-to-many "
    "`library.Book.authors`\n"
)

SHOP = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(name="Item", fields=[("id", models.BigAutoField(primary_key=True))]),
    ]
"""


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below `root`, which is returned."""
    for name, text in files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def library(root: Path, **more: str) -> Path:
    """A project with two apps: `library`, whose second migration fails, and `shop`, which is fine."""
    return write(
        root,
        {
            "manage.py": MANAGE,
            "library/__init__.py": "",
            "library/models.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": INITIAL,
            "library/migrations/0002_authorship.py": THROUGH,
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": SHOP,
            **more,
        },
    )

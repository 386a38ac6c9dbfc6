"""The python blocks of a rule's documentation, written out as projects.

A block holds one or more files, each begun by a comment with its path (``# library/migrations/0002_authorship.py``).
What every migration needs around its `operations` (imports, the class, a dependency on the file before it) is added; a
block that does not write ``library/migrations/0001_initial.py`` itself gets the one below.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

INITIAL = """\
operations = [
    migrations.CreateModel(
        name="Author",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.CharField(max_length=80)),
        ],
    ),
    migrations.CreateModel(
        name="Book",
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("title", models.CharField(max_length=80)),
            ("authors", models.ManyToManyField(related_name="books", to="library.author")),
        ],
    ),
]
"""

SETTINGS = """\
INSTALLED_APPS = ["library"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
"""

_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
_FILE = re.compile(r"^# (\S+\.py)\n", re.MULTILINE)


def block(documentation: str, heading: str) -> str:
    """The first python block under ``## heading``."""
    section = documentation.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    match = _BLOCK.search(section)
    assert match is not None, f"no python block under {heading}"
    return match.group(1)


def files(code: str) -> dict[str, str]:
    """Path -> text of the files in a block, each completed to a migration module."""
    parts = _FILE.split(code)
    assert not parts[0].strip(), "a block begins with the path of its first file"
    written = dict(zip(parts[1::2], parts[2::2], strict=True))
    if "library/migrations/0001_initial.py" not in written:
        written = {"library/migrations/0001_initial.py": INITIAL, **written}
    complete: dict[str, str] = {}
    before: str | None = None
    for path, text in written.items():
        complete[path] = _module(text, before)
        before = Path(path).stem
    return complete


def _module(text: str, before: str | None) -> str:
    head = "from django.db import migrations, models\n\n"
    if "class Migration" in text:
        return head + text
    start = re.search(r"^(dependencies|operations) =", text, re.MULTILINE)
    assert start is not None, text
    body = text[start.start() :]
    if not body.startswith("dependencies") and before is not None:
        body = f'dependencies = [("library", "{before}")]\n{body}'
    return f"{head}{text[: start.start()]}\nclass Migration(migrations.Migration):\n{textwrap.indent(body, '    ')}"


def write(root: Path, code: str) -> Path:
    """Write the project of a block below `root` and give `root` back."""
    for path, text in files(code).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        (file.parent.parent / "__init__.py").touch()
        file.write_text(text, encoding="utf-8")
    (root / "settings.py").write_text(SETTINGS, encoding="utf-8")
    (root / "manage.py").write_text(
        'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n', encoding="utf-8"
    )
    return root

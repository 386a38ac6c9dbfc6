"""Projects written into a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MIGRATION = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = []
"""


def migration(*dependencies: tuple[str, str]) -> str:
    """The text of an empty migration."""
    return MIGRATION.format(dependencies=", ".join(map(repr, dependencies)))


Write = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below one folder, which is returned; its name tells nothing."""
    root = tmp_path / "checkout"
    root.mkdir()

    def write_files(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write_files


@pytest.fixture
def app() -> Callable[..., dict[str, str]]:
    """The files of an app with two migrations: ``app("shop/cart", label="cart")``."""

    def files(folder: str, label: str = "", config: str | None = None) -> dict[str, str]:
        label = label or folder.rpartition("/")[2]
        found = {
            f"{folder}/__init__.py": "",
            f"{folder}/migrations/__init__.py": "",
            f"{folder}/migrations/0001_initial.py": migration(),
            f"{folder}/migrations/0002_more.py": migration((label, "0001_initial")),
        }
        if config is not None:
            found[f"{folder}/apps.py"] = config
        return found

    return files

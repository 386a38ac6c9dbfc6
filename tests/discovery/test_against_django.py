"""Django is the judge: its app registry says the labels, its loader says which files are migrations."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lint_m2m.discovery import Layout, discover
from lint_m2m.readers.options import ReadOptions

from .conftest import Write, migration

ASK = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
import django
django.setup()
from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
loader = MigrationLoader(None)
loader.load_disk()
print(json.dumps({
    "labels": {config.name: config.label for config in apps.get_app_configs()},
    "auto_fields": {config.label: config.default_auto_field for config in apps.get_app_configs()},
    "migrations": sorted(map(list, loader.disk_migrations)),
    "unmigrated": sorted(loader.unmigrated_apps),
    "user": settings.AUTH_USER_MODEL,
}))
"""

CONFIG = "from django.apps import AppConfig\n\n\nclass {name}Config(AppConfig):\n    name = '{package}'\n{more}\n"


def config(package: str, more: str = "", name: str = "Some") -> str:
    return CONFIG.format(package=package, name=name, more="".join(f"    {line}\n" for line in more.splitlines()))


def app(
    package: str, apps: str | None = None, names: tuple[str, ...] = ("0001_initial",), init: str = ""
) -> dict[str, str]:
    folder = package.replace(".", "/")
    files = {f"{folder}/__init__.py": init, f"{folder}/migrations/__init__.py": ""}
    files |= {f"{folder}/migrations/{name}.py": migration() for name in names}
    if apps is not None:
        files[f"{folder}/apps.py"] = apps
    return files


FILES = {
    "shop/__init__.py": "",
    "shop/bases.py": "from django.apps import AppConfig\n\n\nclass Hidden(AppConfig):\n    default = False\n"
    "    label = 'from_base'\n\n\nclass Shown(AppConfig):\n    pass\n",
    **app("plain"),
    **app("shop.bare", names=("0001_initial", "0002_second", "10_odd", "no_number", "with-hyphen", "été")),
    **app("shop.named", config("shop.named")),
    **app("shop.labelled", config("shop.labelled", "label = 'has_label'")),
    **app("shop.constant", "LABEL = 'constant' + '_label'\n" + config("shop.constant", "label = LABEL")),
    **app("shop.package_name", config("x").replace("'x'", "__package__")),
    **app("shop.module_name", config("x", "label = 'module_label'").replace("'x'", "__name__.rpartition('.')[0]")),
    **app(
        "shop.two", config("shop.two", "label = 'one_of_two'\ndefault = True", "One") + config("shop.two", "", "Two")
    ),
    **app("shop.not_default", config("shop.not_default", "label = 'never'\ndefault = False")),
    **app("shop.ambiguous", config("shop.ambiguous", "label = 'no'", "One") + config("shop.ambiguous", "", "Two")),
    **app(
        "shop.shown_base",
        "from shop.bases import Shown\n\n\nclass Own(Shown):\n    name = 'shop.shown_base'\n    label = 'nor_this'\n",
    ),
    **app(
        "shop.chosen",
        config("shop.chosen", "label = 'chosen_one'", "One") + config("shop.chosen", "label = 'chosen_two'", "Two"),
    ),
    **app(
        "shop.inherits",
        "from shop.bases import Hidden\n\n\nclass Inherits(Hidden):\n    default = True\n    name = 'shop.inherits'\n",
    ),
    **app(
        "shop.elsewhere",
        init="",
    ),
    "shop/configs.py": config("shop.elsewhere", "label = 'config_elsewhere'"),
    **app("shop.in_init"),
    "shop/in_init/__init__.py": config("shop.in_init", "label = 'config_in_init'"),
    **app("shop.auto_field", config("shop.auto_field", "default_auto_field = 'django.db.models.SmallAutoField'")),
    # What the loader does not take for a migration.
    **app("shop.odd", names=("0001_initial", "_private", "~backup", "__double")),
    "shop/odd/migrations/package/__init__.py": "",
    "shop/odd/migrations/package/0002_inside.py": migration(),
    "shop/odd/migrations/0003_hidden/__init__.py": "",
    "shop/odd/migrations/0003_hidden.py": migration(),
    "shop/odd/migrations/0004.dotted.py": migration(),
    "shop/odd/migrations/namespace/0005_inside.py": migration(),
    "shop/odd/migrations/notes.txt": "",
    # No package: the app has no migrations, for Django.
    "shop/no_init/__init__.py": "",
    "shop/no_init/migrations/0001_initial.py": migration(),
    # An app that is no package with an __init__.py itself works.
    "shop/spacious/migrations/__init__.py": "",
    "shop/spacious/migrations/0001_initial.py": migration(),
    "shop/spacious/apps.py": config("shop.spacious", "label = 'spacious_label'"),
    # Moved by a setting, and switched off.
    **app("shop.moved", names=("0001_initial", "0002_forgotten")),
    "shop/schema/__init__.py": "",
    "shop/schema/moved/__init__.py": "",
    "shop/schema/moved/0001_initial.py": migration(),
    "shop/schema/moved/0002_elsewhere.py": migration(),
    **app("shop.off"),
}

SETTINGS = """
INSTALLED_APPS = [
    "django.contrib.contenttypes", "django.contrib.auth",
    "plain", "shop.bare", "shop.named", "shop.labelled", "shop.constant", "shop.package_name", "shop.module_name",
    "shop.two", "shop.not_default", "shop.ambiguous", "shop.shown_base", "shop.chosen.apps.TwoConfig",
    "shop.inherits", "shop.configs.SomeConfig", "shop.in_init.SomeConfig",
    "shop.auto_field", "shop.odd", "shop.no_init", "shop.spacious",
    "shop.moved", "shop.off",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIGRATION_MODULES = {"moved": "shop.schema.moved", "off": None}
SECRET_KEY = "x"
"""

MANAGE = "import os\nimport django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_settings')\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    for name, text in (FILES | {"site_settings.py": SETTINGS, "manage.py": MANAGE}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def said(project: Path) -> dict[str, object]:
    """What Django says about the project."""
    done = subprocess.run([sys.executable, "-c", ASK], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def layout(project: Path) -> Layout:
    return discover(project, ReadOptions())


def test_migrations(said: dict[str, object], layout: Layout) -> None:
    keys = said["migrations"]
    assert isinstance(keys, list)
    django = [tuple(key) for key in keys if key[0] not in ("auth", "contenttypes")]
    assert sorted((one.app_label, one.name) for one in layout.files) == django


def test_labels(said: dict[str, object], layout: Layout) -> None:
    labels = said["labels"]
    assert isinstance(labels, dict)
    with_migrations = {one.app_label for one in layout.files}
    ours = {app.path.removesuffix("/migrations").replace("/", "."): app.label for app in layout.apps}
    ours["shop.moved"] = ours.pop("shop.schema.moved")
    django = {name: label for name, label in labels.items() if label in with_migrations}
    assert ours == django
    assert set(labels) - set(django) == {
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "shop.no_init",
        "shop.off",
    }


def test_auto_fields(said: dict[str, object], layout: Layout) -> None:
    fields = said["auto_fields"]
    assert isinstance(fields, dict)
    assert {app.label: app.default_auto_field for app in layout.apps} == {
        app.label: fields[app.label] for app in layout.apps
    }


def test_what_django_takes_for_an_app_without_migrations(said: dict[str, object], layout: Layout) -> None:
    assert said["unmigrated"] == ["no_init", "off"]
    reasons = {one.path: one.reason for one in layout.left_out}
    assert "no __init__.py" in reasons["shop/no_init/migrations"]
    assert "MIGRATION_MODULES" in reasons["shop/off/migrations"]


def test_user_model_and_database(said: dict[str, object], layout: Layout) -> None:
    assert dict(layout.swappable)["AUTH_USER_MODEL"] == said["user"]
    assert layout.vendor == "sqlite"


def test_compiled_migrations_are_reported(write: Write) -> None:
    """Django imports a .pyc or an extension module that has no source beside it."""
    root = write(
        {
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0001_initial.pyc": b"",
            "shop/migrations/0002_secret.pyc": b"",
            "shop/migrations/0003_fast.cpython-311-x86_64-linux-gnu.so": b"",
            "shop/migrations/_0004_no.pyc": b"",
        }
    )
    assert [(one.path, one.name, one.app_label) for one in discover(root, ReadOptions()).problems] == [
        ("shop/migrations/0002_secret.pyc", "0002_secret", "shop"),
        ("shop/migrations/0003_fast.cpython-311-x86_64-linux-gnu.so", "0003_fast", "shop"),
    ]

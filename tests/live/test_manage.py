"""``manage.py lint_m2m`` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import django

from tests.live.conftest import in_django
from tests.live.test_equality import settings

REPOSITORY = Path(__file__).resolve().parents[2]
Write = Callable[[dict[str, str]], Path]

MANAGE = """
    import os
    import sys

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
SETTINGS = """
    from pathlib import Path

    INSTALLED_APPS = ["lint_m2m", "django.contrib.contenttypes", "django.contrib.auth", "shop"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / "db.sqlite3"}}
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    USE_TZ = True
"""
BEFORE = """
    from django.conf import settings
    from django.db import models


    class Tag(models.Model):
        name = models.CharField(max_length=20)


    class Product(models.Model):
        tags = models.ManyToManyField(Tag, related_name="products")
        fans = models.ManyToManyField(settings.AUTH_USER_MODEL)
"""
AFTER = """
    from django.conf import settings
    from django.db import models


    class Tag(models.Model):
        name = models.CharField(max_length=20)
        code = models.CharField(max_length=20)


    class Product(models.Model):
        tags = models.ManyToManyField(Tag, related_name="products", through="ProductTag")
        fans = models.ManyToManyField(settings.AUTH_USER_MODEL)


    class ProductTag(models.Model):
        product = models.ForeignKey(Product, on_delete=models.CASCADE)
        tag = models.ForeignKey(Tag, on_delete=models.CASCADE)
"""


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_changed_model_before_its_migration(write: Write) -> None:
    """The walk-through: a model gains `through=`, --pending says what its migration would do, and how to write it."""
    folder = write(
        {
            "manage.py": MANAGE,
            "site_settings.py": SETTINGS,
            "shop/__init__.py": "",
            "shop/models.py": BEFORE,
        }
    )
    assert manage(folder, "makemigrations", "shop", "-v0").returncode == 0
    clean = manage(folder, "lint_m2m", "--pending")
    assert (clean.returncode, clean.stdout) == (0, "no findings in 1 migration of 1 app, everything read\n"), (
        clean.stderr
    )
    assert clean.stderr == "lint-m2m: makemigrations would write nothing\n"

    (folder / "shop" / "models.py").write_text(textwrap.dedent(AFTER))
    before = files(folder)
    pending = manage(folder, "lint_m2m", "--pending")
    assert pending.returncode == 1, pending.stderr
    [name] = [line.rpartition(" ")[2] for line in pending.stderr.splitlines() if "would write" in line]
    assert name.startswith("shop/migrations/0002_")
    assert "where it would ask: `tag.code` is new and not null" in pending.stderr
    assert "error[MTM101]: `AlterField` adds `through=` to the existing many-to-many" in pending.stdout
    assert f"--> {name}:" in pending.stdout
    # The frame shows what no file has, and nobody is told to fix a file that is not there.
    assert "through='shop.ProductTag'" in pending.stdout.partition("help: keep the table")[0]
    assert "check --fix" not in pending.stdout
    assert files(folder) == before
    # Without the option, what is there is as good as it was.
    assert manage(folder, "lint_m2m").returncode == 0

    told = json.loads(manage(folder, "lint_m2m", "shop", "--pending", "--format", "json", "--select=MTM101").stdout)
    [finding] = told["findings"]
    assert (finding["path"], finding["field"]) == (name, "shop.product.tags")


INITIAL = """
    from django.db import migrations, models


    class Migration(migrations.Migration):
        initial = True
        operations = [
            migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),
            migrations.CreateModel(
                "Product",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("tags", models.ManyToManyField("shop.Tag")),
                ],
            ),
        ]
"""
THROUGH = """
    from django.db import migrations, models


    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.CreateModel(
                name="ProductTag",
                fields=[
                    ("id", models.BigAutoField(auto_created=True, primary_key=True)),
                    ("product", models.ForeignKey(on_delete=models.CASCADE, to="shop.product")),
                    ("tag", models.ForeignKey(on_delete=models.CASCADE, to="shop.tag")),
                ],
            ),
            migrations.AlterField(
                model_name="product",
                name="tags",
                field=models.ManyToManyField(through="shop.ProductTag", to="shop.tag"),
            ),
        ]
"""
SHOP = {
    "shop/__init__.py": "",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": INITIAL,
    "shop/migrations/0002_through.py": THROUGH,
    "pyproject.toml": "",
}
CONCISE = ["lint_m2m", "--format", "concise"]


def runs(folder: Path, *commands: list[str], apps: Sequence[str] = ("shop",), **more: Any) -> list[dict[str, Any]]:
    project = settings(*apps, **more)
    [answer] = in_django([{"folder": str(folder), "settings": project, "commands": list(commands)}])
    assert [run["leaked"] for run in answer["runs"]] == [""] * len(commands)
    return list(answer["runs"])


def lines(run: dict[str, Any]) -> list[str]:
    """``path:line CODE`` of a report in its short form."""
    found = []
    for line in run["out"].splitlines():
        place, _, text = line.partition(": ")
        found.append(f"{place.rpartition(':')[0]} {text.split()[0]}")
    return found


def test_options_paths_and_statuses(write: Write) -> None:
    folder = write(SHOP)
    guilty = ["shop/migrations/0002_through.py:19 MTM101"]
    whole, label, path, silent, none, quiet, unknown, installed, everything, alias, fix, wrong = runs(
        folder,
        CONCISE,
        [*CONCISE, "shop"],
        [*CONCISE, "shop/migrations/0001_initial.py"],
        [*CONCISE, "--exit-zero"],
        [*CONCISE, "--ignore", "MTM1"],
        [*CONCISE, "--verbosity", "0"],
        ["lint_m2m", "shoop"],
        ["lint_m2m", "contenttypes"],
        ["lint_m2m", "--all-apps", "--format", "json"],
        ["lint_m2m", "--database", "other"],
        ["lint_m2m", "--pending", "--fix"],
        ["lint_m2m", "--format", "yaml"],
        apps=["django.contrib.contenttypes", "shop"],
    )
    assert [(run["status"], lines(run)) for run in (whole, label, path)] == [(1, guilty), (1, guilty), (0, [])]
    assert [(run["status"], lines(run)) for run in (silent, none, quiet)] == [(0, guilty), (0, []), (1, guilty)]
    assert (unknown["status"], installed["status"], alias["status"], fix["status"], wrong["status"]) == (2, 2, 2, 2, 2)
    assert unknown["err"] == "CommandError: there is no app `shoop`, and no file or folder of that name\n"
    assert "`--all-apps` reports on those as well" in installed["err"]
    assert "only `default`" in alias["err"]
    assert all(run["out"] == "" for run in (unknown, installed, alias, fix, wrong))
    assert json.loads(everything["out"])["summary"]["apps"] == 2
    assert everything["err"] == ""


def test_the_same_report_as_from_the_source(write: Write) -> None:
    """Findings, places, sequences and fingerprints, byte for byte, where the source says what Django knows."""
    version = ".".join(map(str, django.VERSION[:2]))
    known = {name: value for name, value in settings("shop").items() if name != "INSTALLED_APPS"}
    folder = write(
        {
            **SHOP,
            "pyproject.toml": f'[tool.lint-m2m]\ndjango-version = "{version}"\n',
            "settings.py": "".join(f"{name} = {value!r}\n" for name, value in known.items()),
        }
    )
    [live] = runs(folder, ["lint_m2m", "--format", "json"])
    static = subprocess.run(
        [sys.executable, "-m", "lint_m2m", "check", "--format", "json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert live["out"] == static.stdout


def test_fixes_are_read_back(write: Write) -> None:
    """What --fix has written counts, not what Django imported before."""
    folder = write(SHOP)
    fix, again = runs(folder, ["lint_m2m", "--fix", "--unsafe-fixes"], CONCISE)
    assert fix["status"] == 0, fix["out"] + fix["err"]
    assert "SeparateDatabaseAndState" in (folder / "shop/migrations/0002_through.py").read_text()
    assert (again["status"], again["out"]) == (0, "")


def test_migrations_that_do_not_load(write: Write) -> None:
    """Each in its place, like any other finding; what needs them all says why it cannot be done."""
    folder = write(
        {
            **SHOP,
            "shop/migrations/0003_imports.py": "import nowhere_to_be_found\n",
            "shop/migrations/0004_syntax.py": "class Migration(:\n",
            "shop/migrations/0005_helpers.py": "TABLES = ()\n",
            "shop/migrations/0006_lost.py": INITIAL.replace("initial = True", "dependencies = [('shop', '0000_gone')]"),
        }
    )
    found, pending = runs(folder, CONCISE, ["lint_m2m", "--pending"])
    assert found["status"] == 1
    assert lines(found) == [
        "shop/migrations/0002_through.py:19 MTM101",
        "shop/migrations/0003_imports.py:1 MTM901",
        "shop/migrations/0004_syntax.py:1 MTM901",
        "shop/migrations/0005_helpers.py:1 MTM901",
        "shop/migrations/0006_lost.py:6 MTM903",
    ]
    assert "ModuleNotFoundError: No module named 'nowhere_to_be_found'" in found["out"]
    assert (pending["status"], pending["out"]) == (2, "")
    assert "`--pending` needs migrations that Django can import: `shop.0003_imports`" in pending["err"]


def test_what_takes_too_long_to_follow_by_its_source(write: Write) -> None:
    folder = write(
        {
            "shop/__init__.py": "",
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_initial.py": """
                from django.db import migrations

                def much():
                    for a in range(100):
                        for b in range(100):
                            for c in range(100):
                                text = "SELECT 1"
                    return text

                def forwards(apps, schema_editor):
                    apps.get_model("shop", "Item")

                class Migration(migrations.Migration):
                    operations = [
                        migrations.RunSQL(much()),
                        migrations.RunPython(forwards),
                    ]
            """,
        }
    )
    (run,) = runs(folder, ["lint_m2m", "--format", "concise"])
    assert (run["status"], lines(run)) == (0, [])


def test_pending_where_migrations_have_no_order(write: Write) -> None:
    second = THROUGH.replace("tags", "labels")
    folder = write({**SHOP, "shop/migrations/0002_another.py": second})
    [leaves] = runs(folder, ["lint_m2m", "--pending"])
    assert (leaves["status"], leaves["out"]) == (2, "")
    assert "several leaf migrations, `0002_another` and `0002_through`: merge them first" in leaves["err"]


ROUTERS = """
    class Elsewhere:
        def allow_migrate(self, db, app_label, model_name=None, **hints):
            if app_label == "shop":
                return db == "shops" and not hints.get("never")
            return db == "default"


    class Nowhere:
        def allow_migrate(self, db, app_label, model_name=None, **hints):
            return False


    class Broken:
        def allow_migrate(self, db, app_label, model_name=None, **hints):
            raise KeyError(model_name)
"""


def test_routers(write: Write) -> None:
    """An operation that routers keep from a database does not run there; one that runs anywhere counts."""
    folder = write({**SHOP, "routers.py": ROUTERS})
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    databases = {"default": sqlite, "shops": sqlite}
    commands = [CONCISE, [*CONCISE, "--database", "default"], [*CONCISE, "--database", "shops"]]

    def told(router: str) -> list[list[str]]:
        return [lines(run) for run in runs(folder, *commands, DATABASES=databases, DATABASE_ROUTERS=[router])]

    guilty = ["shop/migrations/0002_through.py:19 MTM101"]
    assert told("routers.Elsewhere") == [guilty, [], guilty]
    assert told("routers.Nowhere") == [[], [], []]
    [shown] = runs(
        folder, ["lint_m2m", "--format", "json"], DATABASES=databases, DATABASE_ROUTERS=["routers.Elsewhere"]
    )
    [finding] = json.loads(shown["out"])["findings"]
    assert [one["id"] for one in finding["sequences"]][:2] == ["keep-table", "rename-table"]
    [broken] = runs(folder, CONCISE, DATABASES=databases, DATABASE_ROUTERS=["routers.Broken"])
    assert broken["status"] == 2
    assert "a database router raises KeyError when it is asked about `shop.tag` on `default`" in broken["err"]


def test_what_routers_do_is_what_django_does(write: Write) -> None:
    """`migrate` on each database: it fails where the finding is, and what has a hint runs where the router lets it."""
    dropping = """
        from django.db import migrations


        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunSQL("DROP TABLE shop_product_tags", hints={"never": True})]
    """
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    databases = {"default": sqlite, "shops": dict(sqlite)}
    folder = write({**SHOP, "routers.py": ROUTERS})
    routed = {"DATABASES": databases, "DATABASE_ROUTERS": ["routers.Elsewhere"]}
    default, shops = runs(
        folder, ["migrate", "-v0", "--database", "default"], ["migrate", "-v0", "--database", "shops"], **routed
    )
    assert (default["status"], shops["status"]) == (0, 1)
    assert shops["err"].startswith("ValueError: Cannot alter field shop.Product.tags")

    write({"shop/migrations/0002_through.py": dropping})
    [dropped] = runs(folder, CONCISE)
    assert [line.partition(" ")[2] for line in lines(dropped)] == ["MTM301"]
    kept, real = runs(folder, CONCISE, ["migrate", "-v0", "--database", "shops"], **routed)
    assert (kept["status"], kept["out"], real["status"]) == (0, "", 0)


def test_settings_decide(write: Write) -> None:
    """MIGRATION_MODULES, labels, swapped models and the database are those that Django runs with."""
    moved = {name.replace("shop/migrations", "elsewhere"): text for name, text in SHOP.items()}
    moved = {name: text.replace('"shop', '"store') for name, text in moved.items()}
    moved["shop/apps.py"] = """
        from django.apps import AppConfig


        class ShopConfig(AppConfig):
            name = "shop"
            label = "store"
    """
    folder = write(moved)
    [found] = runs(folder, ["lint_m2m", "--format", "json"], MIGRATION_MODULES={"store": "elsewhere"})
    [finding] = json.loads(found["out"])["findings"]
    assert (finding["path"], finding["field"]) == ("elsewhere/0002_through.py", "store.product.tags")
    # Without a driver, the engine's name says what it is for.
    oracle = {"default": {"ENGINE": "django.db.backends.oracle", "NAME": "x"}}
    [named] = runs(folder, ["lint_m2m"], MIGRATION_MODULES={"store": "elsewhere"}, DATABASES=oracle)
    assert "MTM101" in named["out"], named["err"]
    [off] = runs(folder, ["lint_m2m"], MIGRATION_MODULES={"store": None})
    assert (off["status"], off["err"]) == (2, "CommandError: no app of the project has migrations\n")

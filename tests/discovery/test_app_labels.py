"""Which label an app gets: every way in which projects say it. Django is asked in test_against_django."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import django
import pytest

from lint_m2m.discovery import Layout, discover
from lint_m2m.migration import UNKNOWN
from lint_m2m.readers.options import ReadOptions

from .conftest import Write, migration

INSTALLED = tuple(Path(folder).parent for folder in django.__path__)
AppFiles = Callable[..., dict[str, str]]


def labels(layout: Layout) -> dict[str, str]:
    """App folder -> label."""
    return {app.path.removesuffix("migrations").rstrip("/"): app.label for app in layout.apps}


def label_of(write: Write, files: dict[str, str], folder: str = "shop/cart") -> str:
    root = write({"shop/__init__.py": "", **files})
    label = labels(discover(root, ReadOptions()))[folder]
    # With Django's source in reach as well: so it is for everybody who has it installed.
    assert labels(discover(root, ReadOptions(source_paths=INSTALLED)))[folder] == label
    return label


CONFIG = "from django.apps import AppConfig\n\n\nclass CartConfig(AppConfig):\n    name = 'shop.cart'\n"
BASE = "from django.apps import AppConfig\nclass Base(AppConfig):\n    default = False\n    label = 'basket'\n"


@pytest.mark.parametrize(
    ("config", "label"),
    [
        (None, "cart"),
        (CONFIG, "cart"),
        (CONFIG + "    label = 'basket'\n", "basket"),
        ("LABEL = 'basket'\n" + CONFIG + "    label = LABEL\n", "basket"),
        (CONFIG + "    label = 'bas' + 'ket'\n", "basket"),
        (CONFIG + "    label: str = 'basket'\n", "basket"),
        (CONFIG + "    label = name.replace('.', '_')\n", "shop_cart"),
        (CONFIG.replace("'shop.cart'", "__package__") + "    label = 'basket'\n", "basket"),
        ("from django import apps\nclass C(apps.AppConfig):\n    name = 'shop.cart'\n    label = 'basket'\n", "basket"),
        ("import django.apps as a\nclass C(a.AppConfig):\n    name = 'shop.cart'\n    label = 'basket'\n", "basket"),
        ("import django.apps\nclass C(django.apps.AppConfig):\n    name = 'shop.cart'\n    label = 'b'\n", "b"),
        # Only one counts.
        (CONFIG + "    label = 'basket'\n\n\nclass Base(AppConfig):\n    default = False\n", "basket"),
        (
            CONFIG + "    label = 'basket'\n    default = True\n\n\nclass C(AppConfig):\n    name = 'shop.cart'\n",
            "basket",
        ),
        # A base class of the same module.
        (BASE + "class CartConfig(Base):\n    default = True\n    name = 'shop.cart'\n", "basket"),
        # Two without a default: Django takes none, unless INSTALLED_APPS names one, but both say the same.
        (CONFIG + "    label = 'basket'\n\n\nclass TestCartConfig(CartConfig):\n    pass\n", "basket"),
        # No configuration of an application at all.
        ("class CartConfig:\n    label = 'basket'\n", "cart"),
        ("def label(): ...\n", "cart"),
        # For another package, which is there.
        (CONFIG.replace("'shop.cart'", "'shop'") + "    label = 'basket'\n", "cart"),
        # A project that was put elsewhere: the name's start is not the folder's.
        (CONFIG.replace("'shop.cart'", "'other.cart'") + "    label = 'basket'\n", "basket"),
        # What cannot be read leaves Django's default.
        (CONFIG + "    label = (\n", "cart"),
        (CONFIG + "    label = '\0'\n", "cart"),
        (CONFIG + "    label = 'basket'\n\n\ndef broken():\n    a ? b\n", "basket"),
    ],
)
def test_configurations(write: Write, app: AppFiles, config: str | None, label: str) -> None:
    assert label_of(write, app("shop/cart", label=label, config=config)) == label


def test_inherited_from_the_project(write: Write, app: AppFiles) -> None:
    config = "from shop.core.base import ShopConfig\nclass C(ShopConfig):\n    default = True\n    name = 'shop.cart'\n"
    files = app("shop/cart", config=config)
    files |= {
        "shop/core/__init__.py": "",
        "shop/core/base.py": "from django.apps import AppConfig\nfrom .names import PREFIX\n"
        "class ShopConfig(AppConfig):\n    default = False\n    label = PREFIX + 'basket'\n"
        "    default_auto_field = 'django.db.models.AutoField'\n",
        "shop/core/names.py": "PREFIX = 'my_'",
    }
    layout = discover(write({"shop/__init__.py": "", **files}), ReadOptions())
    assert [(one.label, one.default_auto_field) for one in layout.apps] == [("my_basket", "django.db.models.AutoField")]
    assert layout.default_auto_field is UNKNOWN


def test_imported_base_without_default(write: Write, app: AppFiles) -> None:
    """Django sees two configurations in apps.py then; a settings file must name the one."""
    files = app(
        "shop/cart",
        config="from shop.base import Base\nclass Cart(Base):\n    name = 'shop.cart'\n    label = 'basket'\n",
    )
    files["shop/base.py"] = "from django.apps import AppConfig\n\n\nclass Base(AppConfig):\n    pass\n"
    files["settings.py"] = "INSTALLED_APPS = [app for app in ['shop.cart.apps.Cart'] if enabled(app)]\n"
    assert label_of(write, files) == "basket"


def test_the_class_that_settings_name(write: Write, app: AppFiles) -> None:
    files = app(
        "shop/cart",
        config=CONFIG + "    label = 'one'\n\n\nclass Other(AppConfig):\n    name = 'shop.cart'\n    label = 'two'\n",
    )
    files["settings.py"] = "INSTALLED_APPS = ['django.contrib.auth', 'shop.cart.apps.Other']\n"
    assert label_of(write, files) == "two"


def test_a_class_elsewhere_that_settings_name(write: Write, app: AppFiles) -> None:
    files = app("shop/cart", label="basket")
    files["shop/configs.py"] = CONFIG + "    label = 'basket'\n"
    files["settings.py"] = "INSTALLED_APPS = ['shop.configs.CartConfig']\n"
    assert label_of(write, files) == "basket"


def test_default_app_config(write: Write, app: AppFiles) -> None:
    files = app("shop/cart", label="basket")
    files["shop/cart/__init__.py"] = "default_app_config = 'shop.cart.config.CartConfig'\n"
    files["shop/cart/config.py"] = CONFIG + "    label = 'basket'\n"
    assert label_of(write, files) == "basket"


def test_in_the_package_itself(write: Write, app: AppFiles) -> None:
    files = app("shop/cart", label="basket")
    files["shop/cart/__init__.py"] = (
        "from elsewhere.plugin import PluginAppConfig\n\n\n"
        "class Plugin(PluginAppConfig):\n    name = 'shop.cart'\n    label = 'basket'\n"
    )
    assert label_of(write, files) == "basket"


class TestInferred:
    """Nothing in the tree says the label; the migrations use one all the same."""

    @staticmethod
    def files(uses: str, config: str | None = None) -> dict[str, str]:
        files = {
            "shop/cart/__init__.py": "",
            "shop/cart/migrations/__init__.py": "",
            "shop/cart/migrations/0001_initial.py": migration(("auth", "0001_initial")),
            "shop/cart/migrations/0002_more.py": migration((uses, "0001_initial"), ("other", "0001_initial")),
            "shop/cart/migrations/0003_even_more.py": migration((uses, "0002_more")),
            "shop/cart/migrations/0004_most.py": migration((uses, "0003_even_more"), ("other", "0007_x")),
        }
        if config is not None:
            files["shop/cart/apps.py"] = config
        return files

    def test_a_configuration_in_another_distribution(self, write: Write) -> None:
        assert label_of(write, self.files("basket")) == "basket"

    def test_the_folder_where_the_migrations_agree(self, write: Write) -> None:
        assert label_of(write, self.files("cart")) == "cart"

    def test_a_label_inherited_from_elsewhere(self, write: Write) -> None:
        config = "from elsewhere import CartConfig as Base\n\n\nclass CartConfig(Base):\n    name = 'shop.cart'\n"
        assert label_of(write, self.files("basket", config)) == "basket"
        layout = discover(write({}), ReadOptions())
        assert layout.apps[0].default_auto_field is UNKNOWN

    def test_a_label_that_is_computed(self, write: Write) -> None:
        assert label_of(write, self.files("basket", CONFIG + "    label = compute()\n")) == "basket"

    def test_a_literal_wins(self, write: Write) -> None:
        assert label_of(write, self.files("basket", CONFIG + "    label = 'trolley'\n")) == "trolley"

    def test_no_guess_from_what_every_app_has(self, write: Write) -> None:
        files = self.files("cart")
        files["shop/cart/migrations/0002_more.py"] = migration(("auth", "0001_initial"))
        del files["shop/cart/migrations/0003_even_more.py"], files["shop/cart/migrations/0004_most.py"]
        assert label_of(write, files) == "cart"


class TestOptions:
    @pytest.mark.parametrize("key", ["shop/cart", "shop/cart/", "./shop/cart", "shop.cart", "shop/cart/migrations"])
    def test_app_labels(self, write: Write, app: AppFiles, key: str) -> None:
        root = write({"shop/__init__.py": "", **app("shop/cart", config=CONFIG + "    label = 'basket'\n")})
        assert labels(discover(root, ReadOptions(app_labels=((key, "trolley"),)))) == {"shop/cart": "trolley"}

    def test_the_name_of_the_configuration(self, write: Write, app: AppFiles) -> None:
        root = write(app("cart", config=CONFIG))
        assert labels(discover(root, ReadOptions(app_labels=(("shop.cart", "trolley"),)))) == {"cart": "trolley"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    default_auto_field = 'django.db.models.BigAutoField'\n", "django.db.models.BigAutoField"),
        ("    default_auto_field = compute()\n", UNKNOWN),
        ("", "django.db.models.AutoField"),
    ],
)
def test_default_auto_field(write: Write, app: AppFiles, text: str, expected: object) -> None:
    files = app("shop/cart", config=CONFIG + text)
    files["settings.py"] = "INSTALLED_APPS = ['shop.cart']\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n"
    layout = discover(write({"shop/__init__.py": "", **files}), ReadOptions())
    assert layout.apps[0].default_auto_field == expected


def test_the_root_is_the_app(write: Write) -> None:
    root = write(
        {
            "__init__.py": "",
            "apps.py": CONFIG,
            "migrations/__init__.py": "",
            "migrations/0001_initial.py": migration(),
        }
    )
    layout = discover(root, ReadOptions())
    assert [(one.label, one.path) for one in layout.apps] == [("cart", "migrations")]
    assert [one.path for one in layout.files] == ["migrations/0001_initial.py"]


def test_the_root_is_the_migrations_folder(write: Write) -> None:
    root = write(TestInferred.files("basket"))
    folder = root / "shop" / "cart" / "migrations"
    layout = discover(folder, ReadOptions())
    assert [(one.label, one.path) for one in layout.apps] == [("basket", ".")]
    assert layout.files[0].path == "0001_initial.py"
    assert layout.files[0].file == folder / "0001_initial.py"


def test_no_traceback_from_unreadable_neighbours(write: Write, app: AppFiles, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(CONFIG + "    label = 'basket'\n")
    root = write({"shop/__init__.py": "", **app("shop/cart")})
    (root / "shop" / "cart" / "apps.py").symlink_to(tmp_path / "outside.py")
    layout = discover(root, ReadOptions())
    assert labels(layout) == {"shop/cart": "cart"}
    assert layout.problems == ()

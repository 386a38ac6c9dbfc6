"""What settings files say, and which of them are believed."""

from __future__ import annotations

import pytest

from lint_m2m.discovery import Layout, discover
from lint_m2m.migration import UNKNOWN
from lint_m2m.readers.options import ReadOptions

from .conftest import Write, migration

MANAGE = 'import os\nimport django\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}")\n'
APPS = "INSTALLED_APPS = ['django.contrib.auth', 'shop']\n"
POSTGRESQL = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n"
SQLITE = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}\n"
MEMBER = "AUTH_USER_MODEL = 'shop.Member'\n"


def read(write: Write, files: dict[str, str], options: ReadOptions | None = None) -> Layout:
    files = {
        "shop/__init__.py": "",
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": migration(),
        **files,
    }
    return discover(write(files), options or ReadOptions())


def user_model(layout: Layout) -> str | None:
    return dict(layout.swappable).get("AUTH_USER_MODEL")


class TestUserModel:
    @pytest.mark.parametrize(
        ("text", "model"),
        [
            (APPS, "auth.User"),
            (APPS + MEMBER, "shop.Member"),
            (APPS + "AUTH_USER_MODEL = os.getenv('AUTH_USER_MODEL', 'shop.Member')\n", "shop.Member"),
            (APPS + "from shop.names import MEMBER as AUTH_USER_MODEL\n", "shop.Member"),
            (APPS + "from elsewhere import AUTH_USER_MODEL\n", None),
            (APPS + "if DEBUG:\n    AUTH_USER_MODEL = 'shop.Member'\n", None),
            (APPS + "AUTH_USER_MODEL = compute()\n", None),
            (APPS + "AUTH_USER_MODEL = 'no model'\n", None),
            (APPS + "AUTH_USER_MODEL = 7\n", None),
            (APPS + "from elsewhere.settings import *\n", None),
            (APPS + "globals().update(read_configuration())\n", None),
            (APPS + "try:\n    from .local_settings import *\nexcept ImportError:\n    pass\n", "auth.User"),
            (APPS.replace("'django.contrib.auth', ", ""), None),
            ("INSTALLED_APPS = compute()\n", "auth.User"),
            ("INSTALLED_APPS = ['shop'] + compute()\n", "auth.User"),
            ("DATABASES = {}\n", None),
            (APPS + "def broken():\n    a ? b\n" + MEMBER, "shop.Member"),
            (APPS + "X = (\n", None),
        ],
    )
    def test_one_file(self, write: Write, text: str, model: str | None) -> None:
        files = {"site/settings.py": text, "shop/names.py": "MEMBER = 'shop.Member'\n"}
        assert user_model(read(write, files)) == model

    def test_no_settings(self, write: Write) -> None:
        assert read(write, {}).swappable == ()

    def test_a_settings_module_of_an_app_is_none(self, write: Write) -> None:
        layout = read(write, {"shop/settings.py": "from django.conf import settings\nSHOP_LIMIT = 3\n"})
        assert layout.swappable == ()

    def test_imports_are_followed(self, write: Write) -> None:
        files = {
            "site/settings/__init__.py": "",
            "site/settings/base.py": APPS + "from .users import *\n",
            "site/settings/users.py": MEMBER,
            "site/settings/production.py": "from .base import *\nDEBUG = False\n",
            "site/settings/development.py": "from site.settings.base import *\nDEBUG = True\n",
        }
        assert user_model(read(write, files)) == "shop.Member"

    def test_files_that_disagree(self, write: Write) -> None:
        files = {"a/settings.py": APPS + MEMBER, "b/settings.py": APPS + MEMBER.replace("Member", "Person")}
        assert user_model(read(write, files)) is None

    def test_one_that_leaves_it_at_the_default_disagrees(self, write: Write) -> None:
        files = {"a/settings.py": APPS + MEMBER, "b/settings.py": APPS}
        assert user_model(read(write, files)) is None

    def test_a_part_does_not_disagree(self, write: Write) -> None:
        files = {"a/settings.py": APPS + MEMBER, "b/settings.py": "DATABASES = {}\n"}
        assert user_model(read(write, files)) == "shop.Member"
        files = {"settings/base.py": APPS, "settings/production.py": "from .base import *\n" + MEMBER}
        assert user_model(read(write, files | {"a/settings.py": "", "b/settings.py": ""})) == "shop.Member"

    def test_the_one_that_manage_names_wins(self, write: Write) -> None:
        files = {
            "manage.py": MANAGE.format("b.settings"),
            "a/settings.py": APPS + MEMBER,
            "b/settings.py": APPS + MEMBER.replace("Member", "Person"),
        }
        assert user_model(read(write, files)) == "shop.Person"

    def test_manage_names_one_without(self, write: Write) -> None:
        files = {"manage.py": MANAGE.format("b.settings"), "a/settings.py": APPS + MEMBER, "b/settings.py": APPS}
        assert user_model(read(write, files)) == "auth.User"

    def test_wsgi_where_there_is_no_manage(self, write: Write) -> None:
        files = {
            "site/wsgi.py": MANAGE.format("b.settings"),
            "a/settings.py": APPS + MEMBER,
            "b/settings.py": APPS + MEMBER.replace("Member", "Person"),
        }
        assert user_model(read(write, files)) == "shop.Person"

    def test_the_outermost_manage(self, write: Write) -> None:
        files = {
            "manage.py": MANAGE.format("a.settings"),
            "a/settings.py": APPS + MEMBER,
            "demo/manage.py": MANAGE.format("demo.settings"),
            "demo/demo/settings.py": APPS,
        }
        assert user_model(read(write, files)) == "shop.Member"

    def test_two_manage_that_disagree(self, write: Write) -> None:
        files = {
            "one/manage.py": MANAGE.format("site.settings"),
            "one/site/settings.py": APPS + MEMBER,
            "two/manage.py": MANAGE.format("site.settings"),
            "two/site/settings.py": APPS + MEMBER.replace("Member", "Person"),
        }
        assert user_model(read(write, files)) is None
        files["two/site/settings.py"] = files["one/site/settings.py"]
        assert user_model(read(write, files)) == "shop.Member"

    @pytest.mark.parametrize(
        "path", ["tests/settings.py", "test_settings.py", "site/settings/test.py", "ci/settings.py"]
    )
    def test_settings_of_tests_say_nothing_about_a_library(self, write: Write, path: str) -> None:
        assert read(write, {path: APPS + MEMBER}).swappable == ()

    @pytest.mark.parametrize("path", ["contest/settings.py", "site/settings/latest.py", "protest/settings.py"])
    def test_names_that_are_not_about_tests(self, write: Write, path: str) -> None:
        assert user_model(read(write, {path: APPS + MEMBER})) == "shop.Member"

    def test_settings_of_tests_that_manage_names(self, write: Write) -> None:
        files = {"manage.py": MANAGE.format("tests.settings"), "tests/settings.py": APPS + MEMBER}
        assert user_model(read(write, files)) == "shop.Member"

    def test_options_win(self, write: Write) -> None:
        options = ReadOptions(swappable=(("AUTH_USER_MODEL", "people.Person"), ("OTHER_MODEL", "a.B")))
        layout = read(write, {"settings.py": APPS + MEMBER}, options)
        assert layout.swappable == (("AUTH_USER_MODEL", "people.Person"), ("OTHER_MODEL", "a.B"))

    def test_configurations_as_classes(self, write: Write) -> None:
        text = (
            "from configurations import Configuration\n"
            "class Base(Configuration):\n"
            "    INSTALLED_APPS = ['django.contrib.auth']\n"
            "    AUTH_USER_MODEL = 'shop.Member'\n"
            "class Development(Base):\n    DEBUG = True\n"
            "class Production(Base):\n    DEBUG = False\n"
        )
        assert user_model(read(write, {"site/settings.py": text})) == "shop.Member"
        text += "class Other(Base):\n    AUTH_USER_MODEL = 'shop.Person'\n"
        assert user_model(read(write, {"site/settings.py": text})) is None


class TestNamingTheSettings:
    @pytest.mark.parametrize(
        "text",
        [
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'b.settings')",
            "import django\nos.environ['DJANGO_SETTINGS_MODULE'] = 'b.settings'",
            "import django\nos.environ.update({'DJANGO_SETTINGS_MODULE': 'b.settings'})",
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', os.environ.get('S', 'b.settings'))",
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', config('S', default='b.settings'))",
            "import django\nX = config('DJANGO_SETTINGS_MODULE', default='b.settings')",
            (
                "import django\nif 'test' in sys.argv:\n"
                "    os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
                "else:\n"
                "    os.environ['DJANGO_SETTINGS_MODULE'] = 'b.settings'"
            ),
        ],
    )
    def test_forms(self, write: Write, text: str) -> None:
        files = {
            "manage.py": text,
            "a/settings.py": APPS + MEMBER,
            "b/settings.py": APPS + MEMBER.replace("Member", "Person"),
            "tests/settings.py": APPS + MEMBER.replace("Member", "Tester"),
        }
        assert user_model(read(write, files)) == "shop.Person"

    @pytest.mark.parametrize(
        "text",
        [
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', name)",
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'not.here')",
            "import django\n# os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'b.settings')",
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'b.settings'",
            "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', f('x')())",
        ],
    )
    def test_no_name(self, write: Write, text: str) -> None:
        other = MEMBER.replace("Member", "Person")
        files = {"manage.py": text, "a/settings.py": APPS + MEMBER, "b/settings.py": APPS + other}
        assert user_model(read(write, files)) is None

    def test_a_module_of_any_name(self, write: Write) -> None:
        files = {"manage.py": MANAGE.format("conf.production"), "conf/production.py": APPS + MEMBER}
        assert user_model(read(write, files)) == "shop.Member"


def test_other_swappable_models(write: Write) -> None:
    text = (
        APPS
        + "WAGTAILIMAGES_IMAGE_MODEL = 'shop.Picture'\n"
        + "SHOP_CUSTOMER = 'shop.Customer'\n"
        + "COMPUTED_MODEL = compute()\n"
        + "EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'\n"
        + "ROOT_URLCONF = 'site.urls'\n"
        + "TEST_RUNNER = 'runner.Fast'\n"
    )
    assert read(write, {"settings.py": text}).swappable == (
        ("AUTH_USER_MODEL", "auth.User"),
        ("SHOP_CUSTOMER", "shop.Customer"),
        ("WAGTAILIMAGES_IMAGE_MODEL", "shop.Picture"),
    )


def test_default_auto_field(write: Write) -> None:
    assert read(write, {"settings.py": APPS}).apps[0].default_auto_field is UNKNOWN
    text = APPS + "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
    layout = read(write, {"settings.py": text})
    assert layout.apps[0].default_auto_field == layout.default_auto_field == "django.db.models.BigAutoField"


class TestVendor:
    @pytest.mark.parametrize(
        ("engine", "vendor"),
        [
            ("django.db.backends.postgresql", "postgresql"),
            ("django.db.backends.postgresql_psycopg2", "postgresql"),
            ("django.contrib.gis.db.backends.postgis", "postgresql"),
            ("django_prometheus.db.backends.postgresql", "postgresql"),
            ("psqlextra.backend", "postgresql"),
            ("django_tenants.postgresql_backend", "postgresql"),
            ("django.db.backends.mysql", "mysql"),
            ("django.contrib.gis.db.backends.mysql", "mysql"),
            ("mysql.connector.django", "mysql"),
            ("django.db.backends.sqlite3", "sqlite"),
            ("django.contrib.gis.db.backends.spatialite", "sqlite"),
            ("django.db.backends.oracle", "oracle"),
            ("mssql", UNKNOWN),
            ("django_cockroachdb", UNKNOWN),
            ("django_redshift_backend.psycopg2", UNKNOWN),
            ("", UNKNOWN),
        ],
    )
    def test_engines(self, write: Write, engine: str, vendor: str) -> None:
        text = APPS + f"DATABASES = {{'default': {{'ENGINE': '{engine}'}}}}\n"
        assert read(write, {"settings.py": text}).vendor == vendor

    @pytest.mark.parametrize(
        ("url", "vendor"),
        [
            ("postgres://u:p@host/name", "postgresql"),
            ("postgresql://host/name", "postgresql"),
            ("pgsql://host/name", "postgresql"),
            ("postgis://host/name", "postgresql"),
            ("mysql://host/name", "mysql"),
            ("mysql2://host/name", "mysql"),
            ("oracle://host/name", "oracle"),
            ("sqlite:///db.sqlite3", UNKNOWN),  # the usual default where the real one stands in the environment
            ("mssql://host/name", UNKNOWN),
            ("x", UNKNOWN),
        ],
    )
    def test_urls(self, write: Write, url: str, vendor: str) -> None:
        text = APPS + f"DATABASES = {{'default': env.db('DATABASE_URL', default='{url}')}}\n"
        assert read(write, {"settings.py": text}).vendor == vendor

    @pytest.mark.parametrize(
        ("text", "vendor"),
        [
            ("DATABASES = {}\nDATABASES['default'] = {'ENGINE': 'django.db.backends.mysql'}\n", "mysql"),
            ("DATABASES = {'default': {}}\nDATABASES['default']['ENGINE'] = 'django.db.backends.mysql'\n", "mysql"),
            ("D = {'ENGINE': 'django.db.backends.mysql'}\nDATABASES = {'default': D, 'other': f()}\n", "mysql"),
            ("DATABASES = {'default': dict(ENGINE='django.db.backends.mysql')}\n", "mysql"),
            ("DATABASES = dict(default=env.db(default='mysql://h/d'))\n", "mysql"),
            ("E = os.getenv('E', 'mysql')\nDATABASES = {'default': {'ENGINE': 'django.db.backends.' + E}}\n", "mysql"),
            ("DATABASES = {'default': {'ENGINE': os.getenv('E', 'django.db.backends.sqlite3')}}\n", UNKNOWN),
            ("DATABASES = {'default': env.db()}\n", UNKNOWN),
            ("DATABASES = {'default': {'ENGINE': compute()}}\n", UNKNOWN),
            (SQLITE + "DATABASES['default'].update(env.db())\n", UNKNOWN),
            (SQLITE + "if production:\n    DATABASES['default']['ENGINE'] = 'django.db.backends.mysql'\n", UNKNOWN),
            (SQLITE + "django_heroku.settings(locals())\n", UNKNOWN),
            ("DATABASES = {'default': 'x'}\n", UNKNOWN),
            ("DATABASES = 'x'\n", UNKNOWN),
            ("", UNKNOWN),
        ],
    )
    def test_forms(self, write: Write, text: str, vendor: str) -> None:
        assert read(write, {"settings.py": APPS + text}).vendor == vendor

    def test_files_that_disagree(self, write: Write) -> None:
        files = {"a/settings.py": APPS + POSTGRESQL, "b/settings.py": APPS + SQLITE}
        assert read(write, files).vendor is UNKNOWN

    def test_the_one_that_manage_names(self, write: Write) -> None:
        files = {
            "manage.py": MANAGE.format("a.settings"),
            "a/settings.py": APPS + POSTGRESQL,
            "b/settings.py": APPS + SQLITE,
        }
        assert read(write, files).vendor == "postgresql"

    def test_sqlite_for_developing(self, write: Write) -> None:
        files = {
            "manage.py": MANAGE.format("a.development"),
            "a/development.py": APPS + SQLITE,
            "a/settings_production.py": APPS + POSTGRESQL,
        }
        assert read(write, files).vendor is UNKNOWN

    def test_sqlite_alone(self, write: Write) -> None:
        files = {"manage.py": MANAGE.format("a.settings"), "a/settings.py": APPS + SQLITE}
        assert read(write, files).vendor == "sqlite"

    def test_tests_do_not_count(self, write: Write) -> None:
        files = {"a/settings.py": APPS + POSTGRESQL, "tests/settings.py": APPS + SQLITE}
        assert read(write, files).vendor == "postgresql"

    def test_options_win(self, write: Write) -> None:
        layout = read(write, {"settings.py": APPS + POSTGRESQL}, ReadOptions(database="mysql"))
        assert layout.vendor == "mysql"

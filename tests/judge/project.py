"""Find the apps of a project folder and configure Django for them, in the process that will run its migrations."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .outcome import JudgeError

# Apps of others that a migration may lean on, with what in its source shows that it does.
_EXTERNAL = {
    "django.contrib.contenttypes": re.compile(r"""['"]contenttypes['".]"""),
    "django.contrib.auth": re.compile(r"""['"]auth['".]|AUTH_USER_MODEL"""),
    "django.contrib.sites": re.compile(r"""['"]sites['".]"""),
    "taggit": re.compile(r"""\btaggit\b"""),
}
_NEEDS_CONTENT_TYPES = {"django.contrib.auth", "taggit"}


def configure(project_dir: Path, database: dict[str, object]) -> frozenset[str]:
    """Set Django up for the project and return the labels of its own apps.

    With a settings file (``settings.py`` in the folder, else the module that ``manage.py`` names, else the only one a
    level below) its names are taken, the databases excepted. What it leaves out is made up: the apps are the folders
    that hold migrations, and those of django.contrib and taggit that the migrations mention.
    """
    import django
    from django.apps import apps
    from django.conf import settings

    base = _base(project_dir)
    sys.path.insert(0, str(base))
    values = _own_settings(base)
    values["DATABASES"] = {"default": database}
    values.setdefault("INSTALLED_APPS", [*_external(base), *_app_modules(base)])
    values.setdefault("DEFAULT_AUTO_FIELD", "django.db.models.BigAutoField")
    values.setdefault("USE_TZ", True)
    values.setdefault("SECRET_KEY", "judge")
    values["LOGGING_CONFIG"] = None
    settings.configure(**values)
    django.setup()
    inside = project_dir.resolve()
    labels = frozenset(
        config.label for config in apps.get_app_configs() if Path(config.path).resolve().is_relative_to(inside)
    )
    labels &= frozenset(label for label in labels if _has_migrations(apps.get_app_config(label), settings))
    if not labels:
        raise JudgeError(f"no app with migrations in {project_dir}")
    return labels


def _base(project_dir: Path) -> Path:
    """The folder that imports start from: that of ``manage.py``, if there is one."""
    found = sorted(project_dir.rglob("manage.py"), key=lambda path: (len(path.parts), path))
    return (found[0].parent if found else project_dir).resolve()


def _own_settings(base: Path) -> dict[str, Any]:
    module = "settings" if (base / "settings.py").is_file() else None
    if module is None and (base / "manage.py").is_file():
        named = re.search(r"DJANGO_SETTINGS_MODULE['\"]\s*,\s*['\"]([\w.]+)", (base / "manage.py").read_text("utf-8"))
        module = named[1] if named else None
    if module is None:
        below = sorted(base.glob("*/settings.py"))
        module = f"{below[0].parent.name}.settings" if len(below) == 1 else None
    if module is None:
        return {}
    loaded = importlib.import_module(module)
    return {name: getattr(loaded, name) for name in dir(loaded) if name.isupper()}


def _migration_folders(base: Path) -> Iterator[Path]:
    for folder in sorted(base.rglob("migrations")):
        hidden = any(part.startswith(".") for part in folder.relative_to(base).parts)
        if folder.is_dir() and not hidden and any(path.stem != "__init__" for path in folder.glob("*.py")):
            yield folder


def _app_modules(base: Path) -> list[str]:
    return [".".join(folder.parent.relative_to(base).parts) for folder in _migration_folders(base)]


def _external(base: Path) -> list[str]:
    source = "\n".join(path.read_text("utf-8") for folder in _migration_folders(base) for path in folder.glob("*.py"))
    own = {module.rpartition(".")[2] for module in _app_modules(base)}
    found = [
        app for app, mentioned in _EXTERNAL.items() if app.rpartition(".")[2] not in own and mentioned.search(source)
    ]
    if _NEEDS_CONTENT_TYPES & set(found) and "django.contrib.contenttypes" not in found:
        found.insert(0, "django.contrib.contenttypes")
    missing = [app for app in found if importlib.util.find_spec(app) is None]
    if missing:
        raise JudgeError(f"the migrations mention {', '.join(missing)}, which is not installed")
    return found


def _has_migrations(config: Any, settings: Any) -> bool:
    module = settings.MIGRATION_MODULES.get(config.label, f"{config.name}.migrations")
    return module is not None and importlib.util.find_spec(module) is not None

"""Finds the Django migrations that fail, lose link rows or part from the database when a many-to-many field changes.

`check` is the whole Python API; docs/api.md describes it. Everything is imported when it is first asked for, so that
importing the package costs nothing.
"""

# Nothing is imported here, not even __future__: with ``python -m`` the current folder would be asked for it.

# Not typing's: importing that costs more than all the rest. Type checkers know the name.
TYPE_CHECKING = False

__version__ = "0.1.0"

__all__ = ["Config", "Finding", "LintM2MError", "Report", "__version__", "check"]

if TYPE_CHECKING:
    from lint_m2m.config import Config
    from lint_m2m.engine import check
    from lint_m2m.errors import LintM2MError
    from lint_m2m.finding import Finding, Report
else:
    _HOMES = {
        "Config": "lint_m2m.config",
        "check": "lint_m2m.engine",
        "LintM2MError": "lint_m2m.errors",
        "Finding": "lint_m2m.finding",
        "Report": "lint_m2m.finding",
    }

    def __getattr__(name):
        try:
            home = _HOMES[name]
        except KeyError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
        from importlib import import_module

        value = globals()[name] = getattr(import_module(home), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})

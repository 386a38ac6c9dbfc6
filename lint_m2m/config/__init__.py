"""Configuration: ``[tool.lint-m2m]`` in pyproject.toml and the command line, as one frozen value."""

from lint_m2m.config.load import load, override, read
from lint_m2m.config.options import OPTIONS, listed, nearest
from lint_m2m.config.reading import read_options
from lint_m2m.config.selection import Selection, matches, select
from lint_m2m.config.values import Config, Origin, Source

__all__ = [
    "OPTIONS",
    "Config",
    "Origin",
    "Selection",
    "Source",
    "listed",
    "load",
    "matches",
    "nearest",
    "override",
    "read",
    "read_options",
    "select",
]

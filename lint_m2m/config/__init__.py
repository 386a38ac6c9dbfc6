"""Configuration: ``[tool.lint-m2m]`` in pyproject.toml and the command line, as one frozen value."""

from lint_m2m.config.load import load, override, passed_by, read
from lint_m2m.config.options import COLORS, OPTIONS, Mismatch, listed, nearest, require_one_of
from lint_m2m.config.reading import read_options
from lint_m2m.config.selection import Selection, matches, select
from lint_m2m.config.values import Config, Origin, Source, attribute_of

__all__ = [
    "COLORS",
    "OPTIONS",
    "Config",
    "Mismatch",
    "Origin",
    "Selection",
    "Source",
    "attribute_of",
    "listed",
    "load",
    "matches",
    "nearest",
    "override",
    "passed_by",
    "read",
    "read_options",
    "require_one_of",
    "select",
]

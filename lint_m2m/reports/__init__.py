"""Reports: a `Report` in, text out.

Each format is a module with ``render(report: Report, options: RenderOptions) -> str`` and one line in `FORMATS`. The
modules are imported when they are needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, Protocol, cast

from lint_m2m.finding import Report
from lint_m2m.reports.options import Edit, EditedFile, RenderOptions
from lint_m2m.values import NamedTuple

__all__ = ["FORMATS", "Edit", "EditedFile", "Format", "RenderOptions", "render"]


class Format(NamedTuple):
    """A format's module, and what it is for. A `machine` format is UTF-8 whatever the terminal, without colours.

    `service`: it is read by a service that shows findings beside the files of a repository, so its paths start at the
    repository's top and not at the project's root. `carries_edits`: it has a place for `RenderOptions.edits`.
    """

    module: str
    purpose: str
    machine: bool
    service: bool = False
    carries_edits: bool = False


# One line per format; the order is that of the help text, the first is the default.
FORMATS: Final[dict[str, Format]] = {
    "full": Format("lint_m2m.reports.full", "source frames, notes and safe sequences", False),
    "concise": Format("lint_m2m.reports.concise", "one line for each finding", False),
    "json": Format("lint_m2m.reports.json", "one JSON document", True),
    "github": Format("lint_m2m.reports.github", "annotations of a GitHub workflow, and its job summary", True, True),
    "gitlab": Format("lint_m2m.reports.gitlab", "GitLab's Code Quality", True, True),
    "sarif": Format("lint_m2m.reports.sarif", "SARIF 2.1.0, for code scanning", True, True, True),
    "junit": Format("lint_m2m.reports.junit", "test results as JUnit writes them", True, True),
    "markdown": Format("lint_m2m.reports.markdown", "a comment on a pull request", True, True),
    "html": Format("lint_m2m.reports.html", "one page that needs nothing else", True),
}


class _Renderer(Protocol):
    def render(self, report: Report, options: RenderOptions) -> str: ...


def render(report: Report, name: str = "full", options: RenderOptions | None = None) -> str:
    """The report in format `name`, a key of `FORMATS`; ends with a newline unless it is empty."""
    options = options or RenderOptions()
    if FORMATS[name].service:
        from lint_m2m.reports.repository import from_the_top

        report, options = from_the_top(report, options)
    return cast(_Renderer, import_module(FORMATS[name].module)).render(report, options)

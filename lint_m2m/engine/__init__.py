"""The whole check: load, graph, replay, rules, comments, configuration, sort.

`check` is the Python API; `run` is the same with what an entry point wants to know besides. Importing this loads
neither readers nor rules: a run that is remembered needs none.
"""

from lint_m2m.engine.running import check, root_of, roots_of, run
from lint_m2m.engine.sources import Reader, SourceReader
from lint_m2m.engine.values import LeftOut, Outcome, Stages, UnreadPart

__all__ = [
    "LeftOut",
    "Outcome",
    "Reader",
    "SourceReader",
    "Stages",
    "UnreadPart",
    "check",
    "root_of",
    "roots_of",
    "run",
]

"""The judge: what real Django does with a project, measured operation by operation.

Test support, independent of lint-m2m's own analysis: nothing here imports it. `run` migrates a project with link rows
in its tables and tells which operation raises, which fields lose rows, and where belief and database part;
`tests.judge.histories` makes random projects. For people: ``python -m tests.judge --help``.
"""

from __future__ import annotations

from .client import close, run
from .databases import SQLITE, DatabaseUrl
from .outcome import (
    Change,
    Drift,
    FieldKey,
    JudgeError,
    Loss,
    Outcome,
    Pair,
    Place,
    Raised,
    Step,
    View,
)

__all__ = [
    "SQLITE",
    "Change",
    "DatabaseUrl",
    "Drift",
    "FieldKey",
    "JudgeError",
    "Loss",
    "Outcome",
    "Pair",
    "Place",
    "Raised",
    "Step",
    "View",
    "close",
    "run",
]

"""``python -m tests.replay.worker``: compare the ledger with real Django, in a process of its own.

Django can be configured once in a process, and the tests' process is not ours. Prints one JSON object a history that
parts from reality: {"name", "lines", "history"}.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.replay import reality


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default=None, metavar="URL", help="default: SQLite in memory")
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 0), metavar=("FIRST", "END"))
    parser.add_argument("--length", type=int, default=18, help="migrations in a random history")
    parser.add_argument("--scenarios", action="store_true")
    parser.add_argument("--only", default="", help="scenarios whose name has this")
    options = parser.parse_args(arguments)
    stats: Counter[str] = Counter()
    bad = 0
    with reality.database(options.database):
        from django.db import connection

        from tests.replay.compare_ledgers import differences, explore
        from tests.replay.scenarios import SCENARIOS

        histories: list[tuple[str, Any]] = []
        if options.scenarios:
            for name, groups in SCENARIOS.items():
                if options.only in name:
                    history = [("app", operations) for operations in groups]
                    histories.append((name, lambda history=history: (history, differences(history, connection.vendor))))
        for seed in range(*options.seeds):
            histories.append(
                (
                    f"seed {seed}",
                    lambda seed=seed: explore(seed, options.length, connection.vendor, stats=stats),
                )
            )
        for name, run in histories:
            history: Any = []
            try:
                with reality.clean():
                    history, lines = run()
            except Exception:
                lines = [traceback.format_exc()]
            if lines:
                bad += 1
                sys.stdout.write(json.dumps({"name": name, "lines": lines, "history": text(history)}) + "\n")
    sys.stderr.write(f"{bad} of {len(histories)} differ; compared: {dict(stats)}\n")
    return 1 if bad else 0


def text(history: Any) -> str:
    """A history to read in a failing test."""
    from django.db.migrations.writer import OperationWriter

    lines = []
    for number, (app_label, operations) in enumerate(history):
        lines.append(f"{number} {app_label}")
        for operation in operations:
            try:
                written = OperationWriter(operation, indentation=0).serialize()[0]
            except Exception:
                written = repr(operation)
            lines.append("    " + " ".join(written.split()))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

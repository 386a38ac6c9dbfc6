"""Inputs that coverage leads to: the same targets as test_fuzz.py, driven by atheris (libFuzzer).

    python tests/fuzz/guided.py -atheris_runs=10000 -seed=1

Not a test of the test command: atheris is a development tool, and there is no wheel of it for every Python. The first
byte of an input says which target it is for, and the rest begins as one of the seeds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["lint_m2m"]):
    from tests.fuzz import inputs
    from tests.fuzz.targets import Targets, bounded


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        targets = Targets(Path(folder))
        # The whole check is the slowest by far: one target of six, and the reader two.
        kinds = (
            (targets.reader, inputs.migrations()),
            (targets.sql, inputs.statements()),
            (targets.configuration, inputs.configurations()),
            (targets.comments, inputs.migrations()),
            (targets.project, inputs.migrations()),
            (targets.reader, inputs.migrations()),
        )
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for kind, (_, seeds) in enumerate(kinds):
            for number, seed in enumerate(seeds[:40]):
                (corpus / f"{kind}-{number}").write_bytes(bytes([kind]) + seed)

        def one(data: bytes) -> None:
            if data:
                target, _ = kinds[data[0] % len(kinds)]
                with bounded():
                    target(data[1:])

        atheris.Setup([*sys.argv, "-max_len=12000", str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

"""``python -m tests.judge run DIR`` and ``python -m tests.judge history SEED``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import JudgeError, Outcome, close, run
from .histories import generate
from .report import render


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when the project raised, lost rows or drifted; 2 when it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.judge", description="What real Django does with a project.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="migrate a project and print what each operation did")
    one.add_argument("dir", type=Path)
    _judge_options(one)
    history = commands.add_parser("history", help="print the random history of a seed, write it, or run it")
    history.add_argument("seed", type=int)
    history.add_argument("--write", type=Path, metavar="DIR", help="write it there as a project")
    history.add_argument("--run", action="store_true", help="print what real Django does with it, too")
    _judge_options(history)
    options = parser.parse_args(arguments)
    try:
        if options.command == "run":
            return _report(_run(options, options.dir), options)
        found = generate(options.seed)
        sys.stdout.write(str(found))
        if options.write is not None:
            found.write(options.write)
        if not options.run:
            return 0
        with tempfile.TemporaryDirectory(prefix="judge-") as folder:
            return _report(_run(options, found.write(Path(folder))), options)
    except JudgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        close()


def _judge_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", default="sqlite", metavar="URL")
    parser.add_argument("--plan", choices=["fresh", "replaced"], default="fresh", help="squashes, or what they replace")
    parser.add_argument("--fresh-process", action="store_true", help="render the state anew before each migration")
    parser.add_argument("--retry", action="store_true", help="after a failure try the same migration once more")
    parser.add_argument("--quiet", action="store_true", help="only what went wrong")


def _run(options: argparse.Namespace, folder: Path) -> Outcome:
    return run(
        folder,
        database=options.database,
        plan=options.plan,
        fresh_process=options.fresh_process,
        retry=options.retry,
    )


def _report(outcome: Outcome, options: argparse.Namespace) -> int:
    sys.stdout.write(render(outcome, steps=not options.quiet))
    return 1 if outcome.raised or outcome.lasting_losses or outcome.drift_at_end else 0


if __name__ == "__main__":
    sys.exit(main())

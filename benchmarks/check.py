"""How long `lint-m2m check` takes, beside what it is to be compared with. The tables of docs/benchmarks.md.

    python benchmarks/check.py                     a made project of 50 apps x 40 migrations
    python benchmarks/check.py --growth            500 to 20,000 migrations
    python benchmarks/check.py --real FOLDER ...   projects that are there

Writes into a temporary folder, downloads nothing. Every line is a whole process, its start counted; the lines run in
turns, and the medians of their runs are printed. Memory is that of the largest process. What is compared runs in this
interpreter: Django and django-migration-linter, where they are installed.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import ways
from made import write_project
from measure import Result, Way, in_turns

SIZES = (500, 2_000, 5_000, 10_000, 20_000)
# Migrations of each app, in the projects of these sizes.
OF_EACH = 40


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure lint-m2m check, and what it is compared with.")
    parser.add_argument("--apps", type=int, default=50, help="apps of the project that is made (50)")
    parser.add_argument("--migrations", type=int, default=40, help="migrations of each app (40)")
    parser.add_argument("--runs", type=int, default=5, help="how often each is run (5)")
    parser.add_argument("--limit", type=float, default=300, help="seconds after which a run is stopped (300)")
    parser.add_argument("--only-lint-m2m", action="store_true", help="compare it with the floor alone")
    parser.add_argument("--growth", action="store_true", help="measure how the time grows with the project")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="migrations, for --growth")
    parser.add_argument("--real", nargs="+", type=Path, metavar="FOLDER", help="measure these projects")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        if options.growth:
            lines = growth(work, options)
        elif options.real:
            lines = real(work, options)
        else:
            lines = compared(work, options)
        for line in [machine(), "", *lines]:
            print(line, flush=True)  # noqa: T201


def machine() -> str:
    """What it was measured with."""
    found = [f"Python {platform.python_version()}"]
    for name in ("lint-m2m", "Django", "django-migration-linter"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{', '.join(found)}; {cores} cores, {platform.machine()}, {platform.system()}"


def compared(work: Path, options: argparse.Namespace) -> Iterator[str]:
    project = work / "project"
    write_project(project, options.apps, options.migrations, ways.installed())
    floor = ways.floor(project, work)
    rows: list[Way | tuple[str, str]] = [floor, *ways.lint_m2m(project, work)]
    if not options.only_lint_m2m:
        rows += ways.others(project, work)
    results = in_turns([row for row in rows if isinstance(row, Way)], options.runs, options.limit)
    results |= {row[0]: Result(reason=row[1]) for row in rows if not isinstance(row, Way)}
    yield described(project, options.runs)
    yield ""
    yield from table(
        ("", "seconds", "processor seconds", "times the floor", "memory, MB"),
        [
            (name, *numbers(result), times(result, results[floor.name]), memory(result))
            if result.runs
            else (name, result.reason, "", "", "")
            for name, result in results.items()
        ],
    )


def growth(work: Path, options: argparse.Namespace) -> Iterator[str]:
    """All sizes in turns; a straight line through the times of each way, and how far they are from it."""
    measured: dict[str, dict[int, Way]] = {}
    for size in sorted(options.sizes):
        project = work / f"project {size}"
        write_project(project, max(size // OF_EACH, 1), OF_EACH, [])
        for way in (ways.floor(project, work), ways.cold(project), ways.cold_on_one_core(project)):
            measured.setdefault(way.name, {})[size] = replace(way, name=f"{way.name}: {size}")
    results = in_turns([way for sizes in measured.values() for way in sizes.values()], options.runs, options.limit)
    for name, sizes in measured.items():
        found = {size: results[way.name] for size, way in sizes.items() if results[way.name].runs}
        lines = [line_of({size: what(result) for size, result in found.items()}) for what in (seconds, processors)]
        yield name
        yield ""
        yield from table(
            ("migrations", "seconds", "off the line", "processor seconds", "off the line", "memory, MB"),
            [
                (f"{size:,}", *(cell for line in lines for cell in line[size]), memory(result))
                for size, result in found.items()
            ],
        )
        yield ""


def line_of(points: dict[int, float]) -> dict[int, tuple[str, str]]:
    """For each size its time, and how far that is from the straight line through all of them."""
    start, slope = straight_line([*points.items()])
    return {size: (f"{passed:.2f}", f"{passed / (start + slope * size) - 1:+.0%}") for size, passed in points.items()}


def straight_line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """The line a + b x with the least squares of relative errors: a small project counts as much as a large one."""
    weights = [1 / passed**2 for _, passed in points]
    total = sum(weights)
    x = sum(weight * size for weight, (size, _) in zip(weights, points, strict=True)) / total
    y = sum(weight * passed for weight, (_, passed) in zip(weights, points, strict=True)) / total
    above = sum(weight * (size - x) * (passed - y) for weight, (size, passed) in zip(weights, points, strict=True))
    below = sum(weight * (size - x) ** 2 for weight, (size, _) in zip(weights, points, strict=True))
    slope = above / below if below else 0.0
    return y - slope * x, slope


def real(work: Path, options: argparse.Namespace) -> Iterator[str]:
    lines = []
    for given in options.real:
        project = given.resolve()
        floor = ways.floor(project, work)
        measured = [
            floor,
            ways.cold(project),
            ways.cold_on_one_core(project),
            ways.warm(project, work),
        ]
        results = in_turns(measured, options.runs, options.limit)
        cells = [f"{seconds(result):.2f}" if result.runs else result.reason for result in results.values()]
        count = len(ways.migrations_of(project))
        cold = results[measured[1].name]
        lines.append((project.name, f"{count:,}", *cells, times(cold, results[floor.name]), memory(cold)))
    head = ("project", "migrations", "floor", "cold", "cold, one core", "warm", "cold / floor", "memory, MB")
    yield f"Seconds, medians of {options.runs} runs in turns"
    yield ""
    yield from table(head, lines)


def described(project: Path, runs: int) -> str:
    files = ways.migrations_of(project)
    size = sum(file.stat().st_size for file in files)
    return f"{len(files):,} migrations, {size / 1e6:.1f} MB; medians of {runs} runs in turns"


def seconds(result: Result) -> float:
    return result.median(lambda run: run.seconds)


def processors(result: Result) -> float:
    return result.median(lambda run: run.processors)


def numbers(result: Result) -> tuple[str, str]:
    return f"{seconds(result):.2f}", f"{processors(result):.2f}"


def times(result: Result, floor: Result) -> str:
    return f"{seconds(result) / seconds(floor):.2f}" if result.runs and floor.runs else ""


def memory(result: Result) -> str:
    return f"{result.median(lambda run: run.memory) / 1e6:.0f}" if result.runs else ""


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """In Markdown, with columns that stand below each other."""
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    aligned = ["-" * width if column == 0 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    for line in (head, aligned, *lines):
        first, *rest = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

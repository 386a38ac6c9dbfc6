"""Findings of several plans and several projects: each once, the most certain one kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lint_m2m
from lint_m2m.engine.judge import Identity, merge
from lint_m2m.finding import Certainty, Finding, Severity
from lint_m2m.migration import Location, Span
from tests.cli.projects import INITIAL, THROUGH, library, write


def finding(certainty: Certainty, message: str = "message") -> Finding:
    return Finding(
        code="MTM202",
        name="m2m-recreated",
        severity=Severity.ERROR,
        message=message,
        location=Location("m.py", Span(1, 1, 1, 2)),
        certainty=certainty,
    )


def identity(of: Finding) -> Identity:
    return of.code, of.location, of.operation, of.field


def test_the_more_certain_one_stays() -> None:
    likely, certain = finding(Certainty.LIKELY, "likely"), finding(Certainty.CERTAIN, "certain")
    possible = finding(Certainty.POSSIBLE, "possible")
    for order in ([likely, certain, possible], [certain, likely, possible], [possible, likely, certain]):
        found: dict[Identity, list[Finding]] = {}
        for each in order:
            merge(found, {identity(each): [each]})
        assert list(found.values()) == [[certain]]
    found = {}
    merge(found, {identity(likely): [likely]})
    merge(found, {identity(likely): [replace(likely, message="second plan")]})
    assert list(found.values()) == [[likely]]


def test_squash_and_what_it_replaces_are_both_checked(tmp_path: Path) -> None:
    """The failing operation stands in the replaced migration and, copied, in the squash: one finding for each place."""
    squash = INITIAL.replace(
        "initial = True", 'replaces = [("library", "0001_initial"), ("library", "0002_authorship")]'
    )
    operations = THROUGH[THROUGH.index("    operations = [\n") + len("    operations = [\n") : THROUGH.rindex("    ]")]
    squash = squash[: squash.rindex("    ]")] + operations + "    ]\n"
    root = library(tmp_path, **{"library/migrations/0001_squashed.py": squash})
    write(root, {"shop/migrations/0001_initial.py": (root / "shop/migrations/0001_initial.py").read_text()})
    report = lint_m2m.check(root)
    assert [(each.path.rpartition("/")[2], each.code) for each in report.findings] == [
        ("0001_squashed.py", "MTM101"),
        ("0002_authorship.py", "MTM101"),
    ]
    assert report.summary.migrations == 4


def test_app_beside_two_projects_is_reported_once(tmp_path: Path) -> None:
    """`common` belongs to both projects, whose own apps clash; each finding and each useless comment comes once."""
    (tmp_path / ".git").mkdir()
    for name in ("one", "two"):
        library(tmp_path / name)
    initial = INITIAL.replace('to="library.author"', 'to="common.author"')
    through = THROUGH.replace("library", "common").replace(
        "migrations.CreateModel(", "migrations.CreateModel(  # lint-m2m: ignore[MTM202]"
    )
    write(
        tmp_path,
        {
            "common/__init__.py": "",
            "common/migrations/__init__.py": "",
            "common/migrations/0001_initial.py": initial,
            "common/migrations/0002_through.py": through,
        },
    )
    report = lint_m2m.check(tmp_path)
    assert [(each.path, each.code) for each in report.findings] == [
        ("common/migrations/0002_through.py", "MTM904"),
        ("common/migrations/0002_through.py", "MTM101"),
        ("one/library/migrations/0002_authorship.py", "MTM101"),
        ("two/library/migrations/0002_authorship.py", "MTM101"),
    ]
    assert len({each.fingerprint for each in report.findings}) == 4
    assert report.summary.migrations == 8
    assert report.summary.apps == 5

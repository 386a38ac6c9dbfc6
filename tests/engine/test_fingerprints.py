"""A finding keeps its identity when the file is moved about, and loses it when it is another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m.engine.fingerprints import Fingerprints, guilty_text, normalised
from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import Location, Span
from tests.cli.projects import INITIAL, THROUGH, library, write

MIGRATION = "library/migrations/0002_authorship.py"


def fingerprint(root: Path, text: str) -> str:
    write(root, {MIGRATION: text})
    (finding,) = lint_m2m.check(root, lint_m2m.Config(select=("MTM101",))).findings
    assert len(finding.fingerprint) == 64
    return finding.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "# a comment\n\n\n" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace('"', "'"),
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("through=", "through  =  "),
        lambda text: text.replace('through="', 'through=\\\n"'),
        lambda text: text.replace('related_name="books"', 'blank=True, related_name="books"'),
        lambda text: text.replace("migrations.AlterField(", "migrations.AlterField(  # why\n"),
        lambda text: text.replace("    operations = [", "    operations = [migrations.RunSQL('SELECT 1'),"),
    ],
)
def test_what_changes_nothing(tmp_path: Path, change: Callable[[str], str]) -> None:
    root = library(tmp_path)
    assert fingerprint(root, change(THROUGH)) == fingerprint(root, THROUGH)


def test_what_makes_it_another(tmp_path: Path) -> None:
    root = library(tmp_path)
    prints = {fingerprint(root, THROUGH), fingerprint(root, THROUGH.replace("Authorship", "Credit"))}
    (root / MIGRATION).rename(root / "library/migrations/0002_renamed.py")
    (finding,) = lint_m2m.check(root, lint_m2m.Config(select=("MTM101",))).findings
    prints.add(finding.fingerprint)
    assert len(prints) == 3


def test_comments_that_say_the_same_are_told_apart(tmp_path: Path) -> None:
    text = THROUGH.replace("dependencies", "# lint-m2m: ignore[MTM202]\n    dependencies").replace(
        "operations", "# lint-m2m: ignore[MTM202]\n    operations"
    )
    write(library(tmp_path), {MIGRATION: text})
    findings = lint_m2m.check(tmp_path, lint_m2m.Config(select=("MTM202", "MTM904"))).findings
    assert [(each.code, each.span.line) for each in findings] == [("MTM904", 5), ("MTM904", 7)]
    assert findings[0].fingerprint != findings[1].fingerprint


def finding(**changes: object) -> Finding:
    made = Finding(
        code="MTM101",
        name="through-added",
        severity=Severity.ERROR,
        message="message",
        location=Location("m.py", Span(1, 1, 1, 5)),
        app_label="library",
        migration="0001",
        field="library.book.authors",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def of(*findings: Finding, source: str = "a = 1") -> list[str]:
    return [each.fingerprint for each in Fingerprints().given(findings, lambda path: source.split("\n"))]


def test_equal_ones_are_numbered() -> None:
    first, second, third = of(finding(), finding(message="other"), finding(code="MTM102"))
    assert len({first, second, third}) == 3
    assert of(finding())[0] == first
    assert of(finding(severity=Severity.INFO, message="reworded", notes=("more",)))[0] == first


def test_what_it_is_made_of() -> None:
    same = finding()
    others = [
        finding(code="MTM102"),
        finding(app_label="shop"),
        finding(migration="0002"),
        finding(field="library.book.tags"),
        finding(field=None),
        finding(location=Location("m.py", Span(1, 1, 1, 2))),
    ]
    assert len(set(of(same, *others))) == 7
    # Borders between the parts cannot be moved.
    assert of(finding(app_label="ab", migration="c")) != of(finding(app_label="a", migration="bc"))


def test_unreadable_files_and_odd_places() -> None:
    lines = ["ab", "cd"]
    assert guilty_text(None, Span(1, 1, 2, 2)) == ""
    assert guilty_text(lines, Span(9, 1, 9, 2)) == ""
    assert guilty_text(lines, Span(1, 1, 1, 1)) == ""
    assert guilty_text(lines, Span(1, 2, 2, 2)) == "b\nc"
    assert guilty_text(lines, Span(1, 2, 99, 2)) == "b\ncd"
    assert len(of(finding(field="\ud800"))[0]) == 64


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f( a , b )", "f(a,b)"),
        ("f(a, b,)", "f(a, b)"),
        ("f(\n    a,\n    b,  # last\n)", "f(a, b)"),
        ("f('a')", 'f("a")'),
        ("f('''a''')", 'f("a")'),
        ("f(R'a')", "f(r'a')"),
        ("f('it\\'s')", 'f("it\'s")'),
        ("f('#')", 'f("#")'),
        ("[1, 2, ]", "[1, 2]"),
        ("{'a': 1,\n}", '{"a": 1}'),
        ("a \\\n = b", "a = b"),
    ],
)
def test_normalised(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f('a b')", "f('ab')"),
        ("f('a,)')", "f('a)')"),
        ("f('a # b')", "f('a')"),
        ("f(a, b)", "f(b, a)"),
        ("f(r'\\'')", 'f("\'")'),
    ],
)
def test_not_the_same(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_sources_are_as_written() -> None:
    """The fixtures above are what they look like."""
    assert "through=" in THROUGH
    assert "through=" not in INITIAL

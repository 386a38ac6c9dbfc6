"""The page, read by a parser that knows which elements have to be closed."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lint_m2m.finding import Finding, Report, Severity
from lint_m2m.migration import Location, Span
from lint_m2m.reports import render
from tests.reports.examples import AUTHORSHIP, KEEP_TABLE, LIKELY, THROUGH_ADDED, WITH_SEQUENCES, report
from tests.reports.hostile import ALL, hostile_report

VOID = {"meta"}
# Attributes that are there, by element; none of them loads anything.
ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "a": {"href"},
    "section": {"id"},
    "strong": {"class"},
    "span": {"class"},
    "pre": {"class"},
    "details": {"open"},
}


class Page(HTMLParser):
    """Elements are closed in their order, and only those and their attributes are there that the format writes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert {name for name, _ in attributes} <= ATTRIBUTES.get(tag, set()), (tag, attributes)
        self.ids += [value or "" for name, value in attributes if name == "id"]
        self.links += [value or "" for name, value in attributes if name == "href"]
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def page(made: Report) -> Page:
    text = render(made, "html")
    assert text.startswith("<!DOCTYPE html>\n")
    text.encode("utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    read = Page(text)
    assert len(set(read.ids)) == len(read.ids)
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(read.seen)
    return read


def test_a_finding_with_everything(tmp_path: Path) -> None:
    read = page(report(tmp_path, WITH_SEQUENCES, LIKELY))
    assert read.texts["p"][0] == "2 errors in 9 migrations of 2 apps, everything read"
    assert read.texts["h2"] == ["error MTM101 through-added"] * 2 + ["MTM101 through-added"]
    assert read.ids == ["finding-1", "finding-2", "MTM101"]
    assert read.texts["mark"][:2] == [
        "through='library.Authorship'",
        "models.ManyToManyField(related_name='books', to='library.author')",
    ]
    assert "likely: RunPython copy_links could not be read" in read.texts["li"]
    assert read.texts["summary"] == [
        "Safe sequence: keep the table, change only what Django believes (no downtime)",
        "Another way: rename the table to the through model's own name (brief downtime)",
        "Another way: edit the initial migration (unreleased only)",
    ]
    assert KEEP_TABLE.steps[0].code.rstrip("\n") in read.texts["pre"]
    assert "Deploy this before the next step." in read.texts["p"]
    assert "## Why it breaks" in read.texts["pre"][-1]


def test_no_findings(tmp_path: Path) -> None:
    read = page(report(tmp_path))
    assert read.texts["p"] == ["no findings in 9 migrations of 2 apps, everything read"]
    assert "table" not in read.seen


def test_a_file_as_a_whole_and_one_that_is_gone(tmp_path: Path) -> None:
    finding = Finding(
        code="MTM901",
        name="unreadable-migration",
        severity=Severity.ERROR,
        message="no file",
        location=Location("library/migrations/0009.py", Span(1, 1, 2, 1)),
    )
    read = page(report(tmp_path, finding, replace(finding, location=Location(AUTHORSHIP, Span(1, 1, 1, 1)))))
    assert "mark" not in read.seen


def test_source_is_bounded(tmp_path: Path) -> None:
    source = "x = [\n" + f"    '{'long ' * 200}',\n" * 500 + "]\n"
    finding = replace(THROUGH_ADDED, location=Location("a.py", Span(1, 1, 502, 2)), related=())
    read = page(report(tmp_path, finding, files={"a.py": source}))
    frame = read.texts["pre"][0]
    assert frame.count("\n") == 24
    assert max(map(len, frame.split("\n"))) < 420


def test_several_lines_are_marked_without_their_indentation(tmp_path: Path) -> None:
    finding = replace(THROUGH_ADDED, location=Location(AUTHORSHIP, Span(18, 9, 22, 10)), related=())
    marks = page(report(tmp_path, finding)).texts["mark"]
    assert len(marks) == 5
    assert (marks[0], marks[1], marks[-1]) == ("migrations.AlterField(", "model_name='book',", ")")


@pytest.mark.parametrize("text", ALL)
def test_hostile_names_are_text(tmp_path: Path, text: str) -> None:
    made = hostile_report(tmp_path, text)
    source = "".join(f"{line}\n" for line in re.split(r"[\r\n\0]", text)).encode("utf-8", "replace").decode()
    made_file = replace(THROUGH_ADDED, location=Location("b.py", Span(1, 1, 1, 9)), related=())
    (tmp_path / "b.py").write_text(source, encoding="utf-8")
    made = replace(made, findings=(*made.findings, made_file))
    rendered = render(made, "html")
    assert [sign for sign in rendered if not sign.isprintable() and sign not in "\n\t"] == []
    read = page(made)
    assert read.seen.count("details") == 2
    assert read.texts["h2"] == ["error MTM101 through-added"] * 3 + ["MTM101 through-added"]

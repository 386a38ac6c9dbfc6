"""The formats that programs read: `concise` and `json`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import lint_m2m
from lint_m2m.migration import Location, Span
from lint_m2m.reports import FORMATS, RenderOptions, render
from lint_m2m.reports.statistics import statistics
from tests.reports.examples import LIKELY, THROUGH_ADDED, WITH_SEQUENCES, report

HOSTILE = "a\x1b[31m\x07\x9b2J\u202e\u2028\ud800\r\nb ::error::图"


@pytest.fixture(scope="module")
def schema(repository: Path) -> Any:
    """The schema that docs/json.md promises."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", (repository / "docs/json.md").read_text(), re.MULTILINE | re.DOTALL)
    return json.loads(text)


def test_concise(tmp_path: Path) -> None:
    assert render(report(tmp_path, THROUGH_ADDED, LIKELY), "concise") == (
        "library/migrations/0002_authorship.py:21:64: MTM101 `AlterField` adds `through=` to the existing many-to-many "
        "`library.Book.authors`\n" * 2
    )
    assert render(report(tmp_path), "concise") == ""


def test_concise_is_one_line_whatever_the_names(tmp_path: Path) -> None:
    finding = replace(THROUGH_ADDED, message=HOSTILE, location=Location("a\nb.py:1:1: MTM999 x", Span(1, 2, 3, 4)))
    for encoding in ("utf-8", "ascii"):
        text = render(report(tmp_path, finding), "concise", RenderOptions(encoding=encoding))
        assert text.count("\n") == 1, text
        assert text[:-1].isprintable(), text
        text.encode(encoding)


def test_json_is_what_the_design_says(tmp_path: Path) -> None:
    """Every key, in order: programs may read it as a stream, people compare it as text."""
    document = json.loads(render(report(tmp_path, WITH_SEQUENCES, unread=3), "json"))
    assert list(document) == ["schema", "tool", "summary", "findings"]
    assert document["schema"] == 1
    assert list(document["tool"].items()) == [("name", "lint-m2m"), ("version", lint_m2m.__version__)]
    assert list(document["summary"].items()) == [
        ("apps", 2),
        ("migrations", 9),
        ("unread", 3),
        ("error", 1),
        ("warning", 0),
        ("info", 0),
    ]
    (finding,) = document["findings"]
    related = finding.pop("related")
    sequences = finding.pop("sequences")
    assert list(finding.items()) == [
        ("code", "MTM101"),
        ("name", "through-added"),
        ("severity", "error"),
        ("certainty", "certain"),
        ("message", "`AlterField` adds `through=` to the existing many-to-many `library.Book.authors`"),
        ("path", "library/migrations/0002_authorship.py"),
        ("line", 21),
        ("column", 64),
        ("end_line", 21),
        ("end_column", 92),
        ("app_label", "library"),
        ("migration", "0002_authorship"),
        ("operation", "1"),
        ("field", "library.book.authors"),
        ("runtime_error", THROUGH_ADDED.runtime_error),
        ("notes", list(THROUGH_ADDED.notes)),
        ("fingerprint", "5" * 64),
    ]
    assert [list(each.items()) for each in related] == [
        [
            ("path", "library/migrations/0001_initial.py"),
            ("line", 11),
            ("column", 29),
            ("message", "created without `through=`, in table `library_book_authors`"),
        ]
    ]
    assert [each["id"] for each in sequences] == ["keep-table", "rename-table", "rewrite-history"]
    steps = sequences[0].pop("steps")
    assert list(sequences[0].items()) == [
        ("id", "keep-table"),
        ("title", "keep the table, change only what Django believes"),
        ("why", "no row is touched and no table is locked"),
        ("downtime", "none"),
        ("applicability", "safe"),
        ("recommended", True),
        ("caveats", list(WITH_SEQUENCES.sequences[0].caveats)),
        ("verify", "lint-m2m prove library"),
    ]
    assert list(steps[1].items()) == [
        ("title", "pin the table"),
        ("path", "library/models.py"),
        ("language", "python"),
        ("code", WITH_SEQUENCES.sequences[0].steps[1].code),
        ("deploy_before_next", False),
    ]


def test_json_order_is_the_schema_s(tmp_path: Path, schema: Any) -> None:
    finding = json.loads(render(report(tmp_path, WITH_SEQUENCES), "json"))["findings"][0]
    assert list(finding) == list(schema["$defs"]["finding"]["properties"])
    assert list(finding["sequences"][0]) == list(schema["$defs"]["sequence"]["properties"])
    assert list(finding["sequences"][0]["steps"][0]) == list(schema["$defs"]["step"]["properties"])


def test_json_follows_its_schema(tmp_path: Path, schema: Any) -> None:
    for findings in ((), (WITH_SEQUENCES, LIKELY), (replace(LIKELY, app_label=None, migration=None, operation=None),)):
        jsonschema.validate(json.loads(render(report(tmp_path, *findings), "json")), schema)


def test_json_is_utf_8_without_surprises(tmp_path: Path) -> None:
    r"""Names as they are; what a terminal obeys or UTF-8 cannot hold as \u escapes, which mean the same."""
    text = render(report(tmp_path, replace(THROUGH_ADDED, message=HOSTILE)), "json", RenderOptions(encoding="ascii"))
    assert "图" in text
    # Half a character is no text for every reader of JSON: it is shown as an escape.
    shown = HOSTILE.replace("\ud800", "\\ud800")
    assert json.loads(text.encode("utf-8"))["findings"][0]["message"] == shown
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []


def test_json_is_the_same_for_every_reader(tmp_path: Path) -> None:
    made = report(tmp_path, WITH_SEQUENCES)
    options = RenderOptions(color=True, width=40, encoding="ascii", verbose=True, quiet=True, statistics=True)
    assert render(made, "json", options) == render(made, "json")


def test_statistics_begin_with_the_most_frequent(tmp_path: Path) -> None:
    other = replace(THROUGH_ADDED, code="MTM202", name="m2m-recreated")
    rare = replace(THROUGH_ADDED, code="MTM103", name="m2m-retyped")
    assert statistics(report(tmp_path, rare, *[other] * 10, THROUGH_ADDED)) == [
        "10  MTM202  m2m-recreated",
        " 1  MTM101  through-added",
        " 1  MTM103  m2m-retyped",
    ]
    assert statistics(report(tmp_path)) == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_any_report(tmp_path: Path, name: str) -> None:
    for made in (report(tmp_path), report(tmp_path, WITH_SEQUENCES, LIKELY)):
        text = render(made, name)
        assert text == "" or text.endswith("\n")

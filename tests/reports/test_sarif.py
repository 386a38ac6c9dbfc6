"""SARIF, against the schema of the standard and read back as a tool would."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint_m2m import __version__
from lint_m2m.finding import Finding, SequenceStep, Severity
from lint_m2m.migration import Location, Span
from lint_m2m.readers.source import split_lines
from lint_m2m.reports import Edit, EditedFile, RenderOptions, render
from lint_m2m.rules import RULES
from tests.reports.examples import AUTHORSHIP, AUTHORSHIP_SOURCE, LIKELY, THROUGH_ADDED, WITH_SEQUENCES, report
from tests.reports.hostile import ALL, hostile_report

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def valid(text: str) -> Any:
    """The only run of a document that follows the schema."""
    document = json.loads(text)
    VALIDATOR.validate(document)
    assert document["version"] == "2.1.0"
    assert document["$schema"] == SCHEMA["id"]
    (run,) = document["runs"]
    return run


def applied(source: str, replacements: list[Any]) -> str:
    """What a tool makes of a file: 3.57 of the standard, from the end to the beginning."""
    lines = split_lines(source)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + column - 1

    for one in reversed(replacements):
        region = one["deletedRegion"]
        start = offset(region["startLine"], region["startColumn"])
        end = offset(region["endLine"], region["endColumn"])
        source = source[:start] + one.get("insertedContent", {"text": ""})["text"] + source[end:]
    return source


def edit(before: str, after: str, *left: SequenceStep, path: str = AUTHORSHIP) -> RenderOptions:
    """What `render` is told of a fix for the examples' finding."""
    files = (EditedFile(path=path, before=before, after=after),)
    return RenderOptions(
        edits=(
            Edit(
                fingerprint=THROUGH_ADDED.fingerprint,
                sequence="keep-table",
                title="keep the table",
                remark="safe",
                files=files,
                left=left,
            ),
        )
    )


def test_a_finding_with_everything(tmp_path: Path) -> None:
    run = valid(render(report(tmp_path, WITH_SEQUENCES), "sarif"))
    (result,) = run["results"]
    text = result.pop("message")["text"]
    assert text.startswith(f"{THROUGH_ADDED.message}\nmigrate: ValueError: Cannot alter field")
    assert "\nhelp: keep the table, change only what Django believes (no downtime)\n" in text
    assert result == {
        "ruleId": "MTM101",
        "ruleIndex": 0,
        "level": "error",
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": AUTHORSHIP, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 21, "startColumn": 64, "endLine": 21, "endColumn": 92},
                },
                "logicalLocations": [{"fullyQualifiedName": "library.book.authors", "kind": "member"}],
            }
        ],
        "relatedLocations": [
            {
                "id": 0,
                "physicalLocation": {
                    "artifactLocation": {"uri": "library/migrations/0001_initial.py", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 11, "startColumn": 29, "endLine": 11, "endColumn": 94},
                },
                "message": {"text": "created without `through=`, in table `library_book_authors`"},
            }
        ],
        "partialFingerprints": {"lintM2m/v1": "5" * 64},
        "properties": {
            "certainty": "certain",
            "migration": "0002_authorship",
            "operation": "1",
            "sequences": ["keep-table", "rename-table", "rewrite-history"],
        },
    }


def test_every_rule_is_described(tmp_path: Path) -> None:
    driver = valid(render(report(tmp_path), "sarif"))["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("lint-m2m", __version__)
    assert [rule["id"] for rule in driver["rules"]] == [rule.code for rule in RULES]
    for rule in driver["rules"]:
        assert "## Why it breaks" in rule["help"]["markdown"]
        assert rule["help"]["text"]
        assert "\n" not in rule["shortDescription"]["text"]
        assert not rule["fullDescription"]["text"].startswith(rule["shortDescription"]["text"]), rule["id"]
    assert {rule["defaultConfiguration"]["level"] for rule in driver["rules"]} == {"error", "warning", "note"}


def test_results_refer_to_their_rule(tmp_path: Path) -> None:
    findings = [replace(LIKELY, code=rule.code, severity=rule.severity) for rule in RULES]
    run = valid(render(report(tmp_path, *findings), "sarif"))
    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["defaultConfiguration"]["level"] == result["level"]


def test_a_file_as_a_whole(tmp_path: Path) -> None:
    finding = Finding(
        code="MTM901",
        name="unreadable-migration",
        severity=Severity.ERROR,
        message="the file is not valid UTF-8",
        location=Location("library/migrations/0003_ä b#1.py", Span(1, 1, 1, 1)),
        fingerprint="6" * 64,
    )
    (result,) = valid(render(report(tmp_path, finding), "sarif"))["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "library/migrations/0003_%C3%A4%20b%231.py"
    assert place["region"] == {"startLine": 1}
    assert "logicalLocations" not in result["locations"][0]
    assert "relatedLocations" not in result


def test_names_of_files_keep_their_bytes(tmp_path: Path) -> None:
    finding = replace(THROUGH_ADDED, location=THROUGH_ADDED.location._replace(path="a:b/\udcff%.py"))
    (result,) = valid(render(report(tmp_path, finding), "sarif"))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%3Ab/%FF%25.py"
    assert unquote_to_bytes(uri) == b"a:b/\xff%.py"


def test_fix(tmp_path: Path) -> None:
    after = AUTHORSHIP_SOURCE.replace("through='library.Authorship', ", "").replace("import migrations, ", "import ")
    left = SequenceStep(title="pin the table", path="library/models.py", language="python", code="")
    options = edit(AUTHORSHIP_SOURCE, after, left, replace(left, path=None, title="run it"))
    first, second = valid(render(report(tmp_path, WITH_SEQUENCES, replace(LIKELY, fingerprint="")), "sarif", options))[
        "results"
    ]
    assert "fixes" not in second
    (fix,) = first["fixes"]
    assert fix["description"]["text"] == (
        "keep the table (keep-table, safe)\nthen: library/models.py: pin the table\nthen: run it"
    )
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": AUTHORSHIP, "uriBaseId": "%SRCROOT%"}
    assert [one["deletedRegion"]["startLine"] for one in change["replacements"]] == [1, 21]
    assert applied(AUTHORSHIP_SOURCE, change["replacements"]) == after


LINES = st.lists(st.sampled_from(["a", "b\n", "\n", "c\r\n", "d\r", "e\x0cf\n", "图\U0001f600\n"]), max_size=8)


@given(before=LINES, after=LINES)
def test_replacements_give_the_new_text(
    before: list[str], after: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the ends of the lines are; a file without a line at its end is one as well."""
    old, new = "".join(before), "".join(after)
    if not old or old == new:
        return
    root = tmp_path_factory.mktemp("fix")
    (result,) = valid(render(report(root, THROUGH_ADDED), "sarif", edit(old, new)))["results"]
    assert applied(old, result["fixes"][0]["artifactChanges"][0]["replacements"]) == new


def test_large_files_take_no_time(tmp_path: Path) -> None:
    old = "first\n" + "x\n" * 200_000 + "last\n"
    new = "1st\n" + "x\n" * 200_000 + "y\n"
    (result,) = valid(render(report(tmp_path, THROUGH_ADDED), "sarif", edit(old, new)))["results"]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["insertedContent"]["text"] == new


@pytest.mark.parametrize("text", ALL)
def test_hostile_names(tmp_path: Path, text: str) -> None:
    path = text.encode("utf-8", "replace").decode()
    options = edit("a\n", f"{text.encode('utf-8', 'replace').decode()}\n", path=path)
    rendered = render(hostile_report(tmp_path, text), "sarif", options)
    rendered.encode("utf-8")
    run = valid(rendered)
    assert [sign for sign in rendered if not sign.isprintable() and sign != "\n"] == []
    for result in run["results"]:
        texts = [result["message"]["text"], *(one["message"]["text"] for one in result.get("relatedLocations", []))]
        for shown in texts:
            assert not re.search(r"(?<!\\)\]\(", shown), "a link"
            assert not re.search(r"(?<!\{)\{\d+\}", shown), "the place of an argument"
            assert all(sign.isprintable() or sign == "\n" for sign in shown)
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w./%~-]+", uri, re.ASCII)

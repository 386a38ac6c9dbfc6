"""The terminal report, whole renderings compared.

A golden file is what STYLE.md's layout gives; ``LINT_M2M_WRITE_GOLDEN=1`` writes them anew, to be read in the diff.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lint_m2m.finding import Finding, Related, Report, Severity
from lint_m2m.migration import Location, Span
from lint_m2m.reports import RenderOptions, render
from tests.reports.examples import (
    AUTHORSHIP,
    AUTHORSHIP_SOURCE,
    INITIAL,
    LIKELY,
    RENAME_TABLE,
    THROUGH_ADDED,
    WITH_SEQUENCES,
    at,
    report,
)

GOLDEN = Path(__file__).parent / "golden"
ALL = frozenset({"check", "explain", "prove", "check --fix", "check --unsafe-fixes", "check --verbose"})

RECREATED = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.RemoveField(
            model_name="book",
            name="authors",
        ),
        migrations.AddField(
            model_name="book",
            name="authors",
            field=models.ManyToManyField(
                related_name="books",
                through="library.Authorship",
                to="library.author",
            ),
        ),
    ]
"""
RECREATED_PATH = "library/migrations/0003_recreate.py"


def recreated(**changes: object) -> Finding:
    finding = Finding(
        code="MTM202",
        name="m2m-recreated",
        severity=Severity.ERROR,
        message="`library.Book.authors` is removed and added again: its rows are lost",
        location=at(RECREATED, RECREATED_PATH, "migrations.AddField(", "),\n        ),"),
        label="comes back empty",
        related=(
            Related(
                location=at(RECREATED, RECREATED_PATH, "migrations.RemoveField(", "),"),
                message="table `library_book_authors` is dropped here, with every row in it",
            ),
        ),
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def golden(name: str, text: str) -> None:
    """Compare with a golden file, escape sequences made visible."""
    shown = text.replace("\x1b", "␛")
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("LINT_M2M_WRITE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8"), shown


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain", RenderOptions(commands=ALL)),
        ("ascii", RenderOptions(commands=ALL, encoding="ascii")),
        ("narrow", RenderOptions(commands=ALL, width=60)),
        ("wide", RenderOptions(commands=ALL, width=120)),
        ("color", RenderOptions(commands=ALL, color=True)),
        ("verbose", RenderOptions(commands=ALL, verbose=True)),
        ("today", RenderOptions(commands=frozenset({"check", "explain", "check --verbose"}), statistics=True)),
        ("quiet", RenderOptions(quiet=True, statistics=True)),
    ],
)
def test_whole_report(tmp_path: Path, name: str, options: RenderOptions) -> None:
    golden(name, render(report(tmp_path, WITH_SEQUENCES, LIKELY), "full", options))


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_near_places_share_a_frame_and_long_spans_have_a_bar(tmp_path: Path, width: int) -> None:
    text = render(report(tmp_path, recreated(), files={RECREATED_PATH: RECREATED}), "full", RenderOptions(width=width))
    golden(f"recreated_{width}", text)


def test_places_far_apart_have_frames_of_their_own(tmp_path: Path) -> None:
    source = RECREATED.replace("        migrations.AddField(", "        # …\n" * 20 + "        migrations.AddField(")
    finding = recreated(
        location=at(source, RECREATED_PATH, 'through="library.Authorship"'),
        related=(
            Related(location=at(source, RECREATED_PATH, '"authors"'), message="removed here"),
            Related(location=Location(INITIAL, Span(11, 29, 11, 95)), message="created here"),
        ),
    )
    golden("far", render(report(tmp_path, finding, files={RECREATED_PATH: source}), "full", RenderOptions()))


def test_spans_within_each_other(tmp_path: Path) -> None:
    """Two that spread over the same lines cannot share a bar; one within a line can be inside another's bar."""
    finding = recreated(
        related=(
            Related(location=at(RECREATED, RECREATED_PATH, "models.ManyToManyField(", "),"), message="this field"),
            Related(location=at(RECREATED, RECREATED_PATH, 'to="library.author"'), message="its target"),
        )
    )
    golden("nested", render(report(tmp_path, finding, files={RECREATED_PATH: RECREATED}), "full", RenderOptions()))


def test_two_marks_on_one_line(tmp_path: Path) -> None:
    finding = replace(
        THROUGH_ADDED,
        related=(Related(location=at(AUTHORSHIP_SOURCE, AUTHORSHIP, "to='library.author'"), message="the target"),),
    )
    golden("one_line", render(report(tmp_path, finding), "full", RenderOptions(width=140)))


def test_nothing_found_says_what_was_checked(tmp_path: Path) -> None:
    assert render(report(tmp_path), "full", RenderOptions()) == (
        "no findings in 9 migrations of 2 apps, everything read\n"
    )
    assert render(report(tmp_path, unread=1), "full", RenderOptions()) == (
        "no findings in 9 migrations of 2 apps, 1 part not read\n"
    )
    assert render(report(tmp_path), "full", RenderOptions(quiet=True)) == ""


HOSTILE = "a\x1b[31mred\x07\x00\x9b2J\u202eback\u200b\u2028\ud800\U000e0041\r\nend"


def test_hostile_names(tmp_path: Path) -> None:
    r"""Terminal controls, rich markup, direction marks, NUL, lone surrogates: seen, never obeyed."""
    source = "x = '\x1b]0;title\x07[bold red]\u202e\x9b1m\ttab'  # [link=file:///etc]\n"
    path = "app/migrations/0001_\x1b[2J.py"
    step = RENAME_TABLE.steps[0]
    finding = replace(
        THROUGH_ADDED,
        message=f"[bold]{HOSTILE}[/bold]",
        label=HOSTILE,
        location=Location(path, Span(1, 5, 1, 38)),
        runtime_error=HOSTILE,
        notes=(HOSTILE, "[red]markup[/red] :smile:"),
        related=(Related(location=Location("nowhere\x1b.py", Span(3, 1, 3, 4)), message=HOSTILE),),
        sequences=(
            replace(
                RENAME_TABLE,
                id=HOSTILE,
                title=HOSTILE,
                why=HOSTILE,
                caveats=(HOSTILE,),
                verify=HOSTILE,
                steps=(replace(step, title=HOSTILE, path=HOSTILE, code=f"\tif x:\n\t\treturn '{HOSTILE}'\n"),),
            ),
        ),
    )
    made = report(tmp_path, finding, files={path: source})
    for name, options in (
        ("hostile", RenderOptions(verbose=True)),
        ("hostile_color", RenderOptions(verbose=True, color=True)),
    ):
        text = render(made, "full", options)
        golden(name, text)
        bare = re.sub(r"\x1b\[[0-9;]*m", "", text) if options.color else text
        assert [
            sign for sign in bare if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl") and sign not in "\n\t"
        ] == []


def test_wide_characters_keep_the_carets_below(tmp_path: Path) -> None:
    source = "\tnames = ['図書館の本', 'e\u0301tat', 'library.Authorship']\n"
    path = "図/0001_initial.py"
    target = "'library.Authorship'"
    finding = replace(THROUGH_ADDED, location=at(source, path, target), related=(), runtime_error=None, notes=())
    text = render(report(tmp_path, finding, files={path: source}), "full", RenderOptions())
    lines = text.splitlines()
    (number,) = [index for index, line in enumerate(lines) if target in line]
    assert cell_len(lines[number].partition(target)[0]) == cell_len(lines[number + 1].partition("^")[0]), text
    assert lines[number + 1].count("^") == len(target), text
    golden("east_asian", text)


def test_poor_stream_gets_escapes(tmp_path: Path) -> None:
    source = "names = ['図', 'é']  # library.Authorship\n"
    path = "app/0001_initial.py"
    finding = replace(
        THROUGH_ADDED,
        message="tables “é” → `図` …",
        location=at(source, path, "library.Authorship"),
        related=(),
        runtime_error=None,
        notes=(),
    )
    made = report(tmp_path, finding, files={path: source})
    assert r"names = ['\u56f3', '\xe9']" in render(made, "full", RenderOptions(encoding="ascii"))
    for encoding in ("ascii", "latin-1", "cp437", "cp932", "utf-8"):
        text = render(made, "full", RenderOptions(encoding=encoding))
        text.encode(encoding)
        (guilty,) = [index for index, line in enumerate(text.splitlines()) if "# library.Authorship" in line]
        before = text.splitlines()[guilty].partition("library.Authorship")[0]
        marks = text.splitlines()[guilty + 1]
        assert cell_len(before) == len(marks.partition("^")[0]), text
    first = render(made, "full", RenderOptions(encoding="ascii")).splitlines()[0]
    assert first == r'error[MTM101]: tables "\xe9" -> `\u56f3` ...'


def test_files_that_cannot_be_shown(tmp_path: Path) -> None:
    """Gone, beyond the end, not text, or the file as a whole: the place is named, the label is not lost."""
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe broken = 1\n")
    (tmp_path / "folder.py").mkdir()
    findings = [
        replace(THROUGH_ADDED, location=location, related=(), notes=(), runtime_error=None)
        for location in (
            Location("gone.py", Span(3, 5, 3, 9)),
            Location("folder.py", Span(3, 5, 3, 9)),
            Location("binary.py", Span(1, 4, 1, 10)),
            Location(INITIAL, Span(999, 5, 1000, 9)),
            Location(INITIAL, Span(1, 1, 1, 1)),
            Location(INITIAL, Span(4, 7, 4, 7)),
            Location(INITIAL, Span(4, 700, 4, 705)),
        )
    ]
    golden("places", render(report(tmp_path, *findings), "full", RenderOptions()))


def test_megabytes_in_one_line(tmp_path: Path) -> None:
    source = "x = [" + "'filler', " * 90_000 + "through='library.Authorship'" + ", 'filler'" * 90_000 + "]\n"
    finding = replace(THROUGH_ADDED, location=at(source, "long.py", "through='library.Authorship'"), related=())
    text = render(report(tmp_path, finding, files={"long.py": source}), "full", RenderOptions())
    (line,) = [line for line in text.splitlines() if "through='library.Authorship'" in line and line.startswith("1 |")]
    assert (line[:5], line[-1]) == ("1 | …", "…"), text
    assert len(line) <= 80, text


def test_line_endings_are_the_parser_s(tmp_path: Path) -> None:
    r"""A lone "\r" ends a line for Python; form feed and U+2028 do not."""
    source = "a = 1\rb = '\x0c\u2028'\r\nc = 3\n"
    finding = replace(THROUGH_ADDED, location=Location("m.py", Span(3, 1, 3, 2)), related=())
    text = render(report(tmp_path, finding, files={"m.py": source}), "full", RenderOptions())
    assert "3 | c = 3\n" in text, text


def test_command_is_offered_only_when_it_exists(tmp_path: Path) -> None:
    made = report(tmp_path, WITH_SEQUENCES)
    none = render(made, "full", RenderOptions())
    assert "--fix" not in none, none
    assert "lint-m2m prove\n" not in none, none
    assert "lint-m2m explain MTM101" in none, none
    unsafe = replace(made, findings=(replace(WITH_SEQUENCES, sequences=(RENAME_TABLE,)),))
    text = render(unsafe, "full", RenderOptions(commands=ALL))
    assert "apply: lint-m2m check --fix --unsafe-fixes" in text, text


FRAGMENTS = st.sampled_from(["a", "migrations.AlterField(", "    ", "\t", "図", "é", "\x1b", "'", ")", "\u0301", "🎉"])
SOURCES = st.lists(st.lists(FRAGMENTS, max_size=12).map("".join), min_size=1, max_size=14)
SPANS = st.tuples(st.integers(1, 16), st.integers(1, 60), st.integers(0, 10), st.integers(1, 60))


def span_of(numbers: tuple[int, int, int, int]) -> Span:
    line, column, more, end = numbers
    return Span(line, column, line + more, end if more else max(end, column))


@given(SOURCES, st.lists(SPANS, min_size=1, max_size=4), st.integers(40, 120), st.sampled_from(["utf-8", "ascii"]))
def test_any_place_in_any_source(
    tmp_path_factory: pytest.TempPathFactory,
    source: list[str],
    spans: list[tuple[int, int, int, int]],
    width: int,
    encoding: str,
) -> None:
    """Never a traceback, never a control character, never a line that is wider than the screen."""
    root = tmp_path_factory.mktemp("any")
    first, *others = [Location("m.py", span_of(span)) for span in spans]
    finding = Finding(
        code="MTM101",
        name="through-added",
        severity=Severity.INFO,
        message="the many-to-many field of this model is removed, " * 3,
        reason="so many words that they have to be wrapped",
        notes=("and then some more of them",),
        location=first,
        label="here it is",
        related=tuple(Related(location=other, message="there it was") for other in others),
    )
    made: Report = report(root, finding, files={"m.py": "\n".join(source)})
    text = render(made, "full", RenderOptions(width=width, encoding=encoding))
    text.encode(encoding)
    for line in text.splitlines():
        assert cell_len(line) <= width, text
        assert line.isprintable(), text
    colored = render(made, "full", RenderOptions(width=width, encoding=encoding, color=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == text


def test_what_is_refused_has_no_downtime_to_speak_of(tmp_path: Path) -> None:
    refused = replace(RENAME_TABLE, why="", caveats=(), title="refused: an automatic table has no place for `note`")
    text = render(report(tmp_path, replace(THROUGH_ADDED, sequences=(refused,))), "full", RenderOptions())
    assert "help: refused: an automatic table has no place for `note` (yours to decide)" in text
    assert "downtime" not in text

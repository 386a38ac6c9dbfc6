"""The comment on a pull request, read by a CommonMark parser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lint_m2m.reports import render
from lint_m2m.reports.markdown import LIMIT, MARKER, code_span, fenced, inline
from tests.reports.examples import KEEP_TABLE, LIKELY, WITH_SEQUENCES, report
from tests.reports.hostile import ALL, hostile_report

# The tags and comments that the format itself writes.
OWN_HTML = re.compile(r"</?(?:details|summary|code)>|<!-- -->|<!-- lint-m2m -->")


def as_html(text: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


def test_a_finding_with_everything(tmp_path: Path) -> None:
    text = render(report(tmp_path, WITH_SEQUENCES, LIKELY), "markdown")
    assert text.startswith(f"{MARKER}\n### lint-m2m: 2 errors in 9 migrations of 2 apps, everything read\n")
    html = as_html(text)
    assert html.count("<h4>error: MTM101 through-added</h4>") == 2
    assert (
        "<p><code>library/migrations/0002_authorship.py:21:64</code>: <code>AlterField</code> adds "
        "<code>through=</code> to the existing many-to-many <code>library.Book.authors</code></p>"
    ) in html
    assert "<li>likely: <code>RunPython</code> <code>copy_links</code> could not be read</li>" in html
    assert "<li>explain: <code>lint-m2m explain MTM101</code></li>" in html
    assert html.count("<details>") == html.count("</details>") == 3
    assert (
        "<details><summary>Safe sequence: keep the table, change only what Django believes (no downtime)</summary>"
        in html
    )
    assert "<summary>Another way: edit the initial migration (unreleased only)</summary>" in html
    assert f'<pre><code class="language-python">{KEEP_TABLE.steps[0].code}</code></pre>' in html.replace("&quot;", '"')
    assert "<p>Deploy this before the next step.</p>" in html
    assert "<li>verify: <code>lint-m2m prove library</code></li>" in html


def test_no_findings(tmp_path: Path) -> None:
    """The comment of the last run is brought up to date with it."""
    expected = f"{MARKER}\n### lint-m2m: no findings in 9 migrations of 2 apps, everything read\n"
    assert render(report(tmp_path), "markdown") == expected


def test_length(tmp_path: Path) -> None:
    """A service takes comments up to a length: what is left out is folded away first, then counted."""
    some = render(report(tmp_path, *[WITH_SEQUENCES] * 40), "markdown")
    assert some.count("#### error") == 40
    assert 0 < some.count("Safe sequence") < 40
    many = render(report(tmp_path, *[WITH_SEQUENCES] * 500), "markdown")
    shown = many.count("#### error")
    assert f"…and {500 - shown} findings more.\n" in many
    assert many.count("Safe sequence") == 0
    assert max(len(some), len(many)) < LIMIT + 100


@pytest.mark.parametrize("text", ALL)
def test_hostile_names_are_text(tmp_path: Path, text: str) -> None:
    rendered = render(hostile_report(tmp_path, text), "markdown")
    assert [sign for sign in rendered if not sign.isprintable() and sign not in "\n\t"] == []
    html = as_html(rendered)
    for tag in ("<a ", "<img", "<script", "<table", "<hr", "<s>", "<em>", "<blockquote", "<h1", "<h2"):
        assert tag not in html, rendered
    # The folds are all there, and nothing closes one early.
    assert html.count("<details>") == html.count("</details>") == 2
    assert html.count("<summary>") == html.count("</summary>") == 2
    assert html.count("<h3>") == 1
    assert html.count("<h4>") == 2
    # Outside code: no mention, no issue number, no address that a service would link by itself.
    prose = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    assert "@everyone" not in prose
    assert "<" not in re.sub(r"</?(?:p|h3|h4|ul|li|strong|details|summary)>|<!-- -->|<!-- lint-m2m -->", "", prose)
    outside = re.sub(r"^(`{3,}).*?^\1$|(`+)(?!`).*?(?<!`)\2(?!`)", "", rendered, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"#1|https?://|www\.|(?<!\\)\$", re.sub(r"<summary>.*", "", outside)), outside


@pytest.mark.parametrize("code", ["`", "``", "a`b", " a", "`a``b`", "a|b", "<b>", "\\", "@x"])
def test_code_span_is_code_to_the_last_sign(code: str) -> None:
    html = as_html(code_span(code))
    escaped = code.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html == f"<p><code>{escaped}</code></p>\n"


def test_inline_keeps_code_between_backticks() -> None:
    assert inline("`a_b` and c_d @e") == "`a_b` and c\\_d @<!-- -->e"
    assert inline("an odd ` one") == "an odd \\` one"


def test_no_line_of_the_code_ends_its_block() -> None:
    assert fenced("a\n````\nb\n", "python") == "`````python\na\n````\nb\n`````\n"


@given(st.text(alphabet="`*_[]()<>&#|~@:$!\\\n\t\"'=-+. ,{}ahtps/w1", max_size=30))
def test_inline_makes_only_code(text: str) -> None:
    html = as_html(f"x {inline(text)}")
    assert re.sub(r"</?(?:p|code)>|<!-- -->", "", html).count("<") == 0, html
    assert not re.search(r"@[^<]|#\d", re.sub(r"<code>.*?</code>", "", html)), html

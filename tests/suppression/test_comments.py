"""Which comments are found, and what they say."""

from __future__ import annotations

import pytest

from lint_m2m.migration import Span
from lint_m2m.readers.source import speaks_of_us
from lint_m2m.suppression import Ignore, ignores


def codes(ignore: Ignore) -> list[str]:
    return [code.code for code in ignore.codes]


def only(text: str) -> Ignore:
    (found,) = ignores(text)
    return found


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# lint-m2m: ignore[MTM101]", ["MTM101"]),
        ("# lint-m2m: ignore[MTM101] the rows were copied by hand", ["MTM101"]),
        ("#lint-m2m:ignore[MTM101,MTM202]", ["MTM101", "MTM202"]),
        ("#  lint-m2m :  ignore [ MTM101 , mtm202, ]", ["MTM101", "MTM202"]),
        ("# lint-m2m: ignore[MTM101, MTM101]", ["MTM101"]),
        ("# Lint_M2M: Ignore[MTM101]", ["MTM101"]),
        ("# type: ignore  # lint-m2m: ignore[MTM101]  # pragma: no cover", ["MTM101"]),
        ("# lint-m2m: ignore[MTM101][MTM202]", ["MTM101"]),
        ("# noqa: MTM101", ["MTM101"]),
        ("# NOQA:MTM101,E501", ["MTM101", "E501"]),
        ("# noqa: E501 MTM101 and a reason", ["E501", "MTM101"]),
    ],
)
def test_codes(comment: str, expected: list[str]) -> None:
    found = only(f"x = 1  {comment}\n")
    assert codes(found) == expected
    assert (found.line, found.whole_file, found.trouble) == (1, False, None)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "x = 1  # noqa\n",
        "x = 1  # noqa: E501\n",
        "x = 1  # MTM101 is silent here\n",
        "x = '# lint-m2m: ignore[MTM101]'\n",
        'x = """\n# lint-m2m: ignore-file[MTM101]\n# noqa: MTM101\n"""\n',
        "x = f'# noqa: MTM101 {1}'\n",
        "x = 1  # see lint-m2m: it has rules\n",
    ],
)
def test_no_comment_of_ours(text: str) -> None:
    assert ignores(text) == ()


@pytest.mark.parametrize(
    ("comment", "trouble"),
    [
        ("ignore", "`ignore` names no rule, so it silences nothing"),
        ("ignore everything", "`ignore` names no rule, so it silences nothing"),
        ("ignore[]", "`ignore` names no rule, so it silences nothing"),
        ("ignore[ , ]", "`ignore` names no rule, so it silences nothing"),
        ("ignore-file", "`ignore-file` names no rule, so it silences nothing"),
        ("ignore[MTM101", "`ignore` has no closing bracket"),
        ("ignroe[MTM101]", "`lint-m2m: ignroe` is neither `ignore` nor `ignore-file`; nearest: `ignore`"),
        (
            "file-ignore[MTM101]",
            "`lint-m2m: file-ignore` is neither `ignore` nor `ignore-file`; nearest: `ignore-file`",
        ),
        ("off", "`lint-m2m: off` is neither `ignore` nor `ignore-file`"),
        ("", "`lint-m2m: ` is neither `ignore` nor `ignore-file`"),
    ],
)
def test_comment_that_cannot_be_followed_silences_nothing(comment: str, trouble: str) -> None:
    found = only(f"x = 1  # lint-m2m: {comment}\n")
    assert found.trouble == trouble
    assert found.codes == ()


def test_places() -> None:
    """Of the comment and of each code, in characters."""
    text = "\nname = '図'  # lint-m2m: ignore[MTM101,  MTM202] reason\n# lint-m2m: ignore-file[MTM303]\n"
    on_line, on_file = ignores(text)
    assert on_line.span == Span(2, 13, 2, 48)
    assert [code.span for code in on_line.codes] == [Span(2, 32, 2, 38), Span(2, 41, 2, 47)]
    assert (on_file.line, on_file.whole_file, codes(on_file)) == (3, True, ["MTM303"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_endings(end: str) -> None:
    text = end.join(["x = 1", "y = '''", "'''", "z = 1  # noqa: MTM101", ""])
    assert only(text).line == 4


@pytest.mark.parametrize(
    "rest",
    ["x = (\n", "x = '''\n", "  x\n y\n", "x = 1 $ 2\n", "x = \x00\n", "class A:\n", "except A, B:\n    pass\n"],
)
def test_broken_file_keeps_the_comments_before_the_trouble(rest: str) -> None:
    """A file-wide comment is the only way to silence MTM901."""
    assert codes(ignores("# lint-m2m: ignore-file[MTM901]\n" + rest)[0]) == ["MTM901"]


def test_file_without_the_words_is_not_tokenized() -> None:
    for comment in ("# lint-m2m: ignore", "# noqa: MTM101", "# lint_m2m: ignore[MTM101]"):
        assert speaks_of_us(f"x = 1  {comment}".encode())
    assert not speaks_of_us(b"# noqa: E501\nclass Migration(migrations.Migration): ...")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = 1\ny = 2  # noqa: MTM101\n", (2, 2)),
        ("x = 1\ny = '''\n\n'''  # noqa: MTM101\n", (2, 4)),
        ("x = [\n    '''\n    ''',  # noqa: MTM101\n]\n", (2, 3)),
        ("x = 1 + \\\n    2  # noqa: MTM101\n", (1, 2)),
        ("if x:\n    y = 1\n# noqa: MTM101\nz = 1\n", (3, 3)),
        ("if x:\n    y = 1\nz = 1  # noqa: MTM101\n", (3, 3)),
    ],
)
def test_a_comment_is_about_the_lines_it_is_joined_with(text: str, lines: tuple[int, int]) -> None:
    """As flake8 has it: a string over several lines has no other place for a comment."""
    found = only(text)
    assert (found.first_line, found.line) == lines


def test_rules_by_name() -> None:
    names = {"through-added": "MTM101"}
    (ignore,) = ignores("# lint-m2m: ignore[Through-Added, MTM101, through-aded]\n", names)
    assert codes(ignore) == ["MTM101", "THROUGH-ADED"]
    assert ignores("x = 1  # noqa: through-added\n", names) == ()

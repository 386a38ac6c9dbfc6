"""What a comment silences, and when it is reported as useless."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lint_m2m.finding import Finding, Severity
from lint_m2m.migration import (
    AddField,
    ConditionalOperations,
    DeleteModel,
    Field,
    FieldKind,
    Location,
    Migration,
    RunSQL,
    SeparateDatabaseAndState,
    Span,
)
from lint_m2m.suppression import Suppressions, UnusedIgnore, finding_of, first_lines, ignores

PATH = "library/migrations/0002_tags.py"
KNOWN = ["MTM101", "MTM202", "MTM303", "MTM904"]

TEXT = """\
operations = [
    migrations.AlterField(  {opening}
        model_name="book",
        field=models.ManyToManyField(
            through="library.Authorship",  {guilty}
        ),
    ),  {closing}
]
"""


def text(opening: str = "", guilty: str = "", closing: str = "", head: str = "") -> str:
    return head + TEXT.format(opening=opening, guilty=guilty, closing=closing)


def finding(code: str = "MTM101", line: int = 5, end_line: int | None = None, path: str = PATH) -> Finding:
    return Finding(
        code=code,
        name="name",
        severity=Severity.ERROR,
        message="message",
        location=Location(path, Span(line, 13, end_line or line, 41)),
    )


def suppressions(source: str) -> Suppressions:
    return Suppressions({PATH: ignores(source)})


def always(code: str, path: str) -> bool:
    return True


def unused(source: str, *findings: Finding, applies: Callable[[str, str], bool] = always) -> list[UnusedIgnore]:
    """What is left over after all findings, on whose operation's first line is line 2, had their chance."""
    made = suppressions(source)
    for each in findings:
        made.silences(each, [2])
    return [*made.unused(KNOWN, applies), *made.unused_own(applies)]


@pytest.mark.parametrize(
    "comment", ["# lint-m2m: ignore[MTM101] why", "# noqa: MTM101", "# noqa: E501,MTM101", "# noqa:MTM1"]
)
def test_operation_s_first_line_and_guilty_line(comment: str) -> None:
    assert suppressions(text(opening=comment)).silences(finding(), [2])
    assert suppressions(text(guilty=comment)).silences(finding(), [2])
    assert not suppressions(text(closing=comment)).silences(finding(), [2])
    assert not suppressions(text(opening=comment)).silences(finding("MTM202"), [2])


def test_every_line_of_a_guilty_span() -> None:
    for place in ("opening", "guilty", "closing"):
        source = text(**{place: "# lint-m2m: ignore[MTM101]"})
        assert suppressions(source).silences(finding(line=2, end_line=7)), place


def test_whole_file() -> None:
    source = text(head="# lint-m2m: ignore-file[MTM101, MTM303]\n")
    assert suppressions(source).silences(finding(line=99))
    assert suppressions(source).silences(finding("MTM303", line=1))
    assert not suppressions(source).silences(finding("MTM202", line=1))
    assert not suppressions(source).silences(finding(path="library/migrations/0003.py"))


def test_used_comments_are_not_reported() -> None:
    source = text(
        head="# lint-m2m: ignore-file[MTM303]\n", opening="# lint-m2m: ignore[MTM101]", guilty="# noqa: MTM202"
    )
    made = suppressions(source)
    assert made.silences(finding("MTM303", line=1))
    assert made.silences(finding("MTM101", line=6), [3])
    assert made.silences(finding("MTM202", line=6), [3])
    assert list(made.unused(KNOWN, always)) == []


def test_unused_comment() -> None:
    (found,) = unused(text(closing="# lint-m2m: ignore[MTM101] once"), finding())
    assert found.location == Location(PATH, Span(7, 28, 7, 34))
    assert (found.message, found.label) == ("the `ignore` comment for `MTM101` silences nothing", "no MTM101 here")


def test_each_unused_code_is_reported_alone() -> None:
    found = unused(text(opening="# lint-m2m: ignore[MTM101, MTM202, MTM303]"), finding("MTM202"))
    assert [each.message for each in found] == [
        "the `ignore` comment for `MTM101` silences nothing",
        "the `ignore` comment for `MTM303` silences nothing",
    ]
    assert [each.location.span.column for each in found] == [48, 64]


def test_unused_file_comment() -> None:
    (found,) = unused(text(head="# lint-m2m: ignore-file[MTM101]\n"))
    assert found.message == "the `ignore-file` comment for `MTM101` silences nothing"
    assert found.label == "no MTM101 in this file"


def test_unknown_code_names_the_nearest() -> None:
    (found,) = unused(text(opening="# lint-m2m: ignore[MTM305]"))
    assert found.message == "the ignore comment names `MTM305`, and there is no such rule; nearest: `MTM303`"
    (found,) = unused(text(opening="# lint-m2m: ignore[through-added]"))
    assert found.message == "the ignore comment names `through-added`, and there is no such rule"


def test_trouble_is_reported_with_the_right_form() -> None:
    (found,) = unused(text(opening="# lint-m2m: ignore"), finding())
    assert found.message == "`ignore` names no rule, so it silences nothing"
    assert found.notes == ("write `# lint-m2m: ignore[CODE] reason` on the operation's first line",)


def test_noqa_is_reported_only_when_it_is_all_ours() -> None:
    assert [each.message for each in unused(text(opening="# noqa: MTM101, MTM202"))] == [
        "the `noqa` comment for `MTM101` silences nothing",
        "the `noqa` comment for `MTM202` silences nothing",
    ]
    assert unused(text(opening="# noqa: MTM101, E501")) == []
    assert unused(text(opening="# noqa: MTM999")) == []
    assert unused(text(opening="# noqa: MTM1")) == []
    assert unused(text(opening="# noqa")) == []


def test_rules_that_are_off_make_no_comment_useless() -> None:
    source = text(opening="# lint-m2m: ignore[MTM101, MTM202]")
    found = unused(source, applies=lambda code, path: (code, path) != ("MTM101", PATH))
    assert [each.message for each in found] == ["the `ignore` comment for `MTM202` silences nothing"]


def test_comment_against_unused_ignores() -> None:
    """It is judged after all others: it may be the reason why another is kept."""
    kept = text(opening="# lint-m2m: ignore[MTM101, MTM904]")
    made = suppressions(kept)
    facts = list(made.unused(KNOWN, always))
    assert [fact.message for fact in facts] == ["the `ignore` comment for `MTM101` silences nothing"]
    assert made.silences(finding_of(facts[0], None, "unused-ignore", Severity.WARNING))
    assert list(made.unused_own(always)) == []
    (left,) = unused(text(opening="# lint-m2m: ignore[MTM904]"))
    assert left.message == "the `ignore` comment for `MTM904` silences nothing"
    assert unused(text(opening="# lint-m2m: ignore[MTM904]"), applies=lambda code, path: code != "MTM904") == []


def test_finding_of_an_unused_comment() -> None:
    (fact,) = unused(text(opening="# lint-m2m: ignore[MTM101]"))
    made = finding_of(fact, Migration(app_label="library", name="0002_tags", path=PATH), "unused-ignore", Severity.INFO)
    assert (made.code, made.name, made.severity) == ("MTM904", "unused-ignore", Severity.INFO)
    assert (made.app_label, made.migration, made.operation) == ("library", "0002_tags", None)
    assert (made.location, made.message, made.label) == (fact.location, fact.message, fact.label)


def operation(line: int) -> AddField:
    field = Field(class_path="django.db.models.TextField", kind=FieldKind.COLUMN)
    return AddField(model_name="book", name="note", field=field, span=Span(line, 1, line + 3, 2))


def test_first_lines() -> None:
    migration = Migration(
        app_label="library",
        name="0002",
        path=PATH,
        operations=(
            operation(10),
            SeparateDatabaseAndState(
                database_operations=(operation(22), operation(23)),
                state_operations=(
                    RunSQL(sql=("SELECT 1",), state_operations=(operation(31),), span=Span(30, 1, 33, 2)),
                    SeparateDatabaseAndState(state_operations=(operation(41),), span=Span(40, 1, 43, 2)),
                ),
                span=Span(20, 1, 50, 2),
            ),
            ConditionalOperations(branches=((), (DeleteModel(name="Tag"), operation(62))), reason="?", span=None),
        ),
    )
    assert first_lines(migration, "0") == {10}
    assert first_lines(migration, "1") == {20}
    assert first_lines(migration, "1.database.1") == {20, 23}
    assert first_lines(migration, "1.state.0.state.0") == {20, 30, 31}
    assert first_lines(migration, "1.state.1.state.0") == {20, 40, 41}
    assert first_lines(migration, "2.branch.1.1") == {62}
    for nonsense in (
        "",
        "7",
        "0.state.0",
        "1.elsewhere.0",
        "1.database",
        "2.branch.9.0",
        "2.branch",
        "2.branch.x.0",
        "x",
    ):
        assert first_lines(migration, nonsense) <= {10, 20}

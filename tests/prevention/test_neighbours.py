"""Other packages that override `makemigrations`, and the system checks."""

from __future__ import annotations

import pytest

from tests.prevention.conftest import Changing
from tests.prevention.test_makemigrations import CHANGED, PLAIN

LINEAR, LINTER = "django_linear_migrations", "django_migration_linter"
# Its `note` takes two migrations.
NOTED = {"library": CHANGED["library"] + "    note = models.CharField(max_length=9, blank=True)\n"}
NAMES = ("0002_authorship_alter_book_authors", "0003_authorship_note_not_null")


@pytest.mark.parametrize(
    ("others", "arguments"),
    [
        (("lint_m2m", LINEAR), ()),
        (("lint_m2m", LINTER), ("--lint",)),
        (("lint_m2m", LINEAR, LINTER), ()),
        (("lint_m2m", LINTER, LINEAR), ("--lint",)),
    ],
)
def test_lint_m2m_before_others(others: tuple[str, ...], arguments: tuple[str, ...], changing: Changing) -> None:
    """What the next of them does is done with the migrations that are really written."""
    changing.others = others
    changing.start(PLAIN)
    listed = changing.folder / "library" / "migrations" / "max_migration.txt"
    if LINEAR in others:
        listed.write_text("0001_initial\n")
    changing.models(NOTED)
    answer = changing.manage("makemigrations", "--no-input", *arguments)
    assert answer["status"] == 0, answer["err"]
    assert answer["err"] == ""
    paths = [f"library/migrations/{name}.py" for name in NAMES]
    if others[1] == LINEAR:
        assert listed.read_text() == f"{NAMES[1]}\n"
        assert list(changing.files()) == paths
    else:
        # It dislikes NOT NULL, and nobody is there who could tell it to keep that migration.
        assert f"(library, {NAMES[0]})... OK" in answer["out"]
        assert f"(library, {NAMES[1]})... ERR" in answer["out"]
        assert list(changing.files()) == paths[:1]
        assert f"{NAMES[1]}.py (removed again while this command ran)" in answer["out"]


@pytest.mark.parametrize("other", [LINEAR, LINTER])
def test_lint_m2m_after_others(other: str, changing: Changing) -> None:
    """Their command is in force; a system check says so."""
    changing.others = (other, "lint_m2m")
    changing.start(PLAIN)
    (changing.folder / "library" / "migrations" / "max_migration.txt").write_text("0001_initial\n")
    changing.models(CHANGED)
    answer = changing.manage("makemigrations", "--dry-run")
    assert f"(lint_m2m.W002) `makemigrations` is `{other}`'s" in answer["err"]
    assert "keep-table" not in answer["out"]
    changing.settings = {"LINT_M2M": {"MAKEMIGRATIONS": False}}
    assert changing.manage("makemigrations", "--dry-run")["err"] == ""


def test_pending_changes_are_checked_for_when_asked(changing: Changing) -> None:
    changing.start(PLAIN)
    changing.models(CHANGED)
    for command in (("check",), ("check", "--tag", "models"), ("check", "--deploy"), ("makemigrations", "--dry-run")):
        assert "lint_m2m.W001" not in changing.manage(*command)["err"]
    asked = changing.manage("check", "--tag", "lint_m2m")
    assert (
        "library.Book.authors: (lint_m2m.W001) `library.Book.authors` gains `through=library.Authorship`"
        in asked["err"]
    )
    assert asked["status"] == 0
    assert changing.manage("check", "--tag", "lint_m2m", "--fail-level", "WARNING")["status"] == 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"MAKEMIGRATION": False},
            "unknown key `MAKEMIGRATION` in `LINT_M2M`; the nearest known one is `MAKEMIGRATIONS`",
        ),
        ({"MAKEMIGRATIONS": "no"}, "has to be True or False"),
        ([], "has to be a dictionary"),
    ],
)
def test_settings_that_mean_nothing(value: object, message: str, changing: Changing) -> None:
    changing.start(PLAIN)
    changing.settings = {"LINT_M2M": value}
    answer = changing.manage("check")
    assert answer["status"] == 1
    assert "lint_m2m.E001" in answer["err"]
    assert message in answer["err"]

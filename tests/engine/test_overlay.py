"""A check of files that are not on disk: texts laid over a project."""

from __future__ import annotations

from pathlib import Path

from lint_m2m.config import Config
from lint_m2m.engine import Outcome, run
from tests.cli.projects import INITIAL, THROUGH, library


def outcome(root: Path, overlay: dict[Path, bytes]) -> Outcome:
    return run([root], lambda _: Config(), overlay=overlay)


def codes(root: Path, overlay: dict[str, str]) -> list[str]:
    laid = {root / name: text.encode() for name, text in overlay.items()}
    return [f"{one.path}:{one.span.line} {one.code}" for one in outcome(root, laid).report.findings]


def test_text_laid_over_a_file_counts(tmp_path: Path) -> None:
    root = library(tmp_path)
    path = "library/migrations/0002_authorship.py"
    assert codes(root, {}) == [f"{path}:18 MTM101"]
    assert codes(root, {path: "\n\n" + THROUGH}) == [f"{path}:20 MTM101"]
    assert codes(root, {path: THROUGH.partition("        migrations.AlterField")[0] + "    ]\n"}) == []
    assert [one.partition(" ")[2] for one in codes(root, {path: "class Migration("})] == ["MTM901"]


def test_a_file_that_is_not_there_yet_is_a_migration(tmp_path: Path) -> None:
    root = library(tmp_path)
    before = outcome(root, {}).report.summary.migrations
    new = {root / "library/migrations/0003_more.py": b"from django.db.migrations import *\nnonsense("}
    after = outcome(root, new).report
    assert after.summary.migrations == before + 1
    assert [one.path for one in after.findings if one.code == "MTM901"] == ["library/migrations/0003_more.py"]
    assert not (root / "library/migrations/0003_more.py").exists()


def test_a_file_in_no_folder_of_the_project_is_left_out(tmp_path: Path) -> None:
    root = library(tmp_path)
    away = {tmp_path / "nowhere/migrations/0001_initial.py": INITIAL.encode()}
    assert outcome(root, away).report == outcome(root, {}).report


def test_sequences_are_made_for_the_text_laid_over(tmp_path: Path) -> None:
    root = library(tmp_path)
    path = "library/migrations/0002_authorship.py"
    shifted = "# moved\n" + THROUGH
    (way,) = outcome(root, {root / path: shifted.encode()}).ways_out
    assert way.situation.sources[path] == shifted


def test_what_migrations_import_from_a_file_laid_over(tmp_path: Path) -> None:
    root = library(
        tmp_path,
        **{
            "library/shared.py": "operations = []\n",
            "library/migrations/0002_authorship.py": THROUGH.replace(
                "models\n", "models\nfrom library.shared import operations as more\n", 1
            ).replace("    ]\n", "    ] + more\n"),
        },
    )
    path = "library/migrations/0002_authorship.py"
    assert codes(root, {}) == [f"{path}:19 MTM101"]
    broken = (
        "from django.db import migrations\n"
        "operations = [migrations.RunPython(print), *[migrations.UnknownOne() for _ in range(2)]]\n"
    )
    assert outcome(root, {root / "library/shared.py": broken.encode()}).unread != outcome(root, {}).unread

"""docs/real_projects.py: what it makes of a project, of verdicts and of archives; and its page agrees with its data.

No network: a wheel is made here, and the page that is in the repository is read, not written.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

INITIAL = """
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Author", [("id", models.AutoField(primary_key=True))]),
        migrations.CreateModel(
            "Book",
            [("id", models.AutoField(primary_key=True)), ("authors", models.ManyToManyField("library.author"))],
        ),
    ]
"""
AGAIN = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.RemoveField("book", "authors"),
        migrations.AddField("book", "authors", models.ManyToManyField("library.author")),
    ]
"""
FILES = {
    "library/__init__.py": "",
    "library/migrations/__init__.py": "",
    "library/migrations/0001_initial.py": INITIAL,
    "library/migrations/0002_again.py": AGAIN,
    "library/notes.txt": "not unpacked",
}
DATA = """
[[project]]
name = "shelves"
version = "1.0"
sha256 = "{sha256}"
"""
VERDICT = """
[[project.verdict]]
code = "MTM202"
migration = "library.0002_again"
verdict = "true"
reason = "nothing copies"
"""
PLACE = """
[[project.place]]
migration = "library.0002_again"
does = "removes and adds"
codes = ["MTM202"]
judged = "it loses the links"
"""


@pytest.fixture(scope="module")
def script(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("real_projects", repository / "docs" / "real_projects.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip would have put the wheel."""
    folder = tmp_path_factory.mktemp("downloads")
    (folder / "shelves-1.0").mkdir()
    with zipfile.ZipFile(folder / "shelves-1.0" / "shelves-1.0-py3-none-any.whl", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return folder


@pytest.fixture(scope="module")
def data(downloads: Path) -> str:
    (wheel,) = downloads.rglob("*.whl")
    return DATA.format(sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())


def results(script: ModuleType, downloads: Path, data: str) -> list:
    return list(script.checked(script.read_data(data), downloads))


def test_a_finding_with_its_verdict(script: ModuleType, downloads: Path, data: str) -> None:
    done = results(script, downloads, data + VERDICT + PLACE)
    assert script.problems(done) == []
    page = script.page(done)
    assert "1 projects, 2 migrations: 1 error, 0 warnings, 0 info. Verdicts: 1 true, 0 false alarm" in page
    assert "| shelves | 1.0 | 1 | 2 | 0 | MTM202 |" in page
    assert (
        "- error MTM202, `library/migrations/0002_again.py` line 9:\n"
        "  `library.Book.authors` is removed and added again: its links are gone.\n"
        "  **true**: nothing copies\n"
    ) in page
    assert "| shelves | `library.0002_again` | removes and adds | MTM202: it loses the links |" in page
    assert script.page(results(script, downloads, data + VERDICT + PLACE)) == page


def test_a_finding_without_a_verdict(script: ModuleType, downloads: Path, data: str) -> None:
    done = results(script, downloads, data)
    (problem,) = script.problems(done)
    assert problem.startswith("shelves: not looked at: MTM202 library.0002_again 1: ")
    page = script.page(done)
    assert "1 not looked at" in page
    assert "**not looked at**" in page


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("MTM202", "MTM201"), ["not looked at: MTM202", "a verdict fits no finding: MTM201 library.0002_again"]),
        (('verdict = "true"', 'verdict = "true"\noperation = "1"'), []),
        (('verdict = "true"', 'verdict = "true"\noperation = "0"'), ["not looked at", "fits no finding"]),
        (('verdict = "true"', 'verdict = "true"\nfield = "library.book.authors"'), []),
        (('verdict = "true"', 'verdict = "true"\nfield = "library.book.topics"'), ["not looked at", "fits no finding"]),
    ],
)
def test_what_a_verdict_fits(
    script: ModuleType, downloads: Path, data: str, change: tuple[str, str], expected: list[str]
) -> None:
    found = script.problems(results(script, downloads, data + VERDICT.replace(*change)))
    assert len(found) == len(expected), found
    assert all(part in problem for part, problem in zip(expected, found, strict=True)), found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('codes = ["MTM202"]', ""), "shelves: library.0002_again: expected silent, reported MTM202"),
        (("0002_again", "0001_initial"), "shelves: library.0001_initial: expected MTM202, reported silent"),
        (("0002_again", "0003_nowhere"), "shelves: there is no library.0003_nowhere"),
    ],
)
def test_a_place_that_is_not_as_written(
    script: ModuleType, downloads: Path, data: str, change: tuple[str, str], problem: str
) -> None:
    assert problem in script.problems(results(script, downloads, data + VERDICT + PLACE.replace(*change)))


def test_a_check_that_fails(script: ModuleType, data: str, tmp_path: Path) -> None:
    (project,) = script.read_data(data)
    result = script.check(project, tmp_path)
    assert "there are no migrations" in result.failure
    assert script.problems([result]) == [f"shelves: the check failed: {result.failure}"]
    assert "Checks that failed: 1." in script.page([result])


def test_another_wheel_than_the_pinned_one(script: ModuleType, downloads: Path) -> None:
    (result,) = results(script, downloads, DATA.format(sha256="0" * 64))
    assert result.failure == "shelves-1.0-py3-none-any.whl is not the pinned one"


@pytest.mark.parametrize(
    "name", ["../outside.py", "/outside.py", "a/../../outside.py", "C:/outside.py", "..\\outside.py"]
)
def test_an_archive_that_leaves_its_folder(script: ModuleType, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.whl", "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "")
    with pytest.raises(ValueError, match="has a file"):
        script.unpack(tmp_path / "bad.whl", tmp_path / "target")
    assert not list(tmp_path.rglob("outside.py"))


def test_an_archive_that_swells(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "bad.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.py", "#" * 1001)
    with pytest.raises(ValueError, match="more than 1,000 bytes"):
        script.unpack(tmp_path / "bad.whl", tmp_path / "target")


def test_only_python_files_are_unpacked(script: ModuleType, downloads: Path, tmp_path: Path) -> None:
    (wheel,) = downloads.rglob("*.whl")
    script.unpack(wheel, tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {name for name in FILES if name.endswith(".py")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DATA + DATA, "stand there twice: shelves"),
        (DATA + 'sha = "x"', "has the unknown sha"),
        (DATA.replace('version = "1.0"', ""), "has no version"),
        (DATA + VERDICT.replace('"true"', '"perhaps"'), "is 'perhaps', not one of true, false alarm"),
        (DATA + VERDICT.replace("reason", "because"), "has no reason"),
    ],
)
def test_a_data_file_that_is_wrong(script: ModuleType, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        script.read_data(text)


def test_text_from_a_project_is_no_markup(script: ModuleType, data: str) -> None:
    (project,) = script.read_data(data)
    finding = {
        "code": "MTM901",
        "severity": "error",
        "certainty": "certain",
        "message": "<script> a|b\nc",
        "path": "a.py",
        "line": 1,
        "app_label": None,
        "migration": None,
        "operation": None,
        "field": None,
    }
    shown = script.findings_of(script.Checked(project=project, report={"findings": [finding]}))
    assert "&lt;script> a\\|b c." in shown


def test_page_and_data_agree(script: ModuleType) -> None:
    """The page is written by the script alone; without a network, this is what can be said of it."""
    projects = script.read_data(script.DATA.read_text(encoding="utf-8"))
    page = script.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^ |]+) \| ([^ |]+) \| \d+ \| (\d+) \| \d+ \| ([^|]*)\|$", page, re.MULTILINE)
    assert [(name, version) for name, version, _, _ in rows] == [(p.name, p.version) for p in projects]
    migrations = sum(int(count) for _, _, count, _ in rows)
    assert f"{len(projects)} projects, {migrations:,} migrations" in page
    assert len(projects) >= 10
    assert migrations >= 5000
    assert ", 0 not looked at. Checks that failed: 0." in page
    assert "**not looked at**" not in page
    found = re.findall(r"^  \*\*(true|false alarm)\*\*: (.*)$", page, re.MULTILINE)
    verdicts = {(verdict.verdict, verdict.reason) for project in projects for verdict in project.verdicts}
    assert set(found) == verdicts
    places = [f"| {p.name} | `{one.migration}` | {one.does} |" for p in projects for one in p.places]
    assert re.findall(r"^(\| [^|]+ \| `[^|]+` \| [^|]+ \|) [^|]+ \|$", page, re.MULTILINE) == places

"""A remembered check says what a check says: always, whatever has changed in between."""

from __future__ import annotations

import builtins
import dataclasses
import io
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lint_m2m import config, looks
from lint_m2m.cache import Cache
from lint_m2m.config import Config
from lint_m2m.engine import Outcome, SourceReader, memory, running
from lint_m2m.engine.memory import Memory
from lint_m2m.finding import (
    Applicability,
    Certainty,
    Downtime,
    Finding,
    Related,
    SequenceStep,
    Severity,
)
from lint_m2m.finding import (
    Sequence as SafeSequence,
)
from lint_m2m.looks import Looks
from lint_m2m.migration import Location, Span
from tests.cli.projects import INITIAL, library, write
from tests.support.rule_projects import RULE_FIXTURES, RuleProject, projects

PROJECTS = projects(RULE_FIXTURES)
SEEDS = 30


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "entries", tmp_path / "key")


def check(root: Path, cache: Cache | None = None, jobs: int = 1, configure: Config | None = None) -> Outcome:
    def configured(folder: Path) -> Config:
        return config.load(folder) if configure is None else configure

    return running.run([root], configured, required=False, reader=SourceReader(jobs), cache=cache)


def told(outcome: Outcome) -> tuple[object, ...]:
    """All of an outcome that anybody is told."""
    return outcome.report, outcome.unread, outcome.left_out, outcome.migrations


@contextmanager
def recalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether each run inside was remembered."""
    found: list[bool] = []
    recall = Memory.recall

    def watched(self: Memory) -> object:
        done = recall(self)
        found.append(done is not None)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "recall", watched)
        yield found


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.id)
def test_remembered_is_the_same(
    project: RuleProject, tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(project.path, tmp_path / "project")
    expected = told(check(root))
    with recalled(monkeypatch) as was:
        assert [told(check(root, cache)) for _ in range(3)] == [expected] * 3
    # A file that cannot be opened may be there the next time.
    assert was == [False, True, True] or (was == [False] * 3 and project.group == "MTM901"), was


Edit = Callable[[random.Random, list[Path]], None]


def _append(choose: random.Random, files: list[Path]) -> None:
    with choose.choice(files).open("ab") as file:
        file.write(choose.choice([b"\n# more\n", b"\nx = 1\n", b"\n)\n", b"    operations = []\n"]))


def _delete(choose: random.Random, files: list[Path]) -> None:
    choose.choice(files).unlink()


def _rename(choose: random.Random, files: list[Path]) -> None:
    folder = choose.choice(files).parent
    if (folder / "pyproject.toml").exists():
        return  # it is the project itself
    folder.rename(folder.with_name(f"{folder.name}_old"))


def _copy(choose: random.Random, files: list[Path]) -> None:
    file = choose.choice(files)
    shutil.copyfile(file, file.with_name(f"9999_{file.name}"))


def _swap(choose: random.Random, files: list[Path]) -> None:
    """The same size, as if in the same second."""
    file = choose.choice(files)
    status = file.stat()
    text = file.read_bytes()
    file.write_bytes(text.replace(b"operations", b"Operations", 1))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _link(choose: random.Random, files: list[Path]) -> None:
    file = choose.choice(files)
    moved = file.rename(file.with_name("moved.txt"))
    file.symlink_to(moved)


def _settings(choose: random.Random, files: list[Path]) -> None:
    folder = files[0].parents[2] if len(files[0].parents) > 2 else files[0].parent
    app = choose.choice(files).parent.name
    (folder / "settings.py").write_text(f'INSTALLED_APPS = []\nMIGRATION_MODULES = {{"{app}": None}}\n')


def _configure(choose: random.Random, files: list[Path]) -> None:
    root = next(folder for folder in files[0].parents if (folder / "pyproject.toml").exists())
    excluded = choose.choice(files).relative_to(root).as_posix()
    (root / "pyproject.toml").write_text(f'[tool.lint-m2m]\nexclude = ["/{excluded}"]\n')


def _package(choose: random.Random, files: list[Path]) -> None:
    """A virtual environment, whose packages say what a field is, comes or goes."""
    root = next(folder for folder in files[0].parents if (folder / "pyproject.toml").exists())
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages" / choose.choice(["my", "taggit", "fields"])
    packages.mkdir(parents=True, exist_ok=True)
    (root / ".venv" / "pyvenv.cfg").write_text("")
    (packages / "__init__.py").write_text("")
    (packages / "fields.py").write_text("class Field: pass\n")


EDITS: Sequence[Edit] = (_append, _delete, _rename, _copy, _swap, _link, _settings, _configure, _package)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_change_is_missed(seed: int, tmp_path: Path, cache: Cache) -> None:
    """Random edits of a project, each followed by a check with the cache and one without."""
    choose = random.Random(seed)
    root = shutil.copytree(choose.choice(PROJECTS).path, tmp_path / "project")
    for _ in range(6):
        check(root, cache)
        files = sorted(path for path in root.rglob("*.py") if path.is_file())
        if not files:
            break
        edit = choose.choice(EDITS)
        edit(choose, files)
        assert told(check(root, cache)) == told(check(root)), edit.__name__


@contextmanager
def watched_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Every path that is opened, listed or asked for, by whatever way."""
    seen: set[str] = set()

    def watched(original: Callable[..., object]) -> Callable[..., object]:
        def call(path: object = ".", *arguments: object, **options: object) -> object:
            if not isinstance(path, int):
                seen.add(os.path.abspath(os.fsdecode(path)))  # type: ignore[call-overload]
            return original(path, *arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("access", "listdir", "lstat", "open", "readlink", "scandir", "stat"):
            patch.setattr(os, name, watched(getattr(os, name)))
        for owner in (builtins, io):
            patch.setattr(owner, "open", watched(open))
        yield seen


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.id)
def test_everything_that_is_looked_at_is_noted(
    project: RuleProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(project.path, tmp_path / "project")
    check(root)  # all modules are imported
    seen: set[str] = set()
    noted: list[Looks] = []
    check_root = running._checked

    def watched(*arguments: object) -> object:
        with watched_disk(monkeypatch) as more:
            done = check_root(*arguments)  # type: ignore[arg-type]
        seen.update(more)
        found = looks.noted()
        assert found is not None
        noted.append(found)
        return done

    monkeypatch.setattr(running, "_checked", watched)
    monkeypatch.setattr(memory, "_program", lambda: iter(["the same"]))
    check(root, Cache(tmp_path / "entries", tmp_path / "key"))
    (found,) = noted
    known = {*found.files, *(path for _, path in found.folders)}
    for question, answers in found.answers.items():
        known |= answers.keys()
        if question == "real":
            known |= {str(above) for path in answers for above in Path(path).parents}
    # What the next run asks before it knows what to recall.
    assert {path for path in seen - known if not _asked_always(path, root)} == set()
    assert seen & known


def _asked_always(path: str, root: Path) -> bool:
    inside = Path(path).is_relative_to(root)
    return (inside and path.endswith(("pyvenv.cfg", "pyproject.toml"))) or (
        not inside and os.path.basename(path) in ("site-packages", "dist-packages")
    )


def test_times_are_not_enough_for_what_is_new(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the same size, written within the same tick, has the status of the one before it."""
    root = library(tmp_path / "site")
    before = told(check(root, cache))
    file = root / "library/migrations/0002_authorship.py"
    status = file.stat()
    file.write_bytes(file.read_bytes().replace(b"related_name", b"Related_name"))
    with monkeypatch.context() as patch:
        stat = os.stat

        def same_status(path: str, **options: bool) -> os.stat_result:
            return status if os.fspath(path) == str(file) else stat(path, **options)

        patch.setattr(os, "stat", same_status)
        assert told(check(root, cache)) != before


def test_old_files_are_not_opened_again(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    monkeypatch.setattr(looks, "_TICK", -10_000_000_000)
    expected = told(check(root, cache))
    opened: list[str] = []
    monkeypatch.setattr(looks, "_digest_of", lambda path: opened.append(path) or "")
    assert told(check(root, cache)) == expected
    assert opened == []
    # A new time alone is no change; noted, it is no reason to look again.
    os.utime(root / "library/migrations/0002_authorship.py")
    monkeypatch.undo()
    monkeypatch.setattr(looks, "_TICK", -10_000_000_000)
    with recalled(monkeypatch) as was:
        assert told(check(root, cache)) == expected
        monkeypatch.setattr(looks, "_digest_of", lambda path: opened.append(path) or "")
        assert told(check(root, cache)) == expected
    assert (was, opened) == ([True, True], [])


def test_what_is_asked_makes_another_entry(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    asked = [
        Config(),
        Config(select=("MTM4",)),
        Config(per_file_ignores=(("library/*", ("MTM1",)),)),
        Config(database="mysql"),
        Config(django_version=(4, 2)),
        Config(exclude=("shop/",)),
    ]
    with recalled(monkeypatch) as was:
        for one in asked:
            assert told(check(root, cache, configure=one)) == told(check(root, configure=one))
        assert was == [False] * len(asked)
        # What is applied afterwards makes none.
        was.clear()
        check(root, cache, configure=Config(format=("json",), fail_on=Severity.INFO, quiet=True))
        check(root / "library", cache, configure=Config())
        check(root / "library", cache, configure=Config())
        assert was == [True, False, True]
        was.clear()
        monkeypatch.setattr(memory, "__version__", "0.0.0")
        check(root, cache, configure=Config())
        assert was == [False]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b'{"looks": {}}',
        b'{"looks": {"files": [], "folders": 1, "answers": 2}}',
        b"\xff",
    ],
)
def test_an_entry_of_another_shape_is_none(tmp_path: Path, cache: Cache, content: bytes) -> None:
    root = library(tmp_path / "site")
    expected = told(check(root, cache))
    (entry,) = (tmp_path / "entries").glob("*.lint-m2m-entry")
    cache.save(entry.stem, content)
    assert told(check(root, cache)) == expected


def test_processes_note_what_they_look_at(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "site")
    text = INITIAL.replace("from django", "from helper import first\nfrom django").replace("True\n", "first\n", 1)
    write(root, {"helper.py": "first = True\n"})
    for number in range(150):
        app = root / f"app{number}" / "migrations"
        write(app, {"__init__.py": "", "0001_initial.py": text.replace("library", f"app{number}")})
    with recalled(monkeypatch) as was:
        one, two = Cache(tmp_path / "one", tmp_path / "key"), Cache(tmp_path / "two", tmp_path / "key")
        assert told(check(root, one, jobs=1)) == told(check(root, two, jobs=2)) == told(check(root, two, jobs=1))
        assert was == [False, False, True]
        write(root, {"helper.py": "first = False\n"})
        check(root, two)
        assert was.pop() is False


def test_every_part_of_a_finding_is_kept() -> None:
    place = Location("a/migrations/0001.py", Span(1, 2, 3, 4))
    step = SequenceStep(title="t", path=None, language="sql", code="c", deploy_before_next=True)
    sequence = SafeSequence(
        id="keep-table",
        title="t",
        why="w",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.REVIEW,
        recommended=True,
        steps=(step,),
        caveats=("c", "d"),
        verify="v",
    )
    finding = Finding(
        code="MTM101",
        name="n",
        severity=Severity.INFO,
        message="m \udc80 \x1b",
        location=place,
        certainty=Certainty.LIKELY,
        reason="r",
        label="l",
        app_label="a",
        migration="0001",
        operation="3.state.1",
        field="a.b.c",
        runtime_error="E",
        related=(Related(location=place, message="rm"),),
        notes=("n1", "n2"),
        sequences=(sequence,),
        fingerprint="f",
    )
    for value in (finding, sequence, step):
        defaults = [one for one in dataclasses.fields(value) if getattr(value, one.name) == one.default]
        assert defaults == [] or [one.name for one in defaults] == ["path"], "give it another value here"
    assert memory._finding(json.loads(json.dumps(memory._finding_as_json(finding)))) == finding

"""`lint-m2m prove` as a user meets it, what it must find wrong, and what it must never run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lint_m2m.config import Config
from lint_m2m.engine import run as check
from lint_m2m.errors import LintM2MError, UsageError
from lint_m2m.prove import SQLITE, Proof, Status, parse_url, prove, tasks
from lint_m2m.prove import run as running
from lint_m2m.prove.functions import vetted
from lint_m2m.prove.values import NotProvable
from lint_m2m.readers.options import ReadOptions
from lint_m2m.sequences.values import Code, ReplaceOperations


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lint_m2m", "prove", *arguments], capture_output=True, text=True, check=False
    )


def test_the_example_is_proved(example: Path) -> None:
    done = run(str(example))
    assert (done.returncode, done.stderr) == (0, "")
    assert "proved on sqlite" in done.stdout
    assert "schema: as in a fresh database" in done.stdout
    assert "kept 201 forward, 201 backward, 201" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 proved of 2 proofs, 2 not run"
    assert not (example / "db.sqlite3").exists()


def test_json(example: Path) -> None:
    done = run(str(example), "--format", "json", "--sequence", "rename-table", "--rows", "7")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["summary"] == {"proofs": 1, "proved": 1, "failed": 0, "not_provable": 0, "shown_only": 0}
    (proof,) = document["proofs"]
    assert proof["findings"][0]["code"] == "MTM101"
    assert (proof["rows"], proof["rows_forward"], proof["rows_backward"], proof["rows_again"]) == (7, 7, 7, 7)
    assert (proof["schema_equal"], proof["no_changes"], proof["new_code"], proof["reversible"]) == (True,) * 4
    assert [one["migration"] for one in proof["migrations"]] == ["courses.0003_coursetag_alter_course_tags"]
    assert set(proof["seconds"]) == {"forward", "backward", "again"}


def test_a_load(example: Path) -> None:
    done = run(str(example), "--format", "json", "--sequence", "keep-table", "--rows", "5000")
    (proof,) = json.loads(done.stdout)["proofs"]
    assert (proof["status"], proof["rows_again"]) == ("proved", 5001)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rows", "none"), "`--rows` has to be a number"),
        (("--rows", "0"), "`--rows` has to be a number"),
        (("--format", "xml"), "`--format` is `xml`"),
        (("--sequence", "keep-tabel"), "nearest: `keep-table`"),
        (("--database", "oracle://x"), "`--database` takes"),
        (("--database", "sqlite:///db.sqlite3"), "takes no file"),
        (("--database", "postgresql://x/y?application_name=z"), "knows no option `application_name`"),
        (("nowhere",), "there is no file or folder `nowhere`"),
    ],
)
def test_usage(arguments: tuple[str, ...], message: str, example: Path) -> None:
    done = run(*(arguments if arguments == ("nowhere",) else (str(example), *arguments)))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.drivers
def test_no_server_and_no_password_shown(example: Path) -> None:
    done = run(str(example), "--database", "postgresql://someone:s3cret%21@127.0.0.1:1/test?connect_timeout=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "postgresql://127.0.0.1:1" in done.stderr
    assert "s3cret" not in done.stderr


def test_urls() -> None:
    database = parse_url("mariadb://ann%40home:p%3Aw@db.example:3307/shop?charset=utf8mb4")
    assert database.label == "mysql://db.example:3307"
    assert database.secrets == ("p:w",)
    assert "p:w" not in repr(database)
    assert database.settings["USER"] == "ann@home"
    assert database.settings["OPTIONS"] == {"charset": "utf8mb4"}
    assert parse_url("sqlite") is SQLITE
    with pytest.raises(UsageError) as raised:
        parse_url("postgresql://ann:hidden@host:port/db")
    assert "hidden" not in str(raised.value)


def test_without_django(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "find_spec", lambda name: None)
    with pytest.raises(LintM2MError, match=r"pip install 'lint-m2m\[prove\]'"):
        running.django_version()


def test_nothing_to_prove(example: Path) -> None:
    for path in (example / "courses" / "migrations").glob("0003*"):
        path.unlink()
    done = run(str(example))
    assert (done.returncode, done.stdout) == (0, "nothing to prove: no findings\n")


# What is wrong with a sequence, found.


def spoilt(example: Path, old: str, new: str) -> Proof:
    """The proof of `keep-table` with something in it that is not as it should be."""
    outcome = check([example], lambda root: Config(database="sqlite"))
    ((root, task),) = tasks(outcome.report.findings, outcome.ways_out, ["keep-table"])
    changes = []
    for change in task.proposal.changes:
        if isinstance(change, ReplaceOperations):
            replacements = tuple(
                replace(
                    one,
                    operations=tuple(replace(code, text=code.text.replace(old, new)) for code in one.operations),
                )
                for one in change.replacements
            )
            change = replace(change, replacements=replacements)
        changes.append(change)
    assert tuple(changes) != task.proposal.changes
    task = replace(task, proposal=replace(task.proposal, changes=tuple(changes)))
    report = prove([(root, task)], [SQLITE], rows=10, options=lambda root: ReadOptions())
    assert not report.proved
    (proof,) = report.proofs
    assert proof.status is Status.FAILED
    return proof


def test_another_table_is_found(example: Path) -> None:
    proof = spoilt(example, "'courses_course_tags'", "'courses_tags'")
    assert any("no such table" in one for one in proof.problems)


def test_a_missing_pair_is_found(example: Path) -> None:
    proof = spoilt(example, "'unique_together': {('course', 'tag')},", "")
    assert any("makemigrations finds changes" in one for one in proof.problems)
    assert proof.no_changes is False


def test_lost_rows_are_found(example: Path) -> None:
    lossy = "database_operations=[migrations.RunSQL('DELETE FROM courses_course_tags WHERE id % 2 = 0', '')],\n    "
    proof = spoilt(example, "state_operations=[", f"{lossy}state_operations=[")
    assert any("no longer sees all links" in one for one in proof.problems)
    assert (proof.rows, proof.rows_forward) == (11, 6)


def test_a_column_that_must_not_be_null_is_found(example: Path) -> None:
    """Code of the release before inserts rows without it."""
    proof = spoilt(example, "default=0, null=True", "default=0")
    assert proof.old_code is False
    assert any("code of the release before fails" in one for one in proof.problems)


# What is never run.


def project(folder: Path, through: str, head: str = "", before: str = "") -> Path:
    migrations = folder / "library" / "migrations"
    migrations.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    (folder / "library" / "__init__.py").write_text("")
    (migrations / "__init__.py").write_text("")
    key = '("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))'
    (migrations / "0001_initial.py").write_text(
        f"from django.db import migrations, models\n{head}\n\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [\n"
        f'        migrations.CreateModel("Author", [{key}]),\n'
        f'        migrations.CreateModel("Book", [{key}, {before}\n'
        '            ("authors", models.ManyToManyField("library.Author"))]),\n'
        "    ]\n"
    )
    (migrations / "0002_through.py").write_text(
        f"from django.db import migrations, models\n{head}\n\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("library", "0001_initial")]\n'
        "    operations = [\n"
        f'        migrations.CreateModel("Authorship", [{key}, {through}\n'
        '            ("book", models.ForeignKey("library.Book", models.CASCADE)),\n'
        '            ("author", models.ForeignKey("library.Author", models.CASCADE)),\n'
        '        ], options={"unique_together": {("book", "author")}}),\n'
        '        migrations.AlterField("book", "authors", models.ManyToManyField("library.Author", '
        'through="library.Authorship")),\n'
        "    ]\n"
    )
    return folder


def proofs_of(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = run(str(folder), "--format", "json", "--rows", "10", *arguments)
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["proofs"]
    return found


def test_no_code_of_the_project_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    touch = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    (tmp_path / "project" / "library").mkdir(parents=True)
    (tmp_path / "project" / "sitecustomize.py").write_text(touch)
    (tmp_path / "project" / "datetime.py").write_text(touch)
    (tmp_path / "project" / "library" / "defaults.py").write_text(f"{touch}\ndef one():\n    {touch}\n")
    folder = tmp_path / "project"
    migrations = folder / "library" / "migrations"
    (folder / "library").rename(tmp_path / "kept")
    project(
        folder,
        f'("note", models.IntegerField(default=({touch}, 1)[1])), ("other", models.IntegerField(default=one)),',
        head=f"from library.defaults import one\n{touch}\n",
        before=f'("size", models.IntegerField(default=lambda: {touch})), ',
    )
    (folder / "library" / "defaults.py").write_text((tmp_path / "kept" / "defaults.py").read_text())
    assert migrations.exists()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "lint_m2m", "prove", ".", "--format", "json", "--rows", "10"],
        cwd=folder,
        env={**__import__("os").environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    statuses = {proof["status"] for proof in json.loads(done.stdout)["proofs"]}
    assert statuses == {"proved"}, done.stdout
    assert not mark.exists()


def test_a_field_class_of_the_projects_own_is_replaced(tmp_path: Path) -> None:
    folder = project(
        tmp_path / "project", '("code", CodeField(default="x")),', head="from library.fields import CodeField\n"
    )
    (folder / "library" / "fields.py").write_text(
        "from django.db import models\n\n\nclass CodeField(models.CharField):\n"
        "    def __init__(self, *args, **kwargs):\n        kwargs['max_length'] = 7\n"
        "        super().__init__(*args, **kwargs)\n"
    )
    for proof in proofs_of(folder):
        assert proof["status"] == "proved", proof
        assert any("is written as `CharField`" in note for note in proof["notes"])


def test_a_field_class_with_a_column_of_its_own_is_not_provable(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", '("spot", SpotField(null=True)),', head="from elsewhere import SpotField\n")
    proofs = proofs_of(folder)
    assert proofs
    for proof in proofs:
        assert proof["status"] == "not provable"
        assert "elsewhere.SpotField" in proof["reason"]
    assert run(str(folder)).returncode == 1


def test_a_field_that_has_nothing_to_do_with_it_is_left_out(tmp_path: Path) -> None:
    folder = project(
        tmp_path / "project", "", head="from elsewhere import SpotField\n", before='("spot", SpotField(null=True)), '
    )
    for proof in proofs_of(folder):
        assert proof["status"] == "proved", proof
        assert any(note.startswith("left out: `Book.spot`") for note in proof["notes"])


def test_a_model_from_elsewhere_is_stood_in_for(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "")
    for path in (folder / "library" / "migrations").glob("000*.py"):
        path.write_text(path.read_text().replace('"library.Author"', '"auth.User"'))
    for proof in proofs_of(folder):
        assert proof["status"] == "proved", proof
        assert any("`auth.user` is not in the project" in note for note in proof["notes"])


@pytest.mark.parametrize(
    "text",
    [
        "def f(apps, schema_editor):\n    __import__('os')",
        "def f(apps, schema_editor):\n    import os",
        "def f(apps, schema_editor):\n    open('x')",
        "def f(apps, schema_editor):\n    ().__class__",
        "@g\ndef f(apps, schema_editor):\n    pass",
        "f = 1",
        "def f(:",
    ],
)
def test_functions_that_do_not_look_like_ours(text: str) -> None:
    with pytest.raises(NotProvable):
        vetted((Code(text=text),))


# Servers.


@contextmanager
def cursor_of(url: str) -> Iterator[Any]:
    from tests.judge.databases import DatabaseUrl

    parsed = DatabaseUrl.parse(url)
    if parsed.vendor == "postgresql":
        import psycopg

        with (
            psycopg.connect(
                host=parsed.host, port=parsed.port, user=parsed.user, password=parsed.password, dbname=parsed.name
            ) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
        return
    import pymysql

    mysql = pymysql.connect(host=parsed.host, port=parsed.port, user=parsed.user, password=parsed.password)
    with mysql, mysql.cursor() as cursor:
        yield cursor


def scratch_databases(url: str) -> set[str]:
    names = "SELECT datname FROM pg_database" if url.startswith("postgres") else "SHOW DATABASES"
    with cursor_of(url) as cursor:
        cursor.execute(names)
        return {name for (name,) in cursor.fetchall() if name.startswith("lint_m2m_prove_")}


def test_on_a_server(database_url: str, example: Path) -> None:
    before = scratch_databases(database_url)
    proofs = proofs_of(example, "--database", database_url, "--database", "sqlite")
    assert [proof["status"] for proof in proofs] == ["proved"] * 4, proofs
    locks = [one["locks"] for proof in proofs[::2] for one in proof["migrations"]]
    if database_url.startswith("postgres"):
        assert {"courses_course_tags": "AccessExclusiveLock"} in locks
    else:
        assert set(map(str, locks)) == {"None"}
    # Those of other tests that run at this moment are not left behind.
    assert {name for name in scratch_databases(database_url) - before if not runs(int(name.split("_")[3]))} == set()


def test_interrupted_on_a_server(database_url: str, example: Path) -> None:
    """Ctrl-C, and the end of the process without a word: the scratch databases go all the same."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "-m", "lint_m2m", "prove", str(example), "--database", database_url, "--rows", "300000"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        own = f"lint_m2m_prove_{process.pid}_"
        wait_until(lambda own=own: any(name.startswith(own) for name in scratch_databases(database_url)))
        process.send_signal(sign)
        process.wait(timeout=60)
        wait_until(lambda own=own: not any(name.startswith(own) for name in scratch_databases(database_url)))


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(true: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)

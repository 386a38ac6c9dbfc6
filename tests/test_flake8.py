"""The flake8 plugin, by flake8 itself: the same findings as on the command line, at the same places."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import flake8.main.cli
import flake8.utils
import pytest

from lint_m2m import cli, engine
from lint_m2m.flake8_plugin import Plugin
from tests.cli.projects import FINDING, INITIAL, THROUGH, library, write

Flake8 = Callable[..., tuple[int, str]]
BAD = "library/migrations/0002_authorship.py"
PLACE = f"{BAD}:18:64: MTM101"
FIXED = THROUGH.replace(', through="library.Authorship"', "")
# In one app, about the models of another.
BOOKS = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial"), ("library", "0001_initial")]
    operations = [
        migrations.AddField("item", "books", models.ManyToManyField(to="library.book")),
    ]
"""
BOOKS_THROUGH = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_books"), ("library", "0002_authorship")]
    operations = [
        migrations.AlterField(
            "item",
            "books", models.ManyToManyField(to="library.book", through="library.Authorship"),
        ),
    ]
"""
# Exercises of our own rules only; flake8's have a lot to say about migrations.
SELECT = "--select=MTM"


@pytest.fixture
def installed(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with the metadata of an installed lint-m2m, whatever the environment has installed."""
    site = tmp_path / "site-packages"
    folder = site / "lint_m2m-0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: lint-m2m\nVersion: 0\n")
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    (points,) = (f"{name} = {target}" for name, target in project["entry-points"]["flake8.extension"].items())
    (folder / "entry_points.txt").write_text(f"[flake8.extension]\n{points}\n")
    monkeypatch.syspath_prepend(site)
    return site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Path) -> Path:
    """The library project as the current folder."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    root = library(tmp_path / "site")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def run(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Flake8:
    """``run("--select=MTM", "library")``: flake8's exit status and what it prints, in this process."""

    def flake8_(*arguments: str, stdin: str | bytes | None = None) -> tuple[int, str]:
        if stdin is not None:
            data = stdin.encode() if isinstance(stdin, str) else stdin
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
            flake8.utils.stdin_get_value.cache_clear()
        status = flake8.main.cli.main(["-j1", *arguments])
        return status, capsys.readouterr().out

    return flake8_


def places(output: str) -> list[str]:
    """`path:line:column: CODE` of every line."""
    return [" ".join(line.split(" ")[:2]).removeprefix("./") for line in output.splitlines()]


def test_a_finding_at_its_line_and_column(run: Flake8) -> None:
    assert run(SELECT) == (1, f"./{FINDING}")
    assert run(SELECT, "library") == (1, FINDING)
    assert run(SELECT, BAD) == (1, FINDING)
    assert run(SELECT, os.path.abspath(BAD)) == (1, f"{os.getcwd()}/{FINDING}")
    assert run(SELECT, "shop", "library/migrations/0001_initial.py") == (0, "")


def test_selection_is_flake8_s(run: Flake8, site: Path) -> None:
    # By default a plugin's codes are on.
    assert PLACE in places(run()[1])
    assert PLACE in places(run("--select=E,F", "--extend-select=MTM1")[1])
    assert PLACE not in places(run("--select=E,F")[1])
    assert places(run("--select=MTM1")[1]) == [PLACE]
    for arguments in (
        ["--select=MTM2"],
        [SELECT, "--ignore=MTM101"],
        [SELECT, "--extend-ignore=MTM10"],
        [SELECT, f"--per-file-ignores={BAD}:MTM101"],
        [SELECT, "--exclude=migrations"],
    ):
        assert run(*arguments) == (0, ""), arguments


@pytest.mark.parametrize("name", ["setup.cfg", "tox.ini", ".flake8"])
def test_options_in_flake8_s_files(run: Flake8, site: Path, name: str) -> None:
    write(site, {"elsewhere/lint.toml": '[tool.lint-m2m]\nignore = ["MTM101"]\n'})
    (site / name).write_text("[flake8]\nselect = MTM\nlint-m2m-config = elsewhere/lint.toml\n")
    assert run() == (0, "")
    (site / name).write_text("[flake8]\nselect = MTM\nlint_m2m_database = dbase\n")
    status, output = run()
    assert status == 1
    assert "lint-m2m: `--lint-m2m-database` is `dbase`, but has to be one of `postgresql`, `mysql`, " in output


def test_the_configuration_counts_and_flake8_s_options_win(
    run: Flake8, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = engine.run

    def watched(paths: list[Path], configure: Callable[[Path], object], **more: object) -> object:
        seen.append(configure(site))
        return original(paths, configure, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "run", watched)
    (site / "pyproject.toml").write_text('[tool.lint-m2m]\ndatabase = "mysql"\ndjango-version = "4.2"\n')
    assert places(run(SELECT)[1]) == [PLACE]
    assert (seen[-1].database, seen[-1].django_version) == ("mysql", (4, 2))
    run(SELECT, "--lint-m2m-database=mariadb", "--lint-m2m-django-version=6.0")
    assert (seen[-1].database, seen[-1].django_version) == ("mysql", (6, 0))
    run(SELECT, "--lint-m2m-isolated")
    assert (seen[-1].database, seen[-1].django_version) == (None, None)
    (site / "pyproject.toml").write_text('[tool.lint-m2m]\nignore = ["MTM101"]\n')
    assert run(SELECT) == (0, "")
    (site / "other.toml").write_text("[tool.lint-m2m]\n")
    assert places(run(SELECT, "--lint-m2m-config=other.toml")[1]) == [PLACE]
    status, output = run(SELECT, "--lint-m2m-isolated", "--lint-m2m-config=other.toml")
    assert status == 1
    assert "lint-m2m: `--lint-m2m-config` and `--lint-m2m-isolated` exclude each other" in output


def test_a_baseline(run: Flake8, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "pyproject.toml").write_text('[tool.lint-m2m]\nbaseline = "known.toml"\n')
    assert cli.main(["--write-baseline", "--quiet"]) == 0
    capsys.readouterr()
    assert run(SELECT) == (0, "")
    assert places(run(SELECT, "--lint-m2m-isolated")[1]) == [PLACE]


def test_severities(run: Flake8, site: Path) -> None:
    """flake8 has none: what is reported fails. The option leaves out what is below."""
    (site / BAD).write_text(THROUGH.replace("operations = [", "operations = compute() + [", 1))
    assert "MTM902" in run(SELECT)[1]
    assert run(SELECT, "--lint-m2m-min-severity=warning") == (0, "")
    status, output = run(SELECT, "--lint-m2m-min-severity=warn")
    assert status == 1
    assert "lint-m2m: `--lint-m2m-min-severity` is `warn`" in output
    assert "nearest: `warning`" in output


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('to="library.author"),\n        ),', 'to="library.author"),  # noqa: MTM101\n        ),'),
        ('to="library.author"),\n        ),', 'to="library.author"),  # noqa: E501,MTM101\n        ),'),
        ('to="library.author"),\n        ),', 'to="library.author"),  # noqa: MTM1\n        ),'),
        ('to="library.author"),\n        ),', 'to="library.author"),  # noqa\n        ),'),
        ("migrations.AlterField(\n", "migrations.AlterField(  # noqa: MTM101\n"),
        ("migrations.AlterField(\n", "migrations.AlterField(  # lint-m2m: ignore[MTM101] by hand\n"),
        ("from django.db", "# lint-m2m: ignore-file[MTM101] by hand\nfrom django.db"),
        ("from django.db", "# flake8: noqa: MTM101\nfrom django.db"),
        ('to="library.author"),\n        ),', 'to="library.author", help_text="""\n"""),  # noqa: MTM101\n        ),'),
        ('to="library.author"),\n        ),', 'to="library.author", help_text=\\\n""),  # noqa: MTM101\n        ),'),
    ],
    ids=["noqa", "two codes", "prefix", "bare", "operation", "own", "own file", "file", "string", "joined"],
)
def test_comments(run: Flake8, site: Path, before: str, after: str) -> None:
    head, _, tail = THROUGH.rpartition(before)
    (site / BAD).write_text(f"{head}{after}{tail}")
    assert run(SELECT) == (0, "")
    shown = run(SELECT, "--disable-noqa")[1]
    if "lint-m2m:" in after:
        assert shown == ""
    else:
        assert [place.rpartition(" ")[2] for place in places(shown)] == ["MTM101"]


def test_a_comment_that_silences_nothing(run: Flake8, site: Path) -> None:
    (site / BAD).write_text(FIXED.replace("AlterField(", "AlterField(  # noqa: MTM101"))
    assert places(run(SELECT)[1]) == [f"{BAD}:15:41: MTM904"]
    assert run(SELECT, "--disable-noqa") == (0, "")


def test_standard_input_counts_instead_of_the_file(run: Flake8, site: Path) -> None:
    assert run(SELECT, "--stdin-display-name", BAD, "-", stdin=FIXED) == (0, "")
    assert run(SELECT, "--stdin-display-name", BAD, "-", stdin=THROUGH) == (1, FINDING)
    (site / BAD).write_text(FIXED)
    assert run(SELECT, "--stdin-display-name", BAD, "-", stdin=f"\n{THROUGH}")[1].startswith(f"{BAD}:19:64: ")
    (site / BAD).unlink()
    assert run(SELECT, "--stdin-display-name", f"./{BAD}", "-", stdin=THROUGH) == (1, f"./{FINDING}")
    assert run(SELECT, "--stdin-display-name", "nowhere/migrations/0001_a.py", "-", stdin=THROUGH) == (0, "")
    assert run(SELECT, "-", stdin=THROUGH) == (0, "")


def test_standard_input_in_an_encoding_of_its_own(run: Flake8, site: Path) -> None:
    more = 'verbose_name="ä", '
    text = "# coding: latin-1\n" + THROUGH.replace("related_name", f"{more}related_name")
    status, output = run(SELECT, "--stdin-display-name", BAD, "-", stdin=text.encode("latin-1"))
    assert (status, places(output)) == (1, [f"{BAD}:19:{64 + len(more)}: MTM101"])


LOADED = """
import json, sys
from flake8.main.cli import main
status = main(sys.argv[1:])
print(json.dumps([status, sorted(name for name in sys.modules if name.partition(".")[0] == "lint_m2m")]))
"""


def loaded(site: Path, installed: Path, repository: Path, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "-j1", SELECT, *arguments],
        cwd=site,
        env={**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{repository}"},
        capture_output=True,
        text=True,
        check=True,
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    return status, modules


def test_a_file_that_is_no_migration_loads_nothing(site: Path, installed: Path, repository: Path) -> None:
    write(site, {"library/views.py": "from django.db import migrations\n\n\nclass Migrations:\n    pass\n"})
    status, modules = loaded(site, installed, repository, "library/views.py", "library/models.py", "manage.py")
    assert (status, modules) == (0, ["lint_m2m", "lint_m2m.flake8_plugin"])
    status, modules = loaded(site, installed, repository, BAD)
    assert status == 1
    assert "lint_m2m.engine" in modules


@pytest.mark.parametrize("said", ["settings", "configuration"])
def test_migrations_that_live_elsewhere(run: Flake8, site: Path, said: str) -> None:
    (site / "library" / "migrations").rename(site / "moved")
    text = 'ROOT_URLCONF = "urls"\nINSTALLED_APPS = ["library", "shop"]\n'
    if said == "settings":
        text += 'MIGRATION_MODULES = {"library": "moved"}\n'
    else:
        (site / "pyproject.toml").write_text('[tool.lint-m2m.migration-modules]\nlibrary = "moved"\n')
    write(site, {"settings.py": text})
    assert places(run(SELECT)[1]) == ["moved/0002_authorship.py:18:64: MTM101"]
    assert places(run(SELECT, "moved/0002_authorship.py")[1]) == ["moved/0002_authorship.py:18:64: MTM101"]


@pytest.mark.parametrize(
    "text",
    [
        "from elsewhere import Migration\n",
        "import migrations\nMigration = migrations.make()\n",
        "try:\n    pass\nexcept ImportError:\n    class Migration: pass\n",
        "if x:\n    pass\nelse:\n    class Migration: pass\n",
    ],
)
def test_every_way_to_define_a_migration(run: Flake8, site: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(engine, "run", lambda paths, *rest, **more: asked.append(paths) or 1 / 0)
    write(site, {"moved/0001_initial.py": text})
    status, output = run(SELECT, "moved")
    assert (status, asked) == (1, [[site]])
    assert "lint-m2m: internal error: ZeroDivisionError: division by zero; please report it" in output


@pytest.mark.parametrize("marker", ["manage.py", "pyproject.toml", None])
def test_the_project_is_that_of_the_current_folder(run: Flake8, site: Path, marker: str | None) -> None:
    """Also where nothing marks it: an app alone would not see what the others do."""
    (site / "manage.py").unlink()
    if marker is not None:
        (site / marker).write_text("")
    write(site, {"shop/migrations/0002_books.py": BOOKS, "shop/migrations/0003_through.py": BOOKS_THROUGH})
    found = places(run(SELECT)[1])
    assert found == [PLACE, "shop/migrations/0003_through.py:9:64: MTM101"]
    assert places(run(SELECT, "shop")[1]) == found[1:]


def test_projects_beside_each_other(run: Flake8, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own configuration and its own apps, and the folder that holds them is none."""
    other = library(site.parent / "other")
    (other / "pyproject.toml").write_text('[tool.lint-m2m]\nignore = ["MTM101"]\n')
    monkeypatch.chdir(site.parent)
    assert places(run(SELECT, "site", "other")[1]) == [f"site/{PLACE}"]
    monkeypatch.chdir(site / "shop")
    assert places(run(SELECT, "../library")[1]) == [f"../{PLACE}"]


def test_the_project_is_checked_once(run: Flake8, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = engine.run
    monkeypatch.setattr(engine, "run", lambda *rest, **more: calls.append(rest) or original(*rest, **more))
    assert run(SELECT)[0] == 1
    assert len(calls) == 1
    # The next run of the same process looks again.
    (site / BAD).write_text(FIXED)
    assert run(SELECT) == (0, "")
    assert len(calls) == 2


def test_other_migrations_than_django_s(run: Flake8, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(site / "library")
    shutil.rmtree(site / "shop")
    write(site, {f"migrations/{name}.py": "steps = []\n" for name in ("env", "first", "second")})
    calls = []
    original = engine.run
    monkeypatch.setattr(engine, "run", lambda *rest, **more: calls.append(rest) or original(*rest, **more))
    assert run(SELECT) == (0, "")
    assert len(calls) == 1


@pytest.fixture
def program(site: Path, installed: Path, repository: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """flake8 as a program of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flake8", *arguments],
            cwd=site,
            env={**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{repository}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_worker_processes(program: Callable[..., subprocess.CompletedProcess[str]], site: Path) -> None:
    write(site, {f"shop/migrations/{number:04}_more.py": INITIAL for number in range(2, 8)})
    one, two = program("-j1"), program("-j2")
    assert (one.returncode, one.stderr) == (1, "")
    assert f"./{FINDING}" in one.stdout
    assert "MTM903" in one.stdout
    assert (two.returncode, two.stdout, two.stderr) == (one.returncode, one.stdout, one.stderr)


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_an_error_is_said_and_is_no_traceback(
    program: Callable[..., subprocess.CompletedProcess[str]], site: Path, jobs: str
) -> None:
    (site / "pyproject.toml").write_text('[tool.lint-m2m]\nselekt = ["MTM1"]\n')
    done = program(jobs)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "There was a critical error during execution of Flake8:\n"
        "lint-m2m: pyproject.toml:2: unknown key `selekt` in `[tool.lint-m2m]`; the nearest known one is `select`\n"
    )


def test_other_errors(run: Flake8, site: Path) -> None:
    for arguments, problem in (
        (["--lint-m2m-config=nowhere.toml"], "nowhere.toml: no such file"),
        (["--lint-m2m-django-version=3.2"], "`--lint-m2m-django-version` is `3.2`; versions 4.2 to 6.1 are known"),
        (["--lint-m2m-database=db2"], "`--lint-m2m-database` is `db2`, but has to be one of"),
    ):
        status, output = run(SELECT, *arguments)
        assert status == 1
        assert problem in output.replace(f"{site}/", "")


def test_a_finding_that_flake8_cannot_place_is_told_beside(run: Flake8, site: Path) -> None:
    """flake8 asks no plugin about a file that it cannot parse or open."""
    (site / "shop" / "migrations" / "0002_broken.py").write_text("class Migration(:\n")
    (site / "shop" / "migrations" / "0003_gone.py").symlink_to("nowhere")
    status, output = run(SELECT, "shop")
    assert status == 1
    first, second = output.splitlines()
    place = "shop/migrations/0001_initial.py:1:1: MTM901 shop/migrations/"
    assert first.startswith(f"{place}0002_broken.py:1:17: cannot be read: ")
    assert second.startswith(f"{place}0003_gone.py:1:1: cannot be read: ")
    assert any("0002_broken.py:1:" in line and " E999 " in line for line in run("shop")[1].splitlines())


def test_names_from_files_are_text(run: Flake8, site: Path) -> None:
    (site / BAD).write_text(THROUGH.replace('through="library.Authorship"', 'through="library.A\\x1b[31m"'))
    assert "\x1b" not in run(SELECT)[1]


def test_every_door_gives_the_same(
    run: Flake8, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the fixtures of the rules, line for line."""
    for folder in sorted((repository / "tests" / "fixtures" / "rules").glob("MTM[1-4]0[1-4]/bad_*"))[::4]:
        monkeypatch.chdir(folder)
        cli.main(["--format", "concise"])
        expected = capsys.readouterr().out.splitlines()
        found = run(SELECT, "--lint-m2m-isolated")[1].splitlines()
        assert sorted(line.removeprefix("./") for line in found) == sorted(expected), folder


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "flake8.md").read_text(encoding="utf-8")


def test_the_page_names_every_option(page: str) -> None:
    added: list[str] = []

    class Manager:
        def add_option(self, name: str, **more: object) -> None:
            assert more["parse_from_config"] is True
            assert more["help"]
            added.append(name)

    Plugin.add_options(Manager())
    assert re.findall(r"^\| `(--lint-m2m-[a-z0-9-]+)", page, re.MULTILINE) == added


def test_the_example_of_the_page(page: str, run: Flake8, site: Path) -> None:
    (example,) = re.findall(r"^```ini\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (site / ".flake8").write_text(example)
    assert [place for place in places(run()[1]) if "/migrations/" in place] == [PLACE]


def test_ruff_leaves_the_comments_alone(page: str, site: Path) -> None:
    """As the page says; without it, ruff's own fix takes them away."""
    (told,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file = site / "commented.py"
    for table, left in ((told, "x = 1  # noqa: MTM101\n"), ("[tool.ruff.lint]\n", "x = 1\n")):
        (site / "pyproject.toml").write_text(f'{table}select = ["RUF100", "RUF102"]\n')
        file.write_text("x = 1  # noqa: MTM101\n")
        command = [sys.executable, "-m", "ruff", "check", "--quiet", "--no-cache", "--fix", file.name]
        subprocess.run(command, cwd=site, check=True)
        assert file.read_text() == left

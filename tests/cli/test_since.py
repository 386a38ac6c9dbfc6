"""``check --since`` and ``--staged``: what a change has to do with, in real git repositories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m import changes
from tests.cli.conftest import Run
from tests.cli.projects import INITIAL, THROUGH, library, write

Lint = Callable[..., Run]

FIRST = "library/migrations/0001_initial.py"
SECOND = "library/migrations/0002_authorship.py"
# What is left of the second migration without the operation that fails.
HARMLESS = THROUGH.partition("        migrations.AlterField")[0] + "    ]\n"
# The operation that fails, in a migration of its own.
THIRD = THROUGH.replace("0001_initial", "0002_authorship").replace(
    THROUGH[THROUGH.index("        migrations.CreateModel") : THROUGH.index("        migrations.AlterField")], ""
)
EMPTY = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = []
"""


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it comes, with a name to commit under."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }.items():
        monkeypatch.setenv(name, value)


def git(*arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def commit(message: str = "one") -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


@pytest.fixture
def repository_of(project: Path) -> Path:
    """The library project, committed: `main`, with one finding in its second migration."""
    git("init", "--quiet", "--initial-branch=main")
    commit()
    return project


def found(lint: Lint, *arguments: str) -> list[str]:
    """What is reported: "0002_authorship.py:18 MTM101"."""
    run = lint("--format", "json", *arguments)
    assert run.status in (0, 1), run
    findings = json.loads(run.out)["findings"]
    return [f"{finding['path'].rpartition('/')[2]}:{finding['line']} {finding['code']}" for finding in findings]


@pytest.mark.usefixtures("repository_of")
class TestSince:
    def test_what_was_there_is_not_told(self, lint: Lint) -> None:
        assert lint("--format", "concise", "--since", "HEAD") == Run(0, "", "")
        assert found(lint) == ["0002_authorship.py:18 MTM101"]
        assert lint("--since", "main").out.replace("\n", " ") == (
            "no findings in 3 migrations of 2 apps, everything read; not shown: 1 older than the change "
        )

    def test_added_and_edited_count_whether_committed_or_not(self, lint: Lint) -> None:
        git("switch", "--quiet", "--create", "feature")
        write(Path(), {"library/migrations/0003_more.py": EMPTY})
        two_leaves = ["0003_more.py:1 MTM903"]
        assert found(lint, "--since", "main") == two_leaves
        git("add", "--all")
        assert found(lint, "--since", "main") == two_leaves
        commit()
        assert found(lint, "--since", "main") == two_leaves
        assert found(lint, "--since", "HEAD") == []
        write(Path(), {SECOND: THROUGH.replace("import", "import  ", 1)})
        assert found(lint, "--since", "HEAD") == ["0002_authorship.py:18 MTM101"]

    def test_a_file_that_may_be_run_is_not_edited(self, lint: Lint) -> None:
        Path(SECOND).chmod(0o755)
        assert found(lint, "--since", "main") == []
        git("add", "--all")
        assert git("diff", "--cached", "--name-only") == f"{SECOND}\n"
        assert found(lint, "--since", "main") == found(lint, "--staged") == []
        git("commit", "--quiet", "--message", "mode")
        assert found(lint, "--since", "main~1") == []

    def test_the_merge_base_counts_not_the_tip(self, lint: Lint) -> None:
        git("switch", "--quiet", "--create", "feature")
        write(Path(), {"README": "text"})
        commit()
        git("switch", "--quiet", "main")
        write(Path(), {SECOND: THROUGH.replace("import", "import  ", 1)})
        commit()
        git("switch", "--quiet", "feature")
        # The file differs from main's, and this branch has not touched it.
        assert found(lint, "--since", "main") == []

    def test_a_renamed_migration_is_another_one(self, lint: Lint) -> None:
        git("mv", SECOND, "library/migrations/0002_authors.py")
        assert found(lint, "--since", "HEAD") == ["0002_authors.py:18 MTM101"]

    def test_an_ignored_file_is_none_of_the_commit_s(self, lint: Lint) -> None:
        write(Path(), {".gitignore": "0003_*\n", "library/migrations/0003_local.py": "class Migration(\n"})
        assert found(lint, "--since", "HEAD") == ["0003_local.py:1 MTM901"]

    def test_an_edited_migration_that_makes_a_later_one_fail(self, lint: Lint) -> None:
        write(Path(), {SECOND: HARMLESS, "library/migrations/0003_alter.py": THIRD})
        authors = '                ("authors", models.ManyToManyField(related_name="books", to="library.author")),\n'
        write(Path(), {FIRST: INITIAL.replace(authors, "")})
        write(
            Path(),
            {
                SECOND: HARMLESS.replace(
                    "    ]\n",
                    '        migrations.AddField("book", "authors", models.ManyToManyField(related_name="books", '
                    'through="library.Authorship", to="library.author")),\n    ]\n',
                )
            },
        )
        commit()
        assert found(lint) == []
        # What 0002 did right is undone by hand, as if it had never been: now 0003, which nobody touched, fails.
        write(Path(), {FIRST: INITIAL, SECOND: HARMLESS})
        run = lint("--format", "json", "--since", "HEAD")
        (finding,) = json.loads(run.out)["findings"]
        assert (finding["path"], finding["code"]) == ("library/migrations/0003_alter.py", "MTM101")
        assert "this file has not changed: a change elsewhere since `HEAD` brings it" in finding["notes"]

    def test_a_deleted_migration_and_what_depends_on_it(self, lint: Lint) -> None:
        Path(FIRST).unlink()
        assert found(lint, "--since", "HEAD") == ["0002_authorship.py:5 MTM903"]
        git("add", "--all")
        assert found(lint, "--since", "HEAD") == ["0002_authorship.py:5 MTM903"]
        assert found(lint, "--staged") == ["0002_authorship.py:5 MTM903"]

    def test_a_helper_that_migrations_import(self, lint: Lint) -> None:
        imported = EMPTY.replace("migrations\n", "migrations\n\nfrom library.shared import steps\n", 1)
        write(
            Path(),
            {
                "library/shared.py": "steps = []\n",
                "library/migrations/0003_shared.py": imported.replace("0001_initial", "0002_authorship").replace(
                    "[]\n", "steps\n"
                ),
            },
        )
        commit()
        assert found(lint, "--since", "HEAD") == []
        write(
            Path(),
            {
                "library/shared.py": "from django.db import migrations, models\n"
                'steps = [migrations.AlterField("book", "authors", models.CharField(max_length=9))]\n'
            },
        )
        assert [line.partition(" ")[2] for line in found(lint, "--since", "HEAD")] == ["MTM103"]

    def test_below_the_paths_and_from_elsewhere(self, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
        write(Path(), {SECOND: THROUGH + "\n"})
        assert found(lint, "--since", "HEAD", "shop") == []
        monkeypatch.chdir("library/migrations")
        assert found(lint, "--since", "HEAD", "../..") == ["0002_authorship.py:18 MTM101"]
        assert found(lint, "--since", "HEAD", "0002_authorship.py") == ["0002_authorship.py:18 MTM101"]

    def test_with_a_baseline_and_fixes(self, lint: Lint) -> None:
        lint("--baseline", "known.toml", "--write-baseline")
        write(Path(), {SECOND: THROUGH + "\n"})
        assert found(lint, "--since", "HEAD", "--baseline", "known.toml") == []
        commit()
        assert lint("--since", "HEAD", "--fix").err.endswith("nothing fixed\n")
        assert git("status", "--porcelain") == ""
        write(Path(), {SECOND: THROUGH})
        assert "fixed 1 finding" in lint("--since", "HEAD", "--fix").err

    def test_many_names_for_a_commit(self, lint: Lint) -> None:
        git("tag", "v1")
        for ref in ("HEAD", "v1", "refs/heads/main", git("rev-parse", "HEAD").strip()[:9], "main@{0}"):
            assert found(lint, "--since", ref) == []

    @pytest.mark.parametrize(
        ("ref", "message"),
        [
            ("nothing", "`--since`: there is no commit `nothing` in this repository\n"),
            (
                "origin/main",
                "`--since`: there is no commit `origin/main` in this repository; perhaps `git fetch origin main`",
            ),
            ("--output=/tmp/x", "`--since` takes a commit, branch or tag; `--output=/tmp/x` is none\n"),
            ("", "`--since` takes a commit, branch or tag; `` is none\n"),
            ("a\nb", "`--since` takes a commit, branch or tag; `a"),
            ("HEAD..main", "`--since`: there is no commit `HEAD..main` in this repository\n"),
            ("HEAD:library", "`--since`: there is no commit `HEAD:library` in this repository"),
        ],
    )
    def test_what_is_no_commit(self, lint: Lint, ref: str, message: str) -> None:
        run = lint(f"--since={ref}")
        assert (run.status, run.out) == (2, "")
        assert run.err.startswith(f"lint-m2m: error: {message}"), run.err

    def test_nothing_in_common(self, lint: Lint) -> None:
        git("switch", "--quiet", "--orphan", "other")
        library(Path())
        commit("another one")
        assert lint("--since", "main") == Run(
            2, "", "lint-m2m: error: `--since`: `main` and HEAD have no common ancestor here\n"
        )

    def test_a_shallow_clone_says_what_to_do(
        self, lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository_of: Path
    ) -> None:
        git("switch", "--quiet", "--create", "feature")
        for number in range(3):
            write(Path(), {"README": str(number)})
            commit()
        clone = tmp_path / "clone"
        source = f"file://{repository_of}"
        git("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=feature", source, str(clone))
        monkeypatch.chdir(clone)
        told = (
            "this clone is shallow: fetch all of its history (`fetch-depth: 0`, `GIT_DEPTH: 0`, "
            "`git fetch --unshallow`)\n"
        )
        common = "lint-m2m: error: `--since`: `origin/main` and HEAD have no common ancestor here; "
        assert lint("--since", "origin/main") == Run(2, "", common + told)
        run = lint("--since", "v0")
        assert run.err == f"lint-m2m: error: `--since`: there is no commit `v0` in this repository; {told}"
        git("fetch", "--quiet", "--unshallow")
        assert found(lint, "--since", "origin/main") == []

    def test_a_clone_without_the_old_contents(
        self, lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository_of: Path
    ) -> None:
        """Nothing is fetched: what points at the change is told, and that the rest is not is said."""
        write(Path(), {FIRST: INITIAL + "\n"})
        commit("two")
        git("config", "uploadpack.allowFilter", "true")
        clone = tmp_path / "clone"
        git("clone", "--quiet", "--filter=blob:none", f"file://{repository_of}", str(clone))
        monkeypatch.chdir(clone)
        run = lint("--since", "HEAD~1", "--format", "concise")
        # It points at the model in the first migration, which was edited.
        assert run.out.startswith(SECOND)
        assert run.err == (
            f"lint-m2m: warning: {FIRST}: this clone does not have its content: clone without `--filter`; findings in "
            "files that have not changed are only reported where they point at one that has\n"
        )

    def test_hostile_names(self, lint: Lint) -> None:
        names = ["0003 \n\t$(touch x)`touch x`", '0003_"quoted"', "0003_*", "-x", ":(glob)**", "0003_ü", "0003_\udcff"]
        for name in names:
            write(Path(), {f"library/migrations/{name}.py": "class Migration(\n"})
        broken = sorted(line for line in found(lint) if line.endswith("MTM901"))
        assert len(broken) == len(names)
        assert sorted(line for line in found(lint, "--since", "HEAD") if line.endswith("MTM901")) == broken
        commit()
        assert found(lint, "--since", "HEAD") == []
        assert found(lint, "--staged") == []
        for name in names:
            write(Path(), {f"library/migrations/{name}.py": "class Migration((\n"})
        git("add", "--all")
        assert sorted(line for line in found(lint, "--staged") if line.endswith("MTM901")) == broken
        assert not Path("x").exists()

    def test_the_repository_s_own_configuration_runs_nothing(self, lint: Lint, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
        script.chmod(0o755)
        hooks = Path(".git/hooks")
        for name in ("post-index-change", "pre-commit", "post-checkout"):
            shutil.copy(script, hooks / name)
        write(Path(), {".gitattributes": "*.py filter=evil diff=evil\n"})
        for key in ("core.fsmonitor", "core.pager", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"):
            git("config", key, str(script))
        for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.sshCommand", "alias.diff"):
            git("config", key, str(script))
        write(Path(), {SECOND: THROUGH + "\n"})
        os.utime(FIRST, (1, 1))
        assert found(lint, "--since", "HEAD") == ["0002_authorship.py:18 MTM101"]
        assert found(lint, "--staged") == []
        assert not (tmp_path / "ran").exists()

    def test_nothing_is_written_into_the_repository(self, lint: Lint) -> None:
        write(Path(), {SECOND: THROUGH + "\n", FIRST: INITIAL})
        os.utime(FIRST, (1, 1))

        def state() -> dict[str, tuple[int, bytes]]:
            files = (path for path in Path(".git").rglob("*") if path.is_file())
            return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

        before = state()
        found(lint, "--since", "HEAD")
        found(lint, "--staged")
        assert state() == before


class TestStaged:
    def test_the_index_is_checked_not_the_files(self, repository_of: Path, lint: Lint) -> None:
        write(repository_of, {SECOND: HARMLESS})
        commit()
        write(repository_of, {SECOND: "# one line more\n" + THROUGH})
        git("add", "--all")
        write(repository_of, {SECOND: HARMLESS})
        assert found(lint) == []
        run = lint("--staged")
        assert run.status == 1
        assert f"--> {SECOND}:19:64" in run.out
        # The frame shows what is staged.
        assert "19 | " in run.out
        assert 'through="library.Authorship"' in run.out
        for format in ("sarif", "html", "github", "junit", "markdown", "gitlab"):
            assert lint("--staged", "--format", format).status == 1
        write(repository_of, {SECOND: THROUGH})
        git("add", "--all")
        git("reset", "--quiet", "--hard")
        write(repository_of, {SECOND: THROUGH})
        # Not staged.
        assert found(lint, "--staged") == []
        assert found(lint) == ["0002_authorship.py:18 MTM101"]

    def test_what_is_not_staged_is_not_there(self, repository_of: Path, lint: Lint) -> None:
        write(repository_of, {"library/migrations/0003_more.py": EMPTY})
        assert found(lint, "--staged") == []
        git("add", "--intent-to-add", "library/migrations/0003_more.py")
        assert found(lint, "--staged") == []
        git("add", "--all")
        Path("library/migrations/0003_more.py").unlink()
        assert found(lint, "--staged") == ["0003_more.py:1 MTM903"]

    def test_a_new_app_that_is_only_staged(self, repository_of: Path, lint: Lint) -> None:
        texts = {
            f"books/{name}".replace("library/", ""): text for name, text in {FIRST: INITIAL, SECOND: THROUGH}.items()
        }
        own = {name: text.replace('"library', '"books').replace("library.", "books.") for name, text in texts.items()}
        write(repository_of, {**own, "books/__init__.py": "", "books/migrations/__init__.py": ""})
        git("add", "--all")
        shutil.rmtree("books")
        assert found(lint, "--staged") == ["0002_authorship.py:18 MTM101"]

    def test_before_the_first_commit(self, project: Path, lint: Lint) -> None:
        git("init", "--quiet")
        assert lint("--staged") == Run(
            2, "", "lint-m2m: error: there are no migrations in `.`, as far as git has them\n"
        )
        git("add", "--all")
        assert found(lint, "--staged") == ["0002_authorship.py:18 MTM101"]
        assert lint("--since", "HEAD").err == (
            "lint-m2m: error: `--since` compares with a commit, and this repository has none yet\n"
        )

    def test_with_since_the_whole_branch_as_it_will_be(self, repository_of: Path, lint: Lint) -> None:
        git("switch", "--quiet", "--create", "feature")
        write(repository_of, {SECOND: THROUGH + "\n"})
        commit()
        assert found(lint, "--staged") == []
        assert found(lint, "--staged", "--since", "main") == ["0002_authorship.py:18 MTM101"]

    def test_conflicts_have_no_next_commit(self, repository_of: Path, lint: Lint) -> None:
        git("switch", "--quiet", "--create", "feature")
        write(repository_of, {SECOND: HARMLESS})
        commit()
        git("switch", "--quiet", "main")
        write(repository_of, {SECOND: THROUGH.replace("authors", "writers")})
        commit()
        subprocess.run(["git", "merge", "feature"], capture_output=True, check=False)
        run = lint("--staged")
        assert run.status == 2
        assert (
            run.err
            == f"lint-m2m: error: {SECOND}: it has conflicts that are not resolved: there is no next commit to check\n"
        )

    @pytest.mark.parametrize("option", ["--fix", "--diff"])
    def test_nothing_is_fixed(self, repository_of: Path, lint: Lint, option: str) -> None:
        run = lint("--staged", option)
        assert run.status == 2
        assert run.err.startswith(f"lint-m2m: error: `--staged` and `{option}` exclude each other")

    @pytest.mark.parametrize("arguments", [["--all"], [SECOND], ["--include", SECOND]], ids=["all", "path", "include"])
    def test_in_a_hook(self, repository_of: Path, arguments: list[str]) -> None:
        """`git commit -a` and `git commit PATH` commit what is not in the repository's own index."""
        hook = Path(".git/hooks/pre-commit")
        hook.write_text(f"#!/bin/sh\nexec {sys.executable} -m lint_m2m check --staged --format concise\n")
        hook.chmod(0o755)
        write(repository_of, {SECOND: THROUGH + "\n"})
        source = str(Path(__file__).resolve().parents[2])
        done = subprocess.run(
            ["git", "commit", "--message", "two", *arguments],
            env={**os.environ, "PYTHONPATH": source},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done
        assert "0002_authorship.py:18:64: MTM101" in done.stdout + done.stderr
        write(repository_of, {SECOND: HARMLESS})
        done = subprocess.run(
            ["git", "commit", "--message", "two", *arguments],
            env={**os.environ, "PYTHONPATH": source},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done


def test_outside_of_git(project: Path, lint: Lint) -> None:
    for option in ("--since=HEAD", "--staged"):
        run = lint(option)
        assert (run.status, run.out) == (2, "")
        name = option.partition("=")[0]
        assert run.err.startswith(f"lint-m2m: error: .: `{name}` needs a git repository: not a git repository"), run.err


def test_somebody_else_s_repository(repository_of: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container. What git is told there by the environment counts."""
    different = "GIT_TEST_ASSUME_DIFFERENT_OWNER"
    monkeypatch.setattr(changes, "_KEPT", changes._KEPT | {different})
    monkeypatch.setenv(different, "1")
    run = lint("--since", "HEAD")
    assert (run.status, run.out) == (2, "")
    assert "detected dubious ownership in repository" in run.err
    assert run.err.endswith("; `git config --global --add safe.directory FOLDER` lets git trust it\n")
    for name, value in {"COUNT": "2", "KEY_0": "core.bare", "VALUE_0": "true", "VALUE_1": str(repository_of)}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.setenv("GIT_CONFIG_KEY_1", "safe.directory")
    assert lint("--format", "concise", "--since", "HEAD") == Run(0, "", "")


def test_with_django(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`manage.py lint_m2m` has loaded what is on disk, and that alone."""
    monkeypatch.chdir(example)
    write(example, {"lint.py": "from school.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'lint_m2m']\n"})
    git("init", "--quiet")
    commit()

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        source = str(Path(__file__).resolve().parents[2])
        command = [sys.executable, "manage.py", "lint_m2m", "--settings=lint", "--format=json", *arguments]
        environment = {**os.environ, "PYTHONPATH": source}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    done = manage("--staged")
    assert done.returncode == 2
    assert "`--staged` looks at what is staged, and Django has loaded the files on disk" in done.stderr
    first = Path("courses/migrations/0001_initial.py")
    first.write_text(first.read_text() + "\n")
    done = manage("--since=HEAD")
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["code"] == "MTM101"
    assert finding["notes"][-1] == (
        "this file has not changed, and what it points at has: whether that brings it cannot be told"
    )
    assert "Django loads what is there now, not what was there before; " in done.stderr


def test_without_git(project: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert lint("--staged") == Run(2, "", "lint-m2m: error: there is no `git` on this machine's PATH\n")


def test_a_project_in_a_folder_of_the_repository(tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    root = library(tmp_path / "top" / "src" / "site")
    monkeypatch.chdir(tmp_path / "top")
    git("init", "--quiet")
    write(Path(), {"other/file.py": "x = 1\n"})
    commit()
    write(root, {SECOND: THROUGH + "\n"})
    assert found(lint, "--since", "HEAD", "src/site") == ["0002_authorship.py:18 MTM101"]
    git("add", "--all")
    monkeypatch.chdir(root / "library")
    assert found(lint, "--staged") == ["0002_authorship.py:18 MTM101"]
    commit()
    assert found(lint, "--staged", "--since", "HEAD~1") == ["0002_authorship.py:18 MTM101"]
    assert found(lint, "--since", "HEAD") == []


def test_several_repositories(tmp_path: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        library(tmp_path / name)
        git("init", "--quiet", folder=tmp_path / name)
        git("add", "--all", folder=tmp_path / name)
        git("commit", "--quiet", "--message=one", folder=tmp_path / name)
    write(tmp_path / "two", {SECOND: THROUGH + "\n"})
    run = lint("one", "two", "--since", "HEAD", "--format", "json")
    assert [finding["path"] for finding in json.loads(run.out)["findings"]] == [f"two/{SECOND}"]


@pytest.mark.usefixtures("repository_of")
def test_a_worktree(lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "feature")
    monkeypatch.chdir(tmp_path / "tree")
    write(Path(), {SECOND: THROUGH + "\n"})
    assert found(lint, "--since", "main") == ["0002_authorship.py:18 MTM101"]
    assert found(lint, "--staged") == []
    git("add", "--all")
    assert found(lint, "--staged") == ["0002_authorship.py:18 MTM101"]


@pytest.mark.usefixtures("repository_of")
def test_a_submodule_that_was_moved(lint: Lint, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    write(
        inner,
        {
            "__init__.py": "",
            "migrations/__init__.py": "",
            "migrations/0001_initial.py": INITIAL.replace("library", "inner"),
        },
    )
    git("init", "--quiet", folder=inner)
    git("add", "--all", folder=inner)
    git("commit", "--quiet", "--message=one", folder=inner)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "inner")
    commit()
    assert found(lint, "--since", "HEAD") == []
    write(Path(), {"inner/migrations/0002_broken.py": "class Migration(\n"})
    # Its own repository's affair, until it has a commit of it.
    assert found(lint, "--since", "HEAD") == []
    git("add", "--all", folder=Path("inner"))
    git("commit", "--quiet", "--message=two", folder=Path("inner"))
    assert found(lint, "--since", "HEAD") == ["0002_broken.py:1 MTM901"]
    assert found(lint, "--staged") == []
    git("add", "--all")
    assert found(lint, "--staged") == ["0002_broken.py:1 MTM901"]


@pytest.mark.usefixtures("repository_of")
def test_links(lint: Lint, tmp_path: Path) -> None:
    """A folder of migrations may be a link within the project; one that leads out of it leads nowhere."""
    Path("library/migrations").rename("kept")
    Path("library/migrations").symlink_to("../kept", target_is_directory=True)
    write(tmp_path / "outside", {"0009_secret.py": "class Migration(\n"})
    Path("shop/out").symlink_to(tmp_path / "outside", target_is_directory=True)
    commit()
    write(Path(), {"kept/0002_authorship.py": THROUGH + "\n"})
    assert found(lint, "--since", "HEAD") == ["0002_authorship.py:18 MTM101"]
    assert found(lint, "--staged") == []
    git("add", "--all")
    assert found(lint, "--staged", "--since", "HEAD~1") == ["0002_authorship.py:18 MTM101"]

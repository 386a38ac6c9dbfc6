"""Disks, files and folders that do not do what is wanted of them: nothing is torn, and what is wrong is said."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lint_m2m import writing
from lint_m2m.rewrite import FileChange, RewriteError, write
from tests.cli.projects import INITIAL, library

REPOSITORY = Path(__file__).resolve().parents[2]
LINT = [sys.executable, "-P", "-m", "lint_m2m"]
MIGRATION = "library/migrations/0002_authorship.py"
NOBODY = 65534
OLD, NEW = b"old\n", b"new\n"
needs_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may do this")


def lint(root: Path, *arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
    given = {"cwd": root, "capture_output": True, "text": True, "env": environment, **how}
    return subprocess.run([*LINT, *arguments], **given)  # type: ignore[call-overload,no-any-return]


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return library(tmp_path / "site")


# Full disks.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), open(folder / "filling", "wb", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass


@needs_root
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a tmpfs")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--fix",), MIGRATION),
        (("--format", "json:report.json"), "`report.json`"),
        (("--write-baseline", "--baseline", "known.toml"), "known.toml` cannot be written"),
    ],
)
def test_a_full_disk(small_disk: Path, arguments: tuple[str, ...], named: str) -> None:
    root = library(small_disk / "site", **{"report.json": "older", "known.toml": "schema = 1\n"})
    fill(small_disk)
    before = contents(small_disk)
    done = lint(root, "check", "--isolated", "--no-cache", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "cannot be written: no space left on device" in done.stderr
    assert contents(small_disk) == before


@pytest.mark.skipif(os.name != "posix", reason="no limits")
@pytest.mark.parametrize("arguments", [("--fix",), ("--format", "json:report.json")])
def test_a_limit_on_the_size_of_files(project: Path, arguments: tuple[str, ...]) -> None:
    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    before = contents(project)
    done = lint(project, "check", "--isolated", "--no-cache", *arguments, preexec_fn=limited)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written: file too large" in done.stderr
    assert contents(project) == before


@pytest.mark.skipif(os.name != "posix", reason="no limits")
@pytest.mark.parametrize("arguments", [("check", "--staged"), ("check", "--since", "HEAD"), ("prove",)])
def test_no_room_for_what_is_needed_for_a_while(project: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Copies of what git has, and the project of a proof: not a fault of lint-m2m's, and nothing is left of them."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "all")):
        subprocess.run([*git, *command], cwd=project, check=True)
    (project / "library/migrations/0001_initial.py").write_text(INITIAL + "# edited\n")
    subprocess.run(["git", "add", "."], cwd=project, check=True)
    (tmp_path / "for a while").mkdir()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path / "for a while")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = lint(project, *arguments, "--isolated", env=environment, preexec_fn=limited)
    assert (done.returncode, done.stdout) == (2, "")
    assert "file too large" in done.stderr
    assert "internal error" not in done.stderr
    assert list((tmp_path / "for a while").iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_device(project: Path) -> None:
    for arguments in (("--output", "/dev/full"), ("--format", "json:/dev/full"), ("--fix", "--output", "/dev/full")):
        done = lint(project, "check", "--isolated", "--no-cache", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "`/dev/full` cannot be written: no space left on device" in done.stderr
    with open("/dev/full", "w") as full:
        for arguments in (
            ("check", "--no-cache"),
            ("check", "--no-cache", "--format", "json"),
            ("explain",),
            ("explain", "MTM101"),
            ("--help",),
        ):
            done = lint(project, *arguments, capture_output=False, stdout=full, stderr=subprocess.PIPE)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
            assert "the report cannot be written: no space left on device" in done.stderr


def test_a_job_summary_is_added_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_bytes(b"# Of the step before\n")
    writing.append(file, b"more\n")
    assert file.read_bytes() == b"# Of the step before\nmore\n"
    code = (
        "import pathlib, resource, signal, sys\n"
        "from lint_m2m.writing import append\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    append(pathlib.Path(sys.argv[1]), b'x' * 4000)\n"
        "except OSError as error:\n    print(error.strerror)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("File too large\n", "")
    assert file.read_bytes() == b"# Of the step before\nmore\n"


# What is not to be written.


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (MIGRATION, ("--fix",)),
        ("report.json", ("--format", "json:report.json")),
        ("known.toml", ("--write-baseline", "--baseline", "known.toml")),
    ],
)
def test_a_read_only_file(project: Path, name: str, arguments: tuple[str, ...]) -> None:
    if not (project / name).exists():
        (project / name).write_text("schema = 1\n")
    (project / name).chmod(0o444)
    before = contents(project)
    done = lint(project, "check", "--isolated", "--no-cache", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr
    assert "cannot be written: it is read-only" in done.stderr
    assert contents(project) == before


AS_NOBODY = """
import os, sys
from lint_m2m.cli import main
os.chdir(sys.argv[1])
main(["check", "--isolated", "--no-cache", "--diff"])  # nobody may not load what is missing
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(main(["check", "--isolated", "--no-cache", "--fix", "--quiet"]))
"""


@needs_root
@pytest.mark.parametrize("own", ["file", "folder"])
def test_what_somebody_else_owns(own: str) -> None:
    """A file that may be written, in a folder where nothing may be made; and the other way round."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = library(Path(folder) / "site")
        os.chown(root / MIGRATION if own == "file" else (root / MIGRATION).parent, NOBODY, NOBODY)
        before = contents(root)
        done = subprocess.run(
            [sys.executable, "-P", "-c", AS_NOBODY, str(root)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert f"{MIGRATION}: cannot be written: permission denied; nothing has changed" in done.stderr
        assert contents(root) == before


@needs_root
def test_owner_group_and_mode_stay(project: Path) -> None:
    os.chown(project / MIGRATION, 12345, 54321)
    (project / MIGRATION).chmod(0o2640)
    assert lint(project, "check", "--isolated", "--no-cache", "--fix").returncode == 0
    status = (project / MIGRATION).stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 54321, 0o2640)


def test_links(project: Path) -> None:
    """Behind a symbolic link the file is written; another name of the same file keeps the old one, as with git."""
    shutil.move(project / MIGRATION, project / "kept.txt")
    (project / MIGRATION).symlink_to("../../kept.txt")
    os.link(project / "kept.txt", project / "other name.txt")
    old = (project / "kept.txt").read_bytes()
    assert lint(project, "check", "--isolated", "--no-cache", "--fix").returncode == 0
    assert os.readlink(project / MIGRATION) == "../../kept.txt"
    assert (project / "kept.txt").read_bytes() != old
    assert (project / "other name.txt").read_bytes() == old


def test_a_report_behind_a_link(project: Path) -> None:
    (project / "reports").mkdir()
    (project / "report.json").symlink_to("reports/1.json")
    assert lint(project, "check", "--isolated", "--no-cache", "--format", "json:report.json").returncode == 1
    assert (project / "report.json").is_symlink()
    assert (project / "reports/1.json").read_bytes().endswith(b"}\n")


# Files that change meanwhile.


def change(root: Path, name: str, before: bytes | None = OLD, after: bytes = NEW) -> FileChange:
    if before is not None:
        (root / name).write_bytes(before)
    return FileChange(root=root, file=root / name, path=name, before=before, after=after)


def at_call(number: int, real: Callable[..., object], then: Callable[[], object]) -> Callable[..., object]:
    """`real`, but first `then` at call `number`."""
    calls = iter(range(1, 1000))

    def call(*arguments: object, **named: object) -> object:
        if next(calls) == number:
            then()
        return real(*arguments, **named)

    return call


def test_an_edit_between_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one is edited when the first one is in place: that one is put back."""
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py")]
    edited = at_call(1, os.replace, lambda: (tmp_path / "b.py").write_bytes(b"edited\n"))
    monkeypatch.setattr(os, "replace", edited)
    with pytest.raises(
        RewriteError, match=r"^b\.py: has changed since it was read: run it again; nothing has changed$"
    ):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": b"edited\n"}


def test_a_new_file_that_appears_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py", before=None)]
    theirs = at_call(2, os.link, lambda: (tmp_path / "b.py").write_bytes(NEW))
    monkeypatch.setattr(os, "link", theirs)
    with pytest.raises(RewriteError, match=r"^b\.py: cannot be written: file exists; nothing has changed$"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": NEW}


def test_what_was_edited_after_it_was_written_is_not_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py"), change(tmp_path, "c.py")]

    def edit_and_fail() -> None:
        (tmp_path / "a.py").write_bytes(b"edited\n")
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", at_call(3, os.replace, edit_and_fail))
    with pytest.raises(RewriteError, match=r"^c\.py: cannot be written: input/output error"):
        write(changes)
    assert contents(tmp_path) == {"a.py": b"edited\n", "b.py": OLD, "c.py": OLD}


def test_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have none: what is put back is then a copy."""

    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    write([change(tmp_path, "a.py"), change(tmp_path, "b.py", before=None)])
    assert contents(tmp_path) == {"a.py": NEW, "b.py": NEW}
    changes = [change(tmp_path, "a.py"), change(tmp_path, "c.py")]
    (tmp_path / "a.py").chmod(0o600)

    def fail() -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", at_call(2, os.replace, fail))
    with pytest.raises(RewriteError, match="nothing has changed"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": NEW, "c.py": OLD}
    assert stat.S_IMODE((tmp_path / "a.py").stat().st_mode) == 0o600


def test_a_baseline_that_changes_meanwhile(project: Path) -> None:
    """A reason that somebody has written since the file was read is not lost."""
    code = (
        "import sys\n"
        "from lint_m2m import engine\n"
        "from lint_m2m.cli import main\n"
        "real = engine.run\n"
        "def run(*arguments, **named):\n"
        "    outcome = real(*arguments, **named)\n"
        "    open('known.toml', 'a').write('# edited\\n')\n"
        "    return outcome\n"
        "engine.run = run\n"
        "sys.exit(main(['check', '--isolated', '--no-cache', '--write-baseline', '--baseline', 'known.toml']))\n"
    )
    for text in ("schema = 1\n", None):
        if text is None:
            (project / "known.toml").unlink()
        else:
            (project / "known.toml").write_text(text)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], cwd=project, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 2
        assert "known.toml: the baseline has changed since it was read: run it again" in done.stderr
        assert (project / "known.toml").read_text() == (text or "") + "# edited\n"


# Two at once.

# Each makes the next number of what it reads, in all files at once, until they are at the last one.
RACE = """
import sys
from pathlib import Path
from lint_m2m.rewrite import FileChange, RewriteError, write
root, mark, last = Path(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
files = [root / f"{number}.py" for number in range(4)]
won = lost = 0
while True:
    before = [file.read_bytes() for file in files]
    number = int(before[0].split()[0])
    if number >= last:
        break
    new = b"%d %s" % (number + 1, mark)
    try:
        write([FileChange(root=root, file=f, path=f.name, before=b, after=new) for f, b in zip(files, before)])
        won += 1
    except RewriteError as error:
        assert "has changed" in str(error), error
        lost += 1
print(won, lost)
"""


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked")
def test_two_at_once(tmp_path: Path) -> None:
    """One of the two writes all four files, the other one finds that they have changed."""
    last = 50
    for number in range(4):
        (tmp_path / f"{number}.py").write_bytes(b"0")
    racers = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", RACE, str(tmp_path), mark, str(last)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for mark in ("one", "other")
    ]
    try:
        told = [racer.communicate(timeout=60) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
    assert [errors for _, errors in told] == ["", ""]
    assert sum(int(out.split()[0]) for out, _ in told) == last
    assert len(set(contents(tmp_path).values())) == 1
    assert len(contents(tmp_path)) == 4


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked")
def test_a_process_that_does_not_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PATIENCE", 0.05)
    changes = [change(tmp_path, "a.py")]
    began = time.monotonic()
    with writing.alone(tmp_path), pytest.raises(RewriteError, match="another process is writing there"):
        write(changes)
    assert time.monotonic() - began < 5
    assert contents(tmp_path) == {"a.py": OLD}
    write(changes)
    assert contents(tmp_path) == {"a.py": NEW}


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked")
def test_two_fixes_at_once(project: Path) -> None:
    """Whatever the second one learns, and whenever: the file is that of one of them."""
    old = (project / MIGRATION).read_bytes()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    runs = [
        subprocess.Popen(
            [*LINT, "check", "--isolated", "--no-cache", "--fix", "--sequence", sequence],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for sequence in ("keep-table", "rename-table")
    ]
    for run in runs:
        _, errors = run.communicate(timeout=60)
        assert run.returncode in (0, 1, 2), errors
        # With 1 it reports what it read before the other one wrote.
        assert run.returncode != 2 or "has changed" in errors
    assert (project / MIGRATION).read_bytes() != old
    assert lint(project, "check", "--isolated", "--no-cache").returncode == 0
    assert not list(project.rglob("*.tmp"))

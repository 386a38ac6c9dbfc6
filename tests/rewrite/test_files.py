"""Writing: all files or none, whatever goes wrong in between."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from lint_m2m.rewrite import FileChange, RewriteError, write

OLD, NEW = b"old\n", b"new\n"


def change(root: Path, name: str, before: bytes | None = OLD, after: bytes = NEW) -> FileChange:
    file = root / name
    if before is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(before)
    return FileChange(root=root, file=file, path=name, before=before, after=after)


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_several_files_and_a_new_one(tmp_path: Path) -> None:
    write([change(tmp_path, "a.py"), change(tmp_path, "b/c.py"), change(tmp_path, "b/d.py", before=None)])
    assert contents(tmp_path) == {"a.py": NEW, "b/c.py": NEW, "b/d.py": NEW}


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write([change(tmp_path, "a.py", before=None)])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.py").stat().st_mode) == 0o640


def failing(times: int, error: BaseException, real: Any) -> Any:
    """`real`, but for its call number `times`."""
    calls = 0

    def call(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == times:
            raise error
        return real(*arguments, **named)

    return call


@pytest.mark.parametrize("function", ["write", "fsync", "replace", "open", "chmod"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, times: int) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py"), change(tmp_path, "c.py")]
    if function == "open":
        # Files are opened to be compared as well: only those to be written count.
        real, wrapped = os.open, failing(times, OSError(28, "No space left on device"), os.open)
        monkeypatch.setattr(
            os, "open", lambda path, flags, *rest: (wrapped if flags & os.O_CREAT else real)(path, flags, *rest)
        )
    else:
        monkeypatch.setattr(os, function, failing(times, OSError(28, "No space left on device"), getattr(os, function)))
    with pytest.raises(RewriteError, match="cannot be written: no space left on device; nothing has changed"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": OLD, "c.py": OLD}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, error: type[BaseException]
) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py", before=None), change(tmp_path, "c.py")]
    monkeypatch.setattr(os, "replace", failing(times, error(), os.replace))
    with pytest.raises(error):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "c.py": OLD}


def test_half_a_write_never_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = changes = [change(tmp_path, "a.py", after=b"x" * 100_000)]
    seen = []

    def fsync(descriptor: int) -> None:
        seen.append(one.file.read_bytes())
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(RewriteError):
        write(changes)
    assert seen == [OLD]
    assert contents(tmp_path) == {"a.py": OLD}


def test_what_cannot_be_put_back_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py")]
    real, calls = os.replace, []

    def replace(source: Any, target: Any) -> None:
        calls.append(target)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(RewriteError, match=r"^a\.py: could not be put back after an error"):
        write(changes)


def test_a_file_that_has_changed_is_not_touched(tmp_path: Path) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py")]
    (tmp_path / "b.py").write_bytes(b"edited\n")
    with pytest.raises(RewriteError, match=r"^b\.py: has changed since it was read"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": b"edited\n"}


def test_a_file_that_changes_while_others_are_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py")]
    real = os.fsync

    def fsync(descriptor: int) -> None:
        (tmp_path / "a.py").write_bytes(b"edited\n")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(RewriteError, match=r"^a\.py: has changed"):
        write(changes)
    assert contents(tmp_path) == {"a.py": b"edited\n", "b.py": OLD}


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py")]
    (tmp_path / "b.py").unlink()
    with pytest.raises(RewriteError, match=r"^b\.py: cannot be read any more"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD}


def test_a_new_file_that_is_there_by_now(tmp_path: Path) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py", before=None)]
    (tmp_path / "b.py").write_bytes(b"somebody's\n")
    with pytest.raises(RewriteError, match=r"^b\.py: there is a file of that name by now"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": b"somebody's\n"}


def test_a_link_out_of_the_project(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_bytes(OLD)
    project = tmp_path / "project"
    inside = change(project, "a.py")
    (project / "b.py").symlink_to(outside)
    linked = FileChange(root=project, file=project / "b.py", path="b.py", before=OLD, after=NEW)
    with pytest.raises(RewriteError, match="a link leads out of the project"):
        write([inside, linked])
    assert contents(tmp_path) == {"outside.py": OLD, "project/a.py": OLD, "project/b.py": OLD}


def test_a_folder_that_is_a_link_out_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    project = tmp_path / "project"
    project.mkdir()
    (project / "migrations").symlink_to(tmp_path / "outside")
    new = FileChange(
        root=project, file=project / "migrations/0003.py", path="migrations/0003.py", before=None, after=NEW
    )
    with pytest.raises(RewriteError, match="a link leads out of the project"):
        write([new])
    assert contents(tmp_path) == {}


def test_a_link_within_the_project_stays_one(tmp_path: Path) -> None:
    real = change(tmp_path, "real/a.py")
    (tmp_path / "link.py").symlink_to(real.file)
    linked = FileChange(root=tmp_path, file=tmp_path / "link.py", path="link.py", before=OLD, after=NEW)
    write([linked])
    assert (tmp_path / "link.py").is_symlink()
    assert contents(tmp_path) == {"link.py": NEW, "real/a.py": NEW}


def test_a_file_under_two_names(tmp_path: Path) -> None:
    real = change(tmp_path, "real/a.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    linked = FileChange(root=tmp_path, file=tmp_path / "link/a.py", path="link/a.py", before=OLD, after=b"other\n")
    with pytest.raises(RewriteError, match=r"^link/a\.py: is the same file as `real/a\.py`"):
        write([real, linked])
    assert real.file.read_bytes() == OLD
    same = FileChange(root=tmp_path, file=tmp_path / "link/a.py", path="link/a.py", before=OLD, after=NEW)
    write([real, same])
    assert real.file.read_bytes() == NEW


def test_a_file_that_is_not_to_be_written(tmp_path: Path) -> None:
    changes = [change(tmp_path, "a.py"), change(tmp_path, "b.py")]
    # Also for those who may write everything.
    (tmp_path / "b.py").chmod(0o444)
    with pytest.raises(RewriteError, match=r"^b\.py: cannot be written: it is read-only; nothing has changed$"):
        write(changes)
    assert contents(tmp_path) == {"a.py": OLD, "b.py": OLD}

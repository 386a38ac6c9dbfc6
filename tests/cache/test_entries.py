"""`lint_m2m.cache`: what is taken from it, and what never is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lint_m2m import cache as module
from lint_m2m.cache import MOST_ENTRIES, Cache

ENTRY = b'{"findings": []}'


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "entries", tmp_path / "key")


def entry_of(folder: Path) -> Path:
    (found,) = folder.glob("*.lint-m2m-entry")
    return found


def test_what_was_saved_is_loaded(cache: Cache, tmp_path: Path) -> None:
    assert cache.load("one") is None
    cache.save("one", ENTRY)
    cache.save("two", b"")
    assert (cache.load("one"), cache.load("two"), cache.load("three")) == (ENTRY, b"", None)
    assert Cache(tmp_path / "entries", tmp_path / "key").load("one") == ENTRY
    assert (tmp_path / "entries" / ".gitignore").read_text() == "*\n"
    assert (
        (tmp_path / "entries" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    )
    assert (tmp_path / "key" / "key").stat().st_mode & 0o777 == 0o600


def test_no_damaged_entry_is_taken(cache: Cache, tmp_path: Path) -> None:
    cache.save("one", ENTRY)
    file = entry_of(tmp_path / "entries")
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at])
        assert cache.load("one") is None
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert cache.load("one") is None
    file.write_bytes(whole + b" ")
    assert cache.load("one") is None
    file.write_bytes(whole)
    assert cache.load("one") == ENTRY


def test_no_foreign_entry_is_taken(cache: Cache, tmp_path: Path) -> None:
    """One that somebody else has signed, and a genuine one under another name."""
    stranger = Cache(tmp_path / "theirs", tmp_path / "their-key")
    stranger.save("one", b"nothing to see")
    cache.save("two", ENTRY)
    (tmp_path / "entries" / "one.lint-m2m-entry").write_bytes(entry_of(tmp_path / "theirs").read_bytes())
    assert cache.load("one") is None
    (tmp_path / "entries" / "one.lint-m2m-entry").write_bytes(
        (tmp_path / "entries" / "two.lint-m2m-entry").read_bytes()
    )
    assert cache.load("one") is None
    assert cache.load("two") == ENTRY
    (tmp_path / "key" / "key").write_bytes(b"short")
    assert cache.load("two") is None


@pytest.mark.parametrize("kind", ["folder", "fifo", "dangling link"])
def test_what_is_no_file_is_no_entry(cache: Cache, tmp_path: Path, kind: str) -> None:
    cache.save("other", ENTRY)
    place = tmp_path / "entries" / "one.lint-m2m-entry"
    if kind == "folder":
        place.mkdir()
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / "nowhere")
    assert cache.load("one") is None
    cache.save("one", ENTRY)
    assert cache.load("one") == (None if kind == "folder" else ENTRY)
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_place_of_the_folder_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    """A repository may bring one along: this user's files do not go where it points."""
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "entries").symlink_to(target)
    cache.save("one", ENTRY)
    assert list(target.iterdir()) == []
    assert cache.load("one") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for cache in (Cache(tmp_path / "file", tmp_path / "key"), Cache(tmp_path / "entries", tmp_path / "file")):
        cache.save("one", ENTRY)
        assert cache.load("one") is None
    assert (tmp_path / "file").read_text() == ""


def test_it_is_bounded(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MOST_ENTRIES + 5):
        cache.save(f"{number:03}", ENTRY)
        os.utime(tmp_path / "entries" / f"{number:03}.lint-m2m-entry", (number, number))
    cache.save("last", ENTRY)
    left = {path.stem for path in (tmp_path / "entries").glob("*.lint-m2m-entry")}
    assert len(left) == MOST_ENTRIES
    assert {"last", f"{MOST_ENTRIES + 4:03}"} < left
    assert "000" not in left
    monkeypatch.setattr(module, "MOST_BYTES_OF_ALL", 60)
    cache.save("newest", b"x" * 20)
    assert [path.stem for path in (tmp_path / "entries").glob("*.lint-m2m-entry")] == ["newest"]
    monkeypatch.setattr(module, "MOST_BYTES", 50)
    cache.save("large", b"x" * 50)
    assert cache.load("large") is None


def test_what_was_never_finished_goes(cache: Cache, tmp_path: Path) -> None:
    cache.save("one", ENTRY)
    for name, age in (("old.lint-m2m.tmp", 4000), ("new.lint-m2m.tmp", 10)):
        (tmp_path / "entries" / name).write_text("half")
        status = (tmp_path / "entries" / name).stat()
        os.utime(tmp_path / "entries" / name, (status.st_atime, status.st_mtime - age))
    (tmp_path / "entries" / "somebody.txt").write_text("kept")
    cache.save("one", ENTRY)
    assert {path.name for path in (tmp_path / "entries").iterdir() if path.suffix in (".tmp", ".txt")} == {
        "new.lint-m2m.tmp",
        "somebody.txt",
    }


def test_a_folder_of_other_things_is_left_as_it_is(tmp_path: Path) -> None:
    """A repository's configuration may name one: none of it goes, and neither git nor backups pass it by."""
    theirs = {f"{number}.entry" for number in range(MOST_ENTRIES + 1)} | {"draft.tmp"}
    for name in theirs:
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1, 1))
    cache = Cache(tmp_path, tmp_path / "key")
    cache.save("one", ENTRY)
    assert cache.load("one") == ENTRY
    assert {path.name for path in tmp_path.iterdir()} == theirs | {"one.lint-m2m-entry", "key"}

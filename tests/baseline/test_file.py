"""The file of a baseline: what is written, what is read, and what is refused."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint_m2m.baseline import MAX_BYTES, Baseline, Entry, Key, empty, plain, read, render
from lint_m2m.errors import ConfigurationError

KEY = Key("library", "0002_authorship", "MTM101", "library.book.authors", "")


def baseline(*entries: Entry, file: Path = Path("known.toml")) -> Baseline:
    return Baseline(file=file, shown=str(file), entries=entries)


def test_sorted_one_key_a_line_and_nothing_that_says_nothing() -> None:
    where = 'app = "library"\nmigration = "0002_authorship"\nfield = "library.book.authors"\n'
    text = render(
        baseline(
            Entry(KEY._replace(app="shop", code="MTM903", field="")),
            Entry(Key("", "", "MTM901", "", "odd/0001.py"), 1),
            Entry(KEY._replace(code="MTM902"), 3, 'said "so"\non two lines'),
            Entry(KEY),
        )
    )
    assert text.partition("schema = 1\n")[2] == (
        '\n[[finding]]\ncode = "MTM901"\npath = "odd/0001.py"\n'
        f'\n[[finding]]\ncode = "MTM101"\n{where}'
        f'\n[[finding]]\ncode = "MTM902"\n{where}'
        'count = 3\nreason = "said \\"so\\"\\u000aon two lines"\n'
        '\n[[finding]]\ncode = "MTM903"\napp = "shop"\nmigration = "0002_authorship"\n'
    )


TEXTS = st.text().map(plain)


@given(
    st.lists(
        st.builds(
            Entry,
            st.builds(Key, TEXTS.filter(bool), TEXTS.filter(bool), st.just("MTM101"), TEXTS, st.just("")),
            st.integers(1, 9),
            TEXTS,
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    file = tmp_path_factory.getbasetemp() / "known.toml"
    text = render(baseline(*entries))
    file.write_text(text, encoding="utf-8", newline="")
    assert text.isprintable() or set(filter(lambda sign: not sign.isprintable(), text)) == {"\n"}
    back = read(file)
    assert [entry.key for entry in back.entries] == [entry.key for entry in sorted(entries)]
    assert [(entry.count, entry.reason) for entry in back.entries] == [
        (one.count, one.reason) for one in sorted(entries)
    ]
    assert render(back) == text


def test_odd_bytes_of_a_file_name_have_a_form() -> None:
    odd = os.fsdecode(b"0001_\xff")
    text = render(baseline(Entry(KEY._replace(migration=plain(odd)))))
    assert tomllib.loads(text)["finding"][0]["migration"] == "0001_\\udcff"


def test_entries_know_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(render(baseline(Entry(KEY), Entry(KEY._replace(app="shop")))).replace("\n", "\r\n"), newline="")
    assert [entry.line for entry in read(file).entries] == [5, 11]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = ", ":1: not valid TOML: Invalid value"),
        ("schema = 1\n\n<<<<<<< HEAD\n", ":3: not valid TOML: "),
        (b"schema = 1\n# \xff\n", ":2: not valid UTF-8"),
        ("", ":1: this is no baseline of lint-m2m"),
        ("[project]\nname = 'x'\n", ":1: this is no baseline of lint-m2m"),
        ("schema = true\n", ":1: this is no baseline of lint-m2m"),
        ("schema = 1\nfinding = 3\n", ":1: this is no baseline of lint-m2m"),
        ("schema = 2\n", ": the baseline has schema 2, and this lint-m2m knows 1"),
        ("schema = 1\nfinding = [1]\n", ": an entry of the baseline is no table"),
        (
            "schema = 1\n\n[[finding]]\nid = 1\n",
            ":3: an entry of the baseline has a key `id`, which lint-m2m does not know",
        ),
        ("schema = 1\n[[finding]]\ncode = 101\n", ":2: an entry of the baseline has a `code` that is no string"),
        ("schema = 1\n[[finding]]\ncode = 'E501'\n", ":2: an entry of the baseline has no `code` of a rule"),
        ("schema = 1\n[[finding]]\napp = 'a'\n", ":2: an entry of the baseline has no `code` of a rule"),
        (
            "schema = 1\n[[finding]]\ncode = 'MTM101'\napp = 'a'\n",
            ":2: an entry of the baseline names neither `app` and `migration` nor a `path`",
        ),
        (
            "schema = 1\n[[finding]]\ncode = 'MTM101'\npath = 'a'\ncount = 0\n",
            ":2: an entry of the baseline has a `count`",
        ),
        ("schema = 1\n[[finding]]\ncode = 'MTM101'\npath = 'a'\ncount = true\n", ":2: an entry of the baseline has a"),
    ],
)
def test_what_is_none_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("known.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path / "known.toml")
    assert str(caught.value).startswith(f"known.toml{message}")


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    for name in ("missing", "folder", "pipe", "huge"):
        file = tmp_path / name
        if name == "folder":
            file.mkdir()
        elif name == "pipe":
            os.mkfifo(file)
        elif name == "huge":
            with open(file, "wb") as stream:
                stream.truncate(MAX_BYTES + 1)
        with pytest.raises(ConfigurationError):
            read(file)
    assert empty(tmp_path / "missing").entries == ()

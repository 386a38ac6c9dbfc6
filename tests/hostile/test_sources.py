"""Migration files made to hurt: each is a finding with the file, or is read, within the limits of `command.lint`."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.readers.operations import MAX_OPERATIONS
from lint_m2m.readers.source import MAX_FIELDS, MAX_SOURCE_BYTES, MAX_TOKENS
from tests.cli.projects import THROUGH, library
from tests.hostile.command import Done, lint

BAD = "library/migrations/0002_authorship.py"
MTM101 = f"{BAD}:18:64: MTM101 "
MTM901 = f"{BAD}:1:1: MTM901 cannot be read: "
AUTHORS = 'models.ManyToManyField("library.author", related_name="+")'
FIELD = f'("f@", {AUTHORS})'
BOOK = 'models.ForeignKey("library.book", models.CASCADE)'


def migration(operations: str, before: str = "") -> str:
    return (
        f"from django.db import migrations, models\n{before}class Migration(migrations.Migration):\n"
        f'    dependencies = [("library", "0001_initial")]\n    operations = {operations}\n'
    )


def check(folder: Path, source: str | bytes, *options: str) -> Done:
    """The library project with `source` as its second migration."""
    root = library(folder / "site")
    (root / BAD).write_bytes(source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass"))
    return lint(root, *(options or ("--format", "concise")))


def check_all(folder: Path, sources: dict[str, bytes]) -> dict[str, str]:
    """Each of `sources` as a migration of its own, all in one run that has to keep the limits of one input.

    By name, what is said of it.
    """
    root = library(folder / "site")
    (root / BAD).unlink()
    for name, source in sources.items():
        (root / "library" / "migrations" / f"m_{name}.py").write_bytes(source)
    done = lint(root, "--format", "concise", "--select", "MTM901,MTM902")
    found = [line.partition("/m_")[2].partition(".py:") for line in done.out.splitlines()]
    return {name: f"{found_at} {said}" for name, _, rest in found for found_at, _, said in [rest.partition(" ")]}


def test_a_file_of_100_mb(tmp_path: Path) -> None:
    root = library(tmp_path / "site")
    with open(root / BAD, "wb") as stream:
        stream.truncate(100 << 20)
    done = lint(root, "--format", "concise")
    assert (done.status, done.out) == (1, f"{MTM901}larger than 2 MB (104,857,600 bytes)\n")


@pytest.mark.parametrize(
    "name", ["manage.py", "library/models.py", "library/apps.py", "library/__init__.py", "conf/settings.py"]
)
def test_another_file_of_100_mb_changes_nothing(tmp_path: Path, name: str) -> None:
    root = library(tmp_path / "site")
    (root / name).parent.mkdir(exist_ok=True)
    with open(root / name, "wb") as stream:
        stream.truncate(100 << 20)
    assert lint(root, "--format", "concise").out.startswith(MTM101)


# As much of each as is read at all, and then ten times that: what it takes may not grow with it.
MANY = {
    "numbers": ("x = [", "1,", "]"),
    "names": ("x = [", "a,", "]"),
    "statements": ("", "x;", "x"),
    "lines": ("", "x\n", ""),
    "lists": ("x = [", "[],", "]"),
    "comparisons": ("x = [", "a<b,", "]"),
    "fields": ("x = f'", "{a}", "'"),
    "hidden": ("x = f'{", "''+1+", "1}'"),
}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, MAX_TOKENS - 2_000) for name in MANY),
        *((name, MAX_SOURCE_BYTES - 2_000) for name in ("names", "hidden")),
    ],
)
def test_as_many_words_and_signs_as_there_is_room_for(tmp_path: Path, name: str, size: int) -> None:
    begin, piece, end = MANY[name]
    size = min(size, MAX_FIELDS * 3 - 10) if name == "fields" and size < MAX_SOURCE_BYTES // 2 else size
    done = check(tmp_path, migration("[]", f"{begin}{piece * (size // len(piece))}{end}\n"))
    if size > MAX_TOKENS:
        assert done.out.startswith((f"{MTM901}more than ", f"{MTM901}f-strings, and more than "))
    else:
        assert done.status in (0, 1)


DEEP = {
    "lists": ("[", "", "]"),
    "parentheses": ("(", "1", ")"),
    "calls": ("f(", "", ")"),
    "minus": ("-", "1", ""),
    "not": ("not ", "1", ""),
    "attributes": ("", "a", ".b"),
    "results": ("", "a", "()"),
    "sums": ("", "[]", "+[]"),
    "powers": ("", "1", "**1"),
    "lambdas": ("lambda:", "1", ""),
    "choices": ("1 if a else ", "1", ""),
    "fields": ("f'{", "1", "}'"),
    "comparisons": ("", "1", "<1"),
}


def test_10_000_levels(tmp_path: Path) -> None:
    sources = {
        name: migration(before * 10_000 + inner + after * 10_000).encode()
        for name, (before, inner, after) in DEEP.items()
    }
    said = check_all(tmp_path, sources)
    assert said.keys() == DEEP.keys()
    assert not [text for text in said.values() if "no Migration class" in text]


def test_10_000_levels_of_statements(tmp_path: Path) -> None:
    before = "if a:\n    pass\n" + "elif a:\n    pass\n" * 10_000
    assert check(tmp_path, migration("[]", before)).status == 0


@pytest.mark.parametrize(
    "change",
    [
        ('    dependencies = [("library"', "    text = '" + "a" * (1 << 20) + "'\n" + '    dependencies = [("library"'),
        ('name="Authorship"', "name='" + "A" * (1 << 20) + "'"),
        ('related_name="books"', "related_name='" + "é" * (1 << 19) + "'"),
        ("    operations = [", f"    operations = [{' ' * (1 << 20)}"),
        ("        migrations.AlterField(", f"        # {'#' * (1 << 20)}\n        migrations.AlterField("),
    ],
    ids=["text", "name", "argument", "blanks", "comment"],
)
@pytest.mark.parametrize("form", ["concise", "full"])
def test_a_line_of_1_mb(tmp_path: Path, change: tuple[str, str], form: str) -> None:
    done = check(tmp_path, THROUGH.replace(*change), "--format", form, "--color", "never")
    assert done.status == 1
    assert BAD in done.out
    if form == "full":
        assert all(len(line) < 200 or "`" in line for line in done.out.split("help: ")[0].split("\n"))


UNDECODABLE = {
    "nul": (b"\0" * 100_000, "source code string cannot contain null bytes"),
    "one_nul": (THROUGH.replace("Authorship", "Author\0ship").encode(), "source code string cannot contain null bytes"),
    "utf16": (THROUGH.encode("utf-16"), "not valid utf-8"),
    "coding": (b"# coding: utf-16\n" + THROUGH.encode(), ""),
    "rot13": (b"# coding: rot13\n" + THROUGH.encode(), "its encoding comment cannot be followed"),
    "zlib": (b"# coding: zlib\n" + THROUGH.encode(), "its encoding comment cannot be followed"),
    "undefined": (b"# coding: undefined\n" + THROUGH.encode(), "its encoding comment cannot be followed"),
    "punycode": (b"# coding: punycode\n" + THROUGH.encode(), "encoding punycode is not read"),
    "idna": (b"# coding: idna\n" + THROUGH.encode(), "encoding idna is not read"),
    "path": (b"# coding: ../../x\n" + THROUGH.encode(), "unknown encoding: .."),
    "long": (b"# coding: " + b"x" * 100_000 + b"\n" + THROUGH.encode(), "unknown encoding: xxx"),
    "mark": (b"\xef\xbb\xbf# coding: latin-1\n" + THROUGH.encode(), "encoding problem: utf-8"),
}


def test_what_cannot_be_decoded(tmp_path: Path) -> None:
    said = check_all(tmp_path, {name: source for name, (source, _) in UNDECODABLE.items()})
    assert said.keys() == UNDECODABLE.keys()
    for name, (_, reason) in UNDECODABLE.items():
        assert said[name].startswith(f"1:1: MTM901 cannot be read: {reason}")


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbf" + THROUGH.encode(),
        THROUGH.replace("\n", "\r\n").encode(),
        THROUGH.replace("\n", "\r").encode(),
        b"# coding: latin-1\n" + THROUGH.replace("\n\n\n", "  # \xe9\n\n", 1).encode("latin-1"),
    ],
    ids=["byte order mark", "crlf", "cr", "latin-1"],
)
def test_what_is_read_all_the_same(tmp_path: Path, source: bytes) -> None:
    assert check(tmp_path, source).out.startswith(MTM101)


HALF = MAX_OPERATIONS // 2 - 10


def each(text: str, count: int = HALF) -> str:
    return ", ".join(text.replace("@", str(number)) for number in range(count))


# Histories whose operations are about each other, as many as are read.
MODEL = f'migrations.CreateModel("A@", [("b", {BOOK}), ("c", {AUTHORS})])'
TO_AND_FRO = 'migrations.RenameModel("Book", "Volume"), migrations.RenameModel("Volume", "Book")'
SWAPPED = 'models.ManyToManyField("library.author", through="library.Book")'
TOGETHER = {
    "renamed to and fro": each(TO_AND_FRO),
    "referred to and renamed": each(MODEL) + ", " + each(TO_AND_FRO, HALF // 2),
    "put off and dropped": each(MODEL) + ', migrations.RunSQL("DROP TABLE library_a0")',
    "all dropped": each(MODEL) + ", " + each('migrations.RunSQL("DROP TABLE library_a@")'),
    "renamed fields": f"migrations.CreateModel('A', [{each(FIELD)}]), "
    + each('migrations.RenameField("A", "f@", "g@")'),
    "for the state alone": f"migrations.SeparateDatabaseAndState(state_operations=[{each(MODEL)}])",
    "perhaps": each(f"migrations.DeleteModel('A@') if x else {MODEL}", 300),
    "unknown": each('unknown("book", "authors")', MAX_OPERATIONS - 10),
    "there and back": each(
        f'migrations.AlterField("book", "authors", {SWAPPED}), migrations.AlterField("book", "authors", {AUTHORS})'
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_many_operations(tmp_path: Path, name: str) -> None:
    done = check(tmp_path, migration(f"[{TOGETHER[name]}]"))
    if name == "referred to and renamed":
        assert (done.status, done.err) == (
            2,
            f"lint-m2m: error: {BAD}: its operations change more models than can be followed\n",
        )


def test_too_many_operations(tmp_path: Path) -> None:
    done = check(tmp_path, migration("[" + each("migrations.DeleteModel('A')", MAX_OPERATIONS + 1) + "]"))
    assert (done.status, done.out) == (1, f"{MTM901}it has more than 1,000 operations\n")


LOOPS = {
    "endless": ("def f(x):\n    return f(x) + f(x)\n", "f(1)"),
    "doubling": ("x = 'a' * 1000\n" + "x = x + x\n" * 60, "x"),
    "pairs": ("x = ()\n" + "x = (x, x)\n" * 60, "x"),
    "numbers": ("x = 9 ** 9 ** 9\ny = 1 << 999999999\n", "str(x + y)"),
    "width": ("x = '%0999999999d' % 1\ny = f'{1:999999999}'\n", "x + y"),
    "ranges": ("x = [a for a in range(10 ** 9) for b in range(10 ** 9)]\n", "x"),
}


def test_what_would_run_for_ever(tmp_path: Path) -> None:
    sources = {
        name: migration(f"[migrations.DeleteModel({value})]", before).encode()
        for name, (before, value) in LOOPS.items()
    }
    said = check_all(tmp_path, sources)
    assert said.keys() == LOOPS.keys()

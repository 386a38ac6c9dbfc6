"""What the fuzzers begin with, and how they damage it: real migrations, SQL and configurations, cut, spliced, mutated.

`edited` is a strategy and `Edit` what it is made of, so that hypothesis can make a failing input smaller.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import django
from hypothesis import strategies as st

from lint_m2m.config import OPTIONS

REPOSITORY: Final = Path(__file__).resolve().parents[2]
# Larger ones would be most of the work and say nothing new.
MAX_SEED: Final = 12_000


@cache
def migrations() -> tuple[bytes, ...]:
    """The migrations of the fixtures, of the example and of Django's own packages."""
    folders = (REPOSITORY / "tests" / "fixtures", REPOSITORY / "examples", Path(django.__file__).parent / "contrib")
    files = (file for folder in folders for file in sorted(folder.rglob("migrations/*.py")))
    found = (file.read_bytes() for file in files if file.name != "__init__.py")
    return tuple(dict.fromkeys(source for source in found if len(source) <= MAX_SEED))


@cache
def statements() -> tuple[bytes, ...]:
    """Strings in those migrations that hold SQL, and some more that do all kinds of things."""
    found: list[str] = [
        "DO $$ BEGIN ALTER TABLE a RENAME TO b; EXCEPTION WHEN others THEN NULL; END $$",
        "CREATE TABLE a (id serial PRIMARY KEY, b_id int REFERENCES b (id), UNIQUE (id, b_id)) PARTITION BY RANGE (id)",
        "INSERT INTO a (b, c) SELECT b, c FROM d WHERE NOT EXISTS (SELECT 1 FROM a) ON CONFLICT DO NOTHING",
        "WITH x AS (SELECT * FROM a), y AS (DELETE FROM b RETURNING *) INSERT INTO c SELECT * FROM x JOIN y USING (z)",
        "ALTER TABLE `a` CHANGE `b` `c` INT NOT NULL, ADD UNIQUE KEY u (`c`), DROP FOREIGN KEY f, RENAME TO d.e",
        "EXEC sp_rename 'a.b', 'c', 'COLUMN'; /* x */ -- y\nDELIMITER // DROP TABLE IF EXISTS [a], \"b\" CASCADE //",
        "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN UPDATE SET y = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
    ]
    for source in migrations():
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match("[A-Z]{4,} ", node.value):
                found.append(node.value)
    return tuple(dict.fromkeys(text.encode() for text in found))


VALUES: Final = (
    *("true", "1", "-1.5", "nan", "1979-05-27T07:32:00Z", '""', '"MTM1"', '"x"', "[]", '["MTM101", "MTM2"]', "[[]]"),
    *("{}", '{ a = "b" }', '"library.Tag"', '"5.2"', '"mysql"', '"auto"', "0xffffffffffffffffff", "'''\n'''", "["),
)


@cache
def configurations() -> tuple[bytes, ...]:
    """The table of docs/configuration.md, and one with each option."""
    page = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    found = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    found += [f"[tool.lint-m2m]\n{name} = {VALUES[at % len(VALUES)]}\n" for at, name in enumerate(OPTIONS)]
    return tuple(text.encode() for text in found)


# Bytes and words that matter to some reader.
WORDS: Final = r"""
    \ ' " \"\"\" ''' # $$ ` ; -- /* ( ) [ ] { } , . = : * ** + - % @ ~ -> := ... None True 0 1e999 x self lambda:x
    await yield async not else return class migrations. models. settings.AUTH_USER_MODEL replaces=[ operations+= rb''
    migrations.RunPython( migrations.SeparateDatabaseAndState( models.ManyToManyField( RENAME TO DROP TABLE SELECT
    CREATE ALTER BEGIN END CASE WHEN [tool.lint-m2m] select= [[ ]] =1 a.b.c.d.e é 𝔁
""".replace('\\"', '"')
PIECES: Final = (
    "",
    *WORDS.split(),
    *("\0", "\n", "\r", "\r\n", "\t", "\x0c", "\x1b[31m", "  ", "\u202e", "\U000e0041", "1" * 30, "import x\n"),
    *("if x:\n", "for x in x:", "from . import *\n", "def x():\n", "class Migration:\n", "# coding: latin-1\n"),
    *("# noqa: MTM101", "# lint-m2m: ignore[", "# lint-m2m: ignore-file[MTM101] x", "\n[tool.lint-m2m]\n"),
)
_BYTES: Final = (*(piece.encode() for piece in PIECES), b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xfe\xff")
_WORD: Final = re.compile(rb"\w+|\s+|[^\w\s]")


class Edit(NamedTuple):
    """At `place` of 65536 parts, `length` bytes (or words) become `piece`, or are written so many times over."""

    words: bool
    place: int
    length: int
    piece: int
    again: int


edits: Final = st.builds(
    Edit,
    words=st.booleans(),
    place=st.integers(0, 65535),
    length=st.sampled_from((0, 1, 1, 2, 3, 8, 40)),
    piece=st.integers(0, len(_BYTES) - 1),
    again=st.sampled_from((0, 0, 0, 0, 1, 2, 20)),
)


def apply(source: bytes, edit: Edit) -> bytes:
    units = _WORD.findall(source) if edit.words else source
    start = edit.place * len(units) >> 16
    removed = units[start : start + edit.length]
    taken = b"".join(removed) if isinstance(removed, list) else removed
    before, after = units[:start], units[start + edit.length :]
    middle = taken * edit.again if edit.again else _BYTES[edit.piece]
    if isinstance(before, list) and isinstance(after, list):
        return b"".join([*before, middle, *after])
    assert isinstance(before, bytes)
    assert isinstance(after, bytes)
    return before + middle + after


def damaged(source: bytes, other: bytes, splice: int, cut: int, changes: list[Edit]) -> bytes:
    """`source` with its end from `other`, edited, and cut off; 0 of the first two does nothing."""
    if splice:
        source = source[: splice * len(source) >> 16] + other[splice * len(other) >> 16 :]
    for edit in changes:
        source = apply(source, edit)
    return source[: cut * len(source) >> 16] if cut else source


def edited(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Damaged ones of `seeds`."""
    rarely = st.one_of(st.just(0), st.just(0), st.integers(1, 65535))
    seed = st.sampled_from(seeds)
    return st.builds(damaged, seed, seed, rarely, rarely, st.lists(edits, max_size=5))


NAMES: Final = (
    "A",
    "B",
    "Book",
    "Author",
    "a",
    "authors",
    "library.A",
    "library.book",
    "library.Author",
    "other.X",
    "self",
)
FIELDS: Final = (
    "models.ManyToManyField({0!r})",
    "models.ManyToManyField({0!r}, through={1!r})",
    "models.ManyToManyField({0!r}, through={1!r}, through_fields=({2!r}, {0!r}), db_table={1!r}, related_name={2!r})",
    "models.ManyToManyField(to={0!r}, **x)",
    "models.ForeignKey({0!r}, models.CASCADE, db_column={1!r})",
    "models.OneToOneField({0!r}, models.CASCADE, primary_key=True)",
    "models.TextField(null=True)",
    "models.BigAutoField(primary_key=True)",
    "other.Field({0!r})",
)
OPERATIONS: Final = (
    "migrations.CreateModel({0!r}, [({1!r}, {f}), ({2!r}, {g})])",
    "migrations.CreateModel({0!r}, [({1!r}, {f})], options={{'db_table': {2!r}, 'indexes': {{({1!r}, {2!r})}}}})",
    "migrations.CreateModel({0!r}, [({1!r}, {f})], bases=({2!r}, models.Model), options={{'proxy': True}})",
    "migrations.DeleteModel({0!r})",
    "migrations.RenameModel({0!r}, {1!r})",
    "migrations.AddField({0!r}, {1!r}, {f})",
    "migrations.AlterField({0!r}, {1!r}, {f})",
    "migrations.RemoveField({0!r}, {1!r})",
    "migrations.RenameField({0!r}, {1!r}, {2!r})",
    "migrations.AlterModelTable({0!r}, {1!r})",
    "migrations.AlterUniqueTogether({0!r}, {{({1!r}, {2!r})}})",
    "migrations.AddConstraint({0!r}, models.UniqueConstraint(fields=[{1!r}, {2!r}], name={0!r}))",
    "migrations.RemoveConstraint({0!r}, {1!r})",
    "migrations.AddIndex({0!r}, models.Index(fields=[{1!r}], name={2!r}))",
    "migrations.AlterModelOptions({0!r}, {{'managed': False, 'swappable': {1!r}}})",
    "migrations.AlterOrderWithRespectTo({0!r}, {1!r})",
    "migrations.RunSQL('ALTER TABLE library_book_authors RENAME TO library_a; DROP TABLE library_b')",
    "migrations.RunSQL('INSERT INTO library_a SELECT * FROM library_book_authors', migrations.RunSQL.noop)",
    "migrations.RunSQL(x, state_operations=[{o}])",
    "migrations.RunPython(copy)",
    "migrations.SeparateDatabaseAndState([{o}], [{p}])",
    "migrations.SeparateDatabaseAndState(state_operations=[{o}, {p}])",
    "({o} if x else {p})",
    "*[{o} for x in (1, 2)]",
    "unknown.Operation({0!r}, {1!r}, {f})",
)
HEAD: Final = """\
from django.db import migrations, models
import other


def copy(apps, schema_editor):
    for book in apps.get_model("library", "Book").objects.all():
        apps.get_model("library", "A").objects.create(book=book)


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
"""
_names = st.sampled_from(NAMES)
_fields = st.builds(lambda form, *names: form.format(*names), st.sampled_from(FIELDS), _names, _names, _names)


def _operation(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda form, a, b, c, f, g, o, p: form.format(a, b, c, f=f, g=g, o=o, p=p),
        *(st.sampled_from(OPERATIONS), _names, _names, _names, _fields, _fields, inner, inner),
    )


_simple = _operation(st.just("migrations.DeleteModel('A')"))


def _migration(found: list[str]) -> bytes:
    return "".join([HEAD, *(f"        {one},\n" for one in found), "    ]\n"]).encode()


# Random operations as a migration, whether they make sense or not.
operations: Final = st.lists(st.one_of(_simple, _simple, _operation(_simple)), max_size=8).map(_migration)
tables: Final = st.lists(
    st.builds("{} = {}".format, st.sampled_from((*OPTIONS, "selct", "a.b")), st.sampled_from(VALUES)), max_size=6
).map(lambda lines: "\n".join(["[tool.lint-m2m]", *lines]).encode())

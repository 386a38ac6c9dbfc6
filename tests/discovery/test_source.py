"""Opening, decoding and parsing what a stranger wrote."""

from __future__ import annotations

import ast
import codecs
import os
import pickle
import re
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lint_m2m.migration import Span
from lint_m2m.readers import source
from lint_m2m.readers.source import (
    MAX_SOURCE_BYTES,
    LostLines,
    SourceError,
    decode,
    most_tokens,
    parse,
    parse_tolerant,
    read_source,
    split_lines,
)

MIGRATION = """\
from django.db import migrations


def forwards(apps, schema_editor):
    try:
        pass
    except ValueError ?? KeyError:
        pass


class Migration(migrations.Migration):
    operations = [migrations.RunPython(forwards)]
"""


def names(tree: ast.Module) -> list[tuple[str, int]]:
    return [(node.name, node.lineno) for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


class TestReadSource:
    def test_bytes_are_untouched(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        path.write_bytes(b"\xef\xbb\xbfx = 1\r\n\x00")
        assert read_source(path) == b"\xef\xbb\xbfx = 1\r\n\x00"

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="no such file or directory"):
            read_source(tmp_path / "a.py")

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError):
            read_source(tmp_path)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
    def test_fifo_does_not_block(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.py")
        with pytest.raises(SourceError, match="not a regular file"):
            read_source(tmp_path / "a.py")

    @pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero here")
    def test_endless_device(self) -> None:
        with pytest.raises(SourceError, match="not a regular file"):
            read_source(Path("/dev/zero"))

    def test_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        with path.open("wb") as file:
            file.truncate(MAX_SOURCE_BYTES + 1)
        with pytest.raises(SourceError, match="larger than 2 MB"):
            read_source(path)

    def test_largest_allowed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        with path.open("wb") as file:
            file.truncate(MAX_SOURCE_BYTES)
        assert len(read_source(path)) == MAX_SOURCE_BYTES

    def test_grown_while_reading(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.py"
        path.write_bytes(b"#" * 100)
        monkeypatch.setattr(source, "MAX_SOURCE_BYTES", 100)
        real = os.fstat

        def fstat(descriptor: int) -> os.stat_result:
            status = real(descriptor)
            with path.open("ab") as file:
                file.write(b"#" * 100)
            return status

        monkeypatch.setattr(os, "fstat", fstat)
        with pytest.raises(SourceError, match="larger than"):
            read_source(path)

    def test_unreadable(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        path.write_text("x = 1")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
        with pytest.raises(SourceError, match="permission denied"):
            read_source(path)

    def test_nul_in_path(self) -> None:
        with pytest.raises(SourceError, match="not a valid path"):
            read_source(Path("a\0b.py"))


class TestDecode:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"x = '\xc3\xa9'", "x = 'é'"),
            (codecs.BOM_UTF8 + b"x = '\xc3\xa9'", "x = 'é'"),
            (codecs.BOM_UTF8 + b"# coding: utf-8\nx", "# coding: utf-8\nx"),
            (b"# -*- coding: latin-1 -*-\nx = '\xe9'", "# -*- coding: latin-1 -*-\nx = 'é'"),
            (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n'\x80'", None),
            (b"x = 1\n\n# coding: nonsense\n", "x = 1\n\n# coding: nonsense\n"),
            (b"x = 1\n# coding: nonsense\n", "x = 1\n# coding: nonsense\n"),
            (b"x = 1\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n"),
            (b"", ""),
        ],
    )
    def test_like_python(self, data: bytes, text: str | None) -> None:
        expected = text if text is not None else data.decode("cp1252")
        assert decode(data) == expected

    @pytest.mark.parametrize(
        "data",
        [
            b"x = '\xe9'",
            b"# coding: nonsense\n",
            b"# coding: rot13\nk = 1",
            b"# coding: hex\nk = 1",
            b"# coding: undefined\nk = 1",
            b"# coding: punycode\n" + b"a" * 100_000,
            b"# coding: idna\n" + b"a" * 100_000,
            codecs.BOM_UTF8 + b"# coding: latin-1\nx",
            "x = 1\n".encode("utf-16"),
            b"\xff\xfe\x00",
        ],
    )
    def test_what_cannot_be_decoded(self, data: bytes) -> None:
        with pytest.raises(SourceError):
            decode(data)

    def test_says_which_line(self) -> None:
        with pytest.raises(SourceError, match="not valid utf-8") as caught:
            decode(b"x = 1\ny = '\xe9'\n")
        assert caught.value.span == Span(2, 1, 2, 1)


class TestParse:
    def test_position_of_a_syntax_error(self) -> None:
        with pytest.raises(SourceError) as caught:
            parse("x = 1\ny = = 2\n")
        assert caught.value.span is not None
        assert caught.value.span[:2] == (2, 5)

    def test_pickles(self) -> None:
        error = SourceError("no", Span(1, 2, 3, 4))
        copy = pickle.loads(pickle.dumps(error))
        assert (copy.reason, copy.span) == ("no", Span(1, 2, 3, 4))

    @pytest.mark.parametrize(
        "text",
        [
            "-" * 50_000 + "1",
            "not " * 50_000 + "1",
            "x" + ".a" * 50_000,
            "1" + "+1" * 50_000,
            "(" * 50_000,
            "x" + "()" * 50_000,
            "lambda:" * 100_000 + "1",
            "".join(" " * level + "if 1:\n" for level in range(300)) + " " * 300 + "pass",
            "if 1: pass\n" + "elif 1: pass\n" * 20_000,
            "x = 1\0",
            "x = '\udcff'",
            "f'" + "{" * 10_000 + "'x",
        ],
        ids=lambda text: repr(text[:8]),
    )
    def test_hostile_text_is_a_source_error(self, text: str) -> None:
        with pytest.raises(SourceError):
            parse(text)
        with pytest.raises(SourceError):
            parse_tolerant(text)

    @pytest.mark.filterwarnings("error")
    def test_warnings_of_the_parser_are_not_raised(self) -> None:
        assert parse(r"x = '\d'").body
        assert parse("x = 1if 1else 2").body


class TestParseTolerant:
    def test_whole_file(self) -> None:
        parsed = parse_tolerant("x = 1\n")
        assert parsed.lost == ()
        assert parsed.text == "x = 1\n"

    def test_a_helper_is_lost_and_the_class_keeps_its_line(self) -> None:
        parsed = parse_tolerant(MIGRATION)
        assert names(parsed.tree) == [("Migration", 11)]
        assert [lost[:2] for lost in parsed.lost] == [(4, 10)]
        assert parsed.text == MIGRATION

    @pytest.mark.skipif(sys.version_info >= (3, 14), reason="this interpreter knows the syntax")
    def test_syntax_of_a_newer_python(self) -> None:
        text = MIGRATION.replace("ValueError ?? KeyError", "ValueError, KeyError")
        assert names(parse_tolerant(text).tree) == [("Migration", 11)]

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_line_ends(self, newline: str) -> None:
        parsed = parse_tolerant(MIGRATION.replace("\n", newline))
        assert names(parsed.tree) == [("Migration", 11)]

    def test_line_ends_that_change_in_the_file(self) -> None:
        parsed = parse_tolerant("x = 1\r??\nclass Migration:\r\n    pass\r\n")
        assert parsed.lost[0][:2] == (2, 2)
        assert names(parsed.tree) == [("Migration", 3)]

    def test_several_statements_of_every_kind(self) -> None:
        text = (
            "import a\n"
            "# a comment\n"
            "@decorated(\n"
            "    1,\n"
            ")\n"
            "# between\n"
            "\n"
            "async def one():\n"
            "    a ? b\n"
            "# at the margin\n"
            "    c = 1\n"
            "try:\n"
            "    import b\n"
            "except ImportError:\n"
            "    b ? c\n"
            "else:\n"
            "    d = 1\n"
            "finally:\n"
            "    e = 1\n"
            'TEXT = """\n'
            "def no_function(:\n"
            '"""\n'
            "VALUE = [\n"
            "1,\n"
            "2,\n"
            "]\n"
            "LONG = 1 + \\\n"
            "2\n"
            "new statement here\n"
            "class Migration:\n"
            "    pass\n"
        )
        parsed = parse_tolerant(text)
        assert [lost[:2] for lost in parsed.lost] == [(3, 11), (12, 19), (29, 29)]
        assert [(type(node).__name__, node.lineno) for node in parsed.tree.body] == [
            ("Import", 1),
            ("Assign", 20),
            ("Assign", 23),
            ("Assign", 27),
            ("ClassDef", 30),
        ]

    def test_quotes_and_hashes_inside_strings(self) -> None:
        text = (
            "A = 'it\\'s # not a comment ('\n"
            "B = \"''' [\" # ''' (\n"
            "C = r'''\\'''' + '' + \"\"\n"
            'D = """ "" \\""" """\n'
            "E = 'joined \\\nhere('\n"
            "F = ''\n"
            "def f():\n    a ? b\n"
            "class Migration:\n    pass\n"
        )
        parsed = parse_tolerant(text)
        assert [lost[:2] for lost in parsed.lost] == [(8, 9)]
        assert names(parsed.tree) == [("Migration", 10)]

    def test_nesting_too_deep_in_one_statement_only(self) -> None:
        parsed = parse_tolerant("X = " + "-" * 100_000 + "1\nclass Migration:\n    pass\n")
        assert parsed.lost == (LostLines(1, 1, "nested too deep to parse"),)
        assert names(parsed.tree) == [("Migration", 2)]

    @pytest.mark.parametrize(
        "text",
        [
            "class Migration:\n    operations = [\n\ndef f():\n    pass\n",
            "def f():\n    return 'x\n\nclass Migration:\n    pass\n",
            "def f():\n    x = '''\n\nclass Migration:\n    pass\n",
            "def f():\n    return 1)\n\nclass Migration:\n    pass\n",
            "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\nclass Migration:\n    pass\n",
            "class Migration:\n    x = = 1\n",
            "  x = = 1\n",
            "x = 1\0\n",
        ],
        ids=["bracket", "quote", "triple quote", "closing", "conflict", "nothing left", "nothing at the margin", "nul"],
    )
    def test_what_is_broken_in_every_python(self, text: str) -> None:
        with pytest.raises(SourceError) as strict:
            parse(text)
        with pytest.raises(SourceError) as tolerant:
            parse_tolerant(text)
        assert (tolerant.value.reason, tolerant.value.span) == (strict.value.reason, strict.value.span)

    @pytest.mark.parametrize(
        "piece", ['"""' + '"" ' * 200_000, "'" + "\\\n" * 200_000, "'\\" * 200_000, "\\" * 300_000, "#'\n" * 200_000]
    )
    def test_takes_linear_time(self, piece: str) -> None:
        started = time.process_time()
        with pytest.raises(SourceError):
            parse_tolerant("a ? b\n" + piece)
        assert time.process_time() - started < 5


def test_split_lines_counts_like_the_parser() -> None:
    text = "a = '''\x0c\x85\u2028\v\x1c'''\r\nb = 1\rc = 1\n\nd = 1"
    assert split_lines(text) == ["a = '''\x0c\x85\u2028\v\x1c'''\r\n", "b = 1\r", "c = 1\n", "\n", "d = 1"]
    assert [node.lineno for node in parse(text).body] == [1, 2, 3, 5]
    assert split_lines("") == []


def test_from_a_file_to_its_tree(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes("# coding: latin-1\nX = 'é'\n".encode("latin-1"))
    node = parse(decode(read_source(path))).body[0]
    assert isinstance(node, ast.Assign)
    assert isinstance(node.value, ast.Constant)
    assert node.value.value == "é"
    path.write_text(MIGRATION)
    with pytest.raises(SourceError):
        parse(decode(read_source(path)))
    assert parse_tolerant(decode(read_source(path))).lost


@given(st.text(alphabet="ab1_ \t\f\n\r\x0b#'\"\\(){}.é€\ud800"))
@example("")
@example("a")
@example("é b")
def test_tokens_are_not_more_than_counted(text: str) -> None:
    for counted in (source._WORD, source._WORD_OUTSIDE):
        found = sum(token.lastgroup is None for token in re.finditer(counted, text))
        assert found <= most_tokens(text)
    if text.isascii():
        everything = sum(token.lastgroup is None for token in re.finditer(source._WORD, text))
        assert most_tokens(text) - everything in (0, 1)


def test_a_node_that_all_trees_share_leads_to_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """``+`` is one node for all trees; pyflakes, in one process with this, tells it its parent."""
    text = "a = f(b=1, c=2) + g(b=1, c=2)\n"
    tree = ast.parse(text)
    (statement,) = tree.body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.BinOp)
    monkeypatch.setattr(statement.value.op, "_pyflakes_parent", tree, raising=False)
    assert parse(text).body
    with pytest.raises(SourceError, match="keyword argument repeated: b"):
        parse("a = f(b=1, c=2) + g(b=1, b=2)\n")

"""What a fix leaves alone: everything around the guilty operations, byte for byte."""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path

import pytest

from lint_m2m import rewrite
from lint_m2m.config import Config
from lint_m2m.engine import run
from tests.cli.projects import THROUGH, library

PATH = "library/migrations/0002_authorship.py"
HEAD, ALTER = "    operations = [\n", "        migrations.AlterField(\n"


def configure(root: Path) -> Config:
    return Config()


def plan(root: Path, choice: rewrite.Choice | None = None) -> rewrite.Rewriting:
    return rewrite.plan(run([root], configure), configure, choice)


def codes(root: Path) -> list[str]:
    return [finding.code for finding in run([root], configure).report.findings]


def fixed(root: Path, source: bytes) -> bytes:
    """The file's bytes after the fix, which has left no finding; the second fix changes nothing."""
    library(root)
    file = root / PATH
    file.write_bytes(source)
    rewriting = plan(root)
    assert [fix.sequence for fix in rewriting.fixes] == ["keep-table"], rewriting.declined
    rewrite.write(rewriting.changes)
    assert codes(root) == []
    assert plan(root) == rewrite.Rewriting()
    return file.read_bytes()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    after = fixed(tmp_path, THROUGH.replace("\n", end).encode())
    expected = fixed(tmp_path / "plain", THROUGH.encode()).decode()
    assert after.decode() == expected.replace("\n", end)


def test_mixed_line_ends_stay_outside_the_operations(tmp_path: Path) -> None:
    source = THROUGH.encode().replace(b"models\n", b"models\r\n", 1)
    after = fixed(tmp_path, source)
    assert after.startswith(b"from django.db import migrations, models\r\n\n\nclass Migration")
    assert after.count(b"\r\n") == 1


def test_byte_order_mark(tmp_path: Path) -> None:
    after = fixed(tmp_path, codecs.BOM_UTF8 + THROUGH.encode())
    assert after == codecs.BOM_UTF8 + fixed(tmp_path / "plain", THROUGH.encode())
    assert after.count(codecs.BOM_UTF8) == 1


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "koi8-r"])
def test_encoding_comment(tmp_path: Path, encoding: str) -> None:
    sign = "é" if encoding != "koi8-r" else "ж"
    text = f"# -*- coding: {encoding} -*-\n# {sign}{sign}\n" + THROUGH.replace(
        'related_name="books"', f'help_text="{sign}", related_name="books"'
    )
    after = fixed(tmp_path, text.encode(encoding)).decode(encoding)
    assert after.startswith(f"# -*- coding: {encoding} -*-\n# {sign}{sign}\nfrom django")
    assert f'help_text="{sign}"' in after


def test_what_the_encoding_cannot_say_is_refused(tmp_path: Path) -> None:
    library(tmp_path)
    initial = tmp_path / "library/migrations/0001_initial.py"
    # The name of the table that the new operation has to tell.
    initial.write_text(initial.read_text().replace('to="library.author")', 'to="library.author", db_table="связи")'))
    file = tmp_path / PATH
    source = ("# coding: latin-1\n" + THROUGH).encode("latin-1")
    file.write_bytes(source)
    rewriting = plan(tmp_path)
    assert rewriting.changes == ()
    (declined,) = rewriting.declined
    assert declined.reason == "`keep-table` is not written: its encoding, iso-8859-1, has no '\\u0441'"


def test_tabs(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^( +)", lambda blanks: "\t" * (len(blanks[1]) // 4), THROUGH)
    after = fixed(tmp_path, text.encode()).decode()
    assert re.findall(r"(?m)^\t* +", after) == []
    assert after.startswith(text.partition("migrations.CreateModel(")[0])
    assert after.endswith("\n\t\t),\n\t]\n")


def test_no_newline_at_the_end(tmp_path: Path) -> None:
    after = fixed(tmp_path, THROUGH.rstrip("\n").encode())
    assert after == fixed(tmp_path / "plain", THROUGH.encode()).rstrip(b"\n")


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o664])
def test_mode(tmp_path: Path, mode: int) -> None:
    library(tmp_path)
    file = tmp_path / PATH
    file.chmod(mode)
    before = file.stat()
    rewrite.write(plan(tmp_path).changes)
    assert codes(tmp_path) == []
    after = file.stat()
    assert stat.S_IMODE(after.st_mode) == mode
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_everything_around_the_operations(tmp_path: Path) -> None:
    before = "#!/usr/bin/env python\n'''It's   odd'''\n\n\n\nimport os ;  import sys\n"
    body = "    x = ( 1,2 ,)   # trailing blanks   \n\n    initial=False\n"
    text = (
        before
        + THROUGH.replace("    dependencies", body + "    dependencies")
        + "\n\ndef f( a ):  return {'a' :a}\n\f\n"
    )
    text = text.replace(HEAD, HEAD + "        # why\n        migrations.RunPython( print,print ),\n")
    after = fixed(tmp_path, text.encode()).decode()
    head, _, _ = text.partition("        migrations.CreateModel(")
    assert after.startswith(head)
    assert after.endswith("        ),\n    ]\n\n\ndef f( a ):  return {'a' :a}\n\f\n")


def test_comments_stay_with_what_they_are_about(tmp_path: Path) -> None:
    text = THROUGH.replace(ALTER, "        # above\n" + ALTER.replace("(\n", "(  # beside\n            # within\n"))
    after = fixed(tmp_path, text.encode()).decode()
    assert [one for one in ("# above", "# beside", "# within") if one not in after] == []


def test_comments_that_cannot_stay_are_named(tmp_path: Path) -> None:
    library(tmp_path)
    file = tmp_path / PATH
    text = THROUGH.replace('name="Authorship",', 'name="Authorship",  # lint-m2m: ignore[MTM104] not yet', 1)
    file.write_text(text)
    assert codes(tmp_path) == ["MTM904", "MTM101"]
    rewriting = plan(tmp_path)
    (fix,) = rewriting.fixes
    line = text[: text.index("# lint-m2m")].count("\n") + 1
    assert fix.lost == (rewrite.Lost(path=PATH, line=line, text="# lint-m2m: ignore[MTM104] not yet"),)
    assert [finding.code for finding in fix.also] == ["MTM904"]
    rewrite.write(rewriting.changes)
    assert codes(tmp_path) == []


def test_an_ignore_comment_that_still_silences_stays(tmp_path: Path) -> None:
    library(tmp_path)
    file = tmp_path / PATH
    # What the comment silences is in the new operations as well.
    text = THROUGH.replace('related_name="books", through', 'related_name="tomes", through')
    text = text.replace(ALTER, ALTER.replace("(\n", "(  # lint-m2m: ignore[MTM403] told the others\n"))
    file.write_text(text)
    before = codes(tmp_path)
    rewriting = plan(tmp_path)
    rewrite.write(rewriting.changes)
    assert "# lint-m2m: ignore[MTM403] told the others" in file.read_text()
    assert (before, codes(tmp_path)) == (["MTM101"], [])


def test_a_file_that_is_only_read_keeps_its_time(tmp_path: Path) -> None:
    library(tmp_path)
    times = {path: os.stat(path).st_mtime_ns for path in tmp_path.rglob("*.py")}
    rewrite.write(plan(tmp_path).changes)
    changed = [path for path, time in times.items() if os.stat(path).st_mtime_ns != time]
    assert changed == [tmp_path / PATH]
    assert not list(tmp_path.rglob("*.tmp"))

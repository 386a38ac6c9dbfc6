"""Names, labels, reasons and help texts that are attacks, from a project's files through the command line into each
format: whatever reads the output sees text.
"""

from __future__ import annotations

import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lint_m2m.reports import FORMATS
from lint_m2m.reports.style import STYLES
from tests.cli.projects import library
from tests.hostile.command import REPOSITORY, Done, lint
from tests.reports.test_markdown import as_html

CONTROLS = "\x1b[31m\x07\x9b2J\x85\u202e\u2066\u200b\ufeff\u2028\U000e0041"
MARKUP = "[bold]x[end] ::error::y %0A##[error]z <script>alert(1)<img src=x onerror=x> ]]> &amp; | `a` **b** @all ${{x}}"
LINKS = "[a](https:evil.example) ![b](https:evil.example) <https:evil.example> https:evil.example www.evil.example #1"
TEXT = f"{CONTROLS} {MARKUP}"

MIGRATION = """\
from django.db import migrations, models

REASON = {text!r}

class Migration(migrations.Migration):
    dependencies = [({label!r}, "0001_initial")]
    operations = [
        migrations.CreateModel({name!r}, fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("book", models.ForeignKey({label!r} + ".book", models.CASCADE)),  # {raw}
            ("author", models.ForeignKey({label!r} + ".author", models.CASCADE)),  # lint-m2m: ignore[MTM203] {raw}
        ], options={{"verbose_name": REASON, "db_table": "a" + REASON}}),
        migrations.AlterField("book", "authors", models.ManyToManyField(
            {label!r} + ".author", through={label!r} + "." + {name!r}, help_text={text!r}, related_name="books",
        )),  # {raw}
        migrations.AddField("book", {text!r}, models.ManyToManyField({label!r} + ".author", db_table={text!r})),
        migrations.AlterField("book", {text!r}, models.ManyToManyField({label!r} + ".book", db_table={text!r})),
        migrations.RunSQL("INSERT INTO x SELECT FROM library_book_authors " + REASON),
        getattr(models, {text!r})({text!r}),
    ]
"""


def hostile(folder: Path, text: str, name: str) -> Path:
    """A project with `text` wherever text may stand, in migrations and an app whose names end with `name`."""
    root = library(folder / "site")
    # No dot: that ends an app's label.
    label = f"li {name}".replace(".", "")
    for path in ("library/migrations/0002_authorship.py", "library/models.py"):
        (root / path).unlink()
    # In a comment a line ends where Python's ends.
    source = MIGRATION.format(text=text, raw=text, label=label, name="Pair" + text.replace(".", ""))
    initial = (root / "library/migrations/0001_initial.py").read_text(encoding="utf-8")
    initial = initial.replace('"library.author"', repr(f"{label}.author"))
    migrations = root / "library" / "migrations"
    (migrations / "0001_initial.py").write_bytes(initial.encode("utf-8", "backslashreplace"))
    (migrations / f"0002_{name}.py").write_bytes(source.encode("utf-8", "backslashreplace"))
    (migrations / f"0003_{name}.py").write_bytes(b"(" + text.encode())
    (root / "library").rename(root / label)
    return root


@pytest.fixture(scope="module", params=[TEXT, LINKS], ids=["text", "links"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The last byte of a file's name is no UTF-8.
    name = TEXT + os.fsdecode(b"\xff") if request.param is TEXT and sys.platform == "linux" else request.param
    # Django takes no module with a dot in its name for a migration.
    return hostile(tmp_path_factory.mktemp("hostile"), request.param, name.replace(".", ""))


def check(root: Path, *options: str) -> Done:
    done = lint(root, *options, "--verbose")
    assert done.status == 1, done.err
    assert invisible(done.err) == []
    assert not [line for line in done.err.splitlines() if line.lstrip().startswith("::") or "##[" in line]
    return done


def invisible(text: str) -> list[str]:
    """Signs that a terminal might take for something else than text; what is no UTF-8 was turned into "\\xNN"."""
    return [sign for sign in text if not sign.isprintable() and sign not in "\n\t"]


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in strings(one)]
    return [text for one in value for text in strings(one)] if isinstance(value, list) else []


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_invisible_gets_through(root: Path, form: str) -> None:
    done = check(root, "--format", form, "--color", "never")
    assert "MTM101" in done.out or "MTM901" in done.out
    assert invisible(done.out) == []
    VALID[form](done.out)


def test_colours_are_ours(root: Path) -> None:
    from rich.color import ColorSystem
    from rich.style import Style

    ours = {
        Style.parse(style).render("x", color_system=ColorSystem.STANDARD).split("x")[0]
        for style in STYLES.values()
        if style
    }
    done = check(root, "--format", "full", "--color", "always")
    sequences = set(re.findall("\x1b\\[[0-9;]*m", done.out))
    assert sequences - ours == {"\x1b[0m"}
    assert invisible(re.sub("\x1b\\[[0-9;]*m", "", done.out)) == []
    assert "[bold]x" in done.out or "www.evil.example" in done.out


def text_lines(out: str) -> None:
    assert out.endswith("\n")


def json_document(out: str) -> None:
    found = json.loads(out)
    assert found
    # Escaped once, for the document: what comes out of it may be anything but half a character.
    for text in strings(found):
        text.encode("utf-8")


def commands(out: str) -> None:
    lines = out.splitlines()
    assert lines
    for line in lines:
        assert re.match(r"::(error|warning|notice) title=MTM\d{3} [a-z0-9-]+,file=[^:,]+,line=\d+,[^:]*::", line), line
        properties, _, message = line[2:].partition("::")
        assert ":" not in properties.replace("%3A", "")
        assert "##[" not in message or not message.startswith("##[")


def suite(out: str) -> None:
    found = ElementTree.fromstring(out)
    assert {element.tag for element in found.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "system-out"}


class Page(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


def page(out: str) -> None:
    read = Page()
    read.feed(out)
    read.close()
    assert not read.tags & {"script", "img", "iframe", "b", "bold", "form", "link", "object", "svg"}
    assert not [name for name in read.attributes if name.startswith("on")]
    assert not [address for address in read.addresses if "evil" in address]


def comment(out: str) -> None:
    """Markdown: outside code no element that is not ours, no link, nobody who is told."""
    html = as_html(out)
    prose = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    assert not re.sub(r"</?(?:p|h3|h4|ul|ol|li|strong|details|summary)>|<!-- -->|<!-- lint-m2m -->", "", prose).count(
        "<"
    ), prose
    assert "@all" not in prose
    assert not re.search(r"https?://|www\.", prose.replace("<!-- -->", " ")), prose


VALID = {
    "full": text_lines,
    "concise": text_lines,
    "json": json_document,
    "github": commands,
    "gitlab": json_document,
    "sarif": json_document,
    "junit": suite,
    "markdown": comment,
    "html": page,
}


def test_flake8(tmp_path: Path) -> None:
    """flake8 shows the name of a file as it is, and looks into a file that it can parse; the rest is ours."""
    root = hostile(tmp_path, TEXT, "0002_a")
    folder = root / "li 0002_a" / "migrations"
    (folder / "0003_0002_a.py").unlink()
    options = ("--isolated", "--select", "MTM", "--format", "%(code)s %(text)s")
    # What an installation would have written.
    installed = tmp_path / "lint_m2m-0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: lint-m2m\nVersion: 0\n")
    (installed / "entry_points.txt").write_text("[flake8.extension]\nMTM = lint_m2m.flake8_plugin:Plugin\n")
    given = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(tmp_path)])}
    done = lint(root, *options, str(folder), python=("-P", "-m", "flake8"), given=given)
    assert "MTM" in done.out, done.err
    assert invisible(done.said) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
@pytest.mark.parametrize("command", ["check", "plan"])
def test_what_is_given_on_the_command_line(tmp_path: Path, command: str) -> None:
    root = library(tmp_path / "site")
    done = lint(root, command, TEXT, *(("--through", TEXT) if command == "plan" else ()))
    assert done.status == 2
    assert invisible(done.err) == []
    assert not [line for line in done.err.splitlines() if line.lstrip().startswith("::")]

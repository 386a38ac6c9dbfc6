"""Sequences that cannot be written into the user's file are not proposed; the finding stays, and says why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m.migration import Migration
from lint_m2m.readers.whole import Whole
from tests.cli.projects import write

_INITIAL = """
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Author", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Book",
            [("id", models.BigAutoField(primary_key=True)), ("authors", models.ManyToManyField("library.Author"))],
        ),
    ]
"""
_COMPREHENSION = """
from django.db import migrations, models


def key(name):
    return (name, models.ForeignKey(to=f"library.{name}", on_delete=models.CASCADE))


def links(label):
    return models.ManyToManyField(to="library.Author", through=label)


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Authorship",
            fields=[("id", models.BigAutoField(primary_key=True)), *[key(name) for name in ("book", "author")]],
        )
    ]
    operations += [
        migrations.AlterField(model_name=model, name=name, field=links("library.Authorship"))
        for model, name in (("book", "authors"),)
    ]
"""


_OPTIONS = """
from django.db import migrations, models

OPTIONS = {"ordering": ["book"]}


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.CreateModel(
            "Authorship",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("book", models.ForeignKey("library.book", models.CASCADE)),
                ("author", models.ForeignKey("library.author", models.CASCADE)),
            ],
            OPTIONS,
        ),
        migrations.AlterField(
            "book", "authors", models.ManyToManyField("library.Author", through="library.Authorship")
        ),
    ]
"""


def test_operations_of_a_comprehension(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": _INITIAL,
            "library/migrations/0002_authorship.py": _COMPREHENSION,
        },
    )
    (finding,) = lint_m2m.check(tmp_path).findings
    assert (finding.code, finding.sequences) == ("MTM101", ())
    assert finding.notes[1:] == (
        "`keep-table`, `rename-table` cannot be written for it: an operation to replace is not an element of a list",
        "`rewrite-history` cannot be written for it: `key` is defined in another migration",
    )


def test_options_by_another_name(tmp_path: Path) -> None:
    """By position or not, options that are no dictionary in their place cannot be taken apart."""
    write(
        tmp_path,
        {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": _INITIAL,
            "library/migrations/0002_authorship.py": _OPTIONS,
        },
    )
    (finding,) = lint_m2m.check(tmp_path).findings
    assert (finding.code, finding.sequences) == ("MTM101", ())
    ids = "`keep-table`, `rename-table`, `rewrite-history`"
    assert finding.notes[1:] == (
        f"{ids} cannot be written for it: the options of the through model are no plain dictionary",
    )


_EXTRAS = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Authorship",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("book", models.ForeignKey(to="library.book", on_delete=models.CASCADE)),
                ("author", models.ForeignKey(to="library.author", on_delete=models.CASCADE)),
                ("note", models.CharField(max_length=40, blank=True)),
                ("seen", models.DateTimeField(auto_now=True)),
                ("since", models.DateField()),
            ],
        ),
        migrations.AlterField(
            model_name="book",
            name="authors",
            field=models.ManyToManyField(to="library.Author", through="library.Authorship"),
        ),
    ]
"""


def test_only_fields_that_nothing_fills_have_to_be_given(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": _INITIAL,
            "library/migrations/0002_authorship.py": _EXTRAS,
        },
    )
    (finding,) = lint_m2m.check(tmp_path).findings
    caveat = next(each for each in finding.sequences[0].caveats if "through_defaults" in each)
    assert caveat.endswith("as `through_defaults={...}`, and have to for `since`")


_DROP = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [migrations.RunSQL("DROP TABLE library_book_authors", migrations.RunSQL.noop)]
"""


def test_a_table_that_is_gone_has_no_other_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": _INITIAL,
            "library/migrations/0002_drop.py": _DROP,
        },
    )
    (finding,) = [one for one in lint_m2m.check(tmp_path).findings if one.code == "MTM301"]
    assert finding.sequences == ()
    assert finding.notes[-1] == (
        "`fix-state` cannot be written for it: `library_book_authors` is dropped with every link: take that out, "
        "no table has them"
    )


_LATER = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0002_authorship")]
    operations = [
        migrations.AddField(model_name="book", name="title", field=models.TextField(default="")),
    ]
"""


def test_no_migration_is_taken_apart_that_nobody_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path,
        {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": _INITIAL,
            "library/migrations/0002_authorship.py": _EXTRAS,
            "library/migrations/0003_title.py": _LATER,
        },
    )
    asked: set[str] = set()
    take_apart = Whole.__call__

    def noted(self: Whole, migration: Migration, numbers: Iterable[int] | None = None) -> Migration:
        if numbers is None:
            asked.add(migration.name)
        return take_apart(self, migration, numbers)

    monkeypatch.setattr(Whole, "__call__", noted)
    (finding,) = lint_m2m.check(tmp_path).findings
    assert finding.sequences
    assert asked == {"0001_initial", "0002_authorship"}


_BROKEN = _LATER.replace("0002_authorship", "0002_gone")


def test_no_sequence_is_loaded_where_no_finding_has_a_way_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "library/__init__.py": "",
            "library/migrations/__init__.py": "",
            "library/migrations/0001_initial.py": _INITIAL,
            "library/migrations/0003_title.py": _BROKEN,
        },
    )
    code = (
        "import sys, lint_m2m\n"
        "print(*[one.code for one in lint_m2m.check(sys.argv[1]).findings])\n"
        "print(*[one for one in sorted(sys.modules) if one.startswith('lint_m2m.sequences.')])"
    )
    ran = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["MTM903", "lint_m2m.sequences.kinds lint_m2m.sequences.values"]

"""Positions: each span, cut out of the source, is the text it is said to be."""

from __future__ import annotations

import textwrap

import pytest

from lint_m2m.migration import Migration, Span

SOURCE = """
from django.db import migrations, models

TITEL = "Bücher"


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial"), migrations.swappable_dependency("auth.User")]

    operations = [
        migrations.CreateModel(
            "Book",
            fields=[
                ("titel", models.TextField("Überschrift")),  # ä
                ("tags", models.ManyToManyField("Tag", verbose_name="Schlagwörter", through="library.BookTag")),
            ],
            options={"verbose_name": "Bücher", "db_table": "bücher", "unique_together": {("a", "b")}},
        ),
        migrations.RunSQL("SELECT 'ü'", reverse_sql=migrations.RunSQL.noop), migrations.DeleteModel(name="Tag"),
\tmigrations.AlterUniqueTogether(name="Book", unique_together=None),
    ]
"""


def cut(source: str, span: Span | None) -> str:
    assert span is not None
    lines = source.splitlines(keepends=True)[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "".join(lines)


def arguments(source: str, spans: tuple[tuple[str, Span], ...]) -> dict[str, str]:
    return {name: cut(source, span) for name, span in spans}


@pytest.fixture(params=["unicode", "ascii"])
def read(request, reader) -> tuple[str, Migration]:
    source = SOURCE if request.param == "unicode" else SOURCE.encode("ascii", "replace").decode()
    return source, reader(source)


def test_operations(read) -> None:
    source, migration = read
    create, sql, delete, unique = migration.operations
    assert cut(source, create.span).startswith('migrations.CreateModel(\n            "Book"')
    assert cut(source, create.span).endswith("}},\n        )") or cut(source, create.span).endswith("},\n        )")
    assert cut(source, delete.span) == 'migrations.DeleteModel(name="Tag")'
    assert cut(source, sql.span).startswith("migrations.RunSQL(")
    assert unique.span.column == 2


def test_fields(read) -> None:
    source, migration = read
    title, tags = migration.operations[0].fields
    assert cut(source, tags.span).startswith('"tags", models.ManyToManyField("Tag"')
    assert cut(source, tags.field.span).startswith("models.ManyToManyField(")
    assert cut(source, tags.field.span).endswith('through="library.BookTag")')
    spans = arguments(source, tags.field.argument_spans)
    assert spans["to"] == '"Tag"'
    assert spans["through"] == 'through="library.BookTag"'
    assert spans["verbose_name"].startswith('verbose_name="Schlagw')
    assert title.field.argument_spans == ()
    assert cut(source, title.span).startswith('"titel", models.TextField("')


def test_options(read) -> None:
    source, migration = read
    options = migration.operations[0].options
    assert cut(source, options.entry_span("db_table")).startswith('"db_table": "b')
    assert cut(source, options.entry_span("unique_together")) == '"unique_together": {("a", "b")}'
    assert options.entry_span("verbose_name") is None


def test_dependencies(read) -> None:
    source, migration = read
    assert [cut(source, each.span) for each in migration.dependencies] == [
        '("library", "0001_initial")',
        'migrations.swappable_dependency("auth.User")',
    ]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends(reader, end: str) -> None:
    plain = reader(SOURCE)
    other = reader(SOURCE.replace("\n", end).encode())
    assert [each.span for each in other.operations] == [each.span for each in plain.operations]


def test_byte_order_mark_and_encoding(reader) -> None:
    marked = reader(b"\xef\xbb\xbf" + SOURCE.encode())
    assert [each.span for each in marked.operations] == [each.span for each in reader(SOURCE).operations]
    latin = reader(("# coding: latin-1" + SOURCE).encode("latin-1"))
    assert [each.span for each in latin.operations] == [each.span for each in reader(SOURCE).operations]
    assert latin.operations[0].options.db_table == "bücher"


def test_what_stands_elsewhere(reader) -> None:
    """An operation from another file is where this one leads to it; one from a helper in this file is in the helper."""
    files = {
        "library/ops.py": """
            from django.db import migrations, models
            OPS = [migrations.DeleteModel(name="A")]
            def make(name):
                return migrations.AddField("Book", name, models.ManyToManyField(to="Tag"))
        """
    }
    source = textwrap.dedent(
        """
        from django.db import migrations
        from library.ops import OPS, make
        def own(name):
            return migrations.DeleteModel(name=name)
        class Migration(migrations.Migration):
            operations = [*OPS, make("tags"), own("B")]
        """
    )
    migration = reader(source, files)
    listed, made, own = migration.operations
    assert cut(source, listed.span) == '[*OPS, make("tags"), own("B")]'
    assert cut(source, made.span) == 'make("tags")'
    assert made.field.argument_spans == ()
    assert cut(source, made.field.span) == 'make("tags")'
    assert cut(source, own.span) == "migrations.DeleteModel(name=name)"


def test_a_class_in_another_file(reader) -> None:
    files = {
        "library/base.py": "from django.db import migrations\nclass Migration(migrations.Migration):\n"
        "    dependencies = [('a', 'b')]\n    operations = [migrations.DeleteModel('A')]"
    }
    migration = reader("# empty\nfrom library.base import Migration\n", files)
    assert migration.operations[0].span == Span(2, 1, 2, 35)
    assert migration.dependencies[0].span == Span(2, 1, 2, 35)


def test_positions_never_take_part_in_a_comparison(reader) -> None:
    assert reader(SOURCE) == reader("\n\n\n" + SOURCE.replace("    operations", "    initial = None\n    operations"))

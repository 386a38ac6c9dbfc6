"""Findings made by hand, over source files written to a folder: what the report tests render."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lint_m2m.finding import (
    Applicability,
    Certainty,
    Downtime,
    Finding,
    Related,
    Report,
    Sequence,
    SequenceStep,
    Severity,
    Summary,
)
from lint_m2m.migration import Location, Span

INITIAL = "library/migrations/0001_initial.py"
AUTHORSHIP = "library/migrations/0002_authorship.py"

INITIAL_SOURCE = """\
from django.db import migrations, models


class Migration(migrations.Migration):

    operations = [
        migrations.CreateModel(
            name='Book',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('authors', models.ManyToManyField(related_name='books', to='library.author')),
            ],
        ),
    ]
"""

AUTHORSHIP_SOURCE = """\
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('library', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Authorship',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('book', models.ForeignKey(on_delete=models.CASCADE, to='library.book')),
            ],
        ),
        migrations.AlterField(
            model_name='book',
            name='authors',
            field=models.ManyToManyField(related_name='books', through='library.Authorship', to='library.author'),
        ),
    ]
"""

KEEP_TABLE = Sequence(
    id="keep-table",
    title="keep the table, change only what Django believes",
    why="no row is touched and no table is locked",
    downtime=Downtime.NONE,
    applicability=Applicability.SAFE,
    recommended=True,
    steps=(
        SequenceStep(
            title="replace `operations` with",
            path=AUTHORSHIP,
            language="python",
            code="""\
operations = [
    migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.AlterField(
                model_name='book',
                name='authors',
                field=models.ManyToManyField(related_name='books', through='library.Authorship', to='library.author'),
            ),
        ],
    ),
]
""",
            deploy_before_next=True,
        ),
        SequenceStep(
            title="pin the table",
            path="library/models.py",
            language="python",
            code='class Authorship(models.Model):\n    class Meta:\n\n        db_table = "library_book_authors"\n',
        ),
    ),
    caveats=("`book.authors.add()` needs `through_defaults` for every column of `Authorship` that has no default",),
    verify="lint-m2m prove library",
)
RENAME_TABLE = replace(
    KEEP_TABLE,
    id="rename-table",
    title="rename the table to the through model's own name",
    why="the database looks as if the through model had always been there",
    downtime=Downtime.BRIEF,
    applicability=Applicability.REVIEW,
    recommended=False,
    steps=KEEP_TABLE.steps[:1],
    caveats=(),
    verify=None,
)
REWRITE = replace(
    RENAME_TABLE, id="rewrite-history", title="edit the initial migration", why="", applicability=Applicability.DISPLAY
)


def at(source: str, path: str, text: str, until: str | None = None) -> Location:
    """The place of `text` in a source, or from its start to the end of `until` after it."""
    start = source.index(text)
    end = start + len(text) if until is None else source.index(until, start) + len(until)

    def position(offset: int) -> tuple[int, int]:
        before = source[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    return Location(path, Span(*position(start), *position(end)))


THROUGH_ADDED = Finding(
    code="MTM101",
    name="through-added",
    severity=Severity.ERROR,
    message="`AlterField` adds `through=` to the existing many-to-many `library.Book.authors`",
    location=at(AUTHORSHIP_SOURCE, AUTHORSHIP, "through='library.Authorship'"),
    label="added here",
    app_label="library",
    migration="0002_authorship",
    operation="1",
    field="library.book.authors",
    runtime_error="ValueError: Cannot alter field library.Book.authors into library.Book.authors - they are not "
    "compatible types (you cannot alter to or from M2M fields, or add or remove through= on M2M fields)",
    related=(
        Related(
            location=at(INITIAL_SOURCE, INITIAL, "models.ManyToManyField(", "'library.author')"),
            message="created without `through=`, in table `library_book_authors`",
        ),
    ),
    notes=("on MySQL the failed run leaves table `library_authorship` behind; drop it before the next try",),
    fingerprint="5" * 64,
)
WITH_SEQUENCES = replace(THROUGH_ADDED, sequences=(KEEP_TABLE, RENAME_TABLE, REWRITE))
LIKELY = replace(
    THROUGH_ADDED,
    certainty=Certainty.LIKELY,
    reason="`RunPython` `copy_links` could not be read",
    runtime_error=None,
    notes=(),
)


def report(root: Path, *findings: Finding, files: dict[str, str] | None = None, unread: int = 0) -> Report:
    """A report on `findings`, its files (the two migrations above, and `files`) written below `root`."""
    for path, source in {INITIAL: INITIAL_SOURCE, AUTHORSHIP: AUTHORSHIP_SOURCE, **(files or {})}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source, encoding="utf-8", newline="")
    severities = [finding.severity for finding in findings]
    return Report(
        root=root,
        summary=Summary(
            apps=2,
            migrations=9,
            unread=unread,
            error=severities.count(Severity.ERROR),
            warning=severities.count(Severity.WARNING),
            info=severities.count(Severity.INFO),
        ),
        findings=findings,
    )

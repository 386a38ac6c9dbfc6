"""Migration file that cannot be read.

## What it does

Finds files among the migrations that cannot be read at all: a syntax error (an argument that is named twice is one), an
encoding that does not fit, NUL bytes, a file that vanished or may not be opened.

## Why it breaks

Django imports every file in a migrations package, so `migrate` and `makemigrations` stop at the same file. What the
file would have done is unknown, and the models it touches cannot be checked.

## Example

```python
# library/migrations/0002_broken.py
class Migration(migrations.Migration):
    operations = [
```

## Safe sequence

```python
# library/migrations/0002_repaired.py
class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = []
```

## When it stays silent

For files whose names begin with `_` or `~`, which Django does not load either, and for syntax newer than the Python
that runs lint-m2m when the `Migration` class itself can still be read.

## References

- Django, `MigrationLoader.load_disk` in `django/db/migrations/loader.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Severity
from lint_m2m.graph import Graph
from lint_m2m.migration import Location, Project, Span
from lint_m2m.rules.base import Rule


class UnreadableMigration(Rule):
    code: ClassVar[str] = "MTM901"
    name: ClassVar[str] = "unreadable-migration"
    severity: ClassVar[Severity] = Severity.ERROR

    def check_project(self, project: Project, graph: Graph) -> Iterator[Finding]:
        for unread in project.unread:
            yield Finding(
                code=self.code,
                name=self.name,
                severity=self.severity,
                message=f"cannot be read: {unread.reason}",
                location=Location(unread.path, unread.span or Span(1, 1, 1, 1)),
                label="here" if unread.span is not None else "",
                app_label=unread.app_label,
                migration=unread.name,
            )

"""Migration graph that Django refuses.

## What it does

Finds what keeps Django from ordering the migrations: a dependency on a migration that is not there although its app
is in the project, a cycle, two leaves in one app, a squash that cannot be applied.

## Why it breaks

`migrate` and `makemigrations` stop before the first operation: `NodeNotFoundError`, `CircularDependencyError`,
"Conflicting migrations detected". The check goes on in the best order that is left, so other findings may be wrong
until this is mended.

## Example

```python
# library/migrations/0002_note.py
dependencies = [("library", "0001_inital")]
operations = [
    migrations.AddField("book", "note", models.CharField(default="", max_length=40)),
]
```

## Safe sequence

```python
# library/migrations/0002_note.py
dependencies = [("library", "0001_initial")]
operations = [
    migrations.AddField("book", "note", models.CharField(default="", max_length=40)),
]
```

## When it stays silent

For dependencies on apps outside the project, on a file that could not be read (MTM901), and where dependencies are
computed when Python runs.

## References

- Django, `django/db/migrations/loader.py` and `graph.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lint_m2m.finding import Finding, Related, Severity
from lint_m2m.graph import Graph
from lint_m2m.migration import Location, Project
from lint_m2m.rules.base import WHOLE_FILE, Rule


class BrokenGraph(Rule):
    code: ClassVar[str] = "MTM903"
    name: ClassVar[str] = "broken-graph"
    severity: ClassVar[Severity] = Severity.ERROR

    def check_project(self, project: Project, graph: Graph) -> Iterator[Finding]:
        for problem in graph.problems:
            node = graph.nodes[problem.migration]
            yield Finding(
                code=self.code,
                name=self.name,
                severity=self.severity,
                message=problem.message,
                location=Location(node.path, problem.span or WHOLE_FILE),
                certainty=problem.certainty,
                reason=problem.reason,
                label=problem.label,
                app_label=problem.migration.app_label,
                migration=problem.migration.name,
                runtime_error=problem.runtime_error,
                related=tuple(
                    Related(
                        location=Location(graph.nodes[other.migration].path, other.span or WHOLE_FILE),
                        message=other.message,
                    )
                    for other in problem.related
                ),
            )

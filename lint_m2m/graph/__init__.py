"""The migration graph: which migrations run, in which order, and what Django would refuse to load.

`build` takes what a reader yields and always returns a graph, a broken one too: what Django's loader would raise is
in `Graph.problems`, and `Graph.plans` hold the best order there is.

The semantics are those of ``django.db.migrations.loader.MigrationLoader.build_graph``, ``graph.MigrationGraph`` and
``executor.MigrationExecutor.migration_plan``; the tests compare with the real ones. Django 4.2 to 6.1 agree but for
this: before 6.0 a squash of squashes fails or not by the order in which a set yields the files (6.0 made it defined,
ticket 24529), and a squash that replaces itself goes unnoticed. Here both are as in 6.0 and later.
"""

from lint_m2m.graph.build import build
from lint_m2m.graph.values import Graph, GraphProblem, Node, Plan, PlanKind, ProblemKind, RelatedMigration

__all__ = ["Graph", "GraphProblem", "Node", "Plan", "PlanKind", "ProblemKind", "RelatedMigration", "build"]

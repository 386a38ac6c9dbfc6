"""The words: each thing that Django refuses, as a problem with the exception it raises."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from lint_m2m.finding import Certainty
from lint_m2m.graph.cycles import Cycle
from lint_m2m.graph.hints import Hints
from lint_m2m.graph.values import GraphProblem, Node, ProblemKind, RelatedMigration
from lint_m2m.graph.wiring import Edge
from lint_m2m.migration import MigrationKey

# A message or a report names no more members of one cycle, or places that want one missing migration.
MAX_NAMED = 10


def named(edge: Edge) -> MigrationKey:
    """The end of an edge that its origin names; the other end is the origin itself."""
    return edge.child if edge.run_before else edge.parent


def missing(key: MigrationKey, wanted_by: Sequence[Edge], hints: Hints, reason: str | None) -> GraphProblem:
    """A node that dependencies name and no file is: NodeNotFoundError."""
    edge = wanted_by[0]
    what = "is to run before" if edge.run_before else "depends on"
    end = "child" if edge.run_before else "parent"
    hint = hints.nearest(key, {other.origin for other in wanted_by})
    others = {other.origin: other for other in wanted_by if other.origin != edge.origin}
    return GraphProblem(
        kind=ProblemKind.MISSING_DEPENDENCY,
        message=f"`{edge.origin}` {what} `{key}`, which does not exist"
        + (f"; did you mean `{hint}`?" if hint is not None else ""),
        migration=edge.origin,
        span=edge.span,
        label="does not exist",
        related=tuple(
            RelatedMigration(
                other.origin, other.span, "run before it as well" if other.run_before else "needs it as well"
            )
            for other in list(others.values())[:MAX_NAMED]
        ),
        runtime_error=f"NodeNotFoundError: Migration {edge.origin} dependencies reference nonexistent {end} node "
        f"{tuple(key)!r}",
        certainty=Certainty.CERTAIN if reason is None else Certainty.POSSIBLE,
        reason=reason,
    )


def endless_app(edge: Edge, has_migrations: bool) -> GraphProblem:
    """A dependency on the first or last migration of an app that has none, or none but circular ones: ValueError."""
    key = named(edge)
    why = "goes in a circle" if has_migrations else "has no migrations"
    return GraphProblem(
        kind=ProblemKind.MISSING_DEPENDENCY,
        message=f"`{edge.origin}` {'is to run before' if edge.run_before else 'depends on'} `{key}`, "
        f"but app `{key.app_label}` {why}",
        migration=edge.origin,
        span=edge.span,
        label=why,
        runtime_error=no_end(key.app_label),
    )


def no_end(app_label: str) -> str:
    """What Django says of an app without a first or last migration; it looks before it looks for cycles."""
    return f"ValueError: Dependency on app with no migrations: {app_label}"


def cycle(
    found: Cycle, reason_of: Callable[[MigrationKey, MigrationKey], Edge], endless: Collection[str] = ()
) -> GraphProblem:
    """Migrations that wait for each other: CircularDependencyError.

    `reason_of` gives an edge as it was written: with squashes, between other migrations than those of the cycle.
    `endless` are apps of which a first or last migration is wanted that the cycle takes away.
    """
    members = found.members
    edge = reason_of(found.child, found.parent)
    smallest = members.index(min(members))
    hidden_by = next((key.app_label for key in members if key.app_label in endless), None)
    if len(members) > 1:
        between = members[:0:-1]
        way = [f"`{key}`" for key in (found.child, *between[:MAX_NAMED])]
        left = [f"{len(between) - MAX_NAMED} more"] if len(between) > MAX_NAMED else []
        message = "circular dependency: " + " → ".join([*way, *left, way[0]])
    elif edge.child == edge.parent:
        message = f"`{found.child}` depends on itself"
    else:
        replaced = edge.parent if edge.child == found.child else edge.child
        message = f"`{found.child}` depends on `{replaced}`, which it replaces"
    related = []
    for child, parent in zip(members[:0:-1], members[-2::-1], strict=True):
        reason = reason_of(child, parent)
        words = f"must run before `{reason.child}`" if reason.run_before else f"depends on `{reason.parent}`"
        related.append(RelatedMigration(reason.origin, reason.span, words))
    return GraphProblem(
        kind=ProblemKind.CYCLE,
        message=message,
        migration=edge.origin,
        span=edge.span,
        label="closes the circle",
        related=tuple(related[:MAX_NAMED]),
        runtime_error="CircularDependencyError: " + ", ".join(map(str, members[smallest:] + members[:smallest]))
        if hidden_by is None
        else no_end(hidden_by),
    )


def circular_squash(key: MigrationKey, named_by: MigrationKey) -> GraphProblem:
    """Squashes that replace each other: CommandError from Django 6.0 on."""
    itself = key == named_by
    return GraphProblem(
        kind=ProblemKind.INCONSISTENT_REPLACES,
        message=f"`{key}` replaces itself"
        if itself
        else f"`{named_by}` replaces `{key}`, by which it is itself replaced",
        migration=named_by,
        label="circular `replaces`",
        related=() if itself else (RelatedMigration(key, None, f"replaces `{named_by}` in turn"),),
        runtime_error=f"CommandError: Cyclical squash replacement found, starting at {tuple(key)!r}",
    )


def several_leaves(conflicts: Mapping[str, Sequence[MigrationKey]], reasons: Mapping[str, str]) -> list[GraphProblem]:
    """Apps with more than one last migration, one problem each: CommandError of migrate and makemigrations."""
    listed = "; ".join(f"{', '.join(key.name for key in leaves)} in {app}" for app, leaves in conflicts.items())
    error = (
        "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph: "
        f"({listed}).\nTo fix them run 'python manage.py makemigrations --merge'"
    )
    found = []
    for app, leaves in conflicts.items():
        *others, last = leaves
        reason = reasons.get(app)
        found.append(
            GraphProblem(
                kind=ProblemKind.SEVERAL_LEAVES,
                message=f"app `{app}` has {len(leaves)} last migrations: "
                + ", ".join(f"`{key.name}`" for key in leaves[:MAX_NAMED])
                + (", …" if len(leaves) > MAX_NAMED else ""),
                migration=last,
                label="no other migration depends on it",
                related=tuple(RelatedMigration(key, None, "nor on this one") for key in others[:MAX_NAMED]),
                runtime_error=error,
                certainty=Certainty.CERTAIN if reason is None else Certainty.POSSIBLE,
                reason=reason,
            )
        )
    return found


def duplicate(kept: Node, dropped: Sequence[Node]) -> GraphProblem:
    """Several files for one node: two apps of one label, of which Django accepts one."""
    key = MigrationKey(kept.app_label, kept.name)
    return GraphProblem(
        kind=ProblemKind.DUPLICATE_MIGRATION,
        message=f"app label `{kept.app_label}` is used twice: `{kept.path}` is checked, "
        + ", ".join(f"`{node.path}`" for node in dropped[:MAX_NAMED])
        + (f" and {len(dropped) - MAX_NAMED} more" if len(dropped) > MAX_NAMED else "")
        + (" is not" if len(dropped) == 1 else " are not"),
        migration=key,
        runtime_error="ImproperlyConfigured: Application labels aren't unique, duplicates: " + kept.app_label,
        certainty=Certainty.POSSIBLE,
        reason="it is an error only where one project installs both",
    )

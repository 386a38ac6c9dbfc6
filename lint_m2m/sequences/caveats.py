"""What changes in use when a many-to-many gets, loses or changes its through model."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import UNKNOWN
from lint_m2m.sequences.filling import filled_by_itself
from lint_m2m.sequences.values import Situation

VERIFY = "python manage.py makemigrations --check --dry-run"


def of_through(situation: Situation) -> Iterator[str]:
    """What to mind when a field gets a through model."""
    through = situation.through
    if through is None:
        return
    name, field = through.model.name, situation.key.name
    required = [one.name for one in through.extras if not filled_by_itself(situation, one)]
    if through.extras:
        needs = f", and have to for `{'`, `'.join(required)}`" if required else ""
        yield (
            f"`{field}.add()`, `set()` and `create()` go on working; they take values for the further fields of "
            f"`{name}` as `through_defaults={{...}}`{needs}"
        )
    yield (
        f"the admin no longer takes `{field}` in `fields`, `fieldsets`, `filter_horizontal` or `filter_vertical` "
        f"(admin.E013): give `{name}` an inline; forms can still have it"
    )
    yield from of_names(situation)


def without_through(situation: Situation) -> Iterator[str]:
    """What to mind when a field loses its through model."""
    link, field = situation.link, situation.key.name
    if link is None or link.through is None:
        return
    name = link.through.model.name
    yield (
        f"`{name}` goes: its queries, its admin and `through_defaults` with it; an inline can have "
        f"`{situation.owner.name}.{field}.through`, and `{field}` may stand in `fields` and `filter_horizontal` again"
    )
    yield f"lookups through the model (`{name.lower()}__...`) become lookups through `{field}`"
    yield from of_names(situation)


def of_names(situation: Situation) -> Iterator[str]:
    """Reverse names that the same operation changes."""
    old, new = situation.old, situation.new
    before = old.field.relation if old is not None else None
    after = new.field.relation if new is not None else None
    if before is None or after is None:
        return
    for name, was, now in (
        ("related_name", before.related_name, after.related_name),
        ("related_query_name", before.related_query_name, after.related_query_name),
    ):
        if was is UNKNOWN or now is UNKNOWN or was == now:
            continue
        owner = situation.owner.name.lower()
        gone = was or (owner if name == "related_query_name" else f"{owner}_set")
        come = now or (owner if name == "related_query_name" else f"{owner}_set")
        yield f"the same change turns the reverse name `{gone}` into `{come}`: queries and templates must follow"
        if was and name == "related_name" and situation.through is not None and situation.target is not None:
            yield from _through_query(situation, was)


def _through_query(situation: Situation, gone: str) -> Iterator[str]:
    """A query that goes through the model, whatever the field's reverse name is."""
    through, target = situation.through, situation.target
    if through is None or target is None or through.source is None or through.target is None:
        return
    relation = through.target.field.relation
    if relation is None or relation.related_name is not None or relation.related_query_name is not None:
        return
    owner = situation.owner.name.lower()
    yield (
        f"`{target.name}.objects.filter({gone}={owner})` can be written through the model: "
        f"`{target.name}.objects.filter({through.model.name.lower()}__{through.source.name}={owner})`"
    )


def of_failed_run(situation: Situation) -> Iterator[str]:
    """MySQL and MariaDB do not roll back: what a run that failed has left."""
    through = situation.through
    if through is None or not through.in_migration or situation.finding is None:
        return
    if situation.vendor_known and situation.vendor != "mysql":
        return
    if through.table != (situation.link.table.name if situation.link else None):
        yield (
            f"where `migrate` has failed on MySQL or MariaDB already, it left the empty table `{through.table}` "
            f"behind: `DROP TABLE {through.table}` there first"
        )

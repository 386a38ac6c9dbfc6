"""`rewrite-history`: the migration that made the field makes it through the model from the start.

What: the field's entry goes from the old migration; behind the operation that made it come the through model, on the
table that existing databases have, and the field again, with `through=`. What the new migration wanted is gone from
it, but for the model's further fields. Existing databases need nothing: what the edited migration describes is what
they have.

When: shown, not applied. It is for projects whose old migrations nobody else has: a released migration that changes
is another one, and whoever has not run it yet runs the new text.

Downtime: none, no SQL runs; brief where the model has further fields, since those are added as they are.

Source: the keep-the-table guide edits the released initial migration like this, without pinning names and columns.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import keepable, switch
from lint_m2m.sequences.codegen import Writer, plain, without_comments
from lint_m2m.sequences.layout import Bracket, Item
from lint_m2m.sequences.source import Unwritable, style_of
from lint_m2m.sequences.switching import Manner, create_model, models_change, real_operations
from lint_m2m.sequences.values import Change, Code, Proposal, Replacement, ReplaceOperations, Situation
from lint_m2m.values import replace

ID = "rewrite-history"


def propose(situation: Situation) -> Iterator[Proposal]:
    migration, old, new = situation.migration, situation.old, situation.new
    if not keepable(situation) or migration is None or old is None or new is None:
        return
    if old.origin != old.created or "." in old.created.address or old.created.migration == migration.key:
        return
    manner = Manner(rename=False, staged=False)
    own = Writer(situation, migration.path)
    facts = switch(situation, own)
    rest = tuple(own.code(one) for one in real_operations(own, facts, manner))
    changes: list[Change] = [
        _origin(situation),
        ReplaceOperations(
            migration=migration.key,
            path=migration.path,
            replacements=tuple(
                Replacement(address=one.address, span=one.operation.span, operations=rest if one is facts.last else ())
                for one in facts.gone
                if one.operation.span is not None
            ),
            title="take out what the older migration does now",
        ),
    ]
    models = models_change(situation, facts, manner)
    if models is not None:
        changes.append(models)
    yield Proposal(
        id=ID,
        title="let the migration that made the field make it with `through=`",
        why=(
            "the history reads as if the through model had been there from the start; existing databases need nothing, "
            "since the table is the one they have"
        ),
        downtime=Downtime.BRIEF if rest else Downtime.NONE,
        applicability=Applicability.DISPLAY,
        changes=tuple(changes),
        caveats=(
            "only where nobody else has these migrations: who has not run them yet runs another text than you did",
            "migrations in between that name the field must fit as well: run all of them on an empty database",
        ),
        verify=caveats.VERIFY,
    )


def _origin(situation: Situation) -> ReplaceOperations:
    """The edit of the migration in which the field came in: by a CreateModel, or by an AddField."""
    old, new = situation.old, situation.new
    assert old is not None
    assert new is not None
    made, born = old.created, situation.owner.origin
    path = made.location.path
    source = situation.sources.get(path)
    if source is None:
        raise Unwritable("the migration that made the field cannot be read")
    there = replace(situation, style=style_of(source))
    writer = Writer(there, path)
    facts = switch(there, writer)
    by_create = (born.migration, born.address) == (made.migration, made.address)
    span = born.location.span if by_create else made.location.span
    operations: list[Code] = []
    if by_create:
        operations.append(writer.code(without_field(writer.create_model_at(path, span), situation.key.name)))
    operations.append(writer.code(create_model(writer, facts)))
    field = without_comments(writer.field(new))
    operations.append(writer.code(writer.add_field(situation.key.model, situation.key.name, field)))
    return ReplaceOperations(
        migration=made.migration,
        path=path,
        replacements=(Replacement(address=made.address, span=span, operations=tuple(operations)),),
        title="make the field with `through=`, on the table that is there",
    )


def without_field(create: Bracket, name: str) -> Bracket:
    """A CreateModel without one of its fields."""
    fields = create.item("fields")
    if fields is None or not isinstance(fields.value, Bracket):
        raise Unwritable("the fields of the model are no plain list")

    def is_it(item: Item) -> bool:
        pair = item.value
        return isinstance(pair, Bracket) and bool(pair.items) and plain(pair.items[0].value).strip("\"'") == name

    kept = tuple(item for item in fields.value.items if not is_it(item))
    if len(kept) + 1 != len(fields.value.items):
        raise Unwritable("the field is not in the list of the model's fields")
    left = replace(fields, value=replace(fields.value, items=kept))
    return replace(create.with_item(left), exploded=True)

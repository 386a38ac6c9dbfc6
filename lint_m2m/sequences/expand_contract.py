"""`expand-contract`: both tables are written for a while, so that no release ever misses a link.

What, each step deployed before the next: (1) code that repeats in the through model what happens to the field; (2) a
migration that copies what was there before; (3) the switch, which runs no SQL: Django reads the through model's table;
(4) when no old code runs any more, the automatic table is dropped, as a model that a state-only CreateModel describes
and a real DeleteModel removes (no raw SQL, and backward it comes back, with its links).

When: as `copy-rows`, where the application cannot stop while links are copied.

Downtime: none.

Source: expand and contract (parallel change), applied to `through=`.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.migration import Dependency
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import alter_node, named_field, writer_key
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.copy_rows import of_copying
from lint_m2m.sequences.copying import Copy, copy_of, functions, in_place, in_quotes
from lint_m2m.sequences.layout import Bracket, Node, call, items, mapping, text
from lint_m2m.sequences.switching import can_stage, new_migration
from lint_m2m.sequences.values import Instruction, NewMigration, Proposal, ReplaceOperations, Situation

ID = "expand-contract"

_MIRROR = '''\
from django.db.models.signals import m2m_changed
from django.dispatch import receiver


@receiver(m2m_changed, sender={owner}.{field}.through)
def mirror_{field}(sender, instance, action, reverse, pk_set, using, **kwargs):
    """Until the switch: {through} has every link that {owner}.{field} has."""
    own, other = ("{target}_id", "{source}_id") if reverse else ("{source}_id", "{target}_id")
    links = {through}.objects.using(using)
'''
_REPEAT = """\
if action == "post_add":
    known = links.filter(**{{own: instance.pk, f"{{other}}__in": pk_set}})
    new = pk_set.difference(known.values_list(other, flat=True))
    links.bulk_create({through}(**{{own: instance.pk, other: pk}}) for pk in new)
elif action == "post_remove":
    links.filter(**{{own: instance.pk, f"{{other}}__in": pk_set}}).delete()
elif action == "post_clear":
    links.filter(**{{own: instance.pk}}).delete()
"""
# No migration says whether a relation of a model to itself is symmetrical (`ManyToManyField.deconstruct`), and of the
# two rows of such a link the signal is about one (`_add_items` in django/db/models/fields/related_descriptors.py).
_BOTH = """\
ends = [(own, other)]
if {owner}.{field}.rel.symmetrical:
    ends.append((other, own))
for own, other in ends:
"""


def propose(situation: Situation) -> Iterator[Proposal]:
    copy = copy_of(situation)
    migration = situation.migration
    if copy is None or migration is None or not can_stage(situation):
        return
    writer = Writer(situation, migration.path)
    made = functions(situation, writer, copy)
    expand = ReplaceOperations(
        migration=migration.key,
        path=migration.path,
        replacements=in_place(copy, [writer.code(writer.run_python(made.forward))]),
        functions=made.codes[:2],
        title="copy what was there before; the field stays as it is",
        deploy_before=True,
    )
    switch = _switch(situation, copy)
    mirror = _MIRROR + indent(_REPEAT, "    ")
    if situation.target_key == situation.key.model_key:
        mirror = _MIRROR + indent(_BOTH + indent(_REPEAT, "    "), "    ")
    mirror = mirror.format(
        owner=situation.owner.name,
        field=situation.key.name,
        through=copy.through.model.name,
        source=copy.source.name,
        target=copy.target.name,
    )
    yield Proposal(
        id=ID,
        title="write both tables, copy, switch, then drop the old one: each step deployed on its own",
        why="every release finds every link, whichever of the two tables it uses",
        downtime=Downtime.NONE,
        applicability=Applicability.DISPLAY if copy.required else Applicability.REVIEW,
        changes=(
            Instruction(
                title=f"leave `{situation.key.name}` as it is, and repeat its changes in `{copy.through.model.name}`",
                language="python",
                code=in_quotes(mirror, writer).rstrip("\n"),
                path=situation.models_path,
            ),
            expand,
            switch,
            _contract(situation, copy, switch),
        ),
        caveats=(
            f"models.py gets its `through=` with the migration `{switch.name}`; the receiver goes with it",
            *of_copying(copy),
            *caveats.of_through(situation),
        ),
        verify=caveats.VERIFY,
    )


def _switch(situation: Situation, copy: Copy) -> NewMigration:
    """What the receiver may have missed, then Django reads the other table; backward the old one gets all links."""
    writer = Writer(situation, None)
    made = functions(situation, writer, copy, emptied=True)
    copy_again = writer.run_python(made.forward, made.backward)
    return new_migration(
        situation,
        situation.key.app_label,
        f"{situation.key.model}_{situation.key.name}_through",
        (writer.code(copy_again), writer.code(writer.state_only([alter_node(situation, writer)]))),
        _dependencies(situation, copy),
        functions=made.codes,
        title="switch: from here on Django reads the through model's table",
        deploy_before=True,
    )


def _contract(situation: Situation, copy: Copy, switch: NewMigration) -> NewMigration:
    """The automatic table as a model that is deleted."""
    writer = Writer(situation, None)
    key = situation.key
    old = situation.old
    assert old is not None
    assert old.field.relation is not None
    name = f"{situation.owner.name}{key.name.title().replace('_', '')}Old"
    source, target = (column.removesuffix("_id") for column in copy.link.columns)

    def foreign_key(to: Node) -> Bracket:
        return call(
            writer.models("ForeignKey"),
            ("on_delete", text(writer.models("CASCADE"))),
            ("related_name", writer.literal("+")),
            ("to", to),
        )

    create = writer.operation(
        "CreateModel",
        ("name", writer.literal(name)),
        (
            "fields",
            items(
                "[",
                [
                    named_field(writer, "id", writer_key(writer, copy.link.key_type or "BigAutoField")),
                    named_field(writer, source, foreign_key(writer.reference(key.model_key))),
                    named_field(writer, target, foreign_key(writer.reference(situation.target_key))),
                ],
                "]",
                exploded=True,
            ),
        ),
        (
            "options",
            mapping(
                [
                    (writer.string("db_table"), writer.literal(copy.link.table.name)),
                    (writer.string("unique_together"), writer.unique_together([(source, target)])),
                ],
                exploded=True,
            ),
        ),
    )
    return new_migration(
        situation,
        key.app_label,
        f"drop_{key.model}_{key.name}_old",
        (
            writer.code(writer.state_only([create])),
            writer.code(writer.operation("DeleteModel", ("name", writer.literal(name)))),
        ),
        offset=1,
        after=switch.key,
        title=f"drop `{copy.link.table.name}`, once no old code runs any more",
        deploy_before=True,
    )


def _dependencies(situation: Situation, copy: Copy) -> tuple[Dependency, ...]:
    """The through model's app, where that is another."""
    label = copy.through.model.key.app_label
    if label == situation.key.app_label or label not in situation.leaves:
        return ()
    return (Dependency(key=copy.through.model.origin.migration),)

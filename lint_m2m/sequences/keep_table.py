"""`keep-table`: the automatic table becomes the through model's, as it is.

What: a state-only CreateModel describes the table that exists (its name, its columns, its unique pair), a state-only
AlterField points `through=` at it; both run no SQL. Further fields of the model are real AddFields after that.

When: `through=` is added to a many-to-many with an automatic table (by AlterField, or by removing the field and adding
it again), the through model has no table yet, its key is an
integer that the database counts, and its foreign keys can be those of the table. A column of another name is pinned
with `db_column`, the unique pair is declared as `unique_together`; a named constraint for it is made for real. Where a
field without `through=` was removed and added again, an AlterField does the same and keeps the table.

Downtime: none. Columns that must not be null are added so that they may be at first, since code of the running
release goes on inserting rows without them; a migration of its own, after the deployment, demands them. A constraint
that is made for real locks the table while it is built (`brief`).

Source: the keep-the-table guide, and Django's how-to on `through`
(https://docs.djangoproject.com/en/stable/howto/writing-migrations/#changing-a-manytomanyfield-to-use-a-through-model),
with what DJANGO_FACTS.md's recipe table says goes wrong in them put right.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Downtime
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import Switch, alter_node, alteration, keepable, switch
from lint_m2m.sequences.applying import applicability, may_have_run
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.restoring import lost_links
from lint_m2m.sequences.switching import Manner, can_stage, changes
from lint_m2m.sequences.values import ChangeKind, Proposal, Replacement, ReplaceOperations, Situation

ID = "keep-table"


def propose(situation: Situation) -> Iterator[Proposal]:
    if recreated_alike(situation):
        yield _altered(situation)
    if not keepable(situation):
        return
    writer = Writer(situation, None if situation.migration is None else situation.migration.path)
    facts = switch(situation, writer)
    staged = can_stage(situation)
    ordered = facts.unique is None or facts.replaces_unique or facts.unique in facts.together
    locks = bool(facts.later) or facts.replaces_unique or facts.source_differs or facts.target_differs or not ordered
    filled = any(one.filled in ("default", "now", "empty") for one in facts.extras)
    yield Proposal(
        id=ID,
        title="keep the table, change only what Django believes",
        why=(
            f"no row of `{facts.link.table.name}` is touched, nothing is copied, and code of the running release goes "
            "on working"
        ),
        downtime=Downtime.BRIEF if locks or (filled and not staged) else Downtime.NONE,
        applicability=applicability(situation),
        changes=changes(situation, writer, facts, Manner(rename=False, staged=staged)),
        recommended=not may_have_run(situation),
        caveats=(*_caveats(situation, facts), *caveats.of_through(situation), *caveats.of_failed_run(situation)),
        verify=caveats.VERIFY,
    )


def recreated_alike(situation: Situation) -> bool:
    """Whether an automatic many-to-many was removed and added again, both times with a table of its own."""
    old, new, link = situation.old, situation.new, situation.link
    alter = alteration(situation)
    if situation.kind is not ChangeKind.RECREATED or old is None or new is None or link is None:
        return False
    if alter is None or not situation.is_removed:
        return False
    written = [alter, *([situation.removal] if situation.removal else [])]
    if any("." in one.address or one.operation.span is None for one in written):
        return False
    before, after = old.field.relation, new.field.relation
    return (
        before is not None
        and after is not None
        and not (old.uncertain or new.uncertain)
        and before.to == after.to
        and before.through is None
        and after.through is None
        and before.auto_columns == after.auto_columns
        and situation.new_table is not None
    )


def _altered(situation: Situation) -> Proposal:
    """AlterField in the place of the two: the table stays, or gets its new name."""
    migration, link, alter = situation.migration, situation.link, alteration(situation)
    assert migration is not None
    assert link is not None
    assert alter is not None
    assert alter.operation.span is not None
    assert situation.new_table is not None
    writer = Writer(situation, migration.path)
    gone = [] if situation.removal is None else [situation.removal]
    same = situation.new_table == link.table.name
    return Proposal(
        id=ID,
        title=f"alter `{situation.key.name}`, so that its table stays",
        why="`AlterField` does all that removing and adding was to do, and every link stays",
        downtime=Downtime.NONE if same else Downtime.BRIEF,
        applicability=applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=(
                    *(Replacement(address=one.address, span=one.operation.span) for one in gone if one.operation.span),
                    Replacement(
                        address=alter.address,
                        span=alter.operation.span,
                        operations=(writer.code(alter_node(situation, writer)),),
                    ),
                ),
                title="replace `operations` with",
            ),
            *lost_links(situation, situation.new_table, situation.new_columns or link.columns),
        ),
        recommended=True,
        caveats=tuple(caveats.of_names(situation)),
        verify=caveats.VERIFY,
    )


def _caveats(situation: Situation, facts: Switch) -> Iterator[str]:
    if may_have_run(situation):
        yield (
            f"only where no database has run the migration as it was: such a one has the table `{facts.through.table}` "
            "instead, which `rename-table` ends in as well"
        )
    if facts.unique is not None and not facts.unique_declared:
        yield (
            f"the table holds each pair of `{'`, `'.join(facts.unique)}` once; to allow it twice, take "
            "`unique_together` out of the model later, which drops it"
        )
    defaults = [one.field.name for one in facts.extras if one.filled == "default"]
    if defaults and situation.django_version >= (5, 0):
        yield (
            f"with `db_default=` in place of `default=` the database itself fills `{'`, `'.join(defaults)}`, and the "
            "column need not be null in between (Django 5.0 and later)"
        )
    if facts.link.key_type is None:
        yield (
            "the table's primary key was made by the DEFAULT_AUTO_FIELD of its day, which no file tells: if that was "
            "another class than the model's, MTM304 applies"
        )

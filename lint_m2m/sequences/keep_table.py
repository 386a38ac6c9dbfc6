"""`keep-table`: the automatic table becomes the through model's, as it is.

What: a state-only CreateModel describes the table that exists (its name, its columns, its unique pair), a state-only
AlterField points `through=` at it; both run no SQL. Further fields of the model are real AddFields after that.

When: `through=` is added to a many-to-many with an automatic table (by AlterField, or by removing the field and adding
it again), the through model has no table yet, its key is an
integer that the database counts, and its foreign keys can be those of the table. A column of another name is pinned
with `db_column`, the unique pair is declared as `unique_together`; a named constraint for it is made for real.

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
from lint_m2m.sequences.add_through import Switch, keepable, switch
from lint_m2m.sequences.applying import applicability, may_have_run
from lint_m2m.sequences.codegen import Writer
from lint_m2m.sequences.switching import Manner, can_stage, changes
from lint_m2m.sequences.values import Proposal, Situation

ID = "keep-table"


def propose(situation: Situation) -> Iterator[Proposal]:
    if not keepable(situation):
        return
    writer = Writer(situation, None if situation.migration is None else situation.migration.path)
    facts = switch(situation, writer)
    staged = can_stage(situation)
    locks = bool(facts.later) or facts.replaces_unique or facts.source_differs or facts.target_differs
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

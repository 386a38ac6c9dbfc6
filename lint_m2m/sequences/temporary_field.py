"""`temporary-field`: a second many-to-many through the model, filled, takes the first one's place.

What: AddField of a many-to-many with a name of its own through the model, RunPython that copies the links, RemoveField
of the old field, RenameField of the new one, and an AlterField that gives it the arguments it is to have.

When: as `copy-rows`; for those who want nothing but ordinary operations.

Downtime: as long as the copying takes.

Source: the copy guide, repaired. There the copy goes row by row through get_or_create, here in batches; there the
temporary field has a reverse name that may clash (fields.E304), here it has none ("+"); and there one makemigrations
run for removing and renaming at once brings the ValueError back (DJANGO_FACTS.md, last recipe row), here the
operations are written down.
"""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.finding import Applicability, Downtime
from lint_m2m.sequences import caveats
from lint_m2m.sequences.add_through import alter_node
from lint_m2m.sequences.applying import applicability
from lint_m2m.sequences.codegen import Writer, with_argument, without_comments
from lint_m2m.sequences.copy_rows import of_copying
from lint_m2m.sequences.copying import copy_of, functions, in_place
from lint_m2m.sequences.layout import Bracket
from lint_m2m.sequences.values import Proposal, ReplaceOperations, Situation

ID = "temporary-field"


def propose(situation: Situation) -> Iterator[Proposal]:
    copy = copy_of(situation)
    migration = situation.migration
    if copy is None or migration is None or situation.new is None:
        return
    writer = Writer(situation, migration.path)
    key = situation.key
    model, name = writer.literal(key.model), writer.literal(key.name)
    temporary = f"{key.name}_through"
    while temporary in situation.owner.fields:
        temporary += "_new"
    own = without_comments(writer.field(situation.new))
    assert isinstance(own, Bracket)
    field = with_argument(own.without("related_query_name"), "related_name", writer.literal("+"))
    made = functions(situation, writer, copy)
    final = alter_node(situation, writer)
    operations = [
        writer.code(writer.add_field(key.model, temporary, field)),
        writer.code(writer.run_python(made.forward, made.backward)),
        writer.code(writer.remove_field(key.model, key.name)),
        writer.code(
            writer.operation(
                "RenameField",
                ("model_name", model),
                ("old_name", writer.literal(temporary)),
                ("new_name", name),
            )
        ),
        writer.code(final),
    ]
    yield Proposal(
        id=ID,
        title=f"a temporary field `{temporary}` is filled and takes the place of `{key.name}`",
        why="only ordinary operations, and after each of them Django believes what there is",
        downtime=Downtime.COPY_TIME,
        applicability=Applicability.DISPLAY if copy.required else applicability(situation),
        changes=(
            ReplaceOperations(
                migration=migration.key,
                path=migration.path,
                replacements=in_place(copy, operations),
                functions=made.codes,
                title="add, copy, remove, rename",
            ),
        ),
        caveats=(*_caveats(situation), *of_copying(copy), *caveats.of_through(situation)),
        verify=caveats.VERIFY,
    )


def _caveats(situation: Situation) -> Iterator[str]:
    yield (
        "by hand it takes two makemigrations runs, one after removing the old field and one after renaming the new: in "
        "one run makemigrations writes the AlterField that fails"
    )
    if situation.django_version == (6, 0):
        yield "Django 6.0.0 breaks `RenameField` of a many-to-many: use 6.0.1 or later"

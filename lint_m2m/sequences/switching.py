"""The operations that make the automatic table the through model's: shared by `keep-table` and `rename-table`."""

from __future__ import annotations

from collections.abc import Iterator

from lint_m2m.migration import Dependency, MigrationKey
from lint_m2m.sequences.add_through import Extra, Switch, alter_node, named_field
from lint_m2m.sequences.codegen import OPERATION_INDENT, Writer, plain, with_argument
from lint_m2m.sequences.layout import Bracket, Item, Node, call, items, mapping, text
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import (
    Change,
    Code,
    Instruction,
    ModelsChange,
    NewMigration,
    Replacement,
    ReplaceOperations,
    Situation,
)
from lint_m2m.values import frozen, replace

# What fields of these classes get for `auto_now_add`, and the import that takes.
_NOW = {
    "DateTimeField": ("timezone.now()", "from django.utils import timezone"),
    "DateField": ("datetime.date.today()", "import datetime"),
    "TimeField": ("datetime.datetime.now().time()", "import datetime"),
}


@frozen
class Manner:
    """How to go about it. `rename`: to the table and columns that the model wants, not those that are there.
    `staged`: columns that must not be null are so only in a migration of their own, after the next deployment."""

    rename: bool
    staged: bool


def changes(situation: Situation, writer: Writer, facts: Switch, manner: Manner) -> tuple[Change, ...]:
    """All changes in order: the migration, models.py, what comes after the next deployment."""
    operations = [
        _switched(situation, writer, facts),
        *real_operations(writer, facts, manner),
    ]
    found: list[Change] = [_migration(situation, writer, facts, operations)]
    models = models_change(situation, facts, manner)
    if models is not None:
        found.append(models)
    later = [one for one in facts.extras if one.filled in ("default", "now", "empty")] if manner.staged else []
    if later:
        found.append(_not_null(situation, facts, later))
    own = [one for one in facts.extras if one.filled == "own"]
    if own:
        found.append(_own_values(situation, facts, own))
    return tuple(found)


def can_stage(situation: Situation) -> bool:
    """Whether a migration of its own can follow: nothing stands after this one yet, or nothing that anybody has run."""
    return situation.migration is None or situation.leaf == situation.migration.key or situation.unwritten


# The switch itself.


def _switched(situation: Situation, writer: Writer, facts: Switch) -> Bracket:
    return writer.state_only([create_model(writer, facts), alter_node(situation, writer)])


def create_model(writer: Writer, facts: Switch) -> Bracket:
    """CreateModel as the automatic table is."""
    through = facts.through
    assert through.source is not None
    assert through.target is not None
    options = {entry.prefix.removesuffix(": ").strip("\"'"): entry.value for entry in facts.options}
    if facts.wanted_table or not facts.named_alike:
        options["db_table"] = writer.literal(facts.link.table.name)
    if facts.unique is not None:
        options["unique_together"] = writer.unique_together([facts.unique])
    arguments: list[tuple[str, Node]] = [
        ("name", writer.literal(through.model.name)),
        (
            "fields",
            items(
                "[",
                [
                    facts.key.value,
                    named_field(writer, through.source.name, facts.source),
                    named_field(writer, through.target.name, facts.target),
                ],
                "]",
                exploded=True,
            ),
        ),
        (
            "options",
            mapping([(writer.string(key), value) for key, value in sorted(options.items())], exploded=True),
        ),
        *((item.name, item.value) for item in facts.create_arguments),
    ]
    return writer.operation("CreateModel", *arguments)


def real_operations(writer: Writer, facts: Switch, manner: Manner) -> Iterator[Node]:
    """What comes after the switch, on the table itself."""
    through = facts.through
    model = through.model.key.name
    name = writer.literal(model)
    assert through.source is not None
    assert through.target is not None
    if manner.rename:
        wanted = text("None") if facts.wanted_table is None else writer.literal(facts.wanted_table)
        yield writer.operation("AlterModelTable", ("name", name), ("table", wanted))
        if facts.key_after is not None:
            yield writer.alter_field(model, "id", facts.key_after)
    for state, after, differs, pinned, column in (
        (through.source, facts.source_after, facts.source_differs, facts.source_pinned, facts.link.columns[0]),
        (through.target, facts.target_after, facts.target_differs, facts.target_pinned, facts.link.columns[1]),
    ):
        if differs and pinned and not manner.rename:
            yield writer.alter_field(model, state.name, with_argument(after, "db_column", writer.literal(column)))
        elif differs or (pinned and manner.rename):
            yield writer.alter_field(model, state.name, after)
    for extra in facts.extras:
        yield writer.add_field(model, extra.field.name, first_form(extra, manner))
    yield from facts.later
    declared = frozenset() if facts.unique is None else frozenset({facts.unique})
    if facts.together != declared:
        yield writer.operation(
            "AlterUniqueTogether", ("name", name), ("unique_together", writer.unique_together(facts.together))
        )
    yield from facts.moved


def first_form(extra: Extra, manner: Manner) -> Bracket:
    """A further field as it can be added while rows are there and old code still writes some."""
    if extra.filled == "own":
        # A default would be the same for every row, which a unique column does not take.
        return with_argument(extra.node.without("default"), "null", text("True"))
    if manner.staged and extra.filled in ("default", "now", "empty"):
        return with_argument(extra.node, "null", text("True"))
    return extra.node


def _migration(situation: Situation, writer: Writer, facts: Switch, operations: list[Node]) -> Change:
    migration = situation.migration
    if migration is None:
        return new_migration(
            situation,
            situation.key.app_label,
            f"{facts.through.model.key.name}_on_{situation.key.name}",
            tuple(writer.code(one) for one in operations),
            _model_dependencies(situation, facts),
        )
    place, last = facts.place, facts.last
    assert place is not None
    assert last is not None
    codes = [writer.code(one, indent=_column(place)) for one in operations]
    replacements: list[Replacement] = []
    for one in facts.gone:
        span = one.operation.span
        assert span is not None
        new: tuple[Code, ...] = ()
        if one is place and one is last:
            new = tuple(codes)
        elif one is place:
            new = tuple(codes[:1])
        elif one is last:
            new = tuple(codes[1:])
        replacements.append(Replacement(address=one.address, span=span, operations=new))
    return ReplaceOperations(
        migration=migration.key,
        path=migration.path,
        replacements=tuple(replacements),
        title="replace `operations` with",
    )


def _column(placed: object) -> int:
    span = placed.operation.span  # type: ignore[attr-defined]
    return OPERATION_INDENT if span is None else int(span.column) - 1


def _model_dependencies(situation: Situation, facts: Switch) -> tuple[Dependency, ...]:
    """The last migrations of the other apps whose models the through model points at."""
    apps = [state.key.app_label for state in situation.after if state.key.app_label != situation.key.app_label]
    return tuple(Dependency(key=situation.leaves[label]) for label in dict.fromkeys(apps) if label in situation.leaves)


def new_migration(
    situation: Situation,
    app_label: str,
    slug: str,
    operations: tuple[Code, ...],
    dependencies: tuple[Dependency, ...] = (),
    *,
    functions: tuple[Code, ...] = (),
    offset: int = 0,
    after: MigrationKey | None = None,
    title: str = "add a migration",
    deploy_before: bool = False,
) -> NewMigration:
    """The `offset`-th further migration of the app, after its last one (or `after`)."""
    if situation.app_path is None:
        raise Unwritable("the app's migrations folder is not known")
    name = f"{situation.next_number + offset:04d}_{slug}"[:120]
    first = after or situation.leaf
    return NewMigration(
        app_label=app_label,
        name=name,
        path=f"{situation.app_path}/{name}.py",
        dependencies=(*([Dependency(key=first)] if first else []), *dependencies),
        operations=operations,
        functions=functions,
        title=title,
        deploy_before=deploy_before,
        style=situation.style,
    )


# Later steps.


def _not_null(situation: Situation, facts: Switch, extras: list[Extra]) -> NewMigration:
    """Fill what old code left empty, then demand it."""
    writer = Writer(situation, None)
    key = facts.through.model.key
    functions: list[Code] = []
    operations: list[Code] = []
    for extra in extras:
        name = extra.field.name
        if extra.filled != "default":
            # Django fills in the field's default by itself when a column becomes NOT NULL, and nothing else.
            function = writer.function_name(f"fill_{name}")
            functions.append(_fill(writer, function, facts, extra))
            operations.append(writer.code(writer.run_python(function)))
        operations.append(writer.code(writer.alter_field(key.name, name, writer.field(extra.field))))
    label = extras[0].field.name if len(extras) == 1 else "fields"
    return new_migration(
        situation,
        key.app_label,
        f"{key.name}_{label}_not_null",
        tuple(operations),
        functions=tuple(functions),
        title="no more empty values, once no old code writes any",
        deploy_before=True,
    )


def _fill(writer: Writer, function: str, facts: Switch, extra: Extra) -> Code:
    key, name = facts.through.model.key, extra.field.name
    value, needed = '""', ""
    if extra.filled == "now":
        value, needed = _NOW.get(extra.field.field.class_path.rpartition(".")[2], _NOW["DateTimeField"])
    label, model = writer.string(key.app_label), writer.string(facts.through.model.name)
    if writer.style.quote == "'":
        value = value.replace('"', "'")
    return writer.function(
        f"def {function}(apps, schema_editor):\n"
        f'    """Links that were made before anything wrote `{name}`."""\n'
        f"    alias = schema_editor.connection.alias\n"
        f"    links = apps.get_model({label}, {model}).objects.using(alias)\n"
        f"    links.filter({name}__isnull=True).update({name}={value})\n",
        [needed] if needed else [],
    )


def _own_values(situation: Situation, facts: Switch, extras: list[Extra]) -> Instruction:
    """What only the user knows: which value the links from before get."""
    writer = Writer(situation, None)
    key = facts.through.model.key
    quote = writer.style.quote
    parts: list[str] = []
    operations: list[Code] = []
    for extra in extras:
        name = extra.field.name
        function = f"fill_{name}"
        parts.append(
            f"def {function}(apps, schema_editor):\n"
            f"    {facts.through.model.name} = apps.get_model({writer.string(key.app_label)}, "
            f"{writer.string(facts.through.model.name)})\n"
            f"    links = {facts.through.model.name}.objects.using(schema_editor.connection.alias)\n"
            f"    batch = []\n"
            f"    for link in links.filter({name}__isnull=True).iterator(chunk_size=2000):\n"
            f"        link.{name} = value_for(link)  # yours to write: what a link from before gets\n"
            f"        batch.append(link)\n"
            f"        if len(batch) == 2000:\n"
            f"            links.bulk_update(batch, [{quote}{name}{quote}])\n"
            f"            batch = []\n"
            f"    links.bulk_update(batch, [{quote}{name}{quote}])"
        )
        operations.append(writer.code(writer.run_python(function)))
        operations.append(writer.code(writer.alter_field(key.name, name, writer.field(extra.field))))
    listed = items("[", [text(one.text) for one in operations], "]", exploded=True)
    names = " and ".join(f"`{one.field.name}`" for one in extras)
    return Instruction(
        title=f"later, in a migration of its own: give the links from before their {names}, then drop `null=True`",
        language="python",
        code="\n\n\n".join(parts) + "\n\n\noperations = " + plain_list(listed),
        deploy_before=True,
    )


def plain_list(node: Node) -> str:
    """A list of operations as a statement at the margin has it."""
    return plain(node)


# models.py


def models_change(situation: Situation, facts: Switch, manner: Manner) -> ModelsChange | None:
    """What models.py has to say so that makemigrations finds nothing to do; ``None`` when it says it already."""
    through = facts.through
    assert through.source is not None
    assert through.target is not None
    writer = Writer(situation, None)
    meta: list[tuple[str, Node]] = []
    fields: list[tuple[str, Bracket]] = []
    arguments: list[tuple[str, str, str | None]] = []
    table = facts.link.table.name
    if not manner.rename:
        if facts.wanted_table != table and (facts.wanted_table or not facts.named_alike):
            meta.append(("db_table", writer.literal(table)))
        if facts.key_after is not None:
            assert isinstance(facts.key.value, Bracket)
            node = facts.key.value.items[1].value
            assert isinstance(node, Bracket)
            fields.append(("id", call(node.opening.removesuffix("("), ("primary_key", text("True")))))
            arguments.append(("id", "", plain(fields[-1][1])))
        for state, pinned, after, column in (
            (through.source, facts.source_pinned, facts.source_after, facts.link.columns[0]),
            (through.target, facts.target_pinned, facts.target_after, facts.link.columns[1]),
        ):
            if pinned:
                fields.append((state.name, with_argument(after, "db_column", writer.literal(column))))
                arguments.append((state.name, "db_column", writer.string(column)))
    for extra in facts.extras:
        if extra.filled == "own":
            node = first_form(extra, manner)
            fields.append((extra.field.name, node))
            arguments.append((extra.field.name, "null", "True"))
            if extra.node.item("default") is not None:
                arguments.append((extra.field.name, "default", None))
    if facts.unique is not None and not facts.unique_declared:
        meta.append(("unique_together", writer.unique_together(facts.together, in_models=True)))
    if not meta and not fields:
        return None
    lines = [f"class {through.model.name}(models.Model):"]
    for name, node in fields:
        lines.append(f"    {name} = {in_models(situation, writer, node, 4)}")
    if meta:
        lines += [*([""] if fields else []), "    class Meta:"]
        lines += [f"        {name} = {plain(value)}" for name, value in meta]
    title = "pin the table" if any(name == "db_table" for name, _ in meta) else "say what the table has"
    return ModelsChange(
        model=through.model.key,
        path=situation.models_path,
        code=Code(text="\n".join(lines)),
        title=title,
        meta=tuple((name, plain(value)) for name, value in meta),
        arguments=tuple(arguments),
    )


def in_owner(situation: Situation, name: str, field: Bracket) -> str:
    """The field `name` in the class of the model that has it."""
    node = in_models(situation, Writer(situation, None), field, 4)
    return f"class {situation.owner.name}(models.Model):\n    {name} = {node}"


def in_models(situation: Situation, writer: Writer, node: Bracket, indent: int) -> str:
    """A field as models.py writes it: the target by its name, on_delete from `models`."""
    found: list[Item] = []
    for item in node.items:
        if item.prefix == "on_delete=":
            item = replace(item, value=text(f"models.{plain(item.value).rpartition('.')[2]}"))
        found.append(item)
    moved = replace(node, items=tuple(found), exploded=False)
    return writer.code(moved, indent=indent).text.replace("\n", "\n" + " " * indent)

"""A change as makemigrations would write it, in a migration that is only thought of."""

from __future__ import annotations

from collections.abc import Mapping

from lint_m2m.migration import Dependency, MigrationKey, ModelKey
from lint_m2m.plan.names import Extra
from lint_m2m.readers.files import Files, text_of
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.sequences.codegen import Writer, with_argument, without_comments
from lint_m2m.sequences.edit import write_migration
from lint_m2m.sequences.layout import Bracket, Node, call, items, mapping, text
from lint_m2m.sequences.source import Unwritable
from lint_m2m.sequences.values import ChangeKind, NewMigration, Situation, Style
from lint_m2m.values import declare, frozen


@frozen
class Change:
    """A change of one many-to-many. `through` is its new through model, `made` whether that has to be created, with
    `keys` to the owner and to `target` and `extras`; `removed` is the through model that goes. `depends` is the
    migration of another app that has to come before. Where the model is made in another app, `made_path` is that one's
    migrations folder and `made_after` its last migration."""

    owner: ModelState
    old: FieldState
    app_path: str
    leaf: MigrationKey | None
    key_class: str
    through: ModelKey | None = None
    through_name: str = ""
    made: bool = False
    keys: tuple[str, str] = ("", "")
    target: ModelKey | None = None
    target_name: str = ""
    extras: tuple[Extra, ...] = ()
    removed: ModelState | None = None
    depends: MigrationKey | None = None
    made_path: str | None = None
    made_after: MigrationKey | None = None
    swappable: Mapping[str, str] = declare(default_factory=dict)

    @property
    def app_label(self) -> str:
        return self.owner.key.app_label

    @property
    def label(self) -> str:
        """``library.Book.authors``."""
        return f"{self.app_label}.{self.owner.name}.{self.old.name}"

    @property
    def through_label(self) -> str | None:
        return None if self.through is None else f"{self.through.app_label}.{self.through_name}"

    @property
    def slug(self) -> str:
        """The end of the migration's name."""
        if self.through is None:
            return f"{self.owner.key.name}_{self.old.name}_without_through"
        return f"{self.owner.key.name}_{self.old.name}_through_{self.through.name}"


def virtual_migration(change: Change, name: str, path: str, style: Style, files: Files) -> tuple[str, str]:
    """The text, and the field's definition in it: CreateModel where the through model has to be made, AlterField,
    DeleteModel where it goes."""
    writer = Writer(_bare(change, style, files), None)
    old = without_comments(writer.field(change.old))
    if not isinstance(old, Bracket):
        raise Unwritable(f"the definition of `{change.label}` is no plain call")
    nodes: list[Node] = []
    if change.made and change.made_path is None:
        nodes.append(_create(change, writer))
    new = old.without("through", "through_fields", "db_table")
    if change.through_label is not None:
        new = with_argument(new, "through", writer.literal(change.through_label))
    nodes.append(writer.alter_field(change.owner.key.name, change.old.name, new))
    removed = change.removed
    if removed is not None and removed.key.app_label == change.app_label:
        nodes.append(writer.operation("DeleteModel", ("name", writer.literal(removed.name))))
    depends = [key for key in (change.leaf, change.depends) if key is not None]
    written = write_migration(
        NewMigration(
            app_label=change.app_label,
            name=name,
            path=path,
            dependencies=tuple(Dependency(key=key) for key in depends),
            operations=tuple(writer.code(one) for one in nodes),
            style=style,
        )
    )
    return written, writer.code(new, indent=4).text


def virtual_model(change: Change, name: str, path: str, style: Style, files: Files) -> str:
    """The text of the migration that makes the through model in another app: after the last one of the field's app, of
    the target's and of its own, so that nothing it depends on can depend on it."""
    assert change.through is not None
    writer = Writer(_bare(change, style, files), None)
    depends = dict.fromkeys(key for key in (change.made_after, change.leaf, change.depends) if key is not None)
    return write_migration(
        NewMigration(
            app_label=change.through.app_label,
            name=name,
            path=path,
            dependencies=tuple(Dependency(key=key) for key in depends),
            operations=(writer.code(_create(change, writer)),),
            style=style,
        )
    )


def _bare(change: Change, style: Style, files: Files) -> Situation:
    """As much of a situation as it takes to write code in the project's own words."""
    path = change.old.origin.location.path
    source = files.source(path)
    return Situation(
        kind=ChangeKind.ADD_THROUGH,
        finding=None,
        key=change.owner.field_key(change.old.name),
        owner=change.owner,
        old=change.old,
        new=None,
        target_key=change.target,
        target=None,
        link=None,
        through=None,
        migration=None,
        guilty=None,
        sources={} if source is None else {path: text_of(source)},
        style=style,
        swappable=change.swappable,
    )


def _create(change: Change, writer: Writer) -> Bracket:
    both_alike = change.target == change.owner.key

    def key(model: ModelKey | None) -> Bracket:
        arguments: list[tuple[str, Node]] = [("on_delete", text(writer.models("CASCADE")))]
        if both_alike:
            # Two keys to one model must not both be called `…_set` there.
            arguments.append(("related_name", writer.literal("+")))
        arguments.append(("to", writer.reference(model)))
        return call(writer.models("ForeignKey"), *arguments)

    primary = call(
        writer.models(change.key_class),
        ("auto_created", text("True")),
        ("primary_key", text("True")),
        ("serialize", text("False")),
        ("verbose_name", writer.literal("ID")),
    )
    fields: list[tuple[str, Node]] = [("id", primary)]
    writer.models("Model")
    fields += [(one.name, text(one.code)) for one in change.extras]
    fields += [(change.keys[0], key(change.owner.key)), (change.keys[1], key(change.target))]
    pairs = [items("(", [writer.literal(name), node], ")") for name, node in fields]
    options = mapping([(writer.string("unique_together"), writer.unique_together([change.keys]))], exploded=True)
    return writer.operation(
        "CreateModel",
        ("name", writer.literal(change.through_name)),
        ("fields", items("[", pairs, "]", exploded=True)),
        ("options", options),
    )

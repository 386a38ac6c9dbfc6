"""The minimal project of a proof: the models that take part, their tables as they were, and the sequence.

Everything in it is written from values (`fields`, `operations`); nothing of the project's own is copied or imported.
The migrations form one line through all apps: models first, then relations, then those of the sequence. models.py has
the models as after the guilty migration, with what the sequence says of them, so that ``makemigrations --check`` means
something.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Final

from lint_m2m.finding import Downtime
from lint_m2m.migration import UNKNOWN, CreateModel, Field, FieldKind, ModelKey, ModelOptions
from lint_m2m.prove.fields import IMPORTS, FieldWriter, Hints, hints_at, key_of
from lint_m2m.prove.functions import vetted
from lint_m2m.prove.operations import OperationWriter, Scope, create_model
from lint_m2m.prove.reading import Reading, Written
from lint_m2m.prove.values import NotProvable, ProofProject
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.sequences.values import ChangeKind, Instruction, ModelsChange, Proposal, Situation
from lint_m2m.values import replace, slotted

PACKAGE: Final = "lint_m2m_proof"
# Apps of Django's own whose models have a 32-bit key (their AppConfigs say so).
_AUTO_FIELD_APPS: Final = frozenset({"admin", "auth", "contenttypes", "flatpages", "redirects", "sites"})
_KEY: Final = "(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')"


def build(situation: Situation, proposal: Proposal, reading: Reading, django_version: tuple[int, int]) -> ProofProject:
    """The project for one sequence. NotProvable where it cannot be made without the project's own code."""
    return _Builder(situation, proposal, reading, django_version).built()


class _Elsewhere(NotProvable):
    """A relation that leads out of the proof: its field is left out without a word."""


@slotted()
class _Chain:
    """One migration of the line."""

    label: str
    name: str
    operations: list[str]
    head: str = ""
    atomic: bool = True


class _Builder:
    def __init__(
        self, situation: Situation, proposal: Proposal, reading: Reading, django_version: tuple[int, int]
    ) -> None:
        self.situation = situation
        self.proposal = proposal
        self.notes: list[str] = []
        later = reading.later(situation)
        if later is not None:
            raise NotProvable(f"`{later}` goes on with the same table, and a proof ends with the sequence")
        _agree(situation)
        self.written = reading.written(situation, proposal)
        self.before = {model.key: model for model in situation.before}
        self.after = _with_changes(situation, proposal)
        self.models = {**self.before, **self.after}
        paths = {
            state.origin.location.path
            for model in (*situation.before, *situation.after)
            for state in model.fields.values()
        }
        self.fields = FieldWriter(reading.bases(situation, sorted(paths)), django_version)
        self.created = {
            ModelKey(one.migration.app_label, operation.name.lower())
            for one in self.written
            for operation in _flat(one)
            if isinstance(operation, CreateModel) and not _was_there(one, operation)
        }
        self.stand_ins: dict[ModelKey, str] = {}
        self.left_names: set[tuple[ModelKey, str]] | None = None
        # Relations to models that come later, and models whose constraints have to wait for them.
        self.deferred: list[tuple[ModelState, FieldState]] = []
        self.late_options: list[ModelState] = []
        self.was = self._name_before()
        self.left_out = self._left_out()

    # -- what takes part

    def known(self, key: ModelKey) -> bool:
        return key in self.models or key in self.created or key in self.stand_ins

    def has_field(self, key: ModelKey, name: str) -> bool:
        return (key, name) not in self.left_out

    def has_name(self, key: ModelKey, name: str) -> bool:
        """Whether a constraint or an index takes part."""
        if self.left_names is None:
            self.left_names = set()
            for model in (*self.before.values(), *self.after.values()):
                writer = self._writer(model)
                for listed in (model.options.constraints, model.options.indexes):
                    left = () if listed is UNKNOWN else (one for one in listed if not writer.constraint(model.key, one))
                    self.left_names |= {(model.key, str(one.name)) for one in left}
        return (key, name) not in self.left_names

    def _name_before(self) -> str:
        """The name of the field that has the links before: another one's where a foreign key of another name goes."""
        key = self.situation.key
        owner, later = self.before.get(key.model_key), self.after.get(key.model_key)
        if owner is None or later is None:
            return key.name
        there = owner.fields.get(key.name)
        # A many-to-many that an earlier migration added gets the values of a foreign key.
        beside = there is not None and there.field.many_to_many and self.situation.kind is ChangeKind.FK_TO_M2M
        if there is not None and not beside:
            return key.name
        gone = [
            name
            for name, state in owner.fields.items()
            if name not in later.fields
            and state.field.relation is not None
            and key_of(state.field.relation.to, self.situation.swappable) == self.situation.target_key
        ]
        if len(gone) != 1:
            raise NotProvable(f"nobody knows where the links of `{key.name}` were before")
        return gone[0]

    def _essential(self, model: ModelState, name: str) -> bool:
        """Whether a field is what the sequence is about: the many-to-many, or a field of a through model."""
        situation = self.situation
        old = None if situation.link is None else situation.link.through
        throughs = [one for one in (situation.through, old) if one is not None]
        if model.key == situation.key.model_key and name in (situation.key.name, self.was):
            return True
        return any(model.key == through.model.key for through in throughs)

    def _left_out(self) -> set[tuple[ModelKey, str]]:
        found: set[tuple[ModelKey, str]] = set()
        for model in (*self.before.values(), *self.after.values()):
            for name, state in model.fields.items():
                field = state.field
                essential = self._essential(model, name)
                mine = model.key == self.situation.key.model_key and name in (self.situation.key.name, self.was)
                other = field.many_to_many and not mine
                if other or (field.kind is FieldKind.VIRTUAL):
                    found.add((model.key, name))
                    continue
                try:
                    self._targets(field, essential)
                    self.scope_field(model.key, name, field, Hints())
                except NotProvable as reason:
                    if essential or field.primary_key is not False:
                        raise NotProvable(f"`{model.name}.{name}`: {reason}") from None
                    found.add((model.key, name))
                    if not isinstance(reason, _Elsewhere):
                        self.notes.append(f"left out: `{model.name}.{name}` ({reason})")
        return found

    def _targets(self, field: Field, essential: bool) -> None:
        """Make sure that what a relation points at takes part; an outside model of an essential one is stood in for."""
        relation = field.relation
        if relation is None:
            return
        for ref in (relation.to, relation.through):
            if ref is None:
                continue
            key = key_of(ref, self.situation.swappable)
            if key is None:
                raise NotProvable("nobody knows which model it points at")
            if self.known(key):
                continue
            if not essential or ref is relation.through:
                raise _Elsewhere("it points at a model that has no part in this")
            if relation.to_field not in (None, "id"):
                raise NotProvable(f"`{key}` is not in the project, and more than its key is needed")
            self.stand_ins[key] = "AutoField" if key.app_label in _AUTO_FIELD_APPS else "BigAutoField"
            self.notes.append(f"`{key}` is not in the project: a model with a key alone stands in for it")

    def scope_field(self, key: ModelKey, name: str, field: Field, hints: Hints) -> str:
        """The code of one field of a model."""
        relation = field.relation
        if relation is None:
            return self.fields.text(field, hints)
        target = key_of(relation.to, self.situation.swappable)
        through = None
        if relation.through is not None:
            through_key = key_of(relation.through, self.situation.swappable)
            if through_key is None:
                raise NotProvable(f"the through model of `{key}.{name}` is not known")
            through = self._label(through_key)
        if target is None or not self.known(target):
            raise NotProvable(f"the model that `{key}.{name}` points at has no part in this")
        return self.fields.text(field, hints, target=str(target), through=through)

    def _label(self, key: ModelKey) -> str:
        """``app.Model`` in the model's own letter case, as `deconstruct` writes a through model."""
        model = self.models.get(key)
        return f"{key.app_label}.{key.name if model is None else model.name}"

    # -- the files

    def built(self) -> ProofProject:
        situation = self.situation
        self._names()
        chain = [*self._beginning(), *self._relations()]
        before: dict[str, str | None] = {one.label: one.name for one in chain}
        sequence = [self._of_sequence(one) for one in self.written]
        labels = tuple(dict.fromkeys(one.label for one in (*chain, *sequence)))
        for label in labels:
            before.setdefault(label, None)
        files = {f"{PACKAGE}/__init__.py": ""}
        for label in labels:
            files[f"{PACKAGE}/{label}/__init__.py"] = ""
            files[f"{PACKAGE}/{label}/migrations/__init__.py"] = ""
            files[f"{PACKAGE}/{label}/models.py"] = self._models(label)
        last: dict[str, _Chain] = {}  # of each app, the newest at the end
        for one in (*chain, *sequence):
            # The one before in the line, and in the app: otherwise the app would have two leaves.
            previous = [last[label] for label in dict.fromkeys((*list(last)[-1:], one.label)) if label in last]
            files[f"{PACKAGE}/{one.label}/migrations/{one.name}.py"] = _file(one, previous)
            last.pop(one.label, None)
            last[one.label] = one
        key_type = situation.link.key_type if situation.link else None
        own = situation.default_auto_field
        if key_type is None:
            key_type = "BigAutoField" if own is UNKNOWN else own.rpartition(".")[2]
        if key_type not in ("AutoField", "BigAutoField", "SmallAutoField"):
            key_type = "BigAutoField"
        for path, name in self.fields.substituted.items():
            self.notes.append(f"`{path}` is written as `{name}`, whose column it has")
        for change in self.proposal.changes:
            if isinstance(change, Instruction):
                self.notes.append(f"not run, it is for you: {change.title}")
        return ProofProject(
            files=files,
            package=PACKAGE,
            labels=labels,
            field=situation.key,
            was=self.was,
            before=before,
            first=(sequence[0].label, sequence[0].name),
            old_code=self.proposal.downtime is Downtime.NONE,
            default_auto_field=f"django.db.models.{key_type}",
            link_columns=situation.link.columns if situation.link else (),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _names(self) -> None:
        """Every name that becomes Python: an identifier, or the proof is not for it."""
        labels = [key.app_label for key in (*self.models, *self.created, *self.stand_ins)]
        labels += [one.migration.app_label for one in self.written]
        names = [name for model in self.models.values() for name in (model.name, *model.fields)]
        names += [key.name for key in (*self.created, *self.stand_ins)]
        for name in (*labels, *names):
            if not name.isidentifier() or (iskeyword(name) and name in names):
                raise NotProvable(f"`{name}` is no name in Python")
        for one in self.written:
            if not one.migration.name.replace("_", "a").replace("-", "a").isalnum():
                raise NotProvable(f"`{one.migration.name}` is no name of a module")

    def _beginning(self) -> Iterator[_Chain]:
        """Models with their columns and with relations to what is there already."""
        made: set[ModelKey] = set()
        current: _Chain | None = None
        number = 0
        steps: list[tuple[str, str]] = [
            (key.app_label, create_model(key.name, [f"('id', models.{cls}{_KEY})"], {}, ()))
            for key, cls in sorted(self.stand_ins.items())
        ]
        made |= set(self.stand_ins)
        for model in self.before.values():
            writer = self._writer(model)
            fields: list[str] = []
            made.add(model.key)
            late = False
            for name, state in model.fields.items():
                if not self.has_field(model.key, name):
                    continue
                relation = state.field.relation
                target = None if relation is None else key_of(relation.to, self.situation.swappable)
                if state.field.many_to_many or (target is not None and target not in made):
                    self.deferred.append((model, state))
                    late |= not state.field.many_to_many
                    continue
                fields.append(f"({name!r}, {self._field(model, state)})")
            options = writer.options(model.key, model.options)
            if late:
                options = {name: code for name, code in options.items() if name in ("db_table", "proxy")}
            bases = _bases(model.options)
            steps.append((model.key.app_label, create_model(model.name, fields, options, bases)))
            if late:
                self.late_options.append(model)
        for label, operation in steps:
            if current is None or current.label != label:
                if current is not None:
                    yield current
                number += 1
                current = _Chain(label=label, name=f"before_{number}", operations=[])
            current.operations.append(operation)
        if current is not None:
            yield current

    def _relations(self) -> Iterator[_Chain]:
        """Foreign keys in a circle, and the many-to-many."""
        number = 0
        for model, state in sorted(self.deferred, key=lambda pair: pair[1].field.many_to_many):
            number += 1
            yield _Chain(
                label=model.key.app_label,
                name=f"before_relation_{number}",
                operations=[
                    (
                        f"migrations.AddField(model_name={model.key.name!r}, name={state.name!r}, "
                        f"field={self._field(model, state)})"
                    )
                ],
            )
        for model in self.late_options:
            number += 1
            options = self._writer(model).options(model.key, model.options)
            name = model.key.name
            operations = []
            if "unique_together" in options:
                operations.append(
                    f"migrations.AlterUniqueTogether(name={name!r}, unique_together={options['unique_together']})"
                )
            for option, kind, argument in (
                ("constraints", "AddConstraint", "constraint"),
                ("indexes", "AddIndex", "index"),
            ):
                if option in options:
                    operations.append(
                        f"*[migrations.{kind}(model_name={name!r}, {argument}=one) for one in {options[option]}]"
                    )
            if "order_with_respect_to" in options:
                operations.append(
                    f"migrations.AlterOrderWithRespectTo(name={name!r}, "
                    f"order_with_respect_to={options['order_with_respect_to']})"
                )
            if operations:
                yield _Chain(label=model.key.app_label, name=f"before_relation_{number}", operations=operations)

    def _of_sequence(self, written: Written) -> _Chain:
        migration = written.migration
        imports, functions, names = vetted(written.functions)
        original = None
        if written.original is not None:
            original = self.situation.sources.get(written.original.path)
        writer = OperationWriter(self._scope(), migration.app_label, written.text, names, original)
        operations = list(writer.all(migration.operations))
        self.notes += writer.notes
        head = "\n".join(imports) + ("\n" if imports else "")
        if functions:
            head += f"\n\n{functions}\n"
        return _Chain(
            label=migration.app_label,
            name=migration.name,
            operations=operations,
            head=head,
            atomic=migration.atomic is not False,
        )

    def _scope(self) -> Scope:
        return Scope(known=self.known, has_field=self.has_field, has_name=self.has_name, field=self.scope_field)

    def _writer(self, model: ModelState) -> OperationWriter:
        return OperationWriter(self._scope(), model.key.app_label, "", frozenset(), None)

    def _field(self, model: ModelState, state: FieldState) -> str:
        path = state.origin.location.path
        hints = hints_at(self.situation.sources.get(path), state.field)
        return self.scope_field(model.key, state.name, state.field, hints)

    # -- models.py

    def _models(self, label: str) -> str:
        classes: list[str] = []
        imports: list[str] = []
        for key, cls in sorted(self.stand_ins.items()):
            if key.app_label == label:
                classes.append(f"class {key.name}(models.Model):\n    id = models.{cls}{_KEY}\n")
        own = [model for model in self.after.values() if model.key.app_label == label]
        for model in own:
            bases: list[str] = []
            for base in _bases(model.options):
                base_label, _, base_name = base.partition(".")
                parent = self.models.get(ModelKey(base_label, base_name))
                if parent is None:
                    raise NotProvable(f"`{model.name}` inherits from `{base}`, which has no part in this")
                if base_label != label:
                    imports.append(f"from {PACKAGE}.{base_label}.models import {parent.name}")
                bases.append(parent.name)
            lines = [f"class {model.name}({', '.join(bases) or 'models.Model'}):"]
            lines += [
                f"    {name} = {self._field(model, state)}"
                for name, state in model.fields.items()
                if self.has_field(model.key, name)
            ]
            options = self._writer(model).options(model.key, model.options)
            if options:
                lines += ["", "    class Meta:"]
            lines += [f"        {name} = {code}" for name, code in sorted(options.items())]
            if len(lines) == 1:
                lines.append("    pass")
            classes.append("\n".join(lines) + "\n")
        return (
            IMPORTS + "".join(f"{line}\n" for line in sorted(set(imports))) + "".join(f"\n\n{one}" for one in classes)
        )


def _agree(situation: Situation) -> None:
    """NotProvable where Django and the database part before the sequence: a project of models cannot begin there."""
    old, link = situation.old, situation.link
    if situation.kind is ChangeKind.COPIED_LATE:
        raise NotProvable("the copy is the project's own code, which no proof runs")
    if situation.taken is not None:
        raise NotProvable("the table is renamed by what a proof does not run")
    if old is None or not old.field.many_to_many:
        return
    if link is None:
        raise NotProvable("before the sequence Django already believes in another table of the links than there is")
    through = link.through
    if through is None or link.table.uniques is UNKNOWN:
        return
    options = through.model.options
    if options.unique_together is UNKNOWN or options.constraints is UNKNOWN:
        return
    column_of = {
        one.name: column
        for one, column in ((through.source, through.source_column), (through.target, through.target_column))
        if one is not None
    }
    plain = [one.fields for one in options.constraints if one.plain_unique and one.fields is not UNKNOWN]
    declared = any(
        {column_of.get(name) for name in one} == set(link.columns) for one in (*options.unique_together, *plain)
    )
    if declared is not any(one.columns == frozenset(link.columns) for one in link.table.uniques):
        raise NotProvable("before the sequence Django already believes in another unique pair than there is")


def _file(one: _Chain, previous: Iterable[_Chain]) -> str:
    depends = ", ".join(f"({before.label!r}, {before.name!r})" for before in previous)
    lines = [
        f"{IMPORTS}{one.head}",
        "",
        "class Migration(migrations.Migration):",
        *([] if one.atomic else ["    atomic = False"]),
        f"    dependencies = [{depends}]",
        "    operations = [",
        *(f"        {operation}," for operation in one.operations),
        "    ]",
    ]
    return "\n".join(lines) + "\n"


def _bases(options: ModelOptions) -> tuple[str, ...]:
    if options.bases is UNKNOWN or not all(isinstance(base, ModelKey) for base in options.bases):
        raise NotProvable("the bases of a model could not be read")
    return tuple(str(base) for base in options.bases)


def _flat(written: Written) -> Iterator[object]:
    def inside(operations: Iterable[object]) -> Iterator[object]:
        for one in operations:
            yield one
            yield from inside(getattr(one, "database_operations", ()))
            yield from inside(getattr(one, "state_operations", ()))

    return inside(written.migration.operations)


def _was_there(written: Written, operation: CreateModel) -> bool:
    """Whether the migration made that model before the edit, too: then the snapshots know it, or it has no part."""
    if written.original is None:
        return False
    return any(
        isinstance(one, CreateModel) and one.name.lower() == operation.name.lower()
        for one in _flat(replace(written, migration=written.original))
    )


# models.py as the sequence wants it.


def _with_changes(situation: Situation, proposal: Proposal) -> dict[ModelKey, ModelState]:
    """The models after the guilty migration, with what the sequence says of models.py."""
    models = {model.key: model for model in situation.after}
    for change in proposal.changes:
        if isinstance(change, ModelsChange):
            model = models.get(change.model)
            if model is None:
                raise NotProvable(f"the sequence changes `{change.model}` in models.py, which is not there")
            models[change.model] = _changed(model, change)
    return models


_COLUMN_ARGUMENTS: Final = ("null", "unique", "primary_key", "db_column", "db_index", "max_length")
_RELATION_ARGUMENTS: Final = ("db_table", "through_fields", "related_name", "related_query_name", "db_constraint")


def _changed(model: ModelState, change: ModelsChange) -> ModelState:
    fields = dict(model.fields)
    for name, argument, code in change.arguments:
        state = fields.get(name)
        if not argument:
            fields[name] = _made(model, name, state, code)
        elif state is None:
            raise NotProvable(f"the sequence changes `{model.name}.{name}` in models.py, which is not there")
        else:
            fields[name] = replace(state, field=_with_argument(state.field, argument, code))
    options = model.options
    for name, code in change.meta:
        options = _with_option(options, name, code)
    return replace(model, fields=fields, options=options)


def _literal(code: str | None) -> object:
    if code is None:
        return None
    try:
        return ast.literal_eval("set()" if code == "set()" else code)
    except (ValueError, SyntaxError):
        raise NotProvable(f"what the sequence says of models.py cannot be read: `{code}`") from None


def _with_argument(field: Field, argument: str, code: str | None) -> Field:
    if argument == "default" and code is None:
        return replace(field, has_default=False)
    value = _literal(code)
    if argument in _COLUMN_ARGUMENTS:
        if value is None and argument in ("null", "unique", "primary_key"):
            value = False
        return replace(field, **{argument: value})  # type: ignore[arg-type]
    if argument in _RELATION_ARGUMENTS and field.relation is not None:
        return replace(field, relation=replace(field.relation, **{argument: value}))  # type: ignore[arg-type]
    raise NotProvable(f"the sequence gives a field `{argument}=` in models.py")


def _made(model: ModelState, name: str, state: FieldState | None, code: str | None) -> FieldState:
    """A key that models.py spells out: ``models.AutoField(primary_key=True)``."""
    cls = (code or "").partition("(")[0].rpartition(".")[2]
    if cls not in ("AutoField", "BigAutoField", "SmallAutoField") or "primary_key=True" not in (code or ""):
        raise NotProvable(f"the sequence writes `{model.name}.{name}` anew in models.py")
    origin = model.origin if state is None else state.origin
    field = Field(class_path=f"django.db.models.{cls}", kind=FieldKind.COLUMN, primary_key=True)
    return FieldState(name=name, field=field, origin=origin, created=origin)


def _with_option(options: ModelOptions, name: str, code: str | None) -> ModelOptions:
    value = _literal(code)
    match name:
        case "db_table" if value is None or isinstance(value, str):
            return replace(options, db_table=value)
        case "unique_together" if value is None:
            return replace(options, unique_together=frozenset())
        case "unique_together" if isinstance(value, set | list | tuple):
            sets = [value] if value and all(isinstance(one, str) for one in value) else list(value)
            return replace(options, unique_together=frozenset(tuple(one) for one in sets))
        case "constraints" | "indexes" if value is None or value == []:
            return replace(options, constraints=()) if name == "constraints" else replace(options, indexes=())
        case "ordering" | "verbose_name" | "verbose_name_plural":
            return options
        case _:
            raise NotProvable(f"the sequence gives `{name}` in a Meta of models.py")

"""What a sequence is made from (`Situation`) and what it comes to (`Proposal`).

A `Situation` is one finding at its place: everything that a sequence needs in order to write code with the user's own
names. A `Proposal` is a sequence before it is text: its changes can be rendered for a report (`lint_m2m.sequences.
render`), written into files (`rewrite`, through `lint_m2m.sequences.edit`) and run with real Django (`prove`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeAlias

from lint_m2m.finding import Applicability, Downtime, Finding
from lint_m2m.migration import Dependency, Maybe, Migration, MigrationKey, ModelKey, Operation, Span
from lint_m2m.replay.database import Gone
from lint_m2m.replay.facts import FieldKey, TableFact
from lint_m2m.replay.models import FieldState, ModelState
from lint_m2m.values import declare, frozen


class ChangeKind(enum.Enum):
    """What the guilty operations want, or what is wrong with them."""

    ADD_THROUGH = "add through"  # automatic table -> custom model
    REMOVE_THROUGH = "remove through"  # custom model -> automatic table
    SWAP_THROUGH = "swap through"  # custom X -> custom Y
    RECREATED = "recreated"  # RemoveField + AddField of the same many-to-many, whatever its `through` was and is
    FK_TO_M2M = "foreign key to many-to-many"
    M2M_TO_FK = "many-to-many to foreign key"
    # Repairs of one migration (`fix-state`).
    TABLE_EXISTS = "table exists"  # MTM104
    THROUGH_UNRESOLVED = "through unresolved"  # MTM105
    MISSING_TOUCHED = "missing table touched"  # MTM106
    CONSTRAINT_EXISTS = "constraint exists"  # MTM107
    STATE_TABLE_MISSING = "state table missing"  # MTM301
    STATE_COLUMN_MISSING = "state column missing"  # MTM302
    STATE_UNIQUE_DIFFERS = "state unique differs"  # MTM303
    STATE_PK_DIFFERS = "state primary key differs"  # MTM304
    LINKS_ORPHANED = "links orphaned"  # MTM305
    COPIED_LATE = "copied late"  # MTM202 or MTM106, and the project's own copy comes when the table is gone


@frozen
class Style:
    """How the file is written that code goes into.

    `quote` is the sign most strings have. `line_length` is the limit its lines keep (88, 100 or 120), ``None`` for a
    file that keeps none (as makemigrations writes it): then no slice of it is broken into lines. `line_end` is the
    file's own.
    """

    quote: str = '"'
    line_length: int | None = 88
    line_end: str = "\n"


@frozen
class PlacedOperation:
    """An operation of the guilty migration and its address ("3", "3.database.0", "3.state.1")."""

    address: str
    operation: Operation


@frozen
class Through:
    """The through model of a many-to-many, as the state after the migration believes it.

    `source` and `target` are its two foreign keys as Django finds them (`through_fields` heeded); their columns are
    in `source_column` and `target_column`, ``db_column`` heeded. `extras` are its other fields but for the primary
    key, `primary_key` that field (``None``: Django's own `id`). `table` is the table it believes it has; `fact` that
    table as it was *before* the migration, ``None`` when it was not there: otherwise it has a life of its own.
    `in_migration` tells whether the guilty migration creates the model; `touching` are the operations of the migration
    that are about it, its CreateModel first, in order.
    """

    model: ModelState
    table: str
    source: FieldState | None
    target: FieldState | None
    source_column: str | None
    target_column: str | None
    primary_key: FieldState | None
    extras: tuple[FieldState, ...] = ()
    fact: TableFact | None = None
    in_migration: bool = False
    touching: tuple[PlacedOperation, ...] = ()


@frozen
class Link:
    """The table that holds the links before the change: the automatic one, or that of the old through model.

    `columns` are those of the owner and of the target; `key_type` the class of its primary key ("BigAutoField"),
    ``None`` where nobody knows. For an old through model, `through` describes it.
    """

    table: TableFact
    columns: tuple[str, str]
    key_type: str | None = None
    through: Through | None = None


@frozen
class Before:
    """An operation of a migration before the guilty one, in that migration's own list."""

    migration: Migration
    placed: PlacedOperation


@frozen
class DatabaseSide:
    """A SeparateDatabaseAndState, `holder`, with the guilty operation among its `database_operations`.

    `operations` are what it says in both of its lists, to stand by themselves; `address` is where the guilty one is
    then, counted with them in the holder's place.
    """

    holder: PlacedOperation
    operations: tuple[Operation, ...]
    address: str


@frozen
class LateCopy:
    """`copy` runs after `dropping` has dropped the table that it reads.

    `target` is where `dropping` is to stand among the operations of its migration as they are, the copy just before it.
    """

    dropping: Before
    copy: Before
    target: int


@frozen
class Situation:
    """One finding at its place, or a change that nobody has written yet (`plan`: `finding` and `migration` None).

    Model states are those before and after the *whole* guilty migration. `owner` is the model with the field, as
    after the migration; `old` the field before (``None`` for what has none), `new` after; `target` the model it
    points at, ``None`` when that is not in the project (`target_key` names it all the same).

    `operations` are all operations of the guilty migration with their addresses, nested ones after the one that holds
    them; `guilty` is the one the finding points at, `removal` of RECREATED and of FK_TO_M2M the RemoveField where it
    is in the same migration. Where RECREATED's is in an earlier one, `removed_before` is it, and all that is said here
    of states and tables is as it would be without it. Where the old through model is deleted in an earlier one,
    `deleted_before` is that, and all is as it would be with it just behind the guilty operation. Where the guilty
    operation stands in `database_side`, all is as it would be with its operations by themselves. `findings` are all
    findings in the guilty migration.

    `late_copy` is what COPIED_LATE is about; the states and tables before are those before the table is dropped.
    `refused` says why no sequence can be made for it: then none is asked.

    `before` and `after` are snapshots: the models that take part, and those that these need through foreign keys,
    links and bases, each after what it needs; `tables` the tables of `before` as they were.

    `sources` holds the text of each file whose definitions the code may reuse, by path; a model defined in a file
    that is not here has to be written from its values. `leaf` is the app's last migration, `next_number` the first
    free number after it. `models_path` is the app's models.py, where there is one.
    """

    kind: ChangeKind
    finding: Finding | None
    key: FieldKey
    owner: ModelState
    old: FieldState | None
    new: FieldState | None
    target_key: ModelKey | None
    target: ModelState | None
    link: Link | None
    through: Through | None
    migration: Migration | None
    guilty: PlacedOperation | None
    removal: PlacedOperation | None = None
    removed_before: Before | None = None
    deleted_before: Before | None = None
    database_side: DatabaseSide | None = None
    late_copy: LateCopy | None = None
    refused: str | None = None
    # Who took the table of `link` away in the migration, where Django goes on looking for it.
    taken: Gone | None = None
    # The table that was made as the field's automatic one, whatever it is called before the migration.
    kept: TableFact | None = None
    # Who makes the models that are not there when the operation runs.
    makers: Mapping[ModelKey, MigrationKey] = declare(default_factory=dict)
    # The automatic table that `new` asks for, where it has no through model, and its two columns.
    new_table: str | None = None
    new_columns: tuple[str, str] | None = None
    operations: tuple[PlacedOperation, ...] = ()
    findings: tuple[Finding, ...] = ()
    before: tuple[ModelState, ...] = ()
    after: tuple[ModelState, ...] = ()
    tables: tuple[TableFact, ...] = ()
    table_names: frozenset[str] = frozenset()  # of all tables there are before
    sources: Mapping[str, str] = declare(default_factory=dict)
    style: Style = Style()
    app_path: str | None = None  # the migrations folder of the app
    leaf: MigrationKey | None = None
    unwritten: bool = False  # whether no migration from this one on is on any disk yet
    next_number: int = 1
    models_path: str | None = None
    # The label of every external or project app whose migration a new one would have to depend on: its last one.
    leaves: Mapping[str, MigrationKey] = declare(default_factory=dict)
    swappable: Mapping[str, str] = declare(default_factory=dict)  # "AUTH_USER_MODEL" -> "accounts.User"
    default_auto_field: Maybe[str] = "django.db.models.BigAutoField"  # of the models of the app
    vendor: str = "postgresql"
    vendor_known: bool = True
    django_version: tuple[int, int] = (6, 1)

    @property
    def is_removed(self) -> bool:
        """Whether the RemoveField of the field is known."""
        return self.removal is not None or self.removed_before is not None

    @property
    def moved(self) -> tuple[Before, ...]:
        """What is not in the migration where it really stands."""
        return tuple(one for one in (self.removed_before, self.deleted_before) if one is not None)

    @property
    def field_label(self) -> str:
        """``library.Book.authors``."""
        return f"{self.key.app_label}.{self.owner.name}.{self.key.name}"

    def state(self, key: ModelKey) -> ModelState | None:
        """A model of the snapshot as it is after the migration, else as it was before."""
        return next((model for model in (*self.after, *self.before) if model.key == key), None)


@frozen
class Code:
    """A piece of Python, complete in itself, without indentation of its own and without a line end.

    An operation is laid out for the place it goes to (eight columns deep in `operations`). `imports` are the whole
    statements it needs ("from django.db import migrations, models"); what the file has already is not added twice.
    """

    text: str
    imports: tuple[str, ...] = ()


class Where(enum.Enum):
    """Where new operations go, seen from an operation of the file."""

    INSTEAD = "instead"
    BEFORE = "before"
    AFTER = "after"


@frozen
class Replacement:
    """New operations for the operation at `address`, which stands at `span`; none, with INSTEAD: it goes."""

    address: str
    span: Span
    operations: tuple[Code, ...] = ()
    where: Where = Where.INSTEAD


@frozen
class ReplaceOperations:
    """Edit a migration that exists: operations, functions above its class, dependencies to add."""

    migration: MigrationKey
    path: str
    replacements: tuple[Replacement, ...]
    functions: tuple[Code, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    title: str = "replace its operations"
    deploy_before: bool = False


@frozen
class NewMigration:
    """A further migration file. `name` has the number; `deploy_before`: what stands before it is deployed first."""

    app_label: str
    name: str
    path: str
    dependencies: tuple[Dependency, ...]
    operations: tuple[Code, ...]
    functions: tuple[Code, ...] = ()
    atomic: bool = True
    title: str = "add a migration"
    deploy_before: bool = False
    style: Style = Style()

    @property
    def key(self) -> MigrationKey:
        return MigrationKey(self.app_label, self.name)


@frozen
class ModelsChange:
    """What models.py has to say in the end; left to the user.

    `code` is pasteable. `meta` and `arguments` say the same for a machine: options to set in the Meta of `model`
    (name, code; ``None``: take it out), and keyword arguments to set in its fields (field, argument, code).
    """

    model: ModelKey
    path: str | None
    code: Code
    title: str
    meta: tuple[tuple[str, str | None], ...] = ()
    arguments: tuple[tuple[str, str, str | None], ...] = ()
    deploy_before: bool = False


@frozen
class Instruction:
    """Something that only a person can do: a command, a choice, code of theirs."""

    title: str
    language: str  # "python", "sql", "console"
    code: str
    path: str | None = None
    deploy_before: bool = False


Change: TypeAlias = ReplaceOperations | NewMigration | ModelsChange | Instruction


@frozen
class Proposal:
    """One safe sequence for one situation; the fields are those of `finding.Sequence`, with `changes` for steps."""

    id: str
    title: str
    why: str
    downtime: Downtime
    applicability: Applicability
    changes: tuple[Change, ...]
    recommended: bool = False
    caveats: tuple[str, ...] = ()
    verify: str | None = None

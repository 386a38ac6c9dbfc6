"""The proof itself: to the point before, rows, forward, compare, backward, forward again."""

from __future__ import annotations

import contextlib
import io
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lint_m2m.prove.worker.locks import Locks
from lint_m2m.prove.worker.rows import Link, Links, Rows, Stage, Unseedable, insert_links, link_of
from lint_m2m.prove.worker.schema import differences, read_schema
from lint_m2m.values import declare, frozen, names_in, slotted


@frozen
class Request:
    """What to prove, in the project that Django is configured for.

    `field` is app, model and field; `before` the migration of each app to begin at (``None``: none of its own);
    `first` the sequence's first migration. `old_code`: code of the release before has to go on working after it.
    `was` is the field's name before, where that is another; `single`: each owner has one link at most.
    `link_columns` are the columns of the table of links before, where they are known. `rows` is how many links; some
    are there twice where the database takes that, unless `twice` says otherwise.
    """

    field: tuple[str, str, str]
    before: Mapping[str, str | None]
    first: tuple[str, str]
    old_code: bool = False
    compare: bool = True
    rows: int = 10
    twice: bool | None = None
    was: str | None = None
    single: bool = False
    link_columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Request:
        """From its JSON form."""
        app, model, name = given["field"]
        label, migration = given["first"]
        return cls(
            field=(app, model, name),
            before=dict(given["before"]),
            first=(label, migration),
            old_code=bool(given["old_code"]),
            compare=bool(given.get("compare", True)),
            rows=int(given["rows"]),
            twice=given.get("twice"),
            was=given.get("was"),
            single=bool(given.get("single", False)),
            link_columns=tuple(given.get("link_columns", ())),
        )


class Stopped(Exception):
    """Something went wrong after which nothing more can be told."""


@slotted()
class Result:
    """What came out; the names are those of `lint_m2m.prove.values.Proof`."""

    server: str | None = None
    django: str | None = None
    reason: str | None = None
    rows: int | None = None
    duplicates: int | None = None
    rows_forward: int | None = None
    rows_backward: int | None = None
    rows_again: int | None = None
    schema_equal: bool | None = None
    differences: list[str] = declare(default_factory=list)
    no_changes: bool | None = None
    old_code: bool | None = None
    new_code: bool | None = None
    reversible: bool | None = None
    seconds: dict[str, float] = declare(default_factory=dict)
    migrations: list[dict[str, object]] = declare(default_factory=list)
    problems: list[str] = declare(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in names_in(type(self))}


def prove(request: Request, stage: Stage = lambda *_: None) -> dict[str, object]:
    """Run the whole proof on the default database; never raises for what is wrong with the sequence."""
    run = _Run(request, stage)
    # Whoever stops here has said why.
    with contextlib.suppress(Stopped):
        run.all()
    return run.result.as_json()


class _Run:
    def __init__(self, request: Request, stage: Stage) -> None:
        self.request = request
        self.result = Result()
        self.stage = stage
        self.seed = Rows(stage)
        self.expected: list[Link] = []
        self.names: list[str] = []
        self.counts: dict[str, int] = {}
        # The models of the links, whose rows may come and go.
        self.moving: set[str] = set()

    def all(self) -> None:
        self._server()
        self._to_before()
        self._insert()
        if self.request.old_code:
            self._old_code()
        self._forward()
        self._schema()
        self._no_changes("forward")
        self._new_code()
        self._backward()
        self._again()

    # -- steps

    def _server(self) -> None:
        import django
        from django.db import connection

        self.result.django = django.get_version()
        version = ".".join(map(str, connection.get_database_version()))
        name = "MariaDB" if getattr(connection, "mysql_is_mariadb", False) else connection.display_name
        self.result.server = f"{name} {version}"

    def _to_before(self) -> None:
        self.stage("migrating to the point before")
        try:
            self._migrate(self._before(), None)
        except Exception as error:
            self.result.reason = f"the point before cannot be reached: {_said(error)}"
            raise Stopped from error
        links = self._links(leaf=False)
        wanted = set(self.request.link_columns)
        if wanted and links.many and links.columns() != wanted:
            self.result.reason = (
                f"the links were in the columns {', '.join(sorted(wanted))}, which Django does not make here by itself"
            )
            raise Stopped

    def _insert(self) -> None:
        from django.db import transaction

        self.stage("inserting rows")
        links = self._links(leaf=False)
        try:
            with transaction.atomic():
                self.result.duplicates = insert_links(
                    self.seed,
                    links,
                    self.request.rows,
                    twice=self.request.twice is not False,
                    single=self.request.single or (links.many and not self._links(leaf=True).many),
                )
        except Unseedable as error:
            self.result.reason = f"no rows can be made: {error}"
            raise Stopped from error
        except Exception as error:
            self.result.reason = f"no rows can be inserted before the sequence: {_said(error)}"
            raise Stopped from error
        after = self._links(leaf=True)
        for one in (links, after):
            if one.many:
                self.moving |= {one.through._meta.label_lower}
                self.moving |= {parent._meta.label_lower for parent in one.through._meta.get_parent_list()}
        self.names = sorted(links.extras().keys() & after.extras().keys())
        self.expected = links.rows(self.names)
        self.result.rows = len(self.expected)
        self.counts = self._others(leaf=False)

    def _old_code(self) -> None:
        """The release before goes on while the first migration has run: it reads, adds and removes links."""
        links = self._links(leaf=False)
        if not links.many:
            return
        self.stage("running the first migration, with code of the release before")
        self._timed("forward", [self.request.first], watch=True)
        try:
            # Read with the tables of now, by the models of then.
            if links.rows(self.names) != self.expected:
                self._wrong(f"code of the release before no longer sees all links after `{self.request.first[1]}`")
            new = self._free_pair(links)
            if new is not None:
                link = link_of(self.seed, links, *new, number=len(self.expected) + 2)
                link.save(force_insert=True)
                link.delete()
                link_of(self.seed, links, *new, number=len(self.expected) + 2).save(force_insert=True)
                added = [row for row in links.rows(self.names) if row[:2] == new]
                self.expected = sorted([*self.expected, *added], key=repr if self.names else None)
                self.result.rows = len(self.expected)
            self.result.old_code = not self.result.problems
        except Exception as error:
            self.result.old_code = False
            self._wrong(f"code of the release before fails after `{self.request.first[1]}`: {_said(error)}")
            raise Stopped from error

    def _free_pair(self, links: Links) -> tuple[Any, Any] | None:
        taken = {row[:2] for row in self.expected}
        ones = list(links.owner._base_manager.order_by("pk").values_list("pk", flat=True)[:500])
        others = list(links.target._base_manager.order_by("pk").values_list("pk", flat=True)[:500])
        return next(((one, other) for one in ones for other in others if (one, other) not in taken), None)

    def _forward(self) -> None:
        self.stage("running the sequence")
        self._timed("forward", None, watch=True)
        links = self._links(leaf=True)
        if self.result.duplicates and links.rows(self.names) != self.expected:
            # A link that was there twice, with the same in all columns that both tables have, says no more than one.
            self.expected = sorted(set(self.expected), key=repr if self.names else None)
            if links.enforced():
                # The pair is unique now: only one of them can stay, whatever they said.
                self.names = []
                self.expected = sorted({row[:2] for row in self.expected})
        self.result.rows_forward = self._check("forward", leaf=True)

    def _schema(self) -> None:
        if not self.request.compare:
            return
        from django.apps import apps
        from django.db import connection, connections

        self.stage("comparing the schema")
        fresh = connections["fresh"]
        try:
            with fresh.schema_editor() as editor:
                for model in apps.get_models():
                    if model._meta.managed and not model._meta.proxy:
                        editor.create_model(model)
            found = list(differences(read_schema(connection), read_schema(fresh)))
        except Exception as error:
            self._wrong(f"the schema could not be compared: {_said(error)}")
            return
        finally:
            fresh.close()
        self.result.differences = found
        self.result.schema_equal = not found
        self.result.problems += [f"schema: {one}" for one in found]

    def _no_changes(self, moment: str) -> None:
        from django.core.management import call_command

        text = io.StringIO()
        try:
            with contextlib.redirect_stderr(text):
                call_command("makemigrations", check=True, dry_run=True, verbosity=3, interactive=False, stdout=text)
        except SystemExit:
            self.result.no_changes = False
            self._wrong(f"{moment}: makemigrations finds changes: {text.getvalue().strip()}")
        except Exception as error:
            self.result.no_changes = False
            self._wrong(f"{moment}: makemigrations fails: {_said(error)}")
        else:
            self.result.no_changes = self.result.no_changes is not False

    def _new_code(self) -> None:
        """The new release makes a link and takes it back."""
        from django.apps import apps
        from django.db import transaction

        links = Links(apps, self.request.field)
        if not links.many:
            return
        before = len(self.result.problems)
        try:
            with transaction.atomic():
                one = self.seed.make(links.owner, 1)[0]
                itself = links.target._meta.concrete_model is links.owner._meta.concrete_model
                other = one if itself else self.seed.make(links.target, 1)[0]
                link_of(self.seed, links, one.pk, other.pk, number=1).save()
                if not getattr(one, links.field.name).filter(pk=other.pk).exists():
                    self._wrong("a link that new code makes is not seen through the field")
                transaction.set_rollback(True)
        except Exception as error:
            self._wrong(f"new code fails: {_said(error)}")
        self.result.new_code = len(self.result.problems) == before

    def _backward(self) -> None:
        self.stage("running the sequence backward")
        try:
            self._timed("backward", self._before())
        except Stopped:
            self.result.reversible = False
            raise
        self.result.rows_backward = self._check("backward", leaf=False)
        self.result.reversible = self.result.rows_backward == len(self.expected)

    def _again(self) -> None:
        self.stage("running the sequence again")
        self._timed("again", None)
        self.result.rows_again = self._check("forward again", leaf=True)
        self._no_changes("forward again")

    # -- parts

    def _wrong(self, text: str) -> None:
        self.result.problems.append(text)

    def _before(self) -> list[tuple[str, str | None]]:
        return list(self.request.before.items())

    def _timed(self, moment: str, targets: Sequence[tuple[str, str | None]] | None, *, watch: bool = False) -> None:
        started = time.perf_counter()
        try:
            self._migrate(targets, Locks() if watch else None)
        except Exception as error:
            self._wrong(f"{moment}: {_said(error)}")
            raise Stopped from error
        seconds = self.result.seconds.get(moment, 0.0) + time.perf_counter() - started
        self.result.seconds[moment] = round(seconds, 4)

    def _migrate(self, targets: Sequence[tuple[str, str | None]] | None, locks: Locks | None) -> None:
        """To the targets, or to the end; what ran forward with `locks` is recorded."""
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        began = 0.0

        def told(action: str, migration: Any = None, _fake: bool = False) -> None:
            nonlocal began
            if locks is None:
                return
            if action == "apply_start":
                self.stage(f"running {migration.app_label}.{migration.name}")
                locks.begin(connection)
                began = time.perf_counter()
            elif action == "apply_success":
                seconds = time.perf_counter() - began
                ran = {"migration": f"{migration.app_label}.{migration.name}", "seconds": round(seconds, 4)}
                self.result.migrations.append({**ran, "locks": locks.taken})

        executor = MigrationExecutor(connection, told)
        # As the command `migrate` does.
        executor.loader.check_consistent_history(connection)
        conflicts = executor.loader.detect_conflicts()
        if conflicts:
            raise RuntimeError(f"conflicting migrations: {conflicts}")
        with locks.watching(connection) if locks is not None else contextlib.nullcontext():
            executor.migrate(executor.loader.graph.leaf_nodes() if targets is None else list(targets))

    def _apps(self, leaf: bool) -> Any:
        """The historical models at the end of all migrations, or at the point before."""
        from django.db import connection
        from django.db.migrations.loader import MigrationLoader

        loader = MigrationLoader(connection)
        if leaf:
            return loader.project_state().apps
        return loader.project_state([(app, name) for app, name in self._before() if name is not None]).apps

    def _links(self, leaf: bool) -> Links:
        label, model, name = self.request.field
        return Links(self._apps(leaf), (label, model, name if leaf else self.request.was or name))

    def _check(self, moment: str, leaf: bool) -> int:
        """Whether every row is there; how many of those expected are."""
        from django.db import connection

        links = self._links(leaf)
        kept = 0
        try:
            found = links.rows(self.names)
            kept = sum((Counter(found) & Counter(self.expected)).values())
            if found != self.expected:
                others = len(found) - kept
                more = f", and {others} others" if others else ""
                self._wrong(f"{moment}: {kept} rows of {len(self.expected)} are there{more}")
            seen = links.seen()
            if seen != sorted(row[:2] for row in self.expected):
                self._wrong(f"{moment}: a query over the field sees {len(seen)} links of {len(self.expected)}")
            for owner, keys in links.managed():
                if keys != sorted(row[1] for row in self.expected if row[0] == owner):
                    self._wrong(f"{moment}: `{links.field.name}.all()` of {owner!r} has {len(keys)} objects")
            now = self._others(leaf)
            for label, count in self.counts.items():
                if now.get(label, count) != count:
                    self._wrong(f"{moment}: `{label}` has {now[label]} rows, before it had {count}")
            connection.check_constraints()
        except Exception as error:
            self._wrong(f"{moment}: {_said(error)}")
            raise Stopped from error
        return kept

    def _others(self, leaf: bool) -> dict[str, int]:
        """How many rows every table has but those of the links, before and after."""
        return {
            model._meta.label_lower: model._base_manager.count()
            for model in self._apps(leaf).get_models()
            if model._meta.label_lower not in self.moving and model._meta.managed and not model._meta.proxy
        }


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"

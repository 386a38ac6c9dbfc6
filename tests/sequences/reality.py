"""Real Django for the tests of sequences: makes a project's migrations, and runs a sequence forward and back.

`Server` starts one process for each database that has Django loaded; each request runs in a process forked for it.
Run as a module it is that process. Requests and answers are lines of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SQLITE = "sqlite"


class Server:
    """Asks real Django. `database` is "sqlite" or a URL."""

    def __init__(self, database: str = SQLITE) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sequences.reality", database],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str, folder: Path, **request: object) -> dict[str, Any]:
        """The answer; AssertionError with the traceback where Django raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"what": what, "folder": str(folder), **request}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the process has ended"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


# The process itself.


def main(database: str) -> None:
    from tests.judge.databases import SQLITE_SETTINGS, DatabaseUrl, drivers, scratch

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.dont_write_bytecode = True
    import django.core.management.commands.makemigrations
    import django.core.management.commands.migrate  # noqa: F401

    url = None if database == SQLITE else DatabaseUrl.parse(database)
    if url is not None:
        drivers(url.vendor)
    with nullcontext("") if url is None else scratch(url) as name:
        settings = SQLITE_SETTINGS if url is None else url.settings(name)
        for line in sys.stdin:
            answers.write(json.dumps(_forked(json.loads(line), settings)) + "\n")
            answers.flush()


def _forked(request: dict[str, Any], database: dict[str, object]) -> dict[str, Any]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with os.fdopen(write, "w") as stream:
            try:
                answer = _REQUESTS[request.pop("what")](_configured(request, database), **request)
            except BaseException:
                answer = {"error": traceback.format_exc()}
            json.dump(answer, stream)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    answer = json.loads(text or '{"error": "the child died"}')
    assert isinstance(answer, dict)
    return answer


def _configured(request: dict[str, Any], database: dict[str, object]) -> None:
    import django
    from django.conf import settings

    from tests.judge.databases import SQLITE_SETTINGS, empty

    folder = Path(request.pop("folder"))
    sys.path.insert(0, str(folder))
    apps = sorted(path.parent.name for path in folder.glob("*/models.py"))
    settings.configure(
        **{
            "DATABASES": {"default": database, "other": SQLITE_SETTINGS},
            "INSTALLED_APPS": apps,
            "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
            "USE_TZ": True,
            "SILENCED_SYSTEM_CHECKS": ["models.W042"],
            **request.pop("settings", {}),
        }
    )
    django.setup()
    # No content types and permissions: what `migrate` announces at its end takes longer than the migrations.
    from django.db import connection

    empty(connection)


def _make(_: None, *, names: dict[str, str]) -> dict[str, Any]:
    """makemigrations, one app after the other, or all at once under the name of "*"."""
    from django.core.management import call_command

    text = io.StringIO()
    if "*" in names:
        call_command("makemigrations", name=names["*"], verbosity=1, interactive=False, stdout=text)
    for app, name in names.items():
        if app != "*":
            call_command("makemigrations", app, name=name, verbosity=1, interactive=False, stdout=text)
    return {"text": text.getvalue()}


def _prove(
    _: None,
    *,
    field: Sequence[str],
    before: dict[str, str],
    guilty: Sequence[str],
    old_code: bool,
    twice: bool = False,
    was: str | None = None,
    single: bool = False,
    compare: bool = True,
) -> dict[str, Any]:
    """The whole proof; the answer is empty, or says what is wrong."""
    proof = Proof(field, before, was)
    proof.to_before()
    proof.insert(twice=twice, single=single)
    if old_code:
        proof.migrate(*guilty)
        proof.use_old_code()
    proof.forward("forward")
    if compare:
        proof.compare_schema()
    proof.use()
    proof.back()
    proof.forward("forward again")
    return {"wrong": proof.wrong}


class Proof:
    """One database, migrated forth and back."""

    def __init__(self, field: Sequence[str], before: dict[str, str], was: str | None) -> None:
        self.field = field
        self.before = before
        self.was = was or field[2]
        self.wrong: list[str] = []
        self.pairs: list[tuple[int, int]] = []
        self.was_column = False

    def state(self, leaf: bool) -> Any:
        from django.db import connection
        from django.db.migrations.loader import MigrationLoader

        loader = MigrationLoader(connection)
        if leaf:
            return loader.project_state().apps
        nodes = [(app, name) for app, name in self.before.items() if name != "zero"]
        nodes += [node for node in loader.graph.leaf_nodes() if node[0] in ("auth", "contenttypes")]
        return loader.project_state(nodes).apps

    def migrate(self, *target: str) -> None:
        from django.core.management import call_command

        call_command("migrate", *target, verbosity=0, interactive=False)

    def to_before(self) -> None:
        for app, name in self.before.items():
            self.migrate(app, name)

    def insert(self, *, twice: bool, single: bool) -> None:
        apps = self.state(leaf=False)
        owner = apps.get_model(self.field[0], self.field[1])
        field = owner._meta.get_field(self.was)
        target = field.related_model
        targets = [] if target is owner else [target.objects.create(**_values(target, n)) for n in range(4)]
        needs = {} if field.many_to_many else {field.attname: targets[0].pk}
        owners = [owner.objects.create(**_values(owner, number), **needs) for number in range(7 if single else 4)]
        targets = targets or owners
        self.was_column = not field.many_to_many
        for one in owners:
            for other in targets[one.pk % 4 :][:1] if single else targets:
                if (one.pk + 2 * other.pk) % 3 or single:
                    self._link(field, one.pk, other.pk)
        self.pairs = self.rows(field)
        for pair in self.pairs[:3] if twice else ():
            self._link(field, *pair)
        assert len(self.pairs) >= 6

    def _link(self, field: Any, one: object, other: object) -> Any:
        if not field.many_to_many:
            field.model.objects.filter(pk=one).update(**{field.attname: other})
            return None
        through = field.remote_field.through
        source = through._meta.get_field(field.m2m_field_name())
        target = through._meta.get_field(field.m2m_reverse_field_name())
        return through.objects.create(
            **{source.attname: one, target.attname: other}, **_values(through, 0, without=(source, target))
        )

    def rows(self, field: Any) -> list[tuple[int, int]]:
        if not field.many_to_many:
            filled = field.model.objects.filter(**{f"{field.name}__isnull": False})
            return sorted(filled.values_list("pk", field.attname))
        through = field.remote_field.through
        source = through._meta.get_field(field.m2m_field_name())
        target = through._meta.get_field(field.m2m_reverse_field_name())
        return sorted(through.objects.values_list(source.attname, target.attname))

    def check(self, moment: str, leaf: bool) -> None:
        apps = self.state(leaf)
        owner = apps.get_model(self.field[0], self.field[1])
        field = owner._meta.get_field(self.field[2] if leaf else self.was)
        rows = self.rows(field)
        if rows != self.pairs:
            self.wrong.append(f"{moment}: {len(rows)} rows of {len(self.pairs)}, or others")
        if field.many_to_many and not getattr(field.remote_field, "symmetrical", False):
            seen = sorted((one.pk, other.pk) for one in owner.objects.all() for other in getattr(one, field.name).all())
            if seen != self.pairs:
                self.wrong.append(f"{moment}: the ORM sees {len(seen)} links of {len(self.pairs)}")
        from django.db import connection

        connection.check_constraints()

    def use_old_code(self) -> None:
        """The release before goes on while the first migration has run: it reads, adds and removes links."""
        apps = self.state(leaf=False)
        owner = apps.get_model(self.field[0], self.field[1])
        field = owner._meta.get_field(self.field[2])
        if self.rows(field) != self.pairs:
            self.wrong.append("old code no longer sees its links")
        taken = set(self.pairs)
        ones = [one.pk for one in owner.objects.all()]
        others = [other.pk for other in field.related_model.objects.all()]
        new = next((one, other) for one in ones for other in others if (one, other) not in taken)
        self._link(field, *new)
        self.pairs = sorted([*self.pairs, new])

    def forward(self, moment: str) -> None:
        from django.core.management import call_command

        self.migrate()
        self.check(moment, leaf=True)
        text = io.StringIO()
        try:
            with contextlib.redirect_stderr(text):
                call_command("makemigrations", check=True, dry_run=True, verbosity=3, interactive=False, stdout=text)
        except SystemExit:
            self.wrong.append(f"{moment}: makemigrations finds changes: {text.getvalue()}")

    def use(self) -> None:
        """The new release makes links and takes them back."""
        from django.apps import apps

        owner = apps.get_model(self.field[0], self.field[1])
        field = owner._meta.get_field(self.field[2])
        one = owner.objects.create(**_values(owner, 7))
        target = field.related_model
        other = one if target is owner else target.objects.create(**_values(target, 7))
        link = self._link(field, one.pk, other.pk)
        if (one.pk, other.pk) not in self.rows(field):
            self.wrong.append("a new link is not seen")
        if link is not None:
            link.delete()
        one.delete()
        if target is not owner:
            other.delete()

    def back(self) -> None:
        self.to_before()
        self.check("backward", leaf=False)

    def compare_schema(self) -> None:
        """The through table beside one that is made from the model itself."""
        from django.apps import apps
        from django.db import connection, connections

        if connection.vendor != "sqlite":
            return
        other = connections["other"]
        with other.schema_editor() as editor:
            for model in apps.get_models():
                if model._meta.managed and not model._meta.proxy:
                    editor.create_model(model)
        owner = apps.get_model(self.field[0], self.field[1])
        field = owner._meta.get_field(self.field[2])
        tables = [field.remote_field.through._meta.db_table] if field.many_to_many else []
        for table in [*tables, *([owner._meta.db_table] if self.was_column else [])]:
            here, there = _described(connection, table), _described(other, table)
            if here != there:
                self.wrong.append(f"schema of {table}: {here} is not {there}")


def _described(connection: Any, table: str) -> Any:
    with connection.cursor() as cursor:
        columns = sorted(
            (one.name, connection.introspection.get_field_type(one.type_code, one), one.null_ok)
            for one in connection.introspection.get_table_description(cursor, table)
        )
        constraints = sorted(
            (
                # Django looks for the unique set to drop by its columns in order.
                list(one["columns"] or []),
                one["unique"],
                one["primary_key"],
                list(one["foreign_key"] or []),
                bool(one["check"]),
            )
            for one in connection.introspection.get_constraints(cursor, table).values()
        )
    return columns, constraints


def _values(model: Any, number: int, without: Sequence[Any] = ()) -> dict[str, Any]:
    """Something for each field that has to have it."""
    found: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field in without or field.has_default() or field.null or field.primary_key or field.auto_created:
            continue
        if getattr(field, "auto_now_add", False) or field.blank:
            continue
        if field.is_relation:
            continue
        internal = field.get_internal_type()
        found[field.name] = f"n{number}" if internal in ("CharField", "TextField", "SlugField") else number
    return found


_REQUESTS = {"make": _make, "prove": _prove}


if __name__ == "__main__":
    main(sys.argv[1])

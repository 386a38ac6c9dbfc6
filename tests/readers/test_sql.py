"""RunSQL in all its forms, and files that it is read from."""

from __future__ import annotations

import pytest

from lint_m2m.migration import UNKNOWN, ConditionalOperations, RunSQL
from lint_m2m.readers.sql import looks_like_sql


@pytest.mark.parametrize(
    ("arguments", "sql", "reverse"),
    [
        ("'SELECT 1'", ("SELECT 1",), None),
        ("'SELECT 1; SELECT 2', 'SELECT 3'", ("SELECT 1; SELECT 2",), ("SELECT 3",)),
        ("['SELECT 1', 'SELECT 2']", ("SELECT 1", "SELECT 2"), None),
        ("('SELECT 1', 'SELECT 2')", ("SELECT 1", "SELECT 2"), None),
        ("[('SELECT %s', [1]), ['SELECT %s', None], 'SELECT 3']", ("SELECT %s", "SELECT %s", "SELECT 3"), None),
        ("migrations.RunSQL.noop, migrations.RunSQL.noop", (), ()),
        ("'', ''", (), ()),
        ("[], []", (), ()),
        ("'SELECT 1', None", ("SELECT 1",), None),
        ("sql='SELECT 1', reverse_sql=migrations.RunSQL.noop, hints={'x': y}, elidable=True", ("SELECT 1",), ()),
        ("f'SELECT {1 + 1}'", ("SELECT 2",), None),
        ("'SELECT %s' % TABLE", ("SELECT t",), None),
        ("'SELECT %(table)s' % {'table': TABLE}", ("SELECT t",), None),
        ("'SELECT {table!r:>5} {0}'.format(1, table=TABLE)", ("SELECT   't' 1",), None),
        ("'SELECT ' + TABLE + ';'", ("SELECT t;",), None),
        ("'; '.join(['SELECT ' + n for n in 'ab'])", ("SELECT a; SELECT b",), None),
        ("textwrap.dedent('  SELECT 1')", ("SELECT 1",), None),
        ("dedent(TEXT).strip()", ("SELECT 1",), None),
        ("(migrations.RunSQL.noop)", (), None),
        ("settings.SQL", (UNKNOWN,), None),
        ("['SELECT 1', settings.SQL, (settings.SQL, [])]", ("SELECT 1", UNKNOWN, UNKNOWN), None),
        ("f'SELECT {settings.X}', f'SELECT {settings.Y}'", (UNKNOWN,), (UNKNOWN,)),
        ("[*settings.SQL, 'SELECT 1']", (UNKNOWN, "SELECT 1"), None),
        ("outside.SQL", (UNKNOWN,), None),
        ("b'SELECT 1'", (UNKNOWN,), None),
    ],
)
def test_forms(reader, arguments: str, sql: tuple[object, ...], reverse: tuple[object, ...] | None) -> None:
    head = "import textwrap\nfrom textwrap import dedent\nimport outside\nTABLE = 't'\nTEXT = '''\n  SELECT 1\n'''"
    migration = reader.body(f"operations = [migrations.RunSQL({arguments})]\n", head=head)
    assert migration.operations == (RunSQL(sql=sql, reverse_sql=reverse),)
    assert bool(migration.gaps) == (UNKNOWN in sql)


def test_a_choice_of_two(reader) -> None:
    migration = reader.body(
        "operations = [migrations.RunSQL(SQL, 'SELECT 0')]\n",
        head="if settings.X:\n    SQL = 'SELECT 1'\nelse:\n    SQL = 'SELECT 2'",
    )
    [operation] = migration.operations
    assert operation == ConditionalOperations(
        branches=(
            (RunSQL(sql=("SELECT 1",), reverse_sql=("SELECT 0",)),),
            (RunSQL(sql=("SELECT 2",), reverse_sql=("SELECT 0",)),),
        ),
        reason="depends on `settings.X`",
    )


FILES = {
    "module path": ("", "open(__file__.replace('x', 'y')).read()", UNKNOWN),
    "os.path": ("import os", "open(os.path.join(os.path.dirname(__file__), 'up.sql')).read()", "SELECT 'up'\n"),
    "os.path in steps": (
        (
            "from os.path import abspath, dirname, join\n"
            "HERE = dirname(abspath(__file__))\n"
            "SQL = open(join(HERE, 'up.sql')).read()"
        ),
        "SQL",
        "SELECT 'up'\n",
    ),
    "pathlib": ("from pathlib import Path", "(Path(__file__).parent / 'up.sql').read_text()", "SELECT 'up'\n"),
    "pathlib resolved": (
        "from pathlib import Path\nROOT = Path(__file__).resolve().parents[1]",
        "ROOT.joinpath('sql', 'down.sql').read_text(encoding='utf-8')",
        "SELECT 'down'\n",
    ),
    "with": (
        (
            "from pathlib import Path\n"
            "with open(Path(__file__).with_name('up.sql'), encoding='utf-8') as f:\n"
            "    SQL = f.read()"
        ),
        "SQL",
        "SELECT 'up'\n",
    ),
    "function": (
        (
            "import os\ndef read(name):\n    path = os.path.join(os.path.dirname(__file__), name)\n"
            "    with open(path) as f:\n        return f.read()"
        ),
        "read('up.sql')",
        "SELECT 'up'\n",
    ),
    "missing": ("from pathlib import Path", "(Path(__file__).parent / 'no.sql').read_text()", UNKNOWN),
    "outside the project": (
        "from pathlib import Path",
        "Path(__file__, '../../../../secret.sql').read_text()",
        UNKNOWN,
    ),
    "absolute": ("", "open('/etc/passwd').read()", UNKNOWN),
    "absolute after the file": (
        "import os",
        "open(os.path.join(os.path.dirname(__file__), '/etc/passwd')).read()",
        UNKNOWN,
    ),
    "written": ("import os", "open(__file__, 'w').read()", UNKNOWN),
    "by a setting": ("import os", "open(os.path.join(settings.BASE_DIR, 'up.sql')).read()", UNKNOWN),
    "a link that leads out": ("from pathlib import Path", "(Path(__file__).parent / 'link.sql').read_text()", UNKNOWN),
}


@pytest.mark.parametrize(("head", "sql", "wanted"), FILES.values(), ids=FILES)
def test_sql_from_files(reader, head: str, sql: str, wanted: object) -> None:
    project = reader.root / "project"
    (reader.root / "secret.sql").write_text("SELECT 'secret'")
    reader.root = project
    reader.write({"library/migrations/up.sql": "SELECT 'up'\r\n", "library/sql/down.sql": "SELECT 'down'\n"})
    (project / "library/migrations/link.sql").symlink_to(project.parent / "secret.sql")
    migration = reader.body(f"operations = [migrations.RunSQL({sql})]\n", head=head)
    assert migration.operations == (RunSQL(sql=(wanted,)),)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "  update t\nset a = 1",
        "-- a comment\nINSERT INTO t SELECT * FROM u",
        "/* one * two */ alter table t rename to u",
        "DELETE FROM t",
        "with x as (select 1) insert into t select * from x",
        "RENAME TABLE a TO b",
        "create unique index i on t (a)",
        "INSERT OR IGNORE INTO t VALUES (1)",
        "DROP TABLE IF EXISTS t",
    ],
)
def test_what_looks_like_sql(text: str) -> None:
    assert looks_like_sql(text)


@pytest.mark.parametrize(
    "text", ["", "select", "name", "Create the books", "Insert a book", "update the author", "Drop me a line", "within"]
)
def test_what_does_not_look_like_sql(text: str) -> None:
    assert not looks_like_sql(text)


@pytest.mark.parametrize(
    "text", ["-" * 200_000, "/*" * 100_000, "update " + "x " * 100_000, "with " * 50_000, "(" * 99_999]
)
def test_long_texts_are_judged_in_no_time(text: str) -> None:
    looks_like_sql(text)

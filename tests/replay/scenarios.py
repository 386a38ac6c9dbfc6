"""Small histories, each with one question: the cases in which Django, or a database, raises, and those beside them.

The last list of operations is the guilty migration; what comes before are migrations as they stand.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations as mg
from django.db import models as m


def pk() -> tuple[str, Any]:
    return "id", m.BigAutoField(primary_key=True)


def FK(to: str, **options: Any) -> Any:
    return m.ForeignKey(to, m.CASCADE, **options)


M2M = m.ManyToManyField


def S(*operations: Any) -> Any:
    return mg.SeparateDatabaseAndState(state_operations=list(operations))


def D(*operations: Any) -> Any:
    return mg.SeparateDatabaseAndState(database_operations=list(operations))


def A(**options: Any) -> Any:
    return mg.CreateModel("A", [pk(), ("f", M2M("app.B", **options))])


def B(name: str = "B") -> Any:
    return mg.CreateModel(name, [pk(), ("name", m.CharField(max_length=20, default=""))])


def AB(name: str = "AB", a: str = "a", b: str = "b", extra: Any = (), **options: Any) -> Any:
    return mg.CreateModel(name, [pk(), (a, FK("app.A")), (b, FK("app.B")), *extra], options=options)


def plainA() -> Any:
    return mg.CreateModel("A", [pk(), ("name", m.CharField(max_length=20, default=""))])


KEEP: dict[str, Any] = {"db_table": "app_a_f", "unique_together": {("a", "b")}}


def AF(field: Any, name: str = "f", model: str = "a") -> Any:
    return mg.AlterField(model, name, field)


def cust(through: str = "app.AB") -> Any:
    return M2M("app.B", through=through)


INT = m.IntegerField(default=0)

SCENARIOS: dict[str, list[list[Any]]] = {
    "auto->custom": [[B(), A()], [AB(), AF(cust())]],
    "custom->auto": [[B(), plainA(), AB(), mg.AddField("a", "f", cust())], [AF(M2M("app.B"))]],
    "custom X->Y": [[B(), plainA(), AB(), AB("XY"), mg.AddField("a", "f", cust())], [AF(cust("app.XY"))]],
    "auto->FK": [[B(), A()], [AF(FK("app.B", null=True))]],
    "auto->CharField": [[B(), A()], [AF(m.CharField(max_length=9, default=""))]],
    "FK->auto": [[B(), plainA(), mg.AddField("a", "f", FK("app.B", null=True))], [AF(M2M("app.B"))]],
    "CharField->auto": [
        [B(), plainA(), mg.AddField("a", "f", m.CharField(max_length=9, default=""))],
        [AF(M2M("app.B"))],
    ],
    "CharField->custom": [
        [B(), plainA(), AB(), mg.AddField("a", "f", m.CharField(max_length=9, default=""))],
        [AF(cust())],
    ],
    "FK->custom": [[B(), plainA(), AB(), mg.AddField("a", "f", FK("app.B", null=True))], [AF(cust())]],
    "custom->FK": [[B(), plainA(), AB(), mg.AddField("a", "f", cust())], [AF(FK("app.B", null=True))]],
    "AlterField through unresolved (from auto)": [[B(), A()], [AF(cust("app.Nope"))]],
    "AlterField through unresolved (from custom)": [
        [B(), plainA(), AB(), mg.AddField("a", "f", cust())],
        [AF(cust("app.Nope"))],
    ],
    "AddField through unresolved": [[B(), plainA()], [mg.AddField("a", "f", cust("app.Nope"))]],
    "AddField through unresolved, model later same migration": [[B(), plainA()], [mg.AddField("a", "f", cust()), AB()]],
    "CreateModel through unresolved": [[B()], [mg.CreateModel("A", [pk(), ("f", cust("app.Nope"))])]],
    "CreateModel through unresolved, model later same migration": [
        [B()],
        [mg.CreateModel("A", [pk(), ("f", cust())]), AB()],
    ],
    "state-only AlterField through unresolved": [[B(), A()], [S(AF(cust("app.Nope")))]],
    "state-only unresolved then AddField col on A": [[B(), A()], [S(AF(cust("app.Nope"))), mg.AddField("a", "x", INT)]],
    "state-only unresolved then RenameModel A": [[B(), A()], [S(AF(cust("app.Nope"))), mg.RenameModel("A", "Z")]],
    "state-only unresolved then DeleteModel A": [[B(), A()], [S(AF(cust("app.Nope"))), mg.DeleteModel("A")]],
    "state-only unresolved then RemoveField f": [[B(), A()], [S(AF(cust("app.Nope"))), mg.RemoveField("a", "f")]],
    "to unresolved in AddField": [[B(), plainA()], [mg.AddField("a", "f", M2M("app.Nope"))]],
    "CreateModel on auto table name": [[B(), A()], [AB(**KEEP)]],
    "CreateModel on model table name": [[B(), A()], [mg.CreateModel("Q", [pk()], options={"db_table": "app_b"})]],
    "AddField auto on existing auto db_table": [[B(), A()], [mg.AddField("b", "g", M2M("app.A", db_table="app_a_f"))]],
    "AddField auto on model table": [[B(), A(), AB()], [mg.AddField("b", "g", M2M("app.A", db_table="app_ab"))]],
    "AlterField auto db_table to existing": [[B(), A(), AB()], [AF(M2M("app.B", db_table="app_ab"))]],
    "AlterModelTable AB to existing": [[B(), A(), AB()], [mg.AlterModelTable("AB", "app_a_f")]],
    "RenameModel AB onto existing": [
        [B(), A(), AB(), mg.CreateModel("Q", [pk()], options={"db_table": "app_x"})],
        [mg.RenameModel("AB", "X")],
    ],
    "RenameField auto onto existing table": [
        [B(), A(), mg.CreateModel("Q", [pk()], options={"db_table": "app_a_g"})],
        [mg.RenameField("a", "f", "g")],
    ],
    "AlterField auto other db_table": [[B(), A()], [AF(M2M("app.B", db_table="zz"))]],
    "AlterField auto other to, rows": [[B(), B("C"), A()], [AF(M2M("app.C"))]],
    "AlterField auto other to, no rows": [[B(), B("C"), A()], [AF(M2M("app.C"))]],
    "RenameField auto": [[B(), A()], [mg.RenameField("a", "f", "g")]],
    "RenameField custom": [[B(), plainA(), AB(), mg.AddField("a", "f", cust())], [mg.RenameField("a", "f", "g")]],
    "RenameField auto db_table set": [[B(), A(db_table="zz")], [mg.RenameField("a", "f", "g")]],
    # missing table
    "missing table: AlterModelTable AB": [
        [B(), A(), S(AB(unique_together={("a", "b")}), AF(cust()))],
        [mg.AlterModelTable("AB", "zz")],
    ],
    "missing table: RenameModel AB": [[B(), A(), S(AB(), AF(cust()))], [mg.RenameModel("AB", "Y")]],
    "missing table: AddField nullable": [
        [B(), A(), S(AB(), AF(cust()))],
        [mg.AddField("ab", "x", m.IntegerField(null=True))],
    ],
    "missing table: AddField default": [[B(), A(), S(AB(), AF(cust()))], [mg.AddField("ab", "x", INT)]],
    "missing table: RemoveField": [[B(), A(), S(AB(extra=[("x", INT)]), AF(cust()))], [mg.RemoveField("ab", "x")]],
    "missing table: RemoveField FK": [
        [B(), A(), S(AB(extra=[("x", FK("app.A", null=True, related_name="+"))]), AF(cust()))],
        [mg.RemoveField("ab", "x")],
    ],
    "missing table: AlterField col": [
        [B(), A(), S(AB(extra=[("x", INT)]), AF(cust()))],
        [mg.AlterField("ab", "x", m.BigIntegerField(default=0))],
    ],
    "missing table: RenameField col": [
        [B(), A(), S(AB(extra=[("x", INT)]), AF(cust()))],
        [mg.RenameField("ab", "x", "y")],
    ],
    "missing table: DeleteModel": [[B(), plainA(), S(AB())], [mg.DeleteModel("AB")]],
    "missing table: AlterUniqueTogether": [
        [B(), A(), S(AB(), AF(cust()))],
        [mg.AlterUniqueTogether("ab", {("a", "b")})],
    ],
    "missing table: AlterUniqueTogether remove": [
        [B(), A(), S(AB(unique_together={("a", "b")}), AF(cust()))],
        [mg.AlterUniqueTogether("ab", set())],
    ],
    "missing table: AddConstraint": [
        [B(), A(), S(AB(), AF(cust()))],
        [mg.AddConstraint("ab", m.UniqueConstraint(fields=["a", "b"], name="ab_u"))],
    ],
    "missing table: RemoveConstraint": [
        [B(), A(), S(AB(constraints=[m.UniqueConstraint(fields=["a", "b"], name="ab_u")]), AF(cust()))],
        [mg.RemoveConstraint("ab", "ab_u")],
    ],
    "missing table: AddIndex": [
        [B(), A(), S(AB(), AF(cust()))],
        [mg.AddIndex("ab", m.Index(fields=["a"], name="ab_i"))],
    ],
    "missing auto table: RemoveField M2M": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [mg.RemoveField("a", "f")],
    ],
    "missing auto table: RenameField M2M": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [mg.RenameField("a", "f", "g")],
    ],
    "missing auto table: AlterField db_table": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [AF(M2M("app.B", db_table="zz"))],
    ],
    "missing auto table: AlterField blank": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [AF(M2M("app.B", blank=True))],
    ],
    "missing auto table: AlterModelTable A": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [mg.AlterModelTable("A", "zz")],
    ],
    "missing auto table: RenameModel A": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [mg.RenameModel("A", "Z")],
    ],
    "missing auto table: RenameModel B (target)": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [mg.RenameModel("B", "Z")],
    ],
    "missing auto table: DeleteModel A": [
        [B(), plainA(), S(mg.AddField("a", "f", M2M("app.B")))],
        [mg.DeleteModel("A")],
    ],
    # missing column, table kept with FK named otherwise
    "missing column: AddField nullable": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.AddField("ab", "x", m.IntegerField(null=True))],
    ],
    "missing column: AddField default": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.AddField("ab", "x", INT)],
    ],
    "missing column: RenameField owner": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.RenameField("ab", "owner", "a")],
    ],
    "missing column: RemoveField owner": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.RemoveField("ab", "owner")],
    ],
    "missing column: AlterField owner": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.AlterField("ab", "owner", FK("app.A", null=True))],
    ],
    "missing column: AlterUniqueTogether": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.AlterUniqueTogether("ab", {("owner", "b")})],
    ],
    "missing column: AddConstraint": [
        [B(), A(), S(AB(a="owner", db_table="app_a_f"), AF(cust()))],
        [mg.AddConstraint("ab", m.UniqueConstraint(fields=["owner", "b"], name="ab_u"))],
    ],
    "missing extra column: RemoveField": [
        [B(), A(), S(AB(extra=[("x", INT)], **KEEP), AF(cust()))],
        [mg.RemoveField("ab", "x")],
    ],
    "missing extra column: RenameField": [
        [B(), A(), S(AB(extra=[("x", INT)], **KEEP), AF(cust()))],
        [mg.RenameField("ab", "x", "y")],
    ],
    "missing extra column: AlterField type": [
        [B(), A(), S(AB(extra=[("x", INT)], **KEEP), AF(cust()))],
        [mg.AlterField("ab", "x", m.BigIntegerField(default=0))],
    ],
    "missing extra column: AlterField null": [
        [B(), A(), S(AB(extra=[("x", INT)], **KEEP), AF(cust()))],
        [mg.AlterField("ab", "x", m.IntegerField(null=True))],
    ],
    "column exists: AddField": [
        [B(), A(), AB(extra=[("x", INT)]), S(mg.RemoveField("ab", "x"))],
        [mg.AddField("ab", "x", m.IntegerField(null=True))],
    ],
    "column exists: AddField default": [
        [B(), A(), AB(extra=[("x", INT)]), S(mg.RemoveField("ab", "x"))],
        [mg.AddField("ab", "x", INT)],
    ],
    # constraints
    "no unique in state, AlterUniqueTogether": [
        [B(), A(), S(AB(db_table="app_a_f"), AF(cust()))],
        [mg.AlterUniqueTogether("ab", {("a", "b")})],
    ],
    "no unique in state, renamed table, AlterUniqueTogether": [
        [B(), A(), S(AB(db_table="app_a_f"), AF(cust())), mg.AlterModelTable("AB", None)],
        [mg.AlterUniqueTogether("ab", {("a", "b")})],
    ],
    "no unique in state, AddConstraint own name": [
        [B(), A(), S(AB(db_table="app_a_f"), AF(cust()))],
        [mg.AddConstraint("ab", m.UniqueConstraint(fields=["a", "b"], name="ab_u"))],
    ],
    "right, AlterUniqueTogether(set())": [[B(), A(), S(AB(**KEEP), AF(cust()))], [mg.AlterUniqueTogether("ab", set())]],
    "right, renamed table, AlterUniqueTogether(set())": [
        [B(), A(), S(AB(**KEEP), AF(cust())), mg.AlterModelTable("AB", None)],
        [mg.AlterUniqueTogether("ab", set())],
    ],
    "right, renamed by RenameModel, AlterUniqueTogether(set())": [
        [B(), A(), S(AB(**KEEP), AF(cust())), mg.AlterModelTable("AB", None), mg.RenameModel("AB", "Zed")],
        [mg.AlterUniqueTogether("zed", set())],
    ],
    "right, FK renamed, AlterUniqueTogether(set())": [
        [B(), A(), S(AB(**KEEP), AF(cust())), mg.RenameField("ab", "a", "owner")],
        [mg.AlterUniqueTogether("ab", set())],
    ],
    "state UniqueConstraint ab_u, RemoveConstraint": [
        [
            B(),
            A(),
            S(AB(db_table="app_a_f", constraints=[m.UniqueConstraint(fields=["a", "b"], name="ab_u")]), AF(cust())),
        ],
        [mg.RemoveConstraint("ab", "ab_u")],
    ],
    "state unique_together on table without it, AlterUniqueTogether(set())": [
        [B(), plainA(), AB(), S(mg.AlterUniqueTogether("ab", {("a", "b")}))],
        [mg.AlterUniqueTogether("ab", set())],
    ],
    "custom with unique removed state-only to auto, RemoveField": [
        [
            B(),
            plainA(),
            AB(),
            mg.AddField("a", "f", cust()),
            S(AF(M2M("app.B", db_table="app_ab")), mg.DeleteModel("AB")),
        ],
        [mg.RemoveField("a", "f")],
    ],
    "AddConstraint same name twice": [
        [
            B(),
            plainA(),
            AB(constraints=[m.UniqueConstraint(fields=["a", "b"], name="ab_u")]),
            S(mg.RemoveConstraint("ab", "ab_u")),
        ],
        [mg.AddConstraint("ab", m.UniqueConstraint(fields=["a", "b"], name="ab_u"))],
    ],
    "RemoveConstraint not there": [
        [B(), plainA(), AB(), S(mg.AddConstraint("ab", m.UniqueConstraint(fields=["a", "b"], name="ab_u")))],
        [mg.RemoveConstraint("ab", "ab_u")],
    ],
    "RemoveIndex not there": [
        [B(), plainA(), AB(), S(mg.AddIndex("ab", m.Index(fields=["a"], name="ab_i")))],
        [mg.RemoveIndex("ab", "ab_i")],
    ],
    "AddIndex there": [
        [B(), plainA(), AB(indexes=[m.Index(fields=["a"], name="ab_i")]), S(mg.RemoveIndex("ab", "ab_i"))],
        [mg.AddIndex("ab", m.Index(fields=["a"], name="ab_i"))],
    ],
    "database_operations AlterField auto->custom": [[B(), A(), AB()], [D(AF(cust()))]],
    "DeleteModel AB still used (state)": [[B(), plainA(), AB(), mg.AddField("a", "f", cust())], [mg.DeleteModel("AB")]],
    "DeleteModel AB still used, then AddField on A": [
        [B(), plainA(), AB(), mg.AddField("a", "f", cust())],
        [mg.DeleteModel("AB"), mg.AddField("a", "x", INT)],
    ],
    "DeleteModel AB still used, next migration RemoveField": [
        [B(), plainA(), AB(), mg.AddField("a", "f", cust())],
        [mg.DeleteModel("AB")],
        [mg.RemoveField("a", "f")],
    ],
    "RunSQL create existing table": [[B(), A()], [mg.RunSQL("CREATE TABLE app_a_f (id integer)")]],
    "auto table created on leftover": [[B(), A(), S(mg.RemoveField("a", "f"))], [mg.AddField("a", "f", M2M("app.B"))]],
    "DeleteModel B still targeted by auto M2M": [[B(), A()], [mg.DeleteModel("B")]],
    "renamed away and made again": [
        [B(), A()],
        [mg.AlterModelTable("A", "zz")],
        [mg.CreateModel("Q", [pk(), ("f", M2M("app.B"))], {"db_table": "app_a"})],
    ],
    "renamed away by SQL and made again": [
        [B(), A()],
        [mg.RunSQL("ALTER TABLE app_a_f RENAME TO keep")],
        [
            mg.RunSQL("CREATE TABLE app_a_f (id integer PRIMARY KEY)"),
            mg.RunSQL("DROP TABLE app_a_f"),
            mg.AddField("b", "g", M2M("app.A", db_table="app_a_f")),
        ],
    ],
    "auto table made again after a state-only switch and a rename": [
        [B(), A()],
        [S(AB(**KEEP), AF(cust())), mg.AlterModelTable("AB", None)],
        [mg.RenameField("a", "f", "g")],
        [mg.AddField("a", "f", M2M("app.B"))],
    ],
    "target's table missing when the link table is made": [[plainA(), S(B())], [mg.AddField("a", "f", M2M("app.B"))]],
    "target's table missing, made later in the migration": [
        [plainA(), S(B())],
        [mg.AddField("a", "f", M2M("app.B")), S(mg.DeleteModel("B")), B()],
    ],
    "constraint added to a link table whose target is gone": [
        [B(), mg.CreateModel("A", [pk(), ("f", M2M("app.B", db_constraint=False))])],
        [mg.RunSQL("ALTER TABLE app_b RENAME TO gone")],
        [AF(M2M("app.B"))],
    ],
    "unique_together removed in the migration that made it": [
        [B(), plainA()],
        [AB(unique_together={("a", "b")}), mg.AlterUniqueTogether("ab", set())],
    ],
    "unique_together in the other order": [
        [B(), plainA(), AB(unique_together={("a", "b")})],
        [S(mg.AlterUniqueTogether("ab", {("b", "a")}))],
        [mg.AlterUniqueTogether("ab", set())],
    ],
    "model renamed with a self-referential link table": [
        [mg.CreateModel("A", [pk(), ("f", M2M("self"))])],
        [mg.RenameModel("A", "Z")],
    ],
    "target renamed, tables pinned": [
        [B(), mg.CreateModel("A", [pk(), ("f", M2M("app.B", db_table="zz"))], {"db_table": "yy"})],
        [mg.RenameModel("B", "Z")],
        [mg.RenameModel("A", "Y")],
    ],
    "same model name in two apps": [
        [mg.CreateModel("A", [pk()]), B()],
        [mg.AddField("b", "f", M2M("app.A")), mg.RenameModel("A", "B2")],
        [mg.RenameModel("B2", "B3")],
    ],
    "index_together is forgotten when SQLite rebuilds": [
        [B(), plainA(), AB()],
        [mg.AlterIndexTogether("ab", {("a", "b")})],
        [mg.RenameField("ab", "a", "c")],
        [mg.AlterIndexTogether("ab", set())],
    ],
    "historical constraint name in the state": [
        [B(), A()],
        [
            S(
                AB(
                    db_table="app_a_f",
                    constraints=[m.UniqueConstraint(fields=["a", "b"], name="app_a_f_a_id_b_id_db48c177_uniq")],
                ),
                AF(cust()),
            )
        ],
        [mg.RemoveConstraint("ab", "app_a_f_a_id_b_id_db48c177_uniq")],
    ],
    "nested database operations": [
        [B(), plainA()],
        [
            D(
                mg.AddField("a", "f", M2M("app.B")),
                mg.SeparateDatabaseAndState(
                    database_operations=[mg.RenameField("a", "f", "g")],
                    state_operations=[mg.RenameField("a", "f", "g")],
                ),
                mg.AlterField("a", "g", M2M("app.B", db_table="zz")),
            )
        ],
    ],
    "proxy and unmanaged models have no tables": [
        [B(), mg.CreateModel("P", [], {"proxy": True}, ("app.B",)), mg.CreateModel("U", [pk()], {"managed": False})],
        [mg.CreateModel("A", [pk(), ("f", M2M("app.P"))])],
        [mg.DeleteModel("U")],
    ],
    "child of multi-table inheritance": [
        [
            B(),
            mg.CreateModel(
                "C",
                [
                    (
                        "b_ptr",
                        m.OneToOneField("app.B", m.CASCADE, parent_link=True, auto_created=True, primary_key=True),
                    ),
                    ("f", M2M("app.B")),
                ],
                {},
                ("app.b",),
            ),
        ],
        [mg.RenameModel("C", "D")],
        [mg.AddField("d", "g", M2M("self"))],
    ],
    # MySQL looks for the key in the table before it does anything, PostgreSQL finds none and has nothing to do.
    "key of a link table that is not there is dropped": [
        [B(), A()],
        [D(mg.RenameField("a", "f", "g"))],
        [AF(M2M("app.B", db_constraint=False))],
    ],
    "key of a link table that is not there is made": [
        [B(), A(db_constraint=False)],
        [D(mg.RenameField("a", "f", "g"))],
        [AF(M2M("app.B"))],
    ],
    "link table that is not there is retargeted": [
        [B(), B("C"), A()],
        [D(mg.RenameField("a", "f", "g"))],
        [AF(M2M("app.C"))],
    ],
    "link table that is not there is retargeted to a proxy": [
        [B(), mg.CreateModel("P", [], {"proxy": True}, ("app.B",)), A()],
        [D(mg.RenameField("a", "f", "g"))],
        [AF(M2M("app.P"))],
    ],
    "index of a column goes and comes again": [
        [mg.CreateModel("B", [pk(), ("name", m.CharField(max_length=20, db_index=True))])],
        [AF(m.BigIntegerField(null=True), "name", "b"), AF(m.CharField(max_length=20, db_index=True), "name", "b")],
    ],
    "index that is still to be made is not dropped with its field": [
        [B(), plainA()],
        [
            mg.AddField("a", "code", m.CharField(max_length=20, default="", db_index=True)),
            AF(m.CharField(max_length=20, default=""), "code"),
        ],
        [AF(m.CharField(max_length=20, default="", db_index=True), "code")],
    ],
    "index of a foreign key goes and comes again": [
        [B(), plainA(), AB()],
        [AF(FK("app.B", db_index=False), "b", "ab"), AF(FK("app.B"), "b", "ab")],
    ],
    "index of a new foreign key is not dropped with its field": [
        [B(), plainA(), AB(), AF(FK("app.B", db_index=False), "b", "ab")],
        [AF(FK("app.B"), "b", "ab")],
    ],
    "index of a column that is unique for a time": [
        [mg.CreateModel("B", [pk(), ("name", m.CharField(max_length=20, db_index=True))])],
        [AF(m.CharField(max_length=20, unique=True), "name", "b")],
        [AF(m.CharField(max_length=20, db_index=True), "name", "b")],
    ],
    "table made with another key than the state's is pointed at": [
        [D(B()), S(mg.CreateModel("B", [("code", m.BigIntegerField(primary_key=True))])), plainA()],
        [mg.AddField("a", "f", M2M("app.B"))],
    ],
    "key at once to a table made with another key than the state's": [
        [D(B()), S(mg.CreateModel("B", [("code", m.BigIntegerField(primary_key=True))])), plainA()],
        [mg.AddField("a", "b", FK("app.B", null=True))],
    ],
    "key column renamed before the key to it is made": [
        [plainA()],
        [B(), mg.AddField("a", "f", M2M("app.B")), mg.RenameField("b", "id", "code")],
        [mg.AddField("b", "g", M2M("app.A"))],
    ],
    "target with another key comes to have it": [
        [D(B()), S(mg.CreateModel("B", [("code", m.BigIntegerField(primary_key=True))])), plainA()],
        [mg.AddField("a", "f", M2M("app.B")), D(mg.AlterModelTable("a", "zz"))],
    ],
    "key to a field that is not the primary key": [
        [mg.CreateModel("B", [pk(), ("code", m.BigIntegerField(unique=True, db_column="kod"))]), plainA()],
        [mg.AddField("a", "b", FK("app.B", to_field="code", null=True))],
        [mg.RenameField("b", "code", "number"), mg.AddField("a", "c", FK("app.B", to_field="number", null=True))],
    ],
    "table renamed to its own name by SQL": [[B(), A()], [mg.RunSQL("ALTER TABLE app_a_f RENAME TO app_a_f")]],
    "column with capitals is dropped": [
        [mg.CreateModel("B", [pk(), ("itemList", m.IntegerField(default=0))])],
        [mg.RemoveField("b", "itemList")],
    ],
    "table with capitals is dropped that others point at": [
        [mg.CreateModel("B", [pk()], {"db_table": "Shelf"}), A()],
        [D(mg.DeleteModel("B"))],
    ],
    "key that Django does not know stays when it makes another": [
        [B(), B("C"), plainA(), mg.CreateModel("D", [pk(), ("b", FK("app.B", db_constraint=False))])],
        [D(AF(FK("app.B"), "b", "d"))],
        [AF(FK("app.C"), "b", "d")],
        [mg.DeleteModel("C")],
    ],
    "model with an unresolved through is renamed": [[B(), A()], [S(AF(cust("app.Nope"))), mg.RenameModel("A", "Z")]],
}

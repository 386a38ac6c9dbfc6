"""A field removed in one migration and added again in another: what there is no sequence for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.finding import Finding
from tests.sequences.projects import check

HEAD = "from django.db import migrations, models\n\n\ndef code(apps, schema_editor):\n    pass\n\n\n"
FIRST = (
    'migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),'
    'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)),'
    '("tags", models.ManyToManyField("shop.Tag"))]),'
)
REMOVE = 'migrations.RemoveField("item", "tags"),'
ADD = 'migrations.AddField("item", "tags", models.ManyToManyField("shop.Tag", blank=True)),'

COUNTS_ON = "no sequence fits it: code that runs after `0002_b` may count on `tags` being gone"


@pytest.mark.parametrize(
    ("second", "third", "ids", "note"),
    [
        (REMOVE, ADD, ["keep-table"], ""),
        ("migrations.RunPython(code)," + REMOVE, ADD, ["keep-table"], ""),
        # Code that may count on the field being gone.
        (REMOVE + "migrations.RunPython(code),", ADD, [], COUNTS_ON),
        (REMOVE + 'migrations.RunSQL("DELETE FROM shop_tag"),', ADD, [], COUNTS_ON),
        # Not in the migration's own list.
        (f"migrations.SeparateDatabaseAndState([{REMOVE}], [{REMOVE}]),", ADD, [], ""),
        (REMOVE, f"migrations.SeparateDatabaseAndState([{ADD}], [{ADD}]),", [], ""),
    ],
)
def test_what_stands_in_between(second: str, third: str, ids: list[str], note: str, tmp_path: Path) -> None:
    finding = _found(tmp_path, [FIRST, second, third])
    assert finding.code == "MTM202"
    assert [one.id for one in finding.sequences] == ids
    assert [one for one in finding.notes if one.startswith("no sequence fits")] == ([note] if note else [])


CREATE = (
    'migrations.CreateModel("Label", [("id", models.BigAutoField(primary_key=True)),'
    '("item", models.ForeignKey("shop.Item", models.CASCADE)), ("tag", models.ForeignKey("shop.Tag", models.CASCADE))],'
    '{"unique_together": {("item", "tag")}}),'
)
THROUGH = [
    *FIRST.rpartition('("tags"')[:1],
    f"]),{CREATE}",
    'migrations.AddField("item", "tags", models.ManyToManyField("shop.Tag", through="shop.Label")),',
]
DELETE = 'migrations.DeleteModel("Label"),'
ALTER = 'migrations.AlterField("item", "tags", models.ManyToManyField("shop.Tag")),'
DROPPED = ["drop-through-keep-table", "drop-through-rename-table"]
GONE = "no sequence fits it: its through model `Label` is deleted in `shop.0002_b`"


@pytest.mark.parametrize(
    ("second", "third", "ids", "note"),
    [
        (DELETE, ALTER, DROPPED, ""),
        (REMOVE + DELETE, ADD, DROPPED[::-1], ""),
        ('migrations.RenameModel("Label", "Mark"),' + DELETE.replace("Label", "Mark"), ALTER, DROPPED, ""),
        # Made again, and then it is another one.
        (DELETE + CREATE, ALTER + DELETE, DROPPED, ""),
        (DELETE + "migrations.RunPython(code),", ALTER, [], f"{GONE}, and code that runs after that may count on it"),
        (
            f"migrations.SeparateDatabaseAndState([{DELETE}], [{DELETE}]),",
            ALTER,
            [],
            f"{GONE} by a part of another operation: take that out first",
        ),
    ],
)
def test_a_through_model_that_is_deleted_before(
    second: str, third: str, ids: list[str], note: str, tmp_path: Path
) -> None:
    finding = _found(tmp_path, ["".join(THROUGH), second, third])
    assert finding.code in ("MTM102", "MTM202")
    assert [one.id for one in finding.sequences if one.applicability.value != "display"] == ids
    # A database may have run the deletion, also where it cannot have run what comes after it.
    assert not [one for one in finding.sequences if one.applicability.value == "safe"] or CREATE in second
    assert [one for one in finding.notes if one.startswith("no sequence fits")] == ([note] if note else [])
    table = "shop_mark" if "Mark" in second else "shop_label"
    half = f"where `0002_b` has run and `0003_c` has not: `{table}` went with all links; restore that table, rows"
    steps = [step for one in finding.sequences if one.id in ids for step in one.steps]
    assert len([one for one in steps if one.title.startswith(half)]) == (0 if CREATE in second else len(ids))


def test_a_model_that_is_changed_just_before(tmp_path: Path) -> None:
    """The state before the migration does not tell what the operation meets."""
    finding = _found(tmp_path, ["".join(THROUGH), "", 'migrations.RenameModel("Label", "Mark"),' + ALTER])
    assert (finding.code, finding.sequences) == ("MTM102", ())
    why = "the same migration changes the field, or a model that it goes through, before this operation"
    assert finding.notes[-1:] == (f"no sequence fits it: {why}",)


def _found(root: Path, migrations: list[str]) -> Finding:
    """What the last migration of an app does wrong with the links; that the model is deleted too early is MTM105's, and
    that it is made again at once is a loss of its own."""
    folder = root / "shop" / "migrations"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    (folder / "__init__.py").write_text("")
    before = ""
    for name, operations in zip(("0001_a", "0002_b", "0003_c"), migrations, strict=True):
        depends = f'("shop", "{before}")' if before else ""
        (folder / f"{name}.py").write_text(
            f"{HEAD}class Migration(migrations.Migration):\n"
            f"    dependencies = [{depends}]\n    operations = [\n        {operations}\n    ]\n"
        )
        before = name
    errors = [one for one in check(root)[0] if one.severity.value == "error" and one.code != "MTM105"]
    (finding,) = [one for one in errors if one.migration == "0003_c"] or errors
    return finding

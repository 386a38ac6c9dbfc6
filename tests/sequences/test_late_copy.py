"""Code and SQL after links were lost: what is a copy that comes too late, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint_m2m.finding import Finding
from tests.sequences.projects import check

CODE = """\
from django.db import migrations, models


def copy(apps, schema_editor):
    Label = apps.get_model("shop", "Label")
    for item in apps.get_model("shop", "Item").objects.all():
        Label.objects.bulk_create(Label(item=item, tag=tag) for tag in item.tags.all())


def count(apps, schema_editor):
    print(apps.get_model("shop", "Item").objects.count())


"""
FIRST = (
    'migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),'
    'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)),'
    '("tags", models.ManyToManyField("shop.Tag"))]),'
)
CREATE = (
    'migrations.CreateModel("Label", [("id", models.BigAutoField(primary_key=True)),'
    '("item", models.ForeignKey("shop.Item", models.CASCADE)),'
    '("tag", models.ForeignKey("shop.Tag", models.CASCADE))]),'
)
REMOVE = 'migrations.RemoveField("item", "tags"),'
FIELD = 'models.ManyToManyField("shop.Tag", through="shop.Label")'
ADD = f'migrations.AddField("item", "tags", {FIELD}),'
SWITCH = f'migrations.SeparateDatabaseAndState([{REMOVE}], [migrations.AlterField("item", "tags", {FIELD})]),'
COPY = "migrations.RunPython(copy, copy),"
INSERT = "INSERT INTO shop_label (item_id, tag_id) SELECT item_id, tag_id FROM shop_item_tags"


@pytest.mark.parametrize(
    ("second", "third", "ids"),
    [
        (CREATE + SWITCH + COPY, "", ["fix-state"]),
        (CREATE + REMOVE + ADD, f'migrations.RunSQL("{INSERT}", "SELECT 1"),', ["fix-state"]),
        # No copy at all.
        (CREATE + REMOVE + ADD + "migrations.RunPython(count, count),", "", ["rename-table", "keep-table"]),
        (
            CREATE + REMOVE + ADD,
            'migrations.RunSQL("DELETE FROM shop_item_tags", "SELECT 1"),',
            ["rename-table", "keep-table"],
        ),
        # Into a table that is nobody's.
        (
            CREATE + REMOVE + ADD,
            f'migrations.RunSQL("{INSERT.replace("shop_label", "other")}", "SELECT 1"),',
            ["rename-table", "keep-table"],
        ),
    ],
)
def test_what_is_a_copy(second: str, third: str, ids: list[str], tmp_path: Path) -> None:
    finding = _lost(tmp_path, second, third)
    assert [one.id for one in finding.sequences if one.applicability.value != "display"] == ids


def test_a_function_in_another_file(tmp_path: Path) -> None:
    finding = _lost(tmp_path, CREATE + SWITCH, COPY)
    assert finding.sequences == ()
    assert finding.notes[-1] == "`fix-state` cannot be written for it: `copy` is defined in another migration"


def test_what_to_do_where_it_has_run(tmp_path: Path) -> None:
    finding = _lost(tmp_path, CREATE + REMOVE + ADD, f'migrations.RunSQL("{INSERT}", "SELECT 1"),')
    (step,) = [one for one in finding.sequences[0].steps if one.language == "sql"]
    assert step.title.startswith("where `0002_b` has run already: the links went with `shop_item_tags`; restore that")
    assert step.code == INSERT.replace(" SELECT", "\nSELECT").replace("FROM ", "FROM restored_") + ";"


def _lost(root: Path, second: str, third: str) -> Finding:
    """The finding about the lost links."""
    folder = root / "shop" / "migrations"
    folder.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    (folder / "__init__.py").write_text("")
    before = ""
    for name, operations in (("0001_a", FIRST), ("0002_b", second), ("0003_c", third)):
        depends = f'("shop", "{before}")' if before else ""
        (folder / f"{name}.py").write_text(
            f"{CODE}class Migration(migrations.Migration):\n"
            f"    dependencies = [{depends}]\n    operations = [\n        {operations}\n    ]\n"
        )
        before = name
    (finding,) = [one for one in check(root)[0] if one.code == "MTM202"]
    return finding

"""A field removed in one migration and added again in another: what there is no sequence for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sequences.projects import check

HEAD = "from django.db import migrations, models\n\n\ndef code(apps, schema_editor):\n    pass\n\n\n"
FIRST = (
    'migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),'
    'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)),'
    '("tags", models.ManyToManyField("shop.Tag"))]),'
)
REMOVE = 'migrations.RemoveField("item", "tags"),'
ADD = 'migrations.AddField("item", "tags", models.ManyToManyField("shop.Tag", blank=True)),'


@pytest.mark.parametrize(
    ("second", "third", "ids"),
    [
        (REMOVE, ADD, ["keep-table"]),
        ("migrations.RunPython(code)," + REMOVE, ADD, ["keep-table"]),
        # Code that may count on the field being gone.
        (REMOVE + "migrations.RunPython(code),", ADD, []),
        (REMOVE + 'migrations.RunSQL("DELETE FROM shop_tag"),', ADD, []),
        # Not in the migration's own list.
        (f"migrations.SeparateDatabaseAndState([{REMOVE}], [{REMOVE}]),", ADD, []),
        (REMOVE, f"migrations.SeparateDatabaseAndState([{ADD}], [{ADD}]),", []),
    ],
)
def test_what_stands_in_between(second: str, third: str, ids: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    (folder / "__init__.py").write_text("")
    before = ""
    for name, operations in (("0001_a", FIRST), ("0002_b", second), ("0003_c", third)):
        depends = f'("shop", "{before}")' if before else ""
        (folder / f"{name}.py").write_text(
            f"{HEAD}class Migration(migrations.Migration):\n"
            f"    dependencies = [{depends}]\n    operations = [\n        {operations}\n    ]\n"
        )
        before = name
    findings, ways = check(tmp_path)
    assert [one.code for one in findings if one.severity.value == "error"] == ["MTM202"]
    assert [one.id for way in ways for one in way.proposals] == ids

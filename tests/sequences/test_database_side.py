"""A through model added among `database_operations`: what there is no sequence for, and that the finding says why."""

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
CREATE = (
    'migrations.CreateModel("Label", [("id", models.BigAutoField(primary_key=True)),'
    '("item", models.ForeignKey("shop.Item", models.CASCADE)), ("tag", models.ForeignKey("shop.Tag", models.CASCADE))])'
)
ALTER = 'migrations.AlterField("item", "tags", models.ManyToManyField("shop.Tag", through="shop.Label"))'
OTHER = 'migrations.AddField("tag", "rank", models.IntegerField(null=True))'
CODE = "migrations.RunPython(code)"
KEY = 'migrations.AlterField("item", "tags", models.ForeignKey("shop.Tag", models.CASCADE, null=True))'

ALONE = "no sequence fits it: its `database_operations` and its `state_operations` each have something"
LEFT = "`keep-table`, `rename-table`, `rewrite-history` cannot be written for it: `AddField` is in one of"


@pytest.mark.parametrize(
    ("operations", "ids", "note"),
    [
        (f"{CREATE}, SEPARATE([{ALTER}], [{ALTER}])", ["keep-table", "rename-table"], None),
        (f"SEPARATE([{ALTER}], [{CREATE}, {ALTER}])", ["keep-table", "rename-table"], None),
        (f"SEPARATE([{OTHER}, {CREATE}, {ALTER}], [{OTHER}, {CREATE}, {ALTER}])", ["keep-table", "rename-table"], None),
        # Code is no matter of the state.
        (f"SEPARATE([{CODE}, {CREATE}, {ALTER}], [{CREATE}, {ALTER}])", ["keep-table", "rename-table"], None),
        (f"SEPARATE([{CREATE}, {ALTER}, {OTHER}], [{CREATE}, {ALTER}])", [], LEFT),
        (f"SEPARATE([{CREATE}, {ALTER}], [{CREATE}, {ALTER}, {OTHER}])", [], LEFT),
        (f"{CREATE}, SEPARATE([{CODE}, {ALTER}], [{ALTER}, {OTHER}])", [], ALONE),
        (f"{CREATE}, SEPARATE([SEPARATE([{ALTER}])])", [], "no sequence fits it: it stands in an operation that"),
        (f"SEPARATE([{KEY}], [{KEY}])", [], None),
    ],
)
def test_what_stands_in_it(operations: str, ids: list[str], note: str | None, tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.lint-m2m]\n")
    (folder / "__init__.py").write_text("")
    second = operations.replace("SEPARATE", "migrations.SeparateDatabaseAndState")
    before = ""
    for name, text in (("0001_a", FIRST), ("0002_b", second)):
        depends = f'("shop", "{before}")' if before else ""
        (folder / f"{name}.py").write_text(
            f"{HEAD}class Migration(migrations.Migration):\n"
            f"    dependencies = [{depends}]\n    operations = [\n        {text}\n    ]\n"
        )
        before = name
    findings, _ = check(tmp_path)
    (finding,) = [one for one in findings if one.code in ("MTM101", "MTM103", "MTM105")]
    assert [one.id for one in finding.sequences if one.applicability.value != "display"] == ids
    assert [one for one in finding.notes if note is not None and one.startswith(note)] or note is None, finding.notes
    if KEY in operations:
        assert [one.id for one in finding.sequences] == ["copy-then-remove"]

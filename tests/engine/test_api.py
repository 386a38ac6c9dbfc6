"""`lint_m2m.check`, and that docs/api.md tells the truth about it."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m.errors import ConfigurationError, NoMigrationsError, UsageError
from tests.cli.projects import library, write

DOTTED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_examples_of_the_documentation(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    blocks = DOTTED.findall((repository / "docs/api.md").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    printed = [text for language, text in blocks if language == "text"]
    for language, text in blocks:
        if language == "python":
            exec(compile(text, "docs/api.md", "exec"), names)
    assert capsys.readouterr().out == "".join(printed)
    report = names["report"]
    assert isinstance(report, lint_m2m.Report)
    assert [finding.code for finding in report.findings] == ["MTM101"]


def test_everything_is_there_and_nothing_else() -> None:
    for name in lint_m2m.__all__:
        assert getattr(lint_m2m, name) is getattr(lint_m2m, name)
    assert set(lint_m2m.__all__) <= set(dir(lint_m2m))
    with pytest.raises(AttributeError, match="module 'lint_m2m' has no attribute 'chekc'"):
        lint_m2m.chekc  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("form", [str, Path, lambda path: [path], lambda path: (str(path), path / "shop")])
def test_paths_in_any_form(tmp_path: Path, form: type) -> None:
    report = lint_m2m.check(form(library(tmp_path)))
    assert [finding.code for finding in report.findings] == ["MTM101"]
    assert report.root == tmp_path
    assert (report.summary.apps, report.summary.migrations, report.summary.error) == (2, 3, 1)


def test_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(library(tmp_path) / "shop")
    assert lint_m2m.check().findings == ()
    monkeypatch.chdir(tmp_path)
    assert len(lint_m2m.check().findings) == 1


def test_configuration_replaces_the_file(tmp_path: Path) -> None:
    write(library(tmp_path), {"pyproject.toml": '[tool.lint-m2m]\nignore = ["MTM"]\n'})
    assert lint_m2m.check(tmp_path).findings == ()
    assert len(lint_m2m.check(tmp_path, lint_m2m.Config()).findings) == 1
    assert lint_m2m.check(tmp_path, lint_m2m.Config(select=("MTM2",))).findings == ()


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        lint_m2m.check(tmp_path / "nowhere")
    with pytest.raises(NoMigrationsError, match="there are no migrations in"):
        lint_m2m.check(tmp_path)
    with pytest.raises(ConfigurationError, match="`select` names `MTM7`"):
        lint_m2m.check(library(tmp_path), lint_m2m.Config(select=("MTM7",)))
    write(tmp_path, {"pyproject.toml": "[tool.lint-m2m]\nignroe = []\n"})
    with pytest.raises(lint_m2m.LintM2MError) as caught:
        lint_m2m.check(tmp_path)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.line, str(again)) == (ConfigurationError, 2, str(caught.value))


def test_report_is_a_value(tmp_path: Path) -> None:
    report = lint_m2m.check(library(tmp_path))
    assert report == lint_m2m.check(tmp_path)
    assert hash(report) == hash(lint_m2m.check(tmp_path))
    assert pickle.loads(pickle.dumps(report)) == report

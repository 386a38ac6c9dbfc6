"""`action.yml` and docs/ci.md: what they say is there, and their shell lines do what they are for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from lint_m2m import cli
from lint_m2m.reports import FORMATS
from lint_m2m.reports.markdown import MARKER
from tests.cli.projects import library

BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]  # what GitHub runs for `shell: bash`


@pytest.fixture(scope="module")
def action(repository: Path) -> Any:
    return yaml.safe_load((repository / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "ci.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def examples(page: str) -> list[Any]:
    return [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]


@pytest.fixture
def tools(repository: Path, tmp_path: Path) -> Path:
    """A folder with a `lint-m2m` that is this one."""
    folder = tmp_path / "tools"
    folder.mkdir()
    script(folder / "lint-m2m", f'PYTHONPATH="{repository}" exec "{sys.executable}" -m lint_m2m "$@"')
    return folder


def script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def bash(lines: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "LINT_M2M_"))}
    return subprocess.run(
        [*BASH, lines], cwd=folder, env={**kept, **environment}, capture_output=True, encoding="utf-8", check=False
    )


def test_the_action_is_a_composite_one(action: Any) -> None:
    assert set(action) == {"name", "description", "branding", "inputs", "runs"}
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash"
        # A value between the lines of a script would be part of the script.
        assert "${{" not in step["run"]
    for name, given in action["inputs"].items():
        assert isinstance(given["default"], str), name
        assert given["description"].endswith("."), name
    used = re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", yaml.safe_dump(action["runs"]))
    assert sorted(used) == sorted(action["inputs"])


def test_the_action_installs_itself(action: Any, tmp_path: Path) -> None:
    """From where the runner put it, into an environment of its own, with nothing of the project on the path."""
    log = tmp_path / "log"
    environment = tmp_path / "temp dir" / "lint-m2m"
    environment.parent.mkdir()
    script(tmp_path / "inner", f'echo "inner $*" >> "{log}"')
    script(tmp_path / "outer", f'echo "outer $*" >> "{log}"; mkdir -p "$4/bin"; cp "{tmp_path}/inner" "$4/bin/python"')
    done = bash(
        action["runs"]["steps"][0]["run"],
        tmp_path,
        PYTHON=str(tmp_path / "outer"),
        RUNNER_TEMP=str(tmp_path / "temp dir"),
        GITHUB_ACTION_PATH="/the/action",
        GITHUB_OUTPUT=str(tmp_path / "output"),
    )
    assert done.returncode == 0, done.stderr
    assert log.read_text().splitlines() == [
        f"outer -I -m venv {environment}",
        "inner -I -m pip install --quiet --disable-pip-version-check /the/action",
    ]
    assert (tmp_path / "output").read_text() == f"tools={environment}/bin\n"


@pytest.mark.parametrize("lines", [("{}",), ("", "  {}  ", "", "")], ids=["one", "blank lines"])
def test_the_action_checks(action: Any, tools: Path, tmp_path: Path, lines: tuple[str, ...]) -> None:
    site = library(tmp_path / "a site")

    def value(*texts: str) -> str:
        return "\n".join(line.format(text) for text in texts for line in lines)

    done = bash(
        action["runs"]["steps"][1]["run"],
        site,
        TOOLS=str(tools),
        PATHS=value("library", "shop"),
        FORMATS=value("github", "sarif:a b.sarif"),
        OPTIONS=value("--ignore=MTM2", "--fail-on=error"),
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("::error title=MTM101 through-added,file=library/migrations/0002_authorship.py,")
    assert json.loads((site / "a b.sarif").read_text())["version"] == "2.1.0"
    assert "#### error: MTM101 through-added" in (tmp_path / "summary.md").read_text()


def test_the_action_s_defaults(action: Any, tools: Path, tmp_path: Path) -> None:
    site = library(tmp_path / "site")
    defaults = {name.upper(): given["default"] for name, given in action["inputs"].items()}
    given = {name: defaults[name] for name in ("PATHS", "FORMATS", "OPTIONS")}
    done = bash(action["runs"]["steps"][1]["run"], site / defaults["WORKING-DIRECTORY"], TOOLS=str(tools), **given)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == done.stdout.count("::error ") == 1


def test_inputs_are_no_shell(action: Any, tools: Path, tmp_path: Path) -> None:
    """Whoever fills an input with the name of a branch or a file runs nothing, and a path is no option."""
    site = library(tmp_path / "site")
    hostile = '$(touch owned) `touch owned` "; touch owned; " * --exit-zero'
    for name in ("PATHS", "FORMATS", "OPTIONS"):
        given = {"PATHS": ".", "FORMATS": "github", "OPTIONS": "", name: hostile}
        done = bash(action["runs"]["steps"][1]["run"], site, TOOLS=str(tools), **given)
        assert (done.returncode, done.stdout) == (2, ""), name
    done = bash(action["runs"]["steps"][1]["run"], site, TOOLS=str(tools), PATHS="--exit-zero", FORMATS="", OPTIONS="")
    assert done.returncode == 2
    assert "there is no file or folder `./--exit-zero`" in done.stderr
    assert not (site / "owned").exists()


def test_the_page_names_the_action_s_inputs(action: Any, page: str, examples: list[Any]) -> None:
    documented = re.findall(
        r"^\| `([a-z-]+)` \| (?:`(.+)`)? *\| ", page.partition("The action's inputs")[2], re.MULTILINE
    )
    assert documented == [(name, given["default"]) for name, given in action["inputs"].items()]
    for example in examples:
        for job in example.get("jobs", {}).values():
            for step in job["steps"]:
                if "/lint-m2m@" in step.get("uses", ""):
                    assert set(step.get("with", {})) <= set(action["inputs"])


def test_the_page_names_every_machine_format(page: str) -> None:
    named = re.findall(r"^\| `([a-z]+)` \| ", page.partition("`FORMAT:FILE`")[0], re.MULTILINE)
    assert sorted(named) == sorted(name for name, known in FORMATS.items() if known.machine)


def test_files_of_the_workflows_are_written_by_them(examples: list[Any]) -> None:
    text = json.dumps(examples)
    files = re.findall(r'(?:"sarif_file": "|--body-file |body=@)(lint-m2m\.[a-z]+)', text)
    assert sorted(set(files)) == ["lint-m2m.md", "lint-m2m.sarif"]
    for file in files:
        assert f":{file}\\n" in text, file


@pytest.mark.parametrize("known", ["", "17\n18\n"])
def test_the_comment_of_the_last_run_is_found(examples: list[Any], tmp_path: Path, known: str) -> None:
    (step,) = [
        step
        for example in examples
        for job in example.get("jobs", {}).values()
        for step in job["steps"]
        if "MINE" in step.get("env", {})
    ]
    assert MARKER in step["env"]["MINE"]
    script(tmp_path / "gh", f'echo "$*" >> "{tmp_path}/log"; [ "$2" != --paginate ] || printf "{known}"')
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = bash(step["run"], tmp_path, PATH=path, GH_REPO="me/site", NUMBER="5", MINE="filter")
    assert done.returncode == 0, done.stderr
    asked, told = (tmp_path / "log").read_text().splitlines()
    assert asked == "api --paginate repos/me/site/issues/5/comments --jq filter"
    assert told == (
        "api --silent --method PATCH repos/me/site/issues/comments/17 --field body=@lint-m2m.md"
        if known
        else "pr comment 5 --body-file lint-m2m.md"
    )


def test_workflows_ask_for_no_more_rights_than_they_need(examples: list[Any]) -> None:
    workflows = [example for example in examples if "jobs" in example]
    assert [workflow["permissions"] for workflow in workflows] == [
        {"contents": "read"},
        {"contents": "read", "security-events": "write"},
        {"contents": "read", "pull-requests": "write"},
        {"contents": "read"},
    ]


def test_the_gitlab_job(examples: list[Any], tools: Path, tmp_path: Path) -> None:
    (job,) = [example["lint-m2m"] for example in examples if "lint-m2m" in example]
    install, check = job["script"]
    assert install.startswith("pip install ")
    site = library(tmp_path / "site")
    done = bash(check, site, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("error[MTM101]: ")
    reports = job["artifacts"]["reports"]
    (element,) = json.loads((site / reports["codequality"]).read_text())
    assert element["check_name"] == "MTM101"
    assert ElementTree.parse(site / reports["junit"]).getroot().attrib["failures"] == "1"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_the_makefile(page: str, tools: Path, tmp_path: Path) -> None:
    (makefile,) = re.findall(r"^```make\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    site = library(tmp_path / "site")
    (site / "Makefile").write_text(makefile)
    done = bash("make lint-migrations", site, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 2
    assert "error[MTM101]: " in done.stdout
    assert ElementTree.parse(site / "build" / "lint-m2m.xml").getroot().attrib["failures"] == "1"


def test_the_commands_of_the_page(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(library(tmp_path / "site"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    commands = re.findall(r"^\$ lint-m2m (.*)$", page, re.MULTILINE)
    assert commands
    for command in commands:
        assert cli.main(command.split()) == 1, command
        assert capsys.readouterr().err == ""

"""``lint-m2m --print-completion``: scripts that the shells themselves take, and what they complete."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lint_m2m.cli import COMMANDS, parser
from lint_m2m.cli.completion import SHELLS, WORDS
from lint_m2m.reports import FORMATS
from lint_m2m.rules import RULES
from lint_m2m.sequences.offers import sequence_ids
from tests.cli.conftest import Run

pytest.importorskip("shtab")

Lint = Callable[..., Run]
Complete = Callable[..., list[str]]
CODES = [rule.code for rule in RULES]
# What bash does at a press of Tab, apart from asking for the function.
BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
spec=$(complete -p lint-m2m)
[[ $spec == *"-o default "* ]] || exit 3
function=${spec##* -F }; "${function%% *}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module", params=["bash", "fish"])
def complete(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Complete:
    """``complete("check", "--format", "sa")``: what the shell proposes for the last word."""
    from lint_m2m.cli.completion import script

    shell: str = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    folder = tmp_path_factory.mktemp(shell)
    file = folder / "lint-m2m"
    file.write_text(script(shell))
    (folder / "library").mkdir()
    (folder / "library" / "models.py").touch()

    def ask(*words: str) -> list[str]:
        if shell == "bash":
            command = ["bash", "--norc", "-c", BASH, "bash", str(file), "lint-m2m", *words]
        else:
            line = " ".join(["lint-m2m", *words])
            command = ["fish", "--no-config", "-c", f"source {file}; complete -C '{line}'"]
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return [proposed.partition("\t")[0] for proposed in done.stdout.splitlines() if proposed]

    return ask


def test_commands_and_options(complete: Complete) -> None:
    assert set(COMMANDS) <= set(complete(""))
    assert complete("pl") == ["plan"]
    for name in COMMANDS:
        options = {option for action in parser(name)._actions for option in action.option_strings if option[1] == "-"}
        assert options <= set(complete(name, "--")), name
    assert {"--format", "--version", "--print-completion"} <= set(complete("--"))


def test_what_options_take(complete: Complete) -> None:
    assert complete("check", "--select", "MTM") == CODES
    assert complete("--ignore", "MTM20") == [code for code in CODES if code.startswith("MTM20")]
    assert sorted(complete("check", "--format", "")) == sorted(FORMATS)
    assert sorted(complete("plan", "--format", "")) == ["full", "json"]
    assert sorted(complete("prove", "--sequence", "")) == sorted(sequence_ids())
    assert sorted(complete("--fix", "--sequence", "keep")) == ["keep-table"]
    assert sorted(complete("--fail-on", "")) == ["error", "info", "warning"]
    assert sorted(complete("explain", "MTM9")) == ["MTM901", "MTM902", "MTM903", "MTM904"]
    assert complete("--print-completion", "z") == ["zsh"]


def test_files(complete: Complete) -> None:
    assert complete("check", "libr") in (["library"], ["library/"])
    assert complete("check", "--quiet", "library/m") == ["library/models.py"]
    assert complete("prove", "library/m") == ["library/models.py"]
    assert complete("--config", "library/m") == ["library/models.py"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_accepts_its_script(shell: str, lint: Lint, tmp_path: Path) -> None:
    run = lint("--print-completion", shell)
    assert (run.status, run.err) == (0, "")
    assert lint(f"--print-completion={shell}") == run
    assert "MTM101" in run.out
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    (tmp_path / "script").write_text(run.out)
    done = subprocess.run([shell, "-n", "script"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_argument_is_known_to_completion() -> None:
    """A new kind of argument either has its words, or is one that nobody can complete."""
    free = {"APP.MODEL", "APP.MODEL.FIELD", "GITREF", "N", "NAME:FIELD", "URL"}
    words = {action.metavar for name in COMMANDS for action in parser(name)._actions if action.metavar is not None}
    assert words == WORDS.keys() | free | {"DIR", "FILE", "PATH"}


def test_wrong_shells(lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lint("--print-completion", "fsh") == Run(
        2,
        "",
        "lint-m2m: error: `--print-completion` is `fsh`, but has to be one of `bash`, `zsh`, `fish`; nearest: `fish`\n"
        "  try `lint-m2m --help`\n",
    )
    assert lint("--print-completion").err.startswith(
        "lint-m2m: error: `--print-completion` wants a shell: `bash`, `zsh`, `fish`\n"
    )
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "shtab":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    assert lint("--print-completion", "bash") == Run(
        2,
        "",
        "lint-m2m: error: `--print-completion` needs the package shtab: pip install 'lint-m2m[completion]'\n",
    )

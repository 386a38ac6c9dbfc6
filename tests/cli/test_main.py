"""What holds for every command: version, help, start-up, streams, `explain`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import lint_m2m
from lint_m2m import cli
from lint_m2m.rules import RULES
from lint_m2m.rules.base import documentation
from tests.cli.conftest import Run
from tests.cli.projects import library

Lint = Callable[..., Run]
REPOSITORY = Path(__file__).resolve().parents[2]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def process(*arguments: str, cwd: Path | None = None, **changes: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "lint_m2m", *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(lint: Lint, option: str) -> None:
    assert lint(option) == Run(0, f"lint-m2m {lint_m2m.__version__}\n", "")


def test_help_lists_every_command(lint: Lint) -> None:
    run = lint("--help")
    assert (run.status, run.err) == (0, "")
    for name, purpose in cli.COMMANDS.items():
        assert f"\n  {name}" in run.out
        assert purpose in run.out
    assert lint("-h") == run


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_lists_every_option_of_a_command(lint: Lint, name: str) -> None:
    run = lint(name, "--help")
    assert (run.status, run.err) == (0, "")
    for action in cli.parser(name)._actions:
        assert action.help, action
        for option in action.option_strings:
            assert option in run.out
    assert lint(name, "whatever", "-h") == run


def test_what_the_program_has() -> None:
    assert {"check", "explain", "check --verbose", "explain --color"} <= cli.available()
    assert "check --unheard-of" not in cli.available()


def loaded(*arguments: str) -> set[str]:
    """The modules that a run has loaded."""
    code = f"""
import json, sys
from lint_m2m.cli import main
main({list(arguments)!r})
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_version_loads_less_than_argparse() -> None:
    """Counted, not timed: a bare interpreter with argparse is the yardstick."""
    bare = subprocess.run(
        [sys.executable, "-c", "import argparse, json, sys; print(json.dumps(sorted(sys.modules)))"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    more = loaded("--version") - set(json.loads(bare.stdout))
    assert {name for name in more if name.startswith("lint_m2m")} == {"lint_m2m", "lint_m2m.cli"}
    heavy = {"argparse", "ast", "dataclasses", "difflib", "importlib.metadata", "inspect", "pathlib", "tomllib"}
    assert heavy & loaded("--version") == set()
    assert more == {"__future__", "lint_m2m", "lint_m2m.cli"}


def test_importing_the_package_is_nearly_free() -> None:
    code = "import sys; before = set(sys.modules); import lint_m2m; print(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert int(done.stdout) == 1  # itself


def test_closed_pipe_is_quiet(tmp_path: Path) -> None:
    """``lint-m2m | head``: no traceback, no message at the interpreter's end, the status is what was found."""
    root = library(tmp_path)
    for arguments, status in (
        ("explain", 0),
        ("--version", 0),
        ("--help", 0),
        (str(root), 1),
        (f"{root} --format=json", 1),
    ):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-m", "lint_m2m", *arguments.split()],
            env=environment(),
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(write)
        assert (done.returncode, done.stderr) == (status, b""), arguments


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no device that is always full")
def test_a_full_disk_is_no_internal_error(tmp_path: Path) -> None:
    root = library(tmp_path)
    for arguments in ("explain", str(root), f"{root} --format=json"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "lint_m2m", *arguments.split()],
                env=environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        message = b"lint-m2m: error: the report cannot be written: no space left on device\n"
        assert (done.returncode, done.stderr) == (2, message), arguments


def test_more_than_one_rule_to_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "MTM101", "MTM102"]) == 2
    assert "one argument too many: `MTM102`" in capsys.readouterr().err


def test_streams_that_are_closed(tmp_path: Path) -> None:
    """Started by something that gives it no stderr, or no stdout."""
    root = library(tmp_path)
    for closing, status in (("2>&-", 1), (">&- 2>&-", 1), (">&-", 1)):
        done = subprocess.run(
            ["sh", "-c", f'"$0" -m lint_m2m "$1" {closing}', sys.executable, str(root)],
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in done.stderr + done.stdout
        assert done.returncode == status, (closing, done)


def test_ascii_only_stream(tmp_path: Path) -> None:
    root = library(tmp_path)
    for migration in root.glob("library/migrations/0*.py"):
        text = migration.read_text(encoding="utf-8").replace("Book", "Büch").replace('book"', 'büch"')
        migration.write_text(text, encoding="utf-8")
    for encoding in ("ascii", "latin-1"):
        done = process(str(root), PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (1, b"")
        text = done.stdout.decode(encoding)
        assert ("`library.B\\xfcch.authors`" if encoding == "ascii" else "`library.Büch.authors`") in text, text
        # The machine formats are UTF-8 all the same.
        done = process(str(root), "--format", "json", PYTHONIOENCODING=encoding)
        assert "`library.Büch.authors`" in done.stdout.decode("utf-8")


def test_interrupted_by_a_signal(tmp_path: Path) -> None:
    """While it waits for the writer of its own configuration file."""
    root = library(tmp_path)
    code = """
import lint_m2m.engine, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background has it ignored
lint_m2m.engine.run = lambda *a, **k: (print("ready", flush=True), time.sleep(60))
from lint_m2m.cli import main
sys.exit(main([sys.argv[1]]))
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(root)], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, b"", b"")


def test_explain_lists_the_rules(lint: Lint) -> None:
    run = lint("explain")
    assert (run.status, run.err) == (0, "")
    lines = run.out.splitlines()
    assert [line.split()[:3] for line in lines] == [[rule.code, rule.name, rule.severity.value] for rule in RULES]
    assert lines[0].endswith("`through=` added to an existing many-to-many field.")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_explain_prints_the_documentation(lint: Lint, rule: type) -> None:
    code: str = rule.code  # type: ignore[attr-defined]
    run = lint("explain", code)
    assert (run.status, run.err) == (0, "")
    head, _, body = run.out.partition("\n\n")
    assert head.startswith(f"{code} {rule.name} (")  # type: ignore[attr-defined]
    assert body.strip() == documentation(rule)


def test_explain_takes_names_and_small_letters(lint: Lint) -> None:
    expected = lint("explain", "MTM101")
    assert lint("explain", "mtm101") == expected
    assert lint("explain", "through-added") == expected


def test_explain_in_color(lint: Lint) -> None:
    run = lint("explain", "MTM101", "--color", "always")
    assert "\x1b[" in run.out
    assert "##" not in run.out
    assert "```" not in run.out


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "utf-8"])
def test_explain_on_any_stream(encoding: str) -> None:
    for arguments in (["MTM101", "--color", "always"], ["MTM101"], []):
        done = process("explain", *arguments, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, b""), arguments
        assert b"through-added" in done.stdout
        done.stdout.decode(encoding)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("MTM110", "nearest: `MTM10"),
        ("thruogh-added", "nearest: `through-added`"),
        ("E501", "`lint-m2m explain` lists them"),
    ],
)
def test_explain_names_the_nearest(lint: Lint, code: str, hint: str) -> None:
    run = lint("explain", code)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"lint-m2m: error: there is no rule `{code}`; {hint}"), run.err
    assert run.err.endswith("\n  try `lint-m2m explain --help`\n"), run.err


def test_explain_takes_one_code(lint: Lint) -> None:
    assert lint("explain", "MTM101", "MTM102").status == 2


def test_module_and_script_are_the_same(tmp_path: Path) -> None:
    root = library(tmp_path)
    start = time.perf_counter()
    done = process(str(root), "--format", "concise")
    assert done.returncode == 1
    assert b"MTM101" in done.stdout
    assert time.perf_counter() - start < 30

"""`--fix` writes the very files that the proofs of the sequences are about (`tests/sequences/test_proofs.py`).

So what real Django says there holds here: every row forward, backward and forward again, `makemigrations --check` with
nothing to say once models.py has what is left to the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from lint_m2m import rewrite
from lint_m2m.config import Config
from lint_m2m.engine import run
from lint_m2m.sequences.values import Instruction, ModelsChange
from tests.sequences.cases import CASES
from tests.sequences.projects import Case, written
from tests.sequences.reality import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def configure(root: Path) -> Config:
    return Config(django_version=django.VERSION[:2], database="sqlite")


def migrations(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.glob("*/migrations/*.py"))}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_files_are_those_that_are_proved(case: Case, server: Server, tmp_path: Path) -> None:
    folder = case.build(tmp_path / "project", server)
    outcome = run([folder], configure)
    field = ".".join((*case.field[:2], case.reported or case.field[2]))
    finding = next(one for one in outcome.report.findings if one.field == field and one.sequences)
    way = next(one for one in outcome.ways_out if one.fingerprint == finding.fingerprint)
    for name in case.sequences:
        proposal = next(one for one in way.proposals if one.id == name)
        rewriting = rewrite.plan(outcome, configure, rewrite.Choice(id=name, unsafe=True))
        (fix,) = rewriting.fixes
        assert fix.sequence == name
        assert len(fix.left) == sum(isinstance(one, ModelsChange | Instruction) for one in proposal.changes)
        proved = migrations(written(proposal, folder, tmp_path / name))
        changed = {change.path: change.after.decode() for change in rewriting.changes}
        assert {**migrations(folder), **changed} == proved

"""Every sequence in every situation, with real Django: forward with all rows, backward, forward again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lint_m2m.engine import WayOut
from lint_m2m.finding import Applicability, Downtime
from lint_m2m.sequences.values import NewMigration, ReplaceOperations
from tests.sequences.cases import CASES
from tests.sequences.projects import Case, check, formatted, written
from tests.sequences.reality import Server

# A rename is what it is: the finding that says so stays.
ALWAYS = {name: {"MTM401"} for name in ("rename-table", "drop-through-rename-table", "rename-through")}


class Built(NamedTuple):
    folder: Path
    way: WayOut


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="session")
def database_server(database_url: str) -> Iterator[Server]:
    started = Server(database_url)
    yield started
    started.close()


@pytest.fixture(scope="session")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """Projects by the case's name, made when first asked for."""
    return {}


def project(
    case: Case, built: dict[str, Built], server: Server, factory: pytest.TempPathFactory, vendor: str = "sqlite"
) -> Built:
    name = f"{case.name} {vendor}"
    if name not in built:
        folder = case.build(factory.mktemp("case") / "project", server)
        findings, ways = check(folder, vendor)
        field = ".".join((*case.field[:2], case.reported or case.field[2]))
        way = next((one for one in ways if one.situation.finding and one.situation.finding.field == field), None)
        assert way is not None, [f"{one.code} {one.message}" for one in findings]
        built[name] = Built(folder, way)
    return built[name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sequences_of_a_situation(
    case: Case, built: dict[str, Built], server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = project(case, built, server, tmp_path_factory)
    ids = tuple(one.id for one in found.way.proposals if one.applicability is not Applicability.DISPLAY)
    assert ids == case.sequences
    shown = tuple(one.id for one in found.way.proposals if one.applicability is Applicability.DISPLAY)
    assert set(case.shown) <= set(shown)
    assert [one.recommended for one in found.way.proposals].count(True) == 1 or not case.sequences
    assert found.way.proposals[0].recommended or not case.sequences


PROOFS = [
    pytest.param(case, name, id=f"{case.name}-{name}") for case in CASES for name in (*case.sequences, *case.shown)
]


@pytest.mark.parametrize(("case", "name"), PROOFS)
def test_proof(
    case: Case,
    name: str,
    built: dict[str, Built],
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    prove(case, name, project(case, built, server, tmp_path_factory), server, tmp_path)


@pytest.mark.parametrize(("case", "name"), PROOFS)
def test_proof_on_servers(
    case: Case,
    name: str,
    built: dict[str, Built],
    server: Server,
    database_server: Server,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    vendor = "postgresql" if database_url.startswith("postgres") else "mysql"
    prove(case, name, project(case, built, server, tmp_path_factory, vendor), database_server, tmp_path, vendor)


def prove(case: Case, name: str, found: Built, server: Server, tmp_path: Path, vendor: str = "sqlite") -> None:
    proposal = next(one for one in found.way.proposals if one.id == name)
    folder = written(proposal, found.folder, tmp_path / "project")
    changed = [folder / one.path for one in proposal.changes if isinstance(one, NewMigration | ReplaceOperations)]
    show = "\n\n".join(f"# {path.name}\n{path.read_text()}" for path in changed)
    migration = found.way.situation.migration
    assert migration is not None
    before = {}
    for app in sorted({path.parent.parent.name for path in found.folder.glob("*/migrations/0*.py")}):
        names = sorted(path.stem for path in (found.folder / app / "migrations").glob("0*.py"))
        before[app] = next((one for one in reversed(names) if not one.endswith("_change")), "zero")
    answer = server.ask(
        "prove",
        folder,
        field=case.field,
        before=before,
        guilty=[migration.app_label, migration.name],
        old_code=proposal.downtime is Downtime.NONE,
        twice=case.twice,
        was=case.was,
        single=case.single,
        settings=dict(case.settings),
    )
    assert answer["wrong"] == [], show
    findings, _ = check(folder, vendor)
    allowed = ALWAYS.get(name, set()) | case.remaining.get(name, frozenset())
    left = [f"{one.code} {one.message}" for one in findings if one.code not in allowed]
    assert left == [], show
    if case.formatted:
        assert formatted(*changed) == ""

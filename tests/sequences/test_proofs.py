"""Every sequence in every situation, with real Django: forward with all rows, backward, forward again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lint_m2m.engine.ways_out import WayOut
from lint_m2m.finding import Applicability, Downtime
from lint_m2m.prove.project import build
from lint_m2m.prove.reading import Reading
from lint_m2m.prove.run import django_version
from lint_m2m.prove.values import NotProvable
from lint_m2m.readers.options import ReadOptions
from lint_m2m.sequences.values import Instruction, NewMigration, ReplaceOperations
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


def test_columns_with_values_are_refused(
    built: dict[str, Built], server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing to paste drops a column; the reason names every one of them."""
    case = next(one for one in CASES if one.name == "removed with more fields")
    [refusal] = project(case, built, server, tmp_path_factory).way.proposals
    assert refusal.title == (
        "refused: an automatic table has no place for the values of `note`, `editor`, `_order` of `Authorship`"
    )
    assert all(isinstance(change, Instruction) for change in refusal.changes)
    assert refusal.changes[0].code == (  # type: ignore[union-attr]
        'class Book(models.Model):\n    authors = models.ManyToManyField(\n        related_name="books",\n'
        '        through="library.Authorship",\n        to="library.author",\n    )'
    )


def test_values_beside_another_key_are_refused(
    built: dict[str, Built], server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Links that are copied are no reason to drop the model's other values."""
    case = next(one for one in CASES if one.name == "through model of another key lost with its values")
    [refusal] = project(case, built, server, tmp_path_factory).way.proposals
    assert refusal.title == "refused: an automatic table has no place for the values of `note` of `Authorship`"
    assert all(isinstance(change, Instruction) for change in refusal.changes)


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


# What is only shown, `lint-m2m prove` does not run.
OFFERED = [pytest.param(case, name, id=f"{case.name}-{name}") for case in CASES for name in case.sequences]


@pytest.mark.parametrize(("case", "name"), OFFERED)
def test_minimal_project(
    case: Case,
    name: str,
    built: dict[str, Built],
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    """What `lint-m2m prove` runs, with nothing of the project's own in it, comes to the same."""
    found = project(case, built, server, tmp_path_factory)
    proposal = next(one for one in found.way.proposals if one.id == name)
    reading = Reading(found.folder, ReadOptions())
    if case.not_provable is not None:
        with pytest.raises(NotProvable, match=case.not_provable):
            build(found.way.situation, proposal, reading, django_version())
        return
    minimal = build(found.way.situation, proposal, reading, django_version())
    for path, text in minimal.files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    answer = server.ask(
        "prove",
        tmp_path,
        field=list(minimal.field),
        before=minimal.before,
        first=list(minimal.first),
        old_code=minimal.old_code,
        link_columns=list(minimal.link_columns),
        was=minimal.was,
        twice=case.twice,
        rows=10,
        settings={"DEFAULT_AUTO_FIELD": minimal.default_auto_field},
    )
    assert answer["wrong"] == [], "\n\n".join(f"# {path}\n{text}" for path, text in minimal.files.items())
    assert answer["rows_again"] >= 10


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
    before: dict[str, str | None] = {}
    for app in sorted({path.parent.parent.name for path in found.folder.glob("*/migrations/0*.py")}):
        names = sorted(path.stem for path in (found.folder / app / "migrations").glob("0*.py"))
        before[app] = next((one for one in reversed(names) if not one.endswith("_change")), None)
    answer = server.ask(
        "prove",
        folder,
        field=case.field,
        before=before,
        first=[migration.app_label, migration.name],
        old_code=proposal.downtime is Downtime.NONE,
        twice=case.twice,
        was=case.was,
        single=case.single,
        rows=10,
        settings=dict(case.settings),
    )
    wrong = answer["wrong"]
    if found.way.situation.link is not None and found.way.situation.link.key_type is None:
        # No file tells the class of the table's key; the sequence says so (MTM304).
        wrong = [one for one in wrong if not (one.startswith("schema: column") and ".id` is a" in one)]
    assert wrong == [], show
    assert answer["rows_again"] >= 10, show
    findings, _ = check(folder, vendor)
    allowed = ALWAYS.get(name, set()) | case.remaining.get(name, frozenset())
    left = [f"{one.code} {one.message}" for one in findings if one.code not in allowed]
    assert left == [], show
    if case.formatted:
        assert formatted(*changed) == ""

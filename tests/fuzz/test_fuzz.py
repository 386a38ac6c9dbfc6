"""Random and damaged inputs, made by hypothesis from fixed seeds: never a traceback, a hang, or memory without end.

``LINT_M2M_FUZZ`` is how many there are in all (1,200); `SHARES` says of which kind. What was found is a test elsewhere:
tests/hostile/ and `FOUND`. guided.py does the same with inputs that coverage leads to.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import inputs
from tests.fuzz.targets import Targets, bounded

TOTAL = int(os.environ.get("LINT_M2M_FUZZ", "1200"))
# Another course of the same length: for those who look for more.
FIRST_SEED = int(os.environ.get("LINT_M2M_FUZZ_SEED", "1"))
# So many inputs are one test, for several processes to share.
CHUNK = 500

sources = st.one_of(inputs.edited(inputs.migrations()), inputs.operations)
SHARES: dict[str, tuple[float, st.SearchStrategy[bytes]]] = {
    "reader": (0.26, inputs.edited(inputs.migrations())),
    "project": (0.18, sources),
    "sql": (0.24, inputs.edited(inputs.statements())),
    "configuration": (0.16, st.one_of(inputs.edited(inputs.configurations()), inputs.tables)),
    "comments": (0.16, inputs.edited(inputs.migrations())),
}
CHUNKS = [
    pytest.param(name, number, min(CHUNK, count - done), id=f"{name}-{number}")
    for name, (share, _) in SHARES.items()
    for count in [round(TOTAL * share)]
    for number, done in enumerate(range(0, count, CHUNK))
]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    return Targets(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize(("name", "number", "count"), CHUNKS)
def test_nothing_is_too_odd(
    targets: Targets, name: str, number: int, count: int, record_property: Callable[[str, object], None]
) -> None:
    target = getattr(targets, name)
    done = 0

    @seed(FIRST_SEED * 1_000_000 + number)
    @settings(
        max_examples=count,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[*HealthCheck],
    )
    @given(SHARES[name][1])
    def one(source: bytes) -> None:
        nonlocal done
        done += 1
        with bounded():
            target(source)

    one()
    assert done >= count
    record_property("inputs", done)


# What made trouble once. Each was a bug, and is mended.
FOUND: list[tuple[str, bytes]] = [
    # No clause at all.
    ("sql", b"MERGE INTO a USING b"),
    # A model's name with a dot in it, in a finding that may want a copy of its links.
    (
        "project",
        b"""from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE library_book_authors RENAME TO library_a"),
        migrations.RenameModel("Book", "library.A"),
    ]
""",
    ),
]


@pytest.mark.parametrize(("name", "source"), FOUND)
def test_what_was_found(targets: Targets, name: str, source: bytes) -> None:
    with bounded():
        getattr(targets, name)(source)


def test_the_seeds_are_there() -> None:
    assert len(inputs.migrations()) > 200
    assert len(inputs.statements()) > 20
    assert len(inputs.configurations()) > 20
    for source in inputs.migrations()[:50]:
        assert inputs.damaged(source, source, 0, 0, []) == source


def test_an_endless_input_is_noticed() -> None:
    from tests.fuzz.targets import TooLong

    def endless() -> None:
        while True:
            pass

    with pytest.raises(TooLong), bounded():
        endless()


def test_a_large_input_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError), bounded():
        bytearray(b"x") * (600 << 20)

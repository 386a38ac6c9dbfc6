"""One root, several Django projects: which apps belong together.

Within one project labels are unique: Django refuses to start otherwise. Two apps with one label below one root are
therefore two projects' (an examples folder, a monorepo, test projects), or one app twice (a vendored copy). Where no
label occurs twice everything stays together, because migrations refer to other apps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from lint_m2m.readers.project.tree import is_below, nearest
from lint_m2m.values import frozen

# Folders whose apps are not the ones the root is about. Only asked where labels clash.
_ASIDE: Final = (
    r"(?i)(?:^|[_.-])(?:tests?|testing|testproject|examples?|demos?|samples?|sandbox|docs?|fixtures?|vendor(?:ed)?"
    r"|third_?party|extern(?:al)?|build|dist|benchmarks?|templates?|cookiecutter|backup|old|copy)(?:$|[_.-])|\{\{"
)


@frozen
class Place:
    """An app: its folder relative to the root, and its label."""

    folder: str
    label: str


@frozen
class Group:
    """Apps that belong together; no label occurs twice. `folder` holds them, except those shared by several groups."""

    folder: str
    places: tuple[Place, ...]


def group(places: Sequence[Place], entries: Collection[str], uses: Callable[[str, Place], bool]) -> tuple[Group, ...]:
    """The groups of `places`, the one that is the root's own first. `entries` are the folders with a manage.py.

    A place may be in several groups: an app outside all projects, which several of them use. `uses` says whether the
    project in an entry's folder does.
    """
    groups = [part for anchored in _by_entry(places, entries, uses) for part in _by_folder(anchored)]
    return tuple(sorted(groups, key=lambda one: (one.folder.count("/") + bool(one.folder), one.folder)))


def _by_entry(places: Sequence[Place], entries: Collection[str], uses: Callable[[str, Place], bool]) -> list[Group]:
    """Separate the projects that clash, each with its own manage.py."""
    everything = Group(folder="", places=tuple(places))
    if not _clashes(places):
        return [everything]
    homes: dict[str | None, list[Place]] = {}
    for place in places:
        homes.setdefault(nearest(place.folder, entries), []).append(place)
    # Where the rest belongs: the root's own manage.py, else no manage.py at all.
    rest = "" if "" in entries else None
    by_label: dict[str, set[str | None]] = {}
    for home, members in homes.items():
        for place in members:
            by_label.setdefault(place.label, set()).add(home)
    apart = sorted({home for found in by_label.values() if len(found) > 1 for home in found if home and home != rest})
    if not apart:
        return [everything]
    shared = _without_clashes(homes.get(None, [])) if rest is None else []
    groups = []
    for home in apart:
        labels = {place.label for place in homes[home]}
        used = [place for place in shared if place.label not in labels and uses(home, place)]
        groups.append(Group(folder=home, places=(*homes[home], *used)))
    remaining = [place for home, members in homes.items() if home not in apart for place in members]
    grouped = {place for one in groups for place in one.places}
    if any(place not in grouped for place in remaining):
        groups.append(Group(folder="", places=tuple(remaining)))
    return groups


def _by_folder(whole: Group) -> Iterator[Group]:
    """Separate the folders that clash below their common one, until no label occurs twice."""
    pending = [whole]
    while pending:
        one = pending.pop()
        clashes = _clashes(one.places)
        if not clashes:
            yield one
            continue
        shared = {label: _common(folders) for label, folders in clashes.items()}
        common = min(shared.values(), key=lambda path: (path.count("/"), path))
        clashing = {folder for label in clashes if shared[label] == common for folder in clashes[label]}
        apart: dict[str, list[Place]] = {_child(folder, common): [] for folder in sorted(clashing - {common})}
        own = [child for child in apart if not _is_aside(child, common)]
        if len(own) == 1 and common not in clashing:
            del apart[own[0]]
        rest: list[Place] = []
        for place in one.places:
            inside = place.folder != common and is_below(place.folder, common)
            apart.get(_child(place.folder, common) if inside else "", rest).append(place)
        pending += [Group(folder=child, places=tuple(places)) for child, places in apart.items()]
        if rest:
            pending.append(Group(folder=one.folder, places=tuple(rest)))


def _clashes(places: Sequence[Place]) -> dict[str, list[str]]:
    """Label -> folders, for labels that occur twice."""
    folders: dict[str, list[str]] = {}
    for place in places:
        folders.setdefault(place.label, []).append(place.folder)
    return {label: found for label, found in sorted(folders.items()) if len(found) > 1}


def _without_clashes(places: Sequence[Place]) -> list[Place]:
    clashing = _clashes(places)
    return [place for place in places if place.label not in clashing]


def _common(folders: Sequence[str]) -> str:
    """The deepest folder that holds all of them (or is one of them)."""
    parts = [folder.split("/") if folder else [] for folder in folders]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared)


def _child(folder: str, common: str) -> str:
    """The folder directly below `common` that holds `folder`."""
    below = folder[len(common) + 1 :] if common else folder
    name = below.partition("/")[0]
    return f"{common}/{name}" if common else name


def _is_aside(child: str, common: str) -> bool:
    return re.search(_ASIDE, child[len(common) :].strip("/")) is not None

"""Write docs/real-projects.md: what lint-m2m says of real projects from PyPI, with the verdict on every finding.

    python docs/real_projects.py                   download, check, write docs/real-projects.md
    python docs/real_projects.py --only kolibri    check some projects, print their part, write nothing
    python docs/real_projects.py --downloads DIR   keep the downloaded wheels there (default: build/real-projects)

docs/real_projects.toml pins the projects and holds what a person said of each finding. The exit status is 1 when a
finding has no verdict, a verdict fits no finding, a place is not reported as written down there, or a check fails.

Nothing of the projects is run: wheels only, so that pip builds nothing, pinned by their hash; each is unpacked into a
folder of its own and checked by a process of its own, with lint-m2m's own configuration and not the project's.
What is installed beside lint-m2m counts, because field classes are looked up there: run it in an environment with
lint-m2m alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY / "docs" / "real_projects.toml"
PAGE = REPOSITORY / "docs" / "real-projects.md"
DOWNLOADS = REPOSITORY / "build" / "real-projects"
# More than any project has; what has more is no project.
MOST_FILES, MOST_BYTES = 100_000, 1_000_000_000
VERDICTS = ("true", "false alarm")
NOT_LOOKED_AT = "not looked at"

# Runs in the subprocess. The configuration is lint-m2m's own, whatever pyproject.toml the project ships.
CHECK = """
import sys
sys.path.insert(0, sys.argv[1])
from lint_m2m import Config, check
from lint_m2m.reports import render
sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(render(check(sys.argv[2], Config()), "json"))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person said of one finding, and the finding's identity: only what tells it from others is given."""

    code: str
    migration: str
    operation: str | None
    field: str | None
    verdict: str
    reason: str

    def fits(self, finding: Mapping[str, Any]) -> bool:
        return (
            finding["code"] == self.code
            and place(finding) == self.migration
            and self.operation in (None, finding["operation"])
            and self.field in (None, finding["field"])
        )

    def __str__(self) -> str:
        parts = (self.code, self.migration, self.operation, self.field)
        return " ".join(part for part in parts if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A change of a many-to-many that was read by a person: what the project does there, and what is to be said of it.

    `codes` are the rules that report something in that migration, each as often as it does.
    """

    migration: str
    does: str
    codes: tuple[str, ...]
    judged: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One project of the data file."""

    name: str
    version: str
    sha256: str
    verdicts: tuple[Verdict, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A project and what was said of it: the JSON report, or why there is none. `files` are its Python files' names."""

    project: Pinned
    files: frozenset[str] = frozenset()
    report: Mapping[str, Any] | None = None
    failure: str | None = None

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        return [] if self.report is None else self.report["findings"]


# The data file


def read_data(text: str) -> tuple[Pinned, ...]:
    """The projects of the data file, by name. Raises ValueError for an unknown or missing key, and for doubles."""
    document = tomllib.loads(text)
    _keys(document, {"project"}, set(), "the data file")
    projects = []
    for entry in document["project"]:
        about = f"project {entry.get('name')!r}"
        _keys(entry, {"name", "version", "sha256"}, {"verdict", "place"}, about)
        projects.append(
            Pinned(
                name=entry["name"],
                version=entry["version"],
                sha256=entry["sha256"],
                verdicts=tuple(_verdict(each, about) for each in entry.get("verdict", [])),
                places=tuple(_place(each, about) for each in entry.get("place", [])),
            )
        )
    doubles = [name for name, count in Counter(project.name for project in projects).items() if count > 1]
    if doubles:
        raise ValueError(f"projects that stand there twice: {', '.join(doubles)}")
    return tuple(sorted(projects, key=lambda project: project.name.lower()))


def _verdict(entry: Mapping[str, str], about: str) -> Verdict:
    _keys(entry, {"code", "migration", "verdict", "reason"}, {"operation", "field"}, f"a verdict of {about}")
    if entry["verdict"] not in VERDICTS:
        raise ValueError(f"a verdict of {about} is {entry['verdict']!r}, not one of {', '.join(VERDICTS)}")
    return Verdict(
        code=entry["code"],
        migration=entry["migration"],
        operation=entry.get("operation"),
        field=entry.get("field"),
        verdict=entry["verdict"],
        reason=entry["reason"],
    )


def _place(entry: Mapping[str, Any], about: str) -> Place:
    _keys(entry, {"migration", "does", "judged"}, {"codes"}, f"a place of {about}")
    return Place(
        migration=entry["migration"],
        does=entry["does"],
        codes=tuple(sorted(entry.get("codes", []))),
        judged=entry["judged"],
    )


def _keys(entry: Mapping[str, object], required: set[str], optional: set[str], about: str) -> None:
    if missing := required - entry.keys():
        raise ValueError(f"{about} has no {', '.join(sorted(missing))}")
    if unknown := entry.keys() - required - optional:
        raise ValueError(f"{about} has the unknown {', '.join(sorted(unknown))}")


# From PyPI to reports


def download(project: Pinned, folder: Path) -> Path:
    """The project's wheel, from `folder` or else from PyPI.

    Raises CalledProcessError when pip cannot get it, ValueError for a kept file that is not the pinned one.
    """
    folder = folder / f"{project.name}-{project.version}"
    if not (found := sorted(folder.glob("*.whl"))):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            requirements = Path(scratch) / "requirements.txt"
            requirements.write_text(f"{project.name}=={project.version} --hash=sha256:{project.sha256}\n", "utf-8")
            options = ["--quiet", "--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--require-hashes"]
            subprocess.run(
                [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), "-r", str(requirements)],
                check=True,
            )
        found = sorted(folder.glob("*.whl"))
    if hashlib.sha256(found[0].read_bytes()).hexdigest() != project.sha256:
        raise ValueError(f"{found[0].name} is not the pinned one")
    return found[0]


def unpack(wheel: Path, target: Path) -> None:
    """Write the Python files of the wheel below `target`. Raises ValueError for a wheel that is not what it should be.

    The sizes that an archive states are not believed: what is written is counted.
    """
    left = MOST_BYTES
    with zipfile.ZipFile(wheel) as archive:
        members = archive.infolist()
        if len(members) > MOST_FILES:
            raise ValueError(f"{wheel.name} has {len(members)} files")
        for member in members:
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename:
                raise ValueError(f"{wheel.name} has a file {member.filename!r}")
            if member.is_dir() or path.suffix != ".py":
                continue
            file = target.joinpath(*path.parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source:
                content = source.read(left + 1)
            left -= len(content)
            if left < 0:
                raise ValueError(f"{wheel.name} has more than {MOST_BYTES:,} bytes")
            file.write_bytes(content)


def check(project: Pinned, root: Path) -> Checked:
    """What lint-m2m says of the project unpacked in `root`, asked in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHECK, str(REPOSITORY), str(root)],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return Checked(project=project, failure=lines[-1])
    files = frozenset(file.name for file in root.rglob("*.py"))
    return Checked(project=project, files=files, report=json.loads(done.stdout))


def checked(projects: Iterable[Pinned], downloads: Path) -> Iterator[Checked]:
    for project in projects:
        sys.stderr.write(f"{project.name} {project.version}\n")
        with tempfile.TemporaryDirectory() as scratch:
            try:
                unpack(download(project, downloads), Path(scratch))
                yield check(project, Path(scratch))
            except (OSError, ValueError, zipfile.BadZipFile, subprocess.SubprocessError) as error:
                yield Checked(project=project, failure=str(error))


# What is wrong


def place(finding: Mapping[str, Any]) -> str:
    """How the data file calls the migration of a finding, or the file that is none."""
    if finding["migration"] is None:
        return str(finding["path"])
    return f"{finding['app_label']}.{finding['migration']}"


def verdict_on(finding: Mapping[str, Any], project: Pinned) -> Verdict | None:
    return next((verdict for verdict in project.verdicts if verdict.fits(finding)), None)


def problems(results: Iterable[Checked]) -> list[str]:
    """What makes the exit status 1, one line each."""
    found = []
    for result in results:
        name = result.project.name
        if result.failure is not None:
            found.append(f"{name}: the check failed: {result.failure}")
            continue
        for finding in result.findings:
            if verdict_on(finding, result.project) is None:
                where = f"{place(finding)} {finding['operation'] or ''}".rstrip()
                found.append(f"{name}: {NOT_LOOKED_AT}: {finding['code']} {where}: {finding['message']}")
        for verdict in result.project.verdicts:
            if not any(verdict.fits(finding) for finding in result.findings):
                found.append(f"{name}: a verdict fits no finding: {verdict}")
        for one in result.project.places:
            if one.migration.partition(".")[2] + ".py" not in result.files:
                found.append(f"{name}: there is no {one.migration}")
            said = tuple(sorted(finding["code"] for finding in result.findings if place(finding) == one.migration))
            if said != one.codes:
                found.append(f"{name}: {one.migration}: expected {_codes(one.codes)}, reported {_codes(said)}")
    return found


# The page

INTRODUCTION = """\
# Real projects

What lint-m2m says of projects that people use, and what is true of it. `python docs/real_projects.py` writes this page
anew: it downloads the pinned wheels, unpacks them and checks each in a process of its own, without configuration.
[real_projects.toml](real_projects.toml) has the versions, the hashes and the verdicts. Each finding was judged by
reading the migration, its neighbours and the models.

"Unread" counts the parts of migrations that only running code tells, as `--verbose` lists them; a part that has to do
with a many-to-many is a finding, MTM902. The projects are checked alone: packages they depend on are not installed, so
that a field class from one of them is not known.
"""
PLACES = """\
## Places that are easy to get wrong

Operations at which a checker that looks at one file, or at one pattern, goes astray: read by a person first, then
compared with what is reported. "Silent" means that nothing is reported in that migration.
"""


def page(results: Sequence[Checked]) -> str:
    """The whole of docs/real-projects.md."""
    parts = [INTRODUCTION, _summary(results), _table(results)]
    parts.append("## Findings\n")
    parts += [findings_of(result) for result in results if result.findings or result.failure]
    places = [(result.project, one) for result in results for one in result.project.places]
    if places:
        rows = ["| project | migration | what it does | what is said |", "|---|---|---|---|"]
        rows += [_row(project, one) for project, one in places]
        parts += [PLACES, "\n".join(rows)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _row(project: Pinned, one: Place) -> str:
    return f"| {project.name} | `{one.migration}` | {one.does} | {_codes(one.codes)}: {one.judged} |"


def _summary(results: Sequence[Checked]) -> str:
    done = [result for result in results if result.report is not None]
    migrations = sum(result.report["summary"]["migrations"] for result in done if result.report is not None)
    findings = [finding for result in done for finding in result.findings]
    severities = Counter(finding["severity"] for finding in findings)
    said = [verdict_on(finding, result.project) for result in done for finding in result.findings]
    verdicts = Counter(NOT_LOOKED_AT if verdict is None else verdict.verdict for verdict in said)
    failed = len(results) - len(done)
    return (
        f"{len(done)} projects, {migrations:,} migrations: {_count(severities['error'], 'error')},"
        f" {_count(severities['warning'], 'warning')}, {severities['info']} info. Verdicts: "
        + ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in (*VERDICTS, NOT_LOOKED_AT))
        + f". Checks that failed: {failed}.\n"
    )


def _table(results: Iterable[Checked]) -> str:
    rows = ["| project | version | apps | migrations | unread | findings |", "|---|---|---:|---:|---:|---|"]
    for result in results:
        project = result.project
        if result.report is None:
            rows.append(f"| {project.name} | {project.version} | | | | check failed |")
            continue
        summary = result.report["summary"]
        codes = _counted(finding["code"] for finding in result.findings)
        rows.append(
            f"| {project.name} | {project.version} | {summary['apps']} | {summary['migrations']} |"
            f" {summary['unread']} | {codes} |"
        )
    return "\n".join(rows) + "\n"


def findings_of(result: Checked) -> str:
    """The part of one project: every finding with its verdict."""
    lines = [f"### {result.project.name} {result.project.version}", ""]
    if result.failure is not None:
        return "\n".join([*lines, f"The check failed: {_safe(result.failure)}", ""])
    for finding in result.findings:
        verdict = verdict_on(finding, result.project)
        certainty = "" if finding["certainty"] == "certain" else f", {finding['certainty']}"
        judged = f"**{NOT_LOOKED_AT}**" if verdict is None else f"**{verdict.verdict}**: {verdict.reason}"
        lines += [
            f"- {finding['severity']} {finding['code']}{certainty}, `{finding['path']}` line {finding['line']}:",
            f"  {_safe(finding['message'])}.",
            f"  {judged}",
        ]
    return "\n".join([*lines, ""])


def _safe(text: str) -> str:
    """Text from a stranger's file, as Markdown: code in it is code already, nothing else may be markup."""
    return text.replace("\n", " ").replace("<", "&lt;").replace("|", "\\|")


def _counted(codes: Iterable[str]) -> str:
    return ", ".join(code if count == 1 else f"{code} × {count}" for code, count in sorted(Counter(codes).items()))


def _codes(codes: Iterable[str]) -> str:
    return _counted(codes) or "silent"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write docs/real-projects.md.")
    parser.add_argument("--only", action="append", metavar="PROJECT", help="check this project, and write nothing")
    parser.add_argument("--downloads", type=Path, default=DOWNLOADS, metavar="DIR", help="where the wheels are kept")
    options = parser.parse_args(arguments)
    projects = read_data(DATA.read_text(encoding="utf-8"))
    if options.only:
        if unknown := set(options.only) - {project.name for project in projects}:
            parser.error(f"not in {DATA.name}: {', '.join(sorted(unknown))}")
        projects = tuple(project for project in projects if project.name in options.only)
    results = list(checked(projects, options.downloads))
    if options.only:
        sys.stdout.write("\n".join(findings_of(result) for result in results))
    else:
        PAGE.write_text(page(results), encoding="utf-8")
    found = problems(results)
    sys.stderr.write(("\n".join(found) or "every finding has its verdict") + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

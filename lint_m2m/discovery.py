"""Where a project's migrations are: its root, apps, labels, migration files, and what its settings say.

Nothing of the project is imported or run. `discover_projects` is the whole of it: a folder in, `Layout`s out; nearly
always one (`discover`). What Django's loader would import as a migration is a migration file here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from lint_m2m import looks
from lint_m2m.migration import UNKNOWN, App, Maybe, UnreadFile
from lint_m2m.readers.options import ReadOptions
from lint_m2m.readers.project.app_configs import AppFacts, Apps, installed_configs
from lint_m2m.readers.project.groups import Group, Place, group
from lint_m2m.readers.project.migration_folders import (
    MigrationsFolder,
    is_migration_name,
    migrations_folders,
    read_folder,
)
from lint_m2m.readers.project.patterns import matcher
from lint_m2m.readers.project.settings import facts_of, find_settings, installed_apps
from lint_m2m.readers.project.toplevel import Modules
from lint_m2m.readers.project.tree import Unread, is_below, joined, nearest, parent_of, walk
from lint_m2m.roots import starts_django
from lint_m2m.values import frozen, replace, slotted


@frozen
class MigrationFile:
    """A file that Django's loader would import as a migration of `app_label` under `name`.

    `path` is relative to the root with forward slashes, as reports print it; `place` is where to open it.
    """

    app_label: str
    name: str
    path: str
    place: str

    @property
    def file(self) -> Path:
        """The same as `place`. There are thousands of files, and hardly one is asked for it."""
        return Path(self.place)


@frozen
class Layout:
    """What one Django project consists of, everything sorted.

    `apps` have at least one file in `files`. A file may still turn out to hold no Migration class: the reader of
    migration files judges that, file by file (`without`). `source_roots` are the folders from which the project's
    absolute imports resolve, most specific first. `problems` are migrations that cannot even be opened. `project` is
    the folder of the project relative to the root ("" for the root itself, and nearly always). `left_out` is what was
    met and not used, with the reason: for those who ask why something is not checked. `vendor` and
    `default_auto_field` are the settings'.
    """

    root: Path
    apps: tuple[App, ...]
    files: tuple[MigrationFile, ...]
    swappable: tuple[tuple[str, str], ...] = ()
    vendor: Maybe[str] = UNKNOWN
    default_auto_field: Maybe[str] = UNKNOWN
    source_roots: tuple[Path, ...] = ()
    problems: tuple[UnreadFile, ...] = ()
    project: str = ""
    left_out: tuple[Unread, ...] = ()

    def without(self, paths: Iterable[str]) -> Layout:
        """This layout without the files at `paths`, and without apps that then have none."""
        gone = frozenset(paths)
        files = tuple(one for one in self.files if one.path not in gone)
        labels = {one.app_label for one in files}
        return replace(self, files=files, apps=tuple(app for app in self.apps if app.label in labels))


def discover(root: Path, options: ReadOptions) -> Layout:
    """The layout of the Django project in `root`: the first of `discover_projects`, where there are several.

    ReadError when `root` is no folder that can be read.
    """
    return discover_projects(root, options)[0]


def discover_projects(root: Path, options: ReadOptions) -> tuple[Layout, ...]:
    """The layouts of the Django projects below `root`, at least one, the root's own first.

    There are several only where app labels clash: projects with a manage.py each, or test and example projects. An app
    that lies outside all of them is in each that has no app of that label, so a file may be in several layouts.
    ReadError when `root` is no folder that can be read.
    """
    return _Discovery(Path(os.path.abspath(root)), options).layouts()


@slotted(frozen=True)
class _Candidate:
    """An app with migrations, before it is known which project it belongs to."""

    app_folder: str
    migrations: MigrationsFolder
    facts: AppFacts


class _Discovery:
    """One run. What is below the root is found once; what belongs together is put together per layout."""

    def __init__(self, root: Path, options: ReadOptions) -> None:
        self.options = options
        self.tree = walk(root, matcher(options.exclude)).with_files(file for file, _ in options.overlay)
        self.modules = Modules(root, [*_source_root_above(root), *options.source_paths])
        self.settings = find_settings(self.tree, self.modules)
        trusted = [one for one in self.settings if not one.for_tests] or self.settings
        named = [(name, one.scope.file) for one in trusted for name in one.config_classes]
        self.apps = Apps(self.tree, self.modules, installed_configs(self.modules, named), installed_apps(trusted) or ())
        self.left_out: list[Unread] = list(self.tree.unread_folders)
        packages = {folder for folder in self.tree.folders if self.tree.has(folder, "__init__.py")}
        # Where packages lie that are in no other package.
        self.import_folders = {parent_of(folder) for folder in packages if folder} - packages
        self.entries = frozenset(
            folder
            for folder, files in self.tree.folders.items()
            if "manage.py" in files and starts_django(self.tree.file(joined(folder, "manage.py")))
        )

    def layouts(self) -> tuple[Layout, ...]:
        candidates = self.candidates()
        places = [Place(folder=folder, label=one.facts.label) for folder, one in candidates.items()]
        groups = group(places, self.entries, self.uses) or (Group(folder="", places=()),)
        folders = frozenset(one.folder for one in groups)
        layouts = [self.layout(one, folders, groups[0].folder, candidates) for one in groups]
        if any(layout.files or layout.problems for layout in layouts):
            layouts = [layout for layout in layouts if layout.files or layout.problems]
        return tuple(layouts)

    def uses(self, entry: str, place: Place) -> bool:
        """Whether the project in the folder `entry` installs an app that lies elsewhere; yes where nothing tells."""
        installed = installed_apps([one for one in self.settings if is_below(one.path, entry)])
        if installed is None:
            return True
        name = place.folder.replace("/", ".")
        tails = {name[at:] for at in range(len(name)) if at == 0 or name[at - 1] == "."}
        return any(app in tails or app.rpartition(".apps.")[0] in tails for app in installed)

    def candidates(self) -> dict[str, _Candidate]:
        """App folder -> app, for every folder called migrations."""
        found: dict[str, _Candidate] = {}
        for one in migrations_folders(self.tree):
            if isinstance(one, Unread):
                self.left_out.append(one)
            else:
                app_folder = parent_of(one.folder)
                found[app_folder] = _Candidate(app_folder, one, self.facts(app_folder, one))
        return found

    def facts(self, app_folder: str, migrations: MigrationsFolder) -> AppFacts:
        """What is known of an app, the options' label first."""
        if migrations.folder:
            known = self.apps.facts(app_folder, migrations.paths)
        else:  # the root is itself a migrations folder: its app is not in the tree
            own_name = self.tree.root.parent.name
            known = AppFacts(label=self.apps.label_in_use(own_name, migrations.paths))
        if not self.options.app_labels:
            return known
        dotted = ".".join(self.modules.dotted_name(self.tree.path(joined(app_folder, "__init__.py"))))
        for key, label in self.options.app_labels:
            folder = key.removeprefix("./").rstrip("/")
            if folder in (app_folder, migrations.folder) or key in (dotted, known.name):
                return replace(known, label=label)
        return known

    def layout(
        self, members: Group, folders: Collection[str], first: str, candidates: Mapping[str, _Candidate]
    ) -> Layout:
        """One project. `folders` are those of all projects, `first` that of the first."""

        def owner(path: str) -> str | None:
            return nearest(path, folders)

        def owns(path: str) -> bool:
            # What lies in no project's folder is told with the first.
            found = owner(path)
            return found == members.folder or (found is None and members.folder == first)

        said = facts_of([one for one in self.settings if owner(one.path) == members.folder], self.modules)
        apps = {one.facts.label: one for one in (candidates[place.folder] for place in members.places)}
        for label, module in (dict(said.migration_modules) | _by_options(self.options)).items():
            self.relocate(apps, label, module)
        # Constants that are not called a model, and name none of this project's, are something else.
        models = {
            name: model for name, model in said.swappable if name.endswith("_MODEL") or model.split(".")[0] in apps
        }
        swappable = models | dict(self.options.swappable)
        files: list[MigrationFile] = []
        for label, app in sorted(apps.items()):
            folder = self.tree.path(joined(app.migrations.folder, ""))
            for name, path in zip(app.migrations.names, app.migrations.paths, strict=True):
                files.append(MigrationFile(app_label=label, name=name, path=path, place=f"{folder}{name}.py"))
        return Layout(
            root=self.tree.root,
            apps=tuple(
                App(
                    label=label,
                    path=_printable(app.migrations.folder) or ".",
                    default_auto_field=said.default_auto_field
                    if app.facts.default_auto_field is None
                    else app.facts.default_auto_field,
                )
                for label, app in sorted(apps.items())
                if app.migrations.names
            ),
            files=tuple(
                one if one.path.isascii() else replace(one, path=_printable(one.path), name=_printable(one.name))
                for one in files
            ),
            swappable=tuple(sorted(swappable.items())),
            vendor=said.vendor if self.options.database is None else self.options.database,
            default_auto_field=said.default_auto_field,
            source_roots=self.source_roots(apps.values(), owns),
            problems=tuple(sorted(self.problems(apps, owns), key=lambda one: one.path)),
            project=_printable(members.folder),
            left_out=tuple(
                sorted({Unread(_printable(path), reason) for path, reason in self.all_left_out() if owns(path)})
            ),
        )

    def relocate(self, apps: dict[str, _Candidate], label: str, module: str | None) -> None:
        """Follow one entry of MIGRATION_MODULES: where the app's migrations are instead, None for nowhere."""
        present = apps.get(label)
        if module is None:
            if present is not None:
                self.left_out.append(Unread(present.migrations.folder, f"MIGRATION_MODULES switches {label} off"))
                del apps[label]
            return
        folder = self.package_folder(module)
        found = None if folder is None else read_folder(self.tree, folder)
        if isinstance(found, Unread):
            self.left_out.append(found)
        elif found is not None:
            # Under its own name the folder may have been taken for an app's.
            for other in [other for other, app in apps.items() if app.migrations.folder == found.folder]:
                del apps[other]
            facts = AppFacts(label=label, default_auto_field=UNKNOWN) if present is None else present.facts
            apps[label] = _Candidate(parent_of(found.folder), found, facts)

    def package_folder(self, module: str) -> str | None:
        """The folder of a package of the project by its dotted name, relative to the root."""
        importers = [one.scope.file for one in self.settings]
        importers += [
            self.tree.path(joined(folder, "-")) for folder in sorted({*self.entries, *self.import_folders, ""})
        ]
        for importer in importers:
            file = self.modules.find(module, importer)
            if file is not None and os.path.basename(file) == "__init__.py":
                folder = os.path.relpath(os.path.dirname(file), self.tree.root).replace(os.sep, "/")
                return "" if folder == "." else folder
        return None

    def source_roots(self, apps: Iterable[_Candidate], owns: Callable[[str], bool]) -> tuple[Path, ...]:
        """Where absolute imports resolve: beside manage.py, where the apps' names start, then wherever packages lie."""
        roots = {self.tree.file(folder): None for folder in sorted(self.entries) if owns(folder)}
        counted: Counter[Path] = Counter()
        for app in apps:
            folder = self.tree.file(app.app_folder)
            parts = [] if app.facts.name is None else app.facts.name.split(".")
            if not parts or list(folder.parts[-len(parts) :]) != parts:
                parts = self.modules.dotted_name(str(folder / "__init__.py")) or [folder.name]
            counted[Path(*folder.parts[: -len(parts)])] += 1
        roots |= dict.fromkeys(sorted(counted, key=lambda folder: (-counted[folder], folder)))
        roots |= {self.tree.file(folder): None for folder in sorted(self.import_folders) if owns(folder)}
        return tuple(roots | {self.tree.root: None})

    def problems(self, apps: Mapping[str, _Candidate], owns: Callable[[str], bool]) -> Iterator[UnreadFile]:
        """Migrations that are there and cannot be opened."""
        labels = {app.migrations.folder: label for label, app in apps.items()}
        for folder, label in labels.items():
            for name, file in apps[label].migrations.compiled:
                yield _unread(joined(folder, file), label, name, "only its compiled form is there")
        for path, reason in self.tree.unread_files:
            folder, _, file = path.rpartition("/")
            name = file.removesuffix(".py")
            if file.endswith(".py") and is_migration_name(name):
                if folder in labels:
                    yield _unread(path, labels[folder], name, reason)
                elif folder.rpartition("/")[2] == "migrations" and folder not in self.tree.folders and owns(folder):
                    yield _unread(path, self.apps.facts(parent_of(folder), ()).label, name, reason)
        for path, reason in self.tree.unread_folders:
            if owns(path):
                if path.rpartition("/")[2] == "migrations" and parent_of(path) in self.tree.folders:
                    yield _unread(path, self.apps.facts(parent_of(path), ()).label, "", reason)
                elif looks.is_file(self.tree.file(path) / "migrations" / "__init__.py"):
                    yield _unread(path, path.rpartition("/")[2], "", reason)

    def all_left_out(self) -> Iterator[Unread]:
        """What was not used: folders, and files that should say something about apps or settings."""
        yield from self.left_out
        inside = os.path.join(self.tree.root, "")
        for file, reason in self.modules.failures.items():
            if file.startswith(inside):
                yield Unread(file[len(inside) :].replace(os.sep, "/"), reason)


def _by_options(options: ReadOptions) -> dict[str, str | None]:
    return {label: None if module in ("", "None") else module for label, module in options.migration_modules}


def _source_root_above(root: Path) -> list[Path]:
    """Where the name of the package that `root` lies in starts, if it lies in one."""
    folder = root
    while looks.is_file(folder / "__init__.py") and folder != folder.parent:
        folder = folder.parent
    return [] if folder == root else [folder]


def _unread(path: str, app_label: str, name: str, reason: str) -> UnreadFile:
    return UnreadFile(path=_printable(path), app_label=app_label, name=_printable(name), reason=reason, span=None)


def _printable(text: str) -> str:
    """File names need not be text: what is not becomes a replacement character."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

"""What has changed since a commit, by git: which files, and what was in them before.

Git is run as a program with arguments, never through a shell: no hook, pager, external diff, content filter, file
system monitor or fetch of the repository's configuration runs, and nothing is written into the repository. File names
come and go as bytes between NULs, so none is taken for an option or a pattern.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from lint_m2m.errors import ChangesError, reason_of, shown_path
from lint_m2m.values import NamedTuple, frozen

# What the readers open: modules, and the scripts that a RunSQL may be read from.
_READ: Final = (".py", ".sql", ".psql", ".pgsql", ".mysql", ".ddl", ".txt")
_LINK, _SUBMODULE = "120000", "160000"
_FILES: Final = (b"100644", b"100755")

# A renamed migration is another one. Of a submodule it counts which commit is checked out.
_DIFF: Final = (
    *("diff", "--raw", "--no-abbrev", "-z", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
    "--ignore-submodules=dirty",
)

# Of the variables that git takes note of, those that are not about one repository.
_KEPT: Final = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
    }
)
# A repository from a stranger brings its own configuration when it comes as an archive.
_SETTINGS: Final = (
    "core.fileMode=false",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.quotePath=false",
    "safe.bareRepository=explicit",
)


@frozen
class Comparison:
    """What to compare with: the merge base of HEAD and the commit `since`; without one, HEAD.

    `staged`: what is compared is the index, which the next commit takes, not the work tree.
    """

    since: str | None = None
    staged: bool = False

    def __str__(self) -> str:
        """As it was said on the command line."""
        return " ".join([*([f"--since {self.since}"] if self.since else []), *(["--staged"] if self.staged else [])])


class Entry(NamedTuple):
    """A file as git has it: `path` is relative to the repository's top, `blob` the name of its content."""

    path: str
    mode: str
    blob: str

    @property
    def name(self) -> str:
        """The path as findings have it."""
        return _name(os.fsencode(self.path))


@frozen
class Changes:
    """What has changed below `root`, a folder of the repository in `top`.

    Names are paths relative to `top`; `prefix` is that of `root`. `before` is what the commit compared with has,
    `changed` what was added, edited or removed since, or is a submodule that was moved. `staged` is what the index has,
    ``None`` where the work tree is compared.
    """

    comparison: Comparison
    root: Path
    top: Path
    prefix: str
    changed: frozenset[str]
    before: Mapping[str, Entry]
    staged: Mapping[str, Entry] | None

    def touches(self, path: str) -> bool:
        """Whether the file `path` (relative to `root`) was added or edited.

        In the work tree that is every file that the commit does not have, whether git ignores it or not.
        """
        names = [self.prefix + path]
        real = os.path.realpath(self.root / path)
        with suppress(ValueError):  # a link that leaves the repository
            names.append(Path(real).relative_to(self.top).as_posix())
        return any(self._touches(name) for name in names)

    def _touches(self, name: str) -> bool:
        # With the folders above it: a submodule, or a folder that is a link, has one entry for all that is in it.
        lineage = [name, *(above.as_posix() for above in Path(name).parents)]
        if any(one in self.changed for one in lineage):
            return True
        return self.staged is None and not any(one in self.before for one in lineage)

    @property
    def any_read(self) -> bool:
        """Whether something has changed that a check may read: nothing else makes a finding come or go."""
        # Links and submodules have any name, and most often one without a suffix.
        return any(name.endswith(_READ) or not os.path.splitext(name)[1] for name in self.changed)

    def copy_of_base(self, folder: Path) -> Path:
        """Write what was there before into the empty `folder`; returns the place of `root` in it.

        Raises ChangesError.
        """
        return self._copied(self.before.values(), folder)

    def copy_of_index(self, folder: Path) -> Path:
        """The same with what is staged."""
        assert self.staged is not None
        return self._copied(self.staged.values(), folder)

    def _copied(self, entries: Iterable[Entry], folder: Path) -> Path:
        top = folder / (self.top.name or "top")
        root = top / self.prefix
        root.mkdir(parents=True)
        above = {one.as_posix() for one in Path(self.prefix).parents} if self.prefix else set()
        # The root may lie in packages, whose modules migrations import.
        wanted = [
            entry
            for entry in entries
            if entry.path.startswith(self.prefix) or (os.path.dirname(entry.path) or ".") in above
        ]
        _write(_Git(self.top), self.top, wanted, top)
        return root


def find(root: Path, comparison: Comparison) -> Changes:
    """What has changed below the folder `root`.

    Raises ChangesError: git is not there, `root` is in no repository, the commit is not known, it has no ancestor in
    common with HEAD, or the index holds conflicts.
    """
    option = "--since" if comparison.since is not None else "--staged"
    git = _Git(Path(os.path.realpath(root)))
    done = git.run("rev-parse", "--show-toplevel", fails=True)
    if done.returncode:
        raise ChangesError(f"`{option}` needs a git repository: {_reason(done)}", path=shown_path(root))
    top = Path(os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n"))))
    try:
        below = git.folder.relative_to(top).as_posix()
    except ValueError:
        raise ChangesError(f"`{option}` needs a git repository, and this is in none", path=shown_path(root)) from None
    prefix = "" if below == "." else f"{below}/"
    index = _index_of(git)
    git = _Git(top, {"GIT_INDEX_FILE": index})
    base = _base(git, comparison)
    before = {entry.name: entry for entry in _tree(git, base)}
    staged = None
    if comparison.staged:
        changed = _changed(git.run(*_DIFF, "--cached", base, "--", prefix or "."))
        staged = {
            entry.name: entry
            for entry in _index(git)
            # What is only meant to be added (`git add -N`) is in the index without content.
            if entry.name in before or entry.name in changed or not entry.path.startswith(prefix)
        }
    else:
        changed = _changed_on_disk(git, index, base, prefix)
        changed |= _names(git.run("ls-files", "--others", "--exclude-standard", "-z", "--", prefix or "."))
    return Changes(
        comparison=comparison,
        root=root,
        top=top,
        prefix=prefix,
        changed=frozenset(changed),
        before=before,
        staged=staged,
    )


def _base(git: _Git, comparison: Comparison) -> str:
    """The commit, or the empty tree where nothing was committed yet."""
    ref = comparison.since
    head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", fails=True).stdout.decode().strip()
    if ref is None:
        return head or git.run("hash-object", "-t", "tree", "--stdin").stdout.decode().strip()
    if not ref.strip() or ref.startswith("-") or not ref.isprintable():
        raise ChangesError(f"`--since` takes a commit, branch or tag; `{ref}` is none")
    if not head:
        raise ChangesError("`--since` compares with a commit, and this repository has none yet")
    commit = git.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", fails=True).stdout.decode().strip()
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):  # a range has several
        commit = ""
    shallow = git.run("rev-parse", "--is-shallow-repository", fails=True).stdout.strip() == b"true"
    fetch = (
        "this clone is shallow: fetch all of its history (`fetch-depth: 0`, `GIT_DEPTH: 0`, `git fetch --unshallow`)"
    )
    if not commit:
        remote, slash, branch = ref.partition("/")
        hint = f"; {fetch}" if shallow else f"; perhaps `git fetch {remote} {branch}` brings it" if slash else ""
        raise ChangesError(f"`--since`: there is no commit `{ref}` in this repository{hint}")
    base = git.run("merge-base", "HEAD", commit, fails=True).stdout.decode().strip()
    if not base:
        hint = f"; {fetch}" if shallow else ""
        raise ChangesError(f"`--since`: `{ref}` and HEAD have no common ancestor here{hint}")
    return base


def _tree(git: _Git, tree: str) -> Iterator[Entry]:
    """What `git ls-tree` says: "100644 blob 1c2d…\\tlibrary/models.py"."""
    for record in _records(git.run("ls-tree", "-r", "-z", "--full-tree", tree)):
        about, _, path = record.partition("\t")
        mode, _, blob = about.split(" ")
        yield Entry(path, mode, blob)


def _index(git: _Git) -> Iterator[Entry]:
    """What `git ls-files` says: "100644 1c2d… 0\\tlibrary/models.py"."""
    for record in _records(git.run("ls-files", "--stage", "-z")):
        about, _, path = record.partition("\t")
        mode, blob, stage = about.split(" ")
        if stage != "0":
            raise ChangesError("it has conflicts that are not resolved: there is no next commit to check", path=path)
        yield Entry(path, mode, blob)


def _changed(done: subprocess.CompletedProcess[bytes]) -> set[str]:
    """What `git diff --raw` says: ":100644 100755 1c2d… 0000… M", then the path. Another mode is no other file."""
    records = iter(done.stdout.split(b"\0"))
    names = set()
    for about, path in zip(records, records, strict=False):
        old, new, before, after, _ = about.removeprefix(b":").split(b" ")
        if not (before == after and old in _FILES and new in _FILES):
            names.add(_name(path))
    return names


def _names(done: subprocess.CompletedProcess[bytes]) -> set[str]:
    return {_name(record) for record in done.stdout.split(b"\0") if record}


def _name(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def _records(done: subprocess.CompletedProcess[bytes]) -> Iterator[str]:
    return (os.fsdecode(record) for record in done.stdout.split(b"\0") if record)


def _index_of(git: _Git) -> str:
    """The repository's index; `git commit -a` and `git commit PATH` have a hook look at another one beside it."""
    own = os.fsdecode(git.run("rev-parse", "--git-path", "index").stdout.removesuffix(b"\n"))
    folder = os.path.realpath(git.folder / os.path.dirname(own))
    given = os.path.realpath(os.environ.get("GIT_INDEX_FILE", ""))
    return given if os.path.dirname(given) == folder else os.path.join(folder, os.path.basename(own))


def _changed_on_disk(git: _Git, index: str, base: str, prefix: str) -> set[str]:
    """Git notes in its index which files it has looked at: it gets a copy to do so."""
    with tempfile.TemporaryDirectory(prefix="lint-m2m-") as folder:
        copy = os.path.join(folder, "index")
        with suppress(FileNotFoundError):
            shutil.copyfile(index, copy)
        looking = _Git(git.folder, {"GIT_INDEX_FILE": copy, **_without_filters(git)})
        return _changed(looking.run(*_DIFF, base, "--", prefix or "."))


def _without_filters(git: _Git) -> dict[str, str]:
    """The environment that switches off what would run when git looks at files of the work tree."""
    done = git.run("config", "-z", "--name-only", "--get-regexp", r"^filter\.", fails=True)
    names = sorted({name.rpartition(".")[0] for name in _records(done)})
    settings = [
        (f"{name}.{key}", value)
        for name in names
        for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    ]
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


# Files.


def _write(git: _Git, top: Path, entries: Iterable[Entry], folder: Path) -> None:
    """Write `entries` below `folder`: first the files, then links, through which nothing is written."""
    files: list[Entry] = []
    links: list[Entry] = []
    for entry in entries:
        if not _is_plain(entry.path):
            continue
        if entry.mode == _SUBMODULE:
            _copy_submodule(top / entry.path, folder / entry.path)
        elif entry.mode == _LINK:
            links.append(entry)
        elif entry.path.endswith(_READ):
            files.append(entry)
    for entry, content in git.contents(files):
        target = folder / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as stream:
            stream.write(content)
    inside = os.path.realpath(folder)
    for entry, content in git.contents(links):
        target = folder / entry.path
        aim = os.path.realpath(os.path.join(target.parent, os.fsdecode(content)))
        # Where it leads elsewhere, it is none of the project's; git's trees may lead nowhere.
        if os.path.commonpath([inside, aim, os.path.realpath(target.parent)]) == inside and target.parent.is_dir():
            with suppress(OSError, ValueError):
                os.symlink(os.fsdecode(content), target)


def _is_plain(path: str) -> bool:
    """Whether a path of git's may be written: a hostile tree has others."""
    parts = path.split("/")
    return not any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) and (
        os.sep == "/" or not any(sign in path for sign in "\\:")
    )


def _copy_submodule(source: Path, target: Path) -> None:
    """A submodule as it is checked out: which commit of it is meant is its own repository's affair."""

    def other(folder: str, names: list[str]) -> list[str]:
        kept = [name for name in names if name != ".git" and not os.path.islink(os.path.join(folder, name))]
        return [
            name
            for name in names
            if name not in kept or not (name.endswith(_READ) or os.path.isdir(os.path.join(folder, name)))
        ]

    with suppress(OSError, shutil.Error):
        shutil.copytree(source, target, ignore=other, dirs_exist_ok=True)


# The program.


class _Git:
    """Runs git in `folder`, with `environment` besides."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._environment = {**_environment(), **(environment or {})}

    def run(self, *arguments: str, fails: bool = False) -> subprocess.CompletedProcess[bytes]:
        """What git says; ChangesError if it ends with another status than 0, unless it may (`fails`)."""
        try:
            done = subprocess.run(
                self._command(arguments),
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise ChangesError("there is no `git` on this machine's PATH") from None
        except OSError as error:
            raise ChangesError(f"`git` cannot be started: {reason_of(error)}") from None
        if done.returncode and not fails:
            raise ChangesError(f"`git {arguments[0]}` failed: {_reason(done)}")
        return done

    def contents(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of each entry. ChangesError if the clone does not have it."""
        wanted = list(entries)
        if not wanted:
            return
        with tempfile.TemporaryFile() as names:
            names.write("".join(f"{entry.blob}\n" for entry in wanted).encode())
            names.seek(0)
            with subprocess.Popen(
                self._command(["cat-file", "--batch", "--buffer"]),
                cwd=self.folder,
                env=self._environment,
                stdin=names,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process:
                assert process.stdout is not None
                try:
                    for entry in wanted:
                        yield entry, _content(process.stdout, entry)
                finally:
                    process.kill()

    def _command(self, arguments: Iterable[str]) -> list[str]:
        settings = (*_SETTINGS, *_trusted())
        return ["git", *(piece for setting in settings for piece in ("-c", setting)), "--no-pager", *arguments]


def _content(stream: IO[bytes], entry: Entry) -> bytes:
    """The next answer of `git cat-file --batch`: "1c2d… blob 12", the bytes, a line's end."""
    head = stream.readline().split()
    if len(head) != 3 or head[1] != b"blob":
        raise ChangesError("this clone does not have its content: clone without `--filter`", path=entry.path)
    content = stream.read(int(head[2]))
    stream.read(1)
    return content


def _trusted() -> Iterator[str]:
    """The folders that the environment tells git to trust, as in a container: the one setting that is kept of it."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if re.fullmatch(r"\d{1,3}", count, re.ASCII) else 0):
        if os.environ.get(f"GIT_CONFIG_KEY_{number}", "").lower() == "safe.directory":
            yield f"safe.directory={os.environ.get(f'GIT_CONFIG_VALUE_{number}', '')}"


def _environment() -> dict[str, str]:
    """This process's, without what a hook is told of one repository, and with git's words in one language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    return {
        **kept,
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of what git complains of."""
    text = done.stderr.decode("utf-8", "backslashreplace").strip()
    first = text.partition("\n")[0].removeprefix("fatal: ").removeprefix("error: ")
    if "dubious ownership" in first:
        return f"{first}; `git config --global --add safe.directory FOLDER` lets git trust it"
    return first or f"status {done.returncode}"

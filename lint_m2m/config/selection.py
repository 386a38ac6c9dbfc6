"""Which rules speak, and about which files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lint_m2m.config.options import nearest
from lint_m2m.config.values import Config, Source
from lint_m2m.errors import ConfigurationError, LintM2MError, UsageError
from lint_m2m.readers.project.patterns import pattern


class Selection:
    """The rules that are on, and where they are not."""

    def __init__(self, enabled: frozenset[str], per_file: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]) -> None:
        self.enabled = enabled
        self._per_file = per_file  # globs that mean the same, prefixes of codes

    def applies(self, code: str, path: str) -> bool:
        """Whether a finding of rule `code` in `path` (relative to the root) is wanted."""
        return code in self.enabled and not any(
            code.startswith(prefixes) and _concern(globs, path) for globs, prefixes in self._per_file
        )


def select(config: Config, rules: Mapping[str, str], root: Path) -> Selection:
    """The selection that `config` describes among `rules`, the names of all rules by their codes.

    Raises ConfigurationError or UsageError, by where it was said, for what is no rule's name and begins no code.
    """
    codes = {name: code for code, name in rules.items()}

    def prefixes(option: str, named: Iterable[str]) -> tuple[str, ...]:
        for each in named:
            if each not in codes and not any(code.startswith(each) for code in rules):
                raise _unknown(config, option, each, rules)
        return tuple(codes.get(each, each) for each in named)

    wanted = (*prefixes("select", config.select), *prefixes("extend-select", config.extend_select))
    unwanted = prefixes("ignore", config.ignore)
    enabled = frozenset(code for code in rules if _reach(code, wanted) > _reach(code, unwanted))
    per_file = tuple(
        (tuple(relative_globs((glob,), config, root)), prefixes("per-file-ignores", ignored))
        for glob, ignored in config.per_file_ignores
    )
    return Selection(enabled, per_file)


def relative_globs(globs: Iterable[str], config: Config, root: Path) -> Iterable[str]:
    """The globs, and those relative to the configuration file's folder once more as relative to `root` below it."""
    for glob in globs:
        yield glob
        if config.folder is None or config.folder == root:
            continue
        try:
            below = root.relative_to(config.folder).as_posix() + "/"
        except ValueError:
            continue
        negated, anchored = glob.startswith("!"), glob.removeprefix("!").removeprefix("./").removeprefix("/")
        if anchored.startswith(below):
            yield ("!/" if negated else "/") + anchored.removeprefix(below)


def matches(glob: str, path: str) -> bool:
    """Whether `glob` means `path` or a folder that it lies in, by the rules of .gitignore.

    Without a slash (or with one at the end only) it is the name of a file or folder anywhere; otherwise it is relative
    to the root ("./", which git does not know, is the root as well). ``*`` stays within a name, ``**`` does not. An
    empty one is the root itself; one that begins with "!" means nothing by itself.
    """
    found = pattern(glob)
    return not glob.strip("./") if found is None else found.excludes and found.covers(path)


def _concern(globs: tuple[str, ...], path: str) -> bool:
    """Whether globs that mean the same mean `path`; "!library/" are all files but those in library/."""
    negated = globs[0].startswith("!")
    return negated is not any(matches(glob.removeprefix("!"), path) for glob in globs)


def _reach(code: str, prefixes: Iterable[str]) -> int:
    """How much of `code` the longest of `prefixes` names: 0 when none does."""
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)


def _unknown(config: Config, option: str, named: str, rules: Mapping[str, str]) -> LintM2MError:
    origin = config.origin(option)
    if "-" in named:
        problem = f"names `{named}`, and no rule is called so{nearest(named, rules.values())}"
    else:
        problem = f"names `{named}`, and no rule's code begins so{nearest(named, rules)}"
    if origin.source is Source.COMMAND_LINE:
        return UsageError(f"`--{option}` {problem}")
    return ConfigurationError(f"`{option}` {problem}", path=origin.path, line=origin.line)

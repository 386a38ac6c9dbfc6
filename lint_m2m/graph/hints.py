"""What was probably meant by the name of a migration that does not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lint_m2m.migration import MigrationKey

# Comparing every name with every other would take longer than the whole check.
MAX_NAMES = 500
MAX_COMPARISONS = 50


class Hints:
    """Finds the nearest of the names that exist; one instance for all the missing ones of a project."""

    __slots__ = ("_budget", "_by_number", "_names")

    def __init__(self, keys: Iterable[MigrationKey]) -> None:
        self._budget = MAX_COMPARISONS
        self._names: dict[str, list[str]] = {}
        self._by_number: dict[tuple[str, str], list[str]] = {}
        for key in sorted(keys):
            self._names.setdefault(key.app_label, []).append(key.name)
            self._by_number.setdefault((key.app_label, key.name.partition("_")[0]), []).append(key.name)

    def nearest(self, missing: MigrationKey, wanted_by: Collection[MigrationKey]) -> str | None:
        """The name in `missing`'s app that was probably meant by `wanted_by`, ``None`` when there is no telling.

        A file that was renamed keeps its number, one that was renumbered keeps its words. Beyond that numbered names
        are all alike (``0031_auto_20160816_0648``).
        """
        number, _, words = missing.name.partition("_")
        own = {key.name for key in wanted_by if key.app_label == missing.app_label}
        same = [name for name in self._by_number.get((missing.app_label, number), []) if name not in own]
        if len(same) == 1 and number.isdigit():
            return same[0]
        names = self._names.get(missing.app_label, [])
        if len(names) > MAX_NAMES or not self._budget:
            return None
        self._budget -= 1
        names = [name for name in names if name not in own]
        if number.isdigit() and not same:
            same = [name for name in names if words and name.partition("_")[2] == words]
            return same[0] if len(same) == 1 else None
        from difflib import get_close_matches  # only for a project that is broken

        return next(iter(get_close_matches(missing.name, same or names, 1, 0.0 if same else 0.7)), None)

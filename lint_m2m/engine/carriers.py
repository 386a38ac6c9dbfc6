"""Models in whose tables code may carry links from one table to another.

Code that reaches two tables with two foreign keys each and stores something may have copied rows between them
(`DataReader` in ``replay/data.py``): what it takes for such a table depends on the foreign keys, so those count. Only
code that reaches a table with links can begin or end such a way; what else it takes, other code may carry on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from lint_m2m.engine.survey import Model, Said, Survey
from lint_m2m.migration import CodeFacts
from lint_m2m.readers.stores import WRITES

_Models: TypeAlias = Mapping[Model, Said]


def carriers(survey: Survey) -> set[Model]:
    """All that may be such, and models that code takes beside them."""
    found: set[Model] = set()
    left: list[CodeFacts] = []
    for code in survey.code:
        if _reaches_links(code, survey):
            found |= code.models
        elif code.names & WRITES:
            left.append(code)
    before = -1
    while left and len(found) > before:
        before = len(found)
        carrying = {model for model in found if _may_link(model, survey.models)}
        for code in left:
            if not carrying.isdisjoint(code.models):
                found |= code.models
    return found


def _reaches_links(code: CodeFacts, survey: Survey) -> bool:
    """Whether it may reach a table with links, and store something."""
    if code.uses_connection or code.sql:
        return True
    if code.names.isdisjoint(WRITES):
        return False
    if not survey.link_names.isdisjoint(code.names) or any(name in survey.throughs for _, name in code.models):
        return True
    return any("_" in word and _is_link_table(word.lower(), survey) for word in code.names)


def _is_link_table(word: str, survey: Survey) -> bool:
    """Whether a table with links may have that name: that of its field is at its end."""
    if word in survey.tables:
        return True
    start = word.find("_")
    while start >= 0:
        if word[start + 1 :] in survey.link_names:
            return True
        start = word.find("_", start + 1)
    return False


def _may_link(model: Model, models: _Models) -> bool:
    """Whether it may have two foreign keys."""
    said = models.get(model)
    if said is None:
        return False
    return len(said.keys) > 1 or said.other_keys or any(made.options.bases != () for _, made in said.made)

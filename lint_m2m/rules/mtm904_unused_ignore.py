"""Ignore comment that silences nothing.

## What it does

Finds `# lint-m2m: ignore[...]` and `ignore-file[...]` comments, and codes in them, that match no finding: the
operation was mended, the code is misspelt, or the comment stands on another line than the finding.

## Why it breaks

Nothing breaks today. But the comment stays, and one day it silences a finding that nobody has looked at.

## Example

```python
# library/migrations/0002_note.py
operations = [
    migrations.AddField("book", "note", models.CharField(default="", max_length=40)),  # lint-m2m: ignore[MTM101]
]
```

## Safe sequence

```python
# library/migrations/0002_note.py
operations = [
    migrations.AddField("book", "note", models.CharField(default="", max_length=40)),
]
```

## When it stays silent

For rules that are not selected in this run, and for `# noqa` comments that name codes of other tools as well.

## References

- `lint_m2m.suppression` finds the comments and, after all other rules have spoken, those that nothing needed
"""

from __future__ import annotations

from typing import ClassVar

from lint_m2m.finding import Severity
from lint_m2m.rules.base import Rule


class UnusedIgnore(Rule):
    """The finding itself is made by `lint_m2m.suppression`, which alone knows what each comment silenced."""

    code: ClassVar[str] = "MTM904"
    name: ClassVar[str] = "unused-ignore"
    severity: ClassVar[Severity] = Severity.WARNING

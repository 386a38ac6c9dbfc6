"""Safe sequences written into a project's files: what `check --fix` and `--diff` do.

`plan` works out which files would change and how, and checks the result before anything is on disk; `write` puts it
there, all of it or nothing; `diff` shows it instead. `edits` is for reports that carry fixes: one finding at a time.
"""

from lint_m2m.rewrite.diffs import diff
from lint_m2m.rewrite.files import FileChange, RewriteError, write
from lint_m2m.rewrite.planning import Choice, Declined, Edit, Fix, Lost, Rewriting, edits, plan

__all__ = [
    "Choice",
    "Declined",
    "Edit",
    "FileChange",
    "Fix",
    "Lost",
    "RewriteError",
    "Rewriting",
    "diff",
    "edits",
    "plan",
    "write",
]

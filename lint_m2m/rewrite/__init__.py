"""Safe sequences written into a project's files: what `check --fix` and `--diff` do.

`plan` works out which files would change and how, and checks the result before anything is on disk; `write` puts it
there, all of it or nothing; `diff` shows it instead.
"""

from lint_m2m.rewrite.diffs import diff
from lint_m2m.rewrite.files import FileChange, RewriteError, write
from lint_m2m.rewrite.planning import Choice, Declined, Fix, Lost, Rewriting, plan

__all__ = ["Choice", "Declined", "FileChange", "Fix", "Lost", "RewriteError", "Rewriting", "diff", "plan", "write"]

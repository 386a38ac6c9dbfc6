"""``python -m lint_m2m`` is the console script."""

from __future__ import annotations

import sys

from lint_m2m.cli import main

if __name__ == "__main__":
    sys.exit(main())

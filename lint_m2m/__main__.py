"""``python -m lint_m2m``, and the console script."""

import os
import sys

# ``python -m`` looks for modules in the current folder first. That is a stranger's, and a json.py there is none of
# ours: only these two, which Python itself has loaded, may be imported before it is taken off.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if __name__ == "__main__" and not sys.flags.safe_path and sys.path[:1] == [os.getcwd()] != [_OURS]:
    del sys.path[0]

try:
    import gc
    from contextlib import suppress
    from typing import NoReturn

    from lint_m2m.cli import EXIT_INTERRUPTED, main
except KeyboardInterrupt:
    os._exit(130)


def run() -> NoReturn:
    """Run the command line and end the process with its exit status.

    At once: taking apart what a large project has left in memory costs a tenth of the time. Not where somebody watches
    (coverage, a debugger), who may have something to do at the end.
    """
    # Nor is what is left searched for cycles, which takes seconds after Ctrl-C.
    gc.disable()
    try:
        status = main()
        if sys.gettrace() is not None or sys.getprofile() is not None or "coverage" in sys.modules:
            sys.exit(status)
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # there is none, it is closed, or nobody reads it
                stream.flush()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    os._exit(status)


if __name__ == "__main__":
    run()
